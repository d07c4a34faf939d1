/*
 * Mode travelling: a machine that is being recorded has gone back to an earlier place of that very
 * recording.
 *
 * 1. The recording stays open, and nothing is written to it. What leads from here to its newest
 *    place is replayed from a second look at the same file or memory.
 * 2. At the newest place the mode is record again, by itself: at the first call there that is made
 *    between two instructions. Values and marks of instructions before it are replayed, and no
 *    instruction at or behind it is executed before such a call.
 * 3. The order state (Replay.order_pos and what follows it) is kept in replay as in record, so it is
 *    right at the newest place.
 * 4. What is posted is refused. What was posted before the machine went back, and not delivered, waits
 *    in the queue for the newest place.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "replay/replay-int.h"
#include "util/host-clock.h"

/* ---- places ---- */

static bool is_before(const ReplayPlace *a, const ReplayPlace *b)
{
    return memcmp(a->id, b->id, sizeof(a->id)) == 0 && a->records <= b->records && a->pos <= b->pos;
}

bool replay_place_is_before(const Replay *r, const ReplayPlace *place, const ReplayPlace *newest)
{
    for (guint i = 0; i < r->ancestors->len; i++) {
        if (is_before(place, &g_array_index(r->ancestors, ReplayPlace, i))) {
            return true;
        }
    }
    return is_before(place, newest);
}

/* ---- to the newest place ---- */

static void become_live(Replay *r)
{
    g_clear_pointer(&r->cursor, replay_cursor_free);
    r->recorded = NULL;
    r->ended = false;
    r->put_ns = host_monotonic_ns();
    r->ops = &replay_mode_record;
    replay_queue_set_open(r->queue, true);
    replay_tell_live(r);
}

/* What does a call between two instructions: record's functions at the newest place, or replay's. */
static const ReplayModeOps *now(Replay *r)
{
    bool arrived;

    replay_mutex_lock(r);
    arrived = !replay_play_head(r) && !replay_failed(r) && replay_position(r) == r->newest.pos;
    if (arrived) {
        become_live(r);
    }
    replay_mutex_unlock(r);
    return arrived ? &replay_mode_record : &replay_mode_play;
}

static void travel_value(ReplaySource *s, ReplayProduce *produce, void *opaque, void *out,
                         size_t length)
{
    replay_mode_play.value(s, produce, opaque, out, length);
}

static void travel_mark(Replay *r, ReplayKind kind, const void *payload, size_t length)
{
    replay_mode_play.mark(r, kind, payload, length);
}

static bool travel_is_live(Replay *r)
{
    return now(r) == &replay_mode_record;
}

static bool travel_deliver(Replay *r)
{
    return now(r)->deliver(r);
}

static bool travel_due(Replay *r)
{
    return now(r)->due(r);
}

static uint64_t travel_next_pos(Replay *r)
{
    return now(r)->next_pos(r);
}

static bool travel_act(ReplaySource *s, const void *payload, size_t length)
{
    return now(s->replay)->act(s, payload, length);
}

static bool travel_idle(Replay *r, int64_t until, ReplaySleep *sleep, void *opaque, int64_t *ns)
{
    return now(r)->idle(r, until, sleep, opaque, ns);
}

static bool travel_may_stop(Replay *r)
{
    return now(r)->may_stop(r);
}

static bool travel_end(Replay *r, const void *payload, size_t length)
{
    return now(r)->end(r, payload, length);
}

static bool travel_at_end(Replay *r)
{
    return now(r)->at_end(r);
}

/* ---- from place to place ---- */

static bool check_place(ReplayCursor *c, const ReplayPlace *place, Error **errp)
{
    const ReplayRecord *next = replay_cursor_peek(c);

    if (next && next->pos < place->pos) {
        error_setg(errp, "the state does not fit the recording: record %" PRIu64 " is at position %"
                   PRIu64 ", and the state at %" PRIu64, next->number, next->pos, place->pos);
        return false;
    }
    return true;
}

static bool go(ReplayCursor *c, const ReplayPlace *place, Error **errp)
{
    return replay_cursor_go(c, place->records, errp) && check_place(c, place, errp);
}

static bool travel_go(Replay *r, const ReplayPlace *place, Error **errp)
{
    uint64_t here;
    bool ok;

    if (!replay_place_is_before(r, place, &r->newest)) {
        error_setg(errp, "the state is of no place in the recording '%s'", replay_name(r));
        return false;
    }
    replay_mutex_lock(r);
    here = replay_cursor_count(r->cursor);
    ok = go(r->cursor, place, errp);
    if (!ok) {
        replay_cursor_go(r->cursor, here, NULL);
    }
    replay_mutex_unlock(r);
    return ok;
}

/* All records from the place to the newest are there: the way back is open. */
static bool check_way(Replay *r, ReplayCursor *c, const ReplayPlace *place, Error **errp)
{
    if (!go(c, place, errp)) {
        return false;
    }
    while (replay_cursor_peek(c)) {
        replay_cursor_advance(c);
    }
    if (replay_cursor_count(c) != r->newest.records) {
        error_setg(errp, "what follows the state cannot be read: %s",
                   replay_cursor_damage(c) ? replay_cursor_damage(c) : "the file was cut off");
        return false;
    }
    return go(c, place, errp);
}

static ReplayCursor *open_cursor(Replay *r, const ReplayPlace *place, Error **errp)
{
    ReplayLogReader *reader = replay_log_writer_read(r->writer, errp);
    ReplayCursor *c = reader ? replay_cursor_new(reader, errp) : NULL;

    if (c) {
        replay_cursor_know_frames(c, replay_log_writer_index(r->writer));
        if (!check_way(r, c, place, errp)) {
            g_clear_pointer(&c, replay_cursor_free);
        }
    }
    return c;
}

bool replay_travel_begin(Replay *r, const ReplayPlace *place, Error **errp)
{
    ReplayCursor *c = NULL;

    replay_mutex_lock(r);
    if (replay_record_flush(r, errp)) {
        c = open_cursor(r, place, errp);
    }
    if (c) {
        replay_queue_set_open(r->queue, false);
        r->cursor = c;
        r->recorded = replay_cursor_description(c);
        r->ops = &replay_mode_travel;
    } else {
        error_prepend(errp, "cannot go back in the recording '%s': ", replay_name(r));
    }
    replay_mutex_unlock(r);
    return c != NULL;
}

static void travel_place(Replay *r, ReplayPlace *out)
{
    replay_mode_play.place(r, out);
}

static void travel_info(Replay *r, GString *out)
{
    replay_mode_play.info(r, out);
    g_string_append_printf(out, "newest position: %" PRIu64 " (live again from there)\n",
                           r->newest.pos);
}

const ReplayModeOps replay_mode_travel = {
    .name = "travelling",
    .mode = REPLAY_MODE_RECORD,
    .is_live = travel_is_live,
    .value = travel_value,
    .deliver = travel_deliver,
    .due = travel_due,
    .next_pos = travel_next_pos,
    .mark = travel_mark,
    .act = travel_act,
    .idle = travel_idle,
    .may_stop = travel_may_stop,
    .end = travel_end,
    .at_end = travel_at_end,
    .place = travel_place,
    .go = travel_go,
    .info = travel_info,
};
