/*
 * A64 data processing with registers (DDI 0487 C4.1.95).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/translate.h"

#include "target/arm/helpers.h"

#include "decode-a64-dpreg.inc"

bool a64_dpreg(DisasContext *s, uint32_t insn)
{
    return decode_a64_dpreg(s, insn);
}

/* LSL, LSR, ASR, ROR by a constant; the low half of a W result is right, the rest noise. */
static IrVal shift_reg(DisasContext *s, IrWidth w, unsigned n, unsigned type, unsigned amount)
{
    IrVal x = a64_read_low(s, n), by;

    if (amount == 0) {
        return x;
    }
    by = ir_const(s->b, amount);
    switch (type) {
    case 0:
        return ir_shl(s->b, w, x, by);
    case 1:
        return ir_shr(s->b, w, x, by);
    case 2:
        return ir_sar(s->b, w, x, by);
    default:
        return ir_ror(s->b, w, x, by);
    }
}

static bool trans_LOGIC_reg(DisasContext *s, arg_LOGIC_reg *a)
{
    IrWidth w = a->sf ? W64 : W32;
    IrVal x, y;

    if (!a->sf && a->amount > 31) {
        return false;
    }
    y = shift_reg(s, w, a->rm, a->shift, a->amount);
    if (a->opc == 1 && a->rn == 31) {
        /* MOV, MVN */
        y = a->invert ? ir_not(s->b, w, y) : a->sf ? y : ir_zext(s->b, 32, y);
        a64_write(s, a->rd, y);
        return true;
    }
    x = a64_read_low(s, a->rn);
    if (a->invert && (a->opc == 1 || a->opc == 2)) {
        y = ir_not(s->b, w, y);
    }
    switch (a->opc) {
    case 0:
        x = a->invert ? ir_andc(s->b, w, x, y) : ir_and(s->b, w, x, y);
        break;
    case 1:
        x = ir_or(s->b, w, x, y);
        break;
    case 2:
        x = ir_xor(s->b, w, x, y);
        break;
    default:
        x = a->invert ? ir_andcs(s->b, w, x, y) : ir_ands(s->b, w, x, y);
        break;
    }
    a64_write(s, a->rd, x);
    return true;
}

static IrVal add_sub(DisasContext *s, IrWidth w, bool sub, bool setflags, IrVal x, IrVal y)
{
    if (setflags) {
        return sub ? ir_subs(s->b, w, x, y) : ir_adds(s->b, w, x, y);
    }
    return sub ? ir_sub(s->b, w, x, y) : ir_add(s->b, w, x, y);
}

static bool trans_ADDSUB_shift(DisasContext *s, arg_ADDSUB_shift *a)
{
    IrWidth w = a->sf ? W64 : W32;
    IrVal y;

    if (a->shift == 3 || (!a->sf && a->amount > 31)) {
        return false;
    }
    y = shift_reg(s, w, a->rm, a->shift, a->amount);
    if (a->op && !a->setflags && a->rn == 31) {
        y = ir_neg(s->b, w, y);
    } else {
        y = add_sub(s, w, a->op, a->setflags, a64_read_low(s, a->rn), y);
    }
    a64_write(s, a->rd, y);
    return true;
}

/* ExtendReg() (DDI 0487 J1.3): UXTB, UXTH, UXTW, UXTX and the signed ones. */
static IrVal extend_reg(DisasContext *s, IrWidth w, unsigned n, unsigned option)
{
    IrVal x = a64_read_low(s, n);
    unsigned bits = 8u << (option & 3);

    if (bits >= (w == W64 ? 64u : 32u)) {
        return x;
    }
    return option & 4 ? ir_sext(s->b, w, bits, x) : ir_zext(s->b, bits, x);
}

static bool trans_ADDSUB_ext(DisasContext *s, arg_ADDSUB_ext *a)
{
    IrWidth w = a->sf ? W64 : W32;
    IrVal x, y;

    if (a->amount > 4) {
        return false;
    }
    x = ir_get(s->b, a->rn == 31 ? SLOT_SP : a->rn);
    y = extend_reg(s, w, a->rm, a->option);
    if (a->amount) {
        y = ir_shl(s->b, w, y, ir_const(s->b, a->amount));
    }
    x = add_sub(s, w, a->op, a->setflags, x, y);
    if (a->setflags) {
        a64_write(s, a->rd, x);
    } else {
        a64_write_sp(s, a->rd, x);
    }
    return true;
}

