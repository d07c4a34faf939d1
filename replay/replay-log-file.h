/*
 * The file that a recording is written to. A recording of an hour ago may be the only copy
 * of a failure, and a second recorder may have been started by mistake, so:
 *
 * 1. A regular file is locked (flock) while it is written. A second recorder is refused.
 * 2. What is in the file already is kept, under the same name with ".old" behind it,
 *    unless the caller says that it may be overwritten.
 * 3. Anything else (a FIFO, /dev/null) is written as it is.
 * 4. A recording in memory is a file without a name. Everything else is the same.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REPLAY_REPLAY_LOG_FILE_H
#define REPLAY_REPLAY_LOG_FILE_H

#include <sys/stat.h>
#include "util/error.h"

typedef struct ReplayLogFile {
    int fd;                   /* -1: closed */
    char *path;               /* as given; in memory: REPLAY_LOG_IN_MEMORY */
    char *real;               /* the same, or what it links to */
    char *old;                /* where the file that was there is now, or NULL */
    bool regular;
    bool memory;
} ReplayLogFile;

/* Open `path` for writing, empty. Errors name the path and the way out. */
bool replay_log_file_create(ReplayLogFile *f, const char *path, bool overwrite, Error **errp);
/* The same without a name: it is gone when the last descriptor is closed. */
bool replay_log_file_create_memory(ReplayLogFile *f, Error **errp);
/* The path, or what it links to. Free with g_free. */
char *replay_log_file_follow(const char *path);
/*
 * Open a recording to read it, and keep recorders away from it until the descriptor is closed; -1:
 * it is being recorded, or cannot be opened. *opened tells replay_log_file_replace() which file it
 * was.
 */
int replay_log_file_open_shared(const char *real, struct stat *opened, Error **errp);
/*
 * The file that was written takes the name `real` of the one that was opened, which becomes
 * REAL.old. In between the name is always there. Fails, too, when somebody gave the name to another
 * file. Then it is what it was.
 */
bool replay_log_file_replace(ReplayLogFile *f, const char *real, const struct stat *opened,
                             Error **errp);
/*
 * Another descriptor of the same file, for pread() of what was written; the caller's. -1 when it
 * cannot be read back: no regular file, or somebody moved or removed it.
 */
int replay_log_file_open_again(const ReplayLogFile *f, Error **errp);
/* Close it, which unlocks it. Idempotent. */
void replay_log_file_close(ReplayLogFile *f);
/* Close it and undo its creation: it is removed, and the old file gets its name back. */
void replay_log_file_discard(ReplayLogFile *f);
/* Close it and free the strings. */
void replay_log_file_clear(ReplayLogFile *f);

#endif
