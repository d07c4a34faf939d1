/*
 * Sums, products, quotients, square roots and fused steps.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fpu/parts.h"

/* ---- sums ---- */

/* Both finite and not zero. */
FPU_INLINE uint64_t add_finite(FpuFormat f, FpuReal a, FpuReal b, FPU_ENV)
{
    uint64_t x, y;
    int shift;

    if (a.exp < b.exp || (a.exp == b.exp && a.frac < b.frac)) {
        FpuReal t = a;

        a = b;
        b = t;
    }
    x = a.frac >> 1;    /* room for the carry; the bits below a significand are zero */
    y = fpu_shift_sticky(b.frac >> 1, a.exp - b.exp);
    x = a.sign == b.sign ? x + y : x - y;
    if (x == 0) {
        return fpu_zero_sum(f, fpcr);
    }
    shift = __builtin_clzll(x);
    return fpu_round_pack(f, a.sign, a.exp + 1 - shift, x << shift, fpu_rounding(fpcr),
                          fpcr, fpsr);
}

FPU_INLINE uint64_t parts_addsub(FpuFormat f, uint64_t a, uint64_t b, bool subtract, FPU_ENV)
{
    FpuReal ra = fpu_unpack(f, a, fpcr, fpsr);
    FpuReal rb = fpu_unpack(f, b, fpcr, fpsr);

    if (fpu_is_nan(ra) || fpu_is_nan(rb)) {
        return fpu_process_nans(f, ra, a, rb, b, fpcr, fpsr);
    }
    rb.sign ^= subtract;
    if (ra.cls == FPU_INF || rb.cls == FPU_INF) {
        if (ra.cls == rb.cls && ra.sign != rb.sign) {
            return fpu_invalid(f, fpsr);
        }
        return fpu_inf(f, ra.cls == FPU_INF ? ra.sign : rb.sign);
    }
    if (ra.cls == FPU_ZERO && rb.cls == FPU_ZERO) {
        return ra.sign == rb.sign ? fpu_zero(f, ra.sign) : fpu_zero_sum(f, fpcr);
    }
    if (ra.cls == FPU_ZERO) {
        return b ^ fpu_zero(f, subtract);
    }
    if (rb.cls == FPU_ZERO) {
        return a;
    }
    return add_finite(f, ra, rb, fpcr, fpsr);
}

uint32_t f32_add_soft(uint32_t a, uint32_t b, FPU_ENV)
{
    return parts_addsub(F32, a, b, false, fpcr, fpsr);
}

uint64_t f64_add_soft(uint64_t a, uint64_t b, FPU_ENV)
{
    return parts_addsub(F64, a, b, false, fpcr, fpsr);
}

uint32_t f32_sub_soft(uint32_t a, uint32_t b, FPU_ENV)
{
    return parts_addsub(F32, a, b, true, fpcr, fpsr);
}

uint64_t f64_sub_soft(uint64_t a, uint64_t b, FPU_ENV)
{
    return parts_addsub(F64, a, b, true, fpcr, fpsr);
}

/* ---- products ---- */

FPU_INLINE bool is_inf_times_zero(FpuReal a, FpuReal b)
{
    return (a.cls == FPU_INF && b.cls == FPU_ZERO) || (a.cls == FPU_ZERO && b.cls == FPU_INF);
}

FPU_INLINE uint64_t power_of_two(FpuFormat f, bool sign, int exp)
{
    return fpu_zero(f, sign) | (uint64_t)(exp + fpu_bias(f)) << f.frac_bits;
}

