/*
 * The physical memory map: regions, and the flat view that look-ups go to.
 *
 * 1. The flat view is rebuilt by whoever changes a region's place, before the change returns: the
 *    next access sees it. In it each address belongs to the region of the highest priority that is
 *    there, and among equal ones to the one that was made first.
 * 2. Before the view changes, every page with flags of the engine that is about to lose its place
 *    is reported (MemoryHooks.unmapped). So an invisible page has none of these flags.
 * 3. A region outlives the accesses that are being made to it, however it is removed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/memory-internal.h"
#include "util/host-memory.h"
#include "util/trace.h"

MemoryMap *memory_map_new(void)
{
    MemoryMap *map = g_new0(MemoryMap, 1);

    map->regions = g_ptr_array_new();
    map->by_address = g_ptr_array_new();
    map->removed = g_ptr_array_new();
    map->view = g_array_new(false, false, sizeof(MemRange));
    map->images = g_array_new(false, false, sizeof(MemImage));
    return map;
}

static void region_free(MemRegion *region)
{
    if (region->owns_host) {
        host_memory_unmap(region->host, region->size);
    }
    free(region->page_flags);
    free(region->page_link);
    g_clear_pointer(&region->base_pages, page_tree_free);
    g_free(region);
}

static void free_regions(GPtrArray *regions)
{
    for (unsigned n = 0; n < regions->len; n++) {
        region_free(g_ptr_array_index(regions, n));
    }
    g_ptr_array_set_size(regions, 0);
}

void memory_map_free(MemoryMap *map)
{
    if (!map) {
        return;
    }
    free_regions(map->regions);
    free_regions(map->removed);
    g_ptr_array_free(map->regions, TRUE);
    g_ptr_array_free(map->by_address, TRUE);
    g_ptr_array_free(map->removed, TRUE);
    g_array_free(map->view, TRUE);
    g_array_free(map->images, TRUE);
    page_store_clear(&map->store);
    g_free(map);
}

/* ---- the flat view ---- */

static const MemRange *range_at(const MemoryMap *map, unsigned n)
{
    return &g_array_index(map->view, MemRange, n);
}

