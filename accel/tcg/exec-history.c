/*
 * The execution loop: who wrote to memory.
 *
 * 1. A search is a closure that runs the machine itself: it restores snapshots, runs forward with
 *    the memory watched (memory_watch()), and restores the present.
 * 2. Every write to watched memory is told before it is made, by whomever and by whatever address,
 *    so what a write made of it is what the next one finds, or the end of the run.
 * 3. The stretch is searched in windows between two snapshots. One in which the memory's pages
 *    were not written is known without running: both snapshots share their versions.
 * 4. A window begins behind all that happens by itself at its first position, and ends behind what
 *    does at its last. The first one begins at power-on, in front of what comes in there.
 * 5. A kept snapshot of a live machine may be older than what came in at its position later. So at
 *    the end of the stretch only the present itself tells that a window has no write.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-history.h"
#include "accel/tcg/exec-loop-internal.h"

/* What a debugger's stop leaves at a CPU, and is no state of the guest. */
typedef struct CpuStop {
    bool skip_breakpoint, skip_watch;
    WatchHit hit;
} CpuStop;

typedef struct Search {
    ExecLoop *l;
    ExecHistory *h;
    MemWatch watch;
    Snapshot *home;           /* the present; NULL: the end of a replay, which has no state */
    uint64_t here;            /* its position */
    uint64_t from;            /* of no interest is what was written before this position */
    bool last_only;
    uint8_t *before;          /* of the last write: all of the memory */
    uint8_t *now;
    bool open;                /* what the last write made of it is not known yet */
} Search;

/* ---- what is noted ---- */

static void read_memory(const Search *s, uint8_t *out)
{
    for (unsigned n = 0; n < s->watch.num_parts; n++) {
        const MemWatchPart *p = &s->watch.part[n];

        memcpy(out, p->region->host + p->offset, p->length);
        out += p->length;
    }
}

static ExecMemoryWrite *last_write(const Search *s)
{
    return &g_array_index(s->h->writes, ExecMemoryWrite, s->h->writes->len - 1);
}

/* The memory is as the last write has left it. */
static void close_write(Search *s)
{
    if (s->open) {
        ExecMemoryWrite *w = last_write(s);

        read_memory(s, s->now);
        w->before = g_memdup2(s->before + w->first, w->length);
        w->after = g_memdup2(s->now + w->first, w->length);
        s->open = false;
    }
}

static ExecMemoryWrite who_writes(ExecLoop *l)
{
    ExecMemoryWrite w = { .position = exec_loop_position(l), .cpu = -1,
                          .device = memory_accessed_device(l->machine->memory) };

    if (l->executing) {
        w.cpu = (int)l->executing->index;
        w.pc = l->executing->pc;
    }
    w.writer = l->debugger_writes ? EXEC_WRITER_DEBUGGER :
               l->executing && !w.device ? EXEC_WRITER_CPU : EXEC_WRITER_DEVICE;
    return w;
}

static void clear_write(gpointer data)
{
    g_free(((ExecMemoryWrite *)data)->before);
    g_free(((ExecMemoryWrite *)data)->after);
}

static void note(Search *s, unsigned first, unsigned end)
{
    ExecMemoryWrite w = who_writes(s->l), *last = s->open ? last_write(s) : NULL;

    if (last && last->position == w.position && last->writer == w.writer && last->cpu == w.cpu &&
        last->device == w.device) {
        end = MAX(end, last->first + last->length);
        last->first = MIN(first, last->first);
        last->length = end - last->first;
        return;
    }
    close_write(s);
    if (w.position < s->from) {
        return;
    }
    if (s->last_only) {
        g_array_set_size(s->h->writes, 0);
    } else if (s->h->writes->len == s->h->max) {
        s->h->full = true;
        return;
    }
    w.first = first;
    w.length = end - first;
    g_array_append_val(s->h->writes, w);
    read_memory(s, s->before);
    s->open = true;
}

/* MemWatch.written. */
static void written(void *opaque, const MemRegion *region, hwaddr offset, size_t length)
{
    Search *s = opaque;
    unsigned start = 0;

    for (unsigned n = 0; n < s->watch.num_parts; n++) {
        const MemWatchPart *p = &s->watch.part[n];
        hwaddr first = MAX(offset, p->offset), end = MIN(offset + length, p->offset + p->length);

        if (p->region == region && first < end) {
            note(s, start + (unsigned)(first - p->offset), start + (unsigned)(end - p->offset));
        }
        start += (unsigned)p->length;
    }
}

/* ---- running ---- */

