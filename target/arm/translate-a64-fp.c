/*
 * Scalar floating point (a64-fp.decode). What is common is floating-point IR on registers;
 * the rest calls a helper with values.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include "fpu/fpu.h"
#include "target/arm/translate-fp.h"

#include "decode-a64-fp.inc"

bool a64_fp(DisasContext *s, uint32_t insn)
{
    return decode_a64_fp(s, insn) || a64_fp_simd(s, insn);
}

/* ---- conversions between floating point and integers ---- */

static bool to_fixed(DisasContext *s, bool sf, bool sz, bool u, unsigned mode, unsigned fbits,
                     unsigned rn, unsigned rd)
{
    IrVal x;

    if (!a64_fp_access(s)) {
        return true;
    }
    if (mode == FPU_ZERO_WARD && fbits == 0) {
        x = ir_fp_to_int(s->b, &helper_fcvtz[sz][sf][u], arm_v_offset(rn));
    } else {
        x = fp_call2(s, &helper_to_fixed[sz], fp_read(s, sz, rn),
                     ir_const(s->b, fp_fixed_arg(fbits, mode, u, sf)));
    }
    a64_write(s, rd, x);
    return true;
}

static bool from_fixed(DisasContext *s, bool sf, bool sz, bool u, unsigned fbits, unsigned rn,
                       unsigned rd)
{
    IrVal x;

    if (!a64_fp_access(s)) {
        return true;
    }
    x = a64_read(s, rn, sf ? W64 : W32);
    if (!sf) {
        x = u ? ir_zext(s->b, 32, x) : ir_sext(s->b, W64, 32, x);
    }
    if (fbits == 0) {
        ir_fp_from_int(s->b, &helper_from_int[sz][u], arm_v_offset(rd), x);
    } else {
        fp_write(s, rd, fp_call2(s, &helper_from_fixed[sz], x,
                                 ir_const(s->b, fp_fixed_arg(fbits, 0, u, true))));
    }
    return true;
}

static bool trans_FCVTZ_fixed(DisasContext *s, arg_FCVTZ_fixed *a)
{
    return (a->sf || a->scale >= 32) &&
           to_fixed(s, a->sf, a->sz, a->u, FPU_ZERO_WARD, 64 - a->scale, a->rn, a->rd);
}

static bool trans_CVTF_fixed(DisasContext *s, arg_CVTF_fixed *a)
{
    return (a->sf || a->scale >= 32) &&
           from_fixed(s, a->sf, a->sz, a->u, 64 - a->scale, a->rn, a->rd);
}

/* rmode is encoded as FPCR.RMode is. */
static bool trans_FCVT_int(DisasContext *s, arg_FCVT_int *a)
{
    return to_fixed(s, a->sf, a->sz, a->u, a->mode, 0, a->rn, a->rd);
}

static bool trans_FCVTA_int(DisasContext *s, arg_FCVTA_int *a)
{
    return to_fixed(s, a->sf, a->sz, a->u, FPU_TIE_AWAY, 0, a->rn, a->rd);
}

static bool trans_CVTF_int(DisasContext *s, arg_CVTF_int *a)
{
    return from_fixed(s, a->sf, a->sz, a->u, 0, a->rn, a->rd);
}

/* ---- moves to and from general registers ---- */

static bool move_to_general(DisasContext *s, bool sz, unsigned lane, unsigned rn, unsigned rd)
{
    if (a64_fp_access(s)) {
        a64_write(s, rd, fp_read_lane(s, sz, rn, lane));
    }
    return true;
}

static bool move_from_general(DisasContext *s, IrWidth w, unsigned rn, unsigned rd)
{
    if (a64_fp_access(s)) {
        fp_write(s, rd, a64_read(s, rn, w));
    }
    return true;
}

static bool trans_FMOV_to_w(DisasContext *s, arg_FMOV_to_w *a)
{
    return move_to_general(s, false, 0, a->rn, a->rd);
}

static bool trans_FMOV_to_x(DisasContext *s, arg_FMOV_to_x *a)
{
    return move_to_general(s, true, 0, a->rn, a->rd);
}

