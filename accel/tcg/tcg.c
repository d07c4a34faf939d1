/*
 * Running one vCPU for a slice.
 *
 * The result never depends on how the work is cut into units: generated code and
 * interpreter agree instruction by instruction, and whatever generated code cannot
 * do exactly (MMIO, faults, a tail shorter than the unit) the interpreter does.
 *
 * An instruction that crosses into the next page is the interpreter's as well. It is fetched anew
 * each time, through both pages' entries of the instruction TLB, so what happens to the bytes, the
 * mapping or the rights of either page needs no record: no unit, link or jump-cache entry holds it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/tlb.h"
#include "accel/tcg/units.h"
#include "util/log.h"

#if !defined(__x86_64__)
const TcgBackend *const tcg_native_backend = NULL;
#endif

/* Whoever runs what is dropped here must leave before the next instruction. */
static void leave_all(TcgContext *t)
{
    for (unsigned n = 0; n < t->cpus->len; n++) {
        ((Vcpu *)g_ptr_array_index(t->cpus, n))->exit_request = 1;
    }
}

/* A page with translations or descriptors is about to be written. */
static void page_written(void *opaque, MemRegion *region, hwaddr addr, size_t length)
{
    TcgContext *t = opaque;
    uint8_t flags = region->page_flags[(addr - region->base) >> PAGE_BITS];

    if (flags & PAGE_TABLE) {
        t->stats.table_stores++;
        t->dropped_code = false;
        tables_store(t, region, addr, length);
        if (t->dropped_code) {
            leave_all(t);
        }
    }
    if ((flags & PAGE_CODE) && units_invalidate(t, addr, length)) {
        leave_all(t);
    }
}

/* A page with translations, descriptors or an entry for stores loses its place. */
static void page_unmapped(void *opaque, MemRegion *region, hwaddr addr)
{
    TcgContext *t = opaque;
    uint8_t flags = region->page_flags[(addr - region->base) >> PAGE_BITS];

    tlb_protect(t, region, addr);
    if (flags & PAGE_TABLE) {
        tables_forget(t, region, addr);
    }
    if (flags & PAGE_CODE) {
        units_drop_page(t, addr);
    }
}

/* Entries cannot be found by physical address, so all of them are dropped. */
static void remapped(void *opaque)
{
    tcg_flush_tlb(opaque);
}

static const MemoryHooks hooks = { .written = page_written, .protect = tlb_protect,
                                   .unmapped = page_unmapped, .remapped = remapped };

TcgContext *tcg_new(Machine *m, const TcgConfig *config, Error **errp)
{
    TcgContext *t = g_new0(TcgContext, 1);

    t->machine = m;
    t->config = *config;
    t->backend = config->interp ? NULL : tcg_native_backend;
    t->cpus = g_ptr_array_new();
    t->chaos = config->tlb_chaos;
    tlb_init(t);
    tables_init(t);
    breakpoints_init(t);
    if (!units_init(t, errp)) {
        tcg_free(t);
        return NULL;
    }
    memory_set_hooks(m->memory, &hooks, t);
    return t;
}

void tcg_free(TcgContext *t)
{
    if (!t) {
        return;
    }
    memory_set_hooks(t->machine->memory, NULL, NULL);
    units_free(t);
    tlb_free(t);
    tables_free(t);
    g_free(t->backend_data);
    g_ptr_array_free(t->cpus, true);
    breakpoints_free(t);
    g_free(t);
}

void tcg_add_vcpu(TcgContext *t, Vcpu *cpu)
{
    cpu->tcg = t;
    g_ptr_array_add(t->cpus, cpu);
    vcpu_regime_changed(cpu);
}

void vcpu_set_irq_pending(Vcpu *cpu, bool pending)
{
    cpu->irq_pending = pending;
    cpu->exit_request |= pending;
    if (pending && cpu->halted) {
        vcpu_woken(cpu);
    }
}

/* Whoever runs leaves after this instruction: the order of turns may be another now. */
void vcpu_woken(Vcpu *cpu)
{
    Machine *m = cpu->machine;

    if (cpu->tcg && m->num_cpus > 1) {
        cpu->tcg->woken = true;
        m->cpus[m->current_cpu]->exit_request = 1;
    }
}

void vcpu_yield(Vcpu *cpu)
{
    cpu->yielded = cpu->machine->num_cpus > 1;
    cpu->exit_request = 1;
}

