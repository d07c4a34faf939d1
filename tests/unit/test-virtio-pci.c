/*
 * virtio-rng as a PCI function, by each of its interfaces: structures found through capabilities,
 * the ports from before 1.0, and the window in configuration space.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fake-replay.h"
#include "hw/virtio/virtio-pci.h"
#include "pci-machine.h"

#define RING (RAM_BASE + 0x10000)
#define BUFFER (RAM_BASE + 0x40000)
#define TARGET (RAM_BASE + 0x100)
#define NUM 8
#define BASE4 HIGH
#define BASE1 MMIO
#define PORTS 0x1000

enum { COMMON = 1, NOTIFY, ISR, DEVICE, WINDOW };

typedef struct Driver {
    PciMachine p;
    Machine *m;
    PciDevice *d;
    VirtioDevice *v;
    hwaddr avail, used;
    uint16_t avail_idx;
} Driver;

static const DeviceType *const types[] = { &virtio_rng_pci_type, NULL };

static void place(Driver *d)
{
    config_set(&d->p, 1, 0x10, 4, PORTS);
    config_set(&d->p, 1, 0x14, 4, BASE1);
    config_set(&d->p, 1, 0x20, 4, (uint32_t)BASE4);
    config_set(&d->p, 1, 0x24, 4, (uint32_t)(BASE4 >> 32));
    config_set(&d->p, 1, PCI_COMMAND, 2, 7);
}

/* With options for -device. */
static void start(Driver *d, const char *options)
{
    g_autofree char *text = g_strdup_printf("virtio-rng,id=rng0%s", options);

    memset(&fake_replay, 0, sizeof(fake_replay));
    memset(d, 0, sizeof(*d));
    pci_machine_init(&d->p, types);
    d->m = d->p.m;
    d->d = pci_plug(&d->p, text, "rng0");
    d->v = container_of(d->d->dev.part, VirtioDevice, dev);
    machine_reset_devices(d->m);
    place(d);
    fake_replay.next_byte = 0x30;
}

static void end(Driver *d)
{
    machine_free(d->m);
}

/* Where a structure of this kind is, as its capability says. */
static hwaddr structure(Driver *d, unsigned kind)
{
    for (unsigned n = 0; ; n++) {
        unsigned at = find_cap(&d->p, 1, PCI_CAP_ID_VNDR, n);

        g_assert_cmpuint(at, !=, 0);
        if (config_get(&d->p, 1, at + 3, 1) == kind) {
            g_assert_cmphex(config_get(&d->p, 1, at + 4, 1), ==, 4);
            g_assert_cmphex(config_get(&d->p, 1, at + 12, 4), ==, 0x1000);
            return BASE4 + config_get(&d->p, 1, at + 8, 4);
        }
    }
}

static void put(Driver *d, hwaddr addr, uint64_t value, unsigned size)
{
    g_assert_true(memory_write(d->m->memory, addr, &value, size));
}

static uint64_t get(Driver *d, hwaddr addr, unsigned size)
{
    uint64_t value = 0;

    g_assert_true(memory_read(d->m->memory, addr, &value, size));
    return value;
}

static void offer_buffer(Driver *d)
{
    put(d, RING, BUFFER, 8);
    put(d, RING + 8, 64, 4);
    put(d, RING + 12, 2, 2);
    put(d, d->avail + 4 + 2 * (d->avail_idx % NUM), 0, 2);
    put(d, d->avail + 2, ++d->avail_idx, 2);
}

static void setup_modern(Driver *d)
{
    hwaddr c = structure(d, COMMON);

    d->avail = RING + 0x8000;
    d->used = RING + 0xc000;
    d->avail_idx = 0;
    io_write(d->m, c + 0x14, 1, 0);
    io_write(d->m, c + 0x14, 1, 3);
    wr(d->m, c + 8, 1);
    wr(d->m, c + 0xc, 1);
    io_write(d->m, c + 0x14, 1, 11);
    g_assert_cmphex(io_read(d->m, c + 0x14, 1), ==, 11);
    io_write(d->m, c + 0x16, 2, 0);
    g_assert_cmpuint(io_read(d->m, c + 0x18, 2), ==, VIRTQUEUE_MAX_SIZE);
    io_write(d->m, c + 0x18, 2, NUM);
    io_write(d->m, c + 0x20, 8, RING);
    io_write(d->m, c + 0x28, 8, d->avail);
    io_write(d->m, c + 0x30, 8, d->used);
    io_write(d->m, c + 0x1a, 2, 1);
    io_write(d->m, c + 0x1c, 2, 1);
    io_write(d->m, c + 0x14, 1, 15);
    g_assert_cmphex(io_read(d->m, c + 0x30, 8), ==, d->used);
    g_assert_cmpuint(io_read(d->m, c + 0x1c, 2), ==, 1);
}

