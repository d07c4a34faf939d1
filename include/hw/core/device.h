/*
 * Devices: a const type descriptor, a plain state struct with its field
 * table, and a shell. No casts by macro: a device embeds `Device` first and
 * its functions take container_of().
 *
 * Life: device_new() allocates it with the initial values of its properties; whoever makes it
 * sets others and wires it; device_realize() opens what it needs; reset at power-on and on
 * each system reset, in creation order; free at exit.
 *
 * The descriptor is also what users see: -device, -global, help and the monitors read it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_DEVICE_H
#define HW_CORE_DEVICE_H

#include "hw/core/irq.h"
#include "hw/core/property.h"
#include "hw/core/register.h"
#include "migration/fields.h"
#include "replay/sources.h"

typedef struct Bus Bus;
typedef struct FdtBinding FdtBinding;
typedef struct Machine Machine;
typedef struct Device Device;
typedef struct DeviceType DeviceType;

#define DEVICE_ID_MAX 64
#define DEVICE_MAX_REGIONS 2

/* The kind of bus of devices that a board puts at their addresses. */
#define SYSTEM_BUS "System"

struct DeviceType {
    const char *name;               /* "pl011": the name users know */
    const char *alias;              /* another name of it, or NULL */
    const char *doc;                /* half a line, for help */
    const char *parent;             /* QMP's abstract type that it is a case of; NULL: by its bus */
    const char *bus;                /* the kind of bus that it sits on; NULL: none */
    bool pluggable;                 /* -device adds it; otherwise boards do ... */
    const char *instead;            /* ... and this is what a user can do about it; may be NULL */
    /* Why it neither comes nor goes while the machine runs, on whatever bus; NULL: it may. Of a part, too. */
    const char *stays;
    size_t size;                    /* of the device struct, for device_new() */
    /* A device that each one has in it, whose properties are its own, too; NULL: none. */
    const DeviceType *part;
    const char *part_name;          /* the part of "net0" is called "net0.NAME" */

    const FieldTable *fields;       /* NULL: no guest-visible state */
    size_t state_offset;            /* of the state struct in the device struct */
    const Property *properties;     /* NULL: none */
    size_t config_offset;           /* of the config struct, where their values are */

    /* The window that device_map() maps: registers of `bank`, or `ops`. */
    hwaddr window;                  /* bytes; 0: none */
    const RegisterBank *bank;
    const MmioOps *ops;             /* opaque is the device */
    /* In their place, for two windows, or for memory: makes dev->region[]. */
    bool (*map)(Device *dev, hwaddr base, hwaddr base2, Error **errp);
    size_t irq_offset;              /* of its IrqLine in the device struct; 0: no interrupt */
    /* In its place, for several interrupts: the n-th one's line, NULL from the last one on. */
    IrqLine *(*output)(Device *dev, unsigned n);
    IrqLine (*input)(Device *dev, unsigned n);   /* its n-th input line; NULL: no inputs */
    const FdtBinding *fdt;          /* how a device tree describes it; NULL: not at all */

    bool (*realize)(Device *dev, Error **errp);  /* may be NULL */
    void (*reset)(Device *dev);                  /* may be NULL */
    /*
     * Rebuild what is derived from the state, and bound what was loaded: a saved state is
     * input. Touches nothing outside the device. Timers are the clock's to save. May be NULL.
     */
    void (*post_load)(Device *dev);
    /* Frees dev itself, not its id, also when it was not realized. NULL: g_free(). */
    void (*free)(Device *dev);
};

struct Device {
    const DeviceType *type;
    char *id;                       /* stable, unique: "uart0", "gic" */
    Machine *machine;
    Bus *bus;                       /* that it was plugged into; NULL: a board put it somewhere */
    Device *part;                   /* of its type's; it realizes and wires it. NULL: none */
    void (*release)(Device *dev);   /* gives back what a base made, before its type's free(); NULL: nothing */
    MemRegion *region[DEVICE_MAX_REGIONS];   /* where it is, once it is mapped */
};

/* All types there are, NULL-terminated, in hw/arm/device-types.c. */
extern const DeviceType *const device_types[];

/* A zeroed struct of the type, bound by device_init(), and its part. The machine's to free. */
Device *device_new(const DeviceType *type, Machine *machine, const char *id);
/*
 * Bind dev to its machine under a unique id (copied), with its properties as -global says, and
 * otherwise initial. Creation order counts.
 */
void device_init(Device *dev, const DeviceType *type, Machine *machine, const char *id);
/*
 * Set properties, "NAME=VALUE,NAME=VALUE": what whoever makes the device needs of it. Fails where
 * -global says otherwise.
 */
bool device_set(Device *dev, const char *properties, Error **errp);
/* Once the properties are set. */
bool device_realize(Device *dev, Error **errp);
void device_free(Device *dev);

/*
 * Map the window at base, and a second one at base2. Registers of a bank take accesses of 1 to 4
 * bytes. Fails when the host has no room for a device's memory.
 */
bool device_map(Device *dev, hwaddr base, hwaddr base2, Error **errp);
/* Where its n-th interrupt goes; NULL: it has not so many. */
IrqLine *device_output(Device *dev, unsigned n);
/* The outside end of an input line. */
IrqLine device_input(Device *dev, unsigned n);
/*
 * All in one, for a device with one window and at most one interrupt. The line of a device
 * without an interrupt is IRQ_NONE.
 */
Device *device_add(Machine *machine, const DeviceType *type, const char *id, hwaddr base,
                   IrqLine line, Error **errp);

/*
 * For a device's realize: a source of values for replay_value(), under the device's id. A device that comes
 * while the machine runs has its bus's.
 */
ReplaySource *device_value_source(Device *dev, ReplayKind kind);

/* All guest-visible state; device_load() ends with post_load. */
void device_digest(Device *dev, Digest *digest);
void device_save(Device *dev, GByteArray *out);
bool device_load(Device *dev, ByteReader *in, Error **errp);
static inline void *device_state(Device *dev)
{
    return (char *)dev + dev->type->state_offset;
}
static inline void *device_config(Device *dev)
{
    return (char *)dev + dev->type->config_offset;
}

#endif
