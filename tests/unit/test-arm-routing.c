/*
 * Routing of exceptions: every combination of exception levels and control bits against
 * the manual's pseudocode, and entries and returns by bank.
 *
 * The pseudocode (DDI 0487 J1.1.2: AArch64.TakePhysicalIRQException and its like,
 * AArch64.Abort, AArch64.UndefinedFault, AArch64.SoftwareBreakpoint) is if and else where
 * routing.c has tables.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arm-fake-engine.h"
#include "target/arm/cpu-models.h"
#include "target/arm/exceptions.h"
#include "target/arm/routing.h"
#include "target/arm/syndrome.h"
#include "target/arm/system.h"

typedef struct Fix {
    Machine *m;
    ArmCpu *cpu;
    ArmState *s;
    ArmCpuModel model;
} Fix;

static void setup(Fix *f)
{
    f->m = fake_machine();
    f->cpu = fake_cpu(f->m, "cortex-a57");
    f->s = &f->cpu->s;
    f->model = *f->cpu->model;
    f->cpu->model = &f->model;
}

/* Which of EL2 and EL3 the CPU has besides EL0 and EL1. */
static void set_levels(Fix *f, bool el2, bool el3)
{
    f->model.id[4][0] = 0x11 | (el2 ? 0x100 : 0) | (el3 ? 0x1000 : 0);
}

/* ---- all combinations ---- */

#define HCR_BITS 6
static const uint64_t hcr_bits[HCR_BITS] = {
    HCR_TGE, HCR_AMO, HCR_IMO, HCR_FMO, HCR_E2H, HCR_RW,
};
#define SCR_BITS 5
static const uint64_t scr_bits[SCR_BITS] = { SCR_EA, SCR_IRQ, SCR_FIQ, SCR_NS, SCR_RW };

static uint64_t spread(const uint64_t *bits, unsigned count, unsigned pattern)
{
    uint64_t value = 0;

    for (unsigned n = 0; n < count; n++) {
        value |= pattern >> n & 1 ? bits[n] : 0;
    }
    return value;
}

/* States that the architecture has: the current EL is there, and enabled. */
static bool possible(const Fix *f, unsigned el, bool el2, bool el3)
{
    bool el2_enabled = el2 && (!el3 || (f->s->scr_el3 & SCR_NS));

    if (el == 3) {
        return el3;
    }
    if (el == 2) {
        return el2_enabled;
    }
    return el == 0 || !(el2_enabled && (f->s->hcr_el2 & HCR_TGE));
}

static void for_all_states(void (*check)(Fix *f, unsigned el, bool el2, bool el3))
{
    Fix f;

    setup(&f);
    for (unsigned n = 0; n < 4u << (HCR_BITS + SCR_BITS + 1); n++) {
        bool el2 = n & 1, el3 = n & 2;

        set_levels(&f, el2, el3);
        f.s->hcr_el2 = spread(hcr_bits, HCR_BITS, n >> 2);
        f.s->scr_el3 = spread(scr_bits, SCR_BITS, n >> (2 + HCR_BITS));
        f.s->mdcr_el[2] = n >> (2 + HCR_BITS + SCR_BITS) & 1 ? MDCR_TDE : 0;
        for (unsigned el = 0; el < 4; el++) {
            if (possible(&f, el, el2, el3)) {
                f.s->el = el;
                check(&f, el, el2, el3);
            }
        }
    }
    f.s->el = 1;
    fake_machine_free(f.m);
}

/* The pseudocode's EL2Enabled() without FEAT_SEL2. */
static bool el2_enabled(const Fix *f, bool el2, bool el3)
{
    return el2 && !(el3 && !(f->s->scr_el3 & SCR_NS));
}

static unsigned expect_interrupt(Fix *f, unsigned el, bool el2, bool el3, uint64_t scr,
                                 uint64_t hcr)
{
    bool route_to_el3 = el3 && (f->s->scr_el3 & scr);
    bool route_to_el2 = el <= 1 && el2_enabled(f, el2, el3) &&
                        ((f->s->hcr_el2 & HCR_TGE) || (f->s->hcr_el2 & hcr));

    if (route_to_el3) {
        return 3;
    }
    if (el == 3) {
        return ROUTE_PENDING;
    }
    if (route_to_el2) {
        return 2;
    }
    if (el == 2) {
        /* What EL2 did not route to itself is for EL1, to which nothing goes from EL2. */
        return f->s->hcr_el2 & (HCR_TGE | hcr) ? 2 : ROUTE_PENDING;
    }
    return 1;
}

