/*
 * The virt board's DSDT: CPUs and devices as guests find them through ACPI. Names, identifiers and the interrupt
 * links are those that QEMU's guests see.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/aml.h"
#include "hw/acpi/ged.h"
#include "hw/pci/pci.h"
#include "virt-acpi.h"
#include "virt-map.h"

#define PCI_SLOTS 32
#define PCI_ANY_FUNCTION 0xffffu

/* Bits of _STA (ACPI 6.4 6.3.7): present, enabled, functioning, and not shown. */
#define STA_HIDDEN 0xb

/* Capabilities of _OSC (PCI Firmware Specification 3.2, 4.5.1). */
#define OSC_UUID "33DB4D5B-1FF7-401C-9657-7441C03DD766"
enum { OSC_QUERY = 1, OSC_BAD_UUID = 4, OSC_BAD_REVISION = 8, OSC_MASKED = 0x10, OSC_CONTROLS = 0x1f };

static void name_int(Aml *a, const char *name, uint64_t value)
{
    aml_name(a, name);
    aml_int(a, value);
}

static void name_string(Aml *a, const char *name, const char *value)
{
    aml_name(a, name);
    aml_string(a, value);
}

static void name_resources(Aml *a, const char *name, GByteArray *res)
{
    aml_name(a, name);
    aml_resources(a, res);
}

static GByteArray *resources(hwaddr base, uint32_t size)
{
    GByteArray *res = g_byte_array_new();

    aml_res_memory32(res, (uint32_t)base, size);
    return res;
}

static void add_cpus(Aml *a, unsigned num)
{
    for (unsigned i = 0; i < num; i++) {
        g_autofree char *name = g_strdup_printf("C%03X", i);

        aml_device(a, name);
        name_string(a, "_HID", "ACPI0007");
        name_int(a, "_UID", i);
        aml_end(a);
    }
}

static void add_uart(Aml *a, const BoardDevice *row)
{
    GByteArray *res = resources(row->base, (uint32_t)row->type->window);

    aml_res_interrupt(res, VIRT_GSI_SPI(row->irq), false);
    aml_device(a, "COM0");
    name_string(a, "_HID", "ARMH0011");
    name_int(a, "_UID", 0);
    name_resources(a, "_CRS", res);
    aml_end(a);
}

static void add_fw_cfg(Aml *a, const BoardDevice *row)
{
    aml_device(a, "FWCF");
    name_string(a, "_HID", "QEMU0002");
    name_int(a, "_STA", STA_HIDDEN);
    name_int(a, "_CCA", 1);
    name_resources(a, "_CRS", resources(row->base, (uint32_t)row->type->window));
    aml_end(a);
}

static void add_virtio(Aml *a, const BoardDevice *row)
{
    uint32_t size = (uint32_t)row->type->window;

    for (unsigned i = 0; i < row->count; i++) {
        g_autofree char *name = g_strdup_printf("VR%02u", i);
        GByteArray *res = resources(row->base + i * size, size);

        aml_res_interrupt(res, VIRT_GSI_SPI(row->irq + i), true);
        aml_device(a, name);
        name_string(a, "_HID", "LNRO0005");
        name_int(a, "_UID", i);
        name_int(a, "_CCA", 1);
        name_resources(a, "_CRS", res);
        aml_end(a);
    }
}

/* ---- PCI ---- */

/* The lines as devices that cannot be set: one possible interrupt each. */
static void add_links(Aml *a, const BoardDevice *row)
{
    for (unsigned pin = 0; pin < PCI_NUM_PINS; pin++) {
        g_autofree char *name = g_strdup_printf("GSI%u", pin);

        aml_device(a, name);
        aml_name(a, "_HID"), aml_eisa_id(a, "PNP0C0F");
        name_int(a, "_UID", pin);
        for (unsigned i = 0; i < 2; i++) {
            GByteArray *res = g_byte_array_new();

            aml_res_interrupt(res, VIRT_GSI_SPI(row->irq + pin), false);
            name_resources(a, i ? "_CRS" : "_PRS", res);
        }
        aml_method(a, "_SRS", 1, false);
        aml_end(a);
        aml_end(a);
    }
}

static void add_routes(Aml *a)
{
    aml_name(a, "_PRT");
    aml_package(a, PCI_SLOTS * PCI_NUM_PINS);
    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        for (unsigned pin = 0; pin < PCI_NUM_PINS; pin++) {
            g_autofree char *link = g_strdup_printf("GSI%u", (slot + pin) % PCI_NUM_PINS);

            aml_package(a, 4);
            aml_int(a, slot << 16 | PCI_ANY_FUNCTION);
            aml_int(a, pin);
            aml_ref(a, link);
            aml_int(a, 0);
            aml_end(a);
        }
    }
    aml_end(a);
}

static GByteArray *pci_windows(bool highmem)
{
    GByteArray *res = g_byte_array_new();
    uint64_t buses = (highmem ? VIRT_PCIE_ECAM_SIZE : VIRT_PCIE_ECAM_LOW_SIZE) / 0x100000;

    aml_res_window(res, 2, AML_SPACE_BUS, 0, buses, 0);
    aml_res_window(res, 4, AML_SPACE_MEMORY, VIRT_PCIE_MMIO_BASE, VIRT_PCIE_MMIO_SIZE, 0);
    aml_res_window(res, 4, AML_SPACE_IO, 0, VIRT_PCIE_PIO_SIZE, VIRT_PCIE_PIO_BASE);
    if (highmem) {
        aml_res_window(res, 8, AML_SPACE_MEMORY, VIRT_PCIE_HIGH_BASE, VIRT_PCIE_HIGH_SIZE, 0);
    }
    return res;
}

