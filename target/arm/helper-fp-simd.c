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
#define HELPER(function) { #function, (void (*)(void))function, 1, IR_HELPER_VOID }
#define PAIR(name) FpHelperPair helper_##name = { HELPER(name##_s), HELPER(name##_d) }
#define FPENV fpcr, &fpsr

/* For each lane of type T, d[i] = expression, in terms of a (Vn), b (Vm) and c (Vd). */
#define LANES(name, T, expression) \
    static void name(Vcpu *cpu, uint64_t packed) \
    { \
        const FpVecArg v = fp_vec_unpack(packed); \
        ArmState *s = &arm_cpu(cpu)->s; \
        const T *n = (const T *)s->v[v.rn].d, *m = (const T *)s->v[v.rm].d; \
        T *d = (T *)s->v[v.rd].d, out[16 / sizeof(T)] = { 0 }; \
        const uint32_t fpcr = s->fpcr; \
        uint32_t fpsr = s->fpsr; \
        for (unsigned i = 0; i < v.lanes; i++) { \
            T a = n[i], b = m[v.by_element ? v.index : i], c = d[i]; \
            (void)a, (void)b, (void)c, (void)fpcr; \
            out[i] = (expression); \
        } \
        memcpy(d, out, sizeof(out)); \
        s->fpsr = fpsr; \
    }

