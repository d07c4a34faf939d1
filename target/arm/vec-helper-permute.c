/*
 * Vector permutes: ZIP, UZP, TRN, EXT, DUP of a lane, table look-up, and the
 * rearrangement that LD2..LD4 and ST2..ST4 do between memory and registers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/vec-helper.h"
#include "target/arm/vec-types.h"
#include "util/bitops.h"

/*
 * ---- two sources: lane i of the result, of `lanes` lanes, is LANE of n and m ----
 * The minimum tells the compiler what a descriptor holds at most.
 */

#define VEC_PERMUTE(NAME, T, LANE)                                                 \
    static void NAME##_##T(void *d, const void *a, const void *b, uint32_t desc)   \
    {                                                                              \
        const Vec n = vec_load(a), m = vec_load(b);                                \
        const unsigned bytes = MIN(vec_desc_bytes(desc), sizeof(Vec));             \
        const unsigned lanes = bytes / sizeof(n.T[0]);                             \
        const unsigned half = lanes / 2;                                           \
        Vec r = { .u64 = { 0, 0 } };                                               \
                                                                                   \
        (void)half;                                                                \
        assert(lanes <= ARRAY_SIZE(r.T));                                          \
        for (unsigned i = 0; i < lanes; i++) {                                     \
            r.T[i] = LANE(T, i);                                                   \
        }                                                                          \
        vec_store(d, &r, desc);                                                    \
    }
#define VEC_PERMUTE_4(NAME, HOST, LANE)                                            \
    VEC_PERMUTE(NAME, u8, LANE) VEC_PERMUTE(NAME, u16, LANE)                       \
    VEC_PERMUTE(NAME, u32, LANE) VEC_PERMUTE(NAME, u64, LANE)                      \
    VEC_TABLE_4(NAME, HOST, u8, u16, u32, u64)

#define ZIP1_LANE(T, i) ((i) & 1 ? m.T[(i) / 2] : n.T[(i) / 2])
#define ZIP2_LANE(T, i) ((i) & 1 ? m.T[half + (i) / 2] : n.T[half + (i) / 2])
#define UZP1_LANE(T, i) ((i) < half ? n.T[2 * (i)] : m.T[2 * ((i) - half)])
#define UZP2_LANE(T, i) ((i) < half ? n.T[2 * (i) + 1] : m.T[2 * ((i) - half) + 1])
#define TRN1_LANE(T, i) ((i) & 1 ? m.T[(i) - 1] : n.T[i])
#define TRN2_LANE(T, i) ((i) & 1 ? m.T[i] : n.T[(i) + 1])

VEC_PERMUTE_4(zip1, IRV_ZIP1, ZIP1_LANE)
VEC_PERMUTE_4(zip2, IRV_ZIP2, ZIP2_LANE)
VEC_PERMUTE_4(uzp1, IRV_UZP1, UZP1_LANE)
VEC_PERMUTE_4(uzp2, IRV_UZP2, UZP2_LANE)
VEC_PERMUTE_4(trn1, IRV_TRN1, TRN1_LANE)
VEC_PERMUTE_4(trn2, IRV_TRN2, TRN2_LANE)

/* Bytes imm and up of b:a. Sizes are constants, so that no copy is a call. */
static void ext(void *d, const void *a, const void *b, uint32_t desc)
{
    uint8_t both[32] = { 0 };
    Vec r;

    if (vec_desc_bytes(desc) == 16) {
        memcpy(both, a, 16);
        memcpy(both + 16, b, 16);
    } else {
        memcpy(both, a, 8);
        memcpy(both + 8, b, 8);
    }
    memcpy(&r, both + (vec_desc_imm(desc) & 15), 16);
    vec_store(d, &r, desc);
}
const IrVecHelper vec_ext = { "ext", ext, IRV_EXT };

static void dup_lane(void *d, const void *a, const void *b, uint32_t desc)
{
    const Vec r = vec_dup_lane(a, desc);

    vec_store(d, &r, desc);
}
const IrVecHelper vec_dup = { "dup", dup_lane, IRV_DUP_LANE };

/* ---- table look-up ---- */

static void tbl1(void *d, const void *a, const void *b, uint32_t desc)
{
    const Vec n = vec_load(a), m = vec_load(b);
    Vec r;

    for (unsigned i = 0; i < 16; i++) {
        r.u8[i] = m.u8[i] < 16 ? n.u8[m.u8[i]] : 0;
    }
    vec_store(d, &r, desc);
}
const IrVecHelper vec_tbl1 = { "tbl1", tbl1, IRV_TBL1 };

