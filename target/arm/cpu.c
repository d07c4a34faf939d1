/*
 * The CPU as the execution engine and the board see it: creation, reset,
 * translation mode, state for digests and snapshots, register dump.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/cpu.h"
#include <capstone/capstone.h>
#include <glib.h>
#include "accel/tcg/nzcv.h"
#include "hw/core/bus.h"
#include "hw/core/machine.h"
#include "target/arm/cpu-models.h"
#include "target/arm/debug.h"
#include "target/arm/exceptions.h"
#include "target/arm/gdb.h"
#include "target/arm/gtimer.h"
#include "target/arm/mmu.h"
#include "target/arm/psci.h"
#include "target/arm/routing.h"
#include "target/arm/system.h"
#include "target/arm/translate.h"
#include "util/bitops.h"
#include "util/keyval.h"

/* CPUs a cluster: what a GICv2 can address (MPIDR Aff0). */
#define CPUS_PER_CLUSTER 8

/* ---- state ---- */

#define ARM_FIELDS(F, S)            \
    F(S, ARRAY_U64, v)              \
    F(S, U32, fpcr)                 \
    F(S, U32, fpsr)                 \
    F(S, U32, daif)                 \
    F(S, U8, el)                    \
    F(S, U8, spsel)                 \
    F(S, U8, il)                    \
    F(S, U8, ss)                    \
    F(S, ARRAY_U64, sp_el)          \
    F(S, ARRAY_U64, elr_el)         \
    F(S, ARRAY_U64, spsr_el)        \
    F(S, ARRAY_U64, vbar_el)        \
    F(S, ARRAY_U64, esr_el)         \
    F(S, ARRAY_U64, far_el)         \
    F(S, ARRAY_U64, sctlr_el)       \
    F(S, U64, cpacr_el1)            \
    F(S, U64, hcr_el2)              \
    F(S, U64, scr_el3)              \
    F(S, ARRAY_U64, mdcr_el)        \
    F(S, ARRAY_U64, ttbr_el)        \
    F(S, ARRAY_U64, tcr_el)         \
    F(S, ARRAY_U64, mair_el)        \
    F(S, ARRAY_U64, contextidr_el)  \
    F(S, ARRAY_U64, tpidr_el)       \
    F(S, U64, tpidrro_el0)          \
    F(S, U64, par_el1)              \
    F(S, U64, csselr_el1)           \
    F(S, U64, cntkctl_el1)          \
    F(S, U64, mdscr_el1)            \
    F(S, U64, oslsr_el1)            \
    F(S, U64, osdlr_el1)            \
    F(S, ARRAY_U64, dbgbvr_el1)     \
    F(S, ARRAY_U64, dbgbcr_el1)     \
    F(S, ARRAY_U64, dbgwvr_el1)     \
    F(S, ARRAY_U64, dbgwcr_el1)     \
    F(S, U64, dbgclaim_el1)         \
    F(S, ARRAY_U64, cnt_cval)       \
    F(S, ARRAY_U64, cnt_ctl)        \
    F(S, U64, cntvoff)              \
    F(S, U64, cntfrq_el0)           \
    F(S, U8, irq_level)             \
    F(S, ARRAY_U8, timer_level)     \
    F(S, ARRAY_U8, pad)

FIELD_TABLE(arm_fields, "arm-cpu", 2, ArmState, ARM_FIELDS);

/* The guest state that lies in Vcpu, in the form that reaches disk. */
typedef struct VcpuState {
    uint64_t slot[VCPU_MAX_SLOTS];
    uint64_t pc;
    uint64_t excl_addr;
    uint64_t excl_val[2];
    uint32_t nzcv;          /* PSTATE bits: the packed form has noise */
    uint8_t halted;
    uint8_t powered_off;
    uint8_t pad[2];
} VcpuState;

#define VCPU_FIELDS(F, S)           \
    F(S, ARRAY_U64, slot)           \
    F(S, U64, pc)                   \
    F(S, U64, excl_addr)            \
    F(S, ARRAY_U64, excl_val)       \
    F(S, U32, nzcv)                 \
    F(S, U8, halted)                \
    F(S, U8, powered_off)           \
    F(S, ARRAY_U8, pad)

