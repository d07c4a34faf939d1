/*
 * virtio-blk: the block device (virtio 1.2 5.2). Wiring: num-queues queues ("requestqN"), all of
 * which are for the same requests; each chain is a header of 16 bytes, data, and a status byte; one disk
 * (hw/block/disk.h).
 *
 * Not modelled: the write cache mode (it is always a write-back cache that FLUSH empties),
 * lifetime, secure erase, zones.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/block/disk.h"
#include "hw/virtio/virtio-blk.h"
#include "util/bitops.h"
#include "util/bytes.h"
#include "virtio-internal.h"

enum BlkFeature {
    BLK_F_SEG_MAX = 2,
    BLK_F_GEOMETRY = 4,
    BLK_F_RO = 5,
    BLK_F_BLK_SIZE = 6,
    BLK_F_FLUSH = 9,
    BLK_F_TOPOLOGY = 10,
    BLK_F_MQ = 12,
    BLK_F_DISCARD = 13,
    BLK_F_WRITE_ZEROES = 14,
};

enum BlkRequest {
    BLK_T_IN = 0,
    BLK_T_OUT = 1,
    BLK_T_FLUSH = 4,
    BLK_T_GET_ID = 8,
    BLK_T_DISCARD = 11,
    BLK_T_WRITE_ZEROES = 13,
};

enum BlkStatus {
    BLK_S_OK = 0,
    BLK_S_IOERR = 1,
    BLK_S_UNSUPP = 2,
};

#define HEADER_BYTES 16
#define ID_BYTES 20
#define RANGE_BYTES 16           /* of a discard or write zeroes: sector, sectors, flags */
#define RANGE_F_UNMAP 1
#define QUEUE_SIZE 256
#define CONFIG_BYTES 60
#define MAX_RANGE_SECTORS 0x3fffffu    /* 2 GiB a request */

typedef struct VirtioBlkState {
    VirtioState virtio;
    DiskState disk;
} VirtioBlkState;

typedef struct VirtioBlkConfig {
    VirtioConfig virtio;
    char *drive, *serial;
    uint32_t logical, physical, num_queues;
    bool discard, write_zeroes;
    DiskErrorConfig errors;
} VirtioBlkConfig;

typedef struct VirtioBlk {
    VirtioDevice parent;
    VirtioBlkState state;
    VirtioBlkConfig config;
    VirtioDeviceType vtype;       /* with the features of this one */
    Disk *disk;
    VirtqElement element;         /* scratch */
    bool in_kick;                 /* element is the chain that is being begun */
    bool used;                    /* chains were pushed in this kick */
} VirtioBlk;

#define VIRTIO_BLK_FIELDS(F, S) VIRTIO_FIELDS(F, S) DISK_FIELDS(F, S)

FIELD_TABLE_SINCE(virtio_blk_fields, "virtio-blk", 3, 2, VirtioBlkState, VIRTIO_BLK_FIELDS);

static VirtioBlk *virtio_blk(VirtioDevice *v)
{
    return container_of(v, VirtioBlk, parent);
}

/* ---- requests ---- */

/* A request is known by its queue and the head of its chain, and the chain stays where it is. */
static uint64_t tag_of(unsigned q, uint16_t head)
{
    return (uint64_t)q << 16 | head;
}

/* Give the chain back; written: bytes of data in it. */
static void finish(VirtioBlk *blk, unsigned q, const VirtqElement *e, enum BlkStatus status, uint32_t written)
{
    uint8_t byte = (uint8_t)status;

    virtqueue_write(&blk->parent, e, e->in_bytes - 1, &byte, 1);
    virtqueue_push(&blk->parent, q, e, written + 1);
    if (blk->in_kick) {
        blk->used = true;
    } else {
        virtqueue_notify(&blk->parent, q);
    }
}

