/*
 * Fuzz target: keyframes in an otherwise good recording of a virt board. Whatever they hold, a
 * replay that wants to use them goes on from another place or reports, does not crash, and takes
 * neither for ever nor all memory. The first byte of the input says which part of a keyframe the
 * rest of it takes the place of, the second one of which keyframe.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include "accel/tcg/exec-loop.h"
#include "hw/core/board.h"
#include "hw/core/memory-snapshot.h"
#include "replay/replay-copy.h"
#include "target/arm/cpu.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/log-builder.h"

enum { STATE, HEAD, PAGES, TEXT, INDEX, NUM_FORMS };

#define RAM_SIZE (16u << 20)
#define KEYFRAME_PERIOD 2000
#define KEYFRAMES 4
/* Behind the last keyframe. */
#define GOAL 9500
#define END 10000
/* One input takes a hundredth of these. */
#define MAX_SECONDS 60
#define MAX_KIB (1u << 20)

/* ---- the machine ---- */

/*
 * The virtual timer interrupts a loop that writes to 256 KiB of memory, clears what is two pages
 * behind, and prints letters.
 */
static const uint32_t program[] = {
    0xd2a10009,     /* 00: mov x9, #0x08000000: GICD */
    0xd2a1002a,     /*     mov x10, #0x08010000: GICC */
    0xd2a1200b,     /*     mov x11, #0x09000000: UART */
    0xd2a8000c,     /*     mov x12, #0x40000000: RAM */
    0x52800020,     /* 10: mov w0, #1 */
    0xb9000120,     /*     str w0, [x9] */
    0xb9000140,     /*     str w0, [x10] */
    0x52801e00,     /*     mov w0, #0xf0 */
    0xb9000540,     /* 20: str w0, [x10, #4] */
    0x52a10000,     /*     mov w0, #1 << 27 */
    0xb9010120,     /*     str w0, [x9, #0x100] */
    0x52810000,     /*     mov w0, #0x800 */
    0xd518c000,     /* 30: msr vbar_el1, x0 */
    0xd2800640,     /*     mov x0, #50 */
    0xd51be300,     /*     msr cntv_tval_el0, x0 */
    0xd2800020,     /*     mov x0, #1 */
    0xd51be320,     /* 40: msr cntv_ctl_el0, x0 */
    0xd50342ff,     /*     msr daifclr, #2 */
    0x91000421,     /* 48: add x1, x1, #1 */
    0xd37ae422,     /*     lsl x2, x1, #6 */
    0x92404442,     /* 50: and x2, x2, #0x3ffff */
    0xf8226981,     /*     str x1, [x12, x2] */
    0xd1400842,     /*     sub x2, x2, #0x2000 */
    0x92404442,     /*     and x2, x2, #0x3ffff */
    0xf822699f,     /* 60: str xzr, [x12, x2] */
    0xf240143f,     /*     tst x1, #63 */
    0x54ffff01,     /*     b.ne 48 */
    0x12000c22,     /*     and w2, w1, #15 */
    0x11018442,     /* 70: add w2, w2, #'a' */
    0x39000162,     /*     strb w2, [x11] */
    0x17fffff4,     /*     b 48 */
    [0xa80 / 4] =
    0xb9400d43,     /* a80: ldr w3, [x10, #0xc] */
    0xd2800640,     /*     mov x0, #50 */
    0xd51be300,     /*     msr cntv_tval_el0, x0 */
    0xb9001143,     /*     str w3, [x10, #0x10] */
    0x91000484,     /* a90: add x4, x4, #1 */
    0xd69f03e0,     /*     eret */
};

typedef struct FuzzMachine {
    Replay *replay;
    Machine *m;
    TcgContext *tcg;
    ExecLoop *loop;
    GPtrArray *devices;
    BoardConfig config;
    GMutex lock;
    GCond changed;
    unsigned stops;
    bool ended;
} FuzzMachine;

static void stopped(void *opaque, ExecStopReason reason, Vcpu *cpu)
{
    FuzzMachine *f = opaque;

    g_mutex_lock(&f->lock);
    f->stops++;
    g_cond_broadcast(&f->changed);
    g_mutex_unlock(&f->lock);
}

static void ended(void *opaque)
{
    FuzzMachine *f = opaque;

    g_mutex_lock(&f->lock);
    f->ended = true;
    g_cond_broadcast(&f->changed);
    g_mutex_unlock(&f->lock);
}

static void wait_stop(FuzzMachine *f, unsigned stops)
{
    g_mutex_lock(&f->lock);
    while (f->stops < stops && !f->ended) {
        g_cond_wait(&f->changed, &f->lock);
    }
    g_mutex_unlock(&f->lock);
}