FIELD_TABLE(vcpu_fields, "arm-vcpu", 1, VcpuState, VCPU_FIELDS);

static VcpuState vcpu_state_get(const Vcpu *vcpu)
{
    VcpuState state = {
        .pc = vcpu->pc,
        .excl_addr = vcpu->excl_addr,
        .excl_val = { vcpu->excl_val[0], vcpu->excl_val[1] },
        .nzcv = nzcv_unpack(vcpu->nzcv),
        .halted = vcpu->halted,
        .powered_off = vcpu->powered_off,
    };

    memcpy(state.slot, vcpu->slot, sizeof(state.slot));
    return state;
}

static void vcpu_state_set(Vcpu *vcpu, const VcpuState *state)
{
    memcpy(vcpu->slot, state->slot, sizeof(state->slot));
    vcpu->pc = state->pc;
    vcpu->excl_addr = state->excl_addr;
    memcpy(vcpu->excl_val, state->excl_val, sizeof(state->excl_val));
    vcpu->nzcv = nzcv_pack(state->nzcv);
    vcpu->halted = state->halted;
    vcpu->powered_off = state->powered_off;
}

static void arm_visit_state(Vcpu *vcpu, VcpuStateFn *fn, void *opaque)
{
    VcpuState state = vcpu_state_get(vcpu);

    fn(opaque, &vcpu_fields, &state);
    fn(opaque, &arm_fields, &arm_cpu(vcpu)->s);
}

static void digest_state(void *opaque, const FieldTable *table, const void *state)
{
    fields_digest(table, state, opaque);
}

static void arm_digest(Vcpu *vcpu, Digest *digest)
{
    arm_visit_state(vcpu, digest_state, digest);
}

static void arm_save(Vcpu *vcpu, GByteArray *out)
{
    VcpuState state = vcpu_state_get(vcpu);

    fields_save(&vcpu_fields, &state, out);
    fields_save(&arm_fields, &arm_cpu(vcpu)->s, out);
}

/* What the code relies on and a damaged snapshot may break. */
static bool state_is_sane(const ArmState *s)
{
    return s->el <= 1 && s->spsel <= 1 && (s->el == 1 || !s->spsel);
}

static bool arm_load(Vcpu *vcpu, ByteReader *in, Error **errp)
{
    ArmCpu *cpu = arm_cpu(vcpu);
    VcpuState state;
    ArmState *s = g_new(ArmState, 1);
    bool ok = fields_load(&vcpu_fields, &state, in, errp) &&
              fields_load(&arm_fields, s, in, errp);

    if (ok && !state_is_sane(s)) {
        error_setg(errp, "CPU %u: the saved state has exception level %u, which does not exist",
                   vcpu->index, s->el);
        ok = false;
    }
    if (ok) {
        vcpu_state_set(vcpu, &state);
        cpu->s = *s;
        vcpu_set_irq_pending(vcpu, cpu->s.irq_level != 0);
        vcpu_regime_changed(vcpu);
    }
    g_free(s);
    return ok;
}

/* ---- translation mode ---- */

/* SCTLR_EL1 bits that trap EL0 while they are clear. */
static uint32_t el0_traps(uint64_t sctlr)
{
    return (sctlr & SCTLR_DZE ? 0 : MODE_DCZ_TRAP) | (sctlr & SCTLR_UCI ? 0 : MODE_UCI_TRAP) |
           (sctlr & SCTLR_UCT ? 0 : MODE_UCT_TRAP) | (sctlr & SCTLR_UMA ? 0 : MODE_UMA_TRAP);
}

