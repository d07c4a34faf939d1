/*
 * The translation cache: code that changes while it runs takes effect at the next
 * instruction, whoever changes it; flushes, breakpoints and a full cache are invisible
 * to the guest. Each program runs in every shape of units on both back ends.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arm-machine.h"
#include "accel/tcg/backend.h"

#define ADD_X4_1 0x91000484     /* add x4, x4, #1 */
#define ADD_X4_2 0x91000884
#define ADD_X4_5 0x91001484
#define DEVICE 0x09000000ull

static const TcgConfig shapes[] = {
    { .interp = true, .unit_insns = 1 }, { .interp = true, .unit_insns = 7 },
    { .interp = true, .unit_insns = 64 }, { .unit_insns = 1 }, { .unit_insns = 7 },
    { .unit_insns = 64 }, { .unit_insns = 64, .no_link = true },
    { .unit_insns = 7, .no_opt = true },
};

#define FOR_EACH_SHAPE(shape) \
    for (const TcgConfig *shape = shapes; shape < shapes + ARRAY_SIZE(shapes); shape++)

static void begin(ArmMachine *a, const TcgConfig *shape, const uint32_t *program, size_t bytes)
{
    arm_machine_new(a, NULL, program, bytes);
    clock_use_icount(a->m->clock, 0);
    arm_machine_start(a, shape, 1);
}

/* ---- the guest changes its code ---- */

/* The second time round, the store changes the instruction that follows it. */
static void test_running_unit(void)
{
    static const uint32_t program[] = {
        0x100000e0,     /* 00: adr x0, 1c */
        0x52800841,     /*     mov w1, #0x42 */
        0x72ba5001,     /*     movk w1, #0xd280, lsl #16 */
        0x52800043,     /*     mov w3, #2 */
        0x71000463,     /* 10: subs w3, w3, #1 */
        0x54000041,     /*     b.ne 1c */
        0xb9000001,     /*     str w1, [x0]: mov x2, #2 */
        0xd2800022,     /* 1c: mov x2, #1 */
        0x8b020084,     /*     add x4, x4, x2 */
        0x35ffff63,     /*     cbnz w3, 10 */
        0x14000000,     /*     b . */
    };

    FOR_EACH_SHAPE(shape) {
        ArmMachine a;

        begin(&a, shape, program, sizeof(program));
        arm_machine_run_all(&a, 4 + 5 + 6 + 1);
        g_assert_cmphex(a.cpu[0]->vcpu.pc, ==, RAM + 0x28);
        g_assert_cmpuint(arm_x(&a, 4), ==, 1 + 2);
        arm_machine_free(&a);
    }
}

/* A function that was called, and linked to, is changed by its caller. */
static void test_other_unit(void)
{
    static const uint32_t program[] = {
        0x10000160,     /* 00: adr x0, 2c */
        0x52800841,     /*     mov w1, #0x42 */
        0x72ba5001,     /*     movk w1, #0xd280, lsl #16 */
        0x52800065,     /*     mov w5, #3 */
        0x94000007,     /* 10: bl 2c */
        0x71000cbf,     /*     cmp w5, #3 */
        0x54000041,     /*     b.ne 20 */
        0xb9000001,     /*     str w1, [x0]: mov x2, #2 */
        0x710004a5,     /* 20: subs w5, w5, #1 */
        0x54ffff61,     /*     b.ne 10 */
        0x14000000,     /*     b . */
        0xd2800022,     /* 2c: mov x2, #1 */
        0x8b020084,     /*     add x4, x4, x2 */
        0xd65f03c0,     /*     ret */
    };

    FOR_EACH_SHAPE(shape) {
        ArmMachine a;

        begin(&a, shape, program, sizeof(program));
        arm_machine_run_all(&a, 4 + 3 * (6 + 3) + 1 + 1);
        g_assert_cmphex(a.cpu[0]->vcpu.pc, ==, RAM + 0x28);
        g_assert_cmpuint(arm_x(&a, 4), ==, 1 + 2 + 2);
        arm_machine_free(&a);
    }
}

