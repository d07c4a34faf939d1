/*
 * Drives: the images that a machine has, each under the name by which a device asks for it (drive=).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_BLOCK_DRIVE_H
#define HW_BLOCK_DRIVE_H

#include <stdatomic.h>
#include "block/block.h"
#include "hw/core/machine.h"

/* werror=, rerror=: what comes of an error of the host. */
typedef enum DiskOnError {
    DISK_ON_ERROR_AUTO,       /* the drive's choice; there: enospc for writes, report for reads */
    DISK_ON_ERROR_REPORT,     /* the guest is told */
    DISK_ON_ERROR_IGNORE,     /* the guest is told that all is well */
    DISK_ON_ERROR_STOP,       /* the machine stops; when it goes on, the request is made again */
    DISK_ON_ERROR_ENOSPC,     /* stop where there is no space, else report */
} DiskOnError;

/* In this order; NULL-terminated. */
extern const char *const disk_on_error_names[];

typedef enum DriveCountKind { DRIVE_READS, DRIVE_WRITES, DRIVE_FLUSHES, DRIVE_UNMAPS, DRIVE_COUNTS } DriveCountKind;

/*
 * What this process has done, a machine that went back in time and forward again included. Not the guest's: any
 * thread may look.
 */
typedef struct DriveCount {
    _Atomic uint64_t operations, bytes;    /* that ended well */
    _Atomic uint64_t failed;
    _Atomic uint64_t invalid;              /* outside of the disk and the like */
    _Atomic uint64_t image_ns;             /* host time that the image took for them */
} DriveCount;

typedef struct Drive {
    char *id;
    BlockNode *image;         /* the drive's */
    bool is_node;             /* -blockdev's: monitors know it as a node alone */
    /*
     * What the guest writes stays in the process and is forgotten at the end: snapshot=on, and every
     * machine that is recorded or replayed, as a replay reads what the recording read.
     */
    bool overlay;
    bool readonly;            /* for the guest */
    bool whole_identity;      /* a recording knows the image by all of its bytes */
    DiskOnError werror, rerror;
    Device *user;             /* NULL: none */
    /*
     * What outlives the device that uses it, made before the machine starts (disk_prepare()): the source of
     * answers; the overlay, which is what was written (sectors, and a bit for each that it has; or NULL).
     */
    Machine *machine;
    ReplaySource *source;
    MemRegion *data, *present;
    struct Disk *disk;        /* the device's; NULL: none */
    bool (*resize)(Device *user, uint64_t bytes, Error **errp);    /* the user's; machine thread */
    DriveCount count[DRIVE_COUNTS];
    _Atomic uint64_t highest_write;        /* the end of what was written */
} Drive;

/* Takes the image; the machine frees both. Fails when the id is taken. */
Drive *drive_add(Machine *m, const char *id, BlockNode *image, Error **errp);
Drive *drive_find(Machine *m, const char *id);
/*
 * The same while the machine runs, on the machine thread. It fails while a run is recorded or replayed; then, too, the
 * image is closed.
 */
Drive *drive_join(Machine *m, const char *id, BlockNode *image, Error **errp);
/* Machine thread: a drive that no device uses goes. NULL or its image, to be closed by the caller, on any thread. */
BlockNode *drive_leave(Machine *m, const char *id, Error **errp);
/* For a device: the drive that its property names. One device a drive. */
Drive *drive_take(Machine *m, const char *id, Device *user, Error **errp);
/* The device goes: its drive, if it has one, is for another. */
void drive_release(Device *user);

#endif
