/*
 * A flash chip's image: what a chip had when it was made, and where what it has goes to.
 *
 * The chip's memory is the truth: it is guest state, is in snapshots and digests, and nothing that
 * the image does reaches the guest. The image of a machine that is recorded, replayed or has snapshot=on does not
 * change; else a worker writes to it what the guest programmed, and what it does not do is told to the user alone.
 *
 * Machine thread only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_BLOCK_FLASH_IMAGE_H
#define HW_BLOCK_FLASH_IMAGE_H

#include "hw/core/device.h"

typedef struct FlashImage FlashImage;

/* The drive with this name, which has as many bytes as the chip. The device frees it. */
FlashImage *flash_image_new(Device *dev, const char *drive, uint64_t bytes, Error **errp);
/* Once: its content into the chip's memory. */
bool flash_image_load(FlashImage *image, MemRegion *region, Error **errp);
bool flash_image_is_readonly(const FlashImage *image);

/* The chip has changed there. */
void flash_image_written(FlashImage *image, uint64_t offset, uint64_t length);
/* From post_load: memory is about to be another one. The image follows with the next change, or at the end. */
void flash_image_stale(FlashImage *image);
/* When the chip's memory is still there. NULL is fine. */
void flash_image_free(FlashImage *image);

#endif
