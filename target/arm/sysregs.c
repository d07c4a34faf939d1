/*
 * System register access by the guest: look-up, rights, traps. What the
 * registers do is in the chapters sysregs-*.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/sysreg-rows.h"
#include "target/arm/exceptions.h"
#include "target/arm/helpers.h"
#include "target/arm/syndrome.h"
#include "util/bitops.h"
#include "util/log.h"

const SysRegChapter *const sysreg_chapters[] = {
    &sysregs_system, &sysregs_timer, &sysregs_maintenance, &sysregs_id, &sysregs_debug, NULL,
};

static const SysReg *chapter_find(const SysRegChapter *c, uint32_t key)
{
    unsigned low = 0, high = c->num_rows;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (c->rows[middle].key < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < c->num_rows && c->rows[low].key == key ? &c->rows[low] : NULL;
}

const SysReg *sysreg_find(uint32_t key)
{
    const SysReg *r = NULL;

    for (const SysRegChapter *const *c = sysreg_chapters; !r && *c; c++) {
        r = chapter_find(*c, key);
    }
    return r;
}

/* ---- shared hooks ---- */

/* Rt is known only to the instruction; a trap is rare enough to read it again. */
static unsigned current_rt(ArmCpu *cpu)
{
    uint8_t code[4];

    return vcpu_peek(&cpu->vcpu, cpu->vcpu.pc, code, sizeof(code)) ? code[0] & 31 : 0;
}

uint32_t sysreg_trap(ArmCpu *cpu, const SysReg *r, bool write)
{
    return syndrome_sysreg(extract32(r->key, 14, 2), extract32(r->key, 11, 3),
                           extract32(r->key, 7, 4), extract32(r->key, 3, 4),
                           extract32(r->key, 0, 3), current_rt(cpu), !write);
}

void sysreg_write_ignored(ArmCpu *cpu, const SysReg *r, uint64_t value)
{
}

void sysreg_write_regime(ArmCpu *cpu, const SysReg *r, uint64_t value)
{
    *sysreg_state(cpu, r) = sysreg_masked(r, value);
    vcpu_regime_changed(&cpu->vcpu);
}

/* ---- guest access ---- */

/* The row if the current EL has access; otherwise NULL, and the exception is taken. */
static const SysReg *checked_row(ArmCpu *cpu, uint32_t key, bool write)
{
    const SysReg *r = sysreg_find(key);
    uint32_t esr;

    if (!r || cpu->s.el < (write ? r->min_el_write : r->min_el_read)) {
        log_mask(LOG_GUEST_ERROR, "cpu %u: %s of system register %u_%u_c%u_c%u_%u (%s) at EL%u "
                 "is undefined, pc 0x%" PRIx64 "\n", cpu->vcpu.index, write ? "write" : "read",
                 extract32(key, 14, 2), extract32(key, 11, 3), extract32(key, 7, 4),
                 extract32(key, 3, 4), extract32(key, 0, 3), r ? r->name : "unallocated",
                 cpu->s.el, cpu->vcpu.pc);
        arm_undefined(cpu);
        return NULL;
    }
    esr = r->access ? r->access(cpu, r, write) : 0;
    if (esr) {
        arm_exception(cpu, esr, cpu->vcpu.pc);
        return NULL;
    }
    return r;
}

static uint64_t read_row(ArmCpu *cpu, const SysReg *r)
{
    if (r->read) {
        return r->read(cpu, r);
    }
    return r->offset ? *sysreg_state(cpu, r) : r->reset;
}

static uint64_t do_sysreg_read(Vcpu *vcpu, uint64_t key)
{
    ArmCpu *cpu = arm_cpu(vcpu);
    const SysReg *r = checked_row(cpu, key, false);

    return r ? read_row(cpu, r) : 0;
}

static void do_sysreg_read_to(Vcpu *vcpu, uint64_t key, uint64_t rt)
{
    ArmCpu *cpu = arm_cpu(vcpu);
    const SysReg *r = checked_row(cpu, key, false);

    if (r) {
        uint64_t value = read_row(cpu, r);

        if (rt != 31) {
            vcpu->slot[rt] = value;
        }
        vcpu->pc += 4;
    }
}

static void do_sysreg_write(Vcpu *vcpu, uint64_t key, uint64_t value)
{
    ArmCpu *cpu = arm_cpu(vcpu);
    const SysReg *r = checked_row(cpu, key, true);
    uint64_t pc = vcpu->pc;

    if (!r) {
        return;
    }
    if (r->write) {
        r->write(cpu, r, value);
    } else if (r->offset) {
        *sysreg_state(cpu, r) = sysreg_masked(r, value);
    }
    /* A device or an output has asked to leave; an exception has moved the PC already. */
    if (vcpu->exit_request && vcpu->pc == pc) {
        vcpu->pc += 4;
    }
}

const IrHelper helper_sysreg_read = { "sysreg_read", (void (*)(void))do_sysreg_read, 1,
                                      IR_HELPER_SYNC };
const IrHelper helper_sysreg_read_to = { "sysreg_read_to", (void (*)(void))do_sysreg_read_to, 2,
                                         IR_HELPER_SYNC | IR_HELPER_VOID };
const IrHelper helper_sysreg_write = { "sysreg_write", (void (*)(void))do_sysreg_write, 2,
                                       IR_HELPER_SYNC | IR_HELPER_VOID };
