# SPDX-License-Identifier: GPL-2.0-or-later
"""Small AArch64 guests for the virt board, as machine code, and an ELF file around them."""
import struct

LOAD = 0x40080000

# Print the text behind the code, then echo what is typed until 'q', which powers off
# through PSCI. The UART is at 0x09000000; its flag register at +0x18, RXFE is bit 4.
ECHO = [
    0x10000201,   # adr   x1, text
    0xd2a12002,   # movz  x2, #0x0900, lsl #16
    0x38401423,   # 1: ldrb w3, [x1], #1
    0x34000063,   # cbz   w3, 2f
    0x39000043,   # strb  w3, [x2]
    0x17fffffd,   # b     1b
    0xb9401844,   # 2: ldr w4, [x2, #0x18]
    0x3727ffe4,   # tbnz  w4, #4, 2b
    0xb9400043,   # ldr   w3, [x2]
    0x39000043,   # strb  w3, [x2]
    0x7101c47f,   # cmp   w3, #'q'
    0x54ffff61,   # b.ne  2b
    0xd2b08000,   # movz  x0, #0x8400, lsl #16
    0xf2800100,   # movk  x0, #8            PSCI SYSTEM_OFF
    0xd4000002,   # hvc   #0
    0x14000000,   # b     .
]
ECHO_TEXT = b'hello from the guest\n'
ECHO_POLL = LOAD + 6 * 4

# Print FLOOD_BYTES characters as fast as the UART takes them, then power off.
FLOOD_BYTES = 0x40000
FLOOD = [
    0xd2a12002,   # movz  x2, #0x0900, lsl #16
    0xd2a00085,   # movz  x5, #4, lsl #16
    0xd2800006,   # mov   x6, #0
    0x120014c3,   # 1: and w3, w6, #0x3f
    0x1100c063,   # add   w3, w3, #0x30
    0x39000043,   # strb  w3, [x2]
    0x910004c6,   # add   x6, x6, #1
    0xeb0500df,   # cmp   x6, x5
    0x54ffff61,   # b.ne  1b
    0xd2b08000,   # movz  x0, #0x8400, lsl #16
    0xf2800100,   # movk  x0, #8
    0xd4000002,   # hvc   #0
]

# For a machine without devices: one more than the word at ADD_DATA goes behind it; power off.
ADD_DATA = 0x2000
ADD = [
    0xd2840001,   # mov   x1, #ADD_DATA
    0xb9400022,   # ldr   w2, [x1]
    0x11000442,   # add   w2, w2, #1
    0xb9000822,   # str   w2, [x1, #8]
    0xd2b08000,   # movz  x0, #0x8400, lsl #16
    0xf2800100,   # movk  x0, #8
    0xd4000002,   # hvc   #0
]

# Count in x0 for ever; store it at SPIN_DATA; call a function that moves it to d0.
SPIN_DATA = LOAD + 0x1000
SPIN_LOOP = LOAD + 0x18
SPIN_FUNCTION = LOAD + 0x28
SPIN = [
    0xd2a00603,   # movz  x3, #0x30, lsl #16
    0xd5181043,   # msr   cpacr_el1, x3        FP does not trap
    0xd5033fdf,   # isb
    0xd2a80101,   # movz  x1, #0x4008, lsl #16
    0x91400421,   # add   x1, x1, #1, lsl #12
    0xd2800000,   # mov   x0, #0
    0x91000400,   # 1: add x0, x0, #1
    0xf9000020,   # str   x0, [x1]
    0x94000002,   # bl    f
    0x17fffffd,   # b     1b
    0x9e670000,   # f: fmov d0, x0
    0xf100141f,   # cmp   x0, #5
    0xd65f03c0,   # ret
]

# Count in x0 for ever: store it at SPIN_DATA, load it, store a pair behind it.
ACCESS_LOOP = LOAD + 0xc
ACCESS = [
    0xd2a80101,   # movz  x1, #0x4008, lsl #16
    0x91400421,   # add   x1, x1, #1, lsl #12
    0xd2800000,   # mov   x0, #0
    0x91000400,   # 1: add x0, x0, #1
    0xf9000020,   # str   x0, [x1]
    0xf9400022,   # ldr   x2, [x1]
    0xa9010820,   # stp   x0, x2, [x1, #16]
    0x17fffffc,   # b     1b
]

