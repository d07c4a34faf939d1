/*
 * The execution loop: keyframes, the snapshots that are stored in a recording.
 *
 * 1. When one is due is a matter of what it saves and what it costs, in CPU time, which is the same
 *    on a busy host: the way from one to the next is a part of the time that a seek may take,
 *    unless keyframes as close as that would cost the recorder too much.
 * 2. A keyframe goes to the log's writer, or, in a replay, to that of the copy that gets keyframes,
 *    in the order of positions, though a replay may go back. It goes there by reference, if that is
 *    done with the one before: its thread reads pages of a snapshot that is kept as it is until the
 *    next keyframe, which is the difference to it.
 * 3. All begins with memory as it is behind the reset at power-on, before anything that is not
 *    described in the recording's header comes in. A replay has the same there.
 * 4. A chain of differences would become as long as the recording. When it is much heavier than all
 *    memory that it describes, the next keyframes take older pages along, as many as they have new
 *    ones, until they have taken all: then the chain begins with the first of these.
 * 5. A replay makes a snapshot of a keyframe when it wants to go there. One that is not good is
 *    refused with all behind it; another snapshot, or the start, does as well.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-loop-internal.h"
#include "util/bytes.h"
#include "util/host-clock.h"

/* Nothing to gain from one that is closer to the one before. */
#define MIN_DISTANCE 1000000
/*
 * Part of the time of a seek in which a new process runs from a keyframe to the place, at most. The
 * rest is for starting it, for restoring the keyframe, and for translating what the recorder had
 * translated before.
 */
#define WAY_PART 8
/*
 * Keyframes may cost this part of the recorder's CPU time, and as a credit that comes back at this
 * rate once this part of the time of a seek. When that does not do, they get up to so many times
 * farther from each other, and beyond that only if else the machine would have less time than they:
 * what a guest writes once is stored once, however long one waits.
 */
#define COST_PART 12
#define CREDIT_PART 8
#define MAX_WAYS 3
/* A recording cannot have any number of keyframes: after so many their distance doubles. */
#define MANY 8192
/* What a page costs, as long as there was no keyframe. Of so many pages the cost is remembered. */
#define FIRST_PAGE_NS 4000
#define REMEMBERED 20000
/* What a keyframe without pages costs who reads a chain, in pages. */
#define KEYFRAME_WEIGHT 64
/* How much heavier than its memory a chain may become. */
#define MAX_WEIGHT 2

void loop_begin_keyframes(ExecLoop *l)
{
    g_clear_pointer(&l->keyframe.memory, memory_snapshot_free);
    l->keyframe = (KeyframeTaker){ .position = exec_loop_position(l),
                                   .cpu_ns = host_thread_cpu_ns(),
                                   .credit_ns = l->config.keyframe_ns / CREDIT_PART };
}

void loop_start_keyframes(ExecLoop *l)
{
    if (replay_has_keyframe_writer(l->replay) ||
        (l->config.travel_memory && replay_num_keyframes(l->replay))) {
        l->start_memory = memory_snapshot_take(l->machine->memory, false);
    }
    loop_begin_keyframes(l);
}

void loop_free_keyframes(ExecLoop *l)
{
    if (l->keyframe.memory) {
        replay_wait_keyframes(l->replay);
        memory_snapshot_free(l->keyframe.memory);
    }
    g_clear_pointer(&l->start_memory, memory_snapshot_free);
}

/* ---- record: when ---- */

/* Pages cost more or less, as there is more or less in them. */
static void remember_cost(KeyframeTaker *k, int64_t writer_ns)
{
    k->cost_ns += writer_ns - k->writer_ns;
    k->writer_ns = writer_ns;
    if (k->cost_weight > REMEMBERED) {
        k->cost_ns /= 2;
        k->cost_weight /= 2;
    }
}

