/*
 * A keyframe as bytes. The head: varints number, records, time, chain, outputs, offset of the
 * state's data frame; a varint count of data frames with text, and their offsets; runs of pages
 * with content; for each chunk of these an offset; runs of those that are differences; runs of
 * pages that became zero; runs of marked pages. Offsets in lists are varint differences from the
 * one before, the first one from the state's. Runs are a varint count, then for each a varint gap
 * to the run before and a varint length.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "replay/replay-keyframe.h"
#include "replay/replay-log.h"
#include "util/bytes.h"

/* ---- what a machine hands over ---- */

ReplayKeyframe *replay_keyframe_new(void)
{
    ReplayKeyframe *k = g_new0(ReplayKeyframe, 1);

    k->state = g_byte_array_new();
    k->pages = g_array_new(false, false, sizeof(ReplayPage));
    k->marked = g_array_new(false, false, sizeof(uint64_t));
    k->text = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    return k;
}

void replay_keyframe_free(ReplayKeyframe *k)
{
    g_byte_array_unref(k->state);
    g_array_unref(k->pages);
    g_array_unref(k->marked);
    g_ptr_array_unref(k->text);
    if (k->release) {
        k->release(k->opaque);
    }
    g_free(k);
}

/* ---- runs ---- */

static GArray *new_runs(void)
{
    return g_array_new(false, false, sizeof(ReplayPageRun));
}

static void add_to_runs(GArray *runs, uint64_t page)
{
    ReplayPageRun *last = runs->len ? &g_array_index(runs, ReplayPageRun, runs->len - 1) : NULL;
    ReplayPageRun run = { page, 1 };

    if (last && last->first + last->count == page) {
        last->count++;
    } else {
        assert(!last || page > last->first + last->count);
        g_array_append_val(runs, run);
    }
}

static void put_runs(GByteArray *out, const GArray *runs)
{
    uint64_t end = 0;

    bytes_put_varint(out, runs->len);
    for (guint n = 0; n < runs->len; n++) {
        const ReplayPageRun *run = &g_array_index(runs, ReplayPageRun, n);

        bytes_put_varint(out, run->first - end);
        bytes_put_varint(out, run->count);
        end = run->first + run->count;
    }
}

/* Returns how many pages there are in all of them. */
static uint64_t get_runs(ByteReader *in, GArray *runs, uint64_t max_pages)
{
    uint64_t n = bytes_get_varint(in), end = 0, total = 0;

    for (uint64_t i = 0; i < n && !in->failed; i++) {
        uint64_t gap = bytes_get_varint(in), count = bytes_get_varint(in);
        ReplayPageRun run = { end + gap, count };

        in->failed |= gap > max_pages - end || !count || count > max_pages - end - gap;
        end += gap + count;
        total += count;
        g_array_append_val(runs, run);
    }
    return total;
}

/* ---- the head ---- */

static ReplayKeyframeHead *head_new(void)
{
    ReplayKeyframeHead *h = g_new0(ReplayKeyframeHead, 1);

    h->text = g_array_new(false, false, sizeof(uint64_t));
    h->pages = new_runs();
    h->chunks = g_array_new(false, false, sizeof(uint64_t));
    h->differences = new_runs();
    h->zeros = new_runs();
    h->marked = new_runs();
    return h;
}

void replay_keyframe_head_free(ReplayKeyframeHead *h)
{
    g_array_unref(h->text);
    g_array_unref(h->pages);
    g_array_unref(h->chunks);
    g_array_unref(h->differences);
    g_array_unref(h->zeros);
    g_array_unref(h->marked);
    g_free(h);
}

static void put_offsets(GByteArray *out, const GArray *offsets, uint64_t last)
{
    for (guint n = 0; n < offsets->len; n++) {
        uint64_t offset = g_array_index(offsets, uint64_t, n);

        bytes_put_varint(out, offset - last);
        last = offset;
    }
}

static void head_put(GByteArray *out, const ReplayKeyframeHead *h)
{
    bytes_put_varint(out, h->number);
    bytes_put_varint(out, h->records);
    bytes_put_varint(out, (uint64_t)h->time);
    bytes_put_varint(out, h->chain);
    bytes_put_varint(out, h->outputs);
    bytes_put_varint(out, h->state_offset);
    bytes_put_varint(out, h->text->len);
    put_offsets(out, h->text, h->state_offset);
    put_runs(out, h->pages);
    put_offsets(out, h->chunks, h->state_offset);
    put_runs(out, h->differences);
    put_runs(out, h->zeros);
    put_runs(out, h->marked);
}

