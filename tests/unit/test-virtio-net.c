/*
 * virtio-net behind virtio-mmio: frames in both directions, over several buffers, filters, commands, offloads, the link,
 * states in the middle, broken drivers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/virtio/virtio-net.h"
#include "net/net-int.h"
#include "net/net-port.h"
#include "replay/replay.h"
#include "virtio-driver.h"

enum { RX, TX, CTRL, QUEUES };

#define NUM 16
#define BUFFERS(q) (BUFFER_BASE + (q) * 0x10000ull)
#define SLOT 0x800u
#define HEADER 12
#define F_MRG_RXBUF (1u << 15)
#define F_CTRL (1u << 17 | 1u << 18 | 1u << 19 | 1u << 20 | 1u << 23)
#define F_STATUS (1u << 16)
#define F_CSUM 1u

static const uint8_t card[] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

typedef struct Fixture {
    Driver d[QUEUES];
    Replay *replay;
    NetSet *net;
    uint64_t position;
    GPtrArray *sent;              /* GBytes */
} Fixture;

static uint64_t position(void *opaque)
{
    return ((Fixture *)opaque)->position++;
}

static void tap(void *opaque, bool from_guest, bool is_new, const uint8_t *frame, size_t length)
{
    if (from_guest) {
        g_ptr_array_add(((Fixture *)opaque)->sent, g_bytes_new(frame, length));
    }
}

static void start(Fixture *f, uint32_t features)
{
    driver_start_modern(&f->d[0], features, NUM);
    driver_start_more(f->d, QUEUES);
}

static const DeviceType *const types[] = { &virtio_mmio_type, &virtio_net_type, NULL };

static void setup(Fixture *f, const char *device, uint32_t features)
{
    ReplayConfig config = { .mode = REPLAY_MODE_NONE };
    ReplayHost host = { .position = position, .opaque = f };
    Machine *m;

    *f = (Fixture){ .sent = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref) };
    f->replay = replay_new(&config, NULL);
    driver_init_machine(&f->d[0], f->replay);
    m = f->d[0].m;
    m->net = f->net = net_set_new(NULL);
    g_assert_nonnull(netdev_create(f->net, "user,id=n", NULL));
    driver_add_transport(&f->d[0], MMIO_BASE, false, NULL, NULL);
    m->device_types = types;
    g_assert_true(device_plug(m, device, NULL));
    f->d[0].v = container_of(machine_find_device(m, "card"), VirtioDevice, dev);
    net_port_add_tap(g_ptr_array_index(m->net_ports, 0), tap, f);
    replay_set_host(f->replay, &host);
    g_assert_true(replay_start(f->replay, NULL));
    machine_reset_devices(m);
    start(f, features);
}

static void end(Fixture *f)
{
    driver_free(&f->d[0]);
    net_set_free(f->net);
    replay_free(f->replay);
    g_ptr_array_unref(f->sent);
}

static void kick_queue(Fixture *f, unsigned q)
{
    reg_write(&f->d[0], 0x50, q);
}

/* `count` buffers of `length` bytes for frames. */
static void give(Fixture *f, unsigned count, uint32_t length)
{
    Driver *d = &f->d[RX];

    for (unsigned i = 0; i < count; i++) {
        uint16_t head = d->avail_idx % NUM;

        put_desc(d, d->desc, head, BUFFERS(RX) + head * SLOT, length, DESC_WRITE, 0);
        make_available(d, head);
    }
    kick_queue(f, RX);
}

/* A frame to `to` with so many bytes, from outside. */
static void arrive(Fixture *f, const uint8_t *to, size_t length)
{
    g_autofree uint8_t *frame = g_malloc(length);

    for (size_t i = 0; i < length; i++) {
        frame[i] = (uint8_t)(i * 3);
    }
    memcpy(frame, to, 6);
    netdev_receive(netdev_find(f->net, "n"), frame, length);
    replay_safe_point(f->replay);
}

