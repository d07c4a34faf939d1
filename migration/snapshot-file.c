/*
 * A file of saved machines; include/migration/snapshot-file.h has the format.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>
#include "migration/snapshot-file.h"
#include "util/bytes.h"
#include "util/crc32c.h"

#define FILE_HEADER 12
#define FRAME_HEADER 20
#define LEVEL 1
/* Bytes that are copied at once. */
#define COPY_BYTES (1u << 20)

void saved_machine_free(SavedMachine *m)
{
    g_free(m->name);
    g_free(m->description);
    g_free(m);
}

/* ---- frames ---- */

typedef struct Frame {
    uint32_t type, length, stored, crc;
} Frame;

void snapshot_file_put_start(GByteArray *out)
{
    bytes_put_data(out, SNAPSHOT_FILE_MAGIC, strlen(SNAPSHOT_FILE_MAGIC));
    bytes_put_le32(out, SNAPSHOT_FILE_VERSION);
}

void snapshot_file_put_frame(GByteArray *out, uint32_t type, const uint8_t *raw, size_t length)
{
    size_t bound = ZSTD_compressBound(length);
    g_autofree uint8_t *packed = g_malloc(bound);
    size_t stored = ZSTD_compress(packed, bound, raw, length, LEVEL);
    guint start = out->len;

    assert(length && length <= SNAPSHOT_FRAME_MAX && !ZSTD_isError(stored));
    if (stored >= length) {
        memcpy(packed, raw, length);
        stored = length;
    }
    bytes_put_le32(out, type);
    bytes_put_le32(out, (uint32_t)length);
    bytes_put_le32(out, (uint32_t)stored);
    bytes_put_le32(out, crc32c(0, packed, stored));
    bytes_put_le32(out, crc32c(0, out->data + start, FRAME_HEADER - 4));
    bytes_put_data(out, packed, stored);
}

void snapshot_file_put_head(GByteArray *out, const SavedMachine *m)
{
    GByteArray *raw = g_byte_array_new();

    bytes_put_block(raw, m->name, strlen(m->name));
    bytes_put_block(raw, m->description, strlen(m->description));
    bytes_put_svarint(raw, m->date_ns);
    bytes_put_svarint(raw, m->time_ns);
    bytes_put_varint(raw, m->icount);
    bytes_put_varint(raw, m->position);
    bytes_put_varint(raw, m->bytes);
    snapshot_file_put_frame(out, SNAPSHOT_FRAME_HEAD, raw->data, raw->len);
    g_byte_array_unref(raw);
}

/* ---- reading ---- */

typedef struct Reader {
    const char *path;
    int fd;
    uint64_t size, offset;
    SnapshotReadFn *stream;   /* NULL: it is a file */
    void *opaque;
} Reader;

static bool damaged(const Reader *r, const char *what, Error **errp)
{
    error_setg(errp, "the %s '%s' is damaged at offset %" PRIu64 ": %s",
               r->stream ? "state from" : "snapshot file", r->path, r->offset, what);
    return false;
}

static bool read_bytes(Reader *r, void *out, size_t length, Error **errp)
{
    if (r->size - r->offset < length) {
        return damaged(r, "it is cut off", errp);
    }
    if (r->stream) {
        r->offset += length;
        return r->stream(r->opaque, out, length, errp);
    }
    for (size_t done = 0; done < length; ) {
        ssize_t n = pread(r->fd, (uint8_t *)out + done, length - done, (off_t)(r->offset + done));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            error_setg_errno(errp, n < 0 ? errno : EIO, "cannot read the snapshot file '%s'",
                             r->path);
            return false;
        }
        done += (size_t)n;
    }
    r->offset += length;
    return true;
}

