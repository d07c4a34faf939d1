/*
 * Fuzz target: what comes in on a network's stream socket. The input is how many bytes are read at a time, and the stream:
 * in whatever pieces it comes, the same frames are in it, up to the same end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/frames.h"
#include "net/net.h"
#include "tests/fuzz/fuzz.h"
#include "util/digest.h"

typedef struct Result {
    uint64_t frames, bytes, digest;
    bool ok;
} Result;

static void take(void *opaque, const uint8_t *frame, size_t length)
{
    Result *r = opaque;
    uint64_t chain[2] = { r->digest, digest_block(frame, length) };

    if (length > NET_MAX_FRAME) {
        abort();
    }
    r->frames++;
    r->bytes += NET_FRAMES_HEADER + length;
    r->digest = digest_block(chain, sizeof(chain));
}

static Result parse(const uint8_t *data, size_t size, size_t piece)
{
    Result r = { .ok = true };
    NetFrames f;
    uint32_t length = 0;

    net_frames_init(&f);
    for (size_t at = 0; r.ok && at < size; at += piece) {
        r.ok = net_frames_feed(&f, data + at, MIN(piece, size - at), take, &r, &length);
    }
    if (r.ok ? f.part->len != size - r.bytes : length <= NET_MAX_FRAME) {
        abort();
    }
    net_frames_clear(&f);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Result whole, pieces;

    if (size < 2) {
        return 0;
    }
    whole = parse(data + 1, size - 1, size);
    pieces = parse(data + 1, size - 1, data[0] + 1u);
    if (memcmp(&whole, &pieces, offsetof(Result, ok)) || whole.ok != pieces.ok) {
        abort();
    }
    return 0;
}

GByteArray *fuzz_seed(unsigned n)
{
    static const size_t lengths[] = { 60, 0, 1514, 14 };
    GByteArray *out;
    uint8_t piece = n ? 6 : 100, header[NET_FRAMES_HEADER], frame[1514];

    if (n > 1) {
        return NULL;
    }
    out = g_byte_array_append(g_byte_array_new(), &piece, 1);
    for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
        memset(frame, (int)i, sizeof(frame));
        net_frames_header(header, lengths[i]);
        g_byte_array_append(out, header, sizeof(header));
        g_byte_array_append(out, frame, (guint)lengths[i]);
    }
    return out;
}
