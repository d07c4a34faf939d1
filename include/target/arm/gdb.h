/*
 * An AArch64 CPU's registers for gdb.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_GDB_H
#define TARGET_ARM_GDB_H

#include "accel/tcg/gdb-target.h"

extern const GdbTarget aarch64_gdb_target;

#endif
