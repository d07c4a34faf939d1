/*
 * The memory map: look-up, access shapes, page flags, digests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/memory-snapshot.h"
#include "hw/core/memory.h"

typedef struct FakeDevice {
    uint64_t value[4];       /* read back, by offset / 4 */
    GString *log;
} FakeDevice;

static uint64_t fake_read(void *opaque, hwaddr offset, unsigned size)
{
    FakeDevice *dev = opaque;

    g_string_append_printf(dev->log, "r%u@%" PRIx64 " ", size, offset);
    return dev->value[(offset / 4) % 4];
}

static void fake_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    FakeDevice *dev = opaque;

    g_string_append_printf(dev->log, "w%u@%" PRIx64 "=%" PRIx64 " ", size, offset, value);
}

static uint64_t fake_peek(void *opaque, hwaddr offset, unsigned size)
{
    FakeDevice *dev = opaque;

    return dev->value[(offset / 4) % 4];
}

static const MmioOps word_ops = {
    .read = fake_read, .write = fake_write, .peek = fake_peek, .min_size = 4, .max_size = 4,
};
static const MmioOps any_ops = {
    .read = fake_read, .write = fake_write, .min_size = 1, .max_size = 8,
};

typedef struct Fixture {
    MemoryMap *map;
    MemRegion *ram, *high, *rom;
    FakeDevice dev;
    GString *hooked;
} Fixture;

/* ROM at 0, a word device, a device without peek, RAM, and RAM right behind it. */
static void setup(Fixture *f)
{
    *f = (Fixture) { .map = memory_map_new() };
    f->dev.log = g_string_new(NULL);
    f->hooked = g_string_new(NULL);
    f->high = memory_add_ram(f->map, "high", 0x40004000, 0x2000, false, NULL);
    f->rom = memory_add_ram(f->map, "rom", 0, 0x1000, true, NULL);
    memory_add_mmio(f->map, "any", 0x9001000, 0x1000, &any_ops, &f->dev);
    f->ram = memory_add_ram(f->map, "ram", 0x40000000, 0x4000, false, NULL);
    memory_add_mmio(f->map, "word", 0x9000000, 0x1000, &word_ops, &f->dev);
}

static void teardown(Fixture *f)
{
    memory_map_free(f->map);
    g_string_free(f->dev.log, TRUE);
    g_string_free(f->hooked, TRUE);
}

static void check_log(Fixture *f, const char *expected)
{
    g_assert_cmpstr(f->dev.log->str, ==, expected);
    g_string_truncate(f->dev.log, 0);
}

static void append_name(const MemRange *range, void *opaque)
{
    g_string_append_printf(opaque, "%s ", range->region->name);
}

static void test_find(void)
{
    Fixture f;

    setup(&f);
    memory_foreach_range(f.map, append_name, f.hooked);
    g_assert_cmpstr(f.hooked->str, ==, "rom word any ram high ");
    g_assert_true(memory_find(f.map, 0) == f.rom);
    g_assert_true(memory_find(f.map, 0xfff) == f.rom);
    g_assert_null(memory_find(f.map, 0x1000));
    g_assert_null(memory_find(f.map, 0x8ffffff));
    g_assert_cmpstr(memory_find(f.map, 0x9000000)->name, ==, "word");
    g_assert_cmpstr(memory_find(f.map, 0x9001000)->name, ==, "any");
    g_assert_true(memory_find(f.map, 0x40003fff) == f.ram);
    g_assert_true(memory_find(f.map, 0x40004000) == f.high);
    g_assert_null(memory_find(f.map, 0x40006000));
    g_assert_null(memory_find(f.map, UINT64_MAX));
    teardown(&f);
}

