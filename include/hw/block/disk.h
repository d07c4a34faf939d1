/*
 * A disk as the guest's devices have it: reads, writes, flushes, each of which ends some time later.
 *
 * 1. The image is read and written by a worker. Its answer is input (kind BLOCK): it is posted, and the
 *    request ends in its delivery, at the recorded position on replay. What was read is not in the recording: a
 *    replay reads the same image again.
 * 2. With an overlay (Drive.overlay) the image never changes. What the guest writes goes to memory regions of the
 *    machine that no address reaches: they are in digests, snapshots and saved states, as RAM is,
 *    and going back in time takes the disk along. Requests that the overlay can
 *    serve end at once, within the call: that follows from the guest's state.
 * 3. Requests in flight are guest state (DiskState, in the device's field table). A state that is loaded, and a
 *    machine that becomes live, has the worker make them again.
 * 4. What a request reads or writes must not depend on when: reads of the image are the worker's, and what the
 *    overlay has is put over them in the delivery; what is written is taken in the call.
 * 5. An error of the host is what werror= and rerror= make of it. The worker decides, once, and its answer
 *    has the decision: a replay asks no options. An answer that the machine has to stop leaves the
 *    request in flight, so the guest sees nothing; its worker waits until the machine goes on, and tries again.
 * 6. Filters with rules about changes (blkdebug, throttle) are asked by the worker for those that the
 *    overlay has made, too. Such a change has been made at once, whatever they say: the
 *    content of sectors whose writing failed is any content.
 *
 * Machine thread only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_BLOCK_DISK_H
#define HW_BLOCK_DISK_H

#include "hw/block/drive.h"
#include "migration/fields.h"

#define DISK_SECTOR 512u
/* More in one request is refused (DISK_ERROR): 64 MiB. */
#define DISK_MAX_REQUEST (64u << 20)

typedef struct Disk Disk;

/* Numbers reach recordings. */
typedef enum DiskStatus {
    DISK_OK = 0,
    DISK_ERROR = 1,
    DISK_NO_SPACE = 2,
    DISK_UNSUPPORTED = 3,
} DiskStatus;

/* Beside a DiskStatus in a recording: what became of the error. Neither: the guest is told. */
#define DISK_ANSWER_IGNORED 0x10u
#define DISK_ANSWER_STOPPED 0x20u

typedef enum DiskOp {
    DISK_READ = 0,
    DISK_WRITE = 1,
    DISK_WRITE_ZEROES = 2,
    DISK_UNMAP_ZEROES = 3,    /* the same; the room may be given back */
    DISK_DISCARD = 4,
    DISK_FLUSH = 5,
} DiskOp;

/* A device's state struct has it as a member called `disk`. */
typedef struct DiskState {
    uint64_t next_request;
    GByteArray *requests;     /* in flight */
} DiskState;

#define DISK_FIELDS(F, S)           \
    F(S, U64, disk.next_request)    \
    F(S, BYTES, disk.requests)

/*
 * The request with this tag has ended; of a read that is DISK_OK with its data, valid during the call. May be
 * called within disk_submit().
 */
typedef void DiskDone(void *opaque, uint64_t tag, DiskStatus status, const uint8_t *data, size_t length);

/* A device's properties werror= and rerror=. */
typedef struct DiskErrorConfig {
    unsigned werror, rerror;  /* DiskOnError */
} DiskErrorConfig;

#define DISK_ERROR_PROPERTIES(S)                                                                       \
    PROP_ENUM("werror", S, errors.werror, "auto", "what an error of the host becomes, when writing",   \
              "auto", "report", "ignore", "stop", "enospc"),                                           \
    PROP_ENUM("rerror", S, errors.rerror, "auto", "the same, when reading",                            \
              "auto", "report", "ignore", "stop")

/*
 * Before the machine starts: what the machine has of a drive, whatever device uses it; `name` is that of the source and
 * the regions. disk_new() does it for a device of the start, under the device's id. Fails when
 * the host has not the address space for an overlay.
 */
bool disk_prepare(Drive *drive, Machine *m, const char *name, Error **errp);
/* Machine.before_hotplug: that of all drives, under their own ids, for devices that come later. */
bool disk_prepare_all(Machine *m, Error **errp);
/* While the machine runs, on the machine thread. False: the run is recorded or replayed. */
bool disk_prepare_late(Drive *drive, Machine *m);
/* From a device's realize. Fails as disk_prepare() does. The device frees it. errors: of its properties; NULL: all AUTO. */
Disk *disk_new(Device *dev, Drive *drive, const DiskErrorConfig *errors, DiskState *state, DiskDone *done,
               void *opaque, Error **errp);
void disk_free(Disk *d);

/* Whole sectors. */
uint64_t disk_bytes(const Disk *d);
bool disk_is_readonly(const Disk *d);

/*
 * A request of whole sectors within the disk; anything else, and writing to a read-only disk, ends
 * with DISK_ERROR. data: of DISK_WRITE, `length` bytes, copied. The tag is the device's word for it.
 */
void disk_submit(Disk *d, DiskOp op, uint64_t tag, uint64_t offset, uint64_t length, const void *data);
/* Requests with tags from first to last are no more: their device was reset. */
void disk_cancel(Disk *d, uint64_t first, uint64_t last);
/* How many there are in flight with such tags. */
unsigned disk_in_flight(const Disk *d, uint64_t first, uint64_t last);
/*
 * Another size of the image and so of the disk; the device tells its driver. Not with an overlay, which has the size
 * that it began with.
 */
bool disk_resize(Disk *d, uint64_t bytes, Error **errp);
/* From the device's post_load, before anything else here. */
void disk_loaded(Disk *d);

#endif