static bool read_start(Reader *r, Error **errp)
{
    uint8_t head[FILE_HEADER];

    if (r->stream && !read_bytes(r, head, sizeof(head), errp)) {
        return false;
    }
    if (!r->stream && (r->size < sizeof(head) || !read_bytes(r, head, sizeof(head), NULL))) {
        memset(head, 0, sizeof(head));
    }
    if (memcmp(head, SNAPSHOT_FILE_MAGIC, strlen(SNAPSHOT_FILE_MAGIC)) != 0) {
        error_setg(errp, "'%s' is not %s (no %s at its start)%s", r->path,
                   r->stream ? "the state of a machine" : "a snapshot file", SNAPSHOT_FILE_MAGIC,
                   r->stream ? "" : ": give -snapshot-file another one");
        return false;
    }
    if (load_le(head + 8, 4) != SNAPSHOT_FILE_VERSION) {
        error_setg(errp, "the %s '%s' has format %u, this program reads format %d: use "
                   "it with the program that wrote it", r->stream ? "state from" : "snapshot file",
                   r->path, (unsigned)load_le(head + 8, 4), SNAPSHOT_FILE_VERSION);
        return false;
    }
    return true;
}

/* *exists false: there is no file, which is no error. */
static bool reader_open(Reader *r, const char *path, bool *exists, Error **errp)
{
    struct stat st;

    *r = (Reader){ .path = path, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) };
    *exists = r->fd >= 0;
    if (r->fd < 0 && errno == ENOENT) {
        return true;
    }
    if (r->fd < 0 || fstat(r->fd, &st) < 0) {
        error_setg_errno(errp, errno, "cannot open the snapshot file '%s'", path);
    } else if (!S_ISREG(st.st_mode)) {
        error_setg(errp, "the snapshot file '%s' is not a regular file", path);
    } else {
        r->size = (uint64_t)st.st_size;
        if (read_start(r, errp)) {
            return true;
        }
    }
    if (r->fd >= 0) {
        close(r->fd);
    }
    return false;
}

static bool read_frame_header(Reader *r, uint32_t type, Frame *f, Error **errp)
{
    uint8_t head[FRAME_HEADER];
    uint64_t start = r->offset;

    if (!read_bytes(r, head, sizeof(head), errp)) {
        return false;
    }
    f->type = (uint32_t)load_le(head, 4);
    f->length = (uint32_t)load_le(head + 4, 4);
    f->stored = (uint32_t)load_le(head + 8, 4);
    f->crc = (uint32_t)load_le(head + 12, 4);
    if (load_le(head + 16, 4) != crc32c(0, head, FRAME_HEADER - 4)) {
        r->offset = start;
        return damaged(r, "wrong checksum of a frame's header", errp);
    }
    if (f->type != type || !f->stored || f->stored > f->length || f->length > SNAPSHOT_FRAME_MAX) {
        r->offset = start;
        return damaged(r, "a frame that makes no sense here", errp);
    }
    if (f->stored > r->size - r->offset) {
        return damaged(r, "it is cut off", errp);
    }
    return true;
}

static bool unpack(const Frame *f, const uint8_t *stored, uint8_t *out)
{
    size_t n;

    if (crc32c(0, stored, f->stored) != f->crc) {
        return false;
    }
    if (f->stored == f->length) {
        memcpy(out, stored, f->length);
        return true;
    }
    n = ZSTD_decompress(out, f->length, stored, f->stored);
    return !ZSTD_isError(n) && n == f->length;
}

/* The data of the frame whose header was read, appended. */
static bool read_frame(Reader *r, const Frame *f, GByteArray *out, Error **errp)
{
    g_autofree uint8_t *stored = g_malloc(f->stored);
    guint start = out->len;

    if (!read_bytes(r, stored, f->stored, errp)) {
        return false;
    }
    g_byte_array_set_size(out, start + f->length);
    return unpack(f, stored, out->data + start) ||
           damaged(r, "wrong checksum of a frame's data", errp);
}

static char *get_text(ByteReader *in, size_t max)
{
    size_t length;
    const uint8_t *data = bytes_get_block(in, max, &length);

    in->failed |= data && memchr(data, 0, length);
    return in->failed ? NULL : g_strndup((const char *)data, length);
}

