/*
 * ACPI tables, and the commands that tell firmware how to load them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/tables.h"
#include "hw/misc/fw_cfg.h"
#include "util/bytes.h"

#define FILE_TABLES "etc/acpi/tables"
#define FILE_RSDP "etc/acpi/rsdp"
#define FILE_LOADER "etc/table-loader"

#define TABLES_ALIGN 64
#define RSDP_ALIGN 16
#define RSDP_BYTES 36
#define RSDP_V1_BYTES 20            /* what its first checksum is of */
#define RSDP_CHECKSUM 8
#define RSDP_XSDT 24
#define RSDP_EXTENDED_CHECKSUM 32

/* Who made them: what guests know virtual machines by. */
#define OEM_ID "BOCHS "
#define OEM_TABLE_ID "BXPC    "
#define CREATOR_ID "BXPC"

#define HEADER_LENGTH 4
#define HEADER_CHECKSUM 9

/* ---- the loader's commands: le32 number, then 124 bytes ---- */

enum { LOADER_ALLOCATE = 1, LOADER_ADD_POINTER = 2, LOADER_ADD_CHECKSUM = 3 };
enum { ZONE_HIGH = 1, ZONE_FSEG = 2 };

#define COMMAND_BYTES 128
#define FILE_NAME_BYTES 56

typedef struct Command {
    uint8_t raw[COMMAND_BYTES];
    unsigned used;
} Command;

static void command_put(Command *c, uint32_t value, unsigned bytes)
{
    store_le(c->raw + c->used, value, bytes);
    c->used += bytes;
}

static void command_file(Command *c, const char *name)
{
    assert(strlen(name) < FILE_NAME_BYTES);
    memcpy(c->raw + c->used, name, strlen(name));
    c->used += FILE_NAME_BYTES;
}

static void command_end(AcpiTables *t, const Command *c)
{
    assert(c->used <= COMMAND_BYTES);
    g_byte_array_append(t->loader, c->raw, COMMAND_BYTES);
}

static void allocate(AcpiTables *t, const char *file, uint32_t align, unsigned zone)
{
    Command c = { { 0 }, 0 };

    command_put(&c, LOADER_ALLOCATE, 4);
    command_file(&c, file);
    command_put(&c, align, 4);
    command_put(&c, zone, 1);
    command_end(t, &c);
}

/* The 8 bytes at `offset` of a file are an offset in etc/acpi/tables: the firmware adds where that is. */
static void add_pointer(AcpiTables *t, const char *file, uint32_t offset)
{
    Command c = { { 0 }, 0 };

    command_put(&c, LOADER_ADD_POINTER, 4);
    command_file(&c, file);
    command_file(&c, FILE_TABLES);
    command_put(&c, offset, 4);
    command_put(&c, 8, 1);
    command_end(t, &c);
}

static void add_checksum(AcpiTables *t, const char *file, uint32_t at, uint32_t start, uint32_t length)
{
    Command c = { { 0 }, 0 };

    command_put(&c, LOADER_ADD_CHECKSUM, 4);
    command_file(&c, file);
    command_put(&c, at, 4);
    command_put(&c, start, 4);
    command_put(&c, length, 4);
    command_end(t, &c);
}

/* ---- tables ---- */

void acpi_tables_init(AcpiTables *t)
{
    *t = (AcpiTables){ .bytes = g_byte_array_new(), .loader = g_byte_array_new() };
    allocate(t, FILE_RSDP, RSDP_ALIGN, ZONE_FSEG);
    allocate(t, FILE_TABLES, TABLES_ALIGN, ZONE_HIGH);
}

void acpi_tables_clear(AcpiTables *t)
{
    g_clear_pointer(&t->bytes, g_byte_array_unref);
    g_clear_pointer(&t->loader, g_byte_array_unref);
}

void acpi_put(AcpiTables *t, uint64_t value, unsigned bytes)
{
    uint8_t raw[8];

    store_le(raw, value, bytes);
    g_byte_array_append(t->bytes, raw, bytes);
}

