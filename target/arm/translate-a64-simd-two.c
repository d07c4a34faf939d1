/*
 * Advanced SIMD: two-register miscellaneous, across lanes, scalar pairwise.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/translate-simd.h"
#include "decode-a64-simd-two.inc"

/* The helpers have no second source; the first stands in for it. */
#define TWO(NAME, HELPER)                                                          \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        return simd_size_ok(a->size, a->q) &&                                      \
               simd_vec(s, &vec_##HELPER[a->size],                                 \
                        vec_desc(a->q ? 16 : 8, a->size, 0), a->rd, a->rn, a->rn); \
    }
#define TWO_SAT(NAME, HELPER)                                                      \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        return simd_size_ok(a->size, a->q) &&                                      \
               simd_sat(s, &sat_##HELPER[a->size],                                 \
                        vec_desc(a->q ? 16 : 8, a->size, 0), a->rd, a->rn, a->rn); \
    }                                                                              \
    static bool trans_##NAME##_s(DisasContext *s, arg_##NAME##_s *a)               \
    {                                                                              \
        return simd_sat(s, &sat_##HELPER[a->size], vec_desc(1 << a->size, a->size, 0), \
                        a->rd, a->rn, a->rn);                                      \
    }
#define SCALAR_D(NAME, HELPER)                                                     \
    static bool trans_##NAME##_s(DisasContext *s, arg_##NAME##_s *a)               \
    {                                                                              \
        return simd_vec(s, &vec_##HELPER[3], vec_desc(8, 3, 0), a->rd, a->rn, a->rn); \
    }

TWO(REV64, rev64)
TWO(REV32, rev32)
TWO(REV16, rev16)
TWO(SADDLP, saddlp)
TWO(UADDLP, uaddlp)
TWO_SAT(SUQADD, suqadd)
TWO_SAT(USQADD, usqadd)
TWO(CLS, cls)
TWO(CLZ, clz)
TWO(CNT, cnt)
TWO(SADALP, sadalp)
TWO(UADALP, uadalp)
TWO_SAT(SQABS, sqabs)
TWO_SAT(SQNEG, sqneg)
TWO(CMGT0, cmgt0)
TWO(CMGE0, cmge0)
TWO(CMEQ0, cmeq0)
TWO(CMLE0, cmle0)
TWO(CMLT0, cmlt0)
TWO(ABS, abs)
TWO(NEG, neg)
TWO(XTN, xtn)
SCALAR_D(CMGT0, cmgt0)
SCALAR_D(CMGE0, cmge0)
SCALAR_D(CMEQ0, cmeq0)
SCALAR_D(CMLE0, cmle0)
SCALAR_D(CMLT0, cmlt0)
SCALAR_D(ABS, abs)
SCALAR_D(NEG, neg)
TWO_SAT(SQXTUN, sqshrun)
TWO_SAT(SQXTN, sqshrn)
TWO_SAT(UQXTN, uqshrn)

static bool trans_NOT(DisasContext *s, arg_NOT *a)
{
    return simd_vec(s, &vec_not, vec_desc(a->q ? 16 : 8, 0, 0), a->rd, a->rn, a->rn);
}

static bool trans_RBIT(DisasContext *s, arg_RBIT *a)
{
    return simd_vec(s, &vec_rbit[0], vec_desc(a->q ? 16 : 8, 0, 0), a->rd, a->rn, a->rn);
}

/* Left by the element size: the one distance that SSHLL and USHLL do not have. */
static bool trans_SHLL(DisasContext *s, arg_SHLL *a)
{
    return simd_vec_at(s, &vec_ushll[a->size], vec_desc(16, a->size, 8 << a->size), a->rd,
                       simd_half_offset(a->rn, a->q), simd_half_offset(a->rn, a->q));
}

/* ---- across lanes: at least four of them ---- */

#define ACROSS(NAME, HELPER)                                                       \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        return (a->size < 2 || a->q) &&                                            \
               simd_vec(s, &vec_##HELPER[a->size],                                 \
                        vec_desc(a->q ? 16 : 8, a->size, 0), a->rd, a->rn, a->rn); \
    }

ACROSS(SADDLV, saddlv)
ACROSS(UADDLV, uaddlv)
ACROSS(SMAXV, smaxv)
ACROSS(UMAXV, umaxv)
ACROSS(SMINV, sminv)
ACROSS(UMINV, uminv)
ACROSS(ADDV, addv)

static bool trans_ADDP_s(DisasContext *s, arg_ADDP_s *a)
{
    return simd_vec(s, &vec_addp_scalar, vec_desc(8, 3, 0), a->rd, a->rn, a->rn);
}

bool a64_simd_two(DisasContext *s, uint32_t insn)
{
    return decode_a64_simd_two(s, insn);
}
