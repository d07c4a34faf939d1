/*
 * A SCSI bus: where its units are, and what a target says that has no such unit (SPC-4 6.33, 6.6.2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "scsi-internal.h"
#include "util/bytes.h"

struct ScsiBus {
    Bus *bus;
    const ScsiBusOps *ops;
    void *opaque;
    GPtrArray *units;         /* ScsiUnit *, realized */
};

static void attach(Bus *bus, Device *dev)
{
}

ScsiBus *scsi_bus_new(Device *controller, const char *name, const ScsiBusOps *ops, void *opaque)
{
    ScsiBus *scsi = g_new0(ScsiBus, 1);

    scsi->bus = bus_new(controller, SCSI_BUS, name, (SCSI_MAX_TARGET + 1) * (SCSI_MAX_LUN + 1), attach);
    scsi->bus->opaque = scsi;
    scsi->ops = ops;
    scsi->opaque = opaque;
    scsi->units = g_ptr_array_new();
    return scsi;
}

void scsi_bus_free(ScsiBus *scsi)
{
    if (scsi) {
        g_ptr_array_unref(scsi->units);
        g_free(scsi);
    }
}

ScsiBus *scsi_bus_of(const Device *dev)
{
    return dev->bus->opaque;
}

static ScsiUnit *unit_at(const ScsiBus *scsi, unsigned n)
{
    return g_ptr_array_index(scsi->units, n);
}

static ScsiUnit *find_unit(const ScsiBus *scsi, unsigned target, unsigned lun)
{
    for (unsigned n = 0; n < scsi->units->len; n++) {
        ScsiUnit *u = unit_at(scsi, n);

        if (u->target == target && u->lun == lun) {
            return u;
        }
    }
    return NULL;
}

bool scsi_bus_has_target(const ScsiBus *scsi, unsigned target)
{
    for (unsigned n = 0; n < scsi->units->len; n++) {
        if (unit_at(scsi, n)->target == target) {
            return true;
        }
    }
    return false;
}

bool scsi_bus_has_unit(const ScsiBus *scsi, unsigned target, unsigned lun)
{
    return find_unit(scsi, target, lun);
}

/* Without scsi-id= and lun=: the first free target; with one of them, the first free place that fits it. */
bool scsi_bus_add(ScsiBus *scsi, ScsiUnit *unit, Error **errp)
{
    uint32_t target = unit->config.target, lun = unit->config.lun;

    if (target == UINT32_MAX) {
        lun = lun == UINT32_MAX ? 0 : lun;
        for (target = 0; target <= SCSI_MAX_TARGET && find_unit(scsi, target, lun); target++) {
        }
    } else if (lun == UINT32_MAX) {
        for (lun = 0; lun <= SCSI_MAX_LUN && find_unit(scsi, target, lun); lun++) {
        }
    }
    if (target > SCSI_MAX_TARGET || lun > SCSI_MAX_LUN) {
        error_setg(errp, "scsi-id=%" PRIu32 ",lun=%" PRIu32 ": '%s' has targets 0 to %u with units 0 to %u%s",
                   target, lun, scsi->bus->name, SCSI_MAX_TARGET, SCSI_MAX_LUN,
                   unit->config.target == UINT32_MAX ? ", and no target is free" : "");
        return false;
    }
    if (find_unit(scsi, target, lun)) {
        error_setg(errp, "scsi-id=%" PRIu32 ",lun=%" PRIu32 " is that of '%s'; without both, a free one is taken",
                   target, lun, find_unit(scsi, target, lun)->dev.id);
        return false;
    }
    unit->target = target;
    unit->lun = lun;
    g_ptr_array_add(scsi->units, unit);
    return true;
}

/* ---- ends of commands ---- */

/* Fixed format (SPC-4 4.5.3). */
void scsi_fill_sense(uint8_t *out, enum ScsiSense sense)
{
    memset(out, 0, SCSI_SENSE_BYTES);
    out[0] = 0x70;
    out[2] = (uint8_t)(sense >> 16);
    out[7] = SCSI_SENSE_BYTES - 8;
    out[12] = (uint8_t)(sense >> 8);
    out[13] = (uint8_t)sense;
}

