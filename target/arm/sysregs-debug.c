/*
 * Self-hosted debug registers (DDI 0487 D13.3); debug.c is what they do. The debug
 * communications channel has nobody at its other end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/sysreg-rows.h"
#include "target/arm/system.h"
#include "util/bitops.h"

#define MDSCR_WRITABLE (MDSCR_SS | MDSCR_TDCC | MDSCR_KDE | MDSCR_HDE | MDSCR_MDE)
/* Addresses are 49 bits, sign-extended; RESS takes what is written. */
#define DBGBVR_WRITABLE (~3ull)
#define DBGWVR_WRITABLE (~3ull)
/* Those that can match a context have all bits of it. */
#define DBGBVR_CONTEXT_WRITABLE UINT64_MAX
/* BT, LBN, SSC, HMC, PMC, E; BAS is all ones without AArch32. */
#define DBGBCR_WRITABLE 0x00ffe007ull
#define DBGBCR_RES1 0x1e0ull
/* MASK, WT, LBN, SSC, HMC, BAS, LSC, PAC, E. */
#define DBGWCR_WRITABLE 0x1f1fffffull
#define DBGCLAIM_TAGS 0xffull

static uint32_t dcc_access(ArmCpu *cpu, const SysReg *r, bool write)
{
    return cpu->s.el == 0 && (cpu->s.mdscr_el1 & MDSCR_TDCC) ? sysreg_trap(cpu, r, write) : 0;
}

static void oslar_write(ArmCpu *cpu, const SysReg *r, uint64_t value)
{
    cpu->s.oslsr_el1 = OSLSR_OSLM | (value & 1 ? OSLSR_OSLK : 0);
    vcpu_space_changed(&cpu->vcpu);
}

/* Reads of DBGCLAIMSET say which tags there are, of DBGCLAIMCLR which are set. */
static uint64_t claimset_read(ArmCpu *cpu, const SysReg *r)
{
    return DBGCLAIM_TAGS;
}

static void claimset_write(ArmCpu *cpu, const SysReg *r, uint64_t value)
{
    cpu->s.dbgclaim_el1 |= value & DBGCLAIM_TAGS;
}

static void claimclr_write(ArmCpu *cpu, const SysReg *r, uint64_t value)
{
    cpu->s.dbgclaim_el1 &= ~value;
}

static uint64_t dbgbcr_read(ArmCpu *cpu, const SysReg *r)
{
    return *sysreg_state(cpu, r) | DBGBCR_RES1;
}

/* What matches is part of the translation mode. */
#define DEBUG_ROW(n, op2, reg_name, field, mask)                                            \
    SYSREG_ROW(2, 0, 0, n, op2, reg_name #n "_EL1"), EL1_RW, .flags = SYSREG_END_UNIT,      \
    .offset = STATE_OFFSET(field[n]), .writable = mask, .write = sysreg_write_regime
#define BREAKPOINT(n, value_mask)                                                           \
    { DEBUG_ROW(n, 4, "DBGBVR", dbgbvr_el1, value_mask) },                                  \
    { DEBUG_ROW(n, 5, "DBGBCR", dbgbcr_el1, DBGBCR_WRITABLE), .read = dbgbcr_read }
#define WATCHPOINT(n)                                                                       \
    { DEBUG_ROW(n, 6, "DBGWVR", dbgwvr_el1, DBGWVR_WRITABLE) },                             \
    { DEBUG_ROW(n, 7, "DBGWCR", dbgwcr_el1, DBGWCR_WRITABLE) }

static const SysReg rows[] = {
    { SYSREG_ROW(2, 0, 0, 0, 2, "OSDTRRX_EL1"), EL1_RW, RAZ_WI },
    BREAKPOINT(0, DBGBVR_WRITABLE), WATCHPOINT(0),
    BREAKPOINT(1, DBGBVR_WRITABLE), WATCHPOINT(1),
    { SYSREG_ROW(2, 0, 0, 2, 0, "MDCCINT_EL1"), EL1_RW, RAZ_WI },
    { SYSREG_ROW(2, 0, 0, 2, 2, "MDSCR_EL1"), EL1_RW, .flags = SYSREG_END_UNIT,
      .offset = STATE_OFFSET(mdscr_el1), .writable = MDSCR_WRITABLE,
      .write = sysreg_write_regime },
    BREAKPOINT(2, DBGBVR_WRITABLE), WATCHPOINT(2),
    { SYSREG_ROW(2, 0, 0, 3, 2, "OSDTRTX_EL1"), EL1_RW, RAZ_WI },
    BREAKPOINT(3, DBGBVR_WRITABLE), WATCHPOINT(3),
    BREAKPOINT(4, DBGBVR_CONTEXT_WRITABLE), BREAKPOINT(5, DBGBVR_CONTEXT_WRITABLE),
    { SYSREG_ROW(2, 0, 0, 6, 2, "OSECCR_EL1"), EL1_RW, RAZ_WI },
    { SYSREG_ROW(2, 0, 1, 0, 0, "MDRAR_EL1"), EL1_RO, .flags = SYSREG_CONST },
    { SYSREG_ROW(2, 0, 1, 0, 4, "OSLAR_EL1"), EL1_WO, .flags = SYSREG_END_UNIT,
      .write = oslar_write },
    { SYSREG_ROW(2, 0, 1, 1, 4, "OSLSR_EL1"), EL1_RO, .offset = STATE_OFFSET(oslsr_el1) },
    { SYSREG_ROW(2, 0, 1, 3, 4, "OSDLR_EL1"), EL1_RW, .flags = SYSREG_END_UNIT,
      .offset = STATE_OFFSET(osdlr_el1), .writable = 1, .write = sysreg_write_regime },
    { SYSREG_ROW(2, 0, 1, 4, 4, "DBGPRCR_EL1"), EL1_RW, RAZ_WI },
    { SYSREG_ROW(2, 0, 7, 8, 6, "DBGCLAIMSET_EL1"), EL1_RW, .read = claimset_read,
      .write = claimset_write },
    { SYSREG_ROW(2, 0, 7, 9, 6, "DBGCLAIMCLR_EL1"), EL1_RW,
      .offset = STATE_OFFSET(dbgclaim_el1), .write = claimclr_write },
    /* No external debug: nothing is implemented. */
    { SYSREG_ROW(2, 0, 7, 14, 6, "DBGAUTHSTATUS_EL1"), EL1_RO, .flags = SYSREG_CONST },
    { SYSREG_ROW(2, 3, 0, 1, 0, "MDCCSR_EL0"), EL0_RO, .access = dcc_access },
    { SYSREG_ROW(2, 3, 0, 4, 0, "DBGDTR_EL0"), EL0_RW, .write = sysreg_write_ignored,
      .access = dcc_access },
    { SYSREG_ROW(2, 3, 0, 5, 0, "DBGDTRRX_EL0, DBGDTRTX_EL0"), EL0_RW,
      .write = sysreg_write_ignored, .access = dcc_access },
};

const SysRegChapter sysregs_debug = { rows, ARRAY_SIZE(rows) };
