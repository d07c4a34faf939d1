/*
 * A disk's worker.
 *
 * 1. A request is in `requests` until the machine thread takes or drops it, so an answer may come at
 *    any time, and the thread never touches guest state.
 * 2. Data that nobody has taken yet is bounded: the worker does not begin a read while more than
 *    MAX_WAITING bytes wait, unless somebody waits for one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "disk-worker.h"
#include "util/log.h"

#define MAX_WAITING (256u << 20)

typedef struct Request {
    uint64_t id;
    DiskOp op;
    uint64_t offset, length;
    uint8_t *data;
    DiskStatus status;
    bool running, done, dropped;
} Request;

struct DiskWorker {
    BlockNode *image;
    char *name;
    DiskAnswer *answer;
    void *opaque;
    GThread *thread;
    GMutex lock;              /* guards what follows */
    GCond changed;
    GHashTable *requests;     /* id -> Request */
    GQueue todo;              /* Request, also in `requests` */
    uint64_t waiting;         /* bytes of data in `requests` */
    unsigned takers;
    bool quit;
};

static void request_free(Request *r)
{
    g_free(r->data);
    g_free(r);
}

static uint64_t data_bytes(const Request *r)
{
    return r->op == DISK_READ || r->op == DISK_WRITE ? r->length : 0;
}

/* ---- on the worker ---- */

/* A probed raw image must not begin to look like another format (block.h). */
static bool forges(const DiskWorker *w, const Request *r)
{
    return (w->image->flags & BLOCK_PROBED) && r->offset == 0 && r->length >= DISK_SECTOR &&
           strcmp(block_probe_name(r->data, (size_t)MIN(r->length, BLOCK_PROBE_BYTES)), "raw") != 0;
}

static int run(DiskWorker *w, Request *r)
{
    switch (r->op) {
    case DISK_READ:
        r->data = g_try_malloc(r->length);
        return r->data ? block_read(w->image, r->offset, r->data, r->length) : -ENOMEM;
    case DISK_WRITE:
        if (forges(w, r)) {
            warn_report("drive '%s': the guest writes the header of another image format to the first "
                        "sector; say format=raw to allow that", w->name);
            return -EPERM;
        }
        return block_write(w->image, r->offset, r->data, r->length);
    case DISK_WRITE_ZEROES:
    case DISK_UNMAP_ZEROES:
        return block_write_zeroes(w->image, r->offset, r->length, r->op == DISK_UNMAP_ZEROES);
    case DISK_DISCARD:
        return block_discard(w->image, r->offset, r->length);
    case DISK_FLUSH:
        return block_flush(w->image);
    }
    return -ENOTSUP;
}

static DiskStatus status_of(int rc)
{
    return rc >= 0 ? DISK_OK : rc == -ENOSPC || rc == -EDQUOT ? DISK_NO_SPACE
         : rc == -ENOTSUP || rc == -EOPNOTSUPP ? DISK_UNSUPPORTED : DISK_ERROR;
}

static void report(const DiskWorker *w, const Request *r, int rc)
{
    if (rc < 0 && rc != -ENOTSUP && rc != -EPERM) {
        warn_report("drive '%s': %s '%s' at %" PRIu64 ", %" PRIu64 " bytes: %s", w->name,
                    r->op == DISK_READ ? "reading" : r->op == DISK_FLUSH ? "flushing" : "writing to",
                    w->image->filename, r->offset, r->length, g_strerror(-rc));
    }
}

/* With the lock. NULL: it is over, and all that was to be written is. */
static Request *next(DiskWorker *w)
{
    for (;;) {
        Request *r = g_queue_peek_head(&w->todo);

        if (w->quit && !r) {
            return NULL;
        }
        if (r && (r->op != DISK_READ || w->waiting < MAX_WAITING || w->takers || w->quit)) {
            g_queue_pop_head(&w->todo);
            w->waiting += r->op == DISK_READ ? data_bytes(r) : 0;
            r->running = true;
            return r;
        }
        g_cond_wait(&w->changed, &w->lock);
    }
    return NULL;
}

static gpointer worker_thread(gpointer opaque)
{
    DiskWorker *w = opaque;
    Request *r;

    g_mutex_lock(&w->lock);
    while ((r = next(w)) != NULL) {
        uint64_t id = r->id;
        DiskStatus status;
        bool dropped;
        int rc;

        g_mutex_unlock(&w->lock);
        rc = run(w, r);
        report(w, r, rc);
        status = status_of(rc);
        g_mutex_lock(&w->lock);
        r->running = false;
        r->done = true;
        r->status = status;
        dropped = r->dropped;
        if (dropped) {
            w->waiting -= data_bytes(r);
            request_free(r);
        }
        g_cond_broadcast(&w->changed);
        if (!dropped) {
            /* From here on the request may be the machine thread's, and gone. */
            g_mutex_unlock(&w->lock);
            w->answer(w->opaque, id, status);
            g_mutex_lock(&w->lock);
        }
    }
    g_mutex_unlock(&w->lock);
    return NULL;
}

/* ---- on the machine thread ---- */

DiskWorker *disk_worker_new(BlockNode *image, const char *name, DiskAnswer *answer, void *opaque)
{
    DiskWorker *w = g_new0(DiskWorker, 1);

    w->image = image;
    w->name = g_strdup(name);
    w->answer = answer;
    w->opaque = opaque;
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
    while (data && w->waiting > MAX_WAITING && w->todo.length) {
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
        return;
    }
    if (!r->done) {
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
    while (!r->done) {
        g_cond_wait(&w->changed, &w->lock);
    }
    w->takers--;
    *status = r->status;
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

        w->answer(w->opaque, answered->id, answered->status);
    }
    g_array_free(done, true);
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
    while (w->thread && is_changing(w)) {
        g_cond_wait(&w->changed, &w->lock);
    }
    g_mutex_unlock(&w->lock);
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
    block_hurry(w->image);
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
