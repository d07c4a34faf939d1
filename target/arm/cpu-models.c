/*
 * The CPU models. Each advertises what Rearm implements, within what the part it
 * is named after has: ARMv8.0, AArch64 at EL0 and EL1 only, FP and Advanced SIMD,
 * the Cryptographic Extension and CRC32; no EL2, EL3, AArch32, PMU or trace.
 *
 * Values: Cortex-A53, A57 and A72 TRMs (DDI 0500, DDI 0488, 100095), chapter
 * "System Control"; fields: DDI 0487 D13.2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/cpu-models.h"
#include "util/bitops.h"

/* EL0 and EL1 AArch64 only, FP and AdvSIMD without half precision, GIC by memory map. */
#define PFR0_V8_0 0x0000000000000011ull
/* Debug v8.0; BRPs, WRPs and CTX_CMPs. */
#define DFR0_V8_0 (0x6ull | (ARM_NUM_BREAKPOINTS - 1) << 12 | (ARM_NUM_WATCHPOINTS - 1) << 20 | \
                   (ARM_NUM_CONTEXT_BREAKPOINTS - 1) << 28)
/* AES with PMULL, SHA1, SHA256, CRC32. */
#define ISAR0_V8_0 (2ull << 4 | 1ull << 8 | 1ull << 12 | 1ull << 16)
/* PARange, 16-bit ASIDs, mixed endianness; granules 4 KiB and 64 KiB. */
#define MMFR0_V8_0(pa_range) ((pa_range) | 2ull << 4 | 1ull << 8)
#define MMFR0_TGRAN16 (1ull << 20)
#define PA_40_BITS 2ull
#define PA_44_BITS 4ull

/* 64-byte lines everywhere; L1Ip 2 is VIPT, 3 is PIPT. */
#define CTR_64(l1ip) (1ull << 31 | 4ull << 24 | 4ull << 20 | 4ull << 16 | (l1ip) << 14 | 4ull)
/* Separate L1, unified L2, both to the point of coherency at level 2. */
#define CLIDR_L1_L2 (3ull | 4ull << 3 | 1ull << 21 | 2ull << 24 | 1ull << 27)

/* CCSIDR_EL1 of a cache with 64-byte lines; `wb` are the WT, WB, RA, WA bits. */
#define CCSIDR(wb, kib, ways) \
    ((uint32_t)(wb) << 28 | (uint32_t)((kib) * 1024 / 64 / (ways) - 1) << 13 |          \
     ((ways) - 1) << 3 | 2)
#define DATA_CACHE 7
#define INSN_CACHE 2

static const ArmCpuModel models[] = {
    {
        .name = "cortex-a53",
        .type = &cortex_a53_type,
        .id = {
            [0][0] = 0x410fd034,        /* MIDR: r0p4 */
            [4][0] = PFR0_V8_0,
            [5][0] = DFR0_V8_0,
            [6][0] = ISAR0_V8_0,
            [7][0] = MMFR0_V8_0(PA_40_BITS),
        },
        .ctr_el0 = CTR_64(2ull),
        .clidr_el1 = CLIDR_L1_L2,
        .ccsidr = {
            { CCSIDR(DATA_CACHE, 32, 4), CCSIDR(INSN_CACHE, 32, 2) },
            { CCSIDR(DATA_CACHE, 1024, 16), 0 },
        },
    },
    {
        .name = "cortex-a57",
        .type = &cortex_a57_type,
        .id = {
            [0][0] = 0x411fd070,        /* MIDR: r1p0 */
            [4][0] = PFR0_V8_0,
            [5][0] = DFR0_V8_0,
            [6][0] = ISAR0_V8_0,
            [7][0] = MMFR0_V8_0(PA_44_BITS),
        },
        .ctr_el0 = CTR_64(3ull),
        .clidr_el1 = CLIDR_L1_L2,
        .ccsidr = {
            { CCSIDR(DATA_CACHE, 32, 2), CCSIDR(INSN_CACHE, 48, 3) },
            { CCSIDR(DATA_CACHE, 2048, 16), 0 },
        },
    },
    {
        .name = "cortex-a72",
        .type = &cortex_a72_type,
        .id = {
            [0][0] = 0x410fd083,        /* MIDR: r0p3 */
            [4][0] = PFR0_V8_0,
            [5][0] = DFR0_V8_0,
            [6][0] = ISAR0_V8_0,
            [7][0] = MMFR0_V8_0(PA_44_BITS),
        },
        .ctr_el0 = CTR_64(3ull),
        .clidr_el1 = CLIDR_L1_L2,
        .ccsidr = {
            { CCSIDR(DATA_CACHE, 32, 2), CCSIDR(INSN_CACHE, 48, 3) },
            { CCSIDR(DATA_CACHE, 1024, 16), 0 },
        },
    },
    {
        .name = "max",
        .type = &max_cpu_type,
        .id = {
            /* Implementer 0 is for software (DDI 0487 D13.2.86), architecture by ID registers. */
            [0][0] = 0x000f0520,
            [4][0] = PFR0_V8_0,
            [5][0] = DFR0_V8_0,
            [6][0] = ISAR0_V8_0,
            [7][0] = MMFR0_V8_0(PA_44_BITS) | MMFR0_TGRAN16,
        },
        .ctr_el0 = CTR_64(3ull),
        .clidr_el1 = CLIDR_L1_L2,
        .ccsidr = {
            { CCSIDR(DATA_CACHE, 32, 2), CCSIDR(INSN_CACHE, 48, 3) },
            { CCSIDR(DATA_CACHE, 1024, 16), 0 },
        },
    },
};

static const char *const model_names[] = {
    "cortex-a53", "cortex-a57", "cortex-a72", "max", NULL,
};
_Static_assert(ARRAY_SIZE(model_names) == ARRAY_SIZE(models) + 1, "a model without a name");

const char *const *arm_cpu_model_names(void)
{
    return model_names;
}

const ArmCpuModel *arm_cpu_model_find(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(models); i++) {
        if (strcmp(models[i].name, name) == 0) {
            return &models[i];
        }
    }
    return NULL;
}

unsigned arm_pa_bits(const ArmCpuModel *model)
{
    static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48 };
    unsigned range = extract64(model->id[7][0], 0, 4);

    assert(range < ARRAY_SIZE(bits));
    return bits[range];
}

bool arm_has_granule_16k(const ArmCpuModel *model)
{
    return extract64(model->id[7][0], 20, 4) != 0;
}
