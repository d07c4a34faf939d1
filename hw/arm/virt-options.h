/*
 * The virt board's -machine options.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_VIRT_OPTIONS_H
#define HW_ARM_VIRT_OPTIONS_H

#include "hw/core/property.h"

enum { VIRT_ACPI_OFF, VIRT_ACPI_ON, VIRT_ACPI_AUTO };

typedef struct VirtOptions {
    unsigned acpi;           /* tables for firmware; on and auto are the same */
    bool highmem;            /* RAM, and what PCIe has there, may lie above 4 GiB */
    bool random_seeds;       /* kaslr-seed and rng-seed in the device tree */
    char *flash[2];          /* the drive of each; NULL: none */
} VirtOptions;

extern const Property virt_properties[];

#endif
