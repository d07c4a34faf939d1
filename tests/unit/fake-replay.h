/*
 * A stand-in for replay/ in device tests: replay_value() hands out scripted bytes and
 * counts. Include it in one file of a test that does not link replay/.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_FAKE_REPLAY_H
#define TESTS_UNIT_FAKE_REPLAY_H

#include <glib.h>
#include "replay/sources.h"

struct ReplaySource {
    ReplayKind kind;
    char name[32];
};

static struct {
    ReplaySource sources[16];
    unsigned num_sources;
    unsigned num_values;
    size_t last_length;
    uint8_t next_byte;          /* values are next_byte, next_byte + 1, ... */
    const ReplaySource *last_source;
} fake_replay;

ReplaySource *replay_source_new(Replay *r, ReplayKind kind, const char *name,
                                ReplayDeliver *deliver, void *opaque)
{
    ReplaySource *s = &fake_replay.sources[fake_replay.num_sources++ % 16];

    s->kind = kind;
    g_strlcpy(s->name, name, sizeof(s->name));
    return s;
}

ReplaySource *replay_source_find(Replay *r, ReplayKind kind, const char *name)
{
    for (unsigned i = 0; i < MIN(fake_replay.num_sources, 16); i++) {
        ReplaySource *s = &fake_replay.sources[i];

        if (s->kind == kind && !strcmp(s->name, name)) {
            return s;
        }
    }
    return NULL;
}

ReplaySource *replay_source_add(Replay *r, ReplayKind kind, const char *name, ReplayDeliver *deliver,
                                void *opaque)
{
    return replay_source_new(r, kind, name, deliver, opaque);
}

bool replay_source_remove(ReplaySource *s)
{
    s->name[0] = 0;
    return true;
}

bool replay_post(ReplaySource *s, const void *payload, size_t length)
{
    g_assert_not_reached();
}

void replay_source_on_live(ReplaySource *s, void (*live)(void *opaque))
{
}

void replay_value(ReplaySource *s, ReplayProduce *produce, void *opaque,
                  void *out, size_t length)
{
    g_assert_cmpuint(length, <=, REPLAY_MAX_PAYLOAD);
    for (size_t i = 0; i < length; i++) {
        ((uint8_t *)out)[i] = fake_replay.next_byte++;
    }
    fake_replay.num_values++;
    fake_replay.last_length = length;
    fake_replay.last_source = s;
}

/* No time travel: all output is new. */
ReplayOutput *replay_output_new(Replay *r, const char *name)
{
    return NULL;
}

bool replay_output(ReplayOutput *o, const void *data, size_t length)
{
    return true;
}

#endif
