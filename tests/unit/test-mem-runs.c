/*
 * Accesses near one register, over the ends of pages that are mapped to any frames, read-only, to
 * a device, or not at all: of all sizes, unaligned, before and behind each other, with what else
 * units do in between. Each random program ends in the same state on both back ends, whatever the shape
 * of units and TLB.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arm-machine.h"
#include "rng.h"

#define LEVEL3 (RAM + 0x30000)
#define LEVEL2 (RAM + 0x31000)
#define LEVEL1 (RAM + 0x32000)
#define CODE (RAM + 0x10000)
#define VECTORS (RAM + 0x800)
#define FRAMES (RAM + 0x100000)
#define NUM_PAGES 8
#define DEVICE (RAM + RAM_SIZE)         /* right behind the RAM */
#define BODY_INSNS 48
#define ROUNDS 24
#define TAG (0x5aull << 56)

/* ---- programs ---- */

/* X0 and X1 are what accesses are near to, X2 to X17 data. X25 is X0 at the start of a round. */
static const uint32_t start[0x1000 / 4] = {
    0xd5181053,     /* 00: msr cpacr_el1, x19 */
    0xd518201a,     /*     msr ttbr0_el1, x26 */
    0xd518205b,     /*     msr tcr_el1, x27 */
    0xd518c01d,     /*     msr vbar_el1, x29 */
    0xd518101c,     /*     msr sctlr_el1, x28 */
    0xd5033fdf,     /*     isb */
    0xd61f03c0,     /*     br x30 */
    [0xa00 / 4] =   /* An exception: note it, and go on behind the instruction. */
    0xd5386014,     /* a00: mrs x20, far_el1 */
    0xcad51e95,     /*      eor x21, x20, x21, ror #7 */
    0xd5385214,     /*      mrs x20, esr_el1 */
    0xcad51e95,     /*      eor x21, x20, x21, ror #7 */
    0xd5384014,     /*      mrs x20, spsr_el1: flags, too */
    0xcad51e95,     /*      eor x21, x20, x21, ror #7 */
    0xd5384034,     /*      mrs x20, elr_el1 */
    0x91001294,     /*      add x20, x20, #4 */
    0xd5184034,     /*      msr elr_el1, x20 */
    0xd69f03e0,     /*      eret */
};
static const uint32_t round_end[] = {
    0x8b120339,     /* add x25, x25, x18 */
    0xaa1903e0,     /* mov x0, x25 */
    0x8b180001,     /* add x1, x0, x24 */
};

/* The size and operation bits of a load or store of one register: general, then vector. */
static uint32_t one_register(Rng *rng)
{
    uint32_t size = rng_below(rng, 4);

    if (rng_percent(rng, 30)) {
        return 1u << 26 | (rng_percent(rng, 40) ? (2 + rng_below(rng, 2)) << 22
                                                : size << 30 | rng_below(rng, 2) << 22);
    }
    return size << 30 | rng_below(rng, size == 3 ? 2 : size == 2 ? 3 : 4) << 22;
}

/* A signed distance. Every second program keeps to a few bytes, so that its accesses overlap. */
static uint32_t distance(Rng *rng, bool dense, unsigned limit)
{
    limit = dense ? MIN(limit, 20u) : limit;
    return rng_below(rng, 2 * limit) - limit;
}

/* The offset of a load or store, in units of 1 << scale: some are a page or two away. */
static uint32_t offset(Rng *rng, bool dense, unsigned scale)
{
    uint32_t bytes = rng_below(rng, dense ? 20 : 600);

    if (rng_percent(rng, 30)) {
        bytes += rng_below(rng, 3) * PAGE_SIZE - rng_below(rng, 20);
    }
    return bytes >> scale & 0xfff;
}

static uint32_t pair(Rng *rng, bool dense)
{
    uint32_t mode = 1 + rng_below(rng, 3);
    uint32_t imm = distance(rng, dense, mode == 2 ? 64 : 4) & 127;
    uint32_t opc = rng_below(rng, 3), vector = rng_percent(rng, 30), load = rng_below(rng, 2);

    return 0x28000000 | opc << 30 | vector << 26 | mode << 23 |
           (load | (!vector && opc == 1)) << 22 | imm << 15 | (10 + rng_below(rng, 8)) << 10;
}

