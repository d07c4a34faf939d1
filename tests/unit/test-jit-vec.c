/*
 * Every vector helper through the native back end, inline or called, against its C
 * function: all element sizes, 8 and 16 bytes, operands that coincide, all immediates,
 * corner and random lanes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/helper-fp.h"
#include "target/arm/vec-helper.h"
#include "tests/unit/jit-test.h"

typedef enum ImmKind {
    IMM_NONE,
    IMM_LEFT,       /* 0 .. bits - 1 */
    IMM_WIDEN,      /* 0 .. bits */
    IMM_RIGHT,      /* 1 .. bits */
    IMM_LANE,       /* of a whole register */
    IMM_BYTES,      /* 0 .. bytes - 1 */
} ImmKind;

typedef enum Form {
    BOTH,           /* 8 or 16 bytes */
    PAIRS,          /* the same, but two lanes at least */
    LONG,           /* 16 bytes, both sources narrow: maybe upper halves */
    WIDE,           /* 16 bytes, the second source narrow */
    LONG_LANE,      /* 16 bytes, the first source narrow */
    WHOLE,          /* 16 bytes */
} Form;

typedef struct Row {
    const IrVecHelper *table;
    uint8_t num;            /* entries of the table */
    uint8_t form, imm;
} Row;

static const Row rows[] = {
    { &vec_mov, 1, BOTH }, { &vec_and, 1, BOTH }, { &vec_or, 1, BOTH }, { &vec_eor, 1, BOTH },
    { &vec_bic, 1, BOTH }, { &vec_orn, 1, BOTH }, { &vec_not, 1, BOTH }, { &vec_bsl, 1, BOTH },
    { &vec_bit, 1, BOTH }, { &vec_bif, 1, BOTH },
    { vec_add, 4, BOTH }, { vec_sub, 4, BOTH }, { vec_mul, 4, BOTH }, { vec_mla, 4, BOTH },
    { vec_mls, 4, BOTH }, { vec_pmul, 4, BOTH }, { vec_shadd, 4, BOTH }, { vec_urhadd, 4, BOTH },
    { vec_smax, 4, BOTH }, { vec_umax, 4, BOTH }, { vec_smin, 4, BOTH }, { vec_umin, 4, BOTH },
    { vec_sabd, 4, BOTH }, { vec_uaba, 4, BOTH },
    { vec_cmeq, 4, BOTH }, { vec_cmtst, 4, BOTH }, { vec_cmgt, 4, BOTH }, { vec_cmge, 4, BOTH },
    { vec_cmhi, 4, BOTH }, { vec_cmhs, 4, BOTH }, { vec_sshl, 4, BOTH }, { vec_ushl, 4, BOTH },
    { vec_addp, 4, PAIRS }, { vec_smaxp, 4, PAIRS }, { vec_umaxp, 4, PAIRS },
    { vec_sminp, 4, PAIRS }, { vec_uminp, 4, PAIRS },
    { vec_mul_lane, 4, BOTH, IMM_LANE }, { vec_mla_lane, 4, BOTH, IMM_LANE },
    { vec_mls_lane, 4, BOTH, IMM_LANE }, { vec_umlal_lane, 4, LONG_LANE, IMM_LANE },
    { vec_saddl, 4, LONG }, { vec_uaddl, 4, LONG }, { vec_ssubl, 4, LONG },
    { vec_usubl, 4, LONG }, { vec_saddw, 4, WIDE }, { vec_uaddw, 4, WIDE },
    { vec_ssubw, 4, WIDE }, { vec_usubw, 4, WIDE }, { vec_smull, 4, LONG },
    { vec_umull, 4, LONG }, { vec_smlal, 4, LONG }, { vec_umlal, 4, LONG },
    { vec_smlsl, 4, LONG }, { vec_umlsl, 4, LONG }, { vec_pmull, 4, LONG },
    { vec_addhn, 4, BOTH },
    { vec_cmeq0, 4, BOTH }, { vec_cmgt0, 4, BOTH }, { vec_cmge0, 4, BOTH },
    { vec_cmle0, 4, BOTH }, { vec_cmlt0, 4, BOTH }, { vec_neg, 4, BOTH }, { vec_abs, 4, BOTH },
    { vec_cnt, 4, BOTH }, { vec_clz, 4, BOTH }, { vec_rev16, 4, BOTH }, { vec_rev32, 4, BOTH },
    { vec_rev64, 4, BOTH }, { vec_addv, 4, BOTH }, { &vec_addp_scalar, 1, BOTH },
    { vec_shl, 4, BOTH, IMM_LEFT }, { vec_sshr, 4, BOTH, IMM_RIGHT },
    { vec_ushr, 4, BOTH, IMM_RIGHT }, { vec_ssra, 4, BOTH, IMM_RIGHT },
    { vec_usra, 4, BOTH, IMM_RIGHT }, { vec_sri, 4, BOTH, IMM_RIGHT },
    { vec_sli, 4, BOTH, IMM_LEFT }, { vec_srshr, 4, BOTH, IMM_RIGHT },
    { vec_sshll, 4, LONG, IMM_WIDEN }, { vec_ushll, 4, LONG, IMM_WIDEN },
    { vec_xtn, 4, BOTH }, { vec_shrn, 4, BOTH, IMM_RIGHT }, { vec_rshrn, 4, BOTH, IMM_RIGHT },
    { vec_zip1, 4, PAIRS }, { vec_zip2, 4, PAIRS }, { vec_uzp1, 4, PAIRS }, { vec_uzp2, 4, PAIRS },
    { vec_trn1, 4, PAIRS }, { vec_trn2, 4, PAIRS }, { &vec_ext, 1, BOTH, IMM_BYTES },
    { &vec_tbl1, 1, BOTH },
    { &vec_aese, 1, WHOLE }, { &vec_aesd, 1, WHOLE }, { &vec_aesmc, 1, WHOLE },
    { &vec_aesimc, 1, WHOLE }, { &vec_sha1c, 1, WHOLE }, { &vec_sha256h, 1, WHOLE },
    { &vec_sha256h2, 1, WHOLE }, { &vec_sha256su0, 1, WHOLE }, { &vec_sha256su1, 1, WHOLE },
};

