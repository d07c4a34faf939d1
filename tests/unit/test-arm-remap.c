/*
 * Code whose pages are mapped anew all the time, without TLB maintenance: two CPUs with roots of
 * their own share the tables below, call functions on those pages, some of which run on into
 * the next page, and change descriptors; DMA and a debugger do so, too. In every shape of
 * execution and of the TLB, this ends as when each instruction finds the TLB empty.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arm-machine.h"
#include "rng.h"
#include "accel/tcg/backend.h"

#define NUM_CPUS 2
#define SLICES 500
#define MAX_SLICE 400
#define SEEDS 6

#define ROOTS (RAM + 0x10000)       /* level 1, one a CPU */
#define LEVEL2 (RAM + 0x12000)      /* entry 0 leads to one of the level 3 tables */
#define LEVEL3 (RAM + 0x14000)      /* two of them */
#define PAGES (RAM + 0x20000)       /* eight of code, mapped from address 0 on */
#define NUM_PAGES 8
#define PAGE_DESC 0x703ull          /* AF, inner shareable, normal memory */

#define STORE_DESC 0xf82478e6u     /* str x6, [x7, x4, lsl #3] */

/* Each round calls a page, with the registers for STORE_DESC at random. */
static const uint32_t program[] = {
    0xd518200a,     /* 00: msr ttbr0_el1, x10 */
    0xd518204b,     /*     msr tcr_el1, x11 */
    0xd518100c,     /*     msr sctlr_el1, x12 */
    0xd5033fdf,     /*     isb */
    0x9b0d3a94,     /* 10: madd x20, x20, x13, x14: random bits */
    0xd36bba84,     /*     ubfx x4, x20, #43, #4 */
    0xd372d285,     /*     ubfx x5, x20, #50, #3 */
    0xaa0531e6,     /*     orr x6, x15, x5, lsl #12 */
    0x92500287,     /* 20: and x7, x20, #0x1000000000000 */
    0xaa479207,     /*     orr x7, x16, x7, lsr #36 */
    0xd3618e81,     /*     ubfx x1, x20, #33, #3 */
    0xd374cc22,     /*     lsl x2, x1, #12: a page, ... */
    0xb7400054,     /* 30: tbnz x20, #40, 38 */
    0xb27d2042,     /*     orr x2, x2, #0xff8: ... its first or its last instructions */
    0xd63f0040,     /* 38: blr x2 */
    0xf25b169f,     /*     tst x20, #0x7e000000000 */
    0x54fffe81,     /* 40: b.ne 10 */
    0x92470287,     /*     and x7, x20, #0x200000000000000 */
    0xaa47b627,     /*     orr x7, x17, x7, lsr #45 */
    0xf9000247,     /*     str x7, [x18]: level 2 */
    0x17fffff0,     /* 50: b 10 */
};

static const TcgConfig shapes[] = {
    { .unit_insns = 64 }, { .unit_insns = 1 }, { .unit_insns = 7 },
    { .unit_insns = 64, .no_link = true }, { .unit_insns = 64, .no_opt = true },
    { .unit_insns = 64, .tlb_ways = 1, .tlb_entries = 16, .tlb_chaos = 1 },
    { .unit_insns = 7, .tlb_ways = 8, .tlb_chaos = 2 },
    { .interp = true, .unit_insns = 64 }, { .interp = true, .unit_insns = 7, .tlb_chaos = 3 },
};

static void put(ArmMachine *a, uint64_t phys, const void *data, size_t bytes)
{
    g_assert_true(memory_write(a->m->memory, phys, data, bytes));
}

static void put64(ArmMachine *a, uint64_t phys, uint64_t value)
{
    put(a, phys, &value, 8);
}

/* Odd ones change a descriptor: it may be that of the very page, or of the next. */
static void put_page(ArmMachine *a, unsigned n)
{
    const uint32_t first[] = {
        0xcad502b5 | (n + 3) << 10,     /* eor x21, x21, x21, ror #(n + 3) */
        n & 1 ? STORE_DESC : 0x910006b5,        /* or add x21, x21, #1 */
        0x910002b5 | (n + 1) << 10,     /* add x21, x21, #(n + 1) */
        0xd65f03c0,                     /* ret */
    };
    const uint32_t last[] = { n & 2 ? STORE_DESC : first[0], 0x910002b5 | (n + 64) << 10 };

    put(a, PAGES + n * PAGE_SIZE, first, sizeof(first));
    put(a, PAGES + (n + 1) * PAGE_SIZE - sizeof(last), last, sizeof(last));
}

static void start_cpu(ArmMachine *a, unsigned n, uint64_t seed)
{
    Vcpu *vcpu = &a->cpu[n]->vcpu;
    uint64_t *x = vcpu->slot;

    a->cpu[n]->s.mair_el[1] = 0xff;
    x[10] = ROOTS + n * PAGE_SIZE;
    x[11] = 25;                         /* T0SZ */
    x[12] = 0x30d00801;                 /* SCTLR_EL1.M */
    x[13] = 6364136223846793005u;
    x[14] = 1442695040888963407u;
    x[15] = PAGES | PAGE_DESC;
    x[16] = LEVEL3;
    x[17] = LEVEL3 | 3;
    x[18] = LEVEL2;
    x[20] = seed * 1000 + n;
    put64(a, x[10], LEVEL2 | 3);
    put64(a, x[10] + 8, RAM | 0x701);   /* 1 GiB: itself */
}

