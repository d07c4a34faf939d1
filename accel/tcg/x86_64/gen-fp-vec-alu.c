/*
 * Vector floating point: arithmetic and comparisons.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/x86_64/gen-fp-vec.h"

/* ---- zeros ---- */

/* XMM4 = the lanes in which a factor, XMM x or XMM y, is zero; XMM5 = 0. */
static void find_zero_factors(const FpOp *f, unsigned x, unsigned y)
{
    fp_zero(f, 5);
    fp_move(f, 4, y);
    compare(f, CMP_P_EQ, 4, 5);
    compare(f, CMP_P_EQ, 5, x);
    packed(f, FP_OR, 4, 5);
}

/* XMM3 = unsafe lanes of the result: all have an exact product, zero, and are no NaNs. */
static void allow_zero_factors(FpOp *f)
{
    fpv_load_operands(f, 1, 2);
    find_zero_factors(f, 1, 2);
    fp_move(f, 1, 0);
    compare(f, CMP_P_ORD, 1, 1);
    packed(f, FP_AND, 1, 4);
    packed(f, FP_ANDN, 1, 3);
    fpv_need_none(f, 1);
}

/* XMM3 = unsafe lanes of the quotient: all are zero by a zero. */
static void allow_zero_dividend(FpOp *f)
{
    fpv_load_operands(f, 1, 2);
    fp_zero(f, 4);
    compare(f, CMP_P_EQ, 1, 4);
    compare(f, CMP_P_EQ, 4, 0);
    packed(f, FP_AND, 1, 4);
    packed(f, FP_ANDN, 1, 3);
    fpv_need_none(f, 1);
}

static void need_safe_unless(FpOp *f, void (*allow)(FpOp *f))
{
    fpv_find_unsafe(f, 0);
    fpv_test_lanes(f, 3);
    aside_if(f, CC_NE, allow);
}

/* The sum is not looked at later, as one without flushing may be a denormal. */
static void allow_flush_sum(FpOp *f)
{
    fpv_allow_flush_nearest(f);
    packed(f, f->opcode, 1, 2);
    fpv_need_no_denormals(f, 1);
}

static void need_ixc(FpOp *f)
{
    test_ixc(f);
    cold_if(f, CC_E);
}

/* ---- pieces of exactness ---- */

/* XMM1 + or - XMM2 is XMM0 without error (Knuth's two-sum); XMM1 to XMM5 are used. */
static void need_exact_sum(FpOp *f, bool subtract)
{
    fp_move(f, 4, 0);
    packed(f, FP_SUB, 4, 1);                            /* z = sum - x */
    fp_move(f, 5, 0);
    packed(f, FP_SUB, 5, 4);
    packed(f, FP_SUB, 1, 5);                            /* x - (sum - z) */
    packed(f, subtract ? FP_ADD : FP_SUB, 2, 4);        /* y - z; negated for a difference */
    packed(f, subtract ? FP_SUB : FP_ADD, 1, 2);
    fp_zero(f, 5);
    compare(f, CMP_P_NEQ, 1, 5);
    fpv_need_none(f, 1);
}

/* XMM1 and XMM2 have half of their bits each at most, so the product has no error. XMM3 is used. */
static void need_short_factors(FpOp *f)
{
    fp_move(f, 3, 1);
    packed(f, FP_OR, 3, 2);
    packed_const(f, 0x66, 0x0f3817, 3, f->is_double ? SSE_LOW_HALF64 : SSE_LOW_HALF32);
    cold_if(f, CC_NE);                                  /* PTEST */
}

static void exact_add(FpOp *f)
{
    fpv_load_operands(f, 1, 2);
    need_exact_sum(f, f->opcode == FP_SUB);
}

static void exact_mul(FpOp *f)
{
    fpv_load_operands(f, 1, 2);
    need_short_factors(f);
}

/* An exact product that did not underflow, and an exact sum. */
static void exact_muladd(FpOp *f)
{
    fpv_load_operands(f, 1, 2);
    need_short_factors(f);
    find_zero_factors(f, 1, 2);
    packed(f, FP_MUL, 2, 1);
    fpv_find_unsafe(f, 2);
    packed(f, FP_ANDN, 4, 3);
    fpv_need_none(f, 4);
    fpv_load(f, 1, f->dst, f->bytes);
    need_exact_sum(f, f->host_op == IRFP_MSUB);
}

