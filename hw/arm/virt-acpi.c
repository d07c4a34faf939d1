/*
 * The virt board's ACPI tables, for guests that firmware starts (ACPI 6.4 chapter 5; Arm BBR, DEN 0044). They say
 * what the device tree says, of the same rows; like QEMU's they leave out the clock, which is the firmware's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/watchdog/sbsa_gwdt.h"
#include "virt-acpi.h"
#include "virt-map.h"

#define FADT_HW_REDUCED (1u << 20)
#define FADT_PSCI 1
#define FADT_PSCI_HVC 2

#define NO_ADDRESS UINT64_MAX
#define LEVEL_HIGH 0
#define TIMER_ALWAYS_ON (1u << 2)

#define GIC_VERSION 2

const BoardDevice *virt_row(const BoardDevice *rows, const char *id)
{
    for (; rows->type; rows++) {
        if (!strcmp(rows->id, id)) {
            return rows;
        }
    }
    g_assert_not_reached();
}

/* 5.2.9: no fixed hardware, PSCI by HVC. */
static void add_fadt(AcpiTables *t, uint32_t dsdt)
{
    acpi_begin(t, "FACP", 6);
    acpi_zeros(t, 112 - ACPI_HEADER_BYTES);
    acpi_put(t, FADT_HW_REDUCED, 4);
    acpi_zeros(t, 129 - acpi_length(t));
    acpi_put(t, FADT_PSCI | FADT_PSCI_HVC, 2);
    acpi_put(t, 0, 1);                          /* the minor version */
    acpi_zeros(t, 140 - acpi_length(t));
    acpi_put_pointer(t, dsdt);
    acpi_zeros(t, 268 - acpi_length(t));
    acpi_put(t, 0x554d4551, 8);                 /* the hypervisor: "QEMU" */
    acpi_end_listed(t);
}

/* ---- interrupts (5.2.12) ---- */

enum { MADT_GICC = 0x0b, MADT_GICD = 0x0c, MADT_MSI_FRAME = 0x0d };

static void add_gicc(AcpiTables *t, const BoardDevice *gic, unsigned cpu)
{
    acpi_put(t, MADT_GICC, 1);
    acpi_put(t, 80, 1);
    acpi_zeros(t, 2);
    acpi_put(t, cpu, 4);
    acpi_put(t, cpu, 4);
    acpi_put(t, 1, 4);                          /* enabled */
    acpi_zeros(t, 4 + 4 + 8);                   /* parking protocol, performance interrupt */
    acpi_put(t, gic->base2, 8);
    acpi_zeros(t, 8 + 8 + 4 + 8);               /* GICV, GICH and their interrupt, GICR */
    acpi_put(t, cpu, 8);                        /* MPIDR */
    acpi_zeros(t, 4);
}

static void add_madt(AcpiTables *t, const VirtAcpiConfig *config)
{
    const BoardDevice *gic = virt_row(config->devices, VIRT_GIC), *msi = virt_row(config->devices, VIRT_MSI_FRAME);

    acpi_begin(t, "APIC", 4);
    acpi_zeros(t, 4 + 4);
    for (unsigned i = 0; i < config->num_cpus; i++) {
        add_gicc(t, gic, i);
    }
    acpi_put(t, MADT_GICD, 1);
    acpi_put(t, 24, 1);
    acpi_zeros(t, 2 + 4);
    acpi_put(t, gic->base, 8);
    acpi_zeros(t, 4);
    acpi_put(t, GIC_VERSION, 1);
    acpi_zeros(t, 3);

    acpi_put(t, MADT_MSI_FRAME, 1);
    acpi_put(t, 24, 1);
    acpi_zeros(t, 2 + 4);
    acpi_put(t, msi->base, 8);
    acpi_put(t, 1, 4);                          /* what follows counts */
    acpi_put(t, VIRT_MSI_SPIS, 2);
    acpi_put(t, VIRT_GSI_SPI(msi->irq), 2);
    acpi_end_listed(t);
}

/* ---- timers and watchdog (5.2.25) ---- */

enum { GTDT_WATCHDOG = 1, GTDT_BYTES = 96 };

static const Device *find_watchdog(const Bus *bus, unsigned *n)
{
    for (*n = 0; bus && *n < bus->children->len; ++*n) {
        const Device *dev = g_ptr_array_index(bus->children, *n);

        if (dev->type == &sbsa_gwdt_type) {
            return dev;
        }
    }
    return NULL;
}

