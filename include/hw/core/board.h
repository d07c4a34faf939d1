/*
 * Boards: what -machine selects. A board builds memory, devices, CPUs and the
 * boot images into a Machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_BOARD_H
#define HW_CORE_BOARD_H

#include "hw/core/machine.h"
#include "hw/core/topology.h"

typedef struct KeyVal KeyVal;
typedef struct CharPort CharPort;

#define BOARD_MAX_SERIAL 4

typedef struct BoardConfig {
    const char *cpu_model;        /* -cpu, NULL: the board's default */
    KeyVal *machine_options;      /* -machine key=value list; may be NULL */
    uint64_t ram_size;            /* bytes */
    unsigned num_cpus;            /* -smp */
    CpuTopology topology;         /* of them; all zero: cores of one cluster */
    const char *kernel, *initrd, *append, *dtb, *bios;   /* paths or NULL */
    const char *dumpdtb;          /* write the DTB here; system/ then exits 0 */
    const char *rng;              /* "on": a virtio-rng-device is present */
    GPtrArray *devices;           /* -device strings, parsed by the board; may be NULL */
    GPtrArray *globals;           /* -global strings, "driver.property=value"; may be NULL */
    /* Told for each input that a replay must find unchanged: "kernel" -> "xxh3:... size". */
    void (*describe)(void *opaque, const char *name, const char *value);
    void *describe_opaque;
    /* Out: the serial ports in order, for -serial to attach to. */
    CharPort *serial[BOARD_MAX_SERIAL];
    unsigned num_serial;
} BoardConfig;

typedef struct BoardType {
    const char *name;             /* "virt" */
    const char *alias;            /* "virt-7.2" or NULL */
    const char *description;
    const char *default_cpu;
    uint64_t default_ram;
    unsigned max_cpus;
    const char *const *devices;   /* -device drivers it takes, NULL-terminated; may be NULL */
    /* Build into m. vCPUs are created but not bound to an engine. */
    bool (*create)(Machine *m, BoardConfig *config, Error **errp);
} BoardType;

/* NULL-terminated, in hw/arm/boards.c. */
extern const BoardType *const board_types[];
const BoardType *board_find(const char *name, Error **errp);

#endif
