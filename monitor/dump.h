/*
 * Dumps of the guest: its memory and its CPUs' registers, as a core file (dump-elf.c) or in the
 * compressed format of kdump (dump-kdump.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_DUMP_H
#define MONITOR_DUMP_H

#include <stdio.h>
#include "accel/tcg/vcpu.h"

typedef struct Dump {
    Machine *machine;
    bool paging;               /* core file: segments by the virtual addresses of CPU 0 */
    bool flat;                 /* kdump: flattened, so that it can go through a pipe */
    uint64_t begin, length;    /* of physical memory; length 0: all of it */
    uint64_t total, written;   /* bytes of memory */
} Dump;

/* Machine thread. False: what is missing, or errno says why the file could not be written. */
bool dump_elf_write(Dump *d, FILE *file, Error **errp);
/* All of memory, without paging. The same; not flat, the file must be one in which one can seek. */
bool dump_kdump_write(Dump *d, FILE *file, Error **errp);

/* ---- what both have, dump.c ---- */

typedef struct DumpPiece {         /* of physical memory */
    MemRegion *region;
    hwaddr addr, length;
    uint64_t place;                /* bytes in the pieces before it */
} DumpPiece;

/* What is asked for and is memory, ascending. Sets d->total, and d->written to 0. */
GArray *dump_pieces(Dump *d);
/* Its bytes. */
static inline const uint8_t *dump_piece_data(const DumpPiece *p)
{
    return p->region->host + (p->addr - p->region->base);
}
/* An ELF note for each CPU's registers, and one for those of FP. */
GByteArray *dump_notes(Machine *m);
bool dump_put(FILE *file, const void *data, size_t length);

#endif
