/*
 * What the guest has put out: what of it is new, and the text of the last while.
 *
 * 1. Outputs are numbered from power-on. How many there were is part of a machine's state, as it follows from
 *    what the guest did: so it is known exactly which ones a machine that went back in time makes
 *    again, several at one position and a state saved between them included.
 * 2. The history has each output once, in order. When it is full, the oldest segment goes. A machine
 *    that went to a state of another process leaves a gap, which is filled when it comes there.
 * 3. A machine that goes live in the past has another future: history behind that place is dropped.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "replay/replay-int.h"

#define MAX_BYTES (16u << 20)
#define SEGMENT_BYTES (64u << 10)

/* Outputs with numbers that follow one another: varint position's difference, varint port, block. */
typedef struct Segment {
    GByteArray *data;
    uint64_t first;           /* number of the first */
    uint64_t count;
    uint64_t first_pos;
    uint64_t last_pos;
} Segment;

struct ReplayOutput {
    Replay *replay;
    unsigned index;
    char *name;
};

/* In the text of each port, as if the others were not there. */
typedef struct Search {
    char *text;
    size_t length;
    size_t *fail;             /* Knuth, Morris, Pratt: how much still matches after a mismatch */
    size_t *matched;          /* of each port */
    guint num_ports;
    uint64_t next;            /* number of the next output, if none is missing */
    uint64_t from;
    uint64_t found;
    bool done;
} Search;

struct ReplayOutputs {
    GPtrArray *ports;         /* ReplayOutput */
    GQueue segments;
    size_t bytes;
    uint64_t made;            /* at this place of the run */
    uint64_t known;           /* ever */
    bool dropped;
    Search *awaited;          /* NULL: nothing */
};

typedef struct Entry {
    uint64_t number;          /* from 0 */
    uint64_t pos;
    unsigned port;
    const uint8_t *bytes;
    size_t length;
} Entry;

static void segment_free(Segment *s)
{
    g_byte_array_unref(s->data);
    g_free(s);
}

static void port_free(ReplayOutput *o)
{
    g_free(o->name);
    g_free(o);
}

static void search_free(Search *s)
{
    g_free(s->text);
    g_free(s->fail);
    g_free(s->matched);
    g_free(s);
}

ReplayOutputs *replay_outputs_new(void)
{
    ReplayOutputs *h = g_new0(ReplayOutputs, 1);

    h->ports = g_ptr_array_new_with_free_func((GDestroyNotify)port_free);
    g_queue_init(&h->segments);
    return h;
}

void replay_outputs_free(ReplayOutputs *h)
{
    g_queue_clear_full(&h->segments, (GDestroyNotify)segment_free);
    g_clear_pointer(&h->awaited, search_free);
    g_ptr_array_unref(h->ports);
    g_free(h);
}

ReplayOutput *replay_output_new(Replay *r, const char *name)
{
    ReplayOutput *o = g_new0(ReplayOutput, 1);

    o->replay = r;
    o->index = r->outputs->ports->len;
    o->name = g_strdup(name);
    g_ptr_array_add(r->outputs->ports, o);
    return o;
}

/* ---- search ---- */

static size_t match_next(const Search *s, size_t matched, char c)
{
    while (matched && (matched == s->length || s->text[matched] != c)) {
        matched = s->fail[matched - 1];
    }
    return matched + (s->text[matched] == c);
}

static Search *search_new(const ReplayOutputs *h, const char *text, uint64_t from)
{
    Search *s = g_new0(Search, 1);

    s->text = g_strdup(text);
    s->length = strlen(text);
    s->from = from;
    s->num_ports = h->ports->len;
    s->fail = g_new0(size_t, s->length + 1);
    s->matched = g_new0(size_t, s->num_ports);
    for (size_t i = 1; i < s->length; i++) {
        s->fail[i] = match_next(s, s->fail[i - 1], text[i]);
    }
    return s;
}

/* False when it is found. */
static bool search_entry(void *opaque, const Entry *e)
{
    Search *s = opaque;

    if (e->number != s->next) {
        memset(s->matched, 0, s->num_ports * sizeof(s->matched[0]));
    }
    s->next = e->number + 1;
    for (size_t i = 0; i < e->length && s->length; i++) {
        s->matched[e->port] = match_next(s, s->matched[e->port], (char)e->bytes[i]);
        if (s->matched[e->port] == s->length && e->pos >= s->from) {
            s->found = e->pos;
            s->done = true;
            return false;
        }
    }
    return true;
}

/* ---- what is new ---- */

/* For the next output, behind `before` (NULL: in front of all). */
static Segment *segment_new(ReplayOutputs *h, GList *before, uint64_t pos)
{
    Segment *s = g_new0(Segment, 1);

    s->data = g_byte_array_new();
    s->first = h->made;
    s->first_pos = s->last_pos = pos;
    if (before) {
        g_queue_insert_after(&h->segments, before, s);
    } else {
        g_queue_push_head(&h->segments, s);
    }
    return s;
}

