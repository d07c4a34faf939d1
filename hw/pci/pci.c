/*
 * PCI functions: configuration space, capabilities and base address registers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "pci-internal.h"
#include "util/log.h"

/* Below the board's regions, above the windows that answer where no BAR is. */
#define BAR_PRIORITY (-1)

/* ---- what a guest can do with which bits ---- */

void pci_add_rows(PciDevice *d, unsigned base, const PciConfigRow *rows, unsigned num)
{
    for (unsigned i = 0; i < num; i++) {
        unsigned at = base + rows[i].offset, size = rows[i].size;

        assert(at + size <= PCI_CONFIG_SIZE);
        assert(!(rows[i].writable & rows[i].clearable));
        store_le(d->initial + at, rows[i].value, size);
        store_le(d->writable + at, rows[i].writable, size);
        store_le(d->clearable + at, rows[i].clearable, size);
        store_le(d->dynamic + at, rows[i].dynamic, size);
    }
}

static const PciConfigRow common_rows[] = {
    { PCI_COMMAND, 2,
      .writable = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
                  PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE },
    { PCI_STATUS, 2, .clearable = PCI_STATUS_ERRORS, .dynamic = PCI_STATUS_INTERRUPT },
    { PCI_CACHE_LINE_SIZE, 1, .writable = 0xff },
    { PCI_INTERRUPT_LINE, 1, .writable = 0xff },
};

static const PciConfigRow bridge_rows[] = {
    { PCI_PRIMARY_BUS, 1, .writable = 0xff },
    { PCI_SECONDARY_BUS, 1, .writable = 0xff },
    { PCI_SUBORDINATE_BUS, 1, .writable = 0xff },
    { PCI_IO_BASE, 1, .value = PCI_IO_RANGE_TYPE_32, .writable = 0xf0 },
    { PCI_IO_LIMIT, 1, .value = PCI_IO_RANGE_TYPE_32, .writable = 0xf0 },
    { PCI_SECONDARY_STATUS, 2, .clearable = PCI_STATUS_ERRORS },
    { PCI_MEMORY_BASE, 2, .writable = 0xfff0 },
    { PCI_MEMORY_LIMIT, 2, .writable = 0xfff0 },
    { PCI_PREF_MEMORY_BASE, 2, .value = PCI_PREF_RANGE_TYPE_64, .writable = 0xfff0 },
    { PCI_PREF_MEMORY_LIMIT, 2, .value = PCI_PREF_RANGE_TYPE_64, .writable = 0xfff0 },
    { PCI_PREF_BASE_UPPER32, 4, .writable = UINT32_MAX },
    { PCI_PREF_LIMIT_UPPER32, 4, .writable = UINT32_MAX },
    { PCI_IO_BASE_UPPER16, 2, .writable = 0xffff },
    { PCI_IO_LIMIT_UPPER16, 2, .writable = 0xffff },
    { PCI_BRIDGE_CONTROL, 2, .writable = 0x0003 | PCI_BRIDGE_CTL_BUS_RESET },
};

static void add_identity(PciDevice *d)
{
    const PciDeviceType *t = d->ptype;
    uint8_t *c = d->initial;

    store_le(c + PCI_VENDOR_ID, t->vendor_id, 2);
    store_le(c + PCI_DEVICE_ID, t->device_id, 2);
    c[PCI_REVISION_ID] = t->revision;
    store_le(c + PCI_CLASS_CODE, t->class_code, 3);
    c[PCI_HEADER_TYPE] = t->bridge ? PCI_HEADER_TYPE_BRIDGE : PCI_HEADER_TYPE_NORMAL;
    c[PCI_INTERRUPT_PIN] = t->pin;
    if (!t->bridge) {
        store_le(c + PCI_SUBSYSTEM_VENDOR_ID, t->subsystem_vendor_id, 2);
        store_le(c + PCI_SUBSYSTEM_ID, t->subsystem_id, 2);
    }
}

void pci_init_config(PciDevice *d)
{
    pci_add_rows(d, 0, common_rows, ARRAY_SIZE(common_rows));
    if (d->ptype->bridge) {
        pci_add_rows(d, 0, bridge_rows, ARRAY_SIZE(bridge_rows));
    }
    add_identity(d);
    d->cap_end = PCI_HEADER_END;
}

/* ---- capabilities ---- */

