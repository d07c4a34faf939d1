/*
 * PL031: the rows, the counter, the alarm. The wall clock is a fake.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "device-test.h"
#include "hw/rtc/pl031.h"
#include "replay/sources.h"
#include "util/host-clock.h"

#define BASE 0x9010000
#define DR (BASE + 0x00)
#define MR (BASE + 0x04)
#define LR (BASE + 0x08)
#define CR (BASE + 0x0c)
#define IMSC (BASE + 0x10)
#define RIS (BASE + 0x14)
#define MIS (BASE + 0x18)
#define ICR (BASE + 0x1c)
#define SECOND 1000000000ll

/* ---- the fake replay module ---- */

struct Replay {
    int64_t wall_ns;         /* 0: ask the device's producer */
    unsigned asked, sources;
};

ReplaySource *replay_source_new(Replay *r, ReplayKind kind, const char *name,
                                ReplayDeliver *deliver, void *opaque)
{
    g_assert_cmpint(kind, ==, REPLAY_KIND_HOST_CLOCK);
    g_assert_cmpstr(name, ==, "rtc");
    g_assert_null(deliver);
    r->sources++;
    return (ReplaySource *)r;
}

void replay_value(ReplaySource *s, ReplayProduce *produce, void *opaque, void *out, size_t length)
{
    Replay *r = (Replay *)s;
    int64_t le = GINT64_TO_LE(r->wall_ns);

    r->asked++;
    g_assert_cmpuint(length, ==, 8);
    if (r->wall_ns) {
        memcpy(out, &le, 8);
    } else {
        produce(opaque, out, length);
    }
}

/* ---- */

typedef struct Fixture {
    Replay replay;
    Machine *m;
    IrqSink irq;
} Fixture;

static void setup(Fixture *f, const void *unused)
{
    f->replay.wall_ns = 1700000000 * SECOND + 999999999;
    f->m = machine_new(&f->replay);
    clock_use_icount(f->m->clock, 0);
    device_add(f->m, &pl031_type, "rtc", BASE, irq_sink_line(&f->irq), NULL);
    machine_reset_devices(f->m);
    g_assert_cmpuint(f->replay.sources, ==, 1);
}

static void teardown(Fixture *f, const void *unused)
{
    machine_free(f->m);
}

static void test_rows(Fixture *f, const void *unused)
{
    static const RowCheck rows[] = {
        { 0x00, 1700000000, 1700000000 }, { 0x04, 0, UINT32_MAX }, { 0x0c, 1, 1 },
        { 0x10, 0, 1 }, { 0x14, 0, 0 }, { 0x18, 0, 0 }, { 0x1c, 0, 0 }, { 0x20, 0, 0 },
        { 0xfe0, 0x31, 0x31 }, { 0xfe4, 0x10, 0x10 }, { 0xfe8, 0x14, 0x14 }, { 0xfec, 0, 0 },
        { 0xff0, 0x0d, 0x0d }, { 0xff4, 0xf0, 0xf0 }, { 0xff8, 0x05, 0x05 },
        { 0xffc, 0xb1, 0xb1 },
        { 0x08, 0, UINT32_MAX },
    };

    check_rows(f->m, BASE, rows, ARRAY_SIZE(rows));
}

static void test_counter(Fixture *f, const void *unused)
{
    unsigned asked;

    g_assert_cmpuint(rd(f->m, DR), ==, 1700000000);
    f->replay.wall_ns += 5 * SECOND;
    g_assert_cmpuint(rd(f->m, DR), ==, 1700000005);
    wr(f->m, LR, 100);
    g_assert_cmpuint(rd(f->m, LR), ==, 100);
    g_assert_cmpuint(rd(f->m, DR), ==, 100);
    f->replay.wall_ns += 7 * SECOND;
    g_assert_cmpuint(rd(f->m, DR), ==, 107);
    /* A battery keeps it. */
    machine_reset_devices(f->m);
    g_assert_cmpuint(rd(f->m, DR), ==, 107);
    /* An observer causes no look at the host's clock. */
    asked = f->replay.asked;
    f->replay.wall_ns += SECOND;
    g_assert_cmpuint(peek(f->m, DR), ==, 107);
    g_assert_cmpuint(f->replay.asked, ==, asked);
    /* It wraps after 32 bits. */
    wr(f->m, LR, UINT32_MAX);
    f->replay.wall_ns += SECOND;
    g_assert_cmpuint(rd(f->m, DR), ==, 0);
}

