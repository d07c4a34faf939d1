/*
 * Integer operations.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/x86_64/gen.h"
#include "util/bitops.h"

static bool sets_flags(const IrInsn *i)
{
    return (i->flags & IRF_SETS_NZCV) && !(i->flags & IRF_NZCV_DEAD);
}

/* dst op= value of v, by immediate, memory or register; RAX may be used. */
static void alu_operand(Gen *g, bool w, HostAlu op, HostReg dst, uint16_t v)
{
    const GenValue *val = &g->val[v];
    uint32_t clean = val->slots & ~g->dirty;
    int32_t imm;

    if (gen_imm32(g, v, w, &imm)) {
        asm_alu_ri(&g->a, w, op, dst, imm);
    } else if (g->u->is_const[v]) {
        gen_load_into(g, RAX, v);
        asm_alu_rr(&g->a, w, op, dst, RAX);
    } else if (val->reg != NO_REG) {
        asm_alu_rr(&g->a, w, op, dst, val->reg);
    } else if (!gen_used_later(g, v) && val->spilled) {
        asm_alu_rm(&g->a, w, op, dst, RSP, spill_disp(val->spill));
    } else if (!gen_used_later(g, v) && clean) {
        asm_alu_rm(&g->a, w, op, dst, RBP, slot_disp(__builtin_ctz(clean)));
    } else {
        asm_alu_rr(&g->a, w, op, dst, gen_use(g, v));
    }
}

/* Pin what is in a register, so that defining the result does not evict it. */
static void pin(Gen *g, uint16_t v)
{
    if (g->val[v].reg != NO_REG) {
        g->pinned |= 1u << g->val[v].reg;
    }
}

/* Without flags, LEA adds and keeps the host's flags. */
static void gen_lea_add(Gen *g, const IrInsn *i)
{
    bool w = i->flags & IRF_W64;
    HostReg x = gen_use(g, i->arg[0]), y, dst;
    int32_t imm;

    if (gen_imm32(g, i->arg[1], w, &imm)) {
        dst = gen_def_reuse(g, i->dst, i->arg[0]);
        if (dst == x && !g->flags_in_host) {
            asm_alu_ri(&g->a, w, ALU_ADD, dst, imm);
        } else {
            asm_lea(&g->a, w, dst, x, imm);
        }
        return;
    }
    y = gen_use(g, i->arg[1]);
    dst = gen_def_reuse(g, i->dst, i->arg[0]);
    asm_lea_x(&g->a, w, dst, x, y);
}

static void gen_arith(Gen *g, const IrInsn *i, HostAlu op, bool inverted)
{
    bool w = i->flags & IRF_W64, commutes = op != ALU_SUB && op != ALU_SBB;
    uint16_t x = i->arg[0], y = i->arg[1];
    HostReg dst;

    if (commutes && g->val[x].reg == NO_REG && g->val[y].reg != NO_REG && !g->u->is_const[y]) {
        x = i->arg[1];
        y = i->arg[0];
    }
    pin(g, y);
    if (op == ALU_SUB && sets_flags(i) && g->val[i->dst].next_use == NEVER) {
        alu_operand(g, w, ALU_CMP, gen_use(g, x), y);
    } else {
        dst = gen_def_from(g, i->dst, x);
        if (x == y) {
            asm_alu_rr(&g->a, w, op, dst, dst);
        } else {
            alu_operand(g, w, op, dst, y);
        }
    }
    if (sets_flags(i)) {
        gen_flags_produced(g, i, inverted);
    } else {
        gen_flags_clobbered(g);
    }
}

static void gen_and(Gen *g, const IrInsn *i)
{
    bool w = i->flags & IRF_W64;
    int32_t imm;

    if (sets_flags(i) && g->val[i->dst].next_use == NEVER) {
        HostReg x = gen_use(g, i->arg[0]);

        if (gen_imm32(g, i->arg[1], w, &imm)) {
            asm_op_rr(&g->a, w, 0, 0xf7, 0, x);
            asm_u32(&g->a, (uint32_t)imm);
        } else {
            asm_test_rr(&g->a, w, x, gen_use(g, i->arg[1]));
        }
        gen_flags_produced(g, i, false);
        return;
    }
    gen_arith(g, i, ALU_AND, false);
}

static void gen_andc(Gen *g, const IrInsn *i)
{
    bool w = i->flags & IRF_W64;
    HostReg dst;

    gen_load_into(g, RAX, i->arg[1]);
    dst = gen_def_from(g, i->dst, i->arg[0]);
    asm_op_rr(&g->a, true, 0, 0xf7, 2, RAX);
    asm_alu_rr(&g->a, w, ALU_AND, dst, RAX);
    if (sets_flags(i)) {
        gen_flags_produced(g, i, false);
    } else {
        gen_flags_clobbered(g);
    }
}

