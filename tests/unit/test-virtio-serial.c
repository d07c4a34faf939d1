/*
 * virtio-serial behind virtio-mmio, with ports without back ends: control messages, input and output, what waits
 * for the driver, states in the middle, broken drivers, numbers of ports.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fake-char-port.h"
#include "fake-replay.h"
#include "hw/virtio/virtio-serial.h"
#include "virtio-driver.h"

enum { DEVICE_READY, PORT_ADD, PORT_REMOVE, PORT_READY, CONSOLE_PORT, RESIZE, PORT_OPEN, PORT_NAME };
enum { RX0, TX0, CONTROL_RX, CONTROL_TX, RX1, TX1 };

#define MULTIPORT 2u
#define QUEUES 6
#define NUM 16
#define BUFFERS(q) (BUFFER_BASE + (q) * 0x10000ull)

typedef struct Fixture {
    Driver d[QUEUES];             /* one machine, a driver's side a queue */
    GString *notices;
} Fixture;

static void note(void *opaque, MachineNotice what, const char *id, int64_t value)
{
    g_assert_cmpint(what, ==, MACHINE_NOTICE_PORT);
    g_string_append_printf(((Fixture *)opaque)->notices, "%s %d;", id, (int)value);
}

static Device *plug(Fixture *f, const char *text, Error **errp)
{
    static const DeviceType *const types[] = {
        &virtio_mmio_type, &virtio_serial_type, &virtconsole_type, &virtserialport_type, NULL
    };
    Machine *m = f->d[0].m;
    unsigned before = m->devices->len;

    m->device_types = types;
    return device_plug(m, text, errp) ? g_ptr_array_index(m->devices, before) : NULL;
}

static void make(Fixture *f, const char *serial)
{
    *f = (Fixture){ .notices = g_string_new(NULL) };
    memset(&fake_replay, 0, sizeof(fake_replay));
    driver_init_machine(&f->d[0], NULL);
    f->d[0].m->notice = note;
    f->d[0].m->notice_opaque = f;
    driver_add_transport(&f->d[0], MMIO_BASE, false, NULL, NULL);
    f->d[0].v = container_of(plug(f, serial, NULL), VirtioDevice, dev);
}

static void start(Fixture *f, uint32_t features, unsigned queues)
{
    driver_start_modern(&f->d[0], features, NUM);
    driver_start_more(f->d, queues);
}

static CharPort *port_of(Fixture *f, const char *id)
{
    for (unsigned i = 0; i < f->d[0].m->char_links->len; i++) {
        const CharLink *link = &g_array_index(f->d[0].m->char_links, CharLink, i);

        if (!strcmp(link->dev->id, id)) {
            return link->port;
        }
    }
    g_assert_not_reached();
}

static void setup(Fixture *f)
{
    make(f, "virtio-serial-device,id=vs,max_ports=2");
    g_assert_nonnull(plug(f, "virtconsole,id=con,chardev=a", NULL));
    g_assert_nonnull(plug(f, "virtserialport,id=chan,chardev=b,name=org.x", NULL));
    machine_reset_devices(f->d[0].m);
    start(f, MULTIPORT, QUEUES);
}

static void end(Fixture *f)
{
    driver_free(&f->d[0]);
    g_string_free(f->notices, TRUE);
}

static void kick_queue(Fixture *f, unsigned q)
{
    reg_write(&f->d[0], 0x50, q);
}

/* Give `count` buffers of `length` bytes to a queue that the device writes to. */
static void give(Fixture *f, unsigned q, unsigned count, uint32_t length)
{
    Driver *d = &f->d[q];

    for (unsigned i = 0; i < count; i++) {
        uint16_t head = d->avail_idx % NUM;

        put_desc(d, d->desc, head, BUFFERS(q) + head * 0x400u, length, DESC_WRITE, 0);
        make_available(d, head);
    }
    kick_queue(f, q);
}

/* What the device has put into the n-th buffer of a queue. */
static char *got(Fixture *f, unsigned q, unsigned n)
{
    Driver *d = &f->d[q];
    uint32_t length = used_length(d, n % NUM);
    char *text = g_malloc0(length + 1);

    g_assert_cmpuint(n, <, used_index(d));
    g_assert_true(memory_read(d->m->memory, BUFFERS(q) + used_id(d, n % NUM) * 0x400u, text, length));
    return text;
}

