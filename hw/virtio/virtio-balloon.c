/*
 * virtio-balloon: the memory balloon (virtio 1.2 5.5). Wiring: queues of pages that the guest gives up
 * ("inflateq") and takes back ("deflateq"), and one of statistics ("statsq"); what a monitor asks for is
 * input (record kind BALLOON).
 *
 * A page that is given up reads as zero from there on, at the kick, whatever the driver does with it; memory is
 * not taken away from the guest. So it is the same in each run, and needs no record.
 *
 * The device keeps the driver's buffer of statistics until it wants new ones: after the interval, in virtual
 * time, it gives it back, and the driver sends it again. A look at statistics gives what was told last.
 *
 * Not modelled: hints and reports of free pages, page poisoning.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/virtio/virtio-balloon.h"
#include "hw/core/balloon.h"
#include "replay/sources.h"
#include "util/bitops.h"
#include "util/bytes.h"
#include "util/log.h"
#include "virtio-internal.h"

enum BalloonFeature {
    BALLOON_F_STATS_VQ = 1,
    BALLOON_F_DEFLATE_ON_OOM = 2,
};

enum { QUEUE_INFLATE, QUEUE_DEFLATE, QUEUE_STATS, NUM_QUEUES };

/* The payload of a record: what, and 8 bytes. */
enum { ASK_SIZE, ASK_STATS };
#define ASK_BYTES 9

#define QUEUE_SIZE 128
#define CONFIG_BYTES 8
#define CONFIG_ACTUAL 4
#define PFN_BYTES 4
#define STAT_BYTES 10
/* Drivers send 256 page numbers at once, and a statistic once. */
#define MAX_BUFFER 65536
#define CHUNK 1024
#define NANOSECONDS 1000000000ll

typedef struct VirtioBalloonState {
    VirtioState virtio;
    uint64_t stat[BALLOON_NUM_STATS];
    uint64_t updated_ns;
    uint32_t num_pages;           /* that the host wants */
    uint32_t actual;              /* that the guest has given up, as it says */
    uint32_t interval_s;
    uint16_t stats_head;          /* the buffer that the device keeps ... */
    uint8_t stats_kept;           /* ... if it has one */
    uint8_t pad;
} VirtioBalloonState;

#define VIRTIO_BALLOON_FIELDS(F, S) \
    VIRTIO_FIELDS(F, S)             \
    F(S, ARRAY_U64, stat)           \
    F(S, U64, updated_ns)           \
    F(S, U32, num_pages)            \
    F(S, U32, actual)               \
    F(S, U32, interval_s)           \
    F(S, U16, stats_head)           \
    F(S, U8, stats_kept)            \
    F(S, U8, pad)

FIELD_TABLE_SINCE(virtio_balloon_fields, "virtio-balloon", 2, 1, VirtioBalloonState, VIRTIO_BALLOON_FIELDS);

typedef struct VirtioBalloonConfig {
    VirtioConfig virtio;
    bool deflate_on_oom;
    uint32_t interval_s;
} VirtioBalloonConfig;

typedef struct VirtioBalloon {
    VirtioDevice parent;
    VirtioBalloonState state;
    VirtioBalloonConfig config;
    VirtioDeviceType vtype;       /* with the features of this one */
    Balloon balloon;
    ReplaySource *source;
    Timer timer;
    uint64_t ram_bytes;
    VirtqElement element;         /* scratch */
} VirtioBalloon;

static VirtioBalloon *virtio_balloon(VirtioDevice *v)
{
    return container_of(v, VirtioBalloon, parent);
}

static uint64_t actual_bytes(const VirtioBalloon *b)
{
    return b->ram_bytes - MIN(b->ram_bytes, (uint64_t)b->state.actual << PAGE_BITS);
}

/* ---- pages ---- */

static void give_up_page(VirtioBalloon *b, uint32_t pfn)
{
    if (!memory_clear_page(b->parent.dev.machine->memory, (hwaddr)pfn << PAGE_BITS)) {
        log_mask(LOG_GUEST_ERROR, "%s: page 0x%" PRIx32 " is not RAM\n", b->parent.dev.id, pfn);
    }
}

