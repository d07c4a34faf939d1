/*
 * System control, exception, thread and special-purpose registers
 * (DDI 0487 D13.2 and C5.2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/sysreg-rows.h"
#include "accel/tcg/nzcv.h"
#include "target/arm/exceptions.h"
#include "target/arm/syndrome.h"
#include "target/arm/routing.h"
#include "target/arm/system.h"
#include "util/bitops.h"

#define NZCV_MASK 0xf0000000u
/* AHP, DN, FZ, RMode; no trapped exceptions, no half precision FZ16. */
#define FPCR_WRITABLE 0x07c00000u
/* QC, IDC, IXC, UFC, OFC, DZC, IOC. */
#define FPSR_WRITABLE 0x0800009fu
/* TCR_EL1 without what later extensions add. */
#define TCR_WRITABLE 0x77ffffffbfull
#define TTBR_WRITABLE 0xfffffffffffffffeull
#define VBAR_WRITABLE (~0x7ffull)
/* F, FST, PTW, S, SH, NS, PA, ATTR. */
#define PAR_WRITABLE 0xff00fffffffffbffull
#define PAR_RES1 BIT64(11)

/* ---- control ---- */

static void sctlr_write(ArmCpu *cpu, const SysReg *r, uint64_t value)
{
    *sysreg_state(cpu, r) = (value & SCTLR_WRITABLE) | SCTLR_RES1;
    vcpu_regime_changed(&cpu->vcpu);
}

static void par_write(ArmCpu *cpu, const SysReg *r, uint64_t value)
{
    cpu->s.par_el1 = (value & PAR_WRITABLE) | PAR_RES1;
}

static uint64_t rvbar_read(ArmCpu *cpu, const SysReg *r)
{
    return cpu->boot_pc;
}

static uint64_t isr_read(ArmCpu *cpu, const SysReg *r)
{
    return (cpu->s.irq_level & ARM_IRQ ? PSTATE_I : 0) |
           (cpu->s.irq_level & ARM_FIQ ? PSTATE_F : 0);
}

/* ---- PSTATE and the banked registers ---- */

/* SP_EL0 is UNDEFINED while it is the current SP. */
static uint32_t sp_el0_access(ArmCpu *cpu, const SysReg *r, bool write)
{
    return cpu->s.spsel ? 0 : syndrome(EC_UNKNOWN, 0);
}

static uint64_t spsel_read(ArmCpu *cpu, const SysReg *r)
{
    return cpu->s.spsel;
}

static void spsel_write(ArmCpu *cpu, const SysReg *r, uint64_t value)
{
    arm_set_el_sp(cpu, cpu->s.el, value & 1);
}

static uint64_t current_el_read(ArmCpu *cpu, const SysReg *r)
{
    return (uint64_t)cpu->s.el << PSTATE_EL_SHIFT;
}

static uint64_t nzcv_read(ArmCpu *cpu, const SysReg *r)
{
    return nzcv_unpack(cpu->vcpu.nzcv);
}

static void nzcv_write(ArmCpu *cpu, const SysReg *r, uint64_t value)
{
    cpu->vcpu.nzcv = nzcv_pack(value & NZCV_MASK);
}

static uint32_t daif_access(ArmCpu *cpu, const SysReg *r, bool write)
{
    return cpu->s.el == 0 && !(arm_sctlr(cpu) & SCTLR_UMA) ? sysreg_trap(cpu, r, write) : 0;
}

static uint64_t daif_read(ArmCpu *cpu, const SysReg *r)
{
    return cpu->s.daif;
}

/* PSTATE.D takes part in software step, so in the mode. */
static void daif_write(ArmCpu *cpu, const SysReg *r, uint64_t value)
{
    cpu->s.daif = value & PSTATE_DAIF;
    vcpu_space_changed(&cpu->vcpu);
}

static uint32_t fp_access(ArmCpu *cpu, const SysReg *r, bool write)
{
    return arm_fp_trapped(cpu) ? syndrome_fp_access() : 0;
}

/* FPCR and FPSR are 32 bits of state. */
static uint32_t *fp_state(ArmCpu *cpu, const SysReg *r)
{
    return (uint32_t *)((char *)cpu + r->offset);
}

static uint64_t fp_read(ArmCpu *cpu, const SysReg *r)
{
    return *fp_state(cpu, r);
}

static void fp_write(ArmCpu *cpu, const SysReg *r, uint64_t value)
{
    *fp_state(cpu, r) = sysreg_masked(r, value);
}

/* ---- rows ---- */

#define LOW32 0xffffffffull
#define REGIME(mask) .flags = SYSREG_END_UNIT, .writable = mask, .write = sysreg_write_regime

