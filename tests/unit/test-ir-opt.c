/*
 * The passes over the IR, each alone: text in, text out. The expected text is
 * what the pass may do and no more.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib.h>
#include "accel/tcg/ir-info.h"
#include "accel/tcg/opt/opt.h"

typedef struct Golden {
    const char *name;
    void (*pass)(IrUnit *u);
    const char *in;
    const char *out;
} Golden;

/* Both sides are written without their surroundings: one instruction, one jump. */
#define HEAD "insn.32 imm=0x1000\n"
#define TAIL "jmp.32 imm=0x1004\n"

static const Golden goldens[] = {
    /* ---- cse ---- */
    { "cse/same-sum", ir_opt_cse,
      "v1 = get.32 aux=0x3\n"
      "v2 = const.64 imm=0x8\n"
      "v3 = add.64 v1 v2\n"
      "v4 = const.64 imm=0x8\n"
      "v5 = add.64 v1 v4\n"
      "v6 = xor.64 v3 v5\n"
      "set.32 v6 aux=0x3\n",
      "v1 = get.32 aux=0x3\n"
      "v2 = const.64 imm=0x8\n"
      "v3 = add.64 v1 v2\n"
      "v6 = xor.64 v3 v3\n"
      "set.32 v6 aux=0x3\n" },
    /* Another width, another order, flags and loads are other things. */
    { "cse/not-the-same", ir_opt_cse,
      "v1 = get.32 aux=0x3\n"
      "v2 = get.32 aux=0x4\n"
      "v3 = ld.64 v1 aux=0x3\n"
      "v4 = ld.64 v1 aux=0x3\n"
      "v5 = sub.64 v1 v2\n"
      "v6 = sub.32 v1 v2\n"
      "v7 = sub.64 v2 v1\n"
      "v8 = sub.64.f v1 v2\n",
      "v1 = get.32 aux=0x3\n"
      "v2 = get.32 aux=0x4\n"
      "v3 = ld.64 v1 aux=0x3\n"
      "v4 = ld.64 v1 aux=0x3\n"
      "v5 = sub.64 v1 v2\n"
      "v6 = sub.32 v1 v2\n"
      "v7 = sub.64 v2 v1\n"
      "v8 = sub.64.f v1 v2\n" },
    /* ---- forward: slots ---- */
    { "forward/read-twice", ir_opt_forward,
      "v1 = get.32 aux=0x3\n"
      "v2 = get.32 aux=0x3\n"
      "v3 = add.64 v1 v2\n"
      "set.32 v3 aux=0x4\n",
      "v1 = get.32 aux=0x3\n"
      "v3 = add.64 v1 v1\n"
      "set.32 v3 aux=0x4\n" },
    { "forward/read-after-write", ir_opt_forward,
      "v1 = get.32 aux=0x3\n"
      "set.32 v1 aux=0x5\n"
      "v2 = get.32 aux=0x5\n"
      "v3 = not.64 v2\n"
      "set.32 v3 aux=0x3\n",
      "v1 = get.32 aux=0x3\n"
      "set.32 v1 aux=0x5\n"
      "v3 = not.64 v1\n"
      "set.32 v3 aux=0x3\n" },
    { "forward/write-back", ir_opt_forward,
      "v1 = get.32 aux=0x3\n"
      "set.32 v1 aux=0x3\n",
      "v1 = get.32 aux=0x3\n" },
    /* The first write stays: an exit or a fault in between would show it. */
    { "forward/two-writes", ir_opt_forward,
      "v1 = get.32 aux=0x3\n"
      "v2 = get.32 aux=0x4\n"
      "set.32 v1 aux=0x5\n"
      "set.32 v2 aux=0x5\n"
      "v3 = get.32 aux=0x5\n"
      "set.32 v3 aux=0x6\n",
      "v1 = get.32 aux=0x3\n"
      "v2 = get.32 aux=0x4\n"
      "set.32 v1 aux=0x5\n"
      "set.32 v2 aux=0x5\n"
      "set.32 v2 aux=0x6\n" },

    /* ---- fold: constants ---- */
    { "fold/constants", ir_opt_fold,
      "v1 = const.64 imm=0xfffffffffffffff0\n"
      "v2 = const.64 imm=0x20\n"
      "v3 = add.64 v1 v2\n"
      "v4 = add.32 v1 v2\n"
      "v5 = sub.32 v2 v1\n"
      "v6 = sar.64 v1 v2\n"
      "v7 = cmp.64 v1 v2 aux=0x2\n"
      "v8 = cmp.64 v1 v2 aux=0x4\n"
      "v9 = udiv.64 v1 v3\n"
      "v10 = extract.64 v1 aux=0x804\n",
      "v1 = const.64 imm=0xfffffffffffffff0\n"
      "v2 = const.64 imm=0x20\n"
      "v3 = const.64 imm=0x10\n"
      "v4 = const.64 imm=0x10\n"
      "v5 = const.64 imm=0x30\n"
      "v6 = const.64 imm=0xffffffffffffffff\n"
      "v7 = const.64\n"
      "v8 = const.64 imm=0x1\n"
      "v9 = const.64 imm=0xfffffffffffffff\n"
      "v10 = const.64 imm=0xff\n" },
    { "fold/division-by-zero", ir_opt_fold,
      "v1 = const.64 imm=0x7\n"
      "v2 = const.64\n"
      "v3 = udiv.64 v1 v2\n"
      "v4 = sdiv.32 v1 v2\n"
      "v5 = const.64 imm=0x80000000\n"
      "v6 = const.64 imm=0xffffffff\n"
      "v7 = sdiv.32 v5 v6\n",
      "v1 = const.64 imm=0x7\n"
      "v2 = const.64\n"
      "v3 = const.64\n"
      "v4 = const.64\n"
      "v5 = const.64 imm=0x80000000\n"
      "v6 = const.64 imm=0xffffffff\n"
      "v7 = const.64 imm=0x80000000\n" },
    { "fold/commute", ir_opt_fold,
      "v1 = get.32 aux=0x1\n"
      "v2 = const.64 imm=0x8\n"
      "v3 = add.64 v2 v1\n"
      "v4 = sub.64 v2 v1\n"
      "set.32 v3 aux=0x2\n",
      "v1 = get.32 aux=0x1\n"
      "v2 = const.64 imm=0x8\n"
      "v3 = add.64 v1 v2\n"
      "v4 = sub.64 v2 v1\n"
      "set.32 v3 aux=0x2\n" },
    { "fold/identities", ir_opt_fold,
      "v1 = get.32 aux=0x1\n"
      "v2 = const.64\n"
      "v3 = add.64 v1 v2\n"
      "v4 = or.64 v2 v3\n"
      "v5 = shl.64 v4 v2\n"
      "v6 = or.64 v5 v5\n"
      "v7 = const.64 imm=0x1\n"
      "v8 = mul.64 v6 v7\n"
      "set.32 v8 aux=0x2\n"
      "v9 = and.64 v1 v2\n"
      "set.32 v9 aux=0x3\n",
      "v1 = get.32 aux=0x1\n"
      "v2 = const.64\n"
      "v7 = const.64 imm=0x1\n"
      "set.32 v1 aux=0x2\n"
      "v9 = const.64\n"
      "set.32 v9 aux=0x3\n" },
    /* A 32-bit operation clears the upper half: "x + 0" is not x. */
    { "fold/narrow-identity", ir_opt_fold,
      "v1 = get.32 aux=0x1\n"
      "v2 = const.64\n"
      "v3 = add.32 v1 v2\n"
      "v4 = add.32 v3 v2\n"
      "set.32 v4 aux=0x2\n",
      "v1 = get.32 aux=0x1\n"
      "v2 = const.64\n"
      "v3 = zext.64 v1 aux=0x20\n"
      "set.32 v3 aux=0x2\n" },
    { "fold/zero-extended-already", ir_opt_fold,
      "v1 = get.32 aux=0x1\n"
      "v2 = ld.64 v1 aux=0x2\n"
      "v3 = zext.64 v2 aux=0x20\n"
      "v4 = ld.64 v1 aux=0x22\n"
      "v5 = zext.64 v4 aux=0x20\n"
      "set.32 v3 aux=0x2\n"
      "set.32 v5 aux=0x3\n",
      "v1 = get.32 aux=0x1\n"
      "v2 = ld.64 v1 aux=0x2\n"
      "v4 = ld.64 v1 aux=0x22\n"
      "v5 = zext.64 v4 aux=0x20\n"
      "set.32 v2 aux=0x2\n"
      "set.32 v5 aux=0x3\n" },
    /* Flags would be lost. */
    { "fold/flags-stay", ir_opt_fold,
      "v1 = const.64 imm=0x1\n"
      "v2 = const.64\n"
      "v3 = add.64.f v1 v2\n"
      "v4 = adc.64 v1 v2\n"
      "set.32 v3 aux=0x2\n"
      "set.32 v4 aux=0x3\n",
      "v1 = const.64 imm=0x1\n"
      "v2 = const.64\n"
      "v3 = add.64.f v1 v2\n"
      "v4 = adc.64 v1 v2\n"
      "set.32 v3 aux=0x2\n"
      "set.32 v4 aux=0x3\n" },

    /* ---- flags: liveness of NZCV ---- */
    { "flags/overwritten", ir_mark_flags,
      "v1 = get.32 aux=0x1\n"
      "v2 = add.64.f v1 v1\n"
      "v3 = sub.64.f v1 v2\n",
      "v1 = get.32 aux=0x1\n"
      "v2 = add.64.f.dead v1 v1\n"
      "v3 = sub.64.f v1 v2\n" },
    { "flags/read-in-host", ir_mark_flags,
      "v1 = get.32 aux=0x1\n"
      "v2 = sub.64.f v1 v1\n"
      "exit_cond.32 aux=0x1 imm=0x2000\n"
      "v3 = sub.64.f v2 v1\n",
      "v1 = get.32 aux=0x1\n"
      "v2 = sub.64.f v1 v1\n"
      "exit_cond.32 aux=0x1 imm=0x2000\n"
      "v3 = sub.64.f v2 v1\n" },
    /* A guest access may leave for the interpreter, which sees the flags. */
    { "flags/guest-access", ir_mark_flags,
      "v1 = get.32 aux=0x1\n"
      "v2 = sub.64.f v1 v1\n"
      "insn.32 imm=0x1004\n"
      "v3 = ld.64 v1 aux=0x3\n"
      "v4 = sub.64.f v2 v3\n",
      "v1 = get.32 aux=0x1\n"
      "v2 = sub.64.f.bail v1 v1\n"
      "insn.32 imm=0x1004\n"
      "v3 = ld.64 v1 aux=0x3\n"
      "v4 = sub.64.f v2 v3\n" },
    /* xor disturbs the host's flags before the select reads them. */
    { "flags/disturbed", ir_mark_flags,
      "v1 = get.32 aux=0x1\n"
      "v2 = sub.64.f v1 v1\n"
      "v3 = xor.64 v1 v2\n"
      "v4 = sel.64 v1 v3\n"
      "v5 = sub.64.f v4 v3\n",
      "v1 = get.32 aux=0x1\n"
      "v2 = sub.64.f.home v1 v1\n"
      "v3 = xor.64 v1 v2\n"
      "v4 = sel.64 v1 v3\n"
      "v5 = sub.64.f v4 v3\n" },
    { "flags/marks-renewed", ir_mark_flags,
      "v1 = get.32 aux=0x1\n"
      "v2 = sub.64.f.dead v1 v1\n",
      "v1 = get.32 aux=0x1\n"
      "v2 = sub.64.f v1 v1\n" },

    /* ---- dead: dead code ---- */
    { "dead/unused", ir_opt_dead,
      "v1 = get.32 aux=0x1\n"
      "v2 = get.32 aux=0x2\n"
      "v3 = add.64 v1 v2\n"
      "v4 = mul.64 v3 v1\n"
      "set.32 v3 aux=0x3\n",
      "v1 = get.32 aux=0x1\n"
      "v2 = get.32 aux=0x2\n"
      "v3 = add.64 v1 v2\n"
      "set.32 v3 aux=0x3\n" },
    { "dead/chain", ir_opt_dead,
      "v1 = get.32 aux=0x1\n"
      "v2 = not.64 v1\n"
      "v3 = neg.64 v2\n",
      "" },
    /* Guest accesses fault, so they are never removed. */
    { "dead/load-stays", ir_opt_dead,
      "v1 = get.32 aux=0x1\n"
      "v2 = ld.64 v1 aux=0x3\n"
      "v3, v4 = ld2.64 v1 aux=0x3\n",
      "v1 = get.32 aux=0x1\n"
      "v2 = ld.64 v1 aux=0x3\n"
      "v3, v4 = ld2.64 v1 aux=0x3\n" },
    { "dead/flags", ir_opt_dead,
      "v1 = get.32 aux=0x1\n"
      "v2 = add.64.f.dead v1 v1\n"
      "v3 = add.64.f.dead v1 v1\n"
      "v4 = sub.64.f v1 v1\n"
      "ccmp.64.f.dead v1 v1 aux=0x401\n"
      "set.32 v3 aux=0x1\n",
      "v1 = get.32 aux=0x1\n"
      "v3 = add.64 v1 v1\n"
      "v4 = sub.64.f v1 v1\n"
      "set.32 v3 aux=0x1\n" },

    /* ---- the pipeline ---- */
    { "pipeline", ir_optimize,
      "v1 = get.32 aux=0x1\n"
      "v2 = const.64 imm=0x10\n"
      "v3 = add.64 v2 v1\n"
      "set.32 v3 aux=0x1\n"
      "insn.32 imm=0x1004\n"
      "v4 = get.32 aux=0x1\n"
      "v5 = const.64\n"
      "v6 = or.64 v4 v5\n"
      "v7 = add.64.f v6 v6\n"
      "v8 = sub.64.f v6 v3\n"
      "exit_cond.32 imm=0x2000\n",
      "v1 = get.32 aux=0x1\n"
      "v2 = const.64 imm=0x10\n"
      "v3 = add.64 v1 v2\n"
      "set.32 v3 aux=0x1\n"
      "insn.32 imm=0x1004\n"
      "v8 = sub.64.f v3 v3\n"
      "exit_cond.32 imm=0x2000\n" },
};

