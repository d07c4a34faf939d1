/*
 * Commands of QMP about file descriptors that clients give, and files that commands open.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <unistd.h>
#include "monitor/qmp.h"
#include "util/keyval.h"

#define FDSET_PREFIX "/dev/fdset/"

typedef struct MonitorFd {
    int fd;
    char *name;            /* of getfd; NULL: in a set */
    int64_t set;
    char *opaque;
} MonitorFd;

static void fd_free(gpointer opaque)
{
    MonitorFd *f = opaque;

    close(f->fd);
    g_free(f->name);
    g_free(f->opaque);
    g_free(f);
}

/* In the order in which they came. */
static GPtrArray *all_fds(MonitorEnv *env)
{
    if (!env->fds) {
        env->fds = g_ptr_array_new_with_free_func(fd_free);
    }
    return env->fds;
}

static MonitorFd *take_fd(QmpContext *ctx, Error **errp)
{
    int fd = ctx->monitor ? qmp_monitor_take_fd(ctx->monitor) : -1;
    MonitorFd *f;

    if (fd < 0) {
        error_setg(errp, "No file descriptor supplied via SCM_RIGHTS");
        return NULL;
    }
    f = g_new0(MonitorFd, 1);
    f->fd = fd;
    return f;
}

/* ---- by name ---- */

static MonitorFd *find_name(MonitorEnv *env, const char *name)
{
    GPtrArray *fds = all_fds(env);

    for (unsigned i = 0; i < fds->len; i++) {
        MonitorFd *f = g_ptr_array_index(fds, i);

        if (f->name && !strcmp(f->name, name)) {
            return f;
        }
    }
    return NULL;
}

bool qmp_getfd(QmpContext *ctx, const QapiGetfdArgs *args, Error **errp)
{
    MonitorFd *f, *old;

    if (!*args->fdname || g_ascii_isdigit(*args->fdname)) {
        error_setg(errp, "Parameter 'fdname' expects a name not starting with a digit");
        return false;
    }
    f = take_fd(ctx, errp);
    if (!f) {
        return false;
    }
    old = find_name(ctx->env, args->fdname);
    if (old) {
        g_ptr_array_remove(all_fds(ctx->env), old);
    }
    f->name = g_strdup(args->fdname);
    g_ptr_array_add(all_fds(ctx->env), f);
    return true;
}

static bool not_found(const char *what, Error **errp)
{
    error_setg(errp, "File descriptor named '%s' not found", what);
    return false;
}

bool qmp_closefd(QmpContext *ctx, const QapiClosefdArgs *args, Error **errp)
{
    MonitorFd *f = find_name(ctx->env, args->fdname);

    if (!f) {
        return not_found(args->fdname, errp);
    }
    g_ptr_array_remove(all_fds(ctx->env), f);
    return true;
}

/* ---- sets ---- */

static bool has_set(MonitorEnv *env, int64_t set)
{
    GPtrArray *fds = all_fds(env);

    for (unsigned i = 0; i < fds->len; i++) {
        const MonitorFd *f = g_ptr_array_index(fds, i);

        if (!f->name && f->set == set) {
            return true;
        }
    }
    return false;
}

bool qmp_add_fd(QmpContext *ctx, const QapiAddFdArgs *args, QapiAddfdInfo **ret, Error **errp)
{
    int64_t set = args->fdset_id;
    MonitorFd *f;

    if (args->has_fdset_id && set < 0) {
        error_setg(errp, "Parameter 'fdset-id' expects a non-negative value");
        return false;
    }
    f = take_fd(ctx, errp);
    if (!f) {
        return false;
    }
    for (set = args->has_fdset_id ? set : 0; !args->has_fdset_id && has_set(ctx->env, set); ) {
        set++;
    }
    f->set = set;
    f->opaque = g_strdup(args->opaque);
    g_ptr_array_add(all_fds(ctx->env), f);
    *ret = g_new0(QapiAddfdInfo, 1);
    **ret = (QapiAddfdInfo){ set, f->fd };
    return true;
}