/* Carry in: CF has to be C for ADC, !C for SBB. */
static void gen_carry_arith(Gen *g, const IrInsn *i)
{
    bool w = i->flags & IRF_W64, subtract = i->op == IR_sbc;
    HostReg y = gen_use(g, i->arg[1]), dst = gen_def_from(g, i->dst, i->arg[0]);

    gen_flags_to_host(g);
    if (g->flags_inverted != subtract) {
        asm_u8(&g->a, 0xf5);
    }
    asm_alu_rr(&g->a, w, subtract ? ALU_SBB : ALU_ADC, dst, y);
    if (sets_flags(i)) {
        gen_flags_produced(g, i, subtract);
    } else {
        gen_flags_clobbered(g);
    }
}

static void gen_shift(Gen *g, const IrInsn *i, HostShift op)
{
    bool w = i->flags & IRF_W64;
    HostReg dst;
    uint64_t count;
    bool is_const = gen_is_const(g, i->arg[1], &count);

    if (!is_const) {
        gen_load_into(g, RCX, i->arg[1]);
    }
    dst = gen_def_from(g, i->dst, i->arg[0]);
    if (is_const) {
        count &= w ? 63 : 31;
        if (count) {
            asm_shift_i(&g->a, w, op, dst, count);
        } else if (!w) {
            asm_mov_rr(&g->a, false, dst, dst);
        }
    } else {
        asm_shift_cl(&g->a, w, op, dst);
        if (!w) {
            /* A shift by zero leaves the upper half as it was. */
            asm_mov_rr(&g->a, false, dst, dst);
        }
    }
    gen_flags_clobbered(g);
}

static void gen_mul(Gen *g, const IrInsn *i)
{
    bool w = i->flags & IRF_W64;
    HostReg x, dst;
    int32_t imm;

    if (gen_imm32(g, i->arg[1], w, &imm)) {
        x = gen_use(g, i->arg[0]);
        dst = gen_def(g, i->dst);
        asm_op_rr(&g->a, w, 0, 0x69, dst, x);
        asm_u32(&g->a, (uint32_t)imm);
    } else {
        x = gen_use(g, i->arg[1]);
        dst = gen_def_from(g, i->dst, i->arg[0]);
        asm_op_rr(&g->a, w, 0, 0x0faf, dst, x);
    }
    gen_flags_clobbered(g);
}

static void gen_mul_high(Gen *g, const IrInsn *i)
{
    HostReg y = gen_use(g, i->arg[1]), dst;

    gen_load_into(g, RAX, i->arg[0]);
    asm_op_rr(&g->a, true, 0, 0xf7, i->op == IR_umulh ? 4 : 5, y);
    dst = gen_def(g, i->dst);
    asm_mov_rr(&g->a, true, dst, RDX);
    gen_flags_clobbered(g);
}

/* x / 0 is 0 and MIN / -1 is MIN: neither may reach DIV. */
static void gen_div(Gen *g, const IrInsn *i)
{
    bool w = i->flags & IRF_W64, is_signed = i->op == IR_sdiv;
    HostReg x = gen_use(g, i->arg[0]), y = gen_use(g, i->arg[1]), dst = gen_def(g, i->dst);
    uint8_t *zero, *minus_one = NULL, *done;
    Asm *a = &g->a;

    asm_mov_ri(a, dst, 0);
    asm_test_rr(a, w, y, y);
    zero = asm_jcc(a, CC_E);
    asm_mov_rr(a, w, RAX, x);
    if (is_signed) {
        asm_alu_ri(a, w, ALU_CMP, y, -1);
        minus_one = asm_jcc(a, CC_E);
        asm_op(a, w, 0x99, 0);   /* CQO, CDQ */
        asm_op_rr(a, w, 0, 0xf7, 7, y);
    } else {
        asm_alu_rr(a, false, ALU_XOR, RDX, RDX);
        asm_op_rr(a, w, 0, 0xf7, 6, y);
    }
    asm_mov_rr(a, w, dst, RAX);
    if (is_signed) {
        done = asm_jmp(a);
        asm_patch(a, minus_one, a->p);
        asm_op_rr(a, w, 0, 0xf7, 3, RAX);
        asm_mov_rr(a, w, dst, RAX);
        asm_patch(a, done, a->p);
    }
    asm_patch(a, zero, a->p);
    gen_flags_clobbered(g);
}

static void gen_extr(Gen *g, const IrInsn *i)
{
    bool w = i->flags & IRF_W64;
    HostReg hi = gen_use(g, i->arg[0]), dst = gen_def_from(g, i->dst, i->arg[1]);

    if (i->aux) {
        asm_op_rr(&g->a, w, 0, 0x0fac, hi, dst);
        asm_u8(&g->a, i->aux);
        gen_flags_clobbered(g);
    } else if (!w) {
        asm_mov_rr(&g->a, false, dst, dst);
    }
}

