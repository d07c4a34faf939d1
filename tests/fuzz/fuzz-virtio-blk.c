/*
 * Fuzz target: a driver of virtio-blk that goes wrong: its rings, chains and requests, with requests in flight
 * that are reset, saved, loaded or spoiled. The first byte of the input chooses the interface (1) and an
 * overlay (2); then come operations of 8 bytes:
 *   kind, unused, place (2), value (4)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tests/fuzz/fuzz.h"
#include "hw/block/drive.h"
#include "hw/virtio/virtio-blk.h"
#include "replay/replay.h"
#include "tests/unit/virtio-driver.h"

enum { RING_WRITE, BUFFER_WRITE, REGISTER_WRITE, KICK, DELIVER, STATE, NUM_KINDS };

#define OPERATION 8
#define MAX_OPERATIONS 500
#define QUEUE_SIZE 16

typedef struct Blk {
    Driver d;
    Replay *replay;
    uint64_t position;
} Blk;

static uint64_t position(void *opaque)
{
    return ((Blk *)opaque)->position++;
}

static void make(Blk *b, uint8_t shape)
{
    const DeviceType *const types[] = { &virtio_mmio_type, &virtio_blk_type, NULL };
    ReplayConfig config = { .mode = REPLAY_MODE_NONE };
    ReplayHost host = { .position = position, .opaque = b };
    KeyVal *options = keyval_parse("driver=null-co,size=1M", NULL, NULL);
    bool modern = shape & 1, overlay = shape & 2;

    b->replay = replay_new(&config, NULL);
    driver_init_machine(&b->d, b->replay);
    clock_use_icount(b->d.m->clock, 0);
    drive_add(b->d.m, "d", block_open(options, "", overlay ? 0 : BLOCK_WRITABLE, NULL), NULL)->overlay = overlay;
    keyval_free(options);
    driver_add_transport(&b->d, MMIO_BASE, !modern, NULL, NULL);
    b->d.m->device_types = types;
    if (!device_plug(b->d.m, "virtio-blk-device,id=disk0,drive=d,num-queues=2", NULL)) {
        abort();
    }
    b->d.m->device_types = NULL;
    b->d.v = container_of(machine_find_device(b->d.m, "disk0"), VirtioDevice, dev);
    replay_set_host(b->replay, &host);
    if (!replay_start(b->replay, NULL)) {
        abort();
    }
    machine_reset_devices(b->d.m);
    if (modern) {
        driver_start_modern(&b->d, UINT32_MAX, QUEUE_SIZE);
    } else {
        driver_start_legacy(&b->d, UINT32_MAX, QUEUE_SIZE);
    }
}

/* It is loaded as it was saved. */
static void carry(Device *dev)
{
    g_autoptr(GByteArray) before = g_byte_array_new(), after = g_byte_array_new();
    ByteReader in;

    device_save(dev, before);
    byte_reader_init(&in, before->data, before->len);
    if (!device_load(dev, &in, NULL)) {
        abort();
    }
    device_save(dev, after);
    if (before->len != after->len || memcmp(before->data, after->data, before->len)) {
        abort();
    }
}

static void run(Blk *b, const uint8_t *op)
{
    uint16_t place = (uint16_t)load_le(op + 2, 2);
    uint32_t value = (uint32_t)load_le(op + 4, 4);
    MemoryMap *map = b->d.m->memory;

    switch (op[0] % NUM_KINDS) {
    case RING_WRITE:
        memory_write(map, RING_BASE + place % 0x3000, &value, 4);
        break;
    case BUFFER_WRITE:
        memory_write(map, BUFFER_BASE + place, &value, 4);
        break;
    case REGISTER_WRITE:
        memory_io_write(map, MMIO_BASE + (place & 0x1fc), 4, value);
        break;
    case KICK:
        kick(&b->d);
        break;
    case DELIVER:
        g_usleep(value & 1 ? 50 : 0);
        replay_safe_point(b->replay);
        break;
    case STATE:
        carry(&b->d.v->dev);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Blk b = { 0 };

    if (!size) {
        return 0;
    }
    make(&b, data[0]);
    for (size_t at = 1, n = 0; at + OPERATION <= size && n < MAX_OPERATIONS; at += OPERATION, n++) {
        run(&b, data + at);
    }
    driver_free(&b.d);
    replay_free(b.replay);
    return 0;
}

/* ---- seeds: a driver that does it right ---- */

static void add(GByteArray *out, uint8_t kind, hwaddr place, uint32_t value)
{
    uint8_t op[OPERATION] = { kind };

    store_le(op + 2, place, 2);
    store_le(op + 4, value, 4);
    g_byte_array_append(out, op, sizeof(op));
}

static void add_desc(GByteArray *out, unsigned i, hwaddr addr, uint32_t length, uint32_t flags, uint32_t next)
{
    add(out, RING_WRITE, 16 * i, (uint32_t)addr);
    add(out, RING_WRITE, 16 * i + 8, length);
    add(out, RING_WRITE, 16 * i + 12, flags | next << 16);
}

/* Request n, of three descriptors. */
static void add_request(GByteArray *out, unsigned n, uint32_t type, uint32_t sector, uint32_t length, bool in)
{
    unsigned head = 3 * n;

    add(out, BUFFER_WRITE, 16 * n, type);
    add(out, BUFFER_WRITE, 16 * n + 8, sector);
    add_desc(out, head, BUFFER_BASE + 16 * n, 16, DESC_NEXT, head + 1);
    add_desc(out, head + 1, BUFFER_BASE + 0x1000 * (n + 1), length, DESC_NEXT | (in ? DESC_WRITE : 0), head + 2);
    add_desc(out, head + 2, BUFFER_BASE + 0x800 + n, 1, DESC_WRITE, 0);
}

GByteArray *fuzz_seed(unsigned n)
{
    GByteArray *out = g_byte_array_new();
    uint8_t shape = (uint8_t)n;

    if (n >= 4) {
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