FPU_INLINE uint64_t parts_mul(FpuFormat f, uint64_t a, uint64_t b, bool mulx, FPU_ENV)
{
    FpuReal ra = fpu_unpack(f, a, fpcr, fpsr);
    FpuReal rb = fpu_unpack(f, b, fpcr, fpsr);
    bool sign = ra.sign ^ rb.sign;
    FpuWide product;
    int exp;

    if (fpu_is_nan(ra) || fpu_is_nan(rb)) {
        return fpu_process_nans(f, ra, a, rb, b, fpcr, fpsr);
    }
    if (is_inf_times_zero(ra, rb)) {
        return mulx ? power_of_two(f, sign, 1) : fpu_invalid(f, fpsr);
    }
    if (ra.cls == FPU_INF || rb.cls == FPU_INF) {
        return fpu_inf(f, sign);
    }
    if (ra.cls == FPU_ZERO || rb.cls == FPU_ZERO) {
        return fpu_zero(f, sign);
    }
    product = (FpuWide)ra.frac * rb.frac;
    exp = ra.exp + rb.exp + 1;
    if (!(product >> 127)) {
        product <<= 1;
        exp--;
    }
    return fpu_round_pack(f, sign, exp, (uint64_t)(product >> 64) | ((uint64_t)product != 0),
                          fpu_rounding(fpcr), fpcr, fpsr);
}

uint32_t f32_mul_soft(uint32_t a, uint32_t b, FPU_ENV)
{
    return parts_mul(F32, a, b, false, fpcr, fpsr);
}

uint64_t f64_mul_soft(uint64_t a, uint64_t b, FPU_ENV)
{
    return parts_mul(F64, a, b, false, fpcr, fpsr);
}

uint32_t f32_mulx_soft(uint32_t a, uint32_t b, FPU_ENV)
{
    return parts_mul(F32, a, b, true, fpcr, fpsr);
}

uint64_t f64_mulx_soft(uint64_t a, uint64_t b, FPU_ENV)
{
    return parts_mul(F64, a, b, true, fpcr, fpsr);
}

/* ---- quotients and square roots ---- */

FPU_INLINE uint64_t parts_div(FpuFormat f, uint64_t a, uint64_t b, FPU_ENV)
{
    FpuReal ra = fpu_unpack(f, a, fpcr, fpsr);
    FpuReal rb = fpu_unpack(f, b, fpcr, fpsr);
    bool sign = ra.sign ^ rb.sign;
    FpuWide dividend;
    uint64_t quotient;
    int exp;

    if (fpu_is_nan(ra) || fpu_is_nan(rb)) {
        return fpu_process_nans(f, ra, a, rb, b, fpcr, fpsr);
    }
    if (ra.cls == rb.cls && ra.cls != FPU_FINITE) {    /* 0 / 0, infinity / infinity */
        return fpu_invalid(f, fpsr);
    }
    if (ra.cls == FPU_INF || rb.cls == FPU_ZERO) {
        if (ra.cls != FPU_INF) {
            *fpsr |= FPSR_DZC;
        }
        return fpu_inf(f, sign);
    }
    if (ra.cls == FPU_ZERO || rb.cls == FPU_INF) {
        return fpu_zero(f, sign);
    }
    exp = ra.exp - rb.exp;
    if (ra.frac >= rb.frac) {
        dividend = (FpuWide)ra.frac << 63;
    } else {
        dividend = (FpuWide)ra.frac << 64;
        exp--;
    }
    quotient = dividend / rb.frac;
    quotient |= (FpuWide)quotient * rb.frac != dividend;
    return fpu_round_pack(f, sign, exp, quotient, fpu_rounding(fpcr), fpcr, fpsr);
}

uint32_t f32_div_soft(uint32_t a, uint32_t b, FPU_ENV)
{
    return parts_div(F32, a, b, fpcr, fpsr);
}

uint64_t f64_div_soft(uint64_t a, uint64_t b, FPU_ENV)
{
    return parts_div(F64, a, b, fpcr, fpsr);
}

/* The root of x, 2^126 <= x < 2^128: its `bits` highest bits, then a sticky bit. */
FPU_INLINE uint64_t root_sticky(FpuWide x, unsigned bits)
{
    uint64_t root = 0;
    FpuWide rest = x;

    for (unsigned i = 0; i < bits; i++) {
        unsigned n = 63 - i;
        /* (root + 2^n)^2 - root^2 */
        FpuWide step = ((FpuWide)root << (n + 1)) + ((FpuWide)1 << (2 * n));

        if (rest >= step) {
            rest -= step;
            root |= BIT64(n);
        }
    }
    return root | (rest != 0);
}