static uint32_t arm_mode(Vcpu *vcpu)
{
    const ArmCpu *cpu = arm_cpu(vcpu);
    const ArmState *s = &cpu->s;
    uint64_t sctlr = s->sctlr_el[arm_regime_el(cpu)];
    bool user = s->el == 0;
    uint32_t mode = (uint32_t)s->el << MODE_EL_SHIFT;

    mode |= arm_fp_trapped(cpu) ? MODE_FP_TRAP : 0;
    mode |= s->spsel ? MODE_SPSEL : 0;
    mode |= sctlr & SCTLR_A ? MODE_ALIGN_CHECK : 0;
    mode |= sctlr & (user ? SCTLR_SA0 : SCTLR_SA) ? MODE_SP_ALIGN : 0;
    mode |= sctlr & (user ? SCTLR_E0E : SCTLR_EE) ? MODE_BIG_ENDIAN : 0;
    mode |= sctlr & SCTLR_M ? 0 : MODE_MMU_OFF;
    mode |= s->il ? MODE_IL : 0;
    mode |= arm_debug_mode(cpu);
    mode |= user ? el0_traps(sctlr) : 0;
    return mode;
}

/* ---- reset ---- */

/* The architecture's reset values (DDI 0487 D1.9.1), and zero where it has none. */
static void reset_state(ArmCpu *cpu)
{
    Vcpu *vcpu = &cpu->vcpu;

    memset(&cpu->s, 0, sizeof(cpu->s));
    cpu->s.el = 1;
    cpu->s.spsel = 1;
    cpu->s.daif = PSTATE_DAIF;
    cpu->s.sctlr_el[1] = SCTLR_RESET;
    cpu->s.oslsr_el1 = OSLSR_OSLM | OSLSR_OSLK;
    cpu->s.cntfrq_el0 = cpu->config.cntfrq;
    memset(vcpu->slot, 0, sizeof(vcpu->slot));
    vcpu->slot[0] = cpu->boot_x0;
    vcpu->pc = cpu->boot_pc;
    vcpu->nzcv = nzcv_pack(0);
    vcpu->excl_addr = UINT64_MAX;
    vcpu->excl_val[0] = vcpu->excl_val[1] = 0;
    vcpu->powered_off = cpu->start_powered_off;
    vcpu->halted = cpu->start_powered_off;
}

static void state_replaced(ArmCpu *cpu)
{
    gtimer_reset(cpu);
    vcpu_set_irq_pending(&cpu->vcpu, cpu->s.irq_level != 0);
    vcpu_regime_changed(&cpu->vcpu);
}

static void arm_reset(Vcpu *vcpu)
{
    ArmCpu *cpu = arm_cpu(vcpu);

    reset_state(cpu);
    state_replaced(cpu);
}

void arm_cpu_power_on(ArmCpu *cpu, uint64_t entry, uint64_t context)
{
    uint8_t irq_level = cpu->s.irq_level;

    reset_state(cpu);
    /* The interrupt controller has not been reset and goes on driving its lines. */
    cpu->s.irq_level = irq_level;
    cpu->vcpu.powered_off = 0;
    cpu->vcpu.halted = 0;
    cpu->vcpu.pc = entry;
    cpu->vcpu.slot[0] = context;
    state_replaced(cpu);
    vcpu_woken(&cpu->vcpu);
}

void arm_cpu_set_boot(ArmCpu *cpu, uint64_t pc, uint64_t x0)
{
    cpu->boot_pc = cpu->vcpu.pc = pc;
    cpu->boot_x0 = cpu->vcpu.slot[0] = x0;
}

/* ---- observers ---- */

