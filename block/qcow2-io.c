/*
 * qcow2: reading and writing the disk.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qcow2.h"

/* So many clusters are looked at together. */
#define RUN 256u

/* Pieces in which zeros are written. */
#define ZEROS 65536u
static const uint8_t zeros[ZEROS];

static uint64_t inside(const Qcow2 *q, uint64_t offset)
{
    return offset & (q->cluster_size - 1);
}

/* How many clusters [offset, offset + length) touches, at most RUN. */
static uint64_t touched(const Qcow2 *q, uint64_t offset, uint64_t length)
{
    return MIN(qcow2_clusters(q, inside(q, offset) + MIN(length, (uint64_t)RUN << q->cluster_bits)), RUN);
}

/* The first entries that are of one kind, and in a row in the file. */
static uint64_t same_run(const Qcow2 *q, const uint64_t *entries, uint64_t count)
{
    Qcow2Kind kind = qcow2_kind(entries[0]);
    uint64_t i;

    for (i = 1; i < count && kind != QCOW2_PACKED && qcow2_kind(entries[i]) == kind; i++) {
        if (qcow2_host(entries[0]) ? qcow2_host(entries[i]) != qcow2_host(entries[0]) + (i << q->cluster_bits)
                                   : qcow2_host(entries[i]) != 0) {
            break;
        }
    }
    return i;
}

/* ---- reading ---- */

static int read_run(BlockNode *n, uint64_t entry, uint64_t offset, void *out, size_t length)
{
    Qcow2 *q = qcow2(n);
    const uint8_t *data;
    int rc;

    switch (qcow2_kind(entry)) {
    case QCOW2_NONE:
        return block_read_backing(n, offset, out, length);
    case QCOW2_ZEROS:
        memset(out, 0, length);
        return 0;
    case QCOW2_DATA:
        return qcow2_file_read(q, qcow2_host(entry) + inside(q, offset), out, length);
    default:
        rc = qcow2_unpack(q, entry, &data);
        if (rc == 0) {
            memcpy(out, data + inside(q, offset), length);
        }
        return rc;
    }
}

int qcow2_read(BlockNode *n, uint64_t offset, void *out, size_t length)
{
    Qcow2 *q = qcow2(n);
    uint64_t entries[RUN];

    while (length) {
        uint64_t count = touched(q, offset, length);
        int rc = qcow2_entries(q, offset >> q->cluster_bits, &count, entries);
        size_t part;

        if (rc) {
            return rc;
        }
        part = (size_t)MIN(length, (same_run(q, entries, count) << q->cluster_bits) - inside(q, offset));
        rc = read_run(n, entries[0], offset, out, part);
        if (rc) {
            return rc;
        }
        out = (uint8_t *)out + part;
        offset += part;
        length -= part;
    }
    return 0;
}

int qcow2_extent(BlockNode *n, uint64_t offset, uint64_t length, BlockExtent *out)
{
    Qcow2 *q = qcow2(n);
    uint64_t entries[RUN], first = 0, run = 0, next = offset >> q->cluster_bits, wanted, count;

    wanted = qcow2_clusters(q, inside(q, offset) + length);
    do {
        uint64_t part;
        int rc;

        count = MIN(wanted - run, RUN);
        rc = qcow2_entries(q, next, &count, entries);
        if (rc) {
            return rc;
        }
        if (run == 0) {
            first = entries[0];
        } else if (qcow2_kind(first) != qcow2_kind(entries[0]) || qcow2_kind(first) == QCOW2_PACKED ||
                   qcow2_host(entries[0]) != (qcow2_host(first) ? qcow2_host(first) + (run << q->cluster_bits)
                                                                : 0)) {
            break;
        }
        part = same_run(q, entries, count);
        run += part;
        next += part;
        if (part < count) {
            break;
        }
    } while (run < wanted);
    out->bytes = MIN(length, (run << q->cluster_bits) - inside(q, offset));
    out->allocated = qcow2_kind(first) != QCOW2_NONE;
    out->zero = qcow2_kind(first) == QCOW2_ZEROS;
    out->compressed = qcow2_kind(first) == QCOW2_PACKED;
    out->has_offset = !out->compressed && qcow2_host(first);
    out->offset = out->has_offset ? qcow2_host(first) + inside(q, offset) : 0;
    return 0;
}

