/*
 * A stand-in for the execution engine and the translator, for tests of
 * target/arm's system level: physical memory is a sparse map of words, TLB
 * maintenance is logged. A program includes it once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_ARM_FAKE_ENGINE_H
#define TESTS_ARM_FAKE_ENGINE_H

#include "util/osdep.h"
#include <glib.h>
#include "target/arm/cpu.h"
#include "target/arm/helpers.h"
#include "target/arm/sysreg.h"
#include "target/arm/translate.h"

static GHashTable *fake_memory;     /* physical address -> uint64_t * */
static GString *fake_log;           /* "page 0:1000 " and so on */
static uint32_t fake_insn;          /* what vcpu_peek() finds */
static bool fake_sp_misaligned;

/* ---- memory ---- */

static inline void mem_set(uint64_t phys, uint64_t value)
{
    g_hash_table_insert(fake_memory, g_memdup2(&phys, 8), g_memdup2(&value, 8));
}

bool vcpu_phys_read64(Vcpu *cpu, uint64_t phys, uint64_t *out)
{
    uint64_t *value = g_hash_table_lookup(fake_memory, &phys);

    if (value) {
        *out = *value;
    }
    return value != NULL;
}

bool vcpu_peek(Vcpu *cpu, uint64_t vaddr, void *out, size_t length)
{
    g_assert_cmpuint(length, ==, 4);
    memcpy(out, &fake_insn, 4);
    return true;
}

bool vcpu_can_read(Vcpu *cpu, uint64_t vaddr)
{
    return false;
}

/* ---- engine ---- */

void vcpu_space_changed(Vcpu *cpu)
{
    cpu->mode = cpu->ops->mode(cpu);
}

void vcpu_regime_changed(Vcpu *cpu)
{
    vcpu_space_changed(cpu);
}

void vcpu_woken(Vcpu *cpu)
{
}

void vcpu_yield(Vcpu *cpu)
{
    cpu->exit_request = 1;
}

void vcpu_set_irq_pending(Vcpu *cpu, bool pending)
{
    cpu->irq_pending = pending;
    cpu->exit_request = 1;
}

/* ---- translator ---- */

void a64_translate(Vcpu *cpu, IrBuilder *b, uint64_t pc, uint32_t mode, const uint8_t *code,
                   unsigned code_bytes, unsigned max_insns)
{
    g_assert_not_reached();
}

bool a64_sp_misaligned_access(ArmCpu *cpu)
{
    return fake_sp_misaligned;
}

uint64_t a64_store_fault_address(ArmCpu *cpu, uint64_t vaddr)
{
    return vaddr;
}

/* ---- fixture ---- */

static inline Machine *fake_machine(void)
{
    Machine *m = machine_new(NULL);

    fake_memory = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    fake_log = g_string_new(NULL);
    fake_insn = 0;
    fake_sp_misaligned = false;
    return m;
}

static inline ArmCpu *fake_cpu(Machine *m, const char *model)
{
    ArmCpu *cpu = arm_cpu_new(model, m, m->num_cpus, NULL);

    g_assert_nonnull(cpu);
    m->cpus = g_renew(Vcpu *, m->cpus, m->num_cpus + 1);
    m->cpus[m->num_cpus++] = &cpu->vcpu;
    cpu->vcpu.ops->reset(&cpu->vcpu);
    cpu->vcpu.exit_request = 0;
    g_string_truncate(fake_log, 0);
    return cpu;
}

static inline void fake_machine_free(Machine *m)
{
    for (unsigned i = 0; i < m->num_cpus; i++) {
        m->cpus[i]->ops->free(m->cpus[i]);
    }
    machine_free(m);
    g_hash_table_destroy(fake_memory);
    g_string_free(fake_log, TRUE);
}

/* ---- what translated code does ---- */

static inline uint64_t guest_read(ArmCpu *cpu, uint32_t key)
{
    return ((uint64_t (*)(Vcpu *, uint64_t))(void *)helper_sysreg_read.fn)(&cpu->vcpu, key);
}

static inline void guest_write(ArmCpu *cpu, uint32_t key, uint64_t value)
{
    ((void (*)(Vcpu *, uint64_t, uint64_t))(void *)helper_sysreg_write.fn)(&cpu->vcpu, key,
                                                                          value);
}

static inline void guest_call0(ArmCpu *cpu, const IrHelper *h)
{
    g_assert_cmpuint(h->num_args, ==, 0);
    ((void (*)(Vcpu *))(void *)h->fn)(&cpu->vcpu);
}

static inline void guest_call1(ArmCpu *cpu, const IrHelper *h, uint64_t a0)
{
    g_assert_cmpuint(h->num_args, ==, 1);
    ((void (*)(Vcpu *, uint64_t))(void *)h->fn)(&cpu->vcpu, a0);
}

static inline void guest_call2(ArmCpu *cpu, const IrHelper *h, uint64_t a0, uint64_t a1)
{
    g_assert_cmpuint(h->num_args, ==, 2);
    ((void (*)(Vcpu *, uint64_t, uint64_t))(void *)h->fn)(&cpu->vcpu, a0, a1);
}

#endif
