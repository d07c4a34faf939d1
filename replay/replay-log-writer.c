/*
 * Writing a log: records gather in an open chunk; a worker thread turns full or
 * old chunks into frames on disk, so that the machine thread neither compresses
 * nor waits for the disk, and an idle machine's records get there, too.
 *
 * 1. Appending only: what is on disk is never touched again.
 * 2. A frame is written whole or, on an error, cut off again; the first error ends
 *    the recording with one message. What is on disk then replays.
 * 3. `mutex` guards the first group of fields; the others belong to the worker thread,
 *    and to the caller when there is none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <unistd.h>
#include "replay/replay-log-file.h"
#include "replay/replay-log.h"
#include "util/host-clock.h"
#include "util/host-random.h"

/*
 * How long a record may stay in memory only. Idle time is worth less than input, and
 * gathering it keeps the log of an idle machine small.
 */
#define FLUSH_US 1000000
#define FLUSH_IDLE_US 10000000

/* Sealed chunks waiting for the disk before the machine waits, too. */
#define MAX_SEALED 256

const ReplayLogOptions replay_log_recording = { 64 * 1024, 6, -1, true };
const ReplayLogOptions replay_log_packing = { 1024 * 1024, 19, 9, false };

typedef struct Chunk {
    GByteArray *raw;
    uint64_t first_pos;
    uint64_t first_record;
    uint32_t count;
    ReplayKeyframe *keyframe; /* instead of records; or NULL */
    ReplayKeyframeHead *copied;   /* the same, of another log; or NULL */
    ReplayLogReader *from;    /* that log; not the chunk's */
} Chunk;

struct ReplayLogWriter {
    GMutex mutex;
    GCond work;               /* for the worker: chunk sealed, deadline set, finishing */
    GCond room;               /* for the machine thread: a chunk was written */
    GQueue sealed;
    bool writing;             /* the worker has a chunk that was sealed */
    Chunk *open;
    int64_t deadline_us;      /* host monotonic time; INT64_MAX: none */
    uint64_t last_pos;
    uint64_t records;
    uint64_t bytes;
    unsigned keyframes;       /* put, and not written yet */
    bool keyframes_stopped;
    int64_t keyframe_cost_ns; /* CPU time that all took */
    bool finishing;
    bool failed;
    bool opened;

    ReplayLogOptions options;
    GThread *thread;
    ReplayLogFile file;
    uint8_t id[REPLAY_LOG_ID_SIZE];
    bool id_given;
    uint32_t seed;            /* of the frames' CRCs */
    ReplayPacker packer;
    GByteArray *frame;        /* being written */
    uint64_t offset;
    uint32_t sequence;
    int error;                /* errno of the failed write */
    ReplayIndex *index;
    uint32_t index_stride;
};

static Chunk *chunk_new(void)
{
    Chunk *c = g_new0(Chunk, 1);

    c->raw = g_byte_array_new();
    return c;
}

static void chunk_free(Chunk *c)
{
    g_byte_array_unref(c->raw);
    g_clear_pointer(&c->keyframe, replay_keyframe_free);
    g_clear_pointer(&c->copied, replay_keyframe_head_free);
    g_free(c);
}

ReplayLogWriter *replay_log_writer_new(const ReplayLogOptions *options)
{
    ReplayLogWriter *w = g_new0(ReplayLogWriter, 1);

    g_mutex_init(&w->mutex);
    g_cond_init(&w->work);
    g_cond_init(&w->room);
    g_queue_init(&w->sealed);
    w->open = chunk_new();
    w->deadline_us = INT64_MAX;
    w->options = *options;
    w->file.fd = -1;
    w->frame = g_byte_array_new();
    w->index = replay_index_new();
    w->index_stride = 1;
    return w;
}

/* ---- the disk side ---- */

