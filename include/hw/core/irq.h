/*
 * Interrupt lines. A line is owned by the device that receives it; whoever
 * drives it holds a copy of the struct. Level semantics: the handler is called
 * with each irq_set(), also when the level did not change.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_IRQ_H
#define HW_CORE_IRQ_H

#include "util/osdep.h"

typedef void IrqHandler(void *opaque, unsigned n, bool level);

typedef struct IrqLine {
    IrqHandler *handler;   /* NULL: not connected */
    void *opaque;
    unsigned n;
} IrqLine;

#define IRQ_NONE ((IrqLine) { NULL, NULL, 0 })

static inline void irq_set(const IrqLine *line, bool level)
{
    if (line->handler) {
        line->handler(line->opaque, line->n, level);
    }
}

#endif
