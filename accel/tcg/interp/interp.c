/*
 * The IR interpreter: the portable back end, the oracle of the others, and the
 * exact tail of a slice.
 *
 * It stops at any guest instruction boundary, counts cpu->left down one by one,
 * and performs accesses in full (MMIO, faults, page crossings).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/interp/alu.h"
#include "accel/tcg/ir-info.h"
#include "accel/tcg/nzcv.h"
#include "accel/tcg/tcg-internal.h"

typedef uint64_t Helper0(Vcpu *);
typedef uint64_t Helper1(Vcpu *, uint64_t);
typedef uint64_t Helper2(Vcpu *, uint64_t, uint64_t);
typedef uint64_t Helper3(Vcpu *, uint64_t, uint64_t, uint64_t);
typedef uint64_t Helper4(Vcpu *, uint64_t, uint64_t, uint64_t, uint64_t);
typedef void Void0(Vcpu *);
typedef void Void1(Vcpu *, uint64_t);
typedef void Void2(Vcpu *, uint64_t, uint64_t);
typedef void Void3(Vcpu *, uint64_t, uint64_t, uint64_t);
typedef void Void4(Vcpu *, uint64_t, uint64_t, uint64_t, uint64_t);

static void call_void(const IrHelper *h, Vcpu *cpu, const uint64_t a[4])
{
    switch (h->num_args) {
    case 0: ((Void0 *)h->fn)(cpu); break;
    case 1: ((Void1 *)h->fn)(cpu, a[0]); break;
    case 2: ((Void2 *)h->fn)(cpu, a[0], a[1]); break;
    case 3: ((Void3 *)h->fn)(cpu, a[0], a[1], a[2]); break;
    default: ((Void4 *)h->fn)(cpu, a[0], a[1], a[2], a[3]); break;
    }
}

uint64_t ir_helper_call(const IrHelper *h, Vcpu *cpu, const uint64_t a[4])
{
    if (h->flags & IR_HELPER_VOID) {
        call_void(h, cpu, a);
        return 0;
    }
    switch (h->num_args) {
    case 0: return ((Helper0 *)h->fn)(cpu);
    case 1: return ((Helper1 *)h->fn)(cpu, a[0]);
    case 2: return ((Helper2 *)h->fn)(cpu, a[0], a[1]);
    case 3: return ((Helper3 *)h->fn)(cpu, a[0], a[1], a[2]);
    default: return ((Helper4 *)h->fn)(cpu, a[0], a[1], a[2], a[3]);
    }
}

uint64_t ir_fp_eval(Vcpu *cpu, const IrFpHelper *h, uint64_t operands, uint64_t value)
{
    uint8_t *env = (uint8_t *)cpu;
    uint64_t arg[4] = { value, 0, 0, 0 }, result[2] = { 0, 0 };

    for (unsigned n = 0; h->host_op < IRFP_FROM_S64 && n < h->h.num_args; n++) {
        uint32_t offset = ir_fp_offset(operands, 1 + n);

        arg[n] = 0;
        if (offset) {
            memcpy(&arg[n], env + offset, h->is_double ? 8 : 4);
        }
    }
    result[0] = ir_helper_call(&h->h, cpu, arg);
    if (ir_fp_offset(operands, 0)) {
        memcpy(env + ir_fp_offset(operands, 0), result, 16);
    }
    return result[0];
}

void ir_fp_vec_eval(Vcpu *cpu, const IrFpVecHelper *h, uint64_t operands, uint32_t desc)
{
    uint8_t *env = (uint8_t *)cpu;

    h->fn(cpu, env + ir_fp_offset(operands, 0), env + ir_fp_offset(operands, 1),
          env + ir_fp_offset(operands, 2), desc);
}

static void do_fp(Vcpu *cpu, const IrInsn *i, uint64_t *vals)
{
    uint64_t value = i->op == IR_fp_from_int ? vals[i->arg[0]] : 0;
    uint64_t result = ir_fp_eval(cpu, ir_insn_fp(i), ir_insn_fp_operands(i), value);

    if (i->op == IR_fp_to_int) {
        vals[i->dst] = result;
    } else if (i->flags & IRF_SETS_NZCV) {
        cpu->nzcv = nzcv_pack(result);
    }
}

/* ---- guest memory ---- */

static uint64_t extend_loaded(uint64_t value, unsigned memop)
{
    unsigned bits = 8 * mem_bytes(memop);

    if (memop & (MEM_SIGNED32 | MEM_SIGNED64)) {
        value = (uint64_t)((int64_t)(value << (64 - bits)) >> (64 - bits));
    }
    return memop & MEM_SIGNED32 ? (uint32_t)value : value;
}

