/*
 * The host's random bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define REARM_HOST_NONDETERMINISM
#include "util/osdep.h"
#include "util/host-random.h"
#include <sys/random.h>

void host_random_bytes(void *out, size_t length)
{
    uint8_t *p = out;

    while (length) {
        ssize_t n = getrandom(p, length, 0);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            fprintf(stderr, "rearm: the host gives no random bytes: %s\n", strerror(errno));
            abort();
        }
        p += n;
        length -= (size_t)n;
    }
}
