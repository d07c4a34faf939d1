/*
 * SCSI disks: scsi-hd (SBC-3) and scsi-cd (MMC-6). Wiring: a place on a SCSI bus, one drive.
 *
 * A read or write is one request of the disk (hw/block/disk.h), under the command's tag. The write cache is on and
 * SYNCHRONIZE CACHE empties it; forced unit access is not offered.
 *
 * Not modelled: reservations, persistent or not; log pages; protection information; verifying with data; media that
 * are changed while the machine runs; audio and writing of CDs. MODE SELECT takes pages and changes nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "scsi-internal.h"
#include "util/bytes.h"

#define CD_BLOCK 2048u
#define MAX_SAME_BYTES (4u << 20)    /* WRITE SAME of other bytes than zeros */
#define UNMAP_HEADER 8
#define UNMAP_RANGE 16

#define SCSI_DISK_FIELDS(F, S)  \
    DISK_FIELDS(F, S)           \
    F(S, U32, attention)        \
    F(S, U8, tray_open)         \
    F(S, U8, locked)            \
    F(S, U8, stopped)           \
    F(S, U8, pad)

FIELD_TABLE(scsi_disk_fields, "scsi-disk", 1, ScsiDiskState, SCSI_DISK_FIELDS);

bool scsi_unit_is_cd(const ScsiUnit *u)
{
    return u->dev.type == &scsi_cd_type;
}

uint64_t scsi_unit_blocks(const ScsiUnit *u)
{
    return u->disk ? disk_bytes(u->disk) / u->block : 0;
}

bool scsi_unit_is_readonly(const ScsiUnit *u)
{
    return scsi_unit_is_cd(u) || (u->disk && disk_is_readonly(u->disk));
}

bool scsi_unit_has_medium(const ScsiUnit *u)
{
    return u->disk && !u->state.tray_open;
}

static void done(ScsiUnit *u, uint64_t tag, const void *data, size_t length)
{
    scsi_done(u->scsi, tag, data, length, 0);
}

static void fail(ScsiUnit *u, uint64_t tag, enum ScsiSense sense)
{
    scsi_fail(u->scsi, tag, sense);
}

/* A reply, or no such field; as much as the initiator allows. */
static void reply(ScsiUnit *u, uint64_t tag, const uint8_t *data, size_t length, uint64_t allowed)
{
    if (length) {
        done(u, tag, data, MIN(length, allowed));
    } else {
        fail(u, tag, SENSE_INVALID_FIELD);
    }
}

/* ---- blocks ---- */

/* Of a read, write, verify, write same or synchronize cache: by the group of the operation code (SPC-4 4.2.5.1). */
static void parse_range(const uint8_t *cdb, uint64_t *first, uint64_t *count)
{
    switch (cdb[0] >> 5) {
    case 0:
        *first = load_be(cdb + 1, 3) & 0x1fffff;
        *count = cdb[4] ? cdb[4] : 256;
        break;
    case 1:
    case 2:
        *first = load_be(cdb + 2, 4);
        *count = load_be(cdb + 7, 2);
        break;
    case 4:
        *first = load_be(cdb + 2, 8);
        *count = load_be(cdb + 10, 4);
        break;
    default:
        *first = load_be(cdb + 2, 4);
        *count = load_be(cdb + 6, 4);
    }
}

static bool is_within(const ScsiUnit *u, uint64_t first, uint64_t count)
{
    uint64_t blocks = scsi_unit_blocks(u);

    return first <= blocks && count <= blocks - first;
}

static void submit(ScsiUnit *u, DiskOp op, uint64_t tag, uint64_t first, uint64_t count, const void *data)
{
    disk_submit(u->disk, op, tag, first * u->block, count * u->block, data);
}

static void transfer(ScsiUnit *u, const ScsiCommand *c, bool writing)
{
    uint64_t first, count;

    parse_range(c->cdb, &first, &count);
    if (writing && scsi_unit_is_readonly(u)) {
        fail(u, c->tag, SENSE_WRITE_PROTECTED);
    } else if (!is_within(u, first, count)) {
        fail(u, c->tag, SENSE_OUT_OF_RANGE);
    } else if (c->cdb[0] >> 5 && c->cdb[1] & 0xe8) {     /* protection, FUA */
        fail(u, c->tag, SENSE_INVALID_FIELD);
    } else if (count == 0) {
        done(u, c->tag, NULL, 0);
    } else if (count * u->block > DISK_MAX_REQUEST || count * u->block > (writing ? c->out_bytes : c->in_bytes)) {
        fail(u, c->tag, SENSE_INVALID_FIELD);
    } else if (writing) {
        g_autofree uint8_t *data = g_malloc0(count * u->block);

        scsi_bus_read(u->scsi, 0, data, count * u->block);
        submit(u, DISK_WRITE, c->tag, first, count, data);
    } else {
        submit(u, DISK_READ, c->tag, first, count, NULL);
    }
}

