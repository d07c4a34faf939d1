/*
 * State digests on libxxhash's XXH3.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/digest.h"
#include <glib.h>
#include <xxhash.h>

struct Digest {
    XXH3_state_t *xxh;
};

Digest *digest_new(void)
{
    Digest *d = g_new0(Digest, 1);

    d->xxh = XXH3_createState();
    assert(d->xxh);
    digest_reset(d);
    return d;
}

void digest_free(Digest *d)
{
    if (d) {
        XXH3_freeState(d->xxh);
        g_free(d);
    }
}

void digest_reset(Digest *d)
{
    XXH3_64bits_reset(d->xxh);
}

void digest_update(Digest *d, const void *data, size_t length)
{
    if (length) {
        XXH3_64bits_update(d->xxh, data, length);
    }
}

void digest_u64(Digest *d, uint64_t value)
{
    uint64_t le = GUINT64_TO_LE(value);

    XXH3_64bits_update(d->xxh, &le, sizeof(le));
}

uint64_t digest_value(const Digest *d)
{
    return XXH3_64bits_digest(d->xxh);
}

uint64_t digest_block(const void *data, size_t length)
{
    return XXH3_64bits(data, length);
}
