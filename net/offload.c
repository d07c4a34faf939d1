/*
 * Checksums (RFC 1071) and segmentation of TCP over IPv4 and IPv6.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/net.h"
#include "net/offload.h"

#define VLAN_TYPE 0x8100
#define IP_PROTOCOL_TCP 6
#define TCP_FIN_PSH 0x09
#define TCP_CWR 0x80
#define MAX_HEADERS 256

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static void put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put32(uint8_t *p, uint32_t value)
{
    put16(p, value >> 16);
    put16(p + 2, value & 0xffff);
}

static uint64_t add_words(uint64_t sum, const uint8_t *p, size_t length)
{
    for (; length > 1; p += 2, length -= 2) {
        sum += get16(p);
    }
    return length ? sum + ((unsigned)p[0] << 8) : sum;
}

static unsigned fold(uint64_t sum)
{
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return ~(unsigned)sum & 0xffff;
}

/* The driver has put the sum of the pseudo header there. */
static bool fill_checksum(const NetOffload *o, uint8_t *frame, size_t length)
{
    size_t at = (size_t)o->checksum_start + o->checksum_offset;
    unsigned sum;

    if (o->checksum_start >= length || at + 2 > length) {
        return false;
    }
    sum = fold(add_words(0, frame + o->checksum_start, length - o->checksum_start));
    /* Of UDP, zero would mean that there is none. */
    put16(frame + at, sum ? sum : 0xffff);
    return true;
}

/* Where the headers of a TCP segment are. */
typedef struct Segment {
    size_t ip, tcp, data;
    bool v6;
} Segment;

static bool find_headers(const NetOffload *o, const uint8_t *frame, size_t length, Segment *s)
{
    size_t header;

    s->v6 = o->tcp6;
    s->ip = length > 18 && get16(frame + 12) == VLAN_TYPE ? 18 : 14;
    header = s->v6 ? 40 : 20;
    if (length < s->ip + header) {
        return false;
    }
    if (s->v6) {
        /* Extension headers of a segment that is to be cut: nobody sends such. */
        if (frame[s->ip] >> 4 != 6 || frame[s->ip + 6] != IP_PROTOCOL_TCP) {
            return false;
        }
    } else {
        header = (frame[s->ip] & 15) * 4u;
        if (frame[s->ip] >> 4 != 4 || header < 20 || frame[s->ip + 9] != IP_PROTOCOL_TCP) {
            return false;
        }
    }
    s->tcp = s->ip + header;
    if (length < s->tcp + 20) {
        return false;
    }
    s->data = s->tcp + (frame[s->tcp + 12] >> 4) * 4u;
    return s->data >= s->tcp + 20 && s->data <= length && s->data <= MAX_HEADERS;
}

static void fill_headers(const Segment *s, uint8_t *frame, size_t length)
{
    size_t tcp_length = length - s->tcp;
    uint8_t *ip = frame + s->ip, *tcp = frame + s->tcp;
    uint64_t sum = IP_PROTOCOL_TCP + tcp_length;

    if (s->v6) {
        put16(ip + 4, (unsigned)tcp_length);
        sum = add_words(sum, ip + 8, 32);
    } else {
        put16(ip + 2, (unsigned)(length - s->ip));
        put16(ip + 10, 0);
        put16(ip + 10, fold(add_words(0, ip, s->tcp - s->ip)));
        sum = add_words(sum, ip + 12, 8);
    }
    put16(tcp + 16, 0);
    put16(tcp + 16, fold(add_words(sum, tcp, tcp_length)));
}

static bool cut(const NetOffload *o, const uint8_t *frame, size_t length, NetOffloadSend *send, void *opaque)
{
    uint8_t out[NET_MAX_FRAME];
    Segment s;
    unsigned id;

    if (!o->segment_bytes || !find_headers(o, frame, length, &s) || s.data + o->segment_bytes > sizeof(out)) {
        return false;
    }
    id = get16(frame + s.ip + 4);
    for (size_t at = s.data, n = 0; at < length || n == 0; at += o->segment_bytes, n++) {
        size_t bytes = MIN(length - at, o->segment_bytes);

        memcpy(out, frame, s.data);
        memcpy(out + s.data, frame + at, bytes);
        if (!s.v6) {
            put16(out + s.ip + 4, (id + (unsigned)n) & 0xffff);
        }
        put32(out + s.tcp + 4, get32(frame + s.tcp + 4) + (uint32_t)(at - s.data));
        /* FIN and PSH belong to the last frame, CWR to the first. */
        if (at + bytes < length) {
            out[s.tcp + 13] &= (uint8_t)~TCP_FIN_PSH;
        }
        if (n) {
            out[s.tcp + 13] &= (uint8_t)~TCP_CWR;
        }
        fill_headers(&s, out, s.data + bytes);
        send(opaque, out, s.data + bytes);
    }
    return true;
}

bool net_offload(const NetOffload *o, uint8_t *frame, size_t length, NetOffloadSend *send, void *opaque)
{
    if (length < NET_MIN_FRAME || length > NET_MAX_FRAME) {
        return false;
    }
    if (o->tcp4 || o->tcp6) {
        return cut(o, frame, length, send, opaque);
    }
    if (o->checksum && !fill_checksum(o, frame, length)) {
        return false;
    }
    send(opaque, frame, length);
    return true;
}
