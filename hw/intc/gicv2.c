/*
 * Arm Generic Interrupt Controller v2 (IHI 0048B), as a GIC-400 r0p1.
 *
 * Wiring: a distributor page, two CPU interface pages (banked by CPU), inputs
 * for SPIs and for each CPU's PPIs, outputs IRQ and FIQ for each CPU. Split
 * in three: this file has the state, the choice of the interrupt to signal and
 * the shell; gicv2-dist.c and gicv2-cpu.c have the registers.
 *
 * Without the Security Extensions, as the boards that use it have it: grouping is
 * there (GICD_CTLR and GICC_CTLR enable both groups, GICC_CTLR.FIQEn makes
 * group 0 FIQs), banking by security state is not.
 *
 * Not modelled: the virtualisation extensions, interrupt bypass, and wake-up signals.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "gicv2-internal.h"
#include "util/trace.h"

#define GICV2_FIELDS(F, S)      \
    F(S, U32, dist_ctlr)        \
    F(S, ARRAY_U32, group)      \
    F(S, ARRAY_U32, enabled)    \
    F(S, ARRAY_U32, latch)      \
    F(S, ARRAY_U32, active)     \
    F(S, ARRAY_U32, level)      \
    F(S, ARRAY_U32, edge)       \
    F(S, ARRAY_U32, ctlr)       \
    F(S, ARRAY_U32, pmr)        \
    F(S, ARRAY_U32, bpr)        \
    F(S, ARRAY_U32, abpr)       \
    F(S, ARRAY_U32, apr)        \
    F(S, ARRAY_U32, nsapr)      \
    F(S, ARRAY_U8, priority)    \
    F(S, ARRAY_U8, targets)     \
    F(S, ARRAY_U8, sgi_sources)

FIELD_TABLE(gicv2_fields, "gicv2", 1, GicV2State, GICV2_FIELDS);

/* ---- the choice ---- */

unsigned gicv2_accessing_cpu(const GicV2 *gic)
{
    unsigned cpu = gic->dev.machine->current_cpu;

    assert(cpu < gic->num_cpus);
    return cpu;
}

uint8_t gicv2_spi_targets(const GicV2 *gic, unsigned id)
{
    /* With one CPU there is nothing to choose (4.3.12). */
    return gic->num_cpus == 1 ? 1 : gic->state.targets[id - GIC_NUM_BANKED];
}

/* Ids of a slot that are pending, enabled, not active, in a group that is forwarded. */
static uint32_t forwarded(const GicV2State *s, unsigned slot)
{
    uint32_t bits = gic_pending_word(s, slot) & s->enabled[slot] & ~s->active[slot];

    if (!(s->dist_ctlr & CTLR_ENABLE_GRP0)) {
        bits &= s->group[slot];
    }
    if (!(s->dist_ctlr & CTLR_ENABLE_GRP1)) {
        bits &= ~s->group[slot];
    }
    return bits;
}

GicPending gicv2_highest_pending(GicV2 *gic, unsigned cpu)
{
    GicV2State *s = &gic->state;
    GicPending best = { GIC_SPURIOUS, GIC_PRIORITY_IDLE, false };

    for (unsigned word = 0; word < gic->num_irq / 32; word++) {
        unsigned slot = gic_slot(cpu, word);

        for (uint32_t bits = forwarded(s, slot); bits; bits &= bits - 1) {
            unsigned bit = (unsigned)__builtin_ctz(bits);
            unsigned id = word * 32 + bit;
            uint8_t priority = s->priority[slot * 32 + bit];

            if (priority < best.priority &&
                (word == 0 || gicv2_spi_targets(gic, id) & BIT(cpu))) {
                best = (GicPending) { id, priority, s->group[slot] & BIT(bit) };
            }
        }
    }
    return best;
}

unsigned gicv2_preemption_level(const GicV2State *s, unsigned cpu, uint8_t priority,
                                bool group1)
{
    /* Table 3-2: the field of group 1 is one bit longer for the same value. */
    bool alias = group1 && !(s->ctlr[cpu] & GICC_CTLR_CBPR);
    unsigned point = alias ? s->abpr[cpu] - 1 : s->bpr[cpu];

    return (priority & ~(uint32_t)mask64(point + 1)) >> GIC_PRIORITY_SHIFT;
}

uint8_t gicv2_running_priority(const GicV2State *s, unsigned cpu)
{
    uint32_t levels = s->apr[cpu] | s->nsapr[cpu];

    return levels ? (uint8_t)(__builtin_ctz(levels) << GIC_PRIORITY_SHIFT) : GIC_PRIORITY_IDLE;
}