static unsigned received(Fixture *f)
{
    return used_index(&f->d[RX]);
}

static void send_frame(Fixture *f, const uint8_t *header, size_t header_bytes, const uint8_t *frame, size_t length)
{
    Driver *d = &f->d[TX];
    uint16_t head = d->avail_idx % NUM;
    hwaddr at = BUFFERS(TX) + head * SLOT;

    g_assert_true(memory_write(d->m->memory, at, header, header_bytes));
    g_assert_true(memory_write(d->m->memory, at + header_bytes, frame, length));
    put_desc(d, d->desc, head, at, (uint32_t)(header_bytes + length), 0, 0);
    make_available(d, head);
    kick_queue(f, TX);
}

/* Its result. */
static uint8_t command(Fixture *f, uint8_t class_, uint8_t what, const void *data, size_t length)
{
    Driver *d = &f->d[CTRL];
    uint16_t head = 0;
    uint8_t bytes[600] = { class_, what }, ack = 99;

    memcpy(bytes + 2, data, length);
    g_assert_true(memory_write(d->m->memory, BUFFERS(CTRL), bytes, length + 2));
    put_desc(d, d->desc, head, BUFFERS(CTRL), (uint32_t)length + 2, DESC_NEXT, 1);
    put_desc(d, d->desc, 1, BUFFERS(CTRL) + 0x1000, 1, DESC_WRITE, 0);
    make_available(d, head);
    kick_queue(f, CTRL);
    g_assert_true(memory_read(d->m->memory, BUFFERS(CTRL) + 0x1000, &ack, 1));
    return ack;
}

/* ---- */

static void test_receive(void)
{
    Fixture f;
    uint8_t got[200];

    setup(&f, "virtio-net-device,id=card,netdev=n", 0);
    /* There is no buffer yet: it waits in the port, and what comes behind it waits, too. */
    arrive(&f, card, 100);
    arrive(&f, card, 60);
    g_assert_cmpuint(received(&f), ==, 0);
    give(&f, 2, 200);
    g_assert_cmpuint(received(&f), ==, 2);
    g_assert_cmpuint(used_length(&f.d[RX], 0), ==, HEADER + 100);
    g_assert_cmpuint(used_length(&f.d[RX], 1), ==, HEADER + 60);
    g_assert_true(memory_read(f.d[0].m->memory, BUFFERS(RX), got, sizeof(got)));
    g_assert_cmpmem(got, HEADER, "\0\0\0\0\0\0\0\0\0\0\1\0", HEADER);
    g_assert_cmpmem(got + HEADER, 6, card, 6);
    g_assert_cmphex(got[HEADER + 99], ==, (uint8_t)(99 * 3));
    end(&f);
}

/* 5.1.6.4: a frame over several buffers, or not at all yet. */
static void test_merged(void)
{
    Fixture f;
    uint8_t count[2];

    setup(&f, "virtio-net-device,id=card,netdev=n", F_MRG_RXBUF);
    give(&f, 2, 100);
    arrive(&f, card, 250);
    g_assert_cmpuint(received(&f), ==, 0);
    give(&f, 1, 100);
    g_assert_cmpuint(received(&f), ==, 3);
    g_assert_true(memory_read(f.d[0].m->memory, BUFFERS(RX) + 10, count, 2));
    g_assert_cmpuint(count[0], ==, 3);
    g_assert_cmpuint(used_length(&f.d[RX], 0), ==, 100);
    g_assert_cmpuint(used_length(&f.d[RX], 1), ==, 100);
    g_assert_cmpuint(used_length(&f.d[RX], 2), ==, HEADER + 250 - 200);
    end(&f);
}

