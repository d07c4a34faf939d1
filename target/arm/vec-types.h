/*
 * What the vector helper files share: a vector register seen as lanes of any
 * type, and the ways to read and write one.
 *
 * Lanes are in the host's memory order, which is the guest's: lane 0 lowest.
 * Pointers are 8-byte aligned at least (upper halves are passed as +8).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_VEC_TYPES_H
#define TARGET_ARM_VEC_TYPES_H

#include "target/arm/cpu.h"

typedef union Vec {
    uint8_t u8[16];
    int8_t s8[16];
    uint16_t u16[8];
    int16_t s16[8];
    uint32_t u32[4];
    int32_t s32[4];
    uint64_t u64[2];
    int64_t s64[2];
} Vec;

static inline Vec vec_load(const void *p)
{
    Vec v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* The 8 bytes that a lengthening operation reads; never beyond them. */
static inline Vec vec_load_half(const void *p)
{
    Vec v = { .u64 = { 0, 0 } };

    memcpy(&v, p, 8);
    return v;
}

/* Write 16 bytes, or 8 and clear the upper half. */
static inline void vec_store(void *d, const Vec *r, uint32_t desc)
{
    uint64_t out[2] = { r->u64[0], vec_desc_bytes(desc) == 16 ? r->u64[1] : 0 };

    memcpy(d, out, sizeof(out));
}

/*
 * The result of a narrowing operation, in the low 8 bytes of r. A 16-byte
 * descriptor is the "2" form (XTN2): the upper half is written, the lower kept.
 */
static inline void vec_store_narrow(void *d, const Vec *r, uint32_t desc)
{
    if (vec_desc_bytes(desc) == 16) {
        memcpy((uint8_t *)d + 8, r, 8);
    } else {
        const uint64_t out[2] = { r->u64[0], 0 };

        memcpy(d, out, sizeof(out));
    }
}

/* The lane that a by-element operation names, in every lane. */
static inline Vec vec_dup_lane(const void *p, uint32_t desc)
{
    const Vec v = vec_load(p);
    const unsigned lane = vec_desc_imm(desc);
    Vec r;

    switch (vec_desc_esize(desc)) {
    case 0:
        memset(&r, v.u8[lane & 15], sizeof(r));
        break;
    case 1:
        for (unsigned i = 0; i < 8; i++) {
            r.u16[i] = v.u16[lane & 7];
        }
        break;
    case 2:
        for (unsigned i = 0; i < 4; i++) {
            r.u32[i] = v.u32[lane & 3];
        }
        break;
    default:
        r.u64[0] = r.u64[1] = v.u64[lane & 1];
        break;
    }
    return r;
}

/*
 * Define vec_NAME[], the helpers of one operation indexed by log2 of the element
 * bytes. Sizes that the architecture does not have stay empty.
 */
#define VEC_TABLE_1(NAME, HOST, T0)                                                \
    const IrVecHelper vec_##NAME[4] = { { #NAME "_" #T0, NAME##_##T0, HOST } };
#define VEC_TABLE_3(NAME, HOST, T0, T1, T2)                                        \
    const IrVecHelper vec_##NAME[4] = {                                            \
        { #NAME "_" #T0, NAME##_##T0, HOST },                                      \
        { #NAME "_" #T1, NAME##_##T1, HOST },                                      \
        { #NAME "_" #T2, NAME##_##T2, HOST },                                      \
    };
#define VEC_TABLE_4(NAME, HOST, T0, T1, T2, T3)                                    \
    const IrVecHelper vec_##NAME[4] = {                                            \
        { #NAME "_" #T0, NAME##_##T0, HOST },                                      \
        { #NAME "_" #T1, NAME##_##T1, HOST },                                      \
        { #NAME "_" #T2, NAME##_##T2, HOST },                                      \
        { #NAME "_" #T3, NAME##_##T3, HOST },                                      \
    };

/*
 * NAME_T(): lane by lane, r = EXPR of x (from a), y (from b), z (the old d) and
 * imm. All 16 bytes are computed, so that the loop has a constant length and the
 * compiler vectorises it; vec_store() drops what is not wanted.
 */
#define VEC_LANES(NAME, T, EXPR)                                                   \
    static void NAME##_##T(void *d, const void *a, const void *b, uint32_t desc)   \
    {                                                                              \
        const Vec n = vec_load(a), m = vec_load(b), acc = vec_load(d);             \
        const int imm = vec_desc_imm(desc);                                        \
        Vec r;                                                                     \
                                                                                   \
        (void)imm;                                                                 \
        for (unsigned i = 0; i < ARRAY_SIZE(r.T); i++) {                           \
            const __typeof__(r.T[0]) x = n.T[i], y = m.T[i], z = acc.T[i];         \
                                                                                   \
            (void)x, (void)y, (void)z;                                             \
            r.T[i] = (EXPR);                                                       \
        }                                                                          \
        vec_store(d, &r, desc);                                                    \
    }

/* The same for the sizes and signs that exist, and the table of them. */
#define VEC_U1(NAME, HOST, EXPR) VEC_LANES(NAME, u8, EXPR) VEC_TABLE_1(NAME, HOST, u8)
#define VEC_U3(NAME, HOST, EXPR)                                                   \
    VEC_LANES(NAME, u8, EXPR) VEC_LANES(NAME, u16, EXPR) VEC_LANES(NAME, u32, EXPR) \
    VEC_TABLE_3(NAME, HOST, u8, u16, u32)
#define VEC_S3(NAME, HOST, EXPR)                                                   \
    VEC_LANES(NAME, s8, EXPR) VEC_LANES(NAME, s16, EXPR) VEC_LANES(NAME, s32, EXPR) \
    VEC_TABLE_3(NAME, HOST, s8, s16, s32)
#define VEC_U4(NAME, HOST, EXPR)                                                   \
    VEC_LANES(NAME, u8, EXPR) VEC_LANES(NAME, u16, EXPR) VEC_LANES(NAME, u32, EXPR) \
    VEC_LANES(NAME, u64, EXPR) VEC_TABLE_4(NAME, HOST, u8, u16, u32, u64)
#define VEC_S4(NAME, HOST, EXPR)                                                   \
    VEC_LANES(NAME, s8, EXPR) VEC_LANES(NAME, s16, EXPR) VEC_LANES(NAME, s32, EXPR) \
    VEC_LANES(NAME, s64, EXPR) VEC_TABLE_4(NAME, HOST, s8, s16, s32, s64)

/* NAME_lane_T(): NAME_T() with one lane of b (imm) against all of a. */
#define VEC_BY_LANE(NAME, T)                                                       \
    static void NAME##_lane_##T(void *d, const void *a, const void *b, uint32_t desc) \
    {                                                                              \
        const Vec m = vec_dup_lane(b, desc);                                       \
                                                                                   \
        NAME##_##T(d, a, &m, desc);                                                \
    }

#endif
