/*
 * Boot loading: placement as QEMU's, reload at reset, and every kind of bad image.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <elf.h>
#include <glib/gstdio.h>
#include <libfdt.h>
#include <zlib.h>
#include <zstd.h>
#include "fake-replay.h"
#include "hw/arm/boot-check.h"
#include "hw/arm/boot-fdt.h"
#include "hw/arm/virt-fdt.h"
#include "hw/arm/boot.h"
#include "hw/misc/fw_cfg.h"
#include "util/bytes.h"

#define RAM 0x40000000ull
#define MIB (1ull << 20)

static char *dir;

typedef struct Boot {
    Machine *m;
    ArmBootEntry entry;
    GString *described;      /* "name=value\n" */
} Boot;

static void describe(void *opaque, const char *name, const char *value)
{
    g_string_append_printf(opaque, "%s=%s\n", name, value);
}

static void boot_clear(Boot *b)
{
    machine_free(b->m);
    g_string_free(b->described, TRUE);
}

/* NULL when it worked; boot_clear() is due then. Else the message. */
static char *boot(Boot *b, BoardConfig *config, bool seeds)
{
    static const BoardDevice no_devices[] = { { .type = NULL } };
    VirtFdtConfig fdt_config = {
        .num_cpus = 1, .cpu_compatible = "arm,cortex-a53", .devices = no_devices,
        .random_seeds = seeds,
    };
    ArmBootBoard board = {
        .ram_base = RAM, .ram_size = config->ram_size, .flash_size = 64 * MIB,
        .random_seeds = seeds, .psci_method = "hvc",
    };
    Error *err = NULL;
    char *message = NULL;

    memset(&fake_replay, 0, sizeof(fake_replay));
    *b = (Boot){ .m = machine_new(NULL), .described = g_string_new(NULL) };
    g_assert_nonnull(memory_add_ram(b->m->memory, "ram", RAM, config->ram_size, false, NULL));
    g_assert_nonnull(memory_add_ram(b->m->memory, "flash", 0, 64 * MIB, true, NULL));
    board.fdt = virt_fdt_build(&fdt_config);
    board.fw_cfg = fw_cfg(device_add(b->m, &fw_cfg_type, "fw_cfg", 0x09020000, IRQ_NONE, NULL));
    b->m->describe = describe;
    b->m->describe_opaque = b->described;
    if (!arm_boot_load(b->m, config, &board, &b->entry, &err)) {
        message = g_strdup(error_get_pretty(err));
        error_free(err);
        boot_clear(b);
    } else {
        g_assert_null(err);
        machine_reset_devices(b->m);
    }
    g_byte_array_unref(board.fdt);
    return message;
}

/* Refused, with each of the parts in the message. */
static void assert_refused(BoardConfig config, ...)
{
    Boot b;
    g_autofree char *message = NULL;
    const char *part;
    va_list ap;

    if (!config.ram_size) {
        config.ram_size = 64 * MIB;
    }
    message = boot(&b, &config, true);
    g_test_message("%s", message ? message : "accepted");
    g_assert_nonnull(message);
    va_start(ap, config);
    while ((part = va_arg(ap, const char *)) != NULL) {
        g_assert_nonnull(strstr(message, part));
    }
    va_end(ap);
}

#define REFUSED(parts, ...) assert_refused((BoardConfig){ __VA_ARGS__ }, parts, NULL)
#define PARTS(...) __VA_ARGS__

static char *write_file(const char *name, const void *data, size_t length)
{
    char *path = g_build_filename(dir, name, NULL);

    g_assert_true(g_file_set_contents(path, data, (gssize)length, NULL));
    return path;
}

static uint8_t *make_image(size_t length, uint64_t text_offset, uint64_t image_size,
                           uint64_t flags)
{
    uint8_t *image = g_malloc0(length);

    for (size_t i = 64; i < length; i++) {
        image[i] = (uint8_t)(i * 7);
    }
    store_le(image, 0x14000010, 4);
    store_le(image + 8, text_offset, 8);
    store_le(image + 16, image_size, 8);
    store_le(image + 24, flags, 8);
    memcpy(image + 56, "ARM\x64", 4);
    return image;
}

