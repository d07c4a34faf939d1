/*
 * pvpanic: a register by which a guest tells that it has crashed (docs/specs/pvpanic of QEMU).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_PVPANIC_H
#define HW_MISC_PVPANIC_H

#include "hw/core/device.h"

/* What a guest tells, and what a read says that it may tell. */
enum {
    PVPANIC_PANICKED = 1 << 0,      /* it has crashed */
    PVPANIC_CRASHLOADED = 1 << 1,   /* it has crashed, and takes care of that itself (kdump) */
    PVPANIC_SHUTDOWN = 1 << 2,      /* it shuts down, and asks for that to be done */
    PVPANIC_EVENTS = PVPANIC_PANICKED | PVPANIC_CRASHLOADED | PVPANIC_SHUTDOWN,
};

extern const DeviceType pvpanic_mmio_type;

#endif
