/*
 * GICv2: rows, then inputs, priorities, acknowledge and end of interrupt, SGIs,
 * groups, several CPUs, save and load.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "device-test.h"
#include "hw/intc/gicv2.h"

#define DIST 0x8000000
#define CPU 0x8010000
#define NUM_IRQ 288

#define GICD_CTLR (DIST + 0x000)
#define GICD_TYPER (DIST + 0x004)
#define GICD_IGROUPR (DIST + 0x080)
#define GICD_ISENABLER (DIST + 0x100)
#define GICD_ICENABLER (DIST + 0x180)
#define GICD_ISPENDR (DIST + 0x200)
#define GICD_ICPENDR (DIST + 0x280)
#define GICD_ISACTIVER (DIST + 0x300)
#define GICD_ICACTIVER (DIST + 0x380)
#define GICD_IPRIORITYR (DIST + 0x400)
#define GICD_ITARGETSR (DIST + 0x800)
#define GICD_ICFGR (DIST + 0xc00)
#define GICD_SGIR (DIST + 0xf00)
#define GICD_CPENDSGIR (DIST + 0xf10)
#define GICD_SPENDSGIR (DIST + 0xf20)

#define GICC_CTLR (CPU + 0x00)
#define GICC_PMR (CPU + 0x04)
#define GICC_BPR (CPU + 0x08)
#define GICC_IAR (CPU + 0x0c)
#define GICC_EOIR (CPU + 0x10)
#define GICC_RPR (CPU + 0x14)
#define GICC_HPPIR (CPU + 0x18)
#define GICC_ABPR (CPU + 0x1c)
#define GICC_AIAR (CPU + 0x20)
#define GICC_AEOIR (CPU + 0x24)
#define GICC_AHPPIR (CPU + 0x28)
#define GICC_APR0 (CPU + 0xd0)
#define GICC_NSAPR0 (CPU + 0xe0)
#define GICC_DIR (CPU + 0x1000)

typedef struct Fixture {
    Machine *m;
    GicV2 *gic;
    IrqSink irq[8], fiq[8];
    IrqLine spi[NUM_IRQ - 32];
} Fixture;

static void setup_cpus(Fixture *f, unsigned num_cpus)
{
    g_autofree char *properties = g_strdup_printf("num-cpu=%u,num-irq=%u", num_cpus, NUM_IRQ);
    Device *dev;

    f->m = machine_new(NULL);
    dev = add_device(f->m, &gicv2_type, "gic", properties, DIST, CPU);
    f->gic = gicv2(dev);
    for (unsigned i = 0; i < num_cpus; i++) {
        gicv2_connect_cpu(f->gic, i, irq_sink_line(&f->irq[i]), irq_sink_line(&f->fiq[i]));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(f->spi); i++) {
        f->spi[i] = device_input(dev, i);
    }
    machine_reset_devices(f->m);
}

static void setup_one(Fixture *f, const void *unused)
{
    setup_cpus(f, 1);
}

static void setup_four(Fixture *f, const void *unused)
{
    setup_cpus(f, 4);
}

static void teardown(Fixture *f, const void *unused)
{
    machine_free(f->m);
}

static void drive(Fixture *f, unsigned id, bool level)
{
    IrqLine line = id < 32 ? gicv2_ppi(f->gic, 0, id - 16) : f->spi[id - 32];

    irq_set(&line, level);
}

static void pulse(Fixture *f, unsigned id)
{
    drive(f, id, true);
    drive(f, id, false);
}

static void enable(Fixture *f, unsigned id, uint8_t priority)
{
    io_write(f->m, GICD_IPRIORITYR + id, 1, priority);
    wr(f->m, GICD_ISENABLER + id / 32 * 4, 1u << id % 32);
}

static void make_edge(Fixture *f, unsigned id)
{
    hwaddr reg = GICD_ICFGR + id / 16 * 4;

    wr(f->m, reg, rd(f->m, reg) | 2u << 2 * (id % 16));
}

/* As a kernel starts: group 0 on, everything let through. */
static void start(Fixture *f)
{
    wr(f->m, GICD_CTLR, 1);
    wr(f->m, GICC_PMR, 0xf0);
    wr(f->m, GICC_CTLR, 1);
}

