/*
 * Drives of a machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/block/disk.h"

const char *const disk_on_error_names[] = { "auto", "report", "ignore", "stop", "enospc", NULL };

static void drive_free(void *opaque)
{
    Drive *d = opaque;

    block_close(d->image);
    g_free(d->id);
    g_free(d);
}

Drive *drive_find(Machine *m, const char *id)
{
    for (unsigned i = 0; i < m->drives->len; i++) {
        Drive *d = g_ptr_array_index(m->drives, i);

        if (!strcmp(d->id, id)) {
            return d;
        }
    }
    return NULL;
}

Drive *drive_add(Machine *m, const char *id, BlockNode *image, Error **errp)
{
    Drive *d;

    if (drive_find(m, id)) {
        error_setg(errp, "the id '%s' is that of another drive", id);
        block_close(image);
        return NULL;
    }
    d = g_new0(Drive, 1);
    d->id = g_strdup(id);
    d->image = image;
    d->readonly = !block_is_writable(image);
    m->before_hotplug = disk_prepare_all;
    g_ptr_array_set_free_func(m->drives, drive_free);
    g_ptr_array_add(m->drives, d);
    return d;
}

Drive *drive_join(Machine *m, const char *id, BlockNode *image, Error **errp)
{
    Drive *d = drive_add(m, id, image, errp);

    if (d && !disk_prepare_late(d, m)) {
        error_setg(errp, "drive '%s' cannot come while a run is recorded or replayed: a recording has the images that "
                   "it began with; give it to the machine with -drive or -blockdev, and its device with device_add", id);
        g_ptr_array_remove(m->drives, d);
        d = NULL;
    }
    return d;
}

BlockNode *drive_leave(Machine *m, const char *id, Error **errp)
{
    Drive *d = drive_find(m, id);
    BlockNode *image = NULL;

    if (!d) {
        error_setg(errp, "Failed to find node with node-name='%s'", id);
    } else if (d->user) {
        error_setg(errp, "Node '%s' is busy: it is the disk of device '%s'; device_del removes that", id, d->user->id);
    } else if (d->data) {
        error_setg(errp, "Node '%s' cannot go: what the guest writes to it (snapshot=on, and while a run is recorded or "
                   "replayed) is part of the machine", id);
    } else if (d->source && !replay_source_remove(d->source)) {
        error_setg(errp, "Node '%s' cannot go while a run is recorded or replayed: a recording has the images that "
                   "it began with", id);
    } else {
        image = g_steal_pointer(&d->image);
        g_ptr_array_remove(m->drives, d);
    }
    return image;
}

Drive *drive_take(Machine *m, const char *id, Device *user, Error **errp)
{
    Drive *d = id ? drive_find(m, id) : NULL;

    if (!id) {
        error_setg(errp, "%s needs drive=ID, the id of a -drive", user->type->name);
    } else if (!d) {
        error_setg(errp, "%s: there is no drive '%s': -drive file=IMAGE,if=none,id=%s makes one",
                   user->type->name, id, id);
    } else if (d->user) {
        error_setg(errp, "%s: drive '%s' is that of device '%s' already", user->type->name, id,
                   d->user->id);
        d = NULL;
    } else {
        d->user = user;
    }
    return d;
}

void drive_release(Device *user)
{
    const GPtrArray *drives = user->machine->drives;

    for (unsigned i = 0; i < drives->len; i++) {
        Drive *d = g_ptr_array_index(drives, i);

        if (d->user == user) {
            d->user = NULL;
        }
    }
}
