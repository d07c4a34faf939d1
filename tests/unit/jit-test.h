/*
 * Run a small unit of IR through the native back end and through the interpreter,
 * from the same state, and compare what they leave.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_JIT_TEST_H
#define TESTS_UNIT_JIT_TEST_H

#include "util/osdep.h"
#include <glib.h>
#include "accel/tcg/backend.h"
#include "accel/tcg/opt/opt.h"
#include "target/arm/cpu.h"

typedef struct JitTest {
    Machine *machine;
    TcgContext *tcg;
    ArmCpu *cpu, *other;        /* native, interpreter */
    IrUnit *u;
    Unit unit;
    size_t code_start;
    uint64_t seed;
} JitTest;

static inline ArmCpu *jit_test_cpu(JitTest *j)
{
    ArmCpu *cpu = aligned_alloc(64, (sizeof(ArmCpu) + 63) & ~63ull);

    g_assert_nonnull(cpu);
    memset(cpu, 0, sizeof(*cpu));
    cpu->vcpu.tcg = j->tcg;
    return cpu;
}

/* False, and the test is skipped, when there is no native back end. */
static inline bool jit_test_init(JitTest *j)
{
    const TcgConfig config = { .cache_bytes = 4 << 20 };

    *j = (JitTest){ .seed = 0x9e3779b97f4a7c15 };
    if (!tcg_native_backend) {
        g_test_skip("no native back end");
        return false;
    }
    j->machine = machine_new(NULL);
    j->tcg = tcg_new(j->machine, &config, NULL);
    g_assert_nonnull(j->tcg);
    j->cpu = jit_test_cpu(j);
    j->other = jit_test_cpu(j);
    j->u = ir_unit_new();
    j->code_start = j->tcg->arena.used;
    return true;
}

static inline void jit_test_free(JitTest *j)
{
    ir_unit_free(j->u);
    free(j->cpu);
    free(j->other);
    tcg_free(j->tcg);
    machine_free(j->machine);
}

static inline uint64_t jit_test_random(JitTest *j)
{
    j->seed ^= j->seed << 13;
    j->seed ^= j->seed >> 7;
    j->seed ^= j->seed << 17;
    return j->seed;
}

/* The builder of a unit of one guest instruction. */
static inline IrBuilder *jit_test_begin(JitTest *j)
{
    ir_unit_reset(j->u, 0x1000);
    ir_insn(j->u, 0x1000, 4, 0);
    return j->u;
}

static inline void jit_test_compile(JitTest *j)
{
    ir_exit_main(j->u, 0x1004);
    g_assert_cmpstr(ir_verify(j->u, NULL), ==, NULL);
    ir_mark_flags(j->u);
    j->tcg->arena.used = j->code_start;
    j->unit = (Unit){ .num_insns = 1 };
    g_assert_true(tcg_native_backend->compile(j->tcg, &j->tcg->arena, j->u, &j->unit, false));
}

/* Whether the unit's code mentions the address. */
static inline bool jit_test_calls(const JitTest *j, const void *fn)
{
    const uint8_t *code = j->unit.code, *end = j->tcg->arena.rx + j->tcg->arena.used;

    for (; code + sizeof(fn) <= end; code++) {
        if (memcmp(code, &fn, sizeof(fn)) == 0) {
            return true;
        }
    }
    return false;
}

/* Run both from the state in j->cpu; false when something differs. */
static inline bool jit_test_run(JitTest *j)
{
    Vcpu *x = &j->cpu->vcpu, *y = &j->other->vcpu;

    x->pc = y->pc = j->u->pc;
    x->left = y->left = 100;
    x->pc = y->pc = 0x1000;
    memcpy(&j->other->s, &j->cpu->s, sizeof(j->cpu->s));
    memcpy(y->slot, x->slot, sizeof(x->slot));
    y->nzcv = x->nzcv;
    g_assert_cmphex(tcg_native_backend->enter(x, j->unit.code) & EXIT_KIND_MASK, ==,
                    EXIT_KIND_MAIN);
    g_assert_cmpint(interp_run(y, j->u, 100), ==, INTERP_MAIN);
    return memcmp(&j->other->s, &j->cpu->s, sizeof(j->cpu->s)) == 0 &&
           memcmp(y->slot, x->slot, sizeof(x->slot)) == 0 &&
           ((y->nzcv ^ x->nzcv) & 0xc101) == 0 && x->left == y->left && x->pc == y->pc;
}

#endif
