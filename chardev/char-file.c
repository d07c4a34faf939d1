/*
 * Back ends "file" (output to a file, input from another one) and "null".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <unistd.h>
#include "chardev/chardev-int.h"

typedef struct CharFile {
    Chardev chr;
    CharFd fd;
    int in, out;
    bool opened;
} CharFile;

static bool file_open(Chardev *c, KeyVal *options, Error **errp)
{
    CharFile *f = container_of(c, CharFile, chr);
    const char *path = keyval_get(options, "path");
    const char *input = keyval_get(options, "input-path");
    bool append = false;

    if (!keyval_get_bool(options, "append", &append, errp) ||
        !keyval_check_unused(options, "-chardev file", errp)) {
        return false;
    }
    if (!path) {
        error_setg(errp, "-chardev file needs path=FILE");
        return false;
    }
    f->in = -1;
    if (input) {
        f->in = open(input, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (f->in < 0) {
            error_setg_errno(errp, errno, "-chardev file: cannot open input-path=%s", input);
            return false;
        }
    }
    f->out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC), 0666);
    if (f->out < 0) {
        error_setg_errno(errp, errno, "-chardev file: cannot write path=%s", path);
        if (f->in >= 0) {
            close(f->in);
        }
        return false;
    }
    f->opened = true;
    chardev_set_label(c, "file:%s", path);
    char_fd_start(&f->fd, c, f->in, f->out, NULL);
    chardev_event(c, CHAR_EVENT_OPENED);
    return true;
}

static void file_close(Chardev *c)
{
    CharFile *f = container_of(c, CharFile, chr);

    if (!f->opened) {
        return;
    }
    char_fd_stop(&f->fd);
    if (f->in >= 0) {
        close(f->in);
    }
    close(f->out);
}

static ssize_t file_write(Chardev *c, const uint8_t *data, size_t length)
{
    CharFile *f = container_of(c, CharFile, chr);
    ssize_t n = char_fd_write(&f->fd, data, length);

    if (n < 0) {
        warn_report("chardev '%s': cannot write: %s; output is lost", c->id, g_strerror(errno));
    }
    return n;
}

static int file_write_fd(Chardev *c)
{
    return container_of(c, CharFile, chr)->out;
}

const ChardevType chardev_file_type = {
    .name = "file",
    .help = "output to a file: path=FILE[,append=on|off][,input-path=FILE]",
    .size = sizeof(CharFile),
    .open = file_open,
    .close = file_close,
    .write = file_write,
    .write_fd = file_write_fd,
};

static bool null_open(Chardev *c, KeyVal *options, Error **errp)
{
    if (options && !keyval_check_unused(options, "-chardev null", errp)) {
        return false;
    }
    chardev_event(c, CHAR_EVENT_OPENED);
    return true;
}

static void null_write_now(Chardev *c, const uint8_t *data, size_t length)
{
}

const ChardevType chardev_null_type = {
    .name = "null",
    .help = "drops output, gives no input",
    .size = sizeof(Chardev),
    .open = null_open,
    .write_now = null_write_now,
};
