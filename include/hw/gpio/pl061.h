/*
 * PrimeCell general-purpose input/output, PL061 (DDI 0190): eight lines.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_GPIO_PL061_H
#define HW_GPIO_PL061_H

#include "hw/core/irq.h"
#include "hw/core/machine.h"

#define PL061_SIZE 0x1000
#define PL061_LINES 8

/* Its inputs are the outside ends of the lines, driven by whoever is connected to them. */
extern const DeviceType pl061_type;

/* Told about the level the guest drives while the line is an output. */
void pl061_connect_output(Device *gpio, unsigned line, IrqLine out);

#endif
