/*
 * The virt board's device tree.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_VIRT_FDT_H
#define HW_ARM_VIRT_FDT_H

#include <glib.h>
#include "hw/core/board.h"

typedef struct VirtFdtConfig {
    unsigned num_cpus;
    CpuTopology topology;         /* all zero: cores of one cluster */
    const char *cpu_compatible;   /* "arm,cortex-a53" */
    const BoardDevice *devices;   /* virt_devices[] */
    const Bus *platform_bus;      /* with what -device has put there; NULL: nothing */
    bool numa;                    /* CPUs are of NUMA node 0 */
    bool random_seeds;            /* room for kaslr-seed and rng-seed, zero for now */
} VirtFdtConfig;

/* Everything but /memory, /psci and the boot arguments, which a boot loader adds. */
GByteArray *virt_fdt_build(const VirtFdtConfig *config);

#endif
