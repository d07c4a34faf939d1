/*
 * Advanced SIMD apart from floating point: the chapters in turn, and what
 * they share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/translate-simd.h"

bool a64_simd(DisasContext *s, uint32_t insn)
{
    return a64_simd_three(s, insn) || a64_simd_move(s, insn) || a64_simd_two(s, insn) ||
           a64_simd_shift(s, insn) || a64_simd_elem(s, insn) || a64_simd_crypto(s, insn);
}

bool simd_vec_at(DisasContext *s, const IrVecHelper *h, uint32_t desc,
                 unsigned rd, uint32_t n_offset, uint32_t m_offset)
{
    if (!h->fn) {
        return false;
    }
    if (a64_fp_access(s)) {
        ir_vec(s->b, h, arm_v_offset(rd), n_offset, m_offset, desc);
    }
    return true;
}

bool simd_vec(DisasContext *s, const IrVecHelper *h, uint32_t desc,
              unsigned rd, unsigned rn, unsigned rm)
{
    return simd_vec_at(s, h, desc, rd, arm_v_offset(rn), arm_v_offset(rm));
}

bool simd_sat_at(DisasContext *s, const IrHelper *h, uint32_t desc,
                 unsigned rd, uint32_t n_offset, uint32_t m_offset)
{
    if (!h->fn) {
        return false;
    }
    if (a64_fp_access(s)) {
        ir_call(s->b, h, ir_const(s->b, arm_v_offset(rd)), ir_const(s->b, n_offset),
                ir_const(s->b, m_offset), ir_const(s->b, desc));
    }
    return true;
}

bool simd_sat(DisasContext *s, const IrHelper *h, uint32_t desc,
              unsigned rd, unsigned rn, unsigned rm)
{
    return simd_sat_at(s, h, desc, rd, arm_v_offset(rn), arm_v_offset(rm));
}

void simd_write(DisasContext *s, unsigned rd, IrVal low, IrVal high)
{
    ir_st_env(s->b, 8, arm_v_offset(rd), low);
    ir_st_env(s->b, 8, arm_v_offset(rd) + 8, high);
}

void simd_replicate(DisasContext *s, uint32_t desc, unsigned rd, IrVal v)
{
    const uint32_t d = arm_v_offset(rd);

    ir_st_env(s->b, 8, d, v);
    ir_vec(s->b, &vec_dup, d, d, d, desc);
}
