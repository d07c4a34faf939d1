/*
 * Recordings made frame by frame, in any order and with any content, whose CRCs are right.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_LOG_BUILDER_H
#define TESTS_LOG_BUILDER_H

#include "replay/replay-describe.h"
#include "replay/replay-log.h"

typedef struct LogBuilder {
    GByteArray *file;
    uint32_t seed;
    uint32_t sequence;
    ReplayIndex *index;
    uint64_t records, last_pos;
    ReplayPacker packer;
} LogBuilder;

static const uint8_t builder_id[REPLAY_LOG_ID_SIZE] __attribute__((unused)) = "log-builder";

static inline void builder_begin(LogBuilder *b, const uint8_t *id, const char *json)
{
    *b = (LogBuilder){ .file = g_byte_array_new(), .seed = replay_log_seed(id),
                       .index = replay_index_new() };
    replay_log_put_header(b->file, id, json);
}

/* What it is in the index. */
static inline ReplayIndexEntry builder_frame(LogBuilder *b, uint32_t magic, uint64_t pos,
                                             uint32_t count, const GByteArray *raw)
{
    const ReplayIndexEntry e = { b->sequence, b->file->len, pos, b->records };
    ReplayFrame frame = { .magic = magic, .sequence = b->sequence++, .first_pos = pos,
                          .count = count };

    replay_frame_put(b->file, &b->packer, b->seed, &frame, raw->data, raw->len, 1);
    b->records += count;
    return e;
}

static inline void builder_record(LogBuilder *b, const ReplayRecord *rec)
{
    GByteArray *raw = g_byte_array_new();
    ReplayIndexEntry e;

    replay_record_put(raw, rec, rec->pos);
    e = builder_frame(b, REPLAY_FRAME_RECORDS, rec->pos, 1, raw);
    g_array_append_val(b->index->frames, e);
    b->last_pos = rec->pos;
    g_byte_array_unref(raw);
}

typedef struct BuilderWrite {
    LogBuilder *builder;
    uint64_t pos;
} BuilderWrite;

/* ReplayKeyframeWrite, with a BuilderWrite. */
static inline bool builder_write_data(void *opaque, const GByteArray *data, uint64_t *offset)
{
    BuilderWrite *w = opaque;

    *offset = builder_frame(w->builder, REPLAY_FRAME_KEYFRAME_DATA, w->pos, 0, data).offset;
    return true;
}

/* A keyframe with this head. */
static inline void builder_head(LogBuilder *b, uint64_t pos, const GByteArray *head)
{
    const ReplayIndexEntry e = builder_frame(b, REPLAY_FRAME_KEYFRAME, pos, 0, head);

    g_array_append_val(b->index->keyframes, e);
}

/* Takes it. */
static inline void builder_keyframe(LogBuilder *b, uint64_t pos, ReplayKeyframe *k)
{
    GByteArray *head = g_byte_array_new();
    BuilderWrite w = { b, pos };

    replay_keyframe_put(head, k, b->index->keyframes->len, b->records, builder_write_data, &w);
    builder_head(b, pos, head);
    replay_keyframe_free(k);
    g_byte_array_unref(head);
}

static inline void builder_end(LogBuilder *b)
{
    uint64_t index_offset = b->file->len, records = b->records;
    GByteArray *raw = g_byte_array_new();

    replay_index_put(raw, b->index);
    builder_frame(b, REPLAY_FRAME_INDEX, b->last_pos, 0, raw);
    g_byte_array_set_size(raw, 0);
    bytes_put_le64(raw, index_offset);
    bytes_put_le64(raw, records);
    bytes_put_le64(raw, b->last_pos);
    builder_frame(b, REPLAY_FRAME_END, b->last_pos, 0, raw);
    g_byte_array_unref(raw);
}

/* ---- another log, changed ---- */

/* What a keyframe consists of, in the order of its frames. */
typedef enum BuilderPart { BUILDER_STATE, BUILDER_TEXT, BUILDER_PAGES, BUILDER_HEAD } BuilderPart;

