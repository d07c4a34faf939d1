/*
 * The virtual clock and its timers. Machine thread only.
 *
 * 1. With -icount: now = (icount << shift) + bias. Timers fire at the first
 *    instruction boundary where now >= deadline; ties go by creation order.
 * 2. icount is exact whenever device code runs: it is the number of
 *    instructions completed before the one that made the access.
 * 3. Without -icount the clock follows the host's monotonic clock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_CLOCK_H
#define HW_CORE_CLOCK_H

#include "util/bytes.h"
#include "util/digest.h"
#include "util/error.h"

typedef struct VirtualClock VirtualClock;
typedef struct Timer Timer;
typedef void TimerFn(void *opaque);

struct Timer {
    VirtualClock *clock;
    TimerFn *fn;
    void *opaque;
    const char *name;
    int64_t deadline_ns;   /* valid while pending */
    uint64_t order;        /* creation order, breaks ties */
    uint32_t heap_index;   /* 0: not pending */
};

#define CLOCK_NO_DEADLINE INT64_MAX
/* 146 years. Later timers do not fire, and idle time ends here: no sum overflows. */
#define CLOCK_END (INT64_MAX / 2)
#define CLOCK_MAX_SHIFT 10

/* At zero, following the host until clock_use_icount(). A machine makes its own. */
VirtualClock *clock_new(void);
/* Timers are their devices' and are not touched. NULL is fine. */
void clock_free(VirtualClock *clock);

/* Nanoseconds of virtual time now. */
int64_t clock_now(VirtualClock *clock);

/*
 * Timers belong to the machine's state: which are armed, and for when, is saved, loaded and
 * digested here, so that their owners need no field for it. They are made before the
 * machine starts, or with a device that is plugged (hw/core/hotplug.h), in the same order in every
 * run of one configuration. `name` must outlive the timer, and both must outlive the clock's last
 * use, or timer_fini().
 */
void timer_init(Timer *t, VirtualClock *clock, TimerFn *fn, void *opaque,
                const char *name);
/* The clock knows it no more; nothing to do for one that was never made. */
void timer_fini(Timer *t);
/* (Re)arm for an absolute time; a time in the past fires at the next boundary. */
void timer_mod(Timer *t, int64_t deadline_ns);
void timer_del(Timer *t);
static inline bool timer_pending(const Timer *t)
{
    return t->heap_index != 0;
}

/* A counter of `hz` ticks a second, below 2^34, that began with the clock: what it has at `ns`. */
uint64_t clock_ticks(uint64_t ns, uint64_t hz);
/* The first nanosecond at which it has `ticks`; INT64_MAX: never. */
int64_t clock_ticks_ns(uint64_t ticks, uint64_t hz);

/* ---- for the execution loop ---- */

/* The earliest deadline, or CLOCK_NO_DEADLINE. */
int64_t clock_next_deadline(VirtualClock *clock);
/*
 * Run every timer that is due now, in order, those included that callbacks arm
 * meanwhile: none is due afterwards, so what happens at a boundary is the same
 * after a restored snapshot. A callback must re-arm its own timer for the
 * future (assert). Returns whether any ran.
 */
bool clock_run_timers(VirtualClock *clock);

/*
 * Whether timer_mod() made the earliest deadline earlier since the slice began: the
 * execution loop leaves after the current instruction.
 */
bool clock_deadline_moved(const VirtualClock *clock);

/*
 * The instruction counter: icount = slice_end - *left, where `left` counts
 * down while a slice runs. The execution loop sets both.
 */
void clock_set_slice(VirtualClock *clock, int64_t slice_end, const int64_t *left);
int64_t clock_icount(const VirtualClock *clock);

/* Switch to instruction counting (before the first instruction). 0 <= shift <= 10. */
void clock_use_icount(VirtualClock *clock, unsigned shift);
bool clock_uses_icount(const VirtualClock *clock);
unsigned clock_shift(const VirtualClock *clock);
/* Change the shift; virtual time stays continuous. */
void clock_set_shift(VirtualClock *clock, unsigned shift);
/* Let idle time pass, at most up to CLOCK_END: bias += ns (icount mode). */
void clock_warp(VirtualClock *clock, int64_t ns);
/* Instructions from now until now >= deadline_ns, rounded up; 0 when due, INT64_MAX
 * for CLOCK_NO_DEADLINE. Without -icount: one instruction counts as one nanosecond. */
int64_t clock_icount_until(VirtualClock *clock, int64_t deadline_ns);

/* Stop and resume the host-driven clock (without -icount) with the VM. */
void clock_pause(VirtualClock *clock);
void clock_resume(VirtualClock *clock);

/* ---- state: the instruction count, virtual time, and every timer ---- */

void clock_digest(const VirtualClock *clock, Digest *digest);
void clock_save(VirtualClock *clock, GByteArray *out);
/*
 * After this no slice is set (clock_set_slice()). Fails, saying why, for the state of other
 * timers or of the other kind of clock; the clock is not usable then.
 */
bool clock_load(VirtualClock *clock, ByteReader *in, Error **errp);
/* For tests: disarm all timers, and set the time to nonsense that a load has to replace. */
void clock_scramble(VirtualClock *clock);

#endif
