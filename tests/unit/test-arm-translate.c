/*
 * The A64 translate loop: where units end and what they hold, and the exceptions that the
 * translator itself sees to. What instructions compute is the oracle test's business.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/tcg.h"
#include "target/arm/cpu.h"
#include "target/arm/translate.h"

#define RAM 0x40000000ull
#define RAM_SIZE (1u << 20)
#define VECTORS (RAM + 0x800)
#define VECTOR_SYNC_EL1 (VECTORS + 0x200)
#define DATA (RAM + 0x10000)        /* what X9 holds */

#define NOP 0xd503201f

typedef struct Guest {
    Machine *m;
    ArmCpu *cpu;
    TcgContext *tcg;
} Guest;

static void guest_init(Guest *g, const TcgConfig *config)
{
    Error *err = NULL;

    *g = (Guest){ .m = machine_new(NULL) };
    g_assert_nonnull(memory_add_ram(g->m->memory, "ram", RAM, RAM_SIZE, false, &err));
    g->cpu = arm_cpu_new("cortex-a72", g->m, 0, &err);
    g_assert_nonnull(g->cpu);
    g->tcg = tcg_new(g->m, config, &err);
    g_assert_nonnull(g->tcg);
    tcg_add_vcpu(g->tcg, &g->cpu->vcpu);
    arm_cpu_set_boot(g->cpu, RAM, 0);
    g->cpu->vcpu.ops->reset(&g->cpu->vcpu);
}

static void guest_free(Guest *g)
{
    tcg_free(g->tcg);
    g->cpu->vcpu.ops->free(&g->cpu->vcpu);
    machine_free(g->m);
}

/* ---- units ---- */

typedef struct UnitTest {
    unsigned offset;            /* of the first word on its page, where translation starts */
    unsigned max_insns;
    unsigned guest_insns;       /* expected ... */
    IrOpcode last;
    uint64_t last_pc;           /* of jmp and exit_main, as an offset */
    unsigned selections;        /* selnz operations: checks of SP */
    unsigned side_exits;
    uint32_t words[6];
} UnitTest;

static const UnitTest unit_tests[] = {
    /* The limit; the end of the page; the page before it. */
    { 0x000, 3, 3, IR_jmp, 0x00c, 0, 0, { NOP, NOP, NOP, NOP } },
    { 0xff8, 9, 2, IR_jmp, 0x1000, 0, 0, { NOP, NOP } },
    /* b .+12 and b .-4, followed; b . ends where it started; b .-8 into the unit. */
    { 0x100, 9, 3, IR_exit_main_helper, 0, 0, 0, { 0x14000003, 0, 0xd4002461, 0x17ffffff } },
    { 0x100, 9, 1, IR_jmp, 0x100, 0, 0, { 0x14000000 } },
    { 0x100, 9, 3, IR_jmp, 0x100, 0, 1, { 0xb4000040, NOP, 0x17fffffe } },
    /* b to another page. */
    { 0xffc, 9, 1, IR_jmp, 0x1008, 0, 0, { 0x14000003 } },
    /* bl, blr x1, ret end the unit; svc and eret leave for where the helper says. */
    { 0x100, 9, 2, IR_jmp, 0x110, 0, 0, { NOP, 0x94000003 } },
    { 0x100, 9, 1, IR_jmp_ind, 0, 0, 0, { 0xd63f0020 } },
    { 0x100, 9, 1, IR_jmp_ind, 0, 0, 0, { 0xd65f03c0 } },
    { 0x100, 9, 1, IR_exit_main_helper, 0, 0, 0, { 0xd4002461 } },
    { 0x100, 9, 1, IR_exit_main_helper, 0, 0, 0, { 0xd69f03e0 } },
    /* Unallocated: undefined. */
    { 0x100, 9, 2, IR_exit_main_helper, 0, 0, 0, { NOP, 0x00000000 } },
    /* daifset #2 and daifclr #4 (A) go on, daifclr #2 and msr daif look at interrupts. */
    { 0x100, 3, 3, IR_jmp, 0x10c, 0, 0, { 0xd50342df, 0xd50344ff, NOP, NOP } },
    { 0x100, 9, 2, IR_exit_main, 0x108, 0, 1, { NOP, 0xd50342ff, NOP } },
    { 0x100, 9, 1, IR_exit_main, 0x104, 0, 1, { 0xd51b4223, NOP } },
    /* msr sctlr_el1: translation changes; msr tpidr_el0: goes on. */
    { 0x100, 9, 1, IR_exit_main, 0x104, 0, 0, { 0xd5181000, NOP } },
    { 0x100, 2, 2, IR_jmp, 0x108, 0, 0, { 0xd51bd040, NOP, NOP } },
    /* A pair checks SP by its own alignment, single accesses once a unit ... */
    { 0x100, 3, 3, IR_jmp, 0x10c, 0, 0, { 0xa9bf7bfd, 0xf90007e0, 0xf90003e1 } },
    { 0x100, 2, 2, IR_jmp, 0x108, 1, 0, { 0xf90007e0, 0xf90003e1 } },
    /* ... and again after SP was written (add sp, x9, #0x408; not sub sp, sp, #32). */
    { 0x100, 3, 3, IR_jmp, 0x10c, 2, 0, { 0xf90007e0, 0x9110213f, 0xf90003e1 } },
    { 0x100, 3, 3, IR_jmp, 0x10c, 1, 0, { 0xf90007e0, 0xd10083ff, 0xf90003e1 } },
};

