/*
 * Formats of memory and values.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/memdump.h"

bool memformat_parse(const char *text, MemFormat *f, Error **errp)
{
    const char *p = text;
    uint64_t count = 0;
    bool sized = false;

    for (; g_ascii_isdigit(*p); p++) {
        count = MIN(count * 10 + (uint64_t)(*p - '0'), MEMDUMP_MAX_BYTES + 1);
    }
    f->count = p != text ? (unsigned)count : f->count;
    for (; *p; p++) {
        switch (*p) {
        case 'x': case 'd': case 'u': case 'o': case 'c': case 'i':
            f->format = *p;
            break;
        case 'b':
            f->size = 1;
            sized = true;
            break;
        case 'h':
            f->size = 2;
            sized = true;
            break;
        case 'w':
            f->size = 4;
            sized = true;
            break;
        case 'g':
            f->size = 8;
            sized = true;
            break;
        default:
            error_setg(errp, "'/%s': unknown format letter '%c'; formats are x d u o c i, sizes "
                       "b h w g", text, *p);
            return false;
        }
    }
    if (f->format == 'c' && !sized) {
        f->size = 1;
    } else if (f->format == 'i') {
        f->size = 4;
    }
    if ((uint64_t)f->count * f->size > MEMDUMP_MAX_BYTES) {
        error_setg(errp, "'/%s' is too much: at most %d bytes", text, MEMDUMP_MAX_BYTES);
        return false;
    }
    return true;
}

static void put_char(uint8_t c, GString *out)
{
    switch (c) {
    case '\n': g_string_append(out, "'\\n'"); break;
    case '\r': g_string_append(out, "'\\r'"); break;
    case '\t': g_string_append(out, "'\\t'"); break;
    case '\'': g_string_append(out, "'\\''"); break;
    case '\\': g_string_append(out, "'\\\\'"); break;
    default:
        if (g_ascii_isprint(c)) {
            g_string_append_printf(out, "'%c'", c);
        } else {
            g_string_append_printf(out, "'\\x%02x'", c);
        }
    }
}

void memformat_value(const MemFormat *f, uint64_t value, GString *out)
{
    unsigned unused = 64 - f->size * 8;
    int64_t as_signed = (int64_t)(value << unused) >> unused;
    uint64_t as_unsigned = value << unused >> unused;

    switch (f->format) {
    case 'd':
        g_string_append_printf(out, "%" PRId64, as_signed);
        break;
    case 'u':
        g_string_append_printf(out, "%" PRIu64, as_unsigned);
        break;
    case 'o':
        g_string_append_printf(out, "0%0*" PRIo64, (int)(f->size * 8 + 2) / 3, as_unsigned);
        break;
    case 'c':
        put_char((uint8_t)value, out);
        break;
    default:
        g_string_append_printf(out, "0x%0*" PRIx64, (int)f->size * 2, as_unsigned);
    }
}

void memformat_dump(const MemFormat *f, uint64_t addr, const uint8_t *data, GString *out)
{
    unsigned per_line = f->format == 'c' ? 8 : 16 / f->size;

    for (unsigned i = 0; i < f->count; i++) {
        uint64_t value = 0;

        for (unsigned b = 0; b < f->size; b++) {
            value |= (uint64_t)data[i * f->size + b] << (b * 8);
        }
        if (i % per_line == 0) {
            g_string_append_printf(out, "%s%016" PRIx64 ":", i ? "\n" : "",
                                   addr + (uint64_t)i * f->size);
        }
        g_string_append_c(out, ' ');
        memformat_value(f, value, out);
    }
    g_string_append_c(out, '\n');
}
