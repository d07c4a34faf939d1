/*
 * Vector floating-point operations through the native back end against their helpers: all
 * lanes and FPSR have to be the same bits for ordinary numbers with special ones in single
 * lanes, with all rounding modes, flushing, default NaNs, and IXC set or not.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fpu/fpu.h"
#include "target/arm/helper-fp.h"
#include "target/arm/vec-helper.h"
#include "tests/unit/jit-fp-test.h"

#define RUNS 6000

typedef enum Form {
    ANY,            /* one lane, 8 or 16 bytes */
    LANE,           /* the same, with a lane of b */
    PAIRS,          /* the same; of one lane, a and b are one register */
    WHOLE,          /* 16 bytes */
    HALF,           /* 8 or 16 bytes, whatever the elements */
} Form;

typedef enum Data { NUMBERS, SINGLES, INTEGERS } Data;

typedef struct Row {
    const IrFpVecHelper *pair;
    Form form;
    uint32_t imm;
    Data data;
} Row;

static const Row rows[] = {
    { helper_vfadd }, { helper_vfsub }, { helper_vfmul }, { helper_vfmulx }, { helper_vfdiv },
    { helper_vfmax }, { helper_vfmin }, { helper_vfmaxnm }, { helper_vfminnm }, { helper_vfabd },
    { helper_vfmla }, { helper_vfmls }, { helper_vfrecps },
    { helper_vfcmeq }, { helper_vfcmge }, { helper_vfcmgt }, { helper_vfacge }, { helper_vfacgt },
    { helper_vfmul_lane, LANE }, { helper_vfmulx_lane, LANE }, { helper_vfmla_lane, LANE },
    { helper_vfmls_lane, LANE },
    { helper_vfaddp, PAIRS }, { helper_vfmaxp, PAIRS }, { helper_vfminp, PAIRS },
    { helper_vfmaxnmp, PAIRS }, { helper_vfminnmp, PAIRS },
    { helper_vfcmeq0 }, { helper_vfcmge0 }, { helper_vfcmgt0 }, { helper_vfcmle0 },
    { helper_vfcmlt0 }, { helper_vfsqrt }, { helper_vfneg }, { helper_vfabs }, { helper_vfrsqrte },
    { helper_vfcvtl, WHOLE, 0, SINGLES }, { helper_vfcvtn, HALF },
    { helper_vfrint, ANY, FPU_TIE_EVEN }, { helper_vfrint, ANY, FPU_POS_INF },
    { helper_vfrint, ANY, FPU_NEG_INF }, { helper_vfrint, ANY, FPU_ZERO_WARD },
    { helper_vfrint, ANY, FPU_TIE_AWAY }, { helper_vfrint, ANY, FP_ROUND_FPCR },
    { helper_vfrint, ANY, FP_ROUND_FPCR | FP_ROUND_EXACT },
    { helper_vfcvtzs }, { helper_vfcvtzu }, 
    { helper_vscvtf, ANY, 0, INTEGERS }, { helper_vucvtf, ANY, 0, INTEGERS },
};

/* A number that nothing happens to; whole ones have exact sums and products. */
static uint64_t ordinary(JitTest *j, bool is_double, bool whole)
{
    uint64_t r = jit_test_random(j);
    int32_t n = (int32_t)(r >> 32) >> 20;           /* 12 bits */
    double d = whole ? n : n + (double)(r & 0xffffff) / 0x1p24;
    float s = (float)d;
    uint64_t bits = 0;

    memcpy(&bits, is_double ? (void *)&d : (void *)&s, is_double ? 8 : 4);
    return bits;
}

static void set_lane(ArmVReg *v, unsigned lane, bool is_double, uint64_t bits)
{
    memcpy((uint8_t *)v + lane * (is_double ? 8 : 4), &bits, is_double ? 8 : 4);
}

static uint64_t interesting(JitTest *j, bool is_double)
{
    return is_double ? interesting64(j) : interesting32(j);
}

/* Of any length, of few bits, or near a power of two. */
static uint64_t integer(JitTest *j)
{
    uint64_t r = jit_test_random(j), n = jit_test_random(j) >> (r & 63);

    n = r & 64 ? n & -(1ull << (r >> 8 & 63)) : n;
    n = r & 128 ? (1ull << (r >> 8 & 63)) - (r >> 16 & 1) : n;
    return r & 256 ? -n : n;
}

