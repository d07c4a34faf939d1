/*
 * Vector operations, inline where SSE has the same (accel/tcg/vec-ops.def says
 * what each means); the rest calls the C function.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/x86_64/gen-vec.h"

/* ---- constants ---- */

#define TWICE(x) { x, x }

static const uint64_t sse_consts[SSE_NUM_CONSTS][2] = {
    [SSE_EVEN_BYTES] = TWICE(0x00ff00ff00ff00ff),
    [SSE_EVEN_WORDS] = TWICE(0x0000ffff0000ffff),
    [SSE_LOW_NIBBLES] = TWICE(0x0f0f0f0f0f0f0f0f),
    [SSE_NIBBLE_BITS] = { 0x0302020102010100, 0x0403030203020201 },
    [SSE_TBL_BIAS] = TWICE(0x7070707070707070),
    [SSE_REV16_BYTES] = { 0x0607040502030001, 0x0e0f0c0d0a0b0809 },
    [SSE_REV32_BYTES] = { 0x0405060700010203, 0x0c0d0e0f08090a0b },
    [SSE_REV32_WORDS] = { 0x0504070601000302, 0x0d0c0f0e09080b0a },
    [SSE_REV64_BYTES] = { 0x0001020304050607, 0x08090a0b0c0d0e0f },
    [SSE_SIGN32] = { 0x80000000, 0 },
    [SSE_SIGN64] = { 0x8000000000000000, 0 },
    [SSE_SIGNS32] = TWICE(0x8000000080000000),
    [SSE_SIGNS64] = TWICE(0x8000000000000000),
    [SSE_FINITE_BIAS] = TWICE(0x8000000080000000),
    [SSE_FINITE_LIMIT32] = TWICE(0x7effffff7effffff),
    [SSE_FINITE_LIMIT64] = TWICE(0x7fdfffff7fdfffff),
    [SSE_SAFE_BIAS32] = TWICE(0x7e0000007e000000),
    [SSE_SAFE_BIAS64] = TWICE(0x7fc000007fc00000),
    [SSE_SAFE_LIMIT32] = TWICE(0x7cffffff7cffffff),
    [SSE_SAFE_LIMIT64] = TWICE(0x7f9fffff7f9fffff),
    [SSE_NORMAL_BIAS32] = TWICE(0x7f0000007f000000),
    [SSE_NORMAL_BIAS64] = TWICE(0x7fe000007fe00000),
    [SSE_NORMAL_LIMIT32] = TWICE(0x7effffff7effffff),
    [SSE_NORMAL_LIMIT64] = TWICE(0x7fdfffff7fdfffff),
    [SSE_LOW_HALF32] = TWICE(0x00000fff00000fff),
    [SSE_LOW_HALF64] = TWICE(0x0000000007ffffff),
    [SSE_REV64_WORDS] = { 0x0100030205040706, 0x09080b0a0d0c0f0e },
};

void gen_sse_consts(Asm *a, GenStubs *stubs)
{
    while ((uintptr_t)a->p & 15) {
        asm_u8(a, 0);
    }
    stubs->sse_consts = asm_exec(a, a->p);
    for (unsigned n = 0; n < SSE_NUM_CONSTS; n++) {
        asm_u64(a, sse_consts[n][0]);
        asm_u64(a, sse_consts[n][1]);
    }
}

/* ---- the table ---- */

#define OPS(emit_, ...) { .emit = emit_, .opcode = { __VA_ARGS__ } }
#define BITS(emit_, opcode_) OPS(emit_, opcode_, opcode_, opcode_, opcode_)
#define SIZES(emit_, sizes_) { .emit = emit_, .sizes = sizes_ }
#define NEEDS(emit_, needs_, ...) \
    { .emit = emit_, .needs = needs_, .sizes = 15, .opcode = { __VA_ARGS__ } }
#define PMOVSX 0x0f3820, 0x0f3823, 0x0f3825
#define PMOVZX 0x0f3830, 0x0f3833, 0x0f3835
#define PMAXU 0x0fde, 0x0f383e, 0x0f383f
#define PMINU 0x0fda, 0x0f383a, 0x0f383b
#define PMAXS 0x0f383c, 0x0fee, 0x0f383d
#define PMINS 0x0f3838, 0x0fea, 0x0f3839

