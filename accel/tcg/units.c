/*
 * The translation cache.
 *
 * 1. A unit stands on one guest page: an instruction that crosses into the next one is in no
 *    unit (see tcg.c). Its key is the physical address of its first instruction, the CPU mode
 *    and the state that the instruction begins with. Generated code serves every virtual
 *    address; IR for the interpreter knows only the one that it was made for, which then is
 *    part of the key.
 * 2. A page with units has PAGE_CODE, and then no soft TLB entry lets stores to it go direct:
 *    each store calls units_invalidate() first.
 * 3. A killed unit is in no table; jumps that still lead to it leave at once.
 * 4. Memory of units is reused only by a flush, which empties everything that
 *    points to units.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/units.h"
#include "accel/tcg/tlb.h"
#include "accel/tcg/opt/opt.h"
#include "util/log.h"
#include <capstone/capstone.h>
#include <sys/mman.h>
#include <unistd.h>

#define META_BLOCK (1u << 20)
#define DEFAULT_CACHE_BYTES (64u << 20)
#define DEFAULT_UNIT_INSNS 64
/* Room that compiling one unit can need at the most; less left: flush. On top of what was
 * asked for, so that a small cache is not flushed for each unit. */
#define UNIT_ROOM (1u << 20)
/* Stores beside the units of a page before the page's units are given up. */
#define PAGE_STORES_MAX 64
#define TAIL_ENTRIES 1024

typedef struct CodePage {
    uint64_t phys;
    MemRegion *region;
    Unit *units;
    unsigned stores;
} CodePage;

/* One-instruction units depend on address, mode, state and the instruction's bytes alone. */
typedef struct TailEntry {
    uint64_t pc;
    uint32_t mode;
    uint32_t state;
    uint8_t insn[VCPU_INSN_BYTES];   /* as many as it has, then zeros */
    IrUnit *ir;     /* NULL: empty */
} TailEntry;

/* ---- memory ---- */

void *tcg_meta_alloc(TcgContext *t, size_t size)
{
    uint8_t *block;

    size = (size + 15) & ~(size_t)15;
    assert(size <= META_BLOCK);
    if (t->meta->len == 0 || t->meta_used + size > META_BLOCK) {
        g_ptr_array_add(t->meta, g_malloc0(META_BLOCK));
        t->meta_used = 0;
    }
    block = g_ptr_array_index(t->meta, t->meta->len - 1);
    t->meta_used += size;
    return block + t->meta_used - size;
}

/* Two views of the same memory: nothing is ever writable and executable. */
static bool arena_map(TcgContext *t, Error **errp)
{
    size_t size = t->config.cache_bytes + UNIT_ROOM;
    void *rw, *rx;

    t->arena_fd = memfd_create("rearm-code", MFD_CLOEXEC);
    if (t->arena_fd < 0 || ftruncate(t->arena_fd, size) < 0) {
        error_setg_errno(errp, errno, "cannot create the translation cache of %zu bytes", size);
        return false;
    }
    rw = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, t->arena_fd, 0);
    rx = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, t->arena_fd, 0);
    if (rw == MAP_FAILED || rx == MAP_FAILED) {
        error_setg_errno(errp, errno, "cannot map the translation cache of %zu bytes", size);
        return false;
    }
    t->arena = (CodeArena){ .rw = rw, .rx = rx, .size = size };
    return true;
}

bool units_init(TcgContext *t, Error **errp)
{
    if (!t->config.cache_bytes) {
        t->config.cache_bytes = DEFAULT_CACHE_BYTES;
    }
    if (!t->config.unit_insns) {
        t->config.unit_insns = DEFAULT_UNIT_INSNS;
    }
    t->hash = g_new0(Unit *, UNIT_HASH_SIZE);
    t->pages = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    t->meta = g_ptr_array_new_with_free_func(g_free);
    t->break_units = g_ptr_array_new();
    t->ir = ir_unit_new();
    t->tails = g_new0(TailEntry, TAIL_ENTRIES);
    t->arena_fd = -1;
    if (!t->backend) {
        return true;
    }
    return arena_map(t, errp) && t->backend->init(t, &t->arena, errp);
}