static void test_transmit(void)
{
    static const uint8_t header[HEADER] = { 0 };
    uint8_t frame[1514] = { 1, 2, 3 }, sum[HEADER] = { 1, 0, 0, 0, 0, 0, 14, 0, 10, 0 };
    Fixture f;

    setup(&f, "virtio-net-device,id=card,netdev=n", F_CSUM);
    send_frame(&f, header, HEADER, frame, sizeof(frame));
    send_frame(&f, header, HEADER, frame, NET_MIN_FRAME - 1);
    send_frame(&f, header, HEADER - 2, frame, 0);
    g_assert_cmpuint(f.sent->len, ==, 1);
    g_assert_cmpuint(g_bytes_get_size(f.sent->pdata[0]), ==, sizeof(frame));
    g_assert_cmpuint(used_index(&f.d[TX]), ==, 3);
    /* A checksum, and segments that were not agreed on. */
    send_frame(&f, sum, HEADER, frame, 100);
    g_assert_cmpuint(f.sent->len, ==, 2);
    g_assert_cmphex(((const uint8_t *)g_bytes_get_data(f.sent->pdata[1], NULL))[24], ==, 0xff);
    sum[1] = 1;
    send_frame(&f, sum, HEADER, frame, 100);
    g_assert_cmpuint(f.sent->len, ==, 2);
    end(&f);
}

static bool passes(Fixture *f, const uint8_t *to)
{
    unsigned before = received(f);

    arrive(f, to, 60);
    return received(f) > before;
}

static void test_filters(void)
{
    static const uint8_t other[] = { 2, 0, 0, 0, 0, 1 }, group[] = { 1, 0, 0, 0, 0, 1 }, all[] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    static const uint8_t tables[] = { 1, 0, 0, 0, 2, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1 };
    static const uint8_t off = 0, on = 1;
    Fixture f;

    setup(&f, "virtio-net-device,id=card,netdev=n", F_CTRL);
    give(&f, NUM, 200);
    g_assert_true(passes(&f, other));
    g_assert_cmpuint(command(&f, 0, 0, &off, 1), ==, 0);
    g_assert_false(passes(&f, other));
    g_assert_false(passes(&f, group));
    g_assert_true(passes(&f, card));
    g_assert_true(passes(&f, all));
    g_assert_cmpuint(command(&f, 1, 0, tables, sizeof(tables)), ==, 0);
    g_assert_true(passes(&f, other));
    g_assert_true(passes(&f, group));
    g_assert_cmpuint(command(&f, 0, 3, &on, 1), ==, 0);     /* no multicast */
    g_assert_false(passes(&f, group));
    g_assert_cmpuint(command(&f, 1, 1, group, 6), ==, 0);   /* another address */
    g_assert_false(passes(&f, card));
    /* Commands that there are not, and tables that end too early. */
    g_assert_cmpuint(command(&f, 1, 0, tables, sizeof(tables) - 1), ==, 1);
    g_assert_cmpuint(command(&f, 0, 6, &on, 1), ==, 1);
    g_assert_cmpuint(command(&f, 0, 0, tables, 2), ==, 1);
    g_assert_cmpuint(command(&f, 9, 0, &on, 1), ==, 1);
    g_assert_cmpuint(command(&f, 2, 0, "\x00\x10", 2), ==, 1);
    g_assert_cmpuint(command(&f, 2, 0, "\x05\x00", 2), ==, 0);
    end(&f);
}

static void test_link(void)
{
    Fixture f;
    NetPort *port;

    setup(&f, "virtio-net-device,id=card,netdev=n", F_STATUS);
    port = g_ptr_array_index(f.d[0].m->net_ports, 0);
    give(&f, NUM, 200);
    g_assert_cmpuint(reg_read(&f.d[0], 0x104) >> 16 & 1, ==, 1);
    g_assert_true(net_port_set_link(port, false));
    g_assert_cmpuint(reg_read(&f.d[0], 0x104) >> 16 & 1, ==, 1);   /* not before it is delivered */
    replay_safe_point(f.replay);
    g_assert_cmpuint(reg_read(&f.d[0], 0x104) >> 16 & 1, ==, 0);
    g_assert_cmpuint(reg_read(&f.d[0], 0x60) & VIRTIO_ISR_CONFIG, ==, VIRTIO_ISR_CONFIG);
    g_assert_false(passes(&f, card));
    g_assert_true(net_port_set_link(port, true));
    g_assert_true(passes(&f, card));
    end(&f);
}

