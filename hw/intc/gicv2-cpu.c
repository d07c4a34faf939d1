/*
 * GICv2 CPU interface registers (IHI 0048B 4.4).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "gicv2-internal.h"
#include "util/log.h"
#include "util/trace.h"

#define GICC_CTLR 0x00
#define GICC_PMR 0x04
#define GICC_BPR 0x08
#define GICC_IAR 0x0c
#define GICC_EOIR 0x10
#define GICC_RPR 0x14
#define GICC_HPPIR 0x18
#define GICC_ABPR 0x1c
#define GICC_AIAR 0x20
#define GICC_AEOIR 0x24
#define GICC_AHPPIR 0x28
#define GICC_APR0 0xd0
#define GICC_APR_END 0xe0
#define GICC_NSAPR0 0xe0
#define GICC_NSAPR_END 0xf0
#define GICC_IIDR 0xfc
#define GICC_DIR 0x1000

/* Without the Security Extensions (table 4-32), bypass bits are stored only. */
#define CTLR_WRITABLE 0x3ff
/* GIC-400 r0p1 by Arm. */
#define IIDR_GIC400 0x0202143b

#define IAR_ID_MASK 0x3ff
#define IAR_CPU_SHIFT 10

/* ---- acknowledge ---- */

/*
 * What a read of IAR (alias: AIAR) answers: an id to acknowledge, or one of the
 * special ids (3.2.5, 4.4.4, 4.4.10).
 */
static GicPending acknowledgeable(GicV2 *gic, unsigned cpu, bool alias)
{
    GicPending pending = gicv2_highest_pending(gic, cpu);
    uint32_t ctlr = gic->state.ctlr[cpu];
    uint32_t enable = pending.group1 ? CTLR_ENABLE_GRP1 : CTLR_ENABLE_GRP0;

    if (!gicv2_preempts(gic, cpu, &pending) || !(ctlr & enable)) {
        pending.id = GIC_SPURIOUS;
    } else if (alias) {
        pending.id = pending.group1 ? pending.id : GIC_SPURIOUS;
    } else if (pending.group1 && !(ctlr & GICC_CTLR_ACK_CTL)) {
        pending.id = GIC_SPURIOUS_GROUP1;
    }
    return pending;
}

/* The value of IAR for an id: SGIs come with the lowest CPU that sent one. */
static uint32_t iar_value(GicV2 *gic, unsigned cpu, unsigned id)
{
    if (id < GIC_NUM_SGI) {
        unsigned sources = *gic_sgi_sources(&gic->state, cpu, id);

        return id | (uint32_t)__builtin_ctz(sources) << IAR_CPU_SHIFT;
    }
    return id;
}

static uint32_t peek_iar(GicV2 *gic, unsigned cpu, bool alias)
{
    return iar_value(gic, cpu, acknowledgeable(gic, cpu, alias).id);
}

static uint32_t read_iar(GicV2 *gic, unsigned cpu, bool alias)
{
    GicV2State *s = &gic->state;
    GicPending pending = acknowledgeable(gic, cpu, alias);
    uint32_t value = iar_value(gic, cpu, pending.id);
    unsigned slot, level;

    if (pending.id >= GIC_SPURIOUS_GROUP1) {
        return value;
    }
    trace_gicv2_acknowledge(cpu, value);
    slot = gic_id_slot(cpu, pending.id);
    s->active[slot] |= BIT(pending.id % 32);
    if (pending.id < GIC_NUM_SGI) {
        gicv2_sgi_clear(s, cpu, pending.id, (uint8_t)BIT(value >> IAR_CPU_SHIFT));
    } else {
        s->latch[slot] &= ~BIT(pending.id % 32);
    }
    level = gicv2_preemption_level(s, cpu, pending.priority, pending.group1);
    if (pending.group1) {
        s->nsapr[cpu] |= BIT(level);
    } else {
        s->apr[cpu] |= BIT(level);
    }
    gicv2_update(gic);
    return value;
}

/* ---- end of interrupt ---- */

/* The highest active priority is the lowest bit. */
static void drop_priority(GicV2State *s, unsigned cpu, bool group1)
{
    uint32_t *apr = group1 ? &s->nsapr[cpu] : &s->apr[cpu];

    *apr &= *apr - 1;
}

static void write_eoir(GicV2 *gic, unsigned cpu, uint32_t value, bool alias)
{
    GicV2State *s = &gic->state;
    unsigned id = value & IAR_ID_MASK;
    unsigned slot = gic_id_slot(cpu, id);
    uint32_t bit = BIT(id % 32);
    bool deactivate = !(s->ctlr[cpu] & GICC_CTLR_EOI_MODE);
    bool group1;

    if (id >= gic->num_irq) {
        return;   /* 4.4.5: a spurious id has no effect */
    }
    trace_gicv2_end(cpu, value);
    group1 = s->group[slot] & bit;
    if ((deactivate && !(s->active[slot] & bit)) || (alias && !group1)) {
        log_mask(LOG_GUEST_ERROR, "gicv2: end of interrupt %u, which is not active\n", id);
        return;
    }
    drop_priority(s, cpu, group1);
    if (deactivate) {
        s->active[slot] &= ~bit;
    }
    gicv2_update(gic);
}

