/*
 * The virt board's ACPI tables, fetched from fw_cfg and put together as firmware does. ACPI's own tools (iasl, if it is
 * installed) take them apart.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include "hw/acpi/aml.h"
#include "hw/arm/virt-acpi.h"
#include "hw/arm/virt-map.h"
#include "hw/misc/fw_cfg.h"
#include "util/bytes.h"

#define BASE 0x09020000ull
#define TABLES_AT 0x7f000000ull     /* where our firmware puts files */
#define RSDP_AT 0x7e000000ull

/* ---- fw_cfg, as firmware reads it ---- */

static Machine *machine;

static void read_item(uint16_t key, uint8_t *out, size_t length)
{
    g_assert_true(memory_io_write(machine->memory, BASE + 8, 2, GUINT16_SWAP_LE_BE(key)));
    for (size_t i = 0; i < length; i++) {
        uint64_t byte = 0;

        g_assert_true(memory_io_read(machine->memory, BASE, 1, &byte));
        out[i] = (uint8_t)byte;
    }
}

static uint32_t be(const uint8_t *p, unsigned size)
{
    uint32_t value = 0;

    while (size-- > 0) {
        value = value << 8 | *p++;
    }
    return value;
}

static GByteArray *read_file(const char *name)
{
    uint8_t dir[4 + 64 * 8];

    read_item(FW_CFG_FILE_DIR, dir, sizeof(dir));
    for (unsigned i = 0; i < be(dir, 4); i++) {
        const uint8_t *entry = dir + 4 + 64 * i;

        if (!strcmp((const char *)entry + 8, name)) {
            GByteArray *file = g_byte_array_new();

            g_byte_array_set_size(file, be(entry, 4));
            read_item((uint16_t)be(entry + 4, 2), file->data, file->len);
            return file;
        }
    }
    return NULL;
}

/* ---- the loader ---- */

static struct {
    GByteArray *tables, *rsdp;
} files;

static GByteArray *file_named(const uint8_t *name, uint64_t *at)
{
    if (!strcmp((const char *)name, "etc/acpi/tables")) {
        *at = TABLES_AT;
        return files.tables;
    }
    g_assert_cmpstr((const char *)name, ==, "etc/acpi/rsdp");
    *at = RSDP_AT;
    return files.rsdp;
}

static void add_pointer(const uint8_t *c)
{
    uint64_t at, target;
    GByteArray *file = file_named(c, &at), *pointee = file_named(c + 56, &target);
    uint32_t offset = (uint32_t)load_le(c + 112, 4);
    uint64_t value;

    g_assert_cmpuint(c[116], ==, 8);
    g_assert_cmpuint(offset + 8, <=, file->len);
    value = load_le(file->data + offset, 8);
    g_assert_cmpuint(value, <, pointee->len);
    store_le(file->data + offset, value + target, 8);
}

static uint8_t sum(const uint8_t *p, size_t length)
{
    uint8_t s = 0;

    while (length-- > 0) {
        s = (uint8_t)(s + *p++);
    }
    return s;
}

static void add_checksum(const uint8_t *c)
{
    uint64_t at;
    GByteArray *file = file_named(c, &at);
    uint32_t where = (uint32_t)load_le(c + 56, 4), start = (uint32_t)load_le(c + 60, 4);
    uint32_t length = (uint32_t)load_le(c + 64, 4);

    g_assert_cmpuint(start + length, <=, file->len);
    g_assert_cmpuint(where, <, start + length);
    g_assert_cmpuint(file->data[where], ==, 0);
    file->data[where] = (uint8_t)-sum(file->data + start, length);
}

