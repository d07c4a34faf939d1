/*
 * qcow2: the file, and caches of L2 tables and refcount blocks.
 *
 * The order of writing is in qcow2_write_tables(), and nowhere else. Refcount blocks may be written at any
 * time: in memory, too, they never say that something is free that a table on the disk refers to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qcow2.h"
#include "util/bytes.h"

/* ---- the file ---- */

int qcow2_file_read(Qcow2 *q, uint64_t offset, void *out, size_t length)
{
    BlockNode *file = q->node.file;
    uint64_t there = offset < file->bytes ? file->bytes - offset : 0;
    size_t part = (size_t)MIN(length, there);

    if (part < length) {
        memset((char *)out + part, 0, length - part);
    }
    return part ? block_read(file, offset, out, part) : 0;
}

int qcow2_file_extend(Qcow2 *q, uint64_t end)
{
    BlockNode *file = q->node.file;

    int rc = end <= file->bytes ? 0 : block_set_bytes(file, end);

    return rc == -ENOTSUP ? -ENOSPC : rc;   /* a device is as long as it is */
}

int qcow2_file_write(Qcow2 *q, uint64_t offset, const void *data, size_t length)
{
    int rc = qcow2_file_extend(q, offset + length);

    return rc ? rc : block_write(q->node.file, offset, data, length);
}

int qcow2_barrier(Qcow2 *q)
{
    int rc = q->barrier_needed ? block_flush(q->node.file) : 0;

    q->barrier_needed &= rc != 0;
    return rc;
}

/* ---- caches ---- */

static void free_table(gpointer p)
{
    Qcow2Table *t = p;

    g_free(t->data);
    g_free(t);
}

void qcow2_cache_init(Qcow2 *q, Qcow2Cache *c, size_t bytes, bool ordered)
{
    *c = (Qcow2Cache){
        .tables = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, free_table),
        .max = (unsigned)MAX(bytes >> q->cluster_bits, 4), .ordered = ordered,
    };
    g_queue_init(&c->lru);
}

void qcow2_cache_clear(Qcow2Cache *c)
{
    g_queue_init(&c->lru);      /* its links are parts of the tables */
    g_hash_table_remove_all(c->tables);
    c->dirty = 0;
}

void qcow2_cache_free(Qcow2Cache *c)
{
    if (c->tables) {
        g_hash_table_destroy(c->tables);
        c->tables = NULL;
    }
}

static bool is_dirty(const Qcow2Table *t)
{
    return t->dirty_to > t->dirty_from;
}

static int write_table(Qcow2 *q, Qcow2Cache *c, Qcow2Table *t)
{
    /* Whole sectors, so that the host need not read. */
    uint32_t from = t->dirty_from & ~511u, to = (t->dirty_to + 511u) & ~511u;
    int rc = qcow2_file_write(q, t->offset + from, t->data + from, to - from);

    if (rc == 0) {
        t->dirty_from = t->dirty_to = 0;
        c->dirty--;
        q->barrier_needed = true;
    }
    return rc;
}

static int write_cache(Qcow2 *q, Qcow2Cache *c)
{
    GHashTableIter iter;
    gpointer value;
    int rc = 0;

    if (!c->dirty) {
        return 0;
    }
    g_hash_table_iter_init(&iter, c->tables);
    while (rc == 0 && g_hash_table_iter_next(&iter, NULL, &value)) {
        if (is_dirty(value)) {
            rc = write_table(q, c, value);
        }
    }
    return rc;
}

/* Room for one more. */
static int make_room(Qcow2 *q, Qcow2Cache *c)
{
    Qcow2Table *last;
    int rc = 0;

    if (g_hash_table_size(c->tables) < c->max) {
        return 0;
    }
    last = g_queue_peek_tail(&c->lru);
    if (is_dirty(last)) {
        rc = c->ordered ? qcow2_write_tables(q) : write_table(q, c, last);
    }
    if (rc == 0) {
        qcow2_table_forget(c, last->offset);
    }
    return rc;
}

