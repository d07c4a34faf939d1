/*
 * Whole boards under random treatment: accesses to their registers, time that passes, input from
 * outside, requests to devices. Include it in one file of a test.
 *
 * Values of the host are scripted, so that boards that are treated alike get the same ones.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_RANDOM_BOARD_H
#define TESTS_UNIT_RANDOM_BOARD_H

#include "util/osdep.h"
#include "accel/tcg/tcg.h"
#include "chardev/char-port.h"
#include "fake-replay.h"
#include "hw/block/pflash_cfi01.h"
#include "hw/core/board.h"
#include "hw/core/hotplug.h"
#include "hw/gpio/pl061.h"
#include "hw/misc/edu.h"
#include "hw/pci/pci-host.h"
#include "hw/intc/gicv2.h"
#include "hw/rtc/pl031.h"
#include "hw/virtio/virtio.h"
#include "rng.h"

#define RAM_BASE 0x40000000ull
#define RAM_SIZE (16u << 20)

/* ---- what comes from outside ---- */

static bool running;
static unsigned requests_done;     /* by virtio devices */

void replay_source_refuse(Replay *r, const char *name, const char *why)
{
}

/* Devices must not ask; who does while the machine runs, fails. */
char *getenv(const char *name)
{
    g_assert_false(running);
    return NULL;
}

/* ---- boards ---- */

/* Interrupt inputs to which no board connects anything. */
static const struct FreeInput {
    const DeviceType *type;
    unsigned n;
} free_inputs[] = {
    { &gicv2_type, 200 }, { &gicv2_type, 201 }, { &pl061_type, 0 }, { &pl061_type, 1 },
};

typedef struct Board {
    Machine *m;
    TcgContext *tcg;
    BoardConfig config;
    GPtrArray *devices, *globals;
    IrqLine input[ARRAY_SIZE(free_inputs)];    /* IRQ_NONE: the board has no such device */
} Board;

/* What a user may add to a board. */
static const struct Additions {
    const char *device[4], *global;
} additions[] = {
    { { NULL }, NULL },
    { { "virtio-rng-device,id=rng0", "pvpanic-mmio" }, NULL },
    { { "virtio-rng-device,id=rng0", "virtio-rng-device,id=rng1" }, NULL },
    { { "virtio-rng-device,id=rng0", "sbsa-gwdt" }, "virtio-mmio.force-legacy=off" },
    { { "virtio-rng-pci,id=rng0,addr=2", "pcie-root-port,id=rp,addr=3", "edu,id=edu0,bus=rp",
        "edu,id=edu1" }, "edu.dma_mask=0xffffffff" },
};

static inline void add_additions(Board *b, const struct Additions *added)
{
    for (unsigned i = 0; i < ARRAY_SIZE(added->device) && added->device[i]; i++) {
        g_ptr_array_add(b->devices, (void *)added->device[i]);
    }
    if (added->global) {
        g_ptr_array_add(b->globals, (void *)added->global);
    }
}

static inline void take_inputs(Board *b)
{
    for (unsigned i = 0; i < ARRAY_SIZE(free_inputs); i++) {
        for (unsigned n = 0; n < b->m->devices->len; n++) {
            Device *dev = g_ptr_array_index(b->m->devices, n);

            if (dev->type == free_inputs[i].type) {
                b->input[i] = device_input(dev, free_inputs[i].n);
            }
        }
    }
}

/* With additions[added]. */
static inline void make_board(Board *b, const BoardType *type, unsigned num_cpus, unsigned added)
{
    TcgConfig tcg = { .interp = true };
    Error *err = NULL;

    *b = (Board){ .m = machine_new(NULL), .devices = g_ptr_array_new(),
                  .globals = g_ptr_array_new() };
    b->m->device_types = device_types;
    add_additions(b, &additions[added]);
    b->config = (BoardConfig){ .ram_size = RAM_SIZE, .num_cpus = num_cpus,
                               .topology = { .cpus = num_cpus, .max_cpus = num_cpus, .sockets = 1,
                                             .cores = num_cpus, .threads = 1, .clusters = 1 },
                               .devices = b->devices, .globals = b->globals };
    if (!board_create(type, b->m, &b->config, &err)) {
        g_error("%s", error_get_pretty(err));
    }
    clock_use_icount(b->m->clock, 0);
    take_inputs(b);
    b->tcg = tcg_new(b->m, &tcg, NULL);
    for (unsigned i = 0; i < b->m->num_cpus; i++) {
        tcg_add_vcpu(b->tcg, b->m->cpus[i]);
    }
}

