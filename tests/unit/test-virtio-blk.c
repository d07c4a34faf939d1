/*
 * virtio-blk behind virtio-mmio, on files: requests, what the image has afterwards, overlays, states with
 * requests in flight, broken drivers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include <unistd.h>
#include "hw/block/drive.h"
#include "hw/virtio/virtio-blk.h"
#include "replay/replay.h"
#include "virtio-driver.h"

#define DISK_BYTES (1u << 20)
#define HEADER (BUFFER_BASE)
#define STATUS (BUFFER_BASE + 0x100)
#define DATA (BUFFER_BASE + 0x1000)

enum { IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8, DISCARD = 11, WRITE_ZEROES = 13 };
enum { OK = 0, IOERR = 1, UNSUPP = 2, NOT_YET = 0xee };

typedef struct Fixture {
    Driver d;
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
    int fd = g_file_open_tmp("test-virtio-blk-XXXXXX", &f->path, NULL);

    for (uint64_t i = 0; i < DISK_BYTES; i++) {
        data[i] = content(i);
    }
    g_assert_cmpint(write(fd, data, DISK_BYTES), ==, DISK_BYTES);
    close(fd);
}

typedef struct Setup {
    bool overlay, readonly, modern, probed;
    const char *properties;
    const char *rules;        /* of a blkdebug on the image */
} Setup;

static BlockNode *open_image(const Fixture *f, const Setup *s)
{
    unsigned flags = s->overlay || s->readonly ? 0 : BLOCK_WRITABLE;
    g_autofree char *text = NULL;
    BlockNode *image;
    KeyVal *kv;

    if (!s->rules) {
        return block_open_image(f->path, s->probed ? NULL : "raw", flags, NULL);
    }
    text = g_strdup_printf("driver=blkdebug,image.driver=raw,image.file.filename=%s,%s", f->path, s->rules);
    kv = keyval_parse(text, NULL, NULL);
    image = block_open(kv, "", flags, NULL);
    keyval_free(kv);
    return image;
}

static void plug(Fixture *f, const Setup *s)
{
    const DeviceType *const types[] = { &virtio_mmio_type, &virtio_blk_type, NULL };
    BlockNode *image = open_image(f, s);
    g_autofree char *device = g_strdup_printf("virtio-blk-device,id=disk0,drive=d%s",
                                              s->properties ? s->properties : "");
    Drive *drive;
    Error *err = NULL;

    g_assert_nonnull(image);
    drive = drive_add(f->d.m, "d", image, NULL);
    drive->overlay = s->overlay;
    drive->readonly = s->readonly;
    driver_add_transport(&f->d, MMIO_BASE, !s->modern, NULL, NULL);
    f->d.m->device_types = types;
    device_plug(f->d.m, device, &err);
    g_assert_cmpstr(err ? error_get_pretty(err) : NULL, ==, NULL);
    f->d.m->device_types = NULL;
    f->d.v = container_of(machine_find_device(f->d.m, "disk0"), VirtioDevice, dev);
}

/* On the image that is there, or a new one. */
static void begin(Fixture *f, const Setup *s)
{
    ReplayConfig config = { .mode = REPLAY_MODE_NONE };
    ReplayHost host = { .position = position, .opaque = f };

    f->replay = replay_new(&config, NULL);
    driver_init_machine(&f->d, f->replay);
    if (!f->path) {
        make_image(f);
    }
    plug(f, s);
    replay_set_host(f->replay, &host);
    g_assert_true(replay_start(f->replay, NULL));
    machine_reset_devices(f->d.m);
    if (s->modern) {
        driver_start_modern(&f->d, 0xffffffff, 64);
    } else {
        driver_start_legacy(&f->d, 0xffffffff, 64);
    }
}

static void end_machine(Fixture *f)
{
    driver_free(&f->d);
    replay_free(f->replay);
}

