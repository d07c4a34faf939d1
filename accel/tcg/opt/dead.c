/*
 * Dead-code elimination: backwards, an instruction stays when it has an effect
 * or somebody uses a result.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/ir-info.h"
#include "accel/tcg/opt/opt.h"

static bool has_effect(const IrInsn *i)
{
    if (i->op == IR_call) {
        return !(ir_insn_helper(i)->flags & IR_HELPER_PURE);
    }
    return ir_op_has(i->op, 'S') ||
           ((i->flags & IRF_SETS_NZCV) && !(i->flags & IRF_NZCV_DEAD));
}

void ir_opt_dead(IrUnit *u)
{
    uint8_t used[IR_MAX_INSNS * 2] = { 0 };
    unsigned first = u->num_insns;

    for (unsigned n = u->num_insns; n-- > 0;) {
        IrInsn *i = &u->insns[n];

        if (!has_effect(i) && !used[i->dst] && !used[i->dst2]) {
            continue;
        }
        if (i->flags & IRF_NZCV_DEAD) {
            if (i->op == IR_ccmp || i->op == IR_ccmn || i->op == IR_set_nzcv) {
                continue;
            }
            i->flags &= ~(IRF_SETS_NZCV | IRF_NZCV_DEAD);
        }
        for (unsigned a = 0; a < ir_op_info[i->op].num_args; a++) {
            used[i->arg[a]] = i->arg[a] != 0;
        }
        u->insns[--first] = *i;
    }
    u->num_insns -= first;
    memmove(u->insns, u->insns + first, u->num_insns * sizeof(*u->insns));
}
