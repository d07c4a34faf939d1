/*
 * gdb's numbering of the AArch64 registers: the features org.gnu.gdb.aarch64.core
 * (X0-X30, SP, PC, CPSR) and org.gnu.gdb.aarch64.fpu (V0-V31, FPSR, FPCR), as the gdb
 * manual's appendix on target descriptions names them, and behind them the system registers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/gdb.h"
#include "accel/tcg/nzcv.h"
#include "target/arm/exceptions.h"
#include "target/arm/gdb-sysregs.h"
#include "util/bytes.h"

enum {
    GDB_SP = 31,
    GDB_PC = 32,
    GDB_CPSR = 33,
    GDB_V0 = 34,
    GDB_FPSR = 66,
    GDB_FPCR = 67,
    GDB_SYSREGS = 68,
};

static unsigned gdb_num_regs(void)
{
    return GDB_SYSREGS + arm_gdb_sysregs_count();
}

static unsigned gdb_size(unsigned n)
{
    if (n >= GDB_V0 && n < GDB_FPSR) {
        return 16;
    }
    return n == GDB_CPSR || n == GDB_FPSR || n == GDB_FPCR ? 4 : 8;
}

static void gdb_read(Vcpu *vcpu, unsigned n, uint8_t *out)
{
    ArmCpu *cpu = arm_cpu(vcpu);

    if (n <= GDB_SP) {
        store_le(out, vcpu->slot[n], 8);
    } else if (n == GDB_PC) {
        store_le(out, vcpu->pc, 8);
    } else if (n == GDB_CPSR) {
        store_le(out, arm_pstate_read(cpu), 4);
    } else if (n < GDB_FPSR) {
        store_le(out, cpu->s.v[n - GDB_V0].d[0], 8);
        store_le(out + 8, cpu->s.v[n - GDB_V0].d[1], 8);
    } else if (n < GDB_SYSREGS) {
        store_le(out, n == GDB_FPSR ? cpu->s.fpsr : cpu->s.fpcr, 4);
    } else {
        store_le(out, arm_gdb_sysreg_read(cpu, n - GDB_SYSREGS), 8);
    }
}

/* A debugger's PSTATE: there is AArch64 at EL0 and EL1 only, and EL0 uses SP_EL0. */
static bool write_pstate(ArmCpu *cpu, uint32_t value)
{
    unsigned el = value >> PSTATE_EL_SHIFT & 3;
    unsigned sp = value & PSTATE_SP;

    if ((value & PSTATE_MODE32) || el > 1 || (el == 0 && sp)) {
        return false;
    }
    cpu->vcpu.nzcv = nzcv_pack(value);
    cpu->s.daif = value & PSTATE_DAIF;
    cpu->s.il = (value & PSTATE_IL) != 0;
    cpu->s.ss = (value & PSTATE_SS) != 0;
    if (el != cpu->s.el || sp != cpu->s.spsel) {
        arm_set_el_sp(cpu, el, sp);
    }
    vcpu_space_changed(&cpu->vcpu);
    return true;
}

static bool gdb_write(Vcpu *vcpu, unsigned n, const uint8_t *data)
{
    ArmCpu *cpu = arm_cpu(vcpu);

    if (n <= GDB_SP) {
        vcpu->slot[n] = load_le(data, 8);
    } else if (n == GDB_PC) {
        vcpu->pc = load_le(data, 8);
    } else if (n == GDB_CPSR) {
        return write_pstate(cpu, (uint32_t)load_le(data, 4));
    } else if (n < GDB_FPSR) {
        cpu->s.v[n - GDB_V0].d[0] = load_le(data, 8);
        cpu->s.v[n - GDB_V0].d[1] = load_le(data + 8, 8);
    } else if (n == GDB_FPSR) {
        cpu->s.fpsr = (uint32_t)load_le(data, 4);
    } else if (n == GDB_FPCR) {
        cpu->s.fpcr = (uint32_t)load_le(data, 4);
    } else {
        return arm_gdb_sysreg_write(cpu, n - GDB_SYSREGS, load_le(data, 8));
    }
    return true;
}

