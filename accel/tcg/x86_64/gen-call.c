/*
 * Calls of C helpers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/x86_64/gen.h"

/*
 * Load the arguments into RSI, RDX, RCX, R8. Sources are never RDX or RCX; only
 * RSI and R8 can be a source and a target.
 */
static void load_args(Gen *g, const IrInsn *i, unsigned num_args)
{
    bool crossed = num_args == 4 && g->val[i->arg[3]].reg == RSI;

    if (num_args > 1) {
        gen_load_into(g, RDX, i->arg[1]);
    }
    if (num_args > 2) {
        gen_load_into(g, RCX, i->arg[2]);
    }
    if (crossed && g->val[i->arg[0]].reg == R8) {
        asm_op_rr(&g->a, true, 0, 0x87, RSI, R8);   /* XCHG */
        return;
    }
    if (crossed) {
        gen_load_into(g, R8, i->arg[3]);
    }
    if (num_args > 0) {
        gen_load_into(g, RSI, i->arg[0]);
    }
    if (num_args == 4 && !crossed) {
        gen_load_into(g, R8, i->arg[3]);
    }
}

static void result(Gen *g, const IrInsn *i)
{
    if (i->dst && g->val[i->dst].next_use != NEVER) {
        asm_mov_rr(&g->a, true, gen_def(g, i->dst), RAX);
    }
}

static void gen_sync_call(Gen *g, const IrInsn *i, const IrHelper *h)
{
    Asm *a = &g->a;
    unsigned left_after = g->u->num_guest_insns - g->insn_index;
    Cold cold = { .kind = COLD_SYNC_EXIT, .refund = left_after - 1 };

    assert(g->flags_home);
    gen_sync_state(g);
    load_args(g, i, h->num_args);
    gen_drop_caller_saved(g);
    gen_xmm_forget_all(g);
    gen_address(g, RAX, g->insn_pc);
    asm_store(a, true, RAX, RBP, offsetof(Vcpu, pc));
    asm_lea(a, true, RAX, R15, left_after);
    asm_store(a, true, RAX, RBP, offsetof(Vcpu, left));
    if (g->insn_word) {
        gen_store_word(g, g->insn_word);
        g->word_stored = true;
    }
    asm_mov_rr(a, true, RDI, RBP);
    asm_call_abs(a, (const void *)h->fn);
    asm_load(a, true, R14, RBP, offsetof(Vcpu, tlb));
    asm_op_rm(a, false, 0, 0x83, 7, RBP, offsetof(Vcpu, exit_request));   /* CMP dword, 0 */
    asm_u8(a, 0);
    cold.jump = asm_jcc(a, CC_NE);
    g_array_append_val(g->cold, cold);
    result(g, i);
    gen_flags_clobbered(g);
    g->flags_home = true;
}

void gen_call(Gen *g, const IrInsn *i)
{
    const IrHelper *h = ir_insn_helper(i);

    if (h->flags & IR_HELPER_SYNC) {
        gen_sync_call(g, i, h);
        return;
    }
    gen_save_for_call(g);
    load_args(g, i, h->num_args);
    gen_drop_caller_saved(g);
    gen_xmm_forget_all(g);
    asm_mov_rr(&g->a, true, RDI, RBP);
    asm_call_abs(&g->a, (const void *)h->fn);
    result(g, i);
    gen_flags_clobbered(g);
}