bool qmp_remove_fd(QmpContext *ctx, const QapiRemoveFdArgs *args, Error **errp)
{
    g_autofree char *what = args->has_fd
        ? g_strdup_printf("fdset-id:%" PRId64 ", fd:%" PRId64, args->fdset_id, args->fd)
        : g_strdup_printf("fdset-id:%" PRId64, args->fdset_id);
    GPtrArray *fds = all_fds(ctx->env);
    bool any = false;

    for (unsigned i = fds->len; i-- > 0; ) {
        const MonitorFd *f = g_ptr_array_index(fds, i);

        if (!f->name && f->set == args->fdset_id && (!args->has_fd || f->fd == args->fd)) {
            g_ptr_array_remove_index(fds, i);
            any = true;
        }
    }
    return any || not_found(what, errp);
}

static QapiFdsetInfo *set_info(QapiFdsetInfoList **list, int64_t set)
{
    QapiFdsetInfo *info;

    for (; *list && (*list)->value->fdset_id <= set; list = &(*list)->next) {
        if ((*list)->value->fdset_id == set) {
            return (*list)->value;
        }
    }
    info = g_new0(QapiFdsetInfo, 1);
    info->fdset_id = set;
    *list = g_memdup2(&(QapiFdsetInfoList){ *list, info }, sizeof(**list));
    return info;
}

bool qmp_query_fdsets(QmpContext *ctx, QapiFdsetInfoList **ret, Error **errp)
{
    GPtrArray *fds = all_fds(ctx->env);

    for (unsigned i = 0; i < fds->len; i++) {
        const MonitorFd *f = g_ptr_array_index(fds, i);
        QapiFdsetFdInfoList **tail;
        QapiFdsetFdInfo *info;

        if (f->name) {
            continue;
        }
        info = g_new0(QapiFdsetFdInfo, 1);
        info->fd = f->fd;
        info->opaque = g_strdup(f->opaque);
        for (tail = &set_info(ret, f->set)->fds; *tail; tail = &(*tail)->next) {
        }
        QAPI_APPEND(tail, info);
    }
    return true;
}

/* ---- for commands that open files ---- */

int monitor_take_fd(MonitorEnv *env, const char *name, Error **errp)
{
    MonitorFd *f = find_name(env, name);
    int fd;

    if (!f) {
        not_found(name, errp);
        return -1;
    }
    fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        error_setg_errno(errp, errno, "File descriptor named '%s'", name);
        return -1;
    }
    g_ptr_array_remove(all_fds(env), f);
    return fd;
}

/* The one of a set that can be written; its own position in the file goes on. */
static int dup_writable(MonitorEnv *env, int64_t set)
{
    GPtrArray *fds = all_fds(env);

    errno = has_set(env, set) ? EACCES : ENOENT;
    for (unsigned i = 0; i < fds->len; i++) {
        const MonitorFd *f = g_ptr_array_index(fds, i);
        int flags = !f->name && f->set == set ? fcntl(f->fd, F_GETFL) : -1;

        if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY) {
            return fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
        }
    }
    return -1;
}

FILE *monitor_create_file(MonitorEnv *env, const char *path, Error **errp)
{
    uint64_t set;
    FILE *file;
    int fd;

    if (!g_str_has_prefix(path, FDSET_PREFIX)) {
        file = fopen(path, "wbe");
    } else if (!parse_u64(path + strlen(FDSET_PREFIX), &set)) {
        errno = ENOENT;
        file = NULL;
    } else {
        fd = dup_writable(env, (int64_t)set);
        file = fd < 0 ? NULL : fdopen(fd, "wb");
    }
    if (!file) {
        error_setg_errno(errp, errno, "Could not open '%s'", path);
    }
    return file;
}
