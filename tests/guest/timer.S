/*
 * The generic timer and the GICv2 that carries its interrupt.
 *
 *     expect x19 = 0x0000000003b9aca0    CNTFRQ_EL0: 62.5 MHz
 *     expect x20 = 0x0000000000000001    CNTV_CTL_EL0 before the deadline: enabled
 *     expect x21 = 0x0000000000000005    and after: ISTATUS
 *     expect x22 = 0x0000000000000001    the counter passed CNTV_CVAL_EL0 in WFI
 *     expect x23 = 0x000000000000001b    GICC_IAR: interrupt 27
 *     expect x24 = 0x00000000000003ff    nothing else is pending
 *     expect x25 = 0x0000000000000280    the vector: IRQ, current EL with SPx
 *     expect x26 = 0x0000000000000007    CNTV_CTL_EL0 masked: ISTATUS stays
 *     expect x27 = 0x0000000000000001    CNTVCT_EL0 and CNTPCT_EL0 agree (no EL2 offset)
 *     expect x28 = 0x0000000000000001    interrupts taken
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guest.inc"

main:
        mov     x28, #0
        on_exception interrupt
        mov_abs x4, GICD
        mov     w0, #1
        str     w0, [x4]                        /* GICD_CTLR */
        mov     w0, #(1 << 27)
        str     w0, [x4, #0x100]                /* GICD_ISENABLER0 */
        mov_abs x5, GICC
        mov     w0, #0xf0
        str     w0, [x5, #4]                    /* GICC_PMR */
        mov     w0, #1
        str     w0, [x5]                        /* GICC_CTLR */
        mrs     x19, cntfrq_el0
        isb
        mrs     x6, cntvct_el0
        mov_abs x7, 6250000                     /* 100 ms */
        add     x6, x6, x7
        msr     cntv_cval_el0, x6
        mov     x0, #1
        msr     cntv_ctl_el0, x0
        isb
        mrs     x20, cntv_ctl_el0
        wfi                                     /* interrupts are still masked: goes on */
        mrs     x21, cntv_ctl_el0
        mrs     x0, cntvct_el0
        cmp     x0, x6
        cset    x22, hs
        msr     daifclr, #2
        isb
        msr     daifset, #2
        ldr     w24, [x5, #0xc]
        mrs     x0, cntpct_el0
        mrs     x1, cntvct_el0
        mrs     x2, cntpct_el0
        cmp     x1, x0
        ccmp    x1, x2, #2, hs
        cset    x27, ls
        b       report

interrupt:
        add     x28, x28, #1
        mov     x25, x18
        mov_abs x16, GICC
        ldr     w23, [x16, #0xc]                /* GICC_IAR */
        mov     x17, #3                         /* ENABLE, IMASK */
        msr     cntv_ctl_el0, x17
        isb
        mrs     x26, cntv_ctl_el0
        str     w23, [x16, #0x10]               /* GICC_EOIR */
        eret
