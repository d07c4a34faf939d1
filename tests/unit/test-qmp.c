/*
 * The QMP monitor: protocol, every command against a machine that stands still, events,
 * several clients.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include <json-c/json_tokener.h>
#include "monitor-machine.h"
#include "qmp-client.h"

#define NEGOTIATE "{\"execute\": \"qmp_capabilities\"}"

typedef struct Fixture {
    MonitorEnv env;
    ExecLoop *loop;
    QmpClient *client;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    f->loop = loop_new(&f->env);
    f->env.chardevs = chardev_set_new(NULL);
    f->client = client_new(&f->env, "qmp", MONITOR_QMP);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    monitor_free(f->client->monitor);
    chardev_set_free(f->env.chardevs);
    loop_free(f->loop);
}

/* What the client sees after it sent the text; single quotes on both sides for double ones. */
static char *say(QmpClient *c, const char *text)
{
    g_autofree char *sent = g_strdelimit(g_strdup(text), "'", '"');

    g_string_truncate(c->seen, 0);
    client_send(c, sent, strlen(sent));
    return g_strdelimit(g_strdup(c->seen->str), "\"", '\'');
}

static void expect(QmpClient *c, const char *text, const char *reply)
{
    g_autofree char *got = say(c, text);
    g_autofree char *want = g_strconcat(reply, "\r\n", NULL);

    g_assert_cmpstr(got, ==, want);
}

static void expect_error(QmpClient *c, const char *text, const char *class_, const char *desc)
{
    g_autofree char *want = g_strdup_printf("{\"error\": {\"class\": \"%s\", "
                                            "\"desc\": \"%s\"}}\r\n", class_, desc);

    g_free(say(c, text));
    g_assert_cmpstr(c->seen->str, ==, want);
}

/* ---- the protocol ---- */

static void test_negotiation(Fixture *f, gconstpointer unused)
{
    QmpClient *c = f->client;

    g_assert_cmpstr(c->seen->str, ==, "{\"QMP\": {\"version\": {\"qemu\": {\"major\": 7, "
                    "\"minor\": 2, \"micro\": 0}, \"package\": \"Rearm 9.9\", \"x-rearm\": \"9.9\"}, "
                    "\"capabilities\": [\"oob\"]}}\r\n");
    expect_error(c, "{'execute': 'query-status'}", "CommandNotFound",
                 "Expecting capabilities negotiation with 'qmp_capabilities'");
    expect_error(c, "{'execute': 'qmp_capabilities', 'arguments': {'enable': ['bob']}}",
                 "GenericError", "Parameter 'enable[0]' does not accept value 'bob'");
    expect(c, NEGOTIATE, "{'return': {}}");
    expect_error(c, NEGOTIATE, "CommandNotFound",
                 "Capabilities negotiation is already complete, command ignored");
    /* Another client starts anew, and in the middle of nothing. */
    g_free(say(c, "{'execute'"));
    g_string_truncate(c->seen, 0);
    chardev_event(&c->chr, CHAR_EVENT_CLOSED);
    chardev_event(&c->chr, CHAR_EVENT_OPENED);
    g_assert_true(g_str_has_prefix(c->seen->str, "{\"QMP\": "));
    expect_error(c, "{'execute': 'stop'}", "CommandNotFound",
                 "Expecting capabilities negotiation with 'qmp_capabilities'");
    g_assert_true(f->loop->running);
}

static void test_requests(Fixture *f, gconstpointer unused)
{
    static const char *const generic[][2] = {
        { "3\n", "QMP input must be a JSON object" },
        { "[]", "QMP input must be a JSON object" },
        { "null\n", "QMP input must be a JSON object" },
        { "{}", "QMP input lacks member 'execute'" },
        { "{'execute': 1}", "QMP input member 'execute' must be a string" },
        { "{'execute': 'stop', 'arguments': []}",
          "QMP input member 'arguments' must be an object" },
        { "{'execute': 'stop', 'foo': 1}", "QMP input member 'foo' is unexpected" },
        { "{'exec-oob': 'stop'}", "QMP input member 'exec-oob' is unexpected" },
        { "{'execute': 'stop', 'arguments': {'x': 1}}", "Parameter 'x' is unexpected" },
        { "@\n", "JSON parse error, unexpected byte 0x40" },
    };
    QmpClient *c = f->client;

    expect(c, NEGOTIATE, "{'return': {}}");
    for (unsigned i = 0; i < ARRAY_SIZE(generic); i++) {
        expect_error(c, generic[i][0], "GenericError", generic[i][1]);
    }
    expect_error(c, "{'execute': 'stopp'}", "CommandNotFound",
                 "The command stopp has not been found");
    g_assert_true(f->loop->running);
    expect(c, "{'execute': 'query-name', 'id': 7}", "{'return': {'name': 'box'}, 'id': 7}");
    expect(c, "{'id': null, 'execute': 'query-name'}", "{'return': {'name': 'box'}, 'id': null}");
    expect(c, "{'id': [1, {'a': 'b'}], 'execute': 5}", "{'error': {'class': 'GenericError', "
           "'desc': 'QMP input member 'execute' must be a string'}, 'id': [1, {'a': 'b'}]}");
    expect(c, "{'execute': 'query-kvm'} {'execute': 'query-target'}",
           "{'return': {'enabled': false, 'present': false}}\r\n{'return': {'arch': 'aarch64'}}");
}