static SavedMachine *parse_head(const GByteArray *raw)
{
    SavedMachine *m = g_new0(SavedMachine, 1);
    ByteReader in;

    byte_reader_init(&in, raw->data, raw->len);
    m->name = get_text(&in, SNAPSHOT_NAME_MAX);
    m->description = get_text(&in, SNAPSHOT_DESCRIPTION_MAX);
    m->date_ns = bytes_get_svarint(&in);
    m->time_ns = bytes_get_svarint(&in);
    m->icount = bytes_get_varint(&in);
    m->position = bytes_get_varint(&in);
    m->bytes = bytes_get_varint(&in);
    if (in.failed || byte_reader_left(&in) || !*m->name || !m->bytes ||
        m->bytes > SNAPSHOT_STATE_MAX) {
        g_clear_pointer(&m, saved_machine_free);
    }
    return m;
}

/* The next one; NULL without an error: there is none. */
static SavedMachine *read_head(Reader *r, Error **errp)
{
    GByteArray *raw = g_byte_array_new();
    SavedMachine *m = NULL;
    Frame f;

    if (r->offset < r->size && read_frame_header(r, SNAPSHOT_FRAME_HEAD, &f, errp) &&
        read_frame(r, &f, raw, errp)) {
        m = parse_head(raw);
        if (!m) {
            damaged(r, "a head that makes no sense", errp);
        }
    }
    g_byte_array_unref(raw);
    return m;
}

/* The state of the one whose head was read, into `out`, or, if that is NULL, stepped over. */
static bool read_state(Reader *r, const SavedMachine *m, GByteArray *out, Error **errp)
{
    Frame f;

    for (uint64_t done = 0; done < m->bytes; done += f.length) {
        if (!read_frame_header(r, SNAPSHOT_FRAME_DATA, &f, errp)) {
            return false;
        }
        if (f.length > m->bytes - done) {
            return damaged(r, "more data than its head says", errp);
        }
        if (!out) {
            r->offset += f.stored;
        } else if (!read_frame(r, &f, out, errp)) {
            return false;
        }
    }
    return true;
}

/*
 * fn gets each one, which is fn's from then on, where it begins, and the reader behind its head; until it
 * returns false.
 */
typedef bool VisitFn(void *opaque, Reader *r, SavedMachine *m, uint64_t start, Error **errp);

static bool visit(const char *path, VisitFn *fn, void *opaque, Error **errp)
{
    Error *err = NULL;
    SavedMachine *m;
    bool exists;
    uint64_t start;
    Reader r;

    if (!reader_open(&r, path, &exists, errp)) {
        return false;
    }
    if (!exists) {
        return true;
    }
    while (!err) {
        start = r.offset;
        m = read_head(&r, &err);
        if (!m || !fn(opaque, &r, m, start, &err)) {
            break;
        }
    }
    close(r.fd);
    if (err) {
        error_propagate(errp, err);
        return false;
    }
    return true;
}

static bool list_one(void *opaque, Reader *r, SavedMachine *m, uint64_t start, Error **errp)
{
    g_ptr_array_add(opaque, m);
    return read_state(r, m, NULL, errp);
}

GPtrArray *snapshot_file_list(const char *path, Error **errp)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)saved_machine_free);

    if (!visit(path, list_one, list, errp)) {
        g_clear_pointer(&list, g_ptr_array_unref);
    }
    return list;
}

typedef struct Wanted {
    const char *name;
    SavedMachine *m;
    GByteArray *state;
} Wanted;

static bool read_wanted(void *opaque, Reader *r, SavedMachine *m, uint64_t start, Error **errp)
{
    Wanted *w = opaque;

    if (strcmp(m->name, w->name)) {
        bool ok = read_state(r, m, NULL, errp);

        saved_machine_free(m);
        return ok;
    }
    w->m = m;
    w->state = g_byte_array_new();
    read_state(r, m, w->state, errp);
    return false;
}

static bool not_there(const char *path, const char *name, Error **errp)
{
    error_setg(errp, "there is no snapshot '%s' in '%s'", name, path);
    return false;
}

