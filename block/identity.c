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

static int add(BlockNode *n, XXH3_state_t *hash, uint64_t offset, uint64_t length, uint8_t *piece)
{
    int rc = 0;

    for (uint64_t done = 0; done < length && rc == 0; done += PIECE) {
        size_t part = (size_t)MIN(length - done, PIECE);

        rc = block_read(n, offset + done, piece, part);
        XXH3_64bits_update(hash, piece, part);
    }
    return rc;
}

static int add_samples(BlockNode *n, XXH3_state_t *hash, uint8_t *piece)
{
    uint64_t between = n->bytes - 2 * (uint64_t)ENDS, step = between / SAMPLES;
    int rc = add(n, hash, 0, ENDS, piece);

    for (unsigned i = 0; i < SAMPLES && rc == 0; i++) {
        uint64_t at = ENDS + i * step;

        rc = add(n, hash, at, MIN(SAMPLE, n->bytes - at), piece);
    }
    return rc ? rc : add(n, hash, n->bytes - ENDS, ENDS, piece);
}

char *block_identity(BlockNode *n, bool whole, Error **errp)
{
    XXH3_state_t *hash = XXH3_createState();
    uint8_t *piece = g_malloc(PIECE);
    char *text = NULL;
    int rc;

    XXH3_64bits_reset(hash);
    whole |= n->bytes <= 2 * (uint64_t)ENDS + SAMPLES * SAMPLE;
    rc = whole ? add(n, hash, 0, n->bytes, piece) : add_samples(n, hash, piece);
    if (rc < 0) {
        error_setg_errno(errp, -rc, "cannot read '%s'", n->filename);
    } else {
        text = g_strdup_printf("%" PRIu64 " bytes, %sxxh3:%016" PRIx64, n->bytes,
                               whole ? "" : "sampled ", (uint64_t)XXH3_64bits_digest(hash));
    }
    g_free(piece);
    XXH3_freeState(hash);
    return text;
}
