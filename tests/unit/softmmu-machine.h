/*
 * A machine for the tests of the soft MMU: RAM, ROM and a device that keeps a log, one
 * fake vCPU, and a page table that the test fills. check_rules() holds the TLBs against it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_SOFTMMU_MACHINE_H
#define TESTS_SOFTMMU_MACHINE_H

#include "fake-vcpu.h"
#include "accel/tcg/tlb.h"
#include "accel/tcg/units.h"

#define RAM 0x100000ull
#define RAM_PAGES 16
#define ROM 0x200000ull
#define MMIO 0x300000ull
#define HOLE 0x400000ull
#define RW (TLB_VALID | TLB_READ | TLB_WRITE | TLB_EXEC)
#define RO (TLB_VALID | TLB_READ)
#define TAG (0xa5ull << 56)

/* A page table entry of the test. */
typedef struct Mapping {
    uint64_t phys;
    uint32_t attrs;
    bool el1_only;
} Mapping;

typedef struct DeviceAccess {
    bool write;
    hwaddr offset;
    unsigned size;
    uint64_t value;
} DeviceAccess;

typedef struct Mmu {
    Machine *m;
    TcgContext *tcg;
    FakeCpu *cpu;
    Vcpu *vcpu;
    GHashTable *table;      /* asid << 52 | page number -> Mapping */
    DeviceAccess log[8];
    unsigned accesses, peeks;
} Mmu;

static uint64_t table_key(uint32_t asid, uint64_t vaddr)
{
    return (uint64_t)asid << 52 | vaddr >> PAGE_BITS;
}

static bool table_walk(FakeCpu *cpu, uint64_t vaddr, MmuAccess access, bool unpriv,
                       MmuResult *out)
{
    Mmu *t = cpu->opaque;
    uint64_t key = table_key(cpu->key.asid, vaddr);
    const Mapping *map = g_hash_table_lookup(t->table, &key);

    /* The engine asks with addresses that are clean. */
    g_assert_cmphex(vaddr >> FAKE_ADDRESS_BITS, ==, 0);
    out->fault = map ? 13 : 7;
    if (!map || (map->el1_only && unpriv) || (access == MMU_WRITE && !(map->attrs & TLB_WRITE)) ||
        (access == MMU_FETCH && !(map->attrs & TLB_EXEC))) {
        return false;
    }
    out->phys = map->phys;
    out->attrs = map->attrs;
    return true;
}

/* The tables are outside the machine's memory, so the soft TLB has to be told of changes. */
static Mapping *map_asid(Mmu *t, uint32_t asid, uint64_t vaddr, uint64_t phys, uint32_t attrs)
{
    uint64_t key = table_key(asid, vaddr);
    Mapping *map = g_new0(Mapping, 1);

    *map = (Mapping){ .phys = phys, .attrs = attrs };
    g_hash_table_insert(t->table, g_memdup2(&key, 8), map);
    tcg_flush_tlb(t->tcg);
    return map;
}

static Mapping *map(Mmu *t, uint64_t vaddr, uint64_t phys, uint32_t attrs)
{
    return map_asid(t, 0, vaddr, phys, attrs);
}

static uint64_t device_read(void *opaque, hwaddr offset, unsigned size)
{
    Mmu *t = opaque;

    t->log[t->accesses++ % 8] = (DeviceAccess){ false, offset, size, 0 };
    return 0x1011121314151617 + offset;
}

static void device_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Mmu *t = opaque;

    t->log[t->accesses++ % 8] = (DeviceAccess){ true, offset, size, value };
}

static uint64_t device_peek(void *opaque, hwaddr offset, unsigned size)
{
    ((Mmu *)opaque)->peeks++;
    return 0x42;
}

static const MmioOps device_ops = { .read = device_read, .write = device_write,
                                    .peek = device_peek, .min_size = 1, .max_size = 8 };

/* entries: of each TLB; 0: as many as it needs. */
static void mmu_open_sized(Mmu *t, unsigned entries)
{
    const TcgConfig config = { .interp = true, .tlb_ways = 2, .tlb_entries = entries };
    Error *err = NULL;

    *t = (Mmu){ .m = machine_new(NULL) };
    t->table = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    memory_add_ram(t->m->memory, "ram", RAM, RAM_PAGES * PAGE_SIZE, false, NULL);
    memory_add_ram(t->m->memory, "rom", ROM, PAGE_SIZE, true, NULL);
    memory_add_mmio(t->m->memory, "device", MMIO, 2 * PAGE_SIZE, &device_ops, t);
    t->cpu = fake_cpu_new(t->m);
    t->vcpu = &t->cpu->vcpu;
    t->cpu->opaque = t;
    t->cpu->walk = table_walk;
    t->tcg = tcg_new(t->m, &config, &err);
    g_assert_nonnull(t->tcg);
    tcg_add_vcpu(t->tcg, t->vcpu);
}

