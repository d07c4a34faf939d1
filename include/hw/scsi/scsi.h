/*
 * SCSI: a bus of logical units (SAM-5), between a controller that carries commands (hw/virtio/virtio-scsi.c) and the
 * devices that obey them (hw/scsi/scsi-disk.c).
 *
 * 1. A command is known by its tag, the controller's word for it. It ends once, with ScsiBusOps.done(), within
 *    scsi_bus_request() or later; where its data is, the controller finds by the tag.
 * 2. Whoever ends a command has its sense data go along (autosense), so none is kept.
 * 3. Commands in flight are requests of the unit's disk (hw/block/disk.h), in the unit's state. Nothing
 *    else of a command outlives scsi_bus_request().
 *
 * Machine thread only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_SCSI_SCSI_H
#define HW_SCSI_SCSI_H

#include "hw/core/bus.h"

/* The kind of bus; the one of controller ID is called "ID.0". */
#define SCSI_BUS "SCSI"
#define SCSI_MAX_TARGET 255u
#define SCSI_MAX_LUN 16383u
#define SCSI_CDB_BYTES 32
#define SCSI_SENSE_BYTES 18

/* SAM-5 5.3.1. */
enum ScsiStatus {
    SCSI_GOOD = 0,
    SCSI_CHECK_CONDITION = 2,
};

typedef struct ScsiResult {
    enum ScsiStatus status;
    uint8_t sense[SCSI_SENSE_BYTES];    /* with SCSI_CHECK_CONDITION */
    const uint8_t *data;                /* for the initiator; valid during the call */
    size_t length;
    uint64_t taken;                     /* of the data from the initiator */
} ScsiResult;

typedef struct ScsiCommand {
    uint64_t tag;
    uint8_t cdb[SCSI_CDB_BYTES];
    uint64_t out_bytes, in_bytes;       /* room for data in either direction */
} ScsiCommand;

typedef struct ScsiBus ScsiBus;

typedef struct ScsiBusOps {
    /* Data of the command that is being begun; bytes copied. */
    size_t (*read)(void *opaque, uint64_t offset, void *out, size_t length);
    void (*done)(void *opaque, uint64_t tag, const ScsiResult *result);
} ScsiBusOps;

/* From the controller's realize; the machine frees the bus, and the controller what this returns. */
ScsiBus *scsi_bus_new(Device *controller, const char *name, const ScsiBusOps *ops, void *opaque);
void scsi_bus_free(ScsiBus *scsi);
/* Whether a target is there, with any unit. */
bool scsi_bus_has_target(const ScsiBus *scsi, unsigned target);
bool scsi_bus_has_unit(const ScsiBus *scsi, unsigned target, unsigned lun);
/* Of a target that is there. */
void scsi_bus_request(ScsiBus *scsi, unsigned target, unsigned lun, const ScsiCommand *c);
/* Commands with tags from first to last are no more: how many there were. */
unsigned scsi_bus_cancel(ScsiBus *scsi, uint64_t first, uint64_t last);
/* Whether the command is in flight, and on which unit. */
bool scsi_bus_find(const ScsiBus *scsi, uint64_t tag, unsigned *target, unsigned *lun);
/* A unit was reset by a task management function. */
void scsi_bus_reset_unit(ScsiBus *scsi, unsigned target, unsigned lun);

extern const DeviceType scsi_hd_type, scsi_cd_type;

#endif
