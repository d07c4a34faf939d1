/*
 * SMBIOS structures and their entry point (hw/smbios/smbios.h; DSP0134 3.0). Chapters in comments are its.
 *
 * Types 0 and 2 are there when the user says something about them: firmware describes itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "smbios-options.h"
#include "hw/misc/fw_cfg.h"
#include "util/bytes.h"
#include "util/uuid.h"

#define ANCHOR_BYTES 24
#define HEADER_BYTES 4
#define UNKNOWN_HANDLE 0xfffe         /* "no error information" (7.17.1) */
#define DIMM_BYTES (16ull << 30)      /* memory comes in such pieces */
#define KIB 1024u

enum SmbiosType {
    SMBIOS_FIRMWARE = 0,
    SMBIOS_SYSTEM = 1,
    SMBIOS_BOARD = 2,
    SMBIOS_CHASSIS = 3,
    SMBIOS_PROCESSOR = 4,
    SMBIOS_STRINGS = 11,
    SMBIOS_MEMORY_ARRAY = 16,
    SMBIOS_MEMORY = 17,
    SMBIOS_MAPPED_ADDRESS = 19,
    SMBIOS_BOOT = 32,
    SMBIOS_END = 127,
};

/* A structure under way: the formatted part at `start` of out, and the strings that follow it (6.1.3). */
typedef struct Builder {
    GByteArray *out, *strings;
    guint start;
    unsigned num_strings;
} Builder;

static uint16_t handle_of(enum SmbiosType type, unsigned n)
{
    return (uint16_t)(type << 8 | n);
}

static void put(Builder *b, uint64_t value, unsigned size)
{
    uint8_t bytes[8];

    store_le(bytes, value, size);
    g_byte_array_append(b->out, bytes, size);
}

/* The number of a string, or 0 for none. */
static void put_string(Builder *b, const char *text)
{
    bool there = text && *text;

    if (there) {
        g_byte_array_append(b->strings, (const uint8_t *)text, (guint)strlen(text) + 1);
        b->num_strings++;
    }
    put(b, there ? b->num_strings : 0, 1);
}

static void begin(Builder *b, enum SmbiosType type, unsigned n)
{
    b->start = b->out->len;
    b->num_strings = 0;
    g_byte_array_set_size(b->strings, 0);
    put(b, type, 1);
    put(b, 0, 1);
    put(b, handle_of(type, n), 2);
}

/* length: that of the formatted part, by the specification. */
static void end(Builder *b, unsigned length)
{
    assert(b->out->len - b->start == length);
    b->out->data[b->start + 1] = (uint8_t)length;
    g_byte_array_append(b->out, b->strings->data, b->strings->len);
    put(b, 0, b->num_strings ? 1 : 2);
}

/* 7.1 */
static void add_firmware(Builder *b, const struct SmbiosFirmware *f)
{
    enum { NO_CHARACTERISTICS = 1 << 3, UEFI = 1 << 3, VIRTUAL_MACHINE = 1 << 4 };
    uint8_t release[2] = { 0, 0 };

    if (f->release) {
        smbios_parse_release(f->release, release);
    }
    begin(b, SMBIOS_FIRMWARE, 0);
    put_string(b, f->vendor);
    put_string(b, f->version);
    put(b, 0, 2);                         /* no segment: it is not a BIOS */
    put_string(b, f->date);
    put(b, 0, 1);
    put(b, NO_CHARACTERISTICS, 8);
    put(b, 0, 1);
    put(b, VIRTUAL_MACHINE | (f->uefi ? UEFI : 0), 1);
    put(b, release[0], 1);
    put(b, release[1], 1);
    put(b, 0xffff, 2);                    /* no embedded controller */
    end(b, 24);
}

/* The first three fields are little-endian (7.2.1). */
static void put_uuid(Builder *b, const uint8_t *uuid)
{
    put(b, load_be(uuid, 4), 4);
    put(b, load_be(uuid + 4, 2), 2);
    put(b, load_be(uuid + 6, 2), 2);
    g_byte_array_append(b->out, uuid + 8, UUID_SIZE - 8);
}