/* A state with frames that wait goes into another machine; what is broken in it is dropped. */
static void test_state(void)
{
    g_autoptr(GByteArray) saved = g_byte_array_new(), again = g_byte_array_new();
    static const uint8_t off = 0;
    Fixture a, b;
    ByteReader in;
    uint64_t seed = 4;

    setup(&a, "virtio-net-device,id=card,netdev=n", F_CTRL | F_MRG_RXBUF);
    command(&a, 0, 0, &off, 1);
    command(&a, 2, 0, "\x05\x00", 2);
    arrive(&a, card, 100);
    arrive(&a, card, 1000);
    device_save(machine_find_device(a.d[0].m, "card"), saved);
    setup(&b, "virtio-net-device,id=card,netdev=n", 0);
    machine_scramble_devices(b.d[0].m, &seed);
    byte_reader_init(&in, saved->data, saved->len);
    g_assert_true(device_load(machine_find_device(b.d[0].m, "card"), &in, NULL));
    device_save(machine_find_device(b.d[0].m, "card"), again);
    g_assert_cmpmem(saved->data, saved->len, again->data, again->len);
    end(&a);
    end(&b);
}

static void test_broken(void)
{
    Fixture f;

    setup(&f, "virtio-net-device,id=card,netdev=n", 0);
    give(&f, 1, HEADER - 1);
    arrive(&f, card, 60);
    g_assert_cmphex(reg_read(&f.d[0], 0x70) & VIRTIO_STATUS_NEEDS_RESET, !=, 0);
    arrive(&f, card, 60);
    g_assert_cmpuint(received(&f), ==, 0);
    end(&f);
}

static void refuse(Fixture *f, const char *device, const char *message)
{
    Error *err = NULL;

    g_assert_false(device_plug(f->d[0].m, device, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, message);
    error_free(err);
}

static void test_options(void)
{
    Fixture f;

    setup(&f, "virtio-net-device,id=card,netdev=n", 0);
    driver_add_transport(&f.d[0], MMIO_BASE + 0x200, false, NULL, NULL);
    f.d[0].m->device_types = types;
    refuse(&f, "virtio-net-device,id=x,netdev=n", "-device virtio-net-device: x: network back end 'n' is that of 'card' already");
    refuse(&f, "virtio-net-device,id=x,netdev=m",
           "-device virtio-net-device: x: there is no network back end 'm': -netdev user,id=m makes one");
    refuse(&f, "virtio-net-device,id=x,mac=1:2:3:4:5:6",
           "-device virtio-net-device: virtio-net: mac=1:2:3:4:5:6: expected six bytes, for example 52:54:00:12:34:56");
    refuse(&f, "virtio-net-device,id=x,mac=53:54:00:12:34:56", "-device virtio-net-device: virtio-net: mac=53:54:00:12:34:56 is a multicast "
           "address; the first byte of a card's is even");
    refuse(&f, "virtio-net-device,id=x,host_mtu=60", "-device virtio-net-device: virtio-net: host_mtu=60: at least 68, or 0 for none");
    end(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-net/receive", test_receive);
    g_test_add_func("/virtio-net/merged", test_merged);
    g_test_add_func("/virtio-net/transmit", test_transmit);
    g_test_add_func("/virtio-net/filters", test_filters);
    g_test_add_func("/virtio-net/link", test_link);
    g_test_add_func("/virtio-net/state", test_state);
    g_test_add_func("/virtio-net/broken", test_broken);
    g_test_add_func("/virtio-net/options", test_options);
    return g_test_run();
}
