/*
 * PrimeCell UART, PL011 (DDI 0183, as revision r1p1 with 16-entry FIFOs).
 *
 * Wiring: one page of registers, the combined interrupt (UARTINTR), one
 * character port. UARTCLK is 24 MHz.
 *
 * Not modelled, and why:
 * - Baud timing: a character written to DR has left at once, so the transmit FIFO
 *   is always empty and the transmit interrupt follows each character.
 * - The RX trigger level of IFLS: the receive interrupt rises with the first
 *   character. Characters come at the pace of a person or a pipe, not of a line, so a
 *   level says nothing; and software that unmasks only RXIM, which works on
 *   other models of this board, hears single key presses. The receive timeout is the
 *   manual's: 32 bit periods of virtual time without a new character.
 * - The enables in CR: early consoles write without them, relying on
 *   firmware that is not there when a kernel is started directly.
 * - DMA, IrDA, modem inputs (outside of loopback), parity and framing errors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/char/pl011.h"
#include "hw/core/fdt-binding.h"
#include "hw/core/register.h"
#include "util/bitops.h"
#include "util/trace.h"

/* UARTDR: receive errors beside the data (table 3-2); in RSR eight bits lower. */
#define DR_BE BIT(10)
#define DR_OE BIT(11)
#define DR_ERRORS 0xf00
#define RSR_OE BIT(3)

#define FR_CTS BIT(0)
#define FR_DSR BIT(1)
#define FR_DCD BIT(2)
#define FR_RXFE BIT(4)
#define FR_RXFF BIT(6)
#define FR_TXFE BIT(7)
#define FR_RI BIT(8)

#define LCR_BRK BIT(0)
#define LCR_FEN BIT(4)

#define CR_LBE BIT(7)
#define CR_DTR BIT(10)
#define CR_RTS BIT(11)
#define CR_OUT1 BIT(12)
#define CR_OUT2 BIT(13)

#define INT_RI BIT(0)
#define INT_CTS BIT(1)
#define INT_DCD BIT(2)
#define INT_DSR BIT(3)
#define INT_RX BIT(4)
#define INT_TX BIT(5)
#define INT_RT BIT(6)
#define INT_BE BIT(9)
#define INT_OE BIT(10)
#define INT_ALL 0x7ff

#define FIFO_DEPTH 16

typedef struct Pl011State {
    GByteArray *input;            /* the port's queue: received, not yet in the FIFO */
    uint32_t rsr;
    uint32_t ilpr;
    uint32_t ibrd;
    uint32_t fbrd;
    uint32_t lcr_h;
    uint32_t cr;
    uint32_t ifls;
    uint32_t imsc;
    uint32_t ris;
    uint32_t dmacr;
    uint32_t overrun;             /* DR.OE */
    uint32_t rx_first;
    uint32_t rx_count;
    uint16_t rx_fifo[FIFO_DEPTH]; /* as DR reads them, without OE */
    uint8_t pad[4];
} Pl011State;

#define PL011_FIELDS(F, S)  \
    F(S, BYTES, input)      \
    F(S, U32, rsr)          \
    F(S, U32, ilpr)         \
    F(S, U32, ibrd)         \
    F(S, U32, fbrd)         \
    F(S, U32, lcr_h)        \
    F(S, U32, cr)           \
    F(S, U32, ifls)         \
    F(S, U32, imsc)         \
    F(S, U32, ris)          \
    F(S, U32, dmacr)        \
    F(S, U32, overrun)      \
    F(S, U32, rx_first)     \
    F(S, U32, rx_count)     \
    F(S, ARRAY_U16, rx_fifo) \
    F(S, ARRAY_U8, pad)

FIELD_TABLE(pl011_fields, "pl011", 2, Pl011State, PL011_FIELDS);

typedef struct Pl011 {
    Device dev;                   /* first */
    Pl011State state;
    IrqLine irq;
    CharPort *port;
    Timer timeout;
} Pl011;

/* ---- the chip ---- */

static unsigned fifo_depth(const Pl011State *s)
{
    return s->lcr_h & LCR_FEN ? FIFO_DEPTH : 1;
}

