/*
 * The soft MMU through its internal interface: what fills the TLBs and what empties
 * them, accesses that cross pages or go to devices, page flags and write tags, address
 * spaces and their recycling, observers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "softmmu-machine.h"

/* ---- filling ---- */

/* The guest can see what the TLB holds: it keeps the old translation until told. */
static void test_fill(void)
{
    Mmu t;

    mmu_open(&t);
    phys_write(&t, RAM, 1);
    phys_write(&t, RAM + 0x1000, 2);
    map(&t, 0x5000, RAM, RW);
    g_assert_cmpuint(load(&t, 0x5000), ==, 1);
    g_assert_cmpuint(load(&t, 0x5008), ==, 0);
    g_assert_cmpuint(t.cpu->walks, ==, 1);
    map(&t, 0x5000, RAM + 0x1000, RW);
    g_assert_cmpuint(load(&t, 0x5000), ==, 1);
    /* Neither an observer nor a probe that fails changes that. */
    g_assert_true(vcpu_peek(t.vcpu, 0x5000, &(uint64_t){ 0 }, 8));
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5ffc, 8, 0, false), ==, PROBE_BAIL);
    g_assert_cmpuint(load(&t, 0x5000), ==, 1);
    vcpu_tlb_flush_page(t.vcpu, 0x5abc);
    g_assert_cmpuint(load(&t, 0x5000), ==, 2);
    check_rules(&t);
    /* A page with the same index takes the entry. */
    map(&t, 0x5000 + TLB_SIZE * PAGE_SIZE, RAM, RW);
    g_assert_cmpuint(load(&t, 0x5000 + TLB_SIZE * PAGE_SIZE), ==, 1);
    map(&t, 0x5000, RAM, RW);
    g_assert_cmpuint(load(&t, 0x5000), ==, 1);
    mmu_close(&t);
}

static void test_permissions(void)
{
    uint64_t value;
    Mmu t;

    mmu_open(&t);
    map(&t, 0x5000, RAM, RO);
    g_assert_cmpuint(load(&t, 0x5000), ==, 0);
    g_assert_false(store(&t, 0x5010, 1, 8));
    assert_fault(&t, &t.cpu->aborts, 0x5010, MMU_WRITE);
    g_assert_cmpuint(t.cpu->fault, ==, 13);
    /* A read-only entry is walked again for a store: more rights need no maintenance. */
    map(&t, 0x5000, RAM, RW);
    g_assert_true(store(&t, 0x5010, 7, 8));
    g_assert_cmpuint(phys_read(&t, RAM + 0x10), ==, 7);
    g_assert_false(load_flags(&t, 0x6008 | TAG, &value, 4, 0));
    assert_fault(&t, &t.cpu->aborts, 0x6008 | TAG, MMU_READ);
    g_assert_cmpuint(t.cpu->fault, ==, 7);
    /* A tag is ignored for the access. */
    g_assert_cmpuint(load(&t, 0x5010 | TAG), ==, 7);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5010 | TAG, 8, 0, false) + (0x5010 | TAG), ==,
                    (uintptr_t)memory_find(t.m->memory, RAM)->host + 0x10);
    check_rules(&t);
    mmu_close(&t);
}

/* Device memory and MMIO get no entry: each access asks anew. */
static void test_not_cached(void)
{
    Mmu t;

    mmu_open(&t);
    map(&t, 0x5000, RAM, RW | TLB_DEVICE);
    map(&t, 0x6000, MMIO, RW | TLB_DEVICE);
    for (unsigned n = 1; n <= 3; n++) {
        load(&t, 0x5000);
        g_assert_cmpuint(t.cpu->walks, ==, 2 * n - 1);
        load(&t, 0x6000);
        g_assert_cmpuint(t.cpu->walks, ==, 2 * n);
    }
    g_assert_true(store(&t, 0x5000, 9, 8));
    g_assert_cmphex(entry(&t, 0x5000)->read_tag, ==, TLB_INVALID);
    g_assert_cmphex(entry(&t, 0x5000)->write_tag, ==, TLB_INVALID);
    g_assert_cmpuint(phys_read(&t, RAM), ==, 9);
    /* Device RAM may be accessed directly, but only when aligned. */
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5000, 8, 0, false), !=, PROBE_BAIL);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5004, 8, 0, false), ==, PROBE_BAIL);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x6000, 8, 0, false), ==, PROBE_BAIL);
    mmu_close(&t);
}

/* ---- flushing ---- */

static unsigned cached_pages(Mmu *t)
{
    unsigned count = 0;

    for (unsigned i = 0; i < TLB_SIZE; i++) {
        count += t->vcpu->tlb[i].read_tag != TLB_INVALID;
    }
    return count;
}

