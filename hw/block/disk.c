/*
 * A guest's disk (hw/block/disk.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "disk-worker.h"
#include "replay/sources.h"
#include "util/bytes.h"
#include "util/log.h"

/* A request in flight, as DiskState.requests has it: id, tag, offset, length, op; little-endian. */
#define ENTRY_BYTES 40
#define DISK_STATUS_MASK 0x0fu
#define MAX_ERRNO 4095

typedef struct Entry {
    uint64_t id, tag, offset, length;
    DiskOp op;
} Entry;

struct Disk {
    Device *dev;
    Drive *drive;
    DiskState *s;
    DiskDone *done;
    void *opaque;
    DiskWorker *worker;
    MemRegion *data, *present;    /* the drive's */
    bool asks;                    /* the overlay's changes have to be admitted by the image's filters */
};

/* ---- requests in flight ---- */

static unsigned num_entries(const Disk *d)
{
    return d->s->requests->len / ENTRY_BYTES;
}

static Entry entry_at(const Disk *d, unsigned n)
{
    const uint8_t *p = d->s->requests->data + (size_t)n * ENTRY_BYTES;

    return (Entry){ .id = load_le(p, 8), .tag = load_le(p + 8, 8), .offset = load_le(p + 16, 8),
                    .length = load_le(p + 24, 8), .op = (DiskOp)load_le(p + 32, 8) };
}

static void entry_add(Disk *d, const Entry *e)
{
    GByteArray *out = d->s->requests;

    bytes_put_le64(out, e->id);
    bytes_put_le64(out, e->tag);
    bytes_put_le64(out, e->offset);
    bytes_put_le64(out, e->length);
    bytes_put_le64(out, e->op);
}

static void entry_remove(Disk *d, unsigned n)
{
    g_byte_array_remove_range(d->s->requests, n * ENTRY_BYTES, ENTRY_BYTES);
}

/* Their number when there is none. */
static unsigned entry_find(const Disk *d, uint64_t id)
{
    unsigned n = 0;

    while (n < num_entries(d) && entry_at(d, n).id != id) {
        n++;
    }
    return n;
}

/* ---- the overlay ---- */

static bool has_sector(const Disk *d, uint64_t sector)
{
    return d->present->host[sector / 8] >> (sector % 8) & 1;
}

/* How many sectors from this one on are all there, or all not. */
static uint64_t run_length(const Disk *d, uint64_t sector, uint64_t end)
{
    bool there = has_sector(d, sector);
    uint64_t n = sector + 1;

    while (n < end && has_sector(d, n) == there) {
        n += n % 64 == 0 && n + 64 <= end &&
             load_le(d->present->host + n / 8, 8) == (there ? UINT64_MAX : 0) ? 64 : 1;
    }
    return n - sector;
}

static bool has_all(const Disk *d, uint64_t offset, uint64_t length)
{
    uint64_t first = offset / DISK_SECTOR, count = length / DISK_SECTOR;

    return has_sector(d, first) && run_length(d, first, first + count) == count;
}

/* Put what it has of [offset, offset + length) over data. */
static void overlay_read(const Disk *d, uint64_t offset, uint8_t *data, uint64_t length)
{
    uint64_t sector = offset / DISK_SECTOR, end = (offset + length) / DISK_SECTOR, n;

    for (; sector < end; sector += n) {
        n = run_length(d, sector, end);
        if (has_sector(d, sector)) {
            memcpy(data + (sector * DISK_SECTOR - offset), d->data->host + sector * DISK_SECTOR,
                   n * DISK_SECTOR);
        }
    }
}

static void overlay_set_present(Disk *d, uint64_t offset, uint64_t length)
{
    MemoryMap *map = d->dev->machine->memory;
    uint64_t sector = offset / DISK_SECTOR, end = (offset + length) / DISK_SECTOR;

    memory_mark_written(map, d->present, sector / 8, (end - 1) / 8 - sector / 8 + 1);
    while (sector < end) {
        if (sector % 8 == 0 && end - sector >= 8) {
            d->present->host[sector / 8] = 0xff;
            sector += 8;
        } else {
            d->present->host[sector / 8] |= (uint8_t)(1u << (sector % 8));
            sector++;
        }
    }
}

