/*
 * The reading position in a log.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "replay/replay-cursor.h"
#include "replay/replay-kinds.h"

/* Enough of a payload for a line of the report. */
#define HISTORY_PAYLOAD 32

typedef struct HistoryEntry {
    ReplayRecord rec;
    uint8_t payload[HISTORY_PAYLOAD];
} HistoryEntry;

struct ReplayCursor {
    ReplayLogReader *reader;
    ReplayDescription *description;
    ReplayLogStatus status;
    char *damage;
    ReplayFrame frame;
    uint8_t *raw;
    GArray *records;          /* ReplayRecord, of the frame */
    guint next;
    guint bound;              /* index of the record that bounds; >= next, or stale */
    bool bound_valid;
    bool ended;               /* an END record was decoded */
    uint64_t count;
    HistoryEntry history[REPLAY_HISTORY];
    uint64_t history_start;   /* the first record that history has, if it is not overwritten */
    GArray *frames;           /* ReplayIndexEntry: frames that are known, ascending */
    bool index_read;
    bool last_known;
    uint64_t last_pos;
};

ReplayCursor *replay_cursor_new(ReplayLogReader *reader, Error **errp)
{
    ReplayDescription *d = replay_description_from_json(replay_log_reader_json(reader), errp);
    ReplayCursor *c;

    if (!d) {
        replay_log_reader_free(reader);
        return NULL;
    }
    c = g_new0(ReplayCursor, 1);
    c->reader = reader;
    c->description = d;
    c->records = g_array_new(false, false, sizeof(ReplayRecord));
    c->frames = g_array_new(false, false, sizeof(ReplayIndexEntry));
    return c;
}

ReplayCursor *replay_cursor_open(const char *path, Error **errp)
{
    ReplayLogReader *reader = replay_log_reader_open(path, errp);
    ReplayCursor *c;

    if (!reader) {
        return NULL;
    }
    c = replay_cursor_new(reader, errp);
    if (!c) {
        error_prepend(errp, "%s: ", path);
    }
    return c;
}

void replay_cursor_free(ReplayCursor *c)
{
    replay_log_reader_free(c->reader);
    replay_description_free(c->description);
    g_array_unref(c->records);
    g_array_unref(c->frames);
    g_free(c->raw);
    g_free(c->damage);
    g_free(c);
}

ReplayLogReader *replay_cursor_open_again(const ReplayCursor *c, Error **errp)
{
    return replay_log_reader_open_again(c->reader, errp);
}

const ReplayDescription *replay_cursor_description(const ReplayCursor *c)
{
    return c->description;
}

unsigned replay_cursor_format(const ReplayCursor *c)
{
    return replay_log_reader_format(c->reader);
}

const uint8_t *replay_cursor_id(const ReplayCursor *c)
{
    return replay_log_reader_id(c->reader);
}

/* What the description says about a record that the reader let through. */
static const char *check_record(ReplayCursor *c, const ReplayRecord *rec)
{
    const ReplayDescription *d = c->description;

    if (c->ended) {
        return "follows the end record";
    }
    c->ended = rec->kind == REPLAY_KIND_END;
    if (rec->source == REPLAY_NO_SOURCE) {
        return NULL;
    }
    if (rec->source >= d->sources->len ||
        replay_description_source(d, rec->source)->kind != rec->kind) {
        return "names a source that the header does not have";
    }
    return NULL;
}

static void set_damage(ReplayCursor *c, char *text)
{
    c->status = REPLAY_LOG_DAMAGED;
    c->damage = text;
    g_array_set_size(c->records, 0);
}

