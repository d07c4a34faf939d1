/*
 * Loading what an Arm board boots: a Linux Image or an ELF file with its device
 * tree, or firmware in flash.
 *
 * The images are kept in memory and copied into the guest's memory at each
 * system reset, as a boot loader would: a guest that reboots finds them as they
 * were. Placement is QEMU's, so that addresses in a bug report mean the same.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_BOOT_H
#define HW_ARM_BOOT_H

#include "hw/core/board.h"

typedef struct ArmBoot ArmBoot;
typedef struct FwCfg FwCfg;

/* What a board gives to arm_boot_load(). */
typedef struct ArmBootBoard {
    hwaddr ram_base, ram_size;
    hwaddr flash_base, flash_size;   /* where -bios goes and firmware starts */
    GByteArray *fdt;                 /* the board's tree, without /memory and boot arguments */
    FwCfg *fw_cfg;                   /* gets kernel, initrd and cmdline for firmware */
    bool has_firmware;               /* in flash, without -bios */
    bool numa;                       /* RAM is of NUMA node 0 */
    bool random_seeds;               /* /chosen has kaslr-seed and rng-seed */
    const char *psci_method;         /* "hvc" or "smc" */
} ArmBootBoard;

/* Where a reset starts and what the first CPU finds in x0. */
typedef struct ArmBootEntry {
    hwaddr pc;
    uint64_t x0;
} ArmBootEntry;

/*
 * Read and check the images that config names, place them, complete the device
 * tree (written to config->dumpdtb when that is set) and describe every
 * input. Adds the device that copies them at each reset. On failure the message
 * names the file.
 */
bool arm_boot_load(Machine *m, BoardConfig *config, const ArmBootBoard *board,
                   ArmBootEntry *entry, Error **errp);

#endif
