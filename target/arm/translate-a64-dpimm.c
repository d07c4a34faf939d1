/*
 * A64 data processing with immediates (DDI 0487 C4.1.92).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/translate.h"

#include "decode-a64-dpimm.inc"

bool a64_dpimm(DisasContext *s, uint32_t insn)
{
    return decode_a64_dpimm(s, insn);
}

/* ADR, ADRP. */
static bool trans_ADR(DisasContext *s, arg_ADR *a)
{
    uint64_t imm = (uint64_t)(int64_t)a->immhi << 2 | a->immlo;
    uint64_t base = s->pc;

    if (a->op) {
        imm <<= 12;
        base &= ~0xfffull;
    }
    a64_write(s, a->rd, ir_pcrel(s->b, base + imm));
    return true;
}

static bool trans_ADDSUB_imm(DisasContext *s, arg_ADDSUB_imm *a)
{
    IrWidth w = a->sf ? W64 : W32;
    uint64_t imm = (uint64_t)a->imm << (a->sh ? 12 : 0);
    IrVal x = ir_get(s->b, a->rn == 31 ? SLOT_SP : a->rn);
    IrVal y = ir_const(s->b, imm);

    if (a->setflags) {
        a64_write(s, a->rd, a->op ? ir_subs(s->b, w, x, y) : ir_adds(s->b, w, x, y));
        return true;
    }
    if (imm == 0) {
        /* MOV to or from SP. */
        x = a->sf ? x : ir_zext(s->b, 32, x);
    } else {
        x = a->op ? ir_sub(s->b, w, x, y) : ir_add(s->b, w, x, y);
    }
    if (a->rn == 31 && a->rd == 31 && a->sf) {
        a64_write_back(s, 31, x, imm);
    } else {
        a64_write_sp(s, a->rd, x);
    }
    return true;
}

/*
 * DecodeBitMasks() for logical immediates (DDI 0487 J1.1.3): a run of imms + 1 ones,
 * rotated right by immr in an element of 2 to 64 bits, repeated.
 */
static bool decode_bit_mask(unsigned n, unsigned immr, unsigned imms, IrWidth w, uint64_t *out)
{
    unsigned size_bits = n << 6 | (~imms & 0x3f);
    unsigned size, run, rotate;
    uint64_t element;

    if (size_bits < 2 || (n && w == W32)) {
        return false;
    }
    size = 1u << (31 - __builtin_clz(size_bits));
    run = (imms & (size - 1)) + 1;
    rotate = immr & (size - 1);
    if (run == size) {
        return false;
    }
    element = mask64(run);
    if (rotate) {
        element = (element >> rotate | element << (size - rotate)) & mask64(size);
    }
    for (; size < 64; size *= 2) {
        element |= element << size;
    }
    *out = w == W32 ? (uint32_t)element : element;
    return true;
}

static bool trans_LOGIC_imm(DisasContext *s, arg_LOGIC_imm *a)
{
    IrWidth w = a->sf ? W64 : W32;
    IrVal x, y;
    uint64_t mask;

    if (!decode_bit_mask(a->n, a->immr, a->imms, w, &mask)) {
        return false;
    }
    y = ir_const(s->b, mask);
    if (a->opc == 1 && a->rn == 31) {
        /* MOV of a bit mask */
        a64_write_sp(s, a->rd, y);
        return true;
    }
    x = a64_read_low(s, a->rn);
    switch (a->opc) {
    case 0:
        a64_write_sp(s, a->rd, ir_and(s->b, w, x, y));
        break;
    case 1:
        a64_write_sp(s, a->rd, ir_or(s->b, w, x, y));
        break;
    case 2:
        a64_write_sp(s, a->rd, ir_xor(s->b, w, x, y));
        break;
    default:
        a64_write(s, a->rd, ir_ands(s->b, w, x, y));
        break;
    }
    return true;
}

static bool trans_MOVZ(DisasContext *s, arg_MOVZ *a)
{
    if (!a->sf && a->hw > 1) {
        return false;
    }
    a64_write(s, a->rd, ir_const(s->b, (uint64_t)a->imm << (a->hw * 16)));
    return true;
}

static bool trans_MOVN(DisasContext *s, arg_MOVN *a)
{
    uint64_t value = ~((uint64_t)a->imm << (a->hw * 16));

    if (!a->sf && a->hw > 1) {
        return false;
    }
    a64_write(s, a->rd, ir_const(s->b, a->sf ? value : (uint32_t)value));
    return true;
}

