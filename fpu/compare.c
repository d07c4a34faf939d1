/*
 * Comparisons, maxima and minima.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fpu/parts.h"

/* -1, 0, 1 for a < b, a == b, a > b; neither is a NaN. */
FPU_INLINE int order(FpuReal a, FpuReal b)
{
    int larger;

    if (a.cls == FPU_ZERO && b.cls == FPU_ZERO) {
        return 0;
    }
    if (a.cls == FPU_ZERO) {
        return b.sign ? 1 : -1;
    }
    if (b.cls == FPU_ZERO || a.sign != b.sign) {
        return a.sign ? -1 : 1;
    }
    if (a.cls != b.cls) {
        larger = a.cls == FPU_INF ? 1 : -1;
    } else if (a.exp != b.exp) {
        larger = a.exp > b.exp ? 1 : -1;
    } else {
        larger = (a.frac > b.frac) - (a.frac < b.frac);
    }
    return a.sign ? -larger : larger;
}

FPU_INLINE uint32_t parts_compare(FpuFormat f, uint64_t a, uint64_t b, bool signal, FPU_ENV)
{
    FpuReal ra = fpu_unpack(f, a, fpcr, fpsr);
    FpuReal rb = fpu_unpack(f, b, fpcr, fpsr);
    int sign;

    if (fpu_is_nan(ra) || fpu_is_nan(rb)) {
        if (signal || ra.cls == FPU_SNAN || rb.cls == FPU_SNAN) {
            *fpsr |= FPSR_IOC;
        }
        return 3u << 28;
    }
    sign = order(ra, rb);
    return (sign < 0 ? 8u : sign == 0 ? 6u : 2u) << 28;
}

uint32_t f32_compare_soft(uint32_t a, uint32_t b, bool signal, FPU_ENV)
{
    return parts_compare(F32, a, b, signal, fpcr, fpsr);
}

uint32_t f64_compare_soft(uint64_t a, uint64_t b, bool signal, FPU_ENV)
{
    return parts_compare(F64, a, b, signal, fpcr, fpsr);
}

/* FPMax, FPMin: of two zeros, the positive or the negative one. */
FPU_INLINE uint64_t parts_maxmin(FpuFormat f, uint64_t a, uint64_t b, bool max, bool number,
                                 FPU_ENV)
{
    FpuReal ra = fpu_unpack(f, a, fpcr, fpsr);
    FpuReal rb = fpu_unpack(f, b, fpcr, fpsr);
    bool first;

    if (number && ra.cls == FPU_QNAN && !fpu_is_nan(rb)) {
        return rb.cls == FPU_ZERO ? fpu_zero(f, rb.sign) : b;
    }
    if (number && rb.cls == FPU_QNAN && !fpu_is_nan(ra)) {
        return ra.cls == FPU_ZERO ? fpu_zero(f, ra.sign) : a;
    }
    if (fpu_is_nan(ra) || fpu_is_nan(rb)) {
        return fpu_process_nans(f, ra, a, rb, b, fpcr, fpsr);
    }
    if (ra.cls == FPU_ZERO && rb.cls == FPU_ZERO) {
        return fpu_zero(f, max ? ra.sign && rb.sign : ra.sign || rb.sign);
    }
    first = max ? order(ra, rb) > 0 : order(ra, rb) < 0;
    if ((first ? ra.cls : rb.cls) == FPU_ZERO) {
        return fpu_zero(f, first ? ra.sign : rb.sign);    /* perhaps a flushed denormal */
    }
    return first ? a : b;
}

uint32_t f32_max_soft(uint32_t a, uint32_t b, FPU_ENV)
{
    return parts_maxmin(F32, a, b, true, false, fpcr, fpsr);
}

uint64_t f64_max_soft(uint64_t a, uint64_t b, FPU_ENV)
{
    return parts_maxmin(F64, a, b, true, false, fpcr, fpsr);
}

uint32_t f32_min_soft(uint32_t a, uint32_t b, FPU_ENV)
{
    return parts_maxmin(F32, a, b, false, false, fpcr, fpsr);
}

uint64_t f64_min_soft(uint64_t a, uint64_t b, FPU_ENV)
{
    return parts_maxmin(F64, a, b, false, false, fpcr, fpsr);
}

uint32_t f32_maxnm_soft(uint32_t a, uint32_t b, FPU_ENV)
{
    return parts_maxmin(F32, a, b, true, true, fpcr, fpsr);
}

uint64_t f64_maxnm_soft(uint64_t a, uint64_t b, FPU_ENV)
{
    return parts_maxmin(F64, a, b, true, true, fpcr, fpsr);
}

uint32_t f32_minnm_soft(uint32_t a, uint32_t b, FPU_ENV)
{
    return parts_maxmin(F32, a, b, false, true, fpcr, fpsr);
}

uint64_t f64_minnm_soft(uint64_t a, uint64_t b, FPU_ENV)
{
    return parts_maxmin(F64, a, b, false, true, fpcr, fpsr);
}
