/*
 * The vector helpers that translated A64 code calls; accel/tcg/vec-ops.def has the
 * meaning of those that back ends emit inline.
 *
 * vec_X are called through ir_vec(): d = X(a, b), on the bytes that the descriptor
 * says, the upper half of d cleared when they are 8. Where the name of a table stands
 * for four, the index is log2 of the element's bytes; sizes that do not exist have
 * a null `fn`. sat_X set FPSR.QC; they are called through ir_call() with the offsets of d,
 * a, b from the Vcpu, and the descriptor.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_VEC_HELPER_H
#define TARGET_ARM_VEC_HELPER_H

#include "accel/tcg/ir.h"

/* Bitwise. */
extern const IrVecHelper vec_mov, vec_and, vec_or, vec_eor, vec_bic, vec_orn, vec_not;
extern const IrVecHelper vec_bsl, vec_bit, vec_bif;

/* Three same. */
extern const IrVecHelper vec_add[4], vec_sub[4], vec_mul[4], vec_mla[4], vec_mls[4], vec_pmul[4];
extern const IrVecHelper vec_shadd[4], vec_uhadd[4], vec_srhadd[4], vec_urhadd[4];
extern const IrVecHelper vec_shsub[4], vec_uhsub[4];
extern const IrVecHelper vec_smax[4], vec_umax[4], vec_smin[4], vec_umin[4];
extern const IrVecHelper vec_sabd[4], vec_uabd[4], vec_saba[4], vec_uaba[4];
extern const IrVecHelper vec_cmeq[4], vec_cmtst[4], vec_cmgt[4], vec_cmge[4];
extern const IrVecHelper vec_cmhi[4], vec_cmhs[4];
extern const IrVecHelper vec_sshl[4], vec_ushl[4], vec_srshl[4], vec_urshl[4];
extern const IrVecHelper vec_addp[4], vec_smaxp[4], vec_umaxp[4], vec_sminp[4], vec_uminp[4];

/* By element: imm is the lane of b. */
extern const IrVecHelper vec_mul_lane[4], vec_mla_lane[4], vec_mls_lane[4];
extern const IrVecHelper vec_smull_lane[4], vec_umull_lane[4], vec_smlal_lane[4];
extern const IrVecHelper vec_umlal_lane[4], vec_smlsl_lane[4], vec_umlsl_lane[4];

/* Three different; the index is the narrow size. */
extern const IrVecHelper vec_saddl[4], vec_uaddl[4], vec_ssubl[4], vec_usubl[4];
extern const IrVecHelper vec_saddw[4], vec_uaddw[4], vec_ssubw[4], vec_usubw[4];
extern const IrVecHelper vec_sabdl[4], vec_uabdl[4], vec_sabal[4], vec_uabal[4];
extern const IrVecHelper vec_smull[4], vec_umull[4], vec_smlal[4], vec_umlal[4];
extern const IrVecHelper vec_smlsl[4], vec_umlsl[4], vec_pmull[4];
extern const IrVecHelper vec_addhn[4], vec_raddhn[4], vec_subhn[4], vec_rsubhn[4];

/* Two-register miscellaneous, across lanes. */
extern const IrVecHelper vec_cmeq0[4], vec_cmgt0[4], vec_cmge0[4], vec_cmle0[4], vec_cmlt0[4];
extern const IrVecHelper vec_neg[4], vec_abs[4], vec_cnt[4], vec_clz[4], vec_cls[4], vec_rbit[4];
extern const IrVecHelper vec_rev16[4], vec_rev32[4], vec_rev64[4];
extern const IrVecHelper vec_saddlp[4], vec_uaddlp[4], vec_sadalp[4], vec_uadalp[4];
extern const IrVecHelper vec_addv[4], vec_saddlv[4], vec_uaddlv[4];
extern const IrVecHelper vec_smaxv[4], vec_umaxv[4], vec_sminv[4], vec_uminv[4];
extern const IrVecHelper vec_addp_scalar;

/* Shifts by imm. */
extern const IrVecHelper vec_shl[4], vec_sshr[4], vec_ushr[4], vec_ssra[4], vec_usra[4];
extern const IrVecHelper vec_srshr[4], vec_urshr[4], vec_srsra[4], vec_ursra[4];
extern const IrVecHelper vec_sri[4], vec_sli[4], vec_sshll[4], vec_ushll[4];
extern const IrVecHelper vec_xtn[4], vec_shrn[4], vec_rshrn[4];

/* Permutes. */
extern const IrVecHelper vec_zip1[4], vec_zip2[4], vec_uzp1[4], vec_uzp2[4];
extern const IrVecHelper vec_trn1[4], vec_trn2[4];
extern const IrVecHelper vec_ext, vec_dup, vec_tbl1;
/* (d, number of the first table register, b, desc with imm = registers - 1 | tbx << 2) */
extern const IrHelper vec_tbl;
/* (first register number, desc with imm = registers); (the same, chunk) -> 8 bytes */
extern const IrHelper vec_deinterleave, vec_interleave;

/* Cryptographic. */
extern const IrVecHelper vec_aese, vec_aesd, vec_aesmc, vec_aesimc;
extern const IrVecHelper vec_sha1c, vec_sha1p, vec_sha1m, vec_sha1h, vec_sha1su0, vec_sha1su1;
extern const IrVecHelper vec_sha256h, vec_sha256h2, vec_sha256su0, vec_sha256su1;

/* Saturating. The descriptor's bytes may be 1, 2 or 4: a scalar. */
extern const IrHelper sat_sqadd[4], sat_uqadd[4], sat_sqsub[4], sat_uqsub[4];
extern const IrHelper sat_sqabs[4], sat_sqneg[4], sat_suqadd[4], sat_usqadd[4];
extern const IrHelper sat_sqshl[4], sat_uqshl[4], sat_sqrshl[4], sat_uqrshl[4];
extern const IrHelper sat_sqshl_imm[4], sat_uqshl_imm[4], sat_sqshlu_imm[4];
extern const IrHelper sat_sqdmulh[4], sat_sqrdmulh[4];
extern const IrHelper sat_sqdmulh_lane[4], sat_sqrdmulh_lane[4];
extern const IrHelper sat_sqdmull[4], sat_sqdmlal[4], sat_sqdmlsl[4];
extern const IrHelper sat_sqdmull_lane[4], sat_sqdmlal_lane[4], sat_sqdmlsl_lane[4];
/* Narrowing, by imm; 0 is SQXTN and kin. */
extern const IrHelper sat_sqshrn[4], sat_uqshrn[4], sat_sqshrun[4];
extern const IrHelper sat_sqrshrn[4], sat_uqrshrn[4], sat_sqrshrun[4];

#endif
