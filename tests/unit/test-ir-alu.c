/*
 * What the IR's arithmetic means, against values worked out by hand from the
 * Arm ARM's pseudocode (AddWithCarry, ConditionHolds, SDIV, EXTR, ...).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib.h>
#include "accel/tcg/interp/alu.h"

#define N (1u << 31)
#define Z (1u << 30)
#define C (1u << 29)
#define V (1u << 28)
#define W IRF_W64
#define S IRF_SETS_NZCV

typedef struct AluCase {
    uint8_t op, flags;
    uint16_t aux;
    uint64_t x, y, z;
    uint32_t nzcv;
    uint64_t result;
    uint32_t nzcv_after;
} AluCase;

static const AluCase with_flags[] = {
    /* ADDS */
    { IR_add, W | S, 0, 1, 2, 0, N, 3, 0 },
    { IR_add, W | S, 0, INT64_MAX, 1, 0, 0, 0x8000000000000000, N | V },
    { IR_add, W | S, 0, UINT64_MAX, 1, 0, 0, 0, Z | C },
    { IR_add, W | S, 0, 0x8000000000000000, 0x8000000000000000, 0, 0, 0, Z | C | V },
    { IR_add, S, 0, 0x7fffffff, 1, 0, 0, 0x80000000, N | V },
    { IR_add, S, 0, 0x1ffffffff, 1, 0, 0, 0, Z | C },
    { IR_add, S, 0, 0xdead00000001, 0xbeef00000002, 0, 0, 3, 0 },
    { IR_add, W, 0, UINT64_MAX, 1, 0, V, 0, V },
    /* SUBS: carry is "no borrow" */
    { IR_sub, W | S, 0, 5, 5, 0, 0, 0, Z | C },
    { IR_sub, W | S, 0, 4, 5, 0, 0, UINT64_MAX, N },
    { IR_sub, W | S, 0, 0, 0, 0, 0, 0, Z | C },
    { IR_sub, W | S, 0, 0x8000000000000000, 1, 0, 0, INT64_MAX, C | V },
    { IR_sub, S, 0, 0x80000000, 1, 0, 0, 0x7fffffff, C | V },
    { IR_sub, S, 0, 0, 0x80000000, 0, 0, 0x80000000, N | V },
    { IR_sub, S, 0, 0x100000000, 1, 0, 0, 0xffffffff, N },
    /* ANDS, BICS: C and V are cleared */
    { IR_and, W | S, 0, 0xf0, 0x0f, 0, C | V, 0, Z },
    { IR_and, S, 0, 0xffffffff80000000, UINT64_MAX, 0, C, 0x80000000, N },
    { IR_andc, W | S, 0, UINT64_MAX, 0x7fffffffffffffff, 0, V, 0x8000000000000000, N },
    { IR_andc, S, 0, 0xff, 0xff, 0, 0, 0, Z },
    /* ADCS, SBCS */
    { IR_adc, W | S, 0, UINT64_MAX, 0, 0, C, 0, Z | C },
    { IR_adc, W | S, 0, UINT64_MAX, 0, 0, 0, UINT64_MAX, N },
    { IR_adc, W | S, 0, INT64_MAX, 0, 0, C, 0x8000000000000000, N | V },
    { IR_adc, W, 0, 1, 1, 0, C | V, 3, C | V },
    { IR_sbc, W | S, 0, 5, 5, 0, 0, UINT64_MAX, N },
    { IR_sbc, W | S, 0, 5, 5, 0, C, 0, Z | C },
    { IR_sbc, S, 0, 0, 0xffffffff, 0, 0, 0, Z },
    { IR_sbc, S, 0, 0x80000000, 0, 0, 0, 0x7fffffff, C | V },
    /* CCMP, CCMN: condition in the low byte, the flags otherwise above it */
    { IR_ccmp, W | S, COND_EQ | 0x4 << 8, 7, 7, 0, Z, 0, Z | C },
    { IR_ccmp, W | S, COND_EQ | 0xa << 8, 7, 7, 0, 0, 0, N | C },
    { IR_ccmp, S, COND_AL, 0, 1, 0, 0, 0, N },
    { IR_ccmn, W | S, COND_NE | 0, UINT64_MAX, 1, 0, 0, 0, Z | C },
    { IR_ccmn, S, COND_CS | 0xf << 8, 1, 1, 0, Z, 0, N | Z | C | V },
    { IR_get_nzcv, 0, 0, 0, 0, 0, N | C, N | C, N | C },
    { IR_set_nzcv, S, 0, 0xffffffff5fffffff, 0, 0, 0, 0, Z | V },
};

