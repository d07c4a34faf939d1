/*
 * Code generation for one unit: the state that the files of this folder share.
 *
 * Register use: RBP = Vcpu, R15 = instructions left after this unit, R14 = data TLB
 * of the current space, RAX RCX RDX = scratch within one IR operation; the others
 * hold values across the whole unit. XMM0 to XMM5 are scratch, the others hold copies of
 * vector registers (gen-xmm.c). The stack frame has spill words and, for
 * the slow paths, a save area for all registers.
 *
 * 1. A value is in a register, in a spill word, in the home of a slot (clean), or constant.
 * 2. A slot is dirty when its value has not reached its home. Storing a slot's
 *    current value to its home is right at any point; exits and bail-outs do it for
 *    the dirty ones, so nothing is stored "in case it faults".
 * 3. Emitting moves, loads and stores keeps the host's flags; everything that
 *    disturbs them calls gen_flags_clobbered().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_X86_64_GEN_H
#define ACCEL_TCG_X86_64_GEN_H

#include "accel/tcg/backend.h"
#include "accel/tcg/ir-info.h"
#include "accel/tcg/x86_64/asm.h"
#include <glib.h>

/* More than values can live at once: the slots, one instruction's temporaries, and what
 * ir_opt_cse() keeps. */
#define GEN_SPILL_WORDS 256
#define GEN_XMM_FIRST 6
#define GEN_XMM_COPIES 10
#define FRAME_SPILL 0                                /* offset from RSP in units */
#define FRAME_SAVE (GEN_SPILL_WORDS * 8)             /* 16 registers */
#define FRAME_XMM (FRAME_SAVE + 16 * 8)              /* the copies of vector registers */
#define FRAME_SIZE (FRAME_XMM + 16 * GEN_XMM_COPIES + 8)     /* keeps RSP 16-byte aligned */

/* The look-up in the TLB scales by it. */
#define TLB_ENTRY_BITS 5
_Static_assert(sizeof(TlbEntry) == 1 << TLB_ENTRY_BITS, "bytes of a TLB entry");

#define NO_REG 0xff
#define NEVER 0xffff

typedef struct GenValue {
    uint8_t reg;            /* or NO_REG */
    bool spilled;
    uint16_t spill;         /* word, when spilled */
    uint16_t next_use;      /* IR index of the next use, or NEVER */
    uint32_t slots;         /* slots whose current value this is */
    uint16_t root;          /* the value is val[root] + distance, by constants added to it */
    uint64_t distance;
} GenValue;

/* Where a dirty slot's value is at some point: a record of a state map. */
typedef enum LocKind { LOC_REG = 0, LOC_SPILL = 1, LOC_CONST = 2, LOC_HOME = 3 } LocKind;
typedef struct SlotLoc {
    uint8_t slot;
    uint8_t kind;
    uint16_t where;         /* register or spill word */
    uint64_t value;         /* LOC_CONST */
} SlotLoc;

/*
 * How to find NZCV that were not stored: by the operation again, on values that the slots hold
 * after the state map has been applied.
 */
typedef struct FlagsRecipe {
    IrInsn insn;            /* add, sub or and */
    uint8_t slot[2];        /* of the arguments; NO_SLOT: a constant */
    bool from_result;       /* slot[0] has the result instead */
    uint64_t value[2];
} FlagsRecipe;
#define NO_SLOT 0xff

/* A guest access that can bail out; what mmu_probe() needs and how to restore. */
typedef struct MemSite {
    uint32_t refund;        /* budget to give back: instructions not completed */
    uint32_t insn_word;     /* the instruction's */
    uint16_t pc_offset;     /* of the instruction, in its page */
    uint16_t memflags;
    uint8_t bytes;          /* of the whole access */
    uint8_t write;
    uint8_t addr_reg;
    uint8_t value_reg;      /* a store's; RSP: an access that mmu_io() cannot make */
    uint8_t pair[2];        /* IR_st2: the registers of both halves, else RSP */
    bool in_run;            /* not the first of its run */
    int16_t from_first;     /* its address minus that of the run's first access */
    uint32_t vec_offset;    /* IR_st_vec: of the value in the Vcpu, else 0 */
    const FlagsRecipe *flags;   /* or NULL: they are home */
    uint32_t num_locs;
    SlotLoc locs[];
} MemSite;

