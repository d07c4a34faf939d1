/*
 * Vector helpers at their edges: saturation, rounding shifts by extreme counts, "2" forms,
 * polynomials, tables that wrap, structures, and whole AES and SHA computations.
 * Expected values are worked out from the Arm ARM, FIPS 197 and FIPS 180-4.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib.h>
#include "target/arm/cpu.h"
#include "target/arm/vec-helper.h"
#include "target/arm/vec-types.h"

#define FPSR_QC (1u << 27)

typedef void SatHelper(Vcpu *cpu, uint64_t d, uint64_t a, uint64_t b, uint64_t desc);

static Vec u64x2(uint64_t low, uint64_t high)
{
    return (Vec){ .u64 = { low, high } };
}

static void check(const Vec *r, uint64_t low, uint64_t high)
{
    g_assert_cmphex(r->u64[0], ==, low);
    g_assert_cmphex(r->u64[1], ==, high);
}

/* d = h(n, m), d keeping its old value for the helper to see. */
static void vec(const IrVecHelper *h, Vec *d, Vec n, Vec m, uint32_t desc)
{
    h->fn(d, &n, &m, desc);
}

/* The same for a saturating helper: V0 = h(V1, V2). Returns whether QC was set. */
static bool sat(const IrHelper *h, Vec *d, Vec n, Vec m, uint32_t desc)
{
    ArmCpu *cpu = g_new0(ArmCpu, 1);
    bool qc;

    memcpy(&cpu->s.v[0], d, 16);
    memcpy(&cpu->s.v[1], &n, 16);
    memcpy(&cpu->s.v[2], &m, 16);
    ((SatHelper *)h->fn)(&cpu->vcpu, arm_v_offset(0), arm_v_offset(1), arm_v_offset(2), desc);
    memcpy(d, &cpu->s.v[0], 16);
    qc = cpu->s.fpsr == FPSR_QC;
    g_assert_true(qc || cpu->s.fpsr == 0);
    g_free(cpu);
    return qc;
}

static void test_saturating_add(void)
{
    Vec d = u64x2(0, 0);

    g_assert_true(sat(&sat_sqadd[0], &d, u64x2(0x7f80017f7f800100, 0),
                      u64x2(0x01ff01ff00800180, 0), vec_desc(8, 0, 0)));
    check(&d, 0x7f80027e7f800280, 0);
    g_assert_false(sat(&sat_sqadd[0], &d, u64x2(0x7e, 0), u64x2(1, 0), vec_desc(16, 0, 0)));
    check(&d, 0x7f, 0);
    g_assert_true(sat(&sat_uqadd[3], &d, u64x2(UINT64_MAX, 1), u64x2(1, 2), vec_desc(16, 3, 0)));
    check(&d, UINT64_MAX, 3);
    g_assert_true(sat(&sat_sqsub[3], &d, u64x2(INT64_MIN, 5), u64x2(1, 6), vec_desc(16, 3, 0)));
    check(&d, INT64_MIN, UINT64_MAX);
    g_assert_true(sat(&sat_uqsub[1], &d, u64x2(0x0001000500000000, 0),
                      u64x2(0x0002000300000000, 0), vec_desc(16, 1, 0)));
    check(&d, 0x0000000200000000, 0);
}

/* Lanes above a scalar neither saturate nor survive. */
static void test_saturating_scalar(void)
{
    Vec d = u64x2(UINT64_MAX, UINT64_MAX);

    g_assert_false(sat(&sat_sqadd[1], &d, u64x2(0x7fff7fff7fff0001, 0x7fff),
                       u64x2(0x0001000100010001, 1), vec_desc(2, 1, 0)));
    check(&d, 2, 0);
    /* SQXTN Bd, Hn and SQDMULL Sd, Hn, Hm. */
    g_assert_true(sat(&sat_sqshrn[0], &d, u64x2(0x7fffff7f, 0), u64x2(0, 0), vec_desc(1, 0, 0)));
    check(&d, 0x80, 0);
    g_assert_true(sat(&sat_sqdmull[1], &d, u64x2(0x12348000, 0), u64x2(0x56788000, 0),
                      vec_desc(4, 1, 0)));
    check(&d, 0x7fffffff, 0);
}

