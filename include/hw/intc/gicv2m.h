/*
 * GICv2m frame (Arm Server Base System Architecture, DEN 0029, appendix E): messages for a GICv2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_INTC_GICV2M_H
#define HW_INTC_GICV2M_H

#include "hw/core/device.h"

#define GICV2M_SIZE 0x1000
/* Where in the frame messages go; the data is the interrupt's id. */
#define GICV2M_DOORBELL 0x40

/* SPIs have the ids 32 to 1019. */
#define GICV2M_FIRST_SPI 32
#define GICV2M_MAX_SPI 988

/*
 * A device's outputs go to the inputs of the interrupt controller for its ids, base-spi and up.
 * The guest has to make them edge-triggered.
 */
extern const DeviceType gicv2m_type;

#endif
