/*
 * Disk images: files, parts of them, zeros; what is refused.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>
#include "block/block.h"

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
    sampled = block_identity(n, false, NULL);
    g_assert_true(g_str_has_prefix(sampled, "1073741824 bytes, sampled xxh3:"));
    all = block_identity(n, true, NULL);
    g_assert_true(g_str_has_prefix(all, "1073741824 bytes, xxh3:"));
    g_assert_cmpint(pwrite(fd, "x", 1, (1 << 30) - 5), ==, 1);
    changed = block_identity(n, false, NULL);
    g_assert_cmpstr(sampled, !=, changed);
    block_close(n);
    close(fd);
    n = open_image(small, "raw", 0);
    little = block_identity(n, false, NULL);
    g_assert_null(strstr(little, "sampled"));
    block_close(n);
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
    rc = g_test_run();
    remove_folder();
    return rc;
}