/* All or nothing: a piece that does not fit is cut off again. */
static bool append(ReplayLogWriter *w, const GByteArray *data)
{
    size_t done = 0;

    while (done < data->len) {
        ssize_t n = write(w->file.fd, data->data + done, data->len - done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            w->error = n < 0 ? errno : ENOSPC;
            if (w->opened && ftruncate(w->file.fd, (off_t)w->offset) < 0) {
                warn_report("%s: cannot cut off an incomplete frame", w->file.path);
            }
            return false;
        }
        done += (size_t)n;
    }
    w->offset += data->len;
    g_mutex_lock(&w->mutex);
    w->bytes = w->offset;
    g_mutex_unlock(&w->mutex);
    return true;
}

static bool write_frame(ReplayLogWriter *w, uint32_t magic, uint64_t first_pos, uint32_t count,
                        const GByteArray *raw)
{
    ReplayFrame frame = { .magic = magic, .sequence = w->sequence, .first_pos = first_pos,
                          .count = count };
    int level = magic == REPLAY_FRAME_KEYFRAME_DATA ? w->options.keyframe_level : w->options.level;
    bool ok;

    g_byte_array_set_size(w->frame, 0);
    replay_frame_put(w->frame, &w->packer, w->seed, &frame, raw->data, raw->len, level);
    ok = append(w, w->frame);
    w->sequence += ok;
    return ok;
}

/* ---- keyframes ---- */

#define TOO_LARGE "the machine's state is too large for them"

typedef struct KeyframeOut {
    ReplayLogWriter *w;
    uint64_t pos;
} KeyframeOut;

static bool write_keyframe_data(void *opaque, const GByteArray *data, uint64_t *offset)
{
    const KeyframeOut *out = opaque;

    *offset = out->w->offset;
    return write_frame(out->w, REPLAY_FRAME_KEYFRAME_DATA, out->pos, 0, data);
}

/* Later ones would build on it. */
static bool stop_keyframes(ReplayLogWriter *w, const char *why)
{
    warn_report("'%s' gets no more keyframes: %s", w->file.path, why);
    g_mutex_lock(&w->mutex);
    w->keyframes_stopped = true;
    g_mutex_unlock(&w->mutex);
    return true;
}

static bool write_head(ReplayLogWriter *w, const Chunk *c, const GByteArray *head)
{
    const ReplayIndexEntry e = { w->sequence, w->offset, c->first_pos, c->first_record };

    if (head->len > REPLAY_LOG_MAX_FRAME) {
        return stop_keyframes(w, TOO_LARGE);
    }
    if (!write_frame(w, REPLAY_FRAME_KEYFRAME, c->first_pos, 0, head)) {
        return false;
    }
    g_array_append_val(w->index->keyframes, e);
    return true;
}

static bool write_keyframe(ReplayLogWriter *w, const Chunk *c)
{
    KeyframeOut out = { w, c->first_pos };
    GByteArray *head = g_byte_array_new();
    bool ok;

    if (c->keyframe->state->len > REPLAY_LOG_MAX_FRAME) {
        ok = stop_keyframes(w, TOO_LARGE);
    } else {
        ok = replay_keyframe_put(head, c->keyframe, w->index->keyframes->len, c->first_record,
                                 write_keyframe_data, &out) && write_head(w, c, head);
    }
    g_byte_array_unref(head);
    return ok;
}

static bool copy_keyframe(ReplayLogWriter *w, const Chunk *c)
{
    KeyframeOut out = { w, c->first_pos };
    GByteArray *head = g_byte_array_new();
    Error *err = NULL;
    bool ok;

    assert(c->copied->number == w->index->keyframes->len && c->copied->records == c->first_record);
    ok = replay_keyframe_copy(head, c->from, c->copied, write_keyframe_data, &out, &err) &&
         write_head(w, c, head);
    if (err) {
        ok = stop_keyframes(w, error_get_pretty(err));
        error_free(err);
    }
    g_byte_array_unref(head);
    return ok;
}

