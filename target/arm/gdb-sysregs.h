/*
 * The system registers as gdb sees them. n counts the visible ones from 0; the order is
 * that of the tables.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_GDB_SYSREGS_H
#define TARGET_ARM_GDB_SYSREGS_H

#include <glib.h>
#include "target/arm/cpu.h"

unsigned arm_gdb_sysregs_count(void);
/* n < arm_gdb_sysregs_count(). */
uint64_t arm_gdb_sysreg_read(ArmCpu *cpu, unsigned n);
/* False: read-only for a debugger. */
bool arm_gdb_sysreg_write(ArmCpu *cpu, unsigned n, uint64_t value);
/* Append the feature; `first` is gdb's number of register 0. */
void arm_gdb_sysregs_describe(unsigned first, GString *out);

#endif
