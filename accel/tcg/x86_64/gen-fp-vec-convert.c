/*
 * Vector floating point: rounding to integral values, and conversions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/x86_64/gen-fp-vec.h"

/* ---- rounding to integral values ---- */

/* The mode as ROUNDPS and ROUNDPD have it, without their precision exception. */
static void round_to(const FpOp *f, unsigned dst, unsigned src, unsigned mode)
{
    packed_int(f, f->is_double ? 0x0f3a09 : 0x0f3a08, dst, src);
    asm_u8(f->a, mode | 8);
}

/* XMM0, which is integral, is the operand. */
static void exact_integral(FpOp *f)
{
    fpv_load(f, 1, f->x, f->bytes);
    compare(f, CMP_P_NEQ, 1, 0);
    fpv_need_none(f, 1);
}

void fpv_emit_round(FpOp *f)
{
    static const uint8_t host_mode[] = { [0] = 0, [1] = 2, [2] = 1, [3] = 3 };
    const unsigned imm = vec_desc_imm(f->desc), mode = imm & IR_ROUND_MODE;

    if (mode == IR_ROUND_AWAY) {
        cold_always(f);
        return;
    }
    if (mode == IR_ROUND_FPCR) {
        fpv_need_nearest(f);
    } else {
        fpv_need_no_flush(f);
    }
    fpv_load(f, 1, f->x, f->bytes);
    fpv_need_numbers(f, 1, 1, 0);
    round_to(f, 0, 1, mode == IR_ROUND_FPCR ? 0 : host_mode[mode]);
    if (imm & IR_ROUND_EXACT) {
        need_exact(f, exact_integral);
    }
    fpv_store(f);
}

/* ---- to integers ---- */

/* XMM dst = the lanes of XMM src toward zero; RAX and RCX are used. Not XMM1. */
static void to_int(const FpOp *f, unsigned dst, unsigned src)
{
    Asm *a = f->a;

    if (!f->is_double) {
        asm_op_rr(a, false, 0xf3, 0x0f5b, dst, src);               /* CVTTPS2DQ */
        return;
    }
    asm_op_rr(a, true, 0xf2, 0x0f2c, RAX, src);                    /* CVTTSD2SI */
    if (f->bytes == 16) {
        asm_op_rr(a, false, 0, 0x0f12, 1, src);                    /* MOVHLPS */
        asm_op_rr(a, true, 0xf2, 0x0f2c, RCX, 1);
        asm_op_rr(a, true, 0x66, 0x0f6e, 1, RCX);                  /* MOVQ */
    }
    asm_op_rr(a, true, 0x66, 0x0f6e, dst, RAX);
    if (f->bytes == 16) {
        packed_int(f, 0x0f6c, dst, 1);                             /* PUNPCKLQDQ */
    }
}

/* The operand is integral. */
static void exact_to_int(FpOp *f)
{
    fpv_load(f, 1, f->x, f->bytes);
    round_to(f, 2, 1, 3);
    compare(f, CMP_P_NEQ, 2, 1);
    fpv_need_none(f, 2);
}

/* Out of range the host gives the smallest number, as for NaNs. */
void fpv_emit_to_int(FpOp *f)
{
    fpv_need_no_flush(f);
    fpv_load(f, 2, f->x, f->bytes);
    to_int(f, 0, 2);
    if (f->host_op == IRFP_TO_U) {
        fpv_need_none(f, 0);
    } else {
        packed_const(f, 0x66, 0x0f6f, 3, f->is_double ? SSE_SIGNS64 : SSE_SIGNS32);
        packed_int(f, f->is_double ? 0x0f3829 : 0x0f76, 3, 0);     /* PCMPEQ */
        fpv_need_none(f, 3);
    }
    need_exact(f, exact_to_int);
    fpv_store(f);
}

/* ---- from integers ---- */