static void count_ops(const IrUnit *u, unsigned *selections, unsigned *side_exits)
{
    *selections = *side_exits = 0;
    for (unsigned n = 0; n < u->num_insns; n++) {
        switch (u->insns[n].op) {
        case IR_selnz:
            ++*selections;
            break;
        case IR_exit_cond: case IR_exit_nz: case IR_exit_z: case IR_exit_bit:
            ++*side_exits;
            break;
        }
    }
}

static void translate(Guest *g, IrUnit *u, const UnitTest *t)
{
    Vcpu *cpu = &g->cpu->vcpu;
    uint8_t page[4096] = { 0 };
    size_t bytes = MIN(sizeof(t->words), sizeof(page) - t->offset);

    memcpy(page + t->offset, t->words, bytes);
    ir_unit_reset(u, RAM + t->offset);
    a64_translate(cpu, u, RAM + t->offset, cpu->mode, page + t->offset,
                  sizeof(page) - t->offset, t->max_insns);
    g_assert_cmpstr(ir_verify(u, NULL), ==, NULL);
}

static void test_units(void)
{
    IrUnit *u = ir_unit_new();
    Guest g;

    guest_init(&g, &(TcgConfig){ .interp = true });
    for (unsigned i = 0; i < ARRAY_SIZE(unit_tests); i++) {
        const UnitTest *t = &unit_tests[i];
        unsigned selections, side_exits;
        const IrInsn *last;

        translate(&g, u, t);
        last = &u->insns[u->num_insns - 1];
        count_ops(u, &selections, &side_exits);
        g_test_message("unit %u", i);
        g_assert_cmpuint(u->num_guest_insns, ==, t->guest_insns);
        g_assert_cmpstr(ir_op_name(last->op), ==, ir_op_name(t->last));
        if (t->last == IR_jmp || t->last == IR_exit_main) {
            g_assert_cmphex(last->imm, ==, RAM + t->last_pc);
        }
        g_assert_cmpuint(selections, ==, t->selections);
        g_assert_cmpuint(side_exits, ==, t->side_exits);
    }
    guest_free(&g);
    ir_unit_free(u);
}

static void test_breakpoint(void)
{
    const UnitTest t = { .offset = 0x100, .max_insns = 9, .words = { NOP, NOP, NOP } };
    IrUnit *u = ir_unit_new();
    Guest g;

    guest_init(&g, &(TcgConfig){ .interp = true });
    tcg_breakpoint_insert(g.tcg, RAM + 0x108);
    translate(&g, u, &t);
    g_assert_cmpuint(u->num_guest_insns, ==, 2);
    /* The instruction at a breakpoint itself can be translated: it is being stepped over. */
    tcg_breakpoint_insert(g.tcg, RAM + 0x100);
    translate(&g, u, &t);
    g_assert_cmpuint(u->num_guest_insns, ==, 2);
    guest_free(&g);
    ir_unit_free(u);
}

/* ---- running at EL1, MMU off, until the first exception ---- */

typedef struct RunTest {
    uint32_t esr;
    unsigned pc;                /* offset of ELR_EL1 */
    uint64_t x1, far;           /* 0: not looked at */
    uint32_t words[8];
    bool fp_off;
} RunTest;