/* ---- the operations ---- */

void fpv_emit_add(FpOp *f)
{
    test_fpcr(f, IR_FPCR_MODE);
    aside_if(f, CC_NE, allow_flush_sum);
    fpv_load_operands(f, 0, 1);
    packed(f, f->opcode, 0, 1);
    fpv_need_finite(f);                     /* a sum in the denormal range is exact */
    need_exact(f, exact_add);
    if (f->host_op == IRFP_ABD) {
        packed_const(f, 0, 0x0f28, 1, signs(f));
        packed(f, FP_ANDN, 1, 0);
        fp_move(f, 0, 1);
    }
    fpv_store(f);
}

void fpv_emit_mul(FpOp *f)
{
    fpv_need_nearest(f);
    fpv_load_operands(f, 0, 1);
    packed(f, FP_MUL, 0, 1);
    need_safe_unless(f, allow_zero_factors);
    need_exact(f, exact_mul);
    fpv_store(f);
}

void fpv_emit_div(FpOp *f)
{
    fpv_need_nearest(f);
    need_ixc(f);
    fpv_load_operands(f, 0, 1);
    packed(f, FP_DIV, 0, 1);
    need_safe_unless(f, allow_zero_dividend);
    fpv_store(f);
}

void fpv_emit_sqrt(FpOp *f)
{
    fpv_need_nearest(f);
    need_ixc(f);
    fpv_load(f, 0, f->x, f->bytes);
    packed(f, FP_SQRT, 0, 0);
    fpv_need_finite(f);
    fpv_store(f);
}

/* d + a * b, d - a * b, rounded once. */
void fpv_emit_muladd(FpOp *f)
{
    if (!(f->stubs->features & GEN_HAS_FMA)) {
        cold_always(f);
        return;
    }
    fpv_need_nearest(f);
    fpv_load_operands(f, 0, 1);
    fpv_load(f, 2, f->dst, f->bytes);
    asm_vex_rrr(f->a, f->is_double, 0x66, 0x0f3800 | f->opcode, 0, 1, 2);
    need_safe_unless(f, allow_zero_factors);
    need_exact(f, exact_muladd);
    fpv_store(f);
}

/* The host takes the second of two zeros: AND and OR of both orders give the right sign. */
void fpv_emit_max(FpOp *f)
{
    fpv_need_no_flush(f);
    fpv_load_operands(f, 0, 1);
    fpv_need_numbers(f, 0, 1, 2);
    fp_move(f, 2, 1);
    packed(f, f->opcode, 2, 0);
    packed(f, f->opcode, 0, 1);
    packed(f, f->opcode == FP_MAX ? FP_AND : FP_OR, 0, 2);
    fpv_store(f);
}

/* opcode is the predicate. Quiet NaNs raise no flags with CMEQ, but they are rare. */
void fpv_emit_compare(FpOp *f)
{
    bool with_zero = f->host_op >= IRFP_CMEQ0;

    fpv_need_no_flush(f);
    if (with_zero) {
        fpv_load(f, 0, f->x, f->bytes);
        fp_zero(f, 1);
    } else {
        fpv_load_operands(f, 0, 1);
    }
    if (f->host_op == IRFP_ACGE || f->host_op == IRFP_ACGT) {
        packed_const(f, 0, 0x0f28, 2, signs(f));
        fp_move(f, 3, 2);
        packed(f, FP_ANDN, 2, 0);
        packed(f, FP_ANDN, 3, 1);
        fp_move(f, 0, 2);
        fp_move(f, 1, 3);
    }
    fpv_need_numbers(f, 0, 1, 2);
    compare(f, f->opcode, 0, 1);
    fpv_store(f);
}

/* FPCR means nothing here, and nothing can fail. */
void fpv_emit_neg(FpOp *f)
{
    fpv_load(f, 0, f->x, f->bytes);
    packed_const(f, 0, 0x0f57, 0, signs(f));
    fpv_store(f);
}

void fpv_emit_abs(FpOp *f)
{
    packed_const(f, 0, 0x0f28, 0, signs(f));
    fpv_load(f, 1, f->x, f->bytes);
    packed(f, FP_ANDN, 0, 1);
    fpv_store(f);
}