static void tails_free(TcgContext *t)
{
    for (unsigned n = 0; n < TAIL_ENTRIES; n++) {
        if (t->tails[n].ir) {
            g_free(t->tails[n].ir->insns);
            g_free(t->tails[n].ir);
        }
    }
    g_free(t->tails);
}

void units_free(TcgContext *t)
{
    if (t->arena.rw) {
        munmap(t->arena.rw, t->arena.size);
        munmap((void *)t->arena.rx, t->arena.size);
    }
    if (t->arena_fd >= 0) {
        close(t->arena_fd);
    }
    g_free(t->hash);
    g_hash_table_destroy(t->pages);
    g_ptr_array_free(t->meta, true);
    g_ptr_array_free(t->break_units, true);
    ir_unit_free(t->ir);
    tails_free(t);
}

/* ---- tables ---- */

static unsigned unit_hash(uint64_t phys, uint32_t mode)
{
    uint64_t h = (phys >> 1 ^ (uint64_t)mode << 40) * 0x9e3779b97f4a7c15u;

    return h >> 40 & (UNIT_HASH_SIZE - 1);
}

static Unit *hash_lookup(TcgContext *t, const Vcpu *cpu, uint64_t phys)
{
    uint64_t pc = cpu->pc;
    uint32_t mode = cpu->mode, state = vcpu_insn_state(cpu);
    Unit *unit = t->hash[unit_hash(phys, mode)];
    bool for_break = breakpoint_on_page(t, pc);

    while (unit && (unit->phys != phys || unit->mode != mode || unit->state != state ||
                    unit->for_break != for_break ||
                    ((unit->ir || for_break) && unit->pc != pc))) {
        unit = unit->hash_next;
    }
    return unit;
}

static void hash_remove(TcgContext *t, Unit *unit)
{
    Unit **link = &t->hash[unit_hash(unit->phys, unit->mode)];

    while (*link != unit) {
        link = &(*link)->hash_next;
    }
    *link = unit->hash_next;
}

static uint8_t *page_flags(const CodePage *page)
{
    return &page->region->page_flags[(page->phys - page->region->base) >> PAGE_BITS];
}

/* The page gets its first unit: from now on stores must come to us. */
static CodePage *page_protect(TcgContext *t, MemRegion *region, uint64_t phys)
{
    CodePage *page = g_new0(CodePage, 1);

    page->phys = phys;
    page->region = region;
    g_hash_table_insert(t->pages, &page->phys, page);
    tlb_protect(t, region, phys);
    *page_flags(page) |= PAGE_CODE;
    return page;
}

static void unit_insert(TcgContext *t, MemRegion *region, Unit *unit)
{
    uint64_t phys = unit->phys & ~(uint64_t)(PAGE_SIZE - 1);
    CodePage *page = g_hash_table_lookup(t->pages, &phys);
    unsigned h = unit_hash(unit->phys, unit->mode);

    if (!page) {
        page = page_protect(t, region, phys);
    }
    unit->page_next = page->units;
    page->units = unit;
    unit->hash_next = t->hash[h];
    t->hash[h] = unit;
}

/* ---- killing ---- */

static void unit_kill(TcgContext *t, Unit *unit)
{
    hash_remove(t, unit);
    unit->dead = true;
    t->stats.invalidated++;
    if (t->backend) {
        for (ExitRec *e = unit->incoming; e; e = e->next) {
            t->backend->set_link(&t->arena, e, NULL);
        }
        unit->incoming = NULL;
        t->backend->kill(&t->arena, unit);
    }
}

static void page_check_empty(TcgContext *t, CodePage *page)
{
    if (!page->units) {
        *page_flags(page) &= ~PAGE_CODE;
        g_hash_table_remove(t->pages, &page->phys);
    }
}

