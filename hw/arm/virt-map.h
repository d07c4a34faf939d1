/*
 * What the virt board's parts know of each other: addresses and interrupt numbers that are not
 * just a row's of virt_devices[]. They are QEMU's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_VIRT_MAP_H
#define HW_ARM_VIRT_MAP_H

#include "hw/core/board.h"

#define VIRT_FLASH_BASE 0x00000000ull      /* two banks */
#define VIRT_FLASH_SIZE 0x04000000ull      /* each */
#define VIRT_PLATFORM_BUS_BASE 0x0c000000ull
#define VIRT_PLATFORM_BUS_SIZE 0x02000000ull
#define VIRT_PLATFORM_BUS_IRQ 112          /* the first SPI */
#define VIRT_RAM_BASE 0x40000000ull
#define VIRT_RAM_MAX (255ull << 30)

#define VIRT_MAX_CPUS 8

/* PPIs, from 0: generic timer (BSA's numbers) */
#define VIRT_PPI_TIMER_HYP 10
#define VIRT_PPI_TIMER_VIRT 11
#define VIRT_PPI_TIMER_SECURE 13
#define VIRT_PPI_TIMER_PHYS 14

/* Phandles of the device tree; the CPUs' come behind. */
enum {
    VIRT_PHANDLE_CLOCK = 0x8000, VIRT_PHANDLE_GIC, VIRT_PHANDLE_MSI, VIRT_PHANDLE_GPIO,
    VIRT_PHANDLE_CPU,
};

/* Rows that the board does more with than to make them. */
#define VIRT_GIC "gic"
#define VIRT_POWER_KEY "power-key"
#define VIRT_FW_CFG "fw_cfg"
#define VIRT_PLATFORM_BUS "platform-bus"

extern const BoardDevice virt_devices[];

#endif
