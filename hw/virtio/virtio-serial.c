/*
 * virtio-serial: the console device (virtio 1.2 5.3). Wiring: two queues a port (what it receives, what
 * it transmits), and between those of port 0 and the others two for control messages; a bus of ports
 * (hw/virtio/virtio-serial-port.c), of which port 0 is a console's.
 *
 * Control messages to a driver that has given no buffer for them wait in the device's state.
 *
 * Not modelled: the size of a console (VIRTIO_CONSOLE_F_SIZE is not offered), ports that come and go.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "util/bitops.h"
#include "util/bytes.h"
#include "util/log.h"
#include "virtio-internal.h"
#include "virtio-serial-internal.h"

enum SerialFeature {
    SERIAL_F_MULTIPORT = 1,
    SERIAL_F_EMERG_WRITE = 2,
};

enum { QUEUE_RX0, QUEUE_TX0, QUEUE_CONTROL_RX, QUEUE_CONTROL_TX, QUEUE_RX1 };

#define QUEUE_SIZE 128
#define CONTROL_BYTES 8
#define CONFIG_BYTES 12
#define CONFIG_MAX_PORTS 4
#define CONFIG_EMERG_WR 8
/* A driver that takes none of them is not told more. */
#define MAX_CONTROL 16384
/* No driver writes so much at once; chains may name the same memory many times. */
#define MAX_WRITE (16u << 20)
#define CHUNK 4096

#define VIRTIO_SERIAL_FIELDS(F, S) VIRTIO_FIELDS(F, S) F(S, BYTES, control)

FIELD_TABLE_SINCE(virtio_serial_fields, "virtio-serial", 2, 1, VirtioSerialState, VIRTIO_SERIAL_FIELDS);

static VirtioSerial *virtio_serial(VirtioDevice *v)
{
    return container_of(v, VirtioSerial, parent);
}

bool virtio_serial_is_multiport(const VirtioSerial *serial)
{
    return (serial->state.virtio.driver_features >> SERIAL_F_MULTIPORT) & 1;
}

/* ---- queues ---- */

static unsigned receive_queue(unsigned nr)
{
    return nr ? QUEUE_RX1 + 2 * (nr - 1) : QUEUE_RX0;
}

static SerialPort *port_of_queue(const VirtioSerial *serial, unsigned q)
{
    return serial->port[q < QUEUE_CONTROL_RX ? 0 : (q - QUEUE_RX1) / 2 + 1];
}

static bool is_running(const VirtioSerial *serial, unsigned q)
{
    const VirtioState *s = &serial->state.virtio;

    return !s->broken && s->queue_ready[q] && (s->status & VIRTIO_STATUS_DRIVER_OK);
}

size_t virtio_serial_room(VirtioSerial *serial, unsigned nr)
{
    unsigned q = receive_queue(nr);
    VirtqElement *e = &serial->element;

    if (!is_running(serial, q) || !virtqueue_peek(&serial->parent, q, e)) {
        return 0;
    }
    if (!e->in_bytes) {
        virtio_error(&serial->parent, "a buffer for input has no room");
    }
    return e->in_bytes;
}

void virtio_serial_put(VirtioSerial *serial, unsigned nr, const uint8_t *data, size_t length)
{
    VirtioDevice *v = &serial->parent;
    VirtqElement *e = &serial->element;
    unsigned q = receive_queue(nr);

    if (virtqueue_pop(v, q, e)) {
        virtqueue_push(v, q, e, (uint32_t)virtqueue_write(v, e, 0, data, length));
        virtqueue_notify(v, q);
    }
}

static void write_port(VirtioSerial *serial, SerialPort *port, const VirtqElement *e)
{
    uint8_t data[CHUNK];

    for (uint64_t done = 0; done < e->out_bytes; ) {
        size_t n = virtqueue_read(&serial->parent, e, done, data, MIN(sizeof(data), e->out_bytes - done));

        if (!n) {
            break;
        }
        serial_port_output(port, data, n);
        done += n;
    }
}

static void take_output(VirtioSerial *serial, unsigned q)
{
    VirtioDevice *v = &serial->parent;
    SerialPort *port = port_of_queue(serial, q);
    VirtqElement *e = &serial->element;
    bool used = false;

    while (virtqueue_pop(v, q, e)) {
        if (e->out_bytes > MAX_WRITE) {
            virtio_error(v, "a buffer of output is too long");
            return;
        }
        if (port) {
            write_port(serial, port, e);
        }
        virtqueue_push(v, q, e, 0);
        used = true;
    }
    if (used) {
        virtqueue_notify(v, q);
    }
}