/* 7.2 */
static void add_system(Builder *b, const struct SmbiosSystem *s, const SmbiosConfig *config)
{
    enum { WAKE_UP_POWER_SWITCH = 6 };
    uint8_t uuid[UUID_SIZE] = { 0 };

    if (s->uuid) {
        uuid_parse(s->uuid, uuid);
    } else if (config->uuid) {
        memcpy(uuid, config->uuid, UUID_SIZE);
    }
    begin(b, SMBIOS_SYSTEM, 0);
    put_string(b, s->manufacturer);
    put_string(b, s->product);
    put_string(b, s->version ? s->version : config->version);
    put_string(b, s->serial);
    put_uuid(b, uuid);
    put(b, WAKE_UP_POWER_SWITCH, 1);
    put_string(b, s->sku);
    put_string(b, s->family);
    end(b, 27);
}

/* 7.3 */
static void add_board(Builder *b, const struct SmbiosBoard *s, const SmbiosConfig *config)
{
    enum { HOSTING_BOARD = 1, MOTHERBOARD = 10 };

    begin(b, SMBIOS_BOARD, 0);
    put_string(b, s->manufacturer);
    put_string(b, s->product);
    put_string(b, s->version ? s->version : config->version);
    put_string(b, s->serial);
    put_string(b, s->asset);
    put(b, HOSTING_BOARD, 1);
    put_string(b, s->location);
    put(b, handle_of(SMBIOS_CHASSIS, 0), 2);
    put(b, MOTHERBOARD, 1);
    put(b, 0, 1);
    end(b, 15);
}

/* 7.4 */
static void add_chassis(Builder *b, const struct SmbiosChassis *s, const SmbiosConfig *config)
{
    enum { CHASSIS_OTHER = 1, STATE_SAFE = 3, SECURITY_UNKNOWN = 2 };

    begin(b, SMBIOS_CHASSIS, 0);
    put_string(b, s->manufacturer);
    put(b, CHASSIS_OTHER, 1);
    put_string(b, s->version ? s->version : config->version);
    put_string(b, s->serial);
    put_string(b, s->asset);
    put(b, STATE_SAFE, 1);
    put(b, STATE_SAFE, 1);
    put(b, STATE_SAFE, 1);
    put(b, SECURITY_UNKNOWN, 1);
    put(b, 0, 4);
    put(b, 0, 4);                         /* height, power cords, contained elements */
    put_string(b, s->sku);
    end(b, 22);
}

/* 7.5; cores, threads: of this socket. */
static void add_processor(Builder *b, const struct SmbiosProcessor *s, const SmbiosConfig *config, unsigned n,
                          unsigned cores, unsigned threads)
{
    enum { CENTRAL = 3, FAMILY_OTHER = 1, ENABLED = 0x41, UPGRADE_OTHER = 1, NO_CACHE = 0xffff, UNKNOWN = 2 };
    g_autofree char *socket = g_strdup_printf("%s %u", s->socket, n);

    begin(b, SMBIOS_PROCESSOR, n);
    put_string(b, socket);
    put(b, CENTRAL, 1);
    put(b, FAMILY_OTHER, 1);
    put_string(b, s->manufacturer);
    put(b, s->id, 8);
    put_string(b, s->version ? s->version : config->version);
    put(b, 0, 1);
    put(b, 0, 2);
    put(b, s->max_speed, 2);
    put(b, s->current_speed, 2);
    put(b, ENABLED, 1);
    put(b, UPGRADE_OTHER, 1);
    for (unsigned level = 1; level <= 3; level++) {
        put(b, NO_CACHE, 2);
    }
    put_string(b, s->serial);
    put_string(b, s->asset);
    put_string(b, s->part);
    put(b, MIN(cores, 0xff), 1);
    put(b, MIN(cores, 0xff), 1);
    put(b, MIN(threads, 0xff), 1);
    put(b, UNKNOWN, 2);
    put(b, FAMILY_OTHER, 2);
    put(b, cores, 2);
    put(b, cores, 2);
    put(b, threads, 2);
    end(b, 48);
}

