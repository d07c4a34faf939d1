/*
 * -drive, -blockdev and their short forms: each becomes one text in Options.drives, the options of a block node and
 * id=, readonly=, snapshot=; and a text in Options.devices where a drive brings its device along (if=virtio).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/options-handlers.h"

/* A drive's device, by if=. */
static const struct {
    const char *name;
    const char *device;       /* NULL: none */
} interfaces[] = {
    { "none", NULL },
    { "virtio", "virtio-blk-pci" },
    { "scsi", "scsi-hd" },
    { "pflash", NULL },
};

static const char default_interface[] = "virtio";

/* Keys of -drive that say how the host does what it does, which is not the guest's business. */
static const char *const accepted[] = {
    "aio", "cache", "cache.direct", "cache.no-flush", "cache.writeback", "detect-zeroes", "discard", "index", "unit",
    "media", "auto-read-only", NULL
};

typedef struct DriveText {
    GString *node;            /* what is for the block driver */
    const char *interface;
    char *id;
    bool readonly, snapshot, is_node;
    const char *werror, *rerror;
    unsigned unit;
} DriveText;

static void add_path(GString *out, const char *key, const char *path)
{
    g_autofree char *full = strchr(path, ':') ? g_strdup(path) : g_canonicalize_filename(path, NULL);

    keyval_append(out, key, full);
}

static void add_node_key(const char *key, const char *value, void *opaque)
{
    static const char *const taken[] = {
        "id", "if", "file", "format", "readonly", "read-only", "snapshot", "serial", "node-name", "werror", "rerror",
        NULL
    };
    DriveText *t = opaque;

    if (g_strv_contains(taken, key) || g_strv_contains(accepted, key)) {
        return;
    }
    if (g_str_has_suffix(key, "filename") && value) {
        add_path(t->node, key, value);
    } else {
        keyval_append(t->node, key, value);
    }
}

static char *next_id(const Options *o)
{
    return g_strdup_printf("drive%u", o->drives->len);
}

static void add_drive(Options *o, DriveText *t)
{
    g_autoptr(GString) text = g_string_new(NULL);

    keyval_append(text, "id", t->id);
    if (t->readonly) {
        keyval_append(text, "readonly", "on");
    }
    if (t->snapshot) {
        keyval_append(text, "snapshot", "on");
    }
    if (t->is_node) {
        keyval_append(text, "is-node", "on");
    }
    if (t->werror) {
        keyval_append(text, "werror", t->werror);
    }
    if (t->rerror) {
        keyval_append(text, "rerror", t->rerror);
    }
    if (t->node->len) {
        g_string_append_printf(text, ",%s", t->node->str);
    }
    g_ptr_array_add(o->drives, g_string_free(g_steal_pointer(&text), FALSE));
}

static bool find_interface(const char *name, const char **device, Error **errp)
{
    for (unsigned i = 0; i < ARRAY_SIZE(interfaces); i++) {
        if (!strcmp(interfaces[i].name, name)) {
            *device = interfaces[i].device;
            return true;
        }
    }
    error_setg(errp, "-drive if=%s: there are if=virtio and if=scsi, which bring their devices along, if=pflash for the "
               "board's flash, and if=none for a -device that names the drive", name);
    return false;
}

static bool take_flags(KeyVal *kv, DriveText *t, Error **errp)
{
    const char *media = keyval_get(kv, "media");

    t->readonly = media && !strcmp(media, "cdrom");
    return keyval_get_bool(kv, "readonly", &t->readonly, errp) &&
           keyval_get_bool(kv, "read-only", &t->readonly, errp) &&
           keyval_get_bool(kv, "snapshot", &t->snapshot, errp);
}

/* The board's flash of that number, or the next one that has no drive. */
static bool take_flash(Options *o, KeyVal *kv, const char *id, Error **errp)
{
    const char *unit = keyval_get(kv, "unit"), *index = keyval_get(kv, "index");
    uint64_t n = 0;

    unit = unit ? unit : index;
    while (!unit && n < ARRAY_SIZE(o->flash) && o->flash[n]) {
        n++;
    }
    if ((unit && !parse_u64(unit, &n)) || n >= ARRAY_SIZE(o->flash)) {
        error_setg(errp, "-drive if=pflash: there is no flash %s: the board has 0, for firmware, and 1, for its "
                   "variables", unit ? unit : "that has no drive yet");
        return false;
    }
    if (o->flash[n]) {
        error_setg(errp, "-drive if=pflash,unit=%" PRIu64 ": that flash has drive '%s' already", n, o->flash[n]);
        return false;
    }
    o->flash[n] = g_strdup(id);
    return true;
}

/* Units go to the controller that is there; the first one brings it along. */
static void add_controller(Options *o)
{
    for (unsigned i = 0; i < o->devices->len; i++) {
        if (g_str_has_prefix(g_ptr_array_index(o->devices, i), "virtio-scsi")) {
            return;
        }
    }
    g_ptr_array_add(o->devices, g_strdup("virtio-scsi-pci"));
}

