/*
 * A flash chip's image (flash-image.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "flash-image.h"
#include "disk-worker.h"

#define PIECE 65536u
/* Requests that have ended are forgotten in bulk: few enough for a guest that programs byte by byte. */
#define MAX_REQUESTS 1024

struct FlashImage {
    Device *dev;
    Drive *drive;
    MemRegion *region;
    DiskWorker *worker;       /* NULL: the image does not change */
    uint64_t next_request;
    bool stale;
};

/* Worker's thread. The guest was told that it is done: what fails, fails for the next process. */
static void answered(void *opaque, uint64_t id, unsigned status, int error)
{
    const FlashImage *f = opaque;

    if (error) {
        error_report("drive '%s': '%s' does not take what the guest wrote: %s", f->drive->id,
                     f->drive->image->filename, g_strerror(error));
    }
}

static void describe(FlashImage *f)
{
    BlockNode *image = f->drive->image;
    g_autofree char *name = g_strdup_printf("drive.%s", f->drive->id);
    g_autofree char *value = f->worker ? g_strdup_printf("%" PRIu64 " bytes", image->bytes)
                                       : block_identity(image, true);

    machine_describe(f->dev->machine, name, value);
}

FlashImage *flash_image_new(Device *dev, const char *drive, uint64_t bytes, Error **errp)
{
    Drive *d = drive_take(dev->machine, drive, dev, errp);
    FlashImage *f;

    if (!d) {
        return NULL;
    }
    if (d->image->bytes != bytes) {
        error_setg(errp, "drive '%s': '%s' has %" PRIu64 " bytes, and the flash has %" PRIu64 ": an image of it is as "
                   "long (truncate -s %" PRIu64 " FILE), and -bios FILE takes a shorter one", d->id,
                   d->image->filename, d->image->bytes, bytes, bytes);
        return NULL;
    }
    f = g_new0(FlashImage, 1);
    f->dev = dev;
    f->drive = d;
    if (!d->readonly && !d->overlay) {
        f->worker = disk_worker_new(&(DiskWorkerConfig){
            .image = d->image, .name = d->id, .count = d->count, .answer = answered, .opaque = f,
            .werror = DISK_ON_ERROR_REPORT, .rerror = DISK_ON_ERROR_REPORT,
        });
    }
    describe(f);
    return f;
}

static bool is_zero(const uint8_t *data, size_t length)
{
    return data[0] == 0 && memcmp(data, data + 1, length - 1) == 0;
}

bool flash_image_load(FlashImage *f, MemRegion *region, Error **errp)
{
    g_autofree uint8_t *piece = g_malloc(PIECE);

    f->region = region;
    for (uint64_t at = 0; at < region->size; at += PIECE) {
        int rc = block_read(f->drive->image, at, piece, PIECE);

        if (rc < 0) {
            error_setg(errp, "drive '%s': cannot read '%s' at %" PRIu64 ": %s", f->drive->id,
                       f->drive->image->filename, at, g_strerror(-rc));
            return false;
        }
        /* The memory is new. */
        if (!is_zero(piece, PIECE)) {
            memory_mark_written(f->dev->machine->memory, region, region->base + at, PIECE);
            memcpy(region->host + at, piece, PIECE);
        }
    }
    return true;
}

bool flash_image_is_readonly(const FlashImage *f)
{
    return f->drive->readonly;
}

static void write_out(FlashImage *f, uint64_t offset, uint64_t length)
{
    if (f->next_request % MAX_REQUESTS == MAX_REQUESTS - 1) {
        disk_worker_drop_all(f->worker);
    }
    disk_worker_add(f->worker, f->next_request++, DISK_WRITE, offset, length,
                    g_memdup2(f->region->host + offset, length));
}

static void write_all(FlashImage *f)
{
    for (uint64_t at = 0; at < f->region->size; at += PIECE) {
        write_out(f, at, PIECE);
    }
    f->stale = false;
}

void flash_image_written(FlashImage *f, uint64_t offset, uint64_t length)
{
    if (f->worker && f->stale) {
        write_all(f);
    } else if (f->worker) {
        write_out(f, offset, length);
    }
}

void flash_image_stale(FlashImage *f)
{
    f->stale = true;
}

void flash_image_free(FlashImage *f)
{
    if (!f) {
        return;
    }
    if (f->worker) {
        if (f->stale && f->region) {
            write_all(f);
        }
        disk_worker_settle(f->worker);
        disk_worker_free(f->worker);
    }
    g_free(f);
}
