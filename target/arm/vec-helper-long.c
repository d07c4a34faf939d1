/*
 * "Three different" vector helpers (DDI 0487 C4.1.96): operands or results of
 * twice the width, without saturation. Narrow sources are 8 bytes; the "2" forms
 * pass the address of the upper half. Tables are indexed by the narrow size.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/vec-helper.h"
#include "target/arm/vec-types.h"

/* r = EXPR of x and y, the narrow lanes extended to W, and z, the old wide lane. */
#define VEC_LONG(NAME, T, W, EXPR)                                                 \
    static void NAME##_##T(void *d, const void *a, const void *b, uint32_t desc)   \
    {                                                                              \
        const Vec n = vec_load_half(a), m = vec_load_half(b), acc = vec_load(d);   \
        Vec r;                                                                     \
                                                                                   \
        for (unsigned i = 0; i < ARRAY_SIZE(r.W); i++) {                           \
            const __typeof__(r.W[0]) x = n.T[i], y = m.T[i], z = acc.W[i];         \
                                                                                   \
            (void)z;                                                               \
            r.W[i] = (EXPR);                                                       \
        }                                                                          \
        vec_store(d, &r, desc);                                                    \
    }
#define VEC_LONG_S(NAME, HOST, EXPR)                                               \
    VEC_LONG(NAME, s8, s16, EXPR) VEC_LONG(NAME, s16, s32, EXPR)                   \
    VEC_LONG(NAME, s32, s64, EXPR) VEC_TABLE_3(NAME, HOST, s8, s16, s32)
#define VEC_LONG_U(NAME, HOST, EXPR)                                               \
    VEC_LONG(NAME, u8, u16, EXPR) VEC_LONG(NAME, u16, u32, EXPR)                   \
    VEC_LONG(NAME, u32, u64, EXPR) VEC_TABLE_3(NAME, HOST, u8, u16, u32)

VEC_LONG_S(saddl, IRV_SADDL, x + y)
VEC_LONG_U(uaddl, IRV_UADDL, x + y)
VEC_LONG_S(ssubl, IRV_SSUBL, x - y)
VEC_LONG_U(usubl, IRV_USUBL, x - y)
VEC_LONG_S(sabdl, IRV_NONE, x > y ? x - y : y - x)
VEC_LONG_U(uabdl, IRV_NONE, x > y ? x - y : y - x)
VEC_LONG_S(sabal, IRV_NONE, z + (x > y ? x - y : y - x))
VEC_LONG_U(uabal, IRV_NONE, z + (x > y ? x - y : y - x))
VEC_LONG_S(smull, IRV_SMULL, x * y)
VEC_LONG_U(umull, IRV_UMULL, x * y)
VEC_LONG_S(smlal, IRV_SMLAL, z + x * y)
VEC_LONG_U(umlal, IRV_UMLAL, z + x * y)
VEC_LONG_S(smlsl, IRV_SMLSL, z - x * y)
VEC_LONG_U(umlsl, IRV_UMLSL, z - x * y)

