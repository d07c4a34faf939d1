/*
 * The multiplexer: several clients on one back end. Output of all is shown; input goes
 * to the one that has the focus. Keys after the escape character are commands.
 *
 * The multiplexer is the back end's client and takes over its id; each of its own
 * clients gets a port, a Chardev of its own kind.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/chardev-int.h"
#include "util/host-clock.h"

typedef struct CharMux {
    Chardev chr;
    Chardev *base;
    GPtrArray *ports;        /* Chardev *, not owned (the set owns them) */
    unsigned focus;
    bool got_escape;

    GMutex output_lock;      /* guards the time stamps' state and the order of output */
    bool stamps;
    int64_t stamps_start;
    bool line_start;
} CharMux;

typedef struct CharMuxPort {
    Chardev chr;
    CharMux *mux;
} CharMuxPort;

static const ChardevType mux_port_type;

static Chardev *mux_focused(CharMux *m)
{
    return m->ports->len ? g_ptr_array_index(m->ports, m->focus) : NULL;
}

static void mux_notify_focus(CharMux *m, bool in)
{
    Chardev *c = mux_focused(m);

    if (c && c->client && c->client->focus) {
        c->client->focus(c->client_opaque, in);
    }
}

static void mux_set_focus(CharMux *m, unsigned focus)
{
    if (focus != m->focus) {
        mux_notify_focus(m, false);
        m->focus = focus;
        mux_notify_focus(m, true);
    }
}

/* ---- output ---- */

static void mux_write_stamp(CharMux *m)
{
    int64_t ms = (host_monotonic_ns() - m->stamps_start) / 1000000;
    char stamp[48];

    snprintf(stamp, sizeof(stamp), "[%02d:%02d:%02d.%03d] ", (int)(ms / 3600000),
             (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000));
    chardev_puts(m->base, stamp);
}

static void mux_write_now(Chardev *c, const uint8_t *data, size_t length)
{
    CharMux *m = container_of(c, CharMux, chr);

    g_mutex_lock(&m->output_lock);
    if (!m->stamps) {
        chardev_write(m->base, data, length);
    }
    while (m->stamps && length) {
        const uint8_t *end = memchr(data, '\n', length);
        size_t n = end ? (size_t)(end - data) + 1 : length;

        if (m->line_start) {
            mux_write_stamp(m);
        }
        m->line_start = end != NULL;
        chardev_write(m->base, data, n);
        data += n;
        length -= n;
    }
    g_mutex_unlock(&m->output_lock);
}

static void mux_port_write_now(Chardev *c, const uint8_t *data, size_t length)
{
    mux_write_now(&container_of(c, CharMuxPort, chr)->mux->chr, data, length);
}

/* ---- input ---- */

static void mux_help(CharMux *m)
{
    uint8_t escape = m->chr.set->escape;
    char key[16];
    g_autofree char *text = NULL;

    if (escape >= 1 && escape <= 26) {
        snprintf(key, sizeof(key), "C-%c", 'a' + escape - 1);
    } else {
        snprintf(key, sizeof(key), "0x%02x", escape);
    }
    text = g_strdup_printf("\r\n"
                           "%s h    print this help\r\n"
                           "%s x    quit the emulator\r\n"
                           "%s b    send a break\r\n"
                           "%s c    switch between console and monitor\r\n"
                           "%s t    toggle time stamps on output lines\r\n"
                           "%s %s  send %s\r\n", key, key, key, key, key, key, key, key);
    chardev_puts(m->base, text);
}

static void mux_toggle_stamps(CharMux *m)
{
    g_mutex_lock(&m->output_lock);
    m->stamps = !m->stamps;
    m->stamps_start = host_monotonic_ns();
    m->line_start = false;
    g_mutex_unlock(&m->output_lock);
}

/* A key after the escape character; true when it is to be sent on. */
static bool mux_command(CharMux *m, uint8_t key)
{
    ChardevSet *set = m->chr.set;

    if (key == set->escape) {
        return true;
    }
    switch (key) {
    case 'h':
    case '?':
        mux_help(m);
        break;
    case 'x':
        chardev_puts(m->base, "\r\nrearm: terminated by Ctrl-a x\r\n");
        if (set->quit) {
            set->quit(set->quit_opaque);
        }
        break;
    case 'b':
        if (m->ports->len) {
            chardev_event(mux_focused(m), CHAR_EVENT_BREAK);
        }
        break;
    case 'c':
        if (m->ports->len) {
            mux_set_focus(m, (m->focus + 1) % m->ports->len);
        }
        break;
    case 't':
        mux_toggle_stamps(m);
        break;
    }
    return false;
}

