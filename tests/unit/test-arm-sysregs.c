/*
 * System registers: the rows as a whole, access rights, masks, what the ID
 * registers claim, EL0 traps, TLB maintenance, address translation.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arm-fake-engine.h"
#include "target/arm/exceptions.h"
#include "target/arm/mmu.h"
#include "target/arm/sysreg-rows.h"
#include "target/arm/system.h"

#define K SYSREG_KEY
#define PC 0x8000ull
#define UNDEFINED 0x02000000u

static Machine *machine;

static ArmCpu *setup(const char *model)
{
    ArmCpu *cpu;

    machine = fake_machine();
    cpu = fake_cpu(machine, model);
    cpu->vcpu.pc = PC;
    return cpu;
}

static void el0(ArmCpu *cpu)
{
    arm_set_el_sp(cpu, 0, 0);
    cpu->vcpu.pc = PC;
    cpu->vcpu.exit_request = 0;
    cpu->s.esr_el[1] = 0;
}

static void el1(ArmCpu *cpu)
{
    arm_set_el_sp(cpu, 1, 1);
    cpu->vcpu.pc = PC;
    cpu->vcpu.exit_request = 0;
    cpu->s.esr_el[1] = 0;
}

/* The syndrome that an access takes, or 0 when it is allowed. */
static uint32_t try(ArmCpu *cpu, unsigned el, uint32_t key, bool write)
{
    uint64_t pc;

    (el ? el1 : el0)(cpu);
    if (write) {
        guest_write(cpu, key, 0);
    } else {
        guest_read(cpu, key);
    }
    pc = cpu->vcpu.pc;
    cpu->vcpu.pc = PC;
    if (pc == PC || pc == PC + 4) {
        return 0;
    }
    g_assert_cmphex(cpu->s.elr_el[1], ==, PC);
    return cpu->s.esr_el[1];
}

/* ---- the table ---- */

static void test_rows(void)
{
    unsigned total = 0;

    for (const SysRegChapter *const *c = sysreg_chapters; *c; c++) {
        for (unsigned i = 0; i < (*c)->num_rows; i++) {
            const SysReg *r = &(*c)->rows[i];

            g_assert_nonnull(r->name);
            g_assert_true(i == 0 || (*c)->rows[i - 1].key < r->key);
            /* Also: no other chapter has it. */
            g_assert_true(sysreg_find(r->key) == r);
            g_assert_cmpuint(r->key, <, 1 << 16);
            g_assert_true(r->min_el_read != SYSREG_NEVER || r->min_el_write != SYSREG_NEVER);
            /* The translator accesses these without asking. */
            if (r->flags & SYSREG_PLAIN) {
                g_assert_true(r->offset && !r->read && !r->write && !r->access);
            }
            if (r->flags & SYSREG_CONST) {
                g_assert_true(!r->read && !r->access && !r->offset);
            }
            total++;
        }
    }
    g_assert_cmpuint(total, >, 140);
    g_assert_null(sysreg_find(K(3, 4, 1, 0, 0)));       /* SCTLR_EL2 */
    g_assert_null(sysreg_find(K(3, 6, 1, 0, 0)));       /* SCTLR_EL3 */
    g_assert_null(sysreg_find(K(3, 3, 9, 12, 0)));      /* PMCR_EL0: PMUVer is 0 */
    g_assert_null(sysreg_find(K(3, 3, 2, 4, 0)));       /* RNDR */
    g_assert_null(sysreg_find(K(3, 0, 4, 2, 3)));       /* PAN */
    g_assert_null(sysreg_find(K(3, 0, 12, 12, 0)));     /* ICC_IAR1_EL1 */
    g_assert_nonnull(sysreg_find(K(2, 0, 0, 5, 5)));    /* DBGBCR5_EL1 */
    g_assert_null(sysreg_find(K(2, 0, 0, 6, 4)));       /* DBGBVR6_EL1 */
    g_assert_null(sysreg_find(K(2, 0, 0, 4, 6)));       /* DBGWVR4_EL1 */
}

