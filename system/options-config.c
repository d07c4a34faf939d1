/*
 * Configuration files: -readconfig, -writeconfig, and -set, which changes what either of them or
 * the command line has made. A file has groups of lines, each group one option:
 *
 *     [device "rng0"]
 *       driver = "virtio-rng-device"
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/options-handlers.h"

static const ConfigGroup groups[] = {
    { "machine", "machine", "type" },
    { "machine", "kernel", .alone = "kernel" },
    { "machine", "initrd", .alone = "initrd" },
    { "machine", "append", .alone = "append" },
    { "machine", "dtb", .alone = "dtb" },
    { "machine", "bios", .alone = "firmware" },
    { "smp-opts", "smp", "cpus" },
    { "memory", "m", "size" },
    { "accel", "accel", "accel" },
    { "object", "object", "qom-type" },
    { "device", "device", "driver" },
    { "global", "global", NULL },
    { "chardev", "chardev", "backend" },
    { "mon", "mon", "chardev" },
    { "rtc", "rtc", NULL },
    { "numa", "numa", "type" },
    { "boot-opts", "boot", "order" },
    { "fw_cfg", "fw_cfg", "name" },
    { "smbios", "smbios", NULL },
    { "icount", "icount", "shift" },
    { "name", "name", "guest" },
    { "msg", "msg", NULL },
    { "action", "action", NULL },
    { "sandbox", "sandbox", "enable" },
    { "overcommit", "overcommit", NULL },
    { "run-with", "run-with", NULL },
};

/* ---- -writeconfig ---- */

/* "DRIVER.PROPERTY=VALUE" as a list. */
static char *global_as_list(const char *arg)
{
    const char *dot = strchr(arg, '.'), *equals = strchr(arg, '=');
    g_autofree char *driver = NULL, *property = NULL;
    GString *out;

    if (g_str_has_prefix(arg, "driver=") || !dot || !equals || dot > equals) {
        return g_strdup(arg);
    }
    driver = g_strndup(arg, (gsize)(dot - arg));
    property = g_strndup(dot + 1, (gsize)(equals - dot - 1));
    out = g_string_new(NULL);
    keyval_append(out, "driver", driver);
    keyval_append(out, "property", property);
    keyval_append(out, "value", equals + 1);
    return g_string_free(out, FALSE);
}

/* An option's argument as what stands in its group. */
static char *as_list(const ConfigGroup *group, const char *arg)
{
    if (group->alone) {
        GString *out = g_string_new(NULL);

        keyval_append(out, group->alone, arg);
        return g_string_free(out, FALSE);
    }
    if (!strcmp(group->name, "global")) {
        return global_as_list(arg);
    }
    return options_from_json(arg, NULL);   /* it has been parsed, so it is good */
}

void options_config_note(Options *o, const OptionRow *row, const char *arg)
{
    for (unsigned i = 0; i < ARRAY_SIZE(groups); i++) {
        if (arg && !strcmp(groups[i].option, row->name)) {
            const ConfigEntry entry = { &groups[i], as_list(&groups[i], arg) };

            g_array_append_val(o->config, entry);
        }
    }
}

void options_config_clear(Options *o)
{
    for (unsigned i = 0; i < o->config->len; i++) {
        g_free(g_array_index(o->config, ConfigEntry, i).text);
    }
    g_array_unref(o->config);
}

static void write_line(const char *key, const char *value, void *out)
{
    if (!value) {
        bool off = g_str_has_prefix(key, "no");

        g_string_append_printf(out, "  %s = \"%s\"\n", off ? key + 2 : key, off ? "off" : "on");
    } else if (strcmp(key, "id")) {
        g_string_append_printf(out, "  %s = \"%s\"\n", key, value);
    }
}

static bool write_entry(const ConfigEntry *entry, GString *out, Error **errp)
{
    KeyVal *kv = keyval_parse(entry->text, entry->group->implied, errp);
    const char *id = kv ? keyval_get(kv, "id") : NULL;

    if (!kv) {
        return false;
    }
    if (id) {
        g_string_append_printf(out, "\n[%s \"%s\"]\n", entry->group->name, id);
    } else {
        g_string_append_printf(out, "\n[%s]\n", entry->group->name);
    }
    keyval_foreach(kv, write_line, out);
    keyval_free(kv);
    return true;
}

bool options_config_write(const Options *o, Error **errp)
{
    g_autoptr(GString) out = g_string_new("# rearm config file\n");
    bool ok = true;
    FILE *file;

    if (!o->writeconfig) {
        return true;
    }
    for (unsigned i = 0; ok && i < o->config->len; i++) {
        ok = write_entry(&g_array_index(o->config, ConfigEntry, i), out, errp);
    }
    if (!ok) {
        return false;
    }
    file = strcmp(o->writeconfig, "-") ? fopen(o->writeconfig, "w") : stdout;
    ok = file && fputs(out->str, file) >= 0 && fflush(file) == 0;
    if (!ok) {
        error_setg_errno(errp, errno, "-writeconfig %s", o->writeconfig);
    }
    if (file && file != stdout) {
        fclose(file);
    }
    return ok;
}

bool opt_writeconfig(Options *o, const char *arg, Error **errp)
{
    g_free(o->writeconfig);
    o->writeconfig = g_strdup(arg);
    return true;
}

/* ---- -readconfig ---- */

