/*
 * How much memory the host has.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_HOST_MEMORY_H
#define UTIL_HOST_MEMORY_H

#include "util/osdep.h"

/* Bytes of physical memory. For caches and their like: nothing that a guest can see depends on it. */
uint64_t host_memory_bytes(void);

#endif
