/*
 * NZCV on x86-64: N, Z and V are SF, ZF and OF; C is CF after additions and its
 * inverse after subtractions. In memory they are what LAHF and SETO leave in AX,
 * with CF inverted to mean !C (accel/tcg/nzcv.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/interp/alu.h"
#include "accel/tcg/nzcv.h"
#include "accel/tcg/x86_64/gen.h"

#define NZCV_DISP offsetof(Vcpu, nzcv)

static void emit_lahf(Asm *a) { asm_u8(a, 0x9f); }
static void emit_sahf(Asm *a) { asm_u8(a, 0x9e); }
static void emit_cmc(Asm *a) { asm_u8(a, 0xf5); }

/* ADD AL, 0x7f: OF becomes what bit 0 of AL says. */
static void emit_al_to_of(Asm *a)
{
    asm_u8(a, 0x04);
    asm_u8(a, 0x7f);
}

void gen_flags_clobbered(Gen *g)
{
    g->flags_in_host = false;
}

static void make_inverted(Gen *g)
{
    if (!g->flags_inverted) {
        emit_cmc(&g->a);
        g->flags_inverted = true;
    }
}

void gen_flags_save(Gen *g)
{
    assert(g->flags_in_host);
    make_inverted(g);
    emit_lahf(&g->a);
    asm_setcc(&g->a, CC_O, RAX);
    asm_op_rm(&g->a, false, 0x66, 0x89, RAX, RBP, NZCV_DISP);
    g->flags_home = true;
    g->run.root = 0;
}

/* ---- flags that only bail-outs need ---- */

/* A slot that has the value at every access until flags are set again, or NO_SLOT. */
static unsigned kept_slot(const Gen *g, uint16_t v)
{
    uint32_t slots = g->val[v].slots;
    bool accessed = false;

    for (unsigned n = g->n + 1; n < g->u->num_insns; n++) {
        const IrInsn *i = &g->u->insns[n];

        if (i->flags & IRF_SETS_NZCV) {
            break;
        }
        accessed |= ir_op_has(i->op, 'M');
        if (i->op == IR_set && i->arg[0] != v) {
            slots &= ~(1u << i->aux);
        } else if (i->op == IR_set && !accessed) {
            slots |= 1u << i->aux;
        }
    }
    return slots ? __builtin_ctz(slots) : NO_SLOT;
}

/* Fill in where argument n is. False: nowhere. */
static bool find_argument(const Gen *g, FlagsRecipe *r, unsigned n, uint16_t v)
{
    r->slot[n] = gen_is_const(g, v, &r->value[n]) ? NO_SLOT : kept_slot(g, v);
    return g->u->is_const[v] || r->slot[n] != NO_SLOT;
}

/* The recipe for the flags that i sets, or NULL. */
static const FlagsRecipe *find_recipe(Gen *g, const IrInsn *i)
{
    FlagsRecipe r = { .insn = *i }, *copy;

    if ((i->op != IR_add && i->op != IR_sub && i->op != IR_and) ||
        !find_argument(g, &r, 1, i->arg[1])) {
        return NULL;
    }
    if (!find_argument(g, &r, 0, i->arg[0])) {
        r.from_result = true;
        if (i->op == IR_and || !find_argument(g, &r, 0, i->dst)) {
            return NULL;
        }
    }
    copy = tcg_meta_alloc(g->t, sizeof(r));
    *copy = r;
    return copy;
}

void gen_flags_redo(Vcpu *cpu, const FlagsRecipe *r)
{
    uint64_t x[2];
    uint32_t nzcv = 0;

    for (unsigned n = 0; n < 2; n++) {
        x[n] = r->slot[n] == NO_SLOT ? r->value[n] : cpu->slot[r->slot[n]];
    }
    if (r->from_result) {
        x[0] = r->insn.op == IR_sub ? x[0] + x[1] : x[0] - x[1];
    }
    alu_eval(&r->insn, x[0], x[1], 0, &nzcv);
    cpu->nzcv = nzcv_pack(nzcv);
}

void gen_flags_produced(Gen *g, const IrInsn *i, bool inverted)
{
    if (i->flags & IRF_NZCV_DEAD) {
        gen_flags_clobbered(g);
        return;
    }
    g->flags_in_host = true;
    g->flags_inverted = inverted;
    g->flags_home = false;
    g->flags_recipe = i->flags & IRF_NZCV_BAIL ? find_recipe(g, i) : NULL;
    if (i->flags & (IRF_NZCV_HOME | IRF_NZCV_BAIL) && !g->flags_recipe) {
        gen_flags_save(g);
    }
}

void gen_flags_to_host(Gen *g)
{
    if (!g->flags_in_host) {
        assert(g->flags_home);
        asm_op_rm(&g->a, false, 0, 0x0fb7, RAX, RBP, NZCV_DISP);
        emit_al_to_of(&g->a);
        emit_sahf(&g->a);
        g->flags_in_host = true;
        g->flags_inverted = true;
        g->run.root = 0;
    }
}

HostCond gen_cond(Gen *g, unsigned cond)
{
    static const uint8_t direct[] = {
        [COND_EQ] = CC_E, [COND_NE] = CC_NE, [COND_MI] = CC_S, [COND_PL] = CC_NS,
        [COND_VS] = CC_O, [COND_VC] = CC_NO, [COND_GE] = CC_GE, [COND_LT] = CC_L,
        [COND_GT] = CC_G, [COND_LE] = CC_LE,
    };

    assert(g->flags_in_host && cond < COND_AL);
    switch (cond) {
    case COND_CS:
        return g->flags_inverted ? CC_AE : CC_B;
    case COND_CC:
        return g->flags_inverted ? CC_B : CC_AE;
    case COND_HI:
        make_inverted(g);
        return CC_A;
    case COND_LS:
        make_inverted(g);
        return CC_BE;
    default:
        return direct[cond];
    }
}

