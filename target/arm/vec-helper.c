/*
 * Vector helpers that work lane by lane without side effects: the
 * non-saturating "three same" and "two-register miscellaneous" operations
 * (DDI 0487 C4.1.96). Expressions see x and y, the lanes of the sources, and z, the
 * old lane of the destination.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/vec-helper.h"
#include "target/arm/vec-types.h"

/* ---- bitwise: the element size means nothing, so 64-bit lanes ---- */

#define VEC_BITS(NAME, HOST, EXPR)                                                 \
    VEC_LANES(NAME, u64, EXPR)                                                     \
    const IrVecHelper vec_##NAME = { #NAME, NAME##_u64, HOST };

VEC_BITS(mov, IRV_MOV, x)
VEC_BITS(and, IRV_AND, x & y)
VEC_BITS(or, IRV_OR, x | y)
VEC_BITS(eor, IRV_XOR, x ^ y)
VEC_BITS(bic, IRV_ANDC, x & ~y)
VEC_BITS(orn, IRV_ORC, x | ~y)
VEC_BITS(not, IRV_NOT, ~x)
VEC_BITS(bsl, IRV_BSL, (z & x) | (~z & y))
VEC_BITS(bit, IRV_BIT, (y & x) | (~y & z))
VEC_BITS(bif, IRV_BIF, (~y & x) | (y & z))

/* ---- arithmetic ---- */

VEC_U4(add, IRV_ADD, x + y)
VEC_U4(sub, IRV_SUB, x - y)
VEC_U3(mul, IRV_MUL, (uint32_t)x * y)
VEC_U3(mla, IRV_MLA, z + (uint32_t)x * y)
VEC_U3(mls, IRV_MLS, z - (uint32_t)x * y)

