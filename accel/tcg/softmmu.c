/*
 * The soft MMU: guest accesses to memory, by way of the soft TLB.
 *
 * 1. The TLB always agrees with the guest's tables, so what is in it makes no difference
 *    to the guest: it is filled by accesses, and may be emptied or filled ahead at any time.
 * 2. Faults are not cached. An entry holds all rights of its page, so an access without the
 *    right faults in the walk, which knows how.
 * 3. The first store to a page since a consumer of its dirty flags cleaned it comes here.
 * 4. So does every access to a page with watched bytes; the interpreter makes those that
 *    touch one, as only whole accesses (mmu_access()) can stop.
 * 5. Stores to a page with watched memory (memory_watch()) come here, too. The interpreter makes
 *    those to watched bytes, so that who is told of them finds the CPU at the instruction.
 * 6. A page that is not host memory throughout is MMIO: the memory map is asked at each access. An
 *    access to a device may change the map, so nothing that was looked up before is used behind it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/tlb.h"
#include "accel/tcg/units.h"
#include "accel/tcg/watchpoints.h"
#include "util/log.h"
#include <glib.h>

/* ---- filling ---- */

static Space *access_space(Vcpu *cpu, unsigned memflags)
{
    return memflags & MEM_UNPRIV ? cpu->space_unpriv : cpu->space;
}

/* Where an access goes after translation. */
typedef struct Target {
    Space *space;
    uint64_t page;       /* virtual */
    MemRegion *region;   /* NULL: nothing there */
    uint64_t phys;       /* of the first byte */
    uint8_t *host;       /* of the first byte; NULL: MMIO or nothing */
    uint32_t attrs;
    uint64_t raw;        /* the address as the guest gave it (whole accesses only) */
} Target;

/* Whether generated code may access the page without asking. */
static bool goes_direct(uint32_t attrs)
{
    return !(attrs & (TLB_MMIO | TLB_WATCH)) &&
           (!(attrs & TLB_DEVICE) || (attrs & TLB_CODE_ALIGNS));
}

static TlbEntry *fill(Vcpu *cpu, Space *s, uint64_t page, const MmuResult *walk)
{
    TcgContext *t = cpu->tcg;
    bool whole;
    MemRegion *r = memory_find_page(t->machine->memory, walk->phys, &whole);
    uint32_t attrs = walk->attrs | (whole && !r->io_reads ? 0 : TLB_MMIO);
    TlbEntry *e = tlb_insert(t, s, page);

    attrs |= watchpoint_on_page(t, page) ? TLB_WATCH : 0;
    *e = (TlbEntry){ .read_tag = page, .write_tag = page | TLB_SLOW,
                     .phys_attrs = walk->phys | attrs };
    if (!(attrs & TLB_MMIO)) {
        e->addend = (uintptr_t)r->host + (walk->phys - r->base) - page;
    }
    if (!(attrs & TLB_READ) || !goes_direct(attrs)) {
        e->read_tag |= TLB_SLOW;
    }
    t->stats.walks++;
    tables_note(t, s, page, walk);
    return e;
}

/*
 * Translate one page's part of a data access. False: the walk faulted, *fault says how.
 */
static bool data_translate(Vcpu *cpu, Space *s, uint64_t vaddr, bool write, Target *t,
                           uint32_t *fault)
{
    uint64_t page = vaddr & PAGE_MASK;
    TlbEntry *e = tlb_find(cpu->tcg, s, page);
    MmuResult walk;

    if (!e || !(e->phys_attrs & (write ? TLB_WRITE : TLB_READ))) {
        walk.num_steps = 0;
        if (!cpu->ops->mmu_translate(cpu, &s->regime, vaddr, write ? MMU_WRITE : MMU_READ,
                                     &walk)) {
            *fault = walk.fault;
            return false;
        }
        assert(!e);
        e = fill(cpu, s, page, &walk);
    }
    t->space = s;
    t->page = page;
    t->phys = (e->phys_attrs & PAGE_MASK) | (vaddr & ~PAGE_MASK);
    t->attrs = e->phys_attrs & ~PAGE_MASK;
    t->region = memory_find(cpu->machine->memory, t->phys);
    t->host = t->attrs & TLB_MMIO ? NULL : (uint8_t *)(uintptr_t)(e->addend + vaddr);
    return true;
}

