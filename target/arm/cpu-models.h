/*
 * CPU models: the identification registers, from which everything that
 * differs between models is derived.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_CPU_MODELS_H
#define TARGET_ARM_CPU_MODELS_H

#include "target/arm/cpu.h"

#define ARM_CACHE_LEVELS 2

struct ArmCpuModel {
    const char *name;
    const DeviceType *type;
    /* The ID space op0 = 3, op1 = 0, CRn = 0, by [CRm][op2]; MPIDR is the CPU's own. */
    uint64_t id[8][8];
    uint64_t ctr_el0;
    uint64_t clidr_el1;
    /* By level and CSSELR.InD; 0 where there is no such cache. */
    uint32_t ccsidr[ARM_CACHE_LEVELS][2];
};

/* NULL when unknown. */
const ArmCpuModel *arm_cpu_model_find(const char *name);

/* Physical address size in bits, from ID_AA64MMFR0_EL1.PARange. */
unsigned arm_pa_bits(const ArmCpuModel *model);
/* 16 KiB granule, from ID_AA64MMFR0_EL1.TGran16. */
bool arm_has_granule_16k(const ArmCpuModel *model);

#endif
