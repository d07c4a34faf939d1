/*
 * Between the bus (scsi-bus.c), the disks (scsi-disk.c) and what they say of themselves (scsi-pages.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_SCSI_SCSI_INTERNAL_H
#define HW_SCSI_SCSI_INTERNAL_H

#include "hw/block/disk.h"
#include "hw/scsi/scsi.h"

/* Operation codes (SPC-4, SBC-3, MMC-6). */
enum ScsiOp {
    OP_TEST_UNIT_READY = 0x00,
    OP_REQUEST_SENSE = 0x03,
    OP_READ_6 = 0x08,
    OP_WRITE_6 = 0x0a,
    OP_INQUIRY = 0x12,
    OP_MODE_SELECT_6 = 0x15,
    OP_MODE_SENSE_6 = 0x1a,
    OP_START_STOP_UNIT = 0x1b,
    OP_PREVENT_ALLOW = 0x1e,
    OP_READ_CAPACITY_10 = 0x25,
    OP_READ_10 = 0x28,
    OP_WRITE_10 = 0x2a,
    OP_VERIFY_10 = 0x2f,
    OP_SYNCHRONIZE_CACHE_10 = 0x35,
    OP_WRITE_SAME_10 = 0x41,
    OP_UNMAP = 0x42,
    OP_READ_TOC = 0x43,
    OP_GET_CONFIGURATION = 0x46,
    OP_GET_EVENT_STATUS = 0x4a,
    OP_READ_DISC_INFORMATION = 0x51,
    OP_MODE_SELECT_10 = 0x55,
    OP_MODE_SENSE_10 = 0x5a,
    OP_READ_16 = 0x88,
    OP_WRITE_16 = 0x8a,
    OP_VERIFY_16 = 0x8f,
    OP_SYNCHRONIZE_CACHE_16 = 0x91,
    OP_WRITE_SAME_16 = 0x93,
    OP_SERVICE_ACTION_IN_16 = 0x9e,
    OP_REPORT_LUNS = 0xa0,
    OP_READ_12 = 0xa8,
    OP_WRITE_12 = 0xaa,
    OP_VERIFY_12 = 0xaf,
    OP_MECHANISM_STATUS = 0xbd,
};

/* Sense: key << 16 | additional code << 8 | qualifier. */
enum ScsiSense {
    SENSE_NONE = 0,
    SENSE_NO_MEDIUM = 0x023a01,
    SENSE_TRAY_OPEN = 0x023a02,
    SENSE_TARGET_FAILURE = 0x044400,
    SENSE_INVALID_OPCODE = 0x052000,
    SENSE_OUT_OF_RANGE = 0x052100,
    SENSE_INVALID_FIELD = 0x052400,
    SENSE_NO_UNIT = 0x052500,
    SENSE_INVALID_PARAMETER = 0x052600,
    SENSE_REMOVAL_PREVENTED = 0x055302,
    SENSE_POWER_ON = 0x062900,
    SENSE_UNIT_RESET = 0x062903,
    SENSE_WRITE_PROTECTED = 0x072700,
    SENSE_NO_SPACE = 0x072707,
};

#define MAX_RANGE_BLOCKS 0x3fffffu     /* of UNMAP and WRITE SAME */
#define MAX_TRANSFER_BLOCKS (DISK_MAX_REQUEST / 4096)

typedef struct ScsiDiskState {
    DiskState disk;
    uint32_t attention;       /* ScsiSense of the unit attention that waits; 0: none */
    uint8_t tray_open;
    uint8_t locked;           /* the initiator prevents removal */
    uint8_t stopped;
    uint8_t pad;
} ScsiDiskState;

typedef struct ScsiDiskConfig {
    char *drive, *serial, *vendor, *product, *ver;
    uint64_t wwn;
    uint32_t channel, target, lun, block;
    bool removable;
    DiskErrorConfig errors;
} ScsiDiskConfig;

typedef struct ScsiUnit {
    Device dev;               /* first */
    ScsiDiskState state;
    ScsiDiskConfig config;
    ScsiBus *scsi;
    unsigned target, lun;
    uint32_t block;           /* bytes of one */
    Disk *disk;               /* NULL: no medium */
} ScsiUnit;

/* ---- scsi-bus.c ---- */

ScsiBus *scsi_bus_of(const Device *dev);
/* Give the unit its place, the chosen one or a free one. */
bool scsi_bus_add(ScsiBus *scsi, ScsiUnit *unit, Error **errp);
size_t scsi_bus_read(ScsiBus *scsi, uint64_t offset, void *out, size_t length);
void scsi_done(ScsiBus *scsi, uint64_t tag, const void *data, size_t length, uint64_t taken);
void scsi_fail(ScsiBus *scsi, uint64_t tag, enum ScsiSense sense);
void scsi_fill_sense(uint8_t *out, enum ScsiSense sense);

/* ---- scsi-disk.c ---- */

void scsi_unit_request(ScsiUnit *u, const ScsiCommand *c);
bool scsi_unit_is_cd(const ScsiUnit *u);
uint64_t scsi_unit_blocks(const ScsiUnit *u);
bool scsi_unit_is_readonly(const ScsiUnit *u);
/* There is one, and the tray is closed. */
bool scsi_unit_has_medium(const ScsiUnit *u);

/* ---- scsi-pages.c: each fills `out`, zero before, and returns the length, or 0: there is no such thing. ---- */

#define SCSI_REPLY_BYTES 512

size_t scsi_inquiry(const ScsiUnit *u, const uint8_t *cdb, uint8_t *out);
size_t scsi_mode_sense(const ScsiUnit *u, const uint8_t *cdb, uint8_t *out);
size_t scsi_read_toc(const ScsiUnit *u, const uint8_t *cdb, uint8_t *out);
size_t scsi_configuration(const ScsiUnit *u, const uint8_t *cdb, uint8_t *out);
size_t scsi_event_status(const ScsiUnit *u, const uint8_t *cdb, uint8_t *out);
size_t scsi_disc_information(const ScsiUnit *u, uint8_t *out);

#endif
