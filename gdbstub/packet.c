/*
 * Packets of gdb's remote protocol.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "gdbstub/packet.h"

enum { OUTSIDE, DATA, SUM_HIGH, SUM_LOW };

void gdb_parser_init(GdbParser *p)
{
    p->state = OUTSIDE;
    p->length = 0;
}

static void parser_data(GdbParser *p, uint8_t byte)
{
    p->sum += byte;
    if (!p->escaped && byte == '}') {
        p->escaped = true;
        return;
    }
    if (p->escaped) {
        byte ^= 0x20;
        p->escaped = false;
    }
    if (p->length == GDB_MAX_PACKET) {
        p->overflow = true;
        return;
    }
    p->data[p->length++] = byte;
}

static void parser_start(GdbParser *p)
{
    p->state = DATA;
    p->length = 0;
    p->sum = 0;
    p->escaped = p->overflow = false;
}

static GdbInput parser_outside(GdbParser *p, uint8_t byte)
{
    switch (byte) {
    case '$':
        parser_start(p);
        return GDB_INPUT_NONE;
    case '+':
        return GDB_INPUT_ACK;
    case '-':
        return GDB_INPUT_NAK;
    case 0x03:
        return GDB_INPUT_INTERRUPT;
    }
    return GDB_INPUT_NONE;
}

GdbInput gdb_parser_feed(GdbParser *p, uint8_t byte)
{
    int digit;

    switch (p->state) {
    case OUTSIDE:
        return parser_outside(p, byte);
    case DATA:
        if (byte == '#') {
            p->state = SUM_HIGH;
        } else if (byte == '$') {
            parser_start(p);   /* the rest of the packet before got lost */
        } else {
            parser_data(p, byte);
        }
        return GDB_INPUT_NONE;
    case SUM_HIGH:
    case SUM_LOW:
        digit = g_ascii_xdigit_value((char)byte);
        if (digit < 0) {
            p->state = OUTSIDE;
            return GDB_INPUT_BAD;
        }
        if (p->state == SUM_HIGH) {
            p->expected = (uint8_t)(digit << 4);
            p->state = SUM_LOW;
            return GDB_INPUT_NONE;
        }
        p->state = OUTSIDE;
        p->data[p->length] = 0;
        return (p->expected | digit) == p->sum && !p->overflow && !p->escaped
               ? GDB_INPUT_PACKET : GDB_INPUT_BAD;
    }
    return GDB_INPUT_NONE;
}

void gdb_packet_frame(GByteArray *out, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    uint8_t sum = 0;
    char tail[4];

    g_byte_array_append(out, (const uint8_t *)"$", 1);
    for (size_t i = 0; i < length; i++) {
        uint8_t pair[2] = { '}', bytes[i] ^ 0x20 };
        bool escape = memchr("#$}*", bytes[i], 4) != NULL;
        const uint8_t *piece = escape ? pair : bytes + i;

        g_byte_array_append(out, piece, escape ? 2 : 1);
        sum += piece[0] + (escape ? piece[1] : 0);
    }
    snprintf(tail, sizeof(tail), "#%02x", sum);
    g_byte_array_append(out, (const uint8_t *)tail, 3);
}

void gdb_put_hex(GString *out, const void *data, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;

    for (size_t i = 0; i < length; i++) {
        g_string_append_c(out, digits[bytes[i] >> 4]);
        g_string_append_c(out, digits[bytes[i] & 15]);
    }
}

bool gdb_get_hex(const char *text, void *out, size_t length)
{
    uint8_t *bytes = out;

    for (size_t i = 0; i < length; i++) {
        int high = g_ascii_xdigit_value(text[2 * i]);
        int low = high < 0 ? -1 : g_ascii_xdigit_value(text[2 * i + 1]);

        if (low < 0) {
            return false;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool gdb_get_number(const char **text, uint64_t *out)
{
    const char *p = *text;
    uint64_t value = 0;

    for (; g_ascii_isxdigit(*p); p++) {
        if (value >> 60) {
            return false;
        }
        value = value << 4 | (uint64_t)g_ascii_xdigit_value(*p);
    }
    *out = value;
    if (p == *text) {
        return false;
    }
    *text = p;
    return true;
}