/* Bounded: when the index is full, every second entry goes. */
static void index_add(ReplayLogWriter *w, uint64_t offset, const Chunk *c)
{
    ReplayIndexEntry e = { w->sequence, offset, c->first_pos, c->first_record };
    GArray *frames = w->index->frames;

    if (w->sequence % w->index_stride != 0) {
        return;
    }
    if (frames->len == REPLAY_INDEX_MAX) {
        for (guint i = 0; i < frames->len / 2; i++) {
            g_array_index(frames, ReplayIndexEntry, i) =
                g_array_index(frames, ReplayIndexEntry, i * 2);
        }
        g_array_set_size(frames, frames->len / 2);
        w->index_stride *= 2;
    }
    g_array_append_val(frames, e);
}

static bool write_chunk(ReplayLogWriter *w, const Chunk *c)
{
    uint64_t offset = w->offset;

    if (c->keyframe) {
        return write_keyframe(w, c);
    }
    if (c->copied) {
        return copy_keyframe(w, c);
    }
    index_add(w, offset, c);
    return write_frame(w, REPLAY_FRAME_RECORDS, c->first_pos, c->count, c->raw);
}

static void fail(ReplayLogWriter *w)
{
    warn_report("recording to '%s' stops: %s; what is recorded so far (%" PRIu64
                " bytes) can be replayed", w->file.path, g_strerror(w->error), w->offset);
    g_mutex_lock(&w->mutex);
    w->failed = true;
    g_queue_clear_full(&w->sealed, (GDestroyNotify)chunk_free);
    g_cond_broadcast(&w->room);
    g_mutex_unlock(&w->mutex);
}

/* ---- chunks; with the mutex held ---- */

static void seal(ReplayLogWriter *w)
{
    g_queue_push_tail(&w->sealed, w->open);
    w->open = chunk_new();
    w->deadline_us = INT64_MAX;
    g_cond_signal(&w->work);
}

/* Wait for something to write. NULL: finished. */
static Chunk *next_chunk(ReplayLogWriter *w)
{
    for (;;) {
        if (!g_queue_is_empty(&w->sealed)) {
            return g_queue_pop_head(&w->sealed);
        }
        if (w->open->count &&
            (w->finishing || host_monotonic_ns() / 1000 >= w->deadline_us)) {
            seal(w);
            continue;
        }
        if (w->finishing || w->failed) {
            return NULL;
        }
        if (w->deadline_us == INT64_MAX) {
            g_cond_wait(&w->work, &w->mutex);
        } else {
            g_cond_wait_until(&w->work, &w->mutex, w->deadline_us);
        }
    }
}

static void *worker(void *opaque)
{
    ReplayLogWriter *w = opaque;

    g_mutex_lock(&w->mutex);
    for (Chunk *c; !w->failed && (c = next_chunk(w)) != NULL;) {
        int64_t start = host_thread_cpu_ns();

        w->writing = true;
        g_mutex_unlock(&w->mutex);
        if (!write_chunk(w, c)) {
            fail(w);
        }
        g_mutex_lock(&w->mutex);
        if (c->keyframe || c->copied) {
            w->keyframes--;
            w->keyframe_cost_ns += host_thread_cpu_ns() - start;
        }
        w->writing = false;
        g_cond_broadcast(&w->room);
        chunk_free(c);
    }
    g_mutex_unlock(&w->mutex);
    return NULL;
}

void replay_log_writer_put(ReplayLogWriter *w, const ReplayRecord *rec)
{
    Chunk *c;

    g_mutex_lock(&w->mutex);
    while (w->opened && !w->failed && w->sealed.length >= MAX_SEALED) {
        g_cond_wait(&w->room, &w->mutex);
    }
    if (w->failed) {
        g_mutex_unlock(&w->mutex);
        return;
    }
    assert(rec->pos >= w->last_pos);
    c = w->open;
    if (!c->count) {
        c->first_pos = rec->pos;
        c->first_record = w->records;
        w->last_pos = rec->pos;
    }
    replay_record_put(c->raw, rec, w->last_pos);
    w->last_pos = rec->pos;
    c->count++;
    w->records++;
    if (c->raw->len >= w->options.frame_bytes) {
        seal(w);
    } else if (w->options.flush_by_time) {
        int64_t wait = rec->kind == REPLAY_KIND_WARP ? FLUSH_IDLE_US : FLUSH_US;
        int64_t deadline = host_monotonic_ns() / 1000 + wait;

        if (deadline < w->deadline_us) {
            w->deadline_us = deadline;
            g_cond_signal(&w->work);
        }
    }
    g_mutex_unlock(&w->mutex);
}

