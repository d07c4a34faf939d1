/*
 * The generic event device, as QEMU's virt has it (docs/specs/acpi_hw_reduced_hotplug of QEMU).
 *
 * Wiring: one register of 32 bits, the events that have come since it was read last; one interrupt, of which
 * an edge tells of an event.
 *
 * Not modelled: events but the power button's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/ged.h"
#include "hw/core/register.h"
#include "util/trace.h"

typedef struct GedState {
    uint32_t events;
} GedState;

#define GED_FIELDS(F, S) F(S, U32, events)

FIELD_TABLE(ged_fields, "acpi-ged", 1, GedState, GED_FIELDS);

typedef struct Ged {
    Device dev;
    GedState state;
    IrqLine irq;
} Ged;

static uint64_t ged_peek(void *opaque, hwaddr offset, unsigned size)
{
    return ((const Ged *)opaque)->state.events;
}

static uint64_t ged_read(void *opaque, hwaddr offset, unsigned size)
{
    Ged *g = opaque;
    uint32_t events = g->state.events;

    g->state.events = 0;
    return events;
}

static void ged_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const MmioOps ged_ops = {
    .read = ged_read, .write = ged_write, .peek = ged_peek, .min_size = 4, .max_size = 4,
};

void ged_event(Device *dev, uint32_t bits)
{
    Ged *g = container_of(dev, Ged, dev);

    trace_ged_event(dev->id, bits);
    g->state.events |= bits;
    irq_set(&g->irq, true);
    irq_set(&g->irq, false);
}

static void ged_reset(Device *dev)
{
    container_of(dev, Ged, dev)->state.events = 0;
}

const DeviceType ged_type = {
    .name = "acpi-ged", .doc = "ACPI's generic event device", .bus = SYSTEM_BUS,
    .instead = "machine virt has one",
    .size = sizeof(Ged), .fields = &ged_fields, .state_offset = offsetof(Ged, state),
    .window = GED_SIZE, .ops = &ged_ops, .irq_offset = offsetof(Ged, irq), .reset = ged_reset,
};
