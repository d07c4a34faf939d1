/*
 * Reading a log, front to back, or on from a place in it. A log is untrusted input: what this
 * file hands out has passed every check of replay-log.c, and nothing is allocated for a length
 * that the file does not have.
 *
 * A file that ends too early was cut off (SIGKILL, disk full): what is before counts.
 * A file whose bytes are wrong is damaged: that is an error with frame and offset.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "replay/replay-log.h"
#include "util/crc32c.h"

struct ReplayLogReader {
    const uint8_t *memory;    /* or the file: */
    int fd;
    uint64_t size;
    uint64_t offset;
    uint8_t id[REPLAY_LOG_ID_SIZE];
    uint32_t seed;            /* of the frames' CRCs */
    uint32_t version;
    uint32_t sequence;
    uint64_t last_pos;
    uint64_t records;
    ReplayPacker packer;
    uint64_t index_offset;    /* 0: no index seen */
    char *json;
};

/* Exactly length bytes from the current offset, which are there. */
static bool read_bytes(ReplayLogReader *r, void *out, size_t length, Error **errp)
{
    size_t done = 0;

    if (r->memory) {
        memcpy(out, r->memory + r->offset, length);
        r->offset += length;
        return true;
    }
    while (done < length) {
        ssize_t n = pread(r->fd, (uint8_t *)out + done, length - done,
                          (off_t)(r->offset + done));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            error_setg_errno(errp, n < 0 ? errno : EIO, "cannot read at offset %" PRIu64,
                             r->offset + done);
            return false;
        }
        done += (size_t)n;
    }
    r->offset += length;
    return true;
}

static uint64_t left(const ReplayLogReader *r)
{
    return r->size - r->offset;
}

static bool read_header(ReplayLogReader *r, Error **errp)
{
    uint8_t head[REPLAY_LOG_FILE_HEADER];
    uint32_t version, length, crc;
    ByteReader in;

    if (left(r) < sizeof(head)) {
        error_setg(errp, "too short (%" PRIu64 " bytes) to be a Rearm recording", r->size);
        return false;
    }
    if (!read_bytes(r, head, sizeof(head), errp)) {
        return false;
    }
    byte_reader_init(&in, head, sizeof(head));
    if (memcmp(bytes_get_data(&in, 8), REPLAY_LOG_MAGIC, 8) != 0) {
        error_setg(errp, "not a Rearm recording (no %s at its start)", REPLAY_LOG_MAGIC);
        return false;
    }
    version = bytes_get_le32(&in);
    if (version < REPLAY_LOG_OLDEST || version > REPLAY_LOG_VERSION) {
        error_setg(errp, "has log format %" PRIu32 ", this program reads format %d: replay it "
                   "with the program that recorded it, or record again", version,
                   REPLAY_LOG_VERSION);
        return false;
    }
    r->version = version;
    length = bytes_get_le32(&in);
    memcpy(r->id, bytes_get_data(&in, REPLAY_LOG_ID_SIZE), REPLAY_LOG_ID_SIZE);
    crc = bytes_get_le32(&in);
    r->seed = replay_log_seed(r->id);
    if (length > REPLAY_LOG_MAX_HEADER || length > left(r)) {
        error_setg(errp, "its header is incomplete or damaged (length %" PRIu32 ")", length);
        return false;
    }
    r->json = g_malloc0((gsize)length + 1);
    if (!read_bytes(r, r->json, length, errp)) {
        return false;
    }
    if (crc32c(crc32c(0, head, sizeof(head) - 4), r->json, length) != crc ||
        memchr(r->json, 0, length)) {
        error_setg(errp, "its header is damaged (wrong CRC)");
        return false;
    }
    return true;
}

static ReplayLogReader *reader_start(ReplayLogReader *r, const char *name, Error **errp)
{
    if (!read_header(r, errp)) {
        error_prepend(errp, "%s: ", name);
        replay_log_reader_free(r);
        return NULL;
    }
    return r;
}

ReplayLogReader *replay_log_reader_open_fd(int fd, const char *name, Error **errp)
{
    ReplayLogReader *r = g_new0(ReplayLogReader, 1);
    struct stat st;

    r->fd = fd;
    if (fd < 0 || fstat(fd, &st) < 0) {
        error_setg_errno(errp, errno, "cannot open the recording '%s'", name);
        replay_log_reader_free(r);
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        error_setg(errp, "the recording '%s' is not a regular file", name);
        replay_log_reader_free(r);
        return NULL;
    }
    r->size = (uint64_t)st.st_size;
    return reader_start(r, name, errp);
}

