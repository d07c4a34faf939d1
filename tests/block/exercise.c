/*
 * Work on qcow2 images for tests/system/test_img.py.
 *
 *   exercise random SEED OPERATIONS FOLDER   a random image FOLDER/image.qcow2, random operations on it,
 *                                            each compared with a model in memory; the model is FOLDER/model.raw
 *   exercise write SEED FILE                 random writes, zeros, discards and flushes until somebody kills it
 *   exercise fill FILE                       writes all of it; prints the error that ends it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <signal.h>
#include "block/block.h"
#include "tests/unit/rng.h"

#define MOST (6u << 20)         /* of a disk */

typedef struct Saved {
    char *name;
    uint8_t *data;
    uint64_t bytes;
} Saved;

typedef struct Exercise {
    Rng rng;
    char *image;
    BlockNode *n;
    uint8_t *model;             /* MOST bytes */
    uint64_t bytes;
    GPtrArray *saved;
    bool snapshots;
    char log[64][160];          /* the last operations */
    unsigned logged;
} Exercise;

static uint64_t below(Exercise *x, uint64_t limit)
{
    return rng_next(&x->rng) % limit;
}

static void PRINTF_LIKE(2, 3) note(Exercise *x, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(x->log[x->logged++ % 64], sizeof(x->log[0]), format, ap);
    va_end(ap);
}

static void NORETURN PRINTF_LIKE(2, 3) fail(Exercise *x, const char *format, ...)
{
    va_list ap;

    for (unsigned i = x->logged > 64 ? x->logged - 64 : 0; i < x->logged; i++) {
        fprintf(stderr, "  %s\n", x->log[i % 64]);
    }
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fprintf(stderr, "\n");
    exit(1);
}

static void good(Exercise *x, int rc, const char *what)
{
    if (rc) {
        fail(x, "%s: %s", what, strerror(-rc));
    }
}

static void good_error(Exercise *x, bool ok, Error *err)
{
    if (!ok) {
        fail(x, "%s", error_get_pretty(err));
    }
}

/* ---- comparing ---- */

static void compare(Exercise *x, uint64_t offset, uint64_t length)
{
    g_autofree uint8_t *data = g_malloc(length + 1);

    good(x, block_read(x->n, offset, data, length), "read");
    for (uint64_t i = 0; i < length; i++) {
        if (data[i] != x->model[offset + i]) {
            fail(x, "%s: at %" PRIu64 " there is 0x%02x, not 0x%02x", x->image, offset + i, data[i],
                 x->model[offset + i]);
        }
    }
}

/* What the extents say is true. */
static void compare_extents(Exercise *x)
{
    for (uint64_t at = 0; at < x->bytes; ) {
        BlockExtent e;

        good(x, block_extent_deep(x->n, at, x->bytes - at, &e), "extent");
        for (uint64_t i = 0; i < e.bytes && e.zero; i++) {
            if (x->model[at + i]) {
                fail(x, "%s: %" PRIu64 " is not zero", x->image, at + i);
            }
        }
        at += e.bytes;
    }
}

static void print(const char *line)
{
    puts(line);
}

static void check(Exercise *x)
{
    BlockCheck result = { .say = print };
    Error *err = NULL;

    good_error(x, block_check(x->n, BLOCK_REPAIR_NOTHING, &result, &err), err);
    if (result.corruptions || result.leaks) {
        fail(x, "%s: %" PRIu64 " errors, %" PRIu64 " leaks", x->image, result.corruptions, result.leaks);
    }
}

/* ---- operations ---- */

static void range(Exercise *x, uint64_t *offset, uint64_t *length)
{
    uint64_t most = below(x, 4) ? 20000 : 600000;

    *offset = below(x, x->bytes);
    *length = 1 + below(x, MIN(x->bytes - *offset, most));
    if (below(x, 2)) {
        *offset &= ~511ull;
        *length = MIN((*length + 511) & ~511ull, x->bytes - *offset);
    }
}

static void op_write(Exercise *x)
{
    uint64_t offset, length;
    g_autofree uint8_t *data = NULL;

    range(x, &offset, &length);
    data = g_malloc(length);
    for (uint64_t i = 0; i < length; i++) {
        data[i] = (uint8_t)(i % 7 ? i / 512 + x->logged : rng_next(&x->rng));
    }
    note(x, "write %" PRIu64 " %" PRIu64, offset, length);
    good(x, block_write(x->n, offset, data, length), "write");
    memcpy(x->model + offset, data, length);
}

static void op_compressed(Exercise *x)
{
    uint64_t cluster = x->n->cluster_bytes, offset = below(x, x->bytes) / cluster * cluster;
    uint64_t length = MIN(cluster, x->bytes - offset);

    note(x, "compressed %" PRIu64 " %" PRIu64, offset, length);
    memset(x->model + offset, (int)x->logged, length / 2);
    good(x, block_write_compressed(x->n, offset, x->model + offset, length), "write compressed");
}

