/*
 * How a device tree describes a device, as far as boards can write the node by themselves:
 * node@BASE with compatible, reg, interrupts, clocks. What a binding asks for beyond that
 * (phandles of others, children) is the board's to add.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_FDT_BINDING_H
#define HW_CORE_FDT_BINDING_H

#include "util/osdep.h"

/* The third cell of an interrupt specifier (arm,gic.yaml). */
enum FdtIrqType {
    FDT_IRQ_EDGE_RISING = 1,
    FDT_IRQ_LEVEL_HIGH = 4,
};

struct FdtBinding {
    const char *node;               /* its name without the address */
    const char *compatible[3];      /* NULL-terminated, as all lists here */
    const char *clock_names[3];     /* each of them is the board's bus clock */
    uint8_t irq_type;
    uint8_t frames;                 /* of equal size, that reg has of the window; 0: one */
    uint8_t gpio_cells;             /* #gpio-cells of a GPIO controller; 0: it is none */
    bool dma_coherent;
};

#endif
