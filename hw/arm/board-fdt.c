/*
 * A board's rows of devices in its device tree.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "board-fdt.h"
#include "boot-fdt.h"
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

static void add_node(GByteArray *fdt, const BoardDevice *row, unsigned n, uint32_t clock)
{
    const DeviceType *type = row->type;
    const FdtBinding *b = type->fdt;
    hwaddr base = row->base + n * type->window;
    g_autofree char *path = node_path(row, n);

    set_list(fdt, path, "compatible", b->compatible);
    BOOT_FDT_CELLS(fdt, path, "reg", FDT_REG64(base, type->window));
    if (type->irq_offset) {
        BOOT_FDT_CELLS(fdt, path, "interrupts", FDT_GIC_SPI, row->irq + n, b->irq_type);
    }
    if (b->gpio_cells) {
        BOOT_FDT_CELLS(fdt, path, "#gpio-cells", b->gpio_cells);
        boot_fdt_set(fdt, path, "gpio-controller", "", 0);
    }
    add_clocks(fdt, path, b, clock);
    if (b->dma_coherent) {
        boot_fdt_set(fdt, path, "dma-coherent", "", 0);
    }
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
