/*
 * Fuzz target: what a guest does to PCI: configuration space, BARs wherever they are, and the
 * registers and rings of virtio over PCI. The input is a sequence of operations of 8 bytes:
 *   kind, function, place (2), value (4)
 * STATE lets so many nanoseconds pass, and goes on with a machine that the state was loaded into, after a list of
 * devices with a damaged byte. PLUG adds and removes devices behind the port.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/fake-replay.h"
#include "hw/misc/edu.h"
#include "hw/pci/pcie-port.h"
#include "hw/virtio/virtio-pci.h"
#include "tests/unit/pci-machine.h"
#include "hw/core/hotplug.h"

enum { CONFIG_READ, CONFIG_WRITE, BAR_READ, BAR_WRITE, RAM_WRITE, ANY_WRITE, STATE, PLUG, NUM_KINDS };

#define OPERATION 8
#define SLTCTL 0x6c                 /* of the ports */
#define MAX_OPERATIONS 2000

typedef struct Operation {
    uint8_t kind, function;
    uint16_t place;
    uint32_t value;
} Operation;

static const DeviceType *const types[] = {
    &virtio_rng_pci_type, &pcie_root_port_type, &edu_type, NULL
};
static const char *const devices[] = {
    "virtio-rng-pci,id=a", "virtio-rng-pci,id=b,disable-legacy=on,vectors=40",
    "virtio-rng-pci,id=c,disable-modern=on", "pcie-root-port,id=p",
    "pcie-root-port,id=q,slot=1", "edu,id=e,bus=p",
};
#define NUM_SLOTS 6                 /* on the root bus, from the bridge's own on */

static PciMachine *make(void)
{
    PciMachine *p = g_new0(PciMachine, 1);

    pci_machine_init(p, types);
    clock_use_icount(p->m->clock, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(devices); i++) {
        device_plug(p->m, devices[i], NULL);
    }
    machine_reset_devices(p->m);
    assert(find_cap(p, 4, PCI_CAP_ID_EXP, 0) + PCI_EXP_SLTCTL == SLTCTL);
    return p;
}

static void destroy(PciMachine *p)
{
    machine_free(p->m);
    g_free(p);
}

/* A function's configuration space, on the root bus and on others; of size 1, 2 or 4. */
static hwaddr config_place(const Operation *op)
{
    return ECAM + (op->function & 7) * 0x8000u + (op->function >> 7) * 0x100000u +
           (op->place & 0xffc);
}

static PciDevice *function(PciMachine *p, const Operation *op)
{
    PciBus *bus = pci_host_bus(p->host);
    PciDevice *d = bus->device[op->function % NUM_SLOTS * 8];

    return d->secondary && op->function & 0x40 && d->secondary->device[0] ? d->secondary->device[0] : d;
}

/* Wherever the guest has put the BAR that the upper bits of the place say. */
static void access_bar(PciMachine *p, const Operation *op, unsigned size)
{
    PciDevice *d = function(p, op);
    unsigned n = op->place >> 13;
    hwaddr address;
    uint64_t value;

    if (n >= PCI_NUM_BARS || !pci_bar_address(d, n, &address)) {
        return;
    }
    address += (op->place & 0x1fff) * 2 % d->bar[n].size;
    if (op->kind % NUM_KINDS == BAR_WRITE) {
        memory_io_write(p->m->memory, address, size, op->value);
    } else {
        memory_io_read(p->m->memory, address, size, &value);
    }
}

/* Save, and load into a machine that goes on in its place. */
static PciMachine *carry(PciMachine *p, const Operation *op)
{
    g_autoptr(GByteArray) saved = g_byte_array_new(), again = g_byte_array_new();
    PciMachine *other = make();
    ByteReader in;

    hotplug_save(p->m, saved);
    if (op->value & 1) {
        saved->data[op->place % saved->len] ^= op->function | 1;
        byte_reader_init(&in, saved->data, saved->len);
        hotplug_load(other->m, &in, NULL);
        saved->data[op->place % saved->len] ^= op->function | 1;
    }
    machine_save_devices(p->m, saved);
    assert(memory_save(p->m->memory, saved, NULL));
    byte_reader_init(&in, saved->data, saved->len);
    assert(hotplug_load(other->m, &in, NULL) && machine_load_devices(other->m, &in, NULL) &&
           memory_load(other->m->memory, &in, NULL));
    hotplug_save(other->m, again);
    machine_save_devices(other->m, again);
    assert(memory_save(other->m->memory, again, NULL));
    assert(saved->len == again->len && memcmp(saved->data, again->data, saved->len) == 0);
    destroy(p);
    return other;
}

