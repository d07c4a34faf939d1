/*
 * fpu/: corner values with results worked out from the Arm ARM's pseudocode, and the
 * short cuts of fast.h against the soft functions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <glib.h>

#include "fpu/fast.h"

#define RP (1u << 22)
#define RM (2u << 22)
#define RZ (3u << 22)
#define FZ FPCR_FZ
#define DN FPCR_DN
#define AHP FPCR_AHP
#define IOC FPSR_IOC
#define DZC FPSR_DZC
#define OFC FPSR_OFC
#define UFC FPSR_UFC
#define IXC FPSR_IXC
#define IDC FPSR_IDC

/* double */
#define ONE 0x3ff0000000000000ull
#define TWO 0x4000000000000000ull
#define THREE 0x4008000000000000ull
#define INFINITE 0x7ff0000000000000ull
#define LARGEST 0x7fefffffffffffffull
#define MIN_NORMAL 0x0010000000000000ull
#define QNAN 0x7ff8000000000000ull
#define QNAN5 0x7ff8000000000005ull
#define SNAN3 0x7ff0000000000003ull
#define QUIET3 0x7ff8000000000003ull
#define MINUS 0x8000000000000000ull
/* single */
#define ONE_S 0x3f800000u
#define INF_S 0x7f800000u
#define MINUS_S 0x80000000u

typedef uint64_t Binary(uint64_t a, uint64_t b, FPU_ENV);

typedef struct Row {
    Binary *fn;
    uint32_t fpcr;
    uint64_t a, b, result;
    uint32_t fpsr;
} Row;

