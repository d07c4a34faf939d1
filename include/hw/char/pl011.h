/*
 * PrimeCell UART, PL011 r1p1 (DDI 0183).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CHAR_PL011_H
#define HW_CHAR_PL011_H

#include "chardev/char-port.h"
#include "hw/core/irq.h"
#include "hw/core/machine.h"

typedef struct Pl011 Pl011;

#define PL011_SIZE 0x1000

/*
 * A UART at base with its combined interrupt on irq. id ("uart0") also names its
 * character port, which is handed out in *port (owned by the device).
 */
Pl011 *pl011_new(Machine *machine, const char *id, hwaddr base, IrqLine irq,
                 CharPort **port);

#endif
