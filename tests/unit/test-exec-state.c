/*
 * The state of the whole machine: saved at random positions in every shape of execution,
 * loaded into a fresh machine of another shape, or into the same one, which goes on to an equal
 * end. The same in replays, whose cursor goes back and forth. Damaged states are refused.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "loop-machine.h"
#include "rng.h"
#include "migration/fields.h"
#include <glib/gstdio.h>
#include <unistd.h>

static const TcgConfig shapes[] = {
    { .unit_insns = 64 }, { .unit_insns = 1 }, { .unit_insns = 7, .no_link = true },
    { .unit_insns = 64, .no_opt = true }, { .interp = true, .unit_insns = 7 },
    { .unit_insns = 64, .tlb_chaos = 5 },
};

/* ---- save and load through the loop ---- */

typedef struct Transfer {
    Run *r;
    GByteArray *data;
    uint64_t position;
    bool ok;
    Error *err;
} Transfer;

static void do_save(void *opaque)
{
    Transfer *t = opaque;

    t->position = exec_loop_position(t->r->loop);
    t->ok = machine_save(t->r->loop, t->data, &t->err);
}

static void do_load(void *opaque)
{
    Transfer *t = opaque;

    t->ok = machine_load(t->r->loop, t->data->data, t->data->len, &t->err);
}

static GByteArray *save(Run *r)
{
    Transfer t = { .r = r, .data = g_byte_array_new() };

    machine_run_sync(r->loop, do_save, &t);
    g_assert_true(t.ok);
    return t.data;
}

/* What was loaded is what would be saved again, to the last byte. */
static void load(Run *r, GByteArray *data)
{
    Transfer t = { .r = r, .data = data };
    GByteArray *again;

    machine_run_sync(r->loop, do_load, &t);
    if (!t.ok) {
        g_error("%s", error_get_pretty(t.err));
    }
    again = save(r);
    g_assert_cmpuint(again->len, ==, data->len);
    g_assert_true(memcmp(again->data, data->data, data->len) == 0);
    g_byte_array_unref(again);
}

static void open_paused(Run *r, const RunConfig *c, unsigned shape)
{
    RunConfig paused = *c;

    paused.tcg = shapes[shape % ARRAY_SIZE(shapes)];
    paused.exec.start_paused = true;
    run_open(r, &paused);
    run_start(r);
}

/* Go to a position; false: the run ended before. */
static bool go_to(Run *r, uint64_t position)
{
    unsigned stops = r->stops;

    exec_loop_run_until(r->loop, position);
    return run_wait_stop(r, stops + 1);
}

static void finish(Run *r, const ExecResult *expected)
{
    exec_loop_cont(r->loop);
    run_join_equal(r, expected);
    run_close(r);
}

/* ---- without a recording ---- */

static uint64_t total_positions(const RunConfig *c, ExecResult *calm)
{
    uint64_t positions;
    Run r;

    run_open(&r, c);
    run_start(&r);
    *calm = run_join(&r);
    positions = exec_loop_position(r.loop);
    run_close(&r);
    return positions;
}

static void check_points(RunConfig c, unsigned points, Rng *rng)
{
    ExecResult calm;
    uint64_t total = total_positions(&c, &calm);

    for (unsigned n = 0; n < points; n++) {
        uint64_t at = rng_below(rng, (uint32_t)total);
        GByteArray *data;
        Run r, fresh;

        open_paused(&r, &c, n);
        g_assert_true(go_to(&r, at));
        data = save(&r);
        /* Saving leaves no trace. */
        finish(&r, &calm);
        open_paused(&fresh, &c, (unsigned)rng_below(rng, ARRAY_SIZE(shapes)));
        /* Not only at power-on. */
        if (n % 3 == 2) {
            go_to(&fresh, rng_below(rng, (uint32_t)total));
        }
        load(&fresh, data);
        g_byte_array_unref(data);
        finish(&fresh, &calm);
    }
}

