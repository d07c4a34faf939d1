/*
 * Generic watchdog, revision 1 (Arm Base System Architecture, DEN 0094, "Generic watchdog"; Linux binds
 * to "arm,sbsa-gwdt").
 *
 * Wiring: two frames of 4 KiB side by side, control and refresh; one interrupt, WS0. It counts with the
 * system counter, that is with virtual time. When the counter passes WCV for the first time, WS0
 * goes up; when it does so again, after another WOR ticks, WS1 does, and the machine is told, which is
 * what -action watchdog= decides about. Until the next explicit refresh nothing more happens.
 *
 * Not modelled: a frequency of its own. clock-frequency has to be that of the CPUs' counter (their
 * cntfrq), as drivers take it from there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/watchdog/sbsa_gwdt.h"
#include "hw/core/fdt-binding.h"
#include "hw/core/machine.h"
#include "hw/core/platform-bus.h"
#include "util/trace.h"

#define WCS_EN (1u << 0)
#define WCS_WS0 (1u << 1)
#define WCS_WS1 (1u << 2)
#define WOR_HIGH_MASK 0xffff
/* Implementer: Arm; architecture revision 1; product and revision 0. */
#define IIDR_VALUE 0x0001043b

typedef struct GwdtState {
    uint32_t wcs;
    uint32_t wor_low;
    uint32_t wor_high;
    uint32_t wcv_low;
    uint32_t wcv_high;
} GwdtState;

#define GWDT_FIELDS(F, S)   \
    F(S, U32, wcs)          \
    F(S, U32, wor_low)      \
    F(S, U32, wor_high)     \
    F(S, U32, wcv_low)      \
    F(S, U32, wcv_high)

FIELD_TABLE(gwdt_fields, "sbsa-gwdt", 1, GwdtState, GWDT_FIELDS);

typedef struct GwdtConfig {
    uint32_t frequency;
} GwdtConfig;

typedef struct Gwdt {
    Device dev;
    GwdtState state;
    GwdtConfig config;
    IrqLine ws0;
    Timer timer;
} Gwdt;

/* ---- the chip ---- */

static uint64_t wcv(const GwdtState *s)
{
    return (uint64_t)s->wcv_high << 32 | s->wcv_low;
}

static void load_wcv(GwdtState *s, uint64_t counter)
{
    uint64_t value = counter + ((uint64_t)s->wor_high << 32 | s->wor_low);

    s->wcv_low = (uint32_t)value;
    s->wcv_high = (uint32_t)(value >> 32);
}

/* True: WS1 has gone up. */
static bool timeout_refresh(GwdtState *s, uint64_t counter)
{
    bool second = s->wcs & WCS_WS0;

    s->wcs |= second ? WCS_WS1 : WCS_WS0;
    load_wcv(s, counter);
    return second;
}

static void explicit_refresh(GwdtState *s, uint64_t counter)
{
    s->wcs &= ~(WCS_WS0 | WCS_WS1);
    load_wcv(s, counter);
}

/* ---- the device around it ---- */

static uint64_t counter(const Gwdt *w)
{
    return clock_ticks((uint64_t)clock_now(w->dev.machine->clock), w->config.frequency);
}

static void gwdt_update_irq(Gwdt *w)
{
    irq_set(&w->ws0, w->state.wcs & WCS_WS0);
}

/* Arm for the moment when the counter is past WCV; one beyond the clock's range never comes. */
static void gwdt_arm(void *opaque)
{
    Gwdt *w = opaque;
    bool counts = (w->state.wcs & (WCS_EN | WCS_WS1)) == WCS_EN && wcv(&w->state) != UINT64_MAX;
    int64_t when = counts ? clock_ticks_ns(wcv(&w->state) + 1, w->config.frequency) : INT64_MAX;

    if (when == INT64_MAX) {
        timer_del(&w->timer);
    } else {
        timer_mod(&w->timer, when);
    }
}

static void gwdt_timeout(void *opaque)
{
    Gwdt *w = opaque;

    if (timeout_refresh(&w->state, counter(w))) {
        machine_report(w->dev.machine, MACHINE_REPORT_WATCHDOG);
    }
    trace_sbsa_gwdt_timeout(w->dev.id, w->state.wcs);
    gwdt_update_irq(w);
    gwdt_arm(w);
}

