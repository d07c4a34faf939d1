/*
 * JSON text. json-c's own writer passes bytes that are not UTF-8 on, and spaces its output
 * differently from what scripts look for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <json-c/linkhash.h>
#include <math.h>
#include "qapi/json.h"

typedef struct Writer {
    GString *out;
    bool pretty;
    const char *newline;
    unsigned depth;
} Writer;

static void write_value(Writer *w, json_object *value);

static void write_unit(GString *out, unsigned unit)
{
    g_string_append_printf(out, "\\u%04X", unit);
}

static void write_char(GString *out, gunichar c)
{
    static const char escapes[] = "\bb\ff\nn\rr\tt\"\"\\\\";
    const char *escape = c && c < 0x80 ? strchr(escapes, (int)c) : NULL;

    /* Every second one is what stands behind the backslash. */
    if (escape && (escape - escapes) % 2 == 0) {
        g_string_append_c(out, '\\');
        g_string_append_c(out, escape[1]);
    } else if (c >= 0x10000) {
        write_unit(out, 0xd800 + ((c - 0x10000) >> 10));
        write_unit(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
    } else if (c < 0x20 || c >= 0x7f) {
        write_unit(out, c);
    } else {
        g_string_append_c(out, (char)c);
    }
}

static void write_string(GString *out, const char *text, size_t length)
{
    const char *end = text + length;

    g_string_append_c(out, '"');
    while (text < end) {
        gunichar c = *text ? g_utf8_get_char_validated(text, end - text) : 0;

        /* (gunichar)-1 and -2: not UTF-8. */
        if (c > 0x10ffff) {
            write_unit(out, 0xfffd);
            text++;
        } else {
            write_char(out, c);
            text = *text ? g_utf8_next_char(text) : text + 1;
        }
    }
    g_string_append_c(out, '"');
}

static void write_double(GString *out, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(out, isfinite(value) ? g_ascii_dtostr(text, sizeof(text), value) : "0");
}

/* In front of an element, or of the closing bracket. */
static void separate(Writer *w, bool first, bool last)
{
    if (!first && !last) {
        g_string_append(w->out, w->pretty ? "," : ", ");
    }
    if (w->pretty && !(first && last)) {
        g_string_append_printf(w->out, "%s%*s", w->newline, (int)(4 * w->depth), "");
    }
}

static void write_array(Writer *w, json_object *array)
{
    size_t length = json_object_array_length(array);

    g_string_append_c(w->out, '[');
    w->depth++;
    for (size_t i = 0; i < length; i++) {
        separate(w, i == 0, false);
        write_value(w, json_object_array_get_idx(array, i));
    }
    w->depth--;
    separate(w, length == 0, true);
    g_string_append_c(w->out, ']');
}

static void write_object(Writer *w, json_object *object)
{
    bool first = true;

    g_string_append_c(w->out, '{');
    w->depth++;
    json_object_object_foreach(object, name, value) {
        separate(w, first, false);
        write_string(w->out, name, strlen(name));
        g_string_append(w->out, ": ");
        write_value(w, value);
        first = false;
    }
    w->depth--;
    separate(w, first, true);
    g_string_append_c(w->out, '}');
}

static void write_value(Writer *w, json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_null:
        g_string_append(w->out, "null");
        break;
    case json_type_string:
        write_string(w->out, json_object_get_string(value),
                     (size_t)json_object_get_string_len(value));
        break;
    case json_type_array:
        write_array(w, value);
        break;
    case json_type_object:
        write_object(w, value);
        break;
    case json_type_double:
        write_double(w->out, json_object_get_double(value));
        break;
    default:
        /* Integers and booleans: json-c's text is ASCII. */
        g_string_append(w->out, json_object_to_json_string(value));
        break;
    }
}

void json_write(GString *out, json_object *value, bool pretty, const char *newline)
{
    Writer w = { .out = out, .pretty = pretty, .newline = newline };

    write_value(&w, value);
}
