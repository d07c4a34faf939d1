/*
 * Copies of a recording: as it is so far, to keep; or up to a place in the past, to go on from there
 * with a live machine.
 * A place in the original is the same place in the copy.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "replay/replay-copy.h"
#include "replay/replay-int.h"
#include "util/host-clock.h"

/* This run's numbers of the recorded sources. */
static GArray *source_numbers(Replay *r, const ReplayDescription *recorded)
{
    GArray *numbers = g_array_new(false, false, sizeof(uint32_t));

    for (uint32_t i = 0; i < recorded->sources->len; i++) {
        uint32_t number = replay_recorded_source(r, i)->index;

        g_array_append_val(numbers, number);
    }
    return numbers;
}

/* The first `count` records, and keyframes up to a position; takes the reader. */
static bool copy_records(Replay *r, ReplayLogReader *in, uint64_t count, uint64_t upto,
                         ReplayLogWriter *out, uint64_t *outputs, Error **errp)
{
    ReplayCursor *c = replay_cursor_new(in, errp);
    ReplayCopier *copier;
    GArray *numbers;
    bool complete;

    if (!c) {
        return false;
    }
    numbers = source_numbers(r, replay_cursor_description(c));
    copier = replay_copier_new(c, out);
    replay_copier_map_sources(copier, numbers);
    if (r->keyframes) {
        replay_copier_with_keyframes(copier);
    }
    complete = replay_copier_run(copier, count, upto);
    *outputs = replay_copier_outputs(copier);
    replay_copier_free(copier);
    g_array_unref(numbers);
    if (!complete) {
        error_setg(errp, "the recording '%s' cannot be copied: %s", replay_name(r),
                   replay_cursor_damage(c) ? replay_cursor_damage(c) : "it is cut off");
    }
    replay_cursor_free(c);
    return complete;
}

/* ---- what is recorded so far ---- */

/* The machine is at the newest place: what its replay has to come to. */
static void put_end(Replay *r, ReplayLogWriter *out)
{
    GByteArray *payload = g_byte_array_sized_new(9);

    bytes_put_u8(payload, REPLAY_END_SAVED);
    bytes_put_le64(payload, r->host.digest(r->host.opaque));
    replay_log_writer_put(out, &(ReplayRecord){
        .kind = REPLAY_KIND_END, .source = REPLAY_NO_SOURCE, .pos = replay_position(r),
        .length = payload->len, .payload = payload->data });
    g_byte_array_unref(payload);
}

static bool save_to(Replay *r, ReplayLogWriter *out, ReplayLogReader *in, Error **errp)
{
    uint64_t outputs;

    if (!copy_records(r, in, replay_log_writer_records(r->writer), UINT64_MAX, out, &outputs,
                      errp)) {
        return false;
    }
    if (!r->cursor && r->host.digest) {
        put_end(r, out);
    }
    if (!replay_log_writer_finish(out)) {
        error_setg(errp, "the recording could not be written as a whole");
        return false;
    }
    return true;
}

static bool save_log(Replay *r, const char *file, bool overwrite, Error **errp)
{
    ReplayLogWriter *out;
    ReplayLogReader *in;
    bool ok;

    /* In the past, that was done when it was gone to. */
    if (!r->cursor && !replay_record_flush(r, errp)) {
        return false;
    }
    in = replay_log_writer_read(r->writer, errp);
    if (!in) {
        return false;
    }
    out = replay_log_writer_new(&replay_log_recording);
    replay_log_writer_set_id(out, replay_log_reader_id(in));
    if (!replay_log_writer_open(out, file, replay_log_reader_json(in), overwrite, errp)) {
        replay_log_reader_free(in);
        replay_log_writer_free(out);
        return false;
    }
    ok = save_to(r, out, in, errp);
    if (!ok) {
        error_prepend(errp, "cannot save to '%s': ", file);
        replay_log_writer_discard(out);
    }
    replay_log_writer_free(out);
    return ok;
}

bool replay_save_log(Replay *r, const char *file, bool overwrite, Error **errp)
{
    bool ok = false;

    replay_mutex_lock(r);
    if (!r->writer && r->cursor) {
        error_setg(errp, "this is a replay: its recording is '%s' already", r->file);
    } else if (!r->writer || r->ended) {
        error_setg(errp, "nothing is being recorded: start with -rewind, or with "
                   "-icount rr=record[,rrfile=FILE]");
    } else {
        ok = save_log(r, file, overwrite, errp);
    }
    replay_mutex_unlock(r);
    return ok;
}

/* ---- live from here on ---- */

