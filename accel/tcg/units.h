/*
 * The translation cache: units by physical address and mode.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_UNITS_H
#define ACCEL_TCG_UNITS_H

#include "accel/tcg/backend.h"

bool units_init(TcgContext *t, Error **errp);
void units_free(TcgContext *t);

/* The unit at cpu->pc (itlb: the page's entry), translated when missing. Never NULL. */
Unit *unit_find(TcgContext *t, Vcpu *cpu, const ItlbEntry *itlb);

/* Remember that exit leads to unit. */
void unit_link(TcgContext *t, ExitRec *exit, Unit *unit);

/*
 * IR for the interpreter, valid until the next call: of the one guest instruction at cpu->pc,
 * all of which is at code; of all of unit, which stands at cpu->pc, for a slice that ends
 * inside it.
 */
const IrUnit *unit_single(TcgContext *t, Vcpu *cpu, const uint8_t *code);
const IrUnit *unit_tail(TcgContext *t, Vcpu *cpu, Unit *unit, const ItlbEntry *itlb);

/* Drop what was made from [addr, addr + length); true when there was something. */
bool units_invalidate(TcgContext *t, hwaddr addr, size_t length);
/* The page at addr, which has units, loses its place. */
void units_drop_page(TcgContext *t, hwaddr addr);
void units_flush(TcgContext *t);
/* Drop the units that were made for the breakpoints of this virtual page. */
void units_drop_breaks(TcgContext *t, uint64_t vpage);

/* ---- breakpoints.c ---- */

void breakpoints_init(TcgContext *t);
void breakpoints_free(TcgContext *t);
bool breakpoint_at(TcgContext *t, uint64_t pc);
/* Any on the virtual page of pc. */
bool breakpoint_on_page(TcgContext *t, uint64_t pc);

#endif
