/*
 * Fuzz target: what a QMP client sends. The first byte of the input says whether the
 * negotiation is over (odd), the second how large the pieces are in which the rest comes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/monitor-machine.h"
#include "tests/unit/qmp-client.h"

static const char negotiate[] = "{\"execute\": \"qmp_capabilities\"}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    MonitorEnv env;
    ExecLoop *loop;
    QmpClient *c;
    size_t piece;

    if (size < 2) {
        return 0;
    }
    loop = loop_new(&env);
    env.chardevs = chardev_set_new(NULL);
    c = client_new(&env, "qmp", MONITOR_QMP);
    if (data[0] & 1) {
        client_send(c, negotiate, sizeof(negotiate) - 1);
    }
    piece = data[1] + 1u;
    for (size_t at = 2; at < size; at += piece) {
        client_send(c, (const char *)data + at, MIN(piece, size - at));
    }
    /* Replies are ASCII, whatever was in the request. */
    for (size_t i = 0; i < c->seen->len; i++) {
        assert((uint8_t)c->seen->str[i] < 0x7f && c->seen->str[i]);
    }
    monitor_free(c->monitor);
    chardev_set_free(env.chardevs);
    loop_free(loop);
    return 0;
}

GByteArray *fuzz_seed(unsigned n)
{
    /* Nothing here writes files, so that mutations write none. */
    static const char *const seeds[] = {
        "\x1f{\"execute\": \"query-status\", \"id\": [1, 2.5e3, null, \"\\u00e9\xc3\xa9\"]}",
        "\x03{'execute': 'human-monitor-command', 'arguments': {'command-line': 'x/4xw 0x1000', "
        "'cpu-index': 1}}\n{'execute': 'stop'}{'execute': 'cont'}",
        "\xff{\"execute\": \"x-rearm-query-registers\", \"arguments\": {\"cpu-index\": 0}}"
        "{\"execute\": \"query-chardev\"}{\"execute\": \"query-machines\", \"arguments\": {}}",
        "\x07[[[[{\"a\": [true, false, null, -1, 18446744073709551615, 0.5]}]]]]\xff{\"x\": \"\\\"",
        "\x01{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": [\"oob\"]}}"
        "{\"execute\": \"query-name\"}{\"exec-oob\": \"query-status\", \"id\": {}}",
        "\x0f{'execute': 'chardev-add', 'arguments': {'id': 'r', 'backend': {'type': 'ringbuf', 'data': "
        "{'size': 16}}}}{'execute': 'ringbuf-write', 'arguments': {'device': 'r', 'data': 'YWJj', "
        "'format': 'base64'}}{'execute': 'ringbuf-read', 'arguments': {'device': 'r', 'size': 9}}"
        "{'execute': 'chardev-remove', 'arguments': {'id': 'r'}}",
        "\x2f{'execute': 'object-add', 'arguments': {'qom-type': 'secret', 'id': 's', 'data': 'x'}}"
        "{'execute': 'qom-list', 'arguments': {'path': '/objects'}}{'execute': 'qom-get', "
        "'arguments': {'path': '/objects/s', 'property': 'format'}}"
        "{'execute': 'object-del', 'arguments': {'id': 's'}}",
        "\x13{'execute': 'snapshot-delete', 'arguments': {'job-id': 'j', 'tag': 't', 'devices': []}}"
        "{'execute': 'query-jobs'}{'execute': 'job-cancel', 'arguments': {'id': 'j'}}"
        "{'execute': 'job-dismiss', 'arguments': {'id': 'j'}}{'execute': 'query-fdsets'}",
    };

    return n < 2 * ARRAY_SIZE(seeds) ? fuzz_text(n & 1, seeds[n / 2]) : NULL;
}
