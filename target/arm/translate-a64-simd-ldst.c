/*
 * Loads and stores of structures: LD1 to LD4, ST1 to ST4, of whole registers, one
 * lane, or one element to all lanes.
 *
 * 1. The structure array is contiguous, so whole registers of it move as such: LD2 to
 *    LD4 load them in memory order and rearrange afterwards, ST2 to ST4 store 8
 *    bytes of the rearranged order at a time. When an access faults half way, destination
 *    registers are UNKNOWN by architecture, and nothing that the restarted
 *    instruction reads has changed: the base is written last.
 * 2. Alignment and byte order are those of elements. Where one of them matters (SCTLR.A,
 *    big-endian data), elements are accessed one by one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/translate-simd.h"
#include "decode-a64-simd-ldst.inc"

#define MAX_ELEMENTS 64

/* One access: what both the plain and the post-index encodings say. */
typedef struct Structure {
    unsigned rn, rt;
    unsigned regs;      /* registers, from rt on modulo 32 */
    unsigned size;      /* log2 of the element bytes */
    unsigned bytes;     /* of each register, 8 or 16 (all lanes) */
    bool interleaved;
    bool load;
    int rm;             /* post-index register; 31: by the size; -1: no post-index */
} Structure;

static unsigned reg(const Structure *x, unsigned i)
{
    return (x->rt + i) & 31;
}

static IrVal at(DisasContext *s, IrVal base, unsigned offset)
{
    return offset ? ir_add(s->b, W64, base, ir_const(s->b, offset)) : base;
}

static bool by_elements(DisasContext *s)
{
    return s->mode & (MODE_ALIGN_CHECK | MODE_BIG_ENDIAN);
}

static unsigned element_memop(DisasContext *s, unsigned size)
{
    return size | (s->mode & MODE_ALIGN_CHECK ? MEM_ALIGNED : 0);
}

static void post_index(DisasContext *s, const Structure *x, IrVal base, unsigned transferred)
{
    if (x->rm == 31) {
        a64_write_back(s, x->rn, at(s, base, transferred), transferred);
    } else if (x->rm >= 0) {
        a64_write_sp(s, x->rn, ir_add(s->b, W64, base, a64_read(s, x->rm, W64)));
    }
}

/* ---- all lanes ---- */

/* Offset in the CPU state of the n-th element of memory. */
static uint32_t element_offset(const Structure *x, unsigned n)
{
    const unsigned lanes = x->bytes >> x->size;

    if (x->interleaved) {
        return simd_lane_offset(reg(x, n % x->regs), x->size, n / x->regs);
    }
    return simd_lane_offset(reg(x, n / lanes), x->size, n % lanes);
}

static void load_elements(DisasContext *s, const Structure *x, IrVal base)
{
    const unsigned num = x->regs * (x->bytes >> x->size);
    IrVal v[MAX_ELEMENTS];

    for (unsigned n = 0; n < num; n++) {
        v[n] = a64_load(s, element_memop(s, x->size), at(s, base, n << x->size));
    }
    for (unsigned n = 0; n < num; n++) {
        ir_st_env(s->b, 1 << x->size, element_offset(x, n), v[n]);
    }
    for (unsigned i = 0; x->bytes == 8 && i < x->regs; i++) {
        ir_st_env(s->b, 8, arm_v_offset(reg(x, i)) + 8, ir_const(s->b, 0));
    }
}

static void store_elements(DisasContext *s, const Structure *x, IrVal base)
{
    const unsigned num = x->regs * (x->bytes >> x->size);

    for (unsigned n = 0; n < num; n++) {
        IrVal v = ir_ld_env(s->b, 1 << x->size, element_offset(x, n));

        a64_store(s, element_memop(s, x->size), at(s, base, n << x->size), v);
    }
}

static void load_registers(DisasContext *s, const Structure *x, IrVal base)
{
    for (unsigned i = 0; i < x->regs; i++) {
        ir_ld_vec(s->b, x->bytes == 16 ? MEM_128 : MEM_64, at(s, base, i * x->bytes),
                  arm_v_offset(reg(x, i)));
    }
    if (x->interleaved) {
        ir_call(s->b, &vec_deinterleave, ir_const(s->b, x->rt),
                ir_const(s->b, vec_desc(x->bytes, x->size, x->regs)), IR_NONE, IR_NONE);
    }
}

static void store_registers(DisasContext *s, const Structure *x, IrVal base)
{
    for (unsigned i = 0; i < x->regs; i++) {
        ir_st_vec(s->b, x->bytes == 16 ? MEM_128 : MEM_64, at(s, base, i * x->bytes),
                  arm_v_offset(reg(x, i)));
    }
}

static void store_interleaved(DisasContext *s, const Structure *x, IrVal base)
{
    const unsigned chunks = x->regs * x->bytes / 8;
    const uint32_t desc = vec_desc(x->bytes, x->size, x->regs);
    IrVal v[8];

    for (unsigned i = 0; i < chunks; i++) {
        v[i] = ir_call(s->b, &vec_interleave, ir_const(s->b, x->rt), ir_const(s->b, desc),
                       ir_const(s->b, i), IR_NONE);
    }
    for (unsigned i = 0; i < chunks; i++) {
        ir_st(s->b, MEM_64, at(s, base, 8 * i), v[i]);
    }
}

