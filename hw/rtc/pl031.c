/*
 * PrimeCell real-time clock, PL031 (DDI 0224).
 *
 * Wiring: one page of registers, one interrupt (RTCINTR). The counter is the
 * machine's wall clock (RtcConfig) in seconds plus an offset that the guest sets by
 * loading the counter; each look at a clock of the host goes through replay_value(). The
 * alarm is a timer on the virtual clock, set for the distance between counter
 * and match register.
 *
 * Not modelled: stopping the counter. It runs from power-on, so RTCCR reads as
 * one. Like a battery-backed clock it keeps its time over a reset.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/rtc/pl031.h"
#include "hw/core/fdt-binding.h"
#include "hw/core/machine.h"
#include "hw/core/register.h"
#include "replay/sources.h"
#include "util/host-clock.h"
#include "util/trace.h"

#define NS_PER_SECOND 1000000000

typedef struct Pl031State {
    uint32_t offset;        /* counter - wall clock, modulo 2^32 */
    uint32_t last_dr;       /* what the guest read last, for observers */
    uint32_t mr;
    uint32_t lr;
    uint32_t imsc;
    uint32_t ris;
} Pl031State;

#define PL031_FIELDS(F, S)   \
    F(S, U32, offset)        \
    F(S, U32, last_dr)       \
    F(S, U32, mr)            \
    F(S, U32, lr)            \
    F(S, U32, imsc)          \
    F(S, U32, ris)

FIELD_TABLE(pl031_fields, "pl031", 2, Pl031State, PL031_FIELDS);

typedef struct Pl031 {
    Device dev;             /* first */
    Pl031State state;
    IrqLine irq;
    ReplaySource *wall_clock;
    Timer alarm;
} Pl031;

static void pl031_update_irq(void *opaque)
{
    Pl031 *rtc = opaque;

    irq_set(&rtc->irq, (rtc->state.ris & rtc->state.imsc) != 0);
}

static void produce_wall_clock(void *opaque, void *out, size_t length)
{
    const RtcConfig *config = &((Pl031 *)opaque)->dev.machine->rtc;
    int64_t ns = config->clock == RTC_CLOCK_RT ? host_monotonic_ns() : host_realtime_ns();
    int64_t le = GINT64_TO_LE(ns + config->offset_ns);

    assert(length == sizeof(le));
    memcpy(out, &le, sizeof(le));
}

static uint32_t wall_clock_seconds(Pl031 *rtc)
{
    const Machine *m = rtc->dev.machine;
    int64_t le;

    if (m->rtc.clock == RTC_CLOCK_VM) {
        return (uint32_t)((clock_now(m->clock) + m->rtc.offset_ns) / NS_PER_SECOND);
    }
    replay_value(rtc->wall_clock, produce_wall_clock, rtc, &le, sizeof(le));
    return (uint32_t)(GINT64_FROM_LE(le) / NS_PER_SECOND);
}

static void pl031_alarm(void *opaque)
{
    Pl031 *rtc = opaque;

    trace_pl031_alarm(rtc->dev.id);
    timer_del(&rtc->alarm);
    rtc->state.ris = 1;
    pl031_update_irq(rtc);
}

/* Arm for the moment when the counter, now `counter`, gets to MR. */
static void alarm_start(Pl031 *rtc, uint32_t counter)
{
    uint32_t seconds = rtc->state.mr - counter;

    if (seconds == 0) {
        pl031_alarm(rtc);
        return;
    }
    timer_mod(&rtc->alarm,
              clock_now(rtc->dev.machine->clock) + (int64_t)seconds * NS_PER_SECOND);
}

static uint32_t read_dr(void *opaque)
{
    Pl031 *rtc = opaque;

    rtc->state.last_dr = wall_clock_seconds(rtc) + rtc->state.offset;
    return rtc->state.last_dr;
}

static uint32_t peek_dr(void *opaque)
{
    return ((Pl031 *)opaque)->state.last_dr;
}

static void write_mr(void *opaque, uint32_t value)
{
    Pl031 *rtc = opaque;

    rtc->state.mr = value;
    alarm_start(rtc, wall_clock_seconds(rtc) + rtc->state.offset);
}

static void write_lr(void *opaque, uint32_t value)
{
    Pl031 *rtc = opaque;

    rtc->state.lr = value;
    rtc->state.offset = value - wall_clock_seconds(rtc);
    machine_notice(rtc->dev.machine, MACHINE_NOTICE_RTC, rtc->dev.id, (int32_t)rtc->state.offset);
    /* An alarm that is set stands for a counter value, which is now elsewhere. */
    if (timer_pending(&rtc->alarm)) {
        alarm_start(rtc, value);
    }
}