/* The number of the first range that ends at or behind addr, or that of all ranges. */
static unsigned find_index(const MemoryMap *map, hwaddr addr)
{
    unsigned low = 0, high = map->view->len;

    while (low < high) {
        unsigned mid = (low + high) / 2;

        if (range_at(map, mid)->last < addr) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static bool range_holds(const MemRange *range, hwaddr addr)
{
    return addr >= range->first && addr <= range->last;
}

const MemRange *memory_find_range(MemoryMap *map, hwaddr addr)
{
    unsigned n;

    if (map->found < map->view->len && range_holds(range_at(map, map->found), addr)) {
        return range_at(map, map->found);
    }
    n = find_index(map, addr);
    if (n == map->view->len || !range_holds(range_at(map, n), addr)) {
        return NULL;
    }
    map->found = n;
    return range_at(map, n);
}

MemRegion *memory_find(MemoryMap *map, hwaddr addr)
{
    const MemRange *range = memory_find_range(map, addr);

    return range ? range->region : NULL;
}

MemRegion *memory_find_page(MemoryMap *map, hwaddr addr, bool *whole)
{
    hwaddr first = addr & ~(hwaddr)(PAGE_SIZE - 1), last = first | (PAGE_SIZE - 1);
    const MemRange *found = memory_find_range(map, first);

    /* The common case needs no search: one range holds the whole page. */
    if (found && found->region->host && found->last >= last) {
        *whole = true;
        return found->region;
    }
    for (unsigned n = find_index(map, first);
         n < map->view->len && range_at(map, n)->first <= last; n++) {
        const MemRange *range = range_at(map, n);

        if (range->region->host) {
            *whole = range->first <= first && range->last >= last;
            return range->region;
        }
    }
    *whole = false;
    return NULL;
}

void memory_foreach_range(MemoryMap *map, void (*fn)(const MemRange *, void *), void *opaque)
{
    for (unsigned n = 0; n < map->view->len; n++) {
        fn(range_at(map, n), opaque);
    }
}

/* ---- building it, from the places that regions will have ---- */

static hwaddr last_of(hwaddr base, hwaddr size)
{
    return base + (size - 1);
}

static gint compare_rank(gconstpointer a, gconstpointer b)
{
    const MemRegion *first = *(MemRegion *const *)a, *second = *(MemRegion *const *)b;

    if (first->next.priority != second->next.priority) {
        return first->next.priority > second->next.priority ? -1 : 1;
    }
    return first->serial < second->serial ? -1 : 1;
}

/* The enabled ones, who wins first. */
static GPtrArray *ranked_regions(const MemoryMap *map)
{
    GPtrArray *ranked = g_ptr_array_new();

    for (unsigned n = 0; n < map->regions->len; n++) {
        MemRegion *region = g_ptr_array_index(map->regions, n);

        if (region->next.enabled) {
            g_ptr_array_add(ranked, region);
        }
    }
    g_ptr_array_sort(ranked, compare_rank);
    return ranked;
}

static gint compare_address(gconstpointer a, gconstpointer b)
{
    hwaddr first = *(const hwaddr *)a, second = *(const hwaddr *)b;

    return first < second ? -1 : first > second;
}

/* The addresses at which another region may begin to answer, in ascending order. */
static GArray *find_borders(const GPtrArray *ranked)
{
    GArray *borders = g_array_new(false, false, sizeof(hwaddr));

    for (unsigned n = 0; n < ranked->len; n++) {
        const MemRegion *region = g_ptr_array_index(ranked, n);
        hwaddr end = region->next.base + region->size;

        g_array_append_val(borders, region->next.base);
        if (end) {
            g_array_append_val(borders, end);
        }
    }
    g_array_sort(borders, compare_address);
    return borders;
}

static MemRegion *find_winner(const GPtrArray *ranked, hwaddr addr)
{
    for (unsigned n = 0; n < ranked->len; n++) {
        MemRegion *region = g_ptr_array_index(ranked, n);

        if (addr - region->next.base < region->size) {
            return region;
        }
    }
    return NULL;
}

static void append_range(GArray *view, MemRegion *region, hwaddr first, hwaddr last)
{
    MemRange *before = view->len ? &g_array_index(view, MemRange, view->len - 1) : NULL;

    if (before && before->region == region && before->last + 1 == first) {
        before->last = last;
    } else {
        MemRange range = { .first = first, .last = last, .offset = first - region->next.base,
                           .region = region };

        g_array_append_val(view, range);
    }
}

static GArray *build_view(const MemoryMap *map)
{
    GArray *view = g_array_new(false, false, sizeof(MemRange));
    GPtrArray *ranked = ranked_regions(map);
    GArray *borders = find_borders(ranked);

    for (unsigned n = 0; n < borders->len; n++) {
        hwaddr first = g_array_index(borders, hwaddr, n);
        hwaddr last = n + 1 < borders->len ? g_array_index(borders, hwaddr, n + 1) - 1 : UINT64_MAX;
        MemRegion *winner = find_winner(ranked, first);

        if (winner && last + 1 != first) {
            append_range(view, winner, first, last);
        }
    }
    g_ptr_array_free(ranked, true);
    g_array_free(borders, true);
    return view;
}

/* ---- changing it ---- */

static bool views_equal(const GArray *a, const GArray *b)
{
    return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len * sizeof(MemRange)));
}

/* first..last of the old range lead elsewhere from now on. */
static void report_part(const MemoryMap *map, const MemRange *old, hwaddr first, hwaddr last)
{
    hwaddr base = old->first - old->offset, last_page = (last - base) >> PAGE_BITS;

    for (hwaddr page = (first - base) >> PAGE_BITS;
         (page = memory_next_flagged(old->region, page, PAGE_OF_ENGINE)) <= last_page &&
         page < old->region->size >> PAGE_BITS; page++) {
        map->hooks->unmapped(map->hooks_opaque, old->region, base + (page << PAGE_BITS));
    }
}