/* What a recording has that begins as the one at hand up to here. */
static GArray *ancestors_here(Replay *r)
{
    GArray *ancestors = g_array_new(false, false, sizeof(ReplayPlace));
    ReplayPlace here;

    r->ops->place(r, &here);
    /* The oldest are done without when there are too many. */
    for (guint i = r->ancestors->len >= REPLAY_MAX_ANCESTORS; i < r->ancestors->len; i++) {
        ReplayPlace p = g_array_index(r->ancestors, ReplayPlace, i);

        p.records = MIN(p.records, here.records);
        p.pos = MIN(p.pos, here.pos);
        g_array_append_val(ancestors, p);
    }
    g_array_append_val(ancestors, here);
    return ancestors;
}

static char *branch_description(Replay *r, Error **errp)
{
    ReplayDescription *d = r->description;
    GArray *none = d->ancestors;
    char *json;

    d->ancestors = ancestors_here(r);
    json = replay_record_description(r, errp);
    g_array_unref(d->ancestors);
    d->ancestors = none;
    return json;
}

/* A new recording of all that happened up to here; *outputs: its keyframes have so many. */
static ReplayLogWriter *branch_new(Replay *r, const char *file, uint64_t *outputs, Error **errp)
{
    g_autofree char *json = branch_description(r, errp);
    ReplayLogWriter *w;
    ReplayLogReader *in;
    bool ok;

    if (!json) {
        return NULL;
    }
    in = replay_cursor_open_again(r->cursor, errp);
    if (!in) {
        return NULL;
    }
    w = replay_log_writer_new(&replay_log_recording);
    if (!(file ? replay_log_writer_open(w, file, json, false, errp) :
                 replay_log_writer_open_memory(w, json, errp))) {
        replay_log_reader_free(in);
        replay_log_writer_free(w);
        return NULL;
    }
    ok = copy_records(r, in, replay_cursor_count(r->cursor), replay_position(r), w, outputs,
                      errp);
    if (ok && !replay_log_writer_flush(w)) {
        error_setg(errp, "what was recorded up to here could not be written to '%s'",
                   file ? file : REPLAY_LOG_IN_MEMORY);
        ok = false;
    }
    if (!ok) {
        replay_log_writer_discard(w);
        g_clear_pointer(&w, replay_log_writer_free);
    }
    return w;
}

/* The recording that is left: states from before this place stay good. */
static void leave(Replay *r)
{
    GArray *ancestors = ancestors_here(r);

    g_array_unref(r->ancestors);
    r->ancestors = ancestors;
    if (r->writer && !r->file && r->newest.pos > replay_position(r)) {
        warn_report("what was recorded in memory from position %" PRIu64 " to %" PRIu64
                    " is dropped", replay_position(r), r->newest.pos);
    }
    g_clear_pointer(&r->writer, replay_log_writer_free);
    g_clear_pointer(&r->cursor, replay_cursor_free);
    g_clear_pointer(&r->file, g_free);
    replay_forget_keyframes(r);
    replay_stop_adding(r);
    r->recorded = NULL;
}

/* Takes the writer; NULL: nothing is recorded. */
static void go_on(Replay *r, ReplayLogWriter *branch, uint64_t outputs, const char *file)
{
    leave(r);
    replay_outputs_cut(r->outputs);
    for (guint i = 0; i < r->sources->len; i++) {
        ReplaySource *s = g_ptr_array_index(r->sources, i);

        s->recorded = s->index;
    }
    r->file = g_strdup(file);
    r->writer = branch;
    r->keyframe_outputs = outputs;
    r->newest = (ReplayPlace){ 0 };
    r->put_ns = host_monotonic_ns();
    r->told_truncated = r->told_saved = false;
    if (!branch) {
        r->check = REPLAY_CHECK_OFF;
        r->keyframes = false;
    }
    r->ops = branch ? &replay_mode_record : &replay_mode_none;
    replay_queue_set_open(r->queue, true);
    replay_tell_live(r);
}

static bool go_live(Replay *r, const char *file, Error **errp)
{
    ReplayLogWriter *branch = NULL;
    uint64_t outputs = 0;

    if (replay_failed(r)) {
        error_setg(errp, "the replay has failed: the machine is not what it was in the recording");
        return false;
    }
    if (r->ended) {
        error_setg(errp, "the machine has come to its end: go back to before that");
        return false;
    }
    if (!file && r->writer && r->file) {
        error_setg(errp, "what '%s' has from here on would be lost: give the new recording a file "
                   "of its own", r->file);
        return false;
    }
    if (file || r->writer) {
        branch = branch_new(r, file, &outputs, errp);
        if (!branch) {
            return false;
        }
    }
    go_on(r, branch, outputs, file);
    return true;
}

bool replay_go_live(Replay *r, const char *file, Error **errp)
{
    bool ok = false;

    if (replay_is_live(r)) {
        error_setg(errp, "the machine is live already");
        return false;
    }
    replay_mutex_lock(r);
    ok = go_live(r, file, errp);
    replay_mutex_unlock(r);
    return ok;
}
