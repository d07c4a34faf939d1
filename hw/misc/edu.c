/*
 * The educational device that QEMU documents (docs/specs/edu): a PCI function for people who learn
 * to write drivers, and an example of one here.
 *
 * Wiring: BAR 0, 1 MiB of memory, has the registers and, from 0x40000 on, a buffer of 4 KiB that
 * only DMA reaches; one interrupt, a message (MSI) or INTA. Registers below 0x80 take accesses of 4
 * bytes, those above 4 or 8. A factorial takes FACTORIAL_NS of virtual time, and a transfer
 * TRANSFER_NS.
 *
 * A transfer that leaves the buffer, or the memory that the device has address lines for
 * (dma_mask), is the guest's error: it is not made, and ends as if it had been.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/misc/edu.h"
#include "util/bitops.h"
#include "util/log.h"

enum {
    EDU_ID = 0x00,
    EDU_LIVENESS = 0x04,
    EDU_FACTORIAL = 0x08,
    EDU_STATUS = 0x20,
    EDU_IRQ_STATUS = 0x24,
    EDU_IRQ_RAISE = 0x60,
    EDU_IRQ_ACK = 0x64,
    EDU_DMA_SOURCE = 0x80,
    EDU_DMA_DESTINATION = 0x88,
    EDU_DMA_COUNT = 0x90,
    EDU_DMA_COMMAND = 0x98,
    EDU_DMA_END = 0xa0,
};

enum { STATUS_COMPUTING = 0x01, STATUS_IRQ_FACTORIAL = 0x80 };
enum { DMA_START = 1, DMA_TO_MEMORY = 2, DMA_IRQ = 4, DMA_BITS = 7 };

#define ID_VALUE 0x010000edu        /* revision 1.0 */
#define IRQ_FACTORIAL 0x001u
#define IRQ_DMA 0x100u

#define WINDOW_SIZE (1u << 20)
#define BUFFER_START 0x40000u
#define BUFFER_SIZE 4096u

#define FACTORIAL_NS 10000
#define TRANSFER_NS 100000

typedef struct EduState {
    PciState pci;
    uint32_t liveness;
    uint32_t factorial;
    uint32_t status;
    uint32_t irq_status;
    uint32_t pad;
    uint64_t dma[4];                /* source, destination, count, command */
    uint8_t buffer[BUFFER_SIZE];
} EduState;

#define EDU_FIELDS(F, S)    \
    PCI_FIELDS(F, S)        \
    F(S, U32, liveness)     \
    F(S, U32, factorial)    \
    F(S, U32, status)       \
    F(S, U32, irq_status)   \
    F(S, U32, pad)          \
    F(S, ARRAY_U64, dma)    \
    F(S, ARRAY_U8, buffer)

FIELD_TABLE(edu_fields, "edu", 1, EduState, EDU_FIELDS);

enum { SOURCE, DESTINATION, COUNT, COMMAND };

typedef struct EduConfig {
    PciConfig pci;
    uint64_t dma_mask;
} EduConfig;

typedef struct Edu {
    PciDevice pci;
    EduState state;
    EduConfig config;
    Timer factorial_timer, dma_timer;
} Edu;

/* ---- interrupts ---- */

static void edu_update_irq(Edu *edu)
{
    pci_set_intx(&edu->pci, edu->state.irq_status != 0);
}

static void edu_raise(Edu *edu, uint32_t bits)
{
    edu->state.irq_status |= bits;
    if (edu->state.irq_status) {
        pci_send_message(&edu->pci, 0);
    }
    edu_update_irq(edu);
}

/* ---- factorials, of 32 bits ---- */

static uint32_t factorial(uint32_t n)
{
    uint32_t result = 1;

    /* From 34 on it is a multiple of 2^32. */
    for (; n > 1 && result; n--) {
        result *= n;
    }
    return result;
}

static void factorial_done(void *opaque)
{
    Edu *edu = opaque;

    edu->state.factorial = factorial(edu->state.factorial);
    edu->state.status &= ~(uint32_t)STATUS_COMPUTING;
    if (edu->state.status & STATUS_IRQ_FACTORIAL) {
        edu_raise(edu, IRQ_FACTORIAL);
    }
}