static const AluCase without_flags[] = {
    { IR_or, W, 0, 0xf0, 0x0f, 0, 0, 0xff, 0 },
    { IR_xor, 0, 0, 0xffff0000ffff, 0xff, 0, 0, 0xff00, 0 },
    /* Shift amounts are taken modulo the width. */
    { IR_shl, W, 0, 1, 63, 0, 0, 0x8000000000000000, 0 },
    { IR_shl, W, 0, 1, 64, 0, 0, 1, 0 },
    { IR_shl, 0, 0, 1, 33, 0, 0, 2, 0 },
    { IR_shr, W, 0, 0x8000000000000000, 63, 0, 0, 1, 0 },
    { IR_shr, 0, 0, 0xff80000000, 31, 0, 0, 1, 0 },
    { IR_sar, W, 0, 0x8000000000000000, 60, 0, 0, 0xfffffffffffffff8, 0 },
    { IR_sar, 0, 0, 0x80000000, 28, 0, 0, 0xfffffff8, 0 },
    { IR_sar, 0, 0, 0x7fffffff, 28, 0, 0, 7, 0 },
    { IR_ror, W, 0, 0x123456789abcdef0, 4, 0, 0, 0x0123456789abcdef, 0 },
    { IR_ror, 0, 0, 0x12345678, 8, 0, 0, 0x78123456, 0 },
    { IR_ror, W, 0, 5, 0, 0, 0, 5, 0 },
    { IR_mul, W, 0, 0x100000001, 0x100000001, 0, 0, 0x200000001, 0 },
    { IR_mul, 0, 0, 0x10001, 0x10001, 0, 0, 0x20001, 0 },
    { IR_umulh, W, 0, UINT64_MAX, UINT64_MAX, 0, 0, UINT64_MAX - 1, 0 },
    { IR_smulh, W, 0, UINT64_MAX, UINT64_MAX, 0, 0, 0, 0 },
    { IR_smulh, W, 0, 0x8000000000000000, 2, 0, 0, UINT64_MAX, 0 },
    { IR_udiv, W, 0, 7, 2, 0, 0, 3, 0 },
    { IR_udiv, W, 0, 7, 0, 0, 0, 0, 0 },
    { IR_udiv, 0, 0, 0x1fffffffe, 2, 0, 0, 0x7fffffff, 0 },
    { IR_sdiv, W, 0, (uint64_t)-7, 2, 0, 0, (uint64_t)-3, 0 },
    { IR_sdiv, W, 0, 0x8000000000000000, UINT64_MAX, 0, 0, 0x8000000000000000, 0 },
    { IR_sdiv, 0, 0, 0x80000000, 0xffffffff, 0, 0, 0x80000000, 0 },
    { IR_sdiv, 0, 0, 0xfffffff9, 2, 0, 0, 0xfffffffd, 0 },
    { IR_sdiv, 0, 0, 5, 0, 0, 0, 0, 0 },
    { IR_extr, W, 8, 0x11, 0x2200, 0, 0, 0x1100000000000022, 0 },
    { IR_extr, W, 0, 0x11, 0x22, 0, 0, 0x22, 0 },
    { IR_extr, 0, 16, 0xaaaa1234, 0x5678bbbb, 0, 0, 0x12345678, 0 },
    { IR_not, W, 0, 0, 0, 0, 0, UINT64_MAX, 0 },
    { IR_not, 0, 0, 0, 0, 0, 0, UINT32_MAX, 0 },
    { IR_neg, 0, 0, 1, 0, 0, 0, UINT32_MAX, 0 },
    { IR_clz, W, 0, 0, 0, 0, 0, 64, 0 },
    { IR_clz, W, 0, 1, 0, 0, 0, 63, 0 },
    { IR_clz, 0, 0, 0, 0, 0, 0, 32, 0 },
    { IR_clz, 0, 0, 0xff00000001, 0, 0, 0, 31, 0 },
    { IR_rbit, W, 0, 1, 0, 0, 0, 0x8000000000000000, 0 },
    { IR_rbit, 0, 0, 0x12345678, 0, 0, 0, 0x1e6a2c48, 0 },
    { IR_bswap, W, 0, 0x0102030405060708, 0, 0, 0, 0x0807060504030201, 0 },
    { IR_bswap, 0, 0, 0x0102030405060708, 0, 0, 0, 0x08070605, 0 },
    { IR_zext, W, 8, 0x1ff, 0, 0, 0, 0xff, 0 },
    { IR_sext, W, 8, 0x80, 0, 0, 0, 0xffffffffffffff80, 0 },
    { IR_sext, 0, 16, 0x8000, 0, 0, 0, 0xffff8000, 0 },
    { IR_sext, W, 32, 0x80000000, 0, 0, 0, 0xffffffff80000000, 0 },
    { IR_extract, W, 4 | 8 << 8, 0x12345, 0, 0, 0, 0x34, 0 },
    { IR_sextract, W, 4 | 8 << 8, 0x0f80, 0, 0, 0, 0xfffffffffffffff8, 0 },
    { IR_sextract, 0, 4 | 8 << 8, 0x0f80, 0, 0, 0, 0xfffffff8, 0 },
    { IR_deposit, W, 8 | 8 << 8, UINT64_MAX, 0x12, 0, 0, 0xffffffffffff12ff, 0 },
    { IR_deposit, 0, 8 | 8 << 8, UINT64_MAX, 0xa12, 0, 0, 0xffff12ff, 0 },
    { IR_sel, W, COND_EQ, 1, 2, 0, Z, 1, 0 },
    { IR_sel, 0, COND_NE, 1, 0xf00000002, 0, Z, 2, 0 },
    { IR_cmp, W, CMP_EQ, 3, 3, 0, 0, 1, 0 },
    { IR_cmp, 0, CMP_EQ, 0x100000003, 3, 0, 0, 1, 0 },
    { IR_cmp, W, CMP_LTU, 1, UINT64_MAX, 0, 0, 1, 0 },
    { IR_cmp, W, CMP_LTS, 1, UINT64_MAX, 0, 0, 0, 0 },
    { IR_cmp, 0, CMP_LTS, 0x80000000, 0, 0, 0, 1, 0 },
    { IR_cmp, W, CMP_GEU, 1, 1, 0, 0, 1, 0 },
    { IR_cmp, W, CMP_GES, UINT64_MAX, 0, 0, 0, 0, 0 },
    { IR_cmp, W, CMP_LEU, 2, 1, 0, 0, 0, 0 },
    { IR_cmp, W, CMP_GTU, 2, 1, 0, 0, 1, 0 },
    { IR_cmp, W, CMP_LES, UINT64_MAX, 0, 0, 0, 1, 0 },
    { IR_cmp, W, CMP_GTS, UINT64_MAX, 0, 0, 0, 0, 0 },
    { IR_cmp, W, CMP_NE, 2, 1, 0, 0, 1, 0 },
    { IR_selnz, W, 0, 1, 0x1111, 0x2222, 0, 0x1111, 0 },
    { IR_selnz, W, 0, 0, 0x1111, 0xffffffff22222222, 0, 0xffffffff22222222, 0 },
    /* c is compared at 64 bits whatever the width. */
    { IR_selnz, 0, 0, 0x100000000, 1, 2, 0, 1, 0 },
};