unsigned pci_add_capability(PciDevice *d, uint8_t id, unsigned size)
{
    unsigned at = d->cap_end;

    assert(at + size <= PCI_CONFIG_SIZE);
    d->initial[at] = id;
    d->initial[at + 1] = d->initial[PCI_CAPABILITY_LIST];
    d->initial[PCI_CAPABILITY_LIST] = (uint8_t)at;
    d->initial[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
    d->cap_end = (at + size + 3) & ~3u;
    return at;
}

void pci_add_power_management(PciDevice *d)
{
    static const PciConfigRow rows[] = {
        { PCI_PM_PMC, 2, .value = PCI_PM_CAP_VERSION_3 },
        { PCI_PM_CTRL, 2, .value = PCI_PM_CTRL_NO_SOFT_RESET, .writable = PCI_PM_CTRL_STATE_MASK },
    };

    d->cap.pm = (uint8_t)pci_add_capability(d, PCI_CAP_ID_PM, PCI_PM_SIZEOF);
    pci_add_rows(d, d->cap.pm, rows, ARRAY_SIZE(rows));
}

void pci_add_express(PciDevice *d, unsigned type, unsigned port)
{
    bool endpoint = type == PCI_EXP_TYPE_ENDPOINT;
    const PciConfigRow rows[] = {
        { PCI_EXP_FLAGS, 2, .value = PCI_EXP_VERSION_2 | type << PCI_EXP_TYPE_SHIFT },
        { PCI_EXP_DEVCAP, 4,
          .value = PCI_EXP_DEVCAP_RBER | (endpoint ? PCI_EXP_DEVCAP_FLR : 0) },
        { PCI_EXP_DEVCTL, 2, .writable = PCI_EXP_DEVCTL_WRITABLE },
        { PCI_EXP_DEVSTA, 2, .clearable = PCI_EXP_DEVSTA_ERRORS },
        { PCI_EXP_LNKCAP, 4, .value = PCI_EXP_LNKCAP_SPEED_2_5 | 1 << PCI_EXP_LNKCAP_WIDTH_SHIFT |
                                      (endpoint ? 0 : PCI_EXP_LNKCAP_DLLLARC) |
                                      port << PCI_EXP_LNKCAP_PORT_SHIFT },
        { PCI_EXP_LNKCTL, 2, .writable = PCI_EXP_LNKCTL_WRITABLE },
        { PCI_EXP_LNKSTA, 2, .value = PCI_EXP_LNKCAP_SPEED_2_5 | 1 << PCI_EXP_LNKCAP_WIDTH_SHIFT },
        { PCI_EXP_LNKCAP2, 4, .value = PCI_EXP_LNKCAP2_SPEED_2_5 },
        { PCI_EXP_LNKCTL2, 2, .value = PCI_EXP_LNKCAP_SPEED_2_5, .writable = 0xf },
    };

    d->cap.exp = (uint8_t)pci_add_capability(d, PCI_CAP_ID_EXP, PCI_EXP_SIZEOF);
    pci_add_rows(d, d->cap.exp, rows, ARRAY_SIZE(rows));
}

/* ---- base address registers ---- */

static bool in_range(uint32_t offset, unsigned size, uint64_t length)
{
    return offset < length && size <= length - offset;
}

/* An access of the device's own making, while it is at one already, is not let in. */
static bool enter(PciBar *bar, hwaddr offset)
{
    PciDevice *d = bar->d;

    if (d->busy) {
        log_mask(LOG_GUEST_ERROR, "%s: the device accesses itself at offset 0x%" PRIx64
                 ": dropped\n", bar->name, offset);
        return false;
    }
    d->busy = true;
    return true;
}

static uint64_t bar_read(void *opaque, hwaddr offset, unsigned size)
{
    PciBar *bar = opaque;
    uint64_t value = UINT64_MAX;

    if (enter(bar, offset)) {
        value = bar->ops->read(bar->opaque, offset, size);
        bar->d->busy = false;
    }
    return value;
}

static void bar_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    PciBar *bar = opaque;

    if (enter(bar, offset)) {
        bar->ops->write(bar->opaque, offset, value, size);
        bar->d->busy = false;
    }
}

static uint64_t bar_peek(void *opaque, hwaddr offset, unsigned size)
{
    PciBar *bar = opaque;

    return bar->ops->peek(bar->opaque, offset, size);
}

