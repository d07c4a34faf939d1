/*
 * qcow2: which clusters of the file are in use.
 *
 * A refcount block that is not there yet is put on the first cluster that it counts: all of those are free,
 * so it counts itself, and no other block is needed for it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qcow2.h"
#include "util/bytes.h"

/* So many runs are kept; then the tables are written. */
#define MAX_FREES 4096u
/* A crash leaves clusters behind the file's end counted that were never written. So many at most. */
#define MAX_BEHIND_END (1u << 20)

/* ---- blocks ---- */

uint64_t qcow2_block_get(const Qcow2 *q, const uint8_t *block, uint64_t i)
{
    unsigned order = q->h.refcount_order, width = 1u << order;

    if (order < 3) {
        return block[i * width / 8] >> (i * width % 8) & ((1u << width) - 1);
    }
    return load_be(block + i * (width / 8), width / 8);
}

void qcow2_block_set(const Qcow2 *q, uint8_t *block, uint64_t i, uint64_t value)
{
    unsigned order = q->h.refcount_order, width = 1u << order;

    if (order < 3) {
        uint8_t *byte = &block[i * width / 8];
        unsigned shift = (unsigned)(i * width % 8), mask = ((1u << width) - 1) << shift;

        *byte = (uint8_t)((*byte & ~mask) | (value << shift & mask));
    } else {
        store_be(block + i * (width / 8), value, width / 8);
    }
}

/* The block that counts a cluster; *out NULL: none. */
static int get_block(Qcow2 *q, uint64_t cluster, Qcow2Table **out)
{
    uint64_t index = cluster >> q->block_bits, entry;

    *out = NULL;
    entry = index < q->reftable_entries ? q->reftable[index] : 0;
    if (!entry) {
        return 0;
    }
    if (!qcow2_is_aligned(q, entry) || entry > QCOW2_OFFSET_MASK) {
        return qcow2_corrupt(q, "the refcount table refers to a block", entry);
    }
    return qcow2_table_get(q, &q->refcount_cache, entry, out);
}

int qcow2_refcount(Qcow2 *q, uint64_t cluster, uint64_t *out)
{
    Qcow2Table *block;
    int rc = get_block(q, cluster, &block);

    *out = rc || !block ? 0 : qcow2_block_get(q, block->data, cluster & ((1ull << q->block_bits) - 1));
    return rc;
}

int qcow2_refcount_set(Qcow2 *q, uint64_t cluster, uint64_t value)
{
    uint64_t i = cluster & ((1ull << q->block_bits) - 1), bit = i << q->h.refcount_order;
    uint32_t from = (uint32_t)(bit / 8), to = from + MAX((1u << q->h.refcount_order) / 8, 1u);
    Qcow2Table *block;
    int rc = get_block(q, cluster, &block);

    if (rc || !block) {
        return rc ? rc : qcow2_corrupt(q, "there is no refcount of the cluster", cluster << q->cluster_bits);
    }
    qcow2_block_set(q, block->data, i, value);
    qcow2_table_dirty(&q->refcount_cache, block, from, to);
    if (value == 0) {
        q->free_hint = MIN(q->free_hint, cluster);
    }
    return 0;
}

int qcow2_refcount_add(Qcow2 *q, uint64_t cluster, uint64_t count, int delta)
{
    int rc = 0;

    for (uint64_t i = 0; i < count && rc == 0; i++) {
        uint64_t old;

        rc = qcow2_refcount(q, cluster + i, &old);
        if (rc == 0 && delta < 0 && old == 0) {
            return qcow2_corrupt(q, "a cluster is in use that is counted as free",
                                 (cluster + i) << q->cluster_bits);
        }
        if (rc == 0 && delta > 0 && old == q->max_refcount) {
            return -E2BIG;
        }
        rc = rc ? rc : qcow2_refcount_set(q, cluster + i, old + (uint64_t)(int64_t)delta);
    }
    return rc;
}

/* ---- more blocks ---- */

/* A zeroed block at its place that counts `used` clusters from its own on. */
static int write_new_block(Qcow2 *q, uint64_t index, uint64_t used)
{
    g_autofree uint8_t *data = g_malloc0(q->cluster_size);

    for (uint64_t i = 0; i < MIN(used, 1ull << q->block_bits); i++) {
        qcow2_block_set(q, data, i, 1);
    }
    q->barrier_needed = true;
    return qcow2_file_write(q, index << q->block_bits << q->cluster_bits, data, q->cluster_size);
}

/*
 * A larger refcount table. It lies behind all that the old one counts, after the blocks for that place
 * and for itself.
 */