static void inflate(VirtioBalloon *b, const VirtqElement *e)
{
    uint8_t data[CHUNK];

    for (uint64_t done = 0; done + PFN_BYTES <= e->out_bytes; ) {
        size_t n = virtqueue_read(&b->parent, e, done, data, MIN(sizeof(data), e->out_bytes - done));

        for (size_t at = 0; at + PFN_BYTES <= n; at += PFN_BYTES) {
            give_up_page(b, (uint32_t)load_le(data + at, PFN_BYTES));
        }
        if (n < PFN_BYTES) {
            break;
        }
        done += n;
    }
}

static void take_pages(VirtioBalloon *b, unsigned q)
{
    VirtioDevice *v = &b->parent;
    VirtqElement *e = &b->element;
    bool used = false;

    while (virtqueue_pop(v, q, e)) {
        if (e->out_bytes > MAX_BUFFER) {
            virtio_error(v, "a buffer of page numbers is too long");
            return;
        }
        if (q == QUEUE_INFLATE) {
            inflate(b, e);
        }
        virtqueue_push(v, q, e, 0);
        used = true;
    }
    if (used) {
        virtqueue_notify(v, q);
    }
}

/* ---- statistics ---- */

static void update_timer(VirtioBalloon *b)
{
    if (b->state.stats_kept && b->state.interval_s) {
        timer_mod(&b->timer, clock_now(b->parent.dev.machine->clock) + b->state.interval_s * NANOSECONDS);
    } else {
        timer_del(&b->timer);
    }
}

/* The buffer goes back to the driver, which fills it again. */
static void return_stats(void *opaque)
{
    VirtioBalloon *b = opaque;
    VirtioDevice *v = &b->parent;

    if (b->state.stats_kept && virtqueue_again(v, QUEUE_STATS, b->state.stats_head, &b->element)) {
        b->state.stats_kept = 0;
        virtqueue_push(v, QUEUE_STATS, &b->element, 0);
        virtqueue_notify(v, QUEUE_STATS);
    }
}

static void read_stats(VirtioBalloon *b, const VirtqElement *e)
{
    uint8_t data[STAT_BYTES];

    for (uint64_t at = 0; at + STAT_BYTES <= e->out_bytes; at += STAT_BYTES) {
        uint64_t tag;

        virtqueue_read(&b->parent, e, at, data, sizeof(data));
        tag = load_le(data, 2);
        if (tag < BALLOON_NUM_STATS) {
            b->state.stat[tag] = load_le(data + 2, 8);
        }
    }
    b->state.updated_ns = (uint64_t)clock_now(b->parent.dev.machine->clock);
}

static void take_stats(VirtioBalloon *b)
{
    VirtioDevice *v = &b->parent;
    VirtqElement *e = &b->element;

    while (virtqueue_pop(v, QUEUE_STATS, e)) {
        if (b->state.stats_kept || e->out_bytes > MAX_BUFFER) {
            virtio_error(v, b->state.stats_kept ? "a second buffer of statistics"
                                                : "a buffer of statistics is too long");
            return;
        }
        read_stats(b, e);
        b->state.stats_head = e->head;
        b->state.stats_kept = 1;
    }
    update_timer(b);
}

static void virtio_balloon_handle_queue(VirtioDevice *v, unsigned q)
{
    if (q == QUEUE_STATS) {
        take_stats(virtio_balloon(v));
    } else {
        take_pages(virtio_balloon(v), q);
    }
}

/* Linux tells of its first statistics before it is ready, when no device may listen (3.1.1). */
static void virtio_balloon_driver_ok(VirtioDevice *v)
{
    take_stats(virtio_balloon(v));
}