static inline void board_reset(Board *b)
{
    fake_replay.next_byte = 0;
    for (unsigned i = 0; i < b->m->num_cpus; i++) {
        b->m->cpus[i]->ops->reset(b->m->cpus[i]);
    }
    machine_reset_devices(b->m);
    b->m->shutdown_request = b->m->reset_request = SHUTDOWN_CAUSE_NONE;
}

static inline void board_free(Board *b)
{
    tcg_free(b->tcg);
    for (unsigned i = 0; i < b->m->num_cpus; i++) {
        b->m->cpus[i]->ops->free(b->m->cpus[i]);
    }
    machine_free(b->m);
    g_ptr_array_unref(b->devices);
    g_ptr_array_unref(b->globals);
}

static inline uint64_t board_devices_digest(Board *b)
{
    Digest *d = digest_new();
    uint64_t value;

    machine_digest_devices(b->m, d);
    value = digest_value(d);
    digest_free(d);
    return value;
}

static inline uint64_t board_digest(Board *b)
{
    Digest *d = digest_new();
    uint64_t value;

    machine_digest_devices(b->m, d);
    for (unsigned i = 0; i < b->m->num_cpus; i++) {
        b->m->cpus[i]->ops->digest(b->m->cpus[i], d);
    }
    memory_digest_all(b->m->memory, d);
    value = digest_value(d);
    digest_free(d);
    return value;
}

/* ---- random treatment ---- */

/* Where a write of this size has an effect. */
typedef struct Place {
    hwaddr addr;
    unsigned size;
} Place;

/* A window of a device. */
typedef struct Registers {
    hwaddr base, size;
    const char *name;
    const DeviceType *type;
    unsigned device;          /* whose, in Machine.devices */
    GArray *places;           /* Place */
} Registers;

/* Beyond it no device has more than what it has before. */
#define REGISTERS_END 0x1200

/* Whether a write shows in the state of some device. */
static inline bool has_effect(Board *b, const Place *p)
{
    static const uint64_t values[] = { UINT64_MAX, 1 };
    uint64_t before = board_devices_digest(b);
    bool effect = false;

    for (unsigned i = 0; i < ARRAY_SIZE(values) && !effect; i++) {
        memory_io_write(b->m->memory, p->addr, p->size, values[i]);
        effect = board_devices_digest(b) != before;
    }
    return effect;
}

static inline void find_places(Board *b, Registers *r)
{
    static const unsigned sizes[] = { 4, 2, 1, 8 };

    for (hwaddr offset = 0; offset < MIN(r->size, REGISTERS_END); offset += 4) {
        for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
            Place p = { r->base + offset, sizes[i] };

            if (has_effect(b, &p)) {
                g_array_append_val(r->places, p);
                break;
            }
        }
    }
}

static inline void clear_registers(void *registers)
{
    g_array_unref(((Registers *)registers)->places);
}

/* Transports into which nothing is plugged are all alike: one is enough. */
static inline bool is_empty_bus(const Device *dev)
{
    for (unsigned i = 0; i < dev->machine->buses->len; i++) {
        const Bus *bus = g_ptr_array_index(dev->machine->buses, i);

        if (bus->parent == dev) {
            return bus->children->len == 0;
        }
    }
    return false;
}

