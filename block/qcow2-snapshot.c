/*
 * qcow2: internal snapshots.
 *
 * A snapshot is an L1 table that is kept. Creating one gives it the active tables as they are, and makes
 * new ones for what comes after; applying one makes new active tables after it. So the tables of snapshots
 * never change, and only active ones have COPIED bits that matter.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qcow2.h"
#include "util/bytes.h"
#include "util/host-clock.h"

#define ENTRY 40u
#define MAX_EXTRA 1024u
#define NOT_COUNTED UINT64_MAX

/* ---- the table ---- */

static void clear_snapshot(gpointer p)
{
    Qcow2Snapshot *s = p;

    g_free(s->id);
    g_free(s->name);
    if (s->more) {
        g_bytes_unref(s->more);
    }
}

static uint64_t extra_bytes(const Qcow2Snapshot *s)
{
    return 16 + g_bytes_get_size(s->more);
}

uint64_t qcow2_snapshots_bytes(const GArray *snapshots)
{
    uint64_t bytes = 0;

    for (guint i = 0; i < snapshots->len; i++) {
        const Qcow2Snapshot *s = &g_array_index(snapshots, Qcow2Snapshot, i);

        bytes += (ENTRY + extra_bytes(s) + strlen(s->id) + strlen(s->name) + 7) & ~7ull;
    }
    return bytes;
}

/* One entry; its length or 0. */
static size_t decode_snapshot(const Qcow2 *q, const uint8_t *raw, size_t length, Qcow2Snapshot *s)
{
    size_t id, name, extra, size;
    const uint8_t *more = raw + ENTRY;

    if (length < ENTRY) {
        return 0;
    }
    id = (size_t)load_be(raw + 12, 2);
    name = (size_t)load_be(raw + 14, 2);
    extra = (size_t)load_be(raw + 36, 4);
    size = ENTRY + extra + id + name;
    if (extra > MAX_EXTRA || size > length) {
        return 0;
    }
    *s = (Qcow2Snapshot){
        .l1_offset = load_be(raw, 8), .l1_entries = (uint32_t)load_be(raw + 8, 4),
        .seconds = (uint32_t)load_be(raw + 16, 4), .nanoseconds = (uint32_t)load_be(raw + 20, 4),
        .vm_clock_ns = load_be(raw + 24, 8),
        .vm_state_bytes = extra >= 8 ? load_be(more, 8) : load_be(raw + 32, 4),
        .disk_bytes = extra >= 16 ? load_be(more + 8, 8) : q->h.size,
        .more = g_bytes_new(more + MIN(extra, 16), extra - MIN(extra, 16)),
        .id = g_strndup((const char *)more + extra, id),
        .name = g_strndup((const char *)more + extra + id, name),
    };
    return (size + 7) & ~(size_t)7;
}

static bool is_good(const Qcow2 *q, const Qcow2Snapshot *s)
{
    return qcow2_is_aligned(q, s->l1_offset) && s->l1_offset <= QCOW2_OFFSET_MASK &&
           (uint64_t)s->l1_entries * 8 <= QCOW2_MAX_L1_BYTES && s->disk_bytes <= BLOCK_MAX_BYTES;
}

GArray *qcow2_snapshots_new(void)
{
    GArray *snapshots = g_array_new(FALSE, TRUE, sizeof(Qcow2Snapshot));

    g_array_set_clear_func(snapshots, clear_snapshot);
    return snapshots;
}

/* Entries are of any length: read the table piece by piece. */
bool qcow2_snapshots_read(Qcow2 *q, Error **errp)
{
    size_t most = ENTRY + MAX_EXTRA + 2 * 65536;
    g_autofree uint8_t *raw = g_malloc(most);
    uint64_t at = 0;

    for (uint32_t i = 0; i < q->h.snapshots; i++) {
        uint64_t offset = q->h.snapshots_offset + at;
        size_t there = (size_t)MIN(most, offset < q->node.file->bytes ? q->node.file->bytes - offset : 0);
        int rc = qcow2_file_read(q, offset, raw, there);
        Qcow2Snapshot s;
        size_t used = rc ? 0 : decode_snapshot(q, raw, there, &s);

        if (used) {
            g_array_append_val(q->snapshots, s);
        }
        at += used;
        if (!used || !is_good(q, &s) || at > QCOW2_MAX_SNAPSHOT_BYTES) {
            error_setg(errp, "'%s': entry %u of its snapshots makes no sense", q->node.filename, i);
            return false;
        }
    }
    return true;
}