/* What the next one will cost, from what those before did. */
static int64_t expected_cost(ExecLoop *l)
{
    const KeyframeTaker *k = &l->keyframe;
    uint64_t weight = memory_snapshot_due(l->machine->memory) + KEYFRAME_WEIGHT;
    int64_t page_ns = k->cost_weight ? k->cost_ns / (int64_t)k->cost_weight : FIRST_PAGE_NS;

    return (int64_t)weight * page_ns * (k->renewing ? 2 : 1);
}

/* It is not wanted earlier than in so much CPU time. */
static bool look_again(ExecLoop *l, int64_t cpu_ns)
{
    l->keyframe.look_ns = host_monotonic_ns() + cpu_ns;
    return false;
}

/* A machine that has just begun to write to much memory has credit from before. */
static bool worth_it(ExecLoop *l, int64_t writer_ns)
{
    KeyframeTaker *k = &l->keyframe;
    int64_t way_ns = (l->config.keyframe_ns / WAY_PART) << (k->count / MANY);
    int64_t ran = host_thread_cpu_ns() - k->cpu_ns, cost, credit;

    if (ran < way_ns) {
        return look_again(l, way_ns - ran);
    }
    remember_cost(k, writer_ns);
    cost = expected_cost(l);
    credit = MIN(k->credit_ns + ran / COST_PART, l->config.keyframe_ns / CREDIT_PART);
    if (cost > credit && ran < MIN(cost * COST_PART, MAX(way_ns * MAX_WAYS, cost))) {
        return look_again(l, way_ns / 4);
    }
    k->credit_ns = MAX(credit - cost, 0);
    return true;
}

static bool due(ExecLoop *l, uint64_t position)
{
    int64_t writer_ns;

    if (!replay_has_keyframe_writer(l->replay) || !l->start_memory) {
        return false;
    }
    if (l->config.keyframe_positions) {
        if (position < l->keyframe.position + l->config.keyframe_positions) {
            return false;
        }
        replay_wait_keyframes(l->replay);
        return replay_keyframe_writer_ready(l->replay, &writer_ns);
    }
    return position >= l->keyframe.position + MIN_DISTANCE &&
           host_monotonic_ns() >= l->keyframe.look_ns &&
           replay_keyframe_writer_ready(l->replay, &writer_ns) && worth_it(l, writer_ns);
}

/* ---- record: which pages ---- */

typedef struct Changed {
    const MemSnapshot *start;
    GArray *pages;            /* ReplayPage */
} Changed;

static void add_page(void *opaque, uint64_t number, const uint8_t *content)
{
    const Changed *c = opaque;
    const ReplayPage page = { number, content, memory_snapshot_get(c->start, number) };

    g_array_append_val(c->pages, page);
}

static void add_number(void *opaque, uint64_t number, const uint8_t *content)
{
    g_array_append_val((GArray *)opaque, number);
}

static void count_page(void *opaque, uint64_t number, const uint8_t *content)
{
    ++*(uint64_t *)opaque;
}

/* Whether the chain is so heavy that it has to begin anew. */
static bool too_heavy(ExecLoop *l, const MemSnapshot *memory)
{
    KeyframeTaker *k = &l->keyframe;

    if (k->weight <= MAX_WEIGHT * (k->live + KEYFRAME_WEIGHT)) {
        return false;
    }
    k->live = 0;
    memory_snapshot_diff(l->start_memory, memory, count_page, &k->live);
    return k->weight > MAX_WEIGHT * (k->live + KEYFRAME_WEIGHT);
}

typedef struct Renewal {
    const GArray *changed;    /* ReplayPage */
    guint next;               /* of these */
    Changed all;              /* these and older ones */
    uint64_t from;            /* the first older page */
    guint room;               /* for so many */
    uint64_t done;            /* pages below this one have been renewed */
} Renewal;

static void add_changed(Renewal *r, uint64_t upto)
{
    while (r->next < r->changed->len &&
           g_array_index(r->changed, ReplayPage, r->next).number <= upto) {
        g_array_append_val(r->all.pages, g_array_index(r->changed, ReplayPage, r->next));
        r->next++;
    }
}

