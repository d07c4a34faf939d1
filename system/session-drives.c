/*
 * The drives of a session: opening the images that the options name.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/block/drive.h"
#include "system/options-handlers.h"
#include "system/session.h"

#define MAX_DEPTH 16

/* Options of a drive, all nodes that they name included. */
typedef struct Flat {
    const Options *o;
    GString *out;
    const char *prefix;       /* "" or "file." and the like */
    unsigned depth;
    Error *err;
} Flat;

static const char *text_of(const Options *o, const char *id)
{
    for (unsigned i = 0; i < o->drives->len; i++) {
        const char *text = g_ptr_array_index(o->drives, i);
        KeyVal *kv = keyval_parse(text, NULL, NULL);
        bool same = kv && !g_strcmp0(keyval_get(kv, "id"), id);

        keyval_free(kv);
        if (same) {
            return text;
        }
    }
    return NULL;
}

static void flatten(Flat *f, const char *text);

static void flatten_one(const char *key, const char *value, void *opaque)
{
    static const char *const of_top[] = { "id", "readonly", "snapshot", "is-node", "werror", "rerror", NULL };
    Flat *f = opaque;
    const char *named;

    if (f->depth && g_strv_contains(of_top, key)) {
        return;
    }
    /* backing= (null in JSON): none, whatever the image says. */
    if ((strcmp(key, "file") && strcmp(key, "backing")) || !g_strcmp0(value, "")) {
        g_autofree char *name = g_strconcat(f->prefix, key, NULL);

        keyval_append(f->out, name, value);
        return;
    }
    /* file=NODE: the options of that -blockdev take this place. */
    named = value ? text_of(f->o, value) : NULL;
    if (!f->err && (!named || f->depth == MAX_DEPTH)) {
        error_setg(&f->err, "-blockdev: %s=%s: %s", key, value ? value : "",
                   named ? "the nodes stand on one another in a circle"
                         : "there is no other -blockdev of that node-name");
    } else if (!f->err) {
        g_autofree char *prefix = g_strdup_printf("%s%s.", f->prefix, key);
        Flat below = { .o = f->o, .out = f->out, .prefix = prefix, .depth = f->depth + 1 };

        flatten(&below, named);
        f->err = below.err;
    }
}

static void flatten(Flat *f, const char *text)
{
    KeyVal *kv = keyval_parse(text, NULL, &f->err);

    if (kv) {
        keyval_foreach(kv, flatten_one, f);
    }
    keyval_free(kv);
}

static KeyVal *flat_options(const Options *o, const char *text, Error **errp)
{
    Flat f = { .o = o, .out = g_string_new(NULL), .prefix = "" };
    KeyVal *kv = NULL;

    flatten(&f, text);
    if (f.err) {
        error_propagate(errp, f.err);
    } else {
        kv = keyval_parse(f.out->str, NULL, errp);
    }
    g_string_free(f.out, TRUE);
    return kv;
}

/* Another drive stands on it, so it is none by itself. */
static bool is_below_another(const Options *o, const char *id)
{
    for (unsigned i = 0; i < o->drives->len; i++) {
        KeyVal *kv = keyval_parse(g_ptr_array_index(o->drives, i), NULL, NULL);
        bool below = kv && (!g_strcmp0(keyval_get(kv, "file"), id) || !g_strcmp0(keyval_get(kv, "backing"), id));

        keyval_free(kv);
        if (below) {
            return true;
        }
    }
    return false;
}

/* An enospc of reads would be nothing that happens. */
static bool get_on_error(KeyVal *kv, const char *key, DiskOnError *out, Error **errp)
{
    const char *text = keyval_get(kv, key);
    bool reads = !strcmp(key, "rerror");
    unsigned i = 0;

    while (text && disk_on_error_names[i] && strcmp(disk_on_error_names[i], text) != 0) {
        i++;
    }
    if (!disk_on_error_names[i] || (reads && i == DISK_ON_ERROR_ENOSPC)) {
        error_setg(errp, "-drive %s=%s: there are report, ignore, stop%s and auto", key, text,
                   reads ? "" : ", enospc");
        return false;
    }
    *out = (DiskOnError)i;
    return true;
}

/*
 * What a recording reads from must be the same on replay, so the image of a machine that is recorded
 * or replayed is not written to.
 */
static bool open_drive(Session *s, KeyVal *kv, const char *id, Error **errp)
{
    const Options *o = s->options;
    bool readonly = false, snapshot = o->disk_snapshot, is_node = false;
    DiskOnError werror, rerror;
    BlockNode *image;
    Drive *d;

    if (!keyval_get_bool(kv, "readonly", &readonly, errp) ||
        !keyval_get_bool(kv, "snapshot", &snapshot, errp) || !keyval_get_bool(kv, "is-node", &is_node, errp) ||
        !get_on_error(kv, "werror", &werror, errp) || !get_on_error(kv, "rerror", &rerror, errp)) {
        return false;
    }
    snapshot |= o->replay.mode != REPLAY_MODE_NONE;
    image = block_open(kv, "", readonly || snapshot ? 0 : BLOCK_WRITABLE, errp);
    if (!image || !keyval_check_unused(kv, "-drive", errp)) {
        block_close(image);
        return false;
    }
    if ((image->flags & BLOCK_PROBED) && block_is_writable(image)) {
        warn_report("drive '%s': nobody said what format '%s' has, and it looks raw; format=raw says so, and lets "
                    "the guest write any first sector", id, image->filename);
    }
    d = drive_add(s->machine, id, image, errp);
    if (d) {
        d->is_node = is_node;
        d->readonly = readonly;
        d->overlay = snapshot && !readonly;
        d->whole_identity = o->rrimage_full;
        d->werror = werror;
        d->rerror = rerror;
    }
    return d != NULL;
}

/* driver=blkreplay,image=ID: recording and replaying need nothing in between, so it is that drive. */
static bool rename_drive(Session *s, const char *id, const char *image, Error **errp)
{
    Drive *d = image ? drive_find(s->machine, image) : NULL;

    if (!d) {
        error_setg(errp, "-drive driver=blkreplay,id=%s: image=%s: there is no drive of that id in front of it", id,
                   image ? image : "");
        return false;
    }
    g_free(d->id);
    d->id = g_strdup(id);
    d->is_node = false;
    return true;
}

bool session_open_drives(Session *s, Error **errp)
{
    const Options *o = s->options;
    bool ok = true;

    for (unsigned i = 0; ok && i < o->drives->len; i++) {
        KeyVal *kv = flat_options(o, g_ptr_array_index(o->drives, i), errp);
        const char *id = kv ? keyval_get(kv, "id") : NULL;
        const char *driver = kv ? keyval_get(kv, "driver") : NULL;

        if (!kv) {
            return false;
        }
        if (driver && !strcmp(driver, "blkreplay")) {
            ok = rename_drive(s, id, keyval_get(kv, "image"), errp);
        } else if (!is_below_another(o, id)) {
            ok = open_drive(s, kv, id, errp);
        }
        keyval_free(kv);
    }
    return ok;
}
