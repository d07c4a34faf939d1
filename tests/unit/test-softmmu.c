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
    g_assert_true(vcpu_peek(t.vcpu, 0x5000, &(uint64_t){ 0 }, 8));
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5ffc, 8, 0, false), ==, PROBE_BAIL);
    map(&t, 0x5000, RAM + 0x1000, RW);
    g_assert_cmpuint(load(&t, 0x5000), ==, 2);
    check_rules(&t);
    mmu_close(&t);
}

/* More pages of one set than it has entries: each is found, after another walk maybe. */
static void test_conflicts(void)
{
    const unsigned pages = 12, step = 8;   /* sets */
    Mmu t;

    mmu_open(&t);
    for (unsigned n = 0; n < pages; n++) {
        phys_write(&t, RAM + n * PAGE_SIZE, n);
        map(&t, (5 + n * step) * PAGE_SIZE, RAM + n * PAGE_SIZE, RW);
    }
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned n = 0; n < pages; n++) {
            uint64_t at = (5 + n * step) * PAGE_SIZE;

            g_assert_cmpuint(load(&t, at), ==, n);
            g_assert_true(store(&t, at + 8, n + round, 8));
            g_assert_cmpuint(phys_read(&t, RAM + n * PAGE_SIZE + 8), ==, n + round);
        }
        check_rules(&t);
    }
    mmu_close(&t);
}

/* Few pages that meet in one set: the TLB grows until they do not. */
static void test_few_conflicts(void)
{
    const unsigned pages = 5, step = 1 << 12, rounds = 100000;
    Mmu t;

    mmu_open_sized(&t, 0);
    for (unsigned n = 0; n < pages; n++) {
        map(&t, (5ull + n * step) * PAGE_SIZE, RAM + n * PAGE_SIZE, RW);
    }
    for (unsigned n = 0; n < rounds; n++) {
        load(&t, (5ull + n % pages * step) * PAGE_SIZE);
    }
    g_assert_cmpuint(t.cpu->walks, <, rounds / 2);
    check_rules(&t);
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

/* Device memory and MMIO have entries, too, that never go direct. */
static void test_slow(void)
{
    Mmu t;

    mmu_open(&t);
    map(&t, 0x5000, RAM, RW | TLB_DEVICE);
    map(&t, 0x6000, MMIO, RW | TLB_DEVICE);
    map(&t, 0x7000, RAM + 0x1000, RW | TLB_DEVICE | TLB_CODE_ALIGNS);
    for (unsigned n = 1; n <= 3; n++) {
        load(&t, 0x5000);
        load(&t, 0x6000);
        g_assert_cmpuint(t.cpu->walks, ==, 2);
    }
    g_assert_true(store(&t, 0x5000, 9, 8));
    g_assert_cmphex(entry(&t, 0x5000)->read_tag, ==, 0x5000 | TLB_SLOW);
    g_assert_cmphex(entry(&t, 0x5000)->write_tag, ==, 0x5000 | TLB_SLOW);
    g_assert_cmphex(entry(&t, 0x6000)->read_tag, ==, 0x6000 | TLB_SLOW);
    g_assert_cmpuint(phys_read(&t, RAM), ==, 9);
    /* Device RAM may be accessed directly, but only when aligned. */
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5000, 8, 0, false), !=, PROBE_BAIL);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5004, 8, 0, false), ==, PROBE_BAIL);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x6000, 8, 0, false), ==, PROBE_MMIO);
    /* Where the code looks itself, it goes direct. */
    g_assert_true(store(&t, 0x7000, 9, 8));
    g_assert_cmphex(entry(&t, 0x7000)->read_tag, ==, 0x7000);
    g_assert_cmphex(entry(&t, 0x7000)->write_tag, ==, 0x7000);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x7004, 8, 0, true), ==, PROBE_BAIL);
    mmu_close(&t);
}

static const int t_code;