# Enable the UART's interrupt (33) and a timer's (27) at the GIC, make the first one pending, and wait.
IRQ = [
    0xd2a10001,   # movz  x1, #0x0800, lsl #16
    0xd2800040,   # movz  x0, #2
    0xb9010420,   # str   w0, [x1, #0x104]              GICD_ISENABLER1: interrupt 33
    0xb9020420,   # str   w0, [x1, #0x204]              GICD_ISPENDR1
    0xd2a10000,   # movz  x0, #0x0800, lsl #16
    0xb9010020,   # str   w0, [x1, #0x100]              GICD_ISENABLER0: interrupt 27
    0xd2801400,   # movz  x0, #0xa0
    0x39108420,   # strb  w0, [x1, #0x421]              GICD_IPRIORITYR
    0xd2800020,   # movz  x0, #1
    0x39208420,   # strb  w0, [x1, #0x821]              GICD_ITARGETSR
    0x14000000,   # b     .
]

# Two CPUs, for ever. CPU 0 waits for the virtual timer, adds up what CPU 1 counts at STORM_DATA, and mixes the
# counter in; each 64th time it prints a letter of that; it echoes what was typed, and 'r' resets the machine
# through PSCI. CPU 1 waits for an event after each 4096 steps.
STORM_DATA = LOAD + 0x1000
STORM_LOOP = LOAD + 0x68
STORM_SECOND = LOAD + 0xcc
STORM = [
    0x10000013,   # adr   x19, LOAD
    0xd2b88000,   # movz  x0, #0xc400, lsl #16
    0xf2800060,   # movk  x0, #3            PSCI CPU_ON
    0xd2800021,   # mov   x1, #1
    0x100005a2,   # adr   x2, second
    0xd4000002,   # hvc   #0
    0xd2a12005,   # movz  x5, #0x0900, lsl #16
    0x91400666,   # add   x6, x19, #1, lsl #12
    0xd2a10001,   # movz  x1, #0x0800, lsl #16
    0x52800020,   # mov   w0, #1
    0xb9000020,   # str   w0, [x1]                      GICD_CTLR
    0x52a10000,   # movz  w0, #0x0800, lsl #16
    0xb9010020,   # str   w0, [x1, #0x100]              GICD_ISENABLER0: interrupt 27
    0xd2a10021,   # movz  x1, #0x0801, lsl #16
    0x52801fe0,   # mov   w0, #0xff
    0xb9000420,   # str   w0, [x1, #4]                  GICC_PMR
    0x52800020,   # mov   w0, #1
    0xb9000020,   # str   w0, [x1]                      GICC_CTLR
    0xd289c400,   # 1: mov x0, #20000
    0xd51be300,   # msr   cntv_tval_el0, x0
    0xd2800020,   # mov   x0, #1
    0xd51be320,   # msr   cntv_ctl_el0, x0
    0xd503209f,   # sev
    0xd503207f,   # wfi                                 ends with interrupts masked, too
    0xd51be33f,   # msr   cntv_ctl_el0, xzr
    0xd2817707,   # mov   x7, #3000
    0xf94000c1,   # 2: ldr x1, [x6]
    0x8b010063,   # add   x3, x3, x1
    0xf90004c3,   # str   x3, [x6, #8]
    0x93c31c63,   # ror   x3, x3, #7
    0xf10004e7,   # subs  x7, x7, #1
    0x54ffff61,   # b.ne  2b
    0xd53be041,   # mrs   x1, cntvct_el0
    0xca010063,   # eor   x3, x3, x1
    0x11000484,   # add   w4, w4, #1
    0x7200149f,   # tst   w4, #63
    0x54000081,   # b.ne  3f
    0x12000c61,   # and   w1, w3, #15
    0x11018421,   # add   w1, w1, #'a'
    0x390000a1,   # strb  w1, [x5]
    0xb94018a1,   # 3: ldr w1, [x5, #0x18]
    0x3727fd21,   # tbnz  w1, #4, 1b
    0xb94000a1,   # ldr   w1, [x5]
    0x390000a1,   # strb  w1, [x5]
    0x7101c83f,   # cmp   w1, #'r'
    0x54ffff61,   # b.ne  3b
    0xd2b08000,   # movz  x0, #0x8400, lsl #16
    0xf2800120,   # movk  x0, #9            PSCI SYSTEM_RESET
    0xd4000002,   # hvc   #0
    0x10fff9e6,   # second: adr x6, LOAD
    0x914004c6,   # add   x6, x6, #1, lsl #12
    0x91000400,   # 4: add x0, x0, #1
    0xf90000c0,   # str   x0, [x6]
    0xf2402c1f,   # tst   x0, #0xfff
    0x54ffffa1,   # b.ne  4b
    0xd503205f,   # wfe
    0x17fffffb,   # b     4b
]

