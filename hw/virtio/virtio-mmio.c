/*
 * The memory-mapped virtio transport (virtio 1.2 4.2.2; 4.2.4 for version 1).
 * Wiring: one window of 0x200 bytes, registers of 32 bits below 0x100 and the
 * device's configuration space above it; one interrupt line, high while
 * InterruptStatus is not zero.
 *
 * The interface is version 1 ("legacy": rings by page number, 32 feature bits)
 * or version 2, as the property force-legacy says. A transport with nothing plugged in reads
 * as device ID 0 (4.2.3.1.1).
 *
 * Not modelled: shared memory regions (they read as absent) and the reset of
 * single queues (VIRTIO_F_RING_RESET is not offered).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/virtio/virtio-mmio.h"
#include "hw/core/bus.h"
#include "hw/core/fdt-binding.h"
#include "util/bitops.h"
#include "util/log.h"

enum Register {
    REG_MAGIC = 0x00,
    REG_VERSION = 0x04,
    REG_DEVICE_ID = 0x08,
    REG_VENDOR_ID = 0x0c,
    REG_DEVICE_FEATURES = 0x10,
    REG_DEVICE_FEATURES_SEL = 0x14,
    REG_DRIVER_FEATURES = 0x20,
    REG_DRIVER_FEATURES_SEL = 0x24,
    REG_GUEST_PAGE_SIZE = 0x28,     /* version 1 */
    REG_QUEUE_SEL = 0x30,
    REG_QUEUE_NUM_MAX = 0x34,
    REG_QUEUE_NUM = 0x38,
    REG_QUEUE_ALIGN = 0x3c,         /* version 1 */
    REG_QUEUE_PFN = 0x40,           /* version 1 */
    REG_QUEUE_READY = 0x44,         /* version 2, with all from 0x80 on */
    REG_QUEUE_NOTIFY = 0x50,
    REG_INTERRUPT_STATUS = 0x60,
    REG_INTERRUPT_ACK = 0x64,
    REG_STATUS = 0x70,
    REG_QUEUE_DESC_LOW = 0x80,
    REG_QUEUE_DESC_HIGH = 0x84,
    REG_QUEUE_DRIVER_LOW = 0x90,
    REG_QUEUE_DRIVER_HIGH = 0x94,
    REG_QUEUE_DEVICE_LOW = 0xa0,
    REG_QUEUE_DEVICE_HIGH = 0xa4,
    REG_SHM_SEL = 0xac,
    REG_SHM_LEN_LOW = 0xb0,
    REG_SHM_BASE_HIGH = 0xbc,
    REG_CONFIG_GENERATION = 0xfc,
    REG_CONFIG = 0x100,
};

#define MAGIC 0x74726976            /* "virt" */
#define VENDOR_ID 0x554d4551        /* "QEMU": the virt machine's */
#define DEFAULT_ALIGN 4096

typedef struct VirtioMmioState {
    uint32_t device_features_sel;
    uint32_t driver_features_sel;
    uint32_t guest_page_size;
    uint32_t queue_sel;
    uint32_t queue_align[VIRTIO_MAX_QUEUES];
} VirtioMmioState;

#define VIRTIO_MMIO_FIELDS(F, S)   \
    F(S, U32, device_features_sel) \
    F(S, U32, driver_features_sel) \
    F(S, U32, guest_page_size)     \
    F(S, U32, queue_sel)           \
    F(S, ARRAY_U32, queue_align)

FIELD_TABLE(virtio_mmio_fields, "virtio-mmio", 2, VirtioMmioState, VIRTIO_MMIO_FIELDS);

typedef struct VirtioMmioConfig {
    bool legacy;
} VirtioMmioConfig;

typedef struct VirtioMmio {
    Device dev;
    VirtioMmioState state;
    VirtioMmioConfig config;
    VirtioDevice *v;                /* NULL: nothing is plugged in */
    IrqLine irq;
} VirtioMmio;

static void virtio_mmio_update_irq(void *opaque)
{
    VirtioMmio *t = opaque;

    irq_set(&t->irq, t->v->s->isr != 0);
}

static bool queue_selected(const VirtioMmio *t)
{
    return t->state.queue_sel < t->v->vtype->num_queues;
}

/* ---- version 1: rings in one block of pages (2.7.2) ---- */