static void all_lanes(DisasContext *s, const Structure *x)
{
    IrVal base = a64_read_base(s, x->rn);

    a64_watch(s, element_memop(s, x->size), x->regs * (x->bytes >> x->size), false, base, !x->load);
    if (by_elements(s)) {
        (x->load ? load_elements : store_elements)(s, x, base);
    } else if (x->load) {
        load_registers(s, x, base);
    } else if (x->interleaved) {
        store_interleaved(s, x, base);
    } else {
        store_registers(s, x, base);
    }
    post_index(s, x, base, x->regs * x->bytes);
}

/* Registers of each opcode; 0: unallocated. */
static bool multiple(DisasContext *s, Structure x, unsigned opcode)
{
    static const struct { uint8_t regs; bool interleaved; } kinds[16] = {
        [0] = { 4, true }, [2] = { 4, false }, [4] = { 3, true }, [6] = { 3, false },
        [7] = { 1, false }, [8] = { 2, true }, [10] = { 2, false },
    };

    x.regs = kinds[opcode].regs;
    x.interleaved = kinds[opcode].interleaved;
    if (!x.regs || (x.interleaved && !simd_size_ok(x.size, x.bytes == 16))) {
        return false;
    }
    if (a64_fp_access(s)) {
        all_lanes(s, &x);
    }
    return true;
}

static bool trans_LDST_MULT(DisasContext *s, arg_LDST_MULT *a)
{
    return multiple(s, (Structure){ .rn = a->rn, .rt = a->rt, .size = a->size,
                                    .bytes = a->q ? 16 : 8, .load = a->load, .rm = -1 },
                    a->opcode);
}

static bool trans_LDST_MULT_post(DisasContext *s, arg_LDST_MULT_post *a)
{
    return multiple(s, (Structure){ .rn = a->rn, .rt = a->rt, .size = a->size,
                                    .bytes = a->q ? 16 : 8, .load = a->load, .rm = a->rm },
                    a->opcode);
}

/* ---- one structure ---- */

static void load_lane(DisasContext *s, const Structure *x, IrVal base, unsigned lane)
{
    IrVal v[4];

    for (unsigned i = 0; i < x->regs; i++) {
        v[i] = a64_load(s, element_memop(s, x->size), at(s, base, i << x->size));
    }
    for (unsigned i = 0; i < x->regs; i++) {
        ir_st_env(s->b, 1 << x->size, simd_lane_offset(reg(x, i), x->size, lane), v[i]);
    }
}

static void store_lane(DisasContext *s, const Structure *x, IrVal base, unsigned lane)
{
    for (unsigned i = 0; i < x->regs; i++) {
        IrVal v = ir_ld_env(s->b, 1 << x->size, simd_lane_offset(reg(x, i), x->size, lane));

        a64_store(s, element_memop(s, x->size), at(s, base, i << x->size), v);
    }
}

/* LD1R to LD4R: each element to all lanes of its register. */
static void load_replicate(DisasContext *s, const Structure *x, IrVal base)
{
    IrVal v[4];

    for (unsigned i = 0; i < x->regs; i++) {
        v[i] = a64_load(s, element_memop(s, x->size), at(s, base, i << x->size));
    }
    for (unsigned i = 0; i < x->regs; i++) {
        simd_replicate(s, vec_desc(x->bytes, x->size, 0), reg(x, i), v[i]);
    }
}

/*
 * scale is opcode<2:1>: the element size, 3 for the replicating loads, which have it
 * in `size`. Words with an odd `size` are doublewords. The lane number is
 * Q:S:size, less the bits that the element size has taken.
 */
static bool single(DisasContext *s, Structure x, unsigned scale, unsigned s_bit)
{
    const unsigned index = (x.bytes == 16 ? 8 : 0) | s_bit << 2 | x.size;
    const bool replicate = scale == 3;

    if (replicate ? !x.load || s_bit :
        (scale == 1 && (index & 1)) || (scale == 2 && ((index & 2) || (index & 5) == 5))) {
        return false;
    }
    if (!replicate) {
        x.size = scale == 2 && (index & 1) ? 3 : scale;
    }
    if (!a64_fp_access(s)) {
        return true;
    }
    IrVal base = a64_read_base(s, x.rn);

    a64_watch(s, element_memop(s, x.size), x.regs, false, base, !x.load);
    if (replicate) {
        load_replicate(s, &x, base);
    } else {
        (x.load ? load_lane : store_lane)(s, &x, base, index >> x.size);
    }
    post_index(s, &x, base, x.regs << x.size);
    return true;
}

static bool trans_LDST_LANE(DisasContext *s, arg_LDST_LANE *a)
{
    return single(s, (Structure){ .rn = a->rn, .rt = a->rt, .size = a->size,
                                  .bytes = a->q ? 16 : 8, .load = a->load, .rm = -1,
                                  .regs = (a->o << 1 | a->r) + 1 },
                  a->scale, a->s);
}

static bool trans_LDST_LANE_post(DisasContext *s, arg_LDST_LANE_post *a)
{
    return single(s, (Structure){ .rn = a->rn, .rt = a->rt, .size = a->size,
                                  .bytes = a->q ? 16 : 8, .load = a->load, .rm = a->rm,
                                  .regs = (a->o << 1 | a->r) + 1 },
                  a->scale, a->s);
}

bool a64_simd_ldst(DisasContext *s, uint32_t insn)
{
    return decode_a64_simd_ldst(s, insn);
}
