/*
 * NOR flash: what each mode shows, erase, program, the write buffer, wrong sequences; its image.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include <unistd.h>
#include "device-test.h"
#include "hw/block/drive.h"
#include "hw/block/pflash_cfi01.h"
#include "tests/unit/fake-replay.h"
#include "util/error.h"

#define BASE 0x4000000
#define SIZE (8 * PFLASH_BLOCK_SIZE)     /* num-blocks=8 */
#define BOTH(c) ((c) * 0x00010001u)
#define READY BOTH(0x80u)
#define SEQUENCE_ERROR BOTH(0xb0u)

typedef struct Fixture {
    Machine *m;
    unsigned remaps;
    char *path;
} Fixture;

static void count_remap(void *opaque)
{
    ((Fixture *)opaque)->remaps++;
}

static const MemoryHooks hooks = { .remapped = count_remap };

static void setup(Fixture *f, const void *unused)
{
    f->m = machine_new(NULL);
    add_device(f->m, &pflash_cfi01_type, "flash", "num-blocks=8", BASE, 0);
    memory_set_hooks(f->m->memory, &hooks, f);
    machine_reset_devices(f->m);
    g_assert_cmpuint(f->remaps, ==, 0);
}

static void teardown(Fixture *f, const void *unused)
{
    machine_free(f->m);
}

static void command(Fixture *f, hwaddr offset, uint32_t c)
{
    wr(f->m, BASE + offset, BOTH(c));
}

static void erase(Fixture *f, hwaddr offset)
{
    command(f, offset, 0x20);
    command(f, offset, 0xd0);
    g_assert_cmphex(rd(f->m, BASE + offset), ==, READY);
    command(f, 0, 0xff);
}

/* What each command makes reads return; observers see the contents all the time. */
static void test_modes(Fixture *f, const void *unused)
{
    const uint32_t data = 0x12345678;

    g_assert_true(memory_write(f->m->memory, BASE, &data, 4));
    g_assert_cmphex(rd(f->m, BASE), ==, data);
    g_assert_cmphex(io_read(f->m, BASE + 1, 2), ==, 0x3456);
    command(f, 0, 0x70);
    g_assert_cmpuint(f->remaps, ==, 1);
    g_assert_cmphex(rd(f->m, BASE), ==, READY);
    g_assert_cmphex(io_read(f->m, BASE + 0x100, 8), ==, READY * 0x100000001ull);
    g_assert_cmphex(peek(f->m, BASE), ==, data);
    command(f, 0, 0x90);
    g_assert_cmpuint(f->remaps, ==, 1);
    g_assert_cmphex(rd(f->m, BASE), ==, BOTH(0x89u));
    g_assert_cmphex(rd(f->m, BASE + 4), ==, BOTH(0x18u));
    g_assert_cmphex(io_read(f->m, BASE + 6, 1), ==, 0x18);
    g_assert_cmphex(rd(f->m, BASE + PFLASH_BLOCK_SIZE + 8), ==, 0);
    command(f, 0, 0xff);
    g_assert_cmpuint(f->remaps, ==, 2);
    g_assert_cmphex(rd(f->m, BASE), ==, data);
}

static void test_query(Fixture *f, const void *unused)
{
    static const struct {
        unsigned index;
        uint8_t value;
    } rows[] = {
        { 0x0f, 0 }, { 0x10, 'Q' }, { 0x11, 'R' }, { 0x12, 'Y' }, { 0x13, 1 }, { 0x15, 0x31 },
        { 0x27, 20 }, { 0x2a, 11 }, { 0x2c, 1 }, { 0x2d, 7 }, { 0x2e, 0 }, { 0x2f, 0 },
        { 0x30, 2 }, { 0x31, 'P' }, { 0x33, 'I' }, { 0x3f, 1 }, { 0x40, 0 }, { 0x1000, 0 },
    };

    command(f, 0x55 * 4, 0x98);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        g_assert_cmphex(rd(f->m, BASE + rows[i].index * 4), ==, BOTH((uint32_t)rows[i].value));
    }
}