static void test_points(void)
{
    static const unsigned num_cpus[] = { 1, 2, 4, 8 };
    Rng rng = { 7 };

    for (unsigned n = 0; n < ARRAY_SIZE(num_cpus); n++) {
        RunConfig c = { .exec = { .icount = true, .shift = n % 3 }, .num_cpus = num_cpus[n],
                        .limit = 40 };

        check_points(c, 40, &rng);
    }
}

/* Saved, scrambled and loaded every 50 instructions or so: nobody notices. */
static void test_chaos(void)
{
    static const unsigned num_cpus[] = { 1, 2, 4, 8 };

    for (unsigned n = 0; n < ARRAY_SIZE(num_cpus) * 2; n++) {
        RunConfig c = { .tcg = shapes[n % ARRAY_SIZE(shapes)],
                        .exec = { .icount = true, .shift = n % 3 },
                        .num_cpus = num_cpus[n / 2], .limit = 10 };
        ExecResult calm = run_all(&c), chaos;

        c.exec.state_chaos = n + 1;
        c.exec.state_chaos_period = 50;
        chaos = run_all(&c);
        g_assert_cmpuint(chaos.icount, ==, calm.icount);
        g_assert_cmphex(chaos.digest, ==, calm.digest);
    }
}

/* ---- in recordings and replays ---- */

/* Keep the state of now; `opaque` is a GPtrArray of GByteArrays. */
static void save_some(Run *r, void *opaque)
{
    GPtrArray *saved = opaque;
    Transfer t = { .r = r, .data = g_byte_array_new() };

    machine_run_sync(r->loop, do_save, &t);
    if (t.ok && saved->len < 8) {
        g_ptr_array_add(saved, t.data);
    } else {
        g_byte_array_unref(t.data);
    }
    g_clear_pointer(&t.err, error_free);
}

static void free_saved(gpointer data)
{
    g_byte_array_unref(data);
}

static ExecResult record(const RunConfig *c, uint64_t seed, GPtrArray *saved, uint64_t *total)
{
    ExecResult result;
    Run r;

    run_open(&r, c);
    result = run_posted(&r, seed, save_some, saved);
    *total = exec_loop_position(r.loop);
    run_close(&r);
    return result;
}

/* One replay that goes back and forth between what it saved, and comes to its end. */
static void check_jumps(const RunConfig *c, const ExecResult *recorded, uint64_t total, Rng *rng)
{
    GPtrArray *saved = g_ptr_array_new_with_free_func(free_saved);
    Run r;

    open_paused(&r, c, (unsigned)rng_below(rng, ARRAY_SIZE(shapes)));
    for (unsigned n = 0; n < 12; n++) {
        if (n == 0 || rng_percent(rng, 50)) {
            g_assert_true(go_to(&r, rng_below(rng, (uint32_t)total)));
            g_ptr_array_add(saved, save(&r));
        } else {
            load(&r, g_ptr_array_index(saved, rng_below(rng, saved->len)));
        }
    }
    g_ptr_array_unref(saved);
    finish(&r, recorded);
}

/* What was saved while recording is a place in the replay. */
static void check_saved(const RunConfig *c, const ExecResult *recorded, GPtrArray *saved)
{
    for (guint n = 0; n < saved->len; n++) {
        Run r;

        open_paused(&r, c, n);
        load(&r, g_ptr_array_index(saved, n));
        finish(&r, recorded);
    }
}

static void test_replay(void)
{
    static const unsigned num_cpus[] = { 1, 2, 4, 8 };
    g_autofree char *path = g_strdup_printf("%s/rearm-state-%d.rr", g_get_tmp_dir(),
                                            (int)getpid());
    Rng rng = { 3 };

    for (unsigned n = 0; n < 12; n++) {
        RunConfig c = { .tcg = shapes[n % ARRAY_SIZE(shapes)],
                        .exec = { .icount = true, .shift = n % 3, .sleep = n / 4 == 1 },
                        .num_cpus = num_cpus[n % 4], .limit = 100,
                        .replay = { .mode = REPLAY_MODE_RECORD, .file = path,
                                    .check_period = 7777 } };
        GPtrArray *saved = g_ptr_array_new_with_free_func(free_saved);
        ExecResult recorded;
        uint64_t total;

        c.replay.check = n % 3 == 0 ? REPLAY_CHECK_EVENTS : n % 3 == 1 ? REPLAY_CHECK_DIGEST :
                                                                        REPLAY_CHECK_OFF;
        recorded = record(&c, n + 1, saved, &total);
        c.replay.mode = REPLAY_MODE_PLAY;
        check_saved(&c, &recorded, saved);
        for (unsigned i = 0; i < 4; i++) {
            check_jumps(&c, &recorded, total, &rng);
        }
        g_ptr_array_unref(saved);
        g_unlink(path);
    }
}

