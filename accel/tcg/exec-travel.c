/*
 * The execution loop: going back and forth in a recording.
 *
 * 1. Whoever wants to be at an earlier position restores the nearest snapshot before it and runs
 *    forward, exactly, to it. So a journey is a sequence of stages, each a run to a known position
 *    (loop_travel_on()). On the way nobody is told of stops.
 * 2. Backwards to the last breakpoint: windows between two snapshots are searched, the newest first. A run
 *    over a window notes the last stop in it; if there is one, a second run leads there.
 * 3. Backwards by one instruction of a CPU: mostly it is the one before. If another CPU executed
 *    that, or all waited, the run up to there has noted where ours executed last. While there are
 *    watchpoints, the run goes over the instruction itself, as that may be a watched access.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-loop-internal.h"

static const TravelStop at_position = { .reason = EXEC_STOP_POSITION };

/* ---- where to stop ---- */

/* The first break behind a position; UINT64_MAX: none. */
static uint64_t break_behind(ExecLoop *l, uint64_t position)
{
    for (guint n = 0; n < l->breaks->len; n++) {
        uint64_t at = g_array_index(l->breaks, uint64_t, n);

        if (at > position) {
            return at;
        }
    }
    return UINT64_MAX;
}

int64_t loop_travel_ns(ExecLoop *l)
{
    return l->travel.kind == TRAVEL_TIME ?
           MAX(l->travel.time - clock_now(l->machine->clock), 0) : CLOCK_NO_DEADLINE;
}

uint64_t loop_next_stop(ExecLoop *l)
{
    uint64_t position;

    switch (l->travel.kind) {
    case TRAVEL_NONE:
        return MIN(l->stopping_at, break_behind(l, l->passed));
    case TRAVEL_TIME:
        return exec_loop_position(l) +
               (uint64_t)clock_icount_until(l->machine->clock, l->travel.time);
    case TRAVEL_TEXT:
        return replay_output_awaited(l->replay, &position) ? position + 1 : UINT64_MAX;
    default:
        return l->travel.end;
    }
}

bool exec_loop_add_break(ExecLoop *l, uint64_t position)
{
    guint n = 0;

    while (n < l->breaks->len && g_array_index(l->breaks, uint64_t, n) < position) {
        n++;
    }
    if (n < l->breaks->len && g_array_index(l->breaks, uint64_t, n) == position) {
        return false;
    }
    g_array_insert_val(l->breaks, n, position);
    return true;
}

bool exec_loop_remove_break(ExecLoop *l, uint64_t position)
{
    for (guint n = 0; n < l->breaks->len; n++) {
        if (g_array_index(l->breaks, uint64_t, n) == position) {
            g_array_remove_index(l->breaks, n);
            return true;
        }
    }
    return false;
}

const GArray *exec_loop_breaks(ExecLoop *l)
{
    return l->breaks;
}

/* ---- what is noted on the way ---- */

static bool is_noted(const Travel *t, uint64_t position, ExecStopReason reason)
{
    return t->has_found && t->found == position && t->stop.reason == reason;
}

static void note(Travel *t, uint64_t position, const TravelStop *stop)
{
    t->has_found = true;
    t->found = position;
    t->stop = *stop;
}

bool loop_travel_hit(ExecLoop *l, ExecStopReason reason, Vcpu *cpu)
{
    const TravelStop stop = { reason, cpu, cpu->watch_hit };
    /* An instruction of several accesses has been executed already. */
    bool behind = reason == EXEC_STOP_WATCHPOINT && !cpu->watch_hit.before;
    bool of_step = reason == EXEC_STOP_WATCHPOINT && l->travel.kind == TRAVEL_STEP &&
                   cpu == l->travel.cpu;

    if (l->travel.kind == TRAVEL_FIND || of_step) {
        note(&l->travel, exec_loop_position(l) - behind, &stop);
    }
    return l->travel.kind != TRAVEL_NONE;
}