void pci_add_bar(PciDevice *d, unsigned n, unsigned flags, uint64_t size, const MmioOps *ops,
                 void *opaque)
{
    PciBar *bar = &d->bar[n];
    bool wide = flags & PCI_BASE_ADDRESS_MEM_TYPE_64;
    PciConfigRow row = {
        .offset = (uint8_t)(PCI_BASE_ADDRESS_0 + 4 * n), .size = 4, .value = flags,
        .writable = (uint32_t)-size,
    };

    assert(n + wide < (d->ptype->bridge ? 2 : PCI_NUM_BARS) && !bar->region);
    assert(size >= 16 && !(size & (size - 1)) && (wide || size <= 1u << 31));
    pci_add_rows(d, 0, &row, 1);
    if (wide) {
        row = (PciConfigRow){ .offset = row.offset + 4, .size = 4,
                              .writable = (uint32_t)(-size >> 32) };
        pci_add_rows(d, 0, &row, 1);
    }
    *bar = (PciBar){
        .d = d, .ops = ops, .opaque = opaque, .size = size, .flags = flags,
        .name = g_strdup_printf("%s.bar%u", d->dev.id, n),
        .guarded = { .read = bar_read, .write = bar_write, .peek = ops->peek ? bar_peek : NULL,
                     .min_size = ops->min_size, .max_size = ops->max_size },
    };
    bar->region = memory_new_mmio(d->dev.machine->memory, bar->name, size, &bar->guarded, bar);
    memory_set_priority(d->dev.machine->memory, bar->region, BAR_PRIORITY);
}

bool pci_bar_read(PciDevice *d, unsigned n, uint32_t offset, unsigned size, uint64_t *out)
{
    PciBar *bar = n < PCI_NUM_BARS ? &d->bar[n] : NULL;

    if (!bar || !bar->region || !in_range(offset, size, bar->size) || offset % size ||
        size < bar->ops->min_size || size > bar->ops->max_size) {
        return false;
    }
    *out = bar_read(bar, offset, size);
    return true;
}

bool pci_bar_write(PciDevice *d, unsigned n, uint32_t offset, unsigned size, uint64_t value)
{
    PciBar *bar = n < PCI_NUM_BARS ? &d->bar[n] : NULL;

    if (!bar || !bar->region || !in_range(offset, size, bar->size) || offset % size ||
        size < bar->ops->min_size || size > bar->ops->max_size) {
        return false;
    }
    bar_write(bar, offset, value, size);
    return true;
}

/* ---- where they are ---- */

static bool range_holds(const PciRange *r, uint64_t first, uint64_t last)
{
    return first >= r->base && last >= first && last - r->base < r->size;
}

/* Whether an address of the function's bus comes from the CPUs, and where they have it. */
static bool reaches_cpus(const PciDevice *d, bool io, uint64_t first, uint64_t last,
                         hwaddr *address)
{
    const PciBus *bus = d->bus;
    const PciWindows *w;

    for (; bus->bridge; bus = bus->bridge->bus) {
        if (!pci_bridge_forwards(bus->bridge, io, first, last)) {
            return false;
        }
    }
    w = &bus->windows;
    if (io) {
        const PciRange ports = { 0, w->ports.size };

        *address = w->ports.base + first;
        return range_holds(&ports, first, last);
    }
    *address = first;
    return range_holds(&w->memory, first, last) || range_holds(&w->high, first, last);
}

static bool decodes(const PciDevice *d, bool io)
{
    unsigned bit = io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
    bool powered = !d->cap.pm ||
                   !(pci_config_word(d, d->cap.pm + PCI_PM_CTRL) & PCI_PM_CTRL_STATE_MASK);

    return (pci_config_word(d, PCI_COMMAND) & bit) && powered;
}

bool pci_bar_address(const PciDevice *d, unsigned n, hwaddr *address)
{
    const PciBar *bar = &d->bar[n];
    bool io = bar->flags & PCI_BASE_ADDRESS_SPACE_IO;
    unsigned at = PCI_BASE_ADDRESS_0 + 4 * n;
    uint64_t base = pci_config_long(d, at) & (io ? ~3u : ~15u);

    if (bar->flags & PCI_BASE_ADDRESS_MEM_TYPE_64) {
        base |= (uint64_t)pci_config_long(d, at + 4) << 32;
    }
    return bar->region && decodes(d, io) &&
           reaches_cpus(d, io, base, base + (bar->size - 1), address);
}

static void place_bar(PciDevice *d, unsigned n)
{
    MemoryMap *map = d->dev.machine->memory;
    MemRegion *region = d->bar[n].region;
    hwaddr address;
    bool on = pci_bar_address(d, n, &address);

    if (on && region->base != address) {
        memory_move(map, region, address);
    }
    if (on != region->enabled) {
        memory_set_enabled(map, region, on);
    }
}

/* ---- changes ---- */

void pci_update(PciDevice *d)
{
    for (unsigned n = 0; n < PCI_NUM_BARS; n++) {
        if (d->bar[n].region) {
            place_bar(d, n);
        }
    }
    for (unsigned devfn = 0; d->secondary && devfn < PCI_NUM_DEVFN; devfn++) {
        if (d->secondary->device[devfn]) {
            pci_update(d->secondary->device[devfn]);
        }
    }
}

