/*
 * What each option of options.def means.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/ir.h"
#include "system/options-handlers.h"

#define MIB (1ull << 20)
#define MAX_SHIFT 10
/* rrcheckperiod= when it is left out. */
#define CHECK_PERIOD 1000000

static bool is_help(const char *arg)
{
    return !strcmp(arg, "help") || !strcmp(arg, "?");
}

static void replace(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
}

/* ---- machine ---- */

/* "NAME,help" asks for the properties of NAME, which `key` says: *topic, if it is so. */
static bool asks_for_properties(const char *arg, const char *key, char **topic)
{
    KeyVal *kv = keyval_parse(arg, key, NULL);
    const char *name = kv ? keyval_get(kv, key) : NULL;
    bool asks = name && (keyval_has(kv, "help") || keyval_has(kv, "?"));

    if (asks) {
        replace(topic, name);
    }
    keyval_free(kv);
    return asks;
}

/* "kvm:tcg": in order of preference. */
static bool accel_has_tcg(const char *list)
{
    g_auto(GStrv) names = g_strsplit(list, ":", -1);

    return g_strv_contains((const char *const *)names, "tcg");
}

/*
 * What the machine is, without how it runs, where its memory comes from and what has an option of
 * its own: a recording has the rest.
 */
static char *take_machine_text(Options *o, const char *arg, Error **errp)
{
    const struct {
        const char *key;
        char **field;
    } own[] = {
        { "memory-backend", &o->memory_backend }, { "kernel", &o->kernel }, { "initrd", &o->initrd },
        { "append", &o->append }, { "dtb", &o->dtb }, { "firmware", &o->bios },
    };
    KeyVal *kv = keyval_parse(arg, "type", errp);
    const char *accel = kv ? keyval_get(kv, "accel") : NULL;
    char *text = NULL;

    if (!kv) {
        return NULL;
    }
    if (accel && accel_has_tcg(accel)) {
        keyval_remove(kv, "accel");
    }
    for (unsigned i = 0; i < ARRAY_SIZE(own); i++) {
        if (keyval_has(kv, own[i].key)) {
            replace(own[i].field, keyval_get(kv, own[i].key));
            keyval_remove(kv, own[i].key);
        }
    }
    text = keyval_format(kv);
    keyval_free(kv);
    return text;
}

bool opt_machine(Options *o, const char *arg, Error **errp)
{
    g_autofree char *text = NULL;
    char *joined;

    if (is_help(arg)) {
        o->action = ACTION_MACHINE_HELP;
        return true;
    }
    text = take_machine_text(o, arg, errp);
    if (!text) {
        return false;
    }
    if (!*text) {
        return true;
    }
    joined = g_strdup_printf("%s%s%s", o->machine ? o->machine : "", o->machine ? "," : "", text);
    g_free(o->machine);
    o->machine = joined;
    if (asks_for_properties(joined, "type", &o->help_topic)) {
        o->action = ACTION_MACHINE_PROPERTIES;
    }
    return true;
}

bool opt_no_acpi(Options *o, const char *arg, Error **errp)
{
    return opt_machine(o, "acpi=off", errp);
}

bool opt_cpu(Options *o, const char *arg, Error **errp)
{
    if (is_help(arg)) {
        o->action = ACTION_CPU_HELP;
        return true;
    }
    if (!strcmp(arg, "host") || g_str_has_prefix(arg, "host,")) {
        error_setg(errp, "-cpu %s: the host's CPU is for KVM; guests run on the translator, and "
                   "-cpu max has all that it can do", arg);
        return false;
    }
    replace(&o->cpu, arg);
    return true;
}

