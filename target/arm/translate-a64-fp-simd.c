/*
 * The floating-point instructions of Advanced SIMD (a64-fp-simd.decode): one
 * ir_fp_vec() an instruction, as a rule.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include "fpu/fpu.h"
#include "target/arm/translate-fp.h"

#include "decode-a64-fp-simd.inc"

bool a64_fp_simd(DisasContext *s, uint32_t insn)
{
    return decode_a64_fp_simd(s, insn);
}

static bool vector_at(DisasContext *s, const IrFpVecHelper *h, uint32_t desc, unsigned rd,
                      uint32_t a_offset, uint32_t b_offset)
{
    if (a64_fp_access(s)) {
        ir_fp_vec(s->b, h, arm_v_offset(rd), a_offset, b_offset, desc);
    }
    return true;
}

static bool vector(DisasContext *s, const IrFpVecHelper *h, uint32_t desc, unsigned rd,
                   unsigned rn, unsigned rm)
{
    return vector_at(s, h, desc, rd, arm_v_offset(rn), arm_v_offset(rm));
}

/* The arrangement 1D does not exist. */
static bool valid_shape(bool q, bool sz)
{
    return q || !sz;
}

static uint32_t shape_desc(bool q, bool sz, uint32_t imm)
{
    return vec_desc(q ? 16 : 8, sz ? 3 : 2, imm);
}

/* ---- three registers ---- */

#define TRANS_SCALAR3(NAME, helper) \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a) \
    { \
        return vector(s, &helper[a->sz], fp_scalar_desc(a->sz, 0), a->rd, a->rn, a->rm); \
    }

#define TRANS_VECTOR3(NAME, helper) \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a) \
    { \
        return valid_shape(a->q, a->sz) && \
               vector(s, &helper[a->sz], shape_desc(a->q, a->sz, 0), a->rd, a->rn, a->rm); \
    }

TRANS_SCALAR3(FMULX_s, helper_vfmulx)
TRANS_SCALAR3(FCMEQ_s, helper_vfcmeq)
TRANS_SCALAR3(FRECPS_s, helper_vfrecps)
TRANS_SCALAR3(FRSQRTS_s, helper_vfrsqrts)
TRANS_SCALAR3(FCMGE_s, helper_vfcmge)
TRANS_SCALAR3(FACGE_s, helper_vfacge)
TRANS_SCALAR3(FABD_s, helper_vfabd)
TRANS_SCALAR3(FCMGT_s, helper_vfcmgt)
TRANS_SCALAR3(FACGT_s, helper_vfacgt)

TRANS_VECTOR3(FMAXNM_v, helper_vfmaxnm)
TRANS_VECTOR3(FMLA_v, helper_vfmla)
TRANS_VECTOR3(FADD_v, helper_vfadd)
TRANS_VECTOR3(FMULX_v, helper_vfmulx)
TRANS_VECTOR3(FCMEQ_v, helper_vfcmeq)
TRANS_VECTOR3(FMAX_v, helper_vfmax)
TRANS_VECTOR3(FRECPS_v, helper_vfrecps)
TRANS_VECTOR3(FMINNM_v, helper_vfminnm)
TRANS_VECTOR3(FMLS_v, helper_vfmls)
TRANS_VECTOR3(FSUB_v, helper_vfsub)
TRANS_VECTOR3(FMIN_v, helper_vfmin)
TRANS_VECTOR3(FRSQRTS_v, helper_vfrsqrts)
TRANS_VECTOR3(FMAXNMP_v, helper_vfmaxnmp)
TRANS_VECTOR3(FADDP_v, helper_vfaddp)
TRANS_VECTOR3(FMUL_v, helper_vfmul)
TRANS_VECTOR3(FCMGE_v, helper_vfcmge)
TRANS_VECTOR3(FACGE_v, helper_vfacge)
TRANS_VECTOR3(FMAXP_v, helper_vfmaxp)
TRANS_VECTOR3(FDIV_v, helper_vfdiv)
TRANS_VECTOR3(FMINNMP_v, helper_vfminnmp)
TRANS_VECTOR3(FABD_v, helper_vfabd)
TRANS_VECTOR3(FCMGT_v, helper_vfcmgt)
TRANS_VECTOR3(FACGT_v, helper_vfacgt)
TRANS_VECTOR3(FMINP_v, helper_vfminp)

/* ---- by element: index H:L for singles, H for doubles (L is then zero) ---- */

static unsigned element_index(bool sz, unsigned h, unsigned l)
{
    return sz ? h : h << 1 | l;
}

