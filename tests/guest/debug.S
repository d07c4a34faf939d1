/*
 * Self-hosted debug: breakpoints and watchpoints at EL1 and EL0 (DDI 0487 D2.8 to D2.10).
 *
 * The handler skips the instruction that takes the exception.
 *
 *     expect x19 = 0x0000000010305006    ID_AA64DFR0_EL1 less PMUVer: 6 and 2, 4, v8.0
 *     expect x20 = 0x000000c600000abc    breakpoint at EL1: ESR_EL1 >> 24, and abc: ELR_EL1 is right
 *     expect x21 = 0x000000c200000001    breakpoint for EL0: the same; 1: not hit at EL1
 *     expect x22 = 0x0000000000000001    linked to CONTEXTIDR: 0x1233 does not hit, 0x1234 does
 *     expect x23 = 0x00000000d6000062    watchpoint, store: ESR_EL1 ...
 *     expect x24 = 0x0000000000000008    ... and FAR_EL1 less the start of the data
 *     expect x25 = 0x0000000000000015    hits of six loads on one byte, the first one highest
 *     expect x26 = 0x000000000000000a    hits in a range by mask
 *     expect x27 = 0x0000000000000000    PSTATE.D, no KDE, no MDE: nothing hits
 *     expect x28 = 0x0000000000000005    EL0's watchpoint at EL1: ldtr hits, ldr does not, sttr hits
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guest.inc"

#define E           1
#define EL1         (1 << 1)
#define EL0         (2 << 1)
#define BAS_ALL4    (0xf << 5)
#define BT_LINKED   (1 << 20)
#define BT_CONTEXT_LINKED (3 << 20)
#define LBN(n)      ((n) << 16)
#define LOAD        (1 << 3)
#define STORE       (2 << 3)
#define BAS(n)      ((n) << 5)
#define MASK(n)     ((n) << 24)
#define MDSCR_KDE_MDE (1 << 15 | 1 << 13)

        .macro  write reg, value
        ldr     x0, =\value
        msr     \reg, x0
        isb
        .endm

        /* reg = reg << 1 | whether the instruction takes an exception */
        .macro  hit reg, insn:vararg
        mov     x15, #0
        \insn
        cmp     x15, #0
        cset    x0, ne
        orr     \reg, x0, \reg, lsl #1
        .endm

main:
        on_exception skip
        mrs     x19, id_aa64dfr0_el1
        and     x19, x19, #~0xf00
        write   oslar_el1, 0
        write   mdscr_el1, MDSCR_KDE_MDE
        msr     daifclr, #8
        adrp    x9, data
        add     x9, x9, :lo12:data

        /* a breakpoint at EL1 */
        adr     x0, here
        msr     dbgbvr0_el1, x0
        write   dbgbcr0_el1, (E | EL1 | BAS_ALL4)
        mov     x15, #0
        nop
here:   nop
        nop
        lsr     w20, w15, #24
        adr     x0, here
        cmp     x0, x14
        mov     x1, #0xabc
        csel    x1, x1, x14, eq
        orr     x20, x1, x20, lsl #32
        /* ... for EL0 */
        adr     x0, user_here
        msr     dbgbvr0_el1, x0
        write   dbgbcr0_el1, (E | EL0 | BAS_ALL4)
        adr     x0, user_here
        mov     x15, #0
        blr     x0                              /* at EL1: no hit; svc comes back behind */
        lsr     w21, w15, #26
        cmp     w21, #0x15
        cset    x21, eq
        adr     x0, user
        msr     elr_el1, x0
        msr     spsr_el1, xzr
        mov     x13, #0
        on_exception from_user
        eret
from_user:
        mrs     x15, esr_el1
        lsr     w0, w15, #24
        orr     x21, x21, x0, lsl #32
        on_exception skip
        msr     daifclr, #8
        /* linked to a context */
        write   dbgbcr0_el1, 0
        adr     x0, linked
        msr     dbgbvr0_el1, x0
        write   dbgbvr5_el1, 0x1234
        write   dbgbcr5_el1, (E | EL1 | BAS_ALL4 | BT_CONTEXT_LINKED)
        write   dbgbcr0_el1, (E | EL1 | BAS_ALL4 | BT_LINKED | LBN(5))
        write   contextidr_el1, 0x1233
        bl      linked_call
        mov     x22, x1
        write   contextidr_el1, 0x1234
        bl      linked_call
        orr     x22, x1, x22, lsl #1
        write   dbgbcr0_el1, 0

        /* a watchpoint on a doubleword, stores */
        add     x0, x9, #8
        msr     dbgwvr0_el1, x0
        write   dbgwcr0_el1, (E | EL1 | STORE | BAS(0xff))
        mov     x15, #0
        ldr     x0, [x9, #8]
        str     x0, [x9]
        str     x0, [x9, #16]
        stp     x0, x0, [x9]
        mov     x23, x15
        sub     x24, x13, x9
        /* one byte, loads: ldrb at 10, 11, 12; ldr w at 8; ldr x at 0; ldrh at 10 */
        write   dbgwcr0_el1, (E | EL1 | LOAD | BAS(1 << 3))
        mov     x25, #0
        add     x10, x9, #10
        hit     x25, ldrb w0, [x10, #0]
        hit     x25, ldrb w0, [x10, #1]
        hit     x25, ldrb w0, [x10, #2]
        hit     x25, ldr w0, [x9, #8]
        hit     x25, ldr x0, [x9, #0]
        hit     x25, ldrh w0, [x10]
        /* 32 bytes from data + 32 */
        add     x0, x9, #32
        msr     dbgwvr0_el1, x0
        write   dbgwcr0_el1, (E | EL1 | LOAD | STORE | BAS(0xff) | MASK(5))
        mov     x26, #0
        hit     x26, str x0, [x9, #32]
        hit     x26, str x0, [x9, #24]
        hit     x26, ldrb w0, [x9, #63]
        hit     x26, ldrb w0, [x9, #64]
        /* masked */
        mov     x27, #0
        msr     daifset, #8
        hit     x27, str x0, [x9, #32]
        msr     daifclr, #8
        write   mdscr_el1, (1 << 15)            /* without KDE */
        hit     x27, str x0, [x9, #32]
        write   mdscr_el1, (1 << 13)            /* without MDE */
        hit     x27, str x0, [x9, #32]
        write   mdscr_el1, MDSCR_KDE_MDE
        /* EL0's */
        write   dbgwcr0_el1, (E | EL0 | LOAD | STORE | BAS(0xff) | MASK(5))
        mov     x28, #0
        add     x10, x9, #32
        hit     x28, ldtr x0, [x10]
        hit     x28, ldr x0, [x10]
        hit     x28, sttr x0, [x10]
        write   dbgwcr0_el1, 0
        b       report

        /* x1 = whether the breakpoint is hit */
linked_call:
        mov     x15, #0
linked: nop
        cmp     x15, #0
        cset    x1, ne
        ret

user:   nop
user_here:
        svc     #0
        ret

/* X15: ESR, X14: ELR, X13: FAR. */
skip:
        mrs     x13, far_el1
        mrs     x14, elr_el1
        mrs     x15, esr_el1
        lsr     x16, x15, #26
        cmp     x16, #0x15                      /* SVC returns behind itself already */
        cset    x16, ne
        add     x16, x14, x16, lsl #2
        msr     elr_el1, x16
        eret

        .ltorg
        .data
        .balign 64
data:   .skip   128