static int grow_reftable(Qcow2 *q, uint64_t index)
{
    uint64_t per_block = 1ull << q->block_bits, first = q->reftable_entries * per_block;
    uint64_t blocks = 1, clusters, entries, used;
    g_autofree uint64_t *table = NULL;
    g_autofree uint8_t *raw = NULL;
    Qcow2Run old = { q->h.reftable_offset >> q->cluster_bits, q->h.reftable_clusters };
    Qcow2Header before = q->h;
    int rc = 0;

    for (;;) {
        /* Half as much again, so that it does not happen often. */
        clusters = qcow2_clusters(q, (MAX(index + 1, q->reftable_entries + blocks) * 3 / 2) * 8);
        if (clusters << q->cluster_bits > QCOW2_MAX_REFTABLE_BYTES) {
            return -EFBIG;
        }
        used = blocks + clusters;
        if (used <= blocks * per_block) {
            break;
        }
        blocks++;
    }
    entries = clusters << (q->cluster_bits - 3);
    table = g_new0(uint64_t, entries);
    memcpy(table, q->reftable, q->reftable_entries * sizeof(*table));
    /* The blocks stand in a row: they are counted by the first ones of themselves. */
    for (uint64_t i = 0; i < blocks && rc == 0; i++) {
        g_autofree uint8_t *data = g_malloc0(q->cluster_size);

        for (uint64_t k = 0; k < per_block && i * per_block + k < used; k++) {
            qcow2_block_set(q, data, k, 1);
        }
        table[q->reftable_entries + i] = (first + i) << q->cluster_bits;
        rc = qcow2_file_write(q, (first + i) << q->cluster_bits, data, q->cluster_size);
    }
    raw = g_malloc0(entries * 8);
    for (uint64_t i = 0; i < entries; i++) {
        store_be(raw + i * 8, table[i], 8);
    }
    rc = rc ? rc : qcow2_file_write(q, (first + blocks) << q->cluster_bits, raw, entries * 8);
    rc = rc ? rc : block_flush(q->node.file);
    if (rc == 0) {
        q->h.reftable_offset = (first + blocks) << q->cluster_bits;
        q->h.reftable_clusters = (uint32_t)clusters;
        rc = qcow2_header_write(q);
    }
    if (rc) {
        q->h = before;
        return rc;
    }
    q->barrier_needed = true;
    g_free(q->reftable);
    q->reftable = g_steal_pointer(&table);
    q->reftable_entries = (uint32_t)entries;
    qcow2_free_later(q, old.cluster << q->cluster_bits, old.count);
    return 0;
}

static int ensure_block(Qcow2 *q, uint64_t cluster)
{
    uint64_t index = cluster >> q->block_bits, place = index << q->block_bits << q->cluster_bits;
    uint8_t raw[8];
    int rc = index >= q->reftable_entries ? grow_reftable(q, index) : 0;

    if (rc || q->reftable[index]) {
        return rc;
    }
    if (index == 0) {
        return qcow2_corrupt(q, "there is no refcount of the header", 0);
    }
    qcow2_table_forget(&q->refcount_cache, place);
    rc = qcow2_is_metadata(q, place, q->cluster_size)
             ? qcow2_corrupt(q, "a refcount block's place is in use", place) : write_new_block(q, index, 1);
    rc = rc ? rc : block_flush(q->node.file);
    store_be(raw, place, 8);
    rc = rc ? rc : qcow2_file_write(q, q->h.reftable_offset + index * 8, raw, 8);
    if (rc == 0) {
        q->reftable[index] = place;
    }
    return rc;
}

/* ---- allocation ---- */

/* The first free cluster from `from` on, in a block that is there. */
static int find_free(Qcow2 *q, uint64_t from, uint64_t *out)
{
    uint64_t per_block = 1ull << q->block_bits;

    for (;; from = (from | (per_block - 1)) + 1) {
        Qcow2Table *block;
        int rc = from > qcow2_clusters(q, q->node.file->bytes) + MAX_BEHIND_END
                     ? qcow2_corrupt(q, "clusters behind the file's end are counted", from << q->cluster_bits)
                     : get_block(q, from, &block);

        if (rc) {
            return rc;
        }
        if (!block) {
            rc = ensure_block(q, from);
            if (rc || (rc = get_block(q, from, &block)) != 0) {
                return rc;
            }
        }
        for (uint64_t i = from & (per_block - 1); i < per_block; i++) {
            if (qcow2_block_get(q, block->data, i) == 0) {
                *out = (from & ~(per_block - 1)) + i;
                return 0;
            }
        }
    }
}

/* Free clusters from `cluster` on, at most `want`, as far as there are blocks. */
static int count_free(Qcow2 *q, uint64_t cluster, uint64_t want, uint64_t *out)
{
    *out = 0;
    while (*out < want) {
        uint64_t refcount;
        Qcow2Table *block;
        int rc = get_block(q, cluster + *out, &block);

        if (rc == 0 && !block) {
            /* Its first cluster becomes the block. */
            return 0;
        }
        rc = rc ? rc : qcow2_refcount(q, cluster + *out, &refcount);
        if (rc || refcount) {
            return rc;
        }
        ++*out;
    }
    return 0;
}

static int take(Qcow2 *q, uint64_t cluster, uint64_t count, uint64_t *offset)
{
    int rc;

    *offset = cluster << q->cluster_bits;
    if (*offset > QCOW2_OFFSET_MASK || (count << q->cluster_bits) > QCOW2_OFFSET_MASK - *offset) {
        return -EFBIG;
    }
    if (qcow2_is_metadata(q, *offset, count << q->cluster_bits)) {
        return qcow2_corrupt(q, "clusters of tables are counted as free", *offset);
    }
    rc = qcow2_refcount_add(q, cluster, count, 1);
    q->barrier_needed = true;
    return rc;
}

