/*
 * qcow2, versions 2 and 3: what its chapters share.
 *
 *   qcow2-header.c     the first cluster: fields, features, extensions, the backing image's name
 *   qcow2-table.c      caches of L2 tables and refcount blocks; the order in which they are written
 *   qcow2-refcount.c   which clusters of the file are free; allocation
 *   qcow2-map.c        where a cluster of the disk lies: L1 and L2
 *   qcow2-io.c         reading, writing, zeros, discard, preallocation
 *   qcow2-compress.c   compressed clusters
 *   qcow2-resize.c     another size of the disk
 *   qcow2-walk.c       all that the tables refer to, and counts of it
 *   qcow2-switch.c     new tables beside the old ones, and the write to the header that makes them count
 *   qcow2-snapshot.c   internal snapshots
 *   qcow2-check.c      check and repair
 *   qcow2-create.c     a new image
 *   qcow2.c            open, close, the driver
 *
 * A kill or a power failure at any moment leaves leaked clusters at most, because
 * 1. a cluster's refcount and its content are on the disk before a table refers to it;
 * 2. a refcount goes down, and the cluster is used for something else, only after the table that
 *    referred to it is on the disk without it (qcow2_free_later());
 * 3. what changes many refcounts at once (snapshots, repair) is written beside what is there, and comes
 *    into force with one write to the first sector of the header (qcow2-switch.c).
 * With lazy refcounts the dirty bit stands for 1, and opening repairs.
 *
 * Entries of L1 and L2 tables have bit 63 (COPIED) if what they refer to has a refcount of exactly one:
 * that may be written in place.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_QCOW2_H
#define BLOCK_QCOW2_H

#include "block-int.h"

#define QCOW2_MAGIC 0x514649fbu
#define QCOW2_V2_HEADER 72u
#define QCOW2_V3_HEADER 104u
#define QCOW2_OWN_HEADER 112u           /* with the kind of compression */
#define QCOW2_MIN_BITS 9u
#define QCOW2_MAX_BITS 21u
/* What we, and other programs, take. */
#define QCOW2_MAX_L1_BYTES (32u << 20)
#define QCOW2_MAX_REFTABLE_BYTES (8u << 20)
#define QCOW2_MAX_SNAPSHOTS 65536u
#define QCOW2_MAX_SNAPSHOT_BYTES (64u << 20)    /* of the snapshots' table */
#define QCOW2_MAX_BACKING_NAME 1023u

enum {
    QCOW2_INCOMPAT_DIRTY = 1 << 0,
    QCOW2_INCOMPAT_CORRUPT = 1 << 1,
    QCOW2_INCOMPAT_COMPRESSION = 1 << 3,
    QCOW2_INCOMPAT_KNOWN = QCOW2_INCOMPAT_DIRTY | QCOW2_INCOMPAT_CORRUPT | QCOW2_INCOMPAT_COMPRESSION,
    QCOW2_COMPAT_LAZY = 1 << 0,
    QCOW2_AUTOCLEAR_BITMAPS = 1 << 0,
};

#define QCOW2_EXT_END 0u
#define QCOW2_EXT_BACKING_FORMAT 0xe2792acau
#define QCOW2_EXT_FEATURE_NAMES 0x6803f857u
#define QCOW2_EXT_BITMAPS 0x23852875u

#define QCOW2_COPIED (1ull << 63)
#define QCOW2_COMPRESSED (1ull << 62)
#define QCOW2_ZERO 1ull
#define QCOW2_OFFSET_MASK 0x00fffffffffffe00ull

/* The fields of the header. */
typedef struct Qcow2Header {
    uint32_t version;
    uint64_t backing_offset;
    uint32_t backing_size;
    uint32_t cluster_bits;
    uint64_t size;
    uint32_t crypt_method;
    uint32_t l1_entries;
    uint64_t l1_offset;
    uint64_t reftable_offset;
    uint32_t reftable_clusters;
    uint32_t snapshots;
    uint64_t snapshots_offset;
    uint64_t incompatible, compatible, autoclear;
    uint32_t refcount_order;
    uint32_t header_length;
    uint8_t compression;                /* 0 zlib, 1 zstd */
} Qcow2Header;

typedef struct Qcow2Extension {
    uint32_t type;
    GBytes *data;
} Qcow2Extension;

typedef struct Qcow2Snapshot {
    uint64_t l1_offset;
    uint32_t l1_entries;
    char *id, *name;
    uint32_t seconds, nanoseconds;      /* when */
    uint64_t vm_clock_ns;
    uint64_t vm_state_bytes;
    uint64_t disk_bytes;
    GBytes *more;                       /* extra data behind the disk's size: kept */
} Qcow2Snapshot;

