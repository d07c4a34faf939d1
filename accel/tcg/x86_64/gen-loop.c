/*
 * Loops: a unit whose exit leads to its own start.
 *
 *     entry:  load the loop slots            (also where other units link to)
 *     head:   sub r15, n; js budget; ...
 *     exit to the start: store dirty slots; shuffle the loop slots; jmp head
 *
 * Stores stay: so at the head every slot is clean, as after entry. What the jump back
 * saves is loading again what was just stored, on the loop's critical path.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/x86_64/gen.h"

/* Leave some registers for what is only used once. */
#define LOOP_SLOTS_MAX 6

/* The unit's start is the same place only when it is begun with the same state. */
static bool has_jump_back(const IrUnit *u)
{
    for (unsigned n = 0; n < u->num_insns; n++) {
        const IrInsn *i = &u->insns[n];

        if (ir_op_has(i->op, 'X') && i->op != IR_exit_main && i->op != IR_jmp_ind &&
            i->op != IR_exit_main_helper && i->imm == u->pc && ir_insn_word(i) == u->state) {
            return true;
        }
    }
    return false;
}

static bool is_sync(const IrInsn *i)
{
    return i->op == IR_call && (ir_insn_helper(i)->flags & IR_HELPER_SYNC);
}

void gen_loop_entry(Gen *g)
{
    const IrUnit *u = g->u;
    uint32_t written = 0;
    unsigned count = 0;

    if (!g->link || !has_jump_back(u)) {
        return;
    }
    for (unsigned n = 0; n < u->num_insns && count < LOOP_SLOTS_MAX; n++) {
        const IrInsn *i = &u->insns[n];
        uint32_t bit = 1u << (i->aux & 31);

        if (is_sync(i)) {
            break;
        }
        if (i->op == IR_get && !(written & bit) && !(g->loop_slots & bit)) {
            gen_get_slot(g, i->aux, i->dst);
            g->loop_reg[i->aux] = gen_use(g, i->dst);
            g->loop_slots |= bit;
            count++;
        } else if (i->op == IR_set) {
            written |= bit;
        }
    }
    g->pinned = 0;
    g->loop_head = g->a.p;
}

bool gen_loops_to(const Gen *g, uint64_t pc, uint32_t state)
{
    return g->loop_head && pc == g->u->pc && state == g->u->state;
}

unsigned gen_loop_capture(Gen *g)
{
    for (uint32_t m = g->loop_slots; m; m &= m - 1) {
        SlotLoc loc = gen_locate(g, __builtin_ctz(m));

        g_array_append_val(g->locs, loc);
    }
    return __builtin_popcount(g->loop_slots);
}

/* Registers first, as parallel moves: a cycle is broken through RAX. */
static void move_registers(Gen *g, const SlotLoc *locs, unsigned count)
{
    uint8_t from[VCPU_MAX_SLOTS];
    uint32_t pending = 0;

    for (unsigned n = 0; n < count; n++) {
        from[n] = locs[n].where;
        if (locs[n].kind == LOC_REG && locs[n].where != g->loop_reg[locs[n].slot]) {
            pending |= 1u << n;
        }
    }
    while (pending) {
        bool moved = false;

        for (uint32_t m = pending; m; m &= m - 1) {
            unsigned n = __builtin_ctz(m), to = g->loop_reg[locs[n].slot];
            bool needed = false;

            for (uint32_t o = pending; o; o &= o - 1) {
                needed |= (o & -o) != (1u << n) && from[__builtin_ctz(o)] == to;
            }
            if (!needed) {
                asm_mov_rr(&g->a, true, to, from[n]);
                pending &= ~(1u << n);
                moved = true;
            }
        }
        if (!moved) {
            unsigned n = __builtin_ctz(pending), reg = from[n];

            asm_mov_rr(&g->a, true, RAX, reg);
            for (uint32_t o = pending; o; o &= o - 1) {
                if (from[__builtin_ctz(o)] == reg) {
                    from[__builtin_ctz(o)] = RAX;
                }
            }
        }
    }
}

void gen_loop_jump(Gen *g, const SlotLoc *locs, unsigned count)
{
    Asm *a = &g->a;

    move_registers(g, locs, count);
    for (unsigned n = 0; n < count; n++) {
        const SlotLoc *loc = &locs[n];
        HostReg to = g->loop_reg[loc->slot];

        if (loc->kind == LOC_CONST) {
            asm_mov_ri(a, to, loc->value);
        } else if (loc->kind == LOC_SPILL) {
            asm_load(a, true, to, RSP, spill_disp(loc->where));
        } else if (loc->kind == LOC_HOME) {
            asm_load(a, true, to, RBP, slot_disp(loc->slot));
        }
    }
    asm_patch(a, asm_jmp(a), g->loop_head);
}
