/*
 * Self-hosted debug (DDI 0487 D2): when breakpoints, watchpoints and software step raise
 * their exceptions.
 *
 * 1. Nothing is looked at while nothing is enabled: whether, and for breakpoints where on a
 *    page, is part of the translation mode, so translated code asks the helpers here
 *    before the instructions and accesses that may match, and else does not know of them.
 * 2. CONTEXTIDR_EL1 is looked at when a helper runs; it is no part of the mode.
 * 3. Values that are reserved without EL2 and EL3 disable a breakpoint or watchpoint; a
 *    mask or byte selection that is not one behaves as the manual's first choice.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/debug.h"
#include "target/arm/exceptions.h"
#include "target/arm/helpers.h"
#include "target/arm/mmu.h"
#include "target/arm/routing.h"
#include "target/arm/syndrome.h"
#include "target/arm/system.h"
#include "util/bitops.h"

/* DBGBCR and DBGWCR have these in common. */
#define DBGCR_E BIT64(0)
#define DBGCR_EL1 BIT64(1)          /* PMC, PAC */
#define DBGCR_EL0 BIT64(2)
#define DBGCR_HMC BIT64(13)
#define DBGCR_SSC (3ull << 14)

/* DBGBCR.BT; odd ones are linked. */
enum BreakpointType { BT_ADDRESS = 0, BT_CONTEXT = 2 };
#define BT_LINKED 1u

#define DBGWCR_WT BIT64(20)         /* linked */

/* Addresses are compared up to bit 48; what is above is a tag or a copy of it. */
#define ADDRESS_TOP 48
#define ADDRESS_MASK (BIT64(ADDRESS_TOP + 1) - 1)

/* ---- which exceptions are enabled ---- */

/* AArch64.GenerateDebugExceptionsFrom. */
bool arm_debug_exceptions_from(const ArmCpu *cpu, unsigned el, bool masked)
{
    const ArmState *s = &cpu->s;
    unsigned target = arm_route(cpu, ROUTE_DEBUG, 0);

    if ((s->oslsr_el1 & OSLSR_OSLK) || (s->osdlr_el1 & 1) || el == 3) {
        return false;
    }
    if (arm_has_el(cpu, 3) && !(s->scr_el3 & SCR_NS) && (s->mdcr_el[3] & MDCR_SDD)) {
        return false;
    }
    return el < target || (el == target && (s->mdscr_el1 & MDSCR_KDE) && !masked);
}

/* ---- state match ---- */

/* AArch64.StateMatch without what is linked, for a CPU that has neither EL2 nor EL3. */
static bool state_matches(uint64_t control, unsigned el)
{
    if (!(control & DBGCR_E) || (control & (DBGCR_HMC | DBGCR_SSC))) {
        return false;
    }
    return el == 0 ? control & DBGCR_EL0 : el == 1 && (control & DBGCR_EL1);
}

static bool is_context_aware(unsigned n)
{
    return n >= ARM_NUM_BREAKPOINTS - ARM_NUM_CONTEXT_BREAKPOINTS && n < ARM_NUM_BREAKPOINTS;
}

static unsigned breakpoint_type(uint64_t control)
{
    return extract64(control, 20, 4);
}

static bool context_matches(const ArmCpu *cpu, unsigned n)
{
    return is_context_aware(n) && (uint32_t)cpu->s.dbgbvr_el1[n] == cpu->s.contextidr_el[1];
}

/* The breakpoint that another one or a watchpoint is linked to matches. */
static bool link_matches(const ArmCpu *cpu, uint64_t control)
{
    unsigned n = extract64(control, 16, 4);
    uint64_t other;

    if (!is_context_aware(n)) {
        return false;
    }
    other = cpu->s.dbgbcr_el1[n];
    return (other & DBGCR_E) && breakpoint_type(other) == (BT_CONTEXT | BT_LINKED) &&
           context_matches(cpu, n);
}

/* ---- breakpoints ---- */

static bool breakpoint_matches(const ArmCpu *cpu, unsigned n, uint64_t pc)
{
    uint64_t control = cpu->s.dbgbcr_el1[n];

    if (!state_matches(control, cpu->s.el)) {
        return false;
    }
    switch (breakpoint_type(control)) {
    case BT_ADDRESS:
    case BT_ADDRESS | BT_LINKED:
        return !((pc ^ cpu->s.dbgbvr_el1[n]) & ADDRESS_MASK & ~3ull) &&
               (breakpoint_type(control) == BT_ADDRESS || link_matches(cpu, control));
    case BT_CONTEXT:
        return context_matches(cpu, n);
    default:
        /* Linked context breakpoints match for those that are linked to them. */
        return false;
    }
}

