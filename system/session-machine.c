/*
 * The machine of a session, and its description in the log. When a recording is
 * replayed, each option that was left out gets the value the recording was made with.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <unistd.h>
#include "config-host.h"
#include "hw/core/hotplug.h"
#include "system/options-handlers.h"
#include "system/session.h"
#include "system/session-paths.h"

static char *keep(Session *s, char *text)
{
    g_ptr_array_add(s->strings, text);
    return text;
}

static void describe(void *opaque, const char *name, const char *value)
{
    Session *s = opaque;

    replay_describe(s->replay, name, value);
}

static void describe_u64(Session *s, const char *name, uint64_t value)
{
    g_autofree char *text = g_strdup_printf("%" PRIu64, value);

    replay_describe(s->replay, name, text);
}

/* ---- options left out ---- */

static void recall(Session *s, const char *name, char **option)
{
    const char *value = *option ? NULL : replay_described(s->replay, name);

    if (value) {
        *option = g_strdup(value);
    }
}

static void recall_more(Session *s, const char *prefix, GPtrArray *list)
{
    const char *value;

    for (unsigned i = 0; ; i++) {
        g_autofree char *name = g_strdup_printf("%s.%u", prefix, i);

        value = replay_described(s->replay, name);
        if (!value) {
            return;
        }
        g_ptr_array_add(list, g_strdup(value));
    }
}

static void recall_list(Session *s, const char *prefix, GPtrArray *list)
{
    if (!list->len) {
        recall_more(s, prefix, list);
    }
}

/* What is on ports comes behind the ports. */
static void recall_devices(Session *s)
{
    GPtrArray *devices = s->options->devices;
    bool none = !devices->len;

    recall_list(s, "device", devices);
    if (none) {
        recall_more(s, REPLAY_STATE_PREFIX "device", devices);
    }
}

static uint64_t recall_u64(Session *s, const char *name, uint64_t fallback)
{
    const char *value = replay_described(s->replay, name);
    uint64_t number;

    return value && parse_u64(value, &number) ? number : fallback;
}

static void recall_flag(Session *s, const char *name, bool *flag)
{
    const char *value = replay_described(s->replay, name);

    *flag |= value && !strcmp(value, "on");
}

/*
 * What a shutdown did is the recording's; that the end of the replay is a stop is for whoever
 * types the option now.
 */
static void recall_no_shutdown(Session *s)
{
    ExecConfig *exec = &s->options->exec;

    if (replay_described(s->replay, "no-shutdown")) {
        bool recorded = false;

        exec->stop_at_end = exec->actions.shutdown == EXEC_SHUTDOWN_PAUSE;
        recall_flag(s, "no-shutdown", &recorded);
        exec->actions.shutdown = recorded ? EXEC_SHUTDOWN_PAUSE : EXEC_SHUTDOWN_POWEROFF;
    }
}

static void recall_actions(Session *s)
{
    Options *o = s->options;
    bool no_reboot = o->exec.actions.reboot == EXEC_REBOOT_SHUTDOWN;
    const struct {
        const char *event;
        bool given;
    } events[] = { { "panic", o->panic_given }, { "watchdog", o->watchdog_given } };

    recall_flag(s, "no-reboot", &no_reboot);
    o->exec.actions.reboot = no_reboot ? EXEC_REBOOT_SHUTDOWN : EXEC_REBOOT_RESET;
    recall_no_shutdown(s);
    for (unsigned i = 0; i < ARRAY_SIZE(events); i++) {
        g_autofree char *name = g_strdup_printf("action.%s", events[i].event);
        const char *value = events[i].given ? NULL : replay_described(s->replay, name);

        if (value) {
            g_autofree char *text = g_strdup_printf("%s=%s", events[i].event, value);

            opt_action(o, text, NULL);
        }
    }
}

/* The names of the first two are older than -action. */
static void describe_actions(Session *s)
{
    static const ExecActions initial;
    const ExecActions *actions = &s->options->exec.actions;

    replay_describe(s->replay, "no-reboot",
                    actions->reboot == EXEC_REBOOT_SHUTDOWN ? "on" : "off");
    replay_describe(s->replay, "no-shutdown",
                    actions->shutdown == EXEC_SHUTDOWN_PAUSE ? "on" : "off");
    if (actions->panic != initial.panic) {
        replay_describe(s->replay, "action.panic", options_action_text(actions, "panic"));
    }
    if (actions->watchdog != initial.watchdog) {
        replay_describe(s->replay, "action.watchdog", options_action_text(actions, "watchdog"));
    }
}

static void recall_icount(Session *s)
{
    Options *o = s->options;
    const char *shift = replay_described(s->replay, "icount.shift");
    const char *sleep = replay_described(s->replay, "icount.sleep");

    if (!o->shift_given && shift) {
        o->exec.shift_auto = !strcmp(shift, "auto");
        o->exec.shift =
            o->exec.shift_auto ? 0 : (unsigned)MIN(recall_u64(s, "icount.shift", 0), 10);
    }
    if (!o->sleep_given && sleep) {
        o->exec.sleep = strcmp(sleep, "off") != 0;
    }
}