static void end(Fixture *f)
{
    end_machine(f);
    g_unlink(f->path);
    g_free(f->path);
}

/* Put a request into the queue; heads 0, 8, 16, ... take three descriptors each. */
static void put(Fixture *f, unsigned n, uint32_t type, uint64_t sector, hwaddr data, uint32_t length,
                bool to_guest)
{
    Driver *d = &f->d;
    hwaddr header = HEADER + 16 * n, status = STATUS + n;
    uint16_t head = (uint16_t)(8 * n);

    ram_write(d, header, type, 4);
    ram_write(d, header + 4, 0, 4);
    ram_write(d, header + 8, sector, 8);
    ram_write(d, status, NOT_YET, 1);
    put_desc(d, d->desc, head, header, 16, DESC_NEXT, (uint16_t)(head + (length ? 1 : 2)));
    if (length) {
        put_desc(d, d->desc, head + 1u, data, length, DESC_NEXT | (to_guest ? DESC_WRITE : 0),
                 (uint16_t)(head + 2));
    }
    put_desc(d, d->desc, head + 2u, status, 1, DESC_WRITE, 0);
    make_available(d, head);
}

static uint8_t status_of(Fixture *f, unsigned n)
{
    return (uint8_t)ram_read(&f->d, STATUS + n, 1);
}

static void wait_used(Fixture *f, uint16_t count)
{
    for (unsigned i = 0; used_index(&f->d) != count; i++) {
        g_assert_cmpuint(i, <, 10000);
        if (!replay_safe_point(f->replay)) {
            g_usleep(1000);
        }
    }
}

static uint8_t request(Fixture *f, uint32_t type, uint64_t sector, hwaddr data, uint32_t length)
{
    uint16_t used = used_index(&f->d);

    put(f, 0, type, sector, data, length, type == IN || type == GET_ID);
    kick(&f->d);
    wait_used(f, (uint16_t)(used + 1));
    return status_of(f, 0);
}

static void check_data(Fixture *f, hwaddr addr, uint64_t offset, unsigned length)
{
    for (unsigned i = 0; i < length; i++) {
        g_assert_cmphex(ram_read(&f->d, addr + i, 1), ==, content(offset + i));
    }
}

static void fill(Fixture *f, hwaddr addr, uint8_t byte, unsigned length)
{
    for (unsigned i = 0; i < length; i++) {
        ram_write(&f->d, addr + i, byte, 1);
    }
}

/* What test_requests() has done, with an overlay as without. */
static void check_counts(const Drive *d)
{
    g_assert_cmpuint(d->count[DRIVE_READS].operations, ==, 3);
    g_assert_cmpuint(d->count[DRIVE_READS].bytes, ==, 4096 + 2048 + 4608);
    g_assert_cmpuint(d->count[DRIVE_READS].invalid, ==, 1);
    g_assert_cmpuint(d->count[DRIVE_WRITES].operations, ==, 2);
    g_assert_cmpuint(d->count[DRIVE_WRITES].bytes, ==, 1024 + 8 * 512);
    g_assert_cmpuint(d->count[DRIVE_FLUSHES].operations, ==, 1);
    g_assert_cmpuint(d->count[DRIVE_UNMAPS].bytes, ==, 8 * 512);
    g_assert_cmpuint(d->count[DRIVE_READS].failed, ==, 0);
    g_assert_cmpuint(d->highest_write, ==, 24 * 512);
}

static void test_requests(gconstpointer opaque)
{
    const Setup *s = opaque;
    Fixture f = { 0 };
    uint8_t range[16] = { 16, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0 };
    g_autofree char *after = NULL;

    begin(&f, s);
    g_assert_cmphex(reg_read(&f.d, 0x100), ==, DISK_BYTES / 512);
    g_assert_cmpuint(request(&f, IN, 3, DATA, 4096), ==, OK);
    check_data(&f, DATA, 3 * 512, 4096);
    g_assert_true(f.d.irq);
    g_assert_cmpuint(used_length(&f.d, 0), ==, 4097);
    fill(&f, DATA, 0x5a, 1024);
    g_assert_cmpuint(request(&f, OUT, 9, DATA, 1024), ==, OK);
    g_assert_cmpuint(request(&f, FLUSH, 0, 0, 0), ==, OK);
    g_assert_true(memory_write(f.d.m->memory, DATA, range, 16));
    g_assert_cmpuint(request(&f, WRITE_ZEROES, 0, DATA, 16), ==, OK);
    /* Half of it was written. */
    g_assert_cmpuint(request(&f, IN, 8, DATA, 2048), ==, OK);
    check_data(&f, DATA, 8 * 512, 512);
    g_assert_cmphex(ram_read(&f.d, DATA + 512, 8), ==, 0x5a5a5a5a5a5a5a5aull);
    check_data(&f, DATA + 1536, 11 * 512, 512);
    g_assert_cmpuint(request(&f, IN, 16, DATA, 4608), ==, OK);
    g_assert_cmphex(ram_read(&f.d, DATA + 4088, 8), ==, 0);
    check_data(&f, DATA + 4096, 24 * 512, 512);
    range[12] = 0;
    g_assert_true(memory_write(f.d.m->memory, DATA, range, 16));
    g_assert_cmpuint(request(&f, DISCARD, 0, DATA, 16), ==, OK);
    g_assert_cmpuint(request(&f, GET_ID, 0, DATA, 20), ==, OK);
    g_assert_cmphex(ram_read(&f.d, DATA, 4), ==, 0x31633362);
    g_assert_cmpuint(request(&f, IN, DISK_BYTES, DATA, 512), ==, IOERR);
    check_counts(drive_find(f.d.m, "d"));
    end_machine(&f);
    g_assert_true(g_file_get_contents(f.path, &after, NULL, NULL));
    g_assert_cmphex((uint8_t)after[9 * 512], ==, s->overlay ? content(9 * 512) : 0x5a);
    g_assert_cmphex((uint8_t)after[16 * 512], ==, s->overlay ? content(16 * 512) : 0);
    g_unlink(f.path);
    g_free(f.path);
}

static bool resize(Fixture *f, uint64_t bytes, const char *why)
{
    Drive *drive = drive_find(f->d.m, "d");
    Error *err = NULL;
    bool ok = drive->resize(drive->user, bytes, &err);

    g_assert_true(ok == !why && (ok || strstr(error_get_pretty(err), why)));
    g_clear_pointer(&err, error_free);
    return ok;
}

static void test_resize(void)
{
    static const Setup s = { .modern = true }, overlay = { .overlay = true };
    Fixture f = { 0 };

    begin(&f, &s);
    put(&f, 1, IN, DISK_BYTES / 512 - 8, DATA, 4096, true);
    kick(&f.d);
    g_assert_true(resize(&f, 2 * DISK_BYTES, NULL));
    g_assert_cmpuint(reg_read(&f.d, 0x60), ==, 2);
    g_assert_cmphex(reg_read(&f.d, 0x100), ==, 2 * DISK_BYTES / 512);
    g_assert_cmpuint(reg_read(&f.d, 0xfc), ==, 1);
    wait_used(&f, 1);
    g_assert_cmpuint(request(&f, OUT, 2 * DISK_BYTES / 512 - 1, DATA, 512), ==, OK);
    /* What was begun within the old size has ended before. */
    put(&f, 1, IN, 2 * DISK_BYTES / 512 - 8, DATA, 4096, true);
    kick(&f.d);
    g_assert_true(resize(&f, DISK_BYTES, NULL));
    wait_used(&f, 3);
    g_assert_cmpuint(status_of(&f, 1), ==, OK);
    g_assert_cmpuint(request(&f, IN, DISK_BYTES / 512, DATA, 512), ==, IOERR);
    resize(&f, 1000, "expected sectors");
    resize(&f, 0, "expected sectors");
    end(&f);
    f = (Fixture){ 0 };
    begin(&f, &overlay);
    resize(&f, 2 * DISK_BYTES, "stays in memory");
    end(&f);
}

static void test_refused(void)
{
    static const Setup s = { .properties = ",discard=off" };
    Fixture f = { 0 };

    begin(&f, &s);
    g_assert_cmpuint(request(&f, IN, DISK_BYTES / 512, DATA, 512), ==, IOERR);
    g_assert_cmpuint(request(&f, IN, DISK_BYTES / 512 - 1, DATA, 1024), ==, IOERR);
    g_assert_cmpuint(request(&f, IN, UINT64_MAX, DATA, 512), ==, IOERR);
    g_assert_cmpuint(request(&f, OUT, UINT64_MAX / 512 + 1, DATA, 512), ==, IOERR);
    g_assert_cmpuint(request(&f, IN, 0, DATA, 100), ==, IOERR);
    g_assert_cmpuint(request(&f, OUT, 0, DATA, 0), ==, IOERR);
    g_assert_cmpuint(request(&f, DISCARD, 0, DATA, 16), ==, UNSUPP);
    g_assert_cmpuint(request(&f, WRITE_ZEROES, 0, DATA, 15), ==, IOERR);
    fill(&f, DATA, 0xff, 16);
    g_assert_cmpuint(request(&f, WRITE_ZEROES, 0, DATA, 16), ==, UNSUPP);
    g_assert_cmpuint(request(&f, 77, 0, DATA, 512), ==, UNSUPP);
    /* Without a status byte there is nobody to tell: the device stops. */
    put_desc(&f.d, f.d.desc, 0, HEADER, 16, 0, 0);
    make_available(&f.d, 0);
    kick(&f.d);
    g_assert_true(f.d.v->s->broken);
    end(&f);
}

static void test_readonly(void)
{
    static const Setup s = { .readonly = true };
    Fixture f = { 0 };

    begin(&f, &s);
    g_assert_true(reg_read(&f.d, 0x10) & 1u << 5);
    g_assert_cmpuint(request(&f, OUT, 0, DATA, 512), ==, IOERR);
    g_assert_cmpuint(request(&f, IN, 0, DATA, 512), ==, OK);
    end(&f);
}

/* What looks like another format is not written to the start of an image that nobody called raw. */
static void test_forged(void)
{
    static const Setup s = { .probed = true };
    Fixture f = { 0 };

    begin(&f, &s);
    fill(&f, DATA, 1, 512);
    g_assert_cmpuint(request(&f, OUT, 0, DATA, 512), ==, OK);
    end(&f);
}

/* Several in flight, saved and loaded in another machine: all of them end there. */
static void test_in_flight(void)
{
    static const Setup s = { .overlay = true, .modern = true };
    GByteArray *state = g_byte_array_new();
    Fixture f = { 0 }, g = { 0 };
    ByteReader in;

    begin(&f, &s);
    fill(&f, DATA + 0x8000, 0x77, 512);
    g_assert_cmpuint(request(&f, OUT, 10, DATA + 0x8000, 512), ==, OK);
    for (unsigned n = 1; n < 5; n++) {
        put(&f, n, IN, 8 * n, DATA + 0x1000 * n, 4096, true);
    }
    kick(&f.d);
    g_assert_cmpuint(used_index(&f.d), ==, 1);
    g_assert_true(memory_save(f.d.m->memory, state, NULL));
    machine_save_devices(f.d.m, state);
    wait_used(&f, 5);

    g.path = f.path;
    begin(&g, &s);
    byte_reader_init(&in, state->data, state->len);
    g_assert_true(memory_load(g.d.m->memory, &in, NULL));
    g_assert_true(machine_load_devices(g.d.m, &in, NULL));
    g.d.num = f.d.num;
    g_assert_cmpuint(used_index(&g.d), ==, 1);
    wait_used(&g, 5);
    for (unsigned n = 1; n < 5; n++) {
        g_assert_cmpuint(status_of(&g, n), ==, OK);
        check_data(&g, DATA + 0x1000 * n + (n == 1 ? 0x600 : 0), 8 * 512 * n + (n == 1 ? 0x600 : 0), 512);
    }
    g_assert_cmphex(ram_read(&g.d, DATA + 0x1400, 1), ==, 0x77);
    end_machine(&g);
    end(&f);
    g_byte_array_unref(state);
}

/* Use another queue from here on; its rings are elsewhere. */
static void choose_queue(Fixture *f, unsigned q, uint16_t avail_idx)
{
    f->d.desc = q ? RAM_BASE + 0x30000 : RING_BASE;
    f->d.avail = f->d.desc + (q ? 0x2000 : 0x8000);
    f->d.used = f->d.desc + (q ? 0x3000 : 0xc000);
    f->d.avail_idx = avail_idx;
}

static void set_up_queue(Fixture *f, unsigned q)
{
    choose_queue(f, q, 0);
    reg_write(&f->d, 0x30, q);
    g_assert_cmpuint(reg_read(&f->d, 0x34), ==, 256);
    reg_write(&f->d, 0x38, f->d.num);
    reg_write(&f->d, 0x80, (uint32_t)f->d.desc);
    reg_write(&f->d, 0x90, (uint32_t)f->d.avail);
    reg_write(&f->d, 0xa0, (uint32_t)f->d.used);
    reg_write(&f->d, 0x44, 1);
}

/* Chains of different queues may have the same head; a state carries both. */
static void test_queues(void)
{
    static const Setup s = { .overlay = true, .modern = true, .properties = ",num-queues=2" };
    GByteArray *state = g_byte_array_new();
    Fixture f = { 0 }, g = { 0 };
    ByteReader in;

    begin(&f, &s);
    g_assert_true(reg_read(&f.d, 0x10) & 1u << 12);
    g_assert_cmpuint(reg_read(&f.d, 0x100 + 32) >> 16, ==, 2);
    reg_write(&f.d, 0x30, 2);
    g_assert_cmpuint(reg_read(&f.d, 0x34), ==, 0);
    put(&f, 1, IN, 8, DATA, 4096, true);
    kick(&f.d);
    set_up_queue(&f, 1);
    put(&f, 1, IN, 16, DATA + 0x1000, 4096, true);
    reg_write(&f.d, 0x50, 1);
    g_assert_true(memory_save(f.d.m->memory, state, NULL));
    machine_save_devices(f.d.m, state);
    wait_used(&f, 1);
    choose_queue(&f, 0, 1);
    wait_used(&f, 1);
    check_data(&f, DATA, 8 * 512, 4096);
    check_data(&f, DATA + 0x1000, 16 * 512, 4096);

    g.path = f.path;
    begin(&g, &s);
    byte_reader_init(&in, state->data, state->len);
    g_assert_true(memory_load(g.d.m->memory, &in, NULL));
    g_assert_true(machine_load_devices(g.d.m, &in, NULL));
    wait_used(&g, 1);
    choose_queue(&g, 1, 1);
    wait_used(&g, 1);
    check_data(&g, DATA, 8 * 512, 4096);
    check_data(&g, DATA + 0x1000, 16 * 512, 4096);
    end_machine(&g);
    end(&f);
    g_byte_array_unref(state);
}

/* A reset forgets them; what the worker still says about them is dropped. */
static void test_reset(void)
{
    static const Setup s = { .overlay = true };
    Fixture f = { 0 };

    begin(&f, &s);
    put(&f, 1, IN, 8, DATA, 4096, true);
    kick(&f.d);
    driver_start_legacy(&f.d, 0, 64);
    ram_write(&f.d, f.d.avail + 2, 0, 2);
    ram_write(&f.d, f.d.used + 2, 0, 2);
    g_assert_cmpuint(request(&f, IN, 1, DATA + 0x4000, 512), ==, OK);
    g_usleep(20000);
    replay_safe_point(f.replay);
    g_assert_cmpuint(used_index(&f.d), ==, 1);
    g_assert_cmpuint(status_of(&f, 1), ==, NOT_YET);
    end(&f);
}

/* A driver that spoils the chain while it is in flight stops its device, and nothing else. */
static void test_spoiled(void)
{
    static const Setup s = { .overlay = true };
    GByteArray *before = g_byte_array_new(), *after = g_byte_array_new();
    Fixture f = { 0 };
    ByteReader in;

    begin(&f, &s);
    put(&f, 1, IN, 8, DATA, 4096, true);
    kick(&f.d);
    put_desc(&f.d, f.d.desc, 8, HEADER, 16, 0, 0);
    for (unsigned i = 0; !f.d.v->s->broken; i++) {
        g_assert_cmpuint(i, <, 10000);
        replay_safe_point(f.replay);
        g_usleep(1000);
    }
    g_assert_cmpuint(used_index(&f.d), ==, 0);
    /* It is saved as it is, with a chain that no request is about. */
    device_save(&f.d.v->dev, before);
    byte_reader_init(&in, before->data, before->len);
    g_assert_true(device_load(&f.d.v->dev, &in, NULL));
    device_save(&f.d.v->dev, after);
    g_assert_cmpmem(before->data, before->len, after->data, after->len);
    g_byte_array_unref(before);
    g_byte_array_unref(after);
    end(&f);
}

/* ---- errors of the host ---- */

typedef struct Told {
    unsigned count;
    MachineDiskAction action;
    bool writing, no_space;
} Told;

static void hear_error(void *opaque, const MachineDiskError *error)
{
    Told *t = opaque;

    g_assert_cmpstr(error->device, ==, "disk0");
    g_assert_cmpstr(error->drive, ==, "d");
    t->count++;
    t->action = error->action;
    t->writing = error->writing;
    t->no_space = error->no_space;
}

/* Until the machine is to stop. */
static void wait_stop(Fixture *f)
{
    for (unsigned i = 0; !f->d.m->reports; i++) {
        g_assert_cmpuint(i, <, 10000);
        replay_safe_point(f->replay);
        g_usleep(1000);
    }
    g_assert_cmphex(f->d.m->reports, ==, 1u << MACHINE_REPORT_IO_ERROR);
    f->d.m->reports = 0;
}

static void listen(Fixture *f, Told *t)
{
    f->d.m->disk_error = hear_error;
    f->d.m->disk_error_opaque = t;
}

#define READ_ERROR "inject-error.0.event=read_aio,inject-error.0.once=on"
#define WRITE_ERROR "inject-error.0.event=write_aio,inject-error.0.once=on"
#define NO_SPACE WRITE_ERROR ",inject-error.0.errno=28"
#define UNSUPPORTED WRITE_ERROR ",inject-error.0.errno=95"

typedef struct ErrorCase {
    const char *properties, *rules;
    bool write;
    int action;               /* -1: nobody is told */
    uint8_t status;           /* in the end */
} ErrorCase;

static const ErrorCase error_cases[] = {
    { NULL, READ_ERROR, false, MACHINE_DISK_REPORT, IOERR },
    { NULL, WRITE_ERROR, true, MACHINE_DISK_REPORT, IOERR },
    { NULL, NO_SPACE, true, MACHINE_DISK_STOP, OK },
    { ",werror=report", NO_SPACE, true, MACHINE_DISK_REPORT, IOERR },
    { ",werror=stop", WRITE_ERROR, true, MACHINE_DISK_STOP, OK },
    { ",werror=stop", UNSUPPORTED, true, -1, UNSUPP },
    { ",werror=ignore", NO_SPACE, true, MACHINE_DISK_IGNORE, OK },
    { ",werror=stop", READ_ERROR, false, MACHINE_DISK_REPORT, IOERR },
    { ",rerror=stop", READ_ERROR, false, MACHINE_DISK_STOP, OK },
    { ",rerror=ignore", READ_ERROR, false, MACHINE_DISK_IGNORE, OK },
};

static void check_error(const ErrorCase *c, bool overlay)
{
    const Setup s = { .overlay = overlay, .properties = c->properties, .rules = c->rules };
    Fixture f = { 0 };
    Told told = { 0 };

    begin(&f, &s);
    listen(&f, &told);
    fill(&f, DATA, 0x5a, 512);
    put(&f, 0, c->write ? OUT : IN, 3, DATA, 512, !c->write);
    kick(&f.d);
    if (c->action == MACHINE_DISK_STOP) {
        wait_stop(&f);
        g_usleep(5000);
        replay_safe_point(f.replay);
        g_assert_cmpuint(used_index(&f.d), ==, 0);
        machine_resumed(f.d.m);
    }
    wait_used(&f, 1);
    g_assert_cmpuint(status_of(&f, 0), ==, c->status);
    g_assert_cmpuint(told.count, ==, c->action >= 0);
    g_assert_cmpuint(drive_find(f.d.m, "d")->count[c->write ? DRIVE_WRITES : DRIVE_READS].failed, ==,
                     c->action != MACHINE_DISK_STOP);
    g_assert_true(!told.count || ((int)told.action == c->action && told.writing == c->write &&
                                  told.no_space == (strstr(c->rules, "=28") != NULL)));
    /* What an ignored error of a read has read is zeros; what was tried again is what is there. */
    if (!c->write && c->status == OK) {
        g_assert_cmphex(ram_read(&f.d, DATA + 8, 1), ==,
                        c->action == MACHINE_DISK_IGNORE ? 0 : content(3 * 512 + 8));
    }
    if (c->write && c->action == MACHINE_DISK_STOP) {
        g_assert_cmpuint(request(&f, IN, 3, DATA + 0x1000, 512), ==, OK);
        g_assert_cmphex(ram_read(&f.d, DATA + 0x1000, 1), ==, 0x5a);
    }
    end(&f);
}

static void test_errors(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(error_cases); i++) {
        check_error(&error_cases[i], false);
        check_error(&error_cases[i], true);
    }
}

/* It fails again, and the machine stops again; others wait behind it, in their order. */
static void test_stop_again(void)
{
    static const Setup s = { .properties = ",werror=stop",
                             .rules = "inject-error.0.event=write_aio,inject-error.0.sector=8" };
    Fixture f = { 0 };
    Error *err = NULL;
    Told told = { 0 };

    begin(&f, &s);
    listen(&f, &told);
    put(&f, 1, OUT, 8, DATA, 512, false);
    put(&f, 2, OUT, 1, DATA, 512, false);
    kick(&f.d);
    for (unsigned i = 1; i < 4; i++) {
        wait_stop(&f);
        g_assert_cmpuint(told.count, ==, i);
        g_assert_cmpuint(used_index(&f.d), ==, 0);
        /* The data of the write is nowhere but in this process. */
        g_assert_false(machine_can_save(f.d.m, &err));
        g_assert_nonnull(strstr(error_get_pretty(err), "drive 'd'"));
        g_clear_pointer(&err, error_free);
        machine_resumed(f.d.m);
    }
    wait_stop(&f);
    /* A reset forgets both. */
    driver_start_legacy(&f.d, 0, 64);
    ram_write(&f.d, f.d.avail + 2, 0, 2);
    ram_write(&f.d, f.d.used + 2, 0, 2);
    g_assert_true(machine_can_save(f.d.m, NULL));
    g_assert_cmpuint(request(&f, IN, 8, DATA + 0x4000, 512), ==, OK);
    check_data(&f, DATA + 0x4000, 8 * 512, 512);
    end(&f);
}