static void test_host_clock(Fixture *f, const void *unused)
{
    f->replay.wall_ns = 0;
    /* Later than the year 2020, earlier than 2100. */
    g_assert_cmpuint(rd(f->m, DR), >, 1577836800u);
    g_assert_cmpuint(rd(f->m, DR), <, 4102444800u);
}

static void test_alarm(Fixture *f, const void *unused)
{
    wr(f->m, IMSC, 1);
    wr(f->m, MR, 1700000010);
    pass_ns(f->m, 10 * SECOND - 1);
    g_assert_false(f->irq.level);
    pass_ns(f->m, 1);
    g_assert_true(f->irq.level);
    g_assert_cmphex(rd(f->m, RIS), ==, 1);
    g_assert_cmphex(rd(f->m, MIS), ==, 1);
    wr(f->m, IMSC, 0);
    g_assert_false(f->irq.level);
    g_assert_cmphex(rd(f->m, MIS), ==, 0);
    wr(f->m, IMSC, 1);
    g_assert_true(f->irq.level);
    wr(f->m, ICR, 1);
    g_assert_false(f->irq.level);
    g_assert_cmphex(rd(f->m, RIS), ==, 0);

    /* Equal at once. */
    wr(f->m, MR, 1700000000);
    g_assert_true(f->irq.level);
    wr(f->m, ICR, 1);
    /* The counter is moved nearer to the match. */
    wr(f->m, MR, 1700001000);
    wr(f->m, LR, 1700000999);
    pass_ns(f->m, SECOND);
    g_assert_true(f->irq.level);
    wr(f->m, ICR, 1);
    /* Just missed: 2^32 - 1 seconds to go. */
    wr(f->m, MR, 1700000998);
    pass_ns(f->m, (int64_t)UINT32_MAX * SECOND - 1);
    g_assert_false(f->irq.level);
    pass_ns(f->m, 1);
    g_assert_true(f->irq.level);
    machine_reset_devices(f->m);
    g_assert_false(f->irq.level);
    /* Loading the counter does not set an alarm of its own. */
    wr(f->m, IMSC, 1);
    wr(f->m, LR, 0);
    g_assert_false(f->irq.level);
    g_assert_cmpint(clock_next_deadline(f->m->clock), ==, CLOCK_NO_DEADLINE);
}

/* -rtc: the clock of the host with an offset, or virtual time, which nobody has to ask the host for. */
static void test_clocks(Fixture *f, const void *unused)
{
    int64_t now;
    unsigned asked;

    f->m->rtc = (RtcConfig){ RTC_CLOCK_VM, 1900000000 * SECOND + SECOND / 2 };
    asked = f->replay.asked;
    g_assert_cmpuint(rd(f->m, DR), ==, 1900000000);
    pass_ns(f->m, SECOND / 2 - 1);
    g_assert_cmpuint(rd(f->m, DR), ==, 1900000000);
    pass_ns(f->m, 1);
    g_assert_cmpuint(rd(f->m, DR), ==, 1900000001);
    g_assert_cmpuint(f->replay.asked, ==, asked);

    f->replay.wall_ns = 0;
    f->m->rtc = (RtcConfig){ RTC_CLOCK_RT, 0 };
    f->m->rtc.offset_ns = 1900000000 * SECOND - host_monotonic_ns();
    g_assert_cmpuint(rd(f->m, DR) - 1900000000, <, 60);
    f->m->rtc = (RtcConfig){ RTC_CLOCK_HOST, 3600 * SECOND };
    now = host_realtime_ns() / SECOND;
    g_assert_cmpint(rd(f->m, DR) - now - 3600, >=, 0);
    g_assert_cmpint(rd(f->m, DR) - now - 3600, <, 60);
    g_assert_cmpuint(f->replay.asked, >, asked);
}

static void test_save_load(Fixture *f, const void *unused)
{
    Fixture g = { 0 };

    setup(&g, NULL);
    wr(f->m, LR, 50);
    wr(f->m, MR, 53);
    wr(f->m, IMSC, 1);
    devices_transfer(f->m, g.m);
    g_assert_cmpuint(g.irq.rises, ==, 0);
    g_assert_cmpuint(rd(g.m, DR), ==, 50);
    pass_ns(g.m, 3 * SECOND);
    g_assert_true(g.irq.level);
    teardown(&g, NULL);
}

#define ADD(name) \
    g_test_add("/pl031/" #name, Fixture, NULL, setup, test_##name, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(rows);
    ADD(counter);
    ADD(host_clock);
    ADD(alarm);
    ADD(clocks);
    ADD(save_load);
    return g_test_run();
}