static void update_all(PciDevice *d)
{
    pci_update(d);
    pci_update_intx(d->bus);
    pci_msi_flush(d);
}

void pci_reset(PciDevice *d)
{
    memcpy(d->s->config, d->initial, PCI_CONFIG_SIZE);
    pci_msix_reset(d);
    d->s->intx = 0;
    update_all(d);
}

void pci_post_load(PciDevice *d)
{
    for (unsigned i = 0; i < PCI_CONFIG_SIZE; i++) {
        uint8_t changes = d->writable[i] | d->clearable[i] | d->dynamic[i];

        d->s->config[i] = (uint8_t)((d->s->config[i] & changes) | (d->initial[i] & ~changes));
    }
    pci_msix_post_load(d);
    d->s->intx &= 1;
}

void pci_exit(PciDevice *d)
{
    for (unsigned n = 0; n < PCI_NUM_BARS; n++) {
        if (d->bar[n].region) {
            memory_remove(d->dev.machine->memory, d->bar[n].region);
            d->bar[n].region = NULL;
        }
    }
    if (d->bus && d->bus->device[d->devfn] == d) {
        d->bus->device[d->devfn] = NULL;
        pci_update_intx(d->bus);
    }
}

void pci_device_reset(Device *dev)
{
    pci_reset(container_of(dev, PciDevice, dev));
}

void pci_device_post_load(Device *dev)
{
    pci_post_load(container_of(dev, PciDevice, dev));
}

void pci_device_free(Device *dev)
{
    PciDevice *d = container_of(dev, PciDevice, dev);

    for (unsigned n = 0; n < PCI_NUM_BARS; n++) {
        g_free(d->bar[n].name);
    }
    g_free(dev);
}

/* A function-level reset (PCI Express 6.6.2): of the device as a whole. */
void pci_reset_function(PciDevice *d)
{
    d->dev.type->reset(&d->dev);
    if (d->dev.part && d->dev.part->type->reset) {
        d->dev.part->type->reset(d->dev.part);
    }
}

/* ---- accesses ---- */

uint32_t pci_config_peek(const PciDevice *d, unsigned offset, unsigned size)
{
    return offset < PCI_CONFIG_SIZE ? (uint32_t)load_le(d->s->config + offset, size) : 0;
}

static bool is_busy(const PciDevice *d, unsigned offset)
{
    if (d->busy) {
        log_mask(LOG_GUEST_ERROR, "%s: the device accesses its own configuration space at offset "
                 "0x%03x: dropped\n", d->dev.id, offset);
    }
    return d->busy;
}

uint32_t pci_config_read(PciDevice *d, unsigned offset, unsigned size)
{
    if (d->ptype->config_read && !is_busy(d, offset)) {
        d->ptype->config_read(d, offset, size);
    }
    return pci_config_peek(d, offset, size);
}

static bool touches(unsigned offset, unsigned size, unsigned at)
{
    return offset <= at && at < offset + size;
}

void pci_config_write(PciDevice *d, unsigned offset, unsigned size, uint32_t value)
{
    uint8_t *config = d->s->config;

    if (offset >= PCI_CONFIG_SIZE || is_busy(d, offset)) {
        return;
    }
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(value >> (8 * i)), writable = d->writable[offset + i];

        config[offset + i] = (uint8_t)((config[offset + i] & ~writable) | (byte & writable));
        config[offset + i] &= (uint8_t)~(byte & d->clearable[offset + i]);
        if (d->cap.exp && touches(d->cap.exp + PCI_EXP_DEVCTL + 1, 1, offset + i) &&
            (pci_config_long(d, d->cap.exp + PCI_EXP_DEVCAP) & PCI_EXP_DEVCAP_FLR) &&
            (byte & (PCI_EXP_DEVCTL_FLR >> 8))) {
            pci_reset_function(d);
            return;
        }
    }
    update_all(d);
    if (d->ptype->config_written) {
        d->ptype->config_written(d, offset, size);
    }
}

/* ---- bus master ---- */

bool pci_is_master(const PciDevice *d)
{
    for (; d; d = d->bus->bridge) {
        if (!(pci_config_word(d, PCI_COMMAND) & PCI_COMMAND_MASTER)) {
            return false;
        }
    }
    return true;
}

bool pci_dma_read(PciDevice *d, hwaddr addr, void *out, size_t length)
{
    return pci_is_master(d) && memory_read(d->dev.machine->memory, addr, out, length);
}

bool pci_dma_write(PciDevice *d, hwaddr addr, const void *data, size_t length)
{
    return pci_is_master(d) && memory_is_writable_ram(d->dev.machine->memory, addr, length) &&
           memory_write(d->dev.machine->memory, addr, data, length);
}