static void gen_clz(Gen *g, const IrInsn *i)
{
    bool w = i->flags & IRF_W64;
    HostReg x = gen_use(g, i->arg[0]), dst = gen_def(g, i->dst);

    if (gen_stubs(g->t)->has_lzcnt) {
        asm_op_rr(&g->a, w, 0xf3, 0x0fbd, dst, x);
    } else {
        asm_mov_ri(&g->a, RAX, w ? 127 : 63);
        asm_op_rr(&g->a, w, 0, 0x0fbd, dst, x);
        asm_cmov(&g->a, w, CC_E, dst, RAX);
        asm_alu_ri(&g->a, w, ALU_XOR, dst, w ? 63 : 31);
    }
    gen_flags_clobbered(g);
}

/* dst = (dst >> n & mask) | (dst & mask) << n */
static void swap_groups(Gen *g, HostReg dst, uint64_t mask, unsigned n)
{
    Asm *a = &g->a;

    asm_mov_ri(a, RAX, mask);
    asm_mov_rr(a, true, RCX, dst);
    asm_shift_i(a, true, SHIFT_SHR, RCX, n);
    asm_alu_rr(a, true, ALU_AND, RCX, RAX);
    asm_alu_rr(a, true, ALU_AND, dst, RAX);
    asm_shift_i(a, true, SHIFT_SHL, dst, n);
    asm_alu_rr(a, true, ALU_OR, dst, RCX);
}

static void gen_bswap_reg(Gen *g, bool w, HostReg dst)
{
    asm_op(&g->a, w, 0x0fc8 | (dst & 7), dst);
}

static void gen_rbit(Gen *g, const IrInsn *i)
{
    bool w = i->flags & IRF_W64;
    HostReg dst = gen_def_from(g, i->dst, i->arg[0]);

    gen_bswap_reg(g, w, dst);
    swap_groups(g, dst, 0x0f0f0f0f0f0f0f0f, 4);
    swap_groups(g, dst, 0x3333333333333333, 2);
    swap_groups(g, dst, 0x5555555555555555, 1);
    gen_flags_clobbered(g);
}

/* MOVZX and MOVSX from the low byte, half or word. */
static void gen_extend(Gen *g, const IrInsn *i)
{
    bool w = i->flags & IRF_W64, is_signed = i->op == IR_sext;
    HostReg x = gen_use(g, i->arg[0]), dst = gen_def_reuse(g, i->dst, i->arg[0]);

    if (i->aux == 32) {
        if (is_signed && w) {
            asm_op_rr(&g->a, true, 0, 0x63, dst, x);
        } else {
            asm_mov_rr(&g->a, false, dst, x);
        }
    } else if (i->aux == 16) {
        asm_op_rr(&g->a, is_signed && w, 0, is_signed ? 0x0fbf : 0x0fb7, dst, x);
    } else if (is_signed && w) {
        asm_op_rr(&g->a, true, 0, 0x0fbe, dst, x);
    } else {
        asm_op_rr8(&g->a, is_signed ? 0x0fbe : 0x0fb6, dst, x);
    }
}

static void and_mask(Gen *g, HostReg dst, uint64_t mask)
{
    if (mask == UINT32_MAX) {
        asm_mov_rr(&g->a, false, dst, dst);
    } else if (mask <= INT32_MAX) {
        asm_alu_ri(&g->a, false, ALU_AND, dst, (int32_t)mask);
    } else if ((uint64_t)(int64_t)(int32_t)mask == mask) {
        asm_alu_ri(&g->a, true, ALU_AND, dst, (int32_t)mask);
    } else {
        asm_mov_ri(&g->a, RCX, mask);
        asm_alu_rr(&g->a, true, ALU_AND, dst, RCX);
    }
}

static void gen_extract(Gen *g, const IrInsn *i)
{
    bool w = i->flags & IRF_W64;
    unsigned lsb = i->aux & 0xff, len = i->aux >> 8, bits = w ? 64 : 32;
    HostReg dst = gen_def_from(g, i->dst, i->arg[0]);

    if (i->op == IR_sextract) {
        if (bits - len - lsb) {
            asm_shift_i(&g->a, w, SHIFT_SHL, dst, bits - len - lsb);
        }
        if (bits - len) {
            asm_shift_i(&g->a, w, SHIFT_SAR, dst, bits - len);
        }
        if (!w) {
            asm_mov_rr(&g->a, false, dst, dst);
        }
    } else {
        if (lsb) {
            asm_shift_i(&g->a, w, SHIFT_SHR, dst, lsb);
        }
        if (lsb + len < bits) {
            and_mask(g, dst, mask64(len));
        } else if (!lsb && !w) {
            asm_mov_rr(&g->a, false, dst, dst);
        }
    }
    gen_flags_clobbered(g);
}