static bool trans_FMOV_top_to_x(DisasContext *s, arg_FMOV_top_to_x *a)
{
    return move_to_general(s, true, 1, a->rn, a->rd);
}

static bool trans_FMOV_from_w(DisasContext *s, arg_FMOV_from_w *a)
{
    return move_from_general(s, W32, a->rn, a->rd);
}

static bool trans_FMOV_from_x(DisasContext *s, arg_FMOV_from_x *a)
{
    return move_from_general(s, W64, a->rn, a->rd);
}

/* Vd.D[1] alone. */
static bool trans_FMOV_top_from_x(DisasContext *s, arg_FMOV_top_from_x *a)
{
    if (a64_fp_access(s)) {
        ir_st_env(s->b, 8, arm_v_offset(a->rd) + 8, a64_read(s, a->rn, W64));
    }
    return true;
}

/* ---- one source ---- */

static bool unary(DisasContext *s, const IrHelper *h, IrVal (*read)(DisasContext *, unsigned),
                  unsigned rn, unsigned rd)
{
    if (a64_fp_access(s)) {
        fp_write(s, rd, fp_call1(s, h, read(s, rn)));
    }
    return true;
}

static IrVal read_h(DisasContext *s, unsigned n)
{
    return ir_ld_env(s->b, 2, arm_v_offset(n));
}

static IrVal read_s(DisasContext *s, unsigned n)
{
    return fp_read(s, false, n);
}

static IrVal read_d(DisasContext *s, unsigned n)
{
    return fp_read(s, true, n);
}

static bool fp_unary(DisasContext *s, const IrFpHelper *h, unsigned rn, unsigned rd)
{
    if (a64_fp_access(s)) {
        ir_fp(s->b, h, arm_v_offset(rd), arm_v_offset(rn), 0, 0);
    }
    return true;
}

static bool trans_FMOV_reg(DisasContext *s, arg_FMOV_reg *a)
{
    return fp_unary(s, &helper_fmov[a->sz], a->rn, a->rd);
}

static bool trans_FABS(DisasContext *s, arg_FABS *a)
{
    return fp_unary(s, &helper_fabs[a->sz], a->rn, a->rd);
}

static bool trans_FNEG(DisasContext *s, arg_FNEG *a)
{
    return fp_unary(s, &helper_fneg[a->sz], a->rn, a->rd);
}

static bool trans_FSQRT(DisasContext *s, arg_FSQRT *a)
{
    return fp_unary(s, &helper_fsqrt[a->sz], a->rn, a->rd);
}

static bool trans_FCVT_sd(DisasContext *s, arg_FCVT_sd *a)
{
    return fp_unary(s, &helper_fcvt_sd, a->rn, a->rd);
}

static bool trans_FCVT_ds(DisasContext *s, arg_FCVT_ds *a)
{
    return fp_unary(s, &helper_fcvt_ds, a->rn, a->rd);
}

#define TRANS_FCVT(NAME, helper, read) \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a) \
    { \
        return unary(s, &helper, read, a->rn, a->rd); \
    }

TRANS_FCVT(FCVT_sh, helper_fcvt_sh, read_s)
TRANS_FCVT(FCVT_dh, helper_fcvt_dh, read_d)
TRANS_FCVT(FCVT_hs, helper_fcvt_hs, read_h)
TRANS_FCVT(FCVT_hd, helper_fcvt_hd, read_h)

/* A vector of one lane. */
static bool frint(DisasContext *s, bool sz, unsigned arg, unsigned rn, unsigned rd)
{
    const uint32_t n = arm_v_offset(rn);

    if (a64_fp_access(s)) {
        ir_fp_vec(s->b, &helper_vfrint[sz], arm_v_offset(rd), n, n, fp_scalar_desc(sz, arg));
    }
    return true;
}

static bool trans_FRINT(DisasContext *s, arg_FRINT *a)
{
    return frint(s, a->sz, a->mode, a->rn, a->rd);
}

static bool trans_FRINTA(DisasContext *s, arg_FRINTA *a)
{
    return frint(s, a->sz, FPU_TIE_AWAY, a->rn, a->rd);
}

