/*
 * The intermediate representation between target/ and the back ends, and the
 * builder that front ends use.
 *
 * A unit is one straight line of IR: one entry, side exits, one final exit.
 *
 * 1. Values are 64 bits wide and defined once. An operation of width 32 reads
 *    the low halves of its operands and zero-extends its result, so "write a W
 *    register" is simply ir_set(). Values must not cross units.
 * 2. Guest registers are slots: ir_get()/ir_set(). Everything else in the CPU
 *    state is reached by byte offset with ir_ld_env()/ir_st_env(), and must
 *    not overlap slots.
 * 3. The condition flags are implicit state. Flag-setting operations write
 *    them; conditional operations, ir_adc(), ir_sbc() and ir_get_nzcv() read them.
 *    There is no other way that flags change, except sync helpers.
 * 4. Within one guest instruction, every operation that can fault (guest loads,
 *    stores, store-exclusives) comes before the first ir_set(), flag change or
 *    ir_st_env() of that instruction. (Vector loads may precede each other.) The
 *    back ends rely on it: an access that is not plain RAM restores the state
 *    at the start of the instruction and runs it again in the interpreter.
 * 5. Guest loads and stores are never removed, duplicated or reordered.
 * 6. Helpers are described by IrHelper; plain ones must not read or write
 *    slots, flags or PC, nor raise exceptions; sync ones may do all of that.
 * 7. Each guest instruction carries a word of the target's (ir_insn()), which is in
 *    Vcpu.insn_word when it faults and in its sync helpers. Bits of it may be state with which
 *    the instruction begins (VcpuOps.insn_state); each exit then says with which state its
 *    target begins (IrUnit.exit_state).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_IR_H
#define ACCEL_TCG_IR_H

#include "util/osdep.h"

typedef struct Vcpu Vcpu;

/* ---- operations ---- */

typedef enum IrOpcode {
#define IR_OP(name, args, dsts, flags, text) IR_##name,
#include "accel/tcg/ir.def"
#undef IR_OP
    IR_NUM_OPS
} IrOpcode;

typedef enum IrWidth { W32 = 0, W64 = 1 } IrWidth;

/* The architecture's condition codes (DDI 0487 C1.2.4). */
typedef enum IrCond {
    COND_EQ, COND_NE, COND_CS, COND_CC, COND_MI, COND_PL, COND_VS, COND_VC,
    COND_HI, COND_LS, COND_GE, COND_LT, COND_GT, COND_LE, COND_AL,
} IrCond;

static inline IrCond cond_invert(IrCond c)
{
    return (IrCond)(c ^ 1);
}

/* Comparisons of two values. */
typedef enum IrCmp {
    CMP_EQ, CMP_NE, CMP_LTU, CMP_GEU, CMP_LTS, CMP_GES, CMP_LEU, CMP_GTU, CMP_LES, CMP_GTS,
} IrCmp;

/* A value; 0 means none. Wrapped so that the compiler tells it from numbers. */
typedef struct IrVal {
    uint16_t id;
} IrVal;

#define IR_NONE ((IrVal){ 0 })

/* Guest access sizes: log2 of bytes, plus sign extension to the op's width. */
typedef enum MemSize { MEM_8, MEM_16, MEM_32, MEM_64, MEM_128 } MemSize;

enum MemFlags {
    MEM_SIGNED32 = 1 << 4,  /* sign-extend, result 32 bits wide (zero above) */
    MEM_SIGNED64 = 1 << 5,  /* sign-extend to 64 bits */
    MEM_ALIGNED = 1 << 6,   /* fault when not naturally aligned (to the whole access) */
    MEM_UNPRIV = 1 << 7,    /* LDTR/STTR: as if from EL0 */
    MEM_ACQREL = 1 << 8,    /* informational: ordered access */
    MEM_EXCL = 1 << 9,      /* load-exclusive: sets the monitor */
    MEM_DIRECT_ALIGNED = 1 << 10,   /* goes direct only when aligned; no fault by itself */
    MEM_UNWATCHED = 1 << 11,  /* interpreter: not an access that the guest's program makes */
};

static inline unsigned mem_bytes(unsigned memop)
{
    return 1u << (memop & 7);
}

enum IrHelperFlags {
    IR_HELPER_VOID = 1 << 0,
    /*
     * May read and write slots, flags, PC, virtual time and device state, and raise exceptions.
     * Before the call all slots are written back, vcpu->pc and vcpu->insn_word are the current
     * instruction's and the icount is exact; after it nothing is assumed. When the
     * helper left vcpu->exit_request non-zero, the unit is left for where
     * vcpu->pc says: a helper that raises an exception has set the vector, one
     * that merely wants out has advanced it to the next instruction.
     */
    IR_HELPER_SYNC = 1 << 1,
    /* No side effects, result depends on arguments alone: may be removed. */
    IR_HELPER_PURE = 1 << 2,
};