static void test_saturating_mixed_signs(void)
{
    Vec d = u64x2(0x00000000007f80ff, 0);

    /* -1 + 255, -128 + 255, 127 + 0 */
    g_assert_true(sat(&sat_suqadd[0], &d, u64x2(0x00ffff, 0), u64x2(0, 0), vec_desc(8, 0, 0)));
    check(&d, 0x7f7f7f, 0);
    /* 5 - 10, 250 + 10, 100 - 1 */
    d = u64x2(0x64fa05, 0);
    g_assert_true(sat(&sat_usqadd[0], &d, u64x2(0xff0af6, 0), u64x2(0, 0), vec_desc(8, 0, 0)));
    check(&d, 0x63ff00, 0);
    g_assert_true(sat(&sat_sqneg[2], &d, u64x2(0x0000000180000000, 0), u64x2(0, 0),
                      vec_desc(8, 2, 0)));
    check(&d, 0xffffffff7fffffff, 0);
    g_assert_true(sat(&sat_sqabs[3], &d, u64x2(INT64_MIN, -7ll), u64x2(0, 0), vec_desc(16, 3, 0)));
    check(&d, INT64_MAX, 7);
}

static void test_shift_by_register(void)
{
    const Vec bytes = u64x2(0x80ff80ff80ff8001, 0), high = u64x2(1ull << 63, 3);
    Vec d;

    /* Counts from lane 0 up: 7, 8, -1, -7, -8, -8, -128, 127. */
    const Vec counts = u64x2(0x7f80f8f8f9ff0807, 0);

    vec(&vec_sshl[0], &d, bytes, counts, vec_desc(8, 0, 0));
    check(&d, 0x00ffffffffff0080, 0);
    vec(&vec_srshl[0], &d, bytes, counts, vec_desc(8, 0, 0));
    check(&d, 0x00000000ff000080, 0);
    vec(&vec_ushl[0], &d, bytes, counts, vec_desc(8, 0, 0));
    check(&d, 0x00000000017f0080, 0);

    vec(&vec_urshl[3], &d, high, u64x2(0xc0, 0xff), vec_desc(16, 3, 0));    /* -64, -1 */
    check(&d, 1, 2);
    vec(&vec_urshl[3], &d, high, u64x2(0xbf, 0x80), vec_desc(16, 3, 0));    /* -65, -128 */
    check(&d, 0, 0);
    vec(&vec_srshl[3], &d, high, u64x2(0xc0, 0xbf), vec_desc(16, 3, 0));
    check(&d, 0, 0);
    /* Only the low byte counts. */
    vec(&vec_ushl[3], &d, high, u64x2(0xff00, 0x0101), vec_desc(16, 3, 0));
    check(&d, 1ull << 63, 6);
}

static void test_saturating_shift(void)
{
    Vec d = u64x2(0, 0);

    g_assert_false(sat(&sat_uqshl[3], &d, u64x2(1, 0), u64x2(63, 127), vec_desc(16, 3, 0)));
    check(&d, 1ull << 63, 0);
    g_assert_true(sat(&sat_uqshl[3], &d, u64x2(2, 1), u64x2(63, 64), vec_desc(16, 3, 0)));
    check(&d, UINT64_MAX, UINT64_MAX);
    g_assert_true(sat(&sat_sqshl[3], &d, u64x2(1, -1ll), u64x2(63, 127), vec_desc(16, 3, 0)));
    check(&d, INT64_MAX, INT64_MIN);
    g_assert_false(sat(&sat_sqshl[3], &d, u64x2(-1ll, 1), u64x2(63, 62), vec_desc(16, 3, 0)));
    check(&d, INT64_MIN, 1ull << 62);
    /* 255 >> 1 rounded is 128 and fits in 8 bits. */
    g_assert_false(sat(&sat_uqrshl[0], &d, u64x2(0xff, 0), u64x2(0xff, 0), vec_desc(8, 0, 0)));
    check(&d, 0x80, 0);
    g_assert_true(sat(&sat_sqshlu_imm[1], &d, u64x2(0x0fffffff0001, 0), u64x2(0, 0),
                      vec_desc(8, 1, 4)));
    check(&d, 0xfff000000010, 0);
}

