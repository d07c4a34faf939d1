/*
 * The physical memory map: regions, which may overlap, and a flat view of what is where. Machine
 * thread only once the machine runs.
 *
 * The map may change at any time, also in the middle of an access that a device answers by moving
 * its own region: the next access goes by the new map. At an address the region with the
 * highest priority answers; among equal ones that which was made first. What is covered
 * by another region, or disabled, keeps its content and its dirty flags. Places, priorities and
 * what is enabled are guest state of the map (digests, memory_save()), so a device does not
 * restore them.
 *
 * RAM keeps one flag byte a 4 KiB page (PageFlags). Every writer goes through
 * memory_write() or, in the soft MMU, through an equivalent path that sets
 * them; so digests, snapshots and the translation cache see every change.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_MEMORY_H
#define HW_CORE_MEMORY_H

#include <glib.h>
#include "util/bytes.h"
#include "util/digest.h"
#include "util/error.h"

typedef uint64_t hwaddr;

#define PAGE_BITS 12
#define PAGE_SIZE (1u << PAGE_BITS)

typedef struct MemoryMap MemoryMap;
typedef struct MemRegion MemRegion;

typedef struct MmioOps {
    /* offset is relative to the region; size is 1, 2, 4 or 8 bytes. */
    uint64_t (*read)(void *opaque, hwaddr offset, unsigned size);
    void (*write)(void *opaque, hwaddr offset, uint64_t value, unsigned size);
    /* As read, without side effects, for gdb and monitors; may be NULL. */
    uint64_t (*peek)(void *opaque, hwaddr offset, unsigned size);
    /*
     * Sizes the device takes. Others read as zero and are logged as guest
     * errors, except that an 8-byte access to a 4-byte device is split.
     */
    uint8_t min_size, max_size;
} MmioOps;

/*
 * A write sets all dirty flags; each consumer clears its own by memory_clean(), and the page
 * is watched again until the next write.
 */
enum PageFlags {
    PAGE_DIRTY_CHECK = 1 << 0,      /* written since the last memory_digest_dirty */
    PAGE_DIRTY_SNAPSHOT = 1 << 1,   /* since the last snapshot */
    PAGE_DIRTY_DISPLAY = 1 << 2,    /* since the display was last drawn */
    PAGE_DIRTY_MIGRATION = 1 << 3,  /* since it was last sent */
    PAGE_EVER = 1 << 4,             /* ever written */
    PAGE_CODE = 1 << 5,             /* translated units stand on it */
    PAGE_TABLE = 1 << 6,            /* walks read descriptors from it; page_link: its record */
    PAGE_WRITE_CACHED = 1 << 7,     /* stores may go direct; page_link: the TLB entry */

    PAGE_WRITTEN = PAGE_DIRTY_CHECK | PAGE_DIRTY_SNAPSHOT | PAGE_DIRTY_DISPLAY |
                   PAGE_DIRTY_MIGRATION | PAGE_EVER,
    PAGE_HOOKED = PAGE_CODE | PAGE_TABLE,
};

/* Where a region is. */
typedef struct MemPlace {
    hwaddr base;
    int32_t priority;
    bool enabled;
} MemPlace;

struct MemRegion {
    const char *name;
    hwaddr base;
    hwaddr size;
    int32_t priority;
    bool enabled;
    const MmioOps *ops;     /* NULL: RAM or ROM */
    void *opaque;
    uint8_t *host;          /* RAM, ROM and ROM devices */
    uint8_t *page_flags;    /* with host */
    uint32_t *page_link;    /* with host: the engine's, see PageFlags */
    bool readonly;          /* guest writes are dropped, or go to ops */
    bool io_reads;          /* ROM device: the guest's reads go to ops, too */
    bool owns_host;
    struct PageTree *base_pages;   /* of the last snapshot taken or restored, or NULL */
    uint64_t serial;        /* counts regions in the order in which they were made */
    MemPlace next;          /* the place that the map is about to give it */
};

/* A part of the flat view: addresses first..last are a region's, from offset. */
typedef struct MemRange {
    hwaddr first, last;
    hwaddr offset;
    MemRegion *region;
} MemRange;

/* An empty map; a machine makes its own. */
MemoryMap *memory_map_new(void);
/* With its regions and the RAM behind them. */
void memory_map_free(MemoryMap *map);

