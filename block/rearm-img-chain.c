/*
 * rearm-img: commit and rebase, which move content between an image and those behind it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "rearm-img.h"
#include "rearm-img-copy.h"

static int failed(const char *what, const BlockNode *n, int rc)
{
    return img_complain(IMG_FAILED, "cannot %s '%s': %s", what, n->filename, strerror(-rc));
}

/* ---- commit ---- */

/* The layer behind `top` that is meant by -b, or the next one. */
static BlockNode *find_base(BlockNode *top, const char *name)
{
    BlockNode *n = top->backing;

    while (n && name && strcmp(n->filename, name)) {
        n = n->backing;
    }
    return n;
}

/* What the layers from top to the one above base have at an offset. */
static int extent_above(BlockNode *top, const BlockNode *base, uint64_t offset, uint64_t length, BlockExtent *out)
{
    for (BlockNode *n = top; n != base; n = n->backing) {
        int rc;

        if (offset >= n->bytes) {
            /* This one ends: what it hides reads as zeros. */
            *out = (BlockExtent){ .bytes = length, .allocated = true, .zero = true };
            return 0;
        }
        length = MIN(length, n->bytes - offset);
        rc = block_extent(n, offset, length, out);
        if (rc || out->allocated) {
            return rc;
        }
        length = out->bytes;
    }
    return 0;
}

static int copy_down(ImgProgress *p, BlockNode *top, const BlockNode *base, BlockNode *target)
{
    g_autofree uint8_t *data = g_malloc(IMG_PIECE);

    for (uint64_t at = 0; at < top->bytes; ) {
        BlockExtent e;
        uint64_t part;
        int rc = extent_above(top, base, at, top->bytes - at, &e);

        if (rc) {
            return failed("read the map of", top, rc);
        }
        part = e.bytes;
        if (e.allocated && e.zero) {
            rc = block_write_zeroes(target, at, part, true);
        } else if (e.allocated) {
            part = MIN(part, IMG_PIECE);
            rc = block_read(top, at, data, (size_t)part);
            if (rc) {
                return failed("read", top, rc);
            }
            rc = block_write(target, at, data, (size_t)part);
        }
        if (rc) {
            return failed("write", target, rc);
        }
        at += part;
        img_progress(p, at, top->bytes);
    }
    return IMG_OK;
}

static int run_commit(const ImgLine *line, BlockNode *own, BlockNode *top, unsigned flags)
{
    BlockNode *base = find_base(top, line->value['b']), *target;
    Error *err = NULL;
    ImgProgress p;
    int status, rc;

    if (!base) {
        return line->set['b'] ? img_complain(IMG_FAILED, "'%s' is not behind '%s'", line->value['b'], top->filename)
                              : img_complain(IMG_FAILED, "'%s' has no backing file", top->filename);
    }
    target = block_open_image(base->filename, base->driver->name, flags, &err);
    if (!target) {
        return img_fail(IMG_FAILED, err);
    }
    img_progress_begin(&p, line);
    status = target->bytes < top->bytes && !block_resize(target, top->bytes, &err)
                 ? img_fail(IMG_FAILED, err) : copy_down(&p, top, base, target);
    rc = status == IMG_OK ? block_flush(target) : 0;
    if (rc) {
        status = failed("write", target, rc);
    }
    block_close(target);
    if (status == IMG_OK && !line->set['d'] && !line->set['b']) {
        rc = block_make_empty(own);
        rc = rc ? rc : block_flush(own);
        status = rc == 0 || rc == -ENOTSUP ? IMG_OK : failed("empty", own, rc);
    }
    if (status == IMG_OK) {
        img_progress_end(&p);
        img_say(line, "Image committed.\n");
    }
    return status;
}

int img_commit(ImgLine *line)
{
    const char *filename = line->files[0], *format = line->value['f'];
    unsigned flags = BLOCK_WRITABLE;
    BlockNode *own, *top = NULL;
    int status = IMG_FAILED;

    if (!img_cache_flags(line->value['t'], &flags)) {
        return IMG_FAILED;
    }
    if (line->set['r']) {
        return img_complain(IMG_FAILED, "-r: there is no limit of the rate");
    }
    /* One has the locks and is emptied; the other one is read, while its base is open for writing. */
    own = img_open(line, filename, format, flags | BLOCK_NO_BACKING);
    if (own) {
        top = img_open(line, filename, own->driver->name, BLOCK_NO_LOCK);
    }
    if (top) {
        status = run_commit(line, own, top, flags);
    }
    block_close(top);
    block_close(own);
    return status;
}