static void plug(PciMachine *p, const Operation *op)
{
    static const char *const texts[] = {
        "edu,id=e,bus=p", "virtio-rng-pci,id=e,bus=p", "virtio-rng-pci,bus=q", "edu,id=f,bus=q,addr=0.1",
        "edu,id=e,bus=pcie.0", "virtio-rng-pci,bus=q,disable-modern=on",
    };
    static const char *const ids[] = { "e", "virtio-rng-pci0", "p", "f" };

    if (op->value & 1) {
        hotplug_del(p->m, ids[op->function % ARRAY_SIZE(ids)], NULL);
    } else {
        hotplug_add(p->m, texts[op->function % ARRAY_SIZE(texts)], NULL);
    }
}

static void ignore(void *opaque, const Device *dev)
{
}

static void operate(PciMachine *p, const Operation *op)
{
    unsigned size = 1u << (op->kind >> 5 & 3);
    uint64_t value;

    switch (op->kind % NUM_KINDS) {
    case CONFIG_READ:
        memory_io_read(p->m->memory, config_place(op), size, &value);
        break;
    case CONFIG_WRITE:
        memory_io_write(p->m->memory, config_place(op), size, op->value);
        break;
    case RAM_WRITE:
        memory_write(p->m->memory, RAM_BASE + op->place * 16u % RAM_SIZE, &op->value, 4);
        break;
    case ANY_WRITE:
        memory_io_write(p->m->memory, op->value & ~7u, size, op->place);
        break;
    case STATE:
        pass_ns(p->m, op->value);
        break;
    case PLUG:
        plug(p, op);
        break;
    default:
        access_bar(p, op, size);
        break;
    }
    hotplug_take_ejected(p->m, ignore, NULL);
}

