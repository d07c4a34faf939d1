/*
 * Floating-point operations in generated code: what scalars and vectors share.
 *
 * 1. include/fpu/fast.h says when the host's arithmetic gives the guest's bits and
 *    flags, and each emitter makes the tests of the function of the same name there.
 *    Nothing has been written when a test fails: the cold code does the whole operation.
 * 2. Once FPSR.IXC is set, inexactness changes nothing. Until then it has to be ruled out,
 *    which is done off the main path: programs that count in doubles never set it.
 * 3. FPCR.FZ (programs linked with -ffast-math set it) means nothing when no operand and no
 *    result is a denormal; that is tested off the main path. Other rounding modes
 *    are left to the helper.
 * 4. MXCSR stays at its default; its flags are not looked at.
 * 5. Operands and result are in CPU state memory, often with a copy (gen-xmm.c), of
 *    which the cold code knows only that the result's has to be made. XMM0 to XMM5 are
 *    scratch.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_X86_64_GEN_FP_H
#define ACCEL_TCG_X86_64_GEN_FP_H

#include "accel/tcg/x86_64/gen.h"

typedef struct FpOp FpOp;

/* Code behind the unit that may come back to the main path. */
typedef struct FpAside {
    uint8_t *jump, *back;
    void (*emit)(FpOp *f);
} FpAside;

struct FpOp {
    Gen *g;                             /* NULL in cold code */
    Asm *a;
    const GenStubs *stubs;
    const void *h;                      /* IrFpHelper or IrFpVecHelper */
    uint64_t operands;
    const uint8_t *slow;                /* the stub that calls the helper */
    IrFpHostOp host_op;
    bool is_double;
    uint8_t value;                      /* register of an integer operand, or NO_REG */
    int32_t fpcr, fpsr, dst, x, y, z;   /* offsets */
    unsigned dst_xmm;                   /* the copy of dst, or 0 */
    unsigned bytes;                     /* of x, or of a vector */
    /* Vectors alone. */
    IrFpVecForm form;
    uint32_t desc;
    uint8_t opcode;
    /* Cold code: what comes back, then the helper and to the end of the operation. */
    FpAside aside[3];
    unsigned num_asides;
    uint8_t *cold[12];
    unsigned num_cold;
    uint8_t *end;
};

/* Second opcode bytes. */
enum { FP_SQRT = 0x51, FP_AND = 0x54, FP_ANDN = 0x55, FP_OR = 0x56, FP_XOR = 0x57, FP_ADD = 0x58,
       FP_MUL = 0x59, FP_SUB = 0x5c, FP_MIN = 0x5d, FP_DIV = 0x5e, FP_MAX = 0x5f };

static inline void cold_if(FpOp *f, HostCond cc)
{
    assert(f->num_cold < ARRAY_SIZE(f->cold));
    f->cold[f->num_cold++] = asm_jcc(f->a, cc);
}

/* The helper, whatever the operands are. */
static inline void cold_always(FpOp *f)
{
    f->cold[f->num_cold++] = asm_jmp(f->a);
    gen_xmm_forget(f->g, (uint32_t)f->dst);
}

static inline void aside_if(FpOp *f, HostCond cc, void (*emit)(FpOp *f))
{
    FpAside *aside = &f->aside[f->num_asides++];

    assert(f->num_asides <= ARRAY_SIZE(f->aside));
    aside->jump = asm_jcc(f->a, cc);
    aside->back = f->a->p;
    aside->emit = emit;
}

static inline void fp_move(const FpOp *f, unsigned dst, unsigned src)
{
    asm_op_rr(f->a, false, 0, 0x0f28, dst, src);          /* MOVAPS */
}

static inline void fp_zero(const FpOp *f, unsigned dst)
{
    asm_op_rr(f->a, false, 0, 0x0f57, dst, dst);          /* XORPS */
}

static inline const uint8_t *fp_constant(const FpOp *f, SseConst which)
{
    return f->stubs->sse_consts + 16 * which;
}

/* Sets NE when one of the bits is set. */
static inline void test_fpcr(FpOp *f, uint32_t bits)
{
    asm_op_rm(f->a, false, 0, 0xf7, 0, RBP, f->fpcr);     /* TEST */
    asm_u32(f->a, bits);
}

static inline void need_fpcr_clear(FpOp *f, uint32_t bits)
{
    test_fpcr(f, bits);
    cold_if(f, CC_NE);
}

static inline void need_mode(FpOp *f)
{
    need_fpcr_clear(f, IR_FPCR_MODE);
}

/* Sets E when inexactness has to be ruled out. */
static inline void test_ixc(FpOp *f)
{
    asm_op_rm(f->a, false, 0, 0xf6, 0, RBP, f->fpsr);     /* TEST */
    asm_u8(f->a, IR_FPSR_IXC);
}

/* Leave for f->emit_exact unless IXC is set. XMM0 has the result, RAX that of emit_to_int(). */
static inline void need_exact(FpOp *f, void (*emit_exact)(FpOp *f))
{
    test_ixc(f);
    aside_if(f, CC_E, emit_exact);
}

/* XMM0 is the result, zero from byte zero_from on. */
static inline void fp_store(FpOp *f, unsigned zero_from)
{
    f->dst_xmm = gen_xmm_define(f->g, f->dst, zero_from);
    if (f->dst_xmm) {
        fp_move(f, f->dst_xmm, 0);
    }
    asm_op_rm(f->a, false, 0, 0x0f29, 0, RBP, f->dst);    /* MOVAPS */
}

#endif
