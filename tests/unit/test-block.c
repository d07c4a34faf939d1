/*
 * Disk images: files, parts of them, zeros; qcow2, also on a failing disk; filters; what is refused.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>
#include "block/block.h"
#include "util/bytes.h"
#include "util/host-clock.h"

static char *folder;

static char *in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static char *make_file(const char *name, size_t length)
{
    char *path = in_folder(name);
    g_autofree char *content = g_malloc(length + 1);

    for (size_t i = 0; i < length; i++) {
        content[i] = (char)(i / 512 + i);
    }
    g_assert_true(g_file_set_contents(path, content, (gssize)length, NULL));
    return path;
}

static BlockNode *open_image(const char *path, const char *format, unsigned flags)
{
    Error *err = NULL;
    BlockNode *n = block_open_image(path, format, flags, &err);

    g_assert_cmpstr(err ? error_get_pretty(err) : NULL, ==, NULL);
    return n;
}

static BlockNode *open_options(const char *text, unsigned flags)
{
    KeyVal *kv = keyval_parse(text, NULL, NULL);
    Error *err = NULL;
    BlockNode *n = block_open(kv, "", flags, &err);

    g_assert_cmpstr(err ? error_get_pretty(err) : NULL, ==, NULL);
    g_assert_true(keyval_check_unused(kv, "x", NULL));
    keyval_free(kv);
    return n;
}

static void refused(const char *text, unsigned flags, const char *why)
{
    KeyVal *kv = keyval_parse(text, NULL, NULL);
    Error *err = NULL;

    g_assert_null(block_open(kv, "", flags, &err));
    if (!strstr(error_get_pretty(err), why)) {
        g_error("'%s' does not say '%s'", error_get_pretty(err), why);
    }
    error_free(err);
    keyval_free(kv);
}

static void test_raw(void)
{
    g_autofree char *path = make_file("a", 1000);
    BlockNode *n = open_image(path, NULL, BLOCK_WRITABLE);
    uint8_t data[1024], expected[1024];
    g_autofree char *content = NULL;
    gsize length;

    /* Two sectors; what the file does not have are zeros. */
    g_assert_cmpstr(n->driver->name, ==, "raw");
    g_assert_true(n->flags & BLOCK_PROBED);
    g_assert_cmpuint(block_bytes(n), ==, 1024);
    g_assert_cmpint(block_read(n, 0, data, 1024), ==, 0);
    for (unsigned i = 0; i < 1024; i++) {
        expected[i] = i < 1000 ? (uint8_t)(i / 512 + i) : 0;
    }
    g_assert_cmpmem(data, 1024, expected, 1024);
    g_assert_cmpint(block_write(n, 1010, "xyz", 3), ==, 0);
    g_assert_cmpint(block_write_zeroes(n, 100, 200, true), ==, 0);
    g_assert_cmpint(block_flush(n), ==, 0);
    memcpy(expected + 1010, "xyz", 3);
    memset(expected + 100, 0, 200);
    g_assert_cmpint(block_read(n, 0, data, 1024), ==, 0);
    g_assert_cmpmem(data, 1024, expected, 1024);
    block_close(n);
    g_assert_true(g_file_get_contents(path, &content, &length, NULL));
    g_assert_cmpmem(content, length, expected, 1013);
    n = open_image(path, "raw", 0);
    g_assert_false(n->flags & BLOCK_PROBED);
    g_assert_cmpint(block_write(n, 0, "x", 1), ==, -EROFS);
    g_assert_cmpint(block_write_zeroes(n, 0, 1, false), ==, -EROFS);
    g_assert_cmpint(block_discard(n, 0, 1), ==, -EROFS);
    block_close(n);
}

