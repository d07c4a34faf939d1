/*
 * Commands of QMP about disks. What they tell does not change while the machine runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/block/drive.h"
#include "monitor/qmp.h"

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

        info->device = g_strdup(d->id);
        info->qdev = d->user ? g_strdup(d->user->id) : NULL;
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
