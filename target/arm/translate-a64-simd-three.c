/*
 * Advanced SIMD, three registers: of the same type, and of different widths.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/translate-simd.h"
#include "decode-a64-simd-three.inc"

/* ---- three same ---- */

#define SAME(NAME, HELPER)                                                         \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        return simd_size_ok(a->size, a->q) &&                                      \
               simd_vec(s, &vec_##HELPER[a->size],                                 \
                        vec_desc(a->q ? 16 : 8, a->size, 0), a->rd, a->rn, a->rm); \
    }
#define SAME_SAT(NAME, HELPER)                                                     \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        return simd_size_ok(a->size, a->q) &&                                      \
               simd_sat(s, &sat_##HELPER[a->size],                                 \
                        vec_desc(a->q ? 16 : 8, a->size, 0), a->rd, a->rn, a->rm); \
    }

SAME(SHADD, shadd)
SAME(UHADD, uhadd)
SAME_SAT(SQADD, sqadd)
SAME_SAT(UQADD, uqadd)
SAME(SRHADD, srhadd)
SAME(URHADD, urhadd)
SAME(SHSUB, shsub)
SAME(UHSUB, uhsub)
SAME_SAT(SQSUB, sqsub)
SAME_SAT(UQSUB, uqsub)
SAME(CMGT, cmgt)
SAME(CMHI, cmhi)
SAME(CMGE, cmge)
SAME(CMHS, cmhs)
SAME(SSHL, sshl)
SAME(USHL, ushl)
SAME_SAT(SQSHL, sqshl)
SAME_SAT(UQSHL, uqshl)
SAME(SRSHL, srshl)
SAME(URSHL, urshl)
SAME_SAT(SQRSHL, sqrshl)
SAME_SAT(UQRSHL, uqrshl)
SAME(SMAX, smax)
SAME(UMAX, umax)
SAME(SMIN, smin)
SAME(UMIN, umin)
SAME(SABD, sabd)
SAME(UABD, uabd)
SAME(SABA, saba)
SAME(UABA, uaba)
SAME(ADD, add)
SAME(SUB, sub)
SAME(CMTST, cmtst)
SAME(CMEQ, cmeq)
SAME(MLA, mla)
SAME(MLS, mls)
SAME(MUL, mul)
SAME(PMUL, pmul)
SAME(SMAXP, smaxp)
SAME(UMAXP, umaxp)
SAME(SMINP, sminp)
SAME(UMINP, uminp)
SAME_SAT(SQDMULH, sqdmulh)
SAME_SAT(SQRDMULH, sqrdmulh)
SAME(ADDP, addp)

#define SAME_BITS(NAME, HELPER)                                                    \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        return simd_vec(s, &vec_##HELPER, vec_desc(a->q ? 16 : 8, 0, 0),           \
                        a->rd, a->rn, a->rm);                                      \
    }

SAME_BITS(AND, and)
SAME_BITS(BIC, bic)
SAME_BITS(ORN, orn)
SAME_BITS(BSL, bsl)
SAME_BITS(BIT, bit)
SAME_BITS(BIF, bif)

/* ORR of a register with itself is MOV. */
static bool trans_ORR(DisasContext *s, arg_ORR *a)
{
    return simd_vec(s, a->rn == a->rm ? &vec_mov : &vec_or, vec_desc(a->q ? 16 : 8, 0, 0),
                    a->rd, a->rn, a->rm);
}

/* EOR of a register with itself clears, and depends on nothing. */
static bool trans_EOR(DisasContext *s, arg_EOR *a)
{
    if (a->rn != a->rm) {
        return simd_vec(s, &vec_eor, vec_desc(a->q ? 16 : 8, 0, 0), a->rd, a->rn, a->rm);
    }
    if (a64_fp_access(s)) {
        const IrVal zero = ir_const(s->b, 0);

        simd_write(s, a->rd, zero, zero);
    }
    return true;
}

/* ---- scalar: one element of any size (saturating), or a doubleword ---- */

#define SCALAR_SAT(NAME, HELPER)                                                   \
    static bool trans_##NAME##_s(DisasContext *s, arg_##NAME##_s *a)               \
    {                                                                              \
        return simd_sat(s, &sat_##HELPER[a->size], vec_desc(1 << a->size, a->size, 0), \
                        a->rd, a->rn, a->rm);                                      \
    }
