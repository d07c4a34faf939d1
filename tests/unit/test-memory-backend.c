/*
 * Where RAM comes from: what of a file a guest sees, and what of a guest's writes the file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include <unistd.h>
#include "hw/core/memory-backend.h"

#define BASE 0x40000000
#define SIZE 0x100000

static char *dir;

static void told(void *opaque, const char *name, const char *value)
{
    g_string_append_printf(opaque, "%s=%s;", name, value);
}

/* A machine with RAM of `object`, which is called "m"; what it described. */
static Machine *machine(const char *object, GString *description)
{
    Machine *m = machine_new(NULL);
    Error *err = NULL;

    m->describe = told;
    m->describe_opaque = description;
    if (!user_object_add(m, object, &err) ||
        !memory_backend_add_ram(m, "m", "ram", BASE, SIZE, &err)) {
        g_error("%s: %s", object, error_get_pretty(err));
    }
    return m;
}

static char *make_file(const char *name, const char *content, size_t size)
{
    char *path = g_build_filename(dir, name, NULL);

    g_assert_true(g_file_set_contents(path, content, (gssize)strlen(content), NULL));
    g_assert_cmpint(truncate(path, (off_t)size), ==, 0);
    return path;
}

static uint32_t get(Machine *m, hwaddr addr)
{
    uint32_t value;

    g_assert_true(memory_read(m->memory, addr, &value, 4));
    return value;
}

static void test_plain(void)
{
    static const char *const objects[] = {
        "memory-backend-ram,id=m,size=1M", "memory-backend-ram,id=m,size=1M,prealloc=on,share=on",
        "memory-backend-memfd,id=m,size=1M", "memory-backend-memfd,id=m,size=1M,share=off,seal=off",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(objects); i++) {
        g_autoptr(GString) description = g_string_new(NULL);
        Machine *m = machine(objects[i], description);

        g_assert_cmphex(get(m, BASE), ==, 0);
        g_assert_cmphex(get(m, BASE + SIZE - 4), ==, 0);
        g_assert_true(memory_write(m->memory, BASE + SIZE - 4, "abcd", 4));
        g_assert_cmphex(get(m, BASE + SIZE - 4), ==, 0x64636261);
        g_assert_false(memory_write(m->memory, BASE + SIZE, "abcd", 4));
        g_assert_cmpstr(description->str, ==, "");
        machine_free(m);
    }
}

/* A private file is where RAM begins; nobody sees the guest's writes, nor it those of others. */
static void test_private_file(void)
{
    g_autofree char *path = make_file("private", "abcdefgh", 8192);
    g_autofree char *object = g_strdup_printf("memory-backend-file,id=m,size=1M,mem-path=%s", path);
    g_autofree char *content = NULL;
    g_autoptr(GString) description = g_string_new(NULL);
    Machine *m = machine(object, description);
    MemRegion *region = memory_find(m->memory, BASE);

    g_assert_cmphex(get(m, BASE + 4), ==, 0x68676665);
    g_assert_true(g_str_has_prefix(description->str, "ram-content=xxh3:"));
    /* It counts as written: snapshots and digests have it. */
    g_assert_true(region->page_flags[0] & PAGE_EVER);
    g_assert_false(region->page_flags[1] & PAGE_EVER);
    g_assert_true(memory_write(m->memory, BASE, "wxyz", 4));
    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "abcdefgh");
    machine_free(m);
    g_unlink(path);

    /* No file: zero memory, and still no file. */
    g_string_truncate(description, 0);
    m = machine(object, description);
    g_assert_cmphex(get(m, BASE), ==, 0);
    g_assert_cmpstr(description->str, ==, "");
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    machine_free(m);
}