static void put_keyframe(ReplayLogWriter *w, Chunk *c)
{
    g_mutex_lock(&w->mutex);
    if (w->failed || w->keyframes_stopped) {
        chunk_free(c);
    } else {
        assert(c->first_pos >= w->last_pos);
        if (w->open->count) {
            seal(w);
        }
        c->first_record = w->records;
        g_queue_push_tail(&w->sealed, c);
        w->keyframes++;
        g_cond_signal(&w->work);
    }
    g_mutex_unlock(&w->mutex);
}

void replay_log_writer_put_keyframe(ReplayLogWriter *w, uint64_t pos, ReplayKeyframe *k)
{
    Chunk *c = chunk_new();

    c->keyframe = k;
    c->first_pos = pos;
    put_keyframe(w, c);
}

void replay_log_writer_copy_keyframe(ReplayLogWriter *w, uint64_t pos, ReplayLogReader *from,
                                     ReplayKeyframeHead *h)
{
    Chunk *c = chunk_new();

    c->copied = h;
    c->from = from;
    c->first_pos = pos;
    put_keyframe(w, c);
}

bool replay_log_writer_keyframe_done(ReplayLogWriter *w, int64_t *cost_ns)
{
    bool done;

    g_mutex_lock(&w->mutex);
    done = !w->keyframes && !w->failed && !w->keyframes_stopped &&
           w->index->keyframes->len < REPLAY_INDEX_MAX;
    *cost_ns = w->keyframe_cost_ns;
    g_mutex_unlock(&w->mutex);
    return done;
}

/* The header is on disk before the first instruction runs. */
static bool write_header(ReplayLogWriter *w, const char *json)
{
    GByteArray *header = g_byte_array_new();
    bool ok;

    if (!w->id_given) {
        host_random_bytes(w->id, sizeof(w->id));
    }
    w->seed = replay_log_seed(w->id);
    replay_log_put_header(header, w->id, json);
    ok = append(w, header);
    g_byte_array_unref(header);
    return ok;
}

/* The file is there, and empty. */
static bool start(ReplayLogWriter *w, const char *json, Error **errp)
{
    if (!write_header(w, json)) {
        error_setg_errno(errp, w->error, "cannot write the recording '%s'", w->file.path);
        replay_log_file_discard(&w->file);
        return false;
    }
    w->opened = true;
    w->thread = g_thread_new("replay-log", worker, w);
    return true;
}

bool replay_log_writer_open(ReplayLogWriter *w, const char *path, const char *json,
                            bool overwrite, Error **errp)
{
    assert(!w->opened);
    return replay_log_file_create(&w->file, path, overwrite, errp) && start(w, json, errp);
}

bool replay_log_writer_open_memory(ReplayLogWriter *w, const char *json, Error **errp)
{
    assert(!w->opened);
    return replay_log_file_create_memory(&w->file, errp) && start(w, json, errp);
}

void replay_log_writer_set_id(ReplayLogWriter *w, const uint8_t *id)
{
    assert(!w->opened);
    memcpy(w->id, id, sizeof(w->id));
    w->id_given = true;
}

const uint8_t *replay_log_writer_id(const ReplayLogWriter *w)
{
    return w->id;
}

const char *replay_log_writer_old(const ReplayLogWriter *w)
{
    return w->file.old;
}

/* ---- reading it back ---- */

bool replay_log_writer_flush(ReplayLogWriter *w)
{
    bool ok;

    g_mutex_lock(&w->mutex);
    if (w->open->count && !w->failed) {
        seal(w);
    }
    while (!w->failed && (w->writing || !g_queue_is_empty(&w->sealed))) {
        g_cond_wait(&w->room, &w->mutex);
    }
    ok = !w->failed;
    g_mutex_unlock(&w->mutex);
    return ok;
}

