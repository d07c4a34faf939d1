/*
 * One run: set up, main loop, end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>
#include "chardev/char-port.h"
#include "config-host.h"
#include "hw/arm/loader.h"
#include "hw/block/drive.h"
#include "hw/block/pflash_cfi01.h"
#include "net/net.h"
#include "system/session.h"
#include "target/arm/cpu.h"
#include "target/arm/gdb.h"
#include "util/host-clock.h"
#include "util/log.h"
#include "util/trace.h"

/* ---- ways to end ---- */

static void session_quit(void *opaque)
{
    Session *s = opaque;

    if (s->loop) {
        exec_loop_request(s->loop, SHUTDOWN_CAUSE_HOST_QUIT);
    }
    g_atomic_int_set(&s->quit, 1);
    chardev_set_cancel_wait(s->chardevs);
}

/*
 * A second signal within this time is the first one's echo: timeout(1) sends its
 * signal to the process and then to the group. A recording must not lose its end by it.
 */
#define SIGNAL_AGAIN_NS 1000000000

static gboolean session_signal(gpointer opaque)
{
    Session *s = opaque;
    int64_t now = host_monotonic_ns();

    if (s->signal_ns && now - s->signal_ns > SIGNAL_AGAIN_NS) {
        /* The user asked twice, so the machine is not waited for. exit() restores the terminal. */
        exit(EXIT_FAILURE);
    }
    if (!s->signal_ns) {
        s->signal_ns = now;
        if (s->monitor_env.events) {
            monitor_events_signal(s->monitor_env.events);
        }
        session_quit(s);
    }
    return G_SOURCE_CONTINUE;
}

static void session_catch_signals(Session *s)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

    for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
        s->signals[i] = g_unix_signal_source_new(numbers[i]);
        g_source_set_callback(s->signals[i], session_signal, s, NULL);
        g_source_attach(s->signals[i], NULL);
    }
}

static void session_ended(void *opaque)
{
    Session *s = opaque;

    g_atomic_int_set(&s->ended, 1);
    g_main_context_wakeup(NULL);
}

/* ---- monitors and gdb ---- */

static bool session_gdb_monitor(void *opaque, const char *line, GString *out,
                                void (*answer)(void *opaque, const char *text),
                                void *answer_opaque)
{
    const MonitorLater later = { answer, answer_opaque };
    Session *s = opaque;

    return monitor_run(&s->monitor_env, line, out, &later);
}

static void session_start_gdb(Session *s, Chardev *chr)
{
    GdbEnv env = {
        .loop = s->loop,
        .target = &aarch64_gdb_target,
        .monitor = session_gdb_monitor,
        .opaque = s,
    };

    s->gdb = gdbstub_new(&env, NULL, chr);
}

static bool session_gdbserver(void *opaque, const char *device, Error **errp)
{
    Session *s = opaque;

    if (s->gdb) {
        error_setg(errp, "gdb is already served on %s", chardev_label(s->gdb_chr));
        return false;
    }
    g_free(s->options->gdb);
    s->options->gdb = g_strdup(device);
    if (!session_open_gdb(s, errp)) {
        return false;
    }
    if (s->gdb_chr) {
        session_start_gdb(s, s->gdb_chr);
    }
    return true;
}

static void session_incoming_failed(void *opaque, Error *err)
{
    Session *s = opaque;

    s->incoming_error = err;
    session_quit(s);
}

static void session_fill_env(Session *s)
{
    s->monitor_env = (MonitorEnv){
        .loop = s->loop,
        .events = s->monitor_env.events,
        .board = s->board,
        .board_config = &s->config,
        .boards = board_types,
        .cpu_models = arm_cpu_model_names(),
        .command_line = options_command_line,
        .chardevs = s->chardevs,
        .name = s->options->name,
        .uuid = s->options->uuid,
        .version = REARM_VERSION,
        .snapshot_file = s->options->snapshot_file,
        .no_spawn = s->options->sandbox.enable && s->options->sandbox.deny_spawn,
        .gdbserver = session_gdbserver,
        .incoming_failed = session_incoming_failed,
        .opaque = s,
    };
}

static void session_start_monitors(Session *s)
{
    for (unsigned i = 0; i < s->monitor_chrs->len; i++) {
        const SessionMonitor *m = &g_array_index(s->monitor_chrs, SessionMonitor, i);

        g_ptr_array_add(s->monitors, monitor_new(&s->monitor_env, m->chr, m->mode));
    }
    if (s->gdb_chr) {
        session_start_gdb(s, s->gdb_chr);
    }
}

