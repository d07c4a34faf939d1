/*
 * qcow2: opening and closing images, and the driver.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qcow2.h"
#include "util/bytes.h"

/* Enough for 256 GiB of disk and of file, with clusters of 64 KiB. */
#define L2_CACHE_BYTES (32u << 20)
#define REFCOUNT_CACHE_BYTES (8u << 20)

/* ---- tables in memory ---- */

static int load_reftable(Qcow2 *q)
{
    uint64_t bytes = (uint64_t)q->h.reftable_clusters << q->cluster_bits;
    g_autofree uint8_t *raw = g_malloc(bytes);
    int rc = qcow2_file_read(q, q->h.reftable_offset, raw, bytes);

    q->reftable_entries = (uint32_t)(bytes / 8);
    q->reftable = g_new0(uint64_t, q->reftable_entries);
    for (uint32_t i = 0; i < q->reftable_entries && rc == 0; i++) {
        q->reftable[i] = load_be(raw + (size_t)i * 8, 8);
    }
    return rc;
}

bool qcow2_load_tables(Qcow2 *q, Error **errp)
{
    int rc;

    qcow2_cache_init(q, &q->l2_cache, L2_CACHE_BYTES, true);
    qcow2_cache_init(q, &q->refcount_cache, REFCOUNT_CACHE_BYTES, false);
    q->frees = g_array_new(FALSE, FALSE, sizeof(Qcow2Run));
    q->snapshots = qcow2_snapshots_new();
    q->free_hint = 0;
    q->l1_dirty_from = q->l1_dirty_to = 0;
    q->compressed_at = q->unpacked_entry = 0;
    rc = qcow2_l1_load(q, q->h.l1_offset, q->h.l1_entries, &q->l1);
    rc = rc ? rc : load_reftable(q);
    if (rc) {
        error_setg_errno(errp, -rc, "cannot read the tables of '%s'", q->node.filename);
        return false;
    }
    return qcow2_snapshots_read(q, errp);
}

void qcow2_unload_tables(Qcow2 *q)
{
    qcow2_cache_free(&q->l2_cache);
    qcow2_cache_free(&q->refcount_cache);
    g_clear_pointer(&q->l1, g_free);
    g_clear_pointer(&q->reftable, g_free);
    g_clear_pointer(&q->frees, g_array_unref);
    g_clear_pointer(&q->snapshots, g_array_unref);
    g_clear_pointer(&q->unpacked, g_free);
}

int qcow2_recover(Qcow2 *q)
{
    Error *err = NULL;

    if (!q->broken) {
        return 0;
    }
    qcow2_unload_tables(q);
    q->broken = !qcow2_load_tables(q, &err);
    if (q->broken) {
        warn_report("%s", error_get_pretty(err));
        error_free(err);
    }
    return q->broken ? -EIO : 0;
}

static void release(Qcow2 *q)
{
    qcow2_unload_tables(q);
    qcow2_header_free(q);
}

/* ---- open and close ---- */

static bool qcow2_probe(const uint8_t *start, size_t length)
{
    return length >= QCOW2_V2_HEADER && load_be(start, 4) == QCOW2_MAGIC && load_be(start + 4, 4) >= 2;
}

/* An image that was not closed: its refcounts may be old. */
static bool repair_dirty(Qcow2 *q, Error **errp)
{
    BlockCheck check = { .say = NULL };

    if (!qcow2_check(&q->node, BLOCK_REPAIR_ALL, &check, errp)) {
        return false;
    }
    if (check.corruptions) {
        error_setg(errp, "'%s' was not closed, and %" PRIu64 " errors in it cannot be repaired; "
                   "'rearm-img check' shows them", q->node.filename, check.corruptions);
        return false;
    }
    return true;
}

static bool check_marks(Qcow2 *q, Error **errp)
{
    unsigned flags = q->node.flags;

    if (!(flags & BLOCK_WRITABLE) || flags & BLOCK_CHECKING) {
        return true;
    }
    if (q->h.incompatible & QCOW2_INCOMPAT_CORRUPT) {
        error_setg(errp, "'%s' is marked as damaged: it can be read only, until 'rearm-img check -r all' has repaired it",
                   q->node.filename);
        return false;
    }
    return !(q->h.incompatible & QCOW2_INCOMPAT_DIRTY) || repair_dirty(q, errp);
}

