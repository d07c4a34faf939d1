/*
 * virtio-balloon behind virtio-mmio: pages given up, the size that is asked for, statistics on virtual time,
 * states in the middle, broken drivers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/balloon.h"
#include "hw/virtio/virtio-balloon.h"
#include "replay/replay.h"
#include "virtio-driver.h"

enum { INFLATE, DEFLATE, STATS, QUEUES };

#define NUM 16
#define BUFFERS(q) (BUFFER_BASE + (q) * 0x10000ull)
#define SECOND 1000000000ll

typedef struct Fixture {
    Driver d[QUEUES];             /* one machine, a driver's side a queue */
    Replay *replay;
    uint64_t pos;
    GString *notices;
} Fixture;

static uint64_t position(void *opaque)
{
    return ((Fixture *)opaque)->pos++;
}

static void note(void *opaque, MachineNotice what, const char *id, int64_t value)
{
    g_assert_cmpint(what, ==, MACHINE_NOTICE_BALLOON);
    g_string_append_printf(((Fixture *)opaque)->notices, "%s %" PRId64 ";", id, value >> 10);
}

static void start(Fixture *f)
{
    driver_start_modern(&f->d[0], 0xffffffff & ~(1u << 29), NUM);
    driver_start_more(f->d, QUEUES);
}

static void setup(Fixture *f, const char *device)
{
    static const DeviceType *const types[] = { &virtio_mmio_type, &virtio_balloon_type, NULL };
    ReplayConfig config = { .mode = REPLAY_MODE_NONE };
    ReplayHost host = { .position = position, .opaque = f };

    *f = (Fixture){ .replay = replay_new(&config, NULL), .notices = g_string_new(NULL) };
    driver_init_machine(&f->d[0], f->replay);
    clock_use_icount(f->d[0].m->clock, 0);
    f->d[0].m->notice = note;
    f->d[0].m->notice_opaque = f;
    driver_add_transport(&f->d[0], MMIO_BASE, false, NULL, NULL);
    f->d[0].m->device_types = types;
    g_assert_true(device_plug(f->d[0].m, device, NULL));
    f->d[0].v = container_of(f->d[0].m->balloon->dev, VirtioDevice, dev);
    replay_set_host(f->replay, &host);
    g_assert_true(replay_start(f->replay, NULL));
    machine_reset_devices(f->d[0].m);
    start(f);
}

static void end(Fixture *f)
{
    driver_free(&f->d[0]);
    replay_free(f->replay);
    g_string_free(f->notices, TRUE);
}

static void put(Fixture *f, unsigned q, const void *data, uint32_t length)
{
    Driver *d = &f->d[q];
    uint16_t head = d->avail_idx % NUM;

    g_assert_true(memory_write(d->m->memory, BUFFERS(q) + head * 0x400u, data, length));
    put_desc(d, d->desc, head, BUFFERS(q) + head * 0x400u, length, 0, 0);
    make_available(d, head);
    reg_write(d, 0x50, q);
}

static void put_pages(Fixture *f, unsigned q, uint32_t a, uint32_t b)
{
    put(f, q, (uint32_t[]){ a, b }, 8);       /* as the host is little-endian, too */
}

static BalloonInfo info(Fixture *f)
{
    BalloonInfo i;

    f->d[0].m->balloon->info(f->d[0].m->balloon->dev, &i);
    return i;
}

/* A page that is given up is zero, at once; others are not, and what is no RAM does no harm. */
static void test_pages(void)
{
    hwaddr page = RAM_BASE + 0xf0000;
    MemRegion *ram;
    Fixture f;

    setup(&f, "virtio-balloon-device,id=b");
    ram = memory_find(f.d[0].m->memory, RAM_BASE);
    for (unsigned i = 0; i < 3; i++) {
        ram_write(&f.d[0], page + i * PAGE_SIZE + 8, 0x55, 8);
    }
    memory_clean(f.d[0].m->memory, PAGE_DIRTY_CHECK, NULL, NULL);
    put_pages(&f, INFLATE, (uint32_t)(page >> 12) + 1, 0x12345);
    g_assert_cmphex(ram_read(&f.d[0], page + 8, 8), ==, 0x55);
    g_assert_cmphex(ram_read(&f.d[0], page + PAGE_SIZE + 8, 8), ==, 0);
    g_assert_cmphex(ram_read(&f.d[0], page + 2 * PAGE_SIZE + 8, 8), ==, 0x55);
    /* It counts as written. */
    g_assert_true(ram->page_flags[0xf1] & PAGE_DIRTY_CHECK);
    g_assert_false(ram->page_flags[0xf0] & PAGE_DIRTY_CHECK);
    g_assert_cmpuint(used_index(&f.d[INFLATE]), ==, 1);
    put_pages(&f, DEFLATE, (uint32_t)(page >> 12), 0);
    g_assert_cmphex(ram_read(&f.d[0], page + 8, 8), ==, 0x55);
    g_assert_cmpuint(used_index(&f.d[DEFLATE]), ==, 1);
    g_assert_false(f.d[0].v->s->broken);
    end(&f);
}

