/*
 * A board's rows of devices in its device tree.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_BOARD_FDT_H
#define HW_ARM_BOARD_FDT_H

#include "hw/core/board.h"

/* Interrupt specifiers of the GIC binding (arm,gic.yaml): type, number, flags. */
#define FDT_GIC_SPI 0
#define FDT_GIC_PPI 1

/* The cells of one reg entry where addresses and sizes have two cells. */
#define FDT_REG64(base, size) \
    (uint32_t)((base) >> 32), (uint32_t)(base), (uint32_t)((size) >> 32), (uint32_t)(size)

/*
 * One node for each device whose type has a binding, in the rows' order, and what the rows add.
 * libfdt puts a new node before its siblings, so the guest meets the last row's first. `clock`
 * is the phandle of the bus clock.
 */
void board_fdt_add_devices(GByteArray *fdt, const BoardDevice *rows, uint32_t clock);

/*
 * The same for the devices of a platform bus, below the node at `path`, where addresses count from
 * `base` and have one cell; the n-th one's interrupt is SPI irq + n.
 */
void board_fdt_add_bus(GByteArray *fdt, const char *path, hwaddr base, const Bus *bus, unsigned irq,
                       uint32_t clock);

/* "/pl011@9000000", the node of a row's first device. To be freed. */
char *board_fdt_path(const BoardDevice *row);

#endif
