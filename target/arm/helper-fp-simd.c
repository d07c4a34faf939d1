/*
 * Vector floating-point helpers. Results are gathered before Vd is written, which
 * may be a source too; lanes are laid out as on a little-endian host.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/helper-fp.h"

#include "fpu/fast.h"
#include "target/arm/cpu.h"
#include "util/bitops.h"

#define SIGN32 BIT(31)
#define SIGN64 BIT64(63)
#define FP(function, host_op, form) \
    { #function, function, host_op, form, offsetof(ArmCpu, s.fpcr) }
#define PAIR(name, host_op, form) \
    FpVecPair helper_##name = { FP(name##_s, host_op, form), FP(name##_d, host_op, form) }
#define FPENV fpcr, &fpsr
_Static_assert((int)IR_ROUND_FPCR == (int)FP_ROUND_FPCR &&
               (int)IR_ROUND_AWAY == (int)FPU_TIE_AWAY &&
               (int)IR_ROUND_EXACT == (int)FP_ROUND_EXACT, "one encoding for both");

/* For each lane of type T, d[i] = expression, in terms of a (Vn), b (Vm: lane `of_b`), c (Vd). */
#define LANES(name, T, of_b, expression) \
    static void name(Vcpu *cpu, void *vd, const void *vn, const void *vm, uint32_t desc) \
    { \
        ArmState *s = &arm_cpu(cpu)->s; \
        const T *n = vn, *m = vm, *d = vd; \
        T out[16 / sizeof(T)] = { 0 }; \
        const unsigned lanes = vec_desc_bytes(desc) / sizeof(T); \
        const uint32_t fpcr = s->fpcr, imm = (uint32_t)vec_desc_imm(desc); \
        uint32_t fpsr = s->fpsr; \
        for (unsigned i = 0; i < lanes; i++) { \
            T a = n[i], b = m[of_b], c = d[i]; \
            (void)a, (void)b, (void)c, (void)fpcr, (void)imm; \
            out[i] = (expression); \
        } \
        memcpy(vd, out, sizeof(out)); \
        s->fpsr = fpsr; \
    }

