/*
 * Watchpoints: each kind of access, in every shape of execution, stops where it has to, and
 * the guest comes to the same state as without any.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arm-machine.h"

static const TcgConfig shapes[] = {
    { .unit_insns = 64 }, { .unit_insns = 1 }, { .unit_insns = 7, .no_link = true },
    { .unit_insns = 64, .no_opt = true }, { .interp = true, .unit_insns = 7 },
    { .interp = true, .unit_insns = 64, .tlb_chaos = 3 }, { .unit_insns = 64, .tlb_chaos = 5 },
    { .unit_insns = 64, .tlb_ways = 1, .tlb_entries = 16 },
};

#define TABLE 0x40100000ull
#define DATA 0x40020000ull

/* Maps its first GiB as it is, as Normal memory; then loops over all kinds of accesses. */
static const uint32_t program[] = {
    0xd2a80201,     /*  0: mov x1, #0x40100000 */
    0xd5182001,     /*  4: msr ttbr0_el1, x1 */
    0xd2a01002,     /*  8: mov x2, #0x800000 */
    0xf2800322,     /*  c: movk x2, #0x19 */
    0xd5182042,     /* 10: msr tcr_el1, x2 */
    0xd2801fe2,     /* 14: mov x2, #0xff */
    0xd518a202,     /* 18: msr mair_el1, x2 */
    0xd2a00602,     /* 1c: mov x2, #0x300000 */
    0xd5181042,     /* 20: msr cpacr_el1, x2 */
    0xd5033fdf,     /* 24: isb */
    0xd5381002,     /* 28: mrs x2, sctlr_el1 */
    0xb2400042,     /* 2c: orr x2, x2, #0x1 */
    0xd5181002,     /* 30: msr sctlr_el1, x2 */
    0xd5033fdf,     /* 34: isb */
    0xd2a80041,     /* 38: mov x1, #0x40020000 */
    0x9103f82a,     /* 3c: add x10, x1, #0xfe */
    0x913c014a,     /* 40: add x10, x10, #0xf00 */
    0x9104002b,     /* 44: add x11, x1, #0x100 */
    0x9102082c,     /* 48: add x12, x1, #0x82 */
    0xd28000a2,     /* 4c: mov x2, #0x5 */
    0xf9000822,     /* 50: str x2, [x1, #16] */
    0xf9400c23,     /* 54: ldr x3, [x1, #24] */
    0xa9020c22,     /* 58: stp x2, x3, [x1, #32] */
    0xa9c31424,     /* 5c: ldp x4, x5, [x1, #48]! */
    0xd100c021,     /* 60: sub x1, x1, #0x30 */
    0x9100402d,     /* 64: add x13, x1, #0x10 */
    0xc85f7da6,     /* 68: ldxr x6, [x13] */
    0x910004c6,     /* 6c: add x6, x6, #0x1 */
    0xc8077da6,     /* 70: stxr w7, x6, [x13] */
    0x3d801020,     /* 74: str q0, [x1, #64] */
    0x3dc01421,     /* 78: ldr q1, [x1, #80] */
    0xad030420,     /* 7c: stp q0, q1, [x1, #96] */
    0x4c40ad62,     /* 80: ld1 {v2.2d, v3.2d}, [x11] */
    0xd50b742c,     /* 84: dc zva, x12 */
    0xb9000142,     /* 88: str w2, [x10] */
    0x91000442,     /* 8c: add x2, x2, #0x1 */
    0x9e670040,     /* 90: fmov d0, x2 */
    0x17ffffef,     /* 94: b 50 */
};

#define LOOP 0x50
#define LOOP_INSNS ((sizeof(program) - LOOP) / 4)
#define LOOPS 7
#define INSNS (LOOP / 4 + LOOPS * LOOP_INSNS)

/* What a watchpoint is expected to find in a pass of the loop. */
typedef struct Case {
    const char *name;
    WatchKind kind;
    uint32_t offset, length;  /* from DATA */
    unsigned hits;
    WatchHit first;           /* vaddr from DATA */
    uint32_t pc;              /* ... and where, from RAM */
} Case;

#define BEFORE(addr) { .before = true, .vaddr = addr }
#define BEHIND(addr) { .before = false, .vaddr = addr }