/* Data frames stand before the head and behind one another. */
static void get_offsets(ByteReader *in, GArray *offsets, uint64_t n, uint64_t offset, uint64_t head)
{
    for (uint64_t i = 0; i < n && !in->failed; i++) {
        uint64_t distance = bytes_get_varint(in);

        in->failed |= !distance || distance >= head - offset;
        offset += distance;
        g_array_append_val(offsets, offset);
    }
}

ReplayKeyframeHead *replay_keyframe_head_get(const uint8_t *data, size_t length, uint64_t offset,
                                             uint64_t max_pages)
{
    ReplayKeyframeHead *h = head_new();
    uint64_t chunks;
    ByteReader in;

    byte_reader_init(&in, data, length);
    h->number = bytes_get_varint(&in);
    h->records = bytes_get_varint(&in);
    h->time = (int64_t)bytes_get_varint(&in);
    h->chain = bytes_get_varint(&in);
    h->outputs = bytes_get_varint(&in);
    h->state_offset = bytes_get_varint(&in);
    in.failed |= h->time < 0 || h->chain > h->number || h->state_offset >= offset;
    get_offsets(&in, h->text, bytes_get_varint(&in), h->state_offset, offset);
    h->num_pages = get_runs(&in, h->pages, max_pages);
    chunks = h->num_pages / REPLAY_KEYFRAME_CHUNK + (h->num_pages % REPLAY_KEYFRAME_CHUNK != 0);
    get_offsets(&in, h->chunks, chunks, h->state_offset, offset);
    get_runs(&in, h->differences, max_pages);
    h->num_zeros = get_runs(&in, h->zeros, max_pages);
    get_runs(&in, h->marked, max_pages);
    if (in.failed || byte_reader_left(&in)) {
        g_clear_pointer(&h, replay_keyframe_head_free);
    }
    return h;
}

/* ---- write ---- */

static bool put_data(GArray *offsets, const GByteArray *data, ReplayKeyframeWrite *write,
                     void *opaque)
{
    uint64_t offset;

    if (!write(opaque, data, &offset)) {
        return false;
    }
    g_array_append_val(offsets, offset);
    return true;
}

static bool put_text(ReplayKeyframeHead *h, const ReplayKeyframe *k, ReplayKeyframeWrite *write,
                     void *opaque)
{
    bool ok = true;

    for (guint n = 0; ok && n < k->text->len; n++) {
        ok = put_data(h->text, g_ptr_array_index(k->text, n), write, opaque);
    }
    return ok;
}

/* Whether half of the page is what it was: then there is less in the difference. */
static bool is_similar(const uint8_t *a, const uint8_t *b)
{
    enum { WORDS = REPLAY_PAGE_SIZE / 8 };
    unsigned same = 0;

    for (unsigned i = 0; i < WORDS; i++) {
        same += load_le(a + 8 * i, 8) == load_le(b + 8 * i, 8);
    }
    return same >= WORDS / 2;
}

static void put_page(GByteArray *chunk, const ReplayPage *page, GArray *differences)
{
    bytes_put_data(chunk, page->content, REPLAY_PAGE_SIZE);
    if (page->start && is_similar(page->content, page->start)) {
        bytes_xor(chunk->data + chunk->len - REPLAY_PAGE_SIZE, page->start, REPLAY_PAGE_SIZE);
        add_to_runs(differences, page->number);
    }
}

static bool put_pages(ReplayKeyframeHead *h, const ReplayKeyframe *k, ReplayKeyframeWrite *write,
                      void *opaque)
{
    GByteArray *chunk = g_byte_array_sized_new(REPLAY_KEYFRAME_CHUNK * REPLAY_PAGE_SIZE);
    bool ok = true;

    for (guint n = 0; ok && n < k->pages->len; n++) {
        const ReplayPage *page = &g_array_index(k->pages, ReplayPage, n);

        if (!page->content) {
            add_to_runs(h->zeros, page->number);
            continue;
        }
        add_to_runs(h->pages, page->number);
        put_page(chunk, page, h->differences);
        if (chunk->len == REPLAY_KEYFRAME_CHUNK * REPLAY_PAGE_SIZE) {
            ok = put_data(h->chunks, chunk, write, opaque);
            g_byte_array_set_size(chunk, 0);
        }
    }
    if (ok && chunk->len) {
        ok = put_data(h->chunks, chunk, write, opaque);
    }
    g_byte_array_unref(chunk);
    return ok;
}