/* A state that is saved while it stands there: the request ends in the machine that it is loaded in. */
static void test_stop_saved(void)
{
    static const Setup s = { .overlay = true, .modern = true, .properties = ",werror=stop,rerror=stop",
                             .rules = READ_ERROR }, t = { .overlay = true, .modern = true };
    GByteArray *state = g_byte_array_new();
    Fixture f = { 0 }, g = { 0 };
    ByteReader in;

    begin(&f, &s);
    put(&f, 1, IN, 8, DATA, 512, true);
    kick(&f.d);
    wait_stop(&f);
    g_assert_true(machine_can_save(f.d.m, NULL));
    g_assert_true(memory_save(f.d.m->memory, state, NULL));
    machine_save_devices(f.d.m, state);
    g.path = f.path;
    begin(&g, &t);
    byte_reader_init(&in, state->data, state->len);
    g_assert_true(memory_load(g.d.m->memory, &in, NULL));
    g_assert_true(machine_load_devices(g.d.m, &in, NULL));
    g.d.num = f.d.num;
    wait_used(&g, 1);
    g_assert_cmpuint(status_of(&g, 1), ==, OK);
    check_data(&g, DATA, 8 * 512, 512);
    end_machine(&g);
    end(&f);
    g_byte_array_unref(state);
}

static void test_drives(void)
{
    const DeviceType *const types[] = { &virtio_mmio_type, &virtio_blk_type, NULL };
    static const struct {
        const char *device, *why;
    } rows[] = {
        { "virtio-blk-device", "needs drive=ID" },
        { "virtio-blk-device,drive=x", "there is no drive 'x'" },
        { "virtio-blk-device,drive=d", "is that of device 'disk0' already" },
    };
    static const Setup s = { 0 };
    Fixture f = { 0 };

    begin(&f, &s);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        Error *err = NULL;

        driver_add_transport(&f.d, MMIO_BASE + 0x1000 * (i + 1), true, NULL, NULL);
        f.d.m->device_types = types;
        g_assert_false(device_plug(f.d.m, rows[i].device, &err));
        if (!strstr(error_get_pretty(err), rows[i].why)) {
            g_error("%s: '%s'", rows[i].device, error_get_pretty(err));
        }
        error_free(err);
    }
    g_assert_null(drive_add(f.d.m, "d", NULL, NULL));
    end(&f);
}

int main(int argc, char **argv)
{
    static const Setup setups[] = {
        { .properties = ",serial=b3c1" }, { .overlay = true, .properties = ",serial=b3c1" },
        { .modern = true, .properties = ",serial=b3c1" },
    };

    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/virtio-blk/requests", &setups[0], test_requests);
    g_test_add_data_func("/virtio-blk/requests/overlay", &setups[1], test_requests);
    g_test_add_data_func("/virtio-blk/requests/modern", &setups[2], test_requests);
    g_test_add_func("/virtio-blk/resize", test_resize);
    g_test_add_func("/virtio-blk/refused", test_refused);
    g_test_add_func("/virtio-blk/readonly", test_readonly);
    g_test_add_func("/virtio-blk/forged", test_forged);
    g_test_add_func("/virtio-blk/in-flight", test_in_flight);
    g_test_add_func("/virtio-blk/queues", test_queues);
    g_test_add_func("/virtio-blk/reset", test_reset);
    g_test_add_func("/virtio-blk/spoiled", test_spoiled);
    g_test_add_func("/virtio-blk/errors", test_errors);
    g_test_add_func("/virtio-blk/errors/again", test_stop_again);
    g_test_add_func("/virtio-blk/errors/saved", test_stop_saved);
    g_test_add_func("/virtio-blk/drives", test_drives);
    return g_test_run();
}