static void mux_pass(CharMux *m, const uint8_t *data, size_t length)
{
    if (m->ports->len) {
        chardev_received(mux_focused(m), data, length);
    }
}

static void mux_receive(void *opaque, const uint8_t *data, size_t length)
{
    CharMux *m = opaque;
    size_t start = 0;

    for (size_t i = 0; i < length; i++) {
        if (m->got_escape) {
            m->got_escape = false;
            start = mux_command(m, data[i]) ? i : i + 1;
        } else if (data[i] == m->chr.set->escape) {
            mux_pass(m, data + start, i - start);
            m->got_escape = true;
            start = i + 1;
        }
    }
    if (!m->got_escape) {
        mux_pass(m, data + start, length - start);
    }
}

static size_t mux_can_receive(void *opaque)
{
    Chardev *c = mux_focused(opaque);

    return c ? chardev_room(c) : 0;
}

static void mux_base_event(void *opaque, CharEvent event)
{
    CharMux *m = opaque;

    if (event == CHAR_EVENT_BREAK) {
        if (m->ports->len) {
            chardev_event(mux_focused(m), event);
        }
        return;
    }
    m->chr.is_open = event == CHAR_EVENT_OPENED;
    for (unsigned i = 0; i < m->ports->len; i++) {
        chardev_event(g_ptr_array_index(m->ports, i), event);
    }
}

static const ChardevClient mux_client = {
    .can_receive = mux_can_receive,
    .receive = mux_receive,
    .event = mux_base_event,
};

/* ---- life ---- */

Chardev *chardev_mux_new(Chardev *base)
{
    char *id = base->id;
    Chardev *c;
    CharMux *m;

    base->id = g_strdup_printf("%s-base", id);
    base->claimed = true;
    c = chardev_new(base->set, &chardev_mux_type, id, NULL, NULL);
    g_free(id);
    m = container_of(c, CharMux, chr);
    m->base = base;
    m->ports = g_ptr_array_new();
    g_mutex_init(&m->output_lock);
    chardev_set_label(c, "mux:%s", chardev_label(base));
    chardev_set_client(base, &mux_client, m);
    return c;
}

Chardev *chardev_mux_port(Chardev *mux)
{
    CharMux *m = container_of(mux, CharMux, chr);
    g_autofree char *id = g_strdup_printf("%s-%u", mux->id, m->ports->len);
    Chardev *c = chardev_new(mux->set, &mux_port_type, id, NULL, NULL);

    container_of(c, CharMuxPort, chr)->mux = m;
    c->is_open = m->chr.is_open;
    c->claimed = true;
    chardev_set_label(c, "port of %s", mux->id);
    g_ptr_array_add(m->ports, c);
    return c;
}

Chardev *chardev_mux_base(Chardev *mux)
{
    return container_of(mux, CharMux, chr)->base;
}

bool chardev_mux_has_ports(Chardev *mux)
{
    return container_of(mux, CharMux, chr)->ports->len != 0;
}

void chardev_take_focus(Chardev *c)
{
    unsigned index;
    CharMux *m;

    if (c->type != &mux_port_type) {
        return;
    }
    m = container_of(c, CharMuxPort, chr)->mux;
    if (g_ptr_array_find(m->ports, c, &index)) {
        mux_set_focus(m, index);
    }
}

bool chardev_has_focus(Chardev *c)
{
    return c->type != &mux_port_type || mux_focused(container_of(c, CharMuxPort, chr)->mux) == c;
}

static void mux_close(Chardev *c)
{
    CharMux *m = container_of(c, CharMux, chr);

    if (m->ports) {
        g_ptr_array_unref(m->ports);
        g_mutex_clear(&m->output_lock);
    }
}

const ChardevType chardev_mux_type = {
    .name = "mux",
    .size = sizeof(CharMux),
    .close = mux_close,
    .write_now = mux_write_now,
};

static const ChardevType mux_port_type = {
    .name = "mux-port",
    .size = sizeof(CharMuxPort),
    .write_now = mux_port_write_now,
};
