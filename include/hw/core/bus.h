/*
 * Buses that users plug devices into, and what they ask for: -device and -global.
 *
 * A device that offers places to other devices (a virtio transport, later a PCI bridge) makes
 * a bus of a kind; a device type names the kind that it sits on. So -device needs to know
 * neither boards nor device types.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_BUS_H
#define HW_CORE_BUS_H

#include "hw/core/machine.h"

typedef struct BusHotplug BusHotplug;

struct Bus {
    const char *kind;               /* "virtio-bus": what DeviceType.bus names */
    char *name;                     /* "virtio-mmio-bus.3": what bus= names */
    Device *parent;                 /* whose bus it is */
    unsigned room;                  /* for so many devices */
    bool by_name_only;              /* only bus= finds it */
    GPtrArray *children;            /* Device * */
    void (*attach)(Bus *bus, Device *dev);   /* before dev is realized */
    /* dev goes, realized or not: nothing of it may stay in the machine. NULL: nothing did. */
    void (*detach)(Bus *bus, Device *dev);
    const BusHotplug *hotplug;      /* devices come and go (hw/core/hotplug.h); NULL: they do not */
    void *opaque;                   /* the parent's */
};

/* kind must outlive the machine; name is copied. The machine's to free. */
Bus *bus_new(Device *parent, const char *kind, const char *name, unsigned room,
             void (*attach)(Bus *bus, Device *dev));
void bus_attach(Bus *bus, Device *dev);
/*
 * Take a device out of the machine, with its buses, what is on them and its part, and free it. For
 * devices that hold nothing of a machine but what their bus knows of.
 */
void device_remove(Device *dev);
void bus_free(void *bus);

const DeviceType *device_type_find(const DeviceType *const *types, const char *name);
/* As above, by name or alias; fails with `what`, the nearest name, or those that -device takes. */
const DeviceType *device_type_need(const DeviceType *const *types, const char *name,
                                   const char *what, Error **errp);
/* Why a type that other emulators have is not there, as half a sentence; NULL: nobody knows it. */
const char *device_missing(const char *name);

/* A line a type: those that -device takes, and those that boards have. */
void device_types_help(const DeviceType *const *types, GString *out);

/*
 * One -device: "TYPE,id=..,bus=..,PROPERTY=VALUE,..". Without bus= the device goes to the last
 * made bus of its kind that has room, without id= it is called by its type and a number
 * ("virtio-rng0"). Nothing is made unless everything about it is right.
 */
bool device_plug(Machine *m, const char *text, Error **errp);

/*
 * One -global: "TYPE.PROPERTY=VALUE" or "driver=TYPE,property=..,value=.." changes the initial
 * value of a property in all devices of the type that are made from here on.
 */
bool globals_add(Machine *m, const char *text, Error **errp);
/* Set what it says of `type` and is in `table`, the type's own or that of its part. */
void globals_apply(Machine *m, const DeviceType *type, const Property *table, void *config);
/* What it says about a property; NULL: nothing. */
const char *globals_find(Machine *m, const DeviceType *type, const char *property);
void global_free(void *global);

#endif