/* Masks: those of the EL itself, of EL1 for EL0, of a host for its applications. */
static bool expect_taken(Fix *f, unsigned el, unsigned target, bool host, bool masked)
{
    if (target == ROUTE_PENDING) {
        return false;
    }
    if (target == 3 && el < 3) {
        return true;
    }
    if (target == 2 && el < 2 && !host) {
        return true;
    }
    return !masked;
}

static void check_interrupts(Fix *f, unsigned el, bool el2, bool el3)
{
    static const struct {
        ArmRoute kind;
        uint64_t scr, hcr;
        uint32_t mask;
    } kinds[] = {
        { ROUTE_IRQ, 1 << 1, 1 << 4, 1 << 7 },
        { ROUTE_FIQ, 1 << 2, 1 << 3, 1 << 6 },
        { ROUTE_SERROR, 1 << 3, 1 << 5, 1 << 8 },
    };
    bool host = el2_enabled(f, el2, el3) && (f->s->hcr_el2 & HCR_E2H) &&
                (f->s->hcr_el2 & HCR_TGE);

    for (unsigned k = 0; k < ARRAY_SIZE(kinds); k++) {
        unsigned expected = expect_interrupt(f, el, el2, el3, kinds[k].scr, kinds[k].hcr);

        g_assert_cmpuint(arm_route(f->cpu, kinds[k].kind, el), ==, expected);
        for (unsigned masked = 0; masked < 2; masked++) {
            unsigned target;

            f->s->daif = masked ? kinds[k].mask : PSTATE_DAIF & ~kinds[k].mask;
            g_assert_cmpint(arm_interrupt_taken(f->cpu, kinds[k].kind, &target), ==,
                            expect_taken(f, el, expected, host, masked));
            g_assert_cmpuint(target, ==, expected);
        }
    }
}

static void test_interrupts(void)
{
    for_all_states(check_interrupts);
}

static void check_sync(Fix *f, unsigned el, bool el2, bool el3)
{
    bool enabled = el2_enabled(f, el2, el3), tge = f->s->hcr_el2 & HCR_TGE;
    bool tde = f->s->mdcr_el[2] & MDCR_TDE;
    /* AArch64.UndefinedFault: the EL itself above EL1; EL0's go to EL2 with TGE. */
    unsigned plain = el > 1 ? el : enabled && tge && el == 0 ? 2 : 1;
    unsigned debug = el > 1 ? el : enabled && (tge || tde) ? 2 : 1;
    unsigned external = el == 3 || (el3 && (f->s->scr_el3 & SCR_EA)) ? 3 :
                        el == 2 || (enabled && tge) ? 2 : 1;

    g_assert_cmpuint(arm_route(f->cpu, ROUTE_SYNC, el), ==, plain);
    g_assert_cmpuint(arm_route(f->cpu, ROUTE_DEBUG, el), ==, debug);
    g_assert_cmpuint(arm_route(f->cpu, ROUTE_EXTERNAL, el), ==, external);
    if (enabled && el < 2) {
        g_assert_cmpuint(arm_route(f->cpu, ROUTE_STAGE2, el), ==, 2);
    }
}

static void test_sync(void)
{
    for_all_states(check_sync);
}

/* Today's CPUs, whatever is in registers that they have not: all goes to EL1. */
static void test_without_el2_and_el3(void)
{
    Fix f;

    setup(&f);
    set_levels(&f, false, false);
    f.s->hcr_el2 = f.s->scr_el3 = f.s->mdcr_el[2] = UINT64_MAX;
    for (unsigned el = 0; el < 2; el++) {
        for (ArmRoute kind = ROUTE_SYNC; kind <= ROUTE_SERROR; kind++) {
            g_assert_cmpuint(arm_route(f.cpu, kind, el), ==, 1);
        }
    }
    g_assert_false(arm_el2_enabled(f.cpu));
    g_assert_true(arm_el_is_aa64(f.cpu, 1));
    fake_machine_free(f.m);
}

/* ---- entry and return ---- */

#define PC 0x401234ull

typedef struct Entry {
    unsigned from, target;
    uint64_t hcr, scr;
    unsigned spsel;
    unsigned offset;        /* of the vector */
} Entry;

