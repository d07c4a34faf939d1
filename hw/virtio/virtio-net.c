/*
 * virtio-net: the network device (virtio 1.2 5.1). Wiring: queues receive (0), transmit (1) and control (2); one network
 * port (net/net-port.h). A frame that is sent goes out within the kick; one that arrives waits in the port's queue until
 * the driver has buffers for all of it.
 *
 * Not modelled: several pairs of queues, receive offloads (frames arrive whole and with checksums), UDP
 * fragmentation, announcements, speed and duplex, hash reports.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/virtio/virtio-net.h"
#include "net/net-port.h"
#include "net/offload.h"
#include "util/bitops.h"
#include "util/bytes.h"
#include "virtio-internal.h"

enum NetFeature {
    NET_F_CSUM = 0,
    NET_F_GUEST_CSUM = 1,
    NET_F_MTU = 3,
    NET_F_MAC = 5,
    NET_F_HOST_TSO4 = 11,
    NET_F_HOST_TSO6 = 12,
    NET_F_HOST_ECN = 13,
    NET_F_MRG_RXBUF = 15,
    NET_F_STATUS = 16,
    NET_F_CTRL_VQ = 17,
    NET_F_CTRL_RX = 18,
    NET_F_CTRL_VLAN = 19,
    NET_F_CTRL_RX_EXTRA = 20,
    NET_F_CTRL_MAC_ADDR = 23,
};

enum { QUEUE_RX, QUEUE_TX, QUEUE_CTRL, NUM_QUEUES };

/* struct virtio_net_hdr (5.1.6) */
#define HEADER_BYTES 12
#define HEADER_BYTES_LEGACY 10       /* without num_buffers */
#define HDR_F_NEEDS_CSUM 1
enum { GSO_NONE = 0, GSO_TCPV4 = 1, GSO_TCPV6 = 4, GSO_ECN = 0x80 };

/* Commands (5.1.6.5): class, command, then data. */
enum { CTRL_RX = 0, CTRL_MAC = 1, CTRL_VLAN = 2 };
enum { CTRL_MAC_TABLE_SET = 0, CTRL_MAC_ADDR_SET = 1 };
enum { CTRL_VLAN_ADD = 0, CTRL_VLAN_DEL = 1 };
enum { CTRL_OK = 0, CTRL_ERR = 1 };
enum { RX_PROMISC, RX_ALLMULTI, RX_ALLUNI, RX_NOMULTI, RX_NOUNI, RX_NOBCAST, NUM_RX_MODES };

#define MAC_BYTES 6
#define MAX_MACS 64
#define MAX_VLAN 4096
#define CONFIG_BYTES 12
#define QUEUE_SIZE 256
#define MAX_BUFFERS 64               /* a frame is spread over at most so many */
#define MIN_MTU 68
#define VLAN_TYPE 0x8100

typedef struct VirtioNetState {
    VirtioState virtio;
    NetPortState net;
    uint8_t mac[MAC_BYTES];
    uint8_t rx_mode[NUM_RX_MODES];
    uint8_t num_macs;                /* in the table ... */
    uint8_t first_multicast;         /* ... whose rest from here on are multicast addresses */
    uint8_t too_many_unicast, too_many_multicast;
    uint8_t macs[MAX_MACS * MAC_BYTES];
    uint8_t vlans[MAX_VLAN / 8];
} VirtioNetState;

typedef struct VirtioNetConfig {
    VirtioConfig virtio;
    char *netdev, *mac;
    uint32_t mtu;
    bool csum, guest_csum, host_tso4, host_tso6, host_ecn, mrg_rxbuf, status;
    bool ctrl_vq, ctrl_rx, ctrl_rx_extra, ctrl_vlan, ctrl_mac_addr;
} VirtioNetConfig;

typedef struct VirtioNet {
    VirtioDevice parent;
    VirtioNetState state;
    VirtioNetConfig config;
    VirtioDeviceType vtype;          /* with the features of this one */
    uint8_t mac[MAC_BYTES];          /* at power-on */
    NetPort *port;
    VirtqElement element;            /* scratch */
    uint8_t frame[NET_MAX_FRAME];    /* scratch */
} VirtioNet;

