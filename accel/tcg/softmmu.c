/*
 * The soft MMU.
 *
 * 1. Soft-TLB contents are a function of executed accesses and guest
 *    maintenance alone: fixed geometry, filled here and only on behalf of an access
 *    that the guest makes.
 * 2. Only readable, Normal RAM or ROM gets an entry; everything else is translated
 *    anew each time. read_tag identifies an entry.
 * 3. write_tag is set only while the page has PAGE_DIRTY and PAGE_EVER and not
 *    PAGE_CODE; who clears or sets these flags drops the write tags first. That is
 *    invisible to the guest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/tcg-internal.h"
#include "util/log.h"
#include <glib.h>

#define PAGE_MASK (~(uint64_t)(PAGE_SIZE - 1))

/* ---- spaces ---- */

static void space_clear_tlb(AddressSpace *s)
{
    if (s->empty) {
        return;
    }
    s->empty = true;
    memset(s->tlb, 0xff, sizeof(s->tlb));
    for (unsigned n = 0; n < ITLB_SIZE; n++) {
        s->itlb[n].vaddr = TLB_INVALID;
    }
    memset(s->jump_cache, 0xff, sizeof(s->jump_cache));
    for (unsigned half = 0; half < 2; half++) {
        s->large_base[half] = TLB_INVALID;
        s->large_mask[half] = UINT64_MAX;
    }
}

void mmu_init_spaces(Vcpu *cpu)
{
    cpu->spaces = g_new0(AddressSpace, VCPU_NUM_SPACES);
    for (unsigned n = 0; n < VCPU_NUM_SPACES; n++) {
        space_clear_tlb(&cpu->spaces[n]);
    }
    cpu->space = cpu->space_unpriv = NULL;
    vcpu_space_changed(cpu);
}

void mmu_free_spaces(Vcpu *cpu)
{
    g_free(cpu->spaces);
    cpu->spaces = NULL;
}

static bool space_is(const AddressSpace *s, SpaceKey key)
{
    return s->used && s->key.regime == key.regime && s->key.asid == key.asid;
}

static AddressSpace *space_find(Vcpu *cpu, SpaceKey key)
{
    AddressSpace *oldest = &cpu->spaces[0];

    for (unsigned n = 0; n < VCPU_NUM_SPACES; n++) {
        AddressSpace *s = &cpu->spaces[n];

        if (space_is(s, key)) {
            return s;
        }
        if (s->last_use < oldest->last_use) {
            oldest = s;
        }
    }
    space_clear_tlb(oldest);
    oldest->used = true;
    oldest->key = key;
    return oldest;
}

void vcpu_space_changed(Vcpu *cpu)
{
    SpaceKey key = cpu->ops->space(cpu, false);
    SpaceKey unpriv = cpu->ops->space(cpu, true);

    if (!cpu->space || !space_is(cpu->space, key)) {
        cpu->space = space_find(cpu, key);
    }
    cpu->space->last_use = ++cpu->space_clock;
    if (!cpu->space_unpriv || !space_is(cpu->space_unpriv, unpriv)) {
        cpu->space_unpriv = space_find(cpu, unpriv);
    }
    cpu->space_unpriv->last_use = ++cpu->space_clock;
    cpu->tlb = cpu->space->tlb;
    cpu->tlb_unpriv = cpu->space_unpriv->tlb;
    cpu->jump_cache = cpu->space->jump_cache;
    cpu->mode = cpu->ops->mode(cpu);
    if (cpu->space->jump_cache_mode != cpu->mode) {
        memset(cpu->space->jump_cache, 0xff, sizeof(cpu->space->jump_cache));
        cpu->space->jump_cache_mode = cpu->mode;
    }
}

/* ---- maintenance ---- */

/* A page's entries are contiguous. */
static void jump_cache_drop_page(AddressSpace *s, uint64_t vaddr)
{
    memset(&s->jump_cache[jump_cache_index(vaddr & PAGE_MASK)], 0xff,
           PAGE_SIZE / 4 * sizeof(JumpCacheEntry));
}

static void space_flush_page(AddressSpace *s, uint64_t page)
{
    TlbEntry *e = &s->tlb[tlb_index(page)];
    ItlbEntry *i = &s->itlb[(page >> PAGE_BITS) & (ITLB_SIZE - 1)];
    unsigned half = page >> 63;

    if ((page & s->large_mask[half]) == s->large_base[half]) {
        space_clear_tlb(s);
        return;
    }
    if (e->read_tag == page) {
        e->read_tag = e->write_tag = TLB_INVALID;
    }
    if (i->vaddr == page) {
        i->vaddr = TLB_INVALID;
        jump_cache_drop_page(s, page);
    }
}

