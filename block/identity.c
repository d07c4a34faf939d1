/*
 * How a recording knows a disk image again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <xxhash.h>
#include "block-int.h"

/*
 * Whoever mounts a file system writes to its super block, which lies near the beginning of a disk or partition, and
 * a tool that makes an image writes all over it. So the ends and a net in between tell images apart.
 */
#define ENDS (8u << 20)
#define SAMPLES 1024u
#define SAMPLE 4096u
#define PIECE (1u << 20)

/* What cannot be read is not known: that is what is known of it. */
static void add(BlockNode *n, XXH3_state_t *hash, uint64_t offset, uint64_t length, uint8_t *piece)
{
    for (uint64_t done = 0; done < length; done += PIECE) {
        size_t part = (size_t)MIN(length - done, PIECE);

        if (block_read(n, offset + done, piece, part) < 0) {
            memset(piece, 0xee, part);
        }
        XXH3_64bits_update(hash, piece, part);
    }
}

static void add_samples(BlockNode *n, XXH3_state_t *hash, uint8_t *piece)
{
    uint64_t between = n->bytes - 2 * (uint64_t)ENDS, step = between / SAMPLES;

    add(n, hash, 0, ENDS, piece);
    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t at = ENDS + i * step;

        add(n, hash, at, MIN(SAMPLE, n->bytes - at), piece);
    }
    add(n, hash, n->bytes - ENDS, ENDS, piece);
}

char *block_identity(BlockNode *n, bool whole)
{
    XXH3_state_t *hash = XXH3_createState();
    uint8_t *piece = g_malloc(PIECE);
    char *text;

    n = block_below_filters(n);
    XXH3_64bits_reset(hash);
    whole |= n->bytes <= 2 * (uint64_t)ENDS + SAMPLES * SAMPLE;
    if (whole) {
        add(n, hash, 0, n->bytes, piece);
    } else {
        add_samples(n, hash, piece);
    }
    text = g_strdup_printf("%" PRIu64 " bytes, %sxxh3:%016" PRIx64, n->bytes, whole ? "" : "sampled ",
                           (uint64_t)XXH3_64bits_digest(hash));
    g_free(piece);
    XXH3_freeState(hash);
    return text;
}