/* Data on the page of the code: stores there leave the units alone, in the main. */
static void test_beside(void)
{
    static const uint32_t program[] = {
        0x10004000,     /* 00: adr x0, 800 */
        0x52807d03,     /*     mov w3, #1000 */
        0xf9400001,     /* 08: ldr x1, [x0] */
        0x91000c21,     /*     add x1, x1, #3 */
        0xf9000001,     /*     str x1, [x0] */
        0x71000463,     /*     subs w3, w3, #1 */
        0x54ffff81,     /*     b.ne 8 */
        0x14000000,     /*     b . */
    };

    FOR_EACH_SHAPE(shape) {
        uint64_t value;
        ArmMachine a;

        begin(&a, shape, program, sizeof(program));
        arm_machine_run_all(&a, 2 + 1000 * 5 + 1);
        g_assert_true(memory_read(a.m->memory, RAM + 0x800, &value, 8));
        g_assert_cmpuint(value, ==, 3000);
        g_assert_cmphex(a.cpu[0]->vcpu.pc, ==, RAM + 0x1c);
        g_assert_cmpuint(a.tcg->stats.units, <, 300);
        arm_machine_free(&a);
    }
}

/* ---- others change it ---- */

typedef void ChangeFn(ArmMachine *a, uint64_t addr, uint32_t insn);

static void change_by_dma(ArmMachine *a, uint64_t addr, uint32_t insn)
{
    g_assert_true(memory_write(a->m->memory, addr, &insn, 4));
}

static void change_by_debugger(ArmMachine *a, uint64_t addr, uint32_t insn)
{
    g_assert_true(vcpu_poke(&a->cpu[0]->vcpu, addr, &insn, 4));
}

static void check_change(ChangeFn *change)
{
    static const uint32_t program[] = { ADD_X4_1, 0x17ffffff /* b 0 */ };

    FOR_EACH_SHAPE(shape) {
        ArmMachine a;

        begin(&a, shape, program, sizeof(program));
        arm_machine_run_all(&a, 200);
        g_assert_cmpuint(arm_x(&a, 4), ==, 100);
        change(&a, RAM, ADD_X4_2);
        arm_machine_run_all(&a, 201);
        g_assert_cmpuint(arm_x(&a, 4), ==, 100 + 2 * 101);
        /* Stopped before the branch: it becomes the addition, and what lies behind runs. */
        change(&a, RAM + 4, ADD_X4_5);
        change(&a, RAM + 8, 0x17fffffe /* b 0 */);
        arm_machine_run_all(&a, 2 + 3 * 10);
        g_assert_cmpuint(arm_x(&a, 4), ==, 302 + 5 + 10 * 7);
        arm_machine_free(&a);
    }
}

static void test_dma(void)
{
    check_change(change_by_dma);
}

static void test_debugger(void)
{
    check_change(change_by_debugger);
}

static uint64_t no_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

/* A device that answers a store by writing to the instruction behind it. */
static void dma_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    const uint32_t insn = value == 2 ? ADD_X4_5 : ADD_X4_2;

    change_by_dma(opaque, RAM + 0xc, insn);
}

static void test_device(void)
{
    static const MmioOps ops = { .read = no_read, .write = dma_write, .min_size = 4,
                                 .max_size = 4 };
    static const uint32_t program[] = {
        0xd2a12005,     /* 00: mov x5, #0x09000000 */
        0x52800063,     /*     mov w3, #3 */
        0xb90000a3,     /* 08: str w3, [x5] */
        ADD_X4_1,       /*     2, then 5, then 2 */
        0x71000463,     /*     subs w3, w3, #1 */
        0x54ffffa1,     /*     b.ne 8 */
        0x14000000,     /*     b . */
    };

    FOR_EACH_SHAPE(shape) {
        ArmMachine a;

        arm_machine_new(&a, NULL, program, sizeof(program));
        memory_add_mmio(a.m->memory, "dma", DEVICE, PAGE_SIZE, &ops, &a);
        clock_use_icount(a.m->clock, 0);
        arm_machine_start(&a, shape, 1);
        arm_machine_run_all(&a, 2 + 3 * 4 + 1);
        g_assert_cmpuint(arm_x(&a, 4), ==, 2 + 5 + 2);
        arm_machine_free(&a);
    }
}

