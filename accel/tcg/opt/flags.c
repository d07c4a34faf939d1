/*
 * NZCV liveness. For each flag setter, look ahead to the next definition:
 *
 * - nobody reads it and no exit can show it: dead;
 * - somebody reads it after the host's flags were disturbed, or state is
 *   needed in memory while it is current (sync helper, exits whose test
 *   disturbs the flags): home;
 * - a guest access that bails out needs it, but nobody else does: bail;
 * - otherwise the host's flags carry it to its readers and exits.
 *
 * Each setter's look-ahead ends at the next setter, so the pass is linear.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/ir-info.h"
#include "accel/tcg/opt/opt.h"

typedef enum Effect { FLAGS_NONE, FLAGS_READ, FLAGS_NEED_HOME, FLAGS_MAY_BAIL } Effect;

static Effect effect_of(const IrInsn *i)
{
    if (ir_op_has(i->op, 'M')) {
        return FLAGS_MAY_BAIL;
    }
    switch (i->op) {
    case IR_call:
        return ir_insn_helper(i)->flags & IR_HELPER_SYNC ? FLAGS_NEED_HOME : FLAGS_NONE;
    case IR_exit_nz:
    case IR_exit_z:
    case IR_exit_bit:
    case IR_exit_main_helper:
        return FLAGS_NEED_HOME;
    case IR_jmp:
    case IR_jmp_ind:
    case IR_exit_main:
        return FLAGS_READ;
    default:
        return ir_op_has(i->op, 'R') ? FLAGS_READ : FLAGS_NONE;
    }
}

static uint8_t classify(const IrUnit *u, unsigned setter)
{
    bool disturbed = false, read = false, may_bail = false;

    for (unsigned n = setter + 1; n < u->num_insns; n++) {
        const IrInsn *i = &u->insns[n];
        Effect effect = effect_of(i);

        if (effect == FLAGS_NEED_HOME || (effect == FLAGS_READ && disturbed)) {
            return IRF_NZCV_HOME;
        }
        read |= effect == FLAGS_READ;
        may_bail |= effect == FLAGS_MAY_BAIL;
        if (i->flags & IRF_SETS_NZCV) {
            break;
        }
        disturbed |= !ir_op_has(i->op, 'N');
    }
    return may_bail ? IRF_NZCV_BAIL : read ? 0 : IRF_NZCV_DEAD;
}

void ir_mark_flags(IrUnit *u)
{
    for (unsigned n = 0; n < u->num_insns; n++) {
        IrInsn *i = &u->insns[n];

        if (i->flags & IRF_SETS_NZCV) {
            i->flags &= ~(IRF_NZCV_DEAD | IRF_NZCV_HOME | IRF_NZCV_BAIL);
            i->flags |= classify(u, n);
        }
    }
}
