/*
 * Taking exceptions to EL1 and returning from them (DDI 0487 D1.10, D1.11), and
 * the helpers for the instructions that do so.
 *
 * Every exception that EL0 and EL1 take goes to EL1: there is no EL2 or EL3.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/exceptions.h"
#include "accel/tcg/nzcv.h"
#include "target/arm/helpers.h"
#include "target/arm/mmu.h"
#include "target/arm/psci.h"
#include "target/arm/syndrome.h"
#include "target/arm/system.h"
#include "util/bitops.h"
#include "util/log.h"

/* ISS of a data abort. */
#define ISS_WNR (1u << 6)
#define ISS_CM (1u << 8)

/* ISS of a trapped WFI: CV, and the condition "always". */
#define ISS_WFI (1u << 24 | 0xeu << 20)

#define SYNDROME_EC_SHIFT 26

/* ---- PSTATE and the stack pointers ---- */

uint32_t arm_pstate_read(const ArmCpu *cpu)
{
    const ArmState *s = &cpu->s;

    return nzcv_unpack(cpu->vcpu.nzcv) | (s->ss ? PSTATE_SS : 0) | (s->il ? PSTATE_IL : 0) |
           (s->daif & PSTATE_DAIF) | (uint32_t)s->el << PSTATE_EL_SHIFT | s->spsel;
}

/* Which bank slot 31 stands for. */
static unsigned sp_bank(const ArmState *s)
{
    return s->spsel ? s->el : 0;
}

void arm_set_el_sp(ArmCpu *cpu, unsigned el, unsigned spsel)
{
    ArmState *s = &cpu->s;

    s->sp_el[sp_bank(s)] = cpu->vcpu.slot[SLOT_SP];
    s->el = el;
    s->spsel = spsel;
    cpu->vcpu.slot[SLOT_SP] = s->sp_el[sp_bank(s)];
    vcpu_space_changed(&cpu->vcpu);
}

uint64_t arm_sp_read(const ArmCpu *cpu, unsigned el)
{
    return el == sp_bank(&cpu->s) ? cpu->vcpu.slot[SLOT_SP] : cpu->s.sp_el[el];
}

void arm_sp_write(ArmCpu *cpu, unsigned el, uint64_t value)
{
    if (el == sp_bank(&cpu->s)) {
        cpu->vcpu.slot[SLOT_SP] = value;
    } else {
        cpu->s.sp_el[el] = value;
    }
}

/* ---- entry ---- */

static const char *exception_name(unsigned vector, uint32_t esr)
{
    switch (vector) {
    case VECTOR_IRQ:
        return "IRQ";
    case VECTOR_FIQ:
        return "FIQ";
    }
    switch (esr >> SYNDROME_EC_SHIFT) {
    case EC_UNKNOWN:
        return "undefined instruction";
    case EC_WFX:
        return "trapped WFI or WFE";
    case EC_FP_ACCESS:
        return "FP access trap";
    case EC_ILLEGAL_STATE:
        return "illegal state";
    case EC_SVC64:
        return "SVC";
    case EC_SYSREG:
        return "trapped system register";
    case EC_INSN_ABORT_LOWER:
    case EC_INSN_ABORT:
        return "instruction abort";
    case EC_PC_ALIGNMENT:
        return "PC alignment";
    case EC_DATA_ABORT_LOWER:
    case EC_DATA_ABORT:
        return "data abort";
    case EC_SP_ALIGNMENT:
        return "SP alignment";
    case EC_SOFTWARE_STEP_LOWER:
    case EC_SOFTWARE_STEP:
        return "software step";
    case EC_BRK:
        return "BRK";
    }
    return "exception";
}

/* AArch64.TakeException to EL1; ESR_EL1 is the caller's. */
static void enter_el1(ArmCpu *cpu, unsigned vector, uint64_t return_pc)
{
    ArmState *s = &cpu->s;
    Vcpu *vcpu = &cpu->vcpu;

    if (s->el == 0) {
        vector += 0x400;
    } else if (s->spsel) {
        vector += 0x200;
    }
    s->spsr_el[1] = arm_pstate_read(cpu);
    s->elr_el[1] = return_pc;
    s->daif = PSTATE_DAIF;
    s->il = 0;
    s->ss = 0;
    arm_set_el_sp(cpu, 1, 1);
    vcpu->pc = s->vbar_el[1] + vector;
    vcpu->halted = 0;
    if (vcpu->exception_hook) {
        vcpu->exception_hook(vcpu->exception_hook_opaque, vector, return_pc);
    }
}

