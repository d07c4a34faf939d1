/*
 * Stage 1 walks: start levels, blocks, attributes, permissions, every fault.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arm-fake-engine.h"
#include "target/arm/mmu.h"
#include "target/arm/system.h"

#define TABLE0 0x40000000ull
#define TABLE_STEP 0x100000ull
#define OUT 0x80000000ull

#define AF BIT64(10)
#define NG BIT64(11)
#define AP_EL0 BIT64(6)
#define AP_RO BIT64(7)
#define PXN BIT64(53)
#define UXN BIT64(54)
#define PAGE_DESC 3ull
#define BLOCK_DESC 1ull
#define TABLE_DESC 3ull

/* TCR_EL1 with both halves alike; 48-bit output. */
#define IPS_48 (5ull << 32)
#define TSZ(n) ((uint64_t)(n) | (uint64_t)(n) << 16)
static const uint64_t granule_tcr[] = {
    [12] = 0ull << 14 | 2ull << 30, [14] = 2ull << 14 | 1ull << 30, [16] = 1ull << 14 | 3ull << 30,
};

typedef struct Walk {
    Machine *m;
    ArmCpu *cpu;
    ArmTranslation t;
} Walk;

static void setup(Walk *w, const char *model, unsigned granule, unsigned tsz)
{
    w->m = fake_machine();
    w->cpu = fake_cpu(w->m, model);
    w->cpu->s.sctlr_el[1] |= SCTLR_M;
    w->cpu->s.tcr_el[1] = IPS_48 | TSZ(tsz) | granule_tcr[granule];
    w->cpu->s.mair_el[1] = 0x0044ff;      /* 0: write-back, 1: non-cacheable, 2: Device */
    w->cpu->s.ttbr_el[1][0] = TABLE0;
    w->cpu->s.ttbr_el[1][1] = TABLE0;
}

static void teardown(Walk *w)
{
    fake_machine_free(w->m);
}

/* Tables TABLE0, TABLE0 + STEP, ... from `start` down to a leaf at `level`. */
static void map(uint64_t vaddr, unsigned granule, unsigned input_bits, unsigned start,
                unsigned level, uint64_t leaf)
{
    unsigned stride = granule - 3;

    for (unsigned l = start; l <= level; l++) {
        unsigned shift = granule + (3 - l) * stride;
        unsigned top = l == start ? input_bits : shift + stride;
        uint64_t index = extract64(vaddr, shift, top - shift);
        uint64_t table = TABLE0 + (l - start) * TABLE_STEP;

        mem_set(table + index * 8,
                l == level ? leaf : (TABLE0 + (l - start + 1) * TABLE_STEP) | TABLE_DESC);
    }
}

static bool walk(Walk *w, uint64_t vaddr, MmuAccess access, bool user)
{
    memset(&w->t, 0, sizeof(w->t));
    return arm_translate_address(w->cpu, vaddr, access, user, &w->t);
}

static void assert_fault(Walk *w, uint64_t vaddr, MmuAccess access, bool user, uint32_t fsc)
{
    g_assert_false(walk(w, vaddr, access, user));
    g_assert_cmphex(w->t.r.fault, ==, fsc);
}

static void assert_phys(Walk *w, uint64_t vaddr, uint64_t phys)
{
    g_assert_true(walk(w, vaddr, MMU_READ, false));
    g_assert_cmphex(w->t.r.phys, ==, phys);
    g_assert_true(w->t.r.attrs & TLB_VALID);
}

/* The descriptor that the walk ended at. */
static const MmuStep *last_step(Walk *w)
{
    g_assert_cmpuint(w->t.r.num_steps, >, 0);
    return &w->t.r.step[w->t.r.num_steps - 1];
}

/* ---- tests ---- */

static void test_off(void)
{
    Walk w;

    setup(&w, "cortex-a57", 12, 16);
    w.cpu->s.sctlr_el[1] &= ~SCTLR_M;
    assert_phys(&w, 0x12345678, 0x12345000);
    g_assert_cmphex(w.t.r.attrs, ==, TLB_VALID | TLB_READ | TLB_WRITE | TLB_EXEC | TLB_DEVICE |
                                         TLB_CODE_ALIGNS);
    g_assert_cmpuint(w.t.r.num_steps, ==, 0);
    g_assert_true(walk(&w, 0x12345678, MMU_FETCH, true));
    assert_phys(&w, BIT64(44) - 1, BIT64(44) - PAGE_SIZE);
    assert_fault(&w, BIT64(44), MMU_READ, false, 0x00);
    /* Top-byte ignore holds without translation. */
    w.cpu->s.tcr_el[1] |= TCR_TBI0;
    assert_phys(&w, 0xab00000012345678, 0x12345000);
    teardown(&w);
}

