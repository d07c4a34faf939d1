/*
 * gdb's "q" and "Q" packets: features, threads, the target description, and "monitor".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "gdbstub-int.h"

/* Console output is sent in pieces of this many bytes. */
#define OUTPUT_PIECE 2048

static bool query_supported(GdbStub *g, const char *args, size_t length, GString *reply)
{
    g->swbreak = strstr(args, "swbreak+") != NULL;
    g->multiprocess = strstr(args, "multiprocess+") != NULL;
    g_string_append_printf(reply, "PacketSize=%x;qXfer:features:read+;vContSupported+;"
                           "QStartNoAckMode+;swbreak+;multiprocess+", GDB_MAX_PACKET);
    if (exec_loop_can_travel(g->env.loop)) {
        g_string_append(reply, ";ReverseStep+;ReverseContinue+");
    }
    return true;
}

static bool query_attached(GdbStub *g, const char *args, size_t length, GString *reply)
{
    g_string_append_c(reply, '1');
    return true;
}

static bool query_current_thread(GdbStub *g, const char *args, size_t length, GString *reply)
{
    g_string_append(reply, "QC");
    gdb_put_thread(g, reply, g->cpu);
    return true;
}

/* gdb asks this when it turns to its user, not where it goes on by itself. */
static bool query_first_threads(GdbStub *g, const char *args, size_t length, GString *reply)
{
    g->interrupted = false;
    for (unsigned i = 0; i < gdb_num_cpus(g); i++) {
        g_string_append_c(reply, i ? ',' : 'm');
        gdb_put_thread(g, reply, i);
    }
    return true;
}

static bool query_more_threads(GdbStub *g, const char *args, size_t length, GString *reply)
{
    g_string_append_c(reply, 'l');
    return true;
}

/* A closure on the machine thread. */
typedef struct ThreadCall {
    const Vcpu *cpu;
    const char *state;
} ThreadCall;

static void thread_state(void *opaque)
{
    ThreadCall *c = opaque;

    c->state = c->cpu->powered_off ? "off" : c->cpu->halted ? "halted" : "running";
}

static bool query_thread_info(GdbStub *g, const char *args, size_t length, GString *reply)
{
    g_autofree char *text = NULL;
    ThreadCall call;
    unsigned cpu;
    bool any;

    if (!gdb_parse_thread(g, &args, &any, &cpu)) {
        gdb_error(reply, 0x16);
        return true;
    }
    call.cpu = gdb_vcpu(g, cpu);
    machine_run_sync(g->env.loop, thread_state, &call);
    text = g_strdup_printf("CPU#%u [%s]", cpu, call.state);
    gdb_put_hex(reply, text, strlen(text));
    return true;
}

/* "ANNEX:OFFSET,LENGTH" */
static bool query_features(GdbStub *g, const char *args, size_t length, GString *reply)
{
    size_t name_length = strcspn(args, ":");
    g_autofree char *name = g_strndup(args, name_length);
    g_autoptr(GString) xml = g_string_new("");
    uint64_t offset, size;

    args += name_length;
    if (*args++ != ':' || !gdb_get_number(&args, &offset) || *args++ != ',' ||
        !gdb_get_number(&args, &size) || !g->env.target->describe(name, xml) ||
        offset > xml->len) {
        gdb_error(reply, 0);
        return true;
    }
    size = MIN(size, GDB_MAX_PACKET / 2);
    g_string_append_c(reply, xml->len - offset <= size ? 'l' : 'm');
    g_string_append_len(reply, xml->str + offset, (gssize)MIN(size, xml->len - offset));
    return true;
}

/* What a "monitor" command prints goes out as console packets before the OK. */
static void send_output(GdbStub *g, const char *text, size_t length)
{
    for (size_t done = 0; done < length; done += OUTPUT_PIECE) {
        g_autoptr(GString) piece = g_string_new("O");

        gdb_put_hex(piece, text + done, MIN(length - done, OUTPUT_PIECE));
        gdb_send(g, piece->str, piece->len);
    }
}

static void send_answer(void *opaque, const char *text)
{
    GdbStub *g = opaque;

    /* Not, if that gdb is gone. */
    if (g->asking) {
        g->asking = false;
        send_output(g, text, strlen(text));
        gdb_send(g, "OK", 2);
    }
}

/*
 * "monitor LINE", in hex. What it prints goes out as console packets before the OK. If it sends the
 * machine on a journey, the OK comes when that has ended: what gdb reads next is the state there.
 */
