/*
 * Fuzz target: what a driver asks a network card to do with a frame. The input is flags (1 checksum, 2 TCP over IPv4,
 * 4 over IPv6), two bytes each of segment size, checksum start and offset, and the frame.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/net.h"
#include "net/offload.h"
#include "tests/fuzz/fuzz.h"
#include "util/bytes.h"

#define HEADER 7

static void sent(void *opaque, const uint8_t *frame, size_t length)
{
    size_t *total = opaque;

    if (length < NET_MIN_FRAME || length > NET_MAX_FRAME) {
        abort();
    }
    *total += length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    NetOffload o;
    size_t total = 0, length;
    g_autofree uint8_t *frame = NULL;

    if (size < HEADER) {
        return 0;
    }
    o = (NetOffload){
        .checksum = data[0] & 1, .tcp4 = data[0] & 2, .tcp6 = data[0] & 4,
        .segment_bytes = (uint16_t)load_le(data + 1, 2), .checksum_start = (uint16_t)load_le(data + 3, 2),
        .checksum_offset = (uint16_t)load_le(data + 5, 2),
    };
    length = size - HEADER;
    frame = g_memdup2(data + HEADER, length);
    if (net_offload(&o, frame, length, sent, &total) != (total > 0)) {
        abort();
    }
    return 0;
}

GByteArray *fuzz_seed(unsigned n)
{
    GByteArray *out;
    uint8_t f[HEADER + 14 + 40 + 20 + 300] = { 0 };
    uint8_t *ip = f + HEADER + 14;
    bool v6 = n == 1;

    if (n > 1) {
        return NULL;
    }
    f[0] = (uint8_t)(1 | (v6 ? 4 : 2));
    store_le(f + 1, 100, 2);
    store_le(f + 3, v6 ? 54 : 34, 2);
    store_le(f + 5, 16, 2);
    ip[0] = v6 ? 0x60 : 0x45;
    ip[v6 ? 6 : 9] = 6;
    ip[(v6 ? 40 : 20) + 12] = 5 << 4;
    out = g_byte_array_new();
    g_byte_array_append(out, f, sizeof(f));
    return out;
}
