/*
 * The generic timer of one CPU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_GTIMER_H
#define TARGET_ARM_GTIMER_H

#include "target/arm/cpu.h"

/* Unless the property cntfrq says otherwise: a tick is 16 ns of virtual time. */
#define GTIMER_HZ 62500000
/* A tick is a nanosecond. */
#define GTIMER_MAX_HZ 1000000000

enum { GTIMER_PHYS, GTIMER_VIRT, GTIMER_NUM };

#define GTIMER_CTL_ENABLE 1u
#define GTIMER_CTL_IMASK 2u
#define GTIMER_CTL_ISTATUS 4u

void gtimer_init(ArmCpu *cpu);
void gtimer_release(ArmCpu *cpu);
/* After a reset: outputs low, nothing armed. */
void gtimer_reset(ArmCpu *cpu);

/* The counter as timer n sees it: physical, or less CNTVOFF. */
uint64_t gtimer_count(ArmCpu *cpu, unsigned n);
/* For debuggers: changes nothing. */
uint64_t gtimer_peek_ctl(ArmCpu *cpu, unsigned n);
/* May raise the output: the caller leaves the unit. */
uint64_t gtimer_read_ctl(ArmCpu *cpu, unsigned n);
void gtimer_write_ctl(ArmCpu *cpu, unsigned n, uint64_t value);
void gtimer_write_cval(ArmCpu *cpu, unsigned n, uint64_t value);
uint64_t gtimer_read_tval(ArmCpu *cpu, unsigned n);
void gtimer_write_tval(ArmCpu *cpu, unsigned n, uint64_t value);

#endif
