/*
 * The Cryptographic Extension: AES rounds (FIPS 197), SHA-1 and SHA-256 steps
 * (FIPS 180-4), as DDI 0487 J1.3 divides them into instructions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/vec-helper.h"
#include "target/arm/vec-types.h"
#include "util/bitops.h"

/* ---- AES ---- */

static const uint8_t aes_sbox[256] = {
    0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76,
    0xca, 0x82, 0xc9, 0x7d, 0xfa, 0x59, 0x47, 0xf0, 0xad, 0xd4, 0xa2, 0xaf, 0x9c, 0xa4, 0x72, 0xc0,
    0xb7, 0xfd, 0x93, 0x26, 0x36, 0x3f, 0xf7, 0xcc, 0x34, 0xa5, 0xe5, 0xf1, 0x71, 0xd8, 0x31, 0x15,
    0x04, 0xc7, 0x23, 0xc3, 0x18, 0x96, 0x05, 0x9a, 0x07, 0x12, 0x80, 0xe2, 0xeb, 0x27, 0xb2, 0x75,
    0x09, 0x83, 0x2c, 0x1a, 0x1b, 0x6e, 0x5a, 0xa0, 0x52, 0x3b, 0xd6, 0xb3, 0x29, 0xe3, 0x2f, 0x84,
    0x53, 0xd1, 0x00, 0xed, 0x20, 0xfc, 0xb1, 0x5b, 0x6a, 0xcb, 0xbe, 0x39, 0x4a, 0x4c, 0x58, 0xcf,
    0xd0, 0xef, 0xaa, 0xfb, 0x43, 0x4d, 0x33, 0x85, 0x45, 0xf9, 0x02, 0x7f, 0x50, 0x3c, 0x9f, 0xa8,
    0x51, 0xa3, 0x40, 0x8f, 0x92, 0x9d, 0x38, 0xf5, 0xbc, 0xb6, 0xda, 0x21, 0x10, 0xff, 0xf3, 0xd2,
    0xcd, 0x0c, 0x13, 0xec, 0x5f, 0x97, 0x44, 0x17, 0xc4, 0xa7, 0x7e, 0x3d, 0x64, 0x5d, 0x19, 0x73,
    0x60, 0x81, 0x4f, 0xdc, 0x22, 0x2a, 0x90, 0x88, 0x46, 0xee, 0xb8, 0x14, 0xde, 0x5e, 0x0b, 0xdb,
    0xe0, 0x32, 0x3a, 0x0a, 0x49, 0x06, 0x24, 0x5c, 0xc2, 0xd3, 0xac, 0x62, 0x91, 0x95, 0xe4, 0x79,
    0xe7, 0xc8, 0x37, 0x6d, 0x8d, 0xd5, 0x4e, 0xa9, 0x6c, 0x56, 0xf4, 0xea, 0x65, 0x7a, 0xae, 0x08,
    0xba, 0x78, 0x25, 0x2e, 0x1c, 0xa6, 0xb4, 0xc6, 0xe8, 0xdd, 0x74, 0x1f, 0x4b, 0xbd, 0x8b, 0x8a,
    0x70, 0x3e, 0xb5, 0x66, 0x48, 0x03, 0xf6, 0x0e, 0x61, 0x35, 0x57, 0xb9, 0x86, 0xc1, 0x1d, 0x9e,
    0xe1, 0xf8, 0x98, 0x11, 0x69, 0xd9, 0x8e, 0x94, 0x9b, 0x1e, 0x87, 0xe9, 0xce, 0x55, 0x28, 0xdf,
    0x8c, 0xa1, 0x89, 0x0d, 0xbf, 0xe6, 0x42, 0x68, 0x41, 0x99, 0x2d, 0x0f, 0xb0, 0x54, 0xbb, 0x16,
};