static void assert_got(Fixture *f, unsigned q, unsigned n, const char *expected)
{
    g_autofree char *text = got(f, q, n);

    g_assert_cmpstr(text, ==, expected);
}

static void write_queue(Fixture *f, unsigned q, const void *data, uint32_t length)
{
    Driver *d = &f->d[q];
    uint16_t head = d->avail_idx % NUM;

    g_assert_true(memory_write(d->m->memory, BUFFERS(q) + head * 0x400u, data, length));
    put_desc(d, d->desc, head, BUFFERS(q) + head * 0x400u, length, 0, 0);
    make_available(d, head);
    kick_queue(f, q);
}

static void tell(Fixture *f, uint32_t nr, uint16_t event, uint16_t value)
{
    uint8_t message[8];

    store_le(message, nr, 4);
    store_le(message + 4, event, 2);
    store_le(message + 6, value, 2);
    write_queue(f, CONTROL_TX, message, sizeof(message));
}

static void assert_told(Fixture *f, unsigned n, uint32_t nr, uint16_t event, uint16_t value, const char *rest)
{
    g_autofree uint8_t *message = (uint8_t *)got(f, CONTROL_RX, n);

    g_assert_cmpuint(load_le(message, 4), ==, nr);
    g_assert_cmpuint(load_le(message + 4, 2), ==, event);
    g_assert_cmpuint(load_le(message + 6, 2), ==, value);
    g_assert_cmpuint(used_length(&f->d[CONTROL_RX], n % NUM), ==, 8 + strlen(rest));
    g_assert_cmpstr((char *)message + 8, ==, rest);
}

/* 5.3.6.2, as Linux goes through it. */
static void test_control(void)
{
    CharPort *chan;
    Fixture f;

    setup(&f);
    chan = port_of(&f, "chan");
    g_assert_cmpuint(reg_read(&f.d[0], 0x104), ==, 2);
    give(&f, CONTROL_RX, NUM, 100);
    tell(&f, UINT32_MAX, DEVICE_READY, 1);
    assert_told(&f, 0, 0, PORT_ADD, 1, "");
    assert_told(&f, 1, 1, PORT_ADD, 1, "");
    tell(&f, 0, PORT_READY, 1);
    assert_told(&f, 2, 0, CONSOLE_PORT, 1, "");
    assert_told(&f, 3, 0, PORT_OPEN, 1, "");
    /* Nothing is told of a port that the driver does not know yet. */
    chan->client->event(chan->opaque, CHAR_EVENT_OPENED);
    g_assert_cmpuint(used_index(&f.d[CONTROL_RX]), ==, 4);
    tell(&f, 1, PORT_READY, 1);
    assert_told(&f, 4, 1, PORT_NAME, 1, "org.x");
    assert_told(&f, 5, 1, PORT_OPEN, 1, "");
    chan->client->event(chan->opaque, CHAR_EVENT_CLOSED);
    assert_told(&f, 6, 1, PORT_OPEN, 0, "");
    chan->client->event(chan->opaque, CHAR_EVENT_CLOSED);
    /* A console is there always. */
    port_of(&f, "con")->client->event(port_of(&f, "con")->opaque, CHAR_EVENT_CLOSED);
    g_assert_cmpuint(used_index(&f.d[CONTROL_RX]), ==, 7);
    tell(&f, 1, PORT_OPEN, 1);
    tell(&f, 1, PORT_OPEN, 1);
    tell(&f, 1, PORT_OPEN, 0);
    tell(&f, 0, PORT_OPEN, 1);
    reg_write(&f.d[0], 0x70, 0);
    g_assert_cmpstr(f.notices->str, ==, "chan 1;chan 0;con 1;con 0;");
    end(&f);
}

/* What there is no buffer for waits, to a limit. */
static void test_control_waits(void)
{
    Fixture f;

    setup(&f);
    tell(&f, 0, DEVICE_READY, 1);
    give(&f, CONTROL_RX, 1, 100);
    assert_told(&f, 0, 0, PORT_ADD, 1, "");
    give(&f, CONTROL_RX, 4, 100);
    assert_told(&f, 1, 1, PORT_ADD, 1, "");
    g_assert_cmpuint(used_index(&f.d[CONTROL_RX]), ==, 2);
    for (unsigned i = 0; i < 5000; i++) {
        tell(&f, 0, DEVICE_READY, 1);
    }
    g_assert_false(f.d[0].v->s->broken);
    g_assert_cmpuint((*(GByteArray **)((char *)f.d[0].v->s + sizeof(VirtioState)))->len, <, 20000);
    end(&f);
}

