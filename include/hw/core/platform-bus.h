/*
 * The platform bus: where -device puts devices that have registers at an address and an interrupt
 * line, and need no other bus. A board has a window of its memory map and some inputs of its
 * interrupt controller for it; the n-th device gets the n-th slot of the window and the n-th input.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_PLATFORM_BUS_H
#define HW_CORE_PLATFORM_BUS_H

#include "hw/core/bus.h"

/* What DeviceType.bus names. Such a type has a window, and one interrupt at most. */
#define PLATFORM_BUS "platform-bus"
#define PLATFORM_BUS_ROOM 64
/* Slots are as large as the largest pages of guests, so that each device can be mapped alone. */
#define PLATFORM_BUS_SLOT 0x10000

/* Its outputs, as many as it has room for, go to consecutive inputs. */
extern const DeviceType platform_bus_type;

/* The bus that the device makes. */
const Bus *platform_bus(const Device *dev);

#endif