static char *write_image(const char *name, size_t length, uint64_t text_offset,
                         uint64_t image_size, uint64_t flags)
{
    g_autofree uint8_t *image = make_image(length, text_offset, image_size, flags);

    return write_file(name, image, length);
}

static uint64_t ram(Boot *b, uint64_t addr, unsigned size)
{
    uint64_t value = 0;

    g_assert_true(memory_read(b->m->memory, addr, &value, size));
    return value;
}

/* The value of a one-cell /chosen property of the tree in guest memory. */
static uint32_t chosen_cell(Boot *b, uint64_t fdt_addr, const char *name)
{
    const MemRegion *region = memory_find(b->m->memory, fdt_addr);
    const void *fdt = region->host + (fdt_addr - region->base);
    const fdt32_t *value;
    int length;

    g_assert_cmpint(fdt_check_header(fdt), ==, 0);
    value = fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), name, &length);
    return value && length >= 4 ? fdt32_to_cpu(*value) : 0;
}

static void test_linux(void)
{
    g_autofree char *kernel = write_image("Image", 5000, 0, 0x100000, 10);
    g_autofree char *initrd = write_file("initrd", "initrd data", 11);
    BoardConfig config = {
        .ram_size = 512 * MIB, .kernel = kernel, .initrd = initrd, .append = "a b",
    };
    Boot b;

    g_assert_null(boot(&b, &config, true));
    /* the addresses that QEMU 7.2 uses for this configuration */
    g_assert_cmphex(b.entry.pc, ==, 0x40200000);
    g_assert_cmphex(b.entry.x0, ==, 0x48200000);
    g_assert_cmphex(ram(&b, 0x40200000, 4), ==, 0x14000010);
    g_assert_cmphex(ram(&b, 0x40200000 + 4999, 1), ==, (4999 * 7) & 0xff);
    g_assert_cmphex(ram(&b, 0x48000000, 8), ==, 0x6420647274696e69ull);
    g_assert_cmphex(chosen_cell(&b, 0x48200000, "linux,initrd-start"), ==, 0x48000000);
    g_assert_cmphex(chosen_cell(&b, 0x48200000, "linux,initrd-end"), ==, 0x4800000b);
    g_assert_cmphex(chosen_cell(&b, 0x48200000, "bootargs"), ==, 0x61206200);
    g_assert_nonnull(strstr(b.described->str, "kernel=5000 bytes, xxh3:"));
    g_assert_nonnull(strstr(b.described->str, "initrd=11 bytes, xxh3:"));
    g_assert_nonnull(strstr(b.described->str, "fdt="));
    boot_clear(&b);
}

static void test_placement(void)
{
    g_autofree char *old = write_image("old", 5000, 0x1234, 0, 0);
    g_autofree char *offset = write_image("offset", 5000, 0x80000, 0x1000, 0);
    g_autofree char *large = write_image("large", 5000, 0x80000, 40 * MIB, 0);
    BoardConfig config = { .ram_size = 64 * MIB, .kernel = old };
    Boot b;

    /* no image_size: text_offset is not valid either */
    g_assert_null(boot(&b, &config, true));
    g_assert_cmphex(b.entry.pc, ==, RAM + 0x80000);
    g_assert_cmphex(b.entry.x0, ==, RAM + 32 * MIB);
    boot_clear(&b);
    config.kernel = offset;
    g_assert_null(boot(&b, &config, true));
    g_assert_cmphex(b.entry.pc, ==, RAM + 0x80000);
    boot_clear(&b);
    /* image_size counts, also what is not in the file */
    config.kernel = large;
    g_assert_null(boot(&b, &config, true));
    g_assert_cmphex(b.entry.x0, ==, RAM + 42 * MIB);
    boot_clear(&b);
}

