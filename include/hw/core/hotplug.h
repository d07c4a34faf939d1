/*
 * Devices that come and go while the machine runs. Machine thread, on a settled boundary.
 *
 * 1. A bus that takes part (bus_set_hotplug()) tells the guest of what is plugged, and asks it for what
 *    is to go; once the guest has let go of it, the bus is in Machine.ejected, a request that the
 *    execution loop takes.
 * 2. Devices on such buses are the last ones of a machine, those of its command line included, in the
 *    order in which they were plugged: the set of them is a list of texts, as -device has them. It is
 *    part of the machine's state. Whoever loads a state of another set removes what is behind
 *    the common beginning of both lists and makes what is missing, so devices, timers and memory
 *    regions are in the same order as in the machine that was saved.
 * 3. What cannot be made while the machine runs outlives such devices: sources of replay belong to the bus
 *    (device_value_source()) or the drive, memory with content to the drive.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_HOTPLUG_H
#define HW_CORE_HOTPLUG_H

#include "hw/core/bus.h"

struct BusHotplug {
    /* dev, plugged and reset, is there: tell the guest. Fails, with no trace, where it cannot be. */
    bool (*plugged)(Bus *bus, Device *dev, Error **errp);
    /* Ask the guest to let go of dev. Fails when it is being asked already. */
    bool (*request)(Bus *bus, Device *dev, Error **errp);
    /* All of its devices are gone: tell the guest. */
    void (*ejected)(Bus *bus);
};

/* From the realize of the bus's parent: devices of the bus come and go. `hotplug` is const data. */
void bus_set_hotplug(Bus *bus, const BusHotplug *hotplug);
/* The bus that takes part which dev is on, or which the device that it is a part of is on; or NULL. */
Bus *hotplug_bus(const Device *dev);

/* Whether -device TEXT is a device that may come and go, on a bus that takes part. */
bool hotplug_is_for(Machine *m, const char *text);
/* Before the first of them. */
bool hotplug_prepare(Machine *m, Error **errp);
/* What device_plug() has made: the machine's to know, if its bus takes part. Takes the text. */
void hotplug_note(Device *dev, char *text);
/* Of Machine.plugged. */
void plugged_free(void *opaque);

/* device_add: as device_plug(), and the guest is told. Nothing has changed where it fails. */
bool hotplug_add(Machine *m, const char *text, Error **errp);
/* device_del: the guest is asked. */
bool hotplug_del(Machine *m, const char *id, Error **errp);
/*
 * Why device_add or device_del cannot be for a device of this type on this bus (NULL: none), as clients expect
 * it; `device` is what they call it.
 */
bool hotplug_check(const Bus *bus, const DeviceType *type, const char *device, Error **errp);

/* Whether the guest has let go of any. Then they go, and fn is told of each while it is still there. */
bool hotplug_take_ejected(Machine *m, void (*fn)(void *opaque, const Device *dev), void *opaque);

bool hotplug_is_empty(const Machine *m);
void hotplug_save(const Machine *m, GByteArray *out);
/* in NULL: an empty list. On failure some devices may be missing. */
bool hotplug_load(Machine *m, ByteReader *in, Error **errp);
/* For tests: remove them all, so that a load has to make them. */
void hotplug_remove_all(Machine *m);

#endif