static void test_rows(Fixture *f, const void *unused)
{
    static const RowCheck dist[] = {
        { 0x000, 0, 3 }, { 0x004, 0x08, 0x08 }, { 0x008, 0x0200143b, 0x0200143b },
        { 0x080, 0, UINT32_MAX }, { 0x0a0, 0, UINT32_MAX }, { 0x0a4, 0, 0 },
        { 0x100, 0xffff, UINT32_MAX }, { 0x104, 0, UINT32_MAX }, { 0x124, 0, 0 },
        { 0x180, 0xffff, 0xffff }, { 0x200, 0, 0xffff0000 }, { 0x220, 0, UINT32_MAX },
        { 0x280, 0, 0 }, { 0x300, 0, UINT32_MAX }, { 0x380, 0, 0 },
        { 0x400, 0, 0xf8f8f8f8 }, { 0x51c, 0, 0xf8f8f8f8 }, { 0x520, 0, 0 },
        { 0x7fc, 0, 0 }, { 0x800, 0, 0 }, { 0x820, 0, 0 },
        { 0xc00, 0xaaaaaaaa, 0xaaaaaaaa }, { 0xc04, 0, 0xaaaaaaaa }, { 0xc44, 0, 0xaaaaaaaa },
        { 0xc48, 0, 0 }, { 0xe00, 0, 0 }, { 0xf00, 0, 0 }, { 0xf20, 0, 0x01010101 },
        { 0xfd0, 0x04, 0x04 }, { 0xfe0, 0x90, 0x90 }, { 0xfe4, 0xb4, 0xb4 },
        { 0xfe8, 0x2b, 0x2b }, { 0xff0, 0x0d, 0x0d }, { 0xffc, 0xb1, 0xb1 },
    };
    static const RowCheck cpu[] = {
        { 0x00, 0, 0x3ff }, { 0x04, 0, 0xf8 }, { 0x08, 2, 7 }, { 0x0c, 1023, 1023 },
        { 0x10, 0, 0 }, { 0x14, 0xff, 0xff }, { 0x18, 1023, 1023 }, { 0x1c, 3, 7 },
        { 0x20, 1023, 1023 }, { 0x24, 0, 0 }, { 0x28, 1023, 1023 }, { 0x2c, 0, 0 },
        { 0xd0, 0, UINT32_MAX }, { 0xd4, 0, 0 }, { 0xe0, 0, UINT32_MAX },
        { 0xfc, 0x0202143b, 0x0202143b }, { 0x1000, 0, 0 },
    };

    check_rows(f->m, DIST, dist, ARRAY_SIZE(dist));
    check_rows(f->m, CPU, cpu, ARRAY_SIZE(cpu));
    wr(f->m, GICC_BPR, 0);
    wr(f->m, GICC_ABPR, 0);
    g_assert_cmpuint(rd(f->m, GICC_BPR), ==, 2);
    g_assert_cmpuint(rd(f->m, GICC_ABPR), ==, 3);
}

static void test_rows_four(Fixture *f, const void *unused)
{
    static const RowCheck dist[] = {
        { 0x004, 0x68, 0x68 }, { 0x800, 0x01010101, 0x01010101 }, { 0x820, 0, 0x0f0f0f0f },
        { 0x91c, 0, 0x0f0f0f0f }, { 0x920, 0, 0 }, { 0xf20, 0, 0x0f0f0f0f },
    };

    check_rows(f->m, DIST, dist, ARRAY_SIZE(dist));
    f->m->current_cpu = 2;
    g_assert_cmphex(rd(f->m, GICD_ITARGETSR), ==, 0x04040404);
}

