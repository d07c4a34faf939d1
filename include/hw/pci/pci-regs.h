/*
 * Configuration space of PCI functions: where registers are, and their bits (PCI Local Bus 3.0,
 * PCI Express Base 3.0, PCI-to-PCI Bridge 1.2, PCI Power Management 1.2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCI_REGS_H
#define HW_PCI_PCI_REGS_H

/* ---- every function ---- */

enum {
    PCI_VENDOR_ID = 0x00,
    PCI_DEVICE_ID = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION_ID = 0x08,
    PCI_CLASS_CODE = 0x09,          /* three bytes */
    PCI_CACHE_LINE_SIZE = 0x0c,
    PCI_HEADER_TYPE = 0x0e,
    PCI_BASE_ADDRESS_0 = 0x10,
    PCI_CAPABILITY_LIST = 0x34,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
    PCI_HEADER_END = 0x40,
};

enum {
    PCI_COMMAND_IO = 0x001,
    PCI_COMMAND_MEMORY = 0x002,
    PCI_COMMAND_MASTER = 0x004,
    PCI_COMMAND_PARITY = 0x040,
    PCI_COMMAND_SERR = 0x100,
    PCI_COMMAND_INTX_DISABLE = 0x400,
};

enum {
    PCI_STATUS_INTERRUPT = 0x08,
    PCI_STATUS_CAP_LIST = 0x10,
    PCI_STATUS_ERRORS = 0xf900,     /* bits that a one clears */
};

enum {
    PCI_HEADER_TYPE_NORMAL = 0,
    PCI_HEADER_TYPE_BRIDGE = 1,
    PCI_HEADER_TYPE_MULTI_FUNC = 0x80,
};

/* The low bits of a base address. */
enum {
    PCI_BASE_ADDRESS_SPACE_IO = 1,
    PCI_BASE_ADDRESS_MEM_TYPE_64 = 4,
    PCI_BASE_ADDRESS_MEM_PREFETCH = 8,
};

/* ---- header type 0 ---- */

enum {
    PCI_SUBSYSTEM_VENDOR_ID = 0x2c,
    PCI_SUBSYSTEM_ID = 0x2e,
};

/* ---- header type 1: bridges ---- */

enum {
    PCI_PRIMARY_BUS = 0x18,
    PCI_SECONDARY_BUS = 0x19,
    PCI_SUBORDINATE_BUS = 0x1a,
    PCI_IO_BASE = 0x1c,
    PCI_IO_LIMIT = 0x1d,
    PCI_SECONDARY_STATUS = 0x1e,
    PCI_MEMORY_BASE = 0x20,
    PCI_MEMORY_LIMIT = 0x22,
    PCI_PREF_MEMORY_BASE = 0x24,
    PCI_PREF_MEMORY_LIMIT = 0x26,
    PCI_PREF_BASE_UPPER32 = 0x28,
    PCI_PREF_LIMIT_UPPER32 = 0x2c,
    PCI_IO_BASE_UPPER16 = 0x30,
    PCI_IO_LIMIT_UPPER16 = 0x32,
    PCI_BRIDGE_CONTROL = 0x3e,
};

enum {
    PCI_IO_RANGE_TYPE_32 = 1,
    PCI_PREF_RANGE_TYPE_64 = 1,
    PCI_BRIDGE_CTL_BUS_RESET = 0x40,
};

/* ---- capabilities ---- */

enum {
    PCI_CAP_ID_PM = 0x01,
    PCI_CAP_ID_MSI = 0x05,
    PCI_CAP_ID_VNDR = 0x09,
    PCI_CAP_ID_SSVID = 0x0d,
    PCI_CAP_ID_EXP = 0x10,
    PCI_CAP_ID_MSIX = 0x11,
};

/* Power management. */
enum {
    PCI_PM_PMC = 2,
    PCI_PM_CTRL = 4,
    PCI_PM_SIZEOF = 8,

    PCI_PM_CAP_VERSION_3 = 3,
    PCI_PM_CTRL_STATE_MASK = 3,
    PCI_PM_CTRL_NO_SOFT_RESET = 8,
};

/* MSI: with 64-bit addresses, the only form that is made here. */
enum {
    PCI_MSI_FLAGS = 2,
    PCI_MSI_ADDRESS_LO = 4,
    PCI_MSI_ADDRESS_HI = 8,
    PCI_MSI_DATA = 12,
    PCI_MSI_MASK = 16,
    PCI_MSI_PENDING = 20,
    PCI_MSI_SIZEOF = 14,
    PCI_MSI_MASK_SIZEOF = 24,

    PCI_MSI_FLAGS_ENABLE = 0x01,
    PCI_MSI_FLAGS_CAPABLE_SHIFT = 1,
    PCI_MSI_FLAGS_SIZE_SHIFT = 4,
    PCI_MSI_FLAGS_SIZE = 0x70,
    PCI_MSI_FLAGS_64BIT = 0x80,
    PCI_MSI_FLAGS_MASKBIT = 0x100,
};

