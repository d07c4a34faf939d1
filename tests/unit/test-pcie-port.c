/*
 * Root ports: bus numbers, windows and command bits on the way to a device, its interrupts and DMA
 * on the way back, resets, and what is refused. The device is the educational one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fake-replay.h"
#include "hw/misc/edu.h"
#include "hw/pci/pcie-port.h"
#include "hw/virtio/virtio-pci.h"
#include "pci-machine.h"

#define BASE (MMIO + 0x200000)

static const DeviceType *const types[] = {
    &edu_type, &pcie_root_port_type, &virtio_rng_pci_type, NULL
};

typedef struct Fixture {
    PciMachine p;
    Machine *m;
    PciDevice *port, *edu;
} Fixture;

/* A port in slot 2 with the device behind it. */
static void init_fixture(Fixture *f)
{
    pci_machine_init(&f->p, types);
    f->m = f->p.m;
    clock_use_icount(f->m->clock, 0);
    f->port = pci_plug(&f->p, "pcie-root-port,id=rp,addr=2,chassis=3,slot=5,port=7", "rp");
    f->edu = pci_plug(&f->p, "edu,id=edu0,bus=rp,dma_mask=0xffffffffff", "edu0");
    machine_reset_devices(f->m);
}

static void setup(Fixture *f, const void *unused)
{
    init_fixture(f);
}

static void teardown(Fixture *f, const void *unused)
{
    machine_free(f->m);
}

/* The device is on bus 1 from now on. */
static void number(Fixture *f)
{
    config_set(&f->p, 2, PCI_PRIMARY_BUS, 4, 0x00010100);
}

static uint32_t far_get(Fixture *f, unsigned bus, unsigned offset)
{
    return rd(f->m, config_at(bus, 0, 0, offset));
}

static void far_set(Fixture *f, unsigned offset, unsigned size, uint32_t value)
{
    io_write(f->m, config_at(1, 0, 0, offset), size, value);
}

/* All of the way is open, and the device at BASE. */
static void open_way(Fixture *f)
{
    number(f);
    config_set(&f->p, 2, PCI_MEMORY_BASE, 4, 0x10201020);
    config_set(&f->p, 2, PCI_COMMAND, 2, 7);
    far_set(f, 0x10, 4, (uint32_t)BASE);
    far_set(f, PCI_COMMAND, 2, 7);
    g_assert_cmphex(rd(f->m, BASE), ==, 0x010000ed);
}

static void test_identity(Fixture *f, const void *unused)
{
    unsigned exp = find_cap(&f->p, 2, PCI_CAP_ID_EXP, 0);

    g_assert_cmphex(config_get(&f->p, 2, 0, 4), ==, 0x000c1b36);
    g_assert_cmphex(config_get(&f->p, 2, 8, 4), ==, 0x06040000);
    g_assert_cmphex(config_get(&f->p, 2, PCI_HEADER_TYPE, 1), ==, 1);
    g_assert_cmphex(config_get(&f->p, 2, 0x1c, 4), ==, 0x00000101);
    g_assert_cmphex(config_get(&f->p, 2, 0x24, 4), ==, 0x00010001);
    /* A root port with a slot, number 5, which is taken, and its link, number 7, up. */
    g_assert_cmphex(config_get(&f->p, 2, exp + PCI_EXP_FLAGS, 2), ==, 0x142);
    g_assert_cmphex(config_get(&f->p, 2, exp + PCI_EXP_LNKCAP, 4) >> 24, ==, 7);
    g_assert_cmphex(config_get(&f->p, 2, exp + PCI_EXP_SLTCAP, 4) >> 19, ==, 5);
    g_assert_cmphex(config_get(&f->p, 2, exp + PCI_EXP_SLTSTA, 2), ==, 0x40);
    g_assert_cmphex(config_get(&f->p, 2, exp + PCI_EXP_LNKSTA, 2), ==, 0x2011);
    config_set(&f->p, 2, 0x20, 4, UINT32_MAX);
    g_assert_cmphex(config_get(&f->p, 2, 0x20, 4), ==, 0xfff0fff0);
}