static const uint8_t aes_inv_sbox[256] = {
    0x52, 0x09, 0x6a, 0xd5, 0x30, 0x36, 0xa5, 0x38, 0xbf, 0x40, 0xa3, 0x9e, 0x81, 0xf3, 0xd7, 0xfb,
    0x7c, 0xe3, 0x39, 0x82, 0x9b, 0x2f, 0xff, 0x87, 0x34, 0x8e, 0x43, 0x44, 0xc4, 0xde, 0xe9, 0xcb,
    0x54, 0x7b, 0x94, 0x32, 0xa6, 0xc2, 0x23, 0x3d, 0xee, 0x4c, 0x95, 0x0b, 0x42, 0xfa, 0xc3, 0x4e,
    0x08, 0x2e, 0xa1, 0x66, 0x28, 0xd9, 0x24, 0xb2, 0x76, 0x5b, 0xa2, 0x49, 0x6d, 0x8b, 0xd1, 0x25,
    0x72, 0xf8, 0xf6, 0x64, 0x86, 0x68, 0x98, 0x16, 0xd4, 0xa4, 0x5c, 0xcc, 0x5d, 0x65, 0xb6, 0x92,
    0x6c, 0x70, 0x48, 0x50, 0xfd, 0xed, 0xb9, 0xda, 0x5e, 0x15, 0x46, 0x57, 0xa7, 0x8d, 0x9d, 0x84,
    0x90, 0xd8, 0xab, 0x00, 0x8c, 0xbc, 0xd3, 0x0a, 0xf7, 0xe4, 0x58, 0x05, 0xb8, 0xb3, 0x45, 0x06,
    0xd0, 0x2c, 0x1e, 0x8f, 0xca, 0x3f, 0x0f, 0x02, 0xc1, 0xaf, 0xbd, 0x03, 0x01, 0x13, 0x8a, 0x6b,
    0x3a, 0x91, 0x11, 0x41, 0x4f, 0x67, 0xdc, 0xea, 0x97, 0xf2, 0xcf, 0xce, 0xf0, 0xb4, 0xe6, 0x73,
    0x96, 0xac, 0x74, 0x22, 0xe7, 0xad, 0x35, 0x85, 0xe2, 0xf9, 0x37, 0xe8, 0x1c, 0x75, 0xdf, 0x6e,
    0x47, 0xf1, 0x1a, 0x71, 0x1d, 0x29, 0xc5, 0x89, 0x6f, 0xb7, 0x62, 0x0e, 0xaa, 0x18, 0xbe, 0x1b,
    0xfc, 0x56, 0x3e, 0x4b, 0xc6, 0xd2, 0x79, 0x20, 0x9a, 0xdb, 0xc0, 0xfe, 0x78, 0xcd, 0x5a, 0xf4,
    0x1f, 0xdd, 0xa8, 0x33, 0x88, 0x07, 0xc7, 0x31, 0xb1, 0x12, 0x10, 0x59, 0x27, 0x80, 0xec, 0x5f,
    0x60, 0x51, 0x7f, 0xa9, 0x19, 0xb5, 0x4a, 0x0d, 0x2d, 0xe5, 0x7a, 0x9f, 0x93, 0xc9, 0x9c, 0xef,
    0xa0, 0xe0, 0x3b, 0x4d, 0xae, 0x2a, 0xf5, 0xb0, 0xc8, 0xeb, 0xbb, 0x3c, 0x83, 0x53, 0x99, 0x61,
    0x17, 0x2b, 0x04, 0x7e, 0xba, 0x77, 0xd6, 0x26, 0xe1, 0x69, 0x14, 0x63, 0x55, 0x21, 0x0c, 0x7d,
};

/* The state's byte 4 * column + row comes from `shift * row` columns to the right. */
static void aes_sub_shift(void *d, const void *a, const void *b, const uint8_t *box, unsigned shift)
{
    const Vec n = vec_load(a), m = vec_load(b);
    Vec r;

    for (unsigned i = 0; i < 16; i++) {
        const unsigned from = (i + 4 * shift * (i & 3)) & 15;

        r.u8[i] = box[n.u8[from] ^ m.u8[from]];
    }
    memcpy(d, &r, sizeof(r));
}

static void aese(void *d, const void *a, const void *b, uint32_t desc)
{
    aes_sub_shift(d, a, b, aes_sbox, 1);
}

static void aesd(void *d, const void *a, const void *b, uint32_t desc)
{
    aes_sub_shift(d, a, b, aes_inv_sbox, 3);
}

/* Times x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1, in each byte of a word. */
static inline uint32_t aes_times2(uint32_t v)
{
    return (v & 0x7f7f7f7f) << 1 ^ (v >> 7 & 0x01010101) * 0x1b;
}