static char *print_unit(const IrUnit *u)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    ir_print(u, out);
    fclose(out);
    return text;
}

static void test_golden(gconstpointer opaque)
{
    const Golden *g = opaque;
    g_autofree char *in = g_strconcat(HEAD, g->in, TAIL, NULL);
    g_autofree char *want = g_strconcat(HEAD, g->out, TAIL, NULL);
    g_autofree char *got = NULL;
    IrUnit *u = ir_parse(in, NULL);

    g_assert_nonnull(u);
    g_assert_cmpstr(ir_verify(u, NULL), ==, NULL);
    g->pass(u);
    g_assert_cmpstr(ir_verify(u, NULL), ==, NULL);
    got = print_unit(u);
    g_assert_cmpstr(got, ==, want);
    ir_unit_free(u);
}

/* ---- calls: these have no text form to read ---- */

static const IrHelper sync_helper = { .name = "sync", .flags = IR_HELPER_SYNC | IR_HELPER_VOID };
static const IrHelper pure_helper = { .name = "pure", .num_args = 1, .flags = IR_HELPER_PURE };
static const IrHelper plain_helper = { .name = "plain", .num_args = 1 };

static unsigned count_op(const IrUnit *u, unsigned op)
{
    unsigned count = 0;

    for (unsigned n = 0; n < u->num_insns; n++) {
        count += u->insns[n].op == op;
    }
    return count;
}

