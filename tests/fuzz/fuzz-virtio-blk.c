/*
 * Fuzz target: a driver of virtio-blk that goes wrong: its rings, chains and requests, with requests in flight
 * that are reset, saved, loaded or spoiled. Shape 2 has an overlay. tests/fuzz/virtio-fuzz.h says what an
 * input is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/block/drive.h"
#include "hw/virtio/virtio-blk.h"
#include "tests/fuzz/virtio-fuzz.h"

static const unsigned fuzz_queues = 2;

static void fuzz_device(Fuzzed *f, uint8_t shape)
{
    static const DeviceType *const types[] = { &virtio_mmio_type, &virtio_blk_type, NULL };
    KeyVal *options = keyval_parse("driver=null-co,size=1M", NULL, NULL);
    bool overlay = shape & 2;

    drive_add(f->d.m, "d", block_open(options, "", overlay ? 0 : BLOCK_WRITABLE, NULL), NULL)->overlay = overlay;
    keyval_free(options);
    fuzz_plug(f, types, "virtio-blk-device,id=disk0,drive=d,num-queues=2");
}

/* Nothing comes from outside but what was asked for. */
static void fuzz_host(Fuzzed *f, uint16_t place, uint32_t value)
{
}

/* ---- seeds: a driver that does it right ---- */

/* Request n, of three descriptors. */
static void add_request(GByteArray *out, unsigned n, uint32_t type, uint32_t sector, uint32_t length, bool in)
{
    unsigned head = 3 * n;

    add(out, BUFFER_WRITE, 16 * n, type);
    add(out, BUFFER_WRITE, 16 * n + 8, sector);
    add_desc(out, 0, head, BUFFER_BASE + 16 * n, 16, DESC_NEXT, head + 1);
    add_desc(out, 0, head + 1, BUFFER_BASE + 0x1000 * (n + 1), length, DESC_NEXT | (in ? DESC_WRITE : 0), head + 2);
    add_desc(out, 0, head + 2, BUFFER_BASE + 0x800 + n, 1, DESC_WRITE, 0);
}

GByteArray *fuzz_seed(unsigned n)
{
    GByteArray *out = g_byte_array_new();
    uint8_t shape = (uint8_t)n;

    if (n >= NUM_SHAPES) {
        g_byte_array_unref(out);
        return NULL;
    }
    g_byte_array_append(out, &shape, 1);
    add_request(out, 0, 0, 8, 4096, true);
    add_request(out, 1, 1, 9, 512, false);
    add_request(out, 2, 13, 0, 16, false);
    add(out, BUFFER_WRITE, 0x3000, 1);
    add(out, BUFFER_WRITE, 0x3008, 20);
    add_request(out, 3, 4, 0, 0, false);
    /* flags, index; ring */
    add(out, RING_WRITE, 16 * QUEUE_SIZE + 4, 0 | 3 << 16);
    add(out, RING_WRITE, 16 * QUEUE_SIZE + 8, 6 | 9 << 16);
    add(out, RING_WRITE, 16 * QUEUE_SIZE, 4 << 16);
    add(out, KICK, 0, 0);
    add(out, STATE, 0, 0);
    add(out, DELIVER, 0, 1);
    add(out, DELIVER, 0, 1);
    add(out, STATE, 0, 0);
    add(out, REGISTER_WRITE, 0x70, 0);
    add(out, DELIVER, 0, 1);
    return out;
}
