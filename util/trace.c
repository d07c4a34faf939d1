/*
 * Trace events.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <stdarg.h>
#include "util/keyval.h"
#include "util/log.h"
#include "util/trace.h"

uint8_t trace_state[TRACE_NUM_EVENTS];

static const struct {
    const char *name, *doc;
} events[] = {
#define TRACE_EVENT(label, text, ...) { #label, text },
#include "util/trace-events.def"
#undef TRACE_EVENT
};

/* Set at start; NULL: the log. */
static FILE *trace_file;

/* A line stays a line, and a terminal is not told anything by it. */
static void append_printable(GString *out, const char *text)
{
    for (; *text; text++) {
        if (g_ascii_isprint(*text)) {
            g_string_append_c(out, *text);
        } else {
            g_string_append_printf(out, "\\x%02x", (uint8_t)*text);
        }
    }
}

void trace_print(TraceEvent event, const char *fmt, ...)
{
    g_autoptr(GString) line = g_string_new(events[event].name);
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    g_string_append_c(line, ' ');
    append_printable(line, text);
    g_string_append_c(line, '\n');
    if (trace_file) {
        fputs(line->str, trace_file);
    } else {
        log_line(line->str);
    }
}

const char *trace_name(TraceEvent event)
{
    return events[event].name;
}

bool trace_matches(TraceEvent event, const char *pattern)
{
    return g_pattern_match_simple(pattern, events[event].name);
}

void trace_set(TraceEvent event, bool on)
{
    __atomic_store_n(&trace_state[event], on, __ATOMIC_RELAXED);
}

bool trace_set_pattern(const char *pattern, Error **errp)
{
    const char *names[TRACE_NUM_EVENTS + 1] = { NULL };
    bool on = *pattern != '-', any = false;
    const char *near;

    pattern += !on;
    for (unsigned n = 0; n < TRACE_NUM_EVENTS; n++) {
        names[n] = events[n].name;
        if (trace_matches(n, pattern)) {
            trace_set(n, on);
            any = true;
        }
    }
    near = any ? NULL : suggest_nearest(pattern, names);
    if (near) {
        error_setg(errp, "no trace event is called '%s', did you mean '%s'?", pattern, near);
    } else if (!any) {
        error_setg(errp, "no trace event is called '%s' (-trace help lists them)", pattern);
    }
    return any;
}

bool trace_set_patterns_of(const char *path, Error **errp)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents(path, &text, NULL, &error)) {
        error_setg(errp, "cannot read the trace events: %s", error->message);
        return false;
    }
    lines = g_strsplit(text, "\n", -1);
    for (unsigned n = 0; lines[n]; n++) {
        const char *pattern = g_strstrip(lines[n]);

        if (*pattern && *pattern != '#' && !trace_set_pattern(pattern, errp)) {
            error_prepend(errp, "%s, line %u: ", path, n + 1);
            return false;
        }
    }
    return true;
}

bool trace_set_file(const char *path, Error **errp)
{
    FILE *f = log_open_file(path, errp);

    if (f) {
        trace_file = f;
    }
    return f != NULL;
}

void trace_print_events(FILE *out)
{
    for (unsigned n = 0; n < TRACE_NUM_EVENTS; n++) {
        fprintf(out, "%-24s  %s\n", events[n].name, events[n].doc);
    }
}
