/*
 * qcow2: check and repair.
 *
 * Everything that is referred to is counted, and compared with the refcounts. Leaks are repaired in place;
 * whatever else is wrong by writing refcounts and active tables anew (qcow2-switch.c) from what was
 * counted. Entries that make no sense are left out then: nobody knows what they were.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qcow2.h"
#include "util/bytes.h"

typedef struct Check {
    Qcow2 *q;
    BlockCheck *out;
    Qcow2Counts *refs;          /* counted */
    Qcow2Counts *have;          /* as the refcount blocks have it */
    uint64_t limit;             /* clusters */
    uint64_t own_corruptions;   /* found so far in what can be repaired: not in snapshots and bitmaps */
    GArray *tables;             /* entries of the active L1 that refer to a table of their own */
} Check;

static void PRINTF_LIKE(2, 3) say(Check *c, const char *format, ...)
{
    va_list ap;

    if (c->out->say) {
        g_autofree char *text = NULL;

        va_start(ap, format);
        text = g_strdup_vprintf(format, ap);
        va_end(ap);
        c->out->say(text);
    }
}

static void count(Check *c, uint64_t first, uint64_t clusters)
{
    qcow2_counts_add(c->refs, first, clusters, 1);
}

/* An area of the file that is aligned, and not far behind its end. */
static bool is_place(const Check *c, uint64_t offset, uint64_t bytes)
{
    return qcow2_is_aligned(c->q, offset) && offset >> c->q->cluster_bits < c->limit &&
           qcow2_clusters(c->q, bytes) <= c->limit - (offset >> c->q->cluster_bits);
}

/* ---- tables ---- */

typedef struct Statistics {
    uint64_t next;              /* where the next cluster would be if nothing were fragmented */
} Statistics;

static void count_statistics(Check *c, Statistics *st, uint64_t entry)
{
    BlockCheck *out = c->out;
    uint64_t host = qcow2_host(entry);

    if (entry & QCOW2_COMPRESSED) {
        /* A compressed cluster never starts where the one before ends: not in a row with anything. */
        out->compressed_clusters++;
        out->allocated_clusters++;
        out->fragmented_clusters++;
    } else if (host) {
        out->allocated_clusters++;
        out->fragmented_clusters += st->next && host != st->next;
        st->next = host + c->q->cluster_size;
    }
}

static void bad(Check *c, bool active)
{
    c->out->corruptions++;
    c->own_corruptions += active;
}

/* What one L2 table refers to. */
static int count_l2(Check *c, uint64_t at, uint64_t *l2, Statistics *st, bool active)
{
    int rc = qcow2_l2_load(c->q, at, l2);

    for (uint32_t i = 0; i < 1u << c->q->l2_bits && rc == 0; i++) {
        uint64_t first, clusters;

        qcow2_entry_clusters(c->q, l2[i], &first, &clusters);
        if (!qcow2_entry_is_good(c->q, l2[i])) {
            say(c, "ERROR L2 table 0x%" PRIx64 ", entry %u: 0x%" PRIx64 " refers to no cluster", at, i, l2[i]);
            bad(c, active);
            continue;
        }
        count(c, first, clusters);
        if (active) {
            count_statistics(c, st, l2[i]);
        }
    }
    return rc;
}

static int count_l1(Check *c, const uint64_t *l1, uint32_t entries, bool active)
{
    g_autofree uint64_t *l2 = g_new(uint64_t, (size_t)1 << c->q->l2_bits);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    Statistics st = { 0 };
    int rc = 0;

    for (uint32_t i = 0; i < entries && rc == 0; i++) {
        uint64_t at = qcow2_host(l1[i]);

        if (!at) {
            continue;
        }
        if (!is_place(c, at, c->q->cluster_size)) {
            say(c, "ERROR L1 entry %u: 0x%" PRIx64 " refers to no L2 table", i, l1[i]);
            bad(c, active);
        } else if (!g_hash_table_add(seen, g_memdup2(&at, sizeof(at)))) {
            say(c, "ERROR L1 entry %u: the L2 table at 0x%" PRIx64 " belongs to another one, too", i, at);
            bad(c, active);
        } else {
            count(c, at >> c->q->cluster_bits, 1);
            if (active) {
                g_array_append_val(c->tables, l1[i]);
            }
            rc = count_l2(c, at, l2, &st, active);
        }
    }
    return rc;
}

static int count_snapshots(Check *c)
{
    Qcow2 *q = c->q;
    int rc = 0;

    if (q->h.snapshots) {
        qcow2_count_area(q, c->refs, q->h.snapshots_offset, qcow2_snapshots_bytes(q->snapshots), 1);
    }
    for (guint i = 0; i < q->snapshots->len && rc == 0; i++) {
        const Qcow2Snapshot *s = &g_array_index(q->snapshots, Qcow2Snapshot, i);
        g_autofree uint64_t *l1 = NULL;
        uint64_t bytes = (uint64_t)s->l1_entries * 8;

        if (!is_place(c, s->l1_offset, bytes)) {
            say(c, "ERROR snapshot %s: its L1 table at 0x%" PRIx64 " is not in the file", s->id, s->l1_offset);
            bad(c, false);
            continue;
        }
        qcow2_count_area(q, c->refs, s->l1_offset, bytes, 1);
        rc = qcow2_l1_load(q, s->l1_offset, s->l1_entries, &l1);
        rc = rc ? rc : count_l1(c, l1, s->l1_entries, false);
    }
    return rc;
}