/* One a socket, of which the last ones may have fewer CPUs. */
static void add_processors(Builder *b, const struct SmbiosProcessor *s, const SmbiosConfig *config)
{
    const CpuTopology *t = &config->topology;
    unsigned threads = MAX(t->threads, 1);
    unsigned room = t->cores ? MAX(t->clusters, 1) * t->cores * threads : config->num_cpus;

    for (unsigned i = 0, n = 0; i < config->num_cpus; i += room, n++) {
        unsigned cpus = MIN(room, config->num_cpus - i);

        add_processor(b, s, config, n, (cpus + threads - 1) / threads, cpus);
    }
}

/* 7.12 */
static void add_strings(Builder *b, const GPtrArray *strings)
{
    begin(b, SMBIOS_STRINGS, 0);
    put(b, 0, 1);
    for (unsigned i = 0; i < strings->len; i++) {
        const char *text = g_ptr_array_index(strings, i);

        if (*text) {
            g_byte_array_append(b->strings, (const uint8_t *)text, (guint)strlen(text) + 1);
            b->num_strings++;
        }
    }
    b->out->data[b->out->len - 1] = (uint8_t)b->num_strings;
    end(b, 5);
}

/* ---- memory ---- */

/* 7.17 */
static void add_memory_array(Builder *b, const SmbiosConfig *config, unsigned dimms)
{
    enum { LOCATION_OTHER = 1, USE_SYSTEM = 3, CORRECTION_MULTI_BIT = 6 };
    const uint64_t large = 1ull << 31;    /* KiB: the extended field counts */
    uint64_t size = config->ram_size / KIB;

    begin(b, SMBIOS_MEMORY_ARRAY, 0);
    put(b, LOCATION_OTHER, 1);
    put(b, USE_SYSTEM, 1);
    put(b, CORRECTION_MULTI_BIT, 1);
    put(b, MIN(size, large), 4);
    put(b, UNKNOWN_HANDLE, 2);
    put(b, dimms, 2);
    put(b, size >= large ? config->ram_size : 0, 8);
    end(b, 23);
}

/* 7.18.4: MiB, or, for what is no whole number of these, KiB. */
static uint16_t dimm_size(uint64_t bytes)
{
    const uint64_t in_kib = 1u << 15, large = 0x7fff;
    uint64_t kib = bytes / KIB, mib = kib / KIB;

    if (kib % KIB && kib < large) {
        return (uint16_t)(in_kib | kib);
    }
    return (uint16_t)MIN(mib, large);
}

/* 7.18 */
static void add_memory(Builder *b, const struct SmbiosMemory *s, unsigned n, uint64_t bytes)
{
    enum { WIDTH_UNKNOWN = 0xffff, FORM_DIMM = 9, TYPE_RAM = 7, DETAIL_OTHER = 2, LARGE = 0x7fff };
    g_autofree char *locator = g_strdup_printf("%s %u", s->locator, n);
    uint16_t size = dimm_size(bytes);

    begin(b, SMBIOS_MEMORY, n);
    put(b, handle_of(SMBIOS_MEMORY_ARRAY, 0), 2);
    put(b, UNKNOWN_HANDLE, 2);
    put(b, WIDTH_UNKNOWN, 2);
    put(b, WIDTH_UNKNOWN, 2);
    put(b, size, 2);
    put(b, FORM_DIMM, 1);
    put(b, 0, 1);
    put_string(b, locator);
    put_string(b, s->bank);
    put(b, TYPE_RAM, 1);
    put(b, DETAIL_OTHER, 2);
    put(b, s->speed, 2);
    put_string(b, s->manufacturer);
    put_string(b, s->serial);
    put_string(b, s->asset);
    put_string(b, s->part);
    put(b, 0, 1);
    put(b, size == LARGE ? bytes / KIB / KIB : 0, 4);
    put(b, s->speed, 2);
    put(b, 0, 6);                         /* voltages */
    end(b, 40);
}

