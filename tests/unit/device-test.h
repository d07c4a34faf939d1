/*
 * What device tests share: guest accesses by address, an interrupt line that
 * remembers, and save and load of a whole machine's devices.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_DEVICE_TEST_H
#define TESTS_DEVICE_TEST_H

#include "hw/core/irq.h"
#include "hw/core/machine.h"

typedef struct IrqSink {
    bool level;
    unsigned rises;
} IrqSink;

static inline void irq_sink_set(void *opaque, unsigned n, bool level)
{
    IrqSink *sink = opaque;

    sink->rises += level && !sink->level;
    sink->level = level;
}

static inline IrqLine irq_sink_line(IrqSink *sink)
{
    return (IrqLine) { irq_sink_set, sink, 0 };
}

static inline uint64_t io_read(Machine *m, hwaddr addr, unsigned size)
{
    uint64_t value;

    g_assert_true(memory_io_read(m->memory, addr, size, &value));
    return value;
}

static inline void io_write(Machine *m, hwaddr addr, unsigned size, uint64_t value)
{
    g_assert_true(memory_io_write(m->memory, addr, size, value));
}

static inline uint32_t rd(Machine *m, hwaddr addr)
{
    return (uint32_t)io_read(m, addr, 4);
}

static inline void wr(Machine *m, hwaddr addr, uint32_t value)
{
    io_write(m, addr, 4, value);
}

static inline uint32_t peek(Machine *m, hwaddr addr)
{
    uint32_t value;

    g_assert_true(memory_peek(m->memory, addr, &value, 4));
    return value;
}

/* device_add() with properties, and a second window. */
static inline Device *add_device(Machine *m, const DeviceType *type, const char *id,
                                 const char *properties, hwaddr base, hwaddr base2)
{
    Device *dev = device_new(type, m, id);

    g_assert_true(device_set(dev, properties, NULL));
    g_assert_true(device_realize(dev, NULL));
    g_assert_true(device_map(dev, base, base2, NULL));
    return dev;
}

/* Let virtual time pass and run what is due. */
static inline void pass_ns(Machine *m, int64_t ns)
{
    clock_warp(m->clock, ns);
    clock_run_timers(m->clock);
}

static inline uint64_t devices_digest(Machine *m)
{
    Digest *d = digest_new();
    uint64_t value;

    machine_digest_devices(m, d);
    value = digest_value(d);
    digest_free(d);
    return value;
}

/* Carry the devices' state from one machine to an equal one. */
static inline void devices_transfer(Machine *from, Machine *to)
{
    GByteArray *bytes = g_byte_array_new();
    Error *err = NULL;
    ByteReader r;

    machine_save_devices(from, bytes);
    byte_reader_init(&r, bytes->data, bytes->len);
    machine_load_devices(to, &r, &err);
    g_assert_null(err);
    g_assert_cmpuint(byte_reader_left(&r), ==, 0);
    g_byte_array_free(bytes, TRUE);
    g_assert_cmphex(devices_digest(from), ==, devices_digest(to));
}

/* One row: what it reads after a reset, and after all ones were written. */
typedef struct RowCheck {
    hwaddr offset;
    uint32_t reset, after_ones;
} RowCheck;

static inline void check_rows(Machine *m, hwaddr base, const RowCheck *rows, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        machine_reset_devices(m);
        g_assert_cmphex(rd(m, base + rows[i].offset), ==, rows[i].reset);
        wr(m, base + rows[i].offset, UINT32_MAX);
        if (rd(m, base + rows[i].offset) != rows[i].after_ones) {
            g_test_message("at offset 0x%" PRIx64, rows[i].offset);
        }
        g_assert_cmphex(rd(m, base + rows[i].offset), ==, rows[i].after_ones);
    }
    machine_reset_devices(m);
}

#endif
