/*
 * The pipeline.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/opt/opt.h"
#include "accel/tcg/ir-info.h"

void ir_optimize(IrUnit *u)
{
    ir_opt_forward(u);
    ir_opt_fold(u);
    ir_opt_cse(u);
    ir_mark_flags(u);
    ir_opt_dead(u);
}

void ir_optimize_for_interp(IrUnit *u)
{
    ir_opt_forward(u);
    ir_opt_fold(u);
    ir_opt_dead(u);
}

void ir_replace_args(IrInsn *i, const uint16_t *map)
{
    for (unsigned n = 0; n < ir_op_info[i->op].num_args; n++) {
        i->arg[n] = map[i->arg[n]];
    }
}