static void test_saturating_multiply(void)
{
    Vec d = u64x2(0, 0);

    g_assert_true(sat(&sat_sqdmulh[1], &d, u64x2(0x80004000, 0), u64x2(0x80004000, 0),
                      vec_desc(8, 1, 0)));
    check(&d, 0x7fff2000, 0);
    /* 2 * 3 * 0x2000 = 0xc000 rounds to 1; truncated it is 0. */
    g_assert_false(sat(&sat_sqrdmulh[1], &d, u64x2(3, 0), u64x2(0x2000, 0), vec_desc(8, 1, 0)));
    check(&d, 1, 0);
    g_assert_true(sat(&sat_sqrdmulh[2], &d, u64x2(0x80000000, 0), u64x2(0x80000000, 0),
                      vec_desc(8, 2, 0)));
    check(&d, 0x7fffffff, 0);
    /* The product saturates first, then the sum. */
    d = u64x2((uint64_t)-5ll, 1);
    g_assert_true(sat(&sat_sqdmlal[2], &d, u64x2(0x8000000080000000, 0),
                      u64x2(0x8000000080000000, 0), vec_desc(16, 2, 0)));
    check(&d, INT64_MAX - 5, INT64_MAX);
    /* Lane 2 of m against lanes of n. */
    d = u64x2(0, 0);
    g_assert_false(sat(&sat_sqdmull_lane[1], &d, u64x2(0x0004000300020001, 0),
                       u64x2(0x7777000a77777777, 0), vec_desc(16, 1, 2)));
    check(&d, 40ull << 32 | 20, 80ull << 32 | 60);
}

static void test_saturating_narrow(void)
{
    Vec d = u64x2(0x1122334455667788, 0);

    /* Rounding carries 0x7fff over the top of a byte. */
    g_assert_true(sat(&sat_sqrshrn[0], &d, u64x2(0x7fff, 0), u64x2(0, 0), vec_desc(8, 0, 8)));
    check(&d, 0x7f, 0);
    g_assert_false(sat(&sat_sqshrn[0], &d, u64x2(0x7fff, 0), u64x2(0, 0), vec_desc(8, 0, 8)));
    check(&d, 0x7f, 0);
    g_assert_true(sat(&sat_sqshrun[1], &d, u64x2(0x7fffffffffffffff, 0), u64x2(0, 0),
                      vec_desc(8, 1, 16)));
    check(&d, 0x7fff0000, 0);
    /* A "2" form keeps the lower half. */
    d = u64x2(0x1122334455667788, 0xff);
    g_assert_true(sat(&sat_uqrshrn[2], &d, u64x2(UINT64_MAX, 0x300000000), u64x2(0, 0),
                      vec_desc(16, 2, 32)));
    check(&d, 0x1122334455667788, 0x3ffffffff);
}

