/*
 * The execution loop: moments to go back to.
 *
 * 1. A snapshot is taken at a settled boundary (exec-loop.c), and is all that machine_save() saves.
 *    That it is taken changes nothing that the guest or a recording could see, so when and how many is a
 *    matter of cost alone.
 * 2. The first one is taken at power-on, in front of all that comes in there, and is never dropped;
 *    all others are behind what happens at their position by itself. They come while
 *    somebody watches, or while a live machine is recorded in memory: one in so much CPU time. On
 *    the way to a known position they lie closer towards it, each at half of what is left, so that
 *    steps back from there cost little.
 * 3. Above the budget, one goes where they lie closest, as seen from the present.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-loop-internal.h"
#include "util/host-clock.h"
#include "util/trace.h"

/* CPU time from one to the next: while somebody watches; while a live machine is recorded. */
#define WATCHED_NS 20000000
#define LIVE_NS 100000000
/* To take one may cost a 50th of the time. */
#define COST_FACTOR 50
#define FIRST_PERIOD 4000000
#define MIN_PERIOD 200000
#define MAX_PERIOD 2000000000
/* A run over this many instructions costs about as much as a snapshot. */
#define MIN_GAP 50000

static Snapshot *snapshot_at(ExecLoop *l, guint n)
{
    return g_ptr_array_index(l->snapshots, n);
}

