/*
 * PrimeCell real-time clock, PL031 (DDI 0224).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_RTC_PL031_H
#define HW_RTC_PL031_H

#include "hw/core/irq.h"
#include "hw/core/machine.h"

typedef struct Pl031 Pl031;

#define PL031_SIZE 0x1000

/* id ("rtc") also names the source of the host's wall-clock time. */
Pl031 *pl031_new(Machine *machine, const char *id, hwaddr base, IrqLine irq);

#endif