static void test_bytes(Fixture *f, const void *unused)
{
    io_write(f->m, GICD_IPRIORITYR + 33, 1, 0xa5);
    g_assert_cmphex(rd(f->m, GICD_IPRIORITYR + 32), ==, 0xa000);
    g_assert_cmphex(io_read(f->m, GICD_IPRIORITYR + 33, 1), ==, 0xa0);
    /* Not a byte register, not a size: ignored. */
    io_write(f->m, GICD_ISENABLER + 4, 1, 0xff);
    g_assert_cmphex(rd(f->m, GICD_ISENABLER + 4), ==, 0);
    io_write(f->m, GICD_IPRIORITYR + 34, 2, 0xffff);
    g_assert_cmphex(rd(f->m, GICD_IPRIORITYR + 32), ==, 0xa000);
    wr(f->m, GICD_IPRIORITYR + 34, 0xffffffff);
    g_assert_cmphex(rd(f->m, GICD_IPRIORITYR + 32), ==, 0xa000);
    g_assert_cmphex(io_read(f->m, GICD_TYPER, 1), ==, 0);
    /* Two registers at once. */
    io_write(f->m, GICD_ISENABLER + 4, 8, 0x0000000200000001);
    g_assert_cmphex(rd(f->m, GICD_ISENABLER + 4), ==, 1);
    g_assert_cmphex(rd(f->m, GICD_ISENABLER + 8), ==, 2);
}

static void test_level(Fixture *f, const void *unused)
{
    start(f);
    enable(f, 33, 0xa0);
    drive(f, 33, true);
    g_assert_true(f->irq[0].level);
    g_assert_cmphex(rd(f->m, GICD_ISPENDR + 4), ==, 2);
    /* Looking is not acknowledging. */
    g_assert_cmpuint(peek(f->m, GICC_IAR), ==, 33);
    g_assert_cmpuint(rd(f->m, GICC_HPPIR), ==, 33);
    g_assert_true(f->irq[0].level);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 33);
    g_assert_false(f->irq[0].level);
    g_assert_cmphex(rd(f->m, GICC_RPR), ==, 0xa0);
    g_assert_cmphex(rd(f->m, GICC_APR0), ==, 1u << 20);
    g_assert_cmphex(rd(f->m, GICD_ISACTIVER + 4), ==, 2);
    /* Active and still pending, as the line is high, but not for a second time. */
    g_assert_cmphex(rd(f->m, GICD_ISPENDR + 4), ==, 2);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 1023);
    wr(f->m, GICC_EOIR, 33);
    g_assert_true(f->irq[0].level);
    g_assert_cmpuint(f->irq[0].rises, ==, 2);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 33);
    drive(f, 33, false);
    wr(f->m, GICC_EOIR, 33);
    g_assert_false(f->irq[0].level);
    g_assert_cmphex(rd(f->m, GICC_RPR), ==, 0xff);
    g_assert_cmphex(rd(f->m, GICD_ISACTIVER + 4), ==, 0);
    /* A level that goes away is forgotten. */
    pulse(f, 33);
    g_assert_false(f->irq[0].level);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 1023);
}

/* Pending by register: stays whatever the line does, until acknowledged (4.3.7). */
static void test_level_latch(Fixture *f, const void *unused)
{
    start(f);
    enable(f, 40, 0);
    wr(f->m, GICD_ISPENDR + 4, 1 << 8);
    pulse(f, 40);
    g_assert_true(f->irq[0].level);
    wr(f->m, GICD_ICPENDR + 4, 1 << 8);
    g_assert_false(f->irq[0].level);
    drive(f, 40, true);
    wr(f->m, GICD_ICPENDR + 4, 1 << 8);
    g_assert_true(f->irq[0].level);
    wr(f->m, GICD_ISPENDR + 4, 1 << 8);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 40);
    drive(f, 40, false);
    g_assert_cmphex(rd(f->m, GICD_ISPENDR + 4), ==, 0);
}

static void test_edge(Fixture *f, const void *unused)
{
    start(f);
    make_edge(f, 287);
    g_assert_cmphex(rd(f->m, GICD_ICFGR + 17 * 4), ==, 0x80000000);
    enable(f, 287, 0x50);
    pulse(f, 287);
    g_assert_true(f->irq[0].level);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 287);
    g_assert_cmphex(rd(f->m, GICD_ISPENDR + 32), ==, 0);
    /* An edge while active is kept for afterwards. */
    pulse(f, 287);
    g_assert_cmphex(rd(f->m, GICD_ISPENDR + 32), ==, 0x80000000);
    g_assert_false(f->irq[0].level);
    wr(f->m, GICC_EOIR, 287);
    g_assert_true(f->irq[0].level);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 287);
    wr(f->m, GICC_EOIR, 287);
    g_assert_false(f->irq[0].level);
    /* An edge while disabled too. */
    wr(f->m, GICD_ICENABLER + 32, 0x80000000);
    pulse(f, 287);
    g_assert_false(f->irq[0].level);
    wr(f->m, GICD_ISENABLER + 32, 0x80000000);
    g_assert_true(f->irq[0].level);
    wr(f->m, GICD_ICPENDR + 32, 0x80000000);
    g_assert_false(f->irq[0].level);
    /* A line that stays high is one edge. */
    drive(f, 287, true);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 287);
    wr(f->m, GICC_EOIR, 287);
    g_assert_false(f->irq[0].level);
}