static void make_board(FuzzMachine *f)
{
    f->m = machine_new(f->replay);
    f->m->device_types = device_types;
    f->devices = g_ptr_array_new();
    g_ptr_array_add(f->devices, (void *)"virtio-rng-device");
    f->config = (BoardConfig){ .ram_size = RAM_SIZE, .num_cpus = 2, .devices = f->devices,
                               .topology = { .cpus = 2, .max_cpus = 2, .sockets = 1, .cores = 2,
                                             .threads = 1, .clusters = 1 } };
    if (!board_create(board_find("virt", NULL), f->m, &f->config, NULL) ||
        !memory_write(f->m->memory, 0, program, sizeof(program))) {
        abort();
    }
}

/* It stands still at power-on. */
static void machine_open(FuzzMachine *f, const ReplayConfig *replay)
{
    const TcgConfig tcg = { .interp = true, .cache_bytes = 1 << 20 };
    const ExecConfig exec = { .icount = true, .start_paused = true, .stop_at_end = true,
                              .travel_memory = 32 << 20, .snapshot_period = 3000,
                              .keyframe_positions = KEYFRAME_PERIOD };
    const ExecListener listener = { .stopped = stopped, .opaque = f };

    *f = (FuzzMachine){ .replay = replay_new(replay, NULL) };
    g_mutex_init(&f->lock);
    g_cond_init(&f->changed);
    make_board(f);
    f->tcg = tcg_new(f->m, &tcg, NULL);
    for (unsigned i = 0; i < f->m->num_cpus; i++) {
        tcg_add_vcpu(f->tcg, f->m->cpus[i]);
    }
    f->loop = exec_loop_new(f->m, f->tcg, &exec);
    exec_loop_add_listener(f->loop, &listener);
    if (!replay_start(f->replay, NULL)) {
        abort();
    }
    exec_loop_start(f->loop, ended, f);
}

static void machine_close(FuzzMachine *f)
{
    exec_loop_request(f->loop, SHUTDOWN_CAUSE_HOST_QUIT);
    exec_loop_cont(f->loop);
    exec_loop_join(f->loop);
    exec_loop_free(f->loop);
    tcg_free(f->tcg);
    for (unsigned i = 0; i < f->m->num_cpus; i++) {
        f->m->cpus[i]->ops->free(f->m->cpus[i]);
    }
    machine_free(f->m);
    replay_free(f->replay);
    g_ptr_array_unref(f->devices);
    g_mutex_clear(&f->lock);
    g_cond_clear(&f->changed);
}

/* ---- the recording ---- */

static char *memory_file(int *fd)
{
    *fd = memfd_create("fuzz", 0);
    return g_strdup_printf("/proc/self/fd/%d", *fd);
}

static uint64_t num_pages;

static ReplayLogReader *record(void)
{
    int fd;
    g_autofree char *path = memory_file(&fd);
    const ReplayConfig config = { .mode = REPLAY_MODE_RECORD, .file = path, .keyframes = true,
                                  .overwrite = true, .check = REPLAY_CHECK_DIGEST,
                                  .check_period = 5000 };
    FuzzMachine f;

    machine_open(&f, &config);
    exec_loop_run_until(f.loop, END);
    wait_stop(&f, 1);
    num_pages = memory_snapshot_pages(f.m->memory);
    machine_close(&f);
    return replay_log_reader_open_fd(fd, path, NULL);
}

/* A good one, which is read again and again. */
static ReplayLogReader *recording(void)
{
    static ReplayLogReader *reader;

    if (!reader) {
        reader = record();
    }
    return replay_log_reader_open_again(reader, NULL);
}

/* ---- the input ---- */

typedef struct Input {
    unsigned form;
    guint keyframe;
    const uint8_t *data;
    size_t size;
    bool done;                /* one frame of the kind was replaced */
    GByteArray *seed;         /* instead: what would be replaced */
} Input;

static const BuilderPart parts[] = { [STATE] = BUILDER_STATE, [HEAD] = BUILDER_HEAD,
                                     [PAGES] = BUILDER_PAGES, [TEXT] = BUILDER_TEXT };

static void change_frame(void *opaque, guint keyframe, BuilderPart part, GByteArray *data)
{
    Input *in = opaque;

    if (in->done || keyframe != in->keyframe || in->form == INDEX || part != parts[in->form]) {
        return;
    }
    in->done = true;
    if (in->seed) {
        g_byte_array_append(in->seed, data->data, data->len);
    } else {
        g_byte_array_set_size(data, 0);
        g_byte_array_append(data, in->data, (guint)MIN(in->size, REPLAY_LOG_MAX_FRAME));
    }
}

