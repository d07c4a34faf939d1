/*
 * Memory of the host: how much there is, and getting it at little cost.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_HOST_MEMORY_H
#define UTIL_HOST_MEMORY_H

#include "util/osdep.h"

/* Bytes of physical memory. For caches and their like: nothing that a guest can see depends on it. */
uint64_t host_memory_bytes(void);

/*
 * `size` bytes of zeros that nobody pays for before they are touched; NULL (and errno): there is no
 * room. host_memory_unmap() gives them back.
 */
void *host_memory_map(size_t size);
void host_memory_unmap(void *start, size_t size);
/*
 * Nearly all of this is about to be written, and mapped page by page it would cost more than the
 * writing: the host may use huge pages. Nothing but the time that it takes changes.
 */
void host_memory_will_fill(void *start, size_t size);

#endif