/* Either one special number, or special ones everywhere. */
static void fill(JitTest *j, bool is_double, Data data)
{
    ArmState *s = &j->cpu->s;
    const uint64_t r = jit_test_random(j);
    const unsigned lanes = is_double ? 2 : 4;

    for (unsigned v = 0; v < 4; v++) {
        for (unsigned lane = 0; lane < lanes; lane++) {
            set_lane(&s->v[v], lane, is_double, data == INTEGERS ? integer(j) :
                     (r & 3) ? ordinary(j, is_double, r & 4) : interesting(j, is_double));
        }
    }
    if (r & 24) {
        set_lane(&s->v[r >> 8 & 3], r >> 16 & (lanes - 1), is_double,
                 r & 32 ? (uint64_t)(r & 64) << (is_double ? 57 : 25) : interesting(j, is_double));
    }
    if (!(r >> 24 & 7)) {
        s->v[2] = s->v[1];
    }
    s->fpcr = r >> 32 & 7 ? 0 : (uint32_t)jit_test_random(j) & (FPCR_RMODE | FPCR_FZ | FPCR_DN);
    s->fpcr |= r >> 36 & 7 ? 0 : FPCR_FZ;
    s->fpsr = (r >> 40 & 3 ? FPSR_IXC : 0) | (r >> 42 & 3 ? 0 : FPSR_IOC);
}

static void check(JitTest *j, const Row *row, uint32_t desc, unsigned d, unsigned a, unsigned b)
{
    const bool is_double = vec_desc_esize(desc) == 3;
    const IrFpVecHelper *h = &row->pair[is_double];
    const unsigned upper = row->data == SINGLES && b == 1 ? 8 : 0;

    ir_fp_vec(jit_test_begin(j), h, arm_v_offset(d), arm_v_offset(a) + upper, arm_v_offset(b),
              desc);
    jit_test_compile(j);
    for (unsigned n = 0; n < RUNS; n++) {
        ArmVReg was[4];
        uint32_t fpsr;

        fill(j, is_double && row->data != SINGLES, row->data);
        memcpy(was, j->cpu->s.v, sizeof(was));
        fpsr = j->cpu->s.fpsr;
        if (!jit_test_run(j)) {
            const ArmState *x = &j->cpu->s, *y = &j->other->s;

            ir_print(j->u, stderr);
            g_error("%s d %016" PRIx64 "%016" PRIx64 " a %016" PRIx64 "%016" PRIx64 " b %016" PRIx64
                    "%016" PRIx64 " fpcr %x fpsr %x: %016" PRIx64 "%016" PRIx64 " fpsr %x for "
                    "%016" PRIx64 "%016" PRIx64 " fpsr %x", h->name, was[d].d[1], was[d].d[0],
                    was[a].d[1], was[a].d[0], was[b].d[1], was[b].d[0], x->fpcr, fpsr,
                    x->v[d].d[1], x->v[d].d[0], x->fpsr, y->v[d].d[1], y->v[d].d[0], y->fpsr);
        }
    }
}