/* What is no -smp argument is not there: the comparison that follows tells of it. */
static void recall_smp(Session *s)
{
    const char *value = replay_described(s->replay, "smp");

    if (!s->options->smp.cpus && value) {
        options_parse_smp(value, &s->options->smp, NULL);
    }
}

static void recall_rtc(Session *s)
{
    const char *value = replay_described(s->replay, "rtc");
    RtcOptions *rtc = &s->options->rtc;

    if (value && rtc->base == RTC_BASE_UTC && rtc->clock == RTC_CLOCK_HOST) {
        opt_rtc(s->options, value, NULL);
    }
}

static bool recall_files(Session *s, Error **errp)
{
    Options *o = s->options;
    SessionPaths *paths = session_paths_new(s->replay, o->rrpaths);

    session_paths_recall(paths, "info.kernel", &o->kernel);
    session_paths_recall(paths, "info.initrd", &o->initrd);
    session_paths_recall(paths, "info.dtb", &o->dtb);
    session_paths_recall(paths, "info.bios", &o->bios);
    session_paths_recall_drives(paths, o->drives);
    return session_paths_end(paths, errp);
}

static bool recall_options(Session *s, Error **errp)
{
    Options *o = s->options;

    recall(s, "machine", &o->machine);
    recall(s, "cpu", &o->cpu);
    recall(s, "append", &o->append);
    recall_list(s, "info.netdev", o->netdevs);
    recall_devices(s);
    recall_list(s, "global", o->globals);
    if (!o->ram_size) {
        o->ram_size = recall_u64(s, "ram", 0);
    }
    recall_smp(s);
    recall_rtc(s);
    recall(s, "uuid", &o->uuid);
    recall_list(s, "info.fw_cfg", o->fw_cfg);
    recall_list(s, "info.smbios", o->smbios);
    recall_flag(s, "boot-menu", &o->boot_menu);
    recall_flag(s, "numa", &o->numa.node);
    recall_actions(s);
    recall_icount(s);
    recall_flag(s, "info.rrimage-full", &o->rrimage_full);
    return recall_files(s, errp);
}

/* ---- the description ---- */

static void describe_path(Session *s, const char *name, const char *path)
{
    g_autofree char *full = path ? g_canonicalize_filename(path, NULL) : NULL;

    if (full) {
        replay_describe(s->replay, name, full);
    }
}

static void describe_list(Session *s, const char *prefix, const GPtrArray *list)
{
    for (unsigned i = 0; i < list->len; i++) {
        g_autofree char *name = g_strdup_printf("%s.%u", prefix, i);

        replay_describe(s->replay, name, g_ptr_array_index(list, i));
    }
}

static void describe_options(Session *s)
{
    Options *o = s->options;

    replay_describe(s->replay, "info.command-line", o->command_line);
    describe_path(s, "info.kernel", o->kernel);
    describe_path(s, "info.initrd", o->initrd);
    describe_path(s, "info.dtb", o->dtb);
    describe_path(s, "info.bios", s->config.bios);
    replay_describe(s->replay, "machine", o->machine);
    if (s->config.cpu_model) {
        replay_describe(s->replay, "cpu", s->config.cpu_model);
    }
    describe_u64(s, "ram", s->config.ram_size);
    replay_describe(s->replay, "smp", keep(s, options_format_smp(&s->config.topology)));
    if (o->append) {
        replay_describe(s->replay, "append", o->append);
    }
    describe_list(s, "info.drive", o->drives);
    describe_list(s, "info.netdev", o->netdevs);
    if (o->rrimage_full) {
        replay_describe(s->replay, "info.rrimage-full", "on");
    }
    describe_list(s, "global", o->globals);
    describe_list(s, "info.fw_cfg", o->fw_cfg);
    describe_list(s, "info.smbios", o->smbios);
    /* Those that came later than the format are there when they say something. */
    if (o->boot_menu) {
        replay_describe(s->replay, "boot-menu", "on");
    }
    if (o->numa.node) {
        replay_describe(s->replay, "numa", "on");
    }
    describe_actions(s);
    if (o->exec.shift_auto) {
        replay_describe(s->replay, "icount.shift", "auto");
    } else {
        describe_u64(s, "icount.shift", o->exec.shift);
    }
    replay_describe(s->replay, "icount.sleep", o->exec.sleep ? "on" : "off");
}

/*
 * Once the board is made: those that may go again are apart, since a state says itself which of them it has
 * (hw/core/hotplug.h), and can be loaded by a machine that began with others.
 */
static void describe_devices(Session *s)
{
    g_autoptr(GPtrArray) lasting = g_ptr_array_new(), plugged = g_ptr_array_new();
    const GPtrArray *devices = s->options->devices;

    for (unsigned i = 0; i < devices->len; i++) {
        char *text = g_ptr_array_index(devices, i);

        g_ptr_array_add(hotplug_is_for(s->machine, text) ? plugged : lasting, text);
    }
    describe_list(s, "device", lasting);
    describe_list(s, REPLAY_STATE_PREFIX "device", plugged);
}

/* ---- the board ---- */