/* Code emitted behind the unit. */
typedef enum ColdKind { COLD_EXIT, COLD_MEM, COLD_SYNC_EXIT, COLD_BUDGET } ColdKind;
typedef struct Cold {
    ColdKind kind;
    uint8_t *jump;          /* rel32 that leads here */
    uint8_t *back;          /* COLD_MEM: where to go on */
    uint64_t pc;            /* of the target, and the state that it begins with */
    uint32_t state;
    unsigned refund;
    bool save_flags, flags_inverted;
    bool keep_xmm;          /* COLD_MEM: there are copies of vector registers */
    bool in_run;            /* COLD_MEM: not the first access of its run */
    MemSite *site;
    unsigned first_loc, num_locs;   /* COLD_EXIT: dirty slots, into Gen.locs */
    unsigned num_loop_locs;         /* behind them, when the exit is a jump back */
} Cold;

/* A vector register of which an XMM register has a copy. */
typedef struct XmmCopy {
    uint32_t offset;        /* from the Vcpu; 0: none */
    uint8_t zero_from;      /* bytes from here on are zero: 4, 8 or 16 */
    bool whole;             /* all 16 bytes are the register's */
    uint32_t last_use;
} XmmCopy;

/* The accesses that share a look-up (gen-mem.c), as their first one began it. */
typedef struct MemRun {
    uint16_t root;          /* of its address; 0: there is no run, RAX is free */
    uint64_t distance;
    unsigned bytes;
} MemRun;

typedef struct Gen {
    Asm a;
    TcgContext *t;
    const IrUnit *u;
    Unit *unit;
    bool link;
    unsigned n;             /* index of the current IR instruction */
    unsigned insn_index;    /* guest instructions before the current one */
    uint64_t insn_pc;
    uint32_t insn_word;
    bool word_stored;       /* in vcpu->insn_word, for a sync helper */
    bool insn_pc_valid;
    GenValue *val;
    uint16_t (*use_after)[4];  /* for each IR instruction's argument: the next use after it */
    uint16_t reg_val[16];
    uint16_t pinned;        /* registers not to evict within this operation */
    uint16_t slot_val[VCPU_MAX_SLOTS];
    uint32_t dirty;
    uint8_t spill_used[GEN_SPILL_WORDS];
    bool flags_in_host, flags_inverted, flags_home;
    const FlagsRecipe *flags_recipe;    /* when they are not home, or NULL */
    uint8_t *dead_exit;     /* where the entry of a killed unit jumps */
    /*
     * A unit that jumps back to its own start keeps slots in registers over the jump: at
     * the loop head these are loaded (and clean), and each jump back restores that.
     */
    uint8_t *loop_head;     /* writable view, or NULL */
    uint32_t loop_slots;
    uint8_t loop_reg[VCPU_MAX_SLOTS];
    MemRun run;
    GArray *cold;           /* Cold */
    GArray *cold_fp;        /* FpOp, from gen_fp_init() to gen_fp_cold() */
    GArray *locs;           /* SlotLoc */
    XmmCopy xmm[GEN_XMM_COPIES];
    uint32_t xmm_clock;
} Gen;

/* Shared code, emitted once: executable-view addresses. */
typedef struct GenStubs {
    const uint8_t *enter;       /* uint64_t enter(Vcpu *, const void *code) */
    const uint8_t *leave;       /* RAX = exit kind */
    /* After a failed look-up: [not the first access of a run][a store][keep XMM registers]. */
    const uint8_t *probe[2][2][2];
    const uint8_t *fp_slow;     /* RCX = IrFpHelper, RDX = operands, RAX = value; result in RAX */
    const uint8_t *fp_slow_cmp;
    const uint8_t *fp_slow_vec; /* the same with IrFpVecHelper, RAX = desc */
    const uint8_t *sse_consts;  /* 16 bytes each, by SseConst */
    bool has_lzcnt;
    uint8_t features;           /* GenFeature bits */
} GenStubs;

