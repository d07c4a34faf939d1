/*
 * Private to fpu/: numbers taken apart, and put together again by the one
 * function that rounds. Everything is written for any format and inlined with a
 * constant one.
 *
 * A finite non-zero number is frac * 2^(exp - 63), frac having bit 63 set; when
 * bits are lost below bit 0 they are ORed into it (sticky), which every rounding
 * decision survives because at least two bits lie between it and the result.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FPU_PARTS_H
#define FPU_PARTS_H

#include "fpu/fpu.h"
#include "util/bitops.h"

#define FPU_INLINE static inline __attribute__((always_inline))

typedef unsigned __int128 FpuWide;

typedef struct FpuFormat {
    uint8_t exp_bits;
    uint8_t frac_bits;
} FpuFormat;

#define F16 ((FpuFormat){ 5, 10 })
#define F32 ((FpuFormat){ 8, 23 })
#define F64 ((FpuFormat){ 11, 52 })

typedef enum FpuClass {
    FPU_ZERO, FPU_FINITE, FPU_INF, FPU_QNAN, FPU_SNAN,
} FpuClass;

typedef struct FpuReal {
    uint64_t frac;
    int exp;
    bool sign;
    FpuClass cls;
} FpuReal;

FPU_INLINE int fpu_bias(FpuFormat f)
{
    return (1 << (f.exp_bits - 1)) - 1;
}

FPU_INLINE unsigned fpu_exp_max(FpuFormat f)
{
    return (1u << f.exp_bits) - 1;
}

FPU_INLINE bool fpu_is_half(FpuFormat f)
{
    return f.exp_bits == 5;
}

FPU_INLINE uint64_t fpu_zero(FpuFormat f, bool sign)
{
    return (uint64_t)sign << (f.exp_bits + f.frac_bits);
}

FPU_INLINE uint64_t fpu_inf(FpuFormat f, bool sign)
{
    return fpu_zero(f, sign) | (uint64_t)fpu_exp_max(f) << f.frac_bits;
}

FPU_INLINE uint64_t fpu_max_normal(FpuFormat f, bool sign)
{
    return fpu_inf(f, sign) - 1;
}

FPU_INLINE uint64_t fpu_default_nan(FpuFormat f)
{
    return fpu_inf(f, false) | BIT64(f.frac_bits - 1);
}

FPU_INLINE uint64_t fpu_invalid(FpuFormat f, uint32_t *fpsr)
{
    *fpsr |= FPSR_IOC;
    return fpu_default_nan(f);
}

FPU_INLINE bool fpu_is_nan(FpuReal r)
{
    return r.cls >= FPU_QNAN;
}

/* FPUnpack. Flush to zero does not concern half precision (no FPCR.FZ16 in v8.0). */
FPU_INLINE FpuReal fpu_unpack(FpuFormat f, uint64_t x, FPU_ENV)
{
    uint64_t frac = x & mask64(f.frac_bits);
    unsigned exp = (x >> f.frac_bits) & fpu_exp_max(f);
    FpuReal r = { .sign = (x >> (f.exp_bits + f.frac_bits)) & 1 };

    if (exp == fpu_exp_max(f) && !(fpu_is_half(f) && (fpcr & FPCR_AHP))) {
        r.frac = frac << (63 - f.frac_bits);
        r.cls = frac == 0 ? FPU_INF : (frac >> (f.frac_bits - 1)) ? FPU_QNAN : FPU_SNAN;
    } else if (exp != 0) {
        r.cls = FPU_FINITE;
        r.frac = (frac | BIT64(f.frac_bits)) << (63 - f.frac_bits);
        r.exp = (int)exp - fpu_bias(f);
    } else if (frac == 0) {
        r.cls = FPU_ZERO;
    } else if ((fpcr & FPCR_FZ) && !fpu_is_half(f)) {
        r.cls = FPU_ZERO;
        *fpsr |= FPSR_IDC;
    } else {
        int shift = __builtin_clzll(frac);

        r.cls = FPU_FINITE;
        r.frac = frac << shift;
        r.exp = 1 - fpu_bias(f) - f.frac_bits + 63 - shift;
    }
    return r;
}

/* FPProcessNaN: quieted, or the default NaN. */
FPU_INLINE uint64_t fpu_process_nan(FpuFormat f, FpuReal r, uint64_t x, FPU_ENV)
{
    if (r.cls == FPU_SNAN) {
        *fpsr |= FPSR_IOC;
    }
    return (fpcr & FPCR_DN) ? fpu_default_nan(f) : x | BIT64(f.frac_bits - 1);
}