/* A BAR that is decoded is answered by someone, and not over the board's memory. */
static void check(PciMachine *p)
{
    assert(memory_find(p->m->memory, RAM_BASE)->host);
    for (unsigned i = 0; i < 2 * NUM_SLOTS; i++) {
        const Operation op = { .function = (uint8_t)(i % NUM_SLOTS + i / NUM_SLOTS * 0x41) };
        const PciDevice *d = function(p, &op);
        hwaddr address;

        assert(!d->busy);
        for (unsigned n = 0; n < PCI_NUM_BARS; n++) {
            if (pci_bar_address(d, n, &address)) {
                assert(d->bar[n].region->enabled && d->bar[n].region->base == address);
                assert(memory_find(p->m->memory, address));
            } else {
                assert(!d->bar[n].region || !d->bar[n].region->enabled);
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PciMachine *p = make();
    unsigned states = 0;

    for (size_t i = 0; i + OPERATION <= MIN(size, OPERATION * MAX_OPERATIONS); i += OPERATION) {
        const Operation op = {
            data[i], data[i + 1], (uint16_t)load_le(data + i + 2, 2),
            (uint32_t)load_le(data + i + 4, 4),
        };

        operate(p, &op);
        if (op.kind % NUM_KINDS == STATE && ++states <= 2) {
            p = carry(p, &op);
        }
    }
    check(p);
    destroy(p);
    return 0;
}

/* ---- seeds: drivers at work ---- */

static void add(GByteArray *out, unsigned kind, unsigned size, unsigned function, unsigned place,
                uint32_t value)
{
    /* The kind with the size in its bits 5 and 6. */
    for (unsigned k = 0; k < 256; k++) {
        if (k % NUM_KINDS == kind && 1u << (k >> 5 & 3) == size) {
            bytes_put_u8(out, (uint8_t)k);
            break;
        }
    }
    bytes_put_u8(out, (uint8_t)function);
    bytes_put_le16(out, (uint16_t)place);
    bytes_put_le32(out, value);
}

static void place_bars(GByteArray *out, unsigned fn)
{
    add(out, CONFIG_WRITE, 4, fn, 0x10, 0x1000 + fn * 0x40);
    add(out, CONFIG_WRITE, 4, fn, 0x14, (uint32_t)MMIO + fn * 0x1000);
    add(out, CONFIG_WRITE, 4, fn, 0x20, (uint32_t)MMIO + 0x10000 * fn);
    add(out, CONFIG_WRITE, 2, fn, 4, 7);
}

/* BAR 4 at an even offset. */
static unsigned modern(unsigned offset)
{
    return 4 << 13 | offset / 2;
}

static void start_queue(GByteArray *out, unsigned fn)
{
    static const uint32_t writes[][3] = {
        { 0x14, 1, 3 }, { 0x08, 4, 1 }, { 0x0c, 4, 1 }, { 0x14, 1, 11 }, { 0x18, 2, 4 },
        { 0x20, 4, 0x40001000 }, { 0x28, 4, 0x40002000 }, { 0x30, 4, 0x40003000 }, { 0x1a, 2, 1 },
        { 0x1c, 2, 1 }, { 0x14, 1, 15 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(writes); i++) {
        add(out, BAR_WRITE, writes[i][1], fn, modern(writes[i][0]), writes[i][2]);
    }
    add(out, RAM_WRITE, 4, 0, 0x100, 0x40004000);
    add(out, RAM_WRITE, 4, 0, 0x101, 1);
    add(out, RAM_WRITE, 4, 0, 0x200, 0x10000);
    add(out, BAR_WRITE, 2, fn, modern(0x3000), 0);
    add(out, BAR_READ, 1, fn, modern(0x1000), 0);
}

static void start_messages(GByteArray *out, unsigned fn, unsigned cap)
{
    add(out, CONFIG_WRITE, 4, fn, cap, 0x80000000);
    add(out, BAR_WRITE, 4, fn, 1 << 13 | 8, 0x40005000);
    add(out, BAR_WRITE, 4, fn, 1 << 13 | 12, 0x77);
    add(out, BAR_WRITE, 4, fn, 1 << 13 | 14, 0);
}

GByteArray *fuzz_seed(unsigned n)
{
    GByteArray *out = g_byte_array_new();
    unsigned fn = n == 1 ? 2 : 1;

    place_bars(out, fn);
    switch (n) {
    case 0:
    case 1:
        start_messages(out, fn, 0x98);
        start_queue(out, fn);
        add(out, STATE, 1, 0, 0, 0);
        break;
    case 2:
        start_queue(out, fn);
        add(out, CONFIG_WRITE, 1, fn, 0x88, 4);
        add(out, CONFIG_WRITE, 4, fn, 0x90, 4);
        add(out, CONFIG_READ, 4, fn, 0x94, 0);
        add(out, CONFIG_WRITE, 4, fn, 0x94, 0);
        break;
    case 3:
        place_bars(out, 3);
        add(out, BAR_WRITE, 4, 3, 4, 0x40001);
        add(out, BAR_WRITE, 1, 3, 9, 7);
        add(out, BAR_WRITE, 2, 3, 8, 0);
        add(out, ANY_WRITE, 4, 3, 0xffff, (uint32_t)MMIO);
        add(out, STATE, 1, 0, 0, 0);
        break;
    case 4:
        /* Numbers and windows of the port, then the device behind it, as bus 1. */
        add(out, CONFIG_WRITE, 4, 4, 0x18, 0x00010100);
        add(out, CONFIG_WRITE, 4, 4, 0x20, 0x10201020);
        add(out, CONFIG_WRITE, 2, 4, 4, 7);
        add(out, CONFIG_WRITE, 4, 0x80, 0x10, (uint32_t)MMIO + 0x200000);
        add(out, CONFIG_WRITE, 2, 0x80, 4, 7);
        add(out, ANY_WRITE, 4, 0, 1, (uint32_t)MMIO + 0x200060);
        add(out, ANY_WRITE, 4, 0, 5, (uint32_t)MMIO + 0x200008);
        add(out, STATE, 1, 0, 0, 0);
        add(out, CONFIG_WRITE, 2, 4, 0x3e, 0x40);
        break;
    case 5:
        /* The slot of p is given up, and taken by another one; q's is, too. */
        add(out, PLUG, 1, 0, 0, 1);
        add(out, CONFIG_WRITE, 2, 4, SLTCTL, 0x17f9);
        add(out, STATE, 1, 0, 0, 0);
        add(out, PLUG, 1, 1, 0, 0);
        add(out, PLUG, 1, 2, 0, 0);
        add(out, CONFIG_WRITE, 4, 4, SLTCTL, 0xffff1139);
        add(out, CONFIG_WRITE, 4, 5, SLTCTL, 0xffff1139);
        add(out, STATE, 1, 3, 5, 1);
        add(out, PLUG, 1, 1, 0, 1);
        add(out, CONFIG_WRITE, 2, 5, SLTCTL, 0x17f9);
        break;
    default:
        g_byte_array_unref(out);
        return NULL;
    }
    return out;
}
