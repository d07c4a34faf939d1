/*
 * blkdebug: errors and delays by rule, on the way to an image.
 *
 *   driver=blkdebug,image.filename=disk.img,
 *   inject-error.0.event=write_aio,inject-error.0.errno=28,inject-error.0.sector=8,inject-error.0.once=on
 *
 * A rule is for requests of one kind: event= as QEMU has it, for those that every request causes, or
 * iotype=. sector= limits it to requests that touch that sector. skip=N lets the first N pass. delay=MS
 * waits before; errno=0 does nothing else.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block-int.h"

#define SECTOR 512u
#define MAX_RULES 64u
#define MAX_DELAY_MS 60000u
#define ANY_SECTOR UINT64_MAX

typedef enum Kind { KIND_READ, KIND_WRITE, KIND_ZERO, KIND_DISCARD, KIND_FLUSH, KIND_STATUS, KIND_ANY } Kind;

static const char *const kinds[] = { "read", "write", "write-zeroes", "discard", "flush", "block-status" };

/* The events that stand for a kind of request. */
static const struct { const char *name; Kind kind; } events[] = {
    { "read_aio", KIND_READ }, { "write_aio", KIND_WRITE }, { "flush_to_disk", KIND_FLUSH },
    { "flush_to_os", KIND_FLUSH }, { "none", KIND_ANY },
};

typedef struct Rule {
    Kind kind;
    int error;
    uint64_t sector, skip, delay_ms;
    bool once, done;
} Rule;

typedef struct BlkDebug {
    BlockNode node;
    Rule rules[MAX_RULES];
    unsigned count;
} BlkDebug;

static BlkDebug *debug(BlockNode *n)
{
    return container_of(n, BlkDebug, node);
}

/* ---- rules ---- */

static bool parse_kind(Rule *r, const char *event, const char *type, const char *rule, Error **errp)
{
    r->kind = KIND_ANY;
    for (unsigned i = 0; event && i <= ARRAY_SIZE(events); i++) {
        if (i == ARRAY_SIZE(events)) {
            error_setg(errp, "blkdebug: %s.event=%s: there are read_aio, write_aio, flush_to_os, flush_to_disk and "
                       "none; iotype= names the others", rule, event);
            return false;
        }
        if (!strcmp(events[i].name, event)) {
            r->kind = events[i].kind;
            break;
        }
    }
    for (unsigned i = 0; type && i <= ARRAY_SIZE(kinds); i++) {
        if (i == ARRAY_SIZE(kinds)) {
            error_setg(errp, "blkdebug: %s.iotype=%s: there are read, write, write-zeroes, discard, flush and "
                       "block-status", rule, type);
            return false;
        }
        if (!strcmp(kinds[i], type)) {
            r->kind = (Kind)i;
            break;
        }
    }
    return true;
}

/* A number of a rule; absent: what it is. */
static bool number(KeyVal *options, const char *rule, const char *key, uint64_t most, uint64_t *out, Error **errp)
{
    const char *text = block_option(options, rule, key);

    if (text && (!parse_u64(text, out) || *out > most)) {
        error_setg(errp, "blkdebug: %s.%s=%s: it is a number, at most %" PRIu64, rule, key, text, most);
        return false;
    }
    return true;
}

static bool parse_rule(Rule *r, KeyVal *options, const char *rule, Error **errp)
{
    const char *once = block_option(options, rule, "once");
    uint64_t error = EIO;

    r->sector = ANY_SECTOR;
    if (!parse_kind(r, block_option(options, rule, "event"), block_option(options, rule, "iotype"), rule, errp) ||
        !number(options, rule, "errno", 4095, &error, errp) ||
        !number(options, rule, "sector", BLOCK_MAX_BYTES / SECTOR, &r->sector, errp) ||
        !number(options, rule, "skip", UINT32_MAX, &r->skip, errp) ||
        !number(options, rule, "delay", MAX_DELAY_MS, &r->delay_ms, errp)) {
        return false;
    }
    if (once && !parse_bool(once, &r->once)) {
        error_setg(errp, "blkdebug: %s.once=%s: it is on or off", rule, once);
        return false;
    }
    r->error = (int)error;
    return true;
}

/* Rules are numbered from 0 on; one has at least one of these. */
static bool has_rule(KeyVal *options, const char *rule)
{
    static const char *const keys[] = { "event", "iotype", "errno", "delay" };
    bool found = false;

    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        found |= block_option(options, rule, keys[i]) != NULL;
    }
    return found;
}