static bool open_backing(Qcow2 *q, KeyVal *options, const char *prefix, Error **errp)
{
    BlockNode *n = &q->node;
    const char *none = block_option(options, prefix, "backing");

    if (none && *none) {
        error_setg(errp, "'%s': backing=%s: options of the image below are backing.OPTION=; backing= alone is for none",
                   n->filename, none);
        return false;
    }
    return none || n->flags & BLOCK_NO_BACKING || !n->backing_name ||
           block_open_backing(n, options, prefix, n->backing_name, n->backing_format, errp);
}

static bool open_node(BlockNode *n, KeyVal *options, const char *prefix, Error **errp)
{
    Qcow2 *q = qcow2(n);

    if (!qcow2_header_read(q, errp) || !qcow2_load_tables(q, errp) || !check_marks(q, errp) ||
        !open_backing(q, options, prefix, errp)) {
        release(q);
        return false;
    }
    return true;
}

static int flush(BlockNode *n)
{
    int rc = qcow2_recover(qcow2(n));

    rc = rc ? rc : qcow2_write_tables(qcow2(n));
    return rc ? rc : block_flush(n->file);
}

static void close_node(BlockNode *n)
{
    Qcow2 *q = qcow2(n);
    int rc = 0;

    if (block_is_writable(n) && !q->broken) {
        rc = qcow2_write_everything(q);
        if (rc == 0 && q->started && q->h.incompatible & QCOW2_INCOMPAT_DIRTY) {
            q->h.incompatible &= ~(uint64_t)QCOW2_INCOMPAT_DIRTY;
            rc = block_flush(n->file);
            rc = rc ? rc : qcow2_header_write(q);
        }
        if (rc) {
            warn_report("cannot write what is left to '%s': %s", n->filename, strerror(-rc));
        }
    }
    release(q);
}

/* ---- the rest ---- */

static void describe(BlockNode *n, GString *out)
{
    const Qcow2Header *h = &qcow2(n)->h;

    g_string_append_printf(out, "compat: %s\n", h->version >= 3 ? "1.1" : "0.10");
    g_string_append_printf(out, "compression type: %s\n", h->compression ? "zstd" : "zlib");
    if (h->version >= 3) {
        g_string_append_printf(out, "lazy refcounts: %s\n", h->compatible & QCOW2_COMPAT_LAZY ? "true" : "false");
    }
    g_string_append_printf(out, "refcount bits: %u\n", 1u << h->refcount_order);
    if (h->version >= 3) {
        g_string_append_printf(out, "corrupt: %s\n", h->incompatible & QCOW2_INCOMPAT_CORRUPT ? "true" : "false");
        g_string_append(out, "extended l2: false\n");
    }
}

static bool set_backing(BlockNode *n, const char *filename, const char *format, Error **errp)
{
    Qcow2 *q = qcow2(n);
    g_autofree char *old_name = n->backing_name, *old_format = n->backing_format;
    int rc;

    n->backing_name = g_strdup(filename);
    n->backing_format = g_strdup(filename ? format : NULL);
    qcow2_set_extension(q, QCOW2_EXT_BACKING_FORMAT, n->backing_format,
                        n->backing_format ? strlen(n->backing_format) : 0);
    rc = qcow2_start_writing(q);
    rc = rc ? rc : qcow2_write_everything(q);
    rc = rc ? rc : qcow2_header_write_all(q);
    rc = rc ? rc : block_flush(n->file);
    if (rc) {
        error_setg_errno(errp, -rc, "cannot write the backing file's name '%s' to '%s'", filename ? filename : "",
                         n->filename);
    }
    return rc == 0;
}

const BlockDriver block_qcow2 = {
    .name = "qcow2", .doc = "copy on write, with snapshots", .size = sizeof(Qcow2), .probe = qcow2_probe,
    .open = open_node, .close = close_node, .read = qcow2_read, .write = qcow2_write,
    .write_zeroes = qcow2_write_zeroes, .discard = qcow2_discard, .flush = flush,
    .resize = qcow2_resize, .extent = qcow2_extent, .describe = describe,
    .write_compressed = qcow2_write_compressed, .preallocate = qcow2_preallocate, .set_backing = set_backing,
    .make_empty = qcow2_make_empty,
    .snapshot_list = qcow2_snapshot_list, .snapshot = qcow2_snapshot, .snapshot_load = qcow2_snapshot_load,
    .check = qcow2_check, .create = qcow2_create, .create_options = qcow2_create_options,
};
