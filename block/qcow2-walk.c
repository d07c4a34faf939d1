/*
 * qcow2: all that the tables of an image refer to, and counts of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qcow2.h"
#include "util/bytes.h"

/* ---- counts ---- */

#define CHUNK_BITS 6u
#define CHUNK (1u << CHUNK_BITS)
/* A crash leaves clusters behind the file's end that were not written yet. */
#define BEHIND_END (1u << 20)

typedef struct Chunk {
    uint64_t index;
    uint64_t value[CHUNK];
} Chunk;

struct Qcow2Counts {
    GHashTable *chunks;
    Chunk *last;                /* used */
    GArray *sorted;             /* indices of chunks; NULL: not known */
    uint64_t alloc_hint;
};

Qcow2Counts *qcow2_counts_new(void)
{
    Qcow2Counts *c = g_new0(Qcow2Counts, 1);

    c->chunks = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    return c;
}

Qcow2Counts *qcow2_counts_copy(const Qcow2Counts *c)
{
    Qcow2Counts *copy = qcow2_counts_new();
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, c->chunks);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Chunk *chunk = g_memdup2(value, sizeof(Chunk));

        g_hash_table_insert(copy->chunks, &chunk->index, chunk);
    }
    return copy;
}

static void forget_order(Qcow2Counts *c)
{
    if (c->sorted) {
        g_array_free(c->sorted, TRUE);
        c->sorted = NULL;
    }
}

void qcow2_counts_free(Qcow2Counts *c)
{
    if (c) {
        forget_order(c);
        g_hash_table_destroy(c->chunks);
        g_free(c);
    }
}

static Chunk *find_chunk(const Qcow2Counts *c, uint64_t cluster)
{
    uint64_t index = cluster >> CHUNK_BITS;

    return c->last && c->last->index == index ? c->last : g_hash_table_lookup(c->chunks, &index);
}

uint64_t qcow2_counts_get(const Qcow2Counts *c, uint64_t cluster)
{
    const Chunk *chunk = find_chunk(c, cluster);

    return chunk ? chunk->value[cluster % CHUNK] : 0;
}

void qcow2_counts_set(Qcow2Counts *c, uint64_t cluster, uint64_t value)
{
    Chunk *chunk = find_chunk(c, cluster);

    if (!chunk) {
        if (!value) {
            return;
        }
        chunk = g_new0(Chunk, 1);
        chunk->index = cluster >> CHUNK_BITS;
        g_hash_table_insert(c->chunks, &chunk->index, chunk);
        forget_order(c);
    }
    c->last = chunk;
    chunk->value[cluster % CHUNK] = value;
    if (!value) {
        c->alloc_hint = MIN(c->alloc_hint, cluster);
    }
}

void qcow2_counts_add(Qcow2Counts *c, uint64_t cluster, uint64_t count, int64_t delta)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t old = qcow2_counts_get(c, cluster + i);

        qcow2_counts_set(c, cluster + i, delta < 0 && old < (uint64_t)-delta ? 0 : old + (uint64_t)delta);
    }
}

static int compare_indices(gconstpointer a, gconstpointer b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void sort(Qcow2Counts *c)
{
    GHashTableIter iter;
    gpointer value;

    c->sorted = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_hash_table_iter_init(&iter, c->chunks);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        g_array_append_val(c->sorted, ((Chunk *)value)->index);
    }
    g_array_sort(c->sorted, compare_indices);
}

uint64_t qcow2_counts_next(Qcow2Counts *c, uint64_t from)
{
    guint low = 0, high;

    if (!c->sorted) {
        sort(c);
    }
    high = c->sorted->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (g_array_index(c->sorted, uint64_t, middle) < from >> CHUNK_BITS) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < c->sorted->len; low++) {
        uint64_t index = g_array_index(c->sorted, uint64_t, low);
        const Chunk *chunk = find_chunk(c, index << CHUNK_BITS);

        for (unsigned i = index == from >> CHUNK_BITS ? from % CHUNK : 0; i < CHUNK; i++) {
            if (chunk->value[i]) {
                return (index << CHUNK_BITS) + i;
            }
        }
    }
    return QCOW2_NOWHERE;
}

