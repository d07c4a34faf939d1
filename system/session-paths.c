/*
 * The files that a recording was made of, and where they are now: -icount rrpath=OLD=NEW.
 *
 * A recording has the paths of its kernel, its disks and so on, and a replay that is not given others looks there.
 * OLD is such a path or a folder above it, as the recording has it; NEW stands in its place.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <unistd.h>
#include "replay/replay.h"
#include "system/session-paths.h"

struct SessionPaths {
    Replay *replay;
    const GPtrArray *moves;       /* "OLD=NEW" */
    GString *known;               /* all paths that were asked for, for people */
    bool *used;                   /* for each move */
    Error *err;
};

SessionPaths *session_paths_new(Replay *replay, const GPtrArray *moves)
{
    SessionPaths *p = g_new0(SessionPaths, 1);

    p->replay = replay;
    p->moves = moves;
    p->known = g_string_new(NULL);
    p->used = g_new0(bool, moves->len + 1);
    return p;
}

/* What is behind OLD in the path: "" for the path itself; NULL: it is another one. */
static const char *behind(const char *path, const char *old, size_t length)
{
    while (length > 1 && old[length - 1] == '/') {
        length--;
    }
    return !strncmp(path, old, length) && (!path[length] || path[length] == '/') ? path + length : NULL;
}

/* The path now; to be freed. The last option that fits counts. */
static char *moved(SessionPaths *p, const char *path)
{
    char *now = g_strdup(path);

    for (unsigned i = 0; i < p->moves->len; i++) {
        const char *text = g_ptr_array_index(p->moves, i), *split = strchr(text, '=');
        const char *rest = behind(path, text, (size_t)(split - text));

        if (rest) {
            g_autofree char *to = g_strconcat(split + 1, rest, NULL);

            p->used[i] = true;
            g_free(now);
            now = g_canonicalize_filename(to, NULL);
        }
    }
    return now;
}

static char *look_up(SessionPaths *p, const char *what, const char *path)
{
    char *now = moved(p, path);

    g_string_append_printf(p->known, "%s'%s'", p->known->len ? ", " : "", path);
    if (!p->err && access(now, F_OK) < 0) {
        error_setg_errno(&p->err, errno, "cannot open '%s', the recording's %s", now, what);
        error_prepend(&p->err, "-icount rrpath=%s=PATH says where it is now: ", path);
    }
    return now;
}

void session_paths_recall(SessionPaths *p, const char *name, char **option)
{
    const char *value = *option ? NULL : replay_described(p->replay, name);

    if (value) {
        *option = look_up(p, name + strlen("info."), value);
    }
}

typedef struct DriveText {
    SessionPaths *paths;
    GString *out;
} DriveText;

static void move_one(const char *key, const char *value, void *opaque)
{
    DriveText *t = opaque;
    /* Paths of drives are absolute in recordings; names of protocols are none. */
    bool path = value && *value == '/' && g_str_has_suffix(key, "filename");
    g_autofree char *now = path ? look_up(t->paths, "disk image", value) : NULL;

    keyval_append(t->out, key, now ? now : value);
}

void session_paths_recall_drives(SessionPaths *p, GPtrArray *drives)
{
    bool given = drives->len;

    for (unsigned i = 0; !given; i++) {
        g_autofree char *name = g_strdup_printf("info.drive.%u", i);
        const char *value = replay_described(p->replay, name);
        KeyVal *kv = value ? keyval_parse(value, NULL, NULL) : NULL;
        DriveText t = { p, NULL };

        if (!kv) {
            return;
        }
        t.out = g_string_new(NULL);
        keyval_foreach(kv, move_one, &t);
        g_ptr_array_add(drives, g_string_free(t.out, FALSE));
        keyval_free(kv);
    }
}

bool session_paths_end(SessionPaths *p, Error **errp)
{
    bool ok;

    for (unsigned i = 0; !p->err && i < p->moves->len; i++) {
        if (!p->used[i]) {
            error_setg(&p->err, "-icount rrpath=%s: no file of the recording that another option does not name is there; "
                       "it has: %s", (const char *)g_ptr_array_index(p->moves, i),
                       p->known->len ? p->known->str : "none");
        }
    }
    ok = !p->err;
    if (p->err) {
        error_propagate(errp, p->err);
    }
    g_string_free(p->known, TRUE);
    g_free(p->used);
    g_free(p);
    return ok;
}
