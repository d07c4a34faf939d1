/*
 * What the process is to the host: in the background, with a file that has its id, with fewer
 * rights once everything is open.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "system/session.h"

/* ---- in the background ---- */

/* One byte says that the child is ready; else its exit code is ours. */
static NORETURN void wait_for_child(pid_t child, int fd)
{
    int status;
    char byte;
    ssize_t n;

    do {
        n = read(fd, &byte, 1);
    } while (n < 0 && errno == EINTR);
    if (n == 1) {
        _exit(EXIT_SUCCESS);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

bool session_daemonize(Options *o, Error **errp)
{
    int fds[2];
    pid_t child;

    if (pipe2(fds, O_CLOEXEC) < 0) {
        error_setg_errno(errp, errno, "-daemonize");
        return false;
    }
    child = fork();
    if (child < 0) {
        error_setg_errno(errp, errno, "-daemonize: cannot fork");
        close(fds[0]);
        close(fds[1]);
        return false;
    }
    if (child) {
        close(fds[1]);
        wait_for_child(child, fds[0]);
    }
    close(fds[0]);
    setsid();
    o->daemon_fd = fds[1];
    return true;
}

/* Where messages go later, while that can still be opened. */
static bool open_daemon_output(Options *o, Error **errp)
{
    const char *path = o->log_file ? o->log_file : "/dev/null";
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    o->daemon_output = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (o->daemon_output < 0 || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0) {
        error_setg_errno(errp, errno, "-daemonize: %s", path);
        return false;
    }
    close(null);
    return true;
}

/* The folder stays, so that relative names mean later what they mean now. */
bool session_daemon_ready(const Options *o, Error **errp)
{
    if (!o->daemonize) {
        return true;
    }
    if (write(o->daemon_fd, "", 1) != 1 || dup2(o->daemon_output, 2) < 0) {
        error_setg_errno(errp, errno, "-daemonize: who started this process is gone");
        return false;
    }
    close(o->daemon_output);
    close(o->daemon_fd);
    return true;
}

/* ---- its id ---- */

bool session_write_pidfile(Session *s, Error **errp)
{
    const char *path = s->options->pidfile;
    g_autofree char *text = g_strdup_printf("%ld\n", (long)getpid());
    size_t length = strlen(text);

    if (!path) {
        return true;
    }
    s->pidfile_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (s->pidfile_fd < 0) {
        error_setg_errno(errp, errno, "-pidfile %s", path);
        return false;
    }
    if (lockf(s->pidfile_fd, F_TLOCK, 0) < 0) {
        error_setg(errp, "-pidfile %s: another process has it: it runs already", path);
        close(s->pidfile_fd);
        return false;
    }
    s->pidfile = g_strdup(path);
    if (ftruncate(s->pidfile_fd, 0) < 0 ||
        write(s->pidfile_fd, text, length) != (ssize_t)length) {
        error_setg_errno(errp, errno, "-pidfile %s", path);
        return false;
    }
    return true;
}

/* ---- fewer rights ---- */

typedef struct User {
    uid_t uid;
    gid_t gid;
    char *name;              /* NULL: a number, which has no further groups */
} User;

/* "USER" or "UID:GID"; looked up in the files of the host, so before the root changes. */
static bool find_user(const char *text, User *user, Error **errp)
{
    const char *colon = strchr(text, ':');
    g_autofree char *head = colon ? g_strndup(text, (gsize)(colon - text)) : NULL;
    const struct passwd *entry;
    uint64_t uid, gid;

    if (colon && parse_u64(head, &uid) && parse_u64(colon + 1, &gid) && uid < UINT32_MAX &&
        gid < UINT32_MAX) {
        *user = (User){ (uid_t)uid, (gid_t)gid, NULL };
        return true;
    }
    entry = getpwnam(text);
    if (!entry) {
        error_setg(errp, "-runas %s: there is no such user; expected a name or UID:GID", text);
        return false;
    }
    *user = (User){ entry->pw_uid, entry->pw_gid, g_strdup(text) };
    return true;
}

static bool become(const User *user, const char *text, Error **errp)
{
    if ((user->name ? initgroups(user->name, user->gid) : setgroups(1, &user->gid)) < 0 ||
        setgid(user->gid) < 0 || setuid(user->uid) < 0) {
        error_setg_errno(errp, errno, "-runas %s", text);
        return false;
    }
    if (user->uid && setuid(0) == 0) {
        error_setg(errp, "-runas %s: the process can still become root", text);
        return false;
    }
    return true;
}

static bool change_root(const char *folder, Error **errp)
{
    if (chroot(folder) < 0 || chdir("/") < 0) {
        error_setg_errno(errp, errno, "-chroot %s", folder);
        return false;
    }
    return true;
}

bool session_confine(Options *o, Error **errp)
{
    User user = { 0 };
    bool ok;

    if (o->daemonize && !open_daemon_output(o, errp)) {
        return false;
    }
    if (o->process_name) {
        prctl(PR_SET_NAME, o->process_name);
    }
    if (o->mem_lock && mlockall(MCL_CURRENT | MCL_FUTURE) < 0) {
        error_setg_errno(errp, errno, "-overcommit mem-lock=on: the host locks no memory (ulimit -l)");
        return false;
    }
    ok = (!o->runas || find_user(o->runas, &user, errp)) &&
         (!o->chroot || change_root(o->chroot, errp)) &&
         (!o->runas || become(&user, o->runas, errp)) &&
         session_enter_sandbox(&o->sandbox, errp);
    g_free(user.name);
    return ok;
}
