/*
 * Self-hosted debug registers (DDI 0487 D13.3). Breakpoints and watchpoints are
 * storage that never matches; software step is implemented (exceptions.c). The
 * debug communications channel has nobody at its other end.
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
/* BT, LBN, SSC, HMC, BAS, PMC, E. */
#define DBGBCR_WRITABLE 0x00ffe1e7ull
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

#define BREAKPOINT(n)                                                                       \
    { SYSREG_ROW(2, 0, 0, n, 4, "DBGBVR" #n "_EL1"), EL1_RW,                                \
      PLAIN_MASKED(dbgbvr_el1[n], DBGBVR_WRITABLE) },                                       \
    { SYSREG_ROW(2, 0, 0, n, 5, "DBGBCR" #n "_EL1"), EL1_RW,                                \
      PLAIN_MASKED(dbgbcr_el1[n], DBGBCR_WRITABLE) }
#define WATCHPOINT(n)                                                                       \
    { SYSREG_ROW(2, 0, 0, n, 6, "DBGWVR" #n "_EL1"), EL1_RW,                                \
      PLAIN_MASKED(dbgwvr_el1[n], DBGWVR_WRITABLE) },                                       \
    { SYSREG_ROW(2, 0, 0, n, 7, "DBGWCR" #n "_EL1"), EL1_RW,                                \
      PLAIN_MASKED(dbgwcr_el1[n], DBGWCR_WRITABLE) }

static const SysReg rows[] = {
    { SYSREG_ROW(2, 0, 0, 0, 2, "OSDTRRX_EL1"), EL1_RW, RAZ_WI },
    BREAKPOINT(0),
    WATCHPOINT(0),
    BREAKPOINT(1),
    WATCHPOINT(1),
    { SYSREG_ROW(2, 0, 0, 2, 0, "MDCCINT_EL1"), EL1_RW, RAZ_WI },
    { SYSREG_ROW(2, 0, 0, 2, 2, "MDSCR_EL1"), EL1_RW, .flags = SYSREG_END_UNIT,
      .offset = STATE_OFFSET(mdscr_el1), .writable = MDSCR_WRITABLE,
      .write = sysreg_write_regime },
    { SYSREG_ROW(2, 0, 0, 3, 2, "OSDTRTX_EL1"), EL1_RW, RAZ_WI },
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
