/*
 * PrimeCell general-purpose input/output, PL061 (DDI 0190): eight lines.
 *
 * Wiring: one page of registers, the combined interrupt (GPIOINTR), eight
 * inputs, eight outputs. Lines that nobody drives read as low.
 *
 * Not modelled: the hardware control mode of GPIOAFSEL, which is stored only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/gpio/pl061.h"
#include "hw/core/fdt-binding.h"
#include "hw/core/register.h"
#include "util/bitops.h"

/* GPIODATA takes 0x000-0x3fc: bits 9:2 of the address are a mask (3.3.1). */
#define DATA_END 0x400

typedef struct Pl061State {
    uint32_t in;        /* levels at the inputs */
    uint32_t data;      /* what the guest wrote to output lines */
    uint32_t dir;
    uint32_t is;
    uint32_t ibe;
    uint32_t iev;
    uint32_t ie;
    uint32_t edges;     /* edges seen, of lines in edge mode */
    uint32_t afsel;
} Pl061State;

#define PL061_FIELDS(F, S)  \
    F(S, U32, in)           \
    F(S, U32, data)         \
    F(S, U32, dir)          \
    F(S, U32, is)           \
    F(S, U32, ibe)          \
    F(S, U32, iev)          \
    F(S, U32, ie)           \
    F(S, U32, edges)        \
    F(S, U32, afsel)

FIELD_TABLE(pl061_fields, "pl061", 1, Pl061State, PL061_FIELDS);

typedef struct Pl061 {
    Device dev;
    Pl061State state;
    IrqLine irq;
    IrqLine out[PL061_LINES];
} Pl061;

/* ---- the chip ---- */

static uint32_t pins(const Pl061State *s)
{
    return (s->data & s->dir) | (s->in & ~s->dir);
}

static uint32_t raw_status(const Pl061State *s)
{
    /* A level that matches IEV interrupts for as long as it lasts. */
    uint32_t levels = ~(s->in ^ s->iev) & s->is & ~s->dir;

    return (levels | s->edges) & 0xff;
}

/* One input changed to `level`. */
static void input_changed(Pl061State *s, unsigned line, bool level)
{
    uint32_t bit = BIT(line);
    bool wanted = (s->ibe & bit) || ((s->iev & bit) != 0) == level;

    s->in = level ? s->in | bit : s->in & ~bit;
    if (wanted && !(s->is & bit) && !(s->dir & bit)) {
        s->edges |= bit;
    }
}

/* ---- the device around it ---- */

static void pl061_update_irq(void *opaque)
{
    Pl061 *gpio = opaque;

    irq_set(&gpio->irq, (raw_status(&gpio->state) & gpio->state.ie) != 0);
}

static void pl061_update_outputs(void *opaque)
{
    Pl061 *gpio = opaque;

    for (unsigned i = 0; i < PL061_LINES; i++) {
        if (gpio->state.dir & BIT(i)) {
            irq_set(&gpio->out[i], gpio->state.data & BIT(i));
        }
    }
    pl061_update_irq(gpio);
}

static void pl061_set_input(void *opaque, unsigned line, bool level)
{
    Pl061 *gpio = opaque;

    if (((gpio->state.in & BIT(line)) != 0) != level) {
        input_changed(&gpio->state, line, level);
        pl061_update_irq(gpio);
    }
}

/* Lines that turn to level mode forget the edge. */
static void sense_changed(void *opaque)
{
    Pl061 *gpio = opaque;

    gpio->state.edges &= ~gpio->state.is;
    pl061_update_irq(gpio);
}

static uint32_t read_ris(void *opaque)
{
    return raw_status(&((Pl061 *)opaque)->state);
}

static uint32_t read_mis(void *opaque)
{
    const Pl061State *s = &((Pl061 *)opaque)->state;

    return raw_status(s) & s->ie;
}

static void write_ic(void *opaque, uint32_t value)
{
    ((Pl061 *)opaque)->state.edges &= ~value;
}

#define STATE(f) REG_FIELD(Pl061State, f)
#define STORED(at, label, f, hook) \
    REG_ROW(at, label, STATE(f), .readable = 0xff, .writable = 0xff, .after_write = hook)

