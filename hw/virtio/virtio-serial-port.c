/*
 * Ports of a virtio console device (virtio 1.2 5.3): virtconsole, which a driver makes a terminal of, and
 * virtserialport, a channel with a name that programs in the guest open.
 *
 * Wiring: a number on the device's bus; one character back end (the property chardev). Input waits in the
 * character port's queue until the driver has opened the port and given a buffer. Whether the back end's
 * other end is there arrives as input, too. The driver is told so (it is not for a console, which always
 * is), and what it writes while nobody is there is dropped.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/char-port.h"
#include "hw/core/bus.h"
#include "virtio-serial-internal.h"

#define NR_AUTO UINT32_MAX

typedef struct SerialPortState {
    GByteArray *input;            /* the character port's queue */
    uint8_t ready;                /* the driver knows the port */
    uint8_t guest_open;
    uint8_t host_open;
    uint8_t pad[5];
} SerialPortState;

#define SERIAL_PORT_FIELDS(F, S) \
    F(S, BYTES, input)           \
    F(S, U8, ready)              \
    F(S, U8, guest_open)         \
    F(S, U8, host_open)          \
    F(S, ARRAY_U8, pad)

FIELD_TABLE(serial_port_fields, "virtserialport", 1, SerialPortState, SERIAL_PORT_FIELDS);

typedef struct SerialPortConfig {
    char *chardev, *name;
    uint32_t nr;
} SerialPortConfig;

struct SerialPort {
    Device dev;                   /* first */
    SerialPortState state;
    SerialPortConfig config;
    VirtioSerial *serial;
    unsigned nr;
    CharPort *port;
};

bool serial_port_is_console(const SerialPort *port)
{
    return port->dev.type == &virtconsole_type;
}

static bool is_connected(const SerialPort *port)
{
    return serial_port_is_console(port) || port->state.host_open;
}

/* ---- from the driver ---- */

static void set_guest_open(SerialPort *port, bool open)
{
    if (port->state.guest_open != open) {
        port->state.guest_open = open;
        machine_notice(port->dev.machine, MACHINE_NOTICE_PORT, port->dev.id, open);
    }
}

void serial_port_reset(SerialPort *port)
{
    port->state.ready = 0;
    set_guest_open(port, false);
}

void serial_port_ready(SerialPort *port, bool ready)
{
    port->state.ready = ready;
    if (!ready) {
        return;
    }
    if (serial_port_is_console(port)) {
        virtio_serial_tell(port->serial, port->nr, SERIAL_CONSOLE_PORT, 1, NULL);
    }
    if (port->config.name) {
        virtio_serial_tell(port->serial, port->nr, SERIAL_PORT_NAME, 1, port->config.name);
    }
    if (is_connected(port)) {
        virtio_serial_tell(port->serial, port->nr, SERIAL_PORT_OPEN, 1, NULL);
    }
}

void serial_port_guest_open(SerialPort *port, bool open)
{
    set_guest_open(port, open);
    serial_port_accept_input(port);
}

void serial_port_output(SerialPort *port, const uint8_t *data, size_t length)
{
    if (is_connected(port)) {
        char_port_write(port->port, data, length);
    }
}

void serial_port_accept_input(SerialPort *port)
{
    char_port_accept_input(port->port);
}

/* ---- from the back end ---- */

/* Without control messages there is one port, and a driver that is there has it open. */
static unsigned port_can_receive(void *opaque)
{
    SerialPort *port = opaque;

    if (virtio_serial_is_multiport(port->serial) && !port->state.guest_open) {
        return 0;
    }
    return (unsigned)MIN(virtio_serial_room(port->serial, port->nr), UINT_MAX);
}

static void port_receive(void *opaque, const uint8_t *data, size_t length)
{
    SerialPort *port = opaque;

    virtio_serial_put(port->serial, port->nr, data, length);
}

