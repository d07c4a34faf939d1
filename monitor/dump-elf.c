/*
 * A core file of the guest, as Linux writes them for arm64: ELF header, program headers, notes (per
 * CPU its NT_PRSTATUS and NT_FPREGSET), and the memory, each range once. Where virtual addresses
 * are told, several segments may lead to one piece of memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <elf.h>
#include "accel/tcg/gdb-target.h"
#include "monitor/dump-elf.h"

/* One program header is that of the notes. */
#define MAX_SEGMENTS (PN_XNUM - 2)
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

typedef struct Piece {             /* of physical memory */
    MemRegion *region;
    hwaddr addr, length;
    uint64_t place;                /* behind the headers and notes */
} Piece;

typedef struct Writer {
    DumpElf *d;
    GArray *pieces;                /* Piece, ascending */
    GArray *segments;              /* Elf64_Phdr; p_offset from the first byte of memory */
    GByteArray *notes;
    bool too_many;
} Writer;

/* ---- what memory there is ---- */

static void add_piece(const MemRange *range, void *opaque)
{
    Writer *w = opaque;
    hwaddr first = range->first, last = range->last;
    Piece piece;

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
    piece = (Piece){ range->region, first, last - first + 1, w->d->total };
    w->d->total += piece.length;
    g_array_append_val(w->pieces, piece);
}

/* The first one that does not end in front of addr; NULL: there is nothing any more. */
static const Piece *find_piece(const Writer *w, hwaddr addr)
{
    for (guint n = 0; n < w->pieces->len; n++) {
        const Piece *p = &g_array_index(w->pieces, Piece, n);

        if (addr < p->addr || addr - p->addr < p->length) {
            return p;
        }
    }
    return NULL;
}

/* ---- segments ---- */

static bool add_segment(Writer *w, uint64_t vaddr, const Piece *p, hwaddr addr, uint64_t length)
{
    const Elf64_Phdr ph = {
        .p_type = PT_LOAD, .p_flags = PF_R | PF_W | PF_X, .p_vaddr = vaddr, .p_paddr = addr,
        .p_offset = p->place + (addr - p->addr), .p_filesz = length, .p_memsz = length,
    };
    Elf64_Phdr *last = w->segments->len
        ? &g_array_index(w->segments, Elf64_Phdr, w->segments->len - 1) : NULL;

    /* Pages side by side that lead to memory side by side. */
    if (last && last->p_vaddr + last->p_filesz == vaddr &&
        last->p_offset + last->p_filesz == ph.p_offset) {
        last->p_filesz += length;
        last->p_memsz += length;
        return true;
    }
    w->too_many = w->segments->len == MAX_SEGMENTS;
    if (!w->too_many) {
        g_array_append_val(w->segments, ph);
    }
    return !w->too_many;
}

/* Devices and holes have no place in the file. */
static bool add_mapping(void *opaque, const VcpuMapping *m)
{
    Writer *w = opaque;

    for (uint64_t done = 0, length; done < m->length; done += length) {
        hwaddr addr = m->phys + done;
        const Piece *p = find_piece(w, addr);

        if (!p) {
            return true;
        }
        length = MIN(m->length - done, addr < p->addr ? p->addr - addr
                                                      : p->length - (addr - p->addr));
        if (addr >= p->addr && !add_segment(w, m->vaddr + done, p, addr, length)) {
            return false;
        }
    }
    return true;
}

static void add_physical(Writer *w)
{
    for (guint n = 0; n < w->pieces->len; n++) {
        const Piece *p = &g_array_index(w->pieces, Piece, n);

        add_segment(w, p->addr, p, p->addr, p->length);
    }
}

static bool add_segments(Writer *w, Error **errp)
{
    Machine *m = w->d->machine;
    VcpuMappings found;

    if (!w->d->paging || !m->num_cpus) {
        add_physical(w);
        return true;
    }
    found = vcpu_foreach_mapping(m->cpus[0], add_mapping, w);
    if (found == VCPU_MAPPINGS_OFF) {
        add_physical(w);
    } else if (found == VCPU_MAPPINGS_PART) {
        error_setg(errp, "the guest's tables map too much for a core file: at most %u pieces; "
                   "without paging it is possible", MAX_SEGMENTS);
        return false;
    }
    return true;
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

static void add_cpu(Writer *w, Vcpu *cpu)
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
    add_note(w->notes, NT_PRSTATUS, &status, sizeof(status));
    add_note(w->notes, NT_FPREGSET, &fp, sizeof(fp));
}

/* ---- the file ---- */

static bool put(FILE *file, const void *data, size_t length)
{
    return fwrite(data, 1, length, file) == length;
}

static bool write_headers(Writer *w, FILE *file)
{
    uint64_t notes_at = sizeof(Elf64_Ehdr) + (w->segments->len + 1) * sizeof(Elf64_Phdr);
    uint64_t memory_at = (notes_at + w->notes->len + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
    const Elf64_Ehdr head = {
        .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
        .e_type = ET_CORE, .e_machine = EM_AARCH64, .e_version = EV_CURRENT,
        .e_phoff = sizeof(head), .e_ehsize = sizeof(head), .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = (Elf64_Half)(w->segments->len + 1),
    };
    const Elf64_Phdr notes = { .p_type = PT_NOTE, .p_offset = notes_at,
                               .p_filesz = w->notes->len, .p_memsz = w->notes->len };
    g_autofree uint8_t *pad = g_malloc0(PAGE_SIZE);

    for (guint n = 0; n < w->segments->len; n++) {
        g_array_index(w->segments, Elf64_Phdr, n).p_offset += memory_at;
    }
    return put(file, &head, sizeof(head)) && put(file, &notes, sizeof(notes)) &&
           put(file, w->segments->data, w->segments->len * sizeof(Elf64_Phdr)) &&
           put(file, w->notes->data, w->notes->len) &&
           put(file, pad, memory_at - notes_at - w->notes->len);
}

static bool write_memory(Writer *w, FILE *file)
{
    for (guint n = 0; n < w->pieces->len; n++) {
        const Piece *p = &g_array_index(w->pieces, Piece, n);

        if (!put(file, p->region->host + (p->addr - p->region->base), p->length)) {
            return false;
        }
        w->d->written += p->length;
    }
    return true;
}

bool dump_elf_write(DumpElf *d, FILE *file, Error **errp)
{
    Writer w = {
        .d = d,
        .pieces = g_array_new(false, false, sizeof(Piece)),
        .segments = g_array_new(false, false, sizeof(Elf64_Phdr)),
        .notes = g_byte_array_new(),
    };
    bool ok;

    d->total = d->written = 0;
    memory_foreach_range(d->machine->memory, add_piece, &w);
    for (unsigned i = 0; i < d->machine->num_cpus; i++) {
        add_cpu(&w, d->machine->cpus[i]);
    }
    ok = add_segments(&w, errp);
    if (ok && !(write_headers(&w, file) && write_memory(&w, file) && fflush(file) == 0)) {
        error_setg_errno(errp, errno, "dump: failed to save memory");
        ok = false;
    }
    g_array_unref(w.pieces);
    g_array_unref(w.segments);
    g_byte_array_unref(w.notes);
    return ok;
}
