/*
 * qcow2: a new image.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qcow2.h"
#include "util/bitops.h"

#define DEFAULT_CLUSTER 65536u

const BlockCreateOption qcow2_create_options[] = {
    { "backing_file", "str", "File name of a base image" },
    { "backing_fmt", "str", "Image format of the base image" },
    { "cluster_size", "size", "qcow2 cluster size" },
    { "compat", "str", "Compatibility level (v2 [0.10] or v3 [1.1])" },
    { "compression_type", "str", "Compression method used for image cluster compression (zlib, zstd)" },
    { "lazy_refcounts", "bool (on/off)", "Postpone refcount updates" },
    { "preallocation", "str", "Preallocation mode (off, metadata, falloc, full)" },
    { "refcount_bits", "num", "Width of a reference count entry in bits" },
    { "size", "size", "Virtual disk size" },
    { NULL }
};

static bool power_of_two(uint64_t value, uint64_t low, uint64_t high)
{
    return value >= low && value <= high && (value & (value - 1)) == 0;
}

static bool parse_version(const char *text, uint32_t *version, Error **errp)
{
    if (!text || !strcmp(text, "1.1") || !strcmp(text, "v3")) {
        *version = 3;
    } else if (!strcmp(text, "0.10") || !strcmp(text, "v2")) {
        *version = 2;
    } else {
        error_setg(errp, "compat=%s: there are 0.10 (v2) and 1.1 (v3)", text);
        return false;
    }
    return true;
}

static bool parse_geometry(Qcow2Header *h, KeyVal *options, Error **errp)
{
    const char *cluster = keyval_get(options, "cluster_size"), *bits = keyval_get(options, "refcount_bits");
    uint64_t cluster_size = DEFAULT_CLUSTER, width = 16;

    if ((cluster && !parse_size(cluster, 1, &cluster_size)) ||
        !power_of_two(cluster_size, 1u << QCOW2_MIN_BITS, 1u << QCOW2_MAX_BITS)) {
        error_setg(errp, "cluster_size=%s: it is a power of two between 512 and 2M", cluster);
        return false;
    }
    if ((bits && !parse_u64(bits, &width)) || !power_of_two(width, 1, 64)) {
        error_setg(errp, "refcount_bits=%s: it is a power of two, at most 64", bits);
        return false;
    }
    if (h->version < 3 && width != 16) {
        error_setg(errp, "refcount_bits=%s needs compat=1.1: with 0.10 there are 16", bits);
        return false;
    }
    h->cluster_bits = (uint32_t)__builtin_ctzll(cluster_size);
    h->refcount_order = (uint32_t)__builtin_ctzll(width);
    return true;
}

static bool parse_features(Qcow2Header *h, KeyVal *options, Error **errp)
{
    const char *type = keyval_get(options, "compression_type");
    bool lazy = false;

    if (!keyval_get_bool(options, "lazy_refcounts", &lazy, errp)) {
        return false;
    }
    if (type && strcmp(type, "zlib") && strcmp(type, "zstd")) {
        error_setg(errp, "compression_type=%s: there are zlib and zstd", type);
        return false;
    }
    h->compatible = lazy ? QCOW2_COMPAT_LAZY : 0;
    h->compression = type && !strcmp(type, "zstd");
    h->incompatible = h->compression ? QCOW2_INCOMPAT_COMPRESSION : 0;
    h->header_length = h->version >= 3 ? QCOW2_OWN_HEADER : QCOW2_V2_HEADER;
    if (h->version < 3 && (lazy || h->compression)) {
        error_setg(errp, "%s needs compat=1.1", lazy ? "lazy_refcounts=on" : "compression_type=zstd");
        return false;
    }
    return true;
}

static bool parse_options(Qcow2 *q, KeyVal *options, BlockPreallocation *mode, Error **errp)
{
    const char *size = keyval_get(options, "size"), *format = keyval_get(options, "backing_fmt");
    const char *backing = keyval_get(options, "backing_file"), *room = keyval_get(options, "preallocation");
    Qcow2Header *h = &q->h;

    if (!size || !parse_size(size, 1, &h->size) || h->size > BLOCK_MAX_BYTES) {
        error_setg(errp, "size=%s is no size of a disk", size ? size : "");
        return false;
    }
    h->size = (h->size + 511) & ~511ull;
    if (!parse_version(keyval_get(options, "compat"), &h->version, errp) ||
        !parse_geometry(h, options, errp) || !parse_features(h, options, errp) ||
        !block_parse_preallocation(room ? room : "off", mode, errp)) {
        return false;
    }
    if (backing && *mode != BLOCK_PREALLOCATE_OFF) {
        error_setg(errp, "preallocation=%s would hide the backing file '%s'", room, backing);
        return false;
    }
    q->node.backing_name = g_strdup(backing && *backing ? backing : NULL);
    if (format && *format) {
        qcow2_set_extension(q, QCOW2_EXT_BACKING_FORMAT, format, strlen(format));
    }
    return true;
}

static bool measure(Qcow2 *q, Error **errp)
{
    uint64_t entries;

    q->cluster_bits = q->h.cluster_bits;
    q->cluster_size = 1u << q->cluster_bits;
    q->l2_bits = q->cluster_bits - 3;
    q->block_bits = q->cluster_bits + 3 - q->h.refcount_order;
    q->max_refcount = q->h.refcount_order == 6 ? UINT64_MAX : (1ull << (1u << q->h.refcount_order)) - 1;
    entries = MAX(qcow2_l1_entries_for(q, q->h.size), 1);
    if (entries * 8 > QCOW2_MAX_L1_BYTES) {
        error_setg(errp, "a disk of %" PRIu64 " bytes is too large for clusters of %u bytes; "
                   "cluster_size=2M takes the largest", q->h.size, q->cluster_size);
        return false;
    }
    q->h.l1_entries = (uint32_t)entries;
    return true;
}

/* Header, refcounts and an empty L1 table. */
static int write_image(Qcow2 *q)
{
    Qcow2Switch s = { .counts = qcow2_counts_new(), .busy = qcow2_counts_new() };
    uint64_t l1_clusters = qcow2_clusters(q, (uint64_t)q->h.l1_entries * 8), l1;
    int rc;

    qcow2_switch_alloc(&s, 1);
    l1 = qcow2_switch_alloc(&s, l1_clusters);
    q->h.l1_offset = l1 << q->cluster_bits;
    s.h = q->h;
    rc = qcow2_file_extend(q, (l1 + l1_clusters) << q->cluster_bits);
    rc = rc ? rc : block_write_zeroes(q->node.file, l1 << q->cluster_bits, l1_clusters << q->cluster_bits, true);
    rc = rc ? rc : qcow2_switch_refcounts(q, &s);
    q->h = s.h;
    rc = rc ? rc : qcow2_header_write_all(q);
    qcow2_switch_end(&s);
    return rc ? rc : block_flush(q->node.file);
}