/* Every row at both ELs, read and written, does what its rights say. */
static void test_rights(void)
{
    for (const SysRegChapter *const *c = sysreg_chapters; *c; c++) {
        for (unsigned i = 0; i < (*c)->num_rows; i++) {
            const SysReg *r = &(*c)->rows[i];

            for (unsigned n = 0; n < 4; n++) {
                bool write = n & 1;
                unsigned el = n >> 1, min = write ? r->min_el_write : r->min_el_read;
                ArmCpu *cpu = setup("cortex-a57");
                uint32_t esr;

                /* Nothing traps. */
                cpu->s.sctlr_el[1] |= SCTLR_UCI | SCTLR_UCT | SCTLR_UMA | SCTLR_DZE;
                cpu->s.cntkctl_el1 = 0x3ff;
                cpu->s.cpacr_el1 = CPACR_FPEN;
                esr = try(cpu, el, r->key, write);
                g_assert_cmphex(esr, ==, el < min ? UNDEFINED : 0);
                fake_machine_free(machine);
            }
        }
    }
}

static void test_unallocated(void)
{
    ArmCpu *cpu = setup("cortex-a57");

    g_assert_cmphex(try(cpu, 1, K(3, 4, 1, 0, 0), false), ==, UNDEFINED);
    g_assert_cmphex(try(cpu, 1, K(3, 3, 9, 12, 0), true), ==, UNDEFINED);
    g_assert_cmphex(cpu->s.elr_el[1], ==, PC);
    fake_machine_free(machine);
}

/* ---- masks ---- */

static void test_masks(void)
{
    static const struct {
        uint32_t key;
        uint64_t ones, zeros;       /* what is read after writing all ones, all zeros */
    } regs[] = {
        { K(3, 0, 1, 0, 0), 0x37ddda1f | 0x180, 0x30d00980 },      /* SCTLR_EL1 */
        { K(3, 0, 1, 0, 1), 0, 0 },                                 /* ACTLR_EL1 */
        { K(3, 0, 1, 0, 2), 0x300000, 0 },                          /* CPACR_EL1 */
        { K(3, 0, 2, 0, 0), 0xfffffffffffffffe, 0 },                /* TTBR0_EL1 */
        { K(3, 0, 2, 0, 1), 0xfffffffffffffffe, 0 },                /* TTBR1_EL1 */
        { K(3, 0, 2, 0, 2), 0x77ffffffbf, 0 },                      /* TCR_EL1 */
        { K(3, 0, 4, 0, 0), 0xf03003df, 0 },                        /* SPSR_EL1 */
        { K(3, 0, 4, 0, 1), UINT64_MAX, 0 },                        /* ELR_EL1 */
        { K(3, 0, 4, 1, 0), UINT64_MAX, 0 },                        /* SP_EL0 */
        { K(3, 0, 5, 1, 0), 0, 0 },                                 /* AFSR0_EL1 */
        { K(3, 0, 5, 2, 0), 0xffffffff, 0 },                        /* ESR_EL1 */
        { K(3, 0, 6, 0, 0), UINT64_MAX, 0 },                        /* FAR_EL1 */
        { K(3, 0, 7, 4, 0), 0xff00fffffffffbff, 0x800 },            /* PAR_EL1 */
        { K(3, 0, 10, 2, 0), UINT64_MAX, 0 },                       /* MAIR_EL1 */
        { K(3, 0, 12, 0, 0), 0xfffffffffffff800, 0 },               /* VBAR_EL1 */
        { K(3, 0, 13, 0, 1), 0xffffffff, 0 },                       /* CONTEXTIDR_EL1 */
        { K(3, 0, 13, 0, 4), UINT64_MAX, 0 },                       /* TPIDR_EL1 */
        { K(3, 3, 13, 0, 2), UINT64_MAX, 0 },                       /* TPIDR_EL0 */
        { K(3, 3, 13, 0, 3), UINT64_MAX, 0 },                       /* TPIDRRO_EL0 */
        { K(3, 3, 4, 2, 0), 0xf0000000, 0 },                        /* NZCV */
        { K(3, 3, 4, 2, 1), 0x3c0, 0 },                             /* DAIF */
        { K(3, 3, 4, 4, 0), 0x07c00000, 0 },                        /* FPCR */
        { K(3, 3, 4, 4, 1), 0x0800009f, 0 },                        /* FPSR */
        { K(3, 0, 14, 1, 0), 0x3ff, 0 },                            /* CNTKCTL_EL1 */
        { K(3, 3, 14, 0, 0), 0xffffffff, 0 },                       /* CNTFRQ_EL0 */
        { K(3, 3, 14, 2, 2), UINT64_MAX, 0 },                       /* CNTP_CVAL_EL0 */
        { K(3, 3, 14, 3, 1), 3, 0 },                                /* CNTV_CTL_EL0 */
        { K(3, 2, 0, 0, 0), 0xf, 0 },                               /* CSSELR_EL1 */
        { K(2, 0, 0, 2, 2), 0xf001, 0 },                            /* MDSCR_EL1 */
        { K(2, 0, 1, 3, 4), 1, 0 },                                 /* OSDLR_EL1 */
        { K(2, 0, 0, 1, 4), 0xfffffffffffffffc, 0 },                /* DBGBVR1_EL1 */
        { K(2, 0, 0, 1, 5), 0xffe1e7, 0x1e0 },                      /* DBGBCR1_EL1 */
        { K(2, 0, 0, 5, 4), UINT64_MAX, 0 },                        /* DBGBVR5_EL1 */
        { K(2, 0, 0, 0, 7), 0x1f1fffff, 0 },                        /* DBGWCR0_EL1 */
    };
    ArmCpu *cpu = setup("cortex-a57");

    cpu->s.cpacr_el1 = CPACR_FPEN;
    for (unsigned i = 0; i < ARRAY_SIZE(regs); i++) {
        cpu->s.cnt_cval[0] = cpu->s.cnt_cval[1] = UINT64_MAX;
        guest_write(cpu, regs[i].key, UINT64_MAX);
        g_assert_cmphex(guest_read(cpu, regs[i].key), ==, regs[i].ones);
        guest_write(cpu, regs[i].key, 0);
        g_assert_cmphex(guest_read(cpu, regs[i].key), ==, regs[i].zeros);
        /* CPACR_EL1 = 0 would trap FPCR. */
        cpu->s.cpacr_el1 = CPACR_FPEN;
    }
    fake_machine_free(machine);
}

