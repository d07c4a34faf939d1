/*
 * The loader, -device loader: what a user puts into memory and into a CPU's PC at each reset.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_LOADER_H
#define HW_ARM_LOADER_H

#include "hw/core/machine.h"

extern const DeviceType loader_type;

#endif
