/*
 * The virt board's devices, one row each. Their order is that of the device tree's nodes, of
 * resets and of saved states.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "board-fdt.h"
#include "boot-fdt.h"
#include "hw/acpi/ged.h"
#include "hw/block/pflash_cfi01.h"
#include "hw/char/pl011.h"
#include "hw/core/fdt-binding.h"
#include "hw/core/platform-bus.h"
#include "hw/gpio/gpio-key.h"
#include "hw/gpio/pl061.h"
#include "hw/intc/gicv2.h"
#include "hw/intc/gicv2m.h"
#include "hw/misc/fw_cfg.h"
#include "hw/pci/pci-host.h"
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

#define PCIE_LOW_PROPERTIES                                                                    \
    "mmio-base=" G_STRINGIFY(VIRT_PCIE_MMIO_BASE) ",mmio-size=" G_STRINGIFY(VIRT_PCIE_MMIO_SIZE) \
    ",pio-base=" G_STRINGIFY(VIRT_PCIE_PIO_BASE) ",pio-size=" G_STRINGIFY(VIRT_PCIE_PIO_SIZE)
#define PCIE_PROPERTIES                                                                        \
    PCIE_LOW_PROPERTIES ",ecam-size=" G_STRINGIFY(VIRT_PCIE_ECAM_SIZE) ",high-mmio-base="       \
    G_STRINGIFY(VIRT_PCIE_HIGH_BASE) ",high-mmio-size=" G_STRINGIFY(VIRT_PCIE_HIGH_SIZE)

#define PCIE_PATH "/pcie@10000000"
#define PCIE_MAP_SLOTS 4            /* then the lines are the same again */
#define PCIE_MAP_CELLS 10

/* Types of addresses of the PCI binding (IEEE 1275): I/O, memory of 32 and of 64 bits. */
#define FDT_PCI_IO 0x01000000
#define FDT_PCI_MEMORY 0x02000000
#define FDT_PCI_MEMORY_64 0x03000000
#define FDT_CELLS64(value) (uint32_t)((uint64_t)(value) >> 32), (uint32_t)(value)

static void fdt_pcie_interrupts(GByteArray *fdt, const BoardDevice *row)
{
    uint32_t map[PCIE_MAP_SLOTS * PCI_NUM_PINS][PCIE_MAP_CELLS];
    unsigned n = 0;

    for (unsigned slot = 0; slot < PCIE_MAP_SLOTS; slot++) {
        for (unsigned pin = 0; pin < PCI_NUM_PINS; pin++, n++) {
            const uint32_t entry[PCIE_MAP_CELLS] = {
                slot << 11, 0, 0, pin + 1, VIRT_PHANDLE_GIC, 0, 0, FDT_GIC_SPI,
                row->irq + (slot + pin) % PCI_NUM_PINS, FDT_IRQ_LEVEL_HIGH,
            };

            memcpy(map[n], entry, sizeof(entry));
        }
    }
    BOOT_FDT_CELLS(fdt, PCIE_PATH, "#interrupt-cells", 1);
    boot_fdt_set_cells(fdt, PCIE_PATH, "interrupt-map", map[0], n * PCIE_MAP_CELLS);
    BOOT_FDT_CELLS(fdt, PCIE_PATH, "interrupt-map-mask", (PCIE_MAP_SLOTS - 1) << 11, 0, 0, 7);
}

