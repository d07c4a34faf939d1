/*
 * The virtual clock: the instruction counter (or the host's clock) and a
 * binary heap of timers, ordered by (deadline, creation order).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/clock.h"
#include "util/host-clock.h"
#include "util/trace.h"

struct VirtualClock {
    GPtrArray *heap;        /* Timer *; slot 0 is unused, the earliest is in slot 1 */
    GPtrArray *timers;      /* all Timer * in order of creation */
    bool deadline_moved;

    bool icount;
    unsigned shift;
    int64_t bias;           /* without icount: added to the host's clock */
    int64_t slice_end;
    const int64_t *left;    /* NULL: no slice yet, icount = slice_end */

    bool paused;            /* host-driven clock only */
    int64_t paused_at;
};

VirtualClock *clock_new(void)
{
    VirtualClock *clock = g_new0(VirtualClock, 1);

    clock->heap = g_ptr_array_new();
    g_ptr_array_add(clock->heap, NULL);
    clock->timers = g_ptr_array_new();
    clock->bias = -host_monotonic_ns();
    return clock;
}

void clock_free(VirtualClock *clock)
{
    if (clock) {
        g_ptr_array_free(clock->heap, TRUE);
        g_ptr_array_free(clock->timers, TRUE);
        g_free(clock);
    }
}

int64_t clock_icount(const VirtualClock *clock)
{
    return clock->left ? clock->slice_end - *clock->left : clock->slice_end;
}

int64_t clock_now(VirtualClock *clock)
{
    if (clock->icount) {
        return (clock_icount(clock) << clock->shift) + clock->bias;
    }
    return clock->paused ? clock->paused_at : host_monotonic_ns() + clock->bias;
}

#define NS_PER_S 1000000000ull

/* Ticks of whole seconds are exact, and what is left is less than 2^64 before it is divided. */
uint64_t clock_ticks(uint64_t ns, uint64_t hz)
{
    return ns / NS_PER_S * hz + ns % NS_PER_S * hz / NS_PER_S;
}

int64_t clock_ticks_ns(uint64_t ticks, uint64_t hz)
{
    uint64_t seconds = ticks / hz;
    uint64_t rest = (ticks % hz * NS_PER_S + hz - 1) / hz;

    if (seconds > INT64_MAX / NS_PER_S) {
        return INT64_MAX;
    }
    return (int64_t)MIN(seconds * NS_PER_S + rest, INT64_MAX);
}

/* ---- the heap ---- */

static Timer *heap_at(const VirtualClock *clock, uint32_t i)
{
    return g_ptr_array_index(clock->heap, i);
}

static void heap_put(VirtualClock *clock, uint32_t i, Timer *t)
{
    g_ptr_array_index(clock->heap, i) = t;
    t->heap_index = i;
}

static bool timer_before(const Timer *a, const Timer *b)
{
    if (a->deadline_ns != b->deadline_ns) {
        return a->deadline_ns < b->deadline_ns;
    }
    return a->order < b->order;
}

static void sift_up(VirtualClock *clock, uint32_t i, Timer *t)
{
    while (i > 1 && timer_before(t, heap_at(clock, i / 2))) {
        heap_put(clock, i, heap_at(clock, i / 2));
        i /= 2;
    }
    heap_put(clock, i, t);
}

static void sift_down(VirtualClock *clock, uint32_t i, Timer *t)
{
    uint32_t n = clock->heap->len;

    while (2 * i < n) {
        uint32_t child = 2 * i;

        if (child + 1 < n && timer_before(heap_at(clock, child + 1), heap_at(clock, child))) {
            child++;
        }
        if (!timer_before(heap_at(clock, child), t)) {
            break;
        }
        heap_put(clock, i, heap_at(clock, child));
        i = child;
    }
    heap_put(clock, i, t);
}

static void heap_remove(Timer *t)
{
    VirtualClock *clock = t->clock;
    uint32_t i = t->heap_index;
    Timer *last = g_ptr_array_steal_index(clock->heap, clock->heap->len - 1);

    t->heap_index = 0;
    if (last == t) {
        return;
    }
    if (i > 1 && timer_before(last, heap_at(clock, i / 2))) {
        sift_up(clock, i, last);
    } else {
        sift_down(clock, i, last);
    }
}

/* ---- timers ---- */

