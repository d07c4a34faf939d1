/*
 * The part of a CPU that the execution engine owns, and what a target gives
 * to the engine. A target's CPU struct embeds Vcpu first; its slots lie in
 * Vcpu itself, so that generated code reaches them with short offsets.
 *
 * 1. Everything here is touched on the machine thread alone.
 * 2. Slots, nzcv, pc, insn_word (of targets that have insn_state) and `halted` are guest state
 *    (saved and digested by the target's field table); the rest is engine state that can be
 *    rebuilt at any time, the soft TLB with it (docs/determinism.md, rule 9).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_VCPU_H
#define ACCEL_TCG_VCPU_H

#include "accel/tcg/ir.h"
#include "hw/core/machine.h"

#define VCPU_MAX_SLOTS 32
/* The longest instruction of any target. */
#define VCPU_INSN_BYTES 4u

/* ---- soft TLB ---- */

#define TLB_INVALID UINT64_MAX

/*
 * One entry: a page as loads and stores see it. A tag is the page's virtual address when
 * the access may go directly to host memory; TLB_SLOW in a tag keeps the entry and
 * makes the compare of generated code fail. TLB_INVALID in read_tag: no entry.
 */
typedef struct TlbEntry {
    uint64_t read_tag;
    uint64_t write_tag;
    uint64_t addend;       /* host address - virtual address, where there is host memory */
    uint64_t phys_attrs;   /* physical page address | TlbAttrs in the low 12 bits */
} TlbEntry;

/* Above the bits that the compare of an aligned access looks at. */
#define TLB_SLOW (1ull << 8)

enum TlbAttrs {
    TLB_VALID = 1 << 0,
    TLB_READ = 1 << 1,
    TLB_WRITE = 1 << 2,
    TLB_EXEC = 1 << 3,
    TLB_DEVICE = 1 << 4,   /* Device memory: unaligned accesses fault */
    TLB_MMIO = 1 << 5,     /* no host memory for loads: each one goes to the memory map */
    TLB_CODE_ALIGNS = 1 << 6,   /* with DEVICE: code in the regime has MEM_DIRECT_ALIGNED */
    TLB_WATCH = 1 << 7,    /* a debugger watches bytes of the virtual page */
};

/* ---- translation, asked by the soft MMU ---- */

typedef enum MmuAccess { MMU_READ, MMU_WRITE, MMU_FETCH } MmuAccess;

/*
 * All that a walk depends on besides memory. Two accesses with equal regimes translate
 * alike, on whichever CPU. The halves are the ranges of addresses with bit 63
 * clear and set; each has a table base, 0 where a half has none.
 */
typedef struct Regime {
    uint64_t table[2];     /* table bases of the low and the high half */
    uint64_t control[4];   /* the target's: control registers, rights, limits */
} Regime;

#define VCPU_NUM_REGIMES 4

/* A descriptor that a walk read. */
typedef struct MmuStep {
    uint64_t phys;         /* its address */
    uint8_t shift;         /* log2 of the virtual range that 8 bytes of descriptors describe */
} MmuStep;

#define MMU_MAX_STEPS 4

typedef struct MmuResult {
    uint64_t phys;         /* of the page that holds vaddr, page-aligned */
    uint32_t attrs;        /* TlbAttrs: VALID, READ, WRITE, EXEC, DEVICE */
    /* When the walk faults: the target's fault code, for raise_abort. */
    uint32_t fault;
    unsigned num_steps;
    MmuStep step[MMU_MAX_STEPS];
} MmuResult;

typedef struct GdbTarget GdbTarget;
typedef struct FieldTable FieldTable;
typedef void VcpuStateFn(void *opaque, const FieldTable *table, const void *state);

