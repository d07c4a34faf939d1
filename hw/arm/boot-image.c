/*
 * Kernel images as files.
 *
 * Linux: Documentation/arch/arm64/booting.rst of the kernel (the 64-byte header).
 * ELF: System V ABI, chapter 4 and 5. zboot: the header that the kernel's
 * drivers/firmware/efi/libstub/Makefile.zboot documents. All of them are untrusted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <elf.h>
#include <sys/stat.h>
#include <zlib.h>
#include "boot-check.h"
#include "boot-image.h"
#include "util/bytes.h"
#include "util/digest.h"
#include "util/host-memory.h"

/* ---- files ---- */

char *boot_format_size(uint64_t bytes)
{
    const uint64_t kib = 1024, mib = 1024 * kib;

    if (bytes && bytes % mib == 0) {
        return g_strdup_printf("%" PRIu64 " MiB", bytes / mib);
    }
    if (bytes && bytes % kib == 0) {
        return g_strdup_printf("%" PRIu64 " KiB", bytes / kib);
    }
    return g_strdup_printf("%" PRIu64 " bytes", bytes);
}

char *boot_describe_bytes(const void *data, size_t length)
{
    return g_strdup_printf("%zu bytes, xxh3:%016" PRIx64, length, digest_block(data, length));
}

static void error_too_big(Error **errp, const char *what, const char *path, uint64_t size,
                          bool at_least, uint64_t max, const char *limit_name)
{
    g_autofree char *size_text = boot_format_size(size);
    g_autofree char *max_text = boot_format_size(max);

    error_setg(errp, "%s '%s' is %s%s, more than %s (%s)", what, path,
               at_least ? "more than " : "", at_least ? max_text : size_text, limit_name,
               max_text);
}

/*
 * Read to the end. The size may be unknown (a pipe), or not what it was expected to be, so it is
 * bounded as it grows.
 */
static GByteArray *read_stream(FILE *stream, size_t expected, uint64_t max, bool *too_big)
{
    enum { PIECE = 64 << 10 };
    GByteArray *out = g_byte_array_sized_new((unsigned)expected + PIECE);
    size_t n;

    host_memory_will_fill(out->data, expected);
    do {
        unsigned done = out->len;
        size_t want = PIECE + (expected > done ? expected - done : 0);

        g_byte_array_set_size(out, done + (unsigned)want);
        n = fread(out->data + done, 1, want, stream);
        g_byte_array_set_size(out, done + (unsigned)n);
    } while (n && out->len <= max);
    *too_big = out->len > max;
    return out;
}

GBytes *boot_read_file(const char *what, const char *path, uint64_t max,
                       const char *limit_name, Error **errp)
{
    FILE *stream = fopen(path, "rb");
    GByteArray *content;
    struct stat st = { 0 };
    bool too_big, failed;

    max = MIN(max, (uint64_t)G_MAXINT32);
    if (!stream) {
        error_setg_errno(errp, errno, "cannot open %s '%s'", what, path);
        return NULL;
    }
    if (fstat(fileno(stream), &st) == 0 && S_ISDIR(st.st_mode)) {
        error_setg(errp, "%s '%s' is a directory, not a file", what, path);
        fclose(stream);
        return NULL;
    }
    if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > max) {
        error_too_big(errp, what, path, (uint64_t)st.st_size, false, max, limit_name);
        fclose(stream);
        return NULL;
    }
    errno = 0;
    content = read_stream(stream, S_ISREG(st.st_mode) ? (size_t)st.st_size : 0, max, &too_big);
    failed = ferror(stream);
    if (failed) {
        error_setg_errno(errp, errno, "cannot read %s '%s'", what, path);
    } else if (too_big) {
        error_too_big(errp, what, path, 0, true, max, limit_name);
    } else if (content->len == 0) {
        error_setg(errp, "%s '%s' is empty", what, path);
    }
    fclose(stream);
    if (failed || too_big || content->len == 0) {
        g_byte_array_free(content, TRUE);
        return NULL;
    }
    return g_byte_array_free_to_bytes(content);
}

/* ---- gzip (RFC 1952) ---- */

static bool is_gzip(const uint8_t *data, size_t length)
{
    return length >= 2 && data[0] == 0x1f && data[1] == 0x8b;
}

