/*
 * The -d log: items, file, address filter.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/log.h"
#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

static void test_items(void)
{
    Error *err = NULL;

    g_assert_true(log_set_items("int,exec", &err));
    g_assert_cmphex(log_mask_bits, ==, LOG_INT | LOG_EXEC);
    g_assert_true(log_set_items("guest_errors", &err));
    g_assert_cmphex(log_mask_bits, ==, LOG_GUEST_ERROR);
    g_assert_false(log_set_items("int,inn_asm", &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "unknown log item 'inn_asm', did you mean 'in_asm'?");
    error_free(err);
    /* A refused list changes nothing. */
    g_assert_cmphex(log_mask_bits, ==, LOG_GUEST_ERROR);
    g_assert_true(log_set_items("all", NULL));
    g_assert_cmphex(log_mask_bits, ==, 0x1ff);
    g_assert_true(log_set_items("", NULL));
    g_assert_cmphex(log_mask_bits, ==, 0);
}

static void test_file(void)
{
    char *path = NULL, *text;
    int fd = g_file_open_tmp("rearm-log-XXXXXX", &path, NULL);
    Error *err = NULL;

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(log_set_file(path, &err));
    g_assert_true(log_set_items("unimp", &err));
    log_mask(LOG_UNIMP, "seen %d\n", 1);
    log_mask(LOG_INT, "unseen %d\n", 2);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "seen 1\n");
    g_free(text);
    g_assert_false(log_set_file("/nonexistent-directory/log", &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "/nonexistent-directory/log"));
    error_free(err);
    g_unlink(path);
    g_free(path);
}

static void test_filter(void)
{
    static const char *const bad[] = { "0x1000", "2..1", "1+0", "1..", "x+1", "1-3" };

    g_assert_true(log_in_range(0));
    g_assert_true(log_set_filter("0x1000..0x1fff,0x4000+0x100,0x9000-0x10", NULL));
    g_assert_false(log_in_range(0xfff));
    g_assert_true(log_in_range(0x1000));
    g_assert_true(log_in_range(0x1fff));
    g_assert_false(log_in_range(0x2000));
    g_assert_true(log_in_range(0x40ff));
    g_assert_false(log_in_range(0x4100));
    g_assert_false(log_in_range(0x8ff0));
    g_assert_true(log_in_range(0x8ff1));
    g_assert_true(log_in_range(0x9000));
    g_assert_false(log_in_range(0x9001));
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        g_assert_false(log_set_filter(bad[i], NULL));
    }
    g_assert_true(log_in_range(0x4000));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log/items", test_items);
    g_test_add_func("/log/file", test_file);
    g_test_add_func("/log/filter", test_filter);
    return g_test_run();
}