bool opt_ram(Options *o, const char *arg, Error **errp)
{
    KeyVal *kv = keyval_parse(arg, "size", errp);
    const char *text;
    bool ok = false;

    if (!kv) {
        return false;
    }
    text = keyval_get(kv, "size");
    if (keyval_has(kv, "slots") || keyval_has(kv, "maxmem")) {
        error_setg(errp, "-m %s: memory that is added while the machine runs is not there yet; leave out "
                   "slots= and maxmem=", arg);
    } else if (!keyval_check_unused(kv, "-m", errp)) {
        /* the error is set */
    } else if (!text || !parse_size(text, MIB, &o->ram_size)) {
        error_setg(errp, "-m %s: expected a size such as 512, 512M or 2G", arg);
    } else if (o->ram_size == 0) {
        error_setg(errp, "-m %s: the machine needs some RAM", arg);
    } else {
        ok = true;
    }
    keyval_free(kv);
    return ok;
}

static void append_rest(const char *key, const char *value, void *text)
{
    if (strcmp(key, "driver") && strcmp(key, "id")) {
        keyval_append(text, key, value);
    }
}

/* Driver and id first, as people write it: a recording compares the text. */
static char *device_text(const char *arg)
{
    KeyVal *kv = keyval_parse(arg, "driver", NULL);
    const char *driver = kv ? keyval_get(kv, "driver") : NULL;
    const char *id = kv ? keyval_get(kv, "id") : NULL;
    GString *text;

    if (!driver) {
        keyval_free(kv);
        return g_strdup(arg);    /* whoever makes the device tells what is wrong */
    }
    text = g_string_new(driver);
    if (id) {
        keyval_append(text, "id", id);
    }
    keyval_foreach(kv, append_rest, text);
    keyval_free(kv);
    return g_string_free(text, FALSE);
}

bool opt_device(Options *o, const char *arg, Error **errp)
{
    g_autofree char *text = options_from_json(arg, errp);

    if (!text) {
        error_prepend(errp, "-device: ");
        return false;
    }
    if (is_help(text)) {
        o->action = ACTION_DEVICE_HELP;
        return true;
    }
    if (asks_for_properties(text, "driver", &o->help_topic)) {
        o->action = ACTION_DEVICE_PROPERTIES;
        return true;
    }
    g_ptr_array_add(o->devices, device_text(text));
    return true;
}

bool opt_global(Options *o, const char *arg, Error **errp)
{
    const char *equals = strchr(arg, '=');
    const char *dot = strchr(arg, '.');

    if (!g_str_has_prefix(arg, "driver=") &&
        (!equals || !dot || dot > equals || dot == arg || dot + 1 == equals)) {
        error_setg(errp, "-global %s: expected DRIVER.PROPERTY=VALUE", arg);
        return false;
    }
    g_ptr_array_add(o->globals, g_strdup(arg));
    return true;
}

static bool accel_backend(Options *o, KeyVal *kv, Error **errp)
{
    const char *backend = keyval_get(kv, "backend");

    if (backend && strcmp(backend, "jit") && strcmp(backend, "interp")) {
        error_setg(errp, "-accel backend=%s: expected 'jit' or 'interp'", backend);
        return false;
    }
    if (backend) {
        o->tcg.interp = !strcmp(backend, "interp");
    }
    return true;
}

/* The shape of the soft TLB: for tests, and for those who measure. */
static bool accel_tlb(Options *o, KeyVal *kv, Error **errp)
{
    uint64_t ways = 0, entries = 0, chaos = 0;

    if (!keyval_get_u64(kv, "tlb-ways", &ways, errp) ||
        !keyval_get_u64(kv, "tlb-entries", &entries, errp) ||
        !keyval_get_u64(kv, "tlb-chaos", &chaos, errp)) {
        return false;
    }
    if (keyval_has(kv, "tlb-ways") && ways != 1 && ways != 2 && ways != 4 && ways != 8) {
        error_setg(errp, "-accel tlb-ways=%" PRIu64 ": expected 1, 2, 4 or 8", ways);
        return false;
    }
    if (keyval_has(kv, "tlb-entries") &&
        (entries < 16 || entries > 65536 || (entries & (entries - 1)))) {
        error_setg(errp, "-accel tlb-entries=%" PRIu64 ": expected a power of two, 16..65536",
                   entries);
        return false;
    }
    o->tcg.tlb_ways = (unsigned)ways;
    o->tcg.tlb_entries = (unsigned)entries;
    o->tcg.tlb_chaos = chaos;
    return true;
}

