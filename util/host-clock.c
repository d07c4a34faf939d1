/*
 * The host's clocks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define REARM_HOST_NONDETERMINISM
#include "util/osdep.h"
#include "util/host-clock.h"
#include <time.h>

static int64_t clock_ns(clockid_t id)
{
    struct timespec ts;
    int ret = clock_gettime(id, &ts);

    assert(ret == 0);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t host_monotonic_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

int64_t host_thread_cpu_ns(void)
{
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

int64_t host_realtime_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}

int64_t host_utc_offset(void)
{
    time_t now = (time_t)(host_realtime_ns() / 1000000000);
    struct tm local;

    return localtime_r(&now, &local) ? local.tm_gmtoff : 0;
}
