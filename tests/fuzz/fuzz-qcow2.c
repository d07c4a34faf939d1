/*
 * Fuzz target: qcow2 images. The input is the file. What is done with it is all that a guest and rearm-img
 * do: read, write, discard, snapshots, other sizes, repair. A repaired image is whole.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tests/fuzz/fuzz.h"
#include "block/block.h"

#define FLAGS (BLOCK_NO_LOCK | BLOCK_NO_BACKING | BLOCK_UNSAFE)
#define PART 70000u

static void read_parts(BlockNode *n)
{
    g_autofree uint8_t *data = g_malloc(PART);
    uint64_t at = 0;

    block_read(n, 0, data, MIN(n->bytes, PART));
    block_read(n, n->bytes - MIN(n->bytes, PART), data, MIN(n->bytes, PART));
    for (unsigned i = 0; i < 50 && at < n->bytes; i++) {
        BlockExtent e;

        if (block_extent_deep(n, at, n->bytes - at, &e) < 0) {
            break;
        }
        at += e.bytes;
    }
}

static void write_parts(BlockNode *n)
{
    g_autofree uint8_t *data = g_malloc0(PART);
    uint64_t half = n->bytes / 2, rest = MIN(n->bytes - half, PART);

    if (!n->bytes) {
        return;
    }
    memset(data, 'x', 1000);
    block_write(n, 0, data, MIN(n->bytes, 5000));
    block_write(n, half, data, rest);
    block_write_zeroes(n, half, rest / 2, true);
    block_write_zeroes(n, 0, MIN(n->bytes, 3000), false);
    block_discard(n, half, rest);
    if (n->bytes >= n->cluster_bytes) {
        g_autofree uint8_t *cluster = g_malloc0(n->cluster_bytes);

        block_write_compressed(n, 0, cluster, n->cluster_bytes);
    }
    block_flush(n);
}

static void drop(Error *err)
{
    if (err) {
        error_free(err);
    }
}

/* Those that the image has, and one more. */
static void use_snapshots(BlockNode *n)
{
    g_autoptr(GPtrArray) list = block_snapshot_list(n);

    block_snapshot(n, BLOCK_SNAPSHOT_CREATE, "fuzz", NULL);
    for (guint i = 0; i < MIN(list->len, 3); i++) {
        const BlockSnapshot *s = g_ptr_array_index(list, i);

        block_snapshot(n, i % 2 ? BLOCK_SNAPSHOT_DELETE : BLOCK_SNAPSHOT_APPLY, s->id, NULL);
        write_parts(n);
    }
    block_snapshot(n, BLOCK_SNAPSHOT_DELETE, "fuzz", NULL);
}

static void repair(const char *path)
{
    BlockNode *n = block_open_image(path, "qcow2", FLAGS | BLOCK_CHECKING | BLOCK_WRITABLE, NULL);
    BlockCheck first = { .say = NULL }, second = { .say = NULL };

    if (n && block_check(n, BLOCK_REPAIR_ALL, &first, NULL) && block_check(n, BLOCK_REPAIR_NOTHING, &second, NULL)) {
        assert(first.corruptions == second.corruptions && first.leaks == second.leaks);
        assert(first.corruptions || !first.leaks);
    }
    block_close(n);
}

static void put(int fd, const uint8_t *data, size_t size)
{
    if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    BlockCheck check = { .say = NULL };
    Error *err = NULL;
    BlockNode *n;

    put(fd, data, size);
    n = block_open_image(path, "qcow2", FLAGS, &err);
    if (n) {
        g_autoptr(GString) text = g_string_new(NULL);

        n->driver->describe(n, text);
        read_parts(n);
        block_check(n, BLOCK_REPAIR_NOTHING, &check, NULL);
        block_close(n);
    }
    drop(err);
    n = block_open_image(path, "qcow2", FLAGS | BLOCK_WRITABLE, NULL);
    if (n) {
        write_parts(n);
        use_snapshots(n);
        block_resize(n, MIN(n->bytes, 1u << 20) + 4096, NULL);
        block_resize(n, n->bytes / 2, NULL);
        read_parts(n);
        block_close(n);
    }
    repair(path);
    put(fd, data, size);
    repair(path);
    close(fd);
    return 0;
}

GByteArray *fuzz_seed(unsigned number)
{
    static const char *const options[] = {
        "size=64k,cluster_size=512", "size=64k,cluster_size=512,refcount_bits=64,compression_type=zstd",
        "size=50k,cluster_size=1k,compat=0.10", "size=64k,cluster_size=512,lazy_refcounts=on,refcount_bits=8",
        "size=200k,cluster_size=4k,preallocation=metadata",
    };
    GByteArray *out;
    g_autofree char *path = NULL;
    KeyVal *kv;
    BlockNode *n;
    off_t length;
    int fd;

    if (number >= ARRAY_SIZE(options)) {
        return NULL;
    }
    fd = memfd_create("seed", MFD_CLOEXEC);
    path = g_strdup_printf("/proc/self/fd/%d", fd);
    kv = keyval_parse(options[number], NULL, NULL);
    n = block_create(path, "qcow2", kv, NULL) ? block_open_image(path, "qcow2", FLAGS | BLOCK_WRITABLE, NULL) : NULL;
    assert(n);
    write_parts(n);
    block_write(n, 20000, "data", 4);
    block_snapshot(n, BLOCK_SNAPSHOT_CREATE, "one", NULL);
    block_write(n, 20000, "other", 5);
    if (number != 1) {
        block_snapshot(n, BLOCK_SNAPSHOT_CREATE, "two", NULL);
    }
    block_close(n);
    keyval_free(kv);
    length = lseek(fd, 0, SEEK_END);
    out = g_byte_array_sized_new((guint)length);
    g_byte_array_set_size(out, (guint)length);
    if (pread(fd, out->data, (size_t)length, 0) != length) {
        abort();
    }
    close(fd);
    return out;
}
