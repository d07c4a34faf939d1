/*
 * Interfaces of the host, and hubs: a descriptor in the place of an interface, a helper that gives one, scripts; a real
 * interface where this process may make one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "net-ends.h"

static char *self;                 /* this program, which is a helper if it is asked to be */

/* ---- in the place of an interface ---- */

static void test_fd(void)
{
    GMainContext *context = g_main_context_new();
    g_autofree char *options = NULL, *other = NULL;
    int fds[2];
    End a, b;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), ==, 0);
    options = g_strdup_printf("tap,id=n,fd=%d", fds[0]);
    other = g_strdup_printf("dgram,id=n,local.type=fd,local.str=%d", fds[1]);
    end_open(&a, NULL, context, options);
    end_open(&b, NULL, context, other);
    check_joined(&a, &b);
    end_free(&b);
    end_free(&a);
    g_main_context_unref(context);
}

/* ---- the helper ---- */

/* One end of a pair goes to who asked; what comes in at the other is sent back, until that is closed. */
static int be_helper(int argc, char **argv)
{
    int fd = atoi(argv[1] + strlen("--fd=")), pair[2];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    char byte = 0;
    struct iovec iov = { &byte, 1 };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
                              .msg_controllen = sizeof(control.bytes) };
    struct cmsghdr *h = CMSG_FIRSTHDR(&message);

    if (argc != 3 || strcmp(argv[2], "--br=br7") || socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0) {
        return 1;
    }
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(h), &pair[0], sizeof(int));
    /* What a frame would be is in the pair already. */
    if (send(pair[1], "a frame of the helper", 21, 0) != 21) {
        return 1;
    }
    return sendmsg(fd, &message, 0) == 1 ? 0 : 1;
}

static void test_helper(void)
{
    static const char *const kinds[] = { "tap", "bridge" };

    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        GMainContext *context = g_main_context_new();
        g_autofree char *options = g_strdup_printf("%s,id=n,helper=%s,br=br7", kinds[i], self);
        End e;

        end_open(&e, NULL, context, options);
        expect_frames(&e, 1);
        g_assert_cmpuint(g_bytes_get_size(g_ptr_array_index(e.frames, 0)), ==, 21);
        end_free(&e);
        g_main_context_unref(context);
    }
}

/* ---- a real one ---- */

/* A socket on the host's side; -1: the interface cannot be used like that here. */
static int host_side(const char *ifname)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(0x88b5));
    struct sockaddr_ll addr = { .sll_family = AF_PACKET, .sll_protocol = htons(0x88b5) };
    struct ifreq request = { .ifr_flags = 0 };

    g_strlcpy(request.ifr_name, ifname, sizeof(request.ifr_name));
    if (fd < 0 || ioctl(fd, SIOCGIFINDEX, &request) < 0) {
        return -1;
    }
    addr.sll_ifindex = request.ifr_ifindex;
    request.ifr_flags = IFF_UP;
    if (ioctl(fd, SIOCSIFFLAGS, &request) < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
        return -1;
    }
    return fd;
}

static void check_frames(End *e, int fd)
{
    /* An EtherType for experiments. */
    uint8_t frame[100] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5 }, back[200];
    gint64 end = g_get_monotonic_time() + DEADLINE_US;
    ssize_t n = -1;

    netdev_send(e->n, frame, sizeof(frame));
    while (n < 0 && g_get_monotonic_time() < end) {
        run_for(e->context, 5);
        n = recv(fd, back, sizeof(back), MSG_DONTWAIT);
    }
    g_assert_cmpint(n, ==, sizeof(frame));
    g_assert_cmpmem(back, n, frame, sizeof(frame));
    /* The kernel says things of its own there, too. */
    frame[20] = 1;
    g_assert_cmpint(send(fd, frame, sizeof(frame), 0), ==, sizeof(frame));
    while (g_get_monotonic_time() < end) {
        run_for(e->context, 5);
        for (unsigned i = 0; i < e->frames->len; i++) {
            GBytes *got = g_ptr_array_index(e->frames, i);

            if (g_bytes_get_size(got) == sizeof(frame) && !memcmp(g_bytes_get_data(got, NULL), frame, sizeof(frame))) {
                return;
            }
        }
    }
    g_assert_not_reached();
}