static const Entry entries[] = {
    { 0, 1, HCR_RW, SCR_NS | SCR_RW, 0, 0x400 },
    { 1, 1, HCR_RW, SCR_NS | SCR_RW, 1, 0x200 },
    { 1, 1, HCR_RW, SCR_NS | SCR_RW, 0, 0x000 },
    { 1, 2, HCR_RW, SCR_NS | SCR_RW, 1, 0x400 },
    { 0, 2, HCR_RW, SCR_NS | SCR_RW, 0, 0x400 },
    { 1, 2, 0, SCR_NS | SCR_RW, 1, 0x600 },
    { 0, 2, HCR_TGE | HCR_E2H, SCR_NS | SCR_RW, 0, 0x400 },
    { 2, 2, HCR_RW, SCR_NS | SCR_RW, 1, 0x200 },
    { 2, 2, HCR_RW, SCR_NS | SCR_RW, 0, 0x000 },
    { 1, 3, HCR_RW, SCR_NS | SCR_RW, 1, 0x400 },
    { 2, 3, HCR_RW, SCR_NS | SCR_RW, 1, 0x400 },
    { 2, 3, HCR_RW, SCR_NS, 1, 0x600 },
    { 1, 3, 0, SCR_RW, 1, 0x400 },
    { 1, 3, 0, 0, 1, 0x600 },
    { 3, 3, HCR_RW, SCR_NS | SCR_RW, 1, 0x200 },
};

static void enter(Fix *f, const Entry *e)
{
    setup(f);
    set_levels(f, true, true);
    f->s->hcr_el2 = e->hcr;
    f->s->scr_el3 = e->scr;
    for (unsigned el = 0; el < ARM_NUM_ELS; el++) {
        arm_sp_write(f->cpu, el, 0x1000 * el);
        f->s->vbar_el[el] = 0x10000 * el;
        f->s->elr_el[el] = f->s->spsr_el[el] = f->s->esr_el[el] = 0xbad;
    }
    arm_set_el_sp(f->cpu, e->from, e->spsel);
    f->s->daif = PSTATE_F;
    f->cpu->vcpu.pc = PC;
    arm_take_exception(f->cpu, e->target, VECTOR_SYNC, 0x12345678, PC + 4);
}

static void test_entry_by_bank(void)
{
    for (unsigned n = 0; n < ARRAY_SIZE(entries); n++) {
        const Entry *e = &entries[n];
        Fix f;

        enter(&f, e);
        g_assert_cmphex(f.cpu->vcpu.pc, ==, 0x10000 * e->target + e->offset);
        g_assert_cmpuint(f.s->el, ==, e->target);
        g_assert_cmpuint(f.s->spsel, ==, 1);
        g_assert_cmphex(f.s->daif, ==, PSTATE_DAIF);
        g_assert_cmphex(f.cpu->vcpu.slot[SLOT_SP], ==, 0x1000 * e->target);
        for (unsigned el = 1; el < ARM_NUM_ELS; el++) {
            bool here = el == e->target;

            g_assert_cmphex(f.s->esr_el[el], ==, here ? 0x12345678 : 0xbad);
            g_assert_cmphex(f.s->elr_el[el], ==, here ? PC + 4 : 0xbad);
            g_assert_cmphex(f.s->spsr_el[el] & 0xf, ==,
                            here ? e->from << 2 | e->spsel : 0xbad & 0xf);
        }
        fake_machine_free(f.m);
    }
}

/* And back; where the EL below is AArch32, the return with an AArch64 SPSR is illegal. */
static void test_return_by_bank(void)
{
    for (unsigned n = 0; n < ARRAY_SIZE(entries); n++) {
        const Entry *e = &entries[n];
        Fix f;

        enter(&f, e);
        if (e->from > 0 && !arm_el_is_aa64(f.cpu, e->from)) {
            guest_call0(f.cpu, &helper_eret);
            g_assert_cmpuint(f.s->il, ==, 1);
            g_assert_cmpuint(f.s->el, ==, e->target);
            fake_machine_free(f.m);
            continue;
        }
        guest_call0(f.cpu, &helper_eret);
        g_assert_cmphex(f.cpu->vcpu.pc, ==, PC + 4);
        g_assert_cmpuint(f.s->el, ==, e->from);
        g_assert_cmpuint(f.s->spsel, ==, e->spsel);
        g_assert_cmpuint(f.s->il, ==, 0);
        g_assert_cmphex(f.s->daif, ==, PSTATE_F);
        g_assert_cmphex(f.cpu->vcpu.slot[SLOT_SP], ==, e->spsel ? 0x1000 * e->from : 0);
        fake_machine_free(f.m);
    }
}

#define NS (SCR_NS | SCR_RW)

