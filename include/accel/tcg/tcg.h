/*
 * The execution engine: translation cache, soft MMU and the run of one vCPU
 * slice. The loop over slices, safe points and timers is accel/tcg/exec-loop.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_TCG_H
#define ACCEL_TCG_TCG_H

#include "accel/tcg/vcpu.h"

typedef struct TcgConfig {
    bool interp;              /* backend=interp */
    unsigned unit_insns;      /* guest instructions a unit, 1 .. IR_MAX_GUEST_INSNS; 0: default */
    bool no_link;             /* link=off */
    bool no_opt;              /* opt=off */
    uint64_t cache_bytes;     /* of translations, then they are dropped; 0: default */
    /* The soft TLB's shape, which no guest can tell; for tests and measurements. */
    unsigned tlb_ways;        /* 1, 2, 4 or 8 entries a set; 0: default */
    unsigned tlb_entries;     /* of each space, a power of two, 16 .. 65536; 0: as needed */
    uint64_t tlb_chaos;       /* not 0: forget and prefetch at random, with this seed */
} TcgConfig;

/* The engine of m, which must outlive it. Fails when the host has no memory for code. */
TcgContext *tcg_new(Machine *m, const TcgConfig *config, Error **errp);
/* Before the vCPUs and the machine are freed. NULL is fine. */
void tcg_free(TcgContext *t);

/* Bind a vCPU (after its ops and machine are set). */
void tcg_add_vcpu(TcgContext *t, Vcpu *cpu);

/*
 * Run up to cpu->left instructions. Returns when left reaches 0, or after an
 * instruction that asked for it (exit_request, machine request, deadline moved,
 * interrupt pending, halted, breakpoint, watchpoint, a sleeping CPU woken). cpu->left and the
 * clock are exact then.
 */
typedef enum TcgStop {
    TCG_STOP_BUDGET,
    TCG_STOP_REQUEST,
    TCG_STOP_HALTED,
    TCG_STOP_DEBUG,
    TCG_STOP_WATCH,           /* cpu->watch_hit says which */
    TCG_STOP_YIELD,           /* vcpu_yield() */
} TcgStop;
TcgStop tcg_run(TcgContext *t, Vcpu *cpu);

/* A sleeping CPU got something to do (vcpu_woken()): tcg_run() returns until it is taken. */
bool tcg_woken(const TcgContext *t);
bool tcg_take_woken(TcgContext *t);
void tcg_set_woken(TcgContext *t, bool woken);

/*
 * Breakpoints (debugger), by virtual address. They are counted: one that was inserted twice
 * has to be removed twice. Remove: false when there is none. Only translations of the page
 * where the breakpoint stands are made anew.
 */
void tcg_breakpoint_insert(TcgContext *t, uint64_t vaddr);
bool tcg_breakpoint_remove(TcgContext *t, uint64_t vaddr);
void tcg_breakpoint_clear(TcgContext *t);

/*
 * Watchpoints (debugger), on length bytes from vaddr (no top byte that the guest ignores),
 * for loads and stores of all CPUs, whether a store changes anything or not. Devices, table
 * walks, fetches and observers are not seen. Insert: false when the range is empty or wraps
 * around, or when there are TCG_MAX_WATCHPOINTS; equal ones may be there twice. Remove: false
 * when there is none. Only the soft TLB's entries of the range's pages are made anew.
 */
#define TCG_MAX_WATCHPOINTS 64
bool tcg_watchpoint_insert(TcgContext *t, WatchKind kind, uint64_t vaddr, uint64_t length);
bool tcg_watchpoint_remove(TcgContext *t, WatchKind kind, uint64_t vaddr, uint64_t length);
void tcg_watchpoint_clear(TcgContext *t);

/* Whether there is any watchpoint; any breakpoint or watchpoint. */
bool tcg_watches(const TcgContext *t);
bool tcg_stops_anywhere(const TcgContext *t);

/* Forget everything that was derived from page tables: guest memory or registers were replaced. */
void tcg_flush_tlb(TcgContext *t);

/* Drop all translations (tests). */
void tcg_flush(TcgContext *t);
/* From here on, make units of one guest instruction, or as the configuration has them. */
void tcg_set_one_insn(TcgContext *t, bool on);

/* "info jit": counts of units, bytes, flushes. */
void tcg_info(TcgContext *t, GString *out);

#endif
