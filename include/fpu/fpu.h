/*
 * Software IEEE-754 arithmetic with Arm semantics (DDI 0487, shared/functions/
 * float in the pseudocode): NaN propagation in operand order, default NaN, flush to
 * zero, tininess before rounding, the cumulative flags.
 *
 * 1. Values are raw bits in uint32_t (single) and uint64_t (double); half
 *    precision exists in conversions only.
 * 2. Every function takes FPCR's value, of which AHP, DN, FZ and RMode matter, and
 *    ORs its exceptions into *fpsr in FPSR's format. Nothing else is touched.
 * 3. No host floating point is used here: these functions are the definition.
 *    include/fpu/fast.h has the same operations (without _soft) with short cuts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FPU_FPU_H
#define FPU_FPU_H

#include "util/osdep.h"

enum FpcrBits {
    FPCR_RMODE_SHIFT = 22,
    FPCR_RMODE = 3 << 22,
    FPCR_FZ = 1 << 24,
    FPCR_DN = 1 << 25,
    FPCR_AHP = 1 << 26,
};

enum FpsrBits {
    FPSR_IOC = 1 << 0,
    FPSR_DZC = 1 << 1,
    FPSR_OFC = 1 << 2,
    FPSR_UFC = 1 << 3,
    FPSR_IXC = 1 << 4,
    FPSR_IDC = 1 << 7,
};

/* The first four are FPCR.RMode's encodings. */
typedef enum FpuRounding {
    FPU_TIE_EVEN, FPU_POS_INF, FPU_NEG_INF, FPU_ZERO_WARD, FPU_TIE_AWAY, FPU_ODD,
} FpuRounding;

static inline FpuRounding fpu_rounding(uint32_t fpcr)
{
    return (FpuRounding)((fpcr & FPCR_RMODE) >> FPCR_RMODE_SHIFT);
}

#define FPU_ENV uint32_t fpcr, uint32_t *fpsr

#define FPU_BINARY(name) \
    uint32_t f32_##name(uint32_t a, uint32_t b, FPU_ENV); \
    uint64_t f64_##name(uint64_t a, uint64_t b, FPU_ENV);
#define FPU_UNARY(name) \
    uint32_t f32_##name(uint32_t a, FPU_ENV); \
    uint64_t f64_##name(uint64_t a, FPU_ENV);

FPU_BINARY(add_soft)
FPU_BINARY(sub_soft)
FPU_BINARY(mul_soft)
FPU_BINARY(div_soft)
FPU_UNARY(sqrt_soft)
/* FPMulX: as a product, but infinity times zero is two. */
FPU_BINARY(mulx_soft)
/* addend + a * b, rounded once (FPMulAdd). Negate operands beforehand, NaNs included. */
uint32_t f32_muladd_soft(uint32_t addend, uint32_t a, uint32_t b, FPU_ENV);
uint64_t f64_muladd_soft(uint64_t addend, uint64_t a, uint64_t b, FPU_ENV);
/* FPRecipStepFused: 2 - a * b. FPRSqrtStepFused: (3 - a * b) / 2. */
FPU_BINARY(recip_step)
FPU_BINARY(rsqrt_step)
FPU_UNARY(recip_estimate)
FPU_UNARY(rsqrt_estimate)
FPU_UNARY(recpx)
/* The fixed-point estimates of URECPE and URSQRTE; no flags. */
uint32_t fpu_urecpe(uint32_t a);
uint32_t fpu_ursqrte(uint32_t a);

FPU_BINARY(max_soft)
FPU_BINARY(min_soft)
/* A quiet NaN loses against a number (FPMaxNum, FPMinNum). */
FPU_BINARY(maxnm_soft)
FPU_BINARY(minnm_soft)

/* NZCV in bits 31..28. signal: quiet NaNs are invalid operations too. */
uint32_t f32_compare_soft(uint32_t a, uint32_t b, bool signal, FPU_ENV);
uint32_t f64_compare_soft(uint64_t a, uint64_t b, bool signal, FPU_ENV);

/* Round to an integral value; exact: set IXC when that changed the value. */
uint32_t f32_round_int(uint32_t a, FpuRounding mode, bool exact, FPU_ENV);
uint64_t f64_round_int(uint64_t a, FpuRounding mode, bool exact, FPU_ENV);

uint32_t f16_to_f32(uint16_t a, FPU_ENV);
uint64_t f16_to_f64(uint16_t a, FPU_ENV);
uint16_t f32_to_f16(uint32_t a, FPU_ENV);
uint16_t f64_to_f16(uint64_t a, FPU_ENV);
uint64_t f32_to_f64_soft(uint32_t a, FPU_ENV);
uint32_t f64_to_f32_soft(uint64_t a, FPU_ENV);
/* Rounding to odd (FCVTXN), so that a second rounding gives the same as one. */
uint32_t f64_to_f32_odd(uint64_t a, FPU_ENV);

/*
 * FPToFixed: a * 2^fbits as an integer of `width` (32 or 64) bits, saturated
 * with IOC; the result is zero-extended from width.
 */
uint64_t f32_to_fixed_soft(uint32_t a, unsigned fbits, bool is_unsigned, unsigned width,
                           FpuRounding mode, FPU_ENV);
uint64_t f64_to_fixed_soft(uint64_t a, unsigned fbits, bool is_unsigned, unsigned width,
                           FpuRounding mode, FPU_ENV);
/* FixedToFP: the 64-bit integer a (extended by the caller) times 2^-fbits. */
uint32_t f32_from_fixed_soft(uint64_t a, unsigned fbits, bool is_unsigned, FPU_ENV);
uint64_t f64_from_fixed_soft(uint64_t a, unsigned fbits, bool is_unsigned, FPU_ENV);

#undef FPU_BINARY
#undef FPU_UNARY

#endif
