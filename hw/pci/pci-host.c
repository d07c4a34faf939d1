/*
 * The generic PCI Express host bridge ("pci-host-ecam-generic" of the device tree's
 * host-generic-pci.yaml), as QEMU's virt machine has it.
 *
 * Wiring: a window of configuration space, 4 KiB a function (PCI Express 7.2.2), as long as the
 * buses that it can number; windows of memory, below and above 4 GiB, and one of I/O ports; four
 * interrupt outputs, INTA to INTD, high while a function drives one. In the windows reads
 * of what no BAR answers are all ones, as are those of functions that are not there.
 *
 * Its root bus is pcie.0, and function 0 of slot 0 there is the bridge itself.
 *
 * Not modelled: errors. BARs that are in a window in part only do not answer at all.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci-host.h"
#include "util/bitops.h"
#include "util/log.h"

#define BUS_SHIFT 20
#define DEVFN_SHIFT 12
#define WINDOW_PRIORITY (-2)        /* below the BARs */
#define NUM_SLOTS 32

/* ---- the bridge as a function ---- */

typedef struct PciRootState {
    PciState pci;
} PciRootState;

typedef struct PciRootConfig {
    PciConfig pci;
} PciRootConfig;

typedef struct PciRoot {
    PciDevice pci;
    PciRootState state;
    PciRootConfig config;
} PciRoot;

FIELD_TABLE(pci_root_fields, "gpex-root", 1, PciRootState, PCI_FIELDS);

static const PciDeviceType pci_root_ptype = {
    .vendor_id = PCI_VENDOR_REDHAT, .device_id = 0x0008, .class_code = 0x060000,
    .subsystem_vendor_id = PCI_VENDOR_REDHAT_QUMRANET, .subsystem_id = PCI_SUBSYSTEM_DEFAULT,
};

static bool pci_root_realize(Device *dev, Error **errp)
{
    return pci_init(container_of(dev, PciDevice, dev), &pci_root_ptype, errp);
}

static const Property pci_root_properties[] = { PCI_PROPERTIES(PciRootConfig), PROP_END };

const DeviceType pci_root_type = {
    .name = "gpex-root", .doc = "the host bridge as a function of its bus", .bus = PCI_BUS,
    .instead = "it comes with its host bridge", .size = sizeof(PciRoot),
    .fields = &pci_root_fields, .state_offset = offsetof(PciRoot, state),
    .properties = pci_root_properties, .config_offset = offsetof(PciRoot, config),
    .realize = pci_root_realize, .reset = pci_device_reset, .post_load = pci_device_post_load,
    .free = pci_device_free,
};

/* ---- the host bridge ---- */

typedef struct PciHostConfig {
    uint64_t ecam_size, mem_base, mem_size, high_base, high_size, port_base, port_size;
} PciHostConfig;

typedef struct PciHost {
    Device dev;
    PciHostConfig config;
    PciBus root;
} PciHost;

static PciDevice *find_function(PciHost *host, hwaddr offset)
{
    PciBus *bus = pci_bus_find(&host->root, (unsigned)(offset >> BUS_SHIFT));

    return bus && !bus->off ? bus->device[extract64(offset, DEVFN_SHIFT, 8)] : NULL;
}

/* An access that is not aligned does not come here: the bus has none (7.2.2). */
static bool is_aligned(const PciHost *host, hwaddr offset, unsigned size)
{
    if (offset % size) {
        log_mask(LOG_GUEST_ERROR, "%s: access of %u bytes to configuration space at 0x%" PRIx64
                 "\n", host->dev.id, size, offset);
        return false;
    }
    return true;
}

static uint64_t ecam_read(void *opaque, hwaddr offset, unsigned size)
{
    PciDevice *d = find_function(opaque, offset);

    return d && is_aligned(opaque, offset, size) ?
           pci_config_read(d, (unsigned)extract64(offset, 0, DEVFN_SHIFT), size) : UINT64_MAX;
}

static void ecam_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    PciDevice *d = find_function(opaque, offset);

    if (d && is_aligned(opaque, offset, size)) {
        pci_config_write(d, (unsigned)extract64(offset, 0, DEVFN_SHIFT), size, (uint32_t)value);
    }
}

static uint64_t ecam_peek(void *opaque, hwaddr offset, unsigned size)
{
    const PciDevice *d = find_function(opaque, offset);

    return d && offset % size == 0 ?
           pci_config_peek(d, (unsigned)extract64(offset, 0, DEVFN_SHIFT), size) : UINT64_MAX;
}

