/*
 * PrimeCell UART, PL011 r1p1 (DDI 0183).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CHAR_PL011_H
#define HW_CHAR_PL011_H

#include "chardev/char-port.h"
#include "hw/core/machine.h"

#define PL011_SIZE 0x1000

/*
 * Its interrupt is the combined one. The device's id ("uart0") also names its character port,
 * which becomes the machine's next serial port (machine->serial).
 */
extern const DeviceType pl011_type;

#endif