static void test_flush(void)
{
    Mmu t;

    mmu_open(&t);
    for (unsigned asid = 1; asid <= 3; asid++) {
        set_asid(&t, asid);
        for (unsigned n = 0; n < 3; n++) {
            map_asid(&t, asid, 0x5000 + n * 0x1000, RAM + n * 0x1000, RW);
            load(&t, 0x5000 + n * 0x1000);
        }
    }
    /* By address: in all spaces. */
    vcpu_tlb_flush_page(t.vcpu, 0x6000);
    for (unsigned asid = 1; asid <= 3; asid++) {
        set_asid(&t, asid);
        g_assert_cmpuint(cached_pages(&t), ==, 2);
        g_assert_cmphex(entry(&t, 0x6000)->read_tag, ==, TLB_INVALID);
    }
    /* An address that is not there. */
    vcpu_tlb_flush_page(t.vcpu, 0x5000 + TLB_SIZE * PAGE_SIZE);
    g_assert_cmpuint(cached_pages(&t), ==, 2);
    vcpu_tlb_flush_asid(t.vcpu, 2);
    for (unsigned asid = 1; asid <= 3; asid++) {
        set_asid(&t, asid);
        g_assert_cmpuint(cached_pages(&t), ==, asid == 2 ? 0 : 2);
    }
    vcpu_tlb_flush_all(t.vcpu);
    for (unsigned asid = 1; asid <= 3; asid++) {
        set_asid(&t, asid);
        g_assert_cmpuint(cached_pages(&t), ==, 0);
    }
    mmu_close(&t);
}

/* One invalidation by any address of a block has to drop all of it. */
static void test_large_blocks(void)
{
    const uint64_t high = 0xffffffull << 32;    /* within the address bits */
    Mmu t;

    mmu_open(&t);
    for (unsigned n = 0; n < 8; n++) {
        map(&t, 0x200000 + n * 0x1000, RAM + n * 0x1000, RW)->block_size = 0x8000;
        load(&t, 0x200000 + n * 0x1000);
    }
    map(&t, 0x5000, RAM, RW);
    load(&t, 0x5000);
    g_assert_cmpuint(cached_pages(&t), ==, 9);
    vcpu_tlb_flush_page(t.vcpu, 0x5000);
    vcpu_tlb_flush_page(t.vcpu, 0x208000);
    vcpu_tlb_flush_page(t.vcpu, 0x1ff000);
    vcpu_tlb_flush_page(t.vcpu, high);
    g_assert_cmpuint(cached_pages(&t), ==, 8);
    vcpu_tlb_flush_page(t.vcpu, 0x207000);
    g_assert_cmpuint(cached_pages(&t), ==, 0);
    /* Two blocks: whichever is hit. */
    for (unsigned n = 0; n < 2; n++) {
        map(&t, 0x240000, RAM, RW)->block_size = 0x2000;
        load(&t, 0x200000);
        load(&t, 0x240000);
        g_assert_cmpuint(cached_pages(&t), ==, 2);
        vcpu_tlb_flush_page(t.vcpu, n ? 0x206000 : 0x241000);
        g_assert_cmpuint(cached_pages(&t), ==, 0);
    }
    /* Flushed: the range is forgotten. */
    load(&t, 0x5000);
    vcpu_tlb_flush_page(t.vcpu, 0x207000);
    g_assert_cmpuint(cached_pages(&t), ==, 1);
    mmu_close(&t);
}

/* ---- crossing pages ---- */

static void test_crossing(void)
{
    uint64_t pair[2] = { 0x1122334455667788, 0x99aabbccddeeff00 }, back[2];
    Mmu t;

    mmu_open(&t);
    map(&t, 0x5000, RAM + 0x3000, RW);
    map(&t, 0x6000, RAM, RW);
    g_assert_true(mmu_access(t.vcpu, 0x5ffb, pair, 8, 2, 0, true));
    g_assert_cmphex(phys_read(&t, RAM + 0x3ff8) >> 24, ==, 0x4455667788);
    g_assert_cmphex(phys_read(&t, RAM), ==, 0xbbccddeeff001122 << 8 | 0x33);
    g_assert_true(mmu_access(t.vcpu, 0x5ffb | TAG, back, 8, 2, 0, false));
    g_assert_cmpmem(back, 16, pair, 16);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5ffb, 16, 0, false), ==, PROBE_BAIL);
    check_rules(&t);
    mmu_close(&t);
}

