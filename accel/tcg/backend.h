/*
 * What a code-generating back end gives and gets.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_BACKEND_H
#define ACCEL_TCG_BACKEND_H

#include "accel/tcg/tcg-internal.h"
#include <glib.h>

/* A translated unit. Memory comes from the context's arena, until the next flush. */
struct Unit {
    uint64_t pc;              /* virtual address that it was translated at */
    uint64_t phys;            /* its physical address */
    uint32_t mode;
    uint32_t state;           /* of VcpuOps.insn_state, that it begins with */
    uint16_t num_insns;       /* guest instructions */
    uint16_t page_first, page_last;  /* byte offsets in the page that it was made from */
    bool dead;                /* invalidated: not entered any more */
    bool for_break;           /* made for the breakpoints of pc's virtual page */
    const void *code;         /* host code, or NULL */
    const void *dead_code;    /* what a killed unit's entry goes to */
    IrUnit *ir;               /* for the interpreter, or NULL */
    IrUnit *tail;             /* the same for slices that end inside it, or NULL */
    struct ExitRec *incoming; /* linked exits of other units that jump here */
    Unit *hash_next;
    Unit *page_next;          /* other units of the physical page */
};

/* A direct exit that can be linked to the unit of its target. */
typedef struct ExitRec {
    uint64_t pc;              /* target, as seen where it was translated */
    uint8_t *jump;            /* rel32 in the writable view */
    const uint8_t *unlinked;  /* writable-view address it jumps to while unlinked */
    struct ExitRec *next;     /* in the target's incoming list */
} ExitRec;

/* How generated code returned; in the low bits of the return value. */
enum ExitKind {
    EXIT_KIND_LOOKUP = 0,   /* vcpu->pc and insn_word are set; no way to link or cache missed */
    EXIT_KIND_LINK = 1,     /* the other bits are an ExitRec * */
    EXIT_KIND_MAIN = 2,     /* exit_main */
    EXIT_KIND_BUDGET = 3,   /* the unit does not fit vcpu->left */
    EXIT_KIND_BAIL = 4,     /* run one instruction in the interpreter */
    EXIT_KIND_MASK = 7,
};

typedef struct CodeArena {
    uint8_t *rw;            /* writable view of the code memory */
    const uint8_t *rx;      /* executable view */
    size_t size;
    size_t used;
} CodeArena;

typedef struct TcgBackend TcgBackend;
typedef struct TableSet TableSet;

typedef struct TcgStats {
    uint64_t units, flushes, invalidated, ir_insns, guest_insns, tails, bails;
    uint64_t walks;             /* successful ones, on behalf of the guest */
    uint64_t table_stores;      /* stores to watched tables */
    uint64_t tlb_flushes;
} TcgStats;

typedef struct Watchpoint {
    uint64_t vaddr, length;
    WatchKind kind;
} Watchpoint;

#define UNIT_HASH_SIZE 262144

struct TcgContext {
    Machine *machine;
    TcgConfig config;
    unsigned configured_insns;   /* config.unit_insns, once tcg_set_one_insn() was called */
    const TcgBackend *backend;  /* NULL: interpreter */
    void *backend_data;         /* the back end's; g_free()d with the context */
    CodeArena arena;
    int arena_fd;
    GPtrArray *cpus;            /* Vcpu * */
    bool woken;                 /* tcg_woken() */
    Unit **hash;                /* UNIT_HASH_SIZE chains */
    GHashTable *pages;          /* physical page -> CodePage */
    GPtrArray *meta;            /* blocks of metadata */
    size_t meta_used;           /* in the last block */
    IrUnit *ir;                 /* scratch for translation */
    struct TailEntry *tails;    /* one-instruction units for the interpreter */
    GPtrArray *spaces;          /* Space *, of all CPUs */
    uint64_t space_clock;       /* counts entries to spaces, for least recently used */
    uint8_t tlb_way_bits, tlb_min_bits, tlb_max_bits;
    bool dropped_code;          /* tlb_drop() forgot a page that code may run from */
    uint64_t io_phys;           /* of the access to a device that mmu_probe() found */
    uint8_t crossing[16];       /* the bytes of an access that crosses a page */
    TlbEntry no_entry;          /* equals no page */
    uint64_t io_value;
    const IrUnit *io_insn;      /* see mmu_io() */
    uint64_t chaos;             /* state of the generator of TcgConfig.tlb_chaos; 0: off */
    TableSet *tables;           /* tables.c */
    GHashTable *breakpoints;    /* virtual address -> count */
    GHashTable *break_pages;    /* virtual page -> count of addresses */
    GPtrArray *break_units;     /* Unit *, made for them; dead ones may be among them */
    Watchpoint watch[TCG_MAX_WATCHPOINTS];
    unsigned num_watches;
    TcgStats stats;
};

/* Metadata memory, freed by the next flush. Zeroed, 16-byte aligned. */
void *tcg_meta_alloc(TcgContext *t, size_t size);

struct TcgBackend {
    const char *name;
    /* Emit what all units share (entry, exits, trampolines). */
    bool (*init)(TcgContext *t, CodeArena *arena, Error **errp);
    /* Compile u; sets unit->code. False: no room (the caller flushes and retries). */
    bool (*compile)(TcgContext *t, CodeArena *arena, const IrUnit *u, Unit *unit, bool link);
    /* Run unit code at vcpu->pc until an exit. */
    uint64_t (*enter)(Vcpu *cpu, const void *code);
    /* Point a linked exit to code, or (NULL) back to its unlinked tail. */
    void (*set_link)(CodeArena *arena, ExitRec *exit, const void *code);
    /* Overwrite the unit's entry, so that whoever still jumps there leaves at once. */
    void (*kill)(CodeArena *arena, Unit *unit);
};

/* NULL on hosts without one. */
extern const TcgBackend *const tcg_native_backend;

#endif
