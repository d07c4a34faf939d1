/*
 * Networks through sockets of the host: each way of naming the ends, order and completeness while an end is slow, ends that
 * come and go, streams that are no networks, descriptors, options.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "net-ends.h"
#include "util/host-socket.h"

static char *folder;

static char *in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

/* A port that nobody has now. */
static unsigned free_port(int type)
{
    int fd = type == SOCK_STREAM ? host_socket_listen_tcp("127.0.0.1", "0", NULL)
                                 : host_socket_bind_udp("127.0.0.1", "0", NULL);
    unsigned port = host_socket_port(fd);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    return port;
}

/* As an inherited one is. */
static int leave_open(int fd)
{
    fcntl(fd, F_SETFD, 0);
    return fd;
}

static void check_pair(const char *a_options, const char *b_options)
{
    GMainContext *context = g_main_context_new();
    End a, b;

    end_open(&a, NULL, context, a_options);
    end_open(&b, NULL, context, b_options);
    run_for(context, 20);     /* the server has accepted */
    check_joined(&a, &b);
    end_free(&b);
    end_free(&a);
    g_main_context_unref(context);
}

/* ---- ways to name the ends ---- */

static void test_socket_tcp(void)
{
    unsigned port = free_port(SOCK_STREAM);
    g_autofree char *a = g_strdup_printf("socket,id=n,listen=127.0.0.1:%u", port);
    g_autofree char *b = g_strdup_printf("socket,id=n,connect=127.0.0.1:%u", port);

    check_pair(a, b);
}

static void test_stream_inet(void)
{
    unsigned port = free_port(SOCK_STREAM);
    g_autofree char *a = g_strdup_printf("stream,id=n,server=on,addr.type=inet,addr.host=localhost,addr.port=%u", port);
    g_autofree char *b = g_strdup_printf("stream,id=n,addr.type=inet,addr.host=localhost,addr.port=%u", port);

    check_pair(a, b);
}

static void test_stream_unix(void)
{
    g_autofree char *path = in_folder("stream");
    g_autofree char *a = g_strdup_printf("stream,id=n,server=on,addr.type=unix,addr.path=%s", path);
    g_autofree char *b = g_strdup_printf("stream,id=n,addr.type=unix,addr.path=%s", path);

    check_pair(a, b);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void test_udp(void)
{
    unsigned one = free_port(SOCK_DGRAM), two = free_port(SOCK_DGRAM);
    g_autofree char *a = g_strdup_printf("socket,id=n,udp=127.0.0.1:%u,localaddr=127.0.0.1:%u", one, two);
    g_autofree char *b = g_strdup_printf("dgram,id=n,remote.type=inet,remote.host=127.0.0.1,remote.port=%u,"
                                         "local.type=inet,local.host=127.0.0.1,local.port=%u", two, one);

    check_pair(a, b);
}

static void test_dgram_unix(void)
{
    g_autofree char *one = in_folder("one"), *two = in_folder("two");
    g_autofree char *a = g_strdup_printf("dgram,id=n,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s", one, two);
    g_autofree char *b = g_strdup_printf("dgram,id=n,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s", two, one);

    check_pair(a, b);
    g_assert_false(g_file_test(one, G_FILE_TEST_EXISTS));
}

static void test_fd(void)
{
    static const int types[] = { SOCK_STREAM, SOCK_DGRAM };

    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        g_autofree char *a = NULL, *b = NULL;
        int fds[2];

        g_assert_cmpint(socketpair(AF_UNIX, types[i], 0, fds), ==, 0);
        a = g_strdup_printf("socket,id=n,fd=%d", fds[0]);
        b = g_strdup_printf(types[i] == SOCK_STREAM ? "stream,id=n,addr.type=fd,addr.str=%d"
                                                    : "dgram,id=n,local.type=fd,local.str=%d", fds[1]);
        check_pair(a, b);
    }
}

static void test_fd_listener(void)
{
    g_autofree char *path = in_folder("listener");
    int fd = leave_open(host_socket_listen_unix(path, NULL));
    g_autofree char *a = g_strdup_printf("stream,id=n,server=on,addr.type=fd,addr.str=%d", fd);
    g_autofree char *b = g_strdup_printf("stream,id=n,addr.type=unix,addr.path=%s", path);

    check_pair(a, b);
}