static void fifo_push(Pl011State *s, uint16_t entry)
{
    if (s->rx_count >= fifo_depth(s)) {
        s->overrun = 1;
        s->rsr |= RSR_OE;
        s->ris |= INT_OE;
        return;
    }
    s->rx_fifo[(s->rx_first + s->rx_count) % FIFO_DEPTH] = entry;
    s->rx_count++;
    s->overrun = 0;
    s->ris |= INT_RX;
    if (entry & DR_BE) {
        s->ris |= INT_BE;
    }
}

/* What DR reads: the oldest character, or the last one again when there is none. */
static uint32_t fifo_front(const Pl011State *s)
{
    return s->rx_fifo[s->rx_first] | (s->overrun ? DR_OE : 0);
}

static void fifo_pop(Pl011State *s)
{
    if (s->rx_count == 0) {
        return;
    }
    s->rsr = (s->rsr & RSR_OE) | ((s->rx_fifo[s->rx_first] & DR_ERRORS) >> 8);
    if (--s->rx_count == 0) {
        s->ris &= ~(uint32_t)(INT_RX | INT_RT);
        return;
    }
    s->rx_first = (s->rx_first + 1) % FIFO_DEPTH;
}

static void fifo_reset(Pl011State *s)
{
    s->rx_count = 0;
    s->rx_first = 0;
    memset(s->rx_fifo, 0, sizeof(s->rx_fifo));
    s->ris &= ~(uint32_t)(INT_RX | INT_RT);
}

static uint32_t flags(const Pl011State *s)
{
    uint32_t fr = FR_TXFE;

    if (s->rx_count == 0) {
        fr |= FR_RXFE;
    }
    if (s->rx_count >= fifo_depth(s)) {
        fr |= FR_RXFF;
    }
    if (s->cr & CR_LBE) {
        /* The modem outputs come back as inputs (table 3-12, LBE). */
        fr |= s->cr & CR_RTS ? FR_CTS : 0;
        fr |= s->cr & CR_DTR ? FR_DSR : 0;
        fr |= s->cr & CR_OUT1 ? FR_DCD : 0;
        fr |= s->cr & CR_OUT2 ? FR_RI : 0;
    }
    return fr;
}

/* 32 bit periods: 16 x (IBRD + FBRD / 64) cycles of 24 MHz each. */
static int64_t timeout_length_ns(const Pl011State *s)
{
    uint32_t divisor = MAX(s->ibrd * 64 + s->fbrd, 64);

    return (int64_t)divisor * 1000 / 3;
}

/* ---- the device around it ---- */

static void pl011_update_irq(void *opaque)
{
    Pl011 *u = opaque;

    irq_set(&u->irq, (u->state.ris & u->state.imsc) != 0);
}

static void timeout_start(Pl011 *u)
{
    timer_mod(&u->timeout, clock_now(u->dev.machine->clock) + timeout_length_ns(&u->state));
}

static void pl011_timeout(void *opaque)
{
    Pl011 *u = opaque;

    if (u->state.rx_count) {
        u->state.ris |= INT_RT;
    }
    pl011_update_irq(u);
}

/* A character arrived, from the port or from the own transmitter. */
static void pl011_arrived(Pl011 *u, uint16_t entry)
{
    fifo_push(&u->state, entry);
    timeout_start(u);
}

static uint32_t read_dr(void *opaque)
{
    Pl011 *u = opaque;
    uint32_t value = fifo_front(&u->state);

    fifo_pop(&u->state);
    if (u->state.rx_count == 0) {
        timer_del(&u->timeout);
    }
    pl011_update_irq(u);
    char_port_accept_input(u->port);
    return value;
}

static uint32_t peek_dr(void *opaque)
{
    return fifo_front(&((Pl011 *)opaque)->state);
}

static void write_dr(void *opaque, uint32_t value)
{
    Pl011 *u = opaque;
    uint8_t byte = (uint8_t)value;

    trace_pl011_sent(u->dev.id, byte);
    if (u->state.cr & CR_LBE) {
        pl011_arrived(u, byte);
    } else {
        char_port_write(u->port, &byte, 1);
    }
    /* It left: the FIFO fell through its trigger level (2.8.3). */
    u->state.ris |= INT_TX;
}