static uint32_t access_insn(Rng *rng, bool dense)
{
    uint32_t base = rng_percent(rng, 25) << 5, rt = 2 + rng_below(rng, 8);
    uint32_t imm9 = (distance(rng, dense, 256) & 511) << 12, op;

    switch (rng_below(rng, 8)) {
    case 0: case 1: case 2:             /* LDUR, STUR */
        return 0x38000000 | one_register(rng) | imm9 | base | rt;
    case 3:                             /* LDR, STR (unsigned immediate) */
        op = 0x39000000 | one_register(rng);
        return op | offset(rng, dense, op >> 30) << 10 | base | rt;
    case 4: case 5:
        return pair(rng, dense) | base | rt;
    case 6:
        switch (rng_below(rng, 6)) {
        case 0: return 0xc85f7c00 | base | rt;                  /* ldxr x */
        case 1: return 0xc8007c00 | 3u << 16 | base | (10 + rt);/* stxr w3, x */
        case 2: return 0x88dffc00 | base | rt;                  /* ldar w */
        case 3: return 0x889ffc00 | base | rt;                  /* stlr w */
        case 4: return 0xf8400800 | imm9 | base | rt;                  /* ldtr x */
        default: return 0x38000800 | imm9 | base | rt;                 /* sttrb */
        }
    default:                            /* after or before X0 moved; by X17 */
        return rng_percent(rng, 30) ? 0x38206800 | one_register(rng) | 17u << 16 | rt :
               0x38000400 | one_register(rng) | rng_below(rng, 2) << 11 |
               ((rng_below(rng, 48) - 16) & 511) << 12 | rt;
    }
}

static uint32_t other_insn(Rng *rng)
{
    static const uint32_t ops[] = {
        0x8b000000, 0xcb000000, 0x0b000000, 0xab000000, 0xeb000000, 0x6b000000,  /* ADD, SUB, .S */
        0x8a000000, 0xaa000000, 0xca000000, 0xea000000, 0x8a200000, 0x6a200000,  /* logical */
        0x9ac02000, 0x9ac02400, 0x1ac02800, 0x9ac02c00, 0x9ac00800, 0x1ac00c00,  /* shifts, DIV */
        0x9b007c00, 0x9bc07c00, 0x9b407c00, 0x93c01400, 0x9a000000, 0xfa000000,  /* MUL, EXTR, ADC */
        0x9a800000, 0x9a801400, 0x9a9f07e0,                                      /* CSEL, CSET */
        0xb3780000 | 7 << 10, 0xd3410000 | 20 << 10, 0x93401c00,        /* BFI, UBFX, SXTB */
        0xdac01000, 0xdac00000, 0xdac00c00, 0xaa2003e0, 0xaa0003e0,     /* CLZ, RBIT, REV, MVN, MOV */
        0x4ea08400, 0x6e201c00, 0x4e081c00,                             /* vector ADD, EOR; INS */
    };
    uint32_t rd = 2 + rng_below(rng, 16), rn = 2 + rng_below(rng, 16), rm = 2 + rng_below(rng, 16);
    uint32_t op = ops[rng_below(rng, ARRAY_SIZE(ops))];

    switch (rng_below(rng, 8)) {
    case 0: return 0x91000000 | rng_below(rng, 64) << 10 | rn << 5 | rd;   /* add x, x, #imm */
    case 1: return 0xf1000000 | rng_below(rng, 64) << 10 | rn << 5 | rd;   /* subs */
    case 2: return 0x54000040 | rng_below(rng, 15);                        /* b.cond over one */
    case 3: return 0xb4000040 | rng_below(rng, 2) << 24 | rn;              /* cbz, cbnz */
    case 4: return 0x36080040 | rng_below(rng, 2) << 24 | rn;              /* tbz, tbnz */
    case 5: return 0xfa400804 | rn << 5 | rng_below(rng, 15) << 12;        /* ccmp x, #0, #4 */
    case 6: return 0x91000000 | rng_below(rng, 2) << 30 | rng_below(rng, 12) << 10; /* x0 +- imm */
    default:
        /* Operations of one source have their opcode where the second one's number is. */
        return op | rd | rn << 5 | (op >= 0xdac00000 && op < 0xdad00000 ? 0 :
                                    op == 0x9a9f07e0 || (op & 0x1f000000) == 0x13000000 ? 0 :
                                    rm << 16);
    }
}

/* ---- running one ---- */

static uint64_t device_read(void *opaque, hwaddr offset, unsigned size)
{
    return offset * 0x9e3779b97f4a7c15u + size;
}

static void device_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    uint64_t *trace = opaque;

    *trace = (*trace ^ value ^ offset ^ size) * 0x9e3779b97f4a7c15u;
}

static const MmioOps device_ops = { .read = device_read, .write = device_write, .min_size = 1,
                                    .max_size = 8 };

typedef struct Case {
    uint32_t body[BODY_INSNS + ARRAY_SIZE(round_end) + 1];
    uint64_t desc[NUM_PAGES];
    uint64_t base, step, distance;
    uint64_t sctlr;
} Case;

