/*
 * qcow2: the first cluster of the file.
 *
 * All fields that change while an image is in use lie in its first 104 bytes: one write changes them
 * together.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qcow2.h"
#include "util/bytes.h"

#define FEATURE_NAME_BYTES 48u

typedef struct Feature {
    uint8_t kind, bit;              /* 0 incompatible, 1 compatible, 2 autoclear */
    const char *name;
} Feature;

static const Feature features[] = {
    { 0, 0, "dirty bit" },
    { 0, 1, "corrupt bit" },
    { 0, 2, "external data file" },
    { 0, 3, "compression type" },
    { 0, 4, "extended L2 entries" },
    { 1, 0, "lazy refcounts" },
    { 2, 0, "bitmaps" },
    { 2, 1, "raw external data" },
};

/* Each field: where it is, and how long. The rest is there from version 3 on. */
#define FIELDS(FIELD) \
    FIELD(4, version, 4) FIELD(8, backing_offset, 8) FIELD(16, backing_size, 4) \
    FIELD(20, cluster_bits, 4) FIELD(24, size, 8) FIELD(32, crypt_method, 4) FIELD(36, l1_entries, 4) \
    FIELD(40, l1_offset, 8) FIELD(48, reftable_offset, 8) FIELD(56, reftable_clusters, 4) \
    FIELD(60, snapshots, 4) FIELD(64, snapshots_offset, 8)
#define V3_FIELDS(FIELD) \
    FIELD(72, incompatible, 8) FIELD(80, compatible, 8) FIELD(88, autoclear, 8) \
    FIELD(96, refcount_order, 4) FIELD(100, header_length, 4)
#define COMPRESSION_AT 104u

static void decode(Qcow2Header *h, const uint8_t *raw, size_t length)
{
#define FIELD(at, name, size) h->name = load_be(raw + (at), size);
    FIELDS(FIELD)
    if (h->version >= 3 && length >= QCOW2_V3_HEADER) {
        V3_FIELDS(FIELD)
        h->compression = h->header_length > COMPRESSION_AT && length > COMPRESSION_AT ? raw[COMPRESSION_AT] : 0;
    } else {
        h->refcount_order = 4;
        h->header_length = QCOW2_V2_HEADER;
    }
#undef FIELD
}

static void encode(const Qcow2Header *h, uint8_t *raw)
{
    store_be(raw, QCOW2_MAGIC, 4);
#define FIELD(at, name, size) store_be(raw + (at), h->name, size);
    FIELDS(FIELD)
    if (h->version >= 3) {
        V3_FIELDS(FIELD)
        if (h->header_length > COMPRESSION_AT) {
            raw[COMPRESSION_AT] = h->compression;
        }
    }
#undef FIELD
}

/* ---- extensions ---- */

static void clear_extension(gpointer p)
{
    g_bytes_unref(((Qcow2Extension *)p)->data);
}

const Qcow2Extension *qcow2_extension(const Qcow2 *q, uint32_t type)
{
    for (guint i = 0; i < q->extensions->len; i++) {
        const Qcow2Extension *e = &g_array_index(q->extensions, Qcow2Extension, i);

        if (e->type == type) {
            return e;
        }
    }
    return NULL;
}

void qcow2_set_extension(Qcow2 *q, uint32_t type, const void *data, size_t length)
{
    Qcow2Extension e = { type, data ? g_bytes_new(data, length) : NULL };

    for (guint i = 0; i < q->extensions->len; i++) {
        if (g_array_index(q->extensions, Qcow2Extension, i).type == type) {
            g_array_remove_index(q->extensions, i);
            i--;
        }
    }
    if (data) {
        g_array_prepend_val(q->extensions, e);
    }
}

/* Those of the first cluster, from `at` to the end of it. */
static bool read_extensions(Qcow2 *q, const uint8_t *cluster, size_t at, size_t end, Error **errp)
{
    while (at + 8 <= end) {
        uint32_t type = (uint32_t)load_be(cluster + at, 4);
        uint32_t length = (uint32_t)load_be(cluster + at + 4, 4);
        Qcow2Extension e = { .type = type };

        at += 8;
        if (type == QCOW2_EXT_END) {
            return true;
        }
        if (length > end - at) {
            error_setg(errp, "'%s': the header's extension 0x%x of %u bytes does not fit into the first cluster",
                       q->node.filename, type, length);
            return false;
        }
        e.data = g_bytes_new(cluster + at, length);
        g_array_append_val(q->extensions, e);
        at += (length + 7u) / 8 * 8;
    }
    return true;
}