static const VecRow vec_rows[] = {
    [IRV_MOV] = SIZES(vec_emit_mov, 15),
    [IRV_AND] = BITS(vec_emit_binary, PAND),
    [IRV_OR] = BITS(vec_emit_binary, POR),
    [IRV_XOR] = BITS(vec_emit_binary, PXOR),
    [IRV_ANDC] = BITS(vec_emit_swapped, PANDN),
    [IRV_ORC] = SIZES(vec_emit_orc, 15),
    [IRV_NOT] = SIZES(vec_emit_not, 15),
    [IRV_BSL] = SIZES(vec_emit_bsl, 15),
    [IRV_BIT] = SIZES(vec_emit_bit, 15),
    [IRV_BIF] = SIZES(vec_emit_bif, 15),
    [IRV_ADD] = OPS(vec_emit_binary, 0x0ffc, 0x0ffd, 0x0ffe, 0x0fd4),
    [IRV_SUB] = OPS(vec_emit_binary, 0x0ff8, 0x0ff9, 0x0ffa, 0x0ffb),
    [IRV_MUL] = SIZES(vec_emit_mul, 7),
    [IRV_MLA] = SIZES(vec_emit_mul, 7),
    [IRV_MLS] = SIZES(vec_emit_mul, 7),
    [IRV_MUL_LANE] = SIZES(vec_emit_mul_lane, 6),
    [IRV_MLA_LANE] = SIZES(vec_emit_mul_lane, 6),
    [IRV_MLS_LANE] = SIZES(vec_emit_mul_lane, 6),
    [IRV_CMEQ] = OPS(vec_emit_binary, 0x0f74, 0x0f75, 0x0f76, 0x0f3829),
    [IRV_CMGT] = OPS(vec_emit_binary, 0x0f64, 0x0f65, 0x0f66, 0x0f3837),
    [IRV_CMGE] = SIZES(vec_emit_cmge, 15),
    [IRV_CMHI] = { .emit = vec_emit_cmp_unsigned, .opcode = { PMAXU }, .sizes = 15 },
    [IRV_CMHS] = { .emit = vec_emit_cmp_unsigned, .opcode = { PMAXU }, .sizes = 15 },
    [IRV_CMTST] = SIZES(vec_emit_cmtst, 15),
    [IRV_CMEQ0] = SIZES(vec_emit_cmp_zero, 15),
    [IRV_CMGT0] = SIZES(vec_emit_cmp_zero, 15),
    [IRV_CMGE0] = SIZES(vec_emit_cmp_zero, 15),
    [IRV_CMLE0] = SIZES(vec_emit_cmp_zero, 15),
    [IRV_CMLT0] = SIZES(vec_emit_cmp_zero, 15),
    [IRV_SMAX] = OPS(vec_emit_binary, PMAXS),
    [IRV_UMAX] = OPS(vec_emit_binary, PMAXU),
    [IRV_SMIN] = OPS(vec_emit_binary, PMINS),
    [IRV_UMIN] = OPS(vec_emit_binary, PMINU),
    [IRV_URHADD] = OPS(vec_emit_binary, 0x0fe0, 0x0fe3),
    [IRV_NEG] = SIZES(vec_emit_neg, 15),
    [IRV_ABS] = SIZES(vec_emit_abs, 15),
    [IRV_CNT] = SIZES(vec_emit_cnt, 1),
    [IRV_REV16] = OPS(vec_emit_rev, SSE_REV16_BYTES),
    [IRV_REV32] = OPS(vec_emit_rev, SSE_REV32_BYTES, SSE_REV32_WORDS),
    [IRV_REV64] = OPS(vec_emit_rev, SSE_REV64_BYTES, SSE_REV64_WORDS, PSHUFD),
    [IRV_SHL_IMM] = SIZES(vec_emit_shl, 15),
    [IRV_USHR_IMM] = SIZES(vec_emit_ushr, 15),
    [IRV_SSHR_IMM] = SIZES(vec_emit_sshr, 15),
    [IRV_USRA] = SIZES(vec_emit_ushr, 15),
    [IRV_SSRA] = SIZES(vec_emit_sshr, 15),
    [IRV_SLI] = SIZES(vec_emit_insert, 15),
    [IRV_SRI] = SIZES(vec_emit_insert, 15),
    [IRV_SSHLL] = OPS(vec_emit_shll, PMOVSX),
    [IRV_USHLL] = OPS(vec_emit_shll, PMOVZX),
    [IRV_SADDL] = OPS(vec_emit_addl, PMOVSX),
    [IRV_UADDL] = OPS(vec_emit_addl, PMOVZX),
    [IRV_SSUBL] = OPS(vec_emit_addl, PMOVSX),
    [IRV_USUBL] = OPS(vec_emit_addl, PMOVZX),
    [IRV_SADDW] = OPS(vec_emit_addl, PMOVSX),
    [IRV_UADDW] = OPS(vec_emit_addl, PMOVZX),
    [IRV_SSUBW] = OPS(vec_emit_addl, PMOVSX),
    [IRV_USUBW] = OPS(vec_emit_addl, PMOVZX),
    [IRV_SMULL] = OPS(vec_emit_mull, PMOVSX),
    [IRV_UMULL] = OPS(vec_emit_mull, PMOVZX),
    [IRV_SMLAL] = OPS(vec_emit_mull, PMOVSX),
    [IRV_UMLAL] = OPS(vec_emit_mull, PMOVZX),
    [IRV_SMLSL] = OPS(vec_emit_mull, PMOVSX),
    [IRV_UMLSL] = OPS(vec_emit_mull, PMOVZX),
    [IRV_XTN] = SIZES(vec_emit_narrow, 7),
    [IRV_SHRN] = SIZES(vec_emit_narrow, 7),
    [IRV_ADDP] = OPS(vec_emit_pairwise, 0x0ffc, 0x0ffd, 0x0ffe, 0x0fd4),
    [IRV_UMAXP] = OPS(vec_emit_pairwise, PMAXU),
    [IRV_UMINP] = OPS(vec_emit_pairwise, PMINU),
    [IRV_SMAXP] = OPS(vec_emit_pairwise, PMAXS),
    [IRV_SMINP] = OPS(vec_emit_pairwise, PMINS),
    [IRV_DUP_LANE] = SIZES(vec_emit_dup, 15),
    [IRV_ZIP1] = SIZES(vec_emit_zip, 15),
    [IRV_ZIP2] = SIZES(vec_emit_zip, 15),
    [IRV_UZP1] = SIZES(vec_emit_uzp, 15),
    [IRV_UZP2] = SIZES(vec_emit_uzp, 15),
    [IRV_TRN1] = SIZES(vec_emit_trn, 15),
    [IRV_TRN2] = SIZES(vec_emit_trn, 15),
    [IRV_EXT] = SIZES(vec_emit_ext, 15),
    [IRV_TBL1] = SIZES(vec_emit_tbl1, 15),
    [IRV_CLMUL64] = NEEDS(vec_emit_pmull64, GEN_HAS_PCLMUL),
    [IRV_AES_SUB] = NEEDS(vec_emit_aes_round, GEN_HAS_AES, AESENCLAST),
    [IRV_AES_INV_SUB] = NEEDS(vec_emit_aes_round, GEN_HAS_AES, AESDECLAST),
    [IRV_AES_MIX] = NEEDS(vec_emit_aesmc, GEN_HAS_AES),
    [IRV_AES_INV_MIX] = NEEDS(vec_emit_aesimc, GEN_HAS_AES),
    [IRV_SHA256_ABCD] = NEEDS(vec_emit_sha256h, GEN_HAS_SHA),
    [IRV_SHA256_EFGH] = NEEDS(vec_emit_sha256h, GEN_HAS_SHA),
    [IRV_SHA256_SIGMA0] = NEEDS(vec_emit_sha256su0, GEN_HAS_SHA),
    [IRV_SHA256_SIGMA1] = NEEDS(vec_emit_sha256su1, GEN_HAS_SHA),
};