static void test_shift_immediate(void)
{
    const Vec n = u64x2(0x80ff7f0180ff7f01, UINT64_MAX);
    Vec d = u64x2(0x1234567890abcdef, 1);

    vec(&vec_ushr[0], &d, n, n, vec_desc(8, 0, 8));
    check(&d, 0, 0);
    vec(&vec_sshr[2], &d, n, n, vec_desc(16, 2, 32));
    check(&d, UINT64_MAX, UINT64_MAX);
    vec(&vec_urshr[3], &d, n, n, vec_desc(16, 3, 64));
    check(&d, 1, 1);
    vec(&vec_srshr[3], &d, n, n, vec_desc(16, 3, 64));
    check(&d, 0, 0);
    d = u64x2(0x1234567890abcdef, 1);
    vec(&vec_sri[3], &d, n, n, vec_desc(16, 3, 64));
    check(&d, 0x1234567890abcdef, 1);
    vec(&vec_sri[0], &d, n, n, vec_desc(8, 0, 4));
    check(&d, 0x183f577098afc7e0, 0);
    vec(&vec_sli[1], &d, n, n, vec_desc(8, 1, 12));
    check(&d, 0xf83f1770f8af17e0, 0);
    /* SHRN as string functions use it, and its "2" form. */
    vec(&vec_shrn[0], &d, u64x2(0xffff00000000ff00, 0x00ff), n, vec_desc(8, 0, 4));
    check(&d, 0x0fff0000f0, 0);
    vec(&vec_shrn[0], &d, u64x2(0xffff, 0), n, vec_desc(16, 0, 4));
    check(&d, 0x0fff0000f0, 0xff);
    vec(&vec_rshrn[2], &d, u64x2(0xffffffff80000000, 0x7fffffff), n, vec_desc(8, 2, 32));
    check(&d, 0, 0);
    vec(&vec_ushll[0], &d, n, n, vec_desc(16, 0, 8));
    check(&d, 0x8000ff007f000100, 0x8000ff007f000100);
    vec(&vec_sshll[2], &d, n, n, vec_desc(16, 2, 1));
    check(&d, 0xffffffff01fefe02, 0xffffffff01fefe02);
}

static void test_halving_and_counts(void)
{
    Vec d;

    vec(&vec_shadd[0], &d, u64x2(0x7f80ff, 0), u64x2(0x7f8000, 0), vec_desc(8, 0, 0));
    check(&d, 0x7f80ff, 0);
    vec(&vec_srhadd[0], &d, u64x2(0x7f80ff, 0), u64x2(0x7e8100, 0), vec_desc(8, 0, 0));
    check(&d, 0x7f8100, 0);
    vec(&vec_uhsub[2], &d, u64x2(0, 0), u64x2(1, 0), vec_desc(8, 2, 0));
    check(&d, 0xffffffff, 0);
    vec(&vec_urhadd[2], &d, u64x2(0xffffffff, 0), u64x2(0xfffffffe, 0), vec_desc(8, 2, 0));
    check(&d, 0xffffffff, 0);
    vec(&vec_cls[1], &d, u64x2(0xffff80007fff0000, 0x0001fffe40000100), u64x2(0, 0),
        vec_desc(16, 1, 0));
    check(&d, 0x000f00000000000f, 0x000e000e00000006);
    vec(&vec_clz[0], &d, u64x2(0xff7f0100, 0), u64x2(0, 0), vec_desc(8, 0, 0));
    check(&d, 0x0808080800010708, 0);
    vec(&vec_rev32[1], &d, u64x2(0x4444333322221111, 0), u64x2(0, 0), vec_desc(8, 1, 0));
    check(&d, 0x3333444411112222, 0);
    vec(&vec_smaxv[0], &d, u64x2(0x80fffefdfcfbfaf9, 0x7f), u64x2(0, 0), vec_desc(8, 0, 0));
    check(&d, 0xff, 0);
    vec(&vec_uaddlv[0], &d, u64x2(UINT64_MAX, UINT64_MAX), u64x2(0, 0), vec_desc(16, 0, 0));
    check(&d, 16 * 255, 0);
    vec(&vec_addp[0], &d, u64x2(0x0807060504030201, 9), u64x2(0xff01, 9), vec_desc(8, 0, 0));
    check(&d, 0x000000000f0b0703, 0);
}

static void test_polynomial(void)
{
    Vec d;

    vec(&vec_pmull[0], &d, u64x2(0x03ff, 0), u64x2(0x03ff, 0), vec_desc(16, 0, 0));
    check(&d, 0x00055555, 0);
    vec(&vec_pmull[3], &d, u64x2(UINT64_MAX, 0), u64x2(UINT64_MAX, 0), vec_desc(16, 3, 0));
    check(&d, 0x5555555555555555, 0x5555555555555555);
    vec(&vec_pmull[3], &d, u64x2(1ull << 63, 0), u64x2(3, 0), vec_desc(16, 3, 0));
    check(&d, 1ull << 63, 1);
    vec(&vec_pmul[0], &d, u64x2(0x03ff, 0), u64x2(0x80ff, 0), vec_desc(8, 0, 0));
    check(&d, 0x8055, 0);
}

