/*
 * Accesses by way of the physical memory map, page flags and digests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/memory-internal.h"
#include "util/bitops.h"
#include "util/host-memory.h"
#include "util/log.h"
#include "util/trace.h"

/* A kernel or an initial RAM disk. */
#define HUGE_WRITE (2u << 20)

/* ---- watched memory ---- */

void memory_watch(MemoryMap *map, const MemWatch *watch)
{
    map->watch = watch;
    for (unsigned n = 0; watch && n < watch->num_parts; n++) {
        MemRegion *region = watch->part[n].region;
        hwaddr last = (watch->part[n].offset + watch->part[n].length - 1) >> PAGE_BITS;

        for (hwaddr page = watch->part[n].offset >> PAGE_BITS; page <= last; page++) {
            if (region->page_flags[page] & PAGE_WRITE_CACHED) {
                map->hooks->protect(map->hooks_opaque, region, region->base + (page << PAGE_BITS));
            }
        }
    }
}

bool memory_is_watched(const MemoryMap *map, const MemRegion *region, hwaddr addr, size_t length)
{
    hwaddr offset = addr - region->base;

    for (unsigned n = 0; map->watch && n < map->watch->num_parts; n++) {
        const MemWatchPart *p = &map->watch->part[n];

        if (p->region == region && offset < p->offset + p->length && p->offset < offset + length) {
            return true;
        }
    }
    return false;
}

const char *memory_accessed_device(const MemoryMap *map)
{
    return map->accesses ? map->accessed[map->accesses - 1] : NULL;
}

/* ---- RAM ---- */

void memory_mark_written(MemoryMap *map, MemRegion *region, hwaddr addr, size_t length)
{
    hwaddr offset = addr - region->base;
    hwaddr end = offset + length;

    if (UNLIKELY(map->watch) && memory_is_watched(map, region, addr, length)) {
        map->watch->written(map->watch->opaque, region, offset, length);
    }
    while (offset < end) {
        uint8_t *flags = &region->page_flags[offset >> PAGE_BITS];
        hwaddr page_end = (offset | (PAGE_SIZE - 1)) + 1;
        hwaddr stop = MIN(end, page_end);

        if (UNLIKELY(*flags & PAGE_HOOKED) && map->hooks) {
            map->hooks->written(map->hooks_opaque, region, region->base + offset, stop - offset);
        }
        *flags |= PAGE_WRITTEN;
        offset = stop;
    }
}

void memory_replace_page(MemoryMap *map, MemRegion *region, hwaddr page, const uint8_t *content)
{
    uint8_t *host = region->host + (page << PAGE_BITS);

    memory_mark_written(map, region, region->base + (page << PAGE_BITS), PAGE_SIZE);
    if (content) {
        memcpy(host, content, PAGE_SIZE);
    } else {
        memset(host, 0, PAGE_SIZE);
    }
}

void memory_set_page(MemoryMap *map, MemRegion *region, hwaddr page, const uint8_t *content)
{
    const uint8_t *host = region->host + (page << PAGE_BITS);

    if (content ? memcmp(host, content, PAGE_SIZE) != 0 : !memory_page_is_zero(host)) {
        memory_replace_page(map, region, page, content);
    }
}

/* How many of `length` bytes from addr, which the range holds, lie in it. length is not 0. */
static size_t bytes_in_range(const MemRange *range, hwaddr addr, size_t length)
{
    return MIN(length - 1, range->last - addr) + 1;
}

/* Whether the whole range is RAM, or ROM or a ROM device, too. */
static bool range_is_ram(MemoryMap *map, hwaddr addr, size_t length, bool writable)
{
    while (length) {
        const MemRange *range = memory_find_range(map, addr);
        size_t n;

        if (!range || !range->region->host ||
            (writable && (range->region->ops || range->region->readonly))) {
            return false;
        }
        n = bytes_in_range(range, addr, length);
        addr += n;
        length -= n;
    }
    return true;
}

bool memory_is_writable_ram(MemoryMap *map, hwaddr addr, size_t length)
{
    return range_is_ram(map, addr, length, true);
}