static bool do_load(Vcpu *cpu, const IrInsn *i, uint64_t *vals)
{
    unsigned memop = i->aux, bytes = mem_bytes(memop), count = i->op == IR_ld2 ? 2 : 1;
    uint64_t addr = vals[i->arg[0]], value[2] = { 0, 0 };
    uint8_t data[16];

    if (!mmu_access(cpu, addr, data, bytes, count, memop, false)) {
        return false;
    }
    for (unsigned n = 0; n < count; n++) {
        memcpy(&value[n], data + n * bytes, bytes);
        value[n] = extend_loaded(value[n], memop);
    }
    vals[i->dst] = value[0];
    vals[i->dst2] = value[1];
    if (memop & MEM_EXCL) {
        cpu->excl_addr = addr;
        cpu->excl_val[0] = value[0];
        cpu->excl_val[1] = value[1];
    }
    return true;
}

static bool do_store(Vcpu *cpu, const IrInsn *i, const uint64_t *vals)
{
    unsigned bytes = mem_bytes(i->aux), count = i->op == IR_st2 ? 2 : 1;
    uint8_t data[16];

    for (unsigned n = 0; n < count; n++) {
        memcpy(data + n * bytes, &vals[i->arg[1 + n]], bytes);
    }
    return mmu_access(cpu, vals[i->arg[0]], data, bytes, count, i->aux, true);
}

static bool do_vec_access(Vcpu *cpu, const IrInsn *i, const uint64_t *vals)
{
    uint8_t *reg = (uint8_t *)cpu + i->imm, data[16] = { 0 };
    unsigned bytes = mem_bytes(i->aux);
    bool write = i->op == IR_st_vec;

    if (write) {
        memcpy(data, reg, bytes);
    }
    if (!mmu_access(cpu, vals[i->arg[0]], data, bytes, 1, i->aux, write)) {
        return false;
    }
    if (!write) {
        memcpy(reg, data, sizeof(data));
    }
    return true;
}

/*
 * The exclusive monitor compares address and value: with one machine thread
 * nobody can intervene between the comparison and the store.
 */
static bool do_store_exclusive(Vcpu *cpu, const IrInsn *i, uint64_t *vals)
{
    unsigned memop = i->aux, bytes = mem_bytes(memop), count = i->arg[2] ? 2 : 1;
    uint64_t addr = vals[i->arg[0]], now[2] = { 0, 0 };
    uint8_t data[16];

    vals[i->dst] = 1;
    if (cpu->excl_addr == addr) {
        if (!mmu_access(cpu, addr, data, bytes, count, memop | MEM_UNWATCHED, false)) {
            return false;
        }
        for (unsigned n = 0; n < count; n++) {
            memcpy(&now[n], data + n * bytes, bytes);
            memcpy(data + n * bytes, &vals[i->arg[1 + n]], bytes);
        }
        if (now[0] == cpu->excl_val[0] && (count == 1 || now[1] == cpu->excl_val[1])) {
            if (!mmu_access(cpu, addr, data, bytes, count, memop, true)) {
                return false;
            }
            vals[i->dst] = 0;
        }
    }
    cpu->excl_addr = UINT64_MAX;
    return true;
}

static bool do_memory(Vcpu *cpu, const IrInsn *i, uint64_t *vals)
{
    switch (i->op) {
    case IR_ld:
    case IR_ld2:
        return do_load(cpu, i, vals);
    case IR_st:
    case IR_st2:
        return do_store(cpu, i, vals);
    case IR_stx:
        return do_store_exclusive(cpu, i, vals);
    default:
        return do_vec_access(cpu, i, vals);
    }
}

/* ---- CPU state by offset ---- */

static uint64_t env_load(Vcpu *cpu, const IrInsn *i)
{
    uint64_t value = 0;

    memcpy(&value, (uint8_t *)cpu + i->imm, i->aux);
    return value;
}

static void env_store(Vcpu *cpu, const IrInsn *i, uint64_t value)
{
    memcpy((uint8_t *)cpu + i->imm, &value, i->aux);
}

/* ---- exits ---- */

static bool exit_taken(Vcpu *cpu, const IrInsn *i, const uint64_t *vals)
{
    uint64_t v = vals[i->arg[0]];

    switch (i->op) {
    case IR_exit_cond:
        return alu_cond_holds(nzcv_unpack(cpu->nzcv), i->aux);
    case IR_exit_nz:
        return (i->flags & IRF_W64 ? v : (uint32_t)v) != 0;
    case IR_exit_z:
        return (i->flags & IRF_W64 ? v : (uint32_t)v) == 0;
    default:
        return (v >> (i->aux & 63) & 1) == (uint64_t)(i->aux >> 8);
    }
}

