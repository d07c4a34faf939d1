/*
 * PSCI: each function, both conduits, and what is not supported.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arm-fake-engine.h"
#include "target/arm/exceptions.h"

#define PC 0x40080000ull

typedef struct Fix {
    Machine *m;
    ArmCpu *cpu[3];
} Fix;

static Fix setup(void)
{
    Fix f;

    f.m = fake_machine();
    for (unsigned i = 0; i < 3; i++) {
        f.cpu[i] = fake_cpu(f.m, "cortex-a57");
        f.cpu[i]->start_powered_off = i > 0;
        f.cpu[i]->vcpu.ops->reset(&f.cpu[i]->vcpu);
    }
    return f;
}

static int64_t call(ArmCpu *cpu, uint32_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
    uint64_t *x = cpu->vcpu.slot;

    cpu->vcpu.pc = PC;
    cpu->vcpu.exit_request = 0;
    x[0] = function;
    x[1] = a1;
    x[2] = a2;
    x[3] = a3;
    guest_call1(cpu, cpu->psci_conduit_smc ? &helper_smc : &helper_hvc, 0);
    g_assert_cmphex(cpu->vcpu.pc, ==, PC + 4);
    g_assert_cmpuint(cpu->vcpu.exit_request, ==, 1);
    return x[0];
}

static void test_queries(void)
{
    static const uint32_t known[] = {
        0x84000000, 0x84000001, 0xc4000001, 0x84000002, 0x84000003, 0xc4000003, 0x84000004,
        0xc4000004, 0x84000006, 0x84000008, 0x84000009, 0x8400000a,
    };
    static const uint32_t unknown[] = {
        0x80000000, 0x80000001, 0x84000005, 0x8400000e, 0xc4000012, 0, 0xffffffff,
    };
    Fix f = setup();

    for (unsigned smc = 0; smc < 2; smc++) {
        f.cpu[0]->psci_conduit_smc = smc;
        g_assert_cmphex(call(f.cpu[0], 0x84000000, 0, 0, 0), ==, 0x10001);
        g_assert_cmpint(call(f.cpu[0], 0x84000006, 0, 0, 0), ==, 2);
        for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
            g_assert_cmpint(call(f.cpu[0], 0x8400000a, known[i], 0, 0), ==, 0);
        }
        for (unsigned i = 0; i < ARRAY_SIZE(unknown); i++) {
            g_assert_cmpint(call(f.cpu[0], 0x8400000a, unknown[i], 0, 0), ==, -1);
            g_assert_cmpint(call(f.cpu[0], unknown[i], 0, 0, 0), ==, -1);
        }
    }
    fake_machine_free(f.m);
}

static void test_wrong_conduit(void)
{
    Fix f = setup();

    for (unsigned smc = 0; smc < 2; smc++) {
        f.cpu[0]->psci_conduit_smc = smc;
        f.cpu[0]->vcpu.pc = PC;
        f.cpu[0]->vcpu.slot[0] = 0x84000000;
        guest_call1(f.cpu[0], smc ? &helper_hvc : &helper_smc, 0);
        g_assert_cmphex(f.cpu[0]->s.esr_el[1], ==, 0x02000000);
        g_assert_cmphex(f.cpu[0]->s.elr_el[1], ==, PC);
        g_assert_cmphex(f.cpu[0]->vcpu.slot[0], ==, 0x84000000);
    }
    fake_machine_free(f.m);
}

static void test_cpu_on(void)
{
    Fix f = setup();
    ArmCpu *one = f.cpu[1];

    g_assert_cmpint(call(f.cpu[0], 0xc4000004, 1, 0, 0), ==, 1);
    irq_set(&one->irq_in, true);
    one->s.tpidr_el[0] = 0x99;
    g_assert_cmpint(call(f.cpu[0], 0xc4000003, 1, 0x48000000, 0x123456789abc), ==, 0);
    g_assert_cmpuint(one->vcpu.powered_off, ==, 0);
    g_assert_cmpuint(one->vcpu.halted, ==, 0);
    g_assert_cmphex(one->vcpu.pc, ==, 0x48000000);
    g_assert_cmphex(one->vcpu.slot[0], ==, 0x123456789abc);
    g_assert_cmpuint(one->s.el, ==, 1);
    g_assert_cmphex(one->s.daif, ==, PSTATE_DAIF);
    g_assert_cmphex(one->s.tpidr_el[0], ==, 0);
    /* The interrupt controller still drives its line. */
    g_assert_true(arm_has_work(&one->vcpu));
    g_assert_cmpint(call(f.cpu[0], 0xc4000004, 1, 0, 0), ==, 0);
    g_assert_cmpint(call(f.cpu[0], 0xc4000003, 1, 0x48000000, 0), ==, -4);
    g_assert_cmpint(call(f.cpu[0], 0xc4000003, 3, 0x48000000, 0), ==, -2);
    g_assert_cmpint(call(f.cpu[0], 0xc4000003, 2, 0x48000002, 0), ==, -9);
    g_assert_cmpint(call(f.cpu[0], 0xc4000004, 2, 1, 0), ==, -2);
    g_assert_cmpint(call(f.cpu[0], 0xc4000004, 7, 0, 0), ==, -2);
    /* The 32-bit form looks at the low halves. */
    g_assert_cmpint(call(f.cpu[0], 0x84000003, 0xff00000002, 0x100048000000, 0x500000001), ==, 0);
    g_assert_cmphex(f.cpu[2]->vcpu.pc, ==, 0x48000000);
    g_assert_cmphex(f.cpu[2]->vcpu.slot[0], ==, 1);
    fake_machine_free(f.m);
}

static void test_off_and_suspend(void)
{
    Fix f = setup();

    g_assert_cmpint(call(f.cpu[0], 0xc4000001, 0, 0, 0), ==, 0);
    g_assert_cmpuint(f.cpu[0]->vcpu.halted, ==, 1);
    g_assert_cmpuint(f.cpu[0]->vcpu.powered_off, ==, 0);
    irq_set(&f.cpu[0]->irq_in, true);
    g_assert_true(arm_has_work(&f.cpu[0]->vcpu));
    call(f.cpu[0], 0x84000001, 0, 0, 0);
    g_assert_cmpuint(f.cpu[0]->vcpu.halted, ==, 0);
    call(f.cpu[0], 0x84000002, 0, 0, 0);
    g_assert_cmpuint(f.cpu[0]->vcpu.powered_off, ==, 1);
    g_assert_false(arm_has_work(&f.cpu[0]->vcpu));
    fake_machine_free(f.m);
}

static void test_system(void)
{
    Fix f = setup();

    call(f.cpu[0], 0x84000008, 0, 0, 0);
    g_assert_cmpuint(f.m->shutdown_request, ==, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    g_assert_cmpuint(f.m->reset_request, ==, SHUTDOWN_CAUSE_NONE);
    fake_machine_free(f.m);
    f = setup();
    call(f.cpu[0], 0x84000009, 0, 0, 0);
    g_assert_cmpuint(f.m->reset_request, ==, SHUTDOWN_CAUSE_GUEST_RESET);
    g_assert_cmpuint(f.m->shutdown_request, ==, SHUTDOWN_CAUSE_NONE);
    fake_machine_free(f.m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arm/psci/queries", test_queries);
    g_test_add_func("/arm/psci/wrong-conduit", test_wrong_conduit);
    g_test_add_func("/arm/psci/cpu-on", test_cpu_on);
    g_test_add_func("/arm/psci/off-and-suspend", test_off_and_suspend);
    g_test_add_func("/arm/psci/system", test_system);
    return g_test_run();
}
