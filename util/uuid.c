/*
 * Universally unique identifiers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/uuid.h"
#include <glib.h>

bool uuid_parse(const char *text, uint8_t out[UUID_SIZE])
{
    if (!g_uuid_string_is_valid(text)) {
        return false;
    }
    for (unsigned i = 0; i < UUID_SIZE; i++) {
        text += *text == '-';
        out[i] = (uint8_t)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
        text += 2;
    }
    return true;
}

char *uuid_format(const uint8_t uuid[UUID_SIZE])
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < UUID_SIZE; i++) {
        g_string_append_printf(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                               uuid[i]);
    }
    return g_string_free(text, FALSE);
}