/* Programming clears bits; an erase sets those of one block. */
static void test_program_and_erase(Fixture *f, const void *unused)
{
    const hwaddr block = 2 * PFLASH_BLOCK_SIZE;

    erase(f, block + 0x100);
    g_assert_cmphex(rd(f->m, BASE + block - 4), ==, 0);
    g_assert_cmphex(rd(f->m, BASE + block), ==, UINT32_MAX);
    g_assert_cmphex(rd(f->m, BASE + block + PFLASH_BLOCK_SIZE - 4), ==, UINT32_MAX);
    g_assert_cmphex(rd(f->m, BASE + block + PFLASH_BLOCK_SIZE), ==, 0);
    command(f, block, 0x40);
    wr(f->m, BASE + block + 8, 0xff00ff0f);
    g_assert_cmphex(rd(f->m, BASE), ==, READY);
    command(f, block, 0x10);
    io_write(f->m, BASE + block + 9, 1, 0x3c);
    command(f, 0, 0xff);
    g_assert_cmphex(rd(f->m, BASE + block + 8), ==, 0xff003c0f);
    /* Not confirmed: nothing is erased, and the status says so until it is cleared. */
    command(f, block, 0x20);
    command(f, block, 0xff);
    g_assert_cmphex(rd(f->m, BASE), ==, SEQUENCE_ERROR);
    command(f, 0, 0x50);
    g_assert_cmphex(rd(f->m, BASE), ==, READY);
    command(f, 0, 0xff);
    g_assert_cmphex(rd(f->m, BASE + block + 8), ==, 0xff003c0f);
}

static void test_buffer(Fixture *f, const void *unused)
{
    erase(f, 0);
    command(f, 0x2000, 0xe8);
    g_assert_cmphex(rd(f->m, BASE + 0x2000), ==, READY);
    command(f, 0x2000, 3 - 1);
    wr(f->m, BASE + 0x2010, 0x11111111);
    wr(f->m, BASE + 0x2014, 0x22222222);
    io_write(f->m, BASE + 0x2ffe, 4, 0x33333333);   /* its end is outside of the buffer */
    command(f, 0x2000, 0xd0);
    g_assert_cmphex(rd(f->m, BASE), ==, READY);
    command(f, 0, 0xff);
    g_assert_cmphex(rd(f->m, BASE + 0x200c), ==, UINT32_MAX);
    g_assert_cmphex(rd(f->m, BASE + 0x2010), ==, 0x11111111);
    g_assert_cmphex(rd(f->m, BASE + 0x2014), ==, 0x22222222);
    g_assert_cmphex(rd(f->m, BASE + 0x2ffc), ==, 0x3333ffff);
    g_assert_cmphex(rd(f->m, BASE + 0x3000), ==, UINT32_MAX);
}

static void test_buffer_errors(Fixture *f, const void *unused)
{
    erase(f, 0);
    /* One word more than fits. */
    command(f, 0, 0xe8);
    wr(f->m, BASE, 1024);
    g_assert_cmphex(rd(f->m, BASE), ==, SEQUENCE_ERROR);
    command(f, 0, 0x50);
    /* Two places. */
    command(f, 0, 0xe8);
    command(f, 0, 1);
    wr(f->m, BASE + 0x1000, 0);
    wr(f->m, BASE + 0x2000, 0);
    command(f, 0, 0xd0);
    g_assert_cmphex(rd(f->m, BASE), ==, SEQUENCE_ERROR);
    command(f, 0, 0x50);
    /* Not confirmed. */
    command(f, 0, 0xe8);
    command(f, 0, 0);
    wr(f->m, BASE + 0x1000, 0);
    command(f, 0, 0xff);
    g_assert_cmphex(rd(f->m, BASE), ==, SEQUENCE_ERROR);
    command(f, 0, 0xff);
    g_assert_cmphex(rd(f->m, BASE + 0x1000), ==, UINT32_MAX);
    g_assert_cmphex(rd(f->m, BASE + 0x2000), ==, UINT32_MAX);
}

static void test_locks(Fixture *f, const void *unused)
{
    for (unsigned i = 0; i < 3; i++) {
        command(f, 0, 0x60);
        command(f, 0, i == 0 ? 0x01 : i == 1 ? 0xd0 : 0x77);
        g_assert_cmphex(rd(f->m, BASE), ==, i < 2 ? READY : SEQUENCE_ERROR);
    }
    command(f, 0, 0x50);
    /* A reset ends it all, but for the contents. */
    erase(f, 0);
    command(f, 0, 0x20);
    machine_reset_devices(f->m);
    g_assert_cmphex(rd(f->m, BASE), ==, UINT32_MAX);
    command(f, 0, 0x70);
    g_assert_cmphex(rd(f->m, BASE), ==, READY);
}

