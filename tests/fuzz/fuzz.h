/*
 * What a fuzz target provides. LLVMFuzzerTestOneInput() is libFuzzer's interface:
 * built with clang -fsanitize=fuzzer, a target stands alone; in the test suite
 * fuzz-driver.c feeds it mutations of its seeds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <glib.h>
#include "util/osdep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Seed number n, valid input; NULL when there are no more. */
GByteArray *fuzz_seed(unsigned n);

/* An input of a byte that says what the rest is, and text. */
static inline GByteArray *fuzz_text(uint8_t form, const char *text)
{
    GByteArray *out = g_byte_array_append(g_byte_array_new(), &form, 1);

    return g_byte_array_append(out, (const uint8_t *)text, (guint)strlen(text));
}

#endif
