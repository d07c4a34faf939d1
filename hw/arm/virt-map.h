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

/* PCIe. Plain numbers: they are in a row's properties as text, too. */
#define VIRT_PCIE_MMIO_BASE 0x10000000
#define VIRT_PCIE_MMIO_SIZE 0x2eff0000
#define VIRT_PCIE_PIO_BASE 0x3eff0000
#define VIRT_PCIE_PIO_SIZE 0x00010000
#define VIRT_PCIE_ECAM_LOW 0x3f000000      /* without highmem, ... */
#define VIRT_PCIE_ECAM_LOW_SIZE 0x01000000
#define VIRT_PCIE_ECAM 0x4010000000        /* ... and with it */
#define VIRT_PCIE_ECAM_SIZE 0x10000000
#define VIRT_PCIE_HIGH_BASE 0x8000000000
#define VIRT_PCIE_HIGH_SIZE 0x8000000000
#define VIRT_PCIE_IRQ 3                    /* the first of four SPIs */

#define VIRT_MSI_SPIS 64                   /* of the GICv2m frame */

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
#define VIRT_MSI_FRAME "gicv2m"
#define VIRT_UART "uart0"
#define VIRT_PCIE "pcie"
#define VIRT_POWER_KEY "power-key"
#define VIRT_VIRTIO "virtio-mmio"
#define VIRT_GED "acpi-ged"
#define VIRT_FW_CFG "fw_cfg"
#define VIRT_PLATFORM_BUS "platform-bus"

extern const BoardDevice virt_devices[];
/* They are those of a machine with highmem; a copy for one with or without it, to be freed. */
BoardDevice *virt_device_rows(bool highmem);

#endif