static void test_part(void)
{
    g_autofree char *path = make_file("p", 4096);
    g_autofree char *text = g_strdup_printf("driver=raw,offset=512,size=1k,file.driver=file,"
                                            "file.filename=%s", path);
    BlockNode *n = open_options(text, BLOCK_WRITABLE);
    BlockExtent extent;
    uint8_t byte;
    Error *err = NULL;

    g_assert_cmpuint(block_bytes(n), ==, 1024);
    g_assert_cmpint(block_read(n, 512, &byte, 1), ==, 0);
    g_assert_cmpuint(byte, ==, (1024 / 512 + 1024) & 0xff);
    g_assert_cmpint(block_extent(n, 512, 512, &extent), ==, 0);
    g_assert_true(extent.has_offset && extent.offset == 1024 && extent.bytes == 512);
    g_assert_false(block_resize(n, 2048, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "cannot make"));
    error_free(err);
    block_close(n);
    g_free(text);
    text = g_strdup_printf("driver=raw,offset=8k,file.filename=%s", path);
    refused(text, 0, "go beyond the end");
    g_free(text);
    text = g_strdup_printf("driver=raw,offset=100,file.filename=%s", path);
    refused(text, 0, "offset=100 is not a multiple");
}

static void test_holes(void)
{
    g_autofree char *path = in_folder("h");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    BlockExtent extent;
    BlockNode *n;

    g_assert_cmpint(ftruncate(fd, 1 << 20), ==, 0);
    g_assert_cmpint(pwrite(fd, "x", 1, 512 << 10), ==, 1);
    close(fd);
    n = open_image(path, "raw", BLOCK_WRITABLE);
    g_assert_cmpint(block_extent_deep(n, 0, 1 << 20, &extent), ==, 0);
    g_assert_true(extent.zero && extent.bytes == 512 << 10);
    g_assert_cmpint(block_extent(n, 512 << 10, 512, &extent), ==, 0);
    g_assert_true(!extent.zero && extent.allocated);
    g_assert_cmpint(block_discard(n, 0, 1 << 20), ==, 0);
    g_assert_true(block_resize(n, 2 << 20, NULL));
    g_assert_cmpuint(block_bytes(n), ==, 2 << 20);
    block_close(n);
}

static void test_null(void)
{
    BlockNode *n = open_options("driver=null-co,size=3M", BLOCK_WRITABLE);
    uint8_t data[8] = { 1 };

    g_assert_cmpuint(block_bytes(n), ==, 3 << 20);
    g_assert_cmpint(block_write(n, 8, "12345678", 8), ==, 0);
    g_assert_cmpint(block_read(n, 8, data, 8), ==, 0);
    g_assert_cmpuint(data[0], ==, 0);
    block_close(n);
}

static void test_locks(void)
{
    g_autofree char *path = make_file("l", 512);
    g_autofree char *text = g_strdup_printf("driver=raw,file.filename=%s", path);
    BlockNode *reader = open_image(path, "raw", 0), *second, *writer;

    second = open_image(path, "raw", 0);
    refused(text, BLOCK_WRITABLE, "is in use: another process has it open");
    block_close(second);
    block_close(reader);
    writer = open_image(path, "raw", BLOCK_WRITABLE);
    refused(text, 0, "is in use: another process writes to it");
    refused(text, BLOCK_WRITABLE, "is in use");
    second = open_image(path, "raw", BLOCK_NO_LOCK);
    block_close(second);
    block_close(writer);
}

static void test_refused(void)
{
    g_autofree char *text = g_strdup_printf("driver=raw,file.filename=%s", folder);

    refused("driver=host_devise", 0, "did you mean 'host_device'?");
    refused("driver=fnord", 0, "there are raw, ");
    refused("driver=raw,file.filename=/nonexistent/x", 0, "cannot open '/nonexistent/x'");
    refused("driver=raw", 0, "'file' has no file name");
    refused(text, 0, "a folder");
    refused("driver=null-co,size=x", 0, "size=x is no size");
}

