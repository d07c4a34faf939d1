/*
 * The device base: life cycle and state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/device.h"
#include "hw/core/bus.h"
#include "hw/core/machine.h"

Device *device_new(const DeviceType *type, Machine *machine, const char *id)
{
    Device *dev = g_malloc0(type->size);

    assert(type->size >= sizeof(Device));
    device_init(dev, type, machine, id);
    if (type->part) {
        g_autofree char *part = g_strdup_printf("%s.%s", id, type->part_name);

        dev->part = device_new(type->part, machine, part);
        globals_apply(machine, type, type->part->properties, device_config(dev->part));
    }
    return dev;
}

void device_init(Device *dev, const DeviceType *type, Machine *machine, const char *id)
{
    assert(strlen(id) <= DEVICE_ID_MAX);
    assert(!machine_find_device(machine, id));
    dev->type = type;
    dev->id = g_strdup(id);
    dev->machine = machine;
    properties_init(type->properties, device_config(dev));
    globals_apply(machine, type, type->properties, device_config(dev));
    g_ptr_array_add(machine->devices, dev);
}

static bool set_properties(Device *dev, KeyVal *kv, Error **errp)
{
    const Property *table = dev->type->properties;
    g_autofree char *what = g_strdup_printf("device '%s'", dev->id);

    for (const Property *p = table; p && p->name; p++) {
        const char *value = keyval_get(kv, p->name);
        const char *global = value ? globals_find(dev->machine, dev->type, p->name) : NULL;

        if (global && strcmp(global, value) != 0) {
            error_setg(errp, "-global %s.%s=%s: this machine needs %s=%s for '%s'",
                       dev->type->name, p->name, global, p->name, value, dev->id);
            return false;
        }
    }
    return properties_take(table, device_config(dev), kv, what, errp) &&
           keyval_check_unused(kv, what, errp);
}

bool device_set(Device *dev, const char *properties, Error **errp)
{
    KeyVal *kv = keyval_parse(properties, NULL, errp);
    bool ok = kv && set_properties(dev, kv, errp);

    keyval_free(kv);
    return ok;
}

bool device_realize(Device *dev, Error **errp)
{
    return !dev->type->realize || dev->type->realize(dev, errp);
}

void device_free(Device *dev)
{
    g_autofree char *id = dev->id;

    properties_clear(dev->type->properties, device_config(dev));
    if (dev->release) {
        dev->release(dev);
    }
    if (dev->type->free) {
        dev->type->free(dev);
    } else {
        g_free(dev);
    }
}

/* ---- wiring ---- */

IrqLine *device_output(Device *dev, unsigned n)
{
    const DeviceType *type = dev->type;

    if (type->output) {
        return type->output(dev, n);
    }
    return type->irq_offset && n == 0 ? (IrqLine *)((char *)dev + type->irq_offset) : NULL;
}

IrqLine device_input(Device *dev, unsigned n)
{
    assert(dev->type->input);
    return dev->type->input(dev, n);
}

Device *device_add(Machine *machine, const DeviceType *type, const char *id, hwaddr base,
                   IrqLine line, Error **errp)
{
    Device *dev = device_new(type, machine, id);

    assert(type->irq_offset || !line.handler);
    if (type->irq_offset) {
        *device_output(dev, 0) = line;
    }
    return device_realize(dev, errp) && device_map(dev, base, 0, errp) ? dev : NULL;
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

bool device_map(Device *dev, hwaddr base, hwaddr base2, Error **errp)
{
    const DeviceType *type = dev->type;

    if (type->map) {
        return type->map(dev, base, base2, errp);
    }
    if (!type->window) {
        return true;
    }
    assert(!type->bank != !type->ops);
    if (type->bank) {
        register_bank_check(type->bank);
    }
    dev->region[0] = memory_add_mmio(dev->machine->memory, dev->id, base, type->window,
                                     type->bank ? &registers_ops : type->ops, dev);
    return true;
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
