/*
 * Slot forwarding: within a unit a guest register is read from memory at most
 * once, and never after it was written. Sync helpers forget everything.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/ir-info.h"
#include "accel/tcg/opt/opt.h"
#include "accel/tcg/vcpu.h"

/* True when the instruction stays. */
static bool forward_insn(const IrInsn *i, uint16_t *map, uint16_t *slot)
{
    switch (i->op) {
    case IR_get:
        if (slot[i->aux]) {
            map[i->dst] = slot[i->aux];
            return false;
        }
        slot[i->aux] = i->dst;
        return true;
    case IR_set:
        if (slot[i->aux] == i->arg[0]) {
            return false;
        }
        slot[i->aux] = i->arg[0];
        return true;
    case IR_call:
        if (ir_insn_helper(i)->flags & IR_HELPER_SYNC) {
            memset(slot, 0, VCPU_MAX_SLOTS * sizeof(*slot));
        }
        return true;
    default:
        return true;
    }
}

void ir_opt_forward(IrUnit *u)
{
    uint16_t map[IR_MAX_INSNS * 2], slot[VCPU_MAX_SLOTS] = { 0 };
    unsigned kept = 0;

    for (unsigned n = 0; n <= u->num_values; n++) {
        map[n] = n;
    }
    for (unsigned n = 0; n < u->num_insns; n++) {
        IrInsn *i = &u->insns[n];

        ir_replace_args(i, map);
        if (forward_insn(i, map, slot)) {
            u->insns[kept++] = *i;
        }
    }
    u->num_insns = kept;
}