static uint32_t legacy_read_pfn(const VirtioMmio *t)
{
    if (!queue_selected(t) || !t->state.guest_page_size) {
        return 0;
    }
    return (uint32_t)(t->v->s->queue_desc[t->state.queue_sel] / t->state.guest_page_size);
}

static void legacy_write_pfn(VirtioMmio *t, uint32_t pfn)
{
    unsigned q = t->state.queue_sel;

    if (!queue_selected(t)) {
        return;
    }
    if (pfn == 0) {
        virtio_reset_queue(t->v, q);
        return;
    }
    if (!t->state.guest_page_size) {
        log_mask(LOG_GUEST_ERROR, "%s: QueuePFN written before GuestPageSize\n", t->dev.id);
        return;
    }
    virtio_set_legacy_ring(t->v, q, (uint64_t)pfn * t->state.guest_page_size,
                           t->state.queue_align[q]);
}

static bool power_of_two(uint32_t value)
{
    return value && !(value & (value - 1));
}

static bool legacy_write(VirtioMmio *t, hwaddr offset, uint32_t value)
{
    VirtioMmioState *s = &t->state;

    switch (offset) {
    case REG_GUEST_PAGE_SIZE:
    case REG_QUEUE_ALIGN:
        if (!power_of_two(value)) {
            log_mask(LOG_GUEST_ERROR, "%s: 0x%" PRIx32 " is not a power of two\n",
                     t->dev.id, value);
        } else if (offset == REG_GUEST_PAGE_SIZE) {
            s->guest_page_size = value;
        } else if (queue_selected(t)) {
            s->queue_align[s->queue_sel] = value;
        }
        return true;
    case REG_QUEUE_PFN:
        legacy_write_pfn(t, value);
        return true;
    default:
        return false;
    }
}

/* ---- version 2 ---- */

/* The address of the selected queue's part that a register is half of. */
static uint64_t *queue_address(VirtioMmio *t, hwaddr offset)
{
    VirtioState *s = t->v->s;

    switch (offset & ~4ull) {
    case REG_QUEUE_DESC_LOW:
        return &s->queue_desc[t->state.queue_sel];
    case REG_QUEUE_DRIVER_LOW:
        return &s->queue_avail[t->state.queue_sel];
    case REG_QUEUE_DEVICE_LOW:
        return &s->queue_used[t->state.queue_sel];
    default:
        return NULL;
    }
}

static bool modern_read(VirtioMmio *t, hwaddr offset, uint32_t *out)
{
    switch (offset) {
    case REG_QUEUE_READY:
        *out = queue_selected(t) ? t->v->s->queue_ready[t->state.queue_sel] : 0;
        return true;
    case REG_SHM_LEN_LOW ... REG_SHM_BASE_HIGH:
        *out = UINT32_MAX;          /* 4.2.2: no such region */
        return true;
    case REG_CONFIG_GENERATION:
        *out = t->v->s->config_generation;
        return true;
    default:
        return false;
    }
}

static void modern_write_ready(VirtioMmio *t, uint32_t value)
{
    unsigned q = t->state.queue_sel;

    if (!queue_selected(t)) {
        return;
    }
    if (value & 1) {
        t->v->s->queue_ready[q] = 1;
    } else {
        virtio_reset_queue(t->v, q);
    }
}

static bool modern_write(VirtioMmio *t, hwaddr offset, uint32_t value)
{
    uint64_t *address;

    switch (offset) {
    case REG_QUEUE_READY:
        modern_write_ready(t, value);
        return true;
    case REG_QUEUE_DESC_LOW:
    case REG_QUEUE_DESC_HIGH:
    case REG_QUEUE_DRIVER_LOW:
    case REG_QUEUE_DRIVER_HIGH:
    case REG_QUEUE_DEVICE_LOW:
    case REG_QUEUE_DEVICE_HIGH:
        if (queue_selected(t) && !t->v->s->queue_ready[t->state.queue_sel]) {
            address = queue_address(t, offset);
            *address = deposit64(*address, offset & 4 ? 32 : 0, 32, value);
        } else {
            log_mask(LOG_GUEST_ERROR, "%s: ring address of a queue that is in use or absent\n",
                     t->dev.id);
        }
        return true;
    case REG_SHM_SEL:
        return true;
    default:
        return false;
    }
}

/* ---- both ---- */

