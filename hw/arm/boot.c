/*
 * Placing what the machine boots, and putting it into memory at each reset.
 *
 * 1. All files are read once, before the machine starts; a reset copies from
 *    memory, so a recording does not depend on files that change meanwhile.
 * 2. The seeds of the device tree are drawn at each reset (replay_value), the
 *    first included: only then is the log open.
 * 3. Direct kernel boot: the Image at its text offset from the start of RAM (2 MiB
 *    further when that is the first page, where QEMU has its boot stub), the
 *    initrd at RAM start + min(RAM / 2, 128 MiB) or behind the kernel, the device
 *    tree behind that on the next 2 MiB boundary. A raw binary is placed as an Image
 *    with text offset 0x80000. ELF and firmware: the device tree at RAM start.
 *
 * Entry state of a Linux kernel: x0 = device tree, MMU off, interrupts masked
 * (Documentation/arch/arm64/booting.rst, "Call the kernel image").
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "boot-check.h"
#include "boot-fdt.h"
#include "boot-image.h"
#include "hw/arm/boot.h"
#include "hw/misc/fw_cfg.h"
#include "replay/sources.h"
#include "util/digest.h"
#include "util/host-random.h"

#define MIB (1ull << 20)
#define BOOT_STUB_SIZE 4096
#define STUB_KERNEL_OFFSET (2 * MIB)
#define INITRD_MAX_OFFSET (128 * MIB)
#define FDT_ALIGN (2 * MIB)
#define MAX_BOOTARGS 65536

#define KASLR_SEED_SIZE 8
#define RNG_SEED_SIZE 32

typedef struct BootBlob {
    hwaddr address;
    uint64_t zeros;         /* behind the data */
    GBytes *data;
} BootBlob;

struct ArmBoot {
    Device dev;
    GArray *blobs;          /* BootBlob */
    GByteArray *fdt;
    bool has_fdt;           /* whether the guest gets it ... */
    hwaddr fdt_address;     /* ... and where */
    uint8_t *kaslr_seed;    /* inside fdt; NULL: no seeds */
    uint8_t *rng_seed;
    ReplaySource *seed_source;
};

/* What arm_boot_load() is working on. */
typedef struct Load {
    ArmBoot *boot;
    Machine *m;
    BoardConfig *config;
    const ArmBootBoard *board;
    GBytes *kernel, *initrd;     /* kernel is unpacked */
    hwaddr initrd_address;
    ArmBootEntry *entry;
} Load;

static uint64_t align_up(uint64_t value, uint64_t align)
{
    return (value + align - 1) & -align;
}

/* ---- at each reset ---- */

static void copy_blob(Machine *m, const BootBlob *blob)
{
    static const uint8_t zeros[PAGE_SIZE];
    size_t length;
    const uint8_t *data = g_bytes_get_data(blob->data, &length);
    hwaddr at = blob->address + length;
    bool ok = memory_write_image(m->memory, blob->address, data, length);

    for (uint64_t left = blob->zeros; ok && left; ) {
        size_t n = MIN(left, sizeof(zeros));

        ok = memory_write(m->memory, at, zeros, n);
        at += n;
        left -= n;
    }
    assert(ok);
}

static void produce_seeds(void *opaque, void *out, size_t length)
{
    host_random_bytes(out, length);
}

static void store_seeds(ArmBoot *b, const uint8_t *seeds)
{
    memcpy(b->kaslr_seed, seeds, KASLR_SEED_SIZE);
    memcpy(b->rng_seed, seeds + KASLR_SEED_SIZE, RNG_SEED_SIZE);
}

static void boot_reset(Device *dev)
{
    ArmBoot *b = container_of(dev, ArmBoot, dev);
    uint8_t seeds[KASLR_SEED_SIZE + RNG_SEED_SIZE];
    bool ok;

    for (unsigned i = 0; i < b->blobs->len; i++) {
        copy_blob(dev->machine, &g_array_index(b->blobs, BootBlob, i));
    }
    if (!b->has_fdt) {
        return;
    }
    if (b->seed_source) {
        replay_value(b->seed_source, produce_seeds, NULL, seeds, sizeof(seeds));
        store_seeds(b, seeds);
    }
    ok = memory_write(dev->machine->memory, b->fdt_address, b->fdt->data, b->fdt->len);
    assert(ok);
}

static void blob_clear(void *p)
{
    g_bytes_unref(((BootBlob *)p)->data);
}

static void boot_free(Device *dev)
{
    ArmBoot *b = container_of(dev, ArmBoot, dev);

    g_array_free(b->blobs, TRUE);
    if (b->fdt) {
        g_byte_array_unref(b->fdt);
    }
    g_free(b);
}