void loop_travel_ran(ExecLoop *l, Vcpu *cpu)
{
    const TravelStop stop = { EXEC_STOP_STEPPED, cpu, { 0 } };

    uint64_t last = exec_loop_position(l) - 1;

    if (l->travel.kind == TRAVEL_STEP && cpu == l->travel.cpu &&
        !is_noted(&l->travel, last, EXEC_STOP_WATCHPOINT)) {
        note(&l->travel, last, &stop);
    }
}

/* ---- stages ---- */

void loop_travel_failed(ExecLoop *l, Error *err)
{
    error_report("cannot travel on: %s", error_get_pretty(err));
    error_free(err);
    l->travel.kind = TRAVEL_NONE;
    l->result.exit_code = 2;
    l->ended = true;
}

/* The newest one from..to. False: there is none, or the journey has failed. */
static bool go_to_snapshot(ExecLoop *l, uint64_t from, uint64_t to)
{
    Error *err = NULL;

    if (!loop_go_to_snapshot(l, from, to, &err)) {
        if (err) {
            loop_travel_failed(l, err);
        }
        return false;
    }
    l->travel.start = exec_loop_position(l);
    l->travel.has_found = false;
    return true;
}

void loop_arrived(ExecLoop *l)
{
    l->travel.kind = TRAVEL_NONE;
    l->passed = exec_loop_position(l);
    loop_plan_snapshots(l);
    if (exec_loop_cpu(l)) {
        exec_loop_cpu(l)->skip_breakpoint = true;
    }
}

static void arrive(ExecLoop *l)
{
    const TravelStop *stop = &l->travel.stop;

    loop_arrived(l);
    if (stop->cpu) {
        stop->cpu->watch_hit = stop->hit;
        stop->cpu->skip_breakpoint = true;
    }
    loop_tell_stopped(l, stop->reason, stop->cpu ? stop->cpu : exec_loop_cpu(l));
}

/* To a position, by way of a snapshot unless it is ahead and none lies between. */
static void go(ExecLoop *l, uint64_t position, const TravelStop *stop)
{
    uint64_t here = exec_loop_position(l);
    bool back = position < here || l->over;

    l->travel.kind = TRAVEL_GO;
    l->travel.end = position;
    l->travel.stop = *stop;
    go_to_snapshot(l, back ? 0 : here + 1, position);
    if (l->ended) {
        return;
    }
    loop_plan_snapshots(l);
}

static void go_to_beginning(ExecLoop *l)
{
    const TravelStop stop = { .reason = EXEC_STOP_REPLAY_BEGIN };

    go(l, ((const Snapshot *)g_ptr_array_index(l->snapshots, 0))->position, &stop);
}

static void go_to_time(ExecLoop *l, int64_t time)
{
    const Snapshot *s = loop_find_snapshot_before(l, time);
    uint64_t from = MAX(s ? s->position : 0, loop_keyframe_before(l, time));

    if (!s && !from) {
        go_to_beginning(l);
        return;
    }
    l->travel.kind = TRAVEL_TIME;
    l->travel.time = time;
    l->travel.stop = (TravelStop){ .reason = EXEC_STOP_POSITION };
    if ((loop_travel_ns(l) > 0 && from <= exec_loop_position(l) && !l->over) ||
        go_to_snapshot(l, 0, from)) {
        loop_plan_snapshots(l);
    }
}

static uint64_t moment_with(ExecLoop *l, uint64_t outputs)
{
    return MAX(loop_find_snapshot_with(l, outputs)->position, loop_keyframe_with(l, outputs));
}

/* What is known already need not be run again. */
static void go_to_text(ExecLoop *l, const ReplayWanted *wanted)
{
    uint64_t searched = replay_output_await(l->replay, wanted), position, from;

    if (replay_output_awaited(l->replay, &position)) {
        go(l, position + 1, &at_position);
        return;
    }
    from = moment_with(l, searched);
    l->travel.kind = TRAVEL_TEXT;
    if ((replay_output_count(l->replay) <= searched && from <= exec_loop_position(l) &&
         !l->over) || go_to_snapshot(l, 0, from)) {
        loop_plan_snapshots(l);
    }
}