void vcpu_tlb_flush_page(Vcpu *cpu, uint64_t vaddr)
{
    log_mask(LOG_MMU, "TLB: cpu %u flush page 0x%" PRIx64 "\n", cpu->index, vaddr & PAGE_MASK);
    for (unsigned n = 0; n < VCPU_NUM_SPACES; n++) {
        if (cpu->spaces[n].used) {
            space_flush_page(&cpu->spaces[n], vaddr & PAGE_MASK);
        }
    }
}

void vcpu_tlb_flush_asid(Vcpu *cpu, uint32_t asid)
{
    log_mask(LOG_MMU, "TLB: cpu %u flush ASID %u\n", cpu->index, asid);
    for (unsigned n = 0; n < VCPU_NUM_SPACES; n++) {
        if (cpu->spaces[n].used && cpu->spaces[n].key.asid == asid) {
            space_clear_tlb(&cpu->spaces[n]);
        }
    }
}

void vcpu_tlb_flush_all(Vcpu *cpu)
{
    log_mask(LOG_MMU, "TLB: cpu %u flush all\n", cpu->index);
    for (unsigned n = 0; n < VCPU_NUM_SPACES; n++) {
        if (cpu->spaces[n].used) {
            space_clear_tlb(&cpu->spaces[n]);
        }
    }
}

void mmu_drop_writes_page(Vcpu *cpu, uint64_t phys_page)
{
    for (unsigned n = 0; n < VCPU_NUM_SPACES; n++) {
        AddressSpace *s = &cpu->spaces[n];

        for (unsigned i = 0; s->used && i < TLB_SIZE; i++) {
            if ((s->tlb[i].phys_attrs & PAGE_MASK) == phys_page) {
                s->tlb[i].write_tag = TLB_INVALID;
            }
        }
    }
}

void mmu_drop_writes_all(Vcpu *cpu)
{
    for (unsigned n = 0; n < VCPU_NUM_SPACES; n++) {
        AddressSpace *s = &cpu->spaces[n];

        for (unsigned i = 0; s->used && i < TLB_SIZE; i++) {
            s->tlb[i].write_tag = TLB_INVALID;
        }
    }
}

void mmu_clear_jump_caches(Vcpu *cpu)
{
    for (unsigned n = 0; n < VCPU_NUM_SPACES; n++) {
        memset(cpu->spaces[n].jump_cache, 0xff, sizeof(cpu->spaces[n].jump_cache));
    }
}

/* ---- filling ---- */

/* Widen the half's range until it covers the block. */
static void space_note_large(AddressSpace *s, uint64_t vaddr, uint64_t size)
{
    unsigned half = vaddr >> 63;
    uint64_t mask = ~(size - 1);

    if (s->large_base[half] != TLB_INVALID) {
        mask &= s->large_mask[half];
        while ((s->large_base[half] ^ vaddr) & mask) {
            mask <<= 1;
        }
    }
    s->large_mask[half] = mask;
    s->large_base[half] = vaddr & mask;
}

/* Where an access goes after translation. */
typedef struct Target {
    MemRegion *region;   /* NULL: nothing there */
    uint64_t phys;       /* of the first byte */
    uint8_t *host;       /* of the first byte; NULL: MMIO or nothing */
    uint32_t attrs;
    TlbEntry *entry;     /* NULL: not cacheable */
    uint64_t raw;        /* the address as the guest gave it (whole accesses only) */
} Target;

static void target_resolve(Vcpu *cpu, uint64_t phys, uint32_t attrs, Target *t)
{
    t->phys = phys;
    t->attrs = attrs;
    t->region = memory_find(cpu->machine->memory, phys);
    t->host = t->region && t->region->host ? t->region->host + (phys - t->region->base) : NULL;
}

/* For data: a ROM device may want to answer itself. */
static void data_resolve(Vcpu *cpu, uint64_t phys, uint32_t attrs, Target *t)
{
    target_resolve(cpu, phys, attrs, t);
    if (t->host && UNLIKELY(t->region->io_reads)) {
        t->host = NULL;
    }
}

/*
 * Translate one page's part of a data access, filling the soft TLB. False: the
 * walk faulted, *fault says how.
 */
