/*
 * Exception entry and return, interrupts, aborts, software step, WFI, and the
 * state of a CPU as a whole: reset, save, load, digest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arm-fake-engine.h"
#include "accel/tcg/nzcv.h"
#include "hw/core/bus.h"
#include "target/arm/exceptions.h"
#include "target/arm/syndrome.h"
#include "target/arm/system.h"
#include "util/digest.h"

#define VBAR 0xffff800000010800ull
#define PC 0x401234ull
#define N_AND_C 0xa0000000u

typedef struct Fix {
    Machine *m;
    ArmCpu *cpu;
    ArmState *s;
    Vcpu *vcpu;
} Fix;

static Fix setup(void)
{
    Fix f;

    f.m = fake_machine();
    f.cpu = fake_cpu(f.m, "cortex-a57");
    f.s = &f.cpu->s;
    f.vcpu = &f.cpu->vcpu;
    f.s->vbar_el[1] = VBAR;
    f.s->daif = 0;
    f.vcpu->pc = PC;
    f.vcpu->nzcv = nzcv_pack(N_AND_C);
    arm_sp_write(f.cpu, 0, 0xe0);
    arm_sp_write(f.cpu, 1, 0xe1);
    return f;
}

static void go_el(Fix *f, unsigned el, unsigned spsel)
{
    arm_set_el_sp(f->cpu, el, spsel);
}

static void assert_entry(Fix *f, uint64_t offset, uint64_t elr, uint32_t spsr)
{
    g_assert_cmphex(f->vcpu->pc, ==, VBAR + offset);
    g_assert_cmphex(f->s->elr_el[1], ==, elr);
    g_assert_cmphex(f->s->spsr_el[1], ==, spsr);
    g_assert_cmpuint(f->s->el, ==, 1);
    g_assert_cmpuint(f->s->spsel, ==, 1);
    g_assert_cmphex(f->s->daif, ==, PSTATE_DAIF);
    g_assert_cmpuint(f->s->il, ==, 0);
    g_assert_cmpuint(f->s->ss, ==, 0);
    g_assert_cmphex(f->vcpu->slot[SLOT_SP], ==, 0xe1);
    g_assert_cmpuint(mode_el(f->vcpu->mode), ==, 1);
}

/* ---- entry ---- */

static void test_svc(void)
{
    static const struct {
        unsigned el, spsel, offset;
        uint32_t m;
    } from[] = { { 0, 0, 0x400, 0 }, { 1, 0, 0x000, 4 }, { 1, 1, 0x200, 5 } };

    for (unsigned i = 0; i < ARRAY_SIZE(from); i++) {
        Fix f = setup();

        go_el(&f, from[i].el, from[i].spsel);
        g_assert_cmphex(f.vcpu->slot[SLOT_SP], ==, from[i].spsel ? 0xe1 : 0xe0);
        f.s->daif = PSTATE_I;
        f.vcpu->slot[SLOT_SP] += 0x100;
        guest_call1(f.cpu, &helper_svc, 0x1234);
        if (from[i].spsel) {
            f.vcpu->slot[SLOT_SP] -= 0x100;
        } else {
            g_assert_cmphex(arm_sp_read(f.cpu, 0), ==, 0x1e0);
        }
        assert_entry(&f, from[i].offset, PC + 4, N_AND_C | PSTATE_I | from[i].m);
        g_assert_cmphex(f.s->esr_el[1], ==, 0x56001234);
        g_assert_cmpuint(f.vcpu->exit_request, ==, 1);
        fake_machine_free(f.m);
    }
}

