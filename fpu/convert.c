/*
 * Conversions: between formats, to integral values, to and from fixed point.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fpu/parts.h"

/* ---- between formats ---- */

/* FPConvertNaN: payloads are aligned at their top. */
FPU_INLINE uint64_t convert_nan(FpuFormat to, FpuReal r, uint32_t fpcr)
{
    if (fpcr & FPCR_DN) {
        return fpu_default_nan(to);
    }
    return fpu_inf(to, r.sign) | BIT64(to.frac_bits - 1) | r.frac >> (63 - to.frac_bits);
}

FPU_INLINE uint64_t parts_convert(FpuFormat from, FpuFormat to, uint64_t a, FpuRounding mode,
                                  FPU_ENV)
{
    FpuReal r = fpu_unpack(from, a, fpcr, fpsr);
    bool alternative = fpu_is_half(to) && (fpcr & FPCR_AHP);

    if (fpu_is_nan(r)) {
        if (r.cls == FPU_SNAN || alternative) {
            *fpsr |= FPSR_IOC;
        }
        return alternative ? fpu_zero(to, r.sign) : convert_nan(to, r, fpcr);
    }
    if (r.cls == FPU_INF) {
        if (alternative) {
            *fpsr |= FPSR_IOC;
            return fpu_zero(to, r.sign) | mask64(to.exp_bits + to.frac_bits);
        }
        return fpu_inf(to, r.sign);
    }
    if (r.cls == FPU_ZERO) {
        return fpu_zero(to, r.sign);
    }
    return fpu_round_pack(to, r.sign, r.exp, r.frac, mode, fpcr, fpsr);
}

uint32_t f16_to_f32(uint16_t a, FPU_ENV)
{
    return parts_convert(F16, F32, a, fpu_rounding(fpcr), fpcr, fpsr);
}

uint64_t f16_to_f64(uint16_t a, FPU_ENV)
{
    return parts_convert(F16, F64, a, fpu_rounding(fpcr), fpcr, fpsr);
}

uint16_t f32_to_f16(uint32_t a, FPU_ENV)
{
    return parts_convert(F32, F16, a, fpu_rounding(fpcr), fpcr, fpsr);
}

uint16_t f64_to_f16(uint64_t a, FPU_ENV)
{
    return parts_convert(F64, F16, a, fpu_rounding(fpcr), fpcr, fpsr);
}

uint64_t f32_to_f64_soft(uint32_t a, FPU_ENV)
{
    return parts_convert(F32, F64, a, fpu_rounding(fpcr), fpcr, fpsr);
}

uint32_t f64_to_f32_soft(uint64_t a, FPU_ENV)
{
    return parts_convert(F64, F32, a, fpu_rounding(fpcr), fpcr, fpsr);
}

uint32_t f64_to_f32_odd(uint64_t a, FPU_ENV)
{
    return parts_convert(F64, F32, a, FPU_ODD, fpcr, fpsr);
}

/* ---- to integers ---- */

/* A finite magnitude below 2^64 as an integer. */
FPU_INLINE uint64_t round_magnitude(FpuReal r, FpuRounding mode, bool *inexact)
{
    unsigned shift = r.exp >= -1 ? 63 - r.exp : 65;
    uint64_t whole, rest;

    if (shift == 0) {
        *inexact = false;
        return r.frac;
    }
    whole = shift < 64 ? r.frac >> shift : 0;
    /* The part below the binary point, its highest bit (one half) at bit 63. */
    rest = shift <= 64 ? r.frac << (64 - shift) : 1;
    *inexact = rest != 0;
    return whole + fpu_round_up(mode, r.sign, whole & 1, rest, BIT64(63));
}