#define SCALAR_D(NAME, HELPER)                                                     \
    static bool trans_##NAME##_s(DisasContext *s, arg_##NAME##_s *a)               \
    {                                                                              \
        return simd_vec(s, &vec_##HELPER[3], vec_desc(8, 3, 0), a->rd, a->rn, a->rm); \
    }

SCALAR_SAT(SQADD, sqadd)
SCALAR_SAT(UQADD, uqadd)
SCALAR_SAT(SQSUB, sqsub)
SCALAR_SAT(UQSUB, uqsub)
SCALAR_SAT(SQSHL, sqshl)
SCALAR_SAT(UQSHL, uqshl)
SCALAR_SAT(SQRSHL, sqrshl)
SCALAR_SAT(UQRSHL, uqrshl)
SCALAR_SAT(SQDMULH, sqdmulh)
SCALAR_SAT(SQRDMULH, sqrdmulh)
SCALAR_D(CMGT, cmgt)
SCALAR_D(CMHI, cmhi)
SCALAR_D(CMGE, cmge)
SCALAR_D(CMHS, cmhs)
SCALAR_D(SSHL, sshl)
SCALAR_D(USHL, ushl)
SCALAR_D(SRSHL, srshl)
SCALAR_D(URSHL, urshl)
SCALAR_D(ADD, add)
SCALAR_D(SUB, sub)
SCALAR_D(CMTST, cmtst)
SCALAR_D(CMEQ, cmeq)

/* ---- three different ---- */

/* Both sources narrow: q takes their upper halves. */
#define LONG(NAME, HELPER)                                                         \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        return simd_vec_at(s, &vec_##HELPER[a->size], vec_desc(16, a->size, 0), a->rd, \
                           simd_half_offset(a->rn, a->q), simd_half_offset(a->rm, a->q)); \
    }
#define LONG_SAT(NAME, HELPER)                                                     \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        return simd_sat_at(s, &sat_##HELPER[a->size], vec_desc(16, a->size, 0), a->rd, \
                           simd_half_offset(a->rn, a->q), simd_half_offset(a->rm, a->q)); \
    }                                                                              \
    static bool trans_##NAME##_s(DisasContext *s, arg_##NAME##_s *a)               \
    {                                                                              \
        return simd_sat(s, &sat_##HELPER[a->size], vec_desc(2 << a->size, a->size, 0), \
                        a->rd, a->rn, a->rm);                                      \
    }
/* Only the second source narrow. */
#define WIDE(NAME, HELPER)                                                         \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        return simd_vec_at(s, &vec_##HELPER[a->size], vec_desc(16, a->size, 0), a->rd, \
                           arm_v_offset(a->rn), simd_half_offset(a->rm, a->q));    \
    }
/* Both sources wide, the result narrow: q puts it in the upper half. */
#define HIGH(NAME, HELPER)                                                         \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        return simd_vec(s, &vec_##HELPER[a->size], vec_desc(a->q ? 16 : 8, a->size, 0), \
                        a->rd, a->rn, a->rm);                                      \
    }

LONG(SADDL, saddl)
LONG(UADDL, uaddl)
WIDE(SADDW, saddw)
WIDE(UADDW, uaddw)
LONG(SSUBL, ssubl)
LONG(USUBL, usubl)
WIDE(SSUBW, ssubw)
WIDE(USUBW, usubw)
HIGH(ADDHN, addhn)
HIGH(RADDHN, raddhn)
LONG(SABAL, sabal)
LONG(UABAL, uabal)
HIGH(SUBHN, subhn)
HIGH(RSUBHN, rsubhn)
LONG(SABDL, sabdl)
LONG(UABDL, uabdl)
LONG(SMLAL, smlal)
LONG(UMLAL, umlal)
LONG_SAT(SQDMLAL, sqdmlal)
LONG(SMLSL, smlsl)
LONG(UMLSL, umlsl)
LONG_SAT(SQDMLSL, sqdmlsl)
LONG(SMULL, smull)
LONG(UMULL, umull)
LONG_SAT(SQDMULL, sqdmull)
LONG(PMULL, pmull)

bool a64_simd_three(DisasContext *s, uint32_t insn)
{
    return decode_a64_simd_three(s, insn);
}
