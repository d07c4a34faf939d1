/*
 * gdb's remote protocol: the connection, threads and run control.
 *
 * 1. All of this runs on the main thread, but for the execution loop's listener, which
 *    notes the stop and wakes the main loop.
 * 2. gdb either waits for a stop reply (`running`) or talks; it does not do both. What
 *    it sends while it waits is only the interrupt byte.
 * 3. A thread is a CPU: thread n is CPU n - 1. All are threads of one process, 1.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-history.h"
#include "gdbstub-int.h"
#include "util/trace.h"

Vcpu *gdb_vcpu(GdbStub *g, unsigned index)
{
    return exec_loop_machine(g->env.loop)->cpus[index];
}

unsigned gdb_num_cpus(GdbStub *g)
{
    return exec_loop_machine(g->env.loop)->num_cpus;
}

void gdb_error(GString *reply, unsigned number)
{
    g_string_append_printf(reply, "E%02x", number);
}

void gdb_send(GdbStub *g, const char *data, size_t length)
{
    trace_gdb_sent(length);
    g_byte_array_set_size(g->last, 0);
    gdb_packet_frame(g->last, data, length);
    chardev_write(g->chr, g->last->data, g->last->len);
}

/* A number up to max, or -1 (all) and 0 (any), which both count as 0. */
static bool parse_id(const char **text, uint64_t max, uint64_t *id)
{
    if (g_str_has_prefix(*text, "-1")) {
        *text += 2;
        *id = 0;
        return true;
    }
    return gdb_get_number(text, id) && *id <= max;
}

bool gdb_parse_thread(GdbStub *g, const char **text, bool *any, unsigned *cpu)
{
    uint64_t process, thread = 0;
    bool has_thread = true;

    if (**text == 'p') {
        ++*text;
        if (!parse_id(text, 1, &process)) {
            return false;
        }
        has_thread = **text == '.';
        *text += has_thread;
    }
    if (has_thread && !parse_id(text, gdb_num_cpus(g), &thread)) {
        return false;
    }
    *any = thread == 0;
    *cpu = thread ? (unsigned)thread - 1 : 0;
    return true;
}

void gdb_put_thread(GdbStub *g, GString *out, unsigned cpu)
{
    g_string_append_printf(out, g->multiprocess ? "p1.%x" : "%x", cpu + 1);
}

/* ---- stops ---- */

static const char *watch_name(WatchKind kind)
{
    return kind == WATCH_READS ? "rwatch" : kind == WATCH_WRITES ? "watch" : "awatch";
}

static void send_stop(GdbStub *g, const GdbStop *stop)
{
    ExecStopReason reason = stop->reason;
    bool interrupted = reason == EXEC_STOP_PAUSED || reason == EXEC_STOP_SHUTDOWN;
    g_autoptr(GString) reply = g_string_new("");
    const char *why = "";

    if (reason == EXEC_STOP_BREAKPOINT && g->swbreak) {
        why = "swbreak:;";
    } else if (reason == EXEC_STOP_REPLAY_BEGIN) {
        why = "replaylog:begin;";
    } else if (reason == EXEC_STOP_REPLAY_END) {
        why = "replaylog:end;";
    }
    g_string_printf(reply, "T%02xthread:", interrupted ? GDB_SIGNAL_INT : GDB_SIGNAL_TRAP);
    gdb_put_thread(g, reply, g->stop_cpu);
    g_string_append_printf(reply, ";%s", why);
    if (reason == EXEC_STOP_WATCHPOINT) {
        g_string_append_printf(reply, "%s:%" PRIx64 ";", watch_name(stop->hit.kind),
                               stop->hit.vaddr);
    }
    gdb_send(g, reply->str, reply->len);
}

static bool take_stop(GdbStub *g, GdbStop *stop)
{
    bool pending;

    g_mutex_lock(&g->lock);
    pending = g->stop_pending;
    g->stop_pending = false;
    *stop = g->stop;
    g_mutex_unlock(&g->lock);
    if (pending) {
        g->stop_cpu = stop->cpu;
    }
    return pending;
}

void gdb_forget_stop(GdbStub *g)
{
    GdbStop stop;

    take_stop(g, &stop);
}

