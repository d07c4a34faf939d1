/*
 * The educational device: its registers, factorials, interrupts by line and message, DMA.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/misc/edu.h"
#include "pci-machine.h"

#define BASE MMIO
#define TARGET (RAM_BASE + 0x100)
#define BUFFER 0x40000
#define LONG_ENOUGH 1000000

typedef struct Fixture {
    PciMachine p;
    Machine *m;
} Fixture;

static const DeviceType *const types[] = { &edu_type, NULL };

static void init_fixture(Fixture *f)
{
    pci_machine_init(&f->p, types);
    f->m = f->p.m;
    clock_use_icount(f->m->clock, 0);
    pci_plug(&f->p, "edu,id=edu0,dma_mask=0xffffffffffff", "edu0");
    machine_reset_devices(f->m);
}

static void setup(Fixture *f, const void *unused)
{
    init_fixture(f);
    config_set(&f->p, 1, 0x10, 4, (uint32_t)BASE);
    config_set(&f->p, 1, PCI_COMMAND, 2, 7);
}

static void teardown(Fixture *f, const void *unused)
{
    machine_free(f->m);
}

static bool line(Fixture *f)
{
    return f->p.line[1].level;
}

static void test_registers(Fixture *f, const void *unused)
{
    g_assert_cmphex(config_get(&f->p, 1, 0, 4), ==, 0x11e81234);
    g_assert_cmphex(rd(f->m, BASE), ==, 0x010000ed);
    wr(f->m, BASE + 4, 0x12345678);
    g_assert_cmphex(rd(f->m, BASE + 4), ==, 0xedcba987);
    wr(f->m, BASE + 0x20, UINT32_MAX);
    g_assert_cmphex(rd(f->m, BASE + 0x20), ==, 0x80);
    io_write(f->m, BASE + 0x80, 8, 0x1122334455667788);
    g_assert_cmphex(io_read(f->m, BASE + 0x80, 8), ==, 0x1122334455667788);
    wr(f->m, BASE + 0x8c, 0x99);
    g_assert_cmphex(io_read(f->m, BASE + 0x88, 8), ==, 0x9900000000);
    g_assert_cmphex(rd(f->m, BASE + 0x8c), ==, 0x99);
    /* Bad sizes and places. */
    g_assert_cmphex(io_read(f->m, BASE + 4, 8), ==, UINT64_MAX);
    io_write(f->m, BASE + 4, 8, 0);
    g_assert_cmphex(rd(f->m, BASE + 4), ==, 0xedcba987);
    g_assert_cmphex(rd(f->m, BASE + 0xa0), ==, UINT32_MAX);
    g_assert_cmphex(rd(f->m, BASE + BUFFER), ==, UINT32_MAX);
}