/* All windows of such a board, found on one that is thrown away. */
static inline GArray *board_registers(const BoardType *type, unsigned num_cpus, unsigned added)
{
    GArray *list = g_array_new(false, false, sizeof(Registers));
    bool empty_bus = false;
    Board b;

    make_board(&b, type, num_cpus, added);
    board_reset(&b);
    g_array_set_clear_func(list, clear_registers);
    for (unsigned i = 0; i < b.m->devices->len; i++) {
        const Device *dev = g_ptr_array_index(b.m->devices, i);

        if (is_empty_bus(dev)) {
            if (empty_bus) {
                continue;
            }
            empty_bus = true;
        }
        for (unsigned n = 0; n < DEVICE_MAX_REGIONS && dev->region[n]; n++) {
            Registers r = { dev->region[n]->base, dev->region[n]->size, dev->type->name, dev->type,
                            i, g_array_new(false, false, sizeof(Place)) };

            find_places(&b, &r);
            g_array_append_val(list, r);
        }
    }
    board_free(&b);
    g_assert_cmpuint(list->len, >, 0);
    return list;
}

typedef enum ActKind {
    ACT_READ, ACT_WRITE, ACT_TIME, ACT_POWERDOWN, ACT_TYPE, ACT_LINE, ACT_REQUEST,
} ActKind;

typedef struct Act {
    ActKind kind;
    Place place;
    unsigned cpu;
    uint64_t value;
    uint8_t host;             /* the first byte of what the host gives */
    Registers registers;      /* whose */
} Act;

/* Small numbers, single bits and addresses of RAM are what registers are made for. */
static inline uint64_t random_value(Rng *rng)
{
    switch (rng_below(rng, 6)) {
    case 0: return rng_below(rng, 16);
    case 1: return 1ull << rng_below(rng, 32);
    case 2: return UINT32_MAX;
    case 3: return 0x40000000 + rng_below(rng, 1 << 16) * 8ull;
    case 4: return 0x40000 + rng_below(rng, 64);
    default: return rng_next(rng);
    }
}

/* Most devices have most of their registers at its start. */
static inline hwaddr random_span(Rng *rng, const Registers *r)
{
    return MIN(r->size, rng_percent(rng, 70) ? 0x80 : REGISTERS_END);
}

static inline Place random_place(Rng *rng, const Registers *r)
{
    /* What controls a device comes first, and must not drown in arrays of registers. */
    unsigned places = rng_percent(rng, 50) ? r->places->len : MIN(r->places->len, 16);
    hwaddr span = random_span(rng, r);
    Place p = { .size = rng_percent(rng, 80) ? 4 : 1u << rng_below(rng, 4) };

    if (places && rng_percent(rng, 70)) {
        return g_array_index(r->places, Place, rng_below(rng, places));
    }
    p.addr = r->base + rng_below(rng, (uint32_t)span) / p.size * p.size;
    return p;
}

/* What is no access: time passes, or something comes from outside. */
static inline ActKind random_event(Rng *rng)
{
    static const ActKind kinds[] = { ACT_TIME, ACT_POWERDOWN, ACT_TYPE, ACT_LINE, ACT_REQUEST };

    return kinds[rng_below(rng, ARRAY_SIZE(kinds))];
}

/* Most accesses are to the window `focus`; NULL: to any. */
static inline Act random_act(Rng *rng, const GArray *registers, const Registers *focus,
                             unsigned num_cpus)
{
    const Registers *r = &g_array_index(registers, Registers, rng_below(rng, registers->len));
    Act a = { .kind = rng_percent(rng, 45) ? ACT_READ : ACT_WRITE,
              .cpu = rng_below(rng, num_cpus), .value = random_value(rng),
              .host = (uint8_t)rng_next(rng) };

    a.registers = focus && rng_percent(rng, 90) ? *focus : *r;
    a.place = random_place(rng, &a.registers);
    if (rng_percent(rng, 8)) {
        a.kind = random_event(rng);
    }
    /* What is behind the bridge has no window of its own. */
    if (a.registers.type == &pci_host_type && rng_percent(rng, 40)) {
        a.kind = ACT_REQUEST;
    }
    if (a.kind == ACT_TIME) {
        a.value = rng_percent(rng, 50) ? rng_below(rng, 1000) : rng_below(rng, UINT32_MAX) * 8ull;
    }
    return a;
}

