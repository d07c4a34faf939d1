/*
 * NOR flash with the Intel command set (CFI primary vendor command set 0x0001).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_BLOCK_PFLASH_CFI01_H
#define HW_BLOCK_PFLASH_CFI01_H

#include "hw/core/machine.h"

typedef struct Pflash Pflash;

extern const DeviceType pflash_cfi01_type;

/*
 * A bank of two 16-bit chips on a 32-bit bus, `size` bytes in blocks of
 * PFLASH_BLOCK_SIZE, all zero at first. Fails when the host has not enough address space.
 */
#define PFLASH_BLOCK_SIZE 0x40000u

Pflash *pflash_cfi01_new(Machine *machine, const char *id, hwaddr base, hwaddr size,
                         Error **errp);

#endif
