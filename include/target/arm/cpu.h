/*
 * The Arm CPU: guest-visible state and its models.
 *
 * General registers and the current SP are slots of the embedded Vcpu: slot n
 * is Xn for n <= 30, slot 31 is the current stack pointer; the others are
 * in sp_el[]. NZCV is vcpu.nzcv (packed), the PC vcpu.pc.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_CPU_H
#define TARGET_ARM_CPU_H

#include "accel/tcg/vcpu.h"
#include "hw/core/device.h"

#define SLOT_SP 31

/*
 * As Cortex-A53, A57 and A72 have them, and ID_AA64DFR0_EL1 says; the last
 * ARM_NUM_CONTEXT_BREAKPOINTS of the breakpoints can match CONTEXTIDR_EL1.
 */
#define ARM_NUM_BREAKPOINTS 6
#define ARM_NUM_CONTEXT_BREAKPOINTS 2
#define ARM_NUM_WATCHPOINTS 4

typedef struct ArmVReg {
    uint64_t d[2];
} __attribute__((aligned(16))) ArmVReg;

/* Exception levels, and banks of what is banked by them. */
#define ARM_NUM_ELS 4

/*
 * PSTATE apart from NZCV, as separate bytes; DAIF in SPSR positions 9..6.
 *
 * Registers that the manual has once for each exception level are arrays by EL: x_el[n] is
 * X_ELn. Elements for which there is no such register at an EL stay zero.
 *
 * AArch32 needs no further banks of general registers: R8_fiq to R14_und are parts of X8 to
 * X30 (DDI 0487 D1.20.1). Its system registers are the AArch64 ones of EL1; where they are
 * banked by Security state because EL3 uses AArch32, the Secure one is element 3.
 */
typedef struct ArmState {
    ArmVReg v[32];
    uint32_t fpcr;
    uint32_t fpsr;
    uint32_t daif;            /* D, A, I, F in bits 9..6 */
    uint8_t el;               /* current exception level */
    uint8_t spsel;            /* PSTATE.SP */
    uint8_t il;               /* PSTATE.IL */
    uint8_t ss;               /* PSTATE.SS */
    uint64_t sp_el[ARM_NUM_ELS];    /* stale for the one that is slot 31 now */
    uint64_t elr_el[ARM_NUM_ELS];
    uint64_t spsr_el[ARM_NUM_ELS];
    uint64_t vbar_el[ARM_NUM_ELS];
    uint64_t esr_el[ARM_NUM_ELS];
    uint64_t far_el[ARM_NUM_ELS];
    uint64_t sctlr_el[ARM_NUM_ELS];
    uint64_t cpacr_el1;
    uint64_t hcr_el2;
    uint64_t scr_el3;
    uint64_t mdcr_el[ARM_NUM_ELS];
    uint64_t ttbr_el[ARM_NUM_ELS][2];   /* TTBR0_ELn, TTBR1_ELn */
    uint64_t tcr_el[ARM_NUM_ELS];
    uint64_t mair_el[ARM_NUM_ELS];
    uint64_t contextidr_el[ARM_NUM_ELS];
    uint64_t tpidr_el[ARM_NUM_ELS];
    uint64_t tpidrro_el0;
    uint64_t par_el1;
    uint64_t csselr_el1;
    uint64_t cntkctl_el1;
    uint64_t mdscr_el1;
    uint64_t oslsr_el1;
    uint64_t osdlr_el1;
    /* self-hosted debug */
    uint64_t dbgbvr_el1[ARM_NUM_BREAKPOINTS];
    uint64_t dbgbcr_el1[ARM_NUM_BREAKPOINTS];
    uint64_t dbgwvr_el1[ARM_NUM_WATCHPOINTS];
    uint64_t dbgwcr_el1[ARM_NUM_WATCHPOINTS];
    uint64_t dbgclaim_el1;
    /* generic timer: [0] physical (CNTP), [1] virtual (CNTV) */
    uint64_t cnt_cval[2];
    uint64_t cnt_ctl[2];      /* ENABLE bit 0, IMASK bit 1; ISTATUS is computed */
    uint64_t cntvoff;
    uint64_t cntfrq_el0;
    uint8_t irq_level;        /* interrupt inputs: bit 0 IRQ, bit 1 FIQ */
    uint8_t timer_level[2];   /* what each timer output was last driven to */
    uint8_t pad[5];
} ArmState;

typedef struct ArmCpuModel ArmCpuModel;

/* What users choose of a CPU (target/arm/cpu-types.c). */
typedef struct ArmCpuConfig {
    uint64_t cntfrq;          /* Hz */
    uint64_t midr;            /* 0: the model's */
    uint64_t rvbar;
} ArmCpuConfig;

/*
 * A type for each model, with ArmCpuConfig's properties. CPUs are no Devices: VcpuOps has their
 * state.
 */
extern const DeviceType cortex_a53_type, cortex_a57_type, cortex_a72_type, max_cpu_type;

typedef struct ArmCpu {
    Vcpu vcpu;                /* first */
    ArmState s;
    const ArmCpuModel *model;
    ArmCpuConfig config;
    /* generic timer outputs: physical, virtual, hypervisor, secure; the board wires them */
    IrqLine timer_irq[4];
    Timer timer[2];
    IrqLine irq_in, fiq_in;   /* what an interrupt controller drives */
    bool psci_conduit_smc;    /* else HVC */
    bool start_powered_off;   /* after a reset the CPU waits for PSCI CPU_ON */
    uint64_t mpidr;           /* MPIDR_EL1: bit 31 and the affinity fields */
    uint64_t boot_pc;         /* where a reset starts, EL1 with everything masked ... */
    uint64_t boot_x0;         /* ... and what it finds in X0 */
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
    MODE_DEBUG_BY_D = 1 << 13,   /* PSTATE.D masks what the mode has, or not: D is part of it */
    MODE_WATCH = 1 << 14,        /* accesses may hit a watchpoint ... */
    MODE_WATCH_UNPRIV = 1 << 15, /* ... and so may those of LDTR and STTR */
    /*
     * Instructions may hit a breakpoint: those at an offset in a 4 KiB page of 10 bits << 2, or
     * with ANY all of them.
     */
    MODE_BREAKPOINT = 1 << 16,
    MODE_BREAKPOINT_ANY = 1 << 17,
    MODE_BREAKPOINT_OFFSET_SHIFT = 18,
    MODE_MMU_OFF = 1 << 28,      /* data is Device memory: alignment is checked inline */
};

static inline unsigned mode_el(uint32_t mode)
{
    return mode & 3;
}

/*
 * A CPU of `model`, "NAME" or "NAME,PROPERTY=VALUE,..." as behind -cpu, with its other properties
 * as -global says. It is not bound to an engine yet and in its reset state; owned by the
 * machine through VcpuOps.free. An unknown model fails and names the nearest known one.
 * The board then sets psci_conduit_smc and start_powered_off, wires timer_irq[], and puts
 * &cpu->vcpu into Machine.cpus[index].
 */
ArmCpu *arm_cpu_new(const char *model, Machine *m, unsigned index, Error **errp);

/* "cortex-a57" */
const char *arm_cpu_model_name(const ArmCpu *cpu);
/* NULL-terminated, for -cpu help. */
const char *const *arm_cpu_model_names(void);

/* Where each reset starts and what it finds in X0 (a kernel's DTB); takes effect at once. */
void arm_cpu_set_boot(ArmCpu *cpu, uint64_t pc, uint64_t x0);

#endif