static void test_permute(void)
{
    const Vec n = u64x2(0x0706050403020100, 0x0f0e0d0c0b0a0908);
    const Vec m = u64x2(0x1716151413121110, 0x1f1e1d1c1b1a1918);
    Vec d;

    vec(&vec_zip1[0], &d, n, m, vec_desc(8, 0, 0));
    check(&d, 0x1303120211011000, 0);
    vec(&vec_zip2[1], &d, n, m, vec_desc(16, 1, 0));
    check(&d, 0x1b1a0b0a19180908, 0x1f1e0f0e1d1c0d0c);
    vec(&vec_uzp2[0], &d, n, m, vec_desc(8, 0, 0));
    check(&d, 0x1715131107050301, 0);
    vec(&vec_trn2[2], &d, n, m, vec_desc(16, 2, 0));
    check(&d, 0x1716151407060504, 0x1f1e1d1c0f0e0d0c);
    vec(&vec_ext, &d, n, m, vec_desc(16, 0, 3));
    check(&d, 0x0a09080706050403, 0x1211100f0e0d0c0b);
    vec(&vec_ext, &d, n, m, vec_desc(8, 0, 7));
    check(&d, 0x1615141312111007, 0);
    vec(&vec_tbl1, &d, m, u64x2(0xff100f0100, 0), vec_desc(8, 0, 0));
    check(&d, 0x10101000001f1110, 0);
}

/* The table of V31 goes on in V0; TBX keeps what is out of range. */
static void test_table_wraps(void)
{
    ArmCpu *cpu = g_new0(ArmCpu, 1);
    SatHelper *tbl = (SatHelper *)vec_tbl.fn;

    memset(&cpu->s.v[31], 0xaa, 16);
    memset(&cpu->s.v[0], 0xbb, 16);
    cpu->s.v[1].d[0] = 0x20ff1f100f00;
    memset(&cpu->s.v[2], 0xcc, 16);
    tbl(&cpu->vcpu, arm_v_offset(2), 31, arm_v_offset(1), vec_desc(16, 0, 1 | 4));
    g_assert_cmphex(cpu->s.v[2].d[0], ==, 0xaaaaccccbbbbaaaa);
    tbl(&cpu->vcpu, arm_v_offset(2), 31, arm_v_offset(1), vec_desc(8, 0, 1));
    g_assert_cmphex(cpu->s.v[2].d[0], ==, 0xaaaa0000bbbbaaaa);
    g_assert_cmphex(cpu->s.v[2].d[1], ==, 0);
    g_free(cpu);
}

static void test_structures(void)
{
    ArmCpu *cpu = g_new0(ArmCpu, 1);
    void (*deinterleave)(Vcpu *, uint64_t, uint64_t) =
        (void (*)(Vcpu *, uint64_t, uint64_t))vec_deinterleave.fn;
    uint64_t (*interleave)(Vcpu *, uint64_t, uint64_t, uint64_t) =
        (uint64_t (*)(Vcpu *, uint64_t, uint64_t, uint64_t))vec_interleave.fn;
    const uint32_t desc = vec_desc(8, 0, 3);

    /* LD3 {V31.8B, V0.8B, V1.8B} of bytes 0 to 23. */
    cpu->s.v[31].d[0] = 0x0706050403020100;
    cpu->s.v[0].d[0] = 0x0f0e0d0c0b0a0908;
    cpu->s.v[1] = (ArmVReg){ { 0x1716151413121110, 0xdead } };
    deinterleave(&cpu->vcpu, 31, desc);
    g_assert_cmphex(cpu->s.v[31].d[0], ==, 0x15120f0c09060300);
    g_assert_cmphex(cpu->s.v[0].d[0], ==, 0x1613100d0a070401);
    g_assert_cmphex(cpu->s.v[1].d[0], ==, 0x1714110e0b080502);
    g_assert_cmphex(cpu->s.v[1].d[1], ==, 0);
    g_assert_cmphex(interleave(&cpu->vcpu, 31, desc, 0), ==, 0x0706050403020100);
    g_assert_cmphex(interleave(&cpu->vcpu, 31, desc, 2), ==, 0x1716151413121110);

    /* LD2 {V4.2D, V5.2D}. */
    cpu->s.v[4] = (ArmVReg){ { 1, 2 } };
    cpu->s.v[5] = (ArmVReg){ { 3, 4 } };
    deinterleave(&cpu->vcpu, 4, vec_desc(16, 3, 2));
    g_assert_cmphex(cpu->s.v[4].d[1], ==, 3);
    g_assert_cmphex(cpu->s.v[5].d[0], ==, 2);
    g_free(cpu);
}

