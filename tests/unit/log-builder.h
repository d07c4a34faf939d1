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

static inline void builder_begin(LogBuilder *b, const char *json)
{
    static const uint8_t id[REPLAY_LOG_ID_SIZE] = "log-builder";

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

static inline void builder_clear(LogBuilder *b)
{
    g_byte_array_unref(b->file);
    replay_index_free(b->index);
    replay_packer_clear(&b->packer);
}

#endif