static bool is_interrupted(Search *s)
{
    ExecLoop *l = s->l;

    g_mutex_lock(&l->lock);
    s->h->interrupted |= l->interrupted;
    g_mutex_unlock(&l->lock);
    return s->h->interrupted;
}

/* At the position, or where there is nothing more to replay. */
static bool has_arrived(ExecLoop *l, uint64_t end)
{
    return exec_loop_position(l) >= end || replay_is_live(l->replay);
}

/* False: it was given up, or has found enough, before the end. */
static bool run(Search *s, uint64_t end, bool stoppable)
{
    ExecLoop *l = s->l;

    l->travel = (Travel){ .kind = TRAVEL_SEARCH, .end = end };
    loop_plan_snapshots(l);
    while (!l->over && !l->ended) {
        if (stoppable && (s->h->full || is_interrupted(s))) {
            return false;
        }
        if (loop_settle(l)) {
            loop_take_snapshots(l);
            if (has_arrived(l, end)) {
                break;
            }
            loop_execute(l);
        }
    }
    return true;
}

static bool run_watched(Search *s, uint64_t end)
{
    MemoryMap *memory = s->l->machine->memory;
    bool done;

    memory_watch(memory, &s->watch);
    done = run(s, end, true);
    close_write(s);
    memory_watch(memory, NULL);
    return done && !s->l->ended;
}

static bool restore(Search *s, const Snapshot *to)
{
    Error *err = NULL;

    if (!loop_restore_snapshot(s->l, to, &err)) {
        loop_travel_failed(s->l, err);
        return false;
    }
    return true;
}

/* ---- windows ---- */

/* What is kept of a position; NULL: nothing. */
static const Snapshot *snapshot_of(const Search *s, uint64_t position)
{
    const Snapshot *found = loop_find_snapshot(s->l, position);

    return found && found->position == position ? found : NULL;
}

static bool is_unwritten(const Search *s, const Snapshot *from, const Snapshot *to)
{
    if (!from || !to) {
        return false;
    }
    for (unsigned n = 0; n < s->watch.num_parts; n++) {
        const MemWatchPart *p = &s->watch.part[n];

        if (!memory_snapshots_share(from->memory, to->memory, p->region, p->offset)) {
            return false;
        }
    }
    return true;
}

/* The one that a window begins with that ends at the position. */
static const Snapshot *window_to(const Search *s, uint64_t position)
{
    return loop_find_snapshot(s->l, position ? position - 1 : 0);
}

/* From the present back to the last write. */
static void search_back(Search *s)
{
    const Snapshot *end = s->home;

    s->last_only = true;
    s->h->searched = s->here;
    do {
        const Snapshot *from = window_to(s, s->h->searched);
        uint64_t start = from->position;

        if (!is_unwritten(s, from, end) &&
            (is_interrupted(s) || !restore(s, from) || !run_watched(s, s->h->searched) ||
             s->h->writes->len)) {
            return;
        }
        s->h->searched = start;
        end = snapshot_of(s, start);
    } while (s->h->searched);
}

/* What tells whether something was written in a window that ends here, or at the stretch's end. */
static const Snapshot *end_of_window(const Search *s, uint64_t end, uint64_t to)
{
    if (end < to) {
        return snapshot_of(s, end);
    }
    return end == s->here ? s->home : NULL;
}

/* From a snapshot, or the present where the machine stands, on. */
static void search_on(Search *s, const Snapshot *from, uint64_t to)
{
    bool stands = from == s->home;
    uint64_t at = from->position;

    do {
        const Snapshot *next = loop_snapshot_behind(s->l, at);
        uint64_t end = MIN(to, next ? next->position : UINT64_MAX);

        if (is_unwritten(s, from, end_of_window(s, end, to))) {
            at = end;
            stands = false;
        } else if (is_interrupted(s) || (!stands && !restore(s, from)) || !run_watched(s, end) ||
                   exec_loop_position(s->l) < end) {
            at = exec_loop_position(s->l);
            break;
        } else {
            at = end;
            stands = true;
        }
        s->h->searched = at;
        from = snapshot_of(s, at);   /* is needed, and there, if the machine does not stand here */
    } while (at < to);
    s->h->searched = at;
}

static void search_all(Search *s)
{
    ExecHistory *h = s->h;
    const Snapshot *start = window_to(s, h->from);

    s->from = h->from;
    h->searched = start->position;
    search_on(s, start, h->to == UINT64_MAX ? s->here : h->to);
}

/* ---- the present ---- */

static void go_home(Search *s)
{
    ExecLoop *l = s->l;
    const Snapshot *nearest = s->home ? s->home : loop_find_snapshot(l, s->here);

    if (!l->ended && restore(s, nearest) && !s->home) {
        run(s, UINT64_MAX, false);
    }
}

