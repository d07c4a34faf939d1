/*
 * Scalar floating point: the common case inline, the helper in cold code for all else
 * (gen-fp.h). The cold code of vectors is emitted here, too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/x86_64/gen-fp-vec.h"

/* ---- pieces ---- */

/* Prefixes: F2 and F3 for arithmetic, 66 and none for comparisons. */
static unsigned scalar(const FpOp *f)
{
    return f->is_double ? 0xf2 : 0xf3;
}

static void fp_rr(const FpOp *f, unsigned opcode, unsigned dst, unsigned src)
{
    asm_op_rr(f->a, false, scalar(f), 0x0f00 | opcode, dst, src);
}

/* op dst, operand: its copy or memory. */
static void op_env(const FpOp *f, bool w, unsigned prefix, unsigned opcode, unsigned dst,
                   int32_t offset)
{
    unsigned zero_from, copy = f->g ? gen_xmm_find(f->g, offset, &zero_from) : 0;

    if (copy) {
        asm_op_rr(f->a, w, prefix, 0x0f00 | opcode, dst, copy);
    } else {
        asm_op_rm(f->a, w, prefix, 0x0f00 | opcode, dst, RBP, offset);
    }
}

static void fp_env(const FpOp *f, unsigned opcode, unsigned dst, int32_t offset)
{
    op_env(f, false, scalar(f), opcode, dst, offset);
}

/* The rest of the XMM register becomes zero. */
static void fp_load(const FpOp *f, unsigned dst, int32_t offset)
{
    unsigned zero_from, copy = f->g ? gen_xmm_find(f->g, offset, &zero_from) : 0;

    if (!copy) {
        asm_op_rm(f->a, false, scalar(f), 0x0f10, dst, RBP, offset);
    } else if (zero_from <= (f->is_double ? 8 : 4)) {
        fp_move(f, dst, copy);
    } else if (f->is_double) {
        asm_op_rr(f->a, false, 0xf3, 0x0f7e, dst, copy);      /* MOVQ */
    } else {
        asm_op_rr(f->a, false, 0x66, 0x0f3a21, dst, copy);    /* INSERTPS: lane 0, clear 1 to 3 */
        asm_u8(f->a, 0x0e);
    }
}

static void compare_rr(const FpOp *f, bool is_double, unsigned x, unsigned y)
{
    asm_op_rr(f->a, false, is_double ? 0x66 : 0, 0x0f2e, x, y);
}

static void compare_env(const FpOp *f, unsigned x, int32_t offset)
{
    op_env(f, false, f->is_double ? 0x66 : 0, 0x2e, x, offset);
}

static void store_result(FpOp *f)
{
    bool wide = f->is_double != (f->host_op == IRFP_CVT);

    fp_store(f, wide ? 8 : 4);
}

/* ---- tests ---- */