static void arm_dump(Vcpu *vcpu, GString *out)
{
    const ArmCpu *cpu = arm_cpu(vcpu);
    const ArmState *s = &cpu->s;
    uint32_t pstate = arm_pstate_read(cpu);

    g_string_append_printf(out, " PC=%016" PRIx64 "\n", vcpu->pc);
    for (unsigned n = 0; n <= SLOT_SP; n++) {
        g_string_append_printf(out, "%s%02u=%016" PRIx64 "%s", n == SLOT_SP ? "SP" : "X",
                               n, vcpu->slot[n], n % 4 == 3 ? "\n" : " ");
    }
    g_string_append_printf(out, "PSTATE=%08x %c%c%c%c EL%u%c%s%s%s%s\n", pstate,
                           pstate & BIT(31) ? 'N' : '-', pstate & BIT(30) ? 'Z' : '-',
                           pstate & BIT(29) ? 'C' : '-', pstate & BIT(28) ? 'V' : '-',
                           s->el, s->spsel ? 'h' : 't', pstate & PSTATE_D ? " D" : "",
                           pstate & PSTATE_A ? " A" : "", pstate & PSTATE_I ? " I" : "",
                           pstate & PSTATE_F ? " F" : "");
    g_string_append_printf(out, "ELR_EL1=%016" PRIx64 " SPSR_EL1=%08" PRIx64 " ESR_EL1=%08" PRIx64
                           " FAR_EL1=%016" PRIx64 "\n", s->elr_el[1], s->spsr_el[1], s->esr_el[1],
                           s->far_el[1]);
    g_string_append_printf(out, "SCTLR_EL1=%08" PRIx64 " TCR_EL1=%016" PRIx64 " TTBR0_EL1=%016"
                           PRIx64 " TTBR1_EL1=%016" PRIx64 "\n", s->sctlr_el[1], s->tcr_el[1],
                           s->ttbr_el[1][0], s->ttbr_el[1][1]);
    g_string_append_printf(out, "SP_EL0=%016" PRIx64 " SP_EL1=%016" PRIx64
                           " FPCR=%08x FPSR=%08x%s%s\n", arm_sp_read(cpu, 0),
                           arm_sp_read(cpu, 1), s->fpcr, s->fpsr,
                           vcpu->halted ? " halted" : "", vcpu->powered_off ? " off" : "");
}

static unsigned arm_disassemble(Vcpu *vcpu, uint64_t pc, const uint8_t *code, unsigned bytes,
                                GString *out)
{
    cs_insn *insn;
    csh handle;
    size_t count;

    if (bytes < 4 || cs_open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &handle) != CS_ERR_OK) {
        return 0;
    }
    count = cs_disasm(handle, code, 4, pc, 1, &insn);
    if (count == 1) {
        g_string_append_printf(out, "%-8s %s", insn->mnemonic, insn->op_str);
        cs_free(insn, count);
    } else {
        g_string_append_printf(out, ".inst    0x%02x%02x%02x%02x", code[3], code[2], code[1],
                               code[0]);
    }
    cs_close(&handle);
    return 4;
}

/* ---- the shape of instructions: A64 ---- */

static uint8_t arm_pc_align_mask(uint32_t mode)
{
    return 3;
}

static unsigned arm_insn_bytes(uint32_t mode, const uint8_t *code)
{
    return 4;
}

/* ---- creation ---- */

static void arm_free(Vcpu *vcpu)
{
    ArmCpu *cpu = arm_cpu(vcpu);

    gtimer_release(cpu);
    free(cpu);
}

static const char *const slot_names[VCPU_MAX_SLOTS] = {
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
    "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26",
    "x27", "x28", "x29", "x30", "sp",
};

static const VcpuOps arm_ops = {
    .name = "arm",
    .gdb = &aarch64_gdb_target,
    .num_slots = VCPU_MAX_SLOTS,
    .slot_names = slot_names,
    .translate = a64_translate,
    .pc_align_mask = arm_pc_align_mask,
    .insn_bytes = arm_insn_bytes,
    .mode = arm_mode,
    .regime = arm_regime,
    .current_regime = arm_current_regime,
    .main_half = { [ARM_REGIME_EL0] = 0, [ARM_REGIME_EL1] = 1 },
    .mmu_translate = arm_mmu_translate,
    .clean_address = arm_clean_address,
    .raise_abort = arm_raise_abort,
    .raise_alignment = arm_raise_alignment,
    .raise_external = arm_raise_external,
    .take_interrupt = arm_take_interrupt,
    .has_work = arm_has_work,
    .digest = arm_digest,
    .visit_state = arm_visit_state,
    .save = arm_save,
    .load = arm_load,
    .dump = arm_dump,
    .reset = arm_reset,
    .free = arm_free,
    .disassemble = arm_disassemble,
};

