/*
 * The operations of include/fpu/fpu.h (names without _soft) with short cuts
 * where the host's arithmetic provably gives the same bits and flags. Otherwise
 * they are the soft functions; test-fpu compares the two.
 *
 * 1. The host runs with its default environment: nearest even, no flushing,
 *    exceptions masked (MXCSR 1f80). Generated code keeps it so.
 * 2. A short cut needs round to nearest even and no FPCR.FZ (denormal operands then
 *    are plain numbers). FPCR.DN and AHP do not matter, as NaNs are not taken.
 * 3. A result that is not finite goes to the soft path: overflow, invalid operands,
 *    division by zero, NaNs. So does one below twice the smallest normal number
 *    where it could be tiny before rounding, which the host does not tell.
 * 4. What is left is inexactness: nothing to find out when FPSR.IXC is set
 *    already, else a cheap test, else the soft path.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FPU_FAST_H
#define FPU_FAST_H

#include "fpu/fpu.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#define FPU_HOST_FAST 1
#else
#define FPU_HOST_FAST 0
#endif

#define FPU_FAST static inline __attribute__((always_inline))

FPU_FAST bool fpu_host_mode(uint32_t fpcr)
{
    return FPU_HOST_FAST && !(fpcr & (FPCR_RMODE | FPCR_FZ));
}

/* One root, and one fused multiply-add where the host has it. */
#if FPU_HOST_FAST

FPU_FAST bool fpu_host_has_fma(void)
{
    return __builtin_cpu_supports("fma");
}

FPU_FAST double fpu_host_sqrt64(double x)
{
    return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_set_sd(x), _mm_set_sd(x)));
}

FPU_FAST float fpu_host_sqrt32(float x)
{
    return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x)));
}

FPU_FAST double fpu_host_fma64(double addend, double a, double b)
{
    __asm__("vfmadd231sd %2, %1, %0" : "+x"(addend) : "x"(a), "x"(b));
    return addend;
}

FPU_FAST float fpu_host_fma32(float addend, float a, float b)
{
    __asm__("vfmadd231ss %2, %1, %0" : "+x"(addend) : "x"(a), "x"(b));
    return addend;
}

#else    /* never called: fpu_host_mode() is false */

FPU_FAST bool fpu_host_has_fma(void)
{
    return false;
}

FPU_FAST double fpu_host_sqrt64(double x)
{
    return x;
}

FPU_FAST float fpu_host_sqrt32(float x)
{
    return x;
}

FPU_FAST double fpu_host_fma64(double addend, double a, double b)
{
    return addend;
}

FPU_FAST float fpu_host_fma32(float addend, float a, float b)
{
    return addend;
}

#endif