static GBytes *gunzip(const char *path, const uint8_t *data, size_t length, uint64_t max,
                      Error **errp)
{
    g_autofree uint8_t *chunk = g_malloc(1 << 20);
    GByteArray *out = g_byte_array_new();
    z_stream z = { .next_in = (uint8_t *)data, .avail_in = (unsigned)length };
    int status = inflateInit2(&z, 16 + MAX_WBITS);

    assert(status == Z_OK);
    max = MIN(max, (uint64_t)G_MAXINT32);
    while (status == Z_OK) {
        size_t n;

        z.next_out = chunk;
        z.avail_out = 1 << 20;
        status = inflate(&z, Z_NO_FLUSH);
        n = (1 << 20) - z.avail_out;
        if (out->len + (uint64_t)n > max) {
            error_too_big(errp, "unpacked kernel", path, 0, true, max, "RAM");
            goto fail;
        }
        g_byte_array_append(out, chunk, (unsigned)n);
    }
    if (status != Z_STREAM_END) {
        g_autofree char *have = boot_format_size(length);

        if (status == Z_BUF_ERROR) {
            error_setg(errp, "kernel '%s' is truncated: its gzip data goes on behind the "
                       "%s that are there", path, have);
        } else {
            error_setg(errp, "kernel '%s' has damaged gzip data (%s)", path,
                       z.msg ? z.msg : "unexpected preset dictionary");
        }
        goto fail;
    }
    inflateEnd(&z);
    return g_byte_array_free_to_bytes(out);

fail:
    inflateEnd(&z);
    g_byte_array_free(out, TRUE);
    return NULL;
}

/* ---- the Linux arm64 Image ---- */

#define IMAGE_HEADER_SIZE 64
#define IMAGE_MAGIC_OFFSET 56
#define IMAGE_FLAG_BIG_ENDIAN 1
/* For kernels before v3.17, which did not tell (booting.rst, "image_size"). */
#define IMAGE_DEFAULT_TEXT_OFFSET 0x80000

#define ZBOOT_HEADER_SIZE 56

/* Where QEMU loads what has no header. */
#define RAW_OFFSET 0x80000

static bool is_linux_image(const uint8_t *data, size_t length)
{
    return length >= IMAGE_HEADER_SIZE && memcmp(data + IMAGE_MAGIC_OFFSET, "ARM\x64", 4) == 0;
}

static bool is_zboot(const uint8_t *data, size_t length)
{
    return length >= ZBOOT_HEADER_SIZE && memcmp(data, "MZ", 2) == 0 &&
           memcmp(data + 4, "zimg", 4) == 0;
}

static GBytes *unwrap_zboot(const char *path, const uint8_t *data, size_t length, uint64_t max,
                            Error **errp)
{
    uint64_t offset = load_le(data + 8, 4), size = load_le(data + 12, 4);
    char compression[33] = { 0 };

    memcpy(compression, data + 24, MIN(sizeof(compression) - 1, length - 24));
    if (offset > length || size > length - offset) {
        error_setg(errp, "kernel '%s' is truncated: its EFI zboot header tells of %" PRIu64
                   " bytes at %" PRIu64 ", the file has %zu", path, size, offset, length);
        return NULL;
    }
    if (strcmp(compression, "gzip") != 0) {
        g_autofree char *shown = g_strescape(compression, NULL);

        error_setg(errp, "kernel '%s' is an EFI zboot image with '%s' compression, only gzip is "
                   "supported; unpack it to a plain Image", path, shown);
        return NULL;
    }
    return gunzip(path, data + offset, size, max, errp);
}

static bool parse_linux(BootImage *image, const char *path, GBytes *file, Error **errp)
{
    size_t length;
    const uint8_t *data = g_bytes_get_data(file, &length);
    uint64_t text_offset = load_le(data + 8, 8);
    uint64_t image_size = load_le(data + 16, 8);
    uint64_t flags = load_le(data + 24, 8);
    uint64_t file_size = boot_image_file_size(data, length);
    BootSegment segment;

    if (image_size == 0) {
        text_offset = IMAGE_DEFAULT_TEXT_OFFSET;
    }
    if (flags & IMAGE_FLAG_BIG_ENDIAN) {
        error_setg(errp, "kernel '%s' is big-endian, which is not supported", path);
        return false;
    }
    if (length < file_size) {
        error_setg(errp, "kernel '%s' is truncated: its PE header tells of %" PRIu64 " bytes, the "
                   "file has %zu", path, file_size, length);
        return false;
    }
    /* What lacks may be memory that needs no file; that it is most of an Image is rare. */
    if (!file_size && length < image_size / 2) {
        warn_report("kernel '%s' has %zu bytes, and takes %" PRIu64 " in memory: is it truncated?",
                    path, length, image_size);
    }
    image->kind = BOOT_IMAGE_LINUX;
    image->entry = text_offset;
    segment = (BootSegment){ .address = text_offset, .size = MAX(image_size, length),
                             .data = g_bytes_ref(file) };
    g_array_append_val(image->segments, segment);
    return true;
}

