/*
 * The generic watchdog on a fake bus: registers, its two stages at the exact nanosecond, each kind of
 * refresh, a compare value that is written, reset, and save and load in each stage.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "device-test.h"
#include "hw/watchdog/sbsa_gwdt.h"

#define BASE 0xc000000
#define WCS BASE
#define WOR (BASE + 0x008)
#define WOR_HIGH (BASE + 0x00c)
#define WCV (BASE + 0x010)
#define WCV_HIGH (BASE + 0x014)
#define WRR (BASE + GWDT_FRAME)

#define TICK_NS 16            /* of the 62.5 MHz that clock-frequency is */
#define EN 1
#define WS0 2
#define WS1 4
#define NANOSECONDS 1000000000ll

typedef struct Fixture {
    Machine *m;
    IrqSink irq;
} Fixture;

static void setup(Fixture *f, const void *unused)
{
    f->m = machine_new(NULL);
    f->irq = (IrqSink){ 0 };
    clock_use_icount(f->m->clock, 0);
    g_assert_nonnull(device_add(f->m, &sbsa_gwdt_type, "dog", BASE, irq_sink_line(&f->irq), NULL));
    machine_reset_devices(f->m);
}

static void teardown(Fixture *f, const void *unused)
{
    machine_free(f->m);
}

static bool bitten(Fixture *f)
{
    bool bit = f->m->reports == 1u << MACHINE_REPORT_WATCHDOG;

    g_assert_true(bit || !f->m->reports);
    f->m->reports = 0;
    return bit;
}

/* WCS and the interrupt, which follows WS0. */
static void check(Fixture *f, uint32_t wcs)
{
    g_assert_cmphex(rd(f->m, WCS), ==, wcs);
    g_assert_true(f->irq.level == ((wcs & WS0) != 0));
}

static uint64_t wcv(Fixture *f)
{
    return (uint64_t)rd(f->m, WCV_HIGH) << 32 | rd(f->m, WCV);
}

static void start(Fixture *f, uint32_t ticks)
{
    wr(f->m, WOR, ticks);
    wr(f->m, WCS, EN);
}

static void test_registers(Fixture *f, const void *unused)
{
    static const RowCheck rows[] = {
        { 0x000, 0, EN },
        { 0x008, 0, UINT32_MAX },
        { 0x00c, 0, 0xffff },
        { 0x010, 0, UINT32_MAX },
        { 0x014, 0, UINT32_MAX },
        { 0xfcc, 0x1043b, 0x1043b },
        { GWDT_FRAME, 0, 0 },
        { GWDT_FRAME + 0xfcc, 0x1043b, 0x1043b },
    };

    check_rows(f->m, BASE, rows, ARRAY_SIZE(rows));
    g_assert_false(bitten(f));
    io_write(f->m, WOR, 8, 0x0000123489abcdef);
    g_assert_cmphex(io_read(f->m, WOR, 8), ==, 0x0000123489abcdef);
    g_assert_cmphex(peek(f->m, WCV), ==, 0x89abcdef);
    g_assert_cmphex(peek(f->m, WCV_HIGH), ==, 0x1234);
}

/* WS0 when the counter is past WCV, WS1 after as long again, then nothing. */
static void test_stages(Fixture *f, const void *unused)
{
    pass_ns(f->m, 1000 * TICK_NS + 5);
    start(f, 100);
    g_assert_cmpuint(wcv(f), ==, 1100);
    pass_ns(f->m, 101 * TICK_NS - 6);
    check(f, EN);
    pass_ns(f->m, 1);
    check(f, EN | WS0);
    g_assert_cmpuint(wcv(f), ==, 1101 + 100);
    pass_ns(f->m, 101 * TICK_NS - 1);
    check(f, EN | WS0);
    g_assert_false(bitten(f));
    pass_ns(f->m, 1);
    check(f, EN | WS0 | WS1);
    g_assert_true(bitten(f));
    g_assert_cmpint(clock_next_deadline(f->m->clock), ==, CLOCK_NO_DEADLINE);
    pass_ns(f->m, NANOSECONDS);
    check(f, EN | WS0 | WS1);
    g_assert_false(bitten(f));
    g_assert_cmpuint(f->irq.rises, ==, 1);
}

