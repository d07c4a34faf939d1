/*
 * Guest programs through translator, engine and the system level of the CPU:
 * page tables, EL0 with its system calls, faults and timer interrupt, WFI, PSCI, and
 * software step. Each runs on both back ends with several unit lengths, and has
 * to end in the same state after the same number of instructions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/tcg.h"
#include "target/arm/cpu.h"
#include "util/bitops.h"
#include "util/digest.h"

#define RAM 0x40000000ull
#define RAM_SIZE (1u << 20)
#define SLICE 4000
#define MAX_INSNS 100000

typedef struct Word {
    uint16_t offset;
    uint32_t insn;
} Word;

/*
 * EL1 at 0: tables at 0x10000, EL0 code at 0x2000, a read-only page at 0x4000, the stack
 * of EL0 at 0x5000; the vectors at 0x800. X20 counts synchronous exceptions,
 * X22 collects the syndromes of faults, X25 to X28 are of the interrupt.
 */
static const Word el0_program[] = {
    { 0x0000, 0x10004000 },   /* adr x0, 40000800 */
    { 0x0004, 0xd518c000 },   /* msr vbar_el1, x0 */
    { 0x0008, 0xd2a00600 },   /* mov x0, #0x300000 */
    { 0x000c, 0xd5181040 },   /* msr cpacr_el1, x0 */
    { 0x0010, 0xd2a80009 },   /* mov x9, #0x40000000 */
    { 0x0014, 0x91404121 },   /* add x1, x9, #0x10, lsl #12 */
    { 0x0018, 0x91404522 },   /* add x2, x9, #0x11, lsl #12 */
    { 0x001c, 0x91404923 },   /* add x3, x9, #0x12, lsl #12 */
    { 0x0020, 0xb2400444 },   /* orr x4, x2, #0x3 */
    { 0x0024, 0xf9000424 },   /* str x4, [x1, #8] */
    { 0x0028, 0xb2400464 },   /* orr x4, x3, #0x3 */
    { 0x002c, 0xf9000044 },   /* str x4, [x2] */
    { 0x0030, 0xd2808064 },   /* mov x4, #0x403 */
    { 0x0034, 0xaa090084 },   /* orr x4, x4, x9 */
    { 0x0038, 0xf9000064 },   /* str x4, [x3] */
    { 0x003c, 0xd2849864 },   /* mov x4, #0x24c3 */
    { 0x0040, 0xaa090084 },   /* orr x4, x4, x9 */
    { 0x0044, 0xf9000864 },   /* str x4, [x3, #16] */
    { 0x0048, 0xd2889864 },   /* mov x4, #0x44c3 */
    { 0x004c, 0xaa090084 },   /* orr x4, x4, x9 */
    { 0x0050, 0xf9001064 },   /* str x4, [x3, #32] */
    { 0x0054, 0xd28a8864 },   /* mov x4, #0x5443 */
    { 0x0058, 0xaa090084 },   /* orr x4, x4, x9 */
    { 0x005c, 0xf9001464 },   /* str x4, [x3, #40] */
    { 0x0060, 0xd2801fe0 },   /* mov x0, #0xff */
    { 0x0064, 0xd518a200 },   /* msr mair_el1, x0 */
    { 0x0068, 0xd5182001 },   /* msr ttbr0_el1, x1 */
    { 0x006c, 0xd2800320 },   /* mov x0, #0x19 */
    { 0x0070, 0xf2b01320 },   /* movk x0, #0x8099, lsl #16 */
    { 0x0074, 0xf2c00040 },   /* movk x0, #0x2, lsl #32 */
    { 0x0078, 0xd5182040 },   /* msr tcr_el1, x0 */
    { 0x007c, 0xd5033fdf },   /* isb */
    { 0x0080, 0xd5381000 },   /* mrs x0, sctlr_el1 */
    { 0x0084, 0xb2400000 },   /* orr x0, x0, #0x1 */
    { 0x0088, 0xd5181000 },   /* msr sctlr_el1, x0 */
    { 0x008c, 0xd5033fdf },   /* isb */
    { 0x0090, 0x9103c13f },   /* add sp, x9, #0xf0 */
    { 0x0094, 0xd28b0000 },   /* mov x0, #0x5800 */
    { 0x0098, 0xaa090000 },   /* orr x0, x0, x9 */
    { 0x009c, 0xd5184100 },   /* msr sp_el0, x0 */
    { 0x00a0, 0x91400920 },   /* add x0, x9, #0x2, lsl #12 */
    { 0x00a4, 0xd5184020 },   /* msr elr_el1, x0 */
    { 0x00a8, 0xd2806800 },   /* mov x0, #0x340 */
    { 0x00ac, 0xd5184000 },   /* msr spsr_el1, x0 */
    { 0x00b0, 0xd2800c80 },   /* mov x0, #0x64 */
    { 0x00b4, 0xd51be300 },   /* msr cntv_tval_el0, x0 */
    { 0x00b8, 0xd2800020 },   /* mov x0, #0x1 */
    { 0x00bc, 0xd51be320 },   /* msr cntv_ctl_el0, x0 */
    { 0x00c0, 0xd69f03e0 },   /* eret */
    { 0x00c4, 0xd2807d00 },   /* mov x0, #0x3e8 */
    { 0x00c8, 0xd51be300 },   /* msr cntv_tval_el0, x0 */
    { 0x00cc, 0xd2800020 },   /* mov x0, #0x1 */
    { 0x00d0, 0xd51be320 },   /* msr cntv_ctl_el0, x0 */
    { 0x00d4, 0xd503207f },   /* wfi */
    { 0x00d8, 0xd53be04f },   /* mrs x15, cntvct_el0 */
    { 0x00dc, 0xd53be350 },   /* mrs x16, cntv_cval_el0 */
    { 0x00e0, 0xd538410e },   /* mrs x14, sp_el0 */
    { 0x00e4, 0xd2800100 },   /* mov x0, #0x8 */
    { 0x00e8, 0xf2b08000 },   /* movk x0, #0x8400, lsl #16 */
    { 0x00ec, 0xd4000002 },   /* hvc #0x0 */
    { 0x00f0, 0x14000000 },   /* b 400000f0 */
    { 0x0c00, 0xd538520a },   /* mrs x10, esr_el1 */
    { 0x0c04, 0xd538402b },   /* mrs x11, elr_el1 */
    { 0x0c08, 0xd538600c },   /* mrs x12, far_el1 */
    { 0x0c0c, 0xd35afd4d },   /* lsr x13, x10, #26 */
    { 0x0c10, 0xf10055bf },   /* cmp x13, #0x15 */
    { 0x0c14, 0x54000080 },   /* b.eq 40000c24 */
    { 0x0c18, 0x9100116b },   /* add x11, x11, #0x4 */
    { 0x0c1c, 0xd518402b },   /* msr elr_el1, x11 */
    { 0x0c20, 0xcad62156 },   /* eor x22, x10, x22, ror #8 */
    { 0x0c24, 0x91000694 },   /* add x20, x20, #0x1 */
    { 0x0c28, 0xf100169f },   /* cmp x20, #0x5 */
    { 0x0c2c, 0x54ffa4c0 },   /* b.eq 400000c4 */
    { 0x0c30, 0xd69f03e0 },   /* eret */
    { 0x0c80, 0xd5384039 },   /* mrs x25, elr_el1 */
    { 0x0c84, 0xd53be05a },   /* mrs x26, cntvct_el0 */
    { 0x0c88, 0xd53be35b },   /* mrs x27, cntv_cval_el0 */
    { 0x0c8c, 0xd2800000 },   /* mov x0, #0x0 */
    { 0x0c90, 0xd51be320 },   /* msr cntv_ctl_el0, x0 */
    { 0x0c94, 0x9100079c },   /* add x28, x28, #0x1 */
    { 0x0c98, 0xd69f03e0 },   /* eret */
    { 0x2000, 0xd10043ff },   /* sub sp, sp, #0x10 */
    { 0x2004, 0xf90003f4 },   /* str x20, [sp] */
    { 0x2008, 0xd4000021 },   /* svc #0x1 */
    { 0x200c, 0xf84107e1 },   /* ldr x1, [sp], #16 */
    { 0x2010, 0x1000ff82 },   /* adr x2, 40004000 */
    { 0x2014, 0xf9000041 },   /* str x1, [x2] */
    { 0x2018, 0xd53b0023 },   /* mrs x3, ctr_el0 */
    { 0x201c, 0xd284e205 },   /* mov x5, #0x2710 */
    { 0x2020, 0xf10004a5 },   /* subs x5, x5, #0x1 */
    { 0x2024, 0x54ffffe1 },   /* b.ne 40002020 */
    { 0x2028, 0xd4200060 },   /* brk #0x3 */
    { 0x202c, 0xd4000041 },   /* svc #0x2 */
};

