/*
 * Exception syndromes, as ESR_ELx values (DDI 0487 D17.2.37). All A64
 * instructions are 32 bits long, so IL is always set here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_SYNDROME_H
#define TARGET_ARM_SYNDROME_H

#include "util/osdep.h"

enum SyndromeClass {
    EC_UNKNOWN = 0x00,
    EC_WFX = 0x01,
    EC_FP_ACCESS = 0x07,
    EC_ILLEGAL_STATE = 0x0e,
    EC_SVC64 = 0x15,
    EC_HVC64 = 0x16,
    EC_SMC64 = 0x17,
    EC_SYSREG = 0x18,
    EC_INSN_ABORT_LOWER = 0x20,
    EC_INSN_ABORT = 0x21,
    EC_PC_ALIGNMENT = 0x22,
    EC_DATA_ABORT_LOWER = 0x24,
    EC_DATA_ABORT = 0x25,
    EC_SP_ALIGNMENT = 0x26,
    EC_BREAKPOINT_LOWER = 0x30,
    EC_BREAKPOINT = 0x31,
    EC_SOFTWARE_STEP_LOWER = 0x32,
    EC_SOFTWARE_STEP = 0x33,
    EC_WATCHPOINT_LOWER = 0x34,
    EC_WATCHPOINT = 0x35,
    EC_BRK = 0x3c,
};

#define SYNDROME_IL (1u << 25)

/* ISS of a data abort or watchpoint; the fault status code of debug exceptions. */
#define ISS_WNR (1u << 6)
#define ISS_CM (1u << 8)
#define ISS_DEBUG 0x22u

static inline uint32_t syndrome(unsigned ec, uint32_t iss)
{
    return ec << 26 | SYNDROME_IL | iss;
}

/* FP/SIMD access trap of A64: CV set, condition "always". */
static inline uint32_t syndrome_fp_access(void)
{
    return syndrome(EC_FP_ACCESS, 1u << 24 | 0xeu << 20);
}

/* Trapped MRS, MSR, SYS or SYSL. */
static inline uint32_t syndrome_sysreg(unsigned op0, unsigned op1, unsigned crn, unsigned crm,
                                       unsigned op2, unsigned rt, bool read)
{
    return syndrome(EC_SYSREG, op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | rt << 5 |
                               crm << 1 | read);
}

#endif
