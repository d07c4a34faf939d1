/*
 * What the two floating-point translate files share: scalar registers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_TRANSLATE_FP_H
#define TARGET_ARM_TRANSLATE_FP_H

#include "target/arm/helper-fp.h"
#include "target/arm/translate.h"

/* The floating-point part of Advanced SIMD (a64-fp-simd.decode). */
bool a64_fp_simd(DisasContext *s, uint32_t insn);

/* Lane `index` of Vn, a single or double, zero-extended. */
static inline IrVal fp_read_lane(DisasContext *s, bool sz, unsigned n, unsigned index)
{
    return ir_ld_env(s->b, sz ? 8 : 4, arm_v_offset(n) + index * (sz ? 8 : 4));
}

/* Sn or Dn. */
static inline IrVal fp_read(DisasContext *s, bool sz, unsigned n)
{
    return fp_read_lane(s, sz, n, 0);
}

/* Write a zero-extended scalar; the rest of the V register becomes zero. */
static inline void fp_write(DisasContext *s, unsigned n, IrVal v)
{
    ir_st_env(s->b, 8, arm_v_offset(n), v);
    ir_st_env(s->b, 8, arm_v_offset(n) + 8, ir_const(s->b, 0));
}

/* A vector of one lane, for ir_fp_vec(). */
static inline uint32_t fp_scalar_desc(bool sz, uint32_t imm)
{
    return vec_desc(sz ? 8 : 4, sz ? 3 : 2, imm);
}

static inline IrVal fp_call1(DisasContext *s, const IrHelper *h, IrVal x)
{
    return ir_call(s->b, h, x, IR_NONE, IR_NONE, IR_NONE);
}

static inline IrVal fp_call2(DisasContext *s, const IrHelper *h, IrVal x, IrVal y)
{
    return ir_call(s->b, h, x, y, IR_NONE, IR_NONE);
}

/* VFPExpandImm for single and double. */
static inline uint64_t fp_expand_imm(bool sz, unsigned imm8)
{
    uint64_t sign = imm8 >> 7, b = imm8 >> 6 & 1, low = imm8 & 63;

    if (sz) {
        return sign << 63 | (b ^ 1) << 62 | (b ? 0xffull << 54 : 0) | low << 48;
    }
    return sign << 31 | (b ^ 1) << 30 | (b ? 0x1full << 25 : 0) | low << 19;
}

#endif
