/*
 * The PCI transport of virtio devices (virtio 1.2 4.1). Wiring: one PCI function with the virtio
 * device as its part, and
 *
 *   BAR 0  I/O: the registers of the interface before 1.0 (4.1.4.10), if it is offered
 *   BAR 1  memory: the table of MSI-X vectors, if it has any
 *   BAR 4  memory, 64 bits wide: common configuration at 0, ISR status at 0x1000, the device's
 *          configuration at 0x2000, notifications at 0x3000, 4 bytes a queue
 *
 * A function on the root bus is transitional, one behind a port has the present interface only, as
 * a port has no I/O space to spare; disable-legacy and disable-modern say otherwise. Interrupts are
 * messages once the driver has switched MSI-X on, and INTA with the ISR status before.
 *
 * Not modelled: shared memory, and the reset of single queues.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/bitops.h"
#include "util/log.h"
#include "virtio-pci-internal.h"

enum {
    BAR_LEGACY = 0, BAR_MSIX = 1, BAR_MODERN = 4,

    MODERN_ISR = 0x1000, MODERN_DEVICE = 0x2000, MODERN_NOTIFY = 0x3000, MODERN_SIZE = 0x4000,
    MODERN_PART_SIZE = 0x1000,
    NOTIFY_MULTIPLIER = 4,

    LEGACY_PAGE_SHIFT = 12, LEGACY_ALIGN = 4096,
    LEGACY_CONFIG = 20, LEGACY_CONFIG_MSIX = 24,
};

/* The common configuration (4.1.4.3). */
enum {
    COMMON_DEVICE_FEATURE_SELECT = 0x00,
    COMMON_DEVICE_FEATURE = 0x04,
    COMMON_DRIVER_FEATURE_SELECT = 0x08,
    COMMON_DRIVER_FEATURE = 0x0c,
    COMMON_CONFIG_VECTOR = 0x10,
    COMMON_NUM_QUEUES = 0x12,
    COMMON_STATUS = 0x14,
    COMMON_CONFIG_GENERATION = 0x15,
    COMMON_QUEUE_SELECT = 0x16,
    COMMON_QUEUE_SIZE = 0x18,
    COMMON_QUEUE_VECTOR = 0x1a,
    COMMON_QUEUE_ENABLE = 0x1c,
    COMMON_QUEUE_NOTIFY_OFF = 0x1e,
    COMMON_QUEUE_DESC = 0x20,
    COMMON_QUEUE_DRIVER = 0x28,
    COMMON_QUEUE_DEVICE = 0x30,
    COMMON_END = 0x38,
};

/* The registers of the interface before 1.0. */
enum {
    LEGACY_DEVICE_FEATURES = 0,
    LEGACY_DRIVER_FEATURES = 4,
    LEGACY_QUEUE_PFN = 8,
    LEGACY_QUEUE_SIZE = 12,
    LEGACY_QUEUE_SELECT = 14,
    LEGACY_QUEUE_NOTIFY = 16,
    LEGACY_STATUS = 18,
    LEGACY_ISR = 19,
    LEGACY_CONFIG_VECTOR = 20,
    LEGACY_QUEUE_VECTOR = 22,
};

/* Structures in configuration space (4.1.4). */
enum {
    CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_ISR = 3, CAP_DEVICE = 4, CAP_PCI = 5,

    CAP_LEN = 2, CAP_TYPE = 3, CAP_BAR = 4, CAP_OFFSET = 8, CAP_LENGTH = 12, CAP_EXTRA = 16,
    CAP_SIZE = 16, CAP_SIZE_EXTRA = 20,
};

FIELD_TABLE(virtio_pci_fields, "virtio-pci", 1, VirtioPciState, VIRTIO_PCI_FIELDS);

static VirtioDevice *device_of(const VirtioPci *t)
{
    return container_of(t->pci.dev.part, VirtioDevice, dev);
}

static bool queue_selected(const VirtioPci *t)
{
    return t->state.queue_sel < device_of(t)->vtype->num_queues;
}

/* ---- interrupts ---- */

static void update_irq(void *opaque)
{
    VirtioPci *t = opaque;

    pci_set_intx(&t->pci, device_of(t)->s->isr != 0);
}