/* EL1 steps EL0, at 0x30, with the MMU off. X20 counts steps, X21 has their addresses. */
static const Word step_program[] = {
    { 0x0000, 0x10004000 },   /* adr x0, 40000800 */
    { 0x0004, 0xd518c000 },   /* msr vbar_el1, x0 */
    { 0x0008, 0xd510109f },   /* msr oslar_el1, xzr */
    { 0x000c, 0xd2800020 },   /* mov x0, #0x1 */
    { 0x0010, 0xd5100240 },   /* msr mdscr_el1, x0 */
    { 0x0014, 0x100000e0 },   /* adr x0, 40000030 */
    { 0x0018, 0xd5184020 },   /* msr elr_el1, x0 */
    { 0x001c, 0xd2807800 },   /* mov x0, #0x3c0 */
    { 0x0020, 0xf2a00400 },   /* movk x0, #0x20, lsl #16 */
    { 0x0024, 0xd5184000 },   /* msr spsr_el1, x0 */
    { 0x0028, 0x10000044 },   /* adr x4, 40000030 */
    { 0x002c, 0xd69f03e0 },   /* eret */
    { 0x0030, 0xd2800021 },   /* mov x1, #0x1 */
    { 0x0034, 0xf100043f },   /* cmp x1, #0x1 */
    { 0x0038, 0xb9400083 },   /* ldr w3, [x4] */
    { 0x003c, 0x54000040 },   /* b.eq 40000044 */
    { 0x0040, 0xd2800041 },   /* mov x1, #0x2 */
    { 0x0044, 0xd4000121 },   /* svc #0x9 */
    { 0x0c00, 0xd538520a },   /* mrs x10, esr_el1 */
    { 0x0c04, 0xd538402b },   /* mrs x11, elr_el1 */
    { 0x0c08, 0xd35afd4d },   /* lsr x13, x10, #26 */
    { 0x0c0c, 0xf100c9bf },   /* cmp x13, #0x32 */
    { 0x0c10, 0x540000e1 },   /* b.ne 40000c2c */
    { 0x0c14, 0x91000694 },   /* add x20, x20, #0x1 */
    { 0x0c18, 0xca152175 },   /* eor x21, x11, x21, lsl #8 */
    { 0x0c1c, 0xd538400c },   /* mrs x12, spsr_el1 */
    { 0x0c20, 0xb26b018c },   /* orr x12, x12, #0x200000 */
    { 0x0c24, 0xd518400c },   /* msr spsr_el1, x12 */
    { 0x0c28, 0xd69f03e0 },   /* eret */
    { 0x0c2c, 0xd538400e },   /* mrs x14, spsr_el1 */
    { 0x0c30, 0xd2800100 },   /* mov x0, #0x8 */
    { 0x0c34, 0xf2b08000 },   /* movk x0, #0x8400, lsl #16 */
    { 0x0c38, 0xd4000002 },   /* hvc #0x0 */
};