/* The machine has put out all that it did before here; false: the text was not among it. */
static bool go_to_awaited(ExecLoop *l, Error **errp)
{
    uint64_t position;

    if (!replay_output_awaited(l->replay, &position)) {
        error_setg(errp, "the text was not put out before this place");
        return false;
    }
    go(l, position + 1, &at_position);
    return true;
}

/* Where it stands on the last byte of such a text is not before here. */
static bool go_back_to_text(ExecLoop *l, const char *text, Error **errp)
{
    uint64_t here = exec_loop_position(l);
    const ReplayWanted wanted = { text, 0, MAX(here, 1) - 1, 0 };
    uint64_t searched = replay_output_await(l->replay, &wanted);

    if (searched >= replay_output_count(l->replay)) {
        return go_to_awaited(l, errp);
    }
    l->travel.kind = TRAVEL_TEXT_BACK;
    l->travel.end = here;
    if (go_to_snapshot(l, 0, moment_with(l, searched))) {
        loop_plan_snapshots(l);
    }
    return true;
}

static void text_searched(ExecLoop *l)
{
    Error *err = NULL;

    if (!go_to_awaited(l, &err)) {
        warn_report("%s", error_get_pretty(err));
        error_free(err);
        l->travel.stop = at_position;
        arrive(l);
    }
}

/* Nothing else can stop the machine. */
static void go_to_last_break(ExecLoop *l)
{
    const TravelStop stop = { .reason = EXEC_STOP_POSITION };
    uint64_t here = exec_loop_position(l);

    for (guint n = l->breaks->len; n-- > 0; ) {
        uint64_t at = g_array_index(l->breaks, uint64_t, n);

        if (at < here) {
            go(l, at, &stop);
            return;
        }
    }
    go_to_beginning(l);
}

/* Search the window that ends at a position, and begins with the snapshot before it. */
static void search(ExecLoop *l, TravelKind kind, uint64_t end)
{
    l->travel.kind = kind;
    l->travel.end = kind == TRAVEL_STEP && !tcg_watches(l->tcg) ? end - 1 : end;
    if (end && go_to_snapshot(l, 0, end - 1)) {
        loop_plan_snapshots(l);
    } else if (!l->ended) {
        go_to_beginning(l);
    }
}

/* The last break in the window counts like a breakpoint. */
static void note_break(ExecLoop *l)
{
    const TravelStop stop = { .reason = EXEC_STOP_POSITION };
    Travel *t = &l->travel;

    for (guint n = l->breaks->len; n-- > 0; ) {
        uint64_t at = g_array_index(l->breaks, uint64_t, n);

        if (at < t->end) {
            if (at >= t->start && (!t->has_found || at > t->found)) {
                note(t, at, &stop);
            }
            return;
        }
    }
}

static void searched(ExecLoop *l)
{
    Travel *t = &l->travel;

    if (t->kind == TRAVEL_FIND) {
        note_break(l);
    } else if (!l->over && !tcg_watches(l->tcg) && loop_choose_cpu(l) == t->cpu) {
        t->stop = (TravelStop){ EXEC_STOP_STEPPED, t->cpu, { 0 } };
        arrive(l);
        return;
    }
    if (t->has_found) {
        const TravelStop stop = t->stop;

        go(l, t->found, &stop);
    } else {
        search(l, t->kind, t->start);
    }
}

bool loop_travel_on(ExecLoop *l)
{
    switch (l->travel.kind) {
    case TRAVEL_GO:
    case TRAVEL_TIME:
        arrive(l);
        break;
    case TRAVEL_TEXT:
        /* Execution has come further than that. */
        go(l, loop_next_stop(l), &at_position);
        break;
    case TRAVEL_TEXT_BACK:
        text_searched(l);
        break;
    default:
        searched(l);
    }
    return true;
}

void loop_travel_ends(ExecLoop *l)
{
    if (l->travel.kind == TRAVEL_TEXT) {
        warn_report("the text was not put out up to the end of the recording");
    }
    l->travel.kind = TRAVEL_NONE;
}

/* ---- other threads ---- */

typedef struct Journey {
    ExecLoop *loop;
    TravelKind kind;
    uint64_t position;
    int64_t ns;
    const char *text;
    ExecTextFrom from;
    uint64_t number;
    Vcpu *cpu;
    Error **errp;
    bool ok;
} Journey;

