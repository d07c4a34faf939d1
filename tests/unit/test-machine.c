/*
 * Devices and the machine: life cycle, requests, state of all devices.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/machine.h"

typedef struct ThingState {
    GByteArray *queue;
    uint64_t value;
} ThingState;

#define THING_FIELDS(F, S) \
    F(S, BYTES, queue)     \
    F(S, U64, value)

FIELD_TABLE(thing_fields, "thing", 1, ThingState, THING_FIELDS);

typedef struct Thing {
    Device dev;
    ThingState state;
    Timer timer;
    unsigned loads;
    GString *log;
} Thing;

static bool thing_realize(Device *dev, Error **errp)
{
    if (((Thing *)dev)->state.value == 13) {
        error_setg(errp, "value 13 is unlucky");
        return false;
    }
    return true;
}

static void thing_reset(Device *dev)
{
    Thing *t = (Thing *)dev;

    g_string_append_printf(t->log, "reset %s ", dev->id);
    t->state.value = 1;
}

static void thing_post_load(Device *dev)
{
    ((Thing *)dev)->loads++;
}

static void thing_fire(void *opaque)
{
}

static void thing_free(Device *dev)
{
    Thing *t = (Thing *)dev;

    g_string_append_printf(t->log, "free %s ", dev->id);
    g_byte_array_unref(t->state.queue);
    g_free(t);
}

static const DeviceType thing_type = {
    .name = "thing", .fields = &thing_fields, .state_offset = offsetof(Thing, state),
    .realize = thing_realize, .reset = thing_reset, .post_load = thing_post_load,
    .free = thing_free,
};

static Thing *thing_new(Machine *m, const char *id, GString *log)
{
    Thing *t = g_new0(Thing, 1);

    t->log = log;
    t->state.queue = g_byte_array_new();
    device_init(&t->dev, &thing_type, m, id);
    timer_init(&t->timer, m->clock, thing_fire, t, "thing");
    return t;
}

static void test_life(void)
{
    GString *log = g_string_new(NULL);
    Machine *m = machine_new(NULL);
    Thing *a = thing_new(m, "a", log), *b = thing_new(m, "b", log);
    Error *err = NULL;

    g_assert_true(machine_find_device(m, "b") == &b->dev);
    g_assert_null(machine_find_device(m, "c"));
    g_assert_true(device_state(&a->dev) == &a->state);
    g_assert_true(device_realize(&a->dev, NULL));
    b->state.value = 13;
    g_assert_false(device_realize(&b->dev, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "value 13 is unlucky");
    error_free(err);
    machine_reset_devices(m);
    g_assert_cmpuint(b->state.value, ==, 1);
    machine_free(m);
    g_assert_cmpstr(log->str, ==, "reset a reset b free b free a ");
    g_string_free(log, TRUE);
}

static void test_requests(void)
{
    Machine *m = machine_new(NULL);

    g_assert_false(machine_has_request(m));
    machine_request_reset(m, SHUTDOWN_CAUSE_GUEST_RESET);
    g_assert_true(machine_has_request(m));
    machine_request_reset(m, SHUTDOWN_CAUSE_HOST_RESET);
    g_assert_cmpint(m->reset_request, ==, SHUTDOWN_CAUSE_GUEST_RESET);
    m->reset_request = SHUTDOWN_CAUSE_NONE;
    machine_request_shutdown(m, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    machine_request_shutdown(m, SHUTDOWN_CAUSE_HOST_QUIT);
    g_assert_cmpint(m->shutdown_request, ==, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    g_assert_true(machine_has_request(m));
    machine_free(m);
}

static uint64_t digest_of(Machine *m)
{
    Digest *d = digest_new();
    uint64_t value;

    machine_digest_devices(m, d);
    value = digest_value(d);
    digest_free(d);
    return value;
}

static void test_state(void)
{
    GString *log = g_string_new(NULL);
    Machine *m = machine_new(NULL), *other = machine_new(NULL);
    Thing *a = thing_new(m, "a", log), *b = thing_new(m, "b", log);
    Thing *c;
    GByteArray *out = g_byte_array_new();
    Error *err = NULL;
    ByteReader r;
    uint64_t digest;

    a->state.value = 5;
    b->state.value = 6;
    g_byte_array_append(b->state.queue, (const uint8_t *)"seven", 5);
    timer_mod(&a->timer, 1000);
    digest = digest_of(m);
    machine_save_devices(m, out);
    g_byte_array_set_size(b->state.queue, 4);
    g_assert_cmphex(digest_of(m), !=, digest);
    g_byte_array_set_size(b->state.queue, 0);
    timer_del(&a->timer);
    timer_mod(&b->timer, 500);
    a->state.value = b->state.value = 0;
    byte_reader_init(&r, out->data, out->len);
    g_assert_true(machine_load_devices(m, &r, NULL));
    g_assert_cmpuint(byte_reader_left(&r), ==, 0);
    g_assert_cmphex(digest_of(m), ==, digest);
    g_assert_cmpuint(a->loads, ==, 1);
    g_assert_cmpmem(b->state.queue->data, b->state.queue->len, "seven", 5);
    g_assert_cmpint(clock_next_deadline(m->clock), ==, 1000);
    g_assert_false(timer_pending(&b->timer));

    byte_reader_init(&r, out->data, out->len - 1);
    g_assert_false(machine_load_devices(m, &r, &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "device 'b': state of thing: the data is cut short or damaged");
    error_free(err);
    err = NULL;

    /* Another machine's state. */
    byte_reader_init(&r, out->data, out->len);
    g_assert_false(machine_load_devices(other, &r, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "the state has 2 timers, this machine 0");
    error_free(err);
    err = NULL;
    thing_new(other, "a", log);
    c = thing_new(other, "c", log);
    byte_reader_init(&r, out->data, out->len);
    g_assert_false(machine_load_devices(other, &r, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "the state of device 'c' is missing");
    g_assert_cmpuint(c->loads, ==, 0);
    error_free(err);

    g_byte_array_free(out, TRUE);
    timer_del(&a->timer);
    machine_free(m);
    machine_free(other);
    g_string_free(log, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/machine/life", test_life);
    g_test_add_func("/machine/requests", test_requests);
    g_test_add_func("/machine/state", test_state);
    return g_test_run();
}
