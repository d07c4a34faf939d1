/*
 * Vector floating point: operands and results, tests of lanes, the table (gen-fp-vec.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/x86_64/gen-fp-vec.h"

/* ---- operands and results ---- */

/* How much of the operands is read. */
static unsigned x_bytes(const FpOp *f)
{
    return f->form == IRFV_PAIRS ? MIN(2 * f->bytes, 16) : f->bytes;
}

static unsigned y_bytes(const FpOp *f)
{
    return f->form == IRFV_BY_LANE ? 16 : x_bytes(f);
}

/* Cold code reads memory. */
void fpv_load(const FpOp *f, unsigned xmm, int32_t offset, unsigned bytes)
{
    unsigned zero_from, copy = f->g ? gen_xmm_find(f->g, offset, &zero_from) : 0;

    if (copy) {
        fp_move(f, xmm, copy);
    } else if (bytes == 16) {
        asm_op_rm(f->a, false, 0, 0x0f28, xmm, RBP, offset);       /* MOVAPS */
    } else if (bytes == 8) {
        asm_op_rm(f->a, false, 0xf3, 0x0f7e, xmm, RBP, offset);    /* MOVQ */
    } else {
        asm_op_rm(f->a, false, 0x66, 0x0f6e, xmm, RBP, offset);    /* MOVD */
    }
}

/* Lane imm of the register in all lanes. */
static void broadcast(const FpOp *f, unsigned xmm)
{
    unsigned lane = vec_desc_imm(f->desc);

    if (f->is_double) {
        packed(f, lane ? 0x15 : 0x14, xmm, xmm);                   /* UNPCKHPD, UNPCKLPD */
    } else {
        packed(f, 0xc6, xmm, xmm);                                 /* SHUFPS */
        asm_u8(f->a, lane * 0x55);
    }
}

/* XMM x and XMM y = the first and second numbers of the pairs; XMM5 is used. */
static void load_pairs(const FpOp *f, unsigned x, unsigned y)
{
    fpv_load(f, x, f->x, x_bytes(f));
    fp_move(f, y, x);
    fpv_load(f, 5, f->y, x_bytes(f));
    if (f->is_double) {
        packed(f, 0x14, x, 5);
        packed(f, 0x15, y, 5);
        return;
    }
    if (f->bytes < 16) {
        asm_op_rr(f->a, false, 0x66, 0x0f14, x, 5);                /* UNPCKLPD */
        fp_move(f, y, x);
        fp_move(f, 5, x);
    }
    packed(f, 0xc6, x, 5);
    asm_u8(f->a, 0x88);
    packed(f, 0xc6, y, 5);
    asm_u8(f->a, 0xdd);
}

/* The operands, as the form has them. */
void fpv_load_operands(const FpOp *f, unsigned x, unsigned y)
{
    if (f->form == IRFV_PAIRS) {
        load_pairs(f, x, y);
        return;
    }
    fpv_load(f, x, f->x, x_bytes(f));
    fpv_load(f, y, f->y, y_bytes(f));
    if (f->form == IRFV_BY_LANE) {
        broadcast(f, y);
    }
}

bool fpv_reads_d(const FpOp *f)
{
    return f->host_op == IRFP_MADD || f->host_op == IRFP_MSUB;
}

void fpv_store(FpOp *f)
{
    if (f->bytes == 8) {
        asm_op_rr(f->a, false, 0xf3, 0x0f7e, 0, 0);                /* MOVQ */
    } else if (f->bytes == 4) {
        asm_op_rr(f->a, false, 0x66, 0x0f3a21, 0, 0);              /* INSERTPS: clear 1 to 3 */
        asm_u8(f->a, 0x0e);
    }
    fp_store(f, f->bytes);
}

/* ---- tests ---- */

/* NE when the mask has a lane. */
void fpv_test_lanes(const FpOp *f, unsigned mask)
{
    unsigned lanes = f->bytes >> (f->is_double ? 3 : 2);

    packed(f, 0x50, RAX, mask);                                    /* MOVMSKPS */
    if (f->bytes == 16) {
        asm_test_rr(f->a, false, RAX, RAX);
    } else {
        asm_u8(f->a, 0xa8);                                        /* TEST AL */
        asm_u8(f->a, (1 << lanes) - 1);
    }
}

