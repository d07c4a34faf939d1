/*
 * The soft TLB against the tables in memory: what it answers has to be what a walk finds at
 * that moment, after any change of a descriptor by anybody, without TLB maintenance.
 *
 * A few pages are everything at once: tables of all levels, of all roots and CPUs, and data.
 * CPUs with random registers load, store, fetch and change registers; DMA and a debugger
 * write; a copy of the memory says what every store should have left.
 *
 *     REARM_SECONDS=3600 REARM_SEED=7 build/tests/unit/test-arm-tables
 *
 * runs rounds with seeds from 7 on for an hour. A failure prints its seed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arm-machine.h"
#include "rng.h"
#include "target/arm/helpers.h"
#include "target/arm/mmu.h"
#include "target/arm/sysreg.h"
#include "target/arm/system.h"
#include "accel/tcg/tlb.h"
#include "util/bitops.h"
#include "util/host-clock.h"

#define NUM_CPUS 3
#define NUM_HOT 24
#define ROUND_OPS 6000
#define ROUNDS 150

#define TTBR0_EL1 SYSREG_KEY(3, 0, 2, 0, 0)
#define TTBR1_EL1 SYSREG_KEY(3, 0, 2, 0, 1)
#define TCR_EL1 SYSREG_KEY(3, 0, 2, 0, 2)
#define MAIR_EL1 SYSREG_KEY(3, 0, 10, 2, 0)
#define SCTLR_EL1 SYSREG_KEY(3, 0, 1, 0, 0)

typedef struct Tables {
    ArmMachine a;
    Rng rng;
    uint64_t seed;
    unsigned op;                /* counts operations */
    unsigned granule;           /* log2; of most halves of most CPUs */
    unsigned pool_pages;        /* of that size, from RAM on: tables and data */
    uint64_t hot[NUM_HOT];      /* addresses that are used again and again */
    ArmCpu *cpu;                /* whose turn it is */
    uint8_t *ram, *expected;
    unsigned good, faults, direct, table_stores;
} Tables;

