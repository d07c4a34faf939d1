/*
 * Generated types, commands and events of a schema that has everything, and the code that walks
 * them; JSON on a stream.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <json-c/json_tokener.h>
#include "qapi/good-commands.h"
#include "qapi/json.h"

struct QmpContext {
    unsigned calls;
};

/* ---- commands of the schema ---- */

bool qmp_no_op(QmpContext *ctx, Error **errp)
{
    ctx->calls++;
    return true;
}

bool qmp_add(QmpContext *ctx, const GoodAddArgs *args, int64_t *ret, Error **errp)
{
    if (args->a == 13) {
        error_setg(errp, "13 is bad luck");
        return false;
    }
    *ret = args->a + (args->has_b ? args->b : 100);
    return true;
}

bool qmp_echo_derived(QmpContext *ctx, const GoodDerived *args, GoodDerived **ret, Error **errp)
{
    json_object *json = qapi_to_json(&good_type_Derived, &args);
    bool ok = qapi_from_json(&good_type_Derived, json, ret, errp);

    json_object_put(json);
    return ok;
}

bool qmp_echo_shape(QmpContext *ctx, const GoodShape *args, GoodShape **ret, Error **errp)
{
    json_object *json = qapi_to_json(&good_type_Shape, &args);
    bool ok = qapi_from_json(&good_type_Shape, json, ret, errp);

    json_object_put(json);
    return ok;
}

bool qmp_echo_all(QmpContext *ctx, const GoodEchoAllArgs *args, GoodShapeList **ret, Error **errp)
{
    json_object *json = qapi_to_json(&good_type_ShapeList, &args->shapes);
    bool ok = qapi_from_json(&good_type_ShapeList, json, ret, errp);

    json_object_put(json);
    if (args->either) {
        ctx->calls = args->either->branch;
    }
    return ok;
}

bool qmp_raw(QmpContext *ctx, json_object *args, json_object **ret, Error **errp)
{
    *ret = json_object_get(args);
    return true;
}

/* ---- dispatch ---- */

/* The reply to a command with these arguments (single quotes for double ones), or the error. */
static char *run(QmpContext *ctx, const char *name, const char *arguments)
{
    const QapiCommand *command = qapi_command_find(good_commands, name);
    g_autofree char *text = g_strdelimit(g_strdup(arguments), "'", '"');
    json_object *json = json_tokener_parse(text), *result = NULL;
    GString *out = g_string_new("");
    Error *err = NULL;

    g_assert_nonnull(command);
    if (qapi_command_run(command, ctx, json, &result, &err)) {
        json_write(out, result, false, "");
        json_object_put(result);
    } else {
        g_string_append(out, error_get_pretty(err));
        error_free(err);
    }
    json_object_put(json);
    return g_strdelimit(g_string_free(out, FALSE), "\"", '\'');
}

typedef struct Case {
    const char *command, *arguments, *reply;
} Case;

static void check(const Case *cases, unsigned n)
{
    QmpContext ctx = { 0 };

    for (unsigned i = 0; i < n; i++) {
        g_autofree char *reply = run(&ctx, cases[i].command, cases[i].arguments);

        g_assert_cmpstr(reply, ==, cases[i].reply);
    }
}

static void test_commands(void)
{
    static const Case cases[] = {
        { "no-op", "{}", "{}" },
        { "no-op", "{'x': 1}", "Parameter 'x' is unexpected" },
        { "add", "{'a': 1, 'b': 2}", "3" },
        { "add", "{'a': 1}", "101" },
        { "add", "{'a': 13}", "13 is bad luck" },
        { "add", "{'b': 1}", "Parameter 'a' is missing" },
        { "add", "{'a': 1, 'c': 2}", "Parameter 'c' is unexpected" },
        { "add", "{'a': '1'}", "Invalid parameter type for 'a', expected: integer" },
        { "add", "{'a': 1.5}", "Invalid parameter type for 'a', expected: integer" },
        { "add", "{'a': null}", "Invalid parameter type for 'a', expected: integer" },
        { "add", "{'a': 18446744073709551615}", "Parameter 'a' is not in the range of int" },
        { "raw", "{'x': [1, {}], 'y': null}", "{'x': [1, {}], 'y': null}" },
    };

    check(cases, ARRAY_SIZE(cases));
    g_assert_null(qapi_command_find(good_commands, "ad"));
}