static const Row rows[] = {
    { f64_add_soft, 0, ONE, TWO, THREE, 0 },
    /* 1 + 2^-53 is a tie: to even, up, down, toward zero */
    { f64_add_soft, 0, ONE, 0x3ca0000000000000, ONE, IXC },
    { f64_add_soft, RP, ONE, 0x3ca0000000000000, ONE + 1, IXC },
    { f64_add_soft, RM, ONE, 0x3ca0000000000000, ONE, IXC },
    { f64_add_soft, RM, MINUS | ONE, MINUS | 0x3ca0000000000000, MINUS | (ONE + 1), IXC },
    { f64_add_soft, RZ, ONE, 0x3ca0000000000000, ONE, IXC },
    { f64_add_soft, 0, ONE + 1, 0x3ca0000000000000, ONE + 2, IXC },
    /* the sign of an exact zero */
    { f64_add_soft, 0, ONE, MINUS | ONE, 0, 0 },
    { f64_add_soft, RM, ONE, MINUS | ONE, MINUS, 0 },
    { f64_add_soft, 0, MINUS, MINUS, MINUS, 0 },
    { f64_sub_soft, RM, 0, 0, MINUS, 0 },
    /* overflow */
    { f64_add_soft, 0, LARGEST, LARGEST, INFINITE, OFC | IXC },
    { f64_add_soft, RZ, LARGEST, LARGEST, LARGEST, OFC | IXC },
    { f64_add_soft, RM, LARGEST, LARGEST, LARGEST, OFC | IXC },
    { f64_add_soft, RP, MINUS | LARGEST, MINUS | LARGEST, MINUS | LARGEST, OFC | IXC },
    /* NaNs: signalling first, then the first operand; the default NaN */
    { f64_add_soft, 0, QNAN5, SNAN3, QUIET3, IOC },
    { f64_add_soft, 0, QNAN5, MINUS | QNAN, QNAN5, 0 },
    { f64_sub_soft, 0, ONE, MINUS | QNAN5, MINUS | QNAN5, 0 },
    { f64_add_soft, DN, QNAN5, ONE, QNAN, 0 },
    { f64_add_soft, 0, INFINITE, MINUS | INFINITE, QNAN, IOC },
    { f64_sub_soft, 0, INFINITE, INFINITE, QNAN, IOC },
    /* denormals: exact without FZ; flushed on input (IDC) and output (UFC alone) with it */
    { f64_sub_soft, 0, MIN_NORMAL + 1, MIN_NORMAL, 1, 0 },
    { f64_sub_soft, FZ, MIN_NORMAL + 1, MIN_NORMAL, 0, UFC },
    { f64_add_soft, FZ, 1, ONE, ONE, IDC },
    { f64_add_soft, FZ, 1, SNAN3, QUIET3, IDC | IOC },
    { f64_mul_soft, 0, 1, 0x3fe0000000000000, 0, UFC | IXC },
    { f64_mul_soft, RP, 1, 0x3fe0000000000000, 1, UFC | IXC },
    { f64_mul_soft, 0, MIN_NORMAL, 0x3fe0000000000000, MIN_NORMAL / 2, 0 },
    { f64_mul_soft, FZ, MIN_NORMAL, MINUS | 0x3fe0000000000000, MINUS, UFC },
    /* tiny before rounding, though it rounds up to the smallest normal number */
    { f64_mul_soft, 0, MIN_NORMAL, 0x3fefffffffffffff, MIN_NORMAL, UFC | IXC },
    { f64_mul_soft, FZ, MIN_NORMAL, 0x3fefffffffffffff, 0, UFC },
    { f64_mul_soft, 0, INFINITE, MINUS, QNAN, IOC },
    { f64_mulx_soft, 0, INFINITE, MINUS, MINUS | TWO, 0 },
    { f64_mul_soft, 0, LARGEST, TWO, INFINITE, OFC | IXC },
    { f64_div_soft, 0, ONE, THREE, 0x3fd5555555555555, IXC },
    { f64_div_soft, RP, ONE, THREE, 0x3fd5555555555556, IXC },
    { f64_div_soft, 0, ONE, MINUS, MINUS | INFINITE, DZC },
    { f64_div_soft, 0, INFINITE, 0, INFINITE, 0 },
    { f64_div_soft, 0, 0, 0, QNAN, IOC },
    { f64_div_soft, 0, INFINITE, INFINITE, QNAN, IOC },
    { f64_div_soft, FZ, ONE, 1, INFINITE, IDC | DZC },
    { f64_max_soft, 0, 0, MINUS, 0, 0 },
    { f64_min_soft, 0, 0, MINUS, MINUS, 0 },
    { f64_max_soft, 0, QNAN5, ONE, QNAN5, 0 },
    { f64_maxnm_soft, 0, QNAN5, ONE, ONE, 0 },
    { f64_minnm_soft, 0, ONE, QNAN5, ONE, 0 },
    { f64_maxnm_soft, 0, SNAN3, ONE, QUIET3, IOC },
    { f64_maxnm_soft, 0, QNAN5, QNAN, QNAN5, 0 },
    { f64_max_soft, FZ, MINUS | 1, MINUS | ONE, MINUS, IDC },
    { f64_recip_step, 0, ONE, ONE, ONE, 0 },
    { f64_recip_step, 0, INFINITE, 0, TWO, 0 },
    { f64_recip_step, 0, INFINITE, ONE, MINUS | INFINITE, 0 },
    { f64_recip_step, 0, SNAN3, ONE, MINUS | QUIET3, IOC },    /* negated first */
    { f64_rsqrt_step, 0, ONE, ONE, ONE, 0 },
    { f64_rsqrt_step, 0, 0, INFINITE, 0x3ff8000000000000, 0 },
};

static void test_rows(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        const Row *r = &rows[i];
        uint32_t fpsr = 0;
        uint64_t result = r->fn(r->a, r->b, r->fpcr, &fpsr);

        if (result != r->result || fpsr != r->fpsr) {
            g_error("row %u: %016" PRIx64 " fpsr %x instead of %016" PRIx64 " fpsr %x", i,
                    result, fpsr, r->result, r->fpsr);
        }
    }
}

#define CHECK(expression, value, flags) \
    do { \
        uint32_t fpsr = 0; \
        uint64_t got = (expression); \
        g_assert_cmphex(got, ==, (uint64_t)(value)); \
        g_assert_cmphex(fpsr, ==, (flags)); \
    } while (0)