static bool data_translate(Vcpu *cpu, uint64_t vaddr, bool write, bool unpriv, Target *t,
                           uint32_t *fault)
{
    AddressSpace *s = unpriv ? cpu->space_unpriv : cpu->space;
    TlbEntry *e = &s->tlb[tlb_index(vaddr)];
    uint64_t page = vaddr & PAGE_MASK;
    MmuResult res;

    if (e->read_tag == page && (!write || (e->phys_attrs & TLB_WRITE))) {
        data_resolve(cpu, (e->phys_attrs & PAGE_MASK) | (vaddr & ~PAGE_MASK),
                     e->phys_attrs & ~PAGE_MASK, t);
        t->entry = e;
        return true;
    }
    if (!cpu->ops->mmu_translate(cpu, vaddr, write ? MMU_WRITE : MMU_READ, unpriv, &res)) {
        *fault = res.fault;
        return false;
    }
    data_resolve(cpu, res.phys | (vaddr & ~PAGE_MASK), res.attrs, t);
    t->entry = NULL;
    if (t->host && (res.attrs & TLB_READ) && !(res.attrs & TLB_DEVICE)) {
        *e = (TlbEntry){ .read_tag = page, .write_tag = TLB_INVALID,
                         .addend = (uintptr_t)t->host - vaddr,
                         .phys_attrs = res.phys | res.attrs };
        t->entry = e;
        s->empty = false;
        if (res.block_size > PAGE_SIZE) {
            space_note_large(s, page, res.block_size);
        }
    }
    return true;
}

/* The first store to a page: set its flags, then let stores go direct. */
static void target_written(Vcpu *cpu, const Target *t, uint64_t vaddr, size_t length)
{
    uint8_t *flags = &t->region->page_flags[(t->phys - t->region->base) >> PAGE_BITS];

    memory_mark_written(cpu->machine->memory, t->region, t->phys, length);
    if (t->entry && !(*flags & PAGE_CODE)) {
        *flags |= PAGE_WRITE_CACHED;
        t->entry->write_tag = vaddr & PAGE_MASK;
    }
}

uint64_t mmu_probe(Vcpu *cpu, uint64_t raw, unsigned bytes, unsigned memflags, bool write)
{
    bool unpriv = memflags & MEM_UNPRIV;
    uint64_t vaddr = cpu->ops->clean_address(cpu, raw, unpriv);
    uint32_t fault;
    Target t;
    uint8_t *flags;

    /* Nobody knows yet whether a store-exclusive stores: if not, the page stays clean. */
    if (write && (memflags & MEM_EXCL)) {
        return PROBE_BAIL;
    }
    if ((vaddr & ~PAGE_MASK) + bytes > PAGE_SIZE ||
        ((memflags & MEM_ALIGNED) && (vaddr & (bytes - 1))) ||
        !data_translate(cpu, vaddr, write, unpriv, &t, &fault) || !t.host ||
        ((t.attrs & TLB_DEVICE) && (vaddr & (bytes - 1)))) {
        return PROBE_BAIL;
    }
    if (write) {
        flags = &t.region->page_flags[(t.phys - t.region->base) >> PAGE_BITS];
        if (t.region->readonly || (*flags & PAGE_CODE)) {
            return PROBE_BAIL;
        }
        target_written(cpu, &t, vaddr, bytes);
    }
    return (uintptr_t)t.host - raw;
}

bool vcpu_can_read(Vcpu *cpu, uint64_t vaddr)
{
    return mmu_probe(cpu, vaddr, 1, 0, false) != PROBE_BAIL;
}

/* ---- whole accesses; faults report the address as the guest gave it, tag included ---- */

static bool access_mmio(Vcpu *cpu, const Target *t, uint8_t *data, unsigned bytes,
                        unsigned count, bool write)
{
    unsigned step = MIN(bytes, 8u);

    /* The device may have changed interrupts, deadlines or run state. */
    cpu->exit_request = 1;
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
    }
    return true;
}

static bool access_part(Vcpu *cpu, uint64_t vaddr, const Target *t, uint8_t *data,
                        unsigned bytes, unsigned count, bool write)
{
    unsigned length = bytes * count;

    if (!t->host || (write && t->region->ops)) {
        return access_mmio(cpu, t, data, bytes, count, write);
    }
    if (!write) {
        memcpy(data, t->host, length);
    } else if (!t->region->readonly) {
        target_written(cpu, t, vaddr, length);
        memcpy(t->host, data, length);
    } else {
        log_mask(LOG_GUEST_ERROR, "store to read-only memory at 0x%" PRIx64 "\n", t->phys);
    }
    return true;
}