/* What of the host's vector extensions is there; SSE4.2 stands for all before it. */
enum GenFeature {
    GEN_HAS_SSE42 = 1 << 0,
    GEN_HAS_AES = 1 << 1,
    GEN_HAS_PCLMUL = 1 << 2,
    GEN_HAS_SHA = 1 << 3,
    GEN_HAS_FMA = 1 << 4,
};

/* Operands in memory beside the code. None is 0. */
typedef enum SseConst {
    SSE_EVEN_BYTES = 1, SSE_EVEN_WORDS, SSE_LOW_NIBBLES, SSE_NIBBLE_BITS, SSE_TBL_BIAS,
    SSE_REV16_BYTES, SSE_REV32_BYTES, SSE_REV32_WORDS, SSE_REV64_BYTES, SSE_REV64_WORDS,
    SSE_SIGN32, SSE_SIGN64,         /* of the lowest lane */
    SSE_SIGNS32, SSE_SIGNS64,       /* of all */
    /* gen-fp-vec.c: see find_outside() and need_short_factors(). */
    SSE_FINITE_BIAS, SSE_FINITE_LIMIT32, SSE_FINITE_LIMIT64,
    SSE_SAFE_BIAS32, SSE_SAFE_BIAS64, SSE_SAFE_LIMIT32, SSE_SAFE_LIMIT64,
    SSE_NORMAL_BIAS32, SSE_NORMAL_BIAS64, SSE_NORMAL_LIMIT32, SSE_NORMAL_LIMIT64,
    SSE_LOW_HALF32, SSE_LOW_HALF64,
    SSE_NUM_CONSTS,
} SseConst;

GenStubs *gen_stubs(TcgContext *t);

/* ---- gen-regs.c ---- */

void gen_regs_init(Gen *g);
/* A register that holds the value, pinned. */
HostReg gen_use(Gen *g, uint16_t v);
/* A pinned register for the result; reuses x's register when x dies here. The
 * value of x (if x != 0) is moved into it. */
HostReg gen_def_from(Gen *g, uint16_t dst, uint16_t x);
/* As gen_def_from, but the value of x is there only when its register was reused. */
HostReg gen_def_reuse(Gen *g, uint16_t dst, uint16_t x);
HostReg gen_def(Gen *g, uint16_t dst);
/* Load a value into a fixed scratch register, without changing allocation. */
void gen_load_into(Gen *g, HostReg reg, uint16_t v);
/* End of an operation: release dead arguments, unpin. */
void gen_release(Gen *g, const IrInsn *i);
void gen_set_slot(Gen *g, unsigned slot, uint16_t v);
void gen_get_slot(Gen *g, unsigned slot, uint16_t v);
/* Store all dirty slots to their homes; they stay cached. */
void gen_flush_slots(Gen *g);
/* Before a call: values that live on are moved out of caller-saved registers. */
void gen_save_for_call(Gen *g);
void gen_drop_caller_saved(Gen *g);
/* Before a sync helper: all state home, and values apart from slots. */
void gen_sync_state(Gen *g);
/* Append the state map of the dirty slots to g->locs; returns the count. */
unsigned gen_capture(Gen *g);
void gen_store_loc(Gen *g, const SlotLoc *loc);
/* Where a slot's value is. */
SlotLoc gen_locate(const Gen *g, unsigned slot);
bool gen_is_const(const Gen *g, uint16_t v, uint64_t *value);
/* The constant fits a sign-extended 32-bit immediate of an operation of width w. */
bool gen_imm32(const Gen *g, uint16_t v, bool w, int32_t *imm);
bool gen_used_later(const Gen *g, uint16_t v);

static inline int32_t slot_disp(unsigned slot)
{
    return offsetof(Vcpu, slot) + 8 * slot;
}
static inline int32_t spill_disp(unsigned word)
{
    return FRAME_SPILL + 8 * word;
}

/* ---- gen-loop.c ---- */

