/*
 * Vector floating point: all lanes at once, tested at once (gen-fp.h); when one lane
 * fails, the helper computes the whole vector.
 *
 * 1. An emitter leaves the result in XMM0. Above a result of less than 16 bytes is anything; no
 *    test looks at it, and store_result() clears it.
 * 2. Masks are read by MOVMSKPS and MOVMSKPD, which see the sign bits of lanes alone.
 * 3. Unlike in scalars, zero results do not go to the helper when a factor is zero: sparse
 *    matrices and padding have such lanes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/x86_64/gen-fp.h"

/* Predicates of CMPPS and CMPPD; those with a NaN are not asked. */
enum { CMP_P_EQ = 0, CMP_P_LT = 1, CMP_P_LE = 2, CMP_P_UNORD = 3, CMP_P_NEQ = 4, CMP_P_NLT = 5,
       CMP_P_NLE = 6, CMP_P_ORD = 7 };

/* ---- pieces ---- */

static void packed(const FpOp *f, unsigned opcode, unsigned dst, unsigned src)
{
    asm_op_rr(f->a, false, f->is_double ? 0x66 : 0, 0x0f00 | opcode, dst, src);
}

static void compare(const FpOp *f, unsigned predicate, unsigned dst, unsigned src)
{
    packed(f, 0xc2, dst, src);
    asm_u8(f->a, predicate);
}

static void packed_const(const FpOp *f, unsigned prefix, unsigned opcode, unsigned dst,
                         SseConst which)
{
    asm_op_rip(f->a, prefix, opcode, dst, fp_constant(f, which));
}

static SseConst signs(const FpOp *f)
{
    return f->is_double ? SSE_SIGNS64 : SSE_SIGNS32;
}

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
static void load(const FpOp *f, unsigned xmm, int32_t offset, unsigned bytes)
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

/* Lane imm of XMM x in all lanes. */
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
    load(f, x, f->x, x_bytes(f));
    fp_move(f, y, x);
    load(f, 5, f->y, x_bytes(f));
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
static void load_operands(const FpOp *f, unsigned x, unsigned y)
{
    if (f->form == IRFV_PAIRS) {
        load_pairs(f, x, y);
        return;
    }
    load(f, x, f->x, x_bytes(f));
    load(f, y, f->y, y_bytes(f));
    if (f->form == IRFV_BY_LANE) {
        broadcast(f, y);
    }
}

static bool reads_d(const FpOp *f)
{
    return f->host_op == IRFP_MADD || f->host_op == IRFP_MSUB;
}

static void store_result(FpOp *f)
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
static void test_lanes(const FpOp *f, unsigned mask)
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

static void need_none(FpOp *f, unsigned mask)
{
    test_lanes(f, mask);
    cold_if(f, CC_NE);
}

static void need_numbers(FpOp *f, unsigned x, unsigned y, unsigned scratch)
{
    fp_move(f, scratch, x);
    compare(f, CMP_P_UNORD, scratch, y);
    need_none(f, scratch);
}

/*
 * XMM3 = the lanes of XMM x whose exponent is out of range. The words that hold exponents are
 * doubled, which drops the sign, and moved so that what is in range are the lowest signed numbers.
 */
static void find_outside(const FpOp *f, unsigned xmm, SseConst bias, SseConst limit)
{
    fp_move(f, 3, xmm);
    asm_op_rr(f->a, false, 0x66, 0x0ffe, 3, 3);                    /* PADDD */
    packed_const(f, 0x66, 0x0ffe, 3, bias);
    packed_const(f, 0x66, 0x0f66, 3, limit);                       /* PCMPGTD */
}

static void need_finite(FpOp *f)
{
    find_outside(f, 0, SSE_FINITE_BIAS, f->is_double ? SSE_FINITE_LIMIT64 : SSE_FINITE_LIMIT32);
    need_none(f, 3);
}

