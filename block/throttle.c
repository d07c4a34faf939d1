/*
 * throttle: at most so many bytes and requests a second.
 *
 *   driver=throttle,bps-total=10M,iops-read=100,file.driver=qcow2,...
 *
 * Each limit is a clock of its own: a request moves it on by what it costs, and waits while it is ahead of the
 * host's by more than the burst that is allowed, a tenth of a second. When requests complete is recorded, so a
 * guest sees the same on replay.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block-int.h"
#include "util/host-clock.h"

#define SECOND 1000000000ll
#define BURST (SECOND / 10)

typedef enum LimitKind { LIMIT_READ = 1, LIMIT_WRITE = 2, LIMIT_TOTAL = 3 } LimitKind;

static const struct {
    const char *name;
    LimitKind of;
    bool bytes;
} limits[] = {
    { "bps-total", LIMIT_TOTAL, true }, { "bps-read", LIMIT_READ, true }, { "bps-write", LIMIT_WRITE, true },
    { "iops-total", LIMIT_TOTAL, false }, { "iops-read", LIMIT_READ, false }, { "iops-write", LIMIT_WRITE, false },
};

typedef struct Throttle {
    BlockNode node;
    uint64_t per_second[ARRAY_SIZE(limits)];    /* 0: no limit */
    int64_t clock[ARRAY_SIZE(limits)];          /* when what was done would be done at that rate */
} Throttle;

static Throttle *throttle(BlockNode *n)
{
    return container_of(n, Throttle, node);
}

static bool throttle_open(BlockNode *n, KeyVal *options, const char *prefix, Error **errp)
{
    for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
        const char *text = block_option(options, prefix, limits[i].name);

        if (text && !parse_size(text, 1, &throttle(n)->per_second[i])) {
            error_setg(errp, "throttle: %s=%s: it is a number per second", limits[i].name, text);
            return false;
        }
    }
    n->bytes = n->file->bytes;
    return true;
}

/* Until a request of that kind may begin. */
static void wait_for(BlockNode *n, LimitKind kind, uint64_t bytes)
{
    Throttle *t = throttle(n);
    int64_t now = host_monotonic_ns(), until = now;

    for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
        double cost = limits[i].bytes ? (double)bytes : 1;

        if (!t->per_second[i] || !(limits[i].of & kind)) {
            continue;
        }
        until = MAX(until, t->clock[i] - BURST);
        t->clock[i] = MAX(t->clock[i], now) + (int64_t)(cost * SECOND / (double)t->per_second[i]);
    }
    block_wait(n, until - now);
}

static int throttle_read(BlockNode *n, uint64_t offset, void *out, size_t length)
{
    wait_for(n, LIMIT_READ, length);
    return block_read(n->file, offset, out, length);
}

static int throttle_write(BlockNode *n, uint64_t offset, const void *data, size_t length)
{
    wait_for(n, LIMIT_WRITE, length);
    return block_write(n->file, offset, data, length);
}

/* Without data, a request all the same. */
static int throttle_write_zeroes(BlockNode *n, uint64_t offset, uint64_t length, bool unmap)
{
    wait_for(n, LIMIT_WRITE, 0);
    return block_write_zeroes(n->file, offset, length, unmap);
}

static int throttle_discard(BlockNode *n, uint64_t offset, uint64_t length)
{
    wait_for(n, LIMIT_WRITE, 0);
    return block_discard(n->file, offset, length);
}

static int throttle_admit(BlockNode *n, BlockChange change, uint64_t offset, uint64_t length)
{
    if (change != BLOCK_CHANGE_FLUSH) {
        wait_for(n, LIMIT_WRITE, change == BLOCK_CHANGE_WRITE ? length : 0);
    }
    return 0;
}

const BlockDriver block_throttle = {
    .name = "throttle", .doc = "so much a second; bps-total=, iops-read= and the like, file.driver=...",
    .size = sizeof(Throttle), .filter = true,
    .open = throttle_open, .read = throttle_read, .write = throttle_write,
    .admit = throttle_admit, .write_zeroes = throttle_write_zeroes, .discard = throttle_discard,
};