/* Three in a group: each hears the others, and not itself. */
static void test_group(void)
{
    GMainContext *context = g_main_context_new();
    unsigned port = free_port(SOCK_DGRAM);
    g_autofree char *options = g_strdup_printf("socket,id=n,mcast=230.0.0.1:%u,localaddr=127.0.0.1", port);
    g_autofree char *third = g_strdup_printf("dgram,id=n,remote.type=inet,remote.host=230.0.0.1,remote.port=%u,"
                                             "local.type=inet,local.host=127.0.0.1", port);
    End ends[3];

    for (unsigned i = 0; i < 3; i++) {
        end_open(&ends[i], NULL, context, i == 2 ? third : options);
    }
    for (unsigned i = 0; i < 3; i++) {
        send_frame(&ends[i], i, FRAME_BYTES);
    }
    for (unsigned i = 0; i < 3; i++) {
        expect_frames(&ends[i], 2);
    }
    run_for(context, 50);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpuint(ends[i].frames->len, ==, 2);
        end_free(&ends[i]);
    }
    g_main_context_unref(context);
}

/* ---- slow ends ---- */

#define MANY 4000

/* Nothing is lost or out of order, however long the other one takes nothing. */
static void check_slow(int type)
{
    GMainContext *context = g_main_context_new();
    End a, b;

    ends_open(&a, &b, context, type);
    b.stuck = true;
    for (unsigned i = 0; i < MANY; i++) {
        send_frame(&a, i, 14 + i % 1500);
        if (i % 100 == 0) {
            run_for(context, 1);
        }
    }
    run_for(context, 50);
    g_assert_cmpuint(b.frames->len, ==, 0);
    b.stuck = false;
    netdev_accept(b.n);
    expect_frames(&b, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        check_frame(&b, i, i, 14 + i % 1500);
    }
    check_joined(&a, &b);
    end_free(&b);
    end_free(&a);
    g_main_context_unref(context);
}

static void test_slow(void)
{
    check_slow(SOCK_STREAM);
    check_slow(SOCK_DGRAM);
}

/* Of an end that takes nothing at all, the newest frames are lost, and nobody waits. */
static void test_stuck(void)
{
    GMainContext *context = g_main_context_new();
    const unsigned frames = NETDEV_MAX_QUEUE / 60000 + 200;
    unsigned got;
    End a, b;

    ends_open(&a, &b, context, SOCK_STREAM);
    b.stuck = true;
    for (unsigned i = 0; i < frames; i++) {
        send_frame(&a, i, 60000);
    }
    b.stuck = false;
    netdev_accept(b.n);
    run_for(context, 500);
    got = b.frames->len;
    g_assert_cmpuint(got, >, NETDEV_MAX_QUEUE / 60000 - 2);
    g_assert_cmpuint(got, <, frames);
    for (unsigned i = 0; i < got; i++) {
        check_frame(&b, i, i, 60000);
    }
    check_joined(&a, &b);
    end_free(&b);
    end_free(&a);
    g_main_context_unref(context);
}

/* ---- ends that come and go ---- */

static void test_next_client(void)
{
    GMainContext *context = g_main_context_new();
    g_autofree char *path = in_folder("next");
    g_autofree char *server = g_strdup_printf("stream,id=n,server=on,addr.type=unix,addr.path=%s", path);
    g_autofree char *client = g_strdup_printf("stream,id=n,addr.type=unix,addr.path=%s", path);
    End a, b;

    end_open(&a, NULL, context, server);
    for (unsigned i = 0; i < 3; i++) {
        /* Without another end frames are lost. */
        send_frame(&a, 99, FRAME_BYTES);
        run_for(context, 10);
        end_open(&b, NULL, context, client);
        run_for(context, 20);
        check_joined(&a, &b);
        g_assert_cmpuint(b.frames->len, ==, 1);
        end_free(&b);
        run_for(context, 10);
    }
    end_free(&a);
    g_main_context_unref(context);
}

