/*
 * qcow2: where the clusters of the disk lie in the file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qcow2.h"
#include "util/bytes.h"

Qcow2Kind qcow2_kind(uint64_t entry)
{
    return entry & QCOW2_COMPRESSED ? QCOW2_PACKED : entry & QCOW2_ZERO ? QCOW2_ZEROS
         : qcow2_host(entry) ? QCOW2_DATA : QCOW2_NONE;
}

/* Descriptors of compressed clusters: the place has this many bits, above is the number of sectors. */
static unsigned packed_bits(const Qcow2 *q)
{
    return 62 - (q->cluster_bits - 8);
}

void qcow2_entry_clusters(const Qcow2 *q, uint64_t entry, uint64_t *first, uint64_t *count)
{
    if (entry & QCOW2_COMPRESSED) {
        uint64_t at = entry & ((1ull << packed_bits(q)) - 1);
        uint64_t sectors = ((entry & (QCOW2_COMPRESSED - 1)) >> packed_bits(q)) + 1;
        uint64_t last = (at & ~511ull) + sectors * 512 - 1;

        *first = at >> q->cluster_bits;
        *count = (last >> q->cluster_bits) - *first + 1;
    } else {
        *first = qcow2_host(entry) >> q->cluster_bits;
        *count = qcow2_host(entry) != 0;
    }
}

static bool is_valid(const Qcow2 *q, uint64_t entry)
{
    if (entry & QCOW2_COMPRESSED) {
        return (entry & ((1ull << packed_bits(q)) - 1)) >> 56 == 0;
    }
    return qcow2_is_aligned(q, qcow2_host(entry)) && !(entry & QCOW2_ZERO && q->h.version < 3);
}

bool qcow2_entry_is_good(const Qcow2 *q, uint64_t entry)
{
    uint64_t first, count;

    qcow2_entry_clusters(q, entry, &first, &count);
    return is_valid(q, entry) && first + count <= qcow2_cluster_limit(q);
}

static int check_l1_entry(Qcow2 *q, uint64_t entry)
{
    return qcow2_is_aligned(q, qcow2_host(entry)) && qcow2_host(entry) >> q->cluster_bits < qcow2_cluster_limit(q)
         ? 0 : qcow2_corrupt(q, "the L1 table refers to a table", qcow2_host(entry));
}

int qcow2_entries(Qcow2 *q, uint64_t cluster, uint64_t *count, uint64_t *out)
{
    uint64_t index = cluster >> q->l2_bits, i = cluster & ((1ull << q->l2_bits) - 1);
    Qcow2Table *table;
    uint64_t l1;
    int rc;

    rc = qcow2_recover(q);
    if (rc) {
        return rc;
    }
    l1 = index < q->h.l1_entries ? q->l1[index] : 0;

    *count = MIN(*count, (1ull << q->l2_bits) - i);
    if (!qcow2_host(l1)) {
        memset(out, 0, *count * sizeof(*out));
        return 0;
    }
    rc = check_l1_entry(q, l1);
    rc = rc ? rc : qcow2_table_get(q, &q->l2_cache, qcow2_host(l1), &table);
    for (uint64_t k = 0; k < *count && rc == 0; k++) {
        out[k] = load_be(table->data + (i + k) * 8, 8);
        if (!qcow2_entry_is_good(q, out[k])) {
            rc = qcow2_corrupt(q, "an L2 table refers to a cluster", qcow2_host(out[k]));
        }
    }
    return rc;
}

void qcow2_l1_set(Qcow2 *q, uint32_t index, uint64_t entry)
{
    if (q->l1_dirty_to <= q->l1_dirty_from) {
        q->l1_dirty_from = index;
        q->l1_dirty_to = index + 1;
    }
    q->l1_dirty_from = MIN(q->l1_dirty_from, index);
    q->l1_dirty_to = MAX(q->l1_dirty_to, index + 1);
    q->l1[index] = entry;
}

/* A table of our own for L1's entry: zeros, or a copy of the one that is shared. */
static int new_table(Qcow2 *q, uint32_t index, Qcow2Table **out)
{
    uint64_t old = qcow2_host(q->l1[index]), offset;
    g_autofree uint8_t *copy = g_malloc0(q->cluster_size);
    Qcow2Table *table;
    int rc = 0;

    if (old) {
        rc = qcow2_table_get(q, &q->l2_cache, old, &table);
        if (rc) {
            return rc;
        }
        memcpy(copy, table->data, q->cluster_size);
    }
    rc = qcow2_alloc_run(q, 1, &offset);
    if (rc) {
        return rc;
    }
    /* It is good before L1 refers to it. */
    rc = qcow2_file_write(q, offset, copy, q->cluster_size);
    rc = rc ? rc : qcow2_table_new(q, &q->l2_cache, offset, out);
    if (rc) {
        qcow2_free_now(q, offset, 1);
        return rc;
    }
    memcpy((*out)->data, copy, q->cluster_size);
    q->barrier_needed = true;
    qcow2_l1_set(q, index, offset | QCOW2_COPIED);
    if (old) {
        qcow2_free_later(q, old, 1);
    }
    return 0;
}

int qcow2_own_table(Qcow2 *q, uint64_t cluster, Qcow2Table **out)
{
    uint64_t index = cluster >> q->l2_bits;
    uint64_t entry;
    int rc = qcow2_start_writing(q);

    if (rc) {
        return rc;
    }
    assert(index < q->h.l1_entries);
    entry = q->l1[index];
    rc = check_l1_entry(q, entry);
    if (rc) {
        return rc;
    }
    if (!(entry & QCOW2_COPIED) || !qcow2_host(entry)) {
        return new_table(q, (uint32_t)index, out);
    }
    return qcow2_is_metadata(q, qcow2_host(entry), q->cluster_size)
               ? qcow2_corrupt(q, "L1 refers to something that is no L2 table", qcow2_host(entry))
               : qcow2_table_get(q, &q->l2_cache, qcow2_host(entry), out);
}

int qcow2_set_entries(Qcow2 *q, uint64_t cluster, uint64_t count, const uint64_t *entries)
{
    uint64_t i = cluster & ((1ull << q->l2_bits) - 1), changed_from = count, changed_to = 0;
    Qcow2Table *table;
    int rc = qcow2_own_table(q, cluster, &table);

    assert(i + count <= 1ull << q->l2_bits);
    for (uint64_t k = 0; k < count && rc == 0; k++) {
        uint8_t *at = table->data + (i + k) * 8;
        uint64_t old = load_be(at, 8), first, clusters, new_first, new_clusters;

        if (old == entries[k]) {
            continue;
        }
        changed_from = MIN(changed_from, k);
        changed_to = k + 1;
        store_be(at, entries[k], 8);
        qcow2_entry_clusters(q, old, &first, &clusters);
        qcow2_entry_clusters(q, entries[k], &new_first, &new_clusters);
        if (!clusters || (new_clusters && first == new_first && !(old & QCOW2_COMPRESSED) &&
                          !(entries[k] & QCOW2_COMPRESSED))) {
            continue;
        }
        qcow2_free_later(q, first << q->cluster_bits, clusters);
    }
    if (changed_to > changed_from) {
        qcow2_table_dirty(&q->l2_cache, table, (uint32_t)(i + changed_from) * 8,
                          (uint32_t)(i + changed_to) * 8);
    }
    return rc;
}
