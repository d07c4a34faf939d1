/*
 * Bit fields of 32- and 64-bit integers. `start` is the number of the lowest
 * bit, `length` the number of bits, as in the Arm ARM's x<start+length-1:start>.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_BITOPS_H
#define UTIL_BITOPS_H

#include "util/osdep.h"

#define BIT(n) (1u << (n))
#define BIT64(n) (1ull << (n))

/* The lowest `length` bits set; 0 <= length <= 64. */
static inline uint64_t mask64(unsigned length)
{
    return length >= 64 ? UINT64_MAX : (1ull << length) - 1;
}

static inline uint32_t extract32(uint32_t value, unsigned start, unsigned length)
{
    return (value >> start) & (uint32_t)mask64(length);
}

static inline uint64_t extract64(uint64_t value, unsigned start, unsigned length)
{
    return (value >> start) & mask64(length);
}

/* Sign-extended extract; length >= 1. */
static inline int64_t sextract64(uint64_t value, unsigned start, unsigned length)
{
    return (int64_t)(value << (64 - length - start)) >> (64 - length);
}

static inline uint64_t deposit64(uint64_t value, unsigned start, unsigned length,
                                 uint64_t field)
{
    uint64_t mask = mask64(length) << start;

    return (value & ~mask) | ((field << start) & mask);
}

/* Rotate right by n, any n. */
static inline uint32_t ror32(uint32_t value, unsigned n)
{
    return (value >> (n & 31)) | (value << (-n & 31));
}

static inline uint64_t ror64(uint64_t value, unsigned n)
{
    return (value >> (n & 63)) | (value << (-n & 63));
}

#endif
