/*
 * Commands of QMP about migration.
 *
 * The state is taken, and put back, on the machine thread at one moment; packing, writing, waiting and
 * reading is a thread's own, while the monitors answer. The main thread begins a migration, and ends
 * it when the thread has told that it is done.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/channel.h"
#include "monitor/qmp.h"
#include "util/host-clock.h"

#define PAGE_BYTES 4096
/* Of a state, beside RAM: flash, devices, and what each page has. */
#define STATE_ROOM (1ull << 30)

struct MonitorMigration {
    MonitorEnv *env;
    bool incoming;                /* the last one, or the one that goes on */
    QapiMigrationStatus status;
    bool events;
    QapiRunState stop_state;      /* before it */
    bool resume;                  /* the machine ran before it, or runs behind it */
    char *error;
    int64_t begin, ready, end;    /* host time in ns; 0: not there yet */
    MonitorLater later;           /* who waits for the end */

    GThread *thread;              /* NULL: there is nothing to do; what follows is its */
    MigrationChannel *channel;
    SavedMachine *m;
    GByteArray *state;
    Error *err;
    GSource *connected;           /* of an incoming one: who sends is there; NULL: not yet */
    guint source;                 /* it is done */

    GMutex lock;                  /* guards what follows */
    uint64_t max_bandwidth;       /* bytes in a second; 0: any */
    uint64_t written, done;       /* to the channel, and of the state */
};

static void forget_work(MonitorMigration *m)
{
    if (m->connected) {
        g_source_destroy(m->connected);
        g_clear_pointer(&m->connected, g_source_unref);
    }
    g_clear_pointer(&m->channel, migration_channel_free);
    g_clear_pointer(&m->m, saved_machine_free);
    g_clear_pointer(&m->state, g_byte_array_unref);
}

void monitor_migration_free(MonitorMigration *m)
{
    if (!m) {
        return;
    }
    if (m->thread) {
        migration_channel_cancel(m->channel);
        g_thread_join(m->thread);
        g_source_remove(m->source);
        if (m->err) {
            error_free(m->err);
        }
    }
    forget_work(m);
    g_mutex_clear(&m->lock);
    g_free(m->error);
    g_free(m);
}

static MonitorMigration *migration_of(MonitorEnv *env)
{
    if (!env->migration) {
        env->migration = g_new0(MonitorMigration, 1);
        env->migration->env = env;
        g_mutex_init(&env->migration->lock);
    }
    return env->migration;
}

static void set_status(MonitorMigration *m, QapiMigrationStatus status)
{
    m->status = status;
    if (m->events) {
        qapi_event_migration(monitor_events_sink(m->env->events),
                             &(QapiMigrationEvent){ status });
    }
}

/* ---- begin and end ---- */

/* NAME is one of getfd's, a number a descriptor that was inherited. */
static MigrationChannel *open_channel(MonitorEnv *env, const char *uri, bool incoming, Error **errp)
{
    int fd;

    if (!g_str_has_prefix(uri, "fd:") || g_ascii_isdigit(uri[strlen("fd:")])) {
        return migration_channel_open(uri, incoming, !env->no_spawn, errp);
    }
    fd = monitor_take_fd(env, uri + strlen("fd:"), errp);
    return fd < 0 ? NULL : migration_channel_new(uri, fd);
}

static void begin(MonitorMigration *m, MigrationChannel *channel, bool incoming)
{
    g_clear_pointer(&m->error, g_free);
    m->incoming = incoming;
    m->channel = channel;
    m->begin = host_monotonic_ns();
    m->ready = m->end = 0;
    m->written = m->done = 0;
    set_status(m, QAPI_MIGRATION_STATUS_SETUP);
}