#define VEC_LONG_LANE(NAME, H, S)                                                  \
    VEC_BY_LANE(NAME, H) VEC_BY_LANE(NAME, S)                                      \
    const IrVecHelper vec_##NAME##_lane[4] = {                                     \
        [1] = { #NAME "_lane_" #H, NAME##_lane_##H, IRV_NONE },                    \
        [2] = { #NAME "_lane_" #S, NAME##_lane_##S, IRV_NONE },                    \
    };
VEC_LONG_LANE(smull, s16, s32)
VEC_LONG_LANE(umull, u16, u32)
VEC_LONG_LANE(smlal, s16, s32)
VEC_LONG_LANE(umlal, u16, u32)
VEC_LONG_LANE(smlsl, s16, s32)
VEC_LONG_LANE(umlsl, u16, u32)

/* ---- a wide first operand: x is wide, y extended ---- */

#define VEC_WIDE(NAME, T, W, EXPR)                                                 \
    static void NAME##_##T(void *d, const void *a, const void *b, uint32_t desc)   \
    {                                                                              \
        const Vec n = vec_load(a), m = vec_load_half(b);                           \
        Vec r;                                                                     \
                                                                                   \
        for (unsigned i = 0; i < ARRAY_SIZE(r.W); i++) {                           \
            const __typeof__(r.W[0]) x = n.W[i], y = m.T[i];                       \
                                                                                   \
            r.W[i] = (EXPR);                                                       \
        }                                                                          \
        vec_store(d, &r, desc);                                                    \
    }
#define VEC_WIDE_S(NAME, HOST, EXPR)                                               \
    VEC_WIDE(NAME, s8, s16, EXPR) VEC_WIDE(NAME, s16, s32, EXPR)                   \
    VEC_WIDE(NAME, s32, s64, EXPR) VEC_TABLE_3(NAME, HOST, s8, s16, s32)
#define VEC_WIDE_U(NAME, HOST, EXPR)                                               \
    VEC_WIDE(NAME, u8, u16, EXPR) VEC_WIDE(NAME, u16, u32, EXPR)                   \
    VEC_WIDE(NAME, u32, u64, EXPR) VEC_TABLE_3(NAME, HOST, u8, u16, u32)

VEC_WIDE_S(saddw, IRV_SADDW, x + y)
VEC_WIDE_U(uaddw, IRV_UADDW, x + y)
VEC_WIDE_S(ssubw, IRV_SSUBW, x - y)
VEC_WIDE_U(usubw, IRV_USUBW, x - y)

/* ---- the high half of wide sums ---- */

/* EXPR: x, y wide; half is the narrow width in bits, round half of its last place. */
#define VEC_HIGH(NAME, W, T, EXPR)                                                 \
    static void NAME##_##T(void *d, const void *a, const void *b, uint32_t desc)   \
    {                                                                              \
        const Vec n = vec_load(a), m = vec_load(b);                                \
        const unsigned half = 8 * sizeof(n.T[0]);                                  \
        const __typeof__(n.W[0]) round = (__typeof__(n.W[0]))1 << (half - 1);      \
        Vec r = { .u64 = { 0, 0 } };                                               \
                                                                                   \
        (void)round;                                                               \
        for (unsigned i = 0; i < ARRAY_SIZE(n.W); i++) {                           \
            const __typeof__(n.W[0]) x = n.W[i], y = m.W[i];                       \
                                                                                   \
            r.T[i] = (EXPR) >> half;                                               \
        }                                                                          \
        vec_store_narrow(d, &r, desc);                                             \
    }
#define VEC_HIGH_3(NAME, EXPR)                                                     \
    VEC_HIGH(NAME, u16, u8, EXPR) VEC_HIGH(NAME, u32, u16, EXPR)                   \
    VEC_HIGH(NAME, u64, u32, EXPR) VEC_TABLE_3(NAME, IRV_NONE, u8, u16, u32)

VEC_HIGH_3(addhn, x + y)
VEC_HIGH_3(raddhn, x + y + round)
VEC_HIGH_3(subhn, x - y)
VEC_HIGH_3(rsubhn, x - y + round)

/* ---- polynomial products over GF(2) ---- */

static void pmull_u8(void *d, const void *a, const void *b, uint32_t desc)
{
    const Vec n = vec_load_half(a), m = vec_load_half(b);
    Vec r = { .u64 = { 0, 0 } };

    for (unsigned i = 0; i < 8; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            r.u16[i] ^= (n.u8[i] >> bit & 1) ? m.u8[i] << bit : 0;
        }
    }
    vec_store(d, &r, desc);
}

static void pmull_u64(void *d, const void *a, const void *b, uint32_t desc)
{
    const uint64_t x = vec_load_half(a).u64[0], y = vec_load_half(b).u64[0];
    Vec r = { .u64 = { x & 1 ? y : 0, 0 } };

    for (unsigned bit = 1; bit < 64; bit++) {
        if (x >> bit & 1) {
            r.u64[0] ^= y << bit;
            r.u64[1] ^= y >> (64 - bit);
        }
    }
    vec_store(d, &r, desc);
}

const IrVecHelper vec_pmull[4] = {
    [0] = { "pmull_u8", pmull_u8, IRV_NONE },
    [3] = { "pmull_u64", pmull_u64, IRV_CLMUL64 },
};
