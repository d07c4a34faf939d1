/*
 * The generic timer on the virtual clock, counting instructions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "arm-fake-engine.h"
#include "target/arm/exceptions.h"
#include "target/arm/gtimer.h"

#define CNTFRQ SYSREG_KEY(3, 3, 14, 0, 0)
#define CNTPCT SYSREG_KEY(3, 3, 14, 0, 1)
#define CNTVCT SYSREG_KEY(3, 3, 14, 0, 2)
#define TVAL(n) SYSREG_KEY(3, 3, 14, 2 + (n), 0)
#define CTL(n) SYSREG_KEY(3, 3, 14, 2 + (n), 1)
#define CVAL(n) SYSREG_KEY(3, 3, 14, 2 + (n), 2)

typedef struct Fix {
    Machine *m;
    ArmCpu *cpu;
    int64_t left;           /* instructions of the slice */
    unsigned level[2], edges[2];
} Fix;

static void output(void *opaque, unsigned n, bool level)
{
    Fix *f = opaque;

    f->edges[n] += f->level[n] != level;
    f->level[n] = level;
}

/* One instruction is one nanosecond. */
static void setup_model(Fix *f, const char *model)
{
    memset(f, 0, sizeof(*f));
    f->m = fake_machine();
    clock_use_icount(f->m->clock, 0);
    f->left = INT64_MAX / 4;
    clock_set_slice(f->m->clock, f->left, &f->left);
    f->cpu = fake_cpu(f->m, model);
    for (unsigned n = 0; n < 2; n++) {
        f->cpu->timer_irq[n] = (IrqLine){ output, f, n };
    }
}

static void setup(Fix *f)
{
    setup_model(f, "cortex-a57");
}

/* As the execution loop does: up to each deadline, then its timers. */
static void run_until(Fix *f, int64_t ns)
{
    int64_t next;

    while ((next = clock_next_deadline(f->m->clock)) <= ns) {
        int64_t now = clock_now(f->m->clock);

        f->left -= next > now ? next - now : 0;
        clock_run_timers(f->m->clock);
    }
    f->left -= ns - clock_now(f->m->clock);
}

static void test_counters(void)
{
    Fix f;

    setup(&f);
    g_assert_cmpuint(guest_read(f.cpu, CNTFRQ), ==, 62500000);
    run_until(&f, 15);
    g_assert_cmpuint(guest_read(f.cpu, CNTPCT), ==, 0);
    run_until(&f, 16);
    g_assert_cmpuint(guest_read(f.cpu, CNTPCT), ==, 1);
    run_until(&f, 1000000000);
    g_assert_cmpuint(guest_read(f.cpu, CNTPCT), ==, 62500000);
    g_assert_cmpuint(guest_read(f.cpu, CNTVCT), ==, 62500000);
    f.cpu->s.cntvoff = 1000;
    g_assert_cmpuint(guest_read(f.cpu, CNTVCT), ==, 62499000);
    g_assert_cmpuint(guest_read(f.cpu, CNTPCT), ==, 62500000);
    fake_machine_free(f.m);
}

static void test_fire(void)
{
    for (unsigned n = 0; n < 2; n++) {
        Fix f;

        setup(&f);
        f.cpu->s.cntvoff = n ? 10 : 0;
        run_until(&f, 1600);
        guest_write(f.cpu, CVAL(n), 200);
        g_assert_false(timer_pending(&f.cpu->timer[n]));
        guest_write(f.cpu, CTL(n), 1);
        g_assert_cmpuint(f.cpu->timer[n].deadline_ns, ==, (200 + (n ? 10 : 0)) * 16);
        run_until(&f, (200 + (n ? 10 : 0)) * 16 - 1);
        g_assert_cmpuint(f.level[n], ==, 0);
        g_assert_cmphex(guest_read(f.cpu, CTL(n)), ==, 1);
        run_until(&f, (200 + (n ? 10 : 0)) * 16);
        g_assert_cmpuint(f.level[n], ==, 1);
        g_assert_cmphex(guest_read(f.cpu, CTL(n)), ==, 5);
        g_assert_cmpuint(f.level[!n], ==, 0);
        /* The level stays until the condition goes. */
        guest_write(f.cpu, CVAL(n), 1000);
        g_assert_cmpuint(f.level[n], ==, 0);
        g_assert_cmphex(guest_read(f.cpu, CTL(n)), ==, 1);
        g_assert_cmpuint(f.edges[n], ==, 2);
        fake_machine_free(f.m);
    }
}

/*
 * Without -icount the clock passes deadlines between two looks at them: whoever reads ISTATUS
 * as 1 finds the interrupt.
 */
