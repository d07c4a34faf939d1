/*
 * -smbios: a table of keys for each type of structure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "smbios-options.h"
#include "hw/core/property.h"
#include "util/uuid.h"

/* A structure counts its strings in a byte. */
#define MAX_STRINGS 255
#define MAX_STRING_FILE (1u << 20)

static const Property firmware_properties[] = {
    PROP_STRING("vendor", struct SmbiosFirmware, vendor, NULL, "who made the firmware"),
    PROP_STRING("version", struct SmbiosFirmware, version, NULL, "its version"),
    PROP_STRING("date", struct SmbiosFirmware, date, NULL, "its date, mm/dd/yyyy"),
    PROP_STRING("release", struct SmbiosFirmware, release, NULL, "its release, N.N"),
    PROP_BOOL("uefi", struct SmbiosFirmware, uefi, "off", "it is UEFI"),
    PROP_END
};

static const Property system_properties[] = {
    PROP_STRING("manufacturer", struct SmbiosSystem, manufacturer, "QEMU", "who made the machine"),
    PROP_STRING("product", struct SmbiosSystem, product, "QEMU Virtual Machine", "what it is called"),
    PROP_STRING("version", struct SmbiosSystem, version, NULL, "its version"),
    PROP_STRING("serial", struct SmbiosSystem, serial, NULL, "its serial number"),
    PROP_STRING("uuid", struct SmbiosSystem, uuid, NULL, "its id, instead of -uuid's"),
    PROP_STRING("sku", struct SmbiosSystem, sku, NULL, "its number in a catalogue"),
    PROP_STRING("family", struct SmbiosSystem, family, NULL, "what family of machines it is of"),
    PROP_END
};

static const Property board_properties[] = {
    PROP_STRING("manufacturer", struct SmbiosBoard, manufacturer, "QEMU", "who made the board"),
    PROP_STRING("product", struct SmbiosBoard, product, "QEMU Virtual Machine", "what it is called"),
    PROP_STRING("version", struct SmbiosBoard, version, NULL, "its version"),
    PROP_STRING("serial", struct SmbiosBoard, serial, NULL, "its serial number"),
    PROP_STRING("asset", struct SmbiosBoard, asset, NULL, "its owner's tag"),
    PROP_STRING("location", struct SmbiosBoard, location, NULL, "where in the chassis it is"),
    PROP_END
};

static const Property chassis_properties[] = {
    PROP_STRING("manufacturer", struct SmbiosChassis, manufacturer, "QEMU", "who made the chassis"),
    PROP_STRING("version", struct SmbiosChassis, version, NULL, "its version"),
    PROP_STRING("serial", struct SmbiosChassis, serial, NULL, "its serial number"),
    PROP_STRING("asset", struct SmbiosChassis, asset, NULL, "its owner's tag"),
    PROP_STRING("sku", struct SmbiosChassis, sku, NULL, "its number in a catalogue"),
    PROP_END
};

static const Property processor_properties[] = {
    PROP_STRING("sock_pfx", struct SmbiosProcessor, socket, "CPU", "what sockets are called, before their number"),
    PROP_STRING("manufacturer", struct SmbiosProcessor, manufacturer, "QEMU", "who made the processors"),
    PROP_STRING("version", struct SmbiosProcessor, version, NULL, "their version"),
    PROP_STRING("serial", struct SmbiosProcessor, serial, NULL, "their serial number"),
    PROP_STRING("asset", struct SmbiosProcessor, asset, NULL, "their owner's tag"),
    PROP_STRING("part", struct SmbiosProcessor, part, NULL, "their part number"),
    PROP_UINT("max-speed", struct SmbiosProcessor, max_speed, "2000", 0, UINT16_MAX, "MHz"),
    PROP_UINT("current-speed", struct SmbiosProcessor, current_speed, "2000", 0, UINT16_MAX, "MHz"),
    PROP_UINT("processor-id", struct SmbiosProcessor, id, "0", 0, UINT64_MAX, "their identification"),
    PROP_END
};

static const Property memory_properties[] = {
    PROP_STRING("loc_pfx", struct SmbiosMemory, locator, "DIMM", "what slots are called, before their number"),
    PROP_STRING("bank", struct SmbiosMemory, bank, NULL, "what the bank is called"),
    PROP_STRING("manufacturer", struct SmbiosMemory, manufacturer, "QEMU", "who made the memory"),
    PROP_STRING("serial", struct SmbiosMemory, serial, NULL, "its serial number"),
    PROP_STRING("asset", struct SmbiosMemory, asset, NULL, "its owner's tag"),
    PROP_STRING("part", struct SmbiosMemory, part, NULL, "its part number"),
    PROP_UINT("speed", struct SmbiosMemory, speed, "0", 0, UINT16_MAX, "MHz; 0: unknown"),
    PROP_END
};

static const struct {
    unsigned type;
    const Property *properties;
    size_t offset;                /* of its struct in SmbiosOptions */
} types[] = {
    { 0, firmware_properties, offsetof(SmbiosOptions, firmware) },
    { 1, system_properties, offsetof(SmbiosOptions, system) },
    { 2, board_properties, offsetof(SmbiosOptions, board) },
    { 3, chassis_properties, offsetof(SmbiosOptions, chassis) },
    { 4, processor_properties, offsetof(SmbiosOptions, processor) },
    { 17, memory_properties, offsetof(SmbiosOptions, memory) },
};

