/*
 * Where a replay is in its log: the next record, a look-ahead within the decoded
 * frame, and the last records for reports. Records come fully checked: known
 * kind, a source of that kind in the description, nothing behind END.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REPLAY_REPLAY_CURSOR_H
#define REPLAY_REPLAY_CURSOR_H

#include "replay/replay-describe.h"
#include "replay/replay-log.h"

#define REPLAY_HISTORY 16

typedef struct ReplayCursor ReplayCursor;

/* Takes over the reader. The description is parsed from the log and owned by the cursor. */
ReplayCursor *replay_cursor_new(ReplayLogReader *reader, Error **errp);
ReplayCursor *replay_cursor_open(const char *path, Error **errp);
void replay_cursor_free(ReplayCursor *c);
const ReplayDescription *replay_cursor_description(const ReplayCursor *c);
/* The file's format version. */
unsigned replay_cursor_format(const ReplayCursor *c);
/* The file's id, REPLAY_LOG_ID_SIZE bytes. */
const uint8_t *replay_cursor_id(const ReplayCursor *c);

/* The next record, or NULL when there is none (see the status). Valid until
 * replay_cursor_advance(). */
const ReplayRecord *replay_cursor_peek(ReplayCursor *c);
/* Step over the record that replay_cursor_peek() returned. */
void replay_cursor_advance(ReplayCursor *c);

/*
 * A position up to which no posted record is due, and not before the next one:
 * the first record of this frame that is neither a value nor a mark, or its last one.
 * UINT64_MAX when nothing is left.
 */
uint64_t replay_cursor_bound(ReplayCursor *c);

/* FRAME while records are left or may be. */
ReplayLogStatus replay_cursor_status(const ReplayCursor *c);
/* What is wrong (DAMAGED). */
const char *replay_cursor_damage(const ReplayCursor *c);
/* The frame of the next record. */
uint32_t replay_cursor_frame(const ReplayCursor *c);
/*
 * Go back or forth: `record` records of the log are then stepped over. In a complete file the
 * index leads near the place, so nothing else is read. Fails when the log has fewer records, or
 * is damaged there; where the cursor is then is undefined.
 */
bool replay_cursor_go(ReplayCursor *c, uint64_t record, Error **errp);
/* A reader of the same log, at its start. */
ReplayLogReader *replay_cursor_open_again(const ReplayCursor *c, Error **errp);
/* Where frames are (ReplayIndexEntry), known from elsewhere; before anything is read. */
void replay_cursor_know_frames(ReplayCursor *c, const GArray *index);
/* The position of the log's last record. */
uint64_t replay_cursor_last_pos(ReplayCursor *c);
/* Records stepped over. */
uint64_t replay_cursor_count(const ReplayCursor *c);

/* "#12 position 3456 CHAR 'uart0': 1 bytes 61 "a"", for people. */
void replay_record_format(GString *out, const ReplayRecord *rec, const ReplayDescription *d);
/* The last records stepped over, oldest first, a line each. */
void replay_cursor_history(const ReplayCursor *c, GString *out);

#endif
