/*
 * Whether the files that a guest is started with are all there. Nobody else tells of a
 * download that broke off: a kernel that lacks its end fails without a word.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_BOOT_CHECK_H
#define HW_ARM_BOOT_CHECK_H

#include "util/osdep.h"

/*
 * The number of bytes that an arm64 Image's file must have, by its PE header (Images that
 * EFI can start have one). 0: there is none.
 */
uint64_t boot_image_file_size(const uint8_t *data, size_t length);

/*
 * An initrd that ends in the middle of a plain cpio archive or of a zstd frame. False for
 * formats that tell only when they are unpacked.
 */
bool boot_initrd_is_cut(const uint8_t *data, size_t length);

#endif
