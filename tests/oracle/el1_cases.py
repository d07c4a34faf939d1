# SPDX-License-Identifier: GPL-2.0-or-later
"""Random sequences for EL0 and EL1, with page tables of their own, as assembly.

Each sequence depends on the image's seed and its number alone, so that others can be left
out. What it may do is chosen such that it cannot leave: code and the tables are read-only for
it, what it can write it cannot execute, branches go forwards.

What the manual leaves open, or the other side is known not to do, is not generated:
- unaligned accesses to Device memory, which QEMU 7.2 makes (DDI 0487 B2.5.2), and those
  through a misaligned SP (D1.8.2), which it does not check;
- fetches from misaligned addresses that are not mapped: QEMU prefers the wrong fault (D1.12.4);
- cache maintenance by address where it would fault (D4.4.8): QEMU does nothing at all;
- PAR_EL1.NS, which is UNKNOWN, and PAR_EL1.SH, which QEMU takes from the descriptor for
  Device memory, too (D17.2.105);
- pairs across pages: which part of a faulting pair is written is UNKNOWN (D1.13.4);
- blocks where the granule has none, which QEMU takes (D5.3.1);
- illegal returns to tagged addresses, whose tag QEMU keeps (AArch64.ExceptionReturn());
- MSR DAIFSet/DAIFClr that trap: QEMU swaps op1 and op2 in their syndrome (D17.2.37);
- registers that QEMU has not (DBGCLAIM, DBGPRCR, DBGAUTHSTATUS) and the trap by MDSCR_EL1.TDCC;
- what is RES0 or RES1 without AArch32, which QEMU's models have;
- unaligned accesses to where nothing is: QEMU aligns FAR_EL1;
- tables that change without TLB maintenance;
- SPSR_EL1.M[4], AArch32.
"""
import random

POOL = 0x40600000           # tables, and behind them
DATA = [POOL + 0x100000 + (n << 16) for n in range(5)]
CODE = 0x40210000           # a page that the sequences may branch to
ATTR_NORMAL, ATTR_OTHER = 0, 2      # indices in MAIR_EL1
AF, AP_EL0, AP_RO = 1 << 10, 1 << 6, 1 << 7
PXN, UXN = 1 << 53, 1 << 54
TCR = 5 << 32 | 1 << 31 | 0x3510 | 0x3500 << 16     # walks as the caches like them
SCTLR = 0x30d00981
SCTLR_BITS = {'A': 1, 'SA': 3, 'SA0': 4, 'UMA': 9, 'DZE': 14, 'UCT': 15, 'nTWI': 16, 'WXN': 19,
              'E0E': 24, 'UCI': 26}
SVC_END = 0xffff

# Registers that keep what is written, and which bits of it are.
KEPT = ['tpidr_el0', 'tpidrro_el0', 'contextidr_el1', 'par_el1', 'elr_el1', 'esr_el1', 'far_el1',
        'sp_el0', 'afsr0_el1', 'afsr1_el1', 'amair_el1', 'mdscr_el1', 'csselr_el1', 'cntkctl_el1',
        'fpcr', 'fpsr', 'nzcv', 'actlr_el1', 'oslar_el1', 'osdlr_el1']
WRITABLE_BITS = {'mdscr_el1': 0, 'csselr_el1': 7, 'cntkctl_el1': 0x3ff,
                 'contextidr_el1': 0xffffffff, 'esr_el1': 0xffffffff, 'fpcr': 0x07c00000,
                 'fpsr': 0x0800009f, 'nzcv': 0xf0000000, 'oslar_el1': 1, 'osdlr_el1': 1,
                 'par_el1': 0x0000fffffffff000}
READ_ONLY = ['midr_el1', 'mpidr_el1', 'revidr_el1', 'ctr_el0', 'dczid_el0', 'currentel', 'daif',
             'spsel', 'ccsidr_el1', 'clidr_el1', 'aidr_el1', 'isr_el1', 'oslsr_el1',
             'mdrar_el1', 'mdccsr_el0', 'id_aa64isar0_el1', 's3_0_c0_c4_7', 's3_0_c0_c7_7',
             'sctlr_el1', 'tcr_el1', 'cpacr_el1', 'mair_el1', 'vbar_el1', 'cntfrq_el0',
             'cntkctl_el1', 'spsr_el1', 'spsr_abt', 'sp_el1', 'elr_el2', 'sctlr_el3', 'hcr_el2']