static void test_ram(void)
{
    Fixture f;
    uint64_t value;
    char text[8];

    setup(&f);
    /* Across the border of two regions. */
    g_assert_true(memory_write(f.map, 0x40003ffc, "abcdefg", 8));
    g_assert_true(memory_read(f.map, 0x40003ffc, text, 8));
    g_assert_cmpstr(text, ==, "abcdefg");
    g_assert_cmpmem(f.high->host, 4, "efg", 4);
    g_assert_true(memory_io_read(f.map, 0x40003ffc, 4, &value));
    g_assert_cmphex(value, ==, 0x64636261);
    g_assert_true(memory_io_read(f.map, 0x40003ffe, 4, &value));
    g_assert_cmphex(value, ==, 0x66656463);
    g_assert_true(memory_io_write(f.map, 0x40000001, 2, 0xffff1234));
    g_assert_true(memory_io_read(f.map, 0x40000000, 8, &value));
    g_assert_cmphex(value, ==, 0x123400);

    /* Nothing is transferred when one byte is missing. */
    g_assert_false(memory_write(f.map, 0x40005ffc, "12345678", 8));
    g_assert_cmpuint(f.high->host[0x1ffc], ==, 0);
    g_assert_false(memory_read(f.map, 0x9000000, text, 4));
    g_assert_false(memory_read(f.map, UINT64_MAX, text, 4));
    g_assert_true(memory_is_writable_ram(f.map, 0x40003000, 0x3000));
    g_assert_false(memory_is_writable_ram(f.map, 0x40003000, 0x3001));
    g_assert_false(memory_is_writable_ram(f.map, 0x800, 4));
    g_assert_true(memory_write(f.map, 0x2000, text, 0));
    teardown(&f);
}

static void test_rom(void)
{
    Fixture f;
    uint64_t value;

    setup(&f);
    g_assert_true(memory_write(f.map, 0x10, "\x78\x56\x34\x12", 4));
    g_assert_true(memory_io_write(f.map, 0x10, 4, 0));
    g_assert_true(memory_io_read(f.map, 0x10, 4, &value));
    g_assert_cmphex(value, ==, 0x12345678);
    teardown(&f);
}

static void test_mmio(void)
{
    Fixture f;
    uint64_t value;

    setup(&f);
    f.dev.value[1] = 0xaaaaaaaa11111111;
    f.dev.value[2] = 0x22222222;
    g_assert_true(memory_io_read(f.map, 0x9000004, 4, &value));
    g_assert_cmphex(value, ==, 0x11111111);
    g_assert_true(memory_io_write(f.map, 0x9000008, 4, 0x123456789));
    check_log(&f, "r4@4 w4@8=23456789 ");
    /* Eight bytes on a device of words: two accesses. */
    g_assert_true(memory_io_read(f.map, 0x9000004, 8, &value));
    g_assert_cmphex(value, ==, 0x2222222211111111);
    g_assert_true(memory_io_write(f.map, 0x9000000, 8, 0x1111111122222222));
    check_log(&f, "r4@4 r4@8 w4@0=22222222 w4@4=11111111 ");
    /* Sizes it does not take: reads as zero, writes are dropped. */
    g_assert_true(memory_io_read(f.map, 0x9000004, 2, &value));
    g_assert_cmphex(value, ==, 0);
    g_assert_true(memory_io_write(f.map, 0x9000004, 1, 1));
    check_log(&f, "");
    g_assert_true(memory_io_write(f.map, 0x9001008, 8, 0x1111111122222222));
    g_assert_true(memory_io_read(f.map, 0x9001004, 1, &value));
    g_assert_cmphex(value, ==, 0x11);
    check_log(&f, "w8@8=1111111122222222 r1@4 ");
    /* Unassigned, and half outside. */
    g_assert_false(memory_io_read(f.map, 0x8000000, 4, &value));
    g_assert_false(memory_io_write(f.map, 0x8000000, 4, 0));
    g_assert_false(memory_io_read(f.map, 0x9001ffc, 8, &value));
    check_log(&f, "");
    teardown(&f);
}

