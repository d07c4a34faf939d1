/*
 * UUIDs as text and bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib.h>
#include "util/uuid.h"

static void test_round_trip(void)
{
    static const uint8_t expected[UUID_SIZE] = {
        0x55, 0x0e, 0x84, 0x00, 0xe2, 0x9b, 0x41, 0xd4, 0xa7, 0x16, 0x44, 0x66, 0x55, 0x44, 0xab, 0xcd
    };
    uint8_t bytes[UUID_SIZE];
    g_autofree char *text = NULL;

    g_assert_true(uuid_parse("550E8400-e29b-41d4-a716-44665544ABCD", bytes));
    g_assert_cmpmem(bytes, UUID_SIZE, expected, UUID_SIZE);
    text = uuid_format(bytes);
    g_assert_cmpstr(text, ==, "550e8400-e29b-41d4-a716-44665544abcd");
}

static void test_malformed(void)
{
    static const char *const texts[] = {
        "", "550e8400", "550e8400-e29b-41d4-a716-44665544000", "550e8400-e29b-41d4-a716-4466554400000",
        "550e8400e29b41d4a716446655440000", "550e8400-e29b-41d4-a716-44665544000g",
        "550e840-0e29b-41d4-a716-446655440000",
    };
    uint8_t bytes[UUID_SIZE];

    for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
        g_assert_false(uuid_parse(texts[i], bytes));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uuid/round-trip", test_round_trip);
    g_test_add_func("/uuid/malformed", test_malformed);
    return g_test_run();
}
