/*
 * Modes none and record: the outside world is let in, and in mode record
 * written down before the guest sees it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "replay/replay-int.h"
#include "util/host-clock.h"
#include "util/trace.h"

static void put(Replay *r, const ReplayRecord *rec)
{
    replay_mutex_lock(r);
    if (!r->ended) {
        replay_log_writer_put(r->writer, rec);
        r->put_ns = host_monotonic_ns();
    }
    replay_mutex_unlock(r);
}

static bool is_live(Replay *r)
{
    return true;
}

/* Live input comes from our own adapters: malformed is a bug. */
static void deliver_live(ReplaySource *s, const uint8_t *payload, size_t length)
{
    trace_replay_deliver(s->name, length);
    if (!s->deliver(s->opaque, payload, length)) {
        g_error("source '%s' posted what it cannot deliver", s->name);
    }
}

/* One batch: what is posted meanwhile waits for the next safe point. */
static void deliver_batch(ReplayPosted *batch)
{
    for (ReplayPosted *p = batch, *next; p; p = next) {
        next = p->next;
        deliver_live(p->source, p->payload, p->length);
        g_free(p);
    }
}

static bool live_may_stop(Replay *r)
{
    return true;
}

static bool nothing_due(Replay *r)
{
    return false;
}

static uint64_t no_bound(Replay *r)
{
    return UINT64_MAX;
}

static bool never_at_end(Replay *r)
{
    return false;
}

/* ---- none ---- */

static void none_value(ReplaySource *s, ReplayProduce *produce, void *opaque, void *out,
                       size_t length)
{
    produce(opaque, out, length);
}

static bool none_deliver(Replay *r)
{
    if (LIKELY(!replay_queue_pending(r->queue))) {
        return false;
    }
    deliver_batch(replay_queue_take(r->queue));
    return true;
}

static void none_mark(Replay *r, ReplayKind kind, const void *payload, size_t length)
{
}

static bool none_act(ReplaySource *s, const void *payload, size_t length)
{
    deliver_live(s, payload, length);
    return true;
}

static bool none_idle(Replay *r, int64_t until, ReplaySleep *sleep, void *opaque, int64_t *ns)
{
    *ns = sleep(opaque, until);
    return *ns > 0;
}

static bool none_start(Replay *r, Error **errp)
{
    return true;
}

static bool none_end(Replay *r, const void *payload, size_t length)
{
    return true;
}

static void none_place(Replay *r, ReplayPlace *out)
{
}

static bool none_go(Replay *r, const ReplayPlace *place, Error **errp)
{
    return true;
}

static void none_info(Replay *r, GString *out)
{
}

const ReplayModeOps replay_mode_none = {
    .name = "none",
    .mode = REPLAY_MODE_NONE,
    .is_live = is_live,
    .value = none_value,
    .deliver = none_deliver,
    .due = nothing_due,
    .next_pos = no_bound,
    .mark = none_mark,
    .act = none_act,
    .idle = none_idle,
    .may_stop = live_may_stop,
    .start = none_start,
    .end = none_end,
    .at_end = never_at_end,
    .place = none_place,
    .go = none_go,
    .info = none_info,
};

/* ---- record ---- */

static void record_value(ReplaySource *s, ReplayProduce *produce, void *opaque, void *out,
                         size_t length)
{
    ReplayRecord rec = { .kind = s->kind, .source = s->index,
                         .pos = replay_position(s->replay), .length = (uint32_t)length,
                         .payload = out };

    produce(opaque, out, length);
    put(s->replay, &rec);
}

static void record_mark(Replay *r, ReplayKind kind, const void *payload, size_t length)
{
    ReplayRecord rec = { .kind = kind, .source = REPLAY_NO_SOURCE, .pos = replay_position(r),
                         .length = (uint32_t)length, .payload = payload };

    put(r, &rec);
}

/*
 * If this process is killed, the log replays up to its last record. A guest that
 * computes, or hangs, without any input has to come to that point, too.
 */
static void record_progress(Replay *r)
{
    if (host_monotonic_ns() - r->put_ns >= r->progress_period_ns) {
        record_mark(r, REPLAY_KIND_PROGRESS, NULL, 0);
    }
}

/* The whole batch is in the log before the first of it reaches the guest. */
static bool record_deliver(Replay *r)
{
    ReplayPosted *batch;
    uint64_t pos;

    if (LIKELY(!replay_queue_pending(r->queue))) {
        record_progress(r);
        return false;
    }
    pos = replay_position(r);
    replay_order_sync(r, pos);
    batch = replay_queue_take(r->queue);
    for (const ReplayPosted *p = batch; p; p = p->next) {
        ReplayRecord rec = { .kind = p->source->kind, .source = p->source->index, .pos = pos,
                             .checkpoints = r->checkpoints,
                             .again = p == batch && r->delivered,
                             .length = p->length, .payload = p->payload };

        put(r, &rec);
    }
    r->delivered = true;
    deliver_batch(batch);
    return true;
}

