/*
 * Keyframes of the recording at hand: to its writer, to the copy of it that gets them
 * (replay-add.h), or from its reader.
 *
 * A keyframe could hold any state, and so is what a log says anyway: after one was restored, the
 * replay is compared with the recording's checks and its end as ever.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "replay/replay-int.h"

/* ---- record ---- */

static ReplayLogWriter *writer(Replay *r)
{
    return r->adder ? replay_adder_writer(r->adder) : r->writer;
}

bool replay_has_keyframe_writer(Replay *r)
{
    return r->adder || (r->keyframes && r->writer && !r->cursor && !r->ended);
}

bool replay_keyframe_writer_ready(Replay *r, int64_t *cost_ns)
{
    return replay_log_writer_keyframe_done(writer(r), cost_ns);
}

void replay_put_keyframe(Replay *r, ReplayKeyframe *k)
{
    k->outputs = replay_outputs_made(r->outputs);
    replay_outputs_put(r->outputs, r->keyframe_outputs, k->text);
    r->keyframe_outputs = k->outputs;
    replay_mutex_lock(r);
    if (r->adder) {
        replay_adder_copy(r->adder, replay_cursor_count(r->cursor));
    }
    replay_log_writer_put_keyframe(writer(r), replay_position(r), k);
    replay_mutex_unlock(r);
}

void replay_wait_keyframes(Replay *r)
{
    if (writer(r)) {
        replay_log_writer_flush(writer(r));
    }
}

/* ---- a recording that is there already ---- */

bool replay_begin_adding(Replay *r, Error **errp)
{
    r->adder = replay_adder_new(r->file, errp);
    return r->adder != NULL;
}

void replay_finish_adding(Replay *r)
{
    Error *err = NULL;

    if (!r->adder) {
        return;
    }
    if (replay_adder_finish(r->adder, &err)) {
        r->added.keyframes = replay_adder_count(r->adder);
        r->added.old = g_strdup(replay_adder_old(r->adder));
    } else {
        r->added.failure = g_strdup(error_get_pretty(err));
        error_free(err);
    }
    g_clear_pointer(&r->adder, replay_adder_free);
}

void replay_stop_adding(Replay *r)
{
    g_clear_pointer(&r->adder, replay_adder_free);
    g_clear_pointer(&r->added.old, g_free);
    g_clear_pointer(&r->added.failure, g_free);
}

const ReplayAdded *replay_added(Replay *r)
{
    if (r->adder) {
        replay_stop_adding(r);
        r->added.failure = g_strdup("the replay did not come to its end");
    }
    return r->added.old || r->added.failure ? &r->added : NULL;
}

/* ---- replay ---- */

void replay_forget_keyframes(Replay *r)
{
    g_clear_pointer(&r->keyframe_reader, replay_log_reader_free);
    g_clear_pointer(&r->keyframe_list, g_array_unref);
}

guint replay_num_keyframes(Replay *r)
{
    /* A recorder goes back in its own process, which has seen all. */
    if (!r->keyframe_reader && r->cursor && !r->writer) {
        r->keyframe_reader = replay_cursor_open_again(r->cursor, NULL);
        if (r->keyframe_reader) {
            r->keyframe_list = replay_log_reader_keyframes(r->keyframe_reader);
        }
    }
    return r->keyframe_list ? r->keyframe_list->len : 0;
}

uint64_t replay_keyframe_position(Replay *r, guint n)
{
    return g_array_index(r->keyframe_list, ReplayIndexEntry, n).first_pos;
}

/* Newest first: what a newer one has is not wanted of an older one. */
typedef struct Collect {
    uint8_t *seen;            /* a bit a page */
    ReplayPageFn *fn;
    void *opaque;
} Collect;

static bool not_seen(void *opaque, uint64_t page)
{
    const Collect *c = opaque;

    return !(c->seen[page / 8] >> (page % 8) & 1);
}

static void take_page(void *opaque, uint64_t page, const uint8_t *bytes, bool difference)
{
    Collect *c = opaque;

    c->seen[page / 8] |= (uint8_t)(1u << (page % 8));
    c->fn(c->opaque, page, bytes, difference);
}

void replay_refuse_keyframe(Replay *r, guint n, const Error *why)
{
    warn_report("'%s': %s; keyframes from there (position %" PRIu64 ") on are not used", replay_name(r),
                error_get_pretty(why), replay_keyframe_position(r, n));
    g_array_set_size(r->keyframe_list, n);
}

static void refuse(Replay *r, guint n, Error *why)
{
    replay_refuse_keyframe(r, n, why);
    error_free(why);
}

static uint64_t num_pages(const Replay *r)
{
    return r->host.pages ? r->host.pages(r->host.opaque) : 0;
}

/* NULL: it is refused. */
static ReplayKeyframeHead *read_head(Replay *r, guint n)
{
    Error *err = NULL;
    ReplayKeyframeHead *h = replay_keyframe_read_head(r->keyframe_reader, r->keyframe_list, n,
                                                      num_pages(r), &err);

    if (!h) {
        refuse(r, n, err);
    }
    return h;
}

bool replay_keyframe_about(Replay *r, guint n, ReplayKeyframeAbout *out)
{
    ReplayKeyframeHead *h = read_head(r, n);

    if (!h) {
        return false;
    }
    *out = (ReplayKeyframeAbout){ h->time, h->outputs, n - (guint)h->chain };
    replay_keyframe_head_free(h);
    return true;
}

bool replay_keyframe_text(Replay *r, guint n, uint64_t from, ReplayOutputFn *fn, void *opaque)
{
    ReplayKeyframeHead *h = read_head(r, n);
    uint64_t pos = replay_keyframe_position(r, n);
    Error *err = NULL;
    bool ok = h != NULL;

    for (guint i = 0; ok && h->outputs > from && i < h->text->len; i++) {
        uint64_t offset = g_array_index(h->text, uint64_t, i);
        ReplayFrame f;
        g_autofree uint8_t *data = replay_log_reader_frame_at(r->keyframe_reader, offset,
                                                              REPLAY_FRAME_KEYFRAME_DATA, &f);

        ok = data && replay_outputs_get(r->outputs, data, f.raw_length, h->outputs, pos, fn,
                                        opaque);
        if (!ok) {
            error_setg(&err, "keyframe %u is damaged at offset %" PRIu64, n, offset);
            refuse(r, n, err);
        }
    }
    g_clear_pointer(&h, replay_keyframe_head_free);
    return ok;
}

bool replay_read_keyframe(Replay *r, guint n, guint base, GByteArray *state, GArray *marked,
                          ReplayPageFn *fn, void *opaque)
{
    g_autofree uint8_t *seen = g_malloc0(num_pages(r) / 8 + 1);
    Collect c = { seen, fn, opaque };
    const ReplayKeyframeSink sink = { not_seen, take_page, &c };

    for (guint i = n + 1; i-- > base; ) {
        Error *err = NULL;
        ReplayKeyframeHead *h = read_head(r, i);

        if (!h) {
            return false;
        }
        if ((i != n || replay_keyframe_read_state(r->keyframe_reader, h, state, marked, &err))) {
            replay_keyframe_read_pages(r->keyframe_reader, h, &sink, &err);
        }
        replay_keyframe_head_free(h);
        if (err) {
            refuse(r, i, err);
            return false;
        }
    }
    return true;
}
