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

/* The unit at pc (itlb: the page's entry), translated when missing. Never NULL. */
Unit *unit_find(TcgContext *t, Vcpu *cpu, uint64_t pc, const ItlbEntry *itlb);

/* Remember that exit leads to unit. */
void unit_link(TcgContext *t, ExitRec *exit, Unit *unit);

/*
 * IR of one guest instruction at pc, for the interpreter; valid until the next call.
 * max_insns > 1: up to that many instructions, not cached.
 */
const IrUnit *unit_tail(TcgContext *t, Vcpu *cpu, uint64_t pc, const ItlbEntry *itlb,
                        unsigned max_insns);

/* The MemoryCodeHook: drop what was made from [addr, addr + length). */
void units_invalidate(void *opaque, hwaddr addr, size_t length);
void units_flush(TcgContext *t);

#endif
