# SPDX-License-Identifier: GPL-2.0-or-later
"""Random instructions from .decode patterns, and random states for them.

Some general registers have a role in all cases, so that memory accesses and branches
stay where they may: nothing else writes to them.
"""
import os
import struct
import sys

from cases import CODE_BASE, CODE_SIZE, CODE_START, DATA_BASE, MAX_WORDS, Case, State

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../scripts'))
import decodegen                                            # noqa: E402

POINTERS = [20, 21, 22, 23, 31]     # 31: SP; 20, 21 and SP are 16-byte aligned
OFFSETS = [24, 25]                  # small positive, small negative
TARGETS = [26, 27]                  # code addresses: outside of single instructions, ...
FUNCTION, LOOP_END = TARGETS        # ... and in sequences of these
COUNTER = 28                        # of loops
LINK = 30                           # a code address outside, until BL
ROLES = POINTERS + OFFSETS + TARGETS + [COUNTER, LINK]
DATA = [n for n in range(32) if n not in ROLES] + [31]
START_INDEX = CODE_START // 4
CLREX = 0xd503305f
BRK = 0xd4200000

REGISTERS = {'rd', 'rn', 'rm', 'ra', 'rt', 'rt2', 'rs'}
SIMD_CHAPTERS = ('fp', 'simd')      # chapters whose names start so use V registers
# Loads and stores with a base register are the patterns of these chapters, but for literals.
MEMORY_CHAPTERS = {'ldst', 'simd-ldst'}
# Exceptions, and what waits or needs privileges.
EXCLUDED = {'SVC', 'HVC', 'SMC', 'BRK', 'ERET', 'MSR_imm', 'SYSL'}
# op1, crn, crm, op2 of registers and instructions that EL0 has.
USER_REGISTERS = [(3, 4, 2, 0), (3, 4, 4, 0), (3, 4, 4, 1)]
USER_OPERATIONS = [(3, 7, 4, 1), (3, 7, 10, 1), (3, 7, 5, 1)]
# Their destination 31 is SP, which sequences keep.
SP_WRITERS = {'ADDSUB_imm', 'ADDSUB_ext', 'LOGIC_imm'}
POSITIONAL = {'B', 'BL', 'CBZ', 'TBZ', 'B_cond', 'LDR_lit', 'LDR_lit_v'}

EDGES = [0, 1, 2, (1 << 64) - 1, 1 << 63, (1 << 63) - 1, 1 << 31, (1 << 31) - 1, 1 << 32,
         (1 << 32) - 1, 0xffffffff80000000, 0x8000000080000000, 0x7fffffff7fffffff, 255, 256]
DOUBLES = [0, 1 << 63, 0x3ff0000000000000, 0xbff0000000000000, 0x7ff0000000000000,
           0xfff0000000000000, 0x7ff8000000000000, 0x7ff0000000000001, 0xfff4000000000123,
           0x0010000000000000, 0x000fffffffffffff, 1, 0x8000000000000001, 0x7fefffffffffffff,
           0x43e0000000000000, 0xc3e0000000000000, 0x41efffffffe00000, 0x3fe0000000000000,
           0x4005bf0a8b145769, 0x36a0000000000000, 0x47efffffe0000000]
SINGLES = [0, 1 << 31, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001,
           0xffa12345, 0x00800000, 0x007fffff, 1, 0x80000001, 0x7f7fffff, 0x4f000000, 0xcf000000,
           0x4f7fffff, 0x3f000000, 0x402df854, 0x33000000, 0x477fe000]


class Pattern:
    def __init__(self, chapter, decoded):
        self.chapter, self.decoded, self.name = chapter, decoded, decoded.name

    def word(self, fields):
        d = self.decoded
        word = d.value | ignored_bits(d)
        for name, segments in d.fields.items():
            below = sum(length for _, length, _ in segments)
            for position, length, _ in segments:
                below -= length
                word |= (fields[name] >> below & (1 << length) - 1) << position
        return word


def ignored_bits(d):
    """The "." bits are set: most are (1)."""
    used = d.mask
    for segments in d.fields.values():
        for position, length, _ in segments:
            used |= ((1 << length) - 1) << position
    return ~used & 0xffffffff


def load(path, chapter):
    items = decodegen.parse(path)
    return [Pattern(chapter, d) for item in items for d in item.members()
            if d.name not in EXCLUDED]


# ---- fields ----

def random_field(rng, name, length):
    if name in REGISTERS and length == 5:
        return rng.choice(DATA)
    kind = rng.random()
    if kind < 0.08:
        return 0
    if kind < 0.16:
        return (1 << length) - 1
    return rng.getrandbits(length)


