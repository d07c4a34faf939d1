/*
 * query-pci and "info pci".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/pci/pci.h"
#include "monitor/commands.h"
#include "monitor/qmp.h"

/* By the class code's base class and subclass (PCI Code and ID Assignment 1.9). */
static const struct {
    uint16_t code;
    const char *desc;
} classes[] = {
    { 0x0100, "SCSI controller" }, { 0x0106, "SATA controller" },
    { 0x0108, "Non-Volatile memory controller" }, { 0x0200, "Ethernet controller" },
    { 0x0300, "VGA controller" }, { 0x0380, "Display controller" }, { 0x0403, "Audio controller" },
    { 0x0600, "Host bridge" }, { 0x0604, "PCI bridge" }, { 0x0780, "Communication controller" },
    { 0x0880, "System peripheral" }, { 0x0980, "Input controller" }, { 0x0c03, "USB controller" },
};

static const char *describe(unsigned code)
{
    for (unsigned i = 0; i < ARRAY_SIZE(classes); i++) {
        if (classes[i].code == code) {
            return classes[i].desc;
        }
    }
    return NULL;
}

/* ---- QMP ---- */

static QapiPciMemoryRegionList *bars_of(const PciDevice *d)
{
    QapiPciMemoryRegionList *list = NULL, **tail = &list;

    for (unsigned n = 0; n < PCI_NUM_BARS; n++) {
        const PciBar *bar = &d->bar[n];
        bool io = bar->flags & PCI_BASE_ADDRESS_SPACE_IO;
        QapiPciMemoryRegion *out;

        if (!bar->region) {
            continue;
        }
        out = g_new0(QapiPciMemoryRegion, 1);
        out->bar = n;
        out->type = g_strdup(io ? "io" : "memory");
        /* Ports go by their numbers, not by where the CPUs see them. */
        out->address = !bar->region->enabled ? -1 :
                       io ? (int64_t)(pci_config_long(d, PCI_BASE_ADDRESS_0 + 4 * n) & ~3u) :
                       (int64_t)bar->region->base;
        out->size = (int64_t)bar->size;
        out->has_prefetch = out->has_mem_type_64 = !io;
        out->prefetch = bar->flags & PCI_BASE_ADDRESS_MEM_PREFETCH;
        out->mem_type_64 = bar->flags & PCI_BASE_ADDRESS_MEM_TYPE_64;
        QAPI_APPEND(tail, out);
    }
    return list;
}

static QapiPciMemoryRange *window(PciBridgeWindow w)
{
    QapiPciMemoryRange *out = g_new0(QapiPciMemoryRange, 1);

    out->base = (int64_t)w.base;
    out->limit = (int64_t)w.limit;
    return out;
}

static QapiPciDeviceInfoList *functions_of(const PciBus *bus);

static QapiPciBridgeInfo *bridge_of(const PciDevice *d)
{
    QapiPciBridgeInfo *out = g_new0(QapiPciBridgeInfo, 1);

    out->bus = g_new0(QapiPciBusInfo, 1);
    out->bus->number = d->s->config[PCI_PRIMARY_BUS];
    out->bus->secondary = d->s->config[PCI_SECONDARY_BUS];
    out->bus->subordinate = d->s->config[PCI_SUBORDINATE_BUS];
    out->bus->io_range = window(pci_bridge_ports(d));
    out->bus->memory_range = window(pci_bridge_memory(d));
    out->bus->prefetchable_range = window(pci_bridge_prefetchable(d));
    out->has_devices = true;
    out->devices = functions_of(d->secondary);
    return out;
}

static QapiPciDeviceInfo *function(const PciDevice *d)
{
    QapiPciDeviceInfo *out = g_new0(QapiPciDeviceInfo, 1);
    unsigned code = pci_config_word(d, PCI_CLASS_CODE + 1);
    bool pin = d->s->config[PCI_INTERRUPT_PIN];

    out->bus = pci_bus_number(d->bus);
    out->slot = pci_slot(d->devfn);
    out->function = pci_function(d->devfn);
    out->class_info = g_new0(QapiPciDeviceClass, 1);
    out->class_info->desc = g_strdup(describe(code));
    out->class_info->class = code;
    out->id = g_new0(QapiPciDeviceId, 1);
    out->id->device = pci_config_word(d, PCI_DEVICE_ID);
    out->id->vendor = pci_config_word(d, PCI_VENDOR_ID);
    if (!d->secondary) {
        out->id->has_subsystem = out->id->has_subsystem_vendor = true;
        out->id->subsystem = pci_config_word(d, PCI_SUBSYSTEM_ID);
        out->id->subsystem_vendor = pci_config_word(d, PCI_SUBSYSTEM_VENDOR_ID);
    }
    out->has_irq = pin;
    out->irq = d->s->config[PCI_INTERRUPT_LINE];
    out->irq_pin = pin;
    out->qdev_id = g_strdup(d->dev.id);
    out->pci_bridge = d->secondary ? bridge_of(d) : NULL;
    out->regions = bars_of(d);
    return out;
}

