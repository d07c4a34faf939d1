/*
 * Options about the machine that are lists of their own: clock, NUMA nodes, boot, fw_cfg files,
 * objects, memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/options-handlers.h"
#include "util/uuid.h"

/* Parse arg and hand it to parse(), then check that all of it was understood. */
static bool with_list(Options *o, const char *option, const char *arg, const char *implied,
                      bool (*parse)(Options *o, KeyVal *kv, Error **errp), Error **errp)
{
    KeyVal *kv = keyval_parse(arg, implied, errp);
    bool ok = kv && parse(o, kv, errp) && keyval_check_unused(kv, option, errp);

    keyval_free(kv);
    return ok;
}

static void replace(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
}

/* ---- -rtc ---- */

/* "2030-05-02T13:54:07" or "2030-05-02", UTC. */
static bool parse_date(const char *text, int64_t *seconds)
{
    g_autofree char *full = g_strdup_printf("%s%s", text, strchr(text, 'T') ? "Z" : "T00:00:00Z");
    g_autoptr(GDateTime) date = g_date_time_new_from_iso8601(full, NULL);

    if (!date || !g_ascii_isdigit(text[0]) || strlen(full) != strlen("2030-05-02T13:54:07Z")) {
        return false;
    }
    *seconds = g_date_time_to_unix(date);
    return true;
}

static bool rtc_base(RtcOptions *rtc, const char *base, Error **errp)
{
    if (!strcmp(base, "utc") || !strcmp(base, "localtime")) {
        rtc->base = base[0] == 'u' ? RTC_BASE_UTC : RTC_BASE_LOCALTIME;
        return true;
    }
    rtc->base = RTC_BASE_DATE;
    if (!parse_date(base, &rtc->date)) {
        error_setg(errp, "-rtc base=%s: expected utc, localtime, or a date (UTC) such as "
                   "2030-05-02 or 2030-05-02T13:54:07", base);
        return false;
    }
    return true;
}

static bool rtc_options(Options *o, KeyVal *kv, Error **errp)
{
    static const char *const clocks[] = { "host", "rt", "vm" };
    const char *base = keyval_get(kv, "base"), *clock = keyval_get(kv, "clock");
    const char *drift = keyval_get(kv, "driftfix");
    unsigned i = 0;

    if (base && !rtc_base(&o->rtc, base, errp)) {
        return false;
    }
    while (clock && i < ARRAY_SIZE(clocks) && strcmp(clock, clocks[i])) {
        i++;
    }
    if (i == ARRAY_SIZE(clocks)) {
        error_setg(errp, "-rtc clock=%s: expected host, rt or vm", clock);
        return false;
    }
    if (drift && strcmp(drift, "none")) {
        error_setg(errp, "-rtc driftfix=%s is for the clock of a PC, whose interrupts may get lost; "
                   "here none do, so leave it out", drift);
        return false;
    }
    o->rtc.clock = clock ? (RtcClock)i : o->rtc.clock;
    return true;
}

bool opt_rtc(Options *o, const char *arg, Error **errp)
{
    return with_list(o, "-rtc", arg, NULL, rtc_options, errp);
}

char *options_format_rtc(const RtcOptions *rtc)
{
    static const char *const clocks[] = { "host", "rt", "vm" };
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(rtc->date);
    g_autofree char *base = rtc->base == RTC_BASE_DATE ?
        g_date_time_format(date, "%Y-%m-%dT%H:%M:%S") :
        g_strdup(rtc->base == RTC_BASE_UTC ? "utc" : "localtime");

    return g_strdup_printf("base=%s,clock=%s", base, clocks[rtc->clock]);
}

/* ---- -numa ---- */

static bool numa_zero(KeyVal *kv, const char *key, Error **errp)
{
    uint64_t node = 0;

    if (!keyval_get_u64(kv, key, &node, errp)) {
        return false;
    }
    if (node) {
        error_setg(errp, "-numa %s=%" PRIu64 ": there is one node, number 0; more are not there yet",
                   key, node);
        return false;
    }
    return true;
}