static void test_switches(Fixture *f, const void *unused)
{
    start(f);
    enable(f, 34, 0xa0);
    drive(f, 34, true);
    wr(f->m, GICD_CTLR, 0);
    g_assert_false(f->irq[0].level);
    g_assert_cmpuint(rd(f->m, GICC_HPPIR), ==, 1023);
    wr(f->m, GICD_CTLR, 1);
    g_assert_true(f->irq[0].level);
    wr(f->m, GICC_CTLR, 0);
    g_assert_false(f->irq[0].level);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 1023);
    wr(f->m, GICC_CTLR, 1);
    /* Strictly higher than the mask. */
    wr(f->m, GICC_PMR, 0xa0);
    g_assert_false(f->irq[0].level);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 1023);
    g_assert_cmpuint(rd(f->m, GICC_HPPIR), ==, 34);
    wr(f->m, GICC_PMR, 0xa8);
    g_assert_true(f->irq[0].level);
    io_write(f->m, GICD_IPRIORITYR + 34, 1, 0xb0);
    g_assert_false(f->irq[0].level);
    machine_reset_devices(f->m);
    g_assert_false(f->irq[0].level);
    /* The line is still high after a reset. */
    g_assert_cmphex(rd(f->m, GICD_ISPENDR + 4), ==, 4);
}

static void test_priorities(Fixture *f, const void *unused)
{
    start(f);
    enable(f, 50, 0x80);
    enable(f, 49, 0x80);
    enable(f, 200, 0x40);
    enable(f, 27, 0x88);
    drive(f, 27, true);
    drive(f, 50, true);
    drive(f, 49, true);
    /* The lowest id of the highest priority. */
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 49);
    g_assert_false(f->irq[0].level);
    /* Preempted by a higher one, not by an equal one. */
    drive(f, 200, true);
    g_assert_true(f->irq[0].level);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 200);
    g_assert_cmphex(rd(f->m, GICC_APR0), ==, 1u << 16 | 1u << 8);
    g_assert_cmphex(rd(f->m, GICC_RPR), ==, 0x40);
    drive(f, 200, false);
    wr(f->m, GICC_EOIR, 200);
    g_assert_cmphex(rd(f->m, GICC_RPR), ==, 0x80);
    g_assert_false(f->irq[0].level);
    drive(f, 49, false);
    wr(f->m, GICC_EOIR, 49);
    g_assert_true(f->irq[0].level);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 50);
    drive(f, 50, false);
    wr(f->m, GICC_EOIR, 50);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 27);
}

/* Priorities that differ only below the binary point do not preempt (3.3.3). */
static void test_binary_point(Fixture *f, const void *unused)
{
    start(f);
    enable(f, 40, 0x48);
    enable(f, 41, 0x40);
    wr(f->m, GICC_BPR, 3);
    drive(f, 40, true);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 40);
    g_assert_cmphex(rd(f->m, GICC_RPR), ==, 0x40);
    drive(f, 41, true);
    g_assert_false(f->irq[0].level);
    /* Of two that are pending, the full priority decides. */
    drive(f, 40, true);
    wr(f->m, GICC_EOIR, 40);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 41);
    wr(f->m, GICC_EOIR, 41);
    drive(f, 41, false);
    wr(f->m, GICC_BPR, 2);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 40);
    drive(f, 41, true);
    g_assert_true(f->irq[0].level);
    wr(f->m, GICC_EOIR, 40);
    wr(f->m, GICC_BPR, 7);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 41);
    g_assert_cmphex(rd(f->m, GICC_RPR), ==, 0);
}