static bool preallocate(const char *filename, BlockPreallocation mode, Error **errp)
{
    BlockNode *n = block_open_image(filename, "qcow2", BLOCK_WRITABLE, errp);
    int rc = n ? block_preallocate(n, 0, n->bytes, mode) : 0;

    rc = rc || !n ? rc : block_flush(n);
    block_close(n);
    if (rc) {
        error_setg_errno(errp, -rc, "cannot preallocate '%s'", filename);
    }
    return n && rc == 0;
}

bool qcow2_create(const char *filename, KeyVal *options, Error **errp)
{
    BlockPreallocation mode = BLOCK_PREALLOCATE_OFF;
    Qcow2 q = { .cluster_size = 0 };
    bool good;
    int rc = 0;

    qcow2_header_init(&q);
    good = parse_options(&q, options, &mode, errp) && measure(&q, errp) &&
           keyval_check_unused(options, "-o", errp);
    g_free(q.head);
    q.head = g_malloc0(q.h.header_length);
    if (good && !g_file_test(filename, G_FILE_TEST_EXISTS)) {
        good = block_create_file(filename, 0, errp);
    }
    if (good) {
        q.node.file = block_open_protocol(filename, BLOCK_WRITABLE, errp);
        /* What was there before is nothing now. */
        good = q.node.file && (!q.node.file->driver->resize || block_resize(q.node.file, 0, errp));
    }
    if (good) {
        rc = write_image(&q);
        if (rc) {
            error_setg_errno(errp, -rc, "cannot write '%s'", filename);
        }
    }
    block_close(q.node.file);
    qcow2_header_free(&q);
    return good && rc == 0 && (mode == BLOCK_PREALLOCATE_OFF || preallocate(filename, mode, errp));
}