static void take_sync(ArmCpu *cpu, uint32_t esr, uint64_t return_pc)
{
    unsigned from = cpu->s.el;

    cpu->s.esr_el[1] = esr;
    enter_el1(cpu, VECTOR_SYNC, return_pc);
    cpu->vcpu.exit_request = 1;
    if (log_enabled(LOG_INT)) {
        log_mask(LOG_INT, "cpu %u: %s from EL%u at 0x%" PRIx64 ": ESR 0x%x FAR 0x%" PRIx64
                 " SPSR 0x%" PRIx64 " to 0x%" PRIx64 "\n", cpu->vcpu.index,
                 exception_name(VECTOR_SYNC, esr), from, return_pc, esr,
                 cpu->s.far_el[1], cpu->s.spsr_el[1], cpu->vcpu.pc);
    }
}

void arm_exception(ArmCpu *cpu, uint32_t esr, uint64_t return_pc)
{
    if (esr >> SYNDROME_EC_SHIFT == EC_PC_ALIGNMENT) {
        cpu->s.far_el[1] = return_pc;
    }
    take_sync(cpu, esr, return_pc);
}

void arm_exception_far(ArmCpu *cpu, uint32_t esr, uint64_t far)
{
    cpu->s.far_el[1] = far;
    take_sync(cpu, esr, cpu->vcpu.pc);
}

void arm_undefined(ArmCpu *cpu)
{
    arm_exception(cpu, syndrome(EC_UNKNOWN, 0), cpu->vcpu.pc);
}

/* ---- aborts ---- */

/* An abort's EC is one higher when it comes from the EL that takes it. */
static void raise_memory(ArmCpu *cpu, uint64_t vaddr, MmuAccess access, uint32_t fsc)
{
    unsigned same_el = cpu->s.el != 0;

    if (access != MMU_FETCH && a64_sp_misaligned_access(cpu)) {
        arm_exception(cpu, syndrome(EC_SP_ALIGNMENT, 0), cpu->vcpu.pc);
    } else if (access == MMU_FETCH) {
        arm_exception_far(cpu, syndrome(EC_INSN_ABORT_LOWER + same_el, fsc), vaddr);
    } else {
        uint32_t wnr = access == MMU_WRITE ? ISS_WNR : 0;

        arm_exception_far(cpu, syndrome(EC_DATA_ABORT_LOWER + same_el, fsc | wnr), vaddr);
    }
}

void arm_raise_abort(Vcpu *vcpu, uint64_t vaddr, MmuAccess access, uint32_t fault, bool unpriv)
{
    raise_memory(arm_cpu(vcpu), vaddr, access, fault);
}

void arm_raise_walk_abort(ArmCpu *cpu, uint64_t vaddr, uint32_t fsc)
{
    unsigned same_el = cpu->s.el != 0;

    arm_exception_far(cpu, syndrome(EC_DATA_ABORT_LOWER + same_el, fsc | ISS_CM), vaddr);
}

void arm_raise_alignment(Vcpu *vcpu, uint64_t vaddr, MmuAccess access)
{
    if (access == MMU_FETCH) {
        arm_exception(arm_cpu(vcpu), syndrome(EC_PC_ALIGNMENT, 0), vaddr);
    } else {
        raise_memory(arm_cpu(vcpu), vaddr, access, FSC_ALIGNMENT);
    }
}

void arm_raise_external(Vcpu *vcpu, uint64_t vaddr, MmuAccess access)
{
    log_mask(LOG_GUEST_ERROR, "cpu %u: external abort at 0x%" PRIx64 ", pc 0x%" PRIx64 "\n",
             vcpu->index, vaddr, vcpu->pc);
    raise_memory(arm_cpu(vcpu), vaddr, access, FSC_EXTERNAL);
}

/* ---- interrupts ---- */

void arm_irq_input(void *opaque, unsigned n, bool level)
{
    ArmCpu *cpu = opaque;
    uint8_t bit = 1 << n;

    cpu->s.irq_level = level ? cpu->s.irq_level | bit : cpu->s.irq_level & ~bit;
    vcpu_set_irq_pending(&cpu->vcpu, cpu->s.irq_level != 0);
}

