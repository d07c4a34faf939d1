/*
 * Entering and leaving a unit: the budget check, side exits, the final exit and
 * the cold code behind the unit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/x86_64/gen.h"

static bool same_page(uint64_t x, uint64_t y)
{
    return ((x ^ y) >> PAGE_BITS) == 0;
}

static void refund(Gen *g, unsigned insns)
{
    if (insns) {
        asm_alu_ri(&g->a, true, ALU_ADD, R15, insns);
    }
}

static void leave(Gen *g, uint64_t kind)
{
    asm_mov_ri(&g->a, RAX, kind);
    asm_jmp_to(&g->a, gen_stubs(g->t)->leave);
}

void gen_address(Gen *g, HostReg reg, uint64_t address)
{
    int64_t offset = (int64_t)(address - (g->u->pc & ~(uint64_t)(PAGE_SIZE - 1)));

    asm_load(&g->a, true, reg, RBP, offsetof(Vcpu, code_page));
    if (offset == (int32_t)offset) {
        asm_lea(&g->a, true, reg, reg, (int32_t)offset);
    } else {
        asm_mov_ri(&g->a, RAX, (uint64_t)offset);
        asm_lea_x(&g->a, true, reg, reg, RAX);
    }
}

void gen_store_word(Gen *g, uint32_t word)
{
    asm_op_rm(&g->a, false, 0, 0xc7, 0, RBP, offsetof(Vcpu, insn_word));
    asm_u32(&g->a, word);
}

/* Where to go on when generated code is left. */
static void store_state(Gen *g, uint32_t state)
{
    if (state) {
        gen_store_word(g, state);
    }
}

static void store_pc(Gen *g, uint64_t pc, uint32_t state)
{
    gen_address(g, RCX, pc);
    asm_store(&g->a, true, RCX, RBP, offsetof(Vcpu, pc));
    store_state(g, state);
}

/* RCX = target: through the jump cache, which holds units without state, or out to look it up. */
static void go_indirect(Gen *g, uint32_t state)
{
    Asm *a = &g->a;
    uint8_t *miss = NULL;

    if (g->link && !state) {
        asm_mov_rr(a, false, RAX, RCX);
        asm_shift_i(a, false, SHIFT_SHL, RAX, 2);
        asm_alu_rm(a, false, ALU_AND, RAX, RBP, offsetof(Vcpu, jump_mask));
        asm_alu_rm(a, true, ALU_ADD, RAX, RBP, offsetof(Vcpu, jump_entries));
        asm_alu_rm(a, true, ALU_CMP, RCX, RAX, 0);
        miss = asm_jcc(a, CC_NE);
        asm_alu_ri(a, true, ALU_AND, RCX, -(int32_t)PAGE_SIZE);
        asm_store(a, true, RCX, RBP, offsetof(Vcpu, code_page));
        asm_op_rm(a, false, 0, 0xff, 4, RAX, offsetof(JumpCacheEntry, code));
        asm_patch(a, miss, a->p);
    }
    asm_store(a, true, RCX, RBP, offsetof(Vcpu, pc));
    store_state(g, state);
    leave(g, EXIT_KIND_LOOKUP);
}

/*
 * Entry: take the whole unit from the budget. The first bytes are also where
 * a killed unit is overwritten by a jump.
 */
void gen_head(Gen *g)
{
    Cold cold = { .kind = COLD_BUDGET, .pc = g->u->pc, .state = g->u->state,
                  .refund = g->u->num_guest_insns };

    asm_op_rr(&g->a, true, 0, 0x81, ALU_SUB, R15);
    asm_u32(&g->a, g->u->num_guest_insns);
    cold.jump = asm_jcc(&g->a, CC_S);
    g_array_append_val(g->cold, cold);
}

/*
 * Go to pc: a patchable jump within the page, a look-up in the jump cache across
 * pages (the page's translation may differ by then).
 */
static void go_to(Gen *g, uint64_t pc, uint32_t state)
{
    Asm *a = &g->a;
    ExitRec *exit;

    if (!g->link) {
        store_pc(g, pc, state);
        leave(g, EXIT_KIND_LOOKUP);
    } else if (same_page(pc, g->u->pc)) {
        exit = tcg_meta_alloc(g->t, sizeof(*exit));
        exit->pc = pc;
        exit->jump = asm_jmp(a);
        exit->unlinked = a->p;
        store_pc(g, pc, state);
        leave(g, (uintptr_t)exit | EXIT_KIND_LINK);
    } else {
        gen_address(g, RCX, pc);
        go_indirect(g, state);
    }
}

static void add_exit(Gen *g, uint8_t *jump, const IrInsn *i)
{
    Cold cold = {
        .kind = COLD_EXIT, .jump = jump, .pc = i->imm, .state = ir_insn_word(i),
        .refund = g->u->num_guest_insns - g->insn_index - 1,
        .save_flags = !g->flags_home, .flags_inverted = g->flags_inverted,
        .first_loc = g->locs->len,
    };

    assert(g->flags_home || g->flags_in_host);
    cold.num_locs = gen_capture(g);
    if (gen_loops_to(g, cold.pc, cold.state)) {
        cold.num_loop_locs = gen_loop_capture(g);
    }
    g_array_append_val(g->cold, cold);
}

