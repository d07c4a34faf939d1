/*
 * Option lists, sizes and suggestions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/keyval.h"
#include <glib.h>

static KeyVal *parse(const char *text, const char *implied)
{
    Error *err = NULL;
    KeyVal *kv = keyval_parse(text, implied, &err);

    g_assert_null(err);
    g_assert_nonnull(kv);
    return kv;
}

static void test_values(void)
{
    KeyVal *kv = parse("virt,gic-version=2,a=1,a=2,path=x,,y,,=z,empty=", "type");

    g_assert_cmpstr(keyval_get(kv, "type"), ==, "virt");
    g_assert_cmpstr(keyval_get(kv, "gic-version"), ==, "2");
    g_assert_cmpstr(keyval_get(kv, "a"), ==, "2");
    g_assert_cmpstr(keyval_get(kv, "path"), ==, "x,y,=z");
    g_assert_cmpstr(keyval_get(kv, "empty"), ==, "");
    g_assert_null(keyval_get(kv, "absent"));
    g_assert_true(keyval_has(kv, "a"));
    g_assert_false(keyval_has(kv, "b"));
    keyval_free(kv);
}

static void test_shapes(void)
{
    Error *err = NULL;
    KeyVal *kv = parse("", "type");

    g_assert_null(keyval_get(kv, "type"));
    keyval_free(kv);
    /* The first element's own key wins over the implied one. */
    kv = parse("id=x,virt", "type");
    g_assert_null(keyval_get(kv, "type"));
    g_assert_cmpstr(keyval_get(kv, "virt"), ==, "on");
    keyval_free(kv);
    kv = parse("a=b,", NULL);
    g_assert_cmpstr(keyval_get(kv, "a"), ==, "b");
    keyval_free(kv);
    g_assert_null(keyval_parse("a=1,=2", NULL, &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "'a=1,=2' is not a list of key=value: an element has no key");
    error_free(err);
}