static void overlay_write(Disk *d, uint64_t offset, const uint8_t *data, uint64_t length)
{
    memory_mark_written(d->dev->machine->memory, d->data, offset, length);
    memcpy(d->data->host + offset, data, length);
    overlay_set_present(d, offset, length);
}

/*
 * Sectors that it does not have are zeros already. Whether a page was ever written would not do: a machine
 * that went back in time has forgotten such writes, and the flag has not.
 */
static void overlay_write_zeroes(Disk *d, uint64_t offset, uint64_t length)
{
    uint64_t sector = offset / DISK_SECTOR, end = (offset + length) / DISK_SECTOR, n;

    for (; sector < end; sector += n) {
        n = run_length(d, sector, end);
        if (has_sector(d, sector)) {
            memory_mark_written(d->dev->machine->memory, d->data, sector * DISK_SECTOR, n * DISK_SECTOR);
            memset(d->data->host + sector * DISK_SECTOR, 0, n * DISK_SECTOR);
        }
    }
    overlay_set_present(d, offset, length);
}

static void count(Disk *d, DiskOp op, uint64_t offset, uint64_t length, DiskStatus status)
{
    DriveCount *c = &d->drive->count[disk_count_kind(op)];

    if (status != DISK_OK) {
        c->failed++;
        return;
    }
    c->operations++;
    c->bytes += length;
    if (disk_count_kind(op) == DRIVE_WRITES && offset + length > d->drive->highest_write) {
        d->drive->highest_write = offset + length;
    }
}

/* What it can do by itself, at once; true: and that is all. */
static bool overlay_serve(Disk *d, DiskOp op, uint64_t tag, uint64_t offset, uint64_t length,
                          const void *data)
{
    switch (op) {
    case DISK_READ:
        if (length && !has_all(d, offset, length)) {
            return false;
        }
        count(d, op, offset, length, DISK_OK);
        d->done(d->opaque, tag, DISK_OK, d->data->host + offset, length);
        return true;
    case DISK_WRITE:
        overlay_write(d, offset, data, length);
        break;
    case DISK_WRITE_ZEROES:
    case DISK_UNMAP_ZEROES:
        overlay_write_zeroes(d, offset, length);
        break;
    case DISK_DISCARD:    /* what is read from there is any content, so also the old one */
    case DISK_FLUSH:
        break;
    }
    if (d->asks) {
        return false;
    }
    count(d, op, offset, length, DISK_OK);
    d->done(d->opaque, tag, DISK_OK, NULL, 0);
    return true;
}

/* ---- beginning and ending ---- */

static bool is_valid(const Disk *d, DiskOp op, uint64_t offset, uint64_t length)
{
    uint64_t bytes = disk_bytes(d);

    if (op == DISK_FLUSH) {
        return true;
    }
    return offset % DISK_SECTOR == 0 && length % DISK_SECTOR == 0 && length > 0 && offset <= bytes &&
           length <= bytes - offset && (length <= DISK_MAX_REQUEST || op > DISK_WRITE) &&
           (op == DISK_READ || !disk_is_readonly(d));
}

static void work(Disk *d, const Entry *e, void *data)
{
    disk_worker_add(d->worker, e->id, e->op, e->offset, e->length, data);
}

void disk_submit(Disk *d, DiskOp op, uint64_t tag, uint64_t offset, uint64_t length, const void *data)
{
    Entry e = { .tag = tag, .offset = offset, .length = length, .op = op };

    if (!is_valid(d, op, offset, length)) {
        log_mask(LOG_GUEST_ERROR, "%s: request %d of %" PRIu64 " bytes at %" PRIu64 " is refused: the "
                 "disk has %" PRIu64 " bytes%s\n", d->dev->id, op, length, offset, disk_bytes(d),
                 disk_is_readonly(d) ? ", and is read-only" : "");
        d->drive->count[disk_count_kind(op)].invalid++;
        d->done(d->opaque, tag, DISK_ERROR, NULL, 0);
        return;
    }
    if (d->data && overlay_serve(d, op, tag, offset, length, data)) {
        return;
    }
    e.id = d->s->next_request++;
    entry_add(d, &e);
    work(d, &e, op == DISK_WRITE && !d->data ? g_memdup2(data, length) : NULL);
}