/* A table in a cache. */
typedef struct Qcow2Table {
    uint64_t offset;                    /* in the file */
    GList link;                         /* in lru */
    uint32_t dirty_from, dirty_to;      /* bytes; equal: clean */
    uint8_t *data;                      /* one cluster */
} Qcow2Table;

typedef struct Qcow2Cache {
    GHashTable *tables;                 /* by offset */
    GQueue lru;                         /* last used first */
    unsigned max;
    unsigned dirty;
    bool ordered;                       /* written by qcow2_write_tables() only: L2 */
} Qcow2Cache;

/* Clusters of the file that are free as soon as the tables are on the disk. */
typedef struct Qcow2Run {
    uint64_t cluster, count;
} Qcow2Run;

typedef struct Qcow2 {
    BlockNode node;
    Qcow2Header h;
    uint8_t *head;                      /* h.header_length bytes as they are: unknown fields stay */
    GArray *extensions;                 /* Qcow2Extension */
    uint32_t cluster_size;
    unsigned cluster_bits;
    unsigned l2_bits;                   /* log2 of the entries of an L2 table */
    unsigned block_bits;                /* log2 of the entries of a refcount block */
    uint64_t max_refcount;

    uint64_t *l1;
    uint32_t l1_dirty_from, l1_dirty_to;    /* entries */
    uint64_t *reftable;
    uint32_t reftable_entries;
    Qcow2Cache l2_cache, refcount_cache;
    uint64_t free_hint;                 /* no cluster below is free */
    GArray *frees;                      /* Qcow2Run */
    GArray *snapshots;                  /* Qcow2Snapshot */
    bool barrier_needed;                /* something was written that a table is to refer to */
    bool started;                       /* the header says that somebody writes */
    bool broken;                        /* the tables in memory are not those of the file */

    uint64_t compressed_at;             /* next byte for a compressed cluster; 0: none */
    uint64_t unpacked_entry;            /* the L2 entry that `unpacked` is of; 0: none */
    uint8_t *unpacked;
} Qcow2;

static inline Qcow2 *qcow2(BlockNode *n)
{
    return container_of(n, Qcow2, node);
}

static inline uint64_t qcow2_clusters(const Qcow2 *q, uint64_t bytes)
{
    return (bytes >> q->cluster_bits) + ((bytes & (q->cluster_size - 1)) != 0);
}

static inline bool qcow2_is_aligned(const Qcow2 *q, uint64_t offset)
{
    return (offset & (q->cluster_size - 1)) == 0;
}

/* ---- qcow2-header.c ---- */

bool qcow2_header_read(Qcow2 *q, Error **errp);
/* The fields as they are in q->h: one write of the first sector. */
int qcow2_header_write(Qcow2 *q);
/* The whole first cluster: extensions and the backing image's name, too. -ENOSPC: too long. */
int qcow2_header_write_all(Qcow2 *q);
/* A header that has all fields at their defaults, and its extensions. */
void qcow2_header_init(Qcow2 *q);
void qcow2_header_free(Qcow2 *q);
const Qcow2Extension *qcow2_extension(const Qcow2 *q, uint32_t type);
/* data NULL: none. */
void qcow2_set_extension(Qcow2 *q, uint32_t type, const void *data, size_t length);
/* L1 tables have at least so many entries. */
uint64_t qcow2_l1_entries_for(const Qcow2 *q, uint64_t bytes);
/*
 * Before anything is written: bits of the header that say that somebody else's data about the image
 * may be wrong now are cleared, and the dirty bit of lazy refcounts is set.
 */
int qcow2_start_writing(Qcow2 *q);
/* The image contradicts itself: say so in it, and fail with -EIO from now on. */
int qcow2_corrupt(Qcow2 *q, const char *what, uint64_t offset);

/* ---- qcow2-table.c ---- */

/* Of the file: what it does not have reads as zeros; writing makes it longer. */
int qcow2_file_read(Qcow2 *q, uint64_t offset, void *out, size_t length);
int qcow2_file_write(Qcow2 *q, uint64_t offset, const void *data, size_t length);
int qcow2_file_extend(Qcow2 *q, uint64_t end);
int qcow2_barrier(Qcow2 *q);