/* Lanes of all sizes that are likely to be special. */
static uint64_t interesting(JitTest *j)
{
    static const uint64_t corner[] = {
        0, UINT64_MAX, 0x8000000000000000, 0x7fffffffffffffff, 0x8000000080000000,
        0x7fffffff7fffffff, 0x8000800080008000, 0x7fff7fff7fff7fff, 0x8080808080808080,
        0x7f7f7f7f7f7f7f7f, 0x0102030405060708, 0x0001000100010001, 0x0f100f100f100f10,
    };
    uint64_t r = jit_test_random(j), x = corner[(r >> 8) % ARRAY_SIZE(corner)];

    switch (r % 5) {
    case 0: return x;
    case 1: return x + (r >> 40) % 3 - 1;
    case 2: return r >> 16 & 0x1f1f1f1f1f1f;      /* indices */
    default: return jit_test_random(j);
    }
}

static void fill(JitTest *j)
{
    ArmVReg *v = j->cpu->s.v;

    for (unsigned n = 0; n < 4; n++) {
        v[n].d[0] = interesting(j);
        v[n].d[1] = interesting(j);
    }
    if (jit_test_random(j) % 8 == 0) {
        v[2] = v[1];
    }
}

static void check(JitTest *j, const IrVecHelper *h, uint32_t desc, uint32_t d, uint32_t a,
                  uint32_t b, unsigned runs)
{
    ir_vec(jit_test_begin(j), h, d, a, b, desc);
    jit_test_compile(j);
    for (unsigned n = 0; n < runs; n++) {
        fill(j);
        if (!jit_test_run(j)) {
            ir_print(j->u, stderr);
            g_error("%s, desc 0x%x: %016" PRIx64 " %016" PRIx64 " for %016" PRIx64
                    " %016" PRIx64, h->name, desc, j->cpu->s.v[d == a ? 1 : 0].d[1],
                    j->cpu->s.v[d == a ? 1 : 0].d[0], j->other->s.v[d == a ? 1 : 0].d[1],
                    j->other->s.v[d == a ? 1 : 0].d[0]);
        }
    }
}