static void load(const VirtAcpiConfig *config)
{
    g_autoptr(GByteArray) loader = NULL;
    unsigned allocated = 0;
    FwCfg *fw;

    machine = machine_new(NULL);
    fw = fw_cfg(device_add(machine, &fw_cfg_type, "fw_cfg", BASE, IRQ_NONE, NULL));
    g_assert_true(virt_acpi_add(fw, config, NULL));
    machine_reset_devices(machine);
    files.tables = read_file("etc/acpi/tables");
    files.rsdp = read_file("etc/acpi/rsdp");
    loader = read_file("etc/table-loader");
    g_assert_cmpuint(loader->len % 128, ==, 0);
    for (unsigned at = 0; at < loader->len; at += 128) {
        const uint8_t *c = loader->data + at;

        switch (load_le(c, 4)) {
        case 1:
            g_assert_cmpuint(c[60] & (c[60] - 1), ==, 0);
            allocated++;
            break;
        case 2:
            g_assert_cmpuint(allocated, ==, 2);
            add_pointer(c + 4);
            break;
        case 3:
            add_checksum(c + 4);
            break;
        default:
            g_assert_not_reached();
        }
    }
    machine_free(machine);
}

static void unload(void)
{
    g_byte_array_unref(files.tables);
    g_byte_array_unref(files.rsdp);
}

/* ---- the tables ---- */

static const uint8_t *at_address(uint64_t address)
{
    g_assert_cmpuint(address, >=, TABLES_AT);
    g_assert_cmpuint(address + ACPI_HEADER_BYTES, <=, TABLES_AT + files.tables->len);
    return files.tables->data + (address - TABLES_AT);
}

static const uint8_t *check_table(uint64_t address, const char *signature)
{
    const uint8_t *table = at_address(address);
    uint32_t length = (uint32_t)load_le(table + 4, 4);

    g_assert_cmpuint(address + length, <=, TABLES_AT + files.tables->len);
    g_assert_cmpuint(sum(table, length), ==, 0);
    g_assert_true(!signature || !memcmp(table, signature, 4));
    return table;
}

static const uint8_t *xsdt(void)
{
    g_assert_cmpuint(files.rsdp->len, ==, 36);
    g_assert_true(!memcmp(files.rsdp->data, "RSD PTR ", 8) && files.rsdp->data[15] == 2);
    g_assert_cmpuint(sum(files.rsdp->data, 20), ==, 0);
    g_assert_cmpuint(sum(files.rsdp->data, 36), ==, 0);
    return check_table(load_le(files.rsdp->data + 24, 8), "XSDT");
}

/* NULL: it is not listed. */
static const uint8_t *table_named(const char *signature)
{
    const uint8_t *root = xsdt();

    for (unsigned at = ACPI_HEADER_BYTES; at < load_le(root + 4, 4); at += 8) {
        const uint8_t *table = check_table(load_le(root + at, 8), NULL);

        if (!memcmp(table, signature, 4)) {
            return table;
        }
    }
    return NULL;
}

static uint64_t field(const char *signature, unsigned offset, unsigned size)
{
    const uint8_t *table = table_named(signature);

    g_assert_nonnull(table);
    g_assert_cmpuint(offset + size, <=, load_le(table + 4, 4));
    return load_le(table + offset, size);
}

static VirtAcpiConfig config_of(unsigned num_cpus, const BoardDevice *rows)
{
    return (VirtAcpiConfig) {
        .num_cpus = num_cpus, .devices = rows, .ram_size = 1ull << 30, .highmem = true,
    };
}