/* Returns that are illegal because of what is there and enabled. */
static void test_illegal_return(void)
{
    static const struct {
        unsigned from;
        uint32_t spsr;
        uint64_t hcr, scr;
        bool el2, illegal;
    } cases[] = {
        { 3, 0x9, 0, NS, true, false },         /* EL2h */
        { 3, 0x9, 0, SCR_RW, true, true },          /* ... which is not enabled */
        { 3, 0x9, 0, NS, false, true },         /* ... which is not there */
        { 3, 0x5, 0, NS, true, false },         /* EL1h */
        { 3, 0x5, HCR_TGE, NS, true, true },
        { 3, 0x5, HCR_TGE, SCR_RW, true, false },        /* TGE is without effect */
        { 2, 0x5, HCR_TGE, NS, true, true },
        { 2, 0x0, HCR_TGE, NS, true, false },
        { 2, 0xd, 0, NS, true, true },          /* upwards */
        { 1, 0x9, 0, NS, true, true },
        { 3, 0xd, 0, NS, true, false },
        { 3, 0xe, 0, NS, true, true },
        { 3, 0x1, 0, NS, true, true },
        { 3, 0x10, 0, NS, true, true },             /* AArch32 */
        { 3, 0x9, 0, SCR_NS, true, true },          /* EL2 is AArch32 */
    };

    for (unsigned n = 0; n < ARRAY_SIZE(cases); n++) {
        Fix f;

        setup(&f);
        set_levels(&f, cases[n].el2, true);
        f.s->hcr_el2 = cases[n].hcr | HCR_RW;
        f.s->scr_el3 = cases[n].scr;
        arm_set_el_sp(f.cpu, cases[n].from, 1);
        f.s->spsr_el[cases[n].from] = cases[n].spsr;
        guest_call0(f.cpu, &helper_eret);
        g_assert_cmpuint(f.s->il, ==, cases[n].illegal);
        g_assert_cmpuint(f.s->el, ==, cases[n].illegal ? cases[n].from : cases[n].spsr >> 2 & 3);
        fake_machine_free(f.m);
    }
}

/* Aborts name their class by the EL that takes them, and leave the FAR there. */
static void test_aborts_by_bank(void)
{
    static const struct {
        unsigned from;
        uint64_t hcr, scr;
        bool external;
        unsigned target, ec;
    } cases[] = {
        { 0, HCR_RW, SCR_NS | SCR_RW, false, 1, EC_DATA_ABORT_LOWER },
        { 1, HCR_RW, SCR_NS | SCR_RW, false, 1, EC_DATA_ABORT },
        { 2, HCR_RW, SCR_NS | SCR_RW, false, 2, EC_DATA_ABORT },
        { 0, HCR_TGE, SCR_NS | SCR_RW, false, 2, EC_DATA_ABORT_LOWER },
        { 1, HCR_RW, SCR_NS | SCR_RW | SCR_EA, true, 3, EC_DATA_ABORT_LOWER },
        { 1, HCR_RW, SCR_NS | SCR_RW | SCR_EA, false, 1, EC_DATA_ABORT },
        { 3, HCR_RW, SCR_NS | SCR_RW, true, 3, EC_DATA_ABORT },
    };

    for (unsigned n = 0; n < ARRAY_SIZE(cases); n++) {
        unsigned target = cases[n].target;
        Fix f;

        setup(&f);
        set_levels(&f, true, true);
        f.s->hcr_el2 = cases[n].hcr;
        f.s->scr_el3 = cases[n].scr;
        arm_set_el_sp(f.cpu, cases[n].from, cases[n].from != 0);
        if (cases[n].external) {
            arm_raise_external(&f.cpu->vcpu, 0x5000, MMU_READ);
        } else {
            arm_raise_abort(&f.cpu->vcpu, 0x5000, MMU_READ, 0x07, false);
        }
        g_assert_cmpuint(f.s->el, ==, target);
        g_assert_cmphex(f.s->esr_el[target], ==,
                        syndrome(cases[n].ec, cases[n].external ? 0x10 : 0x07));
        g_assert_cmphex(f.s->far_el[target], ==, 0x5000);
        fake_machine_free(f.m);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arm/routing/interrupts", test_interrupts);
    g_test_add_func("/arm/routing/sync", test_sync);
    g_test_add_func("/arm/routing/without-el2-and-el3", test_without_el2_and_el3);
    g_test_add_func("/arm/routing/entry-by-bank", test_entry_by_bank);
    g_test_add_func("/arm/routing/return-by-bank", test_return_by_bank);
    g_test_add_func("/arm/routing/illegal-return", test_illegal_return);
    g_test_add_func("/arm/routing/aborts-by-bank", test_aborts_by_bank);
    return g_test_run();
}
