/*
 * A core file of the guest: its memory and its CPUs' registers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_DUMP_ELF_H
#define MONITOR_DUMP_ELF_H

#include <stdio.h>
#include "accel/tcg/vcpu.h"

typedef struct DumpElf {
    Machine *machine;
    bool paging;               /* segments by the virtual addresses of CPU 0 */
    uint64_t begin, length;    /* of physical memory; length 0: all of it */
    uint64_t total, written;   /* bytes of memory */
} DumpElf;

/* Machine thread. False: what is missing, or errno says why the file could not be written. */
bool dump_elf_write(DumpElf *d, FILE *file, Error **errp);

#endif
