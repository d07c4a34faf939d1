/*
 * Mode replay: the log stands in for the outside world.
 *
 * 1. The head of the log is never behind the position: a record that was passed
 *    over is a divergence, noticed at the next call.
 * 2. A posted record is delivered at its position, when as many checkpoints and
 *    batches came before it there as in the recording.
 * 3. A value, a mark or the end has to be the head of the log, kind, source,
 *    length and position alike, when the machine gets there.
 * 4. A bound is stepped over when its position is reached.
 * 5. After a report, and at the end of a truncated log, values are zero and nothing is
 *    delivered: the loop is about to stop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "replay/replay-int.h"
#include "util/trace.h"

/* Ten years: how long a recorder waits at the most when nothing happens. */
#define MAX_IDLE_NS (10 * 366 * 86400 * 1000000000ll)

const ReplayRecord *replay_play_head(Replay *r)
{
    const ReplayRecord *rec;

    if (replay_failed(r)) {
        return NULL;
    }
    while ((rec = replay_cursor_peek(r->cursor)) != NULL &&
           replay_kind_info(rec->kind)->class_ == REPLAY_CLASS_BOUND &&
           rec->pos == replay_position(r)) {
        replay_cursor_advance(r->cursor);
    }
    if (!rec && replay_cursor_status(r->cursor) == REPLAY_LOG_DAMAGED) {
        replay_damaged(r, replay_cursor_damage(r->cursor));
    }
    return rec;
}

/* The same, and rule 1. */
static const ReplayRecord *head_checked(Replay *r, uint64_t pos)
{
    const ReplayRecord *rec = replay_play_head(r);
    char *expected;

    if (!rec || rec->pos >= pos) {
        return rec;
    }
    expected = replay_expected(r);
    replay_diverged(r, expected, "execution went past it");
    g_free(expected);
    return NULL;
}

/* The head, if it is a posted record that is due now. */
static const ReplayRecord *due(Replay *r)
{
    uint64_t pos = replay_position(r);
    const ReplayRecord *rec = head_checked(r, pos);

    replay_order_sync(r, pos);
    if (!rec || rec->pos != pos || rec->checkpoints > r->checkpoints ||
        replay_kind_info(rec->kind)->class_ != REPLAY_CLASS_POSTED) {
        return NULL;
    }
    return rec;
}

static bool play_is_live(Replay *r)
{
    return false;
}

static bool play_due(Replay *r)
{
    bool is_due;

    replay_mutex_lock(r);
    is_due = due(r) != NULL;
    replay_mutex_unlock(r);
    return is_due;
}

/* Deliver the due record; the mutex is held, but not during the delivery. */
static void deliver_one(Replay *r, const ReplayRecord *rec)
{
    ReplaySource *s = replay_recorded_source(r, rec->source);
    uint32_t length = rec->length;
    /* A delivery may ask for values, and so turn to the next frame. */
    uint8_t *payload = g_memdup2(rec->payload, length);
    bool ok;

    replay_cursor_advance(r->cursor);
    replay_mutex_unlock(r);
    trace_replay_deliver(s->name, length);
    ok = s->deliver(s->opaque, payload, length);
    replay_mutex_lock(r);
    g_free(payload);
    if (!ok) {
        char *what = g_strdup_printf("record %" PRIu64 " (%s '%s') has a malformed payload",
                                     replay_cursor_count(r->cursor) - 1,
                                     replay_kind_info(s->kind)->name, s->name);

        replay_damaged(r, what);
        g_free(what);
    }
}

static bool play_deliver(Replay *r)
{
    const ReplayRecord *rec;
    bool delivered = false;

    replay_mutex_lock(r);
    while ((rec = due(r)) != NULL && !(rec->again && delivered)) {
        deliver_one(r, rec);
        delivered = true;
    }
    r->delivered |= delivered;
    replay_mutex_unlock(r);
    return delivered;
}

static uint64_t play_next_pos(Replay *r)
{
    uint64_t pos = replay_position(r);
    uint64_t bound = pos;

    replay_mutex_lock(r);
    if (head_checked(r, pos)) {
        bound = MAX(pos, replay_cursor_bound(r->cursor));
    }
    replay_mutex_unlock(r);
    return bound;
}

/* Rule 3, for values. */
static bool value_matches(const ReplaySource *s, const ReplayRecord *rec, uint64_t pos,
                          size_t length)
{
    return rec->kind == s->kind && rec->source == s->recorded && rec->pos == pos &&
           rec->length == length;
}

/* Before replay_start() a mismatch has its cause in the configuration, which is compared
 * there, with a better message. */
static void value_mismatch(ReplaySource *s, size_t length)
{
    Replay *r = s->replay;
    char *expected = replay_expected(r);
    char *found = g_strdup_printf("'%s' asked for %s, %zu bytes", s->name,
                                  replay_kind_info(s->kind)->name, length);

    if (r->started) {
        replay_diverged(r, expected, found);
    } else if (!r->early) {
        r->early = g_strdup_printf("before the start the recording has %s, but %s", expected,
                                   found);
    }
    g_free(expected);
    g_free(found);
}