static const MmioOps ecam_ops = {
    .read = ecam_read, .write = ecam_write, .peek = ecam_peek, .min_size = 1, .max_size = 4,
};

/* ---- where nobody answers ---- */

static uint64_t window_read(void *opaque, hwaddr offset, unsigned size)
{
    log_mask(LOG_GUEST_ERROR, "%s: read of %u bytes at offset 0x%" PRIx64 " of a window, where no "
             "function answers\n", ((const Device *)opaque)->id, size, offset);
    return UINT64_MAX;
}

static uint64_t window_peek(void *opaque, hwaddr offset, unsigned size)
{
    return UINT64_MAX;
}

static void window_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    log_mask(LOG_GUEST_ERROR, "%s: write of %u bytes at offset 0x%" PRIx64 " of a window, where no "
             "function answers\n", ((const Device *)opaque)->id, size, offset);
}

static const MmioOps window_ops = {
    .read = window_read, .write = window_write, .peek = window_peek, .min_size = 1, .max_size = 8,
};

static void add_window(PciHost *host, const char *name, uint64_t base, uint64_t size)
{
    MemoryMap *map = host->dev.machine->memory;
    MemRegion *region;

    if (size) {
        region = memory_new_mmio(map, name, size, &window_ops, host);
        memory_set_priority(map, region, WINDOW_PRIORITY);
        memory_move(map, region, base);
        memory_set_enabled(map, region, true);
    }
}

static bool pci_host_map(Device *dev, hwaddr base, hwaddr base2, Error **errp)
{
    PciHost *host = container_of(dev, PciHost, dev);
    const PciHostConfig *c = &host->config;

    dev->region[0] = memory_add_mmio(dev->machine->memory, "pcie-ecam", base, c->ecam_size,
                                     &ecam_ops, host);
    add_window(host, "pcie-mmio", c->mem_base, c->mem_size);
    add_window(host, "pcie-mmio-high", c->high_base, c->high_size);
    add_window(host, "pcie-ioport", c->port_base, c->port_size);
    return true;
}

/* ---- the shell ---- */

static IrqLine *pci_host_output(Device *dev, unsigned n)
{
    return n < PCI_NUM_PINS ? &container_of(dev, PciHost, dev)->root.intx[n] : NULL;
}

PciBus *pci_host_bus(Device *dev)
{
    return dev->type == &pci_host_type ? &container_of(dev, PciHost, dev)->root : NULL;
}

static bool pci_host_realize(Device *dev, Error **errp)
{
    PciHost *host = container_of(dev, PciHost, dev);
    const PciHostConfig *c = &host->config;
    Device *root;

    host->root.windows = (PciWindows){
        .memory = { c->mem_base, c->mem_size }, .high = { c->high_base, c->high_size },
        .ports = { c->port_base, c->port_size },
    };
    pci_bus_init(&host->root, dev, NULL, "pcie.0", NUM_SLOTS);
    root = device_new(&pci_root_type, dev->machine, "gpex-root");
    bus_attach(host->root.bus, root);
    return device_realize(root, errp);
}

#define PLACE(label, member, doc_) \
    PROP_UINT(label, PciHostConfig, member, "0", 0, UINT64_MAX, doc_)
static const Property pci_host_properties[] = {
    PROP_UINT("ecam-size", PciHostConfig, ecam_size, "0x10000000", 1 << BUS_SHIFT,
              256 << BUS_SHIFT, "bytes of configuration space, 1 MiB a bus"),
    PLACE("mmio-base", mem_base, "where memory below 4 GiB is"),
    PLACE("mmio-size", mem_size, "bytes of it"),
    PLACE("high-mmio-base", high_base, "where memory above 4 GiB is"),
    PLACE("high-mmio-size", high_size, "bytes of it; 0: none"),
    PLACE("pio-base", port_base, "where port 0 is"),
    PLACE("pio-size", port_size, "how many ports there are"),
    PROP_END
};

const DeviceType pci_host_type = {
    .name = "gpex-pcihost", .doc = "generic PCI Express host bridge", .bus = SYSTEM_BUS,
    .instead = "machine virt has one, whose bus is pcie.0", .size = sizeof(PciHost),
    .properties = pci_host_properties, .config_offset = offsetof(PciHost, config),
    .map = pci_host_map, .output = pci_host_output, .realize = pci_host_realize,
};
