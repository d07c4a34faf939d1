/*
 * Big-endian data at EL1 (SCTLR_EL1.EE) and EL0 (E0E); instructions stay little-endian.
 * DDI 0487 B2.6.2. The MMU is off, so all accesses are aligned.
 *
 *     expect x19 = 0x8877665544332211    ldr x of a doubleword that was stored little-endian
 *     expect x20 = 0xffffffffffff8877    ldrsh x of its first halfword
 *     expect x21 = 0xffffffff88776655    ldpsw: the first word, sign-extended
 *     expect x22 = 0x8877665544332211    stp w of 0x11223344, 0x55667788 read little-endian ...
 *     expect x23 = 0x0000000055667788    ... after ldxp w and stxp w, with status 0: the second
 *     expect x24 = 0x08090a0b0c0d0e0f    ldr q of bytes 00 to 0f: the lower half
 *     expect x25 = 0x0f0e0d0c0b0a0908    str q of that: bytes 08 to 0f, read little-endian
 *     expect x26 = 0x0c0d080904050001    ld2 {v.4h}: elements of the first register
 *     expect x27 = 0x0000000003020100    EL0 with E0E, EL1 without: what EL0 loads from bytes 00..
 *     expect x28 = 0x0000000000000405    ld1 to lane 3: the halfword at 4
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guest.inc"

#define SCTLR_E0E (1 << 24)
#define SCTLR_EE (1 << 25)

        .macro  set_endian bits
        mrs     x0, sctlr_el1
        bic     x0, x0, #(SCTLR_E0E | SCTLR_EE)
        .if     \bits
        orr     x0, x0, #\bits
        .endif
        msr     sctlr_el1, x0
        isb
        .endm

main:
        adrp    x8, words
        add     x8, x8, :lo12:words
        adrp    x9, bytes
        add     x9, x9, :lo12:bytes
        set_endian SCTLR_EE
        ldr     x19, [x8]
        ldrsh   x20, [x8]
        ldpsw   x21, x1, [x8]
        /* a pair, then the same through exclusives */
        mov_abs x1, 0x11223344
        mov_abs x2, 0x55667788
        stp     w1, w2, [x8, #16]
        add     x4, x8, #16
        ldxp    w5, w6, [x4]
        stxp    w7, w5, w6, [x4]
        /* vectors */
        ldr     q0, [x9]
        str     q0, [x8, #32]
        fmov    x24, d0
        ld2     {v2.4h, v3.4h}, [x9]
        fmov    x26, d2
        movi    v4.2d, #0
        add     x10, x9, #4
        ld1     {v4.h}[3], [x10]
        umov    w28, v4.h[3]
        set_endian 0
        ldr     x22, [x8, #16]
        add     x23, x6, x7, lsl #32
        ldr     x25, [x8, #40]
        /* EL0 */
        on_exception from_user
        set_endian SCTLR_E0E
        adr     x0, user
        msr     elr_el1, x0
        msr     spsr_el1, xzr
        eret
user:
        ldr     w27, [x9]
        svc     #0
from_user:
        rev     w27, w27
        set_endian 0
        b       report

        .data
        .balign 16
words:  .quad   0x1122334455667788
        .skip   56
bytes:  .byte   0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