#define CHECK(t, cond) \
    do { \
        if (!(cond)) { \
            g_error("seed %" PRIu64 ", operation %u: not true: %s", (t)->seed, (t)->op, #cond); \
        } \
    } while (0)

/* ---- random things ---- */

static unsigned below(Tables *t, unsigned n)
{
    return rng_below(&t->rng, n);
}

static bool percent(Tables *t, unsigned p)
{
    return rng_percent(&t->rng, p);
}

static uint64_t any_pool_page(Tables *t)
{
    return RAM + ((uint64_t)below(t, t->pool_pages) << t->granule);
}

/* Few, so that walks meet what was written; the last one of a table among them. */
static unsigned any_index(Tables *t, unsigned bits)
{
    unsigned n = below(t, 8);

    return n < 7 ? n % 3 : (1u << bits) - 1;
}

static uint64_t any_descriptor(Tables *t)
{
    uint64_t kind = percent(t, 82) ? 3 : percent(t, 70) ? 1 : below(t, 4);
    uint64_t desc = any_pool_page(t) | kind | (percent(t, 97) ? BIT64(10) : 0);

    desc |= percent(t, 70) ? BIT64(6) : 0;              /* EL0 */
    desc |= percent(t, 10) ? BIT64(7) : 0;              /* read-only */
    desc |= (uint64_t)(percent(t, 90) ? 0 : 1 + below(t, 2)) << 2;      /* MAIR index */
    desc |= percent(t, 10) ? BIT64(53) : 0;             /* PXN */
    desc |= percent(t, 10) ? BIT64(54) : 0;             /* UXN */
    desc |= percent(t, 5) ? (uint64_t)below(t, 16) << 59 : 0;           /* of tables */
    return percent(t, 3) ? desc ^ 1ull << below(t, 64) : desc;
}

static uint64_t any_value(Tables *t)
{
    return percent(t, 93) ? any_descriptor(t) : rng_next(&t->rng);
}

/* Where a descriptor may well be. The first tables of 39 address bits are smaller. */
static uint64_t any_slot(Tables *t)
{
    unsigned stride = t->granule - 3, first = (39 - t->granule) % stride;
    unsigned index = percent(t, 95) ? any_index(t, first && percent(t, 50) ? first : stride)
                                    : below(t, 1u << stride);

    return any_pool_page(t) + 8ull * index;
}

/* An address whose indices are small in all tables. */
static uint64_t new_address(Tables *t)
{
    unsigned stride = t->granule - 3;
    uint64_t vaddr = (uint64_t)below(t, 1u << (t->granule - PAGE_BITS)) << PAGE_BITS;

    for (unsigned shift = t->granule; shift < 48; shift += stride) {
        vaddr |= (uint64_t)any_index(t, shift < 39 ? MIN(stride, 39 - shift) : 9) << shift;
    }
    vaddr &= mask64(percent(t, 50) ? 39 : percent(t, 85) ? 31 : 48);
    return percent(t, 50) ? vaddr : vaddr | (percent(t, 90) ? ~mask64(39) : ~mask64(48));
}

static uint64_t any_address(Tables *t)
{
    uint64_t vaddr = percent(t, 5) ? new_address(t) : t->hot[below(t, NUM_HOT)];
    uint64_t offset = percent(t, 5) ? PAGE_SIZE - 1 - below(t, 16) : 8 * any_index(t, 9);

    vaddr |= percent(t, 20) ? (offset + below(t, 8)) & ~PAGE_MASK : offset;
    /* A tag, where the top byte may be ignored. */
    return percent(t, 4) ? vaddr ^ (uint64_t)below(t, 256) << 56 : vaddr;
}

/* ---- what an access ought to do ---- */

/* One page's part of it. */
typedef struct Part {
    bool ok;                    /* the walk found something */
    bool device;
    uint32_t fault;
    uint64_t phys;
    uint8_t *host;              /* NULL: nothing there */
} Part;

static bool is_user(const Tables *t, unsigned memflags)
{
    return t->cpu->s.el == 0 || (memflags & MEM_UNPRIV);
}

static uint64_t clean(Tables *t, uint64_t vaddr)
{
    return arm_clean_address(&t->cpu->vcpu, vaddr, false);
}

static Part expect_part(Tables *t, uint64_t vaddr, MmuAccess access, bool user)
{
    ArmTranslation walk = { 0 };
    Part p = { .ok = arm_translate_address(t->cpu, vaddr, access, user, &walk) };

    p.fault = walk.r.fault;
    p.device = walk.r.attrs & TLB_DEVICE;
    p.phys = walk.r.phys | (vaddr & ~PAGE_MASK);
    if (p.ok && p.phys - RAM < RAM_SIZE) {
        p.host = t->ram + (p.phys - RAM);
    }
    return p;
}

/* The fault status of the whole access and its address; -1: none. */
typedef struct Expected {
    int fault;
    uint64_t far;
    unsigned first;             /* bytes in the first page */
    unsigned done;              /* bytes that are transferred */
    Part part[2];
} Expected;

static Expected expect(Tables *t, uint64_t raw, unsigned length, unsigned unit, unsigned memflags,
                       bool write)
{
    uint64_t vaddr = clean(t, raw);
    MmuAccess access = write ? MMU_WRITE : MMU_READ;
    bool user = is_user(t, memflags);
    Expected e = { .fault = -1, .far = raw };

    e.first = MIN(length, PAGE_SIZE - (unsigned)(vaddr & ~PAGE_MASK));
    e.part[0] = expect_part(t, vaddr, access, user);
    e.part[1] = e.first < length ? expect_part(t, vaddr + e.first, access, user) : e.part[0];
    if ((memflags & MEM_ALIGNED) && (vaddr & (length - 1))) {
        e.fault = FSC_ALIGNMENT;
    } else if (!e.part[0].ok) {
        e.fault = (int)e.part[0].fault;
    } else if (e.part[0].device && (vaddr & (unit - 1))) {
        e.fault = FSC_ALIGNMENT;
    } else if (!e.part[1].ok) {
        e.fault = (int)e.part[1].fault;
        e.far = raw + e.first;
    } else if (e.first < length && (vaddr & (unit - 1)) && e.part[1].device) {
        e.fault = FSC_ALIGNMENT;
        e.far = raw + e.first;
    } else if (!e.part[0].host) {
        e.fault = FSC_EXTERNAL;
    } else if (!e.part[1].host) {
        e.fault = FSC_EXTERNAL;
        e.far = raw + e.first;
        e.done = e.first;
    } else {
        e.done = length;
    }
    return e;
}

static void expect_stored(Tables *t, const Expected *e, const uint8_t *data)
{
    unsigned first = MIN(e->first, e->done);

    if (first) {
        memcpy(t->expected + (e->part[0].phys - RAM), data, first);
    }
    if (e->done > first) {
        memcpy(t->expected + (e->part[1].phys - RAM), data + first, e->done - first);
    }
}

static void check_loaded(Tables *t, const Expected *e, const uint8_t *data)
{
    unsigned first = MIN(e->first, e->done);

    CHECK(t, !memcmp(data, t->expected + (e->part[0].phys - RAM), first));
    CHECK(t, e->done == first ||
             !memcmp(data + first, t->expected + (e->part[1].phys - RAM), e->done - first));
}

/* ---- accesses ---- */

/* As the interpreter makes them. The CPU does not stay in the handler. */
static void whole_access(Tables *t, uint64_t raw, uint8_t *data, unsigned bytes, unsigned count,
                         unsigned memflags, bool write)
{
    Expected e = expect(t, raw, bytes * count, MIN(bytes, 8), memflags, write);
    ArmState before = t->cpu->s;
    Vcpu *vcpu = &t->cpu->vcpu;
    bool ok;

    if (write) {
        expect_stored(t, &e, data);
    }
    ok = mmu_access(vcpu, raw, data, bytes, count, memflags, write);
    CHECK(t, ok == (e.fault < 0));
    if (ok) {
        t->good++;
        if (!write) {
            check_loaded(t, &e, data);
        }
        return;
    }
    t->faults++;
    CHECK(t, (int)(t->cpu->s.esr_el[1] & 0x3f) == e.fault);
    CHECK(t, t->cpu->s.far_el[1] == e.far);
    t->cpu->s = before;
    vcpu->pc = RAM;
    vcpu_space_changed(vcpu);
}

/* The first entry's tag, as the inline look-up compares it. */
static bool tag_matches(Tables *t, uint64_t raw, unsigned bytes, unsigned memflags, bool write,
                        uint64_t *addend)
{
    const Vcpu *vcpu = &t->cpu->vcpu;
    bool unpriv = memflags & MEM_UNPRIV;
    uint32_t offset = (uint32_t)(raw >> PAGE_BITS) * (uint32_t)sizeof(TlbEntry) &
                      (unpriv ? vcpu->tlb_mask_unpriv : vcpu->tlb_mask);
    const TlbEntry *e = (const TlbEntry *)(const void *)
        ((const char *)(unpriv ? vcpu->tlb_unpriv : vcpu->tlb) + offset);
    bool aligned = (memflags & MEM_ALIGNED) || !(t->cpu->s.sctlr_el[1] & SCTLR_M);
    uint64_t compared = aligned ? raw & (PAGE_MASK | (bytes - 1)) : (raw + bytes - 1) & PAGE_MASK;

    *addend = e->addend;
    return compared == (write ? e->write_tag : e->read_tag);
}

/* As generated code makes them: tag, probe, then the interpreter. */
static void code_access(Tables *t, uint64_t raw, uint8_t *data, unsigned bytes,
                        unsigned memflags, bool write)
{
    Expected e = expect(t, raw, bytes, MIN(bytes, 8), memflags, write);
    uint64_t addend;
    uint8_t *host;

    if (tag_matches(t, raw, bytes, memflags, write, &addend)) {
        t->direct++;
    } else {
        addend = mmu_probe(&t->cpu->vcpu, raw, bytes, memflags, write);
        if (addend == PROBE_BAIL || addend == PROBE_MMIO) {
            whole_access(t, raw, data, bytes, 1, memflags, write);
            return;
        }
    }
    host = (uint8_t *)(uintptr_t)(raw + addend);
    CHECK(t, e.fault < 0 && e.first == bytes);
    CHECK(t, host == e.part[0].host);
    t->good++;
    if (write) {
        expect_stored(t, &e, data);
        memcpy(host, data, bytes);
    } else {
        memcpy(data, host, bytes);
        check_loaded(t, &e, data);
    }
}

static void access_op(Tables *t)
{
    uint64_t value[2] = { any_value(t), any_value(t) };
    unsigned size = percent(t, 60) ? MEM_64 : below(t, MEM_128 + 1);
    unsigned memflags = (percent(t, 20) ? MEM_UNPRIV : 0) | (percent(t, 10) ? MEM_ALIGNED : 0);
    unsigned bytes = 1u << size, count = size >= MEM_32 && size < MEM_128 && percent(t, 20) ? 2 : 1;
    bool write = percent(t, 50);

    if (percent(t, 60)) {
        code_access(t, any_address(t), (uint8_t *)value, bytes * count, memflags, write);
    } else {
        whole_access(t, any_address(t), (uint8_t *)value, bytes, count, memflags, write);
    }
}

static void fetch_op(Tables *t)
{
    uint64_t pc = clean(t, any_address(t)) & ~3ull;
    Part p = expect_part(t, pc, MMU_FETCH, t->cpu->s.el == 0);
    ArmState before = t->cpu->s;
    const ItlbEntry *e = mmu_fetch(&t->cpu->vcpu, pc);

    if (p.host) {
        CHECK(t, e && e->phys == (p.phys & PAGE_MASK));
        CHECK(t, e->host + (pc & ~PAGE_MASK) == p.host);
        return;
    }
    CHECK(t, !e);
    CHECK(t, (t->cpu->s.esr_el[1] & 0x3f) == (p.ok ? FSC_EXTERNAL : p.fault));
    t->cpu->s = before;
    t->cpu->vcpu.pc = RAM;
    vcpu_space_changed(&t->cpu->vcpu);
}

/* ---- others that write ---- */

static void dma(Tables *t, uint64_t phys, const void *data, unsigned length)
{
    memcpy(t->expected + (phys - RAM), data, length);
    g_assert_true(memory_write(t->a.m->memory, phys, data, length));
}

static void dma_op(Tables *t)
{
    uint64_t value[64];
    uint64_t phys = any_slot(t);

    for (unsigned n = 0; n < ARRAY_SIZE(value); n++) {
        value[n] = any_value(t);
    }
    if (percent(t, 80)) {
        dma(t, phys, value, 8);
    } else if (percent(t, 50)) {
        dma(t, phys + below(t, 8), value, 1 + below(t, 16));
    } else {
        /* A block that begins on one page and ends on another. */
        dma(t, RAM + PAGE_SIZE * (1 + below(t, t->pool_pages)) - 8 * below(t, 64), value,
            sizeof(value));
    }
}

static void new_tables(Tables *t)
{
    for (unsigned n = 0; n < t->pool_pages * 16; n++) {
        uint64_t value = any_descriptor(t);

        dma(t, any_slot(t), &value, 8);
    }
}

/* Table becomes data: many stores, no walk between. */
static void burst_op(Tables *t)
{
    uint64_t page = any_pool_page(t);
    unsigned count = 20 + below(t, 60);

    for (unsigned n = 0; n < count; n++) {
        uint64_t value = any_value(t);

        dma(t, page + 8 * any_index(t, t->granule - 3), &value, 8);
    }
}

static void poke_op(Tables *t)
{
    uint64_t value = any_value(t), vaddr = any_address(t) & ~7ull;
    Part p = expect_part(t, clean(t, vaddr), MMU_READ, t->cpu->s.el == 0);

    if (p.host) {
        memcpy(t->expected + (p.phys - RAM), &value, 8);
    }
    CHECK(t, vcpu_poke(&t->cpu->vcpu, vaddr, &value, 8) == (p.host != NULL));
}

/* ---- registers ---- */

static void write_sysreg(Tables *t, uint32_t key, uint64_t value)
{
    ((void (*)(Vcpu *, uint64_t, uint64_t))(void *)helper_sysreg_write.fn)(&t->cpu->vcpu, key,
                                                                          value);
}

static void set_root(Tables *t, uint32_t key)
{
    write_sysreg(t, key, any_pool_page(t) | (uint64_t)below(t, 3) << 48);
}

/* Mostly tables that start where address bits 39 or 48 do. */
static void set_tcr(Tables *t)
{
    static const uint8_t tsz[] = { 25, 25, 25, 25, 16, 28 };
    static const uint8_t tg0[] = { [12] = 0, [14] = 2, [16] = 1 };
    static const uint8_t tg1[] = { [12] = 2, [14] = 1, [16] = 3 };
    unsigned other = percent(t, 90) ? t->granule : 12 + 2 * below(t, 3);
    uint64_t tcr = 5ull << 32 | tsz[below(t, 6)] | tsz[below(t, 6)] << 16;

    tcr |= (uint64_t)tg0[t->granule] << 14 | (uint64_t)tg1[other] << 30;
    tcr |= percent(t, 5) ? TCR_EPD0 : percent(t, 5) ? TCR_EPD1 : 0;
    tcr |= percent(t, 50) ? TCR_TBI0 : 0;
    tcr |= percent(t, 20) ? TCR_TBI1 : 0;
    write_sysreg(t, TCR_EL1, tcr);
}

static void set_sctlr(Tables *t)
{
    uint64_t sctlr = t->cpu->s.sctlr_el[1] & ~(uint64_t)(SCTLR_M | SCTLR_WXN | SCTLR_EE);

    write_sysreg(t, SCTLR_EL1, sctlr | (percent(t, 95) ? SCTLR_M : 0) |
                               (percent(t, 10) ? SCTLR_WXN : 0));
}

static void set_el(Tables *t, unsigned el)
{
    t->cpu->s.el = el;
    vcpu_space_changed(&t->cpu->vcpu);
}

static void register_op(Tables *t)
{
    switch (below(t, 8)) {
    case 0: case 1: set_root(t, TTBR0_EL1); break;
    case 2: set_root(t, TTBR1_EL1); break;
    case 3: set_tcr(t); break;
    case 4: write_sysreg(t, MAIR_EL1, percent(t, 90) ? 0x4404ff : 0x4400ff); break;
    case 5: set_sctlr(t); break;
    default: set_el(t, t->cpu->s.el ^ 1); break;
    }
}

/* Another CPU's turn: tcg_run() begins so. */
static void set_cpu(Tables *t, unsigned n)
{
    t->cpu = t->a.cpu[n];
    t->a.m->current_cpu = n;
    vcpu_space_changed(&t->cpu->vcpu);
}

/* ---- rounds ---- */

static void open_round(Tables *t, uint64_t seed)
{
    static const uint32_t nothing[] = { 0 };
    TcgConfig config = { .interp = true };

    *t = (Tables){ .seed = seed, .rng = { seed } };
    config.tlb_ways = 1u << below(t, 4);
    config.tlb_entries = percent(t, 60) ? 16u << 2 * below(t, 4) : 0;
    config.tlb_chaos = percent(t, 50) ? seed | 1 : 0;
    t->granule = 12 + 2 * below(t, 3);
    t->pool_pages = t->granule == 16 ? 12 : 8 + below(t, 24);
    arm_machine_new(&t->a, NULL, nothing, sizeof(nothing));
    t->a.model = "max";
    arm_machine_start(&t->a, &config, NUM_CPUS);
    t->ram = memory_find(t->a.m->memory, RAM)->host;
    t->expected = g_malloc0(RAM_SIZE);
    new_tables(t);
    for (unsigned n = 0; n < NUM_HOT; n++) {
        t->hot[n] = new_address(t);
    }
    for (unsigned n = 0; n < NUM_CPUS; n++) {
        set_cpu(t, n);
        set_root(t, TTBR0_EL1);
        /* The kernel's half is often common to all. */
        write_sysreg(t, TTBR1_EL1, percent(t, 70) ? RAM : any_pool_page(t));
        write_sysreg(t, MAIR_EL1, 0x4404ff);
        set_tcr(t);
        if (n && percent(t, 70)) {
            write_sysreg(t, TCR_EL1, t->a.cpu[0]->s.tcr_el[1]);
        }
        write_sysreg(t, SCTLR_EL1, t->cpu->s.sctlr_el[1] | SCTLR_M);
        set_el(t, below(t, 2));
    }
}

static void close_round(Tables *t)
{
    CHECK(t, !memcmp(t->ram, t->expected, RAM_SIZE));
    t->table_stores = t->a.tcg->stats.table_stores;
    g_free(t->expected);
    arm_machine_free(&t->a);
}

static void one_op(Tables *t)
{
    unsigned n = below(t, 1000);

    if (n < 740) {
        access_op(t);
    } else if (n < 840) {
        fetch_op(t);
    } else if (n < 900) {
        dma_op(t);
    } else if (n < 925) {
        poke_op(t);
    } else if (n < 945) {
        register_op(t);
    } else if (n < 985) {
        set_cpu(t, below(t, NUM_CPUS));
    } else if (n < 990) {
        burst_op(t);
    } else if (n < 993) {
        new_tables(t);
    } else if (n < 996) {
        memory_clean(t->a.m->memory, PAGE_DIRTY_CHECK, NULL, NULL);
    } else if (n < 998) {
        tcg_flush_tlb(t->a.tcg);
    } else {
        CHECK(t, !memcmp(t->ram, t->expected, RAM_SIZE));
    }
}

static void run_round(Tables *t, uint64_t seed)
{
    open_round(t, seed);
    for (t->op = 0; t->op < ROUND_OPS; t->op++) {
        one_op(t);
    }
    close_round(t);
}

static void test_random(void)
{
    uint64_t good = 0, faults = 0, direct = 0, table_stores = 0;
    Tables t;

    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        run_round(&t, seed);
        good += t.good;
        faults += t.faults;
        direct += t.direct;
        table_stores += t.table_stores;
    }
    g_test_message("%" PRIu64 " accesses, %" PRIu64 " of them direct, %" PRIu64 " faults, %" PRIu64
                   " stores to tables", good, direct, faults, table_stores);
    /* All that should happen did. */
    g_assert_cmpuint(good, >, ROUNDS * ROUND_OPS / 10);
    g_assert_cmpuint(direct, >, good / 20);
    g_assert_cmpuint(faults, >, good / 20);
    g_assert_cmpuint(table_stores, >, ROUNDS * ROUND_OPS / 50);
}

static void campaign(uint64_t seed, int64_t seconds)
{
    int64_t end = host_monotonic_ns() + seconds * 1000000000;
    uint64_t first = seed;
    Tables t;

    for (; host_monotonic_ns() < end; seed++) {
        run_round(&t, seed);
    }
    g_print("%" PRIu64 " rounds of %u operations, seeds %" PRIu64 " to %" PRIu64 ": equal\n",
            seed - first, ROUND_OPS, first, seed - 1);
}

int main(int argc, char **argv)
{
    const char *seconds = getenv("REARM_SECONDS"), *seed = getenv("REARM_SEED");

    g_test_init(&argc, &argv, NULL);
    if (seconds) {
        campaign(seed ? strtoull(seed, NULL, 0) : 1000, strtoll(seconds, NULL, 0));
        return 0;
    }
    g_test_add_func("/arm/tables/random", test_random);
    return g_test_run();
}
