/*
 * The processor's frame: what the engine leaves to a target. Instructions of two lengths
 * that cross pages, PCs aligned as the mode says, and state that goes from instruction to
 * instruction (test-target.h). Each test runs in every shape of execution.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "test-target.h"

/* ---- programs ---- */

/* The two pages that the programs lie on, and one more. */
#define PAGE_A TARGET_BASE
#define PAGE_B (TARGET_BASE + PAGE_SIZE)
#define RAM_B (TARGET_RAM + PAGE_SIZE)
#define RAM_OTHER (TARGET_RAM + 4 * PAGE_SIZE)

/* A loop around the end of a page. The instruction that crosses adds to r2. */
#define LOOP (PAGE_B - 8)
#define CROSSING (PAGE_B - 2)
#define ADDEND 0x20003
static const uint16_t loop[] = {
    SHORT(OP_ADD, 1, 1),            /* ff8: */
    SHORT(OP_ADD, 1, 1),            /* ffa: */
    SHORT(OP_ADDR, 4, 1),           /* ffc: */
    LONG(LONG_ADD, 2, ADDEND),      /* ffe: and the second half on the next page */
    SHORT(OP_ADD, 3, 1),            /* 002: */
    LONG(LONG_B, 0, -6),            /* 004: to ff8 */
};
#define ROUND 6

static uint64_t reg(TargetMachine *t, unsigned n)
{
    return t->vcpu->slot[n];
}

static void load(TargetMachine *t, uint64_t vaddr, const uint16_t *code, size_t bytes)
{
    target_write(t, vaddr - TARGET_BASE + TARGET_RAM, code, bytes);
    t->vcpu->pc = vaddr;
}

static void begin(TargetMachine *t, const TcgConfig *shape)
{
    target_open(t, shape);
    load(t, LOOP, loop, sizeof(loop));
}

static void assert_exception(TargetMachine *t, TargetCause cause, uint64_t pc, uint64_t vaddr)
{
    g_assert_cmpuint(t->cpu->env[ENV_COUNT], ==, 1);
    g_assert_cmpuint(t->cpu->env[ENV_CAUSE], ==, cause);
    g_assert_cmphex(t->cpu->env[ENV_PC], ==, pc);
    g_assert_cmphex(t->cpu->env[ENV_ADDRESS], ==, vaddr);
    t->cpu->env[ENV_COUNT] = 0;
}

/* ---- instructions that cross pages ---- */

static void test_crossing(void)
{
    FOR_EACH_SHAPE(shape) {
        TargetMachine t;

        begin(&t, shape);
        for (unsigned n = 1; n <= 20; n++) {
            g_assert_cmpint(target_run(&t, ROUND), ==, TCG_STOP_BUDGET);
            g_assert_cmphex(t.vcpu->pc, ==, LOOP);
            g_assert_cmpuint(reg(&t, 1), ==, 2 * n);
            g_assert_cmpuint(reg(&t, 2), ==, n * ADDEND);
            g_assert_cmpuint(reg(&t, 3), ==, n);
        }
        target_run(&t, 10 * ROUND + 3);
        g_assert_cmphex(t.vcpu->pc, ==, CROSSING);
        target_run(&t, 1);
        g_assert_cmphex(t.vcpu->pc, ==, CROSSING + 4);
        g_assert_cmpuint(reg(&t, 2), ==, 31 * ADDEND);
        target_close(&t);
    }
}

/* The second page may not be fetched from: this instruction's abort, with that page's address. */
static void test_fault(void)
{
    static const uint64_t bad[] = { DESC_INVALID | GOOD, DESC_WRITE };

    FOR_EACH_SHAPE(shape) {
        for (unsigned n = 0; n < 2 * ARRAY_SIZE(bad); n++) {
            unsigned rounds = n % 2 * 5;
            TargetMachine t;

            begin(&t, shape);
            target_run(&t, rounds * ROUND + 1);
            target_map(&t, PAGE_B, target_desc(RAM_B, bad[n / 2]));
            target_run(&t, 3);
            assert_exception(&t, CAUSE_ABORT, CROSSING, PAGE_B);
            g_assert_cmphex(t.vcpu->pc, ==, target_vector(t.cpu->trace));
            g_assert_cmpuint(reg(&t, 1), ==, 2 * (rounds + 1));
            g_assert_cmpuint(reg(&t, 2), ==, rounds * ADDEND);
            /* Mapped again, the instruction runs. */
            target_map(&t, PAGE_B, target_desc(RAM_B, GOOD));
            t.vcpu->pc = CROSSING;
            target_run(&t, 1 + 2 + 2 * ROUND);
            g_assert_cmpuint(reg(&t, 2), ==, (rounds + 3) * ADDEND);
            g_assert_cmpuint(t.cpu->env[ENV_COUNT], ==, 0);
            /* The first page's abort is its own. */
            target_map(&t, PAGE_A, target_desc(TARGET_RAM, DESC_WRITE));
            t.vcpu->pc = CROSSING;
            target_run(&t, 1);
            assert_exception(&t, CAUSE_ABORT, CROSSING, CROSSING);
            target_close(&t);
        }
    }
}

