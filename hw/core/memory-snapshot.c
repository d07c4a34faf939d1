/*
 * Snapshots of memory: a tree of page contents for each region with host memory.
 *
 * A region's `base` is what its pages had when PAGE_DIRTY_SNAPSHOT was clear everywhere: when a
 * snapshot was last taken or restored. Only pages with the flag may differ from it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/memory-internal.h"
#include "hw/core/memory-snapshot.h"

typedef struct RegionSnapshot {
    MemRegion *region;
    PageTree *pages;
    GArray *dirty_check;      /* guint32 numbers of the pages with PAGE_DIRTY_CHECK; or NULL */
} RegionSnapshot;

struct MemSnapshot {
    bool with_checks;
    uint64_t load;            /* MemoryMap.load */
    GArray *regions;          /* RegionSnapshot */
};

static uint64_t num_pages(const MemRegion *region)
{
    return region->size >> PAGE_BITS;
}

static uint8_t *page_host(const MemRegion *region, hwaddr page)
{
    return region->host + (page << PAGE_BITS);
}

static const uint8_t *page_content(const MemRegion *region, hwaddr page)
{
    const uint8_t *host = page_host(region, page);

    return memory_page_is_zero(host) ? NULL : host;
}

static PageTree *region_base(MemoryMap *map, MemRegion *region)
{
    if (!region->base_pages) {
        region->base_pages = page_tree_new(&map->store, num_pages(region));
    }
    return region->base_pages;
}

/* ---- take ---- */

static void take_page(void *opaque, const MemRegion *region, hwaddr page)
{
    page_tree_set(region_base(opaque, (MemRegion *)region), page, page_content(region, page));
}

static GArray *dirty_for_check(const MemRegion *region)
{
    GArray *pages = g_array_new(false, false, sizeof(guint32));

    for (hwaddr page = 0;
         (page = memory_next_flagged(region, page, PAGE_DIRTY_CHECK)) < num_pages(region); page++) {
        guint32 number = (guint32)page;

        g_array_append_val(pages, number);
    }
    return pages;
}

MemSnapshot *memory_snapshot_take(MemoryMap *map, bool with_checks)
{
    MemSnapshot *s = g_new0(MemSnapshot, 1);

    s->with_checks = with_checks;
    s->load = map->load;
    s->regions = g_array_new(false, false, sizeof(RegionSnapshot));
    memory_clean(map, PAGE_DIRTY_SNAPSHOT, take_page, map);
    for (unsigned i = 0; i < map->regions->len; i++) {
        MemRegion *region = g_ptr_array_index(map->regions, i);

        if (region->host) {
            RegionSnapshot r = { region, page_tree_copy(region_base(map, region)),
                                 with_checks ? dirty_for_check(region) : NULL };

            g_array_append_val(s->regions, r);
        }
    }
    return s;
}

uint64_t memory_snapshot_due(const MemoryMap *map)
{
    uint64_t due = 0;

    for (unsigned i = 0; i < map->regions->len; i++) {
        const MemRegion *region = g_ptr_array_index(map->regions, i);
        hwaddr end = region->host ? num_pages(region) : 0;

        for (hwaddr page = 0;
             page < end && (page = memory_next_flagged(region, page, PAGE_DIRTY_SNAPSHOT)) < end;
             page++) {
            due++;
        }
    }
    return due;
}

void memory_snapshot_free(MemSnapshot *s)
{
    for (unsigned i = 0; i < s->regions->len; i++) {
        RegionSnapshot *r = &g_array_index(s->regions, RegionSnapshot, i);

        page_tree_free(r->pages);
        g_clear_pointer(&r->dirty_check, g_array_unref);
    }
    g_array_unref(s->regions);
    g_free(s);
}

uint64_t memory_snapshot_bytes(const MemoryMap *map)
{
    return map->store.bytes;
}

/* ---- compare ---- */

static const RegionSnapshot *find_region(const MemSnapshot *s, const MemRegion *region)
{
    for (unsigned i = 0; i < s->regions->len; i++) {
        const RegionSnapshot *r = &g_array_index(s->regions, RegionSnapshot, i);

        if (r->region == region) {
            return r;
        }
    }
    return NULL;
}

bool memory_snapshots_share(const MemSnapshot *a, const MemSnapshot *b, const MemRegion *region,
                            hwaddr offset)
{
    const RegionSnapshot *in_a = find_region(a, region), *in_b = find_region(b, region);

    return in_a && in_b && a->load == b->load &&
           page_tree_same_version(in_a->pages, in_b->pages, offset >> PAGE_BITS);
}

/* ---- restore ---- */

typedef struct Restore {
    MemoryMap *map;
    MemRegion *region;
} Restore;

static void restore_page(void *opaque, uint64_t page, const uint8_t *content)
{
    const Restore *r = opaque;

    memory_set_page(r->map, r->region, page, content);
}