bool gicv2_preempts(GicV2 *gic, unsigned cpu, const GicPending *pending)
{
    const GicV2State *s = &gic->state;
    unsigned level;

    if (pending->id == GIC_SPURIOUS || pending->priority >= s->pmr[cpu]) {
        return false;
    }
    level = gicv2_preemption_level(s, cpu, pending->priority, pending->group1);
    return (level << GIC_PRIORITY_SHIFT) < gicv2_running_priority(s, cpu);
}

void gicv2_sgi_set(GicV2State *s, unsigned cpu, unsigned sgi, uint8_t sources)
{
    uint8_t *now = gic_sgi_sources(s, cpu, sgi);

    *now |= sources;
    if (*now) {
        s->latch[cpu] |= BIT(sgi);
    }
}

void gicv2_sgi_clear(GicV2State *s, unsigned cpu, unsigned sgi, uint8_t sources)
{
    uint8_t *now = gic_sgi_sources(s, cpu, sgi);

    *now &= (uint8_t)~sources;
    if (!*now) {
        s->latch[cpu] &= ~BIT(sgi);
    }
}

void gicv2_update_cpu(GicV2 *gic, unsigned cpu)
{
    GicPending pending = gicv2_highest_pending(gic, cpu);
    uint32_t ctlr = gic->state.ctlr[cpu];
    bool irq = false, fiq = false;

    if (gicv2_preempts(gic, cpu, &pending)) {
        if (pending.group1) {
            irq = ctlr & CTLR_ENABLE_GRP1;
        } else if (ctlr & CTLR_ENABLE_GRP0) {
            fiq = ctlr & GICC_CTLR_FIQ_EN;
            irq = !fiq;
        }
    }
    irq_set(&gic->irq[cpu], irq);
    irq_set(&gic->fiq[cpu], fiq);
}

void gicv2_update(GicV2 *gic)
{
    for (unsigned cpu = 0; cpu < gic->num_cpus; cpu++) {
        gicv2_update_cpu(gic, cpu);
    }
}

/* ---- inputs ---- */

/* Line numbers of PPIs carry the CPU above the id. */
#define PPI_CPU_SHIFT 16

static void gicv2_set_input(void *opaque, unsigned n, bool level)
{
    GicV2 *gic = opaque;
    GicV2State *s = &gic->state;
    unsigned cpu = n >> PPI_CPU_SHIFT, id = n & 0xffff;
    unsigned slot = gic_id_slot(cpu, id);
    uint32_t bit = BIT(id % 32);

    if (((s->level[slot] & bit) != 0) == level) {
        return;
    }
    trace_gicv2_input(id, level);
    s->level[slot] ^= bit;
    if (level && s->edge[slot] & bit) {
        s->latch[slot] |= bit;
    }
    if (!(s->enabled[slot] & bit)) {
        return;
    }
    if (id < GIC_NUM_BANKED) {
        gicv2_update_cpu(gic, cpu);
    } else {
        gicv2_update(gic);
    }
}

static IrqLine gicv2_input(Device *dev, unsigned spi)
{
    GicV2 *gic = gicv2(dev);

    assert(GIC_NUM_BANKED + spi < gic->num_irq);
    assert(!gic->wired[spi]);   /* two devices on one interrupt are a mistake of the board */
    gic->wired[spi] = true;
    return (IrqLine) { gicv2_set_input, gic, GIC_NUM_BANKED + spi };
}

IrqLine gicv2_ppi(GicV2 *gic, unsigned cpu, unsigned ppi)
{
    assert(cpu < gic->num_cpus && ppi < GIC_NUM_BANKED - GIC_NUM_SGI);
    return (IrqLine) { gicv2_set_input, gic, cpu << PPI_CPU_SHIFT | (GIC_NUM_SGI + ppi) };
}

void gicv2_connect_cpu(GicV2 *gic, unsigned cpu, IrqLine irq, IrqLine fiq)
{
    assert(cpu < gic->num_cpus);
    gic->irq[cpu] = irq;
    gic->fiq[cpu] = fiq;
}

/* ---- life cycle ---- */

