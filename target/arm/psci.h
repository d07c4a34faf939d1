/*
 * PSCI firmware, answered by the emulator itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_PSCI_H
#define TARGET_ARM_PSCI_H

#include "target/arm/cpu.h"

/*
 * The call whose function id is in X0 and arguments in X1..X3; the result goes to X0.
 * The PC is already behind the HVC or SMC.
 */
void psci_call(ArmCpu *cpu);

/* CPU_ON: from reset state to EL1 at entry with context in X0 (cpu.c). */
void arm_cpu_power_on(ArmCpu *cpu, uint64_t entry, uint64_t context);

#endif
