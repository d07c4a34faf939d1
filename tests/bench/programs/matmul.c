/*
 * The product of two matrices of doubles, which the compiler vectorises (FMLA v.2d), n times.
 *
 *     matmul [n]
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <stdlib.h>

#define SIZE 128

static double a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];

static void multiply(void)
{
    for (unsigned i = 0; i < SIZE; i++) {
        for (unsigned k = 0; k < SIZE; k++) {
            for (unsigned j = 0; j < SIZE; j++) {
                c[i][j] += a[i][k] * b[k][j];
            }
        }
    }
}

int main(int argc, char **argv)
{
    double sum = 0;

    for (unsigned i = 0; i < SIZE; i++) {
        for (unsigned j = 0; j < SIZE; j++) {
            a[i][j] = 1 / (1.0 + i + j);
            b[i][j] = i == j ? 1 : (double)i / (1 + j);
        }
    }
    for (int n = argc > 1 ? atoi(argv[1]) : 1; n > 0; n--) {
        multiply();
    }
    for (unsigned i = 0; i < SIZE; i++) {
        sum += c[i][i];
    }
    printf("%.17g\n", sum);
    return 0;
}
