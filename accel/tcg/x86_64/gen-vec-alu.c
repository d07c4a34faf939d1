/*
 * Inline vector operations: logic, arithmetic, comparisons, shifts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/x86_64/gen-vec.h"

/* ---- plain two-operand forms ---- */

void vec_emit_mov(VecOp *v)
{
    load(v, 0, v->a_off);
}

void vec_emit_binary(VecOp *v)
{
    load(v, 0, v->a_off);
    sse_env(v, v->row->opcode[v->esize], 0, v->b_off);
}

/* The host's operation has them the other way round. */
void vec_emit_swapped(VecOp *v)
{
    load(v, 0, v->b_off);
    sse_env(v, v->row->opcode[v->esize], 0, v->a_off);
}

void vec_emit_not(VecOp *v)
{
    load(v, 0, v->a_off);
    invert(v, 0);
}

void vec_emit_orc(VecOp *v)
{
    load(v, 0, v->b_off);
    invert(v, 0);
    sse_env(v, POR, 0, v->a_off);
}

/* mask ? x : y, bit by bit. */
static void emit_choose(VecOp *v, int32_t mask, int32_t x, int32_t y)
{
    load(v, 0, x);
    sse_env(v, PXOR, 0, y);
    sse_env(v, PAND, 0, mask);
    sse_env(v, PXOR, 0, y);
}

void vec_emit_bsl(VecOp *v) { emit_choose(v, v->d_off, v->a_off, v->b_off); }
void vec_emit_bit(VecOp *v) { emit_choose(v, v->b_off, v->a_off, v->d_off); }
void vec_emit_bif(VecOp *v) { emit_choose(v, v->b_off, v->d_off, v->a_off); }

/* ---- multiplication ---- */

/* XMM0 = XMM0 * XMM1; XMM2, XMM3 are used. */
static void multiply(VecOp *v)
{
    if (v->esize) {
        sse(v, v->esize == 1 ? 0x0fd5 : 0x0f3840, 0, 1);   /* PMULLW, PMULLD */
        return;
    }
    /* Even bytes as words, and odd bytes moved down, times odd bytes in place. */
    move(v, 2, 0);
    sse(v, 0x0fd5, 0, 1);
    sse_const(v, PAND, 0, SSE_EVEN_BYTES);
    ones(v, 3);
    shift(v, PSLL, 1, 3, 8);
    sse(v, PAND, 1, 3);
    shift(v, PSRL, 1, 2, 8);
    sse(v, 0x0fd5, 2, 1);
    sse(v, POR, 0, 2);
}

void vec_emit_mul(VecOp *v)
{
    load(v, 0, v->a_off);
    load(v, 1, v->b_off);
    multiply(v);
    if (v->host_op == IRV_MLA || v->host_op == IRV_MLS) {
        accumulate(v, (v->host_op == IRV_MLA ? padd : psub)[v->esize]);
    }
}

/* XMM1 = lane imm of b in every lane, of 2 or 4 bytes. */
static void load_lane(VecOp *v)
{
    load_bytes(v, 16, 1, v->b_off);
    shift(v, PSRLDQ, 0, 1, v->imm << v->esize);
    if (v->esize == 1) {
        asm_op_rr(v->a, false, 0xf2, PSHUFD, 1, 1);   /* PSHUFLW */
        asm_u8(v->a, 0);
    }
    sse_imm(v, PSHUFD, 1, 1, 0);
}

void vec_emit_mul_lane(VecOp *v)
{
    load_lane(v);
    load(v, 0, v->a_off);
    multiply(v);
    if (v->host_op != IRV_MUL_LANE) {
        accumulate(v, (v->host_op == IRV_MLA_LANE ? padd : psub)[v->esize]);
    }
}

/* ---- lengthening: opcode[] is the extension ---- */

static void load_extended(VecOp *v, unsigned xmm, int32_t offset)
{
    asm_op_rm(v->a, false, 0x66, v->row->opcode[v->esize], xmm, RBP, offset);
}