void qcow2_cache_init(Qcow2 *q, Qcow2Cache *c, size_t bytes, bool ordered);
void qcow2_cache_free(Qcow2Cache *c);
/* Forget all; dirty tables, too. */
void qcow2_cache_clear(Qcow2Cache *c);
/* *out is good until the next one is asked for of the same cache. */
int qcow2_table_get(Qcow2 *q, Qcow2Cache *c, uint64_t offset, Qcow2Table **out);
/* The same without reading it: zeros. */
int qcow2_table_new(Qcow2 *q, Qcow2Cache *c, uint64_t offset, Qcow2Table **out);
void qcow2_table_dirty(Qcow2Cache *c, Qcow2Table *t, uint32_t from, uint32_t to);
/* Its cluster is going to be something else. */
void qcow2_table_forget(Qcow2Cache *c, uint64_t offset);
/* Everything in the caches goes to the file, in order; then what was freed is free. */
int qcow2_write_tables(Qcow2 *q);
/* The same, refcounts of what was freed, too: nothing is left in memory only. */
int qcow2_write_everything(Qcow2 *q);

/* ---- qcow2-refcount.c ---- */

/* Entry i of a refcount block. */
uint64_t qcow2_block_get(const Qcow2 *q, const uint8_t *block, uint64_t i);
void qcow2_block_set(const Qcow2 *q, uint8_t *block, uint64_t i, uint64_t value);
int qcow2_refcount(Qcow2 *q, uint64_t cluster, uint64_t *out);
int qcow2_refcount_set(Qcow2 *q, uint64_t cluster, uint64_t value);
int qcow2_refcount_add(Qcow2 *q, uint64_t cluster, uint64_t count, int delta);
/* 1 to `want` clusters in a row. */
int qcow2_alloc(Qcow2 *q, uint64_t want, uint64_t *offset, uint64_t *got);
/* That many. */
int qcow2_alloc_run(Qcow2 *q, uint64_t count, uint64_t *offset);
/* Clusters that no table has ever referred to. */
void qcow2_free_now(Qcow2 *q, uint64_t offset, uint64_t count);
/* References to clusters that are not in the tables any more. */
void qcow2_free_later(Qcow2 *q, uint64_t offset, uint64_t count);
int qcow2_apply_frees(Qcow2 *q);
/* Whether a write there would destroy the image. */
bool qcow2_is_metadata(const Qcow2 *q, uint64_t offset, uint64_t length);

/* ---- qcow2-map.c ---- */

typedef enum Qcow2Kind { QCOW2_NONE, QCOW2_ZEROS, QCOW2_DATA, QCOW2_PACKED } Qcow2Kind;

Qcow2Kind qcow2_kind(uint64_t entry);
static inline uint64_t qcow2_host(uint64_t entry)
{
    return entry & QCOW2_OFFSET_MASK;
}
/* The clusters of the file that an entry refers to; count 0: none. */
void qcow2_entry_clusters(const Qcow2 *q, uint64_t entry, uint64_t *first, uint64_t *count);
/* Whether an entry makes sense at all: aligned, and not far behind the file's end. */
bool qcow2_entry_is_good(const Qcow2 *q, uint64_t entry);
/* Those of [cluster, cluster + *count) of the disk; *count becomes less at the end of a table. */
int qcow2_entries(Qcow2 *q, uint64_t cluster, uint64_t *count, uint64_t *out);
/* Within one table. What the old ones refer to is freed, unless the new ones do. */
int qcow2_set_entries(Qcow2 *q, uint64_t cluster, uint64_t count, const uint64_t *entries);
/* The table of a cluster is there, and ours to write. */
int qcow2_own_table(Qcow2 *q, uint64_t cluster, Qcow2Table **out);
void qcow2_l1_set(Qcow2 *q, uint32_t index, uint64_t entry);

/* ---- qcow2-io.c ---- */

int qcow2_read(BlockNode *n, uint64_t offset, void *out, size_t length);
int qcow2_write(BlockNode *n, uint64_t offset, const void *data, size_t length);
int qcow2_write_zeroes(BlockNode *n, uint64_t offset, uint64_t length, bool unmap);
int qcow2_discard(BlockNode *n, uint64_t offset, uint64_t length);
int qcow2_extent(BlockNode *n, uint64_t offset, uint64_t length, BlockExtent *out);
int qcow2_make_empty(BlockNode *n);
int qcow2_preallocate(BlockNode *n, uint64_t offset, uint64_t length, BlockPreallocation mode);

/* ---- qcow2-compress.c ---- */

/* All of a compressed cluster: good until the next one. */
int qcow2_unpack(Qcow2 *q, uint64_t entry, const uint8_t **out);
int qcow2_write_compressed(BlockNode *n, uint64_t offset, const void *data, size_t length);

/* ---- qcow2-resize.c ---- */

int qcow2_resize(BlockNode *n, uint64_t bytes);

/* ---- qcow2-walk.c ---- */