void timer_init(Timer *t, VirtualClock *clock, TimerFn *fn, void *opaque, const char *name)
{
    *t = (Timer) {
        .clock = clock, .fn = fn, .opaque = opaque, .name = name,
        .order = clock->timers->len,
    };
    g_ptr_array_add(clock->timers, t);
}

/* Those that were made later move up, and keep their order. */
void timer_fini(Timer *t)
{
    VirtualClock *clock = t->clock;

    if (!clock) {
        return;
    }
    timer_del(t);
    g_ptr_array_remove(clock->timers, t);
    for (guint i = t->order; i < clock->timers->len; i++) {
        ((Timer *)g_ptr_array_index(clock->timers, i))->order = i;
    }
    t->clock = NULL;
}

void timer_mod(Timer *t, int64_t deadline_ns)
{
    VirtualClock *clock = t->clock;
    int64_t earliest = clock_next_deadline(clock);

    if (timer_pending(t)) {
        heap_remove(t);
    }
    trace_timer_arm(t->name, deadline_ns);
    t->deadline_ns = deadline_ns;
    g_ptr_array_add(clock->heap, t);
    sift_up(clock, clock->heap->len - 1, t);
    if (clock_next_deadline(clock) < earliest) {
        clock->deadline_moved = true;
    }
}

void timer_del(Timer *t)
{
    if (timer_pending(t)) {
        heap_remove(t);
    }
}

int64_t clock_next_deadline(VirtualClock *clock)
{
    int64_t deadline = clock->heap->len > 1 ? heap_at(clock, 1)->deadline_ns : CLOCK_NO_DEADLINE;

    return deadline <= CLOCK_END ? deadline : CLOCK_NO_DEADLINE;
}

bool clock_run_timers(VirtualClock *clock)
{
    int64_t now = clock_now(clock);
    bool ran = false;

    while (clock_next_deadline(clock) <= now) {
        Timer *t = heap_at(clock, 1);

        heap_remove(t);
        trace_timer_fire(t->name, t->deadline_ns);
        t->fn(t->opaque);
        ran = true;
        /* A device that re-arms itself without progress would hang the machine. */
        assert(!timer_pending(t) || t->deadline_ns > now);
    }
    return ran;
}

bool clock_deadline_moved(const VirtualClock *clock)
{
    return clock->deadline_moved;
}

/* ---- instruction counting ---- */

void clock_set_slice(VirtualClock *clock, int64_t slice_end, const int64_t *left)
{
    clock->slice_end = slice_end;
    clock->left = left;
    clock->deadline_moved = false;
}

void clock_use_icount(VirtualClock *clock, unsigned shift)
{
    assert(!clock->icount && clock_icount(clock) == 0 && shift <= CLOCK_MAX_SHIFT);
    clock->icount = true;
    clock->shift = shift;
    clock->bias = 0;
}

bool clock_uses_icount(const VirtualClock *clock)
{
    return clock->icount;
}

unsigned clock_shift(const VirtualClock *clock)
{
    return clock->shift;
}

void clock_set_shift(VirtualClock *clock, unsigned shift)
{
    int64_t now = clock_now(clock);

    assert(clock->icount && shift <= CLOCK_MAX_SHIFT);
    clock->shift = shift;
    clock->bias = now - (clock_icount(clock) << shift);
}

void clock_warp(VirtualClock *clock, int64_t ns)
{
    assert(clock->icount && ns >= 0);
    clock->bias += CLAMP(CLOCK_END - clock_now(clock), 0, ns);
}

int64_t clock_icount_until(VirtualClock *clock, int64_t deadline_ns)
{
    int64_t now = clock_now(clock);
    uint64_t delta, insns;

    if (deadline_ns == CLOCK_NO_DEADLINE) {
        return INT64_MAX;
    }
    if (deadline_ns <= now) {
        return 0;
    }
    /* Unsigned, since a deadline may lie more than INT64_MAX behind a negative now. */
    delta = (uint64_t)deadline_ns - (uint64_t)now;
    insns = ((delta - 1) >> clock->shift) + 1;
    return insns > INT64_MAX ? INT64_MAX : (int64_t)insns;
}

/* ---- state ---- */

#define TIMER_NAME_MAX 64

/* When it fires, or CLOCK_NO_DEADLINE. */
static int64_t timer_deadline(const Timer *t)
{
    return timer_pending(t) ? t->deadline_ns : CLOCK_NO_DEADLINE;
}