static const Case cases[] = {
    { "str, stxr", WATCH_WRITES, 16, 8, 2, BEFORE(16), 0x50 },
    { "ldxr", WATCH_READS, 16, 8, 1, BEFORE(16), 0x68 },
    { "str, ldxr, stxr", WATCH_ACCESSES, 16, 8, 3, BEFORE(16), 0x50 },
    { "one byte", WATCH_WRITES, 23, 1, 2, BEFORE(23), 0x50 },
    { "ldr", WATCH_READS, 24, 8, 1, BEFORE(24), 0x54 },
    { "no str", WATCH_WRITES, 24, 8, 0, BEFORE(0), 0 },
    { "stp", WATCH_WRITES, 40, 1, 1, BEFORE(40), 0x58 },
    { "ldp", WATCH_READS, 60, 100, 2, BEFORE(60), 0x5c },
    { "str q", WATCH_WRITES, 76, 4, 1, BEFORE(76), 0x74 },
    { "ldr q", WATCH_READS, 80, 16, 1, BEFORE(80), 0x78 },
    { "stp q", WATCH_WRITES, 96, 1, 1, BEFORE(96), 0x7c },
    { "stp q, second", WATCH_WRITES, 112, 8, 1, BEHIND(112), 0x80 },
    { "ld1", WATCH_ACCESSES, 256, 4, 1, BEFORE(256), 0x80 },
    { "ld1, second", WATCH_ACCESSES, 280, 4, 1, BEHIND(280), 0x84 },
    { "dc zva", WATCH_WRITES, 129, 1, 1, BEFORE(129), 0x84 },
    { "dc zva, inside", WATCH_WRITES, 180, 4, 1, BEHIND(180), 0x88 },
    { "crossing, first page", WATCH_WRITES, 4094, 1, 1, BEFORE(4094), 0x88 },
    { "crossing, second page", WATCH_WRITES, 4097, 4, 1, BEFORE(4097), 0x88 },
    { "nothing on the page", WATCH_ACCESSES, 512, 1024, 0, BEFORE(0), 0 },
    { "everything", WATCH_ACCESSES, 0, 0x80000, 12, BEFORE(16), 0x50 },
};

static void machine_open(ArmMachine *a, const TcgConfig *shape)
{
    const uint64_t table[2] = { 0, 0x40000701 };

    arm_machine_new(a, NULL, program, sizeof(program));
    g_assert_true(memory_write(a->m->memory, TABLE, table, sizeof(table)));
    arm_machine_start(a, shape, 1);
}

/* CPU and memory. */
static uint64_t machine_digest(ArmMachine *a)
{
    g_autofree uint8_t *ram = g_malloc(RAM_SIZE);
    Vcpu *cpu = &a->cpu[0]->vcpu;
    Digest *d = digest_new();
    uint64_t value;

    g_assert_true(memory_peek(a->m->memory, RAM, ram, RAM_SIZE));
    cpu->ops->digest(cpu, d);
    digest_update(d, ram, RAM_SIZE);
    value = digest_value(d);
    digest_free(d);
    return value;
}

static uint64_t run_alone(const TcgConfig *shape)
{
    uint64_t digest;
    ArmMachine a;

    machine_open(&a, shape);
    arm_machine_run_all(&a, INSNS);
    digest = machine_digest(&a);
    g_assert_cmphex(a.cpu[0]->vcpu.pc, ==, RAM + LOOP);
    arm_machine_free(&a);
    return digest;
}

static void check_first(const Case *c, const Vcpu *cpu, uint64_t icount)
{
    unsigned insn = (c->pc - LOOP) / 4;

    g_assert_cmpint(cpu->watch_hit.before, ==, c->first.before);
    g_assert_cmphex(cpu->watch_hit.vaddr, ==, DATA + c->first.vaddr);
    g_assert_cmphex(cpu->pc, ==, RAM + c->pc);
    g_assert_cmpuint(icount, ==, LOOP / 4 + insn);
}

/* Watched from the start, or, with late, from where the pages are in the TLB already. */
static void check_case(const Case *c, const TcgConfig *shape, bool late, uint64_t digest)
{
    uint64_t start = late ? LOOP / 4 + LOOP_INSNS : 0;
    unsigned hits = 0;
    ArmMachine a;
    Vcpu *cpu;

    machine_open(&a, shape);
    cpu = &a.cpu[0]->vcpu;
    if (late) {
        arm_machine_run_all(&a, (int64_t)start);
    }
    g_assert_true(tcg_watchpoint_insert(a.tcg, c->kind, DATA + c->offset, c->length));
    while (a.icount < (int64_t)INSNS) {
        if (arm_machine_run(&a, (int64_t)INSNS - a.icount) == TCG_STOP_WATCH) {
            g_assert_cmpint(cpu->watch_hit.kind, ==, c->kind);
            g_assert_cmphex(cpu->watch_hit.vaddr - DATA, >=, c->offset);
            g_assert_cmphex(cpu->watch_hit.vaddr - DATA, <, c->offset + c->length);
            if (!hits++ && !late) {
                check_first(c, cpu, (uint64_t)a.icount);
            }
        }
    }
    g_assert_cmpuint(hits, ==, c->hits * (LOOPS - late));
    g_assert_true(tcg_watchpoint_remove(a.tcg, c->kind, DATA + c->offset, c->length));
    g_assert_cmphex(machine_digest(&a), ==, digest);
    arm_machine_run_all(&a, LOOP_INSNS);
    arm_machine_free(&a);
}