bool replay_keyframe_put(GByteArray *out, const ReplayKeyframe *k, uint64_t number,
                         uint64_t records, ReplayKeyframeWrite *write, void *opaque)
{
    ReplayKeyframeHead *h = head_new();
    bool ok = write(opaque, k->state, &h->state_offset) && put_text(h, k, write, opaque) &&
              put_pages(h, k, write, opaque);

    h->number = number;
    h->records = records;
    h->time = k->time;
    h->chain = k->chain;
    h->outputs = k->outputs;
    for (guint n = 0; n < k->marked->len; n++) {
        add_to_runs(h->marked, g_array_index(k->marked, uint64_t, n));
    }
    if (ok) {
        head_put(out, h);
    }
    replay_keyframe_head_free(h);
    return ok;
}

/* ---- read ---- */

ReplayKeyframeHead *replay_keyframe_read_head(ReplayLogReader *reader, const GArray *keyframes,
                                              guint n, uint64_t max_pages, Error **errp)
{
    const ReplayIndexEntry *e = &g_array_index(keyframes, ReplayIndexEntry, n);
    g_autofree uint8_t *data = NULL;
    ReplayKeyframeHead *h = NULL;
    ReplayFrame f;

    data = replay_log_reader_frame_at(reader, e->offset, REPLAY_FRAME_KEYFRAME, &f);
    if (data) {
        h = replay_keyframe_head_get(data, f.raw_length, e->offset, max_pages);
    }
    if (h && (h->number != n || h->records != e->first_record || f.first_pos != e->first_pos ||
              f.sequence != e->sequence)) {
        g_clear_pointer(&h, replay_keyframe_head_free);
    } else if (h) {
        h->bytes = e->offset + REPLAY_FRAME_HEADER + f.stored_length - h->state_offset;
    }
    if (!h) {
        error_setg(errp, "keyframe %u, at offset %" PRIu64 ", is damaged, or of another machine", n,
                   e->offset);
    }
    return h;
}

static bool data_damaged(uint64_t number, uint64_t offset, Error **errp)
{
    error_setg(errp, "keyframe %" PRIu64 " is damaged at offset %" PRIu64, number, offset);
    return false;
}

/* Where one is in the runs. */
typedef struct Walk {
    const GArray *runs;
    guint run;
    uint64_t done;
} Walk;

static uint64_t walk_next(Walk *w)
{
    const ReplayPageRun *run = &g_array_index(w->runs, ReplayPageRun, w->run);
    uint64_t page = run->first + w->done;

    if (++w->done == run->count) {
        w->run++;
        w->done = 0;
    }
    return page;
}

/* Pages that are asked for ascend. */
static bool walk_meets(Walk *w, uint64_t page)
{
    const ReplayPageRun *run;

    while (w->run < w->runs->len) {
        run = &g_array_index(w->runs, ReplayPageRun, w->run);
        if (page < run->first + run->count) {
            return page >= run->first;
        }
        w->run++;
    }
    return false;
}

static bool wants(const ReplayKeyframeSink *sink, uint64_t page)
{
    return !sink->wants || sink->wants(sink->opaque, page);
}

/* `count` pages, the next of the walk. The data frame is not read if none is wanted. */
static bool read_chunk(ReplayLogReader *reader, const ReplayKeyframeHead *h, uint64_t offset,
                       Walk *walk, Walk *differences, guint count,
                       const ReplayKeyframeSink *sink, Error **errp)
{
    g_autofree uint8_t *data = NULL;
    ReplayFrame f;

    for (guint i = 0; i < count; i++) {
        uint64_t page = walk_next(walk);

        if (!wants(sink, page)) {
            continue;
        }
        if (!data) {
            data = replay_log_reader_frame_at(reader, offset, REPLAY_FRAME_KEYFRAME_DATA, &f);
        }
        if (!data || f.raw_length != count * REPLAY_PAGE_SIZE) {
            return data_damaged(h->number, offset, errp);
        }
        sink->page(sink->opaque, page, data + (size_t)i * REPLAY_PAGE_SIZE,
                   walk_meets(differences, page));
    }
    return true;
}

bool replay_keyframe_read_pages(ReplayLogReader *reader, const ReplayKeyframeHead *h,
                                const ReplayKeyframeSink *sink, Error **errp)
{
    Walk walk = { .runs = h->pages }, differences = { .runs = h->differences };
    uint64_t left = h->num_pages;

    for (guint n = 0; n < h->chunks->len; n++) {
        guint count = (guint)MIN(left, REPLAY_KEYFRAME_CHUNK);

        if (!read_chunk(reader, h, g_array_index(h->chunks, uint64_t, n), &walk, &differences,
                        count, sink, errp)) {
            return false;
        }
        left -= count;
    }
    for (walk = (Walk){ .runs = h->zeros }; walk.run < h->zeros->len; ) {
        uint64_t page = walk_next(&walk);

        if (wants(sink, page)) {
            sink->page(sink->opaque, page, NULL, false);
        }
    }
    return true;
}