/* The last segment that does not begin behind the next output. */
static GList *find_segment(const ReplayOutputs *h)
{
    GList *l = h->segments.tail;

    while (l && ((const Segment *)l->data)->first > h->made) {
        l = l->prev;
    }
    return l;
}

static void drop_oldest(ReplayOutputs *h)
{
    Segment *s = g_queue_pop_head(&h->segments);

    h->bytes -= s->data->len;
    h->dropped = true;
    segment_free(s);
}

/* Unless it is known already. Of a very long one, its end. */
static void keep(ReplayOutput *o, const uint8_t *data, size_t length)
{
    ReplayOutputs *h = o->replay->outputs;
    uint64_t pos = replay_position(o->replay);
    GList *l = find_segment(h);
    Segment *s = l ? l->data : NULL;
    size_t kept = MIN(length, SEGMENT_BYTES);
    guint before;

    if (s && h->made < s->first + s->count) {
        return;
    }
    if (!s || s->data->len >= SEGMENT_BYTES || s->first + s->count != h->made) {
        s = segment_new(h, l, pos);
    }
    before = s->data->len;
    bytes_put_varint(s->data, pos - s->last_pos);
    bytes_put_varint(s->data, o->index);
    bytes_put_block(s->data, data + length - kept, kept);
    s->last_pos = pos;
    s->count++;
    h->bytes += s->data->len - before;
    while (h->bytes > MAX_BYTES) {
        drop_oldest(h);
    }
}

/* New or made again: the next one that was not searched yet. */
static void await_entry(ReplayOutput *o, const uint8_t *data, size_t length)
{
    const ReplayOutputs *h = o->replay->outputs;
    Search *s = h->awaited;

    if (s && !s->done && h->made == s->next) {
        search_entry(s, &(Entry){ h->made, replay_position(o->replay), o->index, data, length });
    }
}

bool replay_output(ReplayOutput *o, const void *data, size_t length)
{
    ReplayOutputs *h = o->replay->outputs;
    bool is_new = h->made >= h->known;

    await_entry(o, data, length);
    if (o->replay->ops->mode != REPLAY_MODE_NONE) {
        keep(o, data, length);
    }
    h->made++;
    h->known = MAX(h->known, h->made);
    return is_new;
}

uint64_t replay_outputs_made(const ReplayOutputs *h)
{
    return h->made;
}

void replay_outputs_go(ReplayOutputs *h, uint64_t made)
{
    h->made = made;
    h->known = MAX(h->known, made);
}

/* ---- the history ---- */

static void entry_get(ByteReader *in, Entry *e)
{
    e->pos += bytes_get_varint(in);
    e->port = (unsigned)bytes_get_varint(in);
    e->bytes = bytes_get_block(in, SEGMENT_BYTES, &e->length);
    assert(!in->failed);
}

/* From the output with that number on, until fn returns false. */
static void for_each_from(ReplayOutputs *h, uint64_t from,
                          bool (*fn)(void *opaque, const Entry *e), void *opaque)
{
    for (GList *l = h->segments.head; l; l = l->next) {
        const Segment *s = l->data;
        Entry e = { .number = s->first, .pos = s->first_pos };
        ByteReader in;

        if (s->first + s->count <= from) {
            continue;
        }
        byte_reader_init(&in, s->data->data, s->data->len);
        for (uint64_t i = 0; i < s->count; i++, e.number++) {
            entry_get(&in, &e);
            if (e.number >= from && !fn(opaque, &e)) {
                return;
            }
        }
    }
}

static void for_each(ReplayOutputs *h, bool (*fn)(void *opaque, const Entry *e), void *opaque)
{
    for_each_from(h, 0, fn, opaque);
}

/* ---- outputs in a keyframe ---- */

typedef struct PutText {
    GPtrArray *out;           /* GByteArray */
    GByteArray *entries;      /* of the frame at hand */
    uint64_t first;           /* its first output */
    uint64_t next;
    uint64_t pos;             /* of the last one */
} PutText;

/*
 * A frame: varints number of the first output and count; then of each varint difference of its position
 * to the one before, varint port, block.
 */
static void end_frame(PutText *p)
{
    GByteArray *frame = g_byte_array_new();

    if (p->next > p->first) {
        bytes_put_varint(frame, p->first);
        bytes_put_varint(frame, p->next - p->first);
        bytes_put_data(frame, p->entries->data, p->entries->len);
        g_ptr_array_add(p->out, g_byte_array_ref(frame));
    }
    g_byte_array_unref(frame);
    g_byte_array_set_size(p->entries, 0);
    p->pos = 0;
}