/* ---- control messages ---- */

static void give_control(VirtioSerial *serial)
{
    VirtioDevice *v = &serial->parent;
    GByteArray *waiting = serial->state.control;
    VirtqElement *e = &serial->element;
    bool used = false;

    while (waiting->len && is_running(serial, QUEUE_CONTROL_RX) && virtqueue_pop(v, QUEUE_CONTROL_RX, e)) {
        guint length = (guint)load_le(waiting->data, 2);

        virtqueue_push(v, QUEUE_CONTROL_RX, e, (uint32_t)virtqueue_write(v, e, 0, waiting->data + 2, length));
        g_byte_array_remove_range(waiting, 0, 2 + length);
        used = true;
    }
    if (used) {
        virtqueue_notify(v, QUEUE_CONTROL_RX);
    }
}

void virtio_serial_tell(VirtioSerial *serial, unsigned nr, enum SerialEvent event, uint16_t value, const char *text)
{
    size_t extra = text ? strlen(text) : 0;
    uint8_t message[2 + CONTROL_BYTES];

    if (!virtio_serial_is_multiport(serial)) {
        return;
    }
    if (serial->state.control->len > MAX_CONTROL) {
        log_mask(LOG_GUEST_ERROR, "%s: the driver takes no control messages\n", serial->parent.dev.id);
        return;
    }
    store_le(message, CONTROL_BYTES + extra, 2);
    store_le(message + 2, nr, 4);
    store_le(message + 6, event, 2);
    store_le(message + 8, value, 2);
    g_byte_array_append(serial->state.control, message, sizeof(message));
    g_byte_array_append(serial->state.control, (const uint8_t *)text, (guint)extra);
    give_control(serial);
}

static void tell_ports(VirtioSerial *serial)
{
    for (unsigned nr = 0; nr < serial->config.max_ports; nr++) {
        if (serial->port[nr]) {
            virtio_serial_tell(serial, nr, SERIAL_PORT_ADD, 1, NULL);
        }
    }
}

static void take_message(VirtioSerial *serial, const uint8_t *message)
{
    uint32_t nr = (uint32_t)load_le(message, 4);
    uint16_t event = (uint16_t)load_le(message + 4, 2), value = (uint16_t)load_le(message + 6, 2);
    SerialPort *port = nr < SERIAL_MAX_PORTS ? serial->port[nr] : NULL;

    if (event == SERIAL_DEVICE_READY) {
        if (value) {
            tell_ports(serial);
        }
    } else if (!port) {
        log_mask(LOG_GUEST_ERROR, "%s: control message %u for port %" PRIu32 ", which there is not\n",
                 serial->parent.dev.id, event, nr);
    } else if (event == SERIAL_PORT_READY) {
        serial_port_ready(port, value != 0);
    } else if (event == SERIAL_PORT_OPEN) {
        serial_port_guest_open(port, value != 0);
    } else {
        log_mask(LOG_GUEST_ERROR, "%s: unknown control message %u\n", serial->parent.dev.id, event);
    }
}

/* What is told in answer uses the scratch element, so the chain is given back first. */
static void take_control(VirtioSerial *serial)
{
    VirtioDevice *v = &serial->parent;
    VirtqElement *e = &serial->element;
    bool used = false;

    while (virtqueue_pop(v, QUEUE_CONTROL_TX, e)) {
        uint8_t message[CONTROL_BYTES];

        if (virtqueue_read(v, e, 0, message, sizeof(message)) < sizeof(message)) {
            virtio_error(v, "a control message is too short");
            return;
        }
        virtqueue_push(v, QUEUE_CONTROL_TX, e, 0);
        used = true;
        if (virtio_serial_is_multiport(serial)) {
            take_message(serial, message);
        }
    }
    if (used) {
        virtqueue_notify(v, QUEUE_CONTROL_TX);
    }
}

static void virtio_serial_handle_queue(VirtioDevice *v, unsigned q)
{
    VirtioSerial *serial = virtio_serial(v);

    if (q == QUEUE_CONTROL_RX) {
        give_control(serial);
    } else if (q == QUEUE_CONTROL_TX) {
        take_control(serial);
    } else if (q & 1) {
        take_output(serial, q);
    } else if (port_of_queue(serial, q)) {
        serial_port_accept_input(port_of_queue(serial, q));
    }
}

/* ---- configuration space (5.3.4) ---- */

static uint8_t virtio_serial_config_read(VirtioDevice *v, unsigned offset)
{
    uint8_t config[CONFIG_BYTES] = { 0 };

    store_le(config + CONFIG_MAX_PORTS, virtio_serial(v)->config.max_ports, 4);
    return config[offset];
}