/* ---- set up ---- */

static bool trace_options(KeyVal *kv, Error **errp)
{
    const char *file = keyval_get(kv, "file");
    const char *events = keyval_get(kv, "events");
    const char *pattern = keyval_get(kv, "enable");

    if (!keyval_check_unused(kv, "-trace", errp)) {
        return false;
    }
    return (!file || trace_set_file(file, errp)) &&
           (!events || trace_set_patterns_of(events, errp)) &&
           (!pattern || trace_set_pattern(pattern, errp));
}

static bool session_trace(const char *text, Error **errp)
{
    KeyVal *kv = keyval_parse(text, "enable", errp);
    bool ok = kv && trace_options(kv, errp);

    keyval_free(kv);
    return ok;
}

static bool session_open_log(const Options *o, Error **errp)
{
    if (o->log_file && !log_set_file(o->log_file, errp)) {
        return false;
    }
    if (o->log_filter && !log_set_filter(o->log_filter, errp)) {
        error_prepend(errp, "-dfilter: ");
        return false;
    }
    if (o->log_items && !log_set_items(o->log_items, errp)) {
        error_prepend(errp, "-d: ");
        return false;
    }
    for (unsigned i = 0; i < o->traces->len; i++) {
        if (!session_trace(g_ptr_array_index(o->traces, i), errp)) {
            error_prepend(errp, "-trace: ");
            return false;
        }
    }
    return true;
}

static bool session_make_engine(Session *s, Error **errp)
{
    ExecConfig exec;

    s->tcg = tcg_new(s->machine, &s->options->tcg, errp);
    if (!s->tcg) {
        return false;
    }
    for (unsigned i = 0; i < s->machine->num_cpus; i++) {
        tcg_add_vcpu(s->tcg, s->machine->cpus[i]);
    }
    exec = s->options->exec;
    /* Until the machine is in that state. */
    exec.start_paused |= s->options->loadvm || s->options->rrsnapshot || s->options->incoming;
    s->loop = exec_loop_new(s->machine, s->tcg, &exec);
    s->monitor_env.events = monitor_events_new(s->loop);
    return true;
}

/* Then what a CPU runs is the user's business. */
static bool has_loader(const Machine *m)
{
    for (unsigned i = 0; i < m->drives->len; i++) {
        const Device *user = ((const Drive *)g_ptr_array_index(m->drives, i))->user;

        if (user && user->type == &pflash_cfi01_type) {
            return true;
        }
    }
    for (unsigned i = 0; i < m->devices->len; i++) {
        if (((const Device *)g_ptr_array_index(m->devices, i))->type == &loader_type) {
            return true;
        }
    }
    return false;
}

static bool session_set_up(Session *s, Error **errp)
{
    /* The write that fails reports a peer that is gone or a file at its limit as well. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (!session_open_log(s->options, errp) || !session_open_chardevs(s, errp) ||
        !session_make_machine(s, errp)) {
        return false;
    }
    if (s->config.dumpdtb) {
        return true;
    }
    if (!session_make_engine(s, errp) || !session_check_serial(s, errp) ||
        !session_claim_chardevs(s, errp) ||
        !session_check_gdb(s, errp)) {
        return false;
    }
    /* Who reads the file may send one. */
    session_catch_signals(s);
    if (!session_write_pidfile(s, errp)) {
        return false;
    }
    if (!chardev_set_wait_connected(s->chardevs)) {
        error_setg(errp, "interrupted while waiting for a connection");
        return false;
    }
    if (!replay_start(s->replay, errp)) {
        s->refused = s->options->replay.mode == REPLAY_MODE_PLAY;
        return false;
    }
    if (s->machine->num_cpus && !s->config.kernel && !s->config.bios && !has_loader(s->machine)) {
        warn_report("there is no -kernel and no -bios: the guest has nothing to run");
    }
    if (replay_old_file(s->replay)) {
        error_report("'%s' existed: the old file is now '%s'", s->options->replay.file,
                     replay_old_file(s->replay));
    }
    if (!session_start_net(s, errp) || !session_confine(s->options, errp)) {
        return false;
    }
    if (s->options->sandbox.enable && s->options->sandbox.deny_spawn) {
        net_set_no_spawn(s->net);
    }
    session_attach_serial(s);
    return true;
}