/*
 * Both ways end with NZCV in the host's flags, inverted: compared, or loaded from
 * the immediate.
 */
void gen_ccmp(Gen *g, const IrInsn *i)
{
    bool w = i->flags & IRF_W64, subtract = i->op == IR_ccmp;
    uint16_t packed = nzcv_pack((uint32_t)(i->aux >> 8) << 28);
    HostReg x = gen_use(g, i->arg[0]), y;
    uint8_t *otherwise, *done;
    HostCond cc;
    int32_t imm;
    bool is_imm = gen_imm32(g, i->arg[1], w, &imm) && subtract;

    y = is_imm ? RAX : gen_use(g, i->arg[1]);
    gen_flags_to_host(g);
    if ((i->aux & 0xff) < COND_AL) {
        cc = gen_cond(g, i->aux & 0xff);
        otherwise = asm_jcc(&g->a, cc ^ 1);
    } else {
        otherwise = NULL;
    }
    if (is_imm) {
        asm_alu_ri(&g->a, w, ALU_CMP, x, imm);
    } else if (subtract) {
        asm_alu_rr(&g->a, w, ALU_CMP, x, y);
    } else {
        asm_mov_rr(&g->a, true, RAX, x);
        asm_alu_rr(&g->a, w, ALU_ADD, RAX, y);
        emit_cmc(&g->a);
    }
    if (otherwise) {
        done = asm_jmp(&g->a);
        asm_patch(&g->a, otherwise, g->a.p);
        asm_mov_ri(&g->a, RAX, packed);
        emit_al_to_of(&g->a);
        emit_sahf(&g->a);
        asm_patch(&g->a, done, g->a.p);
    }
    gen_flags_produced(g, i, true);
}

void gen_get_nzcv(Gen *g, const IrInsn *i)
{
    Asm *a = &g->a;
    HostReg dst;

    if (!g->flags_home) {
        gen_flags_save(g);
    }
    gen_flags_clobbered(g);
    dst = gen_def(g, i->dst);
    asm_op_rm(a, false, 0, 0x0fb7, RAX, RBP, NZCV_DISP);
    asm_mov_rr(a, false, dst, RAX);
    asm_alu_ri(a, false, ALU_AND, dst, 0xc000);
    asm_shift_i(a, false, SHIFT_SHL, dst, 16);
    asm_mov_rr(a, false, RCX, RAX);
    asm_alu_ri(a, false, ALU_XOR, RCX, 0x100);
    asm_alu_ri(a, false, ALU_AND, RCX, 0x100);
    asm_shift_i(a, false, SHIFT_SHL, RCX, 21);
    asm_alu_rr(a, false, ALU_OR, dst, RCX);
    asm_alu_ri(a, false, ALU_AND, RAX, 1);
    asm_shift_i(a, false, SHIFT_SHL, RAX, 28);
    asm_alu_rr(a, false, ALU_OR, dst, RAX);
}

void gen_set_nzcv(Gen *g, const IrInsn *i)
{
    Asm *a = &g->a;

    gen_load_into(g, RCX, i->arg[0]);
    gen_flags_clobbered(g);
    asm_mov_rr(a, false, RAX, RCX);
    asm_shift_i(a, false, SHIFT_SHR, RAX, 16);
    asm_alu_ri(a, false, ALU_AND, RAX, 0xc000);
    asm_mov_rr(a, false, RDX, RCX);
    asm_shift_i(a, false, SHIFT_SHR, RDX, 21);
    asm_alu_ri(a, false, ALU_AND, RDX, 0x100);
    asm_alu_ri(a, false, ALU_XOR, RDX, 0x100);
    asm_alu_rr(a, false, ALU_OR, RAX, RDX);
    asm_shift_i(a, false, SHIFT_SHR, RCX, 28);
    asm_alu_ri(a, false, ALU_AND, RCX, 1);
    asm_alu_rr(a, false, ALU_OR, RAX, RCX);
    asm_op_rm(a, false, 0x66, 0x89, RAX, RBP, NZCV_DISP);
    g->flags_home = true;
}

/* Moves only: the flags survive. */
void gen_sel(Gen *g, const IrInsn *i)
{
    bool w = i->flags & IRF_W64;
    HostReg x, dst;
    uint64_t one, zero;

    if (i->aux >= COND_AL) {
        dst = gen_def_from(g, i->dst, i->arg[0]);
        asm_mov_rr(&g->a, w, dst, dst);
        return;
    }
    gen_flags_to_host(g);
    if (gen_is_const(g, i->arg[0], &one) && gen_is_const(g, i->arg[1], &zero) &&
        one == 1 && zero == 0) {
        HostCond cc = gen_cond(g, i->aux);

        dst = gen_def(g, i->dst);
        asm_setcc(&g->a, cc, RAX);
        asm_op_rr8(&g->a, 0x0fb6, dst, RAX);
        return;
    }
    if (g->u->is_const[i->arg[0]]) {
        /* gen_flags_to_host() is done with RAX. */
        x = RCX;
        gen_load_into(g, x, i->arg[0]);
    } else {
        x = gen_use(g, i->arg[0]);
    }
    dst = gen_def_from(g, i->dst, i->arg[1]);
    asm_cmov(&g->a, w, gen_cond(g, i->aux), dst, x);
}
