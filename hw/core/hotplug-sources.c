/*
 * What devices that come and go get from replay/ (hw/core/hotplug.h). Programs without such devices do
 * without replay/, and without this file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/hotplug.h"
#include "replay/sources.h"

/* Values that a device may ask for: its source has to be there before the machine starts. */
static const ReplayKind value_kinds[] = { REPLAY_KIND_RANDOM };

void bus_set_hotplug(Bus *bus, const BusHotplug *hotplug)
{
    bus->hotplug = hotplug;
    for (unsigned i = 0; i < ARRAY_SIZE(value_kinds); i++) {
        replay_source_new(bus->parent->machine->replay, value_kinds[i], bus->name, NULL, NULL);
    }
}

ReplaySource *device_value_source(Device *dev, ReplayKind kind)
{
    Replay *r = dev->machine->replay;
    const Bus *bus = hotplug_bus(dev);

    return bus ? replay_source_find(r, kind, bus->name) : replay_source_new(r, kind, dev->id, NULL, NULL);
}
