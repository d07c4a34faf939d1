/*
 * A PCI Express root port (PCI Express Base 3.0, PCI-to-PCI Bridge 1.2), as QEMU's pcie-root-port.
 *
 * Wiring: a bridge on the root bus; behind it a bus with one slot, called by the port's id, which
 * numbers, windows and command bits lead to as the guest programs them; BAR 0 with the table of one
 * MSI-X vector, for hot-plug events. A set Secondary Bus Reset resets what is behind it.
 *
 * Hot-plug (6.7): the slot has an attention button, which device_add and device_del press, two lights and a power
 * controller. Commands are done within the write, so there is none to be completed (No Command Completed
 * Support). A slot without power has its functions reset and out of reach, and its link is down. They go
 * when the guest has switched off the power and the power light, as that says that they may be taken out;
 * a slot that was never switched on is like that from the start. After a reset a slot is on if it is taken.
 *
 * Not modelled: errors, power management events, links that train or change their speed, latch and interlock,
 * devices that are taken out by surprise.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/hotplug.h"
#include "hw/pci/pcie-port.h"

#define EVENTS (PCI_EXP_SLTSTA_BUTTON | PCI_EXP_SLTSTA_PRESENCE_CHANGED | PCI_EXP_SLTSTA_LINK_CHANGED)
#define RTCTL_WRITABLE 0x000f           /* which errors and events are told of */

typedef struct PciePortState {
    PciState pci;
    uint32_t powered;               /* the guest, or a reset, has switched the slot on with a device in it */
    uint32_t asked;                 /* the guest was asked to let go of the device */
} PciePortState;

#define PCIE_PORT_FIELDS(F, S) \
    PCI_FIELDS(F, S)           \
    F(S, U32, powered)         \
    F(S, U32, asked)

typedef struct PciePortConfig {
    PciConfig pci;
    uint8_t chassis, port;
    uint16_t slot;
    bool hotplug;
} PciePortConfig;

typedef struct PciePort {
    PciDevice pci;
    PciePortState state;
    PciePortConfig config;
    PciBus secondary;
} PciePort;

FIELD_TABLE(pcie_port_fields, "pcie-root-port", 2, PciePortState, PCIE_PORT_FIELDS);

static PciePort *port_of(Device *dev)
{
    return container_of(dev, PciePort, pci.dev);
}

static PciePort *port_of_pci(PciDevice *d)
{
    return container_of(d, PciePort, pci);
}

/* ---- the slot ---- */

static unsigned exp_word(const PciePort *port, unsigned offset)
{
    return pci_config_word(&port->pci, port->pci.cap.exp + offset);
}

static void exp_set(PciePort *port, unsigned offset, unsigned value)
{
    store_le(port->state.pci.config + port->pci.cap.exp + offset, value, 2);
}

static bool is_taken(const PciePort *port)
{
    return port->secondary.device[0] != NULL;
}

/* Its lights and power tell that a device may be taken out. */
static bool is_released(const PciePort *port)
{
    unsigned control = exp_word(port, PCI_EXP_SLTCTL);

    return (control & PCI_EXP_SLTCTL_POWER_OFF) &&
           (control & PCI_EXP_SLTCTL_POWER_LIGHT) == PCI_EXP_SLTCTL_POWER_LIGHT_OFF;
}

/* 6.7.3.4: the line is up while an event is enabled; a message is sent when that begins. */
static void update_interrupt(PciePort *port)
{
    unsigned control = exp_word(port, PCI_EXP_SLTCTL), status = exp_word(port, PCI_EXP_SLTSTA);
    unsigned wanted = control & (PCI_EXP_SLTCTL_BUTTON | PCI_EXP_SLTCTL_PRESENCE);
    bool before = port->state.pci.intx, now;

    wanted |= control & PCI_EXP_SLTCTL_LINK ? PCI_EXP_SLTSTA_LINK_CHANGED : 0;
    now = (control & PCI_EXP_SLTCTL_INTERRUPT) && (status & wanted);
    pci_set_intx(&port->pci, now);
    if (now && !before) {
        pci_send_message(&port->pci, 0);
    }
}

static void add_events(PciePort *port, unsigned events)
{
    exp_set(port, PCI_EXP_SLTSTA, exp_word(port, PCI_EXP_SLTSTA) | events);
    update_interrupt(port);
}

/* Presence and link follow from what is in the slot and its power; returns what has changed. */
static unsigned update_presence(PciePort *port)
{
    unsigned status = exp_word(port, PCI_EXP_SLTSTA), link = exp_word(port, PCI_EXP_LNKSTA);
    bool taken = is_taken(port), up = taken && !port->secondary.off;
    unsigned changed = (taken != !!(status & PCI_EXP_SLTSTA_PRESENCE) ? PCI_EXP_SLTSTA_PRESENCE_CHANGED : 0) |
                       (up != !!(link & PCI_EXP_LNKSTA_DLLLA) ? PCI_EXP_SLTSTA_LINK_CHANGED : 0);

    exp_set(port, PCI_EXP_SLTSTA, (status & ~PCI_EXP_SLTSTA_PRESENCE) | (taken ? PCI_EXP_SLTSTA_PRESENCE : 0));
    exp_set(port, PCI_EXP_LNKSTA, (link & ~PCI_EXP_LNKSTA_DLLLA) | (up ? PCI_EXP_LNKSTA_DLLLA : 0));
    return changed;
}

static void request_eject(PciePort *port)
{
    port->state.powered = 0;
    g_ptr_array_add(port->pci.dev.machine->ejected, port->secondary.bus);
}

