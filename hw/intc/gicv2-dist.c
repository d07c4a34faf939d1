/*
 * GICv2 distributor registers (IHI 0048B 4.3).
 *
 * Words are what all registers take; bytes only IPRIORITYR, ITARGETSR and the SGI
 * pending registers (4.1.4). Reads have no side effects, so that an observer's
 * peek is a read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "gicv2-internal.h"
#include "util/log.h"

#define GICD_CTLR 0x000
#define GICD_TYPER 0x004
#define GICD_IIDR 0x008
#define GICD_IGROUPR 0x080
#define GICD_ISENABLER 0x100
#define GICD_ICENABLER 0x180
#define GICD_ISPENDR 0x200
#define GICD_ICPENDR 0x280
#define GICD_ISACTIVER 0x300
#define GICD_ICACTIVER 0x380
#define GICD_BITMAPS_END 0x400
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR 0x800
#define GICD_ICFGR 0xc00
#define GICD_ICFGR_END 0xd00
#define GICD_SGIR 0xf00
#define GICD_CPENDSGIR 0xf10
#define GICD_SPENDSGIR 0xf20
#define GICD_SPENDSGIR_END 0xf30
#define GICD_ID_REGS 0xfd0

/* GIC-400 r0p1 by Arm. */
#define IIDR_GIC400 0x0200143b

/* PIDR4-7, PIDR0-3, CIDR0-3 of GIC-400. */
static const uint8_t id_regs[] = {
    0x04, 0x00, 0x00, 0x00, 0x90, 0xb4, 0x2b, 0x00, 0x0d, 0xf0, 0x05, 0xb1,
};

/* ---- bit maps: a bit an id ---- */

static uint32_t read_bitmap(GicV2 *gic, unsigned cpu, hwaddr offset)
{
    const GicV2State *s = &gic->state;
    unsigned slot = gic_slot(cpu, (offset & 0x7f) / 4);

    switch (offset & ~(hwaddr)0x7f) {
    case GICD_IGROUPR:
        return s->group[slot];
    case GICD_ISENABLER:
    case GICD_ICENABLER:
        return s->enabled[slot];
    case GICD_ISPENDR:
    case GICD_ICPENDR:
        return gic_pending_word(s, slot);
    case GICD_ISACTIVER:
    case GICD_ICACTIVER:
        return s->active[slot];
    default:
        g_assert_not_reached();
    }
}

static void write_bitmap(GicV2 *gic, unsigned cpu, hwaddr offset, uint32_t value)
{
    GicV2State *s = &gic->state;
    unsigned word = (offset & 0x7f) / 4, slot = gic_slot(cpu, word);
    /* SGIs are always enabled, and made pending by their own registers. */
    uint32_t no_sgi = word ? value : value & 0xffff0000;

    switch (offset & ~(hwaddr)0x7f) {
    case GICD_IGROUPR: s->group[slot] = value; break;
    case GICD_ISENABLER: s->enabled[slot] |= no_sgi; break;
    case GICD_ICENABLER: s->enabled[slot] &= ~no_sgi; break;
    case GICD_ISPENDR: s->latch[slot] |= no_sgi; break;
    case GICD_ICPENDR: s->latch[slot] &= ~no_sgi; break;
    case GICD_ISACTIVER: s->active[slot] |= value; break;
    case GICD_ICACTIVER: s->active[slot] &= ~value; break;
    default: g_assert_not_reached();
    }
}

/* ---- configuration: two bits an id, of which the upper one counts ---- */

static uint32_t read_config(GicV2 *gic, unsigned cpu, unsigned id)
{
    uint32_t edge = gic->state.edge[gic_id_slot(cpu, id)] >> (id % 32);
    uint32_t value = 0;

    for (unsigned i = 0; i < 16; i++) {
        value |= (edge >> i & 1) << (2 * i + 1);
    }
    return value;
}

static void write_config(GicV2 *gic, unsigned cpu, unsigned id, uint32_t value)
{
    uint32_t *edge = &gic->state.edge[gic_id_slot(cpu, id)];

    if (id < GIC_NUM_SGI) {
        return;
    }
    for (unsigned i = 0; i < 16; i++) {
        *edge = (uint32_t)deposit64(*edge, id % 32 + i, 1, value >> (2 * i + 1) & 1);
    }
}

/* ---- byte registers ---- */

static uint8_t read_target(GicV2 *gic, unsigned cpu, unsigned id)
{
    if (gic->num_cpus == 1) {
        return 0;
    }
    return id < GIC_NUM_BANKED ? (uint8_t)BIT(cpu) : gicv2_spi_targets(gic, id);
}

static void write_target(GicV2 *gic, unsigned id, uint8_t value)
{
    if (gic->num_cpus > 1 && id >= GIC_NUM_BANKED) {
        gic->state.targets[id - GIC_NUM_BANKED] = value & (uint8_t)mask64(gic->num_cpus);
    }
}

static uint8_t read_byte(GicV2 *gic, unsigned cpu, hwaddr offset)
{
    if (offset >= GICD_CPENDSGIR) {
        return *gic_sgi_sources(&gic->state, cpu, offset & 0xf);
    }
    if ((offset & 0x3ff) >= gic->num_irq) {
        return 0;
    }
    return offset < GICD_ITARGETSR ? *gic_priority(&gic->state, cpu, offset & 0x3ff)
                                   : read_target(gic, cpu, offset & 0x3ff);
}

