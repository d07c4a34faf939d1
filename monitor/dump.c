/*
 * What all dumps have: the memory that there is, and the CPUs' registers as Linux notes them in core
 * files for arm64 (NT_PRSTATUS and NT_FPREGSET).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <elf.h>
#include "accel/tcg/gdb-target.h"
#include "monitor/dump.h"

#define NOTE_NAME "CORE"
#define NUM_PR_REGS 34

/* struct elf_prstatus and user_fpsimd_state of Linux on arm64. */
typedef struct PrStatus {
    int32_t si_signo, si_code, si_errno;
    int16_t cursig;
    uint64_t sigpend, sighold;
    int32_t pid, ppid, pgrp, sid;
    uint64_t times[8];
    uint64_t reg[NUM_PR_REGS];     /* X0..X30, SP, PC, PSTATE: as gdb numbers them */
    int32_t fpvalid;
} PrStatus;
static_assert(sizeof(PrStatus) == 392, "arm64's struct elf_prstatus");
static_assert(offsetof(PrStatus, reg) == 112, "arm64's struct elf_prstatus");

#define GDB_V0 34u
#define NUM_V 32u
#define GDB_FPSR (GDB_V0 + NUM_V)
#define GDB_FPCR (GDB_FPSR + 1)

typedef struct FpRegs {
    uint8_t v[NUM_V][16];
    uint32_t fpsr, fpcr, pad[2];
} FpRegs;

typedef struct Pieces {
    Dump *d;
    GArray *found;
} Pieces;

/* ---- what memory there is ---- */

static void add_piece(const MemRange *range, void *opaque)
{
    Pieces *w = opaque;
    hwaddr first = range->first, last = range->last;
    DumpPiece piece;

    if (!range->region->host || range->region->ops || range->region->readonly) {
        return;
    }
    if (w->d->length) {
        first = MAX(first, w->d->begin);
        last = MIN(last, w->d->begin + (w->d->length - 1));
    }
    if (first > last) {
        return;
    }
    piece = (DumpPiece){ range->region, first, last - first + 1, w->d->total };
    w->d->total += piece.length;
    g_array_append_val(w->found, piece);
}

GArray *dump_pieces(Dump *d)
{
    Pieces w = { d, g_array_new(false, false, sizeof(DumpPiece)) };

    d->total = d->written = 0;
    memory_foreach_range(d->machine->memory, add_piece, &w);
    return w.found;
}

/* ---- notes ---- */

static void add_note(GByteArray *out, uint32_t type, const void *data, uint32_t size)
{
    static const uint8_t zeros[4];
    const Elf64_Nhdr head = { sizeof(NOTE_NAME), size, type };
    char name[8] = NOTE_NAME;

    g_byte_array_append(out, (const uint8_t *)&head, sizeof(head));
    g_byte_array_append(out, (const uint8_t *)name, sizeof(name));
    g_byte_array_append(out, data, size);
    g_byte_array_append(out, zeros, -size & 3);
}

static uint64_t read_register(Vcpu *cpu, unsigned n)
{
    uint8_t bytes[GDB_MAX_REG_BYTES] = { 0 };

    cpu->ops->gdb->read(cpu, n, bytes);
    return load_le(bytes, cpu->ops->gdb->size(n));
}

static void add_cpu(GByteArray *out, Vcpu *cpu)
{
    PrStatus status = { .pid = (int32_t)cpu->index + 1, .fpvalid = 1 };
    FpRegs fp = { 0 };

    for (unsigned n = 0; n < NUM_PR_REGS; n++) {
        status.reg[n] = read_register(cpu, n);
    }
    for (unsigned n = 0; n < NUM_V; n++) {
        cpu->ops->gdb->read(cpu, GDB_V0 + n, fp.v[n]);
    }
    fp.fpsr = (uint32_t)read_register(cpu, GDB_FPSR);
    fp.fpcr = (uint32_t)read_register(cpu, GDB_FPCR);
    add_note(out, NT_PRSTATUS, &status, sizeof(status));
    add_note(out, NT_FPREGSET, &fp, sizeof(fp));
}

GByteArray *dump_notes(Machine *m)
{
    GByteArray *out = g_byte_array_new();

    for (unsigned i = 0; i < m->num_cpus; i++) {
        add_cpu(out, m->cpus[i]);
    }
    return out;
}

bool dump_put(FILE *file, const void *data, size_t length)
{
    return fwrite(data, 1, length, file) == length;
}