typedef struct BuilderChange {
    /* Each frame before it is written. */
    void (*frame)(void *opaque, guint keyframe, BuilderPart part, GByteArray *data);
    /* All frames are there, and the index is not. */
    void (*index)(void *opaque, ReplayIndex *index);
    void *opaque;
} BuilderChange;

typedef struct BuilderCopy {
    BuilderWrite write;
    const BuilderChange *change;
    guint keyframe;
    const ReplayKeyframeHead *head;
    guint frames;             /* of it, that were written */
} BuilderCopy;

/* There is no frame without data. */
static inline void builder_change(const BuilderCopy *c, BuilderPart part, GByteArray *data)
{
    c->change->frame(c->change->opaque, c->keyframe, part, data);
    if (!data->len) {
        bytes_put_u8(data, 0);
    }
}

/* ReplayKeyframeWrite, with a BuilderCopy. */
static inline bool builder_change_data(void *opaque, const GByteArray *data, uint64_t *offset)
{
    BuilderCopy *c = opaque;
    BuilderPart part = c->frames == 0 ? BUILDER_STATE :
                       c->frames <= c->head->text->len ? BUILDER_TEXT : BUILDER_PAGES;
    GByteArray *changed = g_byte_array_append(g_byte_array_new(), data->data, data->len);

    builder_change(c, part, changed);
    builder_write_data(&c->write, changed, offset);
    g_byte_array_unref(changed);
    c->frames++;
    return true;
}

static inline void builder_copy_keyframe(LogBuilder *b, ReplayLogReader *from, const GArray *list,
                                         guint n, const BuilderChange *change)
{
    const ReplayIndexEntry *e = &g_array_index(list, ReplayIndexEntry, n);
    ReplayKeyframeHead *h = replay_keyframe_read_head(from, list, n, UINT32_MAX, NULL);
    BuilderCopy c = { .write = { b, e->first_pos }, .change = change, .keyframe = n, .head = h };
    GByteArray *head = g_byte_array_new();

    assert(h);
    replay_keyframe_copy(head, from, h, builder_change_data, &c, NULL);
    builder_change(&c, BUILDER_HEAD, head);
    builder_head(b, e->first_pos, head);
    replay_keyframe_head_free(h);
    g_byte_array_unref(head);
}

/* Those that stand in front of the next record. */
static inline guint builder_copy_keyframes(LogBuilder *b, ReplayLogReader *from,
                                           const GArray *list, guint n,
                                           const BuilderChange *change)
{
    while (n < list->len &&
           g_array_index(list, ReplayIndexEntry, n).first_record <= b->records) {
        builder_copy_keyframe(b, from, list, n++, change);
    }
    return n;
}

/* A good log again, from builder_begin() to builder_end(); its reader is at its start. */
static inline void builder_copy(LogBuilder *b, ReplayLogReader *from, const BuilderChange *change)
{
    GArray *list = replay_log_reader_keyframes(from);
    ReplayFrame frame;
    uint8_t *raw;
    guint n = 0;

    builder_begin(b, replay_log_reader_id(from), replay_log_reader_json(from));
    while (replay_log_reader_next(from, &frame, &raw, NULL) == REPLAY_LOG_FRAME) {
        GByteArray *data = g_byte_array_new_take(raw, frame.raw_length);
        ReplayIndexEntry e;

        n = builder_copy_keyframes(b, from, list, n, change);
        e = builder_frame(b, REPLAY_FRAME_RECORDS, frame.first_pos, frame.count, data);
        g_array_append_val(b->index->frames, e);
        g_byte_array_unref(data);
    }
    builder_copy_keyframes(b, from, list, n, change);
    b->last_pos = replay_log_reader_last_pos(from);
    g_array_unref(list);
    if (change->index) {
        change->index(change->opaque, b->index);
    }
    builder_end(b);
}

static inline void builder_clear(LogBuilder *b)
{
    g_byte_array_unref(b->file);
    replay_index_free(b->index);
    replay_packer_clear(&b->packer);
}

#endif
