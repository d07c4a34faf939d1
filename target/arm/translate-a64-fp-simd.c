/*
 * The floating-point instructions of Advanced SIMD (a64-fp-simd.decode). One helper
 * call an instruction: registers and lanes are packed into its argument.
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

static bool vector_call(DisasContext *s, const IrHelper *h, FpVecArg v)
{
    if (a64_fp_access(s)) {
        fp_call1(s, h, ir_const(s->b, fp_vec_pack(v)));
    }
    return true;
}

/* The arrangement 1D does not exist. */
static bool valid_shape(bool q, bool sz)
{
    return q || !sz;
}

static unsigned vector_lanes(bool q, bool sz)
{
    return sz ? 2 : q ? 4 : 2;
}

/* ---- three registers ---- */

#define TRANS_SCALAR3(NAME, helper) \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a) \
    { \
        return vector_call(s, &helper[a->sz], \
                           (FpVecArg) { a->rd, a->rn, a->rm, .lanes = 1 }); \
    }

#define TRANS_VECTOR3(NAME, helper) \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a) \
    { \
        return valid_shape(a->q, a->sz) && \
               vector_call(s, &helper[a->sz], \
                           (FpVecArg) { a->rd, a->rn, a->rm, vector_lanes(a->q, a->sz) }); \
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

static bool by_element(DisasContext *s, const IrHelper *pair, bool sz, unsigned lanes,
                       unsigned h, unsigned l, FpVecArg v)
{
    v.lanes = lanes;
    v.by_element = true;
    v.index = sz ? h : h << 1 | l;
    return !(sz && l) && vector_call(s, &pair[sz], v);
}

#define TRANS_ELEMENT(NAME, helper) \
    static bool trans_##NAME##_es(DisasContext *s, arg_##NAME##_es *a) \
    { \
        return by_element(s, helper, a->sz, 1, a->h, a->l, \
                          (FpVecArg) { a->rd, a->rn, a->rm }); \
    } \
    static bool trans_##NAME##_ev(DisasContext *s, arg_##NAME##_ev *a) \
    { \
        return valid_shape(a->q, a->sz) && \
               by_element(s, helper, a->sz, vector_lanes(a->q, a->sz), a->h, a->l, \
                          (FpVecArg) { a->rd, a->rn, a->rm }); \
    }

TRANS_ELEMENT(FMLA, helper_vfmla)
TRANS_ELEMENT(FMLS, helper_vfmls)
TRANS_ELEMENT(FMUL, helper_vfmul)
TRANS_ELEMENT(FMULX, helper_vfmulx)

/* ---- two registers ---- */

static bool scalar2(DisasContext *s, const IrHelper *h, unsigned rn, unsigned rd, uint32_t arg)
{
    return vector_call(s, h, (FpVecArg) { rd, rn, .lanes = 1, .arg = arg });
}

static bool vector2(DisasContext *s, const IrHelper *pair, bool q, bool sz, unsigned rn,
                    unsigned rd, uint32_t arg)
{
    return valid_shape(q, sz) &&
           vector_call(s, &pair[sz],
                       (FpVecArg) { rd, rn, .lanes = vector_lanes(q, sz), .arg = arg });
}

#define TRANS_SCALAR2(NAME, helper, arg) \
    static bool trans_##NAME##_s(DisasContext *s, arg_##NAME##_s *a) \
    { \
        return scalar2(s, &helper[a->sz], a->rn, a->rd, arg); \
    }

#define TRANS_VECTOR2(NAME, helper, arg) \
    static bool trans_##NAME##_v(DisasContext *s, arg_##NAME##_v *a) \
    { \
        return vector2(s, helper, a->q, a->sz, a->rn, a->rd, arg); \
    }

#define TRANS_BOTH2(NAME, helper, arg) \
    TRANS_SCALAR2(NAME, helper, arg) \
    TRANS_VECTOR2(NAME, helper, arg)

/* rmode, encoded as FPCR.RMode is. */
#define RMODE (a->o1 << 1 | a->o0)

TRANS_BOTH2(FCMGT0, helper_vfcmgt0, 0)
TRANS_BOTH2(FCMEQ0, helper_vfcmeq0, 0)
TRANS_BOTH2(FCMLT0, helper_vfcmlt0, 0)
TRANS_BOTH2(FCMGE0, helper_vfcmge0, 0)
TRANS_BOTH2(FCMLE0, helper_vfcmle0, 0)
TRANS_BOTH2(FCVT, helper_vto_fixed, fp_fixed_arg(0, RMODE, a->u, a->sz))
TRANS_BOTH2(FCVTA, helper_vto_fixed, fp_fixed_arg(0, FPU_TIE_AWAY, a->u, a->sz))
TRANS_BOTH2(CVTF, helper_vfrom_fixed, fp_fixed_arg(0, 0, a->u, a->sz))
TRANS_BOTH2(FRECPE, helper_vfrecpe, 0)
TRANS_BOTH2(FRSQRTE, helper_vfrsqrte, 0)
TRANS_SCALAR2(FRECPX, helper_vfrecpx, 0)
TRANS_VECTOR2(FSQRT, helper_vfsqrt, 0)
TRANS_VECTOR2(FRINT, helper_vfrint, RMODE)
TRANS_VECTOR2(FRINTA, helper_vfrint, FPU_TIE_AWAY)
TRANS_VECTOR2(FRINTX, helper_vfrint, FP_ROUND_FPCR | FP_ROUND_EXACT)
TRANS_VECTOR2(FRINTI, helper_vfrint, FP_ROUND_FPCR)

static bool trans_URECPE_v(DisasContext *s, arg_URECPE_v *a)
{
    return vector_call(s, &helper_vurecpe,
                       (FpVecArg) { a->rd, a->rn, .lanes = vector_lanes(a->q, false) });
}

static bool trans_URSQRTE_v(DisasContext *s, arg_URSQRTE_v *a)
{
    return vector_call(s, &helper_vursqrte,
                       (FpVecArg) { a->rd, a->rn, .lanes = vector_lanes(a->q, false) });
}

/* Sign changes, inline: `clear` or flip every lane's sign bit. */
static bool change_signs(DisasContext *s, bool q, bool sz, bool clear, unsigned rn, unsigned rd)
{
    IrVal signs, x[2];

    if (!valid_shape(q, sz) || !a64_fp_access(s)) {
        return valid_shape(q, sz);
    }
    signs = ir_const(s->b, sz ? 1ull << 63 : 0x8000000080000000ull);
    for (unsigned i = 0; i < 2; i++) {
        if (i == 1 && !q) {
            x[i] = ir_const(s->b, 0);
            break;
        }
        x[i] = fp_read_lane(s, true, rn, i);
        x[i] = clear ? ir_andc(s->b, W64, x[i], signs) : ir_xor(s->b, W64, x[i], signs);
    }
    for (unsigned i = 0; i < 2; i++) {
        ir_st_env(s->b, 8, arm_v_offset(rd) + 8 * i, x[i]);
    }
    return true;
}

static bool trans_FABS_v(DisasContext *s, arg_FABS_v *a)
{
    return change_signs(s, a->q, a->sz, true, a->rn, a->rd);
}

static bool trans_FNEG_v(DisasContext *s, arg_FNEG_v *a)
{
    return change_signs(s, a->q, a->sz, false, a->rn, a->rd);
}

/* ---- lengthen and narrow: Q selects the half that is narrow ---- */

static bool trans_FCVTL_v(DisasContext *s, arg_FCVTL_v *a)
{
    return vector_call(s, &helper_vfcvtl[a->sz], (FpVecArg) { a->rd, a->rn, .arg = a->q });
}

static bool trans_FCVTN_v(DisasContext *s, arg_FCVTN_v *a)
{
    return vector_call(s, &helper_vfcvtn[a->sz], (FpVecArg) { a->rd, a->rn, .arg = a->q });
}

static bool trans_FCVTXN_v(DisasContext *s, arg_FCVTXN_v *a)
{
    return vector_call(s, &helper_vfcvtxn, (FpVecArg) { a->rd, a->rn, .arg = a->q });
}

static bool trans_FCVTXN_s(DisasContext *s, arg_FCVTXN_s *a)
{
    if (a64_fp_access(s)) {
        fp_write(s, a->rd, fp_call1(s, &helper_fcvtxn, fp_read(s, true, a->rn)));
    }
    return true;
}

/* ---- pairwise and across lanes, with the scalar helpers ---- */

static bool scalar_pairwise(DisasContext *s, const IrFpHelper *pair, bool sz, unsigned rn,
                            unsigned rd)
{
    if (a64_fp_access(s)) {
        fp_write(s, rd, fp_call2(s, &pair[sz].h, fp_read_lane(s, sz, rn, 0),
                                 fp_read_lane(s, sz, rn, 1)));
    }
    return true;
}

/* Reduce(): the halves first, which decides the NaN that wins. */
static bool across_lanes(DisasContext *s, const IrFpHelper *pair, unsigned rn, unsigned rd)
{
    IrVal low, high;

    if (!a64_fp_access(s)) {
        return true;
    }
    low = fp_call2(s, &pair[0].h, fp_read_lane(s, false, rn, 0), fp_read_lane(s, false, rn, 1));
    high = fp_call2(s, &pair[0].h, fp_read_lane(s, false, rn, 2), fp_read_lane(s, false, rn, 3));
    fp_write(s, rd, fp_call2(s, &pair[0].h, low, high));
    return true;
}

#define TRANS_PAIRWISE(NAME, helper) \
    static bool trans_##NAME##P_s(DisasContext *s, arg_##NAME##P_s *a) \
    { \
        return scalar_pairwise(s, helper, a->sz, a->rn, a->rd); \
    }

#define TRANS_ACROSS(NAME, helper) \
    static bool trans_##NAME##V_v(DisasContext *s, arg_##NAME##V_v *a) \
    { \
        return across_lanes(s, helper, a->rn, a->rd); \
    }

TRANS_PAIRWISE(FADD, helper_fadd)
TRANS_PAIRWISE(FMAX, helper_fmax)
TRANS_PAIRWISE(FMIN, helper_fmin)
TRANS_PAIRWISE(FMAXNM, helper_fmaxnm)
TRANS_PAIRWISE(FMINNM, helper_fminnm)
TRANS_ACROSS(FMAX, helper_fmax)
TRANS_ACROSS(FMIN, helper_fmin)
TRANS_ACROSS(FMAXNM, helper_fmaxnm)
TRANS_ACROSS(FMINNM, helper_fminnm)

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
        return scalar2(s, &helper[0], a->rn, a->rd, FIXED_ARG(32)); \
    } \
    static bool trans_##NAME##_sd(DisasContext *s, arg_##NAME##_sd *a) \
    { \
        return scalar2(s, &helper[1], a->rn, a->rd, FIXED_ARG(64)); \
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
