/*
 * A disk's worker.
 *
 * 1. A request is in `requests` until the machine thread takes or drops it, so an answer may come at
 *    any time, and the thread never touches guest state.
 * 2. Data that nobody has taken yet is bounded: the worker does not begin a read while more than
 *    MAX_WAITING bytes wait, unless somebody waits for one.
 * 3. After an error for which the machine has to stop, the request is the first one of `todo` again, and nothing is
 *    done (`stalled`) before somebody says that the machine goes on, or the request is dropped. Who waits
 *    for an answer (disk_worker_take()) is never kept waiting by that: it is in the recording that the request
 *    ended well, so errors that filters inject have been dealt with, and the image itself is read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "disk-worker.h"
#include "util/host-clock.h"
#include "util/log.h"

#define MAX_WAITING (256u << 20)

typedef struct Request {
    uint64_t id;
    DiskOp op;
    uint64_t offset, length;
    uint8_t *data;
    unsigned status;          /* DiskStatus and DISK_ANSWER_IGNORED */
    int error;
    bool running, done, dropped;
    bool bare;                /* read the image below its filters */
} Request;

struct DiskWorker {
    DiskWorkerConfig config;
    char *name;
    GThread *thread;
    GMutex lock;              /* guards what follows */
    GCond changed;
    GHashTable *requests;     /* id -> Request */
    GQueue todo;              /* Request, also in `requests` */
    uint64_t waiting;         /* bytes of data in `requests` */
    unsigned idlers;          /* who waits for all to end */
    unsigned takers, dropped; /* dropped: requests that are running, and nobody's */
    bool stalled;
    bool quit;
};

static void request_free(Request *r)
{
    g_free(r->data);
    g_free(r);
}

static uint64_t data_bytes(const Request *r)
{
    return r->op == DISK_READ || r->data ? r->length : 0;
}

DriveCountKind disk_count_kind(DiskOp op)
{
    static const DriveCountKind kinds[] = {
        [DISK_READ] = DRIVE_READS, [DISK_WRITE] = DRIVE_WRITES, [DISK_WRITE_ZEROES] = DRIVE_WRITES,
        [DISK_UNMAP_ZEROES] = DRIVE_WRITES, [DISK_DISCARD] = DRIVE_UNMAPS, [DISK_FLUSH] = DRIVE_FLUSHES,
    };

    return kinds[op];
}

/* ---- on the worker ---- */

/* A probed raw image must not begin to look like another format (block.h). */
static bool forges(const DiskWorker *w, const Request *r)
{
    return (w->config.image->flags & BLOCK_PROBED) && r->offset == 0 && r->length >= DISK_SECTOR &&
           strcmp(block_probe_name(r->data, (size_t)MIN(r->length, BLOCK_PROBE_BYTES)), "raw") != 0;
}

static int ask_rules(DiskWorker *w, const Request *r)
{
    static const BlockChange change[] = {
        [DISK_WRITE] = BLOCK_CHANGE_WRITE, [DISK_WRITE_ZEROES] = BLOCK_CHANGE_ZERO,
        [DISK_UNMAP_ZEROES] = BLOCK_CHANGE_ZERO, [DISK_DISCARD] = BLOCK_CHANGE_DISCARD,
        [DISK_FLUSH] = BLOCK_CHANGE_FLUSH,
    };

    return block_admit(w->config.image, change[r->op], r->offset, r->length);
}

static int run(DiskWorker *w, Request *r)
{
    BlockNode *image = w->config.image;

    if (w->config.overlay && r->op != DISK_READ) {
        return ask_rules(w, r);
    }
    switch (r->op) {
    case DISK_READ:
        r->data = g_try_malloc(r->length);
        image = r->bare ? block_below_filters(image) : image;
        return r->data ? block_read(image, r->offset, r->data, r->length) : -ENOMEM;
    case DISK_WRITE:
        if (forges(w, r)) {
            warn_report("drive '%s': the guest writes the header of another image format to the first "
                        "sector; say format=raw to allow that", w->name);
            return -EPERM;
        }
        return block_write(image, r->offset, r->data, r->length);
    case DISK_WRITE_ZEROES:
    case DISK_UNMAP_ZEROES:
        return block_write_zeroes(image, r->offset, r->length, r->op == DISK_UNMAP_ZEROES);
    case DISK_DISCARD:
        return block_discard(image, r->offset, r->length);
    case DISK_FLUSH:
        return block_flush(image);
    }
    return -ENOTSUP;
}