static bool trans_FRINTX(DisasContext *s, arg_FRINTX *a)
{
    return frint(s, a->sz, FP_ROUND_FPCR | FP_ROUND_EXACT, a->rn, a->rd);
}

static bool trans_FRINTI(DisasContext *s, arg_FRINTI *a)
{
    return frint(s, a->sz, FP_ROUND_FPCR, a->rn, a->rd);
}

/* ---- comparisons, selection, immediate ---- */

static bool trans_FCMP(DisasContext *s, arg_FCMP *a)
{
    if (a64_fp_access(s)) {
        ir_fp_cmp(s->b, a->e ? &helper_fcmpe[a->sz] : &helper_fcmp[a->sz],
                  arm_v_offset(a->rn), arm_v_offset(a->rm));
    }
    return true;
}

static bool trans_FCMP_zero(DisasContext *s, arg_FCMP_zero *a)
{
    if (a64_fp_access(s)) {
        ir_fp_cmp(s->b, a->e ? &helper_fcmpe[a->sz] : &helper_fcmp[a->sz],
                  arm_v_offset(a->rn), 0);
    }
    return true;
}

/* AL and NV (15) are both always true. */
static IrCond condition(unsigned cond)
{
    return cond >= COND_AL ? COND_AL : (IrCond)cond;
}

/* The comparison may set FPSR, so the helper has to know whether to do it. */
static bool trans_FCCMP(DisasContext *s, arg_FCCMP *a)
{
    if (a64_fp_access(s)) {
        const IrHelper *h = a->e ? &helper_fccmpe[a->sz] : &helper_fccmp[a->sz];
        IrVal holds = ir_sel(s->b, W64, condition(a->cond), ir_const(s->b, 1),
                             ir_const(s->b, 0));

        ir_set_nzcv(s->b, ir_call(s->b, h, fp_read(s, a->sz, a->rn), fp_read(s, a->sz, a->rm),
                                  holds, ir_const(s->b, (uint64_t)a->nzcv << 28)));
    }
    return true;
}

static bool trans_FCSEL(DisasContext *s, arg_FCSEL *a)
{
    if (a64_fp_access(s)) {
        fp_write(s, a->rd, ir_sel(s->b, W64, condition(a->cond), fp_read(s, a->sz, a->rn),
                                  fp_read(s, a->sz, a->rm)));
    }
    return true;
}

static bool trans_FMOV_imm(DisasContext *s, arg_FMOV_imm *a)
{
    if (a64_fp_access(s)) {
        fp_write(s, a->rd, ir_const(s->b, fp_expand_imm(a->sz, a->imm)));
    }
    return true;
}

/* ---- two and three sources ---- */

static bool binary(DisasContext *s, const IrFpHelper *h, unsigned rn, unsigned rm, unsigned rd)
{
    if (a64_fp_access(s)) {
        ir_fp(s->b, h, arm_v_offset(rd), arm_v_offset(rn), arm_v_offset(rm), 0);
    }
    return true;
}

#define TRANS_BINARY(NAME, helper) \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a) \
    { \
        return binary(s, &helper[a->sz], a->rn, a->rm, a->rd); \
    }

TRANS_BINARY(FMUL, helper_fmul)
TRANS_BINARY(FDIV, helper_fdiv)
TRANS_BINARY(FADD, helper_fadd)
TRANS_BINARY(FSUB, helper_fsub)
TRANS_BINARY(FMAX, helper_fmax)
TRANS_BINARY(FMIN, helper_fmin)
TRANS_BINARY(FMAXNM, helper_fmaxnm)
TRANS_BINARY(FMINNM, helper_fminnm)
TRANS_BINARY(FNMUL, helper_fnmul)

static bool trans_FMADD(DisasContext *s, arg_FMADD *a)
{
    static const IrFpHelper *const pair[2][2] = {
        { helper_fmadd, helper_fmsub }, { helper_fnmadd, helper_fnmsub },
    };

    if (a64_fp_access(s)) {
        ir_fp(s->b, &pair[a->o1][a->o0][a->sz], arm_v_offset(a->rd), arm_v_offset(a->ra),
              arm_v_offset(a->rn), arm_v_offset(a->rm));
    }
    return true;
}
