/*
 * The decoder generated from good.decode: fields, concatenation, groups.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <glib.h>

typedef struct DisasContext {
    const char *name;
    int field[3];
    bool refuse_first;
} DisasContext;

#include "decode-good.inc"

static bool trans_SIMPLE(DisasContext *s, arg_SIMPLE *a)
{
    *s = (DisasContext){ "SIMPLE", { a->imm, a->rn, a->rd } };
    return true;
}

static bool trans_CONCAT(DisasContext *s, arg_CONCAT *a)
{
    *s = (DisasContext){ "CONCAT", { a->v, a->mid } };
    return true;
}

static bool trans_NOFIELD(DisasContext *s, arg_NOFIELD *a)
{
    *s = (DisasContext){ "NOFIELD" };
    return true;
}

static bool trans_LOOSE(DisasContext *s, arg_LOOSE *a)
{
    *s = (DisasContext){ "LOOSE", { a->a, a->b } };
    return true;
}

static bool trans_FIRST(DisasContext *s, arg_FIRST *a)
{
    if (s->refuse_first) {
        return false;
    }
    *s = (DisasContext){ "FIRST", { a->x } };
    return true;
}

static bool trans_SECOND(DisasContext *s, arg_SECOND *a)
{
    *s = (DisasContext){ "SECOND", { a->y } };
    return true;
}

static bool trans_WIDE(DisasContext *s, arg_WIDE *a)
{
    *s = (DisasContext){ "WIDE", { a->w } };
    return true;
}

static void expect(uint32_t insn, bool refuse_first, const char *name, int f0, int f1, int f2)
{
    DisasContext s = { .refuse_first = refuse_first };

    g_assert_true(decode_good(&s, insn));
    g_assert_cmpstr(s.name, ==, name);
    g_assert_cmpint(s.field[0], ==, f0);
    g_assert_cmpint(s.field[1], ==, f1);
    g_assert_cmpint(s.field[2], ==, f2);
}

static void test_fields(void)
{
    expect(0x01fff083, false, "SIMPLE", -1, 2, 3);
    expect(0x017ff083, false, "SIMPLE", 0x7ff, 2, 3);
    /* v = 1000:0000000001, sign from the high part; mid = 2. */
    expect(0x02800801, false, "CONCAT", -8192 + 1, 2, 0);
    expect(0x02700801, false, "CONCAT", 7 * 1024 + 1, 2, 0);
    expect(0x03000000, false, "NOFIELD", 0, 0, 0);
    expect(0x80120034, false, "LOOSE", 0x12, 0x34, 0);
    expect(0xff12ff34, false, "LOOSE", 0x12, 0x34, 0);
    expect(0x1fffffff, false, "WIDE", -1, 0, 0);
}

static void test_groups(void)
{
    expect(0x04000005, false, "FIRST", 5, 0, 0);
    expect(0x04000005, true, "SECOND", 5, 0, 0);
    expect(0x04100005, false, "SECOND", 0x100005, 0, 0);
}

static void test_unallocated(void)
{
    DisasContext s = { 0 };

    g_assert_false(decode_good(&s, 0x03000001));
    g_assert_false(decode_good(&s, 0x00000000));
    g_assert_false(decode_good(&s, 0x20000000));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/decode/fields", test_fields);
    g_test_add_func("/decode/groups", test_groups);
    g_test_add_func("/decode/unallocated", test_unallocated);
    return g_test_run();
}
