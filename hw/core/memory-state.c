/*
 * The memory map and the content of RAM, ROM and flash, as a machine's state.
 *
 * The number of regions; for each: name, size, base, priority, whether it is enabled. Then for each
 * one with host memory the number of pages that follow, and for each of these how many were left
 * out before it, flags, and its bytes unless it is all zero. What is left out is zero and not dirty
 * for the next check.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/memory.h"
#include "hw/core/memory-internal.h"

#define NAME_MAX_LENGTH 256
/* What a GByteArray can hold, less a reserve for all other state. */
#define MAX_BYTES (4000ull << 20)

enum SavedPage {
    SAVED_CONTENT = 1,     /* its bytes follow */
    SAVED_DIRTY_CHECK = 2, /* PAGE_DIRTY_CHECK */
};

static uint8_t *page_host(const MemRegion *region, hwaddr page)
{
    return region->host + (page << PAGE_BITS);
}

/* In the order in which they were made: equal machines have the same, wherever regions are. */
static void foreach_made(MemoryMap *map, void (*fn)(MemRegion *, void *), void *opaque)
{
    for (unsigned n = 0; n < map->regions->len; n++) {
        fn(g_ptr_array_index(map->regions, n), opaque);
    }
}

/* ---- save ---- */

static uint8_t saved_flags(const MemRegion *region, hwaddr page)
{
    bool dirty = region->page_flags[page] & PAGE_DIRTY_CHECK;

    return (uint8_t)((memory_page_is_zero(page_host(region, page)) ? 0 : SAVED_CONTENT) |
                     (dirty ? SAVED_DIRTY_CHECK : 0));
}

static void save_pages(const MemRegion *region, GByteArray *out)
{
    hwaddr num_pages = region->size >> PAGE_BITS, next = 0, saved = 0;
    GByteArray *pages = g_byte_array_new();

    for (hwaddr page = 0;
         (page = memory_next_flagged(region, page, PAGE_EVER | PAGE_DIRTY_CHECK)) < num_pages;
         page++) {
        uint8_t flags = saved_flags(region, page);

        if (!flags) {
            continue;
        }
        bytes_put_varint(pages, page - next);
        bytes_put_u8(pages, flags);
        if (flags & SAVED_CONTENT) {
            bytes_put_data(pages, page_host(region, page), PAGE_SIZE);
        }
        next = page + 1;
        saved++;
    }
    bytes_put_varint(out, saved);
    bytes_put_data(out, pages->data, pages->len);
    g_byte_array_unref(pages);
}

typedef struct Save {
    GByteArray *out;
    uint64_t bytes;
} Save;

static void count_region(MemRegion *region, void *opaque)
{
    Save *s = opaque;
    hwaddr num_pages = region->host ? region->size >> PAGE_BITS : 0;

    for (hwaddr page = 0;
         (page = memory_next_flagged(region, page, PAGE_EVER | PAGE_DIRTY_CHECK)) < num_pages;
         page++) {
        s->bytes += PAGE_SIZE + 8;
    }
}

static void save_place(MemRegion *region, void *opaque)
{
    GByteArray *out = ((Save *)opaque)->out;

    bytes_put_block(out, region->name, strlen(region->name));
    bytes_put_le64(out, region->size);
    bytes_put_le64(out, region->base);
    bytes_put_le64(out, (uint64_t)region->priority);
    bytes_put_u8(out, region->enabled);
}

static void save_content(MemRegion *region, void *opaque)
{
    if (region->host) {
        save_pages(region, ((Save *)opaque)->out);
    }
}

void memory_save_places(MemoryMap *map, GByteArray *out)
{
    Save s = { .out = out };

    bytes_put_varint(out, map->regions->len);
    foreach_made(map, save_place, &s);
}

bool memory_save(MemoryMap *map, GByteArray *out, Error **errp)
{
    Save s = { .out = out };

    foreach_made(map, count_region, &s);
    if (s.bytes > MAX_BYTES) {
        error_setg(errp, "the guest has written %" PRIu64 " MiB of memory; a saved state has room "
                   "for %llu MiB", s.bytes >> 20, MAX_BYTES >> 20);
        return false;
    }
    memory_save_places(map, out);
    foreach_made(map, save_content, &s);
    return true;
}

/* ---- load ---- */

/*
 * A page that has this content already is not written, so that its translations stay.
 * content NULL: zeros.
 */
static void load_page(MemoryMap *map, MemRegion *region, hwaddr page, const uint8_t *content,
                      bool dirty_check)
{
    memory_set_page(map, region, page, content);
    region->page_flags[page] &= (uint8_t)~PAGE_DIRTY_CHECK;
    region->page_flags[page] |= dirty_check ? PAGE_DIRTY_CHECK : 0;
}