void fpv_need_none(FpOp *f, unsigned mask)
{
    fpv_test_lanes(f, mask);
    cold_if(f, CC_NE);
}

void fpv_need_numbers(FpOp *f, unsigned x, unsigned y, unsigned scratch)
{
    fp_move(f, scratch, x);
    compare(f, CMP_P_UNORD, scratch, y);
    fpv_need_none(f, scratch);
}

/*
 * XMM3 = the lanes of the register whose exponent is out of range. The words that hold exponents are
 * doubled, which drops the sign, and moved so that what is in range are the lowest signed numbers.
 */
static void find_outside(const FpOp *f, unsigned xmm, SseConst bias, SseConst limit)
{
    fp_move(f, 3, xmm);
    asm_op_rr(f->a, false, 0x66, 0x0ffe, 3, 3);                    /* PADDD */
    packed_const(f, 0x66, 0x0ffe, 3, bias);
    packed_const(f, 0x66, 0x0f66, 3, limit);                       /* PCMPGTD */
}

void fpv_need_finite(FpOp *f)
{
    find_outside(f, 0, SSE_FINITE_BIAS, f->is_double ? SSE_FINITE_LIMIT64 : SSE_FINITE_LIMIT32);
    fpv_need_none(f, 3);
}

/* Lanes that are not finite, or within reach of denormals. */
void fpv_find_unsafe(const FpOp *f, unsigned xmm)
{
    find_outside(f, xmm, f->is_double ? SSE_SAFE_BIAS64 : SSE_SAFE_BIAS32,
                 f->is_double ? SSE_SAFE_LIMIT64 : SSE_SAFE_LIMIT32);
}

/* ---- flushing to zero ---- */

/* Exponent zero is zero, or a denormal. */
void fpv_need_no_denormals(FpOp *f, unsigned xmm)
{
    find_outside(f, xmm, f->is_double ? SSE_NORMAL_BIAS64 : SSE_NORMAL_BIAS32,
                 f->is_double ? SSE_NORMAL_LIMIT64 : SSE_NORMAL_LIMIT32);
    fp_zero(f, 4);
    compare(f, CMP_P_NEQ, 4, xmm);
    packed(f, FP_AND, 3, 4);
    fpv_need_none(f, 3);
}

/* Without denormal operands, FPCR.FZ means nothing but for the result. */
static void allow_flush(FpOp *f)
{
    fpv_load_operands(f, 1, 2);
    fpv_need_no_denormals(f, 1);
    fpv_need_no_denormals(f, 2);
    if (fpv_reads_d(f)) {
        fpv_load(f, 1, f->dst, f->bytes);
        fpv_need_no_denormals(f, 1);
    }
}

void fpv_allow_flush_nearest(FpOp *f)
{
    need_fpcr_clear(f, IR_FPCR_MODE & ~IR_FPCR_FZ);
    allow_flush(f);
}

/* Nearest even; for results that are tested to be safe later. */
void fpv_need_nearest(FpOp *f)
{
    test_fpcr(f, IR_FPCR_MODE);
    aside_if(f, CC_NE, fpv_allow_flush_nearest);
}

/* Any rounding. */
void fpv_need_no_flush(FpOp *f)
{
    test_fpcr(f, IR_FPCR_FZ);
    aside_if(f, CC_NE, allow_flush);
}

/* ---- the table ---- */

typedef struct FpVecRow {
    void (*emit)(FpOp *f);
    uint8_t opcode;
} FpVecRow;

