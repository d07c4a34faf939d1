/*
 * What the Advanced SIMD translate files share. Each chapter's function returns false
 * when the encoding is not its own; a64_simd() tries them in turn.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_TRANSLATE_SIMD_H
#define TARGET_ARM_TRANSLATE_SIMD_H

#include "target/arm/translate.h"
#include "target/arm/vec-helper.h"

bool a64_simd_three(DisasContext *s, uint32_t insn);  /* three same, three different */
bool a64_simd_two(DisasContext *s, uint32_t insn);    /* two-register misc, across lanes */
bool a64_simd_shift(DisasContext *s, uint32_t insn);  /* by immediate */
bool a64_simd_elem(DisasContext *s, uint32_t insn);   /* by element */
bool a64_simd_move(DisasContext *s, uint32_t insn);   /* copy, permute, immediates */
bool a64_simd_crypto(DisasContext *s, uint32_t insn);

/*
 * Emit one operation on whole registers, after the access check; true, so that
 * trans functions can end with it. False (unallocated) when the helper's slot
 * of its size table is empty.
 */
bool simd_vec(DisasContext *s, const IrVecHelper *h, uint32_t desc,
              unsigned rd, unsigned rn, unsigned rm);
/* The same for a saturating helper. */
bool simd_sat(DisasContext *s, const IrHelper *h, uint32_t desc,
              unsigned rd, unsigned rn, unsigned rm);
/* Sources at any offset from the Vcpu: the upper halves of the "2" forms. */
bool simd_vec_at(DisasContext *s, const IrVecHelper *h, uint32_t desc,
                 unsigned rd, uint32_t n_offset, uint32_t m_offset);
bool simd_sat_at(DisasContext *s, const IrHelper *h, uint32_t desc,
                 unsigned rd, uint32_t n_offset, uint32_t m_offset);

/* 1D does not exist: 64-bit elements need a full register. */
static inline bool simd_size_ok(unsigned size, bool q)
{
    return size < 3 || q;
}

/* Where an operation reads its 8 bytes of narrow elements: the upper half in "2" forms. */
static inline uint32_t simd_half_offset(unsigned n, bool upper)
{
    return arm_v_offset(n) + (upper ? 8 : 0);
}

/* Offset of a lane. */
static inline uint32_t simd_lane_offset(unsigned n, unsigned size, unsigned lane)
{
    return arm_v_offset(n) + (lane << size);
}

/* The low element of v in every element of Vd that the descriptor says. */
void simd_replicate(DisasContext *s, uint32_t desc, unsigned rd, IrVal v);
/* Write a whole register from two halves. */
void simd_write(DisasContext *s, unsigned rd, IrVal low, IrVal high);

#endif