/* Input waits for an open port and a buffer, and fills buffers one after the other. */
static void test_input(void)
{
    CharPort *chan;
    Fixture f;

    setup(&f);
    chan = port_of(&f, "chan");
    fake_port_type(chan, "hello world");
    give(&f, RX1, 2, 4);
    g_assert_cmpuint(used_index(&f.d[RX1]), ==, 0);
    tell(&f, 1, PORT_OPEN, 1);
    assert_got(&f, RX1, 0, "hell");
    assert_got(&f, RX1, 1, "o wo");
    g_assert_cmpuint(chan->in->len, ==, 3);
    give(&f, RX1, 1, 100);
    assert_got(&f, RX1, 2, "rld");
    fake_port_type(chan, "x");
    g_assert_cmpuint(chan->in->len, ==, 1);
    tell(&f, 1, PORT_OPEN, 0);
    give(&f, RX1, 1, 100);
    g_assert_cmpuint(used_index(&f.d[RX1]), ==, 3);
    end(&f);
}

static void test_output(void)
{
    CharPort *chan;
    Fixture f;

    setup(&f);
    chan = port_of(&f, "chan");
    write_queue(&f, TX0, "to the console", 14);
    g_assert_cmpstr(port_of(&f, "con")->out->str, ==, "to the console");
    /* Nobody is there: it is gone. */
    write_queue(&f, TX1, "lost", 4);
    chan->client->event(chan->opaque, CHAR_EVENT_OPENED);
    write_queue(&f, TX1, "kept", 4);
    g_assert_cmpstr(chan->out->str, ==, "kept");
    g_assert_cmpuint(used_index(&f.d[TX1]), ==, 2);
    /* The register for emergencies. */
    reg_write(&f.d[0], 0x108, '!');
    g_assert_cmpstr(port_of(&f, "con")->out->str, ==, "to the console!");
    end(&f);
}

/* A driver without control messages has port 0, open. */
static void test_single(void)
{
    Fixture f;

    setup(&f);
    start(&f, 0, 2);
    fake_port_type(port_of(&f, "con"), "abc");
    give(&f, RX0, 1, 100);
    assert_got(&f, RX0, 0, "abc");
    write_queue(&f, TX0, "def", 3);
    g_assert_cmpstr(port_of(&f, "con")->out->str, ==, "def");
    end(&f);
}

/* Messages and input that wait are saved and loaded. */
static void test_state(void)
{
    g_autoptr(GByteArray) saved = g_byte_array_new();
    ByteReader in;
    CharPort *chan;
    Fixture f;

    setup(&f);
    chan = port_of(&f, "chan");
    chan->client->event(chan->opaque, CHAR_EVENT_OPENED);
    tell(&f, 0, DEVICE_READY, 1);
    tell(&f, 1, PORT_OPEN, 1);
    fake_port_type(chan, "wait");
    machine_save_devices(f.d[0].m, saved);
    give(&f, CONTROL_RX, 2, 100);
    give(&f, RX1, 1, 100);
    chan->client->event(chan->opaque, CHAR_EVENT_CLOSED);
    reg_write(&f.d[0], 0x70, 0);
    byte_reader_init(&in, saved->data, saved->len);
    g_assert_true(machine_load_devices(f.d[0].m, &in, NULL));
    g_assert_cmpuint(chan->loads, ==, 1);
    f.d[CONTROL_RX].avail_idx = f.d[RX1].avail_idx = 0;
    give(&f, CONTROL_RX, 2, 100);
    give(&f, RX1, 1, 100);
    assert_told(&f, 0, 0, PORT_ADD, 1, "");
    assert_told(&f, 1, 1, PORT_ADD, 1, "");
    assert_got(&f, RX1, 0, "wait");
    write_queue(&f, TX1, "out", 3);
    g_assert_cmpstr(chan->out->str, ==, "out");
    end(&f);
}

