/*
 * The content of all memory at one moment, kept in the process: what time travel goes back to.
 * Snapshots share what is equal in them. To take one costs the pages written since the last one was
 * taken or restored; to restore one costs these and what differs between both.
 *
 * Places of regions are not in it (memory_save_places()). Machine thread only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_MEMORY_SNAPSHOT_H
#define HW_CORE_MEMORY_SNAPSHOT_H

#include "hw/core/memory.h"

typedef struct MemSnapshot MemSnapshot;

/* with_checks: which pages PAGE_DIRTY_CHECK marks belongs to it. */
MemSnapshot *memory_snapshot_take(MemoryMap *map, bool with_checks);
/* Pages that were written since the last one was taken or restored: the next one copies them. */
uint64_t memory_snapshot_due(const MemoryMap *map);
/*
 * The map has the regions that it had when the snapshot was taken. Pages with the same content stay
 * as they are, others are written and run the hooks.
 */
void memory_snapshot_restore(MemoryMap *map, const MemSnapshot *snapshot);
void memory_snapshot_free(MemSnapshot *snapshot);
/*
 * True: nobody has written to the page at the offset of the region between the two moments, not even
 * what was there. False: somebody may have.
 */
bool memory_snapshots_share(const MemSnapshot *a, const MemSnapshot *b, const MemRegion *region,
                            hwaddr offset);

/*
 * Snapshots page by page, for those that are kept elsewhere. Pages with host memory are numbered
 * through all regions, so the number depends on the machine alone.
 */
uint64_t memory_snapshot_pages(const MemoryMap *map);
typedef void MemSnapshotFn(void *opaque, uint64_t page, const uint8_t *content);
/* Calls fn for each page in which both may differ, in order, with its content in `to` (NULL: zeros). */
void memory_snapshot_diff(const MemSnapshot *from, const MemSnapshot *to, MemSnapshotFn *fn,
                          void *opaque);
/* NULL: zeros. As long as the snapshot is there. */
const uint8_t *memory_snapshot_get(const MemSnapshot *s, uint64_t page);
/* Calls fn for each page that PAGE_DIRTY_CHECK marked, in order, with NULL. */
void memory_snapshot_dirty(const MemSnapshot *s, MemSnapshotFn *fn, void *opaque);
/* The same memory, of which nobody knows who wrote it; with_checks: no page is marked yet. */
MemSnapshot *memory_snapshot_copy(MemoryMap *map, const MemSnapshot *s, bool with_checks);
/* Change a copy, before it is restored. Pages are below memory_snapshot_pages(). */
void memory_snapshot_set(MemSnapshot *s, uint64_t page, const uint8_t *content);
/* Ascending. */
void memory_snapshot_mark(MemSnapshot *s, uint64_t page);

/* Host memory that all snapshots of the map take together, in bytes. */
uint64_t memory_snapshot_bytes(const MemoryMap *map);

#endif
