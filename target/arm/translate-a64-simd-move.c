/*
 * Advanced SIMD moves: lanes to and from general registers, permutes, tables and
 * modified immediates. What moves less than a register is inline IR on lanes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/translate-simd.h"
#include "decode-a64-simd-move.inc"

/* ---- permutes ---- */

#define PERMUTE(NAME, HELPER)                                                      \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        return simd_size_ok(a->size, a->q) &&                                      \
               simd_vec(s, &vec_##HELPER[a->size],                                 \
                        vec_desc(a->q ? 16 : 8, a->size, 0), a->rd, a->rn, a->rm); \
    }

PERMUTE(UZP1, uzp1)
PERMUTE(TRN1, trn1)
PERMUTE(ZIP1, zip1)
PERMUTE(UZP2, uzp2)
PERMUTE(TRN2, trn2)
PERMUTE(ZIP2, zip2)

static bool trans_EXT(DisasContext *s, arg_EXT *a)
{
    return (a->q || a->imm < 8) &&
           simd_vec(s, &vec_ext, vec_desc(a->q ? 16 : 8, 0, a->imm), a->rd, a->rn, a->rm);
}

static bool trans_TBL_TBX(DisasContext *s, arg_TBL_TBX *a)
{
    const unsigned bytes = a->q ? 16 : 8;

    if (a->len == 0 && !a->tbx) {
        return simd_vec(s, &vec_tbl1, vec_desc(bytes, 0, 0), a->rd, a->rn, a->rm);
    }
    if (a64_fp_access(s)) {
        ir_call(s->b, &vec_tbl, ir_const(s->b, arm_v_offset(a->rd)), ir_const(s->b, a->rn),
                ir_const(s->b, arm_v_offset(a->rm)),
                ir_const(s->b, vec_desc(bytes, 0, a->len | a->tbx << 2)));
    }
    return true;
}

/* ---- copies ---- */

/* log2 of the element bytes from imm5, and the lane; false when reserved. */
static bool copy_size(unsigned imm5, unsigned *size, unsigned *lane)
{
    if (!(imm5 & 15)) {
        return false;
    }
    *size = __builtin_ctz(imm5);
    *lane = imm5 >> (*size + 1);
    return true;
}

static bool trans_DUP_lane(DisasContext *s, arg_DUP_lane *a)
{
    unsigned size, lane;

    return copy_size(a->imm5, &size, &lane) && simd_size_ok(size, a->q) &&
           simd_vec(s, &vec_dup, vec_desc(a->q ? 16 : 8, size, lane), a->rd, a->rn, a->rn);
}

/* DUP Vd, Vn[lane], scalar: MOV. */
static bool trans_DUP_lane_s(DisasContext *s, arg_DUP_lane_s *a)
{
    unsigned size, lane;

    if (!copy_size(a->imm5, &size, &lane)) {
        return false;
    }
    if (a64_fp_access(s)) {
        IrVal v = ir_ld_env(s->b, 1 << size, simd_lane_offset(a->rn, size, lane));

        simd_write(s, a->rd, v, ir_const(s->b, 0));
    }
    return true;
}

static bool trans_DUP_general(DisasContext *s, arg_DUP_general *a)
{
    unsigned size, lane;

    if (!copy_size(a->imm5, &size, &lane) || !simd_size_ok(size, a->q)) {
        return false;
    }
    if (a64_fp_access(s)) {
        simd_replicate(s, vec_desc(a->q ? 16 : 8, size, 0), a->rd, a64_read(s, a->rn, W64));
    }
    return true;
}

static bool trans_SMOV(DisasContext *s, arg_SMOV *a)
{
    unsigned size, lane;

    if (!copy_size(a->imm5, &size, &lane) || size > (a->q ? 2 : 1)) {
        return false;
    }
    if (a64_fp_access(s)) {
        IrVal v = ir_ld_env(s->b, 1 << size, simd_lane_offset(a->rn, size, lane));

        a64_write(s, a->rd, ir_sext(s->b, a->q ? W64 : W32, 8 << size, v));
    }
    return true;
}

static bool trans_UMOV(DisasContext *s, arg_UMOV *a)
{
    unsigned size, lane;

    if (!copy_size(a->imm5, &size, &lane) || a->q != (size == 3)) {
        return false;
    }
    if (a64_fp_access(s)) {
        a64_write(s, a->rd, ir_ld_env(s->b, 1 << size, simd_lane_offset(a->rn, size, lane)));
    }
    return true;
}

static bool trans_INS_general(DisasContext *s, arg_INS_general *a)
{
    unsigned size, lane;

    if (!copy_size(a->imm5, &size, &lane)) {
        return false;
    }
    if (a64_fp_access(s)) {
        ir_st_env(s->b, 1 << size, simd_lane_offset(a->rd, size, lane),
                  a64_read(s, a->rn, W64));
    }
    return true;
}

static bool trans_INS_lane(DisasContext *s, arg_INS_lane *a)
{
    unsigned size, lane;

    if (!copy_size(a->imm5, &size, &lane)) {
        return false;
    }
    if (a64_fp_access(s)) {
        IrVal v = ir_ld_env(s->b, 1 << size, simd_lane_offset(a->rn, size, a->imm4 >> size));

        ir_st_env(s->b, 1 << size, simd_lane_offset(a->rd, size, lane), v);
    }
    return true;
}

/* ---- modified immediates ---- */

/* Each bit of imm8 as a byte. */
static uint64_t bits_to_bytes(unsigned imm8)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 8; i++) {
        v |= (imm8 >> i & 1) ? 0xffull << 8 * i : 0;
    }
    return v;
}

/* AdvSIMDExpandImm (DDI 0487 J1.3), cmode 0 to 14, before MVNI's and BIC's inversion. */
static uint64_t expand_imm(unsigned op, unsigned cmode, uint64_t imm8)
{
    switch (cmode >> 1) {
    case 0: case 1: case 2: case 3:
        return (imm8 << 8 * (cmode >> 1)) * 0x0000000100000001ull;
    case 4: case 5:
        return (imm8 << 8 * (cmode >> 1 & 1)) * 0x0001000100010001ull;
    case 6:
        return (cmode & 1 ? imm8 << 16 | 0xffff : imm8 << 8 | 0xff) * 0x0000000100000001ull;
    default:
        return op ? bits_to_bytes(imm8) : imm8 * 0x0101010101010101ull;
    }
}

static bool trans_MODIMM(DisasContext *s, arg_MODIMM *a)
{
    const uint64_t imm = expand_imm(a->op, a->cmode, a->abcdefgh);
    const bool combine = a->cmode < 12 && (a->cmode & 1);    /* ORR, BIC */
    const bool invert = a->op && a->cmode < 14;
    IrVal half[2] = { IR_NONE, IR_NONE };

    if (a->cmode == 15) {
        return false;
    }
    if (!a64_fp_access(s)) {
        return true;
    }
    half[0] = half[1] = ir_const(s->b, invert ? ~imm : imm);
    if (combine) {
        for (unsigned i = 0; i <= (unsigned)a->q; i++) {
            IrVal old = ir_ld_env(s->b, 8, arm_v_offset(a->rd) + 8 * i);

            half[i] = a->op ? ir_and(s->b, W64, old, half[i]) : ir_or(s->b, W64, old, half[i]);
        }
    }
    simd_write(s, a->rd, half[0], a->q ? half[1] : ir_const(s->b, 0));
    return true;
}

bool a64_simd_move(DisasContext *s, uint32_t insn)
{
    return decode_a64_simd_move(s, insn);
}