typedef struct VcpuOps {
    const char *name;
    const GdbTarget *gdb;     /* registers as gdb numbers them: accel/tcg/gdb-target.h */
    unsigned num_slots;
    const char *const *slot_names;

    /*
     * Translate guest code at pc into b, begun with b->state: at most max_insns instructions,
     * all within code_bytes bytes from code, the host address of pc, on. The unit ends in
     * front of an instruction that goes on behind them; it is never the first one. When they
     * end with the page, the bytes of the page in front of pc are there as well. Always emits
     * at least one instruction and a final exit.
     */
    void (*translate)(Vcpu *cpu, IrBuilder *b, uint64_t pc, uint32_t mode,
                      const uint8_t *code, unsigned code_bytes, unsigned max_insns);
    /* Everything besides code bytes that translation depends on (EL, FP traps, ...). */
    uint32_t (*mode)(Vcpu *cpu);
    /*
     * Those bits of instructions' words (ir_insn()) that are state with which the instruction
     * begins, as T32's IT; the others say something about the instruction. Code is
     * translated once for each value of them that it is entered with.
     */
    uint32_t insn_state;
    /* In this mode, the bits of a PC that must be zero, else there is an alignment fault. */
    uint8_t (*pc_align_mask)(uint32_t mode);
    /*
     * How many bytes the instruction at code has, VCPU_INSN_BYTES at the most, as its first
     * bytes tell: as many as PCs are aligned to are there.
     */
    unsigned (*insn_bytes)(uint32_t mode, const uint8_t *code);
    /*
     * The CPU's regimes by number, below VCPU_NUM_REGIMES; 0 is that of unprivileged
     * accesses. regime() reads one out of the registers; current_regime() says which
     * one execution is in. main_half is the half whose table base changes less often: spaces
     * are shared between regimes that differ in the other one alone.
     */
    void (*regime)(Vcpu *cpu, unsigned number, Regime *out);
    unsigned (*current_regime)(Vcpu *cpu);
    uint8_t main_half[VCPU_NUM_REGIMES];

    /* Walk; true on success, with every descriptor that was read as a step. No side effects. */
    bool (*mmu_translate)(Vcpu *cpu, const Regime *regime, uint64_t vaddr, MmuAccess access,
                          MmuResult *out);
    /* Strip what translation ignores (top-byte ignore) from a data address. */
    uint64_t (*clean_address)(Vcpu *cpu, uint64_t vaddr, bool unpriv);

    /* Take the exception; vcpu->pc is the instruction's address at entry. */
    void (*raise_abort)(Vcpu *cpu, uint64_t vaddr, MmuAccess access, uint32_t fault,
                        bool unpriv);
    void (*raise_alignment)(Vcpu *cpu, uint64_t vaddr, MmuAccess access);
    /* The physical address has no device: synchronous external abort. */
    void (*raise_external)(Vcpu *cpu, uint64_t vaddr, MmuAccess access);

    /* Take a pending, unmasked interrupt if there is one; true when taken. */
    bool (*take_interrupt)(Vcpu *cpu);
    /* Whether a halted CPU has to wake (WFI wakes on masked interrupts too). */
    bool (*has_work)(Vcpu *cpu);

    /* Feed all guest-visible CPU state to the digest. */
    void (*digest)(Vcpu *cpu, Digest *digest);
    /* The same, as tables with the states that they describe, which are valid during the call. */
    void (*visit_state)(Vcpu *cpu, VcpuStateFn *fn, void *opaque);
    void (*save)(Vcpu *cpu, GByteArray *out);
    bool (*load)(Vcpu *cpu, ByteReader *in, Error **errp);
    /* Registers in the manual's notation, for info registers and reports. */
    void (*dump)(Vcpu *cpu, GString *out);
    void (*reset)(Vcpu *cpu);
    void (*free)(Vcpu *cpu);
    /* One line of disassembly at code, for -d in_asm; bytes used, or 0. */
    unsigned (*disassemble)(Vcpu *cpu, uint64_t pc, const uint8_t *code, unsigned bytes,
                            GString *out);
} VcpuOps;

/* What a debugger's watchpoint looks for. Bits, so that an access can be held against it. */
typedef enum WatchKind {
    WATCH_NONE = 0,
    WATCH_READS = 1,
    WATCH_WRITES = 2,
    WATCH_ACCESSES = WATCH_READS | WATCH_WRITES,
} WatchKind;

/* Where execution came to a watchpoint; accel/tcg/watchpoints.c. */
typedef struct WatchHit {
    WatchKind kind;           /* of the watchpoint; NONE: no hit */
    bool before;              /* the instruction at pc has not been executed yet */
    uint64_t vaddr;           /* the first watched byte of the access */
} WatchHit;

typedef struct Space Space;
typedef struct JumpCache JumpCache;
typedef struct TcgContext TcgContext;

struct Vcpu {
    /* ---- reached by generated code ---- */
    uint64_t slot[VCPU_MAX_SLOTS];  /* guest registers */
    uint64_t pc;
    uint64_t excl_addr;       /* monitor: address, or UINT64_MAX when open */
    uint64_t excl_val[2];     /* what load-exclusive read */
    int64_t left;             /* instructions left in the slice before the current one */
    TlbEntry *tlb;            /* current space's TLB */
    uint64_t code_page;       /* virtual page that generated code runs from */
    TlbEntry *tlb_unpriv;     /* TLB of unprivileged accesses (LDTR, STTR) */
    void *jump_entries;       /* of the jump cache of the current space and mode */
    uint32_t tlb_mask;        /* byte offset of the last set of the current TLB */
    uint32_t tlb_mask_unpriv;
    uint32_t jump_mask;       /* byte offset of the last entry of the jump cache */
    uint16_t nzcv;            /* packed: see accel/tcg/nzcv.h */
    uint8_t halted;           /* WFI */
    uint8_t powered_off;      /* PSCI CPU_OFF */
    /*
     * The word of the instruction at pc: while an exception is raised from it, and in sync
     * helpers. Between two instructions, the state bits (VcpuOps.insn_state) that the next one
     * begins with; the same for an abort of a fetch. Who sets pc sets insn_word, too, in targets
     * with such bits. Always 0 while generated code runs.
     */
    uint32_t insn_word;
    uint32_t exit_request;    /* leave after this instruction (helpers, devices) */
    /*
     * Non-zero when an interrupt may be pending: set by interrupt controllers through
     * vcpu_set_irq_pending(); the engine then asks take_interrupt().
     */
    uint32_t irq_pending;

