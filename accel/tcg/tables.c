/*
 * Watched tables: which descriptors the soft TLB's contents come from.
 *
 * 1. A page that a successful walk read descriptors from has PAGE_TABLE and a record here:
 *    which of its descriptors were read (the live ones), and of which spaces and addresses
 *    they are descriptors. Faults are not cached, so a descriptor that no
 *    successful walk read may change freely: making an invalid one valid costs nothing.
 * 2. A store to a live descriptor first drops what it describes, in all spaces that used it.
 * 3. A page without live descriptors is not watched. A page that is written often and walked
 *    seldom is given up with all that was derived from it: page tables become data.
 *
 * Descriptors count in units of 8 bytes; two short descriptors share one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/tlb.h"

#define UNIT_BITS 3
#define NUM_UNITS (PAGE_SIZE >> UNIT_BITS)
#define NUM_USERS 4
/* Stores in a row, without a walk between, after which a page counts as data. */
#define STORES_MAX 48

/* Who walked through a table: unit n describes [base + (n << shift), + 1 << shift) of space. */
typedef struct TableUser {
    uint16_t space;
    uint8_t shift;
    uint32_t generation;      /* the space's; another one: nothing is left of this use */
    uint64_t base;
} TableUser;

typedef struct Table {
    bool crowded;             /* more users than there is room for */
    uint8_t num_users;
    uint16_t num_live;
    uint16_t stores;          /* since the last walk */
    TableUser user[NUM_USERS];
    uint64_t live[NUM_UNITS / 64];
} Table;

struct TableSet {
    GPtrArray *tables;        /* Table *, by page_link */
    GArray *unused;           /* uint32_t: numbers of free ones */
};

void tables_init(TcgContext *t)
{
    t->tables = g_new0(TableSet, 1);
    t->tables->tables = g_ptr_array_new_with_free_func(g_free);
    t->tables->unused = g_array_new(false, false, sizeof(uint32_t));
}

void tables_free(TcgContext *t)
{
    g_ptr_array_free(t->tables->tables, true);
    g_array_free(t->tables->unused, true);
    g_free(t->tables);
}

static Table *table_at(TcgContext *t, uint32_t link)
{
    return g_ptr_array_index(t->tables->tables, link);
}

static uint8_t *flags_of(MemRegion *region, hwaddr addr)
{
    return &region->page_flags[(addr - region->base) >> PAGE_BITS];
}

static uint32_t *link_of(MemRegion *region, hwaddr addr)
{
    return &region->page_link[(addr - region->base) >> PAGE_BITS];
}

/* ---- walks ---- */

static Table *table_new(TcgContext *t, MemRegion *region, hwaddr addr)
{
    GArray *unused = t->tables->unused;
    uint32_t link = t->tables->tables->len;
    Table *table;

    tlb_protect(t, region, addr);
    if (unused->len) {
        link = g_array_index(unused, uint32_t, unused->len - 1);
        g_array_set_size(unused, unused->len - 1);
    } else {
        g_ptr_array_add(t->tables->tables, g_new(Table, 1));
    }
    table = table_at(t, link);
    memset(table, 0, sizeof(*table));
    *link_of(region, addr) = link;
    *flags_of(region, addr) |= PAGE_TABLE;
    return table;
}

/* Forget users of which nothing is left. */
static void remove_old_users(TcgContext *t, Table *table)
{
    unsigned kept = 0;

    for (unsigned n = 0; n < table->num_users; n++) {
        const Space *s = g_ptr_array_index(t->spaces, table->user[n].space);

        if (table->user[n].generation == s->generation) {
            table->user[kept++] = table->user[n];
        }
    }
    table->num_users = kept;
}

static void add_user(TcgContext *t, Table *table, const TableUser *u)
{
    for (unsigned n = 0; n < table->num_users; n++) {
        TableUser *known = &table->user[n];

        if (known->base == u->base && known->space == u->space && known->shift == u->shift) {
            known->generation = u->generation;
            return;
        }
    }
    if (table->num_users == NUM_USERS) {
        remove_old_users(t, table);
    }
    if (table->num_users == NUM_USERS) {
        table->crowded = true;
    } else {
        table->user[table->num_users++] = *u;
    }
}

void tables_note(TcgContext *t, Space *s, uint64_t vaddr, const MmuResult *walk)
{
    for (unsigned n = 0; n < walk->num_steps; n++) {
        const MmuStep *step = &walk->step[n];
        MemRegion *region = memory_find(t->machine->memory, step->phys);
        unsigned unit = (step->phys & (PAGE_SIZE - 1)) >> UNIT_BITS;
        uint64_t bit = 1ull << (unit % 64);
        TableUser u = { .space = s->index, .shift = step->shift, .generation = s->generation,
                        .base = (vaddr & ~((1ull << step->shift) - 1)) -
                                ((uint64_t)unit << step->shift) };
        Table *table = *flags_of(region, step->phys) & PAGE_TABLE ?
                       table_at(t, *link_of(region, step->phys)) :
                       table_new(t, region, step->phys);

        add_user(t, table, &u);
        table->stores = 0;
        if (!(table->live[unit / 64] & bit)) {
            table->live[unit / 64] |= bit;
            table->num_live++;
        }
    }
}

/* ---- stores ---- */

static void drop_unit(TcgContext *t, Table *table, unsigned unit)
{
    table->live[unit / 64] &= ~(1ull << (unit % 64));
    table->num_live--;
    for (unsigned n = 0; n < table->num_users; n++) {
        const TableUser *u = &table->user[n];
        Space *s = g_ptr_array_index(t->spaces, u->space);

        if (u->generation == s->generation) {
            tlb_drop(t, s, u->base + ((uint64_t)unit << u->shift), 1ull << u->shift);
        }
    }
}

static void drop_units(TcgContext *t, Table *table, unsigned first, unsigned last)
{
    for (unsigned unit = first; unit <= last && table->num_live; unit++) {
        if (table->live[unit / 64] >> (unit % 64) & 1) {
            drop_unit(t, table, unit);
        }
    }
}

void tables_forget(TcgContext *t, MemRegion *region, hwaddr addr)
{
    uint32_t link = *link_of(region, addr);

    *flags_of(region, addr) &= (uint8_t)~PAGE_TABLE;
    g_array_append_val(t->tables->unused, link);
}

void tables_store(TcgContext *t, MemRegion *region, hwaddr addr, size_t length)
{
    Table *table = table_at(t, *link_of(region, addr));
    unsigned offset = addr & (PAGE_SIZE - 1);
    unsigned first = offset >> UNIT_BITS, last = (offset + length - 1) >> UNIT_BITS;

    if (table->crowded) {
        /* Whose else the descriptors are is not known. */
        tlb_flush(t);
        t->dropped_code = true;
        table->num_live = 0;
    } else if (++table->stores > STORES_MAX) {
        drop_units(t, table, 0, NUM_UNITS - 1);
    } else {
        drop_units(t, table, first, last);
    }
    if (!table->num_live) {
        tables_forget(t, region, addr);
    }
}