/*
 * A C function callable from IR: uint64_t fn(Vcpu *, uint64_t a0, ...) with
 * num_args further arguments (0 to 4), returning void with IR_HELPER_VOID.
 */
typedef struct IrHelper {
    const char *name;
    void (*fn)(void);
    uint8_t num_args;
    uint8_t flags;
} IrHelper;

/*
 * Vector operations work on CPU state memory: d = fn(a, b) over 8 or 16 bytes, or as many as the
 * target's registers have. When 8 bytes are written, the upper half of a 16-byte register is
 * cleared. Back ends emit no more than 16 bytes inline. fn is the definition of
 * what an operation does; `host_op` is its name in vec-ops.def when it has one there, so that a
 * back end can emit it inline. It calls fn for all others (IRV_NONE), which are the target's own.
 */
typedef enum IrVecHostOp {
    IRV_NONE,
#define IRV_OP(name, meaning) IRV_##name,
#include "accel/tcg/vec-ops.def"
#undef IRV_OP
} IrVecHostOp;

typedef void IrVecFn(void *d, const void *a, const void *b, uint32_t desc);

typedef struct IrVecHelper {
    const char *name;
    IrVecFn *fn;
    uint8_t host_op;    /* IrVecHostOp */
} IrVecHelper;

/* desc: bits 0-8 bytes written (1 to 256), 9-10 log2 of element bytes, 11-31 signed imm. */
static inline uint32_t vec_desc(unsigned bytes, unsigned esize, int32_t imm)
{
    return bytes | esize << 9 | (uint32_t)imm << 11;
}
static inline unsigned vec_desc_bytes(uint32_t desc) { return desc & 511; }
static inline unsigned vec_desc_esize(uint32_t desc) { return (desc >> 9) & 3; }
static inline int32_t vec_desc_imm(uint32_t desc) { return (int32_t)desc >> 11; }

/*
 * Scalar floating point works on CPU state memory as well: operands are the low 4 or 8
 * bytes of registers, a result is zero-extended to 16. The helper is the definition: raw
 * bits of the operands in, raw bits of the result out, reading FPCR and adding to FPSR.
 * `host_op` says in general terms what it computes, for a back end that emits the common
 * case inline and leaves all others to the helper.
 */
typedef enum IrFpHostOp {
    IRFP_NONE,
    IRFP_MOV, IRFP_NEG, IRFP_ABS,    /* bits, whatever they mean */
    IRFP_ADD, IRFP_SUB, IRFP_MUL, IRFP_NMUL /* -(a * b) */, IRFP_DIV, IRFP_SQRT,
    IRFP_MAX, IRFP_MIN,
    /* One rounding: a + b * c, a - b * c, -a - b * c, -a + b * c. */
    IRFP_MADD, IRFP_MSUB, IRFP_NMADD, IRFP_NMSUB,
    IRFP_CVT,           /* to the other format */
    IRFP_CMP,           /* a with b: NZCV in bits 31..28 */
    /* Toward zero, saturated; narrow ones are zero-extended. */
    IRFP_TO_S32, IRFP_TO_U32, IRFP_TO_S64, IRFP_TO_U64,
    IRFP_FROM_S64, IRFP_FROM_U64,
    /* Vectors alone: |a - b|; comparisons (AC..: of magnitudes) with b or 0, all ones or zeros. */
    IRFP_ABD, IRFP_CMEQ, IRFP_CMGE, IRFP_CMGT, IRFP_ACGE, IRFP_ACGT,
    IRFP_CMEQ0, IRFP_CMGE0, IRFP_CMGT0, IRFP_CMLE0, IRFP_CMLT0,
    /* Integral values: imm is IrFpRound. Integers of the elements' size, toward zero, saturated. */
    IRFP_ROUND, IRFP_TO_S, IRFP_TO_U, IRFP_FROM_S, IRFP_FROM_U,
    /*
     * Singles from 8 bytes of a, of any offset, to doubles. Doubles of all of a to singles: in the
     * lower half of d, the upper one cleared (8 bytes), or in the upper half (16).
     */
    IRFP_WIDEN, IRFP_NARROW,
} IrFpHostOp;