static void test_oslock_and_claim(void)
{
    ArmCpu *cpu = setup("cortex-a57");

    g_assert_cmphex(guest_read(cpu, K(2, 0, 1, 1, 4)), ==, 0xa);
    guest_write(cpu, K(2, 0, 1, 0, 4), 0);
    g_assert_cmphex(guest_read(cpu, K(2, 0, 1, 1, 4)), ==, 0x8);
    guest_write(cpu, K(2, 0, 1, 0, 4), 1);
    g_assert_cmphex(guest_read(cpu, K(2, 0, 1, 1, 4)), ==, 0xa);
    guest_write(cpu, K(2, 0, 7, 8, 6), 0x1f5);
    g_assert_cmphex(guest_read(cpu, K(2, 0, 7, 8, 6)), ==, 0xff);
    g_assert_cmphex(guest_read(cpu, K(2, 0, 7, 9, 6)), ==, 0xf5);
    guest_write(cpu, K(2, 0, 7, 9, 6), 0x05);
    g_assert_cmphex(guest_read(cpu, K(2, 0, 7, 9, 6)), ==, 0xf0);
    fake_machine_free(machine);
}

/* SP_EL0 while it is the current SP; SPSel. */
static void test_stack_pointers(void)
{
    ArmCpu *cpu = setup("cortex-a57");

    cpu->vcpu.slot[SLOT_SP] = 0x1111;
    guest_write(cpu, K(3, 0, 4, 1, 0), 0x2222);
    g_assert_cmphex(cpu->vcpu.slot[SLOT_SP], ==, 0x1111);
    g_assert_cmphex(guest_read(cpu, K(3, 0, 4, 2, 0)), ==, 1);
    guest_write(cpu, K(3, 0, 4, 2, 0), 0);
    g_assert_cmphex(cpu->vcpu.slot[SLOT_SP], ==, 0x2222);
    g_assert_cmphex(guest_read(cpu, K(3, 0, 4, 2, 0)), ==, 0);
    g_assert_false(cpu->vcpu.mode & MODE_SPSEL);
    guest_read(cpu, K(3, 0, 4, 1, 0));
    g_assert_cmphex(cpu->s.esr_el[1], ==, UNDEFINED);
    /* Taken to EL1h; SP_EL0 reads what slot 31 was. */
    g_assert_cmphex(guest_read(cpu, K(3, 0, 4, 1, 0)), ==, 0x2222);
    g_assert_cmphex(guest_read(cpu, K(3, 0, 4, 2, 2)), ==, 4);
    fake_machine_free(machine);
}

