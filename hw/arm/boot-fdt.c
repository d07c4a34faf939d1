/*
 * Device tree blobs (Devicetree Specification v0.4), by libfdt.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <libfdt.h>
#include <stdarg.h>
#include "boot-fdt.h"

/* Room for the largest single addition apart from values, whose length is known. */
#define FDT_SLACK 4096

/* PSCI 0.2+ function IDs (DEN 0022), SMC64 where there is one. */
#define PSCI_CPU_SUSPEND_64 0xc4000001
#define PSCI_CPU_OFF_32 0x84000002
#define PSCI_CPU_ON_64 0xc4000003
#define PSCI_MIGRATE_64 0xc4000005

/* Make sure that `more` bytes can be added. */
static void grow(GByteArray *fdt, size_t more)
{
    size_t used = fdt_off_dt_strings(fdt->data) + fdt_size_dt_strings(fdt->data);
    unsigned need = (unsigned)(used + more + FDT_SLACK);

    if (fdt->len < need) {
        int err;

        g_byte_array_set_size(fdt, need + FDT_SLACK);
        err = fdt_open_into(fdt->data, fdt->data, (int)fdt->len);
        assert(err == 0);
    }
}

GByteArray *boot_fdt_new(void)
{
    GByteArray *fdt = g_byte_array_new();
    int err;

    g_byte_array_set_size(fdt, 2 * FDT_SLACK);
    err = fdt_create_empty_tree(fdt->data, (int)fdt->len);
    assert(err == 0);
    return fdt;
}

GByteArray *boot_fdt_parse(const char *path, const void *data, size_t length, Error **errp)
{
    GByteArray *fdt;
    int err;

    if (length < sizeof(struct fdt_header)) {
        error_setg(errp, "device tree '%s' has %zu bytes, too few for a header", path, length);
        return NULL;
    }
    err = fdt_check_full(data, length);
    if (err) {
        error_setg(errp, "device tree '%s' (%zu bytes) is not a valid blob: %s", path, length,
                   fdt_strerror(err));
        return NULL;
    }
    fdt = g_byte_array_new();
    g_byte_array_set_size(fdt, (unsigned)length + 2 * FDT_SLACK);
    err = fdt_open_into(data, fdt->data, (int)fdt->len);
    if (err) {
        error_setg(errp, "device tree '%s' cannot be extended: %s", path, fdt_strerror(err));
        g_byte_array_free(fdt, TRUE);
        return NULL;
    }
    return fdt;
}

bool boot_fdt_has_node(const GByteArray *fdt, const char *path)
{
    return fdt_path_offset(fdt->data, path) >= 0;
}

int boot_fdt_node(GByteArray *fdt, const char *path)
{
    int node = fdt_path_offset(fdt->data, path);
    const char *name = strrchr(path, '/');

    if (node < 0) {
        g_autofree char *parent = name == path ? g_strdup("/")
                                               : g_strndup(path, (gsize)(name - path));

        boot_fdt_node(fdt, parent);
        grow(fdt, strlen(name));
        node = fdt_add_subnode(fdt->data, fdt_path_offset(fdt->data, parent), name + 1);
        assert(node >= 0);
    }
    return node;
}

void boot_fdt_set(GByteArray *fdt, const char *path, const char *name,
                  const void *value, size_t length)
{
    int err;

    grow(fdt, length + strlen(name));
    err = fdt_setprop(fdt->data, boot_fdt_node(fdt, path), name, value, (int)length);
    assert(err == 0);
}

void boot_fdt_set_string(GByteArray *fdt, const char *path, const char *name, const char *value)
{
    boot_fdt_set(fdt, path, name, value, strlen(value) + 1);
}

void boot_fdt_set_strings(GByteArray *fdt, const char *path, const char *name, ...)
{
    g_autoptr(GByteArray) list = g_byte_array_new();
    const char *value;
    va_list ap;

    va_start(ap, name);
    while ((value = va_arg(ap, const char *)) != NULL) {
        g_byte_array_append(list, (const uint8_t *)value, (unsigned)strlen(value) + 1);
    }
    va_end(ap);
    boot_fdt_set(fdt, path, name, list->data, list->len);
}

void boot_fdt_set_cells(GByteArray *fdt, const char *path, const char *name,
                        const uint32_t *cells, unsigned num)
{
    g_autofree fdt32_t *be = g_new(fdt32_t, num);

    for (unsigned i = 0; i < num; i++) {
        be[i] = cpu_to_fdt32(cells[i]);
    }
    boot_fdt_set(fdt, path, name, be, num * sizeof(*be));
}

/* ---- what a boot loader adds ---- */