/* DDI 0487 D5.2: the level that a walk begins at, by T0SZ. */
static unsigned start_level(unsigned granule, unsigned tsz)
{
    switch (granule) {
    case 12:
        return tsz <= 24 ? 0 : tsz <= 33 ? 1 : 2;
    case 14:
        return tsz <= 16 ? 0 : tsz <= 27 ? 1 : tsz <= 38 ? 2 : 3;
    default:
        return tsz <= 21 ? 1 : tsz <= 34 ? 2 : 3;
    }
}

static void test_start_levels(void)
{
    for (unsigned granule = 12; granule <= 16; granule += 2) {
        for (unsigned tsz = 16; tsz <= 39; tsz++) {
            unsigned bits = 64 - tsz, start = start_level(granule, tsz);
            uint64_t low = mask64(bits) & 0xfffff9876543210full;
            uint64_t high = ~mask64(bits) | (low ^ mask64(bits));
            uint64_t in_page = mask64(granule) & ~0xfffull;
            Walk w;

            setup(&w, "max", granule, tsz);
            map(low, granule, bits, start, 3, OUT | AF | PAGE_DESC);
            map(high, granule, bits, start, 3, (OUT + 0x100000) | AF | PAGE_DESC);
            assert_phys(&w, low, OUT | (low & in_page));
            g_assert_cmpuint(1ull << last_step(&w)->shift, ==, 1ull << granule);
            assert_phys(&w, high, (OUT + 0x100000) | (high & in_page));
            /* One bit beyond the range is in neither half. */
            assert_fault(&w, low | BIT64(bits), MMU_READ, false, 0x04);
            assert_fault(&w, high & ~BIT64(bits), MMU_READ, false, 0x04);
            teardown(&w);
        }
    }
}

static void test_blocks(void)
{
    static const struct {
        unsigned granule, start, level, shift;
        bool allowed;
    } cases[] = {
        { 12, 0, 0, 39, false }, { 12, 0, 1, 30, true }, { 12, 0, 2, 21, true },
        { 14, 0, 1, 36, false }, { 14, 0, 2, 25, true }, { 16, 1, 1, 42, false },
        { 16, 1, 2, 29, true }, { 12, 0, 3, 12, false }, { 14, 0, 3, 14, false },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t out = 1ull << 42, va = 0x0000123456789abcull & mask64(48);
        Walk w;

        setup(&w, "max", cases[i].granule, 16);
        map(va, cases[i].granule, 48, cases[i].start, cases[i].level, out | AF | BLOCK_DESC);
        if (cases[i].allowed) {
            assert_phys(&w, va, out | (va & mask64(cases[i].shift) & ~0xfffull));
            g_assert_cmpuint(1ull << last_step(&w)->shift, ==, 1ull << cases[i].shift);
        } else {
            assert_fault(&w, va, MMU_READ, false, 0x04 | cases[i].level);
        }
        teardown(&w);
    }
}

static void test_walk_faults(void)
{
    const uint64_t va = 0x7654321000;
    Walk w;

    for (unsigned level = 0; level <= 3; level++) {
        setup(&w, "cortex-a57", 12, 16);
        map(va, 12, 48, 0, level, 0);
        assert_fault(&w, va, MMU_READ, false, 0x04 | level);           /* invalid */
        if (level > 0) {
            map(va, 12, 48, 0, level, OUT | (level == 3 ? PAGE_DESC : BLOCK_DESC));
            assert_fault(&w, va, MMU_WRITE, true, 0x08 | level);       /* access flag first */
            map(va, 12, 48, 0, level, BIT64(44) | AF | (level == 3 ? PAGE_DESC : BLOCK_DESC));
            assert_fault(&w, va, MMU_READ, false, 0x00 | level);       /* output too large */
            map(va, 12, 48, 0, level, OUT | AF | (level == 3 ? PAGE_DESC : BLOCK_DESC));
            assert_fault(&w, va, MMU_READ, true, 0x0c | level);        /* EL0 has no access */
        }
        teardown(&w);

        /* The table of this level is not in memory, or at an address that is too large. */
        setup(&w, "cortex-a57", 12, 16);
        if (level == 0) {
            assert_fault(&w, va, MMU_READ, false, 0x14);
            w.cpu->s.ttbr_el[1][0] = BIT64(44);
            assert_fault(&w, va, MMU_READ, false, 0x00);
        } else {
            map(va, 12, 48, 0, level - 1, 0x123456000 | TABLE_DESC);
            assert_fault(&w, va, MMU_READ, false, 0x14 | level);
            map(va, 12, 48, 0, level - 1, BIT64(45) | TABLE_DESC);
            assert_fault(&w, va, MMU_READ, false, 0x00 | (level - 1));
        }
        teardown(&w);
    }
}

