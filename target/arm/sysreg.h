/*
 * The table of system registers and system instructions (DDI 0487 D18, D17):
 * one row each, looked up by encoding. The translator asks for a row when it
 * translates MRS, MSR, SYS and SYSL; the helpers do all that it cannot do inline.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_SYSREG_H
#define TARGET_ARM_SYSREG_H

#include "target/arm/cpu.h"

/* The operands of MRS/MSR (op0 2, 3) and SYS/SYSL (op0 1) as one number. */
#define SYSREG_KEY(op0, op1, crn, crm, op2) \
    ((uint32_t)(op0) << 14 | (uint32_t)(op1) << 11 | (uint32_t)(crn) << 7 | \
     (uint32_t)(crm) << 3 | (uint32_t)(op2))

enum SysRegFlags {
    /* A write may change translation, the EL's rights or interrupts: the unit ends after it. */
    SYSREG_END_UNIT = 1 << 0,
    /* Reads and writes are plain 64-bit state at `offset`: the translator accesses it inline. */
    SYSREG_PLAIN = 1 << 1,
    /* NZCV, CurrentEL and the like, of which the translator knows what to do. */
    SYSREG_NZCV = 1 << 2,
    SYSREG_CURRENT_EL = 1 << 3,
    SYSREG_DAIF = 1 << 4,
    /* As SYSREG_PLAIN with 32 bits of state (FPCR, FPSR); needs FP/SIMD access. */
    SYSREG_FP32 = 1 << 5,
    /* Reads are the constant `reset`, which the translator emits; no access hook. */
    SYSREG_CONST = 1 << 6,
    /* A system instruction without effect here (cache maintenance on coherent memory). */
    SYSREG_NOP = 1 << 7,
    /* DC ZVA. */
    SYSREG_DC_ZVA = 1 << 8,
    /* SP_EL0: as SYSREG_PLAIN while PSTATE.SP is 1 (MODE_SPSEL), else undefined. */
    SYSREG_SP_EL0 = 1 << 9,
    /* Cache maintenance by address: the translator calls helper_cache_va. */
    SYSREG_CACHE_VA = 1 << 10,
    /* A read may raise an interrupt: the unit ends after it. */
    SYSREG_END_READ = 1 << 11,
};

#define SYSREG_NEVER 4      /* as a minimum EL: the access is not allocated */

typedef struct SysReg SysReg;

struct SysReg {
    uint32_t key;
    const char *name;
    /* Lowest EL that may read or write (0, 1), or SYSREG_NEVER; below it: undefined. */
    uint8_t min_el_read, min_el_write;
    uint16_t flags;         /* SysRegFlags */
    uint32_t offset;        /* of the 64-bit state from Vcpu*, or 0: none */
    uint64_t reset;
    /* What a plain write stores: bits outside become zero. 0: all bits. */
    uint64_t writable;
    /* NULL: the state at `offset` as it is. For a system instruction `write` does the operation. */
    uint64_t (*read)(ArmCpu *cpu, const SysReg *r);
    /* What `read` returns, without its effect; NULL: it has none. */
    uint64_t (*peek)(ArmCpu *cpu, const SysReg *r);
    void (*write)(ArmCpu *cpu, const SysReg *r, uint64_t value);
    /*
     * Whether the current EL may do it now: 0, or the syndrome (ESR_ELx value) of the
     * exception to take. Not asked for inline accesses, so rows with an access
     * hook are not SYSREG_PLAIN; a row with SYSREG_NOP, SYSREG_CACHE_VA or SYSREG_DC_ZVA is
     * checked by the translator from the mode bits (MODE_UCI_TRAP, MODE_DCZ_TRAP).
     */
    uint32_t (*access)(ArmCpu *cpu, const SysReg *r, bool write);
};

/* What a write leaves in the state. */
static inline uint64_t sysreg_masked(const SysReg *r, uint64_t value)
{
    return r->writable ? value & r->writable : value;
}

/* The row for a key, or NULL when nothing is allocated there. */
const SysReg *sysreg_find(uint32_t key);

#endif