static void test_peek(void)
{
    Fixture f;
    uint8_t bytes[8];

    setup(&f);
    f.dev.value[0] = 0x33221100;
    f.dev.value[1] = 0x77665544;
    g_assert_true(memory_peek(f.map, 0x9000000, bytes, 4));
    g_assert_cmpmem(bytes, 4, "\x00\x11\x22\x33", 4);
    g_assert_true(memory_peek(f.map, 0x9000001, bytes, 6));
    g_assert_cmpmem(bytes, 6, "\x11\x22\x33\x44\x55\x66", 6);
    check_log(&f, "");
    g_assert_false(memory_peek(f.map, 0x9001000, bytes, 4));
    g_assert_false(memory_peek(f.map, 0x8000000, bytes, 4));
    g_assert_true(memory_peek(f.map, 0x40003ffc, bytes, 8));
    g_assert_cmpuint(f.ram->page_flags[3], ==, 0);
    teardown(&f);
}

static void page_written(void *opaque, MemRegion *region, hwaddr addr, size_t length)
{
    Fixture *f = opaque;
    uint8_t byte;

    /* Before the write. */
    memory_peek(f->map, addr, &byte, 1);
    g_string_append_printf(f->hooked, "%" PRIx64 "+%zx(%x) ", addr, length, byte);
}

static void protect(void *opaque, MemRegion *region, hwaddr addr)
{
    Fixture *f = opaque;

    region->page_flags[(addr - region->base) >> PAGE_BITS] &= (uint8_t)~PAGE_WRITE_CACHED;
    g_string_append_printf(f->hooked, "protect %" PRIx64 " ", addr);
}

static const MemoryHooks hooks = { .written = page_written, .protect = protect };

static void note_page(void *opaque, const MemRegion *region, hwaddr page)
{
    g_string_append_printf(((Fixture *)opaque)->hooked, "page %" PRIx64 " ", page);
}

/* Each consumer of dirty flags has its own, and a page is watched again when it is cleaned. */
static void test_clean(void)
{
    Fixture f;

    setup(&f);
    memory_set_hooks(f.map, &hooks, &f);
    g_assert_true(memory_write(f.map, 0x40001ffc, "12345678", 8));
    f.ram->page_flags[2] |= PAGE_WRITE_CACHED;
    memory_clean(f.map, PAGE_DIRTY_SNAPSHOT, note_page, &f);
    g_assert_cmpstr(f.hooked->str, ==, "page 1 protect 40002000 page 2 ");
    g_assert_cmphex(f.ram->page_flags[2], ==, PAGE_WRITTEN & ~PAGE_DIRTY_SNAPSHOT);
    g_string_truncate(f.hooked, 0);
    memory_clean(f.map, PAGE_DIRTY_SNAPSHOT, note_page, &f);
    g_assert_cmpstr(f.hooked->str, ==, "");
    memory_clean(f.map, PAGE_DIRTY_DISPLAY, note_page, &f);
    g_assert_cmpstr(f.hooked->str, ==, "page 1 page 2 ");
    g_string_truncate(f.hooked, 0);
    g_assert_true(memory_write(f.map, 0x40002000, "1", 1));
    memory_clean(f.map, PAGE_DIRTY_SNAPSHOT, note_page, &f);
    g_assert_cmpstr(f.hooked->str, ==, "page 2 ");
    teardown(&f);
}

static void test_flags(void)
{
    Fixture f;
    uint8_t data[0x1008];

    setup(&f);
    memset(data, 0x55, sizeof(data));
    memory_set_hooks(f.map, &hooks, &f);
    f.ram->page_flags[1] |= PAGE_CODE | PAGE_WRITE_CACHED;
    f.ram->page_flags[2] |= PAGE_TABLE;
    g_assert_true(memory_write(f.map, 0x40000ffc, data, sizeof(data)));
    g_assert_cmpstr(f.hooked->str, ==, "40001000+1000(0) 40002000+4(0) ");
    g_assert_cmphex(f.ram->page_flags[0], ==, PAGE_WRITTEN);
    g_assert_cmphex(f.ram->page_flags[1], ==,
                    PAGE_WRITTEN | PAGE_CODE | PAGE_WRITE_CACHED);
    g_assert_cmphex(f.ram->page_flags[2], ==, PAGE_WRITTEN | PAGE_TABLE);
    g_assert_cmphex(f.ram->page_flags[3], ==, 0);
    teardown(&f);
}