static void test_sync_helpers(void)
{
    Fix f = setup();

    f.s->far_el[1] = 0x77;
    guest_call1(f.cpu, &helper_exception, syndrome(EC_BRK, 7));
    assert_entry(&f, 0x200, PC, N_AND_C | 5);
    g_assert_cmphex(f.s->esr_el[1], ==, 0xf2000007);
    g_assert_cmphex(f.s->far_el[1], ==, 0x77);
    /* PC alignment faults say where. */
    f.vcpu->pc = PC + 2;
    guest_call1(f.cpu, &helper_exception, syndrome(EC_PC_ALIGNMENT, 0));
    g_assert_cmphex(f.s->far_el[1], ==, PC + 2);
    g_assert_cmphex(f.s->elr_el[1], ==, PC + 2);
    g_assert_cmphex(f.s->esr_el[1], ==, 0x8a000000);
    /* IL is saved and cleared. */
    f.s->il = 1;
    guest_call1(f.cpu, &helper_exception, syndrome(EC_ILLEGAL_STATE, 0));
    g_assert_true(f.s->spsr_el[1] & PSTATE_IL);
    g_assert_cmpuint(f.s->il, ==, 0);
    fake_machine_free(f.m);
}

typedef struct Heard {
    unsigned count, vector;
    uint64_t pc;
} Heard;

static void hear(void *opaque, unsigned vector, uint64_t pc)
{
    Heard *h = opaque;

    h->count++;
    h->vector = vector;
    h->pc = pc;
}

static void test_hook(void)
{
    Fix f = setup();
    Heard h = { 0 };

    f.vcpu->exception_hook = hear;
    f.vcpu->exception_hook_opaque = &h;
    go_el(&f, 0, 0);
    f.s->irq_level = ARM_IRQ;
    g_assert_true(arm_take_interrupt(f.vcpu));
    g_assert_cmpuint(h.count, ==, 1);
    g_assert_cmphex(h.vector, ==, 0x480);
    g_assert_cmphex(h.pc, ==, PC);
    arm_raise_external(f.vcpu, 0, MMU_READ);
    g_assert_cmpuint(h.count, ==, 2);
    g_assert_cmphex(h.vector, ==, 0x200);
    fake_machine_free(f.m);
}