/*
 * TBL and TBX with any table. `table` is its first register; the next ones
 * follow modulo 32. imm: bits 1-0 registers less one, bit 2 TBX (lanes out
 * of range keep the old value).
 */
static void helper_tbl(Vcpu *cpu, uint64_t d, uint64_t table, uint64_t b, uint64_t desc)
{
    const ArmState *s = &arm_cpu(cpu)->s;
    uint8_t *env = (uint8_t *)cpu;
    const unsigned regs = (vec_desc_imm(desc) & 3) + 1;
    const bool keep = vec_desc_imm(desc) & 4;
    const Vec m = vec_load(env + b);
    Vec r = vec_load(env + d);
    Vec t[4];

    for (unsigned i = 0; i < regs; i++) {
        t[i] = vec_load(&s->v[(table + i) & 31]);
    }
    for (unsigned i = 0; i < 16; i++) {
        const unsigned index = m.u8[i];

        if (index < 16 * regs) {
            r.u8[i] = t[index / 16].u8[index % 16];
        } else if (!keep) {
            r.u8[i] = 0;
        }
    }
    vec_store(env + d, &r, desc);
}
const IrHelper vec_tbl = { "tbl", (void (*)(void))helper_tbl, 4, IR_HELPER_VOID };

/* ---- structures: in memory one element of each register, then the next of each ---- */

/* Give each of `regs` registers its elements of `memory`, an array of structures. */
#define DEINTERLEAVE(T)                                                            \
    static void deinterleave_##T(Vec *r, const Vec *memory, unsigned regs, unsigned lanes) \
    {                                                                              \
        const __typeof__(r->T[0]) *from = memory->T;                               \
                                                                                   \
        for (unsigned lane = 0; lane < lanes; lane++) {                            \
            for (unsigned i = 0; i < regs; i++) {                                  \
                r[i].T[lane] = *from++;                                            \
            }                                                                      \
        }                                                                          \
    }
DEINTERLEAVE(u8)
DEINTERLEAVE(u16)
DEINTERLEAVE(u32)
DEINTERLEAVE(u64)

/*
 * LD2..LD4: registers first.. hold what memory held, each `bytes` of it in turn;
 * give each its elements. imm is the number of registers.
 */
static void helper_deinterleave(Vcpu *cpu, uint64_t first, uint64_t desc)
{
    static void (*const fn[4])(Vec *, const Vec *, unsigned, unsigned) = {
        deinterleave_u8, deinterleave_u16, deinterleave_u32, deinterleave_u64,
    };
    ArmState *s = &arm_cpu(cpu)->s;
    const unsigned regs = vec_desc_imm(desc), bytes = vec_desc_bytes(desc);
    const unsigned esize = vec_desc_esize(desc);
    Vec memory[4] = { 0 }, r[4] = { 0 };

    for (unsigned i = 0; i < regs; i++) {
        memcpy((uint8_t *)memory + i * bytes, &s->v[(first + i) & 31], bytes);
    }
    fn[esize](r, memory, regs, bytes >> esize);
    for (unsigned i = 0; i < regs; i++) {
        memcpy(&s->v[(first + i) & 31], &r[i], 16);
    }
}
const IrHelper vec_deinterleave = {
    "deinterleave", (void (*)(void))helper_deinterleave, 2, IR_HELPER_VOID,
};

/* ST2..ST4: bytes 8 * chunk.. of what memory gets, as one number. */
static uint64_t helper_interleave(Vcpu *cpu, uint64_t first, uint64_t desc, uint64_t chunk)
{
    const ArmState *s = &arm_cpu(cpu)->s;
    const unsigned regs = vec_desc_imm(desc), esize = vec_desc_esize(desc);
    const unsigned element = 8 * chunk >> esize, bits = 8 << esize;
    unsigned lane = element / regs, i = element % regs;
    uint64_t value = 0;

    for (unsigned at = 0; at < 64; at += bits) {
        const uint64_t from = s->v[(first + i) & 31].d[lane >> (3 - esize)];

        value |= (from >> (lane * bits & 63) & mask64(bits)) << at;
        if (++i == regs) {
            i = 0;
            lane++;
        }
    }
    return value;
}
const IrHelper vec_interleave = { "interleave", (void (*)(void))helper_interleave, 3, 0 };
