/*
 * A driver of virtio-rng by version 1 of virtio-mmio (virtio 1.2 4.2.4): 16 times it makes two
 * buffers of 64 bytes available, kicks, waits for both and for the interrupt, and looks at what
 * is in them. run with -device virtio-rng-device
 *
 *     expect x19 = 0x0000000074726976    MagicValue
 *     expect x20 = 0x0000000000000001    Version
 *     expect x21 = 0x0000000000000004    DeviceID: entropy source
 *     expect x22 = 0x0000000000000020    the used ring's index at the end
 *     expect x23 = 0x0000000000000800    bytes in all used buffers
 *     expect x24 = 0x000000000000004f    GICC_IAR: SPI 16 + 31
 *     expect x25 = 0x0000000000000001    InterruptStatus: used buffers
 *     expect x26 = 0x0000000000000000    buffers that are zero all over
 *     expect x27 = 0x0000000000000000    QueuePFN after a reset of the device ...
 *     expect x28 = 0x0000000000000000    ... and Status
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guest.inc"

#define TRANSPORT 0x0a003e00
#define RING 0x40300000                         /* descriptors, available ring behind them */
#define USED (RING + 0x1000)
#define BUFFERS 0x40310000
#define QUEUE_NUM 8
#define ROUNDS 16

main:
        mov_abs x4, GICD
        mov     w0, #1
        str     w0, [x4]
        strb    w0, [x4, #0x84f]                /* GICD_ITARGETSR of interrupt 79 */
        mov     w0, #0x8000
        str     w0, [x4, #0x108]                /* GICD_ISENABLER2 */
        mov_abs x5, GICC
        mov     w0, #0xf0
        str     w0, [x5, #4]
        mov     w0, #1
        str     w0, [x5]

        mov_abs x6, TRANSPORT
        ldr     w19, [x6]
        ldr     w20, [x6, #4]
        ldr     w21, [x6, #8]
        str     wzr, [x6, #0x70]                /* Status: reset, ACKNOWLEDGE, DRIVER */
        mov     w0, #1
        str     w0, [x6, #0x70]
        mov     w0, #3
        str     w0, [x6, #0x70]
        str     wzr, [x6, #0x24]                /* no features */
        str     wzr, [x6, #0x20]
        mov     w0, #4096
        str     w0, [x6, #0x28]                 /* GuestPageSize */
        str     wzr, [x6, #0x30]                /* QueueSel */
        mov     w1, #QUEUE_NUM
        str     w1, [x6, #0x38]
        str     w0, [x6, #0x3c]                 /* QueueAlign */
        mov_abs x7, RING
        lsr     w0, w7, #12
        str     w0, [x6, #0x40]                 /* QueuePFN */
        mov     w0, #7
        str     w0, [x6, #0x70]                 /* DRIVER_OK */

        mov_abs x8, USED
        mov_abs x11, BUFFERS
        add     x12, x7, #(16 * QUEUE_NUM)      /* available ring */
        mov     w13, #0
1:      add     x0, x7, x13, lsl #4             /* descriptors: 64 bytes to write each */
        add     x1, x11, x13, lsl #6
        mov     x2, #64
        movk    x2, #2, lsl #32
        stp     x1, x2, [x0]
        add     x0, x12, x13, lsl #1
        strh    w13, [x0, #4]                   /* entry n is always descriptor n */
        add     w13, w13, #1
        cmp     w13, #QUEUE_NUM
        b.ne    1b

        mov     w22, #0
        mov     w23, #0
        mov     w26, #0
        mov     w13, #0                         /* buffers made available */
round:  mov     w14, w13                        /* the first of this round */
        and     w15, w14, #(QUEUE_NUM - 1)
        add     x16, x11, x15, lsl #6
        mov     x0, #0
1:      str     xzr, [x16, x0]                  /* two buffers, side by side */
        add     x0, x0, #8
        cmp     x0, #128
        b.ne    1b
        add     w13, w13, #2
        strh    w13, [x12, #2]
        dmb     sy
        str     wzr, [x6, #0x50]                /* QueueNotify */
2:      ldrh    w22, [x8, #2]
        cmp     w22, w13
        b.ne    2b
3:      ldr     w25, [x6, #0x60]                /* InterruptStatus */
        cbz     w25, 3b
        ldr     w24, [x5, #0xc]                 /* GICC_IAR */
        str     w25, [x6, #0x64]                /* InterruptACK */
        str     w24, [x5, #0x10]                /* GICC_EOIR */
        dmb     sy
        mov     w17, #2
4:      add     x0, x8, x15, lsl #3             /* used entries: id, length */
        ldr     w1, [x0, #8]
        add     w23, w23, w1
        mov     x0, #0
        mov     x2, #0
5:      ldr     x1, [x16, x0]
        orr     x2, x2, x1
        add     x0, x0, #8
        cmp     x0, #64
        b.ne    5b
        cmp     x2, #0
        cinc    w26, w26, eq
        add     w15, w15, #1
        add     x16, x16, #64
        subs    w17, w17, #1
        b.ne    4b
        cmp     w13, #(2 * ROUNDS)
        b.ne    round

        str     wzr, [x6, #0x70]
        ldr     w27, [x6, #0x40]
        ldr     w28, [x6, #0x70]
        b       report