static void test_reset_reloads(void)
{
    g_autofree char *kernel = write_image("Image", 5000, 0, 0x100000, 0);
    BoardConfig config = { .ram_size = 64 * MIB, .kernel = kernel };
    uint32_t seed, garbage = 0xdeadbeef;
    Boot b;

    g_assert_null(boot(&b, &config, true));
    g_assert_cmpstr(fake_replay.sources[0].name, ==, "fdt-seed");
    g_assert_cmpuint(fake_replay.num_values, ==, 1);
    g_assert_cmpuint(fake_replay.last_length, ==, 40);
    seed = chosen_cell(&b, b.entry.x0, "rng-seed");
    g_assert_cmphex(seed, ==, 0x08090a0b);
    g_assert_cmphex(chosen_cell(&b, b.entry.x0, "kaslr-seed"), ==, 0x00010203);
    memory_write(b.m->memory, 0x40200000, &garbage, 4);
    memory_write(b.m->memory, b.entry.x0, &garbage, 4);
    machine_reset_devices(b.m);
    g_assert_cmphex(ram(&b, 0x40200000, 4), ==, 0x14000010);
    g_assert_cmphex(chosen_cell(&b, b.entry.x0, "rng-seed"), ==, 0x30313233);
    boot_clear(&b);

    g_assert_null(boot(&b, &config, false));
    g_assert_cmpuint(fake_replay.num_values, ==, 0);
    g_assert_cmpuint(fake_replay.num_sources, ==, 0);
    boot_clear(&b);
}

static GByteArray *gzip(const uint8_t *data, size_t length)
{
    GByteArray *out = g_byte_array_new();
    z_stream z = { .next_in = (uint8_t *)data, .avail_in = (unsigned)length };

    g_assert_cmpint(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), ==, Z_OK);
    g_byte_array_set_size(out, (unsigned)deflateBound(&z, length));
    z.next_out = out->data;
    z.avail_out = out->len;
    g_assert_cmpint(deflate(&z, Z_FINISH), ==, Z_STREAM_END);
    g_byte_array_set_size(out, (unsigned)z.total_out);
    deflateEnd(&z);
    return out;
}

static void test_gzip(void)
{
    g_autofree uint8_t *image = make_image(3000000, 0x80000, 3 * MIB, 0);
    g_autoptr(GByteArray) packed = gzip(image, 3000000);
    g_autofree char *path = write_file("Image.gz", packed->data, packed->len);
    BoardConfig config = { .ram_size = 64 * MIB, .kernel = path };
    g_autofree uint8_t *zboot = g_malloc0(64 + packed->len);
    g_autofree char *zpath = NULL, *cut = NULL, *damaged = NULL, *zlong = NULL, *zother = NULL;
    g_autofree uint8_t *zeros = g_malloc0(65 * MIB);
    g_autoptr(GByteArray) bomb = gzip(zeros, 65 * MIB);
    g_autofree char *bomb_path = write_file("bomb.gz", bomb->data, bomb->len);
    Boot b;

    g_assert_null(boot(&b, &config, true));
    g_assert_cmphex(b.entry.pc, ==, RAM + 0x80000);
    g_assert_cmphex(ram(&b, RAM + 0x80000 + 2999999, 1), ==, (2999999 * 7) & 0xff);
    boot_clear(&b);

    cut = write_file("cut.gz", packed->data, packed->len / 2);
    REFUSED(PARTS("cut.gz", "truncated"), .kernel = cut);
    REFUSED(PARTS("bomb.gz", "more than RAM", "64 MiB"), .kernel = bomb_path);

    memcpy(zboot, "MZ\0\0zimg", 8);
    store_le(zboot + 8, 64, 4);
    store_le(zboot + 12, packed->len, 4);
    memcpy(zboot + 24, "gzip", 4);
    memcpy(zboot + 64, packed->data, packed->len);
    zpath = write_file("vmlinuz.efi", zboot, 64 + packed->len);
    config.kernel = zpath;
    g_assert_null(boot(&b, &config, true));
    g_assert_cmphex(b.entry.pc, ==, RAM + 0x80000);
    boot_clear(&b);
    store_le(zboot + 12, packed->len + 1, 4);
    zlong = write_file("long.efi", zboot, 64 + packed->len);
    REFUSED(PARTS("long.efi", "truncated"), .kernel = zlong);
    store_le(zboot + 12, packed->len, 4);
    memcpy(zboot + 24, "zstd22", 6);
    zother = write_file("zstd.efi", zboot, 64 + packed->len);
    REFUSED(PARTS("zstd.efi", "zstd22"), .kernel = zother);

    packed->data[packed->len / 2] ^= 0x55;
    packed->data[packed->len - 6] ^= 0x55;
    damaged = write_file("damaged.gz", packed->data, packed->len);
    REFUSED(PARTS("damaged.gz", "damaged"), .kernel = damaged);
}

