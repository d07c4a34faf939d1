/*
 * Fuzz target: what a machine boots. The first byte of the input says what the rest is:
 *   0  a kernel file (Image, gzip, EFI zboot, ELF), placed and loaded
 *   1  what a gzip kernel file unpacks to
 *   2  a device tree
 *   3  an initial RAM disk
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <elf.h>
#include <libfdt.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include "tests/fuzz/fuzz.h"
#include "tests/unit/fake-replay.h"
#include "hw/arm/boot-check.h"
#include "hw/arm/boot-fdt.h"
#include "hw/arm/boot-image.h"
#include "hw/arm/boot.h"
#include "util/bytes.h"

#define RAM_BASE 0x40000000ull
#define RAM_SIZE (16ull << 20)

enum { KERNEL, UNPACKED, DEVICE_TREE, INITRD, NUM_FORMS };

/* A file that has only a descriptor, and the path that opens it. */
static char *write_memory_file(int *fd, const uint8_t *data, size_t size)
{
    *fd = memfd_create("fuzz", 0);
    assert(*fd >= 0 && write(*fd, data, size) == (ssize_t)size);
    return g_strdup_printf("/proc/self/fd/%d", *fd);
}

/* The tree that a Linux kernel got is whole, and says how much RAM there is. */
static void check_tree(Machine *m, hwaddr at)
{
    const MemRegion *region = memory_find(m->memory, at);
    const uint8_t *fdt = region->host + (at - region->base);

    assert(fdt_check_full(fdt, region->size - (at - region->base)) == 0);
    assert(fdt_path_offset(fdt, "/memory@40000000") > 0);
}

static void boot(const char *kernel, const char *dtb)
{
    BoardConfig config = { .kernel = kernel, .dtb = dtb, .ram_size = RAM_SIZE, .append = "a=b" };
    ArmBootBoard board = {
        .ram_base = RAM_BASE, .ram_size = RAM_SIZE, .psci_method = "hvc",
        .fdt = boot_fdt_new(),
    };
    Machine *m = machine_new(NULL);
    ArmBootEntry entry = { 0 };
    Error *err = NULL;

    memory_add_ram(m->memory, "ram", RAM_BASE, RAM_SIZE, false, NULL);
    boot_fdt_set_string(board.fdt, "/", "compatible", "linux,dummy-virt");
    if (arm_boot_load(m, &config, &board, &entry, &err)) {
        assert(!err);
        machine_reset_devices(m);
        if (entry.x0) {
            check_tree(m, entry.x0);
        }
    } else {
        assert(err && *error_get_pretty(err));
        error_free(err);
    }
    g_byte_array_unref(board.fdt);
    machine_free(m);
}

static void boot_kernel(const uint8_t *data, size_t size)
{
    int fd;
    g_autofree char *path = write_memory_file(&fd, data, size);

    boot(path, NULL);
    close(fd);
}