static void test_status_raises_output(void)
{
    for (unsigned n = 0; n < 2; n++) {
        Fix f;

        setup(&f);
        guest_write(f.cpu, CVAL(n), 100);
        guest_write(f.cpu, CTL(n), 1);
        f.left -= 1600;                 /* the clock goes on, no timer runs */
        g_assert_cmpuint(f.level[n], ==, 0);
        f.cpu->vcpu.pc = 0x1000;
        guest_call2(f.cpu, &helper_sysreg_read_to, CTL(n), 5);
        g_assert_cmphex(f.cpu->vcpu.slot[5], ==, 5);
        g_assert_cmphex(f.cpu->vcpu.pc, ==, 0x1004);
        g_assert_cmpuint(f.level[n], ==, 1);
        g_assert_false(timer_pending(&f.cpu->timer[n]));
        /* Once: the Timer that would have done it is gone. */
        run_until(&f, 2000);
        g_assert_cmpuint(f.edges[n], ==, 1);
        /* A masked timer has a status and no output. */
        guest_write(f.cpu, CTL(n), 3);
        guest_call2(f.cpu, &helper_sysreg_read_to, CTL(n), 31);
        g_assert_cmpuint(f.level[n], ==, 0);
        /* EL0 without the right: a trap, nothing else. */
        arm_set_el_sp(f.cpu, 0, 0);
        f.cpu->s.cntkctl_el1 = 0;
        f.cpu->vcpu.slot[5] = 77;
        guest_call2(f.cpu, &helper_sysreg_read_to, CTL(n), 5);
        g_assert_cmphex(f.cpu->vcpu.slot[5], ==, 77);
        g_assert_cmphex(f.cpu->vcpu.pc, ==, 0x400);
        fake_machine_free(f.m);
    }
}

static void test_mask(void)
{
    Fix f;

    setup(&f);
    run_until(&f, 1600);
    guest_write(f.cpu, CTL(1), 3);
    guest_write(f.cpu, CVAL(1), 50);
    g_assert_cmphex(guest_read(f.cpu, CTL(1)), ==, 7);
    g_assert_cmpuint(f.level[1], ==, 0);
    guest_write(f.cpu, CTL(1), 1);
    g_assert_cmpuint(f.level[1], ==, 1);
    guest_write(f.cpu, CTL(1), 3);
    g_assert_cmpuint(f.level[1], ==, 0);
    guest_write(f.cpu, CTL(1), 0);
    g_assert_cmphex(guest_read(f.cpu, CTL(1)), ==, 0);
    /* Masked or disabled, nothing is armed. */
    guest_write(f.cpu, CVAL(1), 5000);
    g_assert_false(timer_pending(&f.cpu->timer[1]));
    guest_write(f.cpu, CTL(1), 3);
    g_assert_false(timer_pending(&f.cpu->timer[1]));
    guest_write(f.cpu, CTL(1), 1);
    g_assert_true(timer_pending(&f.cpu->timer[1]));
    fake_machine_free(f.m);
}

static void test_tval(void)
{
    Fix f;

    setup(&f);
    run_until(&f, 16000);
    guest_write(f.cpu, TVAL(0), 100);
    g_assert_cmpuint(guest_read(f.cpu, CVAL(0)), ==, 1100);
    run_until(&f, 16160);
    g_assert_cmpuint(guest_read(f.cpu, TVAL(0)), ==, 90);
    run_until(&f, 17616);
    g_assert_cmphex(guest_read(f.cpu, TVAL(0)), ==, 0xffffffff);
    guest_write(f.cpu, TVAL(0), 0xfffffffeu);       /* -2 */
    g_assert_cmpuint(guest_read(f.cpu, CVAL(0)), ==, 1099);
    guest_write(f.cpu, CTL(0), 1);
    g_assert_cmpuint(f.level[0], ==, 1);
    fake_machine_free(f.m);
}

/* Far beyond the clock's range: never. */
static void test_never(void)
{
    Fix f;

    setup(&f);
    guest_write(f.cpu, CTL(0), 1);
    g_assert_cmpuint(f.level[0], ==, 1);        /* CVAL is 0 after reset */
    guest_write(f.cpu, CVAL(0), UINT64_MAX);
    g_assert_cmpuint(f.level[0], ==, 0);
    g_assert_false(timer_pending(&f.cpu->timer[0]));
    guest_write(f.cpu, CVAL(0), INT64_MAX / 16 + 1);
    g_assert_false(timer_pending(&f.cpu->timer[0]));
    guest_write(f.cpu, CVAL(0), INT64_MAX / 16 - 1);
    g_assert_true(timer_pending(&f.cpu->timer[0]));
    f.cpu->s.cntvoff = UINT64_MAX;
    guest_write(f.cpu, CVAL(1), UINT64_MAX - 1);
    guest_write(f.cpu, CTL(1), 1);
    g_assert_false(timer_pending(&f.cpu->timer[1]));
    fake_machine_free(f.m);
}

