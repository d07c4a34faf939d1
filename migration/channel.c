/*
 * Where a machine's state goes to, or comes from; include/migration/channel.h has the kinds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "migration/channel.h"
#include "util/host-socket.h"
#include "util/keyval.h"

struct MigrationChannel {
    char *uri;
    int fd;                /* -1: not there yet, ... */
    int listener;          /* ... as nobody has connected; -1: none */
    bool connecting;       /* fd is on its way */
    char *path;            /* of the socket file to remove; NULL: none */
    GPid child;            /* 0: none */
    int cancel;            /* an eventfd: not 0 when it was cancelled */
};

/* ---- open ---- */

static MigrationChannel *channel_new(const char *uri)
{
    MigrationChannel *c = g_new0(MigrationChannel, 1);

    c->uri = g_strdup(uri);
    c->fd = c->listener = -1;
    c->cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return c;
}

MigrationChannel *migration_channel_new(const char *uri, int fd)
{
    MigrationChannel *c = channel_new(uri);

    c->fd = fd;
    return c;
}

/* "PATH,offset=N": the path, for g_free, and the offset, 0 without one; NULL on failure. */
static char *split_offset(const char *text, uint64_t *offset, Error **errp)
{
    const char *comma = strstr(text, ",offset=");

    *offset = 0;
    if (comma && (!parse_size(comma + strlen(",offset="), 1, offset) || *offset > INT64_MAX)) {
        error_setg(errp, "file:%s: %s: expected a number of bytes", text, comma + 1);
        return NULL;
    }
    return comma ? g_strndup(text, (gsize)(comma - text)) : g_strdup(text);
}

static bool open_file(MigrationChannel *c, const char *text, bool incoming, Error **errp)
{
    uint64_t offset;
    g_autofree char *path = split_offset(text, &offset, errp);
    struct stat st;

    if (!path) {
        return false;
    }
    c->fd = open(path, (incoming ? O_RDONLY : O_WRONLY | O_CREAT) | O_CLOEXEC | O_NONBLOCK, 0600);
    if (c->fd < 0 || fstat(c->fd, &st) < 0 ||
        (!incoming && S_ISREG(st.st_mode) && ftruncate(c->fd, (off_t)offset) < 0) ||
        (offset && lseek(c->fd, (off_t)offset, SEEK_SET) < 0)) {
        error_setg_errno(errp, errno, "Could not open '%s'", path);
        return false;
    }
    return true;
}

static bool open_fd(MigrationChannel *c, const char *text, bool incoming, Error **errp)
{
    uint64_t fd;
    int flags;

    if (!parse_u64(text, &fd) || fd > INT_MAX) {
        error_setg(errp, "fd:%s: expected the number of an inherited descriptor", text);
        return false;
    }
    flags = fcntl((int)fd, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC)) {
        error_setg(errp, "fd:%s: this descriptor was not inherited", text);
        return false;
    }
    flags = fcntl((int)fd, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == (incoming ? O_WRONLY : O_RDONLY)) {
        error_setg_errno(errp, flags < 0 ? errno : EACCES, "fd:%s", text);
        return false;
    }
    c->fd = (int)fd;
    fcntl(c->fd, F_SETFD, FD_CLOEXEC);
    return true;
}

/* So that it can be ended with all that it starts. */
static void lead_group(gpointer opaque)
{
    setpgid(0, 0);
}

static bool open_exec(MigrationChannel *c, const char *command, bool incoming, Error **errp)
{
    const char *argv[] = { "/bin/sh", "-c", command, NULL };
    GSpawnFlags flags = G_SPAWN_DO_NOT_REAP_CHILD | (incoming ? 0 : G_SPAWN_STDOUT_TO_DEV_NULL);
    g_autoptr(GError) err = NULL;

    if (!g_spawn_async_with_pipes(NULL, (char **)argv, NULL, flags, lead_group, NULL, &c->child,
                                  incoming ? NULL : &c->fd, incoming ? &c->fd : NULL, NULL, &err)) {
        error_setg(errp, "exec:%s: %s", command, err->message);
        c->child = 0;
        return false;
    }
    fcntl(c->fd, F_SETFD, FD_CLOEXEC);
    return true;
}

static bool open_unix(MigrationChannel *c, const char *path, bool incoming, Error **errp)
{
    if (!incoming) {
        c->fd = host_socket_connect_unix(path, 0, errp);
        return c->fd >= 0;
    }
    c->listener = host_socket_listen_unix(path, errp);
    c->path = c->listener < 0 ? NULL : g_strdup(path);
    return c->listener >= 0;
}

static bool open_tcp(MigrationChannel *c, const char *text, bool incoming, Error **errp)
{
    const char *colon = strrchr(text, ':');
    g_autofree char *host = colon ? g_strndup(text, (gsize)(colon - text)) : NULL;
    uint64_t port;

    if (!colon || !parse_u64(colon + 1, &port) || port > 65535) {
        error_setg(errp, "tcp:%s: expected tcp:HOST:PORT, with a port of 0..65535", text);
        return false;
    }
    if (incoming) {
        c->listener = host_socket_listen_tcp(host, colon + 1, errp);
        return c->listener >= 0;
    }
    c->fd = host_socket_connect_tcp(host, colon + 1, SOCK_NONBLOCK, errp);
    c->connecting = true;
    return c->fd >= 0;
}

static const struct {
    const char *prefix;
    bool (*open)(MigrationChannel *c, const char *text, bool incoming, Error **errp);
} kinds[] = {
    { "file:", open_file }, { "fd:", open_fd }, { "exec:", open_exec }, { "unix:", open_unix },
    { "tcp:", open_tcp },
};

