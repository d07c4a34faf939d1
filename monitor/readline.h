/*
 * A line editor for terminals at the other end of a byte stream: cursor keys, history,
 * the usual control keys, completion of the first word. It knows neither chardevs nor
 * commands. Lines are bounded; what does not fit is not taken.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_READLINE_H
#define MONITOR_READLINE_H

#include <glib.h>
#include "util/osdep.h"

#define READLINE_MAX 4095
#define READLINE_HISTORY 64

typedef struct ReadlineHost {
    void (*write)(void *opaque, const char *data, size_t length);
    void (*line)(void *opaque, const char *line);
    /* Append each possible word that begins with prefix; may be NULL. */
    void (*complete)(void *opaque, const char *prefix, GPtrArray *words);
} ReadlineHost;

typedef struct Readline Readline;

Readline *readline_new(const char *prompt, const ReadlineHost *host, void *opaque);
void readline_free(Readline *r);
void readline_feed(Readline *r, const uint8_t *data, size_t length);
/* The lines that were entered, the oldest first: char *, the editor's. */
const GPtrArray *readline_history(const Readline *r);
/* Show the prompt and what has been typed so far. */
void readline_show(Readline *r);

#endif