/* Faults are taken before anything is written; each names the first byte of its page. */
static void test_crossing_faults(void)
{
    uint64_t value;
    Mmu t;

    mmu_open(&t);
    map(&t, 0x5000, RAM, RW);
    map(&t, 0x6000, RAM + 0x1000, RO);
    g_assert_false(store(&t, 0x5ffc | TAG, UINT64_MAX, 8));
    assert_fault(&t, &t.cpu->aborts, 0x6000 | TAG, MMU_WRITE);
    g_assert_cmphex(phys_read(&t, RAM + 0xff8), ==, 0);
    g_assert_false(load_flags(&t, 0x6ffe, &value, 4, 0));
    assert_fault(&t, &t.cpu->aborts, 0x7000, MMU_READ);
    g_assert_false(store(&t, 0x4fff, UINT64_MAX, 8));
    assert_fault(&t, &t.cpu->aborts, 0x4fff, MMU_WRITE);
    g_assert_cmphex(phys_read(&t, RAM), ==, 0);
    g_assert_false(load_flags(&t, 0x5ffc, &value, 8, MEM_ALIGNED));
    assert_fault(&t, &t.cpu->alignments, 0x5ffc, MMU_READ);
    /* Nothing is at the second page's address. */
    map(&t, 0x6000, HOLE, RW);
    vcpu_tlb_flush_all(t.vcpu);
    g_assert_false(load_flags(&t, 0x5ffc, &value, 8, 0));
    assert_fault(&t, &t.cpu->externals, 0x6000, MMU_READ);
    mmu_close(&t);
}

/* ---- devices ---- */

static void test_device_sizes(void)
{
    uint64_t pair[2] = { 0x1111, 0x2222 };
    Mmu t;

    mmu_open(&t);
    map(&t, 0x5000, MMIO, RW | TLB_DEVICE);
    for (unsigned bytes = 1; bytes <= 8; bytes *= 2) {
        uint64_t value;

        t.accesses = 0;
        t.vcpu->exit_request = 0;
        g_assert_true(load_flags(&t, 0x5010, &value, bytes, 0));
        assert_device(&t, 0, false, 0x10, bytes);
        g_assert_cmphex(value, ==, 0x1011121314151627 & (UINT64_MAX >> (64 - 8 * bytes)));
        g_assert_true(store(&t, 0x5020, 0x8877665544332211, bytes));
        assert_device(&t, 1, true, 0x20, bytes);
        g_assert_cmphex(t.log[1].value, ==, 0x8877665544332211 & (UINT64_MAX >> (64 - 8 * bytes)));
        g_assert_cmpuint(t.accesses, ==, 2);
        /* What the device did must be looked at before the next instruction. */
        g_assert_cmpuint(t.vcpu->exit_request, ==, 1);
    }
    /* Pairs are two accesses; 16 bytes are two of 8. */
    t.accesses = 0;
    g_assert_true(mmu_access(t.vcpu, 0x5030, pair, 4, 2, 0, true));
    assert_device(&t, 0, true, 0x30, 4);
    assert_device(&t, 1, true, 0x34, 4);
    g_assert_true(mmu_access(t.vcpu, 0x5038, pair, 8, 2, 0, true));
    assert_device(&t, 2, true, 0x38, 8);
    assert_device(&t, 3, true, 0x40, 8);
    g_assert_cmphex(t.log[3].value, ==, 0x2222);
    g_assert_true(mmu_access(t.vcpu, 0x5048, pair, 16, 1, 0, false));
    assert_device(&t, 4, false, 0x48, 8);
    assert_device(&t, 5, false, 0x50, 8);
    g_assert_cmpuint(t.accesses, ==, 6);
    mmu_close(&t);
}

static void test_device_alignment(void)
{
    uint64_t value;
    Mmu t;

    mmu_open(&t);
    map(&t, 0x4000, RAM, RW);
    map(&t, 0x5000, MMIO, RW | TLB_DEVICE);
    map(&t, 0x6000, MMIO + 0x1000, RW | TLB_DEVICE);
    map(&t, 0x7000, RAM, RW | TLB_DEVICE);
    g_assert_false(load_flags(&t, 0x5002, &value, 4, 0));
    assert_fault(&t, &t.cpu->alignments, 0x5002, MMU_READ);
    g_assert_false(store(&t, 0x7001, 1, 2));
    assert_fault(&t, &t.cpu->alignments, 0x7001, MMU_WRITE);
    g_assert_true(store(&t, 0x7003, 1, 1));
    /* From Normal into Device memory: the second part faults. */
    g_assert_false(store(&t, 0x4ffe, 1, 4));
    assert_fault(&t, &t.cpu->alignments, 0x5000, MMU_WRITE);
    g_assert_cmpuint(t.accesses, ==, 0);
    mmu_close(&t);
}

