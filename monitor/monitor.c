/*
 * A monitor on a chardev: the human one is a line editor and the commands; the other one is
 * qmp-monitor.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-history.h"
#include "monitor/commands.h"
#include "monitor/qmp.h"
#include "monitor/readline.h"

#define PROMPT "(rearm) "
#define CTRL_C 3

struct Monitor {
    QmpMonitor *qmp;       /* NULL: the human monitor, which the rest is for */
    MonitorEnv *env;
    Chardev *chr;
    Readline *readline;
    bool greeted;
    bool waiting;          /* for the answer to a command */
    GByteArray *held;      /* typed meanwhile */
};

/* Terminals want a carriage return before each newline. */
static void monitor_output(Monitor *m, const char *text, size_t length)
{
    for (const char *end; length; ) {
        size_t n;

        end = memchr(text, '\n', length);
        n = end ? (size_t)(end - text) : length;
        chardev_write(m->chr, (const uint8_t *)text, n);
        if (!end) {
            return;
        }
        chardev_puts(m->chr, "\r\n");
        text += n + 1;
        length -= n + 1;
    }
}

static void monitor_readline_write(void *opaque, const char *data, size_t length)
{
    monitor_output(opaque, data, length);
}

static void monitor_receive(void *opaque, const uint8_t *data, size_t length);

static void monitor_answer(void *opaque, const char *text)
{
    g_autoptr(GByteArray) held = NULL;
    Monitor *m = opaque;

    monitor_output(m, text, strlen(text));
    readline_show(m->readline);
    m->waiting = false;
    held = g_steal_pointer(&m->held);
    m->held = g_byte_array_new();
    monitor_receive(m, held->data, held->len);
}

static void monitor_line(void *opaque, const char *line)
{
    g_autoptr(GString) out = g_string_new("");
    Monitor *m = opaque;
    const MonitorLater later = { monitor_answer, m };

    m->env->readline = m->readline;
    m->waiting = !monitor_run(m->env, line, out, &later);
    m->env->readline = NULL;
    monitor_output(m, out->str, out->len);
    if (!m->env->quitting && !m->waiting) {
        readline_show(m->readline);
    }
}

static void monitor_complete_line(void *opaque, const char *prefix, GPtrArray *words)
{
    monitor_complete(prefix, words);
}

static const ReadlineHost readline_host = {
    .write = monitor_readline_write,
    .line = monitor_line,
    .complete = monitor_complete_line,
};

static void monitor_greet(Monitor *m)
{
    if (!m->greeted) {
        m->greeted = true;
        chardev_puts(m->chr, "Rearm ");
        chardev_puts(m->chr, m->env->version);
        chardev_puts(m->chr, " monitor - type 'help' for more information\r\n");
    }
    readline_show(m->readline);
}

/* Of a person who waits, only Ctrl-C counts: nothing else is to interrupt the search. */
static void monitor_receive(void *opaque, const uint8_t *data, size_t length)
{
    Monitor *m = opaque;

    for (size_t n = 0; n < length; n++) {
        if (!m->waiting) {
            readline_feed(m->readline, data + n, 1);
        } else if (data[n] == CTRL_C) {
            exec_loop_interrupt_history(m->env->loop);
        } else {
            g_byte_array_append(m->held, data + n, 1);
        }
    }
}

static void monitor_event(void *opaque, CharEvent event)
{
    Monitor *m = opaque;

    if (event == CHAR_EVENT_OPENED && chardev_has_focus(m->chr)) {
        m->greeted = false;
        monitor_greet(m);
    }
}

static void monitor_focus(void *opaque, bool in)
{
    Monitor *m = opaque;

    if (in) {
        chardev_puts(m->chr, "\r\n");
        monitor_greet(m);
    } else {
        chardev_puts(m->chr, "\r\n");
    }
}

static const ChardevClient monitor_client = {
    .receive = monitor_receive,
    .event = monitor_event,
    .focus = monitor_focus,
};

Monitor *monitor_new(MonitorEnv *env, Chardev *chr, MonitorMode mode)
{
    Monitor *m = g_new0(Monitor, 1);

    if (mode != MONITOR_HMP) {
        m->qmp = qmp_monitor_new(env, chr, mode == MONITOR_QMP_PRETTY);
        return m;
    }
    m->env = env;
    m->chr = chr;
    m->held = g_byte_array_new();
    m->readline = readline_new(PROMPT, &readline_host, m);
    chardev_set_client(chr, &monitor_client, m);
    return m;
}

void monitor_env_clear(MonitorEnv *env)
{
    g_clear_pointer(&env->fds, g_ptr_array_unref);
    g_clear_pointer(&env->jobs, g_ptr_array_unref);
    g_clear_pointer(&env->dump, monitor_dump_free);
    g_clear_pointer(&env->migration, monitor_migration_free);
}

void monitor_free(Monitor *m)
{
    if (m->qmp) {
        qmp_monitor_free(m->qmp);
    } else {
        chardev_set_client(m->chr, NULL, NULL);
        readline_free(m->readline);
        g_byte_array_unref(m->held);
    }
    g_free(m);
}