static void test_save_load(Fixture *f, const void *unused)
{
    Fixture g = { 0 };
    unsigned remaps;

    setup(&g, NULL);
    erase(&g, 0);
    command(&g, 0, 0xff);
    remaps = g.remaps;
    command(f, 0, 0xe8);
    command(f, 0, 1);
    wr(f->m, BASE + 0x1004, 0x01020304);
    devices_transfer(f->m, g.m);
    /* Loads go to the device now, so what was derived from the array is wrong. */
    g_assert_cmpuint(g.remaps, ==, remaps + 1);
    wr(g.m, BASE + 0x1008, 0x05060708);
    g_assert_cmphex(rd(g.m, BASE), ==, READY);
    command(&g, 0, 0xd0);
    command(&g, 0, 0xff);
    g_assert_cmphex(rd(g.m, BASE + 0x1004), ==, 0x01020304);
    g_assert_cmphex(rd(g.m, BASE + 0x1008), ==, 0x05060708);
    teardown(&g, NULL);
}

/* ---- the image ---- */

/* Each 32-bit word of a new image has its offset. */
static void make_image(Fixture *f, unsigned length)
{
    g_autofree uint32_t *words = g_malloc(length);
    int fd = g_file_open_tmp("test-pflash-XXXXXX", &f->path, NULL);

    for (unsigned i = 0; i < length / 4; i++) {
        words[i] = GUINT32_TO_LE(i * 4);
    }
    g_assert_cmpint(write(fd, words, length), ==, length);
    close(fd);
}

static uint32_t image_word(const Fixture *f, unsigned offset)
{
    g_autofree char *content = NULL;
    uint32_t word;
    gsize length;

    g_assert_true(g_file_get_contents(f->path, &content, &length, NULL));
    g_assert_cmpuint(length, ==, SIZE);
    memcpy(&word, content + offset, 4);
    return GUINT32_FROM_LE(word);
}

/* On the image that is there, or a new one. */
static void begin(Fixture *f, bool overlay, bool readonly)
{
    Drive *drive;

    if (!f->path) {
        make_image(f, SIZE);
    }
    f->m = machine_new(NULL);
    drive = drive_add(f->m, "d", block_open_image(f->path, "raw", readonly ? 0 : BLOCK_WRITABLE, NULL),
                      NULL);
    drive->overlay = overlay;
    drive->readonly = readonly;
    add_device(f->m, &pflash_cfi01_type, "flash", "num-blocks=8,drive=d", BASE, 0);
    memory_set_hooks(f->m->memory, &hooks, f);
    machine_reset_devices(f->m);
    for (unsigned at = 0; at < SIZE; at += PFLASH_BLOCK_SIZE / 2) {
        g_assert_cmphex(rd(f->m, BASE + at), ==, at);
    }
}

static void end(Fixture *f)
{
    teardown(f, NULL);
    g_unlink(f->path);
    g_free(f->path);
}

/* One word programmed, one buffer, one block erased. */
static void change(Fixture *f)
{
    command(f, 0x10cf0, 0x40);
    wr(f->m, BASE + 0x10cf0, 0x00000c30);
    command(f, 0x20000, 0xe8);
    command(f, 0x20000, 0);
    wr(f->m, BASE + 0x20ff0, 0x00020f00);
    command(f, 0x20000, 0xd0);
    erase(f, 3 * PFLASH_BLOCK_SIZE);
    command(f, 0, 0xff);
}

