/*
 * How CPUs are grouped: -smp, and what a board's device tree tells the guest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_TOPOLOGY_H
#define HW_CORE_TOPOLOGY_H

/* sockets * clusters * cores * threads is max_cpus, of which the first `cpus` are there. */
typedef struct CpuTopology {
    unsigned cpus, max_cpus;
    unsigned sockets;
    unsigned clusters;            /* in a socket */
    unsigned cores;               /* in a cluster */
    unsigned threads;             /* in a core */
} CpuTopology;

#endif