/* At the unit's start: when it jumps back here, load what it keeps in registers. */
void gen_loop_entry(Gen *g);
/* True when an exit to pc, begun with these state bits, is a jump back. */
bool gen_loops_to(const Gen *g, uint64_t pc, uint32_t state);
/* Where each loop slot's value is now, for gen_loop_jump(). Appends to g->locs. */
unsigned gen_loop_capture(Gen *g);
/* Dirty slots are home: move the loop slots to their registers and jump. */
void gen_loop_jump(Gen *g, const SlotLoc *locs, unsigned count);

/* ---- gen-xmm.c ---- */

/*
 * The XMM register that gets the new value of the vector register at offset: to be
 * written in the main path. XMM0, and no copy, when there is no use for copies.
 */
unsigned gen_xmm_define(Gen *g, uint32_t offset, unsigned zero_from);
/* Load a copy of the low 8 or all 16 bytes unless there is one; offset 0: nothing. */
void gen_xmm_prepare(Gen *g, uint32_t offset, unsigned bytes);
/* The copy, or 0. */
unsigned gen_xmm_find(Gen *g, uint32_t offset, unsigned *zero_from);
/* The register that the byte belongs to is written; any of them may be. */
void gen_xmm_forget(Gen *g, uint32_t offset);
void gen_xmm_forget_all(Gen *g);
bool gen_xmm_any(const Gen *g);
/* Around a call in a stub; disp is that of FRAME_XMM from RSP. */
void gen_xmm_save(Asm *a, int32_t disp);
void gen_xmm_restore(Asm *a, int32_t disp);

/* ---- gen-flags.c ---- */

void gen_flags_clobbered(Gen *g);
/* NZCV are in the host's flags now, by an operation of add (C = CF) or subtract
 * (C = !CF) kind; stores them when the instruction is marked so. */
void gen_flags_produced(Gen *g, const IrInsn *i, bool inverted);
/* vcpu->nzcv by the recipe; all slots are home. */
void gen_flags_redo(Vcpu *cpu, const FlagsRecipe *r);
/* Make the host's flags hold NZCV. */
void gen_flags_to_host(Gen *g);
/* The condition code; may emit CMC. Host flags must hold NZCV. */
HostCond gen_cond(Gen *g, unsigned cond);
/* Store to vcpu->nzcv; host flags must hold NZCV. */
void gen_flags_save(Gen *g);
void gen_ccmp(Gen *g, const IrInsn *i);
void gen_get_nzcv(Gen *g, const IrInsn *i);
void gen_set_nzcv(Gen *g, const IrInsn *i);
void gen_sel(Gen *g, const IrInsn *i);

/* ---- gen-alu.c, gen-mem.c, gen-vec.c, gen-flow.c ---- */

void gen_alu(Gen *g, const IrInsn *i);
void gen_memory(Gen *g, const IrInsn *i);
/* What a run of accesses has to know of the instruction; before it is generated. */
void gen_run_note(Gen *g, const IrInsn *i);
/* RAX = the first entry of the page that RAX is on. */
void gen_find_entry(Asm *a, bool unpriv);
void gen_ld_env(Gen *g, const IrInsn *i);
void gen_st_env(Gen *g, const IrInsn *i);
void gen_call(Gen *g, const IrInsn *i);
void gen_vec(Gen *g, const IrInsn *i);
void gen_fp(Gen *g, const IrInsn *i);
void gen_fp_vec(Gen *g, const IrInsn *i);
void gen_fp_init(Gen *g);
void gen_fp_cold(Gen *g);
void gen_fp_stubs(Asm *a, GenStubs *stubs);
void gen_sse_consts(Asm *a, GenStubs *stubs);
void gen_side_exit(Gen *g, const IrInsn *i);
void gen_final_exit(Gen *g, const IrInsn *i);
/* reg = address as seen from where the unit runs now; clobbers RAX, keeps the flags. */
void gen_address(Gen *g, HostReg reg, uint64_t address);
/* vcpu->insn_word = word, which it is not already; keeps the flags. */
void gen_store_word(Gen *g, uint32_t word);
void gen_head(Gen *g);
void gen_cold(Gen *g);

#endif
