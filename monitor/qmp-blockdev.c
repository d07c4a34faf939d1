/*
 * Commands that open and close disk images while the machine runs.
 *
 * Images are opened and closed on the main thread, as that may take long; the machine's list of drives changes
 * on the machine thread.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <json-c/linkhash.h>
#include "hw/block/drive.h"
#include "monitor/commands.h"
#include "monitor/properties.h"
#include "monitor/qmp.h"
#include "monitor/qom-tree.h"
#include "util/keyval.h"

#define MAX_DEPTH 16

/* How the host does what it does, which is not the guest's business. */
static const char *const accepted[] = {
    "aio", "cache", "cache.direct", "cache.no-flush", "cache.writeback", "detect-zeroes", "discard", "auto-read-only",
    "index", "unit", "media", NULL
};

typedef struct DriveCall {
    MonitorEnv *env;
    const char *id;
    BlockNode *image;
    bool is_node;              /* blockdev-add's */
} DriveCall;

static bool join_run(void *opaque, Error **errp)
{
    DriveCall *c = opaque;
    Drive *d = drive_join(exec_loop_machine(c->env->loop), c->id, c->image, errp);

    if (d) {
        d->is_node = c->is_node;
    }
    return d != NULL;
}

static bool leave_run(void *opaque, Error **errp)
{
    DriveCall *c = opaque;

    c->image = drive_leave(exec_loop_machine(c->env->loop), c->id, errp);
    return c->image != NULL;
}

/* kv: of the block driver alone. */
static bool open_drive(MonitorEnv *env, const char *id, bool is_node, bool readonly, KeyVal *kv, Error **errp)
{
    DriveCall c = { .env = env, .id = id, .is_node = is_node };

    c.image = block_open(kv, "", readonly ? 0 : BLOCK_WRITABLE, errp);
    if (!c.image || !keyval_check_unused(kv, "blockdev-add", errp)) {
        block_close(c.image);
        return false;
    }
    if ((c.image->flags & BLOCK_PROBED) && block_is_writable(c.image)) {
        warn_report("drive '%s': nobody said what format '%s' has, and it looks raw; format=raw says so, and lets "
                    "the guest write any first sector", id, c.image->filename);
    }
    return monitor_on_machine(env, join_run, &c, errp);
}

static bool check_id(const char *id, const char *what, Error **errp)
{
    if (!id || !g_ascii_isalpha(*id) || id[strspn(id, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-._")]) {
        error_setg(errp, "Parameter '%s' expects an identifier: a letter, then letters, digits and -._", what);
        return false;
    }
    return true;
}

/* ---- blockdev-add ---- */

/* {"file": {"driver": "file"}} as file.driver=file. */
static bool flatten(GString *out, const char *prefix, json_object *args, unsigned depth, Error **errp)
{
    json_object_object_foreach(args, key, value) {
        g_autofree char *name = g_strconcat(prefix, key, NULL);
        g_autofree char *word = NULL;

        if (json_object_is_type(value, json_type_object)) {
            g_autofree char *below = g_strconcat(name, ".", NULL);

            if (depth == MAX_DEPTH) {
                error_setg(errp, "blockdev-add: more than %d nodes stand on one another", MAX_DEPTH);
                return false;
            }
            if (!flatten(out, below, value, depth + 1, errp)) {
                return false;
            }
            continue;
        }
        word = qmp_property_text(value);
        if (!word) {
            error_setg(errp, "Parameter '%s' is neither an object, a boolean, a number nor a string", name);
            return false;
        }
        if (!strcmp(key, "file") || !strcmp(key, "backing")) {
            error_setg(errp, "blockdev-add: %s=%s names a node; write its options in place: \"%s\": "
                       "{\"driver\": ..., ...}", name, word, key);
            return false;
        }
        /* Nodes below have names, and no user; they are as read-only as the top. */
        if (!g_strv_contains(accepted, key) && strcmp(prefix, "cache.") != 0 && !g_str_has_suffix(prefix, ".cache.") &&
            (!depth || (strcmp(key, "node-name") && strcmp(key, "read-only")))) {
            keyval_append(out, name, word);
        }
    }
    return true;
}

bool qmp_blockdev_add(QmpContext *ctx, json_object *args, Error **errp)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *id = NULL;
    bool readonly = false, ok = false;
    KeyVal *kv;

    if (!flatten(text, "", args, 0, errp)) {
        return false;
    }
    kv = keyval_parse(text->str, NULL, errp);
    if (!kv) {
        return false;
    }
    id = g_strdup(keyval_get(kv, "node-name"));
    if (!keyval_get(kv, "driver")) {
        error_setg(errp, "Parameter 'driver' is missing");
    } else if (check_id(id, "node-name", errp) && keyval_get_bool(kv, "read-only", &readonly, errp)) {
        ok = open_drive(ctx->env, id, true, readonly, kv, errp);
    }
    keyval_free(kv);
    return ok;
}

bool qmp_blockdev_del(QmpContext *ctx, const QapiBlockdevDelArgs *args, Error **errp)
{
    DriveCall c = { .env = ctx->env, .id = args->node_name };
    bool ok = monitor_on_machine(ctx->env, leave_run, &c, errp);

    block_close(c.image);
    return ok;
}

/* ---- drive_add ---- */

static void add_drive_key(const char *key, const char *value, void *opaque)
{
    static const char *const taken[] = { "id", "if", "readonly", "read-only", NULL };

    if (!g_strv_contains(taken, key) && !g_strv_contains(accepted, key)) {
        keyval_append(opaque, !strcmp(key, "file") ? "filename" : !strcmp(key, "format") ? "driver" : key, value);
    }
}

static bool add_drive(MonitorEnv *env, KeyVal *kv, Error **errp)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const char *interface = keyval_get(kv, "if"), *id = keyval_get(kv, "id");
    bool readonly = false, ok;
    KeyVal *node;

    if (g_strcmp0(interface, "none")) {
        error_setg(errp, "drive_add: if=%s: a drive that comes while the machine runs is if=none, and device_add "
                   "brings the device", interface ? interface : "virtio (default)");
        return false;
    }
    if (!check_id(id, "id", errp) || !keyval_get_bool(kv, "readonly", &readonly, errp) ||
        !keyval_get_bool(kv, "read-only", &readonly, errp)) {
        return false;
    }
    keyval_foreach(kv, add_drive_key, text);
    node = keyval_parse(text->str, NULL, errp);
    ok = node && open_drive(env, id, false, readonly, node, errp);
    keyval_free(node);
    return ok;
}

bool hmp_drive_add(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    KeyVal *kv = keyval_parse(hmp_text(args, "file=IMAGE,if=none,id=ID[,KEY=VALUE...]"), NULL, errp);
    bool ok = kv && add_drive(env, kv, errp);

    keyval_free(kv);
    return ok;
}

bool hmp_drive_del(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    return qmp_blockdev_del(&(QmpContext){ .env = env },
                            &(QapiBlockdevDelArgs){ (char *)hmp_text(args, "ID") }, errp);
}