/*
 * Somebody looks: the end is a stop, again and again, and a state from before leads on from
 * there. When nobody looks any more, the run ends with its result.
 */
static void test_end_is_a_stop(void)
{
    g_autofree char *path = g_strdup_printf("%s/rearm-state-%d.rr", g_get_tmp_dir(),
                                            (int)getpid());

    for (unsigned n = 0; n < 4; n++) {
        RunConfig c = { .exec = { .icount = true }, .num_cpus = 2,
                        .replay = { .mode = REPLAY_MODE_RECORD, .file = path } };
        ExecResult recorded = run_all(&c);
        GByteArray *data;
        Transfer late = { .data = g_byte_array_new() };
        Run r;

        c.replay.mode = REPLAY_MODE_PLAY;
        c.exec.stop_at_end = n & 1;
        open_paused(&r, &c, n);
        if (!c.exec.stop_at_end) {
            exec_loop_watch(r.loop, true);
        }
        g_assert_true(go_to(&r, (uint64_t)recorded.icount / 2));
        data = save(&r);
        for (unsigned i = 0; i < 3; i++) {
            unsigned stops = r.stops;

            exec_loop_cont(r.loop);
            g_assert_true(run_wait_stop(&r, stops + 1));
            g_assert_cmpint(r.reason, ==, EXEC_STOP_REPLAY_END);
            g_assert_cmpuint(arm_x(&r.a, 23), ==, 60);
            late.r = &r;
            machine_run_sync(r.loop, do_save, &late);
            g_assert_cmpstr(error_get_pretty(late.err), ==,
                            "the replay has ended: there is no state to save that goes on");
            g_clear_pointer(&late.err, error_free);
            if (i == 1) {
                load(&r, data);
                g_assert_cmpuint(arm_x(&r.a, 23), <, 60);
            }
        }
        g_byte_array_unref(data);
        g_byte_array_unref(late.data);
        if (c.exec.stop_at_end) {
            /* It leaves with the result that the end had. */
            exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
        } else {
            exec_loop_watch(r.loop, false);
        }
        finish(&r, &recorded);
        g_unlink(path);
    }
}

/* ---- a report that says where ---- */

typedef struct Damage {
    Run *r;
    unsigned what;
} Damage;

static void do_damage(void *opaque)
{
    Damage *d = opaque;
    Run *r = d->r;
    uint8_t byte = 0x55;

    switch (d->what) {
    case 0: r->a.cpu[1]->vcpu.slot[27] = 0x1234; break;
    case 1: r->a.cpu[0]->s.tpidr_el[1] = 0x77; break;
    case 2: r->dev.s.last = 0x99; break;
    case 3: g_assert_true(memory_write(r->a.m->memory, RAM + 0x234567, &byte, 1)); break;
    default: timer_mod(&r->dev.spare, 1ll << 40); break;
    }
}

