/*
 * The device base: life cycle and state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/device.h"
#include "hw/core/machine.h"

#define DEVICE_ID_MAX 64

void device_init(Device *dev, const DeviceType *type, Machine *machine, const char *id)
{
    assert(strlen(id) <= DEVICE_ID_MAX);
    assert(!machine_find_device(machine, id));
    dev->type = type;
    dev->id = g_strdup(id);
    dev->machine = machine;
    g_ptr_array_add(machine->devices, dev);
}

bool device_realize(Device *dev, Error **errp)
{
    return !dev->type->realize || dev->type->realize(dev, errp);
}

/* ---- registers ---- */

static uint64_t registers_read(void *opaque, hwaddr offset, unsigned size)
{
    Device *dev = opaque;

    return register_read(dev->type->bank, dev, offset);
}

static void registers_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Device *dev = opaque;

    register_write(dev->type->bank, dev, offset, (uint32_t)value);
}

static uint64_t registers_peek(void *opaque, hwaddr offset, unsigned size)
{
    Device *dev = opaque;

    return register_peek(dev->type->bank, dev, offset);
}

/* Drivers access a register of few bits as a byte or a halfword, too. */
static const MmioOps registers_ops = {
    .read = registers_read, .write = registers_write, .peek = registers_peek,
    .min_size = 1, .max_size = 4,
};

void device_map_registers(Device *dev, hwaddr base, hwaddr size)
{
    register_bank_check(dev->type->bank);
    memory_add_mmio(dev->machine->memory, dev->id, base, size, &registers_ops, dev);
}

/* ---- state ---- */

void device_digest(Device *dev, Digest *digest)
{
    digest_update(digest, dev->id, strlen(dev->id));
    if (dev->type->fields) {
        fields_digest(dev->type->fields, device_state(dev), digest);
    }
}

void device_save(Device *dev, GByteArray *out)
{
    bytes_put_block(out, dev->id, strlen(dev->id));
    if (dev->type->fields) {
        fields_save(dev->type->fields, device_state(dev), out);
    }
}

bool device_load(Device *dev, ByteReader *in, Error **errp)
{
    size_t length;
    const uint8_t *id = bytes_get_block(in, DEVICE_ID_MAX, &length);

    if (!id || length != strlen(dev->id) || memcmp(id, dev->id, length) != 0) {
        error_setg(errp, "the state of device '%s' is missing", dev->id);
        return false;
    }
    if (dev->type->fields && !fields_load(dev->type->fields, device_state(dev), in, errp)) {
        error_prepend(errp, "device '%s': ", dev->id);
        return false;
    }
    if (dev->type->post_load) {
        dev->type->post_load(dev);
    }
    return true;
}
