/*
 * Character back ends: option errors, files, sockets, the multiplexer's keys,
 * buffering of a slow reader, output from another thread, what is left at the end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>
#include "chardev/chardev.h"

typedef struct Sink {
    GString *in;
    unsigned opened, closed, breaks;
    int focus;
    size_t room;
} Sink;

static size_t sink_can_receive(void *opaque)
{
    return ((Sink *)opaque)->room;
}

static void sink_receive(void *opaque, const uint8_t *data, size_t length)
{
    g_string_append_len(((Sink *)opaque)->in, (const char *)data, (gssize)length);
}

static void sink_event(void *opaque, CharEvent event)
{
    Sink *s = opaque;

    s->opened += event == CHAR_EVENT_OPENED;
    s->closed += event == CHAR_EVENT_CLOSED;
    s->breaks += event == CHAR_EVENT_BREAK;
}

static void sink_focus(void *opaque, bool in)
{
    ((Sink *)opaque)->focus += in ? 1 : -1;
}

static const ChardevClient sink_client = {
    .can_receive = sink_can_receive,
    .receive = sink_receive,
    .event = sink_event,
    .focus = sink_focus,
};

static void sink_init(Sink *s)
{
    *s = (Sink){ .in = g_string_new(""), .room = SIZE_MAX };
}

static void sink_clear(Sink *s)
{
    g_string_free(s->in, TRUE);
}

typedef struct Fixture {
    ChardevSet *set;
    char *dir;
    bool quit;
} Fixture;

static void fixture_quit(void *opaque)
{
    ((Fixture *)opaque)->quit = true;
}

static void setup(Fixture *f, gconstpointer data)
{
    f->dir = g_dir_make_tmp("rearm-chardev-XXXXXX", NULL);
    g_assert_nonnull(f->dir);
    f->set = chardev_set_new(NULL);
    f->quit = false;
    chardev_set_quit_hook(f->set, fixture_quit, f);
}

static void teardown(Fixture *f, gconstpointer data)
{
    chardev_set_free(f->set);
    g_assert_cmpint(g_rmdir(f->dir), ==, 0);   /* nothing may be left behind */
    g_free(f->dir);
}

/* Run the main loop until cond holds; at most about five seconds. */
#define RUN_UNTIL(cond)                                          \
    do {                                                         \
        for (int i_ = 0; i_ < 5000 && !(cond); i_++) {           \
            while (g_main_context_iteration(NULL, FALSE)) {      \
            }                                                    \
            if (!(cond)) {                                       \
                g_usleep(1000);                                  \
            }                                                    \
        }                                                        \
        g_assert_true(cond);                                     \
    } while (0)

static void run_idle(void)
{
    for (int i = 0; i < 20; i++) {
        while (g_main_context_iteration(NULL, FALSE)) {
        }
        g_usleep(1000);
    }
}

static void expect_error(Fixture *f, const char *options, const char *message)
{
    Error *err = NULL;

    g_assert_null(chardev_create(f->set, options, &err));
    g_assert_nonnull(err);
    g_assert_cmpstr(error_get_pretty(err), ==, message);
    error_free(err);
}

