/*
 * virtio-scsi: a SCSI controller (virtio 1.2 5.6), with a bus for scsi-hd and scsi-cd.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_SCSI_H
#define HW_VIRTIO_VIRTIO_SCSI_H

#include "hw/virtio/virtio.h"

extern const DeviceType virtio_scsi_type;

#endif
