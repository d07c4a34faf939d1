/*
 * PCI buses: places of functions, bus numbers, what bridges forward, and line interrupts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "pci-internal.h"

/* ---- places ---- */

static PciConfig *config_of(PciDevice *d)
{
    return device_config(&d->dev);
}

/* A hexadecimal number below the limit, with or without 0x. */
static bool parse_hex(const char *text, char **end, unsigned limit, unsigned *out)
{
    guint64 number;

    if (!g_ascii_isxdigit(*text)) {
        return false;
    }
    number = g_ascii_strtoull(text, end, 16);
    *out = (unsigned)number;
    return *end != text && number < limit;
}

/* "SLOT" or "SLOT.FUNCTION", hexadecimal as everywhere where PCI addresses are written. */
static bool parse_place(const char *text, unsigned *slot, unsigned *function)
{
    char *end;

    *function = 0;
    return parse_hex(text, &end, PCI_NUM_DEVFN / 8, slot) &&
           (*end != '.' || parse_hex(end + 1, &end, 8, function)) && !*end;
}

static bool slot_is_free(const PciBus *bus, unsigned slot)
{
    for (unsigned fn = 0; fn < 8; fn++) {
        if (bus->device[slot * 8 + fn]) {
            return false;
        }
    }
    return true;
}

static bool find_slot(const PciBus *bus, unsigned *slot, Error **errp)
{
    for (*slot = 0; *slot < bus->slots; (*slot)++) {
        if (slot_is_free(bus, *slot)) {
            return true;
        }
    }
    if (bus->slots == 1) {
        error_setg(errp, "bus '%s' is a port with one slot, which '%s' is in; addr=0.1 and "
                   "multifunction=on make it a slot of several functions", bus->bus->name,
                   bus->device[0] ? bus->device[0]->dev.id : "a device");
    } else {
        error_setg(errp, "bus '%s' has no free slot", bus->bus->name);
    }
    return false;
}

/* A slot with several functions says so in its first one. */
static bool check_functions(PciBus *bus, PciDevice *d, unsigned devfn, Error **errp)
{
    PciDevice *first = bus->device[devfn & ~7u];

    if (devfn % 8 && first && !config_of(first)->multifunction) {
        error_setg(errp, "addr=%x.%x: '%s' in that slot has no multifunction=on", devfn / 8,
                   devfn % 8, first->dev.id);
        return false;
    }
    for (unsigned fn = 1; devfn % 8 == 0 && fn < 8 && !config_of(d)->multifunction; fn++) {
        if (bus->device[devfn + fn]) {
            error_setg(errp, "addr=%x.0: the slot has '%s' already, so it needs multifunction=on",
                       devfn / 8, bus->device[devfn + fn]->dev.id);
            return false;
        }
    }
    return true;
}

static bool take_place(PciBus *bus, PciDevice *d, Error **errp)
{
    const char *addr = config_of(d)->addr;
    unsigned slot, function = 0;

    if (!addr) {
        if (!find_slot(bus, &slot, errp)) {
            return false;
        }
    } else if (!parse_place(addr, &slot, &function) || slot >= bus->slots) {
        error_setg(errp, "addr=%s: expected SLOT or SLOT.FUNCTION in hexadecimal; bus '%s' has "
                   "slots 0 to %x, of functions 0 to 7", addr, bus->bus->name, bus->slots - 1);
        return false;
    }
    if (bus->device[slot * 8 + function]) {
        error_setg(errp, "addr=%x.%x: the place is taken by '%s'", slot, function,
                   bus->device[slot * 8 + function]->dev.id);
        return false;
    }
    if (!check_functions(bus, d, slot * 8 + function, errp)) {
        return false;
    }
    d->devfn = (uint8_t)(slot * 8 + function);
    bus->device[d->devfn] = d;
    return true;
}

bool pci_init(PciDevice *d, const PciDeviceType *ptype, Error **errp)
{
    d->ptype = ptype;
    if (!take_place(d->bus, d, errp)) {
        return false;
    }
    pci_init_config(d);
    if (config_of(d)->multifunction) {
        d->initial[PCI_HEADER_TYPE] |= PCI_HEADER_TYPE_MULTI_FUNC;
    }
    return true;
}

/* ---- buses ---- */

static void attach(Bus *bus, Device *dev)
{
    PciDevice *d = container_of(dev, PciDevice, dev);

    d->bus = bus->opaque;
    d->s = device_state(dev);
}

