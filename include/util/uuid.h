/*
 * Universally unique identifiers (RFC 4122) as text and as the 16 bytes of it, in order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_UUID_H
#define UTIL_UUID_H

#include "util/osdep.h"

#define UUID_SIZE 16

/* False, and out as it was, when text has not the form 550e8400-e29b-41d4-a716-446655440000. */
bool uuid_parse(const char *text, uint8_t out[UUID_SIZE]);
/* In lower case; to be freed. */
char *uuid_format(const uint8_t uuid[UUID_SIZE]);

#endif