static bool query_command(GdbStub *g, const char *args, size_t length, GString *reply)
{
    g_autoptr(GString) out = g_string_new("");
    g_autofree char *line = NULL;
    size_t n = length / 2;

    line = g_malloc0(n + 1);
    if (length % 2 || !gdb_get_hex(args, line, n)) {
        gdb_error(reply, 0x16);
        return true;
    }
    if (!g->env.monitor) {
        return true;
    }
    gdb_forget_stop(g);
    g->asking = !g->env.monitor(g->env.opaque, line, out, send_answer, g);
    send_output(g, out->str, out->len);
    g->commanding = !g->asking && exec_loop_travelling(g->env.loop);
    if (g->asking || g->commanding) {
        gdb_ask_patience(g);
        return false;
    }
    g_string_append(reply, "OK");
    return true;
}

static bool query_symbol(GdbStub *g, const char *args, size_t length, GString *reply)
{
    g_string_append(reply, "OK");   /* no symbol is wanted */
    return true;
}

/* ---- QEMU's own ---- */

static bool query_qemu_supported(GdbStub *g, const char *args, size_t length, GString *reply)
{
    g_string_append(reply, "sstepbits;sstep;PhyMemMode");
    return true;
}

/*
 * How steps are made. Interrupts and timers cannot be held off during a step, as a step would
 * then change what the guest does: ENABLE is the only bit.
 */
#define SSTEP_ENABLE 1

static bool query_step_bits(GdbStub *g, const char *args, size_t length, GString *reply)
{
    g_string_append_printf(reply, "ENABLE=%x", SSTEP_ENABLE);
    return true;
}

static bool query_step(GdbStub *g, const char *args, size_t length, GString *reply)
{
    g_string_append_printf(reply, "0x%x", SSTEP_ENABLE);
    return true;
}

static bool set_step(GdbStub *g, const char *args, size_t length, GString *reply)
{
    uint64_t bits;

    if (!gdb_get_number(&args, &bits) || *args || bits != SSTEP_ENABLE) {
        gdb_error(reply, 0x16);
    } else {
        g_string_append(reply, "OK");
    }
    return true;
}

static bool query_physical(GdbStub *g, const char *args, size_t length, GString *reply)
{
    g_string_append_c(reply, g->physical ? '1' : '0');
    return true;
}

static bool set_physical(GdbStub *g, const char *args, size_t length, GString *reply)
{
    if (strcmp(args, "0") && strcmp(args, "1")) {
        gdb_error(reply, 0x16);
        return true;
    }
    g->physical = *args == '1';
    g_string_append(reply, "OK");
    return true;
}

/* ---- the tables ---- */

static bool set_no_ack(GdbStub *g, const char *args, size_t length, GString *reply)
{
    /* gdb acknowledges this reply, and nothing afterwards. */
    g->no_ack = true;
    g_string_append(reply, "OK");
    return true;
}

/* Each ends with the separator that its arguments follow, or takes none. */
typedef struct Query {
    const char *name;
    GdbCommand *run;
} Query;

static const Query queries[] = {
    { "Supported", query_supported },
    { "Attached", query_attached },
    { "C", query_current_thread },
    { "fThreadInfo", query_first_threads },
    { "sThreadInfo", query_more_threads },
    { "ThreadExtraInfo,", query_thread_info },
    { "Xfer:features:read:", query_features },
    { "Rcmd,", query_command },
    { "Symbol:", query_symbol },
    { "qemu.Supported", query_qemu_supported },
    { "qemu.sstepbits", query_step_bits },
    { "qemu.sstep", query_step },
    { "qemu.PhyMemMode", query_physical },
};

static const Query sets[] = {
    { "StartNoAckMode", set_no_ack },
    { "qemu.sstep=", set_step },
    { "qemu.PhyMemMode:", set_physical },
};

static bool run_query(const Query *table, unsigned count, GdbStub *g, const char *args,
                      size_t length, GString *reply)
{
    for (unsigned i = 0; i < count; i++) {
        size_t n = strlen(table[i].name);
        bool open = strchr(",:=", table[i].name[n - 1]) != NULL;

        if (!strncmp(args, table[i].name, n) && (open || !g_ascii_isalnum(args[n]))) {
            return table[i].run(g, args + n, length - n, reply);
        }
    }
    return true;
}

bool gdb_query(GdbStub *g, const char *args, size_t length, GString *reply)
{
    return run_query(queries, ARRAY_SIZE(queries), g, args, length, reply);
}

bool gdb_set(GdbStub *g, const char *args, size_t length, GString *reply)
{
    return run_query(sets, ARRAY_SIZE(sets), g, args, length, reply);
}
