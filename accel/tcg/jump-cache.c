/*
 * Jump caches: where generated code finds the unit behind an address, for each space and mode;
 * see tlb.h for the rules.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/tlb.h"

#define JUMP_MIN_BITS 12
#define JUMP_MAX_BITS 15

/* By words: where instructions are shorter, two share an entry. */
static unsigned jump_index(const JumpCache *j, uint64_t pc)
{
    return (pc >> 2) & ((1u << j->bits) - 1);
}

/* PC 0 belongs to entry 0, so there alone a zero PC would be taken for one. */
static void jump_cache_clear(JumpCache *j)
{
    if (j->bits) {
        memset(j->entries, 0, sizeof(JumpCacheEntry) << j->bits);
        j->entries[0].pc = TLB_INVALID;
        j->replaced = 0;
    }
}

/* A page's entries are contiguous. */
static void jump_cache_drop_page(JumpCache *j, uint64_t page)
{
    unsigned first;

    if (j->bits) {
        first = jump_index(j, page);
        memset(&j->entries[first], 0, PAGE_SIZE / 4 * sizeof(JumpCacheEntry));
        if (first == 0) {
            j->entries[0].pc = TLB_INVALID;
        }
    }
}

static void jump_cache_alloc(JumpCache *j, unsigned bits)
{
    j->entries = calloc(1u << bits, sizeof(JumpCacheEntry));
    assert(j->entries);
    j->bits = bits;
    jump_cache_clear(j);
}

static JumpCache *space_jump_cache(TcgContext *t, Space *s, uint32_t mode)
{
    JumpCache *oldest = &s->jump[0], *j;

    for (j = s->jump; j < s->jump + SPACE_JUMP_CACHES; j++) {
        if (j->bits && j->mode == mode) {
            j->last_use = ++t->space_clock;
            return j;
        }
        if (j->last_use < oldest->last_use) {
            oldest = j;
        }
    }
    if (oldest->bits) {
        jump_cache_clear(oldest);
    } else {
        jump_cache_alloc(oldest, JUMP_MIN_BITS);
    }
    oldest->mode = mode;
    oldest->last_use = ++t->space_clock;
    return oldest;
}

void jump_caches_clear(TcgContext *t)
{
    for (unsigned n = 0; n < t->spaces->len; n++) {
        Space *s = g_ptr_array_index(t->spaces, n);

        for (unsigned i = 0; i < SPACE_JUMP_CACHES; i++) {
            jump_cache_clear(&s->jump[i]);
        }
    }
}

void jump_caches_drop_page(Space *s, uint64_t page)
{
    for (unsigned n = 0; n < SPACE_JUMP_CACHES; n++) {
        jump_cache_drop_page(&s->jump[n], page);
    }
}

void jump_caches_free(Space *s)
{
    for (unsigned n = 0; n < SPACE_JUMP_CACHES; n++) {
        free(s->jump[n].entries);
    }
}

static void set_jump_cache(Vcpu *cpu, JumpCache *j)
{
    cpu->jump_cache = j;
    cpu->jump_entries = j->entries;
    cpu->jump_mask = ((1u << j->bits) - 1) * sizeof(JumpCacheEntry);
}

void jump_cache_enter(Vcpu *cpu)
{
    set_jump_cache(cpu, space_jump_cache(cpu->tcg, cpu->space, cpu->mode));
}

static void jump_cache_grow(TcgContext *t, JumpCache *j)
{
    JumpCacheEntry *old = j->entries;
    unsigned count = 1u << j->bits;

    jump_cache_alloc(j, j->bits + 1);
    for (unsigned n = 0; n < count; n++) {
        if (old[n].code) {
            j->entries[jump_index(j, old[n].pc)] = old[n];
        }
    }
    free(old);
    for (unsigned n = 0; n < t->cpus->len; n++) {
        Vcpu *cpu = g_ptr_array_index(t->cpus, n);

        if (cpu->jump_cache == j) {
            set_jump_cache(cpu, j);
        }
    }
}

void jump_cache_insert(Vcpu *cpu, uint64_t pc, const void *code)
{
    JumpCache *j = cpu->jump_cache;
    JumpCacheEntry *e = &j->entries[jump_index(j, pc)];

    if (e->code && e->pc != pc && ++j->replaced > 1u << j->bits >> 1 && j->bits < JUMP_MAX_BITS) {
        jump_cache_grow(cpu->tcg, j);
        e = &j->entries[jump_index(j, pc)];
    }
    *e = (JumpCacheEntry){ .pc = pc, .code = code };
}