#define VIRTIO_NET_FIELDS(F, S)     \
    VIRTIO_FIELDS(F, S)             \
    NET_PORT_FIELDS(F, S)           \
    F(S, ARRAY_U8, mac)             \
    F(S, ARRAY_U8, rx_mode)         \
    F(S, U8, num_macs)              \
    F(S, U8, first_multicast)       \
    F(S, U8, too_many_unicast)      \
    F(S, U8, too_many_multicast)    \
    F(S, ARRAY_U8, macs)            \
    F(S, ARRAY_U8, vlans)

FIELD_TABLE_SINCE(virtio_net_fields, "virtio-net", 2, 1, VirtioNetState, VIRTIO_NET_FIELDS);

static VirtioNet *virtio_net(VirtioDevice *v)
{
    return container_of(v, VirtioNet, parent);
}

static bool has(const VirtioNet *n, enum NetFeature bit)
{
    return (n->state.virtio.driver_features >> bit) & 1;
}

static bool counts_buffers(const VirtioNet *n)
{
    return has(n, NET_F_MRG_RXBUF) || virtio_has_feature(&n->parent, VIRTIO_F_VERSION_1);
}

static size_t header_bytes(const VirtioNet *n)
{
    return counts_buffers(n) ? HEADER_BYTES : HEADER_BYTES_LEGACY;
}

/* ---- receive filters (5.1.6.5.1 to 5.1.6.5.3) ---- */

static bool in_table(const VirtioNetState *s, const uint8_t *mac, unsigned first, unsigned end)
{
    for (unsigned i = first; i < end; i++) {
        if (!memcmp(s->macs + i * MAC_BYTES, mac, MAC_BYTES)) {
            return true;
        }
    }
    return false;
}

static bool vlan_passes(const VirtioNet *n, const uint8_t *frame, size_t length)
{
    unsigned vlan;

    if (!has(n, NET_F_CTRL_VLAN) || length < 16 || ((unsigned)frame[12] << 8 | frame[13]) != VLAN_TYPE) {
        return true;
    }
    vlan = ((unsigned)frame[14] << 8 | frame[15]) & (MAX_VLAN - 1);
    return n->state.vlans[vlan / 8] >> (vlan % 8) & 1;
}

static bool passes(const VirtioNet *n, const uint8_t *frame, size_t length)
{
    static const uint8_t broadcast[MAC_BYTES] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    const VirtioNetState *s = &n->state;
    const uint8_t *mode = s->rx_mode;

    if (mode[RX_PROMISC]) {
        return true;
    }
    if (!vlan_passes(n, frame, length)) {
        return false;
    }
    if (!memcmp(frame, broadcast, MAC_BYTES)) {
        return !mode[RX_NOBCAST];
    }
    if (frame[0] & 1) {
        return !mode[RX_NOMULTI] && (mode[RX_ALLMULTI] || s->too_many_multicast ||
                                     in_table(s, frame, s->first_multicast, s->num_macs));
    }
    return !mode[RX_NOUNI] && (mode[RX_ALLUNI] || s->too_many_unicast || !memcmp(frame, s->mac, MAC_BYTES) ||
                               in_table(s, frame, 0, s->first_multicast));
}

/* ---- receive ---- */

/* Chains with room for `need` bytes; 0: there are not enough, and none was taken. */
static unsigned take_buffers(VirtioNet *n, uint64_t need, uint16_t *heads, unsigned most)
{
    VirtioDevice *v = &n->parent;
    uint64_t room = 0;
    unsigned count = 0;

    while (room < need && count < most && virtqueue_pop(v, QUEUE_RX, &n->element)) {
        if (!count && n->element.in_bytes < header_bytes(n)) {
            virtio_error(v, "a receive buffer has no room for its header");
            return 0;
        }
        room += n->element.in_bytes;
        heads[count++] = n->element.head;
    }
    if (room < need && count < most) {
        virtqueue_rewind(v, QUEUE_RX, count);
        return 0;
    }
    return count;
}