static void test_fused(void)
{
    /* (1 + 2^-52)^2 - 1 - 2^-51 = 2^-104: lost when rounded twice */
    CHECK(f64_muladd_soft(MINUS | 0x3ff0000000000002, ONE + 1, ONE + 1, 0, &fpsr),
          0x3970000000000000, 0);
    CHECK(f64_muladd_soft(MINUS | ONE, ONE, ONE, 0, &fpsr), 0, 0);
    CHECK(f64_muladd_soft(MINUS | ONE, ONE, ONE, RM, &fpsr), MINUS, 0);
    CHECK(f64_muladd_soft(QNAN5, INFINITE, 0, 0, &fpsr), QNAN, IOC);
    CHECK(f64_muladd_soft(QNAN5, SNAN3, 0, 0, &fpsr), QUIET3, IOC);
    CHECK(f64_muladd_soft(SNAN3, INFINITE, 0, 0, &fpsr), QUIET3, IOC);
    CHECK(f64_muladd_soft(INFINITE, INFINITE, MINUS | ONE, 0, &fpsr), QNAN, IOC);
    CHECK(f64_muladd_soft(INFINITE, LARGEST, MINUS | LARGEST, 0, &fpsr), INFINITE, 0);
    CHECK(f64_muladd_soft(1, ONE, ONE, 0, &fpsr), ONE, IXC);
    CHECK(f64_muladd_soft(MINUS, 0, ONE, 0, &fpsr), 0, 0);
    CHECK(f32_muladd_soft(0x3f800000, 0x3f800001, 0x3f800001, 0, &fpsr), 0x40000001, IXC);
}

static void test_roots(void)
{
    CHECK(f64_sqrt_soft(0x4010000000000000, 0, &fpsr), TWO, 0);
    CHECK(f64_sqrt_soft(TWO, 0, &fpsr), 0x3ff6a09e667f3bcd, IXC);
    CHECK(f64_sqrt_soft(TWO, RZ, &fpsr), 0x3ff6a09e667f3bcc, IXC);
    CHECK(f64_sqrt_soft(1, 0, &fpsr), 0x1e60000000000000, 0);    /* 2^-1074 -> 2^-537 */
    CHECK(f64_sqrt_soft(1, FZ, &fpsr), 0, IDC);
    CHECK(f64_sqrt_soft(MINUS, 0, &fpsr), MINUS, 0);
    CHECK(f64_sqrt_soft(MINUS | ONE, 0, &fpsr), QNAN, IOC);
    CHECK(f64_sqrt_soft(MINUS | INFINITE, 0, &fpsr), QNAN, IOC);
    CHECK(f32_sqrt_soft(0x41100000, 0, &fpsr), 0x40400000, 0);
}

static void test_estimates(void)
{
    /* RecipEstimate(256) = 511, RecipSqrtEstimate(256) = 361 */
    CHECK(f32_recip_estimate(ONE_S, 0, &fpsr), 0x3f7f8000, 0);
    CHECK(f64_recip_estimate(ONE, 0, &fpsr), 0x3feff00000000000, 0);
    CHECK(f32_recip_estimate(MINUS_S, 0, &fpsr), MINUS_S | INF_S, DZC);
    CHECK(f32_recip_estimate(1, 0, &fpsr), INF_S, OFC | IXC);
    CHECK(f32_recip_estimate(1, RZ, &fpsr), 0x7f7fffff, OFC | IXC);
    CHECK(f32_recip_estimate(1, FZ, &fpsr), INF_S, IDC | DZC);
    CHECK(f32_recip_estimate(0x7f000000, 0, &fpsr), 0x003fe000, 0);
    CHECK(f32_recip_estimate(0x7f000000, FZ, &fpsr), 0, UFC);
    CHECK(f32_rsqrt_estimate(ONE_S, 0, &fpsr), 0x3f7f8000, 0);
    CHECK(f32_rsqrt_estimate(MINUS_S | ONE_S, 0, &fpsr), 0x7fc00000, IOC);
    CHECK(f32_rsqrt_estimate(0, 0, &fpsr), INF_S, DZC);
    CHECK(f64_recpx(ONE, 0, &fpsr), 0x4000000000000000, 0);
    CHECK(f64_recpx(1, 0, &fpsr), 0x7fe0000000000000, 0);
    CHECK(f64_recpx(INFINITE, 0, &fpsr), 0, 0);
    g_assert_cmphex(fpu_urecpe(0x7fffffff), ==, 0xffffffff);
    g_assert_cmphex(fpu_urecpe(0x80000000), ==, 0xff800000);
    g_assert_cmphex(fpu_ursqrte(0x3fffffff), ==, 0xffffffff);
    g_assert_cmphex(fpu_ursqrte(0x40000000), ==, 0xff800000);
}