/* What the image itself, or else we, call a feature. */
static char *feature_name(const Qcow2 *q, unsigned kind, unsigned bit)
{
    const Qcow2Extension *names = qcow2_extension(q, QCOW2_EXT_FEATURE_NAMES);
    gsize length = 0;
    const uint8_t *raw = names ? g_bytes_get_data(names->data, &length) : NULL;

    for (gsize at = 0; at + FEATURE_NAME_BYTES <= length; at += FEATURE_NAME_BYTES) {
        if (raw[at] == kind && raw[at + 1] == bit) {
            return g_utf8_make_valid((const char *)raw + at + 2,
                                     (gssize)strnlen((const char *)raw + at + 2, FEATURE_NAME_BYTES - 2));
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(features); i++) {
        if (features[i].kind == kind && features[i].bit == bit) {
            return g_strdup(features[i].name);
        }
    }
    return g_strdup_printf("bit %u", bit);
}

static void put_feature_names(GByteArray *out)
{
    uint8_t head[8];

    store_be(head, QCOW2_EXT_FEATURE_NAMES, 4);
    store_be(head + 4, ARRAY_SIZE(features) * FEATURE_NAME_BYTES, 4);
    g_byte_array_append(out, head, sizeof(head));
    for (unsigned i = 0; i < ARRAY_SIZE(features); i++) {
        uint8_t row[FEATURE_NAME_BYTES] = { features[i].kind, features[i].bit };

        memcpy(row + 2, features[i].name, strlen(features[i].name));
        g_byte_array_append(out, row, sizeof(row));
    }
}

/* ---- reading ---- */

static bool refuse_features(const Qcow2 *q, Error **errp)
{
    uint64_t unknown = q->h.incompatible & ~(uint64_t)QCOW2_INCOMPAT_KNOWN;
    g_autoptr(GString) names = g_string_new(NULL);

    if (!unknown) {
        return true;
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        if (unknown >> bit & 1) {
            g_autofree char *name = feature_name(q, 0, bit);

            g_string_append_printf(names, "%s%s", names->len ? ", " : "", name);
        }
    }
    error_setg(errp, "'%s' uses features of qcow2 that are not supported: %s", q->node.filename, names->str);
    return false;
}

static bool check_geometry(const Qcow2 *q, Error **errp)
{
    const Qcow2Header *h = &q->h;
    const char *name = q->node.filename;

    if (h->cluster_bits < QCOW2_MIN_BITS || h->cluster_bits > QCOW2_MAX_BITS) {
        error_setg(errp, "'%s' has clusters of 2^%u bytes; there are 512 bytes to 2 MiB", name, h->cluster_bits);
    } else if (h->refcount_order > 6) {
        error_setg(errp, "'%s' has refcounts of 2^%u bits; there are 1 to 64 bits", name, h->refcount_order);
    } else if (h->version >= 3 && (h->header_length < QCOW2_V3_HEADER || h->header_length % 8 ||
                                   h->header_length > 1u << h->cluster_bits)) {
        error_setg(errp, "'%s' has a header of %u bytes", name, h->header_length);
    } else if (h->size > BLOCK_MAX_BYTES) {
        error_setg(errp, "'%s' has a disk of %" PRIu64 " bytes, which is too much", name, h->size);
    } else if (h->crypt_method) {
        error_setg(errp, "'%s' is encrypted (%s), which is not supported: decrypt it with qemu-img convert", name,
                   h->crypt_method == 1 ? "AES" : h->crypt_method == 2 ? "LUKS" : "in an unknown way");
    } else if (h->compression > 1 || !(h->incompatible & QCOW2_INCOMPAT_COMPRESSION) != !h->compression) {
        error_setg(errp, "'%s' has compression type %u%s", name, h->compression,
                   h->compression > 1 ? "; there are 0 (zlib) and 1 (zstd)" : ", and the feature bit says otherwise");
    } else {
        return true;
    }
    return false;
}

/* The tables' places: where and how large; what is in them is looked at later. */
static bool check_places(const Qcow2 *q, Error **errp)
{
    const Qcow2Header *h = &q->h;
    uint64_t mask = (1ull << h->cluster_bits) - 1, l1_bytes = (uint64_t)h->l1_entries * 8;

    if (h->l1_offset & mask || h->l1_offset > QCOW2_OFFSET_MASK || l1_bytes > QCOW2_MAX_L1_BYTES ||
        h->l1_entries < qcow2_l1_entries_for(q, h->size)) {
        error_setg(errp, "'%s': an L1 table of %u entries at 0x%" PRIx64 " cannot be that of a disk of %" PRIu64
                   " bytes", q->node.filename, h->l1_entries, h->l1_offset, h->size);
    } else if (h->reftable_offset & mask || h->reftable_offset > QCOW2_OFFSET_MASK ||
               (uint64_t)h->reftable_clusters << h->cluster_bits > QCOW2_MAX_REFTABLE_BYTES ||
               (!h->reftable_clusters && !(q->node.flags & BLOCK_CHECKING))) {
        error_setg(errp, "'%s': a refcount table of %u clusters at 0x%" PRIx64 " makes no sense",
                   q->node.filename, h->reftable_clusters, h->reftable_offset);
    } else if (h->snapshots > QCOW2_MAX_SNAPSHOTS || h->snapshots_offset & mask ||
               h->snapshots_offset > QCOW2_OFFSET_MASK) {
        error_setg(errp, "'%s': %u snapshots at 0x%" PRIx64 " make no sense", q->node.filename, h->snapshots,
                   h->snapshots_offset);
    } else {
        return true;
    }
    return false;
}

static bool read_backing_name(Qcow2 *q, const uint8_t *cluster, Error **errp)
{
    const Qcow2Extension *format = qcow2_extension(q, QCOW2_EXT_BACKING_FORMAT);
    const Qcow2Header *h = &q->h;
    BlockNode *n = &q->node;

    if (!h->backing_offset) {
        return true;
    }
    if (h->backing_size > QCOW2_MAX_BACKING_NAME || h->backing_offset > q->cluster_size ||
        h->backing_size > q->cluster_size - h->backing_offset ||
        memchr(cluster + h->backing_offset, 0, h->backing_size)) {
        error_setg(errp, "'%s': the name of its backing image, %u bytes at 0x%" PRIx64 ", makes no sense",
                   n->filename, h->backing_size, h->backing_offset);
        return false;
    }
    n->backing_name = g_strndup((const char *)cluster + h->backing_offset, h->backing_size);
    if (format) {
        gsize length;
        const char *text = g_bytes_get_data(format->data, &length);

        n->backing_format = g_strndup(text, strnlen(text, length));
    }
    return true;
}

bool qcow2_header_read(Qcow2 *q, Error **errp)
{
    uint8_t start[QCOW2_OWN_HEADER];
    g_autofree uint8_t *cluster = NULL;
    uint64_t extensions_end;
    int rc = qcow2_file_read(q, 0, start, sizeof(start));

    q->extensions = g_array_new(FALSE, FALSE, sizeof(Qcow2Extension));
    g_array_set_clear_func(q->extensions, clear_extension);
    if (rc < 0) {
        error_setg_errno(errp, -rc, "cannot read '%s'", q->node.filename);
        return false;
    }
    decode(&q->h, start, sizeof(start));
    if (load_be(start, 4) != QCOW2_MAGIC || q->h.version < 2 || q->h.version > 3) {
        error_setg(errp, "'%s' is not a qcow2 image of version 2 or 3", q->node.filename);
        return false;
    }
    /* Features before all else: they may say that the rest means something else. */
    q->cluster_bits = q->h.cluster_bits;
    if (q->cluster_bits < QCOW2_MIN_BITS || q->cluster_bits > QCOW2_MAX_BITS) {
        return check_geometry(q, errp);
    }
    q->cluster_size = 1u << q->cluster_bits;
    q->l2_bits = q->cluster_bits - 3;
    cluster = g_malloc(q->cluster_size);
    rc = qcow2_file_read(q, 0, cluster, q->cluster_size);
    if (rc < 0) {
        error_setg_errno(errp, -rc, "cannot read '%s'", q->node.filename);
        return false;
    }
    extensions_end = q->h.backing_offset ? MIN(q->h.backing_offset, q->cluster_size) : q->cluster_size;
    if (q->h.header_length <= extensions_end &&
        !read_extensions(q, cluster, q->h.header_length, extensions_end, errp)) {
        return false;
    }
    if (!refuse_features(q, errp) || !check_geometry(q, errp) || !check_places(q, errp) ||
        !read_backing_name(q, cluster, errp)) {
        return false;
    }
    q->block_bits = q->cluster_bits + 3 - q->h.refcount_order;
    q->max_refcount = q->h.refcount_order == 6 ? UINT64_MAX : (1ull << (1u << q->h.refcount_order)) - 1;
    q->head = g_memdup2(cluster, q->h.header_length);
    q->node.bytes = q->h.size;
    q->node.cluster_bytes = q->cluster_size;
    q->node.dirty = q->h.incompatible & QCOW2_INCOMPAT_DIRTY;
    return true;
}

uint64_t qcow2_l1_entries_for(const Qcow2 *q, uint64_t bytes)
{
    unsigned bits = q->cluster_bits + q->l2_bits;

    return (bytes >> bits) + ((bytes & ((1ull << bits) - 1)) != 0);
}

/* ---- writing ---- */

void qcow2_header_init(Qcow2 *q)
{
    q->extensions = g_array_new(FALSE, FALSE, sizeof(Qcow2Extension));
    g_array_set_clear_func(q->extensions, clear_extension);
    q->head = g_malloc0(q->h.header_length);
}

void qcow2_header_free(Qcow2 *q)
{
    if (q->extensions) {
        g_array_free(q->extensions, TRUE);
    }
    g_free(q->head);
    g_free(q->node.backing_name);
    g_free(q->node.backing_format);
}

int qcow2_header_write(Qcow2 *q)
{
    encode(&q->h, q->head);
    return qcow2_file_write(q, 0, q->head, q->h.header_length);
}

int qcow2_header_write_all(Qcow2 *q)
{
    static const uint8_t zeros[8];
    const char *backing = q->node.backing_name;
    size_t name_length = backing ? strlen(backing) : 0;
    GByteArray *out = g_byte_array_new();
    int rc = -ENOSPC;

    g_byte_array_append(out, q->head, q->h.header_length);
    for (guint i = 0; i < q->extensions->len; i++) {
        const Qcow2Extension *e = &g_array_index(q->extensions, Qcow2Extension, i);
        gsize length;
        const uint8_t *data = g_bytes_get_data(e->data, &length);
        uint8_t head[8];

        if (e->type == QCOW2_EXT_FEATURE_NAMES) {
            continue;       /* ours, last, if there is room */
        }
        store_be(head, e->type, 4);
        store_be(head + 4, length, 4);
        g_byte_array_append(out, head, 8);
        g_byte_array_append(out, data, (guint)length);
        g_byte_array_append(out, zeros, (guint)(-length & 7));
    }
    if (q->h.version >= 3 &&
        out->len + 16 + name_length + ARRAY_SIZE(features) * FEATURE_NAME_BYTES <= q->cluster_size) {
        put_feature_names(out);
    }
    g_byte_array_append(out, zeros, 8);
    if (out->len + name_length <= q->cluster_size && name_length <= QCOW2_MAX_BACKING_NAME) {
        guint used;

        q->h.backing_offset = backing ? out->len : 0;
        q->h.backing_size = (uint32_t)name_length;
        g_byte_array_append(out, (const uint8_t *)(backing ? backing : ""), (guint)name_length);
        encode(&q->h, out->data);
        memcpy(q->head, out->data, q->h.header_length);
        used = out->len;
        g_byte_array_set_size(out, q->cluster_size);
        memset(out->data + used, 0, q->cluster_size - used);
        rc = qcow2_file_write(q, 0, out->data, out->len);
    }
    g_byte_array_unref(out);
    return rc;
}

static void free_bitmap_clusters(Qcow2 *q, uint64_t offset, uint64_t clusters, void *opaque)
{
    qcow2_free_later(q, offset, clusters);
}

/* Nobody keeps the bitmaps up to date from now on. */
static int drop_bitmaps(Qcow2 *q)
{
    int rc;

    if (!qcow2_extension(q, QCOW2_EXT_BITMAPS)) {
        return 0;
    }
    /* The clusters of what cannot be read are leaked. */
    if (!(q->h.incompatible & QCOW2_INCOMPAT_DIRTY)) {
        qcow2_bitmap_clusters(q, free_bitmap_clusters, NULL);
    }
    qcow2_set_extension(q, QCOW2_EXT_BITMAPS, NULL, 0);
    rc = qcow2_header_write_all(q);
    return rc ? rc : qcow2_barrier(q);
}

int qcow2_start_writing(Qcow2 *q)
{
    uint64_t autoclear = q->h.autoclear;
    bool lazy = q->h.version >= 3 && q->h.compatible & QCOW2_COMPAT_LAZY;
    int rc = 0;

    if (qcow2_recover(q)) {
        return -EIO;
    }
    if (q->h.incompatible & QCOW2_INCOMPAT_CORRUPT && !(q->node.flags & BLOCK_CHECKING)) {
        return -EIO;
    }
    if (q->started) {
        return 0;
    }
    q->started = true;
    q->h.autoclear = 0;
    if (lazy) {
        q->h.incompatible |= QCOW2_INCOMPAT_DIRTY;
    }
    if (autoclear || lazy) {
        rc = qcow2_header_write(q);
        rc = rc ? rc : block_flush(q->node.file);
    }
    rc = rc ? rc : drop_bitmaps(q);
    if (rc) {
        q->started = false;
    }
    return rc;
}

int qcow2_corrupt(Qcow2 *q, const char *what, uint64_t offset)
{
    if (!(q->h.incompatible & QCOW2_INCOMPAT_CORRUPT)) {
        warn_report("'%s' is damaged: %s at 0x%" PRIx64 "; 'rearm-img check -r all' may repair it",
                    q->node.filename, what, offset);
        q->h.incompatible |= q->h.version >= 3 ? QCOW2_INCOMPAT_CORRUPT : 0;
        if (block_is_writable(&q->node) && q->h.version >= 3) {
            qcow2_header_write(q);
        }
    }
    return -EIO;
}
