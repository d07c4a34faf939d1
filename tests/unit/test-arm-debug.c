/*
 * What breakpoints and watchpoints match, what of it is in the translation mode, and which
 * of two exceptions comes first. tests/guest/debug.S compares with QEMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arm-fake-engine.h"
#include "target/arm/debug.h"
#include "target/arm/exceptions.h"
#include "target/arm/system.h"

#define E 1ull
#define EL1 (1ull << 1)
#define EL0 (2ull << 1)
#define LOAD (1ull << 3)
#define STORE (2ull << 3)
#define BAS(n) ((uint64_t)(n) << 5)
#define HMC (1ull << 13)
#define SSC(n) ((uint64_t)(n) << 14)
#define LBN(n) ((uint64_t)(n) << 16)
#define BT(n) ((uint64_t)(n) << 20)
#define WT (1ull << 20)
#define MASK(n) ((uint64_t)(n) << 24)
#define PC 0x401234ull

static Machine *machine;

static ArmCpu *setup(void)
{
    ArmCpu *cpu;

    machine = fake_machine();
    cpu = fake_cpu(machine, "cortex-a57");
    cpu->s.oslsr_el1 = OSLSR_OSLM;
    cpu->s.mdscr_el1 = MDSCR_MDE | MDSCR_KDE;
    cpu->s.daif = 0;
    cpu->vcpu.pc = PC;
    return cpu;
}

static void go(ArmCpu *cpu, unsigned el)
{
    arm_set_el_sp(cpu, el, el);
    cpu->vcpu.pc = PC;
}

/* ---- breakpoints ---- */

static void test_breakpoints(void)
{
    static const struct {
        unsigned n;
        uint64_t control;
        bool el0, el1;
    } cases[] = {
        { 0, E | EL1, false, true }, { 0, E | EL0, true, false }, { 5, E | EL0 | EL1, true, true },
        { 0, EL0 | EL1, false, false },             /* not enabled */
        { 0, E, false, false },                     /* PMC 0: AArch32's */
        { 0, E | EL1 | HMC, false, false }, { 0, E | EL1 | SSC(1), false, false },
        { 0, E | EL1 | SSC(2), false, false }, { 0, E | EL1 | SSC(3) | HMC, false, false },
        { 0, E | EL1 | BT(4), false, false },       /* address mismatch: AArch32's */
        { 0, E | EL1 | BT(8), false, false },       /* VMID: EL2's */
        { 0, E | EL1 | BT(2), false, false },       /* not context-aware */
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        for (unsigned el = 0; el < 2; el++) {
            ArmCpu *cpu = setup();
            bool expected = el ? cases[i].el1 : cases[i].el0;

            go(cpu, el);
            cpu->s.dbgbvr_el1[cases[i].n] = PC;
            cpu->s.dbgbcr_el1[cases[i].n] = cases[i].control;
            g_assert_cmpint(arm_breakpoint_hit(cpu, PC), ==, expected);
            g_assert_cmpint((arm_debug_mode(cpu) & MODE_BREAKPOINT) != 0, ==, expected);
            g_assert_false(arm_breakpoint_hit(cpu, PC + 4));
            g_assert_false(arm_breakpoint_hit(cpu, PC ^ BIT64(48)));
            /* Bits above 48 are not compared. */
            g_assert_cmpint(arm_breakpoint_hit(cpu, PC | 0xfffe000000000000), ==, expected);
            fake_machine_free(machine);
        }
    }
}