#define VECTOR(name, host_op, single, double_) \
    LANES(name##_s, uint32_t, i, single) \
    LANES(name##_d, uint64_t, i, double_) \
    PAIR(name, host_op, IRFV_LANES)

/* By element, too. */
#define VECTOR_LANE(name, host_op, single, double_) \
    VECTOR(name, host_op, single, double_); \
    LANES(name##_lane_s, uint32_t, imm, single) \
    LANES(name##_lane_d, uint64_t, imm, double_) \
    PAIR(name##_lane, host_op, IRFV_BY_LANE)

#define SAME(name, host_op, op) \
    VECTOR(name, host_op, f32_##op(a, b, FPENV), f64_##op(a, b, FPENV))
#define SAME_LANE(name, host_op, op) \
    VECTOR_LANE(name, host_op, f32_##op(a, b, FPENV), f64_##op(a, b, FPENV))
#define ONE(name, host_op, op) VECTOR(name, host_op, f32_##op(a, FPENV), f64_##op(a, FPENV))

SAME(vfadd, IRFP_ADD, add);
SAME(vfsub, IRFP_SUB, sub);
SAME_LANE(vfmul, IRFP_MUL, mul);
SAME_LANE(vfmulx, IRFP_MUL, mulx);
SAME(vfdiv, IRFP_DIV, div);
SAME(vfmax, IRFP_MAX, max);
SAME(vfmin, IRFP_MIN, min);
SAME(vfmaxnm, IRFP_MAX, maxnm);
SAME(vfminnm, IRFP_MIN, minnm);
SAME(vfrecps, IRFP_NONE, recip_step);
SAME(vfrsqrts, IRFP_NONE, rsqrt_step);
VECTOR(vfabd, IRFP_ABD, f32_sub(a, b, FPENV) & ~SIGN32, f64_sub(a, b, FPENV) & ~SIGN64);
VECTOR_LANE(vfmla, IRFP_MADD, f32_muladd(c, a, b, FPENV), f64_muladd(c, a, b, FPENV));
VECTOR_LANE(vfmls, IRFP_MSUB, f32_muladd(c, a ^ SIGN32, b, FPENV),
            f64_muladd(c, a ^ SIGN64, b, FPENV));

/* ---- comparisons: a mask from NZCV; unordered sets C and V ---- */

static inline uint64_t is_eq(uint32_t nzcv)
{
    return -(uint64_t)(nzcv >> 30 & 1);
}

static inline uint64_t is_ge(uint32_t nzcv)
{
    return -(uint64_t)((nzcv >> 28 & 9) == 0);
}

static inline uint64_t is_gt(uint32_t nzcv)
{
    return -(uint64_t)(nzcv >> 28 == 2);
}

#define COMPARE(name, host_op, test, signal, x32, y32, x64, y64) \
    VECTOR(name, host_op, test(f32_compare(x32, y32, signal, FPENV)), \
           test(f64_compare(x64, y64, signal, FPENV)))

COMPARE(vfcmeq, IRFP_CMEQ, is_eq, false, a, b, a, b);
COMPARE(vfcmge, IRFP_CMGE, is_ge, true, a, b, a, b);
COMPARE(vfcmgt, IRFP_CMGT, is_gt, true, a, b, a, b);
COMPARE(vfacge, IRFP_ACGE, is_ge, true, a & ~SIGN32, b & ~SIGN32, a & ~SIGN64, b & ~SIGN64);
COMPARE(vfacgt, IRFP_ACGT, is_gt, true, a & ~SIGN32, b & ~SIGN32, a & ~SIGN64, b & ~SIGN64);
COMPARE(vfcmeq0, IRFP_CMEQ0, is_eq, false, a, 0, a, 0);
COMPARE(vfcmge0, IRFP_CMGE0, is_ge, true, a, 0, a, 0);
COMPARE(vfcmgt0, IRFP_CMGT0, is_gt, true, a, 0, a, 0);
COMPARE(vfcmle0, IRFP_CMLE0, is_ge, true, 0, a, 0, a);
COMPARE(vfcmlt0, IRFP_CMLT0, is_gt, true, 0, a, 0, a);

/* ---- one operand ---- */

static inline FpuRounding round_mode(uint32_t arg, uint32_t fpcr)
{
    return (arg & 7) == FP_ROUND_FPCR ? fpu_rounding(fpcr) : (FpuRounding)(arg & 7);
}

#define ROUND round_mode(imm, fpcr), imm & FP_ROUND_EXACT
#define FIXED fp_fixed_bits(imm), fp_fixed_unsigned(imm)
#define MODE (FpuRounding)fp_fixed_mode(imm)
#define EXTENDED32 (fp_fixed_unsigned(imm) ? a : (uint64_t)(int32_t)a)

ONE(vfsqrt, IRFP_SQRT, sqrt);
ONE(vfrecpe, IRFP_NONE, recip_estimate);
ONE(vfrsqrte, IRFP_NONE, rsqrt_estimate);
ONE(vfrecpx, IRFP_NONE, recpx);
VECTOR(vfrint, IRFP_ROUND, f32_round_int(a, ROUND, FPENV), f64_round_int(a, ROUND, FPENV));
VECTOR(vto_fixed, IRFP_NONE, f32_to_fixed(a, FIXED, 32, MODE, FPENV),
       f64_to_fixed(a, FIXED, 64, MODE, FPENV));
VECTOR(vfrom_fixed, IRFP_NONE, f32_from_fixed(EXTENDED32, FIXED, FPENV),
       f64_from_fixed(a, FIXED, FPENV));

#define TO_INT(width, u) f##width##_to_fixed(a, 0, u, width, FPU_ZERO_WARD, FPENV)

VECTOR(vfcvtzs, IRFP_TO_S, TO_INT(32, false), TO_INT(64, false));
VECTOR(vfcvtzu, IRFP_TO_U, TO_INT(32, true), TO_INT(64, true));
VECTOR(vscvtf, IRFP_FROM_S, f32_from_fixed((uint64_t)(int32_t)a, 0, false, FPENV),
       f64_from_fixed(a, 0, false, FPENV));
VECTOR(vucvtf, IRFP_FROM_U, f32_from_fixed(a, 0, true, FPENV), f64_from_fixed(a, 0, true, FPENV));

VECTOR(vfneg, IRFP_NEG, a ^ SIGN32, a ^ SIGN64);
VECTOR(vfabs, IRFP_ABS, a & ~SIGN32, a & ~SIGN64);

LANES(vurecpe, uint32_t, i, fpu_urecpe(a))
LANES(vursqrte, uint32_t, i, fpu_ursqrte(a))
const IrFpVecHelper helper_vurecpe = FP(vurecpe, IRFP_NONE, IRFV_LANES);
const IrFpVecHelper helper_vursqrte = FP(vursqrte, IRFP_NONE, IRFV_LANES);

/* ---- pairwise: the pairs of Vn, then those of Vm; for a single lane the two are the same ---- */

#define PAIRS(name, T, op) \
    static void name(Vcpu *cpu, void *vd, const void *vn, const void *vm, uint32_t desc) \
    { \
        ArmState *s = &arm_cpu(cpu)->s; \
        const unsigned lanes = vec_desc_bytes(desc) / sizeof(T); \
        T out[16 / sizeof(T)] = { 0 }; \
        for (unsigned i = 0; i < lanes; i++) { \
            bool second = i >= lanes / 2; \
            const T *pair = (const T *)(second ? vm : vn) + 2 * (second ? i - lanes / 2 : i); \
            out[i] = op(pair[0], pair[1], s->fpcr, &s->fpsr); \
        } \
        memcpy(vd, out, sizeof(out)); \
    }

#define PAIRWISE(name, host_op, op) \
    PAIRS(name##_s, uint32_t, f32_##op) \
    PAIRS(name##_d, uint64_t, f64_##op) \
    PAIR(name, host_op, IRFV_PAIRS)

PAIRWISE(vfaddp, IRFP_ADD, add);
PAIRWISE(vfmaxp, IRFP_MAX, max);
PAIRWISE(vfminp, IRFP_MIN, min);
PAIRWISE(vfmaxnmp, IRFP_MAX, maxnm);
PAIRWISE(vfminnmp, IRFP_MIN, minnm);

/* ---- lengthen and narrow: one half of a register has the narrow elements ---- */

#define LENGTHEN(name, From, To, op) \
    static void name(Vcpu *cpu, void *vd, const void *vn, const void *vm, uint32_t desc) \
    { \
        ArmState *s = &arm_cpu(cpu)->s; \
        const From *n = vn; \
        To out[16 / sizeof(To)]; \
        for (unsigned i = 0; i < ARRAY_SIZE(out); i++) { \
            out[i] = op(n[i], s->fpcr, &s->fpsr); \
        } \
        memcpy(vd, out, sizeof(out)); \
    }

LENGTHEN(vfcvtl_s, uint16_t, uint32_t, f16_to_f32)
LENGTHEN(vfcvtl_d, uint32_t, uint64_t, f32_to_f64)
FpVecPair helper_vfcvtl = { FP(vfcvtl_s, IRFP_NONE, IRFV_LANES),
                            FP(vfcvtl_d, IRFP_WIDEN, IRFV_LANES) };

/* 8 bytes: the lower half, and the upper one is cleared; 16: the upper one, the lower is kept. */
#define NARROW(name, From, To, op) \
    static void name(Vcpu *cpu, void *vd, const void *vn, const void *vm, uint32_t desc) \
    { \
        ArmState *s = &arm_cpu(cpu)->s; \
        const From *n = vn; \
        uint64_t *d = vd; \
        const bool upper = vec_desc_bytes(desc) == 16; \
        To out[8 / sizeof(To)]; \
        for (unsigned i = 0; i < ARRAY_SIZE(out); i++) { \
            out[i] = op(n[i], s->fpcr, &s->fpsr); \
        } \
        d[1] = 0; \
        memcpy(&d[upper], out, sizeof(out)); \
    }

NARROW(vfcvtn_s, uint32_t, uint16_t, f32_to_f16)
NARROW(vfcvtn_d, uint64_t, uint32_t, f64_to_f32)
FpVecPair helper_vfcvtn = { FP(vfcvtn_s, IRFP_NONE, IRFV_LANES),
                            FP(vfcvtn_d, IRFP_NARROW, IRFV_LANES) };
NARROW(vfcvtxn, uint64_t, uint32_t, f64_to_f32_odd)
const IrFpVecHelper helper_vfcvtxn = FP(vfcvtxn, IRFP_NONE, IRFV_LANES);
