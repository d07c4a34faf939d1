/*
 * Root ports: bus numbers, windows and command bits on the way to a device, its interrupts and DMA
 * on the way back, resets, and what is refused. The device is the educational one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fake-replay.h"
#include "hw/core/hotplug.h"
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

/* A port in slot 2 with the device behind it, and maybe two more. */
static void init_ports(Fixture *f, bool more)
{
    pci_machine_init(&f->p, types);
    f->m = f->p.m;
    clock_use_icount(f->m->clock, 0);
    f->port = pci_plug(&f->p, "pcie-root-port,id=rp,addr=2,chassis=3,slot=5,port=7", "rp");
    if (more) {
        pci_plug(&f->p, "pcie-root-port,id=r2,slot=9", "r2");
        pci_plug(&f->p, "pcie-root-port,id=r3,slot=10", "r3");
    }
    f->edu = pci_plug(&f->p, "edu,id=edu0,bus=rp,dma_mask=0xffffffffff", "edu0");
    machine_reset_devices(f->m);
}

static void init_fixture(Fixture *f)
{
    init_ports(f, false);
}

static void setup_more(Fixture *f, const void *unused)
{
    init_ports(f, true);
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
        { "pcie-root-port,slot=1,hotplug=maybe",
          "-device pcie-root-port: hotplug=maybe: expected 'on' or 'off'" },
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

/* ---- devices that come and go ---- */

static unsigned slot_get(Fixture *f, unsigned offset)
{
    return config_get(&f->p, 2, find_cap(&f->p, 2, PCI_CAP_ID_EXP, 0) + offset, 2);
}

static void slot_set(Fixture *f, unsigned offset, unsigned value)
{
    config_set(&f->p, 2, find_cap(&f->p, 2, PCI_CAP_ID_EXP, 0) + offset, 2, value);
}

static void note_deleted(void *opaque, const Device *dev)
{
    g_string_append_printf(opaque, "%s ", dev->id);
}

/* The guest has let go of `expected`; nobody else is gone. */
static void check_ejected(Fixture *f, const char *expected)
{
    g_autoptr(GString) deleted = g_string_new(NULL);

    g_assert_true(machine_has_request(f->m));
    g_assert_true(hotplug_take_ejected(f->m, note_deleted, deleted));
    g_assert_cmpstr(deleted->str, ==, expected);
    g_assert_false(machine_has_request(f->m));
    g_assert_false(hotplug_take_ejected(f->m, note_deleted, deleted));
}

static void assert_error(bool ok, Error **err, const char *expected)
{
    g_assert_false(ok);
    g_assert_cmpstr(error_get_pretty(*err), ==, expected);
    g_clear_pointer(err, error_free);
}

#define ON 0x1139       /* events and their interrupt enabled, the power light on, power on */
#define OFF 0x17f9      /* the same with both off */

/* What a driver does for it: the slot of the fixture is empty then. */
static void unplug(Fixture *f)
{
    Error *err = NULL;

    slot_set(f, PCI_EXP_SLTSTA, UINT16_MAX);
    slot_set(f, PCI_EXP_SLTCTL, ON);
    g_assert_true(hotplug_del(f->m, "edu0", NULL));
    g_assert_cmphex(slot_get(f, PCI_EXP_SLTSTA), ==, 0x41);
    assert_error(hotplug_del(f->m, "edu0", &err), &err, "Device edu0 is already in the process of unplug");
    slot_set(f, PCI_EXP_SLTCTL, ON | PCI_EXP_SLTCTL_POWER_OFF);
    g_assert_false(machine_has_request(f->m));
    /* It has lost its power, and is out of reach. */
    g_assert_cmphex(slot_get(f, PCI_EXP_LNKSTA), ==, 0x11);
    g_assert_cmphex(far_get(f, 1, 0), ==, UINT32_MAX);
    g_assert_cmphex(f->edu->s->config[PCI_COMMAND], ==, 0);
    slot_set(f, PCI_EXP_SLTCTL, OFF);
    check_ejected(f, "edu0 ");
    g_assert_null(machine_find_device(f->m, "edu0"));
    g_assert_cmphex(slot_get(f, PCI_EXP_SLTSTA), ==, 0x109);
}

static void test_unplug(Fixture *f, const void *unused)
{
    unsigned regions = 0;
    GByteArray *places = g_byte_array_new();

    memory_save_places(f->m->memory, places);
    open_way(f);
    g_assert_cmphex(slot_get(f, PCI_EXP_SLTCTL), ==, 0x1c0);
    unplug(f);
    g_assert_cmphex(rd(f->m, BASE), ==, UINT32_MAX);
    regions = places->data[0];
    g_byte_array_set_size(places, 0);
    memory_save_places(f->m->memory, places);
    g_assert_cmpuint(places->data[0], ==, regions - 1);
    g_byte_array_unref(places);
    /* An empty slot is off after a reset. */
    machine_reset_devices(f->m);
    g_assert_cmphex(slot_get(f, PCI_EXP_SLTCTL), ==, 0x7c0);
    g_assert_cmphex(slot_get(f, PCI_EXP_SLTSTA), ==, 0);
}

static void test_plug(Fixture *f, const void *unused)
{
    open_way(f);
    unplug(f);
    slot_set(f, PCI_EXP_SLTSTA, UINT16_MAX);
    g_assert_cmpuint(f->p.line[2].level, ==, 0);
    g_assert_true(hotplug_add(f->m, "edu,id=edu0,bus=rp,dma_mask=0xffffffffff", NULL));
    f->edu = container_of(machine_find_device(f->m, "edu0"), PciDevice, dev);
    /* It is there, the button is pressed, and there is no power yet. */
    g_assert_cmphex(slot_get(f, PCI_EXP_SLTSTA), ==, 0x49);
    g_assert_cmpuint(f->p.line[2].level, ==, 1);
    g_assert_cmphex(far_get(f, 1, 0), ==, UINT32_MAX);
    slot_set(f, PCI_EXP_SLTSTA, 9);
    g_assert_cmpuint(f->p.line[2].level, ==, 0);
    /* Nobody let go of it, as it was never on. */
    slot_set(f, PCI_EXP_SLTCTL, OFF);
    g_assert_false(machine_has_request(f->m));
    slot_set(f, PCI_EXP_SLTCTL, ON);
    g_assert_cmphex(slot_get(f, PCI_EXP_SLTSTA), ==, 0x140);
    g_assert_cmphex(slot_get(f, PCI_EXP_LNKSTA), ==, 0x2011);
    g_assert_cmpuint(f->p.line[2].level, ==, 1);
    open_way(f);
    unplug(f);
    /* One that the guest has not switched on goes at once. */
    g_assert_true(hotplug_add(f->m, "edu,id=edu0,bus=rp", NULL));
    g_assert_true(hotplug_del(f->m, "edu0", NULL));
    check_ejected(f, "edu0 ");
}

/* A reset: nobody is asked any more, and what is there is on. */
static void test_reset_asked(Fixture *f, const void *unused)
{
    g_assert_true(hotplug_del(f->m, "edu0", NULL));
    machine_reset_devices(f->m);
    g_assert_cmphex(slot_get(f, PCI_EXP_SLTSTA), ==, 0x40);
    open_way(f);
    unplug(f);
}

static void test_plug_refused(Fixture *f, const void *unused)
{
    static const char *const rows[][2] = {
        { "edu,bus=rp", "bus 'rp' is a port with one slot, which 'edu0' is in; addr=0.1 and multifunction=on make it "
          "a slot of several functions" },
        { "edu,bus=pcie.0", "bus= has to name a bus that devices can be added to while the machine runs" },
        { "edu", "bus= has to name a bus that devices can be added to while the machine runs" },
        { "edu,bus=r2,addr=0.1", "only function 0 can be plugged while the machine runs; addr=0 or no addr= is that" },
        { "virtio-rng-pci,bus=r2,disable-modern=on", "disable-modern=on and no legacy interface (there is none behind "
          "a port by itself) leave no interface at all; disable-legacy=off gives it the legacy one" },
    };
    GByteArray *before = g_byte_array_new(), *after = g_byte_array_new();
    Error *err = NULL;

    pci_plug(&f->p, "pcie-root-port,id=r2,slot=9", "r2");
    machine_save_devices(f->m, before);
    memory_save_places(f->m->memory, before);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        bool ok = hotplug_add(f->m, rows[i][0], &err);

        assert_error(ok, &err, rows[i][1]);
    }
    machine_save_devices(f->m, after);
    memory_save_places(f->m->memory, after);
    g_assert_cmpmem(before->data, before->len, after->data, after->len);
    g_byte_array_unref(before);
    g_byte_array_unref(after);
    assert_error(hotplug_del(f->m, "none", &err), &err, "Device 'none' not found");
    assert_error(hotplug_del(f->m, "rp", &err), &err, "Bus 'pcie.0' does not support hotplugging");
}

