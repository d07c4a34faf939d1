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

/* On the worker: request `id` has ended. */
typedef void DiskAnswer(void *opaque, uint64_t id, DiskStatus status);

/* image outlives it. The thread is made with the first request. */
DiskWorker *disk_worker_new(BlockNode *image, const char *name, DiskAnswer *answer, void *opaque);
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
/* What it has answered already is answered once more. */
void disk_worker_repeat(DiskWorker *w);
/* Wait until everything that changes the image has been done. */
void disk_worker_settle(DiskWorker *w);
/* The same, and then forget all. */
void disk_worker_drop_all(DiskWorker *w);

#endif