/*
 * Make a region and put it at base for good, with priority 0: what a board does. `name` must
 * outlive the map. RAM is anonymous zero memory, in whole pages. Two such regions that overlap are
 * our bug (assert). memory_add_ram fails when the host has not enough address space.
 */
MemRegion *memory_add_ram(MemoryMap *map, const char *name, hwaddr base,
                          hwaddr size, bool readonly, Error **errp);
/*
 * RAM of memory that the caller has mapped, size bytes from host on, which becomes the map's. Pages
 * that are not zero have to be told of by memory_mark_written().
 */
MemRegion *memory_add_mapped_ram(MemoryMap *map, const char *name, hwaddr base, hwaddr size,
                                 void *host);
MemRegion *memory_add_mmio(MemoryMap *map, const char *name, hwaddr base,
                           hwaddr size, const MmioOps *ops, void *opaque);

/*
 * The same for a region that the guest places: it is at address 0, with priority 0, and not
 * enabled. Priorities below 0 are for those that must not cover what the board has added.
 */
MemRegion *memory_new_ram(MemoryMap *map, const char *name, hwaddr size, bool readonly,
                          Error **errp);
MemRegion *memory_new_mmio(MemoryMap *map, const char *name, hwaddr size, const MmioOps *ops,
                           void *opaque);
/* RAM stands on page boundaries; no region goes beyond the last address (assert). */
void memory_move(MemoryMap *map, MemRegion *region, hwaddr base);
void memory_set_priority(MemoryMap *map, MemRegion *region, int32_t priority);
void memory_set_enabled(MemoryMap *map, MemRegion *region, bool enabled);
/* Take the region away and free it, with its content; at the latest when the access that led here
 * is done. */
void memory_remove(MemoryMap *map, MemRegion *region);

/*
 * Memory with a device behind it, such as flash: code runs from it and loads are direct,
 * but guest stores go to ops, and loads too while the device wants so. Observers and
 * loaders see the memory. The device writes to host itself, behind memory_mark_written().
 */
MemRegion *memory_add_rom_device(MemoryMap *map, const char *name, hwaddr base, hwaddr size,
                                 const MmioOps *ops, void *opaque, Error **errp);
void memory_set_io_reads(MemoryMap *map, MemRegion *region, bool io_reads);

/*
 * The region that answers at addr, or NULL. It need not answer in all of base .. base + size:
 * others may cover it.
 */
MemRegion *memory_find(MemoryMap *map, hwaddr addr);
/* The part of the flat view that holds addr, until the map changes; or NULL. */
const MemRange *memory_find_range(MemoryMap *map, hwaddr addr);
/*
 * The region with host memory that is seen in the page of addr, or NULL; *whole: in all of it. Host
 * memory comes in whole pages, so there is only one; devices may cover parts of it.
 */
MemRegion *memory_find_page(MemoryMap *map, hwaddr addr, bool *whole);

/*
 * Device and loader access (DMA). Returns false when a byte of the range is
 * not RAM/ROM; nothing is transferred then. memory_write to ROM is allowed
 * (loaders). Writes set the page flags and call the code hook.
 */
bool memory_read(MemoryMap *map, hwaddr addr, void *out, size_t length);
bool memory_write(MemoryMap *map, hwaddr addr, const void *data, size_t length);
/*
 * The same for an image that is loaded. The data stays where and as it is as long as there are
 * snapshots: they refer to it, as far as the guest has not changed it.
 */
bool memory_write_image(MemoryMap *map, hwaddr addr, const void *data, size_t length);
/*
 * Make the page of addr zero, as a write does. False when it is not RAM that a device can write to, all
 * of it, and nothing is done.
 */
bool memory_clear_page(MemoryMap *map, hwaddr addr);
/* Whether a device can write all of it: ROM and MMIO are not for DMA. */
bool memory_is_writable_ram(MemoryMap *map, hwaddr addr, size_t length);

/*
 * One access to MMIO or RAM, of a CPU or of a device that sends a message; unassigned addresses
 * return false.
 */
bool memory_io_read(MemoryMap *map, hwaddr addr, unsigned size, uint64_t *out);
bool memory_io_write(MemoryMap *map, hwaddr addr, unsigned size, uint64_t value);
/* Observer read of any region without side effects. */
bool memory_peek(MemoryMap *map, hwaddr addr, void *out, size_t length);