# Print "boot", and hang if the number at SEED_DATA is 5 (its low three bits); else "ready" and a prompt, and
# answer each line with that number. The texts are behind the code.
SEED_DATA = LOAD + 0x1000
SEED = [
    0xd2a12002,   # movz  x2, #0x0900, lsl #16
    0x10ffffe4,   # adr   x4, LOAD
    0x91400484,   # add   x4, x4, #1, lsl #12
    0xb9400085,   # ldr   w5, [x4]
    0x120008a5,   # and   w5, w5, #7
    0x10000301,   # adr   x1, boot
    0x94000012,   # bl    puts
    0x710014bf,   # cmp   w5, #5
    0x54000000,   # b.eq  .
    0x300002a1,   # adr   x1, ready
    0x9400000e,   # bl    puts
    0xb9401844,   # 1: ldr w4, [x2, #0x18]
    0x3727ffe4,   # tbnz  w4, #4, 1b
    0xb9400043,   # ldr   w3, [x2]
    0x39000043,   # strb  w3, [x2]
    0x7100287f,   # cmp   w3, #10
    0x54ffff61,   # b.ne  1b
    0x700001e1,   # adr   x1, answer
    0x94000006,   # bl    puts
    0x1100c0a3,   # add   w3, w5, #'0'
    0x39000043,   # strb  w3, [x2]
    0x30000121,   # adr   x1, ready
    0x94000002,   # bl    puts
    0x17fffff4,   # b     1b
    0x38401423,   # puts: ldrb w3, [x1], #1
    0x34000063,   # cbz   w3, 2f
    0x39000043,   # strb  w3, [x2]
    0x17fffffd,   # b     puts
    0xd65f03c0,   # 2: ret
]
SEED_TEXT = b'boot\0\nready\n> \0answer \0'

# Set the real-time clock five times, to 1000, 2000, ..., and wait.
RTC = [
    0xd2a12021,   # movz  x1, #0x0901, lsl #16
    0xd2807d00,   # movz  x0, #1000
    0xd28000a2,   # movz  x2, #5
    0xb9000820,   # 1: str w0, [x1, #8]        RTCLR
    0x910fa000,   # add   x0, x0, #1000
    0xf1000442,   # subs  x2, x2, #1
    0x54ffffa1,   # b.ne  1b
    0x14000000,   # b     .
]

# Put tables at LOAD + 0x2000, switch the MMU on, 39 bits a half, and wait in the low one. The low half has the
# first GiB of devices and of RAM; the high one what the comments say.
MMU_HIGH = 0xffffff8000000000
MMU = [
    0xd2a80101,   # movz  x1, #0x4008, lsl #16
    0x91400821,   # add   x1, x1, #2, lsl #12           low L1 table at LOAD + 0x2000
    0x91400422,   # add   x2, x1, #1, lsl #12           high L1 table
    0x91400443,   # add   x3, x2, #1, lsl #12           its L2 table
    0x91400464,   # add   x4, x3, #1, lsl #12           its L3 table
    0xd2808020,   # mov   x0, #0x401                    block, AF, attribute 0, EL1 only, rw
    0xf9000020,   # str   x0, [x1]
    0xd2a80000,   # movz  x0, #0x4000, lsl #16
    0xf2808020,   # movk  x0, #0x401
    0xf9000420,   # str   x0, [x1, #8]                  the first GiB of RAM
    0xb2400460,   # orr   x0, x3, #3
    0xf9000040,   # str   x0, [x2]                      0xffffff8000000000: table
    0xb2400480,   # orr   x0, x4, #3
    0xf9001460,   # str   x0, [x3, #40]                 + 5 * 2 MiB: table
    0xd2a80000,   # movz  x0, #0x4000, lsl #16
    0xf2808020,   # movk  x0, #0x401
    0xf9000c60,   # str   x0, [x3, #24]                 + 3 * 2 MiB: block
    0xd2a80400,   # movz  x0, #0x4020, lsl #16
    0xf2808020,   # movk  x0, #0x401
    0xf9001060,   # str   x0, [x3, #32]                 + 4 * 2 MiB: the block behind it
    0xd2a80100,   # movz  x0, #0x4008, lsl #16
    0xf2809860,   # movk  x0, #0x4c3
    0xf9001c80,   # str   x0, [x4, #56]                 + page 7: read-only, for programs, too
    0xd5182001,   # msr   ttbr0_el1, x1
    0xd5182022,   # msr   ttbr1_el1, x2
    0xd2801fe0,   # mov   x0, #0xff
    0xd518a200,   # msr   mair_el1, x0
    0xd2b00320,   # movz  x0, #0x8019, lsl #16          T1SZ 25, 4 KiB
    0xf2800320,   # movk  x0, #0x0019                   T0SZ 25
    0xd5182040,   # msr   tcr_el1, x0
    0xd5033fdf,   # isb   
    0xd5381000,   # mrs   x0, sctlr_el1
    0xb2400000,   # orr   x0, x0, #1
    0xd5181000,   # msr   sctlr_el1, x0
    0xd5033fdf,   # isb   
    0xd2995fc5,   # movz  x5, #0xcafe
    0x14000000,   # b     .
]