static void dma(TargetMachine *t, uint64_t phys, uint16_t half)
{
    target_write(t, phys, &half, 2);
}

/* Code changes on either page, from outside. */
static void test_changed(void)
{
    FOR_EACH_SHAPE(shape) {
        TargetMachine t;

        begin(&t, shape);
        target_run(&t, 5 * ROUND);
        dma(&t, RAM_B, 7);
        target_run(&t, ROUND);
        g_assert_cmpuint(reg(&t, 2), ==, 5 * ADDEND + 0x20007);
        /* In front of it. */
        target_run(&t, 3);
        dma(&t, RAM_B, 9);
        target_run(&t, 3);
        g_assert_cmpuint(reg(&t, 2), ==, 5 * ADDEND + 0x20007 + 0x20009);
        /* A short one on the first page; what was its second half is an instruction. */
        dma(&t, RAM_B - 2, SHORT(OP_ADD, 2, 1));
        dma(&t, RAM_B, SHORT(OP_ADD, 5, 1));
        target_run(&t, 2 * (ROUND + 1));
        g_assert_cmpuint(reg(&t, 2), ==, 5 * ADDEND + 0x20007 + 0x20009 + 2);
        g_assert_cmpuint(reg(&t, 5), ==, 2);
        /* And back. */
        dma(&t, RAM_B - 2, loop[3]);
        dma(&t, RAM_B, 1);
        target_run(&t, ROUND);
        g_assert_cmpuint(reg(&t, 2), ==, 5 * ADDEND + 0x20007 + 0x20009 + 2 + 0x20001);
        /* The second half of the last instruction of a unit: a branch to the one in front. */
        dma(&t, RAM_B + 6, (uint16_t)-1);
        target_run(&t, ROUND + 20);
        g_assert_cmphex(t.vcpu->pc, ==, PAGE_B + 2);
        target_close(&t);
    }
}

/* The guest stores to the second half, right before it runs, from the first page. */
static void test_changed_by_guest(void)
{
    static const uint16_t program[] = {
        SHORT(OP_ADD, 6, 1),            /* ff8: the new second half, and what follows it */
        LONG(LONG_ST, 6, 0x1000),       /* ffa: */
        LONG(LONG_ADD, 2, ADDEND),      /* ffe: */
        SHORT(OP_ADD, 3, 1),            /* 002: */
        LONG(LONG_B, 0, -6),            /* 004: */
    };
    uint64_t next;

    memcpy(&next, &program[4], 8);
    FOR_EACH_SHAPE(shape) {
        TargetMachine t;

        target_open(&t, shape);
        load(&t, LOOP, program, sizeof(program));
        t.vcpu->slot[6] = next;
        target_run(&t, 3 * 5);
        g_assert_cmpuint(reg(&t, 2), ==, 3 * ADDEND + 1 + 2 + 3);
        g_assert_cmpuint(reg(&t, 3), ==, 3);
        target_close(&t);
    }
}

/* Another page behind the first one: its bytes count, also when it is only sometimes there. */
static void test_remapped(void)
{
    FOR_EACH_SHAPE(shape) {
        uint64_t sum = 0;
        TargetMachine t;

        begin(&t, shape);
        target_write(&t, RAM_OTHER, &loop[4], sizeof(loop) - 8);
        dma(&t, RAM_OTHER, 8);
        for (unsigned n = 0; n < 10; n++) {
            target_map(&t, PAGE_B, target_desc(n & 1 ? RAM_OTHER : RAM_B, GOOD));
            target_run(&t, (1 + n % 3) * ROUND);
            sum += (1 + n % 3) * (n & 1 ? 0x20008 : ADDEND);
            g_assert_cmpuint(reg(&t, 2), ==, sum);
        }
        /* The first page of the pair is found at another address, with another second page. */
        target_map(&t, PAGE_B, target_desc(RAM_B, GOOD));
        target_map(&t, TARGET_BASE + 2 * PAGE_SIZE, target_desc(TARGET_RAM, GOOD));
        target_map(&t, TARGET_BASE + 3 * PAGE_SIZE, target_desc(RAM_OTHER, GOOD));
        t.vcpu->pc = LOOP + 2 * PAGE_SIZE;
        target_run(&t, ROUND);
        t.vcpu->pc = LOOP;
        target_run(&t, ROUND);
        g_assert_cmpuint(reg(&t, 2), ==, sum + 0x20008 + ADDEND);
        target_close(&t);
    }
}

