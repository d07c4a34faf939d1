/*
 * A tiny target for tests of accel/tcg/: 32 slots, a few words and vectors of other
 * state, one vector for all exceptions, and address translation by a function of the
 * test. What is raised is counted and mixed into `trace`. A program includes it once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_FAKE_VCPU_H
#define TESTS_FAKE_VCPU_H

#include "util/osdep.h"
#include <glib.h>
#include "accel/tcg/nzcv.h"
#include "accel/tcg/tcg.h"
#include "rng.h"

#define FAKE_ENV_WORDS 8
#define FAKE_VREGS 4
#define FAKE_VECTOR 0x10200
#define FAKE_IRQ_VECTOR 0x10240
/* Address bits 63..56 are ignored, as with top-byte ignore. */
#define FAKE_ADDRESS_BITS 56

typedef struct FakeCpu FakeCpu;

/* An address space: which rights, and which root. */
typedef struct FakeSpace {
    uint32_t regime;            /* 0: all rights; 1: unprivileged */
    uint32_t asid;
} FakeSpace;

struct FakeCpu {
    Vcpu vcpu;                  /* first */
    struct { uint64_t d[2]; } v[FAKE_VREGS] __attribute__((aligned(16)));
    uint64_t env[FAKE_ENV_WORDS];
    uint32_t fpcr, fpsr;        /* in this order: see IrFpHelper */
    uint64_t trace;             /* a hash of what happened, with icounts */
    FakeSpace key, unpriv_key;   /* after a change: fake_space_changed() */
    uint32_t mode;

    /* What was raised last, and how often. */
    unsigned aborts, alignments, externals, interrupts;
    uint64_t fault_addr;
    uint32_t fault;
    MmuAccess fault_access;

    /* The test's. */
    bool (*walk)(FakeCpu *cpu, uint64_t vaddr, MmuAccess access, bool unpriv, MmuResult *out);
    void (*translate)(FakeCpu *cpu, IrBuilder *b, uint64_t pc, const uint8_t *code,
                      unsigned code_bytes, unsigned max_insns);
    unsigned walks;
    void *opaque;
};

static inline FakeCpu *fake_cpu(Vcpu *cpu)
{
    return container_of(cpu, FakeCpu, vcpu);
}

