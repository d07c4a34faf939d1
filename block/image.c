/*
 * Disk images as a whole: making, checking, snapshots, the name of what is behind.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <unistd.h>
#include "block-int.h"

int block_write_compressed(BlockNode *n, uint64_t offset, const void *data, size_t length)
{
    assert(n->cluster_bytes && offset % n->cluster_bytes == 0 && length && length <= n->cluster_bytes);
    assert(offset <= n->bytes && length <= n->bytes - offset);
    assert(length == n->cluster_bytes || offset + length == n->bytes);
    return !block_is_writable(n) ? -EROFS
         : n->driver->write_compressed ? n->driver->write_compressed(n, offset, data, length) : -ENOTSUP;
}

int block_preallocate(BlockNode *n, uint64_t offset, uint64_t length, BlockPreallocation mode)
{
    assert(offset <= n->bytes && length <= n->bytes - offset);
    return mode == BLOCK_PREALLOCATE_OFF ? 0 : !block_is_writable(n) ? -EROFS
         : n->driver->preallocate ? n->driver->preallocate(n, offset, length, mode) : -ENOTSUP;
}

int block_make_empty(BlockNode *n)
{
    return !block_is_writable(n) ? -EROFS : n->driver->make_empty ? n->driver->make_empty(n) : -ENOTSUP;
}

bool block_parse_preallocation(const char *text, BlockPreallocation *out, Error **errp)
{
    static const char *const names[] = { "off", "metadata", "falloc", "full" };

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(text, names[i])) {
            *out = (BlockPreallocation)i;
            return true;
        }
    }
    error_setg(errp, "preallocation=%s: there are off, metadata, falloc and full", text);
    return false;
}

bool block_create_file(const char *filename, uint64_t size, Error **errp)
{
    int fd = open(filename, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    int rc = fd < 0 || ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)size) < 0 ? -errno : 0;

    if (fd >= 0) {
        close(fd);
    }
    if (rc) {
        error_setg_errno(errp, -rc, "cannot create '%s'", filename);
    }
    return rc == 0;
}

bool block_create(const char *filename, const char *format, KeyVal *options, Error **errp)
{
    const BlockDriver *driver = block_driver_find(format, errp);

    if (driver && !driver->create) {
        error_setg(errp, "images of the format '%s' cannot be made", format);
    }
    return driver && driver->create && driver->create(filename, options, errp);
}

static bool need_writable(BlockNode *n, bool has, const char *what, Error **errp)
{
    if (!has) {
        error_setg(errp, "'%s' is of the format %s, which has no %s", n->filename, n->driver->name, what);
    } else if (!block_is_writable(n)) {
        error_setg(errp, "'%s' is open for reading only", n->filename);
    }
    return has && block_is_writable(n);
}

bool block_set_backing(BlockNode *n, const char *filename, const char *format, Error **errp)
{
    return need_writable(n, n->driver->set_backing, "backing files", errp) &&
           n->driver->set_backing(n, filename, format, errp);
}

GPtrArray *block_snapshot_list(BlockNode *n)
{
    return n->driver->snapshot_list ? n->driver->snapshot_list(n) : NULL;
}

bool block_snapshot(BlockNode *n, BlockSnapshotVerb verb, const char *name, Error **errp)
{
    return need_writable(n, n->driver->snapshot, "snapshots", errp) &&
           n->driver->snapshot(n, verb, name, errp);
}

bool block_snapshot_load(BlockNode *n, const char *name, Error **errp)
{
    if (!n->driver->snapshot_load) {
        error_setg(errp, "'%s' is of the format %s, which has no snapshots", n->filename, n->driver->name);
        return false;
    }
    return n->driver->snapshot_load(n, name, errp);
}

bool block_can_check(const BlockNode *n)
{
    return n->driver->check;
}

bool block_check(BlockNode *n, BlockRepair repair, BlockCheck *out, Error **errp)
{
    assert(block_can_check(n));
    return n->driver->check(n, repair, out, errp);
}