/* "0", "0-3": the last one's number. */
static bool numa_cpus(NumaOptions *numa, const char *cpus, Error **errp)
{
    const char *dash = strchr(cpus, '-');
    g_autofree char *head = dash ? g_strndup(cpus, (gsize)(dash - cpus)) : g_strdup(cpus);
    uint64_t first, last;

    if (!parse_u64(head, &first) || !parse_u64(dash ? dash + 1 : head, &last) || first > last) {
        error_setg(errp, "-numa cpus=%s: expected a CPU's number, or first-last", cpus);
        return false;
    }
    numa->last_cpu = MAX(numa->last_cpu, last);
    return true;
}

typedef struct NumaCpus {
    NumaOptions *numa;
    bool ok;
    Error **errp;
} NumaCpus;

/* cpus= may be there several times. */
static void numa_element(const char *key, const char *value, void *opaque)
{
    NumaCpus *c = opaque;

    c->ok = c->ok && (strcmp(key, "cpus") || numa_cpus(c->numa, value ? value : "", c->errp));
}

static bool numa_node(Options *o, KeyVal *kv, Error **errp)
{
    NumaCpus cpus = { &o->numa, true, errp };
    const char *memdev = keyval_get(kv, "memdev"), *mem = keyval_get(kv, "mem");

    if (o->numa.node) {
        error_setg(errp, "-numa node: there is one already; more than one node is not there yet");
        return false;
    }
    o->numa.node = true;
    keyval_get(kv, "cpus");
    keyval_foreach(kv, numa_element, &cpus);
    if (!cpus.ok || !numa_zero(kv, "nodeid", errp) || !numa_zero(kv, "initiator", errp)) {
        return false;
    }
    if (mem && !parse_size(mem, 1u << 20, &o->numa.mem)) {
        error_setg(errp, "-numa mem=%s: expected a size such as 512M or 2G", mem);
        return false;
    }
    replace(&o->numa.memdev, memdev);
    return true;
}

static bool numa_cpu(Options *o, KeyVal *kv, Error **errp)
{
    static const char *const keys[] = { "socket-id", "cluster-id", "die-id", "core-id", "thread-id" };
    uint64_t ignored;

    /* Whichever CPU it is, it is in the one node. */
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        if (!keyval_get_u64(kv, keys[i], &ignored, errp)) {
            return false;
        }
    }
    return numa_zero(kv, "node-id", errp);
}

static bool numa_dist(Options *o, KeyVal *kv, Error **errp)
{
    uint64_t distance = 10;

    if (!numa_zero(kv, "src", errp) || !numa_zero(kv, "dst", errp) ||
        !keyval_get_u64(kv, "val", &distance, errp)) {
        return false;
    }
    if (distance != 10) {
        error_setg(errp, "-numa dist val=%" PRIu64 ": the distance of a node to itself is 10",
                   distance);
        return false;
    }
    return true;
}

static bool numa_options(Options *o, KeyVal *kv, Error **errp)
{
    const char *type = keyval_get(kv, "type");

    if (!g_strcmp0(type, "node")) {
        return numa_node(o, kv, errp);
    }
    if (!g_strcmp0(type, "cpu")) {
        return numa_cpu(o, kv, errp);
    }
    if (!g_strcmp0(type, "dist")) {
        return numa_dist(o, kv, errp);
    }
    error_setg(errp, "-numa %s: expected node, cpu or dist; memory attributes (hmat-...) need ACPI "
               "tables, which are not there", type ? type : "");
    return false;
}

bool opt_numa(Options *o, const char *arg, Error **errp)
{
    return with_list(o, "-numa", arg, "type", numa_options, errp);
}

/* ---- what the machine is ---- */

bool opt_uuid(Options *o, const char *arg, Error **errp)
{
    uint8_t bytes[UUID_SIZE];

    if (!uuid_parse(arg, bytes)) {
        error_setg(errp, "-uuid %s: expected 32 hexadecimal digits as in "
                   "550e8400-e29b-41d4-a716-446655440000", arg);
        return false;
    }
    g_free(o->uuid);
    o->uuid = uuid_format(bytes);
    return true;
}

/* ---- -boot ---- */