/* An error of the host, for whoever watches the machine, and what became of it. */
static void tell_error(const Disk *d, const Entry *e, unsigned status, int error)
{
    DiskStatus what = (DiskStatus)(status & DISK_STATUS_MASK);
    const MachineDiskError told = {
        .device = d->dev->id, .drive = d->drive->id, .writing = e->op != DISK_READ,
        .action = status & DISK_ANSWER_STOPPED ? MACHINE_DISK_STOP
                : status & DISK_ANSWER_IGNORED ? MACHINE_DISK_IGNORE : MACHINE_DISK_REPORT,
        .no_space = what == DISK_NO_SPACE,
        .reason = g_strerror(error ? error : what == DISK_NO_SPACE ? ENOSPC : EIO),
    };

    if (what == DISK_ERROR || what == DISK_NO_SPACE) {
        machine_disk_error(d->dev->machine, &told);
    }
}

/* Of a request that ended well: what it read, to be freed; else NULL. */
static uint8_t *take_data(Disk *d, const Entry *e, bool ignored)
{
    DiskStatus found = DISK_OK;
    uint8_t *data = NULL;

    if (e->op != DISK_READ || ignored) {
        disk_worker_drop(d->worker, e->id);
    } else {
        data = disk_worker_take(d->worker, e->id, &found);
    }
    if (e->op != DISK_READ) {
        return NULL;
    }
    if (!data) {
        if (!ignored) {
            error_report("drive '%s': the recording read %" PRIu64 " bytes at %" PRIu64 " which cannot be "
                         "read now; the replay goes on with zeros", d->drive->id, e->length, e->offset);
        }
        data = g_malloc0(e->length);
    }
    if (d->data) {
        overlay_read(d, e->offset, data, e->length);
    }
    return data;
}

static void end_request(Disk *d, const Entry *e, unsigned status)
{
    bool ignored = status & DISK_ANSWER_IGNORED;
    DiskStatus told = ignored ? DISK_OK : (DiskStatus)status;
    uint8_t *data = NULL;

    if (told == DISK_OK) {
        data = take_data(d, e, ignored);
    } else {
        disk_worker_drop(d->worker, e->id);
    }
    count(d, e->op, e->offset, e->length, (DiskStatus)(status & DISK_STATUS_MASK));
    d->done(d->opaque, e->tag, told, data, data ? e->length : 0);
    g_free(data);
}

/* What the worker may have said. */
static bool is_answer(unsigned status)
{
    unsigned fate = status & ~DISK_STATUS_MASK;

    return (status & DISK_STATUS_MASK) <= DISK_UNSUPPORTED &&
           (fate == 0 || (status & DISK_STATUS_MASK &&
                          (fate == DISK_ANSWER_IGNORED || fate == DISK_ANSWER_STOPPED)));
}

/* The machine's side of an answer. */
static bool disk_deliver(void *opaque, const uint8_t *payload, size_t length)
{
    Disk *d = ((const Drive *)opaque)->disk;
    uint64_t id, error = 0;
    unsigned status, n;
    ByteReader in;
    Entry e;

    byte_reader_init(&in, payload, length);
    id = bytes_get_varint(&in);
    status = bytes_get_u8(&in);
    /* Recordings of old have no errno. */
    if (status && byte_reader_left(&in)) {
        error = bytes_get_varint(&in);
    }
    if (in.failed || byte_reader_left(&in) || !is_answer(status) ||
        error > MAX_ERRNO) {
        return false;
    }
    n = d ? entry_find(d, id) : 0;
    if (!d || n == num_entries(d)) {
        return true;    /* its device is gone or was reset meanwhile, or it was answered twice */
    }
    e = entry_at(d, n);
    tell_error(d, &e, status, (int)error);
    if (status & DISK_ANSWER_STOPPED) {
        machine_report(d->dev->machine, MACHINE_REPORT_IO_ERROR);
        return true;
    }
    entry_remove(d, n);
    end_request(d, &e, status);
    return true;
}

/* The worker. */
static void disk_answer(void *opaque, uint64_t id, unsigned status, int error)
{
    Disk *d = opaque;
    GByteArray *payload = g_byte_array_new();

    bytes_put_varint(payload, id);
    bytes_put_u8(payload, (uint8_t)status);
    if (status) {
        bytes_put_varint(payload, (uint64_t)error);
    }
    replay_post(d->drive->source, payload->data, payload->len);
    g_byte_array_unref(payload);
}

