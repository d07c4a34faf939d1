/*
 * Sources of a GLib main loop: a descriptor, a time. Each runs fn on the thread of its context, and stays
 * while fn returns G_SOURCE_CONTINUE. What they return is the caller's; watch_end() gives it back, from within fn, too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_WATCH_H
#define UTIL_WATCH_H

#include <glib-unix.h>

/* context NULL: the default one. */
GSource *watch_fd(GMainContext *context, int fd, GIOCondition condition, GUnixFDSourceFunc fn, void *opaque);
GSource *watch_timeout(GMainContext *context, unsigned ms, GSourceFunc fn, void *opaque);
/* *source becomes NULL; it may be already. */
void watch_end(GSource **source);

#endif
