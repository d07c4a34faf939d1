/*
 * Which back end a serial port and a monitor get.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/char-port.h"
#include "system/options-handlers.h"
#include "system/session.h"

static bool uses_stdio(const GPtrArray *specs)
{
    for (unsigned i = 0; i < specs->len; i++) {
        const char *spec = g_ptr_array_index(specs, i);

        if (g_str_has_prefix(spec, "stdio") || g_str_has_prefix(spec, "mon:stdio")) {
            return true;
        }
    }
    return false;
}

static bool monitor_uses_stdio(const GPtrArray *monitors)
{
    g_autoptr(GPtrArray) devices = g_ptr_array_new();

    for (unsigned i = 0; i < monitors->len; i++) {
        g_ptr_array_add(devices, ((MonitorOption *)g_ptr_array_index(monitors, i))->device);
    }
    return uses_stdio(devices);
}

static bool has_mon(const GPtrArray *specs)
{
    for (unsigned i = 0; i < specs->len; i++) {
        if (g_str_has_prefix(g_ptr_array_index(specs, i), "mon:")) {
            return true;
        }
    }
    return false;
}

/* Without a word about it, console and monitor share the terminal, as with -nographic. */
static void add_defaults(Options *o)
{
    bool taken = uses_stdio(o->serials) || monitor_uses_stdio(o->monitors) ||
                 uses_stdio(o->chardevs);
    bool monitor = o->monitors->len || has_mon(o->serials);

    if (o->nodefaults || o->daemonize || taken || (o->display_none && !o->nographic)) {
        return;
    }
    if (o->serials->len == 0) {
        g_ptr_array_add(o->serials, g_strdup(monitor ? "stdio" : "mon:stdio"));
        o->serial_default = true;
    } else if (!monitor && o->nographic) {
        opt_monitor(o, "stdio", NULL);
    }
}

static void add_monitor(Session *s, Chardev *chr, MonitorMode mode)
{
    const SessionMonitor m = { chr, mode };

    g_array_append_val(s->monitor_chrs, m);
}

static bool open_serials(Session *s, Error **errp)
{
    const GPtrArray *specs = s->options->serials;

    for (unsigned i = 0; i < specs->len; i++) {
        const char *spec = g_ptr_array_index(specs, i);
        g_autofree char *id = g_strdup_printf("serial%u", i);
        ChardevSpec out;

        if (!chardev_open(s->chardevs, spec, id, &out, errp)) {
            error_prepend(errp, "-serial: ");
            return false;
        }
        g_ptr_array_add(s->serial, out.chr);
        if (out.monitor) {
            add_monitor(s, out.monitor, MONITOR_HMP);
        }
    }
    return true;
}

static bool open_monitors(Session *s, Error **errp)
{
    for (unsigned i = 0; i < s->options->monitors->len; i++) {
        const MonitorOption *option = g_ptr_array_index(s->options->monitors, i);
        const char *spec = option->device;
        g_autofree char *id = g_strdup_printf("monitor%u", i);
        ChardevSpec out;

        if (g_str_has_prefix(spec, "mon:")) {
            spec += strlen("mon:");
        }
        if (!chardev_open(s->chardevs, spec, id, &out, errp)) {
            error_prepend(errp, option->mode == MONITOR_HMP ? "-monitor: " : "-qmp: ");
            return false;
        }
        if (out.chr) {
            add_monitor(s, out.chr, option->mode);
        }
    }
    return true;
}

bool session_check_gdb(const Session *s, Error **errp)
{
    if (s->options->gdb && !s->machine->num_cpus) {
        error_setg(errp, "-gdb %s: this machine has no CPU to debug; -cpu MODEL gives it one",
                   s->options->gdb);
        return false;
    }
    return true;
}

/* A debugger may come at any time: wait=off unless the user says otherwise. */
bool session_open_gdb(Session *s, Error **errp)
{
    const char *device = s->options->gdb;
    g_autofree char *spec = NULL;
    ChardevSpec out;

    if (!device) {
        return true;
    }
    if (s->machine && !session_check_gdb(s, errp)) {
        return false;
    }
    if (g_str_has_prefix(device, "tcp:") || g_str_has_prefix(device, "unix:")) {
        spec = g_strdup_printf("%s,server=on%s%s", device,
                               strstr(device, "wait") ? "" : ",wait=off",
                               device[0] == 't' ? ",nodelay" : "");
        device = spec;
    }
    if (!chardev_open(s->chardevs, device, "gdb", &out, errp)) {
        error_prepend(errp, "-gdb: ");
        return false;
    }
    s->gdb_chr = out.chr;
    return true;
}