static void test_report(void)
{
    static const char *const expected[] = {
        "    cpu 1: slot[27] = 0x1234 here\n", "    cpu 0: tpidr_el[1] = 0x77 here\n",
        "    tester: last = 0x99 here\n", "    memory: page 0x40234000, written here alone\n",
        "    clock: instruction count, time, or a timer\n",
    };
    g_autofree char *path = g_strdup_printf("%s/rearm-state-%d.rr", g_get_tmp_dir(),
                                            (int)getpid());
    RunConfig c = { .exec = { .icount = true }, .num_cpus = 2,
                    .replay = { .mode = REPLAY_MODE_RECORD, .file = path,
                                .check = REPLAY_CHECK_DIGEST, .check_period = 5000 } };

    run_all(&c);
    c.replay.mode = REPLAY_MODE_PLAY;
    for (unsigned n = 0; n < ARRAY_SIZE(expected); n++) {
        Damage damage = { .what = n };
        const char *report;
        Run r;

        open_paused(&r, &c, n);
        g_assert_true(go_to(&r, 17000));
        damage.r = &r;
        machine_run_sync(r.loop, do_damage, &damage);
        exec_loop_cont(r.loop);
        g_assert_cmpint(exec_loop_join(r.loop).exit_code, ==, 2);
        report = replay_report(r.replay);
        g_assert_nonnull(report);
        if (!strstr(report, "what differs, as far as one can tell:\n") ||
            !strstr(report, expected[n])) {
            g_error("no '%s' in: %s", expected[n], report);
        }
        timer_del(&r.dev.spare);
        run_close(&r);
    }
    g_unlink(path);
}

/* ---- what is refused ---- */

static char *load_error(Run *r, const GByteArray *data)
{
    Transfer t = { .r = r, .data = (GByteArray *)data };
    char *text;

    machine_run_sync(r->loop, do_load, &t);
    g_assert_false(t.ok);
    text = g_strdup(error_get_pretty(t.err));
    error_free(t.err);
    return text;
}

static void check_refused(const RunConfig *c, const GByteArray *data, const char *expected)
{
    g_autofree char *text = NULL;
    Run r;

    open_paused(&r, c, 0);
    /* The recording has to be longer than its replay. */
    g_assert_true(go_to(&r, c->replay.mode == REPLAY_MODE_RECORD ? 200 : 100));
    text = load_error(&r, data);
    if (expected) {
        g_assert_cmpstr(text, ==, expected);
    }
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_join(r.loop);
    run_close(&r);
}

static GByteArray *save_at(const RunConfig *c, uint64_t position)
{
    GByteArray *data;
    Run r;

    open_paused(&r, c, 0);
    g_assert_true(go_to(&r, position));
    data = save(&r);
    exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_join(r.loop);
    run_close(&r);
    return data;
}

static void test_refused(void)
{
    g_autofree char *path = g_strdup_printf("%s/rearm-state-%d.rr", g_get_tmp_dir(),
                                            (int)getpid());
    g_autofree char *recording = g_strdup_printf(
        "a recording begins at power-on: a state that was not saved in this very recording cannot be "
        "loaded while '%s' is being recorded", path);
    g_autofree char *other = g_strdup_printf(
        "the state was not saved in the recording '%s' or a replay of it", path);
    RunConfig c = { .exec = { .icount = true } }, two = c, clock = c, rec = c;
    GByteArray *data = save_at(&c, 1000), *none = g_byte_array_new();

    two.num_cpus = 2;
    check_refused(&two, data, "the state has 1 CPUs, this machine 2");
    clock.exec.icount = false;
    check_refused(&clock, data,
                  "the state was saved with -icount, and this machine runs without it");
    check_refused(&c, none, "this is not the saved state of a machine (no REARMST1 at its start)");
    rec.replay.mode = REPLAY_MODE_RECORD;
    rec.replay.file = path;
    check_refused(&rec, data, recording);
    rec.replay.mode = REPLAY_MODE_PLAY;
    check_refused(&rec, data, other);
    g_byte_array_append(data, (const uint8_t *)"x", 1);
    check_refused(&c, data, "1 bytes follow the machine's state");
    g_unlink(path);
    g_byte_array_unref(data);
    g_byte_array_unref(none);
}