static void test_errors(Fixture *f, gconstpointer data)
{
    Error *err = NULL;
    ChardevSpec spec;
    Chardev *c;

    expect_error(f, "sockets,id=a", "-chardev: no back end 'sockets'; did you mean 'socket'?");
    expect_error(f, "null", "-chardev null needs id=NAME");
    expect_error(f, "file,id=a", "-chardev file needs path=FILE");
    expect_error(f, "socket,id=a", "-chardev socket needs either path=PATH or "
                 "host=HOST,port=PORT or fd=N");
    expect_error(f, "socket,id=a,host=h,port=70000",
                 "-chardev socket: port=70000: expected a number, 0..65535");
    expect_error(f, "socket,id=a,path=/x,sever=on",
                 "-chardev socket: unknown option 'sever', did you mean 'server'?");
    expect_error(f, "socket,id=a,path=/x,server=maybe", "server=maybe: expected 'on' or 'off'");
    expect_error(f, "file,id=a,path=/nonexistent/x",
                 "-chardev file: cannot write path=/nonexistent/x: No such file or directory");
    c = chardev_create(f->set, "null,id=a", NULL);
    g_assert_nonnull(c);
    expect_error(f, "null,id=a", "-chardev null: the id 'a' is already taken");
    g_assert_true(chardev_claim(c, &err) == c);
    g_assert_null(chardev_claim(c, &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "chardev 'a' is already in use; mux=on lets several share it");
    error_free(err);
    err = NULL;
    g_assert_false(chardev_open(f->set, "chardev:b", "s", &spec, &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "no chardev with id 'b'; -chardev KIND,id=b makes one");
    error_free(err);
    err = NULL;
    g_assert_false(chardev_open(f->set, "stdoi", "s", &spec, &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "'stdoi' names no character back end; did you mean 'stdio'?");
    error_free(err);
    err = NULL;
    g_assert_false(chardev_open(f->set, "tcp:4444", "s", &spec, &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "'tcp:4444' needs a host and a port: tcp:HOST:PORT");
    error_free(err);
    err = NULL;
    /* Without this the path would be "a,id=s". */
    g_assert_false(chardev_open(f->set, "unix:a,", "s", &spec, &err));
    g_assert_cmpstr(error_get_pretty(err), ==,
                    "'unix:a,' ends with a comma, but no option follows; leave it out, or double "
                    "it if it is part of the name");
    error_free(err);
    g_assert_true(chardev_open(f->set, "none", "s", &spec, NULL));
    g_assert_null(spec.chr);
}

static void test_file(Fixture *f, gconstpointer data)
{
    g_autofree char *out = g_build_filename(f->dir, "a,b", NULL);
    g_autofree char *in = g_build_filename(f->dir, "in", NULL);
    g_autofree char *spec_text = g_strdup_printf("file:%s", out);
    g_autofree char *options = g_strdup_printf("file,id=f2,path=%s/a,,b,append=on,input-path=%s",
                                               f->dir, in);
    g_autofree char *text = NULL;
    ChardevSpec spec;
    Chardev *c;
    Sink s;

    sink_init(&s);
    g_assert_true(g_file_set_contents(in, "typed", -1, NULL));
    g_assert_true(chardev_open(f->set, spec_text, "f1", &spec, NULL));
    chardev_puts(spec.chr, "first ");
    chardev_set_free(f->set);               /* unflushed: must be written now */
    f->set = chardev_set_new(NULL);
    c = chardev_create(f->set, options, NULL);
    g_assert_nonnull(c);
    s.room = 2;
    chardev_set_client(c, &sink_client, &s);
    chardev_puts(c, "second");
    RUN_UNTIL(s.in->len == 5);
    g_assert_cmpstr(s.in->str, ==, "typed");
    g_assert_cmpuint(s.opened, ==, 1);
    g_assert_true(g_file_get_contents(out, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "first second");
    g_unlink(out);
    g_unlink(in);
    sink_clear(&s);
}

static int connect_unix(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    g_assert_cmpint(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), ==, 0);
    return fd;
}

static void read_exactly(int fd, char *out, size_t length)
{
    size_t got = 0;

    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 5000 && got < length; i++) {
        ssize_t n = read(fd, out + got, length - got);

        got += n > 0 ? (size_t)n : 0;
        while (g_main_context_iteration(NULL, FALSE)) {
        }
        if (n <= 0) {
            g_usleep(1000);
        }
    }
    g_assert_cmpuint(got, ==, length);
}

static void test_unix_server(Fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "sock", NULL);
    g_autofree char *spec_text = g_strdup_printf("unix:%s,server,nowait", path);
    g_autofree char *busy = g_strdup_printf("cannot listen on '%s': another process is "
                                            "listening there", path);
    g_autofree char *again = g_strdup_printf("socket,id=b,path=%s,server=on", path);
    ChardevSpec spec;
    char got[8] = "";
    int fd;
    Sink s;

    sink_init(&s);
    g_assert_true(chardev_open(f->set, spec_text, "a", &spec, NULL));
    chardev_set_client(spec.chr, &sink_client, &s);
    g_assert_true(chardev_set_wait_connected(f->set));   /* wait=off: returns at once */
    chardev_puts(spec.chr, "nobody hears");
    run_idle();
    expect_error(f, again, busy);

    fd = connect_unix(path);               /* the probe above came first, and left */
    g_assert_cmpint(write(fd, "hello", 5), ==, 5);
    RUN_UNTIL(s.in->len == 5);
    g_assert_cmpstr(s.in->str, ==, "hello");
    chardev_puts(spec.chr, "answer");
    read_exactly(fd, got, 6);
    g_assert_cmpstr(got, ==, "answer");
    close(fd);
    RUN_UNTIL(s.closed == s.opened && s.opened >= 1);
    g_assert_false(chardev_is_open(spec.chr));

    fd = connect_unix(path);               /* the next client */
    g_assert_cmpint(write(fd, "!", 1), ==, 1);
    RUN_UNTIL(s.in->len == 6);
    close(fd);
    sink_clear(&s);
}

/* A socket file without a listener is replaced, another file is not. */
static void test_unix_stale(Fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "sock", NULL);
    g_autofree char *options = g_strdup_printf("socket,id=a,path=%s,server=on,wait=off", path);
    g_autofree char *message = g_strdup_printf("cannot listen on '%s': the file exists and is "
                                               "not a socket", path);
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_assert_true(g_file_set_contents(path, "data", -1, NULL));
    expect_error(f, options, message);
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    g_unlink(path);

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), ==, 0);
    close(fd);
    g_assert_nonnull(chardev_create(f->set, options, NULL));
}

