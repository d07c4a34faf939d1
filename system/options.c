/*
 * The command line: finding options in the table, and -help.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/options-handlers.h"
#include "util/host-memory.h"

static const OptionRow option_rows[] = {
#define OPTION_GROUP(title) { .group = title },
#define OPTION(name_, alias_, argument_, handler_, help_)                        \
    { .name = name_, .alias = alias_, .argument = argument_,                     \
      .handler = opt_##handler_, .help = help_ },
#include "system/options.def"
#undef OPTION
#undef OPTION_GROUP
};

const MonitorCommandLine options_command_line[] = {
#define OPTION_GROUP(title)
#define OPTION(name_, alias_, argument_, handler_, help_) { name_, argument_, help_ },
#include "system/options.def"
#undef OPTION
#undef OPTION_GROUP
    { NULL }
};

const OptionRow *option_find(const char *name, const char *arg, Error **errp)
{
    const char *names[2 * ARRAY_SIZE(option_rows) + 1] = { NULL };
    unsigned n = 0;
    const char *near;

    for (unsigned i = 0; i < ARRAY_SIZE(option_rows); i++) {
        const OptionRow *row = &option_rows[i];

        if (!row->name) {
            continue;
        }
        if (!strcmp(row->name, name) || (row->alias && !strcmp(row->alias, name))) {
            return row;
        }
        names[n++] = row->name;
        if (row->alias) {
            names[n++] = row->alias;
        }
    }
    if (option_missing(name, arg)) {
        error_setg(errp, "-%s: %s", name, option_missing(name, arg));
        return NULL;
    }
    near = suggest_nearest(name, names);
    if (near) {
        error_setg(errp, "-%s: no such option; did you mean -%s?", name, near);
    } else {
        error_setg(errp, "-%s: no such option; -help lists them", name);
    }
    return NULL;
}

static bool may_be_attached(const OptionRow *row)
{
    return row && row->argument && g_str_has_prefix(row->argument, "[=");
}

/* "rewind=1G": the row, and *arg points behind the '='. */
static const OptionRow *option_find_attached(const char *name, const char **arg)
{
    size_t length = strcspn(name, "=");
    g_autofree char *bare = g_strndup(name, length);
    const OptionRow *row = name[length] ? option_find(bare, NULL, NULL) : NULL;

    *arg = may_be_attached(row) ? name + length + 1 : NULL;
    return *arg ? row : NULL;
}

static bool options_walk(Options *o, int argc, char **argv, Error **errp)
{
    for (int i = 1; i < argc; i++) {
        const char *arg = NULL, *name = argv[i];
        const OptionRow *row;

        if (name[0] != '-' || !name[1]) {
            error_setg(errp, "'%s' is not an option, and disks, which it may name, are not there "
                       "yet", name);
            return false;
        }
        name += name[1] == '-' && name[2] ? 2 : 1;
        row = option_find_attached(name, &arg);
        row = row ? row : option_find(name, argv[i + 1], errp);
        if (!row) {
            return false;
        }
        if (row->argument && !may_be_attached(row)) {
            if (++i == argc) {
                error_setg(errp, "-%s needs an argument: %s", name, row->argument);
                return false;
            }
            arg = argv[i];
        }
        if (!row->handler(o, arg, errp)) {
            return false;
        }
        options_config_note(o, row, arg);
        if (o->action != ACTION_RUN) {
            return true;   /* help for one thing: the rest does not matter */
        }
    }
    return true;
}

/* What is used at most unless it is asked for: more gains little. */
#define MAX_TRAVEL_MEMORY (2ull << 30)

