/*
 * What the GICv2's distributor and CPU interfaces share.
 *
 * Bit maps have one 32-bit word for 32 ids. Word 0 (SGIs and PPIs) exists once a
 * CPU, so maps are indexed by slot: slots 0-7 are word 0 of each CPU, slot
 * 7 + w is word w for all of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_INTC_GICV2_INTERNAL_H
#define HW_INTC_GICV2_INTERNAL_H

#include "hw/intc/gicv2.h"
#include "util/bitops.h"

#define GIC_NUM_SGI 16
#define GIC_NUM_BANKED GICV2_FIRST_SPI
#define GIC_NUM_WORDS (GICV2_MAX_IRQ / 32)
#define GIC_NUM_SLOTS (GICV2_MAX_CPUS + GIC_NUM_WORDS - 1)

/* IHI 0048B 3.2.5. */
#define GIC_SPURIOUS_GROUP1 1022
#define GIC_SPURIOUS 1023

/* As GIC-400: five priority bits, and so binary points from 2 (3 for group 1). */
#define GIC_PRIORITY_SHIFT 3
#define GIC_PRIORITY_MASK 0xf8
#define GIC_PRIORITY_IDLE 0xff
#define GIC_MIN_BPR 2
#define GIC_MIN_ABPR 3

/* GICD_CTLR and GICC_CTLR. */
#define CTLR_ENABLE_GRP0 BIT(0)
#define CTLR_ENABLE_GRP1 BIT(1)
#define GICC_CTLR_ACK_CTL BIT(2)
#define GICC_CTLR_FIQ_EN BIT(3)
#define GICC_CTLR_CBPR BIT(4)
#define GICC_CTLR_EOI_MODE BIT(9)

typedef struct GicV2State {
    uint32_t dist_ctlr;
    uint32_t group[GIC_NUM_SLOTS];
    uint32_t enabled[GIC_NUM_SLOTS];
    uint32_t latch[GIC_NUM_SLOTS];     /* pending without regard to the line (4.3.7) */
    uint32_t active[GIC_NUM_SLOTS];
    uint32_t level[GIC_NUM_SLOTS];     /* the input lines */
    uint32_t edge[GIC_NUM_SLOTS];      /* edge-triggered, else level-sensitive */
    uint32_t ctlr[GICV2_MAX_CPUS];
    uint32_t pmr[GICV2_MAX_CPUS];
    uint32_t bpr[GICV2_MAX_CPUS];
    uint32_t abpr[GICV2_MAX_CPUS];
    uint32_t apr[GICV2_MAX_CPUS];      /* active priorities of group 0, a bit a level */
    uint32_t nsapr[GICV2_MAX_CPUS];    /* of group 1 */
    uint8_t priority[GIC_NUM_SLOTS * 32];
    uint8_t targets[(GIC_NUM_WORDS - 1) * 32];            /* by SPI */
    uint8_t sgi_sources[GICV2_MAX_CPUS * GIC_NUM_SGI];    /* who sent it; sets the latch */
} GicV2State;

typedef struct GicV2Config {
    uint32_t num_cpus;            /* 0: as many as the machine */
    uint32_t num_irq;
} GicV2Config;

struct GicV2 {
    Device dev;
    GicV2State state;
    GicV2Config config;
    unsigned num_cpus;
    unsigned num_irq;
    bool wired[GICV2_MAX_IRQ];    /* SPIs that a device was given */
    IrqLine irq[GICV2_MAX_CPUS];
    IrqLine fiq[GICV2_MAX_CPUS];
};

extern const MmioOps gicv2_dist_ops;
extern const MmioOps gicv2_cpu_ops;

/* The slot and bit of an id as a CPU sees it. */
static inline unsigned gic_slot(unsigned cpu, unsigned word)
{
    return word ? GICV2_MAX_CPUS - 1 + word : cpu;
}

static inline unsigned gic_id_slot(unsigned cpu, unsigned id)
{
    return gic_slot(cpu, id / 32);
}

static inline uint32_t gic_pending_word(const GicV2State *s, unsigned slot)
{
    return s->latch[slot] | (s->level[slot] & ~s->edge[slot]);
}

static inline uint8_t *gic_priority(GicV2State *s, unsigned cpu, unsigned id)
{
    return &s->priority[gic_id_slot(cpu, id) * 32 + id % 32];
}

static inline uint8_t *gic_sgi_sources(GicV2State *s, unsigned cpu, unsigned sgi)
{
    return &s->sgi_sources[cpu * GIC_NUM_SGI + sgi];
}

/* The CPU that makes the access. */
unsigned gicv2_accessing_cpu(const GicV2 *gic);
/* The CPUs that an SPI goes to, a bit each. */
uint8_t gicv2_spi_targets(const GicV2 *gic, unsigned id);

typedef struct GicPending {
    unsigned id;        /* GIC_SPURIOUS: none */
    uint8_t priority;
    bool group1;
} GicPending;

/* What the distributor forwards to the CPU: the highest priority, then the lowest id. */
GicPending gicv2_highest_pending(GicV2 *gic, unsigned cpu);
/* Whether its priority gets it past GICC_PMR and the running priority. */
bool gicv2_preempts(GicV2 *gic, unsigned cpu, const GicPending *pending);
uint8_t gicv2_running_priority(const GicV2State *s, unsigned cpu);
/* The level (bit of APR) at which an interrupt of this priority and group runs. */
unsigned gicv2_preemption_level(const GicV2State *s, unsigned cpu, uint8_t priority,
                                bool group1);

/* Pending and not: an SGI for `cpu` from the CPUs in `sources`. */
void gicv2_sgi_set(GicV2State *s, unsigned cpu, unsigned sgi, uint8_t sources);
void gicv2_sgi_clear(GicV2State *s, unsigned cpu, unsigned sgi, uint8_t sources);

/* Drive the outputs from the state; any number of times. */
void gicv2_update_cpu(GicV2 *gic, unsigned cpu);
void gicv2_update(GicV2 *gic);

#endif
