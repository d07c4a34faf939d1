/*
 * Saturating vector operations. They set FPSR.QC when any lane saturated, so
 * they are called with the CPU: helper(cpu, d, a, b, desc), the three being byte offsets
 * of registers from the Vcpu.
 *
 * The descriptor's byte count also gives the scalar forms: 1, 2 or 4 bytes
 * are one lane of B, H or S, and the rest of the register is cleared.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/vec-helper.h"
#include "target/arm/vec-shift.h"
#include "target/arm/vec-types.h"
#include "util/bitops.h"

#define FPSR_QC (1u << 27)

typedef __int128 Wide;    /* holds any intermediate result exactly */

/* A lane operation: true when a lane saturated. */
typedef bool SatFn(void *d, const void *a, const void *b, uint32_t desc);

static inline void call_sat(Vcpu *cpu, SatFn *fn, uint64_t d, uint64_t a, uint64_t b,
                            uint64_t desc)
{
    uint8_t *env = (uint8_t *)cpu;

    if (fn(env + d, env + a, env + b, desc)) {
        arm_cpu(cpu)->s.fpsr |= FPSR_QC;
    }
}

#define SAT_HELPER(NAME, T)                                                        \
    static void helper_##NAME##_##T(Vcpu *cpu, uint64_t d, uint64_t a, uint64_t b, \
                                    uint64_t desc)                                 \
    {                                                                              \
        call_sat(cpu, NAME##_##T, d, a, b, desc);                                  \
    }
#define SAT_ROW(NAME, T)                                                           \
    { #NAME "_" #T, (void (*)(void))helper_##NAME##_##T, 4, IR_HELPER_VOID }

/* ---- clamping ---- */

static inline int64_t sat_signed(Wide v, unsigned bits, bool *sat)
{
    const Wide max = ((Wide)1 << (bits - 1)) - 1;

    if (v > max || v < -max - 1) {
        *sat = true;
        return v < 0 ? -max - 1 : max;
    }
    return v;
}

static inline uint64_t sat_unsigned(Wide v, unsigned bits, bool *sat)
{
    const Wide max = ((Wide)1 << bits) - 1;

    if (v > max || v < 0) {
        *sat = true;
        return v < 0 ? 0 : max;
    }
    return v;
}

/* x shifted left, x being at most 64 bits wide: 64 places move any bit out of its lane. */
static inline Wide shift_left_wide(Wide x, int n)
{
    return n < 64 ? x << n : x * ((Wide)1 << 64);
}

static inline int64_t sat_shift_signed(int64_t x, int n, bool round, unsigned bits, bool *sat)
{
    if (n < 0) {
        return shift_right_signed(x, -n, round);
    }
    return sat_signed(shift_left_wide(x, n), bits, sat);
}

static inline uint64_t sat_shift_unsigned(uint64_t x, int n, bool round, unsigned bits,
                                          bool *sat)
{
    if (n < 0) {
        return shift_right_unsigned(x, -n, round);
    }
    /* 63 places are the most that keep 64 bits inside a Wide; 64 push out any bit. */
    return sat_unsigned(n < 64 ? (Wide)x << n : x ? (Wide)1 << 64 : 0, bits, sat);
}

/* ---- same-width operations ---- */

/* r = EXPR of x, y, z (old d), imm, bits and sat (bool *); as many lanes as the descriptor says. */
#define SAT_LANES(NAME, T, EXPR)                                                   \
    static bool NAME##_##T(void *d, const void *a, const void *b, uint32_t desc)   \
    {                                                                              \
        const Vec n = vec_load(a), m = vec_load(b), acc = vec_load(d);             \
        const int imm = vec_desc_imm(desc);                                        \
        const unsigned bits = 8 * sizeof(n.T[0]);                                  \
        bool saturated = false, *sat = &saturated;                                 \
        Vec r = { .u64 = { 0, 0 } };                                               \
                                                                                   \
        (void)imm;                                                                 \
        for (unsigned i = 0; i < vec_desc_bytes(desc) / sizeof(n.T[0]); i++) {     \
            const __typeof__(r.T[0]) x = n.T[i], y = m.T[i], z = acc.T[i];         \
                                                                                   \
            (void)x, (void)y, (void)z;                                             \
            r.T[i] = (EXPR);                                                       \
        }                                                                          \
        memcpy(d, &r, sizeof(r));                                                  \
        return saturated;                                                          \
    }

#define SAT_4(NAME, T0, T1, T2, T3, EXPR)                                          \
    SAT_LANES(NAME, T0, EXPR) SAT_LANES(NAME, T1, EXPR)                            \
    SAT_LANES(NAME, T2, EXPR) SAT_LANES(NAME, T3, EXPR)                            \
    SAT_HELPER(NAME, T0) SAT_HELPER(NAME, T1) SAT_HELPER(NAME, T2) SAT_HELPER(NAME, T3) \
    const IrHelper sat_##NAME[4] = {                                               \
        SAT_ROW(NAME, T0), SAT_ROW(NAME, T1), SAT_ROW(NAME, T2), SAT_ROW(NAME, T3), \
    };
#define SAT_S4(NAME, EXPR) SAT_4(NAME, s8, s16, s32, s64, EXPR)
#define SAT_U4(NAME, EXPR) SAT_4(NAME, u8, u16, u32, u64, EXPR)

SAT_S4(sqadd, sat_signed((Wide)x + y, bits, sat))
SAT_U4(uqadd, sat_unsigned((Wide)x + y, bits, sat))
SAT_S4(sqsub, sat_signed((Wide)x - y, bits, sat))
SAT_U4(uqsub, sat_unsigned((Wide)x - y, bits, sat))
SAT_S4(sqabs, sat_signed(x < 0 ? -(Wide)x : x, bits, sat))
SAT_S4(sqneg, sat_signed(-(Wide)x, bits, sat))

/* Accumulate numbers of the other sign: lanes are signed here, and one side is reinterpreted. */
#define AS_UNSIGNED(v) ((Wide)((uint64_t)(v) & mask64(bits)))
SAT_S4(suqadd, sat_signed((Wide)z + AS_UNSIGNED(x), bits, sat))
SAT_S4(usqadd, sat_unsigned(AS_UNSIGNED(z) + x, bits, sat))

SAT_S4(sqshl, sat_shift_signed(x, (int8_t)y, false, bits, sat))
SAT_U4(uqshl, sat_shift_unsigned(x, (int8_t)y, false, bits, sat))
SAT_S4(sqrshl, sat_shift_signed(x, (int8_t)y, true, bits, sat))
SAT_U4(uqrshl, sat_shift_unsigned(x, (int8_t)y, true, bits, sat))
SAT_S4(sqshl_imm, sat_shift_signed(x, imm, false, bits, sat))
SAT_U4(uqshl_imm, sat_shift_unsigned(x, imm, false, bits, sat))
SAT_S4(sqshlu_imm, sat_unsigned(shift_left_wide(x, imm), bits, sat))

/* The high half of the doubled product: one place less to shift. */
#define SAT_MULH(NAME, ROUND)                                                      \
    SAT_LANES(NAME, s16, sat_signed(((Wide)x * y + (ROUND)) >> (bits - 1), bits, sat)) \
    SAT_LANES(NAME, s32, sat_signed(((Wide)x * y + (ROUND)) >> (bits - 1), bits, sat)) \
    SAT_HELPER(NAME, s16) SAT_HELPER(NAME, s32)                                    \
    const IrHelper sat_##NAME[4] = { [1] = SAT_ROW(NAME, s16), SAT_ROW(NAME, s32) };

SAT_MULH(sqdmulh, 0)
SAT_MULH(sqrdmulh, (Wide)1 << (bits - 2))

/* ---- lengthening ---- */

/* r = EXPR of p, the doubled and saturated product, and z, the old wide lane. */
#define SAT_LONG(NAME, T, W, EXPR)                                                 \
    static bool NAME##_##T(void *d, const void *a, const void *b, uint32_t desc)   \
    {                                                                              \
        const Vec n = vec_load_half(a), m = vec_load_half(b), acc = vec_load(d);   \
        const unsigned bits = 8 * sizeof(n.W[0]);                                  \
        bool saturated = false, *sat = &saturated;                                 \
        Vec r = { .u64 = { 0, 0 } };                                               \
                                                                                   \
        for (unsigned i = 0; i < vec_desc_bytes(desc) / sizeof(n.W[0]); i++) {     \
            const Wide p = sat_signed((Wide)2 * n.T[i] * m.T[i], bits, sat);       \
            const Wide z = acc.W[i];                                               \
                                                                                   \
            (void)z;                                                               \
            r.W[i] = (EXPR);                                                       \
        }                                                                          \
        memcpy(d, &r, sizeof(r));                                                  \
        return saturated;                                                          \
    }
#define SAT_LONG_HS(NAME, EXPR)                                                    \
    SAT_LONG(NAME, s16, s32, EXPR) SAT_LONG(NAME, s32, s64, EXPR)                  \
    SAT_HELPER(NAME, s16) SAT_HELPER(NAME, s32)                                    \
    const IrHelper sat_##NAME[4] = { [1] = SAT_ROW(NAME, s16), SAT_ROW(NAME, s32) };

SAT_LONG_HS(sqdmull, p)
SAT_LONG_HS(sqdmlal, sat_signed(z + p, bits, sat))
SAT_LONG_HS(sqdmlsl, sat_signed(z - p, bits, sat))

/* ---- by element: the same with one lane of b ---- */

#define SAT_BY_LANE(NAME, T)                                                       \
    static bool NAME##_lane_##T(void *d, const void *a, const void *b, uint32_t desc) \
    {                                                                              \
        const Vec m = vec_dup_lane(b, desc);                                       \
                                                                                   \
        return NAME##_##T(d, a, &m, desc);                                         \
    }
#define SAT_BY_LANE_HS(NAME)                                                       \
    SAT_BY_LANE(NAME, s16) SAT_BY_LANE(NAME, s32)                                  \
    SAT_HELPER(NAME##_lane, s16) SAT_HELPER(NAME##_lane, s32)                      \
    const IrHelper sat_##NAME##_lane[4] = {                                        \
        [1] = SAT_ROW(NAME##_lane, s16), SAT_ROW(NAME##_lane, s32),                \
    };

SAT_BY_LANE_HS(sqdmulh)
SAT_BY_LANE_HS(sqrdmulh)
SAT_BY_LANE_HS(sqdmull)
SAT_BY_LANE_HS(sqdmlal)
SAT_BY_LANE_HS(sqdmlsl)

/* ---- narrowing: SQXTN is the shift by none ---- */

#define SAT_NARROW(NAME, W, T, EXPR)                                               \
    static bool NAME##_##T(void *d, const void *a, const void *b, uint32_t desc)   \
    {                                                                              \
        const Vec n = vec_load(a);                                                 \
        const int imm = vec_desc_imm(desc);                                        \
        const unsigned bits = 8 * sizeof(n.T[0]);                                  \
        const unsigned bytes = vec_desc_bytes(desc) < 8 ? vec_desc_bytes(desc) : 8; \
        bool saturated = false, *sat = &saturated;                                 \
        Vec r = { .u64 = { 0, 0 } };                                               \
                                                                                   \
        for (unsigned i = 0; i < bytes / sizeof(n.T[0]); i++) {                    \
            const Wide x = n.W[i];                                                 \
                                                                                   \
            r.T[i] = (EXPR);                                                       \
        }                                                                          \
        vec_store_narrow(d, &r, desc);                                             \
        return saturated;                                                          \
    }
#define SAT_NARROW_3(NAME, W0, W1, W2, T0, T1, T2, EXPR)                           \
    SAT_NARROW(NAME, W0, T0, EXPR) SAT_NARROW(NAME, W1, T1, EXPR)                  \
    SAT_NARROW(NAME, W2, T2, EXPR)                                                 \
    SAT_HELPER(NAME, T0) SAT_HELPER(NAME, T1) SAT_HELPER(NAME, T2)                 \
    const IrHelper sat_##NAME[4] = {                                               \
        SAT_ROW(NAME, T0), SAT_ROW(NAME, T1), SAT_ROW(NAME, T2),                   \
    };

#define ROUNDED(x, imm) ((x) + ((Wide)1 << ((imm) - 1)))

SAT_NARROW_3(sqshrn, s16, s32, s64, s8, s16, s32, sat_signed(x >> imm, bits, sat))
SAT_NARROW_3(uqshrn, u16, u32, u64, u8, u16, u32, sat_unsigned(x >> imm, bits, sat))
SAT_NARROW_3(sqshrun, s16, s32, s64, u8, u16, u32, sat_unsigned(x >> imm, bits, sat))
SAT_NARROW_3(sqrshrn, s16, s32, s64, s8, s16, s32,
             sat_signed(ROUNDED(x, imm) >> imm, bits, sat))
SAT_NARROW_3(uqrshrn, u16, u32, u64, u8, u16, u32,
             sat_unsigned(ROUNDED(x, imm) >> imm, bits, sat))
SAT_NARROW_3(sqrshrun, s16, s32, s64, u8, u16, u32,
             sat_unsigned(ROUNDED(x, imm) >> imm, bits, sat))
