/*
 * What the virt board's parts know of each other: addresses and interrupt numbers of what is
 * no row of virt_devices[]. They are QEMU's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_VIRT_MAP_H
#define HW_ARM_VIRT_MAP_H

#include "hw/core/board.h"

#define VIRT_FLASH_BASE 0x00000000ull      /* two banks */
#define VIRT_FLASH_SIZE 0x04000000ull      /* each */
#define VIRT_GIC_DIST_BASE 0x08000000ull
#define VIRT_GIC_CPU_BASE 0x08010000ull
#define VIRT_GIC_WINDOW 0x10000ull         /* as the device tree tells */
#define VIRT_GICV2M_BASE 0x08020000ull
#define VIRT_PLATFORM_BUS_BASE 0x0c000000ull
#define VIRT_PLATFORM_BUS_SIZE 0x02000000ull
#define VIRT_RAM_BASE 0x40000000ull
#define VIRT_RAM_MAX (255ull << 30)

#define VIRT_MAX_CPUS 8
#define VIRT_NUM_IRQ 288                   /* 256 SPIs behind 32 private ones */

/* SPIs, from 0, for messages; those of devices are in virt_devices[]. */
#define VIRT_SPI_MSI 48
#define VIRT_NUM_MSI 64

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
#define VIRT_POWER_KEY "power-key"
#define VIRT_FW_CFG "fw_cfg"

extern const BoardDevice virt_devices[];

#endif
