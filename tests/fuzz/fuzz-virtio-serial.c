/*
 * Fuzz target: a driver of virtio-serial that goes wrong: rings, buffers and control messages, with a host that
 * types, comes and goes. tests/fuzz/virtio-fuzz.h says what an input is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/char-port.h"
#include "hw/virtio/virtio-serial.h"
#include "tests/fuzz/virtio-fuzz.h"

static const unsigned fuzz_queues = 6;

/* ---- the back end ---- */

struct Chardev {
    const ChardevClient *client;
    void *opaque;
};

static Chardev host[2];

void chardev_set_client(Chardev *c, const ChardevClient *client, void *opaque)
{
    c->client = client;
    c->opaque = opaque;
}

void chardev_write(Chardev *c, const uint8_t *data, size_t length)
{
}

/* ---- */

static void fuzz_device(Fuzzed *f, uint8_t shape)
{
    static const DeviceType *const types[] = {
        &virtio_mmio_type, &virtio_serial_type, &virtconsole_type, &virtserialport_type, NULL
    };

    fuzz_plug(f, types, shape & 2 ? "virtio-serial-device,id=vs,max_ports=2" : "virtio-serial-device,id=vs");
    fuzz_plug(f, types, "virtconsole,id=con,chardev=c");
    fuzz_plug(f, types, "virtserialport,id=chan,chardev=d,name=org.x");
    for (unsigned i = 0; i < ARRAY_SIZE(host); i++) {
        char_port_attach(g_array_index(f->d.m->char_links, CharLink, i).port, &host[i]);
    }
}

static void fuzz_host(Fuzzed *f, uint16_t place, uint32_t value)
{
    Chardev *c = &host[place & 1];
    uint8_t data[300];

    if (place & 2) {
        c->client->event(c->opaque, (CharEvent)(value % 3));
    } else {
        memset(data, (int)value, sizeof(data));
        c->client->receive(c->opaque, data, value % sizeof(data));
    }
}

/* ---- seeds: a driver that does it right ---- */

enum { RX0, TX0, CONTROL_RX, CONTROL_TX, RX1, TX1 };

static void add_message(GByteArray *out, unsigned i, uint32_t nr, uint32_t event, uint32_t value)
{
    hwaddr place = 0x1000 + 16 * i;

    add(out, BUFFER_WRITE, place, nr);
    add(out, BUFFER_WRITE, place + 4, event | value << 16);
    add_buffer(out, CONTROL_TX, i, BUFFER_BASE + place, 8, false);
}

GByteArray *fuzz_seed(unsigned n)
{
    GByteArray *out = g_byte_array_new();
    uint8_t shape = (uint8_t)n;

    if (n >= NUM_SHAPES) {
        g_byte_array_unref(out);
        return NULL;
    }
    g_byte_array_append(out, &shape, 1);
    for (unsigned i = 0; i < 5; i++) {
        add_buffer(out, CONTROL_RX, i, BUFFER_BASE + 0x100 * i, 64, true);
    }
    add_message(out, 0, 0, 0, 1);
    add_message(out, 1, 0, 3, 1);
    add_message(out, 2, 1, 3, 1);
    add(out, HOST, 3, 0);
    add(out, DELIVER, 0, 0);
    add(out, HOST, 1, 20);
    add(out, HOST, 0, 200);
    add(out, DELIVER, 0, 0);
    add(out, STATE, 0, 0);
    add_message(out, 3, 1, 6, 1);
    add_buffer(out, RX1, 0, BUFFER_BASE + 0x2000, 7, true);
    add_buffer(out, RX1, 1, BUFFER_BASE + 0x2100, 256, true);
    add_buffer(out, RX0, 0, BUFFER_BASE + 0x2200, 256, true);
    add_buffer(out, TX0, 0, BUFFER_BASE + 0x2300, 100, false);
    add_buffer(out, TX1, 0, BUFFER_BASE + 0x2400, 100, false);
    add(out, REGISTER_WRITE, 0x108, 'x');
    add(out, STATE, 0, 0);
    add(out, REGISTER_WRITE, 0x70, 0);
    add(out, HOST, 3, 1);
    add(out, DELIVER, 0, 0);
    return out;
}
