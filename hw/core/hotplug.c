/*
 * Devices that come and go (hw/core/hotplug.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/hotplug.h"
#include "util/trace.h"

#define MAX_PLUGGED 4096
#define MAX_TEXT 32768

/* A device, and how it was asked for, its id included. */
typedef struct Plugged {
    char *text;
    Device *dev;
} Plugged;

static Plugged *plugged_at(const Machine *m, unsigned n)
{
    return g_ptr_array_index(m->plugged, n);
}

void plugged_free(void *opaque)
{
    Plugged *p = opaque;

    g_free(p->text);
    g_free(p);
}

/* ---- buses ---- */

Bus *hotplug_bus(const Device *dev)
{
    for (; dev && dev->bus; dev = dev->bus->parent) {
        if (dev->bus->hotplug) {
            return dev->bus;
        }
    }
    return NULL;
}

static const char *reason_to_stay(const DeviceType *type)
{
    for (; type; type = type->part) {
        if (type->stays) {
            return type->stays;
        }
    }
    return NULL;
}

bool hotplug_check(const Bus *bus, const DeviceType *type, const char *device, Error **errp)
{
    const char *stays = reason_to_stay(type);

    if (bus && bus->hotplug && !stays) {
        return true;
    }
    if (bus && bus->hotplug) {
        error_setg(errp, "Device '%s' does not support hotplugging: %s (-device)", device,
                   stays);
    } else if (bus) {
        error_setg(errp, "Bus '%s' does not support hotplugging", bus->name);
    } else {
        error_setg(errp, "Device '%s' does not support hotplugging", device);
    }
    return false;
}

/* ---- at the start ---- */

static Bus *find_bus(const Machine *m, const char *name)
{
    for (unsigned i = 0; name && i < m->buses->len; i++) {
        Bus *bus = g_ptr_array_index(m->buses, i);

        if (!strcmp(bus->name, name)) {
            return bus;
        }
    }
    return NULL;
}

bool hotplug_is_for(Machine *m, const char *text)
{
    KeyVal *kv = keyval_parse(text, "driver", NULL);
    const Bus *bus = kv ? find_bus(m, keyval_get(kv, "bus")) : NULL;
    const char *driver = kv ? keyval_get(kv, "driver") : NULL;
    const DeviceType *type = driver && m->device_types ? device_type_find(m->device_types, driver) : NULL;

    keyval_free(kv);
    return bus && bus->hotplug && !reason_to_stay(type);
}

bool hotplug_prepare(Machine *m, Error **errp)
{
    for (unsigned i = 0; m->before_hotplug && i < m->buses->len; i++) {
        if (((const Bus *)g_ptr_array_index(m->buses, i))->hotplug) {
            return m->before_hotplug(m, errp);
        }
    }
    return true;
}

void hotplug_note(Device *dev, char *text)
{
    Machine *m = dev->machine;
    Plugged *p;

    if (!dev->bus || !dev->bus->hotplug || reason_to_stay(dev->type)) {
        g_free(text);
        return;
    }
    p = g_new0(Plugged, 1);
    p->text = text;
    p->dev = dev;
    g_ptr_array_add(m->plugged, p);
}

/* ---- while it runs ---- */

static void remove_last(Machine *m)
{
    device_remove(plugged_at(m, m->plugged->len - 1)->dev);
    g_ptr_array_set_size(m->plugged, (int)m->plugged->len - 1);
}

static Device *plug(Machine *m, const char *text, Error **errp)
{
    bool ok;

    m->plugging = true;
    ok = device_plug(m, text, errp);
    m->plugging = false;
    return ok ? plugged_at(m, m->plugged->len - 1)->dev : NULL;
}

static void power_up(Device *dev)
{
    for (; dev; dev = dev->part) {
        if (dev->type->reset) {
            dev->type->reset(dev);
        }
    }
}

