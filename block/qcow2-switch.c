/*
 * qcow2: new tables beside the old ones.
 *
 * What changes refcounts all over the image cannot be written in place in any order that is right at every
 * moment: a cluster's refcount and the COPIED bit of its entry lie apart. So the changed L2 tables, L1 and
 * all refcounts are written to clusters that are free, and the header, which is one write, then refers to
 * those. They are small: 64 KiB of L2 table for 512 MiB of data, 64 KiB of refcounts for 2 GiB.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qcow2.h"
#include "util/bytes.h"

int qcow2_switch_begin(Qcow2 *q, Qcow2Switch *s)
{
    int rc = qcow2_start_writing(q);

    *s = (Qcow2Switch){ .counts = qcow2_counts_new(), .busy = qcow2_counts_new() };
    rc = rc ? rc : qcow2_write_everything(q);
    rc = rc ? rc : qcow2_counts_load(q, s->counts);
    rc = rc ? rc : qcow2_counts_load(q, s->busy);
    if (rc) {
        return rc;
    }
    s->h = q->h;
    /* There will be others. */
    qcow2_count_area(q, s->counts, q->h.reftable_offset, (uint64_t)q->h.reftable_clusters << q->cluster_bits, -1);
    for (uint32_t i = 0; i < q->reftable_entries; i++) {
        qcow2_count_area(q, s->counts, q->reftable[i], q->reftable[i] ? q->cluster_size : 0, -1);
    }
    return 0;
}

void qcow2_switch_end(Qcow2Switch *s)
{
    qcow2_counts_free(s->counts);
    qcow2_counts_free(s->busy);
}

uint64_t qcow2_switch_alloc(Qcow2Switch *s, uint64_t clusters)
{
    uint64_t first = qcow2_counts_alloc(s->busy, clusters);

    for (uint64_t i = 0; i < clusters; i++) {
        qcow2_counts_set(s->counts, first + i, 1);
    }
    return first;
}

static void give_back(Qcow2Switch *s, uint64_t first, uint64_t clusters)
{
    for (uint64_t i = 0; i < clusters; i++) {
        qcow2_counts_set(s->counts, first + i, 0);
        qcow2_counts_set(s->busy, first + i, 0);
    }
}

/* ---- L1 and L2 ---- */

/* The right COPIED bits; whether something changed. */
static bool correct(Qcow2 *q, const Qcow2Switch *s, uint64_t *l2)
{
    uint64_t first, count;
    bool changed = false;

    for (uint32_t i = 0; i < 1u << q->l2_bits; i++) {
        uint64_t entry = l2[i];

        qcow2_entry_clusters(q, entry, &first, &count);
        if (!qcow2_entry_is_good(q, entry)) {
            entry = 0;
        } else if (entry & QCOW2_COMPRESSED || !count || qcow2_counts_get(s->counts, first) != 1) {
            entry &= ~QCOW2_COPIED;
        } else {
            entry |= QCOW2_COPIED;
        }
        changed |= entry != l2[i];
        l2[i] = entry;
    }
    return changed;
}

static int write_entries(Qcow2 *q, uint64_t offset, const uint64_t *entries, uint64_t count)
{
    size_t bytes = (size_t)qcow2_clusters(q, count * 8) << q->cluster_bits;
    g_autofree uint8_t *raw = g_malloc0(bytes);

    for (uint64_t i = 0; i < count; i++) {
        store_be(raw + i * 8, entries[i], 8);
    }
    return qcow2_file_write(q, offset, raw, bytes);
}

/* The active table for that of an L1 entry. */
static int switch_table(Qcow2 *q, Qcow2Switch *s, uint64_t *l1, uint64_t *l2, bool own)
{
    uint64_t at = qcow2_host(*l1), cluster = at >> q->cluster_bits;
    int rc = qcow2_l2_load(q, at, l2);
    bool changed;

    if (rc) {
        return rc;
    }
    changed = correct(q, s, l2);
    if (own && !changed && qcow2_counts_get(s->counts, cluster) == 1) {
        *l1 = at | QCOW2_COPIED;
        return 0;
    }
    if (own) {
        qcow2_counts_add(s->counts, cluster, 1, -1);
    }
    at = qcow2_switch_alloc(s, 1) << q->cluster_bits;
    *l1 = at | QCOW2_COPIED;
    return write_entries(q, at, l2, 1ull << q->l2_bits);
}

int qcow2_switch_active(Qcow2 *q, Qcow2Switch *s, const uint64_t *l1, uint32_t entries, bool own)
{
    uint32_t needed = (uint32_t)MAX(MAX(entries, qcow2_l1_entries_for(q, s->h.size)), 1);
    g_autofree uint64_t *l2 = g_new(uint64_t, (size_t)1 << q->l2_bits);
    g_autofree uint64_t *fresh = g_new0(uint64_t, needed);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    uint64_t clusters = qcow2_clusters(q, (uint64_t)needed * 8), at;
    int rc = (uint64_t)needed * 8 > QCOW2_MAX_L1_BYTES ? -EFBIG : 0;

    for (uint32_t i = 0; i < entries && rc == 0; i++) {
        at = qcow2_host(l1[i]);
        if (at && qcow2_is_aligned(q, at) && at >> q->cluster_bits < qcow2_cluster_limit(q) &&
            g_hash_table_add(seen, g_memdup2(&at, sizeof(at)))) {
            fresh[i] = l1[i];
            rc = switch_table(q, s, &fresh[i], l2, own);
        }
    }
    if (rc) {
        return rc;
    }
    at = qcow2_switch_alloc(s, clusters) << q->cluster_bits;
    s->h.l1_offset = at;
    s->h.l1_entries = needed;
    return write_entries(q, at, fresh, needed);
}

