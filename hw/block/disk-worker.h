/*
 * The thread that reads and writes a disk's image, one request after the other, in the order in
 * which they came.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_BLOCK_DISK_WORKER_H
#define HW_BLOCK_DISK_WORKER_H

#include "hw/block/disk.h"

typedef struct DiskWorker DiskWorker;

/* Which counts a request is one of. */
DriveCountKind disk_count_kind(DiskOp op);

/*
 * On the worker: request `id` has ended, or, with DISK_ANSWER_STOPPED in status, cannot end before the
 * machine has stopped and goes on. error: an errno, 0 if it was well.
 */
typedef void DiskAnswer(void *opaque, uint64_t id, unsigned status, int error);

typedef struct DiskWorkerConfig {
    BlockNode *image;             /* outlives it */
    const char *name;             /* copied */
    DiskOnError werror, rerror;   /* not AUTO */
    DriveCount *count;            /* for image_ns; [DRIVE_COUNTS] */
    bool overlay;                 /* changes are made elsewhere: only rules are asked about them */
    DiskAnswer *answer;
    void *opaque;
} DiskWorkerConfig;

/* The thread is made with the first request. */
DiskWorker *disk_worker_new(const DiskWorkerConfig *config);
/* What was begun is finished, what was not is dropped. */
void disk_worker_free(DiskWorker *w);

/*
 * Machine thread, all of these. data (of a write) becomes the worker's. Waits while too much is under way.
 */
void disk_worker_add(DiskWorker *w, uint64_t id, DiskOp op, uint64_t offset, uint64_t length, void *data);
/*
 * Wait until it has ended, and forget it: its data (of a read), to be freed; NULL and *status for
 * others and after a failure. It has been added and not been dropped.
 */
void *disk_worker_take(DiskWorker *w, uint64_t id, DiskStatus *status);
/* Forget it, as soon as possible. */
void disk_worker_drop(DiskWorker *w, uint64_t id);
/* The request that the machine has stopped for, if there is one, is made again. */
void disk_worker_retry(DiskWorker *w);
/* Whether there is one, and it changes the image. */
bool disk_worker_owes_write(DiskWorker *w);
/* What it has answered already is answered once more. */
void disk_worker_repeat(DiskWorker *w);
/* Wait until everything that changes the image has been done, but for what waits for disk_worker_retry(). */
void disk_worker_settle(DiskWorker *w);
/*
 * Wait until it has nothing to do, and begins nothing before something is added: the image is the caller's
 * meanwhile. False: a request waits for disk_worker_retry().
 */
bool disk_worker_idle(DiskWorker *w);
/* disk_worker_settle(), and then forget all. */
void disk_worker_drop_all(DiskWorker *w);

#endif