/* ---- commands ---- */

static void test_commands(Fixture *f, gconstpointer unused)
{
    static const char *const cases[][2] = {
        { "query-version", "{'qemu': {'major': 7, 'minor': 2, 'micro': 0}, 'package': 'Rearm 9.9', "
          "'x-rearm': '9.9'}" },
        { "query-uuid", "{'UUID': '00000000-0000-0000-0000-000000000000'}" },
        { "query-machines", "[{'name': 'virt', 'alias': 'virt-7.2', 'is-default': true, 'cpu-max': "
          "8, 'hotpluggable-cpus': false, 'numa-mem-supported': false, 'deprecated': false, "
          "'default-cpu-type': 'cortex-a57-arm-cpu'}]" },
        { "query-cpu-definitions", "[{'name': 'cortex-a53', 'typename': 'cortex-a53-arm-cpu', "
          "'static': false, 'deprecated': false}, {'name': 'cortex-a57', 'typename': "
          "'cortex-a57-arm-cpu', 'static': false, 'deprecated': false}]" },
        { "query-pci", "[]" },
        { "query-chardev", "[{'label': 'qmp', 'filename': 'client', 'frontend-open': true}]" },
        { "query-replay", "{'mode': 'none', 'icount': 0}" },
        { "x-rearm-query-replay", "{'mode': 'none', 'icount': 0, 'position': 0, 'time': 0, "
          "'breaks': [], 'snapshots': 3, 'snapshot-bytes': 0, 'detail': 'mode none\\n'}" },
        { "x-rearm-replay-golive", "{}" },
        { "x-rearm-replay-console', 'arguments': {'port': 'uart0'}, 'id': '",
          "{'human-readable-text': 'boot\\uFFFD\\uFFFDed'}, 'id': ''" },
        { "x-rearm-replay-save', 'arguments': {'file': 'f'}, 'id': '", "{}, 'id': ''" },
        { "x-rearm-replay-seek', 'arguments': {'place': '-1s'}, 'id': '", "{}, 'id': ''" },
        { "query-status", "{'running': true, 'status': 'running'}" },
        { "x-rearm-query-cpus", "[{'cpu-index': 0, 'pc': 4096, 'halted': false, 'powered-off': "
          "false}, {'cpu-index': 1, 'pc': 4112, 'halted': false, 'powered-off': false}]" },
        { "x-query-jit", "{'human-readable-text': 'units 3\\n'}" },
        { "x-rearm-query-registers", "{'human-readable-text': 'CPU#0\\nPC=1000\\n\\nCPU#1\\n"
          "PC=1010\\n'}" },
        { "x-rearm-query-registers', 'arguments': {'cpu-index': 1}, 'id': '",
          "{'human-readable-text': 'PC=1010\\n'}, 'id': ''" },
        { "x-rearm-query-mtree", "[{'name': 'virt.ram', 'kind': 'ram', 'start': 4096, 'end': "
          "8191, 'offset': 0, 'priority': 0, 'enabled': true}]" },
        { "x-rearm-query-mtree', 'arguments': {'flat': true}, 'id': '", "[{'name': 'virt.ram', "
          "'kind': 'ram', 'start': 4096, 'end': 8191, 'offset': 0, 'priority': 0, 'enabled': "
          "true}], 'id': ''" },
        { "x-rearm-log', 'arguments': {'items': ''}, 'id': '", "{}, 'id': ''" },
        { "human-monitor-command', 'arguments': {'command-line': 'info version'}, 'id': '",
          "'9.9\\r\\n', 'id': ''" },
        { "human-monitor-command', 'arguments': {'command-line': 'info registers', 'cpu-index': "
          "1}, 'id': '", "'PC=1010\\r\\n', 'id': ''" },
        { "human-monitor-command', 'arguments': {'command-line': 'info registers'}, 'id': '",
          "'PC=1000\\r\\n', 'id': ''" },
    };
    QmpClient *c = f->client;
    g_autofree char *cpus = NULL;

    expect(c, NEGOTIATE, "{'return': {}}");
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *request = g_strdup_printf("{'execute': '%s'}", cases[i][0]);
        g_autofree char *reply = g_strdup_printf("{'return': %s}", cases[i][1]);

        expect(c, request, reply);
    }
    expect_error(c, "{'execute': 'x-rearm-query-registers', 'arguments': {'cpu-index': 2}}",
                 "GenericError", "Parameter 'cpu-index' expects a CPU number");
    expect_error(c, "{'execute': 'human-monitor-command', 'arguments': {'command-line': 'stop', "
                 "'cpu-index': -1}}", "GenericError", "Parameter 'cpu-index' expects a CPU number");
    expect_error(c, "{'execute': 'x-rearm-gdbserver'}", "GenericError",
                 "gdb cannot be served here");
    expect_error(c, "{'execute': 'x-rearm-log', 'arguments': {'items': 'in'}}", "GenericError",
                 "unknown log item 'in', did you mean 'int'?");
    cpus = say(c, "{'execute': 'query-cpus-fast'}");
    g_assert_true(g_str_has_prefix(cpus, "{'return': [{'cpu-index': 0, 'qom-path': "
                                   "'/machine/unattached/device[0]', 'thread-id': "));
}

