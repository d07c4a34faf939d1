/*
 * A64 loads and stores of general and FP/SIMD registers (DDI 0487 C4.1.94).
 *
 * Everywhere: what can fault comes first, then the data registers, then the
 * base. Where the manual leaves a choice (base equal to a data register with
 * write-back), stores use the old base, and loads leave the loaded value.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/translate.h"

#include "decode-a64-ldst.inc"

bool a64_ldst(DisasContext *s, uint32_t insn)
{
    return decode_a64_ldst(s, insn);
}

enum AddressMode { MODE_UNSCALED, MODE_POST, MODE_UNPRIV, MODE_PRE };

/* ---- memory operations ---- */

/* For a single access of 1 << size bytes; SCTLR_EL1.A asks for alignment. */
static unsigned plain_memop(DisasContext *s, unsigned size)
{
    return size | (s->mode & MODE_ALIGN_CHECK ? MEM_ALIGNED : 0);
}

/* Exclusive and ordered accesses are always aligned (v8.0, without LSE2). */
static unsigned ordered_memop(DisasContext *s, unsigned size, bool ordered)
{
    return size | MEM_ALIGNED | (ordered ? MEM_ACQREL : 0);
}

/* A scalar load or store of general registers, from its size and opc fields. */
typedef struct IntAccess {
    unsigned memop;
    bool store;
    bool prefetch;
} IntAccess;

static bool decode_int_access(DisasContext *s, unsigned size, unsigned opc, IntAccess *out)
{
    *out = (IntAccess){ .memop = plain_memop(s, size), .store = opc == 0 };
    if (opc == 2) {
        out->prefetch = size == MEM_64;
        out->memop |= MEM_SIGNED64;
    } else if (opc == 3) {
        out->memop |= MEM_SIGNED32;
        return size < MEM_32;
    }
    return true;
}

static void int_access(DisasContext *s, const IntAccess *x, unsigned rt, IrVal addr)
{
    a64_watch(s, x->memop, 1, false, addr, x->store);
    if (x->store) {
        a64_store(s, x->memop, addr, a64_read_low(s, rt));
    } else {
        a64_write(s, rt, a64_load(s, x->memop, addr));
    }
}

/* The FP/SIMD forms: 8 to 128 bits; opc<1> selects 128 and then size is 0. */
typedef struct VecAccess {
    unsigned size;              /* log2 of bytes */
    bool store;
} VecAccess;

static bool decode_vec_access(unsigned size, unsigned opc, VecAccess *out)
{
    *out = (VecAccess){ .size = opc & 2 ? MEM_128 : size, .store = !(opc & 1) };
    return !(opc & 2) || size == 0;
}

static void vec_access_unwatched(DisasContext *s, const VecAccess *x, unsigned rt, IrVal addr)
{
    unsigned memop = plain_memop(s, x->size);

    if (x->store) {
        a64_store_vec(s, memop, addr, rt);
    } else {
        a64_load_vec(s, memop, addr, rt);
    }
}

static void vec_access(DisasContext *s, const VecAccess *x, unsigned rt, IrVal addr)
{
    a64_watch(s, plain_memop(s, x->size), 1, false, addr, x->store);
    vec_access_unwatched(s, x, rt, addr);
}

static IrVal add_imm(DisasContext *s, IrVal x, int64_t imm)
{
    return imm ? ir_add(s->b, W64, x, ir_const(s->b, imm)) : x;
}

/* ---- exclusive and ordered ---- */

static bool trans_LDXR(DisasContext *s, arg_LDXR *a)
{
    unsigned memop = ordered_memop(s, a->size, a->acq) | MEM_EXCL;
    IrVal addr = a64_read_base(s, a->rn);

    a64_watch(s, memop, 1, false, addr, false);
    a64_write(s, a->rt, a64_load(s, memop, addr));
    return true;
}

/*
 * A store-exclusive that fails makes no access, so a misaligned SP can get past its check:
 * the next access has to look again.
 */
