/*
 * rearm-img: convert, compare.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "rearm-img.h"
#include "rearm-img-copy.h"

bool img_is_zero(const uint8_t *data, size_t length)
{
    return length == 0 || (data[0] == 0 && memcmp(data, data + 1, length - 1) == 0);
}

/* ---- convert ---- */

typedef struct Convert {
    const ImgLine *line;
    BlockNode *target;
    ImgProgress progress;
    uint64_t total, done;
    uint64_t sparse;            /* zeros of this length are not written; 0: all are */
    bool is_zero;               /* what is not written reads as zeros */
    bool only_top;              /* the rest comes from the target's backing file */
    uint8_t *data;
} Convert;

/* The stretch at the beginning of data that is all zeros, or has none of that length. */
static size_t stretch(const Convert *c, const uint8_t *data, size_t length, bool *zero)
{
    size_t step = (size_t)c->sparse, at = MIN(step, length);

    if (!step) {
        *zero = false;
        return length;
    }
    *zero = img_is_zero(data, at);
    while (at < length && img_is_zero(data + at, MIN(step, length - at)) == *zero) {
        at += MIN(step, length - at);
    }
    return at;
}

static int put_zeros(Convert *c, uint64_t at, uint64_t length)
{
    return c->is_zero && c->sparse && !c->only_top ? 0
         : block_write_zeroes(c->target, at, length, c->sparse != 0);
}

static int put_data(Convert *c, uint64_t at, const uint8_t *data, size_t length)
{
    while (length) {
        bool zero;
        size_t part = stretch(c, data, length, &zero);
        int rc = zero ? put_zeros(c, at, part) : block_write(c->target, at, data, part);

        if (rc) {
            return rc;
        }
        data += part;
        at += part;
        length -= part;
    }
    return 0;
}

static int read_failed(const BlockNode *n, uint64_t at, int rc)
{
    return img_complain(IMG_FAILED, "error while reading '%s' at byte %" PRIu64 ": %s", n->filename, at,
                        strerror(-rc));
}

static int write_failed(const BlockNode *n, uint64_t at, int rc)
{
    return img_complain(IMG_FAILED, "error while writing '%s' at byte %" PRIu64 ": %s", n->filename, at,
                        strerror(-rc));
}

static void advance(Convert *c, uint64_t bytes)
{
    c->done += bytes;
    img_progress(&c->progress, c->done, c->total);
}

/* One source, to `to` of the target. */
static int copy_image(Convert *c, BlockNode *from, uint64_t to)
{
    for (uint64_t at = 0; at < from->bytes; ) {
        BlockExtent e;
        size_t part;
        int rc = c->only_top ? block_extent(from, at, from->bytes - at, &e)
                             : block_extent_deep(from, at, from->bytes - at, &e);

        if (rc) {
            return read_failed(from, at, rc);
        }
        if (c->only_top && !e.allocated) {
            at += e.bytes;
            advance(c, e.bytes);
            continue;
        }
        if (e.zero && c->sparse) {
            rc = put_zeros(c, to + at, e.bytes);
            if (rc) {
                return write_failed(c->target, to + at, rc);
            }
            at += e.bytes;
            advance(c, e.bytes);
            continue;
        }
        part = (size_t)MIN(e.bytes, IMG_PIECE);
        rc = block_read(from, at, c->data, part);
        if (rc) {
            return read_failed(from, at, rc);
        }
        rc = put_data(c, to + at, c->data, part);
        if (rc) {
            return write_failed(c->target, to + at, rc);
        }
        at += part;
        advance(c, part);
    }
    return IMG_OK;
}

/* What all sources have at [at, at + length), one behind the other; behind the end: zeros. */
static int read_sources(BlockNode **from, unsigned count, uint64_t at, uint8_t *out, size_t length)
{
    for (unsigned i = 0; i < count && length; i++) {
        size_t part = at < from[i]->bytes ? (size_t)MIN(length, from[i]->bytes - at) : 0;
        int rc = block_read(from[i], part ? at : 0, out, part);

        if (rc) {
            return read_failed(from[i], at, rc);
        }
        out += part;
        length -= part;
        at = at + part < from[i]->bytes ? 0 : at + part - from[i]->bytes;
    }
    memset(out, 0, length);
    return IMG_OK;
}

