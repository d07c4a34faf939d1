/*
 * Message-signalled interrupts: what a device sends instead of raising a line. A message is a write
 * of 32 bits, little-endian, to the memory map, like any other of a bus master. An interrupt
 * controller's doorbell (a GICv2m frame, say) takes it for an interrupt; what happens
 * at another address is the guest's doing, who has programmed it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_MSI_H
#define HW_CORE_MSI_H

#include "hw/core/memory.h"

/* As the guest has programmed it; state of the device that sends it. */
typedef struct MsiMessage {
    uint64_t address;
    uint32_t data;
} MsiMessage;

/* Machine thread. False: nobody is at the address (logged as the guest's error). */
bool msi_send(MemoryMap *memory, const MsiMessage *message);

#endif