static void port_event(void *opaque, CharEvent event)
{
    SerialPort *port = opaque;
    bool open = event == CHAR_EVENT_OPENED;

    if (event == CHAR_EVENT_BREAK || port->state.host_open == open) {
        return;
    }
    port->state.host_open = open;
    if (port->state.ready && !serial_port_is_console(port)) {
        virtio_serial_tell(port->serial, port->nr, SERIAL_PORT_OPEN, open, NULL);
    }
}

static const CharPortClient port_client = {
    .can_receive = port_can_receive, .receive = port_receive, .event = port_event,
};

/* ---- life cycle ---- */

/* Port 0 is the one that drivers without control messages know, so it is a console's. */
static bool choose_number(SerialPort *port, Error **errp)
{
    unsigned max = port->serial->config.max_ports, first = serial_port_is_console(port) ? 0 : 1;
    uint32_t nr = port->config.nr;

    if (nr == NR_AUTO) {
        for (nr = first; nr < max && port->serial->port[nr]; nr++) {
        }
        if (nr >= max) {
            error_setg(errp, "no port of '%s' is free: it has %u (max_ports=), and port 0 is for virtconsole",
                       port->dev.bus->name, max);
            return false;
        }
    } else if (nr >= max) {
        error_setg(errp, "nr=%" PRIu32 ": '%s' has ports 0 to %u; max_ports= makes it more, up to %d", nr,
                   port->dev.bus->name, max - 1, SERIAL_MAX_PORTS);
        return false;
    } else if (nr < first) {
        error_setg(errp, "nr=0 is for virtconsole; a virtserialport has 1 or more");
        return false;
    } else if (port->serial->port[nr]) {
        error_setg(errp, "nr=%" PRIu32 " is that of '%s'", nr, port->serial->port[nr]->dev.id);
        return false;
    }
    port->nr = nr;
    return true;
}

static bool serial_port_realize(Device *dev, Error **errp)
{
    SerialPort *port = container_of(dev, SerialPort, dev);
    CharLink link = { .dev = dev, .chardev = port->config.chardev };

    port->serial = container_of(dev->bus->parent, VirtioSerial, parent.dev);
    if (!choose_number(port, errp)) {
        return false;
    }
    port->port = link.port = char_port_new(dev->machine->replay, dev->id, &port_client, port);
    port->state.input = char_port_queue(port->port);
    port->serial->port[port->nr] = port;
    if (link.chardev) {
        g_array_append_val(dev->machine->char_links, link);
    }
    return true;
}

static void serial_port_device_reset(Device *dev)
{
    serial_port_reset(container_of(dev, SerialPort, dev));
}

static void serial_port_post_load(Device *dev)
{
    char_port_queue_loaded(container_of(dev, SerialPort, dev)->port);
}

static void serial_port_free(Device *dev)
{
    SerialPort *port = container_of(dev, SerialPort, dev);

    if (port->port) {
        char_port_free(port->port);
    }
    g_free(port);
}

static const Property serial_port_properties[] = {
    PROP_STRING("chardev", SerialPortConfig, chardev, NULL, "its back end: a -chardev's id"),
    PROP_STRING("name", SerialPortConfig, name, NULL, "what the guest knows it by, in /dev/virtio-ports of Linux"),
    PROP_UINT("nr", SerialPortConfig, nr, "4294967295", 0, UINT32_MAX, "its number; 4294967295: the first free one"),
    PROP_END
};

#define SERIAL_PORT_TYPE(name_, doc_)                                                               \
    .name = name_, .doc = doc_, .bus = VIRTIO_SERIAL_BUS, .pluggable = true,                        \
    .size = sizeof(SerialPort), .fields = &serial_port_fields,                                      \
    .state_offset = offsetof(SerialPort, state), .properties = serial_port_properties,              \
    .config_offset = offsetof(SerialPort, config), .realize = serial_port_realize,                  \
    .reset = serial_port_device_reset, .post_load = serial_port_post_load, .free = serial_port_free

const DeviceType virtconsole_type = {
    SERIAL_PORT_TYPE("virtconsole", "a console on a virtio-serial bus"),
};

const DeviceType virtserialport_type = {
    SERIAL_PORT_TYPE("virtserialport", "a channel on a virtio-serial bus"),
};