static void mmu_open(Mmu *t)
{
    mmu_open_sized(t, 16);
}

static void mmu_close(Mmu *t)
{
    tcg_free(t->tcg);
    free(t->cpu);
    machine_free(t->m);
    g_hash_table_destroy(t->table);
}

static bool store_flags(Mmu *t, uint64_t vaddr, uint64_t value, unsigned bytes, unsigned flags)
{
    return mmu_access(t->vcpu, vaddr, &value, bytes, 1, flags, true);
}

static bool store(Mmu *t, uint64_t vaddr, uint64_t value, unsigned bytes)
{
    return store_flags(t, vaddr, value, bytes, 0);
}

static bool load_flags(Mmu *t, uint64_t vaddr, uint64_t *value, unsigned bytes, unsigned flags)
{
    *value = 0;
    return mmu_access(t->vcpu, vaddr, value, bytes, 1, flags, false);
}

/* A load that must not fault. */
static uint64_t load(Mmu *t, uint64_t vaddr)
{
    uint64_t value;

    g_assert_true(load_flags(t, vaddr, &value, 8, 0));
    return value;
}

static inline uint64_t phys_read(Mmu *t, uint64_t phys)
{
    uint64_t value;

    g_assert_true(memory_read(t->m->memory, phys, &value, 8));
    return value;
}

static void phys_write(Mmu *t, uint64_t phys, uint64_t value)
{
    g_assert_true(memory_write(t->m->memory, phys, &value, 8));
}

static uint8_t *page_flags(Mmu *t, uint64_t phys)
{
    MemRegion *r = memory_find(t->m->memory, phys);

    return &r->page_flags[(phys - r->base) >> PAGE_BITS];
}

/* The page's entry in the current space, or NULL. */
static TlbEntry *entry(Mmu *t, uint64_t vaddr)
{
    return tlb_find(t->tcg, t->vcpu->space, vaddr & PAGE_MASK);
}

static void set_asid(Mmu *t, uint32_t asid)
{
    t->cpu->key.asid = t->cpu->unpriv_key.asid = asid;
    fake_space_changed(t->cpu);
}

static void assert_fault(Mmu *t, unsigned *counter, uint64_t addr, MmuAccess access)
{
    g_assert_cmpuint(*counter, ==, 1);
    g_assert_cmpuint(t->cpu->aborts + t->cpu->alignments + t->cpu->externals, ==, 1);
    g_assert_cmphex(t->cpu->fault_addr, ==, addr);
    g_assert_cmpint(t->cpu->fault_access, ==, access);
    *counter = 0;
}

static void assert_device(Mmu *t, unsigned n, bool write, hwaddr offset, unsigned size)
{
    g_assert_cmpuint(t->accesses, >, n);
    g_assert_cmpint(t->log[n].write, ==, write);
    g_assert_cmphex(t->log[n].offset, ==, offset);
    g_assert_cmpuint(t->log[n].size, ==, size);
}

/* The rules of tlb.h, for every entry of every space. */
static void check_rules(Mmu *t)
{
    for (unsigned n = 0; n < t->tcg->spaces->len; n++) {
        const Space *s = g_ptr_array_index(t->tcg->spaces, n);
        unsigned count = 0;

        for (unsigned i = 0; i < 1u << s->bits; i++) {
            const TlbEntry *e = &s->tlb[i];
            uint64_t phys = e->phys_attrs & PAGE_MASK, page = e->read_tag & ~TLB_SLOW;

            if (e->read_tag == TLB_INVALID) {
                g_assert_cmphex(e->write_tag, ==, TLB_INVALID);
                continue;
            }
            count++;
            g_assert_cmphex(page & ~PAGE_MASK, ==, 0);
            g_assert_cmphex(e->write_tag & ~TLB_SLOW, ==, page);
            if (!(e->read_tag & TLB_SLOW) && !s->stale) {
                MemRegion *r = memory_find(t->m->memory, phys);

                g_assert_cmphex(e->phys_attrs & (TLB_VALID | TLB_READ | TLB_DEVICE | TLB_MMIO),
                                ==, TLB_VALID | TLB_READ);
                g_assert_true((uint8_t *)(uintptr_t)(page + e->addend) ==
                              r->host + (phys - r->base));
            }
            if (!(e->write_tag & TLB_SLOW) && !s->stale) {
                g_assert_cmphex(*page_flags(t, phys), ==, PAGE_WRITTEN | PAGE_WRITE_CACHED);
            }
        }
        g_assert_cmpuint(count, ==, s->count[0] + s->count[1]);
    }
}

#endif
