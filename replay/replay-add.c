/*
 * Keyframes for a recording that is there already.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <sys/stat.h>
#include "replay/replay-add.h"
#include "replay/replay-copy.h"
#include "replay/replay-log-file.h"

struct ReplayAdder {
    char *file;               /* links followed */
    struct stat opened;       /* the file that had this name */
    ReplayCursor *from;       /* its file is locked */
    ReplayLogWriter *writer;
    ReplayCopier *copier;
    bool finished;
};

static ReplayLogReader *open_recording(ReplayAdder *a, Error **errp)
{
    int fd = replay_log_file_open_shared(a->file, &a->opened, errp);

    return fd < 0 ? NULL : replay_log_reader_open_fd(fd, a->file, errp);
}

static bool open_copy(ReplayAdder *a, const ReplayLogReader *reader, Error **errp)
{
    g_autofree char *path = g_strconcat(a->file, ".keyframes", NULL);

    a->writer = replay_log_writer_new(&replay_log_recording);
    replay_log_writer_set_id(a->writer, replay_log_reader_id(reader));
    if (!replay_log_writer_open(a->writer, path, replay_log_reader_json(reader), true, errp)) {
        g_clear_pointer(&a->writer, replay_log_writer_free);
        return false;
    }
    return true;
}

ReplayAdder *replay_adder_new(const char *file, Error **errp)
{
    ReplayAdder *a = g_new0(ReplayAdder, 1);
    ReplayLogReader *reader;

    a->file = replay_log_file_follow(file);
    reader = open_recording(a, errp);
    if (reader && open_copy(a, reader, errp)) {
        a->from = replay_cursor_new(g_steal_pointer(&reader), errp);
    }
    g_clear_pointer(&reader, replay_log_reader_free);
    if (a->from) {
        a->copier = replay_copier_new(a->from, a->writer);
    } else {
        error_prepend(errp, "'%s' cannot get keyframes: ", file);
        g_clear_pointer(&a, replay_adder_free);
    }
    return a;
}

void replay_adder_free(ReplayAdder *a)
{
    g_clear_pointer(&a->copier, replay_copier_free);
    if (a->writer && !a->finished) {
        replay_log_writer_discard(a->writer);
    }
    g_clear_pointer(&a->writer, replay_log_writer_free);
    g_clear_pointer(&a->from, replay_cursor_free);
    g_free(a->file);
    g_free(a);
}

ReplayLogWriter *replay_adder_writer(ReplayAdder *a)
{
    return a->writer;
}

bool replay_adder_copy(ReplayAdder *a, uint64_t records)
{
    return replay_copier_run(a->copier, records, 0);
}

bool replay_adder_finish(ReplayAdder *a, Error **errp)
{
    replay_adder_copy(a, UINT64_MAX);
    if (replay_cursor_damage(a->from)) {
        error_setg(errp, "%s", replay_cursor_damage(a->from));
        return false;
    }
    a->finished = replay_log_writer_finish_as(a->writer, a->file, &a->opened, errp);
    return a->finished;
}

guint replay_adder_count(const ReplayAdder *a)
{
    return replay_log_writer_keyframes(a->writer);
}

const char *replay_adder_old(const ReplayAdder *a)
{
    return replay_log_writer_old(a->writer);
}
