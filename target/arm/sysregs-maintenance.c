/*
 * System instructions (DDI 0487 C5.3 to C5.5): caches, address translation, TLBs.
 *
 * Caches are not modelled and all memory is coherent, the translation cache with it,
 * so IC and DC do nothing besides their EL0 traps and the faults of their address. The soft
 * TLB always agrees with the tables, so TLBI has nothing to do.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/sysreg-rows.h"
#include "target/arm/exceptions.h"
#include "target/arm/helpers.h"
#include "target/arm/mmu.h"
#include "target/arm/routing.h"
#include "target/arm/system.h"
#include "util/bitops.h"

/* ---- traps of EL0 ---- */

static uint32_t uci_access(ArmCpu *cpu, const SysReg *r, bool write)
{
    return cpu->s.el == 0 && !(arm_sctlr(cpu) & SCTLR_UCI) ? sysreg_trap(cpu, r, write) : 0;
}

static uint32_t dze_access(ArmCpu *cpu, const SysReg *r, bool write)
{
    return cpu->s.el == 0 && !(arm_sctlr(cpu) & SCTLR_DZE) ? sysreg_trap(cpu, r, write) : 0;
}

/* ---- faults of DC and IC by address (DDI 0487 D4.4.8) ---- */

/*
 * The address has to be translated, and for EL0 to be readable; DC IVAC needs the right to
 * write. What can be read has all of it but the last.
 */
static void maintain_va(ArmCpu *cpu, uint64_t vaddr, bool write)
{
    ArmTranslation t;

    if (!write && vcpu_can_read(&cpu->vcpu, vaddr)) {
        return;
    }
    if (!arm_translate_address(cpu, vaddr, write ? MMU_WRITE : MMU_READ, cpu->s.el == 0, &t)) {
        arm_raise_cm_abort(cpu, vaddr, t.r.fault);
    }
}

static void cache_va(ArmCpu *cpu, const SysReg *r, uint64_t value)
{
    maintain_va(cpu, value, false);
}

static void cache_va_invalidate(ArmCpu *cpu, const SysReg *r, uint64_t value)
{
    maintain_va(cpu, value, true);
}

static void do_cache_va(Vcpu *vcpu, uint64_t vaddr)
{
    maintain_va(arm_cpu(vcpu), vaddr, false);
}

const IrHelper helper_cache_va = { "cache_va", (void (*)(void))do_cache_va, 1,
                                   IR_HELPER_SYNC | IR_HELPER_VOID };

/* ---- AT ---- */

#define PAR_F BIT64(0)
#define PAR_RES1 BIT64(11)

/* op2: bit 0 is write, bit 1 is EL0. */
static void at_s1(ArmCpu *cpu, const SysReg *r, uint64_t vaddr)
{
    MmuAccess access = r->key & 1 ? MMU_WRITE : MMU_READ;
    bool user = r->key & 2;
    ArmTranslation t;

    if (arm_translate_address(cpu, vaddr, access, user, &t)) {
        cpu->s.par_el1 = t.r.phys | PAR_RES1 | (uint64_t)t.shareability << 7 |
                         (uint64_t)t.memattr << 56;
    } else if ((t.r.fault & ~3u) == FSC_EXTERNAL_WALK) {
        /* Not a result: the instruction itself takes the abort. */
        arm_raise_cm_abort(cpu, vaddr, t.r.fault);
    } else {
        cpu->s.par_el1 = PAR_F | PAR_RES1 | t.r.fault << 1;
    }
}

/* ---- rows ---- */

/* An instruction at EL1 with its argument in Xt; SYSREG_END_UNIT: what runs next may move. */
#define SYS_EL1(op1, crn, crm, op2, insn, fn)                                             \
    { SYSREG_ROW(1, op1, crn, crm, op2, insn), EL1_WO, .flags = SYSREG_END_UNIT, .write = fn }
#define TLBI_EL1(op1, crn, crm, op2, insn)                                                \
    { SYSREG_ROW(1, op1, crn, crm, op2, insn), EL1_WO, .flags = SYSREG_NOP,               \
      .write = sysreg_write_ignored }
#define CACHE_EL1(op1, crm, op2, insn)                                                    \
    { SYSREG_ROW(1, op1, 7, crm, op2, insn), EL1_WO, .flags = SYSREG_NOP,                 \
      .write = sysreg_write_ignored }
#define CACHE_VA(crm, op2, insn)                                                          \
    { SYSREG_ROW(1, 3, 7, crm, op2, insn), EL0_WO, .flags = SYSREG_CACHE_VA,              \
      .write = cache_va, .access = uci_access }

static const SysReg rows[] = {
    CACHE_EL1(0, 1, 0, "IC IALLUIS"),
    CACHE_EL1(0, 5, 0, "IC IALLU"),
    { SYSREG_ROW(1, 0, 7, 6, 1, "DC IVAC"), EL1_WO, .write = cache_va_invalidate },
    CACHE_EL1(0, 6, 2, "DC ISW"),
    SYS_EL1(0, 7, 8, 0, "AT S1E1R", at_s1),
    SYS_EL1(0, 7, 8, 1, "AT S1E1W", at_s1),
    SYS_EL1(0, 7, 8, 2, "AT S1E0R", at_s1),
    SYS_EL1(0, 7, 8, 3, "AT S1E0W", at_s1),
    CACHE_EL1(0, 10, 2, "DC CSW"),
    CACHE_EL1(0, 14, 2, "DC CISW"),
    TLBI_EL1(0, 8, 3, 0, "TLBI VMALLE1IS"),
    TLBI_EL1(0, 8, 3, 1, "TLBI VAE1IS"),
    TLBI_EL1(0, 8, 3, 2, "TLBI ASIDE1IS"),
    TLBI_EL1(0, 8, 3, 3, "TLBI VAAE1IS"),
    TLBI_EL1(0, 8, 3, 5, "TLBI VALE1IS"),
    TLBI_EL1(0, 8, 3, 7, "TLBI VAALE1IS"),
    TLBI_EL1(0, 8, 7, 0, "TLBI VMALLE1"),
    TLBI_EL1(0, 8, 7, 1, "TLBI VAE1"),
    TLBI_EL1(0, 8, 7, 2, "TLBI ASIDE1"),
    TLBI_EL1(0, 8, 7, 3, "TLBI VAAE1"),
    TLBI_EL1(0, 8, 7, 5, "TLBI VALE1"),
    TLBI_EL1(0, 8, 7, 7, "TLBI VAALE1"),
    { SYSREG_ROW(1, 3, 7, 4, 1, "DC ZVA"), EL0_WO, .flags = SYSREG_DC_ZVA,
      .access = dze_access },
    CACHE_VA(5, 1, "IC IVAU"),
    CACHE_VA(10, 1, "DC CVAC"),
    CACHE_VA(11, 1, "DC CVAU"),
    CACHE_VA(14, 1, "DC CIVAC"),
};

const SysRegChapter sysregs_maintenance = { rows, ARRAY_SIZE(rows) };