/* FPProcessNaNs, one of them being a NaN: signalling ones first, then in order. */
FPU_INLINE uint64_t fpu_process_nans(FpuFormat f, FpuReal ra, uint64_t a,
                                     FpuReal rb, uint64_t b, FPU_ENV)
{
    bool first = ra.cls == FPU_SNAN || (rb.cls != FPU_SNAN && ra.cls == FPU_QNAN);

    return first ? fpu_process_nan(f, ra, a, fpcr, fpsr)
                 : fpu_process_nan(f, rb, b, fpcr, fpsr);
}

FPU_INLINE uint64_t fpu_shift_sticky(uint64_t x, unsigned n)
{
    if (n == 0) {
        return x;
    }
    return n < 64 ? x >> n | ((x << (64 - n)) != 0) : x != 0;
}

FPU_INLINE FpuWide fpu_wide_shift_sticky(FpuWide x, unsigned n)
{
    if (n == 0) {
        return x;
    }
    return n < 128 ? x >> n | ((x << (128 - n)) != 0) : x != 0;
}

/* Does the part `rest` below an integer, in units where `half` is one half, round it up? */
FPU_INLINE bool fpu_round_up(FpuRounding mode, bool sign, bool odd, uint64_t rest,
                             uint64_t half)
{
    switch (mode) {
    case FPU_TIE_EVEN:
        return rest > half || (rest == half && odd);
    case FPU_TIE_AWAY:
        return rest >= half;
    case FPU_POS_INF:
        return rest != 0 && !sign;
    case FPU_NEG_INF:
        return rest != 0 && sign;
    default:
        return false;
    }
}

FPU_INLINE bool fpu_overflow_to_inf(FpuRounding mode, bool sign)
{
    return mode == FPU_TIE_EVEN || mode == (sign ? FPU_NEG_INF : FPU_POS_INF);
}

/* FPRound: frac has bit 63 set. */
FPU_INLINE uint64_t fpu_round_pack(FpuFormat f, bool sign, int exp, uint64_t frac,
                                   FpuRounding mode, FPU_ENV)
{
    const unsigned drop = 63 - f.frac_bits;
    const int exp_min = 1 - fpu_bias(f);
    int biased = exp - exp_min + 1;
    uint64_t rest, mant;

    if (biased <= 0) {
        if ((fpcr & FPCR_FZ) && !fpu_is_half(f)) {
            *fpsr |= FPSR_UFC;    /* and not IXC */
            return fpu_zero(f, sign);
        }
        frac = fpu_shift_sticky(frac, exp_min - exp);
        biased = 0;
    }
    rest = frac & mask64(drop);
    mant = frac >> drop;
    if (biased == 0 && rest != 0) {
        *fpsr |= FPSR_UFC;
    }
    if (fpu_round_up(mode, sign, mant & 1, rest, BIT64(drop - 1))) {
        mant++;
        if (mant >> (f.frac_bits + 1)) {
            mant >>= 1;
            biased++;
        } else if (biased == 0 && mant >> f.frac_bits) {
            biased = 1;
        }
    }
    if (mode == FPU_ODD && rest != 0) {
        mant |= 1;
    }
    if (fpu_is_half(f) && (fpcr & FPCR_AHP)) {
        if (biased > (int)fpu_exp_max(f)) {
            *fpsr |= FPSR_IOC;
            return fpu_zero(f, sign) | mask64(f.exp_bits + f.frac_bits);
        }
    } else if (biased >= (int)fpu_exp_max(f)) {
        *fpsr |= FPSR_OFC | FPSR_IXC;
        return fpu_overflow_to_inf(mode, sign) ? fpu_inf(f, sign) : fpu_max_normal(f, sign);
    }
    if (rest != 0) {
        *fpsr |= FPSR_IXC;
    }
    return fpu_zero(f, sign) | (uint64_t)biased << f.frac_bits | (mant & mask64(f.frac_bits));
}

/* A sum that came out as exactly zero. */
FPU_INLINE uint64_t fpu_zero_sum(FpuFormat f, uint32_t fpcr)
{
    return fpu_zero(f, fpu_rounding(fpcr) == FPU_NEG_INF);
}

#endif