/* Report the parts of an old range that are not at the same place in the new view. */
static void report_range(const MemoryMap *map, const MemRange *old, const GArray *view)
{
    hwaddr first = old->first;

    for (unsigned n = 0; n < view->len; n++) {
        const MemRange *kept = &g_array_index(view, MemRange, n);

        if (kept->region != old->region || kept->last < first || kept->first > old->last ||
            kept->first - kept->offset != old->first - old->offset) {
            continue;
        }
        if (kept->first > first) {
            report_part(map, old, first, kept->first - 1);
        }
        if (kept->last >= old->last) {
            return;
        }
        first = kept->last + 1;
    }
    report_part(map, old, first, old->last);
}

static void report_unmapped(const MemoryMap *map, const GArray *view)
{
    for (unsigned n = 0; n < map->view->len; n++) {
        if (range_at(map, n)->region->host) {
            report_range(map, range_at(map, n), view);
        }
    }
}

static gint compare_place(gconstpointer a, gconstpointer b)
{
    const MemRegion *first = *(MemRegion *const *)a, *second = *(MemRegion *const *)b;

    if (first->base != second->base) {
        return first->base < second->base ? -1 : 1;
    }
    return first->serial < second->serial ? -1 : 1;
}

void memory_place_regions(MemoryMap *map)
{
    GArray *view = build_view(map);
    bool changed = !views_equal(view, map->view);

    if (changed && map->hooks) {
        report_unmapped(map, view);
    }
    for (unsigned n = 0; n < map->regions->len; n++) {
        MemRegion *region = g_ptr_array_index(map->regions, n);

        region->base = region->next.base;
        region->priority = region->next.priority;
        region->enabled = region->next.enabled;
    }
    g_ptr_array_sort(map->by_address, compare_place);
    g_array_free(map->view, true);
    map->view = view;
    if (changed) {
        trace_memory_map_changed(view->len);
    }
    if (changed && map->hooks) {
        map->hooks->remapped(map->hooks_opaque);
    }
}

void memory_move(MemoryMap *map, MemRegion *region, hwaddr base)
{
    assert(memory_fits(region, base));
    region->next.base = base;
    memory_place_regions(map);
}

void memory_set_priority(MemoryMap *map, MemRegion *region, int32_t priority)
{
    region->next.priority = priority;
    memory_place_regions(map);
}

void memory_set_enabled(MemoryMap *map, MemRegion *region, bool enabled)
{
    region->next.enabled = enabled;
    memory_place_regions(map);
}

void memory_set_io_reads(MemoryMap *map, MemRegion *region, bool io_reads)
{
    if (region->io_reads != io_reads) {
        region->io_reads = io_reads;
        if (map->hooks) {
            map->hooks->remapped(map->hooks_opaque);
        }
    }
}

/* ---- regions ---- */

bool memory_fits(const MemRegion *region, hwaddr base)
{
    return last_of(base, region->size) >= base && (!region->host || base % PAGE_SIZE == 0);
}

/* It is at address 0, and not enabled. */
static MemRegion *new_region(MemoryMap *map, const char *name, hwaddr size, const MmioOps *ops,
                             void *opaque)
{
    MemRegion *region = g_new0(MemRegion, 1);

    assert(size);
    assert(!ops ||
           (ops->read && ops->write && ops->min_size && ops->min_size <= ops->max_size));
    region->name = name;
    region->size = size;
    region->ops = ops;
    region->opaque = opaque;
    region->serial = map->next_serial++;
    g_ptr_array_add(map->regions, region);
    g_ptr_array_add(map->by_address, region);
    memory_place_regions(map);
    return region;
}

/* One element a page; calloc() leaves the zeroing of large ones to the first touch. */
static void *page_array(hwaddr size, size_t element)
{
    void *array = calloc(size >> PAGE_BITS, element);

    assert(array);
    return array;
}

