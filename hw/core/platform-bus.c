/*
 * The platform bus.
 *
 * Wiring: a window of 64 slots of 64 KiB from the base on, an output for each slot. The bus itself has no
 * registers and no state: what is in a slot is that device's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/platform-bus.h"

typedef struct PlatformBus {
    Device dev;
    Bus *bus;
    hwaddr base;
    IrqLine irq[PLATFORM_BUS_ROOM];
} PlatformBus;

static void platform_bus_attach(Bus *bus, Device *dev)
{
    const PlatformBus *pb = container_of(bus->parent, PlatformBus, dev);
    unsigned slot = bus->children->len - 1;
    IrqLine *line = device_output(dev, 0);
    bool ok;

    assert(dev->type->window && dev->type->window <= PLATFORM_BUS_SLOT);
    assert(!device_output(dev, 1));
    if (line) {
        *line = pb->irq[slot];
    }
    ok = device_map(dev, pb->base + slot * (hwaddr)PLATFORM_BUS_SLOT, 0, NULL);
    assert(ok);   /* only memory can be missing, and it has registers */
}

static IrqLine *platform_bus_output(Device *dev, unsigned n)
{
    return n < PLATFORM_BUS_ROOM ? &container_of(dev, PlatformBus, dev)->irq[n] : NULL;
}

static bool platform_bus_realize(Device *dev, Error **errp)
{
    container_of(dev, PlatformBus, dev)->bus =
        bus_new(dev, PLATFORM_BUS, dev->id, PLATFORM_BUS_ROOM, platform_bus_attach);
    return true;
}

static bool platform_bus_map(Device *dev, hwaddr base, hwaddr base2, Error **errp)
{
    container_of(dev, PlatformBus, dev)->base = base;
    return true;
}

const Bus *platform_bus(const Device *dev)
{
    assert(dev->type == &platform_bus_type);
    return container_of(dev, PlatformBus, dev)->bus;
}

const DeviceType platform_bus_type = {
    .name = "platform-bus-device", .doc = "places for devices that -device adds", .bus = SYSTEM_BUS,
    .instead = "machine virt has one", .size = sizeof(PlatformBus), .output = platform_bus_output,
    .realize = platform_bus_realize, .map = platform_bus_map,
};