/* Sockets that somebody else has made, by number: one that listens, and one that is connected. */
static void test_inherited(Fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "sock", NULL);
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), pair[2], fd;
    g_autofree char *server = g_strdup_printf("socket,id=s,fd=%d,server=on,wait=off", listener);
    g_autofree char *client = NULL, *wrong = NULL, *text = NULL;
    char got[8] = "";
    Chardev *chr;
    Sink s;

    sink_init(&s);
    wrong = g_strdup_printf("-chardev socket: fd=%d is a socket that does not listen: neither server=on "
                            "nor reconnect= goes with it", listener);
    expect_error(f, server, wrong);
    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    g_assert_cmpint(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), ==, 0);
    g_assert_cmpint(listen(listener, 1), ==, 0);
    chr = chardev_create(f->set, server, NULL);
    g_assert_nonnull(chr);
    chardev_set_client(chr, &sink_client, &s);
    text = g_strdup_printf("fd:%d,server=on", listener);
    g_assert_cmpstr(chardev_label(chr), ==, text);
    fd = connect_unix(path);
    g_assert_cmpint(write(fd, "hello", 5), ==, 5);
    RUN_UNTIL(s.in->len == 5);
    close(fd);
    RUN_UNTIL(s.closed == s.opened);
    sink_clear(&s);

    sink_init(&s);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
    client = g_strdup_printf("socket,id=c,fd=%d", pair[0]);
    chr = chardev_create(f->set, client, NULL);
    g_assert_nonnull(chr);
    chardev_set_client(chr, &sink_client, &s);
    chardev_puts(chr, "answer");
    read_exactly(pair[1], got, 6);
    g_assert_cmpstr(got, ==, "answer");
    close(pair[1]);
    RUN_UNTIL(s.closed == 1);
    sink_clear(&s);
    g_unlink(path);

    expect_error(f, "socket,id=a,fd=0", "-chardev socket: fd=0: expected the number of an inherited "
                 "descriptor, 3 or more");
    expect_error(f, "socket,id=a,fd=1000", "-chardev socket: fd=1000: Bad file descriptor");
    expect_error(f, "socket,id=a,fd=9,path=/x", "-chardev socket needs either path=PATH or "
                 "host=HOST,port=PORT or fd=N");
}

static void test_tcp(Fixture *f, gconstpointer data)
{
    Chardev *server, *client;
    g_autofree char *options = NULL, *busy = NULL, *again = NULL;
    unsigned port;
    Sink ss, cs;

    sink_init(&ss);
    sink_init(&cs);
    server = chardev_create(f->set, "socket,id=s,host=127.0.0.1,port=0,server=on,wait=off,nodelay",
                            NULL);
    g_assert_nonnull(server);
    g_assert_cmpint(sscanf(chardev_label(server), "tcp:127.0.0.1:%u,server=on", &port), ==, 1);
    again = g_strdup_printf("socket,id=s2,host=127.0.0.1,port=%u,server=on", port);
    busy = g_strdup_printf("cannot listen on '127.0.0.1:%u': Address already in use", port);
    expect_error(f, again, busy);
    options = g_strdup_printf("socket,id=c,host=127.0.0.1,port=%u", port);
    client = chardev_create(f->set, options, NULL);
    g_assert_nonnull(client);
    chardev_set_client(server, &sink_client, &ss);
    chardev_set_client(client, &sink_client, &cs);
    g_assert_cmpuint(cs.opened, ==, 1);
    RUN_UNTIL(ss.opened == 1);
    chardev_puts(client, "ping");
    chardev_puts(server, "pong");
    RUN_UNTIL(ss.in->len == 4 && cs.in->len == 4);
    g_assert_cmpstr(ss.in->str, ==, "ping");
    g_assert_cmpstr(cs.in->str, ==, "pong");
    sink_clear(&ss);
    sink_clear(&cs);
}