static bool drive(Options *o, KeyVal *kv, const char *interface, Error **errp)
{
    const char *file = keyval_get(kv, "file"), *format = keyval_get(kv, "format");
    const char *serial = keyval_get(kv, "serial"), *id = keyval_get(kv, "id"), *device;
    DriveText t = { 0 };
    bool ok;

    if (!find_interface(interface, &device, errp) || !take_flags(kv, &t, errp)) {
        return false;
    }
    if (!file && !keyval_has(kv, "driver") && !keyval_has(kv, "file.filename") && !keyval_has(kv, "filename")) {
        error_setg(errp, "-drive needs file=IMAGE");
        return false;
    }
    t.node = g_string_new(NULL);
    t.id = id ? g_strdup(id) : next_id(o);
    t.werror = keyval_get(kv, "werror");
    t.rerror = keyval_get(kv, "rerror");
    if (format) {
        keyval_append(t.node, "driver", format);
    }
    if (file) {
        add_path(t.node, "filename", file);
    }
    keyval_foreach(kv, add_node_key, &t);
    add_drive(o, &t);
    if (!strcmp(interface, "pflash") && !take_flash(o, kv, t.id, errp)) {
        g_string_free(t.node, TRUE);
        g_free(t.id);
        return false;
    }
    if (device && !strcmp(interface, "scsi")) {
        const char *media = keyval_get(kv, "media");

        add_controller(o);
        device = media && !strcmp(media, "cdrom") ? "scsi-cd" : device;
    }
    if (device) {
        g_autoptr(GString) text = g_string_new(device);

        keyval_append(text, "drive", t.id);
        if (serial) {
            keyval_append(text, "serial", serial);
        }
        g_ptr_array_add(o->devices, g_string_free(g_steal_pointer(&text), FALSE));
    }
    ok = device || !serial;
    if (!ok) {
        error_setg(errp, "-drive serial=%s: with if=none it is a property of the device: -device "
                   "virtio-blk-pci,drive=%s,serial=%s", serial, t.id, serial);
    }
    g_string_free(t.node, TRUE);
    g_free(t.id);
    return ok;
}

static bool parse_drive(Options *o, const char *text, Error **errp)
{
    KeyVal *kv = keyval_parse(text, NULL, errp);
    const char *interface = kv ? keyval_get(kv, "if") : NULL;
    bool ok = kv && drive(o, kv, interface ? interface : default_interface, errp);

    keyval_free(kv);
    return ok;
}

bool opt_drive(Options *o, const char *arg, Error **errp)
{
    return parse_drive(o, arg, errp);
}

/* A file name, whatever characters it has. */
static bool drive_of_file(Options *o, const char *file, const char *more, Error **errp)
{
    g_autoptr(GString) text = g_string_new(more);

    keyval_append(text, "file", file);
    return parse_drive(o, text->str, errp);
}

bool opt_hda(Options *o, const char *arg, Error **errp)
{
    return drive_of_file(o, arg, "index=0", errp);
}

bool opt_hdb(Options *o, const char *arg, Error **errp)
{
    return drive_of_file(o, arg, "index=1", errp);
}

bool opt_hdc(Options *o, const char *arg, Error **errp)
{
    return drive_of_file(o, arg, "index=2", errp);
}

bool opt_hdd(Options *o, const char *arg, Error **errp)
{
    return drive_of_file(o, arg, "index=3", errp);
}

bool opt_cdrom(Options *o, const char *arg, Error **errp)
{
    return drive_of_file(o, arg, "media=cdrom", errp);
}

bool opt_pflash(Options *o, const char *arg, Error **errp)
{
    return drive_of_file(o, arg, "if=pflash,format=raw", errp);
}

bool opt_snapshot(Options *o, const char *arg, Error **errp)
{
    o->disk_snapshot = true;
    return true;
}

bool opt_blockdev(Options *o, const char *arg, Error **errp)
{
    static const char *const of_devices[] = { "werror", "rerror" };
    g_autofree char *text = options_from_json(arg, errp);
    KeyVal *kv = text ? keyval_parse(text, "driver", errp) : NULL;
    const char *name = kv ? keyval_get(kv, "node-name") : NULL;
    DriveText t = { 0 };
    bool ok = kv && take_flags(kv, &t, errp);

    for (unsigned i = 0; ok && i < ARRAY_SIZE(of_devices); i++) {
        if (keyval_has(kv, of_devices[i])) {
            error_setg(errp, "-blockdev: %s= is a property of the device: -device virtio-blk-pci,drive=%s,%s=...",
                       of_devices[i], name ? name : "NAME", of_devices[i]);
            ok = false;
        }
    }
    if (ok && !name) {
        error_setg(errp, "-blockdev needs node-name=NAME, by which a device or another -blockdev names it");
        ok = false;
    }
    if (ok) {
        const char *file = keyval_get(kv, "file");

        t.node = g_string_new(NULL);
        t.id = g_strdup(name);
        t.is_node = true;
        if (file) {
            keyval_append(t.node, "file", file);    /* a node-name */
        }
        keyval_foreach(kv, add_node_key, &t);
        add_drive(o, &t);
        g_string_free(t.node, TRUE);
        g_free(t.id);
    }
    keyval_free(kv);
    return ok;
}