/* Without denormal operands, FPCR.FZ means nothing but for the result. */
static void allow_flush(FpOp *f)
{
    const int32_t operand[] = { f->x, f->y, f->z };

    for (unsigned n = 0; n < ARRAY_SIZE(operand) && operand[n]; n++) {
        fp_load(f, 1, operand[n]);
        fpv_need_no_denormals(f, 1);
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
    fp_load(f, 1, f->x);
    fp_env(f, f->host_op == IRFP_SUB ? FP_SUB : FP_ADD, 1, f->y);
    fpv_need_no_denormals(f, 1);
}

/* Nearest even; for results that are tested to be safe later. */
static void need_nearest(FpOp *f)
{
    test_fpcr(f, IR_FPCR_MODE);
    aside_if(f, CC_NE, allow_flush_nearest);
}

/* The same with any rounding. */
static void need_no_flush(FpOp *f)
{
    test_fpcr(f, IR_FPCR_FZ);
    aside_if(f, CC_NE, allow_flush);
}

static void load_exponent(FpOp *f, bool is_double, unsigned xmm)
{
    asm_op_rr(f->a, is_double, 0x66, 0x0f7e, xmm, RAX);   /* MOVD, MOVQ */
    asm_alu_rr(f->a, is_double, ALU_ADD, RAX, RAX);
    asm_shift_i(f->a, is_double, SHIFT_SHR, RAX, is_double ? 53 : 24);
}

static void need_finite(FpOp *f)
{
    load_exponent(f, f->is_double, 0);
    asm_alu_ri(f->a, false, ALU_CMP, RAX, f->is_double ? 0x7ff : 0xff);
    cold_if(f, CC_E);
}

/* The register is finite, and out of reach of anything to do with denormals. */
static void need_safe(FpOp *f, bool is_double, unsigned xmm)
{
    load_exponent(f, is_double, xmm);
    asm_alu_ri(f->a, false, ALU_SUB, RAX, 2);
    asm_alu_ri(f->a, false, ALU_CMP, RAX, is_double ? 0x7fd : 0xfd);
    cold_if(f, CC_AE);
}

/* Neither NaN nor different. */
static void need_equal(FpOp *f, bool is_double, unsigned x, unsigned y)
{
    compare_rr(f, is_double, x, y);
    cold_if(f, CC_P);
    cold_if(f, CC_NE);
}

/* ---- pieces of exactness ---- */

/* The operand as a double. */
static void load_double(FpOp *f, unsigned xmm, int32_t offset)
{
    fp_env(f, f->is_double ? 0x10 : 0x5a, xmm, offset);
}

static void double_rr(FpOp *f, unsigned opcode, unsigned dst, unsigned src)
{
    asm_op_rr(f->a, false, 0xf2, 0x0f00 | opcode, dst, src);
}

/* XMM3 = XMM1 + or - XMM2 as doubles, without error (Knuth's two-sum). */
static void need_exact_sum(FpOp *f, bool subtract)
{
    fp_move(f, 3, 1);
    double_rr(f, subtract ? FP_SUB : FP_ADD, 3, 2);
    fp_move(f, 4, 3);
    double_rr(f, FP_SUB, 4, 1);                         /* z = sum - x */
    fp_move(f, 5, 3);
    double_rr(f, FP_SUB, 5, 4);
    double_rr(f, FP_SUB, 1, 5);                         /* x - (sum - z) */
    double_rr(f, subtract ? FP_ADD : FP_SUB, 2, 4);     /* y - z; negated for a difference */
    double_rr(f, subtract ? FP_SUB : FP_ADD, 1, 2);
    fp_zero(f, 5);
    need_equal(f, true, 1, 5);
}

/* The product of doubles x and y has no error before underflow: 26 bits times 26 bits. */
static void need_short_factors(FpOp *f, int32_t x, int32_t y)
{
    asm_load(f->a, false, RAX, RBP, x);
    asm_alu_rm(f->a, false, ALU_OR, RAX, RBP, y);
    asm_op(f->a, false, 0xa9, 0);                       /* TEST EAX */
    asm_u32(f->a, 0x7ffffff);
    cold_if(f, CC_NE);
}

/*
 * XMM0 * XMM1 is the operand at x, exactly: for singles by the product of doubles
 * XMM1 * XMM3; else by a fused residual, which cannot vanish in underflow when x
 * is large enough: it is a multiple of x's unit in the last place times 2^-53.
 */
static void need_product(FpOp *f, int32_t x)
{
    if (f->is_double && !(f->stubs->features & GEN_HAS_FMA)) {
        f->cold[f->num_cold++] = asm_jmp(f->a);
        return;
    }
    load_double(f, 2, x);
    if (f->is_double) {
        load_exponent(f, true, 2);
        asm_alu_ri(f->a, false, ALU_CMP, RAX, 64);
        cold_if(f, CC_B);
        asm_vex_rrr(f->a, true, 0x66, 0x0f38bb, 2, 0, 1);    /* VFMSUB231SD: XMM0 * XMM1 - x */
        fp_zero(f, 3);
        need_equal(f, true, 2, 3);
    } else {
        double_rr(f, FP_MUL, 1, 3);
        need_equal(f, true, 1, 2);
    }
}

/* ---- arithmetic ---- */

static void exact_add(FpOp *f)
{
    load_double(f, 1, f->x);
    load_double(f, 2, f->y);
    need_exact_sum(f, f->host_op == IRFP_SUB);
    if (!f->is_double) {
        fp_rr(f, 0x5a, 4, 0);
        need_equal(f, true, 3, 4);
    }
}

static void emit_add(FpOp *f)
{
    test_fpcr(f, IR_FPCR_MODE);
    aside_if(f, CC_NE, allow_flush_sum);
    fp_load(f, 0, f->x);
    fp_env(f, f->host_op == IRFP_SUB ? FP_SUB : FP_ADD, 0, f->y);
    need_finite(f);
    need_exact(f, exact_add);
    store_result(f);
}

static void exact_mul(FpOp *f)
{
    if (f->is_double) {
        need_short_factors(f, f->x, f->y);
        return;
    }
    load_double(f, 1, f->x);
    load_double(f, 2, f->y);
    double_rr(f, FP_MUL, 1, 2);
    fp_rr(f, 0x5a, 2, 0);
    need_equal(f, true, 1, 2);
}

static void emit_mul(FpOp *f)
{
    need_nearest(f);
    fp_load(f, 0, f->x);
    fp_env(f, FP_MUL, 0, f->y);
    need_safe(f, f->is_double, 0);
    need_exact(f, exact_mul);
    if (f->host_op == IRFP_NMUL) {
        asm_op_rip(f->a, 0, 0x0f57, 0, fp_constant(f, f->is_double ? SSE_SIGN64 : SSE_SIGN32));
    }
    store_result(f);
}

static void exact_div(FpOp *f)
{
    load_double(f, 1, f->y);
    if (!f->is_double) {
        fp_rr(f, 0x5a, 3, 0);
    }
    need_product(f, f->x);
}

static void emit_div(FpOp *f)
{
    need_nearest(f);
    fp_load(f, 0, f->x);
    fp_env(f, FP_DIV, 0, f->y);
    need_safe(f, f->is_double, 0);
    need_exact(f, exact_div);
    store_result(f);
}

static void exact_sqrt(FpOp *f)
{
    fp_move(f, 1, 0);
    if (!f->is_double) {
        fp_rr(f, 0x5a, 1, 0);
        fp_move(f, 3, 1);
    }
    need_product(f, f->x);
}

/* Positive and finite: then nothing but inexactness can happen. */
static void emit_sqrt(FpOp *f)
{
    need_nearest(f);
    asm_load(f->a, f->is_double, RAX, RBP, f->x);
    asm_shift_i(f->a, f->is_double, SHIFT_SHR, RAX, f->is_double ? 52 : 23);
    asm_alu_ri(f->a, false, ALU_CMP, RAX, f->is_double ? 0x7ff : 0xff);
    cold_if(f, CC_AE);
    fp_load(f, 0, f->x);
    fp_rr(f, FP_SQRT, 0, 0);
    need_exact(f, exact_sqrt);
    store_result(f);
}

/* An exact product, and an exact sum of doubles, which a single result has to equal. */
static void exact_muladd(FpOp *f)
{
    load_double(f, 1, f->x);
    load_double(f, 2, f->y);
    load_double(f, 3, f->z);
    double_rr(f, FP_MUL, 2, 3);
    if (f->is_double) {
        need_safe(f, true, 2);
        need_short_factors(f, f->y, f->z);
    }
    need_exact_sum(f, f->host_op == IRFP_MSUB || f->host_op == IRFP_NMSUB);
    if (!f->is_double) {
        if (f->host_op == IRFP_NMADD || f->host_op == IRFP_NMSUB) {
            fp_zero(f, 4);
            double_rr(f, FP_SUB, 4, 3);
            fp_move(f, 3, 4);
        }
        fp_rr(f, 0x5a, 1, 0);
        need_equal(f, true, 1, 3);
    }
}

/* x + y * z and its variants, which are four opcodes. */
static void emit_muladd(FpOp *f)
{
    static const uint8_t opcode[] = {
        [IRFP_MADD] = 0xb9, [IRFP_MSUB] = 0xbd, [IRFP_NMADD] = 0xbf, [IRFP_NMSUB] = 0xbb,
    };

    need_nearest(f);
    fp_load(f, 0, f->x);
    fp_load(f, 1, f->y);
    fp_load(f, 2, f->z);
    asm_vex_rrr(f->a, f->is_double, 0x66, 0x0f3800 | opcode[f->host_op], 0, 1, 2);
    need_safe(f, f->is_double, 0);
    need_exact(f, exact_muladd);
    store_result(f);
}

/* The host takes the second of two zeros: AND and OR give the right sign for equal numbers. */
static void emit_max(FpOp *f)
{
    bool max = f->host_op == IRFP_MAX;
    uint8_t *differ;

    need_no_flush(f);
    fp_load(f, 0, f->x);
    fp_load(f, 1, f->y);
    fp_move(f, 2, 0);
    compare_rr(f, f->is_double, 0, 1);
    cold_if(f, CC_P);
    fp_rr(f, max ? FP_MAX : FP_MIN, 0, 1);
    differ = asm_jcc(f->a, CC_NE);
    asm_op_rr(f->a, false, 0, max ? 0x0f54 : 0x0f56, 2, 1);    /* ANDPS, ORPS */
    fp_move(f, 0, 2);
    asm_patch(f->a, differ, f->a->p);
    store_result(f);
}

/* FPCR means nothing here, and nothing can fail. */
static void emit_sign(FpOp *f)
{
    fp_load(f, 0, f->x);
    if (f->host_op == IRFP_NEG) {
        asm_op_rip(f->a, 0, 0x0f57, 0, fp_constant(f, f->is_double ? SSE_SIGN64 : SSE_SIGN32));
    } else if (f->host_op == IRFP_ABS) {
        asm_op_rip(f->a, 0, 0x0f28, 1, fp_constant(f, f->is_double ? SSE_SIGN64 : SSE_SIGN32));
        asm_op_rr(f->a, false, 0, 0x0f55, 1, 0);    /* ANDNPS */
        fp_move(f, 0, 1);
    }
    store_result(f);
}

/* ---- conversions, comparison ---- */

static void exact_narrow(FpOp *f)
{
    asm_op_rr(f->a, false, 0xf3, 0x0f5a, 1, 0);     /* CVTSS2SD */
    compare_env(f, 1, f->x);
    cold_if(f, CC_NE);
}

static void emit_cvt(FpOp *f)
{
    if (f->is_double) {
        need_nearest(f);
    } else {
        need_no_flush(f);
    }
    fp_zero(f, 0);
    fp_env(f, 0x5a, 0, f->x);                       /* CVTSD2SS, CVTSS2SD */
    if (f->is_double) {
        need_safe(f, false, 0);
        need_exact(f, exact_narrow);
    } else {
        compare_rr(f, true, 0, 0);
        cold_if(f, CC_P);
    }
    store_result(f);
}

/*
 * Leaves 2 in AL for greater, 1 for equal, 0 for less (the cold code: 80h for
 * unordered); comparing that with 1 gives the flags as a subtraction leaves them.
 */
static void emit_cmp(FpOp *f)
{
    need_no_flush(f);
    fp_load(f, 0, f->x);
    if (f->y) {
        compare_env(f, 0, f->y);
    } else {
        fp_zero(f, 1);
        compare_rr(f, f->is_double, 0, 1);
    }
    cold_if(f, CC_P);
    asm_setcc(f->a, CC_A, RAX);
    asm_setcc(f->a, CC_AE, RCX);
    asm_op_rr8(f->a, 0x00, RCX, RAX);               /* ADD AL, CL */
}

/* The integer back in floating point is the operand. */
static void exact_to_int(FpOp *f)
{
    asm_op_rr(f->a, true, scalar(f), 0x0f2a, 0, RAX);          /* CVTSI2SD */
    compare_env(f, 0, f->x);
    cold_if(f, CC_NE);
}

/* The result in RAX. Out of range the host gives the smallest number, as for NaNs. */
static void emit_to_int(FpOp *f)
{
    Asm *a = f->a;

    need_no_flush(f);
    op_env(f, true, scalar(f), 0x2c, RAX, f->x);                /* CVTTSD2SI */
    if (f->host_op == IRFP_TO_U64) {
        asm_test_rr(a, true, RAX, RAX);
        cold_if(f, CC_S);
    } else if (f->host_op == IRFP_TO_S64) {
        asm_alu_ri(a, true, ALU_CMP, RAX, 1);
        cold_if(f, CC_O);
    } else {
        if (f->host_op == IRFP_TO_S32) {
            asm_op_rr(a, true, 0, 0x63, RCX, RAX);              /* MOVSXD */
        } else {
            asm_mov_rr(a, false, RCX, RAX);
        }
        asm_alu_rr(a, true, ALU_CMP, RCX, RAX);
        cold_if(f, CC_NE);
    }
    need_exact(f, exact_to_int);
    if (f->host_op == IRFP_TO_S32) {
        asm_mov_rr(a, false, RAX, RAX);
    }
}

static void exact_from_int(FpOp *f)
{
    asm_op_rr(f->a, true, scalar(f), 0x0f2c, RAX, 0);           /* CVTTSD2SI */
    asm_alu_rr(f->a, true, ALU_CMP, RAX, f->value);
    cold_if(f, CC_NE);
}

static void emit_from_int(FpOp *f)
{
    need_fpcr_clear(f, IR_FPCR_MODE & ~IR_FPCR_FZ);
    if (f->host_op == IRFP_FROM_U64) {
        asm_test_rr(f->a, true, f->value, f->value);
        cold_if(f, CC_S);
    }
    fp_zero(f, 0);
    asm_op_rr(f->a, true, scalar(f), 0x0f2a, 0, f->value);      /* CVTSI2SD */
    need_exact(f, exact_from_int);
    store_result(f);
}

/* ---- putting it together ---- */

static void emit(FpOp *f)
{
    switch (f->host_op) {
    case IRFP_MOV: case IRFP_NEG: case IRFP_ABS: emit_sign(f); break;
    case IRFP_ADD: case IRFP_SUB: emit_add(f); break;
    case IRFP_MUL: case IRFP_NMUL: emit_mul(f); break;
    case IRFP_DIV: emit_div(f); break;
    case IRFP_SQRT: emit_sqrt(f); break;
    case IRFP_MAX: case IRFP_MIN: emit_max(f); break;
    case IRFP_CVT: emit_cvt(f); break;
    case IRFP_CMP: emit_cmp(f); break;
    case IRFP_TO_S32: case IRFP_TO_U32: case IRFP_TO_S64: case IRFP_TO_U64:
        emit_to_int(f);
        break;
    case IRFP_FROM_S64: case IRFP_FROM_U64:
        emit_from_int(f);
        break;
    case IRFP_MADD: case IRFP_MSUB: case IRFP_NMADD: case IRFP_NMSUB:
        if (f->stubs->features & GEN_HAS_FMA) {
            emit_muladd(f);
            break;
        }
        /* fall through */
    default:
        cold_always(f);
        break;
    }
}

void gen_fp(Gen *g, const IrInsn *i)
{
    const IrFpHelper *h = ir_insn_fp(i);
    uint64_t operands = ir_insn_fp_operands(i);
    const GenStubs *stubs = gen_stubs(g->t);
    FpOp f = {
        .g = g, .a = &g->a, .stubs = stubs, .h = h, .operands = operands,
        .slow = i->op == IR_fp_cmp ? stubs->fp_slow_cmp : stubs->fp_slow,
        .host_op = (IrFpHostOp)h->host_op, .is_double = h->is_double,
        .bytes = h->is_double ? 8 : 4, .value = NO_REG, .fpcr = h->env, .fpsr = h->env + 4,
        .dst = ir_fp_offset(operands, 0), .x = ir_fp_offset(operands, 1),
        .y = ir_fp_offset(operands, 2), .z = ir_fp_offset(operands, 3),
    };
    HostReg dst = RAX;

    if (i->op == IR_fp_from_int) {
        f.value = gen_use(g, i->arg[0]);
    } else if (i->op == IR_fp_to_int) {
        dst = gen_def(g, i->dst);
    }
    gen_flags_clobbered(g);
    gen_xmm_prepare(g, f.x, 8);
    gen_xmm_prepare(g, f.y, 8);
    gen_xmm_prepare(g, f.z, 8);
    emit(&f);
    f.end = g->a.p;
    f.g = NULL;
    g_array_append_val(g->cold_fp, f);
    if (i->op == IR_fp_to_int) {
        asm_mov_rr(&g->a, true, dst, RAX);
    } else if (i->op == IR_fp_cmp && (i->flags & IRF_SETS_NZCV)) {
        asm_u8(&g->a, 0x3c);                        /* CMP AL, 1 */
        asm_u8(&g->a, 1);
        gen_flags_produced(g, i, true);
    }
}

void gen_fp_init(Gen *g)
{
    g->cold_fp = g_array_new(false, false, sizeof(FpOp));
}

/* ---- cold code ---- */

/* Comparisons: from NZCV to the number that emit_cmp() describes. */
static uint64_t fp_slow_cmp(Vcpu *cpu, const IrFpHelper *h, uint64_t operands)
{
    static const uint8_t code[16] = { [2] = 2, [6] = 1, [8] = 0, [3] = 0x80 };

    return code[ir_fp_eval(cpu, h, operands, 0) >> 28 & 15];
}

static void emit_cold(FpOp *f)
{
    Asm *a = f->a;

    for (unsigned n = 0; n < f->num_asides; n++) {
        asm_patch(a, f->aside[n].jump, a->p);
        f->aside[n].emit(f);
        asm_patch(a, asm_jmp(a), f->aside[n].back);
    }
    for (unsigned n = 0; n < f->num_cold; n++) {
        asm_patch(a, f->cold[n], a->p);
    }
    if (!f->num_cold) {
        return;
    }
    if (f->value != NO_REG) {
        asm_mov_rr(a, true, RAX, f->value);
    } else if (f->desc) {
        asm_mov_ri(a, RAX, f->desc);
    }
    asm_mov_ri(a, RCX, (uintptr_t)f->h);
    asm_mov_ri(a, RDX, f->operands);
    asm_call_to(a, f->slow);
    if (f->dst_xmm) {
        asm_op_rm(a, false, 0, 0x0f28, f->dst_xmm, RBP, f->dst);
    }
    asm_patch(a, asm_jmp(a), f->end);
}

void gen_fp_cold(Gen *g)
{
    for (unsigned n = 0; n < g->cold_fp->len; n++) {
        emit_cold(&g_array_index(g->cold_fp, FpOp, n));
    }
    g_array_free(g->cold_fp, true);
}

/*
 * A stub that calls fn(cpu, RCX, RDX, RAX); all general registers but RAX, RCX, RDX
 * survive, and the copies of vector registers. The return address lies between RSP and
 * the frame.
 */
static void emit_slow(Asm *a, const void *fn)
{
    static const uint8_t saved[] = { RSI, RDI, R8, R9, R10, R11 };
    const int32_t save = FRAME_SAVE + 8;

    for (unsigned n = 0; n < ARRAY_SIZE(saved); n++) {
        asm_store(a, true, saved[n], RSP, save + 8 * n);
    }
    gen_xmm_save(a, FRAME_XMM + 8);
    asm_mov_rr(a, true, RDI, RBP);
    asm_mov_rr(a, true, RSI, RCX);
    asm_mov_rr(a, true, RCX, RAX);
    asm_alu_ri(a, true, ALU_SUB, RSP, 8);     /* alignment */
    asm_call_abs(a, fn);
    asm_alu_ri(a, true, ALU_ADD, RSP, 8);
    gen_xmm_restore(a, FRAME_XMM + 8);
    for (unsigned n = 0; n < ARRAY_SIZE(saved); n++) {
        asm_load(a, true, saved[n], RSP, save + 8 * n);
    }
    asm_u8(a, 0xc3);
}

void gen_fp_stubs(Asm *a, GenStubs *stubs)
{
    stubs->fp_slow = asm_exec(a, a->p);
    emit_slow(a, (const void *)ir_fp_eval);
    stubs->fp_slow_cmp = asm_exec(a, a->p);
    emit_slow(a, (const void *)fp_slow_cmp);
    stubs->fp_slow_vec = asm_exec(a, a->p);
    emit_slow(a, (const void *)ir_fp_vec_eval);
}