/* Back in integers, XMM0 is the operand; there is no exact result that this gets wrong. */
static void exact_from_int(FpOp *f)
{
    to_int(f, 2, 0);
    fpv_load(f, 1, f->x, f->bytes);
    packed_int(f, f->is_double ? 0x0f3829 : 0x0f76, 2, 1);         /* PCMPEQ */
    packed_int(f, 0x0f76, 3, 3);
    packed_int(f, 0x0fef, 2, 3);                                   /* PXOR */
    fpv_need_none(f, 2);
}

/* Unsigned numbers with the highest bit set are left to the helper. */
void fpv_emit_from_int(FpOp *f)
{
    Asm *a = f->a;

    need_fpcr_clear(f, IR_FPCR_MODE & ~IR_FPCR_FZ);
    fpv_load(f, 1, f->x, f->bytes);
    if (f->host_op == IRFP_FROM_U) {
        fpv_need_none(f, 1);
    }
    if (!f->is_double) {
        asm_op_rr(a, false, 0, 0x0f5b, 0, 1);                      /* CVTDQ2PS */
    } else {
        asm_op_rr(a, true, 0x66, 0x0f7e, 1, RAX);                  /* MOVQ */
        fp_zero(f, 0);
        asm_op_rr(a, true, 0xf2, 0x0f2a, 0, RAX);                  /* CVTSI2SD */
        if (f->bytes == 16) {
            asm_op_rr(a, true, 0x66, 0x0f3a16, 1, RAX);            /* PEXTRQ */
            asm_u8(a, 1);
            asm_op_rr(a, true, 0xf2, 0x0f2a, 1, RAX);
            packed(f, 0x14, 0, 1);                                 /* UNPCKLPD */
        }
    }
    need_exact(f, exact_from_int);
    fpv_store(f);
}

/* ---- between singles and doubles: operands in memory, as they may be upper halves ---- */

void fpv_emit_widen(FpOp *f)
{
    need_fpcr_clear(f, IR_FPCR_FZ);
    asm_op_rm(f->a, false, 0, 0x0f5a, 0, RBP, f->x);               /* CVTPS2PD */
    fpv_need_numbers(f, 0, 0, 1);
    fpv_store(f);
}

/* XMM1 = the doubles that are not the singles in XMM0. */
static void find_inexact(FpOp *f)
{
    asm_op_rr(f->a, false, 0, 0x0f5a, 1, 0);                       /* CVTPS2PD */
    asm_op_rm(f->a, false, 0x66, 0x0fc2, 1, RBP, f->x);            /* CMPPD */
    asm_u8(f->a, CMP_P_NEQ);
    asm_op_rr(f->a, false, 0, 0x0fc6, 1, 1);                       /* SHUFPS: a mask of singles */
    asm_u8(f->a, 0x08);
}

static void exact_narrow(FpOp *f)
{
    find_inexact(f);
    fpv_need_none(f, 1);
}

/* XMM3 = unsafe lanes: all are exact nevertheless, zeros as a rule. */
static void allow_exact(FpOp *f)
{
    find_inexact(f);
    packed(f, FP_AND, 1, 3);
    fpv_need_none(f, 1);
}

/* Tests are of two singles, even when the result is the upper half. */
void fpv_emit_narrow(FpOp *f)
{
    const bool upper = f->bytes == 16;

    need_mode(f);
    asm_op_rm(f->a, false, 0x66, 0x0f5a, 0, RBP, f->x);            /* CVTPD2PS */
    f->is_double = false;
    f->bytes = 8;
    fpv_find_unsafe(f, 0);
    fpv_test_lanes(f, 3);
    aside_if(f, CC_NE, allow_exact);
    need_exact(f, exact_narrow);
    if (upper) {
        asm_op_rm(f->a, false, 0xf3, 0x0f7e, 1, RBP, f->dst);      /* MOVQ */
        packed_int(f, 0x0f6c, 1, 0);                               /* PUNPCKLQDQ */
        fp_move(f, 0, 1);
    }
    fp_store(f, upper ? 16 : 8);
}
