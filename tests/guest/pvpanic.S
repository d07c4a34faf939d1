/*
 * A guest that tells of panics, and goes on because nothing is done about them.
 * run with -device pvpanic-mmio -action panic=none
 * not on the oracle: its machine virt has no such device on a bus of its own.
 *
 *     expect x19 = 0x0000000000000007    the events that are known
 *     expect x20 = 0x0000000000000007    the same as a halfword
 *     expect x21 = 0x0000000000000000    behind it there is nothing
 *     expect x22 = 0x0000000000000007    after a crash that the guest takes care of ...
 *     expect x23 = 0x0000000000000007    ... after a panic, and one of both kinds ...
 *     expect x24 = 0x0000000000000007    ... after what nobody knows
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guest.inc"

#define PVPANIC 0x0c000000

main:
        mov_abs x4, PVPANIC
        ldrb    w19, [x4]
        ldrh    w20, [x4]
        ldrb    w21, [x4, #1]
        mov     w0, #2
        strb    w0, [x4]
        ldrb    w22, [x4]
        mov     w0, #1
        strb    w0, [x4]
        mov     w0, #3
        strh    w0, [x4]
        ldrb    w23, [x4]
        mov     w0, #0xf8
        strb    w0, [x4]
        strb    w0, [x4, #1]
        ldrb    w24, [x4]
        b       report