/* 7.20 */
static void add_mapped_address(Builder *b, const SmbiosConfig *config)
{
    uint64_t last = config->ram_base + config->ram_size - 1;
    bool extended = last / KIB >= UINT32_MAX;

    begin(b, SMBIOS_MAPPED_ADDRESS, 0);
    put(b, extended ? UINT32_MAX : config->ram_base / KIB, 4);
    put(b, extended ? UINT32_MAX : last / KIB, 4);
    put(b, handle_of(SMBIOS_MEMORY_ARRAY, 0), 2);
    put(b, 1, 1);
    put(b, extended ? config->ram_base : 0, 8);
    put(b, extended ? last : 0, 8);
    end(b, 31);
}

static void add_all_memory(Builder *b, const struct SmbiosMemory *s, const SmbiosConfig *config)
{
    unsigned dimms = (unsigned)((config->ram_size + DIMM_BYTES - 1) / DIMM_BYTES);

    add_memory_array(b, config, dimms);
    for (unsigned n = 0; n < dimms; n++) {
        add_memory(b, s, n, MIN(DIMM_BYTES, config->ram_size - n * DIMM_BYTES));
    }
    add_mapped_address(b, config);
}

/* ---- all of it ---- */

static void add_structures(Builder *b, const SmbiosOptions *o, const SmbiosConfig *config)
{
    if (o->has_firmware) {
        add_firmware(b, &o->firmware);
    }
    add_system(b, &o->system, config);
    if (o->has_board) {
        add_board(b, &o->board, config);
    }
    add_chassis(b, &o->chassis, config);
    add_processors(b, &o->processor, config);
    if (o->strings->len) {
        add_strings(b, o->strings);
    }
    add_all_memory(b, &o->memory, config);
    /* 7.33: no error at the last boot. */
    begin(b, SMBIOS_BOOT, 0);
    put(b, 0, 6);
    put(b, 0, 1);
    end(b, 11);
    begin(b, SMBIOS_END, 0);
    end(b, HEADER_BYTES);
}

GByteArray *smbios_build(const SmbiosConfig *config, Error **errp)
{
    SmbiosOptions options = { 0 };
    Builder b = { NULL, NULL, 0, 0 };

    if (smbios_options_parse(&options, config->options, errp)) {
        b.out = g_byte_array_new();
        b.strings = g_byte_array_new();
        add_structures(&b, &options, config);
        g_byte_array_unref(b.strings);
    }
    smbios_options_clear(&options);
    return b.out;
}

/* 5.2.2: firmware puts in the address, and the checksum anew. */
static GBytes *make_anchor(guint length)
{
    uint8_t anchor[ANCHOR_BYTES] = { '_', 'S', 'M', '3', '_', [6] = ANCHOR_BYTES, [7] = 3, [10] = 1 };
    uint8_t sum = 0;

    store_le(anchor + 12, length, 4);
    for (unsigned i = 0; i < sizeof(anchor); i++) {
        sum = (uint8_t)(sum + anchor[i]);
    }
    anchor[5] = (uint8_t)-sum;
    return g_bytes_new(anchor, sizeof(anchor));
}

bool smbios_add(FwCfg *fw, const GByteArray *structures, Error **errp)
{
    g_autoptr(GBytes) tables = g_bytes_new(structures->data, structures->len);
    g_autoptr(GBytes) anchor = make_anchor(structures->len);

    return fw_cfg_add_file(fw, "etc/smbios/smbios-tables", tables, errp) &&
           fw_cfg_add_file(fw, "etc/smbios/smbios-anchor", anchor, errp);
}
