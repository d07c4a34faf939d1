/*
 * The virt board's devices, one row each. Their order is that of the device tree's nodes, of
 * resets and of saved states.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "board-fdt.h"
#include "boot-fdt.h"
#include "hw/block/pflash_cfi01.h"
#include "hw/char/pl011.h"
#include "hw/core/platform-bus.h"
#include "hw/gpio/gpio-key.h"
#include "hw/gpio/pl061.h"
#include "hw/intc/gicv2.h"
#include "hw/intc/gicv2m.h"
#include "hw/misc/fw_cfg.h"
#include "hw/rtc/pl031.h"
#include "hw/virtio/virtio-mmio.h"
#include "virt-map.h"

#define GIC_WINDOW 0x10000ull   /* as the device tree tells, of both parts */
#define KEY_POWER 116           /* of Linux's input event codes */
#define GPIO_POWER_KEY 3

/* VIRT_FLASH_SIZE in blocks of 256 KiB */
#define FLASH_PROPERTIES "num-blocks=256,sector-length=262144,width=4,device-width=2"

/* One node for both banks. */
static void fdt_flash(GByteArray *fdt, const BoardDevice *row)
{
    const char *path = "/flash@0";

    boot_fdt_set_string(fdt, path, "compatible", "cfi-flash");
    BOOT_FDT_CELLS(fdt, path, "reg", FDT_REG64(row->base, VIRT_FLASH_SIZE),
                   FDT_REG64(row->base + VIRT_FLASH_SIZE, VIRT_FLASH_SIZE));
    BOOT_FDT_CELLS(fdt, path, "bank-width", 4);
}

static void fdt_gic(GByteArray *fdt, const BoardDevice *row)
{
    const char *path = "/intc@8000000";

    BOOT_FDT_CELLS(fdt, "/", "interrupt-parent", row->phandle);
    BOOT_FDT_CELLS(fdt, path, "#interrupt-cells", 3);
    boot_fdt_set(fdt, path, "interrupt-controller", "", 0);
    BOOT_FDT_CELLS(fdt, path, "#address-cells", 2);
    BOOT_FDT_CELLS(fdt, path, "#size-cells", 2);
    boot_fdt_set(fdt, path, "ranges", "", 0);
    boot_fdt_set_string(fdt, path, "compatible", "arm,cortex-a15-gic");
    BOOT_FDT_CELLS(fdt, path, "reg", FDT_REG64(row->base, GIC_WINDOW),
                   FDT_REG64(row->base2, GIC_WINDOW));
    BOOT_FDT_CELLS(fdt, path, "phandle", row->phandle);
}

/* The frame itself says which interrupts it has. */
static void fdt_msi_frame(GByteArray *fdt, const BoardDevice *row)
{
    const char *path = "/intc@8000000/v2m@8020000";

    boot_fdt_set_string(fdt, path, "compatible", "arm,gic-v2m-frame");
    boot_fdt_set(fdt, path, "msi-controller", "", 0);
    BOOT_FDT_CELLS(fdt, path, "reg", FDT_REG64(row->base, (uint64_t)GICV2M_SIZE));
    BOOT_FDT_CELLS(fdt, path, "phandle", row->phandle);
}

static void fdt_stdout(GByteArray *fdt, const BoardDevice *row)
{
    g_autofree char *path = board_fdt_path(row);

    boot_fdt_set_string(fdt, "/chosen", "stdout-path", path);
}

static void fdt_power_key(GByteArray *fdt, const BoardDevice *row)
{
    const char *path = "/gpio-keys/poweroff";

    boot_fdt_set_string(fdt, "/gpio-keys", "compatible", "gpio-keys");
    boot_fdt_set_string(fdt, path, "label", "GPIO Key Poweroff");
    BOOT_FDT_CELLS(fdt, path, "linux,code", KEY_POWER);
    BOOT_FDT_CELLS(fdt, path, "gpios", VIRT_PHANDLE_GPIO, row->irq, 0);
}

/* SPIs count from 0, interrupt ids from 32 below. */
const BoardDevice virt_devices[] = {
    { &pflash_cfi01_type, "flash0", VIRT_FLASH_BASE, .properties = FLASH_PROPERTIES,
      .fdt = fdt_flash },
    { &pflash_cfi01_type, "flash1", VIRT_FLASH_BASE + VIRT_FLASH_SIZE,
      .properties = FLASH_PROPERTIES },
    { &gicv2_type, VIRT_GIC, 0x08000000, 0x08010000, .properties = "num-irq=288",
      .phandle = VIRT_PHANDLE_GIC, .fdt = fdt_gic },
    { &gicv2m_type, "gicv2m", 0x08020000, .irq = 48, .properties = "base-spi=80,num-spi=64",
      .phandle = VIRT_PHANDLE_MSI, .fdt = fdt_msi_frame },
    { &pl011_type, "uart0", 0x09000000, .irq = 1, .fdt = fdt_stdout },
    { &pl031_type, "rtc", 0x09010000, .irq = 2 },
    { &pl061_type, "gpio", 0x09030000, .irq = 7, .phandle = VIRT_PHANDLE_GPIO },
    { &gpio_key_type, VIRT_POWER_KEY, .irq = GPIO_POWER_KEY, .to = "gpio",
      .fdt = fdt_power_key },
    { &virtio_mmio_type, "virtio-mmio", 0x0a000000, .irq = 16, .count = 32 },
    { &fw_cfg_type, VIRT_FW_CFG, 0x09020000 },
    { &platform_bus_type, VIRT_PLATFORM_BUS, VIRT_PLATFORM_BUS_BASE, .irq = VIRT_PLATFORM_BUS_IRQ },
    { .type = NULL }
};