/* A batch of one. */
static bool record_act(ReplaySource *s, const void *payload, size_t length)
{
    Replay *r = s->replay;
    ReplayRecord rec = { .kind = s->kind, .source = s->index, .pos = replay_position(r),
                         .length = (uint32_t)length, .payload = payload };

    replay_order_sync(r, rec.pos);
    rec.checkpoints = r->checkpoints;
    rec.again = r->delivered;
    put(r, &rec);
    r->delivered = true;
    deliver_live(s, payload, length);
    return true;
}

/* Empty: to the next timer. */
static bool record_idle(Replay *r, int64_t until, ReplaySleep *sleep, void *opaque, int64_t *ns)
{
    GByteArray *payload;

    *ns = sleep(opaque, until);
    if (*ns <= 0) {
        return false;
    }
    payload = g_byte_array_sized_new(10);
    if (*ns != until) {
        bytes_put_svarint(payload, *ns);
    }
    record_mark(r, REPLAY_KIND_WARP, payload->data, payload->len);
    g_byte_array_unref(payload);
    return true;
}

char *replay_record_description(Replay *r, Error **errp)
{
    char *json = replay_description_to_json(r->description);

    if (strlen(json) > REPLAY_LOG_MAX_HEADER) {
        error_setg(errp, "the machine's description is too long to record (%zu bytes)",
                   strlen(json));
        g_clear_pointer(&json, g_free);
    }
    return json;
}

static bool record_start(Replay *r, Error **errp)
{
    g_autofree char *json = NULL;

    if (r->refusal) {
        error_setg(errp, "%s", r->refusal);
        return false;
    }
    r->put_ns = host_monotonic_ns();
    json = replay_record_description(r, errp);
    if (!json) {
        return false;
    }
    return r->file ? replay_log_writer_open(r->writer, r->file, json, r->overwrite, errp) :
                     replay_log_writer_open_memory(r->writer, json, errp);
}

static bool record_end(Replay *r, const void *payload, size_t length)
{
    bool complete;

    record_mark(r, REPLAY_KIND_END, payload, length);
    replay_mutex_lock(r);
    r->ended = true;
    complete = replay_log_writer_finish(r->writer);
    replay_mutex_unlock(r);
    return complete;
}

static void record_place(Replay *r, ReplayPlace *out)
{
    memcpy(out->id, replay_log_writer_id(r->writer), sizeof(out->id));
    out->records = replay_log_writer_records(r->writer);
    out->pos = replay_position(r);
}

bool replay_record_flush(Replay *r, Error **errp)
{
    ReplayPlace here;

    record_place(r, &here);
    if (here.records != r->newest.records || here.pos != r->newest.pos) {
        record_mark(r, REPLAY_KIND_PROGRESS, NULL, 0);
        here.records = replay_log_writer_records(r->writer);
    }
    if (!replay_log_writer_flush(r->writer)) {
        error_setg(errp, "the recording '%s' was stopped by a write error: it does not lead to the "
                   "present place", replay_name(r));
        return false;
    }
    r->newest = here;
    return true;
}

static bool record_go(Replay *r, const ReplayPlace *place, Error **errp)
{
    ReplayPlace here;

    record_place(r, &here);
    if (!replay_place_is_before(r, place, &here)) {
        error_setg(errp, "a recording begins at power-on: a state that was not saved in this very "
                   "recording cannot be loaded while '%s' is being recorded", replay_name(r));
        return false;
    }
    /* The state that was saved here does not lead elsewhere. */
    return (place->records == here.records && place->pos == here.pos) ||
           replay_travel_begin(r, place, errp);
}

static void record_info(Replay *r, GString *out)
{
    g_string_append_printf(out, "file: %s\nposition: %" PRIu64 "\nrecords: %" PRIu64
                           "\nbytes %s: %" PRIu64 "\n%s", r->file ? r->file :
                           "none, the recording is in memory (replay_save FILE keeps it)",
                           replay_position(r), replay_log_writer_records(r->writer),
                           r->file ? "on disk" : "in memory", replay_log_writer_bytes(r->writer),
                           replay_log_writer_failed(r->writer) ?
                           "stopped by a write error\n" : "");
}

const ReplayModeOps replay_mode_record = {
    .name = "record",
    .mode = REPLAY_MODE_RECORD,
    .is_live = is_live,
    .value = record_value,
    .deliver = record_deliver,
    .due = nothing_due,
    .next_pos = no_bound,
    .mark = record_mark,
    .act = record_act,
    .idle = record_idle,
    .may_stop = live_may_stop,
    .start = record_start,
    .end = record_end,
    .at_end = never_at_end,
    .place = record_place,
    .go = record_go,
    .info = record_info,
};