/* BYTCHK: to compare with data, which is not there. */
static void verify(ScsiUnit *u, const ScsiCommand *c)
{
    uint64_t first, count;

    parse_range(c->cdb, &first, &count);
    if (c->cdb[1] & 0xe6) {
        fail(u, c->tag, SENSE_INVALID_FIELD);
    } else if (!is_within(u, first, count)) {
        fail(u, c->tag, SENSE_OUT_OF_RANGE);
    } else {
        done(u, c->tag, NULL, 0);
    }
}

static void synchronize(ScsiUnit *u, const ScsiCommand *c)
{
    uint64_t first, count;

    parse_range(c->cdb, &first, &count);
    if (!is_within(u, first, count)) {
        fail(u, c->tag, SENSE_OUT_OF_RANGE);
    } else {
        disk_submit(u->disk, DISK_FLUSH, c->tag, 0, 0, NULL);
    }
}

static void write_same(ScsiUnit *u, const ScsiCommand *c)
{
    bool unmap = c->cdb[1] & 0x08, no_data = c->cdb[0] == OP_WRITE_SAME_16 && c->cdb[1] & 0x01;
    g_autofree uint8_t *block = g_malloc0(u->block), *data = NULL;
    uint64_t first, count;
    bool zero = true;

    parse_range(c->cdb, &first, &count);
    if (scsi_unit_is_readonly(u)) {
        fail(u, c->tag, SENSE_WRITE_PROTECTED);
        return;
    }
    if (!is_within(u, first, count)) {
        fail(u, c->tag, SENSE_OUT_OF_RANGE);
        return;
    }
    /* A count of 0 is all of the rest, which VPD page b0 does not offer (WSNZ). */
    if (c->cdb[1] & 0xf6 || count == 0 || count > MAX_RANGE_BLOCKS || (!no_data && c->out_bytes < u->block)) {
        fail(u, c->tag, SENSE_INVALID_FIELD);
        return;
    }
    if (!no_data) {
        scsi_bus_read(u->scsi, 0, block, u->block);
    }
    for (uint32_t i = 0; i < u->block; i++) {
        zero = zero && !block[i];
    }
    if (zero) {
        submit(u, unmap ? DISK_UNMAP_ZEROES : DISK_WRITE_ZEROES, c->tag, first, count, NULL);
    } else if (count * u->block > MAX_SAME_BYTES) {
        fail(u, c->tag, SENSE_INVALID_FIELD);
    } else {
        data = g_malloc(count * u->block);
        for (uint64_t i = 0; i < count; i++) {
            memcpy(data + i * u->block, block, u->block);
        }
        submit(u, DISK_WRITE, c->tag, first, count, data);
    }
}

/* One range, as VPD page b0 says. */
static void unmap(ScsiUnit *u, const ScsiCommand *c)
{
    uint64_t length = load_be(c->cdb + 7, 2), first, count;
    uint8_t list[UNMAP_HEADER + UNMAP_RANGE] = { 0 };

    if (scsi_unit_is_readonly(u)) {
        fail(u, c->tag, SENSE_WRITE_PROTECTED);
        return;
    }
    if (c->cdb[1] & 1 || length > c->out_bytes) {
        fail(u, c->tag, SENSE_INVALID_FIELD);
        return;
    }
    if (length < sizeof(list)) {
        if (length && length < UNMAP_HEADER) {
            fail(u, c->tag, SENSE_INVALID_PARAMETER);
        } else {
            done(u, c->tag, NULL, 0);
        }
        return;
    }
    scsi_bus_read(u->scsi, 0, list, sizeof(list));
    first = load_be(list + UNMAP_HEADER, 8);
    count = load_be(list + UNMAP_HEADER + 8, 4);
    if (load_be(list + 2, 2) > UNMAP_RANGE || count > MAX_RANGE_BLOCKS) {
        fail(u, c->tag, SENSE_INVALID_PARAMETER);
    } else if (!is_within(u, first, count)) {
        fail(u, c->tag, SENSE_OUT_OF_RANGE);
    } else if (count == 0 || load_be(list + 2, 2) < UNMAP_RANGE) {
        done(u, c->tag, NULL, 0);
    } else {
        submit(u, DISK_UNMAP_ZEROES, c->tag, first, count, NULL);
    }
}

