/*
 * The character port: bytes and events from a back end reach the device at safe
 * points alone, in order, as fast as it takes them, and again on replay with another
 * back end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <glib/gstdio.h>
#include <unistd.h>
#include "chardev/char-port.h"
#include "replay/replay.h"

/* ---- a back end for tests ---- */

struct Chardev {
    const ChardevClient *client;
    void *opaque;
    GString *output;
};

void chardev_set_client(Chardev *chr, const ChardevClient *client, void *opaque)
{
    chr->client = client;
    chr->opaque = opaque;
}

void chardev_write(Chardev *chr, const uint8_t *data, size_t length)
{
    g_string_append_len(chr->output, (const char *)data, (gssize)length);
}

static void type(Chardev *chr, const char *text)
{
    chr->client->receive(chr->opaque, (const uint8_t *)text, strlen(text));
}

/* ---- a device with a small buffer ---- */

typedef struct Device {
    Replay *replay;
    CharPort *port;
    uint64_t pos;
    GString *got;
    unsigned room;
    unsigned calls;
    GString *events;
    bool greedy;              /* makes room again at once */
} Device;

static uint64_t device_position(void *opaque)
{
    return ((Device *)opaque)->pos;
}

static unsigned device_can_receive(void *opaque)
{
    return ((Device *)opaque)->room;
}

static void device_receive(void *opaque, const uint8_t *data, size_t length)
{
    Device *d = opaque;

    g_assert_cmpuint(length, <=, d->room);
    g_string_append_len(d->got, (const char *)data, (gssize)length);
    d->room -= (unsigned)length;
    d->calls++;
    if (d->greedy) {
        d->room = 3;
        char_port_accept_input(d->port);
    }
}

static void device_event(void *opaque, CharEvent event)
{
    g_string_append_printf(((Device *)opaque)->events, "%d", event);
}

static const CharPortClient device_client = {
    .can_receive = device_can_receive,
    .receive = device_receive,
    .event = device_event,
};

typedef struct Fixture {
    Device device;
    Chardev chr;
} Fixture;

static void fixture_init(Fixture *f, ReplayMode mode, const char *path)
{
    ReplayConfig config = { mode, path, REPLAY_CHECK_OFF, 0 };
    Error *err = NULL;
    Device *d = &f->device;
    ReplayHost host = { .position = device_position, .opaque = d };

    memset(f, 0, sizeof(*f));
    d->replay = replay_new(&config, &err);
    g_assert_null(err);
    d->got = g_string_new(NULL);
    d->events = g_string_new(NULL);
    f->chr.output = g_string_new(NULL);
    d->port = char_port_new(d->replay, "uart0", &device_client, d);
    replay_set_host(d->replay, &host);
    char_port_attach(d->port, &f->chr);
    g_assert_true(replay_start(d->replay, &err));
}

static void fixture_clear(Fixture *f)
{
    char_port_free(f->device.port);
    g_assert_null(f->chr.client);
    replay_free(f->device.replay);
    g_string_free(f->device.got, true);
    g_string_free(f->device.events, true);
    g_string_free(f->chr.output, true);
}

static uint64_t digest(Device *d)
{
    Digest *digest = digest_new();
    uint64_t value;

    digest_update(digest, char_port_queue(d->port)->data, char_port_queue(d->port)->len);
    value = digest_value(digest);
    digest_free(digest);
    return value;
}

/* ---- tests ---- */

static void test_safe_points(void)
{
    Fixture f;
    Device *d = &f.device;

    fixture_init(&f, REPLAY_MODE_NONE, NULL);
    d->room = 4;
    type(&f.chr, "hello");
    type(&f.chr, " world");
    g_assert_cmpstr(d->got->str, ==, "");
    g_assert_true(replay_safe_point(d->replay));
    g_assert_cmpstr(d->got->str, ==, "hell");
    char_port_accept_input(d->port);
    g_assert_cmpstr(d->got->str, ==, "hell");
    d->room = 3;
    char_port_accept_input(d->port);
    g_assert_cmpstr(d->got->str, ==, "hello w");
    d->greedy = true;
    d->room = 1;
    char_port_accept_input(d->port);
    g_assert_cmpstr(d->got->str, ==, "hello world");
    g_assert_false(replay_safe_point(d->replay));
    fixture_clear(&f);
}