/* FPCR.RMode's encodings, and more. */
enum IrFpRound {
    IR_ROUND_MODE = 7,
    IR_ROUND_AWAY = 4,      /* nearest, ties away from zero */
    IR_ROUND_FPCR = 7,      /* as FPCR says */
    IR_ROUND_EXACT = 8,     /* inexactness is flagged */
};

typedef struct IrFpHelper {
    IrHelper h;
    uint8_t host_op;    /* IrFpHostOp */
    bool is_double;     /* the operands' format; of IRFP_FROM the result's */
    uint16_t env;       /* offset of FPCR from the Vcpu; FPSR follows it */
} IrFpHelper;

/*
 * Vectors of floating-point numbers: d = fn(a, b) or fn(d, a, b), as IR_vec, with FPCR and FPSR
 * as the scalar operations have them. Elements of 4 or 8 bytes; the descriptor's bytes may be
 * those of one element, and the rest of the 16-byte register is cleared.
 */
typedef void IrFpVecFn(Vcpu *cpu, void *d, const void *a, const void *b, uint32_t desc);

typedef enum IrFpVecForm {
    IRFV_LANES,         /* lane i of a with lane i of b */
    IRFV_BY_LANE,       /* lane i of a with lane imm of b, a whole register */
    IRFV_PAIRS,         /* neighbours: the pairs of a, then those of b; for one lane a is b */
} IrFpVecForm;

typedef struct IrFpVecHelper {
    const char *name;
    IrFpVecFn *fn;
    uint8_t host_op;    /* IrFpHostOp */
    uint8_t form;       /* IrFpVecForm */
    uint16_t env;       /* as in IrFpHelper */
} IrFpVecHelper;

/* What a back end looks at in FPCR and FPSR. */
enum IrFpEnv {
    IR_FPCR_MODE = 7 << 22,    /* rounding mode, flush to zero: 0 by default */
    IR_FPCR_FZ = 1 << 24,
    IR_FPSR_IXC = 1 << 4,      /* cumulative inexact */
};

/* Flag bits in an instruction's `flags`. */
enum IrInsnFlags {
    IRF_W64 = 1 << 0,       /* width */
    IRF_SETS_NZCV = 1 << 1, /* the S variant of add, sub, and, andc, adc, sbc */
    IRF_NZCV_DEAD = 1 << 2, /* set by the flags pass: nobody reads what it writes */
    IRF_NZCV_HOME = 1 << 3, /* set by the flags pass: must reach vcpu->nzcv */
    IRF_NZCV_BAIL = 1 << 4, /* the same, when an access bails out: there is no other need */
};

typedef struct IrInsn {
    uint8_t op;         /* IrOpcode */
    uint8_t flags;
    uint16_t aux;       /* condition, memop, slot, bit, comparison: see ir.def */
    uint16_t dst, dst2;
    uint16_t arg[4];
    uint64_t imm;       /* constant, target PC, offset, helper pointer */
} IrInsn;

#define IR_MAX_INSNS 4000       /* IR instructions a unit */
#define IR_MAX_GUEST_INSNS 512  /* guest instructions a unit */

typedef struct IrUnit {
    IrInsn *insns;
    unsigned num_insns;
    unsigned num_values;        /* ids 1 .. num_values */
    unsigned num_guest_insns;
    uint64_t pc;                /* virtual address of the first instruction */
    uint64_t *const_of;         /* value id -> constant, where is_const */
    uint8_t *is_const;
    bool full;                  /* no room: the front end must end the unit */
    unsigned mem_flags;         /* the builder adds them to every memop; reset to none */
    uint32_t state;             /* that the first instruction begins with; set behind a reset */
    uint32_t exit_state;        /* the builder gives them to every exit; reset to none */
} IrUnit;

/* ---- builder: front ends call these ---- */

typedef IrUnit IrBuilder;

IrVal ir_const(IrBuilder *b, uint64_t value);
/*
 * An address computed from the PC (ADR, a literal's address, a return address): `address` as
 * seen from this translation. Generated code serves every virtual address that its
 * physical page is mapped at; so this, ir_insn() and the exits are the only places
 * where an address may enter the IR.
 */
IrVal ir_pcrel(IrBuilder *b, uint64_t address);

IrVal ir_get(IrBuilder *b, unsigned slot);
void ir_set(IrBuilder *b, unsigned slot, IrVal v);

/* bytes: 1, 2, 4, 8; loads zero-extend. Offsets are from Vcpu*. */
IrVal ir_ld_env(IrBuilder *b, unsigned bytes, uint32_t offset);
void ir_st_env(IrBuilder *b, unsigned bytes, uint32_t offset, IrVal v);

