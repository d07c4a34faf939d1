/*
 * Commands of QMP about recordings and replays, and travelling in them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor/qmp.h"
#include "replay/replay.h"

/* ---- queries ---- */

typedef struct ReplayCall {
    ExecLoop *loop;
    QapiXRearmReplayState *state;
} ReplayCall;

static void replay_run(void *opaque)
{
    ReplayCall *c = opaque;
    QapiXRearmReplayState *s = c->state;
    Machine *m = exec_loop_machine(c->loop);
    const char *mode = replay_mode_name(m->replay);
    GString *detail = g_string_new("");

    s->mode = !strcmp(mode, "none") ? QAPI_REPLAY_MODE_NONE :
              !strcmp(mode, "record") ? QAPI_REPLAY_MODE_RECORD : QAPI_REPLAY_MODE_PLAY;
    s->filename = g_strdup(replay_file(m->replay));
    s->icount = clock_icount(m->clock);
    s->position = exec_loop_position(c->loop);
    replay_info(m->replay, detail);
    s->detail = g_string_free(detail, FALSE);
}

bool qmp_x_rearm_query_replay(QmpContext *ctx, QapiXRearmReplayState **ret, Error **errp)
{
    ReplayCall c = { ctx->env->loop, g_new0(QapiXRearmReplayState, 1) };

    machine_run_sync(c.loop, replay_run, &c);
    *ret = c.state;
    return true;
}

bool qmp_query_replay(QmpContext *ctx, QapiReplayInfo **ret, Error **errp)
{
    g_autoptr(QapiXRearmReplayState) state = NULL;

    qmp_x_rearm_query_replay(ctx, &state, errp);
    *ret = g_new0(QapiReplayInfo, 1);
    (*ret)->mode = state->mode;
    (*ret)->filename = g_steal_pointer(&state->filename);
    (*ret)->icount = state->icount;
    return true;
}

typedef struct DigestCall {
    ExecLoop *loop;
    QapiXRearmDigest *digest;
} DigestCall;

static void digest_run(void *opaque)
{
    DigestCall *c = opaque;

    c->digest->position = exec_loop_position(c->loop);
    c->digest->digest = g_strdup_printf("%016" PRIx64, exec_loop_digest(c->loop));
}

bool qmp_x_rearm_query_digest(QmpContext *ctx, QapiXRearmDigest **ret, Error **errp)
{
    DigestCall c = { ctx->env->loop, g_new0(QapiXRearmDigest, 1) };

    machine_run_sync(c.loop, digest_run, &c);
    *ret = c.digest;
    return true;
}

/* ---- travelling ---- */

typedef struct BreakCall {
    ExecLoop *loop;
    uint64_t position;
    bool all, done;
} BreakCall;

static void add_break(void *opaque)
{
    BreakCall *c = opaque;

    c->done = exec_loop_add_break(c->loop, c->position);
}

static void remove_breaks(void *opaque)
{
    BreakCall *c = opaque;
    const GArray *breaks = exec_loop_breaks(c->loop);

    if (!c->all) {
        c->done = exec_loop_remove_break(c->loop, c->position);
        return;
    }
    c->done = true;
    while (breaks->len) {
        exec_loop_remove_break(c->loop, g_array_index(breaks, uint64_t, breaks->len - 1));
    }
}

static bool position_of(int64_t icount, uint64_t *position, Error **errp)
{
    if (icount < 0) {
        error_setg(errp, "%" PRId64 " is not a position: they begin at 0", icount);
        return false;
    }
    *position = (uint64_t)icount;
    return true;
}

bool qmp_replay_break(QmpContext *ctx, const QapiReplayBreakArgs *args, Error **errp)
{
    BreakCall c = { .loop = ctx->env->loop };

    if (!position_of(args->icount, &c.position, errp)) {
        return false;
    }
    machine_run_sync(c.loop, add_break, &c);
    if (!c.done) {
        error_setg(errp, "there is a break at position %" PRIu64 " already", c.position);
    }
    return c.done;
}

bool qmp_replay_delete_break(QmpContext *ctx, const QapiReplayDeleteBreakArgs *args, Error **errp)
{
    BreakCall c = { .loop = ctx->env->loop, .all = !args->has_icount };

    if (args->has_icount && !position_of(args->icount, &c.position, errp)) {
        return false;
    }
    machine_run_sync(c.loop, remove_breaks, &c);
    if (!c.done) {
        error_setg(errp, "there is no break at position %" PRIu64, c.position);
    }
    return c.done;
}

bool qmp_replay_seek(QmpContext *ctx, const QapiReplaySeekArgs *args, Error **errp)
{
    uint64_t position;

    return position_of(args->icount, &position, errp) &&
           exec_loop_seek(ctx->env->loop, position, errp);
}