static void test_output_size(void)
{
    static const unsigned ips_bits[] = { 32, 36, 40, 42, 44, 44 };

    for (unsigned ips = 0; ips < ARRAY_SIZE(ips_bits); ips++) {
        Walk w;

        setup(&w, "cortex-a57", 12, 25);
        w.cpu->s.tcr_el[1] = deposit64(w.cpu->s.tcr_el[1], 32, 3, ips);
        map(0, 12, 39, 1, 3, (BIT64(ips_bits[ips]) - PAGE_SIZE) | AF | PAGE_DESC);
        assert_phys(&w, 0, BIT64(ips_bits[ips]) - PAGE_SIZE);
        map(0, 12, 39, 1, 3, BIT64(ips_bits[ips]) | AF | PAGE_DESC);
        assert_fault(&w, 0, MMU_READ, false, 0x03);
        teardown(&w);
    }
}

/* DDI 0487 table D5-28 and D5.4.5: what each AP, XN and WXN allows. */
static uint32_t expected_rights(bool el0, bool ro, bool uxn, bool pxn, bool wxn, bool user)
{
    bool write = !ro && (!user || el0);
    bool exec = user ? !uxn : !pxn && !(el0 && !ro);

    return ((!user || el0) ? TLB_READ : 0) | (write ? TLB_WRITE : 0) |
           (exec && !(wxn && write) ? TLB_EXEC : 0);
}

static uint32_t found_rights(Walk *w, uint64_t va, bool user)
{
    static const uint32_t bit[] = { TLB_READ, TLB_WRITE, TLB_EXEC };
    uint32_t rights = 0;

    for (MmuAccess access = MMU_READ; access <= MMU_FETCH; access++) {
        if (walk(w, va, access, user)) {
            rights |= bit[access];
        } else {
            g_assert_cmphex(w->t.r.fault, ==, 0x0f);
        }
    }
    if (rights && walk(w, va, rights & TLB_READ ? MMU_READ : MMU_FETCH, user)) {
        g_assert_cmphex(w->t.r.attrs & (TLB_READ | TLB_WRITE | TLB_EXEC), ==, rights);
    }
    return rights;
}

static void test_permissions(void)
{
    const uint64_t va = 0x5000;

    for (unsigned i = 0; i < 64; i++) {
        bool el0 = i & 1, ro = i & 2, uxn = i & 4, pxn = i & 8, wxn = i & 16, user = i & 32;
        Walk w;

        setup(&w, "cortex-a72", 12, 25);
        w.cpu->s.sctlr_el[1] |= wxn ? SCTLR_WXN : 0;
        map(va, 12, 39, 1, 3, OUT | AF | PAGE_DESC | (el0 ? AP_EL0 : 0) | (ro ? AP_RO : 0) |
                              (uxn ? UXN : 0) | (pxn ? PXN : 0));
        g_assert_cmphex(found_rights(&w, va, user), ==,
                        expected_rights(el0, ro, uxn, pxn, wxn, user));
        teardown(&w);
    }
}

/* A table's limits hold for all below it, at whichever level they are. */
static void test_table_attributes(void)
{
    const uint64_t va = 0x5000;

    for (unsigned i = 0; i < 32; i++) {
        uint64_t limits = (uint64_t)(i & 15) << 59;    /* PXN, XN, AP[0], AP[1] */
        bool user = i & 16;
        bool el0 = !(limits & BIT64(61)), ro = limits & BIT64(62);

        for (unsigned level = 1; level <= 2; level++) {
            Walk w;

            setup(&w, "cortex-a72", 12, 25);
            map(va, 12, 39, 1, 3, OUT | AF | PAGE_DESC | AP_EL0);
            mem_set(TABLE0 + (level - 1) * TABLE_STEP,
                    (TABLE0 + level * TABLE_STEP) | TABLE_DESC | limits);
            g_assert_cmphex(found_rights(&w, va, user), ==,
                            expected_rights(el0, ro, limits & BIT64(60), limits & BIT64(59),
                                            false, user));
            teardown(&w);
        }
    }
}

