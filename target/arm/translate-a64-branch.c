/*
 * A64 branches, exception generation and system instructions (DDI 0487 C4.1.93).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/translate.h"

#include "target/arm/helpers.h"
#include "target/arm/syndrome.h"
#include "target/arm/sysreg.h"

#include "decode-a64-branch.inc"

bool a64_branch(DisasContext *s, uint32_t insn)
{
    return decode_a64_branch(s, insn);
}

/* ---- immediate branches ---- */

/* imm counts instructions. */
static uint64_t branch_target(DisasContext *s, int imm)
{
    return s->pc + (int64_t)imm * 4;
}

/* The unit goes on at the target when it is on the page and new to the unit. */
static bool trans_B(DisasContext *s, arg_B *a)
{
    s->pc = branch_target(s, a->imm);
    s->branched = true;
    return true;
}

static bool trans_BL(DisasContext *s, arg_BL *a)
{
    a64_write(s, 30, ir_pcrel(s->b, s->pc + 4));
    ir_jmp(s->b, branch_target(s, a->imm));
    s->ended = true;
    return true;
}

static bool trans_CBZ(DisasContext *s, arg_CBZ *a)
{
    IrVal v = a64_read_low(s, a->rt);
    uint64_t target = branch_target(s, a->imm);

    if (a->nz) {
        ir_exit_nz(s->b, a->sf ? W64 : W32, v, target);
    } else {
        ir_exit_z(s->b, a->sf ? W64 : W32, v, target);
    }
    return true;
}

static bool trans_TBZ(DisasContext *s, arg_TBZ *a)
{
    ir_exit_bit(s->b, a64_read_low(s, a->rt), a->bit, a->nz, branch_target(s, a->imm));
    return true;
}

static bool trans_B_cond(DisasContext *s, arg_B_cond *a)
{
    if (a->cond >= COND_AL) {
        s->pc = branch_target(s, a->imm);
        s->branched = true;
    } else {
        ir_exit_cond(s->b, (IrCond)a->cond, branch_target(s, a->imm));
    }
    return true;
}

/* ---- register branches ---- */

static void branch_to(DisasContext *s, IrVal target)
{
    ir_jmp_ind(s->b, target);
    s->ended = true;
}

static bool trans_BR(DisasContext *s, arg_BR *a)
{
    branch_to(s, a64_read(s, a->rn, W64));
    return true;
}

static bool trans_BLR(DisasContext *s, arg_BLR *a)
{
    IrVal target = a64_read(s, a->rn, W64);

    a64_write(s, 30, ir_pcrel(s->b, s->pc + 4));
    branch_to(s, target);
    return true;
}

static bool trans_RET(DisasContext *s, arg_RET *a)
{
    branch_to(s, a64_read(s, a->rn, W64));
    return true;
}

/* ---- exceptions ---- */

/* Call a helper that leaves vcpu->pc where execution goes on. */
static bool end_with(DisasContext *s, const IrHelper *h, IrVal a0, IrVal a1)
{
    ir_call(s->b, h, a0, a1, IR_NONE, IR_NONE);
    ir_exit_main_helper(s->b);
    s->ended = true;
    return true;
}

static bool trans_ERET(DisasContext *s, arg_ERET *a)
{
    return mode_el(s->mode) > 0 && end_with(s, &helper_eret, IR_NONE, IR_NONE);
}

static bool trans_SVC(DisasContext *s, arg_SVC *a)
{
    return end_with(s, &helper_svc, ir_const(s->b, a->imm), IR_NONE);
}

static bool trans_HVC(DisasContext *s, arg_HVC *a)
{
    return mode_el(s->mode) > 0 && end_with(s, &helper_hvc, ir_const(s->b, a->imm), IR_NONE);
}

static bool trans_SMC(DisasContext *s, arg_SMC *a)
{
    return mode_el(s->mode) > 0 && end_with(s, &helper_smc, ir_const(s->b, a->imm), IR_NONE);
}