static void write_ecr(void *opaque, uint32_t value)
{
    ((Pl011 *)opaque)->state.rsr = 0;
}

static uint32_t read_fr(void *opaque)
{
    return flags(&((Pl011 *)opaque)->state);
}

static void write_lcr_h(void *opaque, uint32_t value)
{
    Pl011 *u = opaque;
    uint32_t changed = u->state.lcr_h ^ value;

    u->state.lcr_h = value;
    if (changed & LCR_FEN) {
        fifo_reset(&u->state);
        timer_del(&u->timeout);
    }
    if (changed & value & LCR_BRK && u->state.cr & CR_LBE) {
        pl011_arrived(u, DR_BE);
    }
    pl011_update_irq(u);
    char_port_accept_input(u->port);
}

static void write_cr(void *opaque, uint32_t value)
{
    Pl011 *u = opaque;
    uint32_t before = flags(&u->state), changed;

    u->state.cr = value;
    changed = before ^ flags(&u->state);
    u->state.ris |= changed & FR_RI ? INT_RI : 0;
    u->state.ris |= changed & FR_CTS ? INT_CTS : 0;
    u->state.ris |= changed & FR_DCD ? INT_DCD : 0;
    u->state.ris |= changed & FR_DSR ? INT_DSR : 0;
    pl011_update_irq(u);
    /* What waited while the line was looped back. */
    char_port_accept_input(u->port);
}

static uint32_t read_mis(void *opaque)
{
    const Pl011State *s = &((Pl011 *)opaque)->state;

    return s->ris & s->imsc;
}

static void write_icr(void *opaque, uint32_t value)
{
    ((Pl011 *)opaque)->state.ris &= ~value;
}

#define STATE(f) REG_FIELD(Pl011State, f)

/* Table 3-1. */
static const RegisterRow pl011_rows[] = {
    REG_ROW(0x000, "UARTDR", REG_UNSTORED, .readable = 0xfff, .writable = 0xff, .read = read_dr,
            .peek = peek_dr, .write = write_dr, .after_write = pl011_update_irq),
    REG_ROW(0x004, "UARTRSR", STATE(rsr), .readable = 0xf, .writable = UINT32_MAX,
            .write = write_ecr),
    REG_ROW(0x018, "UARTFR", REG_UNSTORED, .readable = 0x1ff, .read = read_fr),
    REG_ROW(0x020, "UARTILPR", STATE(ilpr), .readable = 0xff, .writable = 0xff),
    REG_ROW(0x024, "UARTIBRD", STATE(ibrd), .readable = 0xffff, .writable = 0xffff),
    REG_ROW(0x028, "UARTFBRD", STATE(fbrd), .readable = 0x3f, .writable = 0x3f),
    REG_ROW(0x02c, "UARTLCR_H", STATE(lcr_h), .readable = 0xff, .writable = 0xff,
            .write = write_lcr_h),
    REG_ROW(0x030, "UARTCR", STATE(cr), .readable = 0xff87, .writable = 0xff87, .reset = 0x300,
            .write = write_cr),
    REG_ROW(0x034, "UARTIFLS", STATE(ifls), .readable = 0x3f, .writable = 0x3f, .reset = 0x12),
    REG_ROW(0x038, "UARTIMSC", STATE(imsc), .readable = INT_ALL, .writable = INT_ALL,
            .after_write = pl011_update_irq),
    REG_ROW(0x03c, "UARTRIS", STATE(ris), .readable = INT_ALL),
    REG_ROW(0x040, "UARTMIS", REG_UNSTORED, .readable = INT_ALL, .read = read_mis),
    REG_ROW(0x044, "UARTICR", REG_UNSTORED, .writable = INT_ALL, .write = write_icr,
            .after_write = pl011_update_irq),
    REG_ROW(0x048, "UARTDMACR", STATE(dmacr), .readable = 0x7, .writable = 0x7),
    REG_ID_ROW(0xfe0, "UARTPeriphID0", 0x11),
    REG_ID_ROW(0xfe4, "UARTPeriphID1", 0x10),
    REG_ID_ROW(0xfe8, "UARTPeriphID2", 0x14),
    REG_ID_ROW(0xfec, "UARTPeriphID3", 0x00),
    REG_ID_ROW(0xff0, "UARTPCellID0", 0x0d),
    REG_ID_ROW(0xff4, "UARTPCellID1", 0xf0),
    REG_ID_ROW(0xff8, "UARTPCellID2", 0x05),
    REG_ID_ROW(0xffc, "UARTPCellID3", 0xb1),
};