static void test_accesses(void)
{
    for (unsigned n = 0; n < ARRAY_SIZE(shapes); n++) {
        uint64_t digest = run_alone(&shapes[n]);

        g_assert_cmphex(digest, ==, run_alone(&shapes[0]));
        for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
            g_test_message("shape %u, %s", n, cases[i].name);
            check_case(&cases[i], &shapes[n], false, digest);
            check_case(&cases[i], &shapes[n], true, digest);
        }
    }
}

/* A watchpoint that is gone, or that was set after the stop, acts at once. */
static void test_changes(void)
{
    ArmMachine a;

    machine_open(&a, &shapes[0]);
    g_assert_true(tcg_watchpoint_insert(a.tcg, WATCH_WRITES, DATA + 16, 8));
    g_assert_cmpint(arm_machine_run(&a, INSNS), ==, TCG_STOP_WATCH);
    g_assert_cmphex(a.cpu[0]->vcpu.pc, ==, RAM + 0x50);
    /* As gdb does: a step without the watchpoint, and on with it. */
    g_assert_true(tcg_watchpoint_remove(a.tcg, WATCH_WRITES, DATA + 16, 8));
    g_assert_cmpint(arm_machine_run(&a, 1), ==, TCG_STOP_BUDGET);
    g_assert_true(tcg_watchpoint_insert(a.tcg, WATCH_WRITES, DATA + 16, 8));
    g_assert_true(tcg_watchpoint_insert(a.tcg, WATCH_READS, DATA + 24, 8));
    g_assert_cmpint(arm_machine_run(&a, INSNS), ==, TCG_STOP_WATCH);
    g_assert_cmphex(a.cpu[0]->vcpu.pc, ==, RAM + 0x54);
    g_assert_cmpint(a.cpu[0]->vcpu.watch_hit.kind, ==, WATCH_READS);
    g_assert_cmpint(arm_machine_run(&a, INSNS), ==, TCG_STOP_WATCH);
    g_assert_cmphex(a.cpu[0]->vcpu.pc, ==, RAM + 0x70);
    /* An observer does not hit. */
    g_assert_true(vcpu_poke(&a.cpu[0]->vcpu, DATA + 16, "x", 1));
    g_assert_true(vcpu_peek(&a.cpu[0]->vcpu, DATA + 24, &(uint64_t){ 0 }, 8));
    tcg_watchpoint_clear(a.tcg);
    g_assert_cmpint(arm_machine_run(&a, INSNS), ==, TCG_STOP_BUDGET);
    arm_machine_free(&a);
}

static void test_limits(void)
{
    ArmMachine a;

    machine_open(&a, &shapes[0]);
    g_assert_false(tcg_watchpoint_insert(a.tcg, WATCH_WRITES, DATA, 0));
    g_assert_false(tcg_watchpoint_insert(a.tcg, WATCH_WRITES, UINT64_MAX, 2));
    g_assert_true(tcg_watchpoint_insert(a.tcg, WATCH_WRITES, UINT64_MAX, 1));
    g_assert_true(tcg_watchpoint_insert(a.tcg, WATCH_WRITES, 0, UINT64_MAX));
    g_assert_false(tcg_watchpoint_remove(a.tcg, WATCH_READS, UINT64_MAX, 1));
    g_assert_true(tcg_watchpoint_remove(a.tcg, WATCH_WRITES, UINT64_MAX, 1));
    g_assert_false(tcg_watchpoint_remove(a.tcg, WATCH_WRITES, UINT64_MAX, 1));
    for (unsigned n = 1; n < TCG_MAX_WATCHPOINTS; n++) {
        g_assert_true(tcg_watchpoint_insert(a.tcg, WATCH_ACCESSES, DATA, 8));
    }
    g_assert_false(tcg_watchpoint_insert(a.tcg, WATCH_ACCESSES, DATA, 8));
    g_assert_true(tcg_watchpoint_remove(a.tcg, WATCH_ACCESSES, DATA, 8));
    g_assert_true(tcg_watchpoint_insert(a.tcg, WATCH_READS, DATA, 8));
    g_assert_cmpint(arm_machine_run(&a, INSNS), ==, TCG_STOP_WATCH);
    tcg_watchpoint_clear(a.tcg);
    arm_machine_run_all(&a, (int64_t)INSNS - a.icount);
    g_assert_cmphex(machine_digest(&a), ==, run_alone(&shapes[0]));
    arm_machine_free(&a);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/watchpoints/accesses", test_accesses);
    g_test_add_func("/watchpoints/changes", test_changes);
    g_test_add_func("/watchpoints/limits", test_limits);
    return g_test_run();
}