static bool trans_BRK(DisasContext *s, arg_BRK *a)
{
    a64_exception(s, syndrome(EC_BRK, a->imm));
    return true;
}

/* ---- hints and barriers ---- */

/* All that is not named here is a NOP, SEV and SEVL among it (helpers.h). */
static bool trans_HINT(DisasContext *s, arg_HINT *a)
{
    switch (a->hint) {
    case 1:
        return end_with(s, &helper_yield, IR_NONE, IR_NONE);
    case 2:
        return end_with(s, &helper_wfe, IR_NONE, IR_NONE);
    case 3:
        return end_with(s, &helper_wfi, IR_NONE, IR_NONE);
    default:
        return true;
    }
}

static bool trans_CLREX(DisasContext *s, arg_CLREX *a)
{
    ir_st_env(s->b, 8, offsetof(Vcpu, excl_addr), ir_const(s->b, UINT64_MAX));
    return true;
}

static bool trans_BARRIER(DisasContext *s, arg_BARRIER *a)
{
    return true;
}

static bool trans_ISB(DisasContext *s, arg_ISB *a)
{
    return true;
}

/* ---- PSTATE ---- */

/* Go on at the next instruction, through the execution loop when an interrupt waits. */
static void end_after_unmask(DisasContext *s)
{
    IrVal pending;

    if (s->ended) {
        return;
    }
    pending = ir_ld_env(s->b, 4, offsetof(Vcpu, irq_pending));
    ir_exit_z(s->b, W32, pending, s->pc + 4);
    ir_exit_main(s->b, s->pc + 4);
    s->ended = true;
}

static IrVal load_daif(DisasContext *s)
{
    return ir_ld_env(s->b, 4, offsetof(ArmCpu, s.daif));
}

/* Where PSTATE.D switches debug exceptions on and off, the mode changes: that ends the unit. */
static void store_daif(DisasContext *s, IrVal daif)
{
    if (s->mode & MODE_DEBUG_BY_D) {
        ir_call(s->b, &helper_sysreg_write, ir_const(s->b, SYSREG_KEY(3, 3, 4, 2, 1)), daif,
                IR_NONE, IR_NONE);
        ir_exit_main(s->b, s->pc + 4);
        s->ended = true;
    } else {
        ir_st_env(s->b, 4, offsetof(ArmCpu, s.daif), daif);
    }
}

/* SCTLR_EL1.UMA clear: EL0 may not touch DAIF. True when the trap has been emitted. */
static bool daif_traps(DisasContext *s, uint32_t trap_syndrome)
{
    if (mode_el(s->mode) == 0 && (s->mode & MODE_UMA_TRAP)) {
        a64_exception(s, trap_syndrome);
        return true;
    }
    return false;
}

static bool msr_daif_imm(DisasContext *s, arg_MSR_imm *a, bool set)
{
    IrVal bits = ir_const(s->b, (uint64_t)a->imm << 6);

    if (daif_traps(s, syndrome_sysreg(0, a->op1, 4, a->imm, a->op2, 31, false))) {
        return true;
    }
    if (set) {
        store_daif(s, ir_or(s->b, W32, load_daif(s), bits));
    } else {
        store_daif(s, ir_andc(s->b, W32, load_daif(s), bits));
        if (a->imm & 3) {
            end_after_unmask(s);
        }
    }
    return true;
}

static bool msr_imm(DisasContext *s, arg_MSR_imm *a, MsrImmOp op, unsigned min_el)
{
    return mode_el(s->mode) >= min_el &&
           end_with(s, &helper_msr_imm, ir_const(s->b, op), ir_const(s->b, a->imm));
}