/* Arg3 is a buffer of words: field `name` is the n-th. */
static void osc_word(Aml *a, const char *name, unsigned n)
{
    aml_op(a, AML_CREATE_DWORD_FIELD);
    aml_op(a, AML_ARG3);
    aml_int(a, 4 * n);
    aml_ref(a, name);
}

/* CDW1 |= bit */
static void osc_say(Aml *a, unsigned bit)
{
    aml_op(a, AML_OR);
    aml_ref(a, "CDW1");
    aml_int(a, bit);
    aml_ref(a, "CDW1");
}

/* What the guest asks for is its own to do, but for what is not known. */
static void add_osc(Aml *a)
{
    aml_method(a, "_OSC", 4, false);
    osc_word(a, "CDW1", 0);
    aml_if(a);
    aml_op(a, AML_LEQUAL), aml_op(a, AML_ARG0), aml_uuid(a, OSC_UUID);
    osc_word(a, "CDW3", 2);
    aml_op(a, AML_AND), aml_ref(a, "CDW3"), aml_int(a, OSC_CONTROLS), aml_op(a, AML_LOCAL0);
    aml_if(a);
    aml_op(a, AML_LNOT), aml_op(a, AML_LEQUAL), aml_op(a, AML_ARG1), aml_int(a, 1);
    osc_say(a, OSC_BAD_REVISION);
    aml_end(a);
    aml_if(a);
    aml_op(a, AML_LNOT), aml_op(a, AML_LEQUAL), aml_ref(a, "CDW3"), aml_op(a, AML_LOCAL0);
    osc_say(a, OSC_MASKED);
    aml_end(a);
    aml_op(a, AML_STORE), aml_op(a, AML_LOCAL0), aml_ref(a, "CDW3");
    aml_end(a);
    aml_else(a);
    osc_say(a, OSC_BAD_UUID);
    aml_end(a);
    aml_op(a, AML_RETURN), aml_op(a, AML_ARG3);
    aml_end(a);
}

static void add_pcie(Aml *a, const BoardDevice *row, bool highmem)
{
    uint32_t ecam_size = highmem ? VIRT_PCIE_ECAM_SIZE : VIRT_PCIE_ECAM_LOW_SIZE;
    GByteArray *ecam = g_byte_array_new();

    aml_device(a, "PCI0");
    aml_name(a, "_HID"), aml_eisa_id(a, "PNP0A08");
    aml_name(a, "_CID"), aml_eisa_id(a, "PNP0A03");
    name_int(a, "_SEG", 0);
    name_int(a, "_BBN", 0);
    name_int(a, "_UID", 0);
    aml_name(a, "_STR"), aml_unicode(a, "PCIe 0 Device");
    name_int(a, "_CCA", 1);
    add_routes(a);
    add_links(a, row);
    aml_method(a, "_CBA", 0, false);
    aml_op(a, AML_RETURN), aml_int(a, row->base);
    aml_end(a);
    name_resources(a, "_CRS", pci_windows(highmem));
    add_osc(a);

    /* Configuration space belongs to nobody else. */
    aml_res_memory64(ecam, row->base, ecam_size);
    aml_device(a, "RES0");
    aml_name(a, "_HID"), aml_eisa_id(a, "PNP0C02");
    name_resources(a, "_CRS", ecam);
    aml_end(a);
    aml_end(a);
}

/* ---- the power button ---- */

static void add_events(Aml *a, const BoardDevice *row)
{
    GByteArray *res = g_byte_array_new();

    aml_res_interrupt(res, VIRT_GSI_SPI(row->irq), true);
    aml_device(a, "GED");
    name_string(a, "_HID", "ACPI0013");
    name_string(a, "_UID", "GED");
    name_resources(a, "_CRS", res);
    aml_memory_register(a, "EREG", "ESEL", (uint32_t)row->base);
    aml_method(a, "_EVT", 1, true);
    aml_op(a, AML_STORE), aml_ref(a, "ESEL"), aml_op(a, AML_LOCAL0);
    aml_if(a);
    aml_op(a, AML_LEQUAL);
    aml_op(a, AML_AND), aml_op(a, AML_LOCAL0), aml_int(a, GED_POWER_DOWN), aml_int(a, 0);
    aml_int(a, GED_POWER_DOWN);
    aml_op(a, AML_NOTIFY), aml_ref(a, "PWRB"), aml_int(a, 0x80);
    aml_end(a);
    aml_end(a);
    aml_end(a);

    aml_device(a, "PWRB");
    name_string(a, "_HID", "PNP0C0C");
    name_int(a, "_UID", 0);
    aml_end(a);
}

void virt_dsdt_build(GByteArray *out, const VirtAcpiConfig *config)
{
    const BoardDevice *rows = config->devices;
    Aml a = { .bytes = out };

    aml_scope(&a, "\\_SB");
    add_cpus(&a, config->num_cpus);
    add_uart(&a, virt_row(rows, VIRT_UART));
    add_fw_cfg(&a, virt_row(rows, VIRT_FW_CFG));
    add_virtio(&a, virt_row(rows, VIRT_VIRTIO));
    add_pcie(&a, virt_row(rows, VIRT_PCIE), config->highmem);
    add_events(&a, virt_row(rows, VIRT_GED));
    aml_end(&a);
    assert(a.depth == 0);
}
