/*
 * Random floating-point IR for ir-random.h. The helpers are what they are for Arm:
 * fpu/ with FPCR and FPSR of the CPU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_IR_RANDOM_FP_H
#define TESTS_IR_RANDOM_FP_H

#include "fake-vcpu.h"
#include "fpu/fast.h"

#define FP_ENV fake_cpu(vcpu)->fpcr, &fake_cpu(vcpu)->fpsr
#define FP_HELPER(function, args, host_op, is_double) \
    { { #function, (void (*)(void))function, args, 0 }, host_op, is_double, \
      offsetof(FakeCpu, fpcr) }

#define FP_TWO(op) \
    static uint64_t fp_##op##_s(Vcpu *vcpu, uint64_t a, uint64_t b) \
    { \
        return f32_##op((uint32_t)a, (uint32_t)b, FP_ENV); \
    } \
    static uint64_t fp_##op##_d(Vcpu *vcpu, uint64_t a, uint64_t b) \
    { \
        return f64_##op(a, b, FP_ENV); \
    }
FP_TWO(add)
FP_TWO(sub)
FP_TWO(mul)
FP_TWO(div)
FP_TWO(max)

static uint64_t fp_madd_s(Vcpu *vcpu, uint64_t addend, uint64_t a, uint64_t b)
{
    return f32_muladd((uint32_t)addend, (uint32_t)a, (uint32_t)b, FP_ENV);
}

static uint64_t fp_madd_d(Vcpu *vcpu, uint64_t addend, uint64_t a, uint64_t b)
{
    return f64_muladd(addend, a, b, FP_ENV);
}

static uint64_t fp_mov_d(Vcpu *vcpu, uint64_t a)
{
    return a;
}

static uint64_t fp_neg_s(Vcpu *vcpu, uint64_t a)
{
    return (uint32_t)a ^ 0x80000000u;
}

static uint64_t fp_cmp_s(Vcpu *vcpu, uint64_t a, uint64_t b)
{
    return f32_compare((uint32_t)a, (uint32_t)b, false, FP_ENV);
}

static uint64_t fp_cmp_d(Vcpu *vcpu, uint64_t a, uint64_t b)
{
    return f64_compare(a, b, false, FP_ENV);
}

static uint64_t fp_to_s64_d(Vcpu *vcpu, uint64_t a)
{
    return f64_to_fixed(a, 0, false, 64, FPU_ZERO_WARD, FP_ENV);
}

static uint64_t fp_to_u32_s(Vcpu *vcpu, uint64_t a)
{
    return f32_to_fixed((uint32_t)a, 0, true, 32, FPU_ZERO_WARD, FP_ENV);
}

static uint64_t fp_from_s64_d(Vcpu *vcpu, uint64_t a)
{
    return f64_from_fixed(a, 0, false, FP_ENV);
}

/* One that no back end knows. */
static uint64_t fp_weird_d(Vcpu *vcpu, uint64_t a, uint64_t b)
{
    fake_cpu(vcpu)->fpsr |= 2;
    return fake_mix(a, b);
}

static const IrFpHelper fp_one[] = {
    FP_HELPER(fp_mov_d, 1, IRFP_MOV, true), FP_HELPER(fp_neg_s, 1, IRFP_NEG, false),
};
static const IrFpHelper fp_two[] = {
    FP_HELPER(fp_add_s, 2, IRFP_ADD, false), FP_HELPER(fp_add_d, 2, IRFP_ADD, true),
    FP_HELPER(fp_sub_s, 2, IRFP_SUB, false), FP_HELPER(fp_sub_d, 2, IRFP_SUB, true),
    FP_HELPER(fp_mul_s, 2, IRFP_MUL, false), FP_HELPER(fp_mul_d, 2, IRFP_MUL, true),
    FP_HELPER(fp_div_s, 2, IRFP_DIV, false), FP_HELPER(fp_div_d, 2, IRFP_DIV, true),
    FP_HELPER(fp_max_s, 2, IRFP_MAX, false), FP_HELPER(fp_max_d, 2, IRFP_MAX, true),
    FP_HELPER(fp_weird_d, 2, IRFP_NONE, true),
};
static const IrFpHelper fp_three[] = {
    FP_HELPER(fp_madd_s, 3, IRFP_MADD, false), FP_HELPER(fp_madd_d, 3, IRFP_MADD, true),
};
static const IrFpHelper fp_compare[] = {
    FP_HELPER(fp_cmp_s, 2, IRFP_CMP, false), FP_HELPER(fp_cmp_d, 2, IRFP_CMP, true),
};

