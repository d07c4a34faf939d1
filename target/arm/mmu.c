/*
 * Stage 1 translation of the EL1&0 regime: the VMSAv8-64 table walk
 * (DDI 0487 D5.2 to D5.5).
 *
 * 1. A walk has no side effect: ARMv8.0 sets no access or dirty flag.
 * 2. Sizes that are out of range or not implemented behave as the nearest one that
 *    is (the manual's CONSTRAINED UNPREDICTABLE choices).
 * 3. A walk depends on memory and its Regime alone.
 * 4. Attributes of tables limit those of what they lead to; NSTable and NS mean
 *    nothing, there is one physical address space.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/mmu.h"
#include "target/arm/cpu-models.h"
#include "target/arm/system.h"
#include "util/bitops.h"

/* Descriptor fields. */
#define DESC_VALID BIT64(0)
#define DESC_TABLE BIT64(1)     /* table, or page at level 3 */
#define DESC_AP_EL0 BIT64(6)    /* AP[1] */
#define DESC_AP_RO BIT64(7)     /* AP[2] */
#define DESC_AF BIT64(10)
#define DESC_PXN BIT64(53)
#define DESC_UXN BIT64(54)
#define TABLE_PXN BIT64(59)
#define TABLE_UXN BIT64(60)
#define TABLE_AP_NO_EL0 BIT64(61)
#define TABLE_AP_RO BIT64(62)

#define LAST_LEVEL 3
#define TSZ_MIN 16
#define TSZ_MAX 39

/* The walk of one half of the address space, as TCR_EL1 and a TTBR describe it. */
typedef struct WalkStart {
    uint64_t table;        /* base address of the first table */
    unsigned level;
    unsigned granule;      /* log2 of the page size */
    unsigned input_bits;
    unsigned output_bits;
} WalkStart;

/* ---- addresses ---- */

static bool tbi(const ArmState *s, uint64_t vaddr)
{
    return s->tcr_el[1] & (vaddr & BIT64(55) ? TCR_TBI1 : TCR_TBI0);
}

uint64_t arm_clean_address(Vcpu *vcpu, uint64_t vaddr, bool unpriv)
{
    return tbi(&arm_cpu(vcpu)->s, vaddr) ? (uint64_t)sextract64(vaddr, 0, 56) : vaddr;
}

/* ---- regimes ---- */

/* What a Regime's control words hold. */
enum RegimeWord {
    REGIME_TCR,
    REGIME_MAIR,
    REGIME_SCTLR,
    REGIME_LIMITS,      /* RegimeLimits */
};

enum RegimeLimits {
    LIMIT_PA_BITS = 0xff,
    LIMIT_GRANULE_16K = 1 << 8,
    LIMIT_EL0 = 1 << 9,
};

/* Of a TTBR: neither ASID nor CnP. */
#define TTBR_BADDR 0xfffffffffffeull
/* ASIDs make no difference to a TLB that forgets what changes. */
#define TCR_UNUSED (TCR_A1 | TCR_AS)

/* Stage 1 of the EL1&0 regime, with the rights of EL0 or EL1. */
static void regime_el1(const ArmCpu *cpu, bool user, Regime *out)
{
    const ArmState *s = &cpu->s;
    uint64_t limits = arm_pa_bits(cpu->model);

    *out = (Regime){ .control = { [REGIME_LIMITS] = limits } };
    if (!(s->sctlr_el[1] & SCTLR_M)) {
        out->control[REGIME_TCR] = s->tcr_el[1] & (TCR_TBI0 | TCR_TBI1);
        return;
    }
    limits |= arm_has_granule_16k(cpu->model) ? LIMIT_GRANULE_16K : 0;
    limits |= user ? LIMIT_EL0 : 0;
    out->control[REGIME_LIMITS] = limits;
    out->control[REGIME_TCR] = s->tcr_el[1] & ~TCR_UNUSED;
    out->control[REGIME_MAIR] = s->mair_el[1];
    out->control[REGIME_SCTLR] = s->sctlr_el[1] & (SCTLR_M | SCTLR_WXN | SCTLR_EE);
    out->table[0] = s->ttbr_el[1][0] & TTBR_BADDR;
    out->table[1] = s->ttbr_el[1][1] & TTBR_BADDR;
}

void arm_regime(Vcpu *vcpu, unsigned number, Regime *out)
{
    regime_el1(arm_cpu(vcpu), number == ARM_REGIME_EL0, out);
}

unsigned arm_current_regime(Vcpu *vcpu)
{
    return arm_cpu(vcpu)->s.el == 0 ? ARM_REGIME_EL0 : ARM_REGIME_EL1;
}

static bool regime_tbi(const Regime *g, uint64_t vaddr)
{
    return g->control[REGIME_TCR] & (vaddr & BIT64(55) ? TCR_TBI1 : TCR_TBI0);
}