ReplayLogReader *replay_log_writer_read(ReplayLogWriter *w, Error **errp)
{
    int fd = replay_log_file_open_again(&w->file, errp);

    return fd < 0 ? NULL : replay_log_reader_open_fd(fd, w->file.path, errp);
}

const GArray *replay_log_writer_index(const ReplayLogWriter *w)
{
    return w->index->frames;
}

/* ---- the end ---- */

static bool write_tail(ReplayLogWriter *w)
{
    ReplayLogEnd end = { w->offset, w->records, w->last_pos };
    GByteArray *raw = g_byte_array_new();
    bool ok;

    replay_index_put(raw, w->index);
    ok = write_frame(w, REPLAY_FRAME_INDEX, w->last_pos, 0, raw);
    g_byte_array_set_size(raw, 0);
    bytes_put_le64(raw, end.index_offset);
    bytes_put_le64(raw, end.records);
    bytes_put_le64(raw, end.last_pos);
    ok = ok && write_frame(w, REPLAY_FRAME_END, w->last_pos, 0, raw);
    g_byte_array_unref(raw);
    return ok;
}

/* The worker writes what is sealed and open, and ends. */
static bool stop_worker(ReplayLogWriter *w)
{
    if (!w->thread) {
        return false;
    }
    g_mutex_lock(&w->mutex);
    w->finishing = true;
    g_cond_signal(&w->work);
    g_mutex_unlock(&w->mutex);
    g_thread_join(w->thread);
    w->thread = NULL;
    return true;
}

/* All that was put, and the tail, is in the file. False: it is finished already, or failed. */
static bool complete(ReplayLogWriter *w)
{
    if (!stop_worker(w)) {
        return false;
    }
    if (!w->failed && !write_tail(w)) {
        fail(w);
    }
    return !w->failed;
}

bool replay_log_writer_finish(ReplayLogWriter *w)
{
    complete(w);
    replay_log_file_close(&w->file);
    return !w->failed;
}

void replay_log_writer_discard(ReplayLogWriter *w)
{
    stop_worker(w);
    replay_log_file_discard(&w->file);
}

/* It stays locked until it has its name. */
bool replay_log_writer_finish_as(ReplayLogWriter *w, const char *path, const struct stat *opened,
                                 Error **errp)
{
    bool ok = complete(w);

    if (!ok) {
        error_setg(errp, "'%s' could not be written as a whole", w->file.path);
    }
    ok = ok && replay_log_file_replace(&w->file, path, opened, errp);
    if (ok) {
        replay_log_file_close(&w->file);
    } else {
        replay_log_writer_discard(w);
    }
    return ok;
}

guint replay_log_writer_keyframes(const ReplayLogWriter *w)
{
    return w->index->keyframes->len;
}

void replay_log_writer_free(ReplayLogWriter *w)
{
    replay_log_writer_finish(w);
    replay_log_file_clear(&w->file);
    g_queue_clear_full(&w->sealed, (GDestroyNotify)chunk_free);
    chunk_free(w->open);
    replay_index_free(w->index);
    g_byte_array_unref(w->frame);
    replay_packer_clear(&w->packer);
    g_mutex_clear(&w->mutex);
    g_cond_clear(&w->work);
    g_cond_clear(&w->room);
    g_free(w);
}

bool replay_log_writer_failed(ReplayLogWriter *w)
{
    bool failed;

    g_mutex_lock(&w->mutex);
    failed = w->failed;
    g_mutex_unlock(&w->mutex);
    return failed;
}

uint64_t replay_log_writer_bytes(ReplayLogWriter *w)
{
    uint64_t bytes;

    g_mutex_lock(&w->mutex);
    bytes = w->bytes;
    g_mutex_unlock(&w->mutex);
    return bytes;
}

uint64_t replay_log_writer_records(ReplayLogWriter *w)
{
    uint64_t records;

    g_mutex_lock(&w->mutex);
    records = w->records;
    g_mutex_unlock(&w->mutex);
    return records;
}