static bool accel_state(Options *o, KeyVal *kv, Error **errp)
{
    uint64_t period = 1000000;

    if (!keyval_get_u64(kv, "state-chaos", &o->exec.state_chaos, errp) ||
        !keyval_get_u64(kv, "state-chaos-period", &period, errp)) {
        return false;
    }
    if (period < 1 || period > INT32_MAX) {
        error_setg(errp, "-accel state-chaos-period=%" PRIu64 ": expected 1..%d instructions",
                   period, INT32_MAX);
        return false;
    }
    o->exec.state_chaos_period = period;
    return true;
}

static bool accel_tcg(Options *o, KeyVal *kv, Error **errp)
{
    bool one = false, link = !o->tcg.no_link, opt = !o->tcg.no_opt;
    uint64_t unit = o->tcg.unit_insns, tb_size = o->tcg.cache_bytes / MIB;
    const char *thread = keyval_get(kv, "thread");

    if (!accel_backend(o, kv, errp) || !accel_tlb(o, kv, errp) || !accel_state(o, kv, errp) ||
        !keyval_get_bool(kv, "one-insn-per-tb", &one, errp) ||
        !keyval_get_bool(kv, "link", &link, errp) ||
        !keyval_get_bool(kv, "opt", &opt, errp) ||
        !keyval_get_u64(kv, "unit-insns", &unit, errp) ||
        !keyval_get_u64(kv, "tb-size", &tb_size, errp) ||
        !keyval_check_unused(kv, "-accel tcg", errp)) {
        return false;
    }
    if (keyval_has(kv, "unit-insns") && (unit < 1 || unit > IR_MAX_GUEST_INSNS)) {
        error_setg(errp, "-accel unit-insns=%" PRIu64 " is out of range: 1..%d", unit,
                   IR_MAX_GUEST_INSNS);
        return false;
    }
    if (keyval_has(kv, "tb-size") && (tb_size < 1 || tb_size > 1024)) {
        error_setg(errp, "-accel tb-size=%" PRIu64 " is out of range: 1..1024 MiB", tb_size);
        return false;
    }
    if (thread && strcmp(thread, "single")) {
        error_setg(errp, "-accel thread=%s: all CPUs run on one thread, so that runs can be "
                   "repeated; only 'single' is possible", thread);
        return false;
    }
    o->tcg.no_link = !link;
    o->tcg.no_opt = !opt;
    o->tcg.unit_insns = one ? 1 : (unsigned)unit;
    o->tcg.cache_bytes = tb_size * MIB;
    return true;
}

bool opt_accel(Options *o, const char *arg, Error **errp)
{
    KeyVal *kv;
    const char *name;
    bool ok;

    if (is_help(arg)) {
        o->action = ACTION_ACCEL_HELP;
        return true;
    }
    kv = keyval_parse(arg, "accel", errp);
    if (!kv) {
        return false;
    }
    name = keyval_get(kv, "accel");
    if (name && !accel_has_tcg(name)) {
        /* Several are tried in turn, so a later one may be there. Its options are its own. */
        o->accel_missing = o->accel_missing || o->accel_there ? o->accel_missing : g_strdup(name);
        ok = true;
    } else {
        ok = accel_tcg(o, kv, errp);
        o->accel_there = true;
        g_clear_pointer(&o->accel_missing, g_free);
    }
    keyval_free(kv);
    return ok;
}

bool opt_nodefaults(Options *o, const char *arg, Error **errp)
{
    o->nodefaults = true;
    return true;
}

