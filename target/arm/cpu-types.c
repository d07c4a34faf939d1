/*
 * The device types of the CPU models, for -cpu, -global, help and the monitors: what users
 * choose of a CPU. Names are those of QEMU's CPUs; what the models do not have is refused with
 * the reason.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/cpu.h"
#include "target/arm/gtimer.h"

#define CPU_PROPERTIES                                                                      \
    PROP_UINT("cntfrq", ArmCpuConfig, cntfrq, G_STRINGIFY(GTIMER_HZ), 1, GTIMER_MAX_HZ,     \
              "the generic timer's frequency in Hz"),                                       \
    PROP_UINT("midr", ArmCpuConfig, midr, "0", 0, UINT32_MAX,                               \
              "what MIDR_EL1 reads; 0: as the model has it"),                               \
    PROP_UINT("rvbar", ArmCpuConfig, rvbar, "0", 0, UINT64_MAX,                             \
              "where a reset starts, unless a kernel is booted"),                           \
    PROP_FIXED("aarch64", PROPERTY_BOOL, "there is no AArch32", "AArch64", "on"),           \
    PROP_FIXED("vfp", PROPERTY_BOOL, "the models have it", "floating point", "on"),         \
    PROP_FIXED("neon", PROPERTY_BOOL, "the models have it", "Advanced SIMD", "on"),         \
    PROP_FIXED("has_el2", PROPERTY_BOOL, "the CPUs have no EL2", "EL2", "off"),             \
    PROP_FIXED("has_el3", PROPERTY_BOOL, "the CPUs have no EL3", "EL3", "off"),             \
    PROP_FIXED("pmu", PROPERTY_BOOL, "there is no PMU", "performance monitors", "off"),     \
    PROP_FIXED("cfgend", PROPERTY_BOOL, "a reset leaves data little-endian",                \
               "big-endian data after a reset", "off"),                                     \
    PROP_FIXED("reset-hivecs", PROPERTY_BOOL, "there is no AArch32",                        \
               "high vectors after a reset", "off"),                                        \
    PROP_FIXED("reset-cbar", PROPERTY_UINT, "no model has CBAR_EL1", "CBAR_EL1", "0"),      \
    PROP_REFUSED("mp-affinity", "CPUs are numbered as -smp makes them"),                    \
    PROP_REFUSED("start-powered-off", "the board says which CPUs wait for PSCI"),           \
    PROP_REFUSED("psci-conduit", "the board says how PSCI is called")

static const Property cpu_properties[] = { CPU_PROPERTIES, PROP_END };

static const Property max_properties[] = {
    CPU_PROPERTIES,
    PROP_FIXED("sve", PROPERTY_BOOL, "there is no SVE yet", "Scalable Vector Extension", "off"),
    PROP_FIXED("sme", PROPERTY_BOOL, "there is no SME yet", "Scalable Matrix Extension", "off"),
    PROP_FIXED("pauth", PROPERTY_BOOL, "there is no FEAT_PAuth yet", "pointer authentication",
               "off"),
    PROP_FIXED("pauth-impdef", PROPERTY_BOOL, "there is no FEAT_PAuth yet",
               "pointer authentication by an algorithm of its own", "off"),
    PROP_FIXED("lpa2", PROPERTY_BOOL, "there is no FEAT_LPA2 yet", "52-bit addresses", "off"),
    PROP_END
};

#define CPU_TYPE(model, doc_, properties_)                                     \
    { .name = model "-arm-cpu", .doc = doc_, .parent = "aarch64-cpu",          \
      .instead = "-cpu " model " makes the board's CPUs of this type, and -smp says how many", \
      .properties = properties_, .config_offset = offsetof(ArmCpu, config) }

const DeviceType cortex_a53_type = CPU_TYPE("cortex-a53", "Arm Cortex-A53", cpu_properties);
const DeviceType cortex_a57_type = CPU_TYPE("cortex-a57", "Arm Cortex-A57", cpu_properties);
const DeviceType cortex_a72_type = CPU_TYPE("cortex-a72", "Arm Cortex-A72", cpu_properties);
const DeviceType max_cpu_type = CPU_TYPE("max", "all features that there are", max_properties);