enum {
    PCI_MSIX_FLAGS = 2,
    PCI_MSIX_TABLE = 4,
    PCI_MSIX_PBA = 8,
    PCI_MSIX_SIZEOF = 12,

    PCI_MSIX_FLAGS_MASKALL = 0x4000,
    PCI_MSIX_FLAGS_ENABLE = 0x8000,

    PCI_MSIX_ENTRY_SIZE = 16,       /* address, its high half, data, control */
    PCI_MSIX_ENTRY_CTRL_MASKBIT = 1,
};

/* PCI Express, version 2 of the structure. */
enum {
    PCI_EXP_FLAGS = 0x02,
    PCI_EXP_DEVCAP = 0x04,
    PCI_EXP_DEVCTL = 0x08,
    PCI_EXP_DEVSTA = 0x0a,
    PCI_EXP_LNKCAP = 0x0c,
    PCI_EXP_LNKCTL = 0x10,
    PCI_EXP_LNKSTA = 0x12,
    PCI_EXP_SLTCAP = 0x14,
    PCI_EXP_SLTCTL = 0x18,
    PCI_EXP_SLTSTA = 0x1a,
    PCI_EXP_RTCTL = 0x1c,
    PCI_EXP_RTSTA = 0x20,
    PCI_EXP_DEVCAP2 = 0x24,
    PCI_EXP_DEVCTL2 = 0x28,
    PCI_EXP_LNKCAP2 = 0x2c,
    PCI_EXP_LNKCTL2 = 0x30,
    PCI_EXP_SIZEOF = 0x3c,

    PCI_EXP_VERSION_2 = 2,
    PCI_EXP_TYPE_SHIFT = 4,
    PCI_EXP_TYPE_ENDPOINT = 0,
    PCI_EXP_TYPE_ROOT_PORT = 4,
    PCI_EXP_FLAGS_SLOT = 0x100,

    PCI_EXP_DEVCAP_RBER = 0x8000,
    PCI_EXP_DEVCAP_FLR = 0x10000000,
    PCI_EXP_DEVCTL_ERRORS = 0x000f,
    PCI_EXP_DEVCTL_WRITABLE = 0x70ff,   /* errors, relaxed order, payload, request size */
    PCI_EXP_DEVCTL_FLR = 0x8000,
    PCI_EXP_DEVSTA_ERRORS = 0x000f,

    PCI_EXP_LNKCAP_SPEED_2_5 = 1,
    PCI_EXP_LNKCAP_WIDTH_SHIFT = 4,
    PCI_EXP_LNKCAP_DLLLARC = 0x100000,
    PCI_EXP_LNKCAP_PORT_SHIFT = 24,
    PCI_EXP_LNKCTL_WRITABLE = 0x00c3,   /* ASPM, common clock, extended synch */
    PCI_EXP_LNKSTA_DLLLA = 0x2000,

    PCI_EXP_SLTCAP_ATTENTION_BUTTON = 0x01,
    PCI_EXP_SLTCAP_POWER_CONTROL = 0x02,
    PCI_EXP_SLTCAP_ATTENTION_LIGHT = 0x08,
    PCI_EXP_SLTCAP_POWER_LIGHT = 0x10,
    PCI_EXP_SLTCAP_HOTPLUG = 0x40,
    PCI_EXP_SLTCAP_NO_COMMAND_COMPLETED = 0x40000,
    PCI_EXP_SLTCAP_NUMBER_SHIFT = 19,

    /* Events of the status register have the bits of what enables them, but for the last one. */
    PCI_EXP_SLTCTL_BUTTON = 0x0001,
    PCI_EXP_SLTCTL_PRESENCE = 0x0008,
    PCI_EXP_SLTCTL_INTERRUPT = 0x0020,
    PCI_EXP_SLTCTL_ATTENTION_LIGHT_OFF = 0x00c0,
    PCI_EXP_SLTCTL_POWER_LIGHT = 0x0300,
    PCI_EXP_SLTCTL_POWER_LIGHT_ON = 0x0100,
    PCI_EXP_SLTCTL_POWER_LIGHT_OFF = 0x0300,
    PCI_EXP_SLTCTL_POWER_OFF = 0x0400,
    PCI_EXP_SLTCTL_LINK = 0x1000,
    PCI_EXP_SLTCTL_WRITABLE = 0x17ff,   /* all but the interlock */
    PCI_EXP_SLTSTA_BUTTON = 0x0001,
    PCI_EXP_SLTSTA_PRESENCE_CHANGED = 0x0008,
    PCI_EXP_SLTSTA_PRESENCE = 0x0040,
    PCI_EXP_SLTSTA_LINK_CHANGED = 0x0100,
    PCI_EXP_LNKCAP2_SPEED_2_5 = 2,
};

#endif