static void test_identity(void)
{
    g_autofree char *path = in_folder("i"), *small = make_file("s", 5000);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_autofree char *all = NULL, *sampled = NULL, *changed = NULL, *little = NULL;
    BlockNode *n;

    g_assert_cmpint(ftruncate(fd, 1 << 30), ==, 0);
    n = open_image(path, "raw", BLOCK_NO_LOCK);
    sampled = block_identity(n, false);
    g_assert_true(g_str_has_prefix(sampled, "1073741824 bytes, sampled xxh3:"));
    all = block_identity(n, true);
    g_assert_true(g_str_has_prefix(all, "1073741824 bytes, xxh3:"));
    g_assert_cmpint(pwrite(fd, "x", 1, (1 << 30) - 5), ==, 1);
    changed = block_identity(n, false);
    g_assert_cmpstr(sampled, !=, changed);
    block_close(n);
    close(fd);
    n = open_image(small, "raw", 0);
    little = block_identity(n, false);
    g_assert_null(strstr(little, "sampled"));
    block_close(n);
}

/* ---- qcow2 ---- */

static char *make_qcow2(const char *name, const char *options)
{
    char *path = in_folder(name);
    KeyVal *kv = keyval_parse(options, NULL, NULL);
    Error *err = NULL;

    block_create(path, "qcow2", kv, &err);
    g_assert_cmpstr(err ? error_get_pretty(err) : NULL, ==, NULL);
    keyval_free(kv);
    return path;
}

/* Bytes of a file are others. */
static void patch(const char *path, uint64_t at, const void *data, size_t length)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    g_assert_cmpint(pwrite(fd, data, length, (off_t)at), ==, (ssize_t)length);
    close(fd);
}

static uint64_t field(const char *path, uint64_t at, unsigned size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t raw[8];

    g_assert_cmpint(pread(fd, raw, size, (off_t)at), ==, (ssize_t)size);
    close(fd);
    return load_be(raw, size);
}

static void expect_bytes(BlockNode *n, uint64_t offset, uint64_t length, uint8_t byte)
{
    g_autofree uint8_t *data = g_malloc(length), *want = g_malloc(length);

    memset(want, byte, length);
    g_assert_cmpint(block_read(n, offset, data, length), ==, 0);
    g_assert_cmpmem(data, length, want, length);
}

static void write_bytes(BlockNode *n, uint64_t offset, uint64_t length, uint8_t byte)
{
    g_autofree uint8_t *data = g_malloc(length);

    memset(data, byte, length);
    g_assert_cmpint(block_write(n, offset, data, length), ==, 0);
}

static void expect_whole(BlockNode *n)
{
    BlockCheck check = { .say = NULL };

    g_assert_true(block_check(n, BLOCK_REPAIR_NOTHING, &check, NULL));
    g_assert_cmpuint(check.corruptions, ==, 0);
    g_assert_cmpuint(check.leaks, ==, 0);
}

static void test_qcow2(void)
{
    static const char *const options[] = {
        "size=1M", "size=1M,compat=0.10", "size=1M,cluster_size=512,refcount_bits=1", "size=1000k,cluster_size=2M",
        "size=1M,lazy_refcounts=on,refcount_bits=64,cluster_size=1k", "size=1M,preallocation=metadata",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(options); i++) {
        g_autofree char *path = make_qcow2("q", options[i]);
        BlockNode *n = open_image(path, NULL, BLOCK_WRITABLE);

        g_assert_cmpstr(n->driver->name, ==, "qcow2");
        g_assert_false(n->flags & BLOCK_PROBED);
        expect_bytes(n, 0, n->bytes, 0);
        write_bytes(n, 1000, 300000, 'a');
        write_bytes(n, 299000, 1, 'b');
        g_assert_cmpint(block_write_zeroes(n, 100000, 100001, true), ==, 0);
        g_assert_cmpint(block_discard(n, 500000, 100000), ==, 0);
        g_assert_cmpint(block_flush(n), ==, 0);
        block_close(n);
        n = open_image(path, NULL, 0);
        expect_bytes(n, 0, 1000, 0);
        expect_bytes(n, 1000, 99000, 'a');
        expect_bytes(n, 100000, 100001, 0);
        expect_bytes(n, 200001, 98999, 'a');
        expect_bytes(n, 299000, 1, 'b');
        expect_bytes(n, 299001, 1999, 'a');
        expect_bytes(n, 301000, n->bytes - 301000, 0);
        expect_whole(n);
        block_close(n);
    }
}