/* ---- rebase ---- */

/* What n, or nothing, has at an offset; zeros behind its end. */
static int read_padded(BlockNode *n, uint64_t at, uint8_t *out, size_t length)
{
    size_t part = n && at < n->bytes ? (size_t)MIN(length, n->bytes - at) : 0;

    memset(out + part, 0, length - part);
    return part ? block_read(n, at, out, part) : 0;
}

/* Where the new backing image differs from the old one, the image gets what the old one has. */
static int keep_difference(BlockNode *n, BlockNode *backing, uint64_t at, size_t length, uint8_t *old, uint8_t *new)
{
    size_t step = n->cluster_bytes ? MIN(n->cluster_bytes, IMG_PIECE) : 65536;
    int rc = read_padded(n->backing, at, old, length);

    if (rc) {
        return failed("read", n->backing, rc);
    }
    rc = read_padded(backing, at, new, length);
    if (rc) {
        return failed("read", backing, rc);
    }
    for (size_t i = 0; i < length && rc == 0; ) {
        size_t part = MIN(step - (at + i) % step, length - i);

        /* Zeros are written as they are: to the image as it stands now they need not look different. */
        rc = memcmp(old + i, new + i, part) ? block_write(n, at + i, old + i, part) : 0;
        i += part;
    }
    return rc ? failed("write", n, rc) : IMG_OK;
}

static int keep_content(const ImgLine *line, BlockNode *n, BlockNode *backing)
{
    g_autofree uint8_t *old = g_malloc(IMG_PIECE), *new = g_malloc(IMG_PIECE);
    ImgProgress p;

    img_progress_begin(&p, line);
    for (uint64_t at = 0; at < n->bytes; ) {
        BlockExtent e;
        int rc = block_extent(n, at, n->bytes - at, &e), status = IMG_OK;
        uint64_t part = e.bytes;

        if (rc) {
            return failed("read the map of", n, rc);
        }
        if (!e.allocated) {
            part = MIN(part, IMG_PIECE);
            status = keep_difference(n, backing, at, (size_t)part, old, new);
        }
        if (status) {
            return status;
        }
        at += part;
        img_progress(&p, at, n->bytes);
    }
    img_progress_end(&p);
    return IMG_OK;
}

int img_rebase(ImgLine *line)
{
    const char *name = line->value['b'], *format = line->value['F'];
    unsigned flags = BLOCK_WRITABLE, source = 0;
    BlockNode *n, *backing = NULL;
    g_autofree char *path = NULL;
    int status = IMG_OK, rc;
    Error *err = NULL;

    if (!name) {
        return img_complain(IMG_FAILED, "-b BACKING says what is to be behind the image; -b '' nothing");
    }
    if (*name && !format) {
        return img_complain(IMG_FAILED, "the backing file '%s' needs its format, too: -F FORMAT", name);
    }
    if (!img_cache_flags(line->value['t'], &flags) || !img_cache_flags(line->value['T'], &source)) {
        return IMG_FAILED;
    }
    n = img_open(line, line->files[0], line->value['f'], flags | (line->set['u'] ? BLOCK_NO_BACKING : 0));
    if (!n) {
        return IMG_FAILED;
    }
    if (!line->set['u'] && *name) {
        path = block_path_beside(n->filename, name);
        backing = img_open(line, path, format, source);
        status = backing ? IMG_OK : IMG_FAILED;
    }
    if (status == IMG_OK && !line->set['u']) {
        status = keep_content(line, n, backing);
    }
    if (status == IMG_OK && !block_set_backing(n, *name ? name : NULL, format, &err)) {
        status = img_fail(IMG_FAILED, err);
    }
    rc = block_flush(n);
    block_close(backing);
    block_close(n);
    return rc && status == IMG_OK ? img_complain(IMG_FAILED, "cannot write: %s", strerror(-rc)) : status;
}