static DiskStatus status_of(int rc)
{
    return rc >= 0 ? DISK_OK : rc == -ENOSPC || rc == -EDQUOT ? DISK_NO_SPACE
         : rc == -ENOTSUP || rc == -EOPNOTSUPP ? DISK_UNSUPPORTED : DISK_ERROR;
}

/* An error of the host, and none of what the guest asked for. */
static bool is_host_error(int rc)
{
    return rc < 0 && rc != -ENOTSUP && rc != -EOPNOTSUPP && rc != -EPERM;
}

static void report(const DiskWorker *w, const Request *r, int rc)
{
    if (is_host_error(rc)) {
        warn_report("drive '%s': %s '%s' at %" PRIu64 ", %" PRIu64 " bytes: %s", w->name,
                    r->op == DISK_READ ? "reading" : r->op == DISK_FLUSH ? "flushing" : "writing to",
                    w->config.image->filename, r->offset, r->length, g_strerror(-rc));
    }
}

/* What the guest is to be told, or that it is to be told nothing yet. */
static unsigned decide(const DiskWorker *w, const Request *r, int rc)
{
    DiskOnError choice = r->op == DISK_READ ? w->config.rerror : w->config.werror;
    unsigned status = status_of(rc);

    if (!is_host_error(rc) || choice == DISK_ON_ERROR_REPORT) {
        return status;
    }
    return choice == DISK_ON_ERROR_IGNORE ? status | DISK_ANSWER_IGNORED
         : choice == DISK_ON_ERROR_STOP || status == DISK_NO_SPACE ? status | DISK_ANSWER_STOPPED : status;
}

/* With the lock. NULL: it is over, and all that was to be written is. */
static Request *next(DiskWorker *w)
{
    for (;;) {
        Request *r = g_queue_peek_head(&w->todo);

        if (w->quit && !r) {
            return NULL;
        }
        if (r && (!w->stalled || w->takers || w->quit) &&
            (r->op != DISK_READ || w->waiting < MAX_WAITING || w->takers || w->idlers || w->quit)) {
            g_queue_pop_head(&w->todo);
            w->stalled = false;
            w->waiting += r->op == DISK_READ ? data_bytes(r) : 0;
            r->running = true;
            return r;
        }
        g_cond_wait(&w->changed, &w->lock);
    }
    return NULL;
}

/* With the lock: to be done again, before all others. */
static void put_back(DiskWorker *w, Request *r)
{
    w->waiting -= r->op == DISK_READ ? data_bytes(r) : 0;
    if (r->op == DISK_READ) {
        g_clear_pointer(&r->data, g_free);
    }
    r->done = false;
    g_queue_push_head(&w->todo, r);
}

/* With the lock. Whether there is something to answer, which is *status then. */
static bool finish(DiskWorker *w, Request *r, unsigned *status, int error)
{
    r->running = false;
    if (r->dropped) {
        w->dropped--;
        w->waiting -= data_bytes(r);
        request_free(r);
        return false;
    }
    r->error = error;
    r->status = *status & ~DISK_ANSWER_STOPPED;
    w->stalled = *status & DISK_ANSWER_STOPPED && !w->takers && !w->quit;
    if (w->stalled) {
        put_back(w, r);
    } else {
        *status = r->status;
        r->done = true;
    }
    return true;
}