static void test_compare(void)
{
    CHECK(f64_compare_soft(ONE, TWO, false, 0, &fpsr), 0x80000000, 0);
    CHECK(f64_compare_soft(TWO, ONE, false, 0, &fpsr), 0x20000000, 0);
    CHECK(f64_compare_soft(MINUS | TWO, MINUS | ONE, false, 0, &fpsr), 0x80000000, 0);
    CHECK(f64_compare_soft(0, MINUS, false, 0, &fpsr), 0x60000000, 0);
    CHECK(f64_compare_soft(QNAN, ONE, false, 0, &fpsr), 0x30000000, 0);
    CHECK(f64_compare_soft(QNAN, ONE, true, 0, &fpsr), 0x30000000, IOC);
    CHECK(f64_compare_soft(SNAN3, ONE, false, 0, &fpsr), 0x30000000, IOC);
    CHECK(f64_compare_soft(1, MINUS, false, FZ, &fpsr), 0x60000000, IDC);
    CHECK(f32_compare_soft(INF_S, 0x7f7fffff, false, 0, &fpsr), 0x20000000, 0);
}

static void test_round_int(void)
{
    static const struct {
        uint64_t a;
        uint64_t result[5];    /* in the order of FpuRounding */
    } table[] = {
        { 0x4004000000000000 /* 2.5 */, { TWO, THREE, TWO, TWO, THREE } },
        { 0x400c000000000000 /* 3.5 */,
          { 0x4010000000000000, 0x4010000000000000, THREE, THREE, 0x4010000000000000 } },
        { MINUS | 0x3fe0000000000000 /* -0.5 */,
          { MINUS, MINUS, MINUS | ONE, MINUS, MINUS | ONE } },
        { 0x3fdfffffffffffff /* below 0.5 */, { 0, ONE, 0, 0, 0 } },
        { 1, { 0, ONE, 0, 0, 0 } },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
        for (unsigned mode = FPU_TIE_EVEN; mode <= FPU_TIE_AWAY; mode++) {
            CHECK(f64_round_int(table[i].a, mode, false, 0, &fpsr), table[i].result[mode], 0);
            CHECK(f64_round_int(table[i].a, mode, true, 0, &fpsr), table[i].result[mode], IXC);
        }
    }
    CHECK(f64_round_int(0x4330000000000001, FPU_POS_INF, true, 0, &fpsr), 0x4330000000000001, 0);
    CHECK(f64_round_int(MINUS | 1, FPU_NEG_INF, true, FZ, &fpsr), MINUS, IDC);
    CHECK(f64_round_int(SNAN3, FPU_TIE_EVEN, false, 0, &fpsr), QUIET3, IOC);
}