static const RegisterBank pl011_bank = {
    .device = "pl011", .rows = pl011_rows, .num_rows = ARRAY_SIZE(pl011_rows),
    .state_offset = offsetof(Pl011, state),
};

/* ---- the character port ---- */

static unsigned pl011_can_receive(void *opaque)
{
    const Pl011State *s = &((Pl011 *)opaque)->state;

    /* Looped back, the receiver does not hear the line: its characters wait. */
    return s->cr & CR_LBE ? 0 : fifo_depth(s) - MIN(s->rx_count, fifo_depth(s));
}

static void pl011_receive(void *opaque, const uint8_t *data, size_t length)
{
    Pl011 *u = opaque;

    trace_pl011_received(u->dev.id, length);
    for (size_t i = 0; i < length; i++) {
        pl011_arrived(u, data[i]);
    }
    pl011_update_irq(u);
}

static void pl011_event(void *opaque, CharEvent event)
{
    Pl011 *u = opaque;

    if (event == CHAR_EVENT_BREAK && !(u->state.cr & CR_LBE)) {
        pl011_arrived(u, DR_BE);
        pl011_update_irq(u);
    }
}

static const CharPortClient pl011_client = {
    .can_receive = pl011_can_receive, .receive = pl011_receive, .event = pl011_event,
};

/* ---- life cycle and state ---- */

static void pl011_reset(Device *dev)
{
    Pl011 *u = container_of(dev, Pl011, dev);

    register_reset(&pl011_bank, u);
    fifo_reset(&u->state);
    u->state.overrun = 0;
    timer_del(&u->timeout);
    pl011_update_irq(u);
    /* The FIFO has room again, and what is queued gives no other occasion. */
    char_port_accept_input(u->port);
}

static void pl011_post_load(Device *dev)
{
    Pl011 *u = container_of(dev, Pl011, dev);

    /* A snapshot is input: indexes must stay inside the FIFO. */
    u->state.rx_first %= FIFO_DEPTH;
    u->state.rx_count = MIN(u->state.rx_count, FIFO_DEPTH);
    char_port_queue_loaded(u->port);
}

static bool pl011_realize(Device *dev, Error **errp)
{
    Pl011 *u = container_of(dev, Pl011, dev);
    Machine *m = dev->machine;

    u->port = char_port_new(m->replay, dev->id, &pl011_client, u);
    u->state.input = char_port_queue(u->port);
    timer_init(&u->timeout, m->clock, pl011_timeout, u, "pl011 receive timeout");
    g_ptr_array_add(m->serial, u->port);
    return true;
}

static void pl011_free(Device *dev)
{
    Pl011 *u = container_of(dev, Pl011, dev);

    timer_del(&u->timeout);
    char_port_free(u->port);
    g_free(u);
}

static const FdtBinding pl011_fdt = {
    .node = "pl011", .compatible = { "arm,pl011", "arm,primecell" },
    .clock_names = { "uartclk", "apb_pclk" }, .irq_type = FDT_IRQ_LEVEL_HIGH,
};

const DeviceType pl011_type = {
    .name = "pl011", .doc = "Arm PrimeCell UART", .bus = SYSTEM_BUS,
    .instead = "-serial says what a board's are connected to",
    .size = sizeof(Pl011), .fields = &pl011_fields, .state_offset = offsetof(Pl011, state),
    .window = PL011_SIZE, .bank = &pl011_bank, .irq_offset = offsetof(Pl011, irq),
    .fdt = &pl011_fdt, .realize = pl011_realize, .reset = pl011_reset,
    .post_load = pl011_post_load, .free = pl011_free,
};