static bool trans_MOVK(DisasContext *s, arg_MOVK *a)
{
    if (!a->sf && a->hw > 1) {
        return false;
    }
    a64_write(s, a->rd, ir_deposit(s->b, a->sf ? W64 : W32, a64_read_low(s, a->rd),
                                   ir_const(s->b, a->imm), a->hw * 16, 16));
    return true;
}

/* What SBFM, BFM and UBFM share: N must be sf, and a W form has 5-bit positions. */
static bool bitfield_valid(int sf, int n, int immr, int imms)
{
    return n == sf && (sf || (immr < 32 && imms < 32));
}

static bool trans_SBFM(DisasContext *s, arg_SBFM *a)
{
    IrWidth w = a->sf ? W64 : W32;
    unsigned width = a->sf ? 64 : 32, len;
    IrVal x;

    if (!bitfield_valid(a->sf, a->n, a->immr, a->imms)) {
        return false;
    }
    x = a64_read_low(s, a->rn);
    if (a->imms == (int)width - 1) {
        x = ir_sar(s->b, w, x, ir_const(s->b, a->immr));                /* ASR */
    } else if (a->imms < a->immr) {
        x = ir_sextract(s->b, w, x, 0, a->imms + 1);                    /* SBFIZ */
        x = ir_shl(s->b, w, x, ir_const(s->b, width - a->immr));
    } else {
        len = a->imms - a->immr + 1;
        x = a->immr == 0 && (len == 8 || len == 16 || len == 32) ?
            ir_sext(s->b, w, len, x) :                                  /* SXTB, SXTH, SXTW */
            ir_sextract(s->b, w, x, a->immr, len);
    }
    a64_write(s, a->rd, x);
    return true;
}

static bool trans_UBFM(DisasContext *s, arg_UBFM *a)
{
    IrWidth w = a->sf ? W64 : W32;
    int width = a->sf ? 64 : 32, len;
    IrVal x;

    if (!bitfield_valid(a->sf, a->n, a->immr, a->imms)) {
        return false;
    }
    x = a64_read_low(s, a->rn);
    if (a->imms == width - 1) {
        x = ir_shr(s->b, w, x, ir_const(s->b, a->immr));                /* LSR */
    } else if (a->imms + 1 == a->immr) {
        x = ir_shl(s->b, w, x, ir_const(s->b, width - a->immr));        /* LSL */
    } else if (a->imms < a->immr) {
        x = ir_deposit(s->b, w, ir_const(s->b, 0), x, width - a->immr, a->imms + 1); /* UBFIZ */
    } else {
        len = a->imms - a->immr + 1;
        x = a->immr == 0 && (len == 8 || len == 16 || len == 32) ?
            ir_zext(s->b, len, x) :                                     /* UXTB, UXTH */
            ir_extract(s->b, w, x, a->immr, len);
    }
    a64_write(s, a->rd, x);
    return true;
}

static bool trans_BFM(DisasContext *s, arg_BFM *a)
{
    IrWidth w = a->sf ? W64 : W32;
    int width = a->sf ? 64 : 32;
    IrVal x, old;

    if (!bitfield_valid(a->sf, a->n, a->immr, a->imms)) {
        return false;
    }
    x = a64_read_low(s, a->rn);
    old = a64_read_low(s, a->rd);
    if (a->imms < a->immr) {
        x = ir_deposit(s->b, w, old, x, width - a->immr, a->imms + 1);  /* BFI */
    } else {
        if (a->immr) {
            x = ir_shr(s->b, w, x, ir_const(s->b, a->immr));            /* BFXIL */
        }
        x = ir_deposit(s->b, w, old, x, 0, a->imms - a->immr + 1);
    }
    a64_write(s, a->rd, x);
    return true;
}

static bool trans_EXTR(DisasContext *s, arg_EXTR *a)
{
    IrWidth w = a->sf ? W64 : W32;
    IrVal x;

    if (a->n != a->sf || (!a->sf && a->imms > 31)) {
        return false;
    }
    if (a->rn == a->rm) {
        x = ir_ror(s->b, w, a64_read_low(s, a->rn), ir_const(s->b, a->imms));
    } else {
        x = ir_extr(s->b, w, a64_read_low(s, a->rn), a64_read_low(s, a->rm), a->imms);
    }
    a64_write(s, a->rd, x);
    return true;
}