/* Lanes that are not finite, or within reach of denormals. */
static void find_unsafe(const FpOp *f, unsigned xmm)
{
    find_outside(f, xmm, f->is_double ? SSE_SAFE_BIAS64 : SSE_SAFE_BIAS32,
                 f->is_double ? SSE_SAFE_LIMIT64 : SSE_SAFE_LIMIT32);
}

/* XMM4 = the lanes in which a factor, XMM x or XMM y, is zero; XMM5 = 0. */
static void find_zero_factors(const FpOp *f, unsigned x, unsigned y)
{
    fp_zero(f, 5);
    fp_move(f, 4, y);
    compare(f, CMP_P_EQ, 4, 5);
    compare(f, CMP_P_EQ, 5, x);
    packed(f, FP_OR, 4, 5);
}

/* XMM3 = unsafe lanes of the result: all have an exact product, zero, and are no NaNs. */
static void allow_zero_factors(FpOp *f)
{
    load_operands(f, 1, 2);
    find_zero_factors(f, 1, 2);
    fp_move(f, 1, 0);
    compare(f, CMP_P_ORD, 1, 1);
    packed(f, FP_AND, 1, 4);
    packed(f, FP_ANDN, 1, 3);
    need_none(f, 1);
}

/* XMM3 = unsafe lanes of the quotient: all are zero by a zero. */
static void allow_zero_dividend(FpOp *f)
{
    load_operands(f, 1, 2);
    fp_zero(f, 4);
    compare(f, CMP_P_EQ, 1, 4);
    compare(f, CMP_P_EQ, 4, 0);
    packed(f, FP_AND, 1, 4);
    packed(f, FP_ANDN, 1, 3);
    need_none(f, 1);
}

static void need_safe_unless(FpOp *f, void (*allow)(FpOp *f))
{
    find_unsafe(f, 0);
    test_lanes(f, 3);
    aside_if(f, CC_NE, allow);
}

/* ---- flushing to zero ---- */

/* XMM x has no denormal lanes; XMM3 to XMM5 are used. */
static void need_no_denormals(FpOp *f, unsigned xmm)
{
    find_outside(f, xmm, f->is_double ? SSE_NORMAL_BIAS64 : SSE_NORMAL_BIAS32,
                 f->is_double ? SSE_NORMAL_LIMIT64 : SSE_NORMAL_LIMIT32);
    fp_zero(f, 4);
    compare(f, CMP_P_NEQ, 4, xmm);
    packed(f, FP_AND, 3, 4);
    need_none(f, 3);
}

/* Without denormal operands, FPCR.FZ means nothing but for the result. */
static void allow_flush(FpOp *f)
{
    load_operands(f, 1, 2);
    need_no_denormals(f, 1);
    need_no_denormals(f, 2);
    if (reads_d(f)) {
        load(f, 1, f->dst, f->bytes);
        need_no_denormals(f, 1);
    }
}

static void allow_flush_nearest(FpOp *f)
{
    need_fpcr_clear(f, IR_FPCR_MODE & ~IR_FPCR_FZ);
    allow_flush(f);
}

/* The sum is not looked at later, as one without flushing may be a denormal. */
static void allow_flush_sum(FpOp *f)
{
    allow_flush_nearest(f);
    packed(f, f->opcode, 1, 2);
    need_no_denormals(f, 1);
}

/* Nearest even; for results that are tested to be safe later. */
static void need_nearest(FpOp *f)
{
    test_fpcr(f, IR_FPCR_MODE);
    aside_if(f, CC_NE, allow_flush_nearest);
}

/* Any rounding. */
static void need_no_flush(FpOp *f)
{
    test_fpcr(f, IR_FPCR_FZ);
    aside_if(f, CC_NE, allow_flush);
}

static void need_ixc(FpOp *f)
{
    test_ixc(f);
    cold_if(f, CC_E);
}

/* ---- pieces of exactness ---- */

