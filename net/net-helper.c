/*
 * Programs that set up an interface of the host.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "net/net-helper.h"

#define HELPER_FD 3
#define HELPER_WAIT_MS 30000

/* ---- the helper ---- */

static bool start_helper(const char *program, const char *bridge, int fd, GPid *pid, Error **errp)
{
    g_autofree char *fd_option = g_strdup_printf("--fd=%d", HELPER_FD);
    g_autofree char *bridge_option = g_strdup_printf("--br=%s", bridge);
    const char *const argv[] = { program, fd_option, bridge_option, NULL };
    const int target = HELPER_FD;
    GError *error = NULL;

    if (!g_spawn_async_with_pipes_and_fds(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, -1, -1, -1, &fd, &target, 1,
                                          pid, NULL, NULL, NULL, &error)) {
        error_setg(errp, "helper=%s: %s", program, error->message);
        g_error_free(error);
        return false;
    }
    return true;
}

/* -1: there is none in the message, or no message. */
static int receive_fd(int socket)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec iov = { &byte, 1 };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
                              .msg_controllen = sizeof(control.bytes) };
    struct pollfd wait = { .fd = socket, .events = POLLIN };
    const struct cmsghdr *h;
    int fd;

    if (poll(&wait, 1, HELPER_WAIT_MS) != 1 || recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) <= 0) {
        return -1;
    }
    h = CMSG_FIRSTHDR(&message);
    if (!h || h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS || h->cmsg_len != CMSG_LEN(sizeof(fd))) {
        return -1;
    }
    memcpy(&fd, CMSG_DATA(h), sizeof(fd));
    return fd;
}

int net_helper_run(const char *program, const char *bridge, Error **errp)
{
    int sockets[2], fd = -1;
    GPid pid;
    bool ok;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0) {
        error_setg_errno(errp, errno, "helper=%s", program);
        return -1;
    }
    ok = start_helper(program, bridge, sockets[1], &pid, errp);
    close(sockets[1]);
    if (ok) {
        fd = receive_fd(sockets[0]);
        /* One that has not answered by now reads the end of file, if it reads at all. */
        close(sockets[0]);
        if (fd < 0) {
            kill(pid, SIGTERM);
        }
        waitpid(pid, NULL, 0);
        g_spawn_close_pid(pid);
    } else {
        close(sockets[0]);
    }
    if (ok && fd < 0) {
        error_setg(errp, "helper=%s has given no interface on the bridge '%s'; the bridge has to be there, and to be allowed "
                   "('allow %s' in the helper's bridge.conf), and the helper needs its rights (setuid root)", program, bridge,
                   bridge);
    }
    if (fd >= 0) {
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    }
    return fd;
}

/* ---- scripts ---- */

bool net_script_run(const char *script, const char *ifname, Error **errp)
{
    const char *const argv[] = { script, ifname, NULL };
    GError *error = NULL;
    int status;

    if (g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL, NULL, &status, &error) &&
        g_spawn_check_wait_status(status, &error)) {
        return true;
    }
    error_setg(errp, "the script '%s' for the interface '%s': %s (script=no runs none)", script, ifname, error->message);
    g_error_free(error);
    return false;
}
