/*
 * Generic timer registers (DDI 0487 D13.8). EL1 is the highest EL, so it may
 * write CNTFRQ_EL0 and sees the physical timer unconditionally.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/sysreg-rows.h"
#include "target/arm/gtimer.h"
#include "target/arm/system.h"
#include "util/bitops.h"

/* EL0PTEN, EL0VTEN, EVNTI, EVNTDIR, EVNTEN, EL0VCTEN, EL0PCTEN. */
#define CNTKCTL_WRITABLE 0x3ffull

/* op2 of CNTPCT_EL0, CNTVCT_EL0; CRm of CNTP_*, CNTV_*. */
#define COUNTER_OF(r) (extract32((r)->key, 0, 3) == 2 ? GTIMER_VIRT : GTIMER_PHYS)
#define TIMER_OF(r) (extract32((r)->key, 3, 4) == 3 ? GTIMER_VIRT : GTIMER_PHYS)

/* ---- EL0 rights ---- */

static uint32_t el0_needs(ArmCpu *cpu, const SysReg *r, bool write, uint64_t any_of)
{
    return cpu->s.el == 0 && !(cpu->s.cntkctl_el1 & any_of) ? sysreg_trap(cpu, r, write) : 0;
}

static uint32_t frq_access(ArmCpu *cpu, const SysReg *r, bool write)
{
    return el0_needs(cpu, r, write, CNTKCTL_EL0PCTEN | CNTKCTL_EL0VCTEN);
}

static uint32_t count_access(ArmCpu *cpu, const SysReg *r, bool write)
{
    return el0_needs(cpu, r, write,
                     COUNTER_OF(r) == GTIMER_VIRT ? CNTKCTL_EL0VCTEN : CNTKCTL_EL0PCTEN);
}

static uint32_t timer_access(ArmCpu *cpu, const SysReg *r, bool write)
{
    return el0_needs(cpu, r, write,
                     TIMER_OF(r) == GTIMER_VIRT ? CNTKCTL_EL0VTEN : CNTKCTL_EL0PTEN);
}

/* ---- registers ---- */

static uint64_t count_read(ArmCpu *cpu, const SysReg *r)
{
    return gtimer_count(cpu, COUNTER_OF(r));
}

static uint64_t tval_read(ArmCpu *cpu, const SysReg *r)
{
    return gtimer_read_tval(cpu, TIMER_OF(r));
}

static void tval_write(ArmCpu *cpu, const SysReg *r, uint64_t value)
{
    gtimer_write_tval(cpu, TIMER_OF(r), value);
}

static uint64_t ctl_read(ArmCpu *cpu, const SysReg *r)
{
    return gtimer_read_ctl(cpu, TIMER_OF(r));
}

static uint64_t ctl_peek(ArmCpu *cpu, const SysReg *r)
{
    return gtimer_peek_ctl(cpu, TIMER_OF(r));
}

static void ctl_write(ArmCpu *cpu, const SysReg *r, uint64_t value)
{
    gtimer_write_ctl(cpu, TIMER_OF(r), value);
}

#define tval_peek NULL
#define cval_peek NULL

static uint64_t cval_read(ArmCpu *cpu, const SysReg *r)
{
    return cpu->s.cnt_cval[TIMER_OF(r)];
}

static void cval_write(ArmCpu *cpu, const SysReg *r, uint64_t value)
{
    gtimer_write_cval(cpu, TIMER_OF(r), value);
}

/*
 * A write may move a deadline or an output, and so may a read of the status: the execution
 * loop has to look.
 */
#define TIMER(crm, op2, timer_name, what, more_flags)                                     \
    { SYSREG_ROW(3, 3, 14, crm, op2, timer_name), EL0_RW,                                 \
      .flags = SYSREG_END_UNIT | (more_flags), .read = what##_read,                       \
      .peek = what##_peek, .write = what##_write, .access = timer_access }

static const SysReg rows[] = {
    { SYSREG_ROW(3, 0, 14, 1, 0, "CNTKCTL_EL1"), EL1_RW,
      PLAIN_MASKED(cntkctl_el1, CNTKCTL_WRITABLE) },
    { SYSREG_ROW(3, 3, 14, 0, 0, "CNTFRQ_EL0"), .min_el_read = 0, .min_el_write = 1,
      .offset = STATE_OFFSET(cntfrq_el0), .writable = 0xffffffff,
      .access = frq_access },
    { SYSREG_ROW(3, 3, 14, 0, 1, "CNTPCT_EL0"), EL0_RO, .read = count_read,
      .access = count_access },
    { SYSREG_ROW(3, 3, 14, 0, 2, "CNTVCT_EL0"), EL0_RO, .read = count_read,
      .access = count_access },
    TIMER(2, 0, "CNTP_TVAL_EL0", tval, 0), TIMER(2, 1, "CNTP_CTL_EL0", ctl, SYSREG_END_READ),
    TIMER(2, 2, "CNTP_CVAL_EL0", cval, 0), TIMER(3, 0, "CNTV_TVAL_EL0", tval, 0),
    TIMER(3, 1, "CNTV_CTL_EL0", ctl, SYSREG_END_READ), TIMER(3, 2, "CNTV_CVAL_EL0", cval, 0),
};

const SysRegChapter sysregs_timer = { rows, ARRAY_SIZE(rows) };