/* What is asked for arrives at a safe point; the guest says what it has. */
static void test_size(void)
{
    const Balloon *balloon;
    Fixture f;

    setup(&f, "virtio-balloon-device,id=b");
    balloon = f.d[0].m->balloon;
    g_assert_cmpuint(info(&f).actual, ==, RAM_SIZE);
    g_assert_true(balloon->ask_size(balloon->dev, RAM_SIZE - 3 * PAGE_SIZE));
    g_assert_cmpuint(reg_read(&f.d[0], 0x100), ==, 0);
    replay_safe_point(f.replay);
    g_assert_cmpuint(reg_read(&f.d[0], 0x100), ==, 3);
    g_assert_cmphex(reg_read(&f.d[0], 0x60) & 2, ==, 2);
    g_assert_cmpuint(info(&f).actual, ==, RAM_SIZE);
    reg_write(&f.d[0], 0x104, 2);
    g_assert_cmpuint(info(&f).actual, ==, RAM_SIZE - 2 * PAGE_SIZE);
    g_assert_cmpuint(reg_read(&f.d[0], 0x104), ==, 2);
    g_assert_true(balloon->ask_size(balloon->dev, UINT64_MAX));
    replay_safe_point(f.replay);
    g_assert_cmpuint(reg_read(&f.d[0], 0x100), ==, 0);
    /* A driver that says nonsense has no memory, and not less. */
    reg_write(&f.d[0], 0x104, UINT32_MAX);
    g_assert_cmpuint(info(&f).actual, ==, 0);
    reg_write(&f.d[0], 0x70, 0);
    g_assert_cmpuint(info(&f).actual, ==, RAM_SIZE);
    g_assert_cmpstr(f.notices->str, ==, "b 1016;b 0;b 1024;");
    end(&f);
}

static void put_stat(Fixture *f, uint16_t tag, uint64_t value)
{
    uint8_t data[20] = { 0 };

    store_le(data, tag, 2);
    store_le(data + 2, value, 8);
    store_le(data + 10, 999, 2);
    put(f, STATS, data, sizeof(data));
}

static void pass(Fixture *f, int64_t ns)
{
    clock_warp(f->d[0].m->clock, ns);
    clock_run_timers(f->d[0].m->clock);
}

/* The buffer stays with the device until the interval has passed. */
static void test_stats(void)
{
    const Balloon *balloon;
    Fixture f;

    setup(&f, "virtio-balloon-device,id=b,guest-stats-polling-interval=2");
    balloon = f.d[0].m->balloon;
    g_assert_cmphex(info(&f).stat[5], ==, UINT64_MAX);
    pass(&f, SECOND);
    put_stat(&f, 5, 77);
    g_assert_cmpuint(info(&f).stat[5], ==, 77);
    g_assert_cmphex(info(&f).stat[4], ==, UINT64_MAX);
    g_assert_cmpint(info(&f).updated_ns, ==, SECOND);
    pass(&f, 2 * SECOND - 1);
    g_assert_cmpuint(used_index(&f.d[STATS]), ==, 0);
    pass(&f, 1);
    g_assert_cmpuint(used_index(&f.d[STATS]), ==, 1);
    pass(&f, 5 * SECOND);
    g_assert_cmpuint(used_index(&f.d[STATS]), ==, 1);
    g_assert_true(balloon->ask_stats(balloon->dev, 0));
    replay_safe_point(f.replay);
    put_stat(&f, 5, 78);
    pass(&f, 100 * SECOND);
    g_assert_cmpuint(used_index(&f.d[STATS]), ==, 1);
    g_assert_true(balloon->ask_stats(balloon->dev, 1));
    replay_safe_point(f.replay);
    g_assert_cmpuint(info(&f).interval_s, ==, 1);
    pass(&f, SECOND);
    g_assert_cmpuint(used_index(&f.d[STATS]), ==, 2);
    put_stat(&f, 5, 79);
    reg_write(&f.d[0], 0x70, 0);
    g_assert_cmpint(clock_next_deadline(f.d[0].m->clock), ==, CLOCK_NO_DEADLINE);
    g_assert_cmphex(info(&f).stat[5], ==, UINT64_MAX);
    end(&f);
}