static bool options_check_travel(Options *o, Error **errp)
{
    bool asked = o->rewind || o->exec.travel_memory, travels;

    if (o->rewind && o->replay.mode == REPLAY_MODE_PLAY) {
        error_setg(errp, "-rewind is for a live session, and -icount rr=replay is none: leave -rewind "
                   "out, a replay can be travelled in anyway");
        return false;
    }
    if (o->rewind) {
        o->exec.shift_auto |= !o->exec.icount;
        o->exec.icount = true;
        o->replay.mode = REPLAY_MODE_RECORD;
    }
    if (o->exec.travel_memory && o->replay.mode == REPLAY_MODE_NONE) {
        error_setg(errp, "-icount rrmem=%" PRIu64 "M needs rr=record or rr=replay",
                   o->exec.travel_memory >> 20);
        return false;
    }
    if (o->replay.keyframes && o->replay.mode == REPLAY_MODE_NONE) {
        error_setg(errp, "-icount rrkeyframe= needs rr=record or rr=replay");
        return false;
    }
    /* Who records to a file mostly wants just that. */
    o->exec.snapshot_always = o->replay.mode == REPLAY_MODE_RECORD && (asked || !o->replay.file);
    travels = o->replay.mode == REPLAY_MODE_PLAY || o->exec.snapshot_always;
    if (!travels) {
        o->exec.travel_memory = 0;
    } else if (!o->exec.travel_memory) {
        o->exec.travel_memory = MIN(host_memory_bytes() / 4, MAX_TRAVEL_MEMORY);
    }
    return true;
}

/* What makes sense only when all options are known. */
static bool check_incoming(const Options *o, Error **errp)
{
    if (o->incoming && (o->rewind || o->replay.mode != REPLAY_MODE_NONE)) {
        error_setg(errp, "-incoming %s: a recording begins at power-on, and so does its replay; leave out "
                   "%s, or go to a place of a replay with -loadvm", o->incoming,
                   o->rewind ? "-rewind" : "rr=");
        return false;
    }
    if (o->incoming && o->loadvm) {
        error_setg(errp, "-loadvm %s and -incoming %s: the machine can begin in one state only",
                   o->loadvm, o->incoming);
        return false;
    }
    return true;
}

/* The board knows the drives of its flash as -machine pflash0=ID,pflash1=ID. */
static void add_flash(Options *o)
{
    for (unsigned i = 0; i < ARRAY_SIZE(o->flash); i++) {
        if (o->flash[i]) {
            g_autoptr(GString) text = g_string_new(o->machine ? o->machine : "type=virt");
            g_autofree char *key = g_strdup_printf("pflash%u", i);

            keyval_append(text, key, o->flash[i]);
            g_free(o->machine);
            o->machine = g_string_free(g_steal_pointer(&text), FALSE);
        }
    }
}

static bool options_check(Options *o, Error **errp)
{
    options_join_net(o);
    if (o->machine_required && !o->machine && o->replay.mode != REPLAY_MODE_PLAY) {
        error_setg(errp, "no machine specified, and there is no default; "
                   "use -machine help to list supported machines");
        return false;
    }
    add_flash(o);
    if (o->accel_missing) {
        error_setg(errp, "-accel %s is not supported; only tcg is", o->accel_missing);
        return false;
    }
    if (o->mem_path && o->memory_backend) {
        error_setg(errp, "-mem-path %s and -machine memory-backend=%s: both say where memory comes "
                   "from", o->mem_path, o->memory_backend);
        return false;
    }
    if (o->log_filter && !o->log_items) {
        error_setg(errp, "-dfilter %s filters nothing without -d", o->log_filter);
        return false;
    }
    if (o->loadvm && o->rrsnapshot) {
        error_setg(errp, "-loadvm %s and rrsnapshot=%s: the machine can begin in one state only",
                   o->loadvm, o->rrsnapshot);
        return false;
    }
    return check_incoming(o, errp) && options_check_travel(o, errp);
}

static char *join_command_line(int argc, char **argv)
{
    GString *line = g_string_new("");

    for (int i = 0; i < argc; i++) {
        bool plain = *argv[i] && !argv[i][strcspn(argv[i], " \t\n'\"\\$&|;<>()*?[]`~#")];
        g_autofree char *quoted = plain ? NULL : g_shell_quote(argv[i]);

        g_string_append_printf(line, "%s%s", i ? " " : "", plain ? argv[i] : quoted);
    }
    return g_string_free(line, FALSE);
}

static void monitor_option_free(void *opaque)
{
    MonitorOption *m = opaque;

    g_free(m->device);
    g_free(m);
}

