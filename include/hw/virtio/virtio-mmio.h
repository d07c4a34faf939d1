/*
 * The memory-mapped virtio transport (virtio 1.2 4.2): a window of 0x200 bytes
 * and one interrupt line for one device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_MMIO_H
#define HW_VIRTIO_VIRTIO_MMIO_H

#include "hw/core/irq.h"
#include "hw/virtio/virtio.h"

#define VIRTIO_MMIO_SIZE 0x200

typedef struct VirtioMmio VirtioMmio;

/*
 * A transport at `base` with a device behind it. legacy: register layout version
 * 1 (4.2.4), else version 2. id and region_name as for device_init() and
 * memory_add_mmio().
 */
VirtioMmio *virtio_mmio_new(Machine *m, const char *id, const char *region_name,
                            hwaddr base, bool legacy, IrqLine irq, VirtioDevice *v);

/* A transport with nothing behind it: it reads as device ID 0 (4.2.3.1.1). */
void virtio_mmio_new_empty(Machine *m, const char *region_name, hwaddr base, bool legacy);

#endif
