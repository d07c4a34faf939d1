/*
 * Commands of QMP about the memory balloon, and its properties that change while the machine runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/balloon.h"
#include "monitor/qmp.h"

typedef struct InfoCall {
    const Balloon *balloon;
    BalloonInfo info;
} InfoCall;

static void info_run(void *opaque)
{
    InfoCall *c = opaque;

    c->balloon->info(c->balloon->dev, &c->info);
}

static BalloonInfo look(MonitorEnv *env, const Balloon *balloon)
{
    InfoCall c = { .balloon = balloon };

    machine_run_sync(env->loop, info_run, &c);
    return c.info;
}

static const Balloon *need_balloon(QmpContext *ctx, Error **errp)
{
    const Balloon *balloon = exec_loop_machine(ctx->env->loop)->balloon;

    if (!balloon) {
        error_setg(errp, "No balloon device has been activated");
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_ACTIVE);
    }
    return balloon;
}

bool qmp_query_balloon(QmpContext *ctx, QapiBalloonInfo **ret, Error **errp)
{
    const Balloon *balloon = need_balloon(ctx, errp);

    if (!balloon) {
        return false;
    }
    *ret = g_new0(QapiBalloonInfo, 1);
    (*ret)->actual = (int64_t)look(ctx->env, balloon).actual;
    return true;
}

bool qmp_balloon(QmpContext *ctx, const QapiBalloonArgs *args, Error **errp)
{
    const Balloon *balloon = need_balloon(ctx, errp);

    if (!balloon) {
        return false;
    }
    if (args->value <= 0) {
        error_setg(errp, "Parameter 'target' expects a size");
        return false;
    }
    if (!balloon->ask_size(balloon->dev, (uint64_t)args->value)) {
        qmp_refuse_in_replay(errp);
        return false;
    }
    return true;
}

/* ---- properties ---- */

#define STATS "guest-stats"
#define INTERVAL "guest-stats-polling-interval"

/* The balloon that a device is, or has as its part; NULL: none. */
static const Balloon *balloon_of(const Device *dev)
{
    const Balloon *balloon = dev->machine->balloon;

    return balloon && (balloon->dev == dev || balloon->dev == dev->part) ? balloon : NULL;
}

static json_object *stats_json(const BalloonInfo *info)
{
    static const char *const names[BALLOON_NUM_STATS] = {
        "stat-swap-in", "stat-swap-out", "stat-major-faults", "stat-minor-faults", "stat-free-memory",
        "stat-total-memory", "stat-available-memory", "stat-disk-caches", "stat-htlb-pgalloc", "stat-htlb-pgfail",
    };
    json_object *out = json_object_new_object(), *stats = json_object_new_object();

    for (unsigned i = 0; i < BALLOON_NUM_STATS; i++) {
        json_object_object_add(stats, names[i], json_object_new_uint64(info->stat[i]));
    }
    json_object_object_add(out, "stats", stats);
    json_object_object_add(out, "last-update", json_object_new_int64(info->updated_ns / 1000000000));
    return out;
}

bool monitor_balloon_get(MonitorEnv *env, Device *dev, const char *name, json_object **value)
{
    const Balloon *balloon = balloon_of(dev);
    BalloonInfo info;

    if (!balloon || (strcmp(name, STATS) != 0 && strcmp(name, INTERVAL) != 0)) {
        return false;
    }
    info = look(env, balloon);
    *value = strcmp(name, STATS) ? json_object_new_int64(info.interval_s) : stats_json(&info);
    return true;
}

bool monitor_balloon_is_settable(Device *dev, const char *name)
{
    return balloon_of(dev) && !strcmp(name, INTERVAL);
}

/* The human monitor gives text. */
bool monitor_balloon_set(Device *dev, json_object *value, Error **errp)
{
    const Balloon *balloon = balloon_of(dev);
    const char *text = json_object_get_string(value);
    char *end;
    guint64 seconds = g_ascii_strtoull(text ? text : "", &end, 10);

    if (!text || !g_ascii_isdigit(*text) || *end || seconds > UINT32_MAX) {
        error_setg(errp, INTERVAL ": '%s' is not a number of seconds from 0 to %u", text ? text : "null", UINT32_MAX);
        return false;
    }
    if (!balloon->ask_stats(balloon->dev, (uint32_t)seconds)) {
        qmp_refuse_in_replay(errp);
        return false;
    }
    return true;
}
