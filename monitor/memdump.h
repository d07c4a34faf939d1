/*
 * The formats of x, xp and p: "/COUNT FORMAT SIZE", and how values look.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_MEMDUMP_H
#define MONITOR_MEMDUMP_H

#include <glib.h>
#include "util/error.h"

#define MEMDUMP_MAX_BYTES 65536

typedef struct MemFormat {
    unsigned count;
    char format;       /* x d u o c i */
    unsigned size;     /* bytes: 1, 2, 4, 8 */
} MemFormat;

/* "10i", "4xg", "" ... on top of the defaults in *f. */
bool memformat_parse(const char *text, MemFormat *f, Error **errp);

/* One value; size bytes count. */
void memformat_value(const MemFormat *f, uint64_t value, GString *out);

/* Lines of 16 bytes (8 with 'c'), each after its address; not for 'i'. */
void memformat_dump(const MemFormat *f, uint64_t addr, const uint8_t *data, GString *out);

#endif
