/*
 * Scalar floating-point helpers: values in, value out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/helper-fp.h"

#include "fpu/fast.h"
#include "target/arm/cpu.h"
#include "util/bitops.h"

#define HELPER(function, args) { #function, (void (*)(void))function, args, 0 }
#define PAIR(name, args) \
    FpHelperPair helper_##name = { HELPER(name##_s, args), HELPER(name##_d, args) }
#define FPENV s->fpcr, &s->fpsr

/* name(a, b) is f32_op and f64_op. */
#define BINARY(name, op) \
    static uint64_t name##_s(Vcpu *cpu, uint64_t a, uint64_t b) \
    { \
        ArmState *s = &arm_cpu(cpu)->s; \
        return f32_##op(a, b, FPENV); \
    } \
    static uint64_t name##_d(Vcpu *cpu, uint64_t a, uint64_t b) \
    { \
        ArmState *s = &arm_cpu(cpu)->s; \
        return f64_##op(a, b, FPENV); \
    } \
    PAIR(name, 2)

BINARY(fadd, add);
BINARY(fsub, sub);
BINARY(fmul, mul);
BINARY(fdiv, div);
BINARY(fmax, max);
BINARY(fmin, min);
BINARY(fmaxnm, maxnm);
BINARY(fminnm, minnm);

/* The negation comes last, so it is seen on NaNs too. */
static uint64_t fnmul_s(Vcpu *cpu, uint64_t a, uint64_t b)
{
    return fmul_s(cpu, a, b) ^ BIT(31);
}

static uint64_t fnmul_d(Vcpu *cpu, uint64_t a, uint64_t b)
{
    return fmul_d(cpu, a, b) ^ BIT64(63);
}

PAIR(fnmul, 2);

static uint64_t fmuladd_s(Vcpu *cpu, uint64_t addend, uint64_t a, uint64_t b)
{
    ArmState *s = &arm_cpu(cpu)->s;

    return f32_muladd(addend, a, b, FPENV);
}

static uint64_t fmuladd_d(Vcpu *cpu, uint64_t addend, uint64_t a, uint64_t b)
{
    ArmState *s = &arm_cpu(cpu)->s;

    return f64_muladd(addend, a, b, FPENV);
}

PAIR(fmuladd, 3);

static uint64_t fsqrt_s(Vcpu *cpu, uint64_t a)
{
    ArmState *s = &arm_cpu(cpu)->s;

    return f32_sqrt(a, FPENV);
}

static uint64_t fsqrt_d(Vcpu *cpu, uint64_t a)
{
    ArmState *s = &arm_cpu(cpu)->s;

    return f64_sqrt(a, FPENV);
}

PAIR(fsqrt, 1);

/* ---- comparisons ---- */

#define COMPARE(name, conditional, signal) \
    static uint64_t name##_s(Vcpu *cpu, uint64_t a, uint64_t b) \
    { \
        ArmState *s = &arm_cpu(cpu)->s; \
        return f32_compare(a, b, signal, FPENV); \
    } \
    static uint64_t name##_d(Vcpu *cpu, uint64_t a, uint64_t b) \
    { \
        ArmState *s = &arm_cpu(cpu)->s; \
        return f64_compare(a, b, signal, FPENV); \
    } \
    static uint64_t conditional##_s(Vcpu *cpu, uint64_t a, uint64_t b, uint64_t condition, \
                                    uint64_t nzcv) \
    { \
        return condition ? name##_s(cpu, a, b) : nzcv; \
    } \
    static uint64_t conditional##_d(Vcpu *cpu, uint64_t a, uint64_t b, uint64_t condition, \
                                    uint64_t nzcv) \
    { \
        return condition ? name##_d(cpu, a, b) : nzcv; \
    } \
    PAIR(name, 2); \
    PAIR(conditional, 4)

COMPARE(fcmp, fccmp, false);
COMPARE(fcmpe, fccmpe, true);

/* ---- conversions ---- */

static FpuRounding round_mode(uint64_t arg, uint32_t fpcr)
{
    return (arg & 7) == FP_ROUND_FPCR ? fpu_rounding(fpcr) : (FpuRounding)(arg & 7);
}

static uint64_t frint_s(Vcpu *cpu, uint64_t a, uint64_t arg)
{
    ArmState *s = &arm_cpu(cpu)->s;

    return f32_round_int(a, round_mode(arg, s->fpcr), arg & FP_ROUND_EXACT, FPENV);
}