static void test_formats(void)
{
    CHECK(f64_to_f32_soft(0x3ff0000010000000, 0, &fpsr), 0x3f800000, IXC);    /* tie to even */
    CHECK(f64_to_f32_odd(0x3ff0000010000000, 0, &fpsr), 0x3f800001, IXC);
    CHECK(f64_to_f32_odd(LARGEST, 0, &fpsr), 0x7f7fffff, OFC | IXC);
    CHECK(f64_to_f32_odd(1, 0, &fpsr), 1, UFC | IXC);
    CHECK(f64_to_f32_soft(LARGEST, 0, &fpsr), INF_S, OFC | IXC);
    CHECK(f64_to_f32_soft(0x3800000000000000, 0, &fpsr), 0x00400000, 0);    /* denormal */
    CHECK(f64_to_f32_soft(0x3800000000000000, FZ, &fpsr), 0, UFC);
    CHECK(f64_to_f32_soft(0xfff4000060000000, 0, &fpsr), 0xffe00003, IOC);    /* payload */
    CHECK(f32_to_f64_soft(1, 0, &fpsr), 0x36a0000000000000, 0);
    CHECK(f32_to_f64_soft(0x7f800001, 0, &fpsr), 0x7ff8000020000000, IOC);
    CHECK(f16_to_f32(0x3c00, 0, &fpsr), ONE_S, 0);
    CHECK(f16_to_f32(0x0001, FZ, &fpsr), 0x33800000, 0);    /* FZ is not for halves */
    CHECK(f16_to_f32(0x7c00, 0, &fpsr), INF_S, 0);
    CHECK(f16_to_f32(0x7c00, AHP, &fpsr), 0x47800000, 0);    /* 65536 */
    CHECK(f16_to_f64(0xfe01, 0, &fpsr), 0xfff8040000000000, 0);
    CHECK(f32_to_f16(0x477ff000, 0, &fpsr), 0x7c00, OFC | IXC);    /* 65520 */
    CHECK(f32_to_f16(0x477fefff, 0, &fpsr), 0x7bff, IXC);
    CHECK(f32_to_f16(0x477ff000, AHP, &fpsr), 0x7c00, IXC);
    CHECK(f32_to_f16(0x48000000, AHP, &fpsr), 0x7fff, IOC);    /* saturates */
    CHECK(f32_to_f16(MINUS_S | INF_S, AHP, &fpsr), 0xffff, IOC);
    CHECK(f32_to_f16(0xffc00000, AHP, &fpsr), 0x8000, IOC);
    CHECK(f32_to_f16(0x33800000, FZ, &fpsr), 0x0001, 0);
    CHECK(f32_to_f16(0x33000000, 0, &fpsr), 0, UFC | IXC);
    CHECK(f64_to_f16(0x3f10000000000000, 0, &fpsr), 0x0400, 0);
}

static void test_fixed(void)
{
    CHECK(f64_to_fixed_soft(0x41dfffffffc00000, 0, false, 32, FPU_ZERO_WARD, 0, &fpsr),
          0x7fffffff, 0);
    CHECK(f64_to_fixed_soft(0x41e0000000000000, 0, false, 32, FPU_ZERO_WARD, 0, &fpsr),
          0x7fffffff, IOC);
    CHECK(f64_to_fixed_soft(0xc1e0000000000000, 0, false, 32, FPU_ZERO_WARD, 0, &fpsr),
          0x80000000, 0);
    CHECK(f64_to_fixed_soft(0xc1e0000000100000, 0, false, 32, FPU_ZERO_WARD, 0, &fpsr),
          0x80000000, IXC);
    CHECK(f64_to_fixed_soft(0xc1e0000000100000, 0, false, 32, FPU_NEG_INF, 0, &fpsr),
          0x80000000, IOC);
    CHECK(f64_to_fixed_soft(MINUS | 0x3fe0000000000000, 0, true, 64, FPU_ZERO_WARD, 0, &fpsr),
          0, IXC);
    CHECK(f64_to_fixed_soft(MINUS | 0x3fe0000000000000, 0, true, 64, FPU_TIE_AWAY, 0, &fpsr),
          0, IOC);
    CHECK(f64_to_fixed_soft(0x43f0000000000000, 0, true, 64, FPU_ZERO_WARD, 0, &fpsr),
          UINT64_MAX, IOC);
    CHECK(f64_to_fixed_soft(MINUS | INFINITE, 0, false, 64, FPU_ZERO_WARD, 0, &fpsr),
          0x8000000000000000, IOC);
    CHECK(f64_to_fixed_soft(QNAN, 0, false, 64, FPU_ZERO_WARD, 0, &fpsr), 0, IOC);
    CHECK(f64_to_fixed_soft(1, 0, false, 64, FPU_POS_INF, 0, &fpsr), 1, IXC);
    CHECK(f64_to_fixed_soft(1, 0, false, 64, FPU_POS_INF, FZ, &fpsr), 0, IDC);
    CHECK(f32_to_fixed_soft(0x3fc00000, 1, false, 32, FPU_ZERO_WARD, 0, &fpsr), 3, 0);
    CHECK(f32_to_fixed_soft(0x40200000, 0, false, 32, FPU_TIE_EVEN, 0, &fpsr), 2, IXC);
    CHECK(f32_to_fixed_soft(0x40200000, 0, false, 32, FPU_TIE_AWAY, 0, &fpsr), 3, IXC);
    CHECK(f64_from_fixed_soft(UINT64_MAX, 0, true, 0, &fpsr), 0x43f0000000000000, IXC);
    CHECK(f64_from_fixed_soft(UINT64_MAX, 0, true, RZ, &fpsr), 0x43efffffffffffff, IXC);
    CHECK(f64_from_fixed_soft(UINT64_MAX, 0, false, 0, &fpsr), MINUS | ONE, 0);
    CHECK(f64_from_fixed_soft(3, 1, false, 0, &fpsr), 0x3ff8000000000000, 0);
    CHECK(f32_from_fixed_soft(0x1000001, 0, false, 0, &fpsr), 0x4b800000, IXC);
    CHECK(f32_from_fixed_soft(0, 0, false, RM, &fpsr), 0, 0);
}