/* Commands and schema name each other. */
static void test_lists_of_commands(Fixture *f, gconstpointer unused)
{
    QmpClient *c = f->client;
    g_autofree char *schema = NULL;
    g_autofree char *commands = NULL;
    json_object *reply, *list, *name;

    expect(c, NEGOTIATE, "{'return': {}}");
    schema = say(c, "{'execute': 'query-qmp-schema'}");
    g_free(say(c, "{'execute': 'query-commands'}"));
    reply = json_tokener_parse(c->seen->str);
    g_assert_true(json_object_object_get_ex(reply, "return", &list));
    g_assert_cmpuint(json_object_array_length(list), >, 25);
    for (unsigned i = 0; i < json_object_array_length(list); i++) {
        g_autofree char *entry = NULL;

        json_object_object_get_ex(json_object_array_get_idx(list, i), "name", &name);
        entry = g_strdup_printf("{'name': '%s', 'meta-type': 'command', ",
                                json_object_get_string(name));
        g_assert_nonnull(strstr(schema, entry));
    }
    json_object_put(reply);
    commands = say(c, "{'execute': 'query-qmp-schema', 'arguments': {'x': 1}}");
    g_assert_nonnull(strstr(commands, "Parameter 'x' is unexpected"));
}

static void test_save(Fixture *f, gconstpointer unused)
{
    g_autofree char *dir = g_dir_make_tmp("qmp-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(dir, "out", NULL);
    g_autofree char *good = g_strdup_printf("'size': 200, 'filename': '%s'}}", file);
    g_autofree char *memsave = g_strconcat("{'execute': 'memsave', 'arguments': {'val': 4098, ",
                                           good, NULL);
    g_autofree char *pmemsave = g_strconcat("{'execute': 'pmemsave', 'arguments': {'val': 4106, ",
                                            good, NULL);
    g_autofree char *past = g_strconcat("{'execute': 'memsave', 'arguments': {'val': 4300, "
                                        "'cpu-index': 1, ", good, NULL);
    QmpClient *c = f->client;
    g_autofree char *data = NULL;
    gsize length;

    expect(c, NEGOTIATE, "{'return': {}}");
    expect(c, memsave, "{'return': {}}");
    g_assert_true(g_file_get_contents(file, &data, &length, NULL));
    g_assert_cmpmem(data, length, f->loop->ram + 2, 200);
    g_free(data);
    expect(c, pmemsave, "{'return': {}}");
    g_assert_true(g_file_get_contents(file, &data, &length, NULL));
    g_assert_cmpmem(data, length, f->loop->ram + 10, 200);
    expect_error(c, past, "GenericError", "Invalid addr 0x00000000000010cc/size 200 specified");
    expect_error(c, "{'execute': 'pmemsave', 'arguments': {'val': 0, 'size': 1, 'filename': "
                 "'/nonexistent/x'}}", "GenericError",
                 "Could not open '/nonexistent/x': No such file or directory");
    expect_error(c, "{'execute': 'memsave', 'arguments': {'val': 0, 'size': 1, 'filename': 'x', "
                 "'cpu-index': 5}}", "GenericError", "Parameter 'cpu-index' expects a CPU number");
    g_assert_cmpint(g_unlink(file), ==, 0);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

/* ---- events ---- */

/* What was seen, with the timestamps cut out. */
static char *seen_events(QmpClient *c)
{
    g_autoptr(GRegex) regex = g_regex_new("\"timestamp\": \\{\"seconds\": \\d+, \"microseconds\": "
                                          "\\d{1,6}\\}, ", 0, 0, NULL);
    g_autofree char *text = g_regex_replace_literal(regex, c->seen->str, -1, 0, "", 0, NULL);

    g_auto(GStrv) lines = g_strsplit(text, "\r\n", -1);

    g_string_truncate(c->seen, 0);
    return g_strdelimit(g_strjoinv("|", lines), "\"", '\'');
}

static void expect_seen(QmpClient *c, const char *events)
{
    g_autofree char *got = seen_events(c);

    g_assert_cmpstr(got, ==, events);
}

static gpointer shut_down(gpointer opaque)
{
    ExecLoop *l = opaque;

    l->listener.event(l->listener.opaque, EXEC_EVENT_RESET, SHUTDOWN_CAUSE_GUEST_RESET);
    l->listener.stopped(l->listener.opaque, EXEC_STOP_BREAKPOINT, l->cpus[0]);
    l->listener.event(l->listener.opaque, EXEC_EVENT_SHUTDOWN, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    return NULL;
}

static void test_events(Fixture *f, gconstpointer unused)
{
    QmpClient *c = f->client, *other = client_new(&f->env, "other", MONITOR_QMP);
    QmpClient *human = client_new(&f->env, "human", MONITOR_HMP);

    g_free(say(c, NEGOTIATE));
    g_free(say(other, "{'execute': 'query-status'}"));
    g_free(say(c, "{'execute': 'stop'}{'execute': 'query-status'}{'execute': 'stop'}"));
    expect_seen(c, "{'event': 'STOP'}|{'return': {}}|{'return': {'running': false, 'status': "
                "'paused'}}|{'return': {}}|");
    /* Not for a client that is not through with the negotiation, not even afterwards. */
    g_free(say(other, NEGOTIATE));
    expect_seen(other, "{'return': {}}|");
    client_send(human, "cont\r", 5);
    client_send(human, "system_powerdown\r", 17);
    g_assert_cmpint(f->loop->requested, ==, SHUTDOWN_CAUSE_HOST_POWERDOWN);
    g_string_truncate(c->seen, 0);
    monitor_events_flush(f->env.events);
    expect_seen(c, "{'event': 'RESUME'}|");
    expect_seen(other, "{'event': 'RESUME'}|");
    /* From another thread: by the main loop, in order. */
    g_thread_join(g_thread_new("machine", shut_down, f->loop));
    f->loop->running = false;
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    expect_seen(c, "{'event': 'RESET', 'data': {'guest': true, 'reason': 'guest-reset'}}|"
                "{'event': 'STOP'}|"
                "{'event': 'SHUTDOWN', 'data': {'guest': true, 'reason': 'guest-shutdown'}}|");
    expect(c, "{'execute': 'query-status'}", "{'return': {'running': false, 'status': 'debug'}}");
    g_string_truncate(c->seen, 0);
    f->loop->listener.event(f->env.events, EXEC_EVENT_REPLAY_DIVERGED, SHUTDOWN_CAUSE_NONE);
    monitor_events_flush(f->env.events);
    expect_seen(c, "{'event': 'REPLAY_DIVERGED', 'data': {'position': 0, 'report': "
                "'it went \\uFFFD astray\\n'}}|");
    g_free(say(c, "{'execute': 'quit'}"));
    g_assert_cmpint(f->loop->requested, ==, SHUTDOWN_CAUSE_HOST_QUIT);
    g_assert_true(f->env.quitting);
    monitor_events_signal(f->env.events);
    f->loop->listener.event(f->env.events, EXEC_EVENT_SHUTDOWN, SHUTDOWN_CAUSE_HOST_QUIT);
    monitor_events_flush(f->env.events);
    expect_seen(c, "{'return': {}}|{'event': 'SHUTDOWN', 'data': {'guest': false, 'reason': "
                "'host-qmp-quit'}}|");
    monitor_free(other->monitor);
    monitor_free(human->monitor);
}

static void test_pretty(Fixture *f, gconstpointer unused)
{
    QmpClient *c = client_new(&f->env, "pretty", MONITOR_QMP_PRETTY);

    expect(c, NEGOTIATE, "{\r\n    'return': {}\r\n}");
    expect(c, "{'execute': 'query-name'}",
           "{\r\n    'return': {\r\n        'name': 'box'\r\n    }\r\n}");
    monitor_free(c->monitor);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, fn) g_test_add(name, Fixture, NULL, set_up, fn, tear_down)
    ADD("/qmp/negotiation", test_negotiation);
    ADD("/qmp/requests", test_requests);
    ADD("/qmp/commands", test_commands);
    ADD("/qmp/lists-of-commands", test_lists_of_commands);
    ADD("/qmp/save", test_save);
    ADD("/qmp/events", test_events);
    ADD("/qmp/pretty", test_pretty);
    return g_test_run();
}
