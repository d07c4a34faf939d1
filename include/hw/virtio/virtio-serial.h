/*
 * virtio-serial: the console device (virtio 1.2 5.3), a bus of ports, and what sits on it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_SERIAL_H
#define HW_VIRTIO_VIRTIO_SERIAL_H

#include "hw/virtio/virtio.h"

/* The kind of bus that ports sit on; the one of device ID is called "ID.0". */
#define VIRTIO_SERIAL_BUS "virtio-serial-bus"

extern const DeviceType virtio_serial_type, virtconsole_type, virtserialport_type;

#endif