/* What generated code finds at pc in the jump cache; NULL: nothing. */
static const void *jump_code(Mmu *t, uint64_t pc)
{
    const JumpCacheEntry *e = (const JumpCacheEntry *)((const char *)t->vcpu->jump_entries +
                                                       (pc << 2 & t->vcpu->jump_mask));

    return e->pc == pc ? e->code : NULL;
}

static unsigned cached_pages(Mmu *t)
{
    return t->vcpu->space->count[0] + t->vcpu->space->count[1];
}

/* ---- spaces ---- */

/* Regimes have spaces of their own, that are found again, however many there are. */
static void test_spaces(void)
{
    Mmu t;

    mmu_open(&t);
    for (unsigned asid = 1; asid <= 200; asid++) {
        map_asid(&t, asid, 0x5000, RAM + (asid & 7) * PAGE_SIZE, RW);
    }
    for (unsigned n = 0; n < 8; n++) {
        phys_write(&t, RAM + n * PAGE_SIZE, n);
    }
    for (unsigned asid = 1; asid <= 3; asid++) {
        set_asid(&t, asid);
        load(&t, 0x5000);
    }
    g_assert_cmpuint(t.cpu->walks, ==, 3);
    for (unsigned asid = 1; asid <= 3; asid++) {
        set_asid(&t, asid);
        g_assert_cmpuint(cached_pages(&t), ==, 1);
        g_assert_cmpuint(load(&t, 0x5000), ==, asid);
    }
    g_assert_cmpuint(t.cpu->walks, ==, 3);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned asid = 1; asid <= 200; asid++) {
            set_asid(&t, asid);
            g_assert_cmpuint(load(&t, 0x5000), ==, asid & 7);
            g_assert_true(t.vcpu->space != t.vcpu->space_unpriv);
            g_assert_true(t.vcpu->tlb == t.vcpu->space->tlb);
        }
    }
    g_assert_cmpuint(t.tcg->spaces->len, <, 100);
    check_rules(&t);
    mmu_close(&t);
}

