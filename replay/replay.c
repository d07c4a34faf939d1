/*
 * The module's entry points: life cycle, sources, safe points, the mutex. What
 * depends on the mode is behind r->ops.
 *
 * 1. Everything but replay_post(), the mutex, replay_failed() and replay_report()
 *    is called on the machine thread, or before it starts.
 * 2. The mutex is held while the log is read or written, never while foreign code
 *    (deliver, produce, wake-up) runs on our behalf.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "replay/replay-int.h"
#include "replay-build-id.h"
#include "util/trace.h"

#define PROGRESS_PERIOD_NS 5000000000

static bool open_mode(Replay *r, ReplayMode mode, Error **errp)
{
    switch (mode) {
    case REPLAY_MODE_NONE:
        r->ops = &replay_mode_none;
        return true;
    case REPLAY_MODE_RECORD:
        r->ops = &replay_mode_record;
        r->writer = replay_log_writer_new(&replay_log_recording);
        return true;
    case REPLAY_MODE_PLAY:
        r->ops = &replay_mode_play;
        replay_queue_set_open(r->queue, false);
        r->cursor = replay_cursor_open(r->file, errp);
        if (!r->cursor) {
            return false;
        }
        r->recorded = replay_cursor_description(r->cursor);
        if (!replay_description_check_engine(r->recorded, errp)) {
            error_prepend(errp, "cannot replay '%s': ", r->file);
            return false;
        }
        g_array_append_vals(r->ancestors, r->recorded->ancestors->data,
                            r->recorded->ancestors->len);
        r->check = r->recorded->check;
        r->check_period = r->recorded->check_period;
        return true;
    }
    g_assert_not_reached();
}

Replay *replay_new(const ReplayConfig *config, Error **errp)
{
    Replay *r;

    if (config->mode == REPLAY_MODE_PLAY && !config->file) {
        error_setg(errp, "replaying needs a file: add rrfile=FILE");
        return NULL;
    }
    if (config->mode == REPLAY_MODE_RECORD && config->check == REPLAY_CHECK_DIGEST &&
        (config->check_period == 0 || config->check_period > INT64_MAX)) {
        error_setg(errp, "rrcheckperiod=%" PRIu64 " is not a number of instructions",
                   config->check_period);
        return NULL;
    }
    r = g_new0(Replay, 1);
    r->file = g_strdup(config->file);
    r->check = config->check;
    r->check_period = config->check_period;
    r->overwrite = config->overwrite;
    r->keyframes = config->keyframes;
    r->progress_period_ns = PROGRESS_PERIOD_NS;
    r->sources = g_ptr_array_new();
    r->late_sources = g_ptr_array_new();
    r->outputs = replay_outputs_new();
    r->ancestors = g_array_new(false, false, sizeof(ReplayPlace));
    r->queue = replay_queue_new();
    r->description = replay_description_new();
    g_free(r->description->build);
    r->description->build = g_strdup(REARM_BUILD_ID);
    g_rec_mutex_init(&r->mutex);
    if (!open_mode(r, config->mode, errp)) {
        replay_free(r);
        return NULL;
    }
    return r;
}

static void source_free(ReplaySource *s)
{
    g_free(s->name);
    g_free(s);
}

void replay_free(Replay *r)
{
    /* Whoever holds the mutex gets out first. */
    replay_mutex_lock(r);
    replay_mutex_unlock(r);
    g_clear_pointer(&r->writer, replay_log_writer_free);
    g_clear_pointer(&r->cursor, replay_cursor_free);
    replay_forget_keyframes(r);
    replay_stop_adding(r);
    replay_queue_free(r->queue);
    replay_description_free(r->description);
    g_ptr_array_foreach(r->sources, (GFunc)(void (*)(void))source_free, NULL);
    g_ptr_array_unref(r->sources);
    g_ptr_array_foreach(r->late_sources, (GFunc)(void (*)(void))source_free, NULL);
    g_ptr_array_unref(r->late_sources);
    replay_outputs_free(r->outputs);
    g_array_unref(r->ancestors);
    g_rec_mutex_clear(&r->mutex);
    g_free(r->refusal);
    g_free(r->early);
    g_free(r->report);
    g_free(r->file);
    g_free(r);
}

void replay_set_host(Replay *r, const ReplayHost *host)
{
    r->host = *host;
}

void replay_describe(Replay *r, const char *name, const char *value)
{
    assert(!r->started);
    replay_description_add(r->description, name, value);
}

const char *replay_described(Replay *r, const char *name)
{
    return r->recorded ? replay_description_get(r->recorded, name) : NULL;
}

bool replay_start(Replay *r, Error **errp)
{
    assert(!r->started);
    r->description->check = r->check;
    r->description->check_period = r->check_period;
    if (!r->ops->start(r, errp)) {
        return false;
    }
    r->started = true;
    return true;
}