static IrVal store_exclusive_base(DisasContext *s, unsigned rn)
{
    bool aligned = s->sp_aligned;
    IrVal addr = a64_read_base(s, rn);

    s->sp_aligned = aligned;
    return addr;
}

static bool trans_STXR(DisasContext *s, arg_STXR *a)
{
    unsigned memop = ordered_memop(s, a->size, a->rel);
    IrVal addr = store_exclusive_base(s, a->rn);

    a64_watch(s, memop, 1, false, addr, true);
    a64_write(s, a->rs, a64_store_exclusive(s, memop, addr, a64_read_low(s, a->rt), IR_NONE));
    return true;
}

static bool trans_LDXP(DisasContext *s, arg_LDXP *a)
{
    unsigned memop = ordered_memop(s, a->sz ? MEM_64 : MEM_32, a->acq) | MEM_EXCL;
    IrVal addr = a64_read_base(s, a->rn), first, second;

    a64_watch(s, memop, 2, true, addr, false);
    a64_load2(s, memop, addr, &first, &second);
    a64_write(s, a->rt, first);
    a64_write(s, a->rt2, second);
    return true;
}

static bool trans_STXP(DisasContext *s, arg_STXP *a)
{
    unsigned memop = ordered_memop(s, a->sz ? MEM_64 : MEM_32, a->rel);
    IrVal addr = store_exclusive_base(s, a->rn), status;

    a64_watch(s, memop, 2, true, addr, true);
    status = a64_store_exclusive(s, memop, addr, a64_read_low(s, a->rt), a64_read_low(s, a->rt2));
    a64_write(s, a->rs, status);
    return true;
}

static bool trans_LDAR(DisasContext *s, arg_LDAR *a)
{
    unsigned memop = ordered_memop(s, a->size, true);
    IrVal addr = a64_read_base(s, a->rn);

    a64_watch(s, memop, 1, false, addr, false);
    a64_write(s, a->rt, a64_load(s, memop, addr));
    return true;
}

static bool trans_STLR(DisasContext *s, arg_STLR *a)
{
    unsigned memop = ordered_memop(s, a->size, true);
    IrVal addr = a64_read_base(s, a->rn);

    a64_watch(s, memop, 1, false, addr, true);
    a64_store(s, memop, addr, a64_read_low(s, a->rt));
    return true;
}

/* ---- literals ---- */

static IrVal literal_address(DisasContext *s, int imm)
{
    return ir_pcrel(s->b, s->pc + (int64_t)imm * 4);
}

static bool trans_LDR_lit(DisasContext *s, arg_LDR_lit *a)
{
    static const unsigned memops[] = { MEM_32, MEM_64, MEM_32 | MEM_SIGNED64 };

    if (a->opc < 3) {       /* 3: PRFM */
        unsigned memop = memops[a->opc] | plain_memop(s, 0);
        IrVal addr = literal_address(s, a->imm);

        a64_watch(s, memop, 1, false, addr, false);
        a64_write(s, a->rt, a64_load(s, memop, addr));
    }
    return true;
}

static bool trans_LDR_lit_v(DisasContext *s, arg_LDR_lit_v *a)
{
    VecAccess x = { .size = MEM_32 + a->opc };

    if (a->opc == 3) {
        return false;
    }
    if (a64_fp_access(s)) {
        vec_access(s, &x, a->rt, literal_address(s, a->imm));
    }
    return true;
}

/* ---- pairs ---- */

typedef struct PairAddress {
    IrVal access;       /* what to access */
    IrVal base;         /* the written-back base; IR_NONE: none */
    int64_t moved;
} PairAddress;

/*
 * One access of 16 bytes that has to be aligned makes the check of SP for free:
 * a64_sp_misaligned_access() tells the fault's real cause. `whole` says that the
 * access is one.
 */