/* A client with reconnect= outlives its server. */
static void test_reconnect(Fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "sock", NULL);
    g_autofree char *server = g_strdup_printf("socket,id=s,path=%s,server=on,wait=off", path);
    g_autofree char *client = g_strdup_printf("socket,id=c,path=%s,reconnect=1", path);
    ChardevSet *other = chardev_set_new(NULL);
    Chardev *c;
    Sink s;

    sink_init(&s);
    c = chardev_create(f->set, client, NULL);
    g_assert_nonnull(c);
    chardev_set_client(c, &sink_client, &s);
    run_idle();
    g_assert_cmpuint(s.opened, ==, 0);
    g_assert_nonnull(chardev_create(other, server, NULL));
    RUN_UNTIL(s.opened == 1);
    chardev_set_free(other);
    RUN_UNTIL(s.closed == 1);
    other = chardev_set_new(NULL);
    g_assert_nonnull(chardev_create(other, server, NULL));
    RUN_UNTIL(s.opened == 2);
    chardev_set_free(other);
    sink_clear(&s);
}

typedef struct Later {
    char *path;
    int fd;
    ChardevSet *cancel;
} Later;

static gboolean later_run(gpointer opaque)
{
    Later *l = opaque;

    if (l->cancel) {
        chardev_set_cancel_wait(l->cancel);
    } else {
        l->fd = connect_unix(l->path);
    }
    return G_SOURCE_REMOVE;
}

/* wait=on returns when the client is there, or on cancel. */
static void test_wait(Fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "sock", NULL);
    g_autofree char *one = g_strdup_printf("socket,id=s,path=%s,server=on", path);
    g_autofree char *two = g_strdup_printf("socket,id=t,path=%s2,server=on", path);
    Later later = { .path = path };
    Chardev *c = chardev_create(f->set, one, NULL);

    g_assert_nonnull(c);
    g_timeout_add(5, later_run, &later);
    g_assert_true(chardev_set_wait_connected(f->set));
    g_assert_true(chardev_is_open(c));
    close(later.fd);
    g_assert_nonnull(chardev_create(f->set, two, NULL));
    later.cancel = f->set;
    g_timeout_add(5, later_run, &later);
    g_assert_false(chardev_set_wait_connected(f->set));
}

/* ---- the multiplexer, over a socket ---- */

typedef struct Mux {
    int fd;
    Chardev *mux, *a, *b;
    Sink sa, sb;
} Mux;

static void mux_setup(Fixture *f, Mux *m)
{
    g_autofree char *path = g_build_filename(f->dir, "sock", NULL);
    g_autofree char *options = g_strdup_printf("socket,id=m,path=%s,server=on,wait=off,mux=on",
                                               path);

    sink_init(&m->sa);
    sink_init(&m->sb);
    m->mux = chardev_create(f->set, options, NULL);
    g_assert_nonnull(m->mux);
    g_assert_true(chardev_find(f->set, "m") == m->mux);
    m->a = chardev_claim(m->mux, NULL);
    m->b = chardev_claim(m->mux, NULL);
    chardev_set_client(m->a, &sink_client, &m->sa);
    chardev_set_client(m->b, &sink_client, &m->sb);
    m->fd = connect_unix(path);
    RUN_UNTIL(m->sa.opened == 1 && m->sb.opened == 1);
}

static void mux_clear(Mux *m)
{
    close(m->fd);
    sink_clear(&m->sa);
    sink_clear(&m->sb);
}

static void type(Mux *m, const char *keys, size_t length)
{
    g_assert_cmpint(write(m->fd, keys, length), ==, (ssize_t)length);
}