static bool is_memory_node(const void *fdt, int node)
{
    const char *name = fdt_get_name(fdt, node, NULL);
    int length;
    const char *type = fdt_getprop(fdt, node, "device_type", &length);

    /* Values are of any length, and not always strings. */
    return (type && length == sizeof("memory") && memcmp(type, "memory", sizeof("memory")) == 0) ||
           strcmp(name, "memory") == 0 ||
           g_str_has_prefix(name, "memory@");
}

static void delete_memory_nodes(GByteArray *fdt)
{
    int node = fdt_first_subnode(fdt->data, 0);

    while (node >= 0) {
        if (is_memory_node(fdt->data, node)) {
            fdt_del_node(fdt->data, node);
            node = fdt_first_subnode(fdt->data, 0);
        } else {
            node = fdt_next_subnode(fdt->data, node);
        }
    }
}

/* Append value as `cells` 32-bit cells. */
static void add_cells(GArray *out, uint64_t value, int cells)
{
    for (int i = cells; i-- > 0; ) {
        uint32_t cell = i < 2 ? (uint32_t)(value >> (32 * i)) : 0;

        g_array_append_val(out, cell);
    }
}

static bool add_memory(GByteArray *fdt, const BootFdtInfo *info, Error **errp)
{
    uint64_t base = info->ram_base, size = info->ram_size;
    int address_cells = fdt_address_cells(fdt->data, 0), size_cells = fdt_size_cells(fdt->data, 0);
    g_autofree char *path = g_strdup_printf("/memory@%" PRIx64, base);
    g_autoptr(GArray) reg = g_array_new(FALSE, FALSE, sizeof(uint32_t));

    if (address_cells < 1 || size_cells < 1) {
        error_setg(errp, "the device tree's root has no valid #address-cells and #size-cells");
        return false;
    }
    if ((size_cells == 1 && size > UINT32_MAX) || (address_cells == 1 && base > UINT32_MAX)) {
        error_setg(errp, "%" PRIu64 " MiB of RAM at 0x%" PRIx64 " do not fit in the device tree's "
                   "one #size-cells", size >> 20, base);
        return false;
    }
    add_cells(reg, base, address_cells);
    add_cells(reg, size, size_cells);
    boot_fdt_set_string(fdt, path, "device_type", "memory");
    boot_fdt_set_cells(fdt, path, "reg", (const uint32_t *)reg->data, reg->len);
    if (info->numa) {
        BOOT_FDT_CELLS(fdt, path, "numa-node-id", 0);
    }
    return true;
}

static void add_psci(GByteArray *fdt, const char *method)
{
    boot_fdt_set_strings(fdt, "/psci", "compatible", "arm,psci-1.0", "arm,psci-0.2", "arm,psci",
                         NULL);
    boot_fdt_set_string(fdt, "/psci", "method", method);
    BOOT_FDT_CELLS(fdt, "/psci", "cpu_suspend", PSCI_CPU_SUSPEND_64);
    BOOT_FDT_CELLS(fdt, "/psci", "cpu_off", PSCI_CPU_OFF_32);
    BOOT_FDT_CELLS(fdt, "/psci", "cpu_on", PSCI_CPU_ON_64);
    BOOT_FDT_CELLS(fdt, "/psci", "migrate", PSCI_MIGRATE_64);
}

bool boot_fdt_complete(GByteArray *fdt, const BootFdtInfo *info, Error **errp)
{
    delete_memory_nodes(fdt);
    if (!add_memory(fdt, info, errp)) {
        return false;
    }
    if (info->bootargs && *info->bootargs) {
        boot_fdt_set_string(fdt, "/chosen", "bootargs", info->bootargs);
    }
    if (info->initrd_start != info->initrd_end) {
        assert(info->initrd_end <= UINT32_MAX);
        BOOT_FDT_CELLS(fdt, "/chosen", "linux,initrd-start", (uint32_t)info->initrd_start);
        BOOT_FDT_CELLS(fdt, "/chosen", "linux,initrd-end", (uint32_t)info->initrd_end);
    }
    if (info->psci_method && !boot_fdt_has_node(fdt, "/psci")) {
        add_psci(fdt, info->psci_method);
    }
    return true;
}

void boot_fdt_pack(GByteArray *fdt)
{
    int err = fdt_pack(fdt->data);

    assert(err == 0);
    g_byte_array_set_size(fdt, fdt_totalsize(fdt->data));
}

uint8_t *boot_fdt_value(GByteArray *fdt, const char *path, const char *name, size_t length)
{
    int node = fdt_path_offset(fdt->data, path), size;
    const void *value = node < 0 ? NULL : fdt_getprop(fdt->data, node, name, &size);

    return value && (size_t)size == length ? fdt->data + ((const uint8_t *)value - fdt->data)
                                           : NULL;
}
