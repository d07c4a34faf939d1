/*
 * Types of devices that QEMU has and that are not there (yet): what is missing, for whoever asks for
 * one by name. The first pattern that fits tells.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"

#define DISKS "this kind of disk is not there yet; virtio-blk-pci is (-drive file=IMAGE,if=virtio)"
#define NETWORKS "networks are not there yet; -nic none is accepted"
#define DISPLAYS "displays and their input devices are not there yet; -serial connects the console"
#define PCI "this PCI device is not there yet"

static const struct {
    const char *pattern, *why;
} missing[] = {
    { "virtio-rng-*transitional", "virtio-rng-pci is it, with disable-legacy=on or off" },
    { "virtio-blk*", DISKS }, { "vhost-user-blk*", DISKS },
    { "vhost-scsi*", DISKS }, { "scsi-*", DISKS }, { "ide-*", DISKS }, { "nvme*", DISKS },
    { "sd-card", DISKS }, { "sdhci-pci", DISKS }, { "ahci", DISKS }, { "ich9-ahci", DISKS },
    { "usb-storage", DISKS }, { "megasas*", DISKS }, { "lsi53c*", DISKS }, { "mptsas*", DISKS },
    { "virtio-net*", NETWORKS }, { "e1000*", NETWORKS }, { "rtl8139", NETWORKS }, { "igb", NETWORKS },
    { "vmxnet3", NETWORKS }, { "usb-net", NETWORKS }, { "pcnet", NETWORKS }, { "ne2k_pci", NETWORKS },
    { "virtio-gpu*", DISPLAYS }, { "virtio-vga*", DISPLAYS }, { "vhost-user-gpu*", DISPLAYS },
    { "ramfb", DISPLAYS }, { "bochs-display", DISPLAYS }, { "VGA", DISPLAYS }, { "qxl*", DISPLAYS },
    { "virtio-keyboard*", DISPLAYS }, { "virtio-mouse*", DISPLAYS }, { "virtio-tablet*", DISPLAYS },
    { "virtio-input*", DISPLAYS },
    { "*-xhci", "USB is not there yet" }, { "*-ehci", "USB is not there yet" },
    { "usb-*", "USB is not there yet" },
    { "virtio-9p*", "folders shared with the host are not there yet" },
    { "vhost-user-fs*", "folders shared with the host are not there yet" },
    { "virtio-mem*", "memory of a changing size is not there yet" },
    { "pc-dimm", "memory of a changing size is not there yet" },
    { "virtio-pmem*", "persistent memory is not there yet" },
    { "nvdimm", "persistent memory is not there yet" },
    { "*vsock*", "sockets between host and guest are not there yet" },
    { "tpm-*", "TPMs are not there yet" },
    { "i6300esb", PCI "; sbsa-gwdt is the watchdog of Arm machines" },
    { "*wdt*", "it is the watchdog of other machines; sbsa-gwdt is that of Arm machines" },
    { "pvpanic-pci", PCI "; pvpanic-mmio is the same device for the platform bus" },
    { "intel-hda", "sound is not there yet" }, { "ich9-intel-hda", "sound is not there yet" },
    { "hda-*", "sound is not there yet" }, { "*-sound*", "sound is not there yet" },
    { "AC97", "sound is not there yet" }, { "ES1370", "sound is not there yet" },
    { "vfio-*", "devices of the host are not passed to guests: they could not be replayed" },
    { "ivshmem*", "memory shared with other guests is not there yet" },
    { "virtio-iommu*", "there is no IOMMU yet" }, { "arm-smmuv3", "there is no IOMMU yet" },
    { "virtio-crypto*", "virtio-crypto is not there yet" },
    { "guest-loader", "it loads guests of Xen, which needs EL2; -device loader puts files into memory" },
    { "pcie-*", PCI }, { "pci-*", PCI }, { "ioh3420", PCI }, { "gpex*", PCI }, { "pxb*", PCI },
    { "x3130*", PCI }, { "xio3130*", PCI }, { "*-pci", PCI }, { "*-pci-*transitional", PCI },
};

const char *device_missing(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(missing); i++) {
        if (g_pattern_match_simple(missing[i].pattern, name)) {
            return missing[i].why;
        }
    }
    return NULL;
}