uint64_t qcow2_counts_alloc(Qcow2Counts *c, uint64_t clusters)
{
    uint64_t first = c->alloc_hint, run = 0, free_from = QCOW2_NOWHERE;

    for (uint64_t at = first; run < clusters; at++) {
        if (qcow2_counts_get(c, at)) {
            run = 0;
            first = at + 1;
        } else {
            free_from = MIN(free_from, at);
            run++;
        }
    }
    for (uint64_t i = 0; i < clusters; i++) {
        qcow2_counts_set(c, first + i, 1);
    }
    c->alloc_hint = free_from == first ? first + clusters : free_from;
    return first;
}

uint64_t qcow2_cluster_limit(const Qcow2 *q)
{
    return MIN(qcow2_clusters(q, q->node.file->bytes) + BEHIND_END, QCOW2_OFFSET_MASK >> q->cluster_bits);
}

int qcow2_counts_load(Qcow2 *q, Qcow2Counts *c)
{
    uint64_t per_block = 1ull << q->block_bits, limit = qcow2_cluster_limit(q);
    g_autofree uint8_t *block = g_malloc(q->cluster_size);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);

    for (uint32_t i = 0; i < q->reftable_entries && i * per_block < limit; i++) {
        uint64_t at = q->reftable[i];
        int rc;

        if (!at) {
            continue;
        }
        if (!qcow2_is_aligned(q, at) || at > QCOW2_OFFSET_MASK || !g_hash_table_add(seen, &q->reftable[i])) {
            return qcow2_corrupt(q, "the refcount table refers to a block", at);
        }
        rc = qcow2_file_read(q, at, block, q->cluster_size);
        if (rc) {
            return rc;
        }
        for (uint64_t k = 0; k < per_block && i * per_block + k < limit; k++) {
            uint64_t value = qcow2_block_get(q, block, k);

            if (value) {
                qcow2_counts_set(c, i * per_block + k, value);
            }
        }
    }
    return 0;
}

/* ---- tables ---- */

int qcow2_l1_load(Qcow2 *q, uint64_t offset, uint32_t entries, uint64_t **out)
{
    g_autofree uint8_t *raw = NULL;
    int rc;

    *out = NULL;
    if ((uint64_t)entries * 8 > QCOW2_MAX_L1_BYTES || !qcow2_is_aligned(q, offset) ||
        offset > QCOW2_OFFSET_MASK) {
        return -EIO;
    }
    raw = g_malloc((size_t)entries * 8);
    rc = qcow2_file_read(q, offset, raw, (size_t)entries * 8);
    if (rc) {
        return rc;
    }
    *out = g_new(uint64_t, entries);
    for (uint32_t i = 0; i < entries; i++) {
        (*out)[i] = load_be(raw + (size_t)i * 8, 8);
    }
    return 0;
}

int qcow2_l2_load(Qcow2 *q, uint64_t offset, uint64_t *out)
{
    g_autofree uint8_t *raw = g_malloc(q->cluster_size);
    int rc = qcow2_file_read(q, offset, raw, q->cluster_size);

    for (uint32_t i = 0; i < 1u << q->l2_bits && rc == 0; i++) {
        out[i] = load_be(raw + (size_t)i * 8, 8);
    }
    return rc;
}

void qcow2_count_area(const Qcow2 *q, Qcow2Counts *c, uint64_t offset, uint64_t bytes, int delta)
{
    qcow2_counts_add(c, offset >> q->cluster_bits, qcow2_clusters(q, bytes), delta);
}

