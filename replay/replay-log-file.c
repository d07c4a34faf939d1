/*
 * The file that a recording is written to: locked, and never in place of another one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>
#include "replay/replay-log-file.h"
#include "replay/replay-log.h"

typedef enum Step { STEP_DONE, STEP_AGAIN, STEP_FAILED } Step;

/* File systems without locks exist; there, frames of two recorders differ in their CRCs. */
static bool lock_file(int fd, const char *path, Error **errp)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
        return true;
    }
    error_setg(errp, "'%s' is being written by another recorder: let that one end, or give "
               "this one another file", path);
    return false;
}

/* The name still belongs to this file: nobody renamed it between open and lock. */
static bool is_current(const char *real, const struct stat *opened)
{
    struct stat now;

    return stat(real, &now) == 0 && now.st_dev == opened->st_dev &&
           now.st_ino == opened->st_ino;
}

static Step keep_old(ReplayLogFile *f, Error **errp)
{
    g_free(f->old);
    f->old = g_strconcat(f->real, ".old", NULL);
    if (rename(f->real, f->old) < 0) {
        error_setg_errno(errp, errno, "cannot keep '%s' as '%s' (give the recording another "
                         "name, or rroverwrite=on)", f->path, f->old);
        g_clear_pointer(&f->old, g_free);
        return STEP_FAILED;
    }
    return STEP_AGAIN;
}

/* Open what has the name now. STEP_AGAIN: that was moved away; open again. */
static Step open_step(ReplayLogFile *f, bool overwrite, Error **errp)
{
    struct stat st;

    /* A FIFO that nobody reads fails with ENXIO instead of blocking the program. */
    f->fd = open(f->real, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (f->fd < 0 || fstat(f->fd, &st) < 0) {
        error_setg_errno(errp, errno, "cannot create the recording '%s'", f->path);
        return STEP_FAILED;
    }
    f->regular = S_ISREG(st.st_mode);
    if (!f->regular) {
        return STEP_DONE;
    }
    if (!lock_file(f->fd, f->path, errp)) {
        return STEP_FAILED;
    }
    if (!is_current(f->real, &st)) {
        return STEP_AGAIN;
    }
    /* The size as it is under the lock. */
    if (fstat(f->fd, &st) == 0 && st.st_size == 0) {
        return STEP_DONE;
    }
    if (!overwrite) {
        return keep_old(f, errp);
    }
    if (ftruncate(f->fd, 0) < 0) {
        error_setg_errno(errp, errno, "cannot overwrite '%s'", f->path);
        return STEP_FAILED;
    }
    return STEP_DONE;
}

/* A link stays; the file it points to is what is kept. */
char *replay_log_file_follow(const char *path)
{
    char *real = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? realpath(path, NULL) : NULL;
    char *name = g_strdup(real ? real : path);

    free(real);
    return name;
}

bool replay_log_file_create(ReplayLogFile *f, const char *path, bool overwrite, Error **errp)
{
    Step step;

    *f = (ReplayLogFile){ .fd = -1, .path = g_strdup(path), .real = replay_log_file_follow(path) };
    do {
        int held = f->fd;

        step = open_step(f, overwrite, errp);
        /* The old file's lock is held until the new one's is: nobody gets in between. */
        if (held >= 0) {
            close(held);
        }
    } while (step == STEP_AGAIN);
    if (step == STEP_FAILED) {
        replay_log_file_clear(f);
    }
    return step == STEP_DONE;
}

bool replay_log_file_create_memory(ReplayLogFile *f, Error **errp)
{
    *f = (ReplayLogFile){ .fd = memfd_create("rearm-recording", MFD_CLOEXEC), .memory = true,
                          .path = g_strdup(REPLAY_LOG_IN_MEMORY) };
    if (f->fd < 0) {
        error_setg_errno(errp, errno, "no memory for the recording (rrfile=FILE records to a file)");
        replay_log_file_clear(f);
        return false;
    }
    return true;
}

int replay_log_file_open_again(const ReplayLogFile *f, Error **errp)
{
    struct stat st;
    int fd;

    if (f->memory) {
        fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
        if (fd < 0) {
            error_setg_errno(errp, errno, "cannot read the recording in memory");
        }
        return fd;
    }
    if (!f->regular) {
        error_setg(errp, "'%s' is not a regular file: what is recorded there cannot be read back",
                   f->path);
        return -1;
    }
    if (fstat(f->fd, &st) < 0 || !is_current(f->real, &st)) {
        error_setg(errp, "the recording '%s' was moved or removed, so it cannot be read back",
                   f->path);
        return -1;
    }
    fd = open(f->real, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        error_setg_errno(errp, errno, "cannot read the recording '%s' back", f->path);
    }
    return fd;
}

int replay_log_file_open_shared(const char *real, struct stat *opened, Error **errp)
{
    int fd = open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, opened) < 0) {
        error_setg_errno(errp, errno, "cannot open the recording '%s'", real);
    } else if (flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        error_setg(errp, "it is still being recorded");
    } else {
        return fd;
    }
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

/* A second name for the old file first, so that no moment is without one. */
static bool swap_names(ReplayLogFile *f, const char *real, Error **errp)
{
    g_free(f->old);
    f->old = g_strconcat(real, ".old", NULL);
    if ((unlink(f->old) < 0 && errno != ENOENT) || link(real, f->old) < 0) {
        error_setg_errno(errp, errno, "cannot keep '%s' as '%s'", real, f->old);
    } else if (rename(f->real, real) < 0) {
        error_setg_errno(errp, errno, "cannot rename '%s' to '%s'", f->real, real);
        unlink(f->old);
    } else {
        g_free(f->real);
        f->real = g_strdup(real);
        return true;
    }
    g_clear_pointer(&f->old, g_free);
    return false;
}

bool replay_log_file_replace(ReplayLogFile *f, const char *real, const struct stat *opened,
                             Error **errp)
{
    if (!is_current(real, opened)) {
        error_setg(errp, "'%s' was moved or removed meanwhile", real);
        return false;
    }
    /* Not a name without content after a power failure, in place of a recording that was good. */
    if (fsync(f->fd) < 0) {
        error_setg_errno(errp, errno, "cannot write '%s'", f->path);
        return false;
    }
    return swap_names(f, real, errp);
}

void replay_log_file_close(ReplayLogFile *f)
{
    if (f->fd >= 0) {
        close(f->fd);
        f->fd = -1;
    }
}

void replay_log_file_discard(ReplayLogFile *f)
{
    if (f->regular && f->old) {
        rename(f->old, f->real);
    } else if (f->regular) {
        unlink(f->real);
    }
    f->regular = false;
    replay_log_file_close(f);
}

void replay_log_file_clear(ReplayLogFile *f)
{
    replay_log_file_close(f);
    g_clear_pointer(&f->path, g_free);
    g_clear_pointer(&f->real, g_free);
    g_clear_pointer(&f->old, g_free);
}