/* The region takes host over. */
static MemRegion *new_mapped_ram(MemoryMap *map, const char *name, hwaddr size, bool readonly,
                                 const MmioOps *ops, void *opaque, void *host)
{
    MemRegion *region;

    assert(size % PAGE_SIZE == 0);
    region = new_region(map, name, size, ops, opaque);
    region->host = host;
    region->page_flags = page_array(size, sizeof(*region->page_flags));
    region->page_link = page_array(size, sizeof(*region->page_link));
    region->readonly = readonly;
    region->owns_host = true;
    return region;
}

static MemRegion *new_ram(MemoryMap *map, const char *name, hwaddr size, bool readonly,
                          const MmioOps *ops, void *opaque, Error **errp)
{
    void *host = host_memory_map(size);

    if (!host) {
        error_setg_errno(errp, errno, "cannot map %" PRIu64 " MiB for '%s'", size >> 20, name);
        return NULL;
    }
    return new_mapped_ram(map, name, size, readonly, ops, opaque, host);
}

MemRegion *memory_new_ram(MemoryMap *map, const char *name, hwaddr size, bool readonly,
                          Error **errp)
{
    return new_ram(map, name, size, readonly, NULL, NULL, errp);
}

MemRegion *memory_new_mmio(MemoryMap *map, const char *name, hwaddr size, const MmioOps *ops,
                           void *opaque)
{
    assert(ops);
    return new_region(map, name, size, ops, opaque);
}

void memory_remove(MemoryMap *map, MemRegion *region)
{
    memory_set_enabled(map, region, false);
    g_ptr_array_remove(map->regions, region);
    g_ptr_array_remove(map->by_address, region);
    g_ptr_array_add(map->removed, region);
    memory_free_removed(map);
}

void memory_free_removed(MemoryMap *map)
{
    if (!map->accesses) {
        free_regions(map->removed);
    }
}

/* Regions that a board places must not overlap; only those that the guest places may. */
static void check_free(const MemoryMap *map, const MemRegion *region, hwaddr base)
{
    hwaddr last = last_of(base, region->size);

    assert(memory_fits(region, base));
    for (unsigned n = 0; n < map->regions->len; n++) {
        const MemRegion *other = g_ptr_array_index(map->regions, n);

        assert(!other->enabled || other->priority || other->base > last ||
               last_of(other->base, other->size) < base);
    }
}

static MemRegion *add_region(MemoryMap *map, MemRegion *region, hwaddr base)
{
    if (region) {
        check_free(map, region, base);
        region->next.base = base;
        memory_set_enabled(map, region, true);
    }
    return region;
}

MemRegion *memory_add_ram(MemoryMap *map, const char *name, hwaddr base, hwaddr size,
                          bool readonly, Error **errp)
{
    return add_region(map, memory_new_ram(map, name, size, readonly, errp), base);
}

MemRegion *memory_add_mapped_ram(MemoryMap *map, const char *name, hwaddr base, hwaddr size,
                                 void *host)
{
    return add_region(map, new_mapped_ram(map, name, size, false, NULL, NULL, host), base);
}

MemRegion *memory_add_rom_device(MemoryMap *map, const char *name, hwaddr base, hwaddr size,
                                 const MmioOps *ops, void *opaque, Error **errp)
{
    assert(ops);
    return add_region(map, new_ram(map, name, size, true, ops, opaque, errp), base);
}

MemRegion *memory_add_mmio(MemoryMap *map, const char *name, hwaddr base, hwaddr size,
                           const MmioOps *ops, void *opaque)
{
    return add_region(map, memory_new_mmio(map, name, size, ops, opaque), base);
}

void memory_foreach(MemoryMap *map, void (*fn)(MemRegion *, void *), void *opaque)
{
    for (unsigned n = 0; n < map->by_address->len; n++) {
        fn(g_ptr_array_index(map->by_address, n), opaque);
    }
}

void memory_set_hooks(MemoryMap *map, const MemoryHooks *hooks, void *opaque)
{
    map->hooks = hooks;
    map->hooks_opaque = opaque;
}
