/*
 * The IR builder: one function an operation, all through emit().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/ir.h"
#include <glib.h>
#include "accel/tcg/ir-info.h"

/* IR instructions that one guest instruction may emit at the most. */
#define IR_HEADROOM 400

const IrOpInfo ir_op_info[IR_NUM_OPS] = {
#define IR_OP(name, num_args, num_dsts, flag_letters, text_)                   \
    [IR_##name] = { #name, num_args, num_dsts, flag_letters },
#include "accel/tcg/ir.def"
#undef IR_OP
};

const char *ir_op_name(unsigned op)
{
    return op < IR_NUM_OPS ? ir_op_info[op].name : "?";
}

IrUnit *ir_unit_new(void)
{
    IrUnit *u = g_new0(IrUnit, 1);

    u->insns = g_new(IrInsn, IR_MAX_INSNS);
    u->const_of = g_new(uint64_t, IR_MAX_INSNS * 2);
    u->is_const = g_new0(uint8_t, IR_MAX_INSNS * 2);
    return u;
}

void ir_unit_free(IrUnit *u)
{
    if (u) {
        g_free(u->insns);
        g_free(u->const_of);
        g_free(u->is_const);
        g_free(u);
    }
}

void ir_unit_reset(IrUnit *u, uint64_t pc)
{
    u->num_insns = 0;
    u->num_values = 0;
    u->num_guest_insns = 0;
    u->pc = pc;
    u->full = false;
    u->mem_flags = 0;
    u->state = u->exit_state = 0;
}

static IrVal new_value(IrBuilder *b)
{
    IrVal v = { (uint16_t)++b->num_values };

    assert(b->num_values < IR_MAX_INSNS * 2);
    b->is_const[v.id] = 0;
    return v;
}

static IrInsn *emit(IrBuilder *b, IrOpcode op, uint8_t flags, unsigned aux, uint64_t imm)
{
    IrInsn *i = &b->insns[b->num_insns];

    assert(b->num_insns < IR_MAX_INSNS);
    b->num_insns++;
    b->full = b->num_insns > IR_MAX_INSNS - IR_HEADROOM;
    *i = (IrInsn){ .op = op, .flags = flags, .aux = aux, .imm = imm };
    return i;
}

static IrVal emit1(IrBuilder *b, IrOpcode op, uint8_t flags, unsigned aux, IrVal x)
{
    IrInsn *i = emit(b, op, flags, aux, 0);
    IrVal v = new_value(b);

    i->arg[0] = x.id;
    i->dst = v.id;
    return v;
}

static IrVal emit2(IrBuilder *b, IrOpcode op, uint8_t flags, unsigned aux, IrVal x, IrVal y)
{
    IrInsn *i = emit(b, op, flags, aux, 0);
    IrVal v = new_value(b);

    i->arg[0] = x.id;
    i->arg[1] = y.id;
    i->dst = v.id;
    return v;
}

static uint8_t width_flag(IrWidth w)
{
    return w == W64 ? IRF_W64 : 0;
}

IrVal ir_const(IrBuilder *b, uint64_t value)
{
    IrInsn *i = emit(b, IR_const, IRF_W64, 0, value);
    IrVal v = new_value(b);

    i->dst = v.id;
    b->is_const[v.id] = 1;
    b->const_of[v.id] = value;
    return v;
}

IrVal ir_pcrel(IrBuilder *b, uint64_t address)
{
    IrInsn *i = emit(b, IR_pcrel, IRF_W64, 0, address);
    IrVal v = new_value(b);

    i->dst = v.id;
    return v;
}

IrVal ir_get(IrBuilder *b, unsigned slot)
{
    IrInsn *i = emit(b, IR_get, IRF_W64, slot, 0);
    IrVal v = new_value(b);

    i->dst = v.id;
    return v;
}

void ir_set(IrBuilder *b, unsigned slot, IrVal v)
{
    emit(b, IR_set, IRF_W64, slot, 0)->arg[0] = v.id;
}

IrVal ir_ld_env(IrBuilder *b, unsigned bytes, uint32_t offset)
{
    IrInsn *i = emit(b, IR_ld_env, IRF_W64, bytes, offset);
    IrVal v = new_value(b);

    i->dst = v.id;
    return v;
}

void ir_st_env(IrBuilder *b, unsigned bytes, uint32_t offset, IrVal v)
{
    emit(b, IR_st_env, IRF_W64, bytes, offset)->arg[0] = v.id;
}

#define BINARY(name)                                                       \
    IrVal ir_##name(IrBuilder *b, IrWidth w, IrVal x, IrVal y)             \
    {                                                                      \
        return emit2(b, IR_##name, width_flag(w), 0, x, y);                \
    }
#define BINARY_S(name, base)                                               \
    IrVal ir_##name(IrBuilder *b, IrWidth w, IrVal x, IrVal y)             \
    {                                                                      \
        return emit2(b, IR_##base, width_flag(w) | IRF_SETS_NZCV, 0, x, y); \
    }
#define UNARY(name)                                                        \
    IrVal ir_##name(IrBuilder *b, IrWidth w, IrVal x)                      \
    {                                                                      \
        return emit1(b, IR_##name, width_flag(w), 0, x);                   \
    }

BINARY(add)
BINARY(sub)
BINARY(and)
BINARY(or)
BINARY(xor)
BINARY(andc)
BINARY(shl)
BINARY(shr)
BINARY(sar)
BINARY(ror)
BINARY(mul)
BINARY(udiv)
BINARY(sdiv)
BINARY(adc)
BINARY(sbc)
BINARY_S(adds, add)
BINARY_S(subs, sub)
BINARY_S(ands, and)
BINARY_S(andcs, andc)
BINARY_S(adcs, adc)
BINARY_S(sbcs, sbc)
UNARY(not)
UNARY(neg)
UNARY(clz)
UNARY(rbit)
UNARY(bswap)

IrVal ir_umulh(IrBuilder *b, IrVal x, IrVal y)
{
    return emit2(b, IR_umulh, IRF_W64, 0, x, y);
}

IrVal ir_smulh(IrBuilder *b, IrVal x, IrVal y)
{
    return emit2(b, IR_smulh, IRF_W64, 0, x, y);
}

IrVal ir_extr(IrBuilder *b, IrWidth w, IrVal hi, IrVal lo, unsigned lsb)
{
    assert(lsb < (w == W64 ? 64u : 32u));
    return emit2(b, IR_extr, width_flag(w), lsb, hi, lo);
}

IrVal ir_zext(IrBuilder *b, unsigned bits, IrVal x)
{
    assert(bits == 8 || bits == 16 || bits == 32);
    return emit1(b, IR_zext, IRF_W64, bits, x);
}

IrVal ir_sext(IrBuilder *b, IrWidth w, unsigned bits, IrVal x)
{
    assert(bits == 8 || bits == 16 || bits == 32);
    return emit1(b, IR_sext, width_flag(w), bits, x);
}

static unsigned field_aux(IrWidth w, unsigned lsb, unsigned len)
{
    assert(len >= 1 && lsb + len <= (w == W64 ? 64u : 32u));
    return lsb | len << 8;
}

IrVal ir_extract(IrBuilder *b, IrWidth w, IrVal x, unsigned lsb, unsigned len)
{
    return emit1(b, IR_extract, width_flag(w), field_aux(w, lsb, len), x);
}

IrVal ir_sextract(IrBuilder *b, IrWidth w, IrVal x, unsigned lsb, unsigned len)
{
    return emit1(b, IR_sextract, width_flag(w), field_aux(w, lsb, len), x);
}

IrVal ir_deposit(IrBuilder *b, IrWidth w, IrVal x, IrVal y, unsigned lsb, unsigned len)
{
    return emit2(b, IR_deposit, width_flag(w), field_aux(w, lsb, len), x, y);
}

static void cond_compare(IrBuilder *b, IrOpcode op, IrWidth w, IrCond cond, IrVal x, IrVal y,
                         unsigned nzcv)
{
    IrInsn *i = emit(b, op, width_flag(w) | IRF_SETS_NZCV, cond | nzcv << 8, 0);

    i->arg[0] = x.id;
    i->arg[1] = y.id;
}

void ir_ccmp(IrBuilder *b, IrWidth w, IrCond cond, IrVal x, IrVal y, unsigned nzcv)
{
    cond_compare(b, IR_ccmp, w, cond, x, y, nzcv);
}

void ir_ccmn(IrBuilder *b, IrWidth w, IrCond cond, IrVal x, IrVal y, unsigned nzcv)
{
    cond_compare(b, IR_ccmn, w, cond, x, y, nzcv);
}

IrVal ir_get_nzcv(IrBuilder *b)
{
    IrInsn *i = emit(b, IR_get_nzcv, IRF_W64, 0, 0);
    IrVal v = new_value(b);

    i->dst = v.id;
    return v;
}

void ir_set_nzcv(IrBuilder *b, IrVal v)
{
    emit(b, IR_set_nzcv, IRF_W64 | IRF_SETS_NZCV, 0, 0)->arg[0] = v.id;
}

IrVal ir_sel(IrBuilder *b, IrWidth w, IrCond cond, IrVal x, IrVal y)
{
    return emit2(b, IR_sel, width_flag(w), cond, x, y);
}

IrVal ir_cmp(IrBuilder *b, IrWidth w, IrCmp cmp, IrVal x, IrVal y)
{
    return emit2(b, IR_cmp, width_flag(w), cmp, x, y);
}

IrVal ir_selnz(IrBuilder *b, IrVal c, IrVal x, IrVal y)
{
    IrInsn *i = emit(b, IR_selnz, IRF_W64, 0, 0);
    IrVal v = new_value(b);

    i->arg[0] = c.id;
    i->arg[1] = x.id;
    i->arg[2] = y.id;
    i->dst = v.id;
    return v;
}

IrVal ir_ld(IrBuilder *b, unsigned memop, IrVal addr)
{
    assert((memop & 7) <= MEM_64);
    return emit1(b, IR_ld, IRF_W64, memop | b->mem_flags, addr);
}

void ir_st(IrBuilder *b, unsigned memop, IrVal addr, IrVal v)
{
    IrInsn *i = emit(b, IR_st, IRF_W64, memop | b->mem_flags, 0);

    assert((memop & 7) <= MEM_64);
    i->arg[0] = addr.id;
    i->arg[1] = v.id;
}

void ir_ld2(IrBuilder *b, unsigned memop, IrVal addr, IrVal *first, IrVal *second)
{
    IrInsn *i = emit(b, IR_ld2, IRF_W64, memop | b->mem_flags, 0);

    assert((memop & 7) == MEM_32 || (memop & 7) == MEM_64);
    *first = new_value(b);
    *second = new_value(b);
    i->arg[0] = addr.id;
    i->dst = first->id;
    i->dst2 = second->id;
}

void ir_st2(IrBuilder *b, unsigned memop, IrVal addr, IrVal first, IrVal second)
{
    IrInsn *i = emit(b, IR_st2, IRF_W64, memop | b->mem_flags, 0);

    assert((memop & 7) == MEM_32 || (memop & 7) == MEM_64);
    i->arg[0] = addr.id;
    i->arg[1] = first.id;
    i->arg[2] = second.id;
}

void ir_ld_vec(IrBuilder *b, unsigned memop, IrVal addr, uint32_t offset)
{
    emit(b, IR_ld_vec, IRF_W64, memop | b->mem_flags, offset)->arg[0] = addr.id;
}

void ir_st_vec(IrBuilder *b, unsigned memop, IrVal addr, uint32_t offset)
{
    emit(b, IR_st_vec, IRF_W64, memop | b->mem_flags, offset)->arg[0] = addr.id;
}

IrVal ir_stx(IrBuilder *b, unsigned memop, IrVal addr, IrVal v, IrVal v2)
{
    IrInsn *i = emit(b, IR_stx, IRF_W64, memop | b->mem_flags, 0);
    IrVal status = new_value(b);

    i->arg[0] = addr.id;
    i->arg[1] = v.id;
    i->arg[2] = v2.id;
    i->dst = status.id;
    return status;
}

IrVal ir_call(IrBuilder *b, const IrHelper *h, IrVal a0, IrVal a1, IrVal a2, IrVal a3)
{
    IrInsn *i = emit(b, IR_call, IRF_W64, 0, (uintptr_t)h);
    IrVal v = IR_NONE;

    i->arg[0] = a0.id;
    i->arg[1] = a1.id;
    i->arg[2] = a2.id;
    i->arg[3] = a3.id;
    if (!(h->flags & IR_HELPER_VOID)) {
        v = new_value(b);
        i->dst = v.id;
    }
    return v;
}

static void emit_vec(IrBuilder *b, IrOpcode op, const void *h, uint32_t d_off, uint32_t a_off,
                     uint32_t b_off, uint32_t desc)
{
    IrInsn *i = emit(b, op, IRF_W64, desc >> 16, (uintptr_t)h);

    assert(!(d_off & 7) && !(a_off & 7) && !(b_off & 7));
    i->arg[0] = d_off / 8;
    i->arg[1] = a_off / 8;
    i->arg[2] = b_off / 8;
    i->arg[3] = desc & 0xffff;
}

void ir_vec(IrBuilder *b, const IrVecHelper *h, uint32_t d_off, uint32_t a_off,
            uint32_t b_off, uint32_t desc)
{
    emit_vec(b, IR_vec, h, d_off, a_off, b_off, desc);
}

void ir_fp_vec(IrBuilder *b, const IrFpVecHelper *h, uint32_t d_off, uint32_t a_off,
               uint32_t b_off, uint32_t desc)
{
    emit_vec(b, IR_fp_vec, h, d_off, a_off, b_off, desc);
}

static IrInsn *emit_fp(IrBuilder *b, IrOpcode op, const IrFpHelper *h)
{
    return emit(b, op, IRF_W64, 0, (uintptr_t)h);
}

void ir_fp(IrBuilder *b, const IrFpHelper *h, uint32_t d_off, uint32_t a_off, uint32_t b_off,
           uint32_t c_off)
{
    IrInsn *i = emit_fp(b, IR_fp, h);

    i->arg[0] = d_off / 8;
    i->arg[1] = a_off / 8;
    i->arg[2] = b_off / 8;
    i->arg[3] = c_off / 8;
}

void ir_fp_cmp(IrBuilder *b, const IrFpHelper *h, uint32_t a_off, uint32_t b_off)
{
    IrInsn *i = emit_fp(b, IR_fp_cmp, h);

    i->flags |= IRF_SETS_NZCV;
    i->arg[1] = a_off / 8;
    i->arg[2] = b_off / 8;
}

IrVal ir_fp_to_int(IrBuilder *b, const IrFpHelper *h, uint32_t a_off)
{
    IrInsn *i = emit_fp(b, IR_fp_to_int, h);
    IrVal v = new_value(b);

    i->arg[1] = a_off / 8;
    i->dst = v.id;
    return v;
}

void ir_fp_from_int(IrBuilder *b, const IrFpHelper *h, uint32_t d_off, IrVal v)
{
    IrInsn *i = emit_fp(b, IR_fp_from_int, h);

    i->arg[0] = v.id;
    i->arg[1] = d_off / 8;
}

void ir_insn(IrBuilder *b, uint64_t pc, unsigned bytes, uint32_t word)
{
    ir_insn_set_word(emit(b, IR_insn, IRF_W64, bytes, pc), word);
    b->num_guest_insns++;
}

static IrInsn *emit_exit(IrBuilder *b, IrOpcode op, uint8_t flags, unsigned aux, uint64_t pc)
{
    IrInsn *i = emit(b, op, flags, aux, pc);

    ir_insn_set_word(i, b->exit_state);
    return i;
}

void ir_exit_cond(IrBuilder *b, IrCond cond, uint64_t pc)
{
    emit_exit(b, IR_exit_cond, IRF_W64, cond, pc);
}

void ir_exit_nz(IrBuilder *b, IrWidth w, IrVal v, uint64_t pc)
{
    emit_exit(b, IR_exit_nz, width_flag(w), 0, pc)->arg[0] = v.id;
}

void ir_exit_z(IrBuilder *b, IrWidth w, IrVal v, uint64_t pc)
{
    emit_exit(b, IR_exit_z, width_flag(w), 0, pc)->arg[0] = v.id;
}

void ir_exit_bit(IrBuilder *b, IrVal v, unsigned bit, bool set, uint64_t pc)
{
    emit_exit(b, IR_exit_bit, IRF_W64, bit | set << 8, pc)->arg[0] = v.id;
}

void ir_jmp(IrBuilder *b, uint64_t pc)
{
    emit_exit(b, IR_jmp, IRF_W64, 0, pc);
}

void ir_jmp_ind(IrBuilder *b, IrVal pc)
{
    emit_exit(b, IR_jmp_ind, IRF_W64, 0, 0)->arg[0] = pc.id;
}

void ir_exit_main(IrBuilder *b, uint64_t pc)
{
    emit_exit(b, IR_exit_main, IRF_W64, 0, pc);
}

void ir_exit_main_helper(IrBuilder *b)
{
    emit(b, IR_exit_main_helper, IRF_W64, 0, 0);
}
