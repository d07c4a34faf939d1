/*
 * The framing of gdb's remote protocol (gdb manual, appendix E.1): "$DATA#CC", bytes
 * escaped with '}', acknowledgements, and the interrupt byte. Bounded: a packet that is
 * too long is swallowed and refused.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef GDBSTUB_PACKET_H
#define GDBSTUB_PACKET_H

#include <glib.h>
#include "util/osdep.h"

#define GDB_MAX_PACKET 16384

typedef enum GdbInput {
    GDB_INPUT_NONE,        /* more bytes are needed */
    GDB_INPUT_PACKET,      /* data and length hold one, checksum verified */
    GDB_INPUT_BAD,         /* damaged or too long: to be sent again */
    GDB_INPUT_ACK,
    GDB_INPUT_NAK,
    GDB_INPUT_INTERRUPT,   /* Ctrl-C */
} GdbInput;

typedef struct GdbParser {
    unsigned state;
    bool escaped, overflow;
    uint8_t sum, expected;
    size_t length;
    uint8_t data[GDB_MAX_PACKET + 1];   /* ends with a NUL that does not count */
} GdbParser;

void gdb_parser_init(GdbParser *p);
GdbInput gdb_parser_feed(GdbParser *p, uint8_t byte);

/* Append the framed packet. */
void gdb_packet_frame(GByteArray *out, const void *data, size_t length);

/* Hexadecimal: append; parse exactly `length` bytes (false: not hex, or too short). */
void gdb_put_hex(GString *out, const void *data, size_t length);
bool gdb_get_hex(const char *text, void *out, size_t length);
/* A hex number at *text, which moves behind it; false: no digit, or too large. */
bool gdb_get_number(const char **text, uint64_t *out);

#endif
