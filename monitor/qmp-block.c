/*
 * Commands of QMP about disks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/block/drive.h"
#include "monitor/commands.h"
#include "monitor/qmp.h"
#include "monitor/qom-tree.h"
#include "util/keyval.h"

static QapiBlockDeviceInfo *device_info(const Drive *d)
{
    QapiBlockDeviceInfo *info = g_new0(QapiBlockDeviceInfo, 1);
    const BlockNode *image = d->image;

    info->file = g_strdup(image->filename);
    info->node_name = g_strdup(d->id);
    info->ro = !block_is_writable(image);
    info->drv = g_strdup(image->driver->name);
    info->image = g_new0(QapiImageInfo, 1);
    info->image->filename = g_strdup(image->filename);
    info->image->format = g_strdup(image->driver->name);
    info->image->virtual_size = (int64_t)block_bytes(image);
    if (image->backing) {
        info->backing_file = g_strdup(image->backing->filename);
        info->image->backing_filename = g_strdup(image->backing->filename);
    }
    for (const BlockNode *n = image->backing; n; n = n->backing) {
        info->backing_file_depth++;
    }
    info->cache = g_new0(QapiBlockdevCacheInfo, 1);
    info->cache->writeback = true;
    return info;
}

/* A node has none. */
static char *device_name(const Drive *d)
{
    return g_strdup(d->is_node ? "" : d->id);
}

typedef struct BlockCall {
    const GPtrArray *drives;
    QapiBlockInfoList **ret;
} BlockCall;

/* Machine thread: who uses a drive changes when devices come and go. */
static void query_run(void *opaque)
{
    const BlockCall *c = opaque;
    QapiBlockInfoList **tail = c->ret;

    for (unsigned i = 0; i < c->drives->len; i++) {
        const Drive *d = g_ptr_array_index(c->drives, i);
        QapiBlockInfo *info = g_new0(QapiBlockInfo, 1);

        info->device = device_name(d);
        info->qdev = d->user ? qom_device_path(d->user) : NULL;
        info->type = g_strdup("unknown");
        info->inserted = device_info(d);
        QAPI_APPEND(tail, info);
    }
}

bool qmp_query_block(QmpContext *ctx, QapiBlockInfoList **ret, Error **errp)
{
    BlockCall c = { exec_loop_machine(ctx->env->loop)->drives, ret };

    machine_run_sync(ctx->env->loop, query_run, &c);
    return true;
}

bool qmp_query_named_block_nodes(QmpContext *ctx, const QapiQueryNamedBlockNodesArgs *args,
                                 QapiBlockDeviceInfoList **ret, Error **errp)
{
    const GPtrArray *drives = exec_loop_machine(ctx->env->loop)->drives;

    for (unsigned i = 0; i < drives->len; i++) {
        QAPI_APPEND(ret, device_info(g_ptr_array_index(drives, i)));
    }
    return true;
}

static QapiBlockDeviceStats *device_stats(const Drive *d)
{
    QapiBlockDeviceStats *s = g_new0(QapiBlockDeviceStats, 1);
    const DriveCount *rd = &d->count[DRIVE_READS], *wr = &d->count[DRIVE_WRITES];
    const DriveCount *flush = &d->count[DRIVE_FLUSHES], *unmap = &d->count[DRIVE_UNMAPS];

    s->rd_bytes = (int64_t)rd->bytes;
    s->wr_bytes = (int64_t)wr->bytes;
    s->unmap_bytes = (int64_t)unmap->bytes;
    s->rd_operations = (int64_t)rd->operations;
    s->wr_operations = (int64_t)wr->operations;
    s->flush_operations = (int64_t)flush->operations;
    s->unmap_operations = (int64_t)unmap->operations;
    s->rd_total_time_ns = (int64_t)rd->image_ns;
    s->wr_total_time_ns = (int64_t)wr->image_ns;
    s->flush_total_time_ns = (int64_t)flush->image_ns;
    s->unmap_total_time_ns = (int64_t)unmap->image_ns;
    s->wr_highest_offset = (int64_t)d->highest_write;
    s->failed_rd_operations = (int64_t)rd->failed;
    s->failed_wr_operations = (int64_t)wr->failed;
    s->failed_flush_operations = (int64_t)flush->failed;
    s->failed_unmap_operations = (int64_t)unmap->failed;
    s->invalid_rd_operations = (int64_t)rd->invalid;
    s->invalid_wr_operations = (int64_t)wr->invalid;
    s->invalid_flush_operations = (int64_t)flush->invalid;
    s->invalid_unmap_operations = (int64_t)unmap->invalid;
    s->account_invalid = s->account_failed = true;
    return s;
}