static void test_bad_files(void)
{
    g_autofree char *missing = g_build_filename(dir, "missing", NULL);
    g_autofree char *empty = write_file("empty", "", 0);
    g_autofree char *text = write_file("text", "hello, this is no kernel", 24);
    g_autofree char *uimage = write_file("uimage", "\x27\x05\x19\x56 and so on", 15);
    g_autofree char *xz = write_file("xz", "\xfd" "7zXZ\0 and so on", 16);
    g_autofree char *big_endian = write_image("be", 5000, 0, 0x10000, 1);
    g_autofree char *big = write_image("big", 5000, 0, 65 * MIB, 0);
    g_autofree char *overflow = write_image("overflow", 5000, UINT64_MAX - 100, UINT64_MAX, 0);
    g_autofree char *fine = write_image("fine", 5000, 0, 0x10000, 0);
    g_autofree char *fat_file = write_image("fat", 5 * MIB, 0, 0, 0);
    g_autofree uint8_t *large = g_malloc0(33 * MIB);
    g_autofree char *large_initrd = write_file("large-initrd", large, 33 * MIB);
    g_autofree char *endless = g_strnfill(70000, 'x');

    REFUSED(PARTS("missing", "No such file"), .kernel = missing);
    REFUSED(PARTS(dir, "is a directory"), .kernel = dir);
    REFUSED(PARTS("empty", "is empty"), .kernel = empty);
    REFUSED(PARTS("uimage", "U-Boot uImage"), .kernel = uimage);
    REFUSED(PARTS("xz", "compressed with xz: unpack it"), .kernel = xz);
    REFUSED(PARTS("be", "big-endian"), .kernel = big_endian);
    REFUSED(PARTS("big", "65 MiB", "64 MiB"), .kernel = big);
    REFUSED(PARTS("overflow", "64 MiB"), .kernel = overflow);
    REFUSED(PARTS("fat", "5 MiB", "4 MiB"), .kernel = fat_file, .ram_size = 4 * MIB);
    REFUSED(PARTS("initrd", "missing", "No such file"), .kernel = fine, .initrd = missing);
    REFUSED(PARTS("initrd", "large-initrd", "33 MiB"), .kernel = fine,
            .initrd = large_initrd);
    REFUSED(PARTS("-kernel"), .initrd = fine);
    REFUSED(PARTS("-kernel"), .append = "x");
    REFUSED(PARTS("70000"), .kernel = fine, .append = endless);
    REFUSED(PARTS("device tree", "text", "24 bytes"), .kernel = fine, .dtb = text);
    REFUSED(PARTS("dtb", "empty"), .kernel = fine, .dtb = empty);
    REFUSED(PARTS("dtb", "is a directory"), .kernel = fine, .dtb = dir);
    REFUSED(PARTS("bios", "missing"), .bios = missing);
    /* a device that never ends */
    REFUSED(PARTS("/dev/zero", "more than"), .kernel = "/dev/zero", .ram_size = 8 * MIB);
    /* no room for the device tree */
    REFUSED(PARTS("RAM", "-m"), .kernel = fine, .ram_size = 2 * MIB + 0x20000);
}

