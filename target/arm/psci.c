/*
 * PSCI 1.1 (Arm DEN 0022D) without what is optional in it, and the SMC calling
 * convention's "not supported" for all else (DEN 0028).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/psci.h"
#include "target/arm/exceptions.h"
#include "target/arm/system.h"
#include "util/log.h"

#define PSCI_32(n) (0x84000000u + (n))
#define PSCI_64(n) (0xc4000000u + (n))
#define SMCCC_SMC64 BIT(30)

enum PsciFunction {
    PSCI_VERSION = PSCI_32(0),
    PSCI_CPU_SUSPEND = PSCI_32(1),
    PSCI_CPU_SUSPEND_64 = PSCI_64(1),
    PSCI_CPU_OFF = PSCI_32(2),
    PSCI_CPU_ON = PSCI_32(3),
    PSCI_CPU_ON_64 = PSCI_64(3),
    PSCI_AFFINITY_INFO = PSCI_32(4),
    PSCI_AFFINITY_INFO_64 = PSCI_64(4),
    PSCI_MIGRATE_INFO_TYPE = PSCI_32(6),
    PSCI_SYSTEM_OFF = PSCI_32(8),
    PSCI_SYSTEM_RESET = PSCI_32(9),
    PSCI_FEATURES = PSCI_32(10),
};

enum PsciResult {
    PSCI_SUCCESS = 0,
    PSCI_NOT_SUPPORTED = -1,
    PSCI_INVALID_PARAMETERS = -2,
    PSCI_ALREADY_ON = -4,
    PSCI_INVALID_ADDRESS = -9,
};

enum { AFFINITY_ON = 0, AFFINITY_OFF = 1 };
#define VERSION_1_1 0x00010001
#define NO_TRUSTED_OS 2     /* MIGRATE_INFO_TYPE */

/* Aff3, Aff2, Aff1, Aff0 where MPIDR has them. */
#define MPIDR_AFFINITY 0xff00ffffffull

static ArmCpu *find_cpu(Machine *m, uint64_t affinity)
{
    for (unsigned i = 0; i < m->num_cpus; i++) {
        ArmCpu *cpu = m->cpus[i] ? arm_cpu(m->cpus[i]) : NULL;

        if (cpu && (cpu->mpidr & MPIDR_AFFINITY) == affinity) {
            return cpu;
        }
    }
    return NULL;
}

static int64_t cpu_on(ArmCpu *caller, uint64_t affinity, uint64_t entry, uint64_t context)
{
    ArmCpu *target = find_cpu(caller->vcpu.machine, affinity);

    if (!target) {
        return PSCI_INVALID_PARAMETERS;
    }
    if (!target->vcpu.powered_off) {
        return PSCI_ALREADY_ON;
    }
    if (entry & 3) {
        return PSCI_INVALID_ADDRESS;
    }
    arm_cpu_power_on(target, entry, context);
    return PSCI_SUCCESS;
}

static int64_t affinity_info(ArmCpu *caller, uint64_t affinity, uint64_t lowest_level)
{
    ArmCpu *target = find_cpu(caller->vcpu.machine, affinity);

    /* From 1.0 on, levels above a CPU need not be supported. */
    if (!target || lowest_level != 0) {
        return PSCI_INVALID_PARAMETERS;
    }
    return target->vcpu.powered_off ? AFFINITY_OFF : AFFINITY_ON;
}

static void power_off(ArmCpu *cpu)
{
    cpu->vcpu.powered_off = 1;
    cpu->vcpu.halted = 1;
}

/* The low power states all are standby: WFI, and the call returns. */
static int64_t cpu_suspend(ArmCpu *cpu)
{
    cpu->vcpu.halted = !arm_has_work(&cpu->vcpu);
    return PSCI_SUCCESS;
}

static int64_t features(uint32_t function)
{
    switch (function) {
    case PSCI_VERSION:
    case PSCI_CPU_SUSPEND:
    case PSCI_CPU_SUSPEND_64:
    case PSCI_CPU_OFF:
    case PSCI_CPU_ON:
    case PSCI_CPU_ON_64:
    case PSCI_AFFINITY_INFO:
    case PSCI_AFFINITY_INFO_64:
    case PSCI_MIGRATE_INFO_TYPE:
    case PSCI_SYSTEM_OFF:
    case PSCI_SYSTEM_RESET:
    case PSCI_FEATURES:
        return PSCI_SUCCESS;
    }
    return PSCI_NOT_SUPPORTED;
}

static int64_t dispatch(ArmCpu *cpu, uint32_t function, const uint64_t arg[3])
{
    Machine *m = cpu->vcpu.machine;

    switch (function) {
    case PSCI_VERSION:
        return VERSION_1_1;
    case PSCI_CPU_SUSPEND:
    case PSCI_CPU_SUSPEND_64:
        return cpu_suspend(cpu);
    case PSCI_CPU_OFF:
        power_off(cpu);
        return PSCI_SUCCESS;
    case PSCI_CPU_ON:
    case PSCI_CPU_ON_64:
        return cpu_on(cpu, arg[0], arg[1], arg[2]);
    case PSCI_AFFINITY_INFO:
    case PSCI_AFFINITY_INFO_64:
        return affinity_info(cpu, arg[0], arg[1]);
    case PSCI_MIGRATE_INFO_TYPE:
        return NO_TRUSTED_OS;
    case PSCI_SYSTEM_OFF:
        power_off(cpu);
        machine_request_shutdown(m, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
        return PSCI_SUCCESS;
    case PSCI_SYSTEM_RESET:
        power_off(cpu);
        machine_request_reset(m, SHUTDOWN_CAUSE_GUEST_RESET);
        return PSCI_SUCCESS;
    case PSCI_FEATURES:
        return features(arg[0]);
    }
    log_mask(LOG_GUEST_ERROR, "cpu %u: firmware call 0x%x is not supported\n",
             cpu->vcpu.index, function);
    return PSCI_NOT_SUPPORTED;
}

void psci_call(ArmCpu *cpu)
{
    uint64_t *x = cpu->vcpu.slot;
    uint32_t function = x[0];
    bool wide = function & SMCCC_SMC64;
    uint64_t arg[3];

    for (unsigned i = 0; i < 3; i++) {
        arg[i] = wide ? x[i + 1] : (uint32_t)x[i + 1];
    }
    log_mask(LOG_INT, "cpu %u: PSCI call 0x%x\n", cpu->vcpu.index, function);
    x[0] = dispatch(cpu, function, arg);
}
