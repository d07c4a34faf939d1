/*
 * A dump in the compressed format of kdump, version 6 (makedumpfile's IMPLEMENTATION document; crash
 * and libkdumpfile read it). Blocks of one page:
 *
 *     header | sub-header and notes | bitmap of memory | bitmap of what is here | descriptors | pages
 *
 * A descriptor for each page says where it is, how long, and whether it is compressed. All pages of
 * zeros are one in the file, and the two bitmaps are the same, as no page is left out.
 *
 * Flattened, the file is a header and then records {offset, length, data} in any order, big-endian, from
 * which `makedumpfile -R` makes the file above. So descriptors, which are known after the pages, can
 * follow them in a pipe.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <zlib.h>
#include "monitor/dump.h"
#include "util/host-clock.h"

#define HEADER_VERSION 6
#define COMPRESSED_ZLIB 1u
#define FLAT_HEADER 4096
#define UTS_LENGTH 65
/* So many descriptors are kept before they are written. */
#define BATCH 4096

typedef struct KdumpHeader {
    char signature[8];
    int32_t version;
    char sysname[UTS_LENGTH], nodename[UTS_LENGTH], release[UTS_LENGTH], version_text[UTS_LENGTH],
         machine[UTS_LENGTH], domain[UTS_LENGTH];
    uint8_t pad[6];
    int64_t seconds, microseconds;
    uint32_t status;
    int32_t block_size, sub_header_blocks;
    uint32_t bitmap_blocks, max_mapnr, total_ram_blocks, device_blocks, written_blocks, current_cpu;
    int32_t nr_cpus;
} KdumpHeader;
static_assert(offsetof(KdumpHeader, seconds) == 408 && sizeof(KdumpHeader) == 464,
              "struct disk_dump_header of 64-bit hosts");

typedef struct KdumpSubHeader {
    uint64_t phys_base;
    int32_t dump_level, split;
    uint64_t start_pfn, end_pfn;               /* of files that are split */
    uint64_t offset_vmcoreinfo, size_vmcoreinfo;
    uint64_t offset_note, size_note;
    uint64_t offset_eraseinfo, size_eraseinfo;
    uint64_t start_pfn_64, end_pfn_64, max_mapnr_64;
} KdumpSubHeader;
static_assert(sizeof(KdumpSubHeader) == 104, "struct kdump_sub_header of 64-bit hosts");

typedef struct PageDescriptor {
    uint64_t offset;
    uint32_t size, flags;
    uint64_t page_flags;
} PageDescriptor;
static_assert(sizeof(PageDescriptor) == 24, "struct page_desc of 64-bit hosts");

typedef struct Writer {
    Dump *d;
    FILE *file;
    GArray *pieces;                /* DumpPiece */
    GByteArray *notes;
    uint64_t num_pages, max_mapnr;
    uint64_t sub_header_blocks, bitmap_blocks;
    uint64_t descriptors_at;       /* where the next ones go */
    uint64_t data_at;              /* where the next page's bytes go */
    uint64_t place;                /* not flat: where the file is */
    GArray *descriptors;           /* PageDescriptor, not written yet */
    PageDescriptor zeros;          /* of all pages of zeros; size 0: there was none */
} Writer;

/* ---- the file, flat or not ---- */

static bool put_at(Writer *w, uint64_t offset, const void *data, size_t length)
{
    const uint64_t record[2] = { GUINT64_TO_BE(offset), GUINT64_TO_BE((uint64_t)length) };

    if (length == 0) {
        return true;               /* flattened, such a record would be the end */
    }
    if (w->d->flat) {
        return dump_put(w->file, record, sizeof(record)) && dump_put(w->file, data, length);
    }
    if (offset != w->place && fseeko(w->file, (off_t)offset, SEEK_SET) != 0) {
        return false;
    }
    w->place = offset + length;
    return dump_put(w->file, data, length);
}

static bool put_flat_header(Writer *w)
{
    const uint64_t one = GUINT64_TO_BE(1);     /* type, and version */
    uint8_t header[FLAT_HEADER] = "makedumpfile";

    memcpy(header + 16, &one, sizeof(one));
    memcpy(header + 24, &one, sizeof(one));
    return dump_put(w->file, header, sizeof(header));
}

static bool put_flat_end(Writer *w)
{
    const uint64_t end[2] = { UINT64_MAX, UINT64_MAX };

    return dump_put(w->file, end, sizeof(end));
}

/* ---- what stands in front of the pages ---- */

static uint64_t blocks(uint64_t bytes)
{
    return (bytes + PAGE_SIZE - 1) / PAGE_SIZE;
}

/* Registers may cover a part of a page: such a one is left out. */
static uint64_t first_page(const DumpPiece *p)
{
    return blocks(p->addr);
}

static uint64_t end_page(const DumpPiece *p)
{
    return MAX((p->addr + p->length) / PAGE_SIZE, first_page(p));
}

static void plan(Writer *w)
{
    for (guint n = 0; n < w->pieces->len; n++) {
        const DumpPiece *p = &g_array_index(w->pieces, DumpPiece, n);

        w->num_pages += end_page(p) - first_page(p);
        w->max_mapnr = end_page(p);
    }
    w->d->total = w->num_pages * PAGE_SIZE;
    w->sub_header_blocks = blocks(sizeof(KdumpSubHeader) + w->notes->len);
    w->bitmap_blocks = 2 * blocks((w->max_mapnr + 7) / 8);
    w->descriptors_at = (1 + w->sub_header_blocks + w->bitmap_blocks) * PAGE_SIZE;
    w->data_at = w->descriptors_at + w->num_pages * sizeof(PageDescriptor);
}