/* Models that QEMU has. */
static const char *missing_model(const char *name)
{
    static const char *const a32[] = {
        "cortex-a5", "cortex-a7", "cortex-a8", "cortex-a9", "cortex-a12", "cortex-a15", "cortex-a17",
        "arm926", "arm946", "arm1026", "arm1136", "arm1136-r2", "arm1176", "arm11mpcore", "sa1100",
        "sa1110", "ti925t", "cortex-r5", "cortex-r5f", "cortex-r52", NULL
    };
    static const char *const later[] = {
        "cortex-a35", "cortex-a55", "cortex-a76", "cortex-a78ae", "cortex-a710", "neoverse-n1",
        "neoverse-n2", "neoverse-v1", "a64fx", NULL
    };

    if (g_strv_contains(a32, name) || g_str_has_prefix(name, "pxa")) {
        return "CPUs that only have AArch32 are not there yet";
    }
    if (g_str_has_prefix(name, "cortex-m")) {
        return "microcontrollers are not there";
    }
    if (g_strv_contains(later, name)) {
        return "this model is not there yet; cortex-a72 and max come nearest";
    }
    return NULL;
}

static void unknown_model(const char *name, Error **errp)
{
    const char *nearest = suggest_nearest(name, arm_cpu_model_names());

    if (missing_model(name)) {
        error_setg(errp, "-cpu %s: %s", name, missing_model(name));
    } else if (nearest) {
        error_setg(errp, "unknown CPU model '%s'; did you mean '%s'?", name, nearest);
    } else {
        error_setg(errp, "unknown CPU model '%s'; '-cpu help' lists those there are", name);
    }
}

const char *arm_cpu_model_name(const ArmCpu *cpu)
{
    return cpu->model->name;
}

static const ArmCpuModel *take_parsed(Machine *m, const char *text, KeyVal *kv,
                                      ArmCpuConfig *config, Error **errp)
{
    const char *given = keyval_get(kv, "model"), *name = given ? given : text;
    const ArmCpuModel *model = arm_cpu_model_find(name);
    g_autofree char *what = NULL;

    if (!model) {
        unknown_model(name, errp);
        return NULL;
    }
    what = g_strdup_printf("-cpu %s", model->name);
    properties_init(model->type->properties, config);
    globals_apply(m, model->type, model->type->properties, config);
    return properties_take(model->type->properties, config, kv, what, errp) &&
           keyval_check_unused(kv, what, errp) ? model : NULL;
}

/* The model of "NAME,PROPERTY=VALUE,...", and config as that, -global and the type say. */
static const ArmCpuModel *take_options(Machine *m, const char *text, ArmCpuConfig *config,
                                       Error **errp)
{
    KeyVal *kv = keyval_parse(text, "model", errp);
    const ArmCpuModel *model = kv ? take_parsed(m, text, kv, config, errp) : NULL;

    keyval_free(kv);
    return model;
}

ArmCpu *arm_cpu_new(const char *text, Machine *m, unsigned index, Error **errp)
{
    size_t size = (sizeof(ArmCpu) + 63) & ~(size_t)63;
    ArmCpuConfig config = { 0 };
    const ArmCpuModel *model = take_options(m, text, &config, errp);
    ArmCpu *cpu;

    if (!model) {
        return NULL;
    }
    /* Vector registers are 16-byte aligned; a cache line also keeps the slots together. */
    cpu = aligned_alloc(64, size);
    assert(cpu);
    memset(cpu, 0, size);
    cpu->model = model;
    cpu->config = config;
    cpu->boot_pc = config.rvbar;
    cpu->mpidr = BIT64(31) | (index / CPUS_PER_CLUSTER) << 8 | index % CPUS_PER_CLUSTER;
    cpu->vcpu.ops = &arm_ops;
    cpu->vcpu.machine = m;
    cpu->vcpu.index = index;
    cpu->vcpu.type = model->type;
    cpu->irq_in = (IrqLine){ arm_irq_input, cpu, 0 };
    cpu->fiq_in = (IrqLine){ arm_irq_input, cpu, 1 };
    gtimer_init(cpu);
    reset_state(cpu);
    return cpu;
}