static void op_zero(Exercise *x)
{
    uint64_t offset, length;
    bool unmap = below(x, 2);

    range(x, &offset, &length);
    note(x, "zero %" PRIu64 " %" PRIu64 " %d", offset, length, unmap);
    good(x, block_write_zeroes(x->n, offset, length, unmap), "write zeroes");
    memset(x->model + offset, 0, length);
}

/* Afterwards there is what was there, or zeros. */
static void op_discard(Exercise *x)
{
    uint64_t offset, length;
    g_autofree uint8_t *data = NULL;

    range(x, &offset, &length);
    note(x, "discard %" PRIu64 " %" PRIu64, offset, length);
    good(x, block_discard(x->n, offset, length), "discard");
    data = g_malloc(length);
    good(x, block_read(x->n, offset, data, length), "read");
    for (uint64_t i = 0; i < length; i++) {
        if (data[i] && data[i] != x->model[offset + i]) {
            fail(x, "discard made %" PRIu64 " something else", offset + i);
        }
    }
    memcpy(x->model + offset, data, length);
}

static void op_snapshot(Exercise *x)
{
    unsigned what = (unsigned)below(x, 3);
    Saved *s;
    Error *err = NULL;

    if (!x->snapshots) {
        return;
    }
    if (x->saved->len == 0 || (what == 0 && x->saved->len < 4)) {
        s = g_new0(Saved, 1);
        s->name = g_strdup_printf("s%u", x->logged);
        s->data = g_memdup2(x->model, MOST);
        s->bytes = x->bytes;
        g_ptr_array_add(x->saved, s);
        note(x, "snapshot %s", s->name);
        good_error(x, block_snapshot(x->n, BLOCK_SNAPSHOT_CREATE, s->name, &err), err);
        return;
    }
    s = g_ptr_array_index(x->saved, below(x, x->saved->len));
    if (what == 1) {
        note(x, "apply %s", s->name);
        good_error(x, block_snapshot(x->n, BLOCK_SNAPSHOT_APPLY, s->name, &err), err);
        memcpy(x->model, s->data, MOST);
        x->bytes = s->bytes;
        g_assert_cmpuint(block_bytes(x->n), ==, x->bytes);
    } else {
        note(x, "delete %s", s->name);
        good_error(x, block_snapshot(x->n, BLOCK_SNAPSHOT_DELETE, s->name, &err), err);
        g_ptr_array_remove(x->saved, s);
    }
}

static void op_resize(Exercise *x, bool v2)
{
    uint64_t bytes = (1 + below(x, MOST / 512)) * 512;
    Error *err = NULL;

    if (v2 && x->saved->len) {
        return;
    }
    note(x, "resize %" PRIu64 " to %" PRIu64, x->bytes, bytes);
    good_error(x, block_resize(x->n, bytes, &err), err);
    if (bytes < x->bytes) {
        memset(x->model + bytes, 0, x->bytes - bytes);
    }
    x->bytes = bytes;
}

static void op_reopen(Exercise *x)
{
    Error *err = NULL;

    note(x, "reopen");
    block_close(x->n);
    x->n = block_open_image(x->image, below(x, 2) ? "qcow2" : NULL, BLOCK_WRITABLE, &err);
    good_error(x, x->n, err);
    g_assert_cmpuint(block_bytes(x->n), ==, x->bytes);
}

/* ---- a random image ---- */

static const char *pick(Exercise *x, const char *const *of, unsigned count)
{
    return of[below(x, count)];
}

/* base.raw under it, perhaps; its content is the model's. */
static char *make_base(Exercise *x, const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "base.raw", NULL);
    uint64_t bytes = (1 + below(x, MOST / 512)) * 512;

    for (uint64_t i = 0; i < MIN(bytes, x->bytes); i++) {
        x->model[i] = (uint8_t)(i / 1000);
    }
    g_autofree uint8_t *data = g_malloc(bytes);

    for (uint64_t i = 0; i < bytes; i++) {
        data[i] = (uint8_t)(i / 1000);
    }
    g_assert_true(g_file_set_contents(path, (const char *)data, (gssize)bytes, NULL));
    return g_strdup("backing_file=base.raw,backing_fmt=raw");
}

static bool make_image(Exercise *x, const char *folder)
{
    static const char *const clusters[] = { "512", "1k", "4k", "64k", "64k", "128k", "2M" };
    static const char *const widths[] = { "1", "2", "4", "8", "16", "32", "64" };
    static const char *const modes[] = { "off", "off", "metadata", "falloc", "full" };
    bool v2 = below(x, 5) == 0, backed = below(x, 3) == 0;
    const char *width = v2 ? "16" : pick(x, widths, ARRAY_SIZE(widths));
    g_autofree char *base = NULL, *text = NULL;
    Error *err = NULL;
    KeyVal *options;

    x->bytes = (1 + below(x, MOST / 512)) * 512;
    base = backed ? make_base(x, folder)
                  : g_strdup_printf("preallocation=%s", pick(x, modes, ARRAY_SIZE(modes)));
    x->snapshots = strcmp(width, "1") && strcmp(width, "2");
    text = g_strdup_printf("size=%" PRIu64 ",compat=%s,cluster_size=%s,refcount_bits=%s%s%s,%s", x->bytes,
                           v2 ? "0.10" : "1.1", pick(x, clusters, ARRAY_SIZE(clusters)), width,
                           !v2 && below(x, 3) == 0 ? ",lazy_refcounts=on" : "",
                           !v2 && below(x, 2) ? ",compression_type=zstd" : "", base);
    note(x, "create %s", text);
    options = keyval_parse(text, NULL, NULL);
    good_error(x, block_create(x->image, "qcow2", options, &err), err);
    keyval_free(options);
    return v2;
}

static void free_saved(gpointer p)
{
    Saved *s = p;

    g_free(s->name);
    g_free(s->data);
    g_free(s);
}

static void run_random(uint64_t seed, unsigned operations, const char *folder)
{
    g_autofree char *model = g_build_filename(folder, "model.raw", NULL);
    Exercise x = { .image = g_build_filename(folder, "image.qcow2", NULL), .model = g_malloc0(MOST) };
    Error *err = NULL;
    bool v2;

    x.rng = (Rng){ seed };
    x.saved = g_ptr_array_new_with_free_func(free_saved);
    v2 = make_image(&x, folder);
    x.n = block_open_image(x.image, "qcow2", BLOCK_WRITABLE, &err);
    good_error(&x, x.n, err);
    for (unsigned i = 0; i < operations; i++) {
        uint64_t offset, length;

        switch (below(&x, 16)) {
        case 0: op_zero(&x); break;
        case 1: op_zero(&x); break;
        case 2: op_discard(&x); break;
        case 3: op_discard(&x); break;
        case 4: op_snapshot(&x); break;
        case 5: op_snapshot(&x); break;
        case 6: op_compressed(&x); break;
        case 7: good(&x, block_flush(x.n), "flush"); break;
        case 8: below(&x, 3) ? op_write(&x) : op_resize(&x, v2); break;
        case 9: below(&x, 3) ? op_write(&x) : op_reopen(&x); break;
        case 10: below(&x, 4) ? op_write(&x) : check(&x); break;
        case 11:
            range(&x, &offset, &length);
            compare(&x, offset, length);
            break;
        default: op_write(&x); break;
        }
    }
    compare(&x, 0, x.bytes);
    compare_extents(&x);
    check(&x);
    op_reopen(&x);
    compare(&x, 0, x.bytes);
    check(&x);
    block_close(x.n);
    g_assert_true(g_file_set_contents(model, (const char *)x.model, (gssize)x.bytes, NULL));
    g_ptr_array_free(x.saved, TRUE);
    g_free(x.model);
    g_free(x.image);
}

/* ---- until something ends it ---- */

static BlockNode *open_or_exit(const char *path)
{
    Error *err = NULL;
    BlockNode *n = block_open_image(path, "qcow2", BLOCK_WRITABLE, &err);

    if (!n) {
        error_report_err(err);
        exit(1);
    }
    return n;
}

static void run_write(uint64_t seed, const char *path)
{
    Exercise x = { .n = open_or_exit(path), .image = (char *)path };
    g_autofree uint8_t *data = g_malloc0(600000);

    x.bytes = block_bytes(x.n);
    x.rng = (Rng){ seed };
    good(&x, block_write(x.n, 0, data, 1), "write");
    puts("writing");
    fflush(stdout);
    for (;;) {
        uint64_t offset, length;

        range(&x, &offset, &length);
        memset(data, (int)below(&x, 256), length);
        switch (below(&x, 10)) {
        case 0: good(&x, block_discard(x.n, offset, length), "discard"); break;
        case 1: good(&x, block_write_zeroes(x.n, offset, length, below(&x, 2)), "zero"); break;
        case 2: good(&x, block_flush(x.n), "flush"); break;
        default: good(&x, block_write(x.n, offset, data, length), "write"); break;
        }
    }
}

static void run_fill(const char *path)
{
    g_autofree uint8_t *data = g_malloc(100000);
    BlockNode *n = open_or_exit(path);
    int rc = 0;

    signal(SIGXFSZ, SIG_IGN);
    memset(data, 'x', 100000);
    for (uint64_t at = 0; at < n->bytes && rc == 0; at += 100000) {
        rc = block_write(n, at, data, MIN(100000, n->bytes - at));
    }
    rc = rc ? rc : block_flush(n);
    printf("%s\n", rc ? strerror(-rc) : "full");
    block_close(n);
}

int main(int argc, char **argv)
{
    if (argc == 5 && !strcmp(argv[1], "random")) {
        run_random(strtoull(argv[2], NULL, 0), (unsigned)atoi(argv[3]), argv[4]);
    } else if (argc == 4 && !strcmp(argv[1], "write")) {
        run_write(strtoull(argv[2], NULL, 0), argv[3]);
    } else if (argc == 3 && !strcmp(argv[1], "fill")) {
        run_fill(argv[2]);
    } else {
        fprintf(stderr, "usage: exercise random SEED OPERATIONS FOLDER | write SEED FILE | fill FILE\n");
        return 1;
    }
    return 0;
}