static void test_shared_file(void)
{
    g_autofree char *path = make_file("shared", "abcd", 4);
    g_autofree char *object = g_strdup_printf("memory-backend-file,id=m,size=1M,share=on,mem-path=%s",
                                              path);
    g_autofree char *content = NULL;
    g_autoptr(GString) description = g_string_new(NULL);
    Machine *m = machine(object, description);
    size_t length;

    g_assert_cmphex(get(m, BASE), ==, 0x64636261);
    g_assert_true(g_str_has_prefix(description->str, "ram-content=xxh3:"));
    g_assert_true(memory_write(m->memory, BASE + 4, "wxyz", 5));
    g_assert_true(g_file_get_contents(path, &content, &length, NULL));
    g_assert_cmpuint(length, ==, SIZE);
    g_assert_cmpstr(content, ==, "abcdwxyz");
    g_assert_nonnull(memory_backend_unrecordable(user_object_find(m, "m")));
    machine_free(m);
    g_unlink(path);
}

/* A file that nobody else sees, and that is gone with the machine. */
static void test_folder(void)
{
    g_autofree char *object = g_strdup_printf("memory-backend-file,id=m,size=1M,mem-path=%s", dir);
    g_autoptr(GString) description = g_string_new(NULL);
    Machine *m = machine(object, description);
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);

    g_assert_true(memory_write(m->memory, BASE, "wxyz", 4));
    g_assert_cmphex(get(m, BASE), ==, 0x7a797877);
    g_assert_null(g_dir_read_name(entries));
    g_assert_cmpstr(description->str, ==, "");
    machine_free(m);
}

static void test_refusals(void)
{
    static const struct {
        const char *object, *message;
    } rows[] = {
        { "memory-backend-ram,id=m,size=2M",
          "memory backend 'm' has 2097152 bytes, but -m asks for 1048576" },
        { "memory-backend-ram,id=m", "object 'm': size=0: expected a size in whole pages of 4 KiB" },
        { "memory-backend-ram,id=m,size=1000",
          "object 'm': size=1000: expected a size in whole pages of 4 KiB" },
        { "memory-backend-file,id=m,size=1M", "object 'm': a memory-backend-file needs mem-path=" },
        { "memory-backend-file,id=m,size=1M,share=on,mem-path=/nonexistent/a",
          "object 'm': cannot make 1 MiB of memory of /nonexistent/a: No such file or directory" },
        { "memory-backend-memfd,id=m,size=1M,hugetlb=on,hugetlbsize=3M",
          "object 'm': hugetlbsize=3145728 is no power of two" },
        { "rng-builtin,id=m", "memory backend 'm': -object rng-builtin is none; memory-backend-ram is" },
        { "memory-backend-ram,id=n,size=1M",
          "memory backend 'm': there is no -object memory-backend-...,id=m" },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        Machine *m = machine_new(NULL);
        Error *err = NULL;

        g_assert_false(user_object_add(m, rows[i].object, &err) &&
                       memory_backend_add_ram(m, "m", "ram", BASE, SIZE, &err));
        g_assert_cmpstr(error_get_pretty(err), ==, rows[i].message);
        error_free(err);
        machine_free(m);
    }
}

/* It is RAM of one machine, once. */
static void test_in_use(void)
{
    g_autoptr(GString) description = g_string_new(NULL);
    Machine *m = machine("memory-backend-ram,id=m,size=1M", description);
    Error *err = NULL;

    g_assert_null(memory_backend_add_ram(m, "m", "ram2", 0, SIZE, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "memory backend 'm' is in use already");
    error_free(err);
    g_assert_false(user_object_del(m, "m", NULL));
    machine_free(m);
}

int main(int argc, char **argv)
{
    int rc;

    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("rearm-memory-XXXXXX", NULL);
    g_test_add_func("/memory-backend/plain", test_plain);
    g_test_add_func("/memory-backend/private-file", test_private_file);
    g_test_add_func("/memory-backend/shared-file", test_shared_file);
    g_test_add_func("/memory-backend/folder", test_folder);
    g_test_add_func("/memory-backend/refusals", test_refusals);
    g_test_add_func("/memory-backend/in-use", test_in_use);
    rc = g_test_run();
    g_rmdir(dir);
    g_free(dir);
    return rc;
}
