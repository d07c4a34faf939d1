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
    g_clear_pointer(&r->keyframes_usable, g_array_unref);
}

guint replay_num_keyframes(Replay *r)
{
    /* A recorder goes back in its own process, which has seen all. */
    if (!r->keyframe_reader && r->cursor && !r->writer) {
        r->keyframe_reader = replay_cursor_open_again(r->cursor, NULL);
        if (r->keyframe_reader) {
            r->keyframe_list = replay_log_reader_keyframes(r->keyframe_reader);
            r->keyframes_usable = g_array_new(false, false, sizeof(guint));
            for (guint n = 0; n < r->keyframe_list->len; n++) {
                g_array_append_val(r->keyframes_usable, n);
            }
        }
    }
    return r->keyframes_usable ? r->keyframes_usable->len : 0;
}

guint replay_keyframe_number(Replay *r, guint i)
{
    return g_array_index(r->keyframes_usable, guint, i);
}

/* How many that are usable come before number n. */
static guint usable_before(const Replay *r, guint n)
{
    guint low = 0, high = r->keyframes_usable->len;

    while (low < high) {
        guint middle = (low + high) / 2;

        if (g_array_index(r->keyframes_usable, guint, middle) < n) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool replay_keyframe_is_usable(Replay *r, guint n)
{
    guint i = usable_before(r, n);

    return i < r->keyframes_usable->len && replay_keyframe_number(r, i) == n;
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

/* A file that is damaged somewhere has one bad keyframe or two. To try thousands takes hours. */
#define MAX_REFUSED 8

static uint64_t num_pages(const Replay *r)
{
    return r->host.pages ? r->host.pages(r->host.opaque) : 0;
}

/* Keyframe n is not of a chain that begins behind the bad one. */
static bool builds_on(Replay *r, guint n, guint bad)
{
    ReplayKeyframeHead *h = replay_keyframe_read_head(r->keyframe_reader, r->keyframe_list, n,
                                                      num_pages(r), NULL);
    bool builds = !h || n - (guint)h->chain <= bad;

    g_clear_pointer(&h, replay_keyframe_head_free);
    return builds;
}

void replay_refuse_keyframe(Replay *r, guint n, const Error *why)
{
    guint i = usable_before(r, n), end = i;

    if (++r->keyframes_refused >= MAX_REFUSED) {
        warn_report("'%s': %s; no keyframes are used any more", replay_name(r),
                    error_get_pretty(why));
        g_array_set_size(r->keyframes_usable, 0);
        return;
    }
    while (end < r->keyframes_usable->len &&
           (replay_keyframe_number(r, end) == n ||
            builds_on(r, replay_keyframe_number(r, end), n))) {
        end++;
    }
    warn_report("'%s': %s; keyframes %u to %u (from position %" PRIu64 " on) are not used",
                replay_name(r), error_get_pretty(why), n, replay_keyframe_number(r, end - 1),
                replay_keyframe_position(r, n));
    g_array_remove_range(r->keyframes_usable, i, end - i);
}

static void refuse(Replay *r, guint n, Error *why)
{
    replay_refuse_keyframe(r, n, why);
    error_free(why);
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
