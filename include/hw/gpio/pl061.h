/*
 * PrimeCell general-purpose input/output, PL061 (DDI 0190): eight lines.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_GPIO_PL061_H
#define HW_GPIO_PL061_H

#include "hw/core/irq.h"
#include "hw/core/machine.h"

typedef struct Pl061 Pl061;

#define PL061_SIZE 0x1000
#define PL061_LINES 8

Pl061 *pl061_new(Machine *machine, const char *id, hwaddr base, IrqLine irq);

/* The line's outside end, driven by whoever is connected to it. */
IrqLine pl061_input(Pl061 *gpio, unsigned line);
/* Told about the level the guest drives while the line is an output. */
void pl061_connect_output(Pl061 *gpio, unsigned line, IrqLine out);

#endif