static gpointer worker_thread(gpointer opaque)
{
    DiskWorker *w = opaque;
    Request *r;

    g_mutex_lock(&w->lock);
    while ((r = next(w)) != NULL) {
        uint64_t id = r->id;
        unsigned status;
        int64_t begun;
        bool answer;
        int rc;

        g_mutex_unlock(&w->lock);
        begun = host_monotonic_ns();
        rc = run(w, r);
        w->config.count[disk_count_kind(r->op)].image_ns += (uint64_t)(host_monotonic_ns() - begun);
        report(w, r, rc);
        status = decide(w, r, rc);
        g_mutex_lock(&w->lock);
        answer = finish(w, r, &status, rc < 0 ? -rc : 0);
        g_cond_broadcast(&w->changed);
        if (answer) {
            /* From here on the request may be the machine thread's, and gone. */
            g_mutex_unlock(&w->lock);
            w->config.answer(w->config.opaque, id, status, rc < 0 ? -rc : 0);
            g_mutex_lock(&w->lock);
        }
    }
    g_mutex_unlock(&w->lock);
    return NULL;
}

/* ---- on the machine thread ---- */

DiskWorker *disk_worker_new(const DiskWorkerConfig *config)
{
    DiskWorker *w = g_new0(DiskWorker, 1);

    w->config = *config;
    w->name = g_strdup(config->name);
    g_mutex_init(&w->lock);
    g_cond_init(&w->changed);
    g_queue_init(&w->todo);
    w->requests = g_hash_table_new(g_int64_hash, g_int64_equal);
    return w;
}

void disk_worker_add(DiskWorker *w, uint64_t id, DiskOp op, uint64_t offset, uint64_t length, void *data)
{
    Request *r = g_new0(Request, 1);

    r->id = id;
    r->op = op;
    r->offset = offset;
    r->length = length;
    r->data = data;
    g_mutex_lock(&w->lock);
    while (data && w->waiting > MAX_WAITING && w->todo.length && !w->stalled) {
        g_cond_wait(&w->changed, &w->lock);
    }
    w->waiting += data ? length : 0;
    g_hash_table_insert(w->requests, &r->id, r);
    g_queue_push_tail(&w->todo, r);
    g_cond_broadcast(&w->changed);
    g_mutex_unlock(&w->lock);
    if (!w->thread) {
        w->thread = g_thread_new(w->name, worker_thread, w);
    }
}

/* With the lock: it is nobody's any more. */
static void forget(DiskWorker *w, Request *r)
{
    g_hash_table_remove(w->requests, &r->id);
    if (r->running) {
        r->dropped = true;
        w->dropped++;
        return;
    }
    if (!r->done) {
        w->stalled &= g_queue_peek_head(&w->todo) != r;
        g_queue_remove(&w->todo, r);
    }
    w->waiting -= r->done || r->op == DISK_WRITE ? data_bytes(r) : 0;
    request_free(r);
}

void *disk_worker_take(DiskWorker *w, uint64_t id, DiskStatus *status)
{
    uint8_t *data = NULL;
    Request *r;

    g_mutex_lock(&w->lock);
    r = g_hash_table_lookup(w->requests, &id);
    assert(r);
    w->takers++;
    g_cond_broadcast(&w->changed);
    for (;;) {
        if (r->done && r->op == DISK_READ && r->status != DISK_OK && !r->bare) {
            r->bare = true;
            put_back(w, r);
            g_cond_broadcast(&w->changed);
        }
        if (r->done) {
            break;
        }
        g_cond_wait(&w->changed, &w->lock);
    }
    w->takers--;
    *status = (DiskStatus)(r->status & ~DISK_ANSWER_IGNORED);
    if (r->op == DISK_READ && r->status == DISK_OK) {
        data = g_steal_pointer(&r->data);
    }
    forget(w, r);
    g_cond_broadcast(&w->changed);
    g_mutex_unlock(&w->lock);
    return data;
}

void disk_worker_drop(DiskWorker *w, uint64_t id)
{
    Request *r;

    g_mutex_lock(&w->lock);
    r = g_hash_table_lookup(w->requests, &id);
    if (r) {
        forget(w, r);
        g_cond_broadcast(&w->changed);
    }
    g_mutex_unlock(&w->lock);
}

