/*
 * Spaces and TLB entries; see tlb.h for the rules.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/tlb.h"

#define DEFAULT_WAY_BITS 1
#define DEFAULT_MIN_BITS 8
/* A TLB with more entries than this part of it grows: the first way of a set is the fast one. */
#define GROW_SHIFT 2
#define DEFAULT_MAX_BITS 15
/* More regimes than these, and those of all CPUs, are recycled. */
#define NUM_SPACES 64

/* page_link of a page with PAGE_WRITE_CACHED. */
#define LINK_ENTRY_BITS 20
_Static_assert(TLB_MAX_BITS <= LINK_ENTRY_BITS, "an entry's number fits a link");

static Space *space_at(TcgContext *t, unsigned index)
{
    return g_ptr_array_index(t->spaces, index);
}

/* ---- instruction TLB ---- */

static void itlb_drop(Space *s, ItlbEntry *e)
{
    uint64_t page = e->tag & PAGE_MASK;

    s->icount[half_of(page)]--;
    e->tag = 0;
    jump_caches_drop_page(s, page);
}

ItlbEntry *itlb_insert(Space *s, uint64_t page)
{
    ItlbEntry *set = itlb_set(s, page), *e = set;

    while (e < set + ITLB_WAYS && e->tag) {
        e++;
    }
    if (e == set + ITLB_WAYS) {
        e = &set[s->ievictions++ % ITLB_WAYS];
        itlb_drop(s, e);
    }
    s->icount[half_of(page)]++;
    e->tag = page | ITLB_VALID;
    return e;
}

/* ---- entries ---- */

/*
 * The entries where a page may be: the same for all pages of a set, but each page has an order of
 * its own, so that the first ways of neighbours differ. The distance of two ways does not
 * depend on the TLB's size, and TLBs are aligned to their least size, for gen-mem.c's sake.
 */
static TlbEntry *tlb_way(TcgContext *t, Space *s, uint64_t page, unsigned way)
{
    unsigned first = (page >> PAGE_BITS) & ((1u << s->bits) - 1);

    return &s->tlb[first ^ way << (t->tlb_min_bits - t->tlb_way_bits)];
}

static bool entry_is(const TlbEntry *e, uint64_t page)
{
    return (e->read_tag & ~TLB_SLOW) == page;
}

static uint32_t link_to(const Space *s, const TlbEntry *e)
{
    return (uint32_t)s->index << LINK_ENTRY_BITS | (uint32_t)(e - s->tlb);
}

/* The region of an entry's page; NULL: it is not in the memory map any more. */
static MemRegion *entry_region(TcgContext *t, const TlbEntry *e)
{
    MemRegion *r = memory_find(t->machine->memory, e->phys_attrs & PAGE_MASK);

    return r && r->host ? r : NULL;
}

static hwaddr entry_page(const TlbEntry *e, const MemRegion *r)
{
    return ((e->phys_attrs & PAGE_MASK) - r->base) >> PAGE_BITS;
}

/* The entry came here from elsewhere. */
static void relink(TcgContext *t, Space *s, TlbEntry *e)
{
    MemRegion *r = e->write_tag & TLB_SLOW ? NULL : entry_region(t, e);

    if (r) {
        r->page_link[entry_page(e, r)] = link_to(s, e);
    }
}

static void forget_writes(TcgContext *t, TlbEntry *e)
{
    MemRegion *r = e->write_tag & TLB_SLOW ? NULL : entry_region(t, e);

    e->write_tag |= TLB_SLOW;
    if (r) {
        r->page_flags[entry_page(e, r)] &= (uint8_t)~PAGE_WRITE_CACHED;
    }
}

static void entry_drop(TcgContext *t, Space *s, TlbEntry *e)
{
    if (e->read_tag != TLB_INVALID) {
        forget_writes(t, e);
        s->count[half_of(e->read_tag)]--;
        e->read_tag = e->write_tag = TLB_INVALID;
    }
}

TlbEntry *tlb_find(TcgContext *t, Space *s, uint64_t page)
{
    TlbEntry *first = tlb_way(t, s, page, 0), *e = first, found;

    for (unsigned way = 1; !entry_is(e, page); way++) {
        if (way == 1u << t->tlb_way_bits) {
            return NULL;
        }
        e = tlb_way(t, s, page, way);
    }
    if (e != first) {
        found = *e;
        *e = *first;
        *first = found;
        relink(t, s, first);
        relink(t, s, e);
    }
    return first;
}