static int64_t time_from_now(ExecLoop *l, int64_t ns)
{
    int64_t now = clock_now(l->machine->clock);

    return ns < CLOCK_END - now ? MAX(now + ns, 0) : CLOCK_END;
}

bool loop_may_travel(ExecLoop *l, Error **errp)
{
    if (l->ended) {
        error_setg(errp, "the machine has ended");
        return false;
    }
    if (!l->snapshots->len) {
        error_setg(errp, "there is no recording to travel in: replay one (-icount "
                   "rr=replay,rrfile=FILE), or record the session in memory (-rewind)");
        return false;
    }
    return true;
}

static bool set_out_to_text(const Journey *j)
{
    ExecLoop *l = j->loop;
    const ReplayWanted wanted = {
        j->text, j->from == EXEC_TEXT_FROM_HERE ? exec_loop_position(l) : 0, UINT64_MAX, j->number,
    };

    if (j->from == EXEC_TEXT_BEFORE_HERE) {
        return go_back_to_text(l, j->text, j->errp);
    }
    go_to_text(l, &wanted);
    return true;
}

static void set_out(void *opaque)
{
    Journey *j = opaque;
    ExecLoop *l = j->loop;
    bool travelling = l->travel.kind != TRAVEL_NONE;

    if (!loop_may_travel(l, j->errp)) {
        return;
    }
    l->travel = (Travel){ .cpu = j->cpu, .stop = at_position };
    switch (j->kind) {
    case TRAVEL_GO:
        go(l, j->position, &at_position);
        break;
    case TRAVEL_TIME:
        go_to_time(l, time_from_now(l, j->ns));
        break;
    case TRAVEL_TEXT:
        if (!set_out_to_text(j)) {
            if (travelling) {
                arrive(l);      /* that journey has been given up */
            }
            return;
        }
        break;
    default:
        if (j->kind == TRAVEL_FIND && !tcg_stops_anywhere(l->tcg)) {
            go_to_last_break(l);
        } else {
            search(l, j->kind, exec_loop_position(l));
        }
    }
    j->ok = !l->ended;
    exec_loop_cont(l);
}

static bool travel(Journey *j)
{
    machine_run_sync(j->loop, set_out, j);
    return j->ok;
}

bool exec_loop_can_travel(ExecLoop *l)
{
    return l->config.travel_memory > 0;
}

typedef struct TravelQuery {
    const ExecLoop *loop;
    bool travelling;
} TravelQuery;

static void ask_travelling(void *opaque)
{
    TravelQuery *q = opaque;

    q->travelling = q->loop->travel.kind != TRAVEL_NONE && !q->loop->ended;
}

bool exec_loop_travelling(ExecLoop *l)
{
    TravelQuery q = { .loop = l };

    machine_run_sync(l, ask_travelling, &q);
    return q.travelling;
}

bool exec_loop_seek(ExecLoop *l, uint64_t position, Error **errp)
{
    Journey j = { .loop = l, .kind = TRAVEL_GO, .position = position, .errp = errp };

    return travel(&j);
}

bool exec_loop_seek_by(ExecLoop *l, int64_t ns, Error **errp)
{
    Journey j = { .loop = l, .kind = TRAVEL_TIME, .ns = ns, .errp = errp };

    return travel(&j);
}

bool exec_loop_seek_text(ExecLoop *l, const char *text, ExecTextFrom from, uint64_t number,
                         Error **errp)
{
    Journey j = { .loop = l, .kind = TRAVEL_TEXT, .text = text, .from = from, .number = number,
                  .errp = errp };

    return travel(&j);
}

bool exec_loop_reverse_step(ExecLoop *l, Vcpu *cpu, Error **errp)
{
    Journey j = { .loop = l, .kind = TRAVEL_STEP, .cpu = cpu, .errp = errp };

    return travel(&j);
}

bool exec_loop_reverse_cont(ExecLoop *l, Error **errp)
{
    Journey j = { .loop = l, .kind = TRAVEL_FIND, .errp = errp };

    return travel(&j);
}
