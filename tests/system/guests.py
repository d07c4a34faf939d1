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