bool tcg_woken(const TcgContext *t)
{
    return t->woken;
}

bool tcg_take_woken(TcgContext *t)
{
    bool woken = t->woken;

    t->woken = false;
    return woken;
}

void tcg_set_woken(TcgContext *t, bool woken)
{
    t->woken = woken;
}

void tcg_flush_tlb(TcgContext *t)
{
    t->stats.tlb_flushes++;
    tlb_flush(t);
    leave_all(t);
}

void tcg_flush(TcgContext *t)
{
    units_flush(t);
}

void tcg_set_one_insn(TcgContext *t, bool on)
{
    if (!t->configured_insns) {
        t->configured_insns = t->config.unit_insns;
    }
    t->config.unit_insns = on ? 1 : t->configured_insns;
    units_flush(t);
}

/* ---- running ---- */

static void run_single(TcgContext *t, Vcpu *cpu, const ItlbEntry *itlb)
{
    interp_run(cpu, unit_single(t, cpu, itlb_code(itlb, cpu->pc)), 1);
}

static bool crosses_page(Vcpu *cpu, const ItlbEntry *itlb)
{
    unsigned rest = PAGE_SIZE - (cpu->pc & ~PAGE_MASK);

    return UNLIKELY(rest < VCPU_INSN_BYTES) &&
           cpu->ops->insn_bytes(cpu->mode, itlb_code(itlb, cpu->pc)) > rest;
}

/* An abort is that of the second page's first byte, taken from this instruction. */
static void run_crossing(TcgContext *t, Vcpu *cpu, const ItlbEntry *itlb)
{
    unsigned rest = PAGE_SIZE - (cpu->pc & ~PAGE_MASK);
    uint8_t code[VCPU_INSN_BYTES];
    const ItlbEntry *next;

    /* The next page's entry may take the place of this one. */
    memcpy(code, itlb_code(itlb, cpu->pc), rest);
    next = mmu_fetch(cpu, cpu->pc + rest);
    if (!next) {
        cpu->left--;
        return;
    }
    memcpy(code + rest, next->host, sizeof(code) - rest);
    interp_run(cpu, unit_single(t, cpu, code), 1);
}

/* Interpret one instruction where generated code gave up. */
static void run_bailed(TcgContext *t, Vcpu *cpu)
{
    const ItlbEntry *itlb;

    t->stats.bails++;
    /*
     * A request to leave is served behind the instruction. It may come from the probe of the
     * instruction itself, which dropped the page that the code runs from: if it were served
     * here, the instruction would begin anew for ever.
     */
    cpu->exit_request = 0;
    if (t->io_insn) {
        interp_run(cpu, t->io_insn, 1);
        t->io_insn = NULL;
        return;
    }
    itlb = mmu_fetch(cpu, cpu->pc);
    /* The page was just executed from, and nothing has changed since. */
    assert(itlb);
    run_single(t, cpu, itlb);
}

/*
 * Enter generated code at unit; follows exits to other units until one asks for
 * the loop.
 */
static void run_code(TcgContext *t, Vcpu *cpu, Unit *unit)
{
    uint64_t result;

    cpu->insn_word = 0;
    result = t->backend->enter(cpu, unit->code);
    if ((result & EXIT_KIND_MASK) == EXIT_KIND_BAIL) {
        run_bailed(t, cpu);
    }
    cpu->last_exit = result;
    cpu->last_exit_flush = t->stats.flushes;
}

/* The exit that led here may be linked to unit, or the jump cache may learn it. */
static void connect(TcgContext *t, Vcpu *cpu, uint64_t exit, Unit *unit)
{
    if (t->config.no_link || cpu->last_exit_flush != t->stats.flushes ||
        breakpoint_at(t, cpu->pc)) {
        return;
    }
    if ((exit & EXIT_KIND_MASK) == EXIT_KIND_LINK) {
        ExitRec *rec = (ExitRec *)(uintptr_t)(exit & ~(uint64_t)EXIT_KIND_MASK);

        /* Both on the page that was left: the offsets tell whether it is the target. */
        if (((rec->pc ^ unit->phys) & (PAGE_SIZE - 1)) == 0) {
            unit_link(t, rec, unit);
        }
    } else if ((exit & EXIT_KIND_MASK) == EXIT_KIND_LOOKUP && !unit->state) {
        jump_cache_insert(cpu, cpu->pc, unit->code);
    }
}