/* CPUs with equal regimes share a space; one that moves the other half's table cleans it. */
static void test_shared_space(void)
{
    FakeCpu *other;
    Mmu t;

    mmu_open(&t);
    map(&t, 0x5000, RAM, RW);
    other = fake_cpu_new(t.m);
    other->opaque = &t;
    other->walk = table_walk;
    tcg_add_vcpu(t.tcg, &other->vcpu);
    load(&t, 0x5000);
    g_assert_true(other->vcpu.space == t.vcpu->space);
    other->key.asid = 1;
    fake_space_changed(other);
    g_assert_true(other->vcpu.space != t.vcpu->space);
    tcg_free(t.tcg);
    free(other);
    free(t.cpu);
    machine_free(t.m);
    g_hash_table_destroy(t.table);
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

/* What generated code asks for: loads and stores on two pages of RAM, all or nothing. */
static void test_crossing_generated(void)
{
    uint8_t out[16], in[16], zero[16] = { 0 };
    Mmu t;

    for (unsigned n = 0; n < 16; n++) {
        in[n] = 0x11 * n;
    }
    mmu_open(&t);
    map(&t, 0x5000, RAM + 0x3000, RW);
    map(&t, 0x6000, RAM, RW);
    map(&t, 0x7000, RAM + 0x1000, RO);
    map(&t, 0x8000, MMIO, RW);
    map(&t, 0x9000, ROM, RW);
    map(&t, 0xa000, RAM + 0x4000, RW | TLB_DEVICE);
    g_assert_true(mmu_cross(t.vcpu, 0x5ffb | TAG, in, 16, 0, true));
    g_assert_true(mmu_cross(t.vcpu, 0x5ffb, out, 16, 0, false));
    g_assert_cmpmem(out, 16, in, 16);
    g_assert_true(vcpu_peek(t.vcpu, 0x5ffb, out, 16));
    g_assert_cmpmem(out, 16, in, 16);
    /* Both pages have been written, for all who ask. */
    g_assert_true(*page_flags(&t, RAM) & PAGE_WRITTEN);
    g_assert_true(*page_flags(&t, RAM + 0x3000) & PAGE_WRITTEN);
    g_assert_false(mmu_cross(t.vcpu, 0x5ffb, out, 16, MEM_ALIGNED, false));
    g_assert_true(mmu_cross(t.vcpu, 0x6ffc, out, 8, 0, false));
    for (uint64_t at = 0x6ffc; at < 0xb000; at += PAGE_SIZE) {
        g_assert_false(mmu_cross(t.vcpu, at, in, 8, 0, true));
        g_assert_true(at == 0x6ffc || !mmu_cross(t.vcpu, at, out, 8, 0, false));
    }
    g_assert_true(vcpu_peek(t.vcpu, 0x6ff8, out, 8));
    g_assert_cmpmem(out, 8, zero, 8);
    g_assert_cmpuint(t.accesses, ==, 0);
    g_assert_cmpuint(t.cpu->aborts, ==, 0);
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
        /* The device wants nothing, so execution goes on. */
        g_assert_cmpuint(t.vcpu->exit_request, ==, 0);
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
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5000, 8, 0, false), ==, PROBE_MMIO);
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
    g_assert_cmphex(entry(&t, 0x5000)->write_tag, ==, 0x5000 | TLB_SLOW);
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
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5008, 8, 0, true), ==, PROBE_MMIO);
    g_assert_true(store(&t, 0x5008, 1, 4));
    assert_device(&t, 0, true, 8, 4);
    g_assert_cmpuint(load(&t, 0x5008), ==, 77);
    memory_set_io_reads(t.m->memory, flash, true);
    g_assert_null(entry(&t, 0x5000));
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5008, 8, 0, false), ==, PROBE_MMIO);
    g_assert_cmphex(load(&t, 0x5008), ==, 0x1011121314151617 + 8);
    assert_device(&t, 1, false, 8, 8);
    g_assert_cmphex(entry(&t, 0x5000)->read_tag, ==, 0x5000 | TLB_SLOW);
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
    g_assert_null(entry(&t, 0x6000));
    g_assert_cmphex(tlb_find(t.tcg, t.vcpu->space_unpriv, 0x6000)->write_tag, ==, 0x6000);
    /* ... but at EL0, where both are the same, only one. */
    t.cpu->key.regime = 1;
    fake_space_changed(t.cpu);
    g_assert_true(t.vcpu->space == t.vcpu->space_unpriv);
    g_assert_true(t.vcpu->tlb == t.vcpu->tlb_unpriv);
    check_rules(&t);
    mmu_close(&t);
}

