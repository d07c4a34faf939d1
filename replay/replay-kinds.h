/*
 * What the kinds table says about a record kind, and the rendering of payloads
 * for people. Nothing here takes part in recording or replay.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REPLAY_REPLAY_KINDS_H
#define REPLAY_REPLAY_KINDS_H

#include <glib.h>
#include "replay/sources.h"

typedef enum ReplayClass {
    REPLAY_CLASS_POSTED,
    REPLAY_CLASS_VALUE,
    REPLAY_CLASS_MARK,
    REPLAY_CLASS_BOUND,
    REPLAY_CLASS_END,
} ReplayClass;

typedef struct ReplayKindInfo {
    const char *name;
    ReplayClass class_;
    const char *payload;
    const char *doc;
} ReplayKindInfo;

/* The row of a kind, or NULL for a number that the table does not have. */
const ReplayKindInfo *replay_kind_info(uint64_t kind);
/* The number of a named kind, 0 when there is none. */
unsigned replay_kind_by_name(const char *name);
/* The kind's records name their source. The kind must exist. */
bool replay_kind_has_source(unsigned kind);
/* The name of a checkpoint, "?" when unknown. */
const char *replay_checkpoint_name(unsigned checkpoint);

/* "-5 ns", "checkpoint reset", "12 bytes 6c 73 0a  "ls."": decoded as far as it is valid. */
void replay_payload_format(GString *out, unsigned kind, const uint8_t *payload, size_t length);

/* The cause in END of a recording that was saved while its machine went on; others are shutdowns. */
#define REPLAY_END_SAVED 255

#endif