static void test_fields(void)
{
    VirtAcpiConfig config = config_of(3, virt_devices);

    load(&config);
    g_assert_cmpuint(field("FACP", 4, 4), ==, 276);
    g_assert_cmphex(field("FACP", 112, 4), ==, 1u << 20);
    g_assert_cmphex(field("FACP", 129, 2), ==, 3);
    check_table(field("FACP", 140, 8), "DSDT");
    /* Three CPU interfaces, the distributor and the frame, 80 and 24 bytes. */
    g_assert_cmpuint(field("APIC", 4, 4), ==, 44 + 3 * 80 + 2 * 24);
    g_assert_cmphex(field("APIC", 44 + 2 * 80, 2), ==, 0x500b);
    g_assert_cmphex(field("APIC", 44 + 2 * 80 + 32, 8), ==, 0x08010000);
    g_assert_cmphex(field("APIC", 44 + 2 * 80 + 68, 8), ==, 2);
    g_assert_cmphex(field("APIC", 44 + 3 * 80, 2), ==, 0x180c);
    g_assert_cmphex(field("APIC", 44 + 3 * 80 + 8, 8), ==, 0x08000000);
    g_assert_cmphex(field("APIC", 44 + 3 * 80 + 20, 1), ==, 2);
    g_assert_cmphex(field("APIC", 44 + 3 * 80 + 24, 2), ==, 0x180d);
    g_assert_cmphex(field("APIC", 44 + 3 * 80 + 32, 8), ==, 0x08020000);
    g_assert_cmpuint(field("APIC", 44 + 3 * 80 + 44, 2), ==, 64);
    g_assert_cmpuint(field("APIC", 44 + 3 * 80 + 46, 2), ==, 80);
    g_assert_cmpuint(field("GTDT", 48, 4), ==, 29);
    g_assert_cmpuint(field("GTDT", 64, 4), ==, 27);
    g_assert_cmpuint(field("GTDT", 88, 4), ==, 0);
    g_assert_cmphex(field("MCFG", 44, 8), ==, 0x4010000000);
    g_assert_cmphex(field("MCFG", 54, 2), ==, 0xff00);
    g_assert_cmphex(field("SPCR", 44, 8), ==, 0x09000000);
    g_assert_cmpuint(field("SPCR", 54, 4), ==, 33);
    g_assert_cmphex(field("DBG2", 44 + 22 + 4, 8), ==, 0x09000000);
    g_assert_cmpuint(field("PPTT", 4, 4), ==, 36 + 4 * 20);
    g_assert_null(table_named("SRAT"));
    unload();
}

static void test_variants(void)
{
    g_autofree BoardDevice *low = virt_device_rows(false);
    VirtAcpiConfig config = config_of(8, low);

    config.highmem = false;
    config.numa = true;
    config.topology = (CpuTopology){ 8, 8, 2, 1, 2, 2 };
    load(&config);
    g_assert_cmphex(field("MCFG", 44, 8), ==, 0x3f000000);
    g_assert_cmphex(field("MCFG", 54, 2), ==, 0x0f00);
    g_assert_cmpuint(field("SRAT", 4, 4), ==, 48 + 8 * 18 + 40);
    g_assert_cmphex(field("SRAT", 48 + 8 * 18 + 8, 8), ==, 0x40000000);
    g_assert_cmphex(field("SRAT", 48 + 8 * 18 + 16, 8), ==, 1u << 30);
    /* Two sockets of two cores of two threads: the last thread's core is two nodes before it. */
    g_assert_cmpuint(field("PPTT", 4, 4), ==, 36 + 20 * (2 + 4 + 8));
    g_assert_cmphex(field("PPTT", 36 + 20 * 13 + 4, 4), ==, 0xe);
    g_assert_cmphex(field("PPTT", 36 + 20 * 13 + 8, 4), ==, 36 + 20 * 11);
    unload();
}

/* ---- byte code ---- */

static void check_bytes(Aml *a, const char *expected, unsigned length)
{
    g_assert_cmpmem(a->bytes->data, a->bytes->len, expected, length);
    g_byte_array_set_size(a->bytes, 0);
}

