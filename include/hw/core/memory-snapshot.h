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
/* Host memory that all snapshots of the map take together, in bytes. */
uint64_t memory_snapshot_bytes(const MemoryMap *map);

#endif