/* What does not fit the last chain is cut off. */
static void fill_buffers(VirtioNet *n, const uint16_t *heads, unsigned count, const uint8_t *frame, size_t length)
{
    VirtioDevice *v = &n->parent;
    VirtqElement *e = &n->element;
    uint8_t header[HEADER_BYTES] = { 0 };
    size_t done = 0;

    store_le(header + 10, count, 2);
    for (unsigned i = 0; i < count; i++) {
        size_t at = i ? 0 : header_bytes(n), bytes;

        if (!virtqueue_again(v, QUEUE_RX, heads[i], e)) {
            return;
        }
        bytes = e->in_bytes > at ? MIN(length - done, e->in_bytes - at) : 0;
        if (at) {
            virtqueue_write(v, e, 0, header, at);
        }
        virtqueue_write(v, e, at, frame + done, bytes);
        virtqueue_push(v, QUEUE_RX, e, (uint32_t)(at + bytes));
        done += bytes;
    }
}

static bool virtio_net_receive(void *opaque, const uint8_t *frame, size_t length)
{
    VirtioNet *n = opaque;
    VirtioState *s = &n->state.virtio;
    uint16_t heads[MAX_BUFFERS];
    unsigned count;

    if (!(s->status & VIRTIO_STATUS_DRIVER_OK) || s->broken || !s->queue_ready[QUEUE_RX] ||
        !passes(n, frame, length)) {
        return true;
    }
    count = take_buffers(n, header_bytes(n) + length, heads, has(n, NET_F_MRG_RXBUF) ? MAX_BUFFERS : 1);
    if (!count) {
        return s->broken;
    }
    fill_buffers(n, heads, count, frame, length);
    virtqueue_notify(&n->parent, QUEUE_RX);
    return true;
}

/* ---- transmit ---- */

static void send_frame(void *opaque, const uint8_t *frame, size_t length)
{
    net_port_send(opaque, frame, length);
}

/* False: the driver asks for what was not agreed on. */
static bool parse_header(const VirtioNet *n, const uint8_t *header, NetOffload *o)
{
    uint8_t type = header[1] & (uint8_t)~GSO_ECN;

    *o = (NetOffload) {
        .checksum = header[0] & HDR_F_NEEDS_CSUM,
        .tcp4 = type == GSO_TCPV4, .tcp6 = type == GSO_TCPV6,
        .segment_bytes = (uint16_t)load_le(header + 4, 2),
        .checksum_start = (uint16_t)load_le(header + 6, 2),
        .checksum_offset = (uint16_t)load_le(header + 8, 2),
    };
    return (!o->checksum || has(n, NET_F_CSUM)) &&
           (type == GSO_NONE || (o->tcp4 && has(n, NET_F_HOST_TSO4)) || (o->tcp6 && has(n, NET_F_HOST_TSO6)));
}

static void transmit(VirtioNet *n, const VirtqElement *e)
{
    uint8_t header[HEADER_BYTES];
    size_t start = header_bytes(n), length;
    NetOffload offload;

    if (e->out_bytes < start || e->out_bytes - start > sizeof(n->frame)) {
        return;
    }
    length = e->out_bytes - start;
    virtqueue_read(&n->parent, e, 0, header, start);
    virtqueue_read(&n->parent, e, start, n->frame, length);
    if (parse_header(n, header, &offload)) {
        net_offload(&offload, n->frame, length, send_frame, n->port);
    }
}

static void handle_transmit(VirtioNet *n)
{
    bool used = false;

    while (virtqueue_pop(&n->parent, QUEUE_TX, &n->element)) {
        transmit(n, &n->element);
        virtqueue_push(&n->parent, QUEUE_TX, &n->element, 0);
        used = true;
    }
    if (used) {
        virtqueue_notify(&n->parent, QUEUE_TX);
    }
}

/* ---- control ---- */

#define MAX_COMMAND (2 + 4 + 4 + 1024 * MAC_BYTES)

/* A table: le32 entries, and those. False: it is none. */
static bool take_table(const uint8_t **data, size_t *length, const uint8_t **macs, size_t *entries)
{
    if (*length < 4) {
        return false;
    }
    *entries = load_le(*data, 4);
    if (*entries > (*length - 4) / MAC_BYTES) {
        return false;
    }
    *macs = *data + 4;
    *data += 4 + *entries * MAC_BYTES;
    *length -= 4 + *entries * MAC_BYTES;
    return true;
}

