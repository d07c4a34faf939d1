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
    const GArray *breaks = exec_loop_breaks(c->loop);
    QapiUint64List **tail = &s->breaks;
    const char *mode = replay_mode_name(m->replay);
    GString *detail = g_string_new("");
    ExecSnapshotInfo snapshots;

    s->mode = !strcmp(mode, "none") ? QAPI_REPLAY_MODE_NONE :
              !strcmp(mode, "record") ? QAPI_REPLAY_MODE_RECORD : QAPI_REPLAY_MODE_PLAY;
    s->filename = g_strdup(replay_file(m->replay));
    s->icount = clock_icount(m->clock);
    s->position = exec_loop_position(c->loop);
    s->has_end = !replay_is_live(m->replay) && replay_last_position(m->replay, &s->end);
    s->time = clock_now(m->clock);
    for (guint n = 0; n < breaks->len; n++) {
        QAPI_APPEND(tail, g_array_index(breaks, uint64_t, n));
    }
    exec_loop_snapshot_info(c->loop, &snapshots);
    s->snapshots = snapshots.number;
    s->snapshot_bytes = snapshots.bytes;
    s->has_snapshot_budget = snapshots.budget > 0;
    s->snapshot_budget = snapshots.budget;
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

/* ---- where to: "1234", "50%", "+1.5s", "@"text"", "@"text"#2", "+@"text"" ---- */

/* A number with decimals at the start of the text; NULL: there is none. */
static const char *parse_decimal(const char *text, double *out)
{
    char *end;

    if (!g_ascii_isdigit(*text)) {
        return NULL;
    }
    *out = g_ascii_strtod(text, &end);
    return end;
}

typedef struct LastCall {
    Replay *replay;
    uint64_t last;
    bool ok;
} LastCall;

static void last_run(void *opaque)
{
    LastCall *c = opaque;

    c->ok = replay_last_position(c->replay, &c->last);
}

static bool seek_part(QmpContext *ctx, double percent, Error **errp)
{
    LastCall c = { .replay = exec_loop_machine(ctx->env->loop)->replay };

    if (percent > 100) {
        error_setg(errp, "the recording ends at 100%%");
        return false;
    }
    machine_run_sync(ctx->env->loop, last_run, &c);
    if (!c.ok) {
        error_setg(errp, "nothing is recorded or replayed here");
        return false;
    }
    return exec_loop_seek(ctx->env->loop, percent == 100 ? c.last :
                          (uint64_t)((double)c.last / 100 * percent), errp);
}

/* "1.5s", up to a century. */
static bool parse_time(const char *text, int64_t *ns)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = { { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 }, { "ns", 1 } };
    double number = 0;
    const char *unit = parse_decimal(text, &number);

    for (unsigned i = 0; unit && i < ARRAY_SIZE(units); i++) {
        if (!strcmp(unit, units[i].name) && number * units[i].ns < 3e18) {
            *ns = (int64_t)(number * units[i].ns + 0.5);
            return true;
        }
    }
    return false;
}

static bool seek_time(QmpContext *ctx, const char *place, Error **errp)
{
    int64_t ns;

    if (!parse_time(place + 1, &ns)) {
        error_setg(errp, "'%s' is no time: expected a number and s, ms, us or ns, as in %c200ms",
                   place, *place);
        return false;
    }
    return exec_loop_seek_by(ctx->env->loop, *place == '-' ? -ns : ns, errp);
}

/* Quotes may be left out; within them there are the escapes of C. */
static char *unquote(const char *text)
{
    size_t length = strlen(text);
    g_autofree char *inner = NULL;

    if (length < 2 || text[0] != '"' || text[length - 1] != '"') {
        return g_strdup(text);
    }
    inner = g_strndup(text + 1, length - 2);
    return g_strcompress(inner);
}

/* What is behind the last quote, the N of #N, or 1. *text ends at the quote then. */
static bool take_number(char *text, uint64_t *number, Error **errp)
{
    char *quote = strrchr(text, '"'), *mark = quote ? quote + 1 : NULL;

    *number = 1;
    if (*text != '"' || quote == text || *mark != '#') {
        return true;
    }
    if (!parse_u64(mark + 1, number) || !*number) {
        error_setg(errp, "'%s': expected a number from 1 on, as in @\"login:\"#2", mark);
        return false;
    }
    *mark = '\0';
    return true;
}

