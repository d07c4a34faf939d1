/*
 * Arm Generic Interrupt Controller v2 (IHI 0048B), as a GIC-400 without
 * security and virtualisation extensions: distributor and CPU interfaces.
 *
 * Interrupt ids: 0-15 SGI, 16-31 PPI (each CPU has its own), 32 and up SPI.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_INTC_GICV2_H
#define HW_INTC_GICV2_H

#include "hw/core/irq.h"
#include "hw/core/machine.h"

typedef struct GicV2 GicV2;

extern const DeviceType gicv2_type;

#define GICV2_DIST_SIZE 0x1000
/* GICC_DIR lies in the second page. */
#define GICV2_CPU_SIZE 0x2000

/* The id of SPI 0. */
#define GICV2_FIRST_SPI 32
#define GICV2_MAX_CPUS 8
#define GICV2_MAX_IRQ 992

/*
 * A device of the type. Its inputs are the SPIs, from 0 (id 32); each is given out once (assert).
 * base is the distributor's place, base2 that of the CPU interfaces. Banked registers are those of
 * machine->current_cpu.
 */
GicV2 *gicv2(Device *dev);

/* The input for a CPU's PPI: 0-15 (id 16-31). */
IrqLine gicv2_ppi(GicV2 *gic, unsigned cpu, unsigned ppi);

/* Outputs to a CPU's interrupt inputs. */
void gicv2_connect_cpu(GicV2 *gic, unsigned cpu, IrqLine irq, IrqLine fiq);

#endif