Session *session_new(Options *options, int *exit_code, Error **errp)
{
    Session *s = g_new0(Session, 1);

    s->options = options;
    s->strings = g_ptr_array_new_with_free_func(g_free);
    s->serial = g_ptr_array_new();
    s->monitor_chrs = g_array_new(FALSE, FALSE, sizeof(SessionMonitor));
    s->monitors = g_ptr_array_new_with_free_func((GDestroyNotify)monitor_free);
    s->chardevs = chardev_set_new(NULL);
    chardev_set_quit_hook(s->chardevs, session_quit, s);
    if (!session_set_up(s, errp)) {
        *exit_code = s->refused ? EXIT_REPLAY : EXIT_FAILURE;
        session_free(s);
        return NULL;
    }
    return s;
}

/* ---- run and end ---- */

/* -loadvm, rrsnapshot= and -incoming: before anybody sees the machine, which is paused for it. */
static bool session_begin_in_snapshot(Session *s, Error **errp)
{
    const Options *o = s->options;
    bool ok;

    if (o->incoming) {
        return monitor_start_incoming(&s->monitor_env, o->incoming, !o->exec.start_paused, errp);
    }
    if (!o->loadvm && !o->rrsnapshot) {
        return true;
    }
    if (o->rrsnapshot && o->replay.mode == REPLAY_MODE_RECORD) {
        ok = monitor_save_snapshot(&s->monitor_env, o->rrsnapshot, errp);
    } else {
        ok = monitor_load_snapshot(&s->monitor_env, o->loadvm ? o->loadvm : o->rrsnapshot, errp);
    }
    if (ok && !o->exec.start_paused) {
        exec_loop_cont(s->loop);
    }
    return ok;
}

int session_run(Session *s)
{
    ExecResult result;
    Error *err = NULL;

    if (s->config.dumpdtb) {
        return EXIT_SUCCESS;   /* the board has written it */
    }
    exec_loop_start(s->loop, session_ended, s);
    session_fill_env(s);
    if (session_begin_in_snapshot(s, &err) && session_daemon_ready(s->options, &err)) {
        session_start_monitors(s);
    } else {
        session_quit(s);
    }
    while (!g_atomic_int_get(&s->ended)) {
        g_main_context_iteration(NULL, TRUE);
    }
    result = exec_loop_join(s->loop);
    monitor_events_flush(s->monitor_env.events);
    g_ptr_array_set_size(s->monitors, 0);
    g_clear_pointer(&s->gdb, gdbstub_free);
    session_detach_serial(s);
    /* Console output first, so that the report is the last line. */
    g_clear_pointer(&s->chardevs, chardev_set_free);
    err = err ? err : g_steal_pointer(&s->incoming_error);
    if (err) {
        error_report_err(err);
        return EXIT_FAILURE;
    }
    return session_report(s, &result);
}

/* The session bound the CPUs to an engine, so it frees them; before the clock of their timers. */
static void session_free_cpus(Session *s)
{
    for (unsigned i = 0; s->machine && i < s->machine->num_cpus; i++) {
        s->machine->cpus[i]->ops->free(s->machine->cpus[i]);
    }
}

void session_free(Session *s)
{
    g_ptr_array_unref(s->monitors);
    g_clear_pointer(&s->gdb, gdbstub_free);
    monitor_env_clear(&s->monitor_env);
    g_clear_pointer(&s->loop, exec_loop_free);
    g_clear_pointer(&s->monitor_env.events, monitor_events_free);
    g_clear_pointer(&s->tcg, tcg_free);
    g_clear_pointer(&s->chardevs, chardev_set_free);
    session_free_cpus(s);
    g_clear_pointer(&s->machine, machine_free);
    g_clear_pointer(&s->dumps, g_ptr_array_unref);
    g_clear_pointer(&s->net, net_set_free);
    g_clear_pointer(&s->replay, replay_free);
    if (s->pidfile) {
        unlink(s->pidfile);
        g_free(s->pidfile);
        close(s->pidfile_fd);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(s->signals); i++) {
        if (s->signals[i]) {
            g_source_destroy(s->signals[i]);
            g_source_unref(s->signals[i]);
        }
    }
    g_ptr_array_unref(s->serial);
    g_array_unref(s->monitor_chrs);
    g_ptr_array_unref(s->strings);
    keyval_free(s->machine_options);
    options_free(s->options);
    g_free(s);
}
