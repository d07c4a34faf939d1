/*
 * raw: the file is the disk, or a part of it (offset=, size=).
 *
 * Disks consist of sectors. Where the file ends within one, the rest of it reads as zeros, and writing
 * there makes the file longer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block-int.h"

#define SECTOR 512u

typedef struct RawNode {
    BlockNode node;
    uint64_t offset;
} RawNode;

static RawNode *raw(BlockNode *n)
{
    return container_of(n, RawNode, node);
}

static bool raw_size_option(KeyVal *options, const char *prefix, const char *key, uint64_t *out,
                            Error **errp)
{
    const char *text = block_option(options, prefix, key);

    if (text && (!parse_size(text, 1, out) || *out % SECTOR)) {
        error_setg(errp, "raw: %s=%s is not a multiple of %u bytes", key, text, SECTOR);
        return false;
    }
    return true;
}

static bool raw_open(BlockNode *n, KeyVal *options, const char *prefix, Error **errp)
{
    uint64_t there = (n->file->bytes + SECTOR - 1) / SECTOR * SECTOR, size = UINT64_MAX;
    RawNode *r = raw(n);

    if (!raw_size_option(options, prefix, "offset", &r->offset, errp) ||
        !raw_size_option(options, prefix, "size", &size, errp)) {
        return false;
    }
    if (r->offset > there || (size != UINT64_MAX && size > there - r->offset)) {
        error_setg(errp, "raw: offset and size go beyond the end of '%s', which has %" PRIu64 " bytes",
                   n->filename, n->file->bytes);
        return false;
    }
    n->bytes = size != UINT64_MAX ? size : there - r->offset;
    return true;
}

static int raw_read(BlockNode *n, uint64_t offset, void *out, size_t length)
{
    uint64_t at = raw(n)->offset + offset;
    uint64_t there = at < n->file->bytes ? n->file->bytes - at : 0;
    size_t part = (size_t)MIN(length, there);

    memset((char *)out + part, 0, length - part);
    return part ? block_read(n->file, at, out, part) : 0;
}

/* The file is to hold [.., end). */
static int raw_extend(BlockNode *n, uint64_t end)
{
    return end <= n->file->bytes ? 0 : n->file->driver->resize ? n->file->driver->resize(n->file, end)
                                                               : -ENOTSUP;
}

static int raw_write(BlockNode *n, uint64_t offset, const void *data, size_t length)
{
    uint64_t at = raw(n)->offset + offset;
    int rc = raw_extend(n, at + length);

    return rc ? rc : block_write(n->file, at, data, length);
}

static int raw_write_zeroes(BlockNode *n, uint64_t offset, uint64_t length, bool unmap)
{
    uint64_t at = raw(n)->offset + offset;
    int rc = raw_extend(n, at + length);

    return rc ? rc : block_write_zeroes(n->file, at, length, unmap);
}

static int raw_discard(BlockNode *n, uint64_t offset, uint64_t length)
{
    uint64_t at = raw(n)->offset + offset;

    return at >= n->file->bytes ? 0 : block_discard(n->file, at, MIN(length, n->file->bytes - at));
}

static int raw_resize(BlockNode *n, uint64_t bytes)
{
    int rc = raw(n)->offset + n->bytes < n->file->bytes ? -ENOTSUP   /* a part, with something behind it */
           : !n->file->driver->resize ? -ENOTSUP
           : n->file->driver->resize(n->file, raw(n)->offset + bytes);

    if (rc == 0) {
        n->bytes = bytes;
    }
    return rc;
}

static int raw_extent(BlockNode *n, uint64_t offset, uint64_t length, BlockExtent *out)
{
    uint64_t at = raw(n)->offset + offset;
    int rc = 0;

    if (at >= n->file->bytes) {
        out->zero = true;
        return 0;
    }
    rc = block_extent(n->file, at, MIN(length, n->file->bytes - at), out);
    out->allocated = true;
    out->has_offset = true;
    out->offset = at;
    return rc;
}

const BlockDriver block_raw = {
    .name = "raw", .doc = "the file is the disk; offset=BYTES, size=BYTES", .size = sizeof(RawNode),
    .open = raw_open, .read = raw_read, .write = raw_write, .write_zeroes = raw_write_zeroes,
    .discard = raw_discard, .resize = raw_resize, .extent = raw_extent,
};