static void gen_deposit(Gen *g, const IrInsn *i)
{
    bool w = i->flags & IRF_W64;
    unsigned lsb = i->aux & 0xff, len = i->aux >> 8;
    uint64_t keep = ~(mask64(len) << lsb) & (w ? UINT64_MAX : UINT32_MAX), y;
    HostReg dst;
    bool is_const = gen_is_const(g, i->arg[1], &y);

    if (!is_const) {
        gen_load_into(g, RAX, i->arg[1]);
    }
    dst = gen_def_from(g, i->dst, i->arg[0]);
    and_mask(g, dst, keep);
    if (is_const) {
        y = (y & mask64(len)) << lsb;
        if (y) {
            asm_mov_ri(&g->a, RAX, y);
            asm_alu_rr(&g->a, w, ALU_OR, dst, RAX);
        }
    } else {
        and_mask(g, RAX, mask64(len));
        if (lsb) {
            asm_shift_i(&g->a, true, SHIFT_SHL, RAX, lsb);
        }
        asm_alu_rr(&g->a, w, ALU_OR, dst, RAX);
    }
    gen_flags_clobbered(g);
}

static void gen_cmp(Gen *g, const IrInsn *i)
{
    static const uint8_t cc[] = {
        [CMP_EQ] = CC_E, [CMP_NE] = CC_NE, [CMP_LTU] = CC_B, [CMP_GEU] = CC_AE,
        [CMP_LTS] = CC_L, [CMP_GES] = CC_GE, [CMP_LEU] = CC_BE, [CMP_GTU] = CC_A,
        [CMP_LES] = CC_LE, [CMP_GTS] = CC_G,
    };
    HostReg dst;

    alu_operand(g, i->flags & IRF_W64, ALU_CMP, gen_use(g, i->arg[0]), i->arg[1]);
    asm_setcc(&g->a, cc[i->aux], RAX);
    dst = gen_def(g, i->dst);
    asm_op_rr8(&g->a, 0x0fb6, dst, RAX);
    gen_flags_clobbered(g);
}

static void gen_selnz(Gen *g, const IrInsn *i)
{
    HostReg c = gen_use(g, i->arg[0]), x = gen_use(g, i->arg[1]), dst;

    pin(g, i->arg[2]);
    dst = gen_def_from(g, i->dst, i->arg[2]);
    asm_test_rr(&g->a, true, c, c);
    asm_cmov(&g->a, true, CC_NE, dst, x);
    gen_flags_clobbered(g);
}

static void gen_not_neg(Gen *g, const IrInsn *i)
{
    HostReg dst = gen_def_from(g, i->dst, i->arg[0]);

    asm_op_rr(&g->a, i->flags & IRF_W64, 0, 0xf7, i->op == IR_not ? 2 : 3, dst);
    if (i->op == IR_neg) {
        gen_flags_clobbered(g);
    }
}

void gen_alu(Gen *g, const IrInsn *i)
{
    switch (i->op) {
    case IR_add:
        if (!sets_flags(i)) {
            gen_lea_add(g, i);
        } else {
            gen_arith(g, i, ALU_ADD, false);
        }
        break;
    case IR_sub: gen_arith(g, i, ALU_SUB, true); break;
    case IR_and: gen_and(g, i); break;
    case IR_or: gen_arith(g, i, ALU_OR, false); break;
    case IR_xor: gen_arith(g, i, ALU_XOR, false); break;
    case IR_andc: gen_andc(g, i); break;
    case IR_adc: case IR_sbc: gen_carry_arith(g, i); break;
    case IR_shl: gen_shift(g, i, SHIFT_SHL); break;
    case IR_shr: gen_shift(g, i, SHIFT_SHR); break;
    case IR_sar: gen_shift(g, i, SHIFT_SAR); break;
    case IR_ror: gen_shift(g, i, SHIFT_ROR); break;
    case IR_mul: gen_mul(g, i); break;
    case IR_umulh: case IR_smulh: gen_mul_high(g, i); break;
    case IR_udiv: case IR_sdiv: gen_div(g, i); break;
    case IR_extr: gen_extr(g, i); break;
    case IR_not: case IR_neg: gen_not_neg(g, i); break;
    case IR_clz: gen_clz(g, i); break;
    case IR_rbit: gen_rbit(g, i); break;
    case IR_bswap:
        gen_bswap_reg(g, i->flags & IRF_W64, gen_def_from(g, i->dst, i->arg[0]));
        break;
    case IR_zext: case IR_sext: gen_extend(g, i); break;
    case IR_extract: case IR_sextract: gen_extract(g, i); break;
    case IR_deposit: gen_deposit(g, i); break;
    case IR_cmp: gen_cmp(g, i); break;
    case IR_selnz: gen_selnz(g, i); break;
    default: assert(!"not an arithmetic operation");
    }
}
