/*
 * What the chapters of the system register table share. Each chapter is one
 * array of rows, sorted by key; sysregs.c searches them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_SYSREG_ROWS_H
#define TARGET_ARM_SYSREG_ROWS_H

#include "target/arm/sysreg.h"

typedef struct SysRegChapter {
    const SysReg *rows;
    unsigned num_rows;
} SysRegChapter;

extern const SysRegChapter sysregs_maintenance;   /* IC, DC, AT, TLBI */
extern const SysRegChapter sysregs_debug;
extern const SysRegChapter sysregs_id;
extern const SysRegChapter sysregs_system;
extern const SysRegChapter sysregs_timer;

/* All chapters, NULL-terminated. */
extern const SysRegChapter *const sysreg_chapters[];

#define STATE_OFFSET(field) offsetof(ArmCpu, s.field)

static inline uint64_t *sysreg_state(ArmCpu *cpu, const SysReg *r)
{
    return (uint64_t *)((char *)cpu + r->offset);
}

/* The syndrome of a trap of this register to EL1; for access hooks. */
uint32_t sysreg_trap(ArmCpu *cpu, const SysReg *r, bool write);

/* Write hook: the write has no effect. */
void sysreg_write_ignored(ArmCpu *cpu, const SysReg *r, uint64_t value);
/* Write hook: masked storage, after which the engine looks at EL, regime and mode again. */
void sysreg_write_regime(ArmCpu *cpu, const SysReg *r, uint64_t value);

/* For the tables. */
#define SYSREG_ROW(op0, op1, crn, crm, op2, reg_name) \
    .key = SYSREG_KEY(op0, op1, crn, crm, op2), .name = reg_name
/* A register that each EL has its own of, X_ELn: the rows of several ELs differ in `el` alone. */
#define OP1_OF_EL(el) ((el) == 1 ? 0u : (el) == 2 ? 4u : 6u)
#define EL_ROW(el, crn, crm, op2, reg_name) \
    SYSREG_ROW(3, OP1_OF_EL(el), crn, crm, op2, reg_name "_EL" #el), \
    .min_el_read = el, .min_el_write = el
/* The same, kept in element [el] of its array in ArmState. */
#define EL_BANK(el, crn, crm, op2, reg_name, bank) \
    EL_ROW(el, crn, crm, op2, reg_name), .offset = STATE_OFFSET(bank[el])
#define EL1_RW .min_el_read = 1, .min_el_write = 1
#define EL1_RO .min_el_read = 1, .min_el_write = SYSREG_NEVER
#define EL1_WO .min_el_read = SYSREG_NEVER, .min_el_write = 1
#define EL0_RW .min_el_read = 0, .min_el_write = 0
#define EL0_RO .min_el_read = 0, .min_el_write = SYSREG_NEVER
#define EL0_WO .min_el_read = SYSREG_NEVER, .min_el_write = 0
#define PLAIN(field) .flags = SYSREG_PLAIN, .offset = STATE_OFFSET(field)
#define PLAIN_MASKED(field, mask) PLAIN(field), .writable = mask
/* Reads as zero, writes are ignored. */
#define RAZ_WI .flags = SYSREG_CONST, .write = sysreg_write_ignored

#endif
