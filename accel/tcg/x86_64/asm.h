/*
 * A small x86-64 assembler: one function for each encoding form, bytes go to
 * the writable view of the code memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_TCG_X86_64_ASM_H
#define ACCEL_TCG_X86_64_ASM_H

#include "util/osdep.h"

typedef enum HostReg {
    RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15,
} HostReg;

/* Condition codes as in Jcc, SETcc and CMOVcc. */
typedef enum HostCond {
    CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A,
    CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE, CC_LE, CC_G,
} HostCond;

/* The /n of the immediate group 81 and of the two-operand opcodes (n * 8 + 1 or 3). */
typedef enum HostAlu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP } HostAlu;

/* The /n of the shift group C1 and D3. */
typedef enum HostShift { SHIFT_ROL = 0, SHIFT_ROR = 1, SHIFT_SHL = 4, SHIFT_SHR = 5, SHIFT_SAR = 7 } HostShift;

typedef struct Asm {
    uint8_t *p;             /* next byte, writable view */
    uint8_t *end;
    ptrdiff_t exec_delta;   /* executable address = writable address + exec_delta */
    bool overflow;          /* a byte did not fit; the code is unusable */
} Asm;

static inline const uint8_t *asm_exec(const Asm *a, const uint8_t *p)
{
    return p + a->exec_delta;
}

static inline void asm_u8(Asm *a, unsigned value)
{
    if (UNLIKELY(a->p >= a->end)) {
        a->overflow = true;
        return;
    }
    *a->p++ = value;
}

void asm_u32(Asm *a, uint32_t value);
void asm_u64(Asm *a, uint64_t value);

/* An opcode without ModRM; reg, in the opcode's low bits, may need a REX.B. */
void asm_op(Asm *a, bool w, unsigned opcode, unsigned reg);
/* opcode: up to three bytes, 0x0fxx and 0x0f38xx included; prefix 0, 0x66, 0xf2 or 0xf3. */
void asm_op_rr(Asm *a, bool w, unsigned prefix, unsigned opcode, unsigned reg, unsigned rm);
/* The same for byte registers: a REX prefix is forced so that 4..7 mean SPL..DIL. */
void asm_op_rr8(Asm *a, unsigned opcode, unsigned reg, unsigned rm);
void asm_op_rm(Asm *a, bool w, unsigned prefix, unsigned opcode, unsigned reg, unsigned base,
               int32_t disp);
void asm_op_rm8(Asm *a, unsigned opcode, unsigned reg, unsigned base, int32_t disp);
/* [base + index], byte_reg forces REX. */
void asm_op_rmx(Asm *a, bool w, unsigned prefix, unsigned opcode, unsigned reg, unsigned base,
                unsigned index, int32_t disp, bool byte_reg);

/* [RIP + ...] = an executable-view address within +-2 GiB; no immediate may follow. */
void asm_op_rip(Asm *a, unsigned prefix, unsigned opcode, unsigned reg,
                const uint8_t *exec_target);

/* VEX: dst = op(dst, x, y) on the low lane; w: doubles. Only XMM0 to XMM7. */
void asm_vex_rrr(Asm *a, bool w, unsigned prefix, unsigned opcode, unsigned dst, unsigned x,
                 unsigned y);

void asm_mov_rr(Asm *a, bool w, HostReg dst, HostReg src);
/* The shortest MOV that loads value; flags untouched. */
void asm_mov_ri(Asm *a, HostReg dst, uint64_t value);
void asm_load(Asm *a, bool w, HostReg dst, HostReg base, int32_t disp);
void asm_store(Asm *a, bool w, HostReg src, HostReg base, int32_t disp);
/* MOV qword [base + disp], imm32 sign-extended. */
void asm_store_i32(Asm *a, HostReg base, int32_t disp, int32_t value);
void asm_lea(Asm *a, bool w, HostReg dst, HostReg base, int32_t disp);
void asm_lea_x(Asm *a, bool w, HostReg dst, HostReg base, HostReg index);
void asm_alu_rr(Asm *a, bool w, HostAlu op, HostReg dst, HostReg src);
void asm_alu_rm(Asm *a, bool w, HostAlu op, HostReg dst, HostReg base, int32_t disp);
void asm_alu_ri(Asm *a, bool w, HostAlu op, HostReg dst, int32_t value);
void asm_test_rr(Asm *a, bool w, HostReg x, HostReg y);
void asm_shift_i(Asm *a, bool w, HostShift op, HostReg dst, unsigned count);
void asm_shift_cl(Asm *a, bool w, HostShift op, HostReg dst);
void asm_setcc(Asm *a, HostCond cc, HostReg dst);      /* low byte only */
void asm_cmov(Asm *a, bool w, HostCond cc, HostReg dst, HostReg src);

/* Jumps: rel32. The returned pointer is where the displacement stands, for asm_patch. */
uint8_t *asm_jcc(Asm *a, HostCond cc);
uint8_t *asm_jmp(Asm *a);
void asm_jmp_to(Asm *a, const uint8_t *exec_target);
void asm_jcc_to(Asm *a, HostCond cc, const uint8_t *exec_target);
void asm_call_to(Asm *a, const uint8_t *exec_target);  /* within +-2 GiB of the code */
void asm_call_abs(Asm *a, const void *fn);             /* anywhere; clobbers RAX */
/* Let the rel32 at `at` (writable view) jump to the writable-view address target. */
void asm_patch(Asm *a, uint8_t *at, const uint8_t *target);

#endif
