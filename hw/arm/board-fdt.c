/*
 * A board's rows of devices in its device tree.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "board-fdt.h"
#include "boot-fdt.h"
#include "hw/core/bus.h"
#include "hw/core/fdt-binding.h"

static char *node_path(const BoardDevice *row, unsigned n)
{
    return g_strdup_printf("/%s@%" PRIx64, row->type->fdt->node,
                           row->base + n * row->type->window);
}

char *board_fdt_path(const BoardDevice *row)
{
    return node_path(row, 0);
}

static void set_list(GByteArray *fdt, const char *path, const char *name,
                     const char *const *list)
{
    GByteArray *bytes = g_byte_array_new();

    for (; *list; list++) {
        g_byte_array_append(bytes, (const uint8_t *)*list, (guint)strlen(*list) + 1);
    }
    boot_fdt_set(fdt, path, name, bytes->data, bytes->len);
    g_byte_array_unref(bytes);
}

static void add_clocks(GByteArray *fdt, const char *path, const FdtBinding *b, uint32_t clock)
{
    uint32_t cells[ARRAY_SIZE(b->clock_names)];
    unsigned num = 0;

    while (b->clock_names[num]) {
        cells[num++] = clock;
    }
    if (num) {
        boot_fdt_set_cells(fdt, path, "clocks", cells, num);
        set_list(fdt, path, "clock-names", b->clock_names);
    }
}

/* What does not depend on the bus. */
static void add_binding(GByteArray *fdt, const char *path, const DeviceType *type, unsigned irq,
                        uint32_t clock)
{
    const FdtBinding *b = type->fdt;

    if (type->irq_offset) {
        BOOT_FDT_CELLS(fdt, path, "interrupts", FDT_GIC_SPI, irq, b->irq_type);
    }
    if (b->gpio_cells) {
        BOOT_FDT_CELLS(fdt, path, "#gpio-cells", b->gpio_cells);
        boot_fdt_set(fdt, path, "gpio-controller", "", 0);
    }
    add_clocks(fdt, path, b, clock);
    if (b->dma_coherent) {
        boot_fdt_set(fdt, path, "dma-coherent", "", 0);
    }
}

static void add_node(GByteArray *fdt, const BoardDevice *row, unsigned n, uint32_t clock)
{
    const DeviceType *type = row->type;
    hwaddr base = row->base + n * type->window;
    g_autofree char *path = node_path(row, n);

    assert(!type->fdt->frames);
    set_list(fdt, path, "compatible", type->fdt->compatible);
    BOOT_FDT_CELLS(fdt, path, "reg", FDT_REG64(base, type->window));
    add_binding(fdt, path, type, row->irq + n, clock);
    if (row->phandle) {
        BOOT_FDT_CELLS(fdt, path, "phandle", row->phandle + n);
    }
}

void board_fdt_add_devices(GByteArray *fdt, const BoardDevice *rows, uint32_t clock)
{
    for (const BoardDevice *row = rows; row->type; row++) {
        for (unsigned n = MAX(row->count, 1); row->type->fdt && n-- > 0; ) {
            add_node(fdt, row, n, clock);
        }
        if (row->fdt) {
            row->fdt(fdt, row);
        }
    }
}

static void add_bus_node(GByteArray *fdt, const char *parent, uint32_t offset, const DeviceType *type,
                         unsigned irq, uint32_t clock)
{
    unsigned frames = MAX(type->fdt->frames, 1);
    uint32_t size = (uint32_t)type->window / frames;
    g_autofree char *path = g_strdup_printf("%s/%s@%" PRIx32, parent, type->fdt->node, offset);
    g_autofree uint32_t *reg = g_new(uint32_t, 2 * frames);

    for (unsigned i = 0; i < frames; i++) {
        reg[2 * i] = offset + i * size;
        reg[2 * i + 1] = size;
    }
    set_list(fdt, path, "compatible", type->fdt->compatible);
    boot_fdt_set_cells(fdt, path, "reg", reg, 2 * frames);
    add_binding(fdt, path, type, irq, clock);
}

void board_fdt_add_bus(GByteArray *fdt, const char *path, hwaddr base, const Bus *bus, unsigned irq,
                       uint32_t clock)
{
    for (unsigned n = bus->children->len; n-- > 0; ) {
        const Device *dev = g_ptr_array_index(bus->children, n);

        if (dev->type->fdt) {
            add_bus_node(fdt, path, (uint32_t)(dev->region[0]->base - base), dev->type, irq + n, clock);
        }
    }
}