/* ---- writing ---- */

static bool is_in_place(uint64_t entry)
{
    return qcow2_kind(entry) == QCOW2_DATA && entry & QCOW2_COPIED;
}

/* Zeros that have room: that may be used again. */
static bool is_reusable(uint64_t entry)
{
    return qcow2_kind(entry) == QCOW2_ZEROS && entry & QCOW2_COPIED && qcow2_host(entry);
}

/* Whether a cluster that has this entry is all zeros, as far as that can be told without reading. */
static bool reads_zero(BlockNode *n, uint64_t entry, uint64_t cluster)
{
    return qcow2_kind(entry) == QCOW2_ZEROS ||
           (qcow2_kind(entry) == QCOW2_NONE &&
            (!n->backing || cluster << qcow2(n)->cluster_bits >= n->backing->bytes));
}

/* What the disk has now at [from, to), zeros behind its end, goes to the file. */
static int copy_old(BlockNode *n, uint64_t from, uint64_t to, uint64_t host, uint8_t *room)
{
    uint64_t there = MIN(MAX(n->bytes, from), to);
    int rc = 0;

    memset(room, 0, to - from);
    if (there > from) {
        rc = qcow2_read(n, from, room, (size_t)(there - from));
    }
    return rc || to == from ? rc : qcow2_file_write(qcow2(n), host, room, (size_t)(to - from));
}

/* New clusters at host get `data`, and around it what the disk has. */
static int fill(BlockNode *n, uint64_t offset, const uint8_t *data, size_t length, const uint64_t *entries,
                uint64_t host, uint64_t clusters)
{
    Qcow2 *q = qcow2(n);
    uint64_t start = offset - inside(q, offset), end = start + (clusters << q->cluster_bits);
    uint64_t first = start >> q->cluster_bits;
    bool zero_head = offset == start || reads_zero(n, entries[0], first);
    bool zero_tail = offset + length == end || reads_zero(n, entries[clusters - 1], first + clusters - 1);
    g_autofree uint8_t *room = NULL;
    int rc;

    q->barrier_needed = true;
    if (zero_head && zero_tail && host >= q->node.file->bytes) {
        rc = qcow2_file_extend(q, host + (clusters << q->cluster_bits));
        return rc ? rc : qcow2_file_write(q, host + inside(q, offset), data, length);
    }
    if (offset == start && offset + length == end) {
        return qcow2_file_write(q, host, data, length);
    }
    room = g_malloc(q->cluster_size);
    rc = copy_old(n, start, offset, host, room);
    rc = rc ? rc : qcow2_file_write(q, host + inside(q, offset), data, length);
    return rc ? rc : copy_old(n, offset + length, end, host + inside(q, offset) + length, room);
}

/* Into clusters that are not there yet, or are shared. */
static int write_new(BlockNode *n, uint64_t offset, const uint8_t *data, size_t length, uint64_t *entries,
                     uint64_t count, size_t *done)
{
    Qcow2 *q = qcow2(n);
    bool reuse = is_reusable(entries[0]);
    uint64_t host = qcow2_host(entries[0]), got = 1, want = 1;
    int rc;

    if (reuse) {
        rc = qcow2_is_metadata(q, host, q->cluster_size) ? qcow2_corrupt(q, "data lies on a table", host)
                                                         : qcow2_start_writing(q);
        if (rc) {
            return rc;
        }
    } else {
        while (want < count && !is_in_place(entries[want]) && !is_reusable(entries[want])) {
            want++;
        }
        rc = qcow2_alloc(q, want, &host, &got);
        if (rc) {
            return rc;
        }
    }
    *done = (size_t)MIN(length, (got << q->cluster_bits) - inside(q, offset));
    rc = fill(n, offset, data, *done, entries, host, got);
    for (uint64_t i = 0; i < got; i++) {
        entries[i] = (host + (i << q->cluster_bits)) | QCOW2_COPIED;
    }
    rc = rc ? rc : qcow2_set_entries(q, offset >> q->cluster_bits, got, entries);
    if (rc && !reuse) {
        qcow2_free_now(q, host, got);
    }
    return rc;
}

