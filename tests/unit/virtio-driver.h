/*
 * The driver's side of one virtio-mmio device with one split queue, for tests:
 * a machine with 1 MiB of RAM at RAM_BASE and the transport at MMIO_BASE.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_VIRTIO_DRIVER_H
#define TESTS_UNIT_VIRTIO_DRIVER_H

#include "hw/core/bus.h"
#include "hw/virtio/virtio-mmio.h"

#define RAM_BASE 0x40000000ull
#define RAM_SIZE (1ull << 20)
#define MMIO_BASE 0x0a003e00ull
#define RING_BASE (RAM_BASE + 0x10000)
#define INDIRECT_BASE (RAM_BASE + 0x20000)
#define BUFFER_BASE (RAM_BASE + 0x40000)

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };

typedef struct Driver {
    Machine *m;
    VirtioDevice *v;
    bool irq;
    unsigned irq_calls;
    unsigned num;
    uint16_t avail_idx;
    hwaddr desc, avail, used;
} Driver;

static inline void driver_irq(void *opaque, unsigned n, bool level)
{
    Driver *d = opaque;

    d->irq = level;
    d->irq_calls++;
}

static inline IrqLine driver_irq_line(Driver *d)
{
    return (IrqLine){ .handler = driver_irq, .opaque = d };
}

static inline uint32_t reg_read(Driver *d, unsigned offset)
{
    uint64_t value = 0;

    g_assert_true(memory_io_read(d->m->memory, MMIO_BASE + offset, 4, &value));
    return (uint32_t)value;
}

static inline void reg_write(Driver *d, unsigned offset, uint32_t value)
{
    g_assert_true(memory_io_write(d->m->memory, MMIO_BASE + offset, 4, value));
}

static inline uint64_t ram_read(Driver *d, hwaddr addr, unsigned size)
{
    uint64_t value = 0;

    g_assert_true(memory_read(d->m->memory, addr, &value, size));
    return value;
}

static inline void ram_write(Driver *d, hwaddr addr, uint64_t value, unsigned size)
{
    g_assert_true(memory_write(d->m->memory, addr, &value, size));
}

/* replay: NULL in tests with fake-replay.h. */
static inline void driver_init_machine(Driver *d, Replay *replay)
{
    *d = (Driver){ .m = machine_new(replay) };
    g_assert_nonnull(memory_add_ram(d->m->memory, "ram", RAM_BASE, RAM_SIZE, false, NULL));
}

/* A transport at `base`, with the device type plugged in as `id`; NULL: with nothing. */
static inline void driver_add_transport(Driver *d, hwaddr base, bool legacy,
                                        const DeviceType *type, const char *id)
{
    const DeviceType *const types[] = { &virtio_mmio_type, type, NULL };
    g_autofree char *transport = g_strdup_printf("virtio-mmio.%" PRIx64, base);
    g_autofree char *plug = type ? g_strdup_printf("%s,id=%s", type->name, id) : NULL;

    d->m->device_types = types;
    g_assert_true(globals_add(d->m, legacy ? "virtio-mmio.force-legacy=on" :
                              "virtio-mmio.force-legacy=off", NULL));
    g_assert_nonnull(device_add(d->m, &virtio_mmio_type, transport, base, driver_irq_line(d),
                                NULL));
    if (type) {
        g_assert_true(device_plug(d->m, plug, NULL));
        d->v = container_of(machine_find_device(d->m, id), VirtioDevice, dev);
    }
    d->m->device_types = NULL;
}

static inline void driver_free(Driver *d)
{
    machine_free(d->m);
}

/* Negotiate and set up queue 0 by the version 1 registers. */
static inline void driver_start_legacy(Driver *d, uint32_t features, unsigned num)
{
    reg_write(d, 0x70, 0);
    reg_write(d, 0x70, 1);
    reg_write(d, 0x70, 3);
    reg_write(d, 0x24, 0);
    reg_write(d, 0x20, features);
    reg_write(d, 0x28, 4096);
    reg_write(d, 0x30, 0);
    reg_write(d, 0x38, num);
    reg_write(d, 0x3c, 4096);
    reg_write(d, 0x40, (uint32_t)(RING_BASE >> 12));
    reg_write(d, 0x70, 7);
    d->num = num;
    d->avail_idx = 0;
    d->desc = RING_BASE;
    d->avail = RING_BASE + 16 * num;
    d->used = (d->avail + 6 + 2 * num + 4095) & ~4095ull;
}

