/*
 * What fuzz targets of virtio devices share: a driver that goes wrong behind virtio-mmio. The first byte of the
 * input chooses the device's shape, of which 1 is the present interface, 4 packed rings there, and 2 the target's
 * own; then come operations of 8 bytes:
 *   kind, unused, place (2), value (4)
 * A target defines the device (fuzz_device), how many queues are set up (fuzz_queues) and what comes from
 * outside (fuzz_host()). Include it in one file of a target.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_FUZZ_VIRTIO_FUZZ_H
#define TESTS_FUZZ_VIRTIO_FUZZ_H

#include "replay/replay.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/virtio-driver.h"

enum { RING_WRITE, BUFFER_WRITE, REGISTER_WRITE, KICK, DELIVER, STATE, HOST, NUM_KINDS };

enum { SHAPE_MODERN = 1, SHAPE_PACKED = 4, NUM_SHAPES = 8 };

#define OPERATION 8
#define MAX_OPERATIONS 500
#define QUEUE_SIZE 16
/* The rings of the queues behind the first one, of the present interface. */
#define MORE_RINGS (RAM_BASE + 0xc0000)
#define MORE_RINGS_SPACE 0x400

typedef struct Fuzzed {
    Driver d;
    Replay *replay;
    uint64_t position;
} Fuzzed;

/* Plug the device, and what belongs to it. */
static void fuzz_device(Fuzzed *f, uint8_t shape);
static void fuzz_host(Fuzzed *f, uint16_t place, uint32_t value);
static const unsigned fuzz_queues;

static uint64_t fuzz_position(void *opaque)
{
    return ((Fuzzed *)opaque)->position++;
}

/* The types of the transport, the device, and what else there is. */
static inline void fuzz_plug(Fuzzed *f, const DeviceType *const *types, const char *device)
{
    g_autofree char *packed = g_strdup_printf("%s.packed=on", types[1]->name);

    f->d.m->device_types = types;
    if (!globals_add(f->d.m, packed, NULL)) {
        abort();
    }
    if (!device_plug(f->d.m, device, NULL)) {
        abort();
    }
}

static void fuzz_start_queue(Driver *d, unsigned q)
{
    uint32_t ring = (uint32_t)MORE_RINGS + q * MORE_RINGS_SPACE;

    reg_write(d, 0x30, q);
    reg_write(d, 0x38, QUEUE_SIZE);
    reg_write(d, 0x80, ring);
    reg_write(d, 0x90, ring + 16 * QUEUE_SIZE);
    reg_write(d, 0xa0, ring + 16 * QUEUE_SIZE + 0x40);
    reg_write(d, 0x44, 1);
}

static void fuzz_make(Fuzzed *f, uint8_t shape)
{
    ReplayConfig config = { .mode = REPLAY_MODE_NONE };
    ReplayHost host = { .position = fuzz_position, .opaque = f };
    bool modern = shape & SHAPE_MODERN;
    uint64_t features = UINT32_MAX | 1ull << VIRTIO_F_VERSION_1;

    f->replay = replay_new(&config, NULL);
    driver_init_machine(&f->d, f->replay);
    clock_use_icount(f->d.m->clock, 0);
    driver_add_transport(&f->d, MMIO_BASE, !modern, NULL, NULL);
    fuzz_device(f, shape);
    replay_set_host(f->replay, &host);
    if (!replay_start(f->replay, NULL)) {
        abort();
    }
    machine_reset_devices(f->d.m);
    if (!modern) {
        driver_start_legacy(&f->d, UINT32_MAX, QUEUE_SIZE);
        return;
    }
    driver_start_with(&f->d, features | (shape & SHAPE_PACKED ? 1ull << VIRTIO_F_RING_PACKED : 0), QUEUE_SIZE);
    for (unsigned q = 1; q < fuzz_queues; q++) {
        fuzz_start_queue(&f->d, q);
    }
}

