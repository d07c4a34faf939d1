/*
 * Fuzz target: a driver of virtio-balloon that goes wrong: rings, page numbers and statistics, with a monitor that
 * asks, and time that passes. tests/fuzz/virtio-fuzz.h says what an input is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/balloon.h"
#include "hw/virtio/virtio-balloon.h"
#include "tests/fuzz/virtio-fuzz.h"

static const unsigned fuzz_queues = 3;

static void fuzz_device(Fuzzed *f, uint8_t shape)
{
    static const DeviceType *const types[] = { &virtio_mmio_type, &virtio_balloon_type, NULL };

    fuzz_plug(f, types, shape & 2 ? "virtio-balloon-device,id=b,guest-stats-polling-interval=1"
                                  : "virtio-balloon-device,id=b");
}

static void fuzz_host(Fuzzed *f, uint16_t place, uint32_t value)
{
    const Balloon *b = f->d.m->balloon;

    switch (place % 3) {
    case 0:
        clock_warp(f->d.m->clock, value);
        clock_run_timers(f->d.m->clock);
        break;
    case 1:
        b->ask_size(b->dev, value);
        break;
    default:
        b->ask_stats(b->dev, value % 4);
        break;
    }
}

/* ---- seeds: a driver that does it right ---- */

GByteArray *fuzz_seed(unsigned n)
{
    GByteArray *out = g_byte_array_new();
    uint8_t shape = (uint8_t)n;

    if (n >= NUM_SHAPES) {
        g_byte_array_unref(out);
        return NULL;
    }
    g_byte_array_append(out, &shape, 1);
    add(out, HOST, 1, RAM_SIZE / 2);
    add(out, DELIVER, 0, 0);
    add(out, BUFFER_WRITE, 0, (uint32_t)(RAM_BASE >> 12) + 0x80);
    add(out, BUFFER_WRITE, 4, (uint32_t)(RAM_BASE >> 12) + 0x81);
    add_buffer(out, 0, 0, BUFFER_BASE, 8, false);
    add(out, REGISTER_WRITE, 0x104, 2);
    add_buffer(out, 1, 0, BUFFER_BASE, 4, false);
    add(out, REGISTER_WRITE, 0x104, 1);
    add(out, BUFFER_WRITE, 0x100, 4 | 99 << 16);
    add_buffer(out, 2, 0, BUFFER_BASE + 0x100, 20, false);
    add(out, HOST, 2, 1);
    add(out, DELIVER, 0, 0);
    add(out, STATE, 0, 0);
    add(out, HOST, 0, 1500000000);
    add_buffer(out, 2, 1, BUFFER_BASE + 0x100, 20, false);
    add(out, STATE, 0, 0);
    add(out, REGISTER_WRITE, 0x70, 0);
    add(out, HOST, 0, 1500000000);
    return out;
}