static void restore_region(MemoryMap *map, const RegionSnapshot *s)
{
    MemRegion *region = s->region;
    Restore r = { map, region };

    page_tree_diff(region_base(map, region), s->pages, restore_page, &r);
    for (hwaddr page = 0;
         (page = memory_next_flagged(region, page, PAGE_DIRTY_SNAPSHOT)) < num_pages(region);
         page++) {
        restore_page(&r, page, page_tree_get(s->pages, page));
    }
    page_tree_free(region->base_pages);
    region->base_pages = page_tree_copy(s->pages);
}

static void restore_checks(MemoryMap *map, const MemSnapshot *s)
{
    memory_clean(map, PAGE_DIRTY_CHECK, NULL, NULL);
    for (unsigned i = 0; i < s->regions->len; i++) {
        const RegionSnapshot *r = &g_array_index(s->regions, RegionSnapshot, i);

        for (unsigned n = 0; n < r->dirty_check->len; n++) {
            r->region->page_flags[g_array_index(r->dirty_check, guint32, n)] |= PAGE_DIRTY_CHECK;
        }
    }
}

void memory_snapshot_restore(MemoryMap *map, const MemSnapshot *s)
{
    for (unsigned i = 0; i < s->regions->len; i++) {
        restore_region(map, &g_array_index(s->regions, RegionSnapshot, i));
    }
    map->load = s->load;
    memory_clean(map, PAGE_DIRTY_SNAPSHOT, NULL, NULL);
    if (s->with_checks) {
        restore_checks(map, s);
    }
}

/* ---- page by page ---- */

uint64_t memory_snapshot_pages(const MemoryMap *map)
{
    uint64_t pages = 0;

    for (unsigned i = 0; i < map->regions->len; i++) {
        const MemRegion *region = g_ptr_array_index(map->regions, i);

        pages += region->host ? num_pages(region) : 0;
    }
    return pages;
}

static RegionSnapshot *region_snapshot(const MemSnapshot *s, unsigned i)
{
    return &g_array_index(s->regions, RegionSnapshot, i);
}

typedef struct Numbering {
    uint64_t first;
    MemSnapshotFn *fn;
    void *opaque;
} Numbering;

static void number_page(void *opaque, uint64_t page, const uint8_t *content)
{
    const Numbering *n = opaque;

    n->fn(n->opaque, n->first + page, content);
}

void memory_snapshot_diff(const MemSnapshot *from, const MemSnapshot *to, MemSnapshotFn *fn,
                          void *opaque)
{
    Numbering numbering = { 0, fn, opaque };

    for (unsigned i = 0; i < to->regions->len; i++) {
        page_tree_diff(region_snapshot(from, i)->pages, region_snapshot(to, i)->pages, number_page,
                       &numbering);
        numbering.first += num_pages(region_snapshot(to, i)->region);
    }
}

void memory_snapshot_dirty(const MemSnapshot *s, MemSnapshotFn *fn, void *opaque)
{
    uint64_t first = 0;

    for (unsigned i = 0; s->with_checks && i < s->regions->len; i++) {
        const RegionSnapshot *r = region_snapshot(s, i);

        for (unsigned n = 0; n < r->dirty_check->len; n++) {
            fn(opaque, first + g_array_index(r->dirty_check, guint32, n), NULL);
        }
        first += num_pages(r->region);
    }
}

MemSnapshot *memory_snapshot_copy(MemoryMap *map, const MemSnapshot *s, bool with_checks)
{
    MemSnapshot *copy = g_new0(MemSnapshot, 1);

    copy->with_checks = with_checks;
    copy->load = ++map->loads;
    copy->regions = g_array_new(false, false, sizeof(RegionSnapshot));
    for (unsigned i = 0; i < s->regions->len; i++) {
        const RegionSnapshot *r = region_snapshot(s, i);
        RegionSnapshot c = { r->region, page_tree_copy(r->pages),
                             with_checks ? g_array_new(false, false, sizeof(guint32)) : NULL };

        g_array_append_val(copy->regions, c);
    }
    return copy;
}

static RegionSnapshot *find_page(const MemSnapshot *s, uint64_t *page)
{
    for (unsigned i = 0; i < s->regions->len; i++) {
        RegionSnapshot *r = region_snapshot(s, i);

        if (*page < num_pages(r->region)) {
            return r;
        }
        *page -= num_pages(r->region);
    }
    g_assert_not_reached();
}

const uint8_t *memory_snapshot_get(const MemSnapshot *s, uint64_t page)
{
    const RegionSnapshot *r = find_page(s, &page);

    return page_tree_get(r->pages, page);
}

void memory_snapshot_set(MemSnapshot *s, uint64_t page, const uint8_t *content)
{
    RegionSnapshot *r = find_page(s, &page);

    page_tree_set(r->pages, page, content);
}

void memory_snapshot_mark(MemSnapshot *s, uint64_t page)
{
    RegionSnapshot *r = find_page(s, &page);
    guint32 number = (guint32)page;

    if (s->with_checks) {
        g_array_append_val(r->dirty_check, number);
    }
}