static void test_numbers(Fixture *f, const void *unused)
{
    g_assert_cmphex(far_get(f, 1, 0), ==, UINT32_MAX);
    number(f);
    g_assert_cmphex(far_get(f, 1, 0), ==, 0x11e81234);
    g_assert_cmphex(far_get(f, 2, 0), ==, UINT32_MAX);
    g_assert_cmphex(rd(f->m, config_at(1, 1, 0, 0)), ==, UINT32_MAX);
    config_set(&f->p, 2, PCI_PRIMARY_BUS, 4, 0x00090500);
    g_assert_cmphex(far_get(f, 1, 0), ==, UINT32_MAX);
    g_assert_cmphex(far_get(f, 5, 0), ==, 0x11e81234);
    g_assert_cmphex(far_get(f, 6, 0), ==, UINT32_MAX);
    /* No number below the first. */
    config_set(&f->p, 2, PCI_PRIMARY_BUS, 4, 0x00040500);
    g_assert_cmphex(far_get(f, 5, 0), ==, UINT32_MAX);
}

static void test_windows(Fixture *f, const void *unused)
{
    open_way(f);
    g_assert_cmphex(rd(f->m, BASE + 0x100000), ==, UINT32_MAX);
    config_set(&f->p, 2, PCI_COMMAND, 2, 5);
    g_assert_cmphex(rd(f->m, BASE), ==, UINT32_MAX);
    config_set(&f->p, 2, PCI_COMMAND, 2, 7);
    g_assert_cmphex(rd(f->m, BASE), ==, 0x010000ed);
    /* Beside it, closed, and open again by the other window. */
    config_set(&f->p, 2, PCI_MEMORY_BASE, 4, 0x10301030);
    g_assert_cmphex(rd(f->m, BASE), ==, UINT32_MAX);
    config_set(&f->p, 2, PCI_MEMORY_BASE, 4, 0x10101020);
    g_assert_cmphex(rd(f->m, BASE), ==, UINT32_MAX);
    config_set(&f->p, 2, PCI_PREF_MEMORY_BASE, 4, 0x10301010);
    g_assert_cmphex(rd(f->m, BASE), ==, 0x010000ed);
    config_set(&f->p, 2, PCI_PREF_BASE_UPPER32, 4, 1);
    g_assert_cmphex(rd(f->m, BASE), ==, UINT32_MAX);
}

static void test_interrupt(Fixture *f, const void *unused)
{
    open_way(f);
    wr(f->m, BASE + 0x60, 1);
    for (unsigned n = 0; n < PCI_NUM_PINS; n++) {
        g_assert_cmpuint(f->p.line[n].level, ==, n == 2);
    }
    wr(f->m, BASE + 0x64, 1);
    g_assert_false(f->p.line[2].level);
}

static void test_master(Fixture *f, const void *unused)
{
    uint32_t value = 0;

    open_way(f);
    g_assert_true(pci_dma_write(f->edu, RAM_BASE, "abcd", 4));
    config_set(&f->p, 2, PCI_COMMAND, 2, 3);
    g_assert_false(pci_is_master(f->edu));
    g_assert_false(pci_dma_read(f->edu, RAM_BASE, &value, 4));
    g_assert_false(pci_dma_write(f->edu, RAM_BASE, "efgh", 4));
    g_assert_cmphex(rd(f->m, RAM_BASE), ==, 0x64636261);
}