FPU_INLINE uint64_t parts_sqrt(FpuFormat f, uint64_t a, FPU_ENV)
{
    FpuReal r = fpu_unpack(f, a, fpcr, fpsr);
    bool odd = r.exp & 1;

    if (fpu_is_nan(r)) {
        return fpu_process_nan(f, r, a, fpcr, fpsr);
    }
    if (r.cls == FPU_ZERO) {
        return fpu_zero(f, r.sign);
    }
    if (r.sign) {
        return fpu_invalid(f, fpsr);
    }
    if (r.cls == FPU_INF) {
        return a;
    }
    return fpu_round_pack(f, false, (r.exp - odd) / 2,
                          root_sticky((FpuWide)r.frac << (63 + odd), f.frac_bits + 3),
                          fpu_rounding(fpcr), fpcr, fpsr);
}

uint32_t f32_sqrt_soft(uint32_t a, FPU_ENV)
{
    return parts_sqrt(F32, a, fpcr, fpsr);
}

uint64_t f64_sqrt_soft(uint64_t a, FPU_ENV)
{
    return parts_sqrt(F64, a, fpcr, fpsr);
}

/* ---- fused: one rounding ---- */

/* (c + a * b) * 2^scale; a and b finite and not zero, c finite. */
FPU_INLINE uint64_t muladd_finite(FpuFormat f, FpuReal c, FpuReal a, FpuReal b, int scale,
                                  FPU_ENV)
{
    /* Bit 126 stands for 2^exp; the low bits of a product are zero, so shifting it is exact. */
    FpuWide sum = (FpuWide)a.frac * b.frac;
    bool sign = a.sign ^ b.sign;
    int exp = a.exp + b.exp;
    uint64_t high, low;
    int shift;

    if (sum >> 127) {
        sum >>= 1;
        exp++;
    }
    if (c.cls == FPU_FINITE) {
        FpuWide addend = (FpuWide)c.frac << 63;

        if (exp >= c.exp) {
            addend = fpu_wide_shift_sticky(addend, exp - c.exp);
        } else {
            sum = fpu_wide_shift_sticky(sum, c.exp - exp);
            exp = c.exp;
        }
        if (sign == c.sign) {
            sum += addend;
        } else if (sum >= addend) {
            sum -= addend;
        } else {
            sum = addend - sum;
            sign = c.sign;
        }
        if (sum == 0) {
            return fpu_zero_sum(f, fpcr);
        }
    }
    high = sum >> 64;
    low = (uint64_t)sum;
    shift = high ? __builtin_clzll(high) : 64 + __builtin_clzll(low);
    sum <<= shift;
    high = (uint64_t)(sum >> 64) | ((uint64_t)sum != 0);
    return fpu_round_pack(f, sign, exp + 1 - shift + scale, high, fpu_rounding(fpcr),
                          fpcr, fpsr);
}

/* FPProcessNaNs3, one of them being a NaN. */
FPU_INLINE uint64_t process_nans3(FpuFormat f, FpuReal rc, uint64_t c, FpuReal ra, uint64_t a,
                                  FpuReal rb, uint64_t b, FPU_ENV)
{
    if (rc.cls == FPU_SNAN ||
        (rc.cls == FPU_QNAN && ra.cls != FPU_SNAN && rb.cls != FPU_SNAN)) {
        return fpu_process_nan(f, rc, c, fpcr, fpsr);
    }
    return fpu_process_nans(f, ra, a, rb, b, fpcr, fpsr);
}