static bool page_invalidate(TcgContext *t, CodePage *page, unsigned first, unsigned last)
{
    Unit **link = &page->units;
    bool killed = false, all = ++page->stores >= PAGE_STORES_MAX;

    while (*link) {
        Unit *unit = *link;

        if (all || (unit->page_first <= last && unit->page_last >= first)) {
            *link = unit->page_next;
            unit_kill(t, unit);
            killed = true;
        } else {
            link = &unit->page_next;
        }
    }
    page_check_empty(t, page);
    return killed;
}

void units_drop_breaks(TcgContext *t, uint64_t vpage)
{
    for (unsigned n = 0; n < t->break_units->len; ) {
        Unit *unit = g_ptr_array_index(t->break_units, n);

        if (!unit->dead && ((unit->pc ^ vpage) & ~(uint64_t)(PAGE_SIZE - 1)) == 0) {
            uint64_t phys = unit->phys & ~(uint64_t)(PAGE_SIZE - 1);
            CodePage *page = g_hash_table_lookup(t->pages, &phys);
            Unit **link = &page->units;

            while (*link != unit) {
                link = &(*link)->page_next;
            }
            *link = unit->page_next;
            unit_kill(t, unit);
            page_check_empty(t, page);
        }
        if (unit->dead) {
            g_ptr_array_remove_index_fast(t->break_units, n);
        } else {
            n++;
        }
    }
}

bool units_invalidate(TcgContext *t, hwaddr addr, size_t length)
{
    hwaddr end = addr + length;
    bool killed = false;

    while (addr < end) {
        uint64_t phys = addr & ~(uint64_t)(PAGE_SIZE - 1);
        hwaddr stop = MIN(end, phys + PAGE_SIZE);
        CodePage *page = g_hash_table_lookup(t->pages, &phys);

        if (page) {
            killed |= page_invalidate(t, page, addr - phys, stop - 1 - phys);
        }
        addr = stop;
    }
    return killed;
}

void units_drop_page(TcgContext *t, hwaddr addr)
{
    CodePage *page = g_hash_table_lookup(t->pages, &addr);

    while (page->units) {
        Unit *unit = page->units;

        page->units = unit->page_next;
        unit_kill(t, unit);
    }
    page_check_empty(t, page);
}

static void page_unprotect(gpointer key, gpointer value, gpointer opaque)
{
    *page_flags(value) &= ~PAGE_CODE;
}

void units_flush(TcgContext *t)
{
    g_hash_table_foreach(t->pages, page_unprotect, t);
    g_hash_table_remove_all(t->pages);
    memset(t->hash, 0, UNIT_HASH_SIZE * sizeof(*t->hash));
    jump_caches_clear(t);
    g_ptr_array_set_size(t->break_units, 0);
    g_ptr_array_set_size(t->meta, 0);
    t->meta_used = 0;
    t->stats.flushes++;
    if (t->backend) {
        Error *err = NULL;

        t->arena.used = 0;
        g_free(t->backend_data);
        t->backend_data = NULL;
        if (!t->backend->init(t, &t->arena, &err)) {
            assert(!"the stubs fitted before");
        }
    }
}

/* ---- translating ---- */

static void log_text(unsigned mask, const char *title, uint64_t pc, const IrUnit *u)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out;

    if (!log_enabled(mask) || !log_in_range(pc)) {
        return;
    }
    out = open_memstream(&text, &size);
    ir_print(u, out);
    fclose(out);
    log_mask(mask, "%s 0x%" PRIx64 "\n%s\n", title, pc, text);
    free(text);
}

static void log_guest_code(Vcpu *cpu, const IrUnit *u, const uint8_t *code)
{
    GString *text;

    if (!log_enabled(LOG_IN_ASM) || !log_in_range(u->pc) || !cpu->ops->disassemble) {
        return;
    }
    text = g_string_new(NULL);
    for (unsigned n = 0; n < u->num_insns; n++) {
        uint64_t pc = u->insns[n].imm;

        if (u->insns[n].op == IR_insn) {
            g_string_append_printf(text, "0x%08" PRIx64 ":  ", pc);
            cpu->ops->disassemble(cpu, pc, code + (pc - u->pc), u->insns[n].aux, text);
            g_string_append_c(text, '\n');
        }
    }
    log_mask(LOG_IN_ASM, "IN:\n%s\n", text->str);
    g_string_free(text, true);
}

