/*
 * Vector operations, inline where SSE has the same.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/x86_64/gen.h"

/* SSE2 to SSE4.2 opcodes by element size, 0 where there is none; prefix 66. */
typedef struct VecOp {
    uint32_t opcode[4];
    bool swapped;       /* computes op(b, a) into b */
} VecOp;

static const VecOp vec_ops[] = {
    [IRV_AND] = { { 0x0fdb, 0x0fdb, 0x0fdb, 0x0fdb }, false },
    [IRV_OR] = { { 0x0feb, 0x0feb, 0x0feb, 0x0feb }, false },
    [IRV_XOR] = { { 0x0fef, 0x0fef, 0x0fef, 0x0fef }, false },
    [IRV_ANDC] = { { 0x0fdf, 0x0fdf, 0x0fdf, 0x0fdf }, true },
    [IRV_ADD] = { { 0x0ffc, 0x0ffd, 0x0ffe, 0x0fd4 }, false },
    [IRV_SUB] = { { 0x0ff8, 0x0ff9, 0x0ffa, 0x0ffb }, false },
    [IRV_MUL] = { { 0, 0x0fd5, 0x0f3840, 0 }, false },
    [IRV_CMEQ] = { { 0x0f74, 0x0f75, 0x0f76, 0x0f3829 }, false },
    [IRV_CMGT] = { { 0x0f64, 0x0f65, 0x0f66, 0x0f3837 }, false },
    [IRV_SMAX] = { { 0x0f383c, 0x0fee, 0x0f383d, 0 }, false },
    [IRV_UMAX] = { { 0x0fde, 0x0f383e, 0x0f383f, 0 }, false },
    [IRV_SMIN] = { { 0x0f3838, 0x0fea, 0x0f3839, 0 }, false },
    [IRV_UMIN] = { { 0x0fda, 0x0f383a, 0x0f383b, 0 }, false },
};

/* MOVQ for 8 bytes (upper half zero), MOVDQA for 16. */
static void load_xmm(Gen *g, unsigned bytes, unsigned xmm, unsigned offset)
{
    if (bytes == 16) {
        asm_op_rm(&g->a, false, 0x66, 0x0f6f, xmm, RBP, offset);
    } else {
        asm_op_rm(&g->a, false, 0xf3, 0x0f7e, xmm, RBP, offset);
    }
}

static bool gen_vec_inline(Gen *g, const IrInsn *i)
{
    const IrVecHelper *h = ir_insn_vec(i);
    uint32_t desc = ir_insn_vec_desc(i);
    unsigned bytes = vec_desc_bytes(desc), esize = vec_desc_esize(desc);
    unsigned d = i->arg[0] * 8, x = i->arg[1] * 8, y = i->arg[2] * 8;
    uint32_t opcode;

    if (!gen_stubs(g->t)->has_sse42) {
        return false;
    }
    if (h->host_op == IRV_MOV) {
        load_xmm(g, bytes, 0, x);
    } else {
        if (h->host_op >= ARRAY_SIZE(vec_ops) || !vec_ops[h->host_op].opcode[esize]) {
            return false;
        }
        opcode = vec_ops[h->host_op].opcode[esize];
        load_xmm(g, bytes, 0, vec_ops[h->host_op].swapped ? y : x);
        load_xmm(g, bytes, 1, vec_ops[h->host_op].swapped ? x : y);
        asm_op_rr(&g->a, false, 0x66, opcode, 0, 1);
        if (bytes == 8) {
            asm_op_rr(&g->a, false, 0xf3, 0x0f7e, 0, 0);   /* MOVQ clears the upper half */
        }
    }
    asm_op_rm(&g->a, false, 0x66, 0x0f7f, 0, RBP, d);
    return true;
}

void gen_vec(Gen *g, const IrInsn *i)
{
    Asm *a = &g->a;

    if (!gen_vec_inline(g, i)) {
        gen_save_for_call(g);
        gen_drop_caller_saved(g);
        asm_lea(a, true, RDI, RBP, i->arg[0] * 8);
        asm_lea(a, true, RSI, RBP, i->arg[1] * 8);
        asm_lea(a, true, RDX, RBP, i->arg[2] * 8);
        asm_mov_ri(a, RCX, ir_insn_vec_desc(i));
        asm_call_abs(a, (const void *)ir_insn_vec(i)->fn);
    }
    gen_flags_clobbered(g);
}