static void disk_done(void *opaque, uint64_t tag, DiskStatus status, const uint8_t *data, size_t length)
{
    static const enum BlkStatus map[] = {
        [DISK_OK] = BLK_S_OK, [DISK_ERROR] = BLK_S_IOERR, [DISK_NO_SPACE] = BLK_S_IOERR,
        [DISK_UNSUPPORTED] = BLK_S_UNSUPP,
    };
    VirtioBlk *blk = opaque;
    unsigned q = (unsigned)(tag >> 16);
    VirtqElement *e = &blk->element;

    if (!blk->in_kick) {
        if (!virtqueue_again(&blk->parent, q, (uint16_t)tag, e)) {
            return;
        }
        /* A driver that has changed the chain since gets what fits. */
        if (e->in_bytes == 0) {
            virtio_error(&blk->parent, "a request in flight lost its status byte");
            return;
        }
    }
    length = data ? virtqueue_write(&blk->parent, e, 0, data, MIN(length, e->in_bytes - 1)) : 0;
    finish(blk, q, e, map[status], (uint32_t)length);
}

static void begin_write(VirtioBlk *blk, uint64_t tag, uint64_t sector, const VirtqElement *e)
{
    uint64_t length = e->out_bytes - HEADER_BYTES;
    g_autofree uint8_t *data = length <= DISK_MAX_REQUEST ? g_malloc(length) : NULL;

    if (data) {
        virtqueue_read(&blk->parent, e, HEADER_BYTES, data, length);
    }
    disk_submit(blk->disk, DISK_WRITE, tag, sector * DISK_SECTOR, length, data);
}

static void begin_range(VirtioBlk *blk, unsigned q, bool discard, const VirtqElement *e)
{
    uint8_t range[RANGE_BYTES];
    uint64_t sector, sectors, flags;
    bool offered = discard ? blk->config.discard : blk->config.write_zeroes;

    if (!offered || e->out_bytes != HEADER_BYTES + RANGE_BYTES) {
        finish(blk, q, e, offered ? BLK_S_IOERR : BLK_S_UNSUPP, 0);
        return;
    }
    virtqueue_read(&blk->parent, e, HEADER_BYTES, range, sizeof(range));
    sector = load_le(range, 8);
    sectors = load_le(range + 8, 4);
    flags = load_le(range + 12, 4);
    /* 5.2.6.2: a discard has no flags, and what is not known is not supported. */
    if (flags & ~(uint64_t)(discard ? 0 : RANGE_F_UNMAP)) {
        finish(blk, q, e, BLK_S_UNSUPP, 0);
    } else if (sectors > MAX_RANGE_SECTORS || sector > UINT64_MAX / DISK_SECTOR) {
        finish(blk, q, e, BLK_S_IOERR, 0);
    } else {
        disk_submit(blk->disk, discard ? DISK_DISCARD : flags ? DISK_UNMAP_ZEROES : DISK_WRITE_ZEROES,
                    tag_of(q, e->head), sector * DISK_SECTOR, sectors * DISK_SECTOR, NULL);
    }
}

static void tell_id(VirtioBlk *blk, unsigned q, const VirtqElement *e)
{
    char id[ID_BYTES] = { 0 };
    size_t length = MIN(sizeof(id), e->in_bytes - 1);
    const char *serial = blk->config.serial ? blk->config.serial : "";

    memcpy(id, serial, MIN(strlen(serial), sizeof(id)));
    virtqueue_write(&blk->parent, e, 0, id, length);
    finish(blk, q, e, BLK_S_OK, (uint32_t)length);
}

static void begin(VirtioBlk *blk, unsigned q, const VirtqElement *e)
{
    uint8_t header[HEADER_BYTES];
    uint64_t tag = tag_of(q, e->head), sector;

    virtqueue_read(&blk->parent, e, 0, header, sizeof(header));
    sector = load_le(header + 8, 8);
    switch (load_le(header, 4)) {
    case BLK_T_IN:
        if (sector > UINT64_MAX / DISK_SECTOR) {
            finish(blk, q, e, BLK_S_IOERR, 0);
        } else {
            disk_submit(blk->disk, DISK_READ, tag, sector * DISK_SECTOR, e->in_bytes - 1, NULL);
        }
        break;
    case BLK_T_OUT:
        if (sector > UINT64_MAX / DISK_SECTOR) {
            finish(blk, q, e, BLK_S_IOERR, 0);
        } else {
            begin_write(blk, tag, sector, e);
        }
        break;
    case BLK_T_FLUSH:
        disk_submit(blk->disk, DISK_FLUSH, tag, 0, 0, NULL);
        break;
    case BLK_T_GET_ID:
        tell_id(blk, q, e);
        break;
    case BLK_T_DISCARD:
        begin_range(blk, q, true, e);
        break;
    case BLK_T_WRITE_ZEROES:
        begin_range(blk, q, false, e);
        break;
    default:
        finish(blk, q, e, BLK_S_UNSUPP, 0);
    }
}