/* Implementation defined registers that the parts do not use are RAZ_WI. */
static const SysReg rows[] = {
    { EL_BANK(1, 1, 0, 0, "SCTLR", sctlr_el), .flags = SYSREG_END_UNIT,
      .reset = SCTLR_RESET, .write = sctlr_write },
    { EL_ROW(1, 1, 0, 1, "ACTLR"), RAZ_WI },
    { SYSREG_ROW(3, 0, 1, 0, 2, "CPACR_EL1"), EL1_RW, .offset = STATE_OFFSET(cpacr_el1),
      REGIME(CPACR_FPEN) },
    { EL_ROW(1, 2, 0, 0, "TTBR0"), .offset = STATE_OFFSET(ttbr_el[1][0]), REGIME(TTBR_WRITABLE) },
    { EL_ROW(1, 2, 0, 1, "TTBR1"), .offset = STATE_OFFSET(ttbr_el[1][1]), REGIME(TTBR_WRITABLE) },
    { EL_BANK(1, 2, 0, 2, "TCR", tcr_el), REGIME(TCR_WRITABLE) },
    { EL_BANK(1, 4, 0, 0, "SPSR", spsr_el), .flags = SYSREG_PLAIN,
      .writable = SPSR_V8_0_MASK },
    { EL_BANK(1, 4, 0, 1, "ELR", elr_el), .flags = SYSREG_PLAIN },
    { SYSREG_ROW(3, 0, 4, 1, 0, "SP_EL0"), EL1_RW, .flags = SYSREG_SP_EL0,
      .offset = STATE_OFFSET(sp_el[0]), .access = sp_el0_access },
    { SYSREG_ROW(3, 0, 4, 2, 0, "SPSel"), EL1_RW, .flags = SYSREG_END_UNIT,
      .read = spsel_read, .write = spsel_write },
    { SYSREG_ROW(3, 0, 4, 2, 2, "CurrentEL"), EL1_RO, .flags = SYSREG_CURRENT_EL,
      .read = current_el_read },
    { EL_ROW(1, 5, 1, 0, "AFSR0"), RAZ_WI },
    { EL_ROW(1, 5, 1, 1, "AFSR1"), RAZ_WI },
    { EL_BANK(1, 5, 2, 0, "ESR", esr_el), .flags = SYSREG_PLAIN,
      .writable = LOW32 },
    { EL_BANK(1, 6, 0, 0, "FAR", far_el), .flags = SYSREG_PLAIN },
    { SYSREG_ROW(3, 0, 7, 4, 0, "PAR_EL1"), EL1_RW, .offset = STATE_OFFSET(par_el1),
      .write = par_write },
    { EL_BANK(1, 10, 2, 0, "MAIR", mair_el), .flags = SYSREG_PLAIN },
    { EL_ROW(1, 10, 3, 0, "AMAIR"), RAZ_WI },
    { EL_BANK(1, 12, 0, 0, "VBAR", vbar_el), .flags = SYSREG_PLAIN,
      .writable = VBAR_WRITABLE },
    { SYSREG_ROW(3, 0, 12, 0, 1, "RVBAR_EL1"), EL1_RO, .read = rvbar_read },
    { SYSREG_ROW(3, 0, 12, 1, 0, "ISR_EL1"), EL1_RO, .read = isr_read },
    { EL_BANK(1, 13, 0, 1, "CONTEXTIDR", contextidr_el), .flags = SYSREG_PLAIN,
      .writable = LOW32 },
    { EL_BANK(1, 13, 0, 4, "TPIDR", tpidr_el), .flags = SYSREG_PLAIN },
    { SYSREG_ROW(3, 3, 4, 2, 0, "NZCV"), EL0_RW, .flags = SYSREG_NZCV, .read = nzcv_read,
      .write = nzcv_write },
    { SYSREG_ROW(3, 3, 4, 2, 1, "DAIF"), EL0_RW, .flags = SYSREG_DAIF | SYSREG_END_UNIT,
      .read = daif_read, .write = daif_write, .access = daif_access },
    { SYSREG_ROW(3, 3, 4, 4, 0, "FPCR"), EL0_RW, .flags = SYSREG_FP32,
      .offset = STATE_OFFSET(fpcr), .writable = FPCR_WRITABLE, .read = fp_read,
      .write = fp_write, .access = fp_access },
    { SYSREG_ROW(3, 3, 4, 4, 1, "FPSR"), EL0_RW, .flags = SYSREG_FP32,
      .offset = STATE_OFFSET(fpsr), .writable = FPSR_WRITABLE, .read = fp_read,
      .write = fp_write, .access = fp_access },
    { SYSREG_ROW(3, 3, 13, 0, 2, "TPIDR_EL0"), EL0_RW, PLAIN(tpidr_el[0]) },
    { SYSREG_ROW(3, 3, 13, 0, 3, "TPIDRRO_EL0"), .min_el_read = 0, .min_el_write = 1,
      PLAIN(tpidrro_el0) },
};

const SysRegChapter sysregs_system = { rows, ARRAY_SIZE(rows) };