static void test_breakpoints(void)
{
    static const struct { uint64_t at; int64_t insns; } cases[] = {
        { LOOP, 0 }, { PAGE_B - 4, 2 }, { CROSSING, 3 }, { PAGE_B + 2, 4 }, { PAGE_B + 4, 5 },
    };

    FOR_EACH_SHAPE(shape) {
        for (unsigned n = 0; n < ARRAY_SIZE(cases); n++) {
            int64_t first = n % 2 * 3 * ROUND;
            TargetMachine t;

            begin(&t, shape);
            target_run(&t, first);
            tcg_breakpoint_insert(t.tcg, cases[n].at);
            /* No instruction begins there. */
            tcg_breakpoint_insert(t.tcg, PAGE_B);
            for (unsigned hit = 0; hit < 4; hit++) {
                g_assert_cmpint(target_run(&t, 100), ==, TCG_STOP_DEBUG);
                g_assert_cmphex(t.vcpu->pc, ==, cases[n].at);
                g_assert_cmpint(t.icount, ==, first + hit * ROUND + cases[n].insns);
                t.vcpu->skip_breakpoint = true;
            }
            g_assert_true(tcg_breakpoint_remove(t.tcg, cases[n].at));
            g_assert_cmpint(target_run(&t, 10 * ROUND), ==, TCG_STOP_BUDGET);
            target_close(&t);
        }
    }
}

/* PCs are aligned as the mode says; in mode 1 no instruction is short. */
static void test_alignment(void)
{
    static const uint16_t program[] = {
        SHORT(OP_ADD, 1, 1),            /* 00: */
        LONG(LONG_MODE, 0, 0),          /* 02: to mode 1, and 06 */
        SHORT(OP_ADD, 2, 1),            /* 06: */
        SHORT(OP_ADD, 3, 1),            /* 08: */
        SHORT(OP_ADD, 2, 1),            /* 0a: not in mode 1 */
        LONG(LONG_MODE, 0, 0),          /* 0c: to mode 0, and 10 */
        SHORT(OP_BR, 15, 0),            /* 10: */
    };

    FOR_EACH_SHAPE(shape) {
        TargetMachine t;

        target_open(&t, shape);
        load(&t, PAGE_A, program, sizeof(program));
        for (unsigned n = 0; n < 4; n++) {
            t.vcpu->pc = PAGE_A;
            target_run(&t, 3);
            assert_exception(&t, CAUSE_ALIGNMENT, PAGE_A + 6, PAGE_A + 6);
            t.vcpu->pc = PAGE_A + 8;
            t.cpu->mode = 1;
            t.vcpu->slot[15] = 0x13;
            target_run(&t, 4);
            assert_exception(&t, CAUSE_ALIGNMENT, PAGE_A + 0x13, PAGE_A + 0x13);
            g_assert_cmpuint(reg(&t, 2), ==, 0);
            g_assert_cmpuint(reg(&t, 3), ==, n + 1);
        }
        target_close(&t);
    }
}

/* ---- state from instruction to instruction ---- */

#define DATA 0x5000
static const uint16_t predicated[] = {
    SHORT(OP_ADD, 1, 1),            /* 00: */
    SHORT(OP_WHEN, 5, 3),           /* 02: the next four */
    SHORT(OP_ADD, 2, 1),            /* 04: */
    SHORT(OP_NOTE, 6, 0),           /* 06: */
    LONG(LONG_LD, 7, DATA),         /* 08: */
    SHORT(OP_ADD, 3, 1),            /* 0c: */
    SHORT(OP_ADD, 4, 1),            /* 0e: always */
    LONG(LONG_B, 0, -8),            /* 10: to 00 */
};
#define PREDICATED_ROUND 8