/* ---- AES-128, FIPS 197 appendix B ---- */

static uint32_t sub_word(uint32_t w)
{
    Vec d = { .u32 = { w, w, w, w } };

    vec(&vec_aese, &d, d, u64x2(0, 0), vec_desc(16, 0, 0));    /* equal columns: no shift seen */
    return d.u32[0];
}

static void expand_key(Vec round_key[11])
{
    uint32_t w[44], rcon = 1;

    memcpy(w, &round_key[0], 16);
    for (unsigned i = 4; i < 44; i++) {
        uint32_t t = w[i - 1];

        if (i % 4 == 0) {
            t = sub_word(t >> 8 | t << 24) ^ rcon;
            rcon = rcon < 0x80 ? rcon << 1 : 0x1b;
        }
        w[i] = w[i - 4] ^ t;
    }
    memcpy(round_key, w, sizeof(w));
}

static void test_aes(void)
{
    static const uint8_t key[16] = { 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
                                     0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c };
    static const uint8_t plain[16] = { 0x32, 0x43, 0xf6, 0xa8, 0x88, 0x5a, 0x30, 0x8d,
                                       0x31, 0x31, 0x98, 0xa2, 0xe0, 0x37, 0x07, 0x34 };
    static const uint8_t cipher[16] = { 0x39, 0x25, 0x84, 0x1d, 0x02, 0xdc, 0x09, 0xfb,
                                        0xdc, 0x11, 0x85, 0x97, 0x19, 0x6a, 0x0b, 0x32 };
    const uint32_t desc = vec_desc(16, 0, 0);
    Vec k[11], x, t;

    memcpy(&k[0], key, 16);
    expand_key(k);
    memcpy(&x, plain, 16);
    for (unsigned i = 0; i < 10; i++) {
        vec(&vec_aese, &x, x, k[i], desc);
        if (i < 9) {
            vec(&vec_aesmc, &x, x, x, desc);
        }
    }
    vec(&vec_eor, &x, x, k[10], desc);
    g_assert_cmpmem(&x, 16, cipher, 16);

    /* The equivalent inverse cipher: middle round keys through InvMixColumns. */
    for (unsigned i = 10; i > 0; i--) {
        t = k[i];
        if (i < 10) {
            vec(&vec_aesimc, &t, k[i], k[i], desc);
        }
        vec(&vec_aesd, &x, x, t, desc);
        if (i > 1) {
            vec(&vec_aesimc, &x, x, x, desc);
        }
    }
    vec(&vec_eor, &x, x, k[0], desc);
    g_assert_cmpmem(&x, 16, plain, 16);
}

/* ---- SHA of "abc": one block ---- */

static const Vec abc_block[4] = {
    { .u32 = { 0x61626380 } }, { .u32 = { 0 } }, { .u32 = { 0 } }, { .u32 = { 0, 0, 0, 24 } },
};

static Vec add4(Vec a, uint32_t k)
{
    for (unsigned i = 0; i < 4; i++) {
        a.u32[i] += k;
    }
    return a;
}