/* Cluster by cluster. */
static int copy_compressed(Convert *c, BlockNode **from, unsigned count)
{
    uint64_t cluster = c->target->cluster_bytes;

    for (uint64_t at = 0; at < c->total; at += cluster) {
        size_t length = (size_t)MIN(cluster, c->target->bytes - at);
        int status, rc;

        if (c->only_top && at < from[0]->bytes) {
            bool any = false;

            for (uint64_t k = at; k < MIN(at + length, from[0]->bytes); ) {
                BlockExtent e;

                rc = block_extent(from[0], k, MIN(at + length, from[0]->bytes) - k, &e);
                if (rc) {
                    return read_failed(from[0], k, rc);
                }
                any |= e.allocated;
                k += e.bytes;
            }
            if (!any) {
                advance(c, length);
                continue;
            }
        }
        status = read_sources(from, count, at, c->data, length);
        if (status) {
            return status;
        }
        rc = img_is_zero(c->data, length) ? put_zeros(c, at, length)
                                          : block_write_compressed(c->target, at, c->data, length);
        if (rc) {
            return write_failed(c->target, at, rc);
        }
        advance(c, length);
    }
    return IMG_OK;
}

static int run_convert(Convert *c, BlockNode **from, unsigned count)
{
    uint64_t to = 0;
    int status = IMG_OK, rc;

    if (c->line->set['c']) {
        if (!c->target->driver->write_compressed) {
            return img_complain(IMG_FAILED, "Compression not supported for this file format: %s",
                                c->target->driver->name);
        }
        status = copy_compressed(c, from, count);
    } else {
        for (unsigned i = 0; i < count && status == IMG_OK; i++) {
            status = copy_image(c, from[i], to);
            to += from[i]->bytes;
        }
    }
    rc = status == IMG_OK ? block_flush(c->target) : 0;
    return rc ? write_failed(c->target, 0, rc) : status;
}

/* The target: made, unless -n, and opened. */
static BlockNode *open_target(const ImgLine *line, const char *filename, uint64_t bytes)
{
    const char *format = line->set['O'] ? line->value['O'] : "raw", *backing = line->value['B'];
    g_autoptr(GString) options = g_string_new(line->options->str);
    unsigned flags = BLOCK_WRITABLE;
    BlockNode *n;

    if (!img_cache_flags(line->set['t'] ? line->value['t'] : "unsafe", &flags)) {
        return NULL;
    }
    if (backing) {
        keyval_append(options, "backing_file", backing);
    }
    if (line->set['F']) {
        keyval_append(options, "backing_fmt", line->value['F']);
    }
    if (backing && !line->set['F']) {
        img_complain(IMG_FAILED, "-B %s needs the format of that, too: -F FORMAT", backing);
        return NULL;
    }
    if (!line->set['n'] && !img_make(filename, format, options->str, bytes)) {
        return NULL;
    }
    n = img_open(line, filename, format, flags);
    if (n && n->bytes < bytes) {
        img_complain(IMG_FAILED, "output file is smaller than input file: '%s' has %" PRIu64 " bytes of %" PRIu64,
                     filename, n->bytes, bytes);
        block_close(n);
        n = NULL;
    }
    return n;
}

static bool parse_sparse(const ImgLine *line, uint64_t *out)
{
    *out = 4096;
    if (line->set['S'] && (!parse_size(line->value['S'], 1, out) || *out % 512 || *out > IMG_PIECE)) {
        img_complain(IMG_FAILED, "-S %s: it is a multiple of 512 bytes, or 0, at most 2M", line->value['S']);
        return false;
    }
    return true;
}

static bool load_snapshot(const ImgLine *line, BlockNode *n)
{
    const char *name = line->value['l'], *prefixes[] = { "snapshot.id=", "snapshot.name=" };
    Error *err = NULL;

    for (unsigned i = 0; name && i < ARRAY_SIZE(prefixes); i++) {
        name += g_str_has_prefix(name, prefixes[i]) ? strlen(prefixes[i]) : 0;
    }
    if (name && !block_snapshot_load(n, name, &err)) {
        img_fail(IMG_FAILED, err);
        return false;
    }
    return true;
}

int img_convert(ImgLine *line)
{
    unsigned count = (unsigned)line->num_files - 1, opened = 0, flags = 0;
    g_autofree BlockNode **from = g_new0(BlockNode *, count);
    Convert c = { .line = line, .is_zero = !line->set['n'] || line->set[IMG_TARGET_IS_ZERO],
                  .only_top = line->set['B'] };
    int status = IMG_FAILED;
    bool ok = parse_sparse(line, &c.sparse) && img_cache_flags(line->value['T'], &flags);

    if (ok && count > 1 && (line->set['l'] || line->set['B'])) {
        img_complain(IMG_FAILED, "-%c goes with one source only", line->set['l'] ? 'l' : 'B');
        ok = false;
    }
    for (unsigned i = 0; i < count && ok; i++) {
        from[i] = img_open(line, line->files[i], line->value['f'], flags);
        ok = from[i] && load_snapshot(line, from[i]);
        opened++;
        c.total += from[i] ? from[i]->bytes : 0;
    }
    c.target = ok ? open_target(line, line->files[count], c.total) : NULL;
    if (c.target) {
        c.data = g_malloc(IMG_PIECE);
        img_progress_begin(&c.progress, line);
        status = run_convert(&c, from, count);
        if (status == IMG_OK) {
            img_progress_end(&c.progress);
        }
        g_free(c.data);
    }
    for (unsigned i = 0; i < opened; i++) {
        block_close(from[i]);
    }
    block_close(c.target);
    return status;
}

