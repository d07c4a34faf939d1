/*
 * Back end "ringbuf": keeps the last bytes of the output in memory, until a monitor reads them.
 * Gives no input.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/chardev-int.h"

#define DEFAULT_SIZE 65536
#define MAX_SIZE (256u << 20)

typedef struct CharRingbuf {
    Chardev chr;
    GMutex ring_lock;        /* guards what follows; the lock of Chardev is for its queue */
    uint8_t *ring;           /* NULL: open failed */
    uint64_t size;           /* a power of two */
    uint64_t written, taken; /* bytes ever; written - taken <= size are there */
} CharRingbuf;

static bool ringbuf_open(Chardev *c, KeyVal *options, Error **errp)
{
    CharRingbuf *r = container_of(c, CharRingbuf, chr);
    const char *size = keyval_get(options, "size");

    r->size = DEFAULT_SIZE;
    if (!keyval_check_unused(options, "-chardev ringbuf", errp)) {
        return false;
    }
    if (size && !parse_size(size, 1, &r->size)) {
        error_setg(errp, "-chardev ringbuf: size=%s: expected a size such as 64K", size);
        return false;
    }
    if (r->size == 0 || (r->size & (r->size - 1))) {
        error_setg(errp, "size of ringbuf chardev must be power of two");
        return false;
    }
    if (r->size > MAX_SIZE) {
        error_setg(errp, "-chardev ringbuf: size=%s is too much: at most %u MiB", size,
                   MAX_SIZE >> 20);
        return false;
    }
    g_mutex_init(&r->ring_lock);
    r->ring = g_malloc(r->size);
    chardev_event(c, CHAR_EVENT_OPENED);
    return true;
}

static void ringbuf_close(Chardev *c)
{
    CharRingbuf *r = container_of(c, CharRingbuf, chr);

    if (r->ring) {
        g_free(r->ring);
        g_mutex_clear(&r->ring_lock);
    }
}

static void ringbuf_write_now(Chardev *c, const uint8_t *data, size_t length)
{
    CharRingbuf *r = container_of(c, CharRingbuf, chr);

    g_mutex_lock(&r->ring_lock);
    for (size_t i = 0; i < length; i++) {
        r->ring[r->written++ & (r->size - 1)] = data[i];
    }
    r->taken = MAX(r->taken, r->written - MIN(r->written, r->size));
    g_mutex_unlock(&r->ring_lock);
}

bool chardev_is_ringbuf(const Chardev *c)
{
    return c->type == &chardev_ringbuf_type;
}

void chardev_ringbuf_read(Chardev *c, size_t most, GByteArray *out)
{
    CharRingbuf *r = container_of(c, CharRingbuf, chr);

    assert(chardev_is_ringbuf(c));
    g_mutex_lock(&r->ring_lock);
    for (; most && r->taken < r->written; most--) {
        g_byte_array_append(out, &r->ring[r->taken++ & (r->size - 1)], 1);
    }
    g_mutex_unlock(&r->ring_lock);
}

const ChardevType chardev_ringbuf_type = {
    .name = "ringbuf",
    .help = "keeps the last output, for ringbuf_read in a monitor: [size=SIZE] (64K)",
    .size = sizeof(CharRingbuf),
    .open = ringbuf_open,
    .close = ringbuf_close,
    .write_now = ringbuf_write_now,
};