static void test_bad_eoi(Fixture *f, const void *unused)
{
    start(f);
    enable(f, 40, 0x40);
    drive(f, 40, true);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 40);
    wr(f->m, GICC_EOIR, 1023);
    wr(f->m, GICC_EOIR, 1022);
    wr(f->m, GICC_EOIR, 300);
    wr(f->m, GICC_EOIR, 41);
    wr(f->m, GICC_DIR, 40);
    wr(f->m, GICC_AEOIR, 40);
    g_assert_cmphex(rd(f->m, GICC_RPR), ==, 0x40);
    g_assert_cmphex(rd(f->m, GICD_ISACTIVER + 4), ==, 1 << 8);
}

static void test_eoi_mode(Fixture *f, const void *unused)
{
    start(f);
    wr(f->m, GICC_CTLR, 1 | 1 << 9);
    enable(f, 40, 0x40);
    enable(f, 41, 0x40);
    drive(f, 40, true);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 40);
    wr(f->m, GICC_EOIR, 40);
    /* The priority dropped, but it is active: others come, it does not. */
    g_assert_cmphex(rd(f->m, GICC_RPR), ==, 0xff);
    g_assert_cmphex(rd(f->m, GICD_ISACTIVER + 4), ==, 1 << 8);
    g_assert_false(f->irq[0].level);
    drive(f, 41, true);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 41);
    drive(f, 41, false);
    wr(f->m, GICC_EOIR, 41);
    wr(f->m, GICC_DIR, 41);
    wr(f->m, GICC_DIR, 40);
    g_assert_cmphex(rd(f->m, GICD_ISACTIVER + 4), ==, 0);
    g_assert_true(f->irq[0].level);
    wr(f->m, GICC_DIR, 1023);
}

static void test_active_registers(Fixture *f, const void *unused)
{
    start(f);
    enable(f, 40, 0x40);
    drive(f, 40, true);
    wr(f->m, GICD_ISACTIVER + 4, 1 << 8);
    g_assert_false(f->irq[0].level);
    wr(f->m, GICD_ICACTIVER + 4, 1 << 8);
    g_assert_true(f->irq[0].level);
}

static void test_groups(Fixture *f, const void *unused)
{
    start(f);
    wr(f->m, GICD_IGROUPR + 4, 1 << 8);
    enable(f, 40, 0x40);
    enable(f, 41, 0x80);
    drive(f, 40, true);
    /* Group 1 is forwarded only when both sides enable it. */
    g_assert_false(f->irq[0].level);
    wr(f->m, GICD_CTLR, 3);
    g_assert_false(f->irq[0].level);
    g_assert_cmpuint(rd(f->m, GICC_HPPIR), ==, 1022);
    g_assert_cmpuint(rd(f->m, GICC_AHPPIR), ==, 40);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 1023);
    wr(f->m, GICC_CTLR, 3);
    g_assert_true(f->irq[0].level);
    /* IAR does not take it without AckCtl; AIAR does. */
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 1022);
    g_assert_cmpuint(rd(f->m, GICC_AIAR), ==, 40);
    g_assert_cmphex(rd(f->m, GICC_APR0), ==, 0);
    g_assert_cmphex(rd(f->m, GICC_NSAPR0), ==, 1 << 8);
    g_assert_cmphex(rd(f->m, GICC_RPR), ==, 0x40);
    drive(f, 40, false);
    wr(f->m, GICC_AEOIR, 40);
    g_assert_cmphex(rd(f->m, GICC_RPR), ==, 0xff);
    /* AckCtl lets IAR and EOIR do both. */
    wr(f->m, GICC_CTLR, 7);
    drive(f, 40, true);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 40);
    drive(f, 40, false);
    wr(f->m, GICC_EOIR, 40);
    g_assert_cmphex(rd(f->m, GICC_NSAPR0), ==, 0);
    /* FIQEn makes group 0 an FIQ. */
    drive(f, 41, true);
    g_assert_true(f->irq[0].level && !f->fiq[0].level);
    wr(f->m, GICC_CTLR, 0xb);
    g_assert_true(!f->irq[0].level && f->fiq[0].level);
    g_assert_cmpuint(rd(f->m, GICC_AIAR), ==, 1023);
    /* A group 1 interrupt of higher priority takes its place as an IRQ. */
    drive(f, 40, true);
    g_assert_true(f->irq[0].level && !f->fiq[0].level);
}

