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
#include "replay/replay-output-int.h"

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
    g_clear_pointer(&h->awaited, replay_search_free);
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

/* ---- what is new ---- */

/* For an output, behind `before` (NULL: in front of all). */
static Segment *segment_new(ReplayOutputs *h, GList *before, const ReplayOutputEntry *e)
{
    Segment *s = g_new0(Segment, 1);

    s->data = g_byte_array_new();
    s->first = e->number;
    s->first_pos = s->last_pos = e->pos;
    if (before) {
        g_queue_insert_after(&h->segments, before, s);
    } else {
        g_queue_push_head(&h->segments, s);
    }
    return s;
}

/* The last segment that does not begin behind an output. */
static GList *find_segment(const ReplayOutputs *h, uint64_t number)
{
    GList *l = h->segments.tail;

    while (l && ((const Segment *)l->data)->first > number) {
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
static void keep(ReplayOutputs *h, const ReplayOutputEntry *e)
{
    GList *l = find_segment(h, e->number);
    Segment *s = l ? l->data : NULL;
    size_t kept = MIN(e->length, SEGMENT_BYTES);
    guint before;

    if (s && e->number < s->first + s->count) {
        return;
    }
    if (!s || s->data->len >= SEGMENT_BYTES || s->first + s->count != e->number) {
        s = segment_new(h, l, e);
    }
    before = s->data->len;
    bytes_put_varint(s->data, e->pos - s->last_pos);
    bytes_put_varint(s->data, e->port);
    bytes_put_block(s->data, e->bytes + e->length - kept, kept);
    s->last_pos = e->pos;
    s->count++;
    h->bytes += s->data->len - before;
    while (h->bytes > MAX_BYTES) {
        drop_oldest(h);
    }
}

bool replay_output(ReplayOutput *o, const void *data, size_t length)
{
    ReplayOutputs *h = o->replay->outputs;
    const ReplayOutputEntry e = { h->made, replay_position(o->replay), o->index, data, length };
    bool is_new = h->made >= h->known;

    replay_search_made(h, &e);
    if (o->replay->ops->mode != REPLAY_MODE_NONE) {
        keep(h, &e);
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

uint64_t replay_outputs_first(ReplayOutputs *h)
{
    const Segment *first = g_queue_peek_head(&h->segments);

    return h->dropped && first ? first->first : 0;
}

/* ---- the history ---- */

static void entry_get(ByteReader *in, ReplayOutputEntry *e)
{
    e->pos += bytes_get_varint(in);
    e->port = (unsigned)bytes_get_varint(in);
    e->bytes = bytes_get_block(in, SEGMENT_BYTES, &e->length);
    assert(!in->failed);
}

void replay_outputs_each(ReplayOutputs *h, uint64_t from, ReplayOutputFn *fn, void *opaque)
{
    for (GList *l = h->segments.head; l; l = l->next) {
        const Segment *s = l->data;
        ReplayOutputEntry e = { .number = s->first, .pos = s->first_pos };
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

static bool put_entry(void *opaque, const ReplayOutputEntry *e)
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

    replay_outputs_each(h, from, put_entry, &p);
    end_frame(&p);
    g_byte_array_unref(p.entries);
}

bool replay_outputs_get(const ReplayOutputs *h, const uint8_t *data, size_t length,
                        uint64_t outputs, uint64_t pos, ReplayOutputFn *fn, void *opaque)
{
    ReplayOutputEntry e = { 0 };
    uint64_t count;
    ByteReader in;

    byte_reader_init(&in, data, length);
    e.number = bytes_get_varint(&in);
    count = bytes_get_varint(&in);
    in.failed |= e.number > outputs || count > outputs - e.number;
    for (uint64_t i = 0; i < count && !in.failed; i++, e.number++) {
        uint64_t distance = bytes_get_varint(&in), port = bytes_get_varint(&in);

        e.bytes = bytes_get_block(&in, SEGMENT_BYTES, &e.length);
        in.failed |= distance > pos - e.pos || port >= h->ports->len;
        e.pos += distance;
        e.port = (unsigned)port;
        if (!in.failed && !fn(opaque, &e)) {
            return true;
        }
    }
    return !in.failed && !byte_reader_left(&in);
}

static bool keep_known(void *opaque, const ReplayOutputEntry *e)
{
    keep(opaque, e);
    return true;
}

/* What was put out up to here, and not in this process. */
static void ask_keyframes(Replay *r)
{
    for (guint i = 0; i < replay_num_keyframes(r); i++) {
        guint n = replay_keyframe_number(r, i);

        if (n < r->keyframes_told) {
            continue;
        }
        if (replay_keyframe_position(r, n) > replay_position(r) ||
            !replay_keyframe_text(r, n, 0, keep_known, r->outputs)) {
            break;
        }
        r->keyframes_told = n + 1;
    }
}

/* Keep only what has a number below `made`. */
static void segment_cut(Segment *s, uint64_t made)
{
    ReplayOutputEntry e = { .pos = s->first_pos };
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
    replay_search_restart(h);
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

static bool add_text(void *opaque, const ReplayOutputEntry *e)
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
    ask_keyframes(r);
    replay_outputs_each(h, 0, add_text, &t);
    if (t.next < t.made && r->ops->mode != REPLAY_MODE_NONE) {
        add_gap(&t, upto);
    }
    return true;
}
