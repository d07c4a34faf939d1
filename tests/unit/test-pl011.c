/*
 * PL011: the rows, then FIFO, interrupts, loopback, save and load. The character
 * port is a fake with a queue of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "device-test.h"
#include "hw/char/pl011.h"

#define BASE 0x9000000
#define DR (BASE + 0x00)
#define RSR (BASE + 0x04)
#define FR (BASE + 0x18)
#define IBRD (BASE + 0x24)
#define LCR_H (BASE + 0x2c)
#define CR (BASE + 0x30)
#define IMSC (BASE + 0x38)
#define RIS (BASE + 0x3c)
#define MIS (BASE + 0x40)
#define ICR (BASE + 0x44)

#define FR_RXFE 0x10
#define FR_RXFF 0x40
#define FR_TXFE 0x80
#define INT_RX 0x010
#define INT_TX 0x020
#define INT_RT 0x040
#define INT_BE 0x200
#define INT_OE 0x400
#define DR_OE 0x800
#define DR_BE 0x400
#define FEN 0x10
#define LBE 0x380

/* ---- the fake port ---- */

struct CharPort {
    const CharPortClient *client;
    void *opaque;
    GByteArray *in;
    GString *out;
    unsigned loads;
};

CharPort *char_port_new(Replay *r, const char *id, const CharPortClient *client, void *opaque)
{
    CharPort *p = g_new0(CharPort, 1);

    g_assert_cmpstr(id, ==, "uart0");
    *p = (CharPort) { client, opaque, g_byte_array_new(), g_string_new(NULL), 0 };
    return p;
}

void char_port_free(CharPort *p)
{
    g_byte_array_unref(p->in);
    g_string_free(p->out, TRUE);
    g_free(p);
}

void char_port_write(CharPort *p, const uint8_t *data, size_t length)
{
    g_string_append_len(p->out, (const char *)data, (gssize)length);
}

void char_port_accept_input(CharPort *p)
{
    size_t n = MIN(p->client->can_receive(p->opaque), p->in->len);
    uint8_t data[64];

    if (n) {
        memcpy(data, p->in->data, n);
        g_byte_array_remove_range(p->in, 0, (guint)n);
        p->client->receive(p->opaque, data, n);
    }
}

GByteArray *char_port_queue(CharPort *p)
{
    return p->in;
}

void char_port_queue_loaded(CharPort *p)
{
    p->loads++;
}

/* ---- */

typedef struct Fixture {
    Machine *m;
    CharPort *port;
    IrqSink irq;
} Fixture;

static void setup(Fixture *f, const void *unused)
{
    f->m = machine_new(NULL);
    clock_use_icount(f->m->clock, 0);
    device_add(f->m, &pl011_type, "uart0", BASE, irq_sink_line(&f->irq), NULL);
    f->port = g_ptr_array_index(f->m->serial, 0);
    machine_reset_devices(f->m);
}

static void teardown(Fixture *f, const void *unused)
{
    machine_free(f->m);
}

static void type(Fixture *f, const char *text)
{
    g_byte_array_append(f->port->in, (const uint8_t *)text, (guint)strlen(text));
    char_port_accept_input(f->port);
}

static void check_out(Fixture *f, const char *text)
{
    g_assert_cmpstr(f->port->out->str, ==, text);
    g_string_truncate(f->port->out, 0);
}

static void test_rows(Fixture *f, const void *unused)
{
    static const RowCheck rows[] = {
        { 0x004, 0, 0 }, { 0x018, 0x90, 0x90 }, { 0x020, 0, 0xff }, { 0x024, 0, 0xffff },
        { 0x028, 0, 0x3f }, { 0x02c, 0, 0xff }, { 0x030, 0x300, 0xff87 }, { 0x034, 0x12, 0x3f },
        { 0x038, 0, 0x7ff }, { 0x03c, 0, 0 }, { 0x040, 0, 0 }, { 0x044, 0, 0 },
        { 0x048, 0, 7 },
        { 0xfe0, 0x11, 0x11 }, { 0xfe4, 0x10, 0x10 }, { 0xfe8, 0x14, 0x14 }, { 0xfec, 0, 0 },
        { 0xff0, 0x0d, 0x0d }, { 0xff4, 0xf0, 0xf0 }, { 0xff8, 0x05, 0x05 },
        { 0xffc, 0xb1, 0xb1 },
        /* Not there. */
        { 0x008, 0, 0 }, { 0x04c, 0, 0 },
    };

    check_rows(f->m, BASE, rows, ARRAY_SIZE(rows));
}