static void test_context(void)
{
    ArmCpu *cpu = setup();

    /* Unlinked: any instruction of the context. */
    cpu->s.dbgbvr_el1[4] = 0x1234;
    cpu->s.dbgbcr_el1[4] = E | EL1 | BT(2);
    g_assert_false(arm_breakpoint_hit(cpu, PC));
    cpu->s.contextidr_el[1] = 0x1234;
    g_assert_true(arm_breakpoint_hit(cpu, PC));
    g_assert_true(arm_breakpoint_hit(cpu, 0x77770000));
    g_assert_cmphex(arm_debug_mode(cpu), ==, MODE_BREAKPOINT | MODE_BREAKPOINT_ANY |
                                             MODE_DEBUG_BY_D);
    /* Linked: for those that name it. */
    cpu->s.dbgbcr_el1[4] = E | EL1 | BT(3);
    g_assert_false(arm_breakpoint_hit(cpu, PC));
    cpu->s.dbgbvr_el1[0] = PC;
    cpu->s.dbgbcr_el1[0] = E | EL1 | BT(1) | LBN(4);
    g_assert_true(arm_breakpoint_hit(cpu, PC));
    cpu->s.contextidr_el[1] = 0x1235;
    g_assert_false(arm_breakpoint_hit(cpu, PC));
    cpu->s.contextidr_el[1] = 0x1234;
    /* To what is not enabled, not of that type, not able to. */
    cpu->s.dbgbcr_el1[4] = EL1 | BT(3);
    g_assert_false(arm_breakpoint_hit(cpu, PC));
    cpu->s.dbgbcr_el1[4] = E | EL1 | BT(2);
    cpu->s.dbgbcr_el1[0] = E | EL1 | BT(1) | LBN(5);
    cpu->s.contextidr_el[1] = 0x1236;
    g_assert_false(arm_breakpoint_hit(cpu, PC));
    cpu->s.dbgbvr_el1[1] = 0x1236;
    cpu->s.dbgbcr_el1[1] = E | EL1 | BT(3);
    cpu->s.dbgbcr_el1[0] = E | EL1 | BT(1) | LBN(1);
    g_assert_false(arm_breakpoint_hit(cpu, PC));
    /* A watchpoint. */
    cpu->s.dbgbcr_el1[4] = E | EL1 | BT(3);
    cpu->s.dbgwvr_el1[2] = 0x1000;
    cpu->s.dbgwcr_el1[2] = E | EL1 | LOAD | BAS(0xff) | WT | LBN(4);
    g_assert_false(arm_watchpoint_hit(cpu, 0x1000, 8, false, false, &(unsigned){ 0 }));
    cpu->s.contextidr_el[1] = 0x1234;
    g_assert_true(arm_watchpoint_hit(cpu, 0x1000, 8, false, false, &(unsigned){ 0 }));
    fake_machine_free(machine);
}

/* ---- watchpoints ---- */

/* The manual's description in other words: the set of watched bytes, one by one. */
static bool watched(uint64_t value, unsigned bas, unsigned mask, uint64_t byte)
{
    if (mask >= 3) {
        return byte >> mask == value >> mask && bas >> (byte & 7) & 1;
    }
    if (value & 4) {
        return byte >> 2 == value >> 2 && bas >> (byte & 3) & 1;
    }
    return byte >> 3 == value >> 3 && bas >> (byte & 7) & 1;
}

static void test_watched_bytes(void)
{
    static const uint8_t selections[] = { 0xff, 0x01, 0x02, 0x80, 0x0f, 0x3c, 0xf0, 0x08 };
    ArmCpu *cpu = setup();

    for (uint64_t value = 0x1000; value < 0x1010; value += 4) {
        for (unsigned i = 0; i < ARRAY_SIZE(selections); i++) {
            cpu->s.dbgwvr_el1[3] = value;
            cpu->s.dbgwcr_el1[3] = E | EL1 | STORE | BAS(selections[i]);
            for (uint64_t at = 0xff0; at < 0x1020; at++) {
                for (unsigned bytes = 1; bytes <= 16; bytes *= 2) {
                    bool expected = false;
                    unsigned which = 77;

                    for (unsigned b = 0; b < bytes; b++) {
                        expected |= watched(value, selections[i], 0, at + b);
                    }
                    g_assert_cmpint(arm_watchpoint_hit(cpu, at, bytes, true, false, &which), ==,
                                    expected);
                    g_assert_cmpuint(which, ==, expected ? 3 : 77);
                    g_assert_false(arm_watchpoint_hit(cpu, at, bytes, false, false, &which));
                }
            }
        }
    }
    fake_machine_free(machine);
}