/* Content of the layers: what the top has not comes from below, also when sizes differ. */
static void test_backing(void)
{
    g_autofree char *base = make_qcow2("base", "size=1M");
    g_autofree char *top = make_qcow2("top", "size=768k,backing_file=base,backing_fmt=qcow2");
    BlockNode *n = open_image(base, "qcow2", BLOCK_WRITABLE);
    BlockExtent e;

    write_bytes(n, 0, 1 << 20, 'B');
    block_close(n);
    n = open_image(top, NULL, BLOCK_WRITABLE);
    expect_bytes(n, 0, 768 << 10, 'B');
    write_bytes(n, 70000, 10, 'T');
    expect_bytes(n, 65536, 70000 - 65536, 'B');
    expect_bytes(n, 70010, 65536, 'B');
    g_assert_cmpint(block_write_zeroes(n, 131072, 65536, true), ==, 0);
    expect_bytes(n, 131072, 65536, 0);
    g_assert_cmpint(block_extent(n, 0, 65536, &e), ==, 0);
    g_assert_false(e.allocated);
    /* What grows is zeros, not what the longer base has there. */
    g_assert_true(block_resize(n, 2 << 20, NULL));
    expect_bytes(n, 768 << 10, (2 << 20) - (768 << 10), 0);
    expect_bytes(n, 700 << 10, 68 << 10, 'B');
    g_assert_true(block_resize(n, 700 << 10, NULL));
    g_assert_true(block_resize(n, 1 << 20, NULL));
    expect_bytes(n, 700 << 10, 324 << 10, 0);
    g_assert_cmpint(block_make_empty(n), ==, 0);
    expect_bytes(n, 0, 1 << 20, 'B');
    expect_whole(n);
    block_close(n);
}

static void test_snapshots(void)
{
    g_autofree char *path = make_qcow2("s", "size=1M,cluster_size=4k");
    BlockNode *n = open_image(path, NULL, BLOCK_WRITABLE);
    g_autoptr(GPtrArray) list = NULL;
    Error *err = NULL;

    write_bytes(n, 0, 500000, '1');
    g_assert_true(block_snapshot(n, BLOCK_SNAPSHOT_CREATE, "one", NULL));
    write_bytes(n, 0, 1000, '2');
    g_assert_true(block_resize(n, 2 << 20, NULL));
    g_assert_true(block_snapshot(n, BLOCK_SNAPSHOT_CREATE, "two", NULL));
    write_bytes(n, 0, 2 << 20, '3');
    expect_whole(n);
    g_assert_true(block_snapshot(n, BLOCK_SNAPSHOT_APPLY, "one", NULL));
    g_assert_cmpuint(n->bytes, ==, 1 << 20);
    expect_bytes(n, 0, 500000, '1');
    expect_bytes(n, 500000, (1 << 20) - 500000, 0);
    g_assert_true(block_snapshot(n, BLOCK_SNAPSHOT_DELETE, "1", NULL));
    expect_bytes(n, 0, 500000, '1');
    list = block_snapshot_list(n);
    g_assert_cmpuint(list->len, ==, 1);
    g_assert_cmpstr(((BlockSnapshot *)g_ptr_array_index(list, 0))->name, ==, "two");
    g_assert_false(block_snapshot(n, BLOCK_SNAPSHOT_APPLY, "one", &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "has no snapshot 'one'"));
    error_free(err);
    expect_whole(n);
    block_close(n);
    n = open_image(path, NULL, 0);
    g_assert_true(block_snapshot_load(n, "two", NULL));
    g_assert_cmpuint(n->bytes, ==, 2 << 20);
    expect_bytes(n, 0, 1000, '2');
    expect_bytes(n, 1000, 499000, '1');
    block_close(n);
}