static bool trans_ADC_SBC(DisasContext *s, arg_ADC_SBC *a)
{
    IrWidth w = a->sf ? W64 : W32;
    IrVal x = a64_read_low(s, a->rn), y = a64_read_low(s, a->rm);

    if (a->setflags) {
        x = a->op ? ir_sbcs(s->b, w, x, y) : ir_adcs(s->b, w, x, y);
    } else {
        x = a->op ? ir_sbc(s->b, w, x, y) : ir_adc(s->b, w, x, y);
    }
    a64_write(s, a->rd, x);
    return true;
}

/* Conditions 14 and 15 are both "always" (DDI 0487 C1.2.4). */
static IrCond condition(int cond)
{
    return cond >= COND_AL ? COND_AL : (IrCond)cond;
}

static void conditional_compare(DisasContext *s, IrWidth w, bool sub, int cond, int rn, IrVal y,
                                unsigned nzcv)
{
    IrVal x = a64_read_low(s, rn);

    if (condition(cond) == COND_AL) {
        add_sub(s, w, sub, true, x, y);
    } else if (sub) {
        ir_ccmp(s->b, w, condition(cond), x, y, nzcv);
    } else {
        ir_ccmn(s->b, w, condition(cond), x, y, nzcv);
    }
}

static bool trans_CCMP_reg(DisasContext *s, arg_CCMP_reg *a)
{
    conditional_compare(s, a->sf ? W64 : W32, a->op, a->cond, a->rn, a64_read_low(s, a->rm),
                        a->nzcv);
    return true;
}

static bool trans_CCMP_imm(DisasContext *s, arg_CCMP_imm *a)
{
    conditional_compare(s, a->sf ? W64 : W32, a->op, a->cond, a->rn, ir_const(s->b, a->imm),
                        a->nzcv);
    return true;
}

/* CSEL, CSINC, CSINV, CSNEG. */
static bool trans_CSEL(DisasContext *s, arg_CSEL *a)
{
    IrWidth w = a->sf ? W64 : W32;
    IrVal x, y;

    if (condition(a->cond) == COND_AL) {
        a64_write(s, a->rd, a64_read(s, a->rn, w));
        return true;
    }
    if (a->rn == 31 && a->rm == 31 && a->op != a->o2) {
        /* CSET, CSETM */
        x = ir_const(s->b, 0);
        y = ir_const(s->b, a->o2 ? 1 : w == W64 ? UINT64_MAX : UINT32_MAX);
    } else {
        x = a64_read_low(s, a->rn);
        y = a64_read_low(s, a->rm);
        if (a->op) {
            y = a->o2 ? ir_neg(s->b, w, y) : ir_not(s->b, w, y);
        } else if (a->o2) {
            y = ir_add(s->b, w, y, ir_const(s->b, 1));
        }
    }
    a64_write(s, a->rd, ir_sel(s->b, w, condition(a->cond), x, y));
    return true;
}

/* ---- two operands ---- */

typedef IrVal BinaryOp(IrBuilder *b, IrWidth w, IrVal x, IrVal y);

static bool binary(DisasContext *s, BinaryOp *op, int sf, int rd, int rn, int rm)
{
    a64_write(s, rd, op(s->b, sf ? W64 : W32, a64_read_low(s, rn), a64_read_low(s, rm)));
    return true;
}

static bool trans_UDIV(DisasContext *s, arg_UDIV *a)
{
    return binary(s, ir_udiv, a->sf, a->rd, a->rn, a->rm);
}

static bool trans_SDIV(DisasContext *s, arg_SDIV *a)
{
    return binary(s, ir_sdiv, a->sf, a->rd, a->rn, a->rm);
}

static bool trans_LSLV(DisasContext *s, arg_LSLV *a)
{
    return binary(s, ir_shl, a->sf, a->rd, a->rn, a->rm);
}

static bool trans_LSRV(DisasContext *s, arg_LSRV *a)
{
    return binary(s, ir_shr, a->sf, a->rd, a->rn, a->rm);
}

static bool trans_ASRV(DisasContext *s, arg_ASRV *a)
{
    return binary(s, ir_sar, a->sf, a->rd, a->rn, a->rm);
}

static bool trans_RORV(DisasContext *s, arg_RORV *a)
{
    return binary(s, ir_ror, a->sf, a->rd, a->rn, a->rm);
}

static bool trans_CRC32(DisasContext *s, arg_CRC32 *a)
{
    const IrHelper *h = a->c ? &helper_crc32c[a->size] : &helper_crc32[a->size];

    if (a->sf != (a->size == MEM_64)) {
        return false;
    }
    a64_write(s, a->rd, ir_call(s->b, h, a64_read_low(s, a->rn), a64_read_low(s, a->rm),
                                IR_NONE, IR_NONE));
    return true;
}

