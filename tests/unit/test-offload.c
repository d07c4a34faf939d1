/*
 * Checksums and segmentation of packets.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/net.h"
#include "net/offload.h"

#define ETHER 14

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* The sum of RFC 1071 over bytes that have their checksum in them is 0xffff. */
static unsigned sum(unsigned start, const uint8_t *p, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        start += i % 2 ? p[i] : (unsigned)p[i] << 8;
    }
    while (start >> 16) {
        start = (start & 0xffff) + (start >> 16);
    }
    return start;
}

static size_t make_ipv4(uint8_t *f, unsigned protocol, size_t payload)
{
    size_t length = ETHER + 20 + payload;

    memset(f, 0, length);
    put16(f + 12, 0x0800);
    f[ETHER] = 0x45;
    put16(f + ETHER + 2, (unsigned)(20 + payload));
    put16(f + ETHER + 4, 0xfffe);
    f[ETHER + 8] = 64;
    f[ETHER + 9] = (uint8_t)protocol;
    memcpy(f + ETHER + 12, "\x0a\x00\x02\x0f\x0a\x00\x02\x02", 8);
    for (size_t i = ETHER + 20 + 20; i < length; i++) {
        f[i] = (uint8_t)(i * 7);
    }
    return length;
}

typedef struct Sent {
    uint8_t frame[80][2000];
    size_t length[80];
    unsigned n;
} Sent;

static void take(void *opaque, const uint8_t *frame, size_t length)
{
    Sent *s = opaque;

    g_assert_cmpuint(s->n, <, 80);
    g_assert_cmpuint(length, <=, 2000);
    memcpy(s->frame[s->n], frame, length);
    s->length[s->n++] = length;
}

static void test_checksum(void)
{
    g_autofree Sent *s = g_new0(Sent, 1);
    uint8_t f[2000];
    size_t length = make_ipv4(f, 17, 8 + 101);
    NetOffload o = { .checksum = true, .checksum_start = ETHER + 20, .checksum_offset = 6 };
    unsigned pseudo = sum(17 + 8 + 101, f + ETHER + 12, 8);

    put16(f + ETHER + 20 + 6, pseudo);
    g_assert_true(net_offload(&o, f, length, take, s));
    g_assert_cmpuint(s->n, ==, 1);
    g_assert_cmpuint(s->length[0], ==, length);
    g_assert_cmphex(sum(pseudo, s->frame[0] + ETHER + 20, length - ETHER - 20), ==, 0xffff);

    /* Offsets that are not in the frame. */
    o.checksum_start = (uint16_t)length;
    g_assert_false(net_offload(&o, f, length, take, s));
    o = (NetOffload){ .checksum = true, .checksum_start = ETHER + 20, .checksum_offset = (uint16_t)(length - ETHER - 21) };
    g_assert_false(net_offload(&o, f, length, take, s));
    g_assert_false(net_offload(&o, f, NET_MIN_FRAME - 1, take, s));
    g_assert_cmpuint(s->n, ==, 1);
}

#define MSS 1000
#define DATA 2500

static size_t make_tcp(uint8_t *f)
{
    size_t length = make_ipv4(f, 6, 20 + DATA);

    f[ETHER + 20 + 4] = 0xff;      /* a sequence number that wraps in the first byte */
    f[ETHER + 20 + 12] = 5 << 4;
    f[ETHER + 20 + 13] = 0x80 | 0x10 | 0x08 | 0x01;    /* CWR, ACK, PSH, FIN */
    return length;
}

static void check_segment(const Sent *s, unsigned n, const uint8_t *whole)
{
    const uint8_t *f = s->frame[n], *ip = f + ETHER, *tcp = ip + 20;
    size_t bytes = n < 2 ? MSS : DATA - 2 * MSS;

    g_assert_cmpuint(s->length[n], ==, ETHER + 40 + bytes);
    g_assert_cmpuint(get16(ip + 2), ==, 40 + bytes);
    g_assert_cmphex(get16(ip + 4), ==, (0xfffe + n) & 0xffff);
    g_assert_cmphex(sum(0, ip, 20), ==, 0xffff);
    g_assert_cmphex(get32(tcp + 4), ==, 0xff000000 + n * MSS);
    g_assert_cmphex(tcp[13], ==, 0x10 | (n == 0 ? 0x80 : 0) | (n == 2 ? 0x09 : 0));
    g_assert_cmphex(sum(sum((unsigned)(6 + 20 + bytes), ip + 12, 8), tcp, 20 + bytes), ==, 0xffff);
    g_assert_cmpmem(tcp + 20, bytes, whole + ETHER + 40 + n * MSS, bytes);
}

static void test_segments(void)
{
    g_autofree Sent *s = g_new0(Sent, 1);
    uint8_t f[4000], whole[4000];
    size_t length = make_tcp(f);
    NetOffload o = { .checksum = true, .tcp4 = true, .segment_bytes = MSS, .checksum_start = ETHER + 20,
                     .checksum_offset = 16 };

    memcpy(whole, f, length);
    g_assert_true(net_offload(&o, f, length, take, s));
    g_assert_cmpuint(s->n, ==, 3);
    for (unsigned n = 0; n < 3; n++) {
        check_segment(s, n, whole);
    }
}

static void test_bad_segments(void)
{
    static const struct { size_t at; uint8_t value; } spoil[] = {
        { ETHER, 0x65 }, { ETHER, 0x44 }, { ETHER + 9, 17 }, { ETHER + 20 + 12, 4 << 4 },
    };
    g_autofree Sent *s = g_new0(Sent, 1);
    uint8_t f[4000];
    size_t length = make_tcp(f);
    NetOffload o = { .tcp4 = true, .segment_bytes = MSS };

    for (unsigned i = 0; i < ARRAY_SIZE(spoil); i++) {
        make_tcp(f);
        f[spoil[i].at] = spoil[i].value;
        g_assert_false(net_offload(&o, f, length, take, s));
    }
    make_tcp(f);
    g_assert_false(net_offload(&o, f, ETHER + 39, take, s));
    o.segment_bytes = 0;
    g_assert_false(net_offload(&o, f, length, take, s));
    o = (NetOffload){ .tcp6 = true, .segment_bytes = MSS };
    g_assert_false(net_offload(&o, f, length, take, s));
    g_assert_cmpuint(s->n, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/offload/checksum", test_checksum);
    g_test_add_func("/offload/segments", test_segments);
    g_test_add_func("/offload/bad-segments", test_bad_segments);
    return g_test_run();
}
