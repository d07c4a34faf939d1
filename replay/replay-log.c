/*
 * The log format in memory: records, frames, file header, index.
 *
 * 1. Every byte of a log is under a CRC: the file header's, a frame header's or a
 *    frame data's. A changed byte is found before anything is made of it.
 * 2. The CRCs of frames start from the CRC of the file's id, so that a frame of another
 *    file (two programs wrote one, a file system lost a block) has a wrong CRC here.
 * 3. A CRC is no proof: lengths, counts and numbers are checked against their bounds
 *    as if there were none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <zstd.h>
#include "replay/replay-kinds.h"
#include "replay/replay-log.h"
#include "util/crc32c.h"

/* A record's head byte: the kind in bits 1-6, bit 0 set when the order word follows. */
#define HEAD_HAS_ORDER 1u

void replay_record_put(GByteArray *out, const ReplayRecord *rec, uint64_t prev_pos)
{
    bool order = rec->checkpoints || rec->again;

    assert(rec->pos >= prev_pos);
    assert(rec->length <= REPLAY_MAX_PAYLOAD);
    bytes_put_u8(out, (uint8_t)(rec->kind << 1 | (order ? HEAD_HAS_ORDER : 0)));
    if (order) {
        bytes_put_varint(out, (uint64_t)rec->checkpoints << 1 | rec->again);
    }
    bytes_put_varint(out, rec->pos - prev_pos);
    if (replay_kind_has_source(rec->kind)) {
        bytes_put_varint(out, rec->source);
    }
    bytes_put_block(out, rec->payload, rec->length);
}

bool replay_record_get(ByteReader *in, ReplayRecord *rec, uint64_t prev_pos)
{
    uint8_t head = bytes_get_u8(in);
    uint64_t order = head & HEAD_HAS_ORDER ? bytes_get_varint(in) : 0;
    uint64_t delta = bytes_get_varint(in);
    const ReplayKindInfo *info = replay_kind_info(head >> 1);
    uint64_t source = REPLAY_NO_SOURCE;
    size_t length;

    if (in->failed || !info || order >> 33 || delta > UINT64_MAX - prev_pos) {
        return false;
    }
    if (order && info->class_ != REPLAY_CLASS_POSTED) {
        return false;
    }
    if (replay_kind_has_source(head >> 1)) {
        source = bytes_get_varint(in);
        if (source >= REPLAY_LOG_MAX_SOURCES) {
            return false;
        }
    }
    rec->payload = bytes_get_block(in, REPLAY_MAX_PAYLOAD, &length);
    if (in->failed) {
        return false;
    }
    rec->kind = head >> 1;
    rec->source = (uint32_t)source;
    rec->pos = prev_pos + delta;
    rec->checkpoints = (uint32_t)(order >> 1);
    rec->again = order & 1;
    rec->length = (uint32_t)length;
    return true;
}

void replay_id_format(const uint8_t *id, char *out)
{
    for (unsigned i = 0; i < REPLAY_LOG_ID_SIZE; i++) {
        snprintf(out + 2 * i, 3, "%02x", id[i]);
    }
}

uint32_t replay_log_seed(const uint8_t *id)
{
    return crc32c(0, id, REPLAY_LOG_ID_SIZE);
}

void replay_log_put_header(GByteArray *out, const uint8_t *id, const char *json)
{
    size_t length = strlen(json);
    guint start = out->len;
    uint32_t crc;

    assert(length <= REPLAY_LOG_MAX_HEADER);
    bytes_put_data(out, REPLAY_LOG_MAGIC, 8);
    bytes_put_le32(out, REPLAY_LOG_VERSION);
    bytes_put_le32(out, (uint32_t)length);
    bytes_put_data(out, id, REPLAY_LOG_ID_SIZE);
    crc = crc32c(0, out->data + start, out->len - start);
    bytes_put_le32(out, crc32c(crc, json, length));
    bytes_put_data(out, json, length);
}

void replay_packer_clear(ReplayPacker *p)
{
    ZSTD_freeCCtx(p->pack);
    ZSTD_freeDCtx(p->unpack);
    *p = (ReplayPacker){ 0 };
}

/* raw into *data: compressed, or as it is when compression gains nothing. */
static uint32_t compress(GByteArray *out, ReplayPacker *p, const void *raw, size_t length,
                         int level)
{
    size_t bound = ZSTD_compressBound(length);
    guint start = out->len;
    size_t n;

    if (!p->pack) {
        p->pack = ZSTD_createCCtx();
        assert(p->pack);
    }
    g_byte_array_set_size(out, start + (guint)bound);
    n = ZSTD_compressCCtx(p->pack, out->data + start, bound, raw, length, level);
    assert(!ZSTD_isError(n));
    if (n >= length) {
        memcpy(out->data + start, raw, length);
        n = length;
    }
    g_byte_array_set_size(out, start + (guint)n);
    return (uint32_t)n;
}

void replay_frame_put(GByteArray *out, ReplayPacker *p, uint32_t seed, ReplayFrame *frame,
                      const void *raw, size_t length, int level)
{
    GByteArray *fields = g_byte_array_new();
    guint start = out->len;

    assert(length && length <= REPLAY_LOG_MAX_FRAME);
    g_byte_array_set_size(out, start + REPLAY_FRAME_HEADER);
    frame->raw_length = (uint32_t)length;
    frame->stored_length = compress(out, p, raw, length, level);
    frame->data_crc = crc32c(seed, out->data + start + REPLAY_FRAME_HEADER, frame->stored_length);
    bytes_put_le32(fields, frame->magic);
    bytes_put_le32(fields, frame->sequence);
    bytes_put_le64(fields, frame->first_pos);
    bytes_put_le32(fields, frame->raw_length);
    bytes_put_le32(fields, frame->stored_length);
    bytes_put_le32(fields, frame->count);
    bytes_put_le32(fields, frame->data_crc);
    bytes_put_le32(fields, crc32c(seed, fields->data, fields->len));
    memcpy(out->data + start, fields->data, REPLAY_FRAME_HEADER);
    g_byte_array_unref(fields);
}

