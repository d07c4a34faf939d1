/*
 * Property tables: values in and out, each kind of bad value, help.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/property.h"

typedef struct Config {
    bool flag;
    uint8_t small;
    uint64_t large;
    uint64_t bytes;
    char *text;
    unsigned colour;
} Config;

static const Property table[] = {
    PROP_BOOL("flag", Config, flag, "on", "a switch"),
    PROP_UINT("small", Config, small, "3", 2, 0, "a byte"),
    PROP_UINT("large", Config, large, NULL, 0, 0, "a number"),
    PROP_SIZE("bytes", Config, bytes, "4K", 512, 1 << 20, "a size"),
    PROP_STRING("text", Config, text, "abc", "a string"),
    PROP_ENUM("colour", Config, colour, "green", "a word", "red", "green", "blue"),
    PROP_FIXED("old", PROPERTY_BOOL, "it is new", "an old thing", "off"),
    PROP_FIXED("wheels", PROPERTY_UINT, "it is a cart", "a fixed number", "4"),
    PROP_REFUSED("gone", "it went"),
    PROP_END
};

static void expect(const Config *c, const char *name, const char *value)
{
    g_autofree char *text = property_format(property_find(table, name), c);

    g_assert_cmpstr(text, ==, value);
}

static void test_initial(void)
{
    Config c = { 0 };

    properties_init(table, &c);
    g_assert_true(c.flag);
    g_assert_cmpuint(c.small, ==, 3);
    g_assert_cmpuint(c.large, ==, 0);
    g_assert_cmpuint(c.bytes, ==, 4096);
    g_assert_cmpstr(c.text, ==, "abc");
    g_assert_cmpuint(c.colour, ==, 1);
    expect(&c, "old", "off");
    expect(&c, "wheels", "4");
    properties_clear(table, &c);
    g_assert_null(c.text);
}

static void test_set(void)
{
    static const struct {
        const char *name, *value, *shown;
    } rows[] = {
        { "flag", "no", "off" }, { "flag", "true", "on" }, { "small", "0xff", "255" },
        { "large", "18446744073709551615", "18446744073709551615" }, { "bytes", "1M", "1048576" },
        { "bytes", "512", "512" }, { "text", "", "" }, { "text", "x=y", "x=y" },
        { "colour", "blue", "blue" }, { "colour", "red", "red" }, { "old", "n", "off" },
    };
    Config c = { 0 };

    properties_init(table, &c);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        g_assert_true(property_set(table, NULL, rows[i].name, rows[i].value, "x", NULL));
        g_assert_true(property_set(table, &c, rows[i].name, rows[i].value, "x", NULL));
        expect(&c, rows[i].name, rows[i].shown);
    }
    properties_clear(table, &c);
}

static void test_bad(void)
{
    static const struct {
        const char *name, *value, *message;
    } rows[] = {
        { "flag", "maybe", "-thing: flag=maybe: expected 'on' or 'off'" },
        { "small", "1", "-thing: small=1 is out of range: 2..255" },
        { "small", "256", "-thing: small=256 is out of range: 2..255" },
        { "small", "-3", "-thing: small=-3: expected a number" },
        { "large", "18446744073709551616",
          "-thing: large=18446744073709551616: expected a number" },
        { "bytes", "2M", "-thing: bytes=2M is out of range: 512..1048576" },
        { "bytes", "1Q", "-thing: bytes=1Q: expected a size such as 512M or 2G" },
        { "colour", "gren",
          "-thing: colour=gren: expected 'red', 'green' or 'blue'; did you mean 'green'?" },
        { "colour", "", "-thing: colour=: expected 'red', 'green' or 'blue'" },
        { "old", "on", "-thing: old=on is not supported; it is new" },
        { "old", "1", "-thing: old=1: expected 'on' or 'off'" },
        { "gone", "x", "-thing: gone=x is not supported; it went" },
        { "flg", "on", "-thing: no such property 'flg', did you mean 'flag'?" },
        { "xyzzy", "on", "-thing: no such property 'xyzzy'" },
    };
    Config c = { 0 };

    properties_init(table, &c);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        Error *err = NULL;

        g_assert_false(property_set(table, &c, rows[i].name, rows[i].value, "-thing", &err));
        g_assert_cmpstr(error_get_pretty(err), ==, rows[i].message);
        error_free(err);
    }
    /* and nothing changed */
    expect(&c, "flag", "on");
    expect(&c, "small", "3");
    expect(&c, "bytes", "4096");
    expect(&c, "colour", "green");
    properties_clear(table, &c);
}

/* The last value of a key counts, and foreign keys are left. */
static void test_take(void)
{
    Config c = { 0 };
    KeyVal *kv = keyval_parse("small=9,noflag,small=10,id=a", NULL, NULL);
    Error *err = NULL;

    properties_init(table, &c);
    g_assert_true(properties_take(table, &c, kv, "x", NULL));
    g_assert_cmpuint(c.small, ==, 10);
    g_assert_false(c.flag);
    g_assert_false(keyval_check_unused(kv, "x", &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "x: unknown option 'id'");
    error_free(err);
    keyval_free(kv);
    properties_clear(table, &c);
}

static void test_help(void)
{
    GString *out = g_string_new(NULL);

    properties_help(table, out);
    g_assert_cmpstr(out->str, ==,
                    "  flag=<on|off>                  a switch (default: on)\n"
                    "  small=<2..255>                 a byte (default: 3)\n"
                    "  large=<0..18446744073709551615> a number (default: 0)\n"
                    "  bytes=<size>                   a size (default: 4K)\n"
                    "  text=<str>                     a string (default: abc)\n"
                    "  colour=<red|green|blue>        a word (default: green)\n"
                    "  old=<off>                      an old thing (default: off)\n"
                    "  wheels=<4>                     a fixed number (default: 4)\n");
    g_string_free(out, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/property/initial", test_initial);
    g_test_add_func("/property/set", test_set);
    g_test_add_func("/property/bad", test_bad);
    g_test_add_func("/property/take", test_take);
    g_test_add_func("/property/help", test_help);
    return g_test_run();
}