/* 5.3.5.1: a character for the first console, which a driver may write before it has set anything up. */
static void virtio_serial_config_write(VirtioDevice *v, unsigned offset, uint8_t value)
{
    VirtioSerial *serial = virtio_serial(v);

    if (offset != CONFIG_EMERG_WR || !serial->config.emergency_write) {
        return;
    }
    for (unsigned nr = 0; nr < SERIAL_MAX_PORTS; nr++) {
        if (serial->port[nr] && serial_port_is_console(serial->port[nr])) {
            serial_port_output(serial->port[nr], &value, 1);
            return;
        }
    }
}

/* ---- shell ---- */

static void virtio_serial_device_reset(VirtioDevice *v)
{
    VirtioSerial *serial = virtio_serial(v);

    g_byte_array_set_size(serial->state.control, 0);
    for (unsigned nr = 0; nr < SERIAL_MAX_PORTS; nr++) {
        if (serial->port[nr]) {
            serial_port_reset(serial->port[nr]);
        }
    }
}

static const VirtioDeviceType virtio_serial_vtype = {
    .device_id = VIRTIO_ID_CONSOLE,
    .queue_size = QUEUE_SIZE,
    .config_size = CONFIG_BYTES,
    .handle_queue = virtio_serial_handle_queue,
    .config_read = virtio_serial_config_read,
    .config_write = virtio_serial_config_write,
    .reset = virtio_serial_device_reset,
};

/* A saved state is input: messages are whole, or there are none. */
static void virtio_serial_post_load(Device *dev)
{
    GByteArray *waiting = container_of(dev, VirtioSerial, parent.dev)->state.control;
    size_t at = 0;

    virtio_device_post_load(dev);
    while (at + 2 <= waiting->len) {
        at += 2 + load_le(waiting->data + at, 2);
    }
    if (at != waiting->len) {
        g_byte_array_set_size(waiting, 0);
    }
}

static void attach(Bus *bus, Device *dev)
{
}

/* The bus is called by the device that users know: the function whose part this is, if there is one. */
static void add_bus(VirtioSerial *serial)
{
    Device *dev = &serial->parent.dev;
    const Device *outer = dev->bus && dev->bus->parent->part == dev ? dev->bus->parent : dev;
    g_autofree char *name = g_strdup_printf("%s.0", outer->id);

    bus_new(dev, VIRTIO_SERIAL_BUS, name, serial->config.max_ports, attach);
}

static bool virtio_serial_realize(Device *dev, Error **errp)
{
    VirtioSerial *serial = container_of(dev, VirtioSerial, parent.dev);
    bool multiport = serial->config.max_ports > 1;

    serial->state.control = g_byte_array_new();
    serial->vtype = virtio_serial_vtype;
    serial->vtype.num_queues = (uint16_t)(multiport ? 2 * (serial->config.max_ports + 1) : 2);
    serial->vtype.features = (multiport ? BIT64(SERIAL_F_MULTIPORT) : 0) |
                             (serial->config.emergency_write ? BIT64(SERIAL_F_EMERG_WRITE) : 0);
    virtio_init(&serial->parent, &serial->vtype, &serial->state.virtio, &serial->config.virtio);
    add_bus(serial);
    return true;
}

static void virtio_serial_free(Device *dev)
{
    VirtioSerial *serial = container_of(dev, VirtioSerial, parent.dev);

    if (serial->state.control) {
        g_byte_array_unref(serial->state.control);
    }
    g_free(serial);
}

static const Property virtio_serial_properties[] = {
    VIRTIO_PROPERTIES(VirtioSerialConfig),
    PROP_UINT("max_ports", VirtioSerialConfig, max_ports, "31", 1, SERIAL_MAX_PORTS,
              "how many ports it has room for, that of number 0 included"),
    PROP_BOOL("emergency-write", VirtioSerialConfig, emergency_write, "on",
              "offer a register that writes to the console"),
    PROP_END
};

const DeviceType virtio_serial_type = {
    .name = "virtio-serial-device", .doc = "a bus of consoles and serial ports", .bus = VIRTIO_BUS,
    .stays = "the sources of what it records are there from the start",
    .pluggable = true, .size = sizeof(VirtioSerial),
    .fields = &virtio_serial_fields, .state_offset = offsetof(VirtioSerial, state),
    .properties = virtio_serial_properties, .config_offset = offsetof(VirtioSerial, config),
    .realize = virtio_serial_realize, .reset = virtio_device_reset,
    .post_load = virtio_serial_post_load, .free = virtio_serial_free,
};