static int write_in_place(BlockNode *n, uint64_t offset, const uint8_t *data, const uint64_t *entries,
                          uint64_t count, size_t length, size_t *done)
{
    Qcow2 *q = qcow2(n);
    uint64_t run = same_run(q, entries, count), host = qcow2_host(entries[0]) + inside(q, offset), i;
    int rc = qcow2_start_writing(q);

    for (i = 1; i < run && is_in_place(entries[i]); i++) {
    }
    *done = (size_t)MIN(length, (i << q->cluster_bits) - inside(q, offset));
    if (qcow2_is_metadata(q, host, *done)) {
        return qcow2_corrupt(q, "data lies on a table", host);
    }
    return rc ? rc : qcow2_file_write(q, host, data, *done);
}

int qcow2_write(BlockNode *n, uint64_t offset, const void *data, size_t length)
{
    Qcow2 *q = qcow2(n);
    uint64_t entries[RUN];

    while (length) {
        uint64_t count = touched(q, offset, length);
        int rc = qcow2_entries(q, offset >> q->cluster_bits, &count, entries);
        size_t done = 0;

        rc = rc ? rc : is_in_place(entries[0])
                 ? write_in_place(n, offset, data, entries, count, length, &done)
                 : write_new(n, offset, data, length, entries, count, &done);
        if (rc) {
            return rc;
        }
        data = (const uint8_t *)data + done;
        offset += done;
        length -= done;
    }
    return 0;
}

/* ---- zeros and discard ---- */

static int write_zero_data(BlockNode *n, uint64_t offset, uint64_t length)
{
    int rc = 0;

    for (uint64_t done = 0; done < length && rc == 0; done += ZEROS) {
        rc = qcow2_write(n, offset + done, zeros, (size_t)MIN(length - done, ZEROS));
    }
    return rc;
}

/* A part of a cluster. */
static int zero_part(BlockNode *n, uint64_t offset, uint64_t length)
{
    uint64_t cluster = offset >> qcow2(n)->cluster_bits, entry, count = 1;
    int rc = length ? qcow2_entries(qcow2(n), cluster, &count, &entry) : 0;

    return rc || !length || reads_zero(n, entry, cluster) ? rc : write_zero_data(n, offset, length);
}

typedef enum Erase { ERASE_KEEP_ROOM, ERASE_FREE, ERASE_DISCARD, ERASE_EMPTY } Erase;

/* The entry of a cluster that is to read as zeros, or as what is behind. */
static uint64_t erased(BlockNode *n, uint64_t entry, uint64_t cluster, Erase how)
{
    bool shines = how != ERASE_EMPTY && n->backing && cluster << qcow2(n)->cluster_bits < n->backing->bytes;

    if (qcow2_kind(entry) == QCOW2_NONE) {
        return shines && how != ERASE_DISCARD ? QCOW2_ZERO : entry;
    }
    if (how == ERASE_KEEP_ROOM && (is_in_place(entry) || is_reusable(entry))) {
        return entry | QCOW2_ZERO;
    }
    /* An image on another one keeps what it says, also about what that does not reach. */
    return (n->backing_name || n->backing) && how != ERASE_EMPTY ? QCOW2_ZERO : 0;
}

static int erase_clusters(BlockNode *n, uint64_t cluster, uint64_t clusters, Erase how)
{
    Qcow2 *q = qcow2(n);
    uint64_t entries[RUN];
    int rc = 0;

    while (clusters && rc == 0) {
        uint64_t count = MIN(clusters, RUN);
        bool changed = false;

        rc = qcow2_entries(q, cluster, &count, entries);
        for (uint64_t i = 0; i < count && rc == 0; i++) {
            uint64_t entry = erased(n, entries[i], cluster + i, how);

            if (entry != entries[i] && qcow2_is_metadata(q, qcow2_host(entries[i]), 1) &&
                qcow2_kind(entries[i]) == QCOW2_DATA) {
                rc = qcow2_corrupt(q, "data lies on a table", qcow2_host(entries[i]));
            }
            changed |= entry != entries[i];
            entries[i] = entry;
        }
        rc = rc || !changed ? rc : qcow2_set_entries(q, cluster, count, entries);
        cluster += count;
        clusters -= count;
    }
    return rc;
}