/* ---- refcounts ---- */

/* Which blocks there are to be: their numbers, in order. At least one: that of the header. */
static void blocks_needed(const Qcow2 *q, Qcow2Counts *counts, GArray *out)
{
    uint64_t at = 0;

    g_array_set_size(out, 0);
    while ((at = qcow2_counts_next(counts, at)) != QCOW2_NOWHERE) {
        uint64_t index = at >> q->block_bits;

        g_array_append_val(out, index);
        at = (index + 1) << q->block_bits;
    }
}

static int check_widths(const Qcow2 *q, Qcow2Counts *counts)
{
    for (uint64_t at = 0; (at = qcow2_counts_next(counts, at)) != QCOW2_NOWHERE; at++) {
        if (qcow2_counts_get(counts, at) > q->max_refcount) {
            return -E2BIG;
        }
    }
    return 0;
}

static int write_block(Qcow2 *q, const Qcow2Counts *counts, uint64_t index, uint64_t place)
{
    g_autofree uint8_t *block = g_malloc0(q->cluster_size);

    for (uint64_t i = 0; i < 1ull << q->block_bits; i++) {
        uint64_t value = qcow2_counts_get(counts, (index << q->block_bits) + i);

        if (value) {
            qcow2_block_set(q, block, i, value);
        }
    }
    return qcow2_file_write(q, place << q->cluster_bits, block, q->cluster_size);
}

int qcow2_switch_refcounts(Qcow2 *q, Qcow2Switch *s)
{
    g_autoptr(GArray) blocks = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    uint64_t table = 0, clusters = 0, needed;
    g_autofree uint64_t *entries = NULL;
    int rc;

    /* They are counted by themselves: until no more are needed. */
    for (;;) {
        blocks_needed(q, s->counts, blocks);
        needed = qcow2_clusters(q, (g_array_index(blocks, uint64_t, blocks->len - 1) + 1) * 8);
        if (needed << q->cluster_bits > QCOW2_MAX_REFTABLE_BYTES) {
            return -EFBIG;
        }
        if (needed > clusters) {
            give_back(s, table, clusters);
            table = qcow2_switch_alloc(s, needed);
            clusters = needed;
        } else if (places->len < blocks->len) {
            uint64_t place = qcow2_switch_alloc(s, 1);

            g_array_append_val(places, place);
        } else {
            break;
        }
    }
    for (guint i = blocks->len; i < places->len; i++) {
        qcow2_counts_set(s->counts, g_array_index(places, uint64_t, i), 0);
    }
    rc = check_widths(q, s->counts);
    entries = g_new0(uint64_t, clusters << (q->cluster_bits - 3));
    for (guint i = 0; i < blocks->len && rc == 0; i++) {
        uint64_t index = g_array_index(blocks, uint64_t, i), place = g_array_index(places, uint64_t, i);

        entries[index] = place << q->cluster_bits;
        rc = write_block(q, s->counts, index, place);
    }
    rc = rc ? rc : write_entries(q, table << q->cluster_bits, entries, clusters << (q->cluster_bits - 3));
    s->h.reftable_offset = table << q->cluster_bits;
    s->h.reftable_clusters = (uint32_t)clusters;
    return rc;
}

/* The host may have back what was in use and is free now. */
static void discard_freed(Qcow2 *q, Qcow2Switch *s)
{
    BlockNode *file = q->node.file;
    uint64_t from = 0, to = 0;

    for (uint64_t at = 0; (at = qcow2_counts_next(s->busy, at)) != QCOW2_NOWHERE; at++) {
        if (qcow2_counts_get(s->counts, at) || (at + 1) << q->cluster_bits > file->bytes) {
            continue;
        }
        if (at != to) {
            block_discard(file, from << q->cluster_bits, (to - from) << q->cluster_bits);
            from = at;
        }
        to = at + 1;
    }
    block_discard(file, from << q->cluster_bits, (to - from) << q->cluster_bits);
}

int qcow2_switch_commit(Qcow2 *q, Qcow2Switch *s)
{
    Qcow2Header before = q->h;
    int rc = qcow2_switch_refcounts(q, s);

    rc = rc ? rc : block_flush(q->node.file);
    if (rc == 0) {
        q->h = s->h;
        rc = qcow2_header_write(q);
        rc = rc ? rc : block_flush(q->node.file);
        q->h = rc ? before : s->h;
    }
    if (rc) {
        return rc;
    }
    if (q->cluster_size >= 4096) {
        discard_freed(q, s);
    }
    q->node.bytes = q->h.size;
    q->broken = true;
    qcow2_recover(q);       /* if not now, then before they are needed */
    return 0;
}