static uint64_t last_page(const GArray *pages)
{
    return g_array_index(pages, ReplayPage, pages->len - 1).number;
}

static void renew_page(void *opaque, uint64_t number, const uint8_t *content)
{
    Renewal *r = opaque;

    if (number < r->from || !r->room) {
        return;
    }
    add_changed(r, number);
    if (!r->all.pages->len || last_page(r->all.pages) != number) {
        add_page(&r->all, number, content);
        r->room--;
    }
    r->done = number + 1;
}

/* Older pages beside those that changed. True: all were taken along by now. */
static bool renew(ExecLoop *l, const MemSnapshot *memory, ReplayKeyframe *k)
{
    Renewal r = { .changed = k->pages, .from = l->keyframe.renewed,
                  .room = k->pages->len + KEYFRAME_WEIGHT };

    r.all = (Changed){ l->start_memory, g_array_new(false, false, sizeof(ReplayPage)) };
    memory_snapshot_diff(l->start_memory, memory, renew_page, &r);
    add_changed(&r, UINT64_MAX);
    g_array_unref(k->pages);
    k->pages = r.all.pages;
    l->keyframe.renewed = r.done;
    return r.room > 0;
}

static void choose_pages(ExecLoop *l, const MemSnapshot *memory, ReplayKeyframe *out)
{
    KeyframeTaker *k = &l->keyframe;
    Changed changed = { l->start_memory, out->pages };
    uint64_t weight;
    bool renewed = false;

    memory_snapshot_diff(k->memory ? k->memory : l->start_memory, memory, add_page, &changed);
    if (!k->renewing && too_heavy(l, memory)) {
        k->renewing = true;
        k->next_first = k->count;
        k->next_weight = k->renewed = 0;
    }
    if (k->renewing) {
        renewed = renew(l, memory, out);
    }
    weight = out->pages->len + KEYFRAME_WEIGHT;
    k->cost_weight += weight;
    k->weight += weight;
    k->next_weight += weight;
    if (renewed) {
        k->renewing = false;
        k->first = k->next_first;
        k->weight = k->next_weight;
    }
    out->chain = k->count - k->first;
}

void loop_take_keyframe(ExecLoop *l)
{
    uint64_t position = exec_loop_position(l);
    bool with_checks = replay_check_kind(l->replay) == REPLAY_CHECK_DIGEST;
    ReplayKeyframe *k;
    MemSnapshot *memory;
    int64_t start;

    if (!due(l, position)) {
        return;
    }
    start = host_thread_cpu_ns();
    k = replay_keyframe_new();
    k->time = clock_now(l->machine->clock);
    loop_save_state(l, k->state);
    memory = memory_snapshot_take(l->machine->memory, with_checks);
    choose_pages(l, memory, k);
    memory_snapshot_dirty(memory, add_number, k->marked);
    replay_put_keyframe(l->replay, k);
    g_clear_pointer(&l->keyframe.memory, memory_snapshot_free);
    l->keyframe.memory = memory;
    l->keyframe.count++;
    l->keyframe.position = position;
    l->keyframe.cpu_ns = host_thread_cpu_ns();
    l->keyframe.cost_ns += l->keyframe.cpu_ns - start;
}

/* ---- replay ---- */

/* A place in a recording, of which some keyframes are before it. */
typedef struct Place {
    enum { AT_POSITION, AT_TIME, AT_OUTPUT } kind;
    uint64_t value;
} Place;

/* False, too, for one that is damaged: there are less of them then. */
static bool is_before(ExecLoop *l, guint n, const Place *place)
{
    ReplayKeyframeAbout about;

    if (place->kind == AT_POSITION) {
        return replay_keyframe_position(l->replay, n) <= place->value;
    }
    return replay_keyframe_about(l->replay, n, &about) &&
           (place->kind == AT_TIME ? (uint64_t)about.time < place->value :
            about.outputs <= place->value);
}