static const IrFpHelper fp_to_int[] = {
    FP_HELPER(fp_to_s64_d, 1, IRFP_TO_S64, true), FP_HELPER(fp_to_u32_s, 1, IRFP_TO_U32, false),
};
static const IrFpHelper fp_from_int =
    FP_HELPER(fp_from_s64_d, 1, IRFP_FROM_S64, true);

/* Vectors: lane by lane, as the helpers of target/arm are. */
#define FP_LANES(name, T, op) \
    static void name(Vcpu *vcpu, void *vd, const void *va, const void *vb, uint32_t desc) \
    { \
        const T *a = va, *b = vb, *d = vd; \
        T out[16 / sizeof(T)] = { 0 }; \
        const unsigned lanes = vec_desc_bytes(desc) / sizeof(T), imm = vec_desc_imm(desc); \
        for (unsigned i = 0; i < lanes; i++) { \
            (void)d, (void)imm; \
            out[i] = op; \
        } \
        memcpy(vd, out, sizeof(out)); \
    }
FP_LANES(fp_vadd_s, uint32_t, f32_add(a[i], b[i], FP_ENV))
FP_LANES(fp_vadd_d, uint64_t, f64_add(a[i], b[i], FP_ENV))
FP_LANES(fp_vmul_lane_s, uint32_t, f32_mul(a[i], b[imm], FP_ENV))
FP_LANES(fp_vmla_d, uint64_t, f64_muladd(d[i], a[i], b[i], FP_ENV))
FP_LANES(fp_vmax_d, uint64_t, f64_max(a[i], b[i], FP_ENV))
FP_LANES(fp_vweird_s, uint32_t, (uint32_t)fake_mix(a[i], b[i]))

#define FP_VEC(function, host_op, form) \
    { #function, function, host_op, form, offsetof(FakeCpu, fpcr) }
static const IrFpVecHelper fp_vec_s[] = {
    FP_VEC(fp_vadd_s, IRFP_ADD, IRFV_LANES), FP_VEC(fp_vmul_lane_s, IRFP_MUL, IRFV_BY_LANE),
    FP_VEC(fp_vweird_s, IRFP_NONE, IRFV_LANES),
};
static const IrFpVecHelper fp_vec_d[] = {
    FP_VEC(fp_vadd_d, IRFP_ADD, IRFV_LANES), FP_VEC(fp_vmla_d, IRFP_MADD, IRFV_LANES),
    FP_VEC(fp_vmax_d, IRFP_MAX, IRFV_LANES),
};

/* Bits that are numbers more often than not. */
static inline uint64_t rng_double(Rng *r)
{
    static const double corners[] = { 0.0, -0.0, 1.0, -1.5, 3.0, 1e10, 0x1p-1022, 0x1p1023,
                                      0x1p-1074, __builtin_inf(), __builtin_nan("") };
    double value = corners[rng_below(r, ARRAY_SIZE(corners))];
    uint64_t bits;

    if (rng_percent(r, 10)) {
        return rng_next(r);
    }
    if (rng_percent(r, 60)) {
        value = (double)(int32_t)rng_next(r) / (1u << rng_below(r, 30));
    }
    if (rng_percent(r, 30)) {
        float single = (float)value;
        uint32_t low;

        memcpy(&low, &single, 4);
        return low;
    }
    memcpy(&bits, &value, 8);
    return bits;
}

#endif