/* ---- requests ---- */

/* The n-th virtio device, counted modulo how many there are; NULL: none. */
static inline VirtioDevice *virtio_device(Board *b, unsigned n)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();

    for (unsigned i = 0; i < b->m->buses->len; i++) {
        const Bus *bus = g_ptr_array_index(b->m->buses, i);

        if (strcmp(bus->kind, VIRTIO_BUS) == 0 && bus->children->len) {
            g_ptr_array_add(found, g_ptr_array_index(bus->children, 0));
        }
    }
    return found->len ? container_of(g_ptr_array_index(found, n % found->len), VirtioDevice, dev)
                      : NULL;
}

static inline void put(Board *b, hwaddr addr, uint64_t value, unsigned size)
{
    memory_write(b->m->memory, addr, &value, size);     /* as the host is little-endian, too */
}

/* Buffers, most of them good, in a ring of `num`; as many are made available. */
static inline void fill_ring(Board *b, Rng *rng, hwaddr ring, unsigned num)
{
    hwaddr avail = ring + 16 * num;

    for (unsigned i = 0; i < num; i++) {
        put(b, ring + 16 * i, RAM_BASE + rng_below(rng, RAM_SIZE + RAM_SIZE / 64), 8);
        put(b, ring + 16 * i + 8, rng_below(rng, 300), 4);
        put(b, ring + 16 * i + 12, rng_percent(rng, 90) ? 2 : rng_below(rng, 8), 2);
        put(b, ring + 16 * i + 14, rng_below(rng, num), 2);
        put(b, avail + 4 + 2 * i, rng_percent(rng, 98) ? i : rng_next(rng), 2);
    }
    put(b, avail, rng_below(rng, 2), 2);
    put(b, avail + 2, num, 2);
}

typedef uint32_t RegisterWrite[2];     /* offset, value */

static inline void write_all(Board *b, hwaddr base, const RegisterWrite *writes, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        memory_io_write(b->m->memory, base + writes[i][0], 4, writes[i][1]);
    }
}

/* A driver that starts a device (by version 1 or 2 of virtio-mmio) and kicks it. */
static inline void virtio_request(Board *b, Rng *rng)
{
    static const RegisterWrite reset[] = { { 0x70, 0 }, { 0x70, 1 }, { 0x70, 3 } };
    VirtioDevice *v = virtio_device(b, rng_below(rng, 8));
    unsigned num = 1u << rng_below(rng, 6), align = 1u << (2 + rng_below(rng, 11));
    uint32_t ring = RAM_BASE + rng_below(rng, 1024) * 4096u;
    const RegisterWrite version1[] = {
        { 0x24, 0 }, { 0x20, rng_next(rng) }, { 0x28, 4096 }, { 0x30, 0 }, { 0x38, num },
        { 0x3c, align }, { 0x40, ring >> 12 }, { 0x70, 7 }, { 0x50, 0 },
    };
    const RegisterWrite version2[] = {
        { 0x24, 0 }, { 0x20, rng_next(rng) }, { 0x24, 1 }, { 0x20, 1 }, { 0x70, 11 }, { 0x30, 0 },
        { 0x38, num }, { 0x80, ring }, { 0x84, 0 }, { 0x90, ring + 16 * num }, { 0x94, 0 },
        { 0xa0, ring + 4096 }, { 0xa4, 0 }, { 0x44, 1 }, { 0x70, 15 }, { 0x50, 0 },
    };
    hwaddr base;

    if (!v || !v->dev.bus->parent->region[0]) {
        return;
    }
    base = v->dev.bus->parent->region[0]->base;
    fill_ring(b, rng, ring, num);
    write_all(b, base, reset, ARRAY_SIZE(reset));
    if (v->legacy) {
        write_all(b, base, version1, ARRAY_SIZE(version1));
    } else {
        write_all(b, base, version2, ARRAY_SIZE(version2));
    }
    requests_done += v->s->used_idx[0];
}