/* ---- one operand ---- */

static bool trans_RBIT(DisasContext *s, arg_RBIT *a)
{
    a64_write(s, a->rd, ir_rbit(s->b, a->sf ? W64 : W32, a64_read_low(s, a->rn)));
    return true;
}

static bool trans_REV16(DisasContext *s, arg_REV16 *a)
{
    IrVal x = a64_read_low(s, a->rn);

    if (a->sf) {
        IrVal eight = ir_const(s->b, 8), mask = ir_const(s->b, 0x00ff00ff00ff00ffull);
        IrVal high = ir_and(s->b, W64, ir_shr(s->b, W64, x, eight), mask);
        IrVal low = ir_shl(s->b, W64, ir_and(s->b, W64, x, mask), eight);

        x = ir_or(s->b, W64, high, low);
    } else {
        x = ir_ror(s->b, W32, ir_bswap(s->b, W32, x), ir_const(s->b, 16));
    }
    a64_write(s, a->rd, x);
    return true;
}

static bool trans_REV32(DisasContext *s, arg_REV32 *a)
{
    IrVal x = a64_read_low(s, a->rn);

    if (a->sf) {
        x = ir_ror(s->b, W64, ir_bswap(s->b, W64, x), ir_const(s->b, 32));
    } else {
        x = ir_bswap(s->b, W32, x);
    }
    a64_write(s, a->rd, x);
    return true;
}

static bool trans_REV64(DisasContext *s, arg_REV64 *a)
{
    a64_write(s, a->rd, ir_bswap(s->b, W64, a64_read_low(s, a->rn)));
    return true;
}

static bool trans_CLZ(DisasContext *s, arg_CLZ *a)
{
    a64_write(s, a->rd, ir_clz(s->b, a->sf ? W64 : W32, a64_read_low(s, a->rn)));
    return true;
}

/* Bits equal to the sign bit below it: where x and x >> 1 first differ. */
static bool trans_CLS(DisasContext *s, arg_CLS *a)
{
    IrWidth w = a->sf ? W64 : W32;
    IrVal x = a64_read_low(s, a->rn), one = ir_const(s->b, 1);

    x = ir_xor(s->b, w, x, ir_sar(s->b, w, x, one));
    a64_write(s, a->rd, ir_sub(s->b, w, ir_clz(s->b, w, x), one));
    return true;
}

/* ---- three operands ---- */

static void multiply_add(DisasContext *s, IrWidth w, bool sub, int rd, int ra, IrVal product)
{
    if (ra != 31) {
        product = add_sub(s, w, sub, false, a64_read_low(s, ra), product);
    } else if (sub) {
        product = ir_neg(s->b, w, product);
    }
    a64_write(s, rd, product);
}

static bool trans_MADD(DisasContext *s, arg_MADD *a)
{
    IrWidth w = a->sf ? W64 : W32;

    multiply_add(s, w, false, a->rd, a->ra,
                 ir_mul(s->b, w, a64_read_low(s, a->rn), a64_read_low(s, a->rm)));
    return true;
}

static bool trans_MSUB(DisasContext *s, arg_MSUB *a)
{
    IrWidth w = a->sf ? W64 : W32;

    multiply_add(s, w, true, a->rd, a->ra,
                 ir_mul(s->b, w, a64_read_low(s, a->rn), a64_read_low(s, a->rm)));
    return true;
}

/* SMADDL, SMSUBL, UMADDL, UMSUBL. */
static bool trans_MADD_long(DisasContext *s, arg_MADD_long *a)
{
    IrVal x = a64_read_low(s, a->rn), y = a64_read_low(s, a->rm);

    if (a->u) {
        x = ir_zext(s->b, 32, x);
        y = ir_zext(s->b, 32, y);
    } else {
        x = ir_sext(s->b, W64, 32, x);
        y = ir_sext(s->b, W64, 32, y);
    }
    multiply_add(s, W64, a->sub, a->rd, a->ra, ir_mul(s->b, W64, x, y));
    return true;
}

static bool trans_MULH(DisasContext *s, arg_MULH *a)
{
    IrVal x = a64_read_low(s, a->rn), y = a64_read_low(s, a->rm);

    a64_write(s, a->rd, a->u ? ir_umulh(s->b, x, y) : ir_smulh(s->b, x, y));
    return true;
}
