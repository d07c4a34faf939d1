/*
 * GICv2 (IHI 0048B): software generated interrupts, priorities, masks, state bits.
 *
 *     expect x19 = 0x0000000000000003    SGIs 3 (priority 0x20) and 5 (0x40): 3 comes first
 *     expect x20 = 0x0000000000000020    GICC_RPR while it is active
 *     expect x21 = 0x00000000000003ff    5 cannot preempt it
 *     expect x22 = 0x0000000000000005    after the end of 3: 5
 *     expect x23 = 0x00000000000000ff    GICC_RPR when idle
 *     expect x24 = 0x00000000000003ff    SGI 7 (priority 0xa0) is masked by GICC_PMR 0x80
 *     expect x25 = 0x0000000000000080    it is pending in GICD_ISPENDR0
 *     expect x26 = 0x0000000000000007    and comes with GICC_PMR 0xf0
 *     expect x27 = 0x0000000000000080    GICD_ISACTIVER0 while it is active
 *     expect x28 = 0x0000000000000000    nothing is pending or active at the end
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guest.inc"

main:
        mov_abs x4, GICD
        mov_abs x5, GICC
        mov     w0, #1
        str     w0, [x4]
        mov     w0, #0x20
        strb    w0, [x4, #0x403]                /* GICD_IPRIORITYR of 3, 5, 7 */
        mov     w0, #0x40
        strb    w0, [x4, #0x405]
        mov     w0, #0xa0
        strb    w0, [x4, #0x407]
        mov     w0, #0xff
        str     w0, [x4, #0x100]
        mov     w0, #0x80
        str     w0, [x5, #4]
        mov     w0, #1
        str     w0, [x5]
        mov_abs x6, 0x02000000                  /* GICD_SGIR: to this CPU */
        orr     w0, w6, #7
        str     w0, [x4, #0xf00]
        mov     w1, #5
        orr     w0, w6, w1
        str     w0, [x4, #0xf00]
        orr     w0, w6, #3
        str     w0, [x4, #0xf00]
        dsb     sy
        ldr     w19, [x5, #0xc]
        ldr     w20, [x5, #0x14]
        ldr     w21, [x5, #0xc]
        str     w19, [x5, #0x10]
        ldr     w22, [x5, #0xc]
        str     w22, [x5, #0x10]
        ldr     w23, [x5, #0x14]
        ldr     w24, [x5, #0xc]
        ldr     w25, [x4, #0x200]
        mov     w0, #0xf0
        str     w0, [x5, #4]
        ldr     w26, [x5, #0xc]
        ldr     w27, [x4, #0x300]
        str     w26, [x5, #0x10]
        ldr     w0, [x4, #0x200]
        ldr     w28, [x4, #0x300]
        orr     w28, w28, w0
        b       report