static const DeviceType boot_type = {
    .name = "boot",
    .reset = boot_reset,
    .free = boot_free,
};

static void add_blob(ArmBoot *b, hwaddr address, GBytes *data, uint64_t zeros)
{
    BootBlob blob = { .address = address, .zeros = zeros, .data = g_bytes_ref(data) };

    g_array_append_val(b->blobs, blob);
}

/* ---- inputs ---- */

static void describe(const Load *l, const char *name, const void *data, size_t length)
{
    g_autofree char *value = boot_describe_bytes(data, length);

    machine_describe(l->m, name, value);
}

/* A file that must fit into RAM (or flash); described as `what`. */
static GBytes *load_file(const Load *l, const char *what, const char *path, uint64_t max,
                         const char *limit, Error **errp)
{
    GBytes *data = boot_read_file(what, path, max, limit, errp);

    if (data) {
        describe(l, what, g_bytes_get_data(data, NULL), g_bytes_get_size(data));
    }
    return data;
}

static bool check_options(const BoardConfig *config, Error **errp)
{
    if (!config->kernel && config->initrd) {
        error_setg(errp, "-initrd '%s' needs -kernel", config->initrd);
        return false;
    }
    if (!config->kernel && config->append && *config->append) {
        error_setg(errp, "-append needs -kernel");
        return false;
    }
    if (config->append && strlen(config->append) > MAX_BOOTARGS) {
        error_setg(errp, "-append has %zu characters, at most %d are supported",
                   strlen(config->append), MAX_BOOTARGS);
        return false;
    }
    return true;
}

static bool load_kernel_files(Load *l, Error **errp)
{
    const BoardConfig *config = l->config;
    GBytes *file;

    if (!config->kernel) {
        return true;
    }
    file = load_file(l, "kernel", config->kernel, l->board->ram_size, "RAM", errp);
    if (!file) {
        return false;
    }
    l->kernel = boot_image_unpack(config->kernel, file, l->board->ram_size, errp);
    g_bytes_unref(file);
    if (!l->kernel) {
        return false;
    }
    if (config->initrd) {
        l->initrd = load_file(l, "initrd", config->initrd, l->board->ram_size, "RAM", errp);
    }
    if (l->initrd && boot_initrd_is_cut(g_bytes_get_data(l->initrd, NULL),
                                        g_bytes_get_size(l->initrd))) {
        warn_report("initrd '%s' is truncated: its archive goes on behind the %zu bytes that are "
                    "there", config->initrd, g_bytes_get_size(l->initrd));
    }
    return !config->initrd || l->initrd;
}

/* ---- placement ---- */

static void error_no_room(Error **errp, const Load *l, const char *what, const char *path,
                          uint64_t size, uint64_t address)
{
    g_autofree char *size_text = boot_format_size(size);
    g_autofree char *ram_text = boot_format_size(l->board->ram_size);

    error_setg(errp, "%s '%s' takes %s at 0x%" PRIx64 ", but RAM (%s) ends at 0x%" PRIx64
               "; give the machine more memory with -m", what, path, size_text, address,
               ram_text, l->board->ram_base + l->board->ram_size);
}

static bool fits_ram(const Load *l, uint64_t address, uint64_t size)
{
    uint64_t offset = address - l->board->ram_base;

    return offset <= l->board->ram_size && size <= l->board->ram_size - offset;
}

static bool place_linux(Load *l, const BootImage *image, Error **errp)
{
    const BootSegment *s = &g_array_index(image->segments, BootSegment, 0);
    uint64_t ram = l->board->ram_base, offset = s->address, end;

    if (offset < BOOT_STUB_SIZE) {
        offset += STUB_KERNEL_OFFSET;
    }
    if (offset > l->board->ram_size || !fits_ram(l, ram + offset, s->size)) {
        error_no_room(errp, l, "kernel", l->config->kernel, s->size, ram + offset);
        return false;
    }
    add_blob(l->boot, ram + offset, s->data, 0);
    end = ram + offset + s->size;
    l->initrd_address = MAX(ram + MIN(l->board->ram_size / 2, INITRD_MAX_OFFSET),
                            align_up(end, PAGE_SIZE));
    l->boot->fdt_address = l->initrd_address;
    if (l->initrd) {
        uint64_t size = g_bytes_get_size(l->initrd);

        if (!fits_ram(l, l->initrd_address, size)) {
            error_no_room(errp, l, "initrd", l->config->initrd, size, l->initrd_address);
            return false;
        }
        add_blob(l->boot, l->initrd_address, l->initrd, 0);
        l->boot->fdt_address += size;
    }
    l->boot->fdt_address = align_up(l->boot->fdt_address, FDT_ALIGN);
    l->boot->has_fdt = true;
    *l->entry = (ArmBootEntry){ .pc = ram + offset, .x0 = l->boot->fdt_address };
    return true;
}