/* List of devices, devices, and where regions are: as saved. */
static GByteArray *save_all(Machine *m)
{
    GByteArray *out = g_byte_array_new();

    hotplug_save(m, out);
    machine_save_devices(m, out);
    memory_save_places(m->memory, out);
    return out;
}

static void load_all(Machine *m, const GByteArray *saved)
{
    g_autoptr(GByteArray) again = NULL;
    Error *err = NULL;
    ByteReader in;

    byte_reader_init(&in, saved->data, saved->len);
    if (!hotplug_load(m, &in, &err) || !machine_load_devices(m, &in, &err) ||
        !memory_load_places(m->memory, &in, &err)) {
        g_error("%s", error_get_pretty(err));
    }
    again = save_all(m);
    g_assert_cmpmem(saved->data, saved->len, again->data, again->len);
}

/* From each set of devices to each other one. */
static void test_sets(Fixture *f, const void *unused)
{
    GByteArray *saved[5];
    ByteReader in;
    Error *err = NULL;

    saved[0] = save_all(f->m);
    g_assert_true(hotplug_add(f->m, "virtio-rng-pci,bus=r2", NULL));
    g_assert_true(hotplug_add(f->m, "edu,bus=r3", NULL));
    saved[1] = save_all(f->m);
    open_way(f);
    unplug(f);
    saved[2] = save_all(f->m);
    g_assert_true(hotplug_add(f->m, "virtio-rng-pci,id=other,bus=rp", NULL));
    saved[3] = save_all(f->m);
    g_assert_true(hotplug_del(f->m, "virtio-rng-pci0", NULL));
    check_ejected(f, "virtio-rng-pci0 ");
    saved[4] = save_all(f->m);
    for (unsigned i = 0; i < ARRAY_SIZE(saved); i++) {
        for (unsigned j = 0; j < ARRAY_SIZE(saved); j++) {
            load_all(f->m, saved[i]);
            load_all(f->m, saved[j]);
        }
    }
    g_assert_true(hotplug_load(f->m, NULL, NULL));
    g_assert_true(hotplug_is_empty(f->m));
    load_all(f->m, saved[3]);
    g_assert_false(hotplug_is_empty(f->m));
    byte_reader_init(&in, (const uint8_t *)"\x01\x0a" "edu,bus=r9", 12);
    assert_error(hotplug_load(f->m, &in, &err), &err,
                 "the state has a device that this machine has no bus for: edu,bus=r9");
    byte_reader_init(&in, (const uint8_t *)"\x02\x01" "e", 3);
    assert_error(hotplug_load(f->m, &in, &err), &err, "the state's list of devices is damaged");
    for (unsigned i = 0; i < ARRAY_SIZE(saved); i++) {
        g_byte_array_unref(saved[i]);
    }
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
    ADD("unplug", test_unplug);
    ADD("plug", test_plug);
    ADD("reset-asked", test_reset_asked);
    ADD("plug-refused", test_plug_refused);
    g_test_add("/pcie-port/sets", Fixture, NULL, setup_more, test_sets, teardown);
    return g_test_run();
}
