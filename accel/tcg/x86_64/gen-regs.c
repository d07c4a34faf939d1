/*
 * Register allocation: forward, over the whole unit, evicting the value whose
 * next use is farthest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/x86_64/gen.h"

/* Callee-saved first: values live across helper calls stay there. */
static const uint8_t alloc_order[] = { RBX, R12, R13, RSI, RDI, R8, R9, R10, R11 };
#define CALLER_SAVED (1u << RSI | 1u << RDI | 1u << R8 | 1u << R9 | 1u << R10 | 1u << R11)

void gen_regs_init(Gen *g)
{
    const IrUnit *u = g->u;
    uint16_t *next = g_new(uint16_t, u->num_values + 1);

    memset(next, 0xff, (u->num_values + 1) * sizeof(*next));
    for (unsigned n = u->num_insns; n-- > 0;) {
        const IrInsn *i = &u->insns[n];

        for (unsigned a = ir_op_info[i->op].num_args; a-- > 0;) {
            g->use_after[n][a] = next[i->arg[a]];
        }
        for (unsigned a = 0; a < ir_op_info[i->op].num_args; a++) {
            next[i->arg[a]] = n;
        }
    }
    for (unsigned v = 0; v <= u->num_values; v++) {
        g->val[v] = (GenValue){ .reg = NO_REG, .next_use = next[v], .root = v };
    }
    g_free(next);
}

bool gen_is_const(const Gen *g, uint16_t v, uint64_t *value)
{
    if (!g->u->is_const[v]) {
        return false;
    }
    *value = g->u->const_of[v];
    return true;
}

bool gen_imm32(const Gen *g, uint16_t v, bool w, int32_t *imm)
{
    uint64_t value;

    if (!gen_is_const(g, v, &value)) {
        return false;
    }
    *imm = (int32_t)value;
    return !w || (uint64_t)(int64_t)*imm == value;
}

/* Used by a later instruction than the current one. */
bool gen_used_later(const Gen *g, uint16_t v)
{
    const IrInsn *i = &g->u->insns[g->n];

    for (unsigned a = 0; a < ir_op_info[i->op].num_args; a++) {
        if (i->arg[a] == v) {
            return g->use_after[g->n][a] != NEVER;
        }
    }
    return g->val[v].next_use != NEVER;
}

static unsigned spill_alloc(Gen *g)
{
    for (unsigned word = 0; word < GEN_SPILL_WORDS; word++) {
        if (!g->spill_used[word]) {
            g->spill_used[word] = 1;
            return word;
        }
    }
    assert(!"out of spill words");
}

static void spill_free(Gen *g, GenValue *val)
{
    if (val->spilled) {
        g->spill_used[val->spill] = 0;
        val->spilled = false;
    }
}

static void spill_to_frame(Gen *g, GenValue *val)
{
    if (!val->spilled) {
        val->spill = spill_alloc(g);
        val->spilled = true;
        asm_store(&g->a, true, val->reg, RSP, spill_disp(val->spill));
    }
}

static void store_dirty_homes(Gen *g, GenValue *val)
{
    for (uint32_t m = val->slots & g->dirty; m; m &= m - 1) {
        asm_store(&g->a, true, val->reg, RBP, slot_disp(__builtin_ctz(m)));
    }
    g->dirty &= ~val->slots;
}

/* Make sure that the value survives without its register. */
static void save_value(Gen *g, uint16_t v)
{
    GenValue *val = &g->val[v];

    if (g->u->is_const[v]) {
        return;
    }
    if (val->slots) {
        store_dirty_homes(g, val);
    } else if (gen_used_later(g, v)) {
        spill_to_frame(g, val);
    }
}

static void drop_reg(Gen *g, unsigned reg)
{
    if (g->reg_val[reg]) {
        g->val[g->reg_val[reg]].reg = NO_REG;
        g->reg_val[reg] = 0;
    }
}

static unsigned eviction_rank(const Gen *g, unsigned reg)
{
    const GenValue *val = &g->val[g->reg_val[reg]];
    bool clean = g->u->is_const[g->reg_val[reg]] || (val->slots && !(val->slots & g->dirty)) ||
                 val->spilled;

    return val->next_use * 2u + clean;
}

