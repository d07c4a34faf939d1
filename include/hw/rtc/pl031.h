/*
 * PrimeCell real-time clock, PL031 (DDI 0224).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_RTC_PL031_H
#define HW_RTC_PL031_H

#include "hw/core/machine.h"

#define PL031_SIZE 0x1000

/* The device's id ("rtc") also names the source of the host's wall-clock time. */
extern const DeviceType pl031_type;

#endif
