/*
 * The soft TLB: spaces and their entries. What fills it is softmmu.c, what makes it forget
 * is tables.c; docs/architecture.md tells why the guest cannot see it.
 *
 * A space is what one regime maps, and serves all CPUs that are in it. It has a TLB of
 * sets of entries that grows with the working set, an instruction TLB, and a jump cache for
 * each mode that runs in it.
 *
 * 1. An entry holds what a walk would find now. Whoever changes that (a table, the memory map)
 *    drops it first.
 * 2. A write tag goes direct only while the page has all of PAGE_WRITTEN and PAGE_WRITE_CACHED
 *    and not PAGE_HOOKED; then page_link names its entry. At most one entry of all spaces
 *    has a direct write tag of a physical page, so that taking it away costs nothing.
 * 3. A jump cache's entry is of a page that is in the instruction TLB: who drops or replaces
 *    that one empties the page's part of the jump caches.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_TLB_H
#define ACCEL_TCG_TLB_H

#include "accel/tcg/backend.h"

#define PAGE_MASK (~(uint64_t)(PAGE_SIZE - 1))
#define ITLB_SET_BITS 9
#define ITLB_WAYS 4u
#define ITLB_SIZE (ITLB_WAYS << ITLB_SET_BITS)
#define TLB_MAX_BITS 16
#define SPACE_JUMP_CACHES 4

struct JumpCache {
    uint32_t mode;
    uint8_t bits;               /* log2 of the number of entries; 0: not there */
    JumpCacheEntry *entries;    /* all zero: empty, but for entry 0, see jump_cache_clear() */
    unsigned replaced;          /* entries that gave way to others since it grew */
    uint64_t last_use;
};

struct Space {
    Regime regime;
    uint8_t main_half;          /* the other half's table base may be replaced */
    bool used;
    bool stale;                 /* to be emptied before anybody enters it */
    uint16_t index;             /* in TcgContext.spaces */
    uint8_t bits;               /* log2 of the number of TLB entries */
    uint32_t generation;        /* counts how often it was emptied */
    uint32_t count[2];          /* entries of the TLB in the low and the high half */
    uint32_t icount[2];         /* the same of the instruction TLB */
    uint32_t evictions;         /* entries of the TLB that gave way to others since it grew */
    uint32_t ievictions;        /* entries of the instruction TLB that did */
    uint64_t last_use;
    TlbEntry *tlb;
    ItlbEntry *itlb;
    JumpCache jump[SPACE_JUMP_CACHES];
};

static inline unsigned half_of(uint64_t vaddr)
{
    return vaddr >> 63;
}

void tlb_init(TcgContext *t);
void tlb_free(TcgContext *t);

/* Make cpu's pointers those of its current spaces, mode and their tables. */
void tlb_enter(Vcpu *cpu);

/* The page's entry or NULL. The most recently found one of a set comes first. */
TlbEntry *tlb_find(TcgContext *t, Space *s, uint64_t page);
/* A new entry for a page that has none, in place of another if need be; the caller fills it.
 * May move the TLB: all other pointers to entries of the space are void. */
TlbEntry *tlb_insert(TcgContext *t, Space *s, uint64_t page);
/* Stores to the page may go direct from now on; its flags are as rule 2 says. */
void tlb_allow_writes(TcgContext *t, Space *s, TlbEntry *e, MemRegion *region, hwaddr phys);
/* MemoryHooks.protect. */
void tlb_protect(void *opaque, MemRegion *region, hwaddr phys);

/* The ITLB_WAYS entries where a page may be. */
static inline ItlbEntry *itlb_set(Space *s, uint64_t page)
{
    uint64_t number = page >> PAGE_BITS;

    return &s->itlb[((number ^ number >> ITLB_SET_BITS) & ((1u << ITLB_SET_BITS) - 1)) * ITLB_WAYS];
}

/* The page's entry or NULL. */
static inline ItlbEntry *itlb_find(Space *s, uint64_t page)
{
    ItlbEntry *set = itlb_set(s, page);

    for (ItlbEntry *e = set; e < set + ITLB_WAYS; e++) {
        if (e->tag == (page | ITLB_VALID)) {
            return e;
        }
    }
    return NULL;
}

/* Where the host has pc, which is on the entry's page. */
static inline const uint8_t *itlb_code(const ItlbEntry *e, uint64_t pc)
{
    return e->host + (pc & ~PAGE_MASK);
}

/* A new entry for a page that has none, in place of another if need be; the caller fills it. */
ItlbEntry *itlb_insert(Space *s, uint64_t page);

/*
 * Forget [base, base + size), size a power of two of at least a page or UINT64_MAX. Sets
 * t->dropped_code when code may run from there.
 */
void tlb_drop(TcgContext *t, Space *s, uint64_t base, uint64_t size);
/* Forget everything, in all spaces. */
void tlb_flush(TcgContext *t);

/* ---- jump-cache.c ---- */

/* Make cpu's pointers those of the jump cache of its space and mode. */
void jump_cache_enter(Vcpu *cpu);
/* The unit at pc, which cpu's next jump there enters. */
void jump_cache_insert(Vcpu *cpu, uint64_t pc, const void *code);
/* The space's entries of a page; all entries of all spaces. */
void jump_caches_drop_page(Space *s, uint64_t page);
void jump_caches_clear(TcgContext *t);
void jump_caches_free(Space *s);

/* ---- tables.c ---- */

void tables_init(TcgContext *t);
void tables_free(TcgContext *t);
/* Something was derived for vaddr in s from the descriptors of a walk. */
void tables_note(TcgContext *t, Space *s, uint64_t vaddr, const MmuResult *walk);
/* [addr, addr + length) of a page with PAGE_TABLE is about to change. */
void tables_store(TcgContext *t, MemRegion *region, hwaddr addr, size_t length);
/* A page with PAGE_TABLE loses its place; the caller drops all that was derived from it. */
void tables_forget(TcgContext *t, MemRegion *region, hwaddr addr);

#endif
