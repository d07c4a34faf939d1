/*
 * GLib's locks, made visible to the thread sanitizer. GLib is built without it and
 * waits on futexes of its own, so that every datum under a GMutex would look like a race.
 * These wrappers stand before GLib's functions and say who waits for whom.
 *
 * Only part of builds with -Db_sanitize=thread. Run them with G_SLICE=always-malloc:
 * blocks that GLib's own allocator hands from thread to thread look like races, too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <dlfcn.h>
#include <glib.h>
#include <sanitizer/tsan_interface.h>

/* GLib's own function of that name. */
#define NEXT(fn) ((__typeof__(&fn))next_symbol(#fn))

static void *next_symbol(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);

    assert(symbol);
    return symbol;
}

void g_mutex_lock(GMutex *mutex)
{
    NEXT(g_mutex_lock)(mutex);
    __tsan_acquire(mutex);
}

void g_mutex_unlock(GMutex *mutex)
{
    __tsan_release(mutex);
    NEXT(g_mutex_unlock)(mutex);
}

void g_rec_mutex_lock(GRecMutex *mutex)
{
    NEXT(g_rec_mutex_lock)(mutex);
    __tsan_acquire(mutex);
}

void g_rec_mutex_unlock(GRecMutex *mutex)
{
    __tsan_release(mutex);
    NEXT(g_rec_mutex_unlock)(mutex);
}

void g_cond_wait(GCond *cond, GMutex *mutex)
{
    __tsan_release(mutex);
    NEXT(g_cond_wait)(cond, mutex);
    __tsan_acquire(mutex);
}

gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end_time)
{
    gboolean signalled;

    __tsan_release(mutex);
    signalled = NEXT(g_cond_wait_until)(cond, mutex, end_time);
    __tsan_acquire(mutex);
    return signalled;
}
