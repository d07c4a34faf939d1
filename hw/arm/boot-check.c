/*
 * Are the files that a guest is started with complete? PE: Microsoft PE/COFF
 * specification, chapters 3 and 4. cpio: the kernel's Documentation/driver-api/early-userspace/
 * buffer-format.rst. Both files are untrusted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib.h>
#include <zstd.h>
#include "boot-check.h"
#include "util/bytes.h"

#define DOS_PE_OFFSET 0x3c
#define COFF_NUM_SECTIONS 6
#define COFF_OPTIONAL_SIZE 20
#define COFF_HEADER_SIZE 24
#define SECTION_SIZE 40
#define SECTION_RAW_SIZE 16
#define SECTION_RAW_OFFSET 20

#define CPIO_HEADER 110
#define CPIO_FILE_SIZE 54
#define CPIO_NAME_SIZE 94
#define CPIO_TRAILER "TRAILER!!!"

static bool has(size_t length, uint64_t offset, uint64_t size)
{
    return offset <= length && size <= length - offset;
}

uint64_t boot_image_file_size(const uint8_t *data, size_t length)
{
    uint64_t pe, sections, end = 0;
    unsigned num;

    if (!has(length, 0, DOS_PE_OFFSET + 4) || memcmp(data, "MZ", 2) != 0) {
        return 0;
    }
    pe = load_le(data + DOS_PE_OFFSET, 4);
    if (!has(length, pe, COFF_HEADER_SIZE) || memcmp(data + pe, "PE\0", 4) != 0) {
        return 0;
    }
    num = (unsigned)load_le(data + pe + COFF_NUM_SECTIONS, 2);
    sections = pe + COFF_HEADER_SIZE + load_le(data + pe + COFF_OPTIONAL_SIZE, 2);
    for (unsigned i = 0; i < num; i++) {
        uint64_t at = sections + (uint64_t)i * SECTION_SIZE;

        end = MAX(end, at + SECTION_SIZE);
        if (has(length, at, SECTION_SIZE)) {
            end = MAX(end, load_le(data + at + SECTION_RAW_SIZE, 4) +
                           load_le(data + at + SECTION_RAW_OFFSET, 4));
        }
    }
    return end;
}

/* Eight hexadecimal digits; UINT64_MAX when they are none. */
static uint64_t cpio_number(const uint8_t *p)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 8; i++) {
        int digit = g_ascii_xdigit_value((char)p[i]);

        if (digit < 0) {
            return UINT64_MAX;
        }
        value = value << 4 | (unsigned)digit;
    }
    return value;
}

static uint64_t align4(uint64_t value)
{
    return (value + 3) & ~3ull;
}

static bool is_cpio(const uint8_t *data, size_t length, uint64_t offset)
{
    return has(length, offset, 6) && (memcmp(data + offset, "070701", 6) == 0 ||
                                      memcmp(data + offset, "070702", 6) == 0);
}

/* What the kernel will make of a malformed header is not ours to say: no. */
static bool cpio_is_cut(const uint8_t *data, size_t length)
{
    uint64_t offset = 0;

    while (has(length, offset, CPIO_HEADER) && is_cpio(data, length, offset)) {
        uint64_t name_size = cpio_number(data + offset + CPIO_NAME_SIZE);
        uint64_t file_size = cpio_number(data + offset + CPIO_FILE_SIZE);

        if (name_size == UINT64_MAX || file_size == UINT64_MAX) {
            return false;
        }
        if (!has(length, offset + CPIO_HEADER, name_size)) {
            return true;
        }
        if (name_size == sizeof(CPIO_TRAILER) &&
            memcmp(data + offset + CPIO_HEADER, CPIO_TRAILER, name_size) == 0) {
            return false;
        }
        offset = align4(align4(offset + CPIO_HEADER + name_size) + file_size);
    }
    return !has(length, offset, CPIO_HEADER);
}

static bool is_zstd(const uint8_t *data, size_t length)
{
    return length >= 4 && load_le(data, 4) == ZSTD_MAGICNUMBER;
}

bool boot_initrd_is_cut(const uint8_t *data, size_t length)
{
    if (is_cpio(data, length, 0)) {
        return cpio_is_cut(data, length);
    }
    return is_zstd(data, length) && ZSTD_isError(ZSTD_findFrameCompressedSize(data, length));
}