/* All ways in which registers coincide. */
static void check_operands(JitTest *j, const Row *row, bool is_double, unsigned bytes)
{
    static const uint8_t regs[][3] = { { 0, 1, 2 }, { 1, 1, 2 }, { 2, 1, 2 }, { 0, 1, 1 },
                                       { 1, 1, 1 } };
    const unsigned lane_bytes = is_double ? 8 : 4;
    const unsigned lanes = row->form == LANE ? 16 / lane_bytes : 1;

    for (unsigned n = 0; n < ARRAY_SIZE(regs); n++) {
        if (row->form == PAIRS && bytes == lane_bytes && regs[n][1] != regs[n][2]) {
            continue;
        }
        for (unsigned lane = 0; lane < lanes; lane++) {
            check(j, row, vec_desc(bytes, is_double ? 3 : 2, row->imm + lane), regs[n][0],
                  regs[n][1], regs[n][2]);
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
        for (unsigned sz = 0; sz < 2; sz++) {
            unsigned least = rows[n].form == WHOLE ? 16 : rows[n].form == HALF || sz ? 8 : 4;

            for (unsigned bytes = least; bytes <= 16; bytes *= 2) {
                check_operands(&j, &rows[n], sz, bytes);
            }
        }
    }
    jit_test_free(&j);
}

static uint64_t calls;

static void count_add(Vcpu *cpu, void *d, const void *a, const void *b, uint32_t desc)
{
    calls++;
    helper_vfadd[1].fn(cpu, d, a, b, desc);
}

static void count_mla(Vcpu *cpu, void *d, const void *a, const void *b, uint32_t desc)
{
    calls++;
    helper_vfmla[1].fn(cpu, d, a, b, desc);
}

/*
 * Ordinary numbers and zeros do not come to the helper, be their results exact or inexactness
 * known, with and without FPCR.FZ.
 */
static void test_inline(void)
{
    IrFpVecHelper add = helper_vfadd[1], mla = helper_vfmla[1];
    JitTest j;

    if (!jit_test_init(&j)) {
        return;
    }
#ifdef __x86_64__
    add.fn = count_add;
    mla.fn = count_mla;
    for (unsigned n = 0; n < 8 && __builtin_cpu_supports("fma"); n++) {
        ir_fp_vec(jit_test_begin(&j), n & 1 ? &mla : &add, arm_v_offset(0), arm_v_offset(1),
                  arm_v_offset(2), vec_desc(16, 3, 0));
        jit_test_compile(&j);
        calls = 0;
        for (unsigned k = 0; k < 100; k++) {
            for (unsigned v = 0; v < 3; v++) {
                j.cpu->s.v[v].d[0] = ordinary(&j, true, n & 2);
                j.cpu->s.v[v].d[1] = ordinary(&j, true, n & 2);
            }
            j.cpu->s.v[1].d[k & 1] = k & 4 ? 0 : j.cpu->s.v[1].d[k & 1];
            j.cpu->s.fpcr = n & 4 ? FPCR_FZ : 0;
            j.cpu->s.fpsr = n & 2 ? 0 : FPSR_IXC;
            g_assert_true(jit_test_run(&j));
        }
        g_assert_cmpuint(calls, ==, 100);       /* the interpreter's */
    }
#endif
    jit_test_free(&j);
}

/* One of the ways in which a vector register gets written or read, on random registers. */
static void random_op(JitTest *j, IrBuilder *b)
{
    uint64_t r = jit_test_random(j);
    const Row *row = &rows[(r >> 40) % ARRAY_SIZE(rows)];
    const uint32_t d = arm_v_offset(r >> 8 & 15), x = arm_v_offset(r >> 16 & 15);
    uint32_t y = arm_v_offset(r >> 24 & 15);
    const bool sz = r >> 48 & 1;

    switch (r % 10) {
    case 0: ir_vec(b, &vec_eor, d, x, y, vec_desc(r & 1 << 5 ? 16 : 8, 0, 0)); break;
    case 1: ir_vec(b, &vec_clz[1], d, x, y, vec_desc(16, 1, 0)); break;
    case 2: ir_st_env(b, 1 << (r >> 44 & 3), d + (r >> 46 & 8), ir_get(b, 3)); break;
    case 3: ir_fp(b, r & 32 ? &helper_fadd[sz] : &helper_fmul[sz], d, x, y, 0); break;
    case 4: ir_fp_cmp(b, &helper_fcmp[sz], x, y); break;
    default: {
        unsigned bytes = row->form == WHOLE ? 16 : 8 << (r >> 50 & 1);

        ir_fp_vec(b, &row->pair[sz], d, x, row->form == PAIRS && sz ? x : y,
                  vec_desc(bytes, sz ? 3 : 2, row->imm));
        break;
    }
    }
}

static void random_state(JitTest *j, unsigned k)
{
    for (unsigned v = 0; v < 16; v++) {
        for (unsigned lane = 0; lane < 2; lane++) {
            j->cpu->s.v[v].d[lane] = k & 4 ? interesting64(j) : ordinary(j, true, k & 2);
        }
    }
}

static void test_sequences(void)
{
    jit_test_sequences(random_op, random_state);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/jit-fp-vec/all", test_all);
    g_test_add_func("/jit-fp-vec/inline", test_inline);
    g_test_add_func("/jit-fp-vec/sequences", test_sequences);
    return g_test_run();
}
