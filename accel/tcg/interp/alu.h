/*
 * What each arithmetic operation of the IR means, in one place: the interpreter
 * and the constant folder call it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_INTERP_ALU_H
#define ACCEL_TCG_INTERP_ALU_H

#include "accel/tcg/ir.h"

/* DDI 0487 ConditionHolds(); nzcv in bits 31..28. */
bool alu_cond_holds(uint32_t nzcv, unsigned cond);

/*
 * The result of an arithmetic instruction for operand values x, y, z. *nzcv (bits
 * 31..28) is read by conditional operations and written with IRF_SETS_NZCV.
 */
uint64_t alu_eval(const IrInsn *i, uint64_t x, uint64_t y, uint64_t z, uint32_t *nzcv);

#endif
