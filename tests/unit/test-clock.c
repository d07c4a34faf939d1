/*
 * The virtual clock: exact deadlines, order of ties, warps and shift changes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/clock.h"
#include "util/host-clock.h"
#include <glib.h>

typedef struct Fixture {
    VirtualClock *clock;
    GString *fired;
} Fixture;

typedef struct TestTimer {
    Timer timer;
    Fixture *f;
    char name;
    int64_t again;   /* re-arm for this time when not 0 */
} TestTimer;

static void fire(void *opaque)
{
    TestTimer *t = opaque;

    g_assert_false(timer_pending(&t->timer));
    g_string_append_c(t->f->fired, t->name);
    if (t->again) {
        timer_mod(&t->timer, t->again);
    }
}

static void add(Fixture *f, TestTimer *t, char name)
{
    *t = (TestTimer) { .f = f, .name = name };
    timer_init(&t->timer, f->clock, fire, t, "test");
}

static void setup(Fixture *f, unsigned shift)
{
    f->clock = clock_new();
    f->fired = g_string_new(NULL);
    clock_use_icount(f->clock, shift);
}

static void teardown(Fixture *f)
{
    clock_free(f->clock);
    g_string_free(f->fired, TRUE);
}

static void check_fired(Fixture *f, const char *expected)
{
    g_assert_cmpstr(f->fired->str, ==, expected);
    g_string_truncate(f->fired, 0);
}

static void test_counting(void)
{
    Fixture f;
    int64_t left = 1000;

    setup(&f, 3);
    g_assert_true(clock_uses_icount(f.clock));
    g_assert_cmpint(clock_now(f.clock), ==, 0);
    clock_set_slice(f.clock, 1000, &left);
    g_assert_cmpint(clock_icount(f.clock), ==, 0);
    left = 600;
    g_assert_cmpint(clock_icount(f.clock), ==, 400);
    g_assert_cmpint(clock_now(f.clock), ==, 3200);
    clock_warp(f.clock, 17);
    g_assert_cmpint(clock_now(f.clock), ==, 3217);
    g_assert_cmpint(clock_icount(f.clock), ==, 400);
    /* Time goes on from where it was, at the new pace. */
    clock_set_shift(f.clock, 0);
    g_assert_cmpint(clock_now(f.clock), ==, 3217);
    g_assert_cmpuint(clock_shift(f.clock), ==, 0);
    left = 599;
    g_assert_cmpint(clock_now(f.clock), ==, 3218);
    clock_set_shift(f.clock, 10);
    left = 598;
    g_assert_cmpint(clock_now(f.clock), ==, 3218 + 1024);
    teardown(&f);
}

static void test_icount_until(void)
{
    Fixture f;
    int64_t left = 0;

    setup(&f, 3);
    g_assert_cmpint(clock_icount_until(f.clock, 0), ==, 0);
    g_assert_cmpint(clock_icount_until(f.clock, -5), ==, 0);
    g_assert_cmpint(clock_icount_until(f.clock, 1), ==, 1);
    g_assert_cmpint(clock_icount_until(f.clock, 8), ==, 1);
    g_assert_cmpint(clock_icount_until(f.clock, 9), ==, 2);
    g_assert_cmpint(clock_icount_until(f.clock, CLOCK_NO_DEADLINE), ==, INT64_MAX);
    g_assert_cmpint(clock_icount_until(f.clock, INT64_MAX - 1), ==, (1ll << 60));
    clock_warp(f.clock, 3);
    g_assert_cmpint(clock_icount_until(f.clock, 11), ==, 1);
    g_assert_cmpint(clock_icount_until(f.clock, 12), ==, 2);

    /* The promise itself: first boundary where now >= deadline. */
    for (int64_t deadline = 1; deadline < 40; deadline++) {
        int64_t n = clock_icount_until(f.clock, deadline);

        clock_set_slice(f.clock, n, &left);
        g_assert_cmpint(clock_now(f.clock), >=, deadline);
        if (n) {
            clock_set_slice(f.clock, n - 1, &left);
            g_assert_cmpint(clock_now(f.clock), <, deadline);
        }
        clock_set_slice(f.clock, 0, &left);
    }
    teardown(&f);
}

/* A clock that idles for centuries stops before its sums overflow. */
static void test_end(void)
{
    Fixture f;
    TestTimer t;

    setup(&f, 10);
    add(&f, &t, 'a');
    timer_mod(&t.timer, INT64_MAX - 1);
    g_assert_cmpint(clock_next_deadline(f.clock), ==, CLOCK_NO_DEADLINE);
    for (unsigned i = 0; i < 4; i++) {
        clock_warp(f.clock, INT64_MAX);
        g_assert_cmpint(clock_now(f.clock), ==, CLOCK_END);
    }
    g_assert_false(clock_run_timers(f.clock));
    timer_mod(&t.timer, CLOCK_END);
    g_assert_true(clock_run_timers(f.clock));
    check_fired(&f, "a");
    teardown(&f);
}

static void test_order(void)
{
    Fixture f;
    TestTimer t[5];

    setup(&f, 0);
    for (unsigned i = 0; i < 5; i++) {
        add(&f, &t[i], (char)('a' + i));
    }
    g_assert_cmpint(clock_next_deadline(f.clock), ==, CLOCK_NO_DEADLINE);
    g_assert_false(clock_run_timers(f.clock));
    /* Ties go by creation, not by arming. */
    timer_mod(&t[3].timer, 10);
    timer_mod(&t[1].timer, 10);
    timer_mod(&t[0].timer, 20);
    timer_mod(&t[4].timer, 5);
    timer_mod(&t[2].timer, 10);
    g_assert_cmpint(clock_next_deadline(f.clock), ==, 5);
    clock_warp(f.clock, 4);
    g_assert_false(clock_run_timers(f.clock));
    clock_warp(f.clock, 6);
    g_assert_true(clock_run_timers(f.clock));
    check_fired(&f, "ebcd");
    g_assert_true(timer_pending(&t[0].timer));
    timer_del(&t[0].timer);
    timer_del(&t[0].timer);
    g_assert_false(timer_pending(&t[0].timer));
    clock_warp(f.clock, 100);
    g_assert_false(clock_run_timers(f.clock));
    teardown(&f);
}