/* "Once it is enabled, any writes to this bit have no effect" (3.3.4). */
static void write_cr(void *opaque, uint32_t value)
{
}

static uint32_t read_mis(void *opaque)
{
    const Pl031State *s = &((Pl031 *)opaque)->state;

    return s->ris & s->imsc;
}

static void write_icr(void *opaque, uint32_t value)
{
    ((Pl031 *)opaque)->state.ris &= ~value;
}

#define STATE(f) REG_FIELD(Pl031State, f)

/* Table 3-1. */
static const RegisterRow pl031_rows[] = {
    REG_ROW(0x000, "RTCDR", REG_UNSTORED, .readable = UINT32_MAX, .read = read_dr, .peek = peek_dr),
    REG_ROW(0x004, "RTCMR", STATE(mr), .readable = UINT32_MAX, .writable = UINT32_MAX,
            .write = write_mr),
    REG_ROW(0x008, "RTCLR", STATE(lr), .readable = UINT32_MAX, .writable = UINT32_MAX,
            .write = write_lr),
    REG_ROW(0x00c, "RTCCR", REG_UNSTORED, .readable = 1, .writable = 1, .reset = 1,
            .write = write_cr),
    REG_ROW(0x010, "RTCIMSC", STATE(imsc), .readable = 1, .writable = 1,
            .after_write = pl031_update_irq),
    REG_ROW(0x014, "RTCRIS", STATE(ris), .readable = 1),
    REG_ROW(0x018, "RTCMIS", REG_UNSTORED, .readable = 1, .read = read_mis),
    REG_ROW(0x01c, "RTCICR", REG_UNSTORED, .writable = 1, .write = write_icr,
            .after_write = pl031_update_irq),
    REG_ID_ROW(0xfe0, "RTCPeriphID0", 0x31),
    REG_ID_ROW(0xfe4, "RTCPeriphID1", 0x10),
    REG_ID_ROW(0xfe8, "RTCPeriphID2", 0x14),
    REG_ID_ROW(0xfec, "RTCPeriphID3", 0x00),
    REG_ID_ROW(0xff0, "RTCPCellID0", 0x0d),
    REG_ID_ROW(0xff4, "RTCPCellID1", 0xf0),
    REG_ID_ROW(0xff8, "RTCPCellID2", 0x05),
    REG_ID_ROW(0xffc, "RTCPCellID3", 0xb1),
};

static const RegisterBank pl031_bank = {
    .device = "pl031", .rows = pl031_rows, .num_rows = ARRAY_SIZE(pl031_rows),
    .state_offset = offsetof(Pl031, state),
};

static void pl031_reset(Device *dev)
{
    Pl031 *rtc = container_of(dev, Pl031, dev);
    uint32_t lr = rtc->state.lr;

    register_reset(&pl031_bank, rtc);
    rtc->state.lr = lr;
    timer_del(&rtc->alarm);
    pl031_update_irq(rtc);
}

static bool pl031_realize(Device *dev, Error **errp)
{
    Pl031 *rtc = container_of(dev, Pl031, dev);
    Machine *m = dev->machine;

    rtc->wall_clock = replay_source_new(m->replay, REPLAY_KIND_HOST_CLOCK, dev->id, NULL, rtc);
    timer_init(&rtc->alarm, m->clock, pl031_alarm, rtc, "pl031 alarm");
    return true;
}

static void pl031_free(Device *dev)
{
    Pl031 *rtc = container_of(dev, Pl031, dev);

    timer_del(&rtc->alarm);
    g_free(rtc);
}

static const FdtBinding pl031_fdt = {
    .node = "pl031", .compatible = { "arm,pl031", "arm,primecell" },
    .clock_names = { "apb_pclk" }, .irq_type = FDT_IRQ_LEVEL_HIGH,
};

const DeviceType pl031_type = {
    .name = "pl031", .doc = "Arm PrimeCell real-time clock", .bus = SYSTEM_BUS,
    .size = sizeof(Pl031), .fields = &pl031_fields, .state_offset = offsetof(Pl031, state),
    .window = PL031_SIZE, .bank = &pl031_bank, .irq_offset = offsetof(Pl031, irq),
    .fdt = &pl031_fdt, .realize = pl031_realize, .reset = pl031_reset, .free = pl031_free,
};