/* In the background there is no terminal. */
static bool check_daemon(const Options *o, Error **errp)
{
    if (o->daemonize && ((o->nographic && !o->nodefaults) || uses_stdio(o->serials) ||
                         uses_stdio(o->chardevs) || monitor_uses_stdio(o->monitors))) {
        error_setg(errp, "-daemonize: in the background nothing can be on stdio; -display none and "
                   "-serial file:, pty, tcp: or unix: go together with it");
        return false;
    }
    return true;
}

bool session_open_chardevs(Session *s, Error **errp)
{
    Options *o = s->options;

    if (!check_daemon(o, errp)) {
        return false;
    }
    add_defaults(o);
    if (o->escape >= 0) {
        chardev_set_escape(s->chardevs, (uint8_t)o->escape);
    }
    for (unsigned i = 0; i < o->chardevs->len; i++) {
        if (!chardev_create(s->chardevs, g_ptr_array_index(o->chardevs, i), errp)) {
            return false;
        }
    }
    return open_serials(s, errp) && open_monitors(s, errp) && session_open_gdb(s, errp);
}

bool session_check_serial(const Session *s, Error **errp)
{
    unsigned ports = s->machine->serial->len;

    /* Nobody asked for the default one, so it may stay without a port. */
    for (unsigned i = ports; i < s->serial->len && !s->options->serial_default; i++) {
        if (g_ptr_array_index(s->serial, i)) {
            error_setg(errp, "-serial %s: machine '%s' has only %u serial port%s",
                       (const char *)g_ptr_array_index(s->options->serials, i), s->board->name,
                       ports, ports == 1 ? "" : "s");
            return false;
        }
    }
    return true;
}

bool session_claim_chardevs(Session *s, Error **errp)
{
    for (unsigned i = 0; i < s->machine->char_links->len; i++) {
        CharLink *link = &g_array_index(s->machine->char_links, CharLink, i);
        Chardev *c = chardev_find(s->chardevs, link->chardev);

        /* A replay has the port's input, and needs nobody to see its output. */
        if (!c && s->options->replay.mode == REPLAY_MODE_PLAY) {
            continue;
        }
        if (!c) {
            error_setg(errp, "device '%s': there is no chardev '%s': -chardev KIND,id=%s makes one", link->dev->id,
                       link->chardev, link->chardev);
            return false;
        }
        link->chr = chardev_claim(c, errp);
        if (!link->chr) {
            error_prepend(errp, "device '%s': ", link->dev->id);
            return false;
        }
    }
    return true;
}

void session_attach_serial(Session *s)
{
    for (unsigned i = 0; i < s->machine->char_links->len; i++) {
        const CharLink *link = &g_array_index(s->machine->char_links, CharLink, i);

        if (link->chr) {
            char_port_attach(link->port, link->chr);
        }
    }
    for (unsigned i = 0; i < s->serial->len && i < s->machine->serial->len; i++) {
        Chardev *chr = g_ptr_array_index(s->serial, i);

        if (chr) {
            char_port_attach(g_ptr_array_index(s->machine->serial, i), chr);
            chardev_take_focus(chr);
        }
    }
    /* The terminal is shared by monitor and serial port: without the port it is the monitor's. */
    if (!s->machine->serial->len && s->options->serial_default && s->monitor_chrs->len) {
        chardev_take_focus(g_array_index(s->monitor_chrs, SessionMonitor, 0).chr);
    }
}

void session_detach_serial(Session *s)
{
    for (unsigned i = 0; i < s->machine->char_links->len; i++) {
        char_port_attach(g_array_index(s->machine->char_links, CharLink, i).port, NULL);
    }
    for (unsigned i = 0; i < s->machine->serial->len; i++) {
        char_port_attach(g_ptr_array_index(s->machine->serial, i), NULL);
    }
}