ReplayLogReader *replay_log_reader_open(const char *path, Error **errp)
{
    /* O_NONBLOCK: a FIFO without a writer is refused at once instead of waited for. */
    return replay_log_reader_open_fd(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), path, errp);
}

ReplayLogReader *replay_log_reader_open_memory(const uint8_t *data, size_t length,
                                               Error **errp)
{
    ReplayLogReader *r = g_new0(ReplayLogReader, 1);

    r->fd = -1;
    r->memory = data;
    r->size = length;
    return reader_start(r, "memory", errp);
}

ReplayLogReader *replay_log_reader_open_again(const ReplayLogReader *r, Error **errp)
{
    if (r->memory) {
        return replay_log_reader_open_memory(r->memory, r->size, errp);
    }
    return replay_log_reader_open_fd(fcntl(r->fd, F_DUPFD_CLOEXEC, 0), "being read", errp);
}

void replay_log_reader_free(ReplayLogReader *r)
{
    if (r->fd >= 0) {
        close(r->fd);
    }
    replay_packer_clear(&r->packer);
    g_free(r->json);
    g_free(r);
}

const char *replay_log_reader_json(const ReplayLogReader *r)
{
    return r->json;
}

unsigned replay_log_reader_format(const ReplayLogReader *r)
{
    return r->version;
}

const uint8_t *replay_log_reader_id(const ReplayLogReader *r)
{
    return r->id;
}

/* What a frame of each type has to agree with. NULL: it does. */
static const char *check_order(const ReplayLogReader *r, const ReplayFrame *f)
{
    bool indexed = r->index_offset != 0;

    if (f->sequence != r->sequence) {
        return "is out of sequence";
    }
    if (f->first_pos < r->last_pos) {
        return "goes back in position";
    }
    switch (f->magic) {
    case REPLAY_FRAME_RECORDS:
        return indexed || !f->count ? "has no place or no records here" : NULL;
    case REPLAY_FRAME_KEYFRAME:
    case REPLAY_FRAME_KEYFRAME_DATA:
        return indexed || f->count ? "is a keyframe that has no place here" : NULL;
    case REPLAY_FRAME_INDEX:
        return indexed || f->count ? "is a second index" : NULL;
    default:
        return indexed && f->raw_length == REPLAY_LOG_END_SIZE && !f->count ?
               NULL : "is not a valid end frame";
    }
}

/* The positions of a frame never decrease and fill it exactly. */
static bool check_records(ReplayLogReader *r, const ReplayFrame *f, const uint8_t *raw)
{
    uint64_t pos = f->first_pos;
    ReplayRecord rec;
    ByteReader in;

    byte_reader_init(&in, raw, f->raw_length);
    for (uint32_t i = 0; i < f->count; i++) {
        if (!replay_record_get(&in, &rec, pos)) {
            return false;
        }
        pos = rec.pos;
    }
    r->last_pos = pos;
    r->records += f->count;
    return byte_reader_left(&in) == 0;
}

static bool check_entries(const GArray *entries, const ReplayFrame *f)
{
    /* They ascend. */
    const ReplayIndexEntry *last = entries->len ?
        &g_array_index(entries, ReplayIndexEntry, entries->len - 1) : NULL;

    return !last || (last->sequence < f->sequence && last->offset < f->offset);
}

/* The index names frames before itself, in order. */
static bool check_index(ReplayLogReader *r, const ReplayFrame *f, const uint8_t *raw)
{
    ReplayIndex *index = replay_index_get(raw, f->raw_length);
    bool ok = index && check_entries(index->frames, f) && check_entries(index->keyframes, f);

    g_clear_pointer(&index, replay_index_free);
    r->index_offset = f->offset;
    return ok;
}

static ReplayLogEnd get_end(const uint8_t *raw)
{
    ReplayLogEnd end;
    ByteReader in;

    byte_reader_init(&in, raw, REPLAY_LOG_END_SIZE);
    end.index_offset = bytes_get_le64(&in);
    end.records = bytes_get_le64(&in);
    end.last_pos = bytes_get_le64(&in);
    return end;
}