static void kick(Driver *d)
{
    offer_buffer(d);
    io_write(d->m, structure(d, NOTIFY), 2, 0);
}

static void enable_messages(Driver *d)
{
    unsigned msix = find_cap(&d->p, 1, PCI_CAP_ID_MSIX, 0);

    config_set(&d->p, 1, msix + 2, 2, 0x8000);
    wr(d->m, BASE1 + 16, (uint32_t)TARGET);
    wr(d->m, BASE1 + 24, 0x77);
    wr(d->m, BASE1 + 28, 0);
}

static bool line(Driver *d)
{
    return d->p.line[1].level;
}

/* ---- */

static void test_identity(void)
{
    static const struct {
        const char *options;
        uint32_t id, class_revision, subsystem;
        bool ports, modern;
    } rows[] = {
        { "", 0x10051af4, 0x00ff0000, 0x00041af4, true, true },
        { ",disable-legacy=on", 0x10441af4, 0x00ff0001, 0x11001af4, false, true },
        { ",disable-modern=on", 0x10051af4, 0x00ff0000, 0x00041af4, true, false },
        { ",disable-legacy=off", 0x10051af4, 0x00ff0000, 0x00041af4, true, true },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        Driver d;

        start(&d, rows[i].options);
        g_assert_cmphex(config_get(&d.p, 1, 0, 4), ==, rows[i].id);
        g_assert_cmphex(config_get(&d.p, 1, 8, 4), ==, rows[i].class_revision);
        g_assert_cmphex(config_get(&d.p, 1, 0x2c, 4), ==, rows[i].subsystem);
        g_assert_cmpuint(config_get(&d.p, 1, 0x10, 4) & 1, ==, rows[i].ports);
        g_assert_cmpuint(!!find_cap(&d.p, 1, PCI_CAP_ID_VNDR, 4), ==, rows[i].modern);
        /* Legacy bits are those of the ports, VERSION_1 is of the other interface. */
        g_assert_cmphex(d.v->host_features, ==, (rows[i].modern ? 1ull << 32 : 0) | 0x30000000 |
                                                (rows[i].ports ? 0x09000000 : 0));
        end(&d);
    }
}