/* Without a vector of its own an event is not told of (4.1.5.1.2). */
static bool send(void *opaque, uint16_t vector)
{
    VirtioPci *t = opaque;

    if (!pci_msix_enabled(&t->pci)) {
        return false;
    }
    if (vector != VIRTIO_NO_VECTOR) {
        pci_send_message(&t->pci, vector);
    }
    return true;
}

static uint8_t read_isr(VirtioPci *t)
{
    VirtioState *s = device_of(t)->s;
    uint8_t isr = s->isr;

    s->isr = 0;
    update_irq(t);
    return isr;
}

/* A vector that there is not reads back as none (4.1.5.1.2.1). */
static uint16_t valid_vector(const VirtioPci *t, uint64_t vector)
{
    return vector < t->pci.msix_vectors ? (uint16_t)vector : VIRTIO_NO_VECTOR;
}

/* ---- what both interfaces do ---- */

static void reset_registers(VirtioPci *t)
{
    t->state.device_features_sel = t->state.driver_features_sel = 0;
    t->state.queue_sel = 0;
}

static void write_status(VirtioPci *t, uint8_t status)
{
    if (!status) {
        reset_registers(t);
    }
    virtio_set_status(device_of(t), status);
}

static void kick(VirtioPci *t, uint32_t q)
{
    if (pci_is_master(&t->pci)) {
        virtio_kick(device_of(t), q);
    } else {
        log_mask(LOG_GUEST_ERROR, "%s: kick of a function that is no bus master\n", t->pci.dev.id);
    }
}

static void write_queue_vector(VirtioPci *t, uint64_t value)
{
    if (queue_selected(t)) {
        device_of(t)->s->queue_vector[t->state.queue_sel] = valid_vector(t, value);
    }
}

static uint16_t read_queue_vector(const VirtioPci *t)
{
    return queue_selected(t) ? device_of(t)->s->queue_vector[t->state.queue_sel] : VIRTIO_NO_VECTOR;
}

/* ---- common configuration ---- */

/* The legacy bits are no choice here. */
static uint32_t modern_features(const VirtioPci *t)
{
    uint64_t features = device_of(t)->host_features & ~(uint64_t)VIRTIO_LEGACY_FEATURES;

    return t->state.device_features_sel <= 1 ?
           (uint32_t)extract64(features, t->state.device_features_sel * 32, 32) : 0;
}

static uint32_t driver_features(const VirtioPci *t)
{
    return t->state.driver_features_sel <= 1 ?
           (uint32_t)extract64(device_of(t)->s->driver_features,
                               t->state.driver_features_sel * 32, 32) : 0;
}

/* The selected queue's address that a register of 32 bits is half of. */
static uint64_t *queue_address(const VirtioPci *t, hwaddr offset)
{
    VirtioState *s = device_of(t)->s;
    uint64_t *const part[] = { s->queue_desc, s->queue_avail, s->queue_used };

    return &part[(offset - COMMON_QUEUE_DESC) / 8][t->state.queue_sel];
}

static uint32_t queue_register(const VirtioPci *t, hwaddr offset)
{
    const VirtioState *s = device_of(t)->s;
    unsigned q = t->state.queue_sel;

    if (!queue_selected(t)) {
        return 0;
    }
    switch (offset) {
    case COMMON_QUEUE_SIZE:
        return s->queue_num[q];
    case COMMON_QUEUE_ENABLE:
        return s->queue_ready[q];
    case COMMON_QUEUE_NOTIFY_OFF:
        return q;
    default:
        return (uint32_t)(*queue_address(t, offset) >> (offset & 4 ? 32 : 0));
    }
}

static uint32_t common_read(const VirtioPci *t, hwaddr offset)
{
    const VirtioState *s = device_of(t)->s;

    switch (offset) {
    case COMMON_DEVICE_FEATURE_SELECT:
        return t->state.device_features_sel;
    case COMMON_DEVICE_FEATURE:
        return modern_features(t);
    case COMMON_DRIVER_FEATURE_SELECT:
        return t->state.driver_features_sel;
    case COMMON_DRIVER_FEATURE:
        return driver_features(t);
    case COMMON_CONFIG_VECTOR:
        return s->config_vector;
    case COMMON_NUM_QUEUES:
        return device_of(t)->vtype->num_queues;
    case COMMON_STATUS:
        return s->status;
    case COMMON_CONFIG_GENERATION:
        return s->config_generation;
    case COMMON_QUEUE_SELECT:
        return t->state.queue_sel;
    case COMMON_QUEUE_VECTOR:
        return read_queue_vector(t);
    case COMMON_QUEUE_SIZE:
    case COMMON_QUEUE_ENABLE:
    case COMMON_QUEUE_NOTIFY_OFF:
        return queue_register(t, offset);
    default:
        return offset >= COMMON_QUEUE_DESC && offset < COMMON_END && offset % 4 == 0 ?
               queue_register(t, offset) : 0;
    }
}

