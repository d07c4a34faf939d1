/*
 * x86-64 instruction encodings (Intel SDM volume 2, chapter 2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/x86_64/asm.h"

void asm_u32(Asm *a, uint32_t value)
{
    if (UNLIKELY(a->end - a->p < 4)) {
        a->overflow = true;
        return;
    }
    memcpy(a->p, &value, 4);
    a->p += 4;
}

void asm_u64(Asm *a, uint64_t value)
{
    asm_u32(a, (uint32_t)value);
    asm_u32(a, (uint32_t)(value >> 32));
}

static void op_head(Asm *a, bool w, unsigned prefix, unsigned opcode, unsigned reg,
                    unsigned index, unsigned base, bool force_rex)
{
    unsigned rex = (w ? 8 : 0) | (reg >> 3 & 1) << 2 | (index >> 3 & 1) << 1 | (base >> 3 & 1);

    if (prefix) {
        asm_u8(a, prefix);
    }
    if (rex || force_rex) {
        asm_u8(a, 0x40 | rex);
    }
    if (opcode > 0xffff) {
        asm_u8(a, opcode >> 16);
    }
    if (opcode > 0xff) {
        asm_u8(a, opcode >> 8 & 0xff);
    }
    asm_u8(a, opcode & 0xff);
}

static void modrm_mem(Asm *a, unsigned reg, unsigned base, int32_t disp)
{
    bool sib = (base & 7) == RSP;
    unsigned mod = disp == 0 && (base & 7) != RBP ? 0 : disp >= -128 && disp <= 127 ? 1 : 2;

    asm_u8(a, mod << 6 | (reg & 7) << 3 | (sib ? 4 : base & 7));
    if (sib) {
        asm_u8(a, 0x24);
    }
    if (mod == 1) {
        asm_u8(a, disp & 0xff);
    } else if (mod == 2) {
        asm_u32(a, (uint32_t)disp);
    }
}

void asm_op(Asm *a, bool w, unsigned opcode, unsigned reg)
{
    op_head(a, w, 0, opcode, 0, 0, reg, false);
}

void asm_op_rr(Asm *a, bool w, unsigned prefix, unsigned opcode, unsigned reg, unsigned rm)
{
    op_head(a, w, prefix, opcode, reg, 0, rm, false);
    asm_u8(a, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

void asm_op_rr8(Asm *a, unsigned opcode, unsigned reg, unsigned rm)
{
    op_head(a, false, 0, opcode, reg, 0, rm, true);
    asm_u8(a, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

void asm_op_rm(Asm *a, bool w, unsigned prefix, unsigned opcode, unsigned reg, unsigned base,
               int32_t disp)
{
    op_head(a, w, prefix, opcode, reg, 0, base, false);
    modrm_mem(a, reg, base, disp);
}

void asm_op_rm8(Asm *a, unsigned opcode, unsigned reg, unsigned base, int32_t disp)
{
    op_head(a, false, 0, opcode, reg, 0, base, true);
    modrm_mem(a, reg, base, disp);
}

void asm_op_rmx(Asm *a, bool w, unsigned prefix, unsigned opcode, unsigned reg, unsigned base,
                unsigned index, int32_t disp, bool byte_reg)
{
    assert(index != RSP);
    op_head(a, w, prefix, opcode, reg, index, base, byte_reg);
    /* mod 1 with a byte displacement covers every base. */
    assert(disp >= -128 && disp <= 127);
    asm_u8(a, 0x40 | (reg & 7) << 3 | 4);
    asm_u8(a, (index & 7) << 3 | (base & 7));
    asm_u8(a, disp & 0xff);
}

static void rel32_to(Asm *a, const uint8_t *exec_target)
{
    int64_t rel = exec_target - asm_exec(a, a->p + 4);

    assert(rel == (int32_t)rel);
    asm_u32(a, (uint32_t)rel);
}

void asm_op_rip(Asm *a, unsigned prefix, unsigned opcode, unsigned reg,
                const uint8_t *exec_target)
{
    op_head(a, false, prefix, opcode, reg, 0, 0, false);
    asm_u8(a, (reg & 7) << 3 | 5);
    rel32_to(a, exec_target);
}

/* Three-byte VEX with 128 bits; the map is that of the opcode's escape bytes. */
void asm_vex_rrr(Asm *a, bool w, unsigned prefix, unsigned opcode, unsigned dst, unsigned x,
                 unsigned y)
{
    unsigned map = opcode >> 8 == 0x0f38 ? 2 : opcode >> 8 == 0x0f3a ? 3 : 1;
    unsigned pp = prefix == 0x66 ? 1 : prefix == 0xf3 ? 2 : prefix == 0xf2 ? 3 : 0;

    assert(dst < 8 && x < 8 && y < 8);
    asm_u8(a, 0xc4);
    asm_u8(a, 0xe0 | map);
    asm_u8(a, w << 7 | (~x & 15) << 3 | pp);
    asm_u8(a, opcode & 0xff);
    asm_u8(a, 0xc0 | dst << 3 | y);
}