/* Each mode has a jump cache of its own, and finds it again. */
static void test_mode(void)
{
    JumpCacheEntry *zero;
    const void *code = &t_code;
    Mmu t;

    mmu_open(&t);
    jump_cache_insert(t.vcpu, 0x5040, code);
    vcpu_space_changed(t.vcpu);
    g_assert_true(jump_code(&t, 0x5040) == code);
    t.cpu->mode = 5;
    vcpu_space_changed(t.vcpu);
    g_assert_cmpuint(t.vcpu->mode, ==, 5);
    g_assert_null(jump_code(&t, 0x5040));
    t.cpu->mode = 0;
    vcpu_space_changed(t.vcpu);
    g_assert_true(jump_code(&t, 0x5040) == code);
    for (unsigned mode = 1; mode < 20; mode++) {
        t.cpu->mode = mode;
        vcpu_space_changed(t.vcpu);
        g_assert_null(jump_code(&t, 0x5040));
        jump_cache_insert(t.vcpu, 0x5040, code);
    }
    /* Nothing is at 0 before something is. */
    zero = t.vcpu->jump_entries;
    g_assert_cmphex(zero->pc, !=, 0);
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
    g_assert_cmphex(entry(&t, 0x5000)->write_tag, ==, 0x5000 | TLB_SLOW);
    /* A failed probe for a store sets none. A store-exclusive may still not store. */
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5ffc, 8, 0, true), ==, PROBE_BAIL);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5008, 8, MEM_EXCL, true), ==, PROBE_BAIL);
    g_assert_cmphex(*page_flags(&t, RAM), ==, 0);
    g_assert_cmphex(mmu_probe(t.vcpu, 0x5008, 8, 0, true), !=, PROBE_BAIL);
    g_assert_cmphex(*page_flags(&t, RAM), ==, PAGE_WRITTEN | PAGE_WRITE_CACHED);
    g_assert_cmphex(entry(&t, 0x5000)->write_tag, ==, 0x5000);
    /* One mapping of the page at a time. */
    g_assert_true(store(&t, 0x9010, 1, 4));
    g_assert_cmphex(entry(&t, 0x9000)->write_tag, ==, 0x9000);
    g_assert_cmphex(entry(&t, 0x5000)->write_tag, ==, 0x5000 | TLB_SLOW);
    check_rules(&t);
    /* A digest clears the flag, and the direct mapping goes. */
    memory_digest_dirty(t.m->memory, d, NULL);
    g_assert_cmphex(*page_flags(&t, RAM), ==, PAGE_WRITTEN & ~PAGE_DIRTY_CHECK);
    g_assert_cmphex(entry(&t, 0x9000)->write_tag, ==, 0x9000 | TLB_SLOW);
    g_assert_cmphex(entry(&t, 0x9000)->read_tag, ==, 0x9000);
    g_assert_true(store(&t, 0x5000, 2, 1));
    g_assert_cmphex(*page_flags(&t, RAM), ==, PAGE_WRITTEN | PAGE_WRITE_CACHED);
    check_rules(&t);
    /* One that crosses marks both. */
    map(&t, 0x6000, RAM + 0x1000, RW);
    g_assert_true(store(&t, 0x5ffc, 2, 8));
    g_assert_cmphex(*page_flags(&t, RAM + 0x1000), ==, PAGE_WRITTEN | PAGE_WRITE_CACHED);
    check_rules(&t);
    mmu_close(&t);
    digest_free(d);
}

typedef struct HookCalls {
    unsigned calls;
    hwaddr addr;
    size_t length;
} HookCalls;

static void note_code_write(void *opaque, MemRegion *region, hwaddr addr, size_t length)
{
    HookCalls *h = opaque;

    h->calls++;
    h->addr = addr;
    h->length = length;
}

