/*
 * A recording's self-description: what machine it belongs to. Stored as JSON in
 * the log's header; compared, name by name, before a replay starts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REPLAY_REPLAY_DESCRIBE_H
#define REPLAY_REPLAY_DESCRIBE_H

#include <glib.h>
#include "replay/replay-log.h"

typedef struct ReplayDescribedSource {
    ReplayKind kind;
    char *name;
} ReplayDescribedSource;

/* How far a machine is in a recording: on a settled boundary, where replay_act() may be called. */
typedef struct ReplayPlace {
    uint8_t id[REPLAY_LOG_ID_SIZE];   /* of the recording; zero: of none */
    uint64_t records;                 /* that come before */
    uint64_t pos;
} ReplayPlace;

/* A recording cannot have begun as more others than that. */
#define REPLAY_MAX_ANCESTORS 1024

typedef struct ReplayDescription {
    char *build;
    uint64_t engine;          /* REPLAY_ENGINE_REVISION of the program that recorded */
    ReplayCheck check;
    uint64_t check_period;
    GPtrArray *names;         /* char *, in order of addition */
    GPtrArray *values;        /* char * */
    GArray *sources;          /* ReplayDescribedSource, index = number in records */
    GArray *ancestors;        /* ReplayPlace: recordings that it began as, and up to where */
} ReplayDescription;

ReplayDescription *replay_description_new(void);
void replay_description_free(ReplayDescription *d);
void replay_description_add(ReplayDescription *d, const char *name, const char *value);
/* The value, or NULL. Owned by d. */
const char *replay_description_get(const ReplayDescription *d, const char *name);
void replay_description_add_source(ReplayDescription *d, ReplayKind kind, const char *name);
/* The index of a source, or REPLAY_NO_SOURCE. */
uint32_t replay_description_find_source(const ReplayDescription *d, ReplayKind kind,
                                        const char *name);
const ReplayDescribedSource *replay_description_source(const ReplayDescription *d,
                                                       uint32_t index);

/* "off", "events", "digest". */
const char *replay_check_name(ReplayCheck check);

char *replay_description_to_json(const ReplayDescription *d);
ReplayDescription *replay_description_from_json(const char *json, Error **errp);

/* False, saying what to do, when the recording is of another engine revision than this program. */
bool replay_description_check_engine(const ReplayDescription *recorded, Error **errp);
/*
 * False, naming the option and both values, at the first difference. with_state: also of what states have
 * with them.
 */
bool replay_description_compare(const ReplayDescription *recorded,
                                const ReplayDescription *now, bool with_state, Error **errp);

#endif
