/*
 * Vector shifts without saturation: by a register (SSHL, SRSHL ...), by an
 * immediate (SSHR ... SRI), lengthening and narrowing ones.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/vec-helper.h"
#include "target/arm/vec-shift.h"
#include "target/arm/vec-types.h"

/* ---- by register: the low byte of the second source's lane, signed ---- */

VEC_S4(sshl, IRV_NONE, shift_signed(x, (int8_t)y, false))
VEC_U4(ushl, IRV_NONE, shift_unsigned(x, (int8_t)y, false))
VEC_S4(srshl, IRV_NONE, shift_signed(x, (int8_t)y, true))
VEC_U4(urshl, IRV_NONE, shift_unsigned(x, (int8_t)y, true))

/* ---- by immediate: right shifts by 1 to the lane width, left by 0 to width - 1 ---- */

/* Two steps, so that a shift by the whole width is defined. */
#define SHR(x, n) ((x) >> ((n) - 1) >> 1)
/* Rounded: plus the last bit shifted out. */
#define RSHR(x, n) (SHR(x, n) + ((x) >> ((n) - 1) & 1))

VEC_U4(shl, IRV_SHL_IMM, x << imm)
VEC_S4(sshr, IRV_SSHR_IMM, SHR(x, imm))
VEC_U4(ushr, IRV_USHR_IMM, SHR(x, imm))
VEC_S4(ssra, IRV_SSRA, z + SHR(x, imm))
VEC_U4(usra, IRV_USRA, z + SHR(x, imm))
VEC_S4(srshr, IRV_NONE, RSHR(x, imm))
VEC_U4(urshr, IRV_NONE, RSHR(x, imm))
VEC_S4(srsra, IRV_NONE, z + RSHR(x, imm))
VEC_U4(ursra, IRV_NONE, z + RSHR(x, imm))

/* All ones as wide as the lane. */
#define ONES(x) ((__typeof__(x))-1)
VEC_U4(sri, IRV_SRI, (z & ~SHR(ONES(x), imm)) | SHR(x, imm))
VEC_U4(sli, IRV_SLI, (z & ~(ONES(x) << imm)) | x << imm)

/* ---- lengthening: each of 8 bytes of lanes extended, then shifted left ---- */

#define VEC_SHLL(NAME, T, W)                                                       \
    static void NAME##_##T(void *d, const void *a, const void *b, uint32_t desc)   \
    {                                                                              \
        const Vec n = vec_load_half(a);                                            \
        Vec r;                                                                     \
                                                                                   \
        for (unsigned i = 0; i < ARRAY_SIZE(r.W); i++) {                           \
            r.W[i] = (__typeof__(r.W[0]))n.T[i] << vec_desc_imm(desc);             \
        }                                                                          \
        vec_store(d, &r, desc);                                                    \
    }

VEC_SHLL(sshll, s8, s16)
VEC_SHLL(sshll, s16, s32)
VEC_SHLL(sshll, s32, s64)
VEC_TABLE_3(sshll, IRV_SSHLL, s8, s16, s32)
VEC_SHLL(ushll, u8, u16)
VEC_SHLL(ushll, u16, u32)
VEC_SHLL(ushll, u32, u64)
VEC_TABLE_3(ushll, IRV_USHLL, u8, u16, u32)

/* ---- narrowing: the low half of each shifted lane ---- */

#define VEC_SHRN(NAME, W, T, EXPR)                                                 \
    static void NAME##_##T(void *d, const void *a, const void *b, uint32_t desc)   \
    {                                                                              \
        const Vec n = vec_load(a);                                                 \
        const int imm = vec_desc_imm(desc);                                        \
        Vec r = { .u64 = { 0, 0 } };                                               \
                                                                                   \
        (void)imm;                                                                 \
        for (unsigned i = 0; i < ARRAY_SIZE(n.W); i++) {                           \
            const __typeof__(n.W[0]) x = n.W[i];                                   \
                                                                                   \
            r.T[i] = (EXPR);                                                       \
        }                                                                          \
        vec_store_narrow(d, &r, desc);                                             \
    }
#define VEC_SHRN_3(NAME, HOST, EXPR)                                               \
    VEC_SHRN(NAME, u16, u8, EXPR) VEC_SHRN(NAME, u32, u16, EXPR)                   \
    VEC_SHRN(NAME, u64, u32, EXPR) VEC_TABLE_3(NAME, HOST, u8, u16, u32)

VEC_SHRN_3(xtn, IRV_XTN, x)
VEC_SHRN_3(shrn, IRV_SHRN, x >> imm)
VEC_SHRN_3(rshrn, IRV_NONE, RSHR(x, imm))