/* The same by the version 2 registers; features with VERSION_1. */
static inline void driver_start_with(Driver *d, uint64_t features, unsigned num)
{
    reg_write(d, 0x70, 0);
    reg_write(d, 0x70, 1);
    reg_write(d, 0x70, 3);
    reg_write(d, 0x24, 0);
    reg_write(d, 0x20, (uint32_t)features);
    reg_write(d, 0x24, 1);
    reg_write(d, 0x20, (uint32_t)(features >> 32));
    reg_write(d, 0x70, 11);
    d->num = num;
    d->avail_idx = 0;
    d->desc = RING_BASE;
    d->avail = RING_BASE + 0x8000;
    d->used = RING_BASE + 0xc000;
    reg_write(d, 0x30, 0);
    reg_write(d, 0x38, num);
    reg_write(d, 0x80, (uint32_t)d->desc);
    reg_write(d, 0x84, 0);
    reg_write(d, 0x90, (uint32_t)d->avail);
    reg_write(d, 0x94, 0);
    reg_write(d, 0xa0, (uint32_t)d->used);
    reg_write(d, 0xa4, 0);
    reg_write(d, 0x44, 1);
    reg_write(d, 0x70, 15);
}

/* Features without VERSION_1, which is added. */
static inline void driver_start_modern(Driver *d, uint32_t features, unsigned num)
{
    driver_start_with(d, features | 1ull << VIRTIO_F_VERSION_1, num);
}

/* The same with a packed ring, whose driver's events are at d->avail, and the device's at d->used. */
static inline void driver_start_packed(Driver *d, uint32_t features, unsigned num)
{
    driver_start_with(d, features | 1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_F_RING_PACKED, num);
}

/* Where the rings of queue q are, of all queues but the first. */
#define RINGS(q) (RAM_BASE + 0xc0000 + (q) * 0x4000ull)

/* d[0] is started by the present interface; the driver's side of its other queues, d[1] to d[queues - 1]. */
static inline void driver_start_more(Driver *d, unsigned queues)
{
    for (unsigned q = 1; q < queues; q++) {
        d[q] = d[0];
        d[q].desc = RINGS(q);
        d[q].avail = d[q].desc + 0x1000;
        d[q].used = d[q].desc + 0x2000;
        reg_write(d, 0x30, q);
        reg_write(d, 0x38, d->num);
        reg_write(d, 0x80, (uint32_t)d[q].desc);
        reg_write(d, 0x90, (uint32_t)d[q].avail);
        reg_write(d, 0xa0, (uint32_t)d[q].used);
        reg_write(d, 0x44, 1);
    }
}

static inline void put_desc(Driver *d, hwaddr table, unsigned i, uint64_t addr, uint32_t length,
                            uint16_t flags, uint16_t next)
{
    ram_write(d, table + 16 * i, addr, 8);
    ram_write(d, table + 16 * i + 8, length, 4);
    ram_write(d, table + 16 * i + 12, flags, 2);
    ram_write(d, table + 16 * i + 14, next, 2);
}

static inline void make_available(Driver *d, uint16_t head)
{
    ram_write(d, d->avail + 4 + 2 * (d->avail_idx % d->num), head, 2);
    d->avail_idx++;
    ram_write(d, d->avail + 2, d->avail_idx, 2);
}

static inline void kick(Driver *d)
{
    reg_write(d, 0x50, 0);
}

static inline uint16_t used_index(Driver *d)
{
    return (uint16_t)ram_read(d, d->used + 2, 2);
}

static inline uint32_t used_length(Driver *d, unsigned i)
{
    return (uint32_t)ram_read(d, d->used + 4 + 8 * i + 4, 4);
}

static inline uint32_t used_id(Driver *d, unsigned i)
{
    return (uint32_t)ram_read(d, d->used + 4 + 8 * i, 4);
}

#endif