/* Takes err; NULL: it has succeeded. */
static void end(MonitorMigration *m, Error *err)
{
    bool cancelled = m->status == QAPI_MIGRATION_STATUS_CANCELLING;
    const MonitorLater later = m->later;

    forget_work(m);
    m->end = host_monotonic_ns();
    if (err) {
        m->error = g_strdup(error_get_pretty(err));
    }
    set_status(m, !err ? QAPI_MIGRATION_STATUS_COMPLETED :
                  cancelled ? QAPI_MIGRATION_STATUS_CANCELLED : QAPI_MIGRATION_STATUS_FAILED);
    if (later.answer) {
        g_autofree char *text = err ? g_strdup_printf("Error: %s\n", m->error) : g_strdup("");

        m->later = (MonitorLater){ 0 };
        later.answer(later.opaque, text);
    }
    if (err) {
        error_free(err);
    }
}

static bool busy(const MonitorMigration *m)
{
    return m->thread != NULL;
}

/* ---- out of here ---- */

/* As fast as max-bandwidth lets it. */
static bool write_piece(void *opaque, const uint8_t *data, size_t length, uint64_t done,
                        Error **errp)
{
    MonitorMigration *m = opaque;
    int64_t us = 0;

    if (!migration_channel_write(m->channel, data, length, errp)) {
        return false;
    }
    g_mutex_lock(&m->lock);
    m->written += length;
    m->done = done;
    if (m->max_bandwidth) {
        us = (int64_t)((double)m->written / (double)m->max_bandwidth * 1e6) -
             (host_monotonic_ns() - m->ready) / 1000;
    }
    g_mutex_unlock(&m->lock);
    return us <= 0 || migration_channel_pause(m->channel, us, errp);
}

static gboolean written(gpointer opaque)
{
    MonitorMigration *m = opaque;
    MonitorEnv *env = m->env;
    Error *err;

    g_thread_join(g_steal_pointer(&m->thread));
    err = g_steal_pointer(&m->err);
    if (monitor_events_stop_state(env->events) == QAPI_RUN_STATE_FINISH_MIGRATE) {
        monitor_events_set_stop_state(env->events, err ? m->stop_state
                                                       : QAPI_RUN_STATE_POSTMIGRATE);
    }
    if (err && m->resume) {
        exec_loop_cont(env->loop);
    }
    end(m, err);
    return G_SOURCE_REMOVE;
}

static gpointer write_thread(gpointer opaque)
{
    MonitorMigration *m = opaque;

    if (migration_channel_connect(m->channel, &m->err) &&
        snapshot_stream_write(m->m, m->state->data, write_piece, m, &m->err)) {
        migration_channel_finish(m->channel, &m->err);
    }
    m->source = g_idle_add(written, m);
    return NULL;
}

/* Stop the machine, and take its state. */
static bool take_state(MonitorMigration *m, Error **errp)
{
    MonitorEnv *env = m->env;

    m->resume = exec_loop_running(env->loop);
    exec_loop_stop(env->loop);
    m->stop_state = monitor_events_stop_state(env->events);
    m->m = monitor_take_state(env, "migration", &m->state, errp);
    if (m->m) {
        monitor_events_set_stop_state(env->events, QAPI_RUN_STATE_FINISH_MIGRATE);
    } else if (m->resume) {
        exec_loop_cont(env->loop);
    }
    return m->m != NULL;
}

bool monitor_migrate(MonitorEnv *env, const char *uri, const MonitorLater *later, Error **errp)
{
    MonitorMigration *m = migration_of(env);
    MigrationChannel *channel;
    Error *err = NULL;

    if (monitor_incoming(env)) {
        error_setg(errp, "Guest is waiting for an incoming migration");
        return false;
    }
    if (busy(m)) {
        error_setg(errp, "There's a migration process in progress");
        return false;
    }
    channel = open_channel(env, uri, false, errp);
    if (!channel) {
        return false;
    }
    begin(m, channel, false);
    if (!take_state(m, &err)) {
        error_setg(errp, "%s", error_get_pretty(err));
        end(m, err);
        return false;
    }
    m->later = later ? *later : (MonitorLater){ 0 };
    m->ready = host_monotonic_ns();
    set_status(m, QAPI_MIGRATION_STATUS_ACTIVE);
    m->thread = g_thread_new("migration", write_thread, m);
    return true;
}