/* Table 3-1, from GPIODIR on. */
static const RegisterRow pl061_rows[] = {
    STORED(0x400, "GPIODIR", dir, pl061_update_outputs),
    STORED(0x404, "GPIOIS", is, sense_changed),
    STORED(0x408, "GPIOIBE", ibe, NULL),
    STORED(0x40c, "GPIOIEV", iev, pl061_update_irq),
    STORED(0x410, "GPIOIE", ie, pl061_update_irq),
    REG_ROW(0x414, "GPIORIS", REG_UNSTORED, .readable = 0xff, .read = read_ris),
    REG_ROW(0x418, "GPIOMIS", REG_UNSTORED, .readable = 0xff, .read = read_mis),
    REG_ROW(0x41c, "GPIOIC", REG_UNSTORED, .writable = 0xff, .write = write_ic,
            .after_write = pl061_update_irq),
    STORED(0x420, "GPIOAFSEL", afsel, NULL),
    REG_ID_ROW(0xfe0, "GPIOPeriphID0", 0x61),
    REG_ID_ROW(0xfe4, "GPIOPeriphID1", 0x10),
    REG_ID_ROW(0xfe8, "GPIOPeriphID2", 0x04),
    REG_ID_ROW(0xfec, "GPIOPeriphID3", 0x00),
    REG_ID_ROW(0xff0, "GPIOPCellID0", 0x0d),
    REG_ID_ROW(0xff4, "GPIOPCellID1", 0xf0),
    REG_ID_ROW(0xff8, "GPIOPCellID2", 0x05),
    REG_ID_ROW(0xffc, "GPIOPCellID3", 0xb1),
};

static const RegisterBank pl061_bank = {
    .device = "pl061", .rows = pl061_rows, .num_rows = ARRAY_SIZE(pl061_rows),
    .state_offset = offsetof(Pl061, state),
};

static uint64_t pl061_peek(void *opaque, hwaddr offset, unsigned size)
{
    Pl061 *gpio = opaque;

    if (offset < DATA_END) {
        return pins(&gpio->state) & extract32((uint32_t)offset, 2, 8);
    }
    return register_peek(&pl061_bank, gpio, offset);
}

static uint64_t pl061_read(void *opaque, hwaddr offset, unsigned size)
{
    if (offset < DATA_END) {
        return pl061_peek(opaque, offset, size);
    }
    return register_read(&pl061_bank, opaque, offset);
}

static void pl061_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Pl061 *gpio = opaque;

    if (offset < DATA_END) {
        uint32_t mask = extract32((uint32_t)offset, 2, 8) & gpio->state.dir;

        gpio->state.data = (gpio->state.data & ~mask) | ((uint32_t)value & mask);
        pl061_update_outputs(gpio);
        return;
    }
    register_write(&pl061_bank, gpio, offset, (uint32_t)value);
}

static const MmioOps pl061_ops = {
    .read = pl061_read, .write = pl061_write, .peek = pl061_peek, .min_size = 1, .max_size = 4,
};

static void pl061_reset(Device *dev)
{
    Pl061 *gpio = container_of(dev, Pl061, dev);

    register_reset(&pl061_bank, gpio);
    gpio->state.data = 0;
    gpio->state.edges = 0;
    pl061_update_irq(gpio);
}

static IrqLine pl061_input(Device *dev, unsigned line)
{
    assert(line < PL061_LINES);
    return (IrqLine) { pl061_set_input, container_of(dev, Pl061, dev), line };
}

static const FdtBinding pl061_fdt = {
    .node = "pl061", .compatible = { "arm,pl061", "arm,primecell" },
    .clock_names = { "apb_pclk" }, .irq_type = FDT_IRQ_LEVEL_HIGH, .gpio_cells = 2,
};

const DeviceType pl061_type = {
    .name = "pl061", .doc = "Arm PrimeCell GPIO, eight lines", .bus = SYSTEM_BUS,
    .size = sizeof(Pl061), .fields = &pl061_fields, .state_offset = offsetof(Pl061, state),
    .window = PL061_SIZE, .ops = &pl061_ops, .irq_offset = offsetof(Pl061, irq),
    .input = pl061_input, .fdt = &pl061_fdt, .reset = pl061_reset,
};

void pl061_connect_output(Device *dev, unsigned line, IrqLine out)
{
    assert(line < PL061_LINES);
    container_of(dev, Pl061, dev)->out[line] = out;
}
