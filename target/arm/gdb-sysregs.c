/*
 * The system registers as gdb sees them: the rows of the table that can be read, named as
 * in the manual, in the feature that QEMU's users know. Reading asks the row's peek or read
 * hook, which change nothing. What is plain storage can be written; where a write does
 * more (a change of translation, a timer), the register is read-only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/gdb-sysregs.h"
#include "target/arm/sysreg-rows.h"
#include "util/bitops.h"

/* EL2 and EL3 have rows, but no CPU has them. */
#define HIGHEST_EL 1

static bool visible(const SysReg *r)
{
    bool instruction = extract32(r->key, 14, 2) < 2;   /* op0: SYS, IC, DC, TLBI */

    /* gdb has FPCR and FPSR already, with names in lower case. */
    return !instruction && r->min_el_read <= HIGHEST_EL && !(r->flags & SYSREG_FP32);
}

/* Visible register n, or NULL; *count: how many there are up to it. */
static const SysReg *find(unsigned n, unsigned *count)
{
    *count = 0;
    for (const SysRegChapter *const *c = sysreg_chapters; *c; c++) {
        for (unsigned i = 0; i < (*c)->num_rows; i++) {
            if (visible(&(*c)->rows[i]) && (*count)++ == n) {
                return &(*c)->rows[i];
            }
        }
    }
    return NULL;
}

unsigned arm_gdb_sysregs_count(void)
{
    unsigned count;

    find(UINT_MAX, &count);
    return count;
}

uint64_t arm_gdb_sysreg_read(ArmCpu *cpu, unsigned n)
{
    unsigned count;
    const SysReg *r = find(n, &count);

    if (r->read) {
        return (r->peek ? r->peek : r->read)(cpu, r);
    }
    return r->offset ? *sysreg_state(cpu, r) : r->reset;
}

bool arm_gdb_sysreg_write(ArmCpu *cpu, unsigned n, uint64_t value)
{
    unsigned count;
    const SysReg *r = find(n, &count);

    if (!(r->flags & (SYSREG_PLAIN | SYSREG_SP_EL0)) || r->write ||
        r->min_el_write > HIGHEST_EL) {
        return false;
    }
    *sysreg_state(cpu, r) = sysreg_masked(r, value);
    return true;
}

void arm_gdb_sysregs_describe(unsigned first, GString *out)
{
    unsigned count;
    const SysReg *r;

    g_string_append(out, "<feature name=\"org.qemu.gdb.arm.sys.regs\">\n");
    for (unsigned n = 0; (r = find(n, &count)) != NULL; n++) {
        g_string_append_printf(out, "<reg name=\"%s\" bitsize=\"64\" regnum=\"%u\" "
                               "group=\"cp_regs\"/>\n", r->name, first + n);
    }
    g_string_append(out, "</feature>\n");
}
