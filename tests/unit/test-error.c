/*
 * Error objects.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/error.h"
#include <glib.h>

static void test_message(void)
{
    Error *err = NULL;

    error_setg(&err, "bad value '%d'", 7);
    g_assert_cmpstr(error_get_pretty(err), ==, "bad value '7'");
    error_prepend(&err, "-icount %s: ", "shift");
    g_assert_cmpstr(error_get_pretty(err), ==, "-icount shift: bad value '7'");
    error_free(err);
}

static void test_errno(void)
{
    Error *err = NULL;

    error_setg_errno(&err, ENOENT, "cannot open '%s'", "x");
    g_assert_cmpstr(error_get_pretty(err), ==, "cannot open 'x': No such file or directory");
    error_free(err);
}

static void test_null(void)
{
    error_setg(NULL, "nobody asks");
    error_setg_errno(NULL, EIO, "nobody asks");
    error_prepend(NULL, "nobody");
    error_propagate(NULL, NULL);
    error_free(NULL);
}

static void test_propagate(void)
{
    Error *err = NULL, *out = NULL, *none = NULL;

    error_propagate(&out, NULL);
    g_assert_null(out);
    error_prepend(&none, "nothing to prefix");
    g_assert_null(none);
    error_setg(&err, "inner");
    error_propagate(&out, err);
    g_assert_true(out == err);
    error_propagate(NULL, out);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/error/message", test_message);
    g_test_add_func("/error/errno", test_errno);
    g_test_add_func("/error/null", test_null);
    g_test_add_func("/error/propagate", test_propagate);
    return g_test_run();
}
