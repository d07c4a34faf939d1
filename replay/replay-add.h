/*
 * Keyframes for a recording that is there already: a replay of it writes a copy, with the keyframes
 * that it takes on its way between the records.
 *
 * 1. The copy is FILE.keyframes, beside the recording. It has the recording's id, description and
 *    records, so that whatever belongs to the one belongs to the other.
 * 2. When the replay has come to its end, and that was as recorded, the copy takes the recording's
 *    name. The recording itself is never written to, and keeps the name FILE.old.
 * 3. At every moment FILE is one of the two, whole: a replay that is killed leaves FILE as it was,
 *    and at most a FILE.keyframes that the next one overwrites.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REPLAY_REPLAY_ADD_H
#define REPLAY_REPLAY_ADD_H

#include "replay/replay-log.h"

typedef struct ReplayAdder ReplayAdder;

/* Refuses a recording that is still being made, and a folder that cannot be written to. */
ReplayAdder *replay_adder_new(const char *file, Error **errp);
/* Where keyframes are put: behind replay_adder_copy(). */
ReplayLogWriter *replay_adder_writer(ReplayAdder *a);
/* Records up to this number are in the copy. False: the recording does not have so many. */
bool replay_adder_copy(ReplayAdder *a, uint64_t records);
/* The rest of the records; then the copy is the recording. On failure the copy is gone. */
bool replay_adder_finish(ReplayAdder *a, Error **errp);
/* How many keyframes it has, and what the recording's name is now; after it was finished. */
guint replay_adder_count(const ReplayAdder *a);
const char *replay_adder_old(const ReplayAdder *a);
/* What was not finished is removed. */
void replay_adder_free(ReplayAdder *a);

#endif
