/*
 * What the A64 translate files share: the state of one translation and the
 * small vocabulary over the IR builder. One translate-a64-X.c for each a64-X.decode;
 * each defines `bool a64_X(DisasContext *s, uint32_t insn)`, which returns false
 * when the encoding is not allocated in that chapter.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_ARM_TRANSLATE_H
#define TARGET_ARM_TRANSLATE_H

#include "target/arm/cpu.h"

typedef struct DisasContext {
    IrBuilder *b;
    ArmCpu *cpu;         /* for ID registers only: never for state that `mode` lacks */
    uint64_t pc;         /* of the current instruction */
    uint32_t mode;       /* ArmMode bits */
    bool ended;          /* the final exit has been emitted */
    bool sp_aligned;     /* SP was found a multiple of 16 and has stayed one */
    bool branched;       /* an unconditional branch was followed: pc is its target */
} DisasContext;

/* Chapters, tried by translate.c according to op0 (DDI 0487 C4.1). */
bool a64_dpimm(DisasContext *s, uint32_t insn);
bool a64_branch(DisasContext *s, uint32_t insn);   /* branches, exceptions, system */
bool a64_ldst(DisasContext *s, uint32_t insn);
bool a64_dpreg(DisasContext *s, uint32_t insn);
bool a64_fp(DisasContext *s, uint32_t insn);       /* scalar FP and the FP instructions of SIMD */
bool a64_simd(DisasContext *s, uint32_t insn);     /* Advanced SIMD, integer and permute, crypto */
bool a64_simd_ldst(DisasContext *s, uint32_t insn);/* LD1..LD4, ST1..ST4, LD1R..., structures */

/* Where in its block a DC ZVA makes its first store. */
#define DC_ZVA_PROBE 1u

/* VcpuOps.translate. */
void a64_translate(Vcpu *cpu, IrBuilder *b, uint64_t pc, uint32_t mode, const uint8_t *code,
                   unsigned code_bytes, unsigned max_insns);

/*
 * A chapter that returns false has emitted nothing.
 */

/* Xn or Wn; 31 reads as zero (ZR). Wn is the low half, zero-extended. */
IrVal a64_read(DisasContext *s, unsigned n, IrWidth w);
/* Xn for consumers that look at its low half alone (32-bit operations); 31 reads as zero. */
IrVal a64_read_low(DisasContext *s, unsigned n);
/*
 * Write Xn, or Wn (the value must be zero-extended, as 32-bit IR operations give it);
 * 31: dropped.
 */
void a64_write(DisasContext *s, unsigned n, IrVal v);
/* The same with 31 meaning SP; a W write to SP zero-extends likewise. */
IrVal a64_read_sp(DisasContext *s, unsigned n, IrWidth w);
void a64_write_sp(DisasContext *s, unsigned n, IrVal v);
/*
 * The base address of a load or store: Xn or SP, with the SP alignment check
 * (SCTLR.SA) when n is 31.
 */
IrVal a64_read_base(DisasContext *s, unsigned n);
/* The same for an address that was computed from the base with a register. */
IrVal a64_check_base(DisasContext *s, unsigned n, IrVal addr);
/* Write the base back, `moved` bytes from where it was, after its check. */
void a64_write_back(DisasContext *s, unsigned n, IrVal base, int64_t moved);

/*
 * Data accesses in the byte order of this mode (SCTLR_ELx.EE, E0E). As ir_ld() and so on, which
 * are little-endian; vector accesses name the register.
 */
IrVal a64_load(DisasContext *s, unsigned memop, IrVal addr);
void a64_store(DisasContext *s, unsigned memop, IrVal addr, IrVal v);
void a64_load2(DisasContext *s, unsigned memop, IrVal addr, IrVal *first, IrVal *second);
void a64_store2(DisasContext *s, unsigned memop, IrVal addr, IrVal first, IrVal second);
/*
 * Before the first access of an instruction: look for watchpoints on `count` accesses in a row
 * with this memop, if the mode has any. `pair`: MEM_ALIGNED is about both accesses as a whole.
 */
void a64_watch(DisasContext *s, unsigned memop, unsigned count, bool pair, IrVal addr, bool store);
/* v2 is IR_NONE when there is one element. */
IrVal a64_store_exclusive(DisasContext *s, unsigned memop, IrVal addr, IrVal v, IrVal v2);
void a64_load_vec(DisasContext *s, unsigned memop, IrVal addr, unsigned vt);
void a64_store_vec(DisasContext *s, unsigned memop, IrVal addr, unsigned vt);

/* Raise Undefined Instruction and end the unit. */
void a64_undefined(DisasContext *s);
/* Raise a synchronous exception with this syndrome (ESR_ELx value) and end the unit. */
void a64_exception(DisasContext *s, uint32_t syndrome);
/*
 * FP/SIMD enabled? When not, emits the access trap, ends the unit and returns
 * false: `if (!a64_fp_access(s)) { return true; }` after the encoding was found valid.
 */
bool a64_fp_access(DisasContext *s);

#endif