static QapiPciDeviceInfoList *functions_of(const PciBus *bus)
{
    QapiPciDeviceInfoList *list = NULL, **tail = &list;

    for (unsigned devfn = 0; devfn < PCI_NUM_DEVFN; devfn++) {
        if (bus->device[devfn]) {
            QAPI_APPEND(tail, function(bus->device[devfn]));
        }
    }
    return list;
}

typedef struct PciCall {
    Machine *machine;
    QapiPciInfoList *list;
} PciCall;

static void query_run(void *opaque)
{
    PciCall *c = opaque;
    QapiPciInfoList **tail = &c->list;

    for (unsigned i = 0; i < c->machine->buses->len; i++) {
        const Bus *bus = g_ptr_array_index(c->machine->buses, i);
        const PciBus *pci = strcmp(bus->kind, PCI_BUS) == 0 ? bus->opaque : NULL;

        if (pci && !pci->bridge) {
            QapiPciInfo *info = g_new0(QapiPciInfo, 1);

            info->bus = pci_bus_number(pci);
            info->devices = functions_of(pci);
            QAPI_APPEND(tail, info);
        }
    }
}

bool qmp_query_pci(QmpContext *ctx, QapiPciInfoList **ret, Error **errp)
{
    PciCall c = { .machine = exec_loop_machine(ctx->env->loop) };

    machine_run_sync(ctx->env->loop, query_run, &c);
    *ret = c.list;
    return true;
}

/* ---- HMP ---- */

static void print_range(const char *what, const QapiPciMemoryRange *r, unsigned digits,
                        GString *out)
{
    g_string_append_printf(out, "      %s range [0x%0*" PRIx64 ", 0x%0*" PRIx64 "]\n", what,
                           (int)digits, r->base, (int)digits, r->limit);
}

static void print_region(const QapiPciMemoryRegion *r, GString *out)
{
    g_autofree char *address = r->address == -1 ? g_strdup("nowhere")
                                                : g_strdup_printf("0x%" PRIx64, r->address);

    if (strcmp(r->type, "io") == 0) {
        g_string_append_printf(out, "      BAR%" PRId64 ": I/O at %s, ", r->bar, address);
    } else {
        g_string_append_printf(out, "      BAR%" PRId64 ": %s bit %smemory at %s, ", r->bar,
                               r->mem_type_64 ? "64" : "32", r->prefetch ? "prefetchable " : "",
                               address);
    }
    g_string_append_printf(out, "0x%" PRIx64 " bytes\n", r->size);
}

static void print_functions(const QapiPciDeviceInfoList *list, GString *out);

static void print_bridge(const QapiPciBridgeInfo *bridge, GString *out)
{
    const QapiPciBusInfo *bus = bridge->bus;

    g_string_append_printf(out, "      BUS %" PRId64 ".\n      secondary bus %" PRId64 ".\n"
                           "      subordinate bus %" PRId64 ".\n", bus->number, bus->secondary,
                           bus->subordinate);
    print_range("IO", bus->io_range, 4, out);
    print_range("memory", bus->memory_range, 8, out);
    print_range("prefetchable memory", bus->prefetchable_range, 8, out);
}

static void print_function(const QapiPciDeviceInfo *d, GString *out)
{
    g_string_append_printf(out, "  Bus %2" PRId64 ", device %3" PRId64 ", function %" PRId64
                           ":\n    ", d->bus, d->slot, d->function);
    if (d->class_info->desc) {
        g_string_append(out, d->class_info->desc);
    } else {
        g_string_append_printf(out, "Class %04" PRId64, d->class_info->class);
    }
    g_string_append_printf(out, ": PCI device %04" PRIx64 ":%04" PRIx64 "\n", d->id->vendor,
                           d->id->device);
    if (d->id->has_subsystem) {
        g_string_append_printf(out, "      PCI subsystem %04" PRIx64 ":%04" PRIx64 "\n",
                               d->id->subsystem_vendor, d->id->subsystem);
    }
    if (d->has_irq) {
        g_string_append_printf(out, "      IRQ %" PRId64 ", pin %c\n", d->irq,
                               (char)('A' + d->irq_pin - 1));
    }
    if (d->pci_bridge) {
        print_bridge(d->pci_bridge, out);
    }
    for (const QapiPciMemoryRegionList *r = d->regions; r; r = r->next) {
        print_region(r->value, out);
    }
    g_string_append_printf(out, "      id \"%s\"\n", d->qdev_id);
    if (d->pci_bridge) {
        print_functions(d->pci_bridge->devices, out);
    }
}

static void print_functions(const QapiPciDeviceInfoList *list, GString *out)
{
    for (; list; list = list->next) {
        print_function(list->value, out);
    }
}

bool hmp_info_pci(MonitorEnv *env, const HmpArgs *args, GString *out, Error **errp)
{
    g_autoptr(QapiPciInfoList) list = NULL;

    if (!qmp_query_pci(&(QmpContext){ .env = env }, &list, errp)) {
        return false;
    }
    if (!list) {
        g_string_append(out, "this machine has no PCI\n");
    }
    for (const QapiPciInfoList *bus = list; bus; bus = bus->next) {
        print_functions(bus->value->devices, out);
    }
    return true;
}