/* As zlib's compress(), with the header of a gzip file. */
static size_t put_gzip(uint8_t *out, size_t room, const uint8_t *data, size_t size)
{
    z_stream z = { .next_in = (uint8_t *)data, .avail_in = (unsigned)size,
                   .next_out = out, .avail_out = (unsigned)room };
    int status = deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);

    assert(status == Z_OK);
    status = deflate(&z, Z_FINISH);
    assert(status == Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static void boot_unpacked(const uint8_t *data, size_t size)
{
    size_t room = size + 1024;
    g_autofree uint8_t *packed = g_malloc(room);

    boot_kernel(packed, put_gzip(packed, room, data, size));
}

static void make_image(uint8_t image[200])
{
    memset(image, 0, 200);
    store_le(image + 16, 300, 8);      /* image_size */
    memcpy(image + 56, "ARM\x64", 4);
}

static void boot_with_tree(const uint8_t *data, size_t size)
{
    uint8_t image[200];
    int fd, image_fd;
    g_autofree char *path = write_memory_file(&fd, data, size);
    g_autofree char *kernel = NULL;

    make_image(image);
    kernel = write_memory_file(&image_fd, image, sizeof(image));
    boot(kernel, path);
    close(image_fd);
    close(fd);
}

static void check_initrd(const uint8_t *data, size_t size)
{
    boot_initrd_is_cut(data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const forms[NUM_FORMS])(const uint8_t *data, size_t size) = {
        [KERNEL] = boot_kernel, [UNPACKED] = boot_unpacked, [DEVICE_TREE] = boot_with_tree,
        [INITRD] = check_initrd,
    };

    if (size) {
        forms[data[0] % NUM_FORMS](data + 1, size - 1);
    }
    return 0;
}

/* ---- seeds ---- */

static void put_elf(GByteArray *out)
{
    Elf64_Ehdr eh = {
        .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
        .e_type = ET_EXEC, .e_machine = EM_AARCH64, .e_version = EV_CURRENT,
        .e_entry = 0x40200000, .e_phoff = sizeof(eh), .e_ehsize = sizeof(eh),
        .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2,
    };
    Elf64_Phdr ph = {
        .p_type = PT_LOAD, .p_offset = 0, .p_vaddr = 0x40200000, .p_paddr = 0x40200000,
        .p_filesz = 64, .p_memsz = 4096,
    };

    g_byte_array_append(out, (const uint8_t *)&eh, sizeof(eh));
    g_byte_array_append(out, (const uint8_t *)&ph, sizeof(ph));
    ph.p_paddr = ph.p_vaddr = 0x40300000;
    g_byte_array_append(out, (const uint8_t *)&ph, sizeof(ph));
}

/* An EFI zboot image: 56 bytes of header, then gzip data. */
static void put_zboot(GByteArray *out)
{
    uint8_t image[200], file[56 + 1024] = { 0 };
    size_t packed;

    make_image(image);
    packed = put_gzip(file + 56, 1024, image, sizeof(image));
    memcpy(file, "MZ\0\0zimg", 8);
    store_le(file + 8, 56, 4);
    store_le(file + 12, packed, 4);
    memcpy(file + 24, "gzip", 4);
    g_byte_array_append(out, file, (guint)(56 + packed));
}

static void put_tree(GByteArray *out)
{
    GByteArray *fdt = boot_fdt_new();

    BOOT_FDT_CELLS(fdt, "/", "#address-cells", 2);
    BOOT_FDT_CELLS(fdt, "/", "#size-cells", 1);
    boot_fdt_set_string(fdt, "/memory", "device_type", "memory");
    boot_fdt_set_string(fdt, "/chosen", "stdout-path", "/uart");
    boot_fdt_set_string(fdt, "/chosen/module", "device_type", "memory");
    boot_fdt_set_string(fdt, "/uart", "compatible", "arm,pl011");
    boot_fdt_pack(fdt);
    g_byte_array_append(out, fdt->data, fdt->len);
    g_byte_array_unref(fdt);
}

/* With so many roots; none is as good as a blob that says nothing. */
static void put_roots(GByteArray *out, unsigned num)
{
    uint8_t fdt[512];
    int err = fdt_create(fdt, sizeof(fdt)) | fdt_finish_reservemap(fdt);

    for (unsigned i = 0; i < num; i++) {
        err |= fdt_begin_node(fdt, "") | fdt_end_node(fdt);
    }
    err |= fdt_finish(fdt);
    assert(err == 0);
    g_byte_array_append(out, fdt, fdt_totalsize(fdt));
}

static void put_no_root(GByteArray *out)
{
    put_roots(out, 0);
}

static void put_two_roots(GByteArray *out)
{
    put_roots(out, 2);
}

static void put_image(GByteArray *out)
{
    uint8_t image[200];

    make_image(image);
    g_byte_array_append(out, image, sizeof(image));
}

/* An Image that EFI can start: a PE header and one section. */
static void put_pe_image(GByteArray *out)
{
    uint8_t image[200];

    make_image(image);
    memcpy(image, "MZ", 2);
    store_le(image + 0x3c, 64, 4);
    memcpy(image + 64, "PE\0", 4);
    store_le(image + 64 + 6, 1, 2);
    store_le(image + 64 + 24 + 16, 50, 4);
    store_le(image + 64 + 24 + 20, 150, 4);
    g_byte_array_append(out, image, sizeof(image));
}

static void put_cpio(GByteArray *out)
{
    static const char archive[] =
        "070701" "00000001" "000081a4" "00000000" "00000000" "00000001" "00000000" "00000004"
        "00000000" "00000000" "00000000" "00000000" "00000002" "00000000" "a\0" "data"
        "070701" "00000000" "00000000" "00000000" "00000000" "00000001" "00000000" "00000000"
        "00000000" "00000000" "00000000" "00000000" "0000000b" "00000000" "TRAILER!!!\0";

    g_byte_array_append(out, (const uint8_t *)archive, sizeof(archive) - 1);
}

GByteArray *fuzz_seed(unsigned n)
{
    static const struct {
        uint8_t form;
        void (*put)(GByteArray *out);
    } seeds[] = {
        { KERNEL, put_image }, { KERNEL, put_elf }, { KERNEL, put_zboot },
        { UNPACKED, put_image }, { UNPACKED, put_elf }, { DEVICE_TREE, put_tree },
        { DEVICE_TREE, put_no_root }, { DEVICE_TREE, put_two_roots },
        { KERNEL, put_pe_image }, { INITRD, put_cpio },
    };
    GByteArray *out;

    if (n >= ARRAY_SIZE(seeds)) {
        return NULL;
    }
    out = g_byte_array_append(g_byte_array_new(), &seeds[n].form, 1);
    seeds[n].put(out);
    return out;
}