static void write_queue_address(VirtioPci *t, hwaddr offset, uint32_t value)
{
    uint64_t *address;

    if (!queue_selected(t) || device_of(t)->s->queue_ready[t->state.queue_sel]) {
        log_mask(LOG_GUEST_ERROR, "%s: ring address of a queue that is in use or absent\n",
                 t->pci.dev.id);
        return;
    }
    address = queue_address(t, offset);
    *address = deposit64(*address, offset & 4 ? 32 : 0, 32, value);
}

static void write_queue_enable(VirtioPci *t, uint32_t value)
{
    if (queue_selected(t) && value == 1) {
        device_of(t)->s->queue_ready[t->state.queue_sel] = 1;
    } else {
        log_mask(LOG_GUEST_ERROR, "%s: queue_enable of queue %" PRIu32 " is given %" PRIu32 "\n",
                 t->pci.dev.id, t->state.queue_sel, value);
    }
}

static void write_driver_features(VirtioPci *t, uint32_t value)
{
    uint32_t legacy = t->state.driver_features_sel ? 0 : VIRTIO_LEGACY_FEATURES;

    virtio_set_driver_features(device_of(t), t->state.driver_features_sel, value & ~legacy);
}

static void common_write(VirtioPci *t, hwaddr offset, uint32_t value)
{
    VirtioDevice *v = device_of(t);

    switch (offset) {
    case COMMON_DEVICE_FEATURE_SELECT:
        t->state.device_features_sel = value;
        break;
    case COMMON_DRIVER_FEATURE_SELECT:
        t->state.driver_features_sel = value;
        break;
    case COMMON_DRIVER_FEATURE:
        write_driver_features(t, value);
        break;
    case COMMON_CONFIG_VECTOR:
        v->s->config_vector = valid_vector(t, value);
        break;
    case COMMON_STATUS:
        write_status(t, (uint8_t)value);
        break;
    case COMMON_QUEUE_SELECT:
        t->state.queue_sel = value & 0xffff;
        break;
    case COMMON_QUEUE_SIZE:
        virtio_set_queue_num(v, t->state.queue_sel, value);
        break;
    case COMMON_QUEUE_VECTOR:
        write_queue_vector(t, value);
        break;
    case COMMON_QUEUE_ENABLE:
        write_queue_enable(t, value);
        break;
    default:
        if (offset >= COMMON_QUEUE_DESC && offset < COMMON_END && offset % 4 == 0) {
            write_queue_address(t, offset, value);
        } else {
            log_mask(LOG_GUEST_ERROR, "%s: write of 0x%" PRIx32 " to common configuration at 0x%02"
                     PRIx64 "\n", t->pci.dev.id, value, offset);
        }
    }
}

/* ---- the window of the present interface ---- */

static bool in_config(const VirtioPci *t, hwaddr offset, unsigned size)
{
    return offset + size <= device_of(t)->vtype->config_size;
}

static uint64_t modern_peek(void *opaque, hwaddr offset, unsigned size)
{
    VirtioPci *t = opaque;
    hwaddr in_part = offset % MODERN_PART_SIZE;

    switch (offset - in_part) {
    case 0:
        return common_read(t, in_part);
    case MODERN_ISR:
        return in_part ? 0 : device_of(t)->s->isr;
    case MODERN_DEVICE:
        return in_config(t, in_part, size) ? virtio_config_read(device_of(t), in_part, size) : 0;
    default:
        return 0;
    }
}