static bool check_end(const ReplayLogReader *r, const uint8_t *raw)
{
    ReplayLogEnd end = get_end(raw);

    return end.index_offset == r->index_offset && end.records == r->records &&
           end.last_pos == r->last_pos && left(r) == 0;
}

static bool check_content(ReplayLogReader *r, const ReplayFrame *f, const uint8_t *raw)
{
    switch (f->magic) {
    case REPLAY_FRAME_RECORDS:
        return check_records(r, f, raw);
    case REPLAY_FRAME_INDEX:
        return check_index(r, f, raw);
    default:
        return check_end(r, raw);
    }
}

static bool damaged(const ReplayLogReader *r, uint64_t offset, const char *what, Error **errp)
{
    error_setg(errp, "frame %" PRIu32 " at offset %" PRIu64 " %s", r->sequence, offset, what);
    return false;
}

static bool is_keyframe(const ReplayFrame *f)
{
    return f->magic == REPLAY_FRAME_KEYFRAME || f->magic == REPLAY_FRAME_KEYFRAME_DATA;
}

/* One whole frame of any type; keyframes are not looked into. *status is set when there is none. */
static bool read_frame(ReplayLogReader *r, ReplayFrame *f, uint8_t **raw,
                       ReplayLogStatus *status, Error **errp)
{
    uint64_t offset = r->offset;
    uint8_t head[REPLAY_FRAME_HEADER];
    uint8_t *stored;
    const char *wrong;
    bool ok;

    *status = REPLAY_LOG_TRUNCATED;
    if (left(r) < sizeof(head)) {
        return false;
    }
    *status = REPLAY_LOG_DAMAGED;
    if (!read_bytes(r, head, sizeof(head), errp)) {
        return false;
    }
    if (!replay_frame_get_header(head, r->seed, f)) {
        return damaged(r, offset, "is damaged, or of another recording (wrong header CRC)", errp);
    }
    f->offset = offset;
    wrong = check_order(r, f);
    if (wrong) {
        return damaged(r, offset, wrong, errp);
    }
    if (left(r) < f->stored_length) {
        r->offset = offset;
        *status = REPLAY_LOG_TRUNCATED;
        return false;
    }
    if (is_keyframe(f)) {
        r->offset += f->stored_length;
        r->sequence++;
        return true;
    }
    stored = g_malloc(f->stored_length);
    ok = read_bytes(r, stored, f->stored_length, errp);
    *raw = ok ? replay_frame_unpack(f, &r->packer, r->seed, stored) : NULL;
    g_free(stored);
    if (!ok) {
        return false;
    }
    if (!*raw) {
        return damaged(r, offset, "is damaged (wrong data CRC)", errp);
    }
    if (!check_content(r, f, *raw)) {
        g_free(*raw);
        *raw = NULL;
        return damaged(r, offset, "has malformed content", errp);
    }
    r->sequence++;
    return true;
}

ReplayLogStatus replay_log_reader_next(ReplayLogReader *r, ReplayFrame *frame, uint8_t **raw,
                                       Error **errp)
{
    ReplayLogStatus status;

    *raw = NULL;
    while (read_frame(r, frame, raw, &status, errp)) {
        if (frame->magic == REPLAY_FRAME_RECORDS) {
            return REPLAY_LOG_FRAME;
        }
        g_clear_pointer(raw, g_free);
        if (frame->magic == REPLAY_FRAME_END) {
            return REPLAY_LOG_FINISHED;
        }
    }
    return status;
}

/* ---- going to a place ---- */

void replay_log_reader_go(ReplayLogReader *r, const ReplayIndexEntry *place)
{
    r->offset = MIN(place->offset, r->size);
    r->sequence = place->sequence;
    r->last_pos = place->first_pos;
    r->records = place->first_record;
    r->index_offset = 0;
}