/* Cut off or changed anywhere: an error, or a state that is just another one. */
static void test_damaged(void)
{
    RunConfig c = { .exec = { .icount = true }, .num_cpus = 2 };
    GByteArray *data = save_at(&c, 2000);
    Rng rng = { 11 };
    Run r;

    for (unsigned n = 0; n < 400; n++) {
        GByteArray *bad = g_byte_array_new();
        Transfer t = { .r = &r, .data = bad };

        g_byte_array_append(bad, data->data, n & 1 ? data->len : rng_below(&rng, data->len));
        for (unsigned i = 0; n & 1 && i < 3; i++) {
            /* Nearly all is memory: half of the changes go to what is in front of it. */
            bad->data[rng_below(&rng, i & 1 ? data->len : 6000)] ^=
                (uint8_t)(1 << rng_below(&rng, 8));
        }
        open_paused(&r, &c, n);
        r.dev.any_state = true;
        machine_run_sync(r.loop, do_load, &t);
        g_assert_true(t.ok == !t.err);
        g_assert_true(t.ok || strlen(error_get_pretty(t.err)) > 10);
        g_clear_pointer(&t.err, error_free);
        exec_loop_request(r.loop, SHUTDOWN_CAUSE_HOST_QUIT);
        exec_loop_join(r.loop);
        run_close(&r);
        g_byte_array_unref(bad);
    }
    g_byte_array_unref(data);
}

static void do_load_for_user(void *opaque)
{
    Transfer *t = opaque;

    t->ok = exec_loop_load(t->r->loop, t->data->data, t->data->len, &t->err);
}

/* A user's load that fails, wherever in the state, leaves the machine as it was. */
static void check_stays(const RunConfig *c, const ExecResult *expected, Rng *rng)
{
    GByteArray *early, *before, *after, *bad = g_byte_array_new();
    Transfer t;
    Run r;

    open_paused(&r, c, rng_below(rng, ARRAY_SIZE(shapes)));
    g_assert_true(go_to(&r, 700));
    early = save(&r);
    g_assert_true(go_to(&r, 5000));
    before = save(&r);
    for (unsigned n = 0; n < 20; n++) {
        t = (Transfer){ .r = &r, .data = bad };
        g_byte_array_set_size(bad, 0);
        g_byte_array_append(bad, early->data, rng_below(rng, n & 1 ? early->len : 2000));
        machine_run_sync(r.loop, do_load_for_user, &t);
        g_assert_false(t.ok);
        g_clear_pointer(&t.err, error_free);
        after = save(&r);
        g_assert_cmpmem(after->data, after->len, before->data, before->len);
        g_byte_array_unref(after);
    }
    t = (Transfer){ .r = &r, .data = early };
    machine_run_sync(r.loop, do_load_for_user, &t);
    g_assert_true(t.ok);
    after = save(&r);
    g_assert_cmpmem(after->data, after->len, early->data, early->len);
    finish(&r, expected);
    g_byte_array_unref(early);
    g_byte_array_unref(before);
    g_byte_array_unref(after);
    g_byte_array_unref(bad);
}

static void test_stays(void)
{
    static const ReplayMode modes[] = { REPLAY_MODE_NONE, REPLAY_MODE_RECORD, REPLAY_MODE_PLAY };
    g_autofree char *path = g_strdup_printf("%s/rearm-state-%d.rr", g_get_tmp_dir(),
                                            (int)getpid());
    Rng rng = { 9 };

    for (unsigned travels = 0; travels < 2; travels++) {
        RunConfig c = { .exec = { .icount = true }, .num_cpus = 2, .replay = { .file = path } };
        ExecResult expected;

        c.replay.mode = REPLAY_MODE_RECORD;
        c.replay.overwrite = true;
        expected = run_all(&c);
        for (unsigned n = 0; n < ARRAY_SIZE(modes); n++) {
            c.replay.mode = modes[n];
            c.replay.file = modes[n] == REPLAY_MODE_PLAY ? path : NULL;
            c.exec.travel_memory = travels && n ? 64 << 20 : 0;
            c.exec.snapshot_always = travels;
            c.exec.snapshot_period = 1000;
            check_stays(&c, &expected, &rng);
        }
    }
    g_unlink(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exec-state/points", test_points);
    g_test_add_func("/exec-state/chaos", test_chaos);
    g_test_add_func("/exec-state/replay", test_replay);
    g_test_add_func("/exec-state/end-is-a-stop", test_end_is_a_stop);
    g_test_add_func("/exec-state/report", test_report);
    g_test_add_func("/exec-state/refused", test_refused);
    g_test_add_func("/exec-state/damaged", test_damaged);
    g_test_add_func("/exec-state/stays", test_stays);
    return g_test_run();
}
