/*
 * Disk images: reading and writing, the same for all drivers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block-int.h"

/* How much of zeros is written at once where a driver has no better way. */
#define ZERO_PIECE (1u << 20)

static void assert_inside(const BlockNode *n, uint64_t offset, uint64_t length)
{
    assert(offset <= n->bytes && length <= n->bytes - offset);
}

int block_read(BlockNode *n, uint64_t offset, void *out, size_t length)
{
    assert_inside(n, offset, length);
    return length ? n->driver->read(n, offset, out, length) : 0;
}

int block_read_backing(BlockNode *n, uint64_t offset, void *out, size_t length)
{
    uint64_t there = n->backing && offset < n->backing->bytes ? n->backing->bytes - offset : 0;
    size_t part = (size_t)MIN(length, there);

    if (part < length) {
        memset((char *)out + part, 0, length - part);
    }
    return part ? block_read(n->backing, offset, out, part) : 0;
}

static int check_writable(const BlockNode *n)
{
    return !block_is_writable(n) ? -EROFS : n->driver->write || n->driver->filter ? 0 : -ENOTSUP;
}

int block_write(BlockNode *n, uint64_t offset, const void *data, size_t length)
{
    int rc = check_writable(n);

    assert_inside(n, offset, length);
    if (rc || !length) {
        return rc;
    }
    return n->driver->write ? n->driver->write(n, offset, data, length)
                            : block_write(n->file, offset, data, length);
}

static int write_zero_pieces(BlockNode *n, uint64_t offset, uint64_t length)
{
    size_t piece = (size_t)MIN(length, ZERO_PIECE);
    uint8_t *zeros = g_malloc0(piece);
    int rc = 0;

    for (uint64_t done = 0; done < length && rc == 0; done += piece) {
        piece = MIN(piece, length - done);
        rc = n->driver->write(n, offset + done, zeros, piece);
    }
    g_free(zeros);
    return rc;
}

int block_write_zeroes(BlockNode *n, uint64_t offset, uint64_t length, bool unmap)
{
    int rc = check_writable(n);

    assert_inside(n, offset, length);
    if (rc || !length) {
        return rc;
    }
    if (n->driver->write_zeroes) {
        return n->driver->write_zeroes(n, offset, length, unmap);
    }
    return n->driver->filter ? block_write_zeroes(n->file, offset, length, unmap)
                             : write_zero_pieces(n, offset, length);
}

int block_discard(BlockNode *n, uint64_t offset, uint64_t length)
{
    int rc = check_writable(n);

    assert_inside(n, offset, length);
    if (rc || !length) {
        return rc;
    }
    return n->driver->discard ? n->driver->discard(n, offset, length)
         : n->driver->filter ? block_discard(n->file, offset, length) : 0;
}

int block_flush(BlockNode *n)
{
    if (!block_is_writable(n)) {
        return 0;
    }
    if (n->driver->protocol && n->flags & BLOCK_UNSAFE) {
        return 0;
    }
    return n->driver->flush ? n->driver->flush(n) : n->file ? block_flush(n->file) : 0;
}

bool block_has_rules(const BlockNode *n)
{
    while (n->driver->filter && !n->driver->admit) {
        n = n->file;
    }
    return n->driver->filter;
}

int block_admit(BlockNode *n, BlockChange change, uint64_t offset, uint64_t length)
{
    int rc = 0;

    for (; rc == 0 && n->driver->filter; n = n->file) {
        rc = n->driver->admit ? n->driver->admit(n, change, offset, length) : 0;
    }
    return rc;
}

BlockNode *block_below_filters(BlockNode *n)
{
    while (n->driver->filter) {
        n = n->file;
    }
    return n;
}

int block_set_bytes(BlockNode *n, uint64_t bytes)
{
    int rc = bytes > BLOCK_MAX_BYTES ? -EFBIG : check_writable(n);

    if (rc == 0 && n->driver->filter) {
        rc = block_set_bytes(n->file, bytes);
        n->bytes = n->file->bytes;
    } else if (rc == 0) {
        rc = n->driver->resize ? n->driver->resize(n, bytes) : -ENOTSUP;
    }
    assert(rc < 0 || n->bytes == bytes);
    return rc;
}

bool block_resize(BlockNode *n, uint64_t bytes, Error **errp)
{
    int rc = block_set_bytes(n, bytes);

    if (rc < 0) {
        error_setg_errno(errp, -rc, "cannot make '%s' %" PRIu64 " bytes long", n->filename, bytes);
    }
    return rc == 0;
}

int block_extent(BlockNode *n, uint64_t offset, uint64_t length, BlockExtent *out)
{
    int rc = 0;

    assert(length > 0);
    assert_inside(n, offset, length);
    *out = (BlockExtent){ .bytes = length, .allocated = true };
    if (n->driver->extent) {
        rc = n->driver->extent(n, offset, length, out);
        assert(rc < 0 || (out->bytes > 0 && out->bytes <= length));
    } else if (n->driver->filter) {
        rc = block_extent_deep(n->file, offset, length, out);
    }
    return rc;
}

int block_extent_deep(BlockNode *n, uint64_t offset, uint64_t length, BlockExtent *out)
{
    for (;;) {
        int rc = block_extent(n, offset, length, out);

        if (rc < 0 || out->allocated || !n->backing) {
            out->zero |= !out->allocated;
            return rc;
        }
        n = n->backing;
        if (offset >= n->bytes) {
            *out = (BlockExtent){ .bytes = out->bytes, .zero = true };
            return 0;
        }
        length = MIN(out->bytes, n->bytes - offset);
    }
}

/* ---- time ---- */

#define SLICE_NS 50000000

void block_wait(BlockNode *n, int64_t ns)
{
    for (int64_t part; ns > 0 && !g_atomic_int_get(&n->hurried); ns -= part) {
        part = MIN(ns, SLICE_NS);
        g_usleep((gulong)((part + 999) / 1000));
    }
}

void block_hurry(BlockNode *n)
{
    for (; n; n = n->file) {
        g_atomic_int_set(&n->hurried, 1);
        block_hurry(n->backing);
    }
}
