/*
 * What tests of generated code for floating point share: numbers, and random sequences.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_JIT_FP_TEST_H
#define TESTS_UNIT_JIT_FP_TEST_H

#include "tests/unit/jit-test.h"
#include "fpu/fpu.h"

/* Numbers where something happens, their neighbours, short fractions, anything. */
static inline uint64_t interesting64(JitTest *j)
{
    static const uint64_t corner[] = {
        0, 0x0000000000000001, 0x000fffffffffffff, 0x0010000000000000, 0x0020000000000000,
        0x3ff0000000000000, 0x4000000000000000, 0x7fefffffffffffff, 0x7ff0000000000000,
        0x7ff0000000000001, 0x7ff8000000000000, 0x41dfffffffc00000, 0x41efffffffe00000,
        0x43e0000000000000, 0x43f0000000000000, 0x4340000000000000, 0x3fe0000000000000,
        0x47efffffe0000000, 0x3810000000000000, 0x1ff0000000000000, 0x5fe0000000000000,
    };
    uint64_t r = jit_test_random(j), sign = r << 63;

    switch (r >> 8 & 7) {
    case 0: return sign | corner[(r >> 16) % ARRAY_SIZE(corner)];
    case 1: return sign | (corner[(r >> 16) % ARRAY_SIZE(corner)] + (r >> 40) % 5 - 2);
    case 2: return jit_test_random(j);
    case 3:                                 /* few bits */
        return sign | ((0x3ff0000000000000 + (jit_test_random(j) & 0x01ffffffffffffff)) &
                       -(1ull << (r >> 16) % 50));
    case 4:                                 /* tiny */
        return sign | ((jit_test_random(j) & 0x07ffffffffffffff) & -(1ull << (r >> 16) % 50));
    default:
        return sign | (0x3fd0000000000000 + (jit_test_random(j) & 0x003fffffffffffff));
    }
}

static inline uint64_t interesting32(JitTest *j)
{
    static const uint32_t corner[] = {
        0, 0x00000001, 0x007fffff, 0x00800000, 0x01000000, 0x3f800000, 0x40000000, 0x7f7fffff,
        0x7f800000, 0x7f800001, 0x7fc00000, 0x4f000000, 0x4f800000, 0x5f000000, 0x5f800000,
        0x4b800000, 0x3f000000, 0x1f800000, 0x5f000000, 0x20000000,
    };
    uint64_t r = jit_test_random(j);
    uint32_t sign = (uint32_t)r << 31;

    switch (r >> 8 & 7) {
    case 0: return sign | corner[(r >> 16) % ARRAY_SIZE(corner)];
    case 1: return sign | (corner[(r >> 16) % ARRAY_SIZE(corner)] + (r >> 40) % 5 - 2);
    case 2: return (uint32_t)jit_test_random(j);
    case 3:
        return sign | ((0x3f800000 + (jit_test_random(j) & 0x07ffffff)) & -(1u << (r >> 16) % 23));
    case 4:
        return sign | ((jit_test_random(j) & 0x1fffffff) & -(1u << (r >> 16) % 23));
    default: return sign | (0x3e800000 + (jit_test_random(j) & 0x01ffffff));
    }
}

/*
 * Random sequences, each from several states: copies of vector registers stay right over other
 * operations, calls and cold code. random_state() sets V0 to V15 for the k-th run.
 */
static inline void jit_test_sequences(void (*random_op)(JitTest *j, IrBuilder *b),
                                      void (*random_state)(JitTest *j, unsigned k))
{
    JitTest j;

    if (!jit_test_init(&j)) {
        return;
    }
    for (unsigned n = 0; n < 4000; n++) {
        IrBuilder *b = jit_test_begin(&j);

        for (unsigned k = 0; k < 30; k++) {
            random_op(&j, b);
        }
        jit_test_compile(&j);
        for (unsigned k = 0; k < 20; k++) {
            random_state(&j, k);
            j.cpu->s.fpsr = k & 3 ? FPSR_IXC : 0;
            j.cpu->s.fpcr = k % 5 ? 0 : FPCR_RMODE;
            g_assert_true(jit_test_run(&j));
        }
    }
    jit_test_free(&j);
}

#endif
