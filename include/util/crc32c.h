/*
 * CRC32C (Castagnoli polynomial 0x1EDC6F41, reflected, as in iSCSI), which
 * guards every header and frame of recordings and snapshot files.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_CRC32C_H
#define UTIL_CRC32C_H

#include "util/osdep.h"

/* crc is 0 for the first piece, the previous result for the next. */
uint32_t crc32c(uint32_t crc, const void *data, size_t length);

#endif
