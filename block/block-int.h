/*
 * The drivers, for their table.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_INT_H
#define BLOCK_INT_H

#include "block/block.h"

extern const BlockDriver block_file, block_host_device, block_null, block_qcow2, block_raw;
extern const BlockDriver block_blkdebug, block_copy_on_read, block_throttle;

#endif