/* ---- boot ---- */

bool opt_kernel(Options *o, const char *arg, Error **errp)
{
    replace(&o->kernel, arg);
    return true;
}

bool opt_initrd(Options *o, const char *arg, Error **errp)
{
    replace(&o->initrd, arg);
    return true;
}

bool opt_append(Options *o, const char *arg, Error **errp)
{
    replace(&o->append, arg);
    return true;
}

bool opt_dtb(Options *o, const char *arg, Error **errp)
{
    replace(&o->dtb, arg);
    return true;
}

bool opt_bios(Options *o, const char *arg, Error **errp)
{
    replace(&o->bios, arg);
    return true;
}

bool opt_firmware_dir(Options *o, const char *arg, Error **errp)
{
    if (is_help(arg)) {
        o->action = ACTION_FIRMWARE_DIRS;
        return true;
    }
    g_ptr_array_add(o->firmware_dirs, g_strdup(arg));
    return true;
}

bool opt_no_reboot(Options *o, const char *arg, Error **errp)
{
    o->exec.actions.reboot = EXEC_REBOOT_SHUTDOWN;
    return true;
}

bool opt_no_shutdown(Options *o, const char *arg, Error **errp)
{
    o->exec.actions.shutdown = EXEC_SHUTDOWN_PAUSE;
    return true;
}

/* ---- back ends ---- */

bool opt_nographic(Options *o, const char *arg, Error **errp)
{
    o->nographic = true;
    return true;
}

bool opt_serial(Options *o, const char *arg, Error **errp)
{
    g_ptr_array_add(o->serials, g_strdup(arg));
    return true;
}

static void add_monitor(Options *o, char *device, MonitorMode mode)
{
    MonitorOption *m = g_new0(MonitorOption, 1);

    m->device = device;
    m->mode = mode;
    g_ptr_array_add(o->monitors, m);
}

bool opt_monitor(Options *o, const char *arg, Error **errp)
{
    add_monitor(o, g_strdup(arg), MONITOR_HMP);
    return true;
}

bool opt_qmp(Options *o, const char *arg, Error **errp)
{
    add_monitor(o, g_strdup(arg), MONITOR_QMP);
    return true;
}

bool opt_qmp_pretty(Options *o, const char *arg, Error **errp)
{
    add_monitor(o, g_strdup(arg), MONITOR_QMP_PRETTY);
    return true;
}

static bool mon_options(Options *o, KeyVal *kv, Error **errp)
{
    const char *chardev = keyval_get(kv, "chardev");
    const char *mode = keyval_get(kv, "mode");
    bool pretty = false, control = mode && !strcmp(mode, "control");

    keyval_get(kv, "id");        /* a monitor goes by its chardev */
    if (!keyval_get_bool(kv, "pretty", &pretty, errp) ||
        !keyval_check_unused(kv, "-mon", errp)) {
        return false;
    }
    if (!chardev) {
        error_setg(errp, "-mon needs chardev=ID");
        return false;
    }
    if (mode && !control && strcmp(mode, "readline")) {
        error_setg(errp, "-mon mode=%s: expected 'readline' or 'control'", mode);
        return false;
    }
    if (pretty && !control) {
        error_setg(errp, "-mon pretty=on is for mode=control");
        return false;
    }
    add_monitor(o, g_strdup_printf("chardev:%s", chardev),
                !control ? MONITOR_HMP : pretty ? MONITOR_QMP_PRETTY : MONITOR_QMP);
    return true;
}

bool opt_mon(Options *o, const char *arg, Error **errp)
{
    KeyVal *kv = keyval_parse(arg, "chardev", errp);
    bool ok = kv && mon_options(o, kv, errp);

    keyval_free(kv);
    return ok;
}

bool opt_chardev(Options *o, const char *arg, Error **errp)
{
    if (is_help(arg)) {
        o->action = ACTION_CHARDEV_HELP;
        return true;
    }
    g_ptr_array_add(o->chardevs, g_strdup(arg));
    return true;
}

