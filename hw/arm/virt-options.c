/*
 * The virt board's -machine options. QEMU's names are all known: one that asks for what the
 * board does not do is refused with the reason, never ignored.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virt-options.h"

const Property virt_properties[] = {
    PROP_FIXED("gic-version", PROPERTY_ENUM, "the board has a GICv2 only; use gic-version=2",
               "the interrupt controller; max is the latest there is", "2", "max"),
    PROP_FIXED("secure", PROPERTY_BOOL, "the CPUs have no EL3", "TrustZone", "off"),
    PROP_FIXED("virtualization", PROPERTY_BOOL, "the CPUs have no EL2", "EL2", "off"),
    PROP_FIXED("mte", PROPERTY_BOOL, "the CPUs have no memory tagging", "memory tagging", "off"),
    PROP_FIXED("ras", PROPERTY_BOOL, "memory errors are not reported to guests",
               "memory errors", "off"),
    PROP_ENUM("acpi", VirtOptions, acpi, "auto", "ACPI tables for guests that firmware starts", "off", "on", "auto"),
    PROP_FIXED("iommu", PROPERTY_ENUM, "the board has no IOMMU", "IOMMU", "none"),
    PROP_FIXED("default-bus-bypass-iommu", PROPERTY_BOOL, "the board has no IOMMU",
               "no effect", "off"),
    PROP_FIXED("its", PROPERTY_BOOL, NULL, "no effect: a GICv2 has no ITS", "on", "off"),
    PROP_BOOL("highmem", VirtOptions, highmem, "on", "allow RAM and PCI memory above 4 GiB"),
    PROP_BOOL("dtb-randomness", VirtOptions, random_seeds, "on",
              "pass random seeds to the guest in its device tree"),
    /* Its name until QEMU 7.1. */
    PROP_BOOL("dtb-kaslr-seed", VirtOptions, random_seeds, "on", "as dtb-randomness"),
    PROP_STRING("pflash0", VirtOptions, flash[0], NULL, "the drive with the first flash's contents: firmware"),
    PROP_STRING("pflash1", VirtOptions, flash[1], NULL, "the same of the second flash: firmware's variables"),
    PROP_END
};