# Tell pvpanic-mmio in the platform bus's first slot of these events, and wait.
PANIC_LOOP = LOAD + 3 * 4


def panic(events):
    return [
        0xd2a18001,                 # movz  x1, #0x0c00, lsl #16
        0x52800000 | events << 5,   # mov   w0, #events
        0x39000020,                 # strb  w0, [x1]
        0x14000000,                 # b     .
    ]


# Start the watchdog in the platform bus's first slot, with 4096 ticks a stage, and wait.
WATCHDOG = [
    0xd2a18001,   # movz  x1, #0x0c00, lsl #16
    0x52820000,   # mov   w0, #0x1000
    0xb9000820,   # str   w0, [x1, #8]         WOR
    0x52800020,   # mov   w0, #1
    0xb9000020,   # str   w0, [x1]             WCS
    0x14000000,   # b     .
]

# Mix numbers into 256 KiB of memory; print a letter after each 2^22 of them; power off after 2^26.
WORK_INSNS = 11 << 26
WORK = [
    0xd2a82001,   # movz  x1, #0x4100, lsl #16
    0xd2a12002,   # movz  x2, #0x0900, lsl #16
    0xd2800000,   # mov   x0, #0
    0xd2800003,   # mov   x3, #0
    0x91000400,   # 1: add x0, x0, #1
    0xca000063,   # eor   x3, x3, x0
    0x93c31c63,   # ror   x3, x3, #7
    0x9b000063,   # madd  x3, x3, x0, x0
    0x927d3864,   # and   x4, x3, #0x3fff8
    0xf8246823,   # str   x3, [x1, x4]
    0xd36efc64,   # lsr   x4, x3, #46
    0x38646824,   # ldrb  w4, [x1, x4]
    0x8b040063,   # add   x3, x3, x4
    0xf240541f,   # tst   x0, #0x3fffff
    0x54fffec1,   # b.ne  1b
    0x12000c64,   # and   w4, w3, #15
    0x11018484,   # add   w4, w4, #'a'
    0x39000044,   # strb  w4, [x2]
    0xf240641f,   # tst   x0, #0x3ffffff
    0x54fffe21,   # b.ne  1b
    0xd2b08000,   # movz  x0, #0x8400, lsl #16
    0xf2800100,   # movk  x0, #8
    0xd4000002,   # hvc   #0
]


def flood_text():
    return bytes(0x30 + (i & 0x3f) for i in range(FLOOD_BYTES))


def code(words, tail=b''):
    """The bytes from LOAD on."""
    return struct.pack(f'<{len(words)}I', *words) + tail + b'\0'


def elf(words, tail=b''):
    """An executable with one segment at LOAD, entered at its start."""
    body = code(words, tail)
    offset = 0x1000
    ident = b'\x7fELF' + bytes([2, 1, 1]) + bytes(9)
    header = ident + struct.pack('<HHIQQQIHHHHHH', 2, 183, 1, LOAD, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack('<IIQQQQQQ', 1, 5, offset, LOAD, LOAD, len(body), len(body), 0x1000)
    return (header + segment).ljust(offset, b'\0') + body


def write(path, words, tail=b''):
    with open(path, 'wb') as f:
        f.write(elf(words, tail))
    return path