/* ---- compare ---- */

/* Where two buffers differ first; length: nowhere. */
static size_t first_difference(const uint8_t *a, const uint8_t *b, size_t length)
{
    size_t i = 0;

    if (memcmp(a, b, length) == 0) {
        return length;
    }
    while (a[i] == b[i]) {
        i++;
    }
    return i;
}

static int mismatch(const ImgLine *line, uint64_t at)
{
    /* As sectors are compared: the first byte of the one that differs. */
    img_say(line, "Content mismatch at offset %" PRIu64 "!\n", at - at % 512);
    return IMG_DIFFERENT;
}

static int trouble(const BlockNode *n, uint64_t at, int rc)
{
    read_failed(n, at, rc);
    return IMG_TROUBLE + 2;
}

/* Both have [0, bytes). */
static int compare_common(const ImgLine *line, ImgProgress *p, BlockNode *a, BlockNode *b, uint64_t bytes,
                          uint64_t total)
{
    g_autofree uint8_t *x = g_malloc(IMG_PIECE), *y = g_malloc(IMG_PIECE);

    for (uint64_t at = 0; at < bytes; ) {
        uint64_t part = bytes - at;
        BlockExtent ea, eb;
        size_t same;
        int rc;

        if ((rc = block_extent_deep(a, at, part, &ea)) != 0) {
            return trouble(a, at, rc);
        }
        part = MIN(part, ea.bytes);
        if ((rc = block_extent_deep(b, at, part, &eb)) != 0) {
            return trouble(b, at, rc);
        }
        part = MIN(part, eb.bytes);
        if (line->set['s'] && ea.allocated != eb.allocated) {
            img_say(line, "Strict mode: Offset %" PRIu64 " block status mismatch!\n", at);
            return IMG_DIFFERENT;
        }
        if (!ea.zero || !eb.zero) {
            part = MIN(part, IMG_PIECE);
            if ((rc = block_read(a, at, x, (size_t)part)) != 0) {
                return trouble(a, at, rc);
            }
            if ((rc = block_read(b, at, y, (size_t)part)) != 0) {
                return trouble(b, at, rc);
            }
            same = first_difference(x, y, (size_t)part);
            if (same < part) {
                return mismatch(line, at + same);
            }
        }
        at += part;
        img_progress(p, at, total);
    }
    return IMG_OK;
}

/* What the longer one has behind the end of the other is zeros. */
static int compare_rest(const ImgLine *line, ImgProgress *p, BlockNode *longer, uint64_t from)
{
    g_autofree uint8_t *x = g_malloc(IMG_PIECE), *zeros = g_malloc0(IMG_PIECE);

    for (uint64_t at = from; at < longer->bytes; ) {
        BlockExtent e;
        int rc = block_extent_deep(longer, at, longer->bytes - at, &e);
        uint64_t part = e.bytes;

        if (rc) {
            return trouble(longer, at, rc);
        }
        if (!e.zero) {
            size_t same;

            part = MIN(part, IMG_PIECE);
            if ((rc = block_read(longer, at, x, (size_t)part)) != 0) {
                return trouble(longer, at, rc);
            }
            same = first_difference(x, zeros, (size_t)part);
            if (same < part) {
                return mismatch(line, at + same);
            }
        }
        at += part;
        img_progress(p, at, longer->bytes);
    }
    return IMG_OK;
}

int img_compare(ImgLine *line)
{
    BlockNode *a, *b = NULL;
    unsigned flags = 0;
    int status = IMG_TROUBLE;
    ImgProgress p;

    if (!img_cache_flags(line->value['T'], &flags)) {
        return IMG_TROUBLE;
    }
    a = img_open(line, line->files[0], line->value['f'], flags);
    b = a ? img_open(line, line->files[1], line->value['F'], flags) : NULL;
    if (b) {
        uint64_t common = MIN(a->bytes, b->bytes), total = MAX(a->bytes, b->bytes);

        img_progress_begin(&p, line);
        if (line->set['s'] && a->bytes != b->bytes) {
            img_say(line, "Strict mode: Image size mismatch!\n");
            status = IMG_DIFFERENT;
        } else {
            status = compare_common(line, &p, a, b, common, total);
        }
        if (status == IMG_OK && a->bytes != b->bytes) {
            img_say(line, "Warning: Image size mismatch!\n");
            status = compare_rest(line, &p, a->bytes > b->bytes ? a : b, common);
        }
        img_progress_end(&p);
        if (status == IMG_OK) {
            img_say(line, "Images are identical.\n");
        }
    }
    block_close(b);
    block_close(a);
    return status;
}
