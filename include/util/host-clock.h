/*
 * The host's clocks: the only place that asks the host for time. Guest-visible
 * uses go through replay_value().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_HOST_CLOCK_H
#define UTIL_HOST_CLOCK_H

#include "util/osdep.h"

/* Monotonic nanoseconds since an arbitrary start. */
int64_t host_monotonic_ns(void);
/* Nanoseconds of CPU time that this thread has used: what something costs, on a busy host, too. */
int64_t host_thread_cpu_ns(void);
/* Wall-clock nanoseconds since 1970-01-01 UTC. */
int64_t host_realtime_ns(void);
/* How far local time is ahead of UTC now, in seconds. */
int64_t host_utc_offset(void);

#endif
