/*
 * The log file: records, frames, writer and reader. The format is described in
 * docs/replay-log-format.md.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REPLAY_REPLAY_LOG_H
#define REPLAY_REPLAY_LOG_H

#include <glib.h>
#include <sys/stat.h>
#include "replay/replay-keyframe.h"
#include "replay/sources.h"
#include "util/bytes.h"

#define REPLAY_LOG_MAGIC "REARMLOG"
#define REPLAY_LOG_VERSION 6
/* What is older had no keyframes, or others, which are stepped over. */
#define REPLAY_LOG_OLDEST 3
#define REPLAY_LOG_KEYFRAMES 6

/* Stands for the file's name in messages about a recording that has none. */
#define REPLAY_LOG_IN_MEMORY "(in memory)"

/* Bounds of what is read. */
#define REPLAY_LOG_MAX_HEADER (1u << 20)
#define REPLAY_LOG_MAX_FRAME (4u << 20)     /* raw bytes in a frame */
#define REPLAY_LOG_MAX_SOURCES 4096

/* A random number, different for every file that is written. */
#define REPLAY_LOG_ID_SIZE 16

/* Frame magics: "RFRM", "RKEY", "RKDT", "RIDX", "REND" as bytes in the file. */
#define REPLAY_FRAME_RECORDS 0x4d524652u
#define REPLAY_FRAME_KEYFRAME 0x59454b52u
#define REPLAY_FRAME_KEYFRAME_DATA 0x54444b52u
#define REPLAY_FRAME_INDEX 0x58444952u
#define REPLAY_FRAME_END 0x444e4552u

#define REPLAY_LOG_FILE_HEADER 36
#define REPLAY_FRAME_HEADER 36

/* ---- records ---- */

#define REPLAY_NO_SOURCE UINT32_MAX

typedef struct ReplayRecord {
    unsigned kind;
    uint32_t source;          /* index in the source table, or REPLAY_NO_SOURCE */
    uint64_t pos;
    /* Of posted records, what else must have happened at this position first:
     * so many checkpoints, and (again) the deliveries before, as a batch of their own. */
    uint32_t checkpoints;
    bool again;
    uint32_t length;
    const uint8_t *payload;
    uint64_t number;          /* in the log; filled by the cursor */
} ReplayRecord;

void replay_record_put(GByteArray *out, const ReplayRecord *rec, uint64_t prev_pos);
/* payload points into the reader's data. False when malformed. */
bool replay_record_get(ByteReader *in, ReplayRecord *rec, uint64_t prev_pos);

/* ---- frames and file header, in memory ---- */

typedef struct ReplayFrame {
    uint32_t magic;
    uint32_t sequence;
    uint64_t first_pos;
    uint32_t raw_length;
    uint32_t stored_length;   /* equal to raw_length: not compressed */
    uint32_t count;           /* records */
    uint32_t data_crc;
    uint64_t offset;          /* of the frame in the file; not stored */
} ReplayFrame;

/* Append magic, version, length, id, CRC and JSON text. */
void replay_log_put_header(GByteArray *out, const uint8_t *id, const char *json);
/* 32 hexadecimal digits and a NUL. */
void replay_id_format(const uint8_t *id, char *out);
/* What every CRC of the frames behind a header with this id starts from. */
uint32_t replay_log_seed(const uint8_t *id);

/* What is used again from frame to frame. It begins as zeros; one thread at a time. */
typedef struct ReplayPacker {
    struct ZSTD_CCtx_s *pack;
    struct ZSTD_DCtx_s *unpack;
} ReplayPacker;

void replay_packer_clear(ReplayPacker *p);

/* Append a whole frame; fills the lengths and the CRC in *frame. */
void replay_frame_put(GByteArray *out, ReplayPacker *p, uint32_t seed, ReplayFrame *frame,
                      const void *raw, size_t length, int level);
/* Decode REPLAY_FRAME_HEADER bytes. False when the CRC is wrong or a bound is exceeded. */
bool replay_frame_get_header(const uint8_t *data, uint32_t seed, ReplayFrame *frame);
/* Check and unpack the data; returns raw_length bytes (g_free) or NULL. */
uint8_t *replay_frame_unpack(const ReplayFrame *frame, ReplayPacker *p, uint32_t seed,
                             const uint8_t *stored);