/* A pair whose elements are aligned may cross pages even here (DDI 0487 B2.13.2). */
static void test_device_pair_crossing(void)
{
    uint64_t pair[2] = { 0x1111, 0x2222 };
    Mmu t;

    mmu_open(&t);
    map(&t, 0x4000, RAM, RW);
    map(&t, 0x5000, MMIO, RW | TLB_DEVICE);
    map(&t, 0x6000, MMIO + 0x1000, RW | TLB_DEVICE);
    g_assert_true(mmu_access(t.vcpu, 0x5ff8, pair, 8, 2, 0, true));
    g_assert_cmpuint(t.accesses, ==, 2);
    assert_device(&t, 0, true, 0xff8, 8);
    assert_device(&t, 1, true, 0x1000, 8);
    g_assert_cmphex(t.log[0].value, ==, 0x1111);
    g_assert_cmphex(t.log[1].value, ==, 0x2222);
    g_assert_true(mmu_access(t.vcpu, 0x4ff8, pair, 8, 2, 0, true));
    g_assert_cmpuint(t.accesses, ==, 3);
    assert_device(&t, 2, true, 0, 8);
    g_assert_cmphex(phys_read(&t, RAM + 0xff8), ==, 0x1111);
    g_assert_cmpuint(t.cpu->alignments, ==, 0);
    mmu_close(&t);
}

static void test_nothing_there(void)
{
    uint64_t value;
    Mmu t;

    mmu_open(&t);
    map(&t, 0x5000, HOLE, RW);
    g_assert_false(load_flags(&t, 0x5008 | TAG, &value, 4, 0));
    assert_fault(&t, &t.cpu->externals, 0x5008 | TAG, MMU_READ);
    g_assert_false(store(&t, 0x5010, 1, 8));
    assert_fault(&t, &t.cpu->externals, 0x5010, MMU_WRITE);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5000, 8, 0, false), ==, PROBE_BAIL);
    mmu_close(&t);
}

/* ---- read-only memory, unprivileged accesses ---- */

static void test_rom(void)
{
    Mmu t;

    mmu_open(&t);
    phys_write(&t, ROM + 8, 77);
    map(&t, 0x5000, ROM, RW);
    g_assert_cmpuint(load(&t, 0x5008), ==, 77);
    g_assert_cmphex(entry(&t, 0x5000)->read_tag, ==, 0x5000);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5008, 8, 0, true), ==, PROBE_BAIL);
    g_assert_true(store(&t, 0x5008, 1, 8));
    g_assert_cmpuint(load(&t, 0x5008), ==, 77);
    g_assert_cmphex(entry(&t, 0x5000)->write_tag, ==, TLB_INVALID);
    g_assert_cmpuint(t.cpu->aborts + t.cpu->externals, ==, 0);
    /* RAM at the front, ROM behind. */
    map(&t, 0x4000, RAM, RW);
    g_assert_true(store(&t, 0x4ffc, UINT64_MAX, 8));
    g_assert_cmphex(phys_read(&t, RAM + 0xff8), ==, 0xffffffff00000000);
    g_assert_cmphex(phys_read(&t, ROM), ==, 0);
    mmu_close(&t);
}

/* Flash: loads are direct until the device wants them; stores are always its own. */
static void test_rom_device(void)
{
    const uint32_t insn = 0xd503201f;
    MemRegion *flash;
    Mmu t;

    mmu_open(&t);
    flash = memory_add_rom_device(t.m->memory, "flash", HOLE, PAGE_SIZE, &device_ops, &t, NULL);
    phys_write(&t, HOLE + 8, 77);
    map(&t, 0x5000, HOLE, RW);
    g_assert_cmpuint(load(&t, 0x5008), ==, 77);
    g_assert_cmphex(entry(&t, 0x5000)->read_tag, ==, 0x5000);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5008, 8, 0, true), ==, PROBE_BAIL);
    g_assert_true(store(&t, 0x5008, 1, 4));
    assert_device(&t, 0, true, 8, 4);
    g_assert_cmpuint(load(&t, 0x5008), ==, 77);
    memory_set_io_reads(t.m->memory, flash, true);
    g_assert_cmphex(entry(&t, 0x5000)->read_tag, ==, TLB_INVALID);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5008, 8, 0, false), ==, PROBE_BAIL);
    g_assert_cmphex(load(&t, 0x5008), ==, 0x1011121314151617 + 8);
    assert_device(&t, 1, false, 8, 8);
    g_assert_cmphex(entry(&t, 0x5000)->read_tag, ==, TLB_INVALID);
    /* Code still comes from the memory. */
    g_assert_true(memory_write(t.m->memory, HOLE, &insn, 4));
    g_assert_cmpmem(mmu_fetch(t.vcpu, 0x5000)->host, 4, &insn, 4);
    memory_set_io_reads(t.m->memory, flash, false);
    g_assert_cmpuint(load(&t, 0x5008), ==, 77);
    g_assert_cmpuint(t.accesses, ==, 2);
    mmu_close(&t);
}

