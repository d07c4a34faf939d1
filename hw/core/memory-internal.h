/*
 * Between the files of the memory map.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_MEMORY_INTERNAL_H
#define HW_CORE_MEMORY_INTERNAL_H

#include "hw/core/memory.h"
#include "migration/page-tree.h"

/* What the execution engine derives from a page's place. */
#define PAGE_OF_ENGINE (PAGE_HOOKED | PAGE_WRITE_CACHED)

#define MAX_NESTED_ACCESSES 8

/* What memory_write_image() has written, in one region. */
typedef struct MemImage {
    const MemRegion *region;
    hwaddr offset;
    const uint8_t *data;
    size_t length;
} MemImage;

struct MemoryMap {
    GPtrArray *regions;     /* MemRegion *, in the order in which they were made */
    GPtrArray *by_address;  /* the same in the order of their addresses */
    uint64_t next_serial;
    GArray *view;           /* MemRange, in address order */
    unsigned found;         /* the range found last: most look-ups repeat */
    unsigned accesses;      /* to devices, that are being made: they nest */
    const char *accessed[MAX_NESTED_ACCESSES];   /* which devices */
    const MemWatch *watch;  /* or NULL */
    GPtrArray *removed;     /* regions to be freed when none is */
    const MemoryHooks *hooks;
    void *hooks_opaque;
    GArray *images;         /* MemImage */
    PageStore store;        /* of snapshots */
    uint64_t loads;         /* counts memory_load(): what it changed does not tell who wrote */
    uint64_t load;          /* the one that the present content comes from; 0: none */
};

bool memory_page_is_zero(const uint8_t *page);
/*
 * A page gets other content (NULL: zeros), as a write that runs the hooks. What is there already
 * stays, with the translations that stand on it.
 */
void memory_set_page(MemoryMap *map, MemRegion *region, hwaddr page, const uint8_t *content);
/* The same for a page that is known to have another content. */
void memory_replace_page(MemoryMap *map, MemRegion *region, hwaddr page, const uint8_t *content);
/*
 * The number of the next page of the region, which has host memory, at or behind `page` with one
 * of `flags`; the number of all pages when there is none.
 */
hwaddr memory_next_flagged(const MemRegion *region, hwaddr page, uint8_t flags);

/* Make the places in `next` of all regions those that they have. */
void memory_place_regions(MemoryMap *map);
/* Whether the region may be at base. */
bool memory_fits(const MemRegion *region, hwaddr base);
/* Free removed regions, unless an access is being made. */
void memory_free_removed(MemoryMap *map);

#endif