static void update_power(PciePort *port)
{
    bool off = port->config.hotplug && (exp_word(port, PCI_EXP_SLTCTL) & PCI_EXP_SLTCTL_POWER_OFF);

    if (off && !port->secondary.off) {
        pci_bus_reset(&port->secondary);
    }
    port->secondary.off = off;
}

static void slot_changed(PciePort *port, unsigned events)
{
    update_power(port);
    if (is_taken(port) && !port->secondary.off) {
        port->state.powered = 1;
    } else if (port->state.powered && is_released(port)) {
        request_eject(port);
    }
    add_events(port, events | update_presence(port));
}

static bool slot_plugged(Bus *bus, Device *dev, Error **errp)
{
    PciePort *port = port_of(bus->parent);

    if (container_of(dev, PciDevice, dev)->devfn) {
        error_setg(errp, "only function 0 can be plugged while the machine runs; addr=0 or no addr= is that");
        return false;
    }
    /* As the one who puts a device in does: drivers of slots with a button wait for that (6.7.1.5). */
    slot_changed(port, PCI_EXP_SLTSTA_BUTTON);
    return true;
}

static bool slot_request(Bus *bus, Device *dev, Error **errp)
{
    PciePort *port = port_of(bus->parent);

    if (port->state.asked) {
        error_setg(errp, "Device %s is already in the process of unplug", dev->id);
        return false;
    }
    if (is_released(port)) {
        request_eject(port);
        return true;
    }
    port->state.asked = 1;
    add_events(port, PCI_EXP_SLTSTA_BUTTON);
    return true;
}

static void slot_ejected(Bus *bus)
{
    PciePort *port = port_of(bus->parent);

    port->state.asked = 0;
    add_events(port, update_presence(port));
}

static const BusHotplug slot_hotplug = {
    .plugged = slot_plugged, .request = slot_request, .ejected = slot_ejected,
};

/* ---- the function ---- */

static void config_written(PciDevice *d, unsigned offset, unsigned size)
{
    unsigned slot = d->cap.exp + PCI_EXP_SLTCTL;

    if (offset < slot + 4 && slot < offset + size && port_of_pci(d)->config.hotplug) {
        slot_changed(port_of_pci(d), 0);
    }
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
    const unsigned able = PCI_EXP_SLTCAP_ATTENTION_BUTTON | PCI_EXP_SLTCAP_POWER_CONTROL |
                          PCI_EXP_SLTCAP_ATTENTION_LIGHT | PCI_EXP_SLTCAP_POWER_LIGHT |
                          PCI_EXP_SLTCAP_HOTPLUG;
    const bool hotplug = port->config.hotplug;
    const PciConfigRow rows[] = {
        { PCI_EXP_FLAGS, 2, .value = PCI_EXP_VERSION_2 | PCI_EXP_FLAGS_SLOT |
                                     PCI_EXP_TYPE_ROOT_PORT << PCI_EXP_TYPE_SHIFT },
        { PCI_EXP_SLTCAP, 4,
          .value = PCI_EXP_SLTCAP_NO_COMMAND_COMPLETED | (hotplug ? able : 0) |
                   (uint32_t)port->config.slot << PCI_EXP_SLTCAP_NUMBER_SHIFT },
        { PCI_EXP_SLTCTL, 2,
          .value = hotplug ? PCI_EXP_SLTCTL_ATTENTION_LIGHT_OFF | PCI_EXP_SLTCTL_POWER_LIGHT_OFF |
                             PCI_EXP_SLTCTL_POWER_OFF : 0,
          .writable = hotplug ? PCI_EXP_SLTCTL_WRITABLE : 0 },
        { PCI_EXP_SLTSTA, 2, .dynamic = PCI_EXP_SLTSTA_PRESENCE, .clearable = hotplug ? EVENTS : 0 },
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
    if (port->config.hotplug) {
        bus_set_hotplug(port->secondary.bus, &slot_hotplug);
    }
    pci_add_msix(&port->pci, 0, 1);
    pci_add_power_management(&port->pci);
    pci_add_express(&port->pci, PCI_EXP_TYPE_ROOT_PORT, port->config.port);
    add_slot(port);
    return true;
}

/* The slot is on, and the link up, if there is a function 0. */
static void pcie_port_reset(Device *dev)
{
    PciePort *port = port_of(dev);

    pci_reset(&port->pci);
    port->state.asked = 0;
    port->state.powered = is_taken(port);
    if (port->config.hotplug && is_taken(port)) {
        exp_set(port, PCI_EXP_SLTCTL, PCI_EXP_SLTCTL_ATTENTION_LIGHT_OFF | PCI_EXP_SLTCTL_POWER_LIGHT_ON);
    }
    update_power(port);
    update_presence(port);
}

static void pcie_port_post_load(Device *dev)
{
    PciePort *port = port_of(dev);

    pci_device_post_load(dev);
    port->secondary.off = port->config.hotplug &&
                          (exp_word(port, PCI_EXP_SLTCTL) & PCI_EXP_SLTCTL_POWER_OFF);
}

#define NO_HINTS "firmware is not told how much a port is to be given; what it gives is in info pci"
static const Property pcie_port_properties[] = {
    PCI_PROPERTIES(PciePortConfig),
    PROP_UINT("chassis", PciePortConfig, chassis, "0", 0, 255, "the chassis that its slot is in"),
    PROP_UINT("slot", PciePortConfig, slot, "0", 0, 8191, "the number of its slot in there"),
    PROP_UINT("port", PciePortConfig, port, "0", 0, 255, "the number of its link"),
    PROP_BOOL("hotplug", PciePortConfig, hotplug, "on", "devices come and go while the machine runs"),
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
    .realize = pcie_port_realize, .reset = pcie_port_reset, .post_load = pcie_port_post_load,
    .free = pci_device_free,
};