static void test_predicate(void)
{
    FOR_EACH_SHAPE(shape) {
        TargetMachine t;

        target_open(&t, shape);
        load(&t, PAGE_A, predicated, sizeof(predicated));
        for (unsigned n = 0; n < 30; n++) {
            t.vcpu->slot[5] = n & 1;
            target_run(&t, PREDICATED_ROUND);
            g_assert_cmphex(t.vcpu->pc, ==, PAGE_A);
            g_assert_cmpuint(t.vcpu->insn_word, ==, 0);
            g_assert_cmpuint(reg(&t, 2), ==, (n + 1) / 2);
            g_assert_cmpuint(reg(&t, 3), ==, (n + 1) / 2);
            g_assert_cmpuint(reg(&t, 4), ==, n + 1);
        }
        /* One at a time, with the register changed under way: each looks anew. */
        t.vcpu->slot[5] = 1;
        for (unsigned n = 0; n < PREDICATED_ROUND; n++) {
            static const uint32_t state[] = { 0, 0, 0x54, 0x53, 0x52, 0x51, 0, 0 };

            g_assert_cmphex(t.vcpu->insn_word, ==, state[n]);
            t.vcpu->slot[5] = n < 4;
            target_run(&t, 1);
        }
        g_assert_cmpuint(reg(&t, 2), ==, 16);
        g_assert_cmpuint(reg(&t, 3), ==, 15);
        target_close(&t);
    }
}

/* A load that faults tells its word, and goes on with its state when it is repeated. */
static void test_predicate_fault(void)
{
    const uint64_t data = TARGET_BASE + DATA;
    const TargetInsn insn = target_decode(0, predicated[4], predicated[5]);

    FOR_EACH_SHAPE(shape) {
        for (unsigned again = 0; again < 2; again++) {
            TargetMachine t;

            target_open(&t, shape);
            load(&t, PAGE_A, predicated, sizeof(predicated));
            t.vcpu->slot[5] = 1;
            target_run(&t, 10 * PREDICATED_ROUND);
            target_map(&t, data, target_desc(TARGET_RAM, DESC_INVALID));
            target_run(&t, 5);
            assert_exception(&t, CAUSE_ABORT, PAGE_A + 8, data);
            g_assert_cmphex(t.cpu->env[ENV_WORD], ==, target_word(&insn, 0x52));
            g_assert_cmphex(t.vcpu->insn_word, ==, 0);
            g_assert_cmpuint(reg(&t, 3), ==, 10);
            target_map(&t, data, target_desc(RAM_OTHER, GOOD));
            t.vcpu->pc = t.cpu->env[ENV_PC];
            t.vcpu->insn_word = t.cpu->env[ENV_WORD] & WORD_STATE;
            t.vcpu->slot[5] = again;
            target_run(&t, 4);
            g_assert_cmphex(t.vcpu->pc, ==, PAGE_A);
            g_assert_cmpuint(reg(&t, 3), ==, 10 + again);
            g_assert_cmpuint(reg(&t, 4), ==, 11);
            target_close(&t);
        }
    }
}

static uint64_t device_read(void *opaque, hwaddr offset, unsigned size)
{
    TargetMachine *t = opaque;

    /* While the test holds r8 up, an interrupt comes in. */
    vcpu_set_irq_pending(t->vcpu, reg(t, 8));
    return 5;
}

static void device_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

/* An access to a device under a predicate, whether the device wants to be seen to or not. */
static void test_predicate_device(void)
{
    static const MmioOps ops = { .read = device_read, .write = device_write, .min_size = 1,
                                 .max_size = 8 };

    FOR_EACH_SHAPE(shape) {
        TargetMachine t;

        target_open(&t, shape);
        memory_add_mmio(t.m->memory, "device", TARGET_DEVICE, PAGE_SIZE, &ops, &t);
        target_map(&t, TARGET_BASE + DATA, DESC_DEVICE << 32);
        load(&t, PAGE_A, predicated, sizeof(predicated));
        t.vcpu->slot[5] = 1;
        for (unsigned n = 1; n <= 10; n++) {
            target_run(&t, PREDICATED_ROUND);
            g_assert_cmphex(t.vcpu->pc, ==, PAGE_A);
            g_assert_cmpuint(t.vcpu->insn_word, ==, 0);
            g_assert_cmpuint(reg(&t, 7), ==, 5);
            g_assert_cmpuint(reg(&t, 3), ==, n);
        }
        t.vcpu->slot[8] = 1;
        target_run(&t, 6);
        assert_exception(&t, CAUSE_INTERRUPT, PAGE_A + 0xc, 0);
        g_assert_cmphex(t.cpu->env[ENV_WORD], ==, 0x51);
        t.vcpu->pc = PAGE_A + 0xc;
        t.vcpu->insn_word = 0x51;
        t.vcpu->slot[5] = 0;
        target_run(&t, 2);
        g_assert_cmpuint(reg(&t, 3), ==, 10);
        g_assert_cmpuint(reg(&t, 4), ==, 11);
        target_close(&t);
    }
}