/* ---- instructions of two accesses ---- */

#define MAX_ACCESSES 128

typedef struct AccessLog {
    ArmMachine a;
    Timer timer;
    bool moves_deadline;        /* else it raises the CPU's (masked) interrupt */
    unsigned every;             /* which accesses do */
    unsigned count;
    struct { hwaddr offset; uint64_t value; int64_t icount; } access[MAX_ACCESSES];
} AccessLog;

static void log_access(AccessLog *l, hwaddr offset, uint64_t value)
{
    g_assert_cmpuint(l->count, <, MAX_ACCESSES);
    l->access[l->count].offset = offset;
    l->access[l->count].value = value;
    l->access[l->count].icount = clock_icount(l->a.m->clock);
    if (++l->count % l->every == 0) {
        if (l->moves_deadline) {
            timer_mod(&l->timer, clock_now(l->a.m->clock) + 100000 - l->count);
        } else {
            irq_set(&l->a.cpu[0]->irq_in, l->count / l->every & 1);
        }
    }
}

static uint64_t log_read(void *opaque, hwaddr offset, unsigned size)
{
    AccessLog *l = opaque;

    log_access(l, offset, size);
    return l->count * 0x100000001u;
}

static void log_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    log_access(opaque, offset, value);
}

static void no_timer(void *opaque)
{
}

static void run_pairs(AccessLog *l, const TcgConfig *shape, unsigned every, bool moves_deadline)
{
    static const MmioOps ops = { .read = log_read, .write = log_write, .min_size = 4,
                                 .max_size = 8 };
    static const uint32_t program[] = {
        0xd2a12005,     /* 00: mov x5, #0x09000000 */
        0xd5381000,     /*     mrs x0, sctlr_el1 */
        0xb27f0000,     /*     orr x0, x0, #2: A */
        0xd5181000,     /*     msr sctlr_el1, x0 */
        0xd5033fdf,     /* 10: isb */
        0xd2800021,     /*     mov x1, #1 */
        0xd2800042,     /*     mov x2, #2 */
        0x52800143,     /*     mov w3, #10 */
        0xa90008a1,     /* 20: stp x1, x2, [x5] */
        0x91000821,     /*     add x1, x1, #2 */
        0x91000842,     /*     add x2, x2, #2 */
        0xa9411ca6,     /*     ldp x6, x7, [x5, #16] */
        0x8b060084,     /* 30: add x4, x4, x6 */
        0xcac71c84,     /*     eor x4, x4, x7, ror #7 */
        0x290108a1,     /*     stp w1, w2, [x5, #8] */
        0x71000463,     /*     subs w3, w3, #1 */
        0x54ffff01,     /* 40: b.ne 20 */
        0x14000000,     /*     b . */
    };

    *l = (AccessLog){ .every = every, .moves_deadline = moves_deadline };
    arm_machine_new(&l->a, NULL, program, sizeof(program));
    memory_add_mmio(l->a.m->memory, "log", DEVICE, PAGE_SIZE, &ops, l);
    clock_use_icount(l->a.m->clock, 0);
    timer_init(&l->timer, l->a.m->clock, no_timer, NULL, "moved");
    arm_machine_start(&l->a, shape, 1);
    arm_machine_run_all(&l->a, 8 + 10 * 9 + 1);
    g_assert_cmphex(l->a.cpu[0]->vcpu.pc, ==, RAM + 0x44);
}

/*
 * With SCTLR_EL1.A, a pair is two accesses: whichever of them makes the device want something,
 * both are made, once, in order, and at the same moment.
 */