/* What has no header is code: loaded as QEMU does it, with the device tree in x0. */
static void test_raw(void)
{
    static const uint8_t code[] = { 0x00, 0x00, 0x00, 0x14 };
    g_autofree char *kernel = write_file("u-boot.bin", code, sizeof(code));
    g_autofree char *initrd = write_file("initrd", "initrd data", 11);
    BoardConfig config = { .ram_size = 512 * MIB, .kernel = kernel, .initrd = initrd };
    Boot b;

    g_assert_null(boot(&b, &config, true));
    g_assert_cmphex(b.entry.pc, ==, RAM + 0x80000);
    g_assert_cmphex(b.entry.x0, ==, RAM + 128 * MIB + 2 * MIB);
    g_assert_cmphex(ram(&b, RAM + 0x80000, 4), ==, 0x14000000);
    g_assert_cmphex(chosen_cell(&b, b.entry.x0, "linux,initrd-start"), ==, RAM + 128 * MIB);
    boot_clear(&b);
}

/* ---- truncated files ---- */

/* An Image with a PE header of two sections, of which the second ends at 5000. */
static uint8_t *make_pe_image(void)
{
    uint8_t *image = make_image(5000, 0, 0x100000, 0);
    uint8_t *sections = image + 64 + 24 + 16;

    memcpy(image, "MZ", 2);
    store_le(image + 0x3c, 64, 4);
    memset(image + 64, 0, 24 + 16 + 2 * 40);
    memcpy(image + 64, "PE", 2);
    store_le(image + 64 + 6, 2, 2);
    store_le(image + 64 + 20, 16, 2);
    store_le(sections + 16, 1000, 4);
    store_le(sections + 20, 256, 4);
    store_le(sections + 40 + 16, 3000, 4);
    store_le(sections + 40 + 20, 2000, 4);
    return image;
}

static void test_truncated_image(void)
{
    g_autofree uint8_t *image = make_pe_image();
    g_autofree char *whole = write_file("whole", image, 5000);
    g_autofree char *cut = write_file("cut", image, 4999);
    g_autofree char *stub = write_file("stub", image, 150);
    BoardConfig config = { .ram_size = 64 * MIB, .kernel = whole };
    Boot b;

    g_assert_null(boot(&b, &config, true));
    boot_clear(&b);
    REFUSED(PARTS("cut", "truncated", "5000 bytes", "has 4999"), .kernel = cut);
    REFUSED(PARTS("stub", "truncated", "has 150"), .kernel = stub);
}

static GByteArray *put_cpio(GByteArray *out, const char *name, const char *content)
{
    g_autofree char *header =
        g_strdup_printf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1, 0x81a4, 0,
                        0, 1, 0, (unsigned)strlen(content), 0, 0, 0, 0,
                        (unsigned)strlen(name) + 1, 0);
    static const uint8_t zeros[4];

    g_byte_array_append(out, (const uint8_t *)header, 110);
    g_byte_array_append(out, (const uint8_t *)name, (guint)strlen(name) + 1);
    g_byte_array_append(out, zeros, -out->len % 4);
    g_byte_array_append(out, (const uint8_t *)content, (guint)strlen(content));
    g_byte_array_append(out, zeros, -out->len % 4);
    return out;
}

static void test_truncated_initrd(void)
{
    g_autoptr(GByteArray) cpio = g_byte_array_new();
    guint trailer;

    put_cpio(cpio, "init", "#!/bin/sh\n");
    put_cpio(cpio, "a/b", "content");
    trailer = cpio->len;
    put_cpio(cpio, "TRAILER!!!", "");
    g_assert_false(boot_initrd_is_cut(cpio->data, cpio->len));
    for (guint n = 6; n < trailer + 110 + 11; n++) {
        g_assert_true(boot_initrd_is_cut(cpio->data, n));
    }
    /* What follows the archive, or is none, is the kernel's to judge. */
    g_byte_array_append(cpio, (const uint8_t *)"\x1f\x8b", 2);
    g_assert_false(boot_initrd_is_cut(cpio->data, cpio->len));
    g_assert_false(boot_initrd_is_cut((const uint8_t *)"initrd data", 11));
}

static void test_truncated_zstd(void)
{
    uint8_t data[3000], packed[4000];
    size_t length;

    for (unsigned i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i * i >> 3);
    }
    length = ZSTD_compress(packed, sizeof(packed), data, sizeof(data), 1);
    g_assert_false(ZSTD_isError(length));
    g_assert_false(boot_initrd_is_cut(packed, length));
    for (size_t n = 4; n < length; n++) {
        g_assert_true(boot_initrd_is_cut(packed, n));
    }
}

