/*
 * Fuzz target: the reader of snapshot files and of streams that migration takes. The first byte of the input says what the rest is:
 *   0  a whole file, as it is
 *   1  a head, put into a file with valid checksums, and so much data
 *   2  frames of a type byte, a length and so many bytes, with valid checksums
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <sys/mman.h>
#include <unistd.h>
#include "tests/fuzz/fuzz.h"
#include "migration/snapshot-file.h"
#include "util/bytes.h"

enum { WHOLE_FILE, HEAD, FRAMES, NUM_FORMS };

static bool read_input(void *opaque, void *data, size_t length, Error **errp)
{
    ByteReader *in = opaque;
    const uint8_t *bytes = bytes_get_data(in, length);

    if (!bytes) {
        error_setg(errp, "it is over");
        return false;
    }
    memcpy(data, bytes, length);
    return true;
}

/* The same as a stream, of which a machine takes no more than it can have. */
#define STREAM_MAX (64u << 20)

static void walk_stream(const uint8_t *data, size_t size)
{
    SavedMachine *m;
    GByteArray *state;
    ByteReader in;

    byte_reader_init(&in, data, size);
    state = snapshot_stream_read("fuzz", STREAM_MAX, read_input, &in, &m, NULL);
    assert(!state == !m);
    if (state) {
        assert(state->len == m->bytes && state->len <= STREAM_MAX);
        g_byte_array_unref(state);
        saved_machine_free(m);
    }
}

/* All that the program does with a file. */
static void walk(const uint8_t *data, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    GPtrArray *list;

    if (write(fd, data, size) != (ssize_t)size) {
        abort();
    }
    list = snapshot_file_list(path, NULL);
    for (guint i = 0; list && i < list->len; i++) {
        const SavedMachine *m = g_ptr_array_index(list, i);
        GByteArray *state = snapshot_file_read(path, m->name, NULL, NULL);

        if (state) {
            assert(state->len > 0);
            g_byte_array_unref(state);
        }
    }
    if (list) {
        g_ptr_array_unref(list);
    }
    close(fd);
}

static void put_frames(GByteArray *out, const uint8_t *data, size_t size)
{
    ByteReader in;

    byte_reader_init(&in, data, size);
    while (!in.failed && byte_reader_left(&in)) {
        uint32_t type = bytes_get_u8(&in) & 1 ? SNAPSHOT_FRAME_HEAD : SNAPSHOT_FRAME_DATA;
        size_t length;
        const uint8_t *raw = bytes_get_block(&in, SNAPSHOT_FRAME_MAX, &length);

        if (raw && length) {
            snapshot_file_put_frame(out, type, raw, length);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GByteArray *file;

    if (size < 2) {
        return 0;
    }
    file = g_byte_array_new();
    snapshot_file_put_start(file);
    switch (data[0] % NUM_FORMS) {
    case WHOLE_FILE:
        g_byte_array_set_size(file, 0);
        g_byte_array_append(file, data + 1, (guint)size - 1);
        break;
    case HEAD:
        snapshot_file_put_frame(file, SNAPSHOT_FRAME_HEAD, data + 1, size - 1);
        snapshot_file_put_frame(file, SNAPSHOT_FRAME_DATA, data, MIN(size, 100));
        break;
    default:
        put_frames(file, data + 1, size - 1);
        break;
    }
    walk(file->data, file->len);
    walk_stream(file->data, file->len);
    g_byte_array_unref(file);
    return 0;
}

/* ---- seeds ---- */

/* A head's data: a name, a description, four numbers and a length. */
static GByteArray *head(uint64_t bytes)
{
    GByteArray *out = g_byte_array_new();

    bytes_put_block(out, "boot", 4);
    bytes_put_block(out, "{}", 2);
    for (unsigned i = 0; i < 4; i++) {
        bytes_put_varint(out, 1000 + i);
    }
    bytes_put_varint(out, bytes);
    return out;
}

static void put_part(GByteArray *out, uint8_t type, const GByteArray *raw)
{
    bytes_put_u8(out, type);
    bytes_put_block(out, raw->data, raw->len);
}

GByteArray *fuzz_seed(unsigned n)
{
    GByteArray *out = g_byte_array_new(), *raw = head(n == HEAD ? 100 : 40), *data;
    const SavedMachine m = { .name = (char *)"boot", .description = (char *)"{}", .bytes = 40 };

    if (n >= NUM_FORMS) {
        g_byte_array_unref(raw);
        g_byte_array_unref(out);
        return NULL;
    }
    bytes_put_u8(out, (uint8_t)n);
    data = g_byte_array_new();
    g_byte_array_set_size(data, 40);
    memset(data->data, 'x', 40);
    switch (n) {
    case WHOLE_FILE:
        snapshot_file_put_start(out);
        snapshot_file_put_head(out, &m);
        snapshot_file_put_frame(out, SNAPSHOT_FRAME_DATA, data->data, 30);
        snapshot_file_put_frame(out, SNAPSHOT_FRAME_DATA, data->data, 10);
        break;
    case HEAD:
        g_byte_array_append(out, raw->data, raw->len);
        break;
    default:
        put_part(out, 1, raw);
        put_part(out, 0, data);
        put_part(out, 1, raw);
        put_part(out, 0, data);
        break;
    }
    g_byte_array_unref(raw);
    g_byte_array_unref(data);
    return out;
}