static uint32_t read_device_features(const VirtioMmio *t)
{
    unsigned word = t->state.device_features_sel;

    return word <= 1 ? (uint32_t)extract64(t->v->host_features, word * 32, 32) : 0;
}

static uint32_t read_register(VirtioMmio *t, hwaddr offset)
{
    uint32_t value;

    switch (offset) {
    case REG_MAGIC:
        return MAGIC;
    case REG_VERSION:
        return t->config.legacy ? 1 : 2;
    case REG_DEVICE_ID:
        return t->v->vtype->device_id;
    case REG_VENDOR_ID:
        return VENDOR_ID;
    case REG_DEVICE_FEATURES:
        return read_device_features(t);
    case REG_QUEUE_NUM_MAX:
        return queue_selected(t) ? t->v->vtype->queue_size : 0;
    case REG_INTERRUPT_STATUS:
        return t->v->s->isr;
    case REG_STATUS:
        return t->v->s->status;
    case REG_QUEUE_PFN:
        if (t->config.legacy) {
            return legacy_read_pfn(t);
        }
        break;
    default:
        if (!t->config.legacy && modern_read(t, offset, &value)) {
            return value;
        }
        break;
    }
    log_mask(LOG_GUEST_ERROR, "%s: read of register 0x%02" PRIx64 "\n", t->dev.id, offset);
    return 0;
}

static uint64_t empty_read(const VirtioMmio *t, hwaddr offset, unsigned size)
{
    if (size != 4) {
        return 0;
    }
    switch (offset) {
    case REG_MAGIC:
        return MAGIC;
    case REG_VERSION:
        return t->config.legacy ? 1 : 2;
    case REG_VENDOR_ID:
        return VENDOR_ID;
    default:
        return 0;
    }
}

static uint64_t virtio_mmio_read(void *opaque, hwaddr offset, unsigned size)
{
    VirtioMmio *t = opaque;

    if (!t->v) {
        return empty_read(t, offset, size);
    }
    if (offset >= REG_CONFIG) {
        return virtio_config_read(t->v, offset - REG_CONFIG, size);
    }
    if (size != 4 || (offset & 3)) {
        log_mask(LOG_GUEST_ERROR, "%s: %u-byte read at 0x%02" PRIx64 "\n", t->dev.id, size,
                 offset);
        return 0;
    }
    return read_register(t, offset);
}

/* No register has a side effect when read, but bad accesses are logged. */
static uint64_t virtio_mmio_peek(void *opaque, hwaddr offset, unsigned size)
{
    VirtioMmio *t = opaque;

    if (!t->v) {
        return empty_read(t, offset, size);
    }
    if (offset >= REG_CONFIG) {
        return offset - REG_CONFIG + size <= t->v->vtype->config_size ?
               virtio_config_read(t->v, offset - REG_CONFIG, size) : 0;
    }
    return size == 4 && !(offset & 3) ? read_register(t, offset) : 0;
}

static void reset_transport(VirtioMmio *t)
{
    memset(&t->state, 0, sizeof(t->state));
    for (unsigned q = 0; q < VIRTIO_MAX_QUEUES; q++) {
        t->state.queue_align[q] = DEFAULT_ALIGN;
    }
}

static void write_status(VirtioMmio *t, uint32_t value)
{
    uint32_t page_size = t->state.guest_page_size;

    if ((value & 0xff) == 0) {
        reset_transport(t);
        /* Drivers write it once, before the reset that they begin with (4.2.4). */
        t->state.guest_page_size = page_size;
    }
    virtio_set_status(t->v, (uint8_t)value);
}

/*
 * A version 1 driver knows 32 feature bits, and QEMU's transport takes writes to
 * the first word alone.
 */
static void write_driver_features(VirtioMmio *t, uint32_t value)
{
    if (!t->config.legacy || t->state.driver_features_sel == 0) {
        virtio_set_driver_features(t->v, t->state.driver_features_sel, value);
    }
}

