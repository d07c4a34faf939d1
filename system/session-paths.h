/*
 * Where the files are that a recording was made of (-icount rrpath=).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_SESSION_PATHS_H
#define SYSTEM_SESSION_PATHS_H

#include "replay/replay.h"
#include "util/keyval.h"

typedef struct SessionPaths SessionPaths;

/* moves: texts "OLD=NEW"; stays the caller's. */
SessionPaths *session_paths_new(Replay *replay, const GPtrArray *moves);
/* A path that was left out of the options: the recording's ("info.kernel"), or where that is now. */
void session_paths_recall(SessionPaths *p, const char *name, char **option);
/* The same for all drives' texts, if there are none yet. */
void session_paths_recall_drives(SessionPaths *p, GPtrArray *drives);
/* That was all; frees it. Fails when one of the files is not there, or an option was about none of them. */
bool session_paths_end(SessionPaths *p, Error **errp);

#endif
