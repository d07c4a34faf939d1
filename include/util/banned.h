/*
 * Calls that must not appear in Rearm. Unsafe string functions are banned
 * everywhere; host time and host randomness only util/host-clock.c and
 * util/host-random.c may ask for (they define REARM_HOST_NONDETERMINISM
 * before including anything), because whatever the guest can see of them
 * has to pass through replay_value().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_BANNED_H
#define UTIL_BANNED_H

#pragma GCC poison strcpy strcat sprintf vsprintf gets strncpy strncat strtok

#ifndef REARM_HOST_NONDETERMINISM
#include <stdlib.h>
#include <time.h>
#include <sys/time.h>
#include <sys/random.h>
#pragma GCC poison clock_gettime gettimeofday getrandom srand rand srandom drand48
#endif

#endif