/* ---- ELF ---- */

static const char *elf_machine_name(unsigned machine)
{
    static const struct {
        uint16_t number;
        const char *name;
    } names[] = {
        { EM_386, "i386" }, { EM_68K, "m68k" }, { EM_MIPS, "MIPS" }, { EM_PPC, "PowerPC" },
        { EM_PPC64, "PowerPC 64" }, { EM_S390, "s390" }, { EM_ARM, "32-bit Arm" },
        { EM_SPARCV9, "SPARC V9" }, { EM_X86_64, "x86-64" }, { EM_RISCV, "RISC-V" },
        { 258, "LoongArch" },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (names[i].number == machine) {
            return names[i].name;
        }
    }
    return NULL;
}

static bool check_elf_header(const Elf64_Ehdr *eh, const char *path, size_t length, Error **errp)
{
    const char *machine;

    if (length < sizeof(*eh)) {
        error_setg(errp, "kernel '%s' is a truncated ELF file of %zu bytes", path, length);
        return false;
    }
    /* e_machine lies at the same place in ELF32; byte order matters, though. */
    if (eh->e_ident[EI_DATA] != ELFDATA2LSB) {
        error_setg(errp, "kernel '%s' is a big-endian ELF file, not one for AArch64", path);
        return false;
    }
    if (eh->e_machine != EM_AARCH64 || eh->e_ident[EI_CLASS] != ELFCLASS64) {
        machine = eh->e_machine == EM_AARCH64 ? "AArch64 ILP32" : elf_machine_name(eh->e_machine);
        if (machine) {
            error_setg(errp, "kernel '%s' is an ELF file for %s, not for AArch64", path, machine);
        } else {
            error_setg(errp, "kernel '%s' is an ELF file for machine number %u, not for AArch64",
                       path, eh->e_machine);
        }
        return false;
    }
    if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN) {
        error_setg(errp, "kernel '%s' is an ELF file, but not an executable (type %u)", path,
                   eh->e_type);
        return false;
    }
    if (eh->e_phnum == 0 || eh->e_phentsize != sizeof(Elf64_Phdr) || eh->e_phoff > length ||
        (length - eh->e_phoff) / sizeof(Elf64_Phdr) < eh->e_phnum) {
        error_setg(errp, "kernel '%s' has no whole ELF program header table: %u entries at %"
                   PRIu64 ", the file has %zu bytes", path, eh->e_phnum, (uint64_t)eh->e_phoff,
                   length);
        return false;
    }
    return true;
}

static bool add_elf_segment(BootImage *image, const char *path, GBytes *file,
                            const Elf64_Phdr *ph, Error **errp)
{
    size_t length = g_bytes_get_size(file);
    BootSegment segment;

    if (ph->p_offset > length || ph->p_filesz > length - ph->p_offset) {
        error_setg(errp, "kernel '%s' is truncated: an ELF segment has %" PRIu64 " bytes at %"
                   PRIu64 ", the file has %zu", path, (uint64_t)ph->p_filesz,
                   (uint64_t)ph->p_offset, length);
        return false;
    }
    if (ph->p_filesz > ph->p_memsz || ph->p_paddr + ph->p_memsz < ph->p_paddr) {
        error_setg(errp, "kernel '%s' has a malformed ELF segment at 0x%" PRIx64, path,
                   (uint64_t)ph->p_paddr);
        return false;
    }
    segment = (BootSegment){
        .address = ph->p_paddr, .size = ph->p_memsz,
        .data = g_bytes_new_from_bytes(file, ph->p_offset, ph->p_filesz),
    };
    g_array_append_val(image->segments, segment);
    return true;
}