/* ---- the walk ---- */

static bool fault(ArmTranslation *out, unsigned fsc, unsigned level)
{
    out->r.fault = fsc | level;
    return false;
}

/* Stage 1 off: flat, data is Device-nGnRnE, every instruction fetch is allowed. */
static bool translate_flat(const Regime *g, uint64_t vaddr, ArmTranslation *out)
{
    unsigned top = regime_tbi(g, vaddr) ? 56 : 64;
    uint64_t phys = extract64(vaddr, 0, top);

    if (phys >> (g->control[REGIME_LIMITS] & LIMIT_PA_BITS)) {
        return fault(out, FSC_ADDRESS_SIZE, 0);
    }
    out->r.phys = phys & ~(uint64_t)(PAGE_SIZE - 1);
    /* Code that runs with the MMU off checks alignment itself: MODE_MMU_OFF. */
    out->r.attrs = TLB_VALID | TLB_READ | TLB_WRITE | TLB_EXEC | TLB_DEVICE | TLB_CODE_ALIGNS;
    out->memattr = 0;
    out->shareability = 2;
    return true;
}

/* TG0 and TG1 number the granules differently; reserved values mean 4 KiB. */
static unsigned granule_bits(const Regime *g, bool upper)
{
    static const uint8_t tg0[] = { 12, 16, 14, 12 }, tg1[] = { 12, 14, 12, 16 };
    uint64_t tcr = g->control[REGIME_TCR];
    unsigned bits = upper ? tg1[extract64(tcr, 30, 2)] : tg0[extract64(tcr, 14, 2)];

    return bits == 14 && !(g->control[REGIME_LIMITS] & LIMIT_GRANULE_16K) ? 12 : bits;
}

static unsigned output_bits(const Regime *g)
{
    static const uint8_t ips[] = { 32, 36, 40, 42, 44, 48, 48, 48 };
    unsigned bits = ips[extract64(g->control[REGIME_TCR], 32, 3)];
    unsigned pa = g->control[REGIME_LIMITS] & LIMIT_PA_BITS;

    return bits < pa ? bits : pa;
}

/* False: the address is in neither half, or walks of its half are disabled. */
static bool walk_start(const Regime *g, uint64_t vaddr, WalkStart *w)
{
    uint64_t tcr = g->control[REGIME_TCR];
    bool upper = vaddr & BIT64(55);
    unsigned tsz = extract64(tcr, upper ? 16 : 0, 6);
    int64_t canonical = regime_tbi(g, vaddr) ? sextract64(vaddr, 0, 56) : (int64_t)vaddr;
    unsigned stride, low_bit;

    tsz = tsz < TSZ_MIN ? TSZ_MIN : tsz > TSZ_MAX ? TSZ_MAX : tsz;
    w->input_bits = 64 - tsz;
    if (canonical >> w->input_bits != (upper ? -1 : 0) ||
        (tcr & (upper ? TCR_EPD1 : TCR_EPD0))) {
        return false;
    }
    w->granule = granule_bits(g, upper);
    w->output_bits = output_bits(g);
    stride = w->granule - 3;
    w->level = 4 - (w->input_bits - w->granule + stride - 1) / stride;
    /* The first table may be smaller than a page; its size aligns its base. */
    low_bit = w->input_bits - ((LAST_LEVEL - w->level) * stride + w->granule) + 3;
    w->table = extract64(g->table[upper], low_bit, 48 - low_bit) << low_bit;
    return true;
}

static bool read_descriptor(ArmCpu *cpu, const Regime *g, uint64_t phys, uint64_t *desc)
{
    if (!vcpu_phys_read64(&cpu->vcpu, phys, desc)) {
        return false;
    }
    if (g->control[REGIME_SCTLR] & SCTLR_EE) {
        *desc = __builtin_bswap64(*desc);
    }
    return true;
}

/* Is this a block or page descriptor at this level? Valid ones that are not are tables. */
static bool is_leaf(uint64_t desc, unsigned level)
{
    return level == LAST_LEVEL || !(desc & DESC_TABLE);
}

/* Blocks: 4 KiB granule at levels 1 and 2, the others at level 2 alone. */
static bool leaf_allowed(uint64_t desc, unsigned level, unsigned granule)
{
    if (level == LAST_LEVEL) {
        return desc & DESC_TABLE;
    }
    return level == 2 || (level == 1 && granule == 12);
}