static void write_dir(GicV2 *gic, unsigned cpu, uint32_t value)
{
    unsigned id = value & IAR_ID_MASK;

    if (!(gic->state.ctlr[cpu] & GICC_CTLR_EOI_MODE)) {
        log_mask(LOG_GUEST_ERROR, "gicv2: write to GICC_DIR while EOImode is 0\n");
        return;
    }
    if (id < gic->num_irq) {
        gic->state.active[gic_id_slot(cpu, id)] &= ~BIT(id % 32);
        gicv2_update(gic);
    }
}

/* ---- registers ---- */

/* HPPIR, AHPPIR (4.4.7, 4.4.12): what is forwarded, whatever runs. */
static uint32_t read_hppir(GicV2 *gic, unsigned cpu, bool alias)
{
    GicPending pending = gicv2_highest_pending(gic, cpu);

    if (pending.id == GIC_SPURIOUS || (alias && !pending.group1)) {
        return GIC_SPURIOUS;
    }
    if (!alias && pending.group1 && !(gic->state.ctlr[cpu] & GICC_CTLR_ACK_CTL)) {
        return GIC_SPURIOUS_GROUP1;
    }
    return iar_value(gic, cpu, pending.id);
}

static uint64_t gicv2_cpu_peek(void *opaque, hwaddr offset, unsigned size)
{
    GicV2 *gic = opaque;
    GicV2State *s = &gic->state;
    unsigned cpu = gicv2_accessing_cpu(gic);

    switch (offset) {
    case GICC_CTLR: return s->ctlr[cpu];
    case GICC_PMR: return s->pmr[cpu];
    case GICC_BPR: return s->bpr[cpu];
    case GICC_IAR: return peek_iar(gic, cpu, false);
    case GICC_RPR: return gicv2_running_priority(s, cpu);
    case GICC_HPPIR: return read_hppir(gic, cpu, false);
    case GICC_ABPR: return s->abpr[cpu];
    case GICC_AIAR: return peek_iar(gic, cpu, true);
    case GICC_AHPPIR: return read_hppir(gic, cpu, true);
    case GICC_APR0: return s->apr[cpu];
    case GICC_NSAPR0: return s->nsapr[cpu];
    case GICC_IIDR: return IIDR_GIC400;
    default: return 0;
    }
}

/* Registers there are, but which read as zero with 32 priority levels. */
static bool is_quiet(hwaddr offset)
{
    return offset % 4 == 0 && offset >= GICC_APR0 && offset < GICC_NSAPR_END;
}

static uint64_t gicv2_cpu_read(void *opaque, hwaddr offset, unsigned size)
{
    GicV2 *gic = opaque;
    unsigned cpu = gicv2_accessing_cpu(gic);

    if (offset == GICC_IAR || offset == GICC_AIAR) {
        return read_iar(gic, cpu, offset == GICC_AIAR);
    }
    if ((offset > GICC_AHPPIR && offset != GICC_IIDR && !is_quiet(offset)) || offset % 4 ||
        offset == GICC_EOIR || offset == GICC_AEOIR) {
        log_mask(LOG_GUEST_ERROR, "gicv2: read of CPU interface offset 0x%" PRIx64 "\n", offset);
        return 0;
    }
    return gicv2_cpu_peek(gic, offset, size);
}

static void gicv2_cpu_write(void *opaque, hwaddr offset, uint64_t value64, unsigned size)
{
    GicV2 *gic = opaque;
    GicV2State *s = &gic->state;
    unsigned cpu = gicv2_accessing_cpu(gic);
    uint32_t value = (uint32_t)value64;

    switch (offset) {
    case GICC_CTLR: s->ctlr[cpu] = value & CTLR_WRITABLE; break;
    case GICC_PMR: s->pmr[cpu] = value & GIC_PRIORITY_MASK; break;
    case GICC_BPR: s->bpr[cpu] = MAX(value & 7, GIC_MIN_BPR); break;
    case GICC_ABPR: s->abpr[cpu] = MAX(value & 7, GIC_MIN_ABPR); break;
    case GICC_APR0: s->apr[cpu] = value; break;
    case GICC_NSAPR0: s->nsapr[cpu] = value; break;
    case GICC_EOIR: write_eoir(gic, cpu, value, false); return;
    case GICC_AEOIR: write_eoir(gic, cpu, value, true); return;
    case GICC_DIR: write_dir(gic, cpu, value); return;
    default:
        if (!is_quiet(offset)) {
            log_mask(LOG_GUEST_ERROR, "gicv2: write to CPU interface offset 0x%" PRIx64 "\n",
                     offset);
        }
        return;
    }
    gicv2_update_cpu(gic, cpu);
}

const MmioOps gicv2_cpu_ops = {
    .read = gicv2_cpu_read, .write = gicv2_cpu_write, .peek = gicv2_cpu_peek,
    .min_size = 4, .max_size = 4,
};