/* The clusters that lie in [offset, offset + length) as a whole; that the disk's end cuts the last is no matter. */
static void whole_clusters(BlockNode *n, uint64_t offset, uint64_t length, uint64_t *from, uint64_t *to)
{
    Qcow2 *q = qcow2(n);
    uint64_t end = offset + length;

    *from = qcow2_clusters(q, offset);
    *to = end == n->bytes ? qcow2_clusters(q, end) : end >> q->cluster_bits;
}

int qcow2_write_zeroes(BlockNode *n, uint64_t offset, uint64_t length, bool unmap)
{
    Qcow2 *q = qcow2(n);
    uint64_t from, to, end = offset + length;
    int rc;

    whole_clusters(n, offset, length, &from, &to);
    if (q->h.version < 3 && n->backing) {
        return write_zero_data(n, offset, length);
    }
    if (from >= to) {
        uint64_t head = MIN(end, (offset - inside(q, offset)) + q->cluster_size) - offset;

        rc = zero_part(n, offset, head);
        return rc ? rc : zero_part(n, offset + head, length - head);
    }
    rc = zero_part(n, offset, (from << q->cluster_bits) - offset);
    rc = rc ? rc : erase_clusters(n, from, to - from,
                                  unmap || q->h.version < 3 ? ERASE_FREE : ERASE_KEEP_ROOM);
    return rc || end <= to << q->cluster_bits ? rc
         : zero_part(n, to << q->cluster_bits, end - (to << q->cluster_bits));
}

int qcow2_discard(BlockNode *n, uint64_t offset, uint64_t length)
{
    uint64_t from, to;

    whole_clusters(n, offset, length, &from, &to);
    /* Version 2 cannot say that something does not shine through. */
    if (from >= to || (qcow2(n)->h.version < 3 && (n->backing || n->backing_name))) {
        return 0;
    }
    return erase_clusters(n, from, to - from, ERASE_DISCARD);
}

int qcow2_make_empty(BlockNode *n)
{
    return erase_clusters(n, 0, qcow2_clusters(qcow2(n), n->bytes), ERASE_EMPTY);
}

/* ---- preallocation ---- */

/* New clusters read as zeros, and have as much room on the host as was asked for. */
static int prepare(Qcow2 *q, uint64_t host, uint64_t bytes, BlockPreallocation mode)
{
    BlockNode *file = q->node.file;
    bool fresh = host >= file->bytes;
    int rc = qcow2_file_extend(q, host + bytes);

    if (rc == 0 && mode == BLOCK_PREALLOCATE_FULL) {
        for (uint64_t done = 0; done < bytes && rc == 0; done += ZEROS) {
            rc = block_write(file, host + done, zeros, (size_t)MIN(bytes - done, ZEROS));
        }
    } else if (rc == 0 && (!fresh || mode == BLOCK_PREALLOCATE_FALLOC)) {
        rc = block_write_zeroes(file, host, bytes, false);
    }
    q->barrier_needed = true;
    return rc;
}

int qcow2_preallocate(BlockNode *n, uint64_t offset, uint64_t length, BlockPreallocation mode)
{
    Qcow2 *q = qcow2(n);
    uint64_t entries[RUN], cluster = offset >> q->cluster_bits, end = qcow2_clusters(q, offset + length);
    int rc = 0;

    while (cluster < end && rc == 0 && mode != BLOCK_PREALLOCATE_OFF) {
        uint64_t count = MIN(end - cluster, RUN), want = 0, host, got;

        rc = qcow2_entries(q, cluster, &count, entries);
        while (rc == 0 && want < count && !qcow2_host(entries[want]) && qcow2_kind(entries[want]) != QCOW2_PACKED &&
               reads_zero(n, entries[want], cluster + want)) {
            want++;
        }
        if (rc || !want) {
            cluster++;
            continue;
        }
        rc = qcow2_alloc(q, want, &host, &got);
        if (rc) {
            break;
        }
        for (uint64_t i = 0; i < got; i++) {
            entries[i] = (host + (i << q->cluster_bits)) | QCOW2_COPIED;
        }
        rc = prepare(q, host, got << q->cluster_bits, mode);
        rc = rc ? rc : qcow2_set_entries(q, cluster, got, entries);
        if (rc) {
            qcow2_free_now(q, host, got);
        }
        cluster += got;
    }
    return rc;
}
