/*
 * The other end of a monitor's chardev: what is written is kept, what is sent is received at once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QMP_CLIENT_H
#define TESTS_QMP_CLIENT_H

#include "chardev/chardev-int.h"
#include "monitor/monitor.h"

typedef struct QmpClient {
    Chardev chr;           /* first */
    GString *seen;
    Monitor *monitor;
} QmpClient;

static void client_write_now(Chardev *c, const uint8_t *data, size_t length)
{
    g_string_append_len(((QmpClient *)c)->seen, (const char *)data, (gssize)length);
}

static void client_close(Chardev *c)
{
    g_string_free(((QmpClient *)c)->seen, TRUE);
}

static bool client_open(Chardev *c, KeyVal *options, Error **errp)
{
    ((QmpClient *)c)->seen = g_string_new("");
    return true;
}

static const ChardevType client_type = {
    .name = "client", .size = sizeof(QmpClient), .open = client_open, .close = client_close,
    .write_now = client_write_now,
};

/* A monitor with somebody at the other end. */
static inline QmpClient *client_new(MonitorEnv *env, const char *id, MonitorMode mode)
{
    QmpClient *c = (QmpClient *)chardev_new(env->chardevs, &client_type, id, NULL, NULL);

    c->monitor = monitor_new(env, &c->chr, mode);
    chardev_event(&c->chr, CHAR_EVENT_OPENED);
    return c;
}

static inline void client_send(QmpClient *c, const char *text, size_t length)
{
    chardev_received(&c->chr, (const uint8_t *)text, length);
}

#endif