bool memory_read(MemoryMap *map, hwaddr addr, void *out, size_t length)
{
    const MemRange *all = memory_find_range(map, addr);
    uint8_t *to = out;

    if (all && all->region->host && length && all->last - addr >= length - 1) {
        memcpy(out, all->region->host + (addr - all->region->base), length);
        return true;
    }
    if (!range_is_ram(map, addr, length, false)) {
        return false;
    }
    while (length) {
        const MemRange *range = memory_find_range(map, addr);
        size_t n = bytes_in_range(range, addr, length);

        memcpy(to, range->region->host + (addr - range->region->base), n);
        to += n;
        addr += n;
        length -= n;
    }
    return true;
}

bool memory_write(MemoryMap *map, hwaddr addr, const void *data, size_t length)
{
    const uint8_t *from = data;

    if (!range_is_ram(map, addr, length, false)) {
        return false;
    }
    while (length) {
        const MemRange *range = memory_find_range(map, addr);
        size_t n = bytes_in_range(range, addr, length);
        uint8_t *to = range->region->host + (addr - range->region->base);

        memory_mark_written(map, range->region, addr, n);
        if (n >= HUGE_WRITE) {
            host_memory_will_fill(to, n);
        }
        memcpy(to, from, n);
        from += n;
        addr += n;
        length -= n;
    }
    return true;
}

bool memory_clear_page(MemoryMap *map, hwaddr addr)
{
    bool whole;
    MemRegion *region = memory_find_page(map, addr, &whole);

    if (!region || !whole || region->ops || region->readonly) {
        return false;
    }
    memory_set_page(map, region, (addr - region->base) >> PAGE_BITS, NULL);
    return true;
}

static void add_image(MemoryMap *map, const MemImage *image)
{
    for (unsigned n = 0; n < map->images->len; n++) {
        MemImage *old = &g_array_index(map->images, MemImage, n);

        if (old->region == image->region && old->offset == image->offset) {
            *old = *image;
            return;
        }
    }
    g_array_append_val(map->images, *image);
}

bool memory_write_image(MemoryMap *map, hwaddr addr, const void *data, size_t length)
{
    const MemRange *range = memory_find_range(map, addr);

    if (!memory_write(map, addr, data, length)) {
        return false;
    }
    if (length) {
        add_image(map, &(MemImage){ range->region, addr - range->region->base, data,
                                    bytes_in_range(range, addr, length) });
    }
    return true;
}

/* ---- guest accesses ---- */

static void log_unassigned(const char *verb, hwaddr addr, unsigned size)
{
    log_mask(LOG_GUEST_ERROR, "memory: %s of %u bytes at unassigned address 0x%" PRIx64 "\n",
             verb, size, addr);
}

/* The region that an access goes to with all its bytes, or NULL. */
static MemRegion *find_access(MemoryMap *map, hwaddr addr, unsigned size)
{
    const MemRange *range = memory_find_range(map, addr);

    return range && range->last - addr >= size - 1 ? range->region : NULL;
}

/*
 * Devices are bus masters, too: what one does for an access may be an access to another one, or to
 * itself. A chain that a guest has made of them ends somewhere.
 */
static bool enter_device(MemoryMap *map, const MemRegion *region, hwaddr addr)
{
    if (map->accesses == MAX_NESTED_ACCESSES) {
        log_mask(LOG_GUEST_ERROR, "%s: access to 0x%" PRIx64 " by a device that is accessed by a "
                 "device, and so on: given up\n", region->name, addr);
        return false;
    }
    map->accessed[map->accesses++] = region->name;
    return true;
}

static void leave_device(MemoryMap *map)
{
    map->accesses--;
    if (map->removed->len) {
        memory_free_removed(map);
    }
}

/* How a device takes an access of `size` bytes: whole, as two halves, or not at all. */
typedef enum MmioShape { MMIO_WHOLE, MMIO_SPLIT, MMIO_BAD } MmioShape;

static MmioShape mmio_shape(const MmioOps *ops, unsigned size)
{
    if (size >= ops->min_size && size <= ops->max_size) {
        return MMIO_WHOLE;
    }
    return size == 8 && ops->max_size == 4 ? MMIO_SPLIT : MMIO_BAD;
}