#define TRANS_ELEMENT(NAME, helper) \
    static bool trans_##NAME##_es(DisasContext *s, arg_##NAME##_es *a) \
    { \
        return !(a->sz && a->l) && \
               vector(s, &helper[a->sz], fp_scalar_desc(a->sz, element_index(a->sz, a->h, a->l)), \
                      a->rd, a->rn, a->rm); \
    } \
    static bool trans_##NAME##_ev(DisasContext *s, arg_##NAME##_ev *a) \
    { \
        return valid_shape(a->q, a->sz) && !(a->sz && a->l) && \
               vector(s, &helper[a->sz], \
                      shape_desc(a->q, a->sz, element_index(a->sz, a->h, a->l)), \
                      a->rd, a->rn, a->rm); \
    }

TRANS_ELEMENT(FMLA, helper_vfmla_lane)
TRANS_ELEMENT(FMLS, helper_vfmls_lane)
TRANS_ELEMENT(FMUL, helper_vfmul_lane)
TRANS_ELEMENT(FMULX, helper_vfmulx_lane)

/* ---- two registers ---- */

static bool scalar2(DisasContext *s, const IrFpVecHelper *pair, bool sz, unsigned rn,
                    unsigned rd, uint32_t imm)
{
    return vector(s, &pair[sz], fp_scalar_desc(sz, imm), rd, rn, rn);
}

static bool vector2(DisasContext *s, const IrFpVecHelper *pair, bool q, bool sz, unsigned rn,
                    unsigned rd, uint32_t imm)
{
    return valid_shape(q, sz) && vector(s, &pair[sz], shape_desc(q, sz, imm), rd, rn, rn);
}

#define TRANS_SCALAR2(NAME, helper, imm) \
    static bool trans_##NAME##_s(DisasContext *s, arg_##NAME##_s *a) \
    { \
        return scalar2(s, helper, a->sz, a->rn, a->rd, imm); \
    }

#define TRANS_VECTOR2(NAME, helper, imm) \
    static bool trans_##NAME##_v(DisasContext *s, arg_##NAME##_v *a) \
    { \
        return vector2(s, helper, a->q, a->sz, a->rn, a->rd, imm); \
    }

#define TRANS_BOTH2(NAME, helper, imm) \
    TRANS_SCALAR2(NAME, helper, imm) \
    TRANS_VECTOR2(NAME, helper, imm)

/* rmode, encoded as FPCR.RMode is. */
#define RMODE (a->o1 << 1 | a->o0)

TRANS_BOTH2(FCMGT0, helper_vfcmgt0, 0)
TRANS_BOTH2(FCMEQ0, helper_vfcmeq0, 0)
TRANS_BOTH2(FCMLT0, helper_vfcmlt0, 0)
TRANS_BOTH2(FCMGE0, helper_vfcmge0, 0)
TRANS_BOTH2(FCMLE0, helper_vfcmle0, 0)
#define TO_INT (RMODE != FPU_ZERO_WARD ? helper_vto_fixed : a->u ? helper_vfcvtzu : helper_vfcvtzs)

TRANS_BOTH2(FCVT, TO_INT, fp_fixed_arg(0, RMODE, a->u, a->sz))
TRANS_BOTH2(FCVTA, helper_vto_fixed, fp_fixed_arg(0, FPU_TIE_AWAY, a->u, a->sz))
TRANS_BOTH2(CVTF, a->u ? helper_vucvtf : helper_vscvtf, 0)
TRANS_BOTH2(FRECPE, helper_vfrecpe, 0)
TRANS_BOTH2(FRSQRTE, helper_vfrsqrte, 0)
TRANS_SCALAR2(FRECPX, helper_vfrecpx, 0)
TRANS_VECTOR2(FSQRT, helper_vfsqrt, 0)
TRANS_VECTOR2(FRINT, helper_vfrint, RMODE)
TRANS_VECTOR2(FRINTA, helper_vfrint, FPU_TIE_AWAY)
TRANS_VECTOR2(FRINTX, helper_vfrint, FP_ROUND_FPCR | FP_ROUND_EXACT)
TRANS_VECTOR2(FRINTI, helper_vfrint, FP_ROUND_FPCR)

TRANS_VECTOR2(FABS, helper_vfabs, 0)
TRANS_VECTOR2(FNEG, helper_vfneg, 0)

static bool trans_URECPE_v(DisasContext *s, arg_URECPE_v *a)
{
    return vector(s, &helper_vurecpe, shape_desc(a->q, false, 0), a->rd, a->rn, a->rn);
}

static bool trans_URSQRTE_v(DisasContext *s, arg_URSQRTE_v *a)
{
    return vector(s, &helper_vursqrte, shape_desc(a->q, false, 0), a->rd, a->rn, a->rn);
}

/* ---- lengthen and narrow: Q selects the half that is narrow ---- */

