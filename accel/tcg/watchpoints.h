/*
 * Watchpoints, as the soft MMU asks for them. accel/tcg/tcg.h has the debugger's side.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_WATCHPOINTS_H
#define ACCEL_TCG_WATCHPOINTS_H

#include "accel/tcg/backend.h"

/* Whether any byte of the virtual page is watched. */
bool watchpoint_on_page(TcgContext *t, uint64_t page);
/* The first one that an access to [vaddr, vaddr + bytes) meets, or NULL. */
const Watchpoint *watchpoint_find(TcgContext *t, uint64_t vaddr, unsigned bytes, bool write);
/*
 * The interpreter is about to make an access that does not fault. Notes the hit, if it is one;
 * true: the access must not be made now.
 */
bool watchpoint_stops(Vcpu *cpu, uint64_t vaddr, unsigned bytes, bool write);

#endif