static void virtio_balloon_forget_queue(VirtioDevice *v, unsigned q)
{
    VirtioBalloon *b = virtio_balloon(v);

    if (q == QUEUE_STATS) {
        b->state.stats_kept = 0;
        timer_del(&b->timer);
    }
}

/* ---- configuration space (5.5.4) ---- */

static uint8_t virtio_balloon_config_read(VirtioDevice *v, unsigned offset)
{
    const VirtioBalloonState *s = &virtio_balloon(v)->state;

    return (uint8_t)extract64(offset < CONFIG_ACTUAL ? s->num_pages : s->actual, 8 * (offset % 4), 8);
}

static void set_actual(VirtioBalloon *b, uint32_t actual, bool tell)
{
    b->state.actual = actual;
    if (tell) {
        machine_notice(b->parent.dev.machine, MACHINE_NOTICE_BALLOON, b->parent.dev.id, (int64_t)actual_bytes(b));
    }
}

/* Bytes come in order, and the last one makes the value whole. */
static void virtio_balloon_config_write(VirtioDevice *v, unsigned offset, uint8_t value)
{
    VirtioBalloon *b = virtio_balloon(v);

    if (offset >= CONFIG_ACTUAL) {
        set_actual(b, (uint32_t)deposit64(b->state.actual, 8 * (offset % 4), 8, value), offset == CONFIG_BYTES - 1);
    }
}

/* ---- from monitors ---- */

static void set_size(VirtioBalloon *b, uint64_t bytes)
{
    uint64_t pages = (b->ram_bytes - MIN(b->ram_bytes, bytes)) >> PAGE_BITS;

    b->state.num_pages = (uint32_t)MIN(pages, UINT32_MAX);
    if (b->state.virtio.status & VIRTIO_STATUS_DRIVER_OK) {
        virtio_config_changed(&b->parent);
    }
}

static bool deliver(void *opaque, const uint8_t *payload, size_t length)
{
    VirtioBalloon *b = opaque;
    uint64_t value = length == ASK_BYTES ? load_le(payload + 1, 8) : 0;

    if (length != ASK_BYTES || payload[0] > ASK_STATS || (payload[0] == ASK_STATS && value > UINT32_MAX)) {
        return false;
    }
    if (payload[0] == ASK_SIZE) {
        set_size(b, value);
    } else {
        b->state.interval_s = (uint32_t)value;
        update_timer(b);
    }
    return true;
}

static bool ask(Device *balloon, uint8_t what, uint64_t value)
{
    VirtioBalloon *b = container_of(balloon, VirtioBalloon, parent.dev);
    uint8_t payload[ASK_BYTES] = { what };

    store_le(payload + 1, value, 8);
    return replay_post(b->source, payload, sizeof(payload));
}

static bool ask_size(Device *balloon, uint64_t bytes)
{
    return ask(balloon, ASK_SIZE, bytes);
}

static bool ask_stats(Device *balloon, uint32_t seconds)
{
    return ask(balloon, ASK_STATS, seconds);
}

static void tell_info(const Device *balloon, BalloonInfo *info)
{
    const VirtioBalloon *b = container_of(balloon, VirtioBalloon, parent.dev);

    *info = (BalloonInfo){ .actual = actual_bytes(b), .interval_s = b->state.interval_s,
                           .updated_ns = (int64_t)b->state.updated_ns };
    memcpy(info->stat, b->state.stat, sizeof(info->stat));
}

/* ---- shell ---- */

/* What the host wants stays; what the guest had given up is its own again. */
static void virtio_balloon_device_reset(VirtioDevice *v)
{
    VirtioBalloon *b = virtio_balloon(v);

    set_actual(b, 0, b->state.actual != 0);
    b->state.updated_ns = 0;
    b->state.stats_head = 0;
    memset(b->state.stat, 0xff, sizeof(b->state.stat));
}

