/*
 * A machine with 1 MiB of RAM and a PCI host bridge, for tests: accesses to configuration space by
 * slot, and the four interrupt lines.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_PCI_MACHINE_H
#define TESTS_UNIT_PCI_MACHINE_H

#include "device-test.h"
#include "hw/core/bus.h"
#include "hw/pci/pci-host.h"

#define RAM_BASE 0x40000000ull
#define RAM_SIZE (1ull << 20)
#define ECAM 0x3f000000ull
#define MMIO 0x10000000ull
#define PIO 0x3eff0000ull
#define HIGH 0x8000000000ull

typedef struct PciMachine {
    Machine *m;
    Device *host;
    IrqSink line[PCI_NUM_PINS];
} PciMachine;

static inline void pci_machine_init(PciMachine *p, const DeviceType *const *types)
{
    *p = (PciMachine){ .m = machine_new(NULL) };
    p->m->device_types = types;
    memory_add_ram(p->m->memory, "ram", RAM_BASE, RAM_SIZE, false, NULL);
    p->host = device_new(&pci_host_type, p->m, "pcie");
    g_assert_true(device_set(p->host, "ecam-size=0x1000000,mmio-base=0x10000000,mmio-size=0x2eff0000,"
                             "pio-base=0x3eff0000,pio-size=0x10000,high-mmio-base=0x8000000000,"
                             "high-mmio-size=0x8000000000", NULL));
    for (unsigned n = 0; n < PCI_NUM_PINS; n++) {
        *device_output(p->host, n) = irq_sink_line(&p->line[n]);
    }
    g_assert_null(device_output(p->host, PCI_NUM_PINS));
    g_assert_true(device_realize(p->host, NULL));
    g_assert_true(device_map(p->host, ECAM, 0, NULL));
}

/* Fails the test with the message. */
static inline PciDevice *pci_plug(PciMachine *p, const char *text, const char *id)
{
    Error *err = NULL;

    if (!device_plug(p->m, text, &err)) {
        g_error("%s: %s", text, error_get_pretty(err));
    }
    return container_of(machine_find_device(p->m, id), PciDevice, dev);
}

static inline hwaddr config_at(unsigned bus, unsigned slot, unsigned function, unsigned offset)
{
    return ECAM + bus * 0x100000 + slot * 0x8000 + function * 0x1000 + offset;
}

static inline uint32_t config_get(PciMachine *p, unsigned slot, unsigned offset, unsigned size)
{
    return (uint32_t)io_read(p->m, config_at(0, slot, 0, offset), size);
}

static inline void config_set(PciMachine *p, unsigned slot, unsigned offset, unsigned size,
                              uint32_t value)
{
    io_write(p->m, config_at(0, slot, 0, offset), size, value);
}

/* The n-th capability of this kind, counted from 0; 0: there is none. */
static inline unsigned find_cap(PciMachine *p, unsigned slot, uint8_t id, unsigned n)
{
    unsigned at = config_get(p, slot, PCI_CAPABILITY_LIST, 1);

    for (unsigned left = 48; at && left; left--) {
        if (config_get(p, slot, at, 1) == id && n-- == 0) {
            return at;
        }
        at = config_get(p, slot, at + 1, 1);
    }
    return 0;
}

#endif