static void log_bad_size(const MemRegion *region, const char *verb, hwaddr offset,
                         unsigned size)
{
    log_mask(LOG_GUEST_ERROR, "%s: %s of %u bytes at offset 0x%" PRIx64
             ": the device takes %u to %u\n", region->name, verb, size, offset,
             region->ops->min_size, region->ops->max_size);
}

static uint64_t mmio_read(const MemRegion *region, hwaddr offset, unsigned size)
{
    const MmioOps *ops = region->ops;

    switch (mmio_shape(ops, size)) {
    case MMIO_WHOLE:
        return ops->read(region->opaque, offset, size) & mask64(8 * size);
    case MMIO_SPLIT: {
        uint64_t low = ops->read(region->opaque, offset, 4) & UINT32_MAX;

        return low | ops->read(region->opaque, offset + 4, 4) << 32;
    }
    default:
        log_bad_size(region, "read", offset, size);
        return 0;
    }
}

static void mmio_write(const MemRegion *region, hwaddr offset, uint64_t value, unsigned size)
{
    const MmioOps *ops = region->ops;

    switch (mmio_shape(ops, size)) {
    case MMIO_WHOLE:
        ops->write(region->opaque, offset, value & mask64(8 * size), size);
        break;
    case MMIO_SPLIT:
        ops->write(region->opaque, offset, value & UINT32_MAX, 4);
        ops->write(region->opaque, offset + 4, value >> 32, 4);
        break;
    default:
        log_bad_size(region, "write", offset, size);
        break;
    }
}

bool memory_io_read(MemoryMap *map, hwaddr addr, unsigned size, uint64_t *out)
{
    MemRegion *region = find_access(map, addr, size);
    uint64_t le = 0;

    if (region && region->ops) {
        if (!enter_device(map, region, addr)) {
            return false;
        }
        *out = mmio_read(region, addr - region->base, size);
        trace_memory_io_read(region->name, addr - region->base, size, *out);
        leave_device(map);
        return true;
    }
    /* RAM that goes on in the next region is still RAM. */
    if (!memory_read(map, addr, &le, size)) {
        log_unassigned("read", addr, size);
        return false;
    }
    *out = GUINT64_FROM_LE(le);
    return true;
}

bool memory_io_write(MemoryMap *map, hwaddr addr, unsigned size, uint64_t value)
{
    MemRegion *region = find_access(map, addr, size);
    uint64_t le = GUINT64_TO_LE(value);

    if (region && region->ops) {
        if (!enter_device(map, region, addr)) {
            return false;
        }
        trace_memory_io_write(region->name, addr - region->base, size, value);
        mmio_write(region, addr - region->base, value, size);
        leave_device(map);
        return true;
    }
    if (region && region->readonly) {
        log_mask(LOG_GUEST_ERROR, "%s: write of %u bytes to ROM at 0x%" PRIx64 "\n",
                 region->name, size, addr);
        return true;
    }
    if (!memory_write(map, addr, &le, size)) {
        log_unassigned("write", addr, size);
        return false;
    }
    return true;
}

/* ---- observers ---- */

/* One byte, out of the smallest access that the device takes. */
static uint8_t peek_byte(const MemRegion *region, hwaddr offset)
{
    unsigned size = region->ops->min_size;
    hwaddr aligned = offset & ~(hwaddr)(size - 1);

    return (uint8_t)(region->ops->peek(region->opaque, aligned, size) >> (8 * (offset - aligned)));
}

static void peek_mmio(const MemRegion *region, hwaddr offset, uint8_t *out, size_t length)
{
    const MmioOps *ops = region->ops;

    if ((length == 1 || length == 2 || length == 4 || length == 8) &&
        offset % length == 0 && mmio_shape(ops, (unsigned)length) == MMIO_WHOLE) {
        uint64_t le = GUINT64_TO_LE(ops->peek(region->opaque, offset, (unsigned)length));

        memcpy(out, &le, length);
        return;
    }
    for (size_t i = 0; i < length; i++) {
        out[i] = peek_byte(region, offset + i);
    }
}