static uint64_t digest_of(Fixture *f, void (*fn)(MemoryMap *, Digest *))
{
    Digest *d = digest_new();
    uint64_t value;

    fn(f->map, d);
    value = digest_value(d);
    digest_free(d);
    return value;
}

static void test_digest_all(void)
{
    Fixture f, g;
    static const uint8_t zero[0x2000];
    uint64_t empty;

    setup(&f);
    setup(&g);
    empty = digest_of(&f, memory_digest_all);
    /* Zeros that somebody wrote are no difference. */
    memory_write(f.map, 0x40001000, zero, sizeof(zero));
    g_assert_cmphex(digest_of(&f, memory_digest_all), ==, empty);
    memory_write(f.map, 0x40005fff, "x", 1);
    memory_write(f.map, 0x10, "y", 1);
    memory_write(g.map, 0x10, "y", 1);
    g_assert_cmphex(digest_of(&f, memory_digest_all), !=, digest_of(&g, memory_digest_all));
    memory_write(g.map, 0x40005fff, "x", 1);
    g_assert_cmphex(digest_of(&f, memory_digest_all), ==, digest_of(&g, memory_digest_all));
    g_assert_cmphex(digest_of(&f, memory_digest_all), !=, empty);
    /* The same page content elsewhere is a difference. */
    memory_write(g.map, 0x40005fff, "", 1);
    memory_write(g.map, 0x40004fff, "x", 1);
    g_assert_cmphex(digest_of(&f, memory_digest_all), !=, digest_of(&g, memory_digest_all));
    g_assert_cmphex(f.ram->page_flags[1], ==, PAGE_WRITTEN);
    teardown(&f);
    teardown(&g);
}

static void digest_dirty(MemoryMap *map, Digest *digest)
{
    memory_digest_dirty(map, digest, NULL);
}

/* The list of pages: distances of their numbers, and a byte of each one's digest. */
static void test_dirty_pages(void)
{
    GByteArray *pages = g_byte_array_new();
    Digest *d = digest_new();
    Fixture f;
    ByteReader in;

    setup(&f);
    memory_digest_dirty(f.map, d, NULL);
    memory_write(f.map, 0x40001000, "1", 1);
    memory_write(f.map, 0x40004000, "2", 1);
    memory_digest_dirty(f.map, d, pages);
    byte_reader_init(&in, pages->data, pages->len);
    g_assert_cmphex(bytes_get_varint(&in), ==, 0x40001);
    g_assert_cmphex(bytes_get_u8(&in), ==,
                    (uint8_t)digest_block(f.ram->host + 0x1000, PAGE_SIZE));
    g_assert_cmphex(bytes_get_varint(&in), ==, 3);
    bytes_get_u8(&in);
    g_assert_false(in.failed);
    g_assert_cmpuint(byte_reader_left(&in), ==, 0);
    digest_free(d);
    g_byte_array_unref(pages);
    teardown(&f);
}

static void test_digest_dirty(void)
{
    Fixture f;
    uint64_t empty, first;

    setup(&f);
    empty = digest_of(&f, digest_dirty);
    memory_write(f.map, 0x40001000, "1", 1);
    memory_write(f.map, 0x40004000, "2", 1);
    first = digest_of(&f, digest_dirty);
    g_assert_cmphex(first, !=, empty);
    g_assert_cmphex(f.ram->page_flags[1], ==, PAGE_WRITTEN & ~PAGE_DIRTY_CHECK);
    g_assert_cmphex(digest_of(&f, digest_dirty), ==, empty);
    memory_write(f.map, 0x40001000, "1", 1);
    memory_write(f.map, 0x40004000, "2", 1);
    g_assert_cmphex(digest_of(&f, digest_dirty), ==, first);
    teardown(&f);
}

