/*
 * Back end "pty": a pseudo-terminal whose name is printed. Nobody has to be there:
 * output is dropped until a program opens the other side, and input ends when it closes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>
#include "chardev/chardev-int.h"

#define PTY_PROBE_MS 200

typedef struct CharPty {
    Chardev chr;
    CharFd fd;
    int master;
    GSource *probe;
    bool opened;
} CharPty;

static gboolean pty_probe(gpointer opaque);

static void pty_hangup(Chardev *c)
{
    CharPty *p = container_of(c, CharPty, chr);

    char_fd_stop(&p->fd);
    if (c->is_open) {
        chardev_event(c, CHAR_EVENT_CLOSED);
    }
    if (!p->probe) {
        p->probe = watch_timeout(c->set->context, PTY_PROBE_MS, pty_probe, p);
    }
}

/* The kernel tells about a closed other side, but not when one opens it. */
static gboolean pty_probe(gpointer opaque)
{
    CharPty *p = opaque;
    struct pollfd pfd = { .fd = p->master, .events = POLLOUT };

    if (poll(&pfd, 1, 0) == 1 && !(pfd.revents & POLLHUP)) {
        watch_end(&p->probe);
        char_fd_start(&p->fd, &p->chr, p->master, p->master, pty_hangup);
        chardev_event(&p->chr, CHAR_EVENT_OPENED);
    }
    return G_SOURCE_CONTINUE;
}

static bool pty_setup(CharPty *p, char *name, size_t name_size)
{
    struct termios tio;
    int slave;

    p->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (p->master < 0) {
        return false;
    }
    if (grantpt(p->master) < 0 || unlockpt(p->master) < 0 ||
        ptsname_r(p->master, name, name_size) != 0) {
        return false;
    }
    slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0) {
        return false;
    }
    if (tcgetattr(slave, &tio) == 0) {
        cfmakeraw(&tio);
        tcsetattr(slave, TCSANOW, &tio);
    }
    close(slave);
    return fcntl(p->master, F_SETFL, O_NONBLOCK) == 0;
}

static bool pty_open(Chardev *c, KeyVal *options, Error **errp)
{
    CharPty *p = container_of(c, CharPty, chr);
    char name[128];

    if (!keyval_check_unused(options, "-chardev pty", errp)) {
        return false;
    }
    if (!pty_setup(p, name, sizeof(name))) {
        error_setg_errno(errp, errno, "-chardev pty: cannot make a pseudo-terminal");
        if (p->master >= 0) {
            close(p->master);
        }
        return false;
    }
    p->opened = true;
    p->fd.in = p->fd.out = -1;
    p->fd.chr = c;
    chardev_set_label(c, "pty:%s", name);
    printf("char device redirected to %s (label %s)\n", name, c->id);
    fflush(stdout);
    p->probe = watch_timeout(c->set->context, PTY_PROBE_MS, pty_probe, p);
    return true;
}

static void pty_close(Chardev *c)
{
    CharPty *p = container_of(c, CharPty, chr);

    if (p->opened) {
        watch_end(&p->probe);
        char_fd_stop(&p->fd);
        close(p->master);
    }
}

static ssize_t pty_write(Chardev *c, const uint8_t *data, size_t length)
{
    CharPty *p = container_of(c, CharPty, chr);

    return c->is_open ? char_fd_write(&p->fd, data, length) : -1;
}

static int pty_write_fd(Chardev *c)
{
    return container_of(c, CharPty, chr)->master;
}

const ChardevType chardev_pty_type = {
    .name = "pty",
    .help = "a pseudo-terminal; its name is printed",
    .size = sizeof(CharPty),
    .open = pty_open,
    .close = pty_close,
    .write = pty_write,
    .write_fd = pty_write_fd,
};
