/*
 * The execution loop: keyframes, the snapshots that are stored in a recording.
 *
 * 1. Recording, one is taken in so much host time, if the log's writer is done with the one before.
 * It
 *    goes there by reference: the writer's thread reads pages of a snapshot that is kept as it is until the next
 *    keyframe, which is the difference to it.
 * 2. All begins with memory as it is behind the reset at power-on, before anything that is not
 * described in
 *    the recording's header comes in. A replay has the same there.
 * 3. A replay makes a snapshot of a keyframe when it wants to go there. One that is not good is
 * refused
 *    with all behind it; another snapshot, or the start, does as well.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-loop-internal.h"
#include "util/host-clock.h"

/* Nothing to gain from one that is closer to the one before. */
#define MIN_DISTANCE 1000000

void loop_start_keyframes(ExecLoop *l)
{
    if (replay_has_keyframe_writer(l->replay) ||
        (l->config.travel_memory && replay_num_keyframes(l->replay))) {
        l->start_memory = memory_snapshot_take(l->machine->memory, false);
        l->keyframe_time = host_monotonic_ns();
    }
}

void loop_free_keyframes(ExecLoop *l)
{
    if (l->keyframe_memory) {
        replay_wait_keyframes(l->replay);
        memory_snapshot_free(l->keyframe_memory);
    }
    g_clear_pointer(&l->start_memory, memory_snapshot_free);
}

/* ---- record ---- */

static void add_page(void *opaque, uint64_t number, const uint8_t *content)
{
    const ReplayPage page = { number, content };

    g_array_append_val((GArray *)opaque, page);
}

static void add_number(void *opaque, uint64_t number, const uint8_t *content)
{
    g_array_append_val((GArray *)opaque, number);
}

static bool due(ExecLoop *l, uint64_t position)
{
    if (!replay_has_keyframe_writer(l->replay) || !l->start_memory) {
        return false;
    }
    if (l->config.keyframe_positions) {
        return position - l->keyframe_position >= l->config.keyframe_positions;
    }
    return position - l->keyframe_position >= MIN_DISTANCE &&
           host_monotonic_ns() - l->keyframe_time >= l->config.keyframe_ns;
}

void loop_take_keyframe(ExecLoop *l)
{
    uint64_t position = exec_loop_position(l);
    bool with_checks = replay_check_kind(l->replay) == REPLAY_CHECK_DIGEST;
    ReplayKeyframe *k;
    MemSnapshot *memory;

    if (!due(l, position)) {
        return;
    }
    if (l->config.keyframe_positions) {
        replay_wait_keyframes(l->replay);
    }
    if (!replay_keyframe_writer_ready(l->replay)) {
        return;
    }
    k = replay_keyframe_new();
    k->chain = l->keyframes++;
    k->time = clock_now(l->machine->clock);
    loop_save_state(l, k->state);
    memory = memory_snapshot_take(l->machine->memory, with_checks);
    memory_snapshot_diff(l->keyframe_memory ? l->keyframe_memory : l->start_memory, memory, add_page,
                         k->pages);
    memory_snapshot_dirty(memory, add_number, k->marked);
    replay_put_keyframe(l->replay, k);
    g_clear_pointer(&l->keyframe_memory, memory_snapshot_free);
    l->keyframe_memory = memory;
    l->keyframe_position = position;
    l->keyframe_time = host_monotonic_ns();
}

/* ---- replay ---- */

/* How many there are at or before the position. */
static guint count_up_to(ExecLoop *l, uint64_t position)
{
    guint low = 0, high = replay_num_keyframes(l->replay);

    while (low < high) {
        guint middle = (low + high) / 2;

        if (replay_keyframe_position(l->replay, middle) <= position) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void set_page(void *opaque, uint64_t number, const uint8_t *content)
{
    memory_snapshot_set(opaque, number, content);
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
    uint64_t pages = memory_snapshot_pages(l->machine->memory);
    GArray *marked;
    Snapshot *s;
    guint base;

    if (!replay_keyframe_first(l->replay, n, pages, &base)) {
        return NULL;
    }
    marked = g_array_new(false, false, sizeof(uint64_t));
    s = g_new0(Snapshot, 1);
    s->position = replay_keyframe_position(l->replay, n);
    s->keyframes = n + 1;
    s->state = g_byte_array_new();
    s->memory = memory_snapshot_copy(l->machine->memory, base_memory(l, n, &base), with_checks);
    if (!replay_read_keyframe(l->replay, n, base, pages, s->state, marked, set_page, s->memory)) {
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

    while (l->start_memory && !s) {
        guint n = count_up_to(l, to);

        if (!n || replay_keyframe_position(l->replay, n - 1) < from) {
            break;
        }
        s = read_keyframe(l, n - 1);
    }
    return s;
}
