/*
 * Fuzz target: a driver of virtio-net that goes wrong: rings, headers, commands, with frames from outside and a link that
 * goes down and up. tests/fuzz/virtio-fuzz.h says what an input is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/virtio/virtio-net.h"
#include "net/net-int.h"
#include "net/net-port.h"
#include "tests/fuzz/virtio-fuzz.h"

static const unsigned fuzz_queues = 3;
static NetSet *net;

static void fuzz_device(Fuzzed *f, uint8_t shape)
{
    static const DeviceType *const types[] = { &virtio_mmio_type, &virtio_net_type, NULL };

    /* The one of the machine before has no user any more. */
    if (net) {
        net_set_free(net);
    }
    f->d.m->net = net = net_set_new(NULL);
    if (!netdev_create(net, "user,id=n", NULL)) {
        abort();
    }
    fuzz_plug(f, types, shape & 2 ? "virtio-net-device,id=c,netdev=n,host_mtu=1400" : "virtio-net-device,id=c,netdev=n");
}

static void fuzz_host(Fuzzed *f, uint16_t place, uint32_t value)
{
    uint8_t frame[2000] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

    if (place % 8 == 0) {
        net_port_set_link(g_ptr_array_index(f->d.m->net_ports, 0), value & 1);
        return;
    }
    store_le(frame + place % 16, value, 4);
    netdev_receive(netdev_find(net, "n"), frame, value % sizeof(frame));
}

/* ---- seeds: a driver that does it right ---- */

GByteArray *fuzz_seed(unsigned n)
{
    GByteArray *out = g_byte_array_new();
    uint8_t shape = (uint8_t)n;

    if (n >= NUM_SHAPES) {
        g_byte_array_unref(out);
        return NULL;
    }
    g_byte_array_append(out, &shape, 1);
    add(out, HOST, 1, 600);
    add(out, DELIVER, 0, 0);
    add(out, STATE, 0, 0);
    add_buffer(out, 0, 0, BUFFER_BASE, 1500, true);
    add_buffer(out, 0, 1, BUFFER_BASE + 0x1000, 300, true);
    add(out, BUFFER_WRITE, 0x2000, 1 | 1 << 8);
    add(out, BUFFER_WRITE, 0x2004, 100 | 34 << 16);
    add_buffer(out, 1, 0, BUFFER_BASE + 0x2000, 800, false);
    add(out, BUFFER_WRITE, 0x3000, 1 << 8 | 1);
    add_buffer(out, 2, 0, BUFFER_BASE + 0x3000, 8, false);
    add(out, HOST, 8, 0);
    add(out, DELIVER, 0, 0);
    add(out, HOST, 3, 1900);
    add(out, DELIVER, 0, 0);
    return out;
}