static void test_attributes(void)
{
    Walk w;

    setup(&w, "cortex-a57", 12, 25);
    map(0x1000, 12, 39, 1, 3, OUT | AF | PAGE_DESC | 3 << 8);
    assert_phys(&w, 0x1000, OUT);
    g_assert_cmphex(w.t.memattr, ==, 0xff);
    g_assert_cmphex(w.t.shareability, ==, 3);
    g_assert_false(w.t.r.attrs & TLB_DEVICE);
    map(0x1000, 12, 39, 1, 3, OUT | AF | NG | PAGE_DESC | 1 << 2 | 3 << 8);
    assert_phys(&w, 0x1000, OUT);
    g_assert_cmphex(w.t.memattr, ==, 0x44);
    g_assert_cmphex(w.t.shareability, ==, 2);
    g_assert_false(w.t.r.attrs & TLB_DEVICE);
    map(0x1000, 12, 39, 1, 3, OUT | AF | PAGE_DESC | 2 << 2);
    assert_phys(&w, 0x1000, OUT);
    g_assert_true(w.t.r.attrs & TLB_DEVICE);
    teardown(&w);
}

static void test_control(void)
{
    const uint64_t high = 0xffffff8000000000ull;
    Walk w;

    setup(&w, "cortex-a57", 12, 25);
    map(0x1000, 12, 39, 1, 3, OUT | AF | PAGE_DESC);
    map(0x2000, 12, 39, 1, 3, (OUT + 0x2000) | AF | PAGE_DESC);
    assert_phys(&w, 0x1abc, OUT);
    assert_phys(&w, high | 0x2abc, OUT + 0x2000);
    /* Walks of one half disabled. */
    w.cpu->s.tcr_el[1] |= TCR_EPD0;
    assert_fault(&w, 0x1000, MMU_READ, false, 0x04);
    assert_phys(&w, high | 0x1000, OUT);
    w.cpu->s.tcr_el[1] = (w.cpu->s.tcr_el[1] & ~TCR_EPD0) | TCR_EPD1;
    assert_phys(&w, 0x1000, OUT);
    assert_fault(&w, high | 0x1000, MMU_READ, false, 0x04);
    w.cpu->s.tcr_el[1] &= ~TCR_EPD1;
    /* The top byte. */
    assert_fault(&w, 0xaa00000000001000, MMU_READ, false, 0x04);
    w.cpu->s.tcr_el[1] |= TCR_TBI0;
    assert_phys(&w, 0xaa00000000001000, OUT);
    assert_fault(&w, 0xaaffff8000001000, MMU_READ, false, 0x04);
    w.cpu->s.tcr_el[1] = (w.cpu->s.tcr_el[1] & ~TCR_TBI0) | TCR_TBI1;
    assert_phys(&w, 0xaaffff8000001000, OUT);
    assert_fault(&w, 0xaa00000000001000, MMU_READ, false, 0x04);
    g_assert_cmphex(arm_clean_address(&w.cpu->vcpu, 0x12ffff8000001000, false), ==,
                    0xffffff8000001000);
    g_assert_cmphex(arm_clean_address(&w.cpu->vcpu, 0x1200000000001000, false), ==,
                    0x1200000000001000);
    w.cpu->s.tcr_el[1] |= TCR_TBI0;
    g_assert_cmphex(arm_clean_address(&w.cpu->vcpu, 0x1200000000001000, false), ==, 0x1000);
    teardown(&w);
}

static void test_big_endian_tables(void)
{
    Walk w;

    setup(&w, "cortex-a57", 12, 25);
    w.cpu->s.sctlr_el[1] |= SCTLR_EE;
    mem_set(TABLE0, __builtin_bswap64(OUT | AF | BLOCK_DESC));
    assert_phys(&w, 0x3000, OUT + 0x3000);
    teardown(&w);
}

/* A granule that the part does not have reads as 4 KiB. */
static void test_granules(void)
{
    Walk w;

    setup(&w, "cortex-a57", 14, 25);
    map(0x5000, 12, 39, 1, 3, OUT | AF | PAGE_DESC);
    assert_phys(&w, 0x5000, OUT);
    g_assert_cmpuint(1ull << last_step(&w)->shift, ==, 4096);
    teardown(&w);
}

static bool regimes_equal(Vcpu *vcpu, unsigned number, const Regime *r)
{
    Regime now;

    arm_regime(vcpu, number, &now);
    return memcmp(&now, r, sizeof(now)) == 0;
}