bool opt_echr(Options *o, const char *arg, Error **errp)
{
    uint64_t value;

    if (!parse_u64(arg, &value) || value < 1 || value > 255) {
        error_setg(errp, "-echr %s: expected a character's number, 1..255", arg);
        return false;
    }
    o->escape = (int)value;
    return true;
}

/* ---- time, record and replay ---- */

static bool icount_shift(Options *o, KeyVal *kv, Error **errp)
{
    const char *shift = keyval_get(kv, "shift");
    uint64_t value;

    o->exec.icount = true;
    if (!shift) {
        o->exec.shift_auto = !o->shift_given;
        return true;
    }
    o->shift_given = true;
    o->exec.shift_auto = !strcmp(shift, "auto");
    if (o->exec.shift_auto) {
        return true;
    }
    if (!parse_u64(shift, &value) || value > MAX_SHIFT) {
        error_setg(errp, "-icount shift=%s: expected 'auto' or 0..%d", shift, MAX_SHIFT);
        return false;
    }
    o->exec.shift = (unsigned)value;
    return true;
}

static bool icount_overwrite(Options *o, KeyVal *kv, Error **errp)
{
    o->replay.overwrite = false;
    if (!keyval_get_bool(kv, "rroverwrite", &o->replay.overwrite, errp)) {
        return false;
    }
    if (keyval_has(kv, "rroverwrite") &&
        (o->replay.mode != REPLAY_MODE_RECORD || !keyval_has(kv, "rrfile"))) {
        error_setg(errp, "-icount rroverwrite=%s needs rr=record,rrfile=FILE",
                   keyval_get(kv, "rroverwrite"));
        return false;
    }
    return true;
}

static bool icount_mode(Options *o, KeyVal *kv, Error **errp)
{
    const char *rr = keyval_get(kv, "rr");
    const char *file = keyval_get(kv, "rrfile");

    if (rr && !strcmp(rr, "record")) {
        o->replay.mode = REPLAY_MODE_RECORD;
    } else if (rr && !strcmp(rr, "replay")) {
        o->replay.mode = REPLAY_MODE_PLAY;
    } else if (rr && strcmp(rr, "none")) {
        error_setg(errp, "-icount rr=%s: expected 'record' or 'replay'", rr);
        return false;
    }
    if (o->replay.mode == REPLAY_MODE_PLAY && (!file || !*file)) {
        error_setg(errp, "-icount rr=%s needs rrfile=FILE", rr);
        return false;
    }
    if (file && !*file) {
        error_setg(errp, "-icount rrfile=: expected the name of a file; rr=record without rrfile= "
                   "records in memory");
        return false;
    }
    if (file && o->replay.mode == REPLAY_MODE_NONE) {
        error_setg(errp, "-icount rrfile=%s needs rr=record or rr=replay", file);
        return false;
    }
    g_free((char *)o->replay.file);
    o->replay.file = g_strdup(file);
    return icount_overwrite(o, kv, errp);
}

static bool icount_check(Options *o, KeyVal *kv, Error **errp)
{
    static const char *const names[] = { "off", "events", "digest", NULL };
    const char *check = keyval_get(kv, "rrcheck");
    uint64_t period = CHECK_PERIOD;
    unsigned i;

    if (!keyval_get_u64(kv, "rrcheckperiod", &period, errp)) {
        return false;
    }
    for (i = 0; check && names[i] && strcmp(names[i], check); i++) {
    }
    if (!names[i]) {
        error_setg(errp, "-icount rrcheck=%s: expected 'off', 'events' or 'digest'", check);
        return false;
    }
    o->replay.check = (ReplayCheck)i;
    if (check && o->replay.mode != REPLAY_MODE_RECORD) {
        error_setg(errp, "-icount rrcheck=%s is for rr=record; a replay checks what was "
                   "recorded", check);
        return false;
    }
    if (keyval_has(kv, "rrcheckperiod")) {
        if (o->replay.check != REPLAY_CHECK_DIGEST) {
            error_setg(errp, "-icount rrcheckperiod=%" PRIu64 " needs rrcheck=digest", period);
            return false;
        }
        if (period == 0) {
            error_setg(errp, "-icount rrcheckperiod=0: expected instructions, at least 1");
            return false;
        }
    }
    o->replay.check_period = period;
    return true;
}