static void check_cases(const AluCase *cases, size_t num, bool flags)
{
    for (size_t n = 0; n < num; n++) {
        const AluCase *c = &cases[n];
        IrInsn i = { .op = c->op, .flags = c->flags, .aux = c->aux };
        uint32_t nzcv = c->nzcv;

        g_test_message("case %zu: %s", n, ir_op_name(c->op));
        g_assert_cmphex(alu_eval(&i, c->x, c->y, c->z, &nzcv), ==, c->result);
        g_assert_cmphex(nzcv, ==, flags ? c->nzcv_after : c->nzcv);
    }
}

static void test_with_flags(void)
{
    check_cases(with_flags, ARRAY_SIZE(with_flags), true);
}

static void test_without_flags(void)
{
    check_cases(without_flags, ARRAY_SIZE(without_flags), false);
}

/* DDI 0487 C1.2.4, the table of condition codes, for every value of NZCV. */
static void test_conditions(void)
{
    for (uint32_t f = 0; f < 16; f++) {
        uint32_t nzcv = f << 28;
        bool n = f & 8, z = f & 4, c = f & 2, v = f & 1;
        const bool holds[] = {
            z, !z, c, !c, n, !n, v, !v, c && !z, !c || z, n == v, n != v,
            !z && n == v, z || n != v, true, true,
        };

        for (unsigned cond = 0; cond < 16; cond++) {
            g_assert_cmpint(alu_cond_holds(nzcv, cond), ==, holds[cond]);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ir-alu/with-flags", test_with_flags);
    g_test_add_func("/ir-alu/without-flags", test_without_flags);
    g_test_add_func("/ir-alu/conditions", test_conditions);
    return g_test_run();
}
