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
    return end <= n->file->bytes ? 0 : block_set_bytes(n->file, end);
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
           : block_set_bytes(n->file, raw(n)->offset + bytes);

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

/* ---- making one ---- */

static const BlockCreateOption create_options[] = {
    { "preallocation", "str", "Preallocation mode (off, falloc, full)" },
    { "size", "size", "Virtual disk size" },
    { NULL }
};

static int raw_preallocate(BlockNode *n, uint64_t offset, uint64_t length, BlockPreallocation mode)
{
    static const uint8_t zeros[65536];
    int rc = mode == BLOCK_PREALLOCATE_METADATA ? -ENOTSUP : raw_extend(n, raw(n)->offset + offset + length);

    if (mode == BLOCK_PREALLOCATE_FALLOC) {
        return rc ? rc : block_write_zeroes(n->file, raw(n)->offset + offset, length, false);
    }
    for (uint64_t done = 0; done < length && rc == 0; done += sizeof(zeros)) {
        rc = raw_write(n, offset + done, zeros, (size_t)MIN(length - done, sizeof(zeros)));
    }
    return rc;
}

static bool raw_create(const char *filename, KeyVal *options, Error **errp)
{
    const char *text = keyval_get(options, "size"), *room = keyval_get(options, "preallocation");
    BlockPreallocation mode = BLOCK_PREALLOCATE_OFF;
    uint64_t size;
    BlockNode *n;
    int rc;

    if (!text || !parse_size(text, 1, &size) || size > BLOCK_MAX_BYTES) {
        error_setg(errp, "size=%s is no size of a disk", text ? text : "");
        return false;
    }
    size = (size + SECTOR - 1) / SECTOR * SECTOR;
    if ((room && !block_parse_preallocation(room, &mode, errp)) || !keyval_check_unused(options, "-o", errp) ||
        !block_create_file(filename, size, errp)) {
        return false;
    }
    n = mode ? block_open_image(filename, "raw", BLOCK_WRITABLE, errp) : NULL;
    rc = n ? block_preallocate(n, 0, size, mode) : 0;
    if (rc) {
        error_setg_errno(errp, -rc, "cannot preallocate '%s' (%s)", filename, room);
    }
    block_close(n);
    return rc == 0 && (n || !mode);
}

const BlockDriver block_raw = {
    .name = "raw", .doc = "the file is the disk; offset=BYTES, size=BYTES", .size = sizeof(RawNode),
    .open = raw_open, .read = raw_read, .write = raw_write, .write_zeroes = raw_write_zeroes,
    .discard = raw_discard, .resize = raw_resize, .extent = raw_extent,
    .preallocate = raw_preallocate, .create = raw_create, .create_options = create_options,
};
