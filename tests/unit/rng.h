/*
 * Random numbers for tests: the same on every host (SplitMix64).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_RNG_H
#define TESTS_RNG_H

#include "util/osdep.h"

typedef struct Rng {
    uint64_t state;
} Rng;

static inline uint64_t rng_next(Rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline unsigned rng_below(Rng *r, unsigned n)
{
    return (unsigned)((rng_next(r) >> 32) * n >> 32);
}

static inline bool rng_percent(Rng *r, unsigned percent)
{
    return rng_below(r, 100) < percent;
}

/* Corner cases as often as not. */
static inline uint64_t rng_value(Rng *r)
{
    static const uint64_t corners[] = {
        0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0x7fffffff, 0x80000000, 0xffffffff,
        0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff,
        0xffffffff80000000, 0xffffffff7fffffff, 0xfffffffffffffffe,
    };

    switch (rng_below(r, 5)) {
    case 0: case 1: return corners[rng_below(r, ARRAY_SIZE(corners))];
    case 2: return rng_below(r, 100);
    case 3: return (uint32_t)rng_next(r);
    default: return rng_next(r);
    }
}

/*
 * A longer hunt than the test's: run(first, count) when the environment variable is
 * "first,count"; false when it is not.
 */
static inline bool rng_hunt(const char *variable, void (*run)(uint64_t first, uint64_t count))
{
    const char *seeds = getenv(variable);
    unsigned long long first, count;

    if (!seeds || sscanf(seeds, "%llu,%llu", &first, &count) != 2) {
        return false;
    }
    run(first, count);
    return true;
}

#endif