static void test_mux(Fixture *f, gconstpointer data)
{
    char got[sizeof("\r\nrearm: terminated by Ctrl-a x\r\nAB")] = "";
    Mux m;

    mux_setup(f, &m);
    type(&m, "one", 3);
    RUN_UNTIL(m.sa.in->len == 3);
    g_assert_cmpstr(m.sa.in->str, ==, "one");

    /* Ctrl-a c in the middle; the escape and its key in different packets. */
    type(&m, "x\1", 2);
    RUN_UNTIL(m.sa.in->len == 4);
    type(&m, "ctwo\1\1three\1czz", 15);
    RUN_UNTIL(m.sb.in->len == 9 && m.sa.in->len == 6);
    g_assert_cmpstr(m.sa.in->str, ==, "onexzz");
    g_assert_cmpstr(m.sb.in->str, ==, "two\1three");
    g_assert_cmpint(m.sa.focus, ==, 0);    /* lost it, got it back */
    g_assert_cmpint(m.sb.focus, ==, 0);

    type(&m, "\1b", 2);
    RUN_UNTIL(m.sa.breaks == 1);
    g_assert_cmpuint(m.sb.breaks, ==, 0);
    g_assert_false(f->quit);
    type(&m, "\1q\1x", 4);
    RUN_UNTIL(f->quit);
    g_assert_cmpstr(m.sa.in->str, ==, "onexzz");

    chardev_take_focus(m.b);
    g_assert_cmpint(m.sb.focus, ==, 1);
    chardev_puts(m.a, "A");
    chardev_puts(m.b, "B");
    read_exactly(m.fd, got, sizeof(got) - 1);
    g_assert_cmpstr(got, ==, "\r\nrearm: terminated by Ctrl-a x\r\nAB");
    mux_clear(&m);
}

static void test_mux_help(Fixture *f, gconstpointer data)
{
    char got[40] = "";
    Mux m;

    mux_setup(f, &m);
    type(&m, "\1h", 2);
    read_exactly(m.fd, got, strlen("\r\nC-a h    print this help\r\n"));
    g_assert_cmpstr(got, ==, "\r\nC-a h    print this help\r\n");
    mux_clear(&m);
}

static void test_mux_stamps(Fixture *f, gconstpointer data)
{
    char got[32] = "";
    Mux m;

    mux_setup(f, &m);
    type(&m, "\1t", 2);
    run_idle();
    chardev_puts(m.a, "end\nnew");
    read_exactly(m.fd, got, strlen("end\n[00:00:00.000] new"));
    g_assert_true(g_str_has_prefix(got, "end\n[00:00:0"));
    g_assert_true(g_str_has_suffix(got, "] new"));
    mux_clear(&m);
}

/* A client without room makes the peer wait; nothing is lost. */
static void test_room(Fixture *f, gconstpointer data)
{
    Mux m;

    mux_setup(f, &m);
    m.sa.room = 0;
    type(&m, "abc", 3);
    run_idle();
    g_assert_cmpuint(m.sa.in->len, ==, 0);
    m.sa.room = 1;
    RUN_UNTIL(m.sa.in->len == 3);
    g_assert_cmpstr(m.sa.in->str, ==, "abc");
    mux_clear(&m);
}

/* ---- buffering ---- */

#define BULK (3u << 20)

static gpointer bulk_writer(gpointer opaque)
{
    Chardev *c = opaque;

    for (unsigned i = 0; i < BULK; i++) {
        uint8_t byte = (uint8_t)(i * 7 + (i >> 8));

        chardev_write(c, &byte, 1);
    }
    return NULL;
}

/* Megabytes from another thread, byte by byte, to a reader that starts late. */
static void test_slow_reader(Fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "sock", NULL);
    g_autofree char *options = g_strdup_printf("socket,id=s,path=%s,server=on,wait=off", path);
    Chardev *c = chardev_create(f->set, options, NULL);
    g_autofree char *got = g_malloc(BULK);
    GThread *thread;
    int fd;

    g_assert_nonnull(c);
    fd = connect_unix(path);
    RUN_UNTIL(chardev_is_open(c));
    thread = g_thread_new("writer", bulk_writer, c);
    g_thread_join(thread);                 /* did not wait for the reader */
    read_exactly(fd, got, BULK);
    for (unsigned i = 0; i < BULK; i++) {
        g_assert_cmphex((uint8_t)got[i], ==, (uint8_t)(i * 7 + (i >> 8)));
    }
    close(fd);
}

