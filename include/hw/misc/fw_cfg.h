/*
 * The firmware configuration device, as virtual machines of QEMU offer it to
 * firmware and to Linux (docs/specs/fw_cfg of QEMU): numbered items and named
 * files, read byte by byte or by DMA.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_FW_CFG_H
#define HW_MISC_FW_CFG_H

#include "hw/core/machine.h"

typedef struct FwCfg FwCfg;

#define FW_CFG_SIZE 0x18

/* Items with fixed numbers. */
enum FwCfgKey {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_UUID = 0x02,
    FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_NB_CPUS = 0x05,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_BOOT_MENU = 0x0e,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILE_FIRST = 0x20,
};

#define FW_CFG_MAX_FILES 64
#define FW_CFG_MAX_FILE_NAME 55

extern const DeviceType fw_cfg_type;
/* A device of that type as what it is. */
FwCfg *fw_cfg(Device *dev);

/* Before the machine runs. Data is referenced; each key once. */
void fw_cfg_add_bytes(FwCfg *f, enum FwCfgKey key, GBytes *data);
void fw_cfg_add_u16(FwCfg *f, enum FwCfgKey key, uint16_t value);
void fw_cfg_add_u32(FwCfg *f, enum FwCfgKey key, uint32_t value);
/* A named file; fails on a name that is too long or taken, or when there are too many. */
bool fw_cfg_add_file(FwCfg *f, const char *name, GBytes *data, Error **errp);

#endif