typedef struct Guest {
    Machine *m;
    ArmCpu *cpu;
    TcgContext *tcg;
    unsigned exceptions;
} Guest;

static void count_exception(void *opaque, unsigned vector, uint64_t pc)
{
    ((Guest *)opaque)->exceptions++;
}

static void timer_output(void *opaque, unsigned n, bool level)
{
    irq_set(&((ArmCpu *)opaque)->irq_in, level);
}

static void guest_init(Guest *g, const TcgConfig *config, const Word *program, unsigned length)
{
    Error *err = NULL;

    *g = (Guest){ .m = machine_new(NULL) };
    g_assert_nonnull(memory_add_ram(g->m->memory, "ram", RAM, RAM_SIZE, false, &err));
    for (unsigned i = 0; i < length; i++) {
        g_assert_true(memory_write(g->m->memory, RAM + program[i].offset, &program[i].insn, 4));
    }
    clock_use_icount(g->m->clock, 0);
    g->cpu = arm_cpu_new("cortex-a57", g->m, 0, &err);
    g_assert_nonnull(g->cpu);
    g->cpu->timer_irq[1] = (IrqLine){ timer_output, g->cpu, 0 };
    g->cpu->vcpu.exception_hook = count_exception;
    g->cpu->vcpu.exception_hook_opaque = g;
    arm_cpu_set_boot(g->cpu, RAM, 0);
    g->m->cpus = g_new0(Vcpu *, 1);
    g->m->cpus[0] = &g->cpu->vcpu;
    g->m->num_cpus = 1;
    g->tcg = tcg_new(g->m, config, &err);
    g_assert_nonnull(g->tcg);
    tcg_add_vcpu(g->tcg, &g->cpu->vcpu);
    g->cpu->vcpu.ops->reset(&g->cpu->vcpu);
}