void clock_digest(const VirtualClock *clock, Digest *digest)
{
    for (guint i = 0; i < clock->timers->len; i++) {
        digest_u64(digest, (uint64_t)timer_deadline(g_ptr_array_index(clock->timers, i)));
    }
    if (clock->icount) {
        digest_u64(digest, (uint64_t)clock_icount(clock));
        digest_u64(digest, clock->shift);
        digest_u64(digest, (uint64_t)clock->bias);
    }
}

void clock_save(VirtualClock *clock, GByteArray *out)
{
    bytes_put_u8(out, clock->icount);
    bytes_put_varint(out, (uint64_t)clock_icount(clock));
    bytes_put_varint(out, clock->shift);
    bytes_put_svarint(out, clock_now(clock));
    bytes_put_varint(out, clock->timers->len);
    for (guint i = 0; i < clock->timers->len; i++) {
        const Timer *t = g_ptr_array_index(clock->timers, i);

        bytes_put_block(out, t->name, strlen(t->name));
        bytes_put_svarint(out, timer_deadline(t));
    }
}

/* The head of what clock_save() wrote. */
typedef struct SavedClock {
    uint8_t icount;
    uint64_t insns, shift, num_timers;
    int64_t now;
} SavedClock;

static bool read_clock(const VirtualClock *clock, ByteReader *in, SavedClock *saved, Error **errp)
{
    saved->icount = bytes_get_u8(in);
    saved->insns = bytes_get_varint(in);
    saved->shift = bytes_get_varint(in);
    saved->now = bytes_get_svarint(in);
    saved->num_timers = bytes_get_varint(in);
    if (in->failed || saved->insns > INT64_MAX >> CLOCK_MAX_SHIFT ||
        saved->shift > CLOCK_MAX_SHIFT || saved->now < 0) {
        error_setg(errp, "the state of the clock is damaged");
        return false;
    }
    if (saved->icount != clock->icount) {
        error_setg(errp, "the state was saved %s -icount, and this machine runs %s it",
                   saved->icount ? "with" : "without", clock->icount ? "with" : "without");
        return false;
    }
    if (saved->num_timers != clock->timers->len) {
        error_setg(errp, "the state has %" PRIu64 " timers, this machine %u", saved->num_timers,
                   clock->timers->len);
        return false;
    }
    return true;
}

static bool load_timer(Timer *t, ByteReader *in, Error **errp)
{
    size_t length;
    const uint8_t *name = bytes_get_block(in, TIMER_NAME_MAX, &length);
    int64_t deadline = bytes_get_svarint(in);

    if (in->failed || length != strlen(t->name) || memcmp(name, t->name, length) != 0) {
        error_setg(errp, "the state of timer '%s' is missing", t->name);
        return false;
    }
    timer_del(t);
    if (deadline != CLOCK_NO_DEADLINE) {
        timer_mod(t, deadline);
    }
    return true;
}

bool clock_load(VirtualClock *clock, ByteReader *in, Error **errp)
{
    SavedClock saved;

    if (!read_clock(clock, in, &saved, errp)) {
        return false;
    }
    clock_set_slice(clock, (int64_t)saved.insns, NULL);
    clock->shift = (unsigned)saved.shift;
    if (clock->icount) {
        clock->bias = saved.now - (int64_t)(saved.insns << saved.shift);
    } else {
        clock->bias = saved.now - host_monotonic_ns();
        clock->paused_at = saved.now;
    }
    for (guint i = 0; i < clock->timers->len; i++) {
        if (!load_timer(g_ptr_array_index(clock->timers, i), in, errp)) {
            return false;
        }
    }
    return true;
}

void clock_scramble(VirtualClock *clock)
{
    for (guint i = 0; i < clock->timers->len; i++) {
        timer_del(g_ptr_array_index(clock->timers, i));
    }
    clock->shift = CLOCK_MAX_SHIFT - clock->shift;
    clock->bias = 0;
    clock_set_slice(clock, 0, NULL);
}

/* ---- the host-driven clock ---- */

void clock_pause(VirtualClock *clock)
{
    if (!clock->icount && !clock->paused) {
        clock->paused_at = clock_now(clock);
        clock->paused = true;
    }
}

void clock_resume(VirtualClock *clock)
{
    if (!clock->icount && clock->paused) {
        clock->paused = false;
        clock->bias = clock->paused_at - host_monotonic_ns();
    }
}