/*
 * Folders for firmware: -L's, share/rearm beside the program's own folder, so that an installed tree
 * can be moved, and where it was to be installed.
 */
static GPtrArray *firmware_dirs(const Options *o)
{
    GPtrArray *dirs = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *bin = self ? g_path_get_dirname(self) : NULL;
    g_autofree char *prefix = bin ? g_path_get_dirname(bin) : NULL;

    for (unsigned i = 0; i < o->firmware_dirs->len; i++) {
        g_ptr_array_add(dirs, g_strdup(g_ptr_array_index(o->firmware_dirs, i)));
    }
    if (prefix) {
        g_ptr_array_add(dirs, g_build_filename(prefix, "share", "rearm", NULL));
    }
    if (!prefix || strcmp(REARM_DATADIR, g_ptr_array_index(dirs, dirs->len - 1))) {
        g_ptr_array_add(dirs, g_strdup(REARM_DATADIR));
    }
    return dirs;
}

void session_print_firmware_dirs(const Options *o, FILE *out)
{
    g_autoptr(GPtrArray) dirs = firmware_dirs(o);

    for (unsigned i = 0; i < dirs->len; i++) {
        fprintf(out, "%s\n", (const char *)g_ptr_array_index(dirs, i));
    }
}

/* -bios NAME: as a path, or in one of the folders. */
static const char *find_bios(Session *s)
{
    const char *name = s->options->bios;
    g_autoptr(GPtrArray) dirs = firmware_dirs(s->options);

    if (!name || g_path_is_absolute(name) || g_file_test(name, G_FILE_TEST_EXISTS)) {
        return name;
    }
    for (unsigned i = 0; i < dirs->len; i++) {
        char *path = keep(s, g_build_filename(g_ptr_array_index(dirs, i), name, NULL));

        if (g_file_test(path, G_FILE_TEST_EXISTS)) {
            return path;
        }
    }
    return name;
}

static bool choose_board(Session *s, Error **errp)
{
    Options *o = s->options;
    const char *name;

    if (!o->machine) {
        o->machine = g_strdup("type=virt");
    }
    s->machine_options = keyval_parse(o->machine, "type", errp);
    if (!s->machine_options) {
        return false;
    }
    name = keyval_get(s->machine_options, "type");
    s->board = board_find(name ? name : "virt", errp);
    return s->board != NULL;
}

static bool fill_config(Session *s, Error **errp)
{
    Options *o = s->options;
    BoardConfig *c = &s->config;

    c->cpu_model = o->cpu ? o->cpu : s->board->default_cpu;
    c->machine_options = s->machine_options;
    if (!session_choose_memory(s, errp)) {
        return false;
    }
    if (!o->smp.cpus) {
        options_parse_smp("1", &o->smp, NULL);
    }
    c->topology = o->smp;
    c->num_cpus = c->cpu_model ? o->smp.cpus : 0;
    c->kernel = o->kernel;
    c->initrd = o->initrd;
    c->append = o->append;
    c->dtb = o->dtb;
    c->bios = find_bios(s);
    c->dumpdtb = keyval_get(s->machine_options, "dumpdtb");
    c->devices = o->devices;
    c->globals = o->globals;
    c->fw_cfg = o->fw_cfg;
    c->smbios = o->smbios;
    c->boot_menu = o->boot_menu;
    c->numa = o->numa.node;
    if (o->smp.max_cpus > s->board->max_cpus) {
        error_setg(errp, "-smp %s%u: machine '%s' has at most %u CPU%s",
                   o->smp.max_cpus == o->smp.cpus ? "" : "maxcpus=", o->smp.max_cpus,
                   s->board->name, s->board->max_cpus, s->board->max_cpus == 1 ? "" : "s");
        return false;
    }
    if (!c->kernel && (c->initrd || c->append)) {
        error_setg(errp, "-%s is only used with -kernel", c->initrd ? "initrd" : "append");
        return false;
    }
    return session_check_numa(s, errp);
}

static bool make_replay(Session *s, Error **errp)
{
    const ReplayConfig *config = &s->options->replay;

    s->replay = replay_new(config, errp);
    /* A file that can be read, and is no recording; one that cannot is bad usage. */
    s->refused = !s->replay && config->mode == REPLAY_MODE_PLAY && access(config->file, R_OK) == 0;
    return s->replay != NULL;
}

bool session_make_machine(Session *s, Error **errp)
{
    if (!make_replay(s, errp)) {
        return false;
    }
    if (!recall_options(s, errp)) {
        return false;
    }
    s->machine = machine_new(s->replay);
    s->machine->device_types = device_types;
    s->machine->describe = describe;
    s->machine->describe_opaque = s;
    if (!choose_board(s, errp) || !session_add_objects(s, errp) || !fill_config(s, errp) ||
        !session_open_drives(s, errp) || !session_make_net(s, errp)) {
        return false;
    }
    describe_options(s);
    session_set_rtc(s);
    session_set_uuid(s);
    if (!board_create(s->board, s->machine, &s->config, errp) || !session_add_filters(s, errp)) {
        return false;
    }
    describe_devices(s);
    return true;
}