Options *options_parse(int argc, char **argv, Error **errp)
{
    Options *o = g_new0(Options, 1);
    g_autofree char *program = g_path_get_basename(argc ? argv[0] : "rearm");

    o->command_line = join_command_line(argc, argv);
    o->machine_required = g_str_has_prefix(program, "qemu-system-");
    o->devices = g_ptr_array_new_with_free_func(g_free);
    o->netdevs = g_ptr_array_new_with_free_func(g_free);
    o->drives = g_ptr_array_new_with_free_func(g_free);
    o->rrpaths = g_ptr_array_new_with_free_func(g_free);
    o->globals = g_ptr_array_new_with_free_func(g_free);
    o->traces = g_ptr_array_new_with_free_func(g_free);
    o->objects = g_ptr_array_new_with_free_func(g_free);
    o->smbios = g_ptr_array_new_with_free_func(g_free);
    o->fw_cfg = g_ptr_array_new_with_free_func(g_free);
    o->config = g_array_new(FALSE, FALSE, sizeof(ConfigEntry));
    o->firmware_dirs = g_ptr_array_new_with_free_func(g_free);
    o->chardevs = g_ptr_array_new_with_free_func(g_free);
    o->serials = g_ptr_array_new_with_free_func(g_free);
    o->monitors = g_ptr_array_new_with_free_func(monitor_option_free);
    o->exec.sleep = true;
    o->escape = -1;
    if (!options_walk(o, argc, argv, errp) ||
        (o->action == ACTION_RUN && !options_check(o, errp))) {
        options_free(o);
        return NULL;
    }
    return o;
}

void options_free(Options *o)
{
    if (!o) {
        return;
    }
    g_ptr_array_unref(o->devices);
    g_ptr_array_unref(o->netdevs);
    g_free(o->net_card);
    g_free(o->net_kind);
    g_ptr_array_unref(o->drives);
    g_ptr_array_unref(o->rrpaths);
    g_ptr_array_unref(o->globals);
    g_ptr_array_unref(o->objects);
    g_ptr_array_unref(o->smbios);
    g_ptr_array_unref(o->fw_cfg);
    g_ptr_array_unref(o->firmware_dirs);
    options_config_clear(o);
    g_ptr_array_unref(o->chardevs);
    g_ptr_array_unref(o->serials);
    g_ptr_array_unref(o->monitors);
    g_free(o->help_topic);
    g_free(o->command_line);
    g_free(o->machine);
    for (unsigned i = 0; i < ARRAY_SIZE(o->flash); i++) {
        g_free(o->flash[i]);
    }
    g_free(o->cpu);
    g_free(o->memory_backend);
    g_free(o->accel_missing);
    g_free(o->mem_path);
    g_free(o->numa.memdev);
    g_free(o->uuid);
    g_free(o->kernel);
    g_free(o->initrd);
    g_free(o->append);
    g_free(o->dtb);
    g_free(o->bios);
    g_free((char *)o->replay.file);
    g_free(o->loadvm);
    g_free(o->incoming);
    g_free(o->rrsnapshot);
    g_free(o->snapshot_file);
    g_free(o->gdb);
    g_free(o->name);
    g_free(o->process_name);
    g_free(o->pidfile);
    g_free(o->chroot);
    g_free(o->runas);
    g_free(o->writeconfig);
    g_free(o->log_items);
    g_ptr_array_unref(o->traces);
    g_free(o->log_file);
    g_free(o->log_filter);
    g_free(o);
}

/* The text with its further lines under the first. */
static void print_indented(FILE *out, const char *text, int indent)
{
    const char *end;

    for (; (end = strchr(text, '\n')); text = end + 1) {
        fprintf(out, "%.*s\n%*s", (int)(end - text), text, indent, "");
    }
    fprintf(out, "%s\n", text);
}

void options_print_help(FILE *out)
{
    enum { INDENT = 34 };

    fprintf(out, "usage: rearm [options]\n"
                 "A full-system Arm emulator that records a run and replays it exactly.\n");
    for (unsigned i = 0; i < ARRAY_SIZE(option_rows); i++) {
        const OptionRow *row = &option_rows[i];
        int width;

        if (row->group) {
            fprintf(out, "\n%s:\n", row->group);
            continue;
        }
        width = fprintf(out, "  -%s%s%s%s%s", row->name, row->alias ? ", -" : "",
                        row->alias ? row->alias : "",
                        row->argument && !may_be_attached(row) ? " " : "",
                        row->argument ? row->argument : "");
        if (width >= INDENT) {
            fprintf(out, "\n");
            width = 0;
        }
        fprintf(out, "%*s", INDENT - width, "");
        print_indented(out, row->help, INDENT);
    }
}
