/*
 * Keyframes of the recording at hand: to its writer, or from its reader.
 *
 * A keyframe could hold any state, and so is what a log says anyway: after one was restored, the
 * replay is compared with the recording's checks and its end as ever.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "replay/replay-int.h"

/* ---- record ---- */

bool replay_has_keyframe_writer(Replay *r)
{
    return r->keyframes && r->writer && !r->cursor && !r->ended;
}

bool replay_keyframe_writer_ready(Replay *r, int64_t *cost_ns)
{
    return replay_log_writer_keyframe_done(r->writer, cost_ns);
}

void replay_put_keyframe(Replay *r, ReplayKeyframe *k)
{
    k->outputs = replay_outputs_made(r->outputs);
    replay_outputs_put(r->outputs, r->keyframe_outputs, k->text);
    r->keyframe_outputs = k->outputs;
    replay_mutex_lock(r);
    replay_log_writer_put_keyframe(r->writer, replay_position(r), k);
    replay_mutex_unlock(r);
}

void replay_wait_keyframes(Replay *r)
{
    if (r->writer) {
        replay_log_writer_flush(r->writer);
    }
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

/* NULL: it is refused. */
static ReplayKeyframeHead *read_head(Replay *r, guint n, uint64_t num_pages)
{
    Error *err = NULL;
    ReplayKeyframeHead *h = replay_keyframe_read_head(r->keyframe_reader, r->keyframe_list, n,
                                                      num_pages, &err);

    if (!h) {
        replay_refuse_keyframe(r, n, err);
        error_free(err);
    }
    return h;
}

bool replay_keyframe_first(Replay *r, guint n, uint64_t num_pages, guint *first)
{
    ReplayKeyframeHead *h = read_head(r, n, num_pages);

    if (!h) {
        return false;
    }
    *first = n - (guint)h->chain;
    replay_keyframe_head_free(h);
    return true;
}

bool replay_read_keyframe(Replay *r, guint n, guint base, uint64_t num_pages, GByteArray *state,
                          GArray *marked, ReplayPageFn *fn, void *opaque)
{
    g_autofree uint8_t *seen = g_malloc0(num_pages / 8 + 1);
    Collect c = { seen, fn, opaque };
    const ReplayKeyframeSink sink = { not_seen, take_page, &c };

    for (guint i = n + 1; i-- > base; ) {
        Error *err = NULL;
        ReplayKeyframeHead *h = read_head(r, i, num_pages);

        if (!h) {
            return false;
        }
        if ((i != n || replay_keyframe_read_state(r->keyframe_reader, h, state, marked, &err))) {
            replay_keyframe_read_pages(r->keyframe_reader, h, &sink, &err);
        }
        replay_keyframe_head_free(h);
        if (err) {
            replay_refuse_keyframe(r, i, err);
            error_free(err);
            return false;
        }
    }
    return true;
}
