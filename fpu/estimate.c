/*
 * Reciprocal and reciprocal square root estimates: eight bits from the
 * architecture's own integer recipe (DDI 0487, RecipEstimate, RecipSqrtEstimate).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fpu/parts.h"

/* 1 / a; 256 <= a < 512 stands for 0.5 .. 1, the result 256 .. 511 for 1 .. 2. */
static unsigned recip_9bit(unsigned a)
{
    return ((1u << 19) / (a * 2 + 1) + 1) / 2;
}

/* 1 / sqrt(a); 128 <= a < 512 stands for 0.25 .. 1, the result 256 .. 511 for 1 .. 2. */
static unsigned rsqrt_9bit(unsigned a)
{
    uint64_t b = 512;

    a = a < 256 ? a * 2 + 1 : (a / 2 * 2 + 1) * 2;
    while (a * (b + 1) * (b + 1) < BIT64(28)) {
        b++;
    }
    return (b + 1) / 2;
}

uint32_t fpu_urecpe(uint32_t a)
{
    return a >> 31 ? recip_9bit(a >> 23) << 23 : UINT32_MAX;
}

uint32_t fpu_ursqrte(uint32_t a)
{
    return a >> 30 ? rsqrt_9bit(a >> 23) << 23 : UINT32_MAX;
}

FPU_INLINE uint64_t parts_recip_estimate(FpuFormat f, uint64_t a, FPU_ENV)
{
    FpuReal r = fpu_unpack(f, a, fpcr, fpsr);
    FpuRounding mode = fpu_rounding(fpcr);
    uint64_t estimate;
    int exp;

    if (fpu_is_nan(r)) {
        return fpu_process_nan(f, r, a, fpcr, fpsr);
    }
    if (r.cls == FPU_INF) {
        return fpu_zero(f, r.sign);
    }
    if (r.cls == FPU_ZERO) {
        *fpsr |= FPSR_DZC;
        return fpu_inf(f, r.sign);
    }
    if (r.exp < -fpu_bias(f) - 1) {
        *fpsr |= FPSR_OFC | FPSR_IXC;
        return fpu_overflow_to_inf(mode, r.sign) ? fpu_inf(f, r.sign)
                                                 : fpu_max_normal(f, r.sign);
    }
    if ((fpcr & FPCR_FZ) && r.exp >= fpu_bias(f) - 1) {
        *fpsr |= FPSR_UFC;
        return fpu_zero(f, r.sign);
    }
    /* 2^exp * 1.x: the estimate of 1 / (0.1x) in 1.8 format times 2^(-exp - 1). */
    estimate = (uint64_t)recip_9bit(r.frac >> 55) << (f.frac_bits - 8);
    exp = -r.exp - 1 + fpu_bias(f);
    if (exp <= 0) {
        estimate >>= 1 - exp;    /* exp is 0 or -1; no bits are lost */
        exp = 0;
    }
    return fpu_zero(f, r.sign) | (uint64_t)exp << f.frac_bits |
           (estimate & mask64(f.frac_bits));
}

uint32_t f32_recip_estimate(uint32_t a, FPU_ENV)
{
    return parts_recip_estimate(F32, a, fpcr, fpsr);
}

uint64_t f64_recip_estimate(uint64_t a, FPU_ENV)
{
    return parts_recip_estimate(F64, a, fpcr, fpsr);
}

FPU_INLINE uint64_t parts_rsqrt_estimate(FpuFormat f, uint64_t a, FPU_ENV)
{
    FpuReal r = fpu_unpack(f, a, fpcr, fpsr);
    unsigned scaled;
    int half_exp;

    if (fpu_is_nan(r)) {
        return fpu_process_nan(f, r, a, fpcr, fpsr);
    }
    if (r.cls == FPU_ZERO) {
        *fpsr |= FPSR_DZC;
        return fpu_inf(f, r.sign);
    }
    if (r.sign) {
        return fpu_invalid(f, fpsr);
    }
    if (r.cls == FPU_INF) {
        return fpu_zero(f, false);
    }
    /* a = m * 4^half_exp with 0.25 <= m < 1; scaled is m * 512. */
    scaled = (r.exp & 1) ? r.frac >> 55 : r.frac >> 56;
    half_exp = (r.exp + ((r.exp & 1) ? 1 : 2)) / 2;
    return (uint64_t)(fpu_bias(f) - half_exp) << f.frac_bits |
           (uint64_t)(rsqrt_9bit(scaled) & 255) << (f.frac_bits - 8);
}

uint32_t f32_rsqrt_estimate(uint32_t a, FPU_ENV)
{
    return parts_rsqrt_estimate(F32, a, fpcr, fpsr);
}

uint64_t f64_rsqrt_estimate(uint64_t a, FPU_ENV)
{
    return parts_rsqrt_estimate(F64, a, fpcr, fpsr);
}

/* FPRecpX: a power of two near the reciprocal, for scaling. */
FPU_INLINE uint64_t parts_recpx(FpuFormat f, uint64_t a, FPU_ENV)
{
    FpuReal r = fpu_unpack(f, a, fpcr, fpsr);
    unsigned exp = (a >> f.frac_bits) & fpu_exp_max(f);

    if (fpu_is_nan(r)) {
        return fpu_process_nan(f, r, a, fpcr, fpsr);
    }
    exp = exp == 0 ? fpu_exp_max(f) - 1 : exp ^ fpu_exp_max(f);
    return fpu_zero(f, r.sign) | (uint64_t)exp << f.frac_bits;
}

uint32_t f32_recpx(uint32_t a, FPU_ENV)
{
    return parts_recpx(F32, a, fpcr, fpsr);
}

uint64_t f64_recpx(uint64_t a, FPU_ENV)
{
    return parts_recpx(F64, a, fpcr, fpsr);
}