static bool boot_options(Options *o, KeyVal *kv, Error **errp)
{
    static const struct {
        const char *key, *why;
    } refused[] = {
        { "order", "firmware does not learn of it yet: -kernel or -bios starts" },
        { "once", "firmware does not learn of it yet: -kernel or -bios starts" },
        { "splash", "there is no display" }, { "splash-time", "there is no display" },
        { "reboot-timeout", "it is for the BIOS of a PC" },
    };
    bool strict = false;

    for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
        const char *value = keyval_get(kv, refused[i].key);

        if (value) {
            error_setg(errp, "-boot %s=%s: %s", refused[i].key, value, refused[i].why);
            return false;
        }
    }
    /* What has no boot order is strict about it. */
    return keyval_get_bool(kv, "menu", &o->boot_menu, errp) &&
           keyval_get_bool(kv, "strict", &strict, errp);
}

bool opt_boot(Options *o, const char *arg, Error **errp)
{
    return with_list(o, "-boot", arg, "order", boot_options, errp);
}

/* ---- -fw_cfg ---- */

static bool fw_cfg_options(Options *o, KeyVal *kv, Error **errp)
{
    const char *name = keyval_get(kv, "name");
    const char *file = keyval_get(kv, "file"), *string = keyval_get(kv, "string");
    g_autofree char *full = file ? g_canonicalize_filename(file, NULL) : NULL;
    GString *text;

    if (keyval_has(kv, "gen_id")) {
        error_setg(errp, "-fw_cfg gen_id=%s: no object makes content; use string= or file=",
                   keyval_get(kv, "gen_id"));
        return false;
    }
    if (!name || !*name) {
        error_setg(errp, "-fw_cfg: expected [name=]opt/NAME,file=FILE or string=TEXT");
        return false;
    }
    if (!file == !string) {
        error_setg(errp, "-fw_cfg %s: expected either file=FILE or string=TEXT", name);
        return false;
    }
    /* From any folder, a replay finds the same file. */
    text = g_string_new(NULL);
    keyval_append(text, "name", name);
    keyval_append(text, file ? "file" : "string", file ? full : string);
    g_ptr_array_add(o->fw_cfg, g_string_free(text, FALSE));
    return true;
}

bool opt_fw_cfg(Options *o, const char *arg, Error **errp)
{
    return with_list(o, "-fw_cfg", arg, "name", fw_cfg_options, errp);
}

/* ---- -smbios ---- */

/* From any folder, a replay finds the same file. */
static void add_smbios_key(const char *key, const char *value, void *opaque)
{
    g_autofree char *full = value && !strcmp(key, "path") ? g_canonicalize_filename(value, NULL) : NULL;

    keyval_append(opaque, key, full ? full : value);
}

/* The board knows the keys (hw/smbios/smbios-options.c). */
bool opt_smbios(Options *o, const char *arg, Error **errp)
{
    KeyVal *kv = keyval_parse(arg, NULL, errp);
    GString *text;

    if (!kv) {
        return false;
    }
    text = g_string_new(NULL);
    keyval_foreach(kv, add_smbios_key, text);
    keyval_free(kv);
    g_ptr_array_add(o->smbios, g_string_free(text, FALSE));
    return true;
}

/* ---- -object ---- */

bool opt_object(Options *o, const char *arg, Error **errp)
{
    g_autofree char *text = options_from_json(arg, errp);
    KeyVal *kv = text ? keyval_parse(text, "qom-type", errp) : NULL;

    if (!kv) {
        return false;
    }
    if (!strcmp(text, "help") || !strcmp(text, "?")) {
        o->action = ACTION_OBJECT_HELP;
    } else if (keyval_has(kv, "help")) {
        replace(&o->help_topic, keyval_get(kv, "qom-type"));
        o->action = ACTION_OBJECT_PROPERTIES;
    } else {
        g_ptr_array_add(o->objects, g_strdup(text));
    }
    keyval_free(kv);
    return true;
}

/* ---- where memory comes from ---- */

bool opt_mem_path(Options *o, const char *arg, Error **errp)
{
    replace(&o->mem_path, arg);
    return true;
}

bool opt_mem_prealloc(Options *o, const char *arg, Error **errp)
{
    o->mem_prealloc = true;
    return true;
}
