/*
 * The execution loop: virtual time against host time. Idle time (sleep and warp),
 * and the shift that follows the host's speed (shift=auto).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec-loop-internal.h"
#include "util/host-clock.h"

#define ADAPT_PERIOD_NS 200000000
#define ADAPT_MIN_INSNS 1000000

/* ---- shift=auto ---- */

bool loop_deliver_shift(void *opaque, const uint8_t *payload, size_t length)
{
    ExecLoop *l = opaque;

    if (length != 1 || payload[0] > EXEC_MAX_SHIFT) {
        return false;
    }
    clock_set_shift(l->machine->clock, payload[0]);
    return true;
}

/*
 * Choose the shift that makes an instruction take as long in virtual time as it
 * does on the host. The decision is host-dependent, so it is posted.
 */
void loop_adapt_shift(ExecLoop *l)
{
    int64_t now = host_monotonic_ns(), insns, busy;
    unsigned shift = 0;
    uint8_t payload;

    if (now - l->adapt_time < ADAPT_PERIOD_NS) {
        return;
    }
    insns = loop_icount(l) - l->adapt_icount;
    busy = now - l->adapt_time - l->adapt_idle;
    l->adapt_time = now;
    l->adapt_icount = loop_icount(l);
    l->adapt_idle = 0;
    if (insns < ADAPT_MIN_INSNS || busy <= 0) {
        return;
    }
    /* The power of two nearest below 1.5 times the time of an instruction. */
    while (shift < EXEC_MAX_SHIFT && (2ll << shift) * insns <= busy + busy / 2) {
        shift++;
    }
    if (shift != clock_shift(l->machine->clock)) {
        payload = shift;
        replay_post(l->shift_source, &payload, sizeof(payload));
    }
}

/* ---- idle ---- */

/* Sleep until woken, or until virtual time would reach the deadline. */
static int64_t sleep_until(ExecLoop *l, int64_t ns)
{
    int64_t start = host_monotonic_ns(), elapsed;

    g_mutex_lock(&l->lock);
    while (!l->woken && (l->run_wanted || l->step_cpu) && !l->closures) {
        if (ns == CLOCK_NO_DEADLINE) {
            g_cond_wait(&l->wake, &l->lock);
        } else {
            int64_t left = ns - (host_monotonic_ns() - start);

            if (left <= 0 ||
                !g_cond_wait_until(&l->wake, &l->lock, (host_monotonic_ns() + left + 999) / 1000)) {
                break;
            }
        }
    }
    l->woken = false;
    g_mutex_unlock(&l->lock);
    elapsed = host_monotonic_ns() - start;
    l->adapt_idle += elapsed;
    return elapsed;
}

/* A ReplaySleep. With sleep=off, waiting for input takes no virtual time. */
static int64_t sleep_idle(void *opaque, int64_t until)
{
    ExecLoop *l = opaque;
    int64_t elapsed = sleep_until(l, MIN(until, loop_travel_ns(l)));

    return l->config.sleep ? MIN(elapsed, until) : 0;
}

static void idle_warp(ExecLoop *l, int64_t ns)
{
    clock_warp(l->machine->clock, ns);
    l->warps++;
}

void loop_idle(ExecLoop *l)
{
    VirtualClock *clock = l->machine->clock;
    int64_t deadline = clock_next_deadline(clock), until = CLOCK_NO_DEADLINE, ns;

    if (deadline != CLOCK_NO_DEADLINE) {
        until = MAX(deadline - clock_now(clock), 0);
    }
    if (!clock_uses_icount(clock)) {
        sleep_until(l, until);
    } else if (!l->config.sleep && until != CLOCK_NO_DEADLINE) {
        idle_warp(l, until);
    } else if (replay_idle(l->replay, until, sleep_idle, l, &ns)) {
        idle_warp(l, ns);
    }
}

/* ---- pauses ---- */

void loop_time_paused(ExecLoop *l)
{
    clock_pause(l->machine->clock);
    l->pause_time = host_monotonic_ns();
}

void loop_time_resumed(ExecLoop *l)
{
    clock_resume(l->machine->clock);
    l->adapt_idle += host_monotonic_ns() - l->pause_time;
}
