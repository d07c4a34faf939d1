/*
 * GICv2m frame (Arm Server Base System Architecture, DEN 0029, appendix E): messages for a GICv2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_INTC_GICV2M_H
#define HW_INTC_GICV2M_H

#include "hw/core/irq.h"
#include "hw/core/machine.h"

typedef struct GicV2m GicV2m;

extern const DeviceType gicv2m_type;

#define GICV2M_SIZE 0x1000
/* Where in the frame messages go; the data is the interrupt's id. */
#define GICV2M_DOORBELL 0x40

/*
 * spi[0 .. num - 1] are the inputs of the interrupt controller for ids first_id and up: they are
 * copied. The guest has to make them edge-triggered.
 */
GicV2m *gicv2m_new(Machine *machine, const char *id, hwaddr base, unsigned first_id,
                   const IrqLine *spi, unsigned num);

#endif