/* ---- the index ---- */

/*
 * Where a frame of records or a keyframe is: an entry of the index, and what a reader goes back to.
 */
typedef struct ReplayIndexEntry {
    uint32_t sequence;
    uint64_t offset;
    uint64_t first_pos;
    uint64_t first_record;    /* the number of its first record, or of the one that comes next */
} ReplayIndexEntry;

#define REPLAY_INDEX_MAX 65536

/* Both are of ReplayIndexEntry. */
typedef struct ReplayIndex {
    GArray *frames;
    GArray *keyframes;
} ReplayIndex;

ReplayIndex *replay_index_new(void);
void replay_index_free(ReplayIndex *index);
void replay_index_put(GByteArray *out, const ReplayIndex *index);
/* NULL when malformed. */
ReplayIndex *replay_index_get(const uint8_t *data, size_t length);

typedef struct ReplayLogEnd {
    uint64_t index_offset;
    uint64_t records;
    uint64_t last_pos;
} ReplayLogEnd;

#define REPLAY_LOG_END_SIZE 24

/* ---- writer ---- */

typedef struct ReplayLogWriter ReplayLogWriter;
typedef struct ReplayLogReader ReplayLogReader;

typedef struct ReplayLogOptions {
    size_t frame_bytes;       /* raw bytes after which a frame is full */
    int level;                /* zstd level */
    int keyframe_level;       /* of keyframes: they are much, and the machine may wait for them */
    bool flush_by_time;       /* flush what a killed process would lose */
} ReplayLogOptions;

extern const ReplayLogOptions replay_log_recording;
extern const ReplayLogOptions replay_log_packing;

/* Records can be put at once; they reach a file after replay_log_writer_open(). */
ReplayLogWriter *replay_log_writer_new(const ReplayLogOptions *options);
/*
 * Create the file, write its header, and from now on all that is put. The file is locked
 * until the writer is done with it. A file that has this name already is renamed to
 * PATH.old, or, with `overwrite`, emptied. A failure leaves no file behind.
 */
bool replay_log_writer_open(ReplayLogWriter *w, const char *path, const char *json,
                            bool overwrite, Error **errp);
/* The same in memory. The recording is gone with the writer. */
bool replay_log_writer_open_memory(ReplayLogWriter *w, const char *json, Error **errp);
/* Before it is opened: this id instead of a random one, for a copy of a recording. */
void replay_log_writer_set_id(ReplayLogWriter *w, const uint8_t *id);
/* The file's id, REPLAY_LOG_ID_SIZE bytes; after replay_log_writer_open(). */
const uint8_t *replay_log_writer_id(const ReplayLogWriter *w);
/* The name that an older file got, or NULL. */
const char *replay_log_writer_old(const ReplayLogWriter *w);
/* One thread at a time; positions never decrease. */
void replay_log_writer_put(ReplayLogWriter *w, const ReplayRecord *rec);
/*
 * Behind all records that were put, at a position that none of them is behind. Takes the keyframe;
 * pages need to stay where they are until replay_log_writer_keyframe_done() (or a flush).
 */
void replay_log_writer_put_keyframe(ReplayLogWriter *w, uint64_t pos, ReplayKeyframe *k);
/*
 * The same with the next keyframe of another log, of which the others before it were put; one that
 * is damaged is the last one. Takes its head; nobody else may use the reader until it is done.
 */
void replay_log_writer_copy_keyframe(ReplayLogWriter *w, uint64_t pos, ReplayLogReader *from,
                                     ReplayKeyframeHead *h);
/*
 * All keyframes that were put are in the file, and another one may be put. *cost_ns: CPU time that
 * it took to write them.
 */
bool replay_log_writer_keyframe_done(ReplayLogWriter *w, int64_t *cost_ns);
/* Wait until all that was put is in the file. False when writing failed now or before. */
bool replay_log_writer_flush(ReplayLogWriter *w);
/* A reader of what is in the file, which goes on from there; after replay_log_writer_flush(). */
ReplayLogReader *replay_log_writer_read(ReplayLogWriter *w, Error **errp);
/* Where its frames are, as the index will say; after replay_log_writer_flush(). */
const GArray *replay_log_writer_index(const ReplayLogWriter *w);
/* Write everything, the index and the end frame, and close the file. Idempotent.
 * False when writing failed now or before (the message is out already). */