bool hotplug_add(Machine *m, const char *text, Error **errp)
{
    Device *dev;

    if (!hotplug_is_for(m, text)) {
        error_setg(errp, "bus= has to name a bus that devices can be added to while the machine runs");
        return false;
    }
    if (m->plugged->len >= MAX_PLUGGED || strlen(text) >= MAX_TEXT - DEVICE_ID_MAX) {
        error_setg(errp, "there is no place for a device of %zu characters beside %u others", strlen(text),
                   m->plugged->len);
        return false;
    }
    dev = plug(m, text, errp);
    if (!dev) {
        return false;
    }
    power_up(dev);
    if (!dev->bus->hotplug->plugged(dev->bus, dev, errp)) {
        remove_last(m);
        return false;
    }
    return true;
}

bool hotplug_del(Machine *m, const char *id, Error **errp)
{
    Device *dev = machine_find_device(m, id);

    if (!dev) {
        error_setg(errp, "Device '%s' not found", id);
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND);
        return false;
    }
    return hotplug_check(dev->bus, dev->type, id, errp) && dev->bus->hotplug->request(dev->bus, dev, errp);
}

static void eject(Machine *m, Bus *bus, void (*fn)(void *opaque, const Device *dev), void *opaque)
{
    for (unsigned n = m->plugged->len; n-- > 0; ) {
        Device *dev = plugged_at(m, n)->dev;

        if (dev->bus == bus) {
            fn(opaque, dev);
            device_remove(dev);
            g_ptr_array_remove_index(m->plugged, n);
        }
    }
    bus->hotplug->ejected(bus);
}

bool hotplug_take_ejected(Machine *m, void (*fn)(void *opaque, const Device *dev), void *opaque)
{
    bool any = m->ejected->len;

    while (m->ejected->len) {
        eject(m, g_ptr_array_steal_index(m->ejected, 0), fn, opaque);
    }
    return any;
}

/* ---- state ---- */

bool hotplug_is_empty(const Machine *m)
{
    return !m->plugged->len;
}

void hotplug_save(const Machine *m, GByteArray *out)
{
    bytes_put_varint(out, m->plugged->len);
    for (unsigned n = 0; n < m->plugged->len; n++) {
        bytes_put_block(out, plugged_at(m, n)->text, strlen(plugged_at(m, n)->text));
    }
}

/* The texts, to be freed; NULL: not such a list. */
static GPtrArray *read_list(ByteReader *in, Error **errp)
{
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    uint64_t count = in ? bytes_get_varint(in) : 0;
    bool ok = count <= MAX_PLUGGED;

    for (uint64_t n = 0; ok && n < count; n++) {
        size_t length = 0;
        const char *text = (const char *)bytes_get_block(in, MAX_TEXT, &length);

        ok = text != NULL;
        if (ok) {
            g_ptr_array_add(texts, g_strndup(text, length));
        }
    }
    if (!ok || (in && in->failed)) {
        error_setg(errp, "the state's list of devices is damaged");
        g_clear_pointer(&texts, g_ptr_array_unref);
    }
    return texts;
}

static bool plug_again(Machine *m, const char *text, Error **errp)
{
    if (!hotplug_is_for(m, text)) {
        error_setg(errp, "the state has a device that this machine has no bus for: %s", text);
        return false;
    }
    if (!plug(m, text, errp)) {
        error_prepend(errp, "a device of the state cannot be made: ");
        return false;
    }
    return true;
}

bool hotplug_load(Machine *m, ByteReader *in, Error **errp)
{
    g_autoptr(GPtrArray) texts = read_list(in, errp);
    unsigned same = 0;
    bool ok = texts != NULL;

    if (!ok) {
        return false;
    }
    g_ptr_array_set_size(m->ejected, 0);
    while (same < texts->len && same < m->plugged->len &&
           !strcmp(plugged_at(m, same)->text, g_ptr_array_index(texts, same))) {
        same++;
    }
    while (m->plugged->len > same) {
        remove_last(m);
    }
    for (unsigned n = same; ok && n < texts->len; n++) {
        ok = plug_again(m, g_ptr_array_index(texts, n), errp);
    }
    return ok;
}

void hotplug_remove_all(Machine *m)
{
    while (m->plugged->len) {
        remove_last(m);
    }
}