/* ---- PCI ---- */

#define PCI_MMIO 0x10000000u
#define GICV2M_MESSAGE 0x08020040u

static inline PciDevice *pci_function_of(Board *b, unsigned n)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();

    for (unsigned i = 0; i < b->m->devices->len; i++) {
        Device *dev = g_ptr_array_index(b->m->devices, i);

        if (!g_strcmp0(dev->type->bus, PCI_BUS)) {
            g_ptr_array_add(found, dev);
        }
    }
    return found->len ? container_of(g_ptr_array_index(found, n % found->len), PciDevice, dev)
                      : NULL;
}

static inline hwaddr pci_function_config(Board *b, const PciDevice *d)
{
    const Device *host = machine_find_device(b->m, "pcie");

    return host->region[0]->base + ((hwaddr)pci_bus_number(d->bus) << 20) + (d->devfn << 12);
}

/* Give each BAR an address, one of few, so that they meet. */
static inline void pci_place(Board *b, Rng *rng, PciDevice *d)
{
    hwaddr config = pci_function_config(b, d);

    for (unsigned n = 0; n < PCI_NUM_BARS; n++) {
        bool io = d->bar[n].flags & PCI_BASE_ADDRESS_SPACE_IO;
        uint32_t base = (io ? 0x1000 : PCI_MMIO) + (rng_below(rng, 8) << (io ? 5 : 14));

        if (d->bar[n].region) {
            memory_io_write(b->m->memory, config + PCI_BASE_ADDRESS_0 + 4 * n, 4, base);
            memory_io_write(b->m->memory, config + PCI_BASE_ADDRESS_0 + 4 * n + 4, 4, 0);
        }
    }
    if (d->secondary) {
        memory_io_write(b->m->memory, config + PCI_PRIMARY_BUS, 4, 0x00010100);
        memory_io_write(b->m->memory, config + PCI_MEMORY_BASE, 4, PCI_MMIO >> 16 | PCI_MMIO);
    }
    memory_io_write(b->m->memory, config + PCI_COMMAND, 2,
                    rng_percent(rng, 90) ? 7 : rng_next(rng));
}

/* Vectors with a message each, of which some are masked. */
static inline void pci_start_messages(Board *b, Rng *rng, PciDevice *d)
{
    hwaddr config = pci_function_config(b, d);
    unsigned bar = d->s->config[d->cap.msix + PCI_MSIX_TABLE] % PCI_NUM_BARS;
    const MemRegion *region = d->bar[bar].region;
    hwaddr table = region ? region->base : 0;

    if (d->cap.msi) {
        memory_io_write(b->m->memory, config + d->cap.msi + PCI_MSI_ADDRESS_LO, 4, GICV2M_MESSAGE);
        memory_io_write(b->m->memory, config + d->cap.msi + PCI_MSI_DATA, 2,
                        80 + rng_below(rng, 64));
        memory_io_write(b->m->memory, config + d->cap.msi + PCI_MSI_FLAGS, 2, rng_below(rng, 2));
    }
    if (!d->cap.msix || !table) {
        return;
    }
    memory_io_write(b->m->memory, config + d->cap.msix + 2, 2, rng_percent(rng, 80) ? 0x8000 : 0);
    for (unsigned n = 0; n < d->msix_vectors; n++) {
        memory_io_write(b->m->memory, table + 16 * n, 4,
                        rng_percent(rng, 90) ? GICV2M_MESSAGE : random_value(rng));
        memory_io_write(b->m->memory, table + 16 * n + 8, 4, 80 + rng_below(rng, 64));
        memory_io_write(b->m->memory, table + 16 * n + 12, 4, rng_below(rng, 3) == 0);
    }
}