static void virtio_blk_handle_queue(VirtioDevice *v, unsigned q)
{
    VirtioBlk *blk = virtio_blk(v);
    VirtqElement *e = &blk->element;

    blk->used = false;
    while (virtqueue_pop(v, q, e)) {
        if (e->out_bytes < HEADER_BYTES || e->in_bytes < 1) {
            virtio_error(v, "a request without a header or a status byte");
            return;
        }
        blk->in_kick = true;
        begin(blk, q, e);
        blk->in_kick = false;
    }
    if (blk->used) {
        virtqueue_notify(v, q);
    }
}

static void virtio_blk_forget_queue(VirtioDevice *v, unsigned q)
{
    VirtioBlk *blk = virtio_blk(v);

    if (blk->disk) {
        disk_cancel(blk->disk, tag_of(q, 0), tag_of(q, UINT16_MAX));
    }
}

/* ---- configuration space (5.2.4) ---- */

static void fill_config(const VirtioBlk *blk, uint8_t *c)
{
    const VirtioBlkConfig *config = &blk->config;
    uint64_t sectors = disk_bytes(blk->disk) / DISK_SECTOR;
    /* Nobody believes in it: 16 heads of 63 sectors. */
    uint64_t cylinders = MIN(sectors / (16 * 63), 16383);

    memset(c, 0, CONFIG_BYTES);
    store_le(c, sectors, 8);
    store_le(c + 12, QUEUE_SIZE - 2, 4);                 /* seg_max */
    store_le(c + 16, cylinders, 2);
    c[18] = 16;
    c[19] = 63;
    store_le(c + 20, config->logical, 4);                /* blk_size */
    c[24] = (uint8_t)(__builtin_ctz(config->physical) - __builtin_ctz(config->logical));
    store_le(c + 26, 1, 2);                              /* min_io_size, in logical blocks */
    c[32] = 1;                                           /* writeback */
    store_le(c + 34, config->num_queues, 2);
    store_le(c + 36, config->discard ? MAX_RANGE_SECTORS : 0, 4);
    store_le(c + 40, config->discard, 4);                /* max_discard_seg */
    store_le(c + 44, config->physical / DISK_SECTOR, 4); /* discard_sector_alignment */
    store_le(c + 48, config->write_zeroes ? MAX_RANGE_SECTORS : 0, 4);
    store_le(c + 52, config->write_zeroes, 4);           /* max_write_zeroes_seg */
    c[56] = config->write_zeroes;                        /* write_zeroes_may_unmap */
}

static uint8_t virtio_blk_config_read(VirtioDevice *v, unsigned offset)
{
    uint8_t config[CONFIG_BYTES];

    fill_config(virtio_blk(v), config);
    return config[offset];
}

/* ---- shell ---- */

static const VirtioDeviceType virtio_blk_vtype = {
    .device_id = VIRTIO_ID_BLOCK,
    .queue_size = QUEUE_SIZE,
    .config_size = CONFIG_BYTES,
    .features = BIT64(BLK_F_SEG_MAX) | BIT64(BLK_F_GEOMETRY) | BIT64(BLK_F_BLK_SIZE) | BIT64(BLK_F_FLUSH) |
                BIT64(BLK_F_TOPOLOGY),
    .handle_queue = virtio_blk_handle_queue,
    .forget_queue = virtio_blk_forget_queue,
    .config_read = virtio_blk_config_read,
};

static bool check_blocks(const VirtioBlkConfig *c, Error **errp)
{
    if ((c->logical & (c->logical - 1)) || (c->physical & (c->physical - 1)) || c->logical > c->physical) {
        error_setg(errp, "virtio-blk: logical_block_size=%" PRIu32 " and physical_block_size=%" PRIu32
                   ": both are powers of two, and the first is not the greater one", c->logical, c->physical);
        return false;
    }
    return true;
}