static void log_host_code(const Unit *unit, size_t bytes)
{
    csh handle;
    cs_insn *insn;
    size_t count;

    if (!log_enabled(LOG_OUT_ASM) || !log_in_range(unit->pc) ||
        cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK) {
        return;
    }
    log_mask(LOG_OUT_ASM, "OUT: 0x%" PRIx64 " [%zu bytes]\n", unit->pc, bytes);
    count = cs_disasm(handle, unit->code, bytes, (uintptr_t)unit->code, 0, &insn);
    for (size_t n = 0; n < count; n++) {
        log_mask(LOG_OUT_ASM, "0x%08" PRIx64 ":  %s %s\n", insn[n].address, insn[n].mnemonic,
                 insn[n].op_str);
    }
    if (count) {
        cs_free(insn, count);
    }
    cs_close(&handle);
}

static void check_ir(const IrUnit *u)
{
#ifdef REARM_DEBUG
    unsigned index;
    const char *what = ir_verify(u, &index);

    if (what) {
        fprintf(stderr, "IR of 0x%" PRIx64 ", instruction %u: %s\n", u->pc, index, what);
        ir_print(u, stderr);
        abort();
    }
#endif
}

static void build_ir(TcgContext *t, Vcpu *cpu, const uint8_t *code, unsigned code_bytes,
                     unsigned max_insns)
{
    ir_unit_reset(t->ir, cpu->pc);
    t->ir->state = vcpu_insn_state(cpu);
    cpu->ops->translate(cpu, t->ir, cpu->pc, cpu->mode, code, code_bytes, max_insns);
    check_ir(t->ir);
}

static void build_unit(TcgContext *t, Vcpu *cpu, const ItlbEntry *itlb)
{
    build_ir(t, cpu, itlb_code(itlb, cpu->pc), PAGE_SIZE - (cpu->pc & ~PAGE_MASK),
             t->config.unit_insns);
}

static IrUnit *copy_ir(const IrUnit *u, void *head, void *insns)
{
    IrUnit *copy = head;

    *copy = (IrUnit){ .insns = insns, .num_insns = u->num_insns, .num_values = u->num_values,
                      .num_guest_insns = u->num_guest_insns, .pc = u->pc,
                      .state = u->state };
    memcpy(insns, u->insns, u->num_insns * sizeof(IrInsn));
    return copy;
}

/* The bytes of the page that the unit was made from. */
static void unit_extent(Unit *unit, const IrUnit *u)
{
    unit->page_first = PAGE_SIZE - 1;
    for (unsigned n = 0; n < u->num_insns; n++) {
        if (u->insns[n].op == IR_insn) {
            unsigned offset = u->insns[n].imm & (PAGE_SIZE - 1);

            unit->page_first = MIN(unit->page_first, offset);
            unit->page_last = MAX(unit->page_last, offset + u->insns[n].aux - 1);
            assert(unit->page_last < PAGE_SIZE);
        }
    }
}

/* The interpreter's units are IR in metadata, and count as much as generated code does. */
static bool cache_is_full(const TcgContext *t)
{
    if (t->backend) {
        return t->arena.size - t->arena.used < UNIT_ROOM;
    }
    return t->meta->len &&
           (t->meta->len - 1) * (size_t)META_BLOCK + t->meta_used > t->config.cache_bytes;
}