def branch_offset(rng, index, bits):
    """One or two words ahead, or to a word of the code page outside the sequence."""
    reach = (1 << bits - 1) - 1
    low = max(0, START_INDEX + index - reach)
    high = min(CODE_SIZE // 4 - 1, START_INDEX + index + reach)
    near = [START_INDEX + index + 1, START_INDEX + index + 2]
    if rng.random() < 0.6:
        return rng.choice(near) - START_INDEX - index
    while True:
        target = rng.randint(low, high)
        if not START_INDEX <= target < START_INDEX + MAX_WORDS:
            return target - START_INDEX - index


def fix_memory(rng, p, f):
    """Base and index registers by role; no CONSTRAINED UNPREDICTABLE register pairs."""
    f['rn'] = rng.choice(POINTERS)
    if 'rm' in f:
        f['rm'] = rng.choice(OFFSETS + ([31] if p.chapter == 'simd-ldst' else []))
    if 'rt2' in f and f['rt2'] == f.get('rt'):
        f['rt2'] = (f['rt'] + 1) % 16
    while 'rs' in f and f['rs'] in (f.get('rt'), f.get('rt2')):
        f['rs'] = rng.choice(DATA)


def fix_fields(rng, p, f, index):
    """False: this one is not for the test."""
    if p.name in POSITIONAL:
        f['imm'] = branch_offset(rng, index, sum(s[1] for s in p.decoded.fields['imm']))
    elif p.chapter in MEMORY_CHAPTERS:
        fix_memory(rng, p, f)
    elif p.name in ('BR', 'BLR', 'RET'):
        f['rn'] = rng.choice(TARGETS)
    elif p.name == 'HINT':
        return f['hint'] not in (1, 2, 3)
    elif p.name in ('MSR', 'MRS'):
        f['o0'] = 1
        f['op1'], f['crn'], f['crm'], f['op2'] = rng.choice(USER_REGISTERS)
        if p.name == 'MSR' and f['op2'] != 0 or f['crm'] == 4:
            f['rt'] = 31
    elif p.name == 'SYS':
        f['op1'], f['crn'], f['crm'], f['op2'] = rng.choice(USER_OPERATIONS)
        f['rt'] = rng.choice(POINTERS[:4])
    return True


def instruction(rng, p, index):
    while True:
        f = {name: random_field(rng, name, sum(s[1] for s in segments))
             for name, segments in p.decoded.fields.items()}
        if fix_fields(rng, p, f, index):
            return p.word(f)


# ---- states ----

def random_x(rng):
    kind = rng.random()
    if kind < 0.3:
        return rng.choice(EDGES)
    if kind < 0.5:
        return rng.getrandbits(rng.choice([4, 8, 16, 32]))
    return rng.getrandbits(64)


def numbers(rng):
    """Lanes that nothing happens to, whole numbers or fractions; a special one among some."""
    form, values, count = rng.choice([('d', DOUBLES, 2), ('f', SINGLES, 4)])
    scale = rng.choice([1, 1, 3, 4096])
    lanes = [int.from_bytes(struct.pack('<' + form, rng.randint(-1000, 1000) / scale), 'little')
             for _ in range(count)]
    if rng.random() < 0.3:
        lanes[rng.randrange(count)] = rng.choice(values)
    return sum(lane << 128 // count * n for n, lane in enumerate(lanes))


def random_v(rng):
    kind = rng.random()
    if kind < 0.2:
        return rng.choice(DOUBLES) | rng.choice(DOUBLES) << 64
    if kind < 0.4:
        return sum(rng.choice(SINGLES) << 32 * n for n in range(4))
    if kind < 0.6:
        return numbers(rng)
    if kind < 0.7:
        return sum(rng.choice([0, 1, 0x7f, 0x80, 0xff]) << 8 * n for n in range(16))
    if kind < 0.8:      # doubles and singles of moderate size
        d = rng.randint(1, 2046 if rng.random() < 0.2 else 1100) << 52 | rng.getrandbits(52)
        return (d | rng.getrandbits(1) << 63) | rng.getrandbits(64) << 64
    return rng.getrandbits(128)


def random_state(rng, simd):
    middle = DATA_BASE + 0x20000
    x = [random_x(rng) for _ in range(31)]
    x[20], x[21] = middle, middle + 16 * rng.randint(-16, 16)
    x[22], x[23] = middle + 4 * rng.randint(-64, 64), middle + rng.randint(-256, 256)
    x[24], x[25] = rng.randint(0, 255), (1 << 64) - rng.randint(1, 255)
    x[26] = CODE_BASE + 4 * rng.randrange(0, START_INDEX)
    x[27] = CODE_BASE + 4 * rng.randrange(START_INDEX + 64, CODE_SIZE // 4)
    x[28] = rng.randint(1, 20)
    x[30] = x[26]
    fpcr = fpsr = 0
    if simd and rng.random() < 0.6:
        fpcr = rng.getrandbits(4) << 22 | (rng.random() < 0.1) << 26
        fpsr = rng.choice([0, 1 << 27, 0x9f, rng.getrandbits(5)])
    return State(x, middle + 16 * rng.randint(-16, 16), rng.getrandbits(4) << 28, fpcr, fpsr,
                 [random_v(rng) for _ in range(32)])


# ---- cases ----

def single(rng, p):
    state = random_state(rng, p.chapter.startswith(SIMD_CHAPTERS))
    case = Case(state, [instruction(rng, p, 0)], [p.name])
    case.patterns = [p]
    return case


def keeps_sp(p, word):
    """SP stays a 16-byte aligned pointer into the window."""
    if p.name in SP_WRITERS:
        return word & 31 != 31 or word >> 29 & 1
    if p.chapter == 'simd-ldst' and 'rm' in p.decoded.fields:
        return word >> 5 & 31 != 31
    if p.chapter == 'ldst' and 'mode' in p.decoded.fields and word >> 5 & 31 == 31:
        # Write-back by a multiple of 16 (imm9 in bytes; pairs are at least 4 bytes).
        return word >> 12 & 15 == 0 if 'size' in p.decoded.fields else word >> 15 & 3 == 0
    return p.name not in ('LDST_MULT_post', 'LDST_LANE_post') or word >> 5 & 31 != 31


def exclusive_store(rng, load_word):
    """The store-exclusive that goes with LDXR or LDXP: same size, base and pairing."""
    rs = rng.choice([n for n in DATA if n not in (load_word & 31, load_word >> 10 & 31)])
    return load_word & ~(1 << 22 | 31 << 16) | rs << 16


def may_mix(c):
    """A store-exclusive of another size than the load before it is UNPREDICTABLE."""
    return c.names[0] not in ('STXR', 'STXP') and keeps_sp(c.patterns[0], c.words[0])


class Sequence:
    """CLREX, a body (a loop half of the time), BRK, and a function that the body calls."""

    def __init__(self, rng, usable, simd):
        self.rng, self.usable = rng, usable
        self.words, self.names = [CLREX], ['CLREX']
        self.calls = []                         # indices of BLs to be resolved
        self.state = random_state(rng, simd)

    def add(self, name, word):
        self.words.append(word)
        self.names.append(name)

    def add_random(self, allowed):
        c = self.rng.choice(self.usable)
        name, p, word = c.names[0], c.patterns[0], c.words[0]
        if not allowed(name):
            return
        if name == 'BL':
            self.calls.append(len(self.words))
        elif name == 'BLR':
            word = word & ~(31 << 5) | FUNCTION << 5
        elif name == 'BR':
            word = word & ~(31 << 5) | LOOP_END << 5
        elif name in POSITIONAL:
            word = instruction(self.rng, p, len(self.words))
        self.add(name, word)
        if name in ('LDXR', 'LDXP') and self.rng.random() < 0.8:
            self.add('STXR', exclusive_store(self.rng, word))

    def body(self, length):
        loop = self.rng.random() < 0.5
        if loop:
            # SUB of the counter: branches do not skip it.
            self.add('LOOP', 0xd1000400 | COUNTER << 5 | COUNTER)
        while len(self.words) < length:
            self.add_random(lambda name: name != 'RET')
        self.state.x[LOOP_END] = CODE_BASE + CODE_START + 4 * len(self.words)
        if loop:
            back = 1 - len(self.words) & 0x7ffff
            self.add('CBNZ', 0xb5000000 | back << 5 | COUNTER)

    def function(self, length):
        for _ in range(2):          # out of reach for branches of the body
            self.add('BRK', BRK)
        start = len(self.words)
        while len(self.words) < start + length:
            self.add_random(lambda name: name not in POSITIONAL | {'BR', 'BLR', 'RET'})
        self.add('RET', 0xd65f0000 | LINK << 5)
        self.state.x[FUNCTION] = CODE_BASE + CODE_START + 4 * start
        for n in self.calls:
            self.words[n] = 0x94000000 | start - n


def sequence(rng, usable, longest, simd):
    """Of single-instruction cases that may_mix(), in random order."""
    s = Sequence(rng, usable, simd)
    s.body(rng.randint(2, longest))
    s.function(rng.randint(0, 4))
    return Case(s.state, s.words, s.names)
