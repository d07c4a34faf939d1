/*
 * JSON on a byte stream: where a message ends, parsing it, and writing.
 *
 * What comes from the wire is bounded (JSON_MAX_MESSAGE, JSON_MAX_DEPTH) and has to be JSON as
 * RFC 8259 has it, in UTF-8. One thing more is taken, as QMP clients in shell scripts use it:
 * strings may stand in single quotes. A byte 0xff, which UTF-8 never has, ends whatever was
 * begun; so a client can get a stream in an unknown state back to the start of a message.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef QAPI_JSON_H
#define QAPI_JSON_H

#include <glib.h>
#include <json-c/json_object.h>
#include "util/error.h"

#define JSON_MAX_MESSAGE (1u << 20)
#define JSON_MAX_DEPTH 128

typedef struct JsonStream JsonStream;

/*
 * One message: the value (NULL is JSON's null; valid during the call), or err, which the
 * callee frees.
 */
typedef void JsonMessage(void *opaque, json_object *value, Error *err);

JsonStream *json_stream_new(JsonMessage *message, void *opaque);
void json_stream_free(JsonStream *s);
/* Forget what was begun, as for a new connection. */
void json_stream_reset(JsonStream *s);
/* Calls message() for each message that ends in data; it must not free s. */
void json_stream_feed(JsonStream *s, const uint8_t *data, size_t length);

/*
 * Append a value as QMP writes it: in ASCII, with a space behind ':' and ','; pretty: over
 * several lines that end with `newline`. Strings that are not UTF-8 get U+FFFD where they are
 * not, and numbers that JSON has no words for become 0.
 */
void json_write(GString *out, json_object *value, bool pretty, const char *newline);

#endif
