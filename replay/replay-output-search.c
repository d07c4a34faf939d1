/*
 * Looking for a text among what the guest has put out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "replay/replay-output-int.h"

/* In the text of each port, as if the others were not there. */
struct ReplaySearch {
    char *text;
    size_t length;
    size_t *fail;             /* Knuth, Morris, Pratt: how much still matches after a mismatch */
    size_t *matched;          /* of each port */
    guint num_ports;
    uint64_t next;            /* number of the next output, if none is missing */
    ReplayWanted wanted;      /* its text is the one above */
    uint64_t count;           /* how often it was there, up to the number that is wanted */
    uint64_t found;
    bool has_found;
    bool done;
};

void replay_search_free(ReplaySearch *s)
{
    g_free(s->text);
    g_free(s->fail);
    g_free(s->matched);
    g_free(s);
}

static size_t match_next(const ReplaySearch *s, size_t matched, char c)
{
    while (matched && (matched == s->length || s->text[matched] != c)) {
        matched = s->fail[matched - 1];
    }
    return matched + (s->text[matched] == c);
}

static ReplaySearch *search_new(const ReplayOutputs *h, const ReplayWanted *wanted)
{
    ReplaySearch *s = g_new0(ReplaySearch, 1);

    s->text = g_strdup(wanted->text);
    s->length = strlen(s->text);
    s->wanted = *wanted;
    s->wanted.text = s->text;
    s->num_ports = h->ports->len;
    s->fail = g_new0(size_t, s->length + 1);
    s->matched = g_new0(size_t, s->num_ports);
    for (size_t i = 1; i < s->length; i++) {
        s->fail[i] = match_next(s, s->fail[i - 1], s->text[i]);
    }
    return s;
}

static void note_match(ReplaySearch *s, uint64_t position)
{
    if (position >= s->wanted.from) {
        s->count++;
        s->has_found = !s->wanted.number || s->count == s->wanted.number;
        s->done = s->count == s->wanted.number;
        s->found = position;
    }
}

/* False when the search is done. */
static bool search_entry(void *opaque, const ReplayOutputEntry *e)
{
    ReplaySearch *s = opaque;

    if (e->pos >= s->wanted.before) {
        s->done = true;
        return false;
    }
    if (e->number != s->next) {
        memset(s->matched, 0, s->num_ports * sizeof(s->matched[0]));
    }
    s->next = e->number + 1;
    for (size_t i = 0; i < e->length && s->length && !s->done; i++) {
        s->matched[e->port] = match_next(s, s->matched[e->port], (char)e->bytes[i]);
        if (s->matched[e->port] == s->length) {
            note_match(s, e->pos);
        }
    }
    return !s->done;
}

void replay_search_made(ReplayOutputs *h, const ReplayOutputEntry *e)
{
    ReplaySearch *s = h->awaited;

    /* The next one that was not searched yet. */
    if (s && !s->done && e->number == s->next) {
        search_entry(s, e);
    }
}

/* ---- among those that are known ---- */

bool replay_output_find(Replay *r, const char *text, uint64_t from, uint64_t *position)
{
    const ReplayWanted wanted = { text, from, UINT64_MAX, 1 };
    ReplaySearch *s = search_new(r->outputs, &wanted);
    bool found;

    replay_outputs_each(r->outputs, 0, search_entry, s);
    found = s->has_found;
    if (found) {
        *position = s->found;
    }
    replay_search_free(s);
    return found;
}

/* ---- from the first one on ---- */

/* False at a gap, which a machine that went to a state of another process leaves. */
static bool search_next(void *opaque, const ReplayOutputEntry *e)
{
    const ReplaySearch *s = opaque;

    return !s->done && (e->number < s->next || (e->number == s->next && search_entry(opaque, e)));
}

static void search_history(ReplayOutputs *h, ReplaySearch *s)
{
    if (!s->done) {
        replay_outputs_each(h, s->next, search_next, s);
    }
}

static void search_keyframes(Replay *r, ReplaySearch *s)
{
    for (guint i = 0; !s->done && i < replay_num_keyframes(r); i++) {
        if (!replay_keyframe_text(r, replay_keyframe_number(r, i), s->next, search_next, s)) {
            break;
        }
    }
}

static ReplaySearch *await(ReplayOutputs *h, const ReplayWanted *wanted)
{
    ReplaySearch *s = search_new(h, wanted);

    g_clear_pointer(&h->awaited, replay_search_free);
    h->awaited = s;
    return s;
}

/*
 * Where to begin in a history. What is not kept any more is taken for searched in vain if the first
 * time is wanted; it has to be put out again if it counts.
 */
static uint64_t first_to_search(ReplayOutputs *h, const ReplayWanted *wanted)
{
    uint64_t first = replay_outputs_first(h);
    bool counts = wanted->from ? first > h->made : wanted->number > 1;

    return counts ? 0 : first;
}

void replay_search_restart(ReplayOutputs *h)
{
    if (h->awaited) {
        ReplaySearch *s = await(h, &h->awaited->wanted);

        s->next = first_to_search(h, &s->wanted);
        search_history(h, s);
    }
}

uint64_t replay_output_count(const Replay *r)
{
    return r->outputs->made;
}

uint64_t replay_output_await(Replay *r, const ReplayWanted *wanted)
{
    ReplayOutputs *h = r->outputs;
    ReplaySearch *s = await(h, wanted);

    if (replay_num_keyframes(r)) {
        search_keyframes(r, s);
    } else {
        s->next = first_to_search(h, wanted);
    }
    search_history(h, s);
    if (!wanted->number && !s->has_found && !replay_num_keyframes(r) && replay_outputs_first(h)) {
        /* It may have been before what is kept. */
        await(h, wanted);
        return 0;
    }
    return !wanted->number && s->done ? UINT64_MAX : s->next;
}

bool replay_output_awaited(const Replay *r, uint64_t *position)
{
    const ReplaySearch *s = r->outputs->awaited;

    if (s && s->has_found) {
        *position = s->found;
    }
    return s && s->has_found;
}