/*
 * What is no CPU's doing is told of the thread that makes a step, if one does: gdb may be stepping it
 * over a breakpoint, and does not bear the news of another one then.
 */
static void attribute_stop(GdbStub *g, GdbStop *stop)
{
    ExecStopReason reason = stop->reason;

    if (g->stepping && (reason == EXEC_STOP_PAUSED || reason == EXEC_STOP_REPLAY_BEGIN ||
                        reason == EXEC_STOP_REPLAY_END)) {
        g->stop_cpu = stop->cpu = g->step_cpu;
    }
}

/* Main thread: the machine has stopped. */
static gboolean notify_run(gpointer opaque)
{
    GdbStub *g = opaque;
    GdbStop stop;

    if (!take_stop(g, &stop) || !g->connected) {
        return G_SOURCE_CONTINUE;
    }
    if (g->commanding) {
        g->commanding = false;
        gdb_send(g, "OK", 2);
    } else if (g->running) {
        g->running = false;
        attribute_stop(g, &stop);
        g->interrupted = g->interrupted && stop.reason != EXEC_STOP_PAUSED;
        g->cpu = g->step_cpu = g->stop_cpu;
        if (g->backwards && stop.reason == EXEC_STOP_WATCHPOINT) {
            g->undone = stop.hit;
        }
        send_stop(g, &stop);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean notify_dispatch(GSource *source, GSourceFunc fn, gpointer opaque)
{
    g_source_set_ready_time(source, -1);
    return fn(opaque);
}

static GSourceFuncs notify_funcs = { .dispatch = notify_dispatch };

/* Machine thread. */
static void stopped(void *opaque, ExecStopReason reason, Vcpu *cpu)
{
    GdbStub *g = opaque;

    g_mutex_lock(&g->lock);
    g->stop_pending = true;
    g->stop = (GdbStop){ .reason = reason };
    if (cpu) {
        g->stop.cpu = cpu->index;
        g->stop.hit = cpu->watch_hit;
    }
    g_mutex_unlock(&g->lock);
    g_source_set_ready_time(g->notify, 0);
}

static void prepare_run(GdbStub *g)
{
    gdb_forget_stop(g);
    g->running = true;
    g->stepping = g->backwards = false;
    g->undone.kind = WATCH_NONE;
}

static void resume(GdbStub *g)
{
    prepare_run(g);
    exec_loop_cont(g->env.loop);
}

static void step(GdbStub *g, unsigned cpu)
{
    prepare_run(g);
    g->stepping = true;
    g->step_cpu = cpu;
    exec_loop_step(g->env.loop, gdb_vcpu(g, cpu));
}

/* ---- waiting for "monitor" ---- */

/* gdb complains when it has heard nothing for two seconds, unless its user set remotetimeout. */
#define PATIENCE_MS 1000

static gboolean ask_patience(gpointer opaque)
{
    GdbStub *g = opaque;

    if (!g->asking && !g->commanding) {
        g_clear_pointer(&g->patience, g_source_unref);
        return G_SOURCE_REMOVE;
    }
    gdb_send(g, "O", 1);       /* console output of no characters */
    return G_SOURCE_CONTINUE;
}

void gdb_ask_patience(GdbStub *g)
{
    if (!g->patience) {
        g->patience = g_timeout_source_new(PATIENCE_MS);
        g_source_set_callback(g->patience, ask_patience, g, NULL);
        g_source_attach(g->patience, g->context);
    }
}

/* ---- run control ---- */

static bool cmd_stop_reason(GdbStub *g, const char *args, size_t length, GString *reply)
{
    g_string_append_printf(reply, "T%02xthread:", GDB_SIGNAL_TRAP);
    gdb_put_thread(g, reply, g->stop_cpu);
    g_string_append_c(reply, ';');
    return true;
}

/* "c [addr]", "s [addr]". */
static bool start_at(GdbStub *g, const char *args, GString *reply)
{
    uint64_t pc;

    if (!*args) {
        return true;
    }
    if (!gdb_get_number(&args, &pc) || *args) {
        gdb_error(reply, 0x16);
        return false;
    }
    return gdb_set_pc(g, g->step_cpu, pc, reply);
}

static bool cmd_continue(GdbStub *g, const char *args, size_t length, GString *reply)
{
    if (!start_at(g, args, reply)) {
        return true;
    }
    resume(g);
    return false;
}

static bool cmd_step(GdbStub *g, const char *args, size_t length, GString *reply)
{
    if (!start_at(g, args, reply)) {
        return true;
    }
    step(g, g->step_cpu);
    return false;
}

static bool is_watched(GdbStub *g, const WatchHit *hit)
{
    for (guint n = 0; n < g->watches->len; n++) {
        const GdbWatch *w = &g_array_index(g->watches, GdbWatch, n);

        if (w->kind == hit->kind && hit->vaddr - w->addr < w->length) {
            return true;
        }
    }
    return false;
}

/*
 * gdb knows that this architecture stops in front of a watched access. So it removes the watchpoint
 * and makes a step, in the direction it goes, before it looks at the values. Backwards, the
 * machine stands in front of the access because that has been undone already.
 */
static bool step_is_made(GdbStub *g)
{
    return g->undone.kind && !is_watched(g, &g->undone) && g->step_cpu == g->stop_cpu;
}

/* "bs", "bc": step and continue backwards. */
static bool cmd_backwards(GdbStub *g, const char *args, size_t length, GString *reply)
{
    const GdbStop here = { .reason = EXEC_STOP_STEPPED };
    Error *err = NULL;
    bool ok;

    if (strcmp(args, "s") && strcmp(args, "c")) {
        return true;
    }
    if (*args == 's' && step_is_made(g)) {
        g->undone.kind = WATCH_NONE;
        send_stop(g, &here);
        return false;
    }
    prepare_run(g);
    g->backwards = true;
    g->stepping = *args == 's';
    ok = *args == 's' ? exec_loop_reverse_step(g->env.loop, gdb_vcpu(g, g->step_cpu), &err) :
                        exec_loop_reverse_cont(g->env.loop, &err);
    if (!ok) {
        g->running = false;
        g_string_append_printf(reply, "E.%s", error_get_pretty(err));
        error_free(err);
    }
    return !ok;
}

/* One action of "vCont": its letter in lower case, 0 when it is malformed. */
static char vcont_action(GdbStub *g, const char **args, bool *any, unsigned *cpu)
{
    char action = **args;
    uint64_t signal;   /* there is nobody to deliver it to */

    *any = true;
    *args += action != 0;
    if ((action == 'C' || action == 'S') && !gdb_get_number(args, &signal)) {
        return 0;
    }
    if (**args == ':') {
        ++*args;
        if (!gdb_parse_thread(g, args, any, cpu)) {
            return 0;
        }
    }
    return action == 'c' || action == 'C' ? 'c' : action == 's' || action == 'S' ? 's' : 0;
}

/*
 * "vCont;ACTION[:THREAD]...": a thread takes the first action that names it, or that names
 * none. If one is to step, it is waited for, and the turns of the others, which go on, come
 * as they would without a debugger; of several that are to step, the chosen thread
 * or else the first one counts. Threads without an action are not held back.
 */
static bool vcont(GdbStub *g, const char *args, GString *reply)
{
    unsigned num_cpus = gdb_num_cpus(g), step_cpu = num_cpus;
    g_autofree char *actions = g_malloc0(num_cpus);
    bool acts = false;

    while (*args == ';') {
        unsigned cpu;
        char action;
        bool any;

        args++;
        action = vcont_action(g, &args, &any, &cpu);
        if (!action) {
            gdb_error(reply, 0x16);
            return true;
        }
        for (unsigned n = 0; n < num_cpus; n++) {
            if ((any || n == cpu) && !actions[n]) {
                actions[n] = action;
                acts = true;
            }
        }
    }
    if (*args || !acts) {
        gdb_error(reply, 0x16);
        return true;
    }
    for (unsigned n = num_cpus; n-- > 0; ) {
        step_cpu = actions[n] == 's' ? n : step_cpu;
    }
    if (actions[g->step_cpu] == 's') {
        step_cpu = g->step_cpu;
    }
    if (step_cpu < num_cpus) {
        step(g, step_cpu);
    } else {
        resume(g);
    }
    return false;
}

static bool cmd_v(GdbStub *g, const char *args, size_t length, GString *reply)
{
    if (!strcmp(args, "Cont?")) {
        g_string_append(reply, "vCont;c;C;s;S");
        return true;
    }
    if (g_str_has_prefix(args, "Cont;")) {
        return vcont(g, args + strlen("Cont"), reply);
    }
    if (!strcmp(args, "Kill") || !strcmp(args, "Kill;1")) {
        exec_loop_request(g->env.loop, SHUTDOWN_CAUSE_HOST_QUIT);
        g_string_append(reply, "OK");
    } else if (g_str_has_prefix(args, "Kill")) {
        gdb_error(reply, 0x16);
    }
    return true;
}

static bool cmd_kill(GdbStub *g, const char *args, size_t length, GString *reply)
{
    exec_loop_request(g->env.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    return false;
}

/* While a debugger is there, the end of a replay is a stop. */
static void watch_end(GdbStub *g, bool watch)
{
    if (g->watching != watch) {
        g->watching = watch;
        exec_loop_watch(g->env.loop, watch);
    }
}

/* "D", "D;PID". */
static bool cmd_detach(GdbStub *g, const char *args, size_t length, GString *reply)
{
    if (*args && strcmp(args, ";1")) {
        gdb_error(reply, 0x16);
        return true;
    }
    gdb_clear_breakpoints(g);
    g_string_append(reply, "OK");
    watch_end(g, false);
    exec_loop_cont(g->env.loop);
    return true;
}

/* "Hg THREAD", "Hc THREAD". */
static bool cmd_set_thread(GdbStub *g, const char *args, size_t length, GString *reply)
{
    char which = *args;
    unsigned cpu;
    bool any;

    if (which) {
        args++;
    }
    if ((which != 'g' && which != 'c') || !gdb_parse_thread(g, &args, &any, &cpu)) {
        gdb_error(reply, 0x16);
        return true;
    }
    if (!any && which == 'g') {
        g->cpu = cpu;
    } else if (!any) {
        g->step_cpu = cpu;
    }
    g_string_append(reply, "OK");
    return true;
}

static bool cmd_thread_alive(GdbStub *g, const char *args, size_t length, GString *reply)
{
    unsigned cpu;
    bool any;

    if (gdb_parse_thread(g, &args, &any, &cpu)) {
        g_string_append(reply, "OK");
    } else {
        gdb_error(reply, 0x16);
    }
    return true;
}

/* ---- packets ---- */

static const struct {
    char letter;
    GdbCommand *run;
} commands[] = {
    { '?', cmd_stop_reason },
    { 'c', cmd_continue },
    { 's', cmd_step },
    { 'b', cmd_backwards },
    { 'v', cmd_v },
    { 'k', cmd_kill },
    { 'D', cmd_detach },
    { 'H', cmd_set_thread },
    { 'T', cmd_thread_alive },
    { 'g', gdb_read_registers },
    { 'G', gdb_write_registers },
    { 'p', gdb_read_register },
    { 'P', gdb_write_register },
    { 'm', gdb_read_memory },
    { 'M', gdb_write_memory },
    { 'X', gdb_write_memory_binary },
    { 'Z', gdb_insert_breakpoint },
    { 'z', gdb_remove_breakpoint },
    { 'q', gdb_query },
    { 'Q', gdb_set },
};

static void handle_packet(GdbStub *g)
{
    g_autoptr(GString) reply = g_string_new("");
    const char *data = (const char *)g->parser.data;
    size_t length = g->parser.length;

    trace_gdb_received(data, length);
    for (unsigned i = 0; length && i < ARRAY_SIZE(commands); i++) {
        if (commands[i].letter == data[0]) {
            if (commands[i].run(g, data + 1, length - 1, reply)) {
                gdb_send(g, reply->str, reply->len);
            }
            return;
        }
    }
    gdb_send(g, "", 0);
}

static void acknowledge(GdbStub *g, char c)
{
    if (!g->no_ack) {
        chardev_write(g->chr, (const uint8_t *)&c, 1);
    }
}

/* gdb asks for something else: its user does not wait for the answer to "monitor" any more. */
static void give_up_answer(GdbStub *g)
{
    if (g->asking) {
        g->asking = false;
        exec_loop_interrupt_history(g->env.loop);
    }
}

static void handle_byte(GdbStub *g, uint8_t byte)
{
    switch (gdb_parser_feed(&g->parser, byte)) {
    case GDB_INPUT_PACKET:
        acknowledge(g, '+');
        give_up_answer(g);
        if (!g->running && !g->commanding) {
            handle_packet(g);
        }
        /* gdb goes on by itself, from a breakpoint whose condition is false for example. */
        if (g->running && g->interrupted) {
            exec_loop_stop(g->env.loop);
        }
        break;
    case GDB_INPUT_BAD:
        acknowledge(g, '-');
        break;
    case GDB_INPUT_NAK:
        if (!g->no_ack) {
            chardev_write(g->chr, g->last->data, g->last->len);
        }
        break;
    case GDB_INPUT_INTERRUPT:
        if (g->asking) {
            exec_loop_interrupt_history(g->env.loop);
            break;
        }
        g->interrupted = true;
        if (g->running || g->commanding) {
            exec_loop_stop(g->env.loop);
        }
        break;
    case GDB_INPUT_NONE:
    case GDB_INPUT_ACK:
        break;
    }
}

static void gdb_receive(void *opaque, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        handle_byte(opaque, data[i]);
    }
}

/* ---- the connection ---- */

static void gdb_connected(GdbStub *g)
{
    gdb_parser_init(&g->parser);
    g_byte_array_set_size(g->last, 0);
    g->connected = true;
    g->no_ack = g->swbreak = g->multiprocess = g->physical = false;
    g->running = g->commanding = g->asking = g->interrupted = g->backwards = false;
    g->cpu = g->step_cpu = g->stop_cpu = 0;
    g->undone.kind = WATCH_NONE;
    watch_end(g, true);
    exec_loop_stop(g->env.loop);
}

/*
 * A gdb that goes away without detaching leaves a machine that runs. A journey would end with a
 * stop that nobody waits for. After a detach the machine runs already, or has met a break of a
 * monitor's since.
 */
static void gdb_disconnected(GdbStub *g)
{
    if (g->connected) {
        if (g->commanding || (g->running && g->backwards)) {
            exec_loop_stop(g->env.loop);
        }
        g->connected = g->running = g->commanding = g->asking = false;
        gdb_clear_breakpoints(g);
        if (g->watching) {
            watch_end(g, false);
            exec_loop_cont(g->env.loop);
        }
    }
}

static void gdb_event(void *opaque, CharEvent event)
{
    if (event == CHAR_EVENT_OPENED) {
        gdb_connected(opaque);
    } else if (event == CHAR_EVENT_CLOSED) {
        gdb_disconnected(opaque);
    }
}

static const ChardevClient gdb_client = {
    .receive = gdb_receive,
    .event = gdb_event,
};

/* A closure: listeners belong to the machine thread. */
static void listen_for_stops(void *opaque)
{
    GdbStub *g = opaque;

    exec_loop_add_listener(g->env.loop, &g->listener);
}

GdbStub *gdbstub_new(const GdbEnv *env, GMainContext *context, Chardev *chr)
{
    GdbStub *g = g_new0(GdbStub, 1);

    g->env = *env;
    g->context = context;
    g->chr = chr;
    g->breakpoints = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    g->watches = g_array_new(false, false, sizeof(GdbWatch));
    g->last = g_byte_array_new();
    g_mutex_init(&g->lock);
    g->notify = g_source_new(&notify_funcs, sizeof(GSource));
    g_source_set_callback(g->notify, notify_run, g, NULL);
    g_source_attach(g->notify, context);
    g->listener = (ExecListener){ .stopped = stopped, .opaque = g };
    machine_run_sync(g->env.loop, listen_for_stops, g);
    chardev_set_client(chr, &gdb_client, g);
    return g;
}

void gdbstub_free(GdbStub *g)
{
    if (g->connected) {
        gdb_send(g, "W00", 3);   /* the program has ended */
    }
    chardev_set_client(g->chr, NULL, NULL);
    if (g->patience) {
        g_source_destroy(g->patience);
        g_source_unref(g->patience);
    }
    g_source_destroy(g->notify);
    g_source_unref(g->notify);
    g_hash_table_unref(g->breakpoints);
    g_array_unref(g->watches);
    g_byte_array_unref(g->last);
    g_mutex_clear(&g->lock);
    g_free(g);
}
