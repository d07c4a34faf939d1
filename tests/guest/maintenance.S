/*
 * Faults of cache maintenance by address and of DC ZVA (DDI 0487 D4.4.8).
 *
 * The region under test is at 0x8000000000; faults leave EC << 12 | ISS<8:0> (CM, WnR, DFSC).
 * not on the oracle: QEMU's DC and IC never fault, and its DC ZVA ignores the memory type.
 *
 *     expect x19 = 0x00000000000000ff    DC ZVA: which of the 8 doublewords are zero ...
 *     expect x20 = 0x5a5a5a5a5a5a5a5a    ... and what is behind them
 *     expect x21 = 0x0000000000025061    DC ZVA of Device memory: alignment
 *     expect x22 = 0x0000000000002013    FAR_EL1 of it: the argument
 *     expect x23 = 0x000000000002504f    DC ZVA of a read-only page: as a store
 *     expect x24 = 0x0000000000025147    DC CVAC of what is not mapped
 *     expect x25 = 0x000000000002514f    DC IVAC of a read-only page: needs the right to write
 *     expect x26 = 0x0000000000000007    DC CVAC, DC CIVAC and IC IVAU of it: nothing
 *     expect x27 = 0x000000000002414f    DC CIVAC by EL0 of a page that is not its own
 *     expect x28 = 0x0000000000025147    IC IVAU of what is not mapped
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guest.inc"

#define PAGE_RW     0x703       /* AF, inner shareable, AttrIndx 0, valid page */
#define PAGE_RO     0x783
#define PAGE_DEV    0x407       /* AttrIndx 1 */
#define PAGE_USER   0x7c3       /* EL0 and EL1, read-only */
#define BLOCK_RAM   0x701
#define BLOCK_DEV   0x405
#define SCTLR_BITS  (1 | 1 << 14 | 1 << 26)     /* M, DZE, UCI */

        .macro  table entry, table, index
        adrp    x0, \table
        orr     x0, x0, #3
        adrp    x1, \entry
        str     x0, [x1, #8 * \index]
        .endm

        .macro  page index, to, bits
        adrp    x0, \to
        mov     x1, #\bits
        orr     x0, x0, x1
        adrp    x1, level3
        str     x0, [x1, #8 * \index]
        .endm

main:
        on_exception fault
        table   level0, level1, 0
        mov     x0, #BLOCK_DEV
        adrp    x1, level1
        str     x0, [x1]
        mov_abs x0, (0x40000000 + BLOCK_RAM)
        str     x0, [x1, #8]
        table   level0, level1b, 1
        table   level1b, level2, 0
        table   level2, level3, 0
        page    0, page_a, PAGE_RW
        page    1, page_a, PAGE_RO
        page    2, page_b, PAGE_DEV
        page    3, user, PAGE_USER
        adrp    x0, page_a
        ldr     x1, =0x5a5a5a5a5a5a5a5a
        mov     x2, #512
1:      str     x1, [x0], #8
        subs    x2, x2, #1
        b.ne    1b

        mov     x0, #0x00ff                     /* MAIR: 0 normal write-back, 1 device */
        msr     mair_el1, x0
        ldr     x0, =0x500803510                /* TCR: T0SZ 16, WB, inner, EPD1, IPS 48 bits */
        msr     tcr_el1, x0
        adrp    x0, level0
        msr     ttbr0_el1, x0
        tlbi    vmalle1
        dsb     sy
        isb
        mrs     x0, sctlr_el1
        mov_abs x1, SCTLR_BITS
        orr     x0, x0, x1
        msr     sctlr_el1, x0
        isb

        mov     x8, #0x8000000000
        add     x9, x8, #0x5d
        dc      zva, x9
        mov     x19, #0
        add     x9, x8, #0x40
        mov     x2, #8
2:      ldr     x0, [x9], #8
        cmp     x0, #0
        cset    x0, eq
        orr     x19, x0, x19, lsl #1
        subs    x2, x2, #1
        b.ne    2b
        ldr     x20, [x9]
        add     x9, x8, #0x2000
        add     x9, x9, #0x13
        dc      zva, x9
        mov     x21, x15
        and     x22, x14, #0xffff
        add     x9, x8, #0x1000
        mov     x15, #0
        dc      zva, x9
        mov     x23, x15
        add     x9, x8, #0x8000
        dc      cvac, x9
        mov     x24, x15
        add     x9, x8, #0x1000
        dc      ivac, x9
        mov     x25, x15
        mov     x15, #7
        dc      cvac, x9
        dc      civac, x9
        ic      ivau, x9
        mov     x26, x15
        add     x9, x8, #0x8000
        ic      ivau, x9
        mov     x28, x15
        add     x0, x8, #0x3000
        msr     elr_el1, x0
        msr     spsr_el1, xzr
        on_exception from_user
        add     x9, x8, #0x1000
        eret

from_user:
        mov     x12, x30
        adr     x30, 3f
        b       describe
3:      mov     x27, x15
        b       report

describe:
        mrs     x14, far_el1
        mrs     x16, esr_el1
        lsr     x17, x16, #26
        and     x15, x16, #0x1ff
        orr     x15, x15, x17, lsl #12
        ret
fault:
        mov     x12, x30
        bl      describe
        mov     x30, x12
        mrs     x16, elr_el1
        add     x16, x16, #4
        msr     elr_el1, x16
        eret

        .balign 4096
user:
        dc      civac, x9
        svc     #0

        .ltorg
        .bss
        .balign 4096
level0: .skip   4096
level1: .skip   4096
level1b: .skip  4096
level2: .skip   4096
level3: .skip   4096
page_a: .skip   4096
page_b: .skip   4096
