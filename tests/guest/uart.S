/*
 * PL011 (DDI 0183) echo: prints a prompt, sleeps in WFI until a character comes, echoes
 * it, and switches the machine off on 'q'. Small recordings with input are made with it.
 *
 *     expect x19 = 0x0000000000000090    UARTFR at the start: TXFE, RXFE
 *     expect x20 = 0x0000000000000001    UARTRIS when a character came: RXRIS or RTRIS
 *     expect x21 = 0x0000000000000011    its PeriphID0
 *     expect x22 = 0x0000000000000005    characters received: "abcq" and the newline
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guest.inc"

main:
        mov     x22, #0
        mov     x23, #0
        mov     x24, #0
        mov     x25, #0
        mov     x26, #0
        mov     x27, #0
        mov     x28, #0
        mov_abs x4, GICD
        mov     w0, #1
        str     w0, [x4]
        mov     w0, #2
        str     w0, [x4, #0x104]                /* GICD_ISENABLER1: interrupt 33 */
        mov     w0, #1
        strb    w0, [x4, #0x821]                /* GICD_ITARGETSR */
        mov_abs x5, GICC
        mov     w0, #0xf0
        str     w0, [x5, #4]
        mov     w0, #1
        str     w0, [x5]
        mov_abs x6, UART
        ldr     w19, [x6, #0x18]
        ldr     w21, [x6, #0xfe0]
        mov     w0, #0x70                       /* UARTLCR_H: 8 bits, FIFOs */
        str     w0, [x6, #0x2c]
        mov     w0, #0x50                       /* UARTIMSC: RXIM, RTIM */
        str     w0, [x6, #0x38]
        mov     w0, #'>'
        bl      put_char
1:      wfi
        ldr     w20, [x6, #0x3c]
        mov     w7, #0x50                       /* RXRIS, RTRIS */
        ands    w20, w20, w7
        cset    w20, ne
2:      ldr     w0, [x6, #0x18]
        tbnz    w0, #4, 3f                      /* RXFE */
        ldr     w0, [x6]
        and     w0, w0, #0xff
        add     x22, x22, #1
        mov     w8, w0
        bl      put_char
        cmp     w8, #'q'
        b.ne    2b
        mov     w0, #'\n'
        bl      put_char
        b       report
3:      mov     w0, #0x50
        str     w0, [x6, #0x44]                 /* UARTICR */
        ldr     w0, [x5, #0xc]                  /* take and end the interrupt */
        str     w0, [x5, #0x10]
        b       1b
