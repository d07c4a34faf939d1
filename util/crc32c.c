/*
 * CRC32C: eight bytes a step where the host has an instruction for it, else four bits a step.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/crc32c.h"

/* What follows works on the inverted CRC. */
static uint32_t by_table(uint32_t crc, const uint8_t *p, size_t length)
{
    /* table[n] = n shifted out through the reflected polynomial 0x82f63b78. */
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
        0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
        0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };

    for (size_t i = 0; i < length; i++) {
        crc ^= p[i];
        crc = table[crc & 15] ^ (crc >> 4);
        crc = table[crc & 15] ^ (crc >> 4);
    }
    return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2")))
static uint32_t by_words(uint32_t crc, const uint8_t *p, size_t words)
{
    uint64_t value = crc;

    for (size_t i = 0; i < words; i++) {
        uint64_t word;

        memcpy(&word, p + 8 * i, 8);
        value = __builtin_ia32_crc32di(value, word);
    }
    return (uint32_t)value;
}

static bool has_instruction(void)
{
    return __builtin_cpu_supports("sse4.2");
}
#else
static uint32_t by_words(uint32_t crc, const uint8_t *p, size_t words)
{
    return by_table(crc, p, 8 * words);
}

static bool has_instruction(void)
{
    return false;
}
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t length)
{
    size_t words = has_instruction() ? length / 8 : 0;
    const uint8_t *rest = (const uint8_t *)data + 8 * words;

    return ~by_table(by_words(~crc, data, words), rest, length - 8 * words);
}
