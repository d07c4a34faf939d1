/*
 * The CPU of the oracle test: EL0, MMU off, exceptions noted instead of taken.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_ORACLE_ORACLE_CPU_H
#define TESTS_ORACLE_ORACLE_CPU_H

#include "target/arm/translate.h"

typedef struct OracleStatus {
    bool raised;
    uint32_t status;            /* CaseStatus */
} OracleStatus;

ArmCpu *oracle_cpu_new(Machine *machine, bool sp_align);
void oracle_cpu_free(ArmCpu *cpu);
OracleStatus *oracle_cpu_status(Vcpu *cpu);

#endif