static void count_bitmap(Qcow2 *q, uint64_t offset, uint64_t clusters, void *opaque)
{
    Check *c = opaque;

    if (is_place(c, offset, clusters << q->cluster_bits)) {
        count(c, offset >> q->cluster_bits, clusters);
    }
}

static int count_all(Check *c)
{
    Qcow2 *q = c->q;
    int rc;

    count(c, 0, 1);
    qcow2_count_area(q, c->refs, q->h.l1_offset, (uint64_t)q->h.l1_entries * 8, 1);
    rc = count_l1(c, q->l1, q->h.l1_entries, true);
    rc = rc ? rc : count_snapshots(c);
    if (rc == 0 && q->h.autoclear & QCOW2_AUTOCLEAR_BITMAPS && qcow2_bitmap_clusters(q, count_bitmap, c)) {
        say(c, "ERROR the bitmaps cannot be read");
        bad(c, false);
    }
    return rc;
}

/* ---- refcounts ---- */

/* The refcount blocks: what they have, and that they are in use themselves. */
static int load_refcounts(Check *c)
{
    Qcow2 *q = c->q;
    uint64_t per_block = 1ull << q->block_bits;
    g_autofree uint8_t *block = g_malloc(q->cluster_size);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);
    int rc = 0;

    qcow2_count_area(q, c->refs, q->h.reftable_offset, (uint64_t)q->h.reftable_clusters << q->cluster_bits, 1);
    for (uint32_t i = 0; i < q->reftable_entries && rc == 0; i++) {
        uint64_t at = q->reftable[i];

        if (!at) {
            continue;
        }
        if (!is_place(c, at, q->cluster_size) || !g_hash_table_add(seen, &q->reftable[i])) {
            say(c, "ERROR refcount block %u at 0x%" PRIx64 " is %s", i, at,
                is_place(c, at, q->cluster_size) ? "there twice" : "not in the file");
            bad(c, true);
            continue;
        }
        count(c, at >> q->cluster_bits, 1);
        rc = qcow2_file_read(q, at, block, q->cluster_size);
        for (uint64_t k = 0; k < per_block && rc == 0 && i * per_block + k < c->limit; k++) {
            uint64_t value = qcow2_block_get(q, block, k);

            if (value) {
                qcow2_counts_set(c->have, i * per_block + k, value);
            }
        }
    }
    return rc;
}

/* Each cluster that one of both has. */
static uint64_t next_of_both(Check *c, uint64_t from)
{
    return MIN(qcow2_counts_next(c->refs, from), qcow2_counts_next(c->have, from));
}

static void compare(Check *c)
{
    uint64_t file_clusters = qcow2_clusters(c->q, c->q->node.file->bytes);

    for (uint64_t at = 0; (at = next_of_both(c, at)) != QCOW2_NOWHERE; at++) {
        uint64_t refs = qcow2_counts_get(c->refs, at), have = qcow2_counts_get(c->have, at);

        if (refs > have) {
            say(c, "ERROR cluster %" PRIu64 " refcount=%" PRIu64 " reference=%" PRIu64, at, have, refs);
            bad(c, true);
        } else if (have > refs && at < file_clusters) {
            say(c, "Leaked cluster %" PRIu64 " refcount=%" PRIu64 " reference=%" PRIu64, at, have, refs);
            c->out->leaks++;
        }
        if (refs || (have && at < file_clusters)) {
            c->out->end_offset = (at + 1) << c->q->cluster_bits;
        }
    }
}

/* ---- COPIED ---- */

static void check_copied(Check *c, const char *what, uint64_t entry, uint64_t cluster)
{
    uint64_t refcount = qcow2_counts_get(c->have, cluster);

    if ((refcount == 1) != !!(entry & QCOW2_COPIED)) {
        say(c, "ERROR OFLAG_COPIED %s: entry=0x%" PRIx64 " refcount=%" PRIu64, what, entry, refcount);
        bad(c, true);
    }
}

static int check_flags(Check *c)
{
    Qcow2 *q = c->q;
    g_autofree uint64_t *l2 = g_new(uint64_t, (size_t)1 << q->l2_bits);
    int rc = 0;

    for (guint i = 0; i < c->tables->len && rc == 0; i++) {
        uint64_t entry = g_array_index(c->tables, uint64_t, i), at = qcow2_host(entry);

        check_copied(c, "L2 table", entry, at >> q->cluster_bits);
        rc = qcow2_l2_load(q, at, l2);
        for (uint32_t k = 0; k < 1u << q->l2_bits && rc == 0; k++) {
            if (l2[k] & QCOW2_COMPRESSED && l2[k] & QCOW2_COPIED) {
                say(c, "ERROR OFLAG_COPIED compressed cluster: entry=0x%" PRIx64, l2[k]);
                bad(c, true);
            } else if (!(l2[k] & QCOW2_COMPRESSED) && qcow2_host(l2[k])) {
                check_copied(c, "data cluster", l2[k], qcow2_host(l2[k]) >> q->cluster_bits);
            }
        }
    }
    return rc;
}