static const FpVecRow fp_vec_rows[] = {
    [IRFP_NEG] = { fpv_emit_neg },
    [IRFP_ABS] = { fpv_emit_abs },
    [IRFP_ADD] = { fpv_emit_add, FP_ADD },
    [IRFP_SUB] = { fpv_emit_add, FP_SUB },
    [IRFP_ABD] = { fpv_emit_add, FP_SUB },
    [IRFP_MUL] = { fpv_emit_mul },
    [IRFP_DIV] = { fpv_emit_div },
    [IRFP_SQRT] = { fpv_emit_sqrt },
    [IRFP_MAX] = { fpv_emit_max, FP_MAX },
    [IRFP_MIN] = { fpv_emit_max, FP_MIN },
    [IRFP_MADD] = { fpv_emit_muladd, 0xa8 },        /* VFMADD213 */
    [IRFP_MSUB] = { fpv_emit_muladd, 0xac },        /* VFNMADD213 */
    [IRFP_CMEQ] = { fpv_emit_compare, CMP_P_EQ },
    [IRFP_CMGE] = { fpv_emit_compare, CMP_P_NLT },
    [IRFP_CMGT] = { fpv_emit_compare, CMP_P_NLE },
    [IRFP_ACGE] = { fpv_emit_compare, CMP_P_NLT },
    [IRFP_ACGT] = { fpv_emit_compare, CMP_P_NLE },
    [IRFP_CMEQ0] = { fpv_emit_compare, CMP_P_EQ },
    [IRFP_CMGE0] = { fpv_emit_compare, CMP_P_NLT },
    [IRFP_CMGT0] = { fpv_emit_compare, CMP_P_NLE },
    [IRFP_CMLE0] = { fpv_emit_compare, CMP_P_LE },
    [IRFP_CMLT0] = { fpv_emit_compare, CMP_P_LT },
    [IRFP_ROUND] = { fpv_emit_round },
    [IRFP_TO_S] = { fpv_emit_to_int },
    [IRFP_TO_U] = { fpv_emit_to_int },
    [IRFP_FROM_S] = { fpv_emit_from_int },
    [IRFP_FROM_U] = { fpv_emit_from_int },
    [IRFP_WIDEN] = { fpv_emit_widen },
    [IRFP_NARROW] = { fpv_emit_narrow },
};

/* Copies of the operands, as much of them as is read. */
static void prepare(FpOp *f)
{
    if (f->host_op >= IRFP_WIDEN) {
        return;
    }
    gen_xmm_prepare(f->g, f->x, x_bytes(f));
    gen_xmm_prepare(f->g, f->y, y_bytes(f));
    if (fpv_reads_d(f)) {
        gen_xmm_prepare(f->g, f->dst, f->bytes);
    }
}

void gen_fp_vec(Gen *g, const IrInsn *i)
{
    const IrFpVecHelper *h = ir_insn_fp_vec(i);
    const GenStubs *stubs = gen_stubs(g->t);
    uint64_t operands = ir_insn_fp_operands(i);
    uint32_t desc = ir_insn_vec_desc(i);
    FpOp f = {
        .g = g, .a = &g->a, .stubs = stubs, .h = h, .slow = stubs->fp_slow_vec,
        .operands = operands, .host_op = (IrFpHostOp)h->host_op, .value = NO_REG,
        .is_double = vec_desc_esize(desc) == 3, .fpcr = h->env, .fpsr = h->env + 4,
        .dst = ir_fp_offset(operands, 0), .x = ir_fp_offset(operands, 1),
        .y = ir_fp_offset(operands, 2), .form = (IrFpVecForm)h->form, .desc = desc,
        .bytes = vec_desc_bytes(desc),
    };

    gen_flags_clobbered(g);
    if (f.bytes > 16) {
        gen_xmm_forget_all(g);
        cold_always(&f);
    } else if (f.host_op < ARRAY_SIZE(fp_vec_rows) && fp_vec_rows[f.host_op].emit &&
               (stubs->features & GEN_HAS_SSE42)) {
        f.opcode = fp_vec_rows[f.host_op].opcode;
        prepare(&f);
        fp_vec_rows[f.host_op].emit(&f);
    } else {
        cold_always(&f);
    }
    f.end = g->a.p;
    f.g = NULL;
    g_array_append_val(g->cold_fp, f);
}
