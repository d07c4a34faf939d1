/*
 * Advanced SIMD multiplications by one element of the second source.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/translate-simd.h"
#include "decode-a64-simd-elem.inc"

/* The second source: a lane of a register. Bytes and doublewords have no helper. */
typedef struct Element {
    unsigned reg, lane;
} Element;

static Element element(unsigned size, unsigned h, unsigned l, unsigned m, unsigned rm)
{
    if (size == 1) {
        return (Element){ .reg = rm, .lane = h << 2 | l << 1 | m };
    }
    return (Element){ .reg = m << 4 | rm, .lane = h << 1 | l };
}

#define SAME(NAME, EMIT, TABLE)                                                    \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        const Element e = element(a->size, a->h, a->l, a->m, a->rm);               \
                                                                                   \
        return EMIT(s, &TABLE[a->size], vec_desc(a->q ? 16 : 8, a->size, e.lane),  \
                    a->rd, a->rn, e.reg);                                          \
    }
#define LONG(NAME, EMIT, TABLE)                                                    \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        const Element e = element(a->size, a->h, a->l, a->m, a->rm);               \
                                                                                   \
        return EMIT(s, &TABLE[a->size], vec_desc(16, a->size, e.lane), a->rd,      \
                    simd_half_offset(a->rn, a->q), arm_v_offset(e.reg));           \
    }
/* Scalar: the result is one element of SCALE << size bytes. */
#define SCALAR(NAME, TABLE, SCALE)                                                 \
    static bool trans_##NAME##_s(DisasContext *s, arg_##NAME##_s *a)               \
    {                                                                              \
        const Element e = element(a->size, a->h, a->l, a->m, a->rm);               \
                                                                                   \
        return simd_sat(s, &TABLE[a->size], vec_desc((SCALE) << a->size, a->size, e.lane), \
                        a->rd, a->rn, e.reg);                                      \
    }

SAME(MUL, simd_vec, vec_mul_lane)
SAME(MLA, simd_vec, vec_mla_lane)
SAME(MLS, simd_vec, vec_mls_lane)
LONG(SMLAL, simd_vec_at, vec_smlal_lane)
LONG(UMLAL, simd_vec_at, vec_umlal_lane)
LONG(SMLSL, simd_vec_at, vec_smlsl_lane)
LONG(UMLSL, simd_vec_at, vec_umlsl_lane)
LONG(SMULL, simd_vec_at, vec_smull_lane)
LONG(UMULL, simd_vec_at, vec_umull_lane)
LONG(SQDMLAL, simd_sat_at, sat_sqdmlal_lane)
LONG(SQDMLSL, simd_sat_at, sat_sqdmlsl_lane)
LONG(SQDMULL, simd_sat_at, sat_sqdmull_lane)
SAME(SQDMULH, simd_sat, sat_sqdmulh_lane)
SAME(SQRDMULH, simd_sat, sat_sqrdmulh_lane)
SCALAR(SQDMLAL, sat_sqdmlal_lane, 2)
SCALAR(SQDMLSL, sat_sqdmlsl_lane, 2)
SCALAR(SQDMULL, sat_sqdmull_lane, 2)
SCALAR(SQDMULH, sat_sqdmulh_lane, 1)
SCALAR(SQRDMULH, sat_sqrdmulh_lane, 1)

bool a64_simd_elem(DisasContext *s, uint32_t insn)
{
    return decode_a64_simd_elem(s, insn);
}