/* What a walk depends on is in the regime, and nothing else is. */
static void test_regime(void)
{
    Regime el0, el1;
    Vcpu *vcpu;
    Walk w;

    setup(&w, "cortex-a57", 12, 25);
    vcpu = &w.cpu->vcpu;
    arm_regime(vcpu, ARM_REGIME_EL0, &el0);
    arm_regime(vcpu, ARM_REGIME_EL1, &el1);
    g_assert_false(regimes_equal(vcpu, ARM_REGIME_EL1, &el0));
    /* Neither ASIDs, wherever they are, nor CnP. */
    w.cpu->s.ttbr_el[1][0] |= 0x1234ull << 48 | 1;
    w.cpu->s.ttbr_el[1][1] |= 0x5678ull << 48 | 1;
    w.cpu->s.tcr_el[1] ^= TCR_AS | TCR_A1;
    g_assert_true(regimes_equal(vcpu, ARM_REGIME_EL0, &el0));
    g_assert_true(regimes_equal(vcpu, ARM_REGIME_EL1, &el1));
    w.cpu->s.ttbr_el[1][1] += 0x1000;
    g_assert_false(regimes_equal(vcpu, ARM_REGIME_EL1, &el1));
    w.cpu->s.ttbr_el[1][1] -= 0x1000;
    w.cpu->s.mair_el[1] ^= 0xff;
    g_assert_false(regimes_equal(vcpu, ARM_REGIME_EL1, &el1));
    w.cpu->s.mair_el[1] ^= 0xff;
    w.cpu->s.sctlr_el[1] ^= SCTLR_WXN;
    g_assert_false(regimes_equal(vcpu, ARM_REGIME_EL1, &el1));
    w.cpu->s.sctlr_el[1] ^= SCTLR_WXN | SCTLR_SA;
    g_assert_true(regimes_equal(vcpu, ARM_REGIME_EL1, &el1));
    g_assert_cmpuint(arm_current_regime(vcpu), ==, ARM_REGIME_EL1);
    w.cpu->s.el = 0;
    g_assert_cmpuint(arm_current_regime(vcpu), ==, ARM_REGIME_EL0);
    teardown(&w);
}

/* The engine's entry: rights of the regime, and the descriptors that were read. */
static void test_ops(void)
{
    MmuResult out;
    Regime r;
    Walk w;

    setup(&w, "cortex-a57", 12, 25);
    map(0x1000, 12, 39, 1, 3, OUT | AF | PAGE_DESC);
    arm_regime(&w.cpu->vcpu, ARM_REGIME_EL1, &r);
    g_assert_true(arm_mmu_translate(&w.cpu->vcpu, &r, 0x1008, MMU_WRITE, &out));
    g_assert_cmphex(out.phys, ==, OUT);
    g_assert_cmpuint(out.num_steps, ==, 3);
    for (unsigned n = 0; n < 3; n++) {
        g_assert_cmpuint(out.step[n].shift, ==, 30 - 9 * n);
        g_assert_cmphex(out.step[n].phys, ==, TABLE0 + n * TABLE_STEP + (n == 2 ? 8 : 0));
    }
    arm_regime(&w.cpu->vcpu, ARM_REGIME_EL0, &r);
    g_assert_false(arm_mmu_translate(&w.cpu->vcpu, &r, 0x1008, MMU_WRITE, &out));
    g_assert_cmphex(out.fault, ==, 0x0f);
    g_assert_false(arm_mmu_translate(&w.cpu->vcpu, &r, 0x1008, MMU_READ, &out));
    teardown(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arm/mmu/off", test_off);
    g_test_add_func("/arm/mmu/start-levels", test_start_levels);
    g_test_add_func("/arm/mmu/blocks", test_blocks);
    g_test_add_func("/arm/mmu/walk-faults", test_walk_faults);
    g_test_add_func("/arm/mmu/output-size", test_output_size);
    g_test_add_func("/arm/mmu/permissions", test_permissions);
    g_test_add_func("/arm/mmu/table-attributes", test_table_attributes);
    g_test_add_func("/arm/mmu/attributes", test_attributes);
    g_test_add_func("/arm/mmu/control", test_control);
    g_test_add_func("/arm/mmu/big-endian-tables", test_big_endian_tables);
    g_test_add_func("/arm/mmu/granules", test_granules);
    g_test_add_func("/arm/mmu/regime", test_regime);
    g_test_add_func("/arm/mmu/ops", test_ops);
    return g_test_run();
}
