/*
 * Inline vector operations: permutes, pairs, narrowing, cryptography.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/x86_64/gen-vec.h"

/* ---- permutes ---- */

/* The register pairs of two-source permutes: XMM0 and XMM1, or both in one for 8 bytes. */
static void load_pair(VecOp *v)
{
    load(v, 0, v->a_off);
    load(v, 1, v->b_off);
    if (v->bytes == 8) {
        sse(v, PUNPCKLQDQ, 0, 1);
        move(v, 1, 0);
    }
}

/* x = the even or odd lanes of x, then of y. y is used up. */
static void unzip(VecOp *v, bool odd, unsigned x, unsigned y)
{
    switch (v->esize) {
    case 0: case 1:
        for (unsigned n = 0; n < 2; n++) {
            if (odd) {
                shift(v, PSRL, v->esize + 1, n ? y : x, 8 << v->esize);
            } else {
                sse_const(v, PAND, n ? y : x, v->esize ? SSE_EVEN_WORDS : SSE_EVEN_BYTES);
            }
        }
        sse(v, v->esize ? PACKUSDW : PACKUSWB, x, y);
        break;
    case 2:
        asm_op_rr(v->a, false, 0, 0x0fc6, x, y);    /* SHUFPS */
        asm_u8(v->a, odd ? 0xdd : 0x88);
        break;
    default:
        sse(v, odd ? PUNPCKHQDQ : PUNPCKLQDQ, x, y);
        break;
    }
}

void vec_emit_uzp(VecOp *v)
{
    load_pair(v);
    unzip(v, v->host_op == IRV_UZP2, 0, 1);
}

/* opcode[] combines the even with the odd lanes. */
void vec_emit_pairwise(VecOp *v)
{
    load_pair(v);
    move(v, 2, 0);
    move(v, 3, 1);
    unzip(v, false, 0, 1);
    unzip(v, true, 2, 3);
    sse(v, v->row->opcode[v->esize], 0, 2);
}

void vec_emit_zip(VecOp *v)
{
    bool high = v->host_op == IRV_ZIP2;

    load(v, 0, v->a_off);
    sse_env(v, (high && v->bytes == 16 ? punpckh : punpckl)[v->esize], 0, v->b_off);
    if (high && v->bytes == 8) {
        shift(v, PSRLDQ, 0, 0, 8);
    }
}

/* Lanes moved within pairs of lanes, by shifts of twice the width. */
void vec_emit_trn(VecOp *v)
{
    bool second = v->host_op == IRV_TRN2;
    unsigned bits = 8 << v->esize, pair = v->esize + 1;

    load(v, 0, v->a_off);
    if (v->esize == 3) {
        sse_env(v, second ? PUNPCKHQDQ : PUNPCKLQDQ, 0, v->b_off);
        return;
    }
    load(v, 1, v->b_off);
    if (second) {
        shift(v, PSRL, pair, 0, bits);
        shift(v, PSRL, pair, 1, bits);
        shift(v, PSLL, pair, 1, bits);
    } else {
        shift(v, PSLL, pair, 0, bits);
        shift(v, PSRL, pair, 0, bits);
        shift(v, PSLL, pair, 1, bits);
    }
    sse(v, POR, 0, 1);
}

void vec_emit_ext(VecOp *v)
{
    if (v->bytes == 16) {
        load(v, 0, v->b_off);
        load(v, 1, v->a_off);
        sse_imm(v, 0x0f3a0f, 0, 1, v->imm);    /* PALIGNR */
    } else {
        load_pair(v);
        shift(v, PSRLDQ, 0, 0, v->imm);
    }
}

void vec_emit_dup(VecOp *v)
{
    load_bytes(v, (v->imm << v->esize) < 8 ? 8 : 16, 0, v->a_off);
    shift(v, PSRLDQ, 0, 0, v->imm << v->esize);
    switch (v->esize) {
    case 0:
        zeros(v, 1);
        sse(v, PSHUFB, 0, 1);
        break;
    case 1:
        asm_op_rr(v->a, false, 0xf2, PSHUFD, 0, 0);    /* PSHUFLW */
        asm_u8(v->a, 0);
        sse_imm(v, PSHUFD, 0, 0, 0);
        break;
    default:
        sse_imm(v, PSHUFD, 0, 0, v->esize == 2 ? 0 : 0x44);
        break;
    }
}