static void test_structs(void)
{
    static const Case cases[] = {
        { "echo-derived", "{'x': 1}", "{'x': 1}" },
        { "echo-derived", "{'points': [{'x': 1}, {'x': 2, 'y': 3}], 'default': true, 'y': -4, "
          "'x': 0, 'names': [], 'numbers': [1, 2], 'inner': {'x': 9}}",
          "{'x': 0, 'y': -4, 'inner': {'x': 9}, 'numbers': [1, 2], 'names': [], "
          "'points': [{'x': 1}, {'x': 2, 'y': 3}], 'default': true}" },
        { "echo-derived", "{'x': 1, 'gone': 1}", "Parameter 'gone' is unexpected" },
        { "echo-derived", "{'x': 1, 'inner': {}}", "Parameter 'inner.x' is missing" },
        { "echo-derived", "{'x': 1, 'inner': 1}",
          "Invalid parameter type for 'inner', expected: object" },
        { "echo-derived", "{'x': 1, 'points': [{'x': 1}, {'x': 1, 'z': 2}]}",
          "Parameter 'points[1].z' is unexpected" },
        { "echo-derived", "{'x': 1, 'names': ['a', 2]}",
          "Invalid parameter type for 'names[1]', expected: string" },
        { "echo-derived", "{'x': 1, 'numbers': {}}",
          "Invalid parameter type for 'numbers', expected: array" },
        { "echo-derived", "{'x': 1, 'default': 'no'}",
          "Invalid parameter type for 'default', expected: boolean" },
    };

    check(cases, ARRAY_SIZE(cases));
}

static void test_unions(void)
{
    static const Case cases[] = {
        { "echo-shape", "{'color': 'red', 'x': 1}", "{'color': 'red', 'x': 1}" },
        { "echo-shape", "{'color': 'red', 'name': 'n'}", "Parameter 'x' is missing" },
        { "echo-all", "{}", "[]" },
        { "echo-all", "{'shapes': [{'color': 'red', 'x': 1, 'label': 'l'}, {'color': 'infra'}, "
          "{'name': 'n', 'color': 'dark-blue'}]}",
          "[{'color': 'red', 'label': 'l', 'x': 1}, {'color': 'infra'}, "
          "{'color': 'dark-blue', 'name': 'n'}]" },
        { "echo-all", "{'shapes': [{'x': 1}]}", "Parameter 'shapes[0].color' is missing" },
        { "echo-all", "{'shapes': [{'color': 'ultra'}]}",
          "Parameter 'shapes[0].color' does not accept value 'ultra'" },
        { "echo-all", "{'shapes': [{'color': 'red', 'x': 1, 'name': 'n'}]}",
          "Parameter 'shapes[0].name' is unexpected" },
        { "echo-all", "{'shapes': [{'color': 'red', 'x': 1, 'y': 'z'}]}",
          "Invalid parameter type for 'shapes[0].y', expected: integer" },
        { "echo-all", "{'either': 1.5}",
          "Invalid parameter type for 'either', expected: Either" },
        { "echo-all", "{'either': {'x': 'y'}}",
          "Invalid parameter type for 'either.x', expected: integer" },
    };
    static const char *const eithers[] = { "{'either': 1}", "{'either': 'n'}",
                                           "{'either': {'x': 1}}", "{'either': null}" };
    QmpContext ctx = { 99 };

    check(cases, ARRAY_SIZE(cases));
    for (unsigned i = 0; i < ARRAY_SIZE(eithers); i++) {
        g_autofree char *reply = run(&ctx, "echo-all", eithers[i]);

        g_assert_cmpstr(reply, ==, "[]");
        g_assert_cmpuint(ctx.calls, ==, i);
    }
}

static void test_scalars(void)
{
    static const Case cases[] = {
        { "echo-all", "{'scalars': {'i': -9223372036854775808, 'i8': -128, 'u16': 65535, "
          "'u64': 18446744073709551615, 'sz': 0, 'd': 1, 'b': false, 's': '', 'e': 'red', "
          "'a': [null]}}", "[]" },
        { "echo-all", "{'scalars': {'i': 0, 'i8': 128}}",
          "Parameter 'scalars.i8' is not in the range of int8" },
        { "echo-all", "{'scalars': {'i': 0, 'i8': -129}}",
          "Parameter 'scalars.i8' is not in the range of int8" },
        { "echo-all", "{'scalars': {'i': 0, 'u16': 65536}}",
          "Parameter 'scalars.u16' is not in the range of uint16" },
        { "echo-all", "{'scalars': {'i': 0, 'u64': -1}}",
          "Parameter 'scalars.u64' is not in the range of uint64" },
        { "echo-all", "{'scalars': {'i': 0, 'd': true}}",
          "Invalid parameter type for 'scalars.d', expected: number" },
        { "echo-all", "{'scalars': {'i': 0, 's': 'a\\u0000b'}}",
          "Parameter 'scalars.s' must not contain \\u0000" },
    };
    json_object *json;
    GoodScalars *s = NULL;

    check(cases, ARRAY_SIZE(cases));
    json = json_tokener_parse("{\"i\": 5, \"u64\": 18446744073709551615, \"d\": 2.5, \"a\": [7]}");
    g_assert_true(qapi_from_json(&good_type_Scalars, json, &s, NULL));
    json_object_put(json);
    g_assert_cmpint(s->i, ==, 5);
    g_assert_true(s->has_u64 && s->has_d && !s->has_b && !s->has_e);
    g_assert_cmphex(s->u64, ==, UINT64_MAX);
    g_assert_cmpfloat(s->d, ==, 2.5);
    g_assert_null(s->s);
    g_assert_cmpint(json_object_get_int(json_object_array_get_idx(s->a, 0)), ==, 7);
    good_free_Scalars(s);
}