static bool trans_FCVTL_v(DisasContext *s, arg_FCVTL_v *a)
{
    uint32_t n = arm_v_offset(a->rn) + (a->q ? 8 : 0);

    return vector_at(s, &helper_vfcvtl[a->sz], vec_desc(16, a->sz ? 3 : 2, 0), a->rd, n, n);
}

static bool trans_FCVTN_v(DisasContext *s, arg_FCVTN_v *a)
{
    return vector(s, &helper_vfcvtn[a->sz], shape_desc(a->q, a->sz, 0), a->rd, a->rn, a->rn);
}

static bool trans_FCVTXN_v(DisasContext *s, arg_FCVTXN_v *a)
{
    return vector(s, &helper_vfcvtxn, shape_desc(a->q, true, 0), a->rd, a->rn, a->rn);
}

static bool trans_FCVTXN_s(DisasContext *s, arg_FCVTXN_s *a)
{
    if (a64_fp_access(s)) {
        fp_write(s, a->rd, fp_call1(s, &helper_fcvtxn, fp_read(s, true, a->rn)));
    }
    return true;
}

/* ---- pairwise and across lanes ---- */

/* Reduce(): the halves first, which decides the NaN that wins. */
static bool across_lanes(DisasContext *s, const IrFpVecHelper *h, unsigned rn, unsigned rd)
{
    const uint32_t d = arm_v_offset(rd), n = arm_v_offset(rn);

    if (a64_fp_access(s)) {
        ir_fp_vec(s->b, h, d, n, n, shape_desc(true, false, 0));
        ir_fp_vec(s->b, h, d, d, d, fp_scalar_desc(false, 0));
    }
    return true;
}

#define TRANS_ACROSS(NAME, helper) \
    static bool trans_##NAME##V_v(DisasContext *s, arg_##NAME##V_v *a) \
    { \
        return across_lanes(s, &helper[0], a->rn, a->rd); \
    }

TRANS_SCALAR2(FADDP, helper_vfaddp, 0)
TRANS_SCALAR2(FMAXP, helper_vfmaxp, 0)
TRANS_SCALAR2(FMINP, helper_vfminp, 0)
TRANS_SCALAR2(FMAXNMP, helper_vfmaxnmp, 0)
TRANS_SCALAR2(FMINNMP, helper_vfminnmp, 0)
TRANS_ACROSS(FMAX, helper_vfmaxp)
TRANS_ACROSS(FMIN, helper_vfminp)
TRANS_ACROSS(FMAXNM, helper_vfmaxnmp)
TRANS_ACROSS(FMINNM, helper_vfminnmp)

/* ---- immediates ---- */

static bool move_immediate(DisasContext *s, bool q, uint64_t lanes, unsigned rd)
{
    if (a64_fp_access(s)) {
        ir_st_env(s->b, 8, arm_v_offset(rd), ir_const(s->b, lanes));
        ir_st_env(s->b, 8, arm_v_offset(rd) + 8, ir_const(s->b, q ? lanes : 0));
    }
    return true;
}

static bool trans_FMOV_imm_v(DisasContext *s, arg_FMOV_imm_v *a)
{
    return move_immediate(s, a->q, fp_expand_imm(false, a->imm) * 0x100000001ull, a->rd);
}

static bool trans_FMOV_imm_d(DisasContext *s, arg_FMOV_imm_d *a)
{
    return move_immediate(s, true, fp_expand_imm(true, a->imm), a->rd);
}

/* ---- fixed point ---- */

#define FIXED_ARG(width) fp_fixed_arg((width) - a->imm, FPU_ZERO_WARD, a->u, (width) == 64)

#define TRANS_FIXED(NAME, helper) \
    static bool trans_##NAME##_ss(DisasContext *s, arg_##NAME##_ss *a) \
    { \
        return scalar2(s, helper, false, a->rn, a->rd, FIXED_ARG(32)); \
    } \
    static bool trans_##NAME##_sd(DisasContext *s, arg_##NAME##_sd *a) \
    { \
        return scalar2(s, helper, true, a->rn, a->rd, FIXED_ARG(64)); \
    } \
    static bool trans_##NAME##_vs(DisasContext *s, arg_##NAME##_vs *a) \
    { \
        return vector2(s, helper, a->q, false, a->rn, a->rd, FIXED_ARG(32)); \
    } \
    static bool trans_##NAME##_vd(DisasContext *s, arg_##NAME##_vd *a) \
    { \
        return vector2(s, helper, true, true, a->rn, a->rd, FIXED_ARG(64)); \
    }

TRANS_FIXED(CVTF_fixed, helper_vfrom_fixed)
TRANS_FIXED(FCVTZ_fixed, helper_vto_fixed)
