/*
 * Taking exceptions and returning from them (DDI 0487 D1.10, D1.11), and the helpers
 * for the instructions that do so. routing.c says which EL an exception goes to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/exceptions.h"
#include "accel/tcg/nzcv.h"
#include "target/arm/debug.h"
#include "target/arm/helpers.h"
#include "target/arm/mmu.h"
#include "target/arm/psci.h"
#include "target/arm/routing.h"
#include "target/arm/syndrome.h"
#include "target/arm/system.h"
#include "util/bitops.h"
#include "util/log.h"

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
    case EC_BREAKPOINT_LOWER:
    case EC_BREAKPOINT:
        return "breakpoint";
    case EC_SOFTWARE_STEP_LOWER:
    case EC_SOFTWARE_STEP:
        return "software step";
    case EC_WATCHPOINT_LOWER:
    case EC_WATCHPOINT:
        return "watchpoint";
    case EC_BRK:
        return "BRK";
    }
    return "exception";
}

/* What is added to a vector for where the exception comes from (DDI 0487 D1.10.2). */
static unsigned vector_source(const ArmCpu *cpu, unsigned target)
{
    const ArmState *s = &cpu->s;
    unsigned lower = target - 1;

    if (target == s->el) {
        return s->spsel ? 0x200 : 0;
    }
    if (target == 3 && !arm_el2_enabled(cpu)) {
        lower = 1;
    }
    /* There is no AArch32 at EL0, so EL1's and a host's applications are AArch64. */
    return lower == 0 || (target == 2 && arm_in_host(cpu)) || arm_el_is_aa64(cpu, lower) ?
           0x400 : 0x600;
}

static void log_exception(const ArmCpu *cpu, unsigned from, unsigned vector)
{
    const ArmState *s = &cpu->s;

    log_mask(LOG_INT, "cpu %u: %s from EL%u at 0x%" PRIx64 " to EL%u: ESR 0x%" PRIx64
             " FAR 0x%" PRIx64 " SPSR 0x%" PRIx64 ", goes on at 0x%" PRIx64 "\n",
             cpu->vcpu.index, exception_name(vector, s->esr_el[s->el]), from, s->elr_el[s->el],
             s->el, s->esr_el[s->el], s->far_el[s->el], s->spsr_el[s->el], cpu->vcpu.pc);
}

void arm_take_exception(ArmCpu *cpu, unsigned target, unsigned vector, uint32_t esr,
                        uint64_t return_pc)
{
    ArmState *s = &cpu->s;
    Vcpu *vcpu = &cpu->vcpu;
    unsigned from = s->el, offset = vector + vector_source(cpu, target);

    assert(target >= 1 && target <= 3 && target >= from);
    if (vector != VECTOR_IRQ && vector != VECTOR_FIQ) {
        s->esr_el[target] = esr;
    }
    s->spsr_el[target] = arm_pstate_read(cpu);
    s->elr_el[target] = return_pc;
    s->daif = PSTATE_DAIF;
    s->il = 0;
    s->ss = 0;
    arm_set_el_sp(cpu, target, 1);
    vcpu->pc = s->vbar_el[target] + offset;
    vcpu->halted = 0;
    if (vector == VECTOR_SYNC) {
        vcpu->exit_request = 1;
    }
    if (vcpu->exception_hook) {
        vcpu->exception_hook(vcpu->exception_hook_opaque, offset, return_pc);
    }
    if (log_enabled(LOG_INT)) {
        log_exception(cpu, from, vector);
    }
}

/* The rule that a synchronous exception's class is routed by. */
static ArmRoute route_of_class(unsigned ec)
{
    switch (ec) {
    case EC_BREAKPOINT_LOWER:
    case EC_BREAKPOINT:
    case EC_SOFTWARE_STEP_LOWER:
    case EC_SOFTWARE_STEP:
    case EC_WATCHPOINT_LOWER:
    case EC_WATCHPOINT:
    case EC_BRK:
        return ROUTE_DEBUG;
    }
    return ROUTE_SYNC;
}