/* Whether there is one before a place, and the last one. */
static bool has_before(ExecLoop *l, const Place *place, guint *last)
{
    guint count, low, high;

    if (!l->start_memory) {
        return false;
    }
    do {
        count = high = replay_num_keyframes(l->replay);
        low = 0;
        while (low < high && count == replay_num_keyframes(l->replay)) {
            guint middle = (low + high) / 2;

            if (is_before(l, replay_keyframe_number(l->replay, middle), place)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
    } while (count != replay_num_keyframes(l->replay));
    if (low) {
        *last = replay_keyframe_number(l->replay, low - 1);
    }
    return low > 0;
}

static uint64_t last_before(ExecLoop *l, const Place *place)
{
    guint n;

    return has_before(l, place, &n) ? replay_keyframe_position(l->replay, n) : 0;
}

uint64_t loop_keyframe_before(ExecLoop *l, int64_t time)
{
    return last_before(l, &(Place){ AT_TIME, (uint64_t)MAX(time, 0) });
}

uint64_t loop_keyframe_with(ExecLoop *l, uint64_t outputs)
{
    return last_before(l, &(Place){ AT_OUTPUT, outputs });
}

typedef struct Reading {
    const MemSnapshot *start;
    MemSnapshot *memory;
} Reading;

static void set_page(void *opaque, uint64_t number, const uint8_t *bytes, bool difference)
{
    const Reading *r = opaque;
    const uint8_t *start = difference ? memory_snapshot_get(r->start, number) : NULL;
    uint8_t content[REPLAY_PAGE_SIZE];

    if (!start) {
        memory_snapshot_set(r->memory, number, bytes);
        return;
    }
    memcpy(content, start, sizeof(content));
    bytes_xor(content, bytes, sizeof(content));
    memory_snapshot_set(r->memory, number, content);
}

/* The memory of the nearest keyframe up to n that is here; *base is then the first to be read. */
static const MemSnapshot *base_memory(ExecLoop *l, guint n, guint *base)
{
    const MemSnapshot *memory = l->start_memory;

    for (guint i = 0; i < l->snapshots->len; i++) {
        const Snapshot *s = g_ptr_array_index(l->snapshots, i);

        if (s->keyframes > *base && s->keyframes <= n) {
            *base = s->keyframes;
            memory = s->memory;
        }
    }
    return memory;
}

static Snapshot *read_keyframe(ExecLoop *l, guint n)
{
    bool with_checks = replay_check_kind(l->replay) == REPLAY_CHECK_DIGEST;
    ReplayKeyframeAbout about;
    Reading reading;
    GArray *marked;
    Snapshot *s;
    guint base;

    if (!replay_keyframe_about(l->replay, n, &about)) {
        return NULL;
    }
    base = about.first;
    marked = g_array_new(false, false, sizeof(uint64_t));
    s = g_new0(Snapshot, 1);
    s->position = replay_keyframe_position(l->replay, n);
    s->time = about.time;
    s->outputs = about.outputs;
    s->keyframes = n + 1;
    s->state = g_byte_array_new();
    s->memory = memory_snapshot_copy(l->machine->memory, base_memory(l, n, &base), with_checks);
    reading = (Reading){ l->start_memory, s->memory };
    if (!replay_read_keyframe(l->replay, n, base, s->state, marked, set_page, &reading)) {
        g_clear_pointer(&s, loop_free_snapshot);
    }
    for (guint i = 0; s && i < marked->len; i++) {
        memory_snapshot_mark(s->memory, g_array_index(marked, uint64_t, i));
    }
    g_array_unref(marked);
    return s;
}

Snapshot *loop_read_keyframe(ExecLoop *l, uint64_t from, uint64_t to)
{
    Snapshot *s = NULL;

    while (!s) {
        guint n;

        if (!has_before(l, &(Place){ AT_POSITION, to }, &n) ||
            replay_keyframe_position(l->replay, n) < from) {
            break;
        }
        s = read_keyframe(l, n);
    }
    return s;
}