/* The reader has checked that exactly frame.count records are there. */
static void decode_frame(ReplayCursor *c)
{
    uint64_t pos = c->frame.first_pos;
    ByteReader in;

    byte_reader_init(&in, c->raw, c->frame.raw_length);
    for (uint32_t i = 0; i < c->frame.count; i++) {
        ReplayRecord rec;
        const char *wrong;

        if (!replay_record_get(&in, &rec, pos)) {
            abort();
        }
        rec.number = c->count + i;
        pos = rec.pos;
        wrong = check_record(c, &rec);
        if (wrong) {
            set_damage(c, g_strdup_printf("record %" PRIu64 " in frame %" PRIu32
                                          " at offset %" PRIu64 " %s", rec.number,
                                          c->frame.sequence, c->frame.offset, wrong));
            return;
        }
        g_array_append_val(c->records, rec);
    }
}

static void know_frame(ReplayCursor *c, const ReplayIndexEntry *e)
{
    const ReplayIndexEntry *last = c->frames->len ?
        &g_array_index(c->frames, ReplayIndexEntry, c->frames->len - 1) : NULL;

    if (!last || e->sequence > last->sequence) {
        g_array_append_val(c->frames, *e);
    }
}

/* The next frame, if any. */
static void load_frame(ReplayCursor *c)
{
    Error *err = NULL;

    g_clear_pointer(&c->raw, g_free);
    g_array_set_size(c->records, 0);
    c->next = 0;
    c->bound_valid = false;
    c->status = replay_log_reader_next(c->reader, &c->frame, &c->raw, &err);
    if (c->status == REPLAY_LOG_FRAME) {
        const ReplayIndexEntry e = { c->frame.sequence, c->frame.offset, c->frame.first_pos,
                                     c->count };

        know_frame(c, &e);
        decode_frame(c);
    } else if (c->status == REPLAY_LOG_DAMAGED) {
        set_damage(c, g_strdup(error_get_pretty(err)));
        error_free(err);
    }
}

const ReplayRecord *replay_cursor_peek(ReplayCursor *c)
{
    while (c->next >= c->records->len && c->status == REPLAY_LOG_FRAME) {
        load_frame(c);
    }
    if (c->next >= c->records->len) {
        return NULL;
    }
    return &g_array_index(c->records, ReplayRecord, c->next);
}

void replay_cursor_advance(ReplayCursor *c)
{
    const ReplayRecord *rec = &g_array_index(c->records, ReplayRecord, c->next);
    HistoryEntry *h = &c->history[c->count % REPLAY_HISTORY];

    assert(c->next < c->records->len);
    h->rec = *rec;
    memcpy(h->payload, rec->payload, MIN(rec->length, HISTORY_PAYLOAD));
    c->next++;
    c->count++;
}

/* ---- going back and forth ---- */

/* The last known frame that begins at or before the record; a log has one at record 0. */
static bool find_frame(ReplayCursor *c, uint64_t record, ReplayIndexEntry *out)
{
    guint n = c->frames->len;

    while (n > 0 && g_array_index(c->frames, ReplayIndexEntry, n - 1).first_record > record) {
        n--;
    }
    if (n > 0) {
        *out = g_array_index(c->frames, ReplayIndexEntry, n - 1);
    }
    return n > 0;
}

void replay_cursor_know_frames(ReplayCursor *c, const GArray *index)
{
    c->index_read = true;
    for (guint i = 0; i < index->len; i++) {
        know_frame(c, &g_array_index(index, ReplayIndexEntry, i));
    }
}

static void read_index(ReplayCursor *c)
{
    GArray *index = c->index_read ? NULL : replay_log_reader_index(c->reader);

    c->index_read = true;
    if (index) {
        replay_cursor_know_frames(c, index);
        g_array_unref(index);
    }
}

static void go_to_frame(ReplayCursor *c, const ReplayIndexEntry *e)
{
    replay_log_reader_go(c->reader, e);
    g_clear_pointer(&c->damage, g_free);
    c->count = e->first_record;
    c->ended = false;
    load_frame(c);
}

/* Step over records up to the given one, which need not be there. */
static void skip_to(ReplayCursor *c, uint64_t record)
{
    while (c->status == REPLAY_LOG_FRAME && record - c->count > c->records->len) {
        c->count += c->records->len;
        load_frame(c);
    }
    c->history_start = c->count;
    while (c->count < record && c->next < c->records->len) {
        replay_cursor_advance(c);
    }
}