/* ---- short cuts ---- */

#define BOTH(fast, soft) \
    do { \
        uint32_t *fpsr = &flags[0]; \
        uint64_t r0, r1; \
        flags[0] = flags[1] = initial; \
        r0 = (fast); \
        fpsr = &flags[1]; \
        r1 = (soft); \
        if (r0 != r1 || flags[0] != flags[1]) { \
            g_error("%s: a %" PRIx64 " b %" PRIx64 " c %" PRIx64 " fpcr %x fpsr %x: " \
                    "fast %" PRIx64 " %x, soft %" PRIx64 " %x", #fast, a, b, c, fpcr, initial, \
                    r0, flags[0], r1, flags[1]); \
        } \
    } while (0)

#define BOTH2(name) BOTH(name(a, b, fpcr, fpsr), name##_soft(a, b, fpcr, fpsr))
#define BOTH_FORMAT(f) \
    do { \
        BOTH2(f##_add); \
        BOTH2(f##_sub); \
        BOTH2(f##_mul); \
        BOTH2(f##_mulx); \
        BOTH2(f##_div); \
        BOTH2(f##_max); \
        BOTH2(f##_min); \
        BOTH2(f##_maxnm); \
        BOTH2(f##_minnm); \
        BOTH(f##_sqrt(a, fpcr, fpsr), f##_sqrt_soft(a, fpcr, fpsr)); \
        BOTH(f##_muladd(c, a, b, fpcr, fpsr), f##_muladd_soft(c, a, b, fpcr, fpsr)); \
        BOTH(f##_compare(a, b, c & 1, fpcr, fpsr), f##_compare_soft(a, b, c & 1, fpcr, fpsr)); \
        for (unsigned i = 0; i < 4; i++) { \
            BOTH(f##_to_fixed(a, 0, i & 1, i & 2 ? 32 : 64, FPU_ZERO_WARD, fpcr, fpsr), \
                 f##_to_fixed_soft(a, 0, i & 1, i & 2 ? 32 : 64, FPU_ZERO_WARD, fpcr, fpsr)); \
            BOTH(f##_from_fixed(i & 2 ? b : integer, 0, i & 1, fpcr, fpsr), \
                 f##_from_fixed_soft(i & 2 ? b : integer, 0, i & 1, fpcr, fpsr)); \
        } \
    } while (0)

static void compare64(uint64_t a, uint64_t b, uint64_t c, uint32_t fpcr, uint32_t initial)
{
    uint64_t integer = (int64_t)a >> (b & 63);
    uint32_t flags[2];

    BOTH_FORMAT(f64);
    BOTH(f64_to_f32(a, fpcr, fpsr), f64_to_f32_soft(a, fpcr, fpsr));
}

static void compare32(uint64_t a, uint64_t b, uint64_t c, uint32_t fpcr, uint32_t initial)
{
    uint64_t integer = (int64_t)(a << 32 | b) >> (b & 63);
    uint32_t flags[2];

    BOTH_FORMAT(f32);
    BOTH(f32_to_f64(a, fpcr, fpsr), f32_to_f64_soft(a, fpcr, fpsr));
}

static const uint64_t corners64[] = {
    0, 1, MIN_NORMAL - 1, MIN_NORMAL, MIN_NORMAL + 1, 2 * MIN_NORMAL, 2 * MIN_NORMAL - 1, ONE,
    ONE + 1, ONE - 1, TWO, THREE, 0x3fe0000000000000, 0x3ca0000000000000, 0x4330000000000001,
    0x41dfffffffe00000, 0x41e0000000000000, 0x41efffffffffffff, 0x43e0000000000000,
    0x43f0000000000000, 0x36a0000000000000, 0x380fffffffffffff, 0x3810000000000000,
    0x3820000000000000, 0x47effffff0000000, LARGEST, INFINITE, QNAN5, SNAN3, 0x1ff0000000000001,
    0x5ff0000000000001,
};

static const uint32_t corners32[] = {
    0, 1, 0x7fffff, 0x800000, 0x800001, 0x1000000, 0xffffff, ONE_S, ONE_S + 1, ONE_S - 1,
    0x40000000, 0x40400000, 0x3f000000, 0x33000000, 0x4b800001, 0x4effffff, 0x4f000000,
    0x4f7fffff, 0x5f000000, 0x5f800000, 0x7f7fffff, INF_S, 0x7fc00005, 0x7f800003, 0x1fc00001,
    0x5fc00001,
};

static const uint32_t modes[] = { 0, 0, 0, 0, DN, FZ, RP, RM, RZ, FZ | RZ };

static void test_fast(void)
{
    GRand *rng = g_rand_new_with_seed(20261120);

    for (unsigned n = 0; n < 200000; n++) {
        uint64_t v[3], sign = 0;
        uint32_t fpcr = modes[g_rand_int_range(rng, 0, ARRAY_SIZE(modes))];
        uint32_t initial = g_rand_boolean(rng) ? IXC : 0;

        for (unsigned i = 0; i < 3; i++) {
            v[i] = (uint64_t)g_rand_int(rng) << 32 | g_rand_int(rng);
            sign = v[i] & MINUS;
            switch (g_rand_int_range(rng, 0, 4)) {
            case 0:
                v[i] = sign | corners64[g_rand_int_range(rng, 0, ARRAY_SIZE(corners64))];
                break;
            case 1:    /* few bits */
                v[i] &= 0xfffff00000000000;
                break;
            case 2:    /* near one */
                v[i] = (v[i] & 0x800fffffffffffff) |
                       (uint64_t)g_rand_int_range(rng, 960, 1090) << 52;
                break;
            }
        }
        compare64(v[0], v[1], v[2], fpcr, initial);
        for (unsigned i = 0; i < 3; i++) {
            if (n & 1) {
                v[i] = (v[i] >> 32 & MINUS_S) |
                       corners32[g_rand_int_range(rng, 0, ARRAY_SIZE(corners32))];
            } else {
                v[i] >>= 32;
            }
        }
        compare32(v[0], v[1], v[2], fpcr, initial);
    }
    g_rand_free(rng);
}

/* The inexact, underflow and conversion flags through the short cuts. */
static void test_fast_flags(void)
{
    CHECK(f64_add(ONE, 0x3ca0000000000000, 0, &fpsr), ONE, IXC);
    CHECK(f64_mul(MIN_NORMAL, 0x3fefffffffffffff, 0, &fpsr), MIN_NORMAL, UFC | IXC);
    CHECK(f64_to_fixed(MINUS | 0x3fe0000000000000, 0, true, 32, FPU_ZERO_WARD, 0, &fpsr), 0, IXC);
    CHECK(f64_to_f32(0x3ff0000010000000, 0, &fpsr), ONE_S, IXC);
    CHECK(f64_from_fixed(0x20000000000001, 0, false, 0, &fpsr), 0x4340000000000000, IXC);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fpu/rows", test_rows);
    g_test_add_func("/fpu/fused", test_fused);
    g_test_add_func("/fpu/roots", test_roots);
    g_test_add_func("/fpu/estimates", test_estimates);
    g_test_add_func("/fpu/compare", test_compare);
    g_test_add_func("/fpu/round-int", test_round_int);
    g_test_add_func("/fpu/formats", test_formats);
    g_test_add_func("/fpu/fixed", test_fixed);
    g_test_add_func("/fpu/fast-equals-soft", test_fast);
    g_test_add_func("/fpu/fast-flags", test_fast_flags);
    return g_test_run();
}
