/*
 * Boards: what -machine selects. A board builds memory, devices, CPUs and the boot images
 * into a Machine.
 *
 * A board is mostly tables: the properties of its -machine options, and one row for each
 * device that is always there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_BOARD_H
#define HW_CORE_BOARD_H

#include "hw/core/machine.h"
#include "hw/core/topology.h"

typedef struct BoardConfig {
    const char *cpu_model;        /* -cpu, NULL: the board's default */
    KeyVal *machine_options;      /* -machine key=value list; may be NULL */
    uint64_t ram_size;            /* bytes */
    unsigned num_cpus;            /* -smp */
    CpuTopology topology;         /* of them; all zero: cores of one cluster */
    const char *kernel, *initrd, *append, *dtb, *bios;   /* paths or NULL */
    const char *dumpdtb;          /* write the DTB here; system/ then exits 0 */
    const GPtrArray *devices;     /* -device strings; may be NULL */
    const GPtrArray *globals;     /* -global strings; may be NULL */
    const GPtrArray *fw_cfg;      /* -fw_cfg strings; may be NULL */
    const GPtrArray *smbios;      /* -smbios strings; may be NULL */
    const char *memory_backend;   /* the object that RAM comes from; NULL: none */
    const uint8_t *uuid;          /* UUID_SIZE bytes, or NULL */
    bool numa;                    /* tell the guest of one NUMA node */
    bool boot_menu;               /* firmware shows its menu */
    const void *options;          /* for create: what BoardType.properties say */
} BoardConfig;

typedef struct BoardType {
    const char *name;             /* "virt" */
    const char *alias;            /* "virt-7.2" or NULL */
    const char *description;
    const char *default_cpu;      /* NULL: no CPU */
    uint64_t default_ram;         /* 0: none */
    unsigned max_cpus;
    const Property *properties;   /* -machine options; NULL: only those of all boards */
    size_t options_size;          /* of the struct that they are stored in */
    /* Build into m. vCPUs are created but not bound to an engine. */
    bool (*create)(Machine *m, BoardConfig *config, Error **errp);
} BoardType;

/* NULL-terminated, in hw/arm/boards.c; the first is the default. */
extern const BoardType *const board_types[];
const BoardType *board_find(const char *name, Error **errp);

/* -machine options of all boards, for help. They say the same as options of their own. */
extern const Property board_common_properties[];

/*
 * Build a machine from its configuration: -global, -machine's options, then type->create().
 * Options that also exist on their own (-kernel, -append, ...) are filled into config where
 * it has none.
 */
bool board_create(const BoardType *type, Machine *m, BoardConfig *config, Error **errp);
/* Its second step: fill options, a struct of type->options_size. */
bool board_parse_options(const BoardType *type, void *options, BoardConfig *config,
                         Error **errp);

/*
 * One device of a board, or several of one type side by side: what it is, where it is, what
 * its interrupt goes to. Creation, wiring and the device tree (hw/arm/board-fdt.h) read it.
 */
typedef struct BoardDevice {
    const DeviceType *type;
    const char *id;               /* of several: "ID.0", "ID.1", ... */
    hwaddr base;                  /* of the first one's window */
    hwaddr base2;                 /* of a second window */
    const char *properties;       /* for device_set(); NULL: nothing */
    unsigned irq;                 /* interrupts, from the first one's on, go to this input ... */
    const char *to;               /* ... of this device above in the table; NULL: of the GIC */
    unsigned count;               /* 0 means 1 */
    uint32_t phandle;             /* of its node in the device tree; 0: none */
    /* Adds to the device tree, behind the node that type->fdt gives; may be NULL. */
    void (*fdt)(GByteArray *fdt, const struct BoardDevice *row);
} BoardDevice;

/*
 * All rows, up to one without a type. The device called gic, a row's or not, takes the
 * interrupts; NULL: there are none.
 */
bool board_add_devices(Machine *m, const BoardDevice *rows, const char *gic, Error **errp);

/*
 * What the user adds with -device, except on buses whose devices come and go: board_create() makes those when
 * all else is there.
 */
bool board_plug_devices(Machine *m, const BoardConfig *config, Error **errp);

#endif