/* ---- ELF ---- */

typedef struct Elf {
    Elf64_Ehdr eh;
    Elf64_Phdr ph[2];
    uint8_t code[64];
} Elf;

static Elf make_elf(void)
{
    Elf e = {
        .eh = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
                .e_type = ET_EXEC, .e_machine = EM_AARCH64, .e_entry = 0xffff000000100008ull,
                .e_phoff = offsetof(Elf, ph), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2 },
        .ph = {
            { .p_type = PT_LOAD, .p_offset = offsetof(Elf, code), .p_vaddr = 0xffff000000100000ull,
              .p_paddr = RAM + 0x100000, .p_filesz = 32, .p_memsz = 64 },
            { .p_type = PT_LOAD, .p_offset = offsetof(Elf, code) + 32,
              .p_vaddr = 0xffff000000200000ull, .p_paddr = RAM + 0x200000, .p_filesz = 32,
              .p_memsz = 0x3000 },
        },
    };

    for (unsigned i = 0; i < sizeof(e.code); i++) {
        e.code[i] = (uint8_t)(i + 1);
    }
    return e;
}

static char *write_elf(const char *name, const Elf *e)
{
    return write_file(name, e, sizeof(*e));
}

static void test_elf(void)
{
    Elf e = make_elf();
    g_autofree char *path = write_elf("elf", &e);
    BoardConfig config = { .ram_size = 64 * MIB, .kernel = path };
    uint64_t garbage = UINT64_MAX;
    Boot b;

    g_assert_null(boot(&b, &config, true));
    /* the entry point as a physical address; the device tree at RAM start, x0 zero */
    g_assert_cmphex(b.entry.pc, ==, RAM + 0x100008);
    g_assert_cmphex(b.entry.x0, ==, 0);
    g_assert_cmphex(ram(&b, RAM + 0x100000, 4), ==, 0x04030201);
    g_assert_cmphex(ram(&b, RAM + 0x200000, 4), ==, 0x24232221);
    g_assert_cmphex(chosen_cell(&b, RAM, "kaslr-seed"), ==, 0x00010203);
    /* what the file does not fill is zero after a reset, too */
    memory_write(b.m->memory, RAM + 0x100020, &garbage, 8);
    memory_write(b.m->memory, RAM + 0x202ff8, &garbage, 8);
    machine_reset_devices(b.m);
    g_assert_cmphex(ram(&b, RAM + 0x100020, 8), ==, 0);
    g_assert_cmphex(ram(&b, RAM + 0x202ff8, 8), ==, 0);
    boot_clear(&b);

    /* an image at RAM start leaves no room for the tree */
    e.ph[0].p_paddr = RAM;
    g_free(path);
    path = write_elf("elf-low", &e);
    config.kernel = path;
    g_assert_null(boot(&b, &config, true));
    g_assert_cmphex(ram(&b, RAM, 4), ==, 0x04030201);
    boot_clear(&b);
}

static void refuse_elf(Elf e, const char *part, size_t length)
{
    g_autofree char *path = write_file("bad.elf", &e, length);

    REFUSED(PARTS("bad.elf", part), .kernel = path);
}

