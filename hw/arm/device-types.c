/*
 * All device types, by name, for -device, -global, help and the monitors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/ged.h"
#include "hw/arm/loader.h"
#include "hw/block/pflash_cfi01.h"
#include "hw/char/pl011.h"
#include "hw/core/platform-bus.h"
#include "hw/gpio/gpio-key.h"
#include "hw/gpio/pl061.h"
#include "hw/intc/gicv2.h"
#include "hw/intc/gicv2m.h"
#include "hw/misc/edu.h"
#include "hw/misc/fw_cfg.h"
#include "hw/misc/pvpanic.h"
#include "hw/pci/pci-host.h"
#include "hw/pci/pcie-port.h"
#include "hw/rtc/pl031.h"
#include "hw/scsi/scsi.h"
#include "hw/virtio/virtio-balloon.h"
#include "hw/virtio/virtio-blk.h"
#include "hw/virtio/virtio-mmio.h"
#include "hw/virtio/virtio-net.h"
#include "hw/virtio/virtio-pci.h"
#include "hw/virtio/virtio-rng.h"
#include "hw/virtio/virtio-scsi.h"
#include "hw/virtio/virtio-serial.h"
#include "hw/watchdog/sbsa_gwdt.h"
#include "target/arm/cpu.h"

const DeviceType *const device_types[] = {
    &ged_type,
    &gicv2m_type,
    &gicv2_type,
    &pflash_cfi01_type,
    &cortex_a53_type,
    &cortex_a57_type,
    &cortex_a72_type,
    &edu_type,
    &fw_cfg_type,
    &pci_host_type,
    &pci_root_type,
    &gpio_key_type,
    &loader_type,
    &max_cpu_type,
    &pcie_root_port_type,
    &pl011_type,
    &pl031_type,
    &pl061_type,
    &platform_bus_type,
    &pvpanic_mmio_type,
    &sbsa_gwdt_type,
    &scsi_cd_type,
    &scsi_hd_type,
    &virtconsole_type,
    &virtio_balloon_type,
    &virtio_balloon_pci_type,
    &virtio_balloon_pci_type_non_transitional,
    &virtio_balloon_pci_type_transitional,
    &virtio_blk_type,
    &virtio_blk_pci_type,
    &virtio_blk_pci_type_non_transitional,
    &virtio_blk_pci_type_transitional,
    &virtio_mmio_type,
    &virtio_net_type,
    &virtio_net_pci_type,
    &virtio_net_pci_type_non_transitional,
    &virtio_net_pci_type_transitional,
    &virtio_rng_type,
    &virtio_rng_pci_type,
    &virtio_rng_pci_type_non_transitional,
    &virtio_rng_pci_type_transitional,
    &virtio_scsi_type,
    &virtio_scsi_pci_type,
    &virtio_scsi_pci_type_non_transitional,
    &virtio_scsi_pci_type_transitional,
    &virtio_serial_type,
    &virtio_serial_pci_type,
    &virtio_serial_pci_type_non_transitional,
    &virtio_serial_pci_type_transitional,
    &virtserialport_type,
    NULL,
};