/* Each of the three takes both signals back, and counts from there. */
static void test_refresh(Fixture *f, const void *unused)
{
    static const hwaddr places[] = { WRR, WCS, WOR };

    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        for (unsigned stage = 1; stage <= 2; stage++) {
            uint32_t value = places[i] == WCS ? EN : places[i] == WOR ? 1000 : 77;

            start(f, 1000);
            for (unsigned n = 0; n < stage; n++) {
                pass_ns(f->m, 1100 * TICK_NS);
            }
            check(f, stage == 1 ? EN | WS0 : EN | WS0 | WS1);
            g_assert_true(bitten(f) == (stage == 2));
            wr(f->m, places[i], value);
            check(f, EN);
            pass_ns(f->m, 1000 * TICK_NS);
            check(f, EN);
            pass_ns(f->m, TICK_NS);
            check(f, EN | WS0);
            wr(f->m, WCS, 0);
            check(f, 0);
            pass_ns(f->m, 5000 * TICK_NS);
            check(f, 0);
            g_assert_false(bitten(f));
        }
    }
}

static void test_compare(Fixture *f, const void *unused)
{
    start(f, 1000);
    wr(f->m, WCV, 50);
    pass_ns(f->m, 50 * TICK_NS);
    check(f, EN);
    pass_ns(f->m, TICK_NS);
    check(f, EN | WS0);
    /* One that is behind: at once. One that never comes: not. */
    wr(f->m, WCV, 0);
    pass_ns(f->m, 0);
    check(f, EN | WS0 | WS1);
    g_assert_true(bitten(f));
    wr(f->m, WRR, 0);
    io_write(f->m, WCV, 8, UINT64_MAX);
    g_assert_cmpint(clock_next_deadline(f->m->clock), ==, CLOCK_NO_DEADLINE);
    io_write(f->m, WCV, 8, UINT64_MAX / 2);
    g_assert_cmpint(clock_next_deadline(f->m->clock), ==, CLOCK_NO_DEADLINE);
}

/* An offset of nothing: both stages within two ticks, and no timer that fires for ever. */
static void test_no_offset(Fixture *f, const void *unused)
{
    start(f, 0);
    pass_ns(f->m, TICK_NS);
    check(f, EN | WS0);
    pass_ns(f->m, TICK_NS);
    check(f, EN | WS0 | WS1);
    g_assert_true(bitten(f));
}

static void test_reset(Fixture *f, const void *unused)
{
    start(f, 10);
    pass_ns(f->m, 15 * TICK_NS);
    check(f, EN | WS0);
    machine_reset_devices(f->m);
    check(f, 0);
    g_assert_cmpint(clock_next_deadline(f->m->clock), ==, CLOCK_NO_DEADLINE);
}

static void test_frequency(void)
{
    Fixture f = { .m = machine_new(NULL) };

    clock_use_icount(f.m->clock, 0);
    add_device(f.m, &sbsa_gwdt_type, "dog", "clock-frequency=3", BASE, 0);
    machine_reset_devices(f.m);
    start(&f, 2);
    pass_ns(f.m, NANOSECONDS - 1);
    g_assert_cmphex(rd(f.m, WCS), ==, EN);
    pass_ns(f.m, 1);
    g_assert_cmphex(rd(f.m, WCS), ==, EN | WS0);
    machine_free(f.m);
}

/* Saved in each stage: the copy goes on like the original. */
static void test_save(Fixture *f, const void *unused)
{
    for (unsigned stage = 0; stage < 3; stage++) {
        Fixture copy;

        wr(f->m, WCS, 0);
        start(f, 100);
        pass_ns(f->m, 50 * TICK_NS);
        for (unsigned n = 0; n < stage; n++) {
            pass_ns(f->m, 101 * TICK_NS);
        }
        setup(&copy, NULL);
        devices_transfer(f->m, copy.m);
        for (unsigned n = 0; n < 3; n++) {
            g_assert_cmphex(rd(copy.m, WCS), ==, rd(f->m, WCS));
            /* What was told before is not told again. */
            g_assert_true(bitten(&copy) == (bitten(f) && (stage < 2 || n)));
            pass_ns(f->m, 101 * TICK_NS);
            pass_ns(copy.m, 101 * TICK_NS);
            g_assert_cmphex(devices_digest(copy.m), ==, devices_digest(f->m));
        }
        teardown(&copy, NULL);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, fn) g_test_add("/sbsa-gwdt/" name, Fixture, NULL, setup, fn, teardown)
    ADD("registers", test_registers);
    ADD("stages", test_stages);
    ADD("refresh", test_refresh);
    ADD("compare", test_compare);
    ADD("no-offset", test_no_offset);
    ADD("reset", test_reset);
    ADD("save", test_save);
    g_test_add_func("/sbsa-gwdt/frequency", test_frequency);
    return g_test_run();
}
