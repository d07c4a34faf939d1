/*
 * The host's random bytes: the only place that asks the host for them.
 * Guest-visible uses go through replay_value().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_HOST_RANDOM_H
#define UTIL_HOST_RANDOM_H

#include "util/osdep.h"

/* Fill out with `length` random bytes; aborts when the host has none. */
void host_random_bytes(void *out, size_t length);

#endif
