/*
 * Integer and floating-point arithmetic that a boot hardly touches.
 *
 * CRC-32 of "123456789" is the check value that catalogues of CRCs give; the others
 * follow from the Arm ARM.
 *
 *     expect x19 = 0xcbf43926
 *     expect x20 = 0xe3069283
 *     expect x21 = 0x1e6a2c4800000000
 *     expect x22 = 0x60000000
 *     expect x23 = 0x8000000000000000
 *     expect x24 = 0x7fffffffffffffff
 *     expect x25 = 0x3fd5555555555555
 *     expect x26 = 0x10
 *     expect x27 = 0x0000ff00ff0000ff
 *     expect x28 = 0x2d
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guest.inc"

main:
        /* CRC32B and CRC32CB over nine bytes */
        adr     x1, digits
        mov     w19, #-1
        mov     w20, #-1
        mov     w2, #9
1:      ldrb    w3, [x1], #1
        crc32b  w19, w19, w3
        crc32cb w20, w20, w3
        subs    w2, w2, #1
        b.ne    1b
        mvn     w19, w19
        mvn     w20, w20
        /* RBIT */
        mov_abs x21, 0x12345678
        rbit    x21, x21
        /* CCMP: 5 == 5, so the flags of 3 - 3: Z and C */
        mov     x0, #5
        mov     x1, #3
        cmp     x0, #5
        ccmp    x1, #3, #0, eq
        mrs     x22, nzcv
        /* SDIV of the most negative number by -1 */
        mov     x0, #1
        lsl     x0, x0, #63
        mov     x1, #-1
        sdiv    x23, x0, x1
        /* FCVTZS saturates, 1/3 rounds to nearest */
        adr     x2, huge
        ldr     d0, [x2]
        fcvtzs  x24, d0
        fmov    d0, #1.0
        fmov    d1, #3.0
        fdiv    d2, d0, d1
        fmov    x25, d2
        mrs     x26, fpsr                       /* IXC of the division, IOC of the conversion */
        and     x26, x26, #0x10
        /* Advanced SIMD: bytes that are not zero */
        adr     x2, bytes
        ldr     d3, [x2]
        cmtst   v3.8b, v3.8b, v3.8b
        fmov    x27, d3
        /* and the sum of 0..9 over lanes */
        adr     x2, halves
        ldr     q4, [x2]
        addv    h5, v4.8h
        fmov    w28, s5
        b       report

        .balign 16
halves: .hword  1, 2, 3, 4, 5, 6, 7, 17
huge:   .double 1e30
bytes:  .byte   1, 0, 0, 0x80, 0, 2, 0, 0
digits: .ascii  "123456789"
        .balign 4
