/*
 * Fuzz target: a guest that sends wrong command sequences to NOR flash. The first byte of the input chooses whether
 * the flash has a drive, and whether that is read-only; then come operations of 8 bytes:
 *   kind, log2 of the access's size, place (2), value (4)
 * STATE goes on with a flash that was loaded after one byte of its state was damaged.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/block/drive.h"
#include "hw/block/pflash_cfi01.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/device-test.h"
#include "tests/unit/fake-replay.h"

enum { WRITE, READ, STATE, RESET, NUM_KINDS };
enum { SHAPE_DRIVE = 1, SHAPE_READONLY = 2, NUM_SHAPES = 4 };

#define BASE 0x4000000
#define NUM_BLOCKS 4
#define SIZE (NUM_BLOCKS * PFLASH_BLOCK_SIZE)
#define OPERATION 8
#define MAX_OPERATIONS 1000
#define MAX_STATES 8

static Machine *make(uint8_t shape)
{
    Machine *m = machine_new(NULL);
    KeyVal *options = keyval_parse("driver=null-co,size=1M", NULL, NULL);
    const char *properties = shape & SHAPE_DRIVE ? "num-blocks=4,drive=d" : "num-blocks=4";

    drive_add(m, "d", block_open(options, "", shape & SHAPE_READONLY ? 0 : BLOCK_WRITABLE, NULL), NULL);
    keyval_free(options);
    clock_use_icount(m->clock, 0);
    add_device(m, &pflash_cfi01_type, "flash", properties, BASE, 0);
    machine_reset_devices(m);
    return m;
}

/* The last 4 KiB of each 64 KiB, so that words lie across the ends of write buffers and blocks. */
static hwaddr offset_of(uint16_t place)
{
    return (place >> 12) * 0x10000u + 0xf000 + place % 0x1000;
}

/* What the guest reads is what observers see, until a command asks for something else. */
static void read_back(Machine *m, hwaddr offset, unsigned size)
{
    const MemRegion *region = machine_find_device(m, "flash")->region[0];
    uint64_t value = 0, expected = 0;

    if (offset + size > SIZE || !memory_io_read(m->memory, BASE + offset, size, &value) || region->io_reads) {
        return;
    }
    assert(memory_peek(m->memory, BASE + offset, &expected, size));
    assert(GUINT64_FROM_LE(expected) == value);
}

static bool load(Machine *m, const GByteArray *saved)
{
    ByteReader in;

    byte_reader_init(&in, saved->data, saved->len);
    return machine_load_devices(m, &in, NULL);
}

/* After a load that failed, the machine must not run on: it goes back to what it was. */
static void load_damaged(Machine *m, GByteArray *saved, uint16_t place, uint8_t damage)
{
    saved->data[place % saved->len] ^= damage;
    if (!load(m, saved)) {
        saved->data[place % saved->len] ^= damage;
        assert(load(m, saved));
    }
}

/* What has become of a damaged state is saved and loaded as it is. */
static void carry(Machine *m, uint16_t place, uint8_t damage)
{
    g_autoptr(GByteArray) saved = g_byte_array_new(), again = g_byte_array_new();

    machine_save_devices(m, saved);
    load_damaged(m, saved, place, damage);
    g_byte_array_set_size(saved, 0);
    machine_save_devices(m, saved);
    assert(load(m, saved));
    machine_save_devices(m, again);
    assert(saved->len == again->len && memcmp(saved->data, again->data, saved->len) == 0);
}

static void operate(Machine *m, const uint8_t *op, unsigned *states)
{
    uint16_t place = (uint16_t)load_le(op + 2, 2);
    uint32_t value = (uint32_t)load_le(op + 4, 4);
    unsigned size = 1u << op[1] % 3;

    switch (op[0] % NUM_KINDS) {
    case WRITE:
        memory_io_write(m->memory, BASE + offset_of(place), size, size == 4 ? value : value & ((1u << 8 * size) - 1));
        break;
    case READ:
        read_back(m, offset_of(place), size);
        break;
    case STATE:
        if (++*states <= MAX_STATES) {
            carry(m, place, (uint8_t)value);
        }
        break;
    case RESET:
        machine_reset_devices(m);
        break;
    }
}

/* A drive that is read-only is all zeros, as it was. */
static void check_protected(Machine *m)
{
    const uint8_t *content = machine_find_device(m, "flash")->region[0]->host;

    assert(content[0] == 0 && memcmp(content, content + 1, SIZE - 1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t shape = size ? data[0] : 0;
    Machine *m = make(shape);
    unsigned states = 0;

    for (size_t i = 1; i + OPERATION <= MIN(size, OPERATION * MAX_OPERATIONS); i += OPERATION) {
        operate(m, data + i, &states);
    }
    if ((shape & SHAPE_DRIVE) && (shape & SHAPE_READONLY)) {
        check_protected(m);
    }
    machine_free(m);
    return 0;
}

/* ---- seeds: a driver that does it right ---- */

static void add(GByteArray *out, uint8_t kind, uint8_t log_size, uint16_t place, uint32_t value)
{
    bytes_put_u8(out, kind);
    bytes_put_u8(out, log_size);
    bytes_put_le16(out, place);
    bytes_put_le32(out, value);
}

static void command(GByteArray *out, uint16_t place, uint32_t c)
{
    add(out, WRITE, 2, place, c * 0x00010001u);
}

GByteArray *fuzz_seed(unsigned n)
{
    GByteArray *out = g_byte_array_new();

    if (n >= NUM_SHAPES) {
        g_byte_array_unref(out);
        return NULL;
    }
    bytes_put_u8(out, (uint8_t)n);
    /* Identify it. */
    command(out, 0, 0x98);
    add(out, READ, 2, 0x40, 0);
    command(out, 0, 0x90);
    add(out, READ, 1, 4, 0);
    /* Erase, then program a word. */
    command(out, 0x100, 0x20);
    command(out, 0x100, 0xd0);
    add(out, READ, 2, 0x100, 0);
    command(out, 0x100, 0x40);
    add(out, WRITE, 2, 0x100, 0x12345678);
    command(out, 0, 0xff);
    add(out, READ, 2, 0x100, 0);
    /* The write buffer, of three words. */
    command(out, 0x3000, 0xe8);
    command(out, 0x3000, 2);
    add(out, WRITE, 2, 0x3000, 0xcafe0001);
    add(out, STATE, 0, 0, 0);
    add(out, WRITE, 2, 0x3004, 0xcafe0002);
    add(out, WRITE, 2, 0x3008, 0xcafe0003);
    command(out, 0x3000, 0xd0);
    command(out, 0, 0x50);
    command(out, 0x3000, 0x60);
    command(out, 0x3000, 0xd0);
    add(out, STATE, 0, 60, 3);
    add(out, RESET, 0, 0, 0);
    add(out, READ, 2, 0x3004, 0);
    return out;
}
