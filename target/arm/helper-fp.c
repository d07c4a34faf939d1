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

/* Helpers of ir_fp() and its kin; see IrFpHostOp. */
#define FP(function, args, host_op, is_double) \
    { HELPER(function, args), host_op, is_double, offsetof(ArmCpu, s.fpcr) }
#define FP_PAIR(name, args, host_op) \
    FpScalarPair helper_##name = { FP(name##_s, args, host_op, false), \
                                   FP(name##_d, args, host_op, true) }
_Static_assert(offsetof(ArmCpu, s.fpsr) == offsetof(ArmCpu, s.fpcr) + 4, "");
_Static_assert(IR_FPCR_MODE == (FPCR_RMODE | FPCR_FZ), "");
_Static_assert((int)IR_FPSR_IXC == (int)FPSR_IXC && (int)IR_FPCR_FZ == (int)FPCR_FZ, "");

/* name(a, b) is f32_op and f64_op. */
#define BINARY(name, op, host_op) \
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
    FP_PAIR(name, 2, host_op)

BINARY(fadd, add, IRFP_ADD);
BINARY(fsub, sub, IRFP_SUB);
BINARY(fmul, mul, IRFP_MUL);
BINARY(fdiv, div, IRFP_DIV);
BINARY(fmax, max, IRFP_MAX);
BINARY(fmin, min, IRFP_MIN);
BINARY(fmaxnm, maxnm, IRFP_MAX);
BINARY(fminnm, minnm, IRFP_MIN);

/* The negation comes last, so it is seen on NaNs too. */
static uint64_t fnmul_s(Vcpu *cpu, uint64_t a, uint64_t b)
{
    return fmul_s(cpu, a, b) ^ BIT(31);
}

static uint64_t fnmul_d(Vcpu *cpu, uint64_t a, uint64_t b)
{
    return fmul_d(cpu, a, b) ^ BIT64(63);
}

FP_PAIR(fnmul, 2, IRFP_NMUL);

/* Operands are negated before NaNs are looked at. */
#define MULADD(name, host_op, negate_addend, negate_product) \
    static uint64_t name##_s(Vcpu *cpu, uint64_t addend, uint64_t a, uint64_t b) \
    { \
        ArmState *s = &arm_cpu(cpu)->s; \
        return f32_muladd(addend ^ (negate_addend ? BIT(31) : 0), \
                          a ^ (negate_product ? BIT(31) : 0), b, FPENV); \
    } \
    static uint64_t name##_d(Vcpu *cpu, uint64_t addend, uint64_t a, uint64_t b) \
    { \
        ArmState *s = &arm_cpu(cpu)->s; \
        return f64_muladd(addend ^ (negate_addend ? BIT64(63) : 0), \
                          a ^ (negate_product ? BIT64(63) : 0), b, FPENV); \
    } \
    FP_PAIR(name, 3, host_op)

MULADD(fmadd, IRFP_MADD, false, false);
MULADD(fmsub, IRFP_MSUB, false, true);
MULADD(fnmadd, IRFP_NMADD, true, true);
MULADD(fnmsub, IRFP_NMSUB, true, false);

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

FP_PAIR(fsqrt, 1, IRFP_SQRT);

#define SIGN(name, host_op, single, double_) \
    static uint64_t name##_s(Vcpu *cpu, uint64_t a) { return single; } \
    static uint64_t name##_d(Vcpu *cpu, uint64_t a) { return double_; } \
    FP_PAIR(name, 1, host_op)

SIGN(fmov, IRFP_MOV, a, a);
SIGN(fneg, IRFP_NEG, a ^ BIT(31), a ^ BIT64(63));
SIGN(fabs, IRFP_ABS, a & ~BIT(31), a & ~BIT64(63));

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
    FP_PAIR(name, 2, IRFP_CMP); \
    PAIR(conditional, 4)

COMPARE(fcmp, fccmp, false);
COMPARE(fcmpe, fccmpe, true);

/* ---- conversions ---- */

#define CONVERT_FN(name, op) \
    static uint64_t name(Vcpu *cpu, uint64_t a) \
    { \
        ArmState *s = &arm_cpu(cpu)->s; \
        return op(a, FPENV); \
    }
#define CONVERT(name, op) \
    CONVERT_FN(name, op) \
    const IrHelper helper_##name = HELPER(name, 1)

CONVERT_FN(fcvt_sd, f32_to_f64)
CONVERT_FN(fcvt_ds, f64_to_f32)
const IrFpHelper helper_fcvt_sd = FP(fcvt_sd, 1, IRFP_CVT, false);
const IrFpHelper helper_fcvt_ds = FP(fcvt_ds, 1, IRFP_CVT, true);
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

const IrFpHelper helper_fcvtz[2][2][2] = {
    { { FP(fcvtzs_ws, 1, IRFP_TO_S32, false), FP(fcvtzu_ws, 1, IRFP_TO_U32, false) },
      { FP(fcvtzs_xs, 1, IRFP_TO_S64, false), FP(fcvtzu_xs, 1, IRFP_TO_U64, false) } },
    { { FP(fcvtzs_wd, 1, IRFP_TO_S32, true), FP(fcvtzu_wd, 1, IRFP_TO_U32, true) },
      { FP(fcvtzs_xd, 1, IRFP_TO_S64, true), FP(fcvtzu_xd, 1, IRFP_TO_U64, true) } },
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

const IrFpHelper helper_from_int[2][2] = {
    { FP(scvtf_s, 1, IRFP_FROM_S64, false), FP(ucvtf_s, 1, IRFP_FROM_U64, false) },
    { FP(scvtf_d, 1, IRFP_FROM_S64, true), FP(ucvtf_d, 1, IRFP_FROM_U64, true) },
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