int qcow2_count_tree(Qcow2 *q, const uint64_t *l1, uint32_t entries, Qcow2Counts *c, int tables, int data)
{
    g_autofree uint64_t *l2 = g_new(uint64_t, (size_t)1 << q->l2_bits);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    uint64_t limit = qcow2_cluster_limit(q);

    for (uint32_t i = 0; i < entries; i++) {
        uint64_t at = qcow2_host(l1[i]);
        int rc;

        if (!at) {
            continue;
        }
        if (!qcow2_is_aligned(q, at) || at >> q->cluster_bits >= limit ||
            !g_hash_table_add(seen, g_memdup2(&at, sizeof(at)))) {
            return qcow2_corrupt(q, "an L1 table refers to a table", at);
        }
        qcow2_counts_add(c, at >> q->cluster_bits, 1, tables);
        rc = qcow2_l2_load(q, at, l2);
        for (uint32_t k = 0; k < 1u << q->l2_bits && rc == 0; k++) {
            uint64_t first, count;

            qcow2_entry_clusters(q, l2[k], &first, &count);
            if (!qcow2_entry_is_good(q, l2[k])) {
                rc = qcow2_corrupt(q, "an L2 table refers to a cluster", first << q->cluster_bits);
            } else {
                qcow2_counts_add(c, first, count, data);
            }
        }
        if (rc) {
            return rc;
        }
    }
    return 0;
}

/* ---- bitmaps ---- */

#define BITMAP_ENTRY 24u
#define MAX_BITMAPS 65535u
#define MAX_BITMAP_BYTES (64u << 20)

/* One bitmap: its table, and what that refers to. */
static int bitmap_table(Qcow2 *q, uint64_t offset, uint32_t entries,
                        void (*fn)(Qcow2 *q, uint64_t offset, uint64_t clusters, void *opaque), void *opaque)
{
    g_autofree uint8_t *table = NULL;
    int rc;

    if (!qcow2_is_aligned(q, offset) || offset > QCOW2_OFFSET_MASK || (uint64_t)entries * 8 > MAX_BITMAP_BYTES) {
        return -EIO;
    }
    table = g_malloc((size_t)entries * 8);
    rc = qcow2_file_read(q, offset, table, (size_t)entries * 8);
    fn(q, offset, qcow2_clusters(q, (uint64_t)entries * 8), opaque);
    for (uint32_t i = 0; i < entries && rc == 0; i++) {
        uint64_t at = load_be(table + (size_t)i * 8, 8) & QCOW2_OFFSET_MASK;

        if (at && (!qcow2_is_aligned(q, at) || at >> q->cluster_bits >= qcow2_cluster_limit(q))) {
            return -EIO;
        }
        if (at) {
            fn(q, at, 1, opaque);
        }
    }
    return rc;
}

int qcow2_bitmap_clusters(Qcow2 *q, void (*fn)(Qcow2 *q, uint64_t offset, uint64_t clusters, void *opaque),
                          void *opaque)
{
    const Qcow2Extension *e = qcow2_extension(q, QCOW2_EXT_BITMAPS);
    uint64_t count, bytes, offset, at = 0;
    g_autofree uint8_t *directory = NULL;
    const uint8_t *raw;
    gsize length;
    int rc;

    if (!e) {
        return 0;
    }
    raw = g_bytes_get_data(e->data, &length);
    if (length != 24) {
        return -EIO;
    }
    count = load_be(raw, 4);
    bytes = load_be(raw + 8, 8);
    offset = load_be(raw + 16, 8);
    if (count > MAX_BITMAPS || bytes > MAX_BITMAP_BYTES || !qcow2_is_aligned(q, offset) ||
        offset > QCOW2_OFFSET_MASK) {
        return -EIO;
    }
    directory = g_malloc(bytes);
    rc = qcow2_file_read(q, offset, directory, bytes);
    if (rc) {
        return rc;
    }
    fn(q, offset, qcow2_clusters(q, bytes), opaque);
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *entry = directory + at;
        uint64_t size;

        if (bytes - at < BITMAP_ENTRY) {
            return -EIO;
        }
        size = (BITMAP_ENTRY + load_be(entry + 18, 2) + load_be(entry + 20, 4) + 7) & ~7ull;
        if (size > bytes - at) {
            return -EIO;
        }
        rc = bitmap_table(q, load_be(entry, 8), (uint32_t)load_be(entry + 8, 4), fn, opaque);
        if (rc) {
            return rc;
        }
        at += size;
    }
    return 0;
}