static void disk_done(void *opaque, uint64_t tag, DiskStatus status, const uint8_t *data, size_t length)
{
    ScsiUnit *u = opaque;

    if (status == DISK_OK) {
        done(u, tag, data, length);
    } else {
        fail(u, tag, status == DISK_NO_SPACE ? SENSE_NO_SPACE : status == DISK_UNSUPPORTED ? SENSE_INVALID_OPCODE
                     : SENSE_TARGET_FAILURE);
    }
}

/* ---- other commands ---- */

static void read_capacity_10(ScsiUnit *u, const ScsiCommand *c)
{
    uint64_t last = scsi_unit_blocks(u) - 1;
    uint8_t out[8];

    store_be(out, MIN(last, UINT32_MAX), 4);
    store_be(out + 4, u->block, 4);
    done(u, c->tag, out, sizeof(out));
}

static void read_capacity_16(ScsiUnit *u, const ScsiCommand *c)
{
    uint8_t out[32] = { 0 };

    store_be(out, scsi_unit_blocks(u) - 1, 8);
    store_be(out + 8, u->block, 4);
    out[14] = scsi_unit_is_readonly(u) ? 0 : 0xc0;     /* LBPME, LBPRZ */
    done(u, c->tag, out, MIN(sizeof(out), load_be(c->cdb + 10, 4)));
}

static void start_stop(ScsiUnit *u, const ScsiCommand *c)
{
    bool start = c->cdb[4] & 1, load = c->cdb[4] & 2;

    if (load && !start && u->state.locked) {
        fail(u, c->tag, SENSE_REMOVAL_PREVENTED);
        return;
    }
    if (load && (scsi_unit_is_cd(u) || u->config.removable)) {
        u->state.tray_open = !start;
    }
    u->state.stopped = !start;
    done(u, c->tag, NULL, 0);
}

/* What needs a medium. */
static void request_medium(ScsiUnit *u, const ScsiCommand *c)
{
    uint8_t out[SCSI_REPLY_BYTES] = { 0 };
    const uint8_t *cdb = c->cdb;

    switch (cdb[0]) {
    case OP_TEST_UNIT_READY:
        done(u, c->tag, NULL, 0);
        break;
    case OP_READ_6:
    case OP_READ_10:
    case OP_READ_12:
    case OP_READ_16:
        transfer(u, c, false);
        break;
    case OP_WRITE_6:
    case OP_WRITE_10:
    case OP_WRITE_12:
    case OP_WRITE_16:
        transfer(u, c, true);
        break;
    case OP_VERIFY_10:
    case OP_VERIFY_12:
    case OP_VERIFY_16:
        verify(u, c);
        break;
    case OP_SYNCHRONIZE_CACHE_10:
    case OP_SYNCHRONIZE_CACHE_16:
        synchronize(u, c);
        break;
    case OP_WRITE_SAME_10:
    case OP_WRITE_SAME_16:
        write_same(u, c);
        break;
    case OP_UNMAP:
        unmap(u, c);
        break;
    case OP_READ_CAPACITY_10:
        read_capacity_10(u, c);
        break;
    case OP_SERVICE_ACTION_IN_16:
        if ((cdb[1] & 0x1f) == 0x10) {
            read_capacity_16(u, c);
        } else {
            fail(u, c->tag, SENSE_INVALID_FIELD);
        }
        break;
    case OP_READ_TOC:
        reply(u, c->tag, out, scsi_read_toc(u, cdb, out), load_be(cdb + 7, 2));
        break;
    case OP_READ_DISC_INFORMATION:
        reply(u, c->tag, out, scsi_disc_information(u, out), load_be(cdb + 7, 2));
        break;
    default:
        fail(u, c->tag, SENSE_INVALID_OPCODE);
    }
}

static bool is_of_cd(uint8_t op)
{
    return op == OP_READ_TOC || op == OP_GET_CONFIGURATION || op == OP_GET_EVENT_STATUS ||
           op == OP_READ_DISC_INFORMATION || op == OP_MECHANISM_STATUS;
}