/* Of two that are no NaNs, one; among numbers maxNum is max. */
#define FPU_FAST_CHOOSE(TYPE, FORMAT, NAME, OPERATOR)                         \
    FPU_FAST TYPE FORMAT##_##NAME(TYPE a, TYPE b, FPU_ENV)                    \
    {                                                                         \
        if (LIKELY(FORMAT##_comparable(a, b, fpcr))) {                        \
            return FORMAT##_key(a) OPERATOR FORMAT##_key(b) ? a : b;          \
        }                                                                     \
        return FORMAT##_##NAME##_soft(a, b, fpcr, fpsr);                      \
    }

/* ---- single ---- */

FPU_FAST float f32_host(uint32_t a)
{
    float f;

    memcpy(&f, &a, sizeof(f));
    return f;
}

FPU_FAST uint32_t f32_guest(float f)
{
    uint32_t a;

    memcpy(&a, &f, sizeof(a));
    return a;
}

FPU_FAST bool f32_is_nan(uint32_t a)
{
    return (a << 1) > 0xff000000u;
}

FPU_FAST bool f32_is_finite(uint32_t a)
{
    return (a << 1) < 0xff000000u;
}

/* Finite, and out of reach of anything to do with denormals. */
FPU_FAST bool f32_is_safe(uint32_t a)
{
    return ((unsigned)(a >> 23) & 0xffu) - 2 < 0xffu - 2;
}

FPU_FAST uint32_t f32_add(uint32_t a, uint32_t b, FPU_ENV)
{
    float x = f32_host(a), y = f32_host(b), sum = x + y;

    /* A sum in the denormal range is exact. */
    if (LIKELY(fpu_host_mode(fpcr) && f32_is_finite(f32_guest(sum)))) {
        float z = sum - x;

        if (LIKELY(*fpsr & FPSR_IXC) || (x - (sum - z)) + (y - z) == 0) {
            return f32_guest(sum);
        }
    }
    return f32_add_soft(a, b, fpcr, fpsr);
}

FPU_FAST uint32_t f32_sub(uint32_t a, uint32_t b, FPU_ENV)
{
    float x = f32_host(a), y = -f32_host(b), sum = x + y;

    if (LIKELY(fpu_host_mode(fpcr) && f32_is_finite(f32_guest(sum)))) {
        float z = sum - x;

        if (LIKELY(*fpsr & FPSR_IXC) || (x - (sum - z)) + (y - z) == 0) {
            return f32_guest(sum);
        }
    }
    return f32_sub_soft(a, b, fpcr, fpsr);
}

FPU_FAST bool f32_mul_exact(uint32_t a, uint32_t b)
{
    double product = (double)f32_host(a) * f32_host(b);

    return (double)(float)product == product;
}

FPU_FAST bool f32_mul_fast(uint32_t a, uint32_t b, uint32_t *product, uint32_t fpcr,
                           const uint32_t *fpsr)
{
    *product = f32_guest(f32_host(a) * f32_host(b));
    if (UNLIKELY((*product << 1) == 0)) {
        /* Underflow, or a factor is zero. */
        return fpu_host_mode(fpcr) && ((a << 1) == 0 || (b << 1) == 0);
    }
    return fpu_host_mode(fpcr) && f32_is_safe(*product) &&
           (LIKELY(*fpsr & FPSR_IXC) || f32_mul_exact(a, b));
}

FPU_FAST uint32_t f32_mul(uint32_t a, uint32_t b, FPU_ENV)
{
    uint32_t product;

    return LIKELY(f32_mul_fast(a, b, &product, fpcr, fpsr)) ? product
           : f32_mul_soft(a, b, fpcr, fpsr);
}

FPU_FAST uint32_t f32_mulx(uint32_t a, uint32_t b, FPU_ENV)
{
    uint32_t product;

    return LIKELY(f32_mul_fast(a, b, &product, fpcr, fpsr)) ? product
           : f32_mulx_soft(a, b, fpcr, fpsr);
}

FPU_FAST uint32_t f32_div(uint32_t a, uint32_t b, FPU_ENV)
{
    uint32_t quotient = f32_guest(f32_host(a) / f32_host(b));

    if (LIKELY(fpu_host_mode(fpcr) && (*fpsr & FPSR_IXC) && f32_is_safe(quotient))) {
        return quotient;
    }
    return f32_div_soft(a, b, fpcr, fpsr);
}

FPU_FAST uint32_t f32_sqrt(uint32_t a, FPU_ENV)
{
    if (LIKELY(fpu_host_mode(fpcr) && (*fpsr & FPSR_IXC) && a < 0x7f800000u)) {
        return f32_guest(fpu_host_sqrt32(f32_host(a)));
    }
    return f32_sqrt_soft(a, fpcr, fpsr);
}

FPU_FAST uint32_t f32_muladd(uint32_t addend, uint32_t a, uint32_t b, FPU_ENV)
{
    if (LIKELY(fpu_host_mode(fpcr) && (*fpsr & FPSR_IXC) && fpu_host_has_fma())) {
        uint32_t sum = f32_guest(fpu_host_fma32(f32_host(addend), f32_host(a), f32_host(b)));

        if (LIKELY(f32_is_safe(sum))) {
            return sum;
        }
    }
    return f32_muladd_soft(addend, a, b, fpcr, fpsr);
}

/* Numbers in order as signed integers, the negative zero below the positive one. */
FPU_FAST int32_t f32_key(uint32_t a)
{
    return (int32_t)(a ^ ((uint32_t)((int32_t)a >> 31) >> 1));
}

FPU_FAST bool f32_comparable(uint32_t a, uint32_t b, uint32_t fpcr)
{
    return !(fpcr & FPCR_FZ) && !f32_is_nan(a) && !f32_is_nan(b);
}

/* f32_max(), f32_min(), f32_maxnm(), f32_minnm() */
FPU_FAST_CHOOSE(uint32_t, f32, max, >)
FPU_FAST_CHOOSE(uint32_t, f32, min, <)
FPU_FAST_CHOOSE(uint32_t, f32, maxnm, >)
FPU_FAST_CHOOSE(uint32_t, f32, minnm, <)

FPU_FAST uint32_t f32_compare(uint32_t a, uint32_t b, bool signal, FPU_ENV)
{
    if (LIKELY(f32_comparable(a, b, fpcr))) {
        int32_t x = f32_key(a), y = f32_key(b);

        if (x == y || ((a | b) << 1) == 0) {
            return 6u << 28;
        }
        return x < y ? 8u << 28 : 2u << 28;
    }
    return f32_compare_soft(a, b, signal, fpcr, fpsr);
}

/* Toward zero, without scaling: what C's conversions are. */
FPU_FAST uint64_t f32_to_fixed(uint32_t a, unsigned fbits, bool is_unsigned, unsigned width,
                              FpuRounding mode, FPU_ENV)
{
    float x = f32_host(a);

    if (FPU_HOST_FAST && fbits == 0 && mode == FPU_ZERO_WARD && !(fpcr & FPCR_FZ) &&
        x < 0x1p63f && x > (is_unsigned ? -1 : -0x1p63f)) {
        int64_t whole = (int64_t)x;

        if (width == 64 || whole == (is_unsigned ? (int64_t)(uint32_t)whole : (int32_t)whole)) {
            if ((float)whole != x) {
                *fpsr |= FPSR_IXC;
            }
            return width == 64 ? (uint64_t)whole : (uint32_t)whole;
        }
    }
    return f32_to_fixed_soft(a, fbits, is_unsigned, width, mode, fpcr, fpsr);
}

FPU_FAST uint32_t f32_from_fixed(uint64_t a, unsigned fbits, bool is_unsigned, FPU_ENV)
{
    if (LIKELY(fpu_host_mode(fpcr) && fbits == 0 && !(is_unsigned && a >> 63)) &&
        ((*fpsr & FPSR_IXC) || a + (1ull << 24) <= 2ull << 24)) {
        return f32_guest((float)(int64_t)a);
    }
    return f32_from_fixed_soft(a, fbits, is_unsigned, fpcr, fpsr);
}

/* ---- double ---- */

FPU_FAST double f64_host(uint64_t a)
{
    double f;

    memcpy(&f, &a, sizeof(f));
    return f;
}

FPU_FAST uint64_t f64_guest(double f)
{
    uint64_t a;

    memcpy(&a, &f, sizeof(a));
    return a;
}

FPU_FAST bool f64_is_nan(uint64_t a)
{
    return (a << 1) > 0xffe0000000000000ull;
}

FPU_FAST bool f64_is_finite(uint64_t a)
{
    return (a << 1) < 0xffe0000000000000ull;
}

/* Finite, and out of reach of anything to do with denormals. */
FPU_FAST bool f64_is_safe(uint64_t a)
{
    return ((unsigned)(a >> 52) & 0x7ffu) - 2 < 0x7ffu - 2;
}

FPU_FAST uint64_t f64_add(uint64_t a, uint64_t b, FPU_ENV)
{
    double x = f64_host(a), y = f64_host(b), sum = x + y;

    /* A sum in the denormal range is exact. */
    if (LIKELY(fpu_host_mode(fpcr) && f64_is_finite(f64_guest(sum)))) {
        double z = sum - x;

        if (LIKELY(*fpsr & FPSR_IXC) || (x - (sum - z)) + (y - z) == 0) {
            return f64_guest(sum);
        }
    }
    return f64_add_soft(a, b, fpcr, fpsr);
}

FPU_FAST uint64_t f64_sub(uint64_t a, uint64_t b, FPU_ENV)
{
    double x = f64_host(a), y = -f64_host(b), sum = x + y;

    if (LIKELY(fpu_host_mode(fpcr) && f64_is_finite(f64_guest(sum)))) {
        double z = sum - x;

        if (LIKELY(*fpsr & FPSR_IXC) || (x - (sum - z)) + (y - z) == 0) {
            return f64_guest(sum);
        }
    }
    return f64_sub_soft(a, b, fpcr, fpsr);
}

FPU_FAST bool f64_mul_exact(uint64_t a, uint64_t b)
{
    return ((a | b) & 0x7ffffff) == 0;    /* 26 bits times 26 bits */
}

FPU_FAST bool f64_mul_fast(uint64_t a, uint64_t b, uint64_t *product, uint32_t fpcr,
                           const uint32_t *fpsr)
{
    *product = f64_guest(f64_host(a) * f64_host(b));
    if (UNLIKELY((*product << 1) == 0)) {
        /* Underflow, or a factor is zero. */
        return fpu_host_mode(fpcr) && ((a << 1) == 0 || (b << 1) == 0);
    }
    return fpu_host_mode(fpcr) && f64_is_safe(*product) &&
           (LIKELY(*fpsr & FPSR_IXC) || f64_mul_exact(a, b));
}

FPU_FAST uint64_t f64_mul(uint64_t a, uint64_t b, FPU_ENV)
{
    uint64_t product;

    return LIKELY(f64_mul_fast(a, b, &product, fpcr, fpsr)) ? product
           : f64_mul_soft(a, b, fpcr, fpsr);
}

FPU_FAST uint64_t f64_mulx(uint64_t a, uint64_t b, FPU_ENV)
{
    uint64_t product;

    return LIKELY(f64_mul_fast(a, b, &product, fpcr, fpsr)) ? product
           : f64_mulx_soft(a, b, fpcr, fpsr);
}

FPU_FAST uint64_t f64_div(uint64_t a, uint64_t b, FPU_ENV)
{
    uint64_t quotient = f64_guest(f64_host(a) / f64_host(b));

    if (LIKELY(fpu_host_mode(fpcr) && (*fpsr & FPSR_IXC) && f64_is_safe(quotient))) {
        return quotient;
    }
    return f64_div_soft(a, b, fpcr, fpsr);
}

FPU_FAST uint64_t f64_sqrt(uint64_t a, FPU_ENV)
{
    if (LIKELY(fpu_host_mode(fpcr) && (*fpsr & FPSR_IXC) && a < 0x7ff0000000000000ull)) {
        return f64_guest(fpu_host_sqrt64(f64_host(a)));
    }
    return f64_sqrt_soft(a, fpcr, fpsr);
}

FPU_FAST uint64_t f64_muladd(uint64_t addend, uint64_t a, uint64_t b, FPU_ENV)
{
    if (LIKELY(fpu_host_mode(fpcr) && (*fpsr & FPSR_IXC) && fpu_host_has_fma())) {
        uint64_t sum = f64_guest(fpu_host_fma64(f64_host(addend), f64_host(a), f64_host(b)));

        if (LIKELY(f64_is_safe(sum))) {
            return sum;
        }
    }
    return f64_muladd_soft(addend, a, b, fpcr, fpsr);
}

/* Numbers in order as signed integers, the negative zero below the positive one. */
FPU_FAST int64_t f64_key(uint64_t a)
{
    return (int64_t)(a ^ ((uint64_t)((int64_t)a >> 63) >> 1));
}

FPU_FAST bool f64_comparable(uint64_t a, uint64_t b, uint32_t fpcr)
{
    return !(fpcr & FPCR_FZ) && !f64_is_nan(a) && !f64_is_nan(b);
}

/* f64_max(), f64_min(), f64_maxnm(), f64_minnm() */
FPU_FAST_CHOOSE(uint64_t, f64, max, >)
FPU_FAST_CHOOSE(uint64_t, f64, min, <)
FPU_FAST_CHOOSE(uint64_t, f64, maxnm, >)
FPU_FAST_CHOOSE(uint64_t, f64, minnm, <)

FPU_FAST uint32_t f64_compare(uint64_t a, uint64_t b, bool signal, FPU_ENV)
{
    if (LIKELY(f64_comparable(a, b, fpcr))) {
        int64_t x = f64_key(a), y = f64_key(b);

        if (x == y || ((a | b) << 1) == 0) {
            return 6u << 28;
        }
        return x < y ? 8u << 28 : 2u << 28;
    }
    return f64_compare_soft(a, b, signal, fpcr, fpsr);
}

/* Toward zero, without scaling: what C's conversions are. */
FPU_FAST uint64_t f64_to_fixed(uint64_t a, unsigned fbits, bool is_unsigned, unsigned width,
                              FpuRounding mode, FPU_ENV)
{
    double x = f64_host(a);

    if (FPU_HOST_FAST && fbits == 0 && mode == FPU_ZERO_WARD && !(fpcr & FPCR_FZ) &&
        x < 0x1p63 && x > (is_unsigned ? -1 : -0x1p63)) {
        int64_t whole = (int64_t)x;

        if (width == 64 || whole == (is_unsigned ? (int64_t)(uint32_t)whole : (int32_t)whole)) {
            if ((double)whole != x) {
                *fpsr |= FPSR_IXC;
            }
            return width == 64 ? (uint64_t)whole : (uint32_t)whole;
        }
    }
    return f64_to_fixed_soft(a, fbits, is_unsigned, width, mode, fpcr, fpsr);
}

FPU_FAST uint64_t f64_from_fixed(uint64_t a, unsigned fbits, bool is_unsigned, FPU_ENV)
{
    if (LIKELY(fpu_host_mode(fpcr) && fbits == 0 && !(is_unsigned && a >> 63)) &&
        ((*fpsr & FPSR_IXC) || a + (1ull << 53) <= 2ull << 53)) {
        return f64_guest((double)(int64_t)a);
    }
    return f64_from_fixed_soft(a, fbits, is_unsigned, fpcr, fpsr);
}

/* ---- between formats ---- */

FPU_FAST uint64_t f32_to_f64(uint32_t a, FPU_ENV)
{
    if (LIKELY(FPU_HOST_FAST && !(fpcr & FPCR_FZ) && !f32_is_nan(a))) {
        return f64_guest(f32_host(a));
    }
    return f32_to_f64_soft(a, fpcr, fpsr);
}

FPU_FAST uint32_t f64_to_f32(uint64_t a, FPU_ENV)
{
    double x = f64_host(a);
    float y = (float)x;

    if (LIKELY(fpu_host_mode(fpcr) && f32_is_safe(f32_guest(y)))) {
        if (y != x) {
            *fpsr |= FPSR_IXC;
        }
        return f32_guest(y);
    }
    return f64_to_f32_soft(a, fpcr, fpsr);
}

#endif