static void assert_changed(const Fixture *f, bool changed)
{
    g_assert_cmphex(image_word(f, 0x10cf0), ==, changed ? 0xc30 : 0x10cf0);
    g_assert_cmphex(image_word(f, 0x10cf4), ==, 0x10cf4);
    g_assert_cmphex(image_word(f, 0x20ff0), ==, changed ? 0x20f00 : 0x20ff0);
    g_assert_cmphex(image_word(f, 3 * PFLASH_BLOCK_SIZE - 4), ==, 3 * PFLASH_BLOCK_SIZE - 4);
    g_assert_cmphex(image_word(f, 3 * PFLASH_BLOCK_SIZE), ==, changed ? UINT32_MAX : 3 * PFLASH_BLOCK_SIZE);
    g_assert_cmphex(image_word(f, 4 * PFLASH_BLOCK_SIZE - 4), ==, changed ? UINT32_MAX : 4 * PFLASH_BLOCK_SIZE - 4);
    g_assert_cmphex(image_word(f, 4 * PFLASH_BLOCK_SIZE), ==, 4 * PFLASH_BLOCK_SIZE);
}

static void test_image(void)
{
    for (unsigned overlay = 0; overlay < 2; overlay++) {
        Fixture f = { 0 };

        begin(&f, overlay, false);
        change(&f);
        g_assert_cmphex(rd(f.m, BASE + 0x10cf0), ==, 0xc30);
        machine_free(f.m);
        f.m = NULL;
        assert_changed(&f, !overlay);
        end(&f);
    }
}

/* More requests than are kept. */
static void test_image_many(void)
{
    Fixture f = { 0 };

    begin(&f, false, false);
    for (unsigned i = 0; i < 5000; i++) {
        command(&f, 0, 0x40);
        wr(f.m, BASE + 0x40000 + i * 4, 0x40000);
    }
    machine_free(f.m);
    f.m = NULL;
    for (unsigned i = 0; i < 5000; i += 999) {
        g_assert_cmphex(image_word(&f, 0x40000 + i * 4), ==, (0x40000 + i * 4) & 0x40000);
    }
    end(&f);
}

/* Both errors and the lock: nothing changes. */
static void test_image_readonly(void)
{
    Fixture f = { 0 };

    begin(&f, false, true);
    command(&f, 0x104, 0x40);
    wr(f.m, BASE + 0x104, 0);
    g_assert_cmphex(rd(f.m, BASE), ==, BOTH(0x92u));
    command(&f, 0, 0x50);
    command(&f, 0, 0x20);
    command(&f, 0, 0xd0);
    g_assert_cmphex(rd(f.m, BASE), ==, BOTH(0xa2u));
    command(&f, 0, 0xff);
    g_assert_cmphex(rd(f.m, BASE + 0x104), ==, 0x104);
    end(&f);
}

/* A state brings other contents along, and the image has them at the end. */
static void test_image_load(void)
{
    const uint32_t word = GUINT32_TO_LE(0x600d);
    Fixture f = { 0 }, g = { 0 };

    begin(&f, false, false);
    setup(&g, NULL);
    devices_transfer(g.m, f.m);
    g_assert_true(memory_write(f.m->memory, BASE + 0x33330, &word, 4));
    teardown(&g, NULL);
    machine_free(f.m);
    f.m = NULL;
    g_assert_cmphex(image_word(&f, 0x33330), ==, 0x600d);
    end(&f);
}

static void test_image_size(void)
{
    Fixture f = { 0 };
    Error *err = NULL;
    Device *dev;

    make_image(&f, SIZE / 2);
    f.m = machine_new(NULL);
    drive_add(f.m, "d", block_open_image(f.path, "raw", 0, NULL), NULL);
    dev = device_new(&pflash_cfi01_type, f.m, "flash");
    g_assert_true(device_set(dev, "num-blocks=8,drive=d", NULL));
    g_assert_false(device_realize(dev, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "has 1048576 bytes, and the flash has 2097152"));
    error_free(err);
    end(&f);
}

#define ADD(name) \
    g_test_add("/pflash/" #name, Fixture, NULL, setup, test_##name, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(modes);
    ADD(query);
    ADD(program_and_erase);
    ADD(buffer);
    ADD(buffer_errors);
    ADD(locks);
    ADD(save_load);
    g_test_add_func("/pflash/image", test_image);
    g_test_add_func("/pflash/image-many", test_image_many);
    g_test_add_func("/pflash/image-readonly", test_image_readonly);
    g_test_add_func("/pflash/image-load", test_image_load);
    g_test_add_func("/pflash/image-size", test_image_size);
    return g_test_run();
}