static bool virtio_blk_resize(Device *dev, uint64_t bytes, Error **errp)
{
    VirtioBlk *blk = container_of(dev, VirtioBlk, parent.dev);

    if (!disk_resize(blk->disk, bytes, errp)) {
        return false;
    }
    if (blk->state.virtio.status & VIRTIO_STATUS_DRIVER_OK) {
        virtio_config_changed(&blk->parent);
    }
    return true;
}

static bool virtio_blk_realize(Device *dev, Error **errp)
{
    VirtioBlk *blk = container_of(dev, VirtioBlk, parent.dev);
    Drive *drive = drive_take(dev->machine, blk->config.drive, dev, errp);

    if (!drive || !check_blocks(&blk->config, errp)) {
        return false;
    }
    blk->disk = disk_new(dev, drive, &blk->config.errors, &blk->state.disk, disk_done, blk, errp);
    if (!blk->disk) {
        return false;
    }
    drive->resize = virtio_blk_resize;
    blk->vtype = virtio_blk_vtype;
    blk->vtype.num_queues = (uint16_t)blk->config.num_queues;
    blk->vtype.features |= (blk->config.num_queues > 1 ? BIT64(BLK_F_MQ) : 0) |
                           (disk_is_readonly(blk->disk) ? BIT64(BLK_F_RO) : 0) |
                           (blk->config.discard ? BIT64(BLK_F_DISCARD) : 0) |
                           (blk->config.write_zeroes ? BIT64(BLK_F_WRITE_ZEROES) : 0);
    virtio_init(&blk->parent, &blk->vtype, &blk->state.virtio, &blk->config.virtio);
    return true;
}

static void virtio_blk_post_load(Device *dev)
{
    VirtioBlk *blk = container_of(dev, VirtioBlk, parent.dev);
    unsigned num_queues = blk->config.num_queues;

    disk_loaded(blk->disk);
    disk_cancel(blk->disk, tag_of(num_queues, 0), UINT64_MAX);
    virtio_device_post_load(dev);
    /* Chains and requests that do not belong together are nobody's; a broken device may have such. */
    if (blk->state.virtio.broken) {
        return;
    }
    for (unsigned q = 0; q < num_queues; q++) {
        if (blk->state.virtio.in_use[q] != disk_in_flight(blk->disk, tag_of(q, 0), tag_of(q, UINT16_MAX))) {
            virtio_reset_queue(&blk->parent, q);
        }
    }
}

static void virtio_blk_free(Device *dev)
{
    VirtioBlk *blk = container_of(dev, VirtioBlk, parent.dev);

    disk_free(blk->disk);
    drive_release(dev);
    g_free(blk);
}

static const Property virtio_blk_properties[] = {
    VIRTIO_PROPERTIES(VirtioBlkConfig),
    PROP_STRING("drive", VirtioBlkConfig, drive, NULL, "the disk: a -drive's or -blockdev's name"),
    PROP_STRING("serial", VirtioBlkConfig, serial, NULL, "serial number that the guest reads, up to 20 characters"),
    PROP_UINT("logical_block_size", VirtioBlkConfig, logical, "512", 512, 32768, "unit of addresses, in bytes"),
    PROP_UINT("physical_block_size", VirtioBlkConfig, physical, "512", 512, 32768, "unit of good speed, in bytes"),
    PROP_BOOL("discard", VirtioBlkConfig, discard, "on", "offer to give up blocks"),
    PROP_BOOL("write-zeroes", VirtioBlkConfig, write_zeroes, "on", "offer to write zeros"),
    DISK_ERROR_PROPERTIES(VirtioBlkConfig),
    PROP_UINT("num-queues", VirtioBlkConfig, num_queues, "1", 1, VIRTIO_MAX_QUEUES, "request queues"),
    PROP_FIXED("config-wce", PROPERTY_BOOL, "the cache mode is fixed", "let the guest choose the cache mode", "off"),
    PROP_END
};

const DeviceType virtio_blk_type = {
    .name = "virtio-blk-device", .doc = "a disk", .bus = VIRTIO_BUS,
    .pluggable = true, .size = sizeof(VirtioBlk),
    .fields = &virtio_blk_fields, .state_offset = offsetof(VirtioBlk, state),
    .properties = virtio_blk_properties, .config_offset = offsetof(VirtioBlk, config),
    .realize = virtio_blk_realize, .reset = virtio_device_reset,
    .post_load = virtio_blk_post_load, .free = virtio_blk_free,
};
