/*
 * What the files of accel/tcg/ share: address spaces, units, the context.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_TCG_INTERNAL_H
#define ACCEL_TCG_TCG_INTERNAL_H

#include "accel/tcg/tcg.h"

typedef struct Unit Unit;

/* A jump-cache entry: reached by generated code, 16 bytes. */
typedef struct JumpCacheEntry {
    uint64_t pc;             /* TLB_INVALID: empty */
    const void *code;
} JumpCacheEntry;

typedef struct ItlbEntry {
    uint64_t vaddr;          /* page, TLB_INVALID: empty */
    uint64_t phys;           /* page */
    const uint8_t *host;     /* of the page; NULL: not RAM */
    MemRegion *region;
} ItlbEntry;

/*
 * One address space: the soft TLBs of one (regime, ASID). Invariant: a jump-cache
 * entry's page is in the ITLB; whoever replaces or drops an ITLB entry empties
 * the page's part of the jump cache.
 */
struct AddressSpace {
    SpaceKey key;
    bool used;
    bool empty;                     /* nothing to clear */
    uint64_t last_use;
    uint32_t jump_cache_mode;       /* the mode that the jump cache's code is for */
    /* The smallest aligned range over all large blocks seen, low and high half. */
    uint64_t large_base[2], large_mask[2];
    TlbEntry tlb[TLB_SIZE];
    ItlbEntry itlb[ITLB_SIZE];
    JumpCacheEntry jump_cache[JUMP_CACHE_SIZE];
};

static inline unsigned tlb_index(uint64_t vaddr)
{
    return (vaddr >> PAGE_BITS) & (TLB_SIZE - 1);
}

static inline unsigned jump_cache_index(uint64_t pc)
{
    return (pc >> 2) & (JUMP_CACHE_SIZE - 1);
}

/* ---- softmmu.c ---- */

#define PROBE_BAIL 1u    /* never an addend: those are page-aligned */

/*
 * The slow path of a generated data access. Returns the addend (host - vaddr) for an
 * access of `bytes` that lies in one page of plain RAM, filling the soft TLB, or
 * PROBE_BAIL when it has to be run by the interpreter. Changes no guest state.
 * MEM_EXCL with write: a store-exclusive.
 */
uint64_t mmu_probe(Vcpu *cpu, uint64_t vaddr, unsigned bytes, unsigned memflags, bool write);

/*
 * One guest access in full: `count` elements of `bytes` each at vaddr. Returns
 * false after raising the exception.
 */
bool mmu_access(Vcpu *cpu, uint64_t vaddr, void *data, unsigned bytes, unsigned count,
                unsigned memflags, bool write);

/* Instruction side: the ITLB entry of pc's page, filled if needed; NULL after
 * raising the exception. */
const ItlbEntry *mmu_fetch(Vcpu *cpu, uint64_t pc);

void mmu_init_spaces(Vcpu *cpu);
void mmu_free_spaces(Vcpu *cpu);
/* Drop write mappings of one physical page, or of all, from all spaces. */
void mmu_drop_writes_page(Vcpu *cpu, uint64_t phys_page);
void mmu_drop_writes_all(Vcpu *cpu);
/* Empty all jump caches. */
void mmu_clear_jump_caches(Vcpu *cpu);

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

#endif