static bool gen_vec_inline(Gen *g, const IrInsn *i)
{
    const GenStubs *stubs = gen_stubs(g->t);
    uint32_t desc = ir_insn_vec_desc(i);
    VecOp v = {
        .a = &g->a, .stubs = stubs, .host_op = (IrVecHostOp)ir_insn_vec(i)->host_op,
        .bytes = vec_desc_bytes(desc), .esize = vec_desc_esize(desc), .imm = vec_desc_imm(desc),
        .d_off = i->arg[0] * 8, .a_off = i->arg[1] * 8, .b_off = i->arg[2] * 8,
    };
    const VecRow *row;

    if (v.host_op >= ARRAY_SIZE(vec_rows) || v.bytes > 16) {
        return false;
    }
    row = &vec_rows[v.host_op];
    if (!row->emit || !(row->opcode[v.esize] || row->sizes >> v.esize & 1) ||
        !(stubs->features & GEN_HAS_SSE42) || row->needs & ~stubs->features) {
        return false;
    }
    v.row = row;
    gen_xmm_forget(g, v.d_off);
    row->emit(&v);
    if (!v.stored) {
        if (v.bytes == 8) {
            asm_op_rr(v.a, false, 0xf3, 0x0f7e, 0, 0);    /* MOVQ */
        }
        asm_op_rm(v.a, false, 0x66, 0x0f7f, 0, RBP, v.d_off);
    }
    return true;
}

void gen_vec(Gen *g, const IrInsn *i)
{
    Asm *a = &g->a;

    if (!gen_vec_inline(g, i)) {
        gen_save_for_call(g);
        gen_drop_caller_saved(g);
        gen_xmm_forget_all(g);
        asm_lea(a, true, RDI, RBP, i->arg[0] * 8);
        asm_lea(a, true, RSI, RBP, i->arg[1] * 8);
        asm_lea(a, true, RDX, RBP, i->arg[2] * 8);
        asm_mov_ri(a, RCX, ir_insn_vec_desc(i));
        asm_call_abs(a, (const void *)ir_insn_vec(i)->fn);
    }
    gen_flags_clobbered(g);
}