static void write_register(VirtioMmio *t, hwaddr offset, uint32_t value)
{
    VirtioMmioState *s = &t->state;

    switch (offset) {
    case REG_DEVICE_FEATURES_SEL:
        s->device_features_sel = value;
        return;
    case REG_DRIVER_FEATURES_SEL:
        s->driver_features_sel = value;
        return;
    case REG_DRIVER_FEATURES:
        write_driver_features(t, value);
        return;
    case REG_QUEUE_SEL:
        s->queue_sel = value;
        return;
    case REG_QUEUE_NUM:
        virtio_set_queue_num(t->v, s->queue_sel, value);
        return;
    case REG_QUEUE_NOTIFY:
        virtio_kick(t->v, value);
        return;
    case REG_INTERRUPT_ACK:
        t->v->s->isr &= ~(uint8_t)value;
        virtio_mmio_update_irq(t);
        return;
    case REG_STATUS:
        write_status(t, value);
        return;
    default:
        if (t->config.legacy ? !legacy_write(t, offset, value) : !modern_write(t, offset, value)) {
            log_mask(LOG_GUEST_ERROR, "%s: write of 0x%" PRIx32 " to register 0x%02" PRIx64 "\n",
                     t->dev.id, value, offset);
        }
    }
}

static void virtio_mmio_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    VirtioMmio *t = opaque;

    if (!t->v) {
        log_mask(LOG_GUEST_ERROR, "%s: write at 0x%02" PRIx64 " of a transport without a device\n",
                 t->dev.id, offset);
    } else if (offset >= REG_CONFIG) {
        virtio_config_write(t->v, offset - REG_CONFIG, (uint32_t)value, size);
    } else if (size != 4 || (offset & 3)) {
        log_mask(LOG_GUEST_ERROR, "%s: %u-byte write at 0x%02" PRIx64 "\n", t->dev.id, size,
                 offset);
    } else {
        write_register(t, offset, (uint32_t)value);
    }
}

static const MmioOps virtio_mmio_ops = {
    .read = virtio_mmio_read,
    .write = virtio_mmio_write,
    .peek = virtio_mmio_peek,
    .min_size = 1,
    .max_size = 4,
};

static void virtio_mmio_reset(Device *dev)
{
    reset_transport(container_of(dev, VirtioMmio, dev));
}

/* ---- the bus ---- */

static void virtio_mmio_attach(Bus *bus, Device *dev)
{
    VirtioMmio *t = container_of(bus->parent, VirtioMmio, dev);
    VirtioDevice *v = container_of(dev, VirtioDevice, dev);

    t->v = v;
    v->update_irq = virtio_mmio_update_irq;
    v->transport = t;
    v->legacy = t->config.legacy;
}

static void virtio_mmio_detach(Bus *bus, Device *dev)
{
    container_of(bus->parent, VirtioMmio, dev)->v = NULL;
}

/* Buses are numbered as their transports are made, like QEMU's. */
static bool virtio_mmio_realize(Device *dev, Error **errp)
{
    g_autofree char *name = NULL;
    unsigned n = 0;

    for (unsigned i = 0; i < dev->machine->buses->len; i++) {
        const Bus *other = g_ptr_array_index(dev->machine->buses, i);

        n += other->parent->type == dev->type;
    }
    name = g_strdup_printf("virtio-mmio-bus.%u", n);
    bus_new(dev, VIRTIO_BUS, name, 1, virtio_mmio_attach)->detach = virtio_mmio_detach;
    reset_transport(container_of(dev, VirtioMmio, dev));
    return true;
}

static const Property virtio_mmio_properties[] = {
    PROP_BOOL("force-legacy", VirtioMmioConfig, legacy, "on",
              "the interface before virtio 1.0 (version 1); off: version 2"),
    PROP_END
};

static const FdtBinding virtio_mmio_fdt = {
    .node = "virtio_mmio", .compatible = { "virtio,mmio" }, .irq_type = FDT_IRQ_EDGE_RISING,
    .dma_coherent = true,
};

const DeviceType virtio_mmio_type = {
    .name = "virtio-mmio", .doc = "memory-mapped virtio transport", .bus = SYSTEM_BUS,
    .instead = "machine virt has 32 of them, which take virtio devices",
    .size = sizeof(VirtioMmio),
    .fields = &virtio_mmio_fields, .state_offset = offsetof(VirtioMmio, state),
    .properties = virtio_mmio_properties, .config_offset = offsetof(VirtioMmio, config),
    .window = VIRTIO_MMIO_SIZE, .ops = &virtio_mmio_ops, .irq_offset = offsetof(VirtioMmio, irq),
    .fdt = &virtio_mmio_fdt, .realize = virtio_mmio_realize, .reset = virtio_mmio_reset,
};