/* A large, mostly empty RAM: the scan must not skip a flag. */
static void test_sparse(void)
{
    MemoryMap *map = memory_map_new();
    MemRegion *ram = memory_add_ram(map, "ram", 0x40000000, 0x1003000, false, NULL);
    Digest *got = digest_new(), *expected = digest_new();
    static uint8_t page[PAGE_SIZE];

    page[0] = 0x42;
    /* Where the region is comes first. */
    digest_u64(expected, ram->base);
    digest_u64(expected, 1);
    for (hwaddr n = 0; n < ram->size >> PAGE_BITS; n += 509) {
        memory_write(map, ram->base + (n << PAGE_BITS), page, 1);
        digest_u64(expected, ram->base + (n << PAGE_BITS));
        digest_u64(expected, digest_block(page, PAGE_SIZE));
    }
    memory_write(map, ram->base + ram->size - PAGE_SIZE, page, 1);
    digest_u64(expected, ram->base + ram->size - PAGE_SIZE);
    digest_u64(expected, digest_block(page, PAGE_SIZE));
    memory_digest_all(map, got);
    g_assert_cmphex(digest_value(got), ==, digest_value(expected));
    digest_free(got);
    digest_free(expected);
    memory_map_free(map);
}

static void test_too_big(void)
{
    MemoryMap *map = memory_map_new();
    Error *err = NULL;

    g_assert_null(memory_add_ram(map, "huge", 0, 1ull << 62, false, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "'huge'"));
    g_assert_null(memory_find(map, 0));
    error_free(err);
    memory_map_free(map);
}

/* ---- snapshots: images, who shares a page, and watched writes ---- */

/* An image is not copied into a snapshot, but for what was changed in it; and that comes back. */
static void test_snapshot_image(void)
{
    enum { PAGES = 64, CHANGED = PAGE_SIZE * 5 + 7 };
    MemoryMap *map = memory_map_new();
    g_autofree uint8_t *image = g_malloc(PAGES * PAGE_SIZE), *now = g_malloc(PAGES * PAGE_SIZE);
    MemSnapshot *s[2];

    memory_add_ram(map, "ram", 0x10000, 2 * PAGES * PAGE_SIZE, false, NULL);
    for (unsigned i = 0; i < PAGES * PAGE_SIZE; i++) {
        image[i] = (uint8_t)(i / 5 + i / PAGE_SIZE);
    }
    /* Not on a page's boundary: the first and the last page are not the image's alone. */
    g_assert_true(memory_write_image(map, 0x10064, image, PAGES * PAGE_SIZE));
    s[0] = memory_snapshot_take(map, false);
    g_assert_cmpuint(memory_snapshot_bytes(map), <, PAGES * PAGE_SIZE / 2);
    g_assert_true(memory_write(map, 0x10064 + CHANGED, "changed", 7));
    s[1] = memory_snapshot_take(map, false);
    g_assert_cmpuint(memory_snapshot_bytes(map), <, PAGES * PAGE_SIZE / 2);
    memory_snapshot_restore(map, s[0]);
    g_assert_true(memory_read(map, 0x10064, now, PAGES * PAGE_SIZE));
    g_assert_cmpmem(now, PAGES * PAGE_SIZE, image, PAGES * PAGE_SIZE);
    memory_snapshot_restore(map, s[1]);
    g_assert_true(memory_read(map, 0x10064, now, PAGES * PAGE_SIZE));
    g_assert_cmpmem(now + CHANGED, 7, "changed", 7);
    memory_snapshot_free(s[0]);
    memory_snapshot_free(s[1]);
    memory_map_free(map);
}