static bool trans_MSR_imm(DisasContext *s, arg_MSR_imm *a)
{
    switch (a->op1 << 3 | a->op2) {
    case 0 << 3 | 3:
        return msr_imm(s, a, MSR_IMM_UAO, 1);
    case 0 << 3 | 4:
        return msr_imm(s, a, MSR_IMM_PAN, 1);
    case 0 << 3 | 5:
        return msr_imm(s, a, MSR_IMM_SPSEL, 1);
    case 3 << 3 | 1:
        return msr_imm(s, a, MSR_IMM_SSBS, 0);
    case 3 << 3 | 2:
        return msr_imm(s, a, MSR_IMM_DIT, 0);
    case 3 << 3 | 4:
        return msr_imm(s, a, MSR_IMM_TCO, 0);
    case 3 << 3 | 6:
        return msr_daif_imm(s, a, true);
    case 3 << 3 | 7:
        return msr_daif_imm(s, a, false);
    default:
        return false;
    }
}

/* ---- system registers ---- */

/* The operands of one MRS, MSR, SYS or SYSL. */
typedef struct SysAccess {
    unsigned op0, op1, crn, crm, op2, rt;
    bool read;
} SysAccess;

static uint32_t access_syndrome(const SysAccess *a)
{
    return syndrome_sysreg(a->op0, a->op1, a->crn, a->crm, a->op2, a->rt, a->read);
}

/* The allocated row that the current EL may access, or NULL. */
static const SysReg *find_row(DisasContext *s, const SysAccess *a)
{
    const SysReg *r = sysreg_find(SYSREG_KEY(a->op0, a->op1, a->crn, a->crm, a->op2));
    unsigned min_el;

    if (!r) {
        return NULL;
    }
    min_el = a->read ? r->min_el_read : r->min_el_write;
    if ((r->flags & SYSREG_SP_EL0) && !(s->mode & MODE_SPSEL)) {
        return NULL;
    }
    return min_el != SYSREG_NEVER && mode_el(s->mode) >= min_el ? r : NULL;
}

/* Whether reads are the state as it is, at this EL and in this mode. */
static bool reads_state(const SysReg *r)
{
    return r->flags & (SYSREG_PLAIN | SYSREG_SP_EL0) || (r->offset && !r->read && !r->access);
}

static IrVal masked(DisasContext *s, const SysReg *r, IrWidth w, IrVal v)
{
    return r->writable ? ir_and(s->b, w, v, ir_const(s->b, r->writable)) : v;
}

static void translate_mrs(DisasContext *s, const SysReg *r, const SysAccess *a)
{
    IrVal v;

    if (r->flags & SYSREG_END_READ) {
        end_with(s, &helper_sysreg_read_to, ir_const(s->b, r->key), ir_const(s->b, a->rt));
        return;
    }
    if (r->flags & SYSREG_NZCV) {
        v = ir_get_nzcv(s->b);
    } else if (r->flags & SYSREG_DAIF) {
        if (daif_traps(s, access_syndrome(a))) {
            return;
        }
        v = load_daif(s);
    } else if (r->flags & SYSREG_CURRENT_EL) {
        v = ir_const(s->b, mode_el(s->mode) << 2);
    } else if (r->flags & SYSREG_CONST) {
        v = ir_const(s->b, r->reset);
    } else if (r->flags & SYSREG_FP32) {
        if (!a64_fp_access(s)) {
            return;
        }
        v = ir_ld_env(s->b, 4, r->offset);
    } else if (reads_state(r)) {
        v = ir_ld_env(s->b, 8, r->offset);
    } else {
        v = ir_call(s->b, &helper_sysreg_read, ir_const(s->b, r->key), IR_NONE, IR_NONE, IR_NONE);
    }
    a64_write(s, a->rt, v);
}