bool replay_log_writer_finish(ReplayLogWriter *w);
/*
 * The same, and the file takes the name `path` of the one that `opened` tells of, which becomes
 * PATH.old. On failure the file is removed.
 */
bool replay_log_writer_finish_as(ReplayLogWriter *w, const char *path, const struct stat *opened,
                                 Error **errp);
/* How many keyframes are in the file; after it was finished. */
guint replay_log_writer_keyframes(const ReplayLogWriter *w);
/* Stop, remove the file, and give an older one its name back. */
void replay_log_writer_discard(ReplayLogWriter *w);
/* Finish and free. */
void replay_log_writer_free(ReplayLogWriter *w);
/* A write error ended the recording. */
bool replay_log_writer_failed(ReplayLogWriter *w);
uint64_t replay_log_writer_bytes(ReplayLogWriter *w);
uint64_t replay_log_writer_records(ReplayLogWriter *w);

/* ---- reader ---- */

typedef enum ReplayLogStatus {
    REPLAY_LOG_FRAME,         /* a frame of records was read */
    REPLAY_LOG_FINISHED,      /* the end frame was read: a complete file */
    REPLAY_LOG_TRUNCATED,     /* the file ends behind a whole frame or within one */
    REPLAY_LOG_DAMAGED,       /* errp says where and what */
} ReplayLogStatus;

/* Check the file header. */
ReplayLogReader *replay_log_reader_open(const char *path, Error **errp);
/* The same for bytes in memory, which must outlive the reader. */
ReplayLogReader *replay_log_reader_open_memory(const uint8_t *data, size_t length,
                                               Error **errp);
/* The same for what an open descriptor's file holds now. The reader takes fd; `name` is for errors. */
ReplayLogReader *replay_log_reader_open_fd(int fd, const char *name, Error **errp);
/* A second reader of the same log, at its start. */
ReplayLogReader *replay_log_reader_open_again(const ReplayLogReader *r, Error **errp);
void replay_log_reader_free(ReplayLogReader *r);
/* The file's format version. */
unsigned replay_log_reader_format(const ReplayLogReader *r);
/* The self-description (JSON), NUL-terminated. */
const char *replay_log_reader_json(const ReplayLogReader *r);
/* REPLAY_LOG_ID_SIZE bytes. */
const uint8_t *replay_log_reader_id(const ReplayLogReader *r);

/*
 * The next frame of records: *raw gets its raw_length bytes (g_free).
 * After another status than REPLAY_LOG_FRAME do not call again.
 */
ReplayLogStatus replay_log_reader_next(ReplayLogReader *r, ReplayFrame *frame, uint8_t **raw,
                                       Error **errp);

/*
 * Read on from the frame at `place`, backwards or forwards, whatever the status was. The place is
 * checked like the rest of the file: what is not a frame there is damage.
 */
void replay_log_reader_go(ReplayLogReader *r, const ReplayIndexEntry *place);
/*
 * The index of a complete file, a GArray of ReplayIndexEntry with ascending sequence, offset and
 * first_record (g_array_unref), or NULL: cut off or damaged. The reader stays where it is.
 */
GArray *replay_log_reader_index(ReplayLogReader *r);
/*
 * The keyframes, GArray of ReplayIndexEntry (g_array_unref): as the index says, or, in a file that
 * was cut off, as far as its frames' headers are good. There are none in a format before
 * REPLAY_LOG_KEYFRAMES. The reader stays where it is.
 */
GArray *replay_log_reader_keyframes(ReplayLogReader *r);
/* The data of the frame with this magic at `offset`, all checked (g_free); NULL: there is none. */
uint8_t *replay_log_reader_frame_at(ReplayLogReader *r, uint64_t offset, uint32_t magic,
                                    ReplayFrame *frame);
/*
 * The position of the last record. A file without an end frame is read as a whole for it. The
 * reader stays where it is.
 */
uint64_t replay_log_reader_last_pos(const ReplayLogReader *r);

#endif
