/*
 * Helpers of the floating-point chapters. All are plain: they read FPCR and write
 * FPSR in ArmState, the vector ones also V registers, and nothing else.
 *
 * A pair is indexed by sz: single, double.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_HELPER_FP_H
#define TARGET_ARM_HELPER_FP_H

#include "accel/tcg/ir.h"

/* ---- scalar: raw bits in, raw bits out, zero-extended ---- */

typedef const IrHelper FpHelperPair[2];
/* Those that ir_fp() and its kin take. */
typedef const IrFpHelper FpScalarPair[2];

/* (a, b) */
extern FpScalarPair helper_fadd, helper_fsub, helper_fmul, helper_fnmul, helper_fdiv;
extern FpScalarPair helper_fmax, helper_fmin, helper_fmaxnm, helper_fminnm;
/* (addend, a, b) */
extern FpScalarPair helper_fmadd, helper_fmsub, helper_fnmadd, helper_fnmsub;
/* (a) */
extern FpScalarPair helper_fsqrt, helper_fmov, helper_fneg, helper_fabs;
/* (a, b) -> NZCV in bits 31..28; fcmpe: quiet NaNs signal too. */
extern FpScalarPair helper_fcmp, helper_fcmpe;
/* (a, b, condition, nzcv): the comparison when condition is not 0, else nzcv (in bits 31..28). */
extern FpHelperPair helper_fccmp, helper_fccmpe;
/* (a, mode): see FpRoundArg */
extern FpHelperPair helper_frint;

/* (a): between formats */
extern const IrFpHelper helper_fcvt_sd, helper_fcvt_ds;
extern const IrHelper helper_fcvt_sh, helper_fcvt_dh, helper_fcvt_hs, helper_fcvt_hd;
extern const IrHelper helper_fcvtxn;

/* (a) toward zero, no fraction bits: [sz][sf][u]; a W result is zero-extended. */
extern const IrFpHelper helper_fcvtz[2][2][2];
/* (a, FpFixedArg) */
extern FpHelperPair helper_to_fixed;
/* (a) from a 64-bit integer: [sz][u]; (a, FpFixedArg) */
extern const IrFpHelper helper_from_int[2][2];
extern FpHelperPair helper_from_fixed;

/* Rounding arguments: an FpuRounding, or FPCR's mode, with or without IXC. */
enum FpRoundArg { FP_ROUND_FPCR = 7, FP_ROUND_EXACT = 8 };

/* Bits 0-6 fraction bits, 7-9 FpuRounding, 10 unsigned, 11 width 64. */
static inline uint32_t fp_fixed_arg(unsigned fbits, unsigned mode, bool is_unsigned, bool wide)
{
    return fbits | mode << 7 | (uint32_t)is_unsigned << 10 | (uint32_t)wide << 11;
}
static inline unsigned fp_fixed_bits(uint64_t arg) { return arg & 127; }
static inline unsigned fp_fixed_mode(uint64_t arg) { return arg >> 7 & 7; }
static inline bool fp_fixed_unsigned(uint64_t arg) { return arg >> 10 & 1; }
static inline unsigned fp_fixed_width(uint64_t arg) { return arg >> 11 & 1 ? 64 : 32; }

/* ---- vector: one constant argument that names registers and lanes ---- */

/*
 * d[i] = fn(n[i], m[i]) for `lanes` lanes, the rest of Vd cleared. By element:
 * m[index] for every lane. `arg` is the operation's own.
 */
typedef struct FpVecArg {
    unsigned rd, rn, rm;
    unsigned lanes;
    bool by_element;
    unsigned index;
    uint32_t arg;
} FpVecArg;

static inline uint64_t fp_vec_pack(FpVecArg v)
{
    return v.rd | v.rn << 5 | v.rm << 10 | v.lanes << 15 | (uint32_t)v.by_element << 19 |
           v.index << 20 | (uint64_t)v.arg << 32;
}

static inline FpVecArg fp_vec_unpack(uint64_t p)
{
    return (FpVecArg) {
        .rd = p & 31, .rn = p >> 5 & 31, .rm = p >> 10 & 31, .lanes = p >> 15 & 15,
        .by_element = p >> 19 & 1, .index = p >> 20 & 3, .arg = p >> 32,
    };
}

extern FpHelperPair helper_vfadd, helper_vfsub, helper_vfmul, helper_vfmulx, helper_vfdiv;
extern FpHelperPair helper_vfmax, helper_vfmin, helper_vfmaxnm, helper_vfminnm, helper_vfabd;
extern FpHelperPair helper_vfmla, helper_vfmls, helper_vfrecps, helper_vfrsqrts;
extern FpHelperPair helper_vfcmeq, helper_vfcmge, helper_vfcmgt, helper_vfacge, helper_vfacgt;
extern FpHelperPair helper_vfaddp, helper_vfmaxp, helper_vfminp, helper_vfmaxnmp;
extern FpHelperPair helper_vfminnmp;

/* rm unused */
extern FpHelperPair helper_vfcmeq0, helper_vfcmge0, helper_vfcmgt0, helper_vfcmle0;
extern FpHelperPair helper_vfcmlt0;
extern FpHelperPair helper_vfsqrt, helper_vfrecpe, helper_vfrsqrte, helper_vfrecpx;
extern const IrHelper helper_vurecpe, helper_vursqrte;
/* arg: FpRoundArg, fp_fixed_arg() */
extern FpHelperPair helper_vfrint, helper_vto_fixed, helper_vfrom_fixed;
/*
 * Widening from, and narrowing to, half of a register; arg 1: the upper half. sz 0:
 * half and single, 1: single and double.
 */
extern FpHelperPair helper_vfcvtl, helper_vfcvtn;
extern const IrHelper helper_vfcvtxn;

#endif