static void test_mask(void)
{
    ArmCpu *cpu = setup();
    unsigned which;

    cpu->s.dbgwvr_el1[0] = 0x80000000;
    for (unsigned mask = 3; mask < 32; mask++) {
        uint64_t size = 1ull << mask;

        cpu->s.dbgwcr_el1[0] = E | EL1 | LOAD | BAS(0xff) | MASK(mask);
        g_assert_true(arm_watchpoint_hit(cpu, 0x80000000, 1, false, false, &which));
        g_assert_true(arm_watchpoint_hit(cpu, 0x80000000 + size - 1, 1, false, false, &which));
        g_assert_false(arm_watchpoint_hit(cpu, 0x80000000 + size, 1, false, false, &which));
        g_assert_false(arm_watchpoint_hit(cpu, 0x7fffffff, 1, false, false, &which));
        g_assert_true(arm_watchpoint_hit(cpu, 0x7fffffff, 2, false, false, &which));
    }
    /* Reserved. */
    cpu->s.dbgwcr_el1[0] = E | EL1 | LOAD | BAS(0xff) | MASK(2);
    g_assert_false(arm_watchpoint_hit(cpu, 0x80000000, 1, false, false, &which));
    fake_machine_free(machine);
}

/* Which of LDR at EL0, LDR and LDTR at EL1 hit, and what the mode says of them. */
static void test_watch_rights(void)
{
    for (unsigned pac = 0; pac < 4; pac++) {
        ArmCpu *cpu = setup();
        unsigned which;

        cpu->s.dbgwvr_el1[0] = 0x1000;
        cpu->s.dbgwcr_el1[0] = E | (uint64_t)pac << 1 | LOAD | BAS(0xff);
        g_assert_cmpint(arm_watchpoint_hit(cpu, 0x1000, 1, false, false, &which), ==, pac & 1);
        g_assert_cmpint(arm_watchpoint_hit(cpu, 0x1000, 1, false, true, &which), ==, pac >> 1);
        g_assert_cmphex(arm_debug_mode(cpu), ==,
                        (pac & 1 ? MODE_WATCH : 0) | (pac & 2 ? MODE_WATCH_UNPRIV : 0) |
                        (pac ? MODE_DEBUG_BY_D : 0));
        go(cpu, 0);
        g_assert_cmpint(arm_watchpoint_hit(cpu, 0x1000, 1, false, false, &which), ==, pac >> 1);
        g_assert_cmpint((arm_debug_mode(cpu) & MODE_WATCH) != 0, ==, pac >> 1);
        fake_machine_free(machine);
    }
}

/* ---- the mode ---- */

static void test_mode(void)
{
    ArmCpu *cpu = setup();
    const uint32_t one = MODE_BREAKPOINT | (PC >> 2 & 0x3ff) << MODE_BREAKPOINT_OFFSET_SHIFT;

    g_assert_cmphex(arm_debug_mode(cpu), ==, 0);
    cpu->s.dbgbvr_el1[2] = PC;
    cpu->s.dbgbcr_el1[2] = E | EL0 | EL1;
    g_assert_cmphex(arm_debug_mode(cpu), ==, one | MODE_DEBUG_BY_D);
    /* The same place on another page. */
    cpu->s.dbgbvr_el1[3] = PC + 0x5000;
    cpu->s.dbgbcr_el1[3] = E | EL1;
    g_assert_cmphex(arm_debug_mode(cpu), ==, one | MODE_DEBUG_BY_D);
    cpu->s.dbgbvr_el1[3] = PC + 8;
    g_assert_cmphex(arm_debug_mode(cpu), ==,
                    MODE_BREAKPOINT | MODE_BREAKPOINT_ANY | MODE_DEBUG_BY_D);
    /* EL0: the other one is not its; PSTATE.D means nothing there. */
    go(cpu, 0);
    cpu->s.daif = PSTATE_D;
    g_assert_cmphex(arm_debug_mode(cpu), ==, one);
    cpu->s.mdscr_el1 = MDSCR_MDE;
    g_assert_cmphex(arm_debug_mode(cpu), ==, one);
    /* What switches everything off. */
    cpu->s.oslsr_el1 |= OSLSR_OSLK;
    g_assert_cmphex(arm_debug_mode(cpu), ==, 0);
    cpu->s.oslsr_el1 &= ~OSLSR_OSLK;
    cpu->s.osdlr_el1 = 1;
    g_assert_cmphex(arm_debug_mode(cpu), ==, 0);
    cpu->s.osdlr_el1 = 0;
    cpu->s.mdscr_el1 = MDSCR_KDE;
    g_assert_cmphex(arm_debug_mode(cpu), ==, 0);
    go(cpu, 1);
    cpu->s.mdscr_el1 = MDSCR_MDE;
    cpu->s.daif = 0;
    g_assert_cmphex(arm_debug_mode(cpu), ==, 0);
    /* Masked: nothing but that the mask decides. */
    cpu->s.mdscr_el1 = MDSCR_MDE | MDSCR_KDE;
    cpu->s.daif = PSTATE_D;
    g_assert_cmphex(arm_debug_mode(cpu), ==, MODE_DEBUG_BY_D);
    fake_machine_free(machine);
}