static void begin(ArmMachine *a, const TcgConfig *shape, uint64_t seed)
{
    arm_machine_new(a, NULL, program, sizeof(program));
    clock_use_icount(a->m->clock, 0);
    arm_machine_start(a, shape, NUM_CPUS);
    put64(a, LEVEL2, LEVEL3 | 3);
    for (unsigned n = 0; n < NUM_PAGES; n++) {
        put_page(a, n);
    }
    for (unsigned n = 0; n < 32; n++) {
        put64(a, LEVEL3 + (n / 16) * PAGE_SIZE + n % 16 * 8,
              (PAGES + n * 5 % NUM_PAGES * PAGE_SIZE) | PAGE_DESC);
    }
    for (unsigned n = 0; n < NUM_CPUS; n++) {
        start_cpu(a, n, seed);
    }
}

/* The reference forgets all translations and what they came from before each instruction. */
static void run_cpu(ArmMachine *a, unsigned n, unsigned insns, bool reference)
{
    Vcpu *vcpu = &a->cpu[n]->vcpu;

    a->m->current_cpu = n;
    while (insns) {
        unsigned slice = reference ? 1 : insns;

        if (reference) {
            tcg_flush_tlb(a->tcg);
        }
        vcpu->left = slice;
        clock_set_slice(a->m->clock, a->icount + slice, &vcpu->left);
        tcg_run(a->tcg, vcpu);
        a->icount += slice - vcpu->left;
        insns -= slice - (unsigned)vcpu->left;
    }
}

/* Between two slices, at times, somebody else writes a descriptor. */
static void disturb(ArmMachine *a, Rng *r)
{
    uint64_t slot = LEVEL3 + rng_below(r, 2) * PAGE_SIZE + 8 * rng_below(r, 16);
    uint64_t desc = (PAGES + rng_below(r, NUM_PAGES) * PAGE_SIZE) | PAGE_DESC;
    uint64_t table = (LEVEL3 + rng_below(r, 2) * PAGE_SIZE) | 3;
    unsigned kind = rng_below(r, 20);

    if (kind < 4) {
        put64(a, slot, desc);
    } else if (kind == 4) {
        put64(a, LEVEL2, table);
    } else if (kind == 5) {
        g_assert_true(vcpu_poke(&a->cpu[0]->vcpu, slot, &desc, 8));
    }
}

typedef struct End {
    uint64_t x20[NUM_CPUS], x21[NUM_CPUS], pc[NUM_CPUS];
    uint8_t tables[0x10000];
} End;

static void run(const TcgConfig *shape, uint64_t seed, bool reference, End *end)
{
    Rng r = { seed };
    ArmMachine a;

    begin(&a, shape, seed);
    for (unsigned n = 0; n < SLICES; n++) {
        unsigned cpu = rng_below(&r, NUM_CPUS), insns = 1 + rng_below(&r, MAX_SLICE);

        run_cpu(&a, cpu, insns, reference);
        disturb(&a, &r);
    }
    memset(end, 0, sizeof(*end));
    for (unsigned n = 0; n < NUM_CPUS; n++) {
        end->x20[n] = a.cpu[n]->vcpu.slot[20];
        end->x21[n] = a.cpu[n]->vcpu.slot[21];
        end->pc[n] = a.cpu[n]->vcpu.pc;
    }
    g_assert_true(memory_read(a.m->memory, ROOTS, end->tables, sizeof(end->tables)));
    if (!reference) {
        g_assert_cmpuint(a.tcg->stats.table_stores, >, SLICES);
    }
    arm_machine_free(&a);
}

static void test_remap(void)
{
    const TcgConfig plain = { .interp = true, .unit_insns = 1 };
    End *expected = g_new(End, 1), *found = g_new(End, 1);

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(&plain, seed, true, expected);
        for (unsigned n = 0; n < ARRAY_SIZE(shapes); n++) {
            g_test_message("seed %" PRIu64 ", shape %u", seed, n);
            run(&shapes[n], seed, false, found);
            for (unsigned cpu = 0; cpu < NUM_CPUS; cpu++) {
                g_assert_cmphex(found->x20[cpu], ==, expected->x20[cpu]);
                g_assert_cmphex(found->x21[cpu], ==, expected->x21[cpu]);
                g_assert_cmphex(found->pc[cpu], ==, expected->pc[cpu]);
            }
            g_assert_cmpmem(found->tables, sizeof(found->tables), expected->tables,
                            sizeof(expected->tables));
        }
    }
    g_free(expected);
    g_free(found);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arm/remap", test_remap);
    return g_test_run();
}