static void search(Search *s)
{
    ExecLoop *l = s->l;
    Travel travel = l->travel;
    uint64_t passed = l->passed;
    Vcpu *stepping = l->stepping;
    CpuStop stops[EXEC_MAX_CPUS];

    for (unsigned n = 0; n < l->machine->num_cpus; n++) {
        const Vcpu *cpu = l->machine->cpus[n];

        stops[n] = (CpuStop){ cpu->skip_breakpoint, cpu->skip_watch, cpu->watch_hit };
    }
    l->stepping = NULL;
    l->searching = true;
    s->here = exec_loop_position(l);
    s->home = l->over ? NULL : loop_make_snapshot(l);
    if (s->h->kind == EXEC_HISTORY_LAST) {
        search_back(s);
    } else if (s->h->kind == EXEC_HISTORY_ALL) {
        search_all(s);
    } else if (s->home) {
        s->h->max = 1;
        search_on(s, s->home, UINT64_MAX);
    }
    go_home(s);
    loop_free_snapshot(s->home);
    l->searching = false;
    l->stepping = stepping;
    l->passed = passed;
    l->travel = travel;
    loop_plan_snapshots(l);
    for (unsigned n = 0; n < l->machine->num_cpus; n++) {
        Vcpu *cpu = l->machine->cpus[n];

        cpu->skip_breakpoint = stops[n].skip_breakpoint;
        cpu->skip_watch = stops[n].skip_watch;
        cpu->watch_hit = stops[n].hit;
    }
}

/* ---- the question ---- */

static bool add_part(Search *s, hwaddr addr, hwaddr length, Error **errp)
{
    const MemRange *range = memory_find_range(s->l->machine->memory, addr);

    if (!range || !range->region->host || range->last - addr < length - 1) {
        error_setg(errp, "there is no memory at physical address 0x%" PRIx64 ": only RAM and ROM "
                   "have a history", addr);
        return false;
    }
    s->watch.part[s->watch.num_parts++] =
        (MemWatchPart){ range->region, addr - range->region->base, length };
    return true;
}

/* Pages of a virtual address need not be neighbours. */
static bool find_memory(Search *s, Error **errp)
{
    const ExecHistory *h = s->h;

    for (uint64_t done = 0, part; done < h->length; done += part) {
        uint64_t addr = h->addr + done, phys = addr;

        part = MIN(h->length - done, PAGE_SIZE - addr % PAGE_SIZE);
        if (h->cpu && !vcpu_translate(h->cpu, addr, &phys)) {
            error_setg(errp, "CPU %u has nothing at virtual address 0x%" PRIx64,
                       h->cpu->index, addr);
            return false;
        }
        if (!add_part(s, phys, part, errp)) {
            return false;
        }
    }
    return true;
}

typedef struct Ask {
    ExecLoop *loop;
    ExecHistory *history;
} Ask;

static void answer(void *opaque)
{
    Ask *ask = opaque;
    ExecLoop *l = ask->loop;
    ExecHistory *h = ask->history;
    Search s = { .l = l, .h = h, .watch = { .written = written } };

    assert(h->length && h->length <= EXEC_HISTORY_MAX_LENGTH);
    s.watch.opaque = &s;
    if (loop_may_travel(l, &h->err) && find_memory(&s, &h->err)) {
        s.before = g_malloc(h->length);
        s.now = g_malloc(h->length);
        search(&s);
        if (l->ended) {
            error_setg(&h->err, "the machine has ended");
        }
        g_free(s.before);
        g_free(s.now);
    }
    g_free(ask);
    h->done(h);
}

void exec_loop_ask_history(ExecLoop *l, ExecHistory *h)
{
    Ask *ask = g_new(Ask, 1);

    *ask = (Ask){ l, h };
    loop_post_closure(l, answer, ask);
}

void exec_loop_interrupt_history(ExecLoop *l)
{
    g_mutex_lock(&l->lock);
    l->interrupted = true;
    g_mutex_unlock(&l->lock);
}

ExecHistory *exec_history_new(ExecHistoryKind kind)
{
    ExecHistory *h = g_new0(ExecHistory, 1);

    h->kind = kind;
    h->to = UINT64_MAX;
    h->writes = g_array_new(false, false, sizeof(ExecMemoryWrite));
    g_array_set_clear_func(h->writes, clear_write);
    return h;
}

void exec_history_free(ExecHistory *h)
{
    g_array_unref(h->writes);
    if (h->err) {
        error_free(h->err);
    }
    g_free(h);
}