/* ---- repair ---- */

static int repair_leaks(Check *c)
{
    Qcow2 *q = c->q;
    int rc = 0;

    for (uint64_t at = 0; (at = qcow2_counts_next(c->have, at)) != QCOW2_NOWHERE && rc == 0; at++) {
        uint64_t refs = qcow2_counts_get(c->refs, at), have = qcow2_counts_get(c->have, at);

        rc = have > refs ? qcow2_refcount_set(q, at, refs) : 0;
    }
    return rc ? rc : qcow2_write_everything(q);
}

/* Refcounts and active tables anew. */
static int repair_all(Check *c, Qcow2Counts *without_refcounts)
{
    Qcow2 *q = c->q;
    Qcow2Switch s = { .counts = without_refcounts, .busy = c->refs, .h = q->h };
    int rc;

    qcow2_count_area(q, s.counts, q->h.l1_offset, (uint64_t)q->h.l1_entries * 8, -1);
    rc = qcow2_switch_active(q, &s, q->l1, q->h.l1_entries, true);
    s.h.incompatible &= ~(uint64_t)(QCOW2_INCOMPAT_DIRTY | QCOW2_INCOMPAT_CORRUPT);
    return rc ? rc : qcow2_switch_commit(q, &s);
}

static bool run(Check *c, Qcow2Counts **without_refcounts, Error **errp)
{
    int rc;

    c->limit = qcow2_cluster_limit(c->q);
    c->refs = qcow2_counts_new();
    c->have = qcow2_counts_new();
    c->tables = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    c->out->total_clusters = qcow2_clusters(c->q, c->q->h.size);
    rc = count_all(c);
    *without_refcounts = qcow2_counts_copy(c->refs);
    rc = rc ? rc : load_refcounts(c);
    if (rc == 0) {
        compare(c);
        rc = check_flags(c);
    }
    if (rc) {
        error_setg_errno(errp, -rc, "cannot check '%s'", c->q->node.filename);
    }
    return rc == 0;
}

static void end(Check *c, Qcow2Counts *without_refcounts)
{
    qcow2_counts_free(c->refs);
    qcow2_counts_free(c->have);
    g_array_free(c->tables, TRUE);
    qcow2_counts_free(without_refcounts);
}

/* The header no longer says that something is wrong. */
static int clear_marks(Qcow2 *q)
{
    uint64_t marks = QCOW2_INCOMPAT_DIRTY | QCOW2_INCOMPAT_CORRUPT;

    q->started = false;         /* lazy refcounts mark it again */
    if (!(q->h.incompatible & marks)) {
        return 0;
    }
    q->h.incompatible &= ~marks;
    return qcow2_header_write(q);
}

bool qcow2_check(BlockNode *n, BlockRepair repair, BlockCheck *out, Error **errp)
{
    Qcow2 *q = qcow2(n);
    Qcow2Counts *plain;
    Check c = { .q = q, .out = out };
    BlockCheck found = { .say = NULL };
    bool ok;
    int rc = qcow2_recover(q);

    rc = rc || !block_is_writable(n) ? rc : qcow2_write_everything(q);
    if (rc) {
        error_setg_errno(errp, -rc, "cannot write to '%s'", n->filename);
        return false;
    }
    ok = run(&c, &plain, errp);
    if (!ok || repair == BLOCK_REPAIR_NOTHING) {
        end(&c, plain);
        return ok;
    }
    found = *out;
    rc = qcow2_start_writing(q);
    if (rc) {
        /* below */
    } else if (repair == BLOCK_REPAIR_ALL && c.own_corruptions) {
        rc = repair_all(&c, plain);
    } else if (out->leaks && !c.own_corruptions) {
        rc = repair_leaks(&c);
    }
    if (rc == 0 && (repair == BLOCK_REPAIR_ALL || !c.own_corruptions)) {
        rc = clear_marks(q);
    }
    end(&c, plain);
    if (rc) {
        error_setg_errno(errp, -rc, "cannot repair '%s'", n->filename);
        return false;
    }
    /* What is left? */
    c = (Check){ .q = q, .out = out };
    *out = (BlockCheck){ .say = NULL };
    ok = run(&c, &plain, errp);
    end(&c, plain);
    out->say = found.say;
    out->corruptions_fixed = found.corruptions - MIN(found.corruptions, out->corruptions);
    out->leaks_fixed = found.leaks - MIN(found.leaks, out->leaks);
    n->dirty = q->h.incompatible & QCOW2_INCOMPAT_DIRTY;
    return ok;
}
