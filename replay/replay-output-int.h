/*
 * Between the files of what the guest has put out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REPLAY_REPLAY_OUTPUT_INT_H
#define REPLAY_REPLAY_OUTPUT_INT_H

#include "replay/replay-int.h"

typedef struct ReplaySearch ReplaySearch;

struct ReplayOutput {
    Replay *replay;
    unsigned index;
    char *name;
};

struct ReplayOutputs {
    GPtrArray *ports;         /* ReplayOutput */
    GQueue segments;
    size_t bytes;
    uint64_t made;            /* at this place of the run */
    uint64_t known;           /* ever */
    bool dropped;
    ReplaySearch *awaited;    /* NULL: nothing */
};

/* Those in the history, from the one with that number on. */
void replay_outputs_each(ReplayOutputs *h, uint64_t from, ReplayOutputFn *fn, void *opaque);

/* The number of the first one that is not gone from it. */
uint64_t replay_outputs_first(ReplayOutputs *h);

/* ---- replay-output-search.c ---- */

void replay_search_free(ReplaySearch *s);
/* What is awaited may be in this output, new or made again. */
void replay_search_made(ReplayOutputs *h, const ReplayOutputEntry *e);
/* The history is another one: look for the same text again. */
void replay_search_restart(ReplayOutputs *h);

#endif