void arm_exception(ArmCpu *cpu, uint32_t esr, uint64_t return_pc)
{
    unsigned ec = esr >> SYNDROME_EC_SHIFT;
    unsigned target = arm_route(cpu, route_of_class(ec), cpu->s.el);

    if (ec == EC_PC_ALIGNMENT) {
        cpu->s.far_el[target] = return_pc;
    }
    arm_take_exception(cpu, target, VECTOR_SYNC, esr, return_pc);
}

void arm_undefined(ArmCpu *cpu)
{
    arm_exception(cpu, syndrome(EC_UNKNOWN, 0), cpu->vcpu.pc);
}

/* ---- aborts ---- */

void arm_take_abort(ArmCpu *cpu, ArmRoute route, unsigned lower_ec, uint32_t iss, uint64_t far)
{
    unsigned target = arm_route(cpu, route, cpu->s.el);
    unsigned ec = lower_ec + (target == cpu->s.el);

    cpu->s.far_el[target] = far;
    arm_take_exception(cpu, target, VECTOR_SYNC, syndrome(ec, iss), cpu->vcpu.pc);
}

/*
 * An instruction fetch or data access faults. `insn_iss` is what the instruction's word of the
 * translation says for the syndrome (ISV and the fields that it makes valid: access size and
 * register), or 0 when it is not known. The manual has these for stage 2 faults only.
 */
static void raise_memory(ArmCpu *cpu, ArmRoute route, uint64_t vaddr, MmuAccess access,
                         uint32_t fsc, uint32_t insn_iss)
{
    if (access != MMU_FETCH && a64_sp_misaligned_access(cpu)) {
        arm_exception(cpu, syndrome(EC_SP_ALIGNMENT, 0), cpu->vcpu.pc);
    } else if (access == MMU_FETCH) {
        arm_take_abort(cpu, route, EC_INSN_ABORT_LOWER, fsc, vaddr);
    } else {
        uint32_t iss = fsc | (access == MMU_WRITE ? ISS_WNR : 0) |
                       (route == ROUTE_STAGE2 ? insn_iss : 0);

        if (access == MMU_WRITE) {
            vaddr = a64_store_fault_address(cpu, vaddr);
        }
        arm_take_abort(cpu, route, EC_DATA_ABORT_LOWER, iss, vaddr);
    }
}

/* Walks meet external aborts too. */
static ArmRoute route_of_fault(uint32_t fsc)
{
    return (fsc & ~3u) == FSC_EXTERNAL_WALK || fsc == FSC_EXTERNAL ? ROUTE_EXTERNAL : ROUTE_SYNC;
}

void arm_raise_abort(Vcpu *vcpu, uint64_t vaddr, MmuAccess access, uint32_t fault, bool unpriv)
{
    raise_memory(arm_cpu(vcpu), route_of_fault(fault), vaddr, access, fault, 0);
}

void arm_raise_cm_abort(ArmCpu *cpu, uint64_t vaddr, uint32_t fsc)
{
    arm_take_abort(cpu, route_of_fault(fsc), EC_DATA_ABORT_LOWER, fsc | ISS_CM | ISS_WNR, vaddr);
}

void arm_raise_alignment(Vcpu *vcpu, uint64_t vaddr, MmuAccess access)
{
    if (access == MMU_FETCH) {
        arm_exception(arm_cpu(vcpu), syndrome(EC_PC_ALIGNMENT, 0), vaddr);
    } else {
        raise_memory(arm_cpu(vcpu), ROUTE_SYNC, vaddr, access, FSC_ALIGNMENT, 0);
    }
}