/* As virtio_request(), by the common configuration in BAR 4. */
static inline void virtio_pci_start(Board *b, Rng *rng, PciDevice *d)
{
    VirtioDevice *v = d->dev.part ? container_of(d->dev.part, VirtioDevice, dev) : NULL;
    unsigned num = 1u << rng_below(rng, 6);
    uint32_t ring = RAM_BASE + rng_below(rng, 1024) * 4096u;
    const RegisterWrite writes[] = {
        { 0x14, 0 }, { 0x14, 1 }, { 0x14, 3 }, { 0x08, 0 }, { 0x0c, rng_next(rng) }, { 0x08, 1 },
        { 0x0c, 1 }, { 0x14, 11 }, { 0x16, 0 }, { 0x18, num }, { 0x20, ring }, { 0x24, 0 },
        { 0x28, ring + 16 * num }, { 0x2c, 0 }, { 0x30, ring + 4096 }, { 0x34, 0 },
        { 0x10, rng_below(rng, 3) }, { 0x1a, rng_below(rng, 3) }, { 0x1c, 1 }, { 0x14, 15 },
        { 0x3000, 0 }, { 0x00, rng_below(rng, 2) }, { 0x16, rng_below(rng, 2) },
    };

    if (v && d->bar[4].region) {
        fill_ring(b, rng, ring, num);
        write_all(b, d->bar[4].region->base, writes, ARRAY_SIZE(writes));
        requests_done += v->s->used_idx[0];
    }
}

/* The educational device has something to compute, and to fetch. */
static inline void edu_start(Board *b, Rng *rng, PciDevice *d)
{
    uint32_t from = RAM_BASE + rng_below(rng, 1024) * 4096u;
    const RegisterWrite writes[] = {
        { 0x04, rng_next(rng) }, { 0x20, rng_next(rng) }, { 0x08, rng_below(rng, 40) },
        { 0x80, from }, { 0x84, 0 }, { 0x88, 0x40000 + rng_below(rng, 4096) }, { 0x8c, 0 },
        { 0x90, rng_below(rng, 1024) }, { 0x94, 0 }, { 0x98, 1 + rng_below(rng, 4) * 2 },
    };

    if (d->dev.type == &edu_type) {
        put(b, from, rng_next(rng), 8);
        write_all(b, d->bar[0].region->base, writes, ARRAY_SIZE(writes));
        if (rng_percent(rng, 50)) {
            clock_warp(b->m->clock, 1000000);
            clock_run_timers(b->m->clock);
        }
    }
}

/* The slot of a port is switched on or off, its events are enabled or not, and its device is to go. */
static inline void port_start(Board *b, Rng *rng, PciDevice *d)
{
    static const uint16_t controls[] = { 0x11f9, 0x01f9, 0x17f9, 0x07c0 };
    hwaddr slot = pci_function_config(b, d) + d->cap.exp + PCI_EXP_SLTCTL;

    if (rng_percent(rng, 60)) {
        memory_io_write(b->m->memory, slot + 2, 2, UINT16_MAX);
    }
    memory_io_write(b->m->memory, slot, 2, controls[rng_below(rng, ARRAY_SIZE(controls))]);
    if (rng_percent(rng, 50)) {
        hotplug_del(b->m, "edu0", NULL);
    }
}

static inline void pci_request(Board *b, Rng *rng)
{
    PciDevice *d = pci_function_of(b, rng_below(rng, 8));
    hwaddr config;

    if (!d) {
        return;
    }
    config = pci_function_config(b, d);
    pci_place(b, rng, d);
    if (rng_percent(rng, 70)) {
        pci_start_messages(b, rng, d);
        virtio_pci_start(b, rng, d);
        edu_start(b, rng, d);
    }
    if (d->secondary) {
        port_start(b, rng, d);
    }
    for (unsigned i = rng_below(rng, 8); i; i--) {
        unsigned n = rng_below(rng, PCI_NUM_BARS), size = 1u << rng_below(rng, 4);
        hwaddr addr = config + rng_below(rng, 64) * 4;

        if (d->bar[n].region && rng_percent(rng, 50)) {
            addr = d->bar[n].region->base + rng_below(rng, 64) * size;
        }
        memory_io_write(b->m->memory, addr, size, random_value(rng));
    }
}