/* After a sync helper nothing is known about slots. */
static void test_forward_sync(void)
{
    IrUnit *u = ir_unit_new();
    IrVal v;

    ir_unit_reset(u, 0x1000);
    ir_insn(u, 0x1000, 4, 0);
    v = ir_get(u, 3);
    ir_set(u, 4, v);
    ir_call(u, &sync_helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    ir_insn(u, 0x1004, 4, 0);
    ir_set(u, 5, ir_get(u, 3));
    ir_jmp(u, 0x1008);
    ir_opt_forward(u);
    g_assert_null(ir_verify(u, NULL));
    g_assert_cmpuint(count_op(u, IR_get), ==, 2);
    ir_unit_free(u);
}

static void test_flags_sync(void)
{
    IrUnit *u = ir_unit_new();

    ir_unit_reset(u, 0x1000);
    ir_insn(u, 0x1000, 4, 0);
    ir_adds(u, W64, ir_get(u, 0), ir_get(u, 1));
    ir_insn(u, 0x1004, 4, 0);
    ir_call(u, &sync_helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    ir_exit_main_helper(u);
    ir_mark_flags(u);
    for (unsigned n = 0; n < u->num_insns; n++) {
        if (u->insns[n].op == IR_add) {
            g_assert_cmphex(u->insns[n].flags, ==, IRF_W64 | IRF_SETS_NZCV | IRF_NZCV_HOME);
        }
    }
    ir_unit_free(u);
}

/* Only pure calls are removed when nobody wants the result. */
static void test_dead_calls(void)
{
    IrUnit *u = ir_unit_new();
    IrVal v;

    ir_unit_reset(u, 0x1000);
    ir_insn(u, 0x1000, 4, 0);
    v = ir_get(u, 0);
    ir_call(u, &pure_helper, v, IR_NONE, IR_NONE, IR_NONE);
    ir_call(u, &plain_helper, v, IR_NONE, IR_NONE, IR_NONE);
    ir_jmp(u, 0x1004);
    ir_opt_dead(u);
    g_assert_null(ir_verify(u, NULL));
    g_assert_cmpuint(count_op(u, IR_call), ==, 1);
    g_assert_cmpuint(count_op(u, IR_get), ==, 1);
    for (unsigned n = 0; n < u->num_insns; n++) {
        if (u->insns[n].op == IR_call) {
            g_assert_true(ir_insn_helper(&u->insns[n]) == &plain_helper);
        }
    }
    ir_unit_free(u);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned n = 0; n < ARRAY_SIZE(goldens); n++) {
        g_autofree char *path = g_strdup_printf("/ir-opt/%s", goldens[n].name);

        g_test_add_data_func(path, &goldens[n], test_golden);
    }
    g_test_add_func("/ir-opt/forward/sync-helper", test_forward_sync);
    g_test_add_func("/ir-opt/flags/sync-helper", test_flags_sync);
    g_test_add_func("/ir-opt/dead/calls", test_dead_calls);
    return g_test_run();
}