static HostReg alloc_reg(Gen *g)
{
    int best = -1;

    for (unsigned n = 0; n < ARRAY_SIZE(alloc_order); n++) {
        unsigned reg = alloc_order[n];

        if (g->pinned & 1u << reg) {
            continue;
        }
        if (!g->reg_val[reg]) {
            best = reg;
            break;
        }
        if (best < 0 || eviction_rank(g, reg) > eviction_rank(g, best)) {
            best = reg;
        }
    }
    assert(best >= 0);
    if (g->reg_val[best]) {
        /* The current operation may still need it: it is not pinned, but may be an argument. */
        GenValue *val = &g->val[g->reg_val[best]];

        if (!g->u->is_const[g->reg_val[best]]) {
            if (val->slots) {
                store_dirty_homes(g, val);
            } else if (val->next_use != NEVER) {
                spill_to_frame(g, val);
            }
        }
        drop_reg(g, best);
    }
    g->pinned |= 1u << best;
    return best;
}

static void bind(Gen *g, uint16_t v, unsigned reg)
{
    g->val[v].reg = reg;
    g->reg_val[reg] = v;
    g->pinned |= 1u << reg;
}

void gen_load_into(Gen *g, HostReg reg, uint16_t v)
{
    const GenValue *val = &g->val[v];
    uint64_t value;

    if (gen_is_const(g, v, &value)) {
        asm_mov_ri(&g->a, reg, value);
    } else if (val->reg != NO_REG) {
        asm_mov_rr(&g->a, true, reg, val->reg);
    } else if (val->spilled) {
        asm_load(&g->a, true, reg, RSP, spill_disp(val->spill));
    } else {
        uint32_t clean = val->slots & ~g->dirty;

        assert(clean);
        asm_load(&g->a, true, reg, RBP, slot_disp(__builtin_ctz(clean)));
    }
}

HostReg gen_use(Gen *g, uint16_t v)
{
    unsigned reg = g->val[v].reg;

    if (reg == NO_REG) {
        reg = alloc_reg(g);
        gen_load_into(g, reg, v);
        bind(g, v, reg);
    }
    g->pinned |= 1u << reg;
    return reg;
}

/*
 * True when nobody needs v's register after this operation: no later use, and
 * every slot that it is in is clean, or is overwritten at once by our result.
 */
static bool dies_here(const Gen *g, uint16_t v, uint16_t dst)
{
    const GenValue *val = &g->val[v];
    const IrInsn *next = &g->u->insns[g->n + 1];
    uint32_t dirty = val->slots & g->dirty;

    if (gen_used_later(g, v)) {
        return false;
    }
    if (dirty && next->op == IR_set && next->arg[0] == dst) {
        dirty &= ~(1u << next->aux);
    }
    return dirty == 0;
}

HostReg gen_def(Gen *g, uint16_t dst)
{
    unsigned reg = alloc_reg(g);

    bind(g, dst, reg);
    return reg;
}

/* Give x's register to dst when x dies here; else NO_REG. */
static unsigned take_over(Gen *g, uint16_t dst, uint16_t x)
{
    unsigned reg = g->val[x].reg;
    uint32_t dirty = g->val[x].slots & g->dirty;

    if (reg == NO_REG || !dies_here(g, x, dst)) {
        return NO_REG;
    }
    drop_reg(g, reg);
    /* A dirty slot is overwritten by the next instruction: the old value is gone now. */
    g->val[x].slots &= ~dirty;
    g->dirty &= ~dirty;
    for (; dirty; dirty &= dirty - 1) {
        g->slot_val[__builtin_ctz(dirty)] = 0;
    }
    bind(g, dst, reg);
    return reg;
}

HostReg gen_def_reuse(Gen *g, uint16_t dst, uint16_t x)
{
    unsigned reg = take_over(g, dst, x);

    return reg != NO_REG ? reg : gen_def(g, dst);
}

HostReg gen_def_from(Gen *g, uint16_t dst, uint16_t x)
{
    unsigned reg = take_over(g, dst, x);

    if (reg == NO_REG) {
        reg = alloc_reg(g);
        gen_load_into(g, reg, x);
        bind(g, dst, reg);
    }
    return reg;
}

static void forget_value(Gen *g, uint16_t v)
{
    GenValue *val = &g->val[v];

    if (!(val->slots & g->dirty)) {
        if (val->reg != NO_REG) {
            drop_reg(g, val->reg);
        }
        spill_free(g, val);
    }
}

void gen_release(Gen *g, const IrInsn *i)
{
    for (unsigned a = 0; a < ir_op_info[i->op].num_args; a++) {
        uint16_t v = i->arg[a];

        if (v) {
            g->val[v].next_use = g->use_after[g->n][a];
            if (g->val[v].next_use == NEVER) {
                forget_value(g, v);
            }
        }
    }
    if (i->dst && g->val[i->dst].next_use == NEVER && !g->val[i->dst].slots) {
        forget_value(g, i->dst);
    }
    g->pinned = 0;
}

