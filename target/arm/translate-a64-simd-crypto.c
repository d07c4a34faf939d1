/*
 * Cryptographic AES, SHA-1 and SHA-256. Operations that update their destination read
 * it as first source (AES) or as the old value of d.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/translate-simd.h"
#include "decode-a64-simd-crypto.inc"

#define CRYPTO(NAME, HELPER, FIRST, SECOND)                                        \
    static bool trans_##NAME(DisasContext *s, arg_##NAME *a)                       \
    {                                                                              \
        return simd_vec(s, &vec_##HELPER, vec_desc(16, 0, 0), a->rd, FIRST, SECOND); \
    }

CRYPTO(AESE, aese, a->rd, a->rn)
CRYPTO(AESD, aesd, a->rd, a->rn)
CRYPTO(AESMC, aesmc, a->rn, a->rn)
CRYPTO(AESIMC, aesimc, a->rn, a->rn)
CRYPTO(SHA1C, sha1c, a->rn, a->rm)
CRYPTO(SHA1P, sha1p, a->rn, a->rm)
CRYPTO(SHA1M, sha1m, a->rn, a->rm)
CRYPTO(SHA1SU0, sha1su0, a->rn, a->rm)
CRYPTO(SHA256H, sha256h, a->rn, a->rm)
CRYPTO(SHA256H2, sha256h2, a->rn, a->rm)
CRYPTO(SHA256SU1, sha256su1, a->rn, a->rm)
CRYPTO(SHA1H, sha1h, a->rn, a->rn)
CRYPTO(SHA1SU1, sha1su1, a->rn, a->rn)
CRYPTO(SHA256SU0, sha256su0, a->rn, a->rn)

bool a64_simd_crypto(DisasContext *s, uint32_t insn)
{
    return decode_a64_simd_crypto(s, insn);
}