static void test_unprivileged(void)
{
    uint64_t value;
    Mmu t;

    mmu_open(&t);
    map(&t, 0x5000, RAM, RW)->el1_only = true;
    map(&t, 0x6000, RAM + 0x1000, RW);
    g_assert_true(load_flags(&t, 0x5000, &value, 8, 0));
    g_assert_false(load_flags(&t, 0x5008, &value, 8, MEM_UNPRIV));
    g_assert_cmpuint(t.cpu->fault, ==, 13 | 1 << 8);
    assert_fault(&t, &t.cpu->aborts, 0x5008, MMU_READ);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5008, 8, MEM_UNPRIV, false), ==, PROBE_BAIL);
    g_assert_true(store_flags(&t, 0x6000, 5, 8, MEM_UNPRIV));
    /* Its own TLB ... */
    g_assert_cmphex(entry(&t, 0x6000)->read_tag, ==, TLB_INVALID);
    g_assert_cmphex(t.vcpu->tlb_unpriv[tlb_index(0x6000)].read_tag, ==, 0x6000);
    g_assert_cmphex(t.vcpu->tlb_unpriv[tlb_index(0x6000)].write_tag, ==, 0x6000);
    vcpu_tlb_flush_page(t.vcpu, 0x6000);
    g_assert_cmphex(t.vcpu->tlb_unpriv[tlb_index(0x6000)].read_tag, ==, TLB_INVALID);
    /* ... but at EL0, where both are the same, only one. */
    t.cpu->key.regime = 1;
    vcpu_space_changed(t.vcpu);
    g_assert_true(t.vcpu->space == t.vcpu->space_unpriv);
    g_assert_true(t.vcpu->tlb == t.vcpu->tlb_unpriv);
    check_rules(&t);
    mmu_close(&t);
}

/* ---- spaces ---- */

/* The space that was used longest ago goes, never one that is in use now. */
static void test_recycling(void)
{
    const unsigned pairs = VCPU_NUM_SPACES / 2;
    Mmu t;

    mmu_open(&t);
    for (unsigned asid = 0; asid < pairs; asid++) {
        map_asid(&t, asid, 0x5000, RAM + (asid & 7) * PAGE_SIZE, RW);
        set_asid(&t, asid);
        load(&t, 0x5000);
    }
    for (unsigned asid = 0; asid < pairs; asid++) {
        set_asid(&t, asid);
        g_assert_cmpuint(cached_pages(&t), ==, 1);
    }
    /* 0 is fresh again; so 1 goes, and after it 2. */
    set_asid(&t, 0);
    set_asid(&t, 100);
    g_assert_cmpuint(cached_pages(&t), ==, 0);
    set_asid(&t, 0);
    g_assert_cmpuint(cached_pages(&t), ==, 1);
    set_asid(&t, 1);
    g_assert_cmpuint(cached_pages(&t), ==, 0);
    set_asid(&t, 3);
    g_assert_cmpuint(cached_pages(&t), ==, 1);
    set_asid(&t, 2);
    g_assert_cmpuint(cached_pages(&t), ==, 0);
    /* However many come: the two current ones are different and both right. */
    for (unsigned asid = 200; asid < 300; asid++) {
        set_asid(&t, asid);
        g_assert_true(t.vcpu->space != t.vcpu->space_unpriv);
        g_assert_cmpuint(t.vcpu->space->key.asid, ==, asid);
        g_assert_cmpuint(t.vcpu->space->key.regime, ==, 0);
        g_assert_cmpuint(t.vcpu->space_unpriv->key.asid, ==, asid);
        g_assert_cmpuint(t.vcpu->space_unpriv->key.regime, ==, 1);
        g_assert_true(t.vcpu->tlb == t.vcpu->space->tlb);
        g_assert_true(t.vcpu->jump_cache == t.vcpu->space->jump_cache);
    }
    mmu_close(&t);
}

static void test_mode(void)
{
    JumpCacheEntry *e;
    Mmu t;

    mmu_open(&t);
    e = &t.vcpu->space->jump_cache[jump_cache_index(0x5040)];
    e->pc = 0x5040;
    vcpu_space_changed(t.vcpu);
    g_assert_cmphex(e->pc, ==, 0x5040);
    t.cpu->mode = 5;
    vcpu_space_changed(t.vcpu);
    g_assert_cmpuint(t.vcpu->mode, ==, 5);
    /* Its code is for another mode. */
    g_assert_cmphex(e->pc, ==, TLB_INVALID);
    mmu_close(&t);
}

