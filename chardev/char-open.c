/*
 * The short syntax of -serial, -monitor and -gdb: rewritten into -chardev's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/chardev-int.h"

/* A value inside an option list: commas are doubled. */
static void append_escaped(GString *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == ',') {
            g_string_append_c(out, ',');
        }
        g_string_append_c(out, text[i]);
    }
}

/* "HOST:PORT[,options]", where HOST may be empty or "[IPv6]". */
static bool rewrite_tcp(GString *out, const char *arg, Error **errp)
{
    const char *end = arg + strcspn(arg, ",");
    const char *colon = NULL;
    const char *host = arg;
    size_t host_length;

    for (const char *p = arg; p < end; p++) {
        if (*p == ':') {
            colon = p;
        }
    }
    if (!colon || colon + 1 == end) {
        error_setg(errp, "'tcp:%s' needs a host and a port: tcp:HOST:PORT", arg);
        return false;
    }
    host_length = (size_t)(colon - host);
    if (host_length >= 2 && host[0] == '[' && host[host_length - 1] == ']') {
        host++;
        host_length -= 2;
    }
    g_string_append(out, "socket,host=");
    append_escaped(out, host, host_length);
    g_string_append_printf(out, ",port=%.*s%s", (int)(end - colon - 1), colon + 1, end);
    return true;
}

/* "PATH[,options]". */
static void rewrite_unix(GString *out, const char *arg)
{
    size_t length = strcspn(arg, ",");

    g_string_append(out, "socket,path=");
    g_string_append_len(out, arg, (gssize)length);
    g_string_append(out, arg + length);
}

/* A single comma at the end would merge with the one before the next option. */
static bool ends_in_separator(const char *options)
{
    size_t length = strlen(options), commas = 0;

    while (commas < length && options[length - 1 - commas] == ',') {
        commas++;
    }
    return commas % 2 != 0;
}

bool chardev_rewrite(GString *out, const char *spec, Error **errp)
{
    static const char *const forms[] = {
        "stdio", "mon:stdio", "null", "none", "pty", "file:PATH", "tcp:HOST:PORT",
        "unix:PATH", "chardev:ID", NULL,
    };
    const char *arg, *near;

    if (!strcmp(spec, "stdio") || !strcmp(spec, "null") || !strcmp(spec, "pty") ||
        g_str_has_prefix(spec, "stdio,")) {
        g_string_append(out, spec);
    } else if (g_str_has_prefix(spec, "file:")) {
        arg = spec + strlen("file:");
        if (!*arg) {
            error_setg(errp, "'%s' needs a path: file:PATH", spec);
            return false;
        }
        g_string_append(out, "file,path=");
        append_escaped(out, arg, strlen(arg));
    } else if (g_str_has_prefix(spec, "tcp:")) {
        if (!rewrite_tcp(out, spec + strlen("tcp:"), errp)) {
            return false;
        }
    } else if (g_str_has_prefix(spec, "unix:")) {
        rewrite_unix(out, spec + strlen("unix:"));
    } else {
        near = suggest_nearest(spec, forms);
        error_setg(errp, "'%s' names no character back end; %s%s%s", spec,
                   near ? "did you mean '" : "known are stdio, mon:stdio, null, none, pty, "
                   "file:PATH, tcp:HOST:PORT, unix:PATH, chardev:ID",
                   near ? near : "", near ? "'?" : "");
        return false;
    }
    if (ends_in_separator(out->str)) {
        error_setg(errp, "'%s' ends with a comma, but no option follows; leave it out, or double "
                   "it if it is part of the name", spec);
        return false;
    }
    return true;
}

/* mux=on in the options is looked at by chardev_create(); "mon:" implies it. */
static Chardev *open_new(ChardevSet *set, const char *spec, const char *id, bool mux,
                         Error **errp)
{
    g_autoptr(GString) options = g_string_new("");
    Error *err = NULL;
    Chardev *c;

    if (!chardev_rewrite(options, spec, errp)) {
        return NULL;
    }
    g_string_append_printf(options, ",id=%s", id);
    if (mux) {
        g_string_append(options, ",mux=on");
        if (g_str_has_prefix(options->str, "stdio") && !strstr(options->str, "signal=")) {
            g_string_append(options, ",signal=off");
        }
    }
    c = chardev_create(set, options->str, &err);
    error_propagate(errp, err);
    return c;
}

bool chardev_open(ChardevSet *set, const char *spec, const char *id, ChardevSpec *out,
                  Error **errp)
{
    bool monitor = g_str_has_prefix(spec, "mon:");
    Chardev *c;

    *out = (ChardevSpec){ NULL };
    if (monitor) {
        spec += strlen("mon:");
    }
    if (!strcmp(spec, "none") && !monitor) {
        return true;
    }
    if (g_str_has_prefix(spec, "chardev:")) {
        spec += strlen("chardev:");
        c = chardev_find(set, spec);
        if (!c) {
            error_setg(errp, "no chardev with id '%s'; -chardev KIND,id=%s makes one", spec, spec);
            return false;
        }
        if (monitor && c->type != &chardev_mux_type) {
            error_setg(errp, "chardev '%s' cannot be shared with a monitor without mux=on", spec);
            return false;
        }
    } else {
        c = open_new(set, spec, id, monitor, errp);
    }
    if (!c) {
        return false;
    }
    out->chr = chardev_claim(c, errp);
    if (out->chr && monitor) {
        out->monitor = chardev_claim(c, errp);
    }
    return out->chr != NULL;
}
