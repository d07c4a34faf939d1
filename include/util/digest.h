/*
 * State digests: XXH3, 64 bits, streaming. Equal input gives equal digests on
 * every host.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_DIGEST_H
#define UTIL_DIGEST_H

#include "util/osdep.h"

typedef struct Digest Digest;

/* The caller's, until digest_free() (which takes NULL). */
Digest *digest_new(void);
void digest_free(Digest *d);
/* Back to the digest of nothing. */
void digest_reset(Digest *d);
/* Add bytes: how they are cut into calls makes no difference. */
void digest_update(Digest *d, const void *data, size_t length);
/* Adds the value as eight little-endian bytes. */
void digest_u64(Digest *d, uint64_t value);
/* The digest of all that was added; more may be added afterwards. */
uint64_t digest_value(const Digest *d);

/* The digest of one block of bytes. */
uint64_t digest_block(const void *data, size_t length);

#endif
