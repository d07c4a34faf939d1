/*
 * Messages, and the GICv2m frame that makes interrupts of them: its registers, which message is
 * which interrupt, messages to other places, a message that is pending over save and load.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "device-test.h"
#include "hw/core/msi.h"
#include "hw/intc/gicv2.h"
#include "hw/intc/gicv2m.h"

#define FRAME 0x8020000
#define DOORBELL (FRAME + GICV2M_DOORBELL)
#define FIRST 80
#define NUM 64
#define RAM 0x40000000

static bool send(Machine *m, uint64_t address, uint32_t data)
{
    return msi_send(m->memory, &(MsiMessage){ address, data });
}

static Device *add_frame(Machine *m)
{
    g_autofree char *properties = g_strdup_printf("base-spi=%u,num-spi=%u", FIRST, NUM);

    return add_device(m, &gicv2m_type, "gicv2m", properties, FRAME, 0);
}

/* ---- the frame on a fake bus ---- */

typedef struct Fixture {
    Machine *m;
    IrqSink sink[NUM];
} Fixture;

static void setup(Fixture *f, const void *unused)
{
    Device *dev;

    *f = (Fixture){ .m = machine_new(NULL) };
    dev = add_frame(f->m);
    for (unsigned n = 0; n < NUM; n++) {
        *device_output(dev, n) = irq_sink_line(&f->sink[n]);
    }
    g_assert_null(device_output(dev, NUM));
    memory_add_ram(f->m->memory, "ram", RAM, PAGE_SIZE, false, NULL);
    machine_reset_devices(f->m);
}

static void teardown(Fixture *f, const void *unused)
{
    machine_free(f->m);
}

static unsigned rises(const Fixture *f)
{
    unsigned sum = 0;

    for (unsigned n = 0; n < NUM; n++) {
        g_assert_false(f->sink[n].level);
        sum += f->sink[n].rises;
    }
    return sum;
}

static void test_registers(Fixture *f, const void *unused)
{
    static const RowCheck rows[] = {
        { 0x008, FIRST << 16 | NUM, FIRST << 16 | NUM },
        { 0x040, 0, 0 },
        { 0xfcc, 0x43b, 0x43b },
        { 0xfe8, 0, 0 },
    };

    check_rows(f->m, FRAME, rows, ARRAY_SIZE(rows));
    g_assert_cmphex(peek(f->m, FRAME + 8), ==, 0x00500040);
    g_assert_cmphex(peek(f->m, DOORBELL), ==, 0);
    g_assert_cmpuint(rises(f), ==, 0);
}

/* Each id of the frame is one output; others are nobody's. */
static void test_messages(Fixture *f, const void *unused)
{
    for (unsigned id = 0; id < 1024; id++) {
        unsigned before = rises(f);
        bool ours = id >= FIRST && id < FIRST + NUM;

        g_assert_true(send(f->m, DOORBELL, id));
        g_assert_cmpuint(rises(f), ==, before + ours);
        g_assert_true(!ours || f->sink[id - FIRST].rises == 1);
    }
    /* A guest writes itself, and a halfword is enough. */
    wr(f->m, DOORBELL, FIRST + 3);
    io_write(f->m, DOORBELL, 2, FIRST + 3);
    g_assert_cmpuint(f->sink[3].rises, ==, 3);
}

/* A message is a write: where it goes is the guest's business. */
static void test_elsewhere(Fixture *f, const void *unused)
{
    g_assert_true(send(f->m, RAM + 0x10, 0x11223344));
    g_assert_cmphex(rd(f->m, RAM + 0x10), ==, 0x11223344);
    g_assert_cmphex(memory_find(f->m->memory, RAM)->page_flags[0], ==, PAGE_WRITTEN);
    g_assert_false(send(f->m, 0x7000000, FIRST));
    g_assert_true(send(f->m, FRAME + 8, FIRST));
    g_assert_cmpuint(rises(f), ==, 0);
}

/* ---- the frame in front of a GIC ---- */

#define DIST 0x8000000
#define CPUIF 0x8010000
#define ISENABLER 0x100
#define ISPENDR 0x200
#define ITARGETSR 0x800
#define ICFGR 0xc00
#define IAR 0xc
#define EOIR 0x10

typedef struct Board {
    Machine *m;
    IrqSink irq;
} Board;

static void board_open(Board *b)
{
    Device *gic, *frame;

    *b = (Board){ .m = machine_new(NULL) };
    gic = add_device(b->m, &gicv2_type, "gic", "num-cpu=1,num-irq=288", DIST, CPUIF);
    gicv2_connect_cpu(gicv2(gic), 0, irq_sink_line(&b->irq), (IrqLine){ 0 });
    frame = add_frame(b->m);
    for (unsigned n = 0; n < NUM; n++) {
        *device_output(frame, n) = device_input(gic, FIRST - GICV2_FIRST_SPI + n);
    }
    machine_reset_devices(b->m);
}

/* Enable an id as the kernel's driver does: an edge, to CPU 0. */
static void enable(Board *b, unsigned id)
{
    wr(b->m, DIST + ICFGR + id / 16 * 4, rd(b->m, DIST + ICFGR + id / 16 * 4) | 2u << id % 16 * 2);
    io_write(b->m, DIST + ITARGETSR + id, 1, 1);
    wr(b->m, DIST + ISENABLER + id / 32 * 4, 1u << id % 32);
    wr(b->m, DIST, 1);
    wr(b->m, CPUIF, 1);
    wr(b->m, CPUIF + 4, 0xff);
}

static void test_gic(void)
{
    Board a, b;

    board_open(&a);
    board_open(&b);
    enable(&a, 143);
    g_assert_true(send(a.m, DOORBELL, 142));
    g_assert_false(a.irq.level);
    g_assert_true(send(a.m, DOORBELL, 143));
    g_assert_true(a.irq.level);
    /* The doorbell is low again, and the message is not lost. */
    devices_transfer(a.m, b.m);
    for (Board *x = &a; x; x = x == &a ? &b : NULL) {
        g_assert_cmphex(rd(x->m, DIST + ISPENDR + 4 * 4) & 0xffff, ==, 0x8000);
        g_assert_cmpuint(rd(x->m, CPUIF + IAR), ==, 143);
        g_assert_false(x->irq.level);
        /* One that comes while the first is active is the next. */
        g_assert_true(send(x->m, DOORBELL, 143));
        g_assert_true(send(x->m, DOORBELL, 143));
        g_assert_false(x->irq.level);
        wr(x->m, CPUIF + EOIR, 143);
        g_assert_cmpuint(rd(x->m, CPUIF + IAR), ==, 143);
        wr(x->m, CPUIF + EOIR, 143);
        g_assert_cmpuint(rd(x->m, CPUIF + IAR), ==, 1023);
    }
    machine_free(a.m);
    machine_free(b.m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/gicv2m/registers", Fixture, NULL, setup, test_registers, teardown);
    g_test_add("/gicv2m/messages", Fixture, NULL, setup, test_messages, teardown);
    g_test_add("/gicv2m/elsewhere", Fixture, NULL, setup, test_elsewhere, teardown);
    g_test_add_func("/gicv2m/gic", test_gic);
    return g_test_run();
}
