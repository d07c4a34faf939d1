/*
 * Shared by hw/virtio/virtio.c and virtqueue.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_INTERNAL_H
#define HW_VIRTIO_VIRTIO_INTERNAL_H

#include "hw/virtio/virtio.h"

/* Stop the device until a reset. */
void virtio_error(VirtioDevice *v, const char *what);
void virtio_update_irq(VirtioDevice *v);
/* Interrupt the driver, by the vector's message or by the status bit. */
void virtio_interrupt(VirtioDevice *v, enum VirtioIsr bit, uint16_t vector);

#endif
