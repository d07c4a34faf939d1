/*
 * Vector floating point: what the emitters share. All lanes are computed at once and tested
 * at once (gen-fp.h); when one lane fails, the helper computes the whole vector.
 *
 * 1. An emitter leaves the result in XMM0. Above a result of less than 16 bytes is anything; no
 *    test looks at it, and fpv_store() clears it.
 * 2. Masks are read by MOVMSKPS and MOVMSKPD, which see the sign bits of lanes alone.
 * 3. Unlike in scalars, zero results do not go to the helper when a factor is zero: sparse
 *    matrices and padding have such lanes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_X86_64_GEN_FP_VEC_H
#define ACCEL_TCG_X86_64_GEN_FP_VEC_H

#include "accel/tcg/x86_64/gen-fp.h"

/* Predicates of CMPPS and CMPPD; those with a NaN are not asked. */
enum { CMP_P_EQ = 0, CMP_P_LT = 1, CMP_P_LE = 2, CMP_P_UNORD = 3, CMP_P_NEQ = 4, CMP_P_NLT = 5,
       CMP_P_NLE = 6, CMP_P_ORD = 7 };

static inline void packed(const FpOp *f, unsigned opcode, unsigned dst, unsigned src)
{
    asm_op_rr(f->a, false, f->is_double ? 0x66 : 0, 0x0f00 | opcode, dst, src);
}

static inline void compare(const FpOp *f, unsigned predicate, unsigned dst, unsigned src)
{
    packed(f, 0xc2, dst, src);
    asm_u8(f->a, predicate);
}

static inline void packed_const(const FpOp *f, unsigned prefix, unsigned opcode, unsigned dst,
                         SseConst which)
{
    asm_op_rip(f->a, prefix, opcode, dst, fp_constant(f, which));
}

static inline SseConst signs(const FpOp *f)
{
    return f->is_double ? SSE_SIGNS64 : SSE_SIGNS32;
}

static inline void packed_int(const FpOp *f, unsigned opcode, unsigned dst, unsigned src)
{
    asm_op_rr(f->a, false, 0x66, opcode, dst, src);
}

/* ---- gen-fp-vec.c ---- */

/* Cold code reads memory. */
void fpv_load(const FpOp *f, unsigned xmm, int32_t offset, unsigned bytes);
/* XMM x and XMM y = the operands, as the form has them; XMM5 is used. */
void fpv_load_operands(const FpOp *f, unsigned x, unsigned y);
bool fpv_reads_d(const FpOp *f);
void fpv_store(FpOp *f);

/* NE when the mask has a lane. */
void fpv_test_lanes(const FpOp *f, unsigned mask);
void fpv_need_none(FpOp *f, unsigned mask);
void fpv_need_numbers(FpOp *f, unsigned x, unsigned y, unsigned scratch);
/* XMM0 is finite; XMM3 is used. */
void fpv_need_finite(FpOp *f);
/* XMM3 = lanes of the register that are not finite, or within reach of denormals. */
void fpv_find_unsafe(const FpOp *f, unsigned xmm);
/* No denormal lanes; XMM3 and XMM4 are used. */
void fpv_need_no_denormals(FpOp *f, unsigned xmm);

/* Nearest even; with FZ, no denormal operands. The result has to be tested to be safe. */
void fpv_need_nearest(FpOp *f);
/* The same with any rounding. */
void fpv_need_no_flush(FpOp *f);
/* In cold code: what fpv_need_nearest() tests there. */
void fpv_allow_flush_nearest(FpOp *f);

/* ---- gen-fp-vec-alu.c ---- */

void fpv_emit_add(FpOp *f);
void fpv_emit_mul(FpOp *f);
void fpv_emit_div(FpOp *f);
void fpv_emit_sqrt(FpOp *f);
void fpv_emit_muladd(FpOp *f);
void fpv_emit_max(FpOp *f);
void fpv_emit_compare(FpOp *f);
void fpv_emit_neg(FpOp *f);
void fpv_emit_abs(FpOp *f);

/* ---- gen-fp-vec-convert.c ---- */

void fpv_emit_round(FpOp *f);
void fpv_emit_to_int(FpOp *f);
void fpv_emit_from_int(FpOp *f);
void fpv_emit_widen(FpOp *f);
void fpv_emit_narrow(FpOp *f);

#endif