static bool overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a < b + b_size && b < a + a_size;
}

static bool place_elf(Load *l, const BootImage *image, Error **errp)
{
    if (l->initrd) {
        error_setg(errp, "-initrd '%s' needs a Linux Image, but kernel '%s' is an ELF file",
                   l->config->initrd, l->config->kernel);
        return false;
    }
    for (unsigned i = 0; i < image->segments->len; i++) {
        const BootSegment *s = &g_array_index(image->segments, BootSegment, i);

        if (s->address < l->board->ram_base || !fits_ram(l, s->address, s->size)) {
            g_autofree char *size_text = boot_format_size(s->size);

            error_setg(errp, "kernel '%s' has an ELF segment of %s at 0x%" PRIx64
                       ", outside RAM (0x%" PRIx64 " to 0x%" PRIx64 ")", l->config->kernel,
                       size_text, s->address, l->board->ram_base,
                       l->board->ram_base + l->board->ram_size - 1);
            return false;
        }
        for (unsigned j = 0; j < i; j++) {
            const BootSegment *o = &g_array_index(image->segments, BootSegment, j);

            if (overlaps(s->address, s->size, o->address, o->size)) {
                error_setg(errp, "kernel '%s' has ELF segments that overlap: %" PRIu64
                           " bytes at 0x%" PRIx64 " and %" PRIu64 " bytes at 0x%" PRIx64,
                           l->config->kernel, o->size, o->address, s->size, s->address);
                return false;
            }
        }
        add_blob(l->boot, s->address, s->data, s->size - g_bytes_get_size(s->data));
    }
    *l->entry = (ArmBootEntry){ .pc = image->entry };
    l->boot->fdt_address = l->board->ram_base;
    l->boot->has_fdt = true;
    return true;
}

static bool place_kernel(Load *l, Error **errp)
{
    BootImage image;
    bool ok;

    if (!boot_image_parse(&image, l->config->kernel, l->kernel, errp)) {
        return false;
    }
    ok = image.kind == BOOT_IMAGE_LINUX ? place_linux(l, &image, errp)
                                        : place_elf(l, &image, errp);
    boot_image_clear(&image);
    return ok;
}

static bool has_firmware(const Load *l)
{
    return l->config->bios || l->board->has_firmware;
}

/* Firmware finds kernel, initrd and command line in fw_cfg, the device tree at RAM start. */
static bool place_firmware(Load *l, Error **errp)
{
    FwCfg *fw = l->board->fw_cfg;

    if (l->config->bios) {
        GBytes *bios = load_file(l, "bios", l->config->bios, l->board->flash_size, "flash", errp);

        if (!bios) {
            return false;
        }
        add_blob(l->boot, l->board->flash_base, bios, 0);
        g_bytes_unref(bios);
    }
    if (l->kernel) {
        const char *append = l->config->append ? l->config->append : "";
        g_autoptr(GBytes) cmdline = g_bytes_new(append, strlen(append) + 1);

        fw_cfg_add_u32(fw, FW_CFG_KERNEL_SIZE, (uint32_t)g_bytes_get_size(l->kernel));
        fw_cfg_add_bytes(fw, FW_CFG_KERNEL_DATA, l->kernel);
        fw_cfg_add_u32(fw, FW_CFG_CMDLINE_SIZE, (uint32_t)g_bytes_get_size(cmdline));
        fw_cfg_add_bytes(fw, FW_CFG_CMDLINE_DATA, cmdline);
    }
    if (l->initrd) {
        fw_cfg_add_u32(fw, FW_CFG_INITRD_SIZE, (uint32_t)g_bytes_get_size(l->initrd));
        fw_cfg_add_bytes(fw, FW_CFG_INITRD_DATA, l->initrd);
    }
    *l->entry = (ArmBootEntry){ .pc = l->board->flash_base };
    l->boot->fdt_address = l->board->ram_base;
    l->boot->has_fdt = true;
    return true;
}

/* ---- device tree ---- */

static GByteArray *base_fdt(Load *l, Error **errp)
{
    GByteArray *fdt;
    GBytes *file;

    if (!l->config->dtb) {
        return g_byte_array_ref(l->board->fdt);
    }
    file = load_file(l, "dtb", l->config->dtb, FDT_MAX_BYTES, "what kernels accept", errp);
    if (!file) {
        return NULL;
    }
    fdt = boot_fdt_parse(l->config->dtb, g_bytes_get_data(file, NULL), g_bytes_get_size(file),
                         errp);
    g_bytes_unref(file);
    return fdt;
}