static void translate_msr(DisasContext *s, const SysReg *r, const SysAccess *a)
{
    IrVal v;

    if ((r->flags & SYSREG_DAIF) && daif_traps(s, access_syndrome(a))) {
        return;
    }
    if ((r->flags & SYSREG_FP32) && !a64_fp_access(s)) {
        return;
    }
    v = a64_read(s, a->rt, W64);
    if (r->flags & SYSREG_NZCV) {
        ir_set_nzcv(s->b, v);
    } else if (r->flags & SYSREG_DAIF) {
        store_daif(s, ir_and(s->b, W32, v, ir_const(s->b, 0xf << 6)));
        end_after_unmask(s);
    } else if (r->flags & SYSREG_FP32) {
        ir_st_env(s->b, 4, r->offset, masked(s, r, W32, v));
    } else if (r->flags & (SYSREG_PLAIN | SYSREG_SP_EL0)) {
        ir_st_env(s->b, 8, r->offset, masked(s, r, W64, v));
    } else {
        ir_call(s->b, &helper_sysreg_write, ir_const(s->b, r->key), v, IR_NONE, IR_NONE);
    }
    if (!s->ended && (r->flags & SYSREG_END_UNIT)) {
        ir_exit_main(s->b, s->pc + 4);
        s->ended = true;
    }
}

/*
 * DC ZVA: zero the 64-byte block of the address. On Device memory it takes an alignment fault
 * (DDI 0487 D4.4.8), as the first store does for not being aligned: it has no other purpose.
 */
static void translate_dc_zva(DisasContext *s, const SysAccess *a)
{
    IrVal addr, zero = ir_const(s->b, 0);

    if (mode_el(s->mode) == 0 && (s->mode & MODE_DCZ_TRAP)) {
        a64_exception(s, access_syndrome(a));
        return;
    }
    addr = a64_read(s, a->rt, W64);
    if (s->mode & MODE_WATCH) {
        ir_call(s->b, &helper_watchpoint, addr,
                ir_const(s->b, 64 << WATCH_BYTES_SHIFT | 1 << WATCH_COUNT_SHIFT | WATCH_WRITE |
                               WATCH_BLOCK), IR_NONE, IR_NONE);
    }
    addr = ir_and(s->b, W64, addr, ir_const(s->b, ~63ull));
    ir_st(s->b, MEM_16, ir_add(s->b, W64, addr, ir_const(s->b, DC_ZVA_PROBE)), zero);
    for (unsigned i = 0; i < 64; i += 16) {
        ir_st2(s->b, MEM_64, ir_add(s->b, W64, addr, ir_const(s->b, i)), zero, zero);
    }
}

/* Maintenance by address, which EL0 does with SCTLR_EL1.UCI set. */
static void translate_cache_va(DisasContext *s, const SysAccess *a)
{
    if (mode_el(s->mode) == 0 && (s->mode & MODE_UCI_TRAP)) {
        a64_exception(s, access_syndrome(a));
        return;
    }
    ir_call(s->b, &helper_cache_va, a64_read(s, a->rt, W64), IR_NONE, IR_NONE, IR_NONE);
}

static bool system_access(DisasContext *s, const SysAccess *a)
{
    const SysReg *r = find_row(s, a);

    if (!r) {
        return false;
    }
    if (r->flags & SYSREG_DC_ZVA) {
        translate_dc_zva(s, a);
    } else if (r->flags & SYSREG_CACHE_VA) {
        translate_cache_va(s, a);
    } else if (r->flags & SYSREG_NOP) {
        return true;
    } else if (a->read) {
        translate_mrs(s, r, a);
    } else {
        translate_msr(s, r, a);
    }
    return true;
}

static bool trans_SYS(DisasContext *s, arg_SYS *a)
{
    return system_access(s, &(SysAccess){ 1, a->op1, a->crn, a->crm, a->op2, a->rt, false });
}

static bool trans_SYSL(DisasContext *s, arg_SYSL *a)
{
    return system_access(s, &(SysAccess){ 1, a->op1, a->crn, a->crm, a->op2, a->rt, true });
}

static bool trans_MSR(DisasContext *s, arg_MSR *a)
{
    return system_access(s, &(SysAccess){ 2 | a->o0, a->op1, a->crn, a->crm, a->op2, a->rt,
                                          false });
}

static bool trans_MRS(DisasContext *s, arg_MRS *a)
{
    return system_access(s, &(SysAccess){ 2 | a->o0, a->op1, a->crn, a->crm, a->op2, a->rt,
                                          true });
}
