/*
 * The memory map and interrupt numbers of the virt board, which are QEMU's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_VIRT_MAP_H
#define HW_ARM_VIRT_MAP_H

#include "util/osdep.h"

#define VIRT_FLASH_BASE 0x00000000ull      /* two banks */
#define VIRT_FLASH_SIZE 0x04000000ull      /* each */
#define VIRT_GIC_DIST_BASE 0x08000000ull
#define VIRT_GIC_CPU_BASE 0x08010000ull
#define VIRT_GIC_WINDOW 0x10000ull         /* as the device tree tells */
#define VIRT_GICV2M_BASE 0x08020000ull
#define VIRT_UART_BASE 0x09000000ull
#define VIRT_RTC_BASE 0x09010000ull
#define VIRT_FW_CFG_BASE 0x09020000ull
#define VIRT_GPIO_BASE 0x09030000ull
#define VIRT_VIRTIO_BASE 0x0a000000ull     /* VIRT_NUM_VIRTIO windows of VIRTIO_MMIO_SIZE */
#define VIRT_PLATFORM_BUS_BASE 0x0c000000ull
#define VIRT_PLATFORM_BUS_SIZE 0x02000000ull
#define VIRT_RAM_BASE 0x40000000ull
#define VIRT_RAM_MAX (255ull << 30)

#define VIRT_NUM_VIRTIO 32
#define VIRT_NUM_MSI 64
#define VIRT_MAX_CPUS 8
#define VIRT_NUM_IRQ 288                   /* 256 SPIs behind 32 private ones */

/* SPIs, from 0 */
#define VIRT_SPI_UART 1
#define VIRT_SPI_RTC 2
#define VIRT_SPI_GPIO 7
#define VIRT_SPI_VIRTIO 16
#define VIRT_SPI_MSI 48                    /* VIRT_NUM_MSI of them, for messages */

/* PPIs, from 0: generic timer (BSA's numbers) */
#define VIRT_PPI_TIMER_HYP 10
#define VIRT_PPI_TIMER_VIRT 11
#define VIRT_PPI_TIMER_SECURE 13
#define VIRT_PPI_TIMER_PHYS 14

#define VIRT_GPIO_POWER_KEY 3

#endif