/*
 * What the execution engine derives from pages and their places. written: before a write to a page
 * with PAGE_CODE or PAGE_TABLE, for the part that lies in it. protect: a page with
 * PAGE_WRITE_CACHED must not be written without memory_mark_written() any more; clears the flag.
 * unmapped: the page at addr, which has PAGE_CODE, PAGE_TABLE or PAGE_WRITE_CACHED, is about to be
 * moved, covered (in part, maybe) or taken away; clears the flags. remapped: the flat view has
 * changed, or what loads from a ROM device see, so everything that was derived from an address is
 * wrong.
 */
typedef struct MemoryHooks {
    void (*written)(void *opaque, MemRegion *region, hwaddr addr, size_t length);
    void (*protect)(void *opaque, MemRegion *region, hwaddr addr);
    void (*unmapped)(void *opaque, MemRegion *region, hwaddr addr);
    void (*remapped)(void *opaque);
} MemoryHooks;
/* hooks must outlive the map or a later call; NULL: none. */
void memory_set_hooks(MemoryMap *map, const MemoryHooks *hooks, void *opaque);

/* Memory of which every write is told, by whomever: a part of a region with host memory. */
typedef struct MemWatchPart {
    MemRegion *region;
    hwaddr offset, length;
} MemWatchPart;

#define MEM_WATCH_PARTS 2

typedef struct MemWatch {
    MemWatchPart part[MEM_WATCH_PARTS];
    unsigned num_parts;
    /* Before [offset, offset + length) of the region is written, some of which is watched. */
    void (*written)(void *opaque, const MemRegion *region, hwaddr offset, size_t length);
    void *opaque;
} MemWatch;

/* Watch this, which must outlive it, instead of what was watched before; NULL: nothing. */
void memory_watch(MemoryMap *map, const MemWatch *watch);
/* Whether it has bytes of [addr, addr + length) of the region: stores there do not go direct. */
bool memory_is_watched(const MemoryMap *map, const MemRegion *region, hwaddr addr, size_t length);
/* The region whose device is being accessed, and may write to memory for that; NULL: none. */
const char *memory_accessed_device(const MemoryMap *map);

/* Mark [addr, addr+length) as written, running the hook if needed. */
void memory_mark_written(MemoryMap *map, MemRegion *region, hwaddr addr,
                         size_t length);

/*
 * For each page with the dirty flag, region by region: clear the flag and call fn (NULL: only
 * clear). The next write to the page sets it again.
 */
typedef void MemoryPageFn(void *opaque, const MemRegion *region, hwaddr page);
void memory_clean(MemoryMap *map, uint8_t dirty_flag, MemoryPageFn *fn, void *opaque);

/*
 * Adds the places of all regions, and each page with PAGE_DIRTY_CHECK (address and digest of the
 * content), region by region in address order, and clears the flag. For each, pages gets the
 * distance of its number (address / PAGE_SIZE) to the one before as a varint, and a byte of its
 * digest; NULL: not wanted.
 */
void memory_digest_dirty(MemoryMap *map, Digest *digest, GByteArray *pages);
/* Adds the places, and each page with PAGE_EVER that is not all zero; changes nothing. */
void memory_digest_all(MemoryMap *map, Digest *digest);

/*
 * The places of all regions, the content of those with host memory, and which pages
 * PAGE_DIRTY_CHECK marks. Saving fails when it is more than one buffer holds. Loading fails, saying
 * why, for the memory of another machine or damaged data; the map's content is then undefined.
 * Writes run the hooks.
 */
bool memory_save(MemoryMap *map, GByteArray *out, Error **errp);
bool memory_load(MemoryMap *map, ByteReader *in, Error **errp);
/* The places alone. */
void memory_save_places(MemoryMap *map, GByteArray *out);
bool memory_load_places(MemoryMap *map, ByteReader *in, Error **errp);

/* For tests: overwrite every page that was ever written, and take all regions away. */
void memory_scramble(MemoryMap *map);

/* In address order: all regions, and the flat view. */
void memory_foreach(MemoryMap *map, void (*fn)(MemRegion *, void *), void *opaque);
void memory_foreach_range(MemoryMap *map, void (*fn)(const MemRange *, void *), void *opaque);

#endif