static void guest_free(Guest *g)
{
    tcg_free(g->tcg);
    g->cpu->vcpu.ops->free(&g->cpu->vcpu);
    machine_free(g->m);
}

/* The execution loop in small: to the next deadline, its timers; idle time is skipped. */
static int64_t guest_run(Guest *g)
{
    Vcpu *vcpu = &g->cpu->vcpu;
    VirtualClock *clock = g->m->clock;
    int64_t done = 0;

    vcpu->left = 0;
    while (!machine_has_request(g->m) && done < MAX_INSNS) {
        int64_t deadline = clock_next_deadline(clock), slice = SLICE;

        clock_set_slice(clock, done, &vcpu->left);
        if (deadline != CLOCK_NO_DEADLINE) {
            if (vcpu->halted) {
                clock_warp(clock, MAX(deadline - clock_now(clock), 0));
            }
            slice = MIN(slice, clock_icount_until(clock, deadline));
        }
        clock_run_timers(clock);
        if (vcpu->halted && vcpu->ops->has_work(vcpu)) {
            vcpu->halted = 0;
        }
        if (slice == 0) {
            continue;
        }
        vcpu->left = slice;
        clock_set_slice(clock, done + slice, &vcpu->left);
        tcg_run(g->tcg, vcpu);
        done += slice - vcpu->left;
        vcpu->left = 0;
    }
    g_assert_cmpuint(g->m->shutdown_request, ==, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    return done;
}

static uint64_t guest_digest(Guest *g)
{
    Digest *d = digest_new();
    uint64_t value;

    g->cpu->vcpu.ops->digest(&g->cpu->vcpu, d);
    memory_digest_all(g->m->memory, d);
    value = digest_value(d);
    digest_free(d);
    return value;
}

typedef void CheckFn(Guest *g, int64_t insns);

static void run_all_ways(const Word *program, unsigned length, CheckFn *check)
{
    static const TcgConfig configs[] = {
        { .interp = true }, { .interp = true, .unit_insns = 1 }, { .interp = false },
        { .unit_insns = 1 }, { .unit_insns = 2 }, { .unit_insns = 7 }, { .no_link = true },
        { .no_opt = true }, { .no_opt = true, .unit_insns = 3 },
    };
    uint64_t first_digest = 0;
    int64_t first_insns = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(configs); i++) {
        uint64_t digest;
        int64_t insns;
        Guest g;

        guest_init(&g, &configs[i], program, length);
        insns = guest_run(&g);
        digest = guest_digest(&g);
        check(&g, insns);
        if (i == 0) {
            first_digest = digest;
            first_insns = insns;
        }
        g_assert_cmpint(insns, ==, first_insns);
        g_assert_cmphex(digest, ==, first_digest);
        guest_free(&g);
    }
}

