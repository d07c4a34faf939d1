/*
 * The generic timer (DDI 0487 D11) on the virtual clock. Outputs are levels:
 * timer_irq[0] is the physical timer's, timer_irq[1] the virtual one's.
 *
 * A Timer is armed exactly while its output is low, enabled, not masked and will
 * rise one day.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/gtimer.h"

static uint64_t count_offset(const ArmCpu *cpu, unsigned n)
{
    return n == GTIMER_VIRT ? cpu->s.cntvoff : 0;
}

uint64_t gtimer_count(ArmCpu *cpu, unsigned n)
{
    uint64_t now = clock_now(cpu->vcpu.machine->clock);

    return clock_ticks(now, cpu->config.cntfrq) - count_offset(cpu, n);
}

static bool condition_met(ArmCpu *cpu, unsigned n)
{
    return gtimer_count(cpu, n) >= cpu->s.cnt_cval[n];
}

static bool may_fire(const ArmCpu *cpu, unsigned n)
{
    return (cpu->s.cnt_ctl[n] & (GTIMER_CTL_ENABLE | GTIMER_CTL_IMASK)) == GTIMER_CTL_ENABLE;
}

/* Arm for the comparator; a time beyond the clock's range never comes. */
static void arm_timer(ArmCpu *cpu, unsigned n)
{
    uint64_t ticks = cpu->s.cnt_cval[n] + count_offset(cpu, n);
    int64_t when = clock_ticks_ns(ticks, cpu->config.cntfrq);

    if (ticks < cpu->s.cnt_cval[n] || when == INT64_MAX) {
        timer_del(&cpu->timer[n]);
    } else {
        timer_mod(&cpu->timer[n], when);
    }
}

/* Drive the output and arm the timer as the state says now. */
static void gtimer_sync(ArmCpu *cpu, unsigned n)
{
    bool enabled = may_fire(cpu, n);
    bool level = enabled && condition_met(cpu, n);

    if (enabled && !level) {
        arm_timer(cpu, n);
    } else {
        timer_del(&cpu->timer[n]);
    }
    if (level != cpu->s.timer_level[n]) {
        cpu->s.timer_level[n] = level;
        irq_set(&cpu->timer_irq[n], level);
    }
}

static void phys_timer_fired(void *opaque)
{
    gtimer_sync(opaque, GTIMER_PHYS);
}

static void virt_timer_fired(void *opaque)
{
    gtimer_sync(opaque, GTIMER_VIRT);
}

void gtimer_init(ArmCpu *cpu)
{
    VirtualClock *clock = cpu->vcpu.machine->clock;

    timer_init(&cpu->timer[GTIMER_PHYS], clock, phys_timer_fired, cpu, "arm-timer-phys");
    timer_init(&cpu->timer[GTIMER_VIRT], clock, virt_timer_fired, cpu, "arm-timer-virt");
}

void gtimer_release(ArmCpu *cpu)
{
    for (unsigned n = 0; n < GTIMER_NUM; n++) {
        timer_del(&cpu->timer[n]);
    }
}

void gtimer_reset(ArmCpu *cpu)
{
    for (unsigned n = 0; n < GTIMER_NUM; n++) {
        timer_del(&cpu->timer[n]);
        cpu->s.timer_level[n] = 0;
        irq_set(&cpu->timer_irq[n], false);
    }
}

/* ISTATUS is UNKNOWN while disabled; zero here. */
uint64_t gtimer_peek_ctl(ArmCpu *cpu, unsigned n)
{
    uint64_t ctl = cpu->s.cnt_ctl[n];
    bool met = (ctl & GTIMER_CTL_ENABLE) && condition_met(cpu, n);

    return ctl | (met ? GTIMER_CTL_ISTATUS : 0);
}

/*
 * Without -icount the clock may have passed the comparator before the Timer that drives the
 * output has run. A guest that has read ISTATUS as 1 may look for the interrupt next, so
 * the output follows first.
 */
uint64_t gtimer_read_ctl(ArmCpu *cpu, unsigned n)
{
    uint64_t ctl = gtimer_peek_ctl(cpu, n);

    if (ctl & GTIMER_CTL_ISTATUS) {
        gtimer_sync(cpu, n);
    }
    return ctl;
}

void gtimer_write_ctl(ArmCpu *cpu, unsigned n, uint64_t value)
{
    cpu->s.cnt_ctl[n] = value & (GTIMER_CTL_ENABLE | GTIMER_CTL_IMASK);
    gtimer_sync(cpu, n);
}

void gtimer_write_cval(ArmCpu *cpu, unsigned n, uint64_t value)
{
    cpu->s.cnt_cval[n] = value;
    gtimer_sync(cpu, n);
}

uint64_t gtimer_read_tval(ArmCpu *cpu, unsigned n)
{
    return (uint32_t)(cpu->s.cnt_cval[n] - gtimer_count(cpu, n));
}

void gtimer_write_tval(ArmCpu *cpu, unsigned n, uint64_t value)
{
    gtimer_write_cval(cpu, n, gtimer_count(cpu, n) + (int64_t)(int32_t)value);
}
