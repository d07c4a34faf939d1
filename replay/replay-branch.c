/*
 * Copies of a recording: as it is so far, to keep.
 *
 * A copy is made record by record, through the same reader and writer as any other log, so that
 * whatever is wrong with the original is found here and not by who replays the copy. Record numbers
 * stay what they are: a place in the original is the same place in the copy.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "replay/replay-int.h"

/* The first `count` records; takes the reader. */
static bool copy_records(Replay *r, ReplayLogReader *in, uint64_t count, ReplayLogWriter *out,
                         Error **errp)
{
    ReplayCursor *c = replay_cursor_new(in, errp);
    const ReplayRecord *rec;
    bool complete;

    if (!c) {
        return false;
    }
    while (replay_cursor_count(c) < count && (rec = replay_cursor_peek(c)) != NULL) {
        ReplayRecord copy = *rec;

        if (rec->source != REPLAY_NO_SOURCE) {
            copy.source = replay_recorded_source(r, rec->source)->index;
        }
        replay_log_writer_put(out, &copy);
        replay_cursor_advance(c);
    }
    complete = replay_cursor_count(c) == count;
    if (!complete) {
        error_setg(errp, "the recording '%s' cannot be copied: %s", replay_name(r),
                   replay_cursor_damage(c) ? replay_cursor_damage(c) : "it is cut off");
    }
    replay_cursor_free(c);
    return complete;
}

/* ---- what is recorded so far ---- */

static bool save_to(Replay *r, ReplayLogWriter *out, ReplayLogReader *in, Error **errp)
{
    if (!copy_records(r, in, replay_log_writer_records(r->writer), out, errp)) {
        return false;
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
