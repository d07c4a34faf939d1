/*
 * null-co: a disk of zeros that forgets what is written. For tests and benchmarks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block-int.h"

#define DEFAULT_BYTES (1ull << 30)

static bool null_open(BlockNode *n, KeyVal *options, const char *prefix, Error **errp)
{
    const char *size = block_option(options, prefix, "size");

    n->bytes = DEFAULT_BYTES;
    if (size && (!parse_size(size, 1, &n->bytes) || n->bytes > BLOCK_MAX_BYTES)) {
        error_setg(errp, "null-co: size=%s is no size of a disk", size);
        return false;
    }
    block_option(options, prefix, "read-zeroes");   /* they always are */
    return true;
}

static int null_read(BlockNode *n, uint64_t offset, void *out, size_t length)
{
    memset(out, 0, length);
    return 0;
}

static int null_write(BlockNode *n, uint64_t offset, const void *data, size_t length)
{
    return 0;
}

static int null_write_zeroes(BlockNode *n, uint64_t offset, uint64_t length, bool unmap)
{
    return 0;
}

static int null_flush(BlockNode *n)
{
    return 0;
}

static int null_resize(BlockNode *n, uint64_t bytes)
{
    n->bytes = bytes;
    return 0;
}

static int null_extent(BlockNode *n, uint64_t offset, uint64_t length, BlockExtent *out)
{
    out->zero = true;
    return 0;
}

const BlockDriver block_null = {
    .name = "null-co", .doc = "zeros; what is written is forgotten", .size = sizeof(BlockNode),
    .protocol = true,
    .open = null_open, .read = null_read, .write = null_write, .write_zeroes = null_write_zeroes,
    .flush = null_flush, .resize = null_resize, .extent = null_extent,
};
