/*
 * Advanced SIMD shifts by immediate. immh:immb holds the element size and the distance
 * together: size + distance for left shifts, 2 * size - distance for right
 * ones, where size is the power of two at the highest one of immh.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/translate-simd.h"
#include "decode-a64-simd-shift.inc"

/* log2 of the element bytes; false when immh is zero: a modified immediate. */
static bool shift_size(unsigned imm, unsigned *size)
{
    if (imm < 8) {
        return false;
    }
    *size = 31 - __builtin_clz(imm >> 3);
    return true;
}

static int left_distance(unsigned imm, unsigned size)
{
    return imm - (8 << size);
}

static int right_distance(unsigned imm, unsigned size)
{
    return (16 << size) - imm;
}

/* ---- same width ---- */

#define SHIFT(NAME, HELPER, DISTANCE)                                              \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        unsigned size;                                                             \
                                                                                   \
        return shift_size(a->imm, &size) && simd_size_ok(size, a->q) &&            \
               simd_vec(s, &vec_##HELPER[size],                                    \
                        vec_desc(a->q ? 16 : 8, size, DISTANCE(a->imm, size)),     \
                        a->rd, a->rn, a->rn);                                      \
    }                                                                              \
    /* Doublewords: the high bit of immh is part of the pattern. */                \
    static bool trans_##NAME##_s(DisasContext *s, arg_##NAME##_s *a)               \
    {                                                                              \
        return simd_vec(s, &vec_##HELPER[3], vec_desc(8, 3, DISTANCE(a->imm + 64, 3)), \
                        a->rd, a->rn, a->rn);                                      \
    }

SHIFT(SSHR, sshr, right_distance)
SHIFT(USHR, ushr, right_distance)
SHIFT(SSRA, ssra, right_distance)
SHIFT(USRA, usra, right_distance)
SHIFT(SRSHR, srshr, right_distance)
SHIFT(URSHR, urshr, right_distance)
SHIFT(SRSRA, srsra, right_distance)
SHIFT(URSRA, ursra, right_distance)
SHIFT(SRI, sri, right_distance)
SHIFT(SHL, shl, left_distance)
SHIFT(SLI, sli, left_distance)

#define SHIFT_SAT(NAME, HELPER)                                                    \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        unsigned size;                                                             \
                                                                                   \
        return shift_size(a->imm, &size) && simd_size_ok(size, a->q) &&            \
               simd_sat(s, &sat_##HELPER[size],                                    \
                        vec_desc(a->q ? 16 : 8, size, left_distance(a->imm, size)), \
                        a->rd, a->rn, a->rn);                                      \
    }                                                                              \
    static bool trans_##NAME##_s(DisasContext *s, arg_##NAME##_s *a)               \
    {                                                                              \
        unsigned size;                                                             \
                                                                                   \
        return shift_size(a->imm, &size) &&                                        \
               simd_sat(s, &sat_##HELPER[size],                                    \
                        vec_desc(1 << size, size, left_distance(a->imm, size)),    \
                        a->rd, a->rn, a->rn);                                      \
    }

SHIFT_SAT(SQSHLU, sqshlu_imm)
SHIFT_SAT(SQSHL_i, sqshl_imm)
SHIFT_SAT(UQSHL_i, uqshl_imm)

/* ---- narrowing: immh describes the narrow element, and doublewords have none ---- */

#define NARROW(NAME, HELPER)                                                       \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        unsigned size;                                                             \
                                                                                   \
        return shift_size(a->imm, &size) &&                                        \
               simd_vec(s, &vec_##HELPER[size],                                    \
                        vec_desc(a->q ? 16 : 8, size, right_distance(a->imm, size)), \
                        a->rd, a->rn, a->rn);                                      \
    }
#define NARROW_SAT(NAME, HELPER)                                                   \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        unsigned size;                                                             \
                                                                                   \
        return shift_size(a->imm, &size) &&                                        \
               simd_sat(s, &sat_##HELPER[size],                                    \
                        vec_desc(a->q ? 16 : 8, size, right_distance(a->imm, size)), \
                        a->rd, a->rn, a->rn);                                      \
    }                                                                              \
    static bool trans_##NAME##_s(DisasContext *s, arg_##NAME##_s *a)               \
    {                                                                              \
        unsigned size;                                                             \
                                                                                   \
        return shift_size(a->imm, &size) &&                                        \
               simd_sat(s, &sat_##HELPER[size],                                    \
                        vec_desc(1 << size, size, right_distance(a->imm, size)),   \
                        a->rd, a->rn, a->rn);                                      \
    }

NARROW(SHRN, shrn)
NARROW(RSHRN, rshrn)
NARROW_SAT(SQSHRUN, sqshrun)
NARROW_SAT(SQRSHRUN, sqrshrun)
NARROW_SAT(SQSHRN, sqshrn)
NARROW_SAT(UQSHRN, uqshrn)
NARROW_SAT(SQRSHRN, sqrshrn)
NARROW_SAT(UQRSHRN, uqrshrn)

/* ---- lengthening ---- */

#define LENGTHEN(NAME, HELPER)                                                     \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        unsigned size;                                                             \
                                                                                   \
        return shift_size(a->imm, &size) &&                                        \
               simd_vec_at(s, &vec_##HELPER[size],                                 \
                           vec_desc(16, size, left_distance(a->imm, size)), a->rd, \
                           simd_half_offset(a->rn, a->q), simd_half_offset(a->rn, a->q)); \
    }

LENGTHEN(SSHLL, sshll)
LENGTHEN(USHLL, ushll)

bool a64_simd_shift(DisasContext *s, uint32_t insn)
{
    return decode_a64_simd_shift(s, insn);
}