bool replay_keyframe_read_state(ReplayLogReader *reader, const ReplayKeyframeHead *h,
                                GByteArray *state, GArray *marked, Error **errp)
{
    ReplayFrame f;
    g_autofree uint8_t *data =
        replay_log_reader_frame_at(reader, h->state_offset, REPLAY_FRAME_KEYFRAME_DATA, &f);

    if (!data) {
        return data_damaged(h->number, h->state_offset, errp);
    }
    bytes_put_data(state, data, f.raw_length);
    for (Walk walk = { .runs = h->marked }; walk.run < h->marked->len; ) {
        uint64_t page = walk_next(&walk);

        g_array_append_val(marked, page);
    }
    return true;
}

/* ---- copy ---- */

typedef struct Copy {
    ReplayLogReader *reader;
    const ReplayKeyframeHead *from;
    ReplayKeyframeWrite *write;
    void *opaque;
} Copy;

/* length 0: any. */
static bool copy_data(const Copy *c, uint64_t offset, size_t length, uint64_t *to, Error **errp)
{
    ReplayFrame f;
    uint8_t *data =
        replay_log_reader_frame_at(c->reader, offset, REPLAY_FRAME_KEYFRAME_DATA, &f);
    GByteArray *bytes = data ? g_byte_array_new_take(data, f.raw_length) : NULL;
    bool ok;

    if (!bytes || (length && f.raw_length != length)) {
        ok = data_damaged(c->from->number, offset, errp);
    } else {
        ok = c->write(c->opaque, bytes, to);
    }
    g_clear_pointer(&bytes, g_byte_array_unref);
    return ok;
}

static bool copy_text(const Copy *c, ReplayKeyframeHead *h, Error **errp)
{
    for (guint n = 0; n < c->from->text->len; n++) {
        uint64_t to;

        if (!copy_data(c, g_array_index(c->from->text, uint64_t, n), 0, &to, errp)) {
            return false;
        }
        g_array_append_val(h->text, to);
    }
    return true;
}

static bool copy_pages(const Copy *c, ReplayKeyframeHead *h, Error **errp)
{
    uint64_t left = c->from->num_pages;

    for (guint n = 0; n < c->from->chunks->len; n++) {
        uint64_t count = MIN(left, REPLAY_KEYFRAME_CHUNK), to;

        if (!copy_data(c, g_array_index(c->from->chunks, uint64_t, n), count * REPLAY_PAGE_SIZE,
                       &to, errp)) {
            return false;
        }
        g_array_append_val(h->chunks, to);
        left -= count;
    }
    return true;
}

static void share(GArray **place, GArray *array)
{
    g_array_unref(*place);
    *place = g_array_ref(array);
}

bool replay_keyframe_copy(GByteArray *out, ReplayLogReader *reader, const ReplayKeyframeHead *from,
                          ReplayKeyframeWrite *write, void *opaque, Error **errp)
{
    const Copy c = { reader, from, write, opaque };
    ReplayKeyframeHead *h = head_new();
    bool ok;

    h->number = from->number;
    h->records = from->records;
    h->time = from->time;
    h->chain = from->chain;
    h->outputs = from->outputs;
    share(&h->pages, from->pages);
    share(&h->differences, from->differences);
    share(&h->zeros, from->zeros);
    share(&h->marked, from->marked);
    ok = copy_data(&c, from->state_offset, 0, &h->state_offset, errp) && copy_text(&c, h, errp) &&
         copy_pages(&c, h, errp);
    if (ok) {
        head_put(out, h);
    }
    replay_keyframe_head_free(h);
    return ok;
}

static bool write_nowhere(void *opaque, const GByteArray *data, uint64_t *offset)
{
    *offset = ++*(uint64_t *)opaque;
    return true;
}

bool replay_keyframe_check(ReplayLogReader *reader, const ReplayKeyframeHead *h, Error **errp)
{
    GByteArray *head = g_byte_array_new();
    uint64_t offset = 0;
    bool ok = replay_keyframe_copy(head, reader, h, write_nowhere, &offset, errp);

    g_byte_array_unref(head);
    return ok;
}