static void test_factorial(Fixture *f, const void *unused)
{
    static const uint32_t rows[][2] = {
        { 0, 1 }, { 1, 1 }, { 5, 120 }, { 12, 479001600 }, { 13, 1932053504 }, { 34, 0 },
        { UINT32_MAX, 0 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        wr(f->m, BASE + 8, rows[i][0]);
        g_assert_cmphex(rd(f->m, BASE + 0x20), ==, 1);
        g_assert_cmphex(rd(f->m, BASE + 8), ==, rows[i][0]);
        /* Not while one is computed. */
        wr(f->m, BASE + 8, 7);
        pass_ns(f->m, LONG_ENOUGH);
        g_assert_cmphex(rd(f->m, BASE + 0x20), ==, 0);
        g_assert_cmphex(rd(f->m, BASE + 8), ==, rows[i][1]);
    }
    g_assert_false(line(f));
    wr(f->m, BASE + 0x20, 0x80);
    wr(f->m, BASE + 8, 3);
    pass_ns(f->m, LONG_ENOUGH);
    g_assert_true(line(f));
    g_assert_cmphex(rd(f->m, BASE + 0x24), ==, 1);
    wr(f->m, BASE + 0x64, 1);
    g_assert_false(line(f));
}

static void test_interrupts(Fixture *f, const void *unused)
{
    unsigned msi = find_cap(&f->p, 1, PCI_CAP_ID_MSI, 0);

    wr(f->m, BASE + 0x60, 0x30);
    wr(f->m, BASE + 0x60, 3);
    g_assert_cmphex(rd(f->m, BASE + 0x24), ==, 0x33);
    g_assert_true(line(f));
    wr(f->m, BASE + 0x64, 0x31);
    g_assert_cmphex(rd(f->m, BASE + 0x24), ==, 2);
    g_assert_true(line(f));
    wr(f->m, BASE + 0x64, 2);
    g_assert_false(line(f));
    config_set(&f->p, 1, msi + PCI_MSI_ADDRESS_LO, 4, (uint32_t)TARGET);
    config_set(&f->p, 1, msi + PCI_MSI_DATA, 2, 0x50);
    config_set(&f->p, 1, msi + PCI_MSI_FLAGS, 2, 1);
    wr(f->m, BASE + 0x60, 4);
    g_assert_false(line(f));
    g_assert_cmphex(rd(f->m, TARGET), ==, 0x50);
}

static void start_dma(Fixture *f, uint64_t from, uint64_t to, uint64_t count, uint32_t command)
{
    io_write(f->m, BASE + 0x80, 8, from);
    io_write(f->m, BASE + 0x88, 8, to);
    io_write(f->m, BASE + 0x90, 8, count);
    wr(f->m, BASE + 0x98, command);
}

static void test_dma(Fixture *f, const void *unused)
{
    uint64_t value = 0x1122334455667788;

    g_assert_true(memory_write(f->m->memory, RAM_BASE, &value, 8));
    start_dma(f, RAM_BASE, BUFFER + 4088, 8, 5);
    g_assert_cmphex(rd(f->m, BASE + 0x98), ==, 5);
    /* Nothing can be changed on the way. */
    io_write(f->m, BASE + 0x90, 8, 4);
    g_assert_cmphex(io_read(f->m, BASE + 0x90, 8), ==, 8);
    pass_ns(f->m, LONG_ENOUGH);
    g_assert_cmphex(rd(f->m, BASE + 0x98), ==, 4);
    g_assert_cmphex(rd(f->m, BASE + 0x24), ==, 0x100);
    g_assert_true(line(f));
    start_dma(f, BUFFER + 4089, RAM_BASE + 0x200, 7, 3);
    pass_ns(f->m, LONG_ENOUGH);
    g_assert_cmphex(io_read(f->m, RAM_BASE + 0x200, 8), ==, 0x11223344556677);
}

/* Out of the buffer, out of RAM, no bus master: nothing is moved, and the transfer ends. */
static void test_bad_dma(Fixture *f, const void *unused)
{
    static const uint64_t rows[][4] = {
        { BUFFER, RAM_BASE, 4097, 3 }, { BUFFER + 4095, RAM_BASE, 2, 3 },
        { BUFFER - 1, RAM_BASE, 1, 3 }, { BUFFER, RAM_BASE, UINT64_MAX, 3 },
        { UINT64_MAX, RAM_BASE, 2, 3 }, { BUFFER, RAM_BASE + RAM_SIZE - 4, 8, 3 },
        { BUFFER, BASE, 4, 3 }, { RAM_BASE + RAM_SIZE, BUFFER, 4, 1 },
    };
    uint32_t value = 0x77;

    g_assert_true(memory_write(f->m->memory, RAM_BASE, &value, 4));
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        start_dma(f, rows[i][0], rows[i][1], rows[i][2], (uint32_t)rows[i][3]);
        pass_ns(f->m, LONG_ENOUGH);
        g_assert_cmphex(rd(f->m, BASE + 0x98) & 1, ==, 0);
        g_assert_cmphex(rd(f->m, RAM_BASE), ==, 0x77);
    }
    config_set(&f->p, 1, PCI_COMMAND, 2, 3);
    start_dma(f, BUFFER, RAM_BASE, 4, 3);
    pass_ns(f->m, LONG_ENOUGH);
    g_assert_cmphex(rd(f->m, RAM_BASE), ==, 0x77);
}

/* By default it has 28 address lines. */
static void test_mask(void)
{
    PciMachine p;
    PciDevice *d;
    MemRegion *ram;

    pci_machine_init(&p, types);
    clock_use_icount(p.m->clock, 0);
    d = pci_plug(&p, "edu,id=edu0", "edu0");
    ram = memory_add_ram(p.m->memory, "low", 0, 4096, false, NULL);
    machine_reset_devices(p.m);
    config_set(&p, 1, 0x10, 4, (uint32_t)BASE);
    config_set(&p, 1, PCI_COMMAND, 2, 7);
    ram->host[0x10] = 0x5a;
    io_write(p.m, BASE + 0x80, 8, 0xf0000010);
    io_write(p.m, BASE + 0x88, 8, BUFFER);
    io_write(p.m, BASE + 0x90, 8, 1);
    wr(p.m, BASE + 0x98, 1);
    pass_ns(p.m, LONG_ENOUGH);
    io_write(p.m, BASE + 0x80, 8, BUFFER);
    io_write(p.m, BASE + 0x88, 8, 0x20);
    wr(p.m, BASE + 0x98, 3);
    pass_ns(p.m, LONG_ENOUGH);
    g_assert_cmphex(ram->host[0x20], ==, 0x5a);
    g_assert_false(d->busy);
    machine_free(p.m);
}

/* In the middle of a factorial and of a transfer. */
static void test_state(Fixture *f, const void *unused)
{
    Fixture to;

    wr(f->m, BASE + 8, 4);
    start_dma(f, BUFFER, RAM_BASE, 4, 7);
    init_fixture(&to);
    devices_transfer(f->m, to.m);
    config_set(&to.p, 1, 0x10, 4, (uint32_t)BASE);
    pass_ns(to.m, LONG_ENOUGH);
    g_assert_cmphex(rd(to.m, BASE + 8), ==, 24);
    g_assert_cmphex(rd(to.m, BASE + 0x24), ==, 0x100);
    g_assert_cmphex(rd(to.m, BASE + 0x98), ==, 6);
    machine_reset_devices(to.m);
    g_assert_cmphex(clock_next_deadline(to.m->clock), ==, CLOCK_NO_DEADLINE);
    machine_free(to.m);
}

#define ADD(name, test) g_test_add("/edu/" name, Fixture, NULL, setup, test, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("registers", test_registers);
    ADD("factorial", test_factorial);
    ADD("interrupts", test_interrupts);
    ADD("dma", test_dma);
    ADD("bad-dma", test_bad_dma);
    g_test_add_func("/edu/mask", test_mask);
    ADD("state", test_state);
    return g_test_run();
}