void asm_mov_rr(Asm *a, bool w, HostReg dst, HostReg src)
{
    if (dst != src || !w) {
        asm_op_rr(a, w, 0, 0x89, src, dst);
    }
}

void asm_mov_ri(Asm *a, HostReg dst, uint64_t value)
{
    if (value <= UINT32_MAX) {
        op_head(a, false, 0, 0xb8 | (dst & 7), 0, 0, dst, false);
        asm_u32(a, (uint32_t)value);
    } else if ((int64_t)value >= INT32_MIN && (int64_t)value < 0) {
        op_head(a, true, 0, 0xc7, 0, 0, dst, false);
        asm_u8(a, 0xc0 | (dst & 7));
        asm_u32(a, (uint32_t)value);
    } else {
        op_head(a, true, 0, 0xb8 | (dst & 7), 0, 0, dst, false);
        asm_u64(a, value);
    }
}

void asm_load(Asm *a, bool w, HostReg dst, HostReg base, int32_t disp)
{
    asm_op_rm(a, w, 0, 0x8b, dst, base, disp);
}

void asm_store(Asm *a, bool w, HostReg src, HostReg base, int32_t disp)
{
    asm_op_rm(a, w, 0, 0x89, src, base, disp);
}

void asm_store_i32(Asm *a, HostReg base, int32_t disp, int32_t value)
{
    asm_op_rm(a, true, 0, 0xc7, 0, base, disp);
    asm_u32(a, (uint32_t)value);
}

void asm_lea(Asm *a, bool w, HostReg dst, HostReg base, int32_t disp)
{
    asm_op_rm(a, w, 0, 0x8d, dst, base, disp);
}

void asm_lea_x(Asm *a, bool w, HostReg dst, HostReg base, HostReg index)
{
    asm_op_rmx(a, w, 0, 0x8d, dst, base, index, 0, false);
}

void asm_alu_rr(Asm *a, bool w, HostAlu op, HostReg dst, HostReg src)
{
    asm_op_rr(a, w, 0, op << 3 | 1, src, dst);
}

void asm_alu_rm(Asm *a, bool w, HostAlu op, HostReg dst, HostReg base, int32_t disp)
{
    asm_op_rm(a, w, 0, op << 3 | 3, dst, base, disp);
}

void asm_alu_ri(Asm *a, bool w, HostAlu op, HostReg dst, int32_t value)
{
    bool small = value >= -128 && value <= 127;

    asm_op_rr(a, w, 0, small ? 0x83 : 0x81, op, dst);
    if (small) {
        asm_u8(a, value & 0xff);
    } else {
        asm_u32(a, (uint32_t)value);
    }
}

void asm_test_rr(Asm *a, bool w, HostReg x, HostReg y)
{
    asm_op_rr(a, w, 0, 0x85, y, x);
}

void asm_shift_i(Asm *a, bool w, HostShift op, HostReg dst, unsigned count)
{
    asm_op_rr(a, w, 0, 0xc1, op, dst);
    asm_u8(a, count);
}

void asm_shift_cl(Asm *a, bool w, HostShift op, HostReg dst)
{
    asm_op_rr(a, w, 0, 0xd3, op, dst);
}

void asm_setcc(Asm *a, HostCond cc, HostReg dst)
{
    asm_op_rr8(a, 0x0f90 | cc, 0, dst);
}

void asm_cmov(Asm *a, bool w, HostCond cc, HostReg dst, HostReg src)
{
    asm_op_rr(a, w, 0, 0x0f40 | cc, dst, src);
}

uint8_t *asm_jcc(Asm *a, HostCond cc)
{
    asm_u8(a, 0x0f);
    asm_u8(a, 0x80 | cc);
    asm_u32(a, 0);
    return a->p - 4;
}

uint8_t *asm_jmp(Asm *a)
{
    asm_u8(a, 0xe9);
    asm_u32(a, 0);
    return a->p - 4;
}

void asm_jmp_to(Asm *a, const uint8_t *exec_target)
{
    asm_u8(a, 0xe9);
    rel32_to(a, exec_target);
}

void asm_jcc_to(Asm *a, HostCond cc, const uint8_t *exec_target)
{
    asm_u8(a, 0x0f);
    asm_u8(a, 0x80 | cc);
    rel32_to(a, exec_target);
}

void asm_call_to(Asm *a, const uint8_t *exec_target)
{
    asm_u8(a, 0xe8);
    rel32_to(a, exec_target);
}

void asm_call_abs(Asm *a, const void *fn)
{
    asm_mov_ri(a, RAX, (uintptr_t)fn);
    asm_op_rr(a, false, 0, 0xff, 2, RAX);
}

void asm_patch(Asm *a, uint8_t *at, const uint8_t *target)
{
    int32_t rel = (int32_t)(target - (at + 4));

    if (!a->overflow) {
        memcpy(at, &rel, 4);
    }
}