#define VECTOR(name, single, double_) \
    LANES(name##_s, uint32_t, single) \
    LANES(name##_d, uint64_t, double_) \
    PAIR(name)

#define SAME(name, op) VECTOR(name, f32_##op(a, b, FPENV), f64_##op(a, b, FPENV))
#define ONE(name, op) VECTOR(name, f32_##op(a, FPENV), f64_##op(a, FPENV))

SAME(vfadd, add);
SAME(vfsub, sub);
SAME(vfmul, mul);
SAME(vfmulx, mulx);
SAME(vfdiv, div);
SAME(vfmax, max);
SAME(vfmin, min);
SAME(vfmaxnm, maxnm);
SAME(vfminnm, minnm);
SAME(vfrecps, recip_step);
SAME(vfrsqrts, rsqrt_step);
VECTOR(vfabd, f32_sub(a, b, FPENV) & ~SIGN32, f64_sub(a, b, FPENV) & ~SIGN64);
VECTOR(vfmla, f32_muladd(c, a, b, FPENV), f64_muladd(c, a, b, FPENV));
VECTOR(vfmls, f32_muladd(c, a ^ SIGN32, b, FPENV), f64_muladd(c, a ^ SIGN64, b, FPENV));

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

#define COMPARE(name, test, signal, x32, y32, x64, y64) \
    VECTOR(name, test(f32_compare(x32, y32, signal, FPENV)), \
           test(f64_compare(x64, y64, signal, FPENV)))

COMPARE(vfcmeq, is_eq, false, a, b, a, b);
COMPARE(vfcmge, is_ge, true, a, b, a, b);
COMPARE(vfcmgt, is_gt, true, a, b, a, b);
COMPARE(vfacge, is_ge, true, a & ~SIGN32, b & ~SIGN32, a & ~SIGN64, b & ~SIGN64);
COMPARE(vfacgt, is_gt, true, a & ~SIGN32, b & ~SIGN32, a & ~SIGN64, b & ~SIGN64);
COMPARE(vfcmeq0, is_eq, false, a, 0, a, 0);
COMPARE(vfcmge0, is_ge, true, a, 0, a, 0);
COMPARE(vfcmgt0, is_gt, true, a, 0, a, 0);
COMPARE(vfcmle0, is_ge, true, 0, a, 0, a);
COMPARE(vfcmlt0, is_gt, true, 0, a, 0, a);

/* ---- one operand ---- */

static inline FpuRounding round_mode(uint32_t arg, uint32_t fpcr)
{
    return (arg & 7) == FP_ROUND_FPCR ? fpu_rounding(fpcr) : (FpuRounding)(arg & 7);
}

#define ROUND round_mode(v.arg, fpcr), v.arg & FP_ROUND_EXACT
#define FIXED fp_fixed_bits(v.arg), fp_fixed_unsigned(v.arg)
#define MODE (FpuRounding)fp_fixed_mode(v.arg)
#define EXTENDED32 (fp_fixed_unsigned(v.arg) ? a : (uint64_t)(int32_t)a)

ONE(vfsqrt, sqrt);
ONE(vfrecpe, recip_estimate);
ONE(vfrsqrte, rsqrt_estimate);
ONE(vfrecpx, recpx);
VECTOR(vfrint, f32_round_int(a, ROUND, FPENV), f64_round_int(a, ROUND, FPENV));
VECTOR(vto_fixed, f32_to_fixed(a, FIXED, 32, MODE, FPENV),
       f64_to_fixed(a, FIXED, 64, MODE, FPENV));
VECTOR(vfrom_fixed, f32_from_fixed(EXTENDED32, FIXED, FPENV), f64_from_fixed(a, FIXED, FPENV));

LANES(vurecpe, uint32_t, fpu_urecpe(a))
LANES(vursqrte, uint32_t, fpu_ursqrte(a))
const IrHelper helper_vurecpe = HELPER(vurecpe);
const IrHelper helper_vursqrte = HELPER(vursqrte);

/* ---- pairwise: the pairs of Vn, then those of Vm ---- */

#define PAIRS(name, T, op) \
    static void name(Vcpu *cpu, uint64_t packed) \
    { \
        const FpVecArg v = fp_vec_unpack(packed); \
        ArmState *s = &arm_cpu(cpu)->s; \
        T out[16 / sizeof(T)] = { 0 }; \
        for (unsigned i = 0; i < v.lanes; i++) { \
            bool second = i >= v.lanes / 2; \
            const T *pair = (const T *)s->v[second ? v.rm : v.rn].d + \
                            2 * (second ? i - v.lanes / 2 : i); \
            out[i] = op(pair[0], pair[1], s->fpcr, &s->fpsr); \
        } \
        memcpy(s->v[v.rd].d, out, sizeof(out)); \
    }

#define PAIRWISE(name, op) \
    PAIRS(name##_s, uint32_t, f32_##op) \
    PAIRS(name##_d, uint64_t, f64_##op) \
    PAIR(name)

PAIRWISE(vfaddp, add);
PAIRWISE(vfmaxp, max);
PAIRWISE(vfminp, min);
PAIRWISE(vfmaxnmp, maxnm);
PAIRWISE(vfminnmp, minnm);

/* ---- lengthen and narrow ---- */

#define LENGTHEN(name, From, To, op) \
    static void name(Vcpu *cpu, uint64_t packed) \
    { \
        const FpVecArg v = fp_vec_unpack(packed); \
        ArmState *s = &arm_cpu(cpu)->s; \
        const From *n = (const From *)&s->v[v.rn].d[v.arg]; \
        To out[16 / sizeof(To)]; \
        for (unsigned i = 0; i < ARRAY_SIZE(out); i++) { \
            out[i] = op(n[i], s->fpcr, &s->fpsr); \
        } \
        memcpy(s->v[v.rd].d, out, sizeof(out)); \
    }

LENGTHEN(vfcvtl_s, uint16_t, uint32_t, f16_to_f32)
LENGTHEN(vfcvtl_d, uint32_t, uint64_t, f32_to_f64)
PAIR(vfcvtl);

/* The lower half form clears the upper half, the other keeps the lower one. */
#define NARROW(name, From, To, op) \
    static void name(Vcpu *cpu, uint64_t packed) \
    { \
        const FpVecArg v = fp_vec_unpack(packed); \
        ArmState *s = &arm_cpu(cpu)->s; \
        const From *n = (const From *)s->v[v.rn].d; \
        To out[8 / sizeof(To)]; \
        for (unsigned i = 0; i < ARRAY_SIZE(out); i++) { \
            out[i] = op(n[i], s->fpcr, &s->fpsr); \
        } \
        memcpy(&s->v[v.rd].d[v.arg], out, sizeof(out)); \
        if (v.arg == 0) { \
            s->v[v.rd].d[1] = 0; \
        } \
    }

NARROW(vfcvtn_s, uint32_t, uint16_t, f32_to_f16)
NARROW(vfcvtn_d, uint64_t, uint32_t, f64_to_f32)
PAIR(vfcvtn);
NARROW(vfcvtxn, uint64_t, uint32_t, f64_to_f32_odd)
const IrHelper helper_vfcvtxn = HELPER(vfcvtxn);