/* {02,03,01,01} times each column: 2v + 3 of the next row + the two others. */
static inline uint32_t aes_mix_column(uint32_t v)
{
    const uint32_t twice = aes_times2(v);

    return twice ^ ror32(twice ^ v, 8) ^ ror32(v, 16) ^ ror32(v, 24);
}

static void aesmc(void *d, const void *a, const void *b, uint32_t desc)
{
    Vec r = vec_load(a);

    for (unsigned i = 0; i < 4; i++) {
        r.u32[i] = aes_mix_column(r.u32[i]);
    }
    memcpy(d, &r, sizeof(r));
}

/* {0e,0b,0d,09} is {02,03,01,01} times {05,00,04,00}. */
static void aesimc(void *d, const void *a, const void *b, uint32_t desc)
{
    Vec r = vec_load(a);

    for (unsigned i = 0; i < 4; i++) {
        const uint32_t v = r.u32[i], four = aes_times2(aes_times2(v));

        r.u32[i] = aes_mix_column(v ^ four ^ ror32(four, 16));
    }
    memcpy(d, &r, sizeof(r));
}

const IrVecHelper vec_aese = { "aese", aese, IRV_AES_SUB };
const IrVecHelper vec_aesd = { "aesd", aesd, IRV_AES_INV_SUB };
const IrVecHelper vec_aesmc = { "aesmc", aesmc, IRV_AES_MIX };
const IrVecHelper vec_aesimc = { "aesimc", aesimc, IRV_AES_INV_MIX };

/* ---- SHA-1 and SHA-256 functions ---- */

static inline uint32_t rol32(uint32_t v, unsigned n)
{
    return ror32(v, 32 - n);
}

static inline uint32_t sha_choose(uint32_t x, uint32_t y, uint32_t z)
{
    return ((y ^ z) & x) ^ z;
}

static inline uint32_t sha_parity(uint32_t x, uint32_t y, uint32_t z)
{
    return x ^ y ^ z;
}

static inline uint32_t sha_majority(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) | ((x | y) & z);
}

static inline uint32_t sha256_big_sigma0(uint32_t x)
{
    return ror32(x, 2) ^ ror32(x, 13) ^ ror32(x, 22);
}

static inline uint32_t sha256_big_sigma1(uint32_t x)
{
    return ror32(x, 6) ^ ror32(x, 11) ^ ror32(x, 25);
}

static inline uint32_t sha256_sigma0(uint32_t x)
{
    return ror32(x, 7) ^ ror32(x, 18) ^ x >> 3;
}

static inline uint32_t sha256_sigma1(uint32_t x)
{
    return ror32(x, 17) ^ ror32(x, 19) ^ x >> 10;
}

/* ---- SHA-1 ---- */

/* Four rounds: d is a, b, c, d of the state, the low word of n is e, m the schedule. */
#define SHA1_ROUNDS(NAME, F)                                                       \
    static void NAME(void *d, const void *n, const void *m, uint32_t desc)         \
    {                                                                              \
        Vec x = vec_load(d);                                                       \
        const Vec w = vec_load(m);                                                 \
        uint32_t e = vec_load_half(n).u32[0];                                      \
                                                                                   \
        for (unsigned i = 0; i < 4; i++) {                                         \
            const uint32_t t = e + rol32(x.u32[0], 5) +                            \
                               F(x.u32[1], x.u32[2], x.u32[3]) + w.u32[i];         \
                                                                                   \
            e = x.u32[3];                                                          \
            x.u32[3] = x.u32[2];                                                   \
            x.u32[2] = rol32(x.u32[1], 30);                                        \
            x.u32[1] = x.u32[0];                                                   \
            x.u32[0] = t;                                                          \
        }                                                                          \
        memcpy(d, &x, sizeof(x));                                                  \
    }                                                                              \
    const IrVecHelper vec_##NAME = { #NAME, NAME, IRV_NONE };

SHA1_ROUNDS(sha1c, sha_choose)
SHA1_ROUNDS(sha1p, sha_parity)
SHA1_ROUNDS(sha1m, sha_majority)

static void sha1h(void *d, const void *a, const void *b, uint32_t desc)
{
    const Vec r = { .u32 = { rol32(vec_load_half(a).u32[0], 30) } };

    memcpy(d, &r, sizeof(r));
}