/* Whether the memory map makes the access. Without a host address it finds memory, too. */
static bool goes_to_device(const Target *t, bool write)
{
    return !t->host || (write && t->region->ops);
}

/* A store to RAM is about to be made: let the next ones go direct, when they may. */
static void target_written(Vcpu *cpu, const Target *t, size_t length)
{
    MemoryMap *memory = cpu->machine->memory;
    TlbEntry *e;

    memory_mark_written(memory, t->region, t->phys, length);
    if (!(t->region->page_flags[(t->phys - t->region->base) >> PAGE_BITS] & PAGE_HOOKED) &&
        goes_direct(t->attrs) &&
        !memory_is_watched(memory, t->region, t->phys & PAGE_MASK, PAGE_SIZE)) {
        /* The store may be to the very table that maps its page. */
        e = tlb_find(cpu->tcg, t->space, t->page);
        if (e) {
            tlb_allow_writes(cpu->tcg, t->space, e, t->region, t->phys);
        }
    }
}

/* ---- forgetting and filling at random (TcgConfig.tlb_chaos) ---- */

static uint64_t chaos_next(TcgContext *t)
{
    t->chaos ^= t->chaos << 13;
    t->chaos ^= t->chaos >> 7;
    t->chaos ^= t->chaos << 17;
    return t->chaos;
}

static void prefetch(Vcpu *cpu, Space *s, uint64_t page)
{
    MmuResult walk = { 0 };

    if (!tlb_find(cpu->tcg, s, page) &&
        cpu->ops->mmu_translate(cpu, &s->regime, page, MMU_READ, &walk)) {
        fill(cpu, s, page, &walk);
    }
}

/*
 * True when the page that code runs from may be gone: execution must leave behind the
 * instruction, as a store to that page's descriptor would not find it any more.
 */
static bool chaos(Vcpu *cpu, Space *s, uint64_t vaddr)
{
    TcgContext *t = cpu->tcg;
    uint64_t r = chaos_next(t), page = (vaddr & PAGE_MASK) + (r >> 16 & 7) * PAGE_SIZE;

    t->dropped_code = false;
    switch (r & 1023) {
    case 0:
        tlb_flush(t);
        break;
    case 1 ... 8:
        tlb_drop(t, s, page & ~0x1fffffull, 0x200000);
        break;
    case 9 ... 40:
        tlb_drop(t, s, page, PAGE_SIZE);
        break;
    case 41 ... 100:
        prefetch(cpu, s, cpu->ops->clean_address(cpu, page, false));
        break;
    default:
        break;
    }
    return t->dropped_code;
}

/* ---- accesses of generated code ---- */

static uint64_t probe(Vcpu *cpu, uint64_t raw, unsigned bytes, unsigned memflags, bool write)
{
    uint64_t vaddr = cpu->ops->clean_address(cpu, raw, memflags & MEM_UNPRIV);
    Space *s = access_space(cpu, memflags);
    uint32_t fault;
    Target t;

    /* Nobody knows yet whether a store-exclusive stores: if not, the page stays clean. */
    if ((write && (memflags & MEM_EXCL)) || (vaddr & ~PAGE_MASK) + bytes > PAGE_SIZE ||
        ((memflags & MEM_ALIGNED) && (vaddr & (bytes - 1))) ||
        !data_translate(cpu, s, vaddr, write, &t, &fault) ||
        ((t.attrs & TLB_DEVICE) && (vaddr & (bytes - 1))) ||
        ((t.attrs & TLB_WATCH) &&
         ((t.attrs & TLB_MMIO) || watchpoint_find(cpu->tcg, vaddr, bytes, write)))) {
        return PROBE_BAIL;
    }
    if (goes_to_device(&t, write)) {
        cpu->tcg->io_phys = t.phys;
        return memflags & MEM_EXCL ? PROBE_BAIL : PROBE_MMIO;
    }
    if (write) {
        if (t.region->readonly ||
            (t.region->page_flags[(t.phys - t.region->base) >> PAGE_BITS] & PAGE_CODE) ||
            memory_is_watched(cpu->machine->memory, t.region, t.phys, bytes)) {
            return PROBE_BAIL;
        }
        cpu->tcg->dropped_code = false;
        target_written(cpu, &t, bytes);
        /* The code that stores may itself be mapped otherwise now. */
        if (cpu->tcg->dropped_code) {
            return PROBE_BAIL;
        }
    }
    return (uintptr_t)t.host - raw;
}