/* All ways in which registers coincide; the upper half as narrow source. */
static void check_operands(JitTest *j, const Row *row, const IrVecHelper *h, uint32_t desc)
{
    static const uint8_t regs[][3] = { { 0, 1, 2 }, { 1, 1, 2 }, { 2, 1, 2 }, { 0, 1, 1 },
                                       { 1, 1, 1 } };

    for (unsigned n = 0; n < ARRAY_SIZE(regs); n++) {
        for (unsigned upper = 0; upper <= 8; upper += 8) {
            uint32_t d = arm_v_offset(regs[n][0]), a = arm_v_offset(regs[n][1]);
            uint32_t b = arm_v_offset(regs[n][2]);

            if (upper && (row->form == BOTH || row->form == PAIRS || row->form == WHOLE)) {
                continue;
            }
            a += row->form == LONG || row->form == LONG_LANE ? upper : 0;
            b += row->form == LONG || row->form == WIDE ? upper : 0;
            check(j, h, desc, d, a, b, n ? 30 : 120);
        }
    }
}

static void check_helper(JitTest *j, const Row *row, const IrVecHelper *h, unsigned esize)
{
    bool narrow = row->form == BOTH || (row->form == PAIRS && esize < 3);

    for (unsigned bytes = narrow ? 8 : 16; bytes <= 16; bytes += 8) {
        const unsigned bits = 8 << esize;
        const unsigned first = row->imm == IMM_RIGHT;
        const unsigned last[] = {
            [IMM_NONE] = 0, [IMM_LEFT] = bits - 1, [IMM_WIDEN] = bits, [IMM_RIGHT] = bits,
            [IMM_LANE] = (16 >> esize) - 1, [IMM_BYTES] = bytes - 1,
        };

        for (unsigned imm = first; imm <= last[row->imm]; imm++) {
            check_operands(j, row, h, vec_desc(bytes, esize, imm));
        }
    }
}

static void test_all(void)
{
    JitTest j;

    if (!jit_test_init(&j)) {
        return;
    }
    for (unsigned n = 0; n < ARRAY_SIZE(rows); n++) {
        for (unsigned esize = 0; esize < rows[n].num; esize++) {
            if (rows[n].table[esize].fn) {
                check_helper(&j, &rows[n], &rows[n].table[esize], esize);
            }
        }
    }
    for (unsigned esize = 0; esize < 4; esize++) {
        const Row dup = { &vec_dup, 1, BOTH, IMM_LANE };

        check_helper(&j, &dup, &vec_dup, esize);
    }
    jit_test_free(&j);
}

/*
 * What has a name for the back end is not called, when the host has all that we use
 * (SHA is rarer, and there is no average of words).
 */
static void test_inline(void)
{
    JitTest j;

    if (!jit_test_init(&j)) {
        return;
    }
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul")) {
        for (unsigned n = 0; n < ARRAY_SIZE(rows); n++) {
            for (unsigned esize = 0; esize < rows[n].num; esize++) {
                const IrVecHelper *h = &rows[n].table[esize];

                if (h->fn && h->host_op && h->host_op < IRV_SHA256_ABCD && h != &vec_urhadd[2]) {
                    ir_vec(jit_test_begin(&j), h, arm_v_offset(0), arm_v_offset(1),
                           arm_v_offset(2), vec_desc(16, esize, 1));
                    jit_test_compile(&j);
                    g_assert_cmpstr(jit_test_calls(&j, (const void *)h->fn) ? h->name : NULL,
                                    ==, NULL);
                }
            }
        }
    }