/* A write to WRR, WCS or WOR. */
static void gwdt_refresh(void *opaque)
{
    Gwdt *w = opaque;

    explicit_refresh(&w->state, counter(w));
    trace_sbsa_gwdt_refresh(w->dev.id, wcv(&w->state));
    gwdt_update_irq(w);
    gwdt_arm(w);
}

static void write_wrr(void *opaque, uint32_t value)
{
}

/* ---- registers ---- */

#define STATE(f) REG_FIELD(GwdtState, f)
#define STORED(at, label, f, bits, hook) \
    REG_ROW(at, label, STATE(f), .readable = bits, .writable = bits, .after_write = hook)

static const RegisterRow gwdt_rows[] = {
    REG_ROW(0x000, "WCS", STATE(wcs), .readable = WCS_EN | WCS_WS0 | WCS_WS1, .writable = WCS_EN,
            .after_write = gwdt_refresh),
    STORED(0x008, "WOR", wor_low, UINT32_MAX, gwdt_refresh),
    STORED(0x00c, "WOR[63:32]", wor_high, WOR_HIGH_MASK, gwdt_refresh),
    STORED(0x010, "WCV", wcv_low, UINT32_MAX, gwdt_arm),
    STORED(0x014, "WCV[63:32]", wcv_high, UINT32_MAX, gwdt_arm),
    REG_ROW(0xfcc, "W_IIDR", REG_UNSTORED, .readable = UINT32_MAX, .reset = IIDR_VALUE),
    REG_ROW(GWDT_FRAME + 0x000, "WRR", REG_UNSTORED, .readable = UINT32_MAX, .writable = UINT32_MAX,
            .write = write_wrr, .after_write = gwdt_refresh),
    REG_ROW(GWDT_FRAME + 0xfcc, "W_IIDR", REG_UNSTORED, .readable = UINT32_MAX,
            .reset = IIDR_VALUE),
};

static const RegisterBank gwdt_bank = {
    .device = "sbsa-gwdt", .rows = gwdt_rows, .num_rows = ARRAY_SIZE(gwdt_rows),
    .state_offset = offsetof(Gwdt, state),
};

/* ---- shell ---- */

static void gwdt_reset(Device *dev)
{
    Gwdt *w = container_of(dev, Gwdt, dev);

    register_reset(&gwdt_bank, w);
    timer_del(&w->timer);
    gwdt_update_irq(w);
}

static bool gwdt_realize(Device *dev, Error **errp)
{
    Gwdt *w = container_of(dev, Gwdt, dev);

    timer_init(&w->timer, dev->machine->clock, gwdt_timeout, w, "sbsa-gwdt");
    return true;
}

static void gwdt_free(Device *dev)
{
    Gwdt *w = container_of(dev, Gwdt, dev);

    timer_del(&w->timer);
    g_free(w);
}

static const Property gwdt_properties[] = {
    PROP_UINT("clock-frequency", GwdtConfig, frequency, "62500000", 1, 1000000000,
              "ticks a second: the CPUs' cntfrq"),
    PROP_END
};

static const FdtBinding gwdt_fdt = {
    .node = "watchdog", .compatible = { "arm,sbsa-gwdt" }, .irq_type = FDT_IRQ_LEVEL_HIGH,
    .frames = 2,
};

const DeviceType sbsa_gwdt_type = {
    .name = "sbsa-gwdt", .alias = "sbsa_gwdt", .doc = "Arm generic watchdog", .bus = PLATFORM_BUS,
    .pluggable = true, .size = sizeof(Gwdt),
    .fields = &gwdt_fields, .state_offset = offsetof(Gwdt, state),
    .properties = gwdt_properties, .config_offset = offsetof(Gwdt, config),
    .window = 2 * GWDT_FRAME, .bank = &gwdt_bank, .irq_offset = offsetof(Gwdt, ws0),
    .fdt = &gwdt_fdt, .realize = gwdt_realize, .reset = gwdt_reset, .free = gwdt_free,
};