static void encode_snapshot(GByteArray *out, const Qcow2Snapshot *s)
{
    uint8_t raw[ENTRY + 16] = { 0 };
    gsize more_length;
    const uint8_t *more = g_bytes_get_data(s->more, &more_length);
    static const uint8_t zeros[8];

    store_be(raw, s->l1_offset, 8);
    store_be(raw + 8, s->l1_entries, 4);
    store_be(raw + 12, strlen(s->id), 2);
    store_be(raw + 14, strlen(s->name), 2);
    store_be(raw + 16, s->seconds, 4);
    store_be(raw + 20, s->nanoseconds, 4);
    store_be(raw + 24, s->vm_clock_ns, 8);
    store_be(raw + 32, s->vm_state_bytes > UINT32_MAX ? UINT32_MAX : s->vm_state_bytes, 4);
    store_be(raw + 36, extra_bytes(s), 4);
    store_be(raw + 40, s->vm_state_bytes, 8);
    store_be(raw + 48, s->disk_bytes, 8);
    g_byte_array_append(out, raw, sizeof(raw));
    g_byte_array_append(out, more, (guint)more_length);
    g_byte_array_append(out, (const uint8_t *)s->id, (guint)strlen(s->id));
    g_byte_array_append(out, (const uint8_t *)s->name, (guint)strlen(s->name));
    g_byte_array_append(out, zeros, -out->len & 7);
}

/* All but number `without`, and `extra` if not NULL, to a new place. */
static int write_snapshots(Qcow2 *q, Qcow2Switch *sw, guint without, const Qcow2Snapshot *extra)
{
    GByteArray *out = g_byte_array_new();
    uint32_t count = 0;
    int rc = 0;

    for (guint i = 0; i < q->snapshots->len; i++) {
        if (i != without) {
            encode_snapshot(out, &g_array_index(q->snapshots, Qcow2Snapshot, i));
            count++;
        }
    }
    if (extra) {
        encode_snapshot(out, extra);
        count++;
    }
    qcow2_count_area(q, sw->counts, q->h.snapshots_offset, qcow2_snapshots_bytes(q->snapshots), -1);
    sw->h.snapshots = count;
    sw->h.snapshots_offset = 0;
    if (count > QCOW2_MAX_SNAPSHOTS || out->len > QCOW2_MAX_SNAPSHOT_BYTES) {
        rc = -EFBIG;
    } else if (out->len) {
        sw->h.snapshots_offset = qcow2_switch_alloc(sw, qcow2_clusters(q, out->len)) << q->cluster_bits;
        rc = qcow2_file_write(q, sw->h.snapshots_offset, out->data, out->len);
    }
    g_byte_array_unref(out);
    return rc;
}

/* ---- by name ---- */

/* An id, or else a name. */
static Qcow2Snapshot *find(Qcow2 *q, const char *name)
{
    for (int by_name = 0; by_name < 2; by_name++) {
        for (guint i = 0; i < q->snapshots->len; i++) {
            Qcow2Snapshot *s = &g_array_index(q->snapshots, Qcow2Snapshot, i);

            if (!strcmp(by_name ? s->name : s->id, name)) {
                return s;
            }
        }
    }
    return NULL;
}

static char *next_id(const Qcow2 *q)
{
    uint64_t highest = 0, id;

    for (guint i = 0; i < q->snapshots->len; i++) {
        if (parse_u64(g_array_index(q->snapshots, Qcow2Snapshot, i).id, &id)) {
            highest = MAX(highest, id);
        }
    }
    return g_strdup_printf("%" PRIu64, highest + 1);
}

static void free_snapshot(gpointer p)
{
    BlockSnapshot *s = p;

    g_free(s->id);
    g_free(s->name);
    g_free(s);
}

GPtrArray *qcow2_snapshot_list(BlockNode *n)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(free_snapshot);
    Qcow2 *q = qcow2(n);

    for (guint i = 0; i < q->snapshots->len; i++) {
        const Qcow2Snapshot *from = &g_array_index(q->snapshots, Qcow2Snapshot, i);
        BlockSnapshot *s = g_new0(BlockSnapshot, 1);
        gsize length;
        const uint8_t *more = g_bytes_get_data(from->more, &length);

        *s = (BlockSnapshot){
            .id = g_strdup(from->id), .name = g_strdup(from->name), .seconds = from->seconds,
            .nanoseconds = from->nanoseconds, .vm_clock_ns = from->vm_clock_ns,
            .vm_state_bytes = from->vm_state_bytes,
            .icount = length >= 8 ? load_be(more, 8) : NOT_COUNTED,
        };
        g_ptr_array_add(list, s);
    }
    return list;
}

/* ---- create, apply, delete ---- */

static uint64_t l1_bytes(uint32_t entries)
{
    return (uint64_t)entries * 8;
}

static int create(Qcow2 *q, Qcow2Switch *sw, const char *name)
{
    int64_t now = host_realtime_ns();
    uint8_t icount[8];
    Qcow2Snapshot s = {
        .l1_offset = q->h.l1_offset, .l1_entries = q->h.l1_entries,
        .seconds = (uint32_t)(now / 1000000000), .nanoseconds = (uint32_t)(now % 1000000000),
        .disk_bytes = q->h.size, .id = next_id(q), .name = g_strdup(name),
    };
    int rc;

    store_be(icount, 0, 8);
    s.more = g_bytes_new(icount, q->h.version >= 3 ? sizeof(icount) : 0);
    /* The snapshot has the tables that are there, and new ones refer to the same data once more. */
    rc = qcow2_count_tree(q, q->l1, q->h.l1_entries, sw->counts, 0, 1);
    rc = rc ? rc : qcow2_switch_active(q, sw, q->l1, q->h.l1_entries, false);
    rc = rc ? rc : write_snapshots(q, sw, G_MAXUINT, &s);
    clear_snapshot(&s);
    return rc;
}