/* Two operands. Shift amounts are taken modulo the width. */
IrVal ir_add(IrBuilder *b, IrWidth w, IrVal x, IrVal y);
IrVal ir_sub(IrBuilder *b, IrWidth w, IrVal x, IrVal y);
IrVal ir_and(IrBuilder *b, IrWidth w, IrVal x, IrVal y);
IrVal ir_or(IrBuilder *b, IrWidth w, IrVal x, IrVal y);
IrVal ir_xor(IrBuilder *b, IrWidth w, IrVal x, IrVal y);
IrVal ir_andc(IrBuilder *b, IrWidth w, IrVal x, IrVal y);  /* x & ~y */
IrVal ir_shl(IrBuilder *b, IrWidth w, IrVal x, IrVal n);
IrVal ir_shr(IrBuilder *b, IrWidth w, IrVal x, IrVal n);
IrVal ir_sar(IrBuilder *b, IrWidth w, IrVal x, IrVal n);
IrVal ir_ror(IrBuilder *b, IrWidth w, IrVal x, IrVal n);
IrVal ir_mul(IrBuilder *b, IrWidth w, IrVal x, IrVal y);
IrVal ir_umulh(IrBuilder *b, IrVal x, IrVal y);            /* 64 bits */
IrVal ir_smulh(IrBuilder *b, IrVal x, IrVal y);
IrVal ir_udiv(IrBuilder *b, IrWidth w, IrVal x, IrVal y);  /* x / 0 == 0 */
IrVal ir_sdiv(IrBuilder *b, IrWidth w, IrVal x, IrVal y);  /* x / 0 == 0, MIN / -1 == MIN */
/* Bits lsb.. of the double word hi:lo: EXTR. 0 <= lsb < width. */
IrVal ir_extr(IrBuilder *b, IrWidth w, IrVal hi, IrVal lo, unsigned lsb);

/* One operand. */
IrVal ir_not(IrBuilder *b, IrWidth w, IrVal x);
IrVal ir_neg(IrBuilder *b, IrWidth w, IrVal x);
IrVal ir_clz(IrBuilder *b, IrWidth w, IrVal x);
IrVal ir_rbit(IrBuilder *b, IrWidth w, IrVal x);
IrVal ir_bswap(IrBuilder *b, IrWidth w, IrVal x);
/* The low `bits` (8, 16, 32) zero- or sign-extended to w. */
IrVal ir_zext(IrBuilder *b, unsigned bits, IrVal x);
IrVal ir_sext(IrBuilder *b, IrWidth w, unsigned bits, IrVal x);
/* Bits <lsb+len-1:lsb> zero- or sign-extended; x with `len` bits of y at lsb. */
IrVal ir_extract(IrBuilder *b, IrWidth w, IrVal x, unsigned lsb, unsigned len);
IrVal ir_sextract(IrBuilder *b, IrWidth w, IrVal x, unsigned lsb, unsigned len);
IrVal ir_deposit(IrBuilder *b, IrWidth w, IrVal x, IrVal y, unsigned lsb, unsigned len);

/* The same, setting NZCV (ADDS, SUBS, ANDS, BICS, ADCS, SBCS). */
IrVal ir_adds(IrBuilder *b, IrWidth w, IrVal x, IrVal y);
IrVal ir_subs(IrBuilder *b, IrWidth w, IrVal x, IrVal y);
IrVal ir_ands(IrBuilder *b, IrWidth w, IrVal x, IrVal y);
IrVal ir_andcs(IrBuilder *b, IrWidth w, IrVal x, IrVal y);
IrVal ir_adc(IrBuilder *b, IrWidth w, IrVal x, IrVal y);
IrVal ir_sbc(IrBuilder *b, IrWidth w, IrVal x, IrVal y);
IrVal ir_adcs(IrBuilder *b, IrWidth w, IrVal x, IrVal y);
IrVal ir_sbcs(IrBuilder *b, IrWidth w, IrVal x, IrVal y);
/* CCMP / CCMN: NZCV = cond ? flags(x - y or x + y) : nzcv (4 bits, N is bit 3). */
void ir_ccmp(IrBuilder *b, IrWidth w, IrCond cond, IrVal x, IrVal y, unsigned nzcv);
void ir_ccmn(IrBuilder *b, IrWidth w, IrCond cond, IrVal x, IrVal y, unsigned nzcv);
/* NZCV in bits 31..28, other bits zero. */
IrVal ir_get_nzcv(IrBuilder *b);
void ir_set_nzcv(IrBuilder *b, IrVal v);

