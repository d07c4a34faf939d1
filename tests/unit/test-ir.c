/*
 * The IR's text form and its verifier: what ir_print() writes, ir_parse() reads
 * back; every rule of ir.h that the verifier knows has a unit that breaks it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib.h>
#include "accel/tcg/ir-info.h"

static char *print_unit(const IrUnit *u)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    ir_print(u, out);
    fclose(out);
    return text;
}

/* ---- text form ---- */

static void test_round_trip(void)
{
    static const char text[] =
        "insn.32 imm=0x40001000\n"
        "v1 = get.32 aux=0x3\n"
        "v2 = const.64 imm=0xffffffff80000000\n"
        "v3, v4 = ld2.32 v1 aux=0x43\n"
        "v5 = add.64.f v3 v2\n"
        "v6 = sub.32.f.home v5 v4\n"
        "v7 = and.64.f.dead v6 v2\n"
        "v8 = extract.64 v7 aux=0x804\n"
        "set.32 v8 aux=0x1e\n"
        "exit_cond.32 aux=0xb imm=0x40002000\n"
        "exit_bit.32 v8 aux=0x105 imm=0x40003000\n"
        "jmp_ind.32 v8\n";
    unsigned line = 0;
    IrUnit *u = ir_parse(text, &line);
    g_autofree char *printed = NULL;

    g_assert_nonnull(u);
    g_assert_cmpuint(u->num_insns, ==, 12);
    g_assert_cmpuint(u->num_values, ==, 8);
    g_assert_cmpuint(u->num_guest_insns, ==, 1);
    g_assert_true(u->is_const[2]);
    g_assert_cmphex(u->const_of[2], ==, 0xffffffff80000000);
    g_assert_false(u->is_const[5]);
    printed = print_unit(u);
    g_assert_cmpstr(printed, ==, text);
    ir_unit_free(u);
}

static void test_comments(void)
{
    IrUnit *u = ir_parse("# one\n\n   insn.32 imm=0x10  \n  # two\njmp.32 imm=0x14\n", NULL);
    g_autofree char *printed = NULL;

    g_assert_nonnull(u);
    printed = print_unit(u);
    g_assert_cmpstr(printed, ==, "insn.32 imm=0x10\njmp.32 imm=0x14\n");
    ir_unit_free(u);
}

/* What a builder made and printed is read back as the same unit. */
static void test_builder(void)
{
    IrUnit *u = ir_unit_new(), *again;
    g_autofree char *first = NULL, *second = NULL;
    IrVal x, y, lo, hi;

    ir_unit_reset(u, 0x1000);
    ir_insn(u, 0x1000, 4, 0);
    x = ir_get(u, 0);
    y = ir_const(u, 24);
    ir_ld2(u, MEM_64 | MEM_ALIGNED, ir_add(u, W64, x, y), &lo, &hi);
    ir_set(u, 1, lo);
    ir_set(u, 2, hi);
    ir_insn(u, 0x1004, 2, 0x89abcdef);
    u->exit_state = 0x10042;
    ir_subs(u, W32, lo, hi);
    ir_exit_cond(u, COND_HI, 0x2000);
    ir_jmp(u, 0x1006);
    g_assert_null(ir_verify(u, NULL));
    first = print_unit(u);
    again = ir_parse(first, NULL);
    g_assert_nonnull(again);
    second = print_unit(again);
    g_assert_cmpstr(first, ==, second);
    g_assert_nonnull(strstr(first, "insn.64 aux=0x2 imm=0x1004 word=0x89abcdef\n"));
    g_assert_nonnull(strstr(first, "exit_cond.64 aux=0x8 imm=0x2000 word=0x10042\n"));
    g_assert_nonnull(strstr(first, "jmp.64 imm=0x1006 word=0x10042\n"));
    g_assert_cmpuint(again->num_guest_insns, ==, 2);
    g_assert_null(ir_verify(again, NULL));
    ir_unit_free(again);
    ir_unit_free(u);
}

static void test_syntax_errors(void)
{
    static const struct { const char *text; unsigned line; } bad[] = {
        { "insn.32\nfrobnicate.32 v1\n", 2 },
        { "insn.33\n", 1 },
        { "insn.32.x\n", 1 },
        { "insn.32\n\nv0 = const.64\n", 3 },
        { "v99999 = const.64\n", 1 },
        { "v1 = const.64 imm=ten\n", 1 },
        { "v1 = const.64 imm=0x10000000000000000\n", 1 },
        { "v1 = get.64 aux=0x10000\n", 1 },
        { "st.32 v1 v2 v3 v4 v5\n", 1 },
        { "v1 = add.64 v2 3\n", 1 },
        { "v1, = ld2.64 v1\n", 1 },
        { "insn.32 word=0x100000000\n", 1 },
        { "v1 = get.64 word=0x1\n", 1 },
        /* Helpers have no names to look up: their text is for people. */
        { "call.32 @raise\n", 1 },
    };

    for (unsigned n = 0; n < ARRAY_SIZE(bad); n++) {
        unsigned line = 0;

        g_test_message("%s", bad[n].text);
        g_assert_null(ir_parse(bad[n].text, &line));
        g_assert_cmpuint(line, ==, bad[n].line);
    }
}

