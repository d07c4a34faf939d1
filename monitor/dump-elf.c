/*
 * A core file of the guest, as Linux writes them for arm64: ELF header, program headers, notes (per
 * CPU its NT_PRSTATUS and NT_FPREGSET), and the memory, each range once. Where virtual addresses
 * are told, several segments may lead to one piece of memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <elf.h>
#include "monitor/dump.h"

/* One program header is that of the notes. */
#define MAX_SEGMENTS (PN_XNUM - 2)
typedef struct Writer {
    Dump *d;
    GArray *pieces;                /* DumpPiece, ascending */
    GArray *segments;              /* Elf64_Phdr; p_offset from the first byte of memory */
    GByteArray *notes;
    bool too_many;
} Writer;

/* ---- segments ---- */

/* The first one that does not end in front of addr; NULL: there is nothing any more. */
static const DumpPiece *find_piece(const Writer *w, hwaddr addr)
{
    for (guint n = 0; n < w->pieces->len; n++) {
        const DumpPiece *p = &g_array_index(w->pieces, DumpPiece, n);

        if (addr < p->addr || addr - p->addr < p->length) {
            return p;
        }
    }
    return NULL;
}

static bool add_segment(Writer *w, uint64_t vaddr, const DumpPiece *p, hwaddr addr, uint64_t length)
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
        const DumpPiece *p = find_piece(w, addr);

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
        const DumpPiece *p = &g_array_index(w->pieces, DumpPiece, n);

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

/* ---- the file ---- */

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
    return dump_put(file, &head, sizeof(head)) && dump_put(file, &notes, sizeof(notes)) &&
           dump_put(file, w->segments->data, w->segments->len * sizeof(Elf64_Phdr)) &&
           dump_put(file, w->notes->data, w->notes->len) &&
           dump_put(file, pad, memory_at - notes_at - w->notes->len);
}

static bool write_memory(Writer *w, FILE *file)
{
    for (guint n = 0; n < w->pieces->len; n++) {
        const DumpPiece *p = &g_array_index(w->pieces, DumpPiece, n);

        if (!dump_put(file, dump_piece_data(p), p->length)) {
            return false;
        }
        w->d->written += p->length;
    }
    return true;
}

bool dump_elf_write(Dump *d, FILE *file, Error **errp)
{
    Writer w = {
        .d = d,
        .pieces = dump_pieces(d),
        .segments = g_array_new(false, false, sizeof(Elf64_Phdr)),
        .notes = dump_notes(d->machine),
    };
    bool ok = add_segments(&w, errp);

    if (ok && !(write_headers(&w, file) && write_memory(&w, file) && fflush(file) == 0)) {
        error_setg_errno(errp, errno, "dump: failed to save memory");
        ok = false;
    }
    g_array_unref(w.pieces);
    g_array_unref(w.segments);
    g_byte_array_unref(w.notes);
    return ok;
}