/* Code: stores and DMA call the hook, nothing goes direct. */
static void test_code_pages(void)
{
    static const MemoryHooks hooks = { .written = note_code_write };
    HookCalls h = { 0 };
    Mmu t;

    mmu_open(&t);
    memory_set_hooks(t.m->memory, &hooks, &h);
    map(&t, 0x5000, RAM, RW);
    map(&t, 0x6000, RAM + 0x1000, RW);
    *page_flags(&t, RAM + 0x1000) |= PAGE_CODE;
    g_assert_true(store(&t, 0x5000, 1, 8));
    g_assert_cmpuint(h.calls, ==, 0);
    g_assert_true(store(&t, 0x6010, 1, 4));
    g_assert_cmpuint(h.calls, ==, 1);
    g_assert_cmphex(h.addr, ==, RAM + 0x1010);
    g_assert_cmpuint(h.length, ==, 4);
    g_assert_cmphex(entry(&t, 0x6000)->write_tag, ==, 0x6000 | TLB_SLOW);
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
    t.vcpu->exit_request = 0;
    g_assert_true(vcpu_peek(t.vcpu, 0x5ffc | TAG, &value, 8));
    g_assert_cmphex(value, ==, 0x2222222211111111);
    g_assert_false(vcpu_peek(t.vcpu, 0x4ffc, &value, 8));
    g_assert_cmpuint(t.cpu->walks, >, walks);
    g_assert_true(vcpu_peek(t.vcpu, 0x8000, &value, 4));
    g_assert_cmpuint(t.peeks, ==, 1);
    g_assert_cmpuint(t.accesses, ==, 0);
    /* No entry, no flag, no exception, no request. */
    g_assert_cmpuint(cached_pages(&t), ==, 0);
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

/* Page number 5 with other bits above the set's, and their fold: the same set of the ITLB. */
static uint64_t same_set(unsigned n)
{
    return ((uint64_t)n << ITLB_SET_BITS | (5 ^ n)) << PAGE_BITS;
}

static void test_fetch(void)
{
    const ItlbEntry *e;
    const void *code = &t_code;
    Mmu t;

    mmu_open(&t);
    map(&t, 0x5000, RAM + 0x2000, RW);
    map(&t, 0x6000, MMIO, RW);
    map(&t, 0x7000, RAM, RO);
    for (unsigned n = 1; n <= ITLB_WAYS; n++) {
        map(&t, same_set(n), RAM, RW);
    }
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
    jump_cache_insert(t.vcpu, 0x5ffc, code);
    for (unsigned n = 1; n <= ITLB_WAYS; n++) {
        g_assert_true(jump_code(&t, 0x5ffc) == code);
        mmu_fetch(t.vcpu, same_set(n));
    }
    g_assert_null(jump_code(&t, 0x5ffc));
    mmu_fetch(t.vcpu, 0x5000);
    jump_cache_insert(t.vcpu, 0x5ffc, code);
    jump_cache_insert(t.vcpu, 0x6000, code);
    tlb_drop(t.tcg, t.vcpu->space, 0x5000, PAGE_SIZE);
    g_assert_null(jump_code(&t, 0x5ffc));
    g_assert_true(jump_code(&t, 0x6000) == code);
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
    case 0: tlb_drop(t->tcg, t->vcpu->space, vaddr & PAGE_MASK, PAGE_SIZE); break;
    case 1: set_asid(t, rng_below(r, 3)); break;
    case 2:
        d = digest_new();
        memory_digest_dirty(t->m->memory, d, NULL);
        digest_free(d);
        break;
    case 3: tcg_flush_tlb(t->tcg); break;
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
    g_test_add_func("/softmmu/slow", test_slow);
    g_test_add_func("/softmmu/conflicts", test_conflicts);
    g_test_add_func("/softmmu/few-conflicts", test_few_conflicts);
    g_test_add_func("/softmmu/spaces", test_spaces);
    g_test_add_func("/softmmu/crossing", test_crossing);
    g_test_add_func("/softmmu/crossing-generated", test_crossing_generated);
    g_test_add_func("/softmmu/crossing-faults", test_crossing_faults);
    g_test_add_func("/softmmu/device-sizes", test_device_sizes);
    g_test_add_func("/softmmu/device-alignment", test_device_alignment);
    g_test_add_func("/softmmu/device-pair-crossing", test_device_pair_crossing);
    g_test_add_func("/softmmu/nothing-there", test_nothing_there);
    g_test_add_func("/softmmu/rom", test_rom);
    g_test_add_func("/softmmu/rom-device", test_rom_device);
    g_test_add_func("/softmmu/unprivileged", test_unprivileged);
    g_test_add_func("/softmmu/shared-space", test_shared_space);
    g_test_add_func("/softmmu/mode", test_mode);
    g_test_add_func("/softmmu/page-flags", test_page_flags);
    g_test_add_func("/softmmu/code-pages", test_code_pages);
    g_test_add_func("/softmmu/observers", test_observers);
    g_test_add_func("/softmmu/phys-read", test_phys_read);
    g_test_add_func("/softmmu/fetch", test_fetch);
    g_test_add_func("/softmmu/random", test_random);
    return g_test_run();
}
