/*
 * Which exception level takes an exception (DDI 0487 D1.13).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_ROUTING_H
#define TARGET_ARM_ROUTING_H

#include "target/arm/cpu.h"

/* Exceptions by the control bits that route them. */
typedef enum ArmRoute {
    ROUTE_SYNC,         /* synchronous, none of the following; of traps: those to EL1 */
    ROUTE_DEBUG,        /* BRK, breakpoint, watchpoint, software step */
    ROUTE_EXTERNAL,     /* synchronous external abort */
    ROUTE_STAGE2,       /* abort of stage 2 translation */
    ROUTE_IRQ,
    ROUTE_FIQ,
    ROUTE_SERROR,
} ArmRoute;

/* The interrupt is routed to an EL below the one asked about: it stays pending. */
#define ROUTE_PENDING 0xff

/* The CPU has this exception level (ID_AA64PFR0_EL1). */
bool arm_has_el(const ArmCpu *cpu, unsigned el);
/* EL2 is there and enabled in the current Security state. */
bool arm_el2_enabled(const ArmCpu *cpu);
/* EL0 is a host's: HCR_EL2.{E2H,TGE} are both set, and EL2 is enabled. */
bool arm_in_host(const ArmCpu *cpu);
/* `el`, 1 to 3, uses AArch64. */
bool arm_el_is_aa64(const ArmCpu *cpu, unsigned el);

/* The EL whose SCTLR, TCR and so on govern execution at the current EL. */
static inline unsigned arm_regime_el(const ArmCpu *cpu)
{
    return cpu->s.el ? cpu->s.el : arm_in_host(cpu) ? 2 : 1;
}

static inline uint64_t arm_sctlr(const ArmCpu *cpu)
{
    return cpu->s.sctlr_el[arm_regime_el(cpu)];
}

/* The EL that takes an exception which occurs at `from`, or ROUTE_PENDING (interrupts alone). */
unsigned arm_route(const ArmCpu *cpu, ArmRoute kind, unsigned from);

/*
 * Whether an interrupt of this kind (ROUTE_IRQ, ROUTE_FIQ, ROUTE_SERROR) that is pending now is
 * taken at the current EL, with PSTATE's masks; *target is the EL that takes it.
 */
bool arm_interrupt_taken(const ArmCpu *cpu, ArmRoute kind, unsigned *target);

#endif