static void test_device_pairs(void)
{
    static const hwaddr order[] = { 0, 8, 16, 24, 8, 12 };

    for (unsigned n = 0; n < 8; n++) {
        uint64_t x4 = 0;

        FOR_EACH_SHAPE(shape) {
            AccessLog l;

            run_pairs(&l, shape, 1 + n / 2, n & 1);
            g_assert_cmpuint(l.count, ==, 10 * ARRAY_SIZE(order));
            for (unsigned i = 0; i < l.count; i++) {
                unsigned in_round = i % 6, round = i / 6;
                bool load = in_round / 2 == 1, first = i % 2 == 0;
                unsigned stored = 2 * round + 2 * (in_round / 4) + (first ? 1 : 2);

                g_assert_cmphex(l.access[i].offset, ==, order[in_round]);
                g_assert_cmphex(l.access[i].value, ==, load ? 8 : stored);
                g_assert_cmpint(l.access[i].icount, ==, 8 + 9 * round + in_round / 2 * 3);
            }
            x4 = x4 ? x4 : arm_x(&l.a, 4);
            g_assert_cmphex(arm_x(&l.a, 4), ==, x4);
            timer_del(&l.timer);
            arm_machine_free(&l.a);
        }
    }
}

/* ---- flushes and a full cache ---- */

static void test_flush(void)
{
    static const uint32_t program[] = { ADD_X4_1, 0x17ffffff /* b 0 */ };

    FOR_EACH_SHAPE(shape) {
        uint64_t flushes;
        ArmMachine a;

        begin(&a, shape, program, sizeof(program));
        flushes = a.tcg->stats.flushes;
        for (unsigned n = 1; n <= 20; n++) {
            arm_machine_run_all(&a, 21);
            g_assert_cmpuint(arm_x(&a, 4), ==, (n * 21 + 1) / 2);
            tcg_flush(a.tcg);
        }
        g_assert_cmpuint(a.tcg->stats.flushes, ==, flushes + 20);
        arm_machine_free(&a);
    }
}

/* More code than the cache holds: 2000 blocks of 16 instructions, one after the other. */
static void test_full_cache(void)
{
    const unsigned blocks = 2000, insns = 16;
    uint32_t *program = g_new(uint32_t, blocks * insns + 1);
    int64_t total = (int64_t)blocks * insns;

    for (unsigned n = 0; n < blocks * insns; n++) {
        program[n] = n % insns == insns - 1 ? 0x14000001 /* b .+4 */ : ADD_X4_1;
    }
    /* And from the start again. */
    program[total] = 0x14000000 | ((uint32_t)-total & 0x3ffffff);
    FOR_EACH_SHAPE(shape) {
        TcgConfig config = *shape;
        ArmMachine a;

        /* IR of a unit is some eight times as big as its code. */
        config.cache_bytes = (shape->interp ? 256 : 32) << 10;
        begin(&a, &config, program, (total + 1) * 4);
        arm_machine_run_all(&a, 2 * total + 1);
        g_assert_cmpuint(arm_x(&a, 4), ==, 2 * blocks * (insns - 1));
        g_assert_cmphex(a.cpu[0]->vcpu.pc, ==, RAM + total * 4);
        g_assert_cmpuint(a.tcg->stats.flushes, >, 2);
        /* Not at each translation. */
        g_assert_cmpuint(a.tcg->stats.flushes, <, a.tcg->stats.units / 20);
        arm_machine_free(&a);
    }
    g_free(program);
}

/* ---- breakpoints ---- */

static const uint32_t breaks[] = {
    0x10000166,     /* 00: adr x6, 2c */
    0x52800063,     /*     mov w3, #3 */
    0x91000484,     /* 08: add x4, x4, #1 */
    0x91000884,     /*     add x4, x4, #2 */
    0x7100087f,     /*     cmp w3, #2 */
    0x54000040,     /*     b.eq 1c */
    0x91001084,     /*     add x4, x4, #4 */
    0xd63f00c0,     /* 1c: blr x6 */
    0x71000463,     /*     subs w3, w3, #1 */
    0x54ffff21,     /*     b.ne 8 */
    0x14000000,     /*     b . */
    0x91004084,     /* 2c: add x4, x4, #16 */
    0xd65f03c0,     /*     ret */
};
/* Instructions of a round; the second one takes B.EQ. */
#define ROUND 10