static void sha1su0(void *d, const void *n, const void *m, uint32_t desc)
{
    const Vec w0 = vec_load(d), w4 = vec_load(n), w8 = vec_load(m);
    Vec r;

    r.u64[0] = w0.u64[0] ^ w0.u64[1] ^ w8.u64[0];
    r.u64[1] = w0.u64[1] ^ w4.u64[0] ^ w8.u64[1];
    memcpy(d, &r, sizeof(r));
}

/* The last word depends on the first result. */
static void sha1su1(void *d, const void *n, const void *m, uint32_t desc)
{
    const Vec t = vec_load(d), w = vec_load(n);
    Vec r;

    for (unsigned i = 0; i < 3; i++) {
        r.u32[i] = rol32(t.u32[i] ^ w.u32[i + 1], 1);
    }
    r.u32[3] = rol32(t.u32[3], 1) ^ rol32(r.u32[0], 1);
    memcpy(d, &r, sizeof(r));
}

const IrVecHelper vec_sha1h = { "sha1h", sha1h, IRV_NONE };
const IrVecHelper vec_sha1su0 = { "sha1su0", sha1su0, IRV_NONE };
const IrVecHelper vec_sha1su1 = { "sha1su1", sha1su1, IRV_NONE };

/* ---- SHA-256 ---- */

/* Four rounds on x = a, b, c, d and y = e, f, g, h, the schedule with constants in w. */
static void sha256_rounds(Vec *x, Vec *y, const Vec *w)
{
    for (unsigned i = 0; i < 4; i++) {
        const uint32_t t1 = y->u32[3] + sha256_big_sigma1(y->u32[0]) +
                            sha_choose(y->u32[0], y->u32[1], y->u32[2]) + w->u32[i];
        const uint32_t t2 = sha256_big_sigma0(x->u32[0]) +
                            sha_majority(x->u32[0], x->u32[1], x->u32[2]);

        y->u32[3] = y->u32[2];
        y->u32[2] = y->u32[1];
        y->u32[1] = y->u32[0];
        y->u32[0] = x->u32[3] + t1;
        x->u32[3] = x->u32[2];
        x->u32[2] = x->u32[1];
        x->u32[1] = x->u32[0];
        x->u32[0] = t1 + t2;
    }
}

/* SHA256H gives the new a, b, c, d from d = abcd, n = efgh; SHA256H2 is called the other way. */
static void sha256h(void *d, const void *n, const void *m, uint32_t desc)
{
    Vec x = vec_load(d), y = vec_load(n);
    const Vec w = vec_load(m);

    sha256_rounds(&x, &y, &w);
    memcpy(d, &x, sizeof(x));
}

static void sha256h2(void *d, const void *n, const void *m, uint32_t desc)
{
    Vec x = vec_load(n), y = vec_load(d);
    const Vec w = vec_load(m);

    sha256_rounds(&x, &y, &w);
    memcpy(d, &y, sizeof(y));
}

static void sha256su0(void *d, const void *n, const void *m, uint32_t desc)
{
    const Vec w0 = vec_load(d), w4 = vec_load(n);
    Vec r;

    for (unsigned i = 0; i < 4; i++) {
        r.u32[i] = w0.u32[i] + sha256_sigma0(i < 3 ? w0.u32[i + 1] : w4.u32[0]);
    }
    memcpy(d, &r, sizeof(r));
}

static void sha256su1(void *d, const void *n, const void *m, uint32_t desc)
{
    const Vec t = vec_load(d), w8 = vec_load(n), w12 = vec_load(m);
    Vec r;

    for (unsigned i = 0; i < 4; i++) {
        const uint32_t w_2 = i < 2 ? w12.u32[i + 2] : r.u32[i - 2];
        const uint32_t w_7 = i < 3 ? w8.u32[i + 1] : w12.u32[0];

        r.u32[i] = t.u32[i] + sha256_sigma1(w_2) + w_7;
    }
    memcpy(d, &r, sizeof(r));
}

const IrVecHelper vec_sha256h = { "sha256h", sha256h, IRV_SHA256_ABCD };
const IrVecHelper vec_sha256h2 = { "sha256h2", sha256h2, IRV_SHA256_EFGH };
const IrVecHelper vec_sha256su0 = { "sha256su0", sha256su0, IRV_SHA256_SIGMA0 };
const IrVecHelper vec_sha256su1 = { "sha256su1", sha256su1, IRV_SHA256_SIGMA1 };