static void check_el0(Guest *g, int64_t insns)
{
    const uint64_t *x = g->cpu->vcpu.slot;
    uint64_t ro_page = 1;

    g_assert_cmpuint(x[20], ==, 5);
    /* Write to a read-only page, trapped read of CTR_EL0 into X3, BRK #3, by byte rotation. */
    g_assert_cmphex(x[22], ==, 0xf2000003 ^ ror64(0x6232c061 ^ ror64(0x9200004f, 8), 8));
    g_assert_cmphex(g->cpu->s.far_el[1], ==, RAM + 0x4000);
    g_assert_true(memory_read(g->m->memory, RAM + 0x4000, &ro_page, sizeof(ro_page)));
    g_assert_cmphex(ro_page, ==, 0);
    g_assert_cmphex(x[3], ==, RAM + 0x12000);
    /* The interrupt came in the loop of EL0, at the tick of its comparator. */
    g_assert_cmpuint(x[28], ==, 1);
    g_assert_true(x[25] == RAM + 0x2020 || x[25] == RAM + 0x2024);
    g_assert_cmpuint(x[26], ==, x[27]);
    /* WFI woke on the masked interrupt when it was due. */
    g_assert_cmpuint(x[15], ==, x[16]);
    g_assert_cmpuint(g->exceptions, ==, 5 + 1);
    g_assert_cmphex(x[14], ==, RAM + 0x5800);
    g_assert_cmphex(x[1], ==, 0);
    g_assert_cmphex(g->cpu->s.esr_el[1], ==, 0x56000002);
    g_assert_cmphex(g->cpu->s.elr_el[1], ==, RAM + 0x2030);
    /* Start, EL0, the handlers of two SVCs, three faults and the interrupt and its entry, the
     * end. */
    g_assert_cmpint(insns, ==, 49 + 20010 + (10 + 9) + 3 * 13 + (1 + 7) + 11);
}

static void check_step(Guest *g, int64_t insns)
{
    const uint64_t *x = g->cpu->vcpu.slot;

    g_assert_cmpuint(x[20], ==, 4);
    /* The low bytes of where each step ended: behind MOV, CMP, LDR and the taken branch. */
    g_assert_cmphex(x[21] & 0xffffffff, ==, 0x74383c44);
    g_assert_cmphex(x[3], ==, 0xd2800021);
    g_assert_cmphex(x[10], ==, 0x56000009);
    g_assert_cmphex(x[14], ==, 0x600003c0);
    g_assert_cmpuint(g->exceptions, ==, 5);
    g_assert_cmpint(insns, ==, 74);
}

static void test_el0(void)
{
    run_all_ways(el0_program, ARRAY_SIZE(el0_program), check_el0);
}

static void test_step(void)
{
    run_all_ways(step_program, ARRAY_SIZE(step_program), check_step);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arm/guest/el0", test_el0);
    g_test_add_func("/arm/guest/step", test_step);
    return g_test_run();
}