static inline uint64_t fake_mix(uint64_t h, uint64_t value)
{
    h = (h ^ value) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

static inline void fake_note(FakeCpu *cpu, uint64_t what, uint64_t value)
{
    cpu->trace = fake_mix(cpu->trace, what);
    cpu->trace = fake_mix(cpu->trace, value);
    cpu->trace = fake_mix(cpu->trace, clock_icount(cpu->vcpu.machine->clock));
}

/* ---- the target's operations ---- */

static void fake_translate(Vcpu *vcpu, IrBuilder *b, uint64_t pc, uint32_t mode,
                           const uint8_t *code, unsigned code_bytes, unsigned max_insns)
{
    fake_cpu(vcpu)->translate(fake_cpu(vcpu), b, pc, code, code_bytes, max_insns);
}

static uint32_t fake_mode(Vcpu *vcpu)
{
    return fake_cpu(vcpu)->mode;
}

static uint8_t fake_pc_align_mask(uint32_t mode)
{
    return 3;
}

static unsigned fake_insn_bytes(uint32_t mode, const uint8_t *code)
{
    return 4;
}

static void fake_regime(Vcpu *vcpu, unsigned number, Regime *out)
{
    const FakeSpace *k = number ? &fake_cpu(vcpu)->key : &fake_cpu(vcpu)->unpriv_key;

    *out = (Regime){ .table = { k->asid, 0 }, .control = { k->regime } };
}

static unsigned fake_current_regime(Vcpu *vcpu)
{
    const FakeCpu *cpu = fake_cpu(vcpu);

    return cpu->key.regime != cpu->unpriv_key.regime;
}

static inline void fake_space_changed(FakeCpu *cpu)
{
    vcpu_regime_changed(&cpu->vcpu);
}

static bool fake_mmu_translate(Vcpu *vcpu, const Regime *regime, uint64_t vaddr,
                               MmuAccess access, MmuResult *out)
{
    FakeCpu *cpu = fake_cpu(vcpu);

    cpu->walks++;
    *out = (MmuResult){ 0 };
    return cpu->walk(cpu, vaddr, access, regime->control[0], out);
}

static uint64_t fake_clean_address(Vcpu *vcpu, uint64_t vaddr, bool unpriv)
{
    return vaddr << (64 - FAKE_ADDRESS_BITS) >> (64 - FAKE_ADDRESS_BITS);
}

static void fake_raise(FakeCpu *cpu, unsigned *counter, uint64_t vaddr, MmuAccess access,
                       uint32_t fault)
{
    ++*counter;
    cpu->fault_addr = vaddr;
    cpu->fault_access = access;
    cpu->fault = fault;
    fake_note(cpu, (uint64_t)(counter - &cpu->aborts) << 8 | access, vaddr);
    fake_note(cpu, fault, cpu->vcpu.pc);
    cpu->env[0] = cpu->vcpu.pc;
    cpu->vcpu.pc = FAKE_VECTOR;
    cpu->vcpu.exit_request = 1;
}

static void fake_raise_abort(Vcpu *vcpu, uint64_t vaddr, MmuAccess access, uint32_t fault,
                             bool unpriv)
{
    fake_raise(fake_cpu(vcpu), &fake_cpu(vcpu)->aborts, vaddr, access, fault | unpriv << 8);
}

static void fake_raise_alignment(Vcpu *vcpu, uint64_t vaddr, MmuAccess access)
{
    fake_raise(fake_cpu(vcpu), &fake_cpu(vcpu)->alignments, vaddr, access, 0);
}

static void fake_raise_external(Vcpu *vcpu, uint64_t vaddr, MmuAccess access)
{
    fake_raise(fake_cpu(vcpu), &fake_cpu(vcpu)->externals, vaddr, access, 0);
}

static bool fake_take_interrupt(Vcpu *vcpu)
{
    FakeCpu *cpu = fake_cpu(vcpu);

    cpu->interrupts++;
    fake_note(cpu, 0x1000, vcpu->pc);
    cpu->env[1] = vcpu->pc;
    vcpu->pc = FAKE_IRQ_VECTOR;
    vcpu->irq_pending = 0;
    return true;
}

static const VcpuOps fake_ops = {
    .name = "fake",
    .num_slots = VCPU_MAX_SLOTS,
    .pc_align_mask = fake_pc_align_mask,
    .insn_bytes = fake_insn_bytes,
    .translate = fake_translate,
    .mode = fake_mode,
    .regime = fake_regime,
    .current_regime = fake_current_regime,
    .mmu_translate = fake_mmu_translate,
    .clean_address = fake_clean_address,
    .raise_abort = fake_raise_abort,
    .raise_alignment = fake_raise_alignment,
    .raise_external = fake_raise_external,
    .take_interrupt = fake_take_interrupt,
};

/* ---- fixture ---- */

/* Aligned for the vectors; freed with free(). The machine's next CPU. */
static inline FakeCpu *fake_cpu_new(Machine *m)
{
    FakeCpu *cpu = NULL;

    g_assert_cmpint(posix_memalign((void **)&cpu, 64, sizeof(*cpu)), ==, 0);
    memset(cpu, 0, sizeof(*cpu));
    cpu->vcpu.ops = &fake_ops;
    cpu->vcpu.machine = m;
    cpu->vcpu.excl_addr = UINT64_MAX;
    cpu->unpriv_key.regime = 1;
    cpu->vcpu.index = m->num_cpus;
    m->cpus = g_renew(Vcpu *, m->cpus, m->num_cpus + 1);
    m->cpus[m->num_cpus++] = &cpu->vcpu;
    return cpu;
}

#endif