/* Registers take part in the mode at once. */
static void test_registers(void)
{
    ArmCpu *cpu = setup();

    guest_write(cpu, SYSREG_KEY(2, 0, 0, 5, 4), PC);
    guest_write(cpu, SYSREG_KEY(2, 0, 0, 5, 5), E | EL1);
    g_assert_true(cpu->vcpu.mode & MODE_BREAKPOINT);
    guest_write(cpu, SYSREG_KEY(2, 0, 0, 5, 5), 0);
    g_assert_false(cpu->vcpu.mode & MODE_BREAKPOINT);
    guest_write(cpu, SYSREG_KEY(2, 0, 0, 3, 7), E | EL1 | STORE | BAS(1));
    g_assert_true(cpu->vcpu.mode & MODE_WATCH);
    guest_write(cpu, SYSREG_KEY(2, 0, 1, 0, 4), 1);         /* OSLAR_EL1 */
    g_assert_false(cpu->vcpu.mode & MODE_WATCH);
    fake_machine_free(machine);
}

/* ---- exceptions ---- */

static void test_breakpoint_exception(void)
{
    for (unsigned el = 0; el < 2; el++) {
        ArmCpu *cpu = setup();

        cpu->s.dbgbvr_el1[0] = PC;
        cpu->s.dbgbcr_el1[0] = E | EL0 | EL1;
        cpu->s.far_el[1] = 0x77;
        go(cpu, el);
        cpu->vcpu.pc = PC + 4;
        guest_call0(cpu, &helper_breakpoint);
        g_assert_cmphex(cpu->vcpu.pc, ==, PC + 4);
        cpu->vcpu.pc = PC;
        guest_call0(cpu, &helper_breakpoint);
        g_assert_cmphex(cpu->vcpu.pc, ==, el ? 0x200 : 0x400);
        g_assert_cmphex(cpu->s.esr_el[1], ==, el ? 0xc6000022 : 0xc2000022);
        g_assert_cmphex(cpu->s.elr_el[1], ==, PC);
        g_assert_cmphex(cpu->s.far_el[1], ==, 0x77);
        fake_machine_free(machine);
    }
}

#define ACCESS(bytes, count) ((bytes) << WATCH_BYTES_SHIFT | (count) << WATCH_COUNT_SHIFT)

