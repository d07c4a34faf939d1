/*
 * The execution loop: whose turn it is, and how far its slice goes.
 *
 * 1. Only one CPU runs at a time, but the guest's CPUs have to progress as if side by
 *    side. ran[n] is how far CPU n has come: the instructions that it has executed, and
 *    those that others executed while it had nothing to do.
 * 2. A turn goes to the CPU that is furthest behind, the next in order among equals, for
 *    TURN_INSNS. While no other CPU is awake, a turn has no end.
 * 3. A CPU that slept is raised to the one furthest behind, so it has no claim to time that
 *    it did not want. Then it goes first, at once, unless it is ahead of the CPU whose
 *    turn it is: a wake-up takes effect after the instruction that caused it, but two CPUs
 *    that wake each other do not keep a third one from running.
 * 4. WFE and YIELD end a turn, and put the CPU behind all others.
 * 5. Turns are a function of guest state and instruction counts. A choice counts when the
 *    CPU has executed something: where execution stops for a debugger instead, the choice is
 *    made again, after what was delivered at that position meanwhile.
 * 6. A slice ends at the first of: the vCPU's turn, the next timer, the next recorded
 *    event, the next check. Where slices are cut is invisible to the guest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-loop-internal.h"

/* Bounds a slice, so that pauses and closures are served soon. */
#define SLICE_INSNS 200000

/* ---- turns ---- */

static bool runnable(Vcpu *cpu)
{
    return !cpu->powered_off && (!cpu->halted || cpu->ops->has_work(cpu));
}

/*
 * Note who sleeps, and raise those who do no longer (rule 3). Returns the one of these
 * that is furthest behind; -1: none.
 */
static int look_at_sleepers(const ExecLoop *l, ExecSched *s)
{
    unsigned num = l->machine->num_cpus;
    uint64_t least = UINT64_MAX;
    int woken = -1;

    for (unsigned n = 0; n < num; n++) {
        if (!s->asleep[n] && runnable(l->machine->cpus[n])) {
            least = MIN(least, s->ran[n]);
        }
    }
    for (unsigned n = 0; n < num; n++) {
        bool sleeps = !runnable(l->machine->cpus[n]);

        if (s->asleep[n] && !sleeps) {
            if (least != UINT64_MAX) {
                s->ran[n] = MAX(s->ran[n], least);
            }
            if (woken < 0 || s->ran[n] < s->ran[woken]) {
                woken = (int)n;
            }
        }
        s->asleep[n] = sleeps;
    }
    return woken;
}

void loop_sched_reset(ExecLoop *l)
{
    assert(l->machine->num_cpus <= EXEC_MAX_CPUS);
    l->sched = (ExecSched){ .left = TURN_INSNS };
    look_at_sleepers(l, &l->sched);
}

/* The CPU furthest behind, the current one last among equals; -1: all sleep. */
static int furthest_behind(const ExecLoop *l, const ExecSched *s)
{
    unsigned num = l->machine->num_cpus;
    int best = -1;

    for (unsigned i = 1; i <= num; i++) {
        unsigned n = (s->cpu + i) % num;

        if (!s->asleep[n] && (best < 0 || s->ran[n] < s->ran[best])) {
            best = (int)n;
        }
    }
    return best;
}

/* False when all sleep. */
static bool choose(const ExecLoop *l, ExecSched *s)
{
    bool goes_on = s->left > 0 && runnable(l->machine->cpus[s->cpu]);
    int next, woken;

    if (goes_on && !tcg_woken(l->tcg)) {
        return true;
    }
    woken = look_at_sleepers(l, s);
    next = goes_on ? (int)s->cpu : furthest_behind(l, s);
    if (woken >= 0 && s->ran[woken] <= s->ran[next]) {
        next = woken;
    }
    if (next < 0) {
        return false;
    }
    if (!goes_on || (unsigned)next != s->cpu) {
        s->cpu = (unsigned)next;
        s->left = TURN_INSNS;
    }
    return true;
}

Vcpu *loop_choose_cpu(ExecLoop *l)
{
    l->chosen = l->sched;
    if (l->machine->num_cpus == 0) {
        return NULL;
    }
    if (l->machine->num_cpus == 1) {
        return runnable(l->machine->cpus[0]) ? l->machine->cpus[0] : NULL;
    }
    return choose(l, &l->chosen) ? l->machine->cpus[l->chosen.cpu] : NULL;
}

