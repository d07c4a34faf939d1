/*
 * Stage 1 translation with 4 KiB pages: mappings, faults, permissions, access flag,
 * TLB maintenance, AT.
 *
 * 0x40000000 upwards is mapped onto itself by a 1 GiB block, devices likewise; the
 * region under test is at 0x8000000000 (level 0 entry 1), level 3 entries 0 to 4.
 * Faults leave ESR_EL1.ISS<6:0> (WnR, DFSC) | EC << 8.
 *
 *     expect x19 = 0x1122334455667788    read through the mapping
 *     expect x20 = 0x0000000000000099    a byte written through it, read at its address
 *     expect x21 = 0x0000000000002507    load from an invalid level 3 entry
 *     expect x22 = 0x000000800000a008    FAR_EL1 of it
 *     expect x23 = 0x000000000000254f    store to a read-only page
 *     expect x24 = 0x000000000000250b    load with the access flag clear
 *     expect x25 = 0x00000000aaaa5555    after remapping and TLBI: the other page
 *     expect x26 = 0x000000000000210f    instruction fetch from a PXN page
 *     expect x27 = 0x0000000000000001    AT S1E1W of the read-only page fails (PAR_EL1.F)
 *     expect x28 = 0x0000000000002504    load beyond the tables: level 0
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guest.inc"

#define PAGE_RW     0x703       /* AF, inner shareable, AttrIndx 0, valid page */
#define PAGE_RO     0x783
#define PAGE_NO_AF  0x303
#define BLOCK_RAM   0x701
#define BLOCK_DEV   0x405       /* AttrIndx 1 */

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
        str     x0, [x1]                        /* 0: devices */
        mov_abs x0, (0x40000000 + BLOCK_RAM)
        str     x0, [x1, #8]                    /* 0x40000000: RAM */
        table   level0, level1b, 1
        table   level1b, level2, 0
        table   level2, level3, 0
        page    0, page_a, PAGE_RW
        page    1, page_b, PAGE_RO
        page    2, page_a, PAGE_NO_AF
        page    3, page_b, PAGE_RW
        adrp    x1, level3                      /* PXN: bit 53 */
        ldr     x0, [x1, #24]
        orr     x0, x0, #(1 << 53)
        str     x0, [x1, #24]
        adrp    x0, page_a
        ldr     x1, =0x1122334455667788
        str     x1, [x0, #8]
        adrp    x0, page_b
        ldr     x1, =0xaaaa5555
        str     x1, [x0, #8]

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
        orr     x0, x0, #1
        msr     sctlr_el1, x0
        isb

        mov     x8, #0x8000000000
        ldr     x19, [x8, #8]
        mov     w0, #0x99
        strb    w0, [x8, #0x20]
        adrp    x1, page_a
        ldrb    w20, [x1, #0x20]
        mov     x9, #0xa000
        add     x9, x8, x9
        ldr     x0, [x9, #8]                    /* entry 10: invalid */
        mov     x21, x15
        mov     x22, x14
        add     x9, x8, #0x1000
        str     x0, [x9]
        mov     x23, x15
        add     x9, x8, #0x2000
        ldr     x0, [x9]
        mov     x24, x15
        /* entry 0 now leads to page_b */
        page    0, page_b, PAGE_RW
        dsb     ishst
        lsr     x0, x8, #12
        tlbi    vaae1is, x0
        dsb     ish
        isb
        ldr     x25, [x8, #8]
        add     x9, x8, #0x3000
        adr     x12, after_fetch
        br      x9
after_fetch:
        mov     x26, x15
        add     x9, x8, #0x1000
        at      s1e1w, x9
        isb
        mrs     x27, par_el1
        and     x27, x27, #1
        mov     x9, #0x10000000000
        ldr     x0, [x9]
        mov     x28, x15
        b       report

/* X15: EC << 8 | ISS<6:0>, X14: FAR. An instruction abort goes on at X12. */
fault:
        mrs     x14, far_el1
        mrs     x16, esr_el1
        lsr     x17, x16, #26
        and     x15, x16, #0x7f
        orr     x15, x15, x17, lsl #8
        mrs     x16, elr_el1
        add     x16, x16, #4
        cmp     x17, #0x21
        csel    x16, x12, x16, eq
        msr     elr_el1, x16
        eret

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