static void test_watchpoint_exception(void)
{
    static const struct {
        uint64_t vaddr, access;
        uint32_t esr;           /* 0: none */
        uint64_t far;
    } cases[] = {
        { 0x1008, ACCESS(8, 1), 0xd6000022, 0x1008 },
        { 0x100f, ACCESS(1, 1) | WATCH_WRITE, 0xd6000062, 0x100f },
        { 0x1000, ACCESS(8, 1), 0, 0 },
        /* Of several accesses, the one that hits. */
        { 0x1000, ACCESS(8, 2), 0xd6000022, 0x1008 },
        { 0x0ff8, ACCESS(8, 2), 0, 0 },
        { 0x0ffc, ACCESS(4, 4) | WATCH_WRITE, 0xd6000062, 0x1008 },
        /* Alignment and Device memory, which all is with the MMU off, come first. */
        { 0x1009, ACCESS(8, 1), 0, 0 },
        { 0x1009, ACCESS(8, 1) | WATCH_ALIGNED, 0, 0 },
        { 0x1008, ACCESS(8, 2) | WATCH_PAIR_ALIGNED, 0, 0 },
        { 0x1000, ACCESS(8, 2) | WATCH_PAIR_ALIGNED, 0xd6000022, 0x1008 },
        { 0x1010, ACCESS(64, 1) | WATCH_WRITE | WATCH_BLOCK, 0, 0 },
        /* No such physical address. */
        { BIT64(47) | 0x1008, ACCESS(8, 1), 0, 0 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        ArmCpu *cpu = setup();

        cpu->s.dbgwvr_el1[1] = 0x1008;
        cpu->s.dbgwcr_el1[1] = E | EL1 | LOAD | STORE | BAS(0xff);
        if (cases[i].vaddr & BIT64(47)) {
            cpu->s.dbgwvr_el1[1] |= BIT64(47);
        }
        guest_call2(cpu, &helper_watchpoint, cases[i].vaddr, cases[i].access);
        g_assert_cmphex(cpu->vcpu.pc, ==, cases[i].esr ? 0x200 : PC);
        g_assert_cmphex(cpu->s.esr_el[1], ==, cases[i].esr);
        g_assert_cmphex(cpu->s.far_el[1], ==, cases[i].far);
        if (cases[i].esr) {
            g_assert_cmphex(cpu->s.elr_el[1], ==, PC);
        }
        fake_machine_free(machine);
    }
}

/* With the MMU on: unaligned accesses and DC ZVA of Normal memory hit, faults come first. */
static void test_watchpoint_with_mmu(void)
{
    ArmCpu *cpu = setup();

    cpu->s.sctlr_el[1] |= SCTLR_M;
    cpu->s.tcr_el[1] = 5ull << 32 | 25 | 25 << 16 | 2ull << 30;
    cpu->s.ttbr_el[1][0] = 0x40000000;
    cpu->s.mair_el[1] = 0xff;
    cpu->s.dbgwvr_el1[1] = 0x1008;
    cpu->s.dbgwcr_el1[1] = E | EL1 | LOAD | STORE | BAS(0xff);
    mem_set(0x40000000, 0);
    guest_call2(cpu, &helper_watchpoint, 0x1008, ACCESS(8, 1));
    g_assert_cmphex(cpu->vcpu.pc, ==, PC);
    /* Read-only. */
    mem_set(0x40000000, 0x80000000 | BIT64(10) | BIT64(7) | 1);
    guest_call2(cpu, &helper_watchpoint, 0x1008, ACCESS(8, 1) | WATCH_WRITE);
    g_assert_cmphex(cpu->vcpu.pc, ==, PC);
    guest_call2(cpu, &helper_watchpoint, 0x1005, ACCESS(8, 1));
    g_assert_cmphex(cpu->s.far_el[1], ==, 0x1005);
    mem_set(0x40000000, 0x80000000 | BIT64(10) | 1);
    go(cpu, 1);
    guest_call2(cpu, &helper_watchpoint, 0x1033, ACCESS(64, 1) | WATCH_WRITE | WATCH_BLOCK);
    g_assert_cmphex(cpu->s.far_el[1], ==, 0x1033);
    g_assert_cmphex(cpu->s.esr_el[1], ==, 0xd6000062);
    fake_machine_free(machine);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arm/debug/breakpoints", test_breakpoints);
    g_test_add_func("/arm/debug/context", test_context);
    g_test_add_func("/arm/debug/watched-bytes", test_watched_bytes);
    g_test_add_func("/arm/debug/mask", test_mask);
    g_test_add_func("/arm/debug/watch-rights", test_watch_rights);
    g_test_add_func("/arm/debug/mode", test_mode);
    g_test_add_func("/arm/debug/registers", test_registers);
    g_test_add_func("/arm/debug/breakpoint-exception", test_breakpoint_exception);
    g_test_add_func("/arm/debug/watchpoint-exception", test_watchpoint_exception);
    g_test_add_func("/arm/debug/watchpoint-with-mmu", test_watchpoint_with_mmu);
    return g_test_run();
}