/* Whether others wait for their turn. Nobody wakes up without the slice being left. */
static bool contested(const ExecLoop *l, const ExecSched *s)
{
    for (unsigned n = 0; n < l->machine->num_cpus; n++) {
        if (n != s->cpu && !s->asleep[n] && runnable(l->machine->cpus[n])) {
            return true;
        }
    }
    return false;
}

/* Rule 4. */
static void yield_turn(const ExecLoop *l, ExecSched *s)
{
    s->left = 0;
    for (unsigned n = 0; n < l->machine->num_cpus; n++) {
        if (!s->asleep[n] && runnable(l->machine->cpus[n])) {
            s->ran[s->cpu] = MAX(s->ran[s->cpu], s->ran[n]);
        }
    }
}

/* ---- slices ---- */

int64_t loop_slice_length(ExecLoop *l)
{
    VirtualClock *clock = l->machine->clock;
    uint64_t position = exec_loop_position(l), next = replay_next_pos(l->replay), stop;
    int64_t length = SLICE_INSNS, deadline = clock_next_deadline(clock);

    if (contested(l, &l->chosen)) {
        length = MIN(length, l->chosen.left);
    }
    if (clock_uses_icount(clock) && deadline != CLOCK_NO_DEADLINE) {
        length = MIN(length, clock_icount_until(clock, deadline));
    }
    if (next != UINT64_MAX) {
        length = MIN(length, MAX((int64_t)(next - position), 1));
    }
    stop = MIN(loop_next_stop(l), l->take_at);
    if (stop != UINT64_MAX) {
        length = MIN(length, (int64_t)MIN(stop - position, INT64_MAX));
    }
    if (l->chaos) {
        length = MIN(length, (int64_t)(l->chaos_at - position));
    }
    if (l->next_check) {
        length = MIN(length, (int64_t)(l->next_check - loop_icount(l)));
    }
    return MAX(length, 1);
}

/* The chosen CPU has executed `insns`: the choice counts. */
static void account(ExecLoop *l, int64_t insns, bool was_contested, TcgStop stop)
{
    ExecSched *s = &l->sched;

    if (l->machine->num_cpus == 1) {
        return;
    }
    s->ran[s->cpu] += (uint64_t)insns;
    if (was_contested) {
        s->left -= insns;
    }
    if (stop == TCG_STOP_YIELD) {
        yield_turn(l, s);
    }
}

bool loop_run_slice(ExecLoop *l, int64_t length)
{
    Machine *m = l->machine;
    Vcpu *cpu = m->cpus[l->chosen.cpu];
    const ExecSched before = l->sched;
    bool was_contested = contested(l, &l->chosen), woken = tcg_take_woken(l->tcg);
    unsigned before_cpu = m->current_cpu;
    uint8_t before_halted = cpu->halted;
    int64_t start = loop_icount(l);
    ExecStopReason reason;
    TcgStop stop;

    l->sched = l->chosen;
    cpu->halted = 0;
    cpu->left = length;
    m->current_cpu = cpu->index;
    clock_set_slice(m->clock, start + length, &cpu->left);
    l->executing = cpu;
    stop = tcg_run(l->tcg, cpu);
    l->executing = NULL;
    l->icount = start + length - cpu->left;
    clock_set_slice(m->clock, l->icount, &l->zero);
    if (l->icount != start) {
        account(l, l->icount - start, was_contested, stop);
        loop_travel_ran(l, cpu);
    } else {
        l->sched = before;
        cpu->halted = before_halted;
        m->current_cpu = before_cpu;
        tcg_set_woken(l->tcg, woken);
    }
    if (stop != TCG_STOP_DEBUG && stop != TCG_STOP_WATCH) {
        return false;
    }
    /* Now: who is told may continue before this thread gets to wait. */
    cpu->skip_breakpoint = true;
    reason = stop == TCG_STOP_WATCH ? EXEC_STOP_WATCHPOINT : EXEC_STOP_BREAKPOINT;
    if (loop_travel_hit(l, reason, cpu)) {
        return false;
    }
    loop_tell_stopped(l, reason, cpu);
    return true;
}