/* Each breakpoint, alone, stops where it stands every time that execution gets there. */
static void test_breakpoints(void)
{
    static const struct { unsigned offset; unsigned hits; int64_t at[3]; } cases[] = {
        { 0x0, 1, { 0 } },
        { 0x4, 1, { 1 } },
        { 0x8, 3, { 2, 12, 21 } },
        { 0xc, 3, { 3, 13, 22 } },
        { 0x18, 2, { 6, 25 } },
        { 0x1c, 3, { 7, 16, 26 } },
        { 0x20, 3, { 10, 19, 29 } },
        { 0x2c, 3, { 8, 17, 27 } },
    };

    FOR_EACH_SHAPE(shape) {
        for (unsigned n = 0; n < ARRAY_SIZE(cases); n++) {
            ArmMachine a;

            begin(&a, shape, breaks, sizeof(breaks));
            tcg_breakpoint_insert(a.tcg, RAM + cases[n].offset);
            for (unsigned hit = 0; hit < cases[n].hits; hit++) {
                g_assert_cmpint(arm_machine_run(&a, 100), ==, TCG_STOP_DEBUG);
                g_assert_cmphex(a.cpu[0]->vcpu.pc, ==, RAM + cases[n].offset);
                g_assert_cmpint(a.icount, ==, cases[n].at[hit]);
                /* It stays there until told to go on. */
                g_assert_cmpint(arm_machine_run(&a, 100), ==, TCG_STOP_DEBUG);
                g_assert_cmpint(a.icount, ==, cases[n].at[hit]);
                a.cpu[0]->vcpu.skip_breakpoint = true;
            }
            g_assert_cmpint(arm_machine_run(&a, 100), ==, TCG_STOP_BUDGET);
            g_assert_cmpuint(arm_x(&a, 4), ==, 3 * (1 + 2 + 16) + 2 * 4);
            arm_machine_free(&a);
        }
    }
}

/* Set when everything is translated and linked; gone when removed. */
static void test_breakpoint_later(void)
{
    static const uint32_t program[] = {
        0x100000c6,     /* 00: adr x6, 18 */
        ADD_X4_1,       /* 04: */
        0xd63f00c0,     /*     blr x6 */
        ADD_X4_1,       /* 0c: */
        0x17fffffd,     /*     b 4 */
        0,
        0xd65f03c0,     /* 18: ret */
    };
    static const uint64_t where[] = { 0x4, 0x8, 0xc, 0x10, 0x18 };

    FOR_EACH_SHAPE(shape) {
        ArmMachine a;

        begin(&a, shape, program, sizeof(program));
        arm_machine_run_all(&a, 1 + 5 * 20);
        for (unsigned n = 0; n < ARRAY_SIZE(where); n++) {
            int64_t start = a.icount;

            tcg_breakpoint_insert(a.tcg, RAM + where[n]);
            g_assert_cmpint(arm_machine_run(&a, 100), ==, TCG_STOP_DEBUG);
            g_assert_cmphex(a.cpu[0]->vcpu.pc, ==, RAM + where[n]);
            g_assert_cmpint(a.icount - start, <, 5);
            a.cpu[0]->vcpu.skip_breakpoint = true;
            g_assert_cmpint(arm_machine_run(&a, 100), ==, TCG_STOP_DEBUG);
            g_assert_cmpint(a.icount - start, <, 10);
            g_assert_true(tcg_breakpoint_remove(a.tcg, RAM + where[n]));
            g_assert_false(tcg_breakpoint_remove(a.tcg, RAM + where[n]));
            g_assert_cmpint(arm_machine_run(&a, 100), ==, TCG_STOP_BUDGET);
        }
        arm_machine_free(&a);
    }
}