static void test_aborts(void)
{
    static const struct {
        unsigned el;
        MmuAccess access;
        uint32_t fault, esr;
    } cases[] = {
        { 0, MMU_READ, 0x07, 0x92000007 }, { 0, MMU_WRITE, 0x0f, 0x9200004f },
        { 1, MMU_READ, 0x09, 0x96000009 }, { 1, MMU_WRITE, 0x04, 0x96000044 },
        { 0, MMU_FETCH, 0x0f, 0x8200000f }, { 1, MMU_FETCH, 0x06, 0x86000006 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        Fix f = setup();

        go_el(&f, cases[i].el, cases[i].el);
        arm_raise_abort(f.vcpu, 0xdeadbeef, cases[i].access, cases[i].fault, false);
        assert_entry(&f, cases[i].el ? 0x200 : 0x400, PC, N_AND_C | (cases[i].el ? 5 : 0));
        g_assert_cmphex(f.s->esr_el[1], ==, cases[i].esr);
        g_assert_cmphex(f.s->far_el[1], ==, 0xdeadbeef);
        fake_machine_free(f.m);
    }
}

static void test_alignment_and_external(void)
{
    Fix f = setup();

    arm_raise_alignment(f.vcpu, 0x1001, MMU_WRITE);
    g_assert_cmphex(f.s->esr_el[1], ==, 0x96000061);
    g_assert_cmphex(f.s->far_el[1], ==, 0x1001);
    arm_raise_external(f.vcpu, 0x2000, MMU_READ);
    g_assert_cmphex(f.s->esr_el[1], ==, 0x96000010);
    arm_raise_external(f.vcpu, 0x3000, MMU_FETCH);
    g_assert_cmphex(f.s->esr_el[1], ==, 0x86000010);
    /* A misaligned SP as the base goes before all of them, and leaves FAR alone. */
    fake_sp_misaligned = true;
    arm_raise_abort(f.vcpu, 0x4000, MMU_READ, 0x04, false);
    g_assert_cmphex(f.s->esr_el[1], ==, 0x9a000000);
    g_assert_cmphex(f.s->far_el[1], ==, 0x3000);
    fake_machine_free(f.m);
}

/* ---- interrupts ---- */

static void test_interrupts(void)
{
    Fix f = setup();

    g_assert_false(arm_take_interrupt(f.vcpu));
    g_assert_false(arm_has_work(f.vcpu));
    irq_set(&f.cpu->irq_in, true);
    g_assert_true(f.vcpu->irq_pending);
    f.s->daif = PSTATE_I;
    g_assert_false(arm_take_interrupt(f.vcpu));
    g_assert_true(arm_has_work(f.vcpu));
    f.s->daif = 0;
    g_assert_true(arm_take_interrupt(f.vcpu));
    assert_entry(&f, 0x280, PC, N_AND_C | 5);
    g_assert_false(arm_take_interrupt(f.vcpu));
    /* FIQ first; the lines are apart. */
    f.s->daif = 0;
    f.vcpu->pc = PC;
    irq_set(&f.cpu->fiq_in, true);
    g_assert_true(arm_take_interrupt(f.vcpu));
    assert_entry(&f, 0x300, PC, N_AND_C | 5);
    irq_set(&f.cpu->irq_in, false);
    g_assert_true(f.vcpu->irq_pending);
    irq_set(&f.cpu->fiq_in, false);
    g_assert_false(f.vcpu->irq_pending);
    fake_machine_free(f.m);
}

static void test_wfi(void)
{
    Fix f = setup();

    guest_call0(f.cpu, &helper_wfi);
    g_assert_cmphex(f.vcpu->pc, ==, PC + 4);
    g_assert_cmpuint(f.vcpu->halted, ==, 1);
    /* The interrupt returns behind the WFI. */
    irq_set(&f.cpu->irq_in, true);
    g_assert_true(arm_take_interrupt(f.vcpu));
    g_assert_cmpuint(f.vcpu->halted, ==, 0);
    g_assert_cmphex(f.s->elr_el[1], ==, PC + 4);
    /* One that is pending already, masked or not: no wait. */
    f.vcpu->pc = PC;
    guest_call0(f.cpu, &helper_wfi);
    g_assert_cmpuint(f.vcpu->halted, ==, 0);
    irq_set(&f.cpu->irq_in, false);
    /* EL0: SCTLR_EL1.nTWI. */
    go_el(&f, 0, 0);
    f.vcpu->pc = PC;
    f.s->sctlr_el[1] &= ~SCTLR_NTWI;
    guest_call0(f.cpu, &helper_wfi);
    g_assert_cmphex(f.s->esr_el[1], ==, 0x07e00000);
    g_assert_cmphex(f.s->elr_el[1], ==, PC);
    g_assert_cmpuint(f.vcpu->halted, ==, 0);
    f.vcpu->pc = PC;
    guest_call0(f.cpu, &helper_wfe);
    g_assert_cmphex(f.vcpu->pc, ==, PC + 4);
    g_assert_cmpuint(f.vcpu->halted, ==, 0);
    fake_machine_free(f.m);
}

/* ---- return ---- */

static void eret(Fix *f, uint32_t spsr)
{
    f->s->elr_el[1] = 0x555000;
    f->s->spsr_el[1] = spsr;
    f->vcpu->excl_addr = 0x1000;
    guest_call0(f->cpu, &helper_eret);
    g_assert_cmphex(f->vcpu->pc, ==, 0x555000);
    g_assert_cmphex(f->vcpu->excl_addr, ==, UINT64_MAX);
}

static void test_eret(void)
{
    Fix f = setup();

    eret(&f, 0x60000000 | PSTATE_A | 0);
    g_assert_cmpuint(f.s->el, ==, 0);
    g_assert_cmphex(f.vcpu->slot[SLOT_SP], ==, 0xe0);
    g_assert_cmphex(f.s->daif, ==, PSTATE_A);
    g_assert_cmphex(nzcv_unpack(f.vcpu->nzcv), ==, 0x60000000);
    g_assert_cmpuint(f.s->il, ==, 0);
    g_assert_cmphex(arm_sp_read(f.cpu, 1), ==, 0xe1);
    go_el(&f, 1, 1);
    eret(&f, 4);
    g_assert_cmpuint(f.s->el, ==, 1);
    g_assert_cmpuint(f.s->spsel, ==, 0);
    eret(&f, 5 | PSTATE_IL);
    g_assert_cmpuint(f.s->spsel, ==, 1);
    g_assert_cmpuint(f.s->il, ==, 1);
    g_assert_true(f.vcpu->mode & MODE_IL);
    fake_machine_free(f.m);
}

/* Every M that is not EL0t, EL1t, EL1h: the state stays, PSTATE.IL is set. */
static void test_illegal_return(void)
{
    for (uint32_t m = 0; m < 32; m++) {
        Fix f = setup();

        if (m == 0 || m == 4 || m == 5) {
            fake_machine_free(f.m);
            continue;
        }
        eret(&f, m | PSTATE_F | 0x10000000);
        g_assert_cmpuint(f.s->el, ==, 1);
        g_assert_cmpuint(f.s->spsel, ==, 1);
        g_assert_cmpuint(f.s->il, ==, 1);
        g_assert_cmphex(f.s->daif, ==, PSTATE_F);
        g_assert_cmphex(nzcv_unpack(f.vcpu->nzcv), ==, 0x10000000);
        g_assert_cmphex(f.vcpu->slot[SLOT_SP], ==, 0xe1);
        fake_machine_free(f.m);
    }
}

static void test_undefined_calls(void)
{
    Fix f = setup();

    go_el(&f, 0, 0);
    guest_call0(f.cpu, &helper_eret);
    assert_entry(&f, 0x400, PC, N_AND_C);
    g_assert_cmphex(f.s->esr_el[1], ==, 0x02000000);
    f.vcpu->pc = PC;
    guest_call1(f.cpu, &helper_smc, 0);     /* the conduit is HVC */
    assert_entry(&f, 0x200, PC, N_AND_C | PSTATE_DAIF | 5);
    g_assert_cmphex(f.s->esr_el[1], ==, 0x02000000);
    f.vcpu->pc = PC;
    guest_call2(f.cpu, &helper_msr_imm, MSR_IMM_PAN, 1);
    g_assert_cmphex(f.s->esr_el[1], ==, 0x02000000);
    f.vcpu->pc = PC;
    guest_call2(f.cpu, &helper_msr_imm, MSR_IMM_SPSEL, 0);
    g_assert_cmphex(f.vcpu->pc, ==, PC + 4);
    g_assert_cmphex(f.vcpu->slot[SLOT_SP], ==, 0xe0);
    g_assert_false(f.vcpu->mode & MODE_SPSEL);
    fake_machine_free(f.m);
}

/* ---- software step ---- */

static void test_step(void)
{
    Fix f = setup();

    f.s->oslsr_el1 = OSLSR_OSLM;
    f.s->mdscr_el1 = MDSCR_SS;
    vcpu_space_changed(f.vcpu);
    g_assert_false(f.vcpu->mode & MODE_SS);
    /* From EL1 with stepping inactive to EL0: PSTATE.SS comes from the SPSR. */
    eret(&f, PSTATE_SS | 0);
    g_assert_cmpuint(f.s->ss, ==, 1);
    g_assert_true(f.vcpu->mode & MODE_SS);
    f.vcpu->exit_request = 0;
    guest_call0(f.cpu, &helper_software_step);
    g_assert_cmpuint(f.vcpu->exit_request, ==, 0);
    f.s->ss = 0;
    f.vcpu->pc = PC;
    guest_call0(f.cpu, &helper_software_step);
    assert_entry(&f, 0x400, PC, 0);
    g_assert_cmphex(f.s->esr_el[1], ==, 0xca000022);
    /* The OS lock and MDSCR_EL1.SS = 0 switch it off. */
    f.s->oslsr_el1 |= OSLSR_OSLK;
    eret(&f, PSTATE_SS | 0);
    g_assert_cmpuint(f.s->ss, ==, 0);
    g_assert_false(f.vcpu->mode & MODE_SS);
    /* EL1 steps itself with KDE, where PSTATE.D decides. */
    go_el(&f, 1, 1);
    f.s->oslsr_el1 = OSLSR_OSLM;
    f.s->mdscr_el1 |= MDSCR_KDE;
    f.s->daif = PSTATE_D;
    vcpu_space_changed(f.vcpu);
    g_assert_false(f.vcpu->mode & MODE_SS);
    eret(&f, PSTATE_SS | 5);
    g_assert_cmpuint(f.s->ss, ==, 1);
    g_assert_true(f.vcpu->mode & MODE_SS);
    g_assert_true(f.vcpu->mode & MODE_DEBUG_BY_D);
    /* While it is active, ERET does not arm it again. */
    eret(&f, PSTATE_SS | 5);
    g_assert_cmpuint(f.s->ss, ==, 0);
    fake_machine_free(f.m);
}

/* ---- mode ---- */

static void test_mode(void)
{
    Fix f = setup();
    const uint32_t traps = MODE_DCZ_TRAP | MODE_UCI_TRAP | MODE_UCT_TRAP | MODE_UMA_TRAP;

    vcpu_space_changed(f.vcpu);
    g_assert_cmphex(f.vcpu->mode, ==, 1 | MODE_FP_TRAP | MODE_SPSEL | MODE_SP_ALIGN |
                                        MODE_MMU_OFF);
    f.s->cpacr_el1 = 1ull << 20;
    f.s->sctlr_el[1] = (f.s->sctlr_el[1] & ~SCTLR_SA) | SCTLR_A | SCTLR_EE;
    vcpu_space_changed(f.vcpu);
    g_assert_cmphex(f.vcpu->mode, ==, 1 | MODE_SPSEL | MODE_ALIGN_CHECK | MODE_BIG_ENDIAN |
                                        MODE_MMU_OFF);
    go_el(&f, 0, 0);
    g_assert_cmphex(f.vcpu->mode, ==, MODE_FP_TRAP | MODE_ALIGN_CHECK | MODE_SP_ALIGN |
                                        MODE_MMU_OFF | traps);
    f.s->cpacr_el1 = 3ull << 20;
    f.s->sctlr_el[1] = SCTLR_M | SCTLR_DZE | SCTLR_UCI | SCTLR_UCT | SCTLR_UMA | SCTLR_E0E;
    vcpu_space_changed(f.vcpu);
    g_assert_cmphex(f.vcpu->mode, ==, MODE_BIG_ENDIAN);
    fake_machine_free(f.m);
}

/* ---- the whole state ---- */

static uint64_t digest_of(Fix *f)
{
    Digest *d = digest_new();
    uint64_t value;

    f->vcpu->ops->digest(f->vcpu, d);
    value = digest_value(d);
    digest_free(d);
    return value;
}

static void test_save_load(void)
{
    Fix f = setup(), g;
    GByteArray *saved = g_byte_array_new();
    ByteReader in;
    Error *err = NULL;
    uint64_t digest;

    go_el(&f, 0, 0);
    for (unsigned n = 0; n < 32; n++) {
        f.vcpu->slot[n] = n * 0x0101010101010101ull;
        f.s->v[n].d[0] = ~(uint64_t)n;
        f.s->v[n].d[1] = n;
    }
    f.s->tpidr_el[0] = 0x123;
    f.s->irq_level = ARM_FIQ;
    f.vcpu->halted = 1;
    f.vcpu->excl_addr = 0x4000;
    digest = digest_of(&f);
    /* Noise of the packed flags is not state. */
    f.vcpu->nzcv |= 0x0e00;
    g_assert_cmphex(digest_of(&f), ==, digest);
    f.vcpu->nzcv ^= 0x8000;
    g_assert_cmphex(digest_of(&f), !=, digest);
    f.vcpu->nzcv ^= 0x8000;
    f.vcpu->ops->save(f.vcpu, saved);

    g.m = f.m;
    g.cpu = fake_cpu(f.m, "cortex-a57");
    g.s = &g.cpu->s;
    g.vcpu = &g.cpu->vcpu;
    g_assert_cmphex(digest_of(&g), !=, digest);
    byte_reader_init(&in, saved->data, saved->len);
    g_assert_true(g.vcpu->ops->load(g.vcpu, &in, &err));
    g_assert_cmpuint(byte_reader_left(&in), ==, 0);
    g_assert_cmphex(digest_of(&g), ==, digest);
    g_assert_true(g.vcpu->irq_pending);
    g_assert_cmpuint(mode_el(g.vcpu->mode), ==, 0);
    g_assert_cmphex(nzcv_unpack(g.vcpu->nzcv), ==, N_AND_C);

    /* Truncated: refused, and nothing has changed. */
    byte_reader_init(&in, saved->data, saved->len - 1);
    g_assert_false(g.vcpu->ops->load(g.vcpu, &in, &err));
    g_assert_nonnull(err);
    error_free(err);
    err = NULL;
    g_assert_cmphex(digest_of(&g), ==, digest);

    /* An exception level that is not there. */
    g_byte_array_set_size(saved, 0);
    f.s->el = 3;
    f.vcpu->ops->save(f.vcpu, saved);
    f.s->el = 0;
    byte_reader_init(&in, saved->data, saved->len);
    g_assert_false(g.vcpu->ops->load(g.vcpu, &in, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "exception level 3"));
    error_free(err);
    g_assert_cmphex(digest_of(&g), ==, digest);
    g_byte_array_free(saved, TRUE);
    fake_machine_free(f.m);
}

static void test_reset(void)
{
    Fix f = setup();

    arm_cpu_set_boot(f.cpu, 0x40080000, 0x48000000);
    go_el(&f, 0, 0);
    f.s->cpacr_el1 = 3ull << 20;
    f.vcpu->ops->reset(f.vcpu);
    g_assert_cmphex(f.vcpu->pc, ==, 0x40080000);
    g_assert_cmphex(f.vcpu->slot[0], ==, 0x48000000);
    g_assert_cmpuint(f.s->el, ==, 1);
    g_assert_cmphex(f.s->daif, ==, 0x3c0);
    g_assert_cmphex(f.s->cpacr_el1, ==, 0);
    g_assert_cmphex(f.s->sctlr_el[1] & (SCTLR_M | SCTLR_C | SCTLR_I | SCTLR_EE), ==, 0);
    g_assert_cmphex(f.s->oslsr_el1, ==, 0xa);
    g_assert_cmphex(f.vcpu->excl_addr, ==, UINT64_MAX);
    f.cpu->start_powered_off = true;
    f.vcpu->ops->reset(f.vcpu);
    g_assert_cmpuint(f.vcpu->powered_off, ==, 1);
    g_assert_cmpuint(f.vcpu->halted, ==, 1);
    irq_set(&f.cpu->irq_in, true);
    f.s->daif = 0;
    g_assert_false(arm_has_work(f.vcpu));
    g_assert_false(arm_take_interrupt(f.vcpu));
    fake_machine_free(f.m);
}

static void test_models(void)
{
    Machine *m = fake_machine();
    Error *err = NULL;

    g_assert_null(arm_cpu_new("cortex-a75", m, 0, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "did you mean 'cortex-a"));
    error_free(err);
    err = NULL;
    g_assert_null(arm_cpu_new("z80", m, 0, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "-cpu help"));
    error_free(err);
    for (const char *const *name = arm_cpu_model_names(); *name; name++) {
        fake_cpu(m, *name);
    }
    g_assert_cmpuint(m->num_cpus, ==, 4);
    fake_machine_free(m);
}

/* What follows the model's name, behind what -global says. */
static void test_model_properties(void)
{
    static const DeviceType *const types[] = { &cortex_a53_type, &cortex_a57_type, NULL };
    static const struct {
        const char *text, *message;
    } bad[] = {
        { "cortex-a57,pmu=on", "-cpu cortex-a57: pmu=on is not supported; there is no PMU" },
        { "cortex-a57,cntfrq=0", "-cpu cortex-a57: cntfrq=0 is out of range: 1..1000000000" },
        { "cortex-a57,midrr=1", "-cpu cortex-a57: unknown option 'midrr', did you mean 'midr'?" },
        { "cortex-a57,sve=off", "-cpu cortex-a57: unknown option 'sve'" },
        { "cortex-a53,psci-conduit=1", "-cpu cortex-a53: psci-conduit=1 is not supported; the "
          "board says how PSCI is called" },
        { "midr=1", "unknown CPU model 'midr=1'; '-cpu help' lists those there are" },
    };
    Machine *m = fake_machine();
    ArmCpu *cpu;

    m->device_types = types;
    g_assert_true(globals_add(m, "cortex-a57-arm-cpu.midr=0x12345678", NULL));
    g_assert_true(globals_add(m, "cortex-a57-arm-cpu.rvbar=0x4000", NULL));
    cpu = fake_cpu(m, "cortex-a57,rvbar=0x8000,pmu=off,has_el3=false,reset-cbar=0x0");
    g_assert_cmphex(guest_read(cpu, SYSREG_KEY(3, 0, 0, 0, 0)), ==, 0x12345678);
    g_assert_cmphex(guest_read(cpu, SYSREG_KEY(3, 0, 12, 0, 1)), ==, 0x8000);
    g_assert_cmphex(cpu->vcpu.pc, ==, 0x8000);
    cpu = fake_cpu(m, "cortex-a53");
    g_assert_cmphex(guest_read(cpu, SYSREG_KEY(3, 0, 0, 0, 0)), ==, 0x410fd034);
    g_assert_cmphex(cpu->vcpu.pc, ==, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        Error *err = NULL;

        g_assert_null(arm_cpu_new(bad[i].text, m, 0, &err));
        g_assert_cmpstr(error_get_pretty(err), ==, bad[i].message);
        error_free(err);
    }
    fake_machine_free(m);
}

static void test_observers(void)
{
    static const uint8_t ret[] = { 0xc0, 0x03, 0x5f, 0xd6 };
    static const uint8_t junk[] = { 0x00, 0x00, 0x00, 0x00 };
    Fix f = setup();
    GString *out = g_string_new(NULL);

    f.vcpu->slot[30] = 0x1122334455667788;
    f.vcpu->ops->dump(f.vcpu, out);
    g_assert_nonnull(strstr(out->str, "X30=1122334455667788"));
    g_assert_nonnull(strstr(out->str, "PC=0000000000401234"));
    g_assert_nonnull(strstr(out->str, "N-C- EL1h"));
    g_string_truncate(out, 0);
    g_assert_cmpuint(f.vcpu->ops->disassemble(f.vcpu, PC, ret, 4, out), ==, 4);
    g_assert_true(g_str_has_prefix(out->str, "ret"));
    g_string_truncate(out, 0);
    g_assert_cmpuint(f.vcpu->ops->disassemble(f.vcpu, PC, junk, 4, out), ==, 4);
    g_assert_cmpuint(f.vcpu->ops->disassemble(f.vcpu, PC, ret, 3, out), ==, 0);
    g_string_free(out, TRUE);
    fake_machine_free(f.m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arm/exceptions/svc", test_svc);
    g_test_add_func("/arm/exceptions/sync-helpers", test_sync_helpers);
    g_test_add_func("/arm/exceptions/hook", test_hook);
    g_test_add_func("/arm/exceptions/aborts", test_aborts);
    g_test_add_func("/arm/exceptions/alignment-and-external", test_alignment_and_external);
    g_test_add_func("/arm/exceptions/interrupts", test_interrupts);
    g_test_add_func("/arm/exceptions/wfi", test_wfi);
    g_test_add_func("/arm/exceptions/eret", test_eret);
    g_test_add_func("/arm/exceptions/illegal-return", test_illegal_return);
    g_test_add_func("/arm/exceptions/undefined-calls", test_undefined_calls);
    g_test_add_func("/arm/exceptions/step", test_step);
    g_test_add_func("/arm/cpu/mode", test_mode);
    g_test_add_func("/arm/cpu/save-load", test_save_load);
    g_test_add_func("/arm/cpu/reset", test_reset);
    g_test_add_func("/arm/cpu/models", test_models);
    g_test_add_func("/arm/cpu/properties", test_model_properties);
    g_test_add_func("/arm/cpu/observers", test_observers);
    return g_test_run();
}
