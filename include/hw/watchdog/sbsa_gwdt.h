/*
 * The generic watchdog of Arm's Base System Architecture.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_WATCHDOG_SBSA_GWDT_H
#define HW_WATCHDOG_SBSA_GWDT_H

#include "hw/core/device.h"

#define GWDT_FRAME 0x1000      /* bytes of each frame: control, then refresh */

extern const DeviceType sbsa_gwdt_type;

#endif
