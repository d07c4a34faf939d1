/*
 * A program that rewrites its own code, as a just-in-time compiler does: n times store an
 * instruction, make it visible (DC CVAU, IC IVAU) and call it.
 *
 *     rewrite [n]
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define MOV_W0 0x52800000u      /* mov w0, #imm16 << 5 */
#define RET 0xd65f03c0u

int main(int argc, char **argv)
{
    uint32_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*call)(void) = (int (*)(void))code;
    uint64_t sum = 0;

    if (code == MAP_FAILED) {
        perror("rewrite");
        return 1;
    }
    code[1] = RET;
    for (int n = argc > 1 ? atoi(argv[1]) : 1; n > 0; n--) {
        code[0] = MOV_W0 | (uint32_t)(n & 0xffff) << 5;
        __builtin___clear_cache((char *)code, (char *)(code + 2));
        sum += (uint64_t)call();
    }
    printf("%llu\n", (unsigned long long)sum);
    return 0;
}
