/*
 * Between the console device (virtio-serial.c) and its ports (virtio-serial-port.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_SERIAL_INTERNAL_H
#define HW_VIRTIO_VIRTIO_SERIAL_INTERNAL_H

#include "hw/virtio/virtio-serial.h"

#define SERIAL_MAX_PORTS 31

/* Control messages (5.3.6.2). */
enum SerialEvent {
    SERIAL_DEVICE_READY = 0,
    SERIAL_PORT_ADD = 1,
    SERIAL_PORT_REMOVE = 2,
    SERIAL_PORT_READY = 3,
    SERIAL_CONSOLE_PORT = 4,
    SERIAL_RESIZE = 5,
    SERIAL_PORT_OPEN = 6,
    SERIAL_PORT_NAME = 7,
};

typedef struct SerialPort SerialPort;

typedef struct VirtioSerialState {
    VirtioState virtio;
    GByteArray *control;          /* messages for which the driver has given no buffer yet: length (2), bytes */
} VirtioSerialState;

typedef struct VirtioSerialConfig {
    VirtioConfig virtio;
    uint32_t max_ports;
    bool emergency_write;
} VirtioSerialConfig;

typedef struct VirtioSerial {
    VirtioDevice parent;
    VirtioSerialState state;
    VirtioSerialConfig config;
    VirtioDeviceType vtype;       /* with the queues of this one */
    SerialPort *port[SERIAL_MAX_PORTS];   /* by number; NULL: there is none */
    VirtqElement element;         /* scratch */
} VirtioSerial;

/* ---- virtio-serial.c, for ports ---- */

/* Tell the driver, if it knows control messages. text: what follows the header; NULL: nothing. */
void virtio_serial_tell(VirtioSerial *serial, unsigned nr, enum SerialEvent event, uint16_t value, const char *text);
/* How much the driver's next buffer for the port takes; 0: nothing is to be handed over now. */
size_t virtio_serial_room(VirtioSerial *serial, unsigned nr);
/* Fill that buffer. */
void virtio_serial_put(VirtioSerial *serial, unsigned nr, const uint8_t *data, size_t length);
/* Whether the driver has several ports, which it opens and closes. */
bool virtio_serial_is_multiport(const VirtioSerial *serial);

/* ---- virtio-serial-port.c, for the device ---- */

/* The driver has reset the device. */
void serial_port_reset(SerialPort *port);
/* The driver has found the port, or could not take it. */
void serial_port_ready(SerialPort *port, bool ready);
void serial_port_guest_open(SerialPort *port, bool open);
/* The driver wrote; dropped when nobody has the other end open. */
void serial_port_output(SerialPort *port, const uint8_t *data, size_t length);
/* The driver gave buffers. */
void serial_port_accept_input(SerialPort *port);
bool serial_port_is_console(const SerialPort *port);

#endif