/* XMM1 + or - XMM2 is XMM0 without error (Knuth's two-sum); XMM1 to XMM5 are used. */
static void need_exact_sum(FpOp *f, bool subtract)
{
    fp_move(f, 4, 0);
    packed(f, FP_SUB, 4, 1);                            /* z = sum - x */
    fp_move(f, 5, 0);
    packed(f, FP_SUB, 5, 4);
    packed(f, FP_SUB, 1, 5);                            /* x - (sum - z) */
    packed(f, subtract ? FP_ADD : FP_SUB, 2, 4);        /* y - z; negated for a difference */
    packed(f, subtract ? FP_SUB : FP_ADD, 1, 2);
    fp_zero(f, 5);
    compare(f, CMP_P_NEQ, 1, 5);
    need_none(f, 1);
}

/* XMM1 and XMM2 have half of their bits each at most, so the product has no error. XMM3 is used. */
static void need_short_factors(FpOp *f)
{
    fp_move(f, 3, 1);
    packed(f, FP_OR, 3, 2);
    packed_const(f, 0x66, 0x0f3817, 3, f->is_double ? SSE_LOW_HALF64 : SSE_LOW_HALF32);
    cold_if(f, CC_NE);                                  /* PTEST */
}

static void exact_add(FpOp *f)
{
    load_operands(f, 1, 2);
    need_exact_sum(f, f->opcode == FP_SUB);
}

static void exact_mul(FpOp *f)
{
    load_operands(f, 1, 2);
    need_short_factors(f);
}

/* An exact product that did not underflow, and an exact sum. */
static void exact_muladd(FpOp *f)
{
    load_operands(f, 1, 2);
    need_short_factors(f);
    find_zero_factors(f, 1, 2);
    packed(f, FP_MUL, 2, 1);
    find_unsafe(f, 2);
    packed(f, FP_ANDN, 4, 3);
    need_none(f, 4);
    load(f, 1, f->dst, f->bytes);
    need_exact_sum(f, f->host_op == IRFP_MSUB);
}

/* ---- the operations ---- */

static void emit_add(FpOp *f)
{
    test_fpcr(f, IR_FPCR_MODE);
    aside_if(f, CC_NE, allow_flush_sum);
    load_operands(f, 0, 1);
    packed(f, f->opcode, 0, 1);
    need_finite(f);                     /* a sum in the denormal range is exact */
    need_exact(f, exact_add);
    if (f->host_op == IRFP_ABD) {
        packed_const(f, 0, 0x0f28, 1, signs(f));
        packed(f, FP_ANDN, 1, 0);
        fp_move(f, 0, 1);
    }
    store_result(f);
}

static void emit_mul(FpOp *f)
{
    need_nearest(f);
    load_operands(f, 0, 1);
    packed(f, FP_MUL, 0, 1);
    need_safe_unless(f, allow_zero_factors);
    need_exact(f, exact_mul);
    store_result(f);
}

static void emit_div(FpOp *f)
{
    need_nearest(f);
    need_ixc(f);
    load_operands(f, 0, 1);
    packed(f, FP_DIV, 0, 1);
    need_safe_unless(f, allow_zero_dividend);
    store_result(f);
}

static void emit_sqrt(FpOp *f)
{
    need_nearest(f);
    need_ixc(f);
    load(f, 0, f->x, f->bytes);
    packed(f, FP_SQRT, 0, 0);
    need_finite(f);
    store_result(f);
}

/* d + a * b, d - a * b, rounded once. */
static void emit_muladd(FpOp *f)
{
    if (!(f->stubs->features & GEN_HAS_FMA)) {
        cold_always(f);
        return;
    }
    need_nearest(f);
    load_operands(f, 0, 1);
    load(f, 2, f->dst, f->bytes);
    asm_vex_rrr(f->a, f->is_double, 0x66, 0x0f3800 | f->opcode, 0, 1, 2);
    need_safe_unless(f, allow_zero_factors);
    need_exact(f, exact_muladd);
    store_result(f);
}