/* An instruction that crosses pages, under a predicate: state comes to it and goes on. */
static void test_predicate_crossing(void)
{
    static const uint16_t program[] = {
        SHORT(OP_WHEN, 5, 3),           /* ffa: the next four */
        SHORT(OP_ADD, 1, 1),            /* ffc: */
        LONG(LONG_ADD, 2, ADDEND),      /* ffe: */
        SHORT(OP_ADD, 3, 1),            /* 002: */
        SHORT(OP_ADD, 3, 1),            /* 004: */
        SHORT(OP_ADD, 4, 1),            /* 006: always */
        LONG(LONG_B, 0, -7),            /* 008: to ffa */
    };

    FOR_EACH_SHAPE(shape) {
        TargetMachine t;

        target_open(&t, shape);
        load(&t, PAGE_B - 6, program, sizeof(program));
        for (unsigned n = 0; n < 20; n++) {
            unsigned ran = (n + 1) / 2;

            t.vcpu->slot[5] = n & 1;
            target_run(&t, 7);
            g_assert_cmphex(t.vcpu->pc, ==, PAGE_B - 6);
            g_assert_cmpuint(reg(&t, 1), ==, ran);
            g_assert_cmpuint(reg(&t, 2), ==, ran * ADDEND);
            g_assert_cmpuint(reg(&t, 3), ==, 2 * ran);
            g_assert_cmpuint(reg(&t, 4), ==, n + 1);
        }
        target_map(&t, PAGE_B, target_desc(RAM_B, DESC_WRITE));
        target_run(&t, 3);
        assert_exception(&t, CAUSE_ABORT, CROSSING, PAGE_B);
        g_assert_cmphex(t.cpu->env[ENV_WORD] & WORD_STATE, ==, 0x53);
        target_close(&t);
    }
}

/* The same code with and without a predicate from the page in front of it. */
static void test_predicate_page(void)
{
    static const uint16_t program[] = {
        SHORT(OP_WHEN, 5, 2),           /* ffa: the next three */
        SHORT(OP_ADD, 1, 1),            /* ffc: */
        SHORT(OP_ADD, 1, 1),            /* ffe: */
        SHORT(OP_ADD, 2, 1),            /* 000: */
        SHORT(OP_ADD, 3, 1),            /* 002: */
        SHORT(OP_BNZ, 9, 3),            /* 004: to 00a the second time */
        SHORT(OP_ADD, 9, 1),            /* 006: */
        SHORT(OP_BR, 7, 0),             /* 008: to 000 */
        SHORT(OP_ADD, 9, -1),           /* 00a: */
        LONG(LONG_B, 0, -9),            /* 00c: to ffa */
    };

    FOR_EACH_SHAPE(shape) {
        TargetMachine t;

        target_open(&t, shape);
        load(&t, PAGE_B - 6, program, sizeof(program));
        t.vcpu->slot[7] = PAGE_SIZE;
        for (unsigned n = 0; n < 20; n++) {
            t.vcpu->slot[5] = n & 1;
            target_run(&t, 13);
            g_assert_cmphex(t.vcpu->pc, ==, PAGE_B - 6);
            g_assert_cmpuint(reg(&t, 1), ==, (n + 1) / 2 * 2);
            g_assert_cmpuint(reg(&t, 2), ==, n + 1 + (n + 1) / 2);
            g_assert_cmpuint(reg(&t, 3), ==, 2 * (n + 1));
        }
        target_close(&t);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/target/crossing", test_crossing);
    g_test_add_func("/target/crossing/fault", test_fault);
    g_test_add_func("/target/crossing/changed", test_changed);
    g_test_add_func("/target/crossing/changed-by-guest", test_changed_by_guest);
    g_test_add_func("/target/crossing/remapped", test_remapped);
    g_test_add_func("/target/crossing/breakpoints", test_breakpoints);
    g_test_add_func("/target/alignment", test_alignment);
    g_test_add_func("/target/predicate", test_predicate);
    g_test_add_func("/target/predicate/fault", test_predicate_fault);
    g_test_add_func("/target/predicate/device", test_predicate_device);
    g_test_add_func("/target/predicate/crossing", test_predicate_crossing);
    g_test_add_func("/target/predicate/page", test_predicate_page);
    return g_test_run();
}
