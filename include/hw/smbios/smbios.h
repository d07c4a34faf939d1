/*
 * SMBIOS tables (DMTF DSP0134 3.0): what machine, chassis, processors and memory are called. Firmware gets them as the
 * files etc/smbios/smbios-tables and etc/smbios/smbios-anchor of fw_cfg, of which EDK2 makes the guest's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_SMBIOS_SMBIOS_H
#define HW_SMBIOS_SMBIOS_H

#include <glib.h>
#include "hw/core/topology.h"
#include "util/error.h"
#include "util/osdep.h"

typedef struct FwCfg FwCfg;

typedef struct SmbiosConfig {
    const GPtrArray *options;     /* -smbios strings; may be NULL */
    const char *version;          /* of the machine: "virt-7.2" */
    const uint8_t *uuid;          /* UUID_SIZE bytes, or NULL */
    unsigned num_cpus;
    CpuTopology topology;         /* of them; all zero: cores of one socket */
    uint64_t ram_base, ram_size;
} SmbiosConfig;

/*
 * The structures, up to the end-of-table one. NULL on failure: an option with a type or key that there is not, a
 * value that does not parse, a file that cannot be read.
 */
GByteArray *smbios_build(const SmbiosConfig *config, Error **errp);
/* Such structures into fw_cfg, with their entry point. */
bool smbios_add(FwCfg *fw, const GByteArray *structures, Error **errp);

#endif
