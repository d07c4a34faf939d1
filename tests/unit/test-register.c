/*
 * Register rows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/register.h"

typedef struct DemoState {
    uint32_t control, mask, status;
} DemoState;

typedef struct Demo {
    unsigned updates, pops, last_write;
    DemoState state;
} Demo;

static uint32_t read_fifo(void *dev)
{
    Demo *d = dev;

    d->pops++;
    return 0xffffff42;
}

static uint32_t peek_fifo(void *dev)
{
    return 0xffffff42;
}

static void write_clear(void *dev, uint32_t value)
{
    Demo *d = dev;

    d->last_write = value;
    d->state.status &= ~value;
}

static void update(void *dev)
{
    Demo *d = dev;

    d->updates++;
}

#define STATE(f) REG_FIELD(DemoState, f)

static const RegisterRow rows[] = {
    REG_ROW(0x00, "FIFO", REG_UNSTORED, .readable = 0xff, .read = read_fifo, .peek = peek_fifo),
    REG_ROW(0x04, "CONTROL", STATE(control), .readable = 0xffff, .writable = 0x0ff0,
            .reset = 0x10301, .after_write = update),
    REG_ROW(0x08, "MASK", STATE(mask), .readable = 0xff, .writable = 0xff),
    REG_ROW(0x10, "STATUS", STATE(status), .readable = 0xf, .reset = 0xf),
    REG_ROW(0x14, "CLEAR", REG_UNSTORED, .writable = 0x7, .write = write_clear,
            .after_write = update),
    REG_ROW(0xfe0, "ID", REG_UNSTORED, .readable = 0xff, .reset = 0x31),
};

static const RegisterBank bank = {
    .device = "demo", .rows = rows, .num_rows = ARRAY_SIZE(rows),
    .state_offset = offsetof(Demo, state),
};

static void test_reset(void)
{
    Demo d = { .updates = 5 };

    register_reset(&bank, &d);
    g_assert_cmphex(d.state.control, ==, 0x10301);
    g_assert_cmphex(d.state.mask, ==, 0);
    g_assert_cmphex(d.state.status, ==, 0xf);
    g_assert_cmpuint(d.updates, ==, 5);
}

static void test_masks(void)
{
    Demo d = { 0 };

    register_reset(&bank, &d);
    g_assert_cmphex(register_read(&bank, &d, 4), ==, 0x0301);
    register_write(&bank, &d, 4, UINT32_MAX);
    g_assert_cmphex(d.state.control, ==, 0x10ff1);
    g_assert_cmphex(register_read(&bank, &d, 4), ==, 0x0ff1);
    register_write(&bank, &d, 4, 0);
    g_assert_cmphex(d.state.control, ==, 0x10001);
    g_assert_cmpuint(d.updates, ==, 2);
    g_assert_cmphex(register_read(&bank, &d, 0xfe0), ==, 0x31);
}

static void test_hooks(void)
{
    Demo d = { 0 };

    register_reset(&bank, &d);
    g_assert_cmphex(register_read(&bank, &d, 0), ==, 0x42);
    g_assert_cmpuint(d.pops, ==, 1);
    g_assert_cmphex(register_peek(&bank, &d, 0), ==, 0x42);
    g_assert_cmphex(register_peek(&bank, &d, 0x10), ==, 0xf);
    g_assert_cmphex(register_peek(&bank, &d, 0x0c), ==, 0);
    g_assert_cmpuint(d.pops, ==, 1);
    register_write(&bank, &d, 0x14, 0xfa);
    g_assert_cmphex(d.last_write, ==, 2);
    g_assert_cmphex(d.state.status, ==, 0xd);
    g_assert_cmpuint(d.updates, ==, 1);
}

/* Guest misuse: reads as zero, changes nothing. */
static void test_bad(void)
{
    Demo d = { 0 }, before;

    register_reset(&bank, &d);
    before = d;
    g_assert_cmphex(register_read(&bank, &d, 0x0c), ==, 0);
    g_assert_cmphex(register_read(&bank, &d, 0x05), ==, 0);
    g_assert_cmphex(register_read(&bank, &d, 0x10000), ==, 0);
    g_assert_cmphex(register_read(&bank, &d, 0x14), ==, 0);
    register_write(&bank, &d, 0x0c, 1);
    register_write(&bank, &d, 0x10000, 1);
    register_write(&bank, &d, 0x10, 0);
    register_write(&bank, &d, 0xfe0, 0);
    g_assert_cmpmem(&d, sizeof(d), &before, sizeof(before));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/register/reset", test_reset);
    g_test_add_func("/register/masks", test_masks);
    g_test_add_func("/register/hooks", test_hooks);
    g_test_add_func("/register/bad", test_bad);
    return g_test_run();
}
