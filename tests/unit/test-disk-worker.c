/*
 * A disk's worker: what a replay takes from it although the image fails.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/block/disk-worker.h"

typedef struct Fixture {
    BlockNode *image;
    DriveCount count[DRIVE_COUNTS];
    DiskWorker *worker;
    gint answers, status;         /* atomic: how many; the last one */
} Fixture;

static void answer(void *opaque, uint64_t id, unsigned status, int error)
{
    Fixture *f = opaque;

    g_atomic_int_set(&f->status, (gint)status);
    g_atomic_int_inc(&f->answers);
}

/* An image of zeros of which nothing can be read. */
static void begin(Fixture *f, DiskOnError rerror)
{
    KeyVal *options = keyval_parse("driver=blkdebug,image.driver=null-co,image.size=1M,image.read-zeroes=on,"
                                   "inject-error.0.event=read_aio", NULL, NULL);
    DiskWorkerConfig config = { .name = "d", .rerror = rerror, .werror = DISK_ON_ERROR_REPORT, .overlay = true,
                                .count = f->count, .answer = answer, .opaque = f };

    f->image = config.image = block_open(options, "", 0, NULL);
    g_assert_nonnull(f->image);
    keyval_free(options);
    f->worker = disk_worker_new(&config);
}

static void wait_answers(Fixture *f, int count)
{
    for (unsigned i = 0; g_atomic_int_get(&f->answers) < count; i++) {
        g_assert_cmpuint(i, <, 10000);
        g_usleep(1000);
    }
}

static void end(Fixture *f)
{
    disk_worker_free(f->worker);
    block_close(f->image);
}

/* The recording read it, so the image has it, whatever is injected now: before and after an answer. */
static void test_take(gconstpointer opaque)
{
    DiskOnError rerror = (DiskOnError)GPOINTER_TO_UINT(opaque);
    Fixture f = { 0 };
    DiskStatus status = DISK_ERROR;

    begin(&f, rerror);
    for (uint64_t id = 0; id < 3; id++) {
        disk_worker_add(f.worker, id, DISK_READ, 512 * id, 512, NULL);
    }
    wait_answers(&f, 1);
    g_assert_cmphex((unsigned)f.status & DISK_ANSWER_STOPPED, ==, rerror == DISK_ON_ERROR_STOP ? DISK_ANSWER_STOPPED : 0);
    for (uint64_t id = 3; id-- > 0; ) {
        g_autofree uint8_t *data = disk_worker_take(f.worker, id, &status);

        g_assert_nonnull(data);
        g_assert_cmpint(status, ==, DISK_OK);
    }
    end(&f);
}

/* Nothing moves before somebody says so; settling and ending do not wait for it. */
static void test_stalled(void)
{
    Fixture f = { 0 };

    begin(&f, DISK_ON_ERROR_STOP);
    disk_worker_add(f.worker, 0, DISK_READ, 0, 512, NULL);
    disk_worker_add(f.worker, 1, DISK_FLUSH, 0, 0, NULL);
    wait_answers(&f, 1);
    g_usleep(5000);
    g_assert_cmpint(g_atomic_int_get(&f.answers), ==, 1);
    disk_worker_settle(f.worker);
    g_assert_false(disk_worker_idle(f.worker));
    disk_worker_retry(f.worker);
    wait_answers(&f, 2);
    g_assert_cmphex((unsigned)g_atomic_int_get(&f.status), ==, DISK_ERROR | DISK_ANSWER_STOPPED);
    /* Without the first, the second is next. */
    disk_worker_drop(f.worker, 0);
    wait_answers(&f, 3);
    g_assert_cmphex((unsigned)g_atomic_int_get(&f.status), ==, DISK_OK);
    g_assert_true(disk_worker_idle(f.worker));
    disk_worker_add(f.worker, 2, DISK_READ, 0, 512, NULL);
    wait_answers(&f, 4);
    end(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/disk-worker/take/stop", GUINT_TO_POINTER(DISK_ON_ERROR_STOP), test_take);
    g_test_add_data_func("/disk-worker/take/report", GUINT_TO_POINTER(DISK_ON_ERROR_REPORT), test_take);
    g_test_add_func("/disk-worker/stalled", test_stalled);
    return g_test_run();
}