typedef struct Reader {
    Options *options;
    const char *path;
    unsigned line;
    const ConfigGroup *group;   /* of the lines that are read; NULL: none yet */
    GString *text;              /* what they say so far */
} Reader;

static bool finish_group(Reader *r, Error **errp)
{
    const OptionRow *row;

    if (!r->group) {
        return true;
    }
    row = option_find(r->group->option, NULL, errp);
    if (!row || !row->handler(r->options, r->text->str, errp)) {
        error_prepend(errp, "%s:%u: ", r->path, r->line);
        return false;
    }
    options_config_note(r->options, row, r->text->str);
    return true;
}

static bool begin_group(Reader *r, const char *name, const char *id, Error **errp)
{
    r->group = NULL;
    for (unsigned i = 0; i < ARRAY_SIZE(groups) && !r->group; i++) {
        r->group = strcmp(groups[i].name, name) ? NULL : &groups[i];
    }
    if (!r->group && option_missing(name, NULL)) {
        error_setg(errp, "%s:%u: [%s]: %s", r->path, r->line, name, option_missing(name, NULL));
        return false;
    }
    if (!r->group) {
        error_setg(errp, "%s:%u: [%s]: there is no such group of options", r->path, r->line, name);
        return false;
    }
    g_string_truncate(r->text, 0);
    if (id) {
        keyval_append(r->text, "id", id);
    }
    return true;
}

/* "[name]", "[name "id"]", or "key = "value"". */
static bool read_line(Reader *r, char *line, Error **errp)
{
    g_autoptr(GRegex) head = g_regex_new("^\\[([\\w-]+)(?: +\"([^\"]*)\")?\\]$", 0, 0, NULL);
    g_autoptr(GRegex) body = g_regex_new("^([\\w.-]+) *= *\"(.*)\"$", 0, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    g_autofree char *first = NULL, *second = NULL;
    bool is_head;

    g_strstrip(line);
    if (!*line || *line == '#') {
        return true;
    }
    is_head = g_regex_match(head, line, 0, &match);
    if (!is_head) {
        g_match_info_free(match);
        if (!g_regex_match(body, line, 0, &match) || !r->group) {
            error_setg(errp, "%s:%u: expected [GROUP], [GROUP \"ID\"] or KEY = \"VALUE\"", r->path,
                       r->line);
            return false;
        }
    }
    first = g_match_info_fetch(match, 1);
    second = g_match_info_fetch(match, 2);
    if (is_head) {
        return finish_group(r, errp) && begin_group(r, first, *second ? second : NULL, errp);
    }
    keyval_append(r->text, first, second);
    return true;
}

bool opt_readconfig(Options *o, const char *arg, Error **errp)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *content = NULL;
    g_auto(GStrv) lines = NULL;
    Reader r = { .options = o, .path = arg, .text = text };

    if (!g_file_get_contents(arg, &content, NULL, &error)) {
        error_setg(errp, "-readconfig: %s", error->message);
        return false;
    }
    lines = g_strsplit(content, "\n", -1);
    for (char **line = lines; *line; line++) {
        r.line++;
        if (!read_line(&r, *line, errp)) {
            return false;
        }
    }
    return finish_group(&r, errp);
}

/* ---- -set ---- */

/* The options of a group that have an id, as they are kept. */
static GPtrArray *list_of(Options *o, const char *group)
{
    return !strcmp(group, "device") ? o->devices : !strcmp(group, "object") ? o->objects :
           !strcmp(group, "chardev") ? o->chardevs : NULL;
}

/* What -set changes is what -writeconfig writes. */
static void append_element(char **text, const char *key, const char *value)
{
    GString *longer = g_string_new(*text);

    keyval_append(longer, key, value);
    g_free(*text);
    *text = g_string_free(longer, FALSE);
}

static bool has_id(const char *text, const char *id)
{
    KeyVal *kv = keyval_parse(text, "", NULL);
    bool found = kv && !g_strcmp0(keyval_get(kv, "id"), id);

    keyval_free(kv);
    return found;
}

static void note_change(Options *o, char **parts, const char *value)
{
    for (unsigned i = 0; i < o->config->len; i++) {
        ConfigEntry *entry = &g_array_index(o->config, ConfigEntry, i);

        if (!strcmp(entry->group->name, parts[0]) && has_id(entry->text, parts[1])) {
            append_element(&entry->text, parts[2], value);
        }
    }
}

bool opt_set(Options *o, const char *arg, Error **errp)
{
    const char *equals = strchr(arg, '=');
    g_autofree char *head = g_strndup(arg, equals ? (gsize)(equals - arg) : 0);
    g_auto(GStrv) parts = g_strsplit(head, ".", 3);
    GPtrArray *list;

    if (g_strv_length(parts) != 3) {
        error_setg(errp, "-set %s: expected GROUP.ID.KEY=VALUE", arg);
        return false;
    }
    list = list_of(o, parts[0]);
    for (unsigned i = 0; list && i < list->len; i++) {
        if (has_id(g_ptr_array_index(list, i), parts[1])) {
            append_element((char **)&g_ptr_array_index(list, i), parts[2], equals + 1);
            note_change(o, parts, equals + 1);
            return true;
        }
    }
    error_setg(errp, list ? "-set %s: there is no -%s with id=%s before it" :
               "-set %s: '%s' is no group whose options have an id; device, object and chardev are",
               arg, parts[0], parts[1]);
    return false;
}