static int apply(Qcow2 *q, Qcow2Switch *sw, const Qcow2Snapshot *s)
{
    g_autofree uint64_t *l1 = NULL;
    int rc = qcow2_l1_load(q, s->l1_offset, s->l1_entries, &l1);

    rc = rc ? rc : qcow2_count_tree(q, l1, s->l1_entries, sw->counts, 0, 1);
    rc = rc ? rc : qcow2_count_tree(q, q->l1, q->h.l1_entries, sw->counts, -1, -1);
    if (rc) {
        return rc;
    }
    qcow2_count_area(q, sw->counts, q->h.l1_offset, l1_bytes(q->h.l1_entries), -1);
    sw->h.size = s->disk_bytes;
    return qcow2_switch_active(q, sw, l1, s->l1_entries, false);
}

static int delete(Qcow2 *q, Qcow2Switch *sw, const Qcow2Snapshot *s)
{
    g_autofree uint64_t *l1 = NULL;
    int rc = qcow2_l1_load(q, s->l1_offset, s->l1_entries, &l1);

    rc = rc ? rc : qcow2_count_tree(q, l1, s->l1_entries, sw->counts, -1, -1);
    if (rc) {
        return rc;
    }
    qcow2_count_area(q, sw->counts, s->l1_offset, l1_bytes(s->l1_entries), -1);
    qcow2_count_area(q, sw->counts, q->h.l1_offset, l1_bytes(q->h.l1_entries), -1);
    rc = qcow2_switch_active(q, sw, q->l1, q->h.l1_entries, true);
    return rc ? rc : write_snapshots(q, sw, (guint)(s - (Qcow2Snapshot *)(void *)q->snapshots->data), NULL);
}

static bool check_name(Qcow2 *q, BlockSnapshotVerb verb, const char *name, Error **errp)
{
    if (verb != BLOCK_SNAPSHOT_CREATE && !find(q, name)) {
        error_setg(errp, "'%s' has no snapshot '%s'", q->node.filename, name);
    } else if (verb == BLOCK_SNAPSHOT_CREATE && (strlen(name) > 255 || !*name)) {
        error_setg(errp, "a snapshot's name has 1 to 255 characters, not %zu", strlen(name));
    } else {
        return true;
    }
    return false;
}

bool qcow2_snapshot(BlockNode *n, BlockSnapshotVerb verb, const char *name, Error **errp)
{
    static const char *const verbs[] = { "create", "apply", "delete" };
    Qcow2 *q = qcow2(n);
    Qcow2Switch sw = { .counts = NULL };
    int rc;

    rc = qcow2_recover(q);
    if (rc == 0 && !check_name(q, verb, name, errp)) {
        return false;
    }
    rc = rc ? rc : qcow2_switch_begin(q, &sw);
    if (rc == 0) {
        rc = verb == BLOCK_SNAPSHOT_CREATE ? create(q, &sw, name)
           : verb == BLOCK_SNAPSHOT_APPLY ? apply(q, &sw, find(q, name)) : delete(q, &sw, find(q, name));
    }
    rc = rc ? rc : qcow2_switch_commit(q, &sw);
    qcow2_switch_end(&sw);
    if (rc == -E2BIG) {
        error_setg(errp, "cannot %s snapshot '%s' of '%s': refcounts of %u bits do not count so far; "
                   "rearm-img convert -o refcount_bits=16 makes an image with others", verbs[verb], name,
                   n->filename, 1u << q->h.refcount_order);
    } else if (rc) {
        error_setg_errno(errp, -rc, "cannot %s snapshot '%s' of '%s'", verbs[verb], name, n->filename);
    }
    return rc == 0;
}

bool qcow2_snapshot_load(BlockNode *n, const char *name, Error **errp)
{
    Qcow2 *q = qcow2(n);
    const Qcow2Snapshot *s = find(q, name);
    uint64_t *l1 = NULL;
    int rc;

    assert(!block_is_writable(n));
    if (!s) {
        return check_name(q, BLOCK_SNAPSHOT_APPLY, name, errp);
    }
    rc = s->l1_entries < qcow2_l1_entries_for(q, s->disk_bytes) ? -EIO
       : qcow2_l1_load(q, s->l1_offset, s->l1_entries, &l1);
    if (rc) {
        error_setg_errno(errp, -rc, "cannot read snapshot '%s' of '%s'", name, n->filename);
        return false;
    }
    g_free(q->l1);
    q->l1 = l1;
    q->h.l1_offset = s->l1_offset;
    q->h.l1_entries = s->l1_entries;
    q->h.size = n->bytes = s->disk_bytes;
    qcow2_cache_clear(&q->l2_cache);
    return true;
}