bool mmu_access(Vcpu *cpu, uint64_t raw, void *data, unsigned bytes, unsigned count,
                unsigned memflags, bool write)
{
    bool unpriv = memflags & MEM_UNPRIV;
    uint64_t vaddr = cpu->ops->clean_address(cpu, raw, unpriv);
    MmuAccess access = write ? MMU_WRITE : MMU_READ;
    unsigned length = bytes * count, unit = MIN(bytes, 8u), first;
    uint64_t second_page;
    uint32_t fault = 0;
    Target t[2];

    if ((memflags & MEM_ALIGNED) && (vaddr & (length - 1))) {
        cpu->ops->raise_alignment(cpu, raw, access);
        return false;
    }
    if (!data_translate(cpu, vaddr, write, unpriv, &t[0], &fault)) {
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
        return access_part(cpu, vaddr, &t[0], data, bytes, count, write);
    }
    second_page = vaddr + first;
    if (!data_translate(cpu, second_page, write, unpriv, &t[1], &fault)) {
        cpu->ops->raise_abort(cpu, raw + first, access, fault, unpriv);
        return false;
    }
    t[1].raw = raw + first;
    /* Bytes: an access that crosses pages is not single-copy atomic. Aligned parts are. */
    if (vaddr & (unit - 1)) {
        if (t[1].attrs & TLB_DEVICE) {
            cpu->ops->raise_alignment(cpu, raw + first, access);
            return false;
        }
        unit = 1;
    }
    return access_part(cpu, vaddr, &t[0], data, unit, first / unit, write) &&
           access_part(cpu, second_page, &t[1], (uint8_t *)data + first, unit,
                       (length - first) / unit, write);
}

/* ---- instruction side ---- */

const ItlbEntry *mmu_fetch(Vcpu *cpu, uint64_t pc)
{
    uint64_t page = pc & PAGE_MASK;
    ItlbEntry *e = &cpu->space->itlb[(pc >> PAGE_BITS) & (ITLB_SIZE - 1)];
    MmuResult res;
    Target t;

    if (UNLIKELY(pc & cpu->ops->pc_align_mask)) {
        cpu->ops->raise_alignment(cpu, pc, MMU_FETCH);
        return NULL;
    }
    if (LIKELY(e->vaddr == page)) {
        return e;
    }
    if (!cpu->ops->mmu_translate(cpu, pc, MMU_FETCH, false, &res)) {
        cpu->ops->raise_abort(cpu, pc, MMU_FETCH, res.fault, false);
        return NULL;
    }
    target_resolve(cpu, res.phys, res.attrs, &t);
    if (!t.host) {
        cpu->ops->raise_external(cpu, pc, MMU_FETCH);
        return NULL;
    }
    cpu->space->empty = false;
    if (e->vaddr != TLB_INVALID) {
        jump_cache_drop_page(cpu->space, e->vaddr);
    }
    *e = (ItlbEntry){ .vaddr = page, .phys = res.phys, .host = t.host, .region = t.region };
    if (res.block_size > PAGE_SIZE) {
        space_note_large(cpu->space, page, res.block_size);
    }
    return e;
}

/* ---- observers ---- */

static bool observe(Vcpu *cpu, uint64_t vaddr, void *data, size_t length, bool write)
{
    uint8_t *bytes = data;

    while (length) {
        size_t part = MIN(length, PAGE_SIZE - (vaddr & ~PAGE_MASK));
        uint64_t clean = cpu->ops->clean_address(cpu, vaddr, false);
        MmuResult res;
        uint64_t phys;

        if (!cpu->ops->mmu_translate(cpu, clean, MMU_READ, false, &res)) {
            return false;
        }
        phys = res.phys | (clean & ~PAGE_MASK);
        if (!(write ? memory_write(cpu->machine->memory, phys, bytes, part)
                    : memory_peek(cpu->machine->memory, phys, bytes, part))) {
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

static bool phys_read(Vcpu *cpu, uint64_t phys, void *out, size_t length)
{
    MemRegion *r = memory_find(cpu->machine->memory, phys);

    if (!r || !r->host || phys - r->base + length > r->size) {
        return false;
    }
    memcpy(out, r->host + (phys - r->base), length);
    return true;
}

bool vcpu_phys_read64(Vcpu *cpu, uint64_t phys, uint64_t *out)
{
    return phys_read(cpu, phys, out, sizeof(*out));
}

bool vcpu_phys_read32(Vcpu *cpu, uint64_t phys, uint32_t *out)
{
    return phys_read(cpu, phys, out, sizeof(*out));
}