static void test_bad_elf(void)
{
    Elf e;
    g_autofree char *good = NULL;
    g_autofree char *initrd = write_file("initrd", "x", 1);

    e = make_elf(), e.eh.e_machine = EM_X86_64;
    refuse_elf(e, "for x86-64", sizeof(e));
    e = make_elf(), e.eh.e_machine = EM_ARM, e.eh.e_ident[EI_CLASS] = ELFCLASS32;
    refuse_elf(e, "32-bit Arm", sizeof(e));
    e = make_elf(), e.eh.e_machine = 0x7777;
    refuse_elf(e, "machine number 30583", sizeof(e));
    e = make_elf(), e.eh.e_ident[EI_DATA] = ELFDATA2MSB;
    refuse_elf(e, "big-endian", sizeof(e));
    e = make_elf(), e.eh.e_type = ET_REL;
    refuse_elf(e, "not an executable", sizeof(e));
    e = make_elf();
    refuse_elf(e, "truncated", 40);
    refuse_elf(e, "program header", 80);
    refuse_elf(e, "truncated", sizeof(e) - 1);
    e = make_elf(), e.eh.e_phoff = UINT64_MAX - 7;
    refuse_elf(e, "program header", sizeof(e));
    e = make_elf(), e.eh.e_phnum = 0;
    refuse_elf(e, "program header", sizeof(e));
    e = make_elf(), e.ph[1].p_offset = UINT64_MAX - 8;
    refuse_elf(e, "truncated", sizeof(e));
    e = make_elf(), e.ph[1].p_memsz = 16;
    refuse_elf(e, "malformed", sizeof(e));
    e = make_elf(), e.ph[1].p_memsz = UINT64_MAX;
    refuse_elf(e, "malformed", sizeof(e));
    e = make_elf(), e.ph[1].p_paddr = 0x1000;
    refuse_elf(e, "outside RAM", sizeof(e));
    e = make_elf(), e.ph[1].p_memsz = 64 * MIB;
    refuse_elf(e, "outside RAM", sizeof(e));
    e = make_elf(), e.ph[1].p_paddr = RAM + 0x100020;
    refuse_elf(e, "overlap", sizeof(e));
    e = make_elf(), e.ph[0].p_type = e.ph[1].p_type = PT_NOTE;
    refuse_elf(e, "without anything to load", sizeof(e));

    e = make_elf();
    good = write_elf("good.elf", &e);
    REFUSED(PARTS("initrd", "good.elf", "ELF"), .kernel = good, .initrd = initrd);
}

/* ---- firmware and device trees ---- */

static uint32_t fw_cfg_u32(Boot *b, uint16_t key)
{
    uint64_t value = 0;

    memory_io_write(b->m->memory, 0x09020008, 2, GUINT16_SWAP_LE_BE(key));
    memory_io_read(b->m->memory, 0x09020000, 4, &value);
    return (uint32_t)value;
}

static void test_firmware(void)
{
    g_autofree char *bios = write_file("bios", "firmware", 8);
    g_autofree char *kernel = write_image("Image", 5000, 0, 0x100000, 0);
    g_autofree char *initrd = write_file("initrd", "0123", 4);
    g_autofree uint8_t *huge = g_malloc0(64 * MIB + 1);
    g_autofree char *huge_path = write_file("huge", huge, 64 * MIB + 1);
    BoardConfig config = { .ram_size = 64 * MIB, .bios = bios };
    Boot b;

    g_assert_null(boot(&b, &config, true));
    g_assert_cmphex(b.entry.pc, ==, 0);
    g_assert_cmphex(b.entry.x0, ==, 0);
    g_assert_cmphex(ram(&b, 0, 8), ==, 0x657261776d726966ull);
    g_assert_cmphex(chosen_cell(&b, RAM, "kaslr-seed"), ==, 0x00010203);
    g_assert_nonnull(strstr(b.described->str, "bios=8 bytes, xxh3:"));
    boot_clear(&b);

    config.kernel = kernel;
    config.initrd = initrd;
    config.append = "quiet";
    g_assert_null(boot(&b, &config, true));
    g_assert_cmphex(b.entry.pc, ==, 0);
    g_assert_cmphex(fw_cfg_u32(&b, FW_CFG_KERNEL_SIZE), ==, 5000);
    g_assert_cmphex(fw_cfg_u32(&b, FW_CFG_KERNEL_DATA), ==, 0x14000010);
    g_assert_cmphex(fw_cfg_u32(&b, FW_CFG_INITRD_SIZE), ==, 4);
    g_assert_cmphex(fw_cfg_u32(&b, FW_CFG_INITRD_DATA), ==, 0x33323130);
    g_assert_cmphex(fw_cfg_u32(&b, FW_CFG_CMDLINE_SIZE), ==, 6);
    g_assert_cmphex(fw_cfg_u32(&b, FW_CFG_CMDLINE_DATA), ==, 0x65697571);
    g_assert_cmphex(chosen_cell(&b, RAM, "bootargs"), ==, 0);
    boot_clear(&b);
    REFUSED(PARTS("bios", "huge", "67108865 bytes", "64 MiB"), .bios = huge_path);
}