static void play_value(ReplaySource *s, ReplayProduce *produce, void *opaque, void *out,
                       size_t length)
{
    Replay *r = s->replay;
    const ReplayRecord *rec;

    replay_mutex_lock(r);
    rec = replay_play_head(r);
    memset(out, 0, length);
    if (rec && value_matches(s, rec, replay_position(r), length)) {
        memcpy(out, rec->payload, length);
        replay_cursor_advance(r->cursor);
    } else if (rec) {
        value_mismatch(s, length);
    }
    replay_mutex_unlock(r);
}

/* The head is this kind of mark at this position. Reports otherwise. */
static const ReplayRecord *expect_mark(Replay *r, ReplayKind kind, const void *payload,
                                       size_t length)
{
    const ReplayRecord *rec = replay_play_head(r);
    GString *found;
    char *expected;

    if (!rec || (rec->kind == (unsigned)kind && rec->pos == replay_position(r) &&
                 rec->length == length && memcmp(rec->payload, payload, length) == 0)) {
        return rec;
    }
    r->digest_differs = kind == REPLAY_KIND_CHECK_DIGEST && rec->kind == kind &&
                        rec->pos == replay_position(r);
    expected = replay_expected(r);
    found = g_string_new(replay_kind_info(kind)->name);
    g_string_append(found, ": ");
    replay_payload_format(found, kind, payload, length);
    replay_diverged(r, expected, found->str);
    g_string_free(found, true);
    g_free(expected);
    return NULL;
}

static void play_mark(Replay *r, ReplayKind kind, const void *payload, size_t length)
{
    replay_mutex_lock(r);
    if (expect_mark(r, kind, payload, length)) {
        replay_cursor_advance(r->cursor);
    }
    replay_mutex_unlock(r);
}

/* The recording machine was idle here, too, so it has to have recorded how long. */
static void warp_missing(Replay *r)
{
    char *expected = replay_expected(r);

    replay_diverged(r, expected, "all CPUs wait here, and no idle time is recorded");
    g_free(expected);
}

/*
 * An amount, or nothing: up to the next timer. No recorder lets a timer wait, or waits for
 * years when there is none; such a log was not written by one.
 */
static bool take_warp(Replay *r, const ReplayRecord *rec, int64_t *ns, int64_t until)
{
    ByteReader in;

    byte_reader_init(&in, rec->payload, rec->length);
    *ns = rec->length ? bytes_get_svarint(&in) : until;
    if (in.failed || byte_reader_left(&in) || *ns < 0 || *ns > MIN(until, MAX_IDLE_NS)) {
        g_autofree char *what = g_strdup_printf("record %" PRIu64 " has a malformed idle time",
                                                replay_cursor_count(r->cursor));

        replay_damaged(r, what);
        return false;
    }
    replay_cursor_advance(r->cursor);
    return true;
}

static bool play_act(ReplaySource *s, const void *payload, size_t length)
{
    return false;
}

static bool play_may_stop(Replay *r)
{
    return false;
}

static bool play_idle(Replay *r, int64_t until, ReplaySleep *sleep, void *opaque, int64_t *ns)
{
    uint64_t pos = replay_position(r);
    const ReplayRecord *rec;
    bool taken = false;

    replay_mutex_lock(r);
    rec = head_checked(r, pos);
    if (rec && rec->kind == REPLAY_KIND_WARP && rec->pos == pos) {
        taken = take_warp(r, rec, ns, until);
    } else if (rec && rec->pos != pos) {
        warp_missing(r);
    } else if (rec && rec->kind != REPLAY_KIND_END && !due(r)) {
        warp_missing(r);
    }
    replay_mutex_unlock(r);
    return taken;
}

static bool play_start(Replay *r, Error **errp)
{
    bool ok = false;

    if (!replay_description_compare(r->recorded, r->description, true, errp)) {
        error_prepend(errp, "cannot replay '%s': ", r->file);
    } else if (r->refusal) {
        error_setg(errp, "%s", r->refusal);
    } else if (r->early) {
        error_setg(errp, "cannot replay '%s': %s", r->file, r->early);
    } else {
        ok = !r->keyframes || replay_begin_adding(r, errp);
    }
    if (ok && strcmp(r->recorded->build, r->description->build) != 0) {
        warn_report("'%s' was recorded by build %s, this is build %s", r->file,
                    r->recorded->build, r->description->build);
    }
    return ok;
}

/* The machine has come to the log's end, and nothing differed. */
static bool is_equal_end(Replay *r)
{
    if (replay_failed(r)) {
        return false;
    }
    replay_finish_adding(r);
    return true;
}