void gen_set_slot(Gen *g, unsigned slot, uint16_t v)
{
    uint16_t old = g->slot_val[slot];
    uint32_t bit = 1u << slot;

    if (old == v) {
        return;
    }
    if (old) {
        GenValue *val = &g->val[old];

        if (val->reg == NO_REG && !val->spilled && !g->u->is_const[old] &&
            !(val->slots & ~g->dirty & ~bit) && gen_used_later(g, old)) {
            gen_use(g, old);
        }
        val->slots &= ~bit;
        g->dirty &= ~bit;
        if (!gen_used_later(g, old)) {
            forget_value(g, old);
        }
    }
    /* The value of a dirty slot never lives in another slot's home alone. */
    if (g->val[v].reg == NO_REG && !g->val[v].spilled && !g->u->is_const[v]) {
        gen_use(g, v);
    }
    g->slot_val[slot] = v;
    g->val[v].slots |= bit;
    g->dirty |= bit;
}

void gen_get_slot(Gen *g, unsigned slot, uint16_t v)
{
    uint16_t current = g->slot_val[slot];

    if (current == v) {
        return;     /* loaded at the loop head */
    }
    if (current) {
        gen_def_from(g, v, current);
    } else {
        g->slot_val[slot] = v;
        g->val[v].slots = 1u << slot;
    }
}

SlotLoc gen_locate(const Gen *g, unsigned slot)
{
    uint16_t v = g->slot_val[slot];
    const GenValue *val = &g->val[v];
    SlotLoc loc = { .slot = slot };

    if (v == 0) {
        loc.kind = LOC_HOME;
    } else if (gen_is_const(g, v, &loc.value)) {
        loc.kind = LOC_CONST;
    } else if (val->reg != NO_REG) {
        loc.kind = LOC_REG;
        loc.where = val->reg;
    } else if (val->spilled) {
        loc.kind = LOC_SPILL;
        loc.where = val->spill;
    } else {
        assert(!(g->dirty & 1u << slot));
        loc.kind = LOC_HOME;
    }
    return loc;
}

unsigned gen_capture(Gen *g)
{
    unsigned count = 0;

    for (uint32_t m = g->dirty; m; m &= m - 1, count++) {
        SlotLoc loc = gen_locate(g, __builtin_ctz(m));

        g_array_append_val(g->locs, loc);
    }
    return count;
}

void gen_store_loc(Gen *g, const SlotLoc *loc)
{
    unsigned reg = loc->where;

    if (loc->kind == LOC_CONST) {
        if ((uint64_t)(int64_t)(int32_t)loc->value == loc->value) {
            asm_store_i32(&g->a, RBP, slot_disp(loc->slot), (int32_t)loc->value);
            return;
        }
        reg = RCX;
        asm_mov_ri(&g->a, reg, loc->value);
    } else if (loc->kind == LOC_SPILL) {
        reg = RCX;
        asm_load(&g->a, true, reg, RSP, spill_disp(loc->where));
    }
    asm_store(&g->a, true, reg, RBP, slot_disp(loc->slot));
}

void gen_flush_slots(Gen *g)
{
    for (uint32_t m = g->dirty; m; m &= m - 1) {
        SlotLoc loc = gen_locate(g, __builtin_ctz(m));

        gen_store_loc(g, &loc);
    }
    g->dirty = 0;
}

void gen_save_for_call(Gen *g)
{
    for (unsigned reg = 0; reg < 16; reg++) {
        if (g->reg_val[reg] && (CALLER_SAVED & 1u << reg)) {
            save_value(g, g->reg_val[reg]);
        }
    }
}

void gen_drop_caller_saved(Gen *g)
{
    for (unsigned reg = 0; reg < 16; reg++) {
        if (CALLER_SAVED & 1u << reg) {
            drop_reg(g, reg);
        }
    }
}

void gen_sync_state(Gen *g)
{
    gen_flush_slots(g);
    for (unsigned slot = 0; slot < VCPU_MAX_SLOTS; slot++) {
        uint16_t v = g->slot_val[slot];

        if (v && g->val[v].next_use != NEVER && !g->u->is_const[v]) {
            gen_use(g, v);
            spill_to_frame(g, &g->val[v]);
            g->pinned = 0;
        }
    }
    for (unsigned slot = 0; slot < VCPU_MAX_SLOTS; slot++) {
        g->val[g->slot_val[slot]].slots = 0;
        g->slot_val[slot] = 0;
    }
    for (unsigned reg = 0; reg < 16; reg++) {
        if (g->reg_val[reg] && (CALLER_SAVED & 1u << reg)) {
            save_value(g, g->reg_val[reg]);
        }
    }
}