/*
 * A branch to a tagged address (top-byte ignore) arrives here, because the jump cache
 * holds clean addresses only.
 */
static void clean_pc(Vcpu *cpu)
{
    int64_t top = (int64_t)cpu->pc >> 55;

    if (UNLIKELY(top != 0 && top != -1)) {
        cpu->pc = cpu->ops->clean_address(cpu, cpu->pc, false);
    }
}

static void run_unit(TcgContext *t, Vcpu *cpu)
{
    const ItlbEntry *itlb;
    uint64_t exit = cpu->last_exit;
    Unit *unit;

    cpu->last_exit = EXIT_KIND_MAIN;
    clean_pc(cpu);
    itlb = mmu_fetch(cpu, cpu->pc);
    if (!itlb) {
        cpu->left--;
        return;
    }
    if (crosses_page(cpu, itlb)) {
        run_crossing(t, cpu, itlb);
        return;
    }
    if (cpu->left == 1 || cpu->skip_watch) {
        run_single(t, cpu, itlb);
        return;
    }
    unit = unit_find(t, cpu, itlb);
    if (log_enabled(LOG_EXEC) && log_in_range(cpu->pc)) {
        log_mask(LOG_EXEC, "EXEC: cpu %u pc 0x%" PRIx64 " insns %u left %" PRId64 "\n",
                 cpu->index, cpu->pc, unit->num_insns, cpu->left);
    }
    if (!t->backend) {
        interp_run(cpu, unit->ir, MIN(unit->num_insns, cpu->left));
    } else if (unit->num_insns > cpu->left) {
        t->stats.tails++;
        interp_run(cpu, unit_tail(t, cpu, unit, itlb), cpu->left);
    } else {
        connect(t, cpu, exit, unit);
        run_code(t, cpu, unit);
    }
}

TcgStop tcg_run(TcgContext *t, Vcpu *cpu)
{
    cpu->last_exit = EXIT_KIND_MAIN;
    tlb_enter(cpu);
    cpu->yielded = false;
    cpu->watch_hit = (WatchHit){ 0 };
    for (;;) {
        cpu->exit_request = 0;
        cpu->insn_word = vcpu_insn_state(cpu);
        if (cpu->watch_hit.kind) {
            cpu->skip_watch = cpu->watch_hit.before;
            return TCG_STOP_WATCH;
        }
        if (cpu->yielded) {
            return TCG_STOP_YIELD;
        }
        if (machine_has_request(t->machine) || t->woken ||
            clock_deadline_moved(t->machine->clock)) {
            return TCG_STOP_REQUEST;
        }
        if (cpu->halted || cpu->powered_off) {
            return TCG_STOP_HALTED;
        }
        if (cpu->left <= 0) {
            return TCG_STOP_BUDGET;
        }
        if (cpu->irq_pending && cpu->ops->take_interrupt(cpu)) {
            /* A step of its own: what else happens at this address has its own position. */
            cpu->left--;
            cpu->last_exit = EXIT_KIND_MAIN;
            cpu->skip_breakpoint = cpu->skip_watch = false;
            continue;
        }
        if (breakpoint_at(t, cpu->pc) && !cpu->skip_breakpoint) {
            return TCG_STOP_DEBUG;
        }
        run_unit(t, cpu);
        cpu->skip_breakpoint = cpu->skip_watch = false;
    }
}

void tcg_info(TcgContext *t, GString *out)
{
    const TcgStats *s = &t->stats;

    g_string_append_printf(out,
        "back end             %s\n"
        "code memory          %zu of %zu bytes\n"
        "units translated     %" PRIu64 " (%.1f guest, %.1f IR instructions each)\n"
        "units invalidated    %" PRIu64 "\n"
        "flushes              %" PRIu64 "\n"
        "tails interpreted    %" PRIu64 "\n"
        "accesses interpreted %" PRIu64 "\n"
        "table walks          %" PRIu64 "\n"
        "stores to tables     %" PRIu64 "\n"
        "TLB flushes          %" PRIu64 "\n"
        "address spaces       %u\n",
        t->backend ? t->backend->name : "interpreter", t->arena.used,
        (size_t)t->config.cache_bytes, s->units,
        s->units ? (double)s->guest_insns / s->units : 0.0,
        s->units ? (double)s->ir_insns / s->units : 0.0,
        s->invalidated, s->flushes, s->tails, s->bails, s->walks, s->table_stores,
        s->tlb_flushes, t->spaces->len);
}