static void make_case(Case *c, Rng *rng, unsigned number)
{
    static const uint64_t kinds[] = { 0x703, 0x703, 0x703, 0x743, 0x783, 0x7c3, 0x707, 0 };
    bool mmu_off = number % 16 >= 14, dense = number & 1;
    unsigned n = 0;

    for (; n < BODY_INSNS; n++) {
        c->body[n] = rng_percent(rng, 60) ? access_insn(rng, dense) : other_insn(rng);
    }
    memcpy(&c->body[n], round_end, sizeof(round_end));
    n += ARRAY_SIZE(round_end);
    c->body[n] = 0x14000000 | (-n & 0x3ffffff);
    for (unsigned page = 0; page < NUM_PAGES; page++) {
        uint64_t kind = kinds[rng_below(rng, ARRAY_SIZE(kinds))];

        c->desc[page] = kind ? kind | (rng_percent(rng, 8) ? DEVICE :
                                       FRAMES + page * 5 % NUM_PAGES * PAGE_SIZE) : 0;
    }
    c->base = (mmu_off ? DEVICE : rng_below(rng, NUM_PAGES) * PAGE_SIZE) -
              rng_below(rng, dense ? 60 : 600);
    c->step = rng_percent(rng, 30) ? 8 : 1 + rng_below(rng, dense ? 4 : 64);
    c->distance = (rng_percent(rng, 30) ? TAG : 0) + rng_below(rng, 256);
    /* M, and now and then A. */
    c->sctlr = 0x30d00800 | !mmu_off | (number % 16 == 13 ? 2 : 0);
}

static void put(ArmMachine *a, uint64_t phys, const void *data, size_t bytes)
{
    g_assert_true(memory_write(a->m->memory, phys, data, bytes));
}

static void put64(ArmMachine *a, uint64_t phys, uint64_t value)
{
    put(a, phys, &value, 8);
}

static void begin(ArmMachine *a, const TcgConfig *shape, const Case *c, uint64_t *trace)
{
    Rng rng = { 1 };
    uint64_t *x;

    arm_machine_new(a, NULL, start, sizeof(start));
    clock_use_icount(a->m->clock, 0);
    memory_add_mmio(a->m->memory, "near", DEVICE, 4 * PAGE_SIZE, &device_ops, trace);
    arm_machine_start(a, shape, 1);
    for (uint64_t at = FRAMES; at < FRAMES + NUM_PAGES * PAGE_SIZE; at += 8) {
        put64(a, at, rng_next(&rng));
    }
    put(a, CODE, c->body, sizeof(c->body));
    put(a, LEVEL3, c->desc, sizeof(c->desc));
    put64(a, LEVEL2, LEVEL3 | 3);
    put64(a, LEVEL1, LEVEL2 | 3);
    put64(a, LEVEL1 + 8, RAM | 0x701);          /* 1 GiB: itself */
    a->cpu[0]->s.mair_el[1] = 0xff;             /* 0: normal, 1: device */
    x = a->cpu[0]->vcpu.slot;
    for (unsigned n = 2; n < 18; n++) {
        x[n] = rng_value(&rng);
    }
    x[17] = rng_below(&rng, 300);
    x[0] = x[25] = c->base;
    x[1] = c->base + c->distance;
    x[18] = c->step;
    x[19] = 3 << 20;                            /* CPACR_EL1.FPEN */
    x[24] = c->distance;
    x[26] = LEVEL1;
    x[27] = 1ull << 37 | 1 << 23 | 25;          /* TCR_EL1: TBI0, EPD1, T0SZ */
    x[28] = c->sctlr;
    x[29] = VECTORS;
    x[30] = CODE;
}

static uint64_t run(const TcgConfig *shape, const Case *c)
{
    Digest *d = digest_new();
    uint64_t trace = 1, value;
    ArmMachine a;

    begin(&a, shape, c, &trace);
    arm_machine_run_all(&a, BODY_INSNS * ROUNDS);
    a.cpu[0]->vcpu.ops->digest(&a.cpu[0]->vcpu, d);
    memory_digest_all(a.m->memory, d);
    digest_u64(d, trace);
    value = digest_value(d);
    digest_free(d);
    arm_machine_free(&a);
    return value;
}

/* REARM_SLOW_SUITE=1: 5000 programs instead of 200. */
static void test_random(void)
{
    static const TcgConfig shapes[] = {
        { .interp = true, .unit_insns = 64 }, { .unit_insns = 64 },
        { .unit_insns = 64, .tlb_ways = 1, .tlb_entries = 16 },
        { .unit_insns = 64, .tlb_ways = 8, .tlb_entries = 16, .tlb_chaos = 1 },
        { .unit_insns = 7, .tlb_ways = 2, .tlb_entries = 16, .tlb_chaos = 2 },
        { .unit_insns = 64, .no_opt = true }, { .unit_insns = 64, .no_link = true },
    };
    const char *slow = g_getenv("REARM_SLOW_SUITE");
    unsigned cases = slow && *slow == '1' ? 5000 : 200;
    Rng rng = { 5 };

    for (unsigned n = 0; n < cases; n++) {
        uint64_t expected = 0;
        Case c;

        make_case(&c, &rng, n);
        for (unsigned i = 0; i < ARRAY_SIZE(shapes); i++) {
            uint64_t digest = run(&shapes[i], &c);

            if (i == 0) {
                expected = digest;
            } else if (digest != expected) {
                g_error("case %u, shape %u: another state than the interpreter's", n, i);
            }
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mem-runs/random", test_random);
    return g_test_run();
}
