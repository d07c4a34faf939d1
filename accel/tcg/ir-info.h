/*
 * The opcode table as the passes and back ends read it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_IR_INFO_H
#define ACCEL_TCG_IR_INFO_H

#include "accel/tcg/ir.h"

typedef struct IrOpInfo {
    const char *name;
    uint8_t num_args;
    uint8_t num_dsts;
    const char *flags;    /* letters: see ir.def */
} IrOpInfo;

extern const IrOpInfo ir_op_info[IR_NUM_OPS];

static inline bool ir_op_has(unsigned op, char letter)
{
    for (const char *f = ir_op_info[op].flags; *f; f++) {
        if (*f == letter) {
            return true;
        }
    }
    return false;
}

/* Helper and desc of a call, vec or fp_vec instruction. */
static inline const IrHelper *ir_insn_helper(const IrInsn *i)
{
    return (const IrHelper *)(uintptr_t)i->imm;
}

static inline const IrVecHelper *ir_insn_vec(const IrInsn *i)
{
    return (const IrVecHelper *)(uintptr_t)i->imm;
}

static inline uint32_t ir_insn_vec_desc(const IrInsn *i)
{
    return (uint32_t)i->aux << 16 | i->arg[3];
}

/* The word of a guest instruction; of an exit, the state bits that its target begins with. */
static inline bool ir_op_has_word(unsigned op)
{
    return op == IR_insn || ir_op_has(op, 'X');
}

static inline uint32_t ir_insn_word(const IrInsn *i)
{
    return i->arg[2] | (uint32_t)i->arg[3] << 16;
}

static inline void ir_insn_set_word(IrInsn *i, uint32_t word)
{
    i->arg[2] = word & 0xffff;
    i->arg[3] = word >> 16;
}

static inline bool ir_op_is_fp(unsigned op)
{
    return op >= IR_fp && op <= IR_fp_from_int;
}

static inline const IrFpHelper *ir_insn_fp(const IrInsn *i)
{
    return (const IrFpHelper *)(uintptr_t)i->imm;
}

static inline const IrFpVecHelper *ir_insn_fp_vec(const IrInsn *i)
{
    return (const IrFpVecHelper *)(uintptr_t)i->imm;
}

/* The operands of a floating-point instruction: offsets / 8 of d, a, b, c, low to high. */
static inline uint64_t ir_insn_fp_operands(const IrInsn *i)
{
    if (i->op == IR_fp_from_int) {
        return i->arg[1];
    }
    return i->arg[0] | (uint64_t)i->arg[1] << 16 | (uint64_t)i->arg[2] << 32 |
           (uint64_t)i->arg[3] << 48;
}

/* Bytes from the Vcpu to operand n. */
static inline uint32_t ir_fp_offset(uint64_t operands, unsigned n)
{
    return (operands >> 16 * n & 0xffff) * 8;
}

#endif
