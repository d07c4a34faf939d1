/*
 * A machine of the real Arm front end, engine and RAM, for tests of accel/tcg/ that run
 * small programs given as words.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_ARM_MACHINE_H
#define TESTS_ARM_MACHINE_H

#include "util/osdep.h"
#include <glib.h>
#include "accel/tcg/tcg.h"
#include "target/arm/cpu.h"

#define RAM 0x40000000ull
#define RAM_SIZE (4u << 20)

typedef struct ArmMachine {
    Machine *m;
    TcgContext *tcg;
    ArmCpu *cpu[8];
    const char *model;      /* before arm_machine_start(); NULL: cortex-a57 */
    int64_t icount;         /* for arm_machine_run() */
} ArmMachine;

/* Everything but the engine: devices may be added before arm_machine_start(). */
static inline void arm_machine_new(ArmMachine *a, Replay *replay, const uint32_t *program,
                                   size_t bytes)
{
    *a = (ArmMachine){ .m = machine_new(replay) };
    g_assert_nonnull(memory_add_ram(a->m->memory, "ram", RAM, RAM_SIZE, false, NULL));
    g_assert_true(memory_write(a->m->memory, RAM, program, bytes));
}

/* num_cpus CPUs, all of which start at RAM; X0 is the CPU's number. */
static inline void arm_machine_start(ArmMachine *a, const TcgConfig *config, unsigned num_cpus)
{
    TcgConfig small = *config;
    Error *err = NULL;

    if (!small.cache_bytes) {
        small.cache_bytes = 8 << 20;
    }
    a->m->cpus = g_new0(Vcpu *, num_cpus);
    a->m->num_cpus = num_cpus;
    for (unsigned n = 0; n < num_cpus; n++) {
        a->cpu[n] = arm_cpu_new(a->model ? a->model : "cortex-a57", a->m, n, &err);
        g_assert_nonnull(a->cpu[n]);
        arm_cpu_set_boot(a->cpu[n], RAM, n);
        a->m->cpus[n] = &a->cpu[n]->vcpu;
        a->cpu[n]->vcpu.index = n;
    }
    a->tcg = tcg_new(a->m, &small, &err);
    g_assert_nonnull(a->tcg);
    for (unsigned n = 0; n < num_cpus; n++) {
        tcg_add_vcpu(a->tcg, &a->cpu[n]->vcpu);
        a->cpu[n]->vcpu.ops->reset(&a->cpu[n]->vcpu);
    }
}

static inline void arm_machine_free(ArmMachine *a)
{
    tcg_free(a->tcg);
    for (unsigned n = 0; n < a->m->num_cpus; n++) {
        a->cpu[n]->vcpu.ops->free(&a->cpu[n]->vcpu);
    }
    machine_free(a->m);
}

/* Run CPU 0 for at most `insns` instructions; stops as tcg_run() does. */
static inline TcgStop arm_machine_run(ArmMachine *a, int64_t insns)
{
    Vcpu *vcpu = &a->cpu[0]->vcpu;
    TcgStop stop;

    vcpu->left = insns;
    clock_set_slice(a->m->clock, a->icount + insns, &vcpu->left);
    stop = tcg_run(a->tcg, vcpu);
    a->icount += insns - vcpu->left;
    return stop;
}

/* The same, whatever asks for a stop in between. */
static inline void arm_machine_run_all(ArmMachine *a, int64_t insns)
{
    int64_t end = a->icount + insns;

    while (a->icount < end) {
        arm_machine_run(a, end - a->icount);
    }
    g_assert_cmpint(a->icount, ==, end);
}

static inline uint64_t arm_x(const ArmMachine *a, unsigned n)
{
    return a->cpu[0]->vcpu.slot[n];
}

#endif
