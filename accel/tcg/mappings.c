/*
 * All that a CPU's translation tables map, for observers.
 *
 * A walk tells how large a range its last descriptor stands for, whether it leads anywhere or not.
 * So one walk a descriptor goes through all tables, without knowing their format.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/vcpu.h"

/* The largest half of the address space, and one that is smaller than any. */
#define MAX_BITS 52u
#define MIN_BITS 16u
/* A table that leads to itself maps without end. */
#define MAX_WALKS (1u << 22)

typedef struct Walk {
    Vcpu *cpu;
    Regime privileged, user;
    VcpuMappingFn *fn;
    void *opaque;
    unsigned walks;
} Walk;

static bool translate(Walk *w, const Regime *regime, uint64_t vaddr, MmuAccess access,
                      MmuResult *out)
{
    *out = (MmuResult){ 0 };
    return w->cpu->ops->mmu_translate(w->cpu, regime, vaddr, access, out);
}

/* The half's first and last address: those nearest to the other half for which there is a table. */
static bool find_half(Walk *w, bool upper, uint64_t *first, uint64_t *last)
{
    for (unsigned bits = MAX_BITS; bits >= MIN_BITS; bits--) {
        uint64_t border = upper ? -(1ull << bits) : (1ull << bits) - 1;
        MmuResult res;

        translate(w, &w->privileged, border, MMU_READ, &res);
        if (res.num_steps) {
            *first = upper ? border : 0;
            *last = upper ? UINT64_MAX : border;
            return true;
        }
    }
    return false;
}

static bool tell(Walk *w, uint64_t vaddr, uint64_t length, const MmuResult *res)
{
    VcpuMapping m = { .vaddr = vaddr, .phys = res->phys, .length = length, .attrs = res->attrs };
    MmuResult user;

    /* What a program cannot read it may be able to run. */
    if (translate(w, &w->user, vaddr, MMU_READ, &user) ||
        translate(w, &w->user, vaddr, MMU_FETCH, &user)) {
        m.user_attrs = user.attrs;
    }
    return w->fn(w->opaque, &m);
}

static VcpuMappings walk_half(Walk *w, bool upper)
{
    uint64_t first, last, length;
    MmuResult res;

    if (!find_half(w, upper, &first, &last)) {
        return VCPU_MAPPINGS_ALL;
    }
    for (uint64_t vaddr = first;; vaddr += length) {
        bool ok = translate(w, &w->privileged, vaddr, MMU_READ, &res);

        if (!res.num_steps || ++w->walks > MAX_WALKS) {
            return VCPU_MAPPINGS_PART;
        }
        length = 1ull << res.step[res.num_steps - 1].shift;
        if (ok && !tell(w, vaddr, length, &res)) {
            return VCPU_MAPPINGS_PART;
        }
        if (last - vaddr < length) {
            return VCPU_MAPPINGS_ALL;
        }
    }
}

VcpuMappings vcpu_foreach_mapping(Vcpu *cpu, VcpuMappingFn *fn, void *opaque)
{
    unsigned current = cpu->ops->current_regime(cpu);
    Walk w = { .cpu = cpu, .fn = fn, .opaque = opaque };
    VcpuMappings low;
    MmuResult res;

    /* Number 0 has the rights of programs; the one behind it is their kernel's. */
    cpu->ops->regime(cpu, current ? current : 1, &w.privileged);
    cpu->ops->regime(cpu, 0, &w.user);
    if (translate(&w, &w.privileged, 0, MMU_READ, &res) && !res.num_steps) {
        return VCPU_MAPPINGS_OFF;
    }
    low = walk_half(&w, false);
    return low == VCPU_MAPPINGS_ALL ? walk_half(&w, true) : low;
}
