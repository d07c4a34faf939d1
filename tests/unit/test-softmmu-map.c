/*
 * The soft MMU when the memory map changes under it: registers that cover a part of a page, regions that
 * change places, one that is taken away by an access to it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "softmmu-machine.h"

/* Registers in the middle of a page of RAM: each access asks the map. */
static void test_partly_covered(void)
{
    const uint32_t insn = 0xd503201f;
    MemRegion *bar;
    uint64_t value;
    Mmu t;

    mmu_open(&t);
    map(&t, 0x5000, RAM, RW);
    map(&t, 0x6000, RAM + 0x1000, RW);
    phys_write(&t, RAM, 7);
    g_assert_true(store(&t, 0x5ff8, 1, 8));
    g_assert_cmphex(entry(&t, 0x5000)->write_tag, ==, 0x5000);
    g_assert_true(memory_write(t.m->memory, RAM + 0x20, &insn, 4));
    bar = memory_new_mmio(t.m->memory, "bar", 0x100, &device_ops, &t);
    memory_set_priority(t.m->memory, bar, 1);
    memory_move(t.m->memory, bar, RAM + 0x100);
    memory_set_enabled(t.m->memory, bar, true);
    g_assert_cmphex(*page_flags(&t, RAM), ==, PAGE_WRITTEN);
    g_assert_cmphex(load(&t, 0x5100), ==, 0x1011121314151617);
    g_assert_cmphex(load(&t, 0x5000), ==, 7);
    g_assert_true(store(&t, 0x5008, 9, 8));
    g_assert_cmphex(load(&t, 0x5008), ==, 9);
    g_assert_true(store(&t, 0x51f8, 3, 4));
    assert_device(&t, 1, true, 0xf8, 4);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5000, 8, 0, false), ==, PROBE_MMIO);
    /* Half registers, half memory: nobody answers. */
    g_assert_false(load_flags(&t, 0x50fc, &value, 8, 0));
    assert_fault(&t, &t.cpu->externals, 0x50fc, MMU_READ);
    /* Code comes from the memory. */
    g_assert_cmpmem(mmu_fetch(t.vcpu, 0x5020)->host + 0x20, 4, &insn, 4);
    check_rules(&t);
    memory_set_enabled(t.m->memory, bar, false);
    g_assert_cmphex(load(&t, 0x5100), ==, 0);
    g_assert_cmphex(entry(&t, 0x5000)->read_tag, ==, 0x5000);
    check_rules(&t);
    mmu_close(&t);
}

static void swap(MemoryMap *map, MemRegion *away, MemRegion *here)
{
    memory_set_enabled(map, away, false);
    memory_set_enabled(map, here, true);
}

/* A space that is emptied later must not take the new region's page for the old one's. */
static void test_swapped(void)
{
    MemRegion *first, *second;
    Mmu t;

    mmu_open(&t);
    first = memory_add_ram(t.m->memory, "first", HOLE, PAGE_SIZE, false, NULL);
    second = memory_new_ram(t.m->memory, "second", PAGE_SIZE, false, NULL);
    memory_move(t.m->memory, second, HOLE);
    map_asid(&t, 1, 0x5000, HOLE, RW);
    map_asid(&t, 2, 0x5000, HOLE, RW);
    set_asid(&t, 1);
    g_assert_true(store(&t, 0x5000, 1, 8));
    g_assert_cmphex(first->page_flags[0], ==, PAGE_WRITTEN | PAGE_WRITE_CACHED);
    set_asid(&t, 2);
    swap(t.m->memory, first, second);
    g_assert_cmphex(first->page_flags[0], ==, PAGE_WRITTEN);
    g_assert_true(store(&t, 0x5000, 2, 8));
    set_asid(&t, 1);
    check_rules(&t);
    g_assert_cmphex(load(&t, 0x5000), ==, 2);
    g_assert_true(store(&t, 0x5008, 3, 8));
    swap(t.m->memory, second, first);
    g_assert_cmphex(load(&t, 0x5000), ==, 1);
    g_assert_cmphex(load(&t, 0x5008), ==, 0);
    check_rules(&t);
    mmu_close(&t);
}

typedef struct Remover {
    MemoryMap *map;
    MemRegion *victim;
} Remover;

static void remove_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Remover *r = opaque;

    if (r->victim) {
        memory_remove(r->map, r->victim);
        r->victim = NULL;
    }
}

/* The first half of an access takes away what the second one goes to. */
static void test_removed_inside(void)
{
    static const MmioOps ops = { .read = device_read, .write = remove_write, .min_size = 8,
                                 .max_size = 8 };
    uint64_t pair[2] = { 1, 2 };
    Remover r;
    Mmu t;

    mmu_open(&t);
    r = (Remover){ .map = t.m->memory };
    memory_add_mmio(r.map, "remover", HOLE, PAGE_SIZE, &ops, &r);
    r.victim = memory_add_ram(r.map, "victim", HOLE + PAGE_SIZE, PAGE_SIZE, false, NULL);
    map(&t, 0x5000, HOLE, RW);
    map(&t, 0x6000, HOLE + PAGE_SIZE, RW);
    g_assert_true(store(&t, 0x6000, 5, 8));
    g_assert_false(mmu_access(t.vcpu, 0x5ff8, pair, 8, 2, 0, true));
    assert_fault(&t, &t.cpu->externals, 0x6000, MMU_WRITE);
    g_assert_null(memory_find(r.map, HOLE + PAGE_SIZE));
    check_rules(&t);
    mmu_close(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/softmmu-map/partly-covered", test_partly_covered);
    g_test_add_func("/softmmu-map/swapped", test_swapped);
    g_test_add_func("/softmmu-map/removed-inside", test_removed_inside);
    return g_test_run();
}