static bool put_headers(Writer *w)
{
    int64_t us = host_realtime_ns() / 1000;
    KdumpHeader head = {
        .version = HEADER_VERSION, .machine = "aarch64",
        .seconds = us / 1000000, .microseconds = us % 1000000, .status = COMPRESSED_ZLIB,
        .block_size = PAGE_SIZE, .sub_header_blocks = (int32_t)w->sub_header_blocks,
        .bitmap_blocks = (uint32_t)w->bitmap_blocks,
        .max_mapnr = (uint32_t)MIN(w->max_mapnr, UINT32_MAX),
        .total_ram_blocks = (uint32_t)w->num_pages, .nr_cpus = (int32_t)w->d->machine->num_cpus,
    };
    const KdumpSubHeader sub = {
        .phys_base = w->pieces->len ? g_array_index(w->pieces, DumpPiece, 0).addr : 0,
        .offset_note = PAGE_SIZE + sizeof(sub), .size_note = w->notes->len,
        .max_mapnr_64 = w->max_mapnr,
    };
    uint8_t block[PAGE_SIZE] = { 0 };

    memcpy(head.signature, "KDUMP   ", sizeof(head.signature));
    memcpy(block, &head, sizeof(head));
    return put_at(w, 0, block, sizeof(block)) && put_at(w, PAGE_SIZE, &sub, sizeof(sub)) &&
           put_at(w, sub.offset_note, w->notes->data, w->notes->len);
}

static bool put_bitmaps(Writer *w)
{
    size_t half = w->bitmap_blocks / 2 * PAGE_SIZE;
    uint64_t at = (1 + w->sub_header_blocks) * PAGE_SIZE;
    g_autofree uint8_t *bits = g_malloc0(half);

    for (guint n = 0; n < w->pieces->len; n++) {
        const DumpPiece *p = &g_array_index(w->pieces, DumpPiece, n);

        for (uint64_t pfn = first_page(p); pfn < end_page(p); pfn++) {
            bits[pfn / 8] |= (uint8_t)(1u << pfn % 8);
        }
    }
    return put_at(w, at, bits, half) && put_at(w, at + half, bits, half);
}

/* ---- pages ---- */

static bool flush_descriptors(Writer *w)
{
    size_t length = w->descriptors->len * sizeof(PageDescriptor);
    bool ok = put_at(w, w->descriptors_at, w->descriptors->data, length);

    w->descriptors_at += length;
    g_array_set_size(w->descriptors, 0);
    return ok;
}

static bool is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, PAGE_SIZE - 1) == 0;
}

/* Write the page's bytes; *out says where they are. */
static bool put_data(Writer *w, const uint8_t *page, PageDescriptor *out)
{
    uint8_t small[PAGE_SIZE];
    uLongf length = sizeof(small);
    /* What does not fit into a page is left as it is. */
    bool packed = compress2(small, &length, page, PAGE_SIZE, Z_BEST_SPEED) == Z_OK &&
                  length < PAGE_SIZE;

    *out = (PageDescriptor){ .offset = w->data_at, .size = packed ? (uint32_t)length : PAGE_SIZE,
                             .flags = packed ? COMPRESSED_ZLIB : 0 };
    w->data_at += out->size;
    return put_at(w, out->offset, packed ? small : page, out->size);
}

static bool put_page(Writer *w, const uint8_t *page)
{
    bool zero = is_zero(page);
    PageDescriptor descriptor = w->zeros;

    if (!zero || !w->zeros.size) {
        if (!put_data(w, page, &descriptor)) {
            return false;
        }
        if (zero) {
            w->zeros = descriptor;
        }
    }
    g_array_append_val(w->descriptors, descriptor);
    w->d->written += PAGE_SIZE;
    return w->descriptors->len < BATCH || flush_descriptors(w);
}

static bool put_pages(Writer *w)
{
    for (guint n = 0; n < w->pieces->len; n++) {
        const DumpPiece *p = &g_array_index(w->pieces, DumpPiece, n);

        for (uint64_t pfn = first_page(p); pfn < end_page(p); pfn++) {
            if (!put_page(w, dump_piece_data(p) + (pfn * PAGE_SIZE - p->addr))) {
                return false;
            }
        }
    }
    return flush_descriptors(w);
}

bool dump_kdump_write(Dump *d, FILE *file, Error **errp)
{
    Writer w = {
        .d = d, .file = file, .pieces = dump_pieces(d), .notes = dump_notes(d->machine),
        .descriptors = g_array_new(false, false, sizeof(PageDescriptor)),
    };
    bool ok;

    plan(&w);
    ok = (!d->flat || put_flat_header(&w)) && put_headers(&w) && put_bitmaps(&w) && put_pages(&w) &&
         (!d->flat || put_flat_end(&w)) && fflush(file) == 0;
    if (!ok && errno == ESPIPE) {
        error_setg(errp, "dump: format kdump-raw-zlib needs a file in which one can seek; kdump-zlib "
                   "can go through a pipe");
    } else if (!ok) {
        error_setg_errno(errp, errno, "dump: failed to save memory");
    }
    g_array_unref(w.pieces);
    g_byte_array_unref(w.notes);
    g_array_unref(w.descriptors);
    return ok;
}