static bool parse_elf(BootImage *image, const char *path, GBytes *file, Error **errp)
{
    size_t length;
    const uint8_t *data = g_bytes_get_data(file, &length);
    Elf64_Ehdr eh = { 0 };
    bool entry_found = false;

    memcpy(&eh, data, MIN(length, sizeof(eh)));
    if (!check_elf_header(&eh, path, length, errp)) {
        return false;
    }
    image->kind = BOOT_IMAGE_ELF;
    image->entry = eh.e_entry;
    for (unsigned i = 0; i < eh.e_phnum; i++) {
        Elf64_Phdr ph;

        memcpy(&ph, data + eh.e_phoff + i * sizeof(ph), sizeof(ph));
        if (ph.p_type != PT_LOAD || ph.p_memsz == 0) {
            continue;
        }
        if (!add_elf_segment(image, path, file, &ph, errp)) {
            return false;
        }
        /* The entry point is a virtual address, and the MMU is off. */
        if (!entry_found && eh.e_entry - ph.p_vaddr < ph.p_memsz) {
            image->entry = eh.e_entry - ph.p_vaddr + ph.p_paddr;
            entry_found = true;
        }
    }
    if (image->segments->len == 0) {
        error_setg(errp, "kernel '%s' is an ELF file without anything to load", path);
        return false;
    }
    return true;
}

/* ---- raw binaries ---- */

/* Files that are surely something else, and what helps. */
static const struct {
    unsigned offset;
    const char *magic, *what, *remedy;
} foreign[] = {
    { 0, "\x27\x05\x19\x56", "a U-Boot uImage", "give the Image that it was made from" },
    { 0, "\xd0\x0d\xfe\xed", "a device tree or a FIT image", "-dtb takes a device tree" },
    { 0, "\xfd" "7zXZ", "compressed with xz", "unpack it" },
    { 0, "\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it" },
    { 0, "BZh", "compressed with bzip2", "unpack it" },
    { 0, "\x02!L\x18", "compressed with lz4", "unpack it" },
    { 0x202, "HdrS", "a kernel for x86", "give one for arm64" },
    { 0, "07070", "a cpio archive", "-initrd takes one" },
};

static bool check_foreign(const char *path, const uint8_t *data, size_t length, Error **errp)
{
    for (unsigned i = 0; i < ARRAY_SIZE(foreign); i++) {
        size_t size = strlen(foreign[i].magic);

        if (length >= foreign[i].offset + size &&
            memcmp(data + foreign[i].offset, foreign[i].magic, size) == 0) {
            error_setg(errp, "kernel '%s' is %s: %s", path, foreign[i].what, foreign[i].remedy);
            return false;
        }
    }
    return true;
}

/* Code that starts at its first byte, such as u-boot.bin; it gets the device tree as Linux does. */
static bool parse_raw(BootImage *image, const char *path, GBytes *file, Error **errp)
{
    size_t length;
    const uint8_t *data = g_bytes_get_data(file, &length);
    BootSegment segment = { .address = RAW_OFFSET, .size = length };

    if (!check_foreign(path, data, length, errp)) {
        return false;
    }
    image->kind = BOOT_IMAGE_LINUX;
    image->entry = RAW_OFFSET;
    segment.data = g_bytes_ref(file);
    g_array_append_val(image->segments, segment);
    return true;
}

/* ---- all kinds ---- */

static void segment_clear(void *p)
{
    g_bytes_unref(((BootSegment *)p)->data);
}

GBytes *boot_image_unpack(const char *path, GBytes *file, uint64_t max, Error **errp)
{
    size_t length;
    const uint8_t *data = g_bytes_get_data(file, &length);

    if (is_gzip(data, length)) {
        return gunzip(path, data, length, max, errp);
    }
    if (is_zboot(data, length)) {
        return unwrap_zboot(path, data, length, max, errp);
    }
    return g_bytes_ref(file);
}

bool boot_image_parse(BootImage *image, const char *path, GBytes *plain, Error **errp)
{
    size_t length;
    const uint8_t *data = g_bytes_get_data(plain, &length);
    bool ok = false;

    *image = (BootImage){ .segments = g_array_new(FALSE, FALSE, sizeof(BootSegment)) };
    g_array_set_clear_func(image->segments, segment_clear);
    if (length >= SELFMAG && memcmp(data, ELFMAG, SELFMAG) == 0) {
        ok = parse_elf(image, path, plain, errp);
    } else if (is_linux_image(data, length)) {
        ok = parse_linux(image, path, plain, errp);
    } else {
        ok = parse_raw(image, path, plain, errp);
    }
    if (!ok) {
        boot_image_clear(image);
    }
    return ok;
}

void boot_image_clear(BootImage *image)
{
    if (image->segments) {
        g_array_free(image->segments, TRUE);
        image->segments = NULL;
    }
}