static void test_events_and_output(void)
{
    Fixture f;
    Device *d = &f.device;

    fixture_init(&f, REPLAY_MODE_NONE, NULL);
    f.chr.client->event(f.chr.opaque, CHAR_EVENT_OPENED);
    f.chr.client->event(f.chr.opaque, CHAR_EVENT_BREAK);
    g_assert_cmpstr(d->events->str, ==, "");
    g_assert_true(replay_safe_point(d->replay));
    g_assert_cmpstr(d->events->str, ==, "02");
    char_port_write(d->port, (const uint8_t *)"out", 3);
    g_assert_cmpstr(f.chr.output->str, ==, "out");
    char_port_attach(d->port, NULL);
    char_port_write(d->port, (const uint8_t *)"lost", 4);
    g_assert_cmpstr(f.chr.output->str, ==, "out");
    fixture_clear(&f);
}

/* A back end that can wait is told to, until the guest has read. */
static void test_window(void)
{
    Fixture f;
    Device *d = &f.device;
    size_t window;
    char *text;

    fixture_init(&f, REPLAY_MODE_NONE, NULL);
    window = f.chr.client->can_receive(f.chr.opaque);
    g_assert_cmpuint(window, >=, 4096);
    text = g_strnfill(window, 'x');
    type(&f.chr, text);
    g_assert_cmpuint(f.chr.client->can_receive(f.chr.opaque), ==, 0);
    replay_safe_point(d->replay);
    g_assert_cmpuint(f.chr.client->can_receive(f.chr.opaque), ==, 0);
    d->room = 100;
    char_port_accept_input(d->port);
    g_assert_cmpuint(f.chr.client->can_receive(f.chr.opaque), ==, 100);
    /* One that cannot wait is cut into records that fit. */
    type(&f.chr, text);
    type(&f.chr, text);
    d->room = UINT_MAX;
    replay_safe_point(d->replay);
    g_assert_cmpuint(d->got->len, ==, 3 * window);
    g_assert_cmpuint(f.chr.client->can_receive(f.chr.opaque), ==, window);
    g_free(text);
    fixture_clear(&f);
}

/* What a guest does with what comes in; the trail says what came when. */
static char *session(ReplayMode mode, const char *path, const char *text)
{
    Fixture f;
    Device *d = &f.device;
    GString *trail = g_string_new(NULL);
    char *result;

    fixture_init(&f, mode, path);
    for (unsigned i = 0; i < 40; i++) {
        if (i % 7 == 3) {
            type(&f.chr, text);
        }
        if (i == 20) {
            f.chr.client->event(f.chr.opaque, CHAR_EVENT_BREAK);
        }
        replay_safe_point(d->replay);
        d->room = 2;
        char_port_accept_input(d->port);
        g_string_append_printf(trail, "%u:%s:%s:%" PRIx64 "\n", i, d->got->str,
                               d->events->str, digest(d));
        d->pos += 100;
    }
    g_assert_false(replay_failed(d->replay));
    g_assert_true(replay_end(d->replay, 1, digest(d)));
    fixture_clear(&f);
    result = g_string_free(trail, false);
    return result;
}

static void test_record_replay(void)
{
    char *path = NULL;
    char *recorded, *played;
    int fd = g_file_open_tmp("rearm-char-XXXXXX", &path, NULL);

    g_close(fd, NULL);
    recorded = session(REPLAY_MODE_RECORD, path, "abcdef");
    g_assert_nonnull(strstr(recorded, "39:abcdefabcdef"));
    /* The live input of the replay is another, and goes nowhere. */
    played = session(REPLAY_MODE_PLAY, path, "XYZ");
    g_assert_cmpstr(recorded, ==, played);
    g_free(recorded);
    g_free(played);
    g_unlink(path);
    g_free(path);
}

/* The device's field table loads the queue; the host side has to know how much is in it. */
static void test_queue_loaded(void)
{
    static uint8_t many[65536];
    Fixture f;
    Device *d = &f.device;
    GByteArray *queue;

    fixture_init(&f, REPLAY_MODE_NONE, NULL);
    type(&f.chr, "pending");
    replay_safe_point(d->replay);
    queue = char_port_queue(d->port);
    g_assert_cmpmem(queue->data, queue->len, "pending", 7);
    g_byte_array_set_size(queue, 0);
    g_byte_array_append(queue, many, sizeof(many));
    char_port_queue_loaded(d->port);
    g_assert_cmpuint(f.chr.client->can_receive(f.chr.opaque), ==, 0);
    g_byte_array_set_size(queue, 0);
    g_byte_array_append(queue, (const uint8_t *)"saved", 5);
    char_port_queue_loaded(d->port);
    g_assert_cmpuint(f.chr.client->can_receive(f.chr.opaque), ==, sizeof(many) - 5);
    d->room = 100;
    char_port_accept_input(d->port);
    g_assert_cmpstr(d->got->str, ==, "saved");
    fixture_clear(&f);
}