static void assert_refused(const char *text, const char *message)
{
    PciMachine p;
    Error *err = NULL;

    pci_machine_init(&p, types);
    g_assert_false(device_plug(p.m, text, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, message);
    error_free(err);
    machine_free(p.m);
}

static void test_options(void)
{
    Driver d;

    assert_refused("virtio-rng-pci,disable-legacy=on,disable-modern=on",
                   "-device virtio-rng-pci: disable-modern=on and no legacy interface leave no "
                   "interface at all; disable-legacy=off gives it the legacy one");
    assert_refused("virtio-rng-pci,vectors=65",
                   "-device virtio-rng-pci: vectors=65: a function has 0 to 64 here");
    assert_refused("virtio-rng-pci,rombar=0,romfile=x.rom", "-device virtio-rng-pci: "
                   "romfile=x.rom is not supported; functions have no option ROM here");
    start(&d, ",vectors=0,event_idx=off,romfile=");
    g_assert_cmpuint(find_cap(&d.p, 1, PCI_CAP_ID_MSIX, 0), ==, 0);
    g_assert_cmphex(rd(d.m, structure(&d, COMMON) + 4), ==, 0x10000000);
    end(&d);
    start(&d, ",vectors=64");
    g_assert_cmphex(config_get(&d.p, 1, find_cap(&d.p, 1, PCI_CAP_ID_MSIX, 0) + 2, 2), ==, 63);
    end(&d);
}

static void test_modern(void)
{
    hwaddr c;
    Driver d;

    start(&d, "");
    c = structure(&d, COMMON);
    g_assert_cmphex(rd(d.m, c + 4), ==, 0x30000000);
    wr(d.m, c, 1);
    g_assert_cmphex(rd(d.m, c + 4), ==, 1);
    wr(d.m, c, 2);
    g_assert_cmphex(rd(d.m, c + 4), ==, 0);
    g_assert_cmpuint(io_read(d.m, c + 0x12, 2), ==, 1);
    setup_modern(&d);
    /* Ring addresses stay while the queue is in use, and a queue that is not there has none. */
    wr(d.m, c + 0x20, 0);
    g_assert_cmphex(io_read(d.m, c + 0x20, 8), ==, RING);
    io_write(d.m, c + 0x16, 2, 1);
    g_assert_cmphex(io_read(d.m, c + 0x20, 8), ==, 0);
    g_assert_cmphex(io_read(d.m, c + 0x18, 2), ==, 0);
    io_write(d.m, c + 0x20, 8, RING);
    io_write(d.m, c + 0x1c, 2, 1);
    io_write(d.m, c + 0x1a, 2, 0);
    g_assert_cmphex(io_read(d.m, c + 0x1a, 2), ==, 0xffff);
    /* The line, until the status is read. */
    kick(&d);
    g_assert_cmphex(get(&d, d.used + 2, 2), ==, 1);
    g_assert_cmphex(get(&d, BUFFER, 8), ==, 0x3736353433323130);
    g_assert_true(line(&d));
    g_assert_cmphex(peek(d.m, structure(&d, ISR)) & 0xff, ==, 1);
    g_assert_true(line(&d));
    g_assert_cmphex(io_read(d.m, structure(&d, ISR), 1), ==, 1);
    g_assert_false(line(&d));
    g_assert_cmphex(io_read(d.m, structure(&d, ISR), 1), ==, 0);
    io_write(d.m, c + 0x14, 1, 0);
    g_assert_cmphex(rd(d.m, c), ==, 0);
    end(&d);
}

static void test_messages(void)
{
    hwaddr c;
    Driver d;

    start(&d, "");
    c = structure(&d, COMMON);
    enable_messages(&d);
    setup_modern(&d);
    g_assert_cmphex(io_read(d.m, c + 0x1a, 2), ==, 1);
    io_write(d.m, c + 0x1a, 2, 2);
    g_assert_cmphex(io_read(d.m, c + 0x1a, 2), ==, 0xffff);
    io_write(d.m, c + 0x10, 2, 7);
    g_assert_cmphex(io_read(d.m, c + 0x10, 2), ==, 0xffff);
    io_write(d.m, c + 0x10, 2, 0);
    g_assert_cmphex(io_read(d.m, c + 0x10, 2), ==, 0);
    /* Without a vector nobody is told, and never by the line. */
    kick(&d);
    g_assert_cmphex(get(&d, TARGET, 4), ==, 0);
    io_write(d.m, c + 0x1a, 2, 1);
    kick(&d);
    g_assert_cmphex(get(&d, TARGET, 4), ==, 0x77);
    g_assert_cmphex(get(&d, d.used + 2, 2), ==, 2);
    g_assert_false(line(&d));
    g_assert_cmphex(io_read(d.m, structure(&d, ISR), 1), ==, 0);
    end(&d);
}

/* Not a bus master, it leaves the rings alone. */
static void test_master(void)
{
    Driver d;

    start(&d, "");
    setup_modern(&d);
    config_set(&d.p, 1, PCI_COMMAND, 2, 3);
    kick(&d);
    g_assert_cmphex(get(&d, d.used + 2, 2), ==, 0);
    config_set(&d.p, 1, PCI_COMMAND, 2, 7);
    kick(&d);
    g_assert_cmphex(get(&d, d.used + 2, 2), ==, 2);
    end(&d);
}

/* A message to the device's own status: it does not reset itself in the middle of a kick. */
static void test_self(void)
{
    Driver d;

    start(&d, "");
    enable_messages(&d);
    wr(d.m, BASE1 + 16, (uint32_t)BASE4 + 0x14);
    wr(d.m, BASE1 + 20, (uint32_t)(BASE4 >> 32));
    wr(d.m, BASE1 + 24, 0);
    setup_modern(&d);
    kick(&d);
    g_assert_cmphex(io_read(d.m, structure(&d, COMMON) + 0x14, 1), ==, 15);
    g_assert_cmphex(get(&d, d.used + 2, 2), ==, 1);
    end(&d);
}

static void test_legacy(void)
{
    hwaddr io = PIO + PORTS;
    Driver d;

    start(&d, ",disable-modern=on");
    g_assert_cmphex(rd(d.m, io), ==, 0x39000000);
    io_write(d.m, io + 18, 1, 3);
    wr(d.m, io + 4, 0);
    io_write(d.m, io + 14, 2, 0);
    g_assert_cmpuint(io_read(d.m, io + 12, 2), ==, VIRTQUEUE_MAX_SIZE);
    g_assert_cmphex(rd(d.m, io + 8), ==, 0);
    wr(d.m, io + 8, (uint32_t)(RING >> 12));
    g_assert_cmphex(rd(d.m, io + 8), ==, RING >> 12);
    io_write(d.m, io + 18, 1, 7);
    g_assert_cmphex(io_read(d.m, io + 18, 1), ==, 7);
    d.avail = RING + 16 * VIRTQUEUE_MAX_SIZE;
    d.used = (d.avail + 6 + 2 * VIRTQUEUE_MAX_SIZE + 4095) & ~4095ull;
    offer_buffer(&d);
    io_write(d.m, io + 16, 2, 0);
    g_assert_cmphex(get(&d, d.used + 2, 2), ==, 1);
    g_assert_true(line(&d));
    g_assert_cmphex(io_read(d.m, io + 19, 1), ==, 1);
    g_assert_false(line(&d));
    /* With messages, vectors are where the device's configuration was. */
    enable_messages(&d);
    io_write(d.m, io + 22, 2, 1);
    io_write(d.m, io + 20, 2, 5);
    g_assert_cmphex(io_read(d.m, io + 22, 2), ==, 1);
    g_assert_cmphex(io_read(d.m, io + 20, 2), ==, 0xffff);
    offer_buffer(&d);
    io_write(d.m, io + 16, 2, 0);
    g_assert_cmphex(get(&d, TARGET, 4), ==, 0x77);
    g_assert_false(line(&d));
    wr(d.m, io + 8, 0);
    g_assert_cmphex(rd(d.m, io + 8), ==, 0);
    io_write(d.m, io + 18, 1, 0);
    g_assert_cmphex(io_read(d.m, io + 18, 1), ==, 0);
    end(&d);
}

/* What a driver of either interface has chosen does not bind one of the other. */
static void test_transitional(void)
{
    hwaddr io = PIO + PORTS, c;
    Driver d;

    start(&d, "");
    c = structure(&d, COMMON);
    wr(d.m, c + 0xc, UINT32_MAX);
    g_assert_cmphex(d.v->s->driver_features, ==, 0x30000000);
    g_assert_cmphex(rd(d.m, c + 0xc), ==, 0x30000000);
    wr(d.m, io + 4, UINT32_MAX);
    g_assert_cmphex(d.v->s->driver_features, ==, 0x39000000);
    io_write(d.m, c + 0x18, 2, NUM);
    wr(d.m, io + 8, (uint32_t)(RING >> 12));
    g_assert_cmpuint(d.v->s->queue_num[0], ==, VIRTQUEUE_MAX_SIZE);
    end(&d);
}

static void test_window(void)
{
    unsigned at = 0;
    Driver d;

    start(&d, "");
    for (unsigned n = 0; config_get(&d.p, 1, at + 3, 1) != WINDOW || !at; n++) {
        at = find_cap(&d.p, 1, PCI_CAP_ID_VNDR, n);
        g_assert_cmpuint(at, !=, 0);
    }
    /* Even with nothing decoded. */
    config_set(&d.p, 1, PCI_COMMAND, 2, 0);
    config_set(&d.p, 1, at + 4, 1, 4);
    config_set(&d.p, 1, at + 8, 4, 0x12);
    config_set(&d.p, 1, at + 12, 4, 2);
    g_assert_cmphex(config_get(&d.p, 1, at + 16, 4), ==, 1);
    config_set(&d.p, 1, at + 8, 4, 0x14);
    config_set(&d.p, 1, at + 12, 4, 1);
    config_set(&d.p, 1, at + 16, 4, 3);
    g_assert_cmphex(d.v->s->status, ==, 3);
    g_assert_cmphex(config_get(&d.p, 1, at + 16, 1), ==, 3);
    /* Places that there are not. */
    for (unsigned i = 0; i < 5; i++) {
        static const uint32_t wrong[5][3] = {
            { 4, 0x4000, 4 }, { 4, 0x3fff, 2 }, { 6, 0, 4 }, { 2, 0, 4 }, { 4, 0x14, 3 },
        };

        config_set(&d.p, 1, at + 4, 1, wrong[i][0]);
        config_set(&d.p, 1, at + 8, 4, wrong[i][1]);
        config_set(&d.p, 1, at + 12, 4, wrong[i][2]);
        config_set(&d.p, 1, at + 16, 4, 0);
        g_assert_cmphex(config_get(&d.p, 1, at + 16, 4), ==, 0);
        g_assert_cmphex(d.v->s->status, ==, 3);
    }
    end(&d);
}

static void test_reset(void)
{
    uint64_t before;
    Driver d;

    start(&d, "");
    machine_reset_devices(d.m);
    before = devices_digest(d.m);
    place(&d);
    enable_messages(&d);
    setup_modern(&d);
    kick(&d);
    g_assert_cmphex(devices_digest(d.m), !=, before);
    machine_reset_devices(d.m);
    g_assert_cmphex(devices_digest(d.m), ==, before);
    end(&d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-pci/identity", test_identity);
    g_test_add_func("/virtio-pci/options", test_options);
    g_test_add_func("/virtio-pci/modern", test_modern);
    g_test_add_func("/virtio-pci/messages", test_messages);
    g_test_add_func("/virtio-pci/master", test_master);
    g_test_add_func("/virtio-pci/self", test_self);
    g_test_add_func("/virtio-pci/legacy", test_legacy);
    g_test_add_func("/virtio-pci/transitional", test_transitional);
    g_test_add_func("/virtio-pci/window", test_window);
    g_test_add_func("/virtio-pci/reset", test_reset);
    return g_test_run();
}