/* With any frequency the output rises at the first nanosecond at which the counter is there. */
static void test_frequency(void)
{
    static const uint32_t frequencies[] = {
        1, 3, 32768, 19200000, 24000000, 999999999, 1000000000,
    };

    for (unsigned i = 0; i < ARRAY_SIZE(frequencies); i++) {
        g_autofree char *model = g_strdup_printf("cortex-a57,cntfrq=%u", frequencies[i]);
        Fix f;

        setup_model(&f, model);
        g_assert_cmpuint(guest_read(f.cpu, CNTFRQ), ==, frequencies[i]);
        run_until(&f, 2000000000);
        g_assert_cmpuint(guest_read(f.cpu, CNTPCT), ==, 2ull * frequencies[i]);
        for (uint64_t ticks = 1; ticks / frequencies[i] < 1 << 30; ticks = ticks * 5 + 2) {
            uint64_t cval = 2ull * frequencies[i] + ticks;

            guest_write(f.cpu, CVAL(0), cval);
            guest_write(f.cpu, CTL(0), 1);
            run_until(&f, f.cpu->timer[0].deadline_ns - 1);
            g_assert_cmpuint(guest_read(f.cpu, CNTPCT), ==, cval - 1);
            g_assert_cmpuint(f.level[0], ==, 0);
            run_until(&f, f.cpu->timer[0].deadline_ns);
            g_assert_cmpuint(guest_read(f.cpu, CNTPCT), ==, cval);
            g_assert_cmpuint(f.level[0], ==, 1);
        }
        fake_machine_free(f.m);
    }
}

static void save_and_load(Fix *f)
{
    GByteArray *saved = g_byte_array_new();
    ByteReader in;

    clock_save(f->m->clock, saved);
    f->cpu->vcpu.ops->save(&f->cpu->vcpu, saved);
    timer_del(&f->cpu->timer[0]);
    timer_del(&f->cpu->timer[1]);
    f->edges[0] = f->edges[1] = 0;
    byte_reader_init(&in, saved->data, saved->len);
    g_assert_true(clock_load(f->m->clock, &in, NULL));
    clock_set_slice(f->m->clock, clock_icount(f->m->clock) + f->left, &f->left);
    g_assert_true(f->cpu->vcpu.ops->load(&f->cpu->vcpu, &in, NULL));
    g_byte_array_free(saved, TRUE);
}

/* What is armed comes back; outputs are the interrupt controller's to restore. */
static void test_load(void)
{
    Fix f;

    setup(&f);
    guest_write(f.cpu, CVAL(0), 100);
    guest_write(f.cpu, CTL(0), 1);
    run_until(&f, 1000);
    save_and_load(&f);
    g_assert_true(timer_pending(&f.cpu->timer[0]));
    g_assert_cmpuint(f.cpu->timer[0].deadline_ns, ==, 1600);
    g_assert_false(timer_pending(&f.cpu->timer[1]));
    run_until(&f, 1600);
    g_assert_cmpuint(f.level[0], ==, 1);
    save_and_load(&f);
    g_assert_false(timer_pending(&f.cpu->timer[0]));
    g_assert_cmpuint(f.edges[0], ==, 0);
    /* Due, but saved before its timer ran: it fires at the next boundary. */
    guest_write(f.cpu, CVAL(0), 200);
    f.left -= 3200 - clock_now(f.m->clock);
    save_and_load(&f);
    g_assert_true(timer_pending(&f.cpu->timer[0]));
    g_assert_cmpuint(f.level[0], ==, 0);
    clock_run_timers(f.m->clock);
    g_assert_cmpuint(f.level[0], ==, 1);
    fake_machine_free(f.m);
}

static void test_reset(void)
{
    Fix f;

    setup(&f);
    guest_write(f.cpu, CTL(0), 1);
    guest_write(f.cpu, CVAL(1), 100);
    guest_write(f.cpu, CTL(1), 1);
    g_assert_cmpuint(f.level[0], ==, 1);
    f.cpu->vcpu.ops->reset(&f.cpu->vcpu);
    g_assert_cmpuint(f.level[0], ==, 0);
    g_assert_false(timer_pending(&f.cpu->timer[1]));
    g_assert_cmphex(guest_read(f.cpu, CTL(0)), ==, 0);
    fake_machine_free(f.m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arm/timer/counters", test_counters);
    g_test_add_func("/arm/timer/fire", test_fire);
    g_test_add_func("/arm/timer/status-raises-output", test_status_raises_output);
    g_test_add_func("/arm/timer/mask", test_mask);
    g_test_add_func("/arm/timer/tval", test_tval);
    g_test_add_func("/arm/timer/never", test_never);
    g_test_add_func("/arm/timer/frequency", test_frequency);
    g_test_add_func("/arm/timer/load", test_load);
    g_test_add_func("/arm/timer/reset", test_reset);
    return g_test_run();
}
