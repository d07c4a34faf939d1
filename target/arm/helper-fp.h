/*
 * Helpers of the floating-point chapters. All are plain: they read FPCR and write
 * FPSR in ArmState, and nothing else of it that is not an operand.
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

/* ---- vectors, for ir_fp_vec(): d = fn(a, b); d is read by vfmla and vfmls alone ---- */

typedef const IrFpVecHelper FpVecPair[2];

extern FpVecPair helper_vfadd, helper_vfsub, helper_vfmul, helper_vfmulx, helper_vfdiv;
extern FpVecPair helper_vfmax, helper_vfmin, helper_vfmaxnm, helper_vfminnm, helper_vfabd;
extern FpVecPair helper_vfmla, helper_vfmls, helper_vfrecps, helper_vfrsqrts;
extern FpVecPair helper_vfcmeq, helper_vfcmge, helper_vfcmgt, helper_vfacge, helper_vfacgt;
/* imm: the lane of b */
extern FpVecPair helper_vfmul_lane, helper_vfmulx_lane, helper_vfmla_lane, helper_vfmls_lane;
/* pairs of lanes */
extern FpVecPair helper_vfaddp, helper_vfmaxp, helper_vfminp, helper_vfmaxnmp, helper_vfminnmp;

/* b unused */
extern FpVecPair helper_vfcmeq0, helper_vfcmge0, helper_vfcmgt0, helper_vfcmle0, helper_vfcmlt0;
extern FpVecPair helper_vfsqrt, helper_vfneg, helper_vfabs;
extern FpVecPair helper_vfrecpe, helper_vfrsqrte, helper_vfrecpx;
extern const IrFpVecHelper helper_vurecpe, helper_vursqrte;
/* imm: FpRoundArg, fp_fixed_arg() */
extern FpVecPair helper_vfrint, helper_vto_fixed, helper_vfrom_fixed;
/* Toward zero, and from integers; no fraction bits. */
extern FpVecPair helper_vfcvtzs, helper_vfcvtzu, helper_vscvtf, helper_vucvtf;
/*
 * Widening: from the 8 bytes at a, which may be an upper half. Narrowing: to the lower half (8
 * bytes in the descriptor; the upper one is cleared) or the upper one (16; the lower is kept).
 * sz 0: half and single, 1: single and double.
 */
extern FpVecPair helper_vfcvtl, helper_vfcvtn;
extern const IrFpVecHelper helper_vfcvtxn;

#endif