/* The host takes the second of two zeros: AND and OR of both orders give the right sign. */
static void emit_max(FpOp *f)
{
    need_no_flush(f);
    load_operands(f, 0, 1);
    need_numbers(f, 0, 1, 2);
    fp_move(f, 2, 1);
    packed(f, f->opcode, 2, 0);
    packed(f, f->opcode, 0, 1);
    packed(f, f->opcode == FP_MAX ? FP_AND : FP_OR, 0, 2);
    store_result(f);
}

/* opcode is the predicate. Quiet NaNs raise no flags with CMEQ, but they are rare. */
static void emit_compare(FpOp *f)
{
    bool with_zero = f->host_op >= IRFP_CMEQ0;

    need_no_flush(f);
    if (with_zero) {
        load(f, 0, f->x, f->bytes);
        fp_zero(f, 1);
    } else {
        load_operands(f, 0, 1);
    }
    if (f->host_op == IRFP_ACGE || f->host_op == IRFP_ACGT) {
        packed_const(f, 0, 0x0f28, 2, signs(f));
        fp_move(f, 3, 2);
        packed(f, FP_ANDN, 2, 0);
        packed(f, FP_ANDN, 3, 1);
        fp_move(f, 0, 2);
        fp_move(f, 1, 3);
    }
    need_numbers(f, 0, 1, 2);
    compare(f, f->opcode, 0, 1);
    store_result(f);
}

/* FPCR means nothing here, and nothing can fail. */
static void emit_neg(FpOp *f)
{
    load(f, 0, f->x, f->bytes);
    packed_const(f, 0, 0x0f57, 0, signs(f));
    store_result(f);
}

static void emit_abs(FpOp *f)
{
    packed_const(f, 0, 0x0f28, 0, signs(f));
    load(f, 1, f->x, f->bytes);
    packed(f, FP_ANDN, 0, 1);
    store_result(f);
}

/* ---- the table ---- */

typedef struct FpVecRow {
    void (*emit)(FpOp *f);
    uint8_t opcode;
} FpVecRow;

static const FpVecRow fp_vec_rows[] = {
    [IRFP_NEG] = { emit_neg },
    [IRFP_ABS] = { emit_abs },
    [IRFP_ADD] = { emit_add, FP_ADD },
    [IRFP_SUB] = { emit_add, FP_SUB },
    [IRFP_ABD] = { emit_add, FP_SUB },
    [IRFP_MUL] = { emit_mul },
    [IRFP_DIV] = { emit_div },
    [IRFP_SQRT] = { emit_sqrt },
    [IRFP_MAX] = { emit_max, FP_MAX },
    [IRFP_MIN] = { emit_max, FP_MIN },
    [IRFP_MADD] = { emit_muladd, 0xa8 },        /* VFMADD213 */
    [IRFP_MSUB] = { emit_muladd, 0xac },        /* VFNMADD213 */
    [IRFP_CMEQ] = { emit_compare, CMP_P_EQ },
    [IRFP_CMGE] = { emit_compare, CMP_P_NLT },
    [IRFP_CMGT] = { emit_compare, CMP_P_NLE },
    [IRFP_ACGE] = { emit_compare, CMP_P_NLT },
    [IRFP_ACGT] = { emit_compare, CMP_P_NLE },
    [IRFP_CMEQ0] = { emit_compare, CMP_P_EQ },
    [IRFP_CMGE0] = { emit_compare, CMP_P_NLT },
    [IRFP_CMGT0] = { emit_compare, CMP_P_NLE },
    [IRFP_CMLE0] = { emit_compare, CMP_P_LE },
    [IRFP_CMLT0] = { emit_compare, CMP_P_LT },
};

/* Copies of the operands, as much of them as load() may read. */
static void prepare(FpOp *f)
{
    gen_xmm_prepare(f->g, f->x, x_bytes(f));
    gen_xmm_prepare(f->g, f->y, y_bytes(f));
    if (reads_d(f)) {
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
    if (f.host_op < ARRAY_SIZE(fp_vec_rows) && fp_vec_rows[f.host_op].emit &&
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
