/*
 * Where a JSON message ends: brackets are counted outside of strings, and json-c parses what
 * stands between the outermost ones.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <json-c/json_tokener.h>
#include "qapi/json.h"

#define RESET_BYTE 0xff

struct JsonStream {
    JsonMessage *message;
    void *opaque;
    GString *text;         /* the message so far, strings in double quotes */
    unsigned depth;        /* of brackets */
    char quote;            /* that ends the string; 0: outside */
    bool escaped;          /* behind a backslash */
    char *problem;         /* why the message is refused; its bytes are not kept */
};

JsonStream *json_stream_new(JsonMessage *message, void *opaque)
{
    JsonStream *s = g_new0(JsonStream, 1);

    s->message = message;
    s->opaque = opaque;
    s->text = g_string_new("");
    return s;
}

void json_stream_reset(JsonStream *s)
{
    g_string_truncate(s->text, 0);
    g_clear_pointer(&s->problem, g_free);
    s->depth = 0;
    s->quote = 0;
    s->escaped = false;
}

void json_stream_free(JsonStream *s)
{
    if (s) {
        g_string_free(s->text, TRUE);
        g_free(s->problem);
        g_free(s);
    }
}

/* ---- the end of a message ---- */

static json_object *parse(const GString *text, Error **errp)
{
    struct json_tokener *tokener = json_tokener_new_ex(JSON_MAX_DEPTH + 1);
    json_object *value;
    enum json_tokener_error error;

    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    /* With its NUL, which ends a number that nothing else follows. */
    value = json_tokener_parse_ex(tokener, text->str, (int)text->len + 1);
    error = json_tokener_get_error(tokener);
    json_tokener_free(tokener);
    if (error != json_tokener_success) {
        error_setg(errp, "JSON parse error, %s", error == json_tokener_continue
                   ? "the message is incomplete" : json_tokener_error_desc(error));
    }
    return value;
}

static void end_message(JsonStream *s)
{
    json_object *value = NULL;
    Error *err = NULL;

    if (s->problem) {
        error_setg(&err, "JSON parse error, %s", s->problem);
    } else {
        value = parse(s->text, &err);
    }
    json_stream_reset(s);
    s->message(s->opaque, value, err);
    json_object_put(value);
}

static bool has_begun(const JsonStream *s)
{
    return s->text->len || s->problem;
}

static void refuse(JsonStream *s, const char *fmt, unsigned value)
{
    if (!s->problem) {
        s->problem = g_strdup_printf(fmt, value);
    }
}

/* ---- bytes ---- */

static void keep(JsonStream *s, char c)
{
    if (s->text->len >= JSON_MAX_MESSAGE) {
        refuse(s, "a message may have %u bytes", JSON_MAX_MESSAGE);
    }
    if (!s->problem) {
        g_string_append_c(s->text, c);
    }
}

static void string_byte(JsonStream *s, char c)
{
    if ((uint8_t)c < 0x20) {
        refuse(s, "control character 0x%02x in a string", (uint8_t)c);
        end_message(s);   /* the closing quote may never come */
    } else if (s->escaped) {
        s->escaped = false;
        if (c != '\'') {
            keep(s, '\\');
        }
        keep(s, c);
    } else if (c == '\\') {
        s->escaped = true;
    } else if (c == s->quote) {
        s->quote = 0;
        keep(s, '"');
        if (!s->depth) {
            end_message(s);
        }
    } else {
        if (c == '"') {
            keep(s, '\\');
        }
        keep(s, c);
    }
}

static void bracket(JsonStream *s, char c)
{
    if (c == '{' || c == '[') {
        if (++s->depth > JSON_MAX_DEPTH) {
            refuse(s, "more than %u brackets are open", JSON_MAX_DEPTH);
        }
        keep(s, c);
        return;
    }
    keep(s, c);
    if (s->depth) {
        s->depth--;
    }
    if (!s->depth) {
        end_message(s);
    }
}

/* json-c makes the nearest 64-bit integer of one that has no place in 64 bits. */
static void check_integer(JsonStream *s)
{
    const char *text = s->text->str, *end = text + s->text->len, *start = end;

    while (start > text && g_ascii_isdigit(start[-1])) {
        start--;
    }
    if (end - start < 19 || (start > text && strchr(".eE+", start[-1])) ||
        (start > text + 1 && start[-1] == '-' && g_ascii_isalpha(start[-2]))) {
        return;
    }
    errno = 0;
    if (start > text && start[-1] == '-') {
        g_ascii_strtoll(start - 1, NULL, 10);
    } else {
        g_ascii_strtoull(start, NULL, 10);
    }
    if (errno == ERANGE) {
        refuse(s, "an integer has more than %u bits", 64);
    }
}

/* Bytes of numbers and of true, false, null; with the brackets all there is outside of strings. */
static bool is_plain(char c)
{
    return c && strchr("0123456789+-.eEaflnrstu,:", c);
}

static void plain_byte(JsonStream *s, char c)
{
    if (c && strchr(" \t\r\n,]}", c)) {
        check_integer(s);
    }
    if (strchr("{}[]", c) && c) {
        if (!s->depth && has_begun(s)) {
            end_message(s);
        }
        bracket(s, c);
    } else if (c == '"' || c == '\'') {
        s->quote = c;
        keep(s, '"');
    } else if (strchr(" \t\r\n", c) && c) {
        if (s->depth) {
            keep(s, c);
        } else if (has_begun(s)) {
            end_message(s);
        }
    } else {
        if (!is_plain(c)) {
            refuse(s, "unexpected byte 0x%02x", (uint8_t)c);
        }
        keep(s, c);
    }
}

void json_stream_feed(JsonStream *s, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (data[i] == RESET_BYTE) {
            if (has_begun(s)) {
                refuse(s, "byte 0x%02x ends the message", RESET_BYTE);
                end_message(s);
            }
        } else if (s->quote) {
            string_byte(s, (char)data[i]);
        } else {
            plain_byte(s, (char)data[i]);
        }
    }
}