static void write_byte(GicV2 *gic, unsigned cpu, hwaddr offset, uint8_t value)
{
    uint8_t cpus = value & (uint8_t)mask64(gic->num_cpus);

    if (offset >= GICD_SPENDSGIR) {
        gicv2_sgi_set(&gic->state, cpu, offset & 0xf, cpus);
    } else if (offset >= GICD_CPENDSGIR) {
        gicv2_sgi_clear(&gic->state, cpu, offset & 0xf, cpus);
    } else if ((offset & 0x3ff) >= gic->num_irq) {
        return;
    } else if (offset < GICD_ITARGETSR) {
        *gic_priority(&gic->state, cpu, offset & 0x3ff) = value & GIC_PRIORITY_MASK;
    } else {
        write_target(gic, offset & 0x3ff, value);
    }
}

static bool is_byte_register(hwaddr offset)
{
    return (offset >= GICD_IPRIORITYR && offset < GICD_ICFGR) ||
           (offset >= GICD_CPENDSGIR && offset < GICD_SPENDSGIR_END);
}

/* ---- single registers ---- */

/* 4.3.15: who gets the SGI. */
static void write_sgir(GicV2 *gic, unsigned cpu, uint32_t value)
{
    uint32_t targets = extract32(value, 16, 8);

    switch (extract32(value, 24, 2)) {
    case 0:
        break;
    case 1:
        targets = ~BIT(cpu);
        break;
    case 2:
        targets = BIT(cpu);
        break;
    default:
        log_mask(LOG_GUEST_ERROR, "gicv2: GICD_SGIR with a reserved target filter\n");
        return;
    }
    for (unsigned to = 0; to < gic->num_cpus; to++) {
        if (targets & BIT(to)) {
            gicv2_sgi_set(&gic->state, to, value & 0xf, (uint8_t)BIT(cpu));
        }
    }
}

static bool is_bitmap(const GicV2 *gic, hwaddr offset)
{
    return offset >= GICD_IGROUPR && offset < GICD_BITMAPS_END &&
           (offset & 0x7f) * 8 < gic->num_irq;
}

static bool is_config(const GicV2 *gic, hwaddr offset)
{
    return offset >= GICD_ICFGR && offset < GICD_ICFGR_END &&
           (offset & 0xff) * 4 < gic->num_irq;
}

/* Reserved, or beyond the ids there are: reads as zero, writes are ignored. */
static bool is_quiet(hwaddr offset)
{
    return offset < GICD_ICFGR_END || offset >= GICD_ID_REGS;
}

static uint32_t read_word(GicV2 *gic, unsigned cpu, hwaddr offset)
{
    if (is_bitmap(gic, offset)) {
        return read_bitmap(gic, cpu, offset);
    }
    if (is_config(gic, offset)) {
        return read_config(gic, cpu, (unsigned)(offset & 0xff) * 4);
    }
    if (offset >= GICD_ID_REGS) {
        return id_regs[(offset - GICD_ID_REGS) / 4];
    }
    switch (offset) {
    case GICD_CTLR:
        return gic->state.dist_ctlr;
    case GICD_TYPER:
        return (gic->num_irq / 32 - 1) | (gic->num_cpus - 1) << 5;
    case GICD_IIDR:
        return IIDR_GIC400;
    default:
        if (!is_quiet(offset)) {
            log_mask(LOG_GUEST_ERROR, "gicv2: read of distributor offset 0x%" PRIx64 "\n",
                     offset);
        }
        return 0;
    }
}

static void write_word(GicV2 *gic, unsigned cpu, hwaddr offset, uint32_t value)
{
    if (is_bitmap(gic, offset)) {
        write_bitmap(gic, cpu, offset, value);
    } else if (is_config(gic, offset)) {
        write_config(gic, cpu, (unsigned)(offset & 0xff) * 4, value);
    } else if (offset == GICD_CTLR) {
        gic->state.dist_ctlr = value & (CTLR_ENABLE_GRP0 | CTLR_ENABLE_GRP1);
    } else if (offset == GICD_SGIR) {
        write_sgir(gic, cpu, value);
    } else if (!is_quiet(offset)) {
        log_mask(LOG_GUEST_ERROR, "gicv2: write to distributor offset 0x%" PRIx64 "\n", offset);
    }
}

/* ---- accesses ---- */

static bool is_valid_access(hwaddr offset, unsigned size)
{
    if (size == 4 && offset % 4 == 0) {
        return true;
    }
    if (size == 1 && is_byte_register(offset)) {
        return true;
    }
    log_mask(LOG_GUEST_ERROR, "gicv2: access of %u bytes to distributor offset 0x%" PRIx64 "\n",
             size, offset);
    return false;
}

static uint64_t gicv2_dist_read(void *opaque, hwaddr offset, unsigned size)
{
    GicV2 *gic = opaque;
    unsigned cpu = gicv2_accessing_cpu(gic);
    uint64_t value = 0;

    if (!is_valid_access(offset, size)) {
        return 0;
    }
    if (!is_byte_register(offset)) {
        return read_word(gic, cpu, offset);
    }
    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)read_byte(gic, cpu, offset + i) << (8 * i);
    }
    return value;
}

static void gicv2_dist_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    GicV2 *gic = opaque;
    unsigned cpu = gicv2_accessing_cpu(gic);

    if (!is_valid_access(offset, size)) {
        return;
    }
    if (is_byte_register(offset)) {
        for (unsigned i = 0; i < size; i++) {
            write_byte(gic, cpu, offset + i, (uint8_t)(value >> (8 * i)));
        }
    } else {
        write_word(gic, cpu, offset, (uint32_t)value);
    }
    gicv2_update(gic);
}

const MmioOps gicv2_dist_ops = {
    .read = gicv2_dist_read, .write = gicv2_dist_write, .peek = gicv2_dist_read,
    .min_size = 1, .max_size = 4,
};