static void test_pty(Fixture *f, gconstpointer data)
{
    char got[8] = "";
    ChardevSpec spec;
    int fd, saved;
    Sink s;

    sink_init(&s);
    /* The name is printed on stdout, where it is no line of a test's protocol. */
    fflush(stdout);
    saved = dup(STDOUT_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    g_assert_true(chardev_open(f->set, "pty", "p", &spec, NULL));
    dup2(saved, STDOUT_FILENO);
    close(saved);
    chardev_set_client(spec.chr, &sink_client, &s);
    g_assert_true(g_str_has_prefix(chardev_label(spec.chr), "pty:/dev/"));
    fd = open(chardev_label(spec.chr) + strlen("pty:"), O_RDWR | O_NOCTTY);
    g_assert_cmpint(fd, >=, 0);
    RUN_UNTIL(s.opened == 1);
    g_assert_cmpint(write(fd, "in\r", 3), ==, 3);
    RUN_UNTIL(s.in->len == 3);
    g_assert_cmpstr(s.in->str, ==, "in\r");       /* raw: not turned into a newline */
    chardev_puts(spec.chr, "out\n");
    read_exactly(fd, got, 4);
    g_assert_cmpstr(got, ==, "out\n");
    close(fd);
    RUN_UNTIL(s.closed == 1);
    sink_clear(&s);
}

static void expect_ring(Chardev *c, size_t most, const char *text)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    chardev_ringbuf_read(c, most, out);
    g_assert_cmpmem(out->data, out->len, text, strlen(text));
}

static void test_ringbuf(Fixture *f, gconstpointer data)
{
    Chardev *c = chardev_create(f->set, "ringbuf,id=r,size=8", NULL);

    g_assert_true(chardev_is_ringbuf(c));
    chardev_puts(c, "abc");
    expect_ring(c, 2, "ab");
    chardev_puts(c, "defgh");
    expect_ring(c, 0, "");
    expect_ring(c, 100, "cdefgh");
    expect_ring(c, 100, "");
    /* The oldest bytes give way. */
    chardev_puts(c, "0123456789ABCDEF");
    chardev_puts(c, "xy");
    expect_ring(c, 3, "ABC");
    chardev_puts(c, "z");
    expect_ring(c, 100, "DEFxyz");
    expect_error(f, "ringbuf,id=s,size=12", "size of ringbuf chardev must be power of two");
    expect_error(f, "ringbuf,id=s,size=0", "size of ringbuf chardev must be power of two");
    expect_error(f, "ringbuf,id=s,size=x", "-chardev ringbuf: size=x: expected a size such as 64K");
    expect_error(f, "ringbuf,id=s,size=1G", "-chardev ringbuf: size=1G is too much: at most 256 MiB");
    g_assert_null(chardev_find(f->set, "s"));
}

static void test_remove(Fixture *f, gconstpointer data)
{
    Chardev *plain = chardev_create(f->set, "null,id=a", NULL);
    Chardev *mux = chardev_create(f->set, "null,id=b,mux=on", NULL);
    Error *err = NULL;
    Sink sink;

    sink_init(&sink);
    g_assert_true(chardev_remove(plain, NULL));
    g_assert_null(chardev_find(f->set, "a"));
    plain = chardev_claim(chardev_create(f->set, "null,id=a", NULL), NULL);
    g_assert_false(chardev_remove(plain, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "Chardev 'a' is busy");
    error_free(err);
    chardev_set_client(plain, &sink_client, &sink);
    chardev_send_break(plain);
    g_assert_cmpuint(sink.breaks, ==, 1);
    g_assert_true(chardev_remove(mux, NULL));
    g_assert_null(chardev_find(f->set, "b"));
    g_assert_null(chardev_find(f->set, "b-base"));
    mux = chardev_create(f->set, "null,id=b,mux=on", NULL);
    chardev_set_client(chardev_claim(mux, NULL), &sink_client, &sink);
    g_assert_false(chardev_remove(mux, NULL));
    g_assert_false(chardev_remove(chardev_find(f->set, "b-base"), NULL));
    g_assert_false(chardev_remove(chardev_find(f->set, "b-0"), NULL));
    chardev_send_break(mux);
    g_assert_cmpuint(sink.breaks, ==, 2);
    chardev_set_client(plain, NULL, NULL);
    chardev_set_client(chardev_find(f->set, "b-0"), NULL, NULL);
    sink_clear(&sink);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, fn) g_test_add("/chardev/" path, Fixture, NULL, setup, fn, teardown)
    ADD("errors", test_errors);
    ADD("file", test_file);
    ADD("unix-server", test_unix_server);
    ADD("unix-stale", test_unix_stale);
    ADD("inherited", test_inherited);
    ADD("tcp", test_tcp);
    ADD("reconnect", test_reconnect);
    ADD("wait", test_wait);
    ADD("mux", test_mux);
    ADD("mux-help", test_mux_help);
    ADD("mux-stamps", test_mux_stamps);
    ADD("room", test_room);
    ADD("slow-reader", test_slow_reader);
    ADD("pty", test_pty);
    ADD("ringbuf", test_ringbuf);
    ADD("remove", test_remove);
    return g_test_run();
}