/* A client that tries again finds the server that comes later, and the one after that. */
static void test_reconnect(void)
{
    GMainContext *context = g_main_context_new();
    g_autofree char *path = in_folder("again");
    g_autofree char *server = g_strdup_printf("stream,id=n,server=on,addr.type=unix,addr.path=%s", path);
    g_autofree char *client = g_strdup_printf("stream,id=n,addr.type=unix,addr.path=%s,reconnect-ms=10", path);
    End a, b;

    end_open(&b, NULL, context, client);
    run_for(context, 30);
    for (unsigned i = 0; i < 2; i++) {
        end_open(&a, NULL, context, server);
        run_for(context, 100);
        check_joined(&a, &b);
        end_free(&a);
        run_for(context, 30);
    }
    end_free(&b);
    g_main_context_unref(context);
}

/* An end that announces a frame longer than any is no network: the connection ends. */
static void test_not_a_network(void)
{
    GMainContext *context = g_main_context_new();
    g_autofree char *path = in_folder("http");
    g_autofree char *server = g_strdup_printf("stream,id=n,server=on,addr.type=unix,addr.path=%s", path);
    char c;
    End a;
    int fd;

    end_open(&a, NULL, context, server);
    fd = host_socket_connect_unix(path, 0, NULL);
    g_assert_cmpint(send(fd, "GET / HTTP/1.0\r\n\r\n", 18, 0), ==, 18);
    run_for(context, 50);
    g_assert_cmpint(recv(fd, &c, 1, MSG_DONTWAIT), ==, 0);
    close(fd);
    /* The next one may be one. */
    fd = host_socket_connect_unix(path, 0, NULL);
    g_assert_cmpint(send(fd, "\0\0\0\x0e" "0123456789abcd" "\0\0\0\x0d" "too short....", 36 - 1, 0), ==, 35);
    expect_frames(&a, 1);
    run_for(context, 20);
    g_assert_cmpuint(a.frames->len, ==, 1);
    close(fd);
    end_free(&a);
    g_main_context_unref(context);
}

/* ---- what is refused ---- */

static void test_options(void)
{
    static const struct {
        const char *options, *message;
    } bad[] = {
        { "socket,id=n", "needs one of fd=N, listen=" },
        { "socket,id=n,listen=:1,connect=:2", "listen= and connect= are two networks" },
        { "socket,id=n,fd=5,listen=:1", "needs one of fd=N, listen=" },
        { "socket,id=n,listen=4444", "listen=4444: expected [HOST]:PORT" },
        { "socket,id=n,listen=:70000", "listen=:70000: expected [HOST]:PORT" },
        { "socket,id=n,fd=2", "fd=2: expected the number of an inherited descriptor, 3 or more" },
        { "socket,id=n,fd=net0", "fd=net0: expected the number" },
        { "socket,id=n,mcast=10.0.0.1:1", "'10.0.0.1' is no group of IPv4" },
        { "socket,id=n,udp=127.0.0.1:1", "this end has to be named, too" },
        { "socket,id=n,listen=:1,localaddr=127.0.0.1", "localaddr=127.0.0.1 goes with mcast= and udp=" },
        { "socket,id=n,listen=:1,lissten=:2", "lissten" },
        { "stream,id=n", "-netdev stream needs addr.type=inet" },
        { "stream,id=n,addr.type=ipx", "addr.type=ipx: there are inet, unix and fd" },
        { "stream,id=n,addr.type=unix", "addr.type=unix: expected addr.path=" },
        { "stream,id=n,addr.type=fd", "addr.type=fd: expected addr.str=" },
        { "stream,id=n,addr.type=inet,addr.host=h", "-netdev stream needs addr.type=inet" },
        { "stream,id=n,addr.type=inet,addr.host=h,addr.port=http", "expected addr.host=HOST,addr.port=NUMBER" },
        { "stream,id=n,server=on,addr.type=unix,addr.path=p,reconnect=1", "reconnect= is for clients, not with server=on" },
        { "stream,id=n,addr.type=unix,addr.path=p,reconnect=4000", "is at most an hour" },
        { "dgram,id=n", "there is neither an end here nor another one" },
        { "dgram,id=n,remote.type=fd,remote.str=5", "local.type=fd,local.str=N" },
        { "dgram,id=n,remote.type=inet,remote.host=h,remote.port=1", "this end has to be named, too" },
        { "dgram,id=n,remote.type=inet,remote.host=230.0.0.1", "the other end '230.0.0.1' needs a port" },
        { "dgram,id=n,local.type=inet,local.host=h", "the end here, 'h', needs a port" },
        { "dgram,id=n,local.type=unix,local.path=p,remote.type=inet,remote.host=h,remote.port=1", "have to be of one type" },
        { "dgram,id=n,local.type=inet,local.host=h,local.port=1,remote.type=inet,remote.host=230.0.0.1,remote.port=1",
          "without a port" },
    };
    NetSet *set = net_set_new(NULL);

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        Error *err = NULL;

        g_assert_null(netdev_create(set, bad[i].options, &err));
        if (!strstr(error_get_pretty(err), bad[i].message)) {
            g_error("%s: %s", bad[i].options, error_get_pretty(err));
        }
        error_free(err);
    }
    net_set_free(set);
}

