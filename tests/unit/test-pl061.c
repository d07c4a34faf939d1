/*
 * PL061 and the GPIO key: the rows, masked data, edges and levels, the power button.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "device-test.h"
#include "hw/gpio/gpio-key.h"
#include "hw/gpio/pl061.h"

#define BASE 0x9030000
#define DATA(mask) (BASE + 4 * (mask))
#define DIR (BASE + 0x400)
#define IS (BASE + 0x404)
#define IBE (BASE + 0x408)
#define IEV (BASE + 0x40c)
#define IE (BASE + 0x410)
#define RIS (BASE + 0x414)
#define MIS (BASE + 0x418)
#define IC (BASE + 0x41c)

typedef struct Fixture {
    Machine *m;
    IrqSink irq, out[8];
    IrqLine in[8];
    Device *key;
} Fixture;

static void setup(Fixture *f, const void *unused)
{
    Device *gpio;

    f->m = machine_new(NULL);
    clock_use_icount(f->m->clock, 0);
    gpio = device_add(f->m, &pl061_type, "gpio", BASE, irq_sink_line(&f->irq), NULL);
    for (unsigned i = 0; i < 8; i++) {
        f->in[i] = device_input(gpio, i);
        pl061_connect_output(gpio, i, irq_sink_line(&f->out[i]));
    }
    f->key = device_add(f->m, &gpio_key_type, "power-button", 0, device_input(gpio, 3), NULL);
    machine_reset_devices(f->m);
}

static void teardown(Fixture *f, const void *unused)
{
    machine_free(f->m);
}

static void test_rows(Fixture *f, const void *unused)
{
    static const RowCheck rows[] = {
        { 0x3fc, 0, 0 }, { 0x400, 0, 0xff }, { 0x404, 0, 0xff }, { 0x408, 0, 0xff },
        { 0x40c, 0, 0xff }, { 0x410, 0, 0xff }, { 0x414, 0, 0 }, { 0x418, 0, 0 },
        { 0x41c, 0, 0 }, { 0x420, 0, 0xff }, { 0x424, 0, 0 },
        { 0xfe0, 0x61, 0x61 }, { 0xfe4, 0x10, 0x10 }, { 0xfe8, 0x04, 0x04 }, { 0xfec, 0, 0 },
        { 0xff0, 0x0d, 0x0d }, { 0xff4, 0xf0, 0xf0 }, { 0xff8, 0x05, 0x05 },
        { 0xffc, 0xb1, 0xb1 },
    };

    check_rows(f->m, BASE, rows, ARRAY_SIZE(rows));
}

static void test_data(Fixture *f, const void *unused)
{
    wr(f->m, DIR, 0xf0);
    wr(f->m, DATA(0xff), 0xaf);
    g_assert_cmphex(rd(f->m, DATA(0xff)), ==, 0xa0);
    g_assert_true(f->out[7].level && f->out[5].level);
    g_assert_false(f->out[6].level || f->out[4].level || f->out[0].level);
    /* Only the bits of the address mask. */
    wr(f->m, DATA(0x30), 0x10);
    g_assert_cmphex(rd(f->m, DATA(0xff)), ==, 0x90);
    g_assert_cmphex(rd(f->m, DATA(0x1f)), ==, 0x10);
    g_assert_false(f->out[5].level);
    irq_set(&f->in[0], true);
    irq_set(&f->in[7], false);
    g_assert_cmphex(rd(f->m, DATA(0xff)), ==, 0x91);
    g_assert_cmphex(peek(f->m, DATA(0x81)), ==, 0x81);
    /* What was written before a line became an output is not kept. */
    wr(f->m, DIR, 0xff);
    g_assert_cmphex(rd(f->m, DATA(0xff)), ==, 0x90);
}