static void test_reset(Fixture *f, const void *unused)
{
    open_way(f);
    wr(f->m, BASE + 4, 1);
    config_set(&f->p, 2, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CTL_BUS_RESET);
    config_set(&f->p, 2, PCI_BRIDGE_CONTROL, 2, 0);
    g_assert_cmphex(far_get(f, 1, PCI_COMMAND), ==, 0x00100000);
    g_assert_cmphex(far_get(f, 1, 0x10), ==, 0);
    g_assert_cmphex(rd(f->m, BASE), ==, UINT32_MAX);
    far_set(f, 0x10, 4, (uint32_t)BASE);
    far_set(f, PCI_COMMAND, 2, 7);
    g_assert_cmphex(rd(f->m, BASE + 4), ==, 0);
    machine_reset_devices(f->m);
    g_assert_cmphex(far_get(f, 1, 0), ==, UINT32_MAX);
    g_assert_cmphex(rd(f->m, BASE), ==, UINT32_MAX);
}

static void test_state(Fixture *f, const void *unused)
{
    Fixture to;
    unsigned exp = find_cap(&f->p, 2, PCI_CAP_ID_EXP, 0);

    open_way(f);
    init_fixture(&to);
    devices_transfer(f->m, to.m);
    g_assert_cmphex(far_get(&to, 1, 0), ==, 0x11e81234);
    g_assert_cmphex(config_get(&to.p, 2, exp + PCI_EXP_SLTSTA, 2), ==, 0x40);
    machine_free(to.m);
}

/* A virtio device behind a port has an Express capability, and no ports. */
static void test_virtio(void)
{
    PciMachine p;
    PciDevice *d;

    memset(&fake_replay, 0, sizeof(fake_replay));
    pci_machine_init(&p, types);
    pci_plug(&p, "pcie-root-port,id=rp", "rp");
    d = pci_plug(&p, "virtio-rng-pci,id=r,bus=rp", "r");
    machine_reset_devices(p.m);
    g_assert_cmphex(d->s->config[PCI_DEVICE_ID], ==, 0x44);
    g_assert_true(d->cap.exp && d->cap.pm);
    g_assert_null(d->bar[0].region);
    machine_free(p.m);
}

static void test_refused(Fixture *f, const void *unused)
{
    static const char *const rows[][2] = {
        { "edu,bus=rp",
          "-device edu: bus 'rp' is a port with one slot, which 'edu0' is in; addr=0.1 and "
          "multifunction=on make it a slot of several functions" },
        { "edu,bus=rp,addr=1",
          "-device edu: addr=1: expected SLOT or SLOT.FUNCTION in hexadecimal; bus 'rp' has slots "
          "0 to 0, of functions 0 to 7" },
        { "pcie-root-port,chassis=3,slot=5",
          "-device pcie-root-port: chassis=3,slot=5: that is 'rp'; chassis= or slot= makes them "
          "differ" },
        { "pcie-root-port,bus=rp,slot=1",
          "-device pcie-root-port: bus=rp is behind a port; root ports are on a root bus" },
        { "pcie-root-port,slot=1,hotplug=on",
          "-device pcie-root-port: hotplug=on is not supported; devices are not plugged while the "
          "machine runs yet" },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        Fixture fresh;
        Error *err = NULL;

        init_fixture(&fresh);
        g_assert_false(device_plug(fresh.m, rows[i][0], &err));
        g_assert_cmpstr(error_get_pretty(err), ==, rows[i][1]);
        error_free(err);
        /* Nothing of it stays: one with that id may be made. */
        g_assert_cmphex(pci_plug(&fresh.p, "virtio-rng-pci,id=e,bus=pcie.0,addr=1f", "e")->devfn, ==, 0xf8);
        machine_free(fresh.m);
    }
    /* Without bus= a device goes to the root bus. */
    g_assert_cmphex(pci_plug(&f->p, "edu,id=e", "e")->devfn, ==, 8);
}

#define ADD(name, test) g_test_add("/pcie-port/" name, Fixture, NULL, setup, test, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("identity", test_identity);
    ADD("numbers", test_numbers);
    ADD("windows", test_windows);
    ADD("interrupt", test_interrupt);
    ADD("master", test_master);
    ADD("reset", test_reset);
    ADD("state", test_state);
    g_test_add_func("/pcie-port/virtio", test_virtio);
    ADD("refused", test_refused);
    return g_test_run();
}