typedef struct StatsCall {
    const GPtrArray *drives;
    bool nodes;                    /* nodes without what uses them */
    QapiBlockStatsList **ret;
} StatsCall;

/* Machine thread, as query_run(). */
static void stats_run(void *opaque)
{
    const StatsCall *c = opaque;
    QapiBlockStatsList **tail = c->ret;

    for (unsigned i = 0; i < c->drives->len; i++) {
        const Drive *d = g_ptr_array_index(c->drives, i);
        QapiBlockStats *stats;

        if (!d->user && !c->nodes) {
            continue;
        }
        stats = g_new0(QapiBlockStats, 1);
        if (!c->nodes) {
            stats->device = device_name(d);
            stats->qdev = qom_device_path(d->user);
        }
        stats->node_name = g_strdup(d->id);
        stats->stats = device_stats(d);
        QAPI_APPEND(tail, stats);
    }
}

bool qmp_query_blockstats(QmpContext *ctx, const QapiQueryBlockstatsArgs *args, QapiBlockStatsList **ret,
                          Error **errp)
{
    StatsCall c = { exec_loop_machine(ctx->env->loop)->drives, args->has_query_nodes && args->query_nodes, ret };

    machine_run_sync(ctx->env->loop, stats_run, &c);
    return true;
}

/* ---- changes ---- */

typedef struct ResizeCall {
    Drive *drive;
    uint64_t bytes;
    bool ok;
    Error **errp;
} ResizeCall;

static void resize_run(void *opaque)
{
    ResizeCall *c = opaque;

    c->ok = c->drive->resize(c->drive->user, c->bytes, c->errp);
}

bool qmp_block_resize(QmpContext *ctx, const QapiBlockResizeArgs *args, Error **errp)
{
    const char *name = args->device ? args->device : args->node_name;
    ResizeCall call = { .bytes = (uint64_t)args->size, .errp = errp };

    call.drive = name ? drive_find(exec_loop_machine(ctx->env->loop), name) : NULL;
    if (!call.drive) {
        error_setg(errp, name ? "Cannot find device='%s' nor node-name='%s'" : "Either 'device' or 'node-name' is needed",
                   name, name);
    } else if (args->size <= 0) {
        error_setg(errp, "Parameter 'size' expects a size of at least one sector");
    } else if (!call.drive->resize) {
        error_setg(errp, "drive '%s' is no device's disk: 'rearm-img resize' resizes its image", name);
    } else {
        machine_run_sync(ctx->env->loop, resize_run, &call);
    }
    return call.ok;
}

bool hmp_block_resize(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    QapiBlockResizeArgs a = { .device = (char *)hmp_text(args, "DRIVE") };
    uint64_t bytes;

    if (!parse_size(hmp_text(args, "SIZE"), 1u << 20, &bytes) || bytes > INT64_MAX) {
        error_setg(errp, "'%s' is no size, such as 512M or 8G", hmp_text(args, "SIZE"));
        return false;
    }
    a.size = (int64_t)bytes;
    return qmp_block_resize(&(QmpContext){ .env = env }, &a, errp);
}