/* Access rights at EL0 or EL1, as TlbAttrs (DDI 0487 D5.4.4 to D5.4.6). */
static uint32_t permissions(const Regime *g, uint64_t desc, uint64_t table_attrs)
{
    bool el0 = (desc & DESC_AP_EL0) && !(table_attrs & TABLE_AP_NO_EL0);
    bool writable = !(desc & DESC_AP_RO) && !(table_attrs & TABLE_AP_RO);
    bool read, write, exec;

    if (g->control[REGIME_LIMITS] & LIMIT_EL0) {
        read = el0;
        write = el0 && writable;
        exec = !(desc & DESC_UXN) && !(table_attrs & TABLE_UXN);
    } else {
        read = true;
        write = writable;
        /* What EL0 can write EL1 never executes. */
        exec = !(desc & DESC_PXN) && !(table_attrs & TABLE_PXN) && !(el0 && writable);
    }
    if (write && (g->control[REGIME_SCTLR] & SCTLR_WXN)) {
        exec = false;
    }
    return (read ? TLB_READ : 0) | (write ? TLB_WRITE : 0) | (exec ? TLB_EXEC : 0);
}

static bool finish(const Regime *g, uint64_t vaddr, MmuAccess access, uint64_t desc,
                   uint64_t table_attrs, unsigned level, unsigned shift, ArmTranslation *out)
{
    static const uint32_t needed[] = {
        [MMU_READ] = TLB_READ, [MMU_WRITE] = TLB_WRITE, [MMU_FETCH] = TLB_EXEC,
    };
    uint32_t rights = permissions(g, desc, table_attrs);
    uint8_t memattr = g->control[REGIME_MAIR] >> (extract64(desc, 2, 3) * 8);
    bool device = !(memattr & 0xf0);
    uint64_t block = extract64(desc, shift, 48 - shift) << shift;

    if (!(desc & DESC_AF)) {
        return fault(out, FSC_ACCESS_FLAG, level);
    }
    if (!(rights & needed[access])) {
        return fault(out, FSC_PERMISSION, level);
    }
    out->r.phys = (block | extract64(vaddr, 0, shift)) & ~(uint64_t)(PAGE_SIZE - 1);
    out->r.attrs = TLB_VALID | rights | (device ? TLB_DEVICE : 0);
    out->memattr = memattr;
    /* Device and non-cacheable memory is outer shareable whatever SH says. */
    out->shareability = device || memattr == 0x44 ? 2 : extract64(desc, 8, 2);
    return true;
}

static bool walk(ArmCpu *cpu, const Regime *g, uint64_t vaddr, MmuAccess access,
                 ArmTranslation *out)
{
    uint64_t table_attrs = 0, desc, table;
    unsigned stride, shift, index_bits;
    WalkStart w;

    out->r.num_steps = 0;
    if (!(g->control[REGIME_SCTLR] & SCTLR_M)) {
        return translate_flat(g, vaddr, out);
    }
    if (!walk_start(g, vaddr, &w)) {
        return fault(out, FSC_TRANSLATION, 0);
    }
    if (w.table >> w.output_bits) {
        return fault(out, FSC_ADDRESS_SIZE, 0);
    }
    stride = w.granule - 3;
    shift = w.granule + (LAST_LEVEL - w.level) * stride;
    index_bits = w.input_bits - shift;
    table = w.table;
    for (unsigned level = w.level;; level++) {
        MmuStep step = { table + extract64(vaddr, shift, index_bits) * 8, shift };

        if (!read_descriptor(cpu, g, step.phys, &desc)) {
            return fault(out, FSC_EXTERNAL_WALK, level);
        }
        out->r.step[out->r.num_steps++] = step;
        if (!(desc & DESC_VALID)) {
            return fault(out, FSC_TRANSLATION, level);
        }
        if (is_leaf(desc, level)) {
            if (!leaf_allowed(desc, level, w.granule)) {
                return fault(out, FSC_TRANSLATION, level);
            }
            if (extract64(desc, 0, 48) >> w.output_bits) {
                return fault(out, FSC_ADDRESS_SIZE, level);
            }
            return finish(g, vaddr, access, desc, table_attrs, level, shift, out);
        }
        table = extract64(desc, w.granule, 48 - w.granule) << w.granule;
        if (table >> w.output_bits) {
            return fault(out, FSC_ADDRESS_SIZE, level);
        }
        table_attrs |= desc;
        shift -= stride;
        index_bits = stride;
    }
}

bool arm_translate_address(ArmCpu *cpu, uint64_t vaddr, MmuAccess access, bool user,
                           ArmTranslation *out)
{
    Regime g;

    regime_el1(cpu, user, &g);
    return walk(cpu, &g, vaddr, access, out);
}

bool arm_mmu_translate(Vcpu *vcpu, const Regime *regime, uint64_t vaddr, MmuAccess access,
                       MmuResult *out)
{
    ArmTranslation t;
    bool ok = walk(arm_cpu(vcpu), regime, vaddr, access, &t);

    *out = t.r;
    return ok;
}
