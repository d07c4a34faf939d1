/*
 * Trace events: which are on, what their lines look like, and where these go.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include <unistd.h>
#include "util/log.h"
#include "util/trace.h"

static void all_off(void)
{
    g_assert_true(trace_set_pattern("-*", NULL));
}

static unsigned count_on(void)
{
    unsigned count = 0;

    for (unsigned n = 0; n < TRACE_NUM_EVENTS; n++) {
        count += trace_is_on(n);
    }
    return count;
}

/* What was called has put its error into *err. */
static void assert_refused(bool ok, Error **err, const char *part)
{
    g_assert_false(ok);
    g_assert_nonnull(strstr(error_get_pretty(*err), part));
    error_free(*err);
    *err = NULL;
}

static void test_patterns(void)
{
    Error *err = NULL;

    g_assert_cmpuint(count_on(), ==, 0);
    g_assert_true(trace_set_pattern("virtio_kick", NULL));
    g_assert_true(trace_is_on(TRACE_virtio_kick));
    g_assert_cmpuint(count_on(), ==, 1);
    g_assert_true(trace_set_pattern("virtio_*", NULL));
    g_assert_true(trace_is_on(TRACE_virtio_push) && !trace_is_on(TRACE_pl011_sent));
    g_assert_true(trace_set_pattern("-virtio_p*", NULL));
    g_assert_true(trace_is_on(TRACE_virtio_kick) && !trace_is_on(TRACE_virtio_push));
    g_assert_true(trace_set_pattern("*", NULL));
    g_assert_cmpuint(count_on(), ==, TRACE_NUM_EVENTS);
    all_off();
    g_assert_cmpuint(count_on(), ==, 0);
    assert_refused(trace_set_pattern("virtio_kik", &err), &err, "did you mean 'virtio_kick'?");
    assert_refused(trace_set_pattern("nothing_like_it*", &err), &err, "-trace help lists them");
    assert_refused(trace_set_pattern("", &err), &err, "''");
    g_assert_cmpuint(count_on(), ==, 0);
}

/* Names are told once, and each is what C calls it. */
static void test_names(void)
{
    for (unsigned n = 0; n < TRACE_NUM_EVENTS; n++) {
        for (unsigned i = 0; i < n; i++) {
            g_assert_cmpstr(trace_name(i), !=, trace_name(n));
        }
        g_assert_true(trace_matches(n, trace_name(n)));
    }
    g_assert_cmpstr(trace_name(TRACE_qmp_event), ==, "qmp_event");
}

static char *scratch(void)
{
    char *path = NULL;
    int fd = g_file_open_tmp("rearm-trace-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    return path;
}

static void test_file_of_patterns(void)
{
    g_autofree char *path = scratch();
    Error *err = NULL;

    g_assert_true(g_file_set_contents(path, "# some\n\n  pl011_*  \n-pl011_sent\nqmp_event", -1, NULL));
    g_assert_true(trace_set_patterns_of(path, NULL));
    g_assert_cmpuint(count_on(), ==, 2);
    g_assert_true(trace_is_on(TRACE_pl011_received) && trace_is_on(TRACE_qmp_event));
    g_assert_true(g_file_set_contents(path, "pl011_*\n\nqmp_events\n", -1, NULL));
    assert_refused(trace_set_patterns_of(path, &err), &err, "line 3: no trace event is called");
    g_unlink(path);
    assert_refused(trace_set_patterns_of(path, &err), &err, "cannot read the trace events");
    all_off();
}

static void test_lines(void)
{
    g_autofree char *log = scratch(), *file = scratch(), *text = NULL, *other = NULL;
    Error *err = NULL;

    g_assert_true(log_set_file(log, NULL));
    trace_pl011_sent("off", 1);
    g_assert_true(log_set_items("trace:pl011_*,guest_errors,trace:hmp_command", NULL));
    assert_refused(log_set_items("trace:pl012_sent", &err), &err, "did you mean 'pl011_sent'?");
    trace_pl011_sent("uart0", 0x41);
    trace_pl011_received("a\nb\x1b", 3);
    trace_virtio_kick("off", 1);
    /* The mask is the log's alone. */
    g_assert_true(log_set_items("", NULL));
    trace_hmp_command("info \"\xc3\xa4\"");
    g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "pl011_sent uart0 0x41\n"
                    "pl011_received a\\x0ab\\x1b 3 bytes\n"
                    "hmp_command info \"\\xc3\\xa4\"\n");
    assert_refused(trace_set_file("/nonexistent/x", &err), &err, "/nonexistent/x");
    g_assert_true(trace_set_file(file, NULL));
    trace_gdb_received("m1,2###", 4);
    g_assert_true(trace_set_pattern("gdb_received", NULL));
    trace_gdb_received("m1,2###", 4);
    g_assert_true(g_file_get_contents(file, &other, NULL, NULL));
    g_assert_cmpstr(other, ==, "gdb_received m1,2\n");
    all_off();
    g_unlink(log);
    g_unlink(file);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trace/patterns", test_patterns);
    g_test_add_func("/trace/names", test_names);
    g_test_add_func("/trace/file-of-patterns", test_file_of_patterns);
    g_test_add_func("/trace/lines", test_lines);
    return g_test_run();
}
