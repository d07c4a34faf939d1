/*
 * Entry, vectors and the way into a sequence and back. The tables at boot map the image: text
 * read-only for all, data for EL1 alone, the UART; the rest is the sequences'.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "el1.h"

        .arch   armv8-a
        .section .text.start, "ax"
        .global _start
_start:
        ldr     x0, =stack_top
        mov     sp, x0
        ldr     x0, =vectors
        msr     vbar_el1, x0
        mov     x0, #(3 << 20)
        msr     cpacr_el1, x0
        isb
        bl      main
        ldr     w0, =0x84000008                 /* PSCI SYSTEM_OFF */
        hvc     #0
        b       .

/* run_frame(X0): keep what the compiler wants kept, and leave through ERET. */
        .global run_frame
run_frame:
        stp     x29, x30, [sp, #-96]!
        stp     x27, x28, [sp, #16]
        stp     x25, x26, [sp, #32]
        stp     x23, x24, [sp, #48]
        stp     x21, x22, [sp, #64]
        stp     x19, x20, [sp, #80]
        ldr     x1, =saved_sp
        mov     x2, sp
        str     x2, [x1]
        b       load_frame

        .macro  vector n
        .balign 128
        msr     tpidr_el1, x30
        ldr     x30, =frame
        stp     x0, x1, [x30]
        mov     x0, #\n
        b       enter
        .endm

        .balign 2048
vectors:
        .irp    n, 0x000, 0x080, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380
        vector  \n
        .endr
        .irp    n, 0x400, 0x480, 0x500, 0x580, 0x600, 0x680, 0x700, 0x780
        vector  \n
        .endr
        .balign 128

enter:
        str     x0, [x30, #FRAME_VECTOR]
        stp     x2, x3, [x30, #16]
        stp     x4, x5, [x30, #32]
        stp     x6, x7, [x30, #48]
        stp     x8, x9, [x30, #64]
        stp     x10, x11, [x30, #80]
        stp     x12, x13, [x30, #96]
        stp     x14, x15, [x30, #112]
        stp     x16, x17, [x30, #128]
        stp     x18, x19, [x30, #144]
        stp     x20, x21, [x30, #160]
        stp     x22, x23, [x30, #176]
        stp     x24, x25, [x30, #192]
        stp     x26, x27, [x30, #208]
        stp     x28, x29, [x30, #224]
        mrs     x0, tpidr_el1
        str     x0, [x30, #240]
        mrs     x1, sp_el0
        mov     x2, sp
        stp     x1, x2, [x30, #FRAME_SP_EL0]
        mrs     x1, elr_el1
        mrs     x2, spsr_el1
        stp     x1, x2, [x30, #FRAME_ELR]
        ldr     x0, =saved_sp
        ldr     x0, [x0]
        mov     sp, x0
        mov     x0, x30
        bl      handle
        cbz     w0, finished
        ldr     x0, =frame

/* Go where the frame at X0 says. */
load_frame:
        mov     x30, x0
        ldp     x1, x2, [x30, #FRAME_SP_EL0]
        msr     sp_el0, x1
        mov     sp, x2
        ldp     x1, x2, [x30, #FRAME_ELR]
        msr     elr_el1, x1
        msr     spsr_el1, x2
        ldp     x0, x1, [x30]
        ldp     x2, x3, [x30, #16]
        ldp     x4, x5, [x30, #32]
        ldp     x6, x7, [x30, #48]
        ldp     x8, x9, [x30, #64]
        ldp     x10, x11, [x30, #80]
        ldp     x12, x13, [x30, #96]
        ldp     x14, x15, [x30, #112]
        ldp     x16, x17, [x30, #128]
        ldp     x18, x19, [x30, #144]
        ldp     x20, x21, [x30, #160]
        ldp     x22, x23, [x30, #176]
        ldp     x24, x25, [x30, #192]
        ldp     x26, x27, [x30, #208]
        ldp     x28, x29, [x30, #224]
        ldr     x30, [x30, #240]
        eret

finished:
        ldr     x0, =saved_sp
        ldr     x0, [x0]
        mov     sp, x0
        ldp     x19, x20, [sp, #80]
        ldp     x21, x22, [sp, #64]
        ldp     x23, x24, [sp, #48]
        ldp     x25, x26, [sp, #32]
        ldp     x27, x28, [sp, #16]
        ldp     x29, x30, [sp], #96
        ret
        .ltorg

        .bss
        .balign 16
frame:  .skip   FRAME_SIZE
saved_sp: .skip 16
        .skip   16384
stack_top:
