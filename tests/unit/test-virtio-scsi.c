/*
 * virtio-scsi with a scsi-hd and a scsi-cd, behind virtio-mmio: addresses, commands, sense, task management, a reset
 * with commands in flight, broken drivers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include <unistd.h>
#include "hw/block/drive.h"
#include "hw/scsi/scsi.h"
#include "hw/virtio/virtio-scsi.h"
#include "replay/replay.h"
#include "util/bytes.h"
#include "virtio-driver.h"

#define DISK_BYTES (1u << 20)
#define REQUEST BUFFER_BASE
#define REPLY (BUFFER_BASE + 0x400)
#define DATA (BUFFER_BASE + 0x1000)
#define REQUEST_BYTES 51
#define REPLY_BYTES 108

enum { CONTROL, EVENT, COMMANDS, QUEUES };
enum { GOOD = 0, CHECK = 2, RESPONSE_OK = 0, ABORTED = 2, BAD_TARGET = 3, RESET = 4 };

typedef struct Fixture {
    Driver d[QUEUES];
    Replay *replay;
    char *path;
    uint64_t pos;
} Fixture;

static uint64_t position(void *opaque)
{
    return ((Fixture *)opaque)->pos++;
}

static uint8_t content(uint64_t offset)
{
    return (uint8_t)(offset / 512 * 7 + offset);
}

static void make_image(Fixture *f)
{
    g_autofree uint8_t *data = g_malloc(DISK_BYTES);
    int fd = g_file_open_tmp("test-virtio-scsi-XXXXXX", &f->path, NULL);

    for (uint64_t i = 0; i < DISK_BYTES; i++) {
        data[i] = content(i);
    }
    g_assert_cmpint(write(fd, data, DISK_BYTES), ==, DISK_BYTES);
    close(fd);
}

static void plug(Fixture *f)
{
    const DeviceType *const types[] = { &virtio_mmio_type, &virtio_scsi_type, &scsi_hd_type, &scsi_cd_type, NULL };
    const char *const devices[] = {
        "virtio-scsi-device,id=s", "scsi-hd,id=hd,drive=d,serial=abc,wwn=0x5000c50012345678", "scsi-cd,id=cd",
    };
    Machine *m = f->d[0].m;

    drive_add(m, "d", block_open_image(f->path, "raw", BLOCK_WRITABLE, NULL), NULL);
    driver_add_transport(&f->d[0], MMIO_BASE, false, NULL, NULL);
    m->device_types = types;
    for (unsigned i = 0; i < ARRAY_SIZE(devices); i++) {
        Error *err = NULL;

        device_plug(m, devices[i], &err);
        g_assert_cmpstr(err ? error_get_pretty(err) : NULL, ==, NULL);
    }
    m->device_types = NULL;
    f->d[0].v = container_of(machine_find_device(m, "s"), VirtioDevice, dev);
}

static void begin(Fixture *f)
{
    ReplayConfig config = { .mode = REPLAY_MODE_NONE };
    ReplayHost host = { .position = position, .opaque = f };

    f->replay = replay_new(&config, NULL);
    driver_init_machine(&f->d[0], f->replay);
    make_image(f);
    plug(f);
    replay_set_host(f->replay, &host);
    g_assert_true(replay_start(f->replay, NULL));
    machine_reset_devices(f->d[0].m);
    driver_start_modern(&f->d[0], 0xffffffff & ~(1u << VIRTIO_F_EVENT_IDX), 64);
    driver_start_more(f->d, QUEUES);
}

static void end(Fixture *f)
{
    driver_free(&f->d[0]);
    replay_free(f->replay);
    g_unlink(f->path);
    g_free(f->path);
}

static void wait_used(Fixture *f, unsigned q, uint16_t count)
{
    for (unsigned i = 0; used_index(&f->d[q]) != count; i++) {
        g_assert_cmpuint(i, <, 10000);
        if (!replay_safe_point(f->replay)) {
            g_usleep(1000);
        }
    }
}

/* A command of target `target` into the queue: its number is its id, too. */
static void put(Fixture *f, unsigned n, unsigned target, const uint8_t *cdb, unsigned length, uint32_t out,
                uint32_t in)
{
    Driver *d = &f->d[COMMANDS];
    hwaddr request = REQUEST + 64 * n, reply = REPLY + 128 * n;
    uint16_t head = (uint16_t)(8 * n);

    for (unsigned i = 0; i < 64; i++) {
        ram_write(d, request + i, i >= 19 && i < 19 + length ? cdb[i - 19] : 0, 1);
    }
    ram_write(d, request, 1 | target << 8 | 0x40 << 16, 4);
    ram_write(d, request + 8, n, 8);
    ram_write(d, reply + 11, 0xee, 1);
    put_desc(d, d->desc, head, request, REQUEST_BYTES, DESC_NEXT, (uint16_t)(head + (out ? 1 : 2)));
    put_desc(d, d->desc, head + 1u, DATA, out, DESC_NEXT, (uint16_t)(head + 2));
    put_desc(d, d->desc, head + 2u, reply, REPLY_BYTES, DESC_WRITE | (in ? DESC_NEXT : 0), (uint16_t)(head + 3));
    put_desc(d, d->desc, head + 3u, DATA, in, DESC_WRITE, 0);
    make_available(d, head);
}

static uint8_t response(Fixture *f, unsigned n)
{
    return (uint8_t)ram_read(&f->d[0], REPLY + 128 * n + 11, 1);
}

static uint8_t command(Fixture *f, unsigned target, const uint8_t *cdb, unsigned length, uint32_t out, uint32_t in)
{
    Driver *d = &f->d[COMMANDS];
    uint16_t used = used_index(d);

    put(f, 0, target, cdb, length, out, in);
    reg_write(d, 0x50, COMMANDS);
    wait_used(f, COMMANDS, (uint16_t)(used + 1));
    return (uint8_t)ram_read(d, REPLY + 10, 1);
}

#define COMMAND(f, target, out, in, ...)                                                            \
    command(f, target, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), out, in)

/* Key, additional code and qualifier. */
static uint32_t sense(Fixture *f)
{
    Driver *d = &f->d[0];

    return (uint32_t)(ram_read(d, REPLY + 12 + 2, 1) << 16 | ram_read(d, REPLY + 12 + 12, 1) << 8 |
                      ram_read(d, REPLY + 12 + 13, 1));
}

static uint64_t data_be(Fixture *f, unsigned at, unsigned size)
{
    uint64_t value = ram_read(&f->d[0], DATA + at, size);

    return load_be(&value, size);
}

static void expect_attention(Fixture *f, uint32_t what)
{
    g_assert_cmpuint(COMMAND(f, 0, 0, 0, 0x00, 0, 0, 0, 0, 0), ==, CHECK);
    g_assert_cmphex(sense(f), ==, what);
    g_assert_cmpuint(COMMAND(f, 0, 0, 0, 0x00, 0, 0, 0, 0, 0), ==, GOOD);
}

static void test_identity(void)
{
    Fixture f = { 0 };

    begin(&f);
    g_assert_cmpuint(COMMAND(&f, 0, 0, 36, 0x12, 0, 0, 0, 36, 0), ==, GOOD);
    g_assert_cmphex(data_be(&f, 0, 4), ==, 0x00000612);
    g_assert_cmpuint(COMMAND(&f, 1, 0, 36, 0x12, 0, 0, 0, 36, 0), ==, GOOD);
    g_assert_cmphex(data_be(&f, 0, 2), ==, 0x0580);
    g_assert_cmpuint(COMMAND(&f, 0, 0, 255, 0x12, 1, 0x80, 0, 255, 0), ==, GOOD);
    g_assert_cmphex(data_be(&f, 0, 8) >> 8, ==, 0x00800003616263);
    g_assert_cmpuint(COMMAND(&f, 0, 0, 255, 0x12, 1, 0x83, 0, 255, 0), ==, GOOD);
    g_assert_cmphex(data_be(&f, 15, 8), ==, 0x5000c50012345678);
    g_assert_cmpuint(COMMAND(&f, 0, 0, 255, 0x12, 1, 0xc0, 0, 255, 0), ==, CHECK);
    g_assert_cmphex(sense(&f), ==, 0x052400);
    g_assert_cmpuint(COMMAND(&f, 0, 0, 64, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0), ==, GOOD);
    g_assert_cmphex(data_be(&f, 0, 4), ==, 8);
    COMMAND(&f, 7, 0, 36, 0x12, 0, 0, 0, 36, 0);
    g_assert_cmpuint(response(&f, 0), ==, BAD_TARGET);
    expect_attention(&f, 0x062900);
    g_assert_cmpuint(COMMAND(&f, 0, 0, 8, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0), ==, GOOD);
    g_assert_cmphex(data_be(&f, 0, 8), ==, (DISK_BYTES / 512 - 1ull) << 32 | 512);
    g_assert_cmpuint(COMMAND(&f, 0, 0, 64, 0x1a, 0, 0x3f, 0, 64, 0), ==, GOOD);
    g_assert_cmpuint(COMMAND(&f, 0, 0, 0, 0xff, 0, 0, 0, 0, 0), ==, CHECK);
    g_assert_cmphex(sense(&f), ==, 0x052000);
    end(&f);
}

static void test_blocks(void)
{
    Fixture f = { 0 };

    begin(&f);
    expect_attention(&f, 0x062900);
    g_assert_cmpuint(COMMAND(&f, 0, 0, 1024, 0x28, 0, 0, 0, 0, 5, 0, 0, 2, 0), ==, GOOD);
    for (unsigned i = 0; i < 1024; i++) {
        g_assert_cmphex(ram_read(&f.d[0], DATA + i, 1), ==, content(5 * 512 + i));
    }
    ram_write(&f.d[0], DATA, 0x1122334455667788, 8);
    g_assert_cmpuint(COMMAND(&f, 0, 512, 0, 0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0), ==, GOOD);
    g_assert_cmpuint(COMMAND(&f, 0, 0, 0, 0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0), ==, GOOD);
    ram_write(&f.d[0], DATA, 0, 8);
    g_assert_cmpuint(COMMAND(&f, 0, 0, 512, 0x08, 0, 0, 9, 1, 0), ==, GOOD);
    g_assert_cmphex(ram_read(&f.d[0], DATA, 8), ==, 0x1122334455667788);
    g_assert_cmpuint(COMMAND(&f, 0, 0, 512, 0x28, 0, 0, 0, 8, 0, 0, 0, 1, 0), ==, CHECK);
    g_assert_cmphex(sense(&f), ==, 0x052100);
    /* UNMAP of block 9, WRITE SAME of block 10 */
    for (unsigned i = 0; i < 24; i++) {
        ram_write(&f.d[0], DATA + i, i == 1 ? 22 : i == 3 ? 16 : i == 15 ? 9 : i == 19 ? 1 : 0, 1);
    }
    g_assert_cmpuint(COMMAND(&f, 0, 24, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0), ==, GOOD);
    g_assert_cmpuint(COMMAND(&f, 0, 0, 512, 0x28, 0, 0, 0, 0, 9, 0, 0, 1, 0), ==, GOOD);
    g_assert_cmphex(ram_read(&f.d[0], DATA, 8), ==, 0);
    ram_write(&f.d[0], DATA, 0x55, 1);
    g_assert_cmpuint(COMMAND(&f, 0, 512, 0, 0x41, 0, 0, 0, 0, 10, 0, 0, 2, 0), ==, GOOD);
    g_assert_cmpuint(COMMAND(&f, 0, 0, 512, 0x28, 0, 0, 0, 0, 11, 0, 0, 1, 0), ==, GOOD);
    g_assert_cmphex(ram_read(&f.d[0], DATA, 8), ==, 0x55);
    end(&f);
}

/* A drive without a disc, whose tray goes out and in. */
static void test_cd(void)
{
    Fixture f = { 0 };

    begin(&f);
    COMMAND(&f, 1, 0, 0, 0x00, 0, 0, 0, 0, 0);
    g_assert_cmpuint(COMMAND(&f, 1, 0, 0, 0x00, 0, 0, 0, 0, 0), ==, CHECK);
    g_assert_cmphex(sense(&f), ==, 0x023a01);
    g_assert_cmpuint(COMMAND(&f, 1, 0, 0, 0x1e, 0, 0, 0, 1, 0), ==, GOOD);
    g_assert_cmpuint(COMMAND(&f, 1, 0, 0, 0x1b, 0, 0, 0, 2, 0), ==, CHECK);
    g_assert_cmphex(sense(&f), ==, 0x055302);
    g_assert_cmpuint(COMMAND(&f, 1, 0, 0, 0x1e, 0, 0, 0, 0, 0), ==, GOOD);
    g_assert_cmpuint(COMMAND(&f, 1, 0, 0, 0x1b, 0, 0, 0, 2, 0), ==, GOOD);
    g_assert_cmpuint(COMMAND(&f, 1, 0, 0, 0x00, 0, 0, 0, 0, 0), ==, CHECK);
    g_assert_cmphex(sense(&f), ==, 0x023a02);
    g_assert_cmpuint(COMMAND(&f, 1, 0, 8, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8, 0), ==, GOOD);
    g_assert_cmphex(data_be(&f, 4, 2), ==, 1);
    end(&f);
}

/* subtype: of task management; the response. */
static uint8_t manage(Fixture *f, uint32_t subtype, uint64_t id)
{
    Driver *d = &f->d[CONTROL];
    hwaddr at = BUFFER_BASE + 0x800;
    uint16_t used = used_index(d);

    ram_write(d, at, 0, 4);
    ram_write(d, at + 4, subtype, 4);
    ram_write(d, at + 8, 1 | 0x40 << 16, 8);
    ram_write(d, at + 16, id, 8);
    put_desc(d, d->desc, 0, at, 24, DESC_NEXT, 1);
    put_desc(d, d->desc, 1, at + 32, 1, DESC_WRITE, 0);
    make_available(d, 0);
    reg_write(d, 0x50, CONTROL);
    g_assert_cmpuint(used_index(d), ==, (uint16_t)(used + 1));
    return (uint8_t)ram_read(d, at + 32, 1);
}

/* Two reads in flight: one is aborted, the other ends with its unit's reset; none is answered twice. */
static void test_tasks(void)
{
    static const uint8_t read[] = { 0x28, 0, 0, 0, 0, 5, 0, 0, 1, 0 };
    Fixture f = { 0 };
    uint16_t used;

    begin(&f);
    expect_attention(&f, 0x062900);
    used = used_index(&f.d[COMMANDS]);
    put(&f, 1, 0, read, sizeof(read), 0, 512);
    put(&f, 2, 0, read, sizeof(read), 0, 512);
    reg_write(&f.d[0], 0x50, COMMANDS);
    g_assert_cmpuint(manage(&f, 6, 1), ==, 10);
    g_assert_cmpuint(manage(&f, 0, 1), ==, RESPONSE_OK);
    g_assert_cmpuint(response(&f, 1), ==, ABORTED);
    g_assert_cmphex(response(&f, 2), ==, 0xee);
    g_assert_cmpuint(manage(&f, 6, 1), ==, RESPONSE_OK);
    g_assert_cmpuint(manage(&f, 5, 0), ==, RESPONSE_OK);
    g_assert_cmpuint(response(&f, 2), ==, RESET);
    expect_attention(&f, 0x062903);
    g_assert_cmpuint(used_index(&f.d[COMMANDS]), ==, (uint16_t)(used + 4));
    g_assert_cmpuint(manage(&f, 2, 0), ==, 11);
    end(&f);
}

/* A driver that breaks the rules: one chain in flight twice. An abort ends it as often as it was taken. */
static void test_twice(void)
{
    static const uint8_t read[] = { 0x28, 0, 0, 0, 0, 5, 0, 0, 1, 0 };
    Fixture f = { 0 };
    uint16_t used;

    begin(&f);
    expect_attention(&f, 0x062900);
    used = used_index(&f.d[COMMANDS]);
    put(&f, 1, 0, read, sizeof(read), 0, 512);
    make_available(&f.d[COMMANDS], 8);
    reg_write(&f.d[0], 0x50, COMMANDS);
    g_assert_cmpuint(manage(&f, 0, 1), ==, RESPONSE_OK);
    g_assert_cmpuint(response(&f, 1), ==, ABORTED);
    g_assert_cmpuint(used_index(&f.d[COMMANDS]), ==, (uint16_t)(used + 2));
    end(&f);
}

/* A damaged state: a command in flight, and no chain that is in use. The device breaks, and nothing else. */
static void test_damaged_state(void)
{
    static const uint8_t read[] = { 0x28, 0, 0, 0, 0, 5, 0, 0, 1, 0 };
    g_autoptr(GByteArray) state = g_byte_array_new();
    Fixture f = { 0 };
    ByteReader in;

    begin(&f);
    expect_attention(&f, 0x062900);
    put(&f, 1, 0, read, sizeof(read), 0, 512);
    reg_write(&f.d[0], 0x50, COMMANDS);
    f.d[0].v->s->in_use[COMMANDS] = 0;
    device_save(&f.d[0].v->dev, state);
    byte_reader_init(&in, state->data, state->len);
    g_assert_true(device_load(&f.d[0].v->dev, &in, NULL));
    for (unsigned i = 0; !(reg_read(&f.d[0], 0x70) & VIRTIO_STATUS_NEEDS_RESET); i++) {
        g_assert_cmpuint(i, <, 10000);
        if (!replay_safe_point(f.replay)) {
            g_usleep(1000);
        }
    }
    g_assert_cmphex(response(&f, 1), ==, 0xee);
    end(&f);
}

static void test_reset(void)
{
    static const uint8_t read[] = { 0x28, 0, 0, 0, 0, 5, 0, 0, 1, 0 };
    Fixture f = { 0 };

    begin(&f);
    expect_attention(&f, 0x062900);
    put(&f, 1, 0, read, sizeof(read), 0, 512);
    reg_write(&f.d[0], 0x50, COMMANDS);
    reg_write(&f.d[0], 0x70, 0);
    for (unsigned i = 0; i < 20; i++) {
        replay_safe_point(f.replay);
        g_usleep(1000);
    }
    g_assert_cmphex(response(&f, 1), ==, 0xee);
    end(&f);
}

static void test_broken(void)
{
    Fixture f = { 0 };
    Driver *d = &f.d[COMMANDS];

    begin(&f);
    put_desc(d, d->desc, 0, REQUEST, 8, DESC_NEXT, 1);
    put_desc(d, d->desc, 1, REPLY, 8, DESC_WRITE, 0);
    make_available(d, 0);
    reg_write(d, 0x50, COMMANDS);
    g_assert_cmphex(reg_read(d, 0x70) & VIRTIO_STATUS_NEEDS_RESET, !=, 0);
    end(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-scsi/identity", test_identity);
    g_test_add_func("/virtio-scsi/blocks", test_blocks);
    g_test_add_func("/virtio-scsi/cd", test_cd);
    g_test_add_func("/virtio-scsi/tasks", test_tasks);
    g_test_add_func("/virtio-scsi/twice", test_twice);
    g_test_add_func("/virtio-scsi/damaged-state", test_damaged_state);
    g_test_add_func("/virtio-scsi/reset", test_reset);
    g_test_add_func("/virtio-scsi/broken", test_broken);
    return g_test_run();
}