static void test_bool(void)
{
    KeyVal *kv = parse("server,nowait,node,x=off,y=maybe,z=yes", NULL);
    Error *err = NULL;
    bool value = false;

    g_assert_true(keyval_get_bool(kv, "server", &value, NULL) && value);
    g_assert_true(keyval_get_bool(kv, "wait", &value, NULL) && !value);
    g_assert_true(keyval_get_bool(kv, "node", &value, NULL) && value);
    g_assert_true(keyval_get_bool(kv, "x", &value, NULL) && !value);
    g_assert_true(keyval_get_bool(kv, "z", &value, NULL) && value);
    g_assert_true(keyval_get_bool(kv, "absent", &value, NULL) && value);
    g_assert_false(keyval_get_bool(kv, "y", &value, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "y=maybe: expected 'on' or 'off'");
    error_free(err);
    keyval_free(kv);
}

static void test_numbers(void)
{
    KeyVal *kv = parse("n=0x10,bad=1x", NULL);
    Error *err = NULL;
    uint64_t value = 5;

    g_assert_true(keyval_get_u64(kv, "absent", &value, NULL));
    g_assert_cmpuint(value, ==, 5);
    g_assert_true(keyval_get_u64(kv, "n", &value, NULL));
    g_assert_cmpuint(value, ==, 16);
    g_assert_false(keyval_get_u64(kv, "bad", &value, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "bad=1x: expected a number");
    g_assert_cmpuint(value, ==, 16);
    error_free(err);
    keyval_free(kv);
}

static void test_unused(void)
{
    KeyVal *kv = parse("shift=auto,rrfil=x", NULL);
    Error *err = NULL;

    keyval_get(kv, "shift");
    keyval_get(kv, "rr");
    keyval_get(kv, "rrfile");
    g_assert_false(keyval_check_unused(kv, "-icount", &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "-icount: unknown option 'rrfil', did you mean 'rrfile'?");
    error_free(err);
    err = NULL;
    keyval_get(kv, "rrfil");
    g_assert_true(keyval_check_unused(kv, "-icount", &err));
    keyval_free(kv);

    kv = parse("zzzzzz=1", NULL);
    keyval_get(kv, "shift");
    g_assert_false(keyval_check_unused(kv, "-icount", &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "-icount: unknown option 'zzzzzz'");
    error_free(err);
    keyval_free(kv);
}

static void test_sizes(void)
{
    static const struct {
        const char *text;
        uint64_t unit, value;
    } good[] = {
        { "512", 1 << 20, 512ull << 20 }, { "512", 1, 512 }, { "1G", 1, 1ull << 30 },
        { "1g", 1 << 20, 1ull << 30 }, { "0x1000", 1, 4096 }, { "7B", 1 << 20, 7 },
        { "3K", 1, 3072 }, { "2T", 1, 2ull << 40 }, { "1.5G", 1, 3ull << 29 },
        { "3P", 1, 3ull << 50 }, { "1E", 1, 1ull << 60 },
        { "0.25", 1 << 20, 1 << 18 }, { "18446744073709551615", 1, UINT64_MAX },
    };
    static const char *const bad[] = {
        "", "G", "-1", "+1", " 1", "1 ", "1GG", "1GiB", "0x", "1.", "1.5.5", "1Z",
        "18446744073709551616", "16777216T", "0x1.5",
    };
    uint64_t value;

    for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
        g_assert_true(parse_size(good[i].text, good[i].unit, &value));
        g_assert_cmpuint(value, ==, good[i].value);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        value = 42;
        g_assert_false(parse_size(bad[i], 1, &value));
    }
    g_assert_true(parse_u64("0xFFFFFFFFFFFFFFFF", &value));
    g_assert_cmpuint(value, ==, UINT64_MAX);
    g_assert_true(parse_u64("010", &value));
    g_assert_cmpuint(value, ==, 10);
    g_assert_false(parse_u64("1K", &value));
    g_assert_false(parse_u64("0x10000000000000000", &value));
}

static void test_suggest(void)
{
    static const char *const names[] = { "cortex-a53", "cortex-a57", "cortex-a72", "max", NULL };

    g_assert_cmpstr(suggest_nearest("cortex-a75", names), ==, "cortex-a57");
    g_assert_cmpstr(suggest_nearest("cortex-a73", names), ==, "cortex-a53");
    g_assert_cmpstr(suggest_nearest("cortexa72", names), ==, "cortex-a72");
    g_assert_cmpstr(suggest_nearest("crotex-a5", names), ==, "cortex-a53");
    g_assert_cmpstr(suggest_nearest("mx", names), ==, "max");
    /* Short words: another letter makes another word. */
    g_assert_null(suggest_nearest("mix", names));
    g_assert_null(suggest_nearest("virtio-blk-device",
                                  (const char *const[]){ "virtio-rng-device", NULL }));
    g_assert_null(suggest_nearest("qmp", (const char *const[]){ "smp", "rtc", NULL }));
    g_assert_cmpstr(suggest_nearest("vrit", (const char *const[]){ "virt", NULL }), ==, "virt");
    g_assert_null(suggest_nearest("pentium", names));
    g_assert_null(suggest_nearest("x", names + 4));
}

/* What is formatted parses to the same; what is removed is gone, in each of its forms. */
static void test_format(void)
{
    KeyVal *kv = parse("virt,a=x,,y,flag,nob,b=2,empty=,a=z", "type");
    g_autofree char *all = keyval_format(kv);
    g_autofree char *rest = NULL;
    GString *text = g_string_new(NULL);

    g_assert_cmpstr(all, ==, "type=virt,a=x,,y,flag,nob,b=2,empty=,a=z");
    keyval_remove(kv, "a");
    keyval_remove(kv, "b");
    keyval_remove(kv, "absent");
    rest = keyval_format(kv);
    g_assert_cmpstr(rest, ==, "type=virt,flag,empty=");
    keyval_free(kv);
    keyval_append(text, "k", "1,,2");
    keyval_append(text, "flag", NULL);
    g_assert_cmpstr(text->str, ==, "k=1,,,,2,flag");
    kv = parse(text->str, NULL);
    g_assert_cmpstr(keyval_get(kv, "k"), ==, "1,,2");
    keyval_free(kv);
    g_string_free(text, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/keyval/values", test_values);
    g_test_add_func("/keyval/format", test_format);
    g_test_add_func("/keyval/shapes", test_shapes);
    g_test_add_func("/keyval/bool", test_bool);
    g_test_add_func("/keyval/numbers", test_numbers);
    g_test_add_func("/keyval/unused", test_unused);
    g_test_add_func("/keyval/sizes", test_sizes);
    g_test_add_func("/keyval/suggest", test_suggest);
    return g_test_run();
}
