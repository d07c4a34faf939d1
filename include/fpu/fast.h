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

#define FAST_BITS 32
#include "fpu/fast-format.def"
#undef FAST_BITS
#define FAST_BITS 64
#include "fpu/fast-format.def"
#undef FAST_BITS

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
