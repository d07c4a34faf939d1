/*
 * GICv2m frame (Arm Server Base System Architecture, DEN 0029, appendix E).
 *
 * Wiring: one page of registers, an output for each interrupt. A write of an interrupt's id to the
 * doorbell, MSI_SETSPI_NS, is an edge on its output: up and down again.
 *
 * There is no state that the guest could change: what is pending is latched in the distributor.
 * Not modelled: the peripheral identification registers, whose values are not specified; they
 * read as zero.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/intc/gicv2m.h"
#include "util/log.h"
#include "util/trace.h"

#define TYPER_FIRST_SHIFT 16
#define SPI_ID_MASK 0x3ff
/* Implementer: Arm; product, revision and architecture version 0. */
#define IIDR_VALUE 0x0000043b

typedef struct GicV2mConfig {
    uint32_t first_id, num;
} GicV2mConfig;

typedef struct GicV2m {
    Device dev;
    GicV2mConfig config;
    IrqLine spi[GICV2M_MAX_SPI];    /* config.num of them are connected */
} GicV2m;

static uint32_t read_typer(void *opaque)
{
    const GicV2mConfig *c = &((const GicV2m *)opaque)->config;

    return c->first_id << TYPER_FIRST_SHIFT | c->num;
}

static void write_setspi(void *opaque, uint32_t id)
{
    const GicV2m *frame = opaque;
    const GicV2mConfig *c = &frame->config;
    unsigned n = id - c->first_id;

    if (n >= c->num) {
        log_mask(LOG_GUEST_ERROR, "%s: message for interrupt %" PRIu32 ", the frame has %u to %u\n",
                 frame->dev.id, id, c->first_id, c->first_id + c->num - 1);
        return;
    }
    trace_gicv2m_message(frame->dev.id, id);
    irq_set(&frame->spi[n], true);
    irq_set(&frame->spi[n], false);
}

static const RegisterRow gicv2m_rows[] = {
    REG_ROW(0x008, "MSI_TYPER", REG_UNSTORED, .readable = UINT32_MAX, .read = read_typer),
    REG_ROW(GICV2M_DOORBELL, "MSI_SETSPI_NS", REG_UNSTORED, .writable = SPI_ID_MASK,
            .write = write_setspi),
    REG_ROW(0xfcc, "MSI_IIDR", REG_UNSTORED, .readable = UINT32_MAX, .reset = IIDR_VALUE),
    REG_ID_ROW(0xfd0, "PIDR4", 0), REG_ID_ROW(0xfd4, "PIDR5", 0), REG_ID_ROW(0xfd8, "PIDR6", 0),
    REG_ID_ROW(0xfdc, "PIDR7", 0), REG_ID_ROW(0xfe0, "PIDR0", 0), REG_ID_ROW(0xfe4, "PIDR1", 0),
    REG_ID_ROW(0xfe8, "PIDR2", 0), REG_ID_ROW(0xfec, "PIDR3", 0), REG_ID_ROW(0xff0, "CIDR0", 0),
    REG_ID_ROW(0xff4, "CIDR1", 0), REG_ID_ROW(0xff8, "CIDR2", 0), REG_ID_ROW(0xffc, "CIDR3", 0),
};

static const RegisterBank gicv2m_bank = {
    .device = "gicv2m", .rows = gicv2m_rows, .num_rows = ARRAY_SIZE(gicv2m_rows),
};

static IrqLine *gicv2m_output(Device *dev, unsigned n)
{
    GicV2m *frame = container_of(dev, GicV2m, dev);

    return n < frame->config.num ? &frame->spi[n] : NULL;
}

static bool gicv2m_realize(Device *dev, Error **errp)
{
    const GicV2mConfig *c = &container_of(dev, GicV2m, dev)->config;

    if (c->first_id + c->num > GICV2M_FIRST_SPI + GICV2M_MAX_SPI) {
        error_setg(errp, "num-spi=%u behind base-spi=%u: the last interrupt is %d", c->num,
                   c->first_id, GICV2M_FIRST_SPI + GICV2M_MAX_SPI - 1);
        return false;
    }
    return true;
}

static const Property gicv2m_properties[] = {
    PROP_UINT("base-spi", GicV2mConfig, first_id, "32", GICV2M_FIRST_SPI,
              GICV2M_FIRST_SPI + GICV2M_MAX_SPI - 1, "the first interrupt id that messages have"),
    PROP_UINT("num-spi", GicV2mConfig, num, "64", 1, GICV2M_MAX_SPI, "how many ids they have"),
    PROP_END
};

const DeviceType gicv2m_type = {
    .name = "arm-gicv2m", .doc = "GICv2m frame: messages for a GICv2", .bus = SYSTEM_BUS,
    .instead = "machine virt has one",
    .size = sizeof(GicV2m), .properties = gicv2m_properties,
    .config_offset = offsetof(GicV2m, config), .window = GICV2M_SIZE, .bank = &gicv2m_bank,
    .output = gicv2m_output, .realize = gicv2m_realize,
};