bool memory_peek(MemoryMap *map, hwaddr addr, void *out, size_t length)
{
    uint8_t *to = out;

    while (length) {
        const MemRange *range = memory_find_range(map, addr);
        const MemRegion *region;
        hwaddr offset;
        size_t n;

        if (!range || (!range->region->host && !range->region->ops->peek)) {
            return false;
        }
        region = range->region;
        offset = addr - region->base;
        n = bytes_in_range(range, addr, length);
        if (region->host) {
            memcpy(to, region->host + offset, n);
        } else {
            peek_mmio(region, offset, to, n);
        }
        to += n;
        addr += n;
        length -= n;
    }
    return true;
}

/* ---- digests ---- */

bool memory_page_is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, PAGE_SIZE - 1) == 0;
}

static hwaddr ram_pages(const MemRegion *region)
{
    return region->host ? region->size >> PAGE_BITS : 0;
}

hwaddr memory_next_flagged(const MemRegion *region, hwaddr page, uint8_t flags)
{
    hwaddr num_pages = ram_pages(region);
    uint64_t wide = flags * 0x0101010101010101ull;

    while (page < num_pages) {
        uint64_t eight;

        if (page % 8 == 0 && page + 8 <= num_pages) {
            memcpy(&eight, region->page_flags + page, 8);
            if (!(eight & wide)) {
                page += 8;
                continue;
            }
        }
        if (region->page_flags[page] & flags) {
            break;
        }
        page++;
    }
    return page;
}

/* The guest may have moved, enabled or disabled regions, so their places are state. */
static void digest_places(MemoryMap *map, Digest *digest)
{
    for (unsigned i = 0; i < map->regions->len; i++) {
        const MemRegion *region = g_ptr_array_index(map->regions, i);

        digest_u64(digest, region->base);
        digest_u64(digest, (uint64_t)(uint32_t)region->priority << 1 | region->enabled);
    }
}

/* Returns the digest of the content. */
static uint64_t digest_page(const MemRegion *region, hwaddr page, Digest *digest)
{
    uint64_t content = digest_block(region->host + (page << PAGE_BITS), PAGE_SIZE);

    digest_u64(digest, region->base + (page << PAGE_BITS));
    digest_u64(digest, content);
    return content;
}

void memory_clean(MemoryMap *map, uint8_t dirty_flag, MemoryPageFn *fn, void *opaque)
{
    for (unsigned i = 0; i < map->by_address->len; i++) {
        MemRegion *region = g_ptr_array_index(map->by_address, i);
        hwaddr num_pages = ram_pages(region);

        for (hwaddr page = 0;
             (page = memory_next_flagged(region, page, dirty_flag)) < num_pages; page++) {
            region->page_flags[page] &= (uint8_t)~dirty_flag;
            if (region->page_flags[page] & PAGE_WRITE_CACHED) {
                map->hooks->protect(map->hooks_opaque, region, region->base + (page << PAGE_BITS));
            }
            if (fn) {
                fn(opaque, region, page);
            }
        }
    }
}

typedef struct DirtyDigest {
    Digest *digest;
    GByteArray *pages;
    hwaddr last;           /* number of the page before */
} DirtyDigest;

static void add_page(void *opaque, const MemRegion *region, hwaddr page)
{
    DirtyDigest *d = opaque;
    uint64_t content = digest_page(region, page, d->digest);
    hwaddr number = (region->base >> PAGE_BITS) + page;

    if (d->pages) {
        bytes_put_varint(d->pages, number - d->last);
        bytes_put_u8(d->pages, (uint8_t)content);
        d->last = number;
    }
}

void memory_digest_dirty(MemoryMap *map, Digest *digest, GByteArray *pages)
{
    DirtyDigest d = { digest, pages, 0 };

    digest_places(map, digest);
    memory_clean(map, PAGE_DIRTY_CHECK, add_page, &d);
}

void memory_digest_all(MemoryMap *map, Digest *digest)
{
    digest_places(map, digest);
    for (unsigned i = 0; i < map->by_address->len; i++) {
        const MemRegion *region = g_ptr_array_index(map->by_address, i);
        hwaddr num_pages = ram_pages(region);

        for (hwaddr page = 0;
             (page = memory_next_flagged(region, page, PAGE_EVER)) < num_pages; page++) {
            if (!memory_page_is_zero(region->host + (page << PAGE_BITS))) {
                digest_page(region, page, digest);
            }
        }
    }
}