/* ---- time travel ---- */

static GByteArray *save(Device *d)
{
    GByteArray *place = g_byte_array_new();

    replay_save(d->replay, place);
    return place;
}

/* As a machine does: the device's state is what it was then. */
static void load(Device *d, const GByteArray *place, uint64_t pos, size_t got)
{
    ByteReader in;

    byte_reader_init(&in, place->data, place->len);
    g_assert_true(replay_load(d->replay, &in, NULL));
    g_byte_array_set_size(char_port_queue(d->port), 0);
    char_port_queue_loaded(d->port);
    g_string_truncate(d->got, got);
    d->pos = pos;
}

/* An echo at each of these positions. */
static void echo_to(Device *d, uint64_t pos)
{
    for (; d->pos < pos; d->pos++) {
        size_t before = d->got->len;

        replay_safe_point(d->replay);
        char_port_write(d->port, (const uint8_t *)d->got->str + before, d->got->len - before);
    }
    replay_safe_point(d->replay);
}

/*
 * Typed, echoed, gone back: the echo is not seen twice, what is typed in the past is dropped, and at
 * the newest place the keyboard works again, with the window that it had.
 */
static void test_travel(void)
{
    size_t window;
    GByteArray *place;
    Fixture f;
    Device *d = &f.device;

    fixture_init(&f, REPLAY_MODE_RECORD, NULL);
    d->room = UINT_MAX;
    window = f.chr.client->can_receive(f.chr.opaque);
    type(&f.chr, "one ");
    echo_to(d, 10);
    place = save(d);
    type(&f.chr, "two ");
    echo_to(d, 20);
    g_assert_cmpstr(f.chr.output->str, ==, "one two ");
    load(d, place, 10, 4);
    type(&f.chr, "dropped");
    echo_to(d, 15);
    type(&f.chr, "dropped");
    echo_to(d, 20);
    g_assert_cmpstr(d->got->str, ==, "one two ");
    g_assert_cmpstr(f.chr.output->str, ==, "one two ");
    g_assert_cmpuint(f.chr.client->can_receive(f.chr.opaque), ==, window);
    type(&f.chr, "three");
    g_assert_cmpuint(f.chr.client->can_receive(f.chr.opaque), ==, window - 5);
    echo_to(d, 30);
    g_assert_cmpstr(f.chr.output->str, ==, "one two three");
    g_assert_cmpuint(f.chr.client->can_receive(f.chr.opaque), ==, window);
    g_byte_array_unref(place);
    fixture_clear(&f);
}

/* Out of a replay: the keyboard works. */
static void test_go_live(void)
{
    char *path = g_build_filename(g_get_tmp_dir(), "rearm-char-port-XXXXXX", NULL);
    size_t window;
    Fixture f;
    Device *d = &f.device;

    close(g_mkstemp(path));
    fixture_init(&f, REPLAY_MODE_RECORD, path);
    d->room = UINT_MAX;
    type(&f.chr, "recorded");
    echo_to(d, 10);
    g_assert_true(replay_end(d->replay, 1, 0));
    fixture_clear(&f);
    fixture_init(&f, REPLAY_MODE_PLAY, path);
    d->room = UINT_MAX;
    window = f.chr.client->can_receive(f.chr.opaque);
    type(&f.chr, "dropped");
    echo_to(d, 5);
    g_assert_true(replay_go_live(d->replay, NULL, NULL));
    g_assert_cmpuint(f.chr.client->can_receive(f.chr.opaque), ==, window);
    type(&f.chr, " and typed");
    echo_to(d, 15);
    g_assert_cmpstr(f.chr.output->str, ==, "recorded and typed");
    g_assert_cmpuint(f.chr.client->can_receive(f.chr.opaque), ==, window);
    fixture_clear(&f);
    g_unlink(path);
    g_free(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/char-port/safe-points", test_safe_points);
    g_test_add_func("/char-port/events-and-output", test_events_and_output);
    g_test_add_func("/char-port/window", test_window);
    g_test_add_func("/char-port/record-replay", test_record_replay);
    g_test_add_func("/char-port/queue-loaded", test_queue_loaded);
    g_test_add_func("/char-port/travel", test_travel);
    g_test_add_func("/char-port/go-live", test_go_live);
    return g_test_run();
}