char *replay_machine_text(Replay *r)
{
    return replay_description_to_json(r->description);
}

bool replay_machine_is(Replay *r, const char *text, Error **errp)
{
    ReplayDescription *saved = replay_description_from_json(text, errp);
    bool same = saved && replay_description_check_engine(saved, errp) &&
                replay_description_compare(saved, r->description, false, errp);

    if (saved) {
        replay_description_free(saved);
    }
    return same;
}

const char *replay_old_file(Replay *r)
{
    return r->writer ? replay_log_writer_old(r->writer) : NULL;
}

/* ---- sources ---- */

ReplaySource *replay_recorded_source(Replay *r, uint32_t recorded)
{
    for (guint i = 0; i < r->sources->len; i++) {
        ReplaySource *s = g_ptr_array_index(r->sources, i);

        if (s->recorded == recorded) {
            return s;
        }
    }
    /* replay_start() has compared the tables. */
    g_assert_not_reached();
}

ReplaySource *replay_source_new(Replay *r, ReplayKind kind, const char *name,
                                ReplayDeliver *deliver, void *opaque)
{
    ReplaySource *s = g_new0(ReplaySource, 1);

    assert(!r->started);
    assert(replay_kind_has_source(kind));
    assert(deliver || replay_kind_info(kind)->class_ == REPLAY_CLASS_VALUE);
    assert(r->sources->len < REPLAY_LOG_MAX_SOURCES);
    assert(replay_description_find_source(r->description, kind, name) == REPLAY_NO_SOURCE);
    s->replay = r;
    s->kind = kind;
    s->name = g_strdup(name);
    s->deliver = deliver;
    s->opaque = opaque;
    s->index = r->sources->len;
    s->recorded = r->recorded ? replay_description_find_source(r->recorded, kind, name) : s->index;
    g_ptr_array_add(r->sources, s);
    replay_description_add_source(r->description, kind, name);
    return s;
}

ReplaySource *replay_source_add(Replay *r, ReplayKind kind, const char *name, ReplayDeliver *deliver,
                                void *opaque)
{
    ReplaySource *s;

    assert(replay_kind_has_source(kind) && deliver);
    if (r->ops->mode != REPLAY_MODE_NONE) {
        return NULL;
    }
    s = g_new0(ReplaySource, 1);
    s->replay = r;
    s->kind = kind;
    s->name = g_strdup(name);
    s->deliver = deliver;
    s->opaque = opaque;
    s->index = s->recorded = REPLAY_NO_SOURCE;
    g_ptr_array_add(r->late_sources, s);
    return s;
}

bool replay_source_remove(ReplaySource *s)
{
    Replay *r = s->replay;

    if (r->ops->mode != REPLAY_MODE_NONE) {
        return false;
    }
    replay_queue_forget(r->queue, s);
    if (g_ptr_array_remove(r->late_sources, s)) {
        source_free(s);
    }
    return true;
}

ReplaySource *replay_source_find(Replay *r, ReplayKind kind, const char *name)
{
    for (guint i = 0; i < r->sources->len; i++) {
        ReplaySource *s = g_ptr_array_index(r->sources, i);

        if (s->kind == kind && !strcmp(s->name, name)) {
            return s;
        }
    }
    return NULL;
}

void replay_source_on_live(ReplaySource *s, void (*live)(void *opaque))
{
    s->live = live;
}

void replay_tell_live(Replay *r)
{
    for (guint i = 0; i < r->sources->len; i++) {
        ReplaySource *s = g_ptr_array_index(r->sources, i);

        if (s->live) {
            s->live(s->opaque);
        }
    }
}

void replay_source_refuse(Replay *r, const char *name, const char *why)
{
    if (!r->refusal) {
        r->refusal = g_strdup_printf("'%s' cannot be recorded or replayed: %s", name, why);
    }
}

bool replay_post(ReplaySource *s, const void *payload, size_t length)
{
    assert(length <= REPLAY_MAX_PAYLOAD);
    assert(s->deliver);
    trace_replay_post(s->name, length);
    return replay_queue_push(s->replay->queue, s, payload, length);
}

void replay_value(ReplaySource *s, ReplayProduce *produce, void *opaque, void *out,
                  size_t length)
{
    assert(length <= REPLAY_MAX_PAYLOAD);
    assert(replay_kind_info(s->kind)->class_ == REPLAY_CLASS_VALUE);
    trace_replay_value(s->name, length);
    s->replay->ops->value(s, produce, opaque, out, length);
}

void replay_set_wakeup(Replay *r, void (*wakeup)(void *opaque), void *opaque)
{
    replay_queue_set_wakeup(r->queue, wakeup, opaque);
}

/* ---- the execution loop ---- */

bool replay_safe_point(Replay *r)
{
    return r->ops->deliver(r);
}

bool replay_due(Replay *r)
{
    return r->ops->due(r);
}

