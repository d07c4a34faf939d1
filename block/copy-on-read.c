/*
 * copy-on-read: what is read from a backing image stays in the image on top.
 *
 *   driver=copy-on-read,file.driver=qcow2,file.file.filename=top.qcow2
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block-int.h"

/* So much is copied at once, at most. */
#define PIECE (1u << 20)

static bool cor_open(BlockNode *n, KeyVal *options, const char *prefix, Error **errp)
{
    n->bytes = n->file->bytes;
    n->cluster_bytes = n->file->cluster_bytes;
    return true;
}

/* [offset, offset + length) of whole clusters comes into the image. */
static int copy(BlockNode *file, uint64_t offset, uint64_t length)
{
    g_autofree uint8_t *data = g_malloc(MIN(length, PIECE));

    for (uint64_t done = 0; done < length; ) {
        size_t part = (size_t)MIN(length - done, PIECE);
        int rc = block_read(file, offset + done, data, part);

        rc = rc ? rc : block_write(file, offset + done, data, part);
        if (rc) {
            return rc;
        }
        done += part;
    }
    return 0;
}

/* What of [offset, offset + length) the image does not have itself. */
static int copy_missing(BlockNode *file, uint64_t offset, uint64_t length)
{
    uint64_t cluster = MAX(file->cluster_bytes, 1), end = offset + length;

    offset -= offset % cluster;
    end = MIN((end + cluster - 1) / cluster * cluster, file->bytes);
    while (offset < end) {
        BlockExtent e, deep;
        int rc = block_extent(file, offset, end - offset, &e);

        if (rc == 0 && !e.allocated) {
            /* What no layer has need not be copied: it stays zeros. */
            rc = block_extent_deep(file, offset, e.bytes, &deep);
            e.bytes = rc ? e.bytes : deep.bytes;
            rc = rc || !deep.allocated ? rc : copy(file, offset, e.bytes);
        }
        if (rc) {
            return rc;
        }
        offset += e.bytes;
    }
    return 0;
}

static int cor_read(BlockNode *n, uint64_t offset, void *out, size_t length)
{
    /* A full disk does not keep anybody from reading. */
    if (block_is_writable(n->file) && n->file->backing) {
        copy_missing(n->file, offset, length);
    }
    return block_read(n->file, offset, out, length);
}

const BlockDriver block_copy_on_read = {
    .name = "copy-on-read", .doc = "what is read from a backing file stays in the image; file.driver=qcow2,...",
    .size = sizeof(BlockNode), .filter = true,
    .open = cor_open, .read = cor_read,
};