static void test_interface(void)
{
    GMainContext *context = g_main_context_new();
    g_autofree char *ifname = g_strdup_printf("rt%d", (int)getpid());
    g_autofree char *note = g_strdup_printf("%s/rearm-tap-%d", g_get_tmp_dir(), (int)getpid());
    g_autofree char *up = g_strdup_printf("%s-up", note), *down = g_strdup_printf("%s-down", note);
    g_autofree char *script = g_strdup_printf("#!/bin/sh\nprintf %%s \"$0 $1\" > %s\n", note);
    g_autofree char *options = g_strdup_printf("tap,id=n,ifname=%s,script=%s,downscript=%s", ifname, up, down);
    g_autofree char *ran = NULL, *expected = NULL;
    Error *err = NULL;
    End e;
    int fd;

    g_assert_true(g_file_set_contents(up, script, -1, NULL) && g_file_set_contents(down, script, -1, NULL));
    g_chmod(up, 0700);
    g_chmod(down, 0700);
    end_make(&e, NULL, context, options);
    if (!netdev_start(e.n, &err)) {
        g_test_skip(error_get_pretty(err));
        error_free(err);
    } else {
        fd = host_side(ifname);
        g_assert_true(g_file_get_contents(note, &ran, NULL, NULL));
        expected = g_strdup_printf("%s %s", up, ifname);
        g_assert_cmpstr(ran, ==, expected);
        if (fd >= 0) {
            check_frames(&e, fd);
            close(fd);
        }
    }
    end_free(&e);
    if (expected) {
        g_autofree char *last = NULL, *expected_last = g_strdup_printf("%s %s", down, ifname);

        g_assert_true(g_file_get_contents(note, &last, NULL, NULL));
        g_assert_cmpstr(last, ==, expected_last);
    }
    g_unlink(note);
    g_unlink(up);
    g_unlink(down);
    g_main_context_unref(context);
}

/* ---- hubs ---- */

/* Two cards and a network behind: each gets what the others send, and not its own. */
static void test_hub(void)
{
    GMainContext *context = g_main_context_new();
    NetSet *set = net_set_new(context);
    g_autofree char *behind = NULL, *other = NULL;
    End a, b, far, elsewhere;
    Error *err = NULL;
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), ==, 0);
    behind = g_strdup_printf("dgram,id=far,local.type=fd,local.str=%d", fds[0]);
    other = g_strdup_printf("dgram,id=n,local.type=fd,local.str=%d", fds[1]);
    end_open(&far, NULL, context, other);
    end_make(&a, set, context, "hubport,id=a,hubid=1");
    g_assert_nonnull(netdev_create(set, behind, NULL));
    g_assert_nonnull(netdev_create(set, "hubport,id=c,hubid=1,netdev=far", NULL));
    end_make(&b, set, context, "hubport,id=b,hubid=1");
    end_make(&elsewhere, set, context, "hubport,id=d,hubid=2");
    /* A card starts its back end; with it comes what is behind the hub. */
    g_assert_true(netdev_start(a.n, NULL) && netdev_start(b.n, NULL) && netdev_start(elsewhere.n, NULL));
    g_assert_true(netdev_is_started(netdev_find(set, "far")));
    send_frame(&a, 1, FRAME_BYTES);
    expect_frames(&b, 1);
    expect_frames(&far, 1);
    send_frame(&far, 2, FRAME_BYTES);
    expect_frames(&a, 1);
    expect_frames(&b, 2);
    check_frame(&a, 0, 2, FRAME_BYTES);
    /* While one takes nothing, what comes in waits; nothing is lost. */
    b.stuck = true;
    for (unsigned i = 0; i < 500; i++) {
        send_frame(&far, i, FRAME_BYTES);
    }
    run_for(context, 50);
    g_assert_cmpuint(a.frames->len, ==, 1);
    b.stuck = false;
    netdev_accept(b.n);
    expect_frames(&a, 501);
    expect_frames(&b, 502);
    g_assert_cmpuint(elsewhere.frames->len, ==, 0);
    /* What is behind is in use until its plug goes. */
    g_assert_false(netdev_remove(netdev_find(set, "far"), &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "network back end 'far' is in use by 'hubport 'c''");
    error_free(err);
    g_assert_true(netdev_remove(netdev_find(set, "c"), NULL) && netdev_remove(netdev_find(set, "far"), NULL));
    end_free(&far);
    net_set_free(set);
    for (End **e = (End *[]){ &a, &b, &elsewhere, NULL }; *e; e++) {
        g_ptr_array_unref((*e)->frames);
    }
    g_main_context_unref(context);
}

