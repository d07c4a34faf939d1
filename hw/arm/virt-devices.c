/*
 * The virt board's devices, one row each. Their order is that of the device tree's nodes, of
 * resets and of saved states.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "board-fdt.h"
#include "boot-fdt.h"
#include "hw/char/pl011.h"
#include "hw/gpio/gpio-key.h"
#include "hw/gpio/pl061.h"
#include "hw/misc/fw_cfg.h"
#include "hw/rtc/pl031.h"
#include "hw/virtio/virtio-mmio.h"
#include "virt-map.h"

#define KEY_POWER 116           /* of Linux's input event codes */
#define GPIO_POWER_KEY 3

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

const BoardDevice virt_devices[] = {
    { &pl011_type, "uart0", 0x09000000, .irq = 1, .fdt = fdt_stdout },
    { &pl031_type, "rtc", 0x09010000, .irq = 2 },
    { &pl061_type, "gpio", 0x09030000, .irq = 7, .phandle = VIRT_PHANDLE_GPIO },
    { &gpio_key_type, VIRT_POWER_KEY, .irq = GPIO_POWER_KEY, .to = "gpio",
      .fdt = fdt_power_key },
    { &virtio_mmio_type, "virtio-mmio", 0x0a000000, .irq = 16, .count = 32 },
    { &fw_cfg_type, VIRT_FW_CFG, 0x09020000 },
    { .type = NULL }
};