static uint64_t modern_read(void *opaque, hwaddr offset, unsigned size)
{
    VirtioPci *t = opaque;

    if (offset == MODERN_ISR) {
        return read_isr(t);
    }
    if (offset >= MODERN_DEVICE && offset < MODERN_NOTIFY) {
        return virtio_config_read(device_of(t), offset - MODERN_DEVICE, size);
    }
    return modern_peek(opaque, offset, size);
}

static void modern_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    VirtioPci *t = opaque;
    hwaddr in_part = offset % MODERN_PART_SIZE;

    switch (offset - in_part) {
    case 0:
        common_write(t, in_part, (uint32_t)value);
        break;
    case MODERN_DEVICE:
        virtio_config_write(device_of(t), in_part, (uint32_t)value, size);
        break;
    case MODERN_NOTIFY:
        kick(t, (uint32_t)in_part / NOTIFY_MULTIPLIER);
        break;
    default:
        log_mask(LOG_GUEST_ERROR, "%s: write of 0x%" PRIx64 " to the ISR status\n", t->pci.dev.id,
                 value);
    }
}

static const MmioOps modern_ops = {
    .read = modern_read, .write = modern_write, .peek = modern_peek, .min_size = 1, .max_size = 4,
};

/* ---- the interface before 1.0 ---- */

static unsigned legacy_config_start(const VirtioPci *t)
{
    return pci_msix_enabled(&t->pci) ? LEGACY_CONFIG_MSIX : LEGACY_CONFIG;
}

static uint32_t legacy_peek_register(const VirtioPci *t, hwaddr offset)
{
    const VirtioState *s = device_of(t)->s;
    bool selected = queue_selected(t);

    switch (offset) {
    case LEGACY_DEVICE_FEATURES:
        return (uint32_t)device_of(t)->host_features;
    case LEGACY_DRIVER_FEATURES:
        return (uint32_t)s->driver_features;
    case LEGACY_QUEUE_PFN:
        return selected ? (uint32_t)(s->queue_desc[t->state.queue_sel] >> LEGACY_PAGE_SHIFT) : 0;
    case LEGACY_QUEUE_SIZE:
        return selected ? device_of(t)->vtype->queue_size : 0;
    case LEGACY_QUEUE_SELECT:
        return t->state.queue_sel;
    case LEGACY_STATUS:
        return s->status;
    case LEGACY_ISR:
        return s->isr;
    case LEGACY_CONFIG_VECTOR:
        return s->config_vector;
    case LEGACY_QUEUE_VECTOR:
        return read_queue_vector(t);
    default:
        return 0;
    }
}

static uint64_t legacy_peek(void *opaque, hwaddr offset, unsigned size)
{
    VirtioPci *t = opaque;
    unsigned config = legacy_config_start(t);

    if (offset < config) {
        return legacy_peek_register(t, offset);
    }
    return in_config(t, offset - config, size) ?
           virtio_config_read(device_of(t), offset - config, size) : 0;
}

static uint64_t legacy_read(void *opaque, hwaddr offset, unsigned size)
{
    VirtioPci *t = opaque;

    return offset == LEGACY_ISR ? read_isr(t) : legacy_peek(opaque, offset, size);
}

/* The size of a queue is the device's here, whatever a driver of the other interface has chosen. */
static void legacy_write_pfn(VirtioPci *t, uint32_t pfn)
{
    VirtioDevice *v = device_of(t);
    unsigned q = t->state.queue_sel;

    if (!queue_selected(t)) {
        return;
    }
    if (!pfn) {
        virtio_reset_queue(v, q);
        return;
    }
    virtio_set_queue_num(v, q, v->vtype->queue_size);
    virtio_set_legacy_ring(v, q, (uint64_t)pfn << LEGACY_PAGE_SHIFT, LEGACY_ALIGN);
}

static void legacy_write_register(VirtioPci *t, hwaddr offset, uint32_t value)
{
    VirtioDevice *v = device_of(t);

    switch (offset) {
    case LEGACY_DRIVER_FEATURES:
        virtio_set_driver_features(v, 0, value);
        break;
    case LEGACY_QUEUE_PFN:
        legacy_write_pfn(t, value);
        break;
    case LEGACY_QUEUE_SELECT:
        t->state.queue_sel = value & 0xffff;
        break;
    case LEGACY_QUEUE_NOTIFY:
        kick(t, value & 0xffff);
        break;
    case LEGACY_STATUS:
        write_status(t, (uint8_t)value);
        break;
    case LEGACY_CONFIG_VECTOR:
        v->s->config_vector = valid_vector(t, value);
        break;
    case LEGACY_QUEUE_VECTOR:
        write_queue_vector(t, value);
        break;
    default:
        log_mask(LOG_GUEST_ERROR, "%s: write of 0x%" PRIx32 " to port 0x%02" PRIx64 "\n",
                 t->pci.dev.id, value, offset);
    }
}