static void test_transmit(Fixture *f, const void *unused)
{
    io_write(f->m, DR, 1, 'a');
    io_write(f->m, DR, 2, 'b');
    wr(f->m, DR, 0x12345600 | 'c');
    check_out(f, "abc");
    g_assert_cmphex(rd(f->m, FR), ==, FR_TXFE | FR_RXFE);
    g_assert_cmphex(rd(f->m, RIS), ==, INT_TX);
    g_assert_false(f->irq.level);
    wr(f->m, IMSC, INT_TX);
    g_assert_true(f->irq.level);
    g_assert_cmphex(rd(f->m, MIS), ==, INT_TX);
    wr(f->m, ICR, INT_TX);
    g_assert_false(f->irq.level);
    g_assert_cmphex(rd(f->m, RIS), ==, 0);
}

static void test_single_key(Fixture *f, const void *unused)
{
    wr(f->m, LCR_H, FEN);
    wr(f->m, IMSC, INT_RX);
    type(f, "x");
    g_assert_true(f->irq.level);
    g_assert_cmphex(rd(f->m, RIS), ==, INT_RX);
    g_assert_cmphex(rd(f->m, FR), ==, FR_TXFE);
    g_assert_cmphex(peek(f->m, DR), ==, 'x');
    g_assert_cmphex(peek(f->m, DR), ==, 'x');
    g_assert_cmphex(rd(f->m, DR), ==, 'x');
    g_assert_false(f->irq.level);
    g_assert_cmphex(rd(f->m, FR), ==, FR_TXFE | FR_RXFE);
    /* Read too often: the last character again. */
    g_assert_cmphex(rd(f->m, DR), ==, 'x');
}

static void test_fifo(Fixture *f, const void *unused)
{
    static const char text[] = "0123456789abcdefghij";

    /* One character while the FIFO is off. */
    type(f, text);
    g_assert_cmpuint(f->port->in->len, ==, 19);
    g_assert_cmphex(rd(f->m, FR), ==, FR_TXFE | FR_RXFF);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmphex(rd(f->m, DR), ==, '0' + i);
    }
    /* Switching the FIFO on drops the character that is in it. */
    wr(f->m, LCR_H, FEN);
    g_assert_cmphex(rd(f->m, FR), ==, FR_TXFE | FR_RXFF);
    g_assert_cmpuint(f->port->in->len, ==, 0);
    g_assert_cmphex(rd(f->m, DR), ==, '4');
    g_assert_cmphex(rd(f->m, FR), ==, FR_TXFE);
    for (unsigned i = 5; i < 20; i++) {
        g_assert_cmphex(rd(f->m, RIS) & INT_RX, ==, INT_RX);
        g_assert_cmphex(rd(f->m, DR), ==, (uint32_t)text[i]);
    }
    g_assert_cmphex(rd(f->m, FR), ==, FR_TXFE | FR_RXFE);
    g_assert_cmphex(rd(f->m, RIS), ==, 0);
}

static void test_timeout(Fixture *f, const void *unused)
{
    wr(f->m, LCR_H, FEN);
    wr(f->m, IBRD, 13);                    /* 115200 baud: 32 bits take 277.3 us */
    wr(f->m, IMSC, INT_RT);
    type(f, "a");
    pass_ns(f->m, 200000);
    type(f, "b");
    pass_ns(f->m, 277332);
    g_assert_false(f->irq.level);
    pass_ns(f->m, 1);
    g_assert_true(f->irq.level);
    g_assert_cmphex(rd(f->m, RIS), ==, INT_RX | INT_RT);
    g_assert_cmphex(rd(f->m, DR), ==, 'a');
    g_assert_true(f->irq.level);
    g_assert_cmphex(rd(f->m, DR), ==, 'b');
    g_assert_cmphex(rd(f->m, RIS), ==, 0);
    g_assert_false(f->irq.level);
    /* Nothing left behind, nothing to report. */
    type(f, "c");
    rd(f->m, DR);
    pass_ns(f->m, 1000000);
    g_assert_cmphex(rd(f->m, RIS), ==, 0);
    g_assert_cmpint(clock_next_deadline(f->m->clock), ==, CLOCK_NO_DEADLINE);
    /* Cleared while data is there: quiet until the next character. */
    type(f, "d");
    pass_ns(f->m, 1000000);
    wr(f->m, ICR, INT_RT);
    g_assert_false(f->irq.level);
    pass_ns(f->m, 1000000);
    g_assert_false(f->irq.level);
}