static PairAddress pair_address(DisasContext *s, unsigned rn, unsigned mode, int64_t offset,
                                bool whole, unsigned *memop)
{
    PairAddress p = { .base = IR_NONE, .moved = offset };
    IrVal base;

    if (whole && rn == 31 && (s->mode & MODE_SP_ALIGN) && !s->sp_aligned &&
        (mode == MODE_POST || offset % 16 == 0)) {
        *memop |= MEM_ALIGNED;
        s->sp_aligned = true;
    }
    base = a64_read_base(s, rn);
    p.access = mode == MODE_POST ? base : add_imm(s, base, offset);
    if (mode == MODE_POST || mode == MODE_PRE) {
        p.base = mode == MODE_POST ? add_imm(s, base, offset) : p.access;
    }
    return p;
}

static void pair_write_back(DisasContext *s, unsigned rn, const PairAddress *p)
{
    if (p->base.id) {
        a64_write_back(s, rn, p->base, p->moved);
    }
}

static bool trans_PAIR(DisasContext *s, arg_PAIR *a)
{
    unsigned size = a->opc == 2 ? MEM_64 : MEM_32;
    unsigned memop = size | (a->opc == 1 ? MEM_SIGNED64 : 0);
    /* With alignment checks each element is checked on its own. */
    bool split = s->mode & MODE_ALIGN_CHECK;
    IrVal v[2], second;
    PairAddress p;

    /* LDPSW has no store and no non-temporal form. */
    if (a->opc == 3 || (a->opc == 1 && (!a->load || a->mode == 0))) {
        return false;
    }
    p = pair_address(s, a->rn, a->mode, (int64_t)a->imm << size, size == MEM_64 && !split,
                     &memop);
    memop |= split ? MEM_ALIGNED : 0;
    second = split ? add_imm(s, p.access, 1 << size) : IR_NONE;
    a64_watch(s, memop, 2, !split, p.access, !a->load);
    if (!a->load) {
        v[0] = a64_read_low(s, a->rt);
        v[1] = a64_read_low(s, a->rt2);
        if (split) {
            a64_store(s, memop, p.access, v[0]);
            a64_store(s, memop, second, v[1]);
        } else {
            a64_store2(s, memop, p.access, v[0], v[1]);
        }
        pair_write_back(s, a->rn, &p);
        return true;
    }
    if (split) {
        v[0] = a64_load(s, memop, p.access);
        v[1] = a64_load(s, memop, second);
    } else {
        a64_load2(s, memop, p.access, &v[0], &v[1]);
    }
    pair_write_back(s, a->rn, &p);
    a64_write(s, a->rt, v[0]);
    a64_write(s, a->rt2, v[1]);
    return true;
}

static bool trans_PAIR_v(DisasContext *s, arg_PAIR_v *a)
{
    VecAccess x = { .size = MEM_32 + a->opc, .store = !a->load };
    unsigned unused = 0;
    PairAddress p;

    if (a->opc == 3) {
        return false;
    }
    if (!a64_fp_access(s)) {
        return true;
    }
    p = pair_address(s, a->rn, a->mode, (int64_t)a->imm << x.size, false, &unused);
    a64_watch(s, plain_memop(s, x.size), 2, false, p.access, x.store);
    vec_access_unwatched(s, &x, a->rt, p.access);
    vec_access_unwatched(s, &x, a->rt2, add_imm(s, p.access, 1 << x.size));
    pair_write_back(s, a->rn, &p);
    return true;
}

/* ---- one register, immediate offset ---- */

