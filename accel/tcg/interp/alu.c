/*
 * The meaning of the IR's arithmetic operations.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/interp/alu.h"
#include "util/bitops.h"

#define NZCV_N (1u << 31)
#define NZCV_Z (1u << 30)
#define NZCV_C (1u << 29)
#define NZCV_V (1u << 28)

bool alu_cond_holds(uint32_t nzcv, unsigned cond)
{
    bool n = nzcv & NZCV_N, z = nzcv & NZCV_Z, c = nzcv & NZCV_C, v = nzcv & NZCV_V;
    bool result;

    switch (cond >> 1) {
    case 0: result = z; break;
    case 1: result = c; break;
    case 2: result = n; break;
    case 3: result = v; break;
    case 4: result = c && !z; break;
    case 5: result = n == v; break;
    case 6: result = n == v && !z; break;
    default: return true;
    }
    return result != (cond & 1);
}

static uint32_t flags_nz(uint64_t result, unsigned bits)
{
    return (result >> (bits - 1) & 1 ? NZCV_N : 0) | (result ? 0 : NZCV_Z);
}

/* DDI 0487 AddWithCarry(). */
static uint64_t add_with_carry(uint64_t x, uint64_t y, bool carry, unsigned bits, uint32_t *nzcv)
{
    uint64_t mask = mask64(bits), result;
    unsigned __int128 wide;

    x &= mask;
    y &= mask;
    wide = (unsigned __int128)x + y + carry;
    result = (uint64_t)wide & mask;
    *nzcv = flags_nz(result, bits) | (wide >> bits ? NZCV_C : 0) |
            ((~(x ^ y) & (x ^ result)) >> (bits - 1) & 1 ? NZCV_V : 0);
    return result;
}

static uint64_t reverse_bits(uint64_t x, unsigned bits)
{
    uint64_t r = 0;

    for (unsigned n = 0; n < bits; n++) {
        r |= (x >> n & 1) << (bits - 1 - n);
    }
    return r;
}

static bool compare(unsigned cmp, uint64_t x, uint64_t y, unsigned bits)
{
    int64_t sx = sextract64(x, 0, bits), sy = sextract64(y, 0, bits);

    switch (cmp) {
    case CMP_EQ: return x == y;
    case CMP_NE: return x != y;
    case CMP_LTU: return x < y;
    case CMP_GEU: return x >= y;
    case CMP_LTS: return sx < sy;
    case CMP_GES: return sx >= sy;
    case CMP_LEU: return x <= y;
    case CMP_GTU: return x > y;
    case CMP_LES: return sx <= sy;
    default: return sx > sy;
    }
}

static uint64_t divide_signed(uint64_t x, uint64_t y, unsigned bits)
{
    int64_t sx = sextract64(x, 0, bits), sy = sextract64(y, 0, bits);

    if (sy == 0) {
        return 0;
    }
    return sy == -1 ? 0 - (uint64_t)sx : (uint64_t)(sx / sy);
}

static uint64_t eval_with_flags(const IrInsn *i, uint64_t x, uint64_t y, unsigned bits,
                                uint32_t *nzcv)
{
    uint32_t flags;
    uint64_t result;

    switch (i->op) {
    case IR_add:
        result = add_with_carry(x, y, false, bits, &flags);
        break;
    case IR_sub:
        result = add_with_carry(x, ~y, true, bits, &flags);
        break;
    case IR_adc:
        result = add_with_carry(x, y, *nzcv & NZCV_C, bits, &flags);
        break;
    case IR_sbc:
        result = add_with_carry(x, ~y, *nzcv & NZCV_C, bits, &flags);
        break;
    default: /* and, andc */
        result = (i->op == IR_and ? x & y : x & ~y) & mask64(bits);
        flags = flags_nz(result, bits);
        break;
    }
    if (i->flags & IRF_SETS_NZCV) {
        *nzcv = flags;
    }
    return result;
}

static uint64_t eval_fields(const IrInsn *i, uint64_t x, uint64_t y)
{
    unsigned lsb = i->aux & 0xff, len = i->aux >> 8;

    switch (i->op) {
    case IR_extract:
        return extract64(x, lsb, len);
    case IR_sextract:
        return (uint64_t)sextract64(x, lsb, len);
    default:
        return deposit64(x, lsb, len, y);
    }
}

static uint64_t shift(const IrInsn *i, uint64_t x, uint64_t y, unsigned bits)
{
    unsigned n = y & (bits - 1);

    switch (i->op) {
    case IR_shl:
        return x << n;
    case IR_shr:
        return x >> n;
    case IR_sar:
        return (uint64_t)(sextract64(x, 0, bits) >> n);
    default:
        return bits == 64 ? ror64(x, n) : ror32((uint32_t)x, n);
    }
}

uint64_t alu_eval(const IrInsn *i, uint64_t x, uint64_t y, uint64_t z, uint32_t *nzcv)
{
    unsigned bits = i->flags & IRF_W64 ? 64 : 32;
    uint64_t mask = mask64(bits), full_x = x, r;
    bool holds;

    x &= mask;
    if (i->op != IR_selnz) {
        y &= mask;
    }
    switch (i->op) {
    case IR_add: case IR_sub: case IR_and: case IR_andc: case IR_adc: case IR_sbc:
        return eval_with_flags(i, x, y, bits, nzcv);
    case IR_ccmp: case IR_ccmn:
        holds = alu_cond_holds(*nzcv, i->aux & 0xff);
        if (holds) {
            add_with_carry(x, i->op == IR_ccmp ? ~y : y, i->op == IR_ccmp, bits, nzcv);
        } else {
            *nzcv = (uint32_t)(i->aux >> 8) << 28;
        }
        return 0;
    case IR_get_nzcv: return *nzcv;
    case IR_set_nzcv: *nzcv = (uint32_t)x & 0xf0000000u; return 0;
    case IR_or: r = x | y; break;
    case IR_xor: r = x ^ y; break;
    case IR_shl: case IR_shr: case IR_sar: case IR_ror: r = shift(i, x, y, bits); break;
    case IR_mul: r = x * y; break;
    case IR_umulh: r = (uint64_t)(((unsigned __int128)x * y) >> 64); break;
    case IR_smulh: r = (uint64_t)(((__int128)(int64_t)x * (int64_t)y) >> 64); break;
    case IR_udiv: r = y ? x / y : 0; break;
    case IR_sdiv: r = divide_signed(x, y, bits); break;
    case IR_extr:
        r = i->aux ? y >> i->aux | x << (bits - i->aux) : y;
        break;
    case IR_not: r = ~x; break;
    case IR_neg: r = 0 - x; break;
    case IR_clz: r = x ? (unsigned)__builtin_clzll(x) - (64 - bits) : bits; break;
    case IR_rbit: r = reverse_bits(x, bits); break;
    case IR_bswap: r = bits == 64 ? __builtin_bswap64(x) : __builtin_bswap32((uint32_t)x); break;
    case IR_zext: r = extract64(full_x, 0, i->aux); break;
    case IR_sext: r = (uint64_t)sextract64(full_x, 0, i->aux); break;
    case IR_extract: case IR_sextract: case IR_deposit: r = eval_fields(i, x, y); break;
    case IR_sel: r = alu_cond_holds(*nzcv, i->aux) ? x : y; break;
    case IR_cmp: r = compare(i->aux, x, y, bits); break;
    case IR_selnz: return full_x ? y : z;
    default:
        assert(!"not an arithmetic operation");
    }
    return r & mask;
}
