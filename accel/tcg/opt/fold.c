/*
 * Constant folding and algebraic identities.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/interp/alu.h"
#include "accel/tcg/ir-info.h"
#include "accel/tcg/opt/opt.h"

typedef struct Fold {
    IrUnit *u;
    uint16_t map[IR_MAX_INSNS * 2];
    uint8_t zext32[IR_MAX_INSNS * 2];   /* the upper half is known to be zero */
} Fold;

static bool is_foldable(unsigned op)
{
    return (op >= IR_add && op <= IR_deposit) || op == IR_cmp;
}

static bool is_commutative(unsigned op)
{
    return op == IR_add || op == IR_and || op == IR_or || op == IR_xor || op == IR_mul;
}

static bool all_const(const IrUnit *u, const IrInsn *i)
{
    for (unsigned n = 0; n < ir_op_info[i->op].num_args; n++) {
        if (!u->is_const[i->arg[n]]) {
            return false;
        }
    }
    return true;
}

static void become_const(IrUnit *u, IrInsn *i, uint64_t value)
{
    *i = (IrInsn){ .op = IR_const, .flags = IRF_W64, .dst = i->dst, .imm = value };
    u->is_const[i->dst] = 1;
    u->const_of[i->dst] = value;
}

/* x op 0 == x for these; x is arg 0. */
static bool zero_is_identity(unsigned op)
{
    switch (op) {
    case IR_add: case IR_sub: case IR_or: case IR_xor: case IR_andc:
    case IR_shl: case IR_shr: case IR_sar: case IR_ror:
        return true;
    default:
        return false;
    }
}

/* The instruction only passes x on: drop it, or make it a zero extension. */
static bool pass_on(Fold *f, IrInsn *i, uint16_t x)
{
    if ((i->flags & IRF_W64) || f->zext32[x]) {
        f->map[i->dst] = x;
        return false;
    }
    *i = (IrInsn){ .op = IR_zext, .flags = IRF_W64, .aux = 32, .dst = i->dst, .arg = { x } };
    return true;
}

static uint64_t width_mask(const IrInsn *i)
{
    return i->flags & IRF_W64 ? UINT64_MAX : UINT32_MAX;
}

static bool fold_const_operand(Fold *f, IrInsn *i)
{
    uint64_t y = f->u->const_of[i->arg[1]] & width_mask(i);

    if (y == 0 && zero_is_identity(i->op)) {
        return pass_on(f, i, i->arg[0]);
    }
    if (y == 0 && (i->op == IR_and || i->op == IR_mul)) {
        become_const(f->u, i, 0);
    } else if (y == width_mask(i) && i->op == IR_and) {
        return pass_on(f, i, i->arg[0]);
    } else if (y == 1 && i->op == IR_mul) {
        return pass_on(f, i, i->arg[0]);
    }
    return true;
}

static bool writes_zext32(const Fold *f, const IrInsn *i)
{
    unsigned len = i->aux >> 8;

    switch (i->op) {
    case IR_const:
        return i->imm <= UINT32_MAX;
    case IR_ld:
    case IR_ld2:
        return (i->aux & 7) <= MEM_32 && !(i->aux & MEM_SIGNED64);
    case IR_stx:
    case IR_cmp:
    case IR_zext:
    case IR_clz:
        return true;
    case IR_ld_env:
        return i->aux <= 4;
    case IR_extract:
        return len <= 32;
    case IR_sel:
        return !(i->flags & IRF_W64) || (f->zext32[i->arg[0]] && f->zext32[i->arg[1]]);
    default:
        return is_foldable(i->op) && !(i->flags & IRF_W64);
    }
}

/* Returns whether the instruction stays. */
static bool fold_insn(Fold *f, IrInsn *i)
{
    IrUnit *u = f->u;
    uint32_t nzcv = 0;

    if (i->flags & IRF_SETS_NZCV) {
        return true;
    }
    if (is_foldable(i->op) && !ir_op_has(i->op, 'R') && all_const(u, i)) {
        become_const(u, i, alu_eval(i, u->const_of[i->arg[0]], u->const_of[i->arg[1]],
                                    u->const_of[i->arg[2]], &nzcv));
        return true;
    }
    if (is_commutative(i->op) && u->is_const[i->arg[0]]) {
        uint16_t x = i->arg[0];

        i->arg[0] = i->arg[1];
        i->arg[1] = x;
    }
    if (i->op >= IR_add && i->op <= IR_sdiv && u->is_const[i->arg[1]]) {
        return fold_const_operand(f, i);
    }
    if ((i->op == IR_or || i->op == IR_and) && i->arg[0] == i->arg[1]) {
        return pass_on(f, i, i->arg[0]);
    }
    if (i->op == IR_zext && i->aux == 32 && f->zext32[i->arg[0]]) {
        f->map[i->dst] = i->arg[0];
        return false;
    }
    return true;
}

void ir_opt_fold(IrUnit *u)
{
    Fold f = { .u = u };
    unsigned kept = 0;

    for (unsigned n = 0; n <= u->num_values; n++) {
        f.map[n] = n;
    }
    for (unsigned n = 0; n < u->num_insns; n++) {
        IrInsn *i = &u->insns[n];

        ir_replace_args(i, f.map);
        if (fold_insn(&f, i)) {
            f.zext32[i->dst] = writes_zext32(&f, i);
            u->insns[kept++] = *i;
        }
    }
    u->num_insns = kept;
}
