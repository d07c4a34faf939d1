/*
 * What the virt board takes from -machine, -global and -device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_VIRT_OPTIONS_H
#define HW_ARM_VIRT_OPTIONS_H

#include "hw/core/board.h"
#include "hw/core/irq.h"
#include "virt-map.h"

typedef struct VirtOptions {
    bool random_seeds;       /* dtb-randomness: kaslr-seed and rng-seed in the device tree */
    bool legacy_virtio;      /* virtio-mmio.force-legacy */
} VirtOptions;

/*
 * -machine and -global. Options that also exist on their own (-kernel, -append, ...) are
 * filled into config where it has none; dumpdtb too. What the board does not do is
 * refused by name.
 */
bool virt_options_parse(VirtOptions *options, BoardConfig *config, Error **errp);

/* The drivers that -device takes, NULL-terminated. */
extern const char *const virt_device_names[];

/*
 * -device: create the devices and all virtio-mmio transports. irq[] has one line for
 * each transport. A device without bus= gets the free transport with the highest address.
 */
bool virt_add_devices(Machine *m, BoardConfig *config, const VirtOptions *options,
                      const IrqLine irq[VIRT_NUM_VIRTIO], Error **errp);

#endif