/* ---- page flags and write tags ---- */

static void test_page_flags(void)
{
    Digest *d = digest_new();
    Mmu t;

    mmu_open(&t);
    map(&t, 0x5000, RAM, RW);
    map(&t, 0x9000, RAM, RW);
    load(&t, 0x5000);
    g_assert_cmphex(*page_flags(&t, RAM), ==, 0);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5000, 8, 0, false), !=, PROBE_BAIL);
    g_assert_cmphex(*page_flags(&t, RAM), ==, 0);
    g_assert_cmphex(entry(&t, 0x5000)->write_tag, ==, TLB_INVALID);
    /* A failed probe for a store sets none. A store-exclusive may still not store. */
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5ffc, 8, 0, true), ==, PROBE_BAIL);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5008, 8, MEM_EXCL, true), ==, PROBE_BAIL);
    g_assert_cmphex(*page_flags(&t, RAM), ==, 0);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5008, 8, 0, true), !=, PROBE_BAIL);
    g_assert_cmphex(*page_flags(&t, RAM), ==, PAGE_DIRTY | PAGE_EVER | PAGE_WRITE_CACHED);
    g_assert_cmphex(entry(&t, 0x5000)->write_tag, ==, 0x5000);
    g_assert_true(store(&t, 0x9010, 1, 4));
    check_rules(&t);
    /* A digest clears the flag; all direct mappings go, aliases too. */
    memory_digest_dirty(t.m->memory, d);
    tcg_clean_writes(t.tcg);
    g_assert_cmphex(*page_flags(&t, RAM) & (PAGE_DIRTY | PAGE_EVER), ==, PAGE_EVER);
    g_assert_cmphex(entry(&t, 0x5000)->write_tag, ==, TLB_INVALID);
    g_assert_cmphex(entry(&t, 0x9000)->write_tag, ==, TLB_INVALID);
    g_assert_cmphex(entry(&t, 0x9000)->read_tag, ==, 0x9000);
    g_assert_true(store(&t, 0x5000, 2, 1));
    g_assert_cmphex(*page_flags(&t, RAM) & (PAGE_DIRTY | PAGE_EVER), ==, PAGE_DIRTY | PAGE_EVER);
    check_rules(&t);
    /* One that crosses marks both. */
    map(&t, 0x6000, RAM + 0x1000, RW);
    g_assert_true(store(&t, 0x5ffc, 2, 8));
    g_assert_cmphex(*page_flags(&t, RAM + 0x1000), ==, PAGE_DIRTY | PAGE_EVER | PAGE_WRITE_CACHED);
    check_rules(&t);
    mmu_close(&t);
    digest_free(d);
}

typedef struct HookCalls {
    unsigned calls;
    hwaddr addr;
    size_t length;
} HookCalls;

static void note_code_write(void *opaque, hwaddr addr, size_t length)
{
    HookCalls *h = opaque;

    h->calls++;
    h->addr = addr;
    h->length = length;
}

/* Code: stores and DMA call the hook, nothing goes direct. */
static void test_code_pages(void)
{
    HookCalls h = { 0 };
    Mmu t;

    mmu_open(&t);
    memory_set_code_hook(t.m->memory, note_code_write, &h);
    map(&t, 0x5000, RAM, RW);
    map(&t, 0x6000, RAM + 0x1000, RW);
    *page_flags(&t, RAM + 0x1000) |= PAGE_CODE;
    g_assert_true(store(&t, 0x5000, 1, 8));
    g_assert_cmpuint(h.calls, ==, 0);
    g_assert_true(store(&t, 0x6010, 1, 4));
    g_assert_cmpuint(h.calls, ==, 1);
    g_assert_cmphex(h.addr, ==, RAM + 0x1010);
    g_assert_cmpuint(h.length, ==, 4);
    g_assert_cmphex(entry(&t, 0x6000)->write_tag, ==, TLB_INVALID);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x6010, 4, 0, true), ==, PROBE_BAIL);
    g_assert_cmpuint(h.calls, ==, 1);
    /* Only the part in the page counts. */
    g_assert_true(store(&t, 0x5ffd, 1, 8));
    g_assert_cmpuint(h.calls, ==, 2);
    g_assert_cmphex(h.addr, ==, RAM + 0x1000);
    g_assert_cmpuint(h.length, ==, 5);
    g_assert_true(vcpu_poke(t.vcpu, 0x6020, "abc", 3));
    g_assert_cmpuint(h.calls, ==, 3);
    phys_write(&t, RAM + 0x1ffc, 0);
    g_assert_cmpuint(h.calls, ==, 4);
    g_assert_cmphex(h.addr, ==, RAM + 0x1ffc);
    g_assert_cmpuint(h.length, ==, 4);
    mmu_close(&t);
}