static uint64_t frint_d(Vcpu *cpu, uint64_t a, uint64_t arg)
{
    ArmState *s = &arm_cpu(cpu)->s;

    return f64_round_int(a, round_mode(arg, s->fpcr), arg & FP_ROUND_EXACT, FPENV);
}

PAIR(frint, 2);

#define CONVERT(name, op) \
    static uint64_t name(Vcpu *cpu, uint64_t a) \
    { \
        ArmState *s = &arm_cpu(cpu)->s; \
        return op(a, FPENV); \
    } \
    const IrHelper helper_##name = HELPER(name, 1)

CONVERT(fcvt_sd, f32_to_f64);
CONVERT(fcvt_ds, f64_to_f32);
CONVERT(fcvt_sh, f32_to_f16);
CONVERT(fcvt_dh, f64_to_f16);
CONVERT(fcvt_hs, f16_to_f32);
CONVERT(fcvt_hd, f16_to_f64);
CONVERT(fcvtxn, f64_to_f32_odd);

#define TO_INT(name, f, is_unsigned, width) \
    static uint64_t name(Vcpu *cpu, uint64_t a) \
    { \
        ArmState *s = &arm_cpu(cpu)->s; \
        return f##_to_fixed(a, 0, is_unsigned, width, FPU_ZERO_WARD, FPENV); \
    }

TO_INT(fcvtzs_ws, f32, false, 32)
TO_INT(fcvtzu_ws, f32, true, 32)
TO_INT(fcvtzs_xs, f32, false, 64)
TO_INT(fcvtzu_xs, f32, true, 64)
TO_INT(fcvtzs_wd, f64, false, 32)
TO_INT(fcvtzu_wd, f64, true, 32)
TO_INT(fcvtzs_xd, f64, false, 64)
TO_INT(fcvtzu_xd, f64, true, 64)

const IrHelper helper_fcvtz[2][2][2] = {
    { { HELPER(fcvtzs_ws, 1), HELPER(fcvtzu_ws, 1) },
      { HELPER(fcvtzs_xs, 1), HELPER(fcvtzu_xs, 1) } },
    { { HELPER(fcvtzs_wd, 1), HELPER(fcvtzu_wd, 1) },
      { HELPER(fcvtzs_xd, 1), HELPER(fcvtzu_xd, 1) } },
};

static uint64_t to_fixed_s(Vcpu *cpu, uint64_t a, uint64_t arg)
{
    ArmState *s = &arm_cpu(cpu)->s;

    return f32_to_fixed_soft(a, fp_fixed_bits(arg), fp_fixed_unsigned(arg), fp_fixed_width(arg),
                             (FpuRounding)fp_fixed_mode(arg), FPENV);
}

static uint64_t to_fixed_d(Vcpu *cpu, uint64_t a, uint64_t arg)
{
    ArmState *s = &arm_cpu(cpu)->s;

    return f64_to_fixed_soft(a, fp_fixed_bits(arg), fp_fixed_unsigned(arg), fp_fixed_width(arg),
                             (FpuRounding)fp_fixed_mode(arg), FPENV);
}

PAIR(to_fixed, 2);

#define FROM_INT(name, f, is_unsigned) \
    static uint64_t name(Vcpu *cpu, uint64_t a) \
    { \
        ArmState *s = &arm_cpu(cpu)->s; \
        return f##_from_fixed(a, 0, is_unsigned, FPENV); \
    }

FROM_INT(scvtf_s, f32, false)
FROM_INT(ucvtf_s, f32, true)
FROM_INT(scvtf_d, f64, false)
FROM_INT(ucvtf_d, f64, true)

const IrHelper helper_from_int[2][2] = {
    { HELPER(scvtf_s, 1), HELPER(ucvtf_s, 1) },
    { HELPER(scvtf_d, 1), HELPER(ucvtf_d, 1) },
};

static uint64_t from_fixed_s(Vcpu *cpu, uint64_t a, uint64_t arg)
{
    ArmState *s = &arm_cpu(cpu)->s;

    return f32_from_fixed_soft(a, fp_fixed_bits(arg), fp_fixed_unsigned(arg), FPENV);
}

static uint64_t from_fixed_d(Vcpu *cpu, uint64_t a, uint64_t arg)
{
    ArmState *s = &arm_cpu(cpu)->s;

    return f64_from_fixed_soft(a, fp_fixed_bits(arg), fp_fixed_unsigned(arg), FPENV);
}

PAIR(from_fixed, 2);
