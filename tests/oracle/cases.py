# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of case-format.h: cases, results, and what differs between two results."""
import struct

CODE_BASE, CODE_SIZE, CODE_START = 0x48000000, 4096, 0x800
DATA_BASE, DATA_SIZE = 0x50000000, 0x40000
MAX_WORDS = 64

END, UNDEFINED, FAULT, OTHER, TIMEOUT, CRASH = range(6)
STATUS = ['ran to the end', 'undefined', 'fault', 'other exception', 'does not end', 'crash']

STATE = struct.Struct('<31Q Q Q 4I 64Q')
INPUT = struct.Struct('<II')
OUTPUT = struct.Struct('<II')
GRANULE = struct.Struct('<II16s')


class State:
    def __init__(self, x, sp, nzcv, fpcr, fpsr, v, pc=0):
        self.x, self.sp, self.pc = x, sp, pc
        self.nzcv, self.fpcr, self.fpsr, self.v = nzcv, fpcr, fpsr, v

    def pack(self):
        lanes = [lane for v in self.v for lane in (v & (1 << 64) - 1, v >> 64)]
        return STATE.pack(*self.x, self.sp, self.pc, self.nzcv, self.fpcr, self.fpsr, 0, *lanes)

    @staticmethod
    def unpack(data):
        f = STATE.unpack(data)
        v = [f[37 + 2 * n] | f[38 + 2 * n] << 64 for n in range(32)]
        return State(list(f[:31]), f[31], f[33], f[34], f[35], v, pc=f[32])

    def fields(self):
        yield from ((f'X{n}', value) for n, value in enumerate(self.x))
        yield from (('SP', self.sp), ('PC', self.pc), ('NZCV', self.nzcv))
        yield from (('FPCR', self.fpcr), ('FPSR', self.fpsr))
        yield from ((f'V{n}', value) for n, value in enumerate(self.v))


class Case:
    """Words with the names of their patterns, and the state they start from."""

    def __init__(self, state, words, names):
        assert 0 < len(words) <= MAX_WORDS and len(words) == len(names)
        self.state, self.words, self.names = state, words, names

    def pack(self):
        words = self.words + [0] * (MAX_WORDS - len(self.words))
        return self.state.pack() + INPUT.pack(len(self.words), 0) + \
            struct.pack(f'<{MAX_WORDS}I', *words)

    def without(self, n):
        return Case(self.state, self.words[:n] + self.words[n + 1:],
                    self.names[:n] + self.names[n + 1:])


class Result:
    def __init__(self, data):
        self.data = data
        self.message = None

    @staticmethod
    def crash(message):
        r = Result(OUTPUT.pack(CRASH, 0) + bytes(STATE.size))
        r.message = message
        return r

    def __eq__(self, other):
        return self.data == other.data or self.status == other.status == TIMEOUT

    @property
    def status(self):
        return OUTPUT.unpack_from(self.data)[0]

    @property
    def state(self):
        return State.unpack(self.data[OUTPUT.size:OUTPUT.size + STATE.size])

    @property
    def memory(self):
        granules = GRANULE.iter_unpack(self.data[OUTPUT.size + STATE.size:])
        return {offset: content for offset, _, content in granules}


def read_results(path):
    with open(path, 'rb') as f:
        data = f.read()
    results, at = [], 0
    while at < len(data):
        size = OUTPUT.size + STATE.size
        if at + size <= len(data):
            size += OUTPUT.unpack_from(data, at)[1] * GRANULE.size
        if at + size > len(data):
            break                   # cut off by a crash
        results.append(Result(data[at:at + size]))
        at += size
    return results


def describe(case, expected, found):
    """Lines that tell how two results differ, with the start values."""
    if expected.status != found.status:
        yield f'expected: {STATUS[expected.status]}, found: {STATUS[found.status]}'
    start = dict(case.state.fields())
    if found.message:
        yield found.message
        found = expected
    for (name, a), (_, b) in zip(expected.state.fields(), found.state.fields()):
        if a != b:
            yield f'{name}: expected {a:#x}, found {b:#x}, was {start[name]:#x}'
    was, now = expected.memory, found.memory
    for offset in sorted(was.keys() | now.keys()):
        if was.get(offset) != now.get(offset):
            a, b = (m[offset].hex() if offset in m else 'unchanged' for m in (was, now))
            yield f'memory {DATA_BASE + offset:#x}: expected {a}, found {b}'
    yield f'start: NZCV={case.state.nzcv:#x} FPCR={case.state.fpcr:#x} SP={case.state.sp:#x}'
    used = sorted({w >> s & 31 for w in case.words for s in (0, 5, 10, 16)})
    yield 'start: ' + ' '.join(f'X{n}={case.state.x[n]:#x}' for n in used if n < 31)
    if any(n[0] for n in case.names if n.startswith(('F', 'S', 'U')) or '_v' in n):
        yield 'start: ' + ' '.join(f'V{n}={case.state.v[n]:#x}' for n in used)