static const VirtioDeviceType virtio_balloon_vtype = {
    .device_id = VIRTIO_ID_BALLOON,
    .num_queues = NUM_QUEUES,
    .queue_size = QUEUE_SIZE,
    .config_size = CONFIG_BYTES,
    .features = BIT64(BALLOON_F_STATS_VQ),
    .handle_queue = virtio_balloon_handle_queue,
    .forget_queue = virtio_balloon_forget_queue,
    .driver_ok = virtio_balloon_driver_ok,
    .config_read = virtio_balloon_config_read,
    .config_write = virtio_balloon_config_write,
    .reset = virtio_balloon_device_reset,
};

static void add_ram(MemRegion *r, void *opaque)
{
    if (r->host && !r->ops && !r->readonly) {
        *(uint64_t *)opaque += r->size;
    }
}

static bool virtio_balloon_realize(Device *dev, Error **errp)
{
    VirtioBalloon *b = container_of(dev, VirtioBalloon, parent.dev);

    timer_init(&b->timer, dev->machine->clock, return_stats, b, "virtio-balloon statistics");
    if (dev->machine->balloon) {
        error_setg(errp, "there is a balloon already, '%s'; a machine has one", dev->machine->balloon->dev->id);
        return false;
    }
    b->balloon = (Balloon){ dev, tell_info, ask_size, ask_stats };
    dev->machine->balloon = &b->balloon;
    memory_foreach(dev->machine->memory, add_ram, &b->ram_bytes);
    b->state.interval_s = b->config.interval_s;
    b->vtype = virtio_balloon_vtype;
    b->vtype.features |= b->config.deflate_on_oom ? BIT64(BALLOON_F_DEFLATE_ON_OOM) : 0;
    virtio_init(&b->parent, &b->vtype, &b->state.virtio, &b->config.virtio);
    b->source = replay_source_new(dev->machine->replay, REPLAY_KIND_BALLOON, dev->id, deliver, b);
    return true;
}

/* Chains that are out, and the one that is kept, belong together; a broken device may have others. */
static void virtio_balloon_post_load(Device *dev)
{
    VirtioBalloon *b = container_of(dev, VirtioBalloon, parent.dev);
    const VirtioState *s = &b->state.virtio;

    virtio_device_post_load(dev);
    for (unsigned q = 0; q < NUM_QUEUES && !s->broken; q++) {
        if (s->in_use[q] != (q == QUEUE_STATS && b->state.stats_kept)) {
            virtio_reset_queue(&b->parent, q);
        }
    }
}

static void virtio_balloon_free(Device *dev)
{
    VirtioBalloon *b = container_of(dev, VirtioBalloon, parent.dev);

    timer_del(&b->timer);
    g_free(b);
}

static const Property virtio_balloon_properties[] = {
    VIRTIO_PROPERTIES(VirtioBalloonConfig),
    PROP_BOOL("deflate-on-oom", VirtioBalloonConfig, deflate_on_oom, "off",
              "the guest may take pages back before it runs out of memory"),
    PROP_UINT("guest-stats-polling-interval", VirtioBalloonConfig, interval_s, "0", 0, UINT32_MAX,
              "seconds of virtual time between the guest's statistics; 0: none"),
    PROP_FIXED("free-page-hint", PROPERTY_BOOL, "free pages are not told of", "hints of free pages", "off"),
    PROP_FIXED("free-page-reporting", PROPERTY_BOOL, "free pages are not told of", "reports of free pages", "off"),
    PROP_REFUSED("iothread", "all devices are on the machine's thread"),
    PROP_END
};

const DeviceType virtio_balloon_type = {
    .name = "virtio-balloon-device", .doc = "memory that the guest gives back", .bus = VIRTIO_BUS,
    .stays = "the sources of what it records are there from the start",
    .pluggable = true, .size = sizeof(VirtioBalloon),
    .fields = &virtio_balloon_fields, .state_offset = offsetof(VirtioBalloon, state),
    .properties = virtio_balloon_properties, .config_offset = offsetof(VirtioBalloon, config),
    .realize = virtio_balloon_realize, .reset = virtio_device_reset,
    .post_load = virtio_balloon_post_load, .free = virtio_balloon_free,
};