GByteArray *snapshot_file_read(const char *path, const char *name, SavedMachine **m, Error **errp)
{
    Wanted w = { .name = name };
    bool ok = visit(path, read_wanted, &w, errp) && (w.m || not_there(path, name, errp));

    if (!ok) {
        g_clear_pointer(&w.state, g_byte_array_unref);
    }
    if (ok && m) {
        *m = g_steal_pointer(&w.m);
    }
    g_clear_pointer(&w.m, saved_machine_free);
    return w.state;
}

/* ---- streams ---- */

static GByteArray *read_stream(Reader *r, uint64_t max, SavedMachine **m, Error **errp)
{
    GByteArray *state;

    if (!read_start(r, errp)) {
        return NULL;
    }
    *m = read_head(r, errp);
    if (!*m) {
        return NULL;
    }
    if ((*m)->bytes > max) {
        error_setg(errp, "the state from '%s' has %" PRIu64 " bytes, more than this machine's can have "
                   "(%" PRIu64 ")", r->path, (*m)->bytes, max);
        return NULL;
    }
    state = g_byte_array_new();
    if (!read_state(r, *m, state, errp)) {
        g_clear_pointer(&state, g_byte_array_unref);
    }
    return state;
}

GByteArray *snapshot_stream_read(const char *what, uint64_t max, SnapshotReadFn *read, void *opaque,
                                 SavedMachine **m, Error **errp)
{
    Reader r = { .path = what, .fd = -1, .size = UINT64_MAX, .stream = read, .opaque = opaque };
    GByteArray *state;

    *m = NULL;
    state = read_stream(&r, max, m, errp);
    if (!state) {
        g_clear_pointer(m, saved_machine_free);
    }
    return state;
}

static bool check_saved(const SavedMachine *m, Error **errp)
{
    size_t length = strlen(m->name);

    assert(m->bytes && m->bytes <= SNAPSHOT_STATE_MAX);
    if (strlen(m->description) > SNAPSHOT_DESCRIPTION_MAX) {
        error_setg(errp, "the machine's description is too long to save (%zu bytes)",
                   strlen(m->description));
        return false;
    }
    if (!length || length > SNAPSHOT_NAME_MAX) {
        error_setg(errp, "'%s' cannot be the name of a snapshot: expected 1 to %d bytes", m->name,
                   SNAPSHOT_NAME_MAX);
        return false;
    }
    return true;
}

/* What is in `bytes`, which is empty then. */
static bool put(GByteArray *bytes, uint64_t done, SnapshotWriteFn *write, void *opaque,
                Error **errp)
{
    bool ok = write(opaque, bytes->data, bytes->len, done, errp);

    g_byte_array_set_size(bytes, 0);
    return ok;
}

/* The head, behind what is in `bytes`, and the state. */
static bool put_machine(GByteArray *bytes, const SavedMachine *m, const uint8_t *state,
                        SnapshotWriteFn *write, void *opaque, Error **errp)
{
    bool ok;

    snapshot_file_put_head(bytes, m);
    ok = put(bytes, 0, write, opaque, errp);
    for (uint64_t done = 0; ok && done < m->bytes; ) {
        size_t length = (size_t)MIN(m->bytes - done, SNAPSHOT_FRAME_MAX);

        snapshot_file_put_frame(bytes, SNAPSHOT_FRAME_DATA, state + done, length);
        done += length;
        ok = put(bytes, done, write, opaque, errp);
    }
    return ok;
}

bool snapshot_stream_write(const SavedMachine *m, const uint8_t *state, SnapshotWriteFn *write,
                           void *opaque, Error **errp)
{
    GByteArray *bytes;
    bool ok;

    if (!check_saved(m, errp)) {
        return false;
    }
    bytes = g_byte_array_new();
    snapshot_file_put_start(bytes);
    ok = put_machine(bytes, m, state, write, opaque, errp);
    g_byte_array_unref(bytes);
    return ok;
}

/* ---- writing ---- */

typedef struct Writer {
    const char *without;      /* a name */
    char *real, *temporary;
    int fd;
    unsigned kept, left_out;
} Writer;