static bool play_end(Replay *r, const void *payload, size_t length)
{
    replay_mutex_lock(r);
    if (!r->ended && expect_mark(r, REPLAY_KIND_END, payload, length)) {
        replay_cursor_advance(r->cursor);
        r->ended = true;
        replay_play_head(r);   /* what stands behind it, the index, may be damaged, too */
    }
    replay_mutex_unlock(r);
    return is_equal_end(r);
}

/* The log has no end record. */
static void tell_unfinished(Replay *r, uint64_t pos)
{
    r->told_truncated = true;
    r->told_saved = replay_cursor_status(r->cursor) == REPLAY_LOG_FINISHED;
    if (r->told_saved) {
        warn_report("the recording '%s' was saved before its machine came to an end: it ends "
                    "here, at position %" PRIu64, replay_name(r), pos);
    } else {
        warn_report("the recording '%s' has no end record (killed, or disk full): it "
                    "ends here, at position %" PRIu64, replay_name(r), pos);
    }
}

static bool is_saved_end(const ReplayRecord *rec)
{
    return rec && rec->kind == REPLAY_KIND_END && rec->length == 9 &&
           rec->payload[0] == REPLAY_END_SAVED;
}

/* The recording machine ended here, so this one has to, by itself: then play_end() compares it. */
static void end_missing(Replay *r)
{
    g_autofree char *expected = replay_expected(r);

    replay_diverged(r, expected, "the machine does not end here");
}

bool replay_play_check_end(Replay *r, uint64_t digest)
{
    GByteArray *payload = g_byte_array_sized_new(9);
    const ReplayRecord *rec;

    bytes_put_u8(payload, REPLAY_END_SAVED);
    bytes_put_le64(payload, digest);
    replay_mutex_lock(r);
    rec = r->ended ? NULL : replay_play_head(r);
    if (is_saved_end(rec)) {
        /* It stays the next record: the machine may go live here. */
        expect_mark(r, REPLAY_KIND_END, payload->data, payload->len);
    } else if (rec && rec->kind == REPLAY_KIND_END) {
        end_missing(r);
    }
    replay_mutex_unlock(r);
    g_byte_array_unref(payload);
    return is_equal_end(r);
}

static bool play_at_end(Replay *r)
{
    uint64_t pos = replay_position(r);
    const ReplayRecord *rec;
    bool at_end;

    if (r->ended) {
        return true;
    }
    replay_mutex_lock(r);
    rec = head_checked(r, pos);
    at_end = rec ? rec->kind == REPLAY_KIND_END && rec->pos == pos : !replay_failed(r);
    r->told_saved |= at_end && is_saved_end(rec);
    if (at_end && !rec && !r->told_truncated) {
        tell_unfinished(r, pos);
    }
    replay_mutex_unlock(r);
    return at_end;
}

static void play_place(Replay *r, ReplayPlace *out)
{
    memcpy(out->id, replay_cursor_id(r->cursor), sizeof(out->id));
    out->records = replay_cursor_count(r->cursor);
    out->pos = replay_position(r);
}

static bool play_go(Replay *r, const ReplayPlace *place, Error **errp)
{
    ReplayPlace own = { .records = UINT64_MAX, .pos = UINT64_MAX };
    bool ok = false;

    memcpy(own.id, replay_cursor_id(r->cursor), sizeof(own.id));
    replay_mutex_lock(r);
    if (!replay_place_is_before(r, place, &own)) {
        error_setg(errp, "the state was not saved in the recording '%s' or a replay of it",
                   r->file);
    } else {
        ok = replay_cursor_go(r->cursor, place->records, errp);
        r->ended = false;
    }
    replay_mutex_unlock(r);
    return ok;
}

static void play_info(Replay *r, GString *out)
{
    const ReplayRecord *rec;

    replay_mutex_lock(r);
    rec = replay_play_head(r);
    g_string_append_printf(out, "file: %s\nposition: %" PRIu64 "\nrecords replayed: %" PRIu64
                           "\nnext record: ", replay_name(r), replay_position(r),
                           replay_cursor_count(r->cursor));
    if (rec) {
        replay_record_format(out, rec, r->recorded);
    } else {
        g_string_append(out, replay_failed(r) ? "none (diverged)" : "none");
    }
    g_string_append_c(out, '\n');
    replay_mutex_unlock(r);
}

const ReplayModeOps replay_mode_play = {
    .name = "replay",
    .mode = REPLAY_MODE_PLAY,
    .is_live = play_is_live,
    .value = play_value,
    .deliver = play_deliver,
    .due = play_due,
    .next_pos = play_next_pos,
    .mark = play_mark,
    .act = play_act,
    .idle = play_idle,
    .may_stop = play_may_stop,
    .start = play_start,
    .end = play_end,
    .at_end = play_at_end,
    .place = play_place,
    .go = play_go,
    .info = play_info,
};