void scsi_fail(ScsiBus *scsi, uint64_t tag, enum ScsiSense sense)
{
    ScsiResult result = { .status = SCSI_CHECK_CONDITION };

    scsi_fill_sense(result.sense, sense);
    scsi->ops->done(scsi->opaque, tag, &result);
}

void scsi_done(ScsiBus *scsi, uint64_t tag, const void *data, size_t length, uint64_t taken)
{
    ScsiResult result = { .status = SCSI_GOOD, .data = data, .length = length, .taken = taken };

    scsi->ops->done(scsi->opaque, tag, &result);
}

size_t scsi_bus_read(ScsiBus *scsi, uint64_t offset, void *out, size_t length)
{
    return scsi->ops->read(scsi->opaque, offset, out, length);
}

/* ---- commands ---- */

static void report_luns(ScsiBus *scsi, unsigned target, const ScsiCommand *c)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    uint8_t entry[8] = { 0 };
    bool zero = false;

    if (c->cdb[2] > 2) {
        scsi_fail(scsi, c->tag, SENSE_INVALID_FIELD);
        return;
    }
    g_byte_array_append(out, entry, 8);
    for (unsigned n = 0; n < scsi->units->len && c->cdb[2] != 1; n++) {
        const ScsiUnit *u = unit_at(scsi, n);

        if (u->target == target) {
            zero = zero || u->lun == 0;
            store_be(entry, u->lun < 256 ? u->lun : 0x4000 | u->lun, 2);    /* SAM-5 4.7.7 */
            g_byte_array_append(out, entry, 8);
        }
    }
    if (!zero && c->cdb[2] != 1) {
        memset(entry, 0, sizeof(entry));
        g_byte_array_append(out, entry, 8);
    }
    store_be(out->data, out->len - 8, 4);
    scsi_done(scsi, c->tag, out->data, MIN(out->len, load_be(c->cdb + 6, 4)), 0);
}

/* To a unit that the target does not have (SPC-4 5.12). */
static void request_of_nobody(ScsiBus *scsi, const ScsiCommand *c)
{
    uint8_t data[36] = { 0x7f, 0, 6, 2, 31 };
    uint8_t sense[SCSI_SENSE_BYTES];

    if (c->cdb[0] == OP_INQUIRY && !(c->cdb[1] & 1)) {
        scsi_done(scsi, c->tag, data, MIN(sizeof(data), load_be(c->cdb + 3, 2)), 0);
    } else if (c->cdb[0] == OP_REQUEST_SENSE) {
        scsi_fill_sense(sense, SENSE_NO_UNIT);
        scsi_done(scsi, c->tag, sense, MIN(sizeof(sense), c->cdb[4]), 0);
    } else {
        scsi_fail(scsi, c->tag, SENSE_NO_UNIT);
    }
}

void scsi_bus_request(ScsiBus *scsi, unsigned target, unsigned lun, const ScsiCommand *c)
{
    ScsiUnit *u = find_unit(scsi, target, lun);

    if (c->cdb[0] == OP_REPORT_LUNS) {
        report_luns(scsi, target, c);
    } else if (u) {
        scsi_unit_request(u, c);
    } else {
        request_of_nobody(scsi, c);
    }
}

unsigned scsi_bus_cancel(ScsiBus *scsi, uint64_t first, uint64_t last)
{
    unsigned count = 0;

    for (unsigned n = 0; n < scsi->units->len; n++) {
        Disk *disk = unit_at(scsi, n)->disk;

        if (disk) {
            count += disk_in_flight(disk, first, last);
            disk_cancel(disk, first, last);
        }
    }
    return count;
}

bool scsi_bus_find(const ScsiBus *scsi, uint64_t tag, unsigned *target, unsigned *lun)
{
    for (unsigned n = 0; n < scsi->units->len; n++) {
        const ScsiUnit *u = unit_at(scsi, n);

        if (u->disk && disk_in_flight(u->disk, tag, tag)) {
            *target = u->target;
            *lun = u->lun;
            return true;
        }
    }
    return false;
}

void scsi_bus_reset_unit(ScsiBus *scsi, unsigned target, unsigned lun)
{
    ScsiUnit *u = find_unit(scsi, target, lun);

    if (u) {
        u->state.attention = SENSE_UNIT_RESET;
        u->state.locked = 0;
        u->state.stopped = 0;
    }
}