bool arm_breakpoint_hit(const ArmCpu *cpu, uint64_t pc)
{
    for (unsigned n = 0; n < ARM_NUM_BREAKPOINTS; n++) {
        if (breakpoint_matches(cpu, n, pc)) {
            return true;
        }
    }
    return false;
}

/* One address: its offset in the page. Several, or a context: any instruction may match. */
static uint32_t breakpoint_mode(const ArmCpu *cpu)
{
    uint32_t mode = 0;

    for (unsigned n = 0; n < ARM_NUM_BREAKPOINTS; n++) {
        uint64_t control = cpu->s.dbgbcr_el1[n];
        unsigned type = breakpoint_type(control);
        uint32_t one = MODE_BREAKPOINT |
                       extract64(cpu->s.dbgbvr_el1[n], 2, 10) << MODE_BREAKPOINT_OFFSET_SHIFT;

        if (!state_matches(control, cpu->s.el) || (type & ~BT_LINKED) > BT_CONTEXT ||
            type == (BT_CONTEXT | BT_LINKED)) {
            continue;
        }
        if (type == BT_CONTEXT && !is_context_aware(n)) {
            continue;
        }
        if (type == BT_CONTEXT || (mode && mode != one)) {
            return MODE_BREAKPOINT | MODE_BREAKPOINT_ANY;
        }
        mode = one;
    }
    return mode;
}

/* ---- watchpoints ---- */

/* AArch64.WatchpointByteMatch. */
static bool byte_matches(uint64_t value, uint64_t control, uint64_t vaddr)
{
    unsigned bottom = value & BIT64(2) ? 2 : 3;
    unsigned select = extract64(control, 5, bottom == 2 ? 4 : 8);
    unsigned mask = extract64(control, 24, 5);

    if (!(select >> extract64(vaddr, 0, bottom) & 1)) {
        return false;
    }
    if (mask == 1 || mask == 2) {
        return false;                       /* reserved */
    }
    if (mask > bottom) {
        bottom = mask;
    }
    return !((vaddr ^ value) & ADDRESS_MASK & ~(BIT64(bottom) - 1));
}

static bool watchpoint_matches(const ArmCpu *cpu, unsigned n, uint64_t vaddr, unsigned bytes,
                               bool write, unsigned el)
{
    uint64_t control = cpu->s.dbgwcr_el1[n];

    if (!state_matches(control, el) || !(control & (write ? BIT64(4) : BIT64(3)))) {
        return false;
    }
    for (unsigned i = 0; i < bytes; i++) {
        if (byte_matches(cpu->s.dbgwvr_el1[n], control, vaddr + i)) {
            return !(control & DBGWCR_WT) || link_matches(cpu, control);
        }
    }
    return false;
}

bool arm_watchpoint_hit(const ArmCpu *cpu, uint64_t vaddr, unsigned bytes, bool write,
                        bool unpriv, unsigned *which)
{
    for (unsigned n = 0; n < ARM_NUM_WATCHPOINTS; n++) {
        if (watchpoint_matches(cpu, n, vaddr, bytes, write, unpriv ? 0 : cpu->s.el)) {
            *which = n;
            return true;
        }
    }
    return false;
}

static uint32_t watchpoint_mode(const ArmCpu *cpu)
{
    uint32_t mode = 0;

    for (unsigned n = 0; n < ARM_NUM_WATCHPOINTS; n++) {
        uint64_t control = cpu->s.dbgwcr_el1[n];

        mode |= state_matches(control, cpu->s.el) ? MODE_WATCH : 0;
        mode |= state_matches(control, 0) ? MODE_WATCH_UNPRIV : 0;
    }
    return mode;
}

/* ---- the mode ---- */

