/*
 * pvpanic with a register in memory: the guest tells that it has crashed (docs/specs/pvpanic of
 * QEMU; Linux binds to "qemu,pvpanic-mmio").
 *
 * Wiring: one register of one byte in a window of two, no interrupt. A read gives the events that are
 * known, a write tells of those whose bits are set; what comes of it is the user's choice (-action).
 *
 * There is no state: what was told is taken up behind the instruction that told it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/misc/pvpanic.h"
#include "hw/core/fdt-binding.h"
#include "hw/core/machine.h"
#include "hw/core/platform-bus.h"
#include "util/log.h"
#include "util/trace.h"

#define PVPANIC_SIZE 2

typedef struct PvpanicConfig {
    uint8_t events;
} PvpanicConfig;

typedef struct Pvpanic {
    Device dev;
    PvpanicConfig config;
} Pvpanic;

static uint64_t pvpanic_peek(void *opaque, hwaddr offset, unsigned size)
{
    return offset == 0 ? ((const Pvpanic *)opaque)->config.events : 0;
}

static void pvpanic_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    static const struct {
        uint8_t bit;
        MachineReport report;
    } events[] = {
        { PVPANIC_CRASHLOADED, MACHINE_REPORT_CRASHLOADED },
        { PVPANIC_PANICKED, MACHINE_REPORT_PANICKED },
        { PVPANIC_SHUTDOWN, MACHINE_REPORT_SHUTDOWN },
    };
    Pvpanic *p = opaque;

    trace_pvpanic_event(p->dev.id, value);
    if (offset != 0 || (value & ~(uint64_t)p->config.events)) {
        log_mask(LOG_GUEST_ERROR, "%s: write of 0x%" PRIx64 " to offset %" PRIu64
                 ", the events are 0x%x at offset 0\n", p->dev.id, value, offset, p->config.events);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(events) && offset == 0; i++) {
        if (value & events[i].bit & p->config.events) {
            machine_report(p->dev.machine, events[i].report);
        }
    }
}

static const MmioOps pvpanic_ops = {
    .read = pvpanic_peek, .write = pvpanic_write, .peek = pvpanic_peek, .min_size = 1, .max_size = 2,
};

static const Property pvpanic_properties[] = {
    PROP_UINT("events", PvpanicConfig, events, "7", 0, PVPANIC_EVENTS,
              "what the guest may tell, added up: 1 panic, 2 crash kernel takes over, 4 shutdown"),
    PROP_END
};

static const FdtBinding pvpanic_fdt = {
    .node = "pvpanic", .compatible = { "qemu,pvpanic-mmio" },
};

const DeviceType pvpanic_mmio_type = {
    .name = "pvpanic-mmio", .alias = "pvpanic", .doc = "the guest tells of its panics",
    .bus = PLATFORM_BUS, .pluggable = true, .size = sizeof(Pvpanic),
    .properties = pvpanic_properties, .config_offset = offsetof(Pvpanic, config),
    .window = PVPANIC_SIZE, .ops = &pvpanic_ops, .fdt = &pvpanic_fdt,
};