static void test_loopback(Fixture *f, const void *unused)
{
    wr(f->m, LCR_H, FEN);
    wr(f->m, CR, LBE | 0x3c00);
    g_assert_cmphex(rd(f->m, FR), ==, 0x90 | 0x107);
    g_assert_cmphex(rd(f->m, RIS), ==, 0xf);
    wr(f->m, CR, LBE | 0x1c00);
    g_assert_cmphex(rd(f->m, FR), ==, 0x90 | 0x007);
    /* The line is not heard meanwhile. */
    type(f, "xy");
    for (unsigned i = 0; i < 16; i++) {
        wr(f->m, DR, 'A' + i);
    }
    check_out(f, "");
    g_assert_cmphex(rd(f->m, RIS) & INT_OE, ==, 0);
    wr(f->m, DR, 'Z');
    g_assert_cmphex(rd(f->m, RIS) & INT_OE, ==, INT_OE);
    g_assert_cmphex(rd(f->m, RSR), ==, 8);
    g_assert_cmphex(rd(f->m, DR), ==, DR_OE | 'A');
    for (unsigned i = 1; i < 16; i++) {
        g_assert_cmphex(rd(f->m, DR) & 0xff, ==, 'A' + i);
    }
    wr(f->m, RSR, 0);
    g_assert_cmphex(rd(f->m, RSR), ==, 0);
    wr(f->m, DR, 'n');
    g_assert_cmphex(rd(f->m, DR), ==, 'n');
    /* A break that is sent comes back. */
    wr(f->m, LCR_H, FEN | 1);
    g_assert_cmphex(rd(f->m, RIS) & INT_BE, ==, INT_BE);
    g_assert_cmphex(rd(f->m, DR), ==, DR_BE);
    wr(f->m, CR, 0x300);
    g_assert_cmphex(rd(f->m, DR), ==, 'x');
    g_assert_cmphex(rd(f->m, DR), ==, 'y');
}

static void test_break(Fixture *f, const void *unused)
{
    wr(f->m, LCR_H, FEN);
    wr(f->m, IMSC, INT_BE);
    type(f, "a");
    f->port->client->event(f->port->opaque, CHAR_EVENT_OPENED);
    f->port->client->event(f->port->opaque, CHAR_EVENT_BREAK);
    type(f, "b");
    g_assert_true(f->irq.level);
    wr(f->m, ICR, INT_BE);
    g_assert_false(f->irq.level);
    g_assert_cmphex(rd(f->m, DR), ==, 'a');
    g_assert_cmphex(rd(f->m, RSR), ==, 0);
    g_assert_cmphex(rd(f->m, DR), ==, DR_BE);
    g_assert_cmphex(rd(f->m, RSR), ==, 4);
    g_assert_cmphex(rd(f->m, DR), ==, 'b');
    g_assert_cmphex(rd(f->m, RSR), ==, 0);
}

static void test_reset(Fixture *f, const void *unused)
{
    wr(f->m, LCR_H, FEN);
    wr(f->m, IMSC, 0x7ff);
    type(f, "abcdefghijklmnopqrst");
    g_assert_true(f->irq.level);
    machine_reset_devices(f->m);
    g_assert_false(f->irq.level);
    /* What waited in the queue takes the room. */
    g_assert_cmphex(rd(f->m, DR), ==, 'q');
    g_assert_cmphex(rd(f->m, LCR_H), ==, 0);
}

static void test_save_load(Fixture *f, const void *unused)
{
    Fixture g = { 0 };

    setup(&g, NULL);
    wr(f->m, LCR_H, FEN);
    wr(f->m, IBRD, 13);
    wr(f->m, IMSC, INT_RT | INT_RX);
    /* Let the ring wrap, then leave it half full with more behind it. */
    type(f, "0123456789");
    for (unsigned i = 0; i < 10; i++) {
        rd(f->m, DR);
    }
    type(f, "abcdefgh");
    g_byte_array_append(f->port->in, (const uint8_t *)"ij", 2);
    g_assert_cmphex(devices_digest(f->m), !=, devices_digest(g.m));
    devices_transfer(f->m, g.m);
    g_assert_cmpuint(g.port->loads, ==, 1);
    g_assert_cmpuint(g.irq.rises, ==, 0);
    g_assert_cmpint(clock_next_deadline(g.m->clock), ==, clock_next_deadline(f->m->clock));
    pass_ns(f->m, 277333);
    pass_ns(g.m, 277333);
    for (unsigned i = 0; i < 10; i++) {
        g_assert_cmphex(rd(g.m, RIS), ==, rd(f->m, RIS));
        g_assert_cmphex(rd(f->m, DR), ==, 'a' + i);
        g_assert_cmphex(rd(g.m, DR), ==, 'a' + i);
        g_assert_cmphex(devices_digest(f->m), ==, devices_digest(g.m));
    }
    g_assert_cmphex(rd(g.m, RIS), ==, 0);
    teardown(&g, NULL);
}

#define ADD(name) \
    g_test_add("/pl011/" #name, Fixture, NULL, setup, test_##name, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(rows);
    ADD(transmit);
    ADD(single_key);
    ADD(fifo);
    ADD(timeout);
    ADD(loopback);
    ADD(break);
    ADD(reset);
    ADD(save_load);
    return g_test_run();
}