static const RunTest run_tests[] = {
    /* SP = X9 + 0x408 as base: immediate, pair, register offset, vector, write-back. */
    { 0x9a000000, 4, 0, 0, { 0x9110213f, 0xf90007e1 } },
    { 0x9a000000, 4, 0, 0, { 0x9110213f, 0xa9000be1 } },
    { 0x9a000000, 4, 0, 0, { 0x9110213f, 0xf8626be1 } },
    { 0x9a000000, 4, 0, 0, { 0x9110213f, 0x3c8107e0 } },
    { 0x9a000000, 4, 0, 0, { 0x9110213f, 0xa8c17bfd } },
    /* br to X9 + 2 */
    { 0x8a000000, 0x10002, 0, DATA + 2, { 0x91000920, 0xd61f0000 } },
    { 0x02000000, 0, 0, 0, { 0x00000000 } },
    /* ldar x1 at X9 + 0x404: alignment fault */
    { 0x96000021, 4, 0, DATA + 0x404, { 0x91101120, 0xc8dffc01 } },
    /* str d0 with FP disabled; and at SP: the trap comes first */
    { 0x1fe00000, 0, 0, 0, { 0xfd000120 }, true },
    { 0x1fe00000, 4, 0, 0, { 0x9110213f, 0x3c8107e0 }, true },
    /* dc zva of X9 + 0x450: with the MMU off memory is Device; a load of X9 + 0x451 faults too. */
    { 0x96000061, 4, 0, DATA + 0x450, { 0x91114120, 0xd50b7420 } },
    { 0x96000061, 0, 0, DATA, { 0xd50b7429 } },
    { 0x96000021, 4, 0, DATA + 0x451, { 0x91114520, 0x79400001 } },
    /* mrs x3, daif; daifclr #2; mrs x1, daif */
    { 0xf2000007, 12, 0x340, 0, { 0xd53b4223, 0xd50342ff, 0xd53b4221, 0xd42000e0 } },
    /* ldxr x1; clrex; stxr w1, x3: not stored */
    { 0xf2000007, 12, 1, 0, { 0xc85f7d21, 0xd5033f5f, 0xc8017d23, 0xd42000e0 } },
    /* ldxr x1; stxr w1, x3; ldr x1, [x9] */
    { 0xf2000007, 16, 0x33, 0, { 0xd2800663, 0xc85f7d21, 0xc8017d23, 0xf9400121, 0xd42000e0 } },
    /* mrs x1, pan: not there in v8.0 */
    { 0x02000000, 4, 0, 0, { NOP, 0xd5384261 } },
};

static void run_test(const RunTest *t, const TcgConfig *config)
{
    Guest g;
    Vcpu *cpu;

    guest_init(&g, config);
    cpu = &g.cpu->vcpu;
    for (unsigned n = 0; n < 0x800; n += 8) {
        g_assert_true(memory_write(g.m->memory, DATA + n, &(uint64_t){ 0x5a5a5a5a5a5a5a5a }, 8));
    }
    g_assert_true(memory_write(g.m->memory, RAM, t->words, sizeof(t->words)));
    g.cpu->s.vbar_el[1] = VECTORS;
    g.cpu->s.cpacr_el1 = t->fp_off ? 0 : 3 << 20;
    vcpu_space_changed(cpu);
    cpu->slot[9] = DATA;
    tcg_breakpoint_insert(g.tcg, VECTOR_SYNC_EL1);
    cpu->left = 1000;
    while (cpu->left > 0 && tcg_run(g.tcg, cpu) != TCG_STOP_DEBUG) {
    }
    g_assert_cmphex(cpu->pc, ==, VECTOR_SYNC_EL1);
    g_assert_cmphex(g.cpu->s.esr_el[1], ==, t->esr);
    g_assert_cmphex(g.cpu->s.elr_el[1], ==, RAM + t->pc);
    if (t->x1) {
        g_assert_cmphex(cpu->slot[1], ==, t->x1);
    }
    if (t->far) {
        g_assert_cmphex(g.cpu->s.far_el[1], ==, t->far);
    }
    guest_free(&g);
}

static void test_run(void)
{
    static const TcgConfig configs[] = {
        { .interp = true }, { .interp = true, .unit_insns = 1 }, { .unit_insns = 64 },
        { .unit_insns = 1 }, { .no_opt = true },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(run_tests); i++) {
        for (unsigned c = 0; c < ARRAY_SIZE(configs); c++) {
            g_test_message("program %u, configuration %u", i, c);
            run_test(&run_tests[i], &configs[c]);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arm/translate/units", test_units);
    g_test_add_func("/arm/translate/breakpoint", test_breakpoint);
    g_test_add_func("/arm/translate/run", test_run);
    return g_test_run();
}