/* Pages first..last-1 are not in the state. */
static void clear_pages(MemoryMap *map, MemRegion *region, hwaddr first, hwaddr last)
{
    for (hwaddr page = first;
         (page = memory_next_flagged(region, page, PAGE_EVER | PAGE_DIRTY_CHECK)) < last;
         page++) {
        load_page(map, region, page, NULL, false);
    }
}

static bool load_pages(MemoryMap *map, MemRegion *region, ByteReader *in)
{
    hwaddr num_pages = region->size >> PAGE_BITS, next = 0;
    uint64_t saved = bytes_get_varint(in);

    for (uint64_t n = 0; n < saved; n++) {
        uint64_t gap = bytes_get_varint(in);
        uint8_t flags = bytes_get_u8(in);
        const uint8_t *content = flags & SAVED_CONTENT ? bytes_get_data(in, PAGE_SIZE) : NULL;

        if (in->failed || gap >= num_pages - next) {
            return false;
        }
        clear_pages(map, region, next, next + gap);
        load_page(map, region, next + gap, content, flags & SAVED_DIRTY_CHECK);
        next += gap + 1;
    }
    clear_pages(map, region, next, num_pages);
    return !in->failed;
}

typedef struct Load {
    MemoryMap *map;
    ByteReader *in;
    Error **errp;
    bool ok;
} Load;

static bool same_region(const MemRegion *region, ByteReader *in)
{
    size_t length;
    const uint8_t *name = bytes_get_block(in, NAME_MAX_LENGTH, &length);
    uint64_t size = bytes_get_le64(in);

    return !in->failed && length == strlen(region->name) &&
           memcmp(name, region->name, length) == 0 && size == region->size;
}

static void load_place(MemRegion *region, void *opaque)
{
    Load *l = opaque;
    uint64_t base, priority;

    if (!l->ok) {
        return;
    }
    if (!same_region(region, l->in)) {
        error_setg(l->errp, "the state of memory region '%s' (0x%" PRIx64 " bytes) is missing",
                   region->name, region->size);
        l->ok = false;
        return;
    }
    base = bytes_get_le64(l->in);
    priority = bytes_get_le64(l->in);
    region->next = (MemPlace){ .base = base, .priority = (int32_t)priority,
                               .enabled = bytes_get_u8(l->in) };
    if (l->in->failed || !memory_fits(region, base)) {
        error_setg(l->errp, "the state of memory region '%s' is damaged", region->name);
        l->ok = false;
    }
}

static void load_content(MemRegion *region, void *opaque)
{
    Load *l = opaque;

    if (region->host && l->ok && !load_pages(l->map, region, l->in)) {
        error_setg(l->errp, "the content of memory region '%s' is damaged", region->name);
        l->ok = false;
    }
}

bool memory_load_places(MemoryMap *map, ByteReader *in, Error **errp)
{
    Load l = { .map = map, .in = in, .errp = errp, .ok = true };
    uint64_t regions = bytes_get_varint(in);

    if (regions != map->regions->len) {
        error_setg(errp, "the state has %" PRIu64 " memory regions, this machine %u", regions,
                   map->regions->len);
        return false;
    }
    foreach_made(map, load_place, &l);
    if (l.ok) {
        memory_place_regions(map);
    }
    return l.ok;
}

bool memory_load(MemoryMap *map, ByteReader *in, Error **errp)
{
    Load l = { .map = map, .in = in, .errp = errp, .ok = memory_load_places(map, in, errp) };

    if (!l.ok) {
        return false;
    }
    /* load_page() sets the flags of each page: no entry for stores may go around them. */
    memory_clean(map, PAGE_DIRTY_CHECK, NULL, NULL);
    foreach_made(map, load_content, &l);
    map->load = ++map->loads;
    return l.ok;
}

/* ---- scramble ---- */

static void scramble_region(MemRegion *region, void *opaque)
{
    MemoryMap *map = opaque;
    hwaddr num_pages = region->host ? region->size >> PAGE_BITS : 0;

    for (hwaddr page = 0; (page = memory_next_flagged(region, page, PAGE_EVER)) < num_pages;
         page++) {
        memory_mark_written(map, region, region->base + (page << PAGE_BITS), PAGE_SIZE);
        memset(page_host(region, page), (int)(page % 251 + 1), PAGE_SIZE);
    }
    region->next = (MemPlace){ .priority = region->priority + 1 };
}

void memory_scramble(MemoryMap *map)
{
    foreach_made(map, scramble_region, map);
    memory_place_regions(map);
}