static void legacy_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    VirtioPci *t = opaque;
    unsigned config = legacy_config_start(t);

    if (offset < config) {
        legacy_write_register(t, offset, (uint32_t)value);
    } else {
        virtio_config_write(device_of(t), offset - config, (uint32_t)value, size);
    }
}

static const MmioOps legacy_ops = {
    .read = legacy_read, .write = legacy_write, .peek = legacy_peek, .min_size = 1, .max_size = 4,
};

/* ---- access by way of configuration space (4.1.4.9) ---- */

static bool touches_data(const VirtioPci *t, unsigned offset, unsigned size)
{
    return t->cap_pci && offset + size > t->cap_pci + CAP_EXTRA &&
           offset < t->cap_pci + CAP_SIZE_EXTRA;
}

/* The BAR, offset and length that the driver has put there; false: no such access is possible. */
static bool window_access(VirtioPci *t, unsigned *bar, uint32_t *offset, uint32_t *length)
{
    const uint8_t *cap = t->state.pci.config + t->cap_pci;

    *bar = cap[CAP_BAR];
    *offset = (uint32_t)load_le(cap + CAP_OFFSET, 4);
    *length = (uint32_t)load_le(cap + CAP_LENGTH, 4);
    return *length == 1 || *length == 2 || *length == 4;
}

static void config_read(PciDevice *d, unsigned offset, unsigned size)
{
    VirtioPci *t = container_of(d, VirtioPci, pci);
    uint32_t at, length;
    uint64_t value;
    unsigned bar;

    if (touches_data(t, offset, size) && window_access(t, &bar, &at, &length) &&
        pci_bar_read(d, bar, at, length, &value)) {
        store_le(t->state.pci.config + t->cap_pci + CAP_EXTRA, value, length);
    }
}

static void config_written(PciDevice *d, unsigned offset, unsigned size)
{
    VirtioPci *t = container_of(d, VirtioPci, pci);
    uint32_t at, length;
    unsigned bar;

    if (touches_data(t, offset, size) && window_access(t, &bar, &at, &length)) {
        pci_bar_write(d, bar, at, length,
                      load_le(t->state.pci.config + t->cap_pci + CAP_EXTRA, length));
    }
}

/* ---- what it is on its bus ---- */

/*
 * By virtio's device ids: the one that a transitional function has (4.1.2.1; 0: there is none), the
 * class, and how many vectors QEMU gives it (0: one a queue, and one for configuration).
 */
static const struct Identity {
    uint16_t virtio_id, transitional;
    uint32_t class_code;
    uint8_t vectors;
} identities[] = {
    { .virtio_id = 1, 0x1000, 0x020000, 3 },    /* network */
    { .virtio_id = 2, 0x1001, 0x010000 },       /* block */
    { .virtio_id = 3, 0x1003, 0x078000, 2 },    /* console */
    { .virtio_id = 4, 0x1005, 0x00ff00, 2 },    /* entropy */
    { .virtio_id = 5, 0x1002, 0x00ff00 },       /* balloon */
    { .virtio_id = 8, 0x1004, 0x010000 },       /* SCSI host */
    { .virtio_id = 9, 0x1009, 0x000200, 2 },    /* 9P */
    { .virtio_id = 16, 0, 0x038000, 3 },        /* GPU */
    { .virtio_id = 18, 0, 0x098000, 2 },        /* input */
};

static const struct Identity *find_identity(const VirtioDevice *v)
{
    for (unsigned i = 0; i < ARRAY_SIZE(identities); i++) {
        if (identities[i].virtio_id == v->vtype->device_id) {
            return &identities[i];
        }
    }
    g_assert_not_reached();
}

