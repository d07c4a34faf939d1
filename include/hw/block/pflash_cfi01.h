/*
 * NOR flash with the Intel command set (CFI primary vendor command set 0x0001).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_BLOCK_PFLASH_CFI01_H
#define HW_BLOCK_PFLASH_CFI01_H

#include "hw/core/device.h"

/*
 * A bank of two 16-bit chips on a 32-bit bus, num-blocks blocks, all zero at first.
 */
extern const DeviceType pflash_cfi01_type;

#define PFLASH_BLOCK_SIZE 262144

#endif