void arm_raise_external(Vcpu *vcpu, uint64_t vaddr, MmuAccess access)
{
    log_mask(LOG_GUEST_ERROR, "cpu %u: external abort at 0x%" PRIx64 ", pc 0x%" PRIx64 "\n",
             vcpu->index, vaddr, vcpu->pc);
    raise_memory(arm_cpu(vcpu), ROUTE_EXTERNAL, vaddr, access, FSC_EXTERNAL, 0);
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
    const ArmState *s = &cpu->s;
    unsigned target;

    if (vcpu->powered_off) {
        return false;
    }
    if ((s->irq_level & ARM_FIQ) && arm_interrupt_taken(cpu, ROUTE_FIQ, &target)) {
        arm_take_exception(cpu, target, VECTOR_FIQ, 0, vcpu->pc);
        return true;
    }
    if ((s->irq_level & ARM_IRQ) && arm_interrupt_taken(cpu, ROUTE_IRQ, &target)) {
        arm_take_exception(cpu, target, VECTOR_IRQ, 0, vcpu->pc);
        return true;
    }
    return false;
}

/* Masked interrupts wake a WFI too (DDI 0487 D1.16.2). */
bool arm_has_work(Vcpu *vcpu)
{
    return !vcpu->powered_off && arm_cpu(vcpu)->s.irq_level != 0;
}

/* ---- return ---- */

/* The instruction address that a branch to `pc` gives at the current EL (TBI). */
static uint64_t branch_address(ArmCpu *cpu, uint64_t pc)
{
    return arm_clean_address(&cpu->vcpu, pc, false);
}

/* IllegalExceptionReturn, of a CPU that has no AArch32. */
static bool illegal_return(const ArmCpu *cpu, uint32_t spsr)
{
    unsigned el = spsr >> PSTATE_EL_SHIFT & 3;

    if ((spsr & (PSTATE_MODE32 | 2)) || el > cpu->s.el || (el == 0 && (spsr & PSTATE_SP))) {
        return true;
    }
    if (el > 0 && !arm_el_is_aa64(cpu, el)) {
        return true;
    }
    switch (el) {
    case 1:
        return arm_el2_enabled(cpu) && (cpu->s.hcr_el2 & HCR_TGE);
    case 2:
        return !arm_el2_enabled(cpu);
    }
    return false;
}

void arm_exception_return(ArmCpu *cpu)
{
    ArmState *s = &cpu->s;
    uint32_t spsr = s->spsr_el[s->el];
    uint64_t return_pc = s->elr_el[s->el];
    bool illegal = illegal_return(cpu, spsr);
    unsigned el = illegal ? s->el : spsr >> PSTATE_EL_SHIFT & 3;
    unsigned spsel = illegal ? s->spsel : spsr & PSTATE_SP;
    bool stepped = (s->mdscr_el1 & MDSCR_SS) &&
                   !arm_debug_exceptions_from(cpu, s->el, s->daif & PSTATE_D) &&
                   arm_debug_exceptions_from(cpu, el, spsr & PSTATE_D);

    s->ss = stepped && (spsr & PSTATE_SS);
    s->il = illegal || (spsr & PSTATE_IL);
    s->daif = spsr & PSTATE_DAIF;
    cpu->vcpu.nzcv = nzcv_pack(spsr & PSTATE_NZCV);
    arm_set_el_sp(cpu, el, spsel);
    cpu->vcpu.pc = branch_address(cpu, return_pc);
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
    } else if (cpu->s.el == 0 && !(arm_sctlr(cpu) & SCTLR_NTWI)) {
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
    vcpu_yield(vcpu);
}

static void do_yield(Vcpu *vcpu)
{
    leave_after(vcpu);
    vcpu_yield(vcpu);
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
ARM_HELPER(svc, 1);
ARM_HELPER(hvc, 1);
ARM_HELPER(smc, 1);
ARM_HELPER(eret, 0);
ARM_HELPER(wfi, 0);
ARM_HELPER(wfe, 0);
ARM_HELPER(yield, 0);
ARM_HELPER(msr_imm, 2);
