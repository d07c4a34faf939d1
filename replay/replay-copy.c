/*
 * Copies of recordings.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "replay/replay-copy.h"

struct ReplayCopier {
    ReplayCursor *from;
    ReplayLogWriter *to;
    const GArray *sources;    /* uint32_t; NULL: as they are */
    ReplayLogReader *reader;  /* of keyframes; NULL: without */
    GArray *keyframes;        /* ReplayIndexEntry */
    guint next;               /* the first keyframe that is not copied */
    uint64_t last_pos;        /* of the last record that was copied */
    uint64_t outputs;
};

ReplayCopier *replay_copier_new(ReplayCursor *from, ReplayLogWriter *to)
{
    ReplayCopier *c = g_new0(ReplayCopier, 1);

    c->from = from;
    c->to = to;
    return c;
}

void replay_copier_map_sources(ReplayCopier *c, const GArray *numbers)
{
    c->sources = numbers;
}

void replay_copier_with_keyframes(ReplayCopier *c)
{
    c->reader = replay_cursor_open_again(c->from, NULL);
    if (c->reader) {
        c->keyframes = replay_log_reader_keyframes(c->reader);
    }
}

static void leave_out(ReplayCopier *c, const char *why)
{
    warn_report("%s; the copy does without it and those behind it", why);
    g_array_set_size(c->keyframes, c->next);
}

/* Of an honest log it stands between the records that it says. */
static void copy_keyframe(ReplayCopier *c, const ReplayIndexEntry *e, const ReplayRecord *behind)
{
    g_autofree char *misplaced = NULL;
    ReplayKeyframeHead *h;
    Error *err = NULL;

    if (e->first_record < replay_cursor_count(c->from) || e->first_pos < c->last_pos ||
        (behind && e->first_pos > behind->pos)) {
        misplaced = g_strdup_printf("keyframe %u, at offset %" PRIu64 ", is out of place", c->next,
                                    e->offset);
        leave_out(c, misplaced);
        return;
    }
    /* The writer's thread reads the one before with the same reader. */
    replay_log_writer_flush(c->to);
    h = replay_keyframe_read_head(c->reader, c->keyframes, c->next, REPLAY_COPY_MAX_PAGES, &err);
    if (!h) {
        leave_out(c, error_get_pretty(err));
        error_free(err);
        return;
    }
    c->outputs = h->outputs;
    replay_log_writer_copy_keyframe(c->to, e->first_pos, c->reader, h);
    c->next++;
}

/* Those that stand in front of the next record. */
static void copy_keyframes(ReplayCopier *c, const ReplayRecord *behind, uint64_t upto)
{
    while (c->keyframes && c->next < c->keyframes->len) {
        const ReplayIndexEntry *e = &g_array_index(c->keyframes, ReplayIndexEntry, c->next);

        if (e->first_record > replay_cursor_count(c->from) || e->first_pos > upto) {
            break;
        }
        copy_keyframe(c, e, behind);
    }
}

static void copy_record(ReplayCopier *c, const ReplayRecord *rec)
{
    ReplayRecord copy = *rec;

    if (c->sources && rec->source != REPLAY_NO_SOURCE) {
        copy.source = g_array_index(c->sources, uint32_t, rec->source);
    }
    replay_log_writer_put(c->to, &copy);
    c->last_pos = rec->pos;
    replay_cursor_advance(c->from);
}

bool replay_copier_run(ReplayCopier *c, uint64_t records, uint64_t upto)
{
    const ReplayRecord *rec;

    while (replay_cursor_count(c->from) < records &&
           (rec = replay_cursor_peek(c->from)) != NULL) {
        copy_keyframes(c, rec, upto);
        copy_record(c, rec);
    }
    copy_keyframes(c, NULL, upto);
    return replay_cursor_count(c->from) >= records;
}

uint64_t replay_copier_outputs(const ReplayCopier *c)
{
    return c->outputs;
}

void replay_copier_free(ReplayCopier *c)
{
    replay_log_writer_flush(c->to);
    g_clear_pointer(&c->reader, replay_log_reader_free);
    g_clear_pointer(&c->keyframes, g_array_unref);
    g_free(c);
}
