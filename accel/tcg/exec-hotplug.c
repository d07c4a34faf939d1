/*
 * The execution loop: devices that a user adds and removes while the machine runs. They are writes as a
 * debugger's are (exec-debug.c): one that failed in the recording fails on replay, too, and has
 * changed nothing either time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-loop-internal.h"
#include "hw/core/hotplug.h"

static char *take_text(ByteReader *in)
{
    size_t length = byte_reader_left(in);

    return length ? g_strndup((const char *)bytes_get_data(in, length), length) : NULL;
}

/* Who asked is told; on replay nobody did, and it has failed in the recording as well. */
static void keep_error(ExecLoop *l, Error *err)
{
    l->written = !err;
    error_free(l->write_error);
    l->write_error = err;
}

bool loop_deliver_plug(ExecLoop *l, ByteReader *in)
{
    g_autofree char *text = take_text(in);
    Error *err = NULL;

    if (!text) {
        return false;
    }
    hotplug_add(l->machine, text, &err);
    keep_error(l, err);
    return true;
}

bool loop_deliver_unplug(ExecLoop *l, ByteReader *in)
{
    g_autofree char *id = take_text(in);
    Error *err = NULL;

    if (!id) {
        return false;
    }
    hotplug_del(l->machine, id, &err);
    keep_error(l, err);
    /* What the guest has never switched on goes within this, also while the machine stands. */
    hotplug_take_ejected(l->machine, loop_tell_deleted, l);
    return true;
}

static bool write_plug(ExecLoop *l, bool plug, const char *text, Error **errp)
{
    if (!*text || strlen(text) > EXEC_MAX_WRITE) {
        error_setg(errp, "a device's description of %zu characters: 1 to %d are possible", strlen(text),
                   EXEC_MAX_WRITE);
        return false;
    }
    switch (loop_write_plug(l, plug, text)) {
    case EXEC_WRITE_DONE:
        return true;
    case EXEC_WRITE_REFUSED:
        error_setg(errp, EXEC_WRITE_REFUSAL);
        return false;
    case EXEC_WRITE_FAILED:
        break;
    }
    error_propagate(errp, g_steal_pointer(&l->write_error));
    return false;
}

bool exec_loop_plug(ExecLoop *l, const char *text, Error **errp)
{
    return write_plug(l, true, text, errp);
}

bool exec_loop_unplug(ExecLoop *l, const char *id, Error **errp)
{
    return write_plug(l, false, id, errp);
}
