/*
 * Fields of the system registers that more than one file looks at
 * (DDI 0487 D13.2, D13.3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_SYSTEM_H
#define TARGET_ARM_SYSTEM_H

#include "target/arm/cpu.h"
#include "util/bitops.h"

/* SCTLR_EL1 */
#define SCTLR_M BIT64(0)
#define SCTLR_A BIT64(1)
#define SCTLR_C BIT64(2)
#define SCTLR_SA BIT64(3)
#define SCTLR_SA0 BIT64(4)
#define SCTLR_UMA BIT64(9)
#define SCTLR_I BIT64(12)
#define SCTLR_DZE BIT64(14)
#define SCTLR_UCT BIT64(15)
#define SCTLR_NTWI BIT64(16)
#define SCTLR_NTWE BIT64(18)
#define SCTLR_WXN BIT64(19)
#define SCTLR_E0E BIT64(24)
#define SCTLR_EE BIT64(25)
#define SCTLR_UCI BIT64(26)
/* Bits that always read as one at v8.0; ITD and SED among them, there is no AArch32. */
#define SCTLR_RES1 (BIT64(7) | BIT64(8) | BIT64(11) | BIT64(20) | BIT64(22) | BIT64(23) | \
                    BIT64(28) | BIT64(29))
#define SCTLR_WRITABLE (SCTLR_M | SCTLR_A | SCTLR_C | SCTLR_SA | SCTLR_SA0 | SCTLR_UMA | SCTLR_I | \
                        SCTLR_DZE | SCTLR_UCT | SCTLR_NTWI | SCTLR_NTWE | SCTLR_WXN | SCTLR_E0E | \
                        SCTLR_EE | SCTLR_UCI)
#define SCTLR_RESET (SCTLR_RES1 | SCTLR_SA | SCTLR_SA0 | SCTLR_NTWI | SCTLR_NTWE)

/* TCR_EL1; the second of a pair is for TTBR1_EL1 */
#define TCR_EPD0 BIT64(7)
#define TCR_A1 BIT64(22)
#define TCR_EPD1 BIT64(23)
#define TCR_AS BIT64(36)
#define TCR_TBI0 BIT64(37)
#define TCR_TBI1 BIT64(38)

/* MDSCR_EL1, OSLSR_EL1 */
#define MDSCR_SS BIT64(0)
#define MDSCR_TDCC BIT64(12)
#define MDSCR_KDE BIT64(13)
#define MDSCR_HDE BIT64(14)
#define MDSCR_MDE BIT64(15)
#define OSLSR_OSLK BIT64(1)
#define OSLSR_OSLM BIT64(3)

/* HCR_EL2, SCR_EL3, MDCR_EL2, MDCR_EL3: what routes exceptions */
#define HCR_FMO BIT64(3)
#define HCR_IMO BIT64(4)
#define HCR_AMO BIT64(5)
#define HCR_TGE BIT64(27)
#define HCR_RW BIT64(31)
#define HCR_E2H BIT64(34)
#define SCR_NS BIT64(0)
#define SCR_IRQ BIT64(1)
#define SCR_FIQ BIT64(2)
#define SCR_EA BIT64(3)
#define SCR_RW BIT64(10)
#define MDCR_TDE BIT64(8)
#define MDCR_SDD BIT64(16)

/* CNTKCTL_EL1 */
#define CNTKCTL_EL0PCTEN BIT64(0)
#define CNTKCTL_EL0VCTEN BIT64(1)
#define CNTKCTL_EL0VTEN BIT64(8)
#define CNTKCTL_EL0PTEN BIT64(9)

/* CPACR_EL1.FPEN: 1 traps EL0, 3 traps nothing, the others EL0 and EL1. */
#define CPACR_FPEN (3ull << 20)

static inline bool arm_fp_trapped(const ArmCpu *cpu)
{
    unsigned fpen = extract64(cpu->s.cpacr_el1, 20, 2);

    return fpen != 3 && (fpen != 1 || cpu->s.el == 0);
}

#endif