static void test_snapshot_sharing(void)
{
    MemoryMap *map = memory_map_new();
    MemRegion *ram = memory_add_ram(map, "ram", 0x40000000, 8 * PAGE_SIZE, false, NULL);
    g_autoptr(GByteArray) saved = g_byte_array_new();
    MemSnapshot *s[5];
    ByteReader in;

    memory_write(map, 0x40001000, "a", 1);
    s[0] = memory_snapshot_take(map, false);
    memory_write(map, 0x40001000, "b", 1);
    memory_write(map, 0x40001000, "a", 1);
    memory_write(map, 0x40002000, "", 1);
    s[1] = memory_snapshot_take(map, false);
    s[2] = memory_snapshot_take(map, false);
    g_assert_false(memory_snapshots_share(s[0], s[1], ram, PAGE_SIZE));
    g_assert_false(memory_snapshots_share(s[0], s[1], ram, 2 * PAGE_SIZE + 5));
    g_assert_true(memory_snapshots_share(s[0], s[1], ram, 3 * PAGE_SIZE));
    g_assert_true(memory_snapshots_share(s[1], s[2], ram, PAGE_SIZE));
    /* What is taken behind a restored one is held against that. */
    memory_snapshot_restore(map, s[0]);
    s[3] = memory_snapshot_take(map, false);
    g_assert_true(memory_snapshots_share(s[0], s[3], ram, PAGE_SIZE));
    g_assert_false(memory_snapshots_share(s[1], s[3], ram, PAGE_SIZE));
    /* Whatever was loaded may have been written. */
    g_assert_true(memory_save(map, saved, NULL));
    byte_reader_init(&in, saved->data, saved->len);
    g_assert_true(memory_load(map, &in, NULL));
    s[4] = memory_snapshot_take(map, false);
    g_assert_false(memory_snapshots_share(s[3], s[4], ram, PAGE_SIZE));
    for (unsigned n = 0; n < ARRAY_SIZE(s); n++) {
        memory_snapshot_free(s[n]);
    }
    memory_map_free(map);
}

static void note_write(void *opaque, const MemRegion *region, hwaddr offset, size_t length)
{
    g_string_append_printf(opaque, "%" PRIx64 "+%zu was %02x;", offset, length, region->host[offset]);
}

static void test_watch(void)
{
    MemoryMap *map = memory_map_new();
    MemRegion *ram = memory_add_ram(map, "ram", 0x40000000, 8 * PAGE_SIZE, false, NULL);
    g_autoptr(GString) seen = g_string_new("");
    const MemWatch watch = { .part = { { ram, 0x10, 4 }, { ram, 0x2000, 8 } }, .num_parts = 2,
                             .written = note_write, .opaque = seen };

    memory_watch(map, &watch);
    memory_write(map, 0x4000000c, "1234", 4);
    memory_write(map, 0x4000000d, "5678", 4);
    memory_write(map, 0x40000014, "1234", 4);
    memory_write(map, 0x40001fff, "12", 2);
    g_assert_cmpstr(seen->str, ==, "d+4 was 32;1fff+2 was 00;");
    g_assert_true(memory_is_watched(map, ram, 0x40002000, PAGE_SIZE));
    g_assert_false(memory_is_watched(map, ram, 0x40001000, PAGE_SIZE));
    memory_watch(map, NULL);
    memory_write(map, 0x40000010, "1", 1);
    g_assert_cmpuint(seen->len, ==, strlen("d+4 was 32;1fff+2 was 00;"));
    memory_map_free(map);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/memory/find", test_find);
    g_test_add_func("/memory/ram", test_ram);
    g_test_add_func("/memory/rom", test_rom);
    g_test_add_func("/memory/mmio", test_mmio);
    g_test_add_func("/memory/peek", test_peek);
    g_test_add_func("/memory/flags", test_flags);
    g_test_add_func("/memory/clean", test_clean);
    g_test_add_func("/memory/digest-all", test_digest_all);
    g_test_add_func("/memory/digest-dirty", test_digest_dirty);
    g_test_add_func("/memory/dirty-pages", test_dirty_pages);
    g_test_add_func("/memory/sparse", test_sparse);
    g_test_add_func("/memory/too-big", test_too_big);
    g_test_add_func("/memory/snapshot-image", test_snapshot_image);
    g_test_add_func("/memory/snapshot-sharing", test_snapshot_sharing);
    g_test_add_func("/memory/watch", test_watch);
    return g_test_run();
}