uint8_t *replay_log_reader_frame_at(ReplayLogReader *r, uint64_t offset, uint32_t magic,
                                    ReplayFrame *f)
{
    uint64_t back = r->offset;
    uint8_t head[REPLAY_FRAME_HEADER];
    g_autofree uint8_t *stored = NULL;
    uint8_t *raw = NULL;

    r->offset = MIN(offset, r->size);
    if (left(r) >= sizeof(head) && read_bytes(r, head, sizeof(head), NULL) &&
        replay_frame_get_header(head, r->seed, f) && f->magic == magic &&
        left(r) >= f->stored_length) {
        f->offset = offset;
        stored = g_malloc(f->stored_length);
        raw = read_bytes(r, stored, f->stored_length, NULL) ?
              replay_frame_unpack(f, &r->packer, r->seed, stored) : NULL;
    }
    r->offset = back;
    return raw;
}

/* The end frame is not compressed: it would not get smaller. */
static bool read_end(ReplayLogReader *r, ReplayLogEnd *end)
{
    uint64_t end_size = REPLAY_FRAME_HEADER + REPLAY_LOG_END_SIZE;
    g_autofree uint8_t *raw = NULL;
    ReplayFrame f;

    if (r->size >= end_size) {
        raw = replay_log_reader_frame_at(r, r->size - end_size, REPLAY_FRAME_END, &f);
    }
    if (!raw || f.raw_length != REPLAY_LOG_END_SIZE) {
        return false;
    }
    end->index_offset = load_le(raw, 8);
    end->records = load_le(raw + 8, 8);
    end->last_pos = load_le(raw + 16, 8);
    return true;
}

static ReplayIndex *read_index(ReplayLogReader *r)
{
    g_autofree uint8_t *raw = NULL;
    ReplayLogEnd end;
    ReplayFrame f;

    if (!read_end(r, &end)) {
        return NULL;
    }
    raw = replay_log_reader_frame_at(r, end.index_offset, REPLAY_FRAME_INDEX, &f);
    return raw ? replay_index_get(raw, f.raw_length) : NULL;
}

GArray *replay_log_reader_index(ReplayLogReader *r)
{
    ReplayIndex *index = read_index(r);
    GArray *frames = index ? g_array_ref(index->frames) : NULL;

    g_clear_pointer(&index, replay_index_free);
    return frames;
}

/* From header to header. */
static GArray *scan_keyframes(ReplayLogReader *r)
{
    GArray *keyframes = g_array_new(false, false, sizeof(ReplayIndexEntry));
    ReplayIndexEntry e = { .offset = REPLAY_LOG_FILE_HEADER + strlen(r->json) };
    uint64_t back = r->offset;
    uint8_t head[REPLAY_FRAME_HEADER];
    ReplayFrame f;

    for (;; e.sequence++) {
        r->offset = MIN(e.offset, r->size);
        if (left(r) < sizeof(head) || !read_bytes(r, head, sizeof(head), NULL) ||
            !replay_frame_get_header(head, r->seed, &f) || f.sequence != e.sequence ||
            f.first_pos < e.first_pos || left(r) < f.stored_length) {
            break;
        }
        e.first_pos = f.first_pos;
        if (f.magic == REPLAY_FRAME_KEYFRAME && keyframes->len < REPLAY_INDEX_MAX) {
            g_array_append_val(keyframes, e);
        }
        e.first_record += f.count;
        e.offset += REPLAY_FRAME_HEADER + f.stored_length;
    }
    r->offset = back;
    return keyframes;
}

GArray *replay_log_reader_keyframes(ReplayLogReader *r)
{
    ReplayIndex *index;
    GArray *keyframes;

    if (r->version < REPLAY_LOG_KEYFRAMES) {
        return g_array_new(false, false, sizeof(ReplayIndexEntry));
    }
    index = read_index(r);
    keyframes = index ? g_array_ref(index->keyframes) : scan_keyframes(r);
    g_clear_pointer(&index, replay_index_free);
    return keyframes;
}

uint64_t replay_log_reader_last_pos(const ReplayLogReader *r)
{
    ReplayLogReader *all = replay_log_reader_open_again(r, NULL);
    ReplayLogEnd end = { 0 };
    ReplayFrame frame;
    uint8_t *raw;

    if (!all) {
        return 0;
    }
    if (!read_end(all, &end)) {
        while (replay_log_reader_next(all, &frame, &raw, NULL) == REPLAY_LOG_FRAME) {
            g_free(raw);
        }
        end.last_pos = all->last_pos;
    }
    replay_log_reader_free(all);
    return end.last_pos;
}