static void detach(Bus *bus, Device *dev)
{
    pci_exit(container_of(dev, PciDevice, dev));
}

void pci_bus_init(PciBus *bus, Device *parent, PciDevice *bridge, const char *name, unsigned slots)
{
    bus->bus = bus_new(parent, PCI_BUS, name, PCI_NUM_DEVFN, attach);
    bus->bus->opaque = bus;
    bus->bus->detach = detach;
    bus->bus->by_name_only = bridge != NULL;
    bus->bridge = bridge;
    bus->slots = slots;
    if (bridge) {
        bridge->secondary = bus;
    }
}

static PciBus *root_of(PciBus *bus)
{
    while (bus->bridge) {
        bus = bus->bridge->bus;
    }
    return bus;
}

bool pci_is_behind_port(const PciDevice *d)
{
    return d->bus->bridge != NULL;
}

/* Bus numbers are the guest's to give, so the depth of what it has built bounds the search. */
PciBus *pci_bus_find(PciBus *bus, unsigned number)
{
    if (pci_bus_number(bus) == number) {
        return bus;
    }
    for (unsigned devfn = 0; devfn < PCI_NUM_DEVFN; devfn++) {
        const PciDevice *d = bus->device[devfn];

        if (d && d->secondary && d->s->config[PCI_SECONDARY_BUS] &&
            number >= d->s->config[PCI_SECONDARY_BUS] &&
            number <= d->s->config[PCI_SUBORDINATE_BUS]) {
            return pci_bus_find(d->secondary, number);
        }
    }
    return NULL;
}

void pci_bus_reset(PciBus *bus)
{
    for (unsigned devfn = 0; devfn < PCI_NUM_DEVFN; devfn++) {
        PciDevice *d = bus->device[devfn];

        if (d && !d->busy) {
            pci_reset_function(d);
        }
        if (d && d->secondary) {
            pci_bus_reset(d->secondary);
        }
    }
}

/* ---- bridges ---- */

static bool lets_through(PciBridgeWindow w, uint64_t first, uint64_t last)
{
    return first >= w.base && last <= w.limit && first <= last;
}

bool pci_bridge_forwards(const PciDevice *b, bool io, uint64_t first, uint64_t last)
{
    unsigned command = pci_config_word(b, PCI_COMMAND);

    if (io) {
        return (command & PCI_COMMAND_IO) && lets_through(pci_bridge_ports(b), first, last);
    }
    return (command & PCI_COMMAND_MEMORY) &&
           (lets_through(pci_bridge_memory(b), first, last) ||
            lets_through(pci_bridge_prefetchable(b), first, last));
}

/* ---- line interrupts ---- */

/* Which of the host's lines INTA of a function comes out at: each bridge turns them by the slot. */
static unsigned host_line(const PciDevice *d)
{
    unsigned pin = 0;

    for (; d; d = d->bus->bridge) {
        pin = (pin + pci_slot(d->devfn)) % PCI_NUM_PINS;
    }
    return pin;
}

static bool drives_line(const PciDevice *d)
{
    return d->s->intx && !(pci_config_word(d, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE) &&
           !pci_msi_enabled(d) && !pci_msix_enabled(d);
}

static unsigned driven_lines(const PciBus *bus)
{
    unsigned lines = 0;

    for (unsigned devfn = 0; devfn < PCI_NUM_DEVFN; devfn++) {
        const PciDevice *d = bus->device[devfn];

        if (!d) {
            continue;
        }
        if (drives_line(d)) {
            lines |= 1u << host_line(d);
        }
        if (d->secondary) {
            lines |= driven_lines(d->secondary);
        }
    }
    return lines;
}

void pci_update_intx(PciBus *bus)
{
    PciBus *root = root_of(bus);
    unsigned lines = driven_lines(root);

    for (unsigned pin = 0; pin < PCI_NUM_PINS; pin++) {
        irq_set(&root->intx[pin], lines >> pin & 1);
    }
}

void pci_set_intx(PciDevice *d, bool level)
{
    uint8_t *status = d->s->config + PCI_STATUS;

    if (d->s->intx != level) {
        d->s->intx = level;
        *status = (uint8_t)((*status & ~PCI_STATUS_INTERRUPT) | (level ? PCI_STATUS_INTERRUPT : 0));
        pci_update_intx(d->bus);
    }
}
