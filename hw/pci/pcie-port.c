/*
 * A PCI Express root port (PCI Express Base 3.0, PCI-to-PCI Bridge 1.2), as QEMU's pcie-root-port.
 *
 * Wiring: a bridge on the root bus; behind it a bus with one slot, called by the port's id, which
 * numbers, windows and command bits lead to as the guest programs them; BAR 0 with the table of one
 * MSI-X vector, which nothing uses as yet. A set Secondary Bus Reset resets what is behind it.
 *
 * Not modelled: hot-plug, errors, power management events, links that train or change their speed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pcie-port.h"
#include "pci-internal.h"

#define SLTCAP_NUMBER_SHIFT 19
#define SLTCAP_NO_COMMAND_COMPLETED 0x40000
#define SLTSTA_PRESENCE 0x40
#define RTCTL_WRITABLE 0x000f           /* which errors and events are told of */

typedef struct PciePortState {
    PciState pci;
} PciePortState;

typedef struct PciePortConfig {
    PciConfig pci;
    uint8_t chassis, port;
    uint16_t slot;
} PciePortConfig;

typedef struct PciePort {
    PciDevice pci;
    PciePortState state;
    PciePortConfig config;
    PciBus secondary;
} PciePort;

FIELD_TABLE(pcie_port_fields, "pcie-root-port", 1, PciePortState, PCI_FIELDS);

static PciePort *port_of(Device *dev)
{
    return container_of(dev, PciePort, pci.dev);
}

static void config_written(PciDevice *d, unsigned offset, unsigned size)
{
    if (offset <= PCI_BRIDGE_CONTROL && PCI_BRIDGE_CONTROL < offset + size &&
        (pci_config_word(d, PCI_BRIDGE_CONTROL) & PCI_BRIDGE_CTL_BUS_RESET)) {
        pci_bus_reset(d->secondary);
    }
}

static const PciDeviceType pcie_port_ptype = {
    .vendor_id = PCI_VENDOR_REDHAT, .device_id = 0x000c, .class_code = 0x060400, .bridge = true,
    .pin = true, .config_written = config_written,
};

/* A slot is found by its chassis and number, so there is only one of each. */
static bool check_number(PciePort *port, Error **errp)
{
    const GPtrArray *devices = port->pci.dev.machine->devices;

    for (unsigned i = 0; i < devices->len; i++) {
        Device *dev = g_ptr_array_index(devices, i);
        const PciePort *other = dev->type == port->pci.dev.type ? port_of(dev) : port;

        if (other != port && other->config.chassis == port->config.chassis &&
            other->config.slot == port->config.slot) {
            error_setg(errp, "chassis=%u,slot=%u: that is '%s'; chassis= or slot= makes them "
                       "differ", port->config.chassis, port->config.slot, dev->id);
            return false;
        }
    }
    return true;
}

static void add_slot(PciePort *port)
{
    const PciConfigRow rows[] = {
        { PCI_EXP_FLAGS, 2, .value = PCI_EXP_VERSION_2 | PCI_EXP_FLAGS_SLOT |
                                     PCI_EXP_TYPE_ROOT_PORT << PCI_EXP_TYPE_SHIFT },
        { PCI_EXP_SLTCAP, 4, .value = SLTCAP_NO_COMMAND_COMPLETED |
                                      (uint32_t)port->config.slot << SLTCAP_NUMBER_SHIFT },
        { PCI_EXP_SLTSTA, 2, .dynamic = SLTSTA_PRESENCE },
        { PCI_EXP_LNKSTA, 2, .value = PCI_EXP_LNKCAP_SPEED_2_5 | 1 << PCI_EXP_LNKCAP_WIDTH_SHIFT,
          .dynamic = PCI_EXP_LNKSTA_DLLLA },
        { PCI_EXP_RTCTL, 2, .writable = RTCTL_WRITABLE },
    };

    pci_add_rows(&port->pci, port->pci.cap.exp, rows, ARRAY_SIZE(rows));
}

static bool pcie_port_realize(Device *dev, Error **errp)
{
    PciePort *port = port_of(dev);

    if (pci_is_behind_port(&port->pci)) {
        error_setg(errp, "bus=%s is behind a port; root ports are on a root bus", dev->bus->name);
        return false;
    }
    if (!check_number(port, errp) || !pci_init(&port->pci, &pcie_port_ptype, errp)) {
        return false;
    }
    pci_bus_init(&port->secondary, dev, &port->pci, dev->id, 1);
    pci_add_msix(&port->pci, 0, 1);
    pci_add_power_management(&port->pci);
    pci_add_express(&port->pci, PCI_EXP_TYPE_ROOT_PORT, port->config.port);
    add_slot(port);
    return true;
}

/* The slot is taken, and the link up, if there is a function 0. */
static void pcie_port_reset(Device *dev)
{
    PciePort *port = port_of(dev);
    uint8_t *exp = port->state.pci.config + port->pci.cap.exp;

    pci_reset(&port->pci);
    if (port->secondary.device[0]) {
        store_le(exp + PCI_EXP_SLTSTA, load_le(exp + PCI_EXP_SLTSTA, 2) | SLTSTA_PRESENCE, 2);
        store_le(exp + PCI_EXP_LNKSTA, load_le(exp + PCI_EXP_LNKSTA, 2) | PCI_EXP_LNKSTA_DLLLA, 2);
    }
}

#define NO_HINTS "firmware is not told how much a port is to be given; what it gives is in info pci"
static const Property pcie_port_properties[] = {
    PCI_PROPERTIES(PciePortConfig),
    PROP_UINT("chassis", PciePortConfig, chassis, "0", 0, 255, "the chassis that its slot is in"),
    PROP_UINT("slot", PciePortConfig, slot, "0", 0, 8191, "the number of its slot in there"),
    PROP_UINT("port", PciePortConfig, port, "0", 0, 255, "the number of its link"),
    PROP_FIXED("hotplug", PROPERTY_BOOL, "devices are not plugged while the machine runs yet",
               "devices that come and go", "off"),
    PROP_REFUSED("bus-reserve", NO_HINTS), PROP_REFUSED("io-reserve", NO_HINTS),
    PROP_REFUSED("mem-reserve", NO_HINTS), PROP_REFUSED("pref32-reserve", NO_HINTS),
    PROP_REFUSED("pref64-reserve", NO_HINTS),
    PROP_END
};

const DeviceType pcie_root_port_type = {
    .name = "pcie-root-port", .doc = "PCI Express root port: a bus with one slot",
    .bus = PCI_BUS, .pluggable = true, .size = sizeof(PciePort),
    .fields = &pcie_port_fields, .state_offset = offsetof(PciePort, state),
    .properties = pcie_port_properties, .config_offset = offsetof(PciePort, config),
    .realize = pcie_port_realize, .reset = pcie_port_reset, .post_load = pci_device_post_load,
    .free = pci_device_free,
};