    /* ---- engine ---- */
    const VcpuOps *ops;
    Machine *machine;
    TcgContext *tcg;
    Space *space;             /* current */
    Space *space_unpriv;      /* of unprivileged accesses; may be the same */
    Space *space_of[VCPU_NUM_REGIMES];        /* by regime; NULL: to be looked up */
    uint64_t other_table[VCPU_NUM_REGIMES];   /* the regime's table base of the other half */
    JumpCache *jump_cache;
    uint32_t mode;            /* ops->mode() at the last vcpu_space_changed() */
    uint8_t pc_align_mask;    /* ops->pc_align_mask() of it */
    unsigned index;
    const DeviceType *type;   /* of its properties, in a struct that Vcpu begins; or NULL */
    bool skip_breakpoint;     /* resume from a breakpoint at pc */
    bool skip_watch;          /* resume from a watchpoint: not for the instruction at pc */
    bool insn_accessed;       /* the interpreter's instruction has accessed memory already */
    WatchHit watch_hit;       /* of the last tcg_run() */
    bool yielded;             /* vcpu_yield() since the last look */
    uint64_t last_exit;       /* how generated code was left last, for linking */
    uint64_t last_exit_flush; /* the count of flushes then */

    /*
     * Told of each exception and interrupt taken: the target's vector number or
     * offset and the address that execution was at. NULL: nobody listens.
     */
    void (*exception_hook)(void *opaque, unsigned vector, uint64_t pc);
    void *exception_hook_opaque;
};

/*
 * What targets call when state changed. All are cheap; the execution loop acts
 * before the next instruction when called from a sync helper that is followed by
 * ir_exit_main*().
 */

/* The mode or the current regime may have changed (an exception, a return). */
void vcpu_space_changed(Vcpu *cpu);
/* Registers that regimes are made of may have changed; includes vcpu_space_changed(). */
void vcpu_regime_changed(Vcpu *cpu);

/* An interrupt input changed: remember to look, and leave after this instruction. */
void vcpu_set_irq_pending(Vcpu *cpu, bool pending);

/* A CPU that was halted or powered off may have something to do: it gets its turn soon. */
void vcpu_woken(Vcpu *cpu);
/* The guest says that others should run (WFE, YIELD). From a helper that ends the unit. */
void vcpu_yield(Vcpu *cpu);

/* True when the front end must end the unit before pc (a breakpoint stands there). */
bool vcpu_stop_before(Vcpu *cpu, uint64_t pc);

/* Observers of gdb and monitors: no TLB fill, no fault, no side effect. False: nothing is there. */
bool vcpu_translate(Vcpu *cpu, uint64_t vaddr, uint64_t *phys);
bool vcpu_peek(Vcpu *cpu, uint64_t vaddr, void *out, size_t length);
/* Debugger write: RAM and ROM, translations dropped. */
bool vcpu_poke(Vcpu *cpu, uint64_t vaddr, const void *data, size_t length);

/*
 * Every page or block that the CPU's tables map, in the order of addresses, as its privileged code
 * sees them. False from fn ends it.
 */
typedef struct VcpuMapping {
    uint64_t vaddr, phys, length;
    uint32_t attrs;           /* TlbAttrs for privileged code ... */
    uint32_t user_attrs;      /* ... and for programs; 0: not theirs */
} VcpuMapping;
typedef bool VcpuMappingFn(void *opaque, const VcpuMapping *m);
typedef enum VcpuMappings {
    VCPU_MAPPINGS_ALL,
    VCPU_MAPPINGS_PART,       /* fn ended it, or there are more than anybody wants to see */
    VCPU_MAPPINGS_OFF,        /* addresses are not translated */
} VcpuMappings;
VcpuMappings vcpu_foreach_mapping(Vcpu *cpu, VcpuMappingFn *fn, void *opaque);

/*
 * Data at vaddr can be read now, by what the soft TLB holds or a walk of its own finds. False
 * says nothing: the caller walks itself.
 */
bool vcpu_can_read(Vcpu *cpu, uint64_t vaddr);

/* Guest physical memory without side effects, for table walks; false: not RAM. */
bool vcpu_phys_read64(Vcpu *cpu, uint64_t phys, uint64_t *out);
bool vcpu_phys_read32(Vcpu *cpu, uint64_t phys, uint32_t *out);

#endif