void vec_emit_shll(VecOp *v)
{
    load_extended(v, 0, v->a_off);
    shift(v, PSLL, v->esize + 1, 0, v->imm);
}

void vec_emit_addl(VecOp *v)
{
    bool wide = v->host_op == IRV_SADDW || v->host_op == IRV_UADDW ||
                v->host_op == IRV_SSUBW || v->host_op == IRV_USUBW;
    bool subtract = v->host_op == IRV_SSUBL || v->host_op == IRV_USUBL ||
                    v->host_op == IRV_SSUBW || v->host_op == IRV_USUBW;

    if (wide) {
        load_bytes(v, 16, 0, v->a_off);
    } else {
        load_extended(v, 0, v->a_off);
    }
    load_extended(v, 1, v->b_off);
    sse(v, (subtract ? psub : padd)[v->esize + 1], 0, 1);
}

void vec_emit_mull(VecOp *v)
{
    static const uint32_t product[2][3] = {
        { 0x0fd5, 0x0f3840, 0x0ff4 }, { 0x0fd5, 0x0f3840, 0x0f3828 },
    };
    bool is_signed = v->host_op == IRV_SMULL || v->host_op == IRV_SMLAL ||
                     v->host_op == IRV_SMLSL;

    load_extended(v, 0, v->a_off);
    load_extended(v, 1, v->b_off);
    sse(v, product[is_signed][v->esize], 0, 1);
    if (v->host_op == IRV_SMLAL || v->host_op == IRV_UMLAL) {
        accumulate(v, padd[v->esize + 1]);
    } else if (v->host_op == IRV_SMLSL || v->host_op == IRV_UMLSL) {
        accumulate(v, psub[v->esize + 1]);
    }
}

/* ---- comparisons ---- */

/* Not (y > x). */
void vec_emit_cmge(VecOp *v)
{
    load(v, 0, v->b_off);
    sse_env(v, pcmpgt[v->esize], 0, v->a_off);
    invert(v, 0);
}

/*
 * Unsigned: x >= y is max(x, y) == x; x > y is not y >= x. Doublewords have no
 * maximum: flip the sign bits and compare signed. opcode[] is the maximum.
 */
void vec_emit_cmp_unsigned(VecOp *v)
{
    bool higher = v->host_op == IRV_CMHI;
    int32_t x = higher ? v->b_off : v->a_off, y = higher ? v->a_off : v->b_off;

    if (v->esize < 3) {
        load(v, 0, x);
        sse_env(v, v->row->opcode[v->esize], 0, y);
        sse_env(v, pcmpeq[v->esize], 0, x);
        if (higher) {
            invert(v, 0);
        }
        return;
    }
    load(v, 0, y);
    load(v, 1, x);
    ones(v, 2);
    shift(v, PSLL, 3, 2, 63);
    sse(v, PXOR, 0, 2);
    sse(v, PXOR, 1, 2);
    sse(v, pcmpgt[3], 0, 1);
    if (!higher) {
        invert(v, 0);
    }
}

void vec_emit_cmtst(VecOp *v)
{
    load(v, 0, v->a_off);
    sse_env(v, PAND, 0, v->b_off);
    zeros(v, 1);
    sse(v, pcmpeq[v->esize], 0, 1);
    invert(v, 0);
}

void vec_emit_cmp_zero(VecOp *v)
{
    switch (v->host_op) {
    case IRV_CMEQ0:
        zeros(v, 0);
        sse_env(v, pcmpeq[v->esize], 0, v->a_off);
        break;
    case IRV_CMLT0:
        zeros(v, 0);
        sse_env(v, pcmpgt[v->esize], 0, v->a_off);
        break;
    case IRV_CMGE0:
        load(v, 0, v->a_off);
        ones(v, 1);
        sse(v, pcmpgt[v->esize], 0, 1);
        break;
    default:
        load(v, 0, v->a_off);
        zeros(v, 1);
        sse(v, pcmpgt[v->esize], 0, 1);
        if (v->host_op == IRV_CMLE0) {
            invert(v, 0);
        }
        break;
    }
}