static void test_aml(void)
{
    Aml a = { .bytes = g_byte_array_new() };

    aml_int(&a, 0), aml_int(&a, 1), aml_int(&a, 0x12), aml_int(&a, 0x1234), aml_int(&a, 0x12345678);
    aml_int(&a, 0x1122334455667788);
    check_bytes(&a, "\x00\x01\x0a\x12\x0b\x34\x12\x0c\x78\x56\x34\x12\x0e\x88\x77\x66\x55\x44\x33\x22\x11", 21);
    aml_ref(&a, "\\_SB.PCI0.GED"), aml_ref(&a, "^AB"), aml_ref(&a, "A.B");
    check_bytes(&a, "\\\x2f\x03_SB_PCI0GED_^AB__\x2e""A___B___", 29);
    aml_eisa_id(&a, "PNP0A03");
    check_bytes(&a, "\x0c\x41\xd0\x0a\x03", 5);
    aml_uuid(&a, "33DB4D5B-1FF7-401C-9657-7441C03DD766");
    check_bytes(&a, "\x11\x13\x0a\x10\x5b\x4d\xdb\x33\xf7\x1f\x1c\x40\x96\x57\x74\x41\xc0\x3d\xd7\x66", 20);
    aml_device(&a, "D"), aml_name(&a, "_UID"), aml_string(&a, "x"), aml_end(&a);
    check_bytes(&a, "\x5b\x82\x0d""D___\x08_UID\x0dx", 15);
    /* Lengths of one, two and three bytes. */
    for (unsigned length = 50, n = 1; n <= 3; n++, length *= 30) {
        g_autofree uint8_t *data = g_malloc0(length);
        unsigned lead;

        aml_buffer(&a, data, length);
        lead = a.bytes->data[1] >> 6;
        g_assert_cmpuint(lead, ==, n - 1);
        g_assert_cmpuint(lead ? (a.bytes->data[1] & 0xf) | load_le(a.bytes->data + 2, lead) << 4
                              : a.bytes->data[1], ==, a.bytes->len - 1);
        g_byte_array_set_size(a.bytes, 0);
    }
    g_byte_array_unref(a.bytes);
}

/* ---- iasl ---- */

static void iasl(const char *dir, const char *options, const char *file)
{
    g_autofree char *command = g_strdup_printf("iasl %s %s", options, file);
    g_autofree char *out = NULL, *err = NULL;
    g_auto(GStrv) argv = g_strsplit(command, " ", -1);
    int status;

    g_assert_true(g_spawn_sync(dir, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, &status, NULL));
    if (status || strstr(out, "Error ") || strstr(err, "Error") || strstr(out, "Warning ") || strstr(err, "Warning")) {
        g_test_message("%s: %d\n%s\n%s", command, status, out, err);
        g_test_fail();
    }
}

/* Each table is taken apart without complaints, and the DSDT put together again. */
static void test_iasl(void)
{
    g_autofree char *program = g_find_program_in_path("iasl");
    g_autofree char *dir = g_dir_make_tmp("rearm-acpi-XXXXXX", NULL);
    VirtAcpiConfig config = config_of(4, virt_devices);
    g_autofree char *remove = g_strdup_printf("rm -r %s", dir);
    uint32_t length;

    if (!program) {
        g_rmdir(dir);
        g_test_skip("no iasl: install acpica-tools");
        return;
    }
    config.numa = true;
    load(&config);
    xsdt();
    for (uint32_t at = 0; at < files.tables->len; at += length) {
        const uint8_t *table = files.tables->data + at;
        g_autofree char *name = g_strdup_printf("%.4s.aml", (const char *)table);
        g_autofree char *path = g_build_filename(dir, name, NULL);

        length = (uint32_t)load_le(table + 4, 4);
        g_assert_true(g_file_set_contents(path, (const char *)table, length, NULL));
        iasl(dir, "-d", name);
    }
    iasl(dir, "-we -p again", "DSDT.dsl");
    unload();
    g_assert_true(g_spawn_command_line_sync(remove, NULL, NULL, NULL, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virt-acpi/aml", test_aml);
    g_test_add_func("/virt-acpi/fields", test_fields);
    g_test_add_func("/virt-acpi/variants", test_variants);
    g_test_add_func("/virt-acpi/iasl", test_iasl);
    return g_test_run();
}