uint64_t mmu_probe(Vcpu *cpu, uint64_t raw, unsigned bytes, unsigned memflags, bool write)
{
    if (UNLIKELY(cpu->tcg->chaos) &&
        chaos(cpu, access_space(cpu, memflags),
              cpu->ops->clean_address(cpu, raw, memflags & MEM_UNPRIV))) {
        return PROBE_BAIL;
    }
    return probe(cpu, raw, bytes, memflags, write);
}

/* Whether mmu_cross() may make its part of an access on this page. */
static bool is_plain(Vcpu *cpu, const Target *t, bool write)
{
    return !(t->attrs & (TLB_DEVICE | TLB_WATCH)) && !goes_to_device(t, write) &&
           !(write &&
             (t->region->readonly ||
              (t->region->page_flags[(t->phys - t->region->base) >> PAGE_BITS] & PAGE_CODE) ||
              memory_is_watched(cpu->machine->memory, t->region, t->phys & PAGE_MASK, PAGE_SIZE)));
}

bool mmu_cross(Vcpu *cpu, uint64_t raw, void *data, unsigned bytes, unsigned memflags, bool write)
{
    uint64_t vaddr = cpu->ops->clean_address(cpu, raw, memflags & MEM_UNPRIV);
    unsigned first = PAGE_SIZE - (vaddr & ~PAGE_MASK);
    Space *s = access_space(cpu, memflags);
    uint32_t fault;
    Target t[2];

    if (UNLIKELY(cpu->tcg->chaos) && chaos(cpu, s, vaddr)) {
        return false;
    }
    if ((memflags & MEM_ALIGNED) || !data_translate(cpu, s, vaddr, write, &t[0], &fault) ||
        !data_translate(cpu, s, vaddr + first, write, &t[1], &fault) ||
        !is_plain(cpu, &t[0], write) || !is_plain(cpu, &t[1], write)) {
        return false;
    }
    if (!write) {
        memcpy(data, t[0].host, first);
        memcpy((uint8_t *)data + first, t[1].host, bytes - first);
        return true;
    }
    cpu->tcg->dropped_code = false;
    target_written(cpu, &t[0], first);
    target_written(cpu, &t[1], bytes - first);
    if (cpu->tcg->dropped_code) {
        return false;
    }
    memcpy(t[0].host, data, first);
    memcpy(t[1].host, (const uint8_t *)data + first, bytes - first);
    return true;
}

bool vcpu_can_read(Vcpu *cpu, uint64_t vaddr)
{
    uint64_t addend = probe(cpu, vaddr, 1, 0, false);

    return addend != PROBE_BAIL && addend != PROBE_MMIO;
}

/* A device has been accessed: if it wants something, execution ends behind this instruction. */
static void leave_for_device(Vcpu *cpu)
{
    if (machine_has_request(cpu->machine) || clock_deadline_moved(cpu->machine->clock)) {
        cpu->exit_request = 1;
    }
}

/* An instruction of several accesses is the interpreter's: it could not tell which were made. */
static bool one_access(const IrUnit *insn)
{
    unsigned count = 0;

    for (unsigned n = 0; n < insn->num_insns; n++) {
        switch (insn->insns[n].op) {
        case IR_ld: case IR_st: case IR_ld2: case IR_st2:
        case IR_ld_vec: case IR_st_vec: case IR_stx:
            count++;
            break;
        default:
            break;
        }
    }
    return count == 1;
}

bool mmu_io(Vcpu *cpu, unsigned bytes, bool write)
{
    TcgContext *t = cpu->tcg;
    MemoryMap *memory = cpu->machine->memory;
    /* Before the access: a device may write to the page of the code, or to its tables. */
    const ItlbEntry *itlb = mmu_fetch(cpu, cpu->pc);
    const IrUnit *insn = unit_single(t, cpu, itlb_code(itlb, cpu->pc));

    if (!one_access(insn)) {
        return false;
    }
    /* Nobody there: the interpreter finds the same, and raises the abort. */
    if (!(write ? memory_io_write(memory, t->io_phys, bytes, t->io_value)
                : memory_io_read(memory, t->io_phys, bytes, &t->io_value))) {
        return false;
    }
    leave_for_device(cpu);
    t->io_insn = cpu->exit_request ? insn : NULL;
    return !cpu->exit_request;
}

