/*
 * Sources of a GLib main loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/watch.h"

GSource *watch_fd(GMainContext *context, int fd, GIOCondition condition, GUnixFDSourceFunc fn, void *opaque)
{
    GSource *source = g_unix_fd_source_new(fd, condition);

    g_source_set_callback(source, G_SOURCE_FUNC(fn), opaque, NULL);
    g_source_attach(source, context);
    return source;
}

GSource *watch_timeout(GMainContext *context, unsigned ms, GSourceFunc fn, void *opaque)
{
    GSource *source = g_timeout_source_new(ms);

    g_source_set_callback(source, fn, opaque, NULL);
    g_source_attach(source, context);
    return source;
}

void watch_end(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_source_unref(*source);
        *source = NULL;
    }
}
