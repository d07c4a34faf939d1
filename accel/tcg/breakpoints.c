/*
 * Breakpoints: where execution stops for a debugger.
 *
 * 1. A breakpoint stands at a virtual address, in whatever space it is reached.
 * 2. A virtual page with breakpoints has units of its own (Unit.for_break): they end in
 *    front of each breakpoint, serve this one virtual address, and go when the page's
 *    breakpoints change. All other units know nothing of breakpoints and stay.
 * 3. No link and no jump-cache entry leads to a breakpoint, so execution gets there
 *    through tcg_run() alone, which looks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/tlb.h"
#include "accel/tcg/units.h"

static uint64_t page_of(uint64_t vaddr)
{
    return vaddr & ~(uint64_t)(PAGE_SIZE - 1);
}

static unsigned count_of(GHashTable *table, uint64_t key)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(table, &key));
}

/* Keys that are counted: an entry goes when its count is back at zero. */
static void count_change(GHashTable *table, uint64_t key, int change)
{
    unsigned count = count_of(table, key) + (unsigned)change;

    if (count == 0) {
        g_hash_table_remove(table, &key);
    } else {
        g_hash_table_insert(table, g_memdup2(&key, sizeof(key)), GUINT_TO_POINTER(count));
    }
}

void breakpoints_init(TcgContext *t)
{
    t->breakpoints = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    t->break_pages = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
}

void breakpoints_free(TcgContext *t)
{
    g_hash_table_destroy(t->breakpoints);
    g_hash_table_destroy(t->break_pages);
}

bool breakpoint_at(TcgContext *t, uint64_t pc)
{
    return UNLIKELY(g_hash_table_size(t->breakpoints)) &&
           g_hash_table_contains(t->breakpoints, &pc);
}

bool tcg_watches(const TcgContext *t)
{
    return t->num_watches > 0;
}

bool tcg_stops_anywhere(const TcgContext *t)
{
    return g_hash_table_size(t->breakpoints) || tcg_watches(t);
}

bool breakpoint_on_page(TcgContext *t, uint64_t pc)
{
    uint64_t page = page_of(pc);

    return UNLIKELY(g_hash_table_size(t->break_pages)) &&
           g_hash_table_contains(t->break_pages, &page);
}

bool vcpu_stop_before(Vcpu *cpu, uint64_t pc)
{
    return breakpoint_at(cpu->tcg, pc);
}

/* The page's units are found through the jump caches, too. */
static void page_changed(TcgContext *t, uint64_t vaddr)
{
    units_drop_breaks(t, page_of(vaddr));
    jump_caches_clear(t);
}

void tcg_breakpoint_insert(TcgContext *t, uint64_t vaddr)
{
    bool first = !count_of(t->breakpoints, vaddr);

    count_change(t->breakpoints, vaddr, 1);
    if (first) {
        count_change(t->break_pages, page_of(vaddr), 1);
        page_changed(t, vaddr);
    }
}

bool tcg_breakpoint_remove(TcgContext *t, uint64_t vaddr)
{
    unsigned count = count_of(t->breakpoints, vaddr);

    if (!count) {
        return false;
    }
    count_change(t->breakpoints, vaddr, -1);
    if (count == 1) {
        count_change(t->break_pages, page_of(vaddr), -1);
        page_changed(t, vaddr);
    }
    return true;
}

void tcg_breakpoint_clear(TcgContext *t)
{
    g_autofree gpointer *pages = g_hash_table_get_keys_as_array(t->break_pages, NULL);

    g_hash_table_remove_all(t->breakpoints);
    for (unsigned n = 0; pages[n]; n++) {
        page_changed(t, *(uint64_t *)pages[n]);
    }
    g_hash_table_remove_all(t->break_pages);
}
