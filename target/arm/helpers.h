/*
 * Helpers that translated A64 code calls: all are IR_HELPER_SYNC, so they may
 * read and write everything, and raise exceptions. A helper that raised one
 * has set vcpu->pc to the vector and vcpu->exit_request.
 *
 * "ends": the front end emits ir_exit_main_helper() after the call, and the
 * helper always leaves vcpu->pc where execution goes on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_HELPERS_H
#define TARGET_ARM_HELPERS_H

#include "accel/tcg/ir.h"

/* Which operand of MSR (immediate) helper_msr_imm gets. */
typedef enum MsrImmOp { MSR_IMM_SPSEL, MSR_IMM_PAN, MSR_IMM_UAO, MSR_IMM_DIT, MSR_IMM_SSBS,
                        MSR_IMM_TCO } MsrImmOp;

/* (syndrome) Exception to the current EL's handler; return address: the current pc. Ends. */
extern const IrHelper helper_exception;
/* (imm16) SVC, HVC, SMC; return address pc + 4 where one is taken. All three end. */
extern const IrHelper helper_svc;
extern const IrHelper helper_hvc;
extern const IrHelper helper_smc;
/* () Exception return. Ends. */
extern const IrHelper helper_eret;
/* () Wait for interrupt or event, or go on; pc + 4 afterwards, or a trap. End. */
extern const IrHelper helper_wfi;
extern const IrHelper helper_wfe;
/* () Gives the rest of the slice away; pc + 4. Ends. */
extern const IrHelper helper_yield;
/* (MsrImmOp, immediate) PSTATE fields other than DAIF; undefined when not implemented. pc + 4. Ends. */
extern const IrHelper helper_msr_imm;
/*
 * (key) -> value, and (key, value), of MRS, MSR, SYS and SYSL: they do access checks
 * and traps. pc is advanced by no one when the access succeeds: the unit goes on, or for
 * SYSREG_END_UNIT leaves with ir_exit_main(pc + 4).
 */
extern const IrHelper helper_sysreg_read;
extern const IrHelper helper_sysreg_write;

#endif