static void add_watchdog(AcpiTables *t, const Device *watchdog, unsigned n)
{
    hwaddr control = watchdog->region[0]->base;

    acpi_put(t, GTDT_WATCHDOG, 1);
    acpi_put(t, 28, 2);
    acpi_zeros(t, 1);
    acpi_put(t, control + watchdog->type->window / 2, 8);
    acpi_put(t, control, 8);
    acpi_put(t, VIRT_GSI_SPI(VIRT_PLATFORM_BUS_IRQ + n), 4);
    acpi_put(t, LEVEL_HIGH, 4);
}

static void add_gtdt(AcpiTables *t, const VirtAcpiConfig *config)
{
    static const unsigned timers[] = {
        VIRT_PPI_TIMER_SECURE, VIRT_PPI_TIMER_PHYS, VIRT_PPI_TIMER_VIRT, VIRT_PPI_TIMER_HYP,
    };
    unsigned n;
    const Device *watchdog = find_watchdog(config->platform_bus, &n);

    acpi_begin(t, "GTDT", 2);
    acpi_put(t, NO_ADDRESS, 8);                 /* no counter in memory */
    acpi_zeros(t, 4);
    for (unsigned i = 0; i < ARRAY_SIZE(timers); i++) {
        acpi_put(t, VIRT_GSI_PPI(timers[i]), 4);
        acpi_put(t, LEVEL_HIGH | TIMER_ALWAYS_ON, 4);
    }
    acpi_put(t, NO_ADDRESS, 8);
    acpi_put(t, watchdog ? 1 : 0, 4);
    acpi_put(t, watchdog ? GTDT_BYTES : 0, 4);
    assert(acpi_length(t) == GTDT_BYTES);
    if (watchdog) {
        add_watchdog(t, watchdog, n);
    }
    acpi_end_listed(t);
}

/* ---- PCI: the PCI Firmware Specification 3.2, 4.1.2 ---- */

static void add_mcfg(AcpiTables *t, const VirtAcpiConfig *config)
{
    acpi_begin(t, "MCFG", 1);
    acpi_zeros(t, 8);
    acpi_put(t, virt_row(config->devices, VIRT_PCIE)->base, 8);
    acpi_put(t, 0, 2);
    acpi_put(t, 0, 1);
    acpi_put(t, (config->highmem ? VIRT_PCIE_ECAM_SIZE : VIRT_PCIE_ECAM_LOW_SIZE) / 0x100000 - 1, 1);
    acpi_zeros(t, 4);
    acpi_end_listed(t);
}

/* ---- the serial port: Microsoft's Serial Port Console Redirection and Debug Port 2 tables ---- */

enum { PORT_SERIAL = 0x8000, PORT_PL011 = 3 };
enum { SPCR_GIC = 1 << 3, SPCR_BAUD_9600 = 3, SPCR_ONE_STOP_BIT = 1, SPCR_RTS_CTS = 2, NO_PCI_ID = 0xffff };

static void add_spcr(AcpiTables *t, const BoardDevice *uart)
{
    acpi_begin(t, "SPCR", 2);
    acpi_put(t, PORT_PL011, 1);
    acpi_zeros(t, 3);
    acpi_put_address(t, uart->base, 8, 1);
    acpi_put(t, SPCR_GIC, 1);
    acpi_put(t, 0, 1);
    acpi_put(t, VIRT_GSI_SPI(uart->irq), 4);
    acpi_put(t, SPCR_BAUD_9600, 1);
    acpi_put(t, 0, 1);
    acpi_put(t, SPCR_ONE_STOP_BIT, 1);
    acpi_put(t, SPCR_RTS_CTS, 1);
    acpi_zeros(t, 2);
    acpi_put(t, NO_PCI_ID, 2);
    acpi_put(t, NO_PCI_ID, 2);
    acpi_zeros(t, 3 + 4 + 1 + 4);
    acpi_end_listed(t);
}

static void add_dbg2(AcpiTables *t, const BoardDevice *uart)
{
    static const char name[] = "\\_SB.COM0";
    enum { DEVICE = 22, DEVICE_ADDRESS = DEVICE, DEVICE_SIZE = DEVICE + 12, DEVICE_NAME = DEVICE_SIZE + 4 };

    acpi_begin(t, "DBG2", 0);
    acpi_put(t, ACPI_HEADER_BYTES + 8, 4);
    acpi_put(t, 1, 4);
    acpi_put(t, 0, 1);
    acpi_put(t, DEVICE_NAME + sizeof(name), 2);
    acpi_put(t, 1, 1);
    acpi_put(t, sizeof(name), 2);
    acpi_put(t, DEVICE_NAME, 2);
    acpi_zeros(t, 2 + 2);
    acpi_put(t, PORT_SERIAL, 2);
    acpi_put(t, PORT_PL011, 2);
    acpi_zeros(t, 2);
    acpi_put(t, DEVICE_ADDRESS, 2);
    acpi_put(t, DEVICE_SIZE, 2);
    acpi_put_address(t, uart->base, 8, 1);
    acpi_put(t, uart->type->window, 4);
    g_byte_array_append(t->bytes, (const uint8_t *)name, sizeof(name));
    acpi_end_listed(t);
}

