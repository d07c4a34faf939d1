/*
 * Commands of QMP about states of the machine in a file.
 *
 * The state is taken and put back on the machine thread; compressing, reading and writing is the
 * main thread's, while the machine goes on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/snapshot-file.h"
#include "monitor/qmp.h"
#include "replay/replay.h"
#include "util/host-clock.h"

/* What the machine thread has to tell or do. */
typedef struct StateCall {
    ExecLoop *loop;
    char *file;                 /* the recording's */
    SavedMachine *m;
    GByteArray *state;
    Error **errp;
    bool ok;
} StateCall;

/* ---- the file ---- */

static void file_run(void *opaque)
{
    StateCall *c = opaque;

    c->file = g_strdup(replay_file(exec_loop_machine(c->loop)->replay));
}

/* For g_free; NULL: there is none. */
static char *snapshot_path(MonitorEnv *env, Error **errp)
{
    StateCall c = { .loop = env->loop };
    g_autofree char *file = NULL;

    if (env->snapshot_file) {
        return g_strdup(env->snapshot_file);
    }
    machine_run_sync(env->loop, file_run, &c);
    file = c.file;
    if (!file) {
        error_setg(errp, "there is no snapshot file: it goes beside a recording in a file, or start "
                   "with -snapshot-file FILE");
        return NULL;
    }
    return g_strconcat(file, ".snap", NULL);
}

/* ---- save ---- */

static void save_run(void *opaque)
{
    StateCall *c = opaque;
    Machine *machine = exec_loop_machine(c->loop);

    c->m->description = replay_machine_text(machine->replay);
    c->m->time_ns = clock_now(machine->clock);
    c->m->icount = (uint64_t)clock_icount(machine->clock);
    c->m->position = exec_loop_position(c->loop);
    c->ok = machine_save(c->loop, c->state, c->errp);
}

SavedMachine *monitor_take_state(MonitorEnv *env, const char *name, GByteArray **state,
                                 Error **errp)
{
    StateCall c = { .loop = env->loop, .errp = errp };

    c.m = g_new0(SavedMachine, 1);
    c.m->name = g_strdup(name);
    c.m->date_ns = host_realtime_ns();
    c.state = g_byte_array_new();
    machine_run_sync(env->loop, save_run, &c);
    c.m->bytes = c.state->len;
    if (!c.ok) {
        g_clear_pointer(&c.m, saved_machine_free);
        g_clear_pointer(&c.state, g_byte_array_unref);
    }
    *state = c.state;
    return c.m;
}

bool monitor_save_snapshot(MonitorEnv *env, const char *name, Error **errp)
{
    g_autofree char *path = snapshot_path(env, errp);
    GByteArray *state = NULL;
    SavedMachine *m = path ? monitor_take_state(env, name, &state, errp) : NULL;
    bool ok = m && snapshot_file_add(path, m, state->data, errp);

    if (m) {
        g_byte_array_unref(state);
        saved_machine_free(m);
    }
    return ok;
}

bool qmp_x_rearm_savevm(QmpContext *ctx, const QapiXRearmSavevmArgs *args, Error **errp)
{
    return monitor_save_snapshot(ctx->env, args->name, errp);
}

/* ---- load ---- */

static void load_run(void *opaque)
{
    StateCall *c = opaque;

    c->ok = replay_machine_is(exec_loop_machine(c->loop)->replay, c->m->description, c->errp) &&
            exec_loop_load(c->loop, c->state->data, c->state->len, c->errp);
}

bool monitor_put_state(MonitorEnv *env, const SavedMachine *m, const GByteArray *state,
                       Error **errp)
{
    StateCall c = { .loop = env->loop, .m = (SavedMachine *)m, .state = (GByteArray *)state,
                    .errp = errp };

    machine_run_sync(env->loop, load_run, &c);
    return c.ok;
}

bool monitor_load_snapshot(MonitorEnv *env, const char *name, Error **errp)
{
    g_autofree char *path = snapshot_path(env, errp);
    GByteArray *state;
    SavedMachine *m;
    bool ok;

    if (!path) {
        return false;
    }
    state = snapshot_file_read(path, name, &m, errp);
    if (!state) {
        return false;
    }
    ok = monitor_put_state(env, m, state, errp);
    g_byte_array_unref(state);
    saved_machine_free(m);
    if (!ok) {
        error_prepend(errp, "cannot load the snapshot '%s': ", name);
    }
    return ok;
}

bool qmp_x_rearm_loadvm(QmpContext *ctx, const QapiXRearmLoadvmArgs *args, Error **errp)
{
    return monitor_load_snapshot(ctx->env, args->name, errp);
}

/* ---- the others ---- */

bool qmp_x_rearm_delvm(QmpContext *ctx, const QapiXRearmDelvmArgs *args, Error **errp)
{
    g_autofree char *path = snapshot_path(ctx->env, errp);

    return path && snapshot_file_remove(path, args->name, errp);
}

bool qmp_x_rearm_query_snapshots(QmpContext *ctx, QapiXRearmSnapshotList **ret, Error **errp)
{
    g_autofree char *path = snapshot_path(ctx->env, errp);
    GPtrArray *list = path ? snapshot_file_list(path, errp) : NULL;

    if (!list) {
        return false;
    }
    for (guint n = 0; n < list->len; n++) {
        const SavedMachine *m = g_ptr_array_index(list, n);
        QapiXRearmSnapshot *s = g_new0(QapiXRearmSnapshot, 1);

        s->name = g_utf8_make_valid(m->name, -1);
        s->vm_state_size = m->bytes;
        s->date = m->date_ns;
        s->vm_clock = m->time_ns;
        s->icount = (int64_t)m->icount;
        s->position = m->position;
        QAPI_APPEND(ret, s);
    }
    g_ptr_array_unref(list);
    return true;
}
