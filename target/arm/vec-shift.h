/*
 * Shifts of one lane by a signed count, left when positive, as SSHL, USHL and
 * their rounding and saturating kin define them (DDI 0487 C7.2, "SSHL").
 * Counts come from a byte: -128 to 127. The value is given extended to 64 bits,
 * and the caller narrows the result to the lane.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_VEC_SHIFT_H
#define TARGET_ARM_VEC_SHIFT_H

#include "util/osdep.h"

/*
 * Right by n >= 1. Rounding adds half of the last place before: the result is the
 * truncated one plus the last bit shifted out, which at 65 and more places is
 * the sign, and cancels it.
 */
static inline int64_t shift_right_signed(int64_t x, unsigned n, bool round)
{
    if (n > 64) {
        return round ? 0 : x >> 63;
    }
    return (x >> (n - 1) >> 1) + (round ? x >> (n - 1) & 1 : 0);
}

static inline uint64_t shift_right_unsigned(uint64_t x, unsigned n, bool round)
{
    if (n > 64) {
        return 0;
    }
    return (x >> (n - 1) >> 1) + (round ? x >> (n - 1) & 1 : 0);
}

static inline int64_t shift_signed(int64_t x, int n, bool round)
{
    if (n < 0) {
        return shift_right_signed(x, -n, round);
    }
    return n > 63 ? 0 : (int64_t)((uint64_t)x << n);
}

static inline uint64_t shift_unsigned(uint64_t x, int n, bool round)
{
    if (n < 0) {
        return shift_right_unsigned(x, -n, round);
    }
    return n > 63 ? 0 : x << n;
}

#endif