static void test_group1_binary_point(Fixture *f, const void *unused)
{
    wr(f->m, GICD_IGROUPR + 4, UINT32_MAX);
    wr(f->m, GICD_CTLR, 3);
    wr(f->m, GICC_PMR, 0xf0);
    wr(f->m, GICC_CTLR, 7);
    wr(f->m, GICC_BPR, 2);
    wr(f->m, GICC_ABPR, 5);
    enable(f, 40, 0x48);
    drive(f, 40, true);
    /* Five means bits 7:5 for group 1. */
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 40);
    g_assert_cmphex(rd(f->m, GICC_RPR), ==, 0x40);
    wr(f->m, GICC_EOIR, 40);
    /* CBPR: both groups use BPR. */
    wr(f->m, GICC_CTLR, 0x17);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 40);
    g_assert_cmphex(rd(f->m, GICC_RPR), ==, 0x48);
}

static void test_sgi(Fixture *f, const void *unused)
{
    for (unsigned cpu = 0; cpu < 4; cpu++) {
        f->m->current_cpu = cpu;
        start(f);
    }
    /* CPU 3 to CPUs 0 and 1, CPU 2 to all others, with the same number. */
    f->m->current_cpu = 3;
    wr(f->m, GICD_SGIR, 0x00030005);
    g_assert_true(f->irq[0].level && f->irq[1].level);
    g_assert_false(f->irq[2].level || f->irq[3].level);
    f->m->current_cpu = 2;
    wr(f->m, GICD_SGIR, 0x01000005);
    g_assert_true(f->irq[3].level && !f->irq[2].level);

    f->m->current_cpu = 0;
    g_assert_cmphex(io_read(f->m, GICD_SPENDSGIR + 5, 1), ==, 0x0c);
    g_assert_cmphex(rd(f->m, GICD_CPENDSGIR + 4), ==, 0x0c00);
    g_assert_cmphex(rd(f->m, GICD_ISPENDR), ==, 1 << 5);
    g_assert_cmphex(rd(f->m, GICC_HPPIR), ==, 2 << 10 | 5);
    g_assert_cmphex(rd(f->m, GICC_IAR), ==, 2 << 10 | 5);
    g_assert_cmphex(rd(f->m, GICD_ISPENDR), ==, 1 << 5);
    g_assert_false(f->irq[0].level);
    wr(f->m, GICC_EOIR, 2 << 10 | 5);
    g_assert_true(f->irq[0].level);
    g_assert_cmphex(rd(f->m, GICC_IAR), ==, 3 << 10 | 5);
    wr(f->m, GICC_EOIR, 3 << 10 | 5);
    g_assert_false(f->irq[0].level);

    /* To itself; then taken back. */
    wr(f->m, GICD_SGIR, 0x0200000f);
    g_assert_true(f->irq[0].level);
    io_write(f->m, GICD_CPENDSGIR + 15, 1, 0x01);
    g_assert_false(f->irq[0].level);
    io_write(f->m, GICD_SPENDSGIR + 14, 1, 0x02);
    g_assert_cmphex(rd(f->m, GICC_IAR), ==, 1 << 10 | 14);
    /* The reserved filter sends nothing, ISPENDR does not make SGIs. */
    wr(f->m, GICD_SGIR, 0x03ff0001);
    wr(f->m, GICD_ISPENDR, 1);
    g_assert_cmphex(rd(f->m, GICD_ISPENDR), ==, 0);
    f->m->current_cpu = 3;
    g_assert_cmphex(rd(f->m, GICC_IAR), ==, 2 << 10 | 5);
}

/* What a monitor shows of a CPU's registers, whoever runs. */
static uint32_t peek_cpu(Fixture *f, unsigned cpu, hwaddr addr)
{
    uint32_t value;

    g_assert_true(machine_peek(f->m, cpu, addr, &value, 4));
    return value;
}