static void disk_live(void *opaque)
{
    const Drive *drive = opaque;

    if (drive->disk) {
        disk_worker_repeat(drive->disk->worker);
    }
}

/* The machine goes on after a stop, whatever that was for. */
static void disk_resumed(void *opaque)
{
    Disk *d = opaque;

    disk_worker_retry(d->worker);
}

/* A state has no data of writes: those that the image has not taken would be lost. */
static bool disk_can_save(void *opaque, Error **errp)
{
    const Disk *d = opaque;
    bool owes = disk_worker_owes_write(d->worker);

    if (owes) {
        error_setg(errp, "drive '%s': the image '%s' has not taken what the guest wrote; make room and let the "
                   "machine go on (cont) first", d->drive->id, d->drive->image->filename);
    }
    return !owes;
}

void disk_cancel(Disk *d, uint64_t first, uint64_t last)
{
    if (!disk_in_flight(d, first, last)) {
        return;
    }
    /* What the guest does next must not be overtaken by what it wrote before. */
    disk_worker_settle(d->worker);
    for (unsigned n = num_entries(d); n-- > 0; ) {
        Entry e = entry_at(d, n);

        if (e.tag >= first && e.tag <= last) {
            entry_remove(d, n);
            disk_worker_drop(d->worker, e.id);
        }
    }
}

unsigned disk_in_flight(const Disk *d, uint64_t first, uint64_t last)
{
    unsigned count = 0;

    for (unsigned n = 0; n < num_entries(d); n++) {
        uint64_t tag = entry_at(d, n).tag;

        count += tag >= first && tag <= last;
    }
    return count;
}

bool disk_resize(Disk *d, uint64_t bytes, Error **errp)
{
    BlockNode *image = d->drive->image;

    if (bytes == 0 || bytes % DISK_SECTOR) {
        error_setg(errp, "drive '%s': a size of %" PRIu64 " bytes: expected sectors of %u bytes, at least one",
                   d->drive->id, bytes, DISK_SECTOR);
    } else if (d->data) {
        error_setg(errp, "drive '%s': what the guest writes stays in memory (snapshot=on, and while a run is recorded or "
                   "replayed), and so does the size of its disk; 'rearm-img resize' resizes an image before",
                   d->drive->id);
    } else if (disk_is_readonly(d)) {
        error_setg(errp, "drive '%s' is read-only", d->drive->id);
    } else if (!disk_worker_idle(d->worker)) {
        error_setg(errp, "drive '%s': its image has failed, and a request waits; let the machine go on (cont) first",
                   d->drive->id);
    } else {
        return block_resize(image, bytes, errp);
    }
    return false;
}

/* ---- state ---- */

/* A state is input like any other. */
static bool entry_is_valid(const Disk *d, const Entry *e, uint64_t before)
{
    return e->op <= DISK_FLUSH && is_valid(d, e->op, e->offset, e->length) && e->id < d->s->next_request &&
           e->id >= before && (!d->data || e->op == DISK_READ || d->asks);
}

void disk_loaded(Disk *d)
{
    uint64_t before = 0;

    disk_worker_drop_all(d->worker);
    g_byte_array_set_size(d->s->requests, num_entries(d) * ENTRY_BYTES);
    for (unsigned n = 0; n < num_entries(d); ) {
        Entry e = entry_at(d, n);

        if (!entry_is_valid(d, &e, before)) {
            entry_remove(d, n);
            continue;
        }
        before = e.id + 1;
        /* Its data went to the image in the process that saved the state: only the answer is due. */
        e.op = e.op == DISK_WRITE && !d->data ? DISK_FLUSH : e.op;
        work(d, &e, NULL);
        n++;
    }
}

/* ---- life ---- */