/* ---- the description ---- */

static void describe_core(GString *out)
{
    static const struct {
        const char *name;
        unsigned start, end;
    } fields[] = {
        { "SP", 0, 0 }, { "EL", 2, 3 }, { "nRW", 4, 4 }, { "F", 6, 6 }, { "I", 7, 7 },
        { "A", 8, 8 }, { "D", 9, 9 }, { "IL", 20, 20 }, { "SS", 21, 21 }, { "V", 28, 28 },
        { "C", 29, 29 }, { "Z", 30, 30 }, { "N", 31, 31 },
    };

    g_string_append(out, "<feature name=\"org.gnu.gdb.aarch64.core\">\n"
                    "<flags id=\"pstate\" size=\"4\">\n");
    for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
        g_string_append_printf(out, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>\n",
                               fields[i].name, fields[i].start, fields[i].end);
    }
    g_string_append(out, "</flags>\n");
    for (unsigned i = 0; i < GDB_SP; i++) {
        g_string_append_printf(out, "<reg name=\"x%u\" bitsize=\"64\"%s/>\n", i,
                               i == 0 ? " regnum=\"0\"" : "");
    }
    g_string_append(out, "<reg name=\"sp\" bitsize=\"64\" type=\"data_ptr\"/>\n"
                    "<reg name=\"pc\" bitsize=\"64\" type=\"code_ptr\"/>\n"
                    "<reg name=\"cpsr\" bitsize=\"32\" type=\"pstate\"/>\n</feature>\n");
}

static void describe_fpu(GString *out)
{
    static const struct {
        const char *id, *type;
        unsigned count;
    } vectors[] = {
        { "f64x2", "ieee_double", 2 }, { "u64x2", "uint64", 2 }, { "f32x4", "ieee_single", 4 },
        { "u32x4", "uint32", 4 }, { "u16x8", "uint16", 8 }, { "u8x16", "uint8", 16 },
    };

    g_string_append(out, "<feature name=\"org.gnu.gdb.aarch64.fpu\">\n");
    for (unsigned i = 0; i < ARRAY_SIZE(vectors); i++) {
        g_string_append_printf(out, "<vector id=\"%s\" type=\"%s\" count=\"%u\"/>\n",
                               vectors[i].id, vectors[i].type, vectors[i].count);
    }
    g_string_append(out, "<union id=\"vreg\">\n");
    for (unsigned i = 0; i < ARRAY_SIZE(vectors); i++) {
        g_string_append_printf(out, "<field name=\"%s\" type=\"%s\"/>\n", vectors[i].id,
                               vectors[i].id);
    }
    g_string_append(out, "</union>\n");
    for (unsigned i = 0; i < 32; i++) {
        g_string_append_printf(out, "<reg name=\"v%u\" bitsize=\"128\" type=\"vreg\"", i);
        if (i == 0) {
            g_string_append_printf(out, " regnum=\"%d\"", GDB_V0);
        }
        g_string_append(out, "/>\n");
    }
    g_string_append(out, "<reg name=\"fpsr\" bitsize=\"32\" type=\"int\"/>\n"
                    "<reg name=\"fpcr\" bitsize=\"32\" type=\"int\"/>\n</feature>\n");
}

static bool gdb_describe(const char *file, GString *out)
{
    if (strcmp(file, "target.xml")) {
        return false;
    }
    g_string_append(out, "<?xml version=\"1.0\"?>\n"
                    "<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
                    "<target version=\"1.0\">\n<architecture>aarch64</architecture>\n");
    describe_core(out);
    describe_fpu(out);
    arm_gdb_sysregs_describe(GDB_SYSREGS, out);
    g_string_append(out, "</target>\n");
    return true;
}

const GdbTarget aarch64_gdb_target = {
    .num_regs = gdb_num_regs,
    .num_g_regs = GDB_V0,
    .pc = GDB_PC,
    .size = gdb_size,
    .read = gdb_read,
    .write = gdb_write,
    .describe = gdb_describe,
};