/* ---- observers ---- */

static void test_observers(void)
{
    uint64_t value = 0;
    uint8_t flags[3], walks;
    Mmu t;

    mmu_open(&t);
    phys_write(&t, RAM + 0xff8, 0x1111111111111111);
    phys_write(&t, RAM + 0x1000, 0x2222222222222222);
    map(&t, 0x5000, RAM, RO);
    map(&t, 0x6000, RAM + 0x1000, RW);
    map(&t, 0x7000, ROM, RO);
    map(&t, 0x8000, MMIO, RW | TLB_DEVICE);
    memcpy(flags, page_flags(&t, RAM), 3);
    walks = t.cpu->walks;
    g_assert_true(vcpu_peek(t.vcpu, 0x5ffc | TAG, &value, 8));
    g_assert_cmphex(value, ==, 0x2222222211111111);
    g_assert_false(vcpu_peek(t.vcpu, 0x4ffc, &value, 8));
    g_assert_cmpuint(t.cpu->walks, >, walks);
    g_assert_true(vcpu_peek(t.vcpu, 0x8000, &value, 4));
    g_assert_cmpuint(t.peeks, ==, 1);
    g_assert_cmpuint(t.accesses, ==, 0);
    /* No entry, no flag, no exception, no request. */
    g_assert_cmpuint(cached_pages(&t), ==, 0);
    g_assert_true(t.vcpu->space->empty);
    g_assert_cmpmem(flags, 3, page_flags(&t, RAM), 3);
    g_assert_cmpuint(t.cpu->aborts, ==, 0);
    g_assert_cmpuint(t.vcpu->exit_request, ==, 0);
    /* A debugger writes what the guest may not; not to devices. */
    g_assert_true(vcpu_poke(t.vcpu, 0x5ffe, "\1\2\3\4", 4));
    g_assert_cmphex(phys_read(&t, RAM + 0xff8) >> 48, ==, 0x0201);
    g_assert_cmphex(phys_read(&t, RAM + 0x1000) & 0xffff, ==, 0x0403);
    g_assert_true(vcpu_poke(t.vcpu, 0x7008, "\5", 1));
    g_assert_cmphex(phys_read(&t, ROM + 8), ==, 5);
    g_assert_false(vcpu_poke(t.vcpu, 0x8000, "\5", 1));
    g_assert_cmpuint(t.accesses, ==, 0);
    g_assert_cmpuint(cached_pages(&t), ==, 0);
    mmu_close(&t);
}

static void test_phys_read(void)
{
    uint64_t value;
    uint32_t half;
    Mmu t;

    mmu_open(&t);
    phys_write(&t, RAM + 8, 0x1122334455667788);
    g_assert_true(vcpu_phys_read64(t.vcpu, RAM + 8, &value));
    g_assert_cmphex(value, ==, 0x1122334455667788);
    g_assert_true(vcpu_phys_read32(t.vcpu, RAM + 12, &half));
    g_assert_cmphex(half, ==, 0x11223344);
    g_assert_false(vcpu_phys_read64(t.vcpu, MMIO, &value));
    g_assert_false(vcpu_phys_read64(t.vcpu, HOLE, &value));
    g_assert_false(vcpu_phys_read64(t.vcpu, RAM + RAM_PAGES * PAGE_SIZE - 4, &value));
    g_assert_cmpuint(t.accesses, ==, 0);
    mmu_close(&t);
}

/* ---- instructions ---- */

static void test_fetch(void)
{
    const ItlbEntry *e;
    JumpCacheEntry *jump;
    Mmu t;

    mmu_open(&t);
    map(&t, 0x5000, RAM + 0x2000, RW);
    map(&t, 0x6000, MMIO, RW);
    map(&t, 0x7000, RAM, RO);
    map(&t, 0x5000 + ITLB_SIZE * PAGE_SIZE, RAM, RW);
    e = mmu_fetch(t.vcpu, 0x5124);
    g_assert_nonnull(e);
    g_assert_cmphex(e->phys, ==, RAM + 0x2000);
    g_assert_true(e->host == memory_find(t.m->memory, RAM)->host + 0x2000);
    g_assert_true(mmu_fetch(t.vcpu, 0x5000) == e);
    g_assert_cmpuint(t.cpu->walks, ==, 1);
    /* Code is no data: the data TLB knows nothing. */
    g_assert_cmpuint(cached_pages(&t), ==, 0);
    g_assert_null(mmu_fetch(t.vcpu, 0x5002));
    assert_fault(&t, &t.cpu->alignments, 0x5002, MMU_FETCH);
    g_assert_null(mmu_fetch(t.vcpu, 0x6000));
    assert_fault(&t, &t.cpu->externals, 0x6000, MMU_FETCH);
    g_assert_null(mmu_fetch(t.vcpu, 0x7000));
    assert_fault(&t, &t.cpu->aborts, 0x7000, MMU_FETCH);
    /* Who takes an entry's place empties the page's part of the jump cache. */
    jump = &t.vcpu->space->jump_cache[jump_cache_index(0x5ffc)];
    jump->pc = 0x5ffc;
    mmu_fetch(t.vcpu, 0x5000 + ITLB_SIZE * PAGE_SIZE);
    g_assert_cmphex(jump->pc, ==, TLB_INVALID);
    mmu_fetch(t.vcpu, 0x5000);
    jump->pc = 0x5ffc;
    vcpu_tlb_flush_page(t.vcpu, 0x5000);
    g_assert_cmphex(jump->pc, ==, TLB_INVALID);
    mmu_close(&t);
}

