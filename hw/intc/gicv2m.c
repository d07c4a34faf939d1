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

#define TYPER_FIRST_SHIFT 16
#define SPI_ID_MASK 0x3ff
/* Implementer: Arm; product, revision and architecture version 0. */
#define IIDR_VALUE 0x0000043b

struct GicV2m {
    Device dev;
    unsigned first_id;
    unsigned num;
    IrqLine *spi;
};

static uint32_t read_typer(void *opaque)
{
    const GicV2m *frame = opaque;

    return frame->first_id << TYPER_FIRST_SHIFT | frame->num;
}

static void write_setspi(void *opaque, uint32_t id)
{
    const GicV2m *frame = opaque;
    unsigned n = id - frame->first_id;

    if (n >= frame->num) {
        log_mask(LOG_GUEST_ERROR, "%s: message for interrupt %" PRIu32 ", the frame has %u to %u\n",
                 frame->dev.id, id, frame->first_id, frame->first_id + frame->num - 1);
        return;
    }
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

static void gicv2m_free(Device *dev)
{
    GicV2m *frame = container_of(dev, GicV2m, dev);

    g_free(frame->spi);
    g_free(frame);
}

const DeviceType gicv2m_type = {
    .name = "gicv2m", .doc = "GICv2m frame: messages for a GICv2", .bus = SYSTEM_BUS,
    .window = GICV2M_SIZE, .bank = &gicv2m_bank, .free = gicv2m_free,
};

GicV2m *gicv2m_new(Machine *machine, const char *id, hwaddr base, unsigned first_id,
                   const IrqLine *spi, unsigned num)
{
    GicV2m *frame = g_new0(GicV2m, 1);

    assert(num && first_id + num - 1 <= SPI_ID_MASK);
    device_init(&frame->dev, &gicv2m_type, machine, id);
    frame->first_id = first_id;
    frame->num = num;
    frame->spi = g_memdup2(spi, num * sizeof(*spi));
    device_map(&frame->dev, base);
    return frame;
}