uint32_t arm_debug_mode(const ArmCpu *cpu)
{
    const ArmState *s = &cpu->s;
    uint32_t mode = 0;

    if (LIKELY(!(s->mdscr_el1 & (MDSCR_SS | MDSCR_MDE))) ||
        !arm_debug_exceptions_from(cpu, s->el, false)) {
        return 0;
    }
    if (s->mdscr_el1 & MDSCR_MDE) {
        mode = breakpoint_mode(cpu) | watchpoint_mode(cpu);
    }
    if (s->mdscr_el1 & MDSCR_SS) {
        mode |= MODE_SS;
    }
    if (!mode || arm_debug_exceptions_from(cpu, s->el, true)) {
        return mode;
    }
    return s->daif & PSTATE_D ? MODE_DEBUG_BY_D : mode | MODE_DEBUG_BY_D;
}

/* ---- helpers ---- */

static unsigned debug_class(const ArmCpu *cpu, unsigned lower_ec)
{
    return lower_ec + (arm_route(cpu, ROUTE_DEBUG, cpu->s.el) == cpu->s.el);
}

/*
 * Software step in the active-pending state: the exception comes before the instruction. ISV is
 * 0: whether a load-exclusive was stepped is not known.
 */
static void do_software_step(Vcpu *vcpu)
{
    ArmCpu *cpu = arm_cpu(vcpu);

    if (!cpu->s.ss) {
        arm_exception(cpu, syndrome(debug_class(cpu, EC_SOFTWARE_STEP_LOWER), ISS_DEBUG), vcpu->pc);
    }
}

static void do_breakpoint(Vcpu *vcpu)
{
    ArmCpu *cpu = arm_cpu(vcpu);

    if (arm_breakpoint_hit(cpu, vcpu->pc)) {
        arm_exception(cpu, syndrome(debug_class(cpu, EC_BREAKPOINT_LOWER), ISS_DEBUG), vcpu->pc);
    }
}

/* Faults of alignment and translation have priority over watchpoints (DDI 0487 D1.13.2). */
static bool access_faults(ArmCpu *cpu, uint64_t vaddr, unsigned bytes, uint64_t access)
{
    MmuAccess kind = access & WATCH_WRITE ? MMU_WRITE : MMU_READ;
    bool user = cpu->s.el == 0 || (access & WATCH_UNPRIV);
    uint64_t last = vaddr + bytes - 1;
    bool misaligned = vaddr & (MIN(bytes, 8u) - 1);
    ArmTranslation t;

    if ((access & WATCH_ALIGNED) && (vaddr & (bytes - 1))) {
        return true;
    }
    if (!arm_translate_address(cpu, vaddr, kind, user, &t) ||
        ((t.r.attrs & TLB_DEVICE) && (misaligned || (access & WATCH_BLOCK)))) {
        return true;
    }
    return (last ^ vaddr) & ~(uint64_t)(PAGE_SIZE - 1) &&
           (!arm_translate_address(cpu, last, kind, user, &t) ||
            ((t.r.attrs & TLB_DEVICE) && misaligned));
}

static void do_watchpoint(Vcpu *vcpu, uint64_t vaddr, uint64_t access)
{
    ArmCpu *cpu = arm_cpu(vcpu);
    unsigned bytes = extract64(access, WATCH_BYTES_SHIFT, 8);
    unsigned count = extract64(access, WATCH_COUNT_SHIFT, 8), which;
    bool write = access & WATCH_WRITE;
    uint64_t start = access & WATCH_BLOCK ? vaddr & ~(uint64_t)(bytes - 1) : vaddr;

    if ((access & WATCH_PAIR_ALIGNED) && (vaddr & (2 * bytes - 1))) {
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        uint64_t at = start + (uint64_t)i * bytes;

        if (arm_watchpoint_hit(cpu, at, bytes, write, access & WATCH_UNPRIV, &which)) {
            for (unsigned before = 0; before <= i; before++) {
                if (access_faults(cpu, start + (uint64_t)before * bytes, bytes, access)) {
                    return;
                }
            }
            arm_take_abort(cpu, ROUTE_DEBUG, EC_WATCHPOINT_LOWER,
                           ISS_DEBUG | (write ? ISS_WNR : 0), access & WATCH_BLOCK ? vaddr : at);
            return;
        }
    }
}

#define DEBUG_HELPER(NAME, NUM_ARGS)                                                    \
    const IrHelper helper_##NAME = { #NAME, (void (*)(void))do_##NAME, NUM_ARGS,        \
                                     IR_HELPER_SYNC | IR_HELPER_VOID }

DEBUG_HELPER(software_step, 0);
DEBUG_HELPER(breakpoint, 0);
DEBUG_HELPER(watchpoint, 2);
