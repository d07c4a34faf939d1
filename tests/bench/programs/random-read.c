/*
 * Reads 4 KiB at random places of a block device, one after the other, past the page cache.
 *
 *     random-read DEVICE COUNT
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BLOCK = 4096 };

int main(int argc, char **argv)
{
    static char buffer[BLOCK] __attribute__((aligned(BLOCK)));
    uint64_t random = 1;
    unsigned sum = 0;

    if (argc != 3) {
        return 2;
    }
    int fd = open(argv[1], O_RDONLY | O_DIRECT);
    off_t blocks = lseek(fd, 0, SEEK_END) / BLOCK;

    if (blocks <= 0) {
        perror(argv[1]);
        return 1;
    }
    for (long i = atol(argv[2]); i; i--) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        if (pread(fd, buffer, BLOCK, (off_t)((random >> 33) % (uint64_t)blocks) * BLOCK) != BLOCK) {
            perror("pread");
            return 1;
        }
        sum += (unsigned char)buffer[0];
    }
    printf("%u\n", sum);
    return 0;
}
