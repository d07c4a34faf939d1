/*
 * What the files of accel/tcg/ share: the soft MMU's and the interpreter's interfaces.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_TCG_INTERNAL_H
#define ACCEL_TCG_TCG_INTERNAL_H

#include "accel/tcg/tcg.h"

typedef struct Unit Unit;

/* A jump-cache entry: reached by generated code, 16 bytes. All zero: empty. */
typedef struct JumpCacheEntry {
    uint64_t pc;
    const void *code;
} JumpCacheEntry;

#define ITLB_VALID 1u

typedef struct ItlbEntry {
    uint64_t tag;            /* virtual page | ITLB_VALID; 0: empty */
    uint64_t phys;           /* page */
    const uint8_t *host;     /* of the page */
    MemRegion *region;
} ItlbEntry;

/* ---- softmmu.c ---- */

/* Never addends: those are page-aligned. */
#define PROBE_BAIL 1u
#define PROBE_MMIO 2u

/*
 * The slow path of a generated data access. Returns the addend (host - vaddr) for an
 * access of `bytes` that lies in one page of plain RAM, filling the soft TLB, or
 * PROBE_BAIL when it has to be run by the interpreter, or PROBE_MMIO: it goes to a device, and
 * mmu_io() can make it. Changes no guest state. MEM_EXCL with write: a store-exclusive.
 */
uint64_t mmu_probe(Vcpu *cpu, uint64_t vaddr, unsigned bytes, unsigned memflags, bool write);

/*
 * Make a load, or a store of the bytes at data, that lies on two pages of plain RAM. False: the
 * interpreter has to run the instruction, nothing has been stored. Never for MEM_EXCL.
 */
bool mmu_cross(Vcpu *cpu, uint64_t vaddr, void *data, unsigned bytes, unsigned memflags,
               bool write);

/*
 * Make the access that mmu_probe() found to go to a device, of up to 8 bytes; the value is in
 * TcgContext.io_value before or after. cpu->pc and cpu->left are those of the instruction, its
 * registers need not be. Returns true when generated code may go on with it; false: the interpreter
 * has to run the instruction, from TcgContext.io_insn if that is set: the access has been
 * made then, and something wants to be seen to before the next instruction.
 */
bool mmu_io(Vcpu *cpu, unsigned bytes, bool write);

/*
 * One guest access in full: `count` elements of `bytes` each at vaddr. Returns
 * false after raising the exception, or in front of a watchpoint (cpu->watch_hit.before).
 */
bool mmu_access(Vcpu *cpu, uint64_t vaddr, void *data, unsigned bytes, unsigned count,
                unsigned memflags, bool write);

/* Instruction side: the ITLB entry of pc's page, filled if needed; NULL after
 * raising the exception. */
const ItlbEntry *mmu_fetch(Vcpu *cpu, uint64_t pc);

/* What of insn_word is part of the key of translations. */
static inline uint32_t vcpu_insn_state(const Vcpu *cpu)
{
    return cpu->insn_word & cpu->ops->insn_state;
}

/* ---- interp/interp.c ---- */

typedef enum InterpStop {
    INTERP_UNIT_END,     /* left the unit by an exit, or reached max_insns; pc is set */
    INTERP_MAIN,         /* exit_main, an exception, or exit_request */
} InterpStop;

/* Run at most max_insns guest instructions of u. cpu->left counts down exactly. */
InterpStop interp_run(Vcpu *cpu, const IrUnit *u, unsigned max_insns);

/* Call a helper with its declared number of arguments. */
uint64_t ir_helper_call(const IrHelper *h, Vcpu *cpu, const uint64_t arg[4]);

/*
 * A floating-point operation by its helper: reads the operands (offsets / 8 of d, a, b,
 * c, 16 bits each), writes d unless it is 0, returns the result. value is the
 * integer of IRFP_FROM_*.
 */
uint64_t ir_fp_eval(Vcpu *cpu, const IrFpHelper *h, uint64_t operands, uint64_t value);
/* The same for vectors. */
void ir_fp_vec_eval(Vcpu *cpu, const IrFpVecHelper *h, uint64_t operands, uint32_t desc);

#endif
