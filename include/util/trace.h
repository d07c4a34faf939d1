/*
 * Trace events: one line of text for each thing that happens, if somebody asked for that kind. They are
 * a table (util/trace-events.def); one that is off costs a load and a branch.
 *
 *     trace_pl011_sent(dev->id, byte);     ->     pl011_sent uart0 0x41
 *
 * From any thread, at any time. Nothing of it is seen by the guest, a recording or a digest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_TRACE_H
#define UTIL_TRACE_H

#include <glib.h>
#include "util/error.h"

typedef enum TraceEvent {
#define TRACE_EVENT(name, ...) TRACE_##name,
#include "util/trace-events.def"
#undef TRACE_EVENT
    TRACE_NUM_EVENTS
} TraceEvent;

/* One a TraceEvent; not 0: it is on. Any thread. */
extern uint8_t trace_state[TRACE_NUM_EVENTS];

static inline bool trace_is_on(TraceEvent event)
{
    return UNLIKELY(__atomic_load_n(&trace_state[event], __ATOMIC_RELAXED) != 0);
}

/* Write the line. What cannot be printed stands as \xNN. */
void trace_print(TraceEvent event, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define TRACE_EVENT(name, doc, parameters, ...)        \
    static inline void trace_##name parameters         \
    {                                                  \
        if (trace_is_on(TRACE_##name)) {               \
            trace_print(TRACE_##name, __VA_ARGS__);    \
        }                                              \
    }
#include "util/trace-events.def"
#undef TRACE_EVENT

const char *trace_name(TraceEvent event);
/* Whether the event's name is as the pattern says; * and ? stand for any characters and one. */
bool trace_matches(TraceEvent event, const char *pattern);
void trace_set(TraceEvent event, bool on);

/*
 * Switch all events on that a pattern names, or with a '-' in front of it off. Fails when there is none,
 * with the nearest name.
 */
bool trace_set_pattern(const char *pattern, Error **errp);
/* Each line of the file is such a pattern; empty ones and those that begin with # are none. */
bool trace_set_patterns_of(const char *path, Error **errp);
/* Lines go there instead of to the log (util/log.h). At the start. */
bool trace_set_file(const char *path, Error **errp);

/* One "name  description" line an event, for -trace help. */
void trace_print_events(FILE *out);

#endif