static void fill_type(VirtioPci *t, const struct Identity *id)
{
    const VirtioDevice *v = device_of(t);
    bool modern_only = !v->legacy;

    t->ptype = (PciDeviceType){
        .vendor_id = PCI_VENDOR_REDHAT_QUMRANET,
        .device_id = modern_only ? (uint16_t)(0x1040 + id->virtio_id) : id->transitional,
        .revision = modern_only, .class_code = id->class_code, .pin = true,
        .subsystem_vendor_id = PCI_VENDOR_REDHAT_QUMRANET,
        .subsystem_id = modern_only ? PCI_SUBSYSTEM_DEFAULT : id->virtio_id,
        .config_read = config_read, .config_written = config_written,
    };
}

static unsigned add_structure(VirtioPci *t, uint8_t type, unsigned bar, uint32_t offset,
                              uint32_t length)
{
    bool extra = type == CAP_NOTIFY || type == CAP_PCI;
    unsigned size = extra ? CAP_SIZE_EXTRA : CAP_SIZE;
    const PciConfigRow rows[] = {
        { CAP_LEN, 1, .value = size }, { CAP_TYPE, 1, .value = type }, { CAP_BAR, 1, .value = bar },
        { CAP_OFFSET, 4, .value = offset }, { CAP_LENGTH, 4, .value = length },
    };
    unsigned at = pci_add_capability(&t->pci, PCI_CAP_ID_VNDR, size);

    pci_add_rows(&t->pci, at, rows, ARRAY_SIZE(rows));
    return at;
}

static void add_modern(VirtioPci *t)
{
    static const PciConfigRow multiplier[] = {
        { CAP_EXTRA, 4, .value = NOTIFY_MULTIPLIER },
    };
    static const PciConfigRow window[] = {
        { CAP_BAR, 1, .writable = 0xff }, { CAP_OFFSET, 4, .writable = UINT32_MAX },
        { CAP_LENGTH, 4, .writable = UINT32_MAX }, { CAP_EXTRA, 4, .writable = UINT32_MAX },
    };

    add_structure(t, CAP_COMMON, BAR_MODERN, 0, MODERN_PART_SIZE);
    add_structure(t, CAP_ISR, BAR_MODERN, MODERN_ISR, MODERN_PART_SIZE);
    add_structure(t, CAP_DEVICE, BAR_MODERN, MODERN_DEVICE, MODERN_PART_SIZE);
    pci_add_rows(&t->pci, add_structure(t, CAP_NOTIFY, BAR_MODERN, MODERN_NOTIFY, MODERN_PART_SIZE),
                 multiplier, ARRAY_SIZE(multiplier));
    t->cap_pci = add_structure(t, CAP_PCI, 0, 0, 0);
    pci_add_rows(&t->pci, t->cap_pci, window, ARRAY_SIZE(window));
    pci_add_bar(&t->pci, BAR_MODERN, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH,
                MODERN_SIZE, &modern_ops, t);
}

static void add_legacy(VirtioPci *t)
{
    unsigned used = LEGACY_CONFIG_MSIX + device_of(t)->vtype->config_size;
    uint64_t size = 32;

    while (size < used) {
        size *= 2;
    }
    pci_add_bar(&t->pci, BAR_LEGACY, PCI_BASE_ADDRESS_SPACE_IO, size, &legacy_ops, t);
}

/* ---- the shell ---- */

static void attach(Bus *bus, Device *dev)
{
    VirtioPci *t = bus->opaque;
    VirtioDevice *v = container_of(dev, VirtioDevice, dev);

    v->update_irq = update_irq;
    v->send = send;
    v->transport = t;
    v->legacy = t->config.disable_legacy == DISABLE_OFF ||
                (t->config.disable_legacy == DISABLE_AUTO && !pci_is_behind_port(&t->pci));
    v->transitional = v->legacy && !t->config.disable_modern;
}

