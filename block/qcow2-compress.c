/*
 * qcow2: compressed clusters.
 *
 * Each is a stream of its own, raw deflate or zstd, of whole sectors, some of which it may share with the
 * next one. They are written one behind the other; the clusters of the file that they lie in are counted
 * once for each of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <zlib.h>
#include <zstd.h>
#include "qcow2.h"

/* The window that readers are sure to have. */
#define WINDOW_BITS 12

/* ---- reading ---- */

static bool inflate_cluster(const uint8_t *in, size_t in_length, uint8_t *out, size_t length)
{
    z_stream z = { .next_in = (Bytef *)in, .avail_in = (uInt)in_length, .next_out = out,
                   .avail_out = (uInt)length };
    int rc;

    if (inflateInit2(&z, -MAX_WBITS) != Z_OK) {
        return false;
    }
    rc = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    return z.avail_out == 0 && (rc == Z_STREAM_END || rc == Z_BUF_ERROR || rc == Z_OK);
}

static bool unzstd_cluster(const uint8_t *in, size_t in_length, uint8_t *out, size_t length)
{
    ZSTD_DStream *z = ZSTD_createDStream();
    ZSTD_inBuffer src = { in, in_length, 0 };
    ZSTD_outBuffer dst = { out, length, 0 };
    size_t rc = 1;

    /* Until the cluster is full: what follows in the last sector is something else. */
    while (dst.pos < dst.size) {
        size_t before = src.pos + dst.pos;

        rc = ZSTD_decompressStream(z, &dst, &src);
        if (ZSTD_isError(rc) || src.pos + dst.pos == before) {
            break;
        }
    }
    ZSTD_freeDStream(z);
    return dst.pos == dst.size;
}

int qcow2_unpack(Qcow2 *q, uint64_t entry, const uint8_t **out)
{
    unsigned bits = 62 - (q->cluster_bits - 8);
    uint64_t at = entry & ((1ull << bits) - 1);
    uint64_t sectors = ((entry & (QCOW2_COMPRESSED - 1)) >> bits) + 1;
    size_t length = (size_t)((at & ~511ull) + sectors * 512 - at);
    g_autofree uint8_t *in = NULL;
    bool good;
    int rc;

    *out = q->unpacked;
    if (q->unpacked && q->unpacked_entry == entry) {
        return 0;
    }
    if (!q->unpacked) {
        *out = q->unpacked = g_malloc(q->cluster_size);
    }
    in = g_malloc(length);
    rc = qcow2_file_read(q, at, in, length);
    if (rc) {
        return rc;
    }
    q->unpacked_entry = 0;
    good = q->h.compression ? unzstd_cluster(in, length, q->unpacked, q->cluster_size)
                            : inflate_cluster(in, length, q->unpacked, q->cluster_size);
    if (!good) {
        return -EIO;
    }
    q->unpacked_entry = entry;
    return 0;
}

/* ---- writing ---- */

/* The length, or 0 if it does not become less. */
static size_t pack(Qcow2 *q, const uint8_t *data, uint8_t *out)
{
    size_t room = q->cluster_size - 1, length;
    z_stream z = { .next_in = (Bytef *)data, .avail_in = q->cluster_size, .next_out = out,
                   .avail_out = (uInt)room };

    if (q->h.compression) {
        length = ZSTD_compress(out, room, data, q->cluster_size, 3);
        return ZSTD_isError(length) ? 0 : length;
    }
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -WINDOW_BITS, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
        return 0;
    }
    length = deflate(&z, Z_FINISH) == Z_STREAM_END ? room - z.avail_out : 0;
    deflateEnd(&z);
    return length;
}

/* Room behind the last compressed cluster, or in new clusters. */
static int alloc_bytes(Qcow2 *q, size_t length, uint64_t *at)
{
    uint64_t used = q->compressed_at & (q->cluster_size - 1), refcount = 0, offset, got;
    uint64_t left = q->compressed_at && used ? q->cluster_size - used : 0;
    int rc = qcow2_start_writing(q);

    if (rc == 0 && left) {
        rc = qcow2_refcount(q, q->compressed_at >> q->cluster_bits, &refcount);
    }
    if (rc) {
        return rc;
    }
    if (refcount == q->max_refcount || refcount == 0) {
        left = 0;
    }
    if (left >= length) {
        *at = q->compressed_at;
        rc = qcow2_refcount_add(q, *at >> q->cluster_bits, 1, 1);
    } else {
        rc = qcow2_alloc(q, 1, &offset, &got);
        if (rc) {
            return rc;
        }
        *at = offset;
        if (left && offset == q->compressed_at + left) {
            *at = q->compressed_at;
            rc = qcow2_refcount_add(q, *at >> q->cluster_bits, 1, 1);
        }
    }
    if (rc == 0) {
        q->compressed_at = *at + length;
        q->barrier_needed = true;
    }
    return rc;
}

/* The descriptor of compressed data; 0: it lies too far behind. */
static uint64_t descriptor(const Qcow2 *q, uint64_t at, size_t length)
{
    unsigned bits = 62 - (q->cluster_bits - 8);
    uint64_t sectors = ((at + length - 1) >> 9) - (at >> 9);

    return at + length > 1ull << MIN(bits, 56) ? 0 : QCOW2_COMPRESSED | sectors << bits | at;
}

int qcow2_write_compressed(BlockNode *n, uint64_t offset, const void *data, size_t length)
{
    Qcow2 *q = qcow2(n);
    g_autofree uint8_t *cluster = NULL, *out = NULL;
    uint64_t at, entry, first, count;
    size_t packed;
    int rc;

    cluster = g_malloc0(q->cluster_size);
    out = g_malloc(q->cluster_size);
    memcpy(cluster, data, length);
    packed = pack(q, cluster, out);
    if (!packed) {
        return qcow2_write(n, offset, data, length);
    }
    rc = alloc_bytes(q, packed, &at);
    if (rc) {
        return rc;
    }
    entry = descriptor(q, at, packed);
    /* To the end of the sector, if nothing follows yet: readers read whole ones. */
    rc = entry ? qcow2_file_extend(q, (at + packed + 511) & ~511ull) : -EFBIG;
    rc = rc ? rc : qcow2_file_write(q, at, out, packed);
    rc = rc ? rc : qcow2_set_entries(q, offset >> q->cluster_bits, 1, &entry);
    if (rc) {
        first = at >> q->cluster_bits;
        count = ((at + packed - 1) >> q->cluster_bits) - first + 1;
        q->compressed_at = 0;
        qcow2_free_now(q, first << q->cluster_bits, count);
    }
    return rc;
}
