/*
 * Synchronous exceptions: syndrome, return address and vector.
 *
 * Each handler leaves vector offset << 32 | ESR_EL1 and returns behind the
 * instruction. DDI 0487 D17.2.37 (ESR_EL1), D1.4.
 *
 *     expect x19 = 0x0000020056000123    SVC #0x123 from EL1
 *     expect x20 = 0x00000200f2000007    BRK #7
 *     expect x21 = 0x0000020002000000    an undefined instruction
 *     expect x22 = 0x0000020096000021    an unaligned exclusive load (MMU off)
 *     expect x23 = 0x000000000000bee1    FAR_EL1 of it, low half
 *     expect x24 = 0x0000040056000042    SVC #0x42 from EL0
 *     expect x25 = 0x0000000000000000    SPSR_EL1.M of it: EL0t
 *     expect x26 = 0x000000008a000000    a branch to an address that is not aligned
 *     expect x27 = 0x0000040002000000    EL0 reads ACTLR_EL1: undefined
 *     expect x28 = 0x0000000000000004    exceptions that returned
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guest.inc"

        .macro  expect_exception reg
        orr     \reg, x15, x14
        .endm

main:
        mov     x28, #0
        on_exception skip
        svc     #0x123
        expect_exception x19
        brk     #7
        expect_exception x20
        .inst   0x00000000
        expect_exception x21
        mov_abs x0, 0x4020bee1
        ldxr    w1, [x0]
        expect_exception x22
        and     x23, x13, #0xffff
        /* to EL0 and back */
        adr     x0, user
        msr     elr_el1, x0
        msr     spsr_el1, xzr
        on_exception from_user
        eret
user:
        svc     #0x42
        b       .
from_user:
        mrs     x24, esr_el1
        orr     x24, x24, x18, lsl #32
        mrs     x25, spsr_el1
        and     x25, x25, #31
        on_exception from_user_trap
        adr     x0, user_read
        msr     elr_el1, x0
        eret
user_read:
        mrs     x0, actlr_el1
        b       .
from_user_trap:
        mrs     x27, esr_el1
        orr     x27, x27, x18, lsl #32
        on_exception misaligned
        adr     x0, target
        add     x0, x0, #2
        br      x0
target:
        b       .
misaligned:
        mrs     x26, esr_el1
        b       report

/* X15: vector, X14: syndrome, X13: fault address. */
skip:
        add     x28, x28, #1
        lsl     x15, x18, #32
        mrs     x14, esr_el1
        mrs     x13, far_el1
        mrs     x16, elr_el1
        lsr     x17, x14, #26
        cmp     x17, #0x15                      /* SVC returns behind itself already */
        b.eq    1f
        add     x16, x16, #4
        msr     elr_el1, x16
1:      eret