static bool check_config(const VirtioPci *t, const struct Identity *id, Error **errp)
{
    const VirtioPciConfig *c = &t->config;

    if (!device_of(t)->legacy && c->disable_modern) {
        error_setg(errp, "disable-modern=on and no legacy interface%s leave no interface at all; "
                   "disable-legacy=off gives it the legacy one",
                   c->disable_legacy == DISABLE_AUTO ? " (there is none behind a port by itself)"
                                                     : "");
        return false;
    }
    if (device_of(t)->legacy && !id->transitional) {
        error_setg(errp, "there is no legacy interface of this device; use disable-legacy=on");
        return false;
    }
    if (c->vectors > PCI_MSIX_MAX && c->vectors != VECTORS_AUTO) {
        error_setg(errp, "vectors=%" PRIu32 ": a function has 0 to %d here", c->vectors,
                   PCI_MSIX_MAX);
        return false;
    }
    return true;
}

static unsigned num_vectors(const VirtioPci *t, const struct Identity *id)
{
    unsigned wanted = id->vectors ? id->vectors : device_of(t)->vtype->num_queues + 1u;

    return t->config.vectors == VECTORS_AUTO ? MIN(wanted, PCI_MSIX_MAX) : t->config.vectors;
}

bool virtio_pci_realize(Device *dev, Error **errp)
{
    VirtioPci *t = container_of(dev, VirtioPci, pci.dev);
    g_autofree char *name = g_strdup_printf("%s.virtio-bus", dev->id);
    Bus *bus = bus_new(dev, VIRTIO_BUS, name, 1, attach);
    const struct Identity *id;
    unsigned vectors;

    bus->opaque = t;
    bus->by_name_only = true;
    bus_attach(bus, dev->part);
    if (!device_realize(dev->part, errp)) {
        return false;
    }
    id = find_identity(device_of(t));
    fill_type(t, id);
    if (!check_config(t, id, errp) || !pci_init(&t->pci, &t->ptype, errp)) {
        return false;
    }
    if (!t->config.disable_modern) {
        add_modern(t);
    }
    vectors = num_vectors(t, id);
    if (vectors) {
        pci_add_msix(&t->pci, BAR_MSIX, vectors);
    }
    if (device_of(t)->legacy) {
        add_legacy(t);
    }
    if (pci_is_behind_port(&t->pci)) {
        pci_add_power_management(&t->pci);
        pci_add_express(&t->pci, PCI_EXP_TYPE_ENDPOINT, 0);
    }
    return true;
}

void virtio_pci_reset(Device *dev)
{
    VirtioPci *t = container_of(dev, VirtioPci, pci.dev);

    reset_registers(t);
    pci_reset(&t->pci);
}

/* Types that differ in what interfaces there are by themselves (LEGACY_: the default of disable-legacy). */
#define VIRTIO_PCI_PROPERTIES(LEGACY_)                                                          \
    PCI_PROPERTIES(VirtioPciConfig),                                                            \
    PROP_ENUM("disable-legacy", VirtioPciConfig, disable_legacy, LEGACY_,                       \
              "no interface from before virtio 1.0; auto: none behind a port", "off", "on",     \
              "auto"),                                                                          \
    PROP_BOOL("disable-modern", VirtioPciConfig, disable_modern, "off",                         \
              "nothing but the interface from before virtio 1.0"),                              \
    PROP_UINT("vectors", VirtioPciConfig, vectors, "4294967295", 0, UINT32_MAX,                 \
              "MSI-X vectors; 4294967295: as many as the device has a use for"),                \
    PROP_FIXED("ioeventfd", PROPERTY_BOOL, NULL, "no effect", "on", "off"),                     \
    PROP_FIXED("ats", PROPERTY_BOOL, "there is no IOMMU yet", "address translation", "off"),    \
    PROP_FIXED("iommu_platform", PROPERTY_BOOL, "there is no IOMMU yet", "no effect", "off"),   \
    PROP_FIXED("aer", PROPERTY_BOOL, "there are no errors to report", "error reporting", "off"), \
    PROP_FIXED("page-per-vq", PROPERTY_BOOL, "notifications of all queues share a page",        \
               "a page of notifications a queue", "off"),                                       \
    PROP_FIXED("modern-pio-notify", PROPERTY_BOOL, "notifications are in memory only",          \
               "notifications in I/O space", "off"),                                            \
    PROP_END

const Property virtio_pci_properties[] = { VIRTIO_PCI_PROPERTIES("auto") };
const Property virtio_pci_transitional_properties[] = { VIRTIO_PCI_PROPERTIES("off") };
const Property virtio_pci_non_transitional_properties[] = { VIRTIO_PCI_PROPERTIES("on") };