static TlbEntry *alloc_entries(TcgContext *t, unsigned bits)
{
    TlbEntry *tlb = aligned_alloc(sizeof(TlbEntry) << t->tlb_min_bits, sizeof(TlbEntry) << bits);

    assert(tlb);
    memset(tlb, 0xff, sizeof(TlbEntry) << bits);
    return tlb;
}

static void set_tlb(Vcpu *cpu)
{
    Space *s = cpu->space, *u = cpu->space_unpriv;

    cpu->tlb = s->tlb;
    cpu->tlb_mask = (sizeof(TlbEntry) << s->bits) - sizeof(TlbEntry);
    cpu->tlb_unpriv = u->tlb;
    cpu->tlb_mask_unpriv = (sizeof(TlbEntry) << u->bits) - sizeof(TlbEntry);
}

/* A free place for the page, the first if there is one; else NULL. */
static TlbEntry *free_way(TcgContext *t, Space *s, uint64_t page)
{
    for (unsigned way = 0; way < 1u << t->tlb_way_bits; way++) {
        TlbEntry *e = tlb_way(t, s, page, way);

        if (e->read_tag == TLB_INVALID) {
            return e;
        }
    }
    return NULL;
}

/*
 * Many entries, or few that happen to meet in one set all the time: a loop that goes through three
 * such pages would walk the tables for each access.
 */
static bool is_too_small(const Space *s)
{
    return s->count[0] + s->count[1] > 1u << s->bits >> GROW_SHIFT || s->evictions > 1u << s->bits;
}

/* Twice the sets: each set's entries go to two. */
static void tlb_grow(TcgContext *t, Space *s)
{
    TlbEntry *old = s->tlb;
    unsigned count = 1u << s->bits;

    s->tlb = alloc_entries(t, ++s->bits);
    s->evictions = 0;
    for (unsigned n = 0; n < count; n++) {
        if (old[n].read_tag != TLB_INVALID) {
            TlbEntry *e = free_way(t, s, old[n].read_tag);

            *e = old[n];
            relink(t, s, e);
        }
    }
    free(old);
    for (unsigned n = 0; n < t->cpus->len; n++) {
        Vcpu *cpu = g_ptr_array_index(t->cpus, n);

        if (cpu->space == s || cpu->space_unpriv == s) {
            set_tlb(cpu);
        }
    }
}

TlbEntry *tlb_insert(TcgContext *t, Space *s, uint64_t page)
{
    TlbEntry *first, *e;

    if (is_too_small(s) && s->bits < t->tlb_max_bits) {
        tlb_grow(t, s);
    }
    first = tlb_way(t, s, page, 0);
    e = free_way(t, s, page);
    if (!e) {
        s->evictions++;
        /* Any but the first, which goes there. */
        e = tlb_way(t, s, page, t->tlb_way_bits
                                ? 1 + s->evictions % ((1u << t->tlb_way_bits) - 1) : 0);
        entry_drop(t, s, e);
    }
    s->count[half_of(page)]++;
    if (e != first && first->read_tag != TLB_INVALID) {
        *e = *first;
        relink(t, s, e);
        e = first;
    }
    return e;
}

void tlb_protect(void *opaque, MemRegion *region, hwaddr phys)
{
    TcgContext *t = opaque;
    hwaddr page = (phys - region->base) >> PAGE_BITS;
    uint32_t link = region->page_link[page];
    TlbEntry *e;

    if (region->page_flags[page] & PAGE_WRITE_CACHED) {
        region->page_flags[page] &= (uint8_t)~PAGE_WRITE_CACHED;
        e = &space_at(t, link >> LINK_ENTRY_BITS)->tlb[link & ((1u << LINK_ENTRY_BITS) - 1)];
        e->write_tag |= TLB_SLOW;
    }
}

void tlb_allow_writes(TcgContext *t, Space *s, TlbEntry *e, MemRegion *region, hwaddr phys)
{
    hwaddr page = (phys - region->base) >> PAGE_BITS;

    if (e->write_tag & TLB_SLOW) {
        tlb_protect(t, region, phys);
        e->write_tag &= ~TLB_SLOW;
        region->page_flags[page] |= PAGE_WRITE_CACHED;
        region->page_link[page] = link_to(s, e);
    }
}

/* ---- forgetting ---- */

static void drop_page(TcgContext *t, Space *s, uint64_t page)
{
    ItlbEntry *i = itlb_find(s, page);

    for (unsigned way = 0; way < 1u << t->tlb_way_bits; way++) {
        TlbEntry *e = tlb_way(t, s, page, way);

        if (entry_is(e, page)) {
            entry_drop(t, s, e);
            break;
        }
    }
    if (i) {
        itlb_drop(s, i);
        t->dropped_code = true;
    }
}

static bool in_range(uint64_t vaddr, uint64_t base, uint64_t size)
{
    return (vaddr & PAGE_MASK) - base < size;
}

static void drop_range(TcgContext *t, Space *s, uint64_t base, uint64_t size)
{
    for (unsigned n = 0; (s->count[0] || s->count[1]) && n < 1u << s->bits; n++) {
        if (s->tlb[n].read_tag != TLB_INVALID && in_range(s->tlb[n].read_tag, base, size)) {
            entry_drop(t, s, &s->tlb[n]);
        }
    }
    for (unsigned n = 0; (s->icount[0] || s->icount[1]) && n < ITLB_SIZE; n++) {
        if (s->itlb[n].tag && in_range(s->itlb[n].tag, base, size)) {
            itlb_drop(s, &s->itlb[n]);
            t->dropped_code = true;
        }
    }
}

void tlb_drop(TcgContext *t, Space *s, uint64_t base, uint64_t size)
{
    unsigned half = half_of(base);

    if (!s->count[half] && !s->icount[half] && size <= 1ull << 63) {
        return;
    }
    if (size <= 16 * PAGE_SIZE) {
        for (uint64_t page = base; page - base < size; page += PAGE_SIZE) {
            drop_page(t, s, page);
        }
    } else {
        drop_range(t, s, base, size);
    }
}

/* ---- spaces ---- */

static void space_clear(TcgContext *t, Space *s)
{
    s->stale = false;
    if (s->count[0] || s->count[1] || s->icount[0] || s->icount[1]) {
        s->generation++;
        drop_range(t, s, 0, UINT64_MAX);
    }
}

static Space *space_new(TcgContext *t)
{
    Space *s = g_new0(Space, 1);

    s->index = t->spaces->len;
    s->bits = t->tlb_min_bits;
    s->tlb = alloc_entries(t, s->bits);
    s->itlb = calloc(ITLB_SIZE, sizeof(ItlbEntry));
    assert(s->itlb);
    g_ptr_array_add(t->spaces, s);
    return s;
}

static void space_free(gpointer data)
{
    Space *s = data;

    jump_caches_free(s);
    free(s->tlb);
    free(s->itlb);
    g_free(s);
}

/* Whether any CPU would still take it for one of its own. */
static bool space_in_use(TcgContext *t, const Space *s)
{
    for (unsigned n = 0; n < t->cpus->len; n++) {
        const Vcpu *cpu = g_ptr_array_index(t->cpus, n);

        for (unsigned i = 0; i < VCPU_NUM_REGIMES; i++) {
            if (cpu->space_of[i] == s) {
                return true;
            }
        }
        if (cpu->space == s || cpu->space_unpriv == s) {
            return true;
        }
    }
    return false;
}

static bool regime_matches(const Space *s, const Regime *r, unsigned main_half)
{
    return s->used && s->regime.table[main_half] == r->table[main_half] &&
           s->main_half == main_half &&
           memcmp(s->regime.control, r->control, sizeof(r->control)) == 0;
}

/* The next user may need less; s is empty. */
static void space_shrink(TcgContext *t, Space *s)
{
    s->evictions = 0;
    if (s->bits > t->tlb_min_bits) {
        free(s->tlb);
        s->bits = t->tlb_min_bits;
        s->tlb = alloc_entries(t, s->bits);
    }
}