/* ---- how CPUs are grouped (5.2.29) ---- */

enum {
    PPTT_PACKAGE = 1 << 0, PPTT_ID_VALID = 1 << 1, PPTT_THREAD = 1 << 2, PPTT_LEAF = 1 << 3,
};

/* A node, of which the table has the offset. */
static uint32_t add_node(AcpiTables *t, unsigned flags, uint32_t parent, unsigned id)
{
    uint32_t at = acpi_length(t);

    acpi_put(t, 0, 1);
    acpi_put(t, 20, 1);
    acpi_zeros(t, 2);
    acpi_put(t, flags, 4);
    acpi_put(t, parent, 4);
    acpi_put(t, id, 4);
    acpi_put(t, 0, 4);
    return at;
}

/* As the device tree's cpu-map has them. */
static void add_pptt(AcpiTables *t, const VirtAcpiConfig *config)
{
    unsigned threads = MAX(config->topology.threads, 1);
    unsigned cores = config->topology.cores ? config->topology.cores : config->num_cpus;
    unsigned clusters = MAX(config->topology.clusters, 1);
    uint32_t socket = 0, cluster = 0, core = 0;

    acpi_begin(t, "PPTT", 2);
    for (unsigned i = 0; i < config->num_cpus; i++) {
        if (i % (threads * cores * clusters) == 0) {
            socket = cluster = add_node(t, PPTT_PACKAGE, 0, i / (threads * cores * clusters));
        }
        if (clusters > 1 && i % (threads * cores) == 0) {
            cluster = add_node(t, 0, socket, i / (threads * cores));
        }
        if (threads == 1) {
            add_node(t, PPTT_ID_VALID | PPTT_LEAF, cluster, i);
            continue;
        }
        if (i % threads == 0) {
            core = add_node(t, 0, cluster, i / threads);
        }
        add_node(t, PPTT_ID_VALID | PPTT_THREAD | PPTT_LEAF, core, i);
    }
    acpi_end_listed(t);
}

/* ---- NUMA (5.2.16): one node ---- */

enum { SRAT_MEMORY = 1, SRAT_GICC = 3 };

static void add_srat(AcpiTables *t, const VirtAcpiConfig *config)
{
    acpi_begin(t, "SRAT", 3);
    acpi_put(t, 1, 4);
    acpi_zeros(t, 8);
    for (unsigned i = 0; i < config->num_cpus; i++) {
        acpi_put(t, SRAT_GICC, 1);
        acpi_put(t, 18, 1);
        acpi_put(t, 0, 4);                      /* the node */
        acpi_put(t, i, 4);
        acpi_put(t, 1, 4);                      /* enabled */
        acpi_put(t, 0, 4);
    }
    acpi_put(t, SRAT_MEMORY, 1);
    acpi_put(t, 40, 1);
    acpi_put(t, 0, 4);
    acpi_zeros(t, 2);
    acpi_put(t, VIRT_RAM_BASE, 8);
    acpi_put(t, config->ram_size, 8);
    acpi_zeros(t, 4);
    acpi_put(t, 1, 4);
    acpi_zeros(t, 8);
    acpi_end_listed(t);
}

void virt_acpi_build(AcpiTables *t, const VirtAcpiConfig *config)
{
    const BoardDevice *uart = virt_row(config->devices, VIRT_UART);
    uint32_t dsdt;

    acpi_begin(t, "DSDT", 2);
    virt_dsdt_build(t->bytes, config);
    dsdt = acpi_end(t);
    add_fadt(t, dsdt);
    add_madt(t, config);
    add_pptt(t, config);
    add_gtdt(t, config);
    add_mcfg(t, config);
    add_spcr(t, uart);
    add_dbg2(t, uart);
    if (config->numa) {
        add_srat(t, config);
    }
}

bool virt_acpi_add(FwCfg *fw, const VirtAcpiConfig *config, Error **errp)
{
    AcpiTables t;
    bool ok;

    acpi_tables_init(&t);
    virt_acpi_build(&t, config);
    ok = acpi_tables_finish(&t, fw, errp);
    acpi_tables_clear(&t);
    return ok;
}
