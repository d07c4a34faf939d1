/*
 * A target's registers as gdb numbers them: what gdbstub/ needs to know about a CPU.
 * Machine thread only; a write changes the guest as an instruction would.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_GDB_TARGET_H
#define ACCEL_TCG_GDB_TARGET_H

#include "accel/tcg/vcpu.h"

#define GDB_MAX_REG_BYTES 16

struct GdbTarget {
    unsigned (*num_regs)(void);
    unsigned num_g_regs;     /* the first ones, sent together by "g" */
    unsigned pc;             /* the program counter's number */
    /* Bytes of register n, little-endian; out has GDB_MAX_REG_BYTES. */
    unsigned (*size)(unsigned n);
    void (*read)(Vcpu *cpu, unsigned n, uint8_t *out);
    /* data has size(n) bytes; false when the value is not possible. */
    bool (*write)(Vcpu *cpu, unsigned n, const uint8_t *data);
    /* The file of the target description ("target.xml"), appended to out; false: none. */
    bool (*describe)(const char *file, GString *out);
};

#endif