bool qmp_migrate(QmpContext *ctx, const QapiMigrateArgs *args, Error **errp)
{
    if (args->has_resume && args->resume) {
        error_setg(errp, "Cannot resume if there is no paused migration");
        return false;
    }
    return monitor_migrate(ctx->env, args->uri, NULL, errp);
}

bool qmp_migrate_cancel(QmpContext *ctx, Error **errp)
{
    MonitorMigration *m = migration_of(ctx->env);

    if (busy(m) && !m->incoming && m->status != QAPI_MIGRATION_STATUS_CANCELLING) {
        set_status(m, QAPI_MIGRATION_STATUS_CANCELLING);
        migration_channel_cancel(m->channel);
    }
    return true;
}

bool monitor_migrating(MonitorEnv *env)
{
    return env->migration && busy(env->migration) && !env->migration->incoming;
}

/* ---- into here ---- */

bool monitor_incoming(MonitorEnv *env)
{
    return monitor_events_stop_state(env->events) == QAPI_RUN_STATE_INMIGRATE;
}

void monitor_migration_run(MonitorEnv *env, bool run)
{
    migration_of(env)->resume = run;
}

static bool read_piece(void *opaque, void *data, size_t length, Error **errp)
{
    return migration_channel_read(((MonitorMigration *)opaque)->channel, data, length, errp);
}

static gboolean has_connected(gpointer opaque)
{
    MonitorMigration *m = opaque;

    set_status(m, QAPI_MIGRATION_STATUS_ACTIVE);
    return G_SOURCE_REMOVE;
}

static gboolean was_read(gpointer opaque)
{
    MonitorMigration *m = opaque;
    MonitorEnv *env = m->env;
    Error *err;

    g_thread_join(g_steal_pointer(&m->thread));
    err = g_steal_pointer(&m->err);
    if (!err) {
        monitor_put_state(env, m->m, m->state, &err);
    }
    if (err) {
        Error *copy = NULL;

        error_setg(&copy, "-incoming: %s", error_get_pretty(err));
        end(m, err);
        env->incoming_failed(env->opaque, copy);
        return G_SOURCE_REMOVE;
    }
    monitor_events_set_stop_state(env->events, QAPI_RUN_STATE_PAUSED);
    end(m, NULL);
    if (m->resume) {
        exec_loop_cont(env->loop);
    }
    return G_SOURCE_REMOVE;
}

static gpointer read_thread(gpointer opaque)
{
    MonitorMigration *m = opaque;
    const BoardConfig *config = m->env->board_config;
    uint64_t max = MIN(SNAPSHOT_STATE_MAX, STATE_ROOM + (config ? config->ram_size : 0));

    if (migration_channel_connect(m->channel, &m->err)) {
        m->connected = g_idle_source_new();
        g_source_set_callback(m->connected, has_connected, m, NULL);
        g_source_attach(m->connected, NULL);
        m->state = snapshot_stream_read(migration_channel_uri(m->channel), max, read_piece, m, &m->m,
                                        &m->err);
    }
    m->source = g_idle_add(was_read, m);
    return NULL;
}

static bool start_incoming(MonitorEnv *env, const char *uri, Error **errp)
{
    MonitorMigration *m = migration_of(env);
    MigrationChannel *channel = open_channel(env, uri, true, errp);

    if (!channel) {
        return false;
    }
    begin(m, channel, true);
    m->thread = g_thread_new("migration", read_thread, m);
    return true;
}

bool monitor_start_incoming(MonitorEnv *env, const char *uri, bool run, Error **errp)
{
    migration_of(env)->resume = run;
    monitor_events_set_stop_state(env->events, QAPI_RUN_STATE_INMIGRATE);
    return !strcmp(uri, "defer") || start_incoming(env, uri, errp);
}