static bool put_entry(void *opaque, const Entry *e)
{
    PutText *p = opaque;

    if (e->number != p->next || p->entries->len >= SEGMENT_BYTES) {
        end_frame(p);
        p->first = e->number;
    }
    bytes_put_varint(p->entries, e->pos - p->pos);
    bytes_put_varint(p->entries, e->port);
    bytes_put_block(p->entries, e->bytes, e->length);
    p->pos = e->pos;
    p->next = e->number + 1;
    return true;
}

void replay_outputs_put(ReplayOutputs *h, uint64_t from, GPtrArray *out)
{
    PutText p = { .out = out, .entries = g_byte_array_new() };

    for_each_from(h, from, put_entry, &p);
    end_frame(&p);
    g_byte_array_unref(p.entries);
}

/* ---- looking for a text ---- */

/* False at a gap, which a machine that went to a state of another process leaves. */
static bool search_first_part(void *opaque, const Entry *e)
{
    const Search *s = opaque;

    return e->number == s->next && search_entry(opaque, e);
}

static void await(ReplayOutputs *h, const char *text)
{
    const Segment *first = g_queue_peek_head(&h->segments);

    g_clear_pointer(&h->awaited, search_free);
    h->awaited = search_new(h, text, 0);
    /* What is not kept any more has been searched in vain. */
    h->awaited->next = h->dropped && first ? first->first : 0;
    for_each(h, search_first_part, h->awaited);
}

/* Keep only what has a number below `made`. */
static void segment_cut(Segment *s, uint64_t made)
{
    Entry e = { .pos = s->first_pos };
    ByteReader in;

    byte_reader_init(&in, s->data->data, s->data->len);
    for (s->count = 0; s->first + s->count < made; s->count++) {
        entry_get(&in, &e);
    }
    s->last_pos = e.pos;
    g_byte_array_set_size(s->data, s->data->len - (guint)byte_reader_left(&in));
}

void replay_outputs_cut(ReplayOutputs *h)
{
    Segment *s;

    while ((s = g_queue_peek_tail(&h->segments)) != NULL && s->first >= h->made) {
        h->bytes -= s->data->len;
        segment_free(g_queue_pop_tail(&h->segments));
    }
    if (s && s->first + s->count > h->made) {
        h->bytes -= s->data->len;
        segment_cut(s, h->made);
        h->bytes += s->data->len;
    }
    h->known = h->made;
    if (h->awaited) {
        g_autofree char *text = g_strdup(h->awaited->text);

        await(h, text);
    }
}

/* ---- text ---- */

typedef struct Text {
    GString *out;
    int port;                 /* -1: all */
    uint64_t upto;
    uint64_t made;            /* at upto, if that is the present position */
    uint64_t next;            /* number of the next output, if none is missing */
} Text;

static void add_gap(const Text *t, uint64_t position)
{
    g_string_append_printf(t->out, "[what came before position %" PRIu64 " is not known here]\n",
                           position);
}

static bool add_text(void *opaque, const Entry *e)
{
    Text *t = opaque;

    if (e->pos > t->upto || (e->pos == t->upto && e->number >= t->made)) {
        return false;
    }
    if (e->number != t->next) {
        add_gap(t, e->pos);
    }
    t->next = e->number + 1;
    if (t->port < 0 || (unsigned)t->port == e->port) {
        g_string_append_len(t->out, (const char *)e->bytes, (gssize)e->length);
    }
    return true;
}

static int find_port(const ReplayOutputs *h, const char *name)
{
    for (guint i = 0; i < h->ports->len; i++) {
        if (strcmp(((ReplayOutput *)g_ptr_array_index(h->ports, i))->name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

bool replay_output_text(Replay *r, const char *name, uint64_t upto, GString *out, Error **errp)
{
    ReplayOutputs *h = r->outputs;
    Text t = { .out = out, .port = -1, .upto = upto,
               .made = upto == replay_position(r) ? h->made : 0 };

    if (name) {
        t.port = find_port(h, name);
        if (t.port < 0) {
            error_setg(errp, "there is no character port '%s'", name);
            return false;
        }
    }
    for_each(h, add_text, &t);
    if (t.next < t.made && r->ops->mode != REPLAY_MODE_NONE) {
        add_gap(&t, upto);
    }
    return true;
}

/* ---- looking for a text ---- */

bool replay_output_find(Replay *r, const char *text, uint64_t from, uint64_t *position)
{
    Search *s = search_new(r->outputs, text, from);
    bool found;

    for_each(r->outputs, search_entry, s);
    found = s->done;
    if (found) {
        *position = s->found;
    }
    search_free(s);
    return found;
}

uint64_t replay_output_count(const Replay *r)
{
    return r->outputs->made;
}

uint64_t replay_output_await(Replay *r, const char *text)
{
    await(r->outputs, text);
    return r->outputs->awaited->next;
}

bool replay_output_awaited(const Replay *r, uint64_t *position)
{
    const Search *s = r->outputs->awaited;

    if (s && s->done) {
        *position = s->found;
    }
    return s && s->done;
}