static bool set_table(VirtioNetState *s, const uint8_t *data, size_t length)
{
    const uint8_t *unicast, *multicast;
    size_t num_unicast, num_multicast;

    if (!take_table(&data, &length, &unicast, &num_unicast) ||
        !take_table(&data, &length, &multicast, &num_multicast) || length) {
        return false;
    }
    s->too_many_unicast = num_unicast > MAX_MACS;
    num_unicast = s->too_many_unicast ? 0 : num_unicast;
    s->too_many_multicast = num_multicast > MAX_MACS - num_unicast;
    num_multicast = s->too_many_multicast ? 0 : num_multicast;
    memset(s->macs, 0, sizeof(s->macs));
    memcpy(s->macs, unicast, num_unicast * MAC_BYTES);
    memcpy(s->macs + num_unicast * MAC_BYTES, multicast, num_multicast * MAC_BYTES);
    s->first_multicast = (uint8_t)num_unicast;
    s->num_macs = (uint8_t)(num_unicast + num_multicast);
    return true;
}

static bool set_vlan(VirtioNetState *s, uint8_t command, const uint8_t *data)
{
    unsigned vlan = (unsigned)load_le(data, 2);
    uint8_t bit = (uint8_t)(1 << (vlan % 8));

    if (vlan >= MAX_VLAN || command > CTRL_VLAN_DEL) {
        return false;
    }
    if (command == CTRL_VLAN_ADD) {
        s->vlans[vlan / 8] |= bit;
    } else {
        s->vlans[vlan / 8] &= (uint8_t)~bit;
    }
    return true;
}

static bool control(VirtioNet *n, uint8_t class_, uint8_t command, const uint8_t *data, size_t length)
{
    VirtioNetState *s = &n->state;

    switch (class_) {
    case CTRL_RX:
        if (!has(n, command >= RX_ALLUNI ? NET_F_CTRL_RX_EXTRA : NET_F_CTRL_RX) || command >= NUM_RX_MODES ||
            length != 1) {
            return false;
        }
        s->rx_mode[command] = data[0] != 0;
        return true;
    case CTRL_MAC:
        if (command == CTRL_MAC_ADDR_SET && length == MAC_BYTES && has(n, NET_F_CTRL_MAC_ADDR)) {
            memcpy(s->mac, data, MAC_BYTES);
            return true;
        }
        return command == CTRL_MAC_TABLE_SET && has(n, NET_F_CTRL_RX) && set_table(s, data, length);
    case CTRL_VLAN:
        return has(n, NET_F_CTRL_VLAN) && length == 2 && set_vlan(s, command, data);
    default:
        return false;
    }
}

static void handle_control(VirtioNet *n)
{
    VirtioDevice *v = &n->parent;
    VirtqElement *e = &n->element;
    uint8_t command[MAX_COMMAND];
    bool used = false;

    while (virtqueue_pop(v, QUEUE_CTRL, e)) {
        size_t length = MIN(e->out_bytes, sizeof(command));
        uint8_t ack = CTRL_ERR;

        if (e->out_bytes < 2 || e->in_bytes < 1) {
            virtio_error(v, "a command without a header or a place for its result");
            return;
        }
        virtqueue_read(v, e, 0, command, length);
        if (e->out_bytes <= sizeof(command) && control(n, command[0], command[1], command + 2, length - 2)) {
            ack = CTRL_OK;
        }
        virtqueue_write(v, e, 0, &ack, 1);
        virtqueue_push(v, QUEUE_CTRL, e, 1);
        used = true;
    }
    if (used) {
        virtqueue_notify(v, QUEUE_CTRL);
    }
}

static void virtio_net_handle_queue(VirtioDevice *v, unsigned q)
{
    VirtioNet *n = virtio_net(v);

    if (q == QUEUE_RX) {
        net_port_accept_input(n->port);
    } else if (q == QUEUE_TX) {
        handle_transmit(n);
    } else {
        handle_control(n);
    }
}

/* ---- configuration space (5.1.4) ---- */

static uint8_t virtio_net_config_read(VirtioDevice *v, unsigned offset)
{
    VirtioNet *n = virtio_net(v);
    uint8_t config[CONFIG_BYTES] = { 0 };

    memcpy(config, n->state.mac, MAC_BYTES);
    config[6] = net_port_is_up(n->port);
    store_le(config + 8, 1, 2);                     /* max_virtqueue_pairs */
    store_le(config + 10, n->config.mtu, 2);
    return config[offset];
}