/* ---- identification ---- */

static void test_id(void)
{
    static const struct {
        const char *model;
        uint64_t midr, mmfr0, ctr;
    } models[] = {
        { "cortex-a53", 0x410fd034, 0x0122, 0x84448004 },
        { "cortex-a57", 0x411fd070, 0x0124, 0x8444c004 },
        { "cortex-a72", 0x410fd083, 0x0124, 0x8444c004 },
        { "max", 0x000f0520, 0x100124, 0x8444c004 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(models); i++) {
        ArmCpu *cpu = setup(models[i].model);

        g_assert_cmphex(guest_read(cpu, K(3, 0, 0, 0, 0)), ==, models[i].midr);
        g_assert_cmphex(guest_read(cpu, K(3, 0, 0, 0, 6)), ==, 0);
        g_assert_cmphex(guest_read(cpu, K(3, 0, 0, 4, 0)), ==, 0x11);
        g_assert_cmphex(guest_read(cpu, K(3, 0, 0, 5, 0)), ==, 0x10305006);
        g_assert_cmphex(guest_read(cpu, K(3, 0, 0, 6, 0)), ==, 0x11120);
        g_assert_cmphex(guest_read(cpu, K(3, 0, 0, 7, 0)), ==, models[i].mmfr0);
        g_assert_cmphex(guest_read(cpu, K(3, 3, 0, 0, 1)), ==, models[i].ctr);
        g_assert_cmphex(guest_read(cpu, K(3, 3, 0, 0, 7)), ==, 4);
        g_assert_cmphex(guest_read(cpu, K(3, 1, 0, 0, 1)), ==, 0x0a200023);
        /* All else is allocated and zero, but MPIDR and what CRm = 0 leaves out. */
        for (unsigned crm = 1; crm < 8; crm++) {
            for (unsigned op2 = 0; op2 < 8; op2++) {
                if (crm < 4 || op2 != 0) {
                    g_assert_nonnull(sysreg_find(K(3, 0, 0, crm, op2)));
                    g_assert_cmphex(guest_read(cpu, K(3, 0, 0, crm, op2)), ==, 0);
                }
            }
        }
        g_assert_cmphex(cpu->s.esr_el[1], ==, 0);
        fake_machine_free(machine);
    }
}

static void test_caches(void)
{
    ArmCpu *cpu = setup("cortex-a57");
    static const uint32_t ccsidr[] = { 0x701fe00a, 0x201fe012, 0x70ffe07a, 0, 0 };

    for (unsigned i = 0; i < ARRAY_SIZE(ccsidr); i++) {
        guest_write(cpu, K(3, 2, 0, 0, 0), i);
        g_assert_cmphex(guest_read(cpu, K(3, 1, 0, 0, 0)), ==, ccsidr[i]);
    }
    fake_machine_free(machine);
}

static void test_mpidr(void)
{
    setup("cortex-a57");
    for (unsigned i = 1; i < 10; i++) {
        fake_cpu(machine, "cortex-a57");
    }
    g_assert_cmphex(guest_read(arm_cpu(machine->cpus[0]), K(3, 0, 0, 0, 5)), ==, 0x80000000);
    g_assert_cmphex(guest_read(arm_cpu(machine->cpus[7]), K(3, 0, 0, 0, 5)), ==, 0x80000007);
    g_assert_cmphex(guest_read(arm_cpu(machine->cpus[9]), K(3, 0, 0, 0, 5)), ==, 0x80000101);
    fake_machine_free(machine);
}

/* ---- traps of EL0 ---- */

static void test_el0_traps(void)
{
    static const struct {
        uint32_t key;
        bool write, cntkctl;
        uint64_t enable;
    } cases[] = {
        { K(3, 3, 0, 0, 1), false, false, SCTLR_UCT },
        { K(3, 3, 4, 2, 1), false, false, SCTLR_UMA },
        { K(3, 3, 4, 2, 1), true, false, SCTLR_UMA },
        { K(1, 3, 7, 5, 1), true, false, SCTLR_UCI },
        { K(1, 3, 7, 10, 1), true, false, SCTLR_UCI },
        { K(1, 3, 7, 11, 1), true, false, SCTLR_UCI },
        { K(1, 3, 7, 14, 1), true, false, SCTLR_UCI },
        { K(1, 3, 7, 4, 1), true, false, SCTLR_DZE },
        { K(3, 3, 14, 0, 0), false, true, 1 }, { K(3, 3, 14, 0, 0), false, true, 2 },
        { K(3, 3, 14, 0, 1), false, true, 1 }, { K(3, 3, 14, 0, 2), false, true, 2 },
        { K(3, 3, 14, 2, 0), false, true, 0x200 }, { K(3, 3, 14, 2, 1), true, true, 0x200 },
        { K(3, 3, 14, 3, 1), true, true, 0x100 }, { K(3, 3, 14, 3, 2), false, true, 0x100 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        ArmCpu *cpu = setup("cortex-a57");
        uint32_t key = cases[i].key, rt = 19;
        uint32_t esr = 0x62000000 | (key >> 14) << 20 | (key & 7) << 17 | (key >> 11 & 7) << 14 |
                       (key >> 7 & 15) << 10 | rt << 5 | (key >> 3 & 15) << 1 | !cases[i].write;
        uint64_t all = SCTLR_UCI | SCTLR_UCT | SCTLR_UMA | SCTLR_DZE;

        fake_insn = 0xd5000000 | rt;
        cpu->s.sctlr_el[1] |= all;
        cpu->s.cntkctl_el1 = 0x3ff;
        g_assert_cmphex(try(cpu, 0, key, cases[i].write), ==, 0);
        if (cases[i].cntkctl) {
            cpu->s.cntkctl_el1 = key == K(3, 3, 14, 0, 0) ? 0 : 0x3ff & ~cases[i].enable;
        } else {
            cpu->s.sctlr_el[1] &= ~cases[i].enable;
        }
        g_assert_cmphex(try(cpu, 0, key, cases[i].write), ==, esr);
        g_assert_cmphex(try(cpu, 1, key, cases[i].write), ==, 0);
        if (cases[i].cntkctl) {
            cpu->s.cntkctl_el1 = cases[i].enable;
            g_assert_cmphex(try(cpu, 0, key, cases[i].write), ==, 0);
        }
        fake_machine_free(machine);
    }
}

static void test_dczid_prohibited(void)
{
    ArmCpu *cpu = setup("cortex-a57");

    el0(cpu);
    g_assert_cmphex(guest_read(cpu, K(3, 3, 0, 0, 7)), ==, 0x14);
    cpu->s.sctlr_el[1] |= SCTLR_DZE;
    g_assert_cmphex(guest_read(cpu, K(3, 3, 0, 0, 7)), ==, 4);
    fake_machine_free(machine);
}

static void test_fp_trap(void)
{
    ArmCpu *cpu = setup("cortex-a57");

    for (unsigned fpen = 0; fpen < 4; fpen++) {
        cpu->s.cpacr_el1 = (uint64_t)fpen << 20;
        g_assert_cmphex(try(cpu, 0, K(3, 3, 4, 4, 0), false), ==, fpen == 3 ? 0 : 0x1fe00000);
        g_assert_cmphex(try(cpu, 1, K(3, 3, 4, 4, 1), true), ==, fpen & 1 ? 0 : 0x1fe00000);
    }
    fake_machine_free(machine);
}

/* ---- system instructions ---- */

/* The soft TLB needs no telling; EL0 has no access, and unallocated forms are undefined. */
static void test_tlbi(void)
{
    static const uint8_t forms[] = { 0, 1, 2, 3, 5, 7 };
    ArmCpu *cpu = setup("cortex-a57");

    for (unsigned op2 = 0; op2 < 8; op2++) {
        bool allocated = memchr(forms, op2, sizeof(forms)) != NULL;
        const SysReg *local = sysreg_find(K(1, 0, 8, 7, op2));
        const SysReg *shared = sysreg_find(K(1, 0, 8, 3, op2));

        g_assert_cmpint(local != NULL, ==, allocated);
        g_assert_cmpint(shared != NULL, ==, allocated);
        if (allocated) {
            g_assert_true(local->flags & shared->flags & SYSREG_NOP);
            g_assert_cmpuint(local->min_el_write, ==, 1);
            guest_write(cpu, K(1, 0, 8, 3, op2), 0xabcd0fffff234567ull);
        }
    }
    fake_machine_free(machine);
}

static uint64_t at(ArmCpu *cpu, unsigned op2, uint64_t vaddr)
{
    guest_write(cpu, K(1, 0, 7, 8, op2), vaddr);
    return guest_read(cpu, K(3, 0, 7, 4, 0));
}

static void test_at(void)
{
    ArmCpu *cpu = setup("cortex-a57");

    g_assert_cmphex(at(cpu, 0, 0x12345678), ==, 0x12345900);    /* MMU off: Device, SH 2 */
    cpu->s.sctlr_el[1] |= SCTLR_M;
    cpu->s.tcr_el[1] = 5ull << 32 | 25 | 25 << 16 | 2ull << 30;
    cpu->s.ttbr_el[1][0] = 0x40000000;
    cpu->s.mair_el[1] = 0xff;
    mem_set(0x40000000, 0x80000000 | BIT64(10) | BIT64(7) | 3 << 8 | 1);    /* EL1 read-only */
    g_assert_cmphex(at(cpu, 0, 0x5678), ==, 0xff00000080005980);
    g_assert_cmphex(at(cpu, 1, 0x5678), ==, 0x801 | 0x0d << 1);
    g_assert_cmphex(at(cpu, 2, 0x5678), ==, 0x801 | 0x0d << 1);
    g_assert_cmphex(at(cpu, 3, 0x5678), ==, 0x801 | 0x0d << 1);
    mem_set(0x40000000, 0);
    g_assert_cmphex(at(cpu, 0, 0x5678), ==, 0x801 | 0x05 << 1);
    g_assert_cmphex(cpu->s.esr_el[1], ==, 0);
    /* An external abort of the walk is an exception. */
    cpu->s.ttbr_el[1][0] = 0x50000000;
    cpu->vcpu.pc = PC;
    guest_write(cpu, K(1, 0, 7, 8, 0), 0x5678);
    g_assert_cmphex(cpu->s.esr_el[1], ==, 0x96000155);
    g_assert_cmphex(cpu->s.far_el[1], ==, 0x5678);
    g_assert_cmphex(cpu->s.elr_el[1], ==, PC);
    g_assert_cmphex(cpu->vcpu.pc, ==, 0x200);
    fake_machine_free(machine);
}

/* DC and IC by address: translation, and rights as a load's, of DC IVAC as a store's. */
static void test_cache_faults(void)
{
    static const struct {
        uint32_t key;
        unsigned el;
        uint64_t desc;
        uint32_t esr;       /* 0: none */
    } cases[] = {
        { K(1, 3, 7, 10, 1), 1, 0, 0x96000145 },                    /* DC CVAC, not mapped */
        { K(1, 3, 7, 11, 1), 1, 0, 0x96000145 },                    /* DC CVAU */
        { K(1, 3, 7, 14, 1), 1, 0, 0x96000145 },                    /* DC CIVAC */
        { K(1, 3, 7, 5, 1), 1, 0, 0x96000145 },                     /* IC IVAU */
        { K(1, 0, 7, 6, 1), 1, 0, 0x96000145 },                     /* DC IVAC */
        { K(1, 3, 7, 5, 1), 0, 0, 0x92000145 },
        { K(1, 3, 7, 10, 1), 1, 1, 0x96000149 },                    /* access flag */
        { K(1, 3, 7, 10, 1), 1, BIT64(10) | BIT64(7) | 1, 0 },      /* EL1 read-only */
        { K(1, 0, 7, 6, 1), 1, BIT64(10) | BIT64(7) | 1, 0x9600014d },
        { K(1, 0, 7, 6, 1), 1, BIT64(10) | 1, 0 },
        { K(1, 3, 7, 10, 1), 0, BIT64(10) | 1, 0x9200014d },        /* not EL0's */
        { K(1, 3, 7, 5, 1), 0, BIT64(10) | 1, 0x9200014d },
        { K(1, 3, 7, 5, 1), 0, BIT64(10) | 3 << 6 | 1, 0 },
        { K(1, 0, 7, 6, 2), 1, 0, 0 },                              /* DC ISW */
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        ArmCpu *cpu = setup("cortex-a57");

        cpu->s.sctlr_el[1] |= SCTLR_M | SCTLR_UCI;
        cpu->s.tcr_el[1] = 5ull << 32 | 25 | 25 << 16 | 2ull << 30;
        cpu->s.ttbr_el[1][0] = 0x40000000;
        mem_set(0x40000000, cases[i].desc ? cases[i].desc | 0x80000000 : 0);
        (cases[i].el ? el1 : el0)(cpu);
        guest_write(cpu, cases[i].key, 0x5678);
        g_assert_cmphex(cpu->s.esr_el[1], ==, cases[i].esr);
        if (cases[i].esr) {
            g_assert_cmphex(cpu->s.far_el[1], ==, 0x5678);
            g_assert_cmphex(cpu->s.elr_el[1], ==, PC);
        }
        fake_machine_free(machine);
    }
}

/* A helper that finds exit_request set, but raised nothing, moves on. */
static void test_pc_after_write(void)
{
    ArmCpu *cpu = setup("cortex-a57");

    guest_write(cpu, K(3, 0, 2, 0, 0), 0x1000);
    g_assert_cmphex(cpu->vcpu.pc, ==, PC);
    cpu->vcpu.exit_request = 1;
    guest_write(cpu, K(3, 0, 2, 0, 0), 0x2000);
    g_assert_cmphex(cpu->vcpu.pc, ==, PC + 4);
    fake_machine_free(machine);
}

static void test_isr(void)
{
    ArmCpu *cpu = setup("cortex-a57");

    irq_set(&cpu->irq_in, true);
    g_assert_cmphex(guest_read(cpu, K(3, 0, 12, 1, 0)), ==, 0x80);
    irq_set(&cpu->fiq_in, true);
    g_assert_cmphex(guest_read(cpu, K(3, 0, 12, 1, 0)), ==, 0xc0);
    fake_machine_free(machine);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arm/sysregs/rows", test_rows);
    g_test_add_func("/arm/sysregs/rights", test_rights);
    g_test_add_func("/arm/sysregs/unallocated", test_unallocated);
    g_test_add_func("/arm/sysregs/masks", test_masks);
    g_test_add_func("/arm/sysregs/oslock-and-claim", test_oslock_and_claim);
    g_test_add_func("/arm/sysregs/stack-pointers", test_stack_pointers);
    g_test_add_func("/arm/sysregs/id", test_id);
    g_test_add_func("/arm/sysregs/caches", test_caches);
    g_test_add_func("/arm/sysregs/mpidr", test_mpidr);
    g_test_add_func("/arm/sysregs/el0-traps", test_el0_traps);
    g_test_add_func("/arm/sysregs/dczid-prohibited", test_dczid_prohibited);
    g_test_add_func("/arm/sysregs/fp-trap", test_fp_trap);
    g_test_add_func("/arm/sysregs/tlbi", test_tlbi);
    g_test_add_func("/arm/sysregs/at", test_at);
    g_test_add_func("/arm/sysregs/cache-faults", test_cache_faults);
    g_test_add_func("/arm/sysregs/pc-after-write", test_pc_after_write);
    g_test_add_func("/arm/sysregs/isr", test_isr);
    return g_test_run();
}