#define VEC_LANE_HS(NAME, HOST)                                                    \
    VEC_BY_LANE(NAME, u16) VEC_BY_LANE(NAME, u32)                                  \
    const IrVecHelper vec_##NAME##_lane[4] = {                                     \
        [1] = { #NAME "_lane_u16", NAME##_lane_u16, HOST },                        \
        [2] = { #NAME "_lane_u32", NAME##_lane_u32, HOST },                        \
    };
VEC_LANE_HS(mul, IRV_MUL_LANE)
VEC_LANE_HS(mla, IRV_MLA_LANE)
VEC_LANE_HS(mls, IRV_MLS_LANE)

/*
 * Halving without a wider type: x + y == 2 * (x & y) + (x ^ y), and
 * x - y == (x ^ y) - 2 * (~x & y), in two's complement of any length.
 */
VEC_S3(shadd, IRV_NONE, (x & y) + ((x ^ y) >> 1))
VEC_U3(uhadd, IRV_NONE, (x & y) + ((x ^ y) >> 1))
VEC_S3(srhadd, IRV_NONE, (x | y) - ((x ^ y) >> 1))
VEC_U3(urhadd, IRV_URHADD, (x | y) - ((x ^ y) >> 1))
VEC_S3(shsub, IRV_NONE, ((x ^ y) >> 1) - (~x & y))
VEC_U3(uhsub, IRV_NONE, ((x ^ y) >> 1) - (~x & y))

VEC_S3(smax, IRV_SMAX, x > y ? x : y)
VEC_U3(umax, IRV_UMAX, x > y ? x : y)
VEC_S3(smin, IRV_SMIN, x < y ? x : y)
VEC_U3(umin, IRV_UMIN, x < y ? x : y)
VEC_S3(sabd, IRV_NONE, x > y ? x - y : y - x)
VEC_U3(uabd, IRV_NONE, x > y ? x - y : y - x)
VEC_S3(saba, IRV_NONE, z + (x > y ? x - y : y - x))
VEC_U3(uaba, IRV_NONE, z + (x > y ? x - y : y - x))

/* Polynomial product over GF(2), the low 8 bits. */
static uint8_t pmul8(uint8_t x, uint8_t y)
{
    uint8_t r = 0;

    for (unsigned i = 0; i < 8; i++) {
        r ^= (x >> i & 1) ? (uint8_t)(y << i) : 0;
    }
    return r;
}
VEC_U1(pmul, IRV_NONE, pmul8(x, y))

/* ---- comparisons: all ones or all zeros ---- */

VEC_U4(cmeq, IRV_CMEQ, -(x == y))
VEC_U4(cmtst, IRV_CMTST, -((x & y) != 0))
VEC_S4(cmgt, IRV_CMGT, -(x > y))
VEC_S4(cmge, IRV_CMGE, -(x >= y))
VEC_U4(cmhi, IRV_CMHI, -(x > y))
VEC_U4(cmhs, IRV_CMHS, -(x >= y))
VEC_S4(cmeq0, IRV_CMEQ0, -(x == 0))
VEC_S4(cmgt0, IRV_CMGT0, -(x > 0))
VEC_S4(cmge0, IRV_CMGE0, -(x >= 0))
VEC_S4(cmle0, IRV_CMLE0, -(x <= 0))
VEC_S4(cmlt0, IRV_CMLT0, -(x < 0))

/* ---- one operand ---- */

VEC_U4(neg, IRV_NEG, -x)
VEC_S4(abs, IRV_ABS, x < 0 ? -x : x)
VEC_U1(cnt, IRV_CNT, __builtin_popcount(x))

/* Leading zeros of a lane `bits` wide, given zero-extended; 0 gives `bits`. */
static unsigned lane_clz(uint32_t x, unsigned bits)
{
    return x ? __builtin_clz(x) - (32 - bits) : bits;
}
VEC_U3(clz, IRV_NONE, lane_clz(x, 8 * sizeof(x)))
/* Sign bits after the first: leading zeros of x ^ (x >> 1) but one. */
VEC_S3(cls, IRV_NONE, __builtin_clrsb(x) - (32 - 8 * (int)sizeof(x)))

static uint8_t rbit8(uint8_t x)
{
    x = (x & 0xf0) >> 4 | (x & 0x0f) << 4;
    x = (x & 0xcc) >> 2 | (x & 0x33) << 2;
    return (x & 0xaa) >> 1 | (x & 0x55) << 1;
}
VEC_U1(rbit, IRV_NONE, rbit8(x))

/* REVn swaps the elements inside n-bit containers: lane index ^ (per container - 1). */
#define VEC_REV(NAME, T, N)                                                        \
    static void NAME##_##T(void *d, const void *a, const void *b, uint32_t desc)   \
    {                                                                              \
        const Vec n = vec_load(a);                                                 \
        Vec r;                                                                     \
                                                                                   \
        for (unsigned i = 0; i < ARRAY_SIZE(r.T); i++) {                           \
            r.T[i] = n.T[i ^ ((N) / (8 * sizeof(r.T[0])) - 1)];                    \
        }                                                                          \
        vec_store(d, &r, desc);                                                    \
    }

VEC_REV(rev16, u8, 16)
VEC_REV(rev32, u8, 32)
VEC_REV(rev32, u16, 32)
VEC_REV(rev64, u8, 64)
VEC_REV(rev64, u16, 64)
VEC_REV(rev64, u32, 64)
VEC_TABLE_1(rev16, IRV_REV16, u8)
const IrVecHelper vec_rev32[4] = {
    { "rev32_u8", rev32_u8, IRV_REV32 }, { "rev32_u16", rev32_u16, IRV_REV32 },
};
VEC_TABLE_3(rev64, IRV_REV64, u8, u16, u32)

/* ---- pairs: the concatenation b:a, adjacent lanes combined ---- */

#define VEC_PAIRS(NAME, T, EXPR)                                                   \
    static void NAME##_##T(void *d, const void *a, const void *b, uint32_t desc)   \
    {                                                                              \
        const Vec n = vec_load(a), m = vec_load(b);                                \
        const unsigned half = vec_desc_bytes(desc) / sizeof(n.T[0]) / 2;           \
        Vec r = { .u64 = { 0, 0 } };                                               \
                                                                                   \
        for (unsigned i = 0; i < 2 * half; i++) {                                  \
            const Vec *v = i < half ? &n : &m;                                     \
            const unsigned j = 2 * (i < half ? i : i - half);                      \
            const __typeof__(r.T[0]) x = v->T[j], y = v->T[j + 1];                 \
                                                                                   \
            r.T[i] = (EXPR);                                                       \
        }                                                                          \
        vec_store(d, &r, desc);                                                    \
    }
#define VEC_PAIRS_3(NAME, HOST, T0, T1, T2, EXPR)                                  \
    VEC_PAIRS(NAME, T0, EXPR) VEC_PAIRS(NAME, T1, EXPR) VEC_PAIRS(NAME, T2, EXPR)  \
    VEC_TABLE_3(NAME, HOST, T0, T1, T2)

VEC_PAIRS(addp, u8, x + y)
VEC_PAIRS(addp, u16, x + y)
VEC_PAIRS(addp, u32, x + y)
VEC_PAIRS(addp, u64, x + y)
VEC_TABLE_4(addp, IRV_ADDP, u8, u16, u32, u64)
VEC_PAIRS_3(smaxp, IRV_SMAXP, s8, s16, s32, x > y ? x : y)
VEC_PAIRS_3(umaxp, IRV_UMAXP, u8, u16, u32, x > y ? x : y)
VEC_PAIRS_3(sminp, IRV_SMINP, s8, s16, s32, x < y ? x : y)
VEC_PAIRS_3(uminp, IRV_UMINP, u8, u16, u32, x < y ? x : y)

/* ADDP Dd, Vn.2D. */
static void addp_scalar(void *d, const void *a, const void *b, uint32_t desc)
{
    const Vec n = vec_load(a);
    const Vec r = { .u64 = { n.u64[0] + n.u64[1], 0 } };

    vec_store(d, &r, desc);
}
const IrVecHelper vec_addp_scalar = { "addp_scalar", addp_scalar, IRV_NONE };

/* SADDLP and kin: adjacent lanes of a added into lanes twice as wide. */
#define VEC_ADDLP(NAME, T, W, OLD)                                                 \
    static void NAME##_##T(void *d, const void *a, const void *b, uint32_t desc)   \
    {                                                                              \
        const Vec n = vec_load(a), acc = vec_load(d);                              \
        Vec r;                                                                     \
                                                                                   \
        for (unsigned i = 0; i < ARRAY_SIZE(r.W); i++) {                           \
            const __typeof__(r.W[0]) z = acc.W[i], x = n.T[2 * i];                 \
                                                                                   \
            (void)z;                                                               \
            r.W[i] = (OLD) + x + n.T[2 * i + 1];                                   \
        }                                                                          \
        vec_store(d, &r, desc);                                                    \
    }
#define VEC_ADDLP_S(NAME, OLD)                                                     \
    VEC_ADDLP(NAME, s8, s16, OLD) VEC_ADDLP(NAME, s16, s32, OLD)                   \
    VEC_ADDLP(NAME, s32, s64, OLD) VEC_TABLE_3(NAME, IRV_NONE, s8, s16, s32)
#define VEC_ADDLP_U(NAME, OLD)                                                     \
    VEC_ADDLP(NAME, u8, u16, OLD) VEC_ADDLP(NAME, u16, u32, OLD)                   \
    VEC_ADDLP(NAME, u32, u64, OLD) VEC_TABLE_3(NAME, IRV_NONE, u8, u16, u32)

VEC_ADDLP_S(saddlp, 0)
VEC_ADDLP_U(uaddlp, 0)
VEC_ADDLP_S(sadalp, z)
VEC_ADDLP_U(uadalp, z)

/* ---- across lanes: one lane from bytes/size of them; the rest is cleared ---- */

#define VEC_ACROSS(NAME, T, W, EXPR)                                               \
    static void NAME##_##T(void *d, const void *a, const void *b, uint32_t desc)   \
    {                                                                              \
        const Vec n = vec_load(a);                                                 \
        Vec r = { .u64 = { 0, 0 } };                                               \
        __typeof__(r.W[0]) x = n.T[0];                                             \
                                                                                   \
        for (unsigned i = 1; i < vec_desc_bytes(desc) / sizeof(n.T[0]); i++) {     \
            const __typeof__(r.W[0]) y = n.T[i];                                   \
                                                                                   \
            x = (EXPR);                                                            \
        }                                                                          \
        r.W[0] = x;                                                                \
        vec_store(d, &r, desc);                                                    \
    }
#define VEC_ACROSS_3(NAME, T0, T1, T2, W0, W1, W2, EXPR)                           \
    VEC_ACROSS(NAME, T0, W0, EXPR) VEC_ACROSS(NAME, T1, W1, EXPR)                  \
    VEC_ACROSS(NAME, T2, W2, EXPR) VEC_TABLE_3(NAME, IRV_NONE, T0, T1, T2)

VEC_ACROSS_3(addv, u8, u16, u32, u8, u16, u32, x + y)
VEC_ACROSS_3(saddlv, s8, s16, s32, s16, s32, s64, x + y)
VEC_ACROSS_3(uaddlv, u8, u16, u32, u16, u32, u64, x + y)
VEC_ACROSS_3(smaxv, s8, s16, s32, s8, s16, s32, x > y ? x : y)
VEC_ACROSS_3(umaxv, u8, u16, u32, u8, u16, u32, x > y ? x : y)
VEC_ACROSS_3(sminv, s8, s16, s32, s8, s16, s32, x < y ? x : y)
VEC_ACROSS_3(uminv, u8, u16, u32, u8, u16, u32, x < y ? x : y)