/* cond ? x : y on the flags. */
IrVal ir_sel(IrBuilder *b, IrWidth w, IrCond cond, IrVal x, IrVal y);
/* cmp(x, y) ? 1 : 0, flags untouched. */
IrVal ir_cmp(IrBuilder *b, IrWidth w, IrCmp cmp, IrVal x, IrVal y);
/* c != 0 ? x : y, flags untouched; c is compared at 64 bits. */
IrVal ir_selnz(IrBuilder *b, IrVal c, IrVal x, IrVal y);

/* Guest memory. `memop` is a MemSize with MemFlags. */
IrVal ir_ld(IrBuilder *b, unsigned memop, IrVal addr);
void ir_st(IrBuilder *b, unsigned memop, IrVal addr, IrVal v);
/* Two adjacent elements in one access (LDP, STP, LDXP); memop is one element's. */
void ir_ld2(IrBuilder *b, unsigned memop, IrVal addr, IrVal *first, IrVal *second);
void ir_st2(IrBuilder *b, unsigned memop, IrVal addr, IrVal first, IrVal second);
/* Vector register at byte `offset` of the CPU state; shorter loads clear the rest. */
void ir_ld_vec(IrBuilder *b, unsigned memop, IrVal addr, uint32_t offset);
void ir_st_vec(IrBuilder *b, unsigned memop, IrVal addr, uint32_t offset);
/*
 * Store-exclusive: 0 when stored, 1 when not; clears the monitor. v2 is IR_NONE
 * or the second element of a pair. (Load-exclusive is ir_ld or ir_ld2 with MEM_EXCL.)
 */
IrVal ir_stx(IrBuilder *b, unsigned memop, IrVal addr, IrVal v, IrVal v2);

/* Calls; the unused arguments of a helper with fewer are IR_NONE. */
IrVal ir_call(IrBuilder *b, const IrHelper *h, IrVal a0, IrVal a1, IrVal a2, IrVal a3);
void ir_vec(IrBuilder *b, const IrVecHelper *h, uint32_t d_off, uint32_t a_off,
            uint32_t b_off, uint32_t desc);

/*
 * Offsets are those of whole registers; sources that the helper does not take are 0.
 * For ir_fp_cmp(), b_off 0 is the number +0.0.
 */
void ir_fp(IrBuilder *b, const IrFpHelper *h, uint32_t d_off, uint32_t a_off, uint32_t b_off,
           uint32_t c_off);
void ir_fp_cmp(IrBuilder *b, const IrFpHelper *h, uint32_t a_off, uint32_t b_off);
IrVal ir_fp_to_int(IrBuilder *b, const IrFpHelper *h, uint32_t a_off);
void ir_fp_from_int(IrBuilder *b, const IrFpHelper *h, uint32_t d_off, IrVal v);
void ir_fp_vec(IrBuilder *b, const IrFpVecHelper *h, uint32_t d_off, uint32_t a_off,
               uint32_t b_off, uint32_t desc);

/* Start of a guest instruction of so many bytes, with its word; all others stand behind it. */
void ir_insn(IrBuilder *b, uint64_t pc, unsigned bytes, uint32_t word);

/* Side exits: leave for `pc` when the condition holds, else go on. */
void ir_exit_cond(IrBuilder *b, IrCond cond, uint64_t pc);
void ir_exit_nz(IrBuilder *b, IrWidth w, IrVal v, uint64_t pc);
void ir_exit_z(IrBuilder *b, IrWidth w, IrVal v, uint64_t pc);
void ir_exit_bit(IrBuilder *b, IrVal v, unsigned bit, bool set, uint64_t pc);

/* Final exits: exactly one, the last instruction of the unit. */
void ir_jmp(IrBuilder *b, uint64_t pc);                    /* linkable */
void ir_jmp_ind(IrBuilder *b, IrVal pc);
/* Back to the execution loop, which looks at interrupts and requests: at pc, ... */
void ir_exit_main(IrBuilder *b, uint64_t pc);
/* ... or where a sync helper put vcpu->pc (exceptions, ERET). */
void ir_exit_main_helper(IrBuilder *b);

/* ---- units ---- */

IrUnit *ir_unit_new(void);
void ir_unit_free(IrUnit *u);
void ir_unit_reset(IrUnit *u, uint64_t pc);

/* Text form, one instruction a line: see docs/devel/ir.md. */
void ir_print(const IrUnit *u, FILE *out);
/* Parse the text form (tests). NULL and *line_out on a syntax error. */
IrUnit *ir_parse(const char *text, unsigned *line_out);
/* NULL when the unit keeps the rules, else what is wrong and where (static text). */
const char *ir_verify(const IrUnit *u, unsigned *index_out);

const char *ir_op_name(unsigned op);

#endif