/* The address, by drivers from before 1.0 (5.1.4.1). */
static void virtio_net_config_write(VirtioDevice *v, unsigned offset, uint8_t value)
{
    if (offset < MAC_BYTES && !virtio_has_feature(v, VIRTIO_F_VERSION_1)) {
        virtio_net(v)->state.mac[offset] = value;
    }
}

static void virtio_net_link_changed(void *opaque)
{
    VirtioNet *n = opaque;

    if (has(n, NET_F_STATUS)) {
        virtio_config_changed(&n->parent);
    }
}

static void virtio_net_reset(VirtioDevice *v)
{
    VirtioNet *n = virtio_net(v);
    VirtioNetState *s = &n->state;

    memcpy(s->mac, n->mac, MAC_BYTES);
    memset(s->rx_mode, 0, sizeof(s->rx_mode));
    s->rx_mode[RX_PROMISC] = 1;
    s->num_macs = s->first_multicast = 0;
    s->too_many_unicast = s->too_many_multicast = 0;
    memset(s->macs, 0, sizeof(s->macs));
    memset(s->vlans, 0, sizeof(s->vlans));
    net_port_reset(n->port);
}

/* ---- shell ---- */

static const NetPortClient port_client = {
    .receive = virtio_net_receive,
    .link_changed = virtio_net_link_changed,
};

static const VirtioDeviceType virtio_net_vtype = {
    .device_id = VIRTIO_ID_NET,
    .num_queues = NUM_QUEUES,
    .queue_size = QUEUE_SIZE,
    .config_size = CONFIG_BYTES,
    .features = BIT64(NET_F_MAC),
    .handle_queue = virtio_net_handle_queue,
    .config_read = virtio_net_config_read,
    .config_write = virtio_net_config_write,
    .reset = virtio_net_reset,
};

static uint64_t features_of(const VirtioNetConfig *c)
{
    bool control = c->ctrl_vq;

    return (c->csum ? BIT64(NET_F_CSUM) : 0) | (c->guest_csum ? BIT64(NET_F_GUEST_CSUM) : 0) |
           (c->csum && c->host_tso4 ? BIT64(NET_F_HOST_TSO4) : 0) |
           (c->csum && c->host_tso6 ? BIT64(NET_F_HOST_TSO6) : 0) |
           (c->csum && c->host_ecn ? BIT64(NET_F_HOST_ECN) : 0) | (c->mtu ? BIT64(NET_F_MTU) : 0) |
           (c->mrg_rxbuf ? BIT64(NET_F_MRG_RXBUF) : 0) | (c->status ? BIT64(NET_F_STATUS) : 0) |
           (control ? BIT64(NET_F_CTRL_VQ) : 0) | (control && c->ctrl_rx ? BIT64(NET_F_CTRL_RX) : 0) |
           (control && c->ctrl_rx_extra ? BIT64(NET_F_CTRL_RX_EXTRA) : 0) |
           (control && c->ctrl_vlan ? BIT64(NET_F_CTRL_VLAN) : 0) |
           (control && c->ctrl_mac_addr ? BIT64(NET_F_CTRL_MAC_ADDR) : 0);
}

/* Cards without mac= are numbered: 52:54:00:12:34:56, :57 and so on. */
static void default_mac(VirtioNet *n)
{
    static const uint8_t first[MAC_BYTES] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
    const GPtrArray *devices = n->parent.dev.machine->devices;

    memcpy(n->mac, first, MAC_BYTES);
    for (unsigned i = 0; i < devices->len; i++) {
        const Device *other = g_ptr_array_index(devices, i);

        if (other->type == n->parent.dev.type && other != &n->parent.dev) {
            n->mac[MAC_BYTES - 1]++;
        }
    }
}

static bool parse_mac(VirtioNet *n, Error **errp)
{
    const char *text = n->config.mac;
    unsigned b[MAC_BYTES];
    int end = 0;

    if (!text) {
        default_mac(n);
        return true;
    }
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &end) != MAC_BYTES ||
        text[end] || strlen(text) != 17) {
        error_setg(errp, "virtio-net: mac=%s: expected six bytes, for example 52:54:00:12:34:56", text);
        return false;
    }
    if (b[0] & 1) {
        error_setg(errp, "virtio-net: mac=%s is a multicast address; the first byte of a card's is even", text);
        return false;
    }
    for (unsigned i = 0; i < MAC_BYTES; i++) {
        n->mac[i] = (uint8_t)b[i];
    }
    return true;
}