/* No cluster. */
#define QCOW2_NOWHERE UINT64_MAX

/* A number for each cluster; most are 0. */
typedef struct Qcow2Counts Qcow2Counts;

Qcow2Counts *qcow2_counts_new(void);
Qcow2Counts *qcow2_counts_copy(const Qcow2Counts *c);
void qcow2_counts_free(Qcow2Counts *c);
uint64_t qcow2_counts_get(const Qcow2Counts *c, uint64_t cluster);
void qcow2_counts_set(Qcow2Counts *c, uint64_t cluster, uint64_t value);
void qcow2_counts_add(Qcow2Counts *c, uint64_t cluster, uint64_t count, int64_t delta);
/* The next cluster at or behind `from` that has a count, or QCOW2_NOWHERE. */
uint64_t qcow2_counts_next(Qcow2Counts *c, uint64_t from);
/* So many in a row without a count: they get 1. The first. */
uint64_t qcow2_counts_alloc(Qcow2Counts *c, uint64_t clusters);
/* As the image has them. */
int qcow2_counts_load(Qcow2 *q, Qcow2Counts *c);

/* An L1 table of the file, checked; to be freed. */
int qcow2_l1_load(Qcow2 *q, uint64_t offset, uint32_t entries, uint64_t **out);
/* An L2 table of the file: 1 << l2_bits entries. */
int qcow2_l2_load(Qcow2 *q, uint64_t offset, uint64_t *out);
/* All that an L1 table refers to, itself not. */
int qcow2_count_tree(Qcow2 *q, const uint64_t *l1, uint32_t entries, Qcow2Counts *c, int tables, int data);
/* Those of an area: an L1 table, the snapshots. */
void qcow2_count_area(const Qcow2 *q, Qcow2Counts *c, uint64_t offset, uint64_t bytes, int delta);
/* Entries beyond are nonsense: no file of ours is so long. */
uint64_t qcow2_cluster_limit(const Qcow2 *q);
/* Each cluster of the bitmaps. */
int qcow2_bitmap_clusters(Qcow2 *q, void (*fn)(Qcow2 *q, uint64_t offset, uint64_t clusters, void *opaque),
                          void *opaque);

/* ---- qcow2-switch.c ---- */

/* What is to count after a switch; q is clean. */
typedef struct Qcow2Switch {
    Qcow2Counts *counts;                /* of the clusters, the new tables' included */
    Qcow2Counts *busy;                  /* what must not be overwritten before */
    Qcow2Header h;
} Qcow2Switch;

int qcow2_switch_begin(Qcow2 *q, Qcow2Switch *s);
/* In both counts. */
uint64_t qcow2_switch_alloc(Qcow2Switch *s, uint64_t clusters);
/*
 * The active tables become a copy of those at l1, with the right COPIED bits for s->counts; what
 * s->counts says of the data must be final. own: they are the active ones, and those that are right
 * stay; the others are freed. Entries that make no sense are left out.
 */
int qcow2_switch_active(Qcow2 *q, Qcow2Switch *s, const uint64_t *l1, uint32_t entries, bool own);
/* Blocks and a refcount table for s->counts; they go into s->h. */
int qcow2_switch_refcounts(Qcow2 *q, Qcow2Switch *s);
/* Write refcounts and the header. */
int qcow2_switch_commit(Qcow2 *q, Qcow2Switch *s);
void qcow2_switch_end(Qcow2Switch *s);

/* ---- qcow2-snapshot.c ---- */

GArray *qcow2_snapshots_new(void);
bool qcow2_snapshots_read(Qcow2 *q, Error **errp);
/* How long their table is. */
uint64_t qcow2_snapshots_bytes(const GArray *snapshots);
bool qcow2_snapshot(BlockNode *n, BlockSnapshotVerb verb, const char *name, Error **errp);
GPtrArray *qcow2_snapshot_list(BlockNode *n);
bool qcow2_snapshot_load(BlockNode *n, const char *name, Error **errp);

/* ---- qcow2-check.c ---- */

bool qcow2_check(BlockNode *n, BlockRepair repair, BlockCheck *out, Error **errp);

/* ---- qcow2-create.c ---- */

bool qcow2_create(const char *filename, KeyVal *options, Error **errp);
extern const BlockCreateOption qcow2_create_options[];

/* ---- qcow2.c ---- */

/* L1, refcount table and snapshots as the header says; caches are empty. */
bool qcow2_load_tables(Qcow2 *q, Error **errp);
void qcow2_unload_tables(Qcow2 *q);
/* After the header was switched to other tables that could not be read then: try again. */
int qcow2_recover(Qcow2 *q);

#endif