static Space *space_recycle(TcgContext *t)
{
    Space *oldest = NULL;

    if (t->spaces->len < NUM_SPACES) {
        return space_new(t);
    }
    for (unsigned n = 0; n < t->spaces->len; n++) {
        Space *s = space_at(t, n);

        if ((!oldest || s->last_use < oldest->last_use) && !space_in_use(t, s)) {
            oldest = s;
        }
    }
    if (!oldest) {
        return space_new(t);
    }
    space_clear(t, oldest);
    space_shrink(t, oldest);
    return oldest;
}

static Space *space_find(TcgContext *t, const Regime *r, unsigned main_half)
{
    Space *s;

    for (unsigned n = 0; n < t->spaces->len; n++) {
        if (regime_matches(space_at(t, n), r, main_half)) {
            return space_at(t, n);
        }
    }
    s = space_recycle(t);
    s->used = true;
    s->regime = *r;
    s->main_half = main_half;
    return s;
}

/* The space of one of cpu's regimes, with that regime's tables in both halves. */
static Space *space_of(TcgContext *t, Vcpu *cpu, unsigned number)
{
    unsigned other = !cpu->ops->main_half[number];
    Space *s = cpu->space_of[number];
    Regime r;

    if (!s) {
        cpu->ops->regime(cpu, number, &r);
        s = cpu->space_of[number] = space_find(t, &r, !other);
        cpu->other_table[number] = r.table[other];
    }
    if (UNLIKELY(s->stale)) {
        space_clear(t, s);
    }
    if (s->regime.table[other] != cpu->other_table[number]) {
        if (s->count[other] || s->icount[other]) {
            drop_range(t, s, other ? 1ull << 63 : 0, 1ull << 63);
        }
        s->regime.table[other] = cpu->other_table[number];
    }
    s->last_use = ++t->space_clock;
    return s;
}

void tlb_enter(Vcpu *cpu)
{
    TcgContext *t = cpu->tcg;

    cpu->space_unpriv = space_of(t, cpu, 0);
    cpu->space = space_of(t, cpu, cpu->ops->current_regime(cpu));
    cpu->mode = cpu->ops->mode(cpu);
    cpu->pc_align_mask = cpu->ops->pc_align_mask(cpu->mode);
    set_tlb(cpu);
    if (cpu->jump_cache < cpu->space->jump ||
        cpu->jump_cache >= cpu->space->jump + SPACE_JUMP_CACHES ||
        cpu->jump_cache->mode != cpu->mode) {
        jump_cache_enter(cpu);
    }
}

void vcpu_space_changed(Vcpu *cpu)
{
    /* A CPU that is being built is entered when it first runs. */
    if (cpu->tcg) {
        tlb_enter(cpu);
    }
}

void vcpu_regime_changed(Vcpu *cpu)
{
    memset(cpu->space_of, 0, sizeof(cpu->space_of));
    vcpu_space_changed(cpu);
}

/*
 * Spaces that a CPU points at are emptied at once, without tlb_enter(): that CPU may be
 * running, and tlb_enter() of another CPU would change the second half of a shared space.
 */
void tlb_flush(TcgContext *t)
{
    for (unsigned n = 0; n < t->spaces->len; n++) {
        space_at(t, n)->stale = true;
    }
    for (unsigned n = 0; n < t->cpus->len; n++) {
        Vcpu *cpu = g_ptr_array_index(t->cpus, n);

        if (cpu->space) {
            space_clear(t, cpu->space);
            space_clear(t, cpu->space_unpriv);
        }
    }
}

void tlb_init(TcgContext *t)
{
    const TcgConfig *c = &t->config;

    t->tlb_way_bits = c->tlb_ways ? __builtin_ctz(c->tlb_ways) : DEFAULT_WAY_BITS;
    t->tlb_min_bits = c->tlb_entries ? __builtin_ctz(c->tlb_entries) : DEFAULT_MIN_BITS;
    t->tlb_max_bits = c->tlb_entries ? t->tlb_min_bits : DEFAULT_MAX_BITS;
    t->spaces = g_ptr_array_new_with_free_func(space_free);
    t->no_entry = (TlbEntry){ .read_tag = TLB_INVALID, .write_tag = TLB_INVALID };
}

void tlb_free(TcgContext *t)
{
    g_ptr_array_free(t->spaces, true);
}