void gen_side_exit(Gen *g, const IrInsn *i)
{
    Asm *a = &g->a;
    bool w = i->flags & IRF_W64;
    unsigned bit = i->aux & 0xff;
    HostReg v;

    if (i->op == IR_exit_cond) {
        if (i->aux < COND_AL) {
            gen_flags_to_host(g);
            HostCond cc = gen_cond(g, i->aux);
            add_exit(g, asm_jcc(a, cc), i);
        } else {
            add_exit(g, asm_jmp(a), i);
        }
        return;
    }
    v = gen_use(g, i->arg[0]);
    if (i->op == IR_exit_bit) {
        if (bit < 31) {
            asm_op_rr(a, false, 0, 0xf7, 0, v);              /* TEST v, 1 << bit */
            asm_u32(a, 1u << bit);
        } else {
            asm_op_rr(a, true, 0, 0x0fba, 4, v);             /* BT v, bit: into CF */
            asm_u8(a, bit);
        }
    } else {
        asm_test_rr(a, w, v, v);
    }
    gen_flags_clobbered(g);
    if (i->op == IR_exit_bit && bit >= 31) {
        add_exit(g, asm_jcc(a, i->aux >> 8 ? CC_B : CC_AE), i);
    } else {
        bool when_set = i->op == IR_exit_nz || (i->op == IR_exit_bit && i->aux >> 8);

        add_exit(g, asm_jcc(a, when_set ? CC_NE : CC_E), i);
    }
}

void gen_final_exit(Gen *g, const IrInsn *i)
{
    uint32_t state = ir_insn_word(i);

    if (i->op == IR_exit_main_helper) {
        gen_flush_slots(g);
        leave(g, EXIT_KIND_MAIN);
        return;
    }
    assert(g->flags_home || g->flags_in_host);
    if (!g->flags_home) {
        gen_flags_save(g);
    }
    if (i->op == IR_jmp_ind) {
        gen_use(g, i->arg[0]);
    }
    gen_flush_slots(g);
    switch (i->op) {
    case IR_jmp:
        if (gen_loops_to(g, i->imm, state)) {
            unsigned first = g->locs->len, count = gen_loop_capture(g);

            gen_loop_jump(g, &g_array_index(g->locs, SlotLoc, first), count);
        } else {
            go_to(g, i->imm, state);
        }
        break;
    case IR_jmp_ind:
        gen_load_into(g, RCX, i->arg[0]);
        go_indirect(g, state);
        break;
    default:
        store_pc(g, i->imm, state);
        leave(g, EXIT_KIND_MAIN);
        break;
    }
}

static void cold_exit(Gen *g, const Cold *c)
{
    if (c->save_flags) {
        g->flags_in_host = true;
        g->flags_inverted = c->flags_inverted;
        gen_flags_save(g);
    }
    for (unsigned n = 0; n < c->num_locs; n++) {
        gen_store_loc(g, &g_array_index(g->locs, SlotLoc, c->first_loc + n));
    }
    refund(g, c->refund);
    if (gen_loops_to(g, c->pc, c->state)) {
        gen_loop_jump(g, &g_array_index(g->locs, SlotLoc, c->first_loc + c->num_locs),
                      c->num_loop_locs);
    } else {
        go_to(g, c->pc, c->state);
    }
}

static void cold_mem(Gen *g, const Cold *c)
{
    Asm *a = &g->a;

    if (c->in_run) {
        /* The end that was not compared. */
        asm_store(a, true, RAX, RSP, FRAME_SAVE + 8 * RAX);
        asm_lea(a, true, RAX, c->site->addr_reg, c->site->from_first < 0 ? c->site->bytes - 1 : 0);
    }
    asm_mov_ri(a, RDX, (uintptr_t)c->site);
    asm_call_to(a, gen_stubs(g->t)->probe[c->in_run][c->site->write][c->keep_xmm]);
    asm_patch(a, asm_jmp(a), c->back);
}

void gen_cold(Gen *g)
{
    for (unsigned n = 0; n < g->cold->len; n++) {
        const Cold *c = &g_array_index(g->cold, Cold, n);

        asm_patch(&g->a, c->jump, g->a.p);
        switch (c->kind) {
        case COLD_EXIT:
            cold_exit(g, c);
            break;
        case COLD_MEM:
            cold_mem(g, c);
            break;
        case COLD_BUDGET:
            refund(g, c->refund);
            store_pc(g, c->pc, c->state);
            leave(g, EXIT_KIND_BUDGET);
            break;
        default:
            refund(g, c->refund);
            leave(g, EXIT_KIND_MAIN);
            break;
        }
    }
    gen_fp_cold(g);
    /* Where a killed unit's entry jumps to: nothing has been taken yet. */
    g->dead_exit = g->a.p;
    store_pc(g, g->u->pc, g->u->state);
    leave(g, EXIT_KIND_LOOKUP);
}