static bool blkdebug_open(BlockNode *n, KeyVal *options, const char *prefix, Error **errp)
{
    BlkDebug *d = debug(n);

    for (;; d->count++) {
        g_autofree char *own = g_strdup_printf("inject-error.%u", d->count);
        g_autofree char *rule = block_option_name(prefix, own);

        if (!has_rule(options, rule)) {
            break;
        }
        if (d->count == MAX_RULES) {
            error_setg(errp, "blkdebug: there are more than %u rules", MAX_RULES);
            return false;
        }
        if (!parse_rule(&d->rules[d->count], options, rule, errp)) {
            return false;
        }
    }
    n->bytes = n->file->bytes;
    return true;
}

/* ---- requests ---- */

static bool applies(Rule *r, Kind kind, uint64_t offset, uint64_t length)
{
    uint64_t at = r->sector * SECTOR;

    if (r->done || (r->kind != KIND_ANY && r->kind != kind) ||
        (r->sector != ANY_SECTOR && (kind == KIND_FLUSH || at + SECTOR <= offset || at >= offset + length))) {
        return false;
    }
    if (r->skip) {
        r->skip--;
        return false;
    }
    r->done = r->once;
    return true;
}

/* What the rules make of a request: 0 or -errno. */
static int inject(BlockNode *n, Kind kind, uint64_t offset, uint64_t length)
{
    BlkDebug *d = debug(n);

    for (unsigned i = 0; i < d->count; i++) {
        Rule *r = &d->rules[i];

        if (applies(r, kind, offset, length)) {
            block_wait(n, (int64_t)r->delay_ms * 1000000);
            if (r->error) {
                return -r->error;
            }
        }
    }
    return 0;
}

static int blkdebug_read(BlockNode *n, uint64_t offset, void *out, size_t length)
{
    int rc = inject(n, KIND_READ, offset, length);

    return rc ? rc : block_read(n->file, offset, out, length);
}

static int blkdebug_write(BlockNode *n, uint64_t offset, const void *data, size_t length)
{
    int rc = inject(n, KIND_WRITE, offset, length);

    return rc ? rc : block_write(n->file, offset, data, length);
}

static int blkdebug_write_zeroes(BlockNode *n, uint64_t offset, uint64_t length, bool unmap)
{
    int rc = inject(n, KIND_ZERO, offset, length);

    return rc ? rc : block_write_zeroes(n->file, offset, length, unmap);
}

static int blkdebug_discard(BlockNode *n, uint64_t offset, uint64_t length)
{
    int rc = inject(n, KIND_DISCARD, offset, length);

    return rc ? rc : block_discard(n->file, offset, length);
}

static int blkdebug_flush(BlockNode *n)
{
    int rc = inject(n, KIND_FLUSH, 0, 0);

    return rc ? rc : block_flush(n->file);
}

static int blkdebug_admit(BlockNode *n, BlockChange change, uint64_t offset, uint64_t length)
{
    static const Kind kind[] = {
        [BLOCK_CHANGE_WRITE] = KIND_WRITE, [BLOCK_CHANGE_ZERO] = KIND_ZERO, [BLOCK_CHANGE_DISCARD] = KIND_DISCARD,
        [BLOCK_CHANGE_FLUSH] = KIND_FLUSH,
    };

    return inject(n, kind[change], offset, length);
}

static int blkdebug_extent(BlockNode *n, uint64_t offset, uint64_t length, BlockExtent *out)
{
    int rc = inject(n, KIND_STATUS, offset, length);

    rc = rc ? rc : block_extent(n->file, offset, length, out);
    out->allocated = true;
    out->has_offset = true;
    out->offset = offset;
    return rc;
}

const BlockDriver block_blkdebug = {
    .name = "blkdebug", .doc = "errors and delays by rule; image.filename=PATH, inject-error.N.event= ...",
    .size = sizeof(BlkDebug), .filter = true, .child = "image",
    .open = blkdebug_open, .read = blkdebug_read, .write = blkdebug_write,
    .write_zeroes = blkdebug_write_zeroes, .discard = blkdebug_discard, .flush = blkdebug_flush,
    .admit = blkdebug_admit, .extent = blkdebug_extent,
};
