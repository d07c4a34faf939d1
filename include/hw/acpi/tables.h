/*
 * ACPI tables (ACPI 6.4 chapter 5) and how firmware gets them: the files etc/acpi/tables and etc/acpi/rsdp of fw_cfg,
 * and etc/table-loader, a list of commands: where to put the files, which places in them are addresses in others, and
 * which bytes are checksums (docs/specs of QEMU; EDK2's QemuFwCfgAcpi follows it).
 *
 * A table is begun, filled through AcpiTables.bytes, and ended:
 *
 *     acpi_begin(t, "MCFG", 1);
 *     acpi_put(t, 0, 8);
 *     acpi_end(t);
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_TABLES_H
#define HW_ACPI_TABLES_H

#include <glib.h>
#include "util/error.h"
#include "util/osdep.h"

typedef struct FwCfg FwCfg;

#define ACPI_MAX_TABLES 16
#define ACPI_HEADER_BYTES 36

typedef struct AcpiTables {
    GByteArray *bytes;              /* etc/acpi/tables, so far */
    GByteArray *loader;
    uint32_t start;                 /* of the table that is open */
    uint32_t listed[ACPI_MAX_TABLES];   /* where the tables are that the XSDT lists */
    unsigned num_listed;
} AcpiTables;

void acpi_tables_init(AcpiTables *t);
void acpi_tables_clear(AcpiTables *t);

/* Begin a table: its header (5.2.6). */
void acpi_begin(AcpiTables *t, const char *signature, unsigned revision);
/* A little-endian number, or zeros. */
void acpi_put(AcpiTables *t, uint64_t value, unsigned bytes);
void acpi_zeros(AcpiTables *t, unsigned bytes);
/* A place of 8 bytes that firmware fills in: the address of the table at `target`. */
void acpi_put_pointer(AcpiTables *t, uint32_t target);
/* A generic address (5.2.3.2) in memory; access: 1 for bytes, 3 for 32 bits. */
void acpi_put_address(AcpiTables *t, uint64_t address, unsigned bits, unsigned access);
/* Bytes of the open table, so far. */
uint32_t acpi_length(const AcpiTables *t);
/* End it; where it is. */
uint32_t acpi_end(AcpiTables *t);
/* ... and the XSDT lists it. */
void acpi_end_listed(AcpiTables *t);

/* XSDT and RSDP, and all of it into fw_cfg. */
bool acpi_tables_finish(AcpiTables *t, FwCfg *fw, Error **errp);

#endif