bool arm_take_interrupt(Vcpu *vcpu)
{
    ArmCpu *cpu = arm_cpu(vcpu);
    ArmState *s = &cpu->s;
    unsigned vector, from = s->el;

    if (vcpu->powered_off) {
        return false;
    }
    if ((s->irq_level & ARM_FIQ) && !(s->daif & PSTATE_F)) {
        vector = VECTOR_FIQ;
    } else if ((s->irq_level & ARM_IRQ) && !(s->daif & PSTATE_I)) {
        vector = VECTOR_IRQ;
    } else {
        return false;
    }
    enter_el1(cpu, vector, vcpu->pc);
    if (log_enabled(LOG_INT)) {
        log_mask(LOG_INT, "cpu %u: %s from EL%u at 0x%" PRIx64 ": SPSR 0x%" PRIx64
                 " to 0x%" PRIx64 "\n", vcpu->index, exception_name(vector, 0), from,
                 s->elr_el[1], s->spsr_el[1], vcpu->pc);
    }
    return true;
}

/* Masked interrupts wake a WFI too (DDI 0487 D1.16.2). */
bool arm_has_work(Vcpu *vcpu)
{
    return !vcpu->powered_off && arm_cpu(vcpu)->s.irq_level != 0;
}

/* ---- software step (DDI 0487 D2.12) ---- */

/* AArch64.GenerateDebugExceptionsFrom: what EL1 takes from `el` with PSTATE.D = masked. */
static bool debug_exceptions_from(const ArmState *s, unsigned el, bool masked)
{
    if ((s->oslsr_el1 & OSLSR_OSLK) || (s->osdlr_el1 & 1)) {
        return false;
    }
    return el == 0 || ((s->mdscr_el1 & MDSCR_KDE) && !masked);
}

bool arm_step_active(const ArmCpu *cpu)
{
    const ArmState *s = &cpu->s;

    return (s->mdscr_el1 & MDSCR_SS) && debug_exceptions_from(s, s->el, s->daif & PSTATE_D);
}

bool arm_step_by_d(const ArmCpu *cpu)
{
    const ArmState *s = &cpu->s;

    return (s->mdscr_el1 & MDSCR_SS) && s->el == 1 && debug_exceptions_from(s, 1, false);
}

/* Active-pending: the step exception comes before the instruction. */
static void do_software_step(Vcpu *vcpu)
{
    /* ISS: a debug exception; ISV is 0, whether a load-exclusive was stepped is not known. */
    const uint32_t debug = 0x22;
    ArmCpu *cpu = arm_cpu(vcpu);
    unsigned same_el = cpu->s.el != 0;

    if (!cpu->s.ss) {
        arm_exception(cpu, syndrome(EC_SOFTWARE_STEP_LOWER + same_el, debug), vcpu->pc);
    }
}

/* ---- return ---- */

/* The instruction address that a branch to `pc` gives at the current EL (TBI). */
static uint64_t branch_address(ArmCpu *cpu, uint64_t pc)
{
    return arm_clean_address(&cpu->vcpu, pc, false);
}

/* IllegalExceptionReturn from EL1, for EL0 and EL1 that are AArch64 only. */
static bool illegal_return(uint32_t spsr)
{
    switch (spsr & 0x1f) {
    case 0x0:       /* EL0t */
    case 0x4:       /* EL1t */
    case 0x5:       /* EL1h */
        return false;
    }
    return true;
}

void arm_exception_return(ArmCpu *cpu)
{
    ArmState *s = &cpu->s;
    uint32_t spsr = s->spsr_el[1];
    bool illegal = illegal_return(spsr);
    unsigned el = illegal ? s->el : spsr >> PSTATE_EL_SHIFT & 3;
    unsigned spsel = illegal ? s->spsel : spsr & PSTATE_SP;
    bool stepped = (s->mdscr_el1 & MDSCR_SS) &&
                   !debug_exceptions_from(s, s->el, s->daif & PSTATE_D) &&
                   debug_exceptions_from(s, el, spsr & PSTATE_D);

    s->ss = stepped && (spsr & PSTATE_SS);
    s->il = illegal || (spsr & PSTATE_IL);
    s->daif = spsr & PSTATE_DAIF;
    cpu->vcpu.nzcv = nzcv_pack(spsr & PSTATE_NZCV);
    arm_set_el_sp(cpu, el, spsel);
    cpu->vcpu.pc = branch_address(cpu, s->elr_el[1]);
    cpu->vcpu.excl_addr = UINT64_MAX;
    cpu->vcpu.exit_request = 1;
    if (illegal) {
        log_mask(LOG_GUEST_ERROR, "cpu %u: illegal exception return, SPSR 0x%x\n",
                 cpu->vcpu.index, spsr);
    }
    log_mask(LOG_INT, "cpu %u: exception return to EL%u at 0x%" PRIx64 "\n", cpu->vcpu.index,
             el, cpu->vcpu.pc);
}