/* A unit that loops back to its head comes by the breakpoint there each time. */
static void test_breakpoint_loop(void)
{
    static const uint32_t program[] = {
        0x52800143,     /* 00: mov w3, #10 */
        ADD_X4_1,       /* 04: */
        0x71000463,     /*     subs w3, w3, #1 */
        0x54ffffc1,     /*     b.ne 4 */
        0x14000000,     /* 10: b . */
    };

    FOR_EACH_SHAPE(shape) {
        for (unsigned later = 0; later < 2; later++) {
            int64_t first = 1 + 3 * 4 * later;
            ArmMachine a;

            begin(&a, shape, program, sizeof(program));
            if (later) {
                arm_machine_run_all(&a, first);   /* translated, and linked to itself */
            }
            tcg_breakpoint_insert(a.tcg, RAM + 4);
            a.cpu[0]->vcpu.skip_breakpoint = later;
            for (int64_t at = first + 3 * later; at < 1 + 3 * 10; at += 3) {
                g_assert_cmpint(arm_machine_run(&a, 100), ==, TCG_STOP_DEBUG);
                g_assert_cmphex(a.cpu[0]->vcpu.pc, ==, RAM + 4);
                g_assert_cmpint(a.icount, ==, at);
                a.cpu[0]->vcpu.skip_breakpoint = true;
            }
            g_assert_cmpint(arm_machine_run(&a, 100), ==, TCG_STOP_BUDGET);
            g_assert_cmpuint(arm_x(&a, 4), ==, 10);
            /* B . is a loop to its head, too. */
            tcg_breakpoint_insert(a.tcg, RAM + 0x10);
            for (unsigned n = 0; n < 3; n++) {
                int64_t start = a.icount;

                g_assert_cmpint(arm_machine_run(&a, 100), ==, TCG_STOP_DEBUG);
                g_assert_cmpint(a.icount - start, ==, n > 0);
                a.cpu[0]->vcpu.skip_breakpoint = true;
            }
            arm_machine_free(&a);
        }
    }
}

/*
 * One physical page at two virtual addresses (blocks of 1 GiB map RAM again at 2 GiB), with a
 * breakpoint in one of them: the other one never stops, whose code was there first or
 * is linked to what.
 */
static void test_breakpoint_alias(void)
{
    static const uint32_t program[0x2000 / 4] = {
        0xd5182000,     /* 00: msr ttbr0_el1, x0 */
        0xd5182041,     /*     msr tcr_el1, x1 */
        0xd5181002,     /*     msr sctlr_el1, x2 */
        0xd5033fdf,     /*     isb */
        0xd61f00c0,     /* 10: br x6 */
        [0x40 / 4] = ADD_X4_1,      /* 40: */
        0x14000002,                 /*     b 4c */
        0,
        0x14000001,                 /* 4c: b 50 */
        0xaa0603e8,                 /* 50: mov x8, x6 */
        0xaa0703e6,                 /*     mov x6, x7 */
        0xaa0803e7,                 /*     mov x7, x8 */
        0xd61f00c0,                 /*     br x6: the other mapping */
        [0x1000 / 4] = 0, 0,
        0x40000705, 0,              /* 1 GiB: block, AF, normal */
        0x40000705, 0,              /* 2 GiB: the same memory */
    };
    static const unsigned where[] = { 0x40, 0x44, 0x4c, 0x50, 0x5c };
    const uint64_t alias = RAM + (1u << 30);

    FOR_EACH_SHAPE(shape) {
        for (unsigned n = 0; n < ARRAY_SIZE(where); n++) {
            uint64_t *x;
            ArmMachine a;

            begin(&a, shape, program, sizeof(program));
            x = a.cpu[0]->vcpu.slot;
            x[0] = RAM + 0x1000;
            x[1] = 25;                  /* T0SZ */
            x[2] = 0x30d00801;          /* SCTLR_EL1.M */
            x[6] = RAM + 0x40;
            x[7] = alias + 0x40;
            arm_machine_run_all(&a, 5 + 7 * 10);
            tcg_breakpoint_insert(a.tcg, alias + where[n]);
            for (unsigned hit = 1; hit <= 5; hit++) {
                g_assert_cmpint(arm_machine_run(&a, 100), ==, TCG_STOP_DEBUG);
                g_assert_cmphex(a.cpu[0]->vcpu.pc, ==, alias + where[n]);
                /* Ten rounds before; then every second one. */
                g_assert_cmpuint(arm_x(&a, 4), ==, 10 + 2 * hit - (where[n] == 0x40));
                a.cpu[0]->vcpu.skip_breakpoint = true;
            }
            arm_machine_free(&a);
        }
    }
}

