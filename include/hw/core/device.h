/*
 * Devices: a const type descriptor, a plain state struct with its field
 * table, and a shell. No casts by macro: a device embeds `Device` first and
 * its functions take container_of().
 *
 * Life: X_new()/X_create() allocates and wires; device_realize() once all
 * properties are set; reset at power-on and on each system reset, in creation
 * order; free at exit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_DEVICE_H
#define HW_CORE_DEVICE_H

#include "hw/core/register.h"
#include "migration/fields.h"

typedef struct Machine Machine;
typedef struct Device Device;

typedef struct DeviceType {
    const char *name;               /* "pl011": the name users know */
    const FieldTable *fields;       /* NULL: no guest-visible state */
    const RegisterBank *bank;       /* for device_map_registers(); may be NULL */
    size_t state_offset;            /* of the state struct in the device struct */
    bool (*realize)(Device *dev, Error **errp);  /* may be NULL */
    void (*reset)(Device *dev);                  /* may be NULL */
    /*
     * Rebuild what is derived from the state, and bound what was loaded: a saved state is
     * input. Touches nothing outside the device. Timers are the clock's to save. May be NULL.
     */
    void (*post_load)(Device *dev);
    void (*free)(Device *dev);                   /* frees dev itself, not its id */
} DeviceType;

struct Device {
    const DeviceType *type;
    char *id;                       /* stable, unique: "uart0", "gic" */
    Machine *machine;
};

/* Bind dev to its machine under a unique id (copied). Creation order counts. */
void device_init(Device *dev, const DeviceType *type, Machine *machine, const char *id);
bool device_realize(Device *dev, Error **errp);
/*
 * Map the registers of type->bank at base; `size` bytes take accesses of 1 to 4 bytes. The hooks
 * get the device struct, whose first member is dev.
 */
void device_map_registers(Device *dev, hwaddr base, hwaddr size);
/* All guest-visible state; device_load() ends with post_load. */
void device_digest(Device *dev, Digest *digest);
void device_save(Device *dev, GByteArray *out);
bool device_load(Device *dev, ByteReader *in, Error **errp);
static inline void *device_state(Device *dev)
{
    return (char *)dev + dev->type->state_offset;
}

#endif