static void *values_of(SmbiosOptions *o, unsigned n)
{
    return (char *)o + types[n].offset;
}

/* ---- type 11: any strings ---- */

typedef struct Strings {
    GPtrArray *list;
    Error *err;
} Strings;

/* The file's text, up to a zero byte. */
static void add_file(Strings *s, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    size_t length;

    if (!g_file_get_contents(path, &text, &length, &error)) {
        error_setg(&s->err, "-smbios type=11,path=%s: %s", path, error->message);
    } else if (length > MAX_STRING_FILE) {
        error_setg(&s->err, "-smbios type=11,path=%s: a string has at most 1 MiB", path);
    } else {
        g_ptr_array_add(s->list, g_steal_pointer(&text));
    }
}

static void add_string(const char *key, const char *value, void *opaque)
{
    Strings *s = opaque;

    if (s->err) {
        return;
    }
    if (!strcmp(key, "value")) {
        g_ptr_array_add(s->list, g_strdup(value ? value : ""));
    } else if (!strcmp(key, "path")) {
        add_file(s, value ? value : "");
    }
}

static bool parse_strings(SmbiosOptions *o, KeyVal *kv, Error **errp)
{
    Strings s = { o->strings, NULL };

    if (!keyval_has(kv, "value") && !keyval_has(kv, "path")) {
        error_setg(errp, "-smbios type=11: expected value=TEXT or path=FILE");
        return false;
    }
    keyval_foreach(kv, add_string, &s);
    if (!s.err && o->strings->len > MAX_STRINGS) {
        error_setg(&s.err, "-smbios type=11: %u strings: there can be %u", o->strings->len, MAX_STRINGS);
    }
    if (s.err) {
        error_propagate(errp, s.err);
        return false;
    }
    keyval_get(kv, "value");
    keyval_get(kv, "path");
    return true;
}

/* ---- all ---- */

bool smbios_parse_release(const char *text, uint8_t out[2])
{
    g_auto(GStrv) parts = g_strsplit(text, ".", 0);

    for (unsigned i = 0; i < 2; i++) {
        uint64_t number;

        if (g_strv_length(parts) != 2 || !parse_u64(parts[i], &number) || number > UINT8_MAX) {
            return false;
        }
        out[i] = (uint8_t)number;
    }
    return true;
}

static bool check_values(const SmbiosOptions *o, Error **errp)
{
    uint8_t uuid[UUID_SIZE], release[2];

    if (o->system.uuid && !uuid_parse(o->system.uuid, uuid)) {
        error_setg(errp, "-smbios type=1,uuid=%s: expected 32 hexadecimal digits as in "
                   "550e8400-e29b-41d4-a716-446655440000", o->system.uuid);
        return false;
    }
    if (o->firmware.release && !smbios_parse_release(o->firmware.release, release)) {
        error_setg(errp, "-smbios type=0,release=%s: expected two numbers up to 255, as in 2.8", o->firmware.release);
        return false;
    }
    return true;
}

static bool parse_type(SmbiosOptions *o, uint64_t type, KeyVal *kv, Error **errp)
{
    g_autofree char *what = g_strdup_printf("-smbios type=%" PRIu64, type);
    unsigned n = 0;
    bool ok;

    while (n < ARRAY_SIZE(types) && types[n].type != type) {
        n++;
    }
    o->has_firmware |= type == 0;
    o->has_board |= type == 2;
    if (type == 11) {
        ok = parse_strings(o, kv, errp);
    } else if (n < ARRAY_SIZE(types)) {
        ok = properties_take(types[n].properties, values_of(o, n), kv, what, errp);
    } else {
        error_setg(errp, "%s: there are types 0, 1, 2, 3, 4, 11 and 17", what);
        return false;
    }
    return ok && keyval_check_unused(kv, what, errp);
}

static bool parse_one(SmbiosOptions *o, const char *text, Error **errp)
{
    KeyVal *kv = keyval_parse(text, NULL, errp);
    const char *type = kv ? keyval_get(kv, "type") : NULL;
    uint64_t number;
    bool ok = false;

    if (kv && keyval_has(kv, "file")) {
        error_setg(errp, "-smbios file=%s: whole structures are not taken; type=N,KEY=VALUE,... says what is in one",
                   keyval_get(kv, "file"));
    } else if (kv && (!type || !parse_u64(type, &number))) {
        error_setg(errp, "-smbios %s: expected type=N,KEY=VALUE,...", text);
    } else if (kv) {
        ok = parse_type(o, number, kv, errp);
    }
    keyval_free(kv);
    return ok;
}

bool smbios_options_parse(SmbiosOptions *o, const GPtrArray *options, Error **errp)
{
    o->strings = g_ptr_array_new_with_free_func(g_free);
    for (unsigned n = 0; n < ARRAY_SIZE(types); n++) {
        properties_init(types[n].properties, values_of(o, n));
    }
    for (unsigned i = 0; options && i < options->len; i++) {
        if (!parse_one(o, g_ptr_array_index(options, i), errp)) {
            return false;
        }
    }
    return check_values(o, errp);
}

void smbios_options_clear(SmbiosOptions *o)
{
    for (unsigned n = 0; n < ARRAY_SIZE(types); n++) {
        properties_clear(types[n].properties, values_of(o, n));
    }
    g_ptr_array_unref(o->strings);
}