static void write_factorial(Edu *edu, uint32_t value)
{
    if (edu->state.status & STATUS_COMPUTING) {
        log_mask(LOG_GUEST_ERROR, "%s: a factorial is asked for while one is computed\n",
                 edu->pci.dev.id);
        return;
    }
    edu->state.factorial = value;
    edu->state.status |= STATUS_COMPUTING;
    timer_mod(&edu->factorial_timer, clock_now(edu->pci.dev.machine->clock) + FACTORIAL_NS);
}

/* ---- DMA ---- */

static bool in_buffer(uint64_t address, uint64_t count)
{
    return address >= BUFFER_START && count <= BUFFER_SIZE &&
           address - BUFFER_START <= BUFFER_SIZE - count;
}

static bool transfer(Edu *edu)
{
    const uint64_t *dma = edu->state.dma;
    bool to_memory = dma[COMMAND] & DMA_TO_MEMORY;
    uint64_t inside = dma[to_memory ? SOURCE : DESTINATION];
    uint64_t outside = dma[to_memory ? DESTINATION : SOURCE] & edu->config.dma_mask;
    uint8_t *buffer = edu->state.buffer;

    if (!in_buffer(inside, dma[COUNT])) {
        return false;
    }
    buffer += inside - BUFFER_START;
    return to_memory ? pci_dma_write(&edu->pci, outside, buffer, dma[COUNT])
                     : pci_dma_read(&edu->pci, outside, buffer, dma[COUNT]);
}

static void dma_done(void *opaque)
{
    Edu *edu = opaque;
    const uint64_t *dma = edu->state.dma;

    if (!transfer(edu)) {
        log_mask(LOG_GUEST_ERROR, "%s: cannot transfer %" PRIu64 " bytes from 0x%" PRIx64 " to 0x%"
                 PRIx64 "\n", edu->pci.dev.id, dma[COUNT], dma[SOURCE], dma[DESTINATION]);
    }
    edu->state.dma[COMMAND] &= ~(uint64_t)DMA_START;
    if (dma[COMMAND] & DMA_IRQ) {
        edu_raise(edu, IRQ_DMA);
    }
}

/* A register of 8 bytes, or the half of one. While a transfer is under way they stay. */
static void write_dma(Edu *edu, hwaddr offset, uint64_t value, unsigned size)
{
    unsigned n = (unsigned)(offset - EDU_DMA_SOURCE) / 8;
    uint64_t *dma = edu->state.dma;

    if (dma[COMMAND] & DMA_START) {
        log_mask(LOG_GUEST_ERROR, "%s: write to 0x%02" PRIx64 " during a transfer\n",
                 edu->pci.dev.id, offset);
        return;
    }
    dma[n] = deposit64(dma[n], offset % 8 * 8, size * 8, value);
    dma[COMMAND] &= DMA_BITS;
    if (dma[COMMAND] & DMA_START) {
        timer_mod(&edu->dma_timer, clock_now(edu->pci.dev.machine->clock) + TRANSFER_NS);
    }
}

/* ---- registers ---- */

static bool is_dma(hwaddr offset, unsigned size)
{
    return offset >= EDU_DMA_SOURCE && offset < EDU_DMA_END && size >= 4 && offset % size == 0;
}

static uint64_t edu_read(void *opaque, hwaddr offset, unsigned size)
{
    const Edu *edu = opaque;
    const EduState *s = &edu->state;

    if (is_dma(offset, size)) {
        return s->dma[(offset - EDU_DMA_SOURCE) / 8] >> (offset % 8 * 8);
    }
    if (size != 4) {
        return UINT64_MAX;
    }
    switch (offset) {
    case EDU_ID:
        return ID_VALUE;
    case EDU_LIVENESS:
        return s->liveness;
    case EDU_FACTORIAL:
        return s->factorial;
    case EDU_STATUS:
        return s->status;
    case EDU_IRQ_STATUS:
        return s->irq_status;
    default:
        return UINT64_MAX;
    }
}

