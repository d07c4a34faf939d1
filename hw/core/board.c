/*
 * What all boards have in common: options, rows of devices, -device and -global.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/board.h"
#include "hw/core/hotplug.h"

/* Those without a member are for system/, or change nothing as far as they are accepted. */
#define COMMON_PATH(label, member_, doc_)                                      \
    { .name = label, .type = PROPERTY_STRING, .doc = doc_,                     \
      .offset = offsetof(BoardConfig, member_), .size = sizeof(char *) }
const Property board_common_properties[] = {
    PROP_FIXED("accel", PROPERTY_ENUM, "guests run on the translator", "how guest code is run",
               "tcg"),
    COMMON_PATH("kernel", kernel, "as -kernel"),
    COMMON_PATH("initrd", initrd, "as -initrd"),
    COMMON_PATH("append", append, "as -append"),
    COMMON_PATH("dtb", dtb, "as -dtb"),
    COMMON_PATH("firmware", bios, "as -bios"),
    COMMON_PATH("memory-backend", memory_backend, "the object that RAM comes from"),
    COMMON_PATH("dumpdtb", dumpdtb, "write the device tree to this file and exit"),
    PROP_FIXED("usb", PROPERTY_BOOL, "the board has no USB controller", "USB controller", "off"),
    PROP_FIXED("suppress-vmdesc", PROPERTY_BOOL, "snapshots have another format",
               "no effect", "off"),
    PROP_FIXED("graphics", PROPERTY_BOOL, NULL, "no effect: there is no display", "on", "off"),
    PROP_FIXED("dump-guest-core", PROPERTY_BOOL, NULL, "no effect", "on", "off"),
    PROP_FIXED("mem-merge", PROPERTY_BOOL, NULL, "no effect", "on", "off"),
    PROP_END
};

/* The strings stay the KeyVal's: those of config are never owned by it. */
static bool take_common(BoardConfig *config, KeyVal *kv, const char *what, Error **errp)
{
    for (const Property *p = board_common_properties; p->name; p++) {
        const char *value = keyval_get(kv, p->name);
        const char **member = (const char **)((char *)config + p->offset);

        if (!value) {
            continue;
        }
        if (p->size) {
            *member = *member ? *member : value;
        } else if (!property_set(board_common_properties, NULL, p->name, value, what, errp)) {
            return false;
        }
    }
    return true;
}

bool board_parse_options(const BoardType *type, void *options, BoardConfig *config,
                         Error **errp)
{
    g_autofree char *what = g_strdup_printf("-machine %s", type->name);
    KeyVal *kv = config->machine_options;

    properties_init(type->properties, options);
    if (!kv) {
        return true;
    }
    keyval_get(kv, "type");
    return properties_take(type->properties, options, kv, what, errp) &&
           take_common(config, kv, what, errp) && keyval_check_unused(kv, what, errp);
}

/* Those that may go again are the machine's last devices, so that the others stay where they are then. */
static bool plug_last_devices(Machine *m, const BoardConfig *config, Error **errp)
{
    if (!hotplug_prepare(m, errp)) {
        return false;
    }
    for (unsigned i = 0; config->devices && i < config->devices->len; i++) {
        const char *text = g_ptr_array_index(config->devices, i);

        if (hotplug_is_for(m, text) && !device_plug(m, text, errp)) {
            return false;
        }
    }
    return true;
}

bool board_create(const BoardType *type, Machine *m, BoardConfig *config, Error **errp)
{
    void *options = g_malloc0(type->options_size);
    bool ok = true;

    for (unsigned i = 0; ok && config->globals && i < config->globals->len; i++) {
        ok = globals_add(m, g_ptr_array_index(config->globals, i), errp);
    }
    config->options = options;
    ok = ok && board_parse_options(type, options, config, errp) && type->create(m, config, errp) &&
         plug_last_devices(m, config, errp);
    config->options = NULL;
    properties_clear(type->properties, options);
    g_free(options);
    return ok;
}

/* ---- rows of devices ---- */

static unsigned count(const BoardDevice *row)
{
    return row->count ? row->count : 1;
}

/* Whether two rows' interrupts go to one input, which would then follow either of them. */
static bool irqs_overlap(const BoardDevice *a, const BoardDevice *b)
{
    return a->type->irq_offset && b->type->irq_offset && !g_strcmp0(a->to, b->to) &&
           a->irq < b->irq + count(b) && b->irq < a->irq + count(a);
}

/* Of several devices of a row, each has one interrupt at the most. */
static void connect_outputs(Device *dev, Device *to, unsigned input)
{
    IrqLine *line;

    for (unsigned n = 0; (line = device_output(dev, n)); n++) {
        *line = device_input(to, input + n);
    }
}

static bool add_row(Machine *m, const BoardDevice *row, const char *gic, Error **errp)
{
    const char *to = row->to ? row->to : gic;

    for (unsigned i = 0; i < count(row); i++) {
        g_autofree char *id =
            row->count ? g_strdup_printf("%s.%u", row->id, i) : g_strdup(row->id);
        Device *dev = device_new(row->type, m, id);

        if (row->properties && !device_set(dev, row->properties, errp)) {
            return false;
        }
        connect_outputs(dev, to ? machine_find_device(m, to) : NULL, row->irq + i);
        if (!device_realize(dev, errp) ||
            !device_map(dev, row->base + i * row->type->window, row->base2, errp)) {
            error_prepend(errp, "device '%s': ", id);
            return false;
        }
    }
    return true;
}

bool board_add_devices(Machine *m, const BoardDevice *rows, const char *gic, Error **errp)
{
    for (const BoardDevice *row = rows; row->type; row++) {
        for (const BoardDevice *other = rows; other < row; other++) {
            assert(!irqs_overlap(row, other));
        }
        if (!add_row(m, row, gic, errp)) {
            return false;
        }
    }
    return true;
}

bool board_plug_devices(Machine *m, const BoardConfig *config, Error **errp)
{
    for (unsigned i = 0; config->devices && i < config->devices->len; i++) {
        const char *text = g_ptr_array_index(config->devices, i);

        if (!hotplug_is_for(m, text) && !device_plug(m, text, errp)) {
            return false;
        }
    }
    return true;
}
