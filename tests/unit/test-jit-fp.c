/*
 * Scalar floating-point operations through the native back end against their
 * helpers: results, FPSR and flags have to be the same bits for corner and random
 * numbers, with all rounding modes, flushing, default NaNs, and IXC set or not.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fpu/fpu.h"
#include "target/arm/helper-fp.h"
#include "target/arm/vec-helper.h"
#include "tests/unit/jit-fp-test.h"

#define RUNS 40000

/* A product, or a square when b is 0: exact quotients and roots. */
static uint64_t product(uint64_t a, uint64_t b, bool is_double)
{
    double x, y;
    float u, v;

    b = b ? b : a;
    if (is_double) {
        memcpy(&x, &a, 8);
        memcpy(&y, &b, 8);
        x *= y;
        memcpy(&a, &x, 8);
        return a;
    }
    memcpy(&u, &a, 4);
    memcpy(&v, &b, 4);
    u *= v;
    a = 0;
    memcpy(&a, &u, 4);
    return a;
}

static uint64_t interesting_int(JitTest *j)
{
    uint64_t r = jit_test_random(j), x = jit_test_random(j) >> (r & 63);

    return r >> 8 & 1 ? -x : r >> 9 & 1 ? x : 1ull << (r >> 16 & 63);
}

static void fill(JitTest *j, bool is_double)
{
    ArmState *s = &j->cpu->s;
    uint64_t r = jit_test_random(j);

    for (unsigned n = 0; n < 4; n++) {
        /* Junk above a single must not matter. */
        s->v[n].d[0] = is_double ? interesting64(j)
                                 : interesting32(j) | jit_test_random(j) << 32;
        s->v[n].d[1] = jit_test_random(j);
    }
    if (r >> 32 & 1) {
        s->v[2].d[0] = s->v[1].d[0] ^ (r & 2 ? (is_double ? 1ull << 63 : 1ull << 31) : 0);
    }
    if (!(r >> 33 & 3)) {
        s->v[1].d[0] = product(s->v[2].d[0], r & 4 ? s->v[3].d[0] : 0, is_double);
    }
    s->fpcr = r % 4 ? 0 : (uint32_t)jit_test_random(j) & (FPCR_RMODE | FPCR_FZ | FPCR_DN);
    s->fpcr |= r >> 20 & 7 ? 0 : FPCR_FZ;
    s->fpsr = (r >> 4 & 3 ? FPSR_IXC : 0) | (r >> 6 & 3 ? 0 : FPSR_IOC);
    j->cpu->vcpu.nzcv = r >> 40;
    j->cpu->vcpu.slot[3] = interesting_int(j);
}

static void run(JitTest *j, const IrFpHelper *h)
{
    jit_test_compile(j);
    for (unsigned n = 0; n < RUNS; n++) {
        uint64_t was[4];

        fill(j, h->is_double);
        for (unsigned v = 0; v < 4; v++) {
            was[v] = j->cpu->s.v[v].d[0];
        }
        if (!jit_test_run(j)) {
            const ArmState *x = &j->cpu->s, *y = &j->other->s;

            ir_print(j->u, stderr);
            g_error("%s of %" PRIx64 " %" PRIx64 " %" PRIx64 " slot %" PRIx64 " fpcr %x: "
                    "%016" PRIx64 " %016" PRIx64 " fpsr %x slot %" PRIx64 " nzcv %x for "
                    "%016" PRIx64 " %016" PRIx64 " fpsr %x slot %" PRIx64 " nzcv %x",
                    h->h.name, was[1], was[2], was[3], j->cpu->vcpu.slot[3], x->fpcr,
                    x->v[0].d[1], x->v[0].d[0], x->fpsr, j->cpu->vcpu.slot[4],
                    j->cpu->vcpu.nzcv, y->v[0].d[1], y->v[0].d[0], y->fpsr,
                    j->other->vcpu.slot[4], j->other->vcpu.nzcv);
        }
    }
}

static void check_arithmetic(JitTest *j, const IrFpHelper *h)
{
    static const uint8_t regs[][4] = { { 0, 1, 2, 3 }, { 1, 1, 2, 3 }, { 2, 1, 2, 1 },
                                       { 0, 1, 1, 1 } };

    for (unsigned n = 0; n < ARRAY_SIZE(regs); n++) {
        ir_fp(jit_test_begin(j), h, arm_v_offset(regs[n][0]), arm_v_offset(regs[n][1]),
              arm_v_offset(regs[n][2]), arm_v_offset(regs[n][3]));
        run(j, h);
    }
}

static void test_arithmetic(void)
{
    static const IrFpHelper *const pairs[] = {
        helper_fadd, helper_fsub, helper_fmul, helper_fnmul, helper_fdiv, helper_fmax,
        helper_fmin, helper_fmaxnm, helper_fminnm, helper_fmadd, helper_fmsub, helper_fnmadd,
        helper_fnmsub, helper_fsqrt, helper_fmov, helper_fneg, helper_fabs,
    };
    JitTest j;

    if (!jit_test_init(&j)) {
        return;
    }
    for (unsigned n = 0; n < ARRAY_SIZE(pairs); n++) {
        check_arithmetic(&j, &pairs[n][0]);
        check_arithmetic(&j, &pairs[n][1]);
    }
    check_arithmetic(&j, &helper_fcvt_sd);
    check_arithmetic(&j, &helper_fcvt_ds);
    jit_test_free(&j);
}

