/*
 * Identification and cache geometry (DDI 0487 D13.2). All of the ID space reads
 * as the model says, which is zero where nothing is allocated or, for the AArch32
 * registers, where no EL has AArch32.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/sysreg-rows.h"
#include "target/arm/cpu-models.h"
#include "target/arm/routing.h"
#include "target/arm/system.h"
#include "util/bitops.h"

/* DCZID_EL0: log2 of the block in words, and DZP where DC ZVA is prohibited. */
#define DCZID_64_BYTES 4u
#define DCZID_DZP BIT(4)

/* CSSELR_EL1: InD and the cache level less one. */
#define CSSELR_WRITABLE 0xfull

static uint64_t id_read(ArmCpu *cpu, const SysReg *r)
{
    return cpu->model->id[extract32(r->key, 3, 3)][extract32(r->key, 0, 3)];
}

static uint64_t midr_read(ArmCpu *cpu, const SysReg *r)
{
    return cpu->config.midr ? cpu->config.midr : id_read(cpu, r);
}

static uint64_t mpidr_read(ArmCpu *cpu, const SysReg *r)
{
    return cpu->mpidr;
}

static uint64_t ccsidr_read(ArmCpu *cpu, const SysReg *r)
{
    unsigned level = extract64(cpu->s.csselr_el1, 1, 3);

    /* UNKNOWN for a cache that is not there. */
    return level < ARM_CACHE_LEVELS ? cpu->model->ccsidr[level][cpu->s.csselr_el1 & 1] : 0;
}

static uint64_t clidr_read(ArmCpu *cpu, const SysReg *r)
{
    return cpu->model->clidr_el1;
}

static uint32_t ctr_access(ArmCpu *cpu, const SysReg *r, bool write)
{
    return cpu->s.el == 0 && !(arm_sctlr(cpu) & SCTLR_UCT) ? sysreg_trap(cpu, r, write) : 0;
}

static uint64_t ctr_read(ArmCpu *cpu, const SysReg *r)
{
    return cpu->model->ctr_el0;
}

static uint64_t dczid_read(ArmCpu *cpu, const SysReg *r)
{
    bool prohibited = cpu->s.el == 0 && !(arm_sctlr(cpu) & SCTLR_DZE);

    return DCZID_64_BYTES | (prohibited ? DCZID_DZP : 0);
}

#define ID(crm, op2, id_name) { SYSREG_ROW(3, 0, 0, crm, op2, id_name), EL1_RO, .read = id_read }

static const SysReg rows[] = {
    { SYSREG_ROW(3, 0, 0, 0, 0, "MIDR_EL1"), EL1_RO, .read = midr_read },
    { SYSREG_ROW(3, 0, 0, 0, 5, "MPIDR_EL1"), EL1_RO, .read = mpidr_read },
    ID(0, 6, "REVIDR_EL1"),
    ID(1, 0, "ID_PFR0_EL1"), ID(1, 1, "ID_PFR1_EL1"), ID(1, 2, "ID_DFR0_EL1"),
    ID(1, 3, "ID_AFR0_EL1"), ID(1, 4, "ID_MMFR0_EL1"), ID(1, 5, "ID_MMFR1_EL1"),
    ID(1, 6, "ID_MMFR2_EL1"), ID(1, 7, "ID_MMFR3_EL1"),
    ID(2, 0, "ID_ISAR0_EL1"), ID(2, 1, "ID_ISAR1_EL1"), ID(2, 2, "ID_ISAR2_EL1"),
    ID(2, 3, "ID_ISAR3_EL1"), ID(2, 4, "ID_ISAR4_EL1"), ID(2, 5, "ID_ISAR5_EL1"),
    ID(2, 6, "ID_MMFR4_EL1"), ID(2, 7, "ID_ISAR6_EL1"),
    ID(3, 0, "MVFR0_EL1"), ID(3, 1, "MVFR1_EL1"), ID(3, 2, "MVFR2_EL1"),
    ID(3, 3, "S3_0_C0_C3_3"), ID(3, 4, "ID_PFR2_EL1"), ID(3, 5, "ID_DFR1_EL1"),
    ID(3, 6, "ID_MMFR5_EL1"), ID(3, 7, "S3_0_C0_C3_7"),
    ID(4, 0, "ID_AA64PFR0_EL1"), ID(4, 1, "ID_AA64PFR1_EL1"), ID(4, 2, "S3_0_C0_C4_2"),
    ID(4, 3, "S3_0_C0_C4_3"), ID(4, 4, "ID_AA64ZFR0_EL1"), ID(4, 5, "ID_AA64SMFR0_EL1"),
    ID(4, 6, "S3_0_C0_C4_6"), ID(4, 7, "S3_0_C0_C4_7"),
    ID(5, 0, "ID_AA64DFR0_EL1"), ID(5, 1, "ID_AA64DFR1_EL1"), ID(5, 2, "S3_0_C0_C5_2"),
    ID(5, 3, "S3_0_C0_C5_3"), ID(5, 4, "ID_AA64AFR0_EL1"), ID(5, 5, "ID_AA64AFR1_EL1"),
    ID(5, 6, "S3_0_C0_C5_6"), ID(5, 7, "S3_0_C0_C5_7"),
    ID(6, 0, "ID_AA64ISAR0_EL1"), ID(6, 1, "ID_AA64ISAR1_EL1"), ID(6, 2, "ID_AA64ISAR2_EL1"),
    ID(6, 3, "S3_0_C0_C6_3"), ID(6, 4, "S3_0_C0_C6_4"), ID(6, 5, "S3_0_C0_C6_5"),
    ID(6, 6, "S3_0_C0_C6_6"), ID(6, 7, "S3_0_C0_C6_7"),
    ID(7, 0, "ID_AA64MMFR0_EL1"), ID(7, 1, "ID_AA64MMFR1_EL1"), ID(7, 2, "ID_AA64MMFR2_EL1"),
    ID(7, 3, "ID_AA64MMFR3_EL1"), ID(7, 4, "ID_AA64MMFR4_EL1"), ID(7, 5, "S3_0_C0_C7_5"),
    ID(7, 6, "S3_0_C0_C7_6"), ID(7, 7, "S3_0_C0_C7_7"),
    { SYSREG_ROW(3, 1, 0, 0, 0, "CCSIDR_EL1"), EL1_RO, .read = ccsidr_read },
    { SYSREG_ROW(3, 1, 0, 0, 1, "CLIDR_EL1"), EL1_RO, .read = clidr_read },
    { SYSREG_ROW(3, 1, 0, 0, 7, "AIDR_EL1"), EL1_RO, .flags = SYSREG_CONST },
    { SYSREG_ROW(3, 2, 0, 0, 0, "CSSELR_EL1"), EL1_RW, PLAIN_MASKED(csselr_el1, CSSELR_WRITABLE) },
    { SYSREG_ROW(3, 3, 0, 0, 1, "CTR_EL0"), EL0_RO, .read = ctr_read, .access = ctr_access },
    { SYSREG_ROW(3, 3, 0, 0, 7, "DCZID_EL0"), EL0_RO, .read = dczid_read },
};

const SysRegChapter sysregs_id = { rows, ARRAY_SIZE(rows) };
