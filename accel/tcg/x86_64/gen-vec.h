/*
 * Inline vector operations: what the emitters share.
 *
 * 1. Operands and result live in CPU state memory. XMM0 to XMM5 are scratch within one
 *    operation; an emitter leaves the result in XMM0.
 * 2. 8-byte operands are loaded with the upper half zero. What an emitter leaves above
 *    an 8-byte result is cleared at the end.
 * 3. Up to SSE4.2 is taken as one level; what came later has a feature flag of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_X86_64_GEN_VEC_H
#define ACCEL_TCG_X86_64_GEN_VEC_H

#include "accel/tcg/x86_64/gen.h"

typedef struct VecOp VecOp;

/* How one IrVecHostOp is emitted. Sizes without an opcode, or not in `sizes`, are called. */
typedef struct VecRow {
    void (*emit)(VecOp *v);
    uint32_t opcode[4];     /* by log2 of the element bytes; meaning up to emit */
    uint8_t sizes;          /* bit n: element size n, where opcode[] is not used */
    uint8_t needs;          /* GenFeature bits */
} VecRow;

struct VecOp {
    Asm *a;
    const GenStubs *stubs;
    const VecRow *row;
    IrVecHostOp host_op;
    unsigned bytes, esize;
    int imm;
    int32_t d_off, a_off, b_off;
    bool stored;            /* the emitter has written d itself */
};

/* Opcodes by element size. */
static const uint32_t padd[4] = { 0x0ffc, 0x0ffd, 0x0ffe, 0x0fd4 };
static const uint32_t psub[4] = { 0x0ff8, 0x0ff9, 0x0ffa, 0x0ffb };
static const uint32_t pcmpeq[4] = { 0x0f74, 0x0f75, 0x0f76, 0x0f3829 };
static const uint32_t pcmpgt[4] = { 0x0f64, 0x0f65, 0x0f66, 0x0f3837 };
static const uint32_t punpckl[4] = { 0x0f60, 0x0f61, 0x0f62, 0x0f6c };
static const uint32_t punpckh[4] = { 0x0f68, 0x0f69, 0x0f6a, 0x0f6d };

#define PAND 0x0fdb
#define POR 0x0feb
#define PXOR 0x0fef
#define PANDN 0x0fdf        /* ~dst & src */
#define PSHUFB 0x0f3800
#define PSHUFD 0x0f70
#define PACKUSWB 0x0f67
#define PACKUSDW 0x0f382b
#define PUNPCKLQDQ 0x0f6c
#define PUNPCKHQDQ 0x0f6d
#define AESENC 0x0f38dc
#define AESENCLAST 0x0f38dd
#define AESDECLAST 0x0f38df
#define AESIMC 0x0f38db

static inline void sse(const VecOp *v, unsigned opcode, unsigned dst, unsigned src)
{
    asm_op_rr(v->a, false, 0x66, opcode, dst, src);
}

static inline void sse_imm(const VecOp *v, unsigned opcode, unsigned dst, unsigned src,
                           unsigned imm)
{
    sse(v, opcode, dst, src);
    asm_u8(v->a, imm);
}

static inline void move(const VecOp *v, unsigned dst, unsigned src)
{
    sse(v, 0x0f6f, dst, src);
}

/* A whole register, or 8 bytes of one. */
static inline void load_bytes(const VecOp *v, unsigned bytes, unsigned xmm, int32_t offset)
{
    if (bytes == 16) {
        asm_op_rm(v->a, false, 0x66, 0x0f6f, xmm, RBP, offset);   /* MOVDQA */
    } else {
        asm_op_rm(v->a, false, 0xf3, 0x0f7e, xmm, RBP, offset);   /* MOVQ */
    }
}

static inline void load(const VecOp *v, unsigned xmm, int32_t offset)
{
    load_bytes(v, v->bytes, xmm, offset);
}

/* dst = dst op operand in CPU state; XMM5 may be used. */
static inline void sse_env(const VecOp *v, unsigned opcode, unsigned dst, int32_t offset)
{
    if (v->bytes == 16) {
        asm_op_rm(v->a, false, 0x66, opcode, dst, RBP, offset);
    } else {
        load(v, 5, offset);
        sse(v, opcode, dst, 5);
    }
}

static inline void sse_const(const VecOp *v, unsigned opcode, unsigned dst, SseConst constant)
{
    asm_op_rip(v->a, 0x66, opcode, dst, v->stubs->sse_consts + 16 * constant);
}

typedef enum SseShift { PSRL = 2, PSRA = 4, PSLL = 6, PSRLDQ = 3 + 8 } SseShift;

/* Lanes of 2, 4 or 8 bytes (PSRLDQ: bytes of the register). Too large counts give 0 or the sign. */
static inline void shift(const VecOp *v, SseShift kind, unsigned esize, unsigned xmm,
                         unsigned count)
{
    if (count) {
        asm_op_rr(v->a, false, 0x66, kind == PSRLDQ ? 0x0f73 : 0x0f70 + esize, kind & 7, xmm);
        asm_u8(v->a, count);
    }
}

static inline void zeros(const VecOp *v, unsigned xmm)
{
    sse(v, PXOR, xmm, xmm);
}

static inline void ones(const VecOp *v, unsigned xmm)
{
    sse(v, 0x0f76, xmm, xmm);
}

static inline void invert(const VecOp *v, unsigned xmm)
{
    ones(v, 5);
    sse(v, PXOR, xmm, 5);
}

/* XMM0 = d op XMM0. */
static inline void accumulate(VecOp *v, unsigned opcode)
{
    move(v, 1, 0);
    load(v, 0, v->d_off);
    sse(v, opcode, 0, 1);
}

/* ---- gen-vec-alu.c ---- */

void vec_emit_mov(VecOp *v);
void vec_emit_binary(VecOp *v);
void vec_emit_swapped(VecOp *v);
void vec_emit_not(VecOp *v);
void vec_emit_orc(VecOp *v);
void vec_emit_bsl(VecOp *v);
void vec_emit_bit(VecOp *v);
void vec_emit_bif(VecOp *v);
void vec_emit_mul(VecOp *v);
void vec_emit_mul_lane(VecOp *v);
void vec_emit_shll(VecOp *v);
void vec_emit_addl(VecOp *v);
void vec_emit_mull(VecOp *v);
void vec_emit_cmge(VecOp *v);
void vec_emit_cmp_unsigned(VecOp *v);
void vec_emit_cmtst(VecOp *v);
void vec_emit_cmp_zero(VecOp *v);
void vec_emit_neg(VecOp *v);
void vec_emit_abs(VecOp *v);
void vec_emit_cnt(VecOp *v);
void vec_emit_shl(VecOp *v);
void vec_emit_ushr(VecOp *v);
void vec_emit_sshr(VecOp *v);
void vec_emit_insert(VecOp *v);

/* ---- gen-vec-permute.c ---- */

void vec_emit_uzp(VecOp *v);
void vec_emit_pairwise(VecOp *v);
void vec_emit_zip(VecOp *v);
void vec_emit_trn(VecOp *v);
void vec_emit_ext(VecOp *v);
void vec_emit_dup(VecOp *v);
void vec_emit_tbl1(VecOp *v);
void vec_emit_narrow(VecOp *v);
void vec_emit_pmull64(VecOp *v);
void vec_emit_aes_round(VecOp *v);
void vec_emit_aesmc(VecOp *v);
void vec_emit_aesimc(VecOp *v);
void vec_emit_sha256h(VecOp *v);
void vec_emit_sha256su0(VecOp *v);
void vec_emit_sha256su1(VecOp *v);
void vec_emit_rev(VecOp *v);

#endif