FPU_INLINE uint64_t parts_round_int(FpuFormat f, uint64_t a, FpuRounding mode, bool exact,
                                    FPU_ENV)
{
    FpuReal r = fpu_unpack(f, a, fpcr, fpsr);
    uint64_t whole;
    bool inexact;
    int shift;

    if (fpu_is_nan(r)) {
        return fpu_process_nan(f, r, a, fpcr, fpsr);
    }
    if (r.cls == FPU_ZERO) {
        return fpu_zero(f, r.sign);
    }
    if (r.cls == FPU_INF || r.exp >= f.frac_bits) {
        return a;
    }
    whole = round_magnitude(r, mode, &inexact);
    if (inexact && exact) {
        *fpsr |= FPSR_IXC;
    }
    if (whole == 0) {
        return fpu_zero(f, r.sign);
    }
    shift = __builtin_clzll(whole);
    return fpu_round_pack(f, r.sign, 63 - shift, whole << shift, FPU_ZERO_WARD, fpcr, fpsr);
}

uint32_t f32_round_int(uint32_t a, FpuRounding mode, bool exact, FPU_ENV)
{
    return parts_round_int(F32, a, mode, exact, fpcr, fpsr);
}

uint64_t f64_round_int(uint64_t a, FpuRounding mode, bool exact, FPU_ENV)
{
    return parts_round_int(F64, a, mode, exact, fpcr, fpsr);
}

/* ---- to and from fixed point ---- */

FPU_INLINE uint64_t parts_to_fixed(FpuFormat f, uint64_t a, unsigned fbits, bool is_unsigned,
                                   unsigned width, FpuRounding mode, FPU_ENV)
{
    FpuReal r = fpu_unpack(f, a, fpcr, fpsr);
    uint64_t limit, whole;
    bool inexact = false, huge;

    if (fpu_is_nan(r)) {
        *fpsr |= FPSR_IOC;
        return 0;
    }
    if (r.cls == FPU_ZERO) {
        return 0;
    }
    /* The largest magnitude of this sign. */
    limit = is_unsigned ? (r.sign ? 0 : mask64(width)) : mask64(width - 1) + r.sign;
    r.exp += fbits;
    huge = r.cls == FPU_INF || r.exp > 63;
    whole = huge ? 0 : round_magnitude(r, mode, &inexact);
    if (huge || whole > limit) {
        *fpsr |= FPSR_IOC;
        whole = limit;
    } else if (inexact) {
        *fpsr |= FPSR_IXC;
    }
    return (r.sign ? -whole : whole) & mask64(width);
}

uint64_t f32_to_fixed_soft(uint32_t a, unsigned fbits, bool is_unsigned, unsigned width,
                           FpuRounding mode, FPU_ENV)
{
    return parts_to_fixed(F32, a, fbits, is_unsigned, width, mode, fpcr, fpsr);
}

uint64_t f64_to_fixed_soft(uint64_t a, unsigned fbits, bool is_unsigned, unsigned width,
                           FpuRounding mode, FPU_ENV)
{
    return parts_to_fixed(F64, a, fbits, is_unsigned, width, mode, fpcr, fpsr);
}

FPU_INLINE uint64_t parts_from_fixed(FpuFormat f, uint64_t a, unsigned fbits, bool is_unsigned,
                                     FPU_ENV)
{
    bool sign = !is_unsigned && a >> 63;
    uint64_t magnitude = sign ? -a : a;
    int shift;

    if (magnitude == 0) {
        return fpu_zero(f, false);
    }
    shift = __builtin_clzll(magnitude);
    return fpu_round_pack(f, sign, 63 - shift - (int)fbits, magnitude << shift,
                          fpu_rounding(fpcr), fpcr, fpsr);
}

uint32_t f32_from_fixed_soft(uint64_t a, unsigned fbits, bool is_unsigned, FPU_ENV)
{
    return parts_from_fixed(F32, a, fbits, is_unsigned, fpcr, fpsr);
}

uint64_t f64_from_fixed_soft(uint64_t a, unsigned fbits, bool is_unsigned, FPU_ENV)
{
    return parts_from_fixed(F64, a, fbits, is_unsigned, fpcr, fpsr);
}