static int add_table(Qcow2 *q, Qcow2Cache *c, uint64_t offset, bool read, Qcow2Table **out)
{
    int rc = make_room(q, c);
    Qcow2Table *t;

    if (rc) {
        return rc;
    }
    t = g_new0(Qcow2Table, 1);
    t->offset = offset;
    t->data = g_malloc0(q->cluster_size);
    t->link.data = t;
    rc = read ? qcow2_file_read(q, offset, t->data, q->cluster_size) : 0;
    if (rc) {
        free_table(t);
        return rc;
    }
    g_hash_table_insert(c->tables, &t->offset, t);
    g_queue_push_head_link(&c->lru, &t->link);
    *out = t;
    return 0;
}

int qcow2_table_get(Qcow2 *q, Qcow2Cache *c, uint64_t offset, Qcow2Table **out)
{
    Qcow2Table *t = g_hash_table_lookup(c->tables, &offset);

    if (!t) {
        return add_table(q, c, offset, true, out);
    }
    g_queue_unlink(&c->lru, &t->link);
    g_queue_push_head_link(&c->lru, &t->link);
    *out = t;
    return 0;
}

int qcow2_table_new(Qcow2 *q, Qcow2Cache *c, uint64_t offset, Qcow2Table **out)
{
    qcow2_table_forget(c, offset);
    return add_table(q, c, offset, false, out);
}

void qcow2_table_dirty(Qcow2Cache *c, Qcow2Table *t, uint32_t from, uint32_t to)
{
    if (is_dirty(t)) {
        t->dirty_from = MIN(t->dirty_from, from);
        t->dirty_to = MAX(t->dirty_to, to);
    } else {
        t->dirty_from = from;
        t->dirty_to = to;
        c->dirty++;
    }
}

void qcow2_table_forget(Qcow2Cache *c, uint64_t offset)
{
    Qcow2Table *t = g_hash_table_lookup(c->tables, &offset);

    if (t) {
        c->dirty -= is_dirty(t);
        g_queue_unlink(&c->lru, &t->link);
        g_hash_table_remove(c->tables, &offset);
    }
}

/* ---- the order ---- */

static int write_l1(Qcow2 *q)
{
    uint32_t from = q->l1_dirty_from & ~63u, to = MIN((q->l1_dirty_to + 63u) & ~63u, q->h.l1_entries);
    g_autofree uint8_t *raw = NULL;
    int rc;

    if (q->l1_dirty_to <= q->l1_dirty_from) {
        return 0;
    }
    raw = g_malloc((size_t)(to - from) * 8);
    for (uint32_t i = from; i < to; i++) {
        store_be(raw + (size_t)(i - from) * 8, q->l1[i], 8);
    }
    rc = qcow2_file_write(q, q->h.l1_offset + (uint64_t)from * 8, raw, (size_t)(to - from) * 8);
    if (rc == 0) {
        q->l1_dirty_from = q->l1_dirty_to = 0;
        q->barrier_needed = true;
    }
    return rc;
}

int qcow2_write_tables(Qcow2 *q)
{
    bool lazy = q->h.incompatible & QCOW2_INCOMPAT_DIRTY;
    int rc = lazy ? 0 : write_cache(q, &q->refcount_cache);

    if (rc == 0 && (q->l2_cache.dirty || q->l1_dirty_to > q->l1_dirty_from)) {
        /* What the tables are to refer to, and what is in it, before the tables. */
        rc = qcow2_barrier(q);
        rc = rc ? rc : write_cache(q, &q->l2_cache);
        rc = rc ? rc : write_l1(q);
    }
    if (rc == 0 && q->frees->len) {
        /* The tables before what they referred to is used for something else. */
        rc = qcow2_barrier(q);
        rc = rc ? rc : qcow2_apply_frees(q);
    }
    return rc;
}

int qcow2_write_everything(Qcow2 *q)
{
    int rc = qcow2_write_tables(q);

    rc = rc ? rc : write_cache(q, &q->refcount_cache);
    return rc ? rc : qcow2_barrier(q);
}