/* The others keep their order, and one that comes then is the last. */
static void test_fini(void)
{
    Fixture f;
    TestTimer t[4], late;

    setup(&f, 0);
    for (unsigned i = 0; i < 4; i++) {
        add(&f, &t[i], (char)('a' + i));
        timer_mod(&t[i].timer, 10);
    }
    timer_fini(&t[1].timer);
    timer_fini(&t[1].timer);
    add(&f, &late, 'l');
    timer_mod(&late.timer, 10);
    clock_warp(f.clock, 10);
    g_assert_true(clock_run_timers(f.clock));
    check_fired(&f, "acdl");
    timer_fini(&(Timer){ 0 });
    teardown(&f);
}

static void test_rearm(void)
{
    Fixture f;
    TestTimer t[2];

    setup(&f, 0);
    add(&f, &t[0], 'a');
    add(&f, &t[1], 'b');
    timer_mod(&t[0].timer, -7);
    t[0].again = 50;
    timer_mod(&t[1].timer, 0);
    g_assert_true(clock_run_timers(f.clock));
    check_fired(&f, "ab");
    g_assert_cmpint(clock_next_deadline(f.clock), ==, 50);
    timer_mod(&t[0].timer, 60);
    g_assert_cmpint(clock_next_deadline(f.clock), ==, 60);
    teardown(&f);
}

static void test_moved(void)
{
    Fixture f;
    TestTimer t[2];
    int64_t left = 0;

    setup(&f, 0);
    add(&f, &t[0], 'a');
    add(&f, &t[1], 'b');
    g_assert_false(clock_deadline_moved(f.clock));
    timer_mod(&t[0].timer, 100);
    g_assert_true(clock_deadline_moved(f.clock));
    g_assert_true(clock_deadline_moved(f.clock));
    clock_set_slice(f.clock, 0, &left);
    g_assert_false(clock_deadline_moved(f.clock));
    timer_mod(&t[1].timer, 200);
    g_assert_false(clock_deadline_moved(f.clock));
    timer_mod(&t[0].timer, 150);
    g_assert_false(clock_deadline_moved(f.clock));
    timer_mod(&t[1].timer, 149);
    g_assert_true(clock_deadline_moved(f.clock));
    teardown(&f);
}

/* Against a plain list: random arming, moving and deleting. */
static void test_random(void)
{
    enum { N = 40 };
    Fixture f;
    TestTimer t[N];
    GRand *rng = g_rand_new_with_seed(1);

    setup(&f, 0);
    for (unsigned i = 0; i < N; i++) {
        add(&f, &t[i], (char)('0' + i));
    }
    for (unsigned round = 0; round < 2000; round++) {
        GString *expected = g_string_new(NULL);
        int64_t now;

        for (unsigned k = 0; k < 5; k++) {
            TestTimer *one = &t[g_rand_int_range(rng, 0, N)];

            if (g_rand_int_range(rng, 0, 4) == 0) {
                timer_del(&one->timer);
            } else {
                timer_mod(&one->timer, clock_now(f.clock) + g_rand_int_range(rng, 0, 30));
            }
        }
        clock_warp(f.clock, g_rand_int_range(rng, 0, 6));
        now = clock_now(f.clock);
        for (int64_t when = now - 40; when <= now; when++) {
            for (unsigned i = 0; i < N; i++) {
                if (timer_pending(&t[i].timer) && t[i].timer.deadline_ns == when) {
                    g_string_append_c(expected, t[i].name);
                }
            }
        }
        g_assert_cmpint(clock_run_timers(f.clock), ==, expected->len != 0);
        check_fired(&f, expected->str);
        g_string_free(expected, TRUE);
    }
    g_rand_free(rng);
    teardown(&f);
}

static void test_host_driven(void)
{
    VirtualClock *clock = clock_new();
    int64_t first = clock_now(clock), paused, host;

    g_assert_false(clock_uses_icount(clock));
    g_assert_cmpint(first, >=, 0);
    host = host_monotonic_ns();
    while (host_monotonic_ns() == host) {
    }
    g_assert_cmpint(clock_now(clock), >, first);
    clock_pause(clock);
    paused = clock_now(clock);
    host = host_monotonic_ns();
    while (host_monotonic_ns() < host + 2000000) {
    }
    g_assert_cmpint(clock_now(clock), ==, paused);
    clock_resume(clock);
    g_assert_cmpint(clock_now(clock), >=, paused);
    /* What went by while paused is not made up for. */
    g_assert_cmpint(clock_now(clock), <=, paused + (host_monotonic_ns() - host) - 2000000);
    clock_free(clock);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/clock/counting", test_counting);
    g_test_add_func("/clock/icount-until", test_icount_until);
    g_test_add_func("/clock/end", test_end);
    g_test_add_func("/clock/order", test_order);
    g_test_add_func("/clock/fini", test_fini);
    g_test_add_func("/clock/rearm", test_rearm);
    g_test_add_func("/clock/moved", test_moved);
    g_test_add_func("/clock/random", test_random);
    g_test_add_func("/clock/host-driven", test_host_driven);
    return g_test_run();
}