static bool build_fdt(Load *l, Error **errp)
{
    BootFdtInfo info = {
        .ram_base = l->board->ram_base, .ram_size = l->board->ram_size,
        .numa = l->board->numa, .psci_method = l->board->psci_method,
    };
    ArmBoot *b = l->boot;

    /* Firmware adds these itself, from fw_cfg. */
    if (!has_firmware(l)) {
        info.bootargs = l->config->append;
        if (l->initrd) {
            info.initrd_start = l->initrd_address;
            info.initrd_end = l->initrd_address + g_bytes_get_size(l->initrd);
        }
    }
    b->fdt = base_fdt(l, errp);
    if (!b->fdt || !boot_fdt_complete(b->fdt, &info, errp)) {
        if (b->fdt && l->config->dtb) {
            error_prepend(errp, "device tree '%s': ", l->config->dtb);
        }
        return false;
    }
    boot_fdt_pack(b->fdt);
    describe(l, "fdt", b->fdt->data, b->fdt->len);
    return true;
}

/* ELF images may leave no room at RAM start; the guest then goes without. */
static bool fdt_hits_image(const ArmBoot *b)
{
    for (unsigned i = 0; i < b->blobs->len; i++) {
        const BootBlob *blob = &g_array_index(b->blobs, BootBlob, i);

        if (overlaps(b->fdt_address, b->fdt->len, blob->address,
                     g_bytes_get_size(blob->data) + blob->zeros)) {
            return true;
        }
    }
    return false;
}

static bool place_fdt(Load *l, Error **errp)
{
    ArmBoot *b = l->boot;

    if (!fits_ram(l, b->fdt_address, b->fdt->len)) {
        error_no_room(errp, l, "device tree", l->config->dtb ? l->config->dtb : "of the board",
                      b->fdt->len, b->fdt_address);
        return false;
    }
    b->has_fdt = !fdt_hits_image(b);
    return true;
}

static void prepare_seeds(Load *l)
{
    ArmBoot *b = l->boot;

    if (!l->board->random_seeds || l->config->dtb) {
        return;
    }
    b->kaslr_seed = boot_fdt_value(b->fdt, "/chosen", "kaslr-seed", KASLR_SEED_SIZE);
    b->rng_seed = boot_fdt_value(b->fdt, "/chosen", "rng-seed", RNG_SEED_SIZE);
    assert(b->kaslr_seed && b->rng_seed);
    b->seed_source = replay_source_new(l->m->replay, REPLAY_KIND_RANDOM, "fdt-seed", NULL, NULL);
}

static bool write_file(const char *path, const uint8_t *data, size_t length, Error **errp)
{
    FILE *stream = fopen(path, "wb");
    bool ok = stream && fwrite(data, 1, length, stream) == length;

    if (stream && fclose(stream) != 0) {
        ok = false;
    }
    if (!ok) {
        error_setg_errno(errp, errno, "cannot write the device tree to '%s'", path);
    }
    return ok;
}

/* The tree as a guest would get it; no guest sees these seeds. */
static bool dump_fdt(Load *l, Error **errp)
{
    uint8_t seeds[KASLR_SEED_SIZE + RNG_SEED_SIZE];

    if (!l->config->dumpdtb) {
        return true;
    }
    if (l->boot->seed_source) {
        produce_seeds(NULL, seeds, sizeof(seeds));
        store_seeds(l->boot, seeds);
    }
    return write_file(l->config->dumpdtb, l->boot->fdt->data, l->boot->fdt->len, errp);
}

bool arm_boot_load(Machine *m, BoardConfig *config, const ArmBootBoard *board,
                   ArmBootEntry *entry, Error **errp)
{
    Load l = { .m = m, .config = config, .board = board, .entry = entry };
    bool ok;

    l.boot = g_new0(ArmBoot, 1);
    l.boot->blobs = g_array_new(FALSE, FALSE, sizeof(BootBlob));
    g_array_set_clear_func(l.boot->blobs, blob_clear);
    device_init(&l.boot->dev, &boot_type, m, "boot");

    ok = check_options(config, errp) && load_kernel_files(&l, errp) &&
         (l.kernel && !has_firmware(&l) ? place_kernel(&l, errp) : place_firmware(&l, errp)) &&
         build_fdt(&l, errp) && place_fdt(&l, errp);
    if (ok) {
        prepare_seeds(&l);
        ok = dump_fdt(&l, errp);
    }
    g_clear_pointer(&l.kernel, g_bytes_unref);
    g_clear_pointer(&l.initrd, g_bytes_unref);
    return ok;
}