bool replay_frame_get_header(const uint8_t *data, uint32_t seed, ReplayFrame *frame)
{
    ByteReader in;
    uint32_t crc;

    byte_reader_init(&in, data, REPLAY_FRAME_HEADER);
    frame->magic = bytes_get_le32(&in);
    frame->sequence = bytes_get_le32(&in);
    frame->first_pos = bytes_get_le64(&in);
    frame->raw_length = bytes_get_le32(&in);
    frame->stored_length = bytes_get_le32(&in);
    frame->count = bytes_get_le32(&in);
    frame->data_crc = bytes_get_le32(&in);
    crc = bytes_get_le32(&in);
    if (in.failed || crc != crc32c(seed, data, REPLAY_FRAME_HEADER - 4)) {
        return false;
    }
    if (frame->magic != REPLAY_FRAME_RECORDS && frame->magic != REPLAY_FRAME_INDEX &&
        frame->magic != REPLAY_FRAME_END && frame->magic != REPLAY_FRAME_KEYFRAME &&
        frame->magic != REPLAY_FRAME_KEYFRAME_DATA) {
        return false;
    }
    /* A record takes at least three bytes: head, position, length. */
    return frame->raw_length > 0 && frame->raw_length <= REPLAY_LOG_MAX_FRAME &&
           frame->stored_length > 0 && frame->stored_length <= frame->raw_length &&
           frame->count <= frame->raw_length / 3;
}

uint8_t *replay_frame_unpack(const ReplayFrame *frame, ReplayPacker *p, uint32_t seed,
                             const uint8_t *stored)
{
    uint8_t *raw;
    size_t n;

    if (crc32c(seed, stored, frame->stored_length) != frame->data_crc) {
        return NULL;
    }
    raw = g_malloc(frame->raw_length);
    if (frame->stored_length == frame->raw_length) {
        memcpy(raw, stored, frame->raw_length);
        return raw;
    }
    if (!p->unpack) {
        p->unpack = ZSTD_createDCtx();
        assert(p->unpack);
    }
    n = ZSTD_decompressDCtx(p->unpack, raw, frame->raw_length, stored, frame->stored_length);
    if (ZSTD_isError(n) || n != frame->raw_length) {
        g_free(raw);
        return NULL;
    }
    return raw;
}

ReplayIndex *replay_index_new(void)
{
    ReplayIndex *index = g_new0(ReplayIndex, 1);

    index->frames = g_array_new(false, false, sizeof(ReplayIndexEntry));
    index->keyframes = g_array_new(false, false, sizeof(ReplayIndexEntry));
    return index;
}

void replay_index_free(ReplayIndex *index)
{
    g_array_unref(index->frames);
    g_array_unref(index->keyframes);
    g_free(index);
}

static void put_entries(GByteArray *out, const GArray *entries)
{
    ReplayIndexEntry prev = { 0 };

    bytes_put_varint(out, entries->len);
    for (guint i = 0; i < entries->len; i++) {
        ReplayIndexEntry e = g_array_index(entries, ReplayIndexEntry, i);

        bytes_put_varint(out, e.sequence - prev.sequence);
        bytes_put_varint(out, e.offset - prev.offset);
        bytes_put_varint(out, e.first_pos - prev.first_pos);
        bytes_put_varint(out, e.first_record - prev.first_record);
        prev = e;
    }
}

/* Without keyframes it is as in version 3. */
void replay_index_put(GByteArray *out, const ReplayIndex *index)
{
    put_entries(out, index->frames);
    if (index->keyframes->len) {
        put_entries(out, index->keyframes);
    }
}

/* Frames have a record at least; keyframes may have none between them. */
static bool get_entries(ByteReader *in, GArray *entries, bool with_records)
{
    ReplayIndexEntry e = { 0 };
    uint64_t n = bytes_get_varint(in);

    for (uint64_t i = 0; i < n && n <= REPLAY_INDEX_MAX && !in->failed; i++) {
        uint64_t sequence = bytes_get_varint(in);
        uint64_t offset = bytes_get_varint(in);
        uint64_t pos = bytes_get_varint(in);
        uint64_t record = bytes_get_varint(in);

        in->failed |= sequence > UINT32_MAX - e.sequence || offset > UINT64_MAX - e.offset ||
                      pos > UINT64_MAX - e.first_pos || record > UINT64_MAX - e.first_record ||
                      (i && (!sequence || !offset || (with_records && !record)));
        e.sequence += (uint32_t)sequence;
        e.offset += offset;
        e.first_pos += pos;
        e.first_record += record;
        g_array_append_val(entries, e);
    }
    return !in->failed && n == entries->len;
}

ReplayIndex *replay_index_get(const uint8_t *data, size_t length)
{
    ReplayIndex *index = replay_index_new();
    ByteReader in;

    byte_reader_init(&in, data, length);
    if (!get_entries(&in, index->frames, true) ||
        (byte_reader_left(&in) && !get_entries(&in, index->keyframes, false)) ||
        byte_reader_left(&in)) {
        g_clear_pointer(&index, replay_index_free);
    }
    return index;
}