/* All devices are loaded as they were saved. */
static void fuzz_carry(Machine *m)
{
    g_autoptr(GByteArray) before = g_byte_array_new(), after = g_byte_array_new();
    ByteReader in;

    machine_save_devices(m, before);
    byte_reader_init(&in, before->data, before->len);
    if (!machine_load_devices(m, &in, NULL)) {
        abort();
    }
    machine_save_devices(m, after);
    if (before->len != after->len || memcmp(before->data, after->data, before->len)) {
        abort();
    }
}

/* Rings are in two places: that of queue 0, and those of the others. */
static hwaddr fuzz_ring(uint16_t place)
{
    return place & 0x8000 ? MORE_RINGS + place % 0x4000 : RING_BASE + place % 0x3000;
}

static void fuzz_run(Fuzzed *f, const uint8_t *op)
{
    uint16_t place = (uint16_t)load_le(op + 2, 2);
    uint32_t value = (uint32_t)load_le(op + 4, 4);
    MemoryMap *map = f->d.m->memory;

    switch (op[0] % NUM_KINDS) {
    case RING_WRITE:
        memory_write(map, fuzz_ring(place), &value, 4);
        break;
    case BUFFER_WRITE:
        memory_write(map, BUFFER_BASE + place, &value, 4);
        break;
    case REGISTER_WRITE:
        memory_io_write(map, MMIO_BASE + (place & 0x1fc), 4, value);
        break;
    case KICK:
        reg_write(&f->d, 0x50, value % 8);
        break;
    case DELIVER:
        g_usleep(value & 1 ? 50 : 0);
        replay_safe_point(f->replay);
        break;
    case STATE:
        fuzz_carry(f->d.m);
        break;
    case HOST:
        fuzz_host(f, place, value);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Fuzzed f = { 0 };

    if (!size) {
        return 0;
    }
    fuzz_make(&f, data[0]);
    for (size_t at = 1, n = 0; at + OPERATION <= size && n < MAX_OPERATIONS; at += OPERATION, n++) {
        fuzz_run(&f, data + at);
    }
    driver_free(&f.d);
    replay_free(f.replay);
    return 0;
}

/* ---- seeds ---- */

static inline void add(GByteArray *out, uint8_t kind, hwaddr place, uint32_t value)
{
    uint8_t op[OPERATION] = { kind };

    store_le(op + 2, place, 2);
    store_le(op + 4, value, 4);
    g_byte_array_append(out, op, sizeof(op));
}

/* Where queue q has its rings, as a place. */
static inline hwaddr seed_ring(unsigned q)
{
    return q ? 0x8000 + q * MORE_RINGS_SPACE : 0;
}

/* A descriptor, of a packed ring too if it is the next one there. */
static inline void add_desc(GByteArray *out, unsigned q, unsigned i, hwaddr addr, uint32_t length, uint32_t flags,
                            uint32_t next)
{
    uint32_t packed = i | (flags | 1 << 7) << 16;

    add(out, RING_WRITE, seed_ring(q) + 16 * i, (uint32_t)addr);
    add(out, RING_WRITE, seed_ring(q) + 16 * i + 8, length);
    add(out, RING_WRITE, seed_ring(q) + 16 * i + 12, out->data[0] & SHAPE_PACKED ? packed : flags | next << 16);
}

/* One buffer, descriptor and entry number i of queue q, and a kick. */
static inline void add_buffer(GByteArray *out, unsigned q, unsigned i, hwaddr addr, uint32_t length, bool in)
{
    hwaddr avail = seed_ring(q) + 16 * QUEUE_SIZE;

    add_desc(out, q, i, addr, length, in ? DESC_WRITE : 0, 0);
    if (!(out->data[0] & SHAPE_PACKED)) {
        add(out, RING_WRITE, avail + 4 + 4 * (i / 2), i & 1 ? (i - 1) | i << 16 : i);
        add(out, RING_WRITE, avail, (i + 1) << 16);
    }
    add(out, KICK, 0, q);
}

#endif
