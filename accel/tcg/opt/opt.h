/*
 * The passes over a unit's IR. ir_optimize() is the pipeline; each pass may be
 * run alone (golden tests). Passes keep the rules of ir.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_OPT_H
#define ACCEL_TCG_OPT_H

#include "accel/tcg/ir.h"

/* All optimisations, then the flags pass. */
void ir_optimize(IrUnit *u);
/*
 * The same without the flags pass: the interpreter can stop at every instruction, and NZCV
 * that nobody in the unit reads has to be right there.
 */
void ir_optimize_for_interp(IrUnit *u);

/* Replace reads of slots by the value that is known to be in them; drop
 * writes of what is already there. */
void ir_opt_forward(IrUnit *u);
/* Constant folding and algebraic identities. */
void ir_opt_fold(IrUnit *u);
/* Compute the same thing from the same values only once. */
void ir_opt_cse(IrUnit *u);
/* Remove instructions without effect whose results nobody uses. */
void ir_opt_dead(IrUnit *u);
/* Mark flag setters whose NZCV nobody reads (dead) or that must reach
 * vcpu->nzcv (home). Back ends need it: it runs with optimisation off, too. */
void ir_mark_flags(IrUnit *u);

/* Value replacement shared by the passes: rewrite all arguments through map. */
void ir_replace_args(IrInsn *i, const uint16_t *map);

#endif
