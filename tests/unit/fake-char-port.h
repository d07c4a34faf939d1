/*
 * Character ports without a back end, for device tests: a queue, what was written, and what a test types.
 * Include it in one file of a test that does not link chardev/.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_FAKE_CHAR_PORT_H
#define TESTS_UNIT_FAKE_CHAR_PORT_H

#include "chardev/char-port.h"

struct CharPort {
    const CharPortClient *client;
    void *opaque;
    GByteArray *in;
    GString *out;
    unsigned loads;
};

CharPort *char_port_new(Replay *r, const char *id, const CharPortClient *client, void *opaque)
{
    CharPort *p = g_new0(CharPort, 1);

    *p = (CharPort){ client, opaque, g_byte_array_new(), g_string_new(NULL), 0 };
    return p;
}

void char_port_free(CharPort *p)
{
    g_byte_array_unref(p->in);
    g_string_free(p->out, TRUE);
    g_free(p);
}

void char_port_write(CharPort *p, const uint8_t *data, size_t length)
{
    g_string_append_len(p->out, (const char *)data, (gssize)length);
}

void char_port_accept_input(CharPort *p)
{
    while (p->in->len) {
        guint n = MIN(p->client->can_receive(p->opaque), p->in->len);

        if (!n) {
            break;
        }
        p->client->receive(p->opaque, p->in->data, n);
        g_byte_array_remove_range(p->in, 0, n);
    }
}

GByteArray *char_port_queue(CharPort *p)
{
    return p->in;
}

void char_port_queue_loaded(CharPort *p)
{
    p->loads++;
}

static inline void fake_port_type(CharPort *p, const char *text)
{
    g_byte_array_append(p->in, (const uint8_t *)text, (guint)strlen(text));
    char_port_accept_input(p);
}

#endif