/* ---- helpers ---- */

static void do_exception(Vcpu *vcpu, uint64_t esr)
{
    arm_exception(arm_cpu(vcpu), esr, vcpu->pc);
}

static void do_svc(Vcpu *vcpu, uint64_t imm16)
{
    arm_exception(arm_cpu(vcpu), syndrome(EC_SVC64, imm16), vcpu->pc + 4);
}

/* Without EL2 and EL3 both calls are UNDEFINED, but for the one that firmware answers. */
static void firmware_call(Vcpu *vcpu, bool smc)
{
    ArmCpu *cpu = arm_cpu(vcpu);

    if (cpu->s.el == 0 || cpu->psci_conduit_smc != smc) {
        arm_undefined(cpu);
        return;
    }
    vcpu->pc += 4;
    vcpu->exit_request = 1;
    psci_call(cpu);
}

static void do_hvc(Vcpu *vcpu, uint64_t imm16)
{
    firmware_call(vcpu, false);
}

static void do_smc(Vcpu *vcpu, uint64_t imm16)
{
    firmware_call(vcpu, true);
}

static void do_eret(Vcpu *vcpu)
{
    ArmCpu *cpu = arm_cpu(vcpu);

    if (cpu->s.el == 0) {
        arm_undefined(cpu);
    } else {
        arm_exception_return(cpu);
    }
}

/* Go on after the current instruction, through the execution loop. */
static void leave_after(Vcpu *vcpu)
{
    vcpu->pc += 4;
    vcpu->exit_request = 1;
}

static void do_wfi(Vcpu *vcpu)
{
    ArmCpu *cpu = arm_cpu(vcpu);

    if (arm_has_work(vcpu)) {
        leave_after(vcpu);
    } else if (cpu->s.el == 0 && !(cpu->s.sctlr_el[1] & SCTLR_NTWI)) {
        arm_exception(cpu, syndrome(EC_WFX, ISS_WFI), vcpu->pc);
    } else {
        leave_after(vcpu);
        vcpu->halted = 1;
    }
}

/*
 * The event register counts as set whenever a WFE looks at it, so that WFE never
 * waits; it only lets the other CPUs run.
 */
static void do_wfe(Vcpu *vcpu)
{
    leave_after(vcpu);
}

static void do_yield(Vcpu *vcpu)
{
    leave_after(vcpu);
}

/* PAN, UAO, DIT, SSBS and TCO are later extensions: undefined at v8.0. */
static void do_msr_imm(Vcpu *vcpu, uint64_t op, uint64_t imm)
{
    ArmCpu *cpu = arm_cpu(vcpu);

    if (op != MSR_IMM_SPSEL || cpu->s.el == 0) {
        arm_undefined(cpu);
        return;
    }
    leave_after(vcpu);
    arm_set_el_sp(cpu, cpu->s.el, imm & 1);
}

#define ARM_HELPER(NAME, NUM_ARGS)                                                      \
    const IrHelper helper_##NAME = { #NAME, (void (*)(void))do_##NAME, NUM_ARGS,        \
                                     IR_HELPER_SYNC | IR_HELPER_VOID }

ARM_HELPER(exception, 1);
ARM_HELPER(software_step, 0);
ARM_HELPER(svc, 1);
ARM_HELPER(hvc, 1);
ARM_HELPER(smc, 1);
ARM_HELPER(eret, 0);
ARM_HELPER(wfi, 0);
ARM_HELPER(wfe, 0);
ARM_HELPER(yield, 0);
ARM_HELPER(msr_imm, 2);
