/*
 * The CPU of the oracle test; see oracle-cpu.h. Exception helpers note what was
 * raised and leave the PC where it is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tests/oracle/oracle-cpu.h"

#include <glib.h>

#include "target/arm/helpers.h"
#include "target/arm/syndrome.h"
#include "target/arm/sysreg.h"
#include "tests/oracle/case-format.h"

typedef struct OracleCpu {
    ArmCpu arm;                 /* first */
    OracleStatus status;
    uint32_t mode;
} OracleCpu;

OracleStatus *oracle_cpu_status(Vcpu *cpu)
{
    return &container_of(cpu, OracleCpu, arm.vcpu)->status;
}

static void raise_status(Vcpu *cpu, uint32_t status)
{
    *oracle_cpu_status(cpu) = (OracleStatus){ .raised = true, .status = status };
    cpu->exit_request = 1;
}

/* ---- what the engine asks ---- */

static uint32_t oracle_mode(Vcpu *cpu)
{
    return container_of(cpu, OracleCpu, arm.vcpu)->mode;
}

static SpaceKey oracle_space(Vcpu *cpu, bool unpriv)
{
    return (SpaceKey){ 0 };
}

static bool oracle_mmu_translate(Vcpu *cpu, uint64_t vaddr, MmuAccess access, bool unpriv,
                                 MmuResult *out)
{
    *out = (MmuResult){
        .phys = vaddr & ~0xfffull,
        .attrs = TLB_VALID | TLB_READ | TLB_WRITE | TLB_EXEC,
        .block_size = 4096,
    };
    return true;
}

static uint64_t oracle_clean_address(Vcpu *cpu, uint64_t vaddr, bool unpriv)
{
    return vaddr;
}

static void oracle_raise_abort(Vcpu *cpu, uint64_t vaddr, MmuAccess access, uint32_t fault,
                               bool unpriv)
{
    raise_status(cpu, CASE_FAULT);
}

static void oracle_raise_fault(Vcpu *cpu, uint64_t vaddr, MmuAccess access)
{
    raise_status(cpu, CASE_FAULT);
}

static bool oracle_no(Vcpu *cpu)
{
    return false;
}

static const VcpuOps oracle_ops = {
    .name = "oracle",
    .num_slots = 32,
    .translate = a64_translate,
    .mode = oracle_mode,
    .space = oracle_space,
    .mmu_translate = oracle_mmu_translate,
    .clean_address = oracle_clean_address,
    .raise_abort = oracle_raise_abort,
    .raise_alignment = oracle_raise_fault,
    .raise_external = oracle_raise_fault,
    .take_interrupt = oracle_no,
    .has_work = oracle_no,
};

ArmCpu *oracle_cpu_new(Machine *machine, bool sp_align)
{
    OracleCpu *cpu = aligned_alloc(64, (sizeof(OracleCpu) + 63) & ~63ull);

    assert(cpu);
    memset(cpu, 0, sizeof(*cpu));
    cpu->mode = sp_align ? MODE_SP_ALIGN : 0;
    cpu->arm.vcpu.ops = &oracle_ops;
    cpu->arm.vcpu.machine = machine;
    return &cpu->arm;
}

void oracle_cpu_free(ArmCpu *cpu)
{
    free(container_of(cpu, OracleCpu, arm));
}

/* ---- helpers.h ---- */

static void do_exception(Vcpu *cpu, uint64_t syndrome_value)
{
    switch (syndrome_value >> 26) {
    case EC_BRK:
        raise_status(cpu, CASE_END);
        break;
    case EC_UNKNOWN:
        raise_status(cpu, CASE_UNDEFINED);
        break;
    case EC_PC_ALIGNMENT:
        raise_status(cpu, CASE_FAULT);
        break;
    default:
        raise_status(cpu, CASE_OTHER);
        break;
    }
}

static void do_other(Vcpu *cpu)
{
    raise_status(cpu, CASE_OTHER);
}

static void do_other1(Vcpu *cpu, uint64_t imm)
{
    raise_status(cpu, CASE_OTHER);
}

static void do_other2(Vcpu *cpu, uint64_t op, uint64_t imm)
{
    raise_status(cpu, CASE_OTHER);
}

static uint64_t do_other_value(Vcpu *cpu, uint64_t key)
{
    raise_status(cpu, CASE_OTHER);
    return 0;
}

#define SYNC_VOID(function, args) \
    { #function, (void (*)(void))function, args, IR_HELPER_SYNC | IR_HELPER_VOID }

const IrHelper helper_exception = SYNC_VOID(do_exception, 1);
const IrHelper helper_svc = SYNC_VOID(do_other1, 1);
const IrHelper helper_hvc = SYNC_VOID(do_other1, 1);
const IrHelper helper_smc = SYNC_VOID(do_other1, 1);
const IrHelper helper_eret = SYNC_VOID(do_other, 0);
const IrHelper helper_wfi = SYNC_VOID(do_other, 0);
const IrHelper helper_wfe = SYNC_VOID(do_other, 0);
const IrHelper helper_yield = SYNC_VOID(do_other, 0);
const IrHelper helper_software_step = SYNC_VOID(do_other, 0);
const IrHelper helper_msr_imm = SYNC_VOID(do_other2, 2);
const IrHelper helper_sysreg_write = SYNC_VOID(do_other2, 2);
const IrHelper helper_sysreg_read = { "do_other_value", (void (*)(void))do_other_value, 1,
                                      IR_HELPER_SYNC };

/* ---- sysreg.h: what user code may use ---- */

static const SysReg rows[] = {
    { SYSREG_KEY(3, 3, 4, 2, 0), "NZCV", 0, 0, SYSREG_NZCV },
    { SYSREG_KEY(3, 3, 4, 4, 0), "FPCR", 0, 0, SYSREG_FP32, offsetof(ArmCpu, s.fpcr) },
    { SYSREG_KEY(3, 3, 4, 4, 1), "FPSR", 0, 0, SYSREG_FP32, offsetof(ArmCpu, s.fpsr) },
    { SYSREG_KEY(1, 3, 7, 4, 1), "DC ZVA", SYSREG_NEVER, 0, SYSREG_DC_ZVA },
    { SYSREG_KEY(1, 3, 7, 10, 1), "DC CVAC", SYSREG_NEVER, 0, SYSREG_NOP },
    { SYSREG_KEY(1, 3, 7, 5, 1), "IC IVAU", SYSREG_NEVER, 0, SYSREG_NOP },
};

const SysReg *sysreg_find(uint32_t key)
{
    for (unsigned n = 0; n < ARRAY_SIZE(rows); n++) {
        if (rows[n].key == key) {
            return &rows[n];
        }
    }
    return NULL;
}

bool vcpu_stop_before(Vcpu *cpu, uint64_t pc)
{
    return false;
}

bool a64_fp(DisasContext *s, uint32_t insn)
{
    return false;
}

bool a64_simd(DisasContext *s, uint32_t insn)
{
    return false;
}

bool a64_simd_ldst(DisasContext *s, uint32_t insn)
{
    return false;
}