static void test_sha1(void)
{
    static const uint32_t k[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
    static const IrVecHelper *const rounds[4] = { &vec_sha1c, &vec_sha1p, &vec_sha1m, &vec_sha1p };
    const uint32_t desc = vec_desc(16, 0, 0);
    Vec w[4], abcd = { .u32 = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 } };
    Vec e = { .u32 = { 0xc3d2e1f0 } };
    const Vec abcd0 = abcd;

    memcpy(w, abc_block, sizeof(w));
    for (unsigned i = 0; i < 20; i++) {
        Vec next;

        vec(&vec_sha1h, &next, abcd, abcd, desc);
        vec(rounds[i / 5], &abcd, e, add4(w[i % 4], k[i / 5]), desc);
        e = next;
        /* The words 16 ahead replace those just used. */
        vec(&vec_sha1su0, &w[i % 4], w[(i + 1) % 4], w[(i + 2) % 4], desc);
        vec(&vec_sha1su1, &w[i % 4], w[(i + 3) % 4], w[(i + 3) % 4], desc);
    }
    vec(&vec_add[2], &abcd, abcd, abcd0, vec_desc(16, 2, 0));
    check(&abcd, 0x4706816aa9993e36, 0x7850c26cba3e2571);
    g_assert_cmphex(e.u32[0] + 0xc3d2e1f0, ==, 0x9cd0d89d);
}

static void test_sha256(void)
{
    static const uint32_t k[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
        0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
        0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
        0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
        0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
        0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
        0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
        0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
        0xc67178f2,
    };
    const uint32_t desc = vec_desc(16, 0, 0);
    Vec w[4], abcd = { .u32 = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a } };
    Vec efgh = { .u32 = { 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } };
    const Vec abcd0 = abcd, efgh0 = efgh;

    memcpy(w, abc_block, sizeof(w));
    for (unsigned i = 0; i < 16; i++) {
        const Vec old = abcd;
        Vec wk;

        memcpy(&wk, &k[4 * i], 16);
        vec(&vec_add[2], &wk, wk, w[i % 4], vec_desc(16, 2, 0));
        vec(&vec_sha256h, &abcd, efgh, wk, desc);
        vec(&vec_sha256h2, &efgh, old, wk, desc);
        vec(&vec_sha256su0, &w[i % 4], w[(i + 1) % 4], w[0], desc);
        vec(&vec_sha256su1, &w[i % 4], w[(i + 2) % 4], w[(i + 3) % 4], desc);
    }
    vec(&vec_add[2], &abcd, abcd, abcd0, vec_desc(16, 2, 0));
    vec(&vec_add[2], &efgh, efgh, efgh0, vec_desc(16, 2, 0));
    check(&abcd, 0x8f01cfeaba7816bf, 0x5dae2223414140de);
    check(&efgh, 0x96177a9cb00361a3, 0xf20015adb410ff61);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vec/saturating-add", test_saturating_add);
    g_test_add_func("/vec/saturating-scalar", test_saturating_scalar);
    g_test_add_func("/vec/saturating-mixed-signs", test_saturating_mixed_signs);
    g_test_add_func("/vec/shift-by-register", test_shift_by_register);
    g_test_add_func("/vec/saturating-shift", test_saturating_shift);
    g_test_add_func("/vec/saturating-multiply", test_saturating_multiply);
    g_test_add_func("/vec/saturating-narrow", test_saturating_narrow);
    g_test_add_func("/vec/shift-immediate", test_shift_immediate);
    g_test_add_func("/vec/halving-and-counts", test_halving_and_counts);
    g_test_add_func("/vec/polynomial", test_polynomial);
    g_test_add_func("/vec/permute", test_permute);
    g_test_add_func("/vec/table-wraps", test_table_wraps);
    g_test_add_func("/vec/structures", test_structures);
    g_test_add_func("/vec/aes", test_aes);
    g_test_add_func("/vec/sha1", test_sha1);
    g_test_add_func("/vec/sha256", test_sha256);
    return g_test_run();
}