/* Behind the @. */
static bool seek_text(QmpContext *ctx, ExecTextFrom from, const char *place, Error **errp)
{
    g_autofree char *text = g_strdup(place), *wanted = NULL;
    uint64_t number;

    if (!take_number(text, &number, errp)) {
        return false;
    }
    wanted = unquote(text);
    if (!*wanted) {
        error_setg(errp, "a text is missing behind the @, as in @\"login:\"");
        return false;
    }
    if (from == EXEC_TEXT_BEFORE_HERE && number > 1) {
        error_setg(errp, "-@ goes to the last time before here; #%" PRIu64 " counts forwards only",
                   number);
        return false;
    }
    return exec_loop_seek_text(ctx->env->loop, wanted, from, number, errp);
}

bool qmp_x_rearm_replay_seek(QmpContext *ctx, const QapiXRearmReplaySeekArgs *args, Error **errp)
{
    const char *place = args->place, *end;
    uint64_t position;
    double percent;

    if (*place == '@') {
        return seek_text(ctx, EXEC_TEXT_FROM_START, place + 1, errp);
    }
    if (g_str_has_prefix(place, "+@") || g_str_has_prefix(place, "-@")) {
        return seek_text(ctx, *place == '+' ? EXEC_TEXT_FROM_HERE : EXEC_TEXT_BEFORE_HERE,
                         place + 2, errp);
    }
    if (*place == '+' || *place == '-') {
        return seek_time(ctx, place, errp);
    }
    end = parse_decimal(place, &percent);
    if (end && !strcmp(end, "%")) {
        return seek_part(ctx, percent, errp);
    }
    if (!parse_u64(place, &position) || position > INT64_MAX) {
        error_setg(errp, "'%s' is no place: give a position as 'info replay' shows it, a part "
                   "(50%%), a time from now (+1.5s, -200ms) or a console's text (@\"login:\")", place);
        return false;
    }
    return exec_loop_seek(ctx->env->loop, position, errp);
}

/* ---- what becomes of a recording ---- */

typedef struct FileCall {
    ExecLoop *loop;
    const char *file;
    Error **errp;
    bool ok;
} FileCall;

static void golive_run(void *opaque)
{
    FileCall *c = opaque;

    c->ok = exec_loop_go_live(c->loop, c->file, c->errp);
}

bool qmp_x_rearm_replay_golive(QmpContext *ctx, const QapiXRearmReplayGoliveArgs *args,
                               Error **errp)
{
    FileCall c = { .loop = ctx->env->loop, .file = args->file, .errp = errp };

    machine_run_sync(c.loop, golive_run, &c);
    return c.ok;
}

static void save_run(void *opaque)
{
    FileCall *c = opaque;

    c->ok = replay_save_log(exec_loop_machine(c->loop)->replay, c->file, false, c->errp);
}

bool qmp_x_rearm_replay_save(QmpContext *ctx, const QapiXRearmReplaySaveArgs *args, Error **errp)
{
    FileCall c = { .loop = ctx->env->loop, .file = args->file, .errp = errp };

    machine_run_sync(c.loop, save_run, &c);
    return c.ok;
}

/* ---- the console ---- */

typedef struct ConsoleCall {
    ExecLoop *loop;
    const char *port;
    GString *out;
    Error **errp;
    bool ok;
} ConsoleCall;

static void console_run(void *opaque)
{
    ConsoleCall *c = opaque;

    c->ok = replay_output_text(exec_loop_machine(c->loop)->replay, c->port,
                               exec_loop_position(c->loop), c->out, c->errp);
}

bool qmp_x_rearm_replay_console(QmpContext *ctx, const QapiXRearmReplayConsoleArgs *args,
                                QapiHumanReadableText **ret, Error **errp)
{
    g_autoptr(GString) out = g_string_new("");
    ConsoleCall c = { .loop = ctx->env->loop, .port = args->port, .out = out, .errp = errp };

    machine_run_sync(c.loop, console_run, &c);
    if (c.ok) {
        *ret = g_new0(QapiHumanReadableText, 1);
        /* A guest puts out what it likes. */
        (*ret)->human_readable_text = g_utf8_make_valid(out->str, (gssize)out->len);
    }
    return c.ok;
}