/* ---- anything, in any order ---- */

static void random_step(Mmu *t, Rng *r)
{
    uint64_t vaddr = 0x5000 + rng_below(r, 24 * PAGE_SIZE), value;
    unsigned bytes = 1u << rng_below(r, 4);
    unsigned flags = rng_percent(r, 20) ? MEM_UNPRIV : 0;
    Digest *d;

    switch (rng_below(r, 40)) {
    case 0: vcpu_tlb_flush_page(t->vcpu, vaddr); break;
    case 1: set_asid(t, rng_below(r, 3)); break;
    case 2:
        d = digest_new();
        memory_digest_dirty(t->m->memory, d);
        tcg_clean_writes(t->tcg);
        digest_free(d);
        break;
    case 3: vcpu_tlb_flush_asid(t->vcpu, rng_below(r, 3)); break;
    case 4: phys_write(t, RAM + rng_below(r, RAM_PAGES * PAGE_SIZE - 8), 1); break;
    default:
        if (rng_percent(r, 50)) {
            mmu_probe(t->vcpu, vaddr, bytes, flags, rng_percent(r, 50));
        } else if (rng_percent(r, 50)) {
            load_flags(t, vaddr, &value, bytes, flags);
        } else {
            store_flags(t, vaddr, rng_next(r), bytes, flags);
        }
        break;
    }
}

static void test_random(void)
{
    Rng r = { 1 };
    Mmu t;

    mmu_open(&t);
    for (unsigned n = 0; n < 60; n++) {
        uint32_t attrs = rng_percent(&r, 20) ? RO : rng_percent(&r, 10) ? RW | TLB_DEVICE : RW;
        Mapping *m = map_asid(&t, n / 20, 0x5000 + n % 20 * PAGE_SIZE,
                              RAM + rng_below(&r, RAM_PAGES) * PAGE_SIZE, attrs);

        m->el1_only = rng_percent(&r, 20);
        m->block_size = rng_percent(&r, 5) ? 4 * PAGE_SIZE : PAGE_SIZE;
    }
    for (unsigned n = 0; n < 40000; n++) {
        random_step(&t, &r);
        if (n % 400 == 0) {
            check_rules(&t);
        }
    }
    mmu_close(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/softmmu/fill", test_fill);
    g_test_add_func("/softmmu/permissions", test_permissions);
    g_test_add_func("/softmmu/not-cached", test_not_cached);
    g_test_add_func("/softmmu/flush", test_flush);
    g_test_add_func("/softmmu/large-blocks", test_large_blocks);
    g_test_add_func("/softmmu/crossing", test_crossing);
    g_test_add_func("/softmmu/crossing-faults", test_crossing_faults);
    g_test_add_func("/softmmu/device-sizes", test_device_sizes);
    g_test_add_func("/softmmu/device-alignment", test_device_alignment);
    g_test_add_func("/softmmu/device-pair-crossing", test_device_pair_crossing);
    g_test_add_func("/softmmu/nothing-there", test_nothing_there);
    g_test_add_func("/softmmu/rom", test_rom);
    g_test_add_func("/softmmu/rom-device", test_rom_device);
    g_test_add_func("/softmmu/unprivileged", test_unprivileged);
    g_test_add_func("/softmmu/recycling", test_recycling);
    g_test_add_func("/softmmu/mode", test_mode);
    g_test_add_func("/softmmu/page-flags", test_page_flags);
    g_test_add_func("/softmmu/code-pages", test_code_pages);
    g_test_add_func("/softmmu/observers", test_observers);
    g_test_add_func("/softmmu/phys-read", test_phys_read);
    g_test_add_func("/softmmu/fetch", test_fetch);
    g_test_add_func("/softmmu/random", test_random);
    return g_test_run();
}