static bool add_overlay(Drive *drive, const char *name, Error **errp)
{
    MemoryMap *map = drive->machine->memory;
    uint64_t size = drive->image->bytes / DISK_SECTOR * DISK_SECTOR;
    uint64_t bytes = (size + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
    uint64_t bits = (bytes / DISK_SECTOR / 8 + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);

    g_autofree char *data = g_strconcat(name, ".data", NULL);
    g_autofree char *present = g_strconcat(name, ".present", NULL);

    if (!size) {
        return true;
    }
    /* The map keeps the names. */
    drive->data = memory_new_ram(map, g_intern_string(data), bytes, false, errp);
    drive->present = drive->data ? memory_new_ram(map, g_intern_string(present), bits, false, errp) : NULL;
    return drive->present != NULL;
}

/* What a recording knows the image by. Of one that is written to, that is its size alone. */
static void describe(const Drive *drive)
{
    BlockNode *image = drive->image;
    g_autofree char *name = g_strdup_printf("drive.%s", drive->id);
    g_autofree char *identity = block_is_writable(image) ? g_strdup_printf("%" PRIu64 " bytes", image->bytes)
                                                         : block_identity(image, drive->whole_identity);
    g_autofree char *value = g_strconcat(identity, drive->data && block_has_rules(image) ? ", with rules" : "", NULL);

    machine_describe(drive->machine, name, value);
}

bool disk_prepare(Drive *drive, Machine *m, const char *name, Error **errp)
{
    if (drive->source) {
        return true;
    }
    drive->machine = m;
    if (drive->overlay && !add_overlay(drive, name, errp)) {
        return false;
    }
    describe(drive);
    drive->source = replay_source_new(m->replay, REPLAY_KIND_BLOCK, name, disk_deliver, drive);
    replay_source_on_live(drive->source, disk_live);
    return true;
}

bool disk_prepare_late(Drive *drive, Machine *m)
{
    assert(!drive->overlay && !drive->source);
    drive->machine = m;
    drive->source = replay_source_add(m->replay, REPLAY_KIND_BLOCK, drive->id, disk_deliver, drive);
    return drive->source != NULL;
}

bool disk_prepare_all(Machine *m, Error **errp)
{
    for (unsigned i = 0; i < m->drives->len; i++) {
        Drive *drive = g_ptr_array_index(m->drives, i);

        if (!disk_prepare(drive, m, drive->id, errp)) {
            return false;
        }
    }
    return true;
}

static DiskOnError choose(unsigned device, DiskOnError drive, DiskOnError initial)
{
    return device != DISK_ON_ERROR_AUTO ? (DiskOnError)device : drive != DISK_ON_ERROR_AUTO ? drive : initial;
}

static DiskWorker *make_worker(Disk *d, const DiskErrorConfig *errors)
{
    const Drive *drive = d->drive;
    DiskWorkerConfig config = {
        .image = drive->image, .name = drive->id, .overlay = drive->overlay, .answer = disk_answer, .opaque = d,
        .count = d->drive->count, .werror = choose(errors ? errors->werror : 0, drive->werror, DISK_ON_ERROR_ENOSPC),
        .rerror = choose(errors ? errors->rerror : 0, drive->rerror, DISK_ON_ERROR_REPORT),
    };

    return disk_worker_new(&config);
}

Disk *disk_new(Device *dev, Drive *drive, const DiskErrorConfig *errors, DiskState *state, DiskDone *done,
               void *opaque, Error **errp)
{
    static const MachineRunHooks hooks = { .resumed = disk_resumed, .can_save = disk_can_save };
    Disk *d;

    if (!disk_prepare(drive, dev->machine, dev->id, errp)) {
        return NULL;
    }
    d = g_new0(Disk, 1);
    d->dev = dev;
    d->drive = drive;
    d->s = state;
    d->done = done;
    d->opaque = opaque;
    d->data = drive->data;
    d->present = drive->present;
    d->s->requests = g_byte_array_new();
    d->asks = d->data && block_has_rules(drive->image);
    d->worker = make_worker(d, errors);
    machine_add_run_hooks(dev->machine, &hooks, d);
    drive->disk = d;
    return d;
}

void disk_free(Disk *d)
{
    if (!d) {
        return;
    }
    machine_remove_run_hooks(d->dev->machine, d);
    disk_worker_free(d->worker);
    d->drive->disk = NULL;
    g_byte_array_unref(d->s->requests);
    d->s->requests = NULL;
    g_free(d);
}

uint64_t disk_bytes(const Disk *d)
{
    return d->drive->image->bytes / DISK_SECTOR * DISK_SECTOR;
}

bool disk_is_readonly(const Disk *d)
{
    return d->drive->readonly;
}