void disk_worker_retry(DiskWorker *w)
{
    g_mutex_lock(&w->lock);
    w->stalled = false;
    g_cond_broadcast(&w->changed);
    g_mutex_unlock(&w->lock);
}

bool disk_worker_owes_write(DiskWorker *w)
{
    const Request *r;
    bool owes;

    g_mutex_lock(&w->lock);
    r = g_queue_peek_head(&w->todo);
    owes = w->stalled && r->op != DISK_READ && !w->config.overlay;
    g_mutex_unlock(&w->lock);
    return owes;
}

void disk_worker_repeat(DiskWorker *w)
{
    GArray *done = g_array_new(false, false, sizeof(Request));
    GHashTableIter i;
    gpointer r;

    g_mutex_lock(&w->lock);
    g_hash_table_iter_init(&i, w->requests);
    while (g_hash_table_iter_next(&i, NULL, &r)) {
        if (((Request *)r)->done) {
            g_array_append_vals(done, r, 1);
        }
    }
    g_mutex_unlock(&w->lock);
    /* The order of answers is the host's to choose. */
    for (unsigned n = 0; n < done->len; n++) {
        const Request *answered = &g_array_index(done, Request, n);

        w->config.answer(w->config.opaque, answered->id, answered->status, answered->error);
    }
    g_array_free(done, true);
    disk_worker_retry(w);
}

static bool is_changing(DiskWorker *w)
{
    GHashTableIter i;
    gpointer r;

    g_hash_table_iter_init(&i, w->requests);
    while (g_hash_table_iter_next(&i, NULL, &r)) {
        if (!((Request *)r)->done && ((Request *)r)->op != DISK_READ) {
            return true;
        }
    }
    return false;
}

void disk_worker_settle(DiskWorker *w)
{
    g_mutex_lock(&w->lock);
    while (w->thread && !w->stalled && is_changing(w)) {
        g_cond_wait(&w->changed, &w->lock);
    }
    g_mutex_unlock(&w->lock);
}

static bool is_busy(DiskWorker *w)
{
    GHashTableIter i;
    gpointer r;

    g_hash_table_iter_init(&i, w->requests);
    while (g_hash_table_iter_next(&i, NULL, &r)) {
        if (!((Request *)r)->done) {
            return true;
        }
    }
    return w->dropped > 0;
}

bool disk_worker_idle(DiskWorker *w)
{
    bool idle;

    g_mutex_lock(&w->lock);
    w->idlers++;
    g_cond_broadcast(&w->changed);
    while (!w->stalled && is_busy(w)) {
        g_cond_wait(&w->changed, &w->lock);
    }
    w->idlers--;
    idle = !w->stalled;
    g_mutex_unlock(&w->lock);
    return idle;
}

void disk_worker_drop_all(DiskWorker *w)
{
    GHashTableIter i;
    gpointer r;

    disk_worker_settle(w);
    g_mutex_lock(&w->lock);
    for (g_hash_table_iter_init(&i, w->requests); g_hash_table_iter_next(&i, NULL, &r);
         g_hash_table_iter_init(&i, w->requests)) {
        forget(w, r);
    }
    g_cond_broadcast(&w->changed);
    g_mutex_unlock(&w->lock);
}

void disk_worker_free(DiskWorker *w)
{
    GHashTableIter i;
    gpointer r;

    g_mutex_lock(&w->lock);
    w->quit = true;
    g_cond_broadcast(&w->changed);
    g_mutex_unlock(&w->lock);
    block_hurry(w->config.image);
    if (w->thread) {
        g_thread_join(w->thread);
    }
    g_hash_table_iter_init(&i, w->requests);
    while (g_hash_table_iter_next(&i, NULL, &r)) {
        request_free(r);
    }
    g_hash_table_unref(w->requests);
    g_queue_clear(&w->todo);
    g_cond_clear(&w->changed);
    g_mutex_clear(&w->lock);
    g_free(w->name);
    g_free(w);
}
