/*
 * Between the files of the memory map.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_MEMORY_INTERNAL_H
#define HW_CORE_MEMORY_INTERNAL_H

#include "hw/core/memory.h"

bool memory_page_is_zero(const uint8_t *page);
/*
 * The number of the next page of the region, which has host memory, at or behind `page` with one
 * of `flags`; the number of all pages when there is none.
 */
hwaddr memory_next_flagged(const MemRegion *region, hwaddr page, uint8_t flags);

#endif
