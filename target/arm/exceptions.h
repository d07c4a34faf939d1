/*
 * Exceptions: entry, return, PSTATE as a whole, interrupts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_EXCEPTIONS_H
#define TARGET_ARM_EXCEPTIONS_H

#include "target/arm/cpu.h"
#include "target/arm/routing.h"

/* PSTATE and SPSR_ELx bits (DDI 0487 C5.2.18). */
enum ArmPstate {
    PSTATE_SP = 1 << 0,
    PSTATE_EL_SHIFT = 2,
    PSTATE_MODE32 = 1 << 4,
    PSTATE_F = 1 << 6,
    PSTATE_I = 1 << 7,
    PSTATE_A = 1 << 8,
    PSTATE_D = 1 << 9,
    PSTATE_DAIF = 0xf << 6,
    PSTATE_IL = 1 << 20,
    PSTATE_SS = 1 << 21,
};
#define PSTATE_NZCV 0xf0000000u
/* What SPSR_EL1 holds when all of EL0 and EL1 are AArch64 at v8.0. */
#define SPSR_V8_0_MASK (PSTATE_NZCV | PSTATE_SS | PSTATE_IL | PSTATE_DAIF | 0x1f)

/* Offsets in the vector table, before the source of the exception is added. */
enum ArmVector {
    VECTOR_SYNC = 0x000,
    VECTOR_IRQ = 0x080,
    VECTOR_FIQ = 0x100,
    VECTOR_SERROR = 0x180,
};

/* irq_level bits. */
enum { ARM_IRQ = 1 << 0, ARM_FIQ = 1 << 1 };

uint32_t arm_pstate_read(const ArmCpu *cpu);
/* Change EL and SPSel, exchanging slot 31 with the bank; the space may have changed. */
void arm_set_el_sp(ArmCpu *cpu, unsigned el, unsigned spsel);
/* The SP of `el` as MSR/MRS SP_ELx see it, wherever it lives now. */
uint64_t arm_sp_read(const ArmCpu *cpu, unsigned el);
void arm_sp_write(ArmCpu *cpu, unsigned el, uint64_t value);

/*
 * AArch64.TakeException: go to `target`, 1 to 3 and not below the current EL, at `vector`
 * (ArmVector) for where it comes from. The syndrome is not recorded for IRQ and FIQ; who
 * has a fault address has put it into far_el[target]. A synchronous one leaves the unit.
 */
void arm_take_exception(ArmCpu *cpu, unsigned target, unsigned vector, uint32_t esr,
                        uint64_t return_pc);
/*
 * A synchronous exception with this syndrome, routed by its class, whose preferred return
 * address is return_pc. PC alignment faults set FAR_ELx.
 */
void arm_exception(ArmCpu *cpu, uint32_t esr, uint64_t return_pc);
/*
 * An exception with a FAR whose return address is the current instruction. `lower_ec` is its
 * class when it comes from below the EL that takes it; the class above is for the same EL.
 */
void arm_take_abort(ArmCpu *cpu, ArmRoute route, unsigned lower_ec, uint32_t iss, uint64_t far);
/* The encoding is UNDEFINED at this EL or in this state. */
void arm_undefined(ArmCpu *cpu);

/* ERET at the current EL, which is not EL0. */
void arm_exception_return(ArmCpu *cpu);

/* VcpuOps. */
bool arm_take_interrupt(Vcpu *vcpu);
bool arm_has_work(Vcpu *vcpu);
void arm_raise_abort(Vcpu *vcpu, uint64_t vaddr, MmuAccess access, uint32_t fault, bool unpriv);
void arm_raise_alignment(Vcpu *vcpu, uint64_t vaddr, MmuAccess access);
void arm_raise_external(Vcpu *vcpu, uint64_t vaddr, MmuAccess access);
/* Address translation or cache maintenance that faults: a data abort with CM and WnR set. */
void arm_raise_cm_abort(ArmCpu *cpu, uint64_t vaddr, uint32_t fsc);

/* IrqHandler of the CPU's inputs; n is 0 for IRQ, 1 for FIQ. */
void arm_irq_input(void *opaque, unsigned n, bool level);

#endif