static bool trans_LDST_imm9(DisasContext *s, arg_LDST_imm9 *a)
{
    bool write_back = a->mode == MODE_POST || a->mode == MODE_PRE;
    IntAccess x;
    IrVal base, moved, v;

    if (!decode_int_access(s, a->size, a->opc, &x)) {
        return false;
    }
    if (x.prefetch) {
        return a->mode == MODE_UNSCALED;
    }
    if (a->mode == MODE_UNPRIV && mode_el(s->mode) > 0) {
        x.memop |= MEM_UNPRIV;
    }
    base = a64_read_base(s, a->rn);
    moved = add_imm(s, base, a->imm);
    if (!write_back) {
        int_access(s, &x, a->rt, moved);
    } else if (x.store) {
        int_access(s, &x, a->rt, a->mode == MODE_POST ? base : moved);
        a64_write_back(s, a->rn, moved, a->imm);
    } else {
        a64_watch(s, x.memop, 1, false, a->mode == MODE_POST ? base : moved, false);
        v = a64_load(s, x.memop, a->mode == MODE_POST ? base : moved);
        a64_write_back(s, a->rn, moved, a->imm);
        a64_write(s, a->rt, v);
    }
    return true;
}

static bool trans_LDST_imm9_v(DisasContext *s, arg_LDST_imm9_v *a)
{
    IrVal base, moved;
    VecAccess x;

    if (!decode_vec_access(a->size, a->opc, &x) || a->mode == MODE_UNPRIV) {
        return false;
    }
    if (!a64_fp_access(s)) {
        return true;
    }
    base = a64_read_base(s, a->rn);
    moved = add_imm(s, base, a->imm);
    vec_access(s, &x, a->rt, a->mode == MODE_POST ? base : moved);
    if (a->mode != MODE_UNSCALED) {
        a64_write_back(s, a->rn, moved, a->imm);
    }
    return true;
}

static bool trans_LDST_uimm(DisasContext *s, arg_LDST_uimm *a)
{
    IntAccess x;

    if (!decode_int_access(s, a->size, a->opc, &x)) {
        return false;
    }
    if (!x.prefetch) {
        int_access(s, &x, a->rt, add_imm(s, a64_read_base(s, a->rn), (int64_t)a->imm << a->size));
    }
    return true;
}

static bool trans_LDST_uimm_v(DisasContext *s, arg_LDST_uimm_v *a)
{
    VecAccess x;

    if (!decode_vec_access(a->size, a->opc, &x)) {
        return false;
    }
    if (a64_fp_access(s)) {
        vec_access(s, &x, a->rt, add_imm(s, a64_read_base(s, a->rn), (int64_t)a->imm << x.size));
    }
    return true;
}

/* ---- one register, register offset ---- */

/* UXTW, LSL, SXTW and SXTX are allocated. */
static bool offset_option_valid(unsigned option)
{
    return option & 2;
}

static IrVal register_address(DisasContext *s, unsigned rn, unsigned rm, unsigned option,
                              unsigned shift)
{
    IrVal offset = a64_read(s, rm, W64);

    if (option == 2) {
        offset = ir_zext(s->b, 32, offset);
    } else if (option == 6) {
        offset = ir_sext(s->b, W64, 32, offset);
    }
    if (shift) {
        offset = ir_shl(s->b, W64, offset, ir_const(s->b, shift));
    }
    return a64_check_base(s, rn, ir_add(s->b, W64, a64_read_sp(s, rn, W64), offset));
}

static bool trans_LDST_reg(DisasContext *s, arg_LDST_reg *a)
{
    IntAccess x;

    if (!offset_option_valid(a->option) || !decode_int_access(s, a->size, a->opc, &x)) {
        return false;
    }
    if (!x.prefetch) {
        int_access(s, &x, a->rt, register_address(s, a->rn, a->rm, a->option,
                                                  a->scaled ? a->size : 0));
    }
    return true;
}

static bool trans_LDST_reg_v(DisasContext *s, arg_LDST_reg_v *a)
{
    VecAccess x;

    if (!offset_option_valid(a->option) || !decode_vec_access(a->size, a->opc, &x)) {
        return false;
    }
    if (a64_fp_access(s)) {
        vec_access(s, &x, a->rt, register_address(s, a->rn, a->rm, a->option,
                                                  a->scaled ? x.size : 0));
    }
    return true;
}
