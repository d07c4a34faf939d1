/*
 * The loader, -device loader: what a user puts into memory and into a CPU's PC at each reset.
 *
 * Wiring: none. With file=, the segments of an AArch64 ELF file, or any other file (an ELF file
 * too, with force-raw=on) at addr=; with data= and data-len=, a number at addr=. cpu-num= makes
 * that CPU start at the ELF file's entry, or at addr=. Devices are reset in the order they were
 * made, so of two that write one place the later one wins.
 *
 * Not modelled: uImage and Intel HEX files; they are loaded as they are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "boot-image.h"
#include "hw/arm/loader.h"
#include "target/arm/cpu.h"

#define NO_CPU UINT32_MAX

typedef struct LoaderConfig {
    char *file;
    uint64_t addr, data;
    uint8_t data_len;
    bool data_be, force_raw;
    uint32_t cpu_num;
} LoaderConfig;

typedef struct Loader {
    Device dev;
    LoaderConfig config;
    GArray *segments;        /* BootSegment: what a reset writes; data is owned */
    uint64_t entry;
} Loader;

static void segment_clear(void *segment)
{
    g_bytes_unref(((BootSegment *)segment)->data);
}

/* Zeros behind the data are written, too: an ELF segment's .bss. */
static void add_segment(Loader *l, uint64_t address, const void *data, size_t length,
                        uint64_t size)
{
    uint8_t *bytes = g_malloc0(size);
    BootSegment segment = { .address = address, .size = size };

    memcpy(bytes, data, length);
    segment.data = g_bytes_new_take(bytes, size);
    g_array_append_val(l->segments, segment);
}

static bool add_elf(Loader *l, GBytes *file, uint64_t max, Error **errp)
{
    BootImage image = { 0 };

    if (!boot_image_parse(&image, l->config.file, file, errp)) {
        return false;
    }
    l->entry = image.entry;
    for (unsigned i = 0; i < image.segments->len; i++) {
        const BootSegment *s = &g_array_index(image.segments, BootSegment, i);

        if (s->size > max) {
            error_setg(errp, "file '%s' has a segment of %" PRIu64 " bytes, more than there is "
                       "memory", l->config.file, s->size);
            boot_image_clear(&image);
            return false;
        }
        add_segment(l, s->address, g_bytes_get_data(s->data, NULL), g_bytes_get_size(s->data),
                    s->size);
    }
    boot_image_clear(&image);
    return true;
}

static void add_size(MemRegion *region, void *total)
{
    *(uint64_t *)total += region->host ? region->size : 0;
}

static bool add_file(Loader *l, Error **errp)
{
    g_autoptr(GBytes) file = NULL;
    uint64_t max = 0;
    const uint8_t *data;
    size_t length;

    memory_foreach(l->dev.machine->memory, add_size, &max);
    file = boot_read_file("file", l->config.file, max, "memory", errp);
    if (!file) {
        return false;
    }
    data = g_bytes_get_data(file, &length);
    if (!l->config.force_raw && length >= 4 && memcmp(data, "\177ELF", 4) == 0) {
        return add_elf(l, file, max, errp);
    }
    add_segment(l, l->config.addr, data, length, length);
    return true;
}

static bool add_data(Loader *l, Error **errp)
{
    const LoaderConfig *c = &l->config;
    uint64_t number = c->data_be ? GUINT64_TO_BE(c->data << (8 * (8 - c->data_len)))
                                 : GUINT64_TO_LE(c->data);

    if (c->data_len < 8 && c->data >> (8 * c->data_len)) {
        error_setg(errp, "data=0x%" PRIx64 " has more than data-len=%u bytes", c->data,
                   c->data_len);
        return false;
    }
    add_segment(l, c->addr, &number, c->data_len, c->data_len);
    return true;
}