static void write_register(Edu *edu, hwaddr offset, uint32_t value)
{
    EduState *s = &edu->state;

    switch (offset) {
    case EDU_LIVENESS:
        s->liveness = ~value;
        break;
    case EDU_FACTORIAL:
        write_factorial(edu, value);
        break;
    case EDU_STATUS:
        s->status = (s->status & ~(uint32_t)STATUS_IRQ_FACTORIAL) | (value & STATUS_IRQ_FACTORIAL);
        break;
    case EDU_IRQ_RAISE:
        edu_raise(edu, value);
        break;
    case EDU_IRQ_ACK:
        s->irq_status &= ~value;
        edu_update_irq(edu);
        break;
    default:
        log_mask(LOG_GUEST_ERROR, "%s: write of 0x%" PRIx32 " to 0x%02" PRIx64 "\n",
                 edu->pci.dev.id, value, offset);
    }
}

static void edu_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Edu *edu = opaque;

    if (is_dma(offset, size)) {
        write_dma(edu, offset, value, size);
    } else if (size == 4) {
        write_register(edu, offset, (uint32_t)value);
    } else {
        log_mask(LOG_GUEST_ERROR, "%s: write of %u bytes to 0x%02" PRIx64 "\n", edu->pci.dev.id,
                 size, offset);
    }
}

static const MmioOps edu_ops = {
    .read = edu_read, .write = edu_write, .peek = edu_read, .min_size = 4, .max_size = 8,
};

/* ---- the shell ---- */

static const PciDeviceType edu_ptype = {
    .vendor_id = 0x1234, .device_id = 0x11e8, .revision = 0x10, .class_code = 0x00ff00,
    .subsystem_vendor_id = PCI_VENDOR_REDHAT_QUMRANET, .subsystem_id = PCI_SUBSYSTEM_DEFAULT,
    .pin = true,
};

static bool edu_realize(Device *dev, Error **errp)
{
    Edu *edu = container_of(dev, Edu, pci.dev);

    if (!pci_init(&edu->pci, &edu_ptype, errp)) {
        return false;
    }
    pci_add_bar(&edu->pci, 0, 0, WINDOW_SIZE, &edu_ops, edu);
    pci_add_msi(&edu->pci, 1, false);
    timer_init(&edu->factorial_timer, dev->machine->clock, factorial_done, edu, "edu-factorial");
    timer_init(&edu->dma_timer, dev->machine->clock, dma_done, edu, "edu-dma");
    return true;
}

static void stop_timers(Edu *edu)
{
    timer_del(&edu->factorial_timer);
    timer_del(&edu->dma_timer);
}

static void edu_reset(Device *dev)
{
    Edu *edu = container_of(dev, Edu, pci.dev);
    EduState *s = &edu->state;

    s->liveness = s->factorial = s->status = s->irq_status = 0;
    memset(s->dma, 0, sizeof(s->dma));
    memset(s->buffer, 0, sizeof(s->buffer));
    stop_timers(edu);
    pci_reset(&edu->pci);
}

static void edu_free(Device *dev)
{
    Edu *edu = container_of(dev, Edu, pci.dev);

    timer_fini(&edu->factorial_timer);
    timer_fini(&edu->dma_timer);
    pci_device_free(dev);
}

static const Property edu_properties[] = {
    PCI_PROPERTIES(EduConfig),
    PROP_UINT("dma_mask", EduConfig, dma_mask, "0xfffffff", 0, UINT64_MAX,
              "the address lines that DMA has"),
    PROP_END
};

const DeviceType edu_type = {
    .name = "edu", .doc = "a device to learn from", .bus = PCI_BUS, .pluggable = true,
    .size = sizeof(Edu), .fields = &edu_fields, .state_offset = offsetof(Edu, state),
    .properties = edu_properties, .config_offset = offsetof(Edu, config), .realize = edu_realize,
    .reset = edu_reset, .post_load = pci_device_post_load, .free = edu_free,
};
