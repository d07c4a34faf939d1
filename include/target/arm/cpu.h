/*
 * The Arm CPU: guest-visible state and its models.
 *
 * General registers and the current SP are slots of the embedded Vcpu: slot n
 * is Xn for n <= 30, slot 31 is the current stack pointer; the banked one is
 * in sp_el[]. NZCV is vcpu.nzcv (packed), the PC vcpu.pc.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_CPU_H
#define TARGET_ARM_CPU_H

#include "accel/tcg/vcpu.h"
#include "hw/core/irq.h"

#define SLOT_SP 31

typedef struct ArmVReg {
    uint64_t d[2];
} __attribute__((aligned(16))) ArmVReg;

/* PSTATE apart from NZCV, as separate bytes; DAIF in SPSR positions 9..6. */
typedef struct ArmState {
    ArmVReg v[32];
    uint32_t fpcr;
    uint32_t fpsr;
    uint32_t daif;            /* D, A, I, F in bits 9..6 */
    uint8_t el;               /* current exception level */
    uint8_t spsel;            /* PSTATE.SP */
    uint8_t il;               /* PSTATE.IL */
    uint8_t ss;               /* PSTATE.SS */
    uint64_t sp_el[4];        /* banked; stale for the one that is slot 31 now */
    uint64_t elr_el1;
    uint64_t spsr_el1;
    uint64_t vbar_el1;
    uint64_t esr_el1;
    uint64_t far_el1;
    uint64_t afsr_el1[2];
    uint64_t sctlr_el1;
    uint64_t actlr_el1;
    uint64_t cpacr_el1;
    uint64_t ttbr_el1[2];
    uint64_t tcr_el1;
    uint64_t mair_el1;
    uint64_t amair_el1;
    uint64_t contextidr_el1;
    uint64_t tpidr_el0;
    uint64_t tpidrro_el0;
    uint64_t tpidr_el1;
    uint64_t par_el1;
    uint64_t csselr_el1;
    uint64_t cntkctl_el1;
    uint64_t mdscr_el1;
    uint64_t oslsr_el1;
    uint64_t osdlr_el1;
    uint64_t pmcr_el0;
    uint64_t pmuserenr_el0;
    /* generic timer: [0] physical (CNTP), [1] virtual (CNTV) */
    uint64_t cnt_cval[2];
    uint64_t cnt_ctl[2];      /* ENABLE bit 0, IMASK bit 1; ISTATUS is computed */
    uint64_t cntvoff;
    uint8_t irq_level;        /* interrupt inputs: bit 0 IRQ, bit 1 FIQ */
    uint8_t pad[7];
    uint64_t spare_id;        /* MPIDR affinity of this CPU */
} ArmState;

typedef struct ArmCpuModel ArmCpuModel;

typedef struct ArmCpu {
    Vcpu vcpu;                /* first */
    ArmState s;
    const ArmCpuModel *model;
    /* generic timer outputs: physical, virtual, hypervisor, secure; the board wires them */
    IrqLine timer_irq[4];
    Timer timer[2];
    IrqLine irq_in, fiq_in;   /* what an interrupt controller drives */
    bool psci_conduit_smc;    /* else HVC */
} ArmCpu;

static inline ArmCpu *arm_cpu(Vcpu *cpu)
{
    return container_of(cpu, ArmCpu, vcpu);
}

/* Byte offset of Vn from Vcpu*, for IR vector operations. */
static inline uint32_t arm_v_offset(unsigned n)
{
    return offsetof(ArmCpu, s.v) + n * sizeof(ArmVReg);
}

/*
 * Translation mode bits (VcpuOps.mode): all that A64 translation depends on.
 * MODE_EL is two bits. FP_TRAP_EL is 0 when FP/SIMD is usable, else 1: an
 * access traps to EL1 (CPACR_EL1.FPEN).
 */
enum ArmMode {
    MODE_EL_SHIFT = 0,
    MODE_FP_TRAP = 1 << 2,
    MODE_SPSEL = 1 << 3,
    MODE_ALIGN_CHECK = 1 << 4,   /* SCTLR.A */
    MODE_SP_ALIGN = 1 << 5,      /* SCTLR.SA / SA0 for the current EL */
    MODE_IL = 1 << 6,            /* PSTATE.IL: every instruction is Illegal State */
    MODE_SS = 1 << 7,            /* software step active */
    MODE_DCZ_TRAP = 1 << 8,      /* SCTLR.DZE == 0 at EL0 */
    MODE_UCI_TRAP = 1 << 9,      /* SCTLR.UCI == 0 at EL0 */
    MODE_UCT_TRAP = 1 << 10,
    MODE_UMA_TRAP = 1 << 11,
    MODE_BIG_ENDIAN = 1 << 12,
};

static inline unsigned mode_el(uint32_t mode)
{
    return mode & 3;
}

#endif
