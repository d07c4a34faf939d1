/*
 * Copies of recordings: records, and the keyframes between them.
 *
 * A copy is made through the same reader and writer as any other log, so that whatever is wrong
 * with the original is found here and not by who replays the copy. Numbers of records and keyframes
 * stay what they are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REPLAY_REPLAY_COPY_H
#define REPLAY_REPLAY_COPY_H

#include "replay/replay-cursor.h"

/* What a machine of 1 TiB has: the bound of page numbers where the machine is not known. */
#define REPLAY_COPY_MAX_PAGES (1ull << 28)

typedef struct ReplayCopier ReplayCopier;

/* Both stay the caller's, and are used by nobody else until the copier is freed. */
ReplayCopier *replay_copier_new(ReplayCursor *from, ReplayLogWriter *to);
/* Before anything is copied: sources get other numbers, indexed by those that they have. */
void replay_copier_map_sources(ReplayCopier *c, const GArray *numbers);
/*
 * Before anything is copied: keyframes are copied, too. One that is damaged or out of place is left
 * out with all behind it, and a warning says so.
 */
void replay_copier_with_keyframes(ReplayCopier *c);
/*
 * Copy on, until `records` records are in the copy, and the keyframes up to position `upto`. False:
 * the log has fewer records.
 */
bool replay_copier_run(ReplayCopier *c, uint64_t records, uint64_t upto);
/* How often the guest had put something out at the last keyframe that was copied; 0: none was. */
uint64_t replay_copier_outputs(const ReplayCopier *c);
/* All is in the copy's file then, or its writer has failed. */
void replay_copier_free(ReplayCopier *c);

#endif