void vec_emit_rev(VecOp *v)
{
    load(v, 0, v->a_off);
    if (v->esize == 2) {
        sse_imm(v, PSHUFD, 0, 0, 0xb1);
    } else {
        sse_const(v, PSHUFB, 0, (SseConst)v->row->opcode[v->esize]);
    }
}

/* Saturation turns the indices from 16 on into ones that PSHUFB makes zero of. */
void vec_emit_tbl1(VecOp *v)
{
    load(v, 1, v->b_off);
    sse_const(v, 0x0fdc, 1, SSE_TBL_BIAS);    /* PADDUSB */
    load_bytes(v, 16, 0, v->a_off);
    sse(v, PSHUFB, 0, 1);
}

/* The "2" form writes the upper half alone. */
void vec_emit_narrow(VecOp *v)
{
    load_bytes(v, 16, 0, v->a_off);
    if (v->host_op == IRV_SHRN) {
        shift(v, PSRL, v->esize + 1, 0, v->imm);
    }
    if (v->esize == 2) {
        sse_imm(v, PSHUFD, 0, 0, 0x88);
    } else {
        unzip(v, false, 0, 0);
    }
    if (v->bytes == 16) {
        asm_op_rm(v->a, false, 0x66, 0x0fd6, 0, RBP, v->d_off + 8);    /* MOVQ */
        v->stored = true;
    }
}

/* ---- cryptography ---- */

void vec_emit_pmull64(VecOp *v)
{
    load_bytes(v, 8, 0, v->a_off);
    load_bytes(v, 8, 1, v->b_off);
    sse_imm(v, 0x0f3a44, 0, 1, 0);
}

/* The last round without a key; opcode[0] says which. */
void vec_emit_aes_round(VecOp *v)
{
    load(v, 0, v->a_off);
    sse_env(v, PXOR, 0, v->b_off);
    zeros(v, 1);
    sse(v, v->row->opcode[0], 0, 1);
}

/* MixColumns: undo the two first steps of a round, then do a whole one. */
void vec_emit_aesmc(VecOp *v)
{
    load(v, 0, v->a_off);
    zeros(v, 1);
    sse(v, AESDECLAST, 0, 1);
    sse(v, AESENC, 0, 1);
}

void vec_emit_aesimc(VecOp *v)
{
    load(v, 0, v->a_off);
    sse(v, AESIMC, 0, 0);
}

/*
 * Four rounds of SHA-256: d and a are the halves of the state, which of them
 * is A B C D depends; b is the message with the constants. The host does two rounds on
 * A B E F and C D G H (highest lane first), with the message in XMM0.
 */
void vec_emit_sha256h(VecOp *v)
{
    bool second = v->host_op == IRV_SHA256_EFGH;
    int32_t abcd = second ? v->a_off : v->d_off, efgh = second ? v->d_off : v->a_off;

    load(v, 0, v->b_off);
    asm_op_rm(v->a, false, 0x66, PSHUFD, 1, RBP, abcd);
    asm_u8(v->a, 0x1b);             /* A B C D, highest first */
    asm_op_rm(v->a, false, 0x66, PSHUFD, 2, RBP, efgh);
    asm_u8(v->a, 0x1b);
    move(v, 3, 2);
    sse(v, PUNPCKLQDQ, 2, 1);       /* C D G H */
    sse(v, PUNPCKHQDQ, 3, 1);       /* A B E F */
    asm_op_rr(v->a, false, 0, 0x0f38cb, 2, 3);     /* SHA256RNDS2: now A B E F */
    sse_imm(v, PSHUFD, 0, 0, 0x0e);
    asm_op_rr(v->a, false, 0, 0x0f38cb, 3, 2);     /* A B E F of two rounds on */
    /* XMM3 is the newer pair, XMM2 the older one, which has become C D G H. */
    sse(v, second ? punpckl[3] : punpckh[3], 2, 3);
    sse_imm(v, PSHUFD, 0, 2, 0x1b);
}

void vec_emit_sha256su0(VecOp *v)
{
    load(v, 0, v->d_off);
    load(v, 1, v->a_off);
    asm_op_rr(v->a, false, 0, 0x0f38cc, 0, 1);     /* SHA256MSG1 */
}

void vec_emit_sha256su1(VecOp *v)
{
    load(v, 1, v->b_off);
    move(v, 0, 1);
    load(v, 2, v->a_off);
    sse_imm(v, 0x0f3a0f, 0, 2, 4);                 /* PALIGNR */
    sse_env(v, padd[2], 0, v->d_off);
    asm_op_rr(v->a, false, 0, 0x0f38cd, 0, 1);     /* SHA256MSG2 */
}
