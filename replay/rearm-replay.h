/*
 * Between the files of the program rearm-replay.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REPLAY_REARM_REPLAY_H
#define REPLAY_REARM_REPLAY_H

#include "replay/replay-cursor.h"

/* The program's exit status. */
enum { STATUS_OK = 0, STATUS_DIFFERENT = 1, STATUS_TROUBLE = 2 };

/* Print and free it. Returns STATUS_TROUBLE. */
int tool_complain(Error *err);

/* How many keyframes there are; with check, all are read. -1: one is damaged, which is told. */
int tool_count_keyframes(const ReplayCursor *c, const char *path, bool check);
/* files: the recording, seconds or NULL. Returns on failure only. */
int tool_run_keyframes(char **files, bool json);

#endif