uint64_t replay_next_pos(Replay *r)
{
    return r->ops->next_pos(r);
}

void replay_checkpoint(Replay *r, ReplayCheckpoint checkpoint)
{
    uint8_t payload = (uint8_t)checkpoint;

    trace_replay_checkpoint(replay_checkpoint_name(checkpoint));
    if (r->check != REPLAY_CHECK_OFF) {
        r->ops->mark(r, REPLAY_KIND_CHECKPOINT, &payload, 1);
    }
    replay_order_sync(r, replay_position(r));
    r->checkpoints++;
    r->delivered = false;
    if (checkpoint != CHECKPOINT_INIT) {
        r->ops->deliver(r);
    }
}

bool replay_act(ReplaySource *s, const void *payload, size_t length)
{
    assert(length <= REPLAY_MAX_PAYLOAD);
    assert(s->deliver);
    return s->replay->ops->act(s, payload, length);
}

bool replay_idle(Replay *r, int64_t until, ReplaySleep *sleep, void *opaque, int64_t *ns)
{
    return r->ops->idle(r, until, sleep, opaque, ns);
}

bool replay_may_stop(Replay *r)
{
    return r->ops->may_stop(r);
}

bool replay_at_end(Replay *r)
{
    return r->ops->at_end(r);
}

bool replay_check_end(Replay *r, uint64_t digest)
{
    return !r->cursor || replay_play_check_end(r, digest);
}

bool replay_is_truncated(Replay *r)
{
    return r->told_truncated;
}

bool replay_was_saved(Replay *r)
{
    return r->told_saved;
}

bool replay_failed(Replay *r)
{
    return g_atomic_int_get(&r->failed) != 0;
}

const char *replay_report(Replay *r)
{
    return replay_failed(r) ? r->report : NULL;
}

bool replay_is_live(Replay *r)
{
    return r->ops->is_live(r);
}

bool replay_is_recording(const Replay *r)
{
    return r->ops->mode == REPLAY_MODE_RECORD;
}

/* ---- state ---- */

void replay_save(Replay *r, GByteArray *out)
{
    ReplayPlace place = { 0 };

    replay_order_sync(r, replay_position(r));
    r->ops->place(r, &place);
    bytes_put_data(out, place.id, sizeof(place.id));
    bytes_put_varint(out, place.records);
    bytes_put_varint(out, r->order_pos);
    bytes_put_varint(out, r->checkpoints);
    bytes_put_u8(out, r->delivered);
    bytes_put_varint(out, replay_outputs_made(r->outputs));
}

bool replay_load(Replay *r, ByteReader *in, Error **errp)
{
    const uint8_t *id = bytes_get_data(in, REPLAY_LOG_ID_SIZE);
    ReplayPlace place = { .records = bytes_get_varint(in) };
    uint64_t order_pos = bytes_get_varint(in), checkpoints = bytes_get_varint(in);
    bool delivered = bytes_get_u8(in);
    uint64_t outputs = bytes_get_varint(in);

    if (in->failed || checkpoints > UINT32_MAX) {
        error_setg(errp, "the place in the recording is damaged");
        return false;
    }
    memcpy(place.id, id, sizeof(place.id));
    place.pos = order_pos;
    if (!r->ops->go(r, &place, errp)) {
        return false;
    }
    r->order_pos = order_pos;
    r->checkpoints = (uint32_t)checkpoints;
    r->delivered = delivered;
    replay_outputs_go(r->outputs, outputs);
    if (r->ops->mode == REPLAY_MODE_NONE) {
        replay_outputs_cut(r->outputs);
    }
    return true;
}

/* ---- the mutex ---- */

void replay_mutex_lock(Replay *r)
{
    g_rec_mutex_lock(&r->mutex);
    r->depth++;
    g_atomic_pointer_set(&r->owner, g_thread_self());
}

void replay_mutex_unlock(Replay *r)
{
    assert(replay_mutex_locked(r));
    if (--r->depth == 0) {
        g_atomic_pointer_set(&r->owner, NULL);
    }
    g_rec_mutex_unlock(&r->mutex);
}

bool replay_mutex_locked(Replay *r)
{
    return g_atomic_pointer_get(&r->owner) == (void *)g_thread_self();
}

const char *replay_mode_name(const Replay *r)
{
    return r->ops->name;
}

bool replay_last_position(Replay *r, uint64_t *position)
{
    replay_mutex_lock(r);
    if (r->writer) {
        *position = r->cursor ? r->newest.pos : replay_position(r);
    } else if (r->cursor) {
        *position = replay_cursor_last_pos(r->cursor);
    }
    replay_mutex_unlock(r);
    return r->writer || r->cursor;
}

const char *replay_file(const Replay *r)
{
    return r->file;
}

void replay_info(Replay *r, GString *out)
{
    g_string_append_printf(out, "mode: %s\n", r->ops->name);
    r->ops->info(r, out);
}