/* One state is a few MiB at least. */
#define MIN_TRAVEL_MEMORY (16 * MIB)

static bool set_travel_memory(Options *o, const char *option, const char *text, Error **errp)
{
    uint64_t size;

    if (!parse_size(text, MIB, &size) || size < MIN_TRAVEL_MEMORY || size > SIZE_MAX / 2) {
        error_setg(errp, "%s=%s: expected a size of at least 16M, such as 512M or 1G", option, text);
        return false;
    }
    o->exec.travel_memory = size;
    return true;
}

static bool icount_memory(Options *o, KeyVal *kv, Error **errp)
{
    const char *text = keyval_get(kv, "rrmem");

    return !text || set_travel_memory(o, "-icount rrmem", text, errp);
}

/* Seconds and fractions of them. */
static bool icount_keyframe(Options *o, KeyVal *kv, Error **errp)
{
    const char *text = keyval_get(kv, "rrkeyframe");
    char *end;
    double seconds;

    if (!text) {
        return true;
    }
    seconds = g_ascii_strtod(text, &end);
    if (!g_ascii_isdigit(*text) || *end || !(seconds >= 0.01 && seconds <= 86400)) {
        error_setg(errp, "-icount rrkeyframe=%s: expected seconds, 0.01 to 86400", text);
        return false;
    }
    o->replay.keyframes = true;
    o->exec.keyframe_ns = (int64_t)(seconds * 1e9);
    return true;
}

/* Names are as savevm takes them. */
static bool icount_snapshot(Options *o, KeyVal *kv, Error **errp)
{
    const char *name = keyval_get(kv, "rrsnapshot");

    if (name && (!*name || o->replay.mode == REPLAY_MODE_NONE)) {
        error_setg(errp, "-icount rrsnapshot=%s needs %s", name,
                   *name ? "rr=record or rr=replay" : "the name of a snapshot");
        return false;
    }
    replace(&o->rrsnapshot, name);
    return true;
}

static bool icount_image(Options *o, KeyVal *kv, Error **errp)
{
    const char *text = keyval_get(kv, "rrimage");

    if (text && strcmp(text, "full") != 0 && strcmp(text, "sampled") != 0) {
        error_setg(errp, "-icount rrimage=%s: expected 'sampled' or 'full'", text);
        return false;
    }
    if (text && o->replay.mode != REPLAY_MODE_RECORD) {
        error_setg(errp, "-icount rrimage=%s is for rr=record; a replay checks what was recorded", text);
        return false;
    }
    o->rrimage_full = text && !strcmp(text, "full");
    return true;
}

typedef struct IcountPaths {
    Options *o;
    Error *err;
} IcountPaths;

static void icount_path(const char *key, const char *value, void *opaque)
{
    IcountPaths *p = opaque;
    const char *split = value ? strchr(value, '=') : NULL;

    if (strcmp(key, "rrpath") != 0 || p->err) {
        return;
    }
    if (!split || split == value || !split[1]) {
        error_setg(&p->err, "-icount rrpath=%s: expected OLD=NEW, a file's or folder's path in the recording, and where it "
                   "is now", value ? value : "");
    } else if (p->o->replay.mode != REPLAY_MODE_PLAY) {
        error_setg(&p->err, "-icount rrpath=%s needs rr=replay", value);
    } else {
        g_ptr_array_add(p->o->rrpaths, g_strdup(value));
    }
}