static void check_no_start(const char *options, const char *message)
{
    NetSet *set = net_set_new(NULL);
    Netdev *n = netdev_create(set, options, NULL);
    Error *err = NULL;

    g_assert_nonnull(n);
    g_assert_false(netdev_start(n, &err));
    if (!strstr(error_get_pretty(err), message)) {
        g_error("%s: %s", options, error_get_pretty(err));
    }
    error_free(err);
    net_set_free(set);
}

static void test_no_start(void)
{
    g_autofree char *tcp = g_strdup_printf("socket,id=n,connect=127.0.0.1:%u", free_port(SOCK_STREAM));
    g_autofree char *own = NULL, *wrong = NULL, *silent = NULL;
    int fds[2];

    check_no_start(tcp, "cannot connect to '127.0.0.1:");
    check_no_start("stream,id=n,addr.type=unix,addr.path=/nowhere/s", "cannot connect to '/nowhere/s'");
    check_no_start("socket,id=n,mcast=230.0.0.1:4444,localaddr=here", "'here' is no IPv4 address");
    check_no_start("socket,id=n,fd=1000", "no such descriptor");
    /* One of the program's own. */
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    own = g_strdup_printf("socket,id=n,fd=%d", fds[0]);
    check_no_start(own, "no such descriptor");
    leave_open(fds[0]);
    wrong = g_strdup_printf("dgram,id=n,local.type=fd,local.str=%d", fds[0]);
    check_no_start(wrong, "is a socket of another type: expected datagrams");
    silent = g_strdup_printf("stream,id=n,server=on,addr.type=fd,addr.str=%d", fds[0]);
    check_no_start(silent, "a socket that does not listen");
    close(fds[1]);
}

int main(int argc, char **argv)
{
    int result;

    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("rearm-test-net-XXXXXX", NULL);
    g_assert_nonnull(folder);
    g_test_add_func("/net-socket/socket-tcp", test_socket_tcp);
    g_test_add_func("/net-socket/stream-inet", test_stream_inet);
    g_test_add_func("/net-socket/stream-unix", test_stream_unix);
    g_test_add_func("/net-socket/udp", test_udp);
    g_test_add_func("/net-socket/dgram-unix", test_dgram_unix);
    g_test_add_func("/net-socket/fd", test_fd);
    g_test_add_func("/net-socket/fd-listener", test_fd_listener);
    g_test_add_func("/net-socket/group", test_group);
    g_test_add_func("/net-socket/slow", test_slow);
    g_test_add_func("/net-socket/stuck", test_stuck);
    g_test_add_func("/net-socket/next-client", test_next_client);
    g_test_add_func("/net-socket/reconnect", test_reconnect);
    g_test_add_func("/net-socket/not-a-network", test_not_a_network);
    g_test_add_func("/net-socket/options", test_options);
    g_test_add_func("/net-socket/no-start", test_no_start);
    result = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    return result;
}