MigrationChannel *migration_channel_open(const char *uri, bool incoming, bool spawn, Error **errp)
{
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        MigrationChannel *c;

        if (!g_str_has_prefix(uri, kinds[i].prefix)) {
            continue;
        }
        if (kinds[i].open == open_exec && !spawn) {
            error_setg(errp, "'%s': -sandbox spawn=deny lets no command run; file:PATH and fd:N do "
                       "without one", uri);
            return NULL;
        }
        c = channel_new(uri);
        if (kinds[i].open(c, uri + strlen(kinds[i].prefix), incoming, errp)) {
            return c;
        }
        migration_channel_free(c);
        return NULL;
    }
    error_setg(errp, "unknown migration protocol: '%s'; there are file:PATH[,offset=N], fd:N, "
               "exec:COMMAND, unix:PATH and tcp:HOST:PORT", uri);
    return NULL;
}

const char *migration_channel_uri(const MigrationChannel *c)
{
    return c->uri;
}

/* ---- wait ---- */

/* Until something happens on fd (-1: nothing can), for so many ms (-1: any time). */
static bool wait_for(MigrationChannel *c, int fd, short events, int ms, Error **errp)
{
    struct pollfd p[] = { { c->cancel, POLLIN, 0 }, { fd, events, 0 } };

    while (poll(p, ARRAY_SIZE(p), ms) < 0 && errno == EINTR) {
    }
    if (p[0].revents) {
        error_setg(errp, "'%s': it was cancelled", c->uri);
        return false;
    }
    return true;
}

bool migration_channel_pause(MigrationChannel *c, int64_t us, Error **errp)
{
    return wait_for(c, -1, 0, (int)MIN(us / 1000, INT_MAX), errp);
}

void migration_channel_cancel(MigrationChannel *c)
{
    eventfd_write(c->cancel, 1);
}

bool migration_channel_connect(MigrationChannel *c, Error **errp)
{
    socklen_t length = sizeof(int);
    int error = 0;

    while (c->fd < 0) {
        if (!wait_for(c, c->listener, POLLIN, -1, errp)) {
            return false;
        }
        c->fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
    }
    if (c->connecting) {
        if (!wait_for(c, c->fd, POLLOUT, -1, errp)) {
            return false;
        }
        if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 || error) {
            error_setg_errno(errp, error ? error : errno, "cannot connect to '%s'", c->uri);
            return false;
        }
    }
    /* What can block is waited for in wait_for(). */
    fcntl(c->fd, F_SETFL, fcntl(c->fd, F_GETFL) | O_NONBLOCK);
    return true;
}

/* ---- read and write ---- */

static bool again(void)
{
    return errno == EINTR || errno == EAGAIN;
}

bool migration_channel_read(MigrationChannel *c, void *data, size_t length, Error **errp)
{
    for (size_t done = 0; done < length; ) {
        ssize_t n;

        if (!wait_for(c, c->fd, POLLIN, -1, errp)) {
            return false;
        }
        n = read(c->fd, (uint8_t *)data + done, length - done);
        if (n == 0) {
            error_setg(errp, "'%s' ends before the state of the machine does", c->uri);
            return false;
        }
        if (n < 0 && !again()) {
            error_setg_errno(errp, errno, "cannot read from '%s'", c->uri);
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

bool migration_channel_write(MigrationChannel *c, const void *data, size_t length, Error **errp)
{
    for (size_t done = 0; done < length; ) {
        ssize_t n;

        if (!wait_for(c, c->fd, POLLOUT, -1, errp)) {
            return false;
        }
        n = write(c->fd, (const uint8_t *)data + done, length - done);
        if (n < 0 && !again()) {
            error_setg_errno(errp, errno, "cannot write to '%s'", c->uri);
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* ---- the end ---- */

/* What a command that waits for nobody does at once. */
#define CHILD_POLL_MS 10

static bool reap(MigrationChannel *c, Error **errp)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(c->child, &status, WNOHANG)) <= 0) {
        if (pid < 0 && errno != EINTR) {
            break;
        }
        if (!wait_for(c, -1, 0, CHILD_POLL_MS, errp)) {
            return false;
        }
    }
    c->child = 0;
    if (pid > 0 && (!WIFEXITED(status) || WEXITSTATUS(status))) {
        error_setg(errp, "'%s': the command ended with %s %d", c->uri,
                   WIFEXITED(status) ? "exit code" : "signal",
                   WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
        return false;
    }
    return true;
}

bool migration_channel_finish(MigrationChannel *c, Error **errp)
{
    int fd = c->fd;

    c->fd = -1;
    if (close(fd) < 0) {
        error_setg_errno(errp, errno, "cannot write to '%s'", c->uri);
        return false;
    }
    return !c->child || reap(c, errp);
}

static void reaped(GPid pid, gint status, gpointer opaque)
{
    g_spawn_close_pid(pid);
}

void migration_channel_free(MigrationChannel *c)
{
    eventfd_t cancelled;

    if (!c) {
        return;
    }
    if (c->fd >= 0) {
        close(c->fd);
    }
    if (c->listener >= 0) {
        close(c->listener);
    }
    if (c->path) {
        unlink(c->path);
    }
    if (c->child) {
        /* One that was not given up may take its time; nobody wants to know any more how it ends. */
        if (eventfd_read(c->cancel, &cancelled) == 0) {
            kill(-c->child, SIGTERM);
        }
        g_child_watch_add(c->child, reaped, NULL);
    }
    close(c->cancel);
    g_free(c->path);
    g_free(c->uri);
    g_free(c);
}