/* How many there are at or before the position. */
static guint count_up_to(ExecLoop *l, uint64_t position)
{
    guint low = 0, high = l->snapshots->len;

    while (low < high) {
        guint middle = (low + high) / 2;

        if (snapshot_at(l, middle)->position <= position) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static Snapshot *find_snapshot(ExecLoop *l, uint64_t position)
{
    guint n = count_up_to(l, position);

    return n ? snapshot_at(l, n - 1) : NULL;
}

const Snapshot *loop_find_snapshot(ExecLoop *l, uint64_t position)
{
    return find_snapshot(l, position);
}

const Snapshot *loop_find_snapshot_before(ExecLoop *l, int64_t time)
{
    for (guint n = l->snapshots->len; n-- > 0; ) {
        if (snapshot_at(l, n)->time < time) {
            return snapshot_at(l, n);
        }
    }
    return NULL;
}

const Snapshot *loop_find_snapshot_with(ExecLoop *l, uint64_t outputs)
{
    for (guint n = l->snapshots->len; n-- > 1; ) {
        if (snapshot_at(l, n)->outputs <= outputs) {
            return snapshot_at(l, n);
        }
    }
    return snapshot_at(l, 0);
}

const Snapshot *loop_snapshot_behind(ExecLoop *l, uint64_t position)
{
    guint n = count_up_to(l, position);

    return n < l->snapshots->len ? snapshot_at(l, n) : NULL;
}

void loop_free_snapshot(Snapshot *s)
{
    if (!s) {
        return;
    }
    g_byte_array_unref(s->state);
    memory_snapshot_free(s->memory);
    g_free(s);
}

void loop_init_snapshots(ExecLoop *l)
{
    l->snapshots = g_ptr_array_new();
    l->take_at = UINT64_MAX;
    l->take_period = l->config.snapshot_period ? l->config.snapshot_period : FIRST_PERIOD;
}

void loop_free_snapshots(ExecLoop *l)
{
    g_ptr_array_foreach(l->snapshots, (GFunc)(void (*)(void))loop_free_snapshot, NULL);
    g_ptr_array_unref(l->snapshots);
}

void loop_cut_snapshots(ExecLoop *l)
{
    guint kept = l->config.travel_memory ? count_up_to(l, exec_loop_position(l)) : 0;

    while (l->snapshots->len > kept) {
        loop_free_snapshot(g_ptr_array_remove_index(l->snapshots, l->snapshots->len - 1));
    }
    loop_plan_snapshots(l);
}

/* ---- thinning ---- */

static uint64_t total_bytes(ExecLoop *l)
{
    uint64_t bytes = memory_snapshot_bytes(l->machine->memory);

    for (guint n = 0; n < l->snapshots->len; n++) {
        bytes += snapshot_at(l, n)->state->len;
    }
    return bytes;
}

/* How much nearer its neighbours are to each other than both are to the present. */
static double density(ExecLoop *l, guint n, uint64_t present)
{
    uint64_t here = snapshot_at(l, n)->position;
    uint64_t gap = snapshot_at(l, n + 1)->position - snapshot_at(l, n - 1)->position;
    uint64_t distance = here > present ? here - present : present - here;

    return (double)(distance + MIN_GAP) / (double)gap;
}

static void drop_one(ExecLoop *l)
{
    uint64_t present = exec_loop_position(l);
    guint densest = 1;

    for (guint n = 2; n + 1 < l->snapshots->len; n++) {
        if (density(l, n, present) > density(l, densest, present)) {
            densest = n;
        }
    }
    loop_free_snapshot(g_ptr_array_remove_index(l->snapshots, densest));
}

static void keep_budget(ExecLoop *l)
{
    while (l->snapshots->len > 2 && total_bytes(l) > l->config.travel_memory) {
        drop_one(l);
    }
}

/* ---- when ---- */

static bool wanted(ExecLoop *l)
{
    bool watched;

    if (l->travel.kind != TRAVEL_NONE || l->config.snapshot_always) {
        return true;
    }
    g_mutex_lock(&l->lock);
    watched = l->watchers > 0;
    g_mutex_unlock(&l->lock);
    return watched;
}

static uint64_t min_gap(const ExecLoop *l)
{
    return MIN(MIN_GAP, l->take_period);
}

void loop_plan_snapshots(ExecLoop *l)
{
    uint64_t position = exec_loop_position(l), left;

    l->take_at = UINT64_MAX;
    if (!l->config.travel_memory || !wanted(l)) {
        return;
    }
    l->take_at = position + l->take_period;
    l->take_from = position;
    l->take_time = host_thread_cpu_ns();
    if (l->travel.kind == TRAVEL_GO || l->travel.kind == TRAVEL_TIME ||
        l->travel.kind == TRAVEL_STEP) {
        uint64_t end = loop_next_stop(l);

        left = end > position ? end - position : 0;
        l->take_at = left / 2 < min_gap(l) ? UINT64_MAX : MIN(l->take_at, position + left / 2);
    }
}

/* The period follows from what the last one took, and how long the machine ran for it. */
static void adapt_period(ExecLoop *l, int64_t before, int64_t now)
{
    int64_t wanted_ns = l->config.snapshot_always ? LIVE_NS : WATCHED_NS, ran = before - l->take_time;
    bool whole = exec_loop_position(l) - l->take_from >= l->take_period;

    wanted_ns = MAX(wanted_ns, (now - before) * COST_FACTOR);
    if (whole && !l->config.snapshot_period) {
        if (ran < wanted_ns / 2) {
            l->take_period = MIN(l->take_period * 2, MAX_PERIOD);
        } else if (ran > wanted_ns * 2) {
            l->take_period = MAX(l->take_period / 2, MIN_PERIOD);
        }
    }
}

Snapshot *loop_make_snapshot(ExecLoop *l)
{
    Snapshot *s = g_new0(Snapshot, 1);
    bool with_checks = replay_check_kind(l->replay) == REPLAY_CHECK_DIGEST;

    s->position = exec_loop_position(l);
    s->time = clock_now(l->machine->clock);
    s->outputs = replay_output_count(l->replay);
    s->state = g_byte_array_new();
    loop_save_state(l, s->state);
    s->memory = memory_snapshot_take(l->machine->memory, with_checks);
    return s;
}

void loop_take_snapshots(ExecLoop *l)
{
    uint64_t position = exec_loop_position(l);
    const Snapshot *last;
    int64_t before;

    if (!l->config.travel_memory || (l->snapshots->len && position < l->take_at)) {
        return;
    }
    last = find_snapshot(l, position);
    if (!last || last->position != position) {
        trace_exec_snapshot(position);
        before = host_thread_cpu_ns();
        g_ptr_array_insert(l->snapshots, (gint)count_up_to(l, position), loop_make_snapshot(l));
        keep_budget(l);
        adapt_period(l, before, host_thread_cpu_ns());
    }
    loop_plan_snapshots(l);
}

void exec_loop_snapshot_info(ExecLoop *l, ExecSnapshotInfo *out)
{
    *out = (ExecSnapshotInfo){ l->snapshots->len, total_bytes(l), l->config.travel_memory };
}

/* ---- restore ---- */

bool loop_restore_snapshot(ExecLoop *l, const Snapshot *s, Error **errp)
{
    trace_exec_restore(s->position);
    if (!loop_load_state(l, s->state->data, s->state->len, s->memory, errp)) {
        return false;
    }
    /* What a keyframe says of itself may not be so. */
    if (exec_loop_position(l) != s->position) {
        error_setg(errp, "the state is of position %" PRIu64 ", not of %" PRIu64,
                   exec_loop_position(l), s->position);
        return false;
    }
    if (clock_now(l->machine->clock) != s->time || replay_output_count(l->replay) != s->outputs) {
        error_setg(errp, "the state is of %" PRId64 " ns and %" PRIu64 " outputs, not of %" PRId64
                   " ns and %" PRIu64, clock_now(l->machine->clock),
                   replay_output_count(l->replay), s->time, s->outputs);
        return false;
    }
    l->passed = s->position;
    return true;
}

/* A keyframe that is nearer than all snapshots becomes one. */
static Snapshot *find_with_keyframes(ExecLoop *l, uint64_t from, uint64_t to)
{
    Snapshot *s = find_snapshot(l, to), *k;

    k = loop_read_keyframe(l, MAX(from, s ? s->position + 1 : 0), to);
    if (k) {
        g_ptr_array_insert(l->snapshots, (gint)count_up_to(l, k->position), k);
        s = k;
    }
    return s && s->position >= from ? s : NULL;
}

/* It cannot be restored. The machine is in no state now, so another snapshot has to be. */
static void refuse_keyframe(ExecLoop *l, const Snapshot *s, const Error *why)
{
    replay_refuse_keyframe(l->replay, s->keyframes - 1, why);
    for (guint n = l->snapshots->len; n-- > 0; ) {
        guint keyframes = snapshot_at(l, n)->keyframes;

        if (keyframes && !replay_keyframe_is_usable(l->replay, keyframes - 1)) {
            loop_free_snapshot(g_ptr_array_remove_index(l->snapshots, n));
        }
    }
}

bool loop_go_to_snapshot(ExecLoop *l, uint64_t from, uint64_t to, Error **err)
{
    Snapshot *s;

    while ((s = find_with_keyframes(l, from, to)) != NULL) {
        Error *why = NULL;

        if (loop_restore_snapshot(l, s, &why)) {
            keep_budget(l);
            return true;
        }
        if (!s->keyframes) {
            *err = why;
            return false;
        }
        refuse_keyframe(l, s, why);
        error_free(why);
        from = 0;
    }
    return false;
}
