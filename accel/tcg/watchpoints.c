/*
 * Watchpoints: accesses to memory that execution stops at for a debugger.
 *
 * 1. A page with watched bytes has TLB_WATCH in its soft TLB entries, so that no access to it
 *    goes direct (softmmu.c). Other pages know nothing of watchpoints.
 * 2. Execution stops in front of the instruction, as gdb expects of this architecture: it
 *    executes the instruction with a step and looks at the values then. Nothing has happened
 *    yet, so the stop makes no difference to the guest, whatever the user does next.
 * 3. An instruction of several accesses (structures, pairs of vector registers, DC ZVA) that
 *    meets a watched byte after its first access is executed to its end, and execution stops
 *    behind it: half of it must not be left behind, nor done twice.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/tlb.h"
#include "accel/tcg/watchpoints.h"

/* Dropping more pages than this costs more than forgetting everything. */
#define MAX_PAGES_DROPPED 64

static bool overlaps(const Watchpoint *w, uint64_t vaddr, uint64_t length)
{
    return vaddr - w->vaddr < w->length || w->vaddr - vaddr < length;
}

bool watchpoint_on_page(TcgContext *t, uint64_t page)
{
    for (unsigned n = 0; n < t->num_watches; n++) {
        if (overlaps(&t->watch[n], page, PAGE_SIZE)) {
            return true;
        }
    }
    return false;
}

const Watchpoint *watchpoint_find(TcgContext *t, uint64_t vaddr, unsigned bytes, bool write)
{
    for (unsigned n = 0; n < t->num_watches; n++) {
        const Watchpoint *w = &t->watch[n];

        if ((w->kind & (write ? WATCH_WRITES : WATCH_READS)) && overlaps(w, vaddr, bytes)) {
            return w;
        }
    }
    return NULL;
}

bool watchpoint_stops(Vcpu *cpu, uint64_t vaddr, unsigned bytes, bool write)
{
    const Watchpoint *w;

    if (cpu->skip_watch || cpu->watch_hit.kind) {
        return false;
    }
    w = watchpoint_find(cpu->tcg, vaddr, bytes, write);
    if (!w) {
        return false;
    }
    cpu->watch_hit = (WatchHit){ w->kind, !cpu->insn_accessed, MAX(vaddr, w->vaddr) };
    cpu->exit_request = 1;
    return cpu->watch_hit.before;
}

/* Entries that were made with other watchpoints. */
static void range_changed(TcgContext *t, uint64_t vaddr, uint64_t length)
{
    uint64_t page = vaddr & PAGE_MASK, last = (vaddr + length - 1) & PAGE_MASK;

    if ((last - page) >> PAGE_BITS >= MAX_PAGES_DROPPED) {
        tlb_flush(t);
        return;
    }
    for (unsigned left = ((last - page) >> PAGE_BITS) + 1; left > 0; left--) {
        for (unsigned n = 0; n < t->spaces->len; n++) {
            tlb_drop(t, g_ptr_array_index(t->spaces, n), page, PAGE_SIZE);
        }
        page += PAGE_SIZE;
    }
}

bool tcg_watchpoint_insert(TcgContext *t, WatchKind kind, uint64_t vaddr, uint64_t length)
{
    assert(kind != WATCH_NONE);
    if (length == 0 || vaddr + (length - 1) < vaddr || t->num_watches == TCG_MAX_WATCHPOINTS) {
        return false;
    }
    t->watch[t->num_watches++] = (Watchpoint){ vaddr, length, kind };
    range_changed(t, vaddr, length);
    return true;
}

bool tcg_watchpoint_remove(TcgContext *t, WatchKind kind, uint64_t vaddr, uint64_t length)
{
    for (unsigned n = 0; n < t->num_watches; n++) {
        const Watchpoint *w = &t->watch[n];

        if (w->kind == kind && w->vaddr == vaddr && w->length == length) {
            t->num_watches--;
            memmove(&t->watch[n], &t->watch[n + 1], (t->num_watches - n) * sizeof(*w));
            range_changed(t, vaddr, length);
            return true;
        }
    }
    return false;
}

void tcg_watchpoint_clear(TcgContext *t)
{
    while (t->num_watches) {
        const Watchpoint w = t->watch[--t->num_watches];

        range_changed(t, w.vaddr, w.length);
    }
}