/* ---- one operand ---- */

void vec_emit_neg(VecOp *v)
{
    zeros(v, 0);
    sse_env(v, psub[v->esize], 0, v->a_off);
}

void vec_emit_abs(VecOp *v)
{
    static const uint32_t pabs[3] = { 0x0f381c, 0x0f381d, 0x0f381e };

    load(v, 0, v->a_off);
    if (v->esize < 3) {
        sse(v, pabs[v->esize], 0, 0);
        return;
    }
    zeros(v, 1);
    sse(v, pcmpgt[3], 1, 0);
    sse(v, PXOR, 0, 1);
    sse(v, psub[3], 0, 1);
}

/* The bits of each half byte, looked up. */
void vec_emit_cnt(VecOp *v)
{
    load(v, 0, v->a_off);
    move(v, 1, 0);
    shift(v, PSRL, 1, 1, 4);
    sse_const(v, PAND, 0, SSE_LOW_NIBBLES);
    sse_const(v, PAND, 1, SSE_LOW_NIBBLES);
    sse_const(v, 0x0f6f, 2, SSE_NIBBLE_BITS);
    move(v, 3, 2);
    sse(v, PSHUFB, 2, 0);
    sse(v, PSHUFB, 3, 1);
    move(v, 0, 2);
    sse(v, padd[0], 0, 3);
}

/* ---- shifts by immediate ---- */

/* XMM0 <<= or >>= imm, unsigned; bytes are shifted as words and what crossed is cut off. */
static void shift_lanes(VecOp *v, SseShift kind, unsigned count)
{
    unsigned mask;

    if (v->esize) {
        shift(v, kind, v->esize, 0, count);
        return;
    }
    mask = kind == PSLL ? 0xff << count & 0xff : 0xff >> count;
    shift(v, kind, 1, 0, count);
    asm_mov_ri(v->a, RAX, mask * 0x01010101u);
    sse(v, 0x0f6e, 1, RAX);       /* MOVD */
    sse_imm(v, PSHUFD, 1, 1, 0);
    sse(v, PAND, 0, 1);
}

/* XMM0 >>= imm, signed. There are no bytes and doublewords: shift ~x where x < 0. */
static void shift_signed(VecOp *v)
{
    unsigned count = MIN(v->imm, (8 << v->esize) - 1);

    if (v->esize == 1 || v->esize == 2) {
        shift(v, PSRA, v->esize, 0, count);
        return;
    }
    zeros(v, 2);
    sse(v, pcmpgt[v->esize], 2, 0);
    sse(v, PXOR, 0, 2);
    shift_lanes(v, PSRL, count);
    sse(v, PXOR, 0, 2);
}

void vec_emit_shl(VecOp *v)
{
    load(v, 0, v->a_off);
    shift_lanes(v, PSLL, v->imm);
}

void vec_emit_ushr(VecOp *v)
{
    load(v, 0, v->a_off);
    shift_lanes(v, PSRL, v->imm);
    if (v->host_op == IRV_USRA) {
        accumulate(v, padd[v->esize]);
    }
}

void vec_emit_sshr(VecOp *v)
{
    load(v, 0, v->a_off);
    shift_signed(v);
    if (v->host_op == IRV_SSRA) {
        accumulate(v, padd[v->esize]);
    }
}

/* The bits of d that the shift does not reach stay: d ^ ((d ^ x) & mask), as shifts of ones. */
void vec_emit_insert(VecOp *v)
{
    SseShift kind = v->host_op == IRV_SLI ? PSLL : PSRL;

    ones(v, 0);
    shift_lanes(v, kind, v->imm);
    move(v, 3, 0);
    load(v, 0, v->a_off);
    shift_lanes(v, kind, v->imm);
    sse_env(v, PANDN, 3, v->d_off);
    sse(v, POR, 0, 3);
}