static void test_nothing(void)
{
    BoardConfig config = { .ram_size = 64 * MIB };
    Boot b;

    g_assert_null(boot(&b, &config, true));
    g_assert_cmphex(b.entry.pc, ==, 0);
    g_assert_cmphex(chosen_cell(&b, RAM, "kaslr-seed"), ==, 0x00010203);
    boot_clear(&b);
}

static void test_dtb(void)
{
    g_autofree char *kernel = write_image("Image", 5000, 0, 0x100000, 0);
    g_autofree char *dump = g_build_filename(dir, "dump.dtb", NULL);
    g_autofree char *no_dir = g_build_filename(dir, "no", "such", "dump.dtb", NULL);
    BoardConfig config = { .ram_size = 64 * MIB, .kernel = kernel, .dumpdtb = dump };
    Boot b;

    g_assert_null(boot(&b, &config, true));
    boot_clear(&b);
    /* the dump is a tree that -dtb takes; its seeds stay, nothing new is drawn */
    config.dumpdtb = NULL;
    config.dtb = dump;
    config.append = "second";
    g_assert_null(boot(&b, &config, true));
    g_assert_cmpuint(fake_replay.num_values, ==, 0);
    g_assert_cmphex(chosen_cell(&b, b.entry.x0, "bootargs"), ==, 0x7365636f);
    g_assert_nonnull(strstr(b.described->str, "dtb="));
    boot_clear(&b);
    REFUSED(PARTS("no/such"), .kernel = kernel, .dumpdtb = no_dir);
}

/* The description of the tree depends on what is in it, not on the seeds. */
static void test_fdt_description(void)
{
    g_autofree char *kernel = write_image("Image", 5000, 0, 0x100000, 0);
    g_autofree char *dump = g_build_filename(dir, "dump.dtb", NULL);
    BoardConfig config = { .ram_size = 64 * MIB, .kernel = kernel };
    g_autofree char *first = NULL;
    Boot b;

    g_assert_null(boot(&b, &config, true));
    first = g_strdup(b.described->str);
    boot_clear(&b);
    config.dumpdtb = dump;
    g_assert_null(boot(&b, &config, true));
    g_assert_cmpstr(b.described->str, ==, first);
    boot_clear(&b);
    config.append = "x";
    g_assert_null(boot(&b, &config, true));
    g_assert_cmpstr(b.described->str, !=, first);
    boot_clear(&b);
}

static void remove_dir(void)
{
    GDir *d = g_dir_open(dir, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(d)) != NULL) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        g_remove(path);
    }
    g_dir_close(d);
    g_rmdir(dir);
    g_free(dir);
}

int main(int argc, char **argv)
{
    int result;

    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("test-boot-XXXXXX", NULL);
    g_assert_nonnull(dir);
    g_test_add_func("/boot/linux", test_linux);
    g_test_add_func("/boot/placement", test_placement);
    g_test_add_func("/boot/reset-reloads", test_reset_reloads);
    g_test_add_func("/boot/gzip", test_gzip);
    g_test_add_func("/boot/bad-files", test_bad_files);
    g_test_add_func("/boot/raw", test_raw);
    g_test_add_func("/boot/truncated-image", test_truncated_image);
    g_test_add_func("/boot/truncated-initrd", test_truncated_initrd);
    g_test_add_func("/boot/truncated-zstd", test_truncated_zstd);
    g_test_add_func("/boot/elf", test_elf);
    g_test_add_func("/boot/bad-elf", test_bad_elf);
    g_test_add_func("/boot/firmware", test_firmware);
    g_test_add_func("/boot/nothing", test_nothing);
    g_test_add_func("/boot/dtb", test_dtb);
    g_test_add_func("/boot/fdt-description", test_fdt_description);
    result = g_test_run();
    remove_dir();
    return result;
}