/* ---- verifier ---- */

typedef struct BadUnit {
    const char *text;
    const char *what;
    unsigned index;
} BadUnit;

static const BadUnit bad_units[] = {
    { "", "the unit is empty", 0 },
    { "jmp.32 imm=0x1000", "an instruction stands before the first guest instruction", 0 },
    { "insn.32\nv1 = get.64", "the last instruction is not a final exit", 1 },
    { "insn.32\njmp.32\njmp.32", "a final exit stands before the end", 1 },
    { "insn.32\nset.64 v1\nv1 = get.64\njmp.32", "a value is used before its definition", 1 },
    { "insn.32\nv1 = get.64\nv1 = get.64 aux=1\njmp.32", "a value is defined twice", 2 },
    { "insn.32\nv1 = get.64\nv2, v1 = ld2.64 v1 aux=3\njmp.32", "a value is defined twice", 2 },
    { "insn.32\nv1 = get.64\nv2 = add.64 v1\njmp.32", "an argument is missing", 2 },
    { "insn.32\nv1 = get.64\nst.64 v1 aux=3\njmp.32", "an argument is missing", 2 },
    { "insn.32\nv1 = get.64\nset.64 v1 aux=2\nv2 = ld.64 v1 aux=3\njmp.32",
      "a guest access follows a change of state in one guest instruction", 3 },
    { "insn.32\nv1 = get.64\nv2 = add.64.f v1 v1\nst.64 v1 v2 aux=3\njmp.32",
      "a guest access follows a change of state in one guest instruction", 3 },
    { "insn.32\nv1 = get.64\nst_env.32 v1 aux=4 imm=0x100\nst.64 v1 v1 aux=3\njmp.32",
      "a guest access follows a change of state in one guest instruction", 3 },
};

static void test_verify_bad(void)
{
    for (unsigned n = 0; n < ARRAY_SIZE(bad_units); n++) {
        IrUnit *u = ir_parse(bad_units[n].text, NULL);
        unsigned index = 12345;

        g_test_message("%s", bad_units[n].text);
        g_assert_nonnull(u);
        g_assert_cmpstr(ir_verify(u, &index), ==, bad_units[n].what);
        g_assert_cmpuint(index, ==, bad_units[n].index);
        ir_unit_free(u);
    }
}

static void test_verify_values(void)
{
    IrUnit *u = ir_parse("insn.32\nv1 = get.64\nv2 = add.64 v1 v1\njmp.32", NULL);

    g_assert_null(ir_verify(u, NULL));
    u->insns[2].arg[1] = 3;
    g_assert_cmpstr(ir_verify(u, NULL), ==, "a value id is out of range");
    u->insns[2].arg[1] = 1;
    u->insns[2].dst = 3;
    g_assert_cmpstr(ir_verify(u, NULL), ==, "a result id is out of range");
    u->insns[2].dst = 2;
    u->num_guest_insns = 2;
    g_assert_cmpstr(ir_verify(u, NULL), ==, "the count of guest instructions is wrong");
    u->num_guest_insns = 1;
    u->insns[2].op = IR_NUM_OPS;
    g_assert_cmpstr(ir_verify(u, NULL), ==, "unknown opcode");
    ir_unit_free(u);
}

/* The change of state belongs to its guest instruction: the next may access memory. */
static void test_verify_good(void)
{
    static const char *const good[] = {
        "insn.32\nv1 = get.64\nset.64 v1 aux=2\ninsn.32\nv2 = ld.64 v1 aux=3\njmp.32",
        "insn.32\nv1 = get.64\nv2 = stx.64 v1 v1 aux=3\nset.64 v2 aux=1\nexit_main.32",
        /* Vector loads may precede each other (LD1 of several registers). */
        "insn.32\nv1 = get.64\nld_vec.32 v1 aux=4 imm=0x100\nld_vec.32 v1 aux=4 imm=0x110\njmp.32",
    };

    for (unsigned n = 0; n < ARRAY_SIZE(good); n++) {
        IrUnit *u = ir_parse(good[n], NULL);

        g_assert_nonnull(u);
        g_assert_null(ir_verify(u, NULL));
        ir_unit_free(u);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ir/text/round-trip", test_round_trip);
    g_test_add_func("/ir/text/comments", test_comments);
    g_test_add_func("/ir/text/builder", test_builder);
    g_test_add_func("/ir/text/syntax-errors", test_syntax_errors);
    g_test_add_func("/ir/verify/bad", test_verify_bad);
    g_test_add_func("/ir/verify/values", test_verify_values);
    g_test_add_func("/ir/verify/good", test_verify_good);
    return g_test_run();
}