/* What breaks the rules stops the device. */
static void test_broken(void)
{
    for (unsigned n = 0; n < 4; n++) {
        Fixture f;
        Driver *d;

        setup(&f);
        if (n == 0) {
            write_queue(&f, CONTROL_TX, "short", 5);
        } else if (n == 1) {
            tell(&f, 1, PORT_OPEN, 1);
            fake_port_type(port_of(&f, "chan"), "x");
            give(&f, RX1, 1, 0);
        } else if (n == 2) {
            /* The same megabyte again and again. */
            d = &f.d[TX0];
            for (uint16_t i = 0; i < NUM; i++) {
                put_desc(d, INDIRECT_BASE, i, RAM_BASE, 0x100000, i + 1 < NUM ? DESC_NEXT : 0, i + 1u);
                put_desc(d, INDIRECT_BASE, NUM + i, RAM_BASE, 0x100000, 0, 0);
            }
            put_desc(d, INDIRECT_BASE, NUM - 1, RAM_BASE, 0x100000, DESC_NEXT, NUM);
            start(&f, MULTIPORT | 1u << 28, QUEUES);
            put_desc(d, d->desc, 0, INDIRECT_BASE, 16 * (NUM + 1), DESC_INDIRECT, 0);
            make_available(d, 0);
            kick_queue(&f, TX0);
        } else {
            d = &f.d[CONTROL_RX];
            put_desc(d, d->desc, 0, 0x1000, 8, DESC_WRITE, 0);
            make_available(d, 0);
            tell(&f, 0, DEVICE_READY, 1);
        }
        g_assert_true(f.d[0].v->s->broken);
        g_assert_cmphex(reg_read(&f.d[0], 0x70) & 64, ==, 64);
        fake_port_type(port_of(&f, "con"), "more");
        reg_write(&f.d[0], 0x70, 0);
        g_assert_false(f.d[0].v->s->broken);
        end(&f);
    }
}

/* Ports and messages that there are not are the driver's loss. */
static void test_unknown(void)
{
    Fixture f;

    setup(&f);
    tell(&f, 7, PORT_READY, 1);
    tell(&f, UINT32_MAX, PORT_OPEN, 1);
    tell(&f, 0, RESIZE, 1);
    tell(&f, 0, 1000, 1);
    g_assert_cmpuint(used_index(&f.d[CONTROL_TX]), ==, 4);
    g_assert_false(f.d[0].v->s->broken);
    end(&f);
}

static void refused(Fixture *f, const char *text, const char *expected)
{
    Error *err = NULL;

    g_assert_null(plug(f, text, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), expected));
    error_free(err);
}

static void test_numbers(void)
{
    Fixture f;

    make(&f, "virtio-serial-device,id=vs,max_ports=3");
    g_assert_nonnull(plug(&f, "virtserialport,nr=2,id=two", NULL));
    refused(&f, "virtserialport,nr=2", "nr=2 is that of 'two'");
    end(&f);
    make(&f, "virtio-serial-device,id=vs,max_ports=3");
    refused(&f, "virtserialport,nr=0", "nr=0 is for virtconsole");
    end(&f);
    make(&f, "virtio-serial-device,id=vs,max_ports=3");
    refused(&f, "virtconsole,nr=3", "'vs.0' has ports 0 to 2");
    end(&f);
    make(&f, "virtio-serial-device,id=vs,max_ports=1");
    g_assert_cmphex(reg_read(&f.d[0], 0x10) & MULTIPORT, ==, 0);
    refused(&f, "virtserialport", "no port of 'vs.0' is free");
    end(&f);
    make(&f, "virtio-serial-device,id=vs");
    g_assert_cmpuint(reg_read(&f.d[0], 0x104), ==, 31);
    reg_write(&f.d[0], 0x30, 63);
    g_assert_cmpuint(reg_read(&f.d[0], 0x34), ==, 128);
    end(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-serial/control", test_control);
    g_test_add_func("/virtio-serial/control-waits", test_control_waits);
    g_test_add_func("/virtio-serial/input", test_input);
    g_test_add_func("/virtio-serial/output", test_output);
    g_test_add_func("/virtio-serial/single", test_single);
    g_test_add_func("/virtio-serial/state", test_state);
    g_test_add_func("/virtio-serial/broken", test_broken);
    g_test_add_func("/virtio-serial/unknown", test_unknown);
    g_test_add_func("/virtio-serial/numbers", test_numbers);
    return g_test_run();
}
