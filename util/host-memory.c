/*
 * Memory of the host.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <sys/mman.h>
#include <unistd.h>
#include "util/host-memory.h"

uint64_t host_memory_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
}

void *host_memory_map(size_t size)
{
    void *start = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return start == MAP_FAILED ? NULL : start;
}

void host_memory_unmap(void *start, size_t size)
{
    munmap(start, size);
}

void host_memory_will_fill(void *start, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = ((uintptr_t)start + page - 1) & -page;
    uintptr_t end = ((uintptr_t)start + size) & -page;

    /* Huge pages are used where they fit. A host without them says so, which is no error. */
    if (end > first) {
        madvise((void *)first, end - first, MADV_HUGEPAGE);
    }
}