static Unit *unit_translate(TcgContext *t, Vcpu *cpu, const ItlbEntry *itlb)
{
    uint64_t pc = cpu->pc;
    Unit *unit;
    size_t before;

    if (cache_is_full(t)) {
        units_flush(t);
    }
    unit = tcg_meta_alloc(t, sizeof(*unit));
    build_unit(t, cpu, itlb);
    log_guest_code(cpu, t->ir, itlb_code(itlb, pc));
    log_text(LOG_OP, "OP:", pc, t->ir);
    unit->pc = pc;
    unit->phys = itlb->phys | (pc & (PAGE_SIZE - 1));
    unit->mode = cpu->mode;
    unit->state = t->ir->state;
    unit->num_insns = t->ir->num_guest_insns;
    unit->for_break = breakpoint_on_page(t, pc);
    unit_extent(unit, t->ir);
    if (t->config.no_opt) {
        ir_mark_flags(t->ir);
    } else if (!t->backend) {
        ir_optimize_for_interp(t->ir);
    } else {
        ir_optimize(t->ir);
    }
    check_ir(t->ir);
    log_text(LOG_OP_OPT, "OP after optimization:", pc, t->ir);
    t->stats.units++;
    t->stats.ir_insns += t->ir->num_insns;
    t->stats.guest_insns += unit->num_insns;
    if (t->backend) {
        before = t->arena.used;
        /* A unit with a breakpoint at its head must not loop back to it by itself. */
        if (!t->backend->compile(t, &t->arena, t->ir, unit,
                                 !t->config.no_link && !breakpoint_at(t, pc))) {
            assert(!"UNIT_ROOM is enough for every unit");
        }
        log_host_code(unit, t->arena.used - before);
    } else {
        unit->ir = copy_ir(t->ir, tcg_meta_alloc(t, sizeof(IrUnit)),
                           tcg_meta_alloc(t, t->ir->num_insns * sizeof(IrInsn)));
    }
    unit_insert(t, itlb->region, unit);
    if (unit->for_break) {
        g_ptr_array_add(t->break_units, unit);
    }
    return unit;
}

Unit *unit_find(TcgContext *t, Vcpu *cpu, const ItlbEntry *itlb)
{
    Unit *unit = hash_lookup(t, cpu, itlb->phys | (cpu->pc & ~PAGE_MASK));

    return unit ? unit : unit_translate(t, cpu, itlb);
}

void unit_link(TcgContext *t, ExitRec *exit, Unit *unit)
{
    t->backend->set_link(&t->arena, exit, unit->code);
    exit->next = unit->incoming;
    unit->incoming = exit;
}

const IrUnit *unit_tail(TcgContext *t, Vcpu *cpu, Unit *unit, const ItlbEntry *itlb)
{
    if (unit->tail && unit->tail->pc == cpu->pc) {
        return unit->tail;
    }
    build_unit(t, cpu, itlb);
    if (!unit->tail) {
        unit->tail = copy_ir(t->ir, tcg_meta_alloc(t, sizeof(IrUnit)),
                             tcg_meta_alloc(t, t->ir->num_insns * sizeof(IrInsn)));
    }
    /* Else the page is mapped at several addresses; the first one keeps its place. */
    return t->ir;
}

const IrUnit *unit_single(TcgContext *t, Vcpu *cpu, const uint8_t *code)
{
    uint64_t pc = cpu->pc;
    TailEntry *e = &t->tails[(pc >> 1) % TAIL_ENTRIES];
    unsigned bytes = cpu->ops->insn_bytes(cpu->mode, code);
    uint8_t insn[VCPU_INSN_BYTES] = { 0 };

    memcpy(insn, code, bytes);
    if (!e->ir || e->pc != pc || e->mode != cpu->mode ||
        e->state != vcpu_insn_state(cpu) || memcmp(e->insn, insn, sizeof(insn))) {
        build_ir(t, cpu, code, bytes, 1);
        if (e->ir) {
            g_free(e->ir->insns);
            g_free(e->ir);
        }
        e->ir = copy_ir(t->ir, g_new(IrUnit, 1), g_new(IrInsn, t->ir->num_insns));
        e->pc = pc;
        e->mode = cpu->mode;
        e->state = t->ir->state;
        memcpy(e->insn, insn, sizeof(insn));
    }
    return e->ir;
}