/* Linux puts its first statistics into the queue before it says that it is ready. */
static void test_early(void)
{
    Fixture f;

    setup(&f, "virtio-balloon-device,id=b,guest-stats-polling-interval=2");
    start(&f);
    f.d[0].v->s->status &= ~VIRTIO_STATUS_DRIVER_OK;
    put_stat(&f, 5, 77);
    g_assert_cmphex(info(&f).stat[5], ==, UINT64_MAX);
    reg_write(&f.d[0], 0x70, 15);
    g_assert_cmpuint(info(&f).stat[5], ==, 77);
    reg_write(&f.d[0], 0x70, 15);
    g_assert_false(f.d[0].v->s->broken);
    end(&f);
}

/* A state with the buffer of statistics in the device's hand. */
static void test_state(void)
{
    g_autoptr(GByteArray) saved = g_byte_array_new(), again = g_byte_array_new();
    const Balloon *balloon;
    ByteReader in;
    Fixture f;

    setup(&f, "virtio-balloon-device,id=b,guest-stats-polling-interval=2");
    balloon = f.d[0].m->balloon;
    g_assert_true(balloon->ask_size(balloon->dev, RAM_SIZE / 2));
    replay_safe_point(f.replay);
    reg_write(&f.d[0], 0x104, 5);
    put_stat(&f, 1, 11);
    machine_save_devices(f.d[0].m, saved);
    pass(&f, 3 * SECOND);
    g_assert_true(balloon->ask_size(balloon->dev, RAM_SIZE));
    g_assert_true(balloon->ask_stats(balloon->dev, 9));
    replay_safe_point(f.replay);
    reg_write(&f.d[0], 0x70, 0);
    ram_write(&f.d[STATS], f.d[STATS].used + 2, 0, 2);
    byte_reader_init(&in, saved->data, saved->len);
    g_assert_true(machine_load_devices(f.d[0].m, &in, NULL));
    machine_save_devices(f.d[0].m, again);
    g_assert_cmpmem(saved->data, saved->len, again->data, again->len);
    g_assert_cmpuint(reg_read(&f.d[0], 0x100), ==, RAM_SIZE / 2 / PAGE_SIZE);
    g_assert_cmpuint(info(&f).actual, ==, RAM_SIZE - 5 * PAGE_SIZE);
    g_assert_cmpuint(info(&f).stat[1], ==, 11);
    pass(&f, 2 * SECOND);
    g_assert_cmpuint(used_index(&f.d[STATS]), ==, 1);
    end(&f);
}

/* What breaks the rules stops the device. */
static void test_broken(void)
{
    for (unsigned n = 0; n < 3; n++) {
        Fixture f;
        Driver *d;

        setup(&f, "virtio-balloon-device,id=b,guest-stats-polling-interval=1");
        if (n == 0) {
            d = &f.d[INFLATE];
            put_desc(d, d->desc, 0, RAM_BASE, 0x20000, 0, 0);
            make_available(d, 0);
            reg_write(d, 0x50, INFLATE);
        } else if (n == 1) {
            put_stat(&f, 1, 1);
            put_stat(&f, 1, 1);
        } else {
            /* The chain that the device has is no chain any more. */
            put_stat(&f, 1, 1);
            put_desc(&f.d[STATS], f.d[STATS].desc, 0, 0x1000, 20, 0, 0);
            pass(&f, SECOND);
        }
        g_assert_true(f.d[0].v->s->broken);
        pass(&f, 10 * SECOND);
        reg_write(&f.d[0], 0x70, 0);
        g_assert_false(f.d[0].v->s->broken);
        end(&f);
    }
}

static void test_features(void)
{
    Error *err = NULL;
    Fixture f;

    setup(&f, "virtio-balloon-device,id=b");
    g_assert_cmphex(reg_read(&f.d[0], 0x10) & 0x3f, ==, 2);
    g_assert_false(device_plug(f.d[0].m, "virtio-balloon-device", &err));
    error_free(err);
    end(&f);
    setup(&f, "virtio-balloon-device,id=b,deflate-on-oom=on");
    reg_write(&f.d[0], 0x14, 0);
    g_assert_cmphex(reg_read(&f.d[0], 0x10) & 0x3f, ==, 6);
    end(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-balloon/pages", test_pages);
    g_test_add_func("/virtio-balloon/size", test_size);
    g_test_add_func("/virtio-balloon/stats", test_stats);
    g_test_add_func("/virtio-balloon/early", test_early);
    g_test_add_func("/virtio-balloon/state", test_state);
    g_test_add_func("/virtio-balloon/broken", test_broken);
    g_test_add_func("/virtio-balloon/features", test_features);
    return g_test_run();
}