/* ---- lists and events made in C ---- */

static void catch_event(void *opaque, const char *event, json_object *data)
{
    GString *out = opaque;

    g_string_append_printf(out, "%s ", event);
    json_write(out, data, false, "");
    json_object_put(data);
}

static void test_events(void)
{
    g_autoptr(GString) out = g_string_new("");
    const QapiEventSink sink = { catch_event, out };
    GoodPoint from = { .x = 1 }, to = { .x = 2, .has_y = true, .y = 3 };

    good_event_tick(&sink);
    good_event_moved(&sink, &(GoodMovedEvent){ .from = &from });
    good_event_moved(&sink, &(GoodMovedEvent){ .from = &from, .to = &to });
    g_assert_cmpstr(out->str, ==, "TICK nullMOVED {\"from\": {\"x\": 1}}"
                    "MOVED {\"from\": {\"x\": 1}, \"to\": {\"x\": 2, \"y\": 3}}");
}

static void test_lists(void)
{
    g_autoptr(GoodDerived) d = g_new0(GoodDerived, 1);
    GoodStrList **names = &d->names;
    g_autoptr(GString) out = g_string_new("");
    json_object *json;

    d->has_names = d->has_numbers = true;
    QAPI_APPEND(names, g_strdup("a"));
    QAPI_APPEND(names, g_strdup("b"));
    json = qapi_to_json(&good_type_Derived, &d);
    json_write(out, json, false, "");
    json_object_put(json);
    g_assert_cmpstr(out->str, ==, "{\"x\": 0, \"numbers\": [], \"names\": [\"a\", \"b\"]}");
}

/* Each entry is JSON, and names types that are there; conditions took away what is false. */
static void test_introspection(void)
{
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GString) all = g_string_new("");

    for (const char *const *text = good_introspection; *text; text++) {
        json_object *entry = json_tokener_parse(*text), *name;

        g_assert_true(json_object_object_get_ex(entry, "name", &name));
        g_assert_true(g_hash_table_add(names, g_strdup(json_object_get_string(name))));
        json_object_put(entry);
        g_string_append(all, *text);
    }
    for (const char *const *text = good_introspection; *text; text++) {
        json_object *entry = json_tokener_parse(*text), *value;

        if (json_object_object_get_ex(entry, "ret-type", &value) ||
            json_object_object_get_ex(entry, "element-type", &value)) {
            g_assert_true(g_hash_table_contains(names, json_object_get_string(value)));
        }
        json_object_put(entry);
    }
    g_assert_nonnull(strstr(all->str, "{\"name\":\"add\",\"meta-type\":\"command\",\"arg-type\":"
                            "\"q_obj_add-arg\",\"ret-type\":\"int\",\"features\":[\"unstable\"]}"));
    g_assert_nonnull(strstr(all->str, "{\"case\":\"infra\",\"type\":\"0\"}"));
    g_assert_null(strstr(all->str, "ultra"));
    g_assert_null(strstr(all->str, "gone"));
}

/* ---- JSON ---- */

static void append_message(void *opaque, json_object *value, Error *err)
{
    if (err) {
        const char *text = error_get_pretty(err);

        /* What json-c finds wrong is told in its own words, which change. */
        g_assert_true(g_str_has_prefix(text, "JSON parse error, "));
        text += strlen("JSON parse error, ");
        g_string_append_printf(opaque, "<%s>", strstr(text, "byte") || strstr(text, "0x") ||
                               strstr(text, "128") || strstr(text, "64") ? text : "error");
        error_free(err);
    } else {
        json_write(opaque, value, false, "");
    }
    g_string_append_c(opaque, ';');
}

static char *feed(const char *text, size_t length, size_t piece)
{
    GString *out = g_string_new("");
    JsonStream *s = json_stream_new(append_message, out);

    for (size_t at = 0; at < length; at += piece) {
        json_stream_feed(s, (const uint8_t *)text + at, MIN(piece, length - at));
    }
    json_stream_free(s);
    return g_string_free(out, FALSE);
}

