/*
 * Kernel images as files: reading, unpacking and checking them. Nothing here
 * knows a machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_BOOT_IMAGE_H
#define HW_ARM_BOOT_IMAGE_H

#include <glib.h>
#include "util/error.h"

/*
 * The content of a file of 1 to max bytes. `what` ("kernel") and the path are in every
 * message; limit_name says what max is ("RAM").
 */
GBytes *boot_read_file(const char *what, const char *path, uint64_t max,
                       const char *limit_name, Error **errp);

/* "123456 bytes, xxh3:0123456789abcdef": identifies content in a recording. */
char *boot_describe_bytes(const void *data, size_t length);

/* Exact, in the largest fitting unit ("64 MiB", "5000 bytes"), for messages. */
char *boot_format_size(uint64_t bytes);

typedef enum BootImageKind { BOOT_IMAGE_LINUX, BOOT_IMAGE_ELF } BootImageKind;

typedef struct BootSegment {
    uint64_t address;       /* ELF: physical; Linux: offset from a 2 MiB boundary */
    uint64_t size;          /* in memory; what data does not fill is zero */
    GBytes *data;
} BootSegment;

typedef struct BootImage {
    BootImageKind kind;
    uint64_t entry;         /* as address */
    GArray *segments;       /* BootSegment, at least one */
} BootImage;

/*
 * What is inside a kernel file that is compressed with gzip or an EFI zboot image,
 * or the file itself. max (RAM) bounds what unpacking may produce.
 */
GBytes *boot_image_unpack(const char *path, GBytes *file, uint64_t max, Error **errp);

/*
 * Recognise an unpacked file as a Linux arm64 Image or an AArch64 ELF executable. Anything else
 * is a raw binary, placed as an old Image would be, but for files that are surely none.
 */
bool boot_image_parse(BootImage *image, const char *path, GBytes *plain, Error **errp);
void boot_image_clear(BootImage *image);

#endif