/* An extension that nobody knows stays; bits that say that nobody else has written go with the first write. */
static void test_header(void)
{
    static const uint8_t extension[16] = { 0x12, 0x34, 0x56, 0x78, 0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o' };
    g_autofree char *path = make_qcow2("h2", "size=1M"), *base = make_qcow2("b2", "size=1M");
    g_autofree char *text = g_strdup_printf("driver=qcow2,file.filename=%s", path), *content = NULL;
    g_autofree uint8_t *table = NULL;
    BlockNode *n;
    gsize length;

    g_assert_true(g_file_get_contents(path, &content, &length, NULL));
    table = g_memdup2(content + 112, 1000);
    patch(path, 112, extension, sizeof(extension));
    patch(path, 128, table, 1000);
    patch(path, 88, "\0\0\0\0\0\0\0\x80", 8);
    block_close(open_image(path, NULL, BLOCK_WRITABLE));
    g_assert_cmpuint(field(path, 88, 8), ==, 0x80);
    n = open_image(path, NULL, BLOCK_WRITABLE);
    write_bytes(n, 0, 1, 'x');
    g_assert_cmpuint(field(path, 88, 8), ==, 0);
    g_assert_true(block_set_backing(n, "b2", "qcow2", NULL));
    block_close(n);
    n = open_image(path, NULL, 0);
    g_assert_cmpstr(n->backing_name, ==, "b2");
    g_assert_cmpstr(n->backing_format, ==, "qcow2");
    g_assert_cmpstr(n->backing->filename, ==, base);
    block_close(n);
    g_free(content);
    g_assert_true(g_file_get_contents(path, &content, &length, NULL));
    g_assert_nonnull(memmem(content, 65536, extension, sizeof(extension)));

    patch(path, 72, "\0\0\0\0\0\0\0\x30", 8);
    refused(text, 0, "features of qcow2 that are not supported: extended L2 entries, bit 5");
    patch(path, 72, "\0\0\0\0\0\0\0\x02", 8);
    block_close(open_image(path, NULL, 0));
    refused(text, BLOCK_WRITABLE, "marked as damaged");
    patch(path, 72, "\0\0\0\0\0\0\0\0", 8);
    patch(path, 32, "\0\0\0\2", 4);
    refused(text, 0, "is encrypted (LUKS)");
    patch(path, 32, "\0\0\0\0\0\0\0\0", 8);
    refused(text, 0, "L1 table of 0 entries");
    patch(path, 20, "\0\0\0\x16", 4);
    refused(text, 0, "clusters of 2^22 bytes");
    patch(path, 4, "\0\0\0\4", 4);
    refused(text, 0, "not a qcow2 image of version 2 or 3");
}

/* An image that makes the driver write to its own tables is found out. */
static void test_overlap(void)
{
    g_autofree char *path = make_qcow2("o", "size=1M,cluster_size=4k");
    BlockNode *n = open_image(path, NULL, BLOCK_WRITABLE);
    uint8_t entry[8];
    uint64_t l1, l2;

    write_bytes(n, 0, 4096, 'x');
    block_close(n);
    l1 = field(path, 40, 8);
    l2 = field(path, l1, 8) & 0xfffffffffffe00;
    store_be(entry, l1 | 1ull << 63, 8);
    patch(path, l2, entry, 8);
    n = open_image(path, NULL, BLOCK_WRITABLE);
    g_assert_cmpint(block_write(n, 0, "y", 1), ==, -EIO);
    g_assert_cmpint(block_write(n, 8192, "y", 1), ==, -EIO);
    block_close(n);
    g_assert_cmpuint(field(path, 72, 8), ==, 2);
    g_assert_cmpuint(field(path, l1, 8) & 0xfffffffffffe00, ==, l2);
}

/* ---- filters ---- */

/* qcow2 on blkdebug on a file, with these rules. */
static BlockNode *open_debug(const char *path, const char *rules)
{
    g_autofree char *text = g_strdup_printf("driver=qcow2,file.driver=blkdebug,file.image.filename=%s,%s", path, rules);

    return open_options(text, BLOCK_WRITABLE | BLOCK_UNSAFE);
}

static void test_blkdebug(void)
{
    g_autofree char *path = make_file("d", 8192);
    g_autofree char *text = g_strdup_printf("driver=blkdebug,image.filename=%s,inject-error.0.event=read_aio,"
                                            "inject-error.0.errno=28,inject-error.0.sector=2,inject-error.1.iotype="
                                            "write,inject-error.1.once=on,inject-error.1.skip=1,inject-error.2.event="
                                            "flush_to_disk,inject-error.2.delay=20,inject-error.2.errno=0", path);
    BlockNode *n = open_options(text, BLOCK_WRITABLE);
    int64_t start;
    char data[1024];

    g_assert_cmpint(block_read(n, 0, data, 1024), ==, 0);
    g_assert_cmpint(block_read(n, 1000, data, 25), ==, -ENOSPC);
    g_assert_cmpint(block_read(n, 1535, data, 1), ==, -ENOSPC);
    g_assert_cmpint(block_read(n, 1536, data, 512), ==, 0);
    g_assert_cmpint(block_write(n, 0, data, 512), ==, 0);
    g_assert_cmpint(block_write(n, 0, data, 512), ==, -EIO);
    g_assert_cmpint(block_write(n, 0, data, 512), ==, 0);
    start = host_monotonic_ns();
    g_assert_cmpint(block_flush(n), ==, 0);
    g_assert_cmpint(host_monotonic_ns() - start, >=, 20000000);
    block_close(n);
    refused("driver=blkdebug,image.driver=null-co,inject-error.0.event=later", 0, "event=later: there are read_aio");
    refused("driver=blkdebug,image.driver=null-co,inject-error.0.errno=x", 0, "errno=x: it is a number");
    refused("driver=blkdebug,image.driver=null-co,inject-error.0.iotype=x", 0, "there are read, write");
}

/*
 * One request after the other fails once: the image is whole at each of them, and what was
 * written before, and after, is there.
 */
static void test_failing_disk(void)
{
    static const char *const types[] = { "write", "flush", "read", "write-zeroes" };

    for (unsigned i = 0; i < ARRAY_SIZE(types) * 40; i++) {
        g_autofree char *path = make_qcow2("f", "size=1M,cluster_size=512,refcount_bits=64");
        g_autofree char *rules = g_strdup_printf("file.inject-error.0.iotype=%s,file.inject-error.0.once=on,"
                                                 "file.inject-error.0.skip=%u", types[i % 4], i / 4 + 10);
        BlockNode *n = open_debug(path, rules);
        BlockCheck check = { .say = NULL };
        Error *err = NULL;

        for (unsigned k = 0; k < 8; k++) {
            g_autofree uint8_t *data = g_malloc(40000);

            memset(data, 'a' + (int)k, 40000);
            if (block_write(n, k * 100000, data, 40000) < 0) {
                g_assert_cmpint(block_write(n, k * 100000, data, 40000), ==, 0);
            }
            if (k == 3 && !block_snapshot(n, BLOCK_SNAPSHOT_CREATE, "s", &err)) {
                error_free(err);
                err = NULL;
                g_assert_true(block_snapshot(n, BLOCK_SNAPSHOT_CREATE, "s", NULL));
            }
            if (k % 2 && block_flush(n) < 0) {
                g_assert_cmpint(block_flush(n), ==, 0);
            }
        }
        if (block_discard(n, 0, 20000) < 0) {
            g_assert_cmpint(block_discard(n, 0, 20000), ==, 0);
        }
        if (block_flush(n) < 0) {
            g_assert_cmpint(block_flush(n), ==, 0);
        }
        block_close(n);
        n = open_image(path, NULL, 0);
        g_assert_true(block_check(n, BLOCK_REPAIR_NOTHING, &check, NULL));
        if (check.corruptions) {
            g_error("%s fails at %u: %" PRIu64 " errors", types[i % 4], i / 4 + 10, check.corruptions);
        }
        for (unsigned k = 0; k < 8; k++) {
            expect_bytes(n, k * 100000 + (k ? 0 : 20000), k ? 40000 : 20000, (uint8_t)('a' + k));
        }
        block_close(n);
    }
}

static void test_copy_on_read(void)
{
    g_autofree char *base = make_qcow2("cb", "size=1M"), *top = make_qcow2("ct", "size=1M,backing_file=cb,backing_fmt=qcow2");
    g_autofree char *text = g_strdup_printf("driver=copy-on-read,file.driver=qcow2,file.file.filename=%s", top);
    BlockNode *n = open_image(base, NULL, BLOCK_WRITABLE);
    BlockExtent e;

    write_bytes(n, 0, 200000, 'c');
    block_close(n);
    n = open_options(text, BLOCK_WRITABLE);
    expect_bytes(n, 70000, 10, 'c');
    expect_bytes(n, 600000, 10, 0);
    write_bytes(n, 0, 5, 'd');
    block_close(n);
    n = open_image(top, NULL, BLOCK_NO_BACKING);
    g_assert_cmpint(block_extent(n, 65536, 65536, &e), ==, 0);
    g_assert_true(e.allocated && e.bytes == 65536);
    expect_bytes(n, 65536, 65536, 'c');
    g_assert_cmpint(block_extent(n, 131072, 900000, &e), ==, 0);
    g_assert_false(e.allocated);
    block_close(n);
}

static void test_throttle(void)
{
    BlockNode *n = open_options("driver=throttle,iops-read=100,bps-write=1M,file.driver=null-co", BLOCK_WRITABLE);
    int64_t start = host_monotonic_ns();
    char data[4096] = "";

    /* A burst of a tenth of a second, and then 10 ms each. */
    for (unsigned i = 0; i < 20; i++) {
        g_assert_cmpint(block_read(n, 0, data, 512), ==, 0);
    }
    g_assert_cmpint(host_monotonic_ns() - start, >=, 85000000);
    start = host_monotonic_ns();
    for (unsigned i = 0; i < 50; i++) {
        g_assert_cmpint(block_write(n, 0, data, sizeof(data)), ==, 0);
    }
    g_assert_cmpint(host_monotonic_ns() - start, >=, 85000000);
    block_close(n);
    /* A byte a second: who closes the image does not wait a day. */
    n = open_options("driver=throttle,bps-read=1,file.driver=null-co", 0);
    block_hurry(n);
    for (unsigned i = 0; i < 10; i++) {
        g_assert_cmpint(block_read(n, 0, data, sizeof(data)), ==, 0);
    }
    block_close(n);
    refused("driver=throttle,iops-read=x,file.driver=null-co", 0, "iops-read=x: it is a number per second");
}

static void remove_folder(void)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = in_folder(name);

        g_unlink(path);
    }
    g_dir_close(dir);
    g_rmdir(folder);
    g_free(folder);
}

int main(int argc, char **argv)
{
    int rc;

    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("test-block-XXXXXX", NULL);
    g_test_add_func("/block/raw", test_raw);
    g_test_add_func("/block/part", test_part);
    g_test_add_func("/block/holes", test_holes);
    g_test_add_func("/block/null", test_null);
    g_test_add_func("/block/locks", test_locks);
    g_test_add_func("/block/refused", test_refused);
    g_test_add_func("/block/identity", test_identity);
    g_test_add_func("/block/qcow2", test_qcow2);
    g_test_add_func("/block/backing", test_backing);
    g_test_add_func("/block/snapshots", test_snapshots);
    g_test_add_func("/block/header", test_header);
    g_test_add_func("/block/overlap", test_overlap);
    g_test_add_func("/block/blkdebug", test_blkdebug);
    g_test_add_func("/block/failing-disk", test_failing_disk);
    g_test_add_func("/block/copy-on-read", test_copy_on_read);
    g_test_add_func("/block/throttle", test_throttle);
    rc = g_test_run();
    remove_folder();
    return rc;
}