bool qmp_migrate_incoming(QmpContext *ctx, const QapiMigrateIncomingArgs *args, Error **errp)
{
    if (migration_of(ctx->env)->incoming) {
        error_setg(errp, "The incoming migration has already been started");
        return false;
    }
    if (!monitor_incoming(ctx->env)) {
        error_setg(errp, "'-incoming' was not specified on the command line");
        return false;
    }
    return start_incoming(ctx->env, args->uri, errp);
}

/* ---- what is chosen ---- */

bool qmp_query_migrate_capabilities(QmpContext *ctx, QapiMigrationCapabilityStatusList **ret,
                                    Error **errp)
{
    QapiMigrationCapabilityStatus *status = g_new0(QapiMigrationCapabilityStatus, 1);

    *status = (QapiMigrationCapabilityStatus){ QAPI_MIGRATION_CAPABILITY_EVENTS,
                                               migration_of(ctx->env)->events };
    QAPI_APPEND(ret, status);
    return true;
}

bool qmp_migrate_set_capabilities(QmpContext *ctx, const QapiMigrateSetCapabilitiesArgs *args,
                                  Error **errp)
{
    if (monitor_migrating(ctx->env)) {
        error_setg(errp, "There's a migration process in progress");
        return false;
    }
    /* There is one. */
    for (const QapiMigrationCapabilityStatusList *l = args->capabilities; l; l = l->next) {
        migration_of(ctx->env)->events = l->value->state;
    }
    return true;
}

bool qmp_query_migrate_parameters(QmpContext *ctx, QapiMigrationParameters **ret, Error **errp)
{
    *ret = g_new0(QapiMigrationParameters, 1);
    **ret = (QapiMigrationParameters){ .has_max_bandwidth = true,
                                       .max_bandwidth = migration_of(ctx->env)->max_bandwidth };
    return true;
}

bool qmp_migrate_set_parameters(QmpContext *ctx, const QapiMigrationParameters *args, Error **errp)
{
    MonitorMigration *m = migration_of(ctx->env);

    if (args->has_max_bandwidth) {
        g_mutex_lock(&m->lock);
        m->max_bandwidth = args->max_bandwidth;
        g_mutex_unlock(&m->lock);
    }
    return true;
}

/* ---- how it goes ---- */

static int64_t ms_between(int64_t from, int64_t to)
{
    return (to - from) / 1000000;
}

static void fill_ram(MonitorMigration *m, QapiMigrationStats *ram)
{
    double seconds = (double)((m->end ? m->end : host_monotonic_ns()) - m->ready) / 1e9;

    g_mutex_lock(&m->lock);
    /* With the state itself, what was known of it is gone. */
    *ram = (QapiMigrationStats){
        .transferred = (int64_t)m->written, .total = (int64_t)(m->m ? m->m->bytes : m->done),
        .page_size = PAGE_BYTES, .mbps = seconds > 0 ? (double)m->written * 8 / 1e6 / seconds : 0,
    };
    ram->remaining = ram->total - (int64_t)m->done;
    g_mutex_unlock(&m->lock);
}

bool qmp_query_migrate(QmpContext *ctx, QapiMigrationInfo **ret, Error **errp)
{
    MonitorMigration *m = migration_of(ctx->env);
    QapiMigrationInfo *info = g_new0(QapiMigrationInfo, 1);
    int64_t now = m->end ? m->end : host_monotonic_ns();

    *ret = info;
    if (m->status == QAPI_MIGRATION_STATUS_NONE) {
        return true;
    }
    info->has_status = info->has_total_time = true;
    info->status = m->status;
    info->total_time = ms_between(m->begin, now);
    info->error_desc = g_strdup(m->error);
    if (m->ready) {
        info->has_setup_time = info->has_downtime = true;
        info->setup_time = ms_between(m->begin, m->ready);
        /* It stands still from the beginning on. */
        info->downtime = info->total_time;
        info->ram = g_new0(QapiMigrationStats, 1);
        fill_ram(m, info->ram);
    }
    return true;
}