/* What stands on other pages, and what was made without breakpoints, is not made again. */
static void test_breakpoint_drops(void)
{
    static const uint32_t program[0x1000 / 4] = {
        ADD_X4_1,                   /* 00: */
        0x14000001,                 /*     b 8 */
        ADD_X4_1,                   /* 08: */
        0x140003fd,                 /*     b 1000 */
    };
    static const uint32_t other[] = {
        ADD_X4_1,                   /* 1000: */
        0x17fffbff,                 /*     b 0 */
    };

    FOR_EACH_SHAPE(shape) {
        uint64_t units;
        ArmMachine a;

        begin(&a, shape, program, sizeof(program));
        g_assert_true(memory_write(a.m->memory, RAM + 0x1000, other, sizeof(other)));
        arm_machine_run_all(&a, 600);
        units = a.tcg->stats.units;
        tcg_breakpoint_insert(a.tcg, RAM + 8);
        for (unsigned n = 0; n < 5; n++) {
            g_assert_cmpint(arm_machine_run(&a, 100), ==, TCG_STOP_DEBUG);
            a.cpu[0]->vcpu.skip_breakpoint = true;
        }
        /* The page once more, cut at the breakpoint: at most a unit an instruction. */
        g_assert_cmpuint(a.tcg->stats.units, >, units);
        g_assert_cmpuint(a.tcg->stats.units, <=, units + 4);
        units = a.tcg->stats.units;
        g_assert_true(tcg_breakpoint_remove(a.tcg, RAM + 8));
        arm_machine_run_all(&a, 600);
        /* Nothing but the one that begins where it stopped: the rest was kept. */
        g_assert_cmpuint(a.tcg->stats.units, <=, units + 1);
        g_assert_cmpuint(a.tcg->stats.flushes, ==, 0);
        /* The guest rewrites a page that has breakpoints. */
        tcg_breakpoint_insert(a.tcg, RAM + 0x1000);
        g_assert_cmpint(arm_machine_run(&a, 100), ==, TCG_STOP_DEBUG);
        g_assert_true(memory_write(a.m->memory, RAM + 0x1000, other, sizeof(other)));
        tcg_breakpoint_clear(a.tcg);
        arm_machine_run_all(&a, 60);
        arm_machine_free(&a);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/units/code/running-unit", test_running_unit);
    g_test_add_func("/units/code/other-unit", test_other_unit);
    g_test_add_func("/units/code/beside", test_beside);
    g_test_add_func("/units/code/dma", test_dma);
    g_test_add_func("/units/code/debugger", test_debugger);
    g_test_add_func("/units/code/device", test_device);
    g_test_add_func("/units/device-pairs", test_device_pairs);
    g_test_add_func("/units/flush", test_flush);
    g_test_add_func("/units/full-cache", test_full_cache);
    g_test_add_func("/units/breakpoints", test_breakpoints);
    g_test_add_func("/units/breakpoint-later", test_breakpoint_later);
    g_test_add_func("/units/breakpoint-loop", test_breakpoint_loop);
    g_test_add_func("/units/breakpoint-alias", test_breakpoint_alias);
    g_test_add_func("/units/breakpoint-drops", test_breakpoint_drops);
    return g_test_run();
}