/* What is to be freed is so now. */
static int reclaim(Qcow2 *q)
{
    return q->frees->len ? qcow2_write_tables(q) : 0;
}

int qcow2_alloc(Qcow2 *q, uint64_t want, uint64_t *offset, uint64_t *got)
{
    uint64_t cluster;
    int rc = qcow2_start_writing(q);

    if (rc == 0 && q->frees->len >= MAX_FREES) {
        rc = reclaim(q);
    }
    rc = rc ? rc : find_free(q, q->free_hint, &cluster);
    rc = rc ? rc : count_free(q, cluster, want, got);
    rc = rc ? rc : take(q, cluster, *got, offset);
    if (rc == 0) {
        q->free_hint = cluster + *got;
    }
    return rc;
}

int qcow2_alloc_run(Qcow2 *q, uint64_t count, uint64_t *offset)
{
    uint64_t cluster = q->free_hint, got, per_block = 1ull << q->block_bits;
    int rc = qcow2_start_writing(q);

    while (rc == 0) {
        rc = find_free(q, cluster, &cluster);
        rc = rc ? rc : count_free(q, cluster, count, &got);
        if (rc || got == count) {
            break;
        }
        if (((cluster + got) & (per_block - 1)) == 0) {
            /* The run ends where the next block is to be: behind that, or through it. */
            uint64_t refcount;

            rc = ensure_block(q, cluster + got);
            rc = rc ? rc : qcow2_refcount(q, cluster + got, &refcount);
            cluster += rc || refcount ? got : 0;
        } else {
            cluster += got;
        }
    }
    return rc ? rc : take(q, cluster, count, offset);
}

/* ---- freeing ---- */

static void release(Qcow2 *q, uint64_t cluster, uint64_t count)
{
    uint64_t offset = cluster << q->cluster_bits, end = offset + (count << q->cluster_bits);

    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = (cluster + i) << q->cluster_bits;

        qcow2_table_forget(&q->l2_cache, at);
        if (q->compressed_at && (q->compressed_at - 1) >> q->cluster_bits == cluster + i) {
            q->compressed_at = 0;
        }
    }
    /* The host may have the room back. That it does not want it is not an error. */
    if (q->cluster_size >= 4096 && offset < q->node.file->bytes) {
        block_discard(q->node.file, offset, MIN(end, q->node.file->bytes) - offset);
    }
    q->unpacked_entry = 0;
}

/* One reference less to each; those that are free then, are released. */
static int drop(Qcow2 *q, uint64_t cluster, uint64_t count)
{
    uint64_t free_from = 0, free_count = 0, refcount;
    int rc = 0;

    for (uint64_t i = 0; i < count && rc == 0; i++) {
        rc = qcow2_refcount_add(q, cluster + i, 1, -1);
        rc = rc ? rc : qcow2_refcount(q, cluster + i, &refcount);
        if (rc == 0 && refcount == 0) {
            free_from = free_count ? free_from : cluster + i;
            free_count++;
        } else if (free_count) {
            release(q, free_from, free_count);
            free_count = 0;
        }
    }
    if (free_count) {
        release(q, free_from, free_count);
    }
    return rc;
}

void qcow2_free_now(Qcow2 *q, uint64_t offset, uint64_t count)
{
    drop(q, offset >> q->cluster_bits, count);      /* failing, they are leaked */
}

void qcow2_free_later(Qcow2 *q, uint64_t offset, uint64_t count)
{
    Qcow2Run run = { offset >> q->cluster_bits, count };
    Qcow2Run *last = q->frees->len ? &g_array_index(q->frees, Qcow2Run, q->frees->len - 1) : NULL;

    if (last && last->cluster + last->count == run.cluster) {
        last->count += count;
    } else if (count) {
        g_array_append_val(q->frees, run);
    }
}

int qcow2_apply_frees(Qcow2 *q)
{
    GArray *frees = q->frees;
    int rc = 0;

    q->frees = g_array_new(FALSE, FALSE, sizeof(Qcow2Run));
    for (guint i = 0; i < frees->len && rc == 0; i++) {
        const Qcow2Run *run = &g_array_index(frees, Qcow2Run, i);

        rc = drop(q, run->cluster, run->count);
    }
    g_array_free(frees, TRUE);      /* after a failure the rest is leaked */
    return rc;
}

static bool overlaps(uint64_t a, uint64_t a_length, uint64_t b, uint64_t b_length)
{
    return a < b + b_length && b < a + a_length;
}

bool qcow2_is_metadata(const Qcow2 *q, uint64_t offset, uint64_t length)
{
    return overlaps(offset, length, 0, q->cluster_size) ||
           overlaps(offset, length, q->h.l1_offset, (uint64_t)q->h.l1_entries * 8) ||
           overlaps(offset, length, q->h.reftable_offset,
                    (uint64_t)q->h.reftable_clusters << q->cluster_bits) ||
           (q->h.snapshots && overlaps(offset, length, q->h.snapshots_offset, 1));
}