/* A buffered program of flash, or the beginning of one. */
static inline void flash_request(Board *b, hwaddr base, Rng *rng)
{
    hwaddr addr = base + rng_below(rng, 1 << 16) * 4ull;
    unsigned count = rng_below(rng, 8), words = rng_below(rng, count + 2);

    memory_io_write(b->m->memory, addr, 4, 0xe8);
    memory_io_write(b->m->memory, addr, 4, count);
    for (unsigned i = 0; i < words; i++) {
        memory_io_write(b->m->memory, addr + 4 * i, 4, rng_next(rng));
    }
    if (words == count + 1) {
        memory_io_write(b->m->memory, addr, 4, 0xd0);
    }
}

/* An alarm some seconds from now: the host's clock stands still meanwhile. */
static inline void rtc_request(Board *b, const Act *a, Rng *rng)
{
    uint64_t now = 0;

    memory_io_read(b->m->memory, a->registers.base, 4, &now);
    fake_replay.next_byte = a->host;
    memory_io_write(b->m->memory, a->registers.base + 4, 4, now + rng_below(rng, 10));
}

/* What takes several accesses in order, which come up at random too seldom. */
static inline void make_request(Board *b, const Act *a)
{
    Rng rng = { a->value };

    if (a->registers.type == &pflash_cfi01_type) {
        flash_request(b, a->registers.base, &rng);
    } else if (a->registers.type == &pl031_type) {
        rtc_request(b, a, &rng);
    } else if (a->registers.type == &pci_host_type) {
        pci_request(b, &rng);
    } else {
        virtio_request(b, &rng);
    }
}

/* A state has no place for requests that a device has taken and not given back yet. */
static inline void check_no_request(Board *b)
{
    for (unsigned n = 0; n < 2; n++) {
        const VirtioDevice *v = virtio_device(b, n);

        for (unsigned q = 0; v && q < v->vtype->num_queues; q++) {
            g_assert_true(v->s->broken || v->s->in_use[q] == 0);
        }
    }
}

/* So many times the same character arrives. */
static inline void type(CharPort *port, uint8_t character, unsigned count)
{
    while (count--) {
        g_byte_array_append(char_port_queue(port), &character, 1);
    }
    char_port_accept_input(port);
}

/* What a read gives. */
static inline uint64_t act(Board *b, const Act *a)
{
    uint64_t value = 0;

    running = true;
    fake_replay.next_byte = a->host;
    b->m->current_cpu = a->cpu;
    switch (a->kind) {
    case ACT_READ:
        memory_io_read(b->m->memory, a->place.addr, a->place.size, &value);
        break;
    case ACT_WRITE:
        memory_io_write(b->m->memory, a->place.addr, a->place.size, a->value);
        break;
    case ACT_TIME:
        clock_warp(b->m->clock, (int64_t)a->value);
        clock_run_timers(b->m->clock);
        break;
    case ACT_POWERDOWN:
        if (b->m->powerdown) {
            b->m->powerdown(b->m->powerdown_opaque);
        }
        break;
    case ACT_REQUEST:
        make_request(b, a);
        break;
    case ACT_LINE:
        irq_set(&b->input[a->host % ARRAY_SIZE(free_inputs)], a->value & 1);
        break;
    case ACT_TYPE:
        for (unsigned i = 0; i < b->m->serial->len; i++) {
            type(g_ptr_array_index(b->m->serial, i), a->host, 1 + a->value % 20);
        }
        break;
    }
    b->m->shutdown_request = b->m->reset_request = SHUTDOWN_CAUSE_NONE;
    b->m->reports = 0;
    g_ptr_array_set_size(b->m->ejected, 0);     /* nobody takes it out */
    running = false;
    check_no_request(b);
    return value;
}

#endif