void acpi_zeros(AcpiTables *t, unsigned bytes)
{
    while (bytes-- > 0) {
        acpi_put(t, 0, 1);
    }
}

static void put_text(GByteArray *out, const char *text)
{
    g_byte_array_append(out, (const uint8_t *)text, (guint)strlen(text));
}

void acpi_begin(AcpiTables *t, const char *signature, unsigned revision)
{
    t->start = t->bytes->len;
    put_text(t->bytes, signature);
    acpi_zeros(t, 4);               /* the length */
    acpi_put(t, revision, 1);
    acpi_zeros(t, 1);               /* the checksum */
    put_text(t->bytes, OEM_ID OEM_TABLE_ID);
    acpi_put(t, 1, 4);
    put_text(t->bytes, CREATOR_ID);
    acpi_put(t, 1, 4);
    assert(acpi_length(t) == ACPI_HEADER_BYTES);
}

uint32_t acpi_length(const AcpiTables *t)
{
    return t->bytes->len - t->start;
}

void acpi_put_pointer(AcpiTables *t, uint32_t target)
{
    add_pointer(t, FILE_TABLES, t->bytes->len);
    acpi_put(t, target, 8);
}

void acpi_put_address(AcpiTables *t, uint64_t address, unsigned bits, unsigned access)
{
    acpi_put(t, 0, 1);              /* memory */
    acpi_put(t, bits, 1);
    acpi_put(t, 0, 1);
    acpi_put(t, access, 1);
    acpi_put(t, address, 8);
}

uint32_t acpi_end(AcpiTables *t)
{
    store_le(t->bytes->data + t->start + HEADER_LENGTH, acpi_length(t), 4);
    add_checksum(t, FILE_TABLES, t->start + HEADER_CHECKSUM, t->start, acpi_length(t));
    return t->start;
}

void acpi_end_listed(AcpiTables *t)
{
    assert(t->num_listed < ACPI_MAX_TABLES);
    t->listed[t->num_listed++] = acpi_end(t);
}

/* ---- the root ---- */

static uint32_t add_xsdt(AcpiTables *t)
{
    acpi_begin(t, "XSDT", 1);
    for (unsigned i = 0; i < t->num_listed; i++) {
        acpi_put_pointer(t, t->listed[i]);
    }
    return acpi_end(t);
}

/* 5.2.5.3, revision 2. */
static GBytes *build_rsdp(AcpiTables *t, uint32_t xsdt)
{
    uint8_t rsdp[RSDP_BYTES] = { 0 };

    memcpy(rsdp, "RSD PTR ", 8);
    memcpy(rsdp + 9, OEM_ID, 6);
    rsdp[15] = 2;
    store_le(rsdp + 20, sizeof(rsdp), 4);
    store_le(rsdp + RSDP_XSDT, xsdt, 8);
    add_pointer(t, FILE_RSDP, RSDP_XSDT);
    add_checksum(t, FILE_RSDP, RSDP_CHECKSUM, 0, RSDP_V1_BYTES);
    add_checksum(t, FILE_RSDP, RSDP_EXTENDED_CHECKSUM, 0, sizeof(rsdp));
    return g_bytes_new(rsdp, sizeof(rsdp));
}

bool acpi_tables_finish(AcpiTables *t, FwCfg *fw, Error **errp)
{
    g_autoptr(GBytes) rsdp = build_rsdp(t, add_xsdt(t));
    g_autoptr(GBytes) tables = g_byte_array_free_to_bytes(g_steal_pointer(&t->bytes));
    g_autoptr(GBytes) loader = g_byte_array_free_to_bytes(g_steal_pointer(&t->loader));

    return fw_cfg_add_file(fw, FILE_RSDP, rsdp, errp) && fw_cfg_add_file(fw, FILE_TABLES, tables, errp) &&
           fw_cfg_add_file(fw, FILE_LOADER, loader, errp);
}
