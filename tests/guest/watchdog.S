/*
 * The generic watchdog: the first time, nobody refreshes it, and it resets the machine. After that, its
 * interrupt comes after 10 ms, and a refresh takes it back.
 * run with -device sbsa-gwdt
 * not on the oracle: its machine virt has no watchdog.
 *
 *     expect x19 = 0x000000000001043b    W_IIDR of the control frame: Arm, revision 1 ...
 *     expect x20 = 0x000000000001043b    ... and of the refresh frame
 *     expect x21 = 0x0000000000000000    WCS after the reset that it made
 *     expect x22 = 0x0000000000000001    WCS when it is enabled
 *     expect x23 = 0x0000000000000001    WCV is WOR ahead of the counter
 *     expect x24 = 0x0000000000000003    WCS at the interrupt: WS0
 *     expect x25 = 0x0000000000000090    GICC_IAR: SPI 112
 *     expect x26 = 0x0000000000000001    the counter has passed the first WCV by less than WOR
 *     expect x27 = 0x0000000000000001    WCS after a refresh
 *     expect x28 = 0x0000000000000000    and when it is disabled
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guest.inc"

#define CONTROL 0x0c000000
#define REFRESH 0x0c001000
#define TICKS 625000                            /* 10 ms */
#define MARKER 0x40300000

main:
        mov_abs x4, CONTROL
        mov_abs x5, REFRESH
        mov_abs x6, TICKS
        mov_abs x7, MARKER
        ldr     w19, [x4, #0xfcc]
        ldr     w20, [x5, #0xfcc]
        ldr     x0, [x7]
        cbnz    x0, second
        mov     x0, #1
        str     x0, [x7]                        /* memory is kept over a reset */
        str     w6, [x4, #8]                    /* WOR */
        str     w0, [x4]                        /* WCS */
1:      wfi
        b       1b

second: ldr     w21, [x4]
        mov_abs x8, GICD
        mov     w0, #1
        str     w0, [x8]                        /* GICD_CTLR */
        strb    w0, [x8, #0x890]                /* GICD_ITARGETSR of interrupt 144 */
        mov     w0, #0x10000
        str     w0, [x8, #0x110]                /* GICD_ISENABLER4 */
        mov_abs x9, GICC
        mov     w0, #0xf0
        str     w0, [x9, #4]                    /* GICC_PMR */
        mov     w0, #1
        str     w0, [x9]                        /* GICC_CTLR */
        str     x6, [x4, #8]                    /* WOR, in one access of 64 bits */
        str     w0, [x4]
        ldr     w22, [x4]
        ldr     x10, [x4, #0x10]                /* WCV */
        mrs     x11, cntpct_el0
        sub     x12, x10, x11
        cmp     x12, x6
        cset    x23, ls
        wfi                                     /* interrupts are masked: goes on */
        ldr     w24, [x4]
        ldr     w25, [x9, #0xc]                 /* GICC_IAR */
        mrs     x11, cntpct_el0
        sub     x12, x11, x10
        cmp     x12, x6
        cset    x26, lo
        str     wzr, [x5]                       /* WRR */
        str     w25, [x9, #0x10]                /* GICC_EOIR */
        ldr     w27, [x4]
        str     wzr, [x4]
        ldr     w28, [x4]
        b       report