static void test_edges(Fixture *f, const void *unused)
{
    wr(f->m, IEV, 0x02);
    wr(f->m, IBE, 0x04);
    wr(f->m, IE, 0x03);
    irq_set(&f->in[1], true);
    irq_set(&f->in[1], true);
    irq_set(&f->in[0], true);
    irq_set(&f->in[2], true);
    g_assert_cmphex(rd(f->m, RIS), ==, 0x06);
    g_assert_cmphex(rd(f->m, MIS), ==, 0x02);
    g_assert_true(f->irq.level);
    wr(f->m, IC, 0x06);
    g_assert_cmphex(rd(f->m, RIS), ==, 0);
    g_assert_false(f->irq.level);
    irq_set(&f->in[1], false);
    irq_set(&f->in[0], false);
    irq_set(&f->in[2], false);
    g_assert_cmphex(rd(f->m, RIS), ==, 0x05);
    g_assert_cmphex(rd(f->m, MIS), ==, 0x01);
    wr(f->m, IS, 0x01);
    g_assert_cmphex(rd(f->m, RIS), ==, 0x05);   /* now its low level */
    wr(f->m, IC, 0xff);
    g_assert_cmphex(rd(f->m, RIS), ==, 0x01);
    /* An output does not interrupt. */
    wr(f->m, DIR, 0x02);
    irq_set(&f->in[1], true);
    g_assert_cmphex(rd(f->m, RIS), ==, 0x01);
}

static void test_levels(Fixture *f, const void *unused)
{
    wr(f->m, IS, 0xff);
    wr(f->m, IEV, 0x0f);
    wr(f->m, IE, 0x11);
    g_assert_cmphex(rd(f->m, RIS), ==, 0xf0);
    g_assert_true(f->irq.level);
    irq_set(&f->in[4], true);
    g_assert_false(f->irq.level);
    irq_set(&f->in[0], true);
    g_assert_true(f->irq.level);
    g_assert_cmphex(rd(f->m, MIS), ==, 0x01);
    wr(f->m, IC, 0xff);
    g_assert_cmphex(rd(f->m, MIS), ==, 0x01);
    irq_set(&f->in[0], false);
    g_assert_false(f->irq.level);
}

static void test_power_button(Fixture *f, const void *unused)
{
    /* As a driver of gpio-keys does: both edges. */
    wr(f->m, IBE, 0x08);
    wr(f->m, IE, 0x08);
    gpio_key_press(f->key);
    g_assert_cmphex(rd(f->m, DATA(0x08)), ==, 0x08);
    g_assert_true(f->irq.level);
    wr(f->m, IC, 0x08);
    pass_ns(f->m, GPIO_KEY_PRESS_NS - 1);
    g_assert_false(f->irq.level);
    pass_ns(f->m, 1);
    g_assert_cmphex(rd(f->m, DATA(0x08)), ==, 0);
    g_assert_true(f->irq.level);
    /* Pressed again while down: held longer. */
    gpio_key_press(f->key);
    pass_ns(f->m, 60000000);
    gpio_key_press(f->key);
    pass_ns(f->m, 60000000);
    g_assert_cmphex(rd(f->m, DATA(0x08)), ==, 0x08);
    /* A reset does not lift the finger. */
    machine_reset_devices(f->m);
    g_assert_cmphex(rd(f->m, DATA(0x08)), ==, 0x08);
    pass_ns(f->m, 40000000);
    g_assert_cmphex(rd(f->m, DATA(0x08)), ==, 0);
    g_assert_cmpint(clock_next_deadline(f->m->clock), ==, CLOCK_NO_DEADLINE);
}

static void test_save_load(Fixture *f, const void *unused)
{
    Fixture g = { 0 };

    setup(&g, NULL);
    wr(f->m, DIR, 0xc0);
    wr(f->m, DATA(0xff), 0x40);
    wr(f->m, IBE, 0x08);
    wr(f->m, IE, 0x08);
    gpio_key_press(f->key);
    devices_transfer(f->m, g.m);
    g_assert_cmpuint(g.irq.rises, ==, 0);
    g_assert_cmphex(rd(g.m, DATA(0xff)), ==, 0x48);
    g_assert_cmphex(rd(g.m, MIS), ==, 0x08);
    pass_ns(g.m, GPIO_KEY_PRESS_NS);
    g_assert_cmphex(rd(g.m, DATA(0xff)), ==, 0x40);
    teardown(&g, NULL);
}

#define ADD(name) \
    g_test_add("/pl061/" #name, Fixture, NULL, setup, test_##name, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(rows);
    ADD(data);
    ADD(edges);
    ADD(levels);
    ADD(power_button);
    ADD(save_load);
    return g_test_run();
}
