/*
 * A file of saved machines, each under a name of its own. What a machine's state is made of is the
 * caller's business.
 *
 * 1. A file is never changed in place: a new one is written beside it and then takes its name. So
 *    neither a full disk nor a kill loses what was there.
 * 2. It is untrusted input: lengths, checksums and order are checked, and nothing is allocated for
 *    a length that the file does not have.
 *
 * The format (version 1, little-endian): "REARMSNP", u32 version; then frames. A frame is u32 type,
 * u32 length, u32 stored length, u32 CRC32C of the stored data, u32 CRC32C of these 16 bytes, and the
 * data: one zstd frame, or, when the lengths are equal, as it is. For each machine there is a frame
 * of type SNAPSHOT_FRAME_HEAD, and then its state in frames of type SNAPSHOT_FRAME_DATA.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_SNAPSHOT_FILE_H
#define MIGRATION_SNAPSHOT_FILE_H

#include <glib.h>
#include "util/error.h"

#define SNAPSHOT_FILE_MAGIC "REARMSNP"
#define SNAPSHOT_FILE_VERSION 1
#define SNAPSHOT_FRAME_HEAD 0x44414548u     /* "HEAD" */
#define SNAPSHOT_FRAME_DATA 0x41544144u     /* "DATA" */

#define SNAPSHOT_NAME_MAX 128
#define SNAPSHOT_DESCRIPTION_MAX (1u << 20)
#define SNAPSHOT_STATE_MAX UINT32_MAX

typedef struct SavedMachine {
    char *name;
    char *description;        /* text that tells whether it fits another machine */
    int64_t date_ns;          /* when it was saved, since 1970 */
    int64_t time_ns;          /* virtual */
    uint64_t icount, position;
    uint64_t bytes;           /* of its state */
} SavedMachine;

void saved_machine_free(SavedMachine *m);

/*
 * What there is, in the order in which it was saved: a GPtrArray of SavedMachine. A file that is
 * not there has nothing in it.
 */
GPtrArray *snapshot_file_list(const char *path, Error **errp);
/* Add one, in place of an older one of that name; m->bytes of state. */
bool snapshot_file_add(const char *path, const SavedMachine *m, const uint8_t *state, Error **errp);
/* The last one that is removed takes the file with it. */
bool snapshot_file_remove(const char *path, const char *name, Error **errp);
/* The state of one, and in *m (if not NULL) the rest; NULL on failure. */
GByteArray *snapshot_file_read(const char *path, const char *name, SavedMachine **m, Error **errp);

/*
 * One machine as a stream, through a pipe or socket: the bytes of a file that has nothing else.
 *
 * Writing: all of it goes to `write` in pieces; `done` is how much of the state is in those so far.
 * Reading takes what belongs to the machine from `read`, which is to give all of `length` bytes. A
 * state of more than `max` bytes is refused before it is read; `what` names the stream in messages.
 */
typedef bool SnapshotWriteFn(void *opaque, const uint8_t *data, size_t length, uint64_t done,
                             Error **errp);
typedef bool SnapshotReadFn(void *opaque, void *data, size_t length, Error **errp);

bool snapshot_stream_write(const SavedMachine *m, const uint8_t *state, SnapshotWriteFn *write,
                           void *opaque, Error **errp);
GByteArray *snapshot_stream_read(const char *what, uint64_t max, SnapshotReadFn *read, void *opaque,
                                 SavedMachine **m, Error **errp);

/* For tests. */
void snapshot_file_put_start(GByteArray *out);
void snapshot_file_put_head(GByteArray *out, const SavedMachine *m);
/* 1 to SNAPSHOT_FRAME_MAX bytes. */
#define SNAPSHOT_FRAME_MAX (4u << 20)
void snapshot_file_put_frame(GByteArray *out, uint32_t type, const uint8_t *raw, size_t length);

#endif