static bool write_bytes(const Writer *w, const uint8_t *data, size_t length, Error **errp)
{
    while (length) {
        ssize_t n = write(w->fd, data, length);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            error_setg_errno(errp, n < 0 ? errno : EIO, "cannot write the snapshot file '%s'",
                             w->temporary);
            return false;
        }
        data += n;
        length -= (size_t)n;
    }
    return true;
}

/* From `start` to where the reader is. */
static bool copy(const Writer *w, Reader *r, uint64_t start, Error **errp)
{
    g_autofree uint8_t *buffer = g_malloc(COPY_BYTES);
    uint64_t end = r->offset;

    for (r->offset = start; r->offset < end; ) {
        size_t length = (size_t)MIN(end - r->offset, COPY_BYTES);

        if (!read_bytes(r, buffer, length, errp) || !write_bytes(w, buffer, length, errp)) {
            return false;
        }
    }
    return true;
}

static bool copy_one(void *opaque, Reader *r, SavedMachine *m, uint64_t start, Error **errp)
{
    Writer *w = opaque;
    bool leave_out = !strcmp(m->name, w->without);
    bool ok = read_state(r, m, NULL, errp) && (leave_out || copy(w, r, start, errp));

    w->kept += !leave_out;
    w->left_out += leave_out;
    saved_machine_free(m);
    return ok;
}

static bool write_piece(void *opaque, const uint8_t *data, size_t length, uint64_t done,
                        Error **errp)
{
    return write_bytes(opaque, data, length, errp);
}

static bool write_one(Writer *w, const SavedMachine *m, const uint8_t *state, Error **errp)
{
    GByteArray *bytes = g_byte_array_new();
    bool ok = put_machine(bytes, m, state, write_piece, w, errp);

    g_byte_array_unref(bytes);
    return ok;
}

static bool writer_open(Writer *w, const char *path, const char *without, Error **errp)
{
    char *real = realpath(path, NULL);
    GByteArray *start = g_byte_array_new();
    bool ok;

    *w = (Writer){ .without = without, .real = g_strdup(real ? real : path) };
    free(real);
    w->temporary = g_strdup_printf("%s.%d.tmp", w->real, (int)getpid());
    w->fd = open(w->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (w->fd < 0) {
        error_setg_errno(errp, errno, "cannot create '%s'", w->temporary);
    }
    snapshot_file_put_start(start);
    ok = w->fd >= 0 && write_bytes(w, start->data, start->len, errp);
    g_byte_array_unref(start);
    return ok;
}

/* Give the file its name, or remove it. */
static bool writer_close(Writer *w, bool ok, Error **errp)
{
    if (ok && fsync(w->fd) < 0) {
        error_setg_errno(errp, errno, "cannot write the snapshot file '%s'", w->temporary);
        ok = false;
    }
    if (ok && rename(w->temporary, w->real) < 0) {
        error_setg_errno(errp, errno, "cannot write the snapshot file '%s'", w->real);
        ok = false;
    }
    if (w->fd >= 0) {
        close(w->fd);
        if (!ok) {
            unlink(w->temporary);
        }
    }
    g_free(w->real);
    g_free(w->temporary);
    return ok;
}

bool snapshot_file_add(const char *path, const SavedMachine *m, const uint8_t *state, Error **errp)
{
    bool ok;
    Writer w;

    if (!check_saved(m, errp)) {
        return false;
    }
    ok = writer_open(&w, path, m->name, errp) && visit(path, copy_one, &w, errp) &&
         write_one(&w, m, state, errp);
    return writer_close(&w, ok, errp);
}

bool snapshot_file_remove(const char *path, const char *name, Error **errp)
{
    bool ok;
    Writer w;

    ok = writer_open(&w, path, name, errp) && visit(path, copy_one, &w, errp) &&
         (w.left_out || not_there(path, name, errp));
    if (ok && !w.kept && unlink(w.real) < 0) {
        error_setg_errno(errp, errno, "cannot remove the snapshot file '%s'", w.real);
        ok = false;
    }
    if (ok && !w.kept) {
        writer_close(&w, false, NULL);
        return true;
    }
    return writer_close(&w, ok, errp);
}