/* ---- what is refused ---- */

static void test_options(void)
{
    static const struct {
        const char *options, *message;
    } bad[] = {
        { "tap,id=x,vhost=on", "vhost=on: the card is in this process" },
        { "tap,id=x,fds=3:4", "fds=: a card has one pair of queues" },
        { "tap,id=x,fd=3,ifname=t", "ifname= does not go with fd=" },
        { "tap,id=x,helper=/h,script=no", "script= does not go with helper=" },
        { "tap,id=x,br=br0", "it is helper=PROGRAM that puts an interface on a bridge" },
        { "tap,id=x,ifname=a-very-long-name", "expected 1 to 15 characters" },
        { "hubport,id=x", "needs the number of its hub" },
        { "hubport,id=x,hubid=many", "hubid" },
        { "hubport,id=x,hubid=1,netdev=nobody", "there is no network back end 'nobody'" },
        { "hubport,id=x,hubid=1,netdev=plug", "that is a plug of a hub itself" },
        { "vde,id=x", "-netdev vde: such a network back end is not there yet" },
        { "tep,id=x", "there is no such network back end; there are: bridge, dgram, hubport" },
    };
    static const struct {
        const char *options, *message;
    } no_start[] = {
        { "tap,id=x,fd=1000", "no such descriptor" },
        { "tap,id=x,helper=/bin/true,br=br7", "helper=/bin/true has given no interface on the bridge 'br7'" },
        { "bridge,id=x,helper=/nowhere/helper", "helper=/nowhere/helper: " },
    };
    NetSet *set = net_set_new(NULL);

    g_assert_nonnull(netdev_create(set, "hubport,id=plug,hubid=3", NULL));
    for (unsigned i = 0; i < ARRAY_SIZE(bad) + ARRAY_SIZE(no_start); i++) {
        bool created = i >= ARRAY_SIZE(bad);
        const char *options = created ? no_start[i - ARRAY_SIZE(bad)].options : bad[i].options;
        const char *message = created ? no_start[i - ARRAY_SIZE(bad)].message : bad[i].message;
        Error *err = NULL;
        Netdev *n = netdev_create(set, options, &err);

        if (created) {
            g_assert_false(netdev_start(n, &err));
            g_assert_true(netdev_remove(n, NULL));
        }
        if (!err || !strstr(error_get_pretty(err), message)) {
            g_error("%s: %s", options, err ? error_get_pretty(err) : "no error");
        }
        error_free(err);
    }
    net_set_no_spawn(set);
    g_assert_nonnull(netdev_create(set, "bridge,id=late", NULL));
    g_assert_false(netdev_start(netdev_find(set, "late"), NULL));
    net_set_free(set);
}

int main(int argc, char **argv)
{
    if (argc > 1 && g_str_has_prefix(argv[1], "--fd=")) {
        return be_helper(argc, argv);
    }
    g_test_init(&argc, &argv, NULL);
    self = g_file_read_link("/proc/self/exe", NULL);
    g_test_add_func("/net-tap/fd", test_fd);
    g_test_add_func("/net-tap/helper", test_helper);
    g_test_add_func("/net-tap/interface", test_interface);
    g_test_add_func("/net-tap/hub", test_hub);
    g_test_add_func("/net-tap/options", test_options);
    return g_test_run();
}