static void leave_unit(Vcpu *cpu, const IrInsn *i, uint64_t pc)
{
    cpu->left--;
    cpu->pc = pc;
    cpu->insn_word = ir_insn_word(i);
}

/*
 * True when the helper asked to leave. A request that an earlier access of the same instruction
 * made waits for the instruction's end.
 */
static bool do_call(Vcpu *cpu, const IrInsn *i, uint64_t *vals)
{
    const IrHelper *h = ir_insn_helper(i);
    const uint64_t arg[4] = { vals[i->arg[0]], vals[i->arg[1]], vals[i->arg[2]],
                              vals[i->arg[3]] };
    uint32_t earlier = cpu->exit_request;
    bool leave;

    cpu->exit_request = 0;
    vals[i->dst] = ir_helper_call(h, cpu, arg);
    vals[0] = 0;
    leave = cpu->exit_request && (h->flags & IR_HELPER_SYNC);
    cpu->exit_request |= earlier;
    return leave;
}

static void alu_insn(Vcpu *cpu, const IrInsn *i, uint64_t *vals)
{
    uint32_t nzcv = nzcv_unpack(cpu->nzcv);

    vals[i->dst] = alu_eval(i, vals[i->arg[0]], vals[i->arg[1]], vals[i->arg[2]], &nzcv);
    if (i->flags & IRF_SETS_NZCV) {
        cpu->nzcv = nzcv_pack(nzcv);
    }
}

InterpStop interp_run(Vcpu *cpu, const IrUnit *u, unsigned max_insns)
{
    uint64_t vals[IR_MAX_INSNS * 2];
    unsigned started = 0;

    vals[0] = 0;
    for (const IrInsn *i = u->insns;; i++) {
        switch (i->op) {
        case IR_insn:
            cpu->left -= started != 0;
            cpu->pc = i->imm;
            cpu->insn_word = ir_insn_word(i);
            cpu->insn_accessed = false;
            if (cpu->exit_request) {
                return INTERP_MAIN;
            }
            if (started++ == max_insns) {
                return INTERP_UNIT_END;
            }
            break;
        case IR_const: case IR_pcrel:
            vals[i->dst] = i->imm;
            break;
        case IR_get:
            vals[i->dst] = cpu->slot[i->aux];
            break;
        case IR_set:
            cpu->slot[i->aux] = vals[i->arg[0]];
            break;
        case IR_ld_env:
            vals[i->dst] = env_load(cpu, i);
            break;
        case IR_st_env:
            env_store(cpu, i, vals[i->arg[0]]);
            break;
        case IR_ld: case IR_st: case IR_ld2: case IR_st2:
        case IR_ld_vec: case IR_st_vec: case IR_stx:
            if (!do_memory(cpu, i, vals)) {
                cpu->left -= !cpu->watch_hit.before;
                return INTERP_MAIN;
            }
            cpu->insn_accessed = true;
            break;
        case IR_call:
            if (do_call(cpu, i, vals)) {
                cpu->left--;
                return INTERP_MAIN;
            }
            break;
        case IR_vec:
            ir_insn_vec(i)->fn((uint8_t *)cpu + i->arg[0] * 8, (uint8_t *)cpu + i->arg[1] * 8,
                               (uint8_t *)cpu + i->arg[2] * 8, ir_insn_vec_desc(i));
            break;
        case IR_fp_vec:
            ir_fp_vec_eval(cpu, ir_insn_fp_vec(i), ir_insn_fp_operands(i), ir_insn_vec_desc(i));
            break;
        case IR_fp: case IR_fp_cmp: case IR_fp_to_int: case IR_fp_from_int:
            do_fp(cpu, i, vals);
            break;
        case IR_exit_cond: case IR_exit_nz: case IR_exit_z: case IR_exit_bit:
            if (exit_taken(cpu, i, vals)) {
                leave_unit(cpu, i, i->imm);
                return INTERP_UNIT_END;
            }
            break;
        case IR_jmp:
            leave_unit(cpu, i, i->imm);
            return INTERP_UNIT_END;
        case IR_jmp_ind:
            leave_unit(cpu, i, vals[i->arg[0]]);
            return INTERP_UNIT_END;
        case IR_exit_main:
            leave_unit(cpu, i, i->imm);
            return INTERP_MAIN;
        case IR_exit_main_helper:
            cpu->left--;
            return INTERP_MAIN;
        default:
            alu_insn(cpu, i, vals);
            break;
        }
    }
}