/* The flags reach memory, a selection, and a later instruction. */
static void test_compare(void)
{
    static const IrFpHelper *const pairs[] = { helper_fcmp, helper_fcmpe };
    JitTest j;

    if (!jit_test_init(&j)) {
        return;
    }
    for (unsigned n = 0; n < 2 * ARRAY_SIZE(pairs) * 14; n++) {
        const IrFpHelper *h = &pairs[n & 1][n >> 1 & 1];
        IrBuilder *b = jit_test_begin(&j);
        IrVal v;

        ir_fp_cmp(b, h, arm_v_offset(1), n % 3 ? arm_v_offset(2) : 0);
        v = ir_sel(b, W64, (IrCond)(n >> 2), ir_get(b, 3), ir_const(b, 77));
        ir_set(b, 4, v);
        run(&j, h);
    }
    jit_test_free(&j);
}

static void test_conversion(void)
{
    JitTest j;

    if (!jit_test_init(&j)) {
        return;
    }
    for (unsigned n = 0; n < 8; n++) {
        const IrFpHelper *h = &helper_fcvtz[n & 1][n >> 1 & 1][n >> 2];
        IrBuilder *b = jit_test_begin(&j);

        ir_set(b, 4, ir_fp_to_int(b, h, arm_v_offset(1)));
        run(&j, h);
    }
    for (unsigned n = 0; n < 4; n++) {
        const IrFpHelper *h = &helper_from_int[n & 1][n >> 1];
        IrBuilder *b = jit_test_begin(&j);

        ir_fp_from_int(b, h, arm_v_offset(0), ir_get(b, 3));
        run(&j, h);
    }
    jit_test_free(&j);
}

/* Values in registers survive the cold code, whatever it calls. */
static void test_live_values(void)
{
    JitTest j;
    IrVal v[9];

    if (!jit_test_init(&j)) {
        return;
    }
    for (unsigned n = 0; n < 2; n++) {
        IrBuilder *b = jit_test_begin(&j);

        for (unsigned k = 0; k < ARRAY_SIZE(v); k++) {
            v[k] = ir_add(b, W64, ir_get(b, 5 + k), ir_const(b, k));
        }
        if (n) {
            ir_set(b, 20, ir_fp_to_int(b, &helper_fcvtz[1][1][0], arm_v_offset(1)));
        } else {
            ir_fp(b, &helper_fmul[1], arm_v_offset(0), arm_v_offset(1), arm_v_offset(2), 0);
        }
        for (unsigned k = 0; k < ARRAY_SIZE(v); k++) {
            ir_set(b, 5 + k, v[k]);
        }
        run(&j, &helper_fmul[1]);
    }
    jit_test_free(&j);
}

/* One of the ways in which a vector register gets written or read, on random registers. */
static void random_op(JitTest *j, IrBuilder *b)
{
    static const IrFpHelper *const pairs[] = {
        helper_fadd, helper_fsub, helper_fmul, helper_fnmadd, helper_fmax,
    };
    uint64_t r = jit_test_random(j);
    const uint32_t d = arm_v_offset(r >> 8 & 15), x = arm_v_offset(r >> 16 & 15);
    const uint32_t y = arm_v_offset(r >> 24 & 15), z = arm_v_offset(r >> 32 & 15);
    const bool sz = r >> 40 & 3;

    switch (r % 12) {
    case 0: ir_vec(b, &vec_eor, d, x, y, vec_desc(r & 1 << 5 ? 16 : 8, 0, 0)); break;
    case 1: ir_vec(b, &vec_clz[1], d, x, y, vec_desc(16, 1, 0)); break;
    case 2: ir_vec(b, &vec_xtn[1], d, x, y, vec_desc(r & 1 << 5 ? 16 : 8, 1, 0)); break;
    case 3: ir_st_env(b, 1 << (r >> 44 & 3), d + (r >> 46 & 8), ir_get(b, 3)); break;
    case 4: ir_fp(b, sz ? &helper_fcvt_ds : &helper_fcvt_sd, d, x, 0, 0); break;
    case 5: ir_set(b, 5, ir_fp_to_int(b, &helper_fcvtz[sz][1][0], x)); break;
    case 6: ir_fp_from_int(b, &helper_from_int[sz][0], d, ir_get(b, r >> 44 & 7)); break;
    case 7: ir_fp_cmp(b, &helper_fcmp[sz], x, y); break;
    default: ir_fp(b, &pairs[r >> 44 & 3][sz], d, x, y, z); break;
    }
}

static void random_state(JitTest *j, unsigned k)
{
    for (unsigned v = 0; v < 16; v++) {
        j->cpu->s.v[v] = (ArmVReg){ { interesting64(j), jit_test_random(j) } };
    }
}

static void test_sequences(void)
{
    jit_test_sequences(random_op, random_state);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/jit-fp/arithmetic", test_arithmetic);
    g_test_add_func("/jit-fp/compare", test_compare);
    g_test_add_func("/jit-fp/conversion", test_conversion);
    g_test_add_func("/jit-fp/live-values", test_live_values);
    g_test_add_func("/jit-fp/sequences", test_sequences);
    return g_test_run();
}