/* Everything has a place in memory; told to whoever compares a replay's inputs. */
static bool check_segments(Loader *l, Error **errp)
{
    Machine *m = l->dev.machine;

    for (unsigned i = 0; i < l->segments->len; i++) {
        const BootSegment *s = &g_array_index(l->segments, BootSegment, i);
        g_autofree char *name = g_strdup_printf("%s.%u", l->dev.id, i);
        g_autofree char *value = NULL;
        g_autofree uint8_t *there = g_malloc(s->size);

        if (s->address + s->size < s->address ||
            !memory_read(m->memory, s->address, there, s->size)) {
            error_setg(errp, "there is no memory for %" PRIu64 " bytes at 0x%" PRIx64, s->size,
                       s->address);
            return false;
        }
        value = boot_describe_bytes(g_bytes_get_data(s->data, NULL), s->size);
        machine_describe(m, name, value);
    }
    return true;
}

static bool loader_realize(Device *dev, Error **errp)
{
    Loader *l = container_of(dev, Loader, dev);
    const LoaderConfig *c = &l->config;

    l->segments = g_array_new(false, false, sizeof(BootSegment));
    g_array_set_clear_func(l->segments, segment_clear);
    l->entry = c->addr;
    if (c->file && c->data_len) {
        error_setg(errp, "file= and data-len= exclude each other: use two loaders");
        return false;
    }
    if (!c->file && !c->data_len && c->cpu_num == NO_CPU) {
        error_setg(errp, "expected file=, data= with data-len=, or cpu-num=");
        return false;
    }
    if (c->cpu_num != NO_CPU && c->cpu_num >= dev->machine->num_cpus) {
        error_setg(errp, "cpu-num=%" PRIu32 ": this machine has %u CPUs", c->cpu_num,
                   dev->machine->num_cpus);
        return false;
    }
    if ((c->file && !add_file(l, errp)) || (c->data_len && !add_data(l, errp))) {
        return false;
    }
    return check_segments(l, errp);
}

static void loader_reset(Device *dev)
{
    Loader *l = container_of(dev, Loader, dev);

    for (unsigned i = 0; i < l->segments->len; i++) {
        const BootSegment *s = &g_array_index(l->segments, BootSegment, i);

        memory_write(dev->machine->memory, s->address, g_bytes_get_data(s->data, NULL), s->size);
    }
    if (l->config.cpu_num != NO_CPU) {
        arm_cpu_set_boot(arm_cpu(dev->machine->cpus[l->config.cpu_num]), l->entry, 0);
    }
}

static void loader_free(Device *dev)
{
    Loader *l = container_of(dev, Loader, dev);

    if (l->segments) {
        g_array_free(l->segments, TRUE);
    }
    g_free(l);
}

static const Property loader_properties[] = {
    PROP_STRING("file", LoaderConfig, file, NULL, "an AArch64 ELF file, or a raw one for addr="),
    PROP_BOOL("force-raw", LoaderConfig, force_raw, "off", "load an ELF file as it is"),
    PROP_UINT("addr", LoaderConfig, addr, "0", 0, 0, "where data or a raw file goes"),
    PROP_UINT("data", LoaderConfig, data, "0", 0, 0, "a number to write"),
    PROP_UINT("data-len", LoaderConfig, data_len, "0", 0, 8, "its bytes"),
    PROP_BOOL("data-be", LoaderConfig, data_be, "off", "its bytes in big-endian order"),
    PROP_UINT("cpu-num", LoaderConfig, cpu_num, "0xffffffff", 0, 0,
              "the CPU to start at the ELF file's entry or addr=; 0xffffffff: none"),
    PROP_END
};

const DeviceType loader_type = {
    .name = "loader", .doc = "a file or a number in memory, and where a CPU starts",
    .pluggable = true, .size = sizeof(Loader), .properties = loader_properties,
    .config_offset = offsetof(Loader, config), .realize = loader_realize,
    .reset = loader_reset, .free = loader_free,
};
