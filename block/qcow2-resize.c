/*
 * qcow2: another size of the disk.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qcow2.h"
#include "util/bytes.h"

/* A longer L1 table beside the old one; then the header. */
static int grow_l1(Qcow2 *q, uint64_t entries)
{
    uint64_t clusters = qcow2_clusters(q, entries * 8), offset;
    g_autofree uint8_t *raw = NULL;
    Qcow2Header before = q->h;
    int rc;

    if (entries * 8 > QCOW2_MAX_L1_BYTES) {
        return -EFBIG;
    }
    rc = qcow2_alloc_run(q, clusters, &offset);
    rc = rc ? rc : qcow2_write_everything(q);
    if (rc) {
        return rc;
    }
    raw = g_malloc0(clusters << q->cluster_bits);
    for (uint32_t i = 0; i < q->h.l1_entries; i++) {
        store_be(raw + (size_t)i * 8, q->l1[i], 8);
    }
    rc = qcow2_file_write(q, offset, raw, clusters << q->cluster_bits);
    rc = rc ? rc : block_flush(q->node.file);
    if (rc == 0) {
        q->h.l1_offset = offset;
        q->h.l1_entries = (uint32_t)entries;
        rc = qcow2_header_write(q);
    }
    if (rc) {
        q->h = before;
        qcow2_free_now(q, offset, clusters);
        return rc;
    }
    q->l1 = g_renew(uint64_t, q->l1, entries);
    memset(q->l1 + before.l1_entries, 0, (entries - before.l1_entries) * sizeof(*q->l1));
    q->barrier_needed = true;
    qcow2_free_later(q, before.l1_offset, qcow2_clusters(q, (uint64_t)before.l1_entries * 8));
    return 0;
}

static int set_size(Qcow2 *q, uint64_t bytes)
{
    uint64_t before = q->h.size;
    int rc = qcow2_write_everything(q);

    if (rc == 0) {
        q->h.size = bytes;
        rc = qcow2_header_write(q);
        rc = rc ? rc : block_flush(q->node.file);
    }
    if (rc) {
        q->h.size = before;
    } else {
        q->node.bytes = bytes;
    }
    return rc;
}

/* What lies behind the end reads as zeros when the disk grows. */
static int clear_behind(BlockNode *n, uint64_t from, uint64_t to)
{
    Qcow2 *q = qcow2(n);
    uint64_t before = n->bytes;
    int rc;

    n->bytes = MAX(before, to);
    rc = from < to ? qcow2_write_zeroes(n, from, to - from, true) : 0;
    rc = rc ? rc : qcow2_write_everything(q);
    n->bytes = before;
    return rc;
}

int qcow2_resize(BlockNode *n, uint64_t bytes)
{
    Qcow2 *q = qcow2(n);
    uint64_t old = n->bytes, entries = qcow2_l1_entries_for(q, bytes), end;
    int rc = bytes == old ? 0 : qcow2_start_writing(q);

    if (rc == 0 && q->h.version < 3 && q->snapshots->len) {
        rc = -ENOTSUP;      /* its snapshots need not know how large they are */
    }
    if (rc || bytes == old) {
        return bytes == old ? 0 : rc;
    }
    if (bytes > old) {
        rc = entries > q->h.l1_entries ? grow_l1(q, entries) : 0;
        /* The rest of the last cluster, and what of a longer backing image would shine through. */
        end = MIN(qcow2_clusters(q, old) << q->cluster_bits, bytes);
        if (n->backing && n->backing->bytes > end) {
            end = MIN(n->backing->bytes, bytes);
        }
        rc = rc ? rc : clear_behind(n, old, end);
    } else {
        rc = clear_behind(n, bytes, old);
    }
    return rc ? rc : set_size(q, bytes);
}
