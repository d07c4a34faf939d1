/*
 * Between the files of the program rearm-replay.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REPLAY_REARM_REPLAY_H
#define REPLAY_REARM_REPLAY_H

#include <json.h>
#include "replay/replay-copy.h"

/* The program's exit status. */
enum { STATUS_OK = 0, STATUS_DIFFERENT = 1, STATUS_TROUBLE = 2 };

/* Print and free it. Returns STATUS_TROUBLE. */
int tool_complain(Error *err);
void tool_json_add_int(struct json_object *o, const char *name, uint64_t value);

/* A recording's keyframes, one after the other. */
typedef struct ToolKeyframes {
    const char *path;
    ReplayLogReader *reader;
    GArray *list;             /* ReplayIndexEntry */
    guint next;
    bool damaged;             /* one is, which was told; there is no other */
} ToolKeyframes;

void tool_keyframes_open(ToolKeyframes *k, const ReplayCursor *c, const char *path);
void tool_keyframes_close(ToolKeyframes *k);
/* NULL: no more. */
const ReplayIndexEntry *tool_keyframes_peek(const ToolKeyframes *k);
/* The same, and step over it; with check, all its data is read. */
ReplayKeyframeHead *tool_keyframes_next(ToolKeyframes *k, bool check);

/* False: one is damaged, which was told. */
bool tool_check_keyframes(const ReplayCursor *c, const char *path);
/* A line for all of them. False: as above. */
bool tool_print_keyframes(const ReplayCursor *c, const char *path);
/* A line for each that has not more than so many records before it. */
void tool_dump_keyframes(ToolKeyframes *k, uint64_t records, bool json);
/* files: the recording, seconds or NULL. Returns on failure only. */
int tool_run_keyframes(char **files, bool option);

#endif