static void request_sense(ScsiUnit *u, const ScsiCommand *c)
{
    uint8_t sense[SCSI_SENSE_BYTES];

    scsi_fill_sense(sense, (enum ScsiSense)u->state.attention);
    u->state.attention = 0;
    done(u, c->tag, sense, MIN(sizeof(sense), c->cdb[4]));
}

void scsi_unit_request(ScsiUnit *u, const ScsiCommand *c)
{
    uint8_t out[SCSI_REPLY_BYTES] = { 0 };
    const uint8_t *cdb = c->cdb;

    /* INQUIRY and these neither wait for a unit attention nor take it (SAM-5 5.14). */
    if (u->state.attention && cdb[0] != OP_INQUIRY && cdb[0] != OP_REQUEST_SENSE && cdb[0] != OP_GET_CONFIGURATION &&
        cdb[0] != OP_GET_EVENT_STATUS) {
        enum ScsiSense sense = (enum ScsiSense)u->state.attention;

        u->state.attention = 0;
        fail(u, c->tag, sense);
        return;
    }
    if (is_of_cd(cdb[0]) && !scsi_unit_is_cd(u)) {
        fail(u, c->tag, SENSE_INVALID_OPCODE);
        return;
    }
    switch (cdb[0]) {
    case OP_INQUIRY:
        reply(u, c->tag, out, scsi_inquiry(u, cdb, out), load_be(cdb + 3, 2));
        break;
    case OP_REQUEST_SENSE:
        request_sense(u, c);
        break;
    case OP_MODE_SENSE_6:
        reply(u, c->tag, out, scsi_mode_sense(u, cdb, out), cdb[4]);
        break;
    case OP_MODE_SENSE_10:
        reply(u, c->tag, out, scsi_mode_sense(u, cdb, out), load_be(cdb + 7, 2));
        break;
    case OP_MODE_SELECT_6:
    case OP_MODE_SELECT_10:
        done(u, c->tag, NULL, 0);
        break;
    case OP_START_STOP_UNIT:
        start_stop(u, c);
        break;
    case OP_PREVENT_ALLOW:
        u->state.locked = cdb[4] & 1;
        done(u, c->tag, NULL, 0);
        break;
    case OP_GET_CONFIGURATION:
        reply(u, c->tag, out, scsi_configuration(u, cdb, out), load_be(cdb + 7, 2));
        break;
    case OP_GET_EVENT_STATUS:
        reply(u, c->tag, out, scsi_event_status(u, cdb, out), load_be(cdb + 7, 2));
        break;
    case OP_MECHANISM_STATUS:
        out[5] = 0;
        done(u, c->tag, out, MIN(8, load_be(cdb + 8, 2)));
        break;
    default:
        if (scsi_unit_has_medium(u)) {
            request_medium(u, c);
        } else {
            fail(u, c->tag, u->state.tray_open ? SENSE_TRAY_OPEN : SENSE_NO_MEDIUM);
        }
    }
}

/* ---- shell ---- */

static bool check_config(const ScsiUnit *u, Error **errp)
{
    const ScsiDiskConfig *c = &u->config;

    if (c->block & (c->block - 1)) {
        error_setg(errp, "%s: logical_block_size=%" PRIu32 " is no power of two", u->dev.type->name, c->block);
        return false;
    }
    if (c->channel) {
        error_setg(errp, "%s: channel=%" PRIu32 ": the bus has channel 0 alone", u->dev.type->name, c->channel);
        return false;
    }
    return true;
}

static bool scsi_disk_realize(Device *dev, Error **errp)
{
    ScsiUnit *u = container_of(dev, ScsiUnit, dev);
    ScsiBus *scsi = scsi_bus_of(dev);
    Drive *drive = NULL;

    u->scsi = scsi;
    u->block = scsi_unit_is_cd(u) ? CD_BLOCK : u->config.block;
    if (!check_config(u, errp)) {
        return false;
    }
    if (u->config.drive || !scsi_unit_is_cd(u)) {
        drive = drive_take(dev->machine, u->config.drive, dev, errp);
        if (!drive) {
            return false;
        }
        if (drive->image->bytes < u->block) {
            error_setg(errp, "%s: drive '%s' has less than one block of %" PRIu32 " bytes", dev->type->name, drive->id,
                       u->block);
            return false;
        }
        u->disk = disk_new(dev, drive, &u->config.errors, &u->state.disk, disk_done, u, errp);
        if (!u->disk) {
            return false;
        }
    } else {
        u->state.disk.requests = g_byte_array_new();
    }
    return scsi_bus_add(scsi, u, errp);
}