static bool virtio_net_realize(Device *dev, Error **errp)
{
    VirtioNet *n = container_of(dev, VirtioNet, parent.dev);
    Netdev *netdev = NULL;

    if (!parse_mac(n, errp)) {
        return false;
    }
    if (n->config.mtu && n->config.mtu < MIN_MTU) {
        error_setg(errp, "virtio-net: host_mtu=%" PRIu32 ": at least %u, or 0 for none", n->config.mtu, MIN_MTU);
        return false;
    }
    if (n->config.netdev) {
        netdev = netdev_take(dev->machine->net, n->config.netdev, dev->id, errp);
        if (!netdev) {
            return false;
        }
    }
    n->port = net_port_new(dev->machine->replay, dev->id, &n->state.net, &port_client, n, netdev);
    g_ptr_array_add(dev->machine->net_ports, n->port);
    n->vtype = virtio_net_vtype;
    n->vtype.features |= features_of(&n->config);
    virtio_init(&n->parent, &n->vtype, &n->state.virtio, &n->config.virtio);
    return true;
}

static void virtio_net_post_load(Device *dev)
{
    VirtioNet *n = container_of(dev, VirtioNet, parent.dev);
    VirtioNetState *s = &n->state;

    s->num_macs = MIN(s->num_macs, MAX_MACS);
    s->first_multicast = MIN(s->first_multicast, s->num_macs);
    net_port_loaded(n->port);
    virtio_device_post_load(dev);
}

static void virtio_net_free(Device *dev)
{
    VirtioNet *n = container_of(dev, VirtioNet, parent.dev);

    if (n->port) {
        g_ptr_array_remove(dev->machine->net_ports, n->port);
        net_port_free(n->port);
    }
    g_free(n);
}

#define NET_BOOL(label, member, doc) PROP_BOOL(label, VirtioNetConfig, member, "on", "offer " doc)

static const Property virtio_net_properties[] = {
    VIRTIO_PROPERTIES(VirtioNetConfig),
    PROP_STRING("netdev", VirtioNetConfig, netdev, NULL, "the network back end, by its id"),
    PROP_STRING("mac", VirtioNetConfig, mac, NULL, "its address, 52:54:00:12:34:56 and so on unless given"),
    PROP_UINT("host_mtu", VirtioNetConfig, mtu, "0", 0, 65535, "the largest packet, if not 0"),
    NET_BOOL("csum", csum, "to fill in checksums of packets that are sent"),
    NET_BOOL("guest_csum", guest_csum, "to deliver packets without checksums (none is)"),
    NET_BOOL("host_tso4", host_tso4, "to cut long TCP segments (IPv4)"),
    NET_BOOL("host_tso6", host_tso6, "to cut long TCP segments (IPv6)"),
    NET_BOOL("host_ecn", host_ecn, "to cut TCP segments with congestion bits"),
    NET_BOOL("mrg_rxbuf", mrg_rxbuf, "to spread a packet over several buffers"),
    NET_BOOL("status", status, "the state of the link"),
    NET_BOOL("ctrl_vq", ctrl_vq, "a queue of commands"),
    NET_BOOL("ctrl_rx", ctrl_rx, "filters by address"),
    NET_BOOL("ctrl_rx_extra", ctrl_rx_extra, "more filters by address"),
    NET_BOOL("ctrl_vlan", ctrl_vlan, "a filter by VLAN"),
    NET_BOOL("ctrl_mac_addr", ctrl_mac_addr, "to have the address changed"),
    PROP_REFUSED("mq", "there is one pair of queues"),
    PROP_REFUSED("vhost", "the card is in this process, so that it can be recorded"),
    PROP_END
};

const DeviceType virtio_net_type = {
    .name = "virtio-net-device", .doc = "a network card", .bus = VIRTIO_BUS,
    .stays = "the sources of what it records are there from the start",
    .pluggable = true, .size = sizeof(VirtioNet),
    .fields = &virtio_net_fields, .state_offset = offsetof(VirtioNet, state),
    .properties = virtio_net_properties, .config_offset = offsetof(VirtioNet, config),
    .realize = virtio_net_realize, .reset = virtio_device_reset,
    .post_load = virtio_net_post_load, .free = virtio_net_free,
};
