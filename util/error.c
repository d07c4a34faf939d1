/*
 * Error objects and messages to stderr.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/error.h"
#include "util/host-clock.h"
#include <glib.h>
#include <stdarg.h>

struct Error {
    char *message;
    ErrorClass class_;
};

static void error_setv(Error **errp, const char *suffix, const char *fmt, va_list ap)
{
    Error *err;

    if (!errp) {
        return;
    }
    assert(*errp == NULL);
    err = g_new0(Error, 1);
    err->message = g_strdup_vprintf(fmt, ap);
    if (suffix) {
        char *with_suffix = g_strdup_printf("%s: %s", err->message, suffix);

        g_free(err->message);
        err->message = with_suffix;
    }
    *errp = err;
}

void error_setg(Error **errp, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    error_setv(errp, NULL, fmt, ap);
    va_end(ap);
}

void error_setg_errno(Error **errp, int os_errno, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    error_setv(errp, g_strerror(os_errno), fmt, ap);
    va_end(ap);
}

void error_set_class(Error **errp, ErrorClass class_)
{
    if (errp && *errp) {
        (*errp)->class_ = class_;
    }
}

ErrorClass error_get_class(const Error *err)
{
    return err->class_;
}

void error_prepend(Error **errp, const char *fmt, ...)
{
    va_list ap;
    char *prefix, *joined;

    if (!errp || !*errp) {
        return;
    }
    va_start(ap, fmt);
    prefix = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    joined = g_strconcat(prefix, (*errp)->message, NULL);
    g_free(prefix);
    g_free((*errp)->message);
    (*errp)->message = joined;
}

void error_propagate(Error **errp, Error *err)
{
    if (!err) {
        return;
    }
    if (!errp) {
        error_free(err);
        return;
    }
    assert(*errp == NULL);
    *errp = err;
}

const char *error_get_pretty(const Error *err)
{
    return err->message;
}

void error_free(Error *err)
{
    if (err) {
        g_free(err->message);
        g_free(err);
    }
}

/* As the log's mask, for everybody, and set at start. */
static bool prefix_time;
static char *prefix_guest;

void error_set_prefix(bool timestamp, const char *guest)
{
    prefix_time = timestamp;
    g_free(prefix_guest);
    prefix_guest = g_strdup(guest);
}

/* "2031-05-02T13:54:07.012345Z ", or nothing. */
static char *timestamp(void)
{
    int64_t us = host_realtime_ns() / 1000;
    g_autoptr(GDateTime) t = NULL;
    g_autofree char *text = NULL;

    if (!prefix_time) {
        return g_strdup("");
    }
    t = g_date_time_new_from_unix_utc(us / G_USEC_PER_SEC);
    text = g_date_time_format(t, "%Y-%m-%dT%H:%M:%S");
    return g_strdup_printf("%s.%06dZ ", text, (int)(us % G_USEC_PER_SEC));
}

/* One write per message, so that messages of several threads do not mix. */
static void report(const char *kind, const char *fmt, va_list ap)
{
    char *message = g_strdup_vprintf(fmt, ap);
    g_autofree char *time = timestamp();

    fprintf(stderr, "%s%s%srearm: %s%s\n", time, prefix_guest ? prefix_guest : "",
            prefix_guest ? " " : "", kind, message);
    g_free(message);
}

void error_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report("", fmt, ap);
    va_end(ap);
}

void warn_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report("warning: ", fmt, ap);
    va_end(ap);
}

void error_report_err(Error *err)
{
    error_report("%s", error_get_pretty(err));
    error_free(err);
}