FPU_INLINE uint64_t parts_muladd(FpuFormat f, uint64_t c, uint64_t a, uint64_t b, FPU_ENV)
{
    FpuReal rc = fpu_unpack(f, c, fpcr, fpsr);
    FpuReal ra = fpu_unpack(f, a, fpcr, fpsr);
    FpuReal rb = fpu_unpack(f, b, fpcr, fpsr);
    bool sign = ra.sign ^ rb.sign;
    bool inf = ra.cls == FPU_INF || rb.cls == FPU_INF;

    if (fpu_is_nan(rc) || fpu_is_nan(ra) || fpu_is_nan(rb)) {
        uint64_t nan = process_nans3(f, rc, c, ra, a, rb, b, fpcr, fpsr);

        /* Even a quiet NaN as addend does not hide an invalid product. */
        return rc.cls == FPU_QNAN && is_inf_times_zero(ra, rb) ? fpu_invalid(f, fpsr) : nan;
    }
    if (is_inf_times_zero(ra, rb) || (inf && rc.cls == FPU_INF && sign != rc.sign)) {
        return fpu_invalid(f, fpsr);
    }
    if (inf || rc.cls == FPU_INF) {
        return fpu_inf(f, inf ? sign : rc.sign);
    }
    if (ra.cls == FPU_ZERO || rb.cls == FPU_ZERO) {
        if (rc.cls != FPU_ZERO) {
            return c;
        }
        return rc.sign == sign ? fpu_zero(f, sign) : fpu_zero_sum(f, fpcr);
    }
    return muladd_finite(f, rc, ra, rb, 0, fpcr, fpsr);
}

uint32_t f32_muladd_soft(uint32_t addend, uint32_t a, uint32_t b, FPU_ENV)
{
    return parts_muladd(F32, addend, a, b, fpcr, fpsr);
}

uint64_t f64_muladd_soft(uint64_t addend, uint64_t a, uint64_t b, FPU_ENV)
{
    return parts_muladd(F64, addend, a, b, fpcr, fpsr);
}

/* 2 - a * b, or (3 - a * b) / 2 for the root. The negation comes before NaNs are looked at. */
FPU_INLINE uint64_t parts_step(FpuFormat f, uint64_t a, uint64_t b, bool root, FPU_ENV)
{
    uint64_t minus_a = a ^ fpu_zero(f, true);
    FpuReal ra = fpu_unpack(f, minus_a, fpcr, fpsr);
    FpuReal rb = fpu_unpack(f, b, fpcr, fpsr);
    FpuReal rc = { .cls = FPU_FINITE, .exp = 1, .frac = (uint64_t)(root ? 3 : 2) << 62 };

    if (fpu_is_nan(ra) || fpu_is_nan(rb)) {
        return fpu_process_nans(f, ra, minus_a, rb, b, fpcr, fpsr);
    }
    if (!is_inf_times_zero(ra, rb) && (ra.cls == FPU_INF || rb.cls == FPU_INF)) {
        return fpu_inf(f, ra.sign ^ rb.sign);
    }
    if (ra.cls == FPU_ZERO || rb.cls == FPU_ZERO) {
        return root ? power_of_two(f, false, 0) | BIT64(f.frac_bits - 1) /* 1.5 */
                    : power_of_two(f, false, 1);
    }
    return muladd_finite(f, rc, ra, rb, -(int)root, fpcr, fpsr);
}

uint32_t f32_recip_step(uint32_t a, uint32_t b, FPU_ENV)
{
    return parts_step(F32, a, b, false, fpcr, fpsr);
}

uint64_t f64_recip_step(uint64_t a, uint64_t b, FPU_ENV)
{
    return parts_step(F64, a, b, false, fpcr, fpsr);
}

uint32_t f32_rsqrt_step(uint32_t a, uint32_t b, FPU_ENV)
{
    return parts_step(F32, a, b, true, fpcr, fpsr);
}

uint64_t f64_rsqrt_step(uint64_t a, uint64_t b, FPU_ENV)
{
    return parts_step(F64, a, b, true, fpcr, fpsr);
}