/* The binding is host-generic-pci.yaml. */
static void fdt_pcie(GByteArray *fdt, const BoardDevice *row)
{
    bool high = row->base == VIRT_PCIE_ECAM;
    const uint32_t ranges[] = {
        FDT_PCI_IO, 0, 0, FDT_CELLS64(VIRT_PCIE_PIO_BASE), FDT_CELLS64(VIRT_PCIE_PIO_SIZE),
        FDT_PCI_MEMORY, FDT_CELLS64(VIRT_PCIE_MMIO_BASE), FDT_CELLS64(VIRT_PCIE_MMIO_BASE),
        FDT_CELLS64(VIRT_PCIE_MMIO_SIZE),
        FDT_PCI_MEMORY_64, FDT_CELLS64(VIRT_PCIE_HIGH_BASE), FDT_CELLS64(VIRT_PCIE_HIGH_BASE),
        FDT_CELLS64(VIRT_PCIE_HIGH_SIZE),
    };
    uint64_t size = high ? VIRT_PCIE_ECAM_SIZE : VIRT_PCIE_ECAM_LOW_SIZE;

    boot_fdt_set_string(fdt, PCIE_PATH, "compatible", "pci-host-ecam-generic");
    boot_fdt_set_string(fdt, PCIE_PATH, "device_type", "pci");
    BOOT_FDT_CELLS(fdt, PCIE_PATH, "#address-cells", 3);
    BOOT_FDT_CELLS(fdt, PCIE_PATH, "#size-cells", 2);
    BOOT_FDT_CELLS(fdt, PCIE_PATH, "linux,pci-domain", 0);
    BOOT_FDT_CELLS(fdt, PCIE_PATH, "bus-range", 0, (uint32_t)(size >> 20) - 1);
    boot_fdt_set(fdt, PCIE_PATH, "dma-coherent", "", 0);
    BOOT_FDT_CELLS(fdt, PCIE_PATH, "msi-map", 0, VIRT_PHANDLE_MSI, 0, 0x10000);
    BOOT_FDT_CELLS(fdt, PCIE_PATH, "reg", FDT_REG64(row->base, size));
    boot_fdt_set_cells(fdt, PCIE_PATH, "ranges", ranges, ARRAY_SIZE(ranges) - (high ? 0 : 7));
    fdt_pcie_interrupts(fdt, row);
}

/* SPIs count from 0, interrupt ids from 32 below. */
const BoardDevice virt_devices[] = {
    { &pflash_cfi01_type, "flash0", VIRT_FLASH_BASE, .properties = FLASH_PROPERTIES,
      .fdt = fdt_flash },
    { &pflash_cfi01_type, "flash1", VIRT_FLASH_BASE + VIRT_FLASH_SIZE,
      .properties = FLASH_PROPERTIES },
    { &gicv2_type, VIRT_GIC, 0x08000000, 0x08010000, .properties = "num-irq=288",
      .phandle = VIRT_PHANDLE_GIC, .fdt = fdt_gic },
    { &gicv2m_type, VIRT_MSI_FRAME, 0x08020000, .irq = 48,
      .properties = "base-spi=80,num-spi=" G_STRINGIFY(VIRT_MSI_SPIS),
      .phandle = VIRT_PHANDLE_MSI, .fdt = fdt_msi_frame },
    { &pl011_type, VIRT_UART, 0x09000000, .irq = 1, .fdt = fdt_stdout },
    { &pl031_type, "rtc", 0x09010000, .irq = 2 },
    { &pci_host_type, VIRT_PCIE, VIRT_PCIE_ECAM, .irq = VIRT_PCIE_IRQ,
      .properties = PCIE_PROPERTIES, .fdt = fdt_pcie },
    { &pl061_type, "gpio", 0x09030000, .irq = 7, .phandle = VIRT_PHANDLE_GPIO },
    { &gpio_key_type, VIRT_POWER_KEY, .irq = GPIO_POWER_KEY, .to = "gpio",
      .fdt = fdt_power_key },
    { &virtio_mmio_type, VIRT_VIRTIO, 0x0a000000, .irq = 16, .count = 32 },
    { &fw_cfg_type, VIRT_FW_CFG, 0x09020000 },
    { &platform_bus_type, VIRT_PLATFORM_BUS, VIRT_PLATFORM_BUS_BASE, .irq = VIRT_PLATFORM_BUS_IRQ },
    { &ged_type, VIRT_GED, 0x09080000, .irq = 9 },
    { .type = NULL }
};

BoardDevice *virt_device_rows(bool highmem)
{
    BoardDevice *rows = g_memdup2(virt_devices, sizeof(virt_devices));

    for (BoardDevice *row = rows; !highmem && row->type; row++) {
        if (row->type == &pci_host_type) {
            row->base = VIRT_PCIE_ECAM_LOW;
            row->properties =
                PCIE_LOW_PROPERTIES ",ecam-size=" G_STRINGIFY(VIRT_PCIE_ECAM_LOW_SIZE);
        }
    }
    return rows;
}
