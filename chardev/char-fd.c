/*
 * Watches on descriptors, shared by the back ends.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <limits.h>
#include <unistd.h>
#include "chardev/chardev-int.h"

/* How soon to ask a client again that has no room for input. */
#define ROOM_POLL_MS 10

static gboolean char_fd_readable(gint in, GIOCondition condition, gpointer opaque);

static void char_fd_watch_input(CharFd *fd)
{
    fd->in_source = watch_fd(fd->chr->set->context, fd->in, G_IO_IN | G_IO_HUP | G_IO_ERR,
                             char_fd_readable, fd);
}

static gboolean char_fd_look_again(gpointer opaque)
{
    CharFd *fd = opaque;

    if (chardev_room(fd->chr)) {
        watch_end(&fd->in_source);
        char_fd_watch_input(fd);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean char_fd_readable(gint in, GIOCondition condition, gpointer opaque)
{
    CharFd *fd = opaque;
    uint8_t data[4096];
    size_t room = chardev_room(fd->chr);
    ssize_t n;

    if (room == 0) {
        watch_end(&fd->in_source);
        fd->in_source = watch_timeout(fd->chr->set->context, ROOM_POLL_MS, char_fd_look_again, fd);
        return G_SOURCE_CONTINUE;
    }
    room = MIN(room, sizeof(data));
    n = fd->read ? fd->read(fd->chr, data, room) : read(in, data, room);
    if (n > 0) {
        chardev_received(fd->chr, data, n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        watch_end(&fd->in_source);
        if (fd->hangup) {
            fd->hangup(fd->chr);
        }
    }
    return G_SOURCE_CONTINUE;
}

static gboolean char_fd_writable(gint out, GIOCondition condition, gpointer opaque)
{
    CharFd *fd = opaque;

    watch_end(&fd->out_source);
    chardev_flush(fd->chr);
    return G_SOURCE_CONTINUE;
}

void char_fd_start(CharFd *fd, Chardev *c, int in, int out, void (*hangup)(Chardev *c))
{
    *fd = (CharFd){ .chr = c, .in = in, .out = out, .hangup = hangup };
    if (in >= 0) {
        char_fd_watch_input(fd);
    }
}

void char_fd_stop(CharFd *fd)
{
    watch_end(&fd->in_source);
    watch_end(&fd->out_source);
    fd->in = fd->out = -1;
}

ssize_t char_fd_write(CharFd *fd, const uint8_t *data, size_t length)
{
    GPollFD p = { .fd = fd->out, .events = G_IO_OUT };
    ssize_t n;

    if (fd->out < 0) {
        return -1;
    }
    if (g_poll(&p, 1, 0) == 1) {
        n = write(fd->out, data, MIN(length, PIPE_BUF));
        if (n > 0) {
            return n;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return -1;
        }
    }
    if (!fd->out_source) {
        fd->out_source = watch_fd(fd->chr->set->context, fd->out, G_IO_OUT | G_IO_HUP | G_IO_ERR,
                                  char_fd_writable, fd);
    }
    return 0;
}