static bool icount_paths(Options *o, KeyVal *kv, Error **errp)
{
    IcountPaths p = { .o = o };

    keyval_get(kv, "rrpath");    /* it is known */
    keyval_foreach(kv, icount_path, &p);
    if (p.err) {
        error_propagate(errp, p.err);
        return false;
    }
    return true;
}

bool opt_loadvm(Options *o, const char *arg, Error **errp)
{
    replace(&o->loadvm, arg);
    return true;
}

bool opt_incoming(Options *o, const char *arg, Error **errp)
{
    replace(&o->incoming, arg);
    return true;
}

bool opt_snapshot_file(Options *o, const char *arg, Error **errp)
{
    replace(&o->snapshot_file, arg);
    return true;
}

bool opt_rewind(Options *o, const char *arg, Error **errp)
{
    o->rewind = true;
    return !arg || set_travel_memory(o, "-rewind", arg, errp);
}

static bool icount_options(Options *o, KeyVal *kv, Error **errp)
{
    bool align = false;

    if (!icount_shift(o, kv, errp) || !icount_mode(o, kv, errp) || !icount_check(o, kv, errp) ||
        !icount_memory(o, kv, errp) || !icount_keyframe(o, kv, errp) ||
        !icount_snapshot(o, kv, errp) || !icount_image(o, kv, errp) || !icount_paths(o, kv, errp) ||
        !keyval_get_bool(kv, "sleep", &o->exec.sleep, errp) ||
        !keyval_get_bool(kv, "align", &align, errp) ||
        !keyval_check_unused(kv, "-icount", errp)) {
        return false;
    }
    o->sleep_given |= keyval_has(kv, "sleep");
    if (align) {
        error_setg(errp, "-icount align=on is not supported; only align=off is");
        return false;
    }
    if (o->exec.shift_auto && !o->exec.sleep && o->replay.mode != REPLAY_MODE_PLAY) {
        error_setg(errp, "-icount shift=auto and sleep=off are incompatible: give shift=0..%d",
                   MAX_SHIFT);
        return false;
    }
    return true;
}

bool opt_icount(Options *o, const char *arg, Error **errp)
{
    KeyVal *kv = keyval_parse(arg, "shift", errp);
    bool ok = kv && icount_options(o, kv, errp);

    keyval_free(kv);
    return ok;
}

/* ---- debugging ---- */

bool opt_gdb(Options *o, const char *arg, Error **errp)
{
    replace(&o->gdb, arg);
    return true;
}

bool opt_gdb_default(Options *o, const char *arg, Error **errp)
{
    replace(&o->gdb, "tcp::1234");
    return true;
}

bool opt_start_paused(Options *o, const char *arg, Error **errp)
{
    o->exec.start_paused = true;
    return true;
}

bool opt_log_items(Options *o, const char *arg, Error **errp)
{
    if (is_help(arg)) {
        o->action = ACTION_LOG_HELP;
        return true;
    }
    replace(&o->log_items, arg);
    return true;
}

/* Taken apart when the log is open. */
bool opt_trace(Options *o, const char *arg, Error **errp)
{
    if (is_help(arg)) {
        o->action = ACTION_TRACE_HELP;
        return true;
    }
    g_ptr_array_add(o->traces, g_strdup(arg));
    return true;
}

bool opt_log_file(Options *o, const char *arg, Error **errp)
{
    replace(&o->log_file, arg);
    return true;
}

bool opt_log_filter(Options *o, const char *arg, Error **errp)
{
    replace(&o->log_filter, arg);
    return true;
}

/* ---- what is only told ---- */

bool opt_version(Options *o, const char *arg, Error **errp)
{
    o->action = ACTION_VERSION;
    return true;
}

bool opt_help(Options *o, const char *arg, Error **errp)
{
    o->action = ACTION_HELP;
    return true;
}
