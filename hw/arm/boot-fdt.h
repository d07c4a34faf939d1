/*
 * Device tree blobs in a growing buffer, and what a boot loader adds to one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ARM_BOOT_FDT_H
#define HW_ARM_BOOT_FDT_H

#include <glib.h>
#include "util/error.h"

/* booting.rst of the kernel: the blob must not be larger. */
#define FDT_MAX_BYTES (2u << 20)

/* An empty tree. All fdt_*() below assert success: the buffer grows. */
GByteArray *boot_fdt_new(void);
/* A copy of an untrusted blob; path is for the message. */
GByteArray *boot_fdt_parse(const char *path, const void *data, size_t length, Error **errp);

/* The offset of the node at path, made if it is not there (its parent is). */
int boot_fdt_node(GByteArray *fdt, const char *path);
bool boot_fdt_has_node(const GByteArray *fdt, const char *path);
void boot_fdt_set(GByteArray *fdt, const char *path, const char *name,
                  const void *value, size_t length);
void boot_fdt_set_string(GByteArray *fdt, const char *path, const char *name, const char *value);
/* Several strings, as `compatible` has them; the last argument is NULL. */
void boot_fdt_set_strings(GByteArray *fdt, const char *path, const char *name, ...)
    __attribute__((sentinel));
void boot_fdt_set_cells(GByteArray *fdt, const char *path, const char *name,
                        const uint32_t *cells, unsigned num);
#define BOOT_FDT_CELLS(fdt, path, name, ...)                                  \
    boot_fdt_set_cells(fdt, path, name, (const uint32_t[]){ __VA_ARGS__ },    \
                       sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

typedef struct BootFdtInfo {
    uint64_t ram_base, ram_size;
    bool numa;                         /* of NUMA node 0 */
    const char *bootargs;              /* NULL or "": leave alone */
    uint64_t initrd_start, initrd_end; /* equal: none */
    const char *psci_method;           /* NULL: no PSCI */
} BootFdtInfo;

/* Replace /memory, complete /chosen, add /psci where there is none. */
bool boot_fdt_complete(GByteArray *fdt, const BootFdtInfo *info, Error **errp);
/* Give the slack back; the array's length is then the blob's size. */
void boot_fdt_pack(GByteArray *fdt);

/* The value of a property of exactly `length` bytes inside the packed blob, or NULL. */
uint8_t *boot_fdt_value(GByteArray *fdt, const char *path, const char *name, size_t length);

#endif