/* ---- whole accesses; faults report the address as the guest gave it, tag included ---- */

static bool access_mmio(Vcpu *cpu, const Target *t, uint8_t *data, unsigned bytes,
                        unsigned count, bool write)
{
    unsigned step = MIN(bytes, 8u);

    for (unsigned done = 0; done < bytes * count; done += step) {
        uint64_t value = 0;
        bool ok;

        if (write) {
            memcpy(&value, data + done, step);
            ok = memory_io_write(cpu->machine->memory, t->phys + done, step, value);
        } else {
            ok = memory_io_read(cpu->machine->memory, t->phys + done, step, &value);
            memcpy(data + done, &value, step);
        }
        if (!ok) {
            cpu->ops->raise_external(cpu, t->raw + done, write ? MMU_WRITE : MMU_READ);
            return false;
        }
        leave_for_device(cpu);
    }
    return true;
}

static bool access_part(Vcpu *cpu, const Target *t, uint8_t *data, unsigned bytes,
                        unsigned count, bool write)
{
    unsigned length = bytes * count;

    if (goes_to_device(t, write)) {
        return access_mmio(cpu, t, data, bytes, count, write);
    }
    if (!write) {
        memcpy(data, t->host, length);
    } else if (!t->region->readonly) {
        target_written(cpu, t, length);
        memcpy(t->host, data, length);
    } else {
        log_mask(LOG_GUEST_ERROR, "store to read-only memory at 0x%" PRIx64 "\n", t->phys);
    }
    return true;
}

/* Whether the access has to wait for the debugger's user. */
static bool watch_stops(Vcpu *cpu, uint32_t attrs, uint64_t vaddr, unsigned length,
                        unsigned memflags, bool write)
{
    return UNLIKELY(attrs & TLB_WATCH) && !(memflags & MEM_UNWATCHED) &&
           watchpoint_stops(cpu, vaddr, length, write);
}

bool mmu_access(Vcpu *cpu, uint64_t raw, void *data, unsigned bytes, unsigned count,
                unsigned memflags, bool write)
{
    bool unpriv = memflags & MEM_UNPRIV;
    uint64_t vaddr = cpu->ops->clean_address(cpu, raw, unpriv);
    MmuAccess access = write ? MMU_WRITE : MMU_READ;
    unsigned length = bytes * count, unit = MIN(bytes, 8u), first;
    Space *s = access_space(cpu, memflags);
    uint32_t fault = 0;
    Target t[2];

    if (cpu->tcg->io_insn) {
        if (!write) {
            memcpy(data, &cpu->tcg->io_value, length);
        }
        return true;
    }
    if (UNLIKELY(cpu->tcg->chaos) && chaos(cpu, s, vaddr)) {
        cpu->exit_request = 1;
    }
    if ((memflags & MEM_ALIGNED) && (vaddr & (length - 1))) {
        cpu->ops->raise_alignment(cpu, raw, access);
        return false;
    }
    if (!data_translate(cpu, s, vaddr, write, &t[0], &fault)) {
        cpu->ops->raise_abort(cpu, raw, access, fault, unpriv);
        return false;
    }
    if ((t[0].attrs & TLB_DEVICE) && (vaddr & (unit - 1))) {
        cpu->ops->raise_alignment(cpu, raw, access);
        return false;
    }
    t[0].raw = raw;
    first = PAGE_SIZE - (vaddr & ~PAGE_MASK);
    if (first >= length) {
        return !watch_stops(cpu, t[0].attrs, vaddr, length, memflags, write) &&
               access_part(cpu, &t[0], data, bytes, count, write);
    }
    if (!data_translate(cpu, s, vaddr + first, write, &t[1], &fault)) {
        cpu->ops->raise_abort(cpu, raw + first, access, fault, unpriv);
        return false;
    }
    t[1].raw = raw + first;
    if (goes_to_device(&t[0], write)) {
        t[1].host = NULL;
    }
    /* Bytes: an access that crosses pages is not single-copy atomic. Aligned parts are. */
    if (vaddr & (unit - 1)) {
        if (t[1].attrs & TLB_DEVICE) {
            cpu->ops->raise_alignment(cpu, raw + first, access);
            return false;
        }
        unit = 1;
    }
    return !watch_stops(cpu, t[0].attrs | t[1].attrs, vaddr, length, memflags, write) &&
           access_part(cpu, &t[0], data, unit, first / unit, write) &&
           access_part(cpu, &t[1], (uint8_t *)data + first, unit,
                       (length - first) / unit, write);
}

