/*
 * A deterministic stand-in for libFuzzer: `fuzz-NAME [COUNT]` mutates the target's
 * seeds COUNT times, the same way in every run. A crash is the failure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tests/fuzz/fuzz.h"

#define MAX_SIZE 65536

typedef struct Random {
    uint64_t state;
} Random;

/* xorshift64*. */
static uint64_t next(Random *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * 0x2545f4914f6cdd1dull;
}

static guint below(Random *r, guint n)
{
    return n ? (guint)(next(r) % n) : 0;
}

static void mutate_once(GByteArray *b, Random *r)
{
    static const uint8_t interesting[] = { 0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x40 };
    guint at = below(r, b->len);
    guint n = 1 + below(r, 16);

    switch (next(r) % 6) {
    case 0:
        if (b->len) {
            b->data[at] ^= (uint8_t)(1u << below(r, 8));
        }
        break;
    case 1:
        if (b->len) {
            b->data[at] = interesting[below(r, ARRAY_SIZE(interesting))];
        }
        break;
    case 2:
        g_byte_array_set_size(b, at);
        break;
    case 3:
        if (b->len) {
            g_byte_array_remove_range(b, at, MIN(n, b->len - at));
        }
        break;
    case 4:
        /* Copy a piece of itself to the end. */
        if (b->len && b->len < MAX_SIZE) {
            uint8_t piece[16];

            n = MIN(n, b->len - at);
            memcpy(piece, b->data + at, n);
            g_byte_array_append(b, piece, n);
        }
        break;
    default:
        for (guint i = 0; i < n && at + i < b->len; i++) {
            b->data[at + i] = (uint8_t)next(r);
        }
        break;
    }
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)g_ascii_strtoull(argv[1], NULL, 0) : 1000;
    Random random = { 0x9e3779b97f4a7c15ull };
    unsigned inputs = 0;
    GByteArray *seed;

    for (unsigned s = 0; (seed = fuzz_seed(s)) != NULL; s++) {
        LLVMFuzzerTestOneInput(seed->data, seed->len);
        for (unsigned i = 0; i < count; i++) {
            GByteArray *b = g_byte_array_new();
            unsigned changes = 1 + below(&random, 4);
            uint8_t *exact;

            g_byte_array_append(b, seed->data, seed->len);
            for (unsigned k = 0; k < changes; k++) {
                mutate_once(b, &random);
            }
            /* An allocation of exactly this size, for address sanitizers. */
            exact = g_memdup2(b->data, b->len);
            LLVMFuzzerTestOneInput(exact, b->len);
            g_free(exact);
            g_byte_array_unref(b);
            inputs++;
        }
        g_byte_array_unref(seed);
    }
    printf("%u inputs\n", inputs);
    return inputs ? 0 : 1;
}