static void scsi_disk_reset(Device *dev)
{
    ScsiUnit *u = container_of(dev, ScsiUnit, dev);

    if (u->disk) {
        disk_cancel(u->disk, 0, UINT64_MAX);
    }
    u->state.attention = SENSE_POWER_ON;
    u->state.tray_open = 0;
    u->state.locked = 0;
    u->state.stopped = 0;
}

static void scsi_disk_post_load(Device *dev)
{
    ScsiUnit *u = container_of(dev, ScsiUnit, dev);

    if (u->disk) {
        disk_loaded(u->disk);
    }
    u->state.attention &= 0xffffff;
    u->state.tray_open = !!u->state.tray_open;
    u->state.locked = !!u->state.locked;
    u->state.stopped = !!u->state.stopped;
}

static void scsi_disk_free(Device *dev)
{
    ScsiUnit *u = container_of(dev, ScsiUnit, dev);

    disk_free(u->disk);
    if (u->state.disk.requests) {
        g_byte_array_unref(u->state.disk.requests);
    }
    drive_release(dev);
    g_free(u);
}

#define SCSI_DISK_PROPERTIES(product_)                                                                          \
    PROP_STRING("drive", ScsiDiskConfig, drive, NULL, "the disk: a -drive's or -blockdev's name"),              \
    PROP_UINT("channel", ScsiDiskConfig, channel, "0", 0, UINT32_MAX, "channel of the bus; there is 0"),        \
    PROP_UINT("scsi-id", ScsiDiskConfig, target, "4294967295", 0, UINT32_MAX,                                   \
              "its target; 4294967295: a free one"),                                                            \
    PROP_UINT("lun", ScsiDiskConfig, lun, "4294967295", 0, UINT32_MAX,                                          \
              "its unit of the target; 4294967295: a free one"),                                                \
    PROP_STRING("serial", ScsiDiskConfig, serial, NULL, "serial number that the guest reads, up to 36 characters"), \
    PROP_STRING("vendor", ScsiDiskConfig, vendor, "REARM", "vendor that the guest reads, up to 8 characters"),  \
    PROP_STRING("product", ScsiDiskConfig, product, product_, "product that the guest reads, up to 16 characters"), \
    PROP_STRING("ver", ScsiDiskConfig, ver, "1.0", "revision that the guest reads, up to 4 characters"),        \
    PROP_UINT("wwn", ScsiDiskConfig, wwn, "0", 0, UINT64_MAX, "world wide name; 0: none"),                      \
    DISK_ERROR_PROPERTIES(ScsiDiskConfig)

static const Property scsi_hd_properties[] = {
    SCSI_DISK_PROPERTIES("REARM HARDDISK"),
    PROP_BOOL("removable", ScsiDiskConfig, removable, "off", "tell the guest that the medium can be removed"),
    PROP_UINT("logical_block_size", ScsiDiskConfig, block, "512", 512, 32768, "unit of addresses, in bytes"),
    PROP_END
};

static const Property scsi_cd_properties[] = {
    SCSI_DISK_PROPERTIES("REARM CD-ROM"),
    PROP_END
};

#define SCSI_DISK_TYPE(name_, doc_, properties_)                                                        \
    .name = name_, .doc = doc_, .bus = SCSI_BUS, .pluggable = true,                                     \
    .stays = "units that come later are not told to the guest",                                         \
    .size = sizeof(ScsiUnit), .fields = &scsi_disk_fields, .state_offset = offsetof(ScsiUnit, state),   \
    .properties = properties_, .config_offset = offsetof(ScsiUnit, config),                             \
    .realize = scsi_disk_realize, .reset = scsi_disk_reset, .post_load = scsi_disk_post_load, .free = scsi_disk_free

const DeviceType scsi_hd_type = { SCSI_DISK_TYPE("scsi-hd", "a disk on a SCSI bus", scsi_hd_properties) };
const DeviceType scsi_cd_type = { SCSI_DISK_TYPE("scsi-cd", "a CD-ROM drive on a SCSI bus", scsi_cd_properties) };