static void test_targets(Fixture *f, const void *unused)
{
    IrqLine ppi = gicv2_ppi(f->gic, 2, 11);

    for (unsigned cpu = 0; cpu < 4; cpu++) {
        f->m->current_cpu = cpu;
        start(f);
    }
    f->m->current_cpu = 0;
    enable(f, 60, 0x40);
    drive(f, 60, true);
    g_assert_false(f->irq[0].level);
    io_write(f->m, GICD_ITARGETSR + 60, 1, 0x0a);
    g_assert_false(f->irq[0].level || f->irq[2].level);
    g_assert_true(f->irq[1].level && f->irq[3].level);
    /* 1-of-N: once acknowledged, it is gone for the others. */
    f->m->current_cpu = 3;
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 60);
    g_assert_false(f->irq[1].level || f->irq[3].level);
    f->m->current_cpu = 1;
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 1023);
    g_assert_cmphex(rd(f->m, GICC_RPR), ==, 0xff);
    f->m->current_cpu = 3;
    drive(f, 60, false);
    wr(f->m, GICC_EOIR, 60);

    /* Each CPU has its own PPIs, with enables and priorities of its own. */
    f->m->current_cpu = 1;
    enable(f, 27, 0x10);
    g_assert_cmphex(peek_cpu(f, 1, GICD_ISENABLER), ==, 0x0800ffff);
    g_assert_cmphex(peek_cpu(f, 3, GICD_ISENABLER), ==, 0xffff);
    g_assert_cmphex(peek_cpu(f, 3, GICD_ITARGETSR + 16), ==, 0x08080808);
    g_assert_cmpuint(f->m->current_cpu, ==, 1);
    irq_set(&ppi, true);
    g_assert_false(f->irq[1].level || f->irq[2].level);
    f->m->current_cpu = 2;
    g_assert_cmphex(rd(f->m, GICD_ISENABLER), ==, 0xffff);
    g_assert_cmphex(io_read(f->m, GICD_IPRIORITYR + 27, 1), ==, 0);
    enable(f, 27, 0x20);
    g_assert_true(f->irq[2].level && !f->irq[1].level);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 27);
    g_assert_cmphex(rd(f->m, GICC_RPR), ==, 0x20);
}

static void test_save_load(Fixture *f, const void *unused)
{
    Fixture g = { 0 };

    setup_cpus(&g, 4);
    for (unsigned cpu = 0; cpu < 4; cpu++) {
        f->m->current_cpu = cpu;
        start(f);
    }
    f->m->current_cpu = 1;
    wr(f->m, GICD_SGIR, 0x00010003);
    make_edge(f, 70);
    enable(f, 70, 0x30);
    enable(f, 71, 0x60);
    io_write(f->m, GICD_ITARGETSR + 70, 2, 0);
    io_write(f->m, GICD_ITARGETSR + 70, 1, 2);
    io_write(f->m, GICD_ITARGETSR + 71, 1, 2);
    drive(f, 71, true);
    g_assert_cmpuint(rd(f->m, GICC_IAR), ==, 71);
    pulse(f, 70);
    devices_transfer(f->m, g.m);
    /* Loading drives nothing; the CPUs carry their own inputs. */
    g_assert_cmpuint(g.irq[0].rises + g.irq[1].rises, ==, 0);
    g.m->current_cpu = 1;
    g_assert_cmphex(rd(g.m, GICC_RPR), ==, 0x60);
    g_assert_cmpuint(rd(g.m, GICC_IAR), ==, 70);
    wr(g.m, GICC_EOIR, 70);
    wr(g.m, GICC_EOIR, 71);
    g_assert_true(g.irq[1].level);
    g.m->current_cpu = 0;
    g_assert_cmphex(rd(g.m, GICC_IAR), ==, 1 << 10 | 3);
    teardown(&g, NULL);
}

#define ADD(setup, name) \
    g_test_add("/gicv2/" #name, Fixture, NULL, setup, test_##name, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(setup_one, rows);
    ADD(setup_four, rows_four);
    ADD(setup_one, bytes);
    ADD(setup_one, level);
    ADD(setup_one, level_latch);
    ADD(setup_one, edge);
    ADD(setup_one, switches);
    ADD(setup_one, priorities);
    ADD(setup_one, binary_point);
    ADD(setup_one, bad_eoi);
    ADD(setup_one, eoi_mode);
    ADD(setup_one, active_registers);
    ADD(setup_one, groups);
    ADD(setup_one, group1_binary_point);
    ADD(setup_four, sgi);
    ADD(setup_four, targets);
    ADD(setup_four, save_load);
    return g_test_run();
}