def bits(value, low, count):
    return value >> low & (1 << count) - 1


class Tables:
    """Pages by level: the granule's stride tells which levels there are."""

    def __init__(self, granule, base, counts, strict):
        self.granule = granule
        self.strict = strict
        self.stride = granule - 3
        self.pages = {}
        for level, count in counts.items():
            self.pages[level] = [base + (n << granule) for n in range(count)]
            base += count << granule
        self.end = base

    def indices(self, level, size_bits):
        """Few, the last one among them; level 3 has more."""
        return list(range(6 if level == 3 else 3)) + [(1 << size_bits) - 1]

    def is_large(self, level):
        """More than there is RAM."""
        return self.granule == 16 or level == 1

    def has_block(self, level):
        """With unaligned accesses, nothing leads to where no memory is."""
        return (level == 2 or level == 1 and self.granule == 12) and \
            (self.strict or not self.is_large(level))

    def descriptor(self, rng, level):
        kind = rng.random()
        attrs = AF if rng.random() < 0.95 else 0
        attrs |= rng.choice((0, AP_EL0, AP_EL0)) | rng.choice((0, 0, 2, 3)) << 8
        attrs |= rng.choice((ATTR_NORMAL, ATTR_NORMAL, ATTR_OTHER)) << 2
        attrs |= rng.choice((0, 0, 1 << 11))
        if kind < 0.06:
            desc = self.anything(rng) & ~3 | rng.choice((0, 2) if level < 3 else (0, 1, 2))
        elif level < 3 and kind < 0.9:
            # The limits of tables; bits 54 and 53 are ignored.
            desc = rng.choice(self.pages[level + 1]) | 3
            desc |= (rng.randrange(16) << 59) if rng.random() < 0.08 else 0
        elif level < 3 and self.has_block(level):
            block = 0x40000000 if self.is_large(level) else POOL
            desc = block | 1 | attrs | AP_RO | PXN | UXN
        elif level < 3:
            desc = 0
        elif kind < 0.7:
            desc = rng.choice(DATA) | 3 | attrs | rng.choice((0, 0, 0, AP_RO)) | PXN | UXN
        elif kind < 0.9:
            desc = CODE | 3 | attrs | AP_RO | rng.choice((0, 0, PXN)) | rng.choice((0, 0, UXN))
        else:
            desc = self.anything(rng) | 3 | attrs | AP_RO | PXN | UXN
        if rng.random() < 0.04:
            desc ^= 1 << rng.choice((10, 11, 44, 46, 52, 55, 56, 57, 58))
        return desc

    def anything(self, rng):
        return rng.choice(self.pages[rng.choice(list(self.pages))] + DATA)

    def slot(self, rng):
        level = rng.choice(list(self.pages))
        size = rng.choice((self.stride, min(self.stride, (39 - self.granule) % self.stride or 99)))
        return level, rng.choice(self.pages[level]) + 8 * rng.choice(self.indices(level, size))

    def start_level(self, tsz):
        return 4 - -(-(64 - tsz - self.granule) // self.stride)

    def address(self, rng, tsz, upper):
        """Indices that may be mapped, for a space of 64 - tsz bits; the offset is 0."""
        vaddr, size = 0, 64 - tsz
        for level in range(3, self.start_level(tsz) - 1, -1):
            shift = self.granule + (3 - level) * self.stride
            count = min(self.stride, size - shift)
            vaddr |= bits(rng.choice(self.indices(level, count)), 0, count) << shift
        return vaddr | ((1 << 64) - (1 << size) if upper else 0)


class Sequence:
    """Assembly and start state of one."""

    def __init__(self, image, number):
        self.image = image
        self.number = number
        self.rng = random.Random('%d:%d' % (image.seed, number))
        self.el = self.rng.choice((0, 1, 1))
        self.labels = 0
        self.tsz1 = self.rng.choice((25, 25, 25, 16, 28, 33))
        self.configure()
        self.choose_registers()
        self.code = []
        for _ in range(self.rng.randrange(2, 14)):
            self.code += self.any_step()
        self.code.append('svc #%d' % SVC_END)

    def configure(self):
        rng, image = self.rng, self.image
        upper = image.upper
        level = max(upper.start_level(self.tsz1), min(upper.pages))
        tg1 = 2 if upper.granule == 12 else 3
        self.tcr = TCR & ~(3 << 30) | tg1 << 30 | 16 | self.tsz1 << 16
        self.tcr |= rng.choice((0, 0, 1 << 37)) | rng.choice((0, 0, 1 << 38))    # TBI
        self.tcr |= 1 << 23 if rng.random() < 0.05 else 0                        # EPD1
        self.tcr |= rng.choice((0, 1 << 22)) | rng.choice((0, 1 << 36))          # A1, AS
        self.ttbr1 = rng.choice(upper.pages[level]) | rng.randrange(1 << 16) << 48
        self.ttbr0 = image.lower.pages[1][rng.randrange(2)] | 3
        # The harness's normal memory and devices; the third is the sequences'.
        self.mair = 0x00ff | (0x04 if image.strict else rng.choice((0x44, 0xff, 0xbb))) << 16
        self.sctlr = SCTLR
        for name, bit in SCTLR_BITS.items():
            often = name not in ('A', 'E0E', 'WXN', 'SA', 'SA0')
            if rng.random() < (0.5 if often else 0.2):
                self.sctlr ^= 1 << bit
        self.sctlr |= 1 << 16       # WFI would wait
        self.cpacr = rng.choice((3, 3, 3, 1, 0, 2)) << 20
        self.cntkctl = rng.choice((0, 3, rng.randrange(1 << 10)))
        self.stores = []
        for _ in range(rng.randrange(0, 8)):
            tables = rng.choice((upper, image.lower))
            where, slot = tables.slot(rng)
            self.stores.append((slot, tables.descriptor(rng, where)))

    def any_address(self):
        if self.rng.random() < 0.5:
            return 1 << 39 | self.image.lower.address(self.rng, 25, False)
        return self.image.upper.address(self.rng, self.tsz1, True)

    def choose_registers(self):
        rng = self.rng
        self.x = [self.any_value() for _ in range(31)]
        for n in range(16, 26):
            offset = rng.choice((0, 0x100, 0x7f0, 0xff0)) if n < 25 else 4 * rng.randrange(20)
            vaddr = self.any_address()
            # Not so far up that an access would wrap around to the devices.
            self.x[n] = vaddr | (offset if vaddr < (1 << 64) - 4096 else 0x100)
            if rng.random() < 0.08:
                self.x[n] ^= rng.randrange(1, 256) << 56
        for n in range(20, 24):
            if not self.image.strict and rng.random() < 0.5:
                self.x[n] += rng.randrange(16)
        self.x[24] = rng.choice((0x0000dead00000000, 0xffff000000001000, 1 << 52, 1 << 47))
        self.sp = self.any_address() | rng.choice((0x800, 0x810))

    def any_value(self):
        return self.rng.choice((0, 1, (1 << 64) - 1, 1 << 63, self.rng.getrandbits(64),
                                self.rng.getrandbits(32)))

    # ---- steps: each gives a list of lines ----

    def reg(self):
        return self.rng.randrange(16)

    def label(self):
        self.labels += 1
        return '.Ls%d_%d' % (self.number, self.labels)

    def step_alu(self):
        op = self.rng.choice(('add', 'sub', 'eor', 'adds', 'subs', 'ands', 'orr'))
        return ['%s x%d, x%d, x%d' % (op, self.reg(), self.reg(), self.reg())]

    def step_load(self):
        op, size = self.rng.choice((('ldr x', 8), ('ldr w', 4), ('ldrh w', 2), ('ldrb w', 1),
                                    ('ldrsw x', 4), ('ldr d', 8), ('ldr q', 16)))
        return [self.single(op, size)]

    def step_store(self):
        op, size = self.rng.choice((('str x', 8), ('str w', 4), ('strh w', 2), ('strb w', 1),
                                    ('str d', 8), ('str q', 16)))
        return [self.single(op, size)]

    def single(self, op, size):
        base = self.rng.choice(('x%d' % self.rng.randrange(16, 24), 'x24', 'sp'))
        if base == 'x24' and self.rng.random() < 0.7:
            base = 'x20'
        offset = size * self.rng.randrange(-8, 8) if self.image.strict or op[-1] in 'dq' \
            else self.rng.randrange(-64, 64)
        reg = self.rng.randrange(4) if op[-1] in 'dq' else self.reg()
        form = self.rng.choice(('[%s, #%d]', '[%s, #%d]', '[%s, #%d]!', '[%s], #%d'))
        if base in ('x16', 'x17', 'x18', 'x19', 'sp') or self.image.strict:
            form = '[%s, #%d]'
        name = op.replace('ldr', 'ldur').replace('str', 'stur') if form == '[%s, #%d]' else op
        return '%s%d, %s' % (name, reg, form % (base, offset))

    def step_unprivileged(self):
        op, size = self.rng.choice((('ldtr x', 8), ('ldtr w', 4), ('ldtrb w', 1), ('sttr x', 8),
                                    ('sttrh w', 2), ('sttr w', 4), ('ldtrsw x', 4)))
        offset = size * self.rng.randrange(-8, 8)
        return ['%s%d, [x%d, #%d]' % (op, self.reg(), self.rng.randrange(16, 24), offset)]

    def step_pair(self):
        first = self.rng.randrange(8)
        op, size = self.rng.choice((('ldp x', 16), ('stp x', 16), ('ldp w', 8), ('stp w', 8)))
        return ['%s%d, %s%d, [x%d, #%d]' % (op, first, op[-1], first + 8,
                                            self.rng.randrange(16, 20), size *
                                            self.rng.randrange(-4, 4))]

    def step_exclusive(self):
        base = self.rng.randrange(16, 20)
        first = self.rng.choice(('ldxr', 'ldaxr', 'ldxr', 'ldar')) + ' x%d, [x%d]' % (self.reg(),
                                                                                   base)
        last = self.rng.choice(('stxr w5, x%d', 'stlxr w5, x%d', 'stlr x%d')) % (6 + self.reg() % 8)
        between = self.rng.choice(([], [], ['svc #1'], ['clrex'], ['brk #2'], ['nop']))
        return [first, *between, last + ', [x%d]' % base]

    def step_call(self):
        imm = self.rng.randrange(1 << 10)
        return [self.rng.choice(('svc #%d', 'svc #%d', 'brk #%d', 'hlt #%d', 'smc #%d')) % imm]

    def step_undefined(self):
        """UDF, unallocated words, debug state's instructions, EL2's registers, extensions."""
        return [self.rng.choice(('.inst 0x00000000', '.inst 0xffffffff', 'drps', '.inst 0xd4a00001',
                                 '.inst 0xd5380c10', '.inst 0xe7ffffff', '.inst 0xd503233f',
                                 '.inst 0xd5184101', '.inst 0xd51ce001', '.inst 0x88e0fc41'))]

    def step_write(self):
        reg = self.rng.choice(KEPT)
        lines = []
        if reg in WRITABLE_BITS:
            n = self.reg()
            value = self.rng.getrandbits(64) & WRITABLE_BITS[reg]
            lines = self.constant(n, value | (0x800 if reg == 'par_el1' else 0))
            lines += ['msr %s, x%d' % (reg, n)]
        else:
            # A stack pointer leads where memory is, or nothing.
            n = self.rng.randrange(16, 20) if reg == 'sp_el0' else self.reg()
            lines = ['msr %s, x%d' % (reg, n)]
        if self.rng.random() < 0.7 and reg not in ('oslar_el1',):
            lines.append('mrs x%d, %s' % (self.reg(), reg))
        return lines

    def step_read(self):
        return ['mrs x%d, %s' % (self.reg(), self.rng.choice(READ_ONLY))]

    def step_counter(self):
        return ['mrs xzr, %s' % self.rng.choice(('cntvct_el0', 'cntpct_el0', 'cntv_ctl_el0',
                                                 'cntp_ctl_el0', 'cntp_cval_el0', 'cntv_cval_el0'))]

    def step_pstate(self):
        imm = self.rng.randrange(16)
        if not self.sctlr >> SCTLR_BITS['UMA'] & 1:
            return ['msr daif, x%d' % self.reg()]
        return self.rng.choice((['msr daif%s, #%d' % (self.rng.choice(('set', 'clr')), imm)],
                                ['msr spsel, #%d' % (imm & 1)], ['msr daif, x%d' % self.reg()],
                                ['mrs x%d, daif' % self.reg()]))

    def step_translate(self):
        op = self.rng.choice(('s1e1r', 's1e1w', 's1e0r', 's1e0w'))
        n = self.reg()
        return ['at %s, x%d' % (op, self.rng.randrange(16, 25)), 'isb',
                'mrs x%d, par_el1' % n, 'bic x%d, x%d, #0x380' % (n, n)]

    def step_cache(self):
        n = self.reg()
        if self.rng.random() < 0.2:
            return [self.rng.choice(('ic iallu', 'ic ialluis', 'dc isw, xzr', 'dc csw, xzr',
                                     'dc cisw, xzr', 'tlbi vmalle1', 'tlbi aside1, x0',
                                     'dsb sy', 'isb'))]
        if self.rng.random() < 0.5 and not self.image.strict:
            return ['dc zva, x%d' % self.rng.randrange(16, 25)]
        op = self.rng.choice(('dc cvac', 'dc civac', 'dc cvau', 'ic ivau'))
        return ['adr x%d, .' % n, '%s, x%d' % (op, n)]

    def step_fp(self):
        return [self.rng.choice(('fadd d0, d1, d2', 'fmul d1, d0, d0', 'fmov d2, x%d' % self.reg(),
                                 'fmov x%d, d0' % self.reg(), 'movi v1.2d, #0xff00ff00ff00ff00',
                                 'fcvtzs x%d, d2' % self.reg(), 'ins v1.d[1], x%d' % self.reg()))]

    def step_return(self):
        """Another exception level or state, behind this step or where nothing is."""
        mode = self.rng.choice((0, 0, 4, 5, 5, self.rng.choice((1, 2, 3, 6, 7, 8, 9, 12, 13, 15))))
        spsr = mode | self.rng.randrange(16) << 28 | self.rng.randrange(16) << 6
        spsr |= 1 << 20 if self.rng.random() < 0.05 else 0
        spsr |= 1 << 21 if self.rng.random() < 0.1 else 0
        label, n = self.label(), self.reg()
        target = ['adr x%d, %s' % (n, label)]
        if self.rng.random() < 0.15 and mode in (0, 4, 5):
            target = ['add x%d, x25, #4' % n]
        elif self.rng.random() < 0.05:
            target.append('add x%d, x%d, #2' % (n, n))
        return target + ['msr elr_el1, x%d' % n] + self.constant(n, spsr) + \
            ['msr spsr_el1, x%d' % n, 'eret', label + ':']

    def step_branch(self):
        kind = self.rng.random()
        label = self.label()
        if kind < 0.6:
            return ['%s %s' % (self.rng.choice(('b.eq', 'b.ne', 'cbz x%d,' % self.reg(),
                                                'tbnz x%d, #3,' % self.reg())), label),
                    *self.step_alu(), label + ':']
        if kind < 0.7:
            n = self.reg()
            return ['adr x%d, .' % n, 'add x%d, x%d, #10' % (n, n), 'br x%d' % n]
        return [self.rng.choice(('br x25', 'blr x25', 'ret x25', 'br x24'))]

    def constant(self, n, value):
        lines = ['mov x%d, #%d' % (n, bits(value, 0, 16))]
        return lines + ['movk x%d, #%d, lsl #%d' % (n, bits(value, s, 16), s)
                        for s in (16, 32, 48) if bits(value, s, 16)]

    def any_step(self):
        steps = ((self.step_load, 18), (self.step_store, 18), (self.step_unprivileged, 9),
                 (self.step_pair, 6), (self.step_exclusive, 5), (self.step_call, 5),
                 (self.step_undefined, 3), (self.step_write, 7), (self.step_read, 5),
                 (self.step_counter, 2), (self.step_pstate, 4), (self.step_translate, 8),
                 (self.step_cache, 8), (self.step_fp, 3), (self.step_return, 6),
                 (self.step_branch, 5), (self.step_alu, 5))
        return self.rng.choices([s for s, _ in steps], [w for _, w in steps])[0]()

    # ---- output ----

    def text(self):
        return ['sequence_%d:' % self.number] + \
            ['        ' + line if not line.endswith(':') else line for line in self.code]

    def data(self, trace):
        mode = 0x3c0 | (0 if self.el == 0 else self.rng.choice((5, 5, 4)))
        quads = self.x + [self.sp, self.sp]
        out = ['        .quad ' + ', '.join('0x%x' % v for v in quads),
               '        .quad sequence_%d, 0x%x, 0' % (self.number, mode)]
        config = (self.sctlr, self.tcr, self.mair, self.cpacr, self.cntkctl, self.ttbr0,
                  self.ttbr1)
        out.append('        .quad ' + ', '.join('0x%x' % v for v in config))
        for addr, value in self.stores + [(0, 0)] * (8 - len(self.stores)):
            out.append('        .quad 0x%x, 0x%x' % (addr, value))
        out.append('        .word %d, %d' % (self.number, trace))
        return out


class Image:
    """All of one seed: the tables at the start, and the sequences."""

    def __init__(self, seed, count):
        rng = random.Random(seed)
        self.seed = seed
        self.strict = rng.random() < 0.4
        self.lower = self.tables(12, POOL, {1: 2, 2: 3, 3: 5})
        if rng.random() < 0.6:
            self.upper = self.tables(12, self.lower.end, {0: 2, 1: 2, 2: 3, 3: 5})
        else:
            self.upper = self.tables(16, POOL + 0x40000, {1: 1, 2: 2, 3: 3})
        self.start = {}
        for tables in (self.lower, self.upper):
            for _ in range(500):
                level, slot = tables.slot(rng)
                self.start[slot] = tables.descriptor(rng, level)
        for page in DATA:
            for offset in list(range(0, 0x200, 8)) + list(range(0x700, 0x900, 8)):
                self.start[page + offset] = rng.getrandbits(64)
        self.sequences = [Sequence(self, n) for n in range(count)]

    def tables(self, granule, base, counts):
        return Tables(granule, base, counts, self.strict)

    def assembly(self, kept, trace):
        """Of the sequences with these numbers."""
        kept = [s for s in self.sequences if s.number in kept]
        out = ['        .arch armv8-a+crypto+crc', '        .text', '        .balign 65536',
               '        .global code_page', 'code_page:']
        for n in range(24):
            out.append('        ' + ('svc #%d', 'brk #%d', 'mov x%d, x7')[n % 3] % (n + 2))
        out += ['        .balign 65536']
        for s in kept:
            out += s.text()
        out += ['        .data', '        .balign 8', '        .global sequences', 'sequences:']
        for s in kept:
            out += s.data(int(trace))
        out += ['        .global num_sequences', 'num_sequences: .word %d' % len(kept),
                '        .balign 8', '        .global pool_start', 'pool_start:']
        out += ['        .quad 0x%x, 0x%x' % ((addr - POOL) // 8, value)
                for addr, value in sorted(self.start.items())]
        out += ['        .quad ~0, 0', '        .global pool_words, pool_tables, pool',
                'pool_tables: .word 0x%x' % ((DATA[0] - POOL) // 8),
                'pool_words: .word 0x%x' % ((DATA[-1] + 0x10000 - POOL) // 8),
                '        .equ pool, 0x%x' % POOL, '']
        return '\n'.join(out)
