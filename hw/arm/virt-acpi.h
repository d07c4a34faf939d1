/*
 * The virt board's ACPI tables.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_VIRT_ACPI_H
#define HW_ARM_VIRT_ACPI_H

#include <glib.h>
#include "hw/acpi/tables.h"
#include "hw/core/board.h"

typedef struct VirtAcpiConfig {
    unsigned num_cpus;
    CpuTopology topology;         /* all zero: cores of one cluster */
    const BoardDevice *devices;   /* virt_device_rows() */
    const Bus *platform_bus;      /* with what -device has put there; NULL: nothing */
    uint64_t ram_size;
    bool highmem;
    bool numa;                    /* CPUs and RAM are of NUMA node 0 */
} VirtAcpiConfig;

/* Into fw_cfg's files. */
bool virt_acpi_add(FwCfg *fw, const VirtAcpiConfig *config, Error **errp);

/* The tables without XSDT and RSDP, which follow; t is acpi_tables_init()'s. */
void virt_acpi_build(AcpiTables *t, const VirtAcpiConfig *config);

/* virt-dsdt.c: the DSDT's contents, behind its header. */
void virt_dsdt_build(GByteArray *out, const VirtAcpiConfig *config);

/* The row called `id`, which is there. */
const BoardDevice *virt_row(const BoardDevice *rows, const char *id);

/* A GSI is the GIC's interrupt id. */
#define VIRT_GSI_SPI(spi) (32u + (spi))
#define VIRT_GSI_PPI(ppi) (16u + (ppi))

#endif
