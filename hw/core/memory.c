/*
 * The physical memory map.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/memory-internal.h"
#include "util/bitops.h"
#include "util/log.h"
#include <sys/mman.h>

struct MemoryMap {
    GPtrArray *regions;     /* MemRegion *, by ascending base, never overlapping */
    MemRegion *last;        /* the region found last: most look-ups repeat */
    const MemoryHooks *hooks;
    void *hooks_opaque;
    MemoryRemapHook *remap_hook;
    void *remap_opaque;
};

MemoryMap *memory_map_new(void)
{
    MemoryMap *map = g_new0(MemoryMap, 1);

    map->regions = g_ptr_array_new();
    return map;
}

void memory_map_free(MemoryMap *map)
{
    if (!map) {
        return;
    }
    for (unsigned i = 0; i < map->regions->len; i++) {
        MemRegion *region = g_ptr_array_index(map->regions, i);

        if (region->owns_host) {
            munmap(region->host, region->size);
        }
        free(region->page_flags);
        free(region->page_link);
        g_free(region);
    }
    g_ptr_array_free(map->regions, TRUE);
    g_free(map);
}

/* The index of the first region that ends behind addr, or the number of regions. */
static unsigned find_index(const MemoryMap *map, hwaddr addr)
{
    unsigned low = 0, high = map->regions->len;

    while (low < high) {
        unsigned mid = (low + high) / 2;
        const MemRegion *region = g_ptr_array_index(map->regions, mid);

        if (region->base + (region->size - 1) < addr) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static bool region_holds(const MemRegion *region, hwaddr addr)
{
    return addr - region->base < region->size;
}

MemRegion *memory_find(MemoryMap *map, hwaddr addr)
{
    unsigned i;
    MemRegion *region;

    if (map->last && region_holds(map->last, addr)) {
        return map->last;
    }
    i = find_index(map, addr);
    if (i == map->regions->len) {
        return NULL;
    }
    region = g_ptr_array_index(map->regions, i);
    if (!region_holds(region, addr)) {
        return NULL;
    }
    map->last = region;
    return region;
}

static MemRegion *add_region(MemoryMap *map, const char *name, hwaddr base, hwaddr size)
{
    MemRegion *region = g_new0(MemRegion, 1);
    hwaddr last = base + (size - 1);
    unsigned i = find_index(map, base);

    assert(size && last >= base);
    if (i < map->regions->len) {
        const MemRegion *next = g_ptr_array_index(map->regions, i);

        assert(next->base > last);
    }
    region->name = name;
    region->base = base;
    region->size = size;
    g_ptr_array_insert(map->regions, (int)i, region);
    return region;
}

/* One element a page; calloc() leaves the zeroing of large ones to the first touch. */
static void *page_array(hwaddr size, size_t element)
{
    void *array = calloc(size >> PAGE_BITS, element);

    assert(array);
    return array;
}

/* Zeroed memory, which the host gives page by page when it is first touched. */
static void *map_ram(size_t size)
{
    void *host = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return host == MAP_FAILED ? NULL : host;
}

MemRegion *memory_add_ram(MemoryMap *map, const char *name, hwaddr base, hwaddr size,
                          bool readonly, Error **errp)
{
    MemRegion *region;
    void *host;

    assert(base % PAGE_SIZE == 0 && size % PAGE_SIZE == 0);
    host = map_ram(size);
    if (!host) {
        error_setg_errno(errp, errno, "cannot map %" PRIu64 " MiB for '%s'", size >> 20, name);
        return NULL;
    }
    region = add_region(map, name, base, size);
    region->host = host;
    region->page_flags = page_array(size, sizeof(*region->page_flags));
    region->page_link = page_array(size, sizeof(*region->page_link));
    region->readonly = readonly;
    region->owns_host = true;
    return region;
}

MemRegion *memory_add_rom_device(MemoryMap *map, const char *name, hwaddr base, hwaddr size,
                                 const MmioOps *ops, void *opaque, Error **errp)
{
    MemRegion *region = memory_add_ram(map, name, base, size, true, errp);

    assert(ops->read && ops->write && ops->min_size && ops->min_size <= ops->max_size);
    if (region) {
        region->ops = ops;
        region->opaque = opaque;
    }
    return region;
}

void memory_set_io_reads(MemoryMap *map, MemRegion *region, bool io_reads)
{
    if (region->io_reads != io_reads) {
        region->io_reads = io_reads;
        if (map->remap_hook) {
            map->remap_hook(map->remap_opaque);
        }
    }
}

MemRegion *memory_add_mmio(MemoryMap *map, const char *name, hwaddr base, hwaddr size,
                           const MmioOps *ops, void *opaque)
{
    MemRegion *region = add_region(map, name, base, size);

    assert(ops->read && ops->write && ops->min_size && ops->min_size <= ops->max_size);
    region->ops = ops;
    region->opaque = opaque;
    return region;
}

void memory_foreach(MemoryMap *map, void (*fn)(MemRegion *, void *), void *opaque)
{
    for (unsigned i = 0; i < map->regions->len; i++) {
        fn(g_ptr_array_index(map->regions, i), opaque);
    }
}

void memory_set_hooks(MemoryMap *map, const MemoryHooks *hooks, void *opaque)
{
    map->hooks = hooks;
    map->hooks_opaque = opaque;
}

void memory_set_remap_hook(MemoryMap *map, MemoryRemapHook *hook, void *opaque)
{
    map->remap_hook = hook;
    map->remap_opaque = opaque;
}

/* ---- RAM ---- */

void memory_mark_written(MemoryMap *map, MemRegion *region, hwaddr addr, size_t length)
{
    hwaddr offset = addr - region->base;
    hwaddr end = offset + length;

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

/* Whether the whole range is RAM, ROM or a ROM device. */
static bool range_is_ram(MemoryMap *map, hwaddr addr, size_t length)
{
    while (length) {
        MemRegion *region = memory_find(map, addr);
        hwaddr n;

        if (!region || !region->host) {
            return false;
        }
        n = MIN(length, region->size - (addr - region->base));
        addr += n;
        length -= n;
    }
    return true;
}

bool memory_read(MemoryMap *map, hwaddr addr, void *out, size_t length)
{
    uint8_t *to = out;

    if (!range_is_ram(map, addr, length)) {
        return false;
    }
    while (length) {
        MemRegion *region = memory_find(map, addr);
        hwaddr offset = addr - region->base;
        size_t n = MIN(length, region->size - offset);

        memcpy(to, region->host + offset, n);
        to += n;
        addr += n;
        length -= n;
    }
    return true;
}

bool memory_write(MemoryMap *map, hwaddr addr, const void *data, size_t length)
{
    const uint8_t *from = data;

    if (!range_is_ram(map, addr, length)) {
        return false;
    }
    while (length) {
        MemRegion *region = memory_find(map, addr);
        hwaddr offset = addr - region->base;
        size_t n = MIN(length, region->size - offset);

        memory_mark_written(map, region, addr, n);
        memcpy(region->host + offset, from, n);
        from += n;
        addr += n;
        length -= n;
    }
    return true;
}

/* ---- guest accesses ---- */

static void log_unassigned(const char *verb, hwaddr addr, unsigned size)
{
    log_mask(LOG_GUEST_ERROR, "memory: %s of %u bytes at unassigned address 0x%" PRIx64 "\n",
             verb, size, addr);
}

/* The region of an access that lies in it with all its bytes, or NULL. */
static MemRegion *find_access(MemoryMap *map, hwaddr addr, unsigned size)
{
    MemRegion *region = memory_find(map, addr);

    if (!region || region->size - (addr - region->base) < size) {
        return NULL;
    }
    return region;
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
        *out = mmio_read(region, addr - region->base, size);
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
        mmio_write(region, addr - region->base, value, size);
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
        MemRegion *region = memory_find(map, addr);
        hwaddr offset;
        size_t n;

        if (!region || (!region->host && !region->ops->peek)) {
            return false;
        }
        offset = addr - region->base;
        n = MIN(length, region->size - offset);
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
    for (unsigned i = 0; i < map->regions->len; i++) {
        MemRegion *region = g_ptr_array_index(map->regions, i);
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

    memory_clean(map, PAGE_DIRTY_CHECK, add_page, &d);
}

void memory_digest_all(MemoryMap *map, Digest *digest)
{
    for (unsigned i = 0; i < map->regions->len; i++) {
        const MemRegion *region = g_ptr_array_index(map->regions, i);
        hwaddr num_pages = ram_pages(region);

        for (hwaddr page = 0;
             (page = memory_next_flagged(region, page, PAGE_EVER)) < num_pages; page++) {
            if (!memory_page_is_zero(region->host + (page << PAGE_BITS))) {
                digest_page(region, page, digest);
            }
        }
    }
}