#endif
    ir_vec(jit_test_begin(&j), &vec_sha1c, arm_v_offset(0), arm_v_offset(1), arm_v_offset(2),
           vec_desc(16, 0, 0));
    jit_test_compile(&j);
    g_assert_true(jit_test_calls(&j, (const void *)vec_sha1c.fn));
    jit_test_free(&j);
}

static void note_desc(void *d, const void *a, const void *b, uint32_t desc)
{
    memcpy(d, &desc, sizeof(desc));
}

/* A function gets all that a descriptor can say, up to vectors of 256 bytes. */
static void test_descriptor(void)
{
    static const IrVecHelper note = { "note", note_desc, IRV_NONE };
    JitTest j;

    if (!jit_test_init(&j)) {
        return;
    }
    for (unsigned bytes = 1; bytes <= 256; bytes++) {
        for (int imm = -(1 << 20); imm < 1 << 20; imm += 123457) {
            uint32_t desc = vec_desc(bytes, bytes & 3, imm);

            ir_vec(jit_test_begin(&j), &note, arm_v_offset(0), arm_v_offset(1), arm_v_offset(2),
                   desc);
            jit_test_compile(&j);
            g_assert_true(jit_test_run(&j));
            desc = (uint32_t)j.cpu->s.v[0].d[0];
            g_assert_cmpuint(vec_desc_bytes(desc), ==, bytes);
            g_assert_cmpuint(vec_desc_esize(desc), ==, bytes & 3);
            g_assert_cmpint(vec_desc_imm(desc), ==, imm);
        }
    }
    jit_test_free(&j);
}

/* d ^= a: an operation that a back end knows, of any length. */
static void xor_any(void *d, const void *a, const void *b, uint32_t desc)
{
    for (unsigned n = 0; n < vec_desc_bytes(desc); n++) {
        ((uint8_t *)d)[n] = ((const uint8_t *)a)[n] ^ ((const uint8_t *)b)[n];
    }
}

static void xor_any_fp(Vcpu *cpu, void *d, const void *a, const void *b, uint32_t desc)
{
    xor_any(d, a, b, desc);
}

/* Vectors that are longer than the host's, in which no copies of registers may survive. */
static void test_long(void)
{
    static const IrVecHelper vec = { "xor", xor_any, IRV_XOR };
    static const IrFpVecHelper fp = { "xor", xor_any_fp, IRFP_ADD, IRFV_LANES,
                                      offsetof(ArmCpu, s.fpcr) };
    JitTest j;

    if (!jit_test_init(&j)) {
        return;
    }
    for (unsigned bytes = 32; bytes <= 256; bytes += 16) {
        for (unsigned is_fp = 0; is_fp < 2; is_fp++) {
            IrBuilder *b = jit_test_begin(&j);
            const uint32_t d = arm_v_offset(0), last = arm_v_offset(bytes / 16 - 1);

            ir_fp(b, &helper_fneg[1], last, last, 0, 0);
            if (is_fp) {
                ir_fp_vec(b, &fp, d, arm_v_offset(16), arm_v_offset(1), vec_desc(bytes, 3, 0));
            } else {
                ir_vec(b, &vec, d, arm_v_offset(16), arm_v_offset(1), vec_desc(bytes, 3, 0));
            }
            ir_fp(b, &helper_fneg[1], last, last, 0, 0);
            jit_test_compile(&j);
            for (unsigned v = 0; v < 32; v++) {
                j.cpu->s.v[v] = (ArmVReg){ { jit_test_random(&j), jit_test_random(&j) } };
            }
            g_assert_true(jit_test_run(&j));
        }
    }
    jit_test_free(&j);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/jit-vec/all", test_all);
    g_test_add_func("/jit-vec/inline", test_inline);
    g_test_add_func("/jit-vec/descriptor", test_descriptor);
    g_test_add_func("/jit-vec/long", test_long);
    return g_test_run();
}
