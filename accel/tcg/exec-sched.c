/*
 * The execution loop: whose turn it is, and how far its slice goes.
 *
 * 1. vCPUs take turns at fixed instruction counts, in order.
 * 2. A slice ends at the first of: the vCPU's turn, the next timer, the next recorded
 *    event, the next check. Where slices are cut is invisible to the guest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-loop-internal.h"

/* Bounds a slice, so that pauses and closures are served soon. */
#define SLICE_INSNS 200000

static bool cpu_runnable(Vcpu *cpu)
{
    if (cpu->powered_off) {
        return false;
    }
    if (cpu->halted && cpu->ops->has_work(cpu)) {
        cpu->halted = 0;
    }
    return !cpu->halted;
}

bool loop_choose_cpu(ExecLoop *l)
{
    Machine *m = l->machine;

    if (l->turn_left > 0 && cpu_runnable(exec_loop_cpu(l))) {
        return true;
    }
    for (unsigned n = 1; n <= m->num_cpus; n++) {
        unsigned next = (l->turn_cpu + n) % m->num_cpus;

        if (cpu_runnable(m->cpus[next])) {
            l->turn_cpu = next;
            l->turn_left = TURN_INSNS;
            return true;
        }
    }
    return false;
}

int64_t loop_slice_length(ExecLoop *l)
{
    VirtualClock *clock = l->machine->clock;
    uint64_t position = exec_loop_position(l), next = replay_next_pos(l->replay);
    int64_t length = SLICE_INSNS, deadline = clock_next_deadline(clock);

    if (l->machine->num_cpus > 1) {
        length = MIN(length, l->turn_left);
    }
    if (clock_uses_icount(clock) && deadline != CLOCK_NO_DEADLINE) {
        length = MIN(length, clock_icount_until(clock, deadline));
    }
    if (next != UINT64_MAX) {
        length = MIN(length, MAX((int64_t)(next - position), 1));
    }
    if (l->next_check) {
        length = MIN(length, (int64_t)(l->next_check - loop_icount(l)));
    }
    return MAX(length, 1);
}

bool loop_run_slice(ExecLoop *l, int64_t length)
{
    Vcpu *cpu = exec_loop_cpu(l);
    int64_t start = loop_icount(l);
    TcgStop stop;

    cpu->left = length;
    l->machine->current_cpu = cpu->index;
    clock_set_slice(l->machine->clock, start + length, &cpu->left);
    stop = tcg_run(l->tcg, cpu);
    l->icount = start + length - cpu->left;
    clock_set_slice(l->machine->clock, l->icount, &l->zero);
    if (l->machine->num_cpus > 1) {
        /* A lone CPU's slices are not cut by turns: their shape must leave no trace. */
        l->turn_left -= l->icount - start;
    }
    if (stop != TCG_STOP_DEBUG) {
        return false;
    }
    /* Now: who is told may continue before this thread gets to wait. */
    cpu->skip_breakpoint = true;
    loop_tell_stopped(l, EXEC_STOP_BREAKPOINT);
    return true;
}