/* ---- instruction side ---- */

static const ItlbEntry *fetch_miss(Vcpu *cpu, uint64_t pc, uint64_t page)
{
    Space *s = cpu->space;
    MmuResult walk = { 0 };
    MemRegion *r;
    ItlbEntry *e;
    bool whole;

    if (!cpu->ops->mmu_translate(cpu, &s->regime, pc, MMU_FETCH, &walk)) {
        cpu->ops->raise_abort(cpu, pc, MMU_FETCH, walk.fault, false);
        return NULL;
    }
    /* Code is fetched from memory even where devices cover parts of its page. */
    r = memory_find_page(cpu->machine->memory, walk.phys, &whole);
    if (!r) {
        cpu->ops->raise_external(cpu, pc, MMU_FETCH);
        return NULL;
    }
    e = itlb_insert(s, page);
    e->phys = walk.phys;
    e->host = r->host + (walk.phys - r->base);
    e->region = r;
    cpu->tcg->stats.walks++;
    tables_note(cpu->tcg, s, page, &walk);
    return e;
}

const ItlbEntry *mmu_fetch(Vcpu *cpu, uint64_t pc)
{
    uint64_t page = pc & PAGE_MASK;
    ItlbEntry *e;

    if (UNLIKELY(pc & cpu->pc_align_mask)) {
        cpu->ops->raise_alignment(cpu, pc, MMU_FETCH);
        return NULL;
    }
    if (UNLIKELY(cpu->tcg->chaos)) {
        chaos(cpu, cpu->space, pc);
    }
    e = itlb_find(cpu->space, page);
    return LIKELY(e) ? e : fetch_miss(cpu, pc, page);
}

/* ---- observers ---- */

bool vcpu_translate(Vcpu *cpu, uint64_t vaddr, uint64_t *phys)
{
    uint64_t clean = cpu->ops->clean_address(cpu, vaddr, false);
    MmuResult res = { 0 };
    Regime regime;

    cpu->ops->regime(cpu, cpu->ops->current_regime(cpu), &regime);
    if (!cpu->ops->mmu_translate(cpu, &regime, clean, MMU_READ, &res)) {
        return false;
    }
    *phys = res.phys | (clean & ~PAGE_MASK);
    return true;
}

static bool observe(Vcpu *cpu, uint64_t vaddr, void *data, size_t length, bool write)
{
    uint8_t *bytes = data;

    while (length) {
        size_t part = MIN(length, PAGE_SIZE - (vaddr & ~PAGE_MASK));
        uint64_t phys;

        if (!vcpu_translate(cpu, vaddr, &phys)) {
            return false;
        }
        if (!(write ? memory_write(cpu->machine->memory, phys, bytes, part)
                    : machine_peek(cpu->machine, cpu->index, phys, bytes, part))) {
            return false;
        }
        vaddr += part;
        bytes += part;
        length -= part;
    }
    return true;
}

bool vcpu_peek(Vcpu *cpu, uint64_t vaddr, void *out, size_t length)
{
    return observe(cpu, vaddr, out, length, false);
}

bool vcpu_poke(Vcpu *cpu, uint64_t vaddr, const void *data, size_t length)
{
    return observe(cpu, vaddr, (void *)data, length, true);
}

bool vcpu_phys_read64(Vcpu *cpu, uint64_t phys, uint64_t *out)
{
    return memory_read(cpu->machine->memory, phys, out, sizeof(*out));
}

bool vcpu_phys_read32(Vcpu *cpu, uint64_t phys, uint32_t *out)
{
    return memory_read(cpu->machine->memory, phys, out, sizeof(*out));
}