bool replay_cursor_go(ReplayCursor *c, uint64_t record, Error **errp)
{
    ReplayIndexEntry e;

    if (!replay_cursor_peek(c) && c->frames->len == 0) {
        c->count = 0;   /* a log without records, or damaged at its start */
    } else {
        if (!c->frames->len ||
            record > g_array_index(c->frames, ReplayIndexEntry, c->frames->len - 1).first_record) {
            read_index(c);
        }
        if (find_frame(c, record, &e)) {
            go_to_frame(c, &e);
        }
        skip_to(c, record);
    }
    if (c->count == record) {
        return true;
    }
    if (c->status == REPLAY_LOG_DAMAGED) {
        error_setg(errp, "cannot go to record %" PRIu64 ": %s", record, c->damage);
    } else {
        error_setg(errp, "cannot go to record %" PRIu64 ": the recording has %" PRIu64, record,
                   c->count);
    }
    return false;
}

uint64_t replay_cursor_bound(ReplayCursor *c)
{
    if (!replay_cursor_peek(c)) {
        return UINT64_MAX;
    }
    if (!c->bound_valid || c->bound < c->next) {
        c->bound = c->next;
        while (c->bound + 1 < c->records->len) {
            unsigned kind = g_array_index(c->records, ReplayRecord, c->bound).kind;
            ReplayClass class_ = replay_kind_info(kind)->class_;

            if (class_ != REPLAY_CLASS_VALUE && class_ != REPLAY_CLASS_MARK) {
                break;
            }
            c->bound++;
        }
        c->bound_valid = true;
    }
    return g_array_index(c->records, ReplayRecord, c->bound).pos;
}

ReplayLogStatus replay_cursor_status(const ReplayCursor *c)
{
    return c->status;
}

const char *replay_cursor_damage(const ReplayCursor *c)
{
    return c->damage;
}

uint32_t replay_cursor_frame(const ReplayCursor *c)
{
    return c->frame.sequence;
}

uint64_t replay_cursor_count(const ReplayCursor *c)
{
    return c->count;
}

uint64_t replay_cursor_last_pos(ReplayCursor *c)
{
    if (!c->last_known) {
        c->last_pos = replay_log_reader_last_pos(c->reader);
        c->last_known = true;
    }
    return c->last_pos;
}

/* A line's payload may be cut short: length is the real one. */
static void format_line(GString *out, const ReplayRecord *rec, const ReplayDescription *d,
                        size_t available)
{
    g_string_append_printf(out, "#%" PRIu64 " position %" PRIu64 " %s", rec->number, rec->pos,
                           replay_kind_info(rec->kind)->name);
    if (rec->source != REPLAY_NO_SOURCE) {
        g_string_append_printf(out, " '%s'", replay_description_source(d, rec->source)->name);
    }
    g_string_append(out, ": ");
    replay_payload_format(out, rec->kind, rec->payload, available);
    if (available < rec->length) {
        g_string_append_printf(out, " of %" PRIu32, rec->length);
    }
}

void replay_record_format(GString *out, const ReplayRecord *rec, const ReplayDescription *d)
{
    format_line(out, rec, d, rec->length);
}

void replay_cursor_history(const ReplayCursor *c, GString *out)
{
    uint64_t n = MIN(c->count - c->history_start, REPLAY_HISTORY);

    for (uint64_t i = c->count - n; i < c->count; i++) {
        ReplayRecord rec = c->history[i % REPLAY_HISTORY].rec;

        rec.payload = c->history[i % REPLAY_HISTORY].payload;
        g_string_append(out, "    ");
        format_line(out, &rec, c->description, MIN(rec.length, HISTORY_PAYLOAD));
        g_string_append_c(out, '\n');
    }
}