/* Four numbers for one of the entries, added to what is there. */
static void change_index(void *opaque, ReplayIndex *index)
{
    Input *in = opaque;
    ReplayIndexEntry *e = &g_array_index(index->keyframes, ReplayIndexEntry, in->keyframe);
    ByteReader r;

    if (in->form == INDEX && !in->seed) {
        byte_reader_init(&r, in->data, in->size);
        e->sequence += (uint32_t)bytes_get_varint(&r);
        e->offset += bytes_get_varint(&r);
        e->first_pos += bytes_get_varint(&r);
        e->first_record += bytes_get_varint(&r);
    }
}

static void build(Input *in, LogBuilder *b)
{
    const BuilderChange change = { change_frame, change_index, in };
    ReplayLogReader *reader = recording();

    builder_copy(b, reader, &change);
    replay_log_reader_free(reader);
}

static void replay(const LogBuilder *b)
{
    int fd;
    g_autofree char *path = memory_file(&fd);
    const ReplayConfig config = { .mode = REPLAY_MODE_PLAY, .file = path };
    FuzzMachine f;

    if (fd < 0 || write(fd, b->file->data, b->file->len) != (ssize_t)b->file->len) {
        abort();
    }
    machine_open(&f, &config);
    if (exec_loop_seek(f.loop, GOAL, NULL)) {
        wait_stop(&f, 1);
    }
    /* Bytes that are put out when it goes on from there, and a text that is in no keyframe. */
    if (exec_loop_seek_text(f.loop, "ab", EXEC_TEXT_FROM_START, 1, NULL)) {
        wait_stop(&f, 2);
    }
    machine_close(&f);
    close(fd);
}

/* What rearm-replay and branches do. */
static void copy(const LogBuilder *b)
{
    ReplayLogReader *reader = replay_log_reader_open_memory(b->file->data, b->file->len, NULL);
    ReplayLogWriter *w = replay_log_writer_new(&replay_log_recording);
    ReplayCursor *from;
    ReplayCopier *copier;

    if (!reader || !replay_log_writer_open_memory(w, replay_log_reader_json(reader), NULL)) {
        abort();
    }
    from = replay_cursor_new(reader, NULL);
    copier = replay_copier_new(from, w);
    replay_copier_with_keyframes(copier);
    replay_copier_run(copier, UINT64_MAX, UINT64_MAX);
    replay_copier_free(copier);
    if (!replay_log_writer_finish(w)) {
        abort();
    }
    replay_log_writer_free(w);
    replay_cursor_free(from);
}

static void check_memory(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    if (usage.ru_maxrss > (long)MAX_KIB) {
        fprintf(stderr, "%ld KiB of memory\n", usage.ru_maxrss);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input in = { .form = size ? data[0] % NUM_FORMS : 0, .data = data + 2, .size = size - 2 };
    LogBuilder b;

    if (size < 3) {
        return 0;
    }
    in.keyframe = data[1] % KEYFRAMES;
    alarm(MAX_SECONDS);
    build(&in, &b);
    replay(&b);
    copy(&b);
    builder_clear(&b);
    alarm(0);
    check_memory();
    return 0;
}

/* ---- seeds ---- */

/* Zeros and marks of a head are the last pages, so that a little more is too much. */
static void use_last_pages(GByteArray *head)
{
    ReplayKeyframeHead *h = replay_keyframe_head_get(head->data, head->len, UINT32_MAX, num_pages);
    ByteReader in;

    byte_reader_init(&in, head->data, head->len);
    for (guint i = 9 + h->text->len + 2 * h->pages->len + h->chunks->len +
                    2 * h->differences->len; i > 0; i--) {
        bytes_get_varint(&in);
    }
    g_byte_array_set_size(head, (guint)(head->len - byte_reader_left(&in)));
    for (unsigned i = 0; i < 2; i++) {
        bytes_put_varint(head, 1);
        bytes_put_varint(head, num_pages - 3);
        bytes_put_varint(head, 3);
    }
    replay_keyframe_head_free(h);
}

/* The last keyframe, and what a seek to behind it needs of one before. */
GByteArray *fuzz_seed(unsigned n)
{
    bool last_pages = n == 2 * NUM_FORMS;
    Input in = { .form = last_pages ? HEAD : n / 2, .keyframe = n % 2 ? 1 : KEYFRAMES - 1,
                 .seed = g_byte_array_new() };
    GByteArray *out;
    LogBuilder b;

    if (n > 2 * NUM_FORMS) {
        g_byte_array_unref(in.seed);
        return NULL;
    }
    build(&in, &b);
    builder_clear(&b);
    if (last_pages) {
        use_last_pages(in.seed);
    } else if (in.form == INDEX) {
        g_byte_array_append(in.seed, (const uint8_t *)"\0\0\0\0", 4);
    }
    out = g_byte_array_new();
    bytes_put_u8(out, (uint8_t)in.form);
    bytes_put_u8(out, (uint8_t)in.keyframe);
    bytes_put_data(out, in.seed->data, in.seed->len);
    g_byte_array_unref(in.seed);
    return out;
}