static void test_stream(void)
{
    static const struct {
        const char *text, *messages;
    } cases[] = {
        { "{}", "{};" }, { " [1]{\"a\":2}\r\n[]", "[1];{\"a\": 2};[];" },
        { "3\n", "3;" }, { "\"x\"", "\"x\";" }, { "true ", "true;" }, { "null\n", "null;" },
        { "{\"a\": \"}]\\\"[\"}", "{\"a\": \"}]\\\"[\"};" },
        { "{'a': 'say \"hi\" and \\'bye\\''}", "{\"a\": \"say \\\"hi\\\" and 'bye'\"};" },
        { "[\"\\u00e9\xc3\xa9\\ud83d\\ude00\\t\"]", "[\"\\u00E9\\u00E9\\uD83D\\uDE00\\t\"];" },
        { "[1.5, -2e3, 18446744073709551615]", "[1.5, -2000, 18446744073709551615];" },
        { "foo\n{}", "<unexpected byte 0x6f>;{};" },
        { "NaN\n[nan]", "<unexpected byte 0x4e>;<error>;" },
        { "#{}", "<unexpected byte 0x23>;{};" },
        { "}{}", "<error>;{};" }, { "[}", "<error>;" },
        { "{\"a\" 1}[]", "<error>;[];" },
        { "[1,]", "<error>;" },
        { "[\"a\nb\"]\n{}", "<control character 0x0a in a string>;"
          "<unexpected byte 0x62>;{};" },
        { "[\"\xc3\"]", "<error>;" },
        { "{\"a\": [\xff{}", "<byte 0xff ends the message>;{};" },
        { "\xff\xff[]", "[];" }, { "-9223372036854775809\n7\n",
          "<an integer has more than 64 bits>;7;" },
        { "[99999999999999999999]", "<an integer has more than 64 bits>;" },
        { "[1.00000000000000000000001, 1e-20]", "[1, 9.9999999999999995e-21];" },
        { "{\"a\": 1", "" },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t length = strlen(cases[i].text);

        for (size_t piece = 1; piece <= length; piece++) {
            g_autofree char *messages = feed(cases[i].text, length, piece);

            g_assert_cmpstr(messages, ==, cases[i].messages);
        }
    }
}

/* Nothing that is refused is kept, and the message after it is understood. */
static void test_stream_bounds(void)
{
    size_t size = 3 * JSON_MAX_MESSAGE;
    g_autofree char *big = g_malloc(size + 8);
    g_autofree char *messages = NULL, *deep = NULL, *levels = NULL;

    memset(big, 'x', size);
    memcpy(big, "[\"", 2);
    memcpy(big + size, "\"] {}", 6);
    messages = feed(big, size + 5, 65536);
    g_assert_cmpstr(messages, ==, "<a message may have 1048576 bytes>;{};");
    memset(big, '[', size / 2);
    memset(big + size / 2, ']', size / 2);
    memcpy(big + size, "[7]", 4);
    deep = feed(big, size + 3, 65536);
    g_assert_cmpstr(deep, ==, "<more than 128 brackets are open>;[7];");
    memset(big, '[', JSON_MAX_DEPTH);
    memset(big + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
    levels = feed(big, 2 * JSON_MAX_DEPTH, 65536);
    g_assert_cmpuint(strlen(levels), ==, 2 * JSON_MAX_DEPTH + 1);
}

static void test_write(void)
{
    json_object *json = json_tokener_parse("{\"a\": [1, {}, []], \"b\": {\"c\": null}}");
    g_autoptr(GString) out = g_string_new("");

    json_object_object_add(json, "s", json_object_new_string("\x80z\x7f\xe2\x82\xac"));
    json_object_object_add(json, "d", json_object_new_double(0.0 / 0.0));
    json_write(out, json, true, "\r\n");
    json_object_put(json);
    g_assert_cmpstr(out->str, ==,
                    "{\r\n    \"a\": [\r\n        1,\r\n        {},\r\n        []\r\n    ],\r\n"
                    "    \"b\": {\r\n        \"c\": null\r\n    },\r\n"
                    "    \"s\": \"\\uFFFDz\\u007F\\u20AC\",\r\n    \"d\": 0\r\n}");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qapi/commands", test_commands);
    g_test_add_func("/qapi/structs", test_structs);
    g_test_add_func("/qapi/unions", test_unions);
    g_test_add_func("/qapi/scalars", test_scalars);
    g_test_add_func("/qapi/events", test_events);
    g_test_add_func("/qapi/lists", test_lists);
    g_test_add_func("/qapi/introspection", test_introspection);
    g_test_add_func("/qapi/stream", test_stream);
    g_test_add_func("/qapi/stream-bounds", test_stream_bounds);
    g_test_add_func("/qapi/write", test_write);
    return g_test_run();
}