static void gicv2_reset(Device *dev)
{
    GicV2 *gic = gicv2(dev);
    GicV2State *s = &gic->state;
    uint32_t level[GIC_NUM_SLOTS];

    /* The lines belong to who drives them. */
    memcpy(level, s->level, sizeof(level));
    memset(s, 0, sizeof(*s));
    memcpy(s->level, level, sizeof(level));
    for (unsigned cpu = 0; cpu < GICV2_MAX_CPUS; cpu++) {
        /* SGIs are always enabled and edge-triggered (4.3.5, 4.3.13). */
        s->enabled[cpu] = 0xffff;
        s->edge[cpu] = 0xffff;
        s->bpr[cpu] = GIC_MIN_BPR;
        s->abpr[cpu] = GIC_MIN_ABPR;
    }
    gicv2_update(gic);
}

/* A snapshot is input: keep what the code relies on. */
static void gicv2_post_load(Device *dev)
{
    GicV2State *s = &gicv2(dev)->state;

    for (unsigned cpu = 0; cpu < GICV2_MAX_CPUS; cpu++) {
        s->bpr[cpu] = CLAMP(s->bpr[cpu], GIC_MIN_BPR, 7);
        s->abpr[cpu] = CLAMP(s->abpr[cpu], GIC_MIN_ABPR, 7);
        s->latch[cpu] &= 0xffff0000;
        for (unsigned sgi = 0; sgi < GIC_NUM_SGI; sgi++) {
            gicv2_sgi_set(s, cpu, sgi, 0);
        }
    }
}

/* The distributor at base, the CPU interfaces at base2. */
static bool gicv2_map(Device *dev, hwaddr base, hwaddr base2, Error **errp)
{
    MemoryMap *memory = dev->machine->memory;
    GicV2 *gic = gicv2(dev);

    dev->region[0] = memory_add_mmio(memory, "gic-distributor", base, GICV2_DIST_SIZE,
                                     &gicv2_dist_ops, gic);
    dev->region[1] = memory_add_mmio(memory, "gic-cpu-interface", base2, GICV2_CPU_SIZE,
                                     &gicv2_cpu_ops, gic);
    return true;
}

static bool gicv2_realize(Device *dev, Error **errp)
{
    unsigned there = dev->machine->num_cpus;
    GicV2 *gic = gicv2(dev);

    gic->num_cpus = gic->config.num_cpus ? gic->config.num_cpus : there;
    gic->num_irq = gic->config.num_irq;
    if (there && gic->num_cpus != there) {
        error_setg(errp, "num-cpu=%u: this machine has %u (-smp)", gic->num_cpus, there);
        return false;
    }
    if (gic->num_cpus < 1 || gic->num_cpus > GICV2_MAX_CPUS) {
        error_setg(errp, "a GICv2 serves 1 to %d CPUs, not %u", GICV2_MAX_CPUS, gic->num_cpus);
        return false;
    }
    if (gic->num_irq % 32) {
        error_setg(errp, "num-irq=%u is not a multiple of 32", gic->num_irq);
        return false;
    }
    return true;
}

static const Property gicv2_properties[] = {
    PROP_UINT("num-cpu", GicV2Config, num_cpus, "0", 0, GICV2_MAX_CPUS,
              "CPUs that it serves; 0: all of the machine"),
    PROP_UINT("num-irq", GicV2Config, num_irq, "32", GIC_NUM_BANKED, GICV2_MAX_IRQ,
              "interrupts, the private ones of a CPU included; a multiple of 32"),
    PROP_FIXED("revision", PROPERTY_UINT, "this is a GICv2", "architecture version", "2"),
    PROP_FIXED("num-priority-bits", PROPERTY_UINT, "a GIC-400 has five", "priority bits", "5"),
    PROP_FIXED("has-security-extensions", PROPERTY_BOOL, "the CPUs have no EL3",
               "Security Extensions", "off"),
    PROP_FIXED("has-virtualization-extensions", PROPERTY_BOOL, "the CPUs have no EL2",
               "Virtualization Extensions", "off"),
    PROP_END
};

const DeviceType gicv2_type = {
    .name = "arm_gic", .doc = "Arm Generic Interrupt Controller, version 2", .bus = SYSTEM_BUS,
    .instead = "-machine gic-version= chooses the interrupt controller",
    .size = sizeof(GicV2), .fields = &gicv2_fields, .state_offset = offsetof(GicV2, state),
    .properties = gicv2_properties, .config_offset = offsetof(GicV2, config),
    .map = gicv2_map, .input = gicv2_input, .realize = gicv2_realize, .reset = gicv2_reset,
    .post_load = gicv2_post_load,
};

GicV2 *gicv2(Device *dev)
{
    assert(dev->type == &gicv2_type);
    return container_of(dev, GicV2, dev);
}
