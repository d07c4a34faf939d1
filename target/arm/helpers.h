/*
 * Helpers that translated A64 code calls. Those that are not marked plain are
 * IR_HELPER_SYNC: they may read and write everything, and raise exceptions.
 *
 * 1. A helper that raised an exception has set vcpu->pc to the vector and
 *    vcpu->exit_request.
 * 2. "Ends": the front end emits ir_exit_main_helper() after the call, and the helper
 *    always leaves vcpu->pc where execution goes on.
 * 3. A helper that does not end, raised nothing but finds exit_request set (a write that raised
 *    an interrupt, say) adds 4 to vcpu->pc, for the unit is left at vcpu->pc. A register read
 *    must not leave exit_request set that way: its result would be lost.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_HELPERS_H
#define TARGET_ARM_HELPERS_H

#include "target/arm/cpu.h"

/* Which operand of MSR (immediate) helper_msr_imm gets. */
typedef enum MsrImmOp { MSR_IMM_SPSEL, MSR_IMM_PAN, MSR_IMM_UAO, MSR_IMM_DIT, MSR_IMM_SSBS,
                        MSR_IMM_TCO } MsrImmOp;

/* What an instruction accesses, for helper_watchpoint. */
enum ArmWatchAccess {
    WATCH_BYTES_SHIFT = 0,      /* of one access ... */
    WATCH_COUNT_SHIFT = 8,      /* ... and how many there are in a row */
    WATCH_WRITE = 1 << 16,
    WATCH_UNPRIV = 1 << 17,
    WATCH_ALIGNED = 1 << 18,    /* each has to be aligned, else it faults */
    WATCH_PAIR_ALIGNED = 1 << 19, /* so has the pair of both as a whole */
    WATCH_BLOCK = 1 << 20,      /* DC ZVA: the fault address is `address`, not that of an access */
};

/*
 * (syndrome) Exception to the current EL's handler; return address: the current pc.
 * PC alignment faults (EC 0x22) set FAR to the pc. Ends.
 */
extern const IrHelper helper_exception;
/* (imm16) SVC, HVC, SMC; return address pc + 4 where one is taken. All three end. */
extern const IrHelper helper_svc;
extern const IrHelper helper_hvc;
extern const IrHelper helper_smc;
/* () Exception return. Ends. */
extern const IrHelper helper_eret;
/*
 * () Wait for interrupt or event, or go on; pc + 4 afterwards, or a trap. End.
 * There is no event register: SEV and SEVL do nothing, so WFE must not wait for them.
 */
extern const IrHelper helper_wfi;
extern const IrHelper helper_wfe;
/* () Gives the rest of the slice away; pc + 4. Ends. */
extern const IrHelper helper_yield;
/*
 * (MsrImmOp, immediate) PSTATE fields other than DAIF; undefined when not implemented.
 * pc + 4. Ends.
 */
extern const IrHelper helper_msr_imm;
/*
 * () Before an instruction with software step active (MODE_SS): raises the Software Step
 * exception when PSTATE.SS is 0 (active-pending), else does nothing. The
 * translator clears PSTATE.SS once the instruction is done.
 */
extern const IrHelper helper_software_step;
/* () Before an instruction that may have a breakpoint: raises the exception, or nothing. */
extern const IrHelper helper_breakpoint;
/*
 * (address, ArmWatchAccess bits) Before the accesses of an instruction, once for all of
 * them: raises a watchpoint exception, or does nothing.
 */
extern const IrHelper helper_watchpoint;
/*
 * (key) -> value, and (key, value), of MRS, MSR, SYS and SYSL: they do access checks
 * and traps. pc is advanced by no one when the access succeeds (but rule 3): the unit
 * goes on, or for SYSREG_END_UNIT leaves with ir_exit_main(pc + 4).
 */
extern const IrHelper helper_sysreg_read;
extern const IrHelper helper_sysreg_write;
/*
 * (key, n) MRS to Xn of a register whose read may raise an interrupt: the result is in
 * place when the unit is left. pc + 4. Ends.
 */
extern const IrHelper helper_sysreg_read_to;
/* (address) DC and IC by address, but DC IVAC: does nothing, or faults. Rule 3. */
extern const IrHelper helper_cache_va;

/* Plain and pure: (crc, value) of CRC32B/H/W/X and CRC32CB/H/W/X, by log2 of bytes. */
extern const IrHelper helper_crc32[4];
extern const IrHelper helper_crc32c[4];

/*
 * The hooks that raise data aborts, alignment faults and external aborts ask this
 * first: a load or store with a misaligned SP as its base takes the SP alignment fault
 * (EC 0x26) whatever else is wrong with its address. The translator sees to it that
 * such an access never completes.
 */
bool a64_sp_misaligned_access(ArmCpu *cpu);
/*
 * The address to report for a store that faulted at vaddr: of a DC ZVA, the instruction's
 * argument.
 */
uint64_t a64_store_fault_address(ArmCpu *cpu, uint64_t vaddr);

#endif
