/*
 * Address translation.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_MMU_H
#define TARGET_ARM_MMU_H

#include "target/arm/cpu.h"

/* Fault status codes, ISS bits 5..0 of aborts; walks add their level. */
enum ArmFaultStatus {
    FSC_ADDRESS_SIZE = 0x00,
    FSC_TRANSLATION = 0x04,
    FSC_ACCESS_FLAG = 0x08,
    FSC_PERMISSION = 0x0c,
    FSC_EXTERNAL = 0x10,
    FSC_EXTERNAL_WALK = 0x14,
    FSC_ALIGNMENT = 0x21,
};

/*
 * Numbers of regimes (VcpuOps.regime): EL0 and EL1 have different rights in one translation
 * regime. EL2 and EL3 come here.
 */
enum ArmRegime {
    ARM_REGIME_EL0,
    ARM_REGIME_EL1,
};

/* What a walk finds beyond what the soft TLB needs, for AT. */
typedef struct ArmTranslation {
    MmuResult r;
    uint8_t memattr;       /* the MAIR byte; 0 is Device-nGnRnE */
    uint8_t shareability;  /* SH[1:0] */
} ArmTranslation;

/*
 * Translate as EL0 (user) or EL1. False: r.fault is the fault status code with its level
 * (ISS bits 5..0 of an abort).
 */
bool arm_translate_address(ArmCpu *cpu, uint64_t vaddr, MmuAccess access, bool user,
                           ArmTranslation *out);

/* VcpuOps. */
bool arm_mmu_translate(Vcpu *vcpu, const Regime *regime, uint64_t vaddr, MmuAccess access,
                       MmuResult *out);
void arm_regime(Vcpu *vcpu, unsigned number, Regime *out);
unsigned arm_current_regime(Vcpu *vcpu);
uint64_t arm_clean_address(Vcpu *vcpu, uint64_t vaddr, bool unpriv);

#endif
